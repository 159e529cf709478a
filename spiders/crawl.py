"""Crawl several sources in one process: each with its own deadline, none costing another.

    sources | one host at a time, eight sources at once | spider | pipeline | sink

Runs Scrapy on an asyncio event loop that is left standing, so it may be called again in the same process.
What a crawl amounts to is written down at its end in one transaction: how it went, how far the source has
been read, the averages it showed. Cursors move only when everything before them has been stored.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import importlib
import logging
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.settings import Settings
from scrapy.spiderloader import get_spider_loader
from scrapy.utils.reactor import install_reactor, is_reactor_installed

from monitor.baseline import judge_run
from monitor.config import Config, Source
from spiders import settings as polite
from spiders.addresses import PublicNamesOnly
from spiders.base import Sink, SourceSpider
from spiders.health import REASON_KEPT, Health
from spiders.words import error_words
from storage.records import CrawlRun, Finding, RunOutcome, RunStats, Stored, clean_line

if TYPE_CHECKING:
    from storage.store import Store

log = logging.getLogger(__name__)

AT_ONCE = 8  # sources crawled at the same time
GRACE = 7.0  # seconds a crawl that must end has for handing over what it gathered; a stop takes ten at most
LOOK = 0.2  # seconds between two looks at `stop`
HISTORY = 20  # earlier runs that say what is usual

_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"


@dataclass(frozen=True, slots=True)
class Progress:
    """How a source is doing, for a person who watches."""

    source: str
    pages: int
    found: int
    new: int
    run: CrawlRun | None = None  # how it ended; None while it goes on


class StoreMemory:
    """The store as spiders may ask it; see `spiders.base.Memory`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def cursor(self, source: str, name: str) -> str | None:
        """How far the source has been read, as remembered under `name`; None if it never was."""
        with self._store.reading() as ledger:
            return ledger.cursor(source, name)

    def stored(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Stored]:
        """What is known of these mentions, by key."""
        with self._store.reading() as ledger:
            return dict(ledger.known(keys))

    def recent_keys(self, source: str, since: datetime) -> list[tuple[str, str]]:
        """The names of what `source` said since, newest first, removed ones left out."""
        with self._store.reading() as ledger:
            return ledger.recent_keys(source, since)

    def kept_keys(self, source: str) -> set[str]:
        """The external ids of all that is kept of `source`, removed ones left out."""
        with self._store.reading() as ledger:
            return ledger.kept_keys(source)


def crawl(
    config: Config,
    sources: Sequence[Source],
    *,
    store: Store | None,
    sink_for: Callable[[Source, CrawlRun], Sink | None],
    clock: Callable[[], datetime],
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    spiders: Callable[[str], type[SourceSpider]] | None = None,
    since: datetime | None = None,
) -> list[CrawlRun]:
    """Crawl `sources` and answer how each went, in the order given; one not begun before a stop is left out.

    Call it in the main thread. Setting `stop`, SIGTERM or SIGINT end it within ten seconds, with what was
    gathered stored; signals are listened to only where nobody else does, and set `stop` for the caller.
    `spiders` finds the spider of a kind, `spider_for` unless given. `since` reads each source back to there.
    Raises nothing for what a source does; a source that fails says so in its CrawlRun.
    """
    stop = stop if stop is not None else threading.Event()
    made = Settings()
    made.setmodule(polite, priority="project")
    made.setdict(polite.settings_for(config.crawl), priority="cmdline")
    loop = _event_loop(made)
    house = _House(config, made, store, sink_for, clock, progress, stop, spiders or spider_for, since)
    with _listening_to_signals(stop):
        return loop.run_until_complete(house.run(sources))


