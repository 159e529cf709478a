"""What does lowstar.toml say of the people who answer, their hours, and what they agreed on?"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from alerts.people import SLACK_USER, People, Person
from alerts.playbooks import Playbook
from alerts.routing import Route
from alerts.sla import ALWAYS, DAY, FOLLOW_UP_TEXT, Calendar, FollowUp, Hours, Policy, Step
from monitor.config_check import Table, did_you_mean, shown
from monitor.config_secrets import safe_url_problem
from storage.records import Priority

RESPOND_WITHIN = timedelta(hours=4)
REPLY_MAX = 10_000  # characters of a reply; no source takes a longer one
HOURS = 'hours such as "mon-fri 09:00-18:00"'
HOLIDAY = 'a day: "2026-12-24", or "12-25" for every year'

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"([a-z]{3})(?:-([a-z]{3}))? ([0-9]{1,2}):([0-9]{2}) ?[-–] ?([0-9]{1,2}):([0-9]{2})")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")
_KEY = re.compile(r"[A-Za-z0-9._-]{1,64}")

Check = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sla:
    """The table [sla], and with it what routes fall back on."""

    calendar: Calendar = ALWAYS
    calendars: Mapping[str, Calendar] = field(default_factory=dict)  # of [[sla.calendars]], by name
    brand_calendars: Mapping[str, Calendar] = field(default_factory=dict)
    respond_within: timedelta = RESPOND_WITHIN
    respond_sooner: tuple[tuple[Priority, timedelta], ...] = ()
    remind_share: float = 0.75
    claim_within: timedelta = timedelta(hours=4)
    promise_reminder: timedelta = timedelta(hours=24)


# -- hours ------------------------------------------------------------------------------------------------


def week_of(lines: Sequence[str]) -> tuple[Hours, ...] | None:
    """The open hours of a week, Monday first; None where a line says no hours.

    >>> week_of(["mon-tue 09:00-18:00", "tue 17:00-20:00"])[1]
    ((540, 1200),)
    """
    spans: list[list[tuple[int, int]]] = [[] for _ in _DAYS]
    for line in lines:
        found = _HOURS.fullmatch(" ".join(line.lower().split()))
        if found is None or found[1] not in _DAYS or (found[2] or found[1]) not in _DAYS:
            return None
        opens = int(found[3]) * 60 + int(found[4])
        closes = int(found[5]) * 60 + int(found[6])
        if int(found[4]) > 59 or int(found[6]) > 59 or opens >= DAY or closes > DAY or opens == closes:
            return None
        first, last = _DAYS.index(found[1]), _DAYS.index(found[2] or found[1])
        for offset in range((last - first) % 7 + 1):
            day = (first + offset) % 7
            if opens < closes:
                spans[day].append((opens, closes))
                continue
            spans[day].append((opens, DAY))  # over midnight
            if closes:
                spans[(day + 1) % 7].append((0, closes))
    return tuple(_merged(day) for day in spans)


def _merged(spans: list[tuple[int, int]]) -> Hours:
    merged: list[tuple[int, int]] = []
    for opens, closes in sorted(spans):
        if merged and opens <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], closes))
        else:
            merged.append((opens, closes))
    return tuple(merged)


def _holiday_problem(day: str) -> str:
    try:
        # A leap year, so that 02-29 is a day.
        date.fromisoformat(day if len(day) == 10 else f"2024-{day}")
    except ValueError:
        return HOLIDAY
    return "" if len(day) in (5, 10) else HOLIDAY


def zone_problem(name: str) -> str:
    """What keeps `name` from being a time zone, "" where nothing does."""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        near = did_you_mean(name, zoneinfo.available_timezones())
        return 'a zone such as "Europe/Berlin"' + (f'; did you mean "{near}"?' if near else "")
    return ""


def _read_calendar(table: Table, timezone: str) -> Calendar:
    zone = table.text("timezone", timezone, allowed='a zone such as "Europe/Berlin"', check=zone_problem)
    lines = table.texts(
        "hours",
        allowed=f"a list of {HOURS}",
        check=lambda line: "" if week_of([line]) else HOURS,
        empty=False,
    )
    holidays = table.texts("holidays", allowed=f"a list; each {HOLIDAY}", check=_holiday_problem)
    week = week_of(lines) if lines else None
    return Calendar(zone=zone, week=week if week is not None else ALWAYS.week, holidays=frozenset(holidays))


# -- tables -----------------------------------------------------------------------------------------------


def read_sla(table: Table, timezone: str, brand_check: Check) -> Sla:
    """[sla], with [[sla.calendars]] in it."""
    usual = Sla()
    within, sooner = read_respond_within(table, RESPOND_WITHIN, ())
    calendars: dict[str, Calendar] = {}
    of_brands: dict[str, Calendar] = {}
    for one in table.tables("calendars"):
        name = one.text("name", required=True, allowed="a name of its own")
        one.who = f"calendar {shown(name)}" if name else ""
        if name and name in calendars:
            one.found("name", name, "each name once")
        brands = one.texts("brands", allowed="a list of brands' names", check=brand_check)
        calendars[name] = _read_calendar(one, timezone)
        for brand in brands:
            if brand in of_brands:
                one.found("brands", brand, "each brand in one calendar")
            of_brands[brand] = calendars[name]
        one.close()
    sla = Sla(
        calendar=_read_calendar(table, timezone),
        calendars=calendars,
        brand_calendars=of_brands,
        respond_within=within,
        respond_sooner=sooner,
        remind_share=table.number("remind_at", usual.remind_share, 0.05, 1),
        claim_within=table.duration("claim_within", usual.claim_within, "0s", "52w"),
        promise_reminder=table.duration("promise_reminder", usual.promise_reminder, "0s", "4w"),
    )
    table.close()
    return sla


def read_respond_within(
    table: Table, default: timedelta, sooner: tuple[tuple[Priority, timedelta], ...]
) -> tuple[timedelta, tuple[tuple[Priority, timedelta], ...]]:
    """`respond_within`: one duration, or one a priority: `{ urgent = "30m", high = "4h" }`."""
    if not table.given("respond_within"):
        table.raw("respond_within")  # it is known, even where it is not said
        return default, sooner
    if not isinstance(table.raw("respond_within"), dict):
        return table.duration("respond_within", default, "1m", "52w"), ()
    by_priority = table.table("respond_within")
    times = {
        one: by_priority.duration(one.word, default, "1m", "52w")
        for one in Priority
        if by_priority.given(one.word)
    }
    for one in Priority:
        by_priority.raw(one.word)
    by_priority.close()
    return default, tuple({**dict(sooner), **times}.items())


def read_people(top: Table) -> People:
    """[people]: a table each, named by login."""
    table = top.table("people")
    people: list[Person] = []
    words: dict[str, str] = {}
    for key in table.values:
        one = table.table(key)
        if not _KEY.fullmatch(key):
            table.wrong(key, f"found {shown(key)}; allowed: a login: letters, digits, dots, - and _")
        person = Person(
            key=key,
            name=one.text("name"),
            slack=one.text("slack", check=_slack_problem),
            email=one.text("email", check=_email_problem),
        )
        one.close()
        for word in filter(None, {person.key, person.name, person.slack, person.email}):
            if words.setdefault(word.casefold(), key) != key:
                one.found("name", word, f"what nobody else is called: {words[word.casefold()]} is")
        people.append(person)
    return People(people)


def _slack_problem(text: str) -> str:
    return "" if SLACK_USER.fullmatch(text) else 'a Slack member id such as "U01ALICE7"'


def _email_problem(text: str) -> str:
    return "" if _EMAIL.fullmatch(text) else "an e-mail address"


def read_escalation(top: Table, people: People, brand_check: Check) -> tuple[Step, ...]:
    """[[escalation]]: level 2 first."""
    steps: list[Step] = []
    for table in top.tables("escalation"):
        whom = table.texts(
            "people",
            allowed="a list of who is told: keys of [people], or Slack ids",
            check=lambda word: _person_problem(word, people),
            empty=False,
        )
        if not whom and not table.given("people"):
            table.missing("people", "a list of who is told: keys of [people], or Slack ids")
        brands = table.texts("brands", allowed="a list of brands' names", check=brand_check)
        first = not any(not step.brands or not brands or set(step.brands) & set(brands) for step in steps)
        # Level 2 is told of the breach at once; whoever is above, when those below had their time.
        least, usual = ("0s", timedelta(0)) if first else ("1m", timedelta(minutes=30))
        after = table.duration("after", usual, least, "52w")
        table.close()
        steps.append(Step(people=tuple(people.id(word) for word in whom), after=after, brands=brands))
    return tuple(steps)


def _person_problem(word: str, people: People) -> str:
    if people.find(word) or SLACK_USER.fullmatch(word):
        return ""
    keys = [person.key for person in people.everybody]
    near = did_you_mean(word, keys)
    known = ", ".join(shown(key) for key in keys) or "none yet"
    return f"a key of [people]: {known}; or a Slack id" + (f"; did you mean {shown(near)}?" if near else "")


def read_follow_up(top: Table, brand_check: Check) -> FollowUp | None:
    """[follow_up]; None where it is not said."""
    if not top.given("follow_up"):
        top.raw("follow_up")
        return None
    table = top.table("follow_up")
    follow_up = FollowUp(
        after=table.duration("after", timedelta(days=3), "1m", "52w"),
        text=table.text("text", FOLLOW_UP_TEXT),
        survey=table.text("survey", allowed="a web address", check=safe_url_problem),
        brands=table.texts("brands", allowed="a list of brands' names", check=brand_check),
    )
    table.close()
    return follow_up


def read_customers_file(table: Table, folder: Path) -> Path | None:
    """[customers]: where the exported table lies; None where there is none."""
    name = table.text("file", allowed='the path of a CSV file: "customers.csv"')
    table.close()
    return (folder.absolute() / name) if name else None


def read_playbooks(top: Table, brand_check: Check) -> tuple[Playbook, ...]:
    """[[playbooks]]."""
    books: list[Playbook] = []
    names: set[str] = set()
    for table in top.tables("playbooks"):
        name = table.text("name", required=True, allowed="a name of its own")
        table.who = f"playbook {shown(name)}" if name else ""
        if name and name in names:
            table.found("name", name, "each name once")
        names.add(name)
        books.append(
            Playbook(
                name=name,
                brands=table.texts("brands", allowed="a list of brands' names", check=brand_check),
                topics=table.texts("topics", allowed='a list of topics: ["delivery", "refund"]'),
                replies=_replies(table),
                may_decide=table.text("may_decide"),
                next_step=table.text("next_step"),
                owner_team=table.text("owner_team"),
            )
        )
        table.close()
    return tuple(books)


def _replies(table: Table) -> tuple[str, ...]:
    """A list of texts; the only ones in the file that may have several lines."""
    allowed = 'a list of texts: ["Dear {author}, …"]'
    values = table.raw("replies")
    if values is None:
        return ()
    if not isinstance(values, list):
        table.found("replies", values, allowed)
        return ()
    kept = []
    for at, value in enumerate(values, start=1):
        if isinstance(value, str) and value.strip() and len(value) <= REPLY_MAX:
            kept.append(value.strip())
        else:
            table.wrong(
                f"replies[{at}]", f"found {shown(value)}; allowed: a text of 1 to {REPLY_MAX:,} characters"
            )
    return tuple(kept)


# -- together ---------------------------------------------------------------------------------------------


def policy_of(
    sla: Sla,
    people: People,
    steps: tuple[Step, ...],
    follow_up: FollowUp | None,
    routes: Sequence[Route],
    *,
    buttons: bool,
) -> Policy:
    """The Policy these tables stand for; customers are read later, at the edge."""
    of_channels: dict[str, Calendar] = {}
    roads: dict[str, str] = {}
    for route in routes:
        roads.setdefault(route.channel, route.notifier)
        if route.calendar in sla.calendars:
            of_channels.setdefault(route.channel, sla.calendars[route.calendar])
    return Policy(
        people=people,
        calendar=sla.calendar,
        brand_calendars=sla.brand_calendars,
        channel_calendars=of_channels,
        roads=roads,
        routes=tuple(routes),
        remind_share=sla.remind_share,
        claim_within=sla.claim_within,
        promise_reminder=sla.promise_reminder,
        steps=steps,
        follow_up=follow_up,
        buttons=buttons,
    )


def calendar_problem(calendars: Collection[str]) -> Check:
    """A check that a route's calendar is one of [[sla.calendars]]."""

    def check(name: str) -> str:
        if name in calendars:
            return ""
        known = ", ".join(shown(one) for one in sorted(calendars)) or "none yet"
        return f"the name of one of [[sla.calendars]]: {known}"

    return check
