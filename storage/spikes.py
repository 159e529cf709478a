"""What bad was said in these spans of time, and which spikes go on?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, func, or_, select, update

from storage.records import DatePrecision, Label, clean_line
from storage.tables import crawl_runs, deliveries, inserting, mentions, spikes, verdicts

WORDS_READ = 600  # characters of one text
MOST = 3_000  # posts of one span; a flood of more is a flood whatever was usual
NEGATIVE_BELOW = 2.5  # stars
TODAY = timedelta(hours=36)  # a date without a time that lies no further back may be of this very day


@dataclass(frozen=True, slots=True)
class BadPost:
    """A negative post, with what tells where and about what."""

    id: int
    at: datetime  # when it was written; where its site gives a day only, when it was seen
    source: str
    place: str
    topics: tuple[str, ...]
    title: str
    text: str  # its beginning
    spans: str  # JSON list of [start, end, text, weight]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeCard:
    """A spike that is told of, and its card."""

    id: int
    brand: str
    kind: str
    subject: str
    started_at: datetime
    last_at: datetime
    ended_at: datetime | None
    found: Mapping[str, Any]
    card: str
    drawn_at: datetime


class SpikeLedger:
    """Statements of the table `spikes`, and of what they are counted from."""

    _connection: Connection

    def bad_posts_in(self, brand: str, start: datetime, end: datetime) -> list[BadPost]:
        """The negative posts of `brand` written from `start` to before `end`, newest first. None removed."""
        v, m = verdicts.c, mentions.c
        exact = m.date_precision == DatePrecision.SECOND.value
        # A day without a time: what was seen at once counts as written then, older things were never of this hour.
        seen = and_(~exact, m.first_seen_at >= start, m.first_seen_at < end)
        found = (
            select(
                m.id, m.posted_at, m.first_seen_at, m.date_precision, m.source, m.entity, v.topics, v.spans,
                func.substr(m.title, 1, WORDS_READ).label("title"),
                func.substr(m.text, 1, WORDS_READ).label("text"),
            )
            .select_from(verdicts.join(mentions, m.id == v.mention_id))
            .where(
                v.brand == brand,
                v.posted_at >= start - TODAY,
                v.posted_at < end,
                or_(and_(exact, m.posted_at >= start), seen),
                _bad(),
                m.removed_at.is_(None),
            )
            .order_by(v.posted_at.desc(), m.id.desc())
            .limit(MOST)
        )  # fmt: skip
        return [
            BadPost(
                row["id"],
                row["posted_at"]
                if row["date_precision"] == DatePrecision.SECOND.value
                else row["first_seen_at"],
                row["source"],
                row["entity"],
                tuple(json.loads(row["topics"])),
                row["title"],
                row["text"],
                row["spans"],
            )
            for row in self._connection.execute(found).mappings()
        ]

    def bad_count(self, brand: str, start: datetime, end: datetime) -> int:
        """How many negative posts of `brand` there may be in this span; from one index."""
        v = verdicts.c
        counted = select(func.count()).where(
            v.brand == brand, v.posted_at >= start, v.posted_at < end, _bad()
        )
        return self._connection.scalar(counted) or 0

    def topic_heard(self, brand: str, topic: str, before: datetime) -> bool:
        """True when a negative post of `brand` was about `topic` before."""
        v = verdicts.c
        asked = select(v.mention_id).where(
            v.brand == brand,
            v.posted_at < before,
            v.topics.contains(json.dumps(topic), autoescape=True),
            _bad(),
        )
        return self._connection.scalar(asked.limit(1)) is not None

    def first_runs(self) -> dict[str, datetime]:
        """When each source was first crawled: what it says of the time before is what it happened to show then."""
        r = crawl_runs.c
        found = select(r.source, func.min(r.started_at, type_=r.started_at.type)).group_by(r.source)
        return {row[0]: row[1] for row in self._connection.execute(found)}

    def spikes_going_on(self) -> list[SpikeCard]:
        """The spikes that are told of and not over, oldest first."""
        wanted = select(spikes).where(spikes.c.ended_at.is_(None)).order_by(spikes.c.id)
        return [_spike(row) for row in self._connection.execute(wanted).mappings()]

    def open_spike(self, spike: SpikeCard) -> bool:
        """Tell of a spike; False where the same one is told of already."""
        row = {name: value for name, value in _row(spike).items() if name != "id"}
        done = self._connection.execute(
            inserting(self._connection, spikes)
            .values(row)
            .on_conflict_do_nothing(
                index_elements=["brand", "kind", "subject"], index_where=spikes.c.ended_at.is_(None)
            )
            .returning(spikes.c.id)
        )
        return done.scalar_one_or_none() is not None

    def save_spike(self, spike: SpikeCard) -> bool:
        """Write what became of a spike; False when it is over already."""
        s = spikes.c
        done = self._connection.execute(
            update(spikes).where(s.id == spike.id, s.ended_at.is_(None)).values(_row(spike))
        )
        return done.rowcount == 1

    def set_body(self, outbox_id: str, body: str, now: datetime) -> bool:
        """A message that is drawn from its body shall say this; False where it never will."""
        d = deliveries.c
        self._connection.execute(update(deliveries).where(d.id == outbox_id).values(body=body))
        return bool(self.redraw(outbox_id, now))  # type: ignore[attr-defined]


def _bad() -> ColumnElement[bool]:
    v = verdicts.c
    return or_(v.label == Label.NEGATIVE.value, v.stars < NEGATIVE_BELOW)


def _row(spike: SpikeCard) -> dict[str, Any]:
    return {
        "id": spike.id,
        "brand": spike.brand,
        "kind": spike.kind,
        "subject": clean_line(spike.subject, 255),
        "started_at": spike.started_at,
        "last_at": spike.last_at,
        "ended_at": spike.ended_at,
        "found": json.dumps(dict(spike.found), ensure_ascii=False),
        "card": spike.card,
        "drawn_at": spike.drawn_at,
    }


def _spike(row: RowMapping) -> SpikeCard:
    return SpikeCard(**{**row, "found": json.loads(row["found"])})
