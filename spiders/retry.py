"""When may a request that failed be tried again? As the site says, else soon, then later, and not for ever.

Scrapy's own retry ignores Retry-After and asks again at once. Here a refusal closes a gate before the whole
host: every request to it waits, none holds up another host, and nothing sleeps but the requests themselves.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from scrapy.crawler import Crawler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)
from scrapy.http import Request, Response
from scrapy.utils.httpobj import urlparse_cached

from spiders.addresses import name_was_refused
from spiders.base import SourceSpider

RETRIES = 3  # beyond the first try
WAIT_MAX = 60.0  # seconds; a site that wants longer is left alone until the next run
FIRST_WAIT = 1.0  # seconds, doubled each time
RETRY_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 522, 524})
RETRY_ERRORS = (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)


def retry_after(header: bytes | None, now: datetime) -> float | None:
    """Seconds a Retry-After header asks to wait, 0 or more; None where it says nothing that can be read.

    >>> retry_after(b"7", datetime(2026, 1, 1, tzinfo=UTC))
    7.0
    """
    if not header:
        return None
    said = header.decode("latin-1").strip()
    if said.isascii() and said.isdigit():
        return float(min(int(said[:12]), 10**9))
    try:
        at = parsedate_to_datetime(said)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    try:
        return max(0.0, (at - now).total_seconds())
    except OverflowError:
        return None


def backoff(tried: int, jitter: float) -> float:
    """Seconds to wait after the `tried`-th failure (from 1) without word from the site; `jitter` is in 0…1.

    >>> [backoff(tried, 0.5) for tried in (1, 2, 3)]
    [1.0, 2.0, 4.0]
    """
    # Half to one and a half: sources that failed together do not come back together.
    return min(WAIT_MAX, FIRST_WAIT * 2.0 ** (tried - 1) * (0.5 + jitter))


class ComeBackLater(IgnoreRequest):
    """The site wants to be left alone for longer than a run waits; `words` say until when."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class RetryMiddleware:
    """Downloader middleware: asks again what failed in passing, and keeps each host's gate."""

    def __init__(
        self,
        crawler: Crawler,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.crawler = crawler
        self.now, self.clock, self.chance = now, clock, chance
        self._open_at: dict[str, float] = {}  # per host, on `clock`
        self._closed: dict[str, str] = {}  # hosts to be left alone in this run, and why

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RetryMiddleware:
        return cls(crawler)

    async def wait_at_gate(self, request: Request) -> None:
        """Wait until the request's host may be asked; raises ComeBackLater where that is not in this run.

        Called by `spiders.download` at the last moment: what was queued before the gate closed waits too.
        """
        host = urlparse_cached(request).netloc
        # In a loop, for the gate may be closed again meanwhile.
        while (wait := self._open_at.get(host, 0.0) - self.clock()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(wait)
        if host in self._closed:
            raise ComeBackLater(self._closed[host])

    def process_response(self, request: Request, response: Response) -> Request | Response:
        if response.status not in RETRY_STATUSES or request.meta.get("dont_retry"):
            return response
        header = response.headers.get("Retry-After")
        asked = retry_after(header, self.now())
        if asked is not None and asked > WAIT_MAX:
            at = self.now() + timedelta(seconds=min(asked, 400 * 86_400))
            host = urlparse_cached(request).netloc
            words = f"{host} answered HTTP {response.status}: not before {at:%Y-%m-%d %H:%M} UTC again"
            self._closed[host] = words
            raise ComeBackLater(words)
        return self._again(request, asked) or response

    def process_exception(self, request: Request, exception: Exception) -> Request | None:
        if not isinstance(exception, RETRY_ERRORS) or request.meta.get("dont_retry"):
            return None
        if name_was_refused(urlparse_cached(request).hostname or ""):
            return None  # its address is not public: it will not be at the next try either
        return self._again(request, None)

    def _again(self, request: Request, asked: float | None) -> Request | None:
        tried = request.meta.get("retry_times", 0) + 1
        spider = self.crawler.spider
        if tried > RETRIES or (isinstance(spider, SourceSpider) and spider.brake.pulled):
            return None
        wait = backoff(tried, self.chance()) if asked is None else asked
        host = urlparse_cached(request).netloc
        self._open_at[host] = max(self._open_at.get(host, 0.0), self.clock() + wait)
        again = request.copy()
        again.meta["retry_times"] = tried
        again.dont_filter = True
        again.priority = request.priority - 1
        self.crawler.stats.inc_value("retry/count")
        return again
