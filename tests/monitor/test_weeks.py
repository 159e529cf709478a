"""Do days, weeks and months begin and end where people's calendars say?"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.weeks import Period, Span, last_full, midnight, month_of, period_of, read_period, week_of

ZONES = sorted(available_timezones() - {"localtime", "Factory"})
DATES = st.dates(date(1975, 1, 1), date(2060, 12, 31))


def _week(name: str, zone: str = "Europe/Berlin") -> Period:
    period = read_period(Span.WEEK, name, zone)
    assert period is not None
    return period


@pytest.mark.parametrize(
    ("name", "hours"), [("2026-W13", 167), ("2026-W43", 169), ("2026-W47", 168), ("2026-W14", 168)]
)
def test_a_week_with_a_change_of_clocks_has_an_hour_less_or_more(name: str, hours: int) -> None:
    week = _week(name)
    assert week.end_at - week.start_at == timedelta(hours=hours)
    assert len(week.days) == 7


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2027, 1, 3), "2026-W53"),
        (date(2027, 1, 4), "2027-W01"),
        (date(2024, 12, 30), "2025-W01"),
        (date(2026, 1, 1), "2026-W01"),
    ],
)
def test_weeks_are_iso_weeks_around_new_year(day: date, name: str) -> None:
    assert week_of(day, "UTC").name == name
    assert read_period(Span.WEEK, name, "UTC") == week_of(day, "UTC")


@pytest.mark.parametrize(
    ("period", "dates"),
    [
        (read_period(Span.WEEK, "2026-W47", "UTC"), "16 to 22 Nov 2026"),
        (read_period(Span.WEEK, "2026-W49", "UTC"), "30 Nov to 6 Dec 2026"),
        (read_period(Span.WEEK, "2026-W53", "UTC"), "28 Dec 2026 to 3 Jan 2027"),
        (read_period(Span.DAY, "2026-11-21", "UTC"), "21 Nov 2026"),
        (read_period(Span.MONTH, "2026-02", "UTC"), "1 to 28 Feb 2026"),
    ],
)
def test_dates_are_written_once(period: Period, dates: str) -> None:
    assert period.dates == dates


def test_months_and_days_step_back() -> None:
    january = month_of(date(2026, 1, 20), "UTC")
    assert [january.before(steps).name for steps in (1, 2, 13)] == ["2025-12", "2025-11", "2024-12"]
    assert january.before(-1).name == "2026-02"
    assert period_of(Span.DAY, date(2026, 3, 1), "UTC").before().name == "2026-02-28"


@pytest.mark.parametrize(
    "text", ["2026-W00", "2026-W54", "2026-47", "W47", "0000-W01", "9999-W52", "２０２６-W47", ""]
)
def test_what_is_no_week_is_none(text: str) -> None:
    assert read_period(Span.WEEK, text, "UTC") is None


def test_the_last_full_week_is_the_one_before_this_one() -> None:
    just_monday = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)  # midnight in Berlin
    assert last_full(Span.WEEK, just_monday, "Europe/Berlin").name == "2026-W47"
    assert last_full(Span.WEEK, just_monday - timedelta(seconds=1), "Europe/Berlin").name == "2026-W46"


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("America/Havana", date(2026, 3, 8)),  # clocks go from 0 to 1
        ("Asia/Beirut", date(2026, 3, 29)),
        ("Pacific/Apia", date(2011, 12, 31)),  # the day before did not exist
        ("America/Havana", date(2026, 11, 1)),  # midnight comes twice
    ],
)
def test_a_day_begins_where_it_begins_even_without_a_midnight(zone: str, day: date) -> None:
    start = midnight(day, zone)
    local = ZoneInfo(zone)
    assert start.astimezone(local).date() == day
    assert (start - timedelta(seconds=1)).astimezone(local).date() < day


@given(zone=st.sampled_from(ZONES), day=DATES, span=st.sampled_from(list(Span)))
def test_periods_follow_each_other_without_gap_or_overlap(zone: str, day: date, span: Span) -> None:
    period = period_of(span, day, zone)
    assert period.before(-1).start_at == period.end_at
    assert period.before().end_at == period.start_at
    assert day in period.days
    assert read_period(span, period.name, zone) == period
    assert period.before().before(-1) == period


@given(
    zone=st.sampled_from(ZONES),
    seconds=st.integers(157_766_400, 2_840_140_800),  # 1975 to 2059
)
def test_an_instant_lies_in_the_period_of_its_local_day(zone: str, seconds: int) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    period = week_of(at.astimezone(ZoneInfo(zone)).date(), zone)
    assert period.holds(at)
    assert not period.before().holds(at)
