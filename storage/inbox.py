"""Which cases does somebody want to see now? Filtered lists, a page at a time, and their counts.

Open cases come worst first, closed ones latest first. A page begins where the one before ended (by its last row,
never by counting rows off): the thousandth page costs what the first does. What a list is narrowed by stands in the
index it is read from; words are looked for in the cases themselves, and where they turn out to be rare, in the
index of words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, case, delete, func, insert, select

from storage.cases import _REVIEWED, _reviewed
from storage.kept_days import announce_verdicts, drop_days_of
from storage.records import CaseStatus, Priority, Removal, Reviewed, clean_key, clean_line
from storage.search import PROBED, drop_words, far_from_filling, holders, of_holders
from storage.tables import AUTHOR_KEY, case_events, cases, crawl_runs, mentions, saved_filters
from storage.wanted import NOBODY, Place, Wanted, of_stars, of_topic

CHUNK = 500

_AUTHOR_KEY_LENGTH = 100
assert f", {_AUTHOR_KEY_LENGTH})" in AUTHOR_KEY  # noqa: S101 - the index and whoever asks cut in the same place


@dataclass(frozen=True, slots=True)
class Counted:
    """How many cases that are not closed stand alike."""

    brand: str
    status: CaseStatus
    priority: Priority
    owner: str
    count: int
    late: int  # of those: not answered, and their deadline has passed


@dataclass(frozen=True, slots=True)
class SavedFilter:
    """A view of the inbox somebody gave a name."""

    name: str
    query: str
    made_by: str
    made_at: datetime


class InboxLedger:
    """Statements of the lists of cases, and of what is kept of them for how long."""

    _connection: Connection

    def inbox(
        self, wanted: Wanted, now: datetime, *, limit: int = 50, after: Place | None = None
    ) -> list[Reviewed]:
        """A page of the cases `wanted`; of open ones worst first, of closed ones latest closed first, of all
        newest first. `now` decides what is late."""
        conditions = _of_case(wanted, now)
        if not wanted.words:
            return [_reviewed(row) for row in self._rows(_REVIEWED, wanted, conditions, limit, after)]
        numbers = self._worded(wanted, conditions, limit, after)
        # Which they are has been decided: read by number, and put into that order again.
        rows = self._connection.execute(_REVIEWED.where(cases.c.number.in_(numbers))).mappings()
        return sorted(map(_reviewed, rows), key=lambda one: numbers.index(one.case.number))

    def _worded(
        self, wanted: Wanted, conditions: list[ColumnElement[bool]], limit: int, after: Place | None
    ) -> list[int]:
        """The numbers of a page of those that hold the words.

        The first so many cases of the list are looked into. Where these do not fill it the words are rare: then all
        that hold them are taken.
        """
        keys = select(cases.c.number, cases.c.mention_id)
        rows = self._rows(keys, wanted, conditions, PROBED, after)
        first = [(row[cases.c.number], row[cases.c.mention_id]) for row in rows]
        more = len(first) == PROBED
        found: list[int] = []
        for start in range(0, len(first), CHUNK):
            some = first[start : start + CHUNK]
            holding = holders(self._connection, wanted.words, {mention for _, mention in some})
            found += [number for number, mention in some if mention in holding]
            if len(found) >= limit:
                return found[:limit]
            if more and far_from_filling(len(found), start + len(some), limit):
                break
        if not more:
            return found
        conditions = [*conditions, of_holders(self._connection, wanted.words, cases.c.mention_id)]
        return [row[cases.c.number] for row in self._rows(keys, wanted, conditions, limit, after)]

    def _rows(
        self,
        columns: Select[Any],
        wanted: Wanted,
        conditions: list[ColumnElement[bool]],
        limit: int,
        after: Place | None,
    ) -> list[RowMapping]:
        found: list[RowMapping] = []
        for statement in _pages(columns, wanted, after):
            wish = statement.where(*conditions).limit(limit - len(found))
            found += self._connection.execute(wish).mappings()
            if len(found) >= limit:
                break
        return found

    def open_counts(self, now: datetime) -> list[Counted]:
        """How many cases that are not closed stand where; one row for each that stand alike."""
        return [
            Counted(row[0], CaseStatus(row[1]), Priority(row[2]), row[3], row[4], row[5] or 0)
            for row in self._connection.execute(open_counts(now))
        ]

    def newest_marks(self) -> tuple[int, int]:
        """The latest case and the latest line of history: while they stay, no list of cases has changed."""
        return (
            self._connection.scalar(select(func.max(cases.c.number))) or 0,
            self._connection.scalar(select(func.max(case_events.c.id))) or 0,
        )

    def oldest_mention_at(self) -> datetime | None:
        """When the oldest mention that is kept was posted, None where there is none."""
        oldest: datetime | None = self._connection.scalar(select(func.min(mentions.c.posted_at)))
        return oldest

    def saved_filters(self) -> list[SavedFilter]:
        """The views that were given a name, by name."""
        found = select(saved_filters).order_by(saved_filters.c.name)
        return [SavedFilter(*row) for row in self._connection.execute(found)]

    def save_filter(self, one: SavedFilter) -> None:
        """Keep a view under its name; what had the name before is replaced."""
        self.drop_filter(one.name)
        row = {
            "name": clean_line(one.name, 64),
            "query": one.query[:2_000],
            "made_by": clean_line(one.made_by, 255),
        }
        self._connection.execute(insert(saved_filters), row | {"made_at": one.made_at})

    def drop_filter(self, name: str) -> bool:
        """Forget a view; True when there was one of that name."""
        done = self._connection.execute(
            delete(saved_filters).where(saved_filters.c.name == clean_line(name, 64))
        )
        return done.rowcount > 0

    def written_by(self, author: str, source: str = "") -> list[Removal]:
        """All that `author` wrote, as removals: in `source`, or wherever this name stands."""
        author = clean_line(author)
        c = mentions.c
        statement = select(c.source, c.external_id).where(c.author == author, c.author != "")
        if source:
            statement = statement.where(
                c.source == clean_key(source),
                func.substr(c.author, 1, _AUTHOR_KEY_LENGTH) == author[:_AUTHOR_KEY_LENGTH],
            )
        rows = self._connection.execute(statement.order_by(c.id))
        return [Removal(row.source, row.external_id, "removed at the wish of its author") for row in rows]

    def old_mentions(self, before: datetime, limit: int = CHUNK) -> list[int]:
        """Ids of mentions posted before `before` that nobody works on, oldest first."""
        busy = select(cases.c.mention_id).where(
            cases.c.mention_id == mentions.c.id, cases.c.closed_at.is_(None)
        )
        statement = select(mentions.c.id).where(mentions.c.posted_at < before, ~busy.exists())
        return list(self._connection.scalars(statement.order_by(mentions.c.posted_at).limit(limit)))

    def count_old_mentions(self, before: datetime) -> int:
        """How many `old_mentions` there are."""
        busy = select(cases.c.mention_id).where(
            cases.c.mention_id == mentions.c.id, cases.c.closed_at.is_(None)
        )
        statement = select(func.count()).select_from(mentions)
        return self._connection.scalar(statement.where(mentions.c.posted_at < before, ~busy.exists())) or 0

    def purge(self, ids: Iterable[int]) -> int:
        """Delete these mentions and all that hangs on them: versions, verdicts, cases, histories."""
        several = list(ids)
        gone = 0
        announce_verdicts(self._connection)
        for start in range(0, len(several), CHUNK):
            some = several[start : start + CHUNK]
            self._connection.execute(delete(cases).where(cases.c.mention_id.in_(some)))
            drop_words(self._connection, some)
            drop_days_of(self._connection, some)
            gone += self._connection.execute(delete(mentions).where(mentions.c.id.in_(some))).rowcount
        return gone

    def purge_runs(self, before: datetime) -> int:
        """Delete the crawl runs that began before `before`; the latest of each source stays."""
        latest = select(func.max(crawl_runs.c.id)).group_by(crawl_runs.c.source)
        done = self._connection.execute(
            delete(crawl_runs).where(crawl_runs.c.started_at < before, crawl_runs.c.id.not_in(latest))
        )
        return done.rowcount


def open_counts(now: datetime) -> Select[Any]:
    """The statement behind `InboxLedger.open_counts`; apart, so that its plan can be looked at."""
    c = cases.c
    late = case((_late(now), 1), else_=0)
    return (
        select(c.brand, c.status, c.priority, c.owner, func.count(), func.sum(late))
        .where(c.closed_at.is_(None))
        .group_by(c.brand, c.status, c.priority, c.owner)
    )


def _late(now: datetime) -> ColumnElement[bool]:
    waiting = cases.c.status.in_([CaseStatus.OPEN.value, CaseStatus.CLAIMED.value])
    return and_(waiting, func.coalesce(cases.c.again_by, cases.c.respond_by) < now)


def _pages(columns: Select[Any], wanted: Wanted, after: Place | None) -> Iterator[Select[Any]]:
    """The statements that together give the rows behind `after`, in order; each seeks in an index."""
    c = cases.c
    if wanted.open_only:
        worst = columns.where(c.closed_at.is_(None)).order_by(c.priority.desc(), c.rank.desc(), c.number)
        if after is None:
            yield worst
            return
        yield worst.where(c.priority == after.priority, c.rank == after.rank, c.number > after.number)
        yield worst.where(c.priority == after.priority, c.rank < after.rank)
        yield worst.where(c.priority < after.priority)
    elif wanted.status == "all":
        newest = columns.order_by(c.number.desc())
        yield newest.where(c.number < after.number) if after else newest
    else:
        latest = columns.where(c.closed_at.is_not(None)).order_by(c.closed_at.desc(), c.number.desc())
        if after is None or after.at is None:
            yield latest
            return
        yield latest.where(c.closed_at == after.at, c.number < after.number)
        yield latest.where(c.closed_at < after.at)


def _of_case(wanted: Wanted, now: datetime) -> list[ColumnElement[bool]]:
    c = cases.c
    conditions: list[ColumnElement[bool]] = []
    if wanted.brand:
        conditions.append(func.coalesce(c.brand, "") == wanted.brand)  # see ix_cases_counted
    if wanted.source:
        conditions.append(c.source == wanted.source)
    conditions += of_stars(c.stars, wanted.stars)
    if wanted.language:
        conditions.append(c.language == wanted.language)
    conditions += of_topic(c.topics, wanted.topic)
    if wanted.owner:
        conditions.append(c.owner == ("" if wanted.owner == NOBODY else wanted.owner))
    if wanted.status == "late":
        conditions.append(_late(now))
    elif wanted.status in tuple(CaseStatus):
        conditions.append(c.status == wanted.status)
    return conditions
