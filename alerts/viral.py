"""Is a post going viral, and what becomes of its case then?

Votes, comments and shares grow all the time. A jump is a post that is seen by several times as many as before
within hours, not one that gathers as much over weeks: then its case rises one step, and people hear why.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from alerts.actions import news_for
from alerts.deeds import LOWSTAR, News, Outcome, Told, length
from alerts.routing import Route, takes
from alerts.sla import STANDARD, Policy
from storage.records import Case, CaseEvent, Priority, Reviewed, Verdict
from storage.store import Ledger

GAINED_LEAST = 100  # votes, comments, shares; below it any post of a handful of friends would jump
TIMES = 3.0  # as many as before
AN_HOUR = 4.0  # gained each hour at least: about a hundred a day
MARK_HOURS = 24.0  # a mark older than this is moved up: slow growth must not add up to a jump
RAISED = "priority raised"  # in the history


def jumped(before: int, after: int, hours: float) -> bool:
    """True when a reach that was `before` and is `after`, so many hours later, has jumped.

    >>> jumped(40, 1_240, 3), jumped(40, 90, 3), jumped(40, 1_240, 24 * 30)
    (True, False, False)
    """
    gained = after - max(0, before)
    return gained >= GAINED_LEAST and after >= TIMES * max(1, before) and gained >= AN_HOUR * max(0.0, hours)


@dataclass(frozen=True, slots=True)
class Jump:
    """A mention whose reach jumped."""

    before: int
    after: int
    since: datetime

    def words(self, now: datetime) -> str:
        """As a card and the history say it: "reach 40 → 1,240 in 3 h"."""
        return f"reach {self.before:,} → {self.after:,} in {length(now - self.since)}"


def raised(verdict: Verdict, jump: Jump, now: datetime) -> Verdict:
    """The verdict one step higher, with the reason first; what was said of an earlier jump goes."""
    kept = [reason for reason in verdict.reasons if not (reason.startswith("reach ") and "→" in reason)]
    return replace(
        verdict,
        priority=Priority(min(Priority.URGENT, verdict.priority + 1)),
        reasons=(jump.words(now), *kept),
    )


def jumps(ledger: Ledger, grown: Mapping[int, tuple[int, int]], now: datetime) -> dict[int, Jump]:
    """Which of these mentions have jumped, and what later reach is compared with.

    `grown` maps a mention's id to its reach as it was and as it is. Writes the marks: one of each jump, one where
    there was none, and a new one for what has grown slowly for a day.
    """
    large = {
        identity: pair for identity, pair in grown.items() if pair[1] >= GAINED_LEAST and pair[1] > pair[0]
    }
    if not large:
        return {}
    found: dict[int, Jump] = {}
    marks: dict[int, int] = {}
    known = ledger.reach_before(large)
    for identity, (was, reach) in large.items():
        if identity not in known:
            continue
        marked, since = known[identity]
        before = was if marked is None else marked
        hours = (now - since).total_seconds() / 3600
        if jumped(before, reach, hours):
            found[identity] = Jump(before, reach, min(since, now))
        if identity in found or marked is None or hours >= MARK_HOURS:
            marks[identity] = reach
    ledger.mark_reach(marks, now)
    return found


def spread(
    ledger: Ledger,
    found: Mapping[int, Jump],
    routes: Sequence[Route],
    now: datetime,
    policy: Policy = STANDARD,
) -> int:
    """Raise the open cases of mentions whose reach jumped by one step; how many rose.

    Never lowers one. Their cards say why, their threads hear of it, and what waits to be sent takes its new place.
    """
    if not found:
        return 0
    numbers = [case.number for case in ledger.cases_of(found) if not case.status.closed]
    told: list[tuple[Reviewed, Outcome]] = []
    verdicts = []
    for reviewed in ledger.reviewed_many(numbers).values():
        case, jump = reviewed.case, found[reviewed.case.mention_id]
        if reviewed.removed:
            continue
        changed = replace(
            case,
            priority=Priority(min(Priority.URGENT, case.priority + 1)),
            version=case.version + 1,
            wake_at=now,
        )
        if not ledger.save_case(changed, was_version=case.version):
            continue  # somebody acted on it this very moment; its card is drawn anew by that
        said = jump.words(now)
        verdict = replace(raised(reviewed.verdict, jump, now), priority=changed.priority)
        verdicts.append((case.mention_id, reviewed, verdict))
        event = CaseEvent(case.number, now, LOWSTAR, RAISED, said, changed.version)
        news = News(what=Told.RAISED, words=said, owner=case.owner)
        told.append((reviewed, Outcome(case=changed, events=(event,), news=(news,))))
        at_once = now if _wakes(changed, verdict, reviewed, routes) else None
        ledger.raise_waiting(case.number, int(changed.priority), changed.rank, at_once=at_once)
    if told:
        ledger.add_events([event for _, outcome in told for event in outcome.events])
        for identity, reviewed, verdict in verdicts:
            others = [one for one in ledger.verdicts(identity) if one.brand != verdict.brand]
            rows = [(identity, reviewed.mention, one) for one in (*others, verdict)]
            ledger.write_verdicts(rows)
        ledger.want_edit([outcome.case.number for _, outcome in told], now)
        ledger.enqueue(news_for(ledger, told, now, policy))
    return len(told)


def without_case(ledger: Ledger, found: Collection[int]) -> set[int]:
    """Which of these mentions have no case, open or closed: they may need one now."""
    return set(found) - {case.mention_id for case in ledger.cases_of(found)} if found else set()


def _wakes(case: Case, verdict: Verdict, reviewed: Reviewed, routes: Sequence[Route]) -> bool:
    """True when what a quiet hour held may go out now that it is urgent."""
    if case.priority is not Priority.URGENT:
        return False
    route = next((one for one in routes if takes(one, verdict, reviewed.mention)), None)
    return route is not None and route.quiet is not None and route.urgent_override
