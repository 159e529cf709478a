"""How many mentions of a brand were there in a stretch of time, by source, stars and tone?

Counted from `ix_verdicts_week` alone, or read from `tallied_days`, where days (UTC) that are over have been
counted before. A day stands there whole or not at all: whoever writes a verdict of that day takes it out in the
same transaction (`untally`), and it is counted again when somebody has the time (`tally_days`). So a tally is
always exact; only how fast it comes depends on `tallied_days`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Insert,
    Select,
    SmallInteger,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    text,
)

from storage.tables import UtcTime, tallied_days, verdicts

# Two and a half stars are three when rounded: a negative review has one or two, a positive one four or five.
NEGATIVE_BELOW = 2.5
POSITIVE_FROM = 3.5
# The days that are kept are counted with this compound as the border of negative; any other is counted anew.
NEGATIVE_TO = -0.05
DAY = timedelta(days=1)
# Who writes verdicts shares this lock on PostgreSQL; who counts days has it alone. SQLite has one writer anyway.
_LOCK = int.from_bytes(hashlib.blake2b(b"lowstar tallied days", digest_size=8).digest(), signed=True)

Stretch = tuple[datetime, datetime]  # from, to before


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
    """Statements of the table `tallied_days`, and of the index it is counted from."""

    _connection: Connection

    def tally(self, brand: str, start: datetime, end: datetime, negative: float) -> list[Tally]:
        """The mentions of `brand` counted by source, stars and tone; `negative` as in `Thresholds`."""
        first, last = _day_from(start), _day_of(end)
        statements = [week_tally(brand, start, end, negative)]
        if negative == NEGATIVE_TO and first < last:
            days = self._connection.scalars(_tallied(brand, first, last))
            statements = [week_tally(brand, *one, negative) for one in left_over(start, end, days)]
            statements.append(days_tally(brand, first, last))
        return tallies_of(self._connection, statements)

    def untallied_days(self, brand: str, since: datetime, until: datetime) -> list[datetime]:
        """The whole days between the two with mentions of `brand` that are not counted, oldest first."""
        first, last = _day_from(since), _day_of(until)
        missing: list[datetime] = []
        if first >= last:
            return missing
        v = verdicts.c
        for start, end in left_over(first, last, self._connection.scalars(_tallied(brand, first, last))):
            at = start
            # From one day with mentions to the next: what nobody spoke in costs nothing, however long it was.
            while at < end:
                found = select(func.min(v.posted_at, type_=UtcTime)).where(*within(brand, at, end))
                posted_at = self._connection.scalar(found)
                if posted_at is None:
                    break
                missing.append(_day_of(posted_at))
                at = missing[-1] + DAY
        return missing

    def tally_days(self, brand: str, days: Iterable[datetime]) -> bool:
        """Count these days of `brand` once and for all, until a verdict of them changes.

        False, and nothing counted, while somebody is writing verdicts: it is no use to wait for that.
        """
        if self._connection.dialect.name == "postgresql":
            alone = self._connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK})
            if not alone:
                return False
        for day in days:
            self._connection.execute(_delete_day, {"of_brand": brand, "of_day": day})
            self._connection.execute(_count_day(brand, day))
        return True


def tallies_of(connection: Connection, statements: Iterable[Select[Any]]) -> list[Tally]:
    """What these statements count together: one tally for each source, stars and tone."""
    found: dict[tuple[str, int, int], Tally] = {}
    for statement in statements:
        for row in connection.execute(statement):
            one = Tally(row[0], row[1], row[2], int(row[3]), row[4], row[5], int(row[6]), row[7], row[8])
            key = (one.source, one.stars, one.tone)
            found[key] = _sum(found[key], one) if key in found else one
    return list(found.values())


def share_tallies(connection: Connection) -> None:
    """Say that verdicts will be written, before the first one is: no day is counted until we commit."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": _LOCK})


def untally(connection: Connection, touched: Iterable[tuple[str, datetime]]) -> None:
    """Verdicts of these brands, posted then, were written or deleted: what was counted of their days is void."""
    # In one order everywhere, so that two writers on PostgreSQL wait for each other in one direction.
    days = sorted({(brand, _day_of(posted_at)) for brand, posted_at in touched})
    if days:
        connection.execute(_delete_day, [{"of_brand": brand, "of_day": day} for brand, day in days])


def left_over(start: datetime, end: datetime, days: Iterable[datetime]) -> list[Stretch]:
    """What of a stretch is not in one of `days`, which come in order and lie in it as a whole.

    >>> monday = datetime(2026, 11, 16, tzinfo=UTC)
    >>> found = left_over(monday - timedelta(hours=1), monday + 4 * DAY, [monday, monday + 2 * DAY])
    >>> [(str(one)[8:13], str(two)[8:13]) for one, two in found]
    [('15 23', '16 00'), ('17 00', '18 00'), ('19 00', '20 00')]
    """
    found, at = [], start
    for day in days:
        if at < day:
            found.append((at, day))
        at = day + DAY
    if at < end:
        found.append((at, end))
    return found


def week_tally(brand: str, start: datetime, end: datetime, negative: float) -> Select[Any]:
    """The statement that counts from the index; apart, so that its plan can be looked at."""
    stars, tone = rounded().label("rounded"), tone_in(negative).label("tone")
    v = verdicts.c
    return (
        select(v.source, stars, tone, *_sums())
        .where(*within(brand, start, end))
        .group_by(v.source, stars, tone)
    )


def days_tally(brand: str, first: datetime, last: datetime) -> Select[Any]:
    """The statement that adds up the days that are counted, from midnight to before midnight UTC."""
    t = tallied_days.c
    sums = (t.count, t.stars_sum, t.stars_squares, t.worded, t.compound_sum, t.compound_squares)
    return (
        select(t.source, t.stars, t.tone, *(func.sum(one) for one in sums))
        .where(t.brand == brand, t.day >= first, t.day < last)
        .group_by(t.source, t.stars, t.tone)
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


def _tallied(brand: str, first: datetime, last: datetime) -> Select[Any]:
    t = tallied_days.c
    return select(t.day).where(t.brand == brand, t.day >= first, t.day < last).distinct().order_by(t.day)


def _count_day(brand: str, day: datetime) -> Insert:
    counted = (
        select(
            literal(brand),
            literal(day, UtcTime),
            verdicts.c.source,
            rounded().label("rounded").cast(SmallInteger),
            tone_in(NEGATIVE_TO).label("tone").cast(SmallInteger),
            *_sums(),
        )
        .where(*within(brand, day, day + DAY))
        .group_by(verdicts.c.source, text("4"), text("5"))
    )
    return insert(tallied_days).from_select([one.name for one in tallied_days.c], counted)


_delete_day = delete(tallied_days).where(
    tallied_days.c.brand == bindparam("of_brand"), tallied_days.c.day == bindparam("of_day")
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


def _day_of(at: datetime) -> datetime:
    """The midnight (UTC) its day began with."""
    return datetime.combine(at.astimezone(UTC).date(), time(), UTC)


def _day_from(at: datetime) -> datetime:
    """The first midnight (UTC) that is not before it."""
    day = _day_of(at)
    return day if day == at else day + DAY
