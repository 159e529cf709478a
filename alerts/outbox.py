"""How does what was decided reach people, with nothing lost and nothing doubled?

    pending → sending → sent          claim, commit; post; commit the proof
    sending → uncertain               timeout, reset, 5xx, a crash in between: nobody knows
    uncertain → sent | pending        after a wait longer than any request: look for the outbox_id
    pending ↔ parked                  its channel or token is out of order; probed until it works again

Where a road cannot look (a webhook, a console, a token without the right to read), an uncertain message is
sent again: at least once.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from alerts.blocks import bare_message, with_note
from alerts.decisions import PACE, Decision, Park, after_edit_error, after_error, after_look
from alerts.notifier import (
    CannotLook,
    Message,
    Notifier,
    NotifyError,
    Receipt,
    Search,
)
from alerts.redact import redact
from alerts.routing import Route
from storage.channels import read_body
from storage.deliveries import EDIT_GAP, Due
from storage.records import Case, Delivery, DeliveryKind, DeliveryState, Reviewed
from storage.store import Ledger, Store

log = logging.getLogger(__name__)

Render = Callable[[Delivery, Reviewed | None], Message]
Crash = Callable[[str], None]  # called with the name of each point a crash must not hurt; tests die there

RECONCILE_AFTER = timedelta(seconds=60)  # must be longer than a request can take (Slack's timeout is 30 s)
DEADLINE = timedelta(minutes=5)  # longest run of `deliver_due` with `until_idle`
MARGIN = timedelta(minutes=5)  # looked back further than the claim, for clocks that are not quite right
EDIT_TURN = 4  # after so many new messages a waiting edit goes first: a storm must not freeze the cards
STORM_TURN = 2  # after so many alerts of storms one of something else goes first, if any waits
_SHOW_TRIES, _SHOW_AGAIN = 20, 0.1  # seconds; a card that another courier is drawing is waited for so long
_TICK = 1.0  # seconds; other processes write to the outbox too, and `stop` wants to be heard


# -- what to announce -------------------------------------------------------------------------------------


def new_outbox_id() -> str:
    """A name no other message of any workspace has."""
    return f"ob_{uuid.uuid4().hex}"


def deliveries_for(
    cases: Sequence[Case],
    route_of: Callable[[Case], Route | None],
    now: datetime,
    *,
    new_id: Callable[[], str] = new_outbox_id,
) -> list[Delivery]:
    """The outbox rows that announce these cases; none for a case no route takes."""
    wanted = []
    for case in cases:
        route = route_of(case)
        if route is None:
            continue
        wanted.append(
            Delivery(
                id=new_id(),
                kind=DeliveryKind.ALERT,
                notifier=route.notifier,
                channel=case.channel or route.channel,
                number=case.number,
                priority=case.priority,
                rank=case.rank,
                created_at=now,
                not_before=now,
                wanted_version=case.version,
            )
        )
    return wanted


# -- the courier ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """What a run did (sent, edited, cancelled, repeated), and what is left in the outbox after it."""

    sent: int = 0
    edited: int = 0
    cancelled: int = 0  # removed by their authors before they were announced
    repeated: int = 0  # sent again without proof that they had not arrived: the road cannot look
    uncertain: int = 0
    parked: int = 0
    failed: int = 0
    waiting: int = 0  # pending, or on their way in another process
    held: int = 0  # behind the card of a storm


@dataclass(slots=True)
class _Counts:
    sent: int = 0
    edited: int = 0
    cancelled: int = 0
    repeated: int = 0


@dataclass(slots=True, kw_only=True)
class Courier:
    """Delivers what is due. Any number of couriers may share a store; each is used by one thread."""

    store: Store
    notifiers: Mapping[str, Notifier]
    render: Render
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    stop: Callable[[], bool] = field(default=lambda: False)
    pace: timedelta = PACE
    reconcile_after: timedelta = RECONCILE_AFTER
    edit_gap: timedelta = EDIT_GAP
    # (notifier, channel) → a channel of the same notifier, or "email:who@example.com"
    fallbacks: Mapping[tuple[str, str], str] = field(default_factory=dict)
    crash_point: Crash = field(default=lambda point: None)
    _counts: _Counts = field(default_factory=_Counts, init=False)
    _since_edit: dict[tuple[str, str], int] = field(default_factory=dict, init=False)
    _of_storms: dict[tuple[str, str], int] = field(default_factory=dict, init=False)

    def run(self, *, until_idle: bool = True, deadline: datetime | None = None) -> DeliveryReport:
        """Deliver worst first, at the pace of each channel, until nothing is left to do.

        With `until_idle` it ends when nothing more can be done before `deadline` (default: five minutes
        from now); else when `stop` says so.
        """
        self._counts = _Counts()
        last = self.clock()
        left = DEADLINE if deadline is None else deadline - last
        while not self.stop():
            now = self.clock()
            left -= max(timedelta(0), now - last)  # a clock set back gives no time back
            last = now
            due = self._survey(now)
            ready = [one for one in due if one.at <= now]
            if until_idle:
                # What is parked is tried when its time comes, but nobody waits for that.
                due = [one for one in due if not one.parked or one.at <= now]
                if left <= timedelta(0) or not due or due[0].at - now > left:
                    break
            worked = False
            for one in ready:
                if self.stop():
                    break
                worked = self._turn(one.notifier, one.channel) or worked
            if not worked:
                wait = (due[0].at - now).total_seconds() if due else _TICK
                # Ready and nothing done: another courier was faster, or the turn is a moment away.
                self.sleep(min(max(wait, 0.005 if wait > 0 else min(0.05, _TICK)), _TICK))
        return self._report()

    def show_now(self, number: int) -> int:
        """Change the cards of a case at once, for somebody who pressed a button and waits; how many changed.

        The same claim, edit and settlement as always, but neither the gap between two edits nor the pace of
        the channel delays it. A gate (429) and a parking do: then the card follows when they are over.
        """
        self._counts = _Counts()
        for _ in range(_SHOW_TRIES):
            with self.store.reading() as ledger:
                cards = ledger.cards_of([number])
            stale = [
                card
                for card in cards
                if card.state is DeliveryState.SENT and card.shown_version < card.wanted_version
            ]
            for card in stale:
                if card.notifier in self.notifiers:
                    self._edit(card.notifier, card.channel, number)
            # Somebody else is drawing it this very moment, perhaps without what was just pressed.
            flying = any(card.state is DeliveryState.SENDING for card in cards)
            if not (flying or any(card.claimed_at for card in stale)) or self.stop():
                break
            self.sleep(_SHOW_AGAIN)
        return self._counts.edited

    # -- one step at a time ---------------------------------------------------------------------------------

    def _survey(self, now: datetime) -> list[Due]:
        roads = self.notifiers.items()
        with self.store.transaction() as ledger:
            ledger.suspect_stale(now, self.reconcile_after)
            parked = ledger.parked()
            for state in parked:
                # What comes in while a channel is parked moves on as well, but for the one that probes it.
                if state.gated_until is not None and state.gated_until > now:
                    self._go_round(ledger, state.notifier, state.channel)
            if parked:
                ledger.mark_parked()
            due = ledger.due(
                now,
                pace=self.pace,
                lease=self.reconcile_after,
                edit_gap=self.edit_gap,
                editing=[name for name, road in roads if road.can.edits],
                unpaced=[name for name, road in roads if not road.can.paced],
            )
        return [one for one in due if one.notifier in self.notifiers]

    def _turn(self, notifier: str, channel: str) -> bool:
        """One message, look or edit in this channel; True when there was something to do."""
        key = (notifier, channel)
        if self._since_edit.get(key, 0) >= EDIT_TURN and self._edit(notifier, channel):
            self._since_edit[key] = 0
            return True
        # An uncertain one has waited a minute already, and may be the worst of all.
        if self._look(notifier, channel):
            return True
        if self._post(notifier, channel):
            self._since_edit[key] = self._since_edit.get(key, 0) + 1
            return True
        if self._edit(notifier, channel):
            self._since_edit[key] = 0
            return True
        return False

    def _post(self, notifier: str, channel: str) -> bool:
        now = self.clock()
        self.crash_point("before_claim")
        in_a_row = self._of_storms.get((notifier, channel), 0)
        with self.store.transaction() as ledger:
            delivery = ledger.claim_post(
                notifier,
                channel,
                now,
                pace=self._pace(notifier),
                pass_storms=in_a_row >= STORM_TURN,
            )
        if delivery is None:
            return False
        self._of_storms[notifier, channel] = 0 if delivery.storm is None else in_a_row + 1
        self.crash_point("after_claim")
        reviewed, parent = self._context(delivery)
        if reviewed is not None and reviewed.removed and delivery.kind is DeliveryKind.ALERT:
            with self.store.transaction() as ledger:
                self._counts.cancelled += ledger.settle(delivery, DeliveryState.CANCELLED)
            return True
        message = replace(self._draw(delivery, reviewed), thread_id=self._thread(delivery, parent))
        if abs(self.clock() - now) > self.reconcile_after / 3:
            # This process slept between claim and post: another one may have taken over by now.
            with self.store.transaction() as ledger:
                ledger.settle(delivery, DeliveryState.PENDING, error="its sender was held up", counted=False)
            return True
        self.crash_point("before_post")
        try:
            receipt = self.notifiers[notifier].post(message)
        except Exception as error:
            self._refused(error, delivery)
            return True
        self.crash_point("after_post")
        now = self.clock()
        with self.store.transaction() as ledger:
            self.crash_point("before_settle")
            ours = ledger.settle_sent(
                delivery, receipt.remote_id, receipt.remote_channel, delivery.wanted_version, now
            )
        self.crash_point("after_settle")
        if ours:
            self._counts.sent += 1
        else:
            log.warning("%s was settled by another courier while this one was sending it", delivery.id)
        return True

    def _refused(self, error: Exception, delivery: Delivery) -> None:
        now = self.clock()
        decided = after_error(error, delivery, now, self.pace)
        if not isinstance(error, NotifyError):
            log.error("posting %s failed in an unknown way", delivery.id, exc_info=error)
        self.crash_point("after_failure")
        with self.store.transaction() as ledger:
            self._obstruct(ledger, delivery, decided, now)
            ledger.settle(
                delivery,
                decided.state,
                error=decided.error,
                not_before=decided.not_before,
                plain=decided.plain,
                counted=decided.counted,
            )
            if decided.park is not Park.NOTHING:
                whole = decided.park is Park.NOTIFIER
                self._go_round(ledger, delivery.notifier, "" if whole else delivery.channel)
        level = logging.WARNING if decided.counted or decided.park else logging.INFO
        log.log(level, "%s to %s: %s", delivery.id, delivery.channel, decided.error)

    def _look(self, notifier: str, channel: str) -> bool:
        now, pace = self.clock(), self._pace(notifier)
        with self.store.transaction() as ledger:
            delivery = ledger.claim_look(notifier, channel, now, pace=pace, lease=self.reconcile_after)
            if delivery is None:
                return False
            known = ledger.remote_channel_of(notifier, channel)
        _, parent = self._context(delivery)
        road = self.notifiers[notifier]
        found: Receipt | Exception | None
        try:
            if not road.can.finds:
                raise CannotLook(f"{notifier} cannot look")
            claimed = min(delivery.claimed_at or now, now)
            found = road.find(
                Search(
                    channel=channel,
                    outbox_id=delivery.id,
                    since=claimed - MARGIN,
                    until=max(delivery.claimed_at or now, now) + MARGIN,
                    thread_id=self._thread(delivery, parent),
                    extra={"remote_channel": known},
                )
            )
        except Exception as error:
            found = error
        self.crash_point("after_look")
        now = self.clock()
        decided = after_look(found, delivery, now, self.pace)
        with self.store.transaction() as ledger:
            if isinstance(found, Receipt):
                # Which state it shows is not known when the case changed meanwhile: it is drawn once more.
                version = (
                    delivery.wanted_version if delivery.wanted_version <= 1 else delivery.wanted_version - 1
                )
                ours = ledger.settle_sent(delivery, found.remote_id, found.remote_channel, version, now)
                self._counts.sent += ours
            else:
                self._obstruct(ledger, delivery, decided, now)
                ours = ledger.settle(
                    delivery, decided.state, error=decided.error, not_before=decided.not_before
                )
                self._counts.repeated += ours and isinstance(found, CannotLook)
        if isinstance(found, Exception):
            log.warning("looking for %s in %s: %s", delivery.id, channel, decided.error)
        return True

    def _edit(self, notifier: str, channel: str, number: int | None = None) -> bool:
        if not self.notifiers[notifier].can.edits:
            return False
        now, pace, gap = self.clock(), self._pace(notifier), self.edit_gap
        if number is not None:
            pace = gap = timedelta(0)
        with self.store.transaction() as ledger:
            delivery = ledger.claim_edit(
                notifier,
                channel,
                now,
                pace=pace,
                lease=self.reconcile_after,
                gap=gap,
                number=number,
            )
        if delivery is None:
            return False
        self.crash_point("after_edit_claim")
        reviewed, _ = self._context(delivery)
        receipt = Receipt(delivery.remote_id or "", delivery.remote_channel or "")
        error: Exception | None = None
        try:
            self.notifiers[notifier].edit(receipt, self._draw(delivery, reviewed))
        except Exception as caught:
            error = caught
        self.crash_point("after_edit")
        now = self.clock()
        if error is None:
            with self.store.transaction() as ledger:
                self._counts.edited += ledger.settle_edit(delivery, delivery.wanted_version, now)
            return True
        decided = after_edit_error(error, delivery, now, self.pace)
        gone = decided.state is DeliveryState.FAILED
        if gone and reviewed is not None and reviewed.removed:
            self._take_out(notifier, receipt)
        with self.store.transaction() as ledger:
            self._obstruct(ledger, delivery, decided, now)
            if gone:
                ledger.settle_edit(delivery, delivery.wanted_version, now, decided.error)
            else:
                ledger.postpone_edit(delivery, decided.not_before or now, decided.error, plain=decided.plain)
        log.warning("changing %s in %s: %s", delivery.id, channel, decided.error)
        return True

    def _pace(self, notifier: str) -> timedelta:
        return self.pace if self.notifiers[notifier].can.paced else timedelta(0)

    # -- helpers --------------------------------------------------------------------------------------------

    def _take_out(self, notifier: str, receipt: Receipt) -> None:
        """The last resort for a card whose author withdrew the words: it cannot be changed, so it goes."""
        try:
            self.notifiers[notifier].remove(receipt)
        except NotifyError as error:
            log.error("a removed mention still stands in its channel: %s", redact(str(error)))  # noqa: TRY400

    def _go_round(self, ledger: Ledger, notifier: str, channel: str) -> None:
        """What waits for a channel that is out of order ("": for any of the notifier) takes its second road."""
        for (of, shut), fallback in self.fallbacks.items():
            if of != notifier or channel not in ("", shut):
                continue
            road, colon, where = fallback.partition(":")
            if colon and road in self.notifiers:
                ledger.redirect(notifier, shut, where, to=road)
            elif channel and not colon:
                # Another channel of a road that is closed as a whole would be no way out.
                ledger.redirect(notifier, shut, fallback)

    def _obstruct(self, ledger: Ledger, delivery: Delivery, decided: Decision, now: datetime) -> None:
        if decided.gate_until is not None:
            ledger.gate(delivery.notifier, delivery.channel, decided.gate_until)
        if decided.park is Park.CHANNEL:
            ledger.park(delivery.notifier, delivery.channel, decided.error, now)
        elif decided.park is Park.NOTIFIER:
            ledger.park(delivery.notifier, "", decided.error, now)

    def _context(self, delivery: Delivery) -> tuple[Reviewed | None, Delivery | None]:
        with self.store.reading() as ledger:
            reviewed = None if delivery.number is None else ledger.reviewed(delivery.number)
            parent = None if delivery.parent is None else ledger.delivery(delivery.parent)
        return reviewed, parent

    def _draw(self, delivery: Delivery, reviewed: Reviewed | None) -> Message:
        try:
            message = self.render(delivery, reviewed)
        except Exception:
            log.exception("the card of %s could not be drawn", delivery.id)
            message = bare_message(delivery)
        if delivery.plain:
            message = replace(message, blocks=())
        message = replace(message, channel=delivery.channel, outbox_id=delivery.id)
        meant_for = _meant_for(delivery)
        return with_note(
            message, f"Meant for {meant_for}, which takes no messages from us." if meant_for else ""
        )

    def _thread(self, delivery: Delivery, parent: Delivery | None) -> str | None:
        # A reply that was sent to the fallback channel, or whose parent never arrived, goes into the channel.
        if parent is None or parent.channel != delivery.channel or parent.state is not DeliveryState.SENT:
            return None
        return parent.remote_id if self.notifiers[delivery.notifier].can.threads else None

    def _report(self) -> DeliveryReport:
        with self.store.reading() as ledger:
            counts = ledger.outbox_counts()
        return DeliveryReport(
            sent=self._counts.sent,
            edited=self._counts.edited,
            cancelled=self._counts.cancelled,
            repeated=self._counts.repeated,
            uncertain=counts[DeliveryState.UNCERTAIN],
            parked=counts[DeliveryState.PARKED],
            failed=counts[DeliveryState.FAILED],
            waiting=counts[DeliveryState.PENDING] + counts[DeliveryState.SENDING],
            held=counts[DeliveryState.HELD],
        )


def deliver_due(
    store: Store,
    notifiers: Mapping[str, Notifier],
    *,
    render: Render,
    clock: Callable[[], datetime],
    sleep: Callable[[float], None],
    stop: Callable[[], bool] | threading.Event | None = None,
    pace: timedelta = PACE,
    reconcile_after: timedelta = RECONCILE_AFTER,
    edit_gap: timedelta = EDIT_GAP,
    fallbacks: Mapping[tuple[str, str], str] | None = None,
    until_idle: bool = True,
    deadline: datetime | None = None,
    crash_point: Crash = lambda point: None,
) -> DeliveryReport:
    """Deliver everything that is due, worst first; the one call of `lowstar run` and of the daemon.

    `reconcile_after` must be longer than a request of any notifier can take. `fallbacks` maps (notifier,
    channel) to what is used while that one is parked: a channel, or "email:who@example.com". See
    `Courier.run` for `until_idle` and `deadline`.
    """
    if stop is None:
        asked: Callable[[], bool] = lambda: False  # noqa: E731
    else:
        asked = stop.is_set if isinstance(stop, threading.Event) else stop
    courier = Courier(
        store=store,
        notifiers=notifiers,
        render=render,
        clock=clock,
        sleep=sleep,
        stop=asked,
        pace=pace,
        reconcile_after=reconcile_after,
        edit_gap=edit_gap,
        fallbacks=fallbacks or {},
        crash_point=crash_point,
    )
    return courier.run(until_idle=until_idle, deadline=deadline)


def _meant_for(delivery: Delivery) -> str:
    return str(read_body(delivery.body).get("meant_for", ""))
