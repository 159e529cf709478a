"""The one door into the monitor: gathers what spiders yield into batches and hands them over, in order.

A batch is 200 items or half a second, whichever comes first; what is left goes at the end. The sink
(normally `monitor.ingest.ingest`) runs in a worker thread, one batch of a source at a time, so a busy store
slows its own source down and nobody else. A sink that refuses ends its source's run loudly, and no cursor
moves: what was lost is read again.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from scrapy.crawler import Crawler

from spiders.base import Sink, SourceSpider
from spiders.words import error_words
from storage.records import Mention, Removal, Tally

log = logging.getLogger(__name__)

BATCH = 200  # items
BATCH_WAIT = 0.5  # seconds
BACKLOG = 1_000  # items that may wait for the sink before the pages that bring more do


class IngestPipeline:
    """Item pipeline of every spider."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.sink: Sink | None = None
        self._waiting: deque[Mention | Removal] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._more = asyncio.Event()  # set when a batch is full, or nothing more will come
        self._room = asyncio.Event()
        self._room.set()
        self._closing = False
        self._broken = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> IngestPipeline:
        return cls(crawler)

    def open_spider(self) -> None:
        """Takes the sink the spider was given, or LOWSTAR_CONFIG's; without either, items pass through."""
        spider = self.crawler.spider
        if isinstance(spider, SourceSpider):
            self.sink = spider.sink or _configured_sink(spider)

    async def process_item(self, item: Any) -> Any:
        """Queue a mention or a removal; waits only while the store is far behind."""
        spider = self.crawler.spider
        if not isinstance(item, (Mention, Removal)):
            if isinstance(spider, SourceSpider):
                spider.health.failure(f"the spider yielded a {type(item).__name__}, which is no mention")
            return item
        if isinstance(spider, SourceSpider) and isinstance(item, Mention):
            if spider.full:
                spider.health.note(
                    f"a sample: its first {spider.source.max_items} mentions, as max_items says"
                )
                return item
            spider.health.saw(item)
        if self.sink is None or self._broken:
            return item
        self._waiting.append(item)
        if self._worker is None:
            self._worker = asyncio.ensure_future(self._work())
        if len(self._waiting) >= BATCH:
            self._more.set()
        if len(self._waiting) >= BACKLOG:
            self._room.clear()
            await self._room.wait()
        return item

    async def close_spider(self) -> None:
        """Hand over what is left."""
        self._closing = True
        self._more.set()
        if self._worker is not None:
            await self._worker

    async def _work(self) -> None:
        """Hands over batch after batch until there is nothing more to come."""
        while True:
            if not self._closing and len(self._waiting) < BATCH:
                self._more.clear()
                try:
                    await asyncio.wait_for(self._more.wait(), BATCH_WAIT)
                except TimeoutError:
                    if not self._waiting:
                        self._worker = None  # started again by the next item: nothing is awaited in between
                        return
            if not self._waiting:
                return
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            if len(self._waiting) < BACKLOG:
                self._room.set()
            if not await self._hand_over(batch):
                return

    async def _hand_over(self, batch: list[Mention | Removal]) -> bool:
        assert self.sink is not None  # noqa: S101  (nothing is queued without one)
        spider = self.crawler.spider
        try:
            tally = await asyncio.to_thread(self.sink, batch)
        except Exception as error:
            self._broken = True
            self._waiting.clear()
            self._room.set()
            words = f"what was found could not be stored: {error_words(error)}"
            log.warning("%s: %s", getattr(spider, "name", ""), words)
            if isinstance(spider, SourceSpider):
                spider.health.broke(words)
                spider.brake.pull()
            if not self._closing:
                # Not awaited: closing waits for this very worker.
                ending = self.crawler.engine.close_spider_async(reason="store")
                self._ending = asyncio.ensure_future(ending)
            return False
        if isinstance(spider, SourceSpider):
            spider.health.stored(tally)
        return True


def _configured_sink(spider: SourceSpider) -> Sink | None:
    """For `scrapy crawl`: judged and stored as LOWSTAR_CONFIG says, if it says anything."""
    if not os.environ.get("LOWSTAR_CONFIG"):
        return None
    # Loaded here only: `lowstar run` hands its sink over, and a plain crawl needs no store.
    from monitor.config import load_config
    from monitor.ingest import about, ingest
    from monitor.runner import desk_at
    from storage.store import open_store

    config = spider.config or load_config(None, os.environ)
    store = open_store(config.store_url)
    desk = desk_at(config, store)
    source = spider.source
    with store.reading() as ledger:
        first = not ledger.found_before(source.name, 1)

    def sink(items: Sequence[Mention | Removal]) -> Tally:
        announce = source.backfill == "alert" or not first
        return ingest(about(items, source.about), store, desk, datetime.now(UTC), announce=announce)

    return sink
