"""By when must somebody do something? Business hours, deadlines and what the team agreed; pure.

Time is counted while the calendar is open: a review of Friday 17:50 with an hour to answer, at a desk that is
open from 9 to 18, is due on Monday at 9:50. What decides is what the clock on the wall shows, so a night with
a change of daylight saving time counts the hours that really pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from alerts.customers import NOBODY, Customers
from alerts.people import NO_PEOPLE, People
from alerts.routing import Route, quiet_until
from storage.records import Case, CaseStatus, Priority, Promise

DAY = 24 * 60  # minutes
FOLLOW_UP_TEXT = "Is there anything else we can do for you?"
_NONE = timedelta(0)
_STEP = timedelta(days=1)
_SEARCHED = 800  # days without an open hour after which a calendar is taken for a mistake
_COUNTED = timedelta(days=3660)  # a longer span is not counted day by day

Hours = tuple[tuple[int, int], ...]  # minutes of a day [from, to), sorted, not touching


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """When somebody is there. The default is always."""

    zone: str = "UTC"
    week: tuple[Hours, ...] = (((0, DAY),),) * 7  # Monday first
    holidays: frozenset[str] = frozenset()  # "2026-12-24", or "12-25" for every year

    @property
    def always(self) -> bool:
        """True when every minute counts."""
        return not self.holidays and all(hours == ((0, DAY),) for hours in self.week)


ALWAYS = Calendar()


def due_by(start: datetime, within: timedelta, calendar: Calendar = ALWAYS) -> datetime:
    """The first moment at which `within` of open time has passed since `start`. UTC.

    >>> desk = Calendar(week=(((9 * 60, 18 * 60),),) * 5 + ((), ()))
    >>> due_by(datetime(2026, 11, 27, 17, 50, tzinfo=UTC), timedelta(hours=1), desk)
    datetime.datetime(2026, 11, 30, 9, 50, tzinfo=datetime.timezone.utc)
    """
    start = start.astimezone(UTC)
    if within <= _NONE:
        return start
    if calendar.always:
        return start + within
    left = within
    for opens, closes in _open_spans(start, calendar):
        opens = max(opens, start)
        if closes - opens >= left:
            return opens + left
        left -= max(closes - opens, _NONE)
    return start + within  # a calendar that never opens: better too early than never


def business_time_between(a: datetime, b: datetime, calendar: Calendar = ALWAYS) -> timedelta:
    """How much open time lies between `a` and `b`; none where `b` is not later.

    >>> desk = Calendar(week=(((9 * 60, 18 * 60),),) * 5 + ((), ()))
    >>> friday, monday = datetime(2026, 11, 27, 17, tzinfo=UTC), datetime(2026, 11, 30, 10, tzinfo=UTC)
    >>> business_time_between(friday, monday, desk)
    datetime.timedelta(seconds=7200)
    """
    a, b = a.astimezone(UTC), b.astimezone(UTC)
    if b <= a:
        return _NONE
    if calendar.always or b - a > _COUNTED:
        return b - a
    total = _NONE
    for opens, closes in _open_spans(a, calendar, until=b):
        total += max(min(closes, b) - max(opens, a), _NONE)
    return total


def _open_spans(
    start: datetime, calendar: Calendar, until: datetime | None = None
) -> Iterator[tuple[datetime, datetime]]:
    """When it is open from `start` on, in UTC: in order, not touching what was before."""
    # A day earlier: west of UTC the local day began when the UTC day had not.
    day = (start - _STEP).date()
    quiet = 0
    while quiet < _SEARCHED and (until is None or day <= (until + _STEP).date()):
        spans = _spans_of(calendar, day)
        quiet = 0 if spans else quiet + 1
        for opens, closes in spans:
            if closes > start:
                yield opens, closes
        day += _STEP


@lru_cache(maxsize=4096)
def _spans_of(calendar: Calendar, day: date) -> tuple[tuple[datetime, datetime], ...]:
    """The open hours of one day on the wall, in UTC."""
    if day.isoformat() in calendar.holidays or f"{day:%m-%d}" in calendar.holidays:
        return ()
    hours = calendar.week[day.weekday()]
    if not hours:
        return ()
    zone = ZoneInfo(calendar.zone)
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    # No zone is further than 15 hours from UTC: between these two lies the whole local day.
    first, last = midnight - timedelta(hours=15), midnight + timedelta(hours=39)
    before, after = _offset(first, zone), _offset(last, zone)
    change = last if before == after else _change(first, last, zone)
    spans = []
    for opens, closes in hours:
        begin, end = midnight + timedelta(minutes=opens), midnight + timedelta(minutes=closes)
        # What the wall shows before the change, and after it: an hour shown twice counts twice.
        spans.append((begin - before, min(end - before, change)))
        spans.append((max(begin - after, change), end - after))
    return tuple(sorted((begin, end) for begin, end in spans if begin < end))


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or _NONE


def _change(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """The moment between the two at which the offset changes, to the second."""
    before = _offset(low, zone)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        if _offset(middle, zone) == before:
            low = middle
        else:
            high = middle
    return high


# -- what the team agreed ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One level of the escalation list: who is told, how long after the level before (or the breach)."""

    people: tuple[str, ...]
    after: timedelta = _NONE
    brands: tuple[str, ...] = ()  # empty: every brand


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """What is asked some time after a case was resolved."""

    after: timedelta
    text: str = FOLLOW_UP_TEXT
    survey: str = ""  # an address
    brands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All that the clocks and the people of a case go by; built once from the Config, at the edge."""

    people: People = NO_PEOPLE
    customers: Customers = NOBODY
    calendar: Calendar = ALWAYS
    brand_calendars: Mapping[str, Calendar] = field(default_factory=dict)
    channel_calendars: Mapping[str, Calendar] = field(default_factory=dict)  # of routes that name one
    roads: Mapping[str, str] = field(default_factory=dict)  # channel → notifier, for cases without a card
    routes: tuple[Route, ...] = ()  # for their quiet hours
    remind_share: float = 0.75  # of the time to answer; 1 or more: no reminder
    claim_within: timedelta = timedelta(hours=4)  # zero: a claim is kept for ever
    promise_reminder: timedelta = timedelta(hours=24)  # before a promise is due
    steps: tuple[Step, ...] = ()
    follow_up: FollowUp | None = None
    buttons: bool = False  # somebody listens to clicks; else messages carry links only

    def calendar_for(self, brand: str, channel: str = "") -> Calendar:
        """The hours that count for a case: its route's, else its brand's, else everybody's."""
        return self.channel_calendars.get(channel) or self.brand_calendars.get(brand) or self.calendar

    def quiet_until(self, channel: str, priority: Priority, now: datetime) -> datetime | None:
        """When a clock may say something in `channel`; None: at once."""
        route = next((one for one in self.routes if one.channel == channel), None)
        return None if route is None else quiet_until(route, priority, now)

    def steps_for(self, brand: str) -> tuple[Step, ...]:
        """The escalation list of a brand: level 2, level 3, …"""
        return tuple(step for step in self.steps if not step.brands or brand in step.brands)

    def top_level(self, brand: str) -> int:
        """The last level there is; without a list a second one, which tells the channel."""
        return max(2, 1 + len(self.steps_for(brand)))

    def told_at(self, brand: str, level: int) -> tuple[str, ...]:
        """Who is told when a case of `brand` reaches `level`; nobody by name below 2 and without a list."""
        steps = self.steps_for(brand)
        return steps[level - 2].people if 2 <= level <= len(steps) + 1 else ()

    def follow_up_for(self, brand: str) -> FollowUp | None:
        """What is asked after a case of `brand`, None where nothing is."""
        wanted = self.follow_up
        return wanted if wanted and (not wanted.brands or brand in wanted.brands) else None


