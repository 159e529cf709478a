"""A crawl in this process against `loopback.Site`, with pages in a small language of their own."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from scrapy.http import TextResponse

from monitor.config import Config, Crawl, Source
from spiders.base import PagedSpider, Sink, SourceSpider
from spiders.crawl import Progress, crawl
from spiders.page import Page
from storage.records import CrawlRun, Mention, RatingSnapshot, Removal, Tally
from storage.store import Store

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)


def page(*ids: int, next: Sequence[str] = (), **more: Any) -> str:
    """A page holding mentions of these ids, and what `read_listing` knows more."""
    return json.dumps({"ids": ids, "next": list(next), **more})


def mention(source: str, number: int, text: str = "") -> Mention:
    return Mention(source=source, external_id=str(number), text=text or f"what {number} says")


def read_listing(response: TextResponse, source: Source, fetched_at: datetime) -> Page:
    """Reads a page made by `page`; anything else raises, as a careless reader would."""
    held = json.loads(response.text)
    return Page(
        mentions=tuple(mention(source.name, number, held.get("text", "")) for number in held["ids"]),
        next_urls=tuple(response.urljoin(url) for url in held["next"]),
        problems=tuple(held.get("problems", ())),
        removals=tuple(Removal(source.name, str(number)) for number in held.get("removed", ())),
        snapshots=tuple(
            RatingSnapshot(source.name, "shop", fetched_at, average, 7)
            for average in held.get("averages", ())
        ),
        blind=held.get("blind", ""),
        cursors=tuple((name, value) for name, value in held.get("cursors", {}).items()),
    )


class ListingSpider(PagedSpider):
    """Reads listings made by `page`."""

    name = "listing"
    reader = staticmethod(read_listing)


class Gathered:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.batches: list[list[Mention | Removal]] = []

    def __call__(self, items: Sequence[Mention | Removal]) -> Tally:
        self.batches.append(list(items))
        found = sum(isinstance(item, Mention) for item in items)
        return Tally(found=found, new=found)

    @property
    def items(self) -> list[Mention | Removal]:
        return [item for batch in self.batches for item in batch]

    @property
    def ids(self) -> list[str]:
        return sorted(item.external_id for item in self.items if isinstance(item, Mention))


def config_of(
    *sources: Source, delay: float = 0.0, allow: Sequence[str] = ("127.0.0.1",), robots: bool = True
) -> Config:
    manners = Crawl(delay=timedelta(seconds=delay), allow_hosts=tuple(allow), obey_robots=robots)
    return Config(path=Path("lowstar.toml"), brands=(), sources=sources, routes=(), crawl=manners)


def source_of(*urls: str, name: str = "shop", **more: Any) -> Source:
    return Source(name=name, kind="listing", urls=urls, **{"deadline": timedelta(seconds=20), **more})


def crawled(
    *sources: Source,
    sink: Sink | None = None,
    spider: type[SourceSpider] = ListingSpider,
    store: Store | None = None,
    at: datetime = AT,
    stop: threading.Event | None = None,
    progress: Callable[[Progress], None] | None = None,
    **manners: Any,
) -> list[CrawlRun]:
    """Crawl them as `lowstar run` would."""
    return crawl(
        config_of(*sources, **manners),
        sources,
        store=store,
        sink_for=lambda source, run: sink if sink is not None else Gathered(),
        clock=lambda: at,
        stop=stop,
        progress=progress,
        spiders=lambda kind: spider,
    )
