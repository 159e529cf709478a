"""Is a deadline where the clock on the wall says it is, in every zone and on every night?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from alerting import case as a_case
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.sla import (
    ALWAYS,
    DAY,
    Calendar,
    FollowUp,
    Policy,
    Step,
    business_time_between,
    due_by,
    follow_up_by,
    level_by,
    promise_remind_by,
    silent_by,
    wake_at,
)
from storage.records import CaseStatus, Promise

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)  # a Monday
NINE_TO_SIX = Calendar(week=(((9 * 60, 18 * 60),),) * 5 + ((), ()))

# Nights on which clocks were changed, by an hour, by half an hour, by a whole day, and one far from UTC.
NIGHTS = [
    ("Europe/Berlin", datetime(2026, 3, 28, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 24, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 7, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 10, 31, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 28, tzinfo=UTC)),
    ("Pacific/Kiritimati", datetime(2026, 6, 1, tzinfo=UTC)),
    ("America/Santiago", datetime(2026, 9, 5, tzinfo=UTC)),  # its midnight does not exist
    ("UTC", datetime(2026, 2, 27, tzinfo=UTC)),
]


def open_at(at: datetime, calendar: Calendar) -> bool:
    """The definition, read off the wall."""
    wall = at.astimezone(ZoneInfo(calendar.zone))
    if f"{wall:%Y-%m-%d}" in calendar.holidays or f"{wall:%m-%d}" in calendar.holidays:
        return False
    minute = wall.hour * 60 + wall.minute
    return any(opens <= minute < closes for opens, closes in calendar.week[wall.weekday()])


def stepped(a: datetime, b: datetime, calendar: Calendar) -> timedelta:
    """The open time between, counted minute by minute."""
    total = timedelta(0)
    while a < b:
        total += MINUTE if open_at(a, calendar) else timedelta(0)
        a += MINUTE
    return total


spans = st.tuples(st.integers(0, DAY - 1), st.integers(1, DAY)).filter(lambda one: one[0] < one[1])
days = st.one_of(
    st.just(()),
    spans.map(lambda one: (one,)),
    st.lists(st.integers(0, DAY), min_size=4, max_size=4, unique=True).map(
        lambda four: ((sorted(four)[0], sorted(four)[1]), (sorted(four)[2], sorted(four)[3]))
    ),
)


@settings(max_examples=40, deadline=None)
@given(
    night=st.sampled_from(NIGHTS),
    week=st.lists(days, min_size=7, max_size=7),
    start=st.integers(0, 3 * DAY),
    length=st.integers(0, 2 * DAY),
    holiday=st.booleans(),
)
def test_open_time_is_what_the_clock_on_the_wall_shows(
    night: tuple[str, datetime],
    week: list[tuple[tuple[int, int], ...]],
    start: int,
    length: int,
    holiday: bool,
) -> None:
    zone, base = night
    free = frozenset({f"{base + timedelta(days=1):%m-%d}"}) if holiday else frozenset()
    calendar = Calendar(zone=zone, week=tuple(week), holidays=free)
    a = base + start * MINUTE
    b = a + length * MINUTE
    assert business_time_between(a, b, calendar) == stepped(a, b, calendar)


@settings(max_examples=80, deadline=None)
@given(
    night=st.sampled_from(NIGHTS),
    # At least an hour a week: else the deadline lies beyond what is counted day by day.
    week=st.lists(days, min_size=7, max_size=7).filter(
        lambda week: sum(closes - opens for day in week for opens, closes in day) >= 60
    ),
    start=st.integers(0, 3 * DAY * 60),
    within=st.integers(1, 40 * 60),
)
def test_a_deadline_is_the_first_moment_with_so_much_open_time_behind_it(
    night: tuple[str, datetime], week: list[tuple[tuple[int, int], ...]], start: int, within: int
) -> None:
    zone, base = night
    calendar = Calendar(zone=zone, week=tuple(week))
    begin = base + timedelta(seconds=start)
    span = timedelta(minutes=within)
    due = due_by(begin, span, calendar)
    assert due > begin
    assert business_time_between(begin, due, calendar) == span
    assert business_time_between(begin, due - timedelta(seconds=1), calendar) < span
    assert due_by(begin, span + MINUTE, calendar) > due


@given(
    st.integers(0, 2**32).map(lambda at: datetime.fromtimestamp(at, UTC)),
    st.timedeltas(-HOUR, 400 * 24 * HOUR),
)
def test_around_the_clock_a_deadline_is_a_sum(start: datetime, within: timedelta) -> None:
    assert due_by(start, within, ALWAYS) == start + max(within, timedelta(0))
    assert business_time_between(start, start + within, ALWAYS) == max(within, timedelta(0))


@pytest.mark.parametrize(
    ("start", "within", "due"),
    [
        ("2026-11-27T17:50", HOUR, "2026-11-30T09:50"),  # over a week end
        ("2026-11-28T12:00", HOUR, "2026-11-30T10:00"),  # on a Saturday
        ("2026-11-23T08:00", HOUR, "2026-11-23T10:00"),  # before the door opens
        ("2026-11-23T17:00", HOUR, "2026-11-23T18:00"),  # to the minute it closes
        ("2026-11-23T09:00", 45 * HOUR, "2026-11-27T18:00"),  # a whole week
    ],
)
def test_time_counts_while_somebody_is_there(start: str, within: timedelta, due: str) -> None:
    begin = datetime.fromisoformat(start).replace(tzinfo=UTC)
    assert due_by(begin, within, NINE_TO_SIX) == datetime.fromisoformat(due).replace(tzinfo=UTC)


def test_holidays_do_not_count_once_or_every_year() -> None:
    free = replace(NINE_TO_SIX, holidays=frozenset({"2026-11-24", "11-25"}))
    monday = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
    assert due_by(monday, 2 * HOUR, free) == datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
    next_year = datetime(2027, 11, 24, 17, 0, tzinfo=UTC)
    assert due_by(next_year, 2 * HOUR, free) == datetime(2027, 11, 26, 10, 0, tzinfo=UTC)


def test_a_desk_in_berlin_opens_an_hour_earlier_in_summer() -> None:
    desk = replace(NINE_TO_SIX, zone="Europe/Berlin")
    winter, summer = datetime(2026, 1, 12, 0, 0, tzinfo=UTC), datetime(2026, 7, 13, 0, 0, tzinfo=UTC)
    assert due_by(winter, HOUR, desk).hour == 9
    assert due_by(summer, HOUR, desk).hour == 8


def test_a_calendar_that_never_opens_is_too_early_rather_than_never() -> None:
    never = Calendar(week=((),) * 7)
    assert due_by(NOW, HOUR, never) == NOW + HOUR
    assert business_time_between(NOW, NOW + 24 * HOUR, never) == timedelta(0)


# -- clocks of a case ---------------------------------------------------------------------------------------

POLICY = Policy(
    steps=(Step(people=("bob",)), Step(people=("carol",), after=30 * MINUTE)),
    claim_within=2 * HOUR,
    follow_up=FollowUp(after=3 * 24 * HOUR),
)
OPEN = a_case(opened_at=NOW, respond_by=NOW + 4 * HOUR, remind_by=NOW + 3 * HOUR)
CLAIMED = replace(OPEN, status=CaseStatus.CLAIMED, owner="alice", claimed_at=NOW, heard_at=NOW)


def test_levels_are_told_one_after_the_other_each_after_its_own_time() -> None:
    assert level_by(OPEN, POLICY) == NOW + 4 * HOUR
    told = replace(OPEN, level=2, escalated_at=NOW + 4 * HOUR)
    assert level_by(told, POLICY) == NOW + 4 * HOUR + 30 * MINUTE
    assert level_by(replace(told, level=3), POLICY) is None


def test_who_takes_a_late_case_holds_the_ladder() -> None:
    told = replace(CLAIMED, level=2, escalated_at=NOW + 4 * HOUR)
    assert level_by(told, POLICY) is not None  # the claim is older than the breach
    assert level_by(replace(told, claimed_at=NOW + 5 * HOUR), POLICY) is None


def test_an_early_escalation_does_not_hide_the_breach() -> None:
    early = replace(OPEN, level=2, escalated_at=NOW + HOUR)
    assert level_by(early, POLICY) == NOW + 4 * HOUR + 30 * MINUTE
    assert level_by(replace(early, level=3), POLICY) == NOW + 4 * HOUR


def test_a_claimer_is_heard_of_or_covered_by_a_promise() -> None:
    assert silent_by(CLAIMED, (), POLICY) == NOW + 2 * HOUR
    promise = Promise(7, "back", NOW + 9 * HOUR)
    assert silent_by(CLAIMED, [promise], POLICY) == NOW + 9 * HOUR
    assert silent_by(CLAIMED, [replace(promise, kept_at=NOW)], POLICY) == NOW + 2 * HOUR
    assert silent_by(CLAIMED, (), replace(POLICY, claim_within=timedelta(0))) is None
    assert silent_by(OPEN, (), POLICY) is None


def test_nobody_is_rung_about_a_snoozed_case_but_for_its_promises() -> None:
    snoozed = replace(CLAIMED, snoozed_until=NOW + 50 * HOUR)
    assert wake_at(snoozed, (), POLICY) == NOW + 50 * HOUR
    assert wake_at(snoozed, [Promise(7, "back", NOW + HOUR)], POLICY) == NOW + HOUR


def test_a_resolved_case_wakes_for_its_follow_up_and_for_what_is_owed() -> None:
    resolved = replace(OPEN, status=CaseStatus.RESOLVED, closed_at=NOW)
    assert follow_up_by(resolved, POLICY) == NOW + 72 * HOUR
    assert wake_at(replace(resolved, followed_up_at=NOW), (), POLICY) is None
    assert wake_at(resolved, [Promise(7, "back", NOW + HOUR)], POLICY) == NOW + HOUR
    assert wake_at(replace(resolved, status=CaseStatus.DISMISSED), (), POLICY) is None


def test_a_short_promise_is_reminded_of_at_half_its_time() -> None:
    assert promise_remind_by(NOW, NOW + 72 * HOUR, POLICY) == NOW + 48 * HOUR
    assert promise_remind_by(NOW, NOW + 2 * HOUR, POLICY) == NOW + HOUR
