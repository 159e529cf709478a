"""What a card says, and that no stranger's words become anything but words."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alerting import NOON, case, delivery, mention, reviewed, verdict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.blocks import alert_message, as_text, bare_message, message_for, with_note
from alerts.limits import MAX_FALLBACK, MAX_MESSAGE, problems, size
from alerts.notifier import Message
from alerts.text import unescape
from storage.records import (
    CaseStatus,
    DatePrecision,
    DeliveryKind,
    Kind,
    Label,
    Mention,
    Priority,
    Reviewed,
    Sentiment,
)

GOLDEN = Path(__file__).with_name("golden")
HOSTILE = (
    'They REFUSED my refund & told me to "read the terms". <!channel> <@U01ALICE> *never again* `rm -rf` '
    "<https://evil.example|click here> :rotating_light: &lt;b&gt; ~no~ _no_\n> quoted\n- list"
)


def records() -> dict[str, Reviewed]:
    open_ = case(1042, respond_by=NOON + timedelta(minutes=30))
    about = mention(
        1042, source="trustpilot", url="https://www.trustpilot.com/reviews/65f0c0ffee", text=HOSTILE * 8,
        author="J. Doe <b>", entity="Leeds store",
    )  # fmt: skip
    claimed = case(1042, status=CaseStatus.CLAIMED, owner="U01ALICE", version=2)
    answered = case(
        1042, status=CaseStatus.ANSWERED, owner="Alice Adams", version=3, channel="#alerts",
        first_response_at=NOON + timedelta(minutes=26), respond_by=NOON + timedelta(minutes=30),
    )  # fmt: skip
    resolved = case(
        1042, status=CaseStatus.RESOLVED, owner="U01ALICE", version=5, outcome="Refund paid",
        first_response_at=NOON + timedelta(minutes=26), closed_at=NOON + timedelta(hours=30),
    )  # fmt: skip
    post = mention(
        7, source="reddit", kind=Kind.POST, stars=None, title="Acme charged me twice", text="Who else?",
        author="u/someone", author_followers=12_000, url="https://old.reddit.com/r/x/comments/1/é?a=b c"[:-2],
        date_precision=DatePrecision.DAY,
    )  # fmt: skip
    unread = verdict(Priority.HIGH, sentiment=Sentiment(0.0, Label.UNREAD), reasons=("nobody could read it",))
    return {
        "open": reviewed(open_, about),
        "claimed": reviewed(claimed, about),
        "answered": reviewed(answered, about),
        "resolved": reviewed(resolved, about),
        "dismissed": reviewed(case(1042, status=CaseStatus.DISMISSED, closed_at=NOON), about),
        "edited_worse": reviewed(open_, about, stars_before=5.0),
        "recovered": reviewed(case(1042, recovered=True), mention(1042, stars=4.0), stars_before=1.0),
        "removed": reviewed(case(1042), about, removed=True),
        "star_only": reviewed(case(8), mention(8, text="", url="", author="", published_at=None)),
        "post": reviewed(case(7, priority=Priority.HIGH), post),
        "unread": reviewed(case(9, priority=Priority.HIGH), mention(9, stars=None), verdict=unread),
        "overdue": reviewed(case(11, respond_by=NOON - timedelta(hours=3)), mention(11, owner_reply="Sorry")),
        "truncated_by_source": reviewed(case(10), mention(10, text_truncated=True, rating_raw="2/10")),
    }


def draw(of: Reviewed, **more: Any) -> Message:
    title = of.mention.source.capitalize()
    one = delivery("ob_golden", number=of.case.number, wanted_version=of.case.version, **more)
    return alert_message(of, one, site_title=title, now=NOON)


@pytest.mark.parametrize("name", list(records()))
def test_cards_look_as_they_did(name: str) -> None:
    message = draw(records()[name])
    drawn = json.dumps({"text": message.text, "blocks": message.blocks}, indent=1, ensure_ascii=False) + "\n"
    kept = GOLDEN / f"{name}.json"
    if os.environ.get("LOWSTAR_UPDATE_GOLDEN"):
        kept.write_text(drawn, "utf-8")
    assert drawn == kept.read_text("utf-8"), "LOWSTAR_UPDATE_GOLDEN=1 writes the new form"


@pytest.mark.parametrize("name", list(records()))
def test_every_card_is_within_what_slack_takes(name: str) -> None:
    message = draw(records()[name])
    assert problems(message.blocks) == []
    assert 0 < len(message.text) <= MAX_FALLBACK
    assert message.text.startswith(f"REP-{records()[name].case.number:04d}")


@pytest.mark.parametrize(
    ("name", "headline"),
    [
        ("open", "🔴 1 of 5 stars on Trustpilot: needs an answer"),
        ("claimed", "🟡 Taken: 1 of 5 stars on Trustpilot"),
        ("answered", "✅ Answered in 26 min: 1 of 5 stars on Trustpilot"),
        ("edited_worse", "🔴 changed from 5 to 1 of 5 stars on Trustpilot: edited, needs an answer"),
        ("recovered", "🟢 Recovered: changed from 1 to 4 of 5 stars on Shop"),
        ("removed", "⚪ Removed by its author: 1 of 5 stars on Trustpilot"),
        ("post", "🟠 Negative post on Reddit: needs an answer"),
        ("unread", "🟠 A review nobody could judge on Shop: needs an answer"),
    ],
)
def test_the_headline_says_what_it_is_and_what_to_do(name: str, headline: str) -> None:
    assert as_text(draw(records()[name]).blocks).split("\n")[0] == headline


def test_a_removed_card_keeps_no_word_of_its_author() -> None:
    message = draw(records()["removed"])
    said = json.dumps(message.blocks, ensure_ascii=False) + message.text
    for word in ("REFUSED", "J. Doe", "Leeds", "trustpilot.com"):
        assert word not in said


def test_the_number_of_the_order_is_on_the_card_and_leaves_it_with_the_review() -> None:
    about = mention(8, reference="A-7")
    assert "Order: A-7" in as_text(draw(reviewed(case(8), about)).blocks)
    assert "A-7" not in json.dumps(draw(reviewed(case(8), about, removed=True)).blocks)
    assert "Order" not in as_text(draw(reviewed(case(8), mention(8))).blocks)


def test_a_star_only_review_says_so() -> None:
    assert "No words, 1 of 5 stars." in as_text(draw(records()["star_only"]).blocks)


def test_a_day_is_not_shown_as_a_time_of_day() -> None:
    assert "Posted: 22 Nov 2026\n" in as_text(draw(records()["post"]).blocks) + "\n"


def test_a_plain_delivery_has_no_blocks() -> None:
    assert draw(records()["open"], plain=True).blocks == ()


def test_an_address_that_is_no_plain_web_address_gets_no_button() -> None:
    for url in ("https://user:pass@shop.example/", "https://[bad/", "https://shop.example/" + "é" * 1_900):
        assert "open_post" not in json.dumps(draw(reviewed(about=mention(7, url=url))).blocks)


def test_a_note_stands_on_top_and_keeps_within_the_limits() -> None:
    message = with_note(draw(records()["open"]), "Meant for #alerts <!here>.")
    assert message.text.startswith("Meant for #alerts &lt;!here&gt;. REP-1042")
    assert len(message.text) <= MAX_FALLBACK
    assert problems(message.blocks) == []


def test_messages_that_are_no_cards_are_drawn_from_their_body() -> None:
    body = json.dumps({"text": "Blind on Yelp", "blocks": [{"type": "divider"}], "broadcast": True})
    drawn = message_for(delivery(kind=DeliveryKind.OPS, body=body), None, titles={}, now=NOON)
    assert (drawn.text, len(drawn.blocks), drawn.broadcast) == ("Blind on Yelp", 1, True)


@pytest.mark.parametrize("body", ["", "{", "[]", '{"text": 3}', "{}", "null"])
def test_a_body_nobody_can_read_still_says_something(body: str) -> None:
    one = delivery(kind=DeliveryKind.OPS, body=body)
    assert message_for(one, None, titles={}, now=NOON).text == bare_message(one).text


anything = st.text(max_size=400) | st.text(st.characters(codec="utf-8"), max_size=3_000) | st.sampled_from([
    HOSTILE, "🇩🇪" * 900, "👩‍👩‍👧‍👦" * 300, "z" + "\u0301" * 3_000,
    "<" * 2_000, "&" * 2_000, "\n" * 2_000, "@channel @here",
])  # fmt: skip
mentions = st.builds(
    Mention,
    source=st.just("shop"),
    external_id=st.just("1"),
    kind=st.sampled_from(list(Kind)),
    url=st.just("")
    | st.just("https://shop.example/a")
    | anything.map(lambda text: f"https://shop.example/{text}"),
    title=anything,
    text=anything,
    author=anything,
    author_followers=st.none() | st.integers(0, 10**12),
    entity=anything,
    stars=st.none() | st.floats(1, 5),
    published_at=st.none() | st.just(NOON),
    date_precision=st.sampled_from(list(DatePrecision)),
    text_truncated=st.booleans(),
)


def leaves(block: Any) -> list[dict[str, Any]]:
    """Every object of a message that shows text or does something."""
    found = []
    if isinstance(block, dict):
        if "type" in block:
            found.append(block)
        for value in block.values():
            found += leaves(value)
    elif isinstance(block, list | tuple):
        for value in block:
            found += leaves(value)
    return found


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    about=mentions,
    reasons=st.lists(anything, max_size=4).map(tuple),
    brand=anything,
    owner=st.just("") | anything,
    outcome=anything,
    site=anything,
    status=st.sampled_from(list(CaseStatus)),
    before=st.none() | st.floats(1, 5),
    removed=st.booleans(),
)
def test_no_string_becomes_a_mention_a_link_a_format_or_a_button(
    about: Mention,
    reasons: tuple[str, ...],
    brand: str,
    owner: str,
    outcome: str,
    site: str,
    status: CaseStatus,
    before: float | None,
    removed: bool,
) -> None:
    of = reviewed(
        case(7, brand=brand, owner=owner, outcome=outcome, status=status),
        about,
        verdict=verdict(reasons=reasons),
        stars_before=before,
        removed=removed,
    )
    message = alert_message(of, delivery(number=7), site_title=site, now=NOON)
    assert problems(message.blocks) == []
    assert size(message.blocks) < MAX_MESSAGE
    assert len(message.text) <= MAX_FALLBACK
    assert "<" not in message.text
    assert ">" not in message.text
    for leaf in leaves(message.blocks):
        match leaf["type"]:
            case "plain_text":
                assert leaf["emoji"] is False
            case "mrkdwn":
                # Only what we wrote ourselves: labels, dates, case numbers, counts.
                assert leaf["verbatim"] is True
                label, _, value = leaf["text"].partition("\n")
                assert label.strip("*") in (
                    "Case", "Answer by", "Posted", "First seen", "First answer", "Closed",
                    "Owner", "Answered by",
                )  # fmt: skip
                assert value.count("<") <= 1
            case "text":
                assert set(leaf) <= {"type", "text", "style"}
                assert leaf.get("style", {"italic": True}) == {"italic": True}
            case "button":
                assert leaf["action_id"] == "open_post"
                assert leaf["url"].isascii()
                assert leaf["url"].startswith("https://shop.example/")
            case kind:
                assert kind in (
                    "header", "rich_text", "rich_text_quote", "rich_text_section", "section",
                    "context", "actions",
                )  # fmt: skip
    quotes = [leaf for leaf in leaves(message.blocks) if leaf["type"] == "rich_text_quote"]
    if quotes:
        quoted = quotes[0]["elements"][0]["text"]
        whole = about.judged_text
        assert quoted == whole or (quoted.endswith("…") and whole.startswith(quoted[:-1]))
        assert "REP-0007" in unescape(message.text)
