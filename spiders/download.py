"""Downloads pages: waits at the host's gate, and lets go at once when the crawl has to end.

A graceful stop may take ten seconds, and a slow site may take thirty to answer.
"""

from __future__ import annotations

import asyncio

from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.http import Request, Response

from spiders.base import CrawlEnded, SourceSpider, shown
from spiders.retry import RetryMiddleware


class DownloadHandler(HTTP11DownloadHandler):
    """Scrapy's handler for http and https, with the spider's brake."""

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
        if gate is not None:
            await gate.wait_at_gate(request)
        return await super().download_request(request)
