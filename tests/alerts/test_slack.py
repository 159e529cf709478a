"""What each answer of Slack means, asked of a Slack stand-in through the real SDK."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.error import URLError

import pytest

from alerts import slack as road
from alerts.notifier import (
    CannotLook,
    ChannelClosed,
    Message,
    NotifyError,
    NotSent,
    RateLimited,
    Receipt,
    Search,
    TokenRefused,
    Uncertain,
    Unchangeable,
    Unrenderable,
)
from alerts.slack import SlackNotifier, classify, retry_after
from alerts.webhook import CLOSED, GONE, REFUSED, WebhookNotifier
from monitor.standins.slack import BREAKAGES, SlackStandin

MESSAGE = Message(channel="#alerts", text="REP-0001: hello", outbox_id="ob_1", number=1)


@pytest.fixture
def slack() -> Iterator[SlackStandin]:
    with SlackStandin(hang=1.0) as standin:
        yield standin


@pytest.fixture
def notifier(slack: SlackStandin) -> SlackNotifier:
    return SlackNotifier("xoxb-demo", base_url=slack.base_url, timeout=0.5)


@pytest.fixture(autouse=True)
def quiet_sdk(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "slack_sdk")


def search(id_: str = "ob_1", thread: str | None = None, **more: Any) -> Search:
    now = datetime.now(UTC)
    return Search(
        "#alerts", id_, now - timedelta(minutes=5), now, thread, extra={"remote_channel": "C0DEMO001", **more}
    )


# -- sending -------------------------------------------------------------------------------------------------


def test_a_message_arrives_with_its_outbox_id(slack: SlackStandin, notifier: SlackNotifier) -> None:
    receipt = notifier.post(MESSAGE)
    (posted,) = slack.posted("#alerts")
    assert receipt == Receipt(posted.ts, "C0DEMO001")
    assert posted.outbox_id == "ob_1"
    arguments = slack.calls[0][1]
    assert arguments["parse"] == "none"
    assert arguments["link_names"] is False
    assert arguments["unfurl_links"] is False


def test_an_accepted_message_is_never_sent_again_by_the_sdk(
    slack: SlackStandin, notifier: SlackNotifier
) -> None:
    """slack_sdk's default retry handler posts a second time when the connection breaks."""
    slack.faults = ["accepted_reset"]
    with pytest.raises(Uncertain):
        notifier.post(MESSAGE)
    assert len(slack.posted("#alerts")) == 1
    assert [method for method, _ in slack.calls] == ["chat.postMessage"]


def test_an_edit_takes_away_what_stood_there(slack: SlackStandin, notifier: SlackNotifier) -> None:
    section = {"type": "section", "text": {"type": "plain_text", "text": "old words"}}
    receipt = notifier.post(Message(channel="#alerts", text="a", blocks=[section], outbox_id="ob_1"))
    notifier.edit(receipt, Message(channel="#alerts", text="removed", outbox_id="ob_1", version=2))
    (posted,) = slack.posted("#alerts")
    assert (posted.text, posted.blocks, posted.outbox_id) == ("removed", [], "ob_1")
    assert posted.metadata
    assert posted.metadata["event_payload"]["version"] == 2


def test_a_reply_goes_into_its_thread(slack: SlackStandin, notifier: SlackNotifier) -> None:
    root = notifier.post(MESSAGE)
    notifier.post(
        Message(channel="#alerts", text="news", outbox_id="ob_2", thread_id=root.remote_id, broadcast=True)
    )
    reply = slack.posted("#alerts")[1]
    assert (reply.thread_ts, reply.broadcast) == (root.remote_id, True)


def test_removing_twice_is_removing_once(slack: SlackStandin, notifier: SlackNotifier) -> None:
    receipt = notifier.post(MESSAGE)
    notifier.remove(receipt)
    notifier.remove(receipt)
    assert slack.posted("#alerts") == []


def test_a_stand_in_on_this_machine_is_reached_through_no_proxy(
    slack: SlackStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "shop.example")
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    SlackNotifier("xoxb-demo", base_url=slack.base_url, timeout=1).post(MESSAGE)
    WebhookNotifier(slack.webhook_url, timeout=1).post(MESSAGE)
    assert len(slack.posted("#alerts")) == 2


# -- looking -------------------------------------------------------------------------------------------------


def test_a_message_is_found_among_hundreds(slack: SlackStandin, notifier: SlackNotifier) -> None:
    wanted = notifier.post(MESSAGE)
    for number in range(450):
        slack.answer("chat.postMessage", {"channel": "#alerts", "text": f"chatter {number}"}, "xoxb-demo")
    assert notifier.find(search()) == wanted
    assert sum(method == "conversations.history" for method, _ in slack.calls) == 3
    assert notifier.find(search("ob_9")) is None


