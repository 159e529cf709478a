"""The Slack stand-in answers and refuses as Slack does, asked by slack_sdk itself."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from monitor.standins.slack import SlackStandin, random_faults


@pytest.fixture
def slack() -> Iterator[SlackStandin]:
    with SlackStandin(channels=["#alerts", "#digest"], hang=0.2) as standin:
        yield standin


@pytest.fixture
def client(slack: SlackStandin) -> WebClient:
    found = WebClient("xoxb-demo", base_url=slack.base_url, timeout=2, retry_handlers=[])
    found.proxy = None
    return found


def refused(call: Any, **arguments: Any) -> dict[str, Any]:
    with pytest.raises(SlackApiError) as caught:
        call(**arguments)
    answer: dict[str, Any] = caught.value.response.data
    return answer


METADATA = {"event_type": "x", "event_payload": {"outbox_id": "ob_1"}}


def test_a_message_is_kept_with_a_ts_of_its_own(slack: SlackStandin, client: WebClient) -> None:
    first = client.chat_postMessage(channel="#alerts", text="one", metadata=METADATA)
    second = client.chat_postMessage(channel=first["channel"], text="two")
    assert second["ts"] > first["ts"]
    assert [message.text for message in slack.posted("#alerts")] == ["one", "two"]
    assert slack.messages("#alerts")[0]["metadata"] == METADATA


def test_history_is_newest_first_in_pages_with_metadata_only_when_asked(client: WebClient) -> None:
    posted = [client.chat_postMessage(channel="#alerts", text=f"{n}", metadata=METADATA) for n in range(5)]
    channel = posted[0]["channel"]
    page = client.conversations_history(channel=channel, limit=3)
    assert [message["text"] for message in page["messages"]] == ["4", "3", "2"]
    assert "metadata" not in page["messages"][0]
    rest = client.conversations_history(
        channel=channel, limit=3, cursor=page["response_metadata"]["next_cursor"], include_all_metadata=True
    )
    assert [message["text"] for message in rest["messages"]] == ["1", "0"]
    assert rest["messages"][0]["metadata"] == METADATA
    assert not rest["has_more"]
    later = client.conversations_history(channel=channel, oldest=posted[3]["ts"], inclusive=True)
    assert [message["text"] for message in later["messages"]] == ["4", "3"]
    assert refused(client.conversations_history, channel="#alerts")["error"] == "channel_not_found"


def test_replies_stand_in_their_thread_not_in_the_history(slack: SlackStandin, client: WebClient) -> None:
    root = client.chat_postMessage(channel="#alerts", text="root")
    client.chat_postMessage(channel="#alerts", text="reply", thread_ts=root["ts"])
    client.chat_postMessage(channel="#alerts", text="loud", thread_ts=root["ts"], reply_broadcast=True)
    history = client.conversations_history(channel=root["channel"])
    assert [message["text"] for message in history["messages"]] == ["loud", "root"]
    replies = client.conversations_replies(channel=root["channel"], ts=root["ts"])
    assert [message["text"] for message in replies["messages"]] == ["root", "reply", "loud"]
    assert slack.channel_text("#alerts").startswith("root\n\n    reply\n")


def test_updates_and_deletes_need_a_message(slack: SlackStandin, client: WebClient) -> None:
    posted = client.chat_postMessage(channel="#alerts", text="old", metadata=METADATA)
    client.chat_update(channel=posted["channel"], ts=posted["ts"], text="new")
    (message,) = slack.posted("#alerts")
    assert (message.text, message.edits, message.outbox_id) == ("new", 1, "ob_1")
    assert (
        refused(client.chat_update, channel=posted["channel"], ts="1.000001", text="x")["error"]
        == "message_not_found"
    )
    client.chat_delete(channel=posted["channel"], ts=posted["ts"])
    assert (
        refused(client.chat_delete, channel=posted["channel"], ts=posted["ts"])["error"]
        == "message_not_found"
    )


def test_what_slack_refuses_is_refused(slack: SlackStandin, client: WebClient) -> None:
    slack.add_channel("#old", archived=True)
    slack.add_channel("#closed", member=False)
    for channel, error in (
        ("#nowhere", "channel_not_found"),
        ("#old", "is_archived"),
        ("#closed", "not_in_channel"),
    ):
        assert refused(client.chat_postMessage, channel=channel, text="x")["error"] == error
    empty = [{"type": "section", "text": {"type": "mrkdwn", "text": ""}}]
    answer = refused(client.chat_postMessage, channel="#alerts", text="x", blocks=empty)
    assert answer["error"] == "invalid_blocks"
    assert "/blocks/0/text/text" in answer["response_metadata"]["messages"][0]
    assert refused(client.chat_postMessage, channel="#alerts", text="x" * 40_001)["error"] == "msg_too_long"
    posted = client.chat_postMessage(channel="#alerts", text="x")
    too_long = refused(client.chat_update, channel=posted["channel"], ts=posted["ts"], text="x" * 4_001)
    assert too_long["error"] == "msg_too_long"


def test_tokens_and_scopes_are_checked(slack: SlackStandin, client: WebClient) -> None:
    assert "chat:write" in client.auth_test().headers["x-oauth-scopes"]
    slack.scopes = ["channels:history"]
    answer = refused(client.chat_postMessage, channel="#alerts", text="x")
    assert (answer["error"], answer["needed"], answer["provided"]) == (
        "missing_scope",
        "chat:write",
        "channels:history",
    )
    stranger = WebClient("xoxb-other", base_url=slack.base_url, retry_handlers=[])
    stranger.proxy = None
    assert refused(stranger.auth_test)["error"] == "invalid_auth"


def test_metadata_that_is_not_well_formed_is_dropped_without_a_word(
    slack: SlackStandin, client: WebClient
) -> None:
    client.chat_postMessage(channel="#alerts", text="x", metadata={"event_type": 3, "event_payload": {}})
    assert slack.posted("#alerts")[0].metadata is None


def test_the_pace_can_be_enforced(slack: SlackStandin, client: WebClient) -> None:
    slack.strict_pace = True
    client.chat_postMessage(channel="#alerts", text="x")
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel="#alerts", text="y")
    assert (caught.value.response.status_code, caught.value.response.headers["Retry-After"]) == (429, "1")
    client.chat_postMessage(channel="#digest", text="z")


def test_faults_can_be_given_one_by_one_or_by_chance(slack: SlackStandin, client: WebClient) -> None:
    slack.faults = ["token_revoked", None]
    assert refused(client.chat_postMessage, channel="#alerts", text="x")["error"] == "token_revoked"
    client.chat_postMessage(channel="#alerts", text="y")
    dice = [random_faults(3, 0.5, ["500", "reset"])("chat.postMessage", {}) for _ in range(3)]
    assert len(set(dice)) == 1
    mixed = random_faults(3, 0.5, ["500", "reset"])
    drawn = [mixed("chat.postMessage", {}) for _ in range(200)]
    assert 60 < drawn.count(None) < 140
    assert mixed("auth.test", {}) is None


def test_the_sdk_as_it_comes_doubles_what_was_accepted(
    slack: SlackStandin, caplog: pytest.LogCaptureFixture
) -> None:
    """The reason for `retry_handlers=[]`, and the proof that this stand-in would show a doubled message."""
    caplog.set_level(logging.CRITICAL, "slack_sdk")
    slack.faults = ["accepted_reset"]
    careless = WebClient("xoxb-demo", base_url=slack.base_url, timeout=2)
    careless.proxy = None
    careless.chat_postMessage(channel="#alerts", text="once")
    assert len(slack.posted("#alerts")) == 2


def test_a_webhook_takes_what_it_may(slack: SlackStandin) -> None:
    hook = WebhookClient(slack.webhook_url, retry_handlers=[])
    hook.proxy = None
    assert hook.send(text="hello").body == "ok"
    assert hook.send(text="").body == "no_text"
    assert hook.send(text="x", blocks=[{"type": "marquee"}]).body == "invalid_blocks"
    slack.channel("#alerts").archived = True
    assert hook.send(text="x").status_code == 410


def test_what_it_keeps_can_be_put_back(slack: SlackStandin, client: WebClient) -> None:
    posted = client.chat_postMessage(channel="#alerts", text="kept", metadata=METADATA)
    kept = json.loads(json.dumps(slack.kept()))
    with SlackStandin() as other:
        other.restore(kept)
        assert [message.outbox_id for message in other.posted("#alerts")] == ["ob_1"]
        assert float(other._ts()) > float(posted["ts"])


def test_the_channel_reads_as_its_readers_see_it(slack: SlackStandin, client: WebClient) -> None:
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "Headline"}},
        {"type": "section", "fields": [{"type": "mrkdwn", "text": "*Case*\nREP-0001"}]},
    ]
    client.chat_postMessage(channel="#alerts", text="fallback", blocks=blocks)
    client.chat_postMessage(channel="#alerts", text="plain")
    assert slack.channel_text("#alerts") == "Headline\n  Case: REP-0001\n\nplain\n"
