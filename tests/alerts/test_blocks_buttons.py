"""What can be pressed on a card in each state, and that no stranger's words become anything to press."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alerting import NOON, case, delivery, mention, reviewed, verdict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slackdesk import TEAM

from alerts import modals
from alerts.blocks import Around, alert_message, as_text
from alerts.blocks_cases import news_body
from alerts.deeds import News, Told
from alerts.limits import MAX_FALLBACK, MAX_MESSAGE, problems, size
from alerts.limits_views import view_problems
from alerts.modals import Opened
from alerts.names import Known, Names
from alerts.notifier import Message
from alerts.people import NO_PEOPLE
from alerts.slack_desk import whispered
from alerts.text import unescape
from storage.records import Case, CaseEvent, CaseStatus, Mention, Priority, Promise, Reviewed

GOLDEN = Path(__file__).with_name("golden")
HOSTILE = (
    'They REFUSED my refund & told me to "read the terms". <!channel> <@U01ALICE> *never again* `rm -rf` '
    "<https://evil.example|click here>. I waited 3 weeks; nobody called back. "
)
MINUTE = timedelta(minutes=1)
KEPT = Promise(
    1042, "Refund", NOON + timedelta(days=3), "U01ALICE", NOON + timedelta(days=2), id=9, version=2
)
OWED = Promise(1042, "Refund", NOON + timedelta(days=3), "U01ALICE", id=9, version=1)
NAMES = Names(TEAM)


def of(**more: Any) -> Reviewed:
    values: dict[str, Any] = {
        "number": 1042, "opened_at": NOON, "respond_by": NOON + 30 * MINUTE, "channel": "#alerts",
    }  # fmt: skip
    about = mention(
        1042, source="trustpilot", url="https://www.trustpilot.com/reviews/65f0c0ffee", text=HOSTILE * 8,
        author="J. Doe <b>", entity="Leeds store", published_at=NOON,
    )  # fmt: skip
    why = ("1 of 5 stars", "tone -0.82", "words: refund, refused, never again")
    return reviewed(case(**{**values, **more}), about, verdict=verdict(reasons=why))


def cards() -> dict[str, tuple[Reviewed, Around]]:
    press, react = Around(names=NAMES, interactive=True), Around(names=NAMES, interactive=False)
    claimed: dict[str, Any] = {
        "status": CaseStatus.CLAIMED, "owner": "U01ALICE", "version": 2, "claimed_at": NOON + 12 * MINUTE,
    }  # fmt: skip
    answered: dict[str, Any] = {
        "status": CaseStatus.ANSWERED, "owner": "U01ALICE", "version": 3,
        "claimed_at": NOON + 12 * MINUTE, "first_response_at": NOON + 26 * MINUTE,
    }  # fmt: skip
    closed = {
        **answered, "status": CaseStatus.RESOLVED, "version": 5, "closed_at": NOON + timedelta(days=2),
        "outcome": "Customer changed 1 to 4 stars",
    }  # fmt: skip
    context = Around(
        names=NAMES,
        interactive=True,
        context=("Gold customer, 2,400 a year", "Has written here before: 2 times"),
    )
    return {
        "card_open": (of(), press),
        "card_claimed": (of(**claimed), press),
        "card_answered": (of(**answered), press),
        "card_owed": (of(**answered), Around(promises=[OWED], names=NAMES, interactive=True)),
        "card_closed": (of(**closed), Around(promises=[KEPT], names=NAMES, interactive=True)),
        "card_snoozed": (of(snoozed_until=NOON + 60 * MINUTE), press),
        "card_reactions": (of(), react),
        "card_context": (of(), context),
    }


def draw(name: str) -> Message:
    about, around = cards()[name]
    one = delivery("ob_golden", number=1042, wanted_version=about.case.version)
    return alert_message(about, one, site_title="Trustpilot", now=NOON, around=around)


@pytest.mark.parametrize("name", list(cards()))
def test_cards_with_buttons_look_as_they_did(name: str) -> None:
    message = draw(name)
    drawn = json.dumps({"text": message.text, "blocks": message.blocks}, indent=1, ensure_ascii=False) + "\n"
    kept = GOLDEN / f"{name}.json"
    if os.environ.get("LOWSTAR_UPDATE_GOLDEN"):
        kept.write_text(drawn, "utf-8")
    assert drawn == kept.read_text("utf-8"), "LOWSTAR_UPDATE_GOLDEN=1 writes the new form"


@pytest.mark.parametrize("name", list(cards()))
def test_every_card_with_buttons_is_within_what_slack_takes(name: str) -> None:
    message = draw(name)
    assert problems(message.blocks) == []
    assert 0 < len(message.text) <= MAX_FALLBACK


def pressable(message: Message) -> list[str]:
    return [
        element["action_id"]
        for block in message.blocks
        if block["type"] == "actions"
        for element in block["elements"]
    ]


@pytest.mark.parametrize(
    ("name", "buttons"),
    [
        ("card_open", ["case_claim", "case_answered", "case_escalate", "open_post", "case_more"]),
        ("card_claimed", ["case_answered", "case_release", "case_escalate", "open_post", "case_more"]),
        ("card_answered", ["case_resolve", "case_escalate", "open_post", "case_more"]),
        ("card_owed", ["promise_kept", "promise_extend", "case_escalate", "open_post", "case_more"]),
        ("card_closed", ["case_reopen", "open_post"]),
        ("card_reactions", ["open_post"]),
    ],
)
def test_what_can_be_pressed_follows_the_state(name: str, buttons: list[str]) -> None:
    assert pressable(draw(name)) == buttons


def test_where_nobody_listens_the_card_explains_its_reactions() -> None:
    assert "👀 mine · ✅ answered · 🆘 escalate · 🚫 not about us" in as_text(draw("card_reactions").blocks)
    assert "React" not in as_text(draw("card_open").blocks)


def test_each_button_says_what_it_does_to_a_screen_reader() -> None:
    for name in cards():
        for block in draw(name).blocks:
            for element in block["elements"] if block["type"] == "actions" else ():
                assert element["type"] == "overflow" or element["accessibility_label"]
                assert element["type"] != "overflow" or 1 <= len(element["options"]) <= 5


def test_a_snoozed_case_can_be_woken() -> None:
    assert "1042:1:wake" in json.dumps(draw("card_snoozed").blocks)
    assert "Snoozed until" in as_text(draw("card_snoozed").blocks)


def test_a_word_that_looks_like_an_id_rings_nobody() -> None:
    shouted = of(status=CaseStatus.CLAIMED, owner="WILLIAMS", claimed_at=NOON)
    for names, rung in ((NAMES, False), (Names(NO_PEOPLE, {"WILLIAMS": Known("")}), True)):
        message = alert_message(
            shouted, delivery(number=1042), site_title="T", now=NOON, around=Around(names=names)
        )
        assert ("<@WILLIAMS>" in json.dumps(message.blocks)) is rung
    named = alert_message(
        of(status=CaseStatus.CLAIMED, owner="U01ALICE", claimed_at=NOON),
        delivery(number=1042), site_title="T", now=NOON, around=Around(names=NAMES),
    )  # fmt: skip
    assert "taken by Alice Adams" in named.text


# -- strangers' words, in everything that is built ---------------------------------------------------------

marks = st.sampled_from(
    [
        "<!channel>", "<!here>", "<@U01ALICE>", "<#C01ALERTS>", "<https://evil.example|click>", "*b*", "`x`",
        "_i_", "~s~", ":fire:", "&lt;", "&amp;", "\n> quote", "\n- list", "@channel", "```", "http://evil.example",
        "<!date^1^{date}|x>", "WILLIAMS", "U0EVIL0001", "\u202e", "👩‍👩‍👧", "é", "\x00", "1042:1", "{", '"',
    ]
)  # fmt: skip
words = st.lists(marks | st.text(max_size=12), max_size=8).map("".join)
OUR_LABELS = ("Case", "Answer by", "Posted", "First seen", "First answer", "Closed", "Owner", "Answered by")
OUR_ACTIONS = (
    "case_claim", "case_answered", "case_escalate", "case_release", "case_resolve", "case_reopen", "case_more",
    "promise_kept", "promise_extend", "open_post", "esc_ack", "case_promise", "case_dismiss",
)  # fmt: skip


def leaves(found: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(found, Mapping):
        if "type" in found:
            yield found
        for value in found.values():
            yield from leaves(value)
    elif isinstance(found, list | tuple):
        for value in found:
            yield from leaves(value)


def assert_only_words(blocks: Any, *, known: set[str], urls: tuple[str, ...]) -> None:
    """Nothing in these blocks is a mention, link, formatting or button but what is ours."""
    for leaf in leaves(blocks):
        match leaf["type"]:
            case "plain_text":
                assert leaf["emoji"] is False
            case "mrkdwn":
                assert leaf["verbatim"] is True
                label, _, value = leaf["text"].partition("\n")
                if label.startswith("Taken by <@"):
                    assert label[11:].partition(">")[0] in known
                    assert label.count("<") == 2
                    continue
                assert label.strip("*") in OUR_LABELS
                assert value.count("<") <= 1
                if value.startswith("<@"):
                    assert value[2:-1] in known
            case "user":
                assert leaf["user_id"] in known
            case "link":
                assert leaf["url"].startswith(urls)
            case "text":
                assert set(leaf) <= {"type", "text", "style"}
            case "button":
                assert leaf["action_id"] in OUR_ACTIONS
                assert leaf.get("url", urls[0]).startswith(urls)
            case "emoji" | "channel" | "usergroup" | "broadcast" | "image":
                raise AssertionError(leaf)


def assert_quiet(text: str) -> None:
    """A fallback text is shown as it is: no token can begin."""
    assert len(text) <= MAX_FALLBACK
    assert "<" not in text
    assert ">" not in text


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=150)
@given(words, words, words, words, words, st.sampled_from(list(CaseStatus)), st.sampled_from([True, False]))
def test_no_stranger_gets_more_than_words_on_any_message(
    text: str, author: str, owner: str, promised: str, detail: str, status: CaseStatus, interactive: bool
) -> None:
    about = mention(7, text=text, title=detail, author=author, entity=author, url="https://shop.example/r/7")
    of = Reviewed(
        case(
            7, status=status, owner=owner, outcome=detail, claimed_at=NOON, first_response_at=NOON,
            brand=author or "Acme",
        ),
        about, verdict(reasons=(detail, text)), NOON,
    )  # fmt: skip
    promise = Promise(7, promised, NOON + timedelta(days=1), owner, id=3)
    known = {"U01ALICE", "U02BOBBY", "U03CAROL"}
    urls = ("https://shop.example/", "https://survey.example/")
    around = Around(promises=[promise], names=NAMES, interactive=interactive, context=(author, detail))
    card = alert_message(of, delivery(number=7), site_title=author, now=NOON, around=around)
    assert problems(card.blocks) == []
    assert size(card.blocks) <= MAX_MESSAGE
    assert_only_words(card.blocks, known=known, urls=urls)
    assert_quiet(card.text)
    quotes = [leaf for leaf in leaves(card.blocks) if leaf["type"] == "rich_text_quote"]
    if quotes:
        quoted = quotes[0]["elements"][0]["text"]
        assert quoted == about.judged_text or about.judged_text.startswith(quoted.removesuffix("…"))

    for what in Told:
        news = News(
            what=what, actor=owner, to=(owner, "U02BOBBY"), words=text, link="https://survey.example/1",
            owner=author, since=MINUTE, target=MINUTE, by=NOON, promise=promise, level=2, top=3,
            next_to=(author,), next_at=NOON,
        )  # fmt: skip
        body = json.loads(
            news_body([news], of.case, people=NAMES, now=NOON, url=about.url, buttons=interactive)
        )
        assert problems(body["blocks"]) == []
        assert_only_words(body["blocks"], known=known, urls=urls)
        assert_quiet(body["text"])

    opened = Opened(number=7, version=1)
    event = CaseEvent(7, NOON, owner or "x", detail or "x", text)
    history = modals.history_view(opened, of, [event], [promise], names=NAMES, url="https://shop.example/r/7")
    for view in (history, modals.extend_view(opened, promise, NOON)):
        assert view_problems(view) == []
        assert_only_words(view["blocks"], known=known, urls=urls)

    said = whispered(text)
    assert problems(said["blocks"]) == []
    assert_only_words(said["blocks"], known=known, urls=urls)
    assert "<" not in said["text"]
    if len(text.strip()) <= 2_500 and text.strip():
        assert unescape(said["text"]) == text.strip()


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 4_000), st.sampled_from(["a", "é", "🔴", "<", "&", "\U0001f469\u200d\U0001f469"]))
def test_a_card_with_everything_on_it_stays_within_what_slack_takes(count: int, character: str) -> None:
    long = character * count
    about = Mention(
        source="shop", external_id="1", text=long, author=long, entity=long, title=long,
        url="https://shop.example/" + "x" * min(count, 1_900),
    )  # fmt: skip
    busy = Case(
        number=999_999_999, mention_id=1, brand=long[:64], status=CaseStatus.ANSWERED, priority=Priority.URGENT,
        rank=1.0, opened_at=NOON, owner=long[:255], first_response_at=NOON, respond_by=NOON, outcome=long,
    )  # fmt: skip
    of = reviewed(busy, about, verdict=verdict(reasons=(long, long)))
    promises = [Promise(999_999_999, long, NOON, "U01ALICE", id=n + 1) for n in range(3)]
    around = Around(promises=promises, names=NAMES, interactive=True, context=(long, long, long))
    message = alert_message(of, delivery(number=999_999_999), site_title=long, now=NOON, around=around)
    assert problems(message.blocks) == []
    assert pressable(message)
