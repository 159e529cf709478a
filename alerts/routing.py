"""Which channel hears of a verdict, and how soon must someone answer?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from storage.records import Mention, Priority, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Which verdicts go where. The first route that matches wins."""

    channel: str
    notifier: str = "slack"
    priority: Priority = Priority.HIGH  # this and worse
    brands: tuple[str, ...] = ()  # empty: every brand
    sources: tuple[str, ...] = ()  # empty: every source
    respond_within: timedelta = timedelta(hours=4)
    respond_sooner: tuple[tuple[Priority, timedelta], ...] = ()  # where a priority has its own time
    calendar: str = ""  # of [[sla.calendars]]; else its brand's, else everybody's
    fallback: str = ""  # the channel used while `channel` is parked


def route_for(verdict: Verdict, mention: Mention, routes: Sequence[Route]) -> Route | None:
    """The first route that takes this verdict; None when nobody has to be told.

    >>> from storage.records import Kind, Label, Sentiment
    >>> v = Verdict("Acme", Sentiment(-0.8, Label.NEGATIVE), Priority.URGENT, 0.99, ("1 of 5 stars",))
    >>> m = Mention(source="shop", external_id="1", kind=Kind.REVIEW)
    >>> route_for(v, m, [Route(channel="#calm", sources=("forum",)), Route(channel="#alerts")]).channel
    '#alerts'
    """
    for route in routes:
        if verdict.priority < route.priority:
            continue
        if route.brands and verdict.brand not in route.brands:
            continue
        if route.sources and mention.source not in route.sources:
            continue
        return route
    return None


def within_for(route: Route, priority: Priority) -> timedelta:
    """How soon a verdict of this priority must be answered on `route`.

    >>> route = Route(channel="#a", respond_sooner=((Priority.URGENT, timedelta(minutes=30)),))
    >>> within_for(route, Priority.URGENT)
    datetime.timedelta(seconds=1800)
    """
    return dict(route.respond_sooner).get(priority, route.respond_within)
