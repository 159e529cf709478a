"""Which windows open from a card, and what was entered in them? Views from records, actions from views; pure.

A window remembers in its `private_metadata` which case, in which version, it was opened for; what somebody
else did meanwhile is found when the entry is carried out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from alerts.buttons import button, confirm, option, plain
from alerts.deeds import Action, Do, Why
from alerts.names import Names
from alerts.text import clip, one_line, utc
from storage.records import Case, CaseEvent, Promise, Reviewed, case_name, clean_url

View = dict[str, Any]
Errors = dict[str, str]

DAY_ENDS = time(18)  # of a promise with a day and no hour
PROMISE_MAX = 300
NOTE_MAX = 1_000
QUOTE_MAX = 2_500
EVENTS_MAX = 40
DETAIL_MAX = 300
CALLBACKS = "case_answered", "case_promise", "promise_extend", "case_assign", "case_dismiss"


class Modal(StrEnum):
    """The windows there are; the value is the `callback_id`."""

    ANSWERED = "case_answered"
    PROMISE = "case_promise"
    EXTEND = "promise_extend"
    ASSIGN = "case_assign"
    DISMISS = "case_dismiss"
    HISTORY = "case_history"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What a window was opened for."""

    number: int
    version: int | None = None
    channel: str = ""
    ts: str = ""  # of the card
    zone: str = "UTC"  # dates and hours entered are of this zone
    promise: int = 0
    promise_version: int | None = None

    def metadata(self) -> str:
        """As it stands in `private_metadata`."""
        kept: dict[str, Any] = {"case": str(self.number)}
        if self.version is not None:
            kept["v"] = self.version
        kept |= {"channel": self.channel, "ts": self.ts}
        if self.zone != "UTC":
            kept["zone"] = self.zone
        if self.promise:
            kept |= {"promise": self.promise, "pv": self.promise_version}
        return json.dumps(kept)


@dataclass(frozen=True, slots=True)
class Entered:
    """What somebody entered: an action on a case (or on a promise), or what is wrong about it by block."""

    number: int = 0
    action: Action | None = None
    promise: int = 0
    opened: Opened | None = None
    errors: Errors | None = None


# -- views ------------------------------------------------------------------------------------------------


def answered_view(opened: Opened, now: datetime) -> View:
    """ "I answered": where, and what was promised."""
    return _modal(
        Modal.ANSWERED,
        f"{case_name(opened.number)} answered",
        opened,
        [
            _input("link", "Link to our public answer", {"type": "url_text_input"}),
            _input(
                "promise", "What did we promise?", {"type": "plain_text_input", "max_length": PROMISE_MAX}
            ),
            _input("due", "By when?", {"type": "datepicker"}),
            _at(opened),
        ],
    )


def promise_view(opened: Opened, now: datetime) -> View:
    """What was promised to the customer, and by when."""
    words = {"type": "plain_text_input", "max_length": PROMISE_MAX}
    return _modal(
        Modal.PROMISE,
        f"{case_name(opened.number)}: a promise",
        opened,
        [
            _input("promise", "What do we promise?", words, optional=False),
            _input("due", "By when?", {"type": "datepicker"}, optional=False),
            _at(opened),
        ],
    )


def extend_view(opened: Opened, promise: Promise, now: datetime) -> View:
    """A later date for a promise, or none any more."""
    zone = _zone(opened.zone)
    later = max(promise.due_by, now).astimezone(zone) + timedelta(days=1)
    return _modal(
        Modal.EXTEND,
        f"{case_name(opened.number)}: more time",
        opened,
        [
            _rich(_leaf(f"Promised: {clip(one_line(promise.text), PROMISE_MAX)}, by {utc(promise.due_by)}.")),
            _input(
                "due",
                "New date",
                {"type": "datepicker", "initial_date": f"{later:%Y-%m-%d}"},
                optional=False,
            ),
            _at(opened, f"{promise.due_by.astimezone(zone):%H:%M}"),
        ],
    )


def assign_view(opened: Opened) -> View:
    """Who shall have it."""
    element = {"type": "users_select", "placeholder": plain("Choose somebody")}
    return _modal(
        Modal.ASSIGN,
        f"{case_name(opened.number)}: assign",
        opened,
        [_input("who", "Who takes care of it?", element, optional=False)],
        submit="Assign",
    )


def dismiss_view(opened: Opened, why: Why = Why.DUPLICATE) -> View:
    """Why nobody has to answer."""
    options = [option(one.words[:1].upper() + one.words[1:], one.value) for one in Why]
    chosen = next(one for one in options if one["value"] == why.value)
    note = {"type": "plain_text_input", "multiline": True, "max_length": NOTE_MAX}
    return _modal(
        Modal.DISMISS,
        f"{case_name(opened.number)}: dismiss",
        opened,
        [
            _input(
                "why",
                "Why does nobody have to answer?",
                {"type": "radio_buttons", "options": options, "initial_option": chosen},
                optional=False,
            ),
            _input("of", "Duplicate of which case?", {"type": "plain_text_input", "max_length": 20}),
            _input("note", "A note for the history", note),
        ],
        submit="Dismiss",
    )


