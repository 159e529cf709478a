"""No token, webhook address or password in any log line."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.notifier import Message
from alerts.redact import install_redaction, redact, uninstall_redaction
from alerts.slack import SlackNotifier
from alerts.webhook import WebhookNotifier
from monitor.standins.slack import SlackStandin

TOKEN = "xoxb-123456789012-abcdefABCDEF"
SECRETS = [
    f"token={TOKEN}",
    f"'{TOKEN}'",
    "xapp-1-A0123-456-s3cr3tpart",
    "xoxe.xoxp-1-s3cr3tpart",
    "https://hooks.slack.com/services/T0/B0/s3cr3tpart",
    "https://hooks.slack.com/triggers/T0/1/s3cr3tpart",
    "http://127.0.0.1:8080/services/T0DEMO/B0DEMO/s3cr3tpart",
    "Authorization: Bearer s3cr3tpart.x-y",
    "Authorization: Basic czNjcjN0cGFydA==",
    '{"client_secret": "s3cr3tpart"}',
    "client_secret=s3cr3tpart&x=1",
    "password = 's3cr3tpart'",
    "postgresql://lowstar:s3cr3tpart@db/lowstar",
    "refresh_token: s3cr3tpart",
]


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    install_redaction()
    install_redaction()
    yield stream
    uninstall_redaction()
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.mark.parametrize("secret", SECRETS)
def test_each_kind_of_secret_is_hidden(secret: str) -> None:
    hidden = redact(f"before {secret} after")
    for part in ("s3cr3tpart", "abcdefABCDEF", "czNjcjN0"):
        assert part not in hidden
    assert hidden.startswith("before ")


@pytest.mark.parametrize(
    "harmless",
    [
        "token=None",
        "the password was wrong",
        "12 tokens, 3 secrets",
        "basic settings",
        "bearer of news",
        "http://a:80/b",
    ],
)
def test_what_is_no_secret_stays(harmless: str) -> None:
    assert redact(harmless) == harmless


@given(st.text(max_size=3_000) | st.text("xo-.:/@ =\"'abT", max_size=3_000))
def test_any_text_can_be_cleaned(text: str) -> None:
    redact(redact(text))


def test_arguments_exceptions_and_stacks_are_cleaned_too(lines: io.StringIO) -> None:
    log = logging.getLogger("some.library")
    log.warning("posting as %s to %s", TOKEN, {"url": SECRETS[4]})
    log.warning("%(who)s", {"who": TOKEN})
    log.warning("a wrong format %d", TOKEN)
    try:
        raise ValueError(f"refused {TOKEN}")
    except ValueError:
        log.exception("it failed", stack_info=True)
    said = lines.getvalue()
    assert "abcdefABCDEF" not in said
    assert "s3cr3tpart" not in said
    assert "ValueError: refused xoxb-[hidden]" in said


def test_a_handler_added_later_gets_clean_records(lines: io.StringIO) -> None:
    late = io.StringIO()
    handler = logging.StreamHandler(late)
    log = logging.getLogger("late")
    log.addHandler(handler)
    log.error("as %s", TOKEN)
    log.removeHandler(handler)
    assert late.getvalue() == "as xoxb-[hidden]\n"


def test_neither_client_of_slack_sdk_tells_its_secret_at_debug(lines: io.StringIO) -> None:
    with SlackStandin(token=TOKEN, faults=[None, "500", None, "500"]) as slack:
        message = Message(channel="#alerts", text="hello", outbox_id="ob_1")
        for road in (
            SlackNotifier(TOKEN, base_url=slack.base_url, timeout=2),
            WebhookNotifier(slack.webhook_url, timeout=2),
        ):
            road.post(message)
            with pytest.raises(Exception, match="HTTP 500"):
                road.post(message)
        secret = slack.webhook_path.rsplit("/", 1)[1]
    said = lines.getvalue()
    assert "Sending a request" in said
    assert "abcdefABCDEF" not in said
    assert secret not in said
