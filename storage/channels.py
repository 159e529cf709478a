"""What stands between us and a channel? Its pace, a gate (429), a parking (an error); whose turn it is.

A clock that was set back must not silence anybody: a time that lies further in the future than it could is
treated as long past.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

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

from storage.records import ChannelState, DeliveryState
from storage.tables import UtcTime, channels, deliveries

PROBE_EVERY = timedelta(minutes=15)  # how often a parked channel or token is tried again

_State = DeliveryState
WAITING = (_State.PENDING.value, _State.PARKED.value)


class ChannelLedger:
    """Statements of the table `channels`, and what they do to the deliveries that wait."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

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
            .where(unsent(deliveries), d.state == _State.PENDING, shut)
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
            .where(unsent(deliveries), d.state == _State.PARKED, *here, ~shut)
            .values(state=_State.PENDING.value)
        ).rowcount

    def redirect(self, notifier: str, channel: str, fallback: str, *, to: str = "") -> int:
        """What waits for `channel` goes to `fallback` and says for whom it was meant; how many moved.

        `to` names another notifier, by which it goes there. A delivery is redirected once:
        when the fallback is out of order too, it waits there.
        """
        d = deliveries.c
        moved = 0
        rows = self._connection.execute(
            select(d.id, d.body).where(
                unsent(deliveries), d.notifier == notifier, d.channel == channel, d.state.in_(WAITING)
            )
        ).all()
        for id_, body in rows:
            content = read_body(body)
            if "meant_for" in content:
                continue
            content["meant_for"] = channel
            moved += self._connection.execute(
                update(deliveries)
                .where(d.id == id_, d.state.in_(WAITING))
                .values(
                    notifier=to or notifier,
                    channel=fallback,
                    body=json.dumps(content),
                    state=_State.PENDING.value,
                )
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
        paced = or_(c.parked_at.is_not(None), passed(c.last_sent_at, pace, now))
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


def unsent(t: FromClause) -> ColumnElement[bool]:
    """What is not done with."""
    # Literals, word for word those of the partial index: with bound values SQLite reads every row.
    return t.c.state.not_in([literal_column("'sent'"), literal_column("'cancelled'")])


def passed(moment: Column[Any] | ColumnElement[Any], span: timedelta, now: datetime) -> ColumnElement[bool]:
    """`span` has passed since `moment`; what is further ahead than that comes from a clock set back."""
    return or_(moment.is_(None), moment <= now - span, moment > now + span)


def sane(
    moment: datetime | None, span: timedelta, now: datetime, otherwise: datetime | None = None
) -> datetime:
    """When `span` has passed since `moment`; with `otherwise`, `moment` itself unless it is beyond `span`."""
    if otherwise is not None:
        return otherwise if moment is None or moment > now + span else moment
    if moment is None or moment > now + span:
        return now
    return moment + span


def opens_at(door: ChannelState, now: datetime, pace: timedelta) -> datetime:
    """When the next turn can be taken; `now` or earlier if at once."""
    set_back = any(at is not None and at > now for at in (door.last_sent_at, door.parked_at))
    gate = now if door.gated_until is None or set_back else door.gated_until
    if door.parked_at is not None or not door.channel:
        return gate
    return max(gate, sane(door.last_sent_at, pace, now))


def read_body(body: str) -> dict[str, Any]:
    """The JSON object in a delivery's body; what is none becomes its text."""
    try:
        content = json.loads(body) if body else {}
    except ValueError:
        return {"text": body}
    return content if isinstance(content, dict) else {"text": body}
