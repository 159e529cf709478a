"""The public endpoint believes Slack's signature, once, for five minutes, and nothing else."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slackdesk import ALICE, a_listener, a_workspace, announced, card, until

from alerts.http_interactions import Answer, Endpoint, InteractionServer, payload_of
from alerts.interactions import Intent
from alerts.listen import Desk
from monitor.standins.slack_people import SIGNING_SECRET, signed
from storage.store import Store

NOW = 1_795_312_800


class Waiting:
    """A desk that keeps what it is given."""

    def __init__(self) -> None:
        self.done: list[Intent] = []
        self.desk = Desk(lambda: self.done.append, clock=lambda: None, workers=1)  # type: ignore[arg-type,return-value]


@pytest.fixture
def waiting() -> Iterator[Waiting]:
    found = Waiting()
    found.desk.start()
    yield found
    assert found.desk.stop()


def endpoint(waiting: Waiting, now: float = NOW) -> Endpoint:
    return Endpoint(SIGNING_SECRET, waiting.desk, clock=lambda: now)


def form(user: str = "U01ALICE", trigger: str = "t1") -> bytes:
    return urlencode(
        {"command": "/rep", "text": "open", "user_id": user, "trigger_id": trigger, "channel_id": "C1"}
    ).encode()


def test_a_signed_request_is_done(waiting: Waiting) -> None:
    body = form()
    assert endpoint(waiting).answer(signed(body, SIGNING_SECRET, NOW), body) == Answer(200)
    until(lambda: len(waiting.done) == 1)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Slack-Signature": "v0=00", "X-Slack-Request-Timestamp": str(NOW)},
        {"X-Slack-Signature": "v0=é", "X-Slack-Request-Timestamp": str(NOW)},
        {"X-Slack-Signature": "v0=00", "X-Slack-Request-Timestamp": "soon"},
        {"X-Slack-Signature": "v0=00", "X-Slack-Request-Timestamp": "9" * 5_000},
        {"X-Slack-Signature": "", "X-Slack-Request-Timestamp": ""},
        signed(form(), "another secret", NOW),
        signed(form(), SIGNING_SECRET, NOW - 301),
        signed(form(), SIGNING_SECRET, NOW + 301),
        signed(b"another body", SIGNING_SECRET, NOW),
    ],
)
def test_everything_else_is_refused(waiting: Waiting, headers: dict[str, str]) -> None:
    assert endpoint(waiting).answer(headers, form()).status == 401


@given(st.dictionaries(st.text(max_size=30), st.text(max_size=40), max_size=4), st.binary(max_size=60))
def test_no_header_and_no_body_breaks_it(headers: dict[str, str], body: bytes) -> None:
    found = endpoint(Waiting())
    named = {**headers, "X-Slack-Signature": body.decode("latin-1"), "x-slack-request-timestamp": str(NOW)}
    assert found.answer(headers, body).status == 401
    assert found.answer(named, body).status == 401


def test_the_same_request_again_is_not_done_again(waiting: Waiting) -> None:
    found, body = endpoint(waiting), form()
    headers = signed(body, SIGNING_SECRET, NOW)
    assert found.answer(headers, body) == found.answer(headers, body) == Answer(200)
    # Signed anew, as by a retry of Slack's: the same press.
    assert found.answer(signed(body, SIGNING_SECRET, NOW - 1), body) == Answer(200)
    other = form(trigger="t2")
    found.answer(signed(other, SIGNING_SECRET, NOW), other)
    until(lambda: len(waiting.done) == 2)


@given(st.binary(max_size=80))
def test_any_body_is_something_or_nothing(body: bytes) -> None:
    found = payload_of(body)
    assert found is None or isinstance(found, dict)


def test_odd_but_signed_bodies(waiting: Waiting) -> None:
    found = endpoint(waiting)

    def ask(body: bytes) -> Answer:
        return found.answer(signed(body, SIGNING_SECRET, NOW), body)

    assert ask(b"").status == 400
    assert ask(b"payload=[").status == 400
    assert ask(b"payload=" + b"[" * 50_000).status == 400
    assert ask(b'{"type": "url_verification", "challenge": "abc"}') == Answer(200, "abc")
    assert ask(b"ssl_check=1&token=x") == Answer(200)
    assert ask(urlencode({"payload": '{"type": "block_actions"}'}).encode()) == Answer(200)


def raw(url: str, method: str, headers: dict[str, str], body: bytes | None = None) -> tuple[int, bytes]:
    at = urlsplit(url)
    connection = http.client.HTTPConnection(at.hostname or "", at.port or 0, timeout=5)
    try:
        connection.request(method, at.path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_on_a_socket(waiting: Waiting) -> None:
    with InteractionServer(endpoint(waiting)) as server:
        base = server.url.removesuffix("/slack/interactions")
        assert raw(f"{base}/health", "GET", {}) == (200, b"ok")
        assert raw(f"{base}/etc/passwd", "GET", {})[0] == 404
        assert raw(f"{base}/elsewhere", "POST", {}, b"x")[0] == 404
        assert raw(server.url, "POST", {}, b"x")[0] == 401
        assert raw(server.url, "POST", {"Content-Length": "99999999"})[0] == 413
        assert raw(server.url, "POST", {"Content-Length": "-5"})[0] == 411
        assert raw(server.url, "POST", signed(form(), SIGNING_SECRET, NOW), form())[0] == 200
    until(lambda: len(waiting.done) == 1)


def test_the_whole_way_without_a_socket_to_slack(sqlite_store: Store) -> None:
    with a_workspace() as slack:
        (posted,) = announced(sqlite_store, slack)
        with a_listener(sqlite_store, slack, socket=False) as (desk, _):
            found = Endpoint(SIGNING_SECRET, desk, clock=time.time)
            with InteractionServer(found) as server:
                slack.people.request_url = server.url
                slack.people.click("#alerts", posted.ts, "case_claim", ALICE)
                until(lambda: card(slack, posted.ts).edits)
                slack.people.click("#alerts", posted.ts, "case_answered", ALICE)
                window = slack.people.window(ALICE)
                wrong: Any = slack.people.submit(window, {"promise": "a refund"})
                assert json.loads(json.dumps(wrong.payload))["response_action"] == "errors"
                slack.people.submit(window, {})
                until(lambda: card(slack, posted.ts).edits == 2)
                slack.people.command("REP-1", ALICE, "#alerts")
                until(lambda: slack.people.whispers)
        assert "Answered" in card(slack, posted.ts).blocks[0]["text"]["text"]
        assert "REP-0001" in slack.people.whispers[0].text
