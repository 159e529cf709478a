"""What is on its way to whom? The statements of the outbox: claim, settle, look, edit.

Every change of state is one conditional UPDATE whose row count decides, so two couriers never take the same
delivery and a late one cannot undo what happened since. A claim carries its time (`claimed_at`); whoever
settles names that time, and finds no row when somebody else has taken over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    case,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from storage.channels import WAITING, ChannelLedger, opens_at, passed, sane, unsent
from storage.records import Delivery, DeliveryKind, DeliveryState, Priority
from storage.tables import UtcTime, cases, channels, deliveries

AGEING = timedelta(hours=1)  # waiting this long raises a delivery one step of priority, to urgent at most
STARVED = timedelta(days=1)  # waiting this long puts it before everything: nothing starves
EDIT_GAP = timedelta(seconds=10)  # least time between two changes of one card
LEASE = timedelta(seconds=60)  # a claim older than this belongs to nobody any more
MAX_BACKOFF = timedelta(minutes=10)  # nothing tried before is put off for longer, but by a clock set back
_CHUNK = 500  # bound variables in one statement, below SQLite's smallest limit

_State = DeliveryState
_IN_FLIGHT = (_State.SENDING.value, _State.UNCERTAIN.value)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Due:
    """A channel with something to do, and when it can be done first."""

    notifier: str
    channel: str
    at: datetime
    parked: bool = False  # it or its token is out of order; `at` is the next probe


class DeliveryLedger(ChannelLedger):
    """Statements of the table `deliveries`; part of a Ledger, inside its transaction."""

    # -- wishes ---------------------------------------------------------------------------------------------

    def enqueue(self, wanted: Iterable[Delivery]) -> int:
        """Put deliveries into the outbox, those it knows by id left as they are; how many are new."""
        rows = [_values(delivery) for delivery in wanted]
        if not rows:
            return 0
        # Counted by hand: with executemany drivers do not agree on what the row count means.
        known = self._known([row["id"] for row in rows])
        insert = postgresql.insert if self._connection.dialect.name == "postgresql" else sqlite.insert
        self._connection.execute(insert(deliveries).on_conflict_do_nothing(index_elements=["id"]), rows)
        return len({row["id"] for row in rows} - known)

    def want_edit(self, numbers: Collection[int], now: datetime) -> int:
        """The cards of these cases shall show the newest state; how many cards that concerns.

        One that is not sent yet is drawn when it is sent, and so needs nothing more.
        """
        d = deliveries.c
        fresh = and_(d.state == _State.SENT, d.shown_version >= d.wanted_version)
        return sum(
            self._connection.execute(
                update(deliveries)
                .where(
                    d.number.in_(some),
                    d.kind == DeliveryKind.ALERT,
                    d.state.not_in((_State.CANCELLED, _State.FAILED)),
                )
                .values(
                    wanted_version=d.wanted_version + 1,
                    # For a sent card: since when it is out of date. The one that waits longest goes first.
                    not_before=case((fresh, literal(now, UtcTime)), else_=d.not_before),
                )
            ).rowcount
            for some in _chunks(numbers)
        )

    def cancel_unsent(self, numbers: Collection[int]) -> int:
        """Nothing is left to say about these cases: whatever has not left yet never will. How many that were.

        What may be on its way stays: only looking can tell, and then the card is edited.
        """
        d = deliveries.c
        return sum(
            self._connection.execute(
                update(deliveries)
                .where(d.number.in_(some), d.state.in_((*WAITING, _State.HELD, _State.FAILED)))
                .values(state=_State.CANCELLED.value)
            ).rowcount
            for some in _chunks(numbers)
        )

    # -- what there is to do --------------------------------------------------------------------------------

    def due(
        self,
        now: datetime,
        *,
        pace: timedelta,
        lease: timedelta = LEASE,
        edit_gap: timedelta = EDIT_GAP,
        editing: Collection[str] = (),
        unpaced: Collection[str] = (),
    ) -> list[Due]:
        """The channels with something to do, and when it can be done.

        `editing` names the notifiers that can change a card, `unpaced` those that take any number at once.
        """
        ready: dict[tuple[str, str], datetime] = {}

        def note(notifier: str, channel: str, at: datetime) -> None:
            key = (notifier, channel)
            ready[key] = min(at, ready.get(key, at))

        d = deliveries.c
        waiting = select(
            d.notifier,
            d.channel,
            func.min(case((_from_the_future(deliveries, now), literal(now, UtcTime)), else_=d.not_before)),
        ).where(unsent(deliveries), d.state.in_(WAITING), _parent_settled(deliveries))
        for notifier, channel, at in self._connection.execute(waiting.group_by(d.notifier, d.channel)):
            note(notifier, channel, at)
        flying = select(d.notifier, d.channel, d.claimed_at, d.not_before, d.state).where(
            unsent(deliveries), d.state.in_(_IN_FLIGHT)
        )
        for notifier, channel, claimed_at, not_before, state in self._connection.execute(flying):
            at = sane(claimed_at, lease, now)
            note(
                notifier,
                channel,
                at if state == _State.SENDING else max(at, sane(not_before, MAX_BACKOFF, now, at)),
            )
        stale = select(d.notifier, d.channel, d.sent_at, d.edited_at, d.claimed_at, d.not_before).where(
            _stale(deliveries), d.notifier.in_(tuple(editing))
        )
        for notifier, channel, sent_at, edited_at, claimed_at, not_before in self._connection.execute(stale):
            at = max(
                sane(sent_at, edit_gap, now), sane(edited_at, edit_gap, now), sane(claimed_at, lease, now)
            )
            note(notifier, channel, max(at, sane(not_before, MAX_BACKOFF, now, at)))

        doors = {(state.notifier, state.channel): state for state in self.channel_states()}
        found = []
        for (notifier, channel), at in ready.items():
            parked = False
            for door in (doors.get((notifier, channel)), doors.get((notifier, ""))):
                if door is not None:
                    at = max(at, opens_at(door, now, timedelta(0) if notifier in unpaced else pace))
                    parked = parked or door.parked_at is not None
            found.append(Due(notifier, channel, at, parked))
        return sorted(found, key=lambda due: (due.at, due.notifier, due.channel))

    def claim_post(
        self, notifier: str, channel: str, now: datetime, *, pace: timedelta, pass_storms: bool = False
    ) -> Delivery | None:
        """Take the worst delivery due in this channel, and the channel's turn with it; None if there is none.

        Worst: priority raised by one step an hour of waiting, roots before replies, then rank. A reply goes
        after its parent was sent. With `pass_storms` what belongs to a storm comes after all else. The caller
        commits before it posts.
        """
        due = self._next(notifier, channel, now, pass_storms=pass_storms)
        if self._connection.scalar(due) is None or not self._take_turn(notifier, channel, now, pace):
            return None
        row = (
            self._connection.execute(
                update(deliveries)
                .where(deliveries.c.id == due.scalar_subquery(), deliveries.c.state.in_(WAITING))
                .values(state=_State.SENDING.value, claimed_at=now, attempts=deliveries.c.attempts + 1)
                .returning(*deliveries.c)
            )
            .mappings()
            .one_or_none()
        )
        return None if row is None else _delivery(row)

    def claim_look(
        self, notifier: str, channel: str, now: datetime, *, pace: timedelta, lease: timedelta = LEASE
    ) -> Delivery | None:
        """Take the channel's turn to look for the longest uncertain delivery; None if none is due."""
        d = deliveries.c
        row = (
            self._connection.execute(
                select(deliveries)
                .where(
                    unsent(deliveries),
                    d.notifier == notifier,
                    d.channel == channel,
                    d.state == _State.UNCERTAIN,
                    passed(d.claimed_at, lease, now),
                    or_(d.not_before <= now, d.not_before > now + MAX_BACKOFF, d.claimed_at > now),
                )
                .order_by(d.claimed_at, d.id)
                .limit(1)
            )
            .mappings()
            .one_or_none()
        )
        if row is None or not self._take_turn(notifier, channel, now, pace):
            return None
        return _delivery(row)

    def claim_edit(
        self,
        notifier: str,
        channel: str,
        now: datetime,
        *,
        pace: timedelta,
        lease: timedelta = LEASE,
        gap: timedelta = EDIT_GAP,
        number: int | None = None,
    ) -> Delivery | None:
        """Take the card that shows an old state for longest; None if none may be changed now.

        Its `wanted_version` at this moment is what the caller draws and reports as shown. With `number` only
        a card of that case is taken.
        """

        def pick(t: FromClause) -> list[ColumnElement[bool]]:
            return [
                _stale(t),
                t.c.notifier == notifier,
                t.c.channel == channel,
                *([] if number is None else [t.c.number == number]),
                passed(t.c.sent_at, gap, now),
                passed(t.c.edited_at, gap, now),
                passed(t.c.claimed_at, lease, now),
                or_(t.c.not_before <= now, t.c.not_before > now + MAX_BACKOFF, t.c.sent_at > now),
            ]

        inner = deliveries.alias("card")
        oldest = select(inner.c.id).where(*pick(inner)).order_by(inner.c.not_before, inner.c.id).limit(1)
        if self._connection.scalar(oldest) is None or not self._take_turn(notifier, channel, now, pace):
            return None
        row = (
            self._connection.execute(
                update(deliveries)
                .where(deliveries.c.id == oldest.scalar_subquery(), *pick(deliveries))
                .values(claimed_at=now)
                .returning(*deliveries.c)
            )
            .mappings()
            .one_or_none()
        )
        return None if row is None else _delivery(row)

    def suspect_stale(self, now: datetime, lease: timedelta = LEASE) -> int:
        """Whose sender has said nothing for `lease` is uncertain: it may have died before or after."""
        d = deliveries.c
        return self._connection.execute(
            update(deliveries)
            .where(unsent(deliveries), d.state == _State.SENDING, passed(d.claimed_at, lease, now))
            .values(state=_State.UNCERTAIN.value, error="its sender stopped while sending it")
        ).rowcount

    # -- what became of it ----------------------------------------------------------------------------------

    def settle_sent(
        self, delivery: Delivery, remote_id: str, remote_channel: str, version: int, now: datetime
    ) -> bool:
        """It stands in its channel and shows `version`. False when the claim was no longer ours.

        A success also proves that a parked channel or token works again.
        """
        self._mended(delivery.notifier, delivery.channel)
        c, d = channels.c, deliveries.c
        self._connection.execute(
            update(channels)
            .where(c.notifier == delivery.notifier, c.channel == delivery.channel)
            .values(last_sent_at=now)
        )
        return (
            self._connection.execute(
                update(deliveries)
                .where(d.id == delivery.id, d.state.in_(_IN_FLIGHT), d.claimed_at == delivery.claimed_at)
                .values(
                    state=_State.SENT.value,
                    sent_at=now,
                    remote_id=remote_id or None,
                    remote_channel=remote_channel or None,
                    shown_version=version,
                    claimed_at=None,
                    error="",
                )
            ).rowcount
            == 1
        )

    def settle(
        self,
        delivery: Delivery,
        state: DeliveryState,
        *,
        error: str = "",
        not_before: datetime | None = None,
        plain: bool = False,
        counted: bool = True,
    ) -> bool:
        """It was not proved to be sent: what it is now. False when the claim was no longer ours.

        `counted=False` takes the attempt back; `plain` marks that its blocks were refused.
        """
        d = deliveries.c
        values: dict[str, Any] = {"state": state.value, "error": error}
        if not_before is not None:
            values["not_before"] = not_before
        if plain:
            values["plain"] = True
        if not counted:
            values["attempts"] = case((d.attempts > 0, d.attempts - 1), else_=0)
        return (
            self._connection.execute(
                update(deliveries)
                .where(d.id == delivery.id, d.state.in_(_IN_FLIGHT), d.claimed_at == delivery.claimed_at)
                .values(**values)
            ).rowcount
            == 1
        )

    def settle_edit(self, delivery: Delivery, version: int, now: datetime, error: str = "") -> bool:
        """The card shows `version`, or with an `error` never will. False: the claim was no longer ours."""
        if not error:
            self._mended(delivery.notifier, delivery.channel)
        d = deliveries.c
        return (
            self._connection.execute(
                update(deliveries)
                .where(d.id == delivery.id, d.state == _State.SENT, d.claimed_at == delivery.claimed_at)
                .values(shown_version=version, edited_at=now, claimed_at=None, error=error)
            ).rowcount
            == 1
        )

    def postpone_edit(
        self, delivery: Delivery, not_before: datetime, error: str, *, plain: bool = False
    ) -> bool:
        """The card could not be changed now: try again at `not_before`."""
        d = deliveries.c
        values: dict[str, Any] = {"not_before": not_before, "claimed_at": None, "error": error}
        if plain:
            values["plain"] = True
        return (
            self._connection.execute(
                update(deliveries)
                .where(d.id == delivery.id, d.state == _State.SENT, d.claimed_at == delivery.claimed_at)
                .values(**values)
            ).rowcount
            == 1
        )

    # -- what there is --------------------------------------------------------------------------------------

    def delivery(self, id_: str) -> Delivery | None:
        """The delivery with this outbox id."""
        row = (
            self._connection.execute(select(deliveries).where(deliveries.c.id == id_))
            .mappings()
            .one_or_none()
        )
        return None if row is None else _delivery(row)

    def cards_of(self, numbers: Collection[int]) -> list[Delivery]:
        """The alert cards of these cases, oldest first."""
        d = deliveries.c
        found = [
            _delivery(row)
            for some in _chunks(numbers)
            for row in self._connection.execute(
                select(deliveries).where(d.number.in_(some), d.kind == DeliveryKind.ALERT)
            ).mappings()
        ]
        return sorted(found, key=lambda delivery: (delivery.created_at, delivery.id))

    def cards_in_flight(self) -> list[Delivery]:
        """The alert cards of open cases of which nobody knows yet whether they arrived, oldest first."""
        d = deliveries.c
        found = (
            select(deliveries)
            .join(cases, and_(cases.c.number == d.number, cases.c.closed_at.is_(None)))
            .where(unsent(deliveries), d.state.in_(_IN_FLIGHT), d.kind == DeliveryKind.ALERT)
            .order_by(d.created_at, d.id)
        )
        return [_delivery(row) for row in self._connection.execute(found).mappings()]

    def remote_channel_of(self, notifier: str, channel: str) -> str:
        """The id the other side gave this channel when something was sent there; "" if nothing was."""
        d = deliveries.c
        row = self._connection.execute(
            select(d.remote_channel)
            .where(d.notifier == notifier, d.channel == channel, d.remote_channel.is_not(None))
            .order_by(d.sent_at.desc())
            .limit(1)
        ).scalar_one_or_none()
        return row or ""

    def outbox_counts(self) -> dict[DeliveryState, int]:
        """How many deliveries stand in each state; every state is a key."""
        counts = dict.fromkeys(DeliveryState, 0)
        for state, count in self._connection.execute(outbox_counts()):
            counts[DeliveryState(state)] = count
        return counts

    # -- inside ---------------------------------------------------------------------------------------------

    def _known(self, ids: Sequence[str]) -> set[str]:
        d = deliveries.c
        return {
            id_
            for some in _chunks(ids)
            for id_ in self._connection.scalars(select(d.id).where(d.id.in_(some)))
        }

    def _next(self, notifier: str, channel: str, now: datetime, *, pass_storms: bool = False) -> Any:
        t = deliveries.alias("candidate")
        # What waited is among the urgent, behind those that are: after an outage the worst still goes first.
        most = Priority.URGENT.value
        level = case(
            (t.c.created_at <= now - STARVED, literal_column(str(most + 1))),
            *(
                (
                    and_(t.c.created_at <= now - step * AGEING, t.c.priority >= most - step),
                    literal_column(str(most)),
                )
                for step in range(most, 0, -1)
            ),
            *(
                (t.c.created_at <= now - step * AGEING, t.c.priority + literal_column(str(step)))
                for step in range(most, 0, -1)
            ),
            else_=t.c.priority,
        )
        return (
            select(t.c.id)
            .where(
                unsent(t),
                t.c.notifier == notifier,
                t.c.channel == channel,
                t.c.state.in_(WAITING),
                or_(t.c.not_before <= now, _from_the_future(t, now)),
                _parent_settled(t),
            )
            .order_by(
                *([t.c.storm.is_not(None)] if pass_storms else []),
                level.desc(),
                t.c.priority.desc(),
                t.c.parent.is_not(None),
                t.c.rank.desc(),
                t.c.created_at,
                t.c.id,
            )
            .limit(1)
        )