def history_view(
    opened: Opened,
    reviewed: Reviewed,
    events: Sequence[CaseEvent],
    promises: Sequence[Promise],
    *,
    names: Names,
    url: str = "",
    more: Sequence[Mapping[str, Any]] = (),
) -> View:
    """All that happened to a case, and the rarer things that can be done to it. `more`: blocks of others."""
    case = reviewed.case
    blocks: list[View] = []
    text = "" if reviewed.removed else clip(reviewed.mention.judged_text.strip(), QUOTE_MAX)
    if text:
        quote = {"type": "rich_text_quote", "elements": [{"type": "text", "text": text}]}
        blocks.append({"type": "rich_text", "elements": [quote]})
    for promise in promises[-10:]:
        state = "kept" if promise.kept_at else "called off" if promise.dropped_at else "owed"
        line = f"Promise ({state}): {clip(one_line(promise.text), PROMISE_MAX)}, by {utc(promise.due_by)}"
        blocks.append({"type": "context", "elements": [plain(line)]})
    blocks += [dict(block) for block in more]
    shown = list(events)[-EVENTS_MAX:]
    if len(shown) < len(events):
        left_out = f"{len(events) - len(shown)} earlier lines: lowstar cases show {case.name}"
        blocks.append({"type": "context", "elements": [plain(left_out)]})
    for start in range(0, len(shown), 10):
        lines = [_history_line(event, names) for event in shown[start : start + 10]]
        blocks.append({"type": "rich_text", "elements": lines})
    if row := _history_buttons(case, promises, url):
        blocks.append({"type": "actions", "block_id": "history_actions", "elements": row})
    return {
        "type": "modal",
        "callback_id": Modal.HISTORY.value,
        "private_metadata": opened.metadata(),
        "title": plain(clip(f"{case.name}: history", 24)),
        "close": plain("Close"),
        "blocks": blocks,
    }


def _history_buttons(case: Case, promises: Sequence[Promise], url: str) -> list[View]:
    seen, name = f"{case.number}:{case.version}", case.name
    row: list[View] = []
    if not case.status.closed:
        row.append(button("case_promise", "Promise something…", seen, f"Promise something in {name}"))
        row.append(button("case_dismiss", "Dismiss…", seen, f"Dismiss {name}"))
        sure = confirm(f"Resolve {name}?", "Nothing is left to do for this customer.", "Resolve")
        done = button("case_resolve", "Resolve", seen, f"Close {name}", style="primary")
        row.append({**done, "confirm": sure})
    if url:
        row.append({"type": "button", "action_id": "open_post", "text": plain("Open post"), "url": url})
    return row


def _history_line(event: CaseEvent, names: Names) -> View:
    words = clip(one_line(event.detail), DETAIL_MAX)
    moment = {
        "type": "date",
        "timestamp": int(event.at.timestamp()),
        "format": "{date_short_pretty} {time}",
        "fallback": utc(event.at),
    }
    who = names.name(event.actor) or "someone"
    return {
        "type": "rich_text_section",
        "elements": [
            moment,
            {"type": "text", "text": f"  {who}: ", "style": {"bold": True}},
            {"type": "text", "text": f"{event.action}{f', {words}' if words else ''}"},
        ],
    }


# -- what was entered -------------------------------------------------------------------------------------


def entered(view: Mapping[str, Any], user: str, now: datetime) -> Entered:
    """What `user` entered; with `errors` the window stays open and says, by block, what is wrong."""
    opened = opened_for(view)
    if opened is None:
        return Entered()
    values = _Values(view)
    errors: Errors = {}
    action: Action | None = None
    match view.get("callback_id"):
        case Modal.ANSWERED.value:
            action = _answer(values, opened, user, now, errors)
        case Modal.PROMISE.value:
            promised, due = values.text("promise"), _due(values, opened, now, errors)
            if not promised:
                errors["promise"] = "Say what is promised."
            if due is None and "due" not in errors:
                errors["due"] = "A promise has a date."
            action = Action(
                kind=Do.PROMISE, actor=user, version=opened.version, promised=promised, due_by=due
            )
        case Modal.EXTEND.value:
            due = _due(values, opened, now, errors)
            if due is None and "due" not in errors:
                errors["due"] = "Say until when."
            action = Action(
                kind=Do.EXTEND_PROMISE,
                actor=user,
                due_by=due,
                promise=opened.promise,
                promise_version=opened.promise_version,
            )
        case Modal.ASSIGN.value:
            whom = values.get("who", "selected_user")
            if not whom:
                errors["who"] = "Choose somebody."
            action = Action(kind=Do.ASSIGN, actor=user, version=opened.version, assignee=whom)
        case Modal.DISMISS.value:
            action = _dismissal(values, opened, user, errors)
        case _:
            return Entered(opened=opened)
    if errors:
        return Entered(opened=opened, errors=errors)
    return Entered(number=opened.number, action=action, promise=opened.promise, opened=opened)


