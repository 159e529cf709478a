"""How is Reddit asked? Through PRAW, in one thread, by a door that nothing but words comes out of.

PRAW blocks, is not thread-safe, and raises whatever it meets: KeyError for a 401 without a hint, ValueError
for odd headers, 429 at once; and it sleeps as long as a header says. Here every answer has a deadline, a size
and a bounded sleep, and what goes wrong becomes an `Answer` a person can act on. Nothing else imports PRAW.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from monitor import config as settings
from monitor.config import Source
from spiders.base import error_words
from spiders.parsing.reddit_things import Listing, listing_from
from storage.records import clean_line

if TYPE_CHECKING:
    import praw
    import requests

log = logging.getLogger(__name__)

TIMEOUT = 16.0  # seconds without a byte; PRAW's own default
ANSWER_MAX = 20 * 2**20  # bytes of one answer; a page of 100 long posts is under 5 MB
SLEEP_MAX = 60.0  # seconds anybody may make us wait
WINDOW = 600  # seconds in which Reddit counts requests (its own figure)
RESERVE = 5  # requests left untouched in a window: others may share the key


@dataclass(frozen=True, slots=True)
class Answer:
    """What came out of the door: a page read, or why there is none."""

    listing: Listing | None = None
    words: str = ""
    status: int | None = None
    stops: bool = False  # nothing else will be answered either
    limit: bool = False  # cut short, not broken
    trouble: bool = False  # Reddit's own; twice in a row and it is down
    retry_after: float | None = None  # seconds


class OutOfTime(Exception):
    """The source's deadline has passed."""


