"""What is on its way to whom? The statements of the outbox: claim, settle, look, edit, gate, park.

Every change of state is one conditional UPDATE whose row count decides, so two couriers never take the same
delivery and a late one cannot undo what happened since. A claim carries its time (`claimed_at`); whoever
settles names that time, and finds no row when somebody else has taken over.

A clock that was set back must not silence anybody: a time that lies further in the future than it could is
treated as long past.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    FromClause,
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

from storage.records import ChannelState, Delivery, DeliveryKind, DeliveryState, Priority
from storage.tables import UtcTime, channels, deliveries

AGEING = timedelta(hours=1)  # waiting this long raises a delivery one step of priority
AGEING_STEPS = 24  # nothing starves: after four hours the mildest passes the newest urgent
EDIT_GAP = timedelta(seconds=10)  # least time between two changes of one card
LEASE = timedelta(seconds=60)  # a claim older than this belongs to nobody any more
PROBE_EVERY = timedelta(minutes=15)  # how often a parked channel or token is tried again
MAX_BACKOFF = timedelta(minutes=10)  # nothing tried before is put off for longer, but by a clock set back
_CHUNK = 500  # bound variables in one statement, below SQLite's smallest limit

_State = DeliveryState
_WAITING = (_State.PENDING.value, _State.PARKED.value)
_IN_FLIGHT = (_State.SENDING.value, _State.UNCERTAIN.value)
_Rows = FromClause
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Due:
    """A channel with something to do, and when it can be done first."""

    notifier: str
    channel: str
    at: datetime
    parked: bool = False  # it or its token is out of order; `at` is the next probe


class DeliveryLedger:
    """Statements of the tables `deliveries` and `channels`; part of a Ledger, inside its transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

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
                .where(d.number.in_(some), d.state.in_((*_WAITING, _State.FAILED)))
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
    ) -> list[Due]:
        """The channels with something to do, and when it can be done; `editing`: notifiers that edit."""
        ready: dict[tuple[str, str], datetime] = {}

        def note(notifier: str, channel: str, at: datetime) -> None:
            key = (notifier, channel)
            ready[key] = min(at, ready.get(key, at))

        d = deliveries.c
        waiting = select(
            d.notifier,
            d.channel,
            func.min(case((_from_the_future(deliveries, now), literal(now, UtcTime)), else_=d.not_before)),
        ).where(_unsent(deliveries), d.state.in_(_WAITING), _parent_settled(deliveries))
        for notifier, channel, at in self._connection.execute(waiting.group_by(d.notifier, d.channel)):
            note(notifier, channel, at)
        flying = select(d.notifier, d.channel, d.claimed_at, d.not_before, d.state).where(
            _unsent(deliveries), d.state.in_(_IN_FLIGHT)
        )
        for notifier, channel, claimed_at, not_before, state in self._connection.execute(flying):
            at = _sane(claimed_at, lease, now)
            note(
                notifier,
                channel,
                at if state == _State.SENDING else max(at, _sane(not_before, MAX_BACKOFF, now, at)),
            )
        stale = select(d.notifier, d.channel, d.sent_at, d.edited_at, d.claimed_at, d.not_before).where(
            _stale(deliveries), d.notifier.in_(tuple(editing))
        )
        for notifier, channel, sent_at, edited_at, claimed_at, not_before in self._connection.execute(stale):
            at = max(
                _sane(sent_at, edit_gap, now), _sane(edited_at, edit_gap, now), _sane(claimed_at, lease, now)
            )
            note(notifier, channel, max(at, _sane(not_before, MAX_BACKOFF, now, at)))

        doors = {(state.notifier, state.channel): state for state in self.channel_states()}
        found = []
        for (notifier, channel), at in ready.items():
            parked = False
            for door in (doors.get((notifier, channel)), doors.get((notifier, ""))):
                if door is not None:
                    at = max(at, _opens_at(door, now, pace))
                    parked = parked or door.parked_at is not None
            found.append(Due(notifier, channel, at, parked))
        return sorted(found, key=lambda due: (due.at, due.notifier, due.channel))

    def claim_post(self, notifier: str, channel: str, now: datetime, *, pace: timedelta) -> Delivery | None:
        """Take the worst delivery due in this channel, and the channel's turn with it; None if there is none.

        Worst: priority raised by one step an hour of waiting, roots before replies, then rank. A reply goes
        after its parent was sent. The caller commits before it posts.
        """
        due = self._next(notifier, channel, now)
        if self._connection.scalar(due) is None or not self._take_turn(notifier, channel, now, pace):
            return None
        row = (
            self._connection.execute(
                update(deliveries)
                .where(deliveries.c.id == due.scalar_subquery(), deliveries.c.state.in_(_WAITING))
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
                    _unsent(deliveries),
                    d.notifier == notifier,
                    d.channel == channel,
                    d.state == _State.UNCERTAIN,
                    _passed(d.claimed_at, lease, now),
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
    ) -> Delivery | None:
        """Take the card that shows an old state for longest; None if none may be changed now.

        Its `wanted_version` at this moment is what the caller draws and reports as shown.
        """

        def pick(t: _Rows) -> list[ColumnElement[bool]]:
            return [
                _stale(t),
                t.c.notifier == notifier,
                t.c.channel == channel,
                _passed(t.c.sent_at, gap, now),
                _passed(t.c.edited_at, gap, now),
                _passed(t.c.claimed_at, lease, now),
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
            .where(_unsent(deliveries), d.state == _State.SENDING, _passed(d.claimed_at, lease, now))
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

    # -- channels -------------------------------------------------------------------------------------------

    def gate(self, notifier: str, channel: str, until: datetime) -> None:
        """Nothing goes to this channel before `until`."""
        self._ensure_channel(notifier, channel)
        c = channels.c
        self._connection.execute(
            update(channels).where(c.notifier == notifier, c.channel == channel).values(gated_until=until)
        )

    def park(self, notifier: str, channel: str, reason: str, now: datetime) -> None:
        """Out of order, with all that waits for it: a channel, or with channel "" the whole notifier.

        It is tried with one delivery every `PROBE_EVERY`; the first success opens it, no command needed.
        """
        self._ensure_channel(notifier, channel)
        c = channels.c
        self._connection.execute(
            update(channels)
            .where(c.notifier == notifier, c.channel == channel)
            .values(
                parked_at=func.coalesce(c.parked_at, literal(now, UtcTime)),
                parked_reason=reason,
                gated_until=now + PROBE_EVERY,
            )
        )
        self.mark_parked()

    def mark_parked(self) -> int:
        """What waits for a parked channel or token is shown as parked; how many rows changed."""
        c, d = channels.c, deliveries.c
        shut = exists(
            select(c.channel).where(
                c.notifier == d.notifier,
                or_(c.channel == d.channel, c.channel == ""),
                c.parked_at.is_not(None),
            )
        )
        return self._connection.execute(
            update(deliveries)
            .where(_unsent(deliveries), d.state == _State.PENDING, shut)
            .values(state=_State.PARKED.value)
        ).rowcount

    def unpark(self, notifier: str, channel: str) -> int:
        """It works again: everything that waited goes on. How many deliveries that are."""
        c, d = channels.c, deliveries.c
        self._connection.execute(
            update(channels)
            .where(c.notifier == notifier, c.channel == channel)
            .values(parked_at=None, parked_reason="", gated_until=None)
        )
        shut = exists(
            select(c.channel).where(
                c.notifier == d.notifier,
                or_(c.channel == d.channel, c.channel == ""),
                c.parked_at.is_not(None),
            )
        )
        here = [d.notifier == notifier, *([d.channel == channel] if channel else [])]
        return self._connection.execute(
            update(deliveries)
            .where(_unsent(deliveries), d.state == _State.PARKED, *here, ~shut)
            .values(state=_State.PENDING.value)
        ).rowcount

    def redirect(self, notifier: str, channel: str, fallback: str) -> int:
        """What waits for `channel` goes to `fallback` and says for whom it was meant; how many moved.

        A delivery is redirected once: when the fallback is out of order too, it waits there.
        """
        d = deliveries.c
        moved = 0
        rows = self._connection.execute(
            select(d.id, d.body).where(
                _unsent(deliveries), d.notifier == notifier, d.channel == channel, d.state.in_(_WAITING)
            )
        ).all()
        for id_, body in rows:
            content = _body(body)
            if "meant_for" in content:
                continue
            content["meant_for"] = channel
            moved += self._connection.execute(
                update(deliveries)
                .where(d.id == id_, d.state.in_(_WAITING))
                .values(channel=fallback, body=json.dumps(content), state=_State.PENDING.value)
            ).rowcount
        return moved

    def channel_states(self) -> list[ChannelState]:
        """Every channel that was ever used, and what stands between us and it."""
        c = channels.c
        rows = self._connection.execute(select(channels).order_by(c.notifier, c.channel)).mappings()
        return [ChannelState(**row) for row in rows]

    def parked(self) -> list[ChannelState]:
        """What is out of order, since when and why."""
        return [state for state in self.channel_states() if state.parked_at is not None]

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
        d = deliveries.c
        for state, count in self._connection.execute(select(d.state, func.count()).group_by(d.state)):
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

    def _next(self, notifier: str, channel: str, now: datetime) -> Any:
        t = deliveries.alias("candidate")
        waited = case(
            *(
                (t.c.created_at <= now - step * AGEING, literal_column(str(step)))
                for step in range(AGEING_STEPS, 0, -1)
            ),
            else_=literal_column("0"),
        )
        return (
            select(t.c.id)
            .where(
                _unsent(t),
                t.c.notifier == notifier,
                t.c.channel == channel,
                t.c.state.in_(_WAITING),
                or_(t.c.not_before <= now, _from_the_future(t, now)),
                _parent_settled(t),
            )
            .order_by(
                (t.c.priority + waited).desc(),
                t.c.parent.is_not(None),
                t.c.rank.desc(),
                t.c.created_at,
                t.c.id,
            )
            .limit(1)
        )

    def _ensure_channel(self, notifier: str, channel: str) -> None:
        insert = postgresql.insert if self._connection.dialect.name == "postgresql" else sqlite.insert
        self._connection.execute(
            insert(channels)
            .values(notifier=notifier, channel=channel, parked_reason="")
            .on_conflict_do_nothing(index_elements=["notifier", "channel"])
        )

    def _take_turn(self, notifier: str, channel: str, now: datetime, pace: timedelta) -> bool:
        """Take this channel's next turn; True when it is ours. The row stays locked until the commit."""
        self._ensure_channel(notifier, channel)
        c = channels.c
        # Every turn writes its time: one that lies ahead says that the clock was set back, the gate too.
        open_now = or_(c.gated_until.is_(None), c.gated_until <= now, c.last_sent_at > now, c.parked_at > now)
        # A parked channel or token gets one probe; the next one comes after PROBE_EVERY.
        taken = {
            "last_sent_at": now,
            "gated_until": case((c.parked_at.is_not(None), literal(now + PROBE_EVERY, UtcTime))),
            "parked_at": case((c.parked_at > now, literal(now, UtcTime)), else_=c.parked_at),
        }
        paced = or_(c.parked_at.is_not(None), _passed(c.last_sent_at, pace, now))
        took = self._connection.execute(
            update(channels)
            .where(c.notifier == notifier, c.channel == channel, open_now, paced)
            .values(**taken)
        )
        if took.rowcount != 1:
            return False
        of_token = and_(c.notifier == notifier, c.channel == "", c.parked_at.is_not(None))
        if self._connection.scalar(select(c.parked_at).where(of_token)) is None:
            return True
        return (
            self._connection.execute(update(channels).where(of_token, open_now).values(**taken)).rowcount == 1
        )

    def _mended(self, notifier: str, channel: str) -> None:
        c = channels.c
        shut = self._connection.scalars(
            select(c.channel).where(
                c.notifier == notifier, c.channel.in_((channel, "")), c.parked_at.is_not(None)
            )
        ).all()
        for name in shut:
            self.unpark(notifier, name)


def _unsent(t: _Rows) -> ColumnElement[bool]:
    # Literals, word for word those of the partial index: with bound values SQLite reads every row.
    return t.c.state.not_in([literal_column("'sent'"), literal_column("'cancelled'")])


def _stale(t: _Rows) -> ColumnElement[bool]:
    return and_(t.c.state == literal_column("'sent'"), t.c.shown_version < t.c.wanted_version)


def _passed(moment: Column[Any] | ColumnElement[Any], span: timedelta, now: datetime) -> ColumnElement[bool]:
    """`span` has passed since `moment`; what is further ahead than that comes from a clock set back."""
    return or_(moment.is_(None), moment <= now - span, moment > now + span)


def _from_the_future(t: _Rows, now: datetime) -> ColumnElement[bool]:
    """Written or tried later than now: the clock was set back, `not_before` is of the wrong time."""
    return or_(and_(t.c.created_at > now, t.c.not_before <= t.c.created_at), t.c.claimed_at > now)


def _parent_settled(t: _Rows) -> ColumnElement[bool]:
    # A parent that failed for good must not silence its replies: they go into the channel instead.
    p = deliveries.alias("parent")
    unsettled = (_State.PENDING, _State.SENDING, _State.UNCERTAIN, _State.PARKED)
    return or_(
        t.c.parent.is_(None), ~exists(select(p.c.id).where(p.c.id == t.c.parent, p.c.state.in_(unsettled)))
    )


def _sane(
    moment: datetime | None, span: timedelta, now: datetime, otherwise: datetime | None = None
) -> datetime:
    """When `span` has passed since `moment`; with `otherwise`, `moment` itself unless it is beyond `span`."""
    if otherwise is not None:
        return otherwise if moment is None or moment > now + span else moment
    if moment is None or moment > now + span:
        return now
    return moment + span


def _opens_at(door: ChannelState, now: datetime, pace: timedelta) -> datetime:
    set_back = any(at is not None and at > now for at in (door.last_sent_at, door.parked_at))
    gate = now if door.gated_until is None or set_back else door.gated_until
    if door.parked_at is not None or not door.channel:
        return gate
    return max(gate, _sane(door.last_sent_at, pace, now))


def _chunks(items: Collection[_T]) -> Iterable[Sequence[_T]]:
    values = list(items)
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def _body(body: str) -> dict[str, Any]:
    try:
        content = json.loads(body) if body else {}
    except ValueError:
        return {"text": body}
    return content if isinstance(content, dict) else {"text": body}


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
