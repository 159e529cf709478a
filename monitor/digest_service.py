"""Were people answered, were promises kept, did it help, and could we see at all?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby, pairwise

from alerts.customers import Customer
from monitor.digest_rows import WORKED, Rows
from monitor.digest_shape import (
    Answers,
    Corrections,
    CustomerValue,
    OpenCase,
    Promises,
    Recovery,
    Share,
    SourceSeen,
    StarChange,
)
from monitor.digest_words import Words
from monitor.noise import share_change
from storage.answers import WeekCase
from storage.records import CaseStatus, CrawlRun, RunOutcome, case_name
from storage.tallies import POSITIVE_FROM

P90_LEAST = 10  # first answers; of fewer the slowest of ten is just the slowest
RECOVERY_LEAST = 5
LATE_AFTER = 3  # a source not read for so many times its `every` was blind
BLIND_LEAST = timedelta(hours=1)
NEVER_ASKED = timedelta(hours=24)  # how often a source nobody configured any more should have been read


def answers_of(rows: Rows, words: Words) -> Answers:
    """Answered in time: of the cases whose answer came due in the period. First answers: of those given in it."""
    period = rows.wanted.period
    due = _due(rows.cases, period.start_at, rows.as_of)
    in_time = [case for case in due if _in_time(case)]
    late = [case for case in due if not _in_time(case)]
    earlier = rows.promptness[rows.last.period.name]
    usual = [rows.promptness[one.period.name] for one in rows.usual]
    times = _response_times(rows.cases, period.start_at, rows.as_of)
    concerned = sorted(late, key=lambda case: (-case.rank, case.number))
    words.read(case.mention_id for case in concerned)
    share = (len(in_time), len(due))
    before = (sum(one[0] for one in usual), sum(one[1] for one in usual))
    return Answers(
        in_time=Share(
            *share,
            last=earlier if earlier[1] else None,
            usual=before if before[1] else None,
            change=share_change(*share, *before),
            posts=tuple(case.mention_id for case in in_time),
        ),
        late=tuple(case_name(case.number) for case in concerned),
        median=_median(times),
        p90=times[-(-len(times) * 9 // 10) - 1] if len(times) >= P90_LEAST else None,
        answered=len(times),
        answered_posts=tuple(
            case.mention_id
            for case in rows.cases
            if case.first_response_at is not None and period.start_at <= case.first_response_at < rows.as_of
        ),
        last_median=_median(rows.last_times),
        goal=rows.wanted.goal,
        links={
            case_name(case.number): post.url
            for case in rows.cases
            if (post := words.known.get(case.mention_id)) is not None and post.url
        },
        posts=tuple(case.mention_id for case in concerned),
    )


def promises_of(rows: Rows) -> Promises:
    """What came due in the period: kept, kept late, or not kept by its end."""
    kept: list[str] = []
    late: list[str] = []
    broken: list[str] = []
    for one in rows.promises:
        if one.kept_at is None or one.kept_at >= rows.as_of:
            broken.append(case_name(one.number))
        elif one.kept_at <= one.due_by:
            kept.append(case_name(one.number))
        else:
            late.append(case_name(one.number))
    return Promises(tuple(kept), tuple(late), tuple(broken))


def open_of(rows: Rows, words: Words) -> tuple[OpenCase, ...]:
    """The cases nobody had answered when the period ended, worst first."""
    at = rows.as_of
    still = [case for case in rows.cases if _waits(case, at)]
    still.sort(key=lambda case: (-case.priority, -case.rank, case.number))
    words.read(case.mention_id for case in still[:20])
    return tuple(
        OpenCase(
            name=case.name,
            post=words.post(case.mention_id) if at_ < 20 else None,
            owner=case.owner,
            age=at - case.opened_at,
            late=at - case.respond_by if case.respond_by is not None and case.respond_by < at else None,
        )
        for at_, case in enumerate(still)
    )


def star_changes_of(rows: Rows, words: Words) -> tuple[StarChange, ...]:
    """Reviews whose stars changed in the period: one change each, from before it to after it."""
    start = rows.wanted.period.start_at
    answered = {case.mention_id: case.first_response_at for case in rows.cases if case.first_response_at}
    answered |= {one.mention_id: one.first_response_at for one in rows.answered}
    found: list[tuple[int, float, float, datetime]] = []
    for identity, group in groupby(rows.steps, key=lambda step: step.mention_id):
        changes = [
            (one.stars, two.stars, one.replaced_at)
            for one, two in pairwise(group)
            if one.replaced_at is not None
            and start <= one.replaced_at < rows.as_of
            and one.stars is not None
            and two.stars is not None
            and one.stars != two.stars
        ]
        if changes and changes[0][0] != changes[-1][1]:
            found.append((identity, changes[0][0], changes[-1][1], changes[-1][2]))
    words.read(one[0] for one in found)
    result = []
    for identity, before, after, at in found:
        post, raw = words.post(identity), words.raw(identity)
        if post is None or raw is None:
            continue
        replies = [when for when in (answered.get(identity), raw.owner_replied_at) if when is not None]
        result.append(StarChange(post, before, after, any(when < at for when in replies), at))
    return tuple(sorted(result, key=lambda one: (-(one.after - one.before), one.post.id)))


def recovery_of(rows: Rows) -> Recovery:
    """Of the bad reviews answered in 90 days, how many got more stars afterwards; and how fast those were answered.

    Bad: fewer than three and a half stars before the answer. A median of fewer than five is not given.
    """
    steps = {key: list(group) for key, group in groupby(rows.steps, key=lambda step: step.mention_id)}
    raised: list[timedelta] = []
    stayed: list[timedelta] = []
    for one in rows.answered:
        if one.stars is None or one.first_response_at >= rows.as_of:
            continue
        before, after = one.stars, one.stars
        for first, second in pairwise(steps.get(one.mention_id, ())):
            if first.replaced_at is None or first.stars is None or second.stars is None:
                continue
            if first.replaced_at > one.first_response_at:
                before, after = first.stars, second.stars if first.replaced_at < rows.as_of else first.stars
                break
        if before >= POSITIVE_FROM:
            continue
        (raised if after > before else stayed).append(one.first_response_at - one.opened_at)
    return Recovery(
        answered=len(raised) + len(stayed),
        raised=len(raised),
        response_raised=_median(raised, RECOVERY_LEAST),
        response_stayed=_median(stayed, RECOVERY_LEAST),
    )


def value_of(rows: Rows, words: Words) -> CustomerValue | None:
    """What the customers among the authors are worth, by whether they were answered. None without their table.

    A customer with one case answered and another open is at risk: it is the open one that loses them.
    """
    customers = rows.wanted.customers
    if customers is None:
        return None
    start, end = rows.wanted.period.start_at, rows.as_of
    waiting = [case for case in rows.cases if _waits(case, end)]
    served = [case for case in rows.cases if _served(case, start, end)]
    words.read(case.mention_id for case in (*waiting, *served))

    def by_customer(cases: Sequence[WeekCase]) -> dict[Customer, list[str]]:
        found: dict[Customer, list[str]] = {}
        for case in cases:
            post = words.known.get(case.mention_id)
            who = None if post is None else customers.find(post.source, post.author)
            if who is not None:
                found.setdefault(who, []).append(case.name)
        return dict(sorted(found.items(), key=lambda pair: (-pair[0].value, pair[1])))

    at_risk = by_customer(waiting)
    names = {_identity(who) for who in at_risk}
    kept = {who: named for who, named in by_customer(served).items() if _identity(who) not in names}
    return CustomerValue(
        *_worth(at_risk),
        tuple(name for named in at_risk.values() for name in named),
        *_worth(kept),
        tuple(name for named in kept.values() for name in named),
    )


def _waits(case: WeekCase, at: datetime) -> bool:
    """True when nobody had answered it by then."""
    return (
        case.opened_at < at
        and (case.closed_at is None or case.closed_at >= at)
        and (case.first_response_at is None or case.first_response_at >= at)
        and not (case.closed_at is None and case.closed)
    )


def _served(case: WeekCase, start: datetime, end: datetime) -> bool:
    """True when it was answered first, or resolved, between the two."""
    if case.status == CaseStatus.DISMISSED:
        return False
    moments = (case.first_response_at, case.closed_at if case.status == CaseStatus.RESOLVED else None)
    return any(when is not None and start <= when < end for when in moments)


def _identity(who: Customer) -> str:
    """One customer may stand in the table once a source."""
    return (who.name or who.handle.removeprefix("@")).casefold()


def _worth(several: Iterable[Customer]) -> tuple[float, int]:
    """What they are worth, and how many there are, each counted once."""
    values = {_identity(who): who.value for who in several}
    return sum(values.values()), len(values)


def seen_of(rows: Rows) -> tuple[SourceSeen, ...]:
    """How well every source could be read in the period, configured ones first by name, then others that ran."""
    wanted = rows.wanted
    by_source: dict[str, list[CrawlRun]] = {name: [] for name in sorted(wanted.every)}
    for run in rows.runs:
        by_source.setdefault(run.source, []).append(run)
    return tuple(_seen(name, runs, rows) for name, runs in by_source.items())


def corrections_of(rows: Rows) -> Corrections:
    """What people said about the verdicts, by kind."""
    start = rows.wanted.period.start_at
    by_kind: dict[str, list[str]] = {"not_negative": [], "not_us": [], "more_urgent": [], "other": []}
    for one in rows.corrections:
        by_kind[one.wrong if one.wrong in by_kind else "other"].append(case_name(one.number))
    judged = sum(start <= case.opened_at < rows.as_of for case in rows.cases)
    return Corrections(**{kind: tuple(names) for kind, names in by_kind.items()}, judged=judged)


def _due(cases: Sequence[WeekCase], start: datetime, end: datetime) -> list[WeekCase]:
    """The cases whose answer came due then. One that was dismissed unanswered needed none."""
    return [
        case
        for case in cases
        if case.respond_by is not None
        and start <= case.respond_by < end
        and not (case.status == CaseStatus.DISMISSED and case.first_response_at is None)
    ]


def _in_time(case: WeekCase) -> bool:
    done = case.first_response_at
    if done is None and case.status == CaseStatus.RESOLVED:
        done = case.closed_at  # settled without a reply, by telephone say
    return done is not None and case.respond_by is not None and done <= case.respond_by


def _response_times(cases: Sequence[WeekCase], start: datetime, end: datetime) -> list[timedelta]:
    return sorted(
        max(timedelta(0), case.first_response_at - case.opened_at)
        for case in cases
        if case.first_response_at is not None and start <= case.first_response_at < end
    )


def _seen(name: str, runs: Sequence[CrawlRun], rows: Rows) -> SourceSeen:
    wanted, start, end = rows.wanted, rows.wanted.period.start_at, rows.as_of
    title = wanted.titles.get(name, name)
    inside = [run for run in runs if start <= run.started_at < end]
    good = [run for run in runs if run.ended_at is not None and run.outcome in WORKED]
    good_inside = [run for run in good if run.started_at >= start]
    said = next((run.reason for run in reversed(inside) if run.outcome not in WORKED and run.reason), "")
    if not inside and not good:
        return SourceSeen(name, title, 0, 0, end - start, "it was not read")
    if all(run.outcome is RunOutcome.OFF for run in inside) and not good_inside:
        return SourceSeen(name, title, len(inside), 0, end - start, said or "it is switched off")
    begin = start
    if not any(run.started_at < start for run in good):
        # Its first reading of all: what was before is not blindness.
        begin = next((run.started_at for run in runs if run.first), start)
    marks = [max(begin, run.started_at) for run in good if run.started_at < end]
    longest = max((b - a for a, b in pairwise([begin, *marks, end])), default=end - begin)
    allowed = max(BLIND_LEAST, wanted.every.get(name, NEVER_ASKED) * LATE_AFTER)
    if good_inside and all(run.outcome is RunOutcome.EMPTY for run in good_inside):
        return SourceSeen(
            name, title, len(inside), len(good_inside), None, "read, and nothing was found on it at all"
        )
    if longest <= allowed:
        partial = sum(run.outcome is RunOutcome.PARTIAL for run in good_inside)
        return SourceSeen(
            name,
            title,
            len(inside),
            len(good_inside),
            None,
            f"{partial} runs were cut short" if partial else "",
        )
    return SourceSeen(name, title, len(inside), len(good_inside), longest, said)


def _median(spans: Sequence[timedelta], least: int = 1) -> timedelta | None:
    """The middle one; of an even number the mean of the two. None of fewer than `least`."""
    if len(spans) < least:
        return None
    ordered = sorted(spans)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
