"""May this page be asked, as the site's robots.txt says? And how fast?

Scrapy's own middleware, with what it lacks: one question a host however many requests wait for the answer
(the stock one lets 2 to 11 of 16 concurrent requests through to a forbidden page), RFC 9309's rules for an
answer that is none (2.3.1: 4xx means there are no rules; 5xx and no answer at all mean "everything is
forbidden" until there is one), Crawl-delay, and words for the run's reason.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Request
from scrapy.http.request import NO_CALLBACK
from scrapy.robotstxt import RobotParser
from scrapy.utils.httpobj import urlparse_cached
from scrapy.utils.misc import build_from_crawler

from spiders.brake import CrawlEnded
from spiders.words import error_words, shown

CRAWL_DELAY_MAX = 60.0  # seconds; a site that asks for more is asked once a minute, at most max_pages times


class RobotsForbid(IgnoreRequest):
    """robots.txt does not want this page read; `words` say which and why."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class RobotsMiddleware(RobotsTxtMiddleware):
    """Downloader middleware: asks each host for its robots.txt once, and obeys it."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._rules: dict[str, RobotParser | str] = {}  # a string says why everything is forbidden

    async def process_request(self, request: Request, spider: Any = None) -> None:
        if request.meta.get("dont_obey_robotstxt"):
            return
        rules = await self.rules_for(request)
        host = urlparse_cached(request).netloc
        if isinstance(rules, str):
            raise RobotsForbid(f"{shown(request.url)} is not asked: {rules}")
        if not rules.allowed(request.url, self._agent(request)):
            self._stats.inc_value("robotstxt/forbidden")
            raise RobotsForbid(f"robots.txt of {host} forbids {urlparse_cached(request).path[:120] or '/'}")

    async def rules_for(self, request: Request) -> RobotParser | str:
        """The rules of the request's host, asked for once; words where all is forbidden for want of them."""
        url = urlparse_cached(request)
        site = f"{url.scheme}://{url.netloc}"
        async with self._locks[site]:
            if site not in self._rules:
                self._rules[site] = await self._ask(site, request)
            return self._rules[site]

    async def _ask(self, site: str, request: Request) -> RobotParser | str:
        asking = Request(
            f"{site}/robots.txt",
            priority=self.DOWNLOAD_PRIORITY,
            meta={"dont_obey_robotstxt": True},
            callback=NO_CALLBACK,
        )
        self._stats.inc_value("robotstxt/request_count")
        try:
            response = await self.crawler.engine.download_async(asking)
        except CrawlEnded:
            raise
        except IgnoreRequest as refused:
            return getattr(refused, "words", "") or f"its robots.txt may not be asked: {error_words(refused)}"
        except Exception as error:
            return f"its robots.txt could not be had ({error_words(error)}), so all counts as forbidden"
        status = response.status
        self._stats.inc_value(f"robotstxt/response_status_count/{status}")
        if status >= 500 or status == 429:  # 429: "not now" is no permission
            return f"its robots.txt answers HTTP {status}, so all of the site counts as forbidden for now"
        body = response.body if 200 <= status < 300 else b""
        rules: RobotParser = build_from_crawler(self._parserimpl, self.crawler, body)
        self._slow_down(request, rules)
        return rules

    def _slow_down(self, request: Request, rules: RobotParser) -> None:
        try:
            delay = rules.crawl_delay(self._agent(request))
        except (ValueError, TypeError):
            return
        if delay is None or not delay > 0:  # NaN compares as False
            return
        downloader = self.crawler.engine.downloader
        key = urlparse_cached(request).hostname or ""
        delay = max(min(delay, CRAWL_DELAY_MAX), self.crawler.settings.getfloat("DOWNLOAD_DELAY"))
        # In the settings of slots to come too: Scrapy throws away a slot that was idle for a minute.
        downloader.per_slot_settings[key] = {"concurrency": 1, "delay": delay, "jitter": 0}
        slot = downloader.slots.get(key)
        if slot is not None:
            slot.delay, slot.jitter, slot.concurrency = delay, 0.0, 1

    def _agent(self, request: Request) -> str | bytes:
        agent: str | bytes | None = self._robotstxt_useragent or request.headers.get(b"User-Agent")
        return agent or self._default_useragent
