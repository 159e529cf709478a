"""What does lowstar.toml say of storms, spikes, learning, of what the operator hears, and of mail?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from alerts.email import Mailbox, address_problem
from alerts.ops import OpsRules
from alerts.routing import Quiet, Route
from alerts.storms import StormRules
from monitor.config_check import Table
from monitor.config_secrets import read_value, safe_url_problem
from monitor.spikes import SpikeRules

SMTP_PASSWORD = "LOWSTAR_SMTP_PASSWORD"  # noqa: S105 - the name of a variable, no secret
HEARTBEAT_URL = "LOWSTAR_HEARTBEAT_URL"
EMAIL = "email:"  # what a route's fallback begins with when it is a mail address
QUIET = 'hours of the night such as "22:00-07:00"'

_QUIET = re.compile(r"([0-9]{1,2}):([0-9]{2}) ?[-–] ?([0-9]{1,2}):([0-9]{2})")
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}|[0-9a-f:]{2,45}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """Who is told after each run that all is well: a web address that counts its calls."""

    url: str = field(default="", repr=False)  # whoever has it can say in our name that all is well


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningRules:
    """When what the team taught may be adopted."""

    audit: float = 0.2  # share of the labels that must be of posts nobody was alerted to
    least: int = 30  # labels
    back: timedelta = timedelta(days=90)  # of history that is judged anew to show what would change


def read_storms(table: Table) -> StormRules:
    usual = StormRules()
    storms = StormRules(
        on=table.flag("on", usual.on),
        cases=table.whole("cases", usual.cases, 2, 100_000),
        within=table.duration("within", usual.within, "1m", "1d"),
        backlog=table.whole("backlog", usual.backlog, 2, 100_000),
        shown=table.whole("shown", usual.shown, 0, 1_000),
        calm=table.duration("calm", usual.calm, "1m", "1d"),
        refresh=table.duration("refresh", usual.refresh, "10s", "1h"),
    )
    table.close()
    return storms


def read_spikes(table: Table) -> SpikeRules:
    usual = SpikeRules()
    spikes = SpikeRules(
        on=table.flag("on", usual.on),
        least=table.whole("least", usual.least, 3, 10_000),
        times=table.number("times", usual.times, 1.1, 100),
    )
    table.close()
    return spikes


def read_learning(table: Table) -> LearningRules:
    usual = LearningRules()
    learning = LearningRules(
        audit=table.number("audit", usual.audit, 0, 0.9),
        least=table.whole("least", usual.least, 10, 100_000),
        back=table.duration("back", usual.back, "1d", "104w"),
    )
    table.close()
    return learning


def read_ops(
    table: Table, roads: Sequence[str], check_channel: Mapping[str, object], first: Route | None
) -> OpsRules:
    """The table [ops]; without a channel the operator is told where the first route leads."""
    usual = OpsRules()
    notifier = table.choice("notifier", first.notifier if first else "console", tuple(roads))
    check = check_channel.get(notifier)
    channel = table.text("channel", check=check if callable(check) else None)
    if not channel and not table.given("channel") and first is not None and notifier == first.notifier:
        channel = first.channel
    ops = OpsRules(
        channel=channel,
        notifier=notifier,
        blind_after=table.duration("blind_after", usual.blind_after, "10m", "4w"),
    )
    table.close()
    return ops


def read_email(table: Table, environ: Mapping[str, str], folder: Path, outside: list[str]) -> Mailbox | None:
    """The table [email]; None where it names no server."""
    password = read_value(environ, SMTP_PASSWORD, folder, outside)
    host = table.text(
        "host", check=lambda name: "" if _HOST.fullmatch(name) else 'a server such as "smtp.example.com"'
    )
    security = table.choice("security", "starttls", ("starttls", "tls", "none"))
    port = table.whole("port", {"starttls": 587, "tls": 465, "none": 25}[security], 1, 65_535)
    sender = table.text("from", check=address_problem)
    mailbox = Mailbox(
        host=host,
        port=port,
        sender=sender,
        user=table.text("user"),
        password=password,
        security=security,
        timeout=table.duration("timeout", timedelta(seconds=30), "1s", "5m").total_seconds(),
    )
    if host and not sender and not table.given("from"):
        table.missing("from", "the address mail comes from, such as lowstar@example.com")
    if host and security == "none" and mailbox.user and host not in ("127.0.0.1", "localhost", "::1"):
        table.found("security", security, '"starttls" or "tls": a password is never sent over an open line')
    table.close()
    return mailbox if host and sender else None


def read_heartbeat(table: Table, environ: Mapping[str, str], folder: Path, outside: list[str]) -> Heartbeat:
    url = table.text("url", allowed="a web address", check=safe_url_problem)
    table.close()
    secret = read_value(environ, HEARTBEAT_URL, folder, outside)
    if secret and (problem := safe_url_problem(secret)):
        outside.append(f"{HEARTBEAT_URL}: its value is not shown; allowed: {problem}")
        secret = ""
    return Heartbeat(url=secret or url)


def quiet_problem(text: str) -> str:
    """What keeps `text` from being quiet hours, "" where nothing does.

    >>> quiet_problem("22:00-07:00"), quiet_problem("at night") == ""
    ('', False)
    """
    found = _QUIET.fullmatch(text)
    if found is None:
        return QUIET
    hours = (int(found[1]), int(found[3]))
    minutes = (int(found[2]), int(found[4]))
    return (
        ""
        if max(hours) < 24 and max(minutes) < 60 and (hours[0], minutes[0]) != (hours[1], minutes[1])
        else QUIET
    )


def quiet_of(text: str, zone: str) -> Quiet | None:
    """The quiet hours `text` says; None where it says none."""
    found = _QUIET.fullmatch(text)
    if found is None:
        return None
    return Quiet(int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4]), zone)


def email_problem(fallback: str) -> str:
    """What keeps a fallback that begins with "email:" from being one, "" where nothing does."""
    return "" if not address_problem(fallback.removeprefix(EMAIL)) else '"email:" and a mail address'


def check_second_roads(table: Table, routes: Sequence[Route], mailbox: Mailbox | None) -> None:
    """Note routes that fall back on mail where no server for it is named."""
    if mailbox is None and not table.given("host"):
        for route in routes:
            if route.fallback.startswith(EMAIL) or route.notifier == "email":
                table.missing("host", f"the mail server that {route.channel}'s mail goes through")
                return
