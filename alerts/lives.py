"""What does its source do to a case: open it, change it, take it back? Pure, like `alerts.cases`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from alerts.deeds import LOWSTAR, Told
from alerts.routing import Route, within_for
from alerts.sla import STANDARD, Policy, business_time_between, due_by, wake_at
from storage.records import Case, CaseEvent, CaseStatus, Mention, Priority, Verdict

FIRM_STARS = 3.0  # a case has recovered when its stars rose above the middle of the scale


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict with the mention it is about, as it stands in the store."""

    mention_id: int
    mention: Mention
    verdict: Verdict
    new: bool  # seen for the first time; else it changed
    stars_before: float | None = None
    back: bool = False  # it had been removed, and its source shows it again
    priority_before: Priority | None = None  # of what came back: as it was judged before it went


def is_news(judged: Judged, now: datetime, max_age: timedelta) -> bool:
    """True when somebody should still hear of it: it changed just now, or was posted within `max_age`.

    A mention without a date is news: nobody can say that it is old. What was hidden for a while and is no worse
    than it was is none: it was passed over when it was new.
    """
    if judged.back:
        return judged.priority_before is None or judged.verdict.priority > judged.priority_before
    posted = judged.mention.published_at
    return not judged.new or posted is None or now - posted <= max_age


def opened(judged: Judged, route: Route, now: datetime, policy: Policy = STANDARD) -> Case:
    """The case a verdict opens; its number is given by the store."""
    verdict, mention = judged.verdict, judged.mention
    within = within_for(route, verdict.priority)
    case = Case(
        number=0,
        mention_id=judged.mention_id,
        brand=verdict.brand,
        status=CaseStatus.OPEN,
        priority=verdict.priority,
        rank=policy.customers.raised(verdict.rank, mention.source, mention.author),
        opened_at=now,
        channel=route.channel,
        respond_by=due_by(now, within, policy.calendar_for(verdict.brand, route.channel)),
        remind_by=reminder_for(now, within, verdict.brand, route.channel, policy),
    )
    return replace(case, wake_at=wake_at(case, (), policy))


def opening_event(case: Case, judged: Judged, now: datetime) -> CaseEvent:
    """The first line of a case's history: why it was opened."""
    why = judged.verdict.reasons[0] if judged.verdict.reasons else judged.verdict.priority.word
    if not judged.new and judged.stars_before is not None and judged.mention.stars is not None:
        why = f"{_stars(judged.stars_before)} → {_stars(judged.mention.stars)} of 5 stars"
    return CaseEvent(case.number, now, LOWSTAR, "opened", why, case.version)


def edited(
    case: Case, judged: Judged, now: datetime, policy: Policy = STANDARD
) -> tuple[Case, list[CaseEvent]]:
    """The case after its mention changed: judged anew, recovered when its stars rose, answered when the site
    shows the owner's reply, open again when the stars of a closed case fell."""
    mention, before = judged.mention, judged.stars_before
    version = case.version + 1
    changed = replace(
        case,
        priority=judged.verdict.priority,
        rank=policy.customers.raised(judged.verdict.rank, mention.source, mention.author),
        version=version,
        wake_at=now,  # the clocks look at it again, with its promises in hand
    )
    events: list[CaseEvent] = []
    if before is not None and mention.stars is not None and before != mention.stars:
        detail = f"{_stars(before)} → {_stars(mention.stars)} of 5 stars"
        recovered = mention.stars > FIRM_STARS and mention.stars > before
        worse = mention.stars < before and mention.stars <= FIRM_STARS
        if worse and case.status.closed:
            changed = reopened(changed, now, policy)
        changed = replace(
            changed,
            recovered=recovered,
            outcome=f"customer changed {_stars(before)} to {_stars(mention.stars)} stars",
        )
        action = "recovered" if recovered else "stars changed"
        if worse and case.status.closed:
            action = Told.REOPENED.value
        events.append(CaseEvent(case.number, now, LOWSTAR, action, detail, version))
    if mention.owner_reply and case.first_response_at is None:
        answered_at = mention.owner_replied_at or now
        # A reply older than the case was there when the words it answers were still the earlier ones.
        if answered_at >= case.opened_at or case.status in (CaseStatus.OPEN, CaseStatus.CLAIMED):
            changed = replace(changed, first_response_at=max(answered_at, case.opened_at))
            if case.status in (CaseStatus.OPEN, CaseStatus.CLAIMED):
                changed = replace(changed, status=CaseStatus.ANSWERED, again_by=None, remind_by=None)
            events.append(
                CaseEvent(
                    case.number, now, LOWSTAR, "answered", "a public answer stands on the site", version
                )
            )
    if not events:
        events.append(CaseEvent(case.number, now, LOWSTAR, "edited", "its author changed the text", version))
    return changed, events


