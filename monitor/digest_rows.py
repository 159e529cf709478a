"""What must be read from the store for a digest, and nothing more? One view of the store, a dozen statements.

A week of a million mentions is put together from its days (`monitor.day_counts`); words are read for a bounded
number of them. Where that
is not all, the same even part is read of every period, so that they can be compared, and the digest says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.customers import Customers
from monitor.day_counts import Over, day_facts, days_of, numbers_of
from monitor.digest_days import Facts, together
from monitor.match import Brand
from monitor.topics import Topic
from monitor.weeks import Period, Span
from storage.answers import AnsweredReview, WeekCase
from storage.records import CaseEvent, Correction, CrawlRun, Promise, RunOutcome
from storage.store import Ledger
from storage.tallies import Tally
from storage.weeks import StarStep, WeekText, part_of

USUAL = 4  # earlier periods that make up the usual
NEGATIVES_READ = 300  # texts of one period
OTHERS_READ = 300
RUNS_BEFORE = timedelta(days=2)  # how far back a run is looked for that reaches into the period
RECOVERY_WITHIN = timedelta(days=90)
RECOVERY_READ = 2_000  # answered cases, the latest
# A post may be dated a day after it was seen, and its case be over before its week begins.
DATED_AHEAD = timedelta(days=1)
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
    week: Facts
    last: Earlier


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """All a digest is made of."""

    wanted: Wanted
    as_of: datetime
    days: tuple[Facts, ...]  # each day of the period
    week: Facts  # all of them together
    late: int  # mentions found only after the period was over
    last: Earlier
    usual: tuple[Earlier, ...]  # the latest first
    negatives: tuple[WeekText, ...]
    others: tuple[WeekText, ...]
    negatives_before: tuple[tuple[WeekText, ...], ...]  # of each usual period
    others_before: tuple[WeekText, ...]
    every_negative: int  # of the negative texts every so-manieth was read, in all periods
    every_other: int
    cases: tuple[WeekCase, ...]  # of the period, and those that its posts, promises, … are about; by number
    # Of each earlier period, by its name: so many cases were answered in time, of so many that were due.
    promptness: Mapping[str, tuple[int, int]]
    last_times: tuple[timedelta, ...]  # of the first answers of the last period, the quickest first
    events: tuple[CaseEvent, ...]
    promises: tuple[Promise, ...]
    corrections: tuple[Correction, ...]
    steps: tuple[StarStep, ...]
    answered: tuple[AnsweredReview, ...]
    runs: tuple[CrawlRun, ...]
    rivals: tuple[RivalRows, ...]
    names: Mapping[str, str]


def gather(ledger: Ledger, wanted: Wanted, now: datetime, *, shown: int | None = None) -> Rows:
    """Read what `digest_of` needs. `now` tells how much of the period has passed.

    With `shown` `SHOWN` of the posts behind each number those that a page shows, and how many there are: then
    days that were kept need not be read.
    """
    brand, period = wanted.brand.name, wanted.period
    start, as_of = period.start_at, min(now, period.end_at)
    last, usual = earlier_periods(period)
    oldest = min(last.start_at, *(one.start_at for one in usual))
    days = day_facts(ledger, brand, period, as_of, wanted.negative, shown)
    week = together(days, shown)
    over = {
        one.name: numbers_of(ledger, brand, one, wanted.negative) for one in dict.fromkeys((last, *usual))
    }
    counted = {
        one.name: _earlier(ledger, brand, one, over[one.name]) for one in dict.fromkeys((last, *usual))
    }
    most = max(
        len(week.negatives),
        *(sum(one.count for one in counted[p.name].tally if one.tone < 0) for p in usual),
    )
    part = max(1, -(-most // NEGATIVES_READ))
    part_other = max(1, -(-len(week.others) // OTHERS_READ))
    others = ledger.texts_of(brand, part_of(week.others, part_other))
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
        days=tuple(days),
        week=week,
        late=ledger.late_count(brand, days_of(period), period.end_at) if as_of >= period.end_at else 0,
        last=counted[last.name],
        usual=tuple(counted[one.name] for one in usual),
        negatives=tuple(ledger.texts_of(brand, part_of(week.negatives, part))),
        others=tuple(others),
        negatives_before=tuple(_negatives(ledger, wanted, over[one.name], part) for one in usual),
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
                week=together(day_facts(ledger, one.name, period, as_of, wanted.negative, shown), shown),
                last=_earlier(ledger, one.name, last, numbers_of(ledger, one.name, last, wanted.negative)),
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


def _earlier(ledger: Ledger, brand: str, period: Period, over: Over) -> Earlier:
    known = any(one.count > 0 for one in over.tallies) or ledger.was_reading(period.start_at, period.end_at)
    return Earlier(period, tuple(over.tallies), known)


def _negatives(ledger: Ledger, wanted: Wanted, over: Over, part: int) -> tuple[WeekText, ...]:
    brand = wanted.brand.name
    ids = part_of(over.negatives, part)
    for some in over.counted:
        ids += ledger.negative_ids(brand, days_of(some), wanted.negative, every=part)
    return tuple(ledger.texts_of(brand, ids))