class OneThread:
    """A thread of one's own, asked from the event loop. A daemon: a stop never waits for Reddit to answer."""

    def __init__(self, name: str) -> None:
        self._asked: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def run(self, call: Callable[[], Answer]) -> asyncio.Future[Answer]:
        """What `call` answers, later; calls are made one after the other. `call` must not raise."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()

        def settle(value: Answer) -> None:
            if not answer.done():
                answer.set_result(value)

        def work() -> None:
            value = call()
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(settle, value)

        self._asked.put(work)
        return answer

    def end(self, last: Callable[[], None]) -> None:
        """No more calls; `last` is made when the earlier ones are done."""
        self._asked.put(last)
        self._asked.put(None)

    def _work(self) -> None:
        while (call := self._asked.get()) is not None:
            call()


class RedditDoor:
    """The one `praw.Reddit`. Made and used in one thread; `get` never raises, and keeps to the deadline."""

    def __init__(
        self,
        account: settings.Reddit,
        user_agent: str,
        deadline: float,
        source: Source,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._account = account
        self._user_agent = user_agent
        self._deadline = deadline  # on time.monotonic's clock
        self._source = source
        self._stopped = stopped
        self._reddit: praw.Reddit | None = None
        self._heard = Heard()

    def get(self, path: str, params: Mapping[str, str], what: str) -> Answer:
        """One page, read; or in words why not. `what` is how people call it."""
        heard = self._heard
        heard.forget()
        if self._left() <= 0:
            return out_of_time(self._source)
        if heard.remaining is not None and heard.remaining <= RESERVE and heard.resets_at > time.monotonic():
            wait = math.ceil(heard.resets_at - time.monotonic())
            words = f"Reddit's allowance of requests is used up for {wait} s; the rest is read next time"
            return Answer(words=words, stops=True, limit=True)
        try:
            if self._reddit is None:
                self._reddit = open_reddit(self._account, self._user_agent, heard, self._left)
            asked: dict[str, str | int] = dict(params)
            data = self._reddit.request(method="GET", path=path, params=asked)
            listing = listing_from(data, self._source)
            if listing.page.problems and not listing.names:
                return Answer(words=f"{what}: {listing.page.problems[0]}", status=heard.status, trouble=True)
            return Answer(listing, status=heard.status)
        except OutOfTime:
            return out_of_time(self._source)
        except Exception as error:  # KeyError for a 401, ValueError for odd headers, anything for odd JSON
            log.debug("asking Reddit for %s failed", what, exc_info=True)
            return refusal(error, heard, what)

    def close(self) -> None:
        """Closes its connections."""
        if self._heard.close is not None:
            self._heard.close()

    def _left(self) -> float:
        return 0.0 if self._stopped() else self._deadline - time.monotonic()


@dataclass(slots=True)
class Heard:
    """What the last answer's head said, kept because PRAW's errors do not always say it."""

    status: int | None = None
    token: bool = False  # it was the answer to the request for a token
    kind: str = ""  # its Content-Type
    reason: str = ""  # why Reddit says no, in its word: private, quarantined, gated, banned
    retry_after: float | None = None
    remaining: float | None = None  # requests left in this window
    resets_at: float = 0.0  # on time.monotonic's clock
    close: Callable[[], None] | None = None

    def forget(self) -> None:
        """Before the next question; the allowance stays."""
        self.status, self.token, self.kind, self.reason, self.retry_after = None, False, "", "", None

    def listen(self, response: requests.Response, left: float) -> None:
        """Remembers what matters, and leaves PRAW only headers it can read: on others it sleeps or falls."""
        headers = response.headers
        self.status = response.status_code
        self.kind = headers.get("content-type", "")[:60]
        self.token = (response.url or "").split("?")[0].endswith("/access_token")
        self.retry_after = _seconds(headers.get("retry-after"))
        if self.retry_after is None:
            headers.pop("retry-after", None)
        remaining = _seconds(headers.get("x-ratelimit-remaining"))
        used = _seconds(headers.get("x-ratelimit-used"))
        reset = _seconds(headers.get("x-ratelimit-reset"))
        if remaining is None or used is None or reset is None:
            for name in ("x-ratelimit-remaining", "x-ratelimit-used", "x-ratelimit-reset"):
                headers.pop(name, None)
        else:
            reset = reset if reset <= WINDOW else SLEEP_MAX
            self.remaining, self.resets_at = remaining, time.monotonic() + reset
            headers["x-ratelimit-used"] = str(int(used))
            # What PRAW sleeps before the next request grows with it: never beyond the deadline.
            headers["x-ratelimit-reset"] = str(int(max(0.0, min(reset, left))))
            headers["x-ratelimit-remaining"] = str(
                max(1.0, remaining)
            )  # the allowance is kept here, see `get`
        if response.status_code >= 400:
            try:
                said = response.json()
            except (ValueError, RecursionError):
                said = None
            reason = said.get("reason") if isinstance(said, dict) else None
            self.reason = clean_line(reason, 40) if isinstance(reason, str) else ""


def open_reddit(
    account: settings.Reddit, user_agent: str, heard: Heard, left: Callable[[], float]
) -> praw.Reddit:
    """PRAW, told everything: no praw.ini of this folder or user, no `praw_…` variables, no update check."""
    import configparser
    from importlib.resources import files

    import praw
    import praw.config
    import prawcore
    import requests
    import urllib3

    class Requestor(prawcore.Requestor):
        """Asks with a deadline and a size, and lets `heard` listen."""

        def request(self, *args: Any, timeout: float | None = None, **kwargs: Any) -> requests.Response:
            kwargs["allow_redirects"] = False  # a token is asked of Reddit and nobody else
            heard.forget()
            remaining = left()
            if remaining <= 0:
                raise OutOfTime
            kwargs |= {"stream": True, "timeout": min(TIMEOUT, max(1.0, remaining))}
            try:
                response = self._http.request(*args, **kwargs)
                with response:
                    response._content = _body(response)
            except OutOfTime:
                raise
            except urllib3.exceptions.HTTPError as error:  # raised below requests, where the body is read
                broken = requests.exceptions.ConnectionError(error)
                raise prawcore.exceptions.RequestException(broken, args, {}) from error
            except Exception as error:
                raise prawcore.exceptions.RequestException(error, args, {}) from error
            heard.listen(response, left())
            return response

    def _body(response: requests.Response) -> bytes:
        body = bytearray()
        while piece := response.raw.read1(65_536, decode_content=True):
            body += piece
            if len(body) > ANSWER_MAX:
                raise ValueError(f"the answer is larger than {ANSWER_MAX // 2**20} MiB")
            if left() <= 0:
                raise OutOfTime
        return bytes(body)

    defaults = configparser.ConfigParser(interpolation=None)
    with files("praw").joinpath("praw.ini").open() as shipped:
        defaults.read_file(shipped)
    with praw.config.Config.LOCK:
        praw.config.Config.CONFIG = defaults

    session = requests.Session()
    session.auth = lambda prepared: prepared  # else ~/.netrc would replace the token
    if (urlsplit(account.reddit_url).hostname or "") in ("127.0.0.1", "::1", "localhost"):
        session.trust_env = False  # no proxy knows the way to this machine
    heard.close = session.close
    return praw.Reddit(
        "DEFAULT",
        client_id=account.client_id,
        client_secret=account.client_secret,
        user_agent=user_agent,
        reddit_url=account.reddit_url.rstrip("/"),
        oauth_url=account.oauth_url.rstrip("/") + "/",
        username=None,
        password=None,
        refresh_token=None,
        redirect_uri=None,
        check_for_updates=False,
        check_for_async=False,
        requestor_class=Requestor,
        requestor_kwargs={"session": session},
    )


def refusal(error: Exception, heard: Heard, what: str) -> Answer:
    """Why there is no answer, in words a person can act on."""
    status = heard.status
    reason = f" ({heard.reason})" if heard.reason else ""
    if status is None:
        cause = getattr(error, "original_exception", error)
        name = type(cause).__name__
        if "Timeout" in name:
            words = f"{what}: Reddit did not answer within {TIMEOUT:.0f} s"
        elif name in ("ConnectionError", "ChunkedEncodingError", "SSLError", "ProxyError", "ConnectTimeout"):
            words = f"{what}: the connection to Reddit failed or broke ({name})"
        else:
            words = f"{what}: {error_words(cause)}"
        return Answer(words=words, trouble=True)
    if heard.token and (status in (400, 401) or type(error).__name__ == "OAuthException"):
        words = (
            f"Reddit refused the key (HTTP {status}): check LOWSTAR_REDDIT_CLIENT_ID and "
            "LOWSTAR_REDDIT_CLIENT_SECRET, and that the app is of the type script or web"
        )
        return Answer(words=words, status=status, stops=True)
    match status:
        case 401:
            words = "Reddit no longer accepts its own token (HTTP 401): check the app and its key"
            return Answer(words=words, status=status, stops=True)
        case 403:
            words = f"{what}: Reddit shuts us out (HTTP 403){reason}"
            hint = "it cannot be read with this key" if heard.reason else "is the user agent blocked?"
            return Answer(words=f"{words}: {hint}", status=status)
        case 301 | 302 | 404:
            words = f"{what}: there is no such place (HTTP {status}){reason}; is the name right?"
            return Answer(words=words, status=status)
        case 429:
            wait = heard.retry_after
            words = "Reddit wants fewer requests (HTTP 429)" + (f": wait {wait:.0f} s" if wait else "")
            return Answer(words=words, status=status, stops=True, limit=True, retry_after=wait)
        case 451:
            return Answer(words=f"{what}: it may not be shown here (HTTP 451)", status=status)
    if status >= 500:
        words = f"{what}: Reddit is out of service (HTTP {status})"
    elif status == 200 and "json" not in heard.kind:
        words = f"{what}: Reddit answered with {heard.kind or 'something'} instead of JSON"
    elif status == 200 and isinstance(error, RecursionError):
        words = f"{what}: Reddit's answer is nested too deeply to be read"
    elif status == 200 and type(error).__name__ == "BadJSON":
        words = f"{what}: Reddit's answer is broken JSON"
    elif status == 200:
        words = f"{what}: Reddit's answer could not be read: {error_words(error)}"
    else:
        words = f"{what}: Reddit answered HTTP {status}{reason}"
    return Answer(words=words, status=status, trouble=True)


def out_of_time(source: Source) -> Answer:
    minutes = source.deadline.total_seconds() / 60
    words = f"stopped at its deadline of {minutes:g} minutes; the rest is read next time"
    return Answer(words=words, stops=True, limit=True)


def _seconds(value: str | None) -> float | None:
    """A header's number; None where it is none, or less than nothing."""
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and 0 <= number < 1e12 else None
