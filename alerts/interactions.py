"""What does somebody want who pressed a button, sent a window, typed a command? Payload → intent; pure.

Slack's payloads are signed, so they come from Slack; what is inside them is still taken for what it is: text
from outside. Whatever is not understood becomes `Ignored`, never an error.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from alerts.deeds import Action, Do, Why, Wrong
from alerts.modals import Modal, case_number, entered
from alerts.people import SLACK_USER

Payload = Mapping[str, Any]

SNOOZE = timedelta(hours=1)

_CASE_VALUE = re.compile(r"([0-9]{1,12}):([0-9]{1,9})(?::([a-z_0-9]{1,20}))?")
_LEVEL_VALUE = re.compile(r"([0-9]{1,12}):l([0-9]{1,4})")
_CARD_ID = re.compile(r"(?:case|esc):([0-9]{1,12}):[vl][0-9]{1,9}")


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who wants it, and where an answer can be given."""

    user: str  # Slack id
    name: str = ""  # the short name that came with it
    channel: str = ""
    ts: str = ""  # of the message it was pressed on
    thread_ts: str = ""
    trigger_id: str = ""  # opens one window, within three seconds
    response_url: str = ""
    view_id: str = ""  # of the window it was pressed in


@dataclass(frozen=True, slots=True)
class Act:
    """Do something to a case."""

    by: By
    number: int
    action: Action


@dataclass(frozen=True, slots=True)
class ActOnPromise:
    """Do something to a promise; the button knows only its id."""

    by: By
    promise: int
    action: Action


@dataclass(frozen=True, slots=True)
class TakeOver:
    """Take a case that was escalated to `level`, whoever has it."""

    by: By
    number: int
    level: int


@dataclass(frozen=True, slots=True)
class Show:
    """Open a window for a case, or for a promise (then `number` is 0)."""

    by: By
    modal: Modal
    number: int = 0
    version: int | None = None
    promise: int = 0
    promise_version: int | None = None


@dataclass(frozen=True, slots=True)
class ShowCase:
    """Show the card of a case to who asks, and nobody else."""

    by: By
    number: int


@dataclass(frozen=True, slots=True)
class ListOpen:
    """Show the open cases to who asks."""

    by: By


@dataclass(frozen=True, slots=True)
class Help:
    """Say what can be typed."""

    by: By
    command: str


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button that is not about one case: of a storm, of a source."""

    by: By
    action_id: str
    value: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing to do: a link that was followed, a window that was closed, a payload of somebody else's app."""

    why: str


Intent = Act | ActOnPromise | TakeOver | Show | ShowCase | ListOpen | Help | Pressed | Ignored


@dataclass(frozen=True, slots=True)
class Reading:
    """What a payload means, and what Slack is answered at once (None: that it arrived)."""

    intent: Intent
    ack: dict[str, Any] | None = None


def read(payload: object, now: datetime) -> Reading:
    """What this payload means: block_actions, view_submission, shortcuts, slash commands. Never raises."""
    try:
        return _read(payload, now)
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        IndexError,
        OverflowError,
        RecursionError,
    ) as error:
        return Reading(Ignored(f"not understood: {type(error).__name__}"))


def identity(payload: object) -> str:
    """The same for a payload delivered again, another for every press; "" where none can be told."""
    if not isinstance(payload, Mapping):
        return ""
    user = payload.get("user")
    who = str(user.get("id", "")) if isinstance(user, Mapping) else str(payload.get("user_id", ""))
    view = payload.get("view")
    match payload.get("type"):
        case "block_actions":
            actions = payload.get("actions")
            parts = [
                (str(one.get("action_id")), str(one.get("action_ts")), str(one.get("block_id")))
                for one in (actions if isinstance(actions, list) else ())
                if isinstance(one, Mapping)
            ]
            return f"pressed:{who}:{parts}" if parts else ""
        case "view_submission" | "view_closed" if isinstance(view, Mapping):
            # A window that was refused is sent again with another content, and is the same window.
            content = json.dumps([payload.get("type"), view.get("state")], sort_keys=True, default=str)
            digest = hashlib.blake2b(content.encode("utf-8", "replace"), digest_size=12).hexdigest()
            return f"sent:{who}:{view.get('id')}:{view.get('hash')}:{digest}"
    trigger = payload.get("trigger_id")
    return f"asked:{who}:{trigger}" if isinstance(trigger, str) and trigger else ""


def _read(payload: object, now: datetime) -> Reading:
    if not isinstance(payload, Mapping):
        return Reading(Ignored("no object"))
    kind = payload.get("type")
    if kind is None and isinstance(payload.get("command"), str):
        return Reading(_command(payload))
    by = _by(payload)
    if not by.user:
        return Reading(Ignored("nobody"))
    match kind:
        case "block_actions":
            return Reading(_pressed(payload, by, now))
        case "view_submission":
            return _sent(payload, by, now)
        case "shortcut":
            return Reading(ListOpen(by))
        case "message_action":
            number = _card_number(payload.get("message"))
            return Reading(Show(by, Modal.HISTORY, number) if number else Ignored("a message without a case"))
    return Reading(Ignored(f"of type {str(kind)[:40]}"))


# -- buttons ----------------------------------------------------------------------------------------------

_DEEDS = {
    "case_claim": Do.CLAIM,
    "case_release": Do.RELEASE,
    "case_escalate": Do.ESCALATE,
    "case_resolve": Do.RESOLVE,
    "case_reopen": Do.REOPEN,
}
_WINDOWS = {
    "case_answered": Modal.ANSWERED,
    "case_promise": Modal.PROMISE,
    "case_dismiss": Modal.DISMISS,
    "case_history": Modal.HISTORY,
    "case_assign": Modal.ASSIGN,
}


