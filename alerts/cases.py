"""The life of a case, as pure decisions: the case as it was → the case as it is now, and the lines of history.

Nothing here reads a clock or a database; `now` is an argument, and who saves the answer compares `version`.

    action            open        claimed     answered    resolved    dismissed
    claim             claimed     refused¹    owner       refused     refused
    assign            claimed     owner       owner       refused     refused
    release           refused     open        owner none  refused     refused
    answer            answered    answered    again       refused     refused
    promise           same        same        same        refused     refused
    keep, extend, drop a promise: the case stays what it is, closed or not: a promise outlives its case
    escalate          level + 1   level + 1   level + 1   refused     refused
    snooze, unsnooze  same        same        same        refused     refused
    resolve           resolved²   resolved²   resolved²   refused     refused
    dismiss           dismissed²  dismissed²  dismissed²  refused     refused
    reopen            refused     refused     refused     open        open
    correct, note     same        same        same        same        same

¹ whoever wants to take over what another has assigns it to themselves. ² not while a promise is owed, unless the
action says that it was kept (`settle`). `closed_at` is set exactly in the two closed states; `first_response_at` is
set once. Snoozed is no state but a time: whatever a person does to a snoozed case, except for a promise or a note,
ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from alerts.routing import Route, within_for
from alerts.sla import Policy, business_time_between, due_by, promise_remind_by, wake_at
from storage.records import (
    Case,
    CaseEvent,
    CaseStatus,
    Correction,
    Mention,
    Priority,
    Promise,
    Verdict,
    case_name,
    clean_line,
    clean_text,
    clean_url,
)

LOWSTAR = "lowstar"  # the actor of what nobody pressed a button for
FIRM_STARS = 3.0  # a case has recovered when its stars rose above the middle of the scale
WORDS_MAX = 3_000  # characters of an answer, a note or a promise that are kept
AHEAD_MAX = timedelta(days=400)  # a promise or a snooze for later than this is a slip of the keyboard


class Do(StrEnum):
    """What can be done to a case."""

    CLAIM = "claim"
    RELEASE = "release"  # hand it back
    ASSIGN = "assign"  # to `assignee`; to oneself: take it over
    ANSWER = "answer"  # `text`, `link`; with `promised` and `due_by` a promise as well
    PROMISE = "promise"  # `promised`, `due_by`
    KEEP_PROMISE = "keep"  # `promise`
    EXTEND_PROMISE = "extend"  # `promise`, `due_by`
    DROP_PROMISE = "drop"  # `promise`, `text`: called off, and why
    ESCALATE = "escalate"
    SNOOZE = "snooze"  # `until`
    UNSNOOZE = "unsnooze"
    RESOLVE = "resolve"  # `text`: how it ended
    REOPEN = "reopen"
    DISMISS = "dismiss"  # `why`, for a duplicate `duplicate_of`
    CORRECT = "correct"  # `wrong`
    NOTE = "note"  # `text`


class Why(StrEnum):
    """Why nobody has to answer."""

    NOT_US = "not_us"
    NOT_NEGATIVE = "not_negative"
    DUPLICATE = "duplicate"
    SPAM = "spam"
    OTHER = "other"

    @property
    def words(self) -> str:
        """As people read it."""
        return {
            Why.NOT_US: "not about us",
            Why.NOT_NEGATIVE: "not negative",
            Why.DUPLICATE: "a duplicate",
            Why.SPAM: "spam",
            Why.OTHER: "other",
        }[self]


class Wrong(StrEnum):
    """What was wrong about a verdict."""

    NOT_NEGATIVE = "not_negative"
    NOT_US = "not_us"
    MORE_URGENT = "more_urgent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What somebody wants to do to a case; `version` is the one they saw, None means: as it is now."""

    kind: Do
    actor: str
    version: int | None = None
    text: str = ""
    link: str = ""  # of the public answer
    assignee: str = ""
    until: datetime | None = None
    promised: str = ""
    due_by: datetime | None = None
    promise: int = 0  # id of a promise; 0: the one that is owed
    promise_version: int | None = None
    why: Why = Why.OTHER
    duplicate_of: int = 0
    wrong: Wrong = Wrong.MORE_URGENT
    settle: bool = False  # with resolve and dismiss: what is owed has been kept


class Refused(Exception):
    """It cannot be done; `str()` is for the person who tried. `case` is the case as it is now, where there is one."""

    def __init__(self, said: str, case: Case | None = None) -> None:
        super().__init__(said)
        self.case = case


class Told(StrEnum):
    """What kind of news a message in a case's thread brings."""

    CLAIMED = "claimed"
    RELEASED = "handed back"
    SILENT = "returned"  # its owner was not heard of
    ASSIGNED = "assigned"
    ANSWERED = "answered"
    PROMISED = "promised"
    PROMISE_DUE = "promise reminded"
    PROMISE_MOVED = "promise moved"
    PROMISE_KEPT = "promise kept"
    PROMISE_BROKEN = "promise broken"
    PROMISE_DROPPED = "promise dropped"
    REMINDER = "reminded"
    LATE = "late"
    ESCALATED = "escalated"
    SNOOZED = "snoozed"
    WOKEN = "woken"
    RESOLVED = "resolved"
    DISMISSED = "dismissed"
    REOPENED = "reopened"
    RAISED = "raised"
    NOTED = "noted"
    FOLLOW_UP = "followed up"
    EDITED = "edited"

    @property
    def broadcast(self) -> bool:
        """True for what the whole channel must see, not the thread alone."""
        return self in (Told.LATE, Told.ESCALATED, Told.REOPENED, Told.SILENT, Told.PROMISE_BROKEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One thing people must hear about a case; drawn by `alerts.blocks_cases`."""

    what: Told
    actor: str = LOWSTAR
    to: tuple[str, ...] = ()  # who is rung by name
    words: str = ""  # what one of us wrote
    link: str = ""
    owner: str = ""  # who has it, or had it
    since: timedelta | None = None  # how long after the opening, how late, how long silent
    target: timedelta | None = None  # the time there was
    by: datetime | None = None  # the deadline, the end of the snooze
    promise: Promise | None = None
    level: int = 0
    top: int = 0
    next_to: tuple[str, ...] = ()  # who is told next, and when
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an action made of a case: all of it is written, or nothing."""

    case: Case
    events: tuple[CaseEvent, ...]
    promises: tuple[Promise, ...] = ()  # new ones (id 0) and changed ones
    corrections: tuple[Correction, ...] = ()
    news: tuple[News, ...] = ()


# What lowstar notes by itself is no reason to refuse somebody who saw the card a moment before.
_QUIET = frozenset(
    {
        Told.REMINDER.value,
        Told.LATE.value,
        Told.ESCALATED.value,
        Told.PROMISE_DUE.value,
        Told.PROMISE_BROKEN.value,
        Told.WOKEN.value,
        Told.FOLLOW_UP.value,
        "priority raised",
    }
)


def apply(
    case: Case,
    action: Action,
    now: datetime,
    policy: Policy,
    *,
    promises: Sequence[Promise] = (),
    history: Sequence[CaseEvent] = (),
) -> Outcome:
    """What `action` makes of `case`, by the table above. Raises Refused, with words for whoever tried.

    `promises` are all of the case, `history` its events (they name who was faster, and when).
    """
    raise NotImplementedError
