"""Was a brand's week answered, and how soon? The statements behind the answers of a digest."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select, union

from storage.records import CaseStatus, case_name
from storage.tables import cases, verdicts

CHUNK = 500


@dataclass(frozen=True, slots=True)
class WeekCase:
    """Of a case what a digest counts: thousands are read for a large brand."""

    number: int
    mention_id: int
    status: str  # a `CaseStatus`
    priority: int
    rank: float
    owner: str
    opened_at: datetime
    respond_by: datetime | None
    first_response_at: datetime | None
    closed_at: datetime | None

    @property
    def name(self) -> str:
        """What people call it."""
        return case_name(self.number)

    @property
    def closed(self) -> bool:
        """True when nobody has to do anything any more."""
        return CaseStatus(self.status).closed


@dataclass(frozen=True, slots=True)
class AnsweredReview:
    """A case about a mention with stars, and when it was answered."""

    number: int
    mention_id: int
    opened_at: datetime
    first_response_at: datetime
    stars: float | None  # today's


class AnswerLedger:
    """Statements of the table `cases` that a digest asks; none of them writes."""

    _connection: Connection

    def week_cases(self, brand: str, start: datetime, end: datetime) -> list[WeekCase]:
        """The cases of `brand` in which something was open, due, answered or closed, by number."""
        found = self._connection.execute(week_cases(brand, start, end).order_by(cases.c.number))
        return [WeekCase(*row) for row in found.all()]

    def cases_among(
        self, brand: str, start: datetime, end: datetime, numbers: Collection[int], about: Collection[int]
    ) -> list[WeekCase]:
        """Of the cases with these numbers, or about these mentions, those `week_cases` would know."""
        c = cases.c
        touched = or_(
            c.closed_at.is_(None), c.closed_at >= start, c.respond_by >= start, c.first_response_at >= start
        )
        known = (c.brand == brand, c.opened_at < end, touched)
        several = [c.number.in_(some) for some in _chunks(numbers)]
        several += [c.mention_id.in_(some) for some in _chunks(about)]
        return [
            WeekCase(*row) for some in several for row in self._connection.execute(_CASES.where(some, *known))
        ]

    def promptness(
        self, brand: str, start: datetime, end: datetime, opened_before: datetime
    ) -> tuple[int, int]:
        """Of the cases of `brand` whose answer came due then, how many were answered in time, and how many they are."""
        row = self._connection.execute(prompt(brand, start, end, opened_before)).one()
        return int(row[0] or 0), int(row[1])

    def response_times(
        self, brand: str, start: datetime, end: datetime, opened_before: datetime
    ) -> list[timedelta]:
        """How long the first answers to cases of `brand` took that were given then, the quickest first."""
        found = self._connection.execute(answered(brand, start, end, opened_before))
        return sorted(max(timedelta(0), row[1] - row[0]) for row in found)

    def answered_reviews(
        self, brand: str, start: datetime, end: datetime, limit: int
    ) -> list[AnsweredReview]:
        """The cases of `brand` opened then and answered, whose mention has stars, by number.

        Looked for among the latest `limit` answered ones.
        """
        c, v = cases.c, verdicts.c
        # A subquery, no join: SQLite would start from all verdicts of the brand.
        stars = (
            select(v.stars)
            .where(v.mention_id == c.mention_id, v.brand == c.brand)
            .correlate(cases)
            .scalar_subquery()
        )
        found = (
            select(c.number, c.mention_id, c.opened_at, c.first_response_at, stars)
            .where(
                c.brand == brand, c.opened_at >= start, c.opened_at < end, c.first_response_at.is_not(None)
            )
            .order_by(c.number.desc())
            .limit(limit)
        )
        latest = [AnsweredReview(*row) for row in self._connection.execute(found).all()]
        return [one for one in reversed(latest) if one.stars is not None]


def week_cases(brand: str, start: datetime, end: datetime) -> Select[Any]:
    """The statement behind `week_cases`; apart, so that its plan can be looked at."""
    c = cases.c
    # Each from its index: one condition with OR is answered by reading every case there ever was.
    touched = union(
        *(
            select(c.number).where(c.brand == brand, c.opened_at < end, condition)
            for condition in (
                c.closed_at.is_(None),
                and_(c.closed_at.is_not(None), c.closed_at >= start),
                c.respond_by >= start,
                and_(c.first_response_at.is_not(None), c.first_response_at >= start),
            )
        )
    )
    return _CASES.where(c.number.in_(touched))


def prompt(brand: str, start: datetime, end: datetime, opened_before: datetime) -> Select[Any, int]:
    """The statement behind `promptness`; a case that was dismissed unanswered needed no answer."""
    c = cases.c
    # Settled without a reply, by telephone say.
    done = func.coalesce(c.first_response_at, case((c.status == CaseStatus.RESOLVED.value, c.closed_at)))
    unneeded = and_(c.status == CaseStatus.DISMISSED.value, c.first_response_at.is_(None))
    counted = select(func.sum(case((done <= c.respond_by, 1), else_=0)), func.count())
    return counted.where(*_then(c.respond_by, brand, start, end, opened_before), ~unneeded)


def answered(brand: str, start: datetime, end: datetime, opened_before: datetime) -> Select[Any]:
    """The statement behind `response_times`."""
    c = cases.c
    return select(c.opened_at, c.first_response_at).where(
        *_then(c.first_response_at, brand, start, end, opened_before), c.first_response_at.is_not(None)
    )


def _then(
    at: ColumnElement[Any], brand: str, start: datetime, end: datetime, opened_before: datetime
) -> tuple[ColumnElement[bool], ...]:
    return (cases.c.brand == brand, at >= start, at < end, cases.c.opened_at < opened_before)


def _chunks(values: Collection[int]) -> list[list[int]]:
    whole = sorted(set(values))
    return [whole[start : start + CHUNK] for start in range(0, len(whole), CHUNK)]


_CASES: Select[Any] = select(
    cases.c.number,
    cases.c.mention_id,
    cases.c.status,
    cases.c.priority,
    cases.c.rank,
    cases.c.owner,
    cases.c.opened_at,
    cases.c.respond_by,
    cases.c.first_response_at,
    cases.c.closed_at,
)
