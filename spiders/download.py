"""Downloads pages over http and https; lets go of them at once when the crawl has to end.

A graceful stop may take ten seconds, and a slow site may take thirty to answer.
"""

from __future__ import annotations

import asyncio

from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Request, Response

from spiders.base import SourceSpider, shown


class CrawlEnded(IgnoreRequest):
    """The crawl had to end before the answer came."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class DownloadHandler(HTTP11DownloadHandler):
    """Scrapy's handler for http and https, with the spider's brake."""

    async def download_request(self, request: Request) -> Response:
        spider = self._crawler.spider
        if not isinstance(spider, SourceSpider):
            return await super().download_request(request)
        if not spider.brake.pulled:
            download = asyncio.ensure_future(super().download_request(request))
            release = spider.brake.on_pull(download.cancel)
            try:
                return await download
            except asyncio.CancelledError:
                if not spider.brake.pulled:
                    raise
            finally:
                release()
        raise CrawlEnded(f"{shown(request.url)} was let go: the crawl had to end")
