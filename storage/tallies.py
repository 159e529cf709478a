"""How many mentions of a brand were there in a stretch of time, by source, stars and tone?

Counted from `ix_verdicts_week` alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select

from storage.records import Mark
from storage.tables import verdicts

# Two and a half stars are three when rounded: a negative review has one or two, a positive one four or five.
NEGATIVE_BELOW = 2.5
POSITIVE_FROM = 3.5


@dataclass(frozen=True, slots=True)
class Tally:
    """How many mentions of one source, one number of stars and one tone; sums for averages."""

    source: str
    stars: int  # rounded, 1…5; 0 without stars
    tone: int  # −1 negative, 0 neither, 1 positive
    count: int
    stars_sum: float
    stars_squares: float
    worded: int  # of those, how many whose words show a feeling (compound is not 0)
    compound_sum: float
    compound_squares: float


class TallyLedger:
    """Statements that count verdicts."""

    _connection: Connection

    def tally(self, brand: str, start: datetime, end: datetime, negative: float) -> list[Tally]:
        """The mentions of `brand` counted by source, stars and tone; `negative` as in `Thresholds`."""
        return self._tallies(week_tally(brand, start, end, negative))

    def coarse_tallies(self, brand: str, start: datetime, end: datetime, negative: float) -> list[Tally]:
        """As `tally`, of the mentions only whose source gave a day and no time."""
        return self._tallies(week_tally(brand, start, end, negative).where(is_coarse()))

    def _tallies(self, statement: Select[Any]) -> list[Tally]:
        return [
            Tally(row[0], row[1], row[2], row[3], row[4], row[5], int(row[6]), row[7], row[8])
            for row in self._connection.execute(statement)
        ]


def added_up(several: Iterable[Tally]) -> list[Tally]:
    """One tally for each source, stars and tone."""
    found: dict[tuple[str, int, int], Tally] = {}
    for one in several:
        key = (one.source, one.stars, one.tone)
        found[key] = _sum(found[key], one) if key in found else one
    return list(found.values())


def week_tally(brand: str, start: datetime, end: datetime, negative: float) -> Select[Any]:
    """The statement that counts from the index; apart, so that its plan can be looked at."""
    stars, tone = rounded().label("rounded"), tone_in(negative).label("tone")
    v = verdicts.c
    return (
        select(v.source, stars, tone, *_sums())
        .where(*within(brand, start, end))
        .group_by(v.source, stars, tone)
    )


def rounded() -> ColumnElement[int]:
    """Stars as the bars of a digest show them; 0 without."""
    v = verdicts.c
    return case(
        (v.stars.is_(None), 0),
        (v.stars < 1.5, 1),
        (v.stars < NEGATIVE_BELOW, 2),
        (v.stars < POSITIVE_FROM, 3),
        (v.stars < 4.5, 4),
        else_=5,
    )


def tone_in(negative: float) -> ColumnElement[int]:
    """`tone_of` as a column."""
    return case((is_negative(negative), -1), (_is_positive(), 1), else_=0)


def tone_of(stars: float | None, compound: float, negative: float) -> int:
    """−1 negative, 0 neither, 1 positive: stars decide, words only where there are none.

    >>> tone_of(2.0, 0.9, -0.05), tone_of(None, -0.05, -0.05), tone_of(3.0, -0.9, -0.05), tone_of(None, 0.05, -0.05)
    (-1, -1, 0, 1)
    """
    if stars is not None:
        return -1 if stars < NEGATIVE_BELOW else 1 if stars >= POSITIVE_FROM else 0
    return -1 if compound <= negative else 1 if compound >= 0.05 else 0


def is_negative(threshold: float) -> ColumnElement[bool]:
    """A condition on `verdicts`."""
    v = verdicts.c
    # Said in full, so that it is true or false and never NULL: its opposite is asked for too.
    return or_(
        and_(v.stars.is_not(None), v.stars < NEGATIVE_BELOW),
        and_(v.stars.is_(None), v.compound <= threshold),
    )


def is_coarse() -> ColumnElement[bool]:
    """A condition on `verdicts`: only the day is known."""
    return verdicts.c.marks.bitwise_and(int(Mark.DAY_ONLY)) != 0


def _is_positive() -> ColumnElement[bool]:
    v = verdicts.c
    return or_(v.stars >= POSITIVE_FROM, and_(v.stars.is_(None), v.compound >= 0.05))


def within(brand: str, start: datetime, end: datetime) -> tuple[ColumnElement[bool], ...]:
    """The verdicts on a brand of what was posted then, as conditions."""
    v = verdicts.c
    return (v.brand == brand, v.posted_at >= start, v.posted_at < end)


def _sums() -> tuple[ColumnElement[Any], ...]:
    v = verdicts.c
    return (
        func.count(),
        func.coalesce(func.sum(v.stars), 0.0),
        func.coalesce(func.sum(v.stars * v.stars), 0.0),
        func.sum(case((v.compound != 0, 1), else_=0)),
        func.sum(v.compound),
        func.sum(v.compound * v.compound),
    )


def _sum(one: Tally, two: Tally) -> Tally:
    return Tally(
        one.source,
        one.stars,
        one.tone,
        one.count + two.count,
        one.stars_sum + two.stars_sum,
        one.stars_squares + two.stars_squares,
        one.worded + two.worded,
        one.compound_sum + two.compound_sum,
        one.compound_squares + two.compound_squares,
    )
