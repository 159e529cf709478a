"""What must be read from the store for a digest, and nothing more? One view of the store, a dozen statements.

A week of a million mentions is answered from an index; words are read for a bounded number of them. Where that
is not all, the same even part is read of every period, so that they can be compared, and the digest says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from alerts.customers import Customers
from monitor.match import Brand
from monitor.topics import Topic
from monitor.weeks import Period, Span
from storage.records import CaseEvent, Correction, CrawlRun, Promise, RunOutcome
from storage.store import Ledger
from storage.weeks import AnsweredReview, StarStep, Tally, WeekCase, WeekRow, WeekText, in_part, tone_of

USUAL = 4  # earlier periods that make up the usual
NEGATIVES_READ = 300  # texts of one period
OTHERS_READ = 300
RUNS_BEFORE = timedelta(days=2)  # how far back a run is looked for that reaches into the period
RECOVERY_WITHIN = timedelta(days=90)
RECOVERY_READ = 2_000  # answered cases, the latest
REOPENED = ("reopened", "reopen")
WORKED = (RunOutcome.OK, RunOutcome.EMPTY, RunOutcome.PARTIAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whose digest, of when, and what of the configuration bears on it."""

    brand: Brand
    period: Period
    brands: tuple[Brand, ...]  # all that are listened for: a rival among them is counted by its own mentions
    titles: Mapping[str, str]  # source → how people call it
    every: Mapping[str, timedelta]  # source → how often it should be read
    negative: float = -0.05  # compound at or below which words are negative
    goal: int = 90  # percent of cases that should be answered in time
    topics: tuple[Topic, ...] = ()
    customers: Customers | None = None  # the imported table; None where there is none


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier period, counted. `known`: something was found in it, or at least a source was read."""

    period: Period
    tally: tuple[Tally, ...]
    known: bool

    @property
    def count(self) -> int:
        """All its mentions."""
        return sum(one.count for one in self.tally)


@dataclass(frozen=True, slots=True, kw_only=True)
class RivalRows:
    """What is known of a rival that is listened for."""

    name: str
    rows: tuple[WeekRow, ...]
    last: Earlier


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """All a digest is made of."""

    wanted: Wanted
    as_of: datetime
    week: tuple[WeekRow, ...]
    last: Earlier
    usual: tuple[Earlier, ...]  # the latest first
    negatives: tuple[WeekText, ...]
    others: tuple[WeekText, ...]
    negatives_before: tuple[tuple[WeekText, ...], ...]  # of each usual period
    others_before: tuple[WeekText, ...]
    every_negative: int  # of the negative texts every so-manieth was read, in all periods
    every_other: int
    cases: tuple[WeekCase, ...]
    events: tuple[CaseEvent, ...]
    promises: tuple[Promise, ...]
    corrections: tuple[Correction, ...]
    steps: tuple[StarStep, ...]
    answered: tuple[AnsweredReview, ...]
    runs: tuple[CrawlRun, ...]
    rivals: tuple[RivalRows, ...]
    names: Mapping[str, str]


def gather(ledger: Ledger, wanted: Wanted, now: datetime) -> Rows:
    """Read what `digest_of` needs. `now` tells how much of the period has passed."""
    brand, period = wanted.brand.name, wanted.period
    start, as_of = period.start_at, min(now, period.end_at)
    last, usual = earlier_periods(period)
    oldest = min(last.start_at, *(one.start_at for one in usual))
    week = _week(ledger, brand, period, as_of)
    counted = {
        one.name: _earlier(ledger, brand, one, wanted.negative) for one in dict.fromkeys((last, *usual))
    }
    negative = [row.id for row in week if not row.removed and _tone(row, wanted) < 0]
    other = [row.id for row in week if not row.removed and _tone(row, wanted) >= 0]
    most = max(
        len(negative),
        *(sum(one.count for one in counted[p.name].tally if one.tone < 0) for p in usual),
    )
    part = max(1, -(-most // NEGATIVES_READ))
    part_other = max(1, -(-len(other) // OTHERS_READ))
    return Rows(
        wanted=wanted,
        as_of=as_of,
        week=tuple(week),
        last=counted[last.name],
        usual=tuple(counted[one.name] for one in usual),
        negatives=tuple(ledger.texts_of(brand, [one for one in negative if in_part(one, part)])),
        others=tuple(ledger.texts_of(brand, [one for one in other if in_part(one, part_other)])),
        negatives_before=tuple(
            tuple(ledger.negative_texts(brand, one.start_at, one.end_at, wanted.negative, every=part))
            for one in usual
        ),
        others_before=tuple(ledger.other_texts(brand, start, wanted.negative, OTHERS_READ)),
        every_negative=part,
        every_other=part_other,
        cases=tuple(ledger.week_cases(brand, oldest, as_of)),
        events=tuple(ledger.week_events(brand, start, as_of, REOPENED)),
        promises=tuple(ledger.week_promises(brand, start, as_of)),
        corrections=tuple(ledger.week_corrections(brand, start, as_of)),
        steps=tuple(ledger.star_steps(brand, as_of - RECOVERY_WITHIN, as_of)),
        answered=tuple(ledger.answered_reviews(brand, as_of - RECOVERY_WITHIN, as_of, RECOVERY_READ)),
        runs=tuple(ledger.week_runs(start - RUNS_BEFORE, as_of)),
        rivals=tuple(
            RivalRows(
                name=one.name,
                rows=tuple(_week(ledger, one.name, period, as_of)),
                last=_earlier(ledger, one.name, last, wanted.negative),
            )
            for one in rivals_listened_for(wanted)
        ),
        names=ledger.topic_names(brand),
    )


def earlier_periods(period: Period) -> tuple[Period, tuple[Period, ...]]:
    """The period before, and the four that make up the usual: for a day the same weekday of four weeks."""
    if period.span is Span.DAY:
        return period.before(), tuple(period.before(7 * steps) for steps in range(1, USUAL + 1))
    usual = tuple(period.before(steps) for steps in range(1, USUAL + 1))
    return usual[0], usual


def rivals_listened_for(wanted: Wanted) -> list[Brand]:
    """The rivals that are brands themselves."""
    names = {rival.casefold() for rival in wanted.brand.rivals}
    return [one for one in wanted.brands if one.name.casefold() in names and one.name != wanted.brand.name]


def _tone(row: WeekRow, wanted: Wanted) -> int:
    return tone_of(row.stars, row.compound, wanted.negative)


def _border(day_start: datetime, period: Period, *, after: bool) -> tuple[datetime, datetime]:
    """Where an edge of the period lies for instants, and for days without a time."""
    day = period.last + timedelta(days=1) if after else period.first
    return day_start, datetime.combine(day, time(), UTC)


def _week(ledger: Ledger, brand: str, period: Period, as_of: datetime) -> list[WeekRow]:
    """The mentions of a period. A review dated "16 Nov" belongs to that day in every zone."""
    start, first = _border(period.start_at, period, after=False)
    end, last = _border(period.end_at, period, after=True)
    # The days just outside are read too: a coarse date stands at midnight UTC, on either side of the local one.
    lowest = min(start, first)
    rows = ledger.week_rows(brand, start, min(end, as_of)) if as_of > start else []
    if first < start:
        rows = [*ledger.coarse_rows(brand, lowest, start), *rows]
    if last > end and as_of >= end:
        rows += ledger.coarse_rows(brand, end, last)
    return [row for row in rows if not row.coarse or period.holds(row.posted_at, coarse=True)]


def _earlier(ledger: Ledger, brand: str, period: Period, negative: float) -> Earlier:
    start, first = _border(period.start_at, period, after=False)
    end, last = _border(period.end_at, period, after=True)
    tally = list(ledger.tally(brand, start, end, negative))
    for border, day, sign in ((start, first, 1), (end, last, -1)):
        if day == border:
            continue
        # Of the coarse dates between the two edges: earlier than the local one, they belong inside the start
        # and outside the end; later than it, the other way round.
        inside = sign if day < border else -sign
        tally += [
            _single(row, negative, inside)
            for row in ledger.coarse_rows(brand, min(border, day), max(border, day))
        ]
    known = any(one.count > 0 for one in tally) or ledger.was_reading(start, end)
    return Earlier(period, tuple(tally), known)


def _single(row: WeekRow, negative: float, sign: int) -> Tally:
    stars = row.stars or 0.0
    rounded = 0 if row.stars is None else min(5, max(1, int(row.stars + 0.5)))
    return Tally(
        row.source,
        rounded,
        tone_of(row.stars, row.compound, negative),
        sign,
        sign * stars,
        sign * stars * stars,
        sign * (row.compound != 0),
        sign * row.compound,
        sign * row.compound * row.compound,
    )
