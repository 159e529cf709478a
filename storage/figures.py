"""How fast do alerts arrive, how long has the oldest been waiting, how much is said? For who watches lowstar itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, case, func, select

from storage.records import DeliveryKind, DeliveryState, Priority
from storage.tables import deliveries, verdicts
from storage.tallies import is_negative, within

_WAITING = (DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.UNCERTAIN, DeliveryState.PARKED)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Alerts that should have gone out by now."""

    notifier: str
    channel: str
    count: int
    oldest: timedelta  # how long the oldest has been waiting


@dataclass(frozen=True, slots=True)
class Said:
    """How much was said of a brand in some time, and how."""

    count: int
    negative: int
    starred: int  # of them with stars
    stars_sum: float


class FigureLedger:
    """Statements of figures."""

    _connection: Connection

    def alert_delays(self, since: datetime) -> list[timedelta]:
        """How long each alert written since then, and sent, took to arrive, shortest first.

        Quiet hours are no delay: it counts from when the alert might be sent. Alerts that became part of a storm's
        card are left out.
        """
        rows = self._connection.execute(alerts_since(since))
        return sorted(max(sent - max(made, due), timedelta()) for made, due, sent in rows if sent is not None)

    def alerts_waiting(self, now: datetime) -> list[Waiting]:
        """Alerts that may be sent and are not, by road and channel; parked ones too."""
        return [
            Waiting(notifier, channel, count, max(now - oldest, timedelta()))
            for notifier, channel, count, oldest in self._connection.execute(alerts_due(now))
        ]

    def said_since(self, brand: str, since: datetime) -> dict[Priority, int]:
        """How many mentions of `brand` were posted since then, by priority."""
        return {
            Priority(priority): count
            for priority, count in self._connection.execute(said_by_priority(brand, since))
        }

    def said_between(self, brand: str, start: datetime, end: datetime, negative: float) -> Said:
        """How much was said of `brand` then; `negative` as in `TallyLedger.tally`."""
        return Said(*self._connection.execute(said_between(brand, start, end, negative)).one())


def said_between(brand: str, start: datetime, end: datetime, negative: float) -> Select[Any]:
    """The statement behind `FigureLedger.said_between`. It groups nothing: one pass over a part of an index."""
    v = verdicts.c
    bad = func.count(case((is_negative(negative), 1)))
    return select(func.count(), bad, func.count(v.stars), func.coalesce(func.sum(v.stars), 0.0)).where(
        *within(brand, start, end)
    )


def alerts_since(since: datetime) -> Select[Any]:
    """The statement behind `FigureLedger.alert_delays`; apart, so that its plan can be looked at."""
    d = deliveries.c
    return select(d.created_at, d.not_before, d.sent_at).where(
        d.kind == DeliveryKind.ALERT.value, d.storm.is_(None), d.created_at >= since
    )


def alerts_due(now: datetime) -> Select[Any]:
    """The statement behind `FigureLedger.alerts_waiting`."""
    d = deliveries.c
    return (
        select(d.notifier, d.channel, func.count(), func.min(d.not_before))
        .where(
            d.state.not_in((DeliveryState.SENT.value, DeliveryState.CANCELLED.value)),
            d.state.in_([state.value for state in _WAITING]),
            d.kind == DeliveryKind.ALERT.value,
            d.not_before <= now,
        )
        .group_by(d.notifier, d.channel)
    )


def said_by_priority(brand: str, since: datetime) -> Select[Any]:
    """The statement behind `FigureLedger.said_since`."""
    v = verdicts.c
    return select(v.priority, func.count()).where(v.brand == brand, v.posted_at >= since).group_by(v.priority)
