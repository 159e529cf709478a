"""Is every mistake about people, hours and playbooks one line, and does what is right arrive where it counts?"""

from __future__ import annotations

import copy
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.routing import within_for
from alerts.sla import due_by
from monitor import config_check
from monitor.config import Config, ConfigError, read_config
from monitor.config_cases import week_of
from monitor.moments import moment
from storage.records import Priority

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
GOOD: dict[str, Any] = {
    "timezone": "Europe/Berlin",
    "brands": [{"name": "Acme"}, {"name": "Kaffa"}],
    "sources": [{"name": "hn", "kind": "hackernews"}],
    "sla": {
        "respond_within": {"urgent": "30m"},
        "hours": ["mon-fri 09:00-18:00"],
        "holidays": ["2026-12-24", "12-25"],
        "claim_within": "2h",
        "remind_at": 0.5,
        "promise_reminder": "12h",
        "calendars": [
            {"name": "night", "hours": ["mon-sun 22:00-06:00"], "timezone": "America/New_York"},
            {"name": "kaffa", "brands": ["Kaffa"]},
        ],
    },
    "routes": [
        {"channel": "console", "notifier": "console", "brands": ["Kaffa"], "respond_within": "2h"},
        {"channel": "night", "notifier": "console", "calendar": "night", "priority": "urgent"},
        {"channel": "rest", "notifier": "console", "respond_within": {"high": "1h"}},
    ],
    "people": {
        "alice": {"name": "Alice Adams", "slack": "U01ALICE7", "email": "alice@acme.example"},
        "bob": {},
    },
    "escalation": [{"people": ["alice"]}, {"people": ["bob", "U0CAROL77"], "after": "45m"}],
    "playbooks": [
        {
            "name": "refunds",
            "brands": ["Acme"],
            "topics": ["refund"],
            "replies": ["Dear {author},\nwe are sorry."],
            "may_decide": "up to 50",
            "next_step": "ask for the number",
            "owner_team": "care",
        }
    ],
    "customers": {"file": "customers.csv"},
    "follow_up": {"after": "2d", "survey": "https://survey.example/"},
}


def read(document: dict[str, Any]) -> Config:
    return read_config(document, Path("/etc/lowstar/lowstar.toml"), {})


def problems(document: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigError) as error:
        read(document)
    return [line.partition(": ")[2] for line in error.value.problems]


def test_everything_arrives_where_it_counts() -> None:
    config = read(GOOD)
    policy = config.policy
    assert policy.people.id("alice@acme.example") == "U01ALICE7"
    assert [step.people for step in policy.steps] == [("U01ALICE7",), ("bob", "U0CAROL77")]
    assert [step.after for step in policy.steps] == [timedelta(0), 45 * MINUTE]
    assert (policy.claim_within, policy.remind_share) == (2 * HOUR, 0.5)
    assert policy.follow_up is not None
    assert policy.follow_up.survey == "https://survey.example/"
    assert config.customers == Path("/etc/lowstar/customers.csv")
    assert config.playbooks[0].replies == ("Dear {author},\nwe are sorry.",)
    assert policy.roads["night"] == "console"
    assert not policy.buttons


def test_each_route_and_brand_has_its_hours_and_its_time() -> None:
    config = read(GOOD)
    policy = config.policy
    assert policy.calendar_for("Kaffa").always
    assert policy.calendar_for("Kaffa", "night").zone == "America/New_York"
    friday = datetime(2026, 11, 27, 16, 30, tzinfo=UTC)  # 17:30 in Berlin
    assert due_by(friday, HOUR, policy.calendar_for("Acme")) == datetime(2026, 11, 30, 8, 30, tzinfo=UTC)
    kaffa, _, rest = config.routes
    assert [within_for(kaffa, one) for one in (Priority.URGENT, Priority.HIGH)] == [2 * HOUR, 2 * HOUR]
    assert [within_for(rest, one) for one in Priority] == [4 * HOUR, 4 * HOUR, HOUR, 30 * MINUTE]


def test_without_a_word_about_it_nothing_changes() -> None:
    config = read({"brands": GOOD["brands"]})
    assert config.policy.calendar.always
    assert config.policy.steps == ()
    assert config.policy.follow_up is None
    assert config.routes[0].respond_within == 4 * HOUR


