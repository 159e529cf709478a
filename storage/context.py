"""What else is known around a case: its author, its place, others like it? A handful of indexed questions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, and_, case, func, literal, literal_column, or_, select, text

from storage.records import CaseStatus, Label, Priority
from storage.tables import AUTHOR_KEY, PLACE_KEY, UtcTime, cases, mentions, verdicts
from storage.wanted import of_topic

KEY_LENGTH = 100  # of AUTHOR_KEY and PLACE_KEY
LOOKED_AT = 500  # open cases of a brand searched for those alike, worst first
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Earlier:
    """Something else the same author wrote on the same source."""

    mention_id: int
    posted_at: datetime
    stars: float | None
    number: int | None = None  # of its case, where there is one
    status: CaseStatus | None = None
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Similar:
    """An open case of the same brand and topic."""

    number: int
    priority: Priority
    status: CaseStatus
    owner: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class PlaceWeek:
    """What was said of a place in seven days, and in the seven before."""

    count: int = 0
    negative: int = 0
    stars: float | None = None  # average of those that gave any
    count_before: int = 0
    stars_before: float | None = None


QUIET = PlaceWeek()


class ContextLedger:
    """Statements across tables for what a partner would know."""

    _connection: Connection

    def earlier_of(self, source: str, author: str, brand: str, *, but: int, limit: int = 20) -> list[Earlier]:
        """What else `author` wrote on `source`, newest first, with its cases of `brand`; all but mention `but`."""
        if not author:
            return []
        found = self._connection.execute(earlier(source, author, brand, but).limit(limit))
        return [
            Earlier(
                row.id,
                row.posted_at,
                row.stars,
                row.number,
                None if row.status is None else CaseStatus(row.status),
                row.outcome or "",
            )
            for row in found
        ]

    def place_week(self, entity: str, brand: str, now: datetime) -> PlaceWeek:
        """What was said of the place `entity` in the seven days before `now`, and in the seven before."""
        if not entity:
            return QUIET
        row = self._connection.execute(week_of(entity, brand, now)).one()
        return PlaceWeek(row.here or 0, row.negative or 0, row.stars, row.before or 0, row.stars_before)

    def similar_open(self, brand: str, topics: Sequence[str], *, but: int, limit: int = 5) -> list[Similar]:
        """Open cases of `brand` with one of `topics`, worst first; without case `but`."""
        if not topics:
            return []
        return [
            Similar(row.number, Priority(row.priority), CaseStatus(row.status), row.owner, row.opened_at)
            for row in self._connection.execute(alike(brand, topics, but).limit(limit))
        ]

    def recent_topics(self, limit: int = 1_000) -> list[tuple[str, tuple[str, ...]]]:
        """Brand and topics of the newest cases."""
        newest = select(cases.c.mention_id, cases.c.brand).order_by(cases.c.number.desc()).limit(limit)
        some = newest.subquery()
        found = select(some.c.brand, verdicts.c.topics).join_from(
            some,
            verdicts,
            and_(verdicts.c.mention_id == some.c.mention_id, verdicts.c.brand == some.c.brand),
        )
        return [(brand, tuple(json.loads(topics))) for brand, topics in self._connection.execute(found)]


def earlier(source: str, author: str, brand: str, but: int) -> Select[Any]:
    """The statement behind `earlier_of`; apart, so that its plan can be looked at."""
    m, c = mentions.c, cases.c
    # `author || ''`: where SQLite knows a column's value it puts that in its place everywhere, and then finds no
    # index on an expression of the column any more.
    return (
        select(m.id, m.posted_at, m.stars, c.number, c.status, c.outcome)
        .select_from(mentions.outerjoin(cases, and_(c.mention_id == m.id, c.brand == brand)))
        .where(
            m.source == source,
            literal_column(AUTHOR_KEY.replace("author", "mentions.author")) == author[:KEY_LENGTH],
            literal_column("mentions.author || ''") == author,
            text("mentions.author <> ''"),
            m.id != but,
            m.removed_at.is_(None),
        )
        .order_by(m.posted_at.desc())
    )


def week_of(entity: str, brand: str, now: datetime) -> Select[Any]:
    """The statement behind `place_week`."""
    m, v = mentions.c, verdicts.c
    recent = m.posted_at >= literal(now - WEEK, UtcTime)
    return (
        select(
            func.sum(case((recent, 1), else_=0)).label("here"),
            func.sum(case((and_(recent, v.label == Label.NEGATIVE.value), 1), else_=0)).label("negative"),
            func.avg(case((recent, m.stars))).label("stars"),
            func.sum(case((recent, 0), else_=1)).label("before"),
            func.avg(case((recent, None), else_=m.stars)).label("stars_before"),
        )
        .select_from(mentions.outerjoin(verdicts, and_(v.mention_id == m.id, v.brand == brand)))
        .where(
            literal_column(PLACE_KEY.replace("entity", "mentions.entity")) == entity[:KEY_LENGTH],
            literal_column("mentions.entity || ''") == entity,
            text("mentions.entity <> ''"),
            m.posted_at >= now - 2 * WEEK,
            m.posted_at <= now,
            m.removed_at.is_(None),
        )
    )


def alike(brand: str, topics: Sequence[str], but: int) -> Select[Any]:
    """The statement behind `similar_open`."""
    c = cases.c
    worst = (
        select(c.number, c.priority, c.rank, c.status, c.owner, c.opened_at, c.topics)
        .where(
            c.closed_at.is_(None), func.coalesce(c.brand, "") == brand, c.number != but
        )  # see ix_cases_counted
        .order_by(c.priority.desc(), c.rank.desc(), c.number)
        .limit(LOOKED_AT)
        .subquery("worst")
    )
    w = worst.c
    return (
        select(w.number, w.priority, w.status, w.owner, w.opened_at)
        .where(or_(*(condition for topic in topics[:5] for condition in of_topic(w.topics, topic))))
        .order_by(w.priority.desc(), w.rank.desc(), w.number)
    )
