"""Which channel hears of a verdict, and how soon must someone answer?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from storage.records import Mention, Priority, Verdict


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours in which nobody is disturbed, as the clock on the wall shows them."""

    start: int  # minutes of the day
    end: int  # before `start`: of the next day
    zone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Which verdicts go where. The first route that matches wins, and those after it that it lets on."""

    channel: str
    notifier: str = "slack"
    priority: Priority = Priority.HIGH  # this and worse
    brands: tuple[str, ...] = ()  # empty: every brand
    sources: tuple[str, ...] = ()  # empty: every source
    topics: tuple[str, ...] = ()  # one of these; empty: whatever it is about
    languages: tuple[str, ...] = ()  # "de" takes "de-AT" too; empty: any, and what has none
    places: tuple[str, ...] = ()  # one of these stands in the place or product; empty: any
    also: bool = False  # the routes after it are asked too
    quiet: Quiet | None = None  # alerts of these hours wait until they end
    urgent_override: bool = True  # but what is urgent does not
    respond_within: timedelta = timedelta(hours=4)
    respond_sooner: tuple[tuple[Priority, timedelta], ...] = ()  # where a priority has its own time
    calendar: str = ""  # of [[sla.calendars]]; else its brand's, else everybody's
    fallback: str = ""  # used while `channel` is parked: a channel, or "email:who@example.com"


def route_for(verdict: Verdict, mention: Mention, routes: Sequence[Route]) -> Route | None:
    """The first route that takes this verdict; None when nobody has to be told.

    >>> from storage.records import Kind, Label, Sentiment
    >>> v = Verdict("Acme", Sentiment(-0.8, Label.NEGATIVE), Priority.URGENT, 0.99, ("1 of 5 stars",))
    >>> m = Mention(source="shop", external_id="1", kind=Kind.REVIEW)
    >>> route_for(v, m, [Route(channel="#calm", sources=("forum",)), Route(channel="#alerts")]).channel
    '#alerts'
    """
    return next(iter(routes_for(verdict, mention, routes)), None)


def routes_for(verdict: Verdict, mention: Mention, routes: Sequence[Route]) -> tuple[Route, ...]:
    """Every route that takes this verdict, the one its case belongs to first; a channel is told once."""
    found: dict[tuple[str, str], Route] = {}
    for route in routes:
        if not takes(route, verdict, mention):
            continue
        found.setdefault((route.notifier, route.channel), route)
        if not route.also:
            break
    return tuple(found.values())


def takes(route: Route, verdict: Verdict, mention: Mention) -> bool:
    """True when every condition of the route holds."""
    place, language = mention.entity.casefold(), mention.language.casefold()
    return (
        verdict.priority >= route.priority
        and (not route.brands or verdict.brand in route.brands)
        and (not route.sources or mention.source in route.sources)
        and (not route.topics or not set(route.topics).isdisjoint(verdict.topics))
        and (not route.languages or any(_speaks(language, one) for one in route.languages))
        and (not route.places or any(one.casefold() in place for one in route.places))
    )


def _speaks(language: str, wanted: str) -> bool:
    wanted = wanted.casefold()
    return language == wanted or language.startswith((f"{wanted}-", f"{wanted}_"))


def quiet_until(route: Route, priority: Priority, now: datetime) -> datetime | None:
    """When an alert of this priority may go out on `route`; None: at once.

    >>> night = Route(channel="#a", quiet=Quiet(22 * 60, 7 * 60, "Europe/Berlin"))
    >>> quiet_until(night, Priority.HIGH, datetime(2026, 11, 22, 23, 30, tzinfo=UTC))
    datetime.datetime(2026, 11, 23, 6, 0, tzinfo=datetime.timezone.utc)
    >>> quiet_until(night, Priority.URGENT, datetime(2026, 11, 22, 23, 30, tzinfo=UTC)) is None
    True
    """
    quiet = route.quiet
    if quiet is None or quiet.start == quiet.end or (priority is Priority.URGENT and route.urgent_override):
        return None
    wall = now.astimezone(ZoneInfo(quiet.zone))
    minute = wall.hour * 60 + wall.minute
    over_night = quiet.start > quiet.end
    if over_night and not (minute >= quiet.start or minute < quiet.end):
        return None
    if not over_night and not quiet.start <= minute < quiet.end:
        return None
    day = wall.date() + timedelta(days=1 if over_night and minute >= quiet.start else 0)
    ends = datetime.combine(day, time(*divmod(quiet.end, 60)), tzinfo=ZoneInfo(quiet.zone)).astimezone(UTC)
    return ends if ends > now else None


def within_for(route: Route, priority: Priority) -> timedelta:
    """How soon a verdict of this priority must be answered on `route`.

    >>> route = Route(channel="#a", respond_sooner=((Priority.URGENT, timedelta(minutes=30)),))
    >>> within_for(route, Priority.URGENT)
    datetime.timedelta(seconds=1800)
    """
    return dict(route.respond_sooner).get(priority, route.respond_within)
