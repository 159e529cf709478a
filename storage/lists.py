"""Which mentions does somebody want to see now? Newest first, a page at a time.

A narrowed page is looked for among so many of the newest, and where those do not fill it the next page begins
behind them: what hardly anything is narrowed to takes several pages, and none of them long.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from storage.records import CaseStatus, Mention, Verdict
from storage.rows import mention_from, verdict_from
from storage.search import PROBED, far_from_filling, few_holding, holders, of_holders
from storage.tables import cases, mentions, verdicts
from storage.wanted import Place, Wanted, of_stars, of_topic

CHUNK = 500
LOOKED = (
    100_000  # verdicts that one page is looked for among; read from an index, a third of a microsecond each
)
LOOKED_UP = 20_000  # where each mention must be looked up for it
FEW = 5_000  # holders of rare words that are all put into order
DENSE = 40  # one in so many holds the words: they are not rare
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)


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


class ListLedger:
    """Statements of the lists of mentions."""

    _connection: Connection

    def newest_mentions(
        self, wanted: Wanted, *, limit: int = 50, after: Place | None = None
    ) -> tuple[list[Judged], Place | None]:
        """A page of mentions as judged, a row a brand, newest posted first, and where the next page begins.

        None: this was the last. A page that is not full and has a next was looked for among the newest
        `LOOKED`; those before come with the next.
        """
        found, following = self._found(wanted, limit, after)
        if len(found) > limit:
            # A page never ends between two brands of one mention: the next begins behind a mention, not a row.
            end = next((at for at in range(limit, 0, -1) if found[at][0] != found[at - 1][0]), limit)
            found = found[:end]
            following = Place(found[-1][0], at=found[-1][1])
        order = {identity: at for at, (identity, _) in reversed(list(enumerate(found)))}
        ids = list(order)
        statement = JUDGED.where(mentions.c.id.in_(ids), *_of_mention(wanted))
        rows = self._connection.execute(statement).mappings() if ids else ()
        # The brands of a mention by name: sorted here, as the index cannot.
        return sorted(map(_judged, rows), key=lambda one: (order[one.id], one.verdict.brand)), following

    def flagged_mentions(self, *, limit: int = 50) -> list[Judged]:
        """The mentions cases were opened for, the latest case first."""
        statement = JUDGED.where(cases.c.number.is_not(None), mentions.c.removed_at.is_(None))
        found = self._connection.execute(statement.order_by(cases.c.number.desc()).limit(limit))
        return [_judged(row) for row in found.mappings()]

    def judged(self, mention_id: int) -> list[Judged]:
        """One mention as it was judged for each brand; nothing where there is none."""
        statement = JUDGED.where(mentions.c.id == mention_id).order_by(verdicts.c.brand)
        return [_judged(row) for row in self._connection.execute(statement).mappings()]

    def all_judged(self, wanted: Wanted) -> Iterator[Judged]:
        """Every mention `wanted`, in the order they were first seen, a few hundred in memory at a time."""
        last = 0
        while True:
            # By whole mentions, so that the brands of one are never torn apart between two steps.
            ids = list(
                self._connection.scalars(
                    select(mentions.c.id)
                    .where(
                        mentions.c.id > last,
                        mentions.c.removed_at.is_(None),
                        *_posted(wanted, mentions.c.posted_at),
                    )
                    .order_by(mentions.c.id)
                    .limit(CHUNK)
                )
            )
            if not ids:
                return
            statement = JUDGED.where(mentions.c.id.in_(ids), *_of_mention(wanted))
            for row in self._connection.execute(
                statement.order_by(mentions.c.id, verdicts.c.brand)
            ).mappings():
                yield _judged(row)
            last = ids[-1]

    def _found(
        self, wanted: Wanted, limit: int, after: Place | None
    ) -> tuple[list[tuple[int, datetime]], Place | None]:
        """The ids and times of up to one more than `limit` rows, and where the look ended, None at the end."""
        execute = self._connection.execute
        end = self._end(wanted, after)
        newest = newest_places(wanted, after, end)
        if not wanted.words:
            return [(row[0], row[1]) for row in execute(newest.limit(limit + 1))], end
        first = [(row[0], row[1]) for row in execute(newest.limit(PROBED))]
        all_looked_into = len(first) < PROBED
        found: list[tuple[int, datetime]] = []
        for start in range(0, len(first), CHUNK):
            some = first[start : start + CHUNK]
            holding = holders(self._connection, wanted.words, {identity for identity, _ in some})
            found += [one for one in some if one[0] in holding]
            if len(found) > limit:
                return found[: limit + 1], end
            if not all_looked_into and far_from_filling(len(found), start + len(some), limit):
                break
        if all_looked_into and (end is None or len(found) * DENSE >= len(first) > 0):
            return found, end
        rare = few_holding(self._connection, wanted.words, FEW)
        if rare is not None:  # these are all there are, however long ago
            rows = execute(rare_places(wanted, after, rare).limit(limit + 1))
            return [(row[0], row[1]) for row in rows], None
        if all_looked_into:
            return found, end
        newest = newest.where(of_holders(self._connection, wanted.words, verdicts.c.mention_id))
        return [(row[0], row[1]) for row in execute(newest.limit(limit + 1))], end

    def _end(self, wanted: Wanted, after: Place | None) -> Place | None:
        """The last of those a page is looked for among; None: all there are, as hardly anything is left out."""
        if not _narrowed(wanted):
            return None
        v = verdicts.c
        behind = select(v.mention_id, v.posted_at).where(*_behind(after), *_posted(wanted, v.posted_at))
        most = LOOKED_UP if wanted.language else LOOKED
        row = self._connection.execute(behind.order_by(*_ORDER).offset(most - 1).limit(1)).first()
        return None if row is None else Place(row[0], at=row[1])


JUDGED: Select[Any] = select(mentions, verdicts, cases.c.number, cases.c.status, cases.c.owner).select_from(
    mentions.join(verdicts, verdicts.c.mention_id == mentions.c.id).outerjoin(
        cases, and_(cases.c.mention_id == mentions.c.id, cases.c.brand == verdicts.c.brand)
    )
)
_ORDER = (verdicts.c.posted_at.desc(), verdicts.c.mention_id.desc())


def newest_places(wanted: Wanted, after: Place | None = None, end: Place | None = None) -> Select[Any]:
    """The statement behind `ListLedger.newest_mentions`; apart, so that its plan can be looked at."""
    v = verdicts.c
    conditions = [*_of_mention(wanted, apart=not _by_brand(wanted)), *_behind(after)]
    if end is not None and end.at is not None:
        conditions += [v.posted_at >= end.at, or_(v.posted_at > end.at, v.mention_id >= end.number)]
    return _places(*conditions)


def rare_places(wanted: Wanted, after: Place | None, ids: Sequence[int]) -> Select[Any]:
    """The same, of the mentions with these ids only."""
    return _places(verdicts.c.mention_id.in_(ids), *_of_mention(wanted), *_behind(after))


def _places(*conditions: ColumnElement[bool]) -> Select[Any]:
    """The newest first of those that have not been removed."""
    v = verdicts.c
    return (
        select(v.mention_id, v.posted_at)
        .join(mentions, mentions.c.id == v.mention_id)
        .where(*conditions, mentions.c.removed_at.is_(None))
        .order_by(*_ORDER)
    )


def _by_brand(wanted: Wanted) -> bool:
    """Is the list read from the brand's own index? Whatever else it is narrowed by, the other index knows more of."""
    return bool(wanted.brand) and not _narrowed(wanted)


