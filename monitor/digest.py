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

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
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
from storage.weeks import WeekPost, WeekRows

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
    # Put in order once: every part of it is in the same order then.
    worst_first = week.worst_first()
    ids = tuple(worst_first.ids)
    negative = tuple([one for one, tone in zip(ids, worst_first.tones, strict=True) if tone < 0])
    tones = dict(zip(week.ids, week.tones, strict=True))
    rank = dict(zip(week.ids, week.ranks, strict=True))
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

    rated = [(one, stars) for one, stars in zip(week.ids, week.stars, strict=True) if stars is not None]
    stars = _mean(
        [one[1] for one in rated],
        last,
        usual,
        lambda one: (one.count if one.stars else 0, one.stars_sum, one.stars_squares),
        STEP_STARS,
        tuple([one[0] for one in rated]),
    )
    worded = [(one, compound) for one, compound in zip(week.ids, week.compounds, strict=True) if compound]
    tone = _mean(
        [one[1] for one in worded],
        last,
        usual,
        lambda one: (one.worded, one.compound_sum, one.compound_squares),
        STEP_TONE,
        tuple([one[0] for one in worded]),
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
        unread=tuple([one for one, marks in zip(week.ids, week.marks, strict=True) if marks & _UNREAD]),
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


def _ids_by(keys: Iterable[_K], ids: Iterable[int]) -> dict[_K, list[int]]:
    found: dict[_K, list[int]] = defaultdict(list)
    for key, one in zip(keys, ids, strict=True):
        found[key].append(one)
    return found


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


def _bars(worst_first: WeekRows, usual: Sequence[Earlier]) -> tuple[StarBar, ...]:
    # Half stars and such are few values: they are rounded once each.
    bars = {
        given: 0 if given is None else min(5, max(1, int(given + 0.5))) for given in set(worst_first.stars)
    }
    by_stars = _ids_by(map(bars.__getitem__, worst_first.stars), worst_first.ids)
    return tuple(
        StarBar(
            stars=stars,
            count=len(by_stars.get(stars, ())),
            usual=sum(t.count for one in usual for t in one.tally if t.stars == stars) / len(usual)
            if usual
            else None,
            posts=tuple(by_stars.get(stars, ())),
        )
        for stars in (5, 4, 3, 2, 1)
    )


def _days(rows: Rows, worst_first: WeekRows) -> tuple[Day, ...]:
    period = rows.wanted.period
    posts = _ids_by(worst_first.days, worst_first.ids)
    tones = Counter(zip(worst_first.days, worst_first.tones, strict=True))
    felt: dict[int, list[float]] = defaultdict(list)
    for number, compound in zip(worst_first.days, worst_first.compounds, strict=True):
        if compound:
            felt[number].append(compound)
    until = period.day_of(rows.as_of - timedelta(microseconds=1))
    days = []
    for number, day in enumerate(period.days):
        if day > until:
            break  # it has not been yet: no day at all, not one without mentions
        days.append(
            Day(
                day=day,
                mentions=len(posts.get(number, ())),
                negative=tones[number, -1],
                positive=tones[number, 1],
                tone=sum(felt[number]) / len(felt[number]) if number in felt else None,
                posts=tuple(posts.get(number, ())),
            )
        )
    return tuple(days)


def _sources(rows: Rows, worst_first: WeekRows, last: Earlier | None) -> tuple[Part, ...]:
    before: dict[str, int] = defaultdict(int)
    for one in last.tally if last else ():
        before[one.source] += one.count
    titles = {one: rows.wanted.titles.get(one, one) for one in {*worst_first.sources, *before}}
    parts = [
        replace(part, name=source, last=before[source] if last else None)
        for source, part in _parts(worst_first.sources, worst_first, titles).items()
    ]
    return tuple(sorted(parts, key=lambda part: (-part.mentions, -(part.last or 0), part.name)))


def _places(rows: Rows, worst_first: WeekRows) -> tuple[Part, ...]:
    parts = _parts(worst_first.places, worst_first, rows.places).values()
    return tuple(sorted(parts, key=lambda part: (-part.negative, -part.mentions, part.name))[:PLACES_KEPT])


def _parts(keys: Sequence[_K], worst_first: WeekRows, titles: Mapping[_K, str]) -> dict[_K, Part]:
    """The mentions of each of `titles`, by their keys; each mention has the key at its place of `keys`."""
    posts = _ids_by(keys, worst_first.ids)
    tones = Counter(zip(keys, worst_first.tones, strict=True))
    rated: dict[_K, list[tuple[float, int]]] = defaultdict(list)
    for (key, stars), count in Counter(zip(keys, worst_first.stars, strict=True)).items():
        if stars is not None:
            rated[key].append((stars, count))
    parts = {}
    for key, title in titles.items():
        reviews = sum(count for _, count in rated[key])
        parts[key] = Part(
            name=title,
            title=title,
            mentions=len(posts.get(key, ())),
            last=None,
            negative=tones[key, -1],
            stars=sum(stars * count for stars, count in rated[key]) / reviews if reviews else None,
            rated=reviews,
            posts=tuple(posts.get(key, ())),
        )
    return parts


def _voices(
    rows: Rows,
    worst_first: WeekRows,
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
        negative=worst_first.tones.count(-1),
        tone=tone,
        stars=stars,
        basis="listened for",
        posts=tuple(worst_first.ids),
    )
    voices = [own]
    heard = {rival.name.casefold(): rival for rival in rows.rivals}
    silent = [name for name in brand.rivals if name.casefold() not in heard]
    for rival in heard.values():
        voices.append(
            _voice(
                rival.name,
                rival.rows,
                last=rival.last.count if rival.last.known else None,
                basis="listened for",
            )
        )
    if silent:
        named: dict[str, list[int]] = {name: [] for name in silent}
        matcher = Matcher([brand])
        for text in (*rows.negatives, *rows.others):
            for name in {hit.term for hit in matcher.rivals_in(f"{text.title}\n{text.text}")}:
                if name in named:
                    named[name].append(text.id)
        sampled = rows.every_negative > 1 or rows.every_other > 1
        basis = f"only in {'a part of the ' if sampled else ''}posts about {brand.name}"
        for name, posts in named.items():
            said = set(posts)
            mine = rows.week.at([at for at, one in enumerate(rows.week.ids) if one in said])
            voices.append(replace(_voice(name, mine, last=None, basis=basis), stars=None))
    return (
        voices[0],
        *sorted(voices[1:], key=lambda voice: (voice.basis != "listened for", -voice.mentions, voice.name)),
    )


def _voice(name: str, mine: WeekRows, *, last: int | None, basis: str) -> Voice:
    felt = [compound for compound in mine.compounds if compound]
    rated = [stars for stars in mine.stars if stars is not None]
    return Voice(
        name=name,
        own=False,
        mentions=len(mine),
        last=last,
        negative=mine.tones.count(-1),
        tone=sum(felt) / len(felt) if felt else None,
        stars=sum(rated) / len(rated) if rated else None,
        basis=basis,
        posts=tuple(mine.worst_first().ids),
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
    late = sum([bool(marks & _LATE) for marks in week.marks])
    if late:
        notes.append(
            f"{late:,} of the mentions {'was' if late == 1 else 'were'} found only after the {span} was over; "
            "a digest made before did not count them."
        )
    removed = sum([bool(marks & _REMOVED) for marks in week.marks])
    if removed:
        notes.append(f"{removed:,} removed by their authors since: counted, their words are no longer kept.")
    unread = sum([bool(marks & _UNREAD) for marks in week.marks])
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
