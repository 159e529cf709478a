"""Several sources in one process: each to its own end, none costing another, all stopping when asked."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from crawling import AT, Gathered, ListingSpider, crawled, page, source_of
from loopback import Answer, Site

from spiders.base import SourceSpider
from spiders.crawl import AT_ONCE, Progress
from storage.records import RunOutcome
from storage.store import Store, open_store

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'lowstar.db'}") as opened:
        yield opened


def test_runs_come_in_the_order_of_their_sources_and_are_written_down(store: Store) -> None:
    with Site({"/a": page(1), "/b": page(2, 3)}) as site:
        runs = crawled(source_of(site.url("/a"), name="a"), source_of(site.url("/b"), name="b"), store=store)
    assert [(run.source, run.found, run.outcome) for run in runs] == [
        ("a", 1, RunOutcome.OK),
        ("b", 2, RunOutcome.OK),
    ]
    with store.reading() as ledger:
        assert {name: run.found for name, run in ledger.last_runs().items()} == {"a": 1, "b": 2}


def test_one_source_that_falls_over_costs_no_other() -> None:
    class Fragile(ListingSpider):
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            if self.source.name == "bad":
                raise RuntimeError("no such thing")

        async def parse(self, response: Any, **more: Any) -> AsyncIterator[Any]:
            if self.source.name == "worse":
                raise RuntimeError("in the middle")
            async for thing in super().parse(response, **more):
                yield thing

    with Site({"/a": page(1), "/b": page(2), "/c": page(3)}) as site:
        bad, worse, good = crawled(
            source_of(site.url("/a"), name="bad"),
            source_of(site.url("/b"), name="worse"),
            source_of(site.url("/c"), name="good"),
            spider=Fragile,
        )
    assert bad.reason == "the crawl could not be run: RuntimeError: no such thing"
    assert worse.reason == "the spider fell over: RuntimeError: in the middle"
    assert bad.outcome is worse.outcome is RunOutcome.FAILED
    assert good.outcome is RunOutcome.OK


def test_a_source_that_is_slow_is_cut_at_its_deadline_with_what_it_had(store: Store) -> None:
    sink = Gathered()
    with Site({"/a": page(1, 2, next=["/slow"]), "/slow": Answer(page(3), wait=30)}) as site:
        began = time.monotonic()
        (run,) = crawled(source_of(site.url("/a"), deadline=timedelta(seconds=1)), sink=sink, store=store)
        took = time.monotonic() - began
    assert 0.9 < took < 3
    assert (run.outcome, run.found, sink.ids) == (RunOutcome.PARTIAL, 2, ["1", "2"])
    assert run.reason == "cut short: its deadline (0:00:01) has passed"


def test_a_spider_that_waits_in_start_is_cut_at_its_deadline() -> None:
    class Waiting(SourceSpider):
        name = "listing"

        async def start(self) -> AsyncIterator[Any]:
            self.health.page(found=0)
            await self.brake.wait(60)
            if False:
                yield

    began = time.monotonic()
    (run,) = crawled(source_of(deadline=timedelta(seconds=0.5)), spider=Waiting)
    assert time.monotonic() - began < 30  # cut, not waited out; a busy machine may be slow
    assert run.outcome is RunOutcome.PARTIAL


def test_two_sources_never_ask_one_host_together() -> None:
    busy, most, lock = [0], [0], threading.Lock()

    def counted(_: Any) -> str:
        with lock:
            busy[0] += 1
            most[0] = max(most[0], busy[0])
        time.sleep(0.05)
        with lock:
            busy[0] -= 1
        return page(1)

    with Site({"/a": counted}) as site:
        sources = [source_of(*(site.url(f"/a?{n}{k}") for k in range(3)), name=f"s{n}") for n in range(4)]
        runs = crawled(*sources)
    assert [run.found for run in runs] == [3] * 4
    assert most[0] == 1


def test_many_sources_run_at_once_but_not_too_many() -> None:
    going: set[str] = set()
    most = [0]

    def watch(progress: Progress) -> None:
        if progress.run is None:
            going.add(progress.source)
        else:
            going.discard(progress.source)
        most[0] = max(most[0], len(going))

    class Short(SourceSpider):
        name = "listing"

        async def start(self) -> AsyncIterator[Any]:
            self.health.page(found=1)
            await self.brake.wait(0.2)
            if False:
                yield

    sources = [source_of(f"http://host{n}.example/", name=f"s{n}") for n in range(20)]
    began = time.monotonic()
    runs = crawled(*sources, spider=Short, progress=watch)
    assert len(runs) == 20
    assert 2 <= most[0] <= AT_ONCE
    assert time.monotonic() - began < 3


def test_a_stop_ends_it_soon_and_what_was_gathered_is_stored() -> None:
    stop = threading.Event()
    sink = Gathered()
    pages: dict[str, Any] = {f"/{n}": page(n, next=[f"/{n + 1}"]) for n in range(500)}
    with Site({**pages, "/slow": Answer(page(1), wait=30)}) as site:
        asked_at: list[float] = []

        def watch(progress: Progress) -> None:
            if progress.pages > 3 and not asked_at:
                asked_at.append(time.monotonic())
                stop.set()

        runs = crawled(
            source_of(site.url("/0"), name="long"),
            source_of(site.url("/slow").replace("127.0.0.1", "localhost"), name="stuck"),
            source_of(site.url("/1"), name="never begun"),
            sink=sink,
            stop=stop,
            delay=0.05,
            allow=("127.0.0.1", "localhost"),
            progress=watch,
        )
        took = time.monotonic() - asked_at[0]
    assert took < 4
    assert [run.source for run in runs] == ["long", "stuck"]
    assert runs[0].outcome is RunOutcome.PARTIAL
    assert runs[0].found == len(sink.ids) > 3
    assert "asked to stop" in runs[1].reason


def test_a_source_that_found_plenty_and_finds_nothing_now_says_so(store: Store) -> None:
    with Site({"/a": page(1, 2, 3)}) as site:
        source = source_of(site.url("/a"))
        for hour in range(3):
            crawled(source, store=store, at=AT + timedelta(hours=hour))
        site.pages["/a"] = page()
        (run,) = crawled(source, store=store, at=AT + timedelta(hours=4))
    assert run.outcome is RunOutcome.FAILED
    assert "it shows nothing, and used to show about 3 a run" in run.reason


def test_a_store_that_cannot_be_asked_fails_the_run_and_says_so(store: Store) -> None:
    class Gone:
        def transaction(self) -> Any:
            raise OSError("the disk has gone")

    with Site({"/a": page(1)}) as site:
        (run,) = crawled(source_of(site.url("/a")), store=Gone())  # type: ignore[arg-type]
    assert run.outcome is RunOutcome.FAILED
    assert "the crawl could not be run: OSError: the disk has gone" in run.reason
    assert "how it ended could not be stored" in run.reason


SCRIPT = """
import json, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are born deaf to it
sys.path[:0] = [{root!r}, {tests!r}]
from crawling import Gathered, crawled, source_of
from spiders.base import SourceSpider
sink = Gathered()
runs = crawled(source_of({url!r}, name="long"), sink=sink, delay=0.05,
               progress=lambda progress: print("going", flush=True) if progress.pages else None)
print(json.dumps([runs[0].outcome, runs[0].reason, runs[0].found, len(sink.ids),
                  signal.getsignal(signal.SIGTERM) == signal.SIG_DFL]))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_within_ten_seconds_with_everything_stored(number: signal.Signals) -> None:
    pages = {f"/{n}": page(n, next=[f"/{n + 1}"]) for n in range(2_000)}
    with Site(pages) as site:
        script = SCRIPT.format(root=str(ROOT), tests=str(ROOT / "tests"), url=site.url("/0"))
        process = subprocess.Popen(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "going\n"
        began = time.monotonic()
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert time.monotonic() - began < 10
    outcome, reason, found, stored, put_back = json.loads(out.splitlines()[-1])
    assert outcome == "partial", err
    assert "asked to stop" in reason
    assert found == stored > 0
    assert put_back
    assert "Traceback" not in err
