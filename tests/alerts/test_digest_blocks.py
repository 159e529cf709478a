"""Is a digest in Slack what was drawn, within Slack's limits, and free of what strangers might smuggle in?"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alerts.blocks import as_text
from alerts.digest_blocks import DigestCard, FactLine, Link, OpenLine, QuoteLine, TopicLine, digest_body
from alerts.limits import MAX_FALLBACK, MAX_MESSAGE, problems, size

GOLDEN = Path(__file__).parent / "golden"
POST = "https://reviews.example/0977"
FULL = DigestCard(
    key="Acme:2026-W47",
    headline="Week 47: 1,204 mentions, 61 negative, rating 4.1 (last week 4.3)",
    summary="Week 47: 1,204 mentions, 61 negative. 54 of 61 answered in time. Top complaint: Late delivery, 23.",
    facts=(
        FactLine("Answered in time", "54 of 61 (89 %), goal 90 %", (Link("REP-0977", POST),)),
        FactLine("Median first answer", "22 min (last week 31)"),
        FactLine(
            "Promises kept", "17 of 18; 1 late: REP-0991", (Link("REP-0991", "https://reviews.example/0991"),)
        ),
        FactLine("Still open", "4, oldest 3 days: REP-0977", (Link("REP-0977", POST),)),
        FactLine(
            "Stars changed after our answer", "9 up, 0 down", (Link("post 1", POST), Link("post 2", ""))
        ),
        FactLine("Sources checked", "6 of 7; Yelp blind 26 h"),
    ),
    hurts=(
        TopicLine("Delivery late", "23 (9)", (Link("worst", POST), Link("next", POST + "?a=1&b=2"))),
        TopicLine("Refund refused", "14 (12)"),
        TopicLine("Chat bot loop", "8 (1; rising)"),
    ),
    last_word="last week",
    loves=(
        QuoteLine(
            "Priya at the Leeds store stayed 20 minutes after closing to fix my order. Customer for life.",
            "Jo, 5 of 5, Google.",
            POST,
        ),
        QuoteLine("Best return I have ever had. Two clicks, money back the next day.", "Ann, Yelp."),
    ),
    open=(OpenLine("REP-0977", POST, "1 of 5, Google, open 3 days, owner bob"),),
    open_more=3,
    permission="Ask the author before one goes into an advertisement.",
    footer="16 to 22 Nov 2026, Europe/Berlin time. Numbers: a post counts once per source.",
    report_url="https://lowstar.example/weekly/2026-W47",
)
BARE = DigestCard(
    key="Acme:2026-W47",
    headline="Week 47: nothing is known",
    summary="Acme. Week 47: nothing is known.",
    facts=(FactLine("Mentions", "not known"),),
    hurts=(),
    last_word="last week",
    warning="No source was read.",
)


@pytest.mark.parametrize(("name", "card"), [("full", FULL), ("bare", BARE)])
def test_the_card_is_the_golden_one(name: str, card: DigestCard) -> None:
    drawn = json.dumps(digest_body(card), indent=1, ensure_ascii=False) + "\n"
    golden = GOLDEN / f"digest_{name}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(drawn, encoding="utf-8")
    assert drawn == golden.read_text(encoding="utf-8")
    assert problems(digest_body(card)["blocks"]) == []


def test_every_number_and_name_can_be_read_without_pictures() -> None:
    words = as_text(digest_body(FULL)["blocks"])
    for said in ("61 negative", "89 %", "Chat bot loop", "Customer for life", "REP-0977", "and 3 more"):
        assert said in words


def test_numbers_outlive_quotes_when_room_is_short() -> None:
    words = "Ж" * 5_000  # six characters each in the JSON that Slack counts
    crowded = replace(
        FULL,
        hurts=tuple(
            TopicLine(words, "9 (1)", (Link("worst", f"https://x.example/{'a' * 400}"),)) for _ in range(12)
        ),
        loves=tuple(QuoteLine(words, words, POST) for _ in range(9)),
        open=tuple(OpenLine("REP-0001", POST, words) for _ in range(9)),
        footer=words,
    )
    body = digest_body(crowded)
    assert size(body["blocks"]) <= MAX_MESSAGE
    assert problems(body["blocks"]) == []
    assert "54 of 61" in as_text(body["blocks"])


def test_a_strangers_words_never_become_markup() -> None:
    nasty = "<!channel> <@U012> *b* <https://evil.example|us> &amp; `x`"
    card = replace(
        FULL,
        headline=nasty,
        summary=nasty,
        hurts=(TopicLine(nasty, "3"),),
        loves=(QuoteLine(nasty, nasty, "javascript:alert(1)"),),
        open=(OpenLine("REP-1", "https://user:pw@evil.example/", nasty),),
        facts=(FactLine("Sources checked", nasty, (Link(nasty, POST),)),),
        footer=nasty,
    )
    body = digest_body(card)

    def mrkdwn(value: object) -> list[str]:
        if isinstance(value, dict):
            own = [str(value["text"])] if value.get("type") == "mrkdwn" else []
            return own + [text for inner in value.values() for text in mrkdwn(inner)]
        return [text for inner in value for text in mrkdwn(inner)] if isinstance(value, list) else []

    texts = mrkdwn(body["blocks"])
    assert texts
    assert not any("<!" in text or "<@" in text or "<https://evil" in text for text in [*texts, body["text"]])
    assert "javascript" not in json.dumps([block for block in body["blocks"] if "url" in json.dumps(block)])


WILD = st.text(max_size=400)


@settings(max_examples=40, deadline=None)
@given(words=WILD, url=WILD, count=st.integers(0, 30))
@example(words=" ", url="", count=0)
def test_any_words_make_a_card_slack_takes(words: str, url: str, count: int) -> None:
    links = (Link(words, url), Link(words, f"https://x.example/{url}"))
    card = DigestCard(
        key=words,
        headline=words or "?",
        summary=words,
        facts=tuple(FactLine("Mentions", words, links) for _ in range(1 + count)),
        hurts=tuple(TopicLine(words, words, links) for _ in range(count)),
        last_word="last week",
        loves=tuple(QuoteLine(words, words, url) for _ in range(count)),
        open=tuple(OpenLine("REP-0001", url, words) for _ in range(count)),
        footer=words,
        report_url=url,
    )
    body = digest_body(replace(card, headline=card.headline.strip() or "?"))
    assert size(body["blocks"]) <= MAX_MESSAGE
    assert len(body["text"]) <= MAX_FALLBACK
    assert problems(body["blocks"]) == []
