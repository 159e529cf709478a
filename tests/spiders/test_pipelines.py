"""What spiders yield reaches the sink: in batches, in order, all of it, and never half of a lie."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

from crawling import Gathered, ListingSpider, crawled, mention, page, source_of
from loopback import Site

from spiders.base import SourceSpider
from spiders.pipelines import BATCH
from storage.records import Mention, Removal, RunOutcome, Tally


class Yielding(SourceSpider):
    """Yields what it was told straight from start(), as the Reddit spider does."""

    name = "listing"
    things: Sequence[Any] = ()
    pause = 0.0

    async def start(self) -> AsyncIterator[Any]:
        for thing in self.things:
            self.health.page(found=1)
            yield thing
            if self.pause and await self.brake.wait(self.pause):
                return


def yielding(*things: Any, pause: float = 0.0) -> type[SourceSpider]:
    return type("Told", (Yielding,), {"things": things, "pause": pause})


def test_items_arrive_in_order_and_in_batches() -> None:
    sink = Gathered()
    crawled(
        source_of(),
        spider=yielding(*(mention("shop", number) for number in range(2 * BATCH + 50))),
        sink=sink,
    )
    assert [item.external_id for item in sink.items] == [str(number) for number in range(2 * BATCH + 50)]
    assert max(len(batch) for batch in sink.batches) <= BATCH
    assert len(sink.batches) <= 4


def test_a_slow_trickle_is_handed_over_after_half_a_second() -> None:
    times: list[float] = []

    def sink(items: Sequence[Mention | Removal]) -> Tally:
        times.append(time.monotonic())
        return Tally(found=len(items))

    began = time.monotonic()
    crawled(source_of(), spider=yielding(*(mention("shop", n) for n in range(4)), pause=0.3), sink=sink)
    assert times[0] - began < 0.9
    assert len(times) >= 2


def test_removals_are_handed_over_too() -> None:
    sink = Gathered()
    gone = Removal("shop", "9")
    crawled(source_of(), spider=yielding(mention("shop", 1), gone), sink=sink)
    assert sink.items == [mention("shop", 1), gone]


def test_the_sink_runs_in_a_thread_and_one_at_a_time() -> None:
    main = threading.get_ident()
    threads: set[int] = set()
    inside = threading.Lock()

    def sink(items: Sequence[Mention | Removal]) -> Tally:
        assert inside.acquire(blocking=False)
        threads.add(threading.get_ident())
        time.sleep(0.02)
        inside.release()
        return Tally(found=len(items))

    (run,) = crawled(source_of(), spider=yielding(*(mention("shop", n) for n in range(900))), sink=sink)
    assert run.outcome is RunOutcome.OK, run.reason
    assert main not in threads


def test_a_thing_that_is_no_mention_is_named_in_the_run() -> None:
    sink = Gathered()
    (run,) = crawled(source_of(), spider=yielding(mention("shop", 1), {"text": "a dict"}), sink=sink)
    assert sink.ids == ["1"]
    assert run.reason == "the spider yielded a dict, which is no mention"


def test_a_sink_that_refuses_ends_its_source_loudly_and_no_other() -> None:
    gathered = Gathered()

    def sink(items: Sequence[Mention | Removal]) -> Tally:
        if any(item.source == "bad" for item in items):
            raise OSError("disk full")
        return gathered(items)

    pages = {f"/{n}": page(n, next=[f"/{n + 1}"]) for n in range(30)}
    with Site(pages) as one, Site(pages) as two:
        bad, good = crawled(
            source_of(one.url("/0"), name="bad"),
            source_of(two.url("/0").replace("127.0.0.1", "localhost"), name="good"),
            sink=sink,
            delay=0.05,
            allow=("127.0.0.1", "localhost"),
        )
    assert bad.outcome is RunOutcome.FAILED
    assert bad.reason == "what was found could not be stored: OSError: disk full"
    assert len(one.paths()) < 30
    assert good.found == 30
    assert len(gathered.ids) == 30


def test_what_the_sink_counts_is_in_the_run() -> None:
    def sink(items: Sequence[Mention | Removal]) -> Tally:
        return Tally(found=len(items), new=1, changed=1, problems=("one was odd",))

    with Site({"/a": page(1, 2, 3)}) as site:
        (run,) = crawled(source_of(site.url("/a")), spider=ListingSpider, sink=sink)
    assert (run.found, run.new, run.changed, run.reason) == (3, 1, 1, "one was odd")


def test_a_busy_store_slows_its_source_down_instead_of_filling_the_memory() -> None:
    ahead: list[int] = []
    taken = [0]
    spiders: list[Any] = []

    class Many(ListingSpider):
        async def parse(self, response: Any, **_: Any) -> AsyncIterator[Any]:
            spiders.append(self)
            for number in range(4_000):
                yield mention("shop", number)
                ahead.append(number - taken[0])

    def sink(items: Sequence[Mention | Removal]) -> Tally:
        time.sleep(0.01)
        taken[0] += len(items)
        return Tally(found=len(items))

    with Site({"/a": page()}) as site:
        crawled(source_of(site.url("/a")), spider=Many, sink=sink)
    assert taken[0] == 4_000
    assert max(ahead) < 2_000