def _narrowed(wanted: Wanted) -> bool:
    """Is it narrowed by what an index is read through for, rather than found by?"""
    several = (wanted.source, wanted.topic, wanted.language, wanted.label, wanted.words)
    return any(several) or wanted.stars is not None


def _behind(after: Place | None) -> list[ColumnElement[bool]]:
    at, identity = verdicts.c.posted_at, verdicts.c.mention_id
    if after is not None and after.at is not None:
        return [at <= after.at, or_(at < after.at, identity < after.number)]
    # With an end, however late, SQLite goes backwards through the index; without one it reads and sorts all.
    return [at <= _NEVER]


def _of_mention(wanted: Wanted, *, apart: bool = False) -> list[ColumnElement[bool]]:
    """What is asked of a verdict and its mention; `apart` from the index of a brand."""
    v = verdicts.c
    conditions = [
        *of_stars(v.stars, wanted.stars),
        *of_topic(v.topics, wanted.topic),
        *_posted(wanted, v.posted_at),
    ]
    if wanted.brand:
        brand = func.coalesce(v.brand, "") if apart else v.brand
        conditions.append(brand == wanted.brand)
    if wanted.source:
        conditions.append(v.source == wanted.source)
    if wanted.label:
        conditions.append(v.label == wanted.label)
    if wanted.language:
        conditions.append(mentions.c.language == wanted.language)
    return conditions


def _posted(wanted: Wanted, at: Any) -> list[ColumnElement[bool]]:
    return [
        *([at >= wanted.since] if wanted.since else []),
        *([at < wanted.until] if wanted.until else []),
    ]


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
