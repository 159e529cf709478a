"""What a payload means; and that whatever comes, nothing breaks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.deeds import Do, Why
from alerts.interactions import (
    Act,
    ActOnPromise,
    Help,
    Ignored,
    Intent,
    ListOpen,
    Pressed,
    Show,
    ShowCase,
    TakeOver,
    identity,
    read,
)
from alerts.modals import Modal

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def pressed(action_id: str, value: str, **more: Any) -> dict[str, Any]:
    action: dict[str, Any] = {
        "type": "button", "action_id": action_id, "value": value, "action_ts": "1.5", "block_id": "b",
    }  # fmt: skip
    if action_id == "case_more":
        action = {**action, "type": "overflow", "selected_option": {"value": value}}
        del action["value"]
    return {
        "type": "block_actions",
        "user": {"id": "U01ALICE", "username": "alice"},
        "container": {"type": "message", "message_ts": "17.1", "channel_id": "C01ALERTS"},
        "channel": {"id": "C01ALERTS"},
        "message": {"ts": "17.1", "thread_ts": "17.0"},
        "trigger_id": "t1",
        "response_url": "https://hooks.slack.com/actions/T/1/x",
        "actions": [action],
        **more,
    }


def intent(payload: object) -> Intent:
    return read(payload, NOW).intent


@pytest.mark.parametrize(
    ("action_id", "kind"),
    [
        ("case_claim", Do.CLAIM),
        ("case_release", Do.RELEASE),
        ("case_escalate", Do.ESCALATE),
        ("case_resolve", Do.RESOLVE),
        ("case_reopen", Do.REOPEN),
    ],
)
def test_a_button_names_the_case_and_the_version_that_was_seen(action_id: str, kind: Do) -> None:
    found = intent(pressed(action_id, "1042:3"))
    assert isinstance(found, Act)
    assert (found.number, found.action.kind, found.action.version) == (1042, kind, 3)
    assert found.action.actor == "U01ALICE"
    assert (found.by.channel, found.by.ts, found.by.thread_ts) == ("C01ALERTS", "17.1", "17.0")


def test_the_menu_behind_the_dots() -> None:
    snooze = intent(pressed("case_more", "7:2:snooze60"))
    assert isinstance(snooze, Act)
    assert snooze.action.until == NOW + timedelta(hours=1)
    for what, why in (("mute", Why.NOT_US), ("not_negative", Why.NOT_NEGATIVE)):
        dismissed = intent(pressed("case_more", f"7:2:{what}"))
        assert isinstance(dismissed, Act)
        assert (dismissed.action.kind, dismissed.action.why) == (Do.DISMISS, why)
    for what, modal in (("assign", Modal.ASSIGN), ("history", Modal.HISTORY), ("promise", Modal.PROMISE)):
        shown = intent(pressed("case_more", f"7:2:{what}"))
        assert isinstance(shown, Show)
        assert (shown.modal, shown.number, shown.version) == (modal, 7, 2)
    for what, kind in (("wake", Do.UNSNOOZE), ("release", Do.RELEASE), ("more_urgent", Do.CORRECT)):
        done = intent(pressed("case_more", f"7:2:{what}"))
        assert isinstance(done, Act)
        assert done.action.kind is kind
    assert isinstance(intent(pressed("case_more", "7:2:rm_rf")), Ignored)


def test_answered_opens_a_window() -> None:
    found = intent(pressed("case_answered", "1042:2"))
    assert isinstance(found, Show)
    assert (found.modal, found.number, found.version, found.by.trigger_id) == (
        Modal.ANSWERED, 1042, 2, "t1",
    )  # fmt: skip


def test_a_promise_is_kept_or_moved_by_its_own_number() -> None:
    kept = intent(pressed("promise_kept", "9:1"))
    assert isinstance(kept, ActOnPromise)
    assert (kept.promise, kept.action.kind, kept.action.promise_version) == (9, Do.KEEP_PROMISE, 1)
    moved = intent(pressed("promise_extend", "9:1"))
    assert isinstance(moved, Show)
    assert (moved.modal, moved.promise, moved.promise_version) == (Modal.EXTEND, 9, 1)


def test_an_escalation_is_taken_over_by_its_level() -> None:
    found = intent(pressed("esc_ack", "1042:l2"))
    assert isinstance(found, TakeOver)
    assert (found.number, found.level) == (1042, 2)


def test_buttons_of_storms_and_sources_are_handed_on() -> None:
    for action_id, value in (("storm_lead", "12:3"), ("source_claim", "yelp:3")):
        found = intent(pressed(action_id, value))
        assert isinstance(found, Pressed)
        assert (found.action_id, found.value) == (action_id, value)
    assert isinstance(intent(pressed("open_post", "")), Ignored)


def test_a_command_lists_shows_or_explains() -> None:
    def typed(text: str) -> Intent:
        return intent({"command": "/rep", "text": text, "user_id": "U01ALICE", "channel_id": "C1"})

    assert isinstance(typed("open"), ListOpen)
    shown = typed(" rep-1042 ")
    assert isinstance(shown, ShowCase)
    assert shown.number == 1042
    assert isinstance(typed(""), Help)
    assert isinstance(typed("REP-" + "9" * 400), Help)


def test_shortcuts_list_and_show() -> None:
    base = {"user": {"id": "U01ALICE"}, "trigger_id": "t"}
    assert isinstance(intent({"type": "shortcut", "callback_id": "rep_open", **base}), ListOpen)
    message = {"blocks": [{"type": "actions", "block_id": "case:1042:v2"}]}
    found = intent({"type": "message_action", "message": message, **base})
    assert isinstance(found, Show)
    assert (found.number, found.modal) == (1042, Modal.HISTORY)
    assert isinstance(intent({"type": "message_action", "message": {}, **base}), Ignored)


def test_the_same_press_is_known_again_and_another_is_not() -> None:
    first = pressed("case_claim", "1:1")
    assert identity(first) == identity({**first, "trigger_id": "another", "response_url": "another"})
    later = pressed("case_claim", "1:1")
    later["actions"][0]["action_ts"] = "2.5"
    assert identity(first) != identity(later)
    view = {"id": "V1", "hash": "h", "state": {"values": {"due": {}}}}
    sent = {"type": "view_submission", "user": {"id": "U01ALICE"}, "view": view}
    mended = {**sent, "view": {**view, "state": {"values": {"due": {"v": 1}}}}}
    assert identity(sent) != identity(mended)
    assert identity({"command": "/rep", "user_id": "U1", "trigger_id": "t"}) == "asked:U1:t"
    assert identity([]) == identity({}) == ""


def test_nobody_is_ignored() -> None:
    assert isinstance(intent(pressed("case_claim", "1:1", user={"id": "<!channel>"})), Ignored)
    assert isinstance(intent({"command": "/rep", "text": "open", "user_id": "x"}), Ignored)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@given(anything, st.sampled_from(["block_actions", "view_submission", "shortcut", "message_action", None]))
def test_no_payload_breaks_it(inside: Any, kind: str | None) -> None:
    names = ("user", "actions", "view", "message", "container", "channel", "command", "text", "user_id")
    for payload in (
        inside,
        {"type": kind, **dict.fromkeys(names, inside)},
        {"type": kind, "user": {"id": "U01ALICE"}, **dict.fromkeys(names[1:], inside)},
        {"type": kind, "user": {"id": "U01ALICE"}, "actions": [inside], "view": {"state": inside}},
    ):
        reading = read(payload, NOW)
        assert reading.ack is None or isinstance(reading.ack, dict)
        assert isinstance(identity(payload), str)


@given(st.text(max_size=60), st.sampled_from(["case_claim", "case_more", "esc_ack", "promise_kept", "x"]))
def test_no_value_becomes_another_case(value: str, action_id: str) -> None:
    found = intent(pressed(action_id, value))
    if isinstance(found, Act | TakeOver | ActOnPromise):
        number = found.promise if isinstance(found, ActOnPromise) else found.number
        assert value.startswith(str(number)) or value.lstrip("0").startswith(str(number)) or number == 0
