"""Which cases and mentions does somebody want to see now? Filtered lists, a page at a time, and their counts.

Open cases come worst first, closed ones latest first, mentions newest first. A page begins where the one
before ended (by its last row, never by counting rows off): the thousandth page costs what the first does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    case,
    delete,
    false,
    func,
    insert,
    or_,
    select,
)

from storage.cases import _REVIEWED, _reviewed
from storage.kept_days import announce_verdicts, drop_days_of
from storage.records import CaseStatus, Mention, Priority, Removal, Reviewed, Verdict, clean_key, clean_line
from storage.rows import mention_from, verdict_from
from storage.search import ANYTHING, Question, drop_words, matching
from storage.tables import AUTHOR_KEY, case_events, cases, crawl_runs, mentions, saved_filters, verdicts

CHUNK = 500
FOUND_MAX = 2_000  # cases a search puts into order: the newest that match; whoever wants more says more words
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)
NOBODY = "-"  # as an owner: nobody has it

_AUTHOR_KEY_LENGTH = 100
assert f", {_AUTHOR_KEY_LENGTH})" in AUTHOR_KEY  # noqa: S101 - the index and whoever asks cut in the same place


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a list of cases or mentions is narrowed to; what is left at its default narrows nothing."""

    brand: str = ""
    source: str = ""
    stars: int | None = None  # rounded; 0: those without stars
    topic: str = ""
    language: str = ""
    status: str = ""  # of cases: "" not closed, "late", "closed", "all", or a CaseStatus
    owner: str = ""  # of cases; NOBODY: those nobody has
    label: str = ""  # of mentions
    words: Question = ANYTHING
    since: datetime | None = None  # of mentions: posted then or later
    until: datetime | None = None  # and before then

    @property
    def open_only(self) -> bool:
        """True where the list is of cases that are not closed, worst first."""
        return self.status not in ("closed", "all", "resolved", "dismissed")


