"""Downloads pages: waits at the host's gate, and lets go at once when the crawl has to end.

A graceful stop may take ten seconds, and a slow site may take thirty to answer.
"""

from __future__ import annotations

import asyncio

from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.http import Request, Response
from scrapy.utils.httpobj import urlparse_cached

from spiders.base import SourceSpider
from spiders.brake import CrawlEnded
from spiders.retry import RetryMiddleware
from spiders.words import shown


class DownloadHandler(HTTP11DownloadHandler):
    """Scrapy's handler for http and https, with the spider's brake."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._at_once = max(1, crawler.settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN"))
        self._turns: dict[str, asyncio.Semaphore] = {}

    async def download_request(self, request: Request) -> Response:
        spider = self._crawler.spider
        if not isinstance(spider, SourceSpider):
            return await super().download_request(request)
        if not spider.brake.pulled:
            download = asyncio.ensure_future(self._download(request))
            release = spider.brake.on_pull(download.cancel)
            try:
                return await download
            except asyncio.CancelledError:
                if not spider.brake.pulled:
                    raise
            finally:
                release()
        raise CrawlEnded(f"{shown(request.url)} was let go: the crawl had to end")

    async def _download(self, request: Request) -> Response:
        gate = self._crawler.get_downloader_middleware(RetryMiddleware)
        host = urlparse_cached(request).netloc
        if host not in self._turns:
            self._turns[host] = asyncio.Semaphore(self._at_once)
        # Scrapy 2.19 counts a request only once its task runs: without a delay, everything queued in the same
        # tick would start together, whatever the limit a domain.
        async with self._turns[host]:
            if gate is not None:
                await gate.wait_at_gate(request)
            return await super().download_request(request)