def test_a_reply_is_found_in_its_thread(slack: SlackStandin, notifier: SlackNotifier) -> None:
    root = notifier.post(MESSAGE)
    reply = notifier.post(Message(channel="#alerts", text="news", outbox_id="ob_2", thread_id=root.remote_id))
    assert notifier.find(search("ob_2")) is None
    assert notifier.find(search("ob_2", root.remote_id)) == reply
    assert notifier.find(search("ob_2", "1.000001")) is None


def test_a_channel_given_by_name_is_found_without_ever_having_posted(
    slack: SlackStandin, notifier: SlackNotifier
) -> None:
    slack.faults = ["accepted_reset"]
    with pytest.raises(Uncertain):
        notifier.post(MESSAGE)
    assert notifier.find(search(remote_channel="")) is not None


def test_looking_needs_rights_and_says_which(slack: SlackStandin, notifier: SlackNotifier) -> None:
    slack.scopes = ["chat:write"]
    with pytest.raises(CannotLook, match="channels:history"):
        notifier.find(search())
    with pytest.raises(CannotLook, match="channels:read"):
        notifier.find(search(remote_channel=""))


def test_a_look_cut_short_is_no_answer(slack: SlackStandin, notifier: SlackNotifier) -> None:
    notifier.post(MESSAGE)
    slack.faults = lambda method, _: "500" if method == "conversations.history" else None
    with pytest.raises(Uncertain):
        notifier.find(search())


def test_a_clock_that_is_wrong_by_hours_still_looks_in_the_right_place(slack: SlackStandin) -> None:
    ahead = timedelta(hours=3)
    notifier = SlackNotifier(
        "xoxb-demo", base_url=slack.base_url, timeout=1, clock=lambda: (datetime.now(UTC) + ahead).timestamp()
    )
    slack.answer("chat.postMessage", {"channel": "#alerts", "text": "x", "metadata": {
        "event_type": "lowstar_message", "event_payload": {"outbox_id": "ob_1"}}}, "xoxb-demo")  # fmt: skip
    now = datetime.now(UTC) + ahead
    assert notifier.find(
        Search("#alerts", "ob_1", now - timedelta(minutes=5), now, extra={"remote_channel": "C0DEMO001"})
    )


# -- what can go wrong ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("breakage", BREAKAGES)
@pytest.mark.parametrize("accepted", ["", "accepted_"])
def test_whatever_breaks_on_the_way_is_uncertain(
    slack: SlackStandin, notifier: SlackNotifier, breakage: str, accepted: str
) -> None:
    slack.faults = [accepted + breakage]
    with pytest.raises(Uncertain):
        notifier.post(MESSAGE)
    assert len(slack.posted("#alerts")) == bool(accepted)


CODES = [
    *((code, TokenRefused) for code in sorted(road.TOKEN_ERRORS)),
    *((code, ChannelClosed) for code in sorted(road.CHANNEL_ERRORS)),
    *((code, Unrenderable) for code in sorted(road.FORM_ERRORS)),
    *((code, RateLimited) for code in sorted(road.RATE_ERRORS)),
    *((code, NotSent) for code in sorted(road.NOT_DONE_ERRORS)),
    *((code, Unchangeable) for code in sorted(road.UNCHANGEABLE_ERRORS)),
    *((code, Uncertain) for code in sorted(road.UNCERTAIN_ERRORS)),
    ("a_code_of_next_year", Uncertain),
    ("", Uncertain),
]


@pytest.mark.parametrize(("code", "kind"), CODES)
def test_each_error_code_has_its_consequence(
    slack: SlackStandin, notifier: SlackNotifier, code: str, kind: type[NotifyError]
) -> None:
    slack.faults = [code]
    with pytest.raises(NotifyError) as caught:
        notifier.post(MESSAGE)
    assert type(caught.value) is kind
    assert code in str(caught.value) or kind is RateLimited


def test_no_code_is_on_two_lists() -> None:
    lists = [road.TOKEN_ERRORS, road.CHANNEL_ERRORS, road.FORM_ERRORS, road.RATE_ERRORS, road.NOT_DONE_ERRORS,
             road.UNCHANGEABLE_ERRORS, road.UNCERTAIN_ERRORS]  # fmt: skip
    assert sum(map(len, lists)) == len(frozenset().union(*lists))


def test_a_rate_limit_says_how_long(slack: SlackStandin, notifier: SlackNotifier) -> None:
    slack.faults = ["ratelimited:7"]
    with pytest.raises(RateLimited) as caught:
        notifier.post(MESSAGE)
    assert caught.value.retry_after == 7


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("0", 1), ("7.5", 7.5), ("", 30), ("soon", 30), ("-3", 30), ("nan", 30), ("inf", 30), ("1e9", 3600)],
)
def test_odd_retry_after_headers_never_wait_for_ever(header: str, seconds: float) -> None:
    assert retry_after({"retry-after": header}) == seconds
    assert retry_after({"Retry-After": [header]}) == seconds
    assert retry_after(None) == 30