def spider_for(kind: str) -> type[SourceSpider]:
    """The spider whose name is `kind`; LookupError if there is none.

    Looked for in the module named like it first: loading all of them would bring in libraries nobody uses.
    """
    for module in (f"spiders.{kind}", f"spiders.{kind}s", f"spiders.presets.{kind}"):
        if not kind.isidentifier():
            break
        try:
            found = importlib.import_module(module)
        except ModuleNotFoundError as missing:
            if missing.name != module:
                raise
            continue
        for thing in vars(found).values():
            if isinstance(thing, type) and issubclass(thing, SourceSpider) and thing.name == kind:
                return thing
    made = Settings()
    made.setmodule(polite, priority="project")
    try:
        spider = get_spider_loader(made).load(kind)
    except KeyError:
        raise LookupError(f"there is no spider for the kind {kind!r}") from None
    if not issubclass(spider, SourceSpider):
        raise LookupError(f"the spider {kind!r} listens to no source")  # noqa: TRY004  (no wrong argument)
    return spider


class _House:
    """One call of `crawl`."""

    def __init__(
        self,
        config: Config,
        made: Settings,
        store: Store | None,
        sink_for: Callable[[Source, CrawlRun], Sink | None],
        clock: Callable[[], datetime],
        progress: Callable[[Progress], None] | None,
        stop: threading.Event,
        spiders: Callable[[str], type[SourceSpider]],
        since: datetime | None,
    ) -> None:
        self.config, self.made, self.store, self.sink_for = config, made, store, sink_for
        self.clock, self.progress, self.stop, self.spider_for = clock, progress, stop, spiders
        self.since = since
        self.stopped = asyncio.Event()

    async def run(self, sources: Sequence[Source]) -> list[CrawlRun]:
        """All sources, at most eight at once, never two that ask the same host."""
        waiting = list(sources)
        going: dict[asyncio.Task[CrawlRun], frozenset[str]] = {}
        ended: dict[str, CrawlRun] = {}
        watch = asyncio.ensure_future(self._watch())
        try:
            while waiting or going:
                if self.stopped.is_set():
                    waiting.clear()
                busy = frozenset[str]().union(*going.values())
                for source in list(waiting):
                    hosts = _hosts(source)
                    if len(going) < AT_ONCE and not hosts & busy:
                        waiting.remove(source)
                        going[asyncio.ensure_future(self.one(source))] = hosts
                        busy |= hosts
                if not going:
                    break
                done, _ = await asyncio.wait(going, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    del going[task]
                    run = task.result()
                    ended[run.source] = run
        finally:
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch
        return [ended[source.name] for source in sources if source.name in ended]

    async def one(self, source: Source) -> CrawlRun:
        """One source from beginning to end. Whatever happens in it ends up in its run."""
        started = self.clock()
        run = CrawlRun(source=source.name, started_at=started)
        health = Health()
        spider: SourceSpider | None = None
        history: list[CrawlRun] = []
        met: list[RunStats] = []
        try:
            run, history, met = await asyncio.to_thread(self._begin, source, started)
            self._tell(source, health)
            sink = self.sink_for(source, run)
            spider = await self._crawl(source, run, health, started, sink)
            if spider is not None and sink is not None and self.store is not None and not health.fatal:
                await asyncio.to_thread(_remove_missing, spider, StoreMemory(self.store), sink)
        except Exception as error:
            log.debug("%s fell over", source.name, exc_info=True)
            health.broke(f"the crawl could not be run: {error_words(error)}")
        health.found = max(health.found, health.tally.found)
        outcome, reason = health.outcome(history)
        stats = health.stats(started, outcome, windowed=spider is not None and spider.windowed)
        finding: Finding | None = None
        if not health.fatal and outcome is not RunOutcome.OFF and not self.stopped.is_set():
            finding = judge_run(
                stats,
                met,
                started,
                blind=health.blind,
                problems=health.problems,
                gap=health.gap,
                place_of=spider.place_of if spider is not None else lambda field: "",
            )
        if finding is not None:
            outcome, reason = with_finding(finding, outcome, reason)
            # What was seen with one eye is nothing to compare with; a gap is, for its pages were read.
            stats = replace(stats, worked=stats.worked and finding.kind == "gap")
        run = replace(
            run,
            ended_at=self.clock(),
            outcome=outcome,
            found=health.found,
            new=health.tally.new,
            changed=health.tally.changed,
            failed=health.failed,
            pages=health.pages,
            reason=reason,
        )
        try:
            await asyncio.to_thread(self._end, run, None if health.fatal else spider, stats, finding)
        except Exception as error:
            words = f"how it ended could not be stored: {error_words(error)}"
            log.warning("%s: %s", source.name, words)
            reason = "; ".join(filter(None, (reason, words)))
            run = replace(run, outcome=RunOutcome.FAILED, reason=reason)
        self._tell(source, health, run)
        return run

    async def _crawl(
        self, source: Source, run: CrawlRun, health: Health, started: datetime, sink: Sink | None
    ) -> SourceSpider | None:
        crawler = Crawler(self.spider_for(source.kind), self.made)

        def fell_over(failure: Any, response: Any = None, spider: Any = None) -> None:
            health.failure(f"the spider fell over: {error_words(failure.value)}")

        crawler.signals.connect(fell_over, signal=signals.spider_error)
        going = asyncio.ensure_future(
            crawler.crawl_async(
                source=source,
                store=StoreMemory(self.store) if self.store is not None else None,
                fetched_at=started,
                first=run.first,
                health=health,
                sink=sink,
                config=self.config,
                since=self.since,
            )
        )
        await self._until_done_or_due(going, source, health)
        if not going.done():
            words = (
                "it was asked to stop"
                if self.stopped.is_set()
                else f"its deadline ({source.deadline}) has passed"
            )
            health.limit(f"cut short: {words}")
            await self._end_crawl(crawler, going, health)
        if going.cancelled():
            health.broke("the crawl had to end and did not let go in time")
        elif (error := going.exception()) is not None:
            raise error
        spider = crawler.spider
        return spider if isinstance(spider, SourceSpider) else None

    async def _until_done_or_due(self, going: asyncio.Task[None], source: Source, health: Health) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + source.deadline.total_seconds()
        told = -1
        stopped = asyncio.ensure_future(self.stopped.wait())
        try:
            while not going.done() and not self.stopped.is_set() and (left := due - loop.time()) > 0:
                await asyncio.wait(
                    (going, stopped), timeout=min(left, 1.0), return_when=asyncio.FIRST_COMPLETED
                )
                if health.pages != told:
                    told = health.pages
                    self._tell(source, health)
        finally:
            stopped.cancel()

    async def _end_crawl(self, crawler: Crawler, going: asyncio.Task[None], health: Health) -> None:
        spider = crawler.spider
        if isinstance(spider, SourceSpider):
            spider.brake.pull()
        ending: asyncio.Task[None] | None = None
        with contextlib.suppress(RuntimeError):  # it has no engine yet
            if crawler.engine.running:
                _let_queued_go(crawler)
                ending = asyncio.ensure_future(crawler.stop_async())
        await asyncio.wait((going,), timeout=GRACE)
        if not going.done():
            going.cancel()
            await asyncio.wait((going,), timeout=1.0)
        if ending is not None:
            if not ending.done():
                ending.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await ending

    def _begin(self, source: Source, now: datetime) -> tuple[CrawlRun, list[CrawlRun], list[RunStats]]:
        if self.store is None:
            return CrawlRun(source=source.name, started_at=now), [], []
        with self.store.transaction() as ledger:
            history = [one for one in ledger.runs(source.name, HISTORY) if one.ended_at is not None]
            met = ledger.stats_before(source.name, now)
            return ledger.begin_run(source.name, now), history, met

    def _end(
        self, run: CrawlRun, spider: SourceSpider | None, stats: RunStats, finding: Finding | None
    ) -> None:
        if self.store is None:
            return
        with self.store.transaction() as ledger:
            if spider is not None:
                for name, value in spider.new_cursors.items():
                    ledger.set_cursor(run.source, name, value, run.ended_at or run.started_at)
                ledger.add_snapshots(spider.snapshots)
            ledger.end_run(run)
            if run.id:
                ledger.write_stats(run, stats, finding)

    def _tell(self, source: Source, health: Health, run: CrawlRun | None = None) -> None:
        if self.progress is not None:
            found = max(health.found, health.tally.found)
            self.progress(Progress(source.name, health.pages, found, health.tally.new, run))

    async def _watch(self) -> None:
        while not self.stop.is_set():  # noqa: ASYNC110  (set by a signal handler or another thread)
            await asyncio.sleep(LOOK)
        self.stopped.set()


def with_finding(finding: Finding, outcome: RunOutcome, reason: str) -> tuple[RunOutcome, str]:
    """What a run amounts to that turned out to be blind: its words come first."""
    sees_something = finding.kind in ("field", "gap")
    rest = [words for words in reason.split("; ") if words not in finding.words]
    if outcome is RunOutcome.EMPTY:
        rest = []  # "found nothing" is said better by now
    worse = RunOutcome.PARTIAL if sees_something and outcome is not RunOutcome.FAILED else RunOutcome.FAILED
    return worse, clean_line("; ".join([finding.words, *rest]), REASON_KEPT)


def _remove_missing(spider: SourceSpider, shelf: StoreMemory, sink: Sink) -> None:
    """Hand on what has turned out to be deleted; as all else, in one transaction a batch."""
    try:
        gone = spider.missing(shelf)
        if gone:
            spider.health.stored(sink(gone))
    except Exception as error:
        spider.health.broke(f"what is gone could not be removed: {error_words(error)}")


def _let_queued_go(crawler: Crawler) -> None:
    """Hand what waits for its turn to the handler, which lets go of it: Scrapy would sit out every delay."""
    downloader = crawler.engine.downloader
    for slot in downloader.slots.values():
        slot.delay = 0.0
        slot.close()  # its timer
        downloader._process_queue(slot)


def _hosts(source: Source) -> frozenset[str]:
    """Whom a source asks, so that two never hurry one host together; its kind where that names the host."""
    hosts: set[str] = set()
    for url in source.urls:
        with contextlib.suppress(ValueError):
            hosts.add((urlsplit(url).hostname or "").rstrip("."))
    return frozenset(filter(None, hosts)) or frozenset({f"kind {source.kind}"})


def _event_loop(made: Settings) -> asyncio.AbstractEventLoop:
    """The event loop of Twisted's reactor, both made at the first call and left standing after it.

    `reactor.run()` works once in a process and takes the signal handlers: the loop is run by itself instead.
    """
    if not is_reactor_installed():
        install_reactor(_REACTOR)
    from twisted.internet import reactor as installed

    reactor: Any = installed
    loop: asyncio.AbstractEventLoop = reactor._asyncioEventloop
    asyncio.set_event_loop(loop)
    if not reactor.running:
        reactor.startRunning(installSignalHandlers=False)
        atexit.register(loop.close)
    resolver = PublicNamesOnly.from_crawler(_Holder(made), reactor)
    resolver.install_on_reactor()
    return loop


@dataclass(frozen=True)
class _Holder:
    settings: Settings


@contextlib.contextmanager
def _listening_to_signals(stop: threading.Event) -> Iterator[None]:
    """SIGTERM and SIGINT set `stop`, where nobody else asked for them; put back as they were at the end."""
    usual = {signal.SIGTERM: signal.SIG_DFL, signal.SIGINT: signal.default_int_handler}
    before: dict[signal.Signals, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for number, handler in usual.items():
            if signal.getsignal(number) == handler:
                before[number] = signal.signal(number, lambda *_: stop.set())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
