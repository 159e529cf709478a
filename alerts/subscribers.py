"""Which programs are told what happens to cases, and what is each told? Signed webhooks, through the outbox.

What happened stands in the histories of cases already, written together with the change itself. It is told by
following them: each event becomes one delivery a subscription, with a name made of both, so that however often,
and by however many processes, they are followed, each is told once (and, like everything on a road that cannot be
looked up, may arrive twice: the receiver knows it again by its `webhook-id`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from storage.records import CaseEvent, Delivery, DeliveryKind, Priority
from storage.store import Ledger, Store

NOTIFIER = "subscriber"
SHELF, MARK, BEGAN = (
    "subscriptions",
    "events",
    "began",
)  # where the last and the first are kept, among the cursors
BATCH = 500  # events taken in one transaction
# Numbers are given before a transaction is committed: a small one may appear after a larger one was told.
LOOKED_BACK = 500  # events
LOOKED_BACK_FOR = timedelta(minutes=15)

OPENED, CHANGED, CLOSED, REOPENED, REMOVED, RETURNED = (
    "case.opened",
    "case.changed",
    "case.closed",
    "case.reopened",
    "mention.removed",
    "mention.returned",
)
TYPES = (OPENED, CHANGED, CLOSED, REOPENED, REMOVED, RETURNED)
_TYPE_OF = {
    "opened": OPENED,
    "resolved": CLOSED,
    "dismissed": CLOSED,
    "reopened": REOPENED,
    "removed": REMOVED,
    "shown again": RETURNED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A program that wants to be told."""

    name: str
    url: str = field(repr=False)  # may carry a token of the receiver's
    secret: str = field(repr=False)
    events: tuple[str, ...] = TYPES
    brands: tuple[str, ...] = ()  # empty: every brand
    timeout: float = 15.0


def type_of(event: CaseEvent) -> str:
    """What an event is to a subscriber, one of `TYPES`.

    >>> type_of(CaseEvent(1, datetime(2026, 1, 1), "ann", "resolved")), type_of(
    ...     CaseEvent(1, datetime(2026, 1, 1), "ann", "noted"))
    ('case.closed', 'case.changed')
    """
    return _TYPE_OF.get(event.action, CHANGED)


def tell_subscribers(store: Store, subscriptions: Sequence[Subscription], now: datetime) -> int:
    """Put what happened since the last call into the outbox; how many deliveries are new.

    The first call of all tells nothing: what was before anybody subscribed is no news.
    """
    if not subscriptions:
        return 0
    told = 0
    while True:
        with store.transaction() as ledger:
            new, more = _tell(ledger, subscriptions, now)
        told += new
        if not more:
            return told


def _tell(ledger: Ledger, subscriptions: Sequence[Subscription], now: datetime) -> tuple[int, bool]:
    said = ledger.cursor(SHELF, MARK)
    if said is None or not said.isdigit():
        for name in (MARK, BEGAN):
            ledger.set_cursor(SHELF, name, str(ledger.last_event()), now)
        return 0, False
    mark, began = int(said), int(ledger.cursor(SHELF, BEGAN) or said)
    late = ledger.events_between(max(began, mark - LOOKED_BACK), mark, since=now - LOOKED_BACK_FOR)
    fresh = ledger.events_after(mark, BATCH)
    brands = ledger.brands_of({event.number for _, event in (*late, *fresh)})
    new = ledger.enqueue(
        delivery_of(one, identity, event, now)
        for identity, event in (*late, *fresh)
        for one in subscriptions
        if wants(one, event, brands.get(event.number, ""))
    )
    if fresh:
        ledger.set_cursor(SHELF, MARK, str(fresh[-1][0]), now)
    return new, len(fresh) == BATCH


def wants(subscription: Subscription, event: CaseEvent, brand: str) -> bool:
    """Is the subscriber to be told of it?"""
    return type_of(event) in subscription.events and (not subscription.brands or brand in subscription.brands)


def delivery_of(subscription: Subscription, identity: int, event: CaseEvent, now: datetime) -> Delivery:
    """The outbox row of one event for one subscription. Its id is the `webhook-id`."""
    named = f"{subscription.name}\x1f{identity}"
    return Delivery(
        id="evt_" + hashlib.blake2b(named.encode(), digest_size=16).hexdigest(),
        kind=DeliveryKind.EVENT,
        notifier=NOTIFIER,
        channel=subscription.name,
        body=json.dumps(
            {
                "text": f"{type_of(event)} #{event.number}",
                # Not the delivery's own number: what is told of a case outlives the case's card.
                "event": {
                    "id": identity,
                    "type": type_of(event),
                    "number": event.number,
                    "at": event.at.isoformat(),
                    "actor": event.actor,
                    "action": event.action,
                    "detail": event.detail,
                },
            }
        ),
        priority=Priority.LOW,  # people go first
        created_at=now,
        not_before=now,
    )
