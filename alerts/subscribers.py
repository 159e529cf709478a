"""Which programs are told what happens, and what is each told? Signed webhooks, through the outbox.

What happened stands in the histories of cases already, written together with the change itself. It is told by
following them: each event becomes one delivery a subscription, with a name made of both, so that however often,
and by however many processes, they are followed, each is told once (and, like everything on a road that cannot be
looked up, may arrive twice: the receiver knows it again by its `webhook-id`).

New mentions are told the same way, by following their ids, to whoever asks for them by name: there may be many.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from alerts.deeds import LOWSTAR
from storage.heard import Heard
from storage.records import CaseEvent, Delivery, DeliveryKind, Label, Priority
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
NEW, NEGATIVE = "mention.new", "mention.negative"
# Told only to whoever names them, case or no case: how much that is, is their choice.
BY_NAME = (NEW, NEGATIVE)
MENTIONS_MARK, MENTIONS_BEGAN, GONE_MARK = "mentions", "mentions began", "gone"
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
    for tell in (_tell, _tell_mentions):
        more = True
        while more:
            with store.transaction() as ledger:
                new, more = tell(ledger, subscriptions, now)
            told += new
    return told


def _tell_mentions(ledger: Ledger, subscriptions: Sequence[Subscription], now: datetime) -> tuple[int, bool]:
    wanting = [one for one in subscriptions if set(BY_NAME) & set(one.events)]
    said = ledger.cursor(SHELF, MENTIONS_MARK)
    if not wanting:
        if said:  # whoever asks again is told from then on, not what was in between
            ledger.set_cursor(SHELF, MENTIONS_MARK, "", now)
        return 0, False
    if said is None or not said.isdigit():
        for name in (MENTIONS_MARK, MENTIONS_BEGAN):
            ledger.set_cursor(SHELF, name, str(ledger.last_mention()), now)
        ledger.set_cursor(SHELF, GONE_MARK, now.isoformat(), now)
        return 0, False
    mark, began = int(said), int(ledger.cursor(SHELF, MENTIONS_BEGAN) or said)
    late = ledger.heard_between(max(began, mark - LOOKED_BACK), mark, since=now - LOOKED_BACK_FOR)
    fresh, last = ledger.heard_after(mark, BATCH)
    wanted = [(one, heard, told_as(one, heard)) for heard in (*late, *fresh) for one in wanting]
    if last == mark:
        since = datetime.fromisoformat(ledger.cursor(SHELF, GONE_MARK) or now.isoformat())
        gone = ledger.gone_since(since - LOOKED_BACK_FOR, after=began)
        # What was told of is taken back from whoever was told, and asked for that.
        wanted += [
            (one, heard, REMOVED)
            for heard in gone
            for one in wanting
            if REMOVED in one.events and told_as(one, heard)
        ]
        ledger.set_cursor(SHELF, GONE_MARK, now.isoformat(), now)
    else:
        ledger.set_cursor(SHELF, MENTIONS_MARK, str(last), now)
    new = ledger.enqueue(mention_delivery(one, heard, kind, now) for one, heard, kind in wanted if kind)
    return new, last != mark


def told_as(subscription: Subscription, heard: Heard) -> str:
    """As what a subscriber is told of a mention, one of `BY_NAME`; "" where it is not."""
    if subscription.brands and heard.brand not in subscription.brands:
        return ""
    if NEW in subscription.events:
        return NEW
    return NEGATIVE if NEGATIVE in subscription.events and heard.label is Label.NEGATIVE else ""


def mention_delivery(subscription: Subscription, heard: Heard, kind: str, now: datetime) -> Delivery:
    """The outbox row that tells one subscription of one mention as judged for one brand."""
    moment = heard.at.isoformat() if kind == REMOVED else ""  # it may be removed, shown again, and removed
    event = {
        "type": kind,
        "mention": heard.mention_id,
        "brand": heard.brand,
        "at": heard.at.isoformat(),
        "actor": LOWSTAR,
        "action": "removed" if kind == REMOVED else "heard",
        "detail": "",
    }
    named = f"mention{heard.mention_id}\x1f{heard.brand}\x1f{moment}"
    return _delivery(subscription, named, f"{kind} {heard.mention_id}", event, now)


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
    said = {
        "id": identity,
        "type": type_of(event),
        "number": event.number,  # not the delivery's own: what is told of a case outlives the case's card
        "at": event.at.isoformat(),
        "actor": event.actor,
        "action": event.action,
        "detail": event.detail,
    }
    return _delivery(subscription, str(identity), f"{type_of(event)} #{event.number}", said, now)


def _delivery(
    subscription: Subscription, named: str, text: str, event: dict[str, object], now: datetime
) -> Delivery:
    whole = f"{subscription.name}\x1f{named}"
    return Delivery(
        id="evt_" + hashlib.blake2b(whole.encode(), digest_size=16).hexdigest(),
        kind=DeliveryKind.EVENT,
        notifier=NOTIFIER,
        channel=subscription.name,
        body=json.dumps({"text": text, "event": event}),
        priority=Priority.LOW,  # people go first
        created_at=now,
        not_before=now,
    )