def withdrawn(case: Case, reason: str, now: datetime) -> tuple[Case, list[CaseEvent]]:
    """The case after its mention was deleted: nothing is left to answer; history and promises stay."""
    event = CaseEvent(case.number, now, LOWSTAR, "removed", reason, case.version + 1)
    changed = replace(case, version=case.version + 1, outcome=reason, wake_at=now)
    if not case.status.closed:
        changed = closed(replace(changed, status=CaseStatus.DISMISSED), now)
    return changed, [event]


def shown_again(
    case: Case, judged: Judged, history: Sequence[CaseEvent], now: datetime, policy: Policy = STANDARD
) -> tuple[Case, list[CaseEvent]]:
    """The case after its mention, which had been removed, is shown again: what its removal closed stands as before.

    Whoever had it has it again, with as much time as at first. What a person closed stays closed.
    """
    hidden = [event for event in history if event.action == "removed"]
    if case.status.closed and any(event.at == case.closed_at for event in hidden):
        case = _as_before(case, now, policy)
    changed, events = edited(case, judged, now, policy)
    # Its words were let go when it was removed: whether they are the same nobody can say, and they are no edit.
    rest = [event for event in events if event.action != "edited"]
    action, why = "read again", "its words had not been kept"
    if hidden:
        action, why = Told.SHOWN_AGAIN.value, "its site shows it again"
    return changed, [CaseEvent(case.number, now, LOWSTAR, action, why, changed.version), *rest]


def _as_before(case: Case, now: datetime, policy: Policy) -> Case:
    again = reopened(case, now, policy)
    again = replace(again, owner=case.owner, level=case.level, claimed_at=case.claimed_at)
    if case.first_response_at is not None:
        return replace(again, status=CaseStatus.ANSWERED, again_by=None, remind_by=None)
    return replace(again, status=CaseStatus.CLAIMED, heard_at=now) if case.owner else again


def _stars(stars: float) -> str:
    """Stars as people write them.

    >>> _stars(4.0), _stars(4.5)
    ('4', '4.5')
    """
    return f"{stars:g}"


def closed(case: Case, now: datetime) -> Case:
    """The case with every clock of its own stopped; its promises keep theirs."""
    return replace(
        case,
        closed_at=case.closed_at or now,
        snoozed_until=None,
        remind_by=None,
        again_by=None,
    )


def reopened(case: Case, now: datetime, policy: Policy) -> Case:
    """A closed case open again, with as much time as at first; the first answer stays measured as it was."""
    calendar = policy.calendar_for(case.brand, case.channel)
    again_by = remind_by = None
    if case.respond_by is not None:
        within = business_time_between(case.opened_at, case.respond_by, calendar)
        again_by = due_by(now, within, calendar)
        remind_by = reminder_for(now, within, case.brand, case.channel, policy)
    return replace(
        case,
        status=CaseStatus.OPEN,
        owner="",
        level=1,
        closed_at=None,
        outcome="",
        claimed_at=None,
        heard_at=None,
        again_by=again_by,
        remind_by=remind_by,
        escalated_at=None,
        followed_up_at=None,
    )


def reminder_for(
    now: datetime, within: timedelta, brand: str, channel: str, policy: Policy
) -> datetime | None:
    """When to remind of a deadline `within` from now, None where nobody wants to be."""
    if policy.remind_share >= 1:
        return None
    return due_by(now, within * policy.remind_share, policy.calendar_for(brand, channel))
