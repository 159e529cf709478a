"""What is due now: reminders, breaches, silent claimers, promises, snoozes, follow-ups?

`advance` is called by each run and by the daemon. It decides from rows alone and writes what it did into the
same rows, so that a second call at the same moment finds nothing to do. What happened while nobody ran is told in
one message a case, and the escalation list goes on one level at a time: whoever is next gets their own time.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from alerts.actions import Lost, keep, news_for
from alerts.cases import ladder
from alerts.deeds import LOWSTAR, News, Outcome, Told, length
from alerts.sla import (
    Policy,
    business_time_between,
    follow_up_by,
    level_by,
    reminder_by,
    silent_by,
    wake_at,
)
from storage.records import Case, CaseEvent, CaseStatus, Promise, Reviewed
from storage.store import Store

log = logging.getLogger(__name__)

LOUD = (
    10  # broadcasts of one batch to one channel: after an outage the worst ring, the others wait in threads
)
BATCH = 100  # cases in one transaction: a long outage must not keep others from writing for long
ROUNDS = 10_000  # of batches; more would be a mistake of ours, and must not keep a run from delivering
_MOMENT = timedelta(seconds=1)  # a case that was looked at is not looked at again in the same call


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """What the clocks did."""

    looked: int = 0  # cases looked at
    reminded: int = 0
    late: int = 0  # a level of the escalation list was told
    returned: int = 0  # taken from a silent claimer
    promises_reminded: int = 0
    promises_broken: int = 0
    woken: int = 0
    followed_up: int = 0
    messages: int = 0

    def __add__(self, other: Advanced) -> Advanced:
        return Advanced(**{name: getattr(self, name) + getattr(other, name) for name in self.__slots__})


_COUNTED = {
    Told.REMINDER: "reminded",
    Told.LATE: "late",
    Told.SILENT: "returned",
    Told.PROMISE_DUE: "promises_reminded",
    Told.PROMISE_BROKEN: "promises_broken",
    Told.WOKEN: "woken",
    Told.FOLLOW_UP: "followed_up",
}


def rung(
    case: Case, now: datetime, policy: Policy, *, promises: Sequence[Promise] = (), removed: bool = False
) -> Outcome | None:
    """What the clocks make of `case` at `now`; None when none of them is due. Pure.

    `removed`: its author deleted what it is about, so the customer is not asked anything more.
    """
    watch = _Watch(case, now.astimezone(UTC), policy, list(promises), removed)
    watch.look()
    return watch.outcome()


class _Watch:
    """The clocks of one case at one moment. The gravest news comes first: it is what a notification shows."""

    def __init__(
        self, case: Case, now: datetime, policy: Policy, promises: list[Promise], removed: bool
    ) -> None:
        self.was = case
        self.case = case
        self.now = now
        self.policy = policy
        self.promises = promises
        self.removed = removed
        self.calendar = policy.calendar_for(case.brand, case.channel)
        self.changed: list[Promise] = []
        self.events: list[tuple[str, str]] = []
        self.news: list[News] = []

    def look(self) -> None:
        woken = self._snooze()
        silent = self._silence()
        late = self._lateness()
        promised = self._promises()
        reminded = None if late else self._reminder()
        asked = self._follow_up()
        # A reminder and a breach say all that the end of a snooze would.
        end = woken if not (late or silent or reminded) else None
        self.news = [one for one in (late, silent, *promised, reminded, end, asked) if one is not None]

    def outcome(self) -> Outcome | None:
        if not self.events:
            return None
        version = self.was.version + 1
        case = replace(self.case, version=version)
        ids = {one.id for one in self.changed}
        promises = [one for one in self.promises if one.id not in ids] + self.changed
        return Outcome(
            case=replace(case, wake_at=_after(self.now, wake_at(case, promises, self.policy))),
            events=tuple(
                CaseEvent(case.number, self.now, LOWSTAR, action, detail, version)
                for action, detail in self.events
            ),
            promises=tuple(self.changed),
            news=tuple(self.news),
        )

    def _due(self, moment: datetime | None) -> bool:
        return moment is not None and moment <= self.now

    def _tell(self, what: Told, detail: str = "", **more: object) -> News:
        self.events.append((what.value, detail))
        return News(what=what, **{"owner": self.case.owner, **more})  # type: ignore[arg-type]

    def _snooze(self) -> News | None:
        if not self._due(self.case.snoozed_until):
            return None
        # Whoever has it gets the full time of a claim again: they were told to leave it until now.
        heard = self.now if self.case.owner else None
        self.case = replace(self.case, snoozed_until=None, heard_at=heard)
        return self._tell(Told.WOKEN, to=self._owner())

    def _silence(self) -> News | None:
        case = self.case
        owed = [one for one in self.promises if one.open]
        if not self._due(silent_by(case, owed, self.policy)):
            return None
        heard = case.heard_at or case.claimed_at or self.now
        silent = business_time_between(heard, self.now, self.calendar)
        owner = case.owner
        supervisors = self.policy.told_at(case.brand, 2)
        self.case = replace(case, status=CaseStatus.OPEN, owner="", claimed_at=None, heard_at=None)
        name = self.policy.people.name(owner)
        return self._tell(
            Told.SILENT,
            f"{name} took it and was not heard of for {length(silent)}",
            owner=owner,
            to=supervisors,
            since=silent,
            by=case.answer_by,
            level=case.level,
            top=self.policy.top_level(case.brand),
        )

    def _lateness(self) -> News | None:
        case, policy = self.case, self.policy
        if not self._due(level_by(case, policy)):
            return None
        top = policy.top_level(case.brand)
        level = min(case.level + 1, top)
        self.case = replace(case, level=level, escalated_at=self.now, remind_by=None)
        first = case.opened_at if case.again_by is None else None
        since = None if first is None else business_time_between(first, self.now, self.calendar)
        target = None
        if first is not None and case.respond_by is not None:
            target = business_time_between(first, case.respond_by, self.calendar)
        told = policy.told_at(case.brand, level)
        names = ", ".join(policy.people.name(person) for person in told)
        return self._tell(
            Told.LATE,
            f"level {level} of {top}" + (f": {names}" if names else ""),
            to=told,
            since=since,
            target=target,
            by=case.answer_by,
            **ladder(self.case, policy),
        )

    def _promises(self) -> list[News]:
        told = []
        for one in self.promises:
            if not one.open:
                continue
            changed = replace(one, version=one.version + 1, remind_by=None)
            if one.broken_at is None and self._due(one.due_by):
                changed = replace(changed, broken_at=self.now)
                above = self.policy.told_at(self.case.brand, 2)
                ring = tuple(dict.fromkeys((*self._of(one), *above)))
                told.append(self._tell(Told.PROMISE_BROKEN, one.text, to=ring, promise=changed))
            elif self._due(one.remind_by):
                told.append(self._tell(Told.PROMISE_DUE, one.text, to=self._of(one), promise=changed))
            else:
                continue
            self.changed.append(changed)
        return told

    def _of(self, promise: Promise) -> tuple[str, ...]:
        owner = promise.owner or self.case.owner
        return (owner,) if owner else ()

    def _reminder(self) -> News | None:
        if not self._due(reminder_by(self.case)):
            return None
        self.case = replace(self.case, remind_by=None)
        return self._tell(Told.REMINDER, to=self._owner(), by=self.case.answer_by)

    def _follow_up(self) -> News | None:
        wanted = self.policy.follow_up_for(self.case.brand)
        if self.removed or wanted is None or not self._due(follow_up_by(self.case, self.policy)):
            return None
        since = None if self.case.closed_at is None else self.now - self.case.closed_at
        self.case = replace(self.case, followed_up_at=self.now)
        return self._tell(
            Told.FOLLOW_UP, to=self._owner(), words=wanted.text, link=wanted.survey, since=since
        )

    def _owner(self) -> tuple[str, ...]:
        return (self.case.owner,) if self.case.owner else ()


def advance(store: Store, now: datetime, policy: Policy) -> Advanced:
    """Let every clock that is due at `now` ring, once; answers what happened.

    Idempotent, and safe beside people and other processes: whoever changed a case a moment ago has the word,
    and its clocks are looked at again. A clock set back makes nothing ring.
    """
    total = Advanced()
    for _ in range(ROUNDS):
        try:
            done = _advance_some(store, now, policy)
        except Lost:
            continue
        total += done
        if done.looked < BATCH:
            return total
    log.error("the clocks of the cases did not come to rest")
    return total


def _advance_some(store: Store, now: datetime, policy: Policy) -> Advanced:
    with store.reading() as ledger:
        if not ledger.cases_to_wake(now, 1):
            return Advanced()  # most runs: nothing is due, and nobody's turn to write is taken
    counts: Counter[str] = Counter()
    with store.transaction() as ledger:
        numbers = [case.number for case in ledger.cases_to_wake(now, BATCH)]
        several = ledger.reviewed_many(numbers)
        promises = ledger.promises_of(numbers)
        told: list[tuple[Reviewed, Outcome]] = []
        for number in numbers:
            reviewed = several[number]
            case = reviewed.case
            owed = promises.get(number, [])
            outcome = rung(case, now, policy, promises=owed, removed=reviewed.removed)
            counts["looked"] += 1
            if outcome is None:
                ledger.set_wake(case, _after(now, wake_at(case, owed, policy)))
                continue
            kept = keep(ledger, reviewed, outcome)
            if kept is None:
                continue  # somebody acted on it this very moment, and set its clocks
            told.append((reviewed, kept))
            counts.update(_COUNTED[one.what] for one in kept.news)
        if told:
            ledger.want_edit([outcome.case.number for _, outcome in told], now)
            counts["messages"] += ledger.enqueue(news_for(ledger, told, now, policy, loud=LOUD))
    return Advanced(**counts)


def _after(now: datetime, moment: datetime | None) -> datetime | None:
    return None if moment is None else max(moment, now + _MOMENT)