def _pressed(payload: Payload, by: By, now: datetime) -> Intent:
    action = payload["actions"][0]
    action_id = str(action.get("action_id", ""))
    value = action.get("value")
    if action.get("type") == "overflow":
        value = action["selected_option"]["value"]
    value = str(value or "")
    if action_id == "open_post":
        return Ignored("a link was followed")
    if found := _LEVEL_VALUE.fullmatch(value):
        return TakeOver(by, int(found[1]), int(found[2])) if action_id == "esc_ack" else Ignored(action_id)
    found = _CASE_VALUE.fullmatch(value)
    if found is None or not action_id.startswith(("case_", "promise_")):
        return Pressed(by, action_id[:100], value[:300])
    first, version = int(found[1]), int(found[2])
    match action_id:
        case "promise_kept":
            kept = Action(kind=Do.KEEP_PROMISE, actor=by.user, promise=first, promise_version=version)
            return ActOnPromise(by, first, kept)
        case "promise_extend":
            return Show(by, Modal.EXTEND, promise=first, promise_version=version)
        case "case_more":
            return _chosen(by, first, version, found[3] or "", now)
    if action_id in _WINDOWS:
        return Show(by, _WINDOWS[action_id], first, version)
    if action_id in _DEEDS:
        return Act(by, first, Action(kind=_DEEDS[action_id], actor=by.user, version=version))
    return Pressed(by, action_id[:100], value[:300])


def _chosen(by: By, number: int, version: int, what: str, now: datetime) -> Intent:
    """A line of the menu behind the three dots."""
    base = Action(kind=Do.NOTE, actor=by.user, version=version)
    match what:
        case "assign":
            return Show(by, Modal.ASSIGN, number, version)
        case "promise":
            return Show(by, Modal.PROMISE, number, version)
        case "history":
            return Show(by, Modal.HISTORY, number, version)
        case "snooze60":
            return Act(by, number, replace(base, kind=Do.SNOOZE, until=now + SNOOZE))
        case "wake":
            return Act(by, number, replace(base, kind=Do.UNSNOOZE))
        case "release":
            return Act(by, number, replace(base, kind=Do.RELEASE))
        case "mute":
            return Act(by, number, replace(base, kind=Do.DISMISS, why=Why.NOT_US))
        case "not_negative":
            return Act(by, number, replace(base, kind=Do.DISMISS, why=Why.NOT_NEGATIVE))
        case "more_urgent":
            return Act(by, number, replace(base, kind=Do.CORRECT, wrong=Wrong.MORE_URGENT))
    return Ignored(f"no such line: {what[:40]}")


# -- windows and commands ---------------------------------------------------------------------------------


def _sent(payload: Payload, by: By, now: datetime) -> Reading:
    found = entered(payload["view"], by.user, now)
    if found.opened is not None:
        by = replace(by, channel=by.channel or found.opened.channel, ts=by.ts or found.opened.ts)
    if found.errors:
        return Reading(
            Ignored("sent back with what is wrong"),
            {"response_action": "errors", "errors": found.errors},
        )
    if found.action is None:
        return Reading(Ignored("no window of ours"))
    if found.action.kind is Do.EXTEND_PROMISE:
        return Reading(ActOnPromise(by, found.promise, found.action))
    # Windows open on top of the history: all of them close.
    return Reading(
        Act(by, found.number, found.action), {"response_action": "clear"} if _nested(payload) else None
    )


def _nested(payload: Payload) -> bool:
    view = payload["view"]
    return bool(view.get("previous_view_id") or view.get("root_view_id", view.get("id")) != view.get("id"))


def _command(payload: Payload) -> Intent:
    user = str(payload.get("user_id", ""))
    if not SLACK_USER.fullmatch(user):
        return Ignored("nobody")
    by = By(
        user=user,
        name=str(payload.get("user_name", ""))[:80],
        channel=str(payload.get("channel_id", "")),
        trigger_id=str(payload.get("trigger_id", "")),
        response_url=str(payload.get("response_url", "")),
    )
    text = str(payload.get("text") or "").strip()
    if text.lower() in ("open", "list"):
        return ListOpen(by)
    if number := case_number(text):
        return ShowCase(by, number)
    return Help(by, str(payload["command"])[:40])


def _card_number(message: object) -> int:
    """The case of a card, from the ids of its blocks or its metadata; 0 for another message."""
    if not isinstance(message, Mapping):
        return 0
    for block in message.get("blocks") or ():
        if found := _CARD_ID.fullmatch(str(block.get("block_id", ""))):
            return int(found[1])
    metadata = message.get("metadata") or {}
    return case_number(str(metadata.get("event_payload", {}).get("case_id", "")))


def _by(payload: Payload) -> By:
    user = payload.get("user") or {}
    channel = payload.get("channel") or {}
    message = payload.get("message") or {}
    container = payload.get("container") or {}
    view = payload.get("view") or {}
    id_ = str(user.get("id", ""))
    return By(
        user=id_ if SLACK_USER.fullmatch(id_) else "",
        name=str(user.get("username") or user.get("name") or "")[:80],
        channel=str(channel.get("id") or container.get("channel_id") or ""),
        ts=str(container.get("message_ts") or message.get("ts") or ""),
        thread_ts=str(message.get("thread_ts") or container.get("thread_ts") or ""),
        trigger_id=str(payload.get("trigger_id") or ""),
        response_url=str(payload.get("response_url") or ""),
        view_id=str(view.get("id") or "") if payload.get("type") == "block_actions" else "",
    )
