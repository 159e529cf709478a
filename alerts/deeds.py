"""What can be done to a case, what becomes of it, and what people hear of it: the words of `alerts.cases`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from storage.records import Case, CaseEvent, Correction, Promise

LOWSTAR = "lowstar"  # the actor of what nobody pressed a button for


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
    """It cannot be done; `str()` is for the person who tried. `case`: as it is now, where there is one."""

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
    SHOWN_AGAIN = "shown again"

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


# -- words about time -------------------------------------------------------------------------------------


def length(span: timedelta) -> str:
    """About how long, as people say it.

    >>> length(timedelta(seconds=20)), length(timedelta(minutes=90)), length(timedelta(days=3))
    ('20 s', '90 min', '3 days')
    """
    seconds = abs(int(span.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 2 * 3600:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h" if seconds < 48 * 3600 else f"{seconds // 86_400} days"


def ago(at: datetime, now: datetime) -> str:
    """How long ago; what lies in the future by a clock set back is "just now".

    >>> noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    >>> ago(noon, noon + timedelta(minutes=2)), ago(noon, noon - timedelta(hours=1))
    ('2 min ago', 'just now')
    """
    return f"{length(now - at)} ago" if now - at >= timedelta(seconds=5) else "just now"


def stamp(at: datetime) -> str:
    # History is read in many time zones: it says UTC, cards and lists show each reader's own.
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
