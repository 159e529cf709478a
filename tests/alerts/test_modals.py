"""Windows are within what Slack takes, and what is entered in them becomes an action or says what is wrong."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alerting import NOON, case, mention, reviewed
from hypothesis import given
from hypothesis import strategies as st
from slackdesk import ALICE, BOB, TEAM, a_listener, a_workspace, announced, card, deliver, until, utc_now

from alerts import modals
from alerts.deeds import Do, Why
from alerts.limits_views import view_problems
from alerts.modals import Entered, Opened, case_number, entered
from alerts.names import Known, Names
from storage.records import CaseEvent, CaseStatus, Promise
from storage.store import Store

GOLDEN = Path(__file__).with_name("golden")
OPENED = Opened(number=1042, version=2, channel="C01ALERTS", ts="1795312800.000100")
BERLIN = Opened(number=1042, version=2, zone="Europe/Berlin")
PROMISE = Promise(1042, "a refund", NOON + timedelta(days=3), "U01ALICE", id=9)
NAMES = Names(TEAM, {"U09STRANGER": Known("")})


def views() -> dict[str, dict[str, Any]]:
    events = [
        CaseEvent(1042, NOON, "lowstar", "opened", "1 of 5 stars"),
        CaseEvent(1042, NOON + timedelta(minutes=12), "U01ALICE", "claimed", "", 2),
        CaseEvent(1042, NOON + timedelta(minutes=13), "U09STRANGER", "noted", "<!channel> *b*\n`x`", 3),
    ]
    of = reviewed(case(1042), mention(1042))
    return {
        "answered": modals.answered_view(OPENED, NOON),
        "promise": modals.promise_view(OPENED, NOON),
        "extend": modals.extend_view(OPENED, PROMISE, NOON),
        "assign": modals.assign_view(OPENED),
        "dismiss": modals.dismiss_view(OPENED),
        "history": modals.history_view(OPENED, of, events, [PROMISE], names=NAMES, url="https://a.example/"),
    }


@pytest.mark.parametrize("name", list(views()))
def test_windows_look_as_they_did(name: str) -> None:
    drawn = json.dumps(views()[name], indent=1, ensure_ascii=False) + "\n"
    kept = GOLDEN / f"view_{name}.json"
    if os.environ.get("LOWSTAR_UPDATE_GOLDEN"):
        kept.write_text(drawn, "utf-8")
    assert drawn == kept.read_text("utf-8"), "LOWSTAR_UPDATE_GOLDEN=1 writes the new form"


@pytest.mark.parametrize("name", list(views()))
def test_every_window_is_within_what_slack_takes(name: str) -> None:
    assert view_problems(views()[name]) == []


def test_limits_of_windows_are_known() -> None:
    view = views()["answered"]
    long = {**view, "title": {"type": "plain_text", "text": "x" * 25}}
    assert "less than 25" in view_problems(long)[0]
    assert view_problems({**view, "private_metadata": "x" * 3_001})
    without = {name: value for name, value in view.items() if name != "submit"}
    assert view_problems(without) == ["[ERROR] missing required field: submit [json-pointer:/view]"]
    assert view_problems({**view, "blocks": view["blocks"] * 40})
    assert view_problems(None)
    bad = {"type": "input", "block_id": "b", "label": view["title"], "element": {"type": "datepicker"}}
    for element, word in (
        ({"type": "datepicker", "initial_date": "tomorrow"}, "YYYY-MM-DD"),
        ({"type": "timepicker", "initial_time": "noon"}, "HH:mm"),
        ({"type": "plain_text_input", "max_length": 3_001}, "between"),
        ({"type": "radio_buttons", "options": []}, "items"),
        ({"type": "carousel"}, "unsupported"),
    ):
        assert word in view_problems({**view, "blocks": [{**bad, "element": element}]})[0]


def test_a_long_history_is_cut_at_its_old_end() -> None:
    events = [CaseEvent(1, NOON, "lowstar", "edited", f"line {n} " + "y" * 2_000) for n in range(500)]
    view = modals.history_view(OPENED, reviewed(), events, [PROMISE] * 30, names=NAMES)
    assert view_problems(view) == []
    said = json.dumps(view)
    assert "line 499" in said
    assert "line 100 " not in said
    assert "460 earlier lines" in said


def sent(view: dict[str, Any], **values: Any) -> Entered:
    shapes = {
        "due": "selected_date", "at": "selected_time", "who": "selected_user", "why": "selected_option",
    }  # fmt: skip
    state = {
        block: {"v": {shapes.get(block, "value"): {"value": value} if block == "why" else value}}
        for block, value in values.items()
    }
    return entered({**view, "state": {"values": state}}, "U01ALICE", NOON)


def test_an_answer_with_its_promise() -> None:
    view = modals.answered_view(BERLIN, NOON)
    found = sent(view, link="https://shop.example/a", promise="a refund", due="2026-11-25", at="10:00")
    assert found.errors is None
    assert found.number == 1042
    action = found.action
    assert action is not None
    assert (action.kind, action.version, action.link) == (Do.ANSWER, 2, "https://shop.example/a")
    assert (action.promised, action.due_by) == ("a refund", datetime(2026, 11, 25, 9, 0, tzinfo=UTC))


def test_an_answer_needs_nothing_more() -> None:
    found = sent(modals.answered_view(OPENED, NOON))
    assert found.action is not None
    assert (found.action.promised, found.action.due_by, found.action.link) == ("", None, "")


def test_a_day_without_an_hour_ends_at_six() -> None:
    found = sent(modals.promise_view(BERLIN, NOON), promise="to call", due="2026-11-25")
    assert found.action is not None
    assert found.action.due_by == datetime(2026, 11, 25, 17, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("view", "values", "errors"),
    [
        ("answered", {"promise": "a refund"}, {"due": "A promise has a date."}),
        ("answered", {"due": "2026-11-21"}, {"due": "21 Nov 2026 18:00 UTC is past."}),
        ("answered", {"due": "2026-11-22", "at": "11:00"}, {"at": "22 Nov 2026 11:00 UTC is past."}),
        ("answered", {"at": "11:00"}, {"due": "An hour needs a day."}),
        ("answered", {"due": "9999-99-99"}, {"due": "That is no date."}),
        ("answered", {"link": "javascript:x"}, {"link": "That is no web address: it begins with https://"}),
        ("promise", {}, {"promise": "Say what is promised.", "due": "A promise has a date."}),
        ("extend", {}, {"due": "Say until when."}),
        ("assign", {}, {"who": "Choose somebody."}),
        ("dismiss", {}, {"why": "Choose a reason."}),
        ("dismiss", {"why": "duplicate"}, {"of": "Say of which other case, for example REP-1042."}),
        ("dismiss", {"why": "duplicate", "of": "REP-1042"}, {"of": "That is this case itself."}),
    ],
)
def test_what_is_wrong_is_said_where_it_is(view: str, values: dict[str, str], errors: dict[str, str]) -> None:
    found = sent(views()[view], **values)
    assert found.errors == errors
    assert found.action is None
    blocks = {block.get("block_id") for block in views()[view]["blocks"]}
    assert set(errors) <= blocks


def test_a_dismissal_says_why() -> None:
    found = sent(views()["dismiss"], why="duplicate", of="rep-7", note="see there")
    assert found.action is not None
    assert (found.action.why, found.action.duplicate_of, found.action.text) == (
        Why.DUPLICATE, 7, "see there",
    )  # fmt: skip


def test_a_promise_is_moved_by_its_number() -> None:
    opened = Opened(number=1042, promise=9, promise_version=1)
    found = sent(modals.extend_view(opened, PROMISE, NOON), due="2026-12-01")
    assert found.action is not None
    assert (found.promise, found.action.promise_version) == (9, 1)


@given(st.text(max_size=60))
def test_a_window_of_somebody_else_is_none_of_ours(metadata: str) -> None:
    found = entered({"private_metadata": metadata, "callback_id": "case_answered"}, "U01ALICE", NOON)
    assert found.action is None or found.number == json.loads(metadata)["case"]


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=30), st.text(max_size=30))
def test_whatever_is_entered_is_an_action_or_an_error(link: str, promise: str, due: str, at: str) -> None:
    found = sent(modals.answered_view(OPENED, NOON), link=link, promise=promise, due=due, at=at)
    assert (found.action is None) == bool(found.errors)


@given(st.text(max_size=50))
def test_a_case_number_is_a_number(text: str) -> None:
    assert 0 <= case_number(text) < 10**12


def test_the_whole_way_from_the_button_to_the_promise(sqlite_store: Store) -> None:
    with a_workspace() as slack:
        (posted,) = announced(sqlite_store, slack)
        with a_listener(sqlite_store, slack):
            people = slack.people
            people.click("#alerts", posted.ts, "case_answered", ALICE)
            window = people.window(ALICE)
            assert json.loads(window.view["private_metadata"])["v"] == 1
            wrong = people.submit(window, {"promise": "a refund"})
            assert wrong is not None
            assert window.errors == {"due": "A promise has a date."}
            day = f"{utc_now() + timedelta(days=3):%Y-%m-%d}"
            people.submit(window, {"promise": "a refund", "due": day, "link": "https://shop.example/a"})
            assert not people.windows
            until(lambda: card(slack, posted.ts).edits)
            assert "a refund, by" in str(card(slack, posted.ts).blocks)
            # The card of an answered case with a promise asks about the promise.
            people.click("#alerts", posted.ts, "promise_extend", ALICE)
            later = people.window(ALICE)
            assert later.view["callback_id"] == "promise_extend"
            people.submit(later, {"due": f"{utc_now() + timedelta(days=9):%Y-%m-%d}"})
            until(lambda: card(slack, posted.ts).edits == 2)
            people.click("#alerts", posted.ts, "promise_kept", BOB)
            until(lambda: card(slack, posted.ts).edits == 3)
            people.click("#alerts", posted.ts, "case_resolve", ALICE)
            until(lambda: card(slack, posted.ts).edits == 4)
        assert not people.whispers
        with sqlite_store.reading() as ledger:
            done, (promise,) = ledger.case(1), ledger.promises(1)
        assert done is not None
        assert done.status is CaseStatus.RESOLVED
        assert promise.kept_at is not None
        deliver(sqlite_store, slack)
        assert "a refund" in slack.channel_text("#alerts")


def test_rarer_deeds_start_from_the_history(sqlite_store: Store) -> None:
    with a_workspace() as slack:
        announced(sqlite_store, slack, 2)
        first = next(one for one in slack.posted("#alerts") if "REP-0001" in one.text)
        with a_listener(sqlite_store, slack):
            people = slack.people
            people.click("#alerts", first.ts, "case_more", ALICE, option="history")
            history = people.window(ALICE)
            people.click_window(history, "case_dismiss")
            until(lambda: people.window(ALICE).view["callback_id"] == "case_dismiss")
            people.submit(people.window(ALICE), {"why": "duplicate", "of": "REP-2"})
            assert not people.windows  # the history below it closed too
            until(lambda: card(slack, first.ts).edits)
        assert "a duplicate of REP-0002" in str(card(slack, first.ts).blocks)
        assert not people.whispers


def test_assigning_to_somebody_slack_knows_rings_them(sqlite_store: Store) -> None:
    with a_workspace() as slack:
        slack.people.add("U09STRANGER", "sam", "Sam Smith")
        (posted,) = announced(sqlite_store, slack)
        with a_listener(sqlite_store, slack):
            slack.people.click("#alerts", posted.ts, "case_more", ALICE, option="assign")
            slack.people.submit(slack.people.window(ALICE), {"who": "U09STRANGER"})
            until(lambda: card(slack, posted.ts).edits)
        assert "<@U09STRANGER>" in str(card(slack, posted.ts).blocks)


def test_a_window_that_comes_too_late_is_said(sqlite_store: Store) -> None:
    with a_workspace() as slack:
        (posted,) = announced(sqlite_store, slack)
        slack.faults = lambda method, arguments: "expired_trigger_id" if method == "views.open" else None
        with a_listener(sqlite_store, slack):
            slack.people.click("#alerts", posted.ts, "case_answered", ALICE)
            until(lambda: slack.people.whispers)
        assert "press it once more" in slack.people.whispers[0].text


def test_nothing_can_be_answered_in_a_closed_case(sqlite_store: Store) -> None:
    with a_workspace() as slack:
        (posted,) = announced(sqlite_store, slack)
        old = posted.blocks[-1]
        with a_listener(sqlite_store, slack):
            slack.people.click("#alerts", posted.ts, "case_more", ALICE, option="mute")
            until(lambda: "Dismissed" in card(slack, posted.ts).blocks[0]["text"]["text"])
            until(lambda: slack.people.known and card(slack, posted.ts).edits == 1)
            card(slack, posted.ts).blocks.append(old)  # an old picture of it, on a phone
            slack.people.click("#alerts", posted.ts, "case_answered", BOB, value="1:1")
            until(lambda: slack.people.whispers)
        assert slack.people.whispers[0].text == "REP-0001 is closed: reopen it first."
