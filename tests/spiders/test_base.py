"""A spider pages until seen, sweeps once a week, remembers only what was stored, and falls over nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from crawling import AT, Gathered, ListingSpider, crawled, mention, page, source_of
from loopback import Answer, Asked, Site
from scrapy.http import Response, TextResponse

from monitor.config import Source
from spiders.base import SourceSpider, as_text
from spiders.brake import Brake
from spiders.words import shown
from storage.records import Mention, Removal, RunOutcome, Tally
from storage.store import Store, open_store

PAGES = {
    "/1": page(1, 2, next=["/2"]),
    "/2": page(3, 4, next=["/3"]),
    "/3": page(5, 6, next=["/4"]),
    "/4": page(7),
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'lowstar.db'}") as opened:
        yield opened


def keeping(store: Store) -> Any:
    """A sink that keeps everything, as ingest does."""

    def sink(items: Sequence[Mention | Removal]) -> Tally:
        mentions = [item for item in items if isinstance(item, Mention)]
        with store.transaction() as ledger:
            known = ledger.known([one.key for one in mentions])
            fresh = [
                m for m in mentions if m.key not in known or known[m.key].content_hash != m.content_hash()
            ]
            ledger.write_mentions(fresh, AT)
        return Tally(found=len(mentions), new=len(fresh))

    return sink


def test_a_listing_is_followed_to_its_end_the_first_time(store: Store) -> None:
    with Site(PAGES) as site:
        (run,) = crawled(source_of(site.url("/1")), sink=keeping(store), store=store)
    assert site.paths() == ["/1", "/2", "/3", "/4"]
    assert (run.pages, run.found, run.new, run.first) == (4, 7, 7, True)


def test_the_next_time_it_stops_at_the_first_page_that_is_wholly_known(store: Store) -> None:
    with Site(PAGES) as site:
        source = source_of(site.url("/1"))
        crawled(source, sink=keeping(store), store=store)
        site.pages["/1"] = page(8, 1, next=["/2"])
        site.asked.clear()
        (run,) = crawled(source, sink=keeping(store), store=store, at=AT + timedelta(hours=1))
    assert site.paths() == ["/1", "/2"]
    assert run.new == 1
    assert not run.first


def test_an_edited_mention_on_the_first_page_is_not_taken_for_known(store: Store) -> None:
    with Site(PAGES) as site:
        source = source_of(site.url("/1"))
        crawled(source, sink=keeping(store), store=store)
        site.pages["/1"] = page(1, 2, next=["/2"], text="changed my mind")
        site.asked.clear()
        crawled(source, sink=keeping(store), store=store, at=AT + timedelta(hours=1))
    assert site.paths() == ["/1", "/2"]


def test_once_a_week_every_page_is_read_again(store: Store) -> None:
    with Site(PAGES) as site:
        source = source_of(site.url("/1"))
        for days in (0, 1, 7, 8):
            site.asked.clear()
            crawled(source, sink=keeping(store), store=store, at=AT + timedelta(days=days))
            assert len(site.paths()) == (4 if days in (0, 7) else 1)


def test_a_sweep_that_failed_half_way_is_done_again(store: Store) -> None:
    with Site({**PAGES, "/3": Answer("gone", 404)}) as site:
        source = source_of(site.url("/1"))
        crawled(source, sink=keeping(store), store=store)
        site.asked.clear()
        crawled(source, sink=keeping(store), store=store, at=AT + timedelta(hours=1))
    assert site.paths() == ["/1", "/2", "/3"]


def test_pages_about_a_brand_are_known_though_they_are_filed_as_about_it(store: Store) -> None:
    from monitor.ingest import about

    keep = keeping(store)
    with Site(PAGES) as site:
        source = source_of(site.url("/1"), about=("Acme",))
        for hours in (0, 1):
            site.asked.clear()
            crawled(
                source,
                sink=lambda items: keep(about(items, ("Acme",))),
                store=store,
                at=AT + timedelta(hours=hours),
            )
    assert site.paths() == ["/1"]


def test_max_pages_bounds_a_listing_and_says_so() -> None:
    with Site(PAGES) as site:
        (run,) = crawled(source_of(site.url("/1"), max_pages=2))
    assert site.paths() == ["/1", "/2"]
    assert run.outcome is RunOutcome.PARTIAL
    assert "stopped after 2 pages" in run.reason


def test_a_pager_that_leads_in_a_circle_ends() -> None:
    with Site({"/1": page(1, next=["/2", "/1"]), "/2": page(2, next=["/1", "/2"])}) as site:
        (run,) = crawled(source_of(site.url("/1")))
    assert site.paths() == ["/1", "/2"]
    assert run.outcome is RunOutcome.OK


def test_links_to_other_sites_are_not_followed_unless_named() -> None:
    with Site({"/x": page(9)}) as other, Site() as site:
        there = other.url("/x").replace("127.0.0.1", "localhost")
        site.pages["/1"] = page(1, next=[there, "javascript:alert(1)", "file:///etc/passwd", "//"])
        allow = ("127.0.0.1", "localhost")
        (run,) = crawled(source_of(site.url("/1")), allow=allow)
        assert (run.found, other.paths()) == (1, [])
        (run,) = crawled(source_of(site.url("/1"), options={"hosts": ["localhost"]}), allow=allow)
        assert (run.found, other.paths()) == (2, ["/x"])


def test_a_reader_that_falls_over_costs_its_page_and_no_other() -> None:
    sink = Gathered()
    with Site({"/1": page(1, next=["/bad", "/2"]), "/bad": "no json", "/2": page(2)}) as site:
        (run,) = crawled(source_of(site.url("/1")), sink=sink)
    assert sink.ids == ["1", "2"]
    assert (run.outcome, run.failed, run.pages) == (RunOutcome.PARTIAL, 1, 2)
    assert f"{site.url('/bad')} could not be read: JSONDecodeError" in run.reason


@pytest.mark.parametrize("body", ["[" * 100_000, "nan", '{"ids": 3}', "\x00\x01", ""])
def test_whatever_a_page_says_the_crawl_goes_on(body: str) -> None:
    with Site({"/1": body, "/2": page(2)}) as site:
        (run,) = crawled(source_of(site.url("/1"), site.url("/2")))
    assert run.found == 1


def test_an_image_is_named_as_no_text() -> None:
    png = Answer(b"\x89PNG\r\n\x1a\n" + bytes(100), headers={"Content-Type": "image/png"})
    with Site({"/1": png}) as site:
        (run,) = crawled(source_of(site.url("/1")))
    assert run.reason.endswith("could not be read: it is no text but image/png")


def test_what_a_page_says_about_itself_is_in_the_run() -> None:
    with Site({"/1": page(problems=["no dates"]), "/2": page(blind="a captcha")}) as site:
        (run,) = crawled(source_of(site.url("/1"), site.url("/2")))
    assert run.outcome is RunOutcome.FAILED
    assert run.reason == "a captcha; no dates"


def test_removals_averages_and_cursors_of_a_page_are_kept(store: Store) -> None:
    held = page(1, removed=[7], averages=[4.5], cursors={"seen": "2026-11-23"})
    sink = Gathered()
    with Site({"/1": held}) as site:
        crawled(source_of(site.url("/1")), sink=sink, store=store)
    assert Removal("shop", "7") in sink.items
    with store.reading() as ledger:
        assert ledger.cursor("shop", "seen") == "2026-11-23"


def test_no_cursor_moves_when_the_store_refuses(store: Store) -> None:
    def sink(items: Sequence[Mention | Removal]) -> Tally:
        raise OSError("disk full")

    with Site({"/1": page(1, cursors={"seen": "2026-11-23"})}) as site:
        crawled(source_of(site.url("/1")), sink=sink, store=store)
    with store.reading() as ledger:
        assert ledger.cursor("shop", "seen") is None


class Conditional(ListingSpider):
    conditional = True


def test_a_feed_is_asked_only_if_changed_and_a_304_is_nothing_new(store: Store) -> None:
    def feed(asked: Asked) -> Answer:
        if asked.headers.get("if-none-match") == '"v1"':
            return Answer("", 304)
        return Answer(page(1), headers={"ETag": '"v1"', "Last-Modified": "Mon, 23 Nov 2026 08:00:00 GMT"})

    with Site({"/feed": feed}) as site:
        source = source_of(site.url("/feed"))
        crawled(source, spider=Conditional, store=store)
        (run,) = crawled(source, spider=Conditional, store=store, at=AT + timedelta(hours=1))
        (swept,) = crawled(source, spider=Conditional, store=store, at=AT + timedelta(days=8))
    second = [asked for asked in site.asked if asked.path == "/feed"][1]
    assert second.headers["if-modified-since"] == "Mon, 23 Nov 2026 08:00:00 GMT"
    assert (run.outcome, run.pages, run.reason) == (RunOutcome.OK, 0, "")
    assert swept.pages == 1


def test_a_spider_whose_first_requests_fall_over_says_so() -> None:
    class Broken(ListingSpider):
        def first_requests(self) -> Any:
            raise KeyError("query")

    (run,) = crawled(source_of(), spider=Broken)
    assert run.outcome is RunOutcome.FAILED
    assert run.reason == "nothing could be asked: KeyError: 'query'"


def test_a_source_without_addresses_failed() -> None:
    (run,) = crawled(source_of())
    assert (run.outcome, run.reason) == (RunOutcome.FAILED, "not one page was read")


def test_a_spider_can_be_built_from_an_address_alone() -> None:
    spider = ListingSpider(url="https://shop.example/a https://shop.example/b", max_pages="3")
    assert spider.source == Source(
        name="shop.example",
        kind="listing",
        title="shop.example",
        urls=("https://shop.example/a", "https://shop.example/b"),
        max_pages=3,
    )
    assert asyncio.run(spider.known([mention("shop", 1)])) == set()
    assert spider.cursor("seen") is None
    spider.set_cursor("seen", "x")
    assert spider.cursor("seen") == "x"
    assert spider.new_cursors == {"seen": "x"}


def test_text_is_recognised_where_its_type_is_not_said() -> None:
    text = as_text(
        Response("https://shop.example/", body=json.dumps({"a": "é"}, ensure_ascii=False).encode())
    )
    assert isinstance(text, TextResponse)
    assert text.json() == {"a": "é"}
    for body in (b"", b"%PDF-1.7", b"a\x00b", b"PK\x03\x04"):
        assert as_text(Response("https://shop.example/", body=body)) is None


def test_an_address_is_shown_without_what_could_be_a_secret() -> None:
    assert shown("https://me:pw@shop.example/a?key=1#x") == "https://shop.example/a?…"
    assert shown("http://me:pw@[::1/") == "an address that is none"


def test_a_pulled_brake_wakes_the_loop_and_the_threads() -> None:
    async def scene() -> tuple[bool, bool, bool]:
        brake = Brake()
        early = await brake.wait(0.01)
        asyncio.get_running_loop().call_later(0.02, brake.pull)
        late, thread = await asyncio.gather(brake.wait(10), asyncio.to_thread(brake.wait_in_thread, 10))
        return early, late, thread

    assert asyncio.run(scene()) == (False, True, True)


def test_a_spider_without_a_parse_says_what_is_missing() -> None:
    class Bare(SourceSpider):
        name = "bare"

    with pytest.raises(NotImplementedError, match="Bare makes requests"):
        Bare(url="https://shop.example/").parse(Response("https://shop.example/"))
