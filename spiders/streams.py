"""What is being said right now? Streams that tell it as it happens, under `lowstar listen`; one `Listener` a source.

    lines (a thread each) | queue, bounded | one taker a source | ingest, as every crawl

A line is one connection: it yields what it hears until it breaks, and is opened again after a pause that grows.
Nothing depends on a stream alone: `lowstar run` crawls the same source by its API and catches up what was not
heard. Where a stream can be asked for what was missed (Jetstream), its mark is kept in the store and only moves
when all before it has been stored.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from monitor.config import Config, Source
from monitor.config_named import STRETCH, stream_name
from monitor.ingest import Desk, ingest
from monitor.runner import desk_at
from spiders.stream_line import Event, Line, Pause, StreamBroken
from spiders.stretch import Stretch
from spiders.words import error_words
from storage.errors import StoreError
from storage.records import Mention, Removal, Tally
from storage.store import Store

log = logging.getLogger(__name__)

BATCH, BATCH_WAIT = 200, 0.5  # items, seconds: as in a crawl (`spiders.pipelines`)
LATER_WAIT = 5.0  # seconds deletions of what may not be ours wait for company
BACKLOG = 1_000  # events that may wait for the store before the line does …
BACKLOG_CHARACTERS = 8_000_000  # … and what they may say altogether
MARK_EVERY = 5.0  # seconds between two writings of how far a stream has been heard
STEADY = 60.0  # a line that held so long begins with a short pause again
BRIEF = 10.0  # one that held for less was no line at all: its end is a failure, of others it is a note
REFRESH = timedelta(minutes=10)  # how often the customers' table and what was learned are read anew
TICK = 2.0
LAST_TRIES = 4.0  # seconds a batch in hand is tried on when all ends
SILENCE = (
    "nothing was heard, where at this time of the week something is: look whether the service is in order"
)


class Listener:
    """Listens to one source until it is told to stop."""

    def __init__(
        self,
        source: Source,
        config: Config,
        store: Store,
        clock: Callable[[], datetime],
        lines: Sequence[Line],
        *,
        cursor: str = "",
        finish: Callable[[Sequence[Mention]], list[Mention]] = list,
        news: Callable[[], None] = lambda: None,
    ) -> None:
        """`cursor` is the name its mark is kept under; `finish` completes what was heard before it is judged."""
        self.source, self._config, self._store, self._clock = source, config, store, clock
        self._lines, self._cursor, self._finish, self._news = lines, cursor, finish, news
        self._queue: queue.Queue[Event] = queue.Queue(BACKLOG)
        self._waiting = 0  # characters in the queue
        self._weighing = threading.Lock()
        self._stop = threading.Event()
        self._stretch = Stretch(store, stream_name(source.name), clock, STRETCH, silence=SILENCE)
        self._standing: set[int] = set()  # lines that are connected
        self._threads: list[threading.Thread] = []
        self._stored_mark = 0
        self._desk: Desk | None = None
        self._desk_at = clock()
        self._authors: set[str] | None = None  # of what is kept; None: to be read
        self._authors_at = clock()

    def start(self) -> None:
        """Begin; nothing is waited for."""
        works: list[Callable[[], None]] = [self._take, self._keep]
        works += [lambda at=at: self._listen(at) for at in range(len(self._lines))]  # type: ignore[misc]
        for work in works:
            thread = threading.Thread(target=work, name=f"stream {self.source.name}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Tell it to end; `join` waits for that."""
        self._stop.set()
        for line in self._lines:
            line.cut()

    def join(self, until: float) -> None:
        """Wait for its end, at most until then (`time.monotonic`), and write down how it was."""
        for thread in self._threads:
            thread.join(max(0.1, until - time.monotonic()))
        self._stretch.close()

    # -- lines -----------------------------------------------------------------------------------------------

    def _listen(self, at: int) -> None:
        line, pause = self._lines[at], Pause()
        told = _Told(self, at)
        if self._cursor:
            self._stored_mark = self._read_mark()
        while not self._stop.is_set():
            begun, wait, told.stood = time.monotonic(), 0.0, False
            try:
                for event in line.events(told, self._stored_mark):
                    if not self._put(event):
                        return
            except StreamBroken as broken:
                words, wait = str(broken), broken.wait
            except Exception as error:  # the door: whatever a stranger sent, the other streams go on
                log.exception("the stream %s fell over", self.source.name)
                words = f"the stream fell over: {error_words(error)}"
            else:
                words = "the stream was closed by the other side"
            finally:
                self._standing.discard(at)
                line.cut()
            if self._stop.is_set():
                return
            held = time.monotonic() - begun if told.stood else 0.0
            if held > STEADY:
                pause = Pause()
            words = f"{line.name}: {words}" if line.name else words
            with self._stretch.telling() as health:
                # Networks break off now and then. What is made again at once says nothing of the source.
                health.note(words) if held > BRIEF else health.failure(words)
            self._stop.wait(pause.next(wait))

    def _put(self, event: Event) -> bool:
        while not self._stop.is_set():
            if self._waiting > BACKLOG_CHARACTERS:
                self._stop.wait(0.05)
                continue
            try:
                self._queue.put(event, timeout=0.5)
            except queue.Full:
                continue
            self._weigh(event, 1)
            return True
        return False

    def _weigh(self, event: Event, sign: int) -> None:
        if isinstance(event.thing, Mention):
            with self._weighing:
                self._waiting += sign * (len(event.thing.text) + len(event.thing.title))

    def _read_mark(self) -> int:
        while not self._stop.is_set():
            try:
                with self._store.reading() as ledger:
                    kept = ledger.cursor(self.source.name, self._cursor) or ""
            except StoreError as error:
                log.warning("stream %s: %s", self.source.name, error_words(error))
                self._stop.wait(5.0)
            else:
                return int(kept) if kept.isdigit() and len(kept) < 20 else 0
        return 0

    # -- what was heard --------------------------------------------------------------------------------------

    def _take(self) -> None:
        """Gathers events and stores them, until there is nothing more to come."""
        while True:
            batch = self._gathered()
            if batch and not self._stored(batch):
                return
            if not batch and self._stop.is_set():
                return

    def _gathered(self) -> list[Event]:
        batch: list[Event] = []
        begun = 0.0
        urgent = False
        while len(batch) < BATCH:
            within = BATCH_WAIT if urgent or not batch else LATER_WAIT
            wait = within if not batch else begun + within - time.monotonic()
            if wait <= 0 or (batch and self._stop.is_set() and self._queue.empty()):
                break
            try:
                event = self._queue.get(timeout=min(wait, BATCH_WAIT))
            except queue.Empty:
                if batch:
                    continue
                break
            self._weigh(event, -1)
            if not batch:
                begun = time.monotonic()
            batch.append(event)
            urgent = urgent or (isinstance(event.thing, Mention) and not event.only_known)
        return batch

    def _stored(self, batch: Sequence[Event]) -> bool:
        """Store a batch, however often that takes; False where all ends before it could be."""
        give_up = 0.0
        pause = Pause()
        while True:
            try:
                self._store_once(batch)
            except StoreError as error:
                with self._stretch.telling() as health:
                    health.problem(f"what was heard could not be stored yet: {error_words(error)}")
            except Exception as error:  # one batch that cannot be judged must not stop the stream
                log.exception("a batch of the stream %s could not be taken", self.source.name)
                with self._stretch.telling() as health:
                    health.failure(f"what was heard could not be taken: {error_words(error)}")
                return True
            else:
                return True
            if self._stop.is_set():
                give_up = give_up or time.monotonic() + LAST_TRIES
                if time.monotonic() > give_up:
                    return False  # the mark has not moved: it is heard again
                time.sleep(0.2)
            else:
                self._stop.wait(min(30.0, pause.next()))

    def _store_once(self, batch: Sequence[Event]) -> None:
        things = self._last_words(batch)
        things += self._of_gone_authors([event.gone_author for event in batch if event.gone_author])
        mentions = self._finish([one for one in things if isinstance(one, Mention)])
        now = self._clock()
        tally = Tally()
        if things:
            removals = [one for one in things if isinstance(one, Removal)]
            tally = ingest([*mentions, *removals], self._store, self._desk_now(now), now, announce=True)
            if self._authors is not None:
                self._authors.update(_author(mention.external_id) for mention in mentions)
        mark = max((event.mark for event in batch), default=0)
        if mark > self._stored_mark and self._cursor:
            with self._store.transaction() as ledger:
                ledger.set_cursor(self.source.name, self._cursor, str(mark), now)
            self._stored_mark = mark
        if mentions or tally.removed:
            with self._stretch.telling() as health:
                health.page(found=len(mentions))
                for mention in mentions:
                    health.saw(mention)
                health.stored(tally)
        if tally.flagged or tally.changed or tally.removed or tally.recovered:
            self._news()

    def _last_words(self, batch: Sequence[Event]) -> list[Mention | Removal]:
        """What is left of a batch: of each post the last that was said of it, if it is ours at all.

        A post that was deleted a moment later is never seen: nobody is alerted to what is gone.
        """
        last: dict[tuple[str, str], Mention | Removal] = {}
        wanted: set[tuple[str, str]] = set()
        for event in batch:
            if event.thing is not None:
                last[event.thing.key] = event.thing
                if not event.only_known:
                    wanted.add(event.thing.key)
        asked = [key for key, thing in last.items() if key not in wanted or isinstance(thing, Removal)]
        known: set[tuple[str, str]] = set()
        if asked:
            with self._store.reading() as ledger:
                known = set(ledger.known(asked))
        return [
            thing
            for key, thing in last.items()
            if key in known or (key in wanted and isinstance(thing, Mention))
        ]

    def _of_gone_authors(self, authors: Sequence[str]) -> list[Removal]:
        if not authors:
            return []
        name = self.source.name
        with self._store.reading() as ledger:
            # What `lowstar run` found meanwhile has authors, too.
            if self._authors is None or abs(self._clock() - self._authors_at) > REFRESH:
                self._authors_at = self._clock()
                self._authors = {_author(key) for key in ledger.kept_keys(name)}
            gone = set(authors) & self._authors
            if not gone:
                return []
            kept = ledger.kept_keys(name)
        return [Removal(name, key, "its author is gone") for key in sorted(kept) if _author(key) in gone]

    def _desk_now(self, now: datetime) -> Desk:
        if self._desk is None or abs(now - self._desk_at) > REFRESH:
            self._desk, self._desk_at = desk_at(self._config, self._store), now
        return self._desk

    # -- health ----------------------------------------------------------------------------------------------

    def _keep(self) -> None:
        while True:
            self._tick()
            if self._stop.wait(TICK):
                return

    def _tick(self) -> None:
        if self._standing:
            with self._stretch.telling() as health:
                if not health.unchanged:
                    health.nothing_new()  # it stands: silence is an answer
        try:
            self._stretch.tick()
        except StoreError as error:
            log.warning("stream %s: %s", self.source.name, error_words(error))


