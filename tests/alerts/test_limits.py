"""The limits of Block Kit, each on both sides."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.limits import problems


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def button(**more: Any) -> dict[str, Any]:
    return {"type": "actions", "elements": [{"type": "button", "text": plain("Open"), **more}]}


def leaf(**more: Any) -> dict[str, Any]:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [more]}]}


FINE = [
    {"type": "header", "text": plain("x" * 150)},
    {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_000, "verbatim": True}},
    {"type": "section", "fields": [plain("x")] * 10},
    {"type": "context", "elements": [plain("x")] * 10},
    button(url="https://shop.example/" + "x" * 2_900, value="x" * 2_000, style="danger"),
    leaf(type="text", text="x"),
    {"type": "divider"},
]
REFUSED = [
    {"type": "header", "text": plain("x" * 151)},
    {"type": "header", "text": plain("")},
    {"type": "header", "text": {"type": "mrkdwn", "text": "x"}},
    {"type": "section"},
    {"type": "section", "text": plain("x" * 3_001)},
    {"type": "section", "fields": [plain("x")] * 11},
    {"type": "section", "fields": [plain("x" * 2_001)]},
    {"type": "section", "text": {"type": "mrkdwn", "text": "x", "emoji": True}},
    {"type": "context", "elements": [plain("x")] * 11},
    {"type": "actions", "elements": []},
    button(url="javascript:alert(1)"),
    button(url="https://shop.example/" + "x" * 3_000),
    button(value="x" * 2_001),
    button(style="loud"),
    button(accessibility_label="x" * 76),
    leaf(type="text", text=""),
    leaf(type="script", text="x"),
    {"type": "rich_text", "elements": []},
    {"type": "marquee"},
    {"type": "divider", "block_id": "x" * 256},
    "no block",
]


@pytest.mark.parametrize("block", FINE, ids=lambda block: str(block)[:60])
def test_what_slack_takes_is_taken(block: Any) -> None:
    assert problems([block]) == []


@pytest.mark.parametrize("block", REFUSED, ids=lambda block: str(block)[:60])
def test_what_slack_refuses_is_refused_with_the_place(block: Any) -> None:
    said = problems([{"type": "divider"}, block])
    assert said
    assert "json-pointer:/blocks/1" in said[0]


def test_a_message_holds_fifty_blocks_and_ten_thousand_characters() -> None:
    assert problems([{"type": "divider"}] * 50) == []
    assert problems([{"type": "divider"}] * 51)
    assert problems([FINE[1]] * 4)


def test_the_same_block_id_twice_is_refused() -> None:
    assert problems([{"type": "divider", "block_id": "a"}] * 2)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["type", "text", "elements", "fields", "url", "options"]), inner, max_size=4
    ),
)  # fmt: skip


@given(json_values)
def test_nothing_makes_the_check_fail(anything: Any) -> None:
    problems(anything)
    problems([anything])
