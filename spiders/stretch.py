"""How is a source doing that is not asked but listened to? Its time in stretches, each a crawl run of its own.

A webhook or a stream has no beginning and no end; its health is told in stretches of a few minutes or an hour.
While one goes on its run stands in the store without an end, so that a process that was killed is noticed;
at its end it is judged as every crawl is, against its source's own history.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.baseline import judge_run
from spiders.crawl import HISTORY, with_finding
from spiders.health import Health
from spiders.words import error_words
from storage.errors import StoreError
from storage.records import CrawlRun, RunOutcome
from storage.store import Store

log = logging.getLogger(__name__)

WRITTEN_EVERY = timedelta(
    seconds=10
)  # how often the figures of a stretch that goes on are brought up to date
SILENCE = "nothing arrived, where at this time of the week something does: does the sender still send?"


class Stretch:
    """Keeps the runs of one source that is listened to. Safe to use from several threads."""

    def __init__(
        self,
        store: Store,
        name: str,
        clock: Callable[[], datetime],
        length: timedelta,
        *,
        silence: str = SILENCE,
        always: bool = True,
    ) -> None:
        """With `always` off only stretches in which something arrived are written down."""
        self._store, self._name, self._clock, self._length = store, name, clock, length
        self._silence, self._always = silence, always
        self._lock = threading.Lock()
        self._health = Health()
        self._run: CrawlRun | None = None
        self._began_at = clock()
        self._written_at = self._began_at
        self._dirty = True

    @contextmanager
    def telling(self) -> Iterator[Health]:
        """The health of the stretch that goes on, to be told what happened."""
        with self._lock:
            self._dirty = True
            yield self._health

    def tick(self) -> None:
        """Write down what is new, and end the stretch when it has lasted long enough. Raises StoreError."""
        now = self._clock()
        with self._lock:
            if now - self._began_at >= self._length:
                self._end(now)
                self._health, self._began_at, self._dirty = Health(), now, True
            if self._run is None and (self._always or self._met_something()):
                with self._store.transaction() as ledger:
                    self._run = ledger.begin_run(self._name, self._began_at)
            if self._run is not None and self._dirty and now - self._written_at >= WRITTEN_EVERY:
                self._written_at, self._dirty = now, False
                health = self._health
                words = "; ".join(health.problems) or "it is listening"
                with self._store.transaction() as ledger:
                    ledger.end_run(replace(self._figures(self._run), reason=words))

    def close(self) -> None:
        """End the stretch that goes on; a store that does not take it is logged."""
        with self._lock:
            try:
                self._end(self._clock())
            except StoreError as error:
                log.warning("%s: how it ended could not be stored: %s", self._name, error_words(error))

    def _met_something(self) -> bool:
        health = self._health
        return bool(health.pages or health.failed or health.tally.found)

    def _figures(self, run: CrawlRun) -> CrawlRun:
        health = self._health
        return replace(
            run,
            outcome=RunOutcome.FAILED if health.failed and not health.pages else RunOutcome.OK,
            found=max(health.found, health.tally.found),
            new=health.tally.new,
            changed=health.tally.changed,
            failed=health.failed,
            pages=health.pages,
        )

    def _end(self, now: datetime) -> None:
        run, self._run = self._run, None
        health = self._health
        if run is None and not self._met_something():
            return
        if not health.pages and not health.failed:
            health.nothing_new()  # it was there to be heard, and nobody spoke: that is no fault
        with self._store.transaction() as ledger:
            run = run or ledger.begin_run(self._name, self._began_at)
            history = [one for one in ledger.runs(self._name, HISTORY) if one.ended_at is not None]
            met = ledger.stats_before(self._name, self._began_at)
            outcome, reason = health.outcome(history)
            stats = health.stats(self._began_at, outcome, windowed=True)
            finding = judge_run(
                stats, met, self._began_at, blind=health.blind, problems=health.problems, gap=health.gap
            )
            if finding is not None and finding.kind == "nothing":
                finding = replace(finding, words=self._silence)
            if finding is not None:
                outcome, reason = with_finding(finding, outcome, reason)
                stats = replace(stats, worked=stats.worked and finding.kind == "gap")
            ended = replace(self._figures(run), ended_at=now, outcome=outcome, reason=reason)
            ledger.end_run(ended)
            ledger.write_stats(ended, stats, finding)
