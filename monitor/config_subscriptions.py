"""Which programs want to be told what happens? The tables [[subscriptions]] and their secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

from alerts.subscribers import BY_NAME, TYPES, Subscription
from monitor.config_check import Table
from monitor.config_named import TOKEN_MIN, word_of
from monitor.config_secrets import read_value, safe_url_problem

NAME_MAX = 64


def secret_variable(name: str) -> str:
    """Where the secret stands that signs what a subscription is told.

    >>> secret_variable("crm")
    'LOWSTAR_SUBSCRIPTION_CRM_SECRET'
    """
    return f"LOWSTAR_SUBSCRIPTION_{word_of(name)}_SECRET"


def read_subscriptions(
    top: Table,
    known_brand: Callable[[str], str],
    environ: Mapping[str, str],
    folder: Path,
    outside: list[str],
) -> tuple[Subscription, ...]:
    """The tables [[subscriptions]]."""
    found: list[Subscription] = []
    words: dict[str, str] = {}
    for table in top.tables("subscriptions"):
        name = table.text("name", required=True, allowed="what you call the program", check=_name_problem)
        table.who = f'subscription "{name}"' if name else ""
        url = table.text("url", required=True, allowed="its web address", check=safe_url_problem)
        events = table.texts("events", allowed=_events_allowed(), check=_event_problem, empty=False)
        brands = table.texts("brands", allowed="a list of brands' names", check=known_brand)
        timeout = table.duration("timeout", timedelta(seconds=15), "1s", "1m")
        table.close()
        other = words.setdefault(word_of(name), name)
        if name and other is not name:
            table.found("name", name, "names that differ in letters or digits: each has a secret of its own")
        secret = read_value(environ, secret_variable(name), folder, outside) if name else ""
        if name and not secret:
            outside.append(
                f"{secret_variable(name)}: not set; allowed: the secret that signs what {name!r} is told"
            )
        elif secret and len(secret) < TOKEN_MIN:
            outside.append(
                f"{secret_variable(name)}: its value is not shown; allowed: at least {TOKEN_MIN} characters"
            )
        elif name and url:
            found.append(
                Subscription(
                    name=name,
                    url=url,
                    secret=secret,
                    events=events or TYPES,
                    brands=brands,
                    timeout=timeout.total_seconds(),
                )
            )
    return tuple(found)


def _name_problem(name: str) -> str:
    return "" if name.strip() and len(name) <= NAME_MAX else f"a name of at most {NAME_MAX} characters"


def _event_problem(event: str) -> str:
    return "" if event in (*TYPES, *BY_NAME) else _events_allowed()


def _events_allowed() -> str:
    return "some of " + ", ".join((*TYPES, *BY_NAME))
