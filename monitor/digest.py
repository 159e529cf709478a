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

from monitor.digest_days import ALL, NEGATIVE, Facts
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
from monitor.digest_shape import Count, Day, Digest, Mean, Part, Post, Posts, Share, StarBar, Voice
from monitor.digest_words import Words, loves_of, topics_of
from monitor.match import Matcher
from monitor.noise import Change, count_change, mean_change, share_change
from monitor.weeks import Span
from storage.records import case_name
from storage.tallies import Tally, tone_of
from storage.weeks import WeekPost, WeekText

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
    ids, negative = week.listing(ALL).posts, week.listing(NEGATIVE).posts
    tones = {
        text.id: tone_of(text.stars, text.compound, wanted.negative)
        for text in (*rows.negatives, *rows.others)
    }
    for listing in (one for facts in (week, *rows.days) for one in facts.worst.values()):
        tones.update(zip(listing.ids, listing.tones, strict=True))
    usual = [one for one in rows.usual if one.known]
    last = rows.last if rows.last.known else None
    known = week.count > 0 or _was_read(rows)
    passed = max(0.0, (rows.as_of - period.start_at) / timedelta(days=1))

    words = Words(look, wanted, {case.mention_id: case_name(case.number) for case in rows.cases}, tones)
    topics = topics_of(rows, words)
    loves, thank = loves_of(rows, words)
    answers = answers_of(rows, words)
    changes = star_changes_of(rows, words)
    still_open = open_of(rows, words)

    stars = _mean(
        week, last, usual, lambda one: (one.count if one.stars else 0, one.stars_sum, one.stars_squares),
        STEP_STARS, week.rated,
    )  # fmt: skip
    tone = _mean(
        week, last, usual, lambda one: (one.worded, one.compound_sum, one.compound_squares),
        STEP_TONE, week.worded,
    )  # fmt: skip
    sources = _sources(rows, last)
    places = _places(week)
    bars = _bars(week, usual)
    days = _days(rows)
    voices = _voices(rows, tone.value, stars.value, last)
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
        mentions=_count(week.count if known else None, ids, last, usual, passed, lambda one: True),
        negative=_count(
            negative.total if known else None, negative, last, usual, passed, lambda one: one.tone < 0
        ),
        negative_share=_negative_share(negative.total, week.count, negative, last, usual),
        unread=week.unread,
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
    week: Facts,
    last: Earlier | None,
    usual: Sequence[Earlier],
    sums: Callable[[Tally], tuple[int, float, float]],
    least_step: float,
    posts: Posts,
) -> Mean:
    def of(several: Iterable[Sequence[Tally]]) -> tuple[int, float, float]:
        each = [sums(one) for tallies in several for one in tallies]
        return sum(one[0] for one in each), sum(one[1] for one in each), sum(one[2] for one in each)

    now = of([week.tallies])
    before, latest = of(one.tally for one in usual), of([last.tally] if last else [])
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


def _bars(week: Facts, usual: Sequence[Earlier]) -> tuple[StarBar, ...]:
    return tuple(
        StarBar(
            stars=stars,
            count=sum(one.count for one in week.tallies if one.stars == stars),
            usual=sum(t.count for one in usual for t in one.tally if t.stars == stars) / len(usual)
            if usual
            else None,
            posts=week.listing(f"stars {stars}").posts,
        )
        for stars in (5, 4, 3, 2, 1)
    )


def _days(rows: Rows) -> tuple[Day, ...]:
    period = rows.wanted.period
    until = period.day_of(rows.as_of - timedelta(microseconds=1))
    # What has not been yet is no day at all, not one without mentions.
    return tuple(
        Day(
            day=day,
            mentions=facts.count,
            negative=sum(one.count for one in facts.tallies if one.tone < 0),
            positive=sum(one.count for one in facts.tallies if one.tone > 0),
            tone=_tone(facts),
            posts=facts.listing(ALL).posts,
        )
        for day, facts in zip(period.days, rows.days, strict=True)
        if day <= until
    )


def _tone(facts: Facts) -> float | None:
    worded = sum(one.worded for one in facts.tallies)
    return sum(one.compound_sum for one in facts.tallies) / worded if worded else None


def _stars(tallies: Iterable[Tally]) -> tuple[int, float | None]:
    """How many gave stars, and how many on average."""
    rated = [one for one in tallies if one.stars]
    count = sum(one.count for one in rated)
    return count, sum(one.stars_sum for one in rated) / count if count else None


