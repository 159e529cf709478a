"""Which mentions are new since one looked, and which are gone? For programs that are told of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, exists, func, select

from storage.records import Label
from storage.tables import cases, mentions, verdicts


@dataclass(frozen=True, slots=True)
class Heard:
    """A mention as it was judged for one brand."""

    mention_id: int
    brand: str
    label: Label
    at: datetime  # when it was first seen, or removed


class HeardLedger:
    """Statements that follow the mentions."""

    _connection: Connection

    def last_mention(self) -> int:
        """The id of the latest mention, 0 where there is none."""
        return self._connection.scalar(select(func.max(mentions.c.id))) or 0

    def heard_after(self, identity: int, limit: int) -> tuple[list[Heard], int]:
        """The next `limit` mentions after one, in the order they were kept; and the id of the last of them."""
        c = mentions.c
        last = self._connection.scalar(
            select(func.max(c.id)).where(
                c.id.in_(select(c.id).where(c.id > identity).order_by(c.id).limit(limit))
            )
        )
        if last is None:
            return [], identity
        return self._heard(c.id > identity, c.id <= last), last

    def heard_between(self, first: int, last: int, *, since: datetime) -> list[Heard]:
        """The mentions with ids above `first`, up to `last`, that were first seen since."""
        c = mentions.c
        return self._heard(c.id > first, c.id <= last, c.first_seen_at >= since)

    def gone_since(self, since: datetime, *, after: int) -> list[Heard]:
        """The mentions with ids above `after` that were removed since and have no case, which would tell it."""
        return [_heard(row) for row in self._connection.execute(gone_since(since, after=after))]

    def _heard(self, *where: ColumnElement[bool]) -> list[Heard]:
        found = _heard_at(mentions.c.first_seen_at).where(*where, mentions.c.removed_at.is_(None))
        rows = self._connection.execute(found.order_by(mentions.c.id, verdicts.c.brand))
        return [_heard(row) for row in rows]


def gone_since(since: datetime, *, after: int) -> Select[Any]:
    """The statement behind `HeardLedger.gone_since`; apart, so that its plan can be looked at."""
    of_a_case = exists().where(cases.c.mention_id == mentions.c.id)
    found = _heard_at(mentions.c.removed_at).where(
        mentions.c.removed_at.is_not(None), mentions.c.removed_at >= since, mentions.c.id > after, ~of_a_case
    )
    return found.order_by(mentions.c.removed_at, mentions.c.id, verdicts.c.brand)


def _heard_at(at: ColumnElement[Any]) -> Select[Any]:
    v = verdicts.c
    return select(v.mention_id, v.brand, v.label, at).join(mentions, mentions.c.id == v.mention_id)


def _heard(row: Sequence[Any]) -> Heard:
    return Heard(row[0], row[1], Label(row[2]), row[3])
