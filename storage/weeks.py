"""What does a brand's week consist of? The statements behind the digest.

Numbers are counted from `ix_verdicts_week` alone; texts are touched only where words are needed. Nothing here
knows about weeks or time zones: every method takes instants (`WeekDays`: of several days), `start` inclusive and
`end` exclusive.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, exists, func, select

from storage.answers import AnswerLedger
from storage.kept_days import KeptDayLedger
from storage.records import CaseEvent, Correction, CrawlRun, Mark, Promise, RunOutcome
from storage.tables import (
    case_events,
    cases,
    corrections,
    crawl_runs,
    cursors,
    mentions,
    promises,
    revisions,
    verdicts,
)
from storage.tallies import TallyLedger, is_coarse, is_negative, tone_in, within

CHUNK = 500
TEXT_READ = 4_000  # characters of one text that are read for topics and quotes


@dataclass(frozen=True, slots=True)
class WeekRows:
    """Mentions of a brand, without their words, in columns: a large brand's week has a hundred thousand of them.

    What stands at one place of each column is one mention.
    """

    ids: Sequence[int] = ()
    days: Sequence[int] = ()  # which day of the period, 0 the first
    sources: Sequence[str] = ()
    stars: Sequence[float | None] = ()
    tones: Sequence[int] = ()  # as of `tone_of`
    compounds: Sequence[float] = ()
    ranks: Sequence[float] = ()
    places: Sequence[int] = ()  # see `place_number`; its name is one of `place_names`
    marks: Sequence[int] = ()  # of `Mark`

    def __len__(self) -> int:
        return len(self.ids)

    def at(self, places: Sequence[int]) -> WeekRows:
        """The mentions at these places, in this order."""
        columns = (getattr(self, one.name) for one in fields(self))
        return WeekRows(*(tuple(map(column.__getitem__, places)) for column in columns))

    def worst_first(self) -> WeekRows:
        """The same in the order of their ranks; of two alike the older id first."""
        order = sorted(range(len(self)), key=self.ids.__getitem__)
        order.sort(key=self.ranks.__getitem__, reverse=True)  # stable, backwards too
        return self.at(order)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekDays:
    """The days mentions are counted in: the first instant of each, and that of the day after the last."""

    starts: Sequence[datetime]
    coarse: Sequence[datetime]  # the same for days without a time, which begin at midnight in every zone: UTC
    until: datetime | None = None  # no mention from then on

    @property
    def stretch(self) -> tuple[datetime, datetime]:
        """In which instants all of them lie, and others too."""
        end = max(self.starts[-1], self.coarse[-1])
        return min(self.starts[0], self.coarse[0]), end if self.until is None else min(end, self.until)


@dataclass(frozen=True, slots=True)
class WeekPost:
    """A mention with the words a digest may show."""

    id: int
    source: str
    url: str
    title: str
    text: str
    author: str
    entity: str
    stars: float | None
    language: str
    posted_at: datetime
    owner_reply: str
    owner_replied_at: datetime | None
    removed: bool


@dataclass(frozen=True, slots=True)
class WeekText:
    """What a mention says and which words carried its feeling."""

    id: int
    posted_at: datetime
    title: str
    text: str
    spans: str  # JSON list of [start, end, text, weight]
    compound: float
    stars: float | None
    priority: int
    rank: float


@dataclass(frozen=True, slots=True)
class StarStep:
    """The stars of one version of a mention, and when the next one replaced it (None: they are its stars now)."""

    mention_id: int
    stars: float | None
    replaced_at: datetime | None


def in_part(identity: Any, every: int) -> Any:
    """Whether a mention is in the part that is read, one of `every`; of a number or of a column.

    Its id is scattered first (Lehmer's generator, its upper bits): ids that go up in step with
    something, such as every eighth being negative, must not make the part crooked. The same mention is always
    in the same part.

    >>> sum(in_part(identity, 4) for identity in range(8, 80_000, 8)) // 100
    24
    """
    return identity * 48_271 % 2_147_483_647 // 65_536 % every == 0


def week_rows(brand: str, days: WeekDays, negative: float) -> Select[Any]:
    """The statement behind `week_rows`; apart, so that its plan can be looked at."""
    v = verdicts.c
    day = case((is_coarse(), _day_in(days.coarse)), else_=_day_in(days.starts))
    columns = (v.mention_id, day, v.source, v.stars, tone_in(negative), v.compound, v.rank, v.place, v.marks)
    return select(*columns).where(*within(brand, *days.stretch)).order_by(v.posted_at, v.mention_id)


def late_count(brand: str, days: WeekDays, late_from: datetime) -> Select[Any]:
    """The statement behind `late_count`; apart, so that its plan can be looked at."""
    v = verdicts.c
    return select(func.count()).where(
        *within(brand, *days.stretch), v.first_seen_at >= late_from, _inside(days)
    )


def negative_ids(brand: str, days: WeekDays, negative: float, every: int) -> Select[Any]:
    """The statement behind `negative_ids`; apart, so that its plan can be looked at."""
    v = verdicts.c
    kept = v.marks.bitwise_and(int(Mark.REMOVED)) == 0
    wanted = (in_part(v.mention_id, every), is_negative(negative), kept, _inside(days))
    found = select(v.mention_id).where(*within(brand, *days.stretch), *wanted)
    return found.order_by(v.posted_at, v.mention_id)


def _inside(days: WeekDays) -> ColumnElement[bool]:
    """Whether it lies in the days; of what has no time, whether its day is one of them."""
    at = verdicts.c.posted_at
    return case(
        (is_coarse(), and_(at >= days.coarse[0], at < days.coarse[-1])),
        else_=and_(at >= days.starts[0], at < days.starts[-1]),
    )


def part_of(ids: Iterable[int], every: int) -> list[int]:
    """Those of them that are `in_part`.

    >>> ids = range(1, 2_000)
    >>> part_of(ids, 3) == [one for one in ids if in_part(one, 3)]
    True
    """
    return [one for one in ids if one * 48_271 % 2_147_483_647 // 65_536 % every == 0]


class WeekLedger(TallyLedger, AnswerLedger, KeptDayLedger):
    """Statements that read a stretch of time, of every table; none of them writes."""

    _connection: Connection

    def week_rows(self, brand: str, days: WeekDays, negative: float) -> WeekRows:
        """The mentions of `brand` of these days, oldest first."""
        found = self._connection.execute(week_rows(brand, days, negative)).all()
        rows = WeekRows(*zip(*found, strict=True))
        last = len(days.starts) - 1
        if rows and not 0 <= min(rows.days) <= max(rows.days) < last:
            return rows.at([at for at, day in enumerate(rows.days) if 0 <= day < last])
        return rows

    def late_count(self, brand: str, days: WeekDays, late_from: datetime) -> int:
        """How many mentions of `brand` of these days were found only at `late_from` or after."""
        return self._connection.scalar(late_count(brand, days, late_from)) or 0

    def place_names(self, ids: Iterable[int]) -> dict[int, str]:
        """The place or product each of these mentions is about, by the mention's id."""
        c = mentions.c
        return {
            row[0]: row[1]
            for some in _chunks(sorted(set(ids)))
            for row in self._connection.execute(select(c.id, c.entity).where(c.id.in_(some)))
        }

    def week_posts(self, ids: Iterable[int]) -> dict[int, WeekPost]:
        """The words of these mentions, long ones cut. A removed one has none."""
        c = mentions.c
        wanted: Select[Any] = select(
            c.id,
            c.source,
            c.url,
            c.title,
            func.substr(c.text, 1, TEXT_READ),
            c.author,
            c.entity,
            c.stars,
            c.language,
            c.posted_at,
            func.substr(c.owner_reply, 1, 1),
            c.owner_replied_at,
            c.removed_at.is_not(None),
        )
        return {
            row[0]: WeekPost(*row)
            for some in _chunks(sorted(set(ids)))
            for row in self._connection.execute(wanted.where(c.id.in_(some)))
        }

    def texts_of(self, brand: str, ids: Iterable[int]) -> list[WeekText]:
        """What these mentions of `brand` say, in the order of their ids; removed ones left out."""
        return [
            WeekText(*row)
            for some in _chunks(sorted(set(ids)))
            for row in self._connection.execute(
                _TEXTS.where(verdicts.c.brand == brand, verdicts.c.mention_id.in_(some)).order_by(
                    mentions.c.id
                )
            )
        ]

    def negative_ids(self, brand: str, days: WeekDays, negative: float, *, every: int = 1) -> list[int]:
        """Which mentions of `brand` of these days are negative and not removed, oldest first.

        With `every` 3, an even third of them.
        """
        return list(self._connection.scalars(negative_ids(brand, days, negative, every)))

    def other_texts(self, brand: str, before: datetime, negative: float, limit: int) -> list[WeekText]:
        """What the newest mentions of `brand` before that moment say that are not negative."""
        wanted = _TEXTS.where(
            verdicts.c.brand == brand, verdicts.c.posted_at < before, ~is_negative(negative)
        )
        return [
            WeekText(*row)
            for row in self._connection.execute(wanted.order_by(verdicts.c.posted_at.desc()).limit(limit))
        ]

    def week_events(
        self, brand: str, start: datetime, end: datetime, actions: Sequence[str]
    ) -> list[CaseEvent]:
        """What happened to cases of `brand`, of these actions, oldest first."""
        e = case_events.c
        found = (
            select(e.number, e.at, e.actor, e.action, e.detail)
            .join(cases, cases.c.number == e.number)
            .where(cases.c.brand == brand, e.at >= start, e.at < end, e.action.in_(actions))
            .order_by(e.at, e.id)
        )
        return [CaseEvent(*row) for row in self._connection.execute(found)]

    def week_promises(self, brand: str, start: datetime, end: datetime) -> list[Promise]:
        """What was promised to customers of `brand` and came due, by when it was."""
        p = promises.c
        found = (
            select(p.number, p.text, p.due_by, p.owner, p.kept_at, p.id)
            .join(cases, cases.c.number == p.number)
            .where(cases.c.brand == brand, p.due_by >= start, p.due_by < end)
            .order_by(p.due_by, p.id)
        )
        return [Promise(*row) for row in self._connection.execute(found)]

    def week_corrections(self, brand: str, start: datetime, end: datetime) -> list[Correction]:
        """What people said was wrong about verdicts on `brand`, oldest first."""
        c = corrections.c
        found = (
            select(c.number, c.at, c.actor, c.wrong)
            .join(cases, cases.c.number == c.number)
            .where(cases.c.brand == brand, c.at >= start, c.at < end)
            .order_by(c.at, c.id)
        )
        return [Correction(*row) for row in self._connection.execute(found)]

    def star_steps(self, brand: str, start: datetime, end: datetime) -> list[StarStep]:
        """Every version of the mentions of `brand` that were edited then, oldest first; the last is today's."""
        r, m = revisions.c, mentions.c
        # Edits are few and a brand's mentions many: the verdict is asked for each edit, not the other way round.
        judged = exists().where(verdicts.c.mention_id == r.mention_id, verdicts.c.brand == brand)
        edited = select(r.mention_id).where(r.replaced_at >= start, r.replaced_at < end, judged)
        before = select(r.mention_id, r.stars, r.replaced_at).where(r.mention_id.in_(edited))
        steps = [StarStep(*row) for row in self._connection.execute(before.order_by(r.mention_id, r.id))]
        now = select(m.id, m.stars).where(m.id.in_(edited), m.removed_at.is_(None))
        steps += [StarStep(row[0], row[1], None) for row in self._connection.execute(now)]
        return sorted(steps, key=lambda step: step.mention_id)  # stable: today's stars stay last

    def week_runs(self, start: datetime, end: datetime) -> list[CrawlRun]:
        """Every crawl that began then, of any source, oldest first."""
        c = crawl_runs.c
        found = select(crawl_runs).where(c.started_at >= start, c.started_at < end)
        return [
            CrawlRun(**{**row, "outcome": RunOutcome(row["outcome"])})
            for row in self._connection.execute(found.order_by(c.started_at, c.id)).mappings()
        ]

    def was_reading(self, start: datetime, end: datetime) -> bool:
        """True when a crawl that worked began then: what was not found was not there to be found."""
        c = crawl_runs.c
        worked = select(c.id).where(
            c.started_at >= start,
            c.started_at < end,
            c.ended_at.is_not(None),
            c.outcome.in_((RunOutcome.OK.value, RunOutcome.EMPTY.value, RunOutcome.PARTIAL.value)),
        )
        return self._connection.scalar(worked.limit(1)) is not None

    def topic_names(self, brand: str) -> dict[str, str]:
        """The names given to discovered topics of `brand` so far, by key; written with `set_cursor`."""
        c = cursors.c
        found = select(c.name, c.value).where(c.source == topic_shelf(brand))
        return {row[0]: row[1] for row in self._connection.execute(found)}


def topic_shelf(brand: str) -> str:
    """Under which name of `cursors` a brand's topic names are kept."""
    return f"topics:{brand}"


_TEXTS: Select[Any] = (
    select(
        mentions.c.id,
        verdicts.c.posted_at,
        mentions.c.title,
        func.substr(mentions.c.text, 1, TEXT_READ),
        verdicts.c.spans,
        verdicts.c.compound,
        verdicts.c.stars,
        verdicts.c.priority,
        verdicts.c.rank,
    )
    .join(mentions, mentions.c.id == verdicts.c.mention_id)
    .where(mentions.c.removed_at.is_(None))
)


def _day_in(starts: Sequence[datetime]) -> ColumnElement[int]:
    """Between which two of these instants it was posted; -1 before them all."""
    at = verdicts.c.posted_at
    return case(*((at < start, number - 1) for number, start in enumerate(starts)), else_=len(starts) - 1)


def _chunks(values: Sequence[int]) -> Iterable[Sequence[int]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
