"""What must be read from the store for a digest, and nothing more? One view of the store, a dozen statements.

A week of a million mentions is answered from an index; words are read for a bounded number of them. Where that
is not all, the same even part is read of every period, so that they can be compared, and the digest says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

from alerts.customers import Customers
from monitor.match import Brand
from monitor.topics import Topic
from monitor.weeks import Period, Span, midnight
from storage.answers import AnsweredReview, WeekCase
from storage.records import CaseEvent, Correction, CrawlRun, Mark, Promise, RunOutcome
from storage.store import Ledger
from storage.tallies import Tally
from storage.weeks import StarStep, WeekDays, WeekRows, WeekText, in_part

USUAL = 4  # earlier periods that make up the usual
NEGATIVES_READ = 300  # texts of one period
OTHERS_READ = 300
RUNS_BEFORE = timedelta(days=2)  # how far back a run is looked for that reaches into the period
RECOVERY_WITHIN = timedelta(days=90)
RECOVERY_READ = 2_000  # answered cases, the latest
# A post may be dated a day after it was seen, and its case be over before its week begins.
DATED_AHEAD = timedelta(days=1)
REOPENED = ("reopened", "reopen")
_REMOVED = int(Mark.REMOVED)  # a flag is slow to look at a hundred thousand times
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
    rows: WeekRows
    last: Earlier


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """All a digest is made of."""

    wanted: Wanted
    as_of: datetime
    week: WeekRows  # oldest first
    places: Mapping[int, str]  # the names of the places in the week, by their numbers
    last: Earlier
    usual: tuple[Earlier, ...]  # the latest first
    negatives: tuple[WeekText, ...]
    others: tuple[WeekText, ...]
    negatives_before: tuple[tuple[WeekText, ...], ...]  # of each usual period
    others_before: tuple[WeekText, ...]
    every_negative: int  # of the negative texts every so-manieth was read, in all periods
    every_other: int
    cases: tuple[WeekCase, ...]  # of the period, and those that its posts, promises, … are about; by number
    promptness: Mapping[
        str, tuple[int, int]
    ]  # of each earlier period: cases answered in time, of so many due
    last_times: tuple[
        timedelta, ...
    ]  # how long the first answers of the last period took, the quickest first
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
    week = _week(ledger, brand, wanted, as_of)
    counted = {
        one.name: _earlier(ledger, brand, one, wanted.negative) for one in dict.fromkeys((last, *usual))
    }
    columns = tuple(zip(week.ids, week.tones, week.marks, strict=True))
    negative = [one for one, tone, marks in columns if tone < 0 and not marks & _REMOVED]
    other = [one for one, tone, marks in columns if tone >= 0 and not marks & _REMOVED]
    seen_in = dict(zip(week.places, week.ids, strict=True))  # of each place one mention, to ask for its name
    seen_in.pop(0, None)
    named = ledger.place_names(seen_in.values())
    most = max(
        len(negative),
        *(sum(one.count for one in counted[p.name].tally if one.tone < 0) for p in usual),
    )
    part = max(1, -(-most // NEGATIVES_READ))
    part_other = max(1, -(-len(other) // OTHERS_READ))
    others = ledger.texts_of(brand, [one for one in other if in_part(one, part_other)])
    others_before = ledger.other_texts(brand, start, wanted.negative, OTHERS_READ)
    events = ledger.week_events(brand, start, as_of, REOPENED)
    promises = ledger.week_promises(brand, start, as_of)
    corrections = ledger.week_corrections(brand, start, as_of)
    steps = ledger.star_steps(brand, as_of - RECOVERY_WITHIN, as_of)
    cases = ledger.week_cases(brand, start - DATED_AHEAD, as_of)
    cases += ledger.cases_among(
        brand,
        oldest,
        as_of,
        numbers=[
            *(one.number for one in events),
            *(one.number for one in promises),
            *(one.number for one in corrections),
        ],
        about=[*(one.id for one in (*others, *others_before)), *(one.mention_id for one in steps)],
    )
    return Rows(
        wanted=wanted,
        as_of=as_of,
        week=week,
        places={place: named[one] for place, one in seen_in.items()},
        last=counted[last.name],
        usual=tuple(counted[one.name] for one in usual),
        negatives=tuple(ledger.texts_of(brand, [one for one in negative if in_part(one, part)])),
        others=tuple(others),
        negatives_before=tuple(
            tuple(ledger.negative_texts(brand, one.start_at, one.end_at, wanted.negative, every=part))
            for one in usual
        ),
        others_before=tuple(others_before),
        every_negative=part,
        every_other=part_other,
        cases=tuple(sorted({one.number: one for one in cases}.values(), key=lambda one: one.number)),
        promptness={
            name: ledger.promptness(brand, one.period.start_at, one.period.end_at, as_of)
            for name, one in counted.items()
        },
        last_times=tuple(ledger.response_times(brand, last.start_at, last.end_at, as_of)),
        events=tuple(events),
        promises=tuple(promises),
        corrections=tuple(corrections),
        steps=tuple(steps),
        answered=tuple(ledger.answered_reviews(brand, as_of - RECOVERY_WITHIN, as_of, RECOVERY_READ)),
        runs=tuple(ledger.week_runs(start - RUNS_BEFORE, as_of)),
        rivals=tuple(
            RivalRows(
                name=one.name,
                rows=_week(ledger, one.name, wanted, as_of),
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


def _days(period: Period, until: datetime | None = None) -> WeekDays:
    """Where its days begin. A review dated "16 Nov" belongs to that day in every zone."""
    days = (*period.days, period.last + timedelta(days=1))
    return WeekDays(
        starts=tuple(midnight(day, period.zone) for day in days),
        coarse=tuple(datetime.combine(day, time(), UTC) for day in days),
        until=until,
    )


def _week(ledger: Ledger, brand: str, wanted: Wanted, as_of: datetime) -> WeekRows:
    """The mentions of the period."""
    end = wanted.period.end_at
    days = _days(wanted.period, None if as_of >= end else as_of)
    return ledger.week_rows(brand, days, end, wanted.negative)


def _earlier(ledger: Ledger, brand: str, period: Period, negative: float) -> Earlier:
    days = _days(period)
    start, end = days.starts[0], days.starts[-1]
    tally = list(ledger.tally(brand, start, end, negative))
    for border, day, sign in ((start, days.coarse[0], 1), (end, days.coarse[-1], -1)):
        if day == border:
            continue
        # Of the coarse dates between the two edges: earlier than the local one, they belong inside the start
        # and outside the end; later than it, the other way round.
        found = ledger.coarse_tallies(brand, min(border, day), max(border, day), negative)
        inside = sign if day < border else -sign
        tally += found if inside > 0 else [_taken_off(one) for one in found]
    known = any(one.count > 0 for one in tally) or ledger.was_reading(start, end)
    return Earlier(period, tuple(tally), known)


def _taken_off(one: Tally) -> Tally:
    return replace(
        one,
        count=-one.count,
        stars_sum=-one.stars_sum,
        stars_squares=-one.stars_squares,
        worded=-one.worded,
        compound_sum=-one.compound_sum,
        compound_squares=-one.compound_squares,
    )
