"""The stand-in's people and its Socket Mode behave as Slack's, asked by slack_sdk itself."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from alerts.buttons import button, plain
from monitor.standins.slack import TOKEN, SlackStandin
from monitor.standins.slack_people import APP_TOKEN, signed

ALICE = "U01ALICE"
BLOCKS = [
    {
        "type": "actions",
        "block_id": "case:1:v1",
        "elements": [
            button("case_claim", "Take", "1:1", "Take it"),
            {
                "type": "overflow",
                "action_id": "case_more",
                "options": [{"text": plain("Snooze"), "value": "1:1:snooze60"}],
            },
        ],
    }
]
VIEW: dict[str, Any] = {
    "type": "modal",
    "callback_id": "x",
    "title": plain("Title"),
    "submit": plain("Save"),
    "blocks": [
        {
            "type": "input",
            "block_id": "why",
            "label": plain("Why?"),
            "element": {"type": "plain_text_input", "action_id": "v"},
        }
    ],
}


@pytest.fixture
def slack() -> Iterator[SlackStandin]:
    with SlackStandin(channels=["#alerts"], hang=0.2) as standin:
        standin.people.add(ALICE, "alice", "Alice Adams", email="alice@shop.example")
        yield standin


@pytest.fixture
def client(slack: SlackStandin) -> WebClient:
    found = WebClient(TOKEN, base_url=slack.base_url, timeout=2, retry_handlers=[])
    found.proxy = None
    return found


class App:
    """A minimal app on the real client: acknowledges, keeps what came."""

    def __init__(self, slack: SlackStandin) -> None:
        web = WebClient(base_url=slack.base_url, retry_handlers=[])
        web.proxy = None
        self.slack = slack
        self.got: list[SocketModeRequest] = []
        self.ack: dict[str, Any] | None = None
        self.client = SocketModeClient(APP_TOKEN, web_client=web)
        self.client.proxy = None
        self.client.socket_mode_request_listeners.append(self._on)

    def _on(self, client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        client.send_socket_mode_response(SocketModeResponse(request.envelope_id, self.ack))
        self.got.append(request)

    def __enter__(self) -> App:
        self.client.connect()
        return self

    def __exit__(self, *_: object) -> None:
        # The client's reader holds the line for three seconds of silence: end it from the other side.
        self.client.closed, self.client.auto_reconnect_enabled = True, False
        self.slack.people.socket.drop()
        self.client.close()


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        call(**arguments)
    return str(caught.value.response["error"])


def test_a_press_reaches_the_app_as_slack_sends_it(slack: SlackStandin, client: WebClient) -> None:
    posted = client.chat_postMessage(channel="#alerts", text="x", blocks=BLOCKS)
    with App(slack) as app:
        assert slack.people.socket.wait_connected()
        done = slack.click("#alerts", posted["ts"], "case_claim", ALICE)
        menu = slack.people.click("#alerts", posted["ts"], "case_more", ALICE, option="snooze60")
        with pytest.raises(KeyError):
            slack.people.click("#alerts", posted["ts"], "case_burn", ALICE)
        assert done.acked
        assert menu.acked
        assert done.seconds < 1
    first, second = (request.payload for request in app.got)
    assert first["actions"][0]["value"] == "1:1"
    assert (first["container"]["message_ts"], first["user"]["id"]) == (posted["ts"], ALICE)
    assert second["actions"][0]["selected_option"]["value"] == "1:1:snooze60"


def test_a_large_payload_passes_in_one_piece(slack: SlackStandin, client: WebClient) -> None:
    with App(slack) as app:
        assert slack.people.socket.wait_connected()
        for size in (10, 200, 70_000):
            assert slack.people.socket.deliver("events_api", {"text": "é" * size}).acked
    assert [len(request.payload["text"]) for request in app.got] == [10, 200, 70_000]


def test_what_was_not_acknowledged_comes_again_on_the_next_connection(
    slack: SlackStandin, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "slack_sdk")
    door = slack.people.socket
    door.patience = 0.1
    assert not door.deliver("interactive", {"n": 1}).acked
    door.patience = 3
    with App(slack) as app:
        until = time.monotonic() + 5
        while not app.got and time.monotonic() < until:
            time.sleep(0.01)
        door.refresh()
        assert door.wait_connected(greeted=2)
        door.patience = 8  # the client as it comes holds the old line for up to three seconds
        assert door.deliver("interactive", {"n": 2}).acked
        door.lose_acks = 1
        door.patience = 0.1
        lost = door.deliver("interactive", {"n": 3})
        assert not lost.acked
        door.patience = 3
        assert door.deliver_again(lost, "interactive", {"n": 3}).acked
    assert [request.payload["n"] for request in app.got] == [1, 2, 3, 3]


def test_an_address_is_good_for_one_connection(slack: SlackStandin) -> None:
    address = urlsplit(slack.people.socket.address())

    def knock(key: str = "dGhlIHNhbXBsZSBub25jZQ==") -> bytes:
        with socket.create_connection((address.hostname or "", address.port or 0), 2) as line:
            line.sendall(
                f"GET {address.path}?{address.query} HTTP/1.1\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
            )
            return line.recv(4_096)

    first = knock()
    assert b" 101 " in first
    assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in first  # the example of RFC 6455
    assert b" 403 " in knock()


@pytest.mark.parametrize("frame", [b"\x81\x05hello", b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff", b"GET /"])
def test_a_client_that_talks_nonsense_is_dropped(slack: SlackStandin, frame: bytes) -> None:
    address = urlsplit(slack.people.socket.address())
    with socket.create_connection((address.hostname or "", address.port or 0), 2) as line:
        line.sendall(f"GET /?{address.query} HTTP/1.1\r\nSec-WebSocket-Key: x\r\n\r\n".encode())
        assert b" 101 " in line.recv(4_096)
        line.sendall(frame)
        line.shutdown(socket.SHUT_WR)
        line.settimeout(2)
        while line.recv(4_096):  # the greeting, then the end
            pass


def test_a_connection_needs_the_apps_own_token(slack: SlackStandin, client: WebClient) -> None:
    assert refused(client.apps_connections_open, app_token=TOKEN) == "not_allowed_token_type"
    assert refused(client.apps_connections_open, app_token="xapp-other") == "invalid_auth"


def test_windows_open_once_and_in_time(
    slack: SlackStandin, client: WebClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trigger() -> str:
        return str(slack.people._base("x", ALICE, "")["trigger_id"])

    used = trigger()
    window = client.views_open(trigger_id=used, view=VIEW)["view"]
    assert refused(client.views_open, trigger_id=used, view=VIEW) == "invalid_trigger_id"
    assert refused(client.views_open, trigger_id="made up", view=VIEW) == "invalid_trigger_id"
    late = trigger()
    monkeypatch.setattr("monitor.standins.slack_people.TRIGGER_WITHIN", 0.0)
    assert refused(client.views_open, trigger_id=late, view=VIEW) == "expired_trigger_id"
    monkeypatch.undo()
    bad = {**VIEW, "title": plain("x" * 25)}
    assert refused(client.views_open, trigger_id=trigger(), view=bad) == "invalid_arguments"
    for _ in range(2):
        client.views_push(trigger_id=trigger(), view=VIEW)
    assert refused(client.views_push, trigger_id=trigger(), view=VIEW) == "push_limit_reached"
    client.views_update(view_id=window["id"], view=VIEW, hash=window["hash"])
    assert refused(client.views_update, view_id="V0", view=VIEW) == "not_found"
    stale = {"view_id": window["id"], "view": VIEW, "hash": window["hash"]}
    assert refused(client.views_update, **stale) == "hash_conflict"


def test_a_window_is_sent_refused_and_sent_again(slack: SlackStandin, client: WebClient) -> None:
    trigger = slack.people._base("x", ALICE, "")["trigger_id"]
    client.views_open(trigger_id=trigger, view=VIEW)
    window = slack.people.window(ALICE)
    with App(slack) as app:
        assert slack.people.socket.wait_connected()
        assert slack.people.submit(window, {}) is None  # Slack itself asks for what is required
        app.ack = {"response_action": "errors", "errors": {"why": "Too short."}}
        slack.people.submit(window, {"why": "x"})
        assert window.errors == {"why": "Too short."}
        assert slack.people.windows
        app.ack = {"response_action": "errors", "errors": {"elsewhere": "?"}}
        with pytest.raises(AssertionError):
            slack.people.submit(window, {"why": "x"})
        app.ack = None
        slack.submit(window, {"why": "because"})
        assert not slack.people.windows
        with pytest.raises(KeyError):
            slack.people.submit(window, {"nonsense": "x"})
    assert app.got[-1].payload["view"]["state"]["values"]["why"]["v"]["value"] == "because"


def test_reactions_people_and_members(slack: SlackStandin, client: WebClient) -> None:
    slack.scopes += [
        "users:read.email", "reactions:read", "reactions:write", "channels:manage",
    ]  # fmt: skip
    posted = client.chat_postMessage(channel="#alerts", text="x")
    here = {"channel": posted["channel"], "timestamp": posted["ts"]}
    slack.react("#alerts", posted["ts"], "eyes", ALICE)
    client.reactions_add(name="tada", **here)
    assert refused(client.reactions_add, name="tada", **here) == "already_reacted"
    (message,) = client.conversations_history(channel=posted["channel"])["messages"]
    assert message["reactions"] == [
        {"name": "eyes", "users": [ALICE], "count": 1},
        {"name": "tada", "users": ["U0BOT"], "count": 1},
    ]
    client.reactions_remove(name="tada", **here)
    assert refused(client.reactions_remove, name="tada", **here) == "no_reaction"
    assert client.reactions_get(**here)["message"]["reactions"][0]["name"] == "eyes"
    slack.people.react("#alerts", posted["ts"], "eyes", ALICE, take_back=True)
    assert "reactions" not in client.reactions_get(**here)["message"]
    assert client.users_info(user=ALICE)["user"]["profile"]["real_name"] == "Alice Adams"
    assert client.users_lookupByEmail(email="alice@shop.example")["user"]["id"] == ALICE
    assert refused(client.users_lookupByEmail, email="x@y.example") == "users_not_found"
    assert refused(client.users_info, user="U0") == "user_not_found"
    assert "U0BOT" in client.conversations_members(channel=posted["channel"])["members"]
    client.conversations_archive(channel=posted["channel"])
    assert refused(client.chat_postMessage, channel="#alerts", text="x") == "is_archived"
    client.conversations_unarchive(channel=posted["channel"])
    client.chat_postMessage(channel="#alerts", text="y")


def test_whispers_need_a_channel_and_a_person(slack: SlackStandin, client: WebClient) -> None:
    channel = slack.channel("#alerts").id
    client.chat_postEphemeral(channel=channel, user=ALICE, text="psst")
    assert [(one.user, one.text) for one in slack.people.whispers] == [(ALICE, "psst")]
    for arguments, error in (
        ({"channel": channel, "user": "U0", "text": "x"}, "user_not_in_channel"),
        ({"channel": "C0", "user": ALICE, "text": "x"}, "channel_not_found"),
        ({"channel": channel, "user": ALICE, "text": "", "attachments": [{"fallback": "x"}]}, "no_text"),
    ):
        assert refused(client.chat_postEphemeral, **arguments) == error


def test_a_token_can_be_revoked_and_restored(slack: SlackStandin, client: WebClient) -> None:
    slack.token_state = "token_revoked"
    assert refused(client.auth_test) == "token_revoked"
    assert refused(client.apps_connections_open, app_token=APP_TOKEN) == "token_revoked"
    slack.token_state = ""
    assert client.auth_test()["ok"]


def test_requests_are_signed_as_slack_signs_them() -> None:
    # The example of Slack's own guide to verifying requests.
    headers = signed(b"token=x", "8f742231b10e8888abcd99yyyzzz85a5", 1_531_420_618)
    assert headers["X-Slack-Request-Timestamp"] == "1531420618"
    assert headers["X-Slack-Signature"].startswith("v0=")
    assert len(headers["X-Slack-Signature"]) == 67


def test_nothing_of_it_runs_on_afterwards() -> None:
    with SlackStandin() as slack, App(slack):
        assert slack.people.socket.wait_connected()
    assert not [one.name for one in threading.enumerate() if one.name.startswith("slack-socket")]
    assert json.dumps(slack.kept())
