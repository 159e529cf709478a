"""When does a day, an ISO week, a month begin in a time zone, and when does it end?

A period is made of local dates; its instants follow from them, so a week with a change of the clocks has 167
or 169 hours and still seven days.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

_WEEK = re.compile(r"(\d{4})-?W(\d{1,2})", re.IGNORECASE | re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d{1,2})", re.ASCII)
_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Span(StrEnum):
    """How long a period is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Period:
    """Some whole days of a time zone: from the start of `first` to the end of `last`."""

    span: Span
    first: date
    last: date
    zone: str

    @property
    def name(self) -> str:
        """Its name for good: `2026-W47`, `2026-11-21`, `2026-11`."""
        match self.span:
            case Span.WEEK:
                year, week, _ = self.first.isocalendar()
                return f"{year:04d}-W{week:02d}"
            case Span.MONTH:
                return f"{self.first.year:04d}-{self.first.month:02d}"
        return self.first.isoformat()

    @property
    def title(self) -> str:
        """What people call it: `Week 47`, `21 Nov 2026`, `Nov 2026`."""
        match self.span:
            case Span.WEEK:
                return f"Week {self.first.isocalendar().week}"
            case Span.MONTH:
                return f"{MONTHS[self.first.month - 1]} {self.first.year}"
        return day_text(self.first)

    @property
    def dates(self) -> str:
        """From when to when: `16 to 22 Nov 2026`."""
        if self.first == self.last:
            return day_text(self.first)
        begin, end = self.first, self.last
        if begin.year != end.year:
            return f"{day_text(begin)} to {day_text(end)}"
        if begin.month != end.month:
            return f"{begin.day} {MONTHS[begin.month - 1]} to {day_text(end)}"
        return f"{begin.day} to {day_text(end)}"

    @property
    def start_at(self) -> datetime:
        """Its first instant, in UTC."""
        return midnight(self.first, self.zone)

    @property
    def end_at(self) -> datetime:
        """The first instant after it, in UTC."""
        return midnight(self.last + timedelta(days=1), self.zone)

    @property
    def days(self) -> tuple[date, ...]:
        """Its days, in order."""
        return tuple(self.first + timedelta(days=at) for at in range((self.last - self.first).days + 1))

    def before(self, steps: int = 1) -> Period:
        """The period of the same length so many steps earlier."""
        if self.span is Span.MONTH:
            months = self.first.year * 12 + self.first.month - 1 - steps
            return month_of(date(months // 12, months % 12 + 1, 1), self.zone)
        days = timedelta(days=steps * (7 if self.span is Span.WEEK else 1))
        return Period(self.span, self.first - days, self.last - days, self.zone)

    def day_of(self, at: datetime, *, coarse: bool = False) -> date:
        """The local date of an instant; of a `coarse` one, that is a day without a time, the day as it was said."""
        return at.astimezone(UTC if coarse else ZoneInfo(self.zone)).date()

    def holds(self, at: datetime, *, coarse: bool = False) -> bool:
        """True when `at` lies in it."""
        return self.first <= self.day_of(at, coarse=coarse) <= self.last


def midnight(day: date, zone: str) -> datetime:
    """The first instant of a local day, in UTC, also where the clocks change at midnight.

    >>> midnight(date(2026, 3, 30), "Europe/Berlin").isoformat()
    '2026-03-29T22:00:00+00:00'
    """
    local = ZoneInfo(zone)
    at = datetime.combine(day, time(), local).astimezone(UTC)
    # Where midnight does not exist (clocks go from 0 to 1) the day begins at the first instant that has its date.
    while at.astimezone(local).date() < day:
        at += timedelta(minutes=15)
    return at


def week_of(day: date, zone: str) -> Period:
    """The ISO week of a date, Monday to Sunday."""
    first = day - timedelta(days=day.weekday())
    return Period(Span.WEEK, first, first + timedelta(days=6), zone)


def month_of(day: date, zone: str) -> Period:
    """The month of a date."""
    first = day.replace(day=1)
    after = (first + timedelta(days=31)).replace(day=1)
    return Period(Span.MONTH, first, after - timedelta(days=1), zone)


def period_of(span: Span, day: date, zone: str) -> Period:
    """The day, week or month of a date."""
    match span:
        case Span.WEEK:
            return week_of(day, zone)
        case Span.MONTH:
            return month_of(day, zone)
    return Period(Span.DAY, day, day, zone)


def last_full(span: Span, now: datetime, zone: str) -> Period:
    """The latest period that is over at `now`."""
    return period_of(span, now.astimezone(ZoneInfo(zone)).date(), zone).before()


def read_period(span: Span, text: str, zone: str) -> Period | None:
    """The period a person means, None where it is none: `2026-W47`, `2026-11-21`, `2026-11`.

    >>> week = read_period(Span.WEEK, "2026-w47", "UTC")
    >>> week.name, week.dates, week.before(47).name
    ('2026-W47', '16 to 22 Nov 2026', '2025-W52')
    >>> read_period(Span.WEEK, "2026-W54", "UTC"), read_period(Span.DAY, "2026-02-30", "UTC")
    (None, None)
    """
    form = {Span.WEEK: _WEEK, Span.MONTH: _MONTH, Span.DAY: _DAY}[span]
    found = form.fullmatch(text.strip())
    if found is None:
        return None
    numbers = [int(number) for number in found.groups()]
    if not 1970 <= numbers[0] <= 9000:
        return None
    try:
        if span is Span.WEEK:
            return week_of(date.fromisocalendar(numbers[0], numbers[1], 1), zone)
        return period_of(span, date(*numbers, *([1] if span is Span.MONTH else [])), zone)
    except ValueError:
        return None


def day_text(day: date) -> str:
    """A date as people read it: `21 Nov 2026`."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
