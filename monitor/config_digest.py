"""What does `[digest]` say? When the weekly digest goes where, and which topics it counts."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass

from alerts.email import address_problem
from monitor.config_check import Table, did_you_mean
from monitor.topics import Topic

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestPlan:
    """How the week is counted and when its digest is sent."""

    channel: str = ""  # where `lowstar run` sends it by itself; "": nowhere
    email: tuple[str, ...] = ()  # and to whom by mail
    timezone: str = ""  # weeks begin at its midnight; "": `timezone` of the whole file
    day: str = "monday"
    hour: int = 9  # from this hour on
    goal: int = 90  # percent of cases that should be answered in time
    topics: tuple[Topic, ...] = ()


def read_digest(
    table: Table, channel_problem: Callable[[str], str] | None, known_brand: Callable[[str], str]
) -> DigestPlan:
    """The table `[digest]`. `channel_problem` as for Slack, None where digests go another road."""

    def zone_problem(name: str) -> str:
        try:
            zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            near = did_you_mean(name, zoneinfo.available_timezones())
            return 'a zone such as "Europe/Berlin"' + (f'; did you mean "{near}"?' if near else "")
        return ""

    usual = DigestPlan()
    topics = []
    names: set[str] = set()
    for inner in table.tables("topics"):
        name = inner.text("name", required=True, allowed="what the topic is called")
        inner.who = f'topic "{name}"' if name else ""
        if name and name in names:
            inner.found("name", name, "each name once")
        names.add(name)
        terms = inner.texts("terms", allowed='a list of words: ["chat bot", "robot"]', empty=False)
        brands = inner.texts("brands", allowed="a list of brands' names", check=known_brand)
        inner.close()
        if name:
            topics.append(Topic(name=name, terms=terms or (name,), brands=brands))
    plan = DigestPlan(
        channel=table.text("channel", allowed='a channel such as "#digest"', check=channel_problem),
        email=table.texts(
            "email", allowed='a list of addresses: ["marketing@example.com"]', check=address_problem
        ),
        timezone=table.text("timezone", allowed='a zone such as "Europe/Berlin"', check=zone_problem),
        day=table.choice("day", usual.day, DAYS),
        hour=table.whole("hour", usual.hour, 0, 23),
        goal=table.whole("goal", usual.goal, 1, 100),
        topics=tuple(topics),
    )
    table.close()
    return plan