@dataclass(slots=True)
class _Told:
    """What one line tells, to its listener."""

    listener: Listener
    at: int
    heard_at: datetime | None = field(default=None)
    stood: bool = field(default=False)  # in this try

    def connected(self) -> None:
        self.stood = True
        listener = self.listener
        now = listener._clock()
        listener._standing.add(self.at)
        with listener._stretch.telling() as health:
            health.nothing_new()
            if self.heard_at is not None and not listener._cursor:
                away = int((now - self.heard_at).total_seconds())
                if away > 2:
                    health.note(
                        f"nothing was heard for {away} s: the next lowstar run reads what was said meanwhile"
                    )
        self.heard_at = now

    def alive(self) -> None:
        self.heard_at = self.listener._clock()

    def garbage(self, words: str) -> None:
        with self.listener._stretch.telling() as health:
            health.problem(words)

    def missed(self, words: str) -> None:
        with self.listener._stretch.telling() as health:
            health.missed(words)

    @property
    def stopping(self) -> bool:
        return self.listener._stop.is_set()


class Streams:
    """All streams of a configuration."""

    def __init__(
        self,
        config: Config,
        store: Store,
        clock: Callable[[], datetime],
        news: Callable[[], None] = lambda: None,
    ) -> None:
        from spiders.stream_bluesky import bluesky_listener
        from spiders.stream_mastodon import mastodon_listener

        makers = {"mastodon": mastodon_listener, "bluesky": bluesky_listener}
        self.listeners = [
            makers[source.kind](source, config, store, clock, news)
            for source in config.sources
            if source.options.get("stream") and source.kind in makers
        ]

    def start(self) -> None:
        """Begin to listen to all of them."""
        for listener in self.listeners:
            listener.start()

    def stop(self, within: float = 7.0) -> None:
        """End; what was heard is stored if that takes no longer than `within` seconds."""
        until = time.monotonic() + within
        for listener in self.listeners:
            listener.stop()
        for listener in self.listeners:
            listener.join(until)


def _author(key: str) -> str:
    """Whose post it is, where its id says so: at://AUTHOR/…"""
    return key.removeprefix("at://").partition("/")[0] if key.startswith("at://") else ""