MISTAKES: list[tuple[str, Any, str]] = [
    ("sla.hours", ["9 to 5"], 'sla.hours[1]: found "9 to 5"; allowed: hours such as'),
    ("sla.hours", ["mon-fri 09:00-25:00"], "sla.hours[1]: found"),
    ("sla.holidays", ["31.12."], "sla.holidays[1]: found"),
    ("sla.timezone", "Berlin", 'sla.timezone: found "Berlin"'),
    ("sla.remind_at", 2, "sla.remind_at: found 2"),
    ("sla.claim_within", "soon", 'sla.claim_within: found "soon"'),
    ("sla.respond_within", {"worst": "1h"}, "sla.respond_within.worst: unknown key"),
    ("sla.respond_within", {"high": "1x"}, "sla.respond_within.high: found"),
    ("sla.calendars.0.brands", ["Nobody"], 'sla.calendars[1].brands[1]: found "Nobody"'),
    ("routes.1.calendar", "nights", 'routes[2].calendar: found "nights"'),
    ("routes.0.respond_within", 4, "routes[1].respond_within: found 4"),
    ("people.alice.slack", "alice", 'people.alice.slack: found "alice"'),
    ("people.alice.email", "alice", 'people.alice.email: found "alice"'),
    ("people.alice.nme", "x", 'people.alice.nme: unknown key; did you mean "name"?'),
    ("people.bob.name", "alice", 'people.bob.name: found "alice"; allowed: what nobody else is called'),
    ("escalation.0.people", ["alcie"], 'escalation[1].people[1]: found "alcie"'),
    ("escalation.1.after", "0s", 'escalation[2].after: found "0s"'),
    ("escalation.0.people", [], "escalation[1].people: found an empty list"),
    ("playbooks.0.replies", "one", 'playbooks[1].replies: found "one"'),
    ("playbooks.0.replies", [3], "playbooks[1].replies[1]: found 3"),
    ("playbooks.0.name", "", 'playbooks[1].name: found ""'),
    ("customers.file", 3, "customers.file: found 3"),
    ("follow_up.survey", "javascript:x", "follow_up.survey: found"),
    ("follow_up.after", "0s", "follow_up.after: found"),
]


@pytest.mark.parametrize(("where", "value", "said"), MISTAKES)
def test_a_mistake_is_one_line_that_names_it(where: str, value: Any, said: str) -> None:
    document = copy.deepcopy(GOOD)
    *way, last = where.split(".")
    at: Any = document
    for step in way:
        at = at[int(step)] if step.isdigit() else at[step]
    at[last] = value
    (line,) = problems(document)
    assert line.startswith(said), line


def test_every_setting_stands_in_the_documentation(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, set[str]] = {}
    closing = config_check.Table.close

    def close(self: config_check.Table) -> None:
        section = re.sub(r"\[[0-9]+\]", "", self.where)
        section = "people" if section.startswith("people.") else section
        if not section.endswith("respond_within"):
            asked.setdefault(section, set()).update(self._asked)
        closing(self)

    monkeypatch.setattr(config_check.Table, "close", close)
    read(GOOD)
    text = (Path(__file__).resolve().parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
    sections = {
        re.sub(r"[\[\]]", "", part.partition("\n")[0]).strip(): part for part in text.split("\n## ")[1:]
    }
    for section in ("sla", "sla.calendars", "escalation", "people", "playbooks", "customers", "follow_up"):
        assert f"\n| `{section.partition('.')[0]}` |" in sections["Top level"]
        for key in asked[section]:
            assert f"\n| `{key}` |" in sections[section], f"{section}.{key} is not documented"


# -- hours and moments --------------------------------------------------------------------------------------


def test_hours_over_midnight_belong_to_two_days() -> None:
    week = week_of(["fri 22:00-06:00", "sun 20:00-24:00"])
    assert week is not None
    assert (week[4], week[5], week[6], week[0]) == (((1320, 1440),), ((0, 360),), ((1200, 1440),), ())
    assert week_of(["mon-sun 00:00-24:00"]) == (((0, 1440),),) * 7
    assert week_of(["sat-mon 10:00-12:00"]) is not None


@given(st.lists(st.text(max_size=30), max_size=3))
def test_any_words_are_hours_or_none(lines: list[str]) -> None:
    week_of(lines)


MONDAY_NOON = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)  # 12:00 in Berlin


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-12-01 10:00", "2026-12-01T09:00"),
        ("2026-12-01", "2026-12-01T17:00"),
        ("2026-12-01T10:00Z", "2026-12-01T10:00"),
        ("tuesday 10:00", "2026-11-24T09:00"),
        ("Tue 10:00", "2026-11-24T09:00"),
        ("next tuesday at 10:00", "2026-11-24T09:00"),
        ("tuesday", "2026-11-24T17:00"),
        ("monday 10:00", "2026-11-30T09:00"),
        ("monday 15:00", "2026-11-23T14:00"),
        ("tomorrow", "2026-11-24T17:00"),
        ("tomorrow 9.30", "2026-11-24T08:30"),
        ("today 10:00", "2026-11-23T09:00"),
        ("17:30", "2026-11-23T16:30"),
        ("10:00", "2026-11-24T09:00"),
        ("2h", "2026-11-23T13:00"),
        ("in 3d", "2026-11-26T11:00"),
    ],
)
def test_people_say_when_in_their_own_words(text: str, meant: str) -> None:
    assert moment(text, MONDAY_NOON, "Europe/Berlin") == datetime.fromisoformat(meant).replace(tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "soon", "25:00", "noon", "32nd", "-2h", "t 10:00", "0001-01-01 00:00x"])
def test_what_means_no_moment_is_none(text: str) -> None:
    assert moment(text, MONDAY_NOON, "Europe/Berlin") is None


@given(st.text(max_size=30))
def test_any_text_is_a_moment_or_none(text: str) -> None:
    moment(text, MONDAY_NOON, "Asia/Tokyo")
