"""What are the facts of a brand's week? Pure: rows in, a `Digest` out; what is noise is not said.

Counting rules, the same everywhere:
- a mention counts in the period it was posted in (first seen in, where its source gives no date);
- negative is one or two stars, or without stars a compound at or below `triage.negative`; positive is four or
  five stars, or without stars a compound of 0.05 or more;
- tone is the mean compound of the mentions whose words show a feeling at all;
- the usual is the mean of the four periods before, of those of which anything is known; a change is said by
  the rule of `monitor.noise`;
- answers count where they were *due* in the period, so that a week's number is final when the week is over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from operator import attrgetter
from typing import TypeVar

from monitor.digest_rows import RECOVERY_READ, Earlier, Rows
from monitor.digest_service import (
    answers_of,
    corrections_of,
    open_of,
    promises_of,
    recovery_of,
    seen_of,
    star_changes_of,
    value_of,
)
from monitor.digest_shape import Count, Day, Digest, Mean, Part, Post, Share, StarBar, Voice
from monitor.digest_words import Words, loves_of, topics_of
from monitor.match import Matcher
from monitor.noise import Change, count_change, mean_change, share_change
from monitor.weeks import Span
from storage.records import Mark, case_name
from storage.tallies import Tally
from storage.weeks import WeekPost, WeekRow

_K = TypeVar("_K")
# A flag is slow to look at a hundred thousand times.
_LATE, _REMOVED, _UNREAD = int(Mark.LATE), int(Mark.REMOVED), int(Mark.UNREAD)
Look = Callable[[Iterable[int]], Mapping[int, WeekPost]]

LISTED = 40  # posts shown behind one number, the worst first
PLACES_KEPT = 12
STEP_STARS = 0.1  # a smaller move of the average is of no interest, however certain
STEP_TONE = 0.05

__all__ = ["Look", "digest_of"]


def digest_of(rows: Rows, look: Look) -> Digest:
    """The digest of `rows`; `look` gives the words of the posts that are shown."""
    wanted, period = rows.wanted, rows.wanted.period
    week = rows.week
    # Put in order once: every part of them is in the same order then.
    worst_first = _worst_first(week)
    ids = tuple([row.id for row in worst_first])
    negative = tuple([row.id for row in worst_first if row.tone < 0])
    tones = {row.id: row.tone for row in week}
    rank = {row.id: row.rank for row in week}
    usual = [one for one in rows.usual if one.known]
    last = rows.last if rows.last.known else None
    known = bool(week) or _was_read(rows)
    passed = max(0.0, (rows.as_of - period.start_at) / timedelta(days=1))

    words = Words(look, wanted, {case.mention_id: case_name(case.number) for case in rows.cases}, tones)
    topics = topics_of(rows, words, rank)
    loves, thank = loves_of(rows, words, tones)
    answers = answers_of(rows, words)
    changes = star_changes_of(rows, words)
    still_open = open_of(rows, words)

    stars = _mean(
        [row.stars for row in week if row.stars is not None],
        last,
        usual,
        lambda one: (one.count if one.stars else 0, one.stars_sum, one.stars_squares),
        STEP_STARS,
        tuple([row.id for row in week if row.stars is not None]),
    )
    tone = _mean(
        [row.compound for row in week if row.compound != 0],
        last,
        usual,
        lambda one: (one.worded, one.compound_sum, one.compound_squares),
        STEP_TONE,
        tuple([row.id for row in week if row.compound != 0]),
    )
    sources = _sources(rows, worst_first, last)
    places = _places(rows, worst_first)
    bars = _bars(worst_first, usual)
    days = _days(rows, worst_first)
    voices = _voices(rows, worst_first, tone.value, stars.value, last)
    shown = [ids, negative, *(bar.posts for bar in bars), *(day.posts for day in days)]
    shown += [part.posts for part in (*sources, *places)] + [voice.posts for voice in voices]
    shown += [fact.posts for fact in (*topics.hurts, *topics.papercuts)]
    listed = {one for several in shown for one in several[:LISTED]}
    promises, corrections = promises_of(rows), corrections_of(rows)
    reopened = tuple(dict.fromkeys(case_name(event.number) for event in rows.events))
    named = {*answers.late, *promises.kept, *promises.late, *promises.broken, *reopened, *corrections.names}
    value = value_of(rows, words)
    named |= {one.name for one in still_open}
    if value is not None:
        named |= {*value.at_risk_cases, *value.kept_cases}
    cases = {case.name: case.mention_id for case in rows.cases if case.name in named}
    listed |= {
        *sorted(cases.values())[:400],
        *answers.answered_posts[:LISTED],
        *answers.in_time.posts[:LISTED],
    }
    words.read(listed)
    return Digest(
        brand=wanted.brand.name,
        period=period,
        as_of=rows.as_of,
        whole=rows.as_of >= period.end_at,
        known=known,
        mentions=_count(len(week) if known else None, ids, last, usual, passed, lambda one: True),
        negative=_count(
            len(negative) if known else None, negative, last, usual, passed, lambda one: one.tone < 0
        ),
        negative_share=_negative_share(len(negative), len(week), negative, last, usual),
        unread=tuple([row.id for row in week if row.marks & _UNREAD]),
        stars=stars,
        tone=tone,
        bars=bars,
        days=days,
        sources=sources,
        places=places,
        hurts=topics.hurts,
        gone=topics.gone,
        papercuts=topics.papercuts,
        loves=loves,
        thank=thank,
        voices=voices,
        answers=answers,
        promises=promises,
        reopened=reopened,
        open=still_open,
        star_changes=changes,
        recovery=recovery_of(rows),
        value=value,
        seen=seen_of(rows),
        corrections=corrections,
        notes=_notes(rows, usual, topics.notes),
        cases=cases,
        names=topics.names,
        posts={one: post for one in sorted(words.known) if (post := words.post(one)) is not None},
    )


def _worst_first(rows: Iterable[WeekRow]) -> list[WeekRow]:
    ordered = sorted(rows, key=attrgetter("id"))
    ordered.sort(
        key=attrgetter("rank"), reverse=True
    )  # stable, backwards too: of two alike the older id first
    return ordered


def _grouped(rows: Iterable[WeekRow], key: Callable[[WeekRow], _K]) -> dict[_K, list[WeekRow]]:
    groups: dict[_K, list[WeekRow]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def _ids(rows: Iterable[WeekRow]) -> tuple[int, ...]:
    return tuple([row.id for row in rows])


def _was_read(rows: Rows) -> bool:
    period = rows.wanted.period
    return any(seen.good for seen in seen_of(rows)) or any(
        period.holds(run.started_at) and run.found for run in rows.runs
    )


def _count(
    now: int | None,
    posts: tuple[int, ...],
    last: Earlier | None,
    usual: Sequence[Earlier],
    passed: float,
    counts: Callable[[Tally], bool],
) -> Count:
    def of(earlier: Earlier) -> int:
        return sum(one.count for one in earlier.tally if counts(one))

    before = [of(one) for one in usual]
    lengths = [float(len(one.period.days)) for one in usual]
    return Count(
        now=now,
        last=None if last is None else of(last),
        usual=sum(before) / len(before) if before else None,
        change=Change.UNKNOWN if now is None else count_change(now, before, passed, lengths),
        posts=posts,
    )


def _negative_share(
    part: int, whole: int, posts: tuple[int, ...], last: Earlier | None, usual: Sequence[Earlier]
) -> Share:
    def of(several: Sequence[Earlier]) -> tuple[int, int]:
        tallies = [one for earlier in several for one in earlier.tally]
        return sum(one.count for one in tallies if one.tone < 0), sum(one.count for one in tallies)

    before = of(usual)
    return Share(
        part=part,
        whole=whole,
        last=of([last]) if last is not None and last.count else None,
        usual=before if before[1] else None,
        change=share_change(part, whole, *before),
        posts=posts,
    )


def _mean(
    values: Sequence[float],
    last: Earlier | None,
    usual: Sequence[Earlier],
    sums: Callable[[Tally], tuple[int, float, float]],
    least_step: float,
    posts: tuple[int, ...],
) -> Mean:
    def of(several: Sequence[Earlier]) -> tuple[int, float, float]:
        each = [sums(one) for earlier in several for one in earlier.tally]
        return sum(one[0] for one in each), sum(one[1] for one in each), sum(one[2] for one in each)

    now = (len(values), sum(values), sum(value * value for value in values))
    before, latest = of(usual), of([last] if last else [])
    return Mean(
        value=now[1] / now[0] if now[0] else None,
        count=now[0],
        last=latest[1] / latest[0] if latest[0] else None,
        last_count=latest[0],
        usual=before[1] / before[0] if before[0] else None,
        usual_count=before[0],
        change=mean_change(now, before, least_step=least_step),
        posts=posts,
    )


def _bars(worst_first: Sequence[WeekRow], usual: Sequence[Earlier]) -> tuple[StarBar, ...]:
    by_stars: dict[int, list[WeekRow]] = defaultdict(list)
    for given, mine in _grouped(worst_first, attrgetter("stars")).items():
        if given is not None:
            by_stars[min(5, max(1, int(given + 0.5)))] += mine
    return tuple(
        StarBar(
            stars=stars,
            count=len(by_stars[stars]),
            usual=sum(t.count for one in usual for t in one.tally if t.stars == stars) / len(usual)
            if usual
            else None,
            posts=_ids(_worst_first(by_stars[stars])),
        )
        for stars in (5, 4, 3, 2, 1)
    )


def _days(rows: Rows, worst_first: Sequence[WeekRow]) -> tuple[Day, ...]:
    period = rows.wanted.period
    by_day = _grouped(worst_first, attrgetter("day"))
    until = period.day_of(rows.as_of - timedelta(microseconds=1))
    days = []
    for number, day in enumerate(period.days):
        if day > until:
            break  # it has not been yet: no day at all, not one without mentions
        mine = by_day.get(number, [])
        felt = [row.compound for row in mine if row.compound != 0]
        days.append(
            Day(
                day=day,
                mentions=len(mine),
                negative=sum([row.tone < 0 for row in mine]),
                positive=sum([row.tone > 0 for row in mine]),
                tone=sum(felt) / len(felt) if felt else None,
                posts=_ids(mine),
            )
        )
    return tuple(days)


def _sources(rows: Rows, worst_first: Sequence[WeekRow], last: Earlier | None) -> tuple[Part, ...]:
    by_source = _grouped(worst_first, attrgetter("source"))
    before: dict[str, int] = defaultdict(int)
    for one in last.tally if last else ():
        before[one.source] += one.count
    parts = [
        _part(
            name,
            rows.wanted.titles.get(name, name),
            by_source.get(name, []),
            before[name] if last else None,
        )
        for name in {*by_source, *before}
    ]
    return tuple(sorted(parts, key=lambda part: (-part.mentions, -(part.last or 0), part.name)))


def _places(rows: Rows, worst_first: Sequence[WeekRow]) -> tuple[Part, ...]:
    by_place = _grouped(worst_first, attrgetter("place"))
    parts = [
        _part(rows.places[place], rows.places[place], mine, None) for place, mine in by_place.items() if place
    ]
    return tuple(sorted(parts, key=lambda part: (-part.negative, -part.mentions, part.name))[:PLACES_KEPT])


def _part(name: str, title: str, mine: Sequence[WeekRow], last: int | None) -> Part:
    rated = [row.stars for row in mine if row.stars is not None]
    return Part(
        name=name,
        title=title,
        mentions=len(mine),
        last=last,
        negative=sum([row.tone < 0 for row in mine]),
        stars=sum(rated) / len(rated) if rated else None,
        rated=len(rated),
        posts=_ids(mine),
    )


def _voices(
    rows: Rows,
    worst_first: Sequence[WeekRow],
    tone: float | None,
    stars: float | None,
    last: Earlier | None,
) -> tuple[Voice, ...]:
    wanted = rows.wanted
    brand = wanted.brand
    if not brand.rivals:
        return ()
    own = Voice(
        name=brand.name,
        own=True,
        mentions=len(rows.week),
        last=last.count if last else None,
        negative=sum([row.tone < 0 for row in worst_first]),
        tone=tone,
        stars=stars,
        basis="listened for",
        posts=_ids(worst_first),
    )
    voices = [own]
    heard = {rival.name.casefold(): rival for rival in rows.rivals}
    silent = [name for name in brand.rivals if name.casefold() not in heard]
    for rival in heard.values():
        felt = [row.compound for row in rival.rows if row.compound != 0]
        rated = [row.stars for row in rival.rows if row.stars is not None]
        voices.append(
            Voice(
                name=rival.name,
                own=False,
                mentions=len(rival.rows),
                last=rival.last.count if rival.last.known else None,
                negative=sum([row.tone < 0 for row in rival.rows]),
                tone=sum(felt) / len(felt) if felt else None,
                stars=sum(rated) / len(rated) if rated else None,
                basis="listened for",
                posts=_ids(_worst_first(rival.rows)),
            )
        )
    if silent:
        named: dict[str, list[int]] = {name: [] for name in silent}
        matcher = Matcher([brand])
        for text in (*rows.negatives, *rows.others):
            for name in {hit.term for hit in matcher.rivals_in(f"{text.title}\n{text.text}")}:
                if name in named:
                    named[name].append(text.id)
        by_id = {row.id: row for row in rows.week}
        sampled = rows.every_negative > 1 or rows.every_other > 1
        for name, posts in named.items():
            mine = [by_id[one] for one in posts if one in by_id]
            felt = [row.compound for row in mine if row.compound != 0]
            voices.append(
                Voice(
                    name=name,
                    own=False,
                    mentions=len(mine),
                    last=None,
                    negative=sum([row.tone < 0 for row in mine]),
                    tone=sum(felt) / len(felt) if felt else None,
                    stars=None,
                    basis=f"only in {'a part of the ' if sampled else ''}posts about {brand.name}",
                    posts=_ids(_worst_first(mine)),
                )
            )
    return (
        voices[0],
        *sorted(voices[1:], key=lambda voice: (voice.basis != "listened for", -voice.mentions, voice.name)),
    )


def _notes(rows: Rows, usual: Sequence[Earlier], more: Sequence[str]) -> tuple[str, ...]:
    period, week = rows.wanted.period, rows.week
    span = period.span.value
    notes = []
    if rows.as_of < period.end_at:
        notes.append(f"The {span} is not over: counted so far, and compared by the days that have passed.")
    if not usual:
        notes.append(f"Nothing is known of earlier {span}s, so nothing is compared.")
    elif len(usual) < len(rows.usual):
        notes.append(
            f"The usual is made of {len(usual)} earlier {span}{'s' * (len(usual) > 1)}: of the others nothing is known."
        )
    late = sum([bool(row.marks & _LATE) for row in week])
    if late:
        notes.append(
            f"{late:,} of the mentions {'was' if late == 1 else 'were'} found only after the {span} was over; "
            "a digest made before did not count them."
        )
    removed = sum([bool(row.marks & _REMOVED) for row in week])
    if removed:
        notes.append(f"{removed:,} removed by their authors since: counted, their words are no longer kept.")
    unread = sum([bool(row.marks & _UNREAD) for row in week])
    if unread:
        notes.append(
            f"{unread:,} could not be read (language, or no words): they count as neither negative nor positive."
        )
    if rows.wanted.brand.rivals and len(rows.rivals) < len(rows.wanted.brand.rivals):
        notes.append(
            "Rivals that are not listened for are counted only where posts about "
            f"{rows.wanted.brand.name} name them; add them as [[brands]] to compare."
        )
    if len(rows.answered) == RECOVERY_READ:
        notes.append(
            f"How many stars were won back is counted for the latest {RECOVERY_READ:,} answered reviews."
        )
    if period.span is Span.DAY:
        notes.append("The usual of a day is the same weekday of the four weeks before.")
    return (*notes, *more)


def shown_posts(digest: Digest, ids: Iterable[int]) -> list[Post]:
    """Those of `ids` that can be shown, in their order."""
    return [digest.posts[one] for one in ids if one in digest.posts]
