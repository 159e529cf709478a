"""Recordings of HTTP traffic are taken apart, in every shape client libraries save them in."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from crawling import AT
from hypothesis import given
from hypothesis import strategies as st

from spiders.parsing.recordings import Recorded, recorded
from spiders.trial import try_page

BODY = '{"posts": [{"id": 1, "text": "Kaffa \\u2615"}]}'
URL = "https://api.example/posts?q=kaffa"
PACKED = base64.b64encode(gzip.compress(BODY.encode())).decode()
PLAIN64 = base64.b64encode(BODY.encode()).decode()


def taped(response: dict[str, Any], key: str = "interactions", uri: str = "uri") -> dict[str, Any]:
    return {key: [{"request": {uri: URL, "method": "GET"}, "response": response}], "version": 1}


def test_python_vcr_in_yaml() -> None:
    text = (
        "interactions:\n- request:\n    body: null\n    method: GET\n    uri: " + URL + "\n  response:\n"
        "    body:\n      string: '" + BODY + "'\n    status: {code: 200, message: OK}\nversion: 1\n"
    )
    assert recorded(text) == [Recorded(BODY, URL)]


def test_ruby_vcr_with_a_packed_body_and_a_tag_of_its_own() -> None:
    text = (
        "---\nhttp_interactions:\n- request:\n    method: get\n    uri: " + URL + "\n  response:\n"
        "    status:\n      code: 404\n    body:\n      encoding: ASCII-8BIT\n      string: !binary |-\n        "
        + PACKED + "\nrecorded_with: VCR 6.0.0\n"
    )  # fmt: skip
    assert recorded(text) == [Recorded(BODY, URL, 404)]


@pytest.mark.parametrize(
    "value",
    [
        taped({"body": {"string": BODY}, "status": {"code": 200}}),
        taped({"body": {"encoding": "utf-8", "base64_string": PLAIN64}}, "http_interactions"),
        taped({"body": BODY, "code": 200}, uri="url"),  # go-vcr
        [
            {
                "scope": "https://api.example",
                "path": "/posts?q=kaffa",
                "status": 200,
                "response": json.loads(BODY),
            }
        ],
        {
            "log": {
                "entries": [{"request": {"url": URL}, "response": {"status": 200, "content": {"text": BODY}}}]
            }
        },
    ],
    ids=["vcr", "betamax", "go-vcr", "nock", "har"],
)
def test_cassettes_in_json(value: Any) -> None:
    (answer,) = recorded(json.dumps(value)) or []
    assert (json.loads(answer.body), answer.url, answer.status) == (json.loads(BODY), URL, 200)


@pytest.mark.parametrize(
    "value",
    [
        {"request": {"method": "GET", "url": URL}, "response": {"status": 200, "body": json.loads(BODY)}},
        {"request": {"url": URL}, "response": {"status": 200, "jsonBody": json.loads(BODY)}},
        {"mappings": [{"request": {"url": URL}, "response": {"status": 200, "body": BODY}}]},
        {"statusCode": 200, "headers": {}, "body": BODY},
        {"status": 200, "statusText": "OK", "data": json.loads(BODY)},
    ],
    ids=["an interaction", "WireMock", "several of WireMock", "a function's answer", "a client's answer"],
)
def test_answers_put_into_a_frame_by_hand(value: Any) -> None:
    (answer,) = recorded(json.dumps(value)) or []
    assert (json.loads(answer.body), answer.status) == (json.loads(BODY), 200)


def test_a_replay_log_a_raw_answer_and_json_lines() -> None:
    log = f"https\nGET\napi.example\nNone\n/posts?q=kaffa\n{{}}\nNone\n200\n[('Server', 'x')]\n{BODY}\n\n"
    assert recorded(log + log) == [Recorded(BODY, URL), Recorded(BODY, URL)]
    assert recorded(f"HTTP/1.1 500 Oh\r\nA: b\r\n\r\n{BODY}") == [Recorded(BODY, "", 500)]
    assert recorded('{"id": 1}\n{"id": 2}\n') == [Recorded('{"id": 1}'), Recorded('{"id": 2}')]


@pytest.mark.parametrize(
    "text", ["", "{", BODY, "[1, 2]", "<html>", "a: b\n", "interactions: [", "hello\nworld"]
)
def test_what_is_no_recording_is_none(text: str) -> None:
    assert not recorded(text)


def test_a_bomb_in_a_recording_stays_small() -> None:
    bomb = base64.b64encode(gzip.compress(b"0" * 200_000_000, 1)).decode()
    (answer,) = recorded(json.dumps(taped({"body": {"base64_string": bomb}}))) or []
    assert len(answer.body) <= 20 * 2**20


@given(st.text(max_size=200))
def test_no_text_makes_it_fall_over(text: str) -> None:
    recorded(text)
    recorded("interactions:\n" + text)
    recorded("https\nGET\n" + text)


def test_a_recording_can_be_tried_and_the_last_word_counts(tmp_path: Path) -> None:
    def told(text: str) -> dict[str, Any]:
        body = json.dumps([{"id": "1", "content": f"<p>{text}</p>", "created_at": "2026-11-20T00:00:00Z"}])
        return {
            "request": {"uri": "https://m.example/api/v1/timelines/tag/a"},
            "response": {"body": {"string": body}},
        }

    tape = {
        "interactions": [told("first"), {"response": {"body": {"string": '{"error": "no"}'}}}, told("then")]
    }
    path = tmp_path / "tape.json"
    path.write_text(json.dumps(tape))
    result = try_page(str(path), now=AT, kind="mastodon")
    assert [mention.text for mention in result.mentions] == ["then"]
    assert not any("no" in words.split() for words in result.problems)
