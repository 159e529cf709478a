"""What does a brand's week consist of? The statements behind the digest.

Numbers are counted from `ix_verdicts_week` alone; texts are touched only where words are needed. Nothing here
knows about weeks or time zones: every method takes instants, `start` inclusive and `end` exclusive.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, case, exists, func, or_, select

from storage.records import (
    CaseEvent,
    CaseStatus,
    Correction,
    CrawlRun,
    DatePrecision,
    Promise,
    RunOutcome,
    case_name,
)
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

CHUNK = 500
TEXT_READ = 4_000  # characters of one text that are read for topics and quotes
# Two and a half stars are three when rounded: a negative review has one or two, a positive one four or five.
NEGATIVE_BELOW = 2.5
POSITIVE_FROM = 3.5
# Dates without a time: the day counts, not the instant, see `coarse_rows`.
_COARSE = (DatePrecision.DAY.value, DatePrecision.MONTH.value, DatePrecision.YEAR.value)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many mentions of one source, one number of stars and one tone; sums for averages."""

    source: str
    stars: int  # rounded, 1…5; 0 without stars
    tone: int  # −1 negative, 0 neither, 1 positive
    count: int
    stars_sum: float
    stars_squares: float
    worded: int  # of those, how many whose words show a feeling (compound is not 0)
    compound_sum: float
    compound_squares: float


class WeekRow(NamedTuple):
    """One mention of a brand, without its words. A tuple, for a large brand's week has a hundred thousand."""

    id: int
    source: str
    stars: float | None
    compound: float
    label: str
    priority: int
    rank: float
    posted_at: datetime
    topics: str  # JSON list
    entity: str
    first_seen_at: datetime
    coarse: bool  # its source gave a day, no time
    removed: bool


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


@dataclass(frozen=True, slots=True)
class WeekCase:
    """Of a case what a digest counts: thousands are read for a large brand."""

    number: int
    mention_id: int
    status: str  # a `CaseStatus`
    priority: int
    rank: float
    owner: str
    opened_at: datetime
    respond_by: datetime | None
    first_response_at: datetime | None
    closed_at: datetime | None

    @property
    def name(self) -> str:
        """What people call it."""
        return case_name(self.number)

    @property
    def closed(self) -> bool:
        """True when nobody has to do anything any more."""
        return CaseStatus(self.status).closed


@dataclass(frozen=True, slots=True)
class AnsweredReview:
    """A case about a mention with stars, and when it was answered."""

    number: int
    mention_id: int
    opened_at: datetime
    first_response_at: datetime
    stars: float | None  # today's


@dataclass(frozen=True, slots=True)
class StarStep:
    """The stars of one version of a mention, and when the next one replaced it (None: they are its stars now)."""

    mention_id: int
    stars: float | None
    replaced_at: datetime | None


def tone_of(stars: float | None, compound: float, negative: float) -> int:
    """−1 negative, 0 neither, 1 positive: stars decide, words only where there are none.

    >>> tone_of(2.0, 0.9, -0.05), tone_of(None, -0.05, -0.05), tone_of(3.0, -0.9, -0.05), tone_of(None, 0.05, -0.05)
    (-1, -1, 0, 1)
    """
    if stars is not None:
        return -1 if stars < NEGATIVE_BELOW else 1 if stars >= POSITIVE_FROM else 0
    return -1 if compound <= negative else 1 if compound >= 0.05 else 0


def in_part(identity: Any, every: int) -> Any:
    """Whether a mention is in the part that is read, one of `every`; of a number or of a column.

    Its id is scattered first (Lehmer's generator, its upper bits): ids that go up in step with
    something, such as every eighth being negative, must not make the part crooked. The same mention is always
    in the same part.

    >>> sum(in_part(identity, 4) for identity in range(8, 80_000, 8)) // 100
    24
    """
    return identity * 48_271 % 2_147_483_647 // 65_536 % every == 0


def week_tally(brand: str, start: datetime, end: datetime, negative: float) -> Select[Any]:
    """The statement behind `tally`; apart, so that its plan can be looked at."""
    v = verdicts.c
    stars = case(
        (v.stars.is_(None), 0),
        (v.stars < 1.5, 1),
        (v.stars < NEGATIVE_BELOW, 2),
        (v.stars < POSITIVE_FROM, 3),
        (v.stars < 4.5, 4),
        else_=5,
    ).label("rounded")
    tone = case((_negative(negative), -1), (_positive(), 1), else_=0).label("tone")
    return (
        select(
            v.source,
            stars,
            tone,
            func.count(),
            func.coalesce(func.sum(v.stars), 0.0),
            func.coalesce(func.sum(v.stars * v.stars), 0.0),
            func.sum(case((v.compound != 0, 1), else_=0)),
            func.sum(v.compound),
            func.sum(v.compound * v.compound),
        )
        .where(*_within(brand, start, end))
        .group_by(v.source, stars, tone)
    )