def _sources(rows: Rows, last: Earlier | None) -> tuple[Part, ...]:
    by_source: dict[str, list[Tally]] = defaultdict(list)
    for one in rows.week.tallies:
        by_source[one.source].append(one)
    before: dict[str, int] = defaultdict(int)
    for one in last.tally if last else ():
        before[one.source] += one.count
    parts = []
    for name in {*by_source, *before}:
        rated, stars = _stars(by_source.get(name, ()))
        parts.append(
            Part(
                name=name,
                title=rows.wanted.titles.get(name, name),
                mentions=sum(one.count for one in by_source.get(name, ())),
                last=before[name] if last else None,
                negative=sum(one.count for one in by_source.get(name, ()) if one.tone < 0),
                stars=stars,
                rated=rated,
                posts=rows.week.listing(f"source {name}").posts,
            )
        )
    return tuple(sorted(parts, key=lambda part: (-part.mentions, -(part.last or 0), part.name)))


def _places(week: Facts) -> tuple[Part, ...]:
    parts = [
        Part(
            name=name,
            title=name,
            mentions=place.mentions,
            last=None,
            negative=place.negative,
            stars=place.stars_sum / place.rated if place.rated else None,
            rated=place.rated,
            posts=week.listing(f"place {name}").posts,
        )
        for name, place in week.places.items()
    ]
    return tuple(sorted(parts, key=lambda part: (-part.negative, -part.mentions, part.name))[:PLACES_KEPT])


def _voices(rows: Rows, tone: float | None, stars: float | None, last: Earlier | None) -> tuple[Voice, ...]:
    wanted = rows.wanted
    brand = wanted.brand
    if not brand.rivals:
        return ()
    own = Voice(
        name=brand.name,
        own=True,
        mentions=rows.week.count,
        last=last.count if last else None,
        negative=rows.week.listing(NEGATIVE).total,
        tone=tone,
        stars=stars,
        basis="listened for",
        posts=rows.week.listing(ALL).posts,
    )
    voices = [own]
    heard = {rival.name.casefold(): rival for rival in rows.rivals}
    silent = [name for name in brand.rivals if name.casefold() not in heard]
    for rival in heard.values():
        voices.append(
            Voice(
                name=rival.name,
                own=False,
                mentions=rival.week.count,
                last=rival.last.count if rival.last.known else None,
                negative=rival.week.listing(NEGATIVE).total,
                tone=_tone(rival.week),
                stars=_stars(rival.week.tallies)[1],
                basis="listened for",
                posts=rival.week.listing(ALL).posts,
            )
        )
    if silent:
        named: dict[str, list[WeekText]] = {name: [] for name in silent}
        matcher = Matcher([brand])
        for text in (*rows.negatives, *rows.others):
            for name in {hit.term for hit in matcher.rivals_in(f"{text.title}\n{text.text}")}:
                if name in named:
                    named[name].append(text)
        sampled = rows.every_negative > 1 or rows.every_other > 1
        for name, mine in named.items():
            felt = [text.compound for text in mine if text.compound]
            voices.append(
                Voice(
                    name=name,
                    own=False,
                    mentions=len(mine),
                    last=None,
                    negative=sum(tone_of(text.stars, text.compound, wanted.negative) < 0 for text in mine),
                    tone=sum(felt) / len(felt) if felt else None,
                    stars=None,
                    basis=f"only in {'a part of the ' if sampled else ''}posts about {brand.name}",
                    posts=tuple(text.id for text in sorted(mine, key=lambda text: (-text.rank, text.id))),
                )
            )
    return (
        voices[0],
        *sorted(voices[1:], key=lambda voice: (voice.basis != "listened for", -voice.mentions, voice.name)),
    )


def _notes(rows: Rows, usual: Sequence[Earlier], more: Sequence[str]) -> tuple[str, ...]:
    period, late, removed = rows.wanted.period, rows.late, rows.week.removed
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
    if late:
        notes.append(
            f"{late:,} of the mentions {'was' if late == 1 else 'were'} found only after the {span} was over; "
            "a digest made before did not count them."
        )
    if removed:
        notes.append(f"{removed:,} removed by their authors since: counted, their words are no longer kept.")
    unread = rows.week.unread.total
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
