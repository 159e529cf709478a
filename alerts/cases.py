"""The life of a case, as pure decisions: the case as it was → the case now, and what there is to tell.

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

¹ whoever wants to take over what another has assigns it to themselves. ² not while a promise is owed, unless
the action says that it was kept (`settle`). `closed_at` is set exactly in the two closed states;
`first_response_at` is set once. Snoozed is no state but a time: whatever a person does to a snoozed case,
except for a promise or a note, ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from alerts.deeds import LOWSTAR, Action, Do, News, Outcome, Refused, Told, Why, Wrong, ago, length, stamp
from alerts.lives import (
    FIRM_STARS,
    Judged,
    closed,
    edited,
    is_news,
    opened,
    opening_event,
    reopened,
    shown_again,
    withdrawn,
)
from alerts.sla import Policy, level_by, promise_remind_by, wake_at
from storage.records import (
    Case,
    CaseEvent,
    CaseStatus,
    Correction,
    Priority,
    Promise,
    case_name,
    clean_line,
    clean_text,
    clean_url,
)

__all__ = [
    "FIRM_STARS",
    "LOWSTAR",
    "Action",
    "Do",
    "Judged",
    "News",
    "Outcome",
    "Refused",
    "Told",
    "Why",
    "Wrong",
    "ago",
    "apply",
    "closed",
    "edited",
    "is_news",
    "ladder",
    "length",
    "opened",
    "opening_event",
    "reopened",
    "shown_again",
    "stamp",
    "withdrawn",
]

WORDS_MAX = 3_000  # characters of an answer, a note or a promise that are kept
AHEAD_MAX = timedelta(days=400)  # a promise or a snooze for later than this is a slip of the keyboard

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
    deed = _Deed(case, action, now.astimezone(UTC), policy, tuple(promises), tuple(history))
    return deed.done()


class _Deed:
    """One action on one case, while it is being decided."""

    def __init__(
        self,
        case: Case,
        action: Action,
        now: datetime,
        policy: Policy,
        promises: tuple[Promise, ...],
        history: tuple[CaseEvent, ...],
    ) -> None:
        self.was = case
        self.case = case
        self.action = action
        self.now = now
        self.policy = policy
        self.promises = promises
        self.history = history
        self.actor = policy.people.id(action.actor)
        self.events: list[tuple[str, str]] = []  # action, detail
        self.changed: list[Promise] = []
        self.corrections: list[Correction] = []
        self.news: list[News] = []

    def done(self) -> Outcome:
        if not self.actor:
            raise self._refused("Nobody knows who you are: say it with --as, or add yourself to [people]")
        self._not_twice()
        if self.case.status.closed and self.action.kind not in _OF_CLOSED:
            raise self._refused(f"{self.case.name} is closed: reopen it first")
        self._not_stale()
        _DEEDS[self.action.kind](self)
        return self._outcome()

    # -- may it be done? ------------------------------------------------------------------------------------

    def _refused(self, said: str) -> Refused:
        return Refused(said, self.was)

    def _name(self, person: str) -> str:
        return "You" if person == self.actor else self.policy.people.name(person)

    def _not_twice(self) -> None:
        """A button pressed twice, or pressed again because the answer was slow, is done once."""
        mine = self.case.owner == self.actor and self.case.status in (_S.CLAIMED, _S.ANSWERED)
        if self.action.kind is Do.CLAIM and mine:
            raise self._refused(f"You have {self.case.name} already")
        seen = self.action.version
        if seen is None:
            return
        did = _DID[self.action.kind]
        for event in self.history:
            if event.version > seen and event.actor == self.actor and event.action == did:
                raise self._refused(f"You did that already, {ago(event.at, self.now)}")

    def _not_stale(self) -> None:
        seen = self.action.version
        if seen is None or seen == self.case.version:
            return
        since = [event for event in self.history if event.version > seen]
        theirs = [event for event in since if event.actor != self.actor and event.action not in _QUIET]
        if theirs:
            last = theirs[-1]
            raise self._refused(f"{_what_they_did(last, self._name(last.actor))} {ago(last.at, self.now)}")
        if not since or seen > self.case.version:
            raise self._refused(f"{self.case.name} has changed since you saw it: look at it again")

    # -- the deeds ------------------------------------------------------------------------------------------

    def claim(self) -> None:
        case = self.case
        if case.owner:
            took = "took" if case.owner != self.actor else "have"
            when = f" {ago(case.claimed_at, self.now)}" if case.claimed_at else ""
            raise self._refused(f"{self._name(case.owner)} {took} this{when}")
        self._give_to(self.actor)
        self._tell(
            Told.CLAIMED,
            since=self.now - case.opened_at,
            by=case.answer_by if case.waiting else None,
        )

    def assign(self) -> None:
        case, people = self.case, self.policy.people
        wanted = clean_line(self.action.assignee, 200)
        if not wanted:
            raise self._refused("Say to whom")
        if people.everybody and people.find(wanted) is None and not people.slack_id(wanted):
            known = ", ".join(person.key for person in people.everybody[:12])
            raise self._refused(f"There is no {wanted[:40]!r} in [people]: {known}")
        owner = people.id(wanted)
        if owner == case.owner and case.status is not _S.OPEN:
            raise self._refused(f"{self._name(owner)} {_has(owner, self.actor)} {case.name} already")
        before = case.owner
        self._give_to(owner)
        self._tell(
            Told.ASSIGNED,
            detail=f"to {people.name(owner)}" + (f", was {people.name(before)}" if before else ""),
            to=(owner,) if owner != self.actor else (),
            owner=owner,
            by=case.answer_by if case.waiting else None,
        )

    def release(self) -> None:
        case = self.case
        if not case.owner:
            raise self._refused(f"Nobody has {case.name}")
        before = case.owner
        status = _S.OPEN if case.status is _S.CLAIMED else case.status
        self.case = replace(case, status=status, owner="", claimed_at=None, heard_at=None, snoozed_until=None)
        words = self._words(needed=False)
        whose = "" if before == self.actor else f"it was {self.policy.people.name(before)}'s"
        self._tell(
            Told.RELEASED,
            detail="; ".join(part for part in (whose, words) if part),
            to=self.policy.told_at(case.brand, 2),
            words=words,
            owner=before,
            by=case.answer_by if case.waiting else None,
        )

    def answer(self) -> None:
        case, action = self.case, self.action
        link = clean_url(action.link)
        if action.link.strip() and not link:
            raise self._refused("The link is no web address: it begins with https:// or http://")
        owner = case.owner or self.actor
        first = case.first_response_at or max(self.now, case.opened_at)
        words = self._words(needed=False)
        self.case = replace(
            case,
            status=_S.ANSWERED,
            owner=owner,
            claimed_at=case.claimed_at or self.now,
            heard_at=self.now,
            first_response_at=first,
            again_by=None,
            remind_by=None,
            snoozed_until=None,
        )
        target = None
        if case.first_response_at is None and case.respond_by is not None:
            target = case.respond_by - case.opened_at
        promise = self._new_promise() if action.promised.strip() or action.due_by else None
        self._tell(
            Told.ANSWERED,
            detail=" ".join(part for part in (words, f"({link})" if link else "") if part),
            words=words,
            link=link,
            since=self.now - case.opened_at,
            target=target,
            promise=promise,
        )
        if promise:
            self.events.append((Told.PROMISED.value, self._promise_words(promise)))

    def promise(self) -> None:
        promise = self._new_promise()
        self._heard()
        self._tell(Told.PROMISED, detail=self._promise_words(promise), promise=promise)

    def keep(self) -> None:
        kept = replace(self._owed(), kept_at=self.now, remind_by=None)
        kept = self._change(kept)
        self._heard()
        late = "" if kept.due_by >= self.now else f", {length(self.now - kept.due_by)} late"
        self._tell(Told.PROMISE_KEPT, detail=f"{kept.text}{late}", promise=kept)

    def extend(self) -> None:
        owed = self._owed()
        by = self._ahead(self.action.due_by, "a promise")
        if by == owed.due_by:
            raise self._refused("That is its date already")
        moved = replace(
            owed,
            due_by=by,
            broken_at=None if by > self.now else owed.broken_at,
            remind_by=promise_remind_by(self.now, by, self.policy),
        )
        moved = self._change(moved)
        self._heard()
        detail = f"{owed.text}: from {stamp(owed.due_by)} to {stamp(by)}"
        self._tell(Told.PROMISE_MOVED, detail=detail, promise=moved, by=owed.due_by)

    def drop(self) -> None:
        why = self._words(needed=True, what="Say why the promise is called off")
        dropped = self._change(replace(self._owed(), dropped_at=self.now, remind_by=None))
        self._heard()
        self._tell(Told.PROMISE_DROPPED, detail=f"{dropped.text}: {why}", words=why, promise=dropped)

    def escalate(self) -> None:
        case, policy = self.case, self.policy
        top = policy.top_level(case.brand)
        if case.level >= top:
            raise self._refused(f"{case.name} is at level {case.level} of {top} already: nobody is above it")
        level = case.level + 1
        self.case = replace(case, level=level, escalated_at=self.now, remind_by=None, snoozed_until=None)
        words = self._words(needed=False)
        self._tell(
            Told.ESCALATED,
            detail=f"to level {level} of {top}" + (f": {words}" if words else ""),
            to=policy.told_at(case.brand, level),
            words=words,
            **self._ladder(),
        )

    def snooze(self) -> None:
        until = self._ahead(self.action.until, "a snooze")
        self._heard()
        self.case = replace(self.case, snoozed_until=until)
        words = self._words(needed=False)
        detail = f"until {stamp(until)}" + (f": {words}" if words else "")
        self._tell(Told.SNOOZED, detail=detail, by=until, words=words)

    def unsnooze(self) -> None:
        if self.case.snoozed_until is None:
            raise self._refused(f"{self.case.name} is not snoozed")
        self.case = replace(self.case, snoozed_until=None)
        self._heard()
        self._tell(Told.WOKEN)

    def resolve(self) -> None:
        words = self._words(needed=False)
        self._close(_S.RESOLVED, words or self.case.outcome)
        self._tell(Told.RESOLVED, detail=words, words=words)

    def dismiss(self) -> None:
        action = self.action
        detail = action.why.words
        if action.why is Why.DUPLICATE:
            if action.duplicate_of <= 0 or action.duplicate_of == self.case.number:
                raise self._refused("Say of which other case it is a duplicate")
            detail += f" of {case_name(action.duplicate_of)}"
        words = self._words(needed=False)
        detail = f"{detail}: {words}" if words else detail
        self._close(_S.DISMISSED, detail)
        if action.why in (Why.NOT_US, Why.NOT_NEGATIVE):
            self._correct(action.why.value)
        self._tell(Told.DISMISSED, detail=detail, words=detail)

    def reopen(self) -> None:
        case, policy = self.case, self.policy
        if not case.status.closed:
            raise self._refused(f"{case.name} is {case.status.value}, not closed")
        words = self._words(needed=False)
        self.case = reopened(case, self.now, policy)
        self._tell(
            Told.REOPENED,
            detail=words,
            words=words,
            to=policy.told_at(case.brand, 2) if not case.owner else (case.owner,),
            by=self.case.answer_by,
            since=self.now - case.closed_at if case.closed_at else None,
        )

    def correct(self) -> None:
        case, wrong = self.case, self.action.wrong
        words = wrong.value.replace("_", " ")
        if wrong is Wrong.MORE_URGENT:
            if case.priority is Priority.URGENT:
                raise self._refused(f"{case.name} is urgent already: nothing is above it")
            self.case = replace(case, priority=Priority(case.priority + 1))
            words += f": {case.priority.word} to {self.case.priority.word}"
        self._correct(wrong.value)
        if wrong is Wrong.MORE_URGENT and not case.status.closed:
            self._tell(Told.RAISED, detail=words, words=f"{case.priority.word} to {self.case.priority.word}")
        else:
            self.events.append(("corrected", words))

    def note(self) -> None:
        words = self._words(needed=True, what="An empty note says nothing")
        self._heard()
        self._tell(Told.NOTED, detail=words, words=words)

    # -- what they share ------------------------------------------------------------------------------------

    def _give_to(self, owner: str) -> None:
        case = self.case
        self.case = replace(
            case,
            status=_S.CLAIMED if case.waiting else case.status,
            owner=owner,
            claimed_at=self.now,
            heard_at=self.now,
            snoozed_until=None,
        )

    def _heard(self) -> None:
        """The owner did something: the clock of a silent claimer begins anew."""
        if self.case.owner == self.actor:
            self.case = replace(self.case, heard_at=self.now)

    def _words(self, *, needed: bool, what: str = "") -> str:
        words = clean_text(self.action.text, WORDS_MAX).strip()
        if needed and not words:
            raise self._refused(what)
        return words

    def _ahead(self, moment: datetime | None, what: str) -> datetime:
        if moment is None:
            raise self._refused(f"Say until when: {what} has a date")
        moment = moment.astimezone(UTC)
        if moment <= self.now:
            raise self._refused(f"{stamp(moment)} is past: {what} is for later")
        if moment > self.now + AHEAD_MAX:
            raise self._refused(f"{stamp(moment)} is more than a year away: is the date right?")
        return moment

    def _new_promise(self) -> Promise:
        by = self._ahead(self.action.due_by, "a promise")
        promise = Promise(
            number=self.case.number,
            text=clean_text(self.action.promised, WORDS_MAX).strip() or "to be back",
            due_by=by,
            owner=self.case.owner or self.actor,
            remind_by=promise_remind_by(self.now, by, self.policy),
        )
        self.changed.append(promise)
        return promise

    def _owed(self) -> Promise:
        wanted, owed = self.action.promise, [one for one in self.promises if one.open]
        if not wanted:
            if not owed:
                raise self._refused(f"No promise is owed in {self.case.name}")
            if len(owed) > 1:
                several = ", ".join(f"{one.id} ({clean_line(one.text, 40)})" for one in owed)
                raise self._refused(f"{len(owed)} promises are owed, say which: {several}")
            return owed[0]
        for one in self.promises:
            if one.id != wanted:
                continue
            if one.kept_at is not None:
                raise self._refused(f"It was kept already, {ago(one.kept_at, self.now)}")
            if one.dropped_at is not None:
                raise self._refused(f"It was called off, {ago(one.dropped_at, self.now)}")
            if self.action.promise_version not in (None, one.version):
                raise self._refused(f"Its date was moved: it is due {stamp(one.due_by)}")
            return one
        raise self._refused(f"{self.case.name} has no promise {wanted}")

    def _change(self, promise: Promise) -> Promise:
        promise = replace(promise, version=promise.version + 1)
        self.changed.append(promise)
        return promise

    def _promise_words(self, promise: Promise) -> str:
        return f"{promise.text}, by {stamp(promise.due_by)}"

    def _close(self, status: CaseStatus, outcome: str) -> None:
        owed = [one for one in self.promises if one.open]
        if owed and not self.action.settle:
            first = min(owed, key=lambda one: one.due_by)
            more = f" (and {len(owed) - 1} more)" if len(owed) > 1 else ""
            raise self._refused(
                f"“{clean_line(first.text, 60)}” is promised by {stamp(first.due_by)}{more}: "
                "say that it was kept, or call it off"
            )
        for one in owed:
            kept = self._change(replace(one, kept_at=self.now, remind_by=None))
            self.events.append((Told.PROMISE_KEPT.value, kept.text))
        self.case = closed(replace(self.case, status=status, outcome=outcome), self.now)

    def _correct(self, wrong: str) -> None:
        self.corrections.append(Correction(self.case.number, self.now, self.actor, wrong))

    def _ladder(self) -> dict[str, object]:
        return ladder(self.case, self.policy)

    def _tell(self, what: Told, *, detail: str = "", **more: object) -> None:
        self.events.append((what.value, detail))
        told = {"owner": self.case.owner, **more}
        self.news.append(News(what=what, actor=self.actor, **told))  # type: ignore[arg-type]

    def _outcome(self) -> Outcome:
        ids = {one.id for one in self.changed}
        promises = [one for one in self.promises if one.id not in ids] + self.changed
        version = self.was.version + 1
        case = replace(self.case, version=version)
        return Outcome(
            case=replace(case, wake_at=wake_at(case, promises, self.policy)),
            events=tuple(
                CaseEvent(case.number, self.now, self.actor, action, detail, version)
                for action, detail in self.events
            ),
            promises=tuple(self.changed),
            corrections=tuple(self.corrections),
            news=tuple(self.news),
        )


_S = CaseStatus
_DEEDS: dict[Do, Callable[[_Deed], None]] = {
    Do.CLAIM: _Deed.claim,
    Do.RELEASE: _Deed.release,
    Do.ASSIGN: _Deed.assign,
    Do.ANSWER: _Deed.answer,
    Do.PROMISE: _Deed.promise,
    Do.KEEP_PROMISE: _Deed.keep,
    Do.EXTEND_PROMISE: _Deed.extend,
    Do.DROP_PROMISE: _Deed.drop,
    Do.ESCALATE: _Deed.escalate,
    Do.SNOOZE: _Deed.snooze,
    Do.UNSNOOZE: _Deed.unsnooze,
    Do.RESOLVE: _Deed.resolve,
    Do.REOPEN: _Deed.reopen,
    Do.DISMISS: _Deed.dismiss,
    Do.CORRECT: _Deed.correct,
    Do.NOTE: _Deed.note,
}
_OF_CLOSED = frozenset({Do.REOPEN, Do.CORRECT, Do.NOTE, Do.KEEP_PROMISE, Do.EXTEND_PROMISE, Do.DROP_PROMISE})
# The word in the history for what was done.
_DID = {
    Do.CLAIM: Told.CLAIMED.value,
    Do.RELEASE: Told.RELEASED.value,
    Do.ASSIGN: Told.ASSIGNED.value,
    Do.ANSWER: Told.ANSWERED.value,
    Do.PROMISE: Told.PROMISED.value,
    Do.KEEP_PROMISE: Told.PROMISE_KEPT.value,
    Do.EXTEND_PROMISE: Told.PROMISE_MOVED.value,
    Do.DROP_PROMISE: Told.PROMISE_DROPPED.value,
    Do.ESCALATE: Told.ESCALATED.value,
    Do.SNOOZE: Told.SNOOZED.value,
    Do.UNSNOOZE: Told.WOKEN.value,
    Do.RESOLVE: Told.RESOLVED.value,
    Do.REOPEN: Told.REOPENED.value,
    Do.DISMISS: Told.DISMISSED.value,
    Do.CORRECT: "corrected",
    Do.NOTE: Told.NOTED.value,
}
_DID_WORDS = {
    Told.CLAIMED.value: "took this",
    Told.RELEASED.value: "handed this back",
    Told.ASSIGNED.value: "assigned this",
    Told.ANSWERED.value: "answered this",
    Told.PROMISED.value: "promised something here",
    Told.PROMISE_KEPT.value: "kept a promise here",
    Told.PROMISE_MOVED.value: "moved a promise here",
    Told.PROMISE_DROPPED.value: "called a promise off here",
    Told.ESCALATED.value: "escalated this",
    Told.SNOOZED.value: "snoozed this",
    Told.RESOLVED.value: "resolved this",
    Told.DISMISSED.value: "dismissed this",
    Told.REOPENED.value: "reopened this",
    Told.RAISED.value: "made this more urgent",
    "corrected": "corrected this",
    Told.NOTED.value: "noted something here",
}


def _what_they_did(event: CaseEvent, name: str) -> str:
    if event.actor == LOWSTAR:
        words = {
            "removed": "Its author deleted it",
            Told.SHOWN_AGAIN.value: "Its site shows it again",
            "edited": "Its author changed it",
            "recovered": "Its author changed the stars",
            "stars changed": "Its author changed the stars",
            "answered": "The site shows a public answer since",
            Told.SILENT.value: "Its owner was not heard of, and it was handed back",
        }
        return words.get(event.action, "It changed")
    if event.action == Told.ASSIGNED.value and event.detail.startswith("to "):
        return f"{name} assigned this {event.detail.partition(',')[0]}"
    return f"{name} {_DID_WORDS.get(event.action, 'changed this')}"


def _has(person: str, actor: str) -> str:
    return "have" if person == actor else "has"


def ladder(case: Case, policy: Policy) -> dict[str, object]:
    """What a message about an escalation says of the list: where it stands, who is next, and when."""
    top = policy.top_level(case.brand)
    above = case.level < top
    return {
        "level": case.level,
        "top": top,
        "next_to": policy.told_at(case.brand, case.level + 1) if above else (),
        "next_at": level_by(case, policy) if above else None,
    }
