"""Which alerts have been folded into one card, how many are held, and which of them are the worst?"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    func,
    literal_column,
    or_,
    select,
    update,
)

from storage.channels import WAITING
from storage.records import DatePrecision, DeliveryKind, DeliveryState, Priority, Storm, clean_line
from storage.tables import cases, deliveries, inserting, mentions, storms, verdicts

CHUNK = 500
WORDS_READ = 600  # characters of one text that are read to see whether two are alike
FRESH_READ = 20_000  # alerts looked at for a new storm; more than any channel shows in the time

_State = DeliveryState


@dataclass(frozen=True, slots=True)
class Fresh:
    """An alert of late that no storm has, with what tells whether it belongs to one."""

    id: str  # of the delivery
    number: int
    brand: str
    topics: tuple[str, ...]
    title: str
    text: str  # its beginning
    published_at: datetime | None
    precision: DatePrecision
    seen_at: datetime  # when its case was opened
    waits: bool  # it was not sent yet
    priority: Priority
    rank: float


@dataclass(frozen=True, slots=True)
class Folded:
    """An alert of a storm that is neither sent nor held."""

    id: str
    number: int
    priority: Priority
    rank: float


@dataclass(frozen=True, slots=True)
class StormCounts:
    """What a storm has grown to."""

    total: int  # its cases
    held: int
    open: int  # cases nobody has closed
    since: int  # its cases opened after the moment asked for
    sources: tuple[tuple[str, int], ...]  # where, most first


class StormLedger:
    """Statements of the table `storms`, and of the deliveries folded into one."""

    _connection: Connection

    # -- storms ---------------------------------------------------------------------------------------------

    def open_storm(self, storm: Storm) -> Storm | None:
        """Open a storm; answers it with its id, None where the same one is going on already."""
        row = {name: value for name, value in _row(storm).items() if name != "id"}
        made = self._connection.execute(
            inserting(self._connection, storms)
            .values(row)
            .on_conflict_do_nothing(
                index_elements=["notifier", "channel", "brand", "key"],
                index_where=storms.c.ended_at.is_(None),
            )
            .returning(storms.c.id)
        ).scalar_one_or_none()
        return None if made is None else self.storm(made)

    def storm(self, identity: int) -> Storm | None:
        """The storm with this id."""
        row = self._connection.execute(select(storms).where(storms.c.id == identity)).mappings().first()
        return None if row is None else _storm(row)

    def storms_going_on(self, notifier: str | None = None, channel: str | None = None) -> list[Storm]:
        """The storms that have not ended, oldest first; of one channel, or of all."""
        wanted = select(storms).where(storms.c.ended_at.is_(None)).order_by(storms.c.id)
        if notifier is not None:
            wanted = wanted.where(storms.c.notifier == notifier, storms.c.channel == channel)
        return [_storm(row) for row in self._connection.execute(wanted).mappings()]

    def save_storm(self, storm: Storm, was_version: int) -> bool:
        """Write what a person or its end made of a storm; False when somebody was faster."""
        changed = {
            name: value
            for name, value in _row(storm).items()
            if name in ("ended_at", "holding", "allowance", "owner", "escalated_at", "version")
        }
        done = self._connection.execute(
            update(storms)
            .where(storms.c.id == storm.id, storms.c.version == was_version, storms.c.ended_at.is_(None))
            .values(changed)
        )
        return done.rowcount == 1

    def storm_over(self, identity: int, over_at: datetime) -> None:
        """Its rate was at half the threshold or above at `over_at`."""
        self._connection.execute(
            update(storms).where(storms.c.id == identity, storms.c.over_at < over_at).values(over_at=over_at)
        )

    def redraw_storm(self, storm: Storm, worst: Sequence[int], now: datetime) -> None:
        """Its card shall show the newest state, with these cases as the worst."""
        self._connection.execute(
            update(storms).where(storms.c.id == storm.id).values(drawn_at=now, worst=json.dumps(list(worst)))
        )
        self.redraw(storm.card, now)

    def redraw(self, outbox_id: str, now: datetime) -> bool:
        """One message, of any kind, shall be drawn anew; False where it never will be again."""
        d = deliveries.c
        sent = and_(d.id == outbox_id, d.state == _State.SENT, d.shown_version >= d.wanted_version)
        # For a sent one that is up to date: since when it is not. Whoever waits longest goes first.
        self._connection.execute(update(deliveries).where(sent).values(not_before=now))
        return (
            self._connection.execute(
                update(deliveries)
                .where(d.id == outbox_id, d.state.not_in((_State.CANCELLED, _State.FAILED)))
                .values(wanted_version=d.wanted_version + 1)
            ).rowcount
            == 1
        )

    # -- what a storm is made of ----------------------------------------------------------------------------

    def fresh_alerts(self, notifier: str, channel: str, since: datetime) -> list[Fresh]:
        """The alerts of this channel written after `since` that no storm has, oldest first."""
        d, m = deliveries.c, mentions.c
        found = (
            select(
                d.id,
                d.number,
                cases.c.brand,
                func.coalesce(verdicts.c.topics, "[]").label("topics"),
                func.substr(m.title, 1, WORDS_READ).label("title"),
                func.substr(m.text, 1, WORDS_READ).label("text"),
                m.published_at,
                m.date_precision,
                cases.c.opened_at,
                d.state,
                d.priority,
                d.rank,
            )
            .select_from(
                deliveries.join(cases, cases.c.number == d.number)
                .join(mentions, m.id == cases.c.mention_id)
                .outerjoin(
                    verdicts,
                    and_(verdicts.c.mention_id == cases.c.mention_id, verdicts.c.brand == cases.c.brand),
                )
            )
            .where(_of_no_storm(), d.notifier == notifier, d.channel == channel, d.created_at > since)
            .order_by(d.number)
            .limit(FRESH_READ)
        )
        return [
            Fresh(
                id=row["id"],
                number=row["number"],
                brand=row["brand"],
                topics=tuple(json.loads(row["topics"])),
                title=row["title"],
                text=row["text"],
                published_at=row["published_at"],
                precision=DatePrecision(row["date_precision"]),
                seen_at=row["opened_at"],
                waits=row["state"] in WAITING,
                priority=Priority(row["priority"]),
                rank=row["rank"],
            )
            for row in self._connection.execute(found).mappings()
        ]

    def backlog(self, notifier: str, channel: str, now: datetime) -> dict[str, int]:
        """How many alerts wait for their turn in this channel, by brand; those of storms not counted."""
        d = deliveries.c
        counted = (
            select(cases.c.brand, func.count())
            .select_from(deliveries.join(cases, cases.c.number == d.number))
            .where(*_waiting_now(notifier, channel, now))
            .group_by(cases.c.brand)
        )
        return {row[0]: row[1] for row in self._connection.execute(counted)}

    def backlog_of(self, notifier: str, channel: str, brand: str, now: datetime) -> list[str]:
        """The alerts of one brand that wait for their turn in this channel."""
        d = deliveries.c
        found = (
            select(d.id)
            .select_from(deliveries.join(cases, cases.c.number == d.number))
            .where(*_waiting_now(notifier, channel, now), cases.c.brand == brand)
        )
        return list(self._connection.scalars(found))

    def waiting_channels(self) -> list[tuple[str, str]]:
        """The channels for which alerts of no storm wait, as (notifier, channel)."""
        d = deliveries.c
        found = select(d.notifier, d.channel).where(_unsent(), d.state.in_(WAITING), d.storm.is_(None))
        return [(row[0], row[1]) for row in self._connection.execute(found.distinct())]

    def fold(self, identity: int, ids: Collection[str]) -> int:
        """These alerts belong to the storm from now on; how many did not belong to one before."""
        d = deliveries.c
        return sum(
            self._connection.execute(
                update(deliveries).where(d.id.in_(some), d.storm.is_(None)).values(storm=identity)
            ).rowcount
            for some in _chunks(ids)
        )

    def hold(self, ids: Collection[str]) -> int:
        """These alerts wait until their storm lets them go; how many waited already to be sent."""
        d = deliveries.c
        return sum(
            self._connection.execute(
                update(deliveries)
                .where(d.id.in_(some), d.state.in_(WAITING), d.storm.is_not(None))
                .values(state=_State.HELD.value)
            ).rowcount
            for some in _chunks(ids)
        )

    def let_go(self, identity: int, now: datetime, limit: int | None = None) -> int:
        """The worst `limit` held alerts of a storm (all of them by default) go on their way; how many.

        One whose case was closed meanwhile has nothing left to say: it is cancelled and not counted.
        """
        d = deliveries.c
        closed = select(cases.c.number).where(cases.c.number == d.number, cases.c.closed_at.is_not(None))
        held = and_(d.storm == identity, d.state == _State.HELD)
        self._connection.execute(
            update(deliveries).where(held, closed.exists()).values(state=_State.CANCELLED.value)
        )
        chosen: ColumnElement[bool] = held
        if limit is not None:
            t = deliveries.alias("held")
            worst = (
                select(t.c.id)
                .where(t.c.storm == identity, t.c.state == _State.HELD)
                .order_by(t.c.priority.desc(), t.c.rank.desc(), t.c.number)
                .limit(limit)
            )
            chosen = d.id.in_(list(self._connection.scalars(worst)))
        # It waits from now on: hours in a storm must not age it past what is urgent elsewhere.
        return self._connection.execute(
            update(deliveries)
            .where(chosen)
            .values(state=_State.PENDING.value, created_at=now, not_before=now)
        ).rowcount

    def stranded(self) -> bool:
        """True when something is held by a storm that holds nothing any more."""
        d = deliveries.c
        return self._connection.scalar(select(d.id).where(*_stranded()).limit(1)) is not None

    def free_stranded(self, now: datetime) -> int:
        """Let go of what is held by a storm that has ended, or lets everything through; how many.

        Two processes can meet so: one folds alerts into a storm while the other ends it.
        """
        return self._connection.execute(
            update(deliveries)
            .where(*_stranded())
            .values(state=_State.PENDING.value, created_at=now, not_before=now)
        ).rowcount

    def unsent_of(self, identity: int) -> list[Folded]:
        """The alerts of a storm that are on their way, worst first."""
        d = deliveries.c
        found = (
            select(d.id, d.number, d.priority, d.rank)
            .where(d.storm == identity, d.state.in_(WAITING))
            .order_by(d.priority.desc(), d.rank.desc(), d.number)
        )
        return [Folded(row[0], row[1], Priority(row[2]), row[3]) for row in self._connection.execute(found)]

    def shown_of(self, identity: int) -> int:
        """How many alerts of a storm have left the outbox, or may have."""
        d = deliveries.c
        shown = (_State.SENT, _State.SENDING, _State.UNCERTAIN)
        return (
            self._connection.scalar(select(func.count()).where(d.storm == identity, d.state.in_(shown))) or 0
        )

    # -- what its card says ---------------------------------------------------------------------------------

    def worst_of(self, identity: int, limit: int = 5) -> list[int]:
        """The numbers of the worst cases of a storm that are still open."""
        c, d = cases.c, deliveries.c
        found = (
            select(c.number)
            .select_from(deliveries.join(cases, c.number == d.number))
            .where(d.storm == identity, c.closed_at.is_(None))
            .order_by(c.priority.desc(), c.rank.desc(), c.number)
            .limit(limit)
        )
        return list(self._connection.scalars(found))

    def nth_latest(self, identity: int, n: int) -> datetime | None:
        """When the `n`th latest case of a storm was opened (1: the latest); None where it has fewer."""
        c, d = cases.c, deliveries.c
        return self._connection.scalar(
            select(c.opened_at)
            .select_from(deliveries.join(cases, c.number == d.number))
            .where(d.storm == identity)
            .order_by(d.number.desc())
            .offset(n - 1)
            .limit(1)
        )

    def storm_counts(self, identity: int, since: datetime) -> StormCounts:
        """How many cases a storm has, how many of its alerts are held, and where they were written."""
        c, d = cases.c, deliveries.c
        joined = deliveries.join(cases, c.number == d.number)
        rows = self._connection.execute(
            select(
                mentions.c.source,
                func.count(),
                func.count().filter(d.state == _State.HELD),
                func.count().filter(c.closed_at.is_(None)),
                func.count().filter(c.opened_at > since),
            )
            .select_from(joined.join(mentions, mentions.c.id == c.mention_id))
            .where(d.storm == identity)
            .group_by(mentions.c.source)
            .order_by(func.count().desc(), mentions.c.source)
        ).all()
        total, held, still_open, late = (sum(row[at] for row in rows) for at in (1, 2, 3, 4))
        return StormCounts(total, held, still_open, late, tuple((row[0], row[1]) for row in rows))

    def first_heard(self, brand: str) -> datetime | None:
        """When the oldest mention of `brand` was posted."""
        v = verdicts.c
        return self._connection.scalar(
            select(v.posted_at).where(v.brand == brand).order_by(v.posted_at).limit(1)
        )

    def bad_posts(self, brand: str, topic: str, spans: Sequence[tuple[datetime, datetime]]) -> list[int]:
        """How many posts of `brand` (about `topic`, "" for any) were high or worse in each span of time."""
        v = verdicts.c
        about = [v.topics.contains(json.dumps(topic), autoescape=True)] if topic else []
        return [
            self._connection.scalar(
                select(func.count()).where(
                    v.brand == brand,
                    v.posted_at >= start,
                    v.posted_at < end,
                    v.priority >= int(Priority.HIGH),
                    *about,
                )
            )
            or 0
            for start, end in spans
        ]


def _unsent() -> ColumnElement[bool]:
    return deliveries.c.state.not_in([literal_column("'sent'"), literal_column("'cancelled'")])


def _of_no_storm() -> ColumnElement[bool]:
    # Literals, as the partial index has them.
    return and_(deliveries.c.storm.is_(None), deliveries.c.kind == literal_column(f"'{DeliveryKind.ALERT}'"))


def _stranded() -> list[ColumnElement[bool]]:
    d, s = deliveries.c, storms.c
    holding = select(s.id).where(s.id == d.storm, s.ended_at.is_(None), s.holding).exists()
    return [d.storm.is_not(None), d.state == _State.HELD, ~holding]


def _waiting_now(notifier: str, channel: str, now: datetime) -> list[ColumnElement[bool]]:
    d = deliveries.c
    return [
        _unsent(),
        d.notifier == notifier,
        d.channel == channel,
        d.state.in_(WAITING),
        d.kind == DeliveryKind.ALERT,
        d.storm.is_(None),
        or_(d.not_before <= now, d.attempts > 0),  # what a quiet hour holds is no backlog
    ]


def _row(storm: Storm) -> dict[str, Any]:
    return {
        "id": storm.id,
        "notifier": storm.notifier,
        "channel": storm.channel,
        "brand": storm.brand,
        "key": storm.key,
        "label": clean_line(storm.label, 200),
        "started_at": storm.started_at,
        "over_at": storm.over_at,
        "ended_at": storm.ended_at,
        "holding": storm.holding,
        "allowance": storm.allowance,
        "owner": clean_line(storm.owner, 255),
        "escalated_at": storm.escalated_at,
        "version": storm.version,
        "card": storm.card,
        "drawn_at": storm.drawn_at,
        "worst": json.dumps(list(storm.worst)),
    }


def _storm(row: RowMapping) -> Storm:
    values = dict(row)
    return Storm(**{**values, "worst": tuple(json.loads(values["worst"]))})


def _chunks(items: Collection[str]) -> list[Sequence[str]]:
    values = list(items)
    return [values[start : start + CHUNK] for start in range(0, len(values), CHUNK)]