def opened_for(view: Mapping[str, Any]) -> Opened | None:
    """What a view was opened for, None for a view that is none of ours."""
    try:
        kept = json.loads(view.get("private_metadata") or "")
        version, promise_version = kept.get("v"), kept.get("pv")
        return Opened(
            number=int(kept["case"]),
            version=None if version is None else int(version),
            channel=str(kept.get("channel", "")),
            ts=str(kept.get("ts", "")),
            zone=str(kept.get("zone", "UTC")),
            promise=int(kept.get("promise", 0)),
            promise_version=None if promise_version is None else int(promise_version),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _answer(values: _Values, opened: Opened, user: str, now: datetime, errors: Errors) -> Action:
    link, promised = values.text("link"), values.text("promise")
    if link and not clean_url(link):
        errors["link"] = "That is no web address: it begins with https://"
    due = _due(values, opened, now, errors)
    if promised and due is None and "due" not in errors:
        errors["due"] = "A promise has a date."
    return Action(
        kind=Do.ANSWER, actor=user, version=opened.version, link=link, promised=promised, due_by=due
    )


def _dismissal(values: _Values, opened: Opened, user: str, errors: Errors) -> Action:
    why = Why.OTHER
    try:
        why = Why(values.option("why"))
    except ValueError:
        errors["why"] = "Choose a reason."
    of = case_number(values.text("of"))
    if why is Why.DUPLICATE and not of:
        errors["of"] = "Say of which other case, for example REP-1042."
    elif why is Why.DUPLICATE and of == opened.number:
        errors["of"] = "That is this case itself."
    return Action(
        kind=Do.DISMISS,
        actor=user,
        version=opened.version,
        why=why,
        duplicate_of=of,
        text=values.text("note"),
    )


def _due(values: _Values, opened: Opened, now: datetime, errors: Errors) -> datetime | None:
    """The moment entered as a day and perhaps an hour, in UTC; a mistake goes to `errors`."""
    day, hour = values.get("due", "selected_date"), values.get("at", "selected_time")
    if not day:
        if hour:
            errors["due"] = "An hour needs a day."
        return None
    try:
        at = time.fromisoformat(hour) if hour else DAY_ENDS
        moment = datetime.combine(date.fromisoformat(day), at, _zone(opened.zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        errors["due"] = "That is no date."
        return None
    if moment <= now:
        errors["at" if hour and moment.date() == now.date() else "due"] = f"{utc(moment)} is past."
        return None
    return moment


_NUMBER = re.compile(r"(?:REP)?[- #]{0,3}0{0,12}([1-9][0-9]{0,11})", re.IGNORECASE)


def case_number(text: str) -> int:
    """The case somebody means, 0 for none.

    >>> case_number("REP-1042"), case_number("rep 7"), case_number("0007"), case_number("open")
    (1042, 7, 7, 0)
    """
    found = _NUMBER.fullmatch(text.strip()[:40])
    return int(found[1]) if found else 0


class _Values:
    """`view.state.values`, whatever was sent as that."""

    def __init__(self, view: Mapping[str, Any]) -> None:
        state = view.get("state")
        values = state.get("values") if isinstance(state, Mapping) else None
        self._values = values if isinstance(values, Mapping) else {}

    def _element(self, block: str) -> Mapping[str, Any]:
        found = self._values.get(block)
        element = found.get("v") if isinstance(found, Mapping) else None
        return element if isinstance(element, Mapping) else {}

    def get(self, block: str, name: str) -> str:
        found = self._element(block).get(name)
        return found.strip() if isinstance(found, str) else ""

    def text(self, block: str) -> str:
        return self.get(block, "value")

    def option(self, block: str) -> str:
        found = self._element(block).get("selected_option")
        return str(found.get("value", "")) if isinstance(found, Mapping) else ""


# -- the smallest parts -----------------------------------------------------------------------------------


def _modal(modal: Modal, title: str, opened: Opened, blocks: list[View], submit: str = "Save") -> View:
    return {
        "type": "modal",
        "callback_id": modal.value,
        "private_metadata": opened.metadata(),
        "title": plain(clip(title, 24)),
        "submit": plain(submit),
        "close": plain("Cancel"),
        "blocks": blocks,
    }


def _input(block: str, label: str, element: View, *, optional: bool = True) -> View:
    shown: View = {"type": "input", "block_id": block}
    if optional:
        shown["optional"] = True
    return {**shown, "label": plain(label), "element": {**element, "action_id": "v"}}


def _at(opened: Opened, initial: str = "") -> View:
    element: View = {"type": "timepicker"}
    if initial:
        element["initial_time"] = initial
    hint = f"Time in {opened.zone}; without one, {DAY_ENDS:%H:%M}."
    return {**_input("at", "At what time?", element), "hint": plain(hint)}


def _rich(*leaves: View) -> View:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(leaves)}]}


def _leaf(text: str) -> View:
    return {"type": "text", "text": text}


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return ZoneInfo("UTC")
