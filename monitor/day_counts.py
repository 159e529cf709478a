"""What did each day come to: as it was kept, or counted now?

`lowstar run` counts the days that are over and keeps them, so that a digest puts days together instead of
reading a hundred thousand mentions. Only speed depends on it: what is not kept is counted, by the same function.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from monitor.digest_days import (
    FORM,
    SHOWN,
    Facts,
    Numbers,
    facts_of,
    kept_numbers,
    kept_posts,
    read_facts,
    read_numbers,
)
from monitor.sentiment import NEGATIVE_TO
from monitor.weeks import Period, Span, midnight
from storage.errors import StoreError
from storage.kept_days import DaysOf
from storage.store import Ledger, Store
from storage.tallies import Tally, added_up
from storage.weeks import WeekDays

log = logging.getLogger(__name__)

# The week before this one, the four it is compared with, and the week until the next digest.
BACK = 45  # days
AT_ONCE = 10  # days of a brand a run counts at most: a new version of a big store is not counted in one go
KEPT_FOR = timedelta(days=200)  # as far back as the dashboard offers digests
_DAY = timedelta(days=1)


def days_of(period: Period, until: datetime | None = None) -> WeekDays:
    """Where its days begin. A review dated "16 Nov" belongs to that day in every zone."""
    days = (*period.days, period.last + _DAY)
    return WeekDays(
        starts=tuple(midnight(day, period.zone) for day in days),
        coarse=tuple(datetime.combine(day, time(), UTC) for day in days),
        until=until,
    )


def day_facts(
    ledger: Ledger, brand: str, period: Period, as_of: datetime, negative: float, shown: int | None
) -> list[Facts]:
    """What each day of the period came to until `as_of`; `shown` None: with every post, and so counted now."""
    kept: dict[date, Facts] = {}
    if shown == SHOWN and negative == NEGATIVE_TO:
        numbers = _kept_numbers(ledger, brand, period)
        posts = ledger.kept_posts(DaysOf(brand, period.zone, FORM), period.first, period.last)
        kept = {
            day: read_facts(numbers[day], posts[day])
            for day in posts
            if midnight(day + _DAY, period.zone) <= as_of
        }
    facts = dict(kept)
    for some in _missing(period, kept):
        until = None if as_of >= period.end_at else as_of
        facts |= dict(zip(some.days, counted(ledger, brand, some, negative, until, shown), strict=True))
    return [facts[day] for day in period.days]


def counted(
    ledger: Ledger, brand: str, period: Period, negative: float, until: datetime | None, shown: int | None
) -> list[Facts]:
    """What each day of the period comes to, from its rows."""
    rows = ledger.week_rows(brand, days_of(period, until), negative)
    seen_in = dict(zip(rows.places, rows.ids, strict=True))  # of each place one mention, to ask for its name
    seen_in.pop(0, None)
    named = ledger.place_names(seen_in.values())
    names = {place: named[one] for place, one in seen_in.items()}
    at_by: list[list[int]] = [[] for _ in period.days]
    for at, day in enumerate(rows.days):
        at_by[day].append(at)
    return [facts_of(rows.at(several), names, shown) for several in at_by]


@dataclass(frozen=True, slots=True)
class Over:
    """A period that is over, in numbers."""

    tallies: Sequence[Tally]
    negatives: Sequence[int]  # of the days that are kept, the ids of the negative mentions
    counted: Sequence[Period]  # the other days


def numbers_of(ledger: Ledger, brand: str, period: Period, negative: float) -> Over:
    """The numbers of a period that is over."""
    kept = _kept_numbers(ledger, brand, period) if negative == NEGATIVE_TO else {}
    tallies = [tally for one in kept.values() for tally in one.tallies]
    missing = _missing(period, kept)
    for some in missing:
        tallies += _counted_tallies(ledger, brand, some, negative)
    negatives = [post for one in kept.values() for post in one.negatives]
    return Over(added_up(tallies), negatives, missing)


def keep_days(store: Store, brands: Iterable[str], zone: str, now: datetime) -> int:
    """Count and keep the days of these brands that are over, the latest first; answers how many.

    Gives way to whoever writes; what goes wrong is said, and digests are slower.
    """
    today = now.astimezone(ZoneInfo(zone)).date()
    done = 0
    try:
        for brand in brands:
            of = DaysOf(brand, zone, FORM)
            with store.reading() as ledger:
                kept = ledger.kept_numbers(of, today - BACK * _DAY, today)
            back = (today - ago * _DAY for ago in range(1, BACK))
            missing = [Period(Span.DAY, day, day, zone) for day in back if day not in kept]
            # A day without a time ends when it ends at Greenwich.
            for day in [one for one in missing if days_of(one).stretch[1] <= now][:AT_ONCE]:
                if not _keep(store, of, day):
                    return done
                done += 1
        with store.transaction() as ledger:
            ledger.forget_days(now - KEPT_FOR)
    except StoreError as error:
        log.warning("days could not be counted ahead (%s); digests take longer and say the same", error)
    return done


def _keep(store: Store, of: DaysOf, day: Period) -> bool:
    """Count a day and keep it; False when somebody is writing."""
    days = days_of(day)
    with store.transaction() as ledger:
        if not ledger.alone_with_days():
            return False
        (facts,) = counted(ledger, of.brand, day, NEGATIVE_TO, None, SHOWN)
        ledger.keep_day(of, day.first, days.stretch, kept_numbers(facts), kept_posts(facts))
    return True


def _kept_numbers(ledger: Ledger, brand: str, period: Period) -> dict[date, Numbers]:
    kept = ledger.kept_numbers(DaysOf(brand, period.zone, FORM), period.first, period.last)
    return {day: read_numbers(one) for day, one in kept.items()}


def _missing(period: Period, kept: Iterable[date]) -> list[Period]:
    """The days that are not kept, those that follow each other together.

    >>> days = Period(Span.WEEK, date(2026, 11, 16), date(2026, 11, 22), "UTC")
    >>> [(one.first.day, one.last.day) for one in _missing(days, [date(2026, 11, 17)])]
    [(16, 16), (18, 22)]
    """
    has = set(kept)
    runs = [list(run) for whole, run in groupby(period.days, key=has.__contains__) if not whole]
    return [replace(period, first=run[0], last=run[-1]) for run in runs]


def _counted_tallies(ledger: Ledger, brand: str, period: Period, negative: float) -> Sequence[Tally]:
    days = days_of(period)
    start, end = days.starts[0], days.starts[-1]
    tallies = ledger.tally(brand, start, end, negative)
    for border, day, sign in ((start, days.coarse[0], 1), (end, days.coarse[-1], -1)):
        if day == border:
            continue
        # Of the coarse dates between the two edges: earlier than the local one, they belong inside the start
        # and outside the end; later than it, the other way round.
        found = ledger.coarse_tallies(brand, min(border, day), max(border, day), negative)
        inside = sign if day < border else -sign
        tallies += found if inside > 0 else [_taken_off(one) for one in found]
    return tallies


def _taken_off(one: Tally) -> Tally:
    return replace(
        one,
        count=-one.count,
        stars_sum=-one.stars_sum,
        stars_squares=-one.stars_squares,
        worded=-one.worded,
        compound_sum=-one.compound_sum,
        compound_squares=-one.compound_squares,
    )
