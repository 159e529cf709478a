"""Are storms, the operator's channel, mail, quiet hours and the heartbeat read as they are written?"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alerts.ops import OpsRules
from alerts.routing import Quiet
from alerts.storms import StormRules
from monitor.config import Config, ConfigError, read_config
from monitor.runner import second_roads

SECRETS = {"LOWSTAR_SLACK_TOKEN": "xoxb-1-abc"}


def config(environ: dict[str, str] | None = None, **tables: Any) -> Config:
    document = {"brands": [{"name": "Acme"}], "slack": {"channel": "#alerts"}, **tables}
    return read_config(document, Path("lowstar.toml"), SECRETS | (environ or {}))


def wrong(environ: dict[str, str] | None = None, **tables: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        config(environ, **tables)
    return caught.value.problems


def test_what_is_not_said_is_as_documented() -> None:
    told = config()
    assert told.storms == StormRules()
    assert told.ops == OpsRules(channel="#alerts", notifier="slack")
    assert told.email is None
    assert told.heartbeat.url == ""


def test_storms_ops_mail_and_heartbeat_are_read() -> None:
    told = config(
        {"LOWSTAR_SMTP_PASSWORD": "hunter22"},
        storms={"cases": 5, "within": "5m", "shown": 3},
        ops={"channel": "#ops", "blind_after": "12h"},
        email={"host": "smtp.example.com", "from": "lowstar@example.com", "user": "lowstar"},
        heartbeat={"url": "https://beat.example/1234"},
        routes=[
            {
                "topics": ["payment"],
                "languages": ["de"],
                "places": ["Leeds"],
                "also": True,
                "quiet": "22:00-07:00",
                "fallback": "email:ops@example.com",
            }
        ],
        timezone="Europe/Berlin",
    )
    assert (told.storms.cases, told.storms.within) == (5, timedelta(minutes=5))
    assert told.ops == OpsRules(channel="#ops", blind_after=timedelta(hours=12))
    assert told.email is not None
    assert (told.email.port, told.email.password) == (587, "hunter22")
    assert "hunter22" not in repr(told)
    assert "1234" not in repr(told)
    (route,) = told.routes
    assert (route.topics, route.languages, route.places, route.also) == (
        ("payment",),
        ("de",),
        ("Leeds",),
        True,
    )
    assert route.quiet == Quiet(22 * 60, 7 * 60, "Europe/Berlin")
    assert second_roads(told) == {("slack", "#alerts"): "email:ops@example.com"}


@pytest.mark.parametrize(
    ("tables", "where"),
    [
        ({"storms": {"cases": 1}}, "storms.cases"),
        ({"storms": {"casse": 1}}, "storms.casse"),
        ({"ops": {"channel": "ops"}}, "ops.channel"),
        ({"email": {"host": "smtp.example.com"}}, "email.from"),
        ({"email": {"host": "m.example", "from": "a\nb"}}, "email.from"),
        (
            {"email": {"host": "m.example", "from": "a@b.c", "user": "u", "security": "none"}},
            "email.security",
        ),
        ({"heartbeat": {"url": "http://beat.example/1"}}, "heartbeat.url"),
        ({"routes": [{"quiet": "at night"}]}, "routes[1].quiet"),
        ({"routes": [{"quiet": "25:00-07:00"}]}, "routes[1].quiet"),
        ({"routes": [{"languages": ["english!"]}]}, "routes[1].languages[1]"),
        ({"routes": [{"fallback": "email:nobody"}]}, "routes[1].fallback"),
        ({"routes": [{"fallback": "email:ops@example.com"}]}, "email.host"),
    ],
)
def test_each_mistake_is_named_once(tables: dict[str, Any], where: str) -> None:
    (line,) = wrong(**tables)
    assert f"lowstar.toml: {where}: " in line


def test_the_heartbeat_may_be_a_secret() -> None:
    told = config({"LOWSTAR_HEARTBEAT_URL": "https://beat.example/secret"})
    assert told.heartbeat.url == "https://beat.example/secret"
    (line,) = wrong({"LOWSTAR_HEARTBEAT_URL": "ftp://beat.example/secret"})
    assert "secret" not in line.replace("a secret", "")
