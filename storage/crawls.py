"""How did the crawls go, and how far has each source been read?"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, exists, func, insert, or_, select, update

from storage.records import (
    CrawlRun,
    Finding,
    RatingSnapshot,
    RunOutcome,
    RunStats,
    clean_key,
    clean_line,
    clean_text,
)
from storage.tables import crawl_runs, crawl_stats, cursors, inserting, rating_snapshots

_WORKED = (RunOutcome.OK.value, RunOutcome.EMPTY.value, RunOutcome.PARTIAL.value)
_COUNT_MAX = 2**31 - 1
FAILURES_COUNTED = 12  # in a row; the pause between two tries has long reached its most by then


class CrawlLedger:
    """Statements of the tables `crawl_runs`, `crawl_stats`, `cursors` and `rating_snapshots`."""

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

    def write_stats(self, run: CrawlRun, stats: RunStats, finding: Finding | None) -> None:
        """Keep what `run` (known by its id) met, and whether that was blindness; the second time replaces."""
        new = inserting(self._connection, crawl_stats)
        self._connection.execute(
            new.on_conflict_do_update(
                index_elements=["run_id"],
                set_={name: new.excluded[name] for name in ("source", "at", "stats", "blind", "words")},
            ),
            {
                "run_id": run.id,
                "source": run.source,
                "at": stats.at,
                "stats": _as_json(stats),
                "blind": "" if finding is None else clean_key(finding.kind)[:32],
                "words": "" if finding is None else clean_text(finding.words, 2_000),
            },
        )

    def stats_before(
        self, source: str, now: datetime, latest: int = 120, same_hour: int = 24
    ) -> list[RunStats]:
        """What earlier runs of `source` met, newest first: the latest, and those of this hour of the week.

        Five weeks back, three hours to either side, at most `same_hour` runs of each week.
        """
        c = crawl_stats.c
        rows = {
            row.run_id: row
            for row in self._connection.execute(
                select(c.run_id, c.at, c.stats)
                .where(c.source == source, c.at < now)
                .order_by(c.at.desc(), c.run_id.desc())
                .limit(latest)
            )
        }
        for weeks in range(1, 6):
            then = now - timedelta(weeks=weeks)
            near = and_(c.at >= then - timedelta(hours=3), c.at <= then + timedelta(hours=3))
            for row in self._connection.execute(
                select(c.run_id, c.at, c.stats).where(c.source == source, near).limit(same_hour)
            ):
                rows[row.run_id] = row
        stats = [_stats(row.at, row.stats) for row in rows.values()]
        return sorted((one for one in stats if one is not None), key=lambda one: one.at, reverse=True)

    def findings(self) -> dict[str, Finding]:
        """The sources whose latest run that came to its end was blind, and how."""
        c = crawl_stats.c
        latest = select(func.max(c.run_id)).group_by(c.source)
        found = select(c.source, c.blind, c.words).where(c.run_id.in_(latest), c.blind != "")
        return {row.source: Finding(row.blind, row.words) for row in self._connection.execute(found)}

    def failures_in_row(self) -> dict[str, int]:
        """How many runs of each source have failed since one did not; sources that do well are left out.

        Runs that never ended (killed with their machine) say nothing of the source and are not counted; nor
        is more than FAILURES_COUNTED.
        """
        c = crawl_runs.c
        good = (
            select(c.source, func.max(c.id).label("id"))
            .where(c.outcome != RunOutcome.FAILED.value, c.ended_at.is_not(None))
            .group_by(c.source)
            .subquery()
        )
        failed = (
            select(c.source)
            .select_from(crawl_runs.outerjoin(good, good.c.source == c.source))
            .where(
                c.outcome == RunOutcome.FAILED.value,
                c.ended_at.is_not(None),
                or_(good.c.id.is_(None), c.id > good.c.id),
            )
        )
        counted = Counter(self._connection.scalars(failed))
        return {source: min(times, FAILURES_COUNTED) for source, times in counted.items()}

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


def _as_json(stats: RunStats) -> str:
    return json.dumps(
        {
            "worked": stats.worked,
            "pages": stats.pages,
            "unchanged": stats.unchanged,
            "failed": stats.failed,
            "found": stats.found,
            "new": stats.new,
            "mentions": stats.mentions,
            "filled": dict(stats.filled),
            "statuses": {str(code): times for code, times in stats.statuses.items()},
            "windowed": stats.windowed,
            "limited": stats.limited,
        }
    )


def _stats(at: datetime, text: str) -> RunStats | None:
    """What was kept; None where it cannot be read: a later version wrote it, or it was edited by hand."""
    try:
        said: dict[str, Any] = json.loads(text)
        return RunStats(
            at=at,
            worked=bool(said["worked"]),
            pages=int(said["pages"]),
            unchanged=int(said["unchanged"]),
            failed=int(said["failed"]),
            found=int(said["found"]),
            new=int(said["new"]),
            mentions=int(said["mentions"]),
            filled=_counts(said["filled"]),
            statuses={int(code): times for code, times in _counts(said["statuses"]).items()},
            windowed=bool(said["windowed"]),
            limited=bool(said["limited"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _counts(said: Mapping[str, Any]) -> dict[str, int]:
    return {name: int(times) for name, times in said.items()}


def _run(row: Row[*tuple[object, ...]]) -> CrawlRun:
    columns = dict(row._mapping)
    return CrawlRun(**{**columns, "outcome": RunOutcome(columns["outcome"])})