class WeekLedger:
    """Statements that read a stretch of time, of every table; none of them writes."""

    _connection: Connection

    def tally(self, brand: str, start: datetime, end: datetime, negative: float) -> list[Tally]:
        """The mentions of `brand` counted by source, stars and tone; `negative` as in `Thresholds`."""
        return [
            Tally(row[0], row[1], row[2], row[3], row[4], row[5], int(row[6]), row[7], row[8])
            for row in self._connection.execute(week_tally(brand, start, end, negative))
        ]

    def week_rows(self, brand: str, start: datetime, end: datetime) -> list[WeekRow]:
        """Every mention of `brand`, oldest first."""
        return self._week_rows(_WEEK_ROWS.where(*_within(brand, start, end)))

    def coarse_rows(self, brand: str, start: datetime, end: datetime) -> list[WeekRow]:
        """The mentions of `brand` whose source gave a day and no time: a day has no hour to be moved by a zone."""
        return self._week_rows(
            _WEEK_ROWS.where(*_within(brand, start, end), mentions.c.date_precision.in_(_COARSE))
        )

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

    def negative_texts(
        self, brand: str, start: datetime, end: datetime, negative: float, *, every: int = 1
    ) -> list[WeekText]:
        """What the negative mentions of `brand` say; with `every` 3, an even third of them."""
        wanted = _TEXTS.where(
            *_within(brand, start, end), _negative(negative), in_part(verdicts.c.mention_id, every)
        )
        return [WeekText(*row) for row in self._connection.execute(wanted.order_by(verdicts.c.posted_at))]

    def other_texts(self, brand: str, before: datetime, negative: float, limit: int) -> list[WeekText]:
        """What the newest mentions of `brand` before that moment say that are not negative."""
        wanted = _TEXTS.where(verdicts.c.brand == brand, verdicts.c.posted_at < before, ~_negative(negative))
        return [
            WeekText(*row)
            for row in self._connection.execute(wanted.order_by(verdicts.c.posted_at.desc()).limit(limit))
        ]

    def week_cases(self, brand: str, start: datetime, end: datetime) -> list[WeekCase]:
        """The cases of `brand` in which something was open, due, answered or closed, by number."""
        c = cases.c
        found: Select[Any] = select(
            c.number,
            c.mention_id,
            c.status,
            c.priority,
            c.rank,
            c.owner,
            c.opened_at,
            c.respond_by,
            c.first_response_at,
            c.closed_at,
        ).where(
            c.brand == brand,
            c.opened_at < end,
            or_(
                c.closed_at.is_(None),
                c.closed_at >= start,
                c.respond_by >= start,
                c.first_response_at >= start,
            ),
        )
        return [WeekCase(*row) for row in self._connection.execute(found.order_by(c.number))]

    def answered_reviews(
        self, brand: str, start: datetime, end: datetime, limit: int
    ) -> list[AnsweredReview]:
        """The cases of `brand` opened then and answered, whose mention has stars, by number.

        Looked for among the latest `limit` answered ones.
        """
        c, v = cases.c, verdicts.c
        # A subquery, no join: SQLite would start from all verdicts of the brand.
        stars = (
            select(v.stars)
            .where(v.mention_id == c.mention_id, v.brand == c.brand)
            .correlate(cases)
            .scalar_subquery()
        )
        found = (
            select(c.number, c.mention_id, c.opened_at, c.first_response_at, stars)
            .where(
                c.brand == brand, c.opened_at >= start, c.opened_at < end, c.first_response_at.is_not(None)
            )
            .order_by(c.number.desc())
            .limit(limit)
        )
        latest = [AnsweredReview(*row) for row in self._connection.execute(found)]
        return [one for one in reversed(latest) if one.stars is not None]

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

    def _week_rows(self, statement: Select[Any]) -> list[WeekRow]:
        return [
            WeekRow._make(row)
            for row in self._connection.execute(
                statement.order_by(verdicts.c.posted_at, verdicts.c.mention_id)
            )
        ]


def topic_shelf(brand: str) -> str:
    """Under which name of `cursors` a brand's topic names are kept."""
    return f"topics:{brand}"


_WEEK_ROWS: Select[Any] = select(
    verdicts.c.mention_id,
    verdicts.c.source,
    verdicts.c.stars,
    verdicts.c.compound,
    verdicts.c.label,
    verdicts.c.priority,
    verdicts.c.rank,
    verdicts.c.posted_at,
    verdicts.c.topics,
    mentions.c.entity,
    mentions.c.first_seen_at,
    mentions.c.date_precision.in_(_COARSE),
    mentions.c.removed_at.is_not(None),
).join(mentions, mentions.c.id == verdicts.c.mention_id)

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
    )
    .join(mentions, mentions.c.id == verdicts.c.mention_id)
    .where(mentions.c.removed_at.is_(None))
)


def _within(brand: str, start: datetime, end: datetime) -> tuple[ColumnElement[bool], ...]:
    v = verdicts.c
    return (v.brand == brand, v.posted_at >= start, v.posted_at < end)


def _negative(threshold: float) -> ColumnElement[bool]:
    v = verdicts.c
    # Said in full, so that it is true or false and never NULL: its opposite is asked for too.
    return or_(
        and_(v.stars.is_not(None), v.stars < NEGATIVE_BELOW),
        and_(v.stars.is_(None), v.compound <= threshold),
    )


def _positive() -> ColumnElement[bool]:
    v = verdicts.c
    return or_(v.stars >= POSITIVE_FROM, and_(v.stars.is_(None), v.compound >= 0.05))


def _chunks(values: Sequence[int]) -> Iterable[Sequence[int]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