def outbox_counts() -> Select[Any]:
    """The statement behind `DeliveryLedger.outbox_counts`; apart, so that its plan can be looked at."""
    return select(deliveries.c.state, func.count()).group_by(deliveries.c.state)


def _stale(t: FromClause) -> ColumnElement[bool]:
    return and_(t.c.state == literal_column("'sent'"), t.c.shown_version < t.c.wanted_version)


def _from_the_future(t: FromClause, now: datetime) -> ColumnElement[bool]:
    """Written or tried later than now: the clock was set back, `not_before` is of the wrong time."""
    return or_(and_(t.c.created_at > now, t.c.not_before <= t.c.created_at), t.c.claimed_at > now)


def _parent_settled(t: FromClause) -> ColumnElement[bool]:
    # A parent that failed for good must not silence its replies: they go into the channel instead.
    p = deliveries.alias("parent")
    unsettled = (_State.PENDING, _State.SENDING, _State.UNCERTAIN, _State.PARKED, _State.HELD)
    return or_(
        t.c.parent.is_(None), ~exists(select(p.c.id).where(p.c.id == t.c.parent, p.c.state.in_(unsettled)))
    )


def _chunks(items: Collection[_T]) -> Iterable[Sequence[_T]]:
    values = list(items)
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def _values(delivery: Delivery) -> dict[str, Any]:
    values = {field.name: getattr(delivery, field.name) for field in fields(delivery)}
    values.update(kind=delivery.kind.value, state=delivery.state.value, priority=int(delivery.priority))
    return values


def _delivery(row: Mapping[Any, Any]) -> Delivery:
    values = dict(row)
    values.update(
        kind=DeliveryKind(values["kind"]),
        state=DeliveryState(values["state"]),
        priority=Priority(values["priority"]),
    )
    return Delivery(**values)
