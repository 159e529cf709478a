"""The life of a case, as pure decisions: the case as it was → the case as it is now, and the line of history.

Nothing here reads a clock or a database; `now` is an argument, and who saves the answer compares `version`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from alerts.routing import Route
from storage.records import Case, CaseEvent, CaseStatus, Mention, Verdict

LOWSTAR = "lowstar"  # the actor of what nobody pressed a button for
FIRM_STARS = 3.0  # a case has recovered when its stars rose above the middle of the scale


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict with the mention it is about, as it stands in the store."""

    mention_id: int
    mention: Mention
    verdict: Verdict
    new: bool  # seen for the first time; else it changed
    stars_before: float | None = None


def is_news(judged: Judged, now: datetime, max_age: timedelta) -> bool:
    """True when somebody should still hear of it: it changed just now, or was posted within `max_age`.

    A mention without a date is news: nobody can say that it is old.
    """
    posted = judged.mention.published_at
    return not judged.new or posted is None or now - posted <= max_age


def opened(judged: Judged, route: Route, now: datetime) -> Case:
    """The case a verdict opens; its number is given by the store."""
    verdict = judged.verdict
    return Case(
        number=0,
        mention_id=judged.mention_id,
        brand=verdict.brand,
        status=CaseStatus.OPEN,
        priority=verdict.priority,
        rank=verdict.rank,
        opened_at=now,
        channel=route.channel,
        respond_by=now + route.respond_within,
    )


def opening_event(case: Case, judged: Judged, now: datetime) -> CaseEvent:
    """The first line of a case's history: why it was opened."""
    why = judged.verdict.reasons[0] if judged.verdict.reasons else judged.verdict.priority.word
    if not judged.new and judged.stars_before is not None and judged.mention.stars is not None:
        why = f"{_stars(judged.stars_before)} → {_stars(judged.mention.stars)} of 5 stars"
    return CaseEvent(case.number, now, LOWSTAR, "opened", why)


def edited(case: Case, judged: Judged, now: datetime) -> tuple[Case, list[CaseEvent]]:
    """The case after its mention changed: judged anew, recovered when its stars rose, answered when the site
    shows the owner's reply."""
    mention, before = judged.mention, judged.stars_before
    changed = replace(
        case, priority=judged.verdict.priority, rank=judged.verdict.rank, version=case.version + 1
    )
    events: list[CaseEvent] = []
    if before is not None and mention.stars is not None and before != mention.stars:
        detail = f"{_stars(before)} → {_stars(mention.stars)} of 5 stars"
        recovered = mention.stars > FIRM_STARS and mention.stars > before
        changed = replace(
            changed,
            recovered=recovered,
            outcome=f"customer changed {_stars(before)} to {_stars(mention.stars)} stars",
        )
        events.append(
            CaseEvent(case.number, now, LOWSTAR, "recovered" if recovered else "stars changed", detail)
        )
    if mention.owner_reply and case.first_response_at is None:
        answered_at = mention.owner_replied_at or now
        # A reply older than the case was there when the words it answers were still the earlier ones.
        if answered_at >= case.opened_at or case.status in (CaseStatus.OPEN, CaseStatus.CLAIMED):
            changed = replace(changed, first_response_at=max(answered_at, case.opened_at))
            if case.status in (CaseStatus.OPEN, CaseStatus.CLAIMED):
                changed = replace(changed, status=CaseStatus.ANSWERED)
            events.append(
                CaseEvent(case.number, now, LOWSTAR, "answered", "a public answer stands on the site")
            )
    if not events:
        events.append(CaseEvent(case.number, now, LOWSTAR, "edited", "its author changed the text"))
    return changed, events


def withdrawn(case: Case, reason: str, now: datetime) -> tuple[Case, list[CaseEvent]]:
    """The case after its mention was deleted: nothing is left to answer, the history stays."""
    event = CaseEvent(case.number, now, LOWSTAR, "removed", reason)
    changed = replace(case, version=case.version + 1, outcome=reason)
    if not case.status.closed:
        changed = replace(changed, status=CaseStatus.DISMISSED, closed_at=now)
    return changed, [event]


def _stars(stars: float) -> str:
    """Stars as people write them.

    >>> _stars(4.0), _stars(4.5)
    ('4', '4.5')
    """
    return f"{stars:g}"
