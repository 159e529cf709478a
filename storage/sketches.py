"""Which stored texts may be the same as this one, and who else wrote it?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    union_all,
    update,
)

from storage.records import CaseStatus, DeliveryState, Priority, Storm
from storage.rows import as_recordset, recordset_insert
from storage.tables import cases, copies, deliveries, inserting, mentions, sketches, storms

CHUNK = 500
NEWEST = 50  # of the texts that hold one pair of words: a pair half the world uses finds nobody
CANDIDATES = 5  # compared word by word
COPY = "copy:"  # what the key of a storm begins with that is made of copies; see `alerts.copies`
_State = DeliveryState


@dataclass(frozen=True, slots=True)
class Twin:
    """A stored text to be compared with a new one."""

    mention_id: int
    first_id: int  # of the mention that said it first; its own id where it was this one
    text: str
    shared: int  # hashes in common


@dataclass(frozen=True, slots=True)
class Said:
    """One mention among those that say the same."""

    mention_id: int
    source: str
    author: str
    posted_at: datetime
    removed: bool


@dataclass(frozen=True, slots=True)
class Head:
    """The open case that stands for all its copies in one channel, and its alert."""

    number: int
    priority: Priority
    notifier: str
    channel: str
    card: str  # outbox id


class SketchLedger:
    """Statements of the tables `sketches` and `copies`, and of alerts folded into the one that says the same."""

    _connection: Connection

    def write_sketches(self, several: Mapping[int, Sequence[int]], new: Collection[int] = ()) -> None:
        """Keep by which hashes these mentions are found again, in place of what was kept of them before.

        Of those that are `new` nothing was.
        """
        ids = sorted(several)
        for some in _chunks([one for one in ids if one not in new]):
            self._connection.execute(delete(sketches).where(sketches.c.mention_id.in_(some)))
        rows = [{"hash": one, "mention_id": identity} for identity in ids for one in several[identity]]
        if not rows:
            return
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(_INSERT_SKETCHES, as_recordset(rows))
        else:
            self._connection.execute(insert(sketches), rows)

    def alike(self, hashes: Sequence[int], *, before: int, limit: int = CANDIDATES) -> list[Twin]:
        """The stored texts of mentions with ids below `before` that share most of `hashes`, most first.

        At most one hash of a mere five-word text need be shared, else two.
        """
        if not hashes:
            return []
        asked = {f"hash_{at}": one for at, one in enumerate(hashes)}
        rows = self._connection.execute(_alike(len(hashes)), {**asked, "before_id": before, "most": limit})
        return [
            Twin(
                row.id,
                row.first_id or row.id,
                row.text
                if not row.title or row.text.startswith(row.title)
                else f"{row.title}\n{row.text}".strip(),
                row.shared,
            )
            for row in rows
        ]

    def note_copies(self, firsts: Mapping[int, int | None], new: Collection[int] = ()) -> None:
        """Each mention says what `firsts` gives said first; None: nobody did (any more). `new`: as above."""
        ids = sorted(firsts)
        for some in _chunks([one for one in ids if one not in new]):
            self._connection.execute(delete(copies).where(copies.c.mention_id.in_(some)))
        rows = [{"mention_id": one, "first_id": first} for one in ids if (first := firsts[one]) is not None]
        if rows:
            self._connection.execute(inserting(self._connection, copies), rows)

    def said_alike(self, first_ids: Iterable[int]) -> dict[int, list[Said]]:
        """By the mention that said it first: all that say the same, itself among them, in the order they came."""
        m = mentions.c
        answer: dict[int, list[Said]] = {}
        for some in _chunks(sorted(set(first_ids))):
            first = func.coalesce(copies.c.first_id, m.id)
            rows = self._connection.execute(
                select(first.label("first"), m.id, m.source, m.author, m.posted_at, m.removed_at)
                .select_from(mentions.outerjoin(copies, copies.c.mention_id == m.id))
                .where(
                    or_(
                        m.id.in_(some),
                        m.id.in_(select(copies.c.mention_id).where(copies.c.first_id.in_(some))),
                    )
                )
                .order_by(m.id)
            )
            for row in rows:
                answer.setdefault(row.first, []).append(
                    Said(row.id, row.source, row.author, row.posted_at, row.removed_at is not None)
                )
        return answer

    def first_of(self, mention_id: int) -> int:
        """The mention that said first what this one says; itself where it was the first."""
        first = self._connection.scalar(select(copies.c.first_id).where(copies.c.mention_id == mention_id))
        return mention_id if first is None else int(first)

    # -- one alert for all of them --------------------------------------------------------------------------

    def heads_of(self, first_id: int, brand: str, before: int) -> list[Head]:
        """The open cases of `brand` (numbers below `before`) that say the same and have an alert of their own,
        oldest first, one a channel."""
        c, d = cases.c, deliveries.c
        alike = or_(
            c.mention_id == first_id,
            c.mention_id.in_(select(copies.c.mention_id).where(copies.c.first_id == first_id)),
        )
        rows = self._connection.execute(
            select(c.number, c.priority, d.notifier, d.channel, d.id)
            .select_from(deliveries.join(cases, c.number == d.number))
            .where(
                alike,
                c.brand == brand,
                c.number < before,
                c.closed_at.is_(None),
                d.kind == literal_column("'alert'"),
                d.state.not_in((_State.HELD, _State.CANCELLED, _State.FAILED)),
            )
            .order_by(c.number)
        )
        heads: dict[tuple[str, str], Head] = {}
        for row in rows:
            heads.setdefault(
                (row.notifier, row.channel),
                Head(row.number, Priority(row.priority), row.notifier, row.channel, row.id),
            )
        return list(heads.values())

    def copies_held(self) -> list[Storm]:
        """The folds of copies that go on."""
        return [one for one in self.storms_going_on() if one.key.startswith(COPY)]  # type: ignore[attr-defined]

    def held_under(self, number: int) -> list[int]:
        """The open cases whose alerts are held because case `number` says the same, oldest first."""
        c, d, s = cases.c, deliveries.c, storms.c
        found = (
            select(c.number)
            .select_from(deliveries.join(cases, c.number == d.number).join(storms, s.id == d.storm))
            .where(s.key == f"{COPY}{number}", s.ended_at.is_(None), c.closed_at.is_(None))
            .order_by(c.number)
            .distinct()
        )
        return list(self._connection.scalars(found))

    def hold_copies(self, storm: int, ids: Collection[str]) -> int:
        """These alerts, not sent yet, wait behind the one that says the same; how many."""
        d = deliveries.c
        return sum(
            self._connection.execute(
                update(deliveries)
                .where(d.id.in_(some), d.storm.is_(None), d.state == _State.PENDING)
                .values(storm=storm, state=_State.HELD.value)
            ).rowcount
            for some in _chunks(list(ids))
        )

    def next_copy(self, storm: int) -> Head | None:
        """The worst alert held by this fold whose case is open; None when none is left."""
        c, d = cases.c, deliveries.c
        row = self._connection.execute(
            select(c.number, c.priority, d.notifier, d.channel, d.id)
            .select_from(deliveries.join(cases, c.number == d.number))
            .where(d.storm == storm, d.state == _State.HELD, c.closed_at.is_(None))
            .order_by(c.priority.desc(), c.rank.desc(), c.number)
            .limit(1)
        ).first()
        return None if row is None else Head(row[0], Priority(row[1]), row[2], row[3], row[4])

    def pass_on(self, storm: Storm, head: Head, now: datetime) -> None:
        """`head` stands for the copies from now on: its alert goes on its way, the rest is held behind it."""
        d = deliveries.c
        self._connection.execute(
            update(deliveries)
            .where(d.id == head.card, d.state == _State.HELD)
            .values(state=_State.PENDING.value, storm=None, created_at=now, not_before=now)
        )
        self._connection.execute(
            update(storms)
            .where(storms.c.id == storm.id, storms.c.ended_at.is_(None))
            .values(key=f"{COPY}{head.number}", card=head.card, version=storms.c.version + 1)
        )

    def statuses_of(self, numbers: Iterable[int]) -> dict[int, tuple[CaseStatus, str]]:
        """Status and outcome of these cases."""
        c = cases.c
        return {
            row.number: (CaseStatus(row.status), row.outcome)
            for some in _chunks(sorted(set(numbers)))
            for row in self._connection.execute(
                select(c.number, c.status, c.outcome).where(c.number.in_(some))
            )
        }


@cache  # seventeen statements; to build one takes longer than to run it
def _alike(many: int) -> Select[Any]:
    s, m = sketches.c, mentions.c
    # For each hash its newest holders only: sixteen short walks along the key, however common a pair is.
    walks = [
        select(s.mention_id)
        .where(s.hash == bindparam(f"hash_{at}"), s.mention_id < bindparam("before_id"))
        .order_by(s.mention_id.desc())
        .limit(literal_column(str(NEWEST)))
        .subquery(f"walk_{at}")
        for at in range(many)
    ]
    found = union_all(*(select(walk.c.mention_id) for walk in walks)).subquery("found")
    shared = func.count()
    best = (
        select(found.c.mention_id, shared.label("shared"))
        .group_by(found.c.mention_id)
        .having(shared >= literal_column(str(min(2, many))))
        .order_by(shared.desc(), found.c.mention_id)
        .limit(bindparam("most"))
        .subquery("best")
    )
    return (
        select(m.id, copies.c.first_id, m.title, m.text, best.c.shared)
        .select_from(
            best.join(mentions, m.id == best.c.mention_id).outerjoin(copies, copies.c.mention_id == m.id)
        )
        .where(m.removed_at.is_(None))
        .order_by(best.c.shared.desc(), m.id)
    )


_INSERT_SKETCHES = recordset_insert(sketches)


def _chunks(values: Sequence[Any]) -> list[Sequence[Any]]:
    return [values[start : start + CHUNK] for start in range(0, len(values), CHUNK)]
