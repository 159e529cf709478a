"""How did the crawls go, and how far has each source been read?"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, Row, Select, exists, func, insert, select, update

from storage.records import CrawlRun, RatingSnapshot, RunOutcome, clean_line, clean_text
from storage.tables import crawl_runs, cursors, inserting, rating_snapshots

_WORKED = (RunOutcome.OK.value, RunOutcome.EMPTY.value, RunOutcome.PARTIAL.value)
_COUNT_MAX = 2**31 - 1


class CrawlLedger:
    """Statements of the tables `crawl_runs`, `cursors` and `rating_snapshots`."""

    _connection: Connection

    def begin_run(self, source: str, now: datetime) -> CrawlRun:
        """A new run with its id; `first` when none before it came to an end that tells anything.

        Until `end_run` it stands as failed: a run that was killed says so by itself.
        """
        worked = exists().where(
            crawl_runs.c.source == source,
            crawl_runs.c.ended_at.is_not(None),
            crawl_runs.c.outcome.in_(_WORKED),
        )
        first = not self._connection.scalar(select(worked))
        identity = self._connection.scalar(
            insert(crawl_runs).returning(crawl_runs.c.id),
            {
                "source": source,
                "started_at": now,
                "outcome": RunOutcome.FAILED.value,
                "found": 0,
                "new": 0,
                "changed": 0,
                "failed": 0,
                "pages": 0,
                "reason": "it has not ended: it is still running, or it was killed",
                "first": first,
            },
        )
        return CrawlRun(source=source, started_at=now, first=first, id=identity or 0)

    def end_run(self, run: CrawlRun) -> None:
        """Write down how `run` (known by its id) ended; without an `ended_at` it stays unended."""
        self._connection.execute(
            update(crawl_runs).where(crawl_runs.c.id == run.id),
            {
                "ended_at": run.ended_at,
                "outcome": run.outcome.value,
                "found": _count(run.found),
                "new": _count(run.new),
                "changed": _count(run.changed),
                "failed": _count(run.failed),
                "pages": _count(run.pages),
                "reason": clean_text(run.reason, 2_000),
            },
        )

    def last_runs(self) -> dict[str, CrawlRun]:
        """The latest run of each source, ended or not (`ended_at` is None)."""
        latest = select(func.max(crawl_runs.c.id)).group_by(crawl_runs.c.source)
        return {run.source: run for run in self._runs(select(crawl_runs).where(crawl_runs.c.id.in_(latest)))}

    def last_good_runs(self) -> dict[str, CrawlRun]:
        """The latest run of each source that ended ok."""
        latest = (
            select(func.max(crawl_runs.c.id))
            .where(crawl_runs.c.outcome == RunOutcome.OK.value, crawl_runs.c.ended_at.is_not(None))
            .group_by(crawl_runs.c.source)
        )
        return {run.source: run for run in self._runs(select(crawl_runs).where(crawl_runs.c.id.in_(latest)))}

    def runs(self, source: str, limit: int = 50) -> list[CrawlRun]:
        """The latest `limit` runs of `source`, newest first."""
        return self._runs(
            select(crawl_runs)
            .where(crawl_runs.c.source == source)
            .order_by(crawl_runs.c.started_at.desc(), crawl_runs.c.id.desc())
            .limit(limit)
        )

    def found_before(self, source: str, limit: int = 20) -> list[int]:
        """How many mentions the latest runs of `source` that worked found, newest first."""
        return list(
            self._connection.scalars(
                select(crawl_runs.c.found)
                .where(
                    crawl_runs.c.source == source,
                    crawl_runs.c.ended_at.is_not(None),
                    crawl_runs.c.outcome.in_(_WORKED),
                )
                .order_by(crawl_runs.c.started_at.desc(), crawl_runs.c.id.desc())
                .limit(limit)
            )
        )

    def cursor(self, source: str, name: str) -> str | None:
        """How far `source` has been read, None when it never was."""
        return self._connection.scalar(
            select(cursors.c.value).where(cursors.c.source == source, cursors.c.name == name)
        )

    def set_cursor(self, source: str, name: str, value: str, now: datetime) -> None:
        """Remember how far `source` has been read."""
        new = inserting(self._connection, cursors)
        self._connection.execute(
            new.on_conflict_do_update(
                index_elements=["source", "name"],
                set_={"value": new.excluded.value, "updated_at": new.excluded.updated_at},
            ),
            {"source": source, "name": name, "value": clean_text(value), "updated_at": now},
        )

    def add_snapshots(self, snapshots: Iterable[RatingSnapshot]) -> None:
        """Keep what sites show as averages; the same place at the same time twice is kept as the later one.

        Averages that are no number are left out: a page can print anything.
        """
        rows = {
            (one.source, clean_line(one.entity, 255), one.at): one
            for one in snapshots
            if math.isfinite(one.average)
        }
        if not rows:
            return
        new = inserting(self._connection, rating_snapshots)
        self._connection.execute(
            new.on_conflict_do_update(
                index_elements=["source", "entity", "at"],
                set_={"average": new.excluded.average, "count": new.excluded.count},
            ),
            [
                {
                    "source": source,
                    "entity": entity,
                    "at": at,
                    "average": one.average,
                    "count": _count(one.count),
                }
                for (source, entity, at), one in rows.items()
            ],
        )

    def snapshots(self, source: str, entity: str) -> list[RatingSnapshot]:
        """What a site has shown as the average of `entity`, oldest first."""
        c = rating_snapshots.c
        found = select(c.source, c.entity, c.at, c.average, c.count).where(
            c.source == source, c.entity == clean_line(entity, 255)
        )
        return [RatingSnapshot(*row) for row in self._connection.execute(found.order_by(c.at))]

    def _runs(self, statement: Select[*tuple[object, ...]]) -> list[CrawlRun]:
        return [_run(row) for row in self._connection.execute(statement)]


def _count(number: int) -> int:
    return max(0, min(_COUNT_MAX, int(number)))


def _run(row: Row[*tuple[object, ...]]) -> CrawlRun:
    columns = dict(row._mapping)
    return CrawlRun(**{**columns, "outcome": RunOutcome(columns["outcome"])})
