"""What can be pressed on a card, in each state of its case? Pure.

A button's value is "1042:3": the case, and the version of it that was drawn. Whoever presses a button of an
older version is told what happened meanwhile. Ids and wording follow `docs/slack.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from storage.records import Case, CaseStatus, Promise

Element = dict[str, Any]

REACTIONS_HINT = (
    "React to this message: 👀 mine · ✅ answered · 🆘 escalate · 🚫 not about us. The next run reads it."
)


def card_buttons(
    case: Case, promises: Sequence[Promise] = (), now: datetime | None = None
) -> tuple[list[Element], Element | None]:
    """The buttons for what this case needs next, the most likely first, and its overflow menu, if any."""
    seen, name = f"{case.number}:{case.version}", case.name
    escalate = danger(
        "case_escalate",
        "Escalate",
        seen,
        f"Escalate {name} to the supervisor",
        confirm(f"Escalate {name}?", "Sends it to the next person on the escalation list now.", "Escalate"),
    )
    answered = button("case_answered", "Mark answered", seen, f"Mark {name} as answered")
    match case.status:
        case CaseStatus.OPEN:
            take = button("case_claim", "I'll take it", seen, f"Take case {name}", style="primary")
            return [take, answered, escalate], _more(case, now, "not_us", "not_negative")
        case CaseStatus.CLAIMED:
            back = button("case_release", "Hand back", seen, f"Hand {name} back to the team")
            first = {**answered, "style": "primary"}
            return [first, back, escalate], _more(case, now, "not_us", "not_negative")
        case CaseStatus.ANSWERED:
            owed = [one for one in promises if one.open and one.id]
            if owed:
                due = min(owed, key=lambda one: one.due_by)
                return [*promise_buttons(due, name), escalate], _more(case, now, "promise", "release")
            done = button("case_resolve", "Resolve", seen, f"Close {name}", style="primary")
            return [done, escalate], _more(case, now, "promise", "release")
    return [button("case_reopen", "Reopen", seen, f"Reopen {name}")], None


def promise_buttons(promise: Promise, case_name: str) -> list[Element]:
    """The two answers to "is it done?"; their value is the promise and the version of it that was drawn."""
    seen = f"{promise.id}:{promise.version}"
    return [
        button("promise_kept", "Done, kept", seen, f"Promise kept for {case_name}", style="primary"),
        button("promise_extend", "Need more time", seen, f"Move the promise date for {case_name}"),
    ]


def button(action: str, text: str, value: str, label: str, *, style: str = "") -> Element:
    """A button; `label` is what a screen reader says."""
    element: Element = {
        "type": "button",
        "action_id": action,
        "text": plain(text),
        "value": value,
        "accessibility_label": label[:75],
    }
    if style:
        element["style"] = style
    return element


def danger(action: str, text: str, value: str, label: str, sure: Element) -> Element:
    """A button that asks before it does what cannot be taken back."""
    return {**button(action, text, value, label, style="danger"), "confirm": sure}


def confirm(title: str, text: str, yes: str) -> Element:
    """The question before a deed."""
    return {"title": plain(title), "text": plain(text), "confirm": plain(yes), "deny": plain("Cancel")}


def option(text: str, value: str) -> Element:
    """One line of a menu."""
    return {"text": plain(text), "value": value}


def plain(text: str) -> Element:
    """A text Slack reads nothing into."""
    return {"type": "plain_text", "text": text, "emoji": False}


_MORE = {
    "not_us": ("Not about us", "mute"),
    "not_negative": ("Not negative (teach it)", "not_negative"),
    "promise": ("Promise something…", "promise"),
    "release": ("Hand back", "release"),
}


def _more(case: Case, now: datetime | None, *wanted: str) -> Element:
    """The menu behind the three dots: five lines at most, as Slack takes no more."""
    seen = f"{case.number}:{case.version}"
    asleep = case.snoozed_until is not None and (now is None or case.snoozed_until > now)
    options = [option("Assign to someone…", f"{seen}:assign")]
    options.append(
        option("Wake up now", f"{seen}:wake") if asleep else option("Snooze 1 hour", f"{seen}:snooze60")
    )
    options += [option(_MORE[name][0], f"{seen}:{_MORE[name][1]}") for name in wanted]
    options.append(option("Full history", f"{seen}:history"))
    return {"type": "overflow", "action_id": "case_more", "options": options}