@dataclass(frozen=True, slots=True)
class Place:
    """The last row of a page: the next page begins behind it."""

    number: int  # of the case, or the mention's id
    priority: int = 0
    rank: float = 0.0
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A mention as it was judged for one brand, and its case where it has one."""

    id: int
    mention: Mention
    verdict: Verdict
    posted_at: datetime
    first_seen_at: datetime
    removed: bool
    case_number: int | None
    case_status: CaseStatus | None
    case_owner: str


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
    """Statements of the dashboard, the feeds and the export."""

    _connection: Connection

    def inbox(
        self, wanted: Wanted, now: datetime, *, limit: int = 50, after: Place | None = None
    ) -> list[Reviewed]:
        """A page of the cases `wanted`; of open ones worst first, of closed ones latest closed first, of all
        newest first. `now` decides what is late."""
        found: list[Reviewed] = []
        conditions = [*_about(wanted), *_of_case(wanted, now)]
        if wanted.words:
            conditions.append(self._in_words(wanted))
        for statement in _pages(wanted, after):
            rows = self._connection.execute(statement.where(*conditions).limit(limit - len(found))).mappings()
            found += [_reviewed(row) for row in rows]
            if len(found) >= limit:
                break
        return found

    def open_counts(self, now: datetime) -> list[Counted]:
        """How many cases that are not closed stand where; one row for each that stand alike."""
        return [
            Counted(row[0], CaseStatus(row[1]), Priority(row[2]), row[3], row[4], row[5] or 0)
            for row in self._connection.execute(open_counts(now))
        ]

    def newest_mentions(
        self, wanted: Wanted, *, limit: int = 50, after: Place | None = None
    ) -> tuple[list[Judged], Place | None]:
        """A page of mentions as judged, a row a brand, and where the next page begins (None: this is the last).

        Newest posted first; with words, last seen first.
        """
        rows = self._connection.execute(newest_mentions(self._connection, wanted, after).limit(limit + 1))
        found = [_judged(row) for row in rows.mappings()]
        if len(found) <= limit:
            return _by_brand(found), None
        # A page never ends between two brands of one mention: the next begins behind a mention, not a row.
        end = next((at for at in range(limit, 0, -1) if found[at].id != found[at - 1].id), limit)
        return _by_brand(found[:end]), Place(found[end - 1].id, at=found[end - 1].posted_at)

    def flagged_mentions(self, *, limit: int = 50) -> list[Judged]:
        """The mentions cases were opened for, the latest case first."""
        statement = _JUDGED.where(cases.c.number.is_not(None), mentions.c.removed_at.is_(None))
        found = self._connection.execute(statement.order_by(cases.c.number.desc()).limit(limit))
        return [_judged(row) for row in found.mappings()]

    def judged(self, mention_id: int) -> list[Judged]:
        """One mention as it was judged for each brand; nothing where there is none."""
        statement = _JUDGED.where(mentions.c.id == mention_id).order_by(verdicts.c.brand)
        return [_judged(row) for row in self._connection.execute(statement).mappings()]

    def all_judged(self, wanted: Wanted) -> Iterator[Judged]:
        """Every mention `wanted`, in the order they were first seen, a few hundred in memory at a time."""
        last = 0
        while True:
            # By whole mentions, so that the brands of one are never torn apart between two steps.
            ids = list(
                self._connection.scalars(
                    select(mentions.c.id)
                    .where(mentions.c.id > last, mentions.c.removed_at.is_(None), *_posted(wanted))
                    .order_by(mentions.c.id)
                    .limit(CHUNK)
                )
            )
            if not ids:
                return
            statement = _JUDGED.where(mentions.c.id.in_(ids), *_of_mention(wanted))
            for row in self._connection.execute(
                statement.order_by(mentions.c.id, verdicts.c.brand)
            ).mappings():
                yield _judged(row)
            last = ids[-1]

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

    def _in_words(self, wanted: Wanted) -> ColumnElement[bool]:
        """The newest cases whose mention holds the words, as a condition."""
        words, key, found = matching(self._connection, wanted.words)
        its_case = select(cases.c.number).where(cases.c.mention_id == key)
        if wanted.open_only:
            its_case = its_case.where(cases.c.closed_at.is_(None))
        statement = select(key).select_from(words).where(found, its_case.exists())
        ids = list(self._connection.scalars(statement.order_by(key.desc()).limit(FOUND_MAX)))
        return cases.c.mention_id.in_(ids) if ids else false()


_JUDGED: Select[Any] = select(mentions, verdicts, cases.c.number, cases.c.status, cases.c.owner).select_from(
    mentions.join(verdicts, verdicts.c.mention_id == mentions.c.id).outerjoin(
        cases, and_(cases.c.mention_id == mentions.c.id, cases.c.brand == verdicts.c.brand)
    )
)


def open_counts(now: datetime) -> Select[Any]:
    """The statement behind `InboxLedger.open_counts`; apart, so that its plan can be looked at."""
    c = cases.c
    late = case((_late(now), 1), else_=0)
    return (
        select(c.brand, c.status, c.priority, c.owner, func.count(), func.sum(late))
        .where(c.closed_at.is_(None))
        .group_by(c.brand, c.status, c.priority, c.owner)
    )


def newest_mentions(connection: Connection, wanted: Wanted, after: Place | None = None) -> Select[Any]:
    """The statement behind `InboxLedger.newest_mentions`; apart, so that its plan can be looked at."""
    source: FromClause
    order: tuple[Any, ...]
    if wanted.words:
        source, key, found = matching(connection, wanted.words)
        source = source.join(mentions, mentions.c.id == key)
        order = (key.desc(),)
        conditions = [found, *([key < after.number] if after else [])]
    else:
        source = mentions
        order, conditions = _newest(wanted, after)
    return (
        select(mentions, verdicts, cases.c.number, cases.c.status, cases.c.owner)
        .select_from(
            source.join(verdicts, verdicts.c.mention_id == mentions.c.id).outerjoin(
                cases, and_(cases.c.mention_id == mentions.c.id, cases.c.brand == verdicts.c.brand)
            )
        )
        .where(*conditions, *_of_mention(wanted), mentions.c.removed_at.is_(None))
        .order_by(*order)
    )


def _by_brand(found: list[Judged]) -> list[Judged]:
    """The same order of mentions, the brands of each by name: sorted here, as the index cannot."""
    places = {one.id: at for at, one in reversed(list(enumerate(found)))}
    return sorted(found, key=lambda one: (places[one.id], one.verdict.brand))


def _late(now: datetime) -> ColumnElement[bool]:
    waiting = cases.c.status.in_([CaseStatus.OPEN.value, CaseStatus.CLAIMED.value])
    return and_(waiting, func.coalesce(cases.c.again_by, cases.c.respond_by) < now)


def _pages(wanted: Wanted, after: Place | None) -> Iterator[Select[Any]]:
    """The statements that together give the rows behind `after`, in order; each seeks in an index."""
    c = cases.c
    if wanted.open_only:
        worst = _REVIEWED.where(c.closed_at.is_(None)).order_by(c.priority.desc(), c.rank.desc(), c.number)
        if after is None:
            yield worst
            return
        yield worst.where(c.priority == after.priority, c.rank == after.rank, c.number > after.number)
        yield worst.where(c.priority == after.priority, c.rank < after.rank)
        yield worst.where(c.priority < after.priority)
    elif wanted.status == "all":
        newest = _REVIEWED.order_by(c.number.desc())
        yield newest.where(c.number < after.number) if after else newest
    else:
        latest = _REVIEWED.where(c.closed_at.is_not(None)).order_by(c.closed_at.desc(), c.number.desc())
        if after is None or after.at is None:
            yield latest
            return
        yield latest.where(c.closed_at == after.at, c.number < after.number)
        yield latest.where(c.closed_at < after.at)


def _about(wanted: Wanted) -> list[ColumnElement[bool]]:
    """What is asked of the mention behind a case."""
    conditions: list[ColumnElement[bool]] = []
    # Compared behind a +: told by the index on mentions, SQLite would read a whole source and sort it.
    if wanted.source:
        conditions.append(func.coalesce(mentions.c.source, "") == wanted.source)
    conditions += _stars(mentions.c.stars, wanted.stars)
    if wanted.language:
        conditions.append(mentions.c.language == wanted.language)
    if wanted.topic:
        conditions.append(_topic(wanted.topic))
    return conditions


def _of_case(wanted: Wanted, now: datetime) -> list[ColumnElement[bool]]:
    c = cases.c
    conditions: list[ColumnElement[bool]] = []
    if wanted.brand:
        conditions.append(c.brand == wanted.brand)
    if wanted.owner:
        conditions.append(c.owner == ("" if wanted.owner == NOBODY else wanted.owner))
    if wanted.status == "late":
        conditions.append(_late(now))
    elif wanted.status in tuple(CaseStatus):
        conditions.append(c.status == wanted.status)
    return conditions


def _of_mention(wanted: Wanted) -> list[ColumnElement[bool]]:
    v = verdicts.c
    conditions = [*_stars(v.stars, wanted.stars), *_posted(wanted)]
    if wanted.brand:
        conditions.append(v.brand == wanted.brand)
    if wanted.source:
        conditions.append(func.coalesce(v.source, "") == wanted.source)
    if wanted.language:
        conditions.append(mentions.c.language == wanted.language)
    if wanted.topic:
        conditions.append(_topic(wanted.topic))
    if wanted.label:
        conditions.append(v.label == wanted.label)
    return conditions


def _old(before: datetime) -> tuple[ColumnElement[bool], ...]:
    busy = select(cases.c.number).where(cases.c.mention_id == mentions.c.id, cases.c.closed_at.is_(None))
    return mentions.c.posted_at < before, ~busy.exists()


def _posted(wanted: Wanted) -> list[ColumnElement[bool]]:
    at = mentions.c.posted_at
    return [
        *([at >= wanted.since] if wanted.since else []),
        *([at < wanted.until] if wanted.until else []),
    ]


def _newest(wanted: Wanted, after: Place | None) -> tuple[tuple[Any, ...], list[ColumnElement[bool]]]:
    """Newest posted first: of one brand from its own index, else from that of all mentions."""
    if wanted.brand:
        at, identity = verdicts.c.posted_at, verdicts.c.mention_id
    else:
        at, identity = mentions.c.posted_at, mentions.c.id
    # With an end, however late, SQLite goes backwards through the index; without one it reads and sorts all.
    conditions: list[ColumnElement[bool]] = [at <= _NEVER]
    if after is not None and after.at is not None:
        conditions = [at <= after.at, or_(at < after.at, identity < after.number)]
    return (at.desc(), identity.desc()), conditions


def _stars(column: Any, stars: int | None) -> list[ColumnElement[bool]]:
    if stars is None:
        return []
    if stars == 0:
        return [column.is_(None)]
    return [column >= stars - 0.5, column < stars + 0.5]


def _topic(topic: str) -> ColumnElement[bool]:
    # Topics are kept as a JSON list: a name is found as it is written there, quotes and all.
    return verdicts.c.topics.contains(json.dumps(topic), autoescape=True)


def _judged(row: Any) -> Judged:
    status = row[cases.c.status]
    return Judged(
        id=row[mentions.c.id],
        mention=mention_from(row),
        verdict=verdict_from(row),
        posted_at=row[mentions.c.posted_at],
        first_seen_at=row[mentions.c.first_seen_at],
        removed=row[mentions.c.removed_at] is not None,
        case_number=row[cases.c.number],
        case_status=None if status is None else CaseStatus(status),
        case_owner=row[cases.c.owner] or "",
    )
