"""What the thread of a case says, and that nobody's words become anything but words there."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alerting import NOON, delivery, reviewed
from alerting import case as a_case
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.blocks import as_text, message_for
from alerts.blocks_cases import news_body
from alerts.cases import LOWSTAR, News, Told
from alerts.limits import MAX_FALLBACK, problems
from alerts.people import People, Person
from storage.records import CaseStatus, DeliveryKind, Promise

GOLDEN = Path(__file__).with_name("golden") / "thread.json"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ALICE, BOB, CAROL = "U01ALICE", "U02BOB7", "U03CAROL"
PEOPLE = People(
    [
        Person(key="alice", name="Alice Adams", slack=ALICE),
        Person(key="bob", name="Bob Brown", slack=BOB),
        Person(key="carol", name="Carol", slack=CAROL),
        Person(key="dave", name="Dave *the* <!channel>"),
    ]
)
CASE = a_case(1042, status=CaseStatus.CLAIMED, owner=ALICE, version=3, respond_by=NOON + 30 * MINUTE, level=2)
URL = "https://www.trustpilot.com/reviews/65f0c0ffee"
REFUND = Promise(1042, "refund", NOON + 3 * DAY, ALICE, id=9, remind_by=NOON + 2 * DAY)

NEWS: dict[str, list[News]] = {
    "claimed": [News(what=Told.CLAIMED, actor=ALICE, since=12 * MINUTE, by=CASE.respond_by)],
    "answered": [
        News(
            what=Told.ANSWERED,
            actor=ALICE,
            since=26 * MINUTE,
            target=30 * MINUTE,
            words="Sorry, this was our mistake.\nYou will have the refund by Wednesday.",
            link=URL,
            promise=REFUND,
        )
    ],
    "promise due": [News(what=Told.PROMISE_DUE, to=(ALICE,), promise=REFUND)],
    "promise broken": [News(what=Told.PROMISE_BROKEN, to=(ALICE, BOB), promise=REFUND)],
    "late": [
        News(
            what=Told.LATE,
            to=(BOB,),
            owner=ALICE,
            since=45 * MINUTE,
            target=30 * MINUTE,
            level=2,
            top=3,
            next_to=(CAROL,),
            next_at=NOON + HOUR,
        )
    ],
    "late and silent": [
        News(what=Told.LATE, since=9 * HOUR, target=4 * HOUR, level=2, top=2),
        News(what=Told.SILENT, owner=ALICE, since=8 * HOUR, by=NOON, to=(BOB,), level=2),
        News(what=Told.PROMISE_BROKEN, to=(ALICE,), promise=REFUND),
    ],
    "reopened": [News(what=Told.REOPENED, actor=BOB, words="still waiting", by=NOON + 4 * HOUR)],
    "reminder": [News(what=Told.REMINDER, to=(ALICE,), by=NOON + 25 * MINUTE)],
    "assigned": [News(what=Told.ASSIGNED, actor="dave", owner=BOB, to=(BOB,), by=NOON + HOUR)],
    "follow up": [
        News(
            what=Told.FOLLOW_UP,
            to=(ALICE,),
            since=3 * DAY,
            words="Is there anything else we can do for you?",
            link="https://survey.example/1",
        )
    ],
    "stars changed": [News(what=Told.EDITED, words="1 → 4 of 5 stars")],
    "shown again": [News(what=Told.SHOWN_AGAIN, by=NOON + 3 * HOUR)],
}


def body(news: list[News], *, buttons: bool = True, people: People = PEOPLE) -> dict[str, Any]:
    drawn = json.loads(news_body(news, CASE, people=people, now=NOON, url=URL, buttons=buttons))
    assert isinstance(drawn, dict)
    return drawn


def test_the_messages_are_the_golden_ones() -> None:
    drawn = {name: body(news) for name, news in NEWS.items()}
    text = json.dumps(drawn, indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert json.loads(GOLDEN.read_text(encoding="utf-8")) == drawn


@pytest.mark.parametrize("name", NEWS)
def test_every_message_is_one_slack_takes_and_its_text_stands_alone(name: str) -> None:
    for buttons in (True, False):
        drawn = body(NEWS[name], buttons=buttons)
        assert problems(drawn["blocks"]) == []
        assert len(drawn["text"]) <= MAX_FALLBACK
        assert "REP-1042" in drawn["text"]
        assert "U01ALICE" not in drawn["text"]


def test_without_anybody_to_hear_a_click_there_is_a_link_only() -> None:
    for name in ("late", "promise due"):
        drawn = body(NEWS[name], buttons=False)
        (row,) = [block for block in drawn["blocks"] if block["type"] == "actions"]
        assert [one["action_id"] for one in row["elements"]] == ["open_post"]


def test_buttons_say_which_version_they_were_drawn_for() -> None:
    (row,) = [block for block in body(NEWS["late"])["blocks"] if block["type"] == "actions"]
    assert (row["block_id"], [one.get("value") for one in row["elements"]]) == (
        "esc:1042:l2",
        ["1042:l2", "1042:3", None],
    )
    (row,) = [block for block in body(NEWS["promise due"])["blocks"] if block["type"] == "actions"]
    assert (row["block_id"], row["elements"][0]["value"]) == ("promise:9:v1", "9:1")


@pytest.mark.parametrize("what", list(Told))
def test_every_kind_of_news_is_said_even_when_little_is_known(what: Told) -> None:
    for actor in (LOWSTAR, ALICE, "stranger"):
        drawn = body([News(what=what, actor=actor, promise=REFUND)])
        assert problems(drawn["blocks"]) == []
        assert drawn["blocks"]
        assert drawn["broadcast"] is what.broadcast
    assert body([News(what=what)])["blocks"]


def test_the_outbox_draws_the_body_as_it_is() -> None:
    raw = news_body(NEWS["late"], CASE, people=PEOPLE, now=NOON, url=URL)
    row = delivery(kind=DeliveryKind.ESCALATION, number=1042, body=raw)
    message = message_for(row, reviewed(CASE), titles={}, now=NOON)
    assert message.broadcast
    assert message.text.startswith("LATE: REP-1042 has had no answer for 45 min (target 30 min).")
    assert "@U02BOB7: you are next" in as_text(message.blocks)


def leaves(block: Any) -> list[dict[str, Any]]:
    if isinstance(block, list):
        return [leaf for one in block for leaf in leaves(one)]
    if not isinstance(block, dict):
        return []
    return [block, *(leaf for value in block.values() for leaf in leaves(value))]


HOSTILE = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        ["<!channel>", "<@U01ALICE>", "*bold*", "<https://evil.example|x>", ":tada:", "&lt;", "@here"]
    ),
)


@settings(max_examples=150, deadline=None)
@given(what=st.sampled_from(Told), words=HOSTILE, name=HOSTILE, link=HOSTILE)
def test_nobodys_words_ring_link_or_format_anything(what: Told, words: str, name: str, link: str) -> None:
    promise = Promise(1042, words, NOON + DAY, name, id=9)
    news = News(what=what, actor=name, owner=name, to=(name,), words=words, link=link, promise=promise)
    drawn = body([news], people=People([Person(key="x", name=name or "x")]))
    assert problems(drawn["blocks"]) == []
    for leaf in leaves(drawn["blocks"]):
        kind = leaf.get("type")
        assert kind != "mrkdwn"
        assert kind not in ("broadcast", "usergroup", "channel", "emoji")
        if kind == "user":
            assert leaf["user_id"] == name
        if kind == "link":
            assert leaf["url"].startswith(("https://", "http://"))
        if kind == "plain_text":
            assert leaf["emoji"] is False
    assert "<" not in drawn["text"]
    assert ">" not in drawn["text"]
    assert len(drawn["text"]) <= MAX_FALLBACK