STANDARD = Policy()


# -- when a case's clocks ring ----------------------------------------------------------------------------


def level_by(case: Case, policy: Policy) -> datetime | None:
    """When the next level is told: after the breach, then after each level's own time. None: by no clock."""
    deadline = case.answer_by
    if not case.waiting or deadline is None or case.snoozed_until is not None:
        return None
    steps = policy.steps_for(case.brand)
    calendar = policy.calendar_for(case.brand, case.channel)
    if case.escalated_at is None or case.escalated_at < deadline:
        # Not late yet when the present level was told (if it was): the breach itself is next.
        after = steps[case.level - 1].after if case.level <= len(steps) else _NONE
        return due_by(deadline, after, calendar)
    if case.level > len(steps):
        return None
    # Whoever took it after the last level was told holds the ladder, as long as they are heard of.
    if case.status is CaseStatus.CLAIMED and case.claimed_at and case.claimed_at >= case.escalated_at:
        return None
    return due_by(case.escalated_at, steps[case.level - 1].after, calendar)


def silent_by(case: Case, promises: Sequence[Promise], policy: Policy) -> datetime | None:
    """When a claimer who is not heard of loses the case; a promise covers them until its date."""
    heard = case.heard_at or case.claimed_at
    if case.status is not CaseStatus.CLAIMED or case.snoozed_until is not None or heard is None:
        return None
    if policy.claim_within <= _NONE:
        return None
    silent = due_by(heard, policy.claim_within, policy.calendar_for(case.brand, case.channel))
    return max([silent, *(promise.due_by for promise in promises if promise.open)])


def follow_up_by(case: Case, policy: Policy) -> datetime | None:
    """When the question after the resolution is due, None where none is."""
    wanted = policy.follow_up_for(case.brand)
    if case.status is not CaseStatus.RESOLVED or case.followed_up_at is not None:
        return None
    if wanted is None or case.closed_at is None:
        return None
    return due_by(case.closed_at, wanted.after, policy.calendar_for(case.brand, case.channel))


def reminder_by(case: Case) -> datetime | None:
    """When the reminder before the deadline is due, None where none is."""
    if not case.waiting or case.snoozed_until is not None or case.escalated_at is not None:
        return None
    return case.remind_by


def wake_at(case: Case, promises: Sequence[Promise], policy: Policy) -> datetime | None:
    """When the clocks of a case must be looked at next; None when nothing will happen by itself."""
    moments = [
        case.snoozed_until,
        reminder_by(case),
        level_by(case, policy),
        silent_by(case, promises, policy),
        follow_up_by(case, policy),
    ]
    for promise in promises:
        if promise.open:
            moments += [promise.remind_by, None if promise.broken_at else promise.due_by]
    return min((moment for moment in moments if moment is not None), default=None)


def promise_remind_by(made_at: datetime, due: datetime, policy: Policy) -> datetime:
    """When a promise's owner is reminded: so long before, and for a short one at half its time."""
    return max(due - policy.promise_reminder, made_at + (due - made_at) / 2)
