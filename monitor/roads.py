"""Which roads lead to people: the notifiers this configuration can use."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO

from alerts.subscribers import NOTIFIER
from monitor.config import Config

if TYPE_CHECKING:
    from alerts.notifier import Notifier


def notifiers_for(config: Config, stream: TextIO | None = None) -> dict[str, Notifier]:
    """Every notifier a route can name, by name. The console is always there: it needs no key."""
    from alerts.console import ConsoleNotifier

    roads: dict[str, Notifier] = {"console": ConsoleNotifier(stream or sys.stdout)}
    slack = config.slack
    if slack.token:
        from alerts.slack import SlackNotifier

        roads["slack"] = SlackNotifier(slack.token, base_url=slack.base_url, timeout=slack.timeout)
    if slack.webhook_url:
        from alerts.webhook import WebhookNotifier

        roads["webhook"] = WebhookNotifier(slack.webhook_url, timeout=slack.timeout)
    if config.email is not None:
        from alerts.email import EmailNotifier

        roads["email"] = EmailNotifier(config.email)
    if config.subscriptions:
        from alerts.event_hooks import EventNotifier

        roads[NOTIFIER] = EventNotifier(config.subscriptions)
    return roads


def road_names(config: Config) -> tuple[str, ...]:
    """The names of those notifiers, without making one: the Slack client takes its time to import."""
    slack = config.slack
    there = {
        "console": True,
        "slack": bool(slack.token),
        "webhook": bool(slack.webhook_url),
        "email": config.email is not None,
        NOTIFIER: bool(config.subscriptions),
    }
    return tuple(name for name, here in there.items() if here)