def test_a_refused_connection_surely_sent_nothing() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(NotSent):
        SlackNotifier("xoxb-demo", base_url=f"http://127.0.0.1:{port}/api/", timeout=1).post(MESSAGE)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (URLError(socket.gaierror(-2, "Name or service not known")), NotSent),
        (URLError(TimeoutError("timed out")), Uncertain),
        (URLError(BrokenPipeError(32, "Broken pipe")), Uncertain),
        (ConnectionResetError(104, "reset"), Uncertain),
        (RecursionError(), Uncertain),
        (UnicodeDecodeError("utf-8", b"", 0, 1, "odd"), Uncertain),
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_a_connection_that_was_never_made_sent_nothing(error: Exception, kind: type) -> None:
    assert type(classify("chat.postMessage", error)) is kind


@pytest.mark.parametrize(
    "answer", ["[]", "null", '"ok"', "3", '{"ok": true}', '{"ok": true, "ts": 5}', "", "{"]
)
def test_odd_answers_are_uncertain(slack: SlackStandin, notifier: SlackNotifier, answer: str,
                                   monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    import json

    monkeypatch.setattr(slack, "answer", lambda *_: _Raw(answer))
    monkeypatch.setattr(
        "monitor.standins.slack.json.dumps",
        lambda value, **k: value.raw if isinstance(value, _Raw) else json.JSONEncoder().encode(value),
    )
    with pytest.raises(Uncertain):
        notifier.post(MESSAGE)


class _Raw(dict[str, Any]):
    def __init__(self, raw: str) -> None:
        super().__init__()
        self.raw = raw


# -- who we are ----------------------------------------------------------------------------------------------


def test_check_says_who_we_are_and_what_is_missing(slack: SlackStandin, notifier: SlackNotifier) -> None:
    identity = notifier.check()
    assert (identity.team, identity.user, identity.missing) == ("Demo", "lowstar", ())
    slack.scopes = ["users:read"]
    assert notifier.check().missing == ("channels:history", "chat:write")
    slack.token = "xoxb-other"
    with pytest.raises(TokenRefused, match="invalid_auth"):
        notifier.check()


def test_check_channel_says_what_keeps_us_out(slack: SlackStandin, notifier: SlackNotifier) -> None:
    slack.add_channel("#old", archived=True)
    slack.add_channel("#closed", member=False)
    assert notifier.check_channel("#alerts") == ""
    assert "archived" in notifier.check_channel("#old")
    assert "invite" in notifier.check_channel("#closed")
    assert "channel_not_found" in notifier.check_channel("#nowhere")


# -- the webhook ---------------------------------------------------------------------------------------------


def test_a_webhook_delivers_and_promises_no_more(slack: SlackStandin) -> None:
    hook = WebhookNotifier(slack.webhook_url, timeout=0.5)
    assert hook.post(MESSAGE) == Receipt("")
    assert [message.via for message in slack.posted("#alerts")] == ["webhook"]
    assert (hook.can.edits, hook.can.finds) == (False, False)
    for call in (
        lambda: hook.find(search()),
        lambda: hook.edit(Receipt(""), MESSAGE),
        lambda: hook.remove(Receipt("")),
    ):
        with pytest.raises((CannotLook, Unchangeable)):
            call()


@pytest.mark.parametrize("breakage", BREAKAGES)
def test_a_webhook_that_breaks_is_uncertain(slack: SlackStandin, breakage: str) -> None:
    slack.faults = [f"accepted_{breakage}"]
    with pytest.raises(Uncertain):
        WebhookNotifier(slack.webhook_url, timeout=0.5).post(MESSAGE)
    assert len(slack.posted("#alerts")) == 1


WEBHOOK_CODES = [
    *((code, TokenRefused) for code in sorted(GONE)),
    *((code, ChannelClosed) for code in sorted(CLOSED)),
    *((code, Unrenderable) for code in sorted(REFUSED)),
    ("rollup_error", Uncertain),
    ("", Uncertain),
]


@pytest.mark.parametrize(("code", "kind"), WEBHOOK_CODES)
def test_each_webhook_answer_has_its_consequence(
    slack: SlackStandin, monkeypatch: pytest.MonkeyPatch, code: str, kind: type[NotifyError]
) -> None:
    monkeypatch.setattr(slack, "webhook", lambda _: (400, code))
    with pytest.raises(kind):
        WebhookNotifier(slack.webhook_url, timeout=0.5).post(MESSAGE)


def test_a_webhook_is_held_by_a_rate_limit(slack: SlackStandin) -> None:
    slack.faults = ["ratelimited:3"]
    with pytest.raises(RateLimited) as caught:
        WebhookNotifier(slack.webhook_url, timeout=0.5).post(MESSAGE)
    assert caught.value.retry_after == 3
