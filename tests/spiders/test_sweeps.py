"""What is gone is removed after two full looks; what was missed is said; samples and backfills end where told."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from crawling import AT, Gathered, config_of, source_of
from loopback import Site
from scrapy.http import TextResponse

from monitor.config import Source
from spiders.base import PagedSpider
from spiders.crawl import StoreMemory, crawl
from spiders.page import Page
from storage.records import CrawlRun, DatePrecision, Mention, Removal, RunOutcome, Tally
from storage.store import Store, open_store


def dated(*days: int, next: str = "") -> str:
    """A page with a mention for each of these days before AT."""
    return json.dumps({"days": days, "next": next})


def read_days(response: TextResponse, source: Source, fetched_at: datetime) -> Page:
    held = json.loads(response.text)
    return Page(
        mentions=tuple(
            Mention(
                source=source.name,
                external_id=str(day),
                text=f"said {day} days ago",
                published_at=AT - timedelta(days=day),
                date_precision=DatePrecision.DAY,
            )
            for day in held["days"]
        ),
        next_urls=(response.urljoin(held["next"]),) if held["next"] else (),
    )


class DaysSpider(PagedSpider):
    name = "listing"
    reader = staticmethod(read_days)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'lowstar.db'}") as made:
        yield made


def crawled(
    source: Source, store: Store, at: datetime = AT, since: datetime | None = None
) -> tuple[CrawlRun, Gathered]:
    """Crawl it and keep what it holds, as `ingest` would."""
    seen = Gathered()

    def sink(items: Sequence[Mention | Removal]) -> Tally:
        with store.transaction() as ledger:
            ledger.write_mentions([one for one in items if isinstance(one, Mention)], at)
            ledger.remove([one for one in items if isinstance(one, Removal)], at)
        return seen(items)

    (run,) = crawl(
        config_of(source), [source], store=store, sink_for=lambda *_: sink, clock=lambda: at,
        spiders=lambda kind: DaysSpider, since=since,
    )  # fmt: skip
    return run, seen


def removed(seen: Gathered) -> list[str]:
    return [item.external_id for item in seen.items if isinstance(item, Removal)]


def complete(url: str, **more: Any) -> Source:
    return source_of(url, options={"complete": True}, **more)


def test_what_two_full_looks_do_not_show_is_removed(store: Store) -> None:
    with Site({"/a": dated(1, 2, 3, next="/b"), "/b": dated(4, 5)}) as site:
        source = complete(site.url("/a"))
        crawled(source, store)
        site.pages["/b"] = dated(5)
        week = AT + timedelta(days=8)
        _, first = crawled(source, store, week)
        assert removed(first) == []
        _, second = crawled(source, store, week + timedelta(hours=1))  # no week is waited for the second look
        assert removed(second) == ["4"]
        with store.reading() as ledger:
            assert ledger.kept_keys("shop") == {"1", "2", "3", "5"}
        _, third = crawled(source, store, week + timedelta(hours=2))
        assert removed(third) == []


def test_what_is_back_by_the_second_look_stays(store: Store) -> None:
    with Site({"/a": dated(1, 2, 3)}) as site:
        source = complete(site.url("/a"))
        crawled(source, store)
        site.pages["/a"] = dated(1, 2)
        crawled(source, store, AT + timedelta(days=8))
        site.pages["/a"] = dated(1, 2, 3)
        _, back = crawled(source, store, AT + timedelta(days=8, hours=1))
        site.pages["/a"] = dated(1, 2)
        _, gone = crawled(source, store, AT + timedelta(days=16))
        assert removed(back) == removed(gone) == []


def test_nothing_is_removed_after_a_failed_page_nor_where_most_is_missing_nor_unless_told(
    store: Store,
) -> None:
    with Site({"/a": dated(*range(1, 20), next="/b"), "/b": dated(*range(20, 40))}) as site:
        source = complete(site.url("/a"))
        crawled(source, store)
        del site.pages["/b"]
        for hour in range(3):
            _, seen = crawled(source, store, AT + timedelta(days=8, hours=hour))
            assert removed(seen) == []
        site.pages["/a"] = dated(1, 2)
        reasons = []
        for hour in range(3):
            run, seen = crawled(source, store, AT + timedelta(days=9, hours=hour))
            assert removed(seen) == []
            reasons.append(run.reason)
        assert "37 of 39 known mentions are on none of its pages: nothing was removed" in reasons[0]
        not_told = source_of(site.url("/a"), name="other")
        for day in (0, 8, 16):
            site.pages["/a"] = dated(1) if day else dated(1, 2)
            assert removed(crawled(not_told, store, AT + timedelta(days=day))[1]) == []


def test_a_listing_that_no_longer_reaches_back_is_a_gap(store: Store) -> None:
    with Site({"/a": dated(10, 11, 12, 13, 14)}) as site:
        source = source_of(site.url("/a"))
        assert crawled(source, store)[0].outcome is RunOutcome.OK
        site.pages["/a"] = dated(8, 9, 10, 11, 12)
        assert crawled(source, store, AT + timedelta(hours=1))[0].outcome is RunOutcome.OK
        site.pages["/a"] = dated(1, 2, 3, 4, 5)
        run, _ = crawled(source, store, AT + timedelta(hours=2))
        assert run.outcome is RunOutcome.PARTIAL
        assert "all 5 mentions it shows are newer than the newest of the last run" in run.reason
        with store.reading() as ledger:
            assert ledger.findings()["shop"].kind == "gap"
        assert crawled(source, store, AT + timedelta(hours=3))[0].outcome is RunOutcome.OK


def test_a_sample_takes_no_more_than_told_and_alarms_nobody(store: Store) -> None:
    with Site({"/a": dated(*range(1, 11), next="/b"), "/b": dated(*range(11, 21), next="/c")}) as site:
        source = source_of(site.url("/a"), max_items=15)
        run, seen = crawled(source, store)
        assert len(seen.ids) == 15
        assert run.outcome is RunOutcome.OK
        assert "its first 15 mentions, as max_items says" in run.reason
        assert "/c" not in site.paths()


def test_a_backfill_goes_back_as_far_as_asked_and_no_further(store: Store) -> None:
    pages = {f"/{n}": dated(*range(n * 10, n * 10 + 10), next=f"/{n + 1}") for n in range(10)}
    with Site(pages) as site:
        source = source_of(site.url("/0"), max_pages=2)
        crawled(source, store)
        far = source_of(site.url("/0"))
        _, seen = crawled(far, store, AT + timedelta(hours=1), since=AT - timedelta(days=35))
        assert "35" in seen.ids
        assert site.paths()[-1] == "/4"  # the first page that is older as a whole is the last


def test_young_names_are_known_for_a_second_look(store: Store) -> None:
    with Site({"/a": dated(1, 2, 3)}) as site:
        crawled(source_of(site.url("/a")), store)
    keys = StoreMemory(store).recent_keys("shop", AT - timedelta(hours=48))
    assert keys == [("shop", "1"), ("shop", "2")]
