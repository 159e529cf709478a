"""How is a digest put into words? The same sentences for Slack, mail, page and terminal.

Strangers' words are left as they are: every renderer makes them harmless in its own way.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from monitor.digest_shape import Answers, Count, Digest, Mean, SourceSeen, StarChange, TopicFact, Voice
from monitor.noise import Change
from monitor.weeks import Span, day_text

PERMISSION = (
    "Public words of their authors, as they wrote them. Ask the author, and mind the site's terms, before one "
    "goes into an advertisement; leave it unchanged and say where it stands."
)
NOTHING_KNOWN = (
    "Nothing is known of this {span}: no source was read, and nothing was found later. "
    "Silence here does not mean that all was well."
)


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the digest: what, how much, against what; and the posts behind it."""

    key: str
    label: str
    value: str
    detail: str = ""
    posts: tuple[int, ...] = ()
    cases: tuple[str, ...] = ()


def headline(digest: Digest) -> str:
    """The week in one line: `Week 47: 1,204 mentions, 61 negative, rating 4.1 (last week 4.3)`."""
    title = digest.period.title
    if digest.mentions.now is None:
        return f"{title}: nothing is known"
    parts = [f"{title}: {counted(digest.mentions.now, 'mention')}"]
    if digest.mentions.now:
        parts.append(f"{digest.negative.now:,} negative")
    if digest.stars.value is not None:
        last = "" if digest.stars.last is None else f" ({last_word(digest)} {digest.stars.last:.1f})"
        parts.append(f"rating {digest.stars.value:.1f}{last}")
    return ", ".join(parts) + ("" if digest.whole else " so far")


def summary(digest: Digest) -> str:
    """Two or three sentences that stand alone: a notification, a preview of a mail."""
    if digest.mentions.now is None:
        return f"{digest.brand}. {headline(digest)}."
    answers = digest.answers.in_time
    parts = [f"{digest.brand}, {headline(digest)}."]
    if answers.whole:
        parts.append(f"{answers.part} of {answers.whole} answered in time.")
    if digest.hurts:
        top = digest.hurts[0]
        parts.append(f"Top complaint: {top.name}, {top.now}.")
    parts.append(f"Open: {len(digest.open)}.")
    if digest.blind:
        parts.append(f"Blind: {', '.join(one.title for one in digest.blind[:3])}.")
    return " ".join(parts)


def facts(digest: Digest) -> list[Fact]:
    """The numbers of the digest, in the order people ask for them."""
    return [
        Fact(
            "mentions",
            "Mentions",
            number(digest.mentions.now),
            compared(digest, digest.mentions),
            digest.mentions.posts,
        ),
        Fact("negative", "Negative", _negative(digest), _negative_detail(digest), digest.negative.posts),
        Fact(
            "rating",
            "Rating",
            _rating(digest.stars),
            _mean_detail(digest, digest.stars, 1),
            digest.stars.posts,
        ),
        Fact(
            "tone",
            "Tone of the words",
            _tone(digest.tone),
            _mean_detail(digest, digest.tone, 2),
            digest.tone.posts,
        ),
        *service(digest),
    ]


def service(digest: Digest) -> list[Fact]:
    """How people were served, and whether we could see."""
    answers, promises = digest.answers, digest.promises
    return [
        Fact(
            "in-time",
            "Answered in time",
            _in_time(answers),
            _in_time_detail(digest),
            (*answers.in_time.posts, *answers.posts),
            answers.late,
        ),
        Fact(
            "first-answer",
            "Median first answer",
            _first(digest),
            _first_detail(answers),
            answers.answered_posts,
        ),
        Fact(
            "promises",
            "Promises kept",
            f"{len(promises.kept)} of {promises.due}" if promises.due else "none came due",
            "; ".join(
                part
                for part in (
                    f"{len(promises.late)} late: {_names(promises.late)}" if promises.late else "",
                    f"{len(promises.broken)} broken: {_names(promises.broken)}" if promises.broken else "",
                )
                if part
            ),
            _posts_of(digest, (*promises.broken, *promises.late, *promises.kept)),
            (*promises.broken, *promises.late),
        ),
        Fact(
            "open",
            "Still open",
            _open(digest),
            "",
            _open_posts(digest),
            tuple(one.name for one in digest.open[:5]),
        ),
        Fact(
            "reopened",
            "Reopened",
            str(len(digest.reopened)) if digest.reopened else "none",
            _names(digest.reopened),
            _posts_of(digest, digest.reopened),
            digest.reopened,
        ),
        Fact(
            "stars-won",
            "Stars changed after our answer",
            f"{len(digest.stars_won)} up, {len(digest.stars_lost)} down",
            recovery(digest),
            tuple(one.post.id for one in (*digest.stars_won, *digest.stars_lost)),
        ),
        *_value(digest),
        Fact(
            "sources", "Sources checked", _sources(digest), "; ".join(_blind(one) for one in digest.blind[:4])
        ),
        Fact(
            "corrections",
            "Corrected by people",
            _corrections(digest),
            _corrections_detail(digest),
            _posts_of(digest, digest.corrections.names),
            digest.corrections.names,
        ),
    ]


def _value(digest: Digest) -> list[Fact]:
    """What customers are worth who complained; nothing where no table of them was imported."""
    value = digest.value
    if value is None:
        return []
    if not value.at_risk_customers and not value.kept_customers:
        return [Fact("value", "Customer value", "no known customer complained")]
    waiting = counted(value.at_risk_customers, "customer")
    return [
        Fact(
            "value",
            "Customer value",
            f"{value.at_risk:,.0f} at risk, {value.kept:,.0f} kept",
            f"{waiting} without an answer: {_names(value.at_risk_cases)}; {value.kept_customers:,} answered"
            if value.at_risk_customers
            else f"{counted(value.kept_customers, 'customer')} answered, none waits",
            _posts_of(digest, (*value.at_risk_cases, *value.kept_cases)),
            value.at_risk_cases,
        )
    ]


def counted(count: int, noun: str) -> str:
    """`1,204 mentions`, `1 mention`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def number(count: float | None) -> str:
    """A count; what is not known says so."""
    if count is None:
        return "not known"
    return f"{count:,.0f}" if count == int(count) or count >= 10 else f"{count:,.1f}"


def last_word(digest: Digest) -> str:
    """What the period before is called: `last week`, `the day before`."""
    return {Span.WEEK: "last week", Span.MONTH: "last month", Span.DAY: "the day before"}[digest.period.span]


def compared(digest: Digest, count: Count) -> str:
    """A count against the period before and the usual; whether that says anything."""
    if count.now is None:
        return "no source was read"
    parts = [f"{last_word(digest)} {number(count.last)}"]
    if count.usual is not None:
        parts.append(f"usual {number(count.usual)}")
    return "; ".join([", ".join(parts), said(count.change)])


def said(change: Change, more: str = "more", fewer: str = "fewer") -> str:
    """What may be said about a change."""
    match change:
        case Change.UP:
            return f"{more} than usual"
        case Change.DOWN:
            return f"{fewer} than usual"
    return str(change)


def span_text(span: timedelta) -> str:
    """How long, in one unit: `22 min`, `5 h`, `3 days`.

    >>> span_text(timedelta(minutes=22)), span_text(timedelta(hours=26)), span_text(timedelta(days=3, hours=1))
    ('22 min', '26 h', '3 days')
    """
    minutes = int(span.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"


def topic_line(fact: TopicFact, *, names_last: str = "", trend: bool = True) -> str:
    """A complaint in numbers: `23 (last week 9; rising)`."""
    notes = []
    if fact.last is not None:
        notes.append(f"{names_last} {fact.last}".strip())
    elif fact.usual is not None:
        notes.append(f"usual {number(fact.usual)}")
    if fact.trend and trend:
        notes.append(fact.trend)
    return f"{fact.now}" + (f" ({'; '.join(notes)})" if notes else "")


def papercut_line(fact: TopicFact) -> str:
    """A small annoyance in numbers."""
    before = int(fact.usual or 0)
    return f"{fact.now} now" + (
        f", {before} before, none of them an alert" if before else ", none of them an alert"
    )


def star_change(change: StarChange) -> str:
    """`1 → 4`."""
    return f"{change.before:g} → {change.after:g}"


def voice_share(voice: Voice, voices: tuple[Voice, ...]) -> float | None:
    """Its percentage of all that is listened for; None where it, or no rival, is listened for."""
    heard = [one for one in voices if one.basis == "listened for"]
    whole = sum(one.mentions for one in heard)
    return 100 * voice.mentions / whole if voice in heard and len(heard) > 1 and whole else None


def dates(digest: Digest) -> str:
    """From when to when, and in which zone."""
    until = "" if digest.whole else f", counted until {day_text(digest.period.day_of(digest.as_of))}"
    return f"{digest.period.dates}, {digest.period.zone} time{until}"


def recovery(digest: Digest) -> str:
    """The recovery rate of 90 days, and what a fast answer has to do with it."""
    found = digest.recovery
    if not found.answered:
        return "no bad review was answered in 90 days"
    text = f"in 90 days {found.raised} of {found.answered} answered bad reviews got more stars"
    if found.response_raised is not None and found.response_stayed is not None:
        text += f"; answered after {span_text(found.response_raised)},"
        text += f" the others after {span_text(found.response_stayed)}"
    return text


def sentence(words: str) -> str:
    """Begins with a capital and ends with a full stop.

    >>> sentence("in 90 days none")
    'In 90 days none.'
    """
    return f"{words[:1].upper()}{words[1:]}."


def _names(cases: tuple[str, ...]) -> str:
    more = len(cases) - 5
    return ", ".join(cases[:5]) + (f" and {more} more" if more > 0 else "")


def _negative(digest: Digest) -> str:
    share = digest.negative_share
    if digest.negative.now is None:
        return "not known"
    return f"{share.part:,}" + (f" ({share.percent:.0f} %)" if share.percent is not None else "")


def _negative_detail(digest: Digest) -> str:
    share = digest.negative_share
    if digest.negative.now is None:
        return "no source was read"
    if not share.whole:
        return ""
    parts = []
    if share.last is not None and share.last[1]:
        parts.append(f"{last_word(digest)} {share.last[0]:,} ({100 * share.last[0] / share.last[1]:.0f} %)")
    if share.usual is not None and share.usual[1]:
        parts.append(f"usual {100 * share.usual[0] / share.usual[1]:.0f} %")
    change = said(share.change, "a larger part", "a smaller part")
    return "; ".join(part for part in (", ".join(parts), change) if part)


def _rating(mean: Mean) -> str:
    if mean.value is None:
        return "no reviews with stars"
    return f"{mean.value:.1f} of 5, from {counted(mean.count, 'review')}"


def _tone(mean: Mean) -> str:
    if mean.value is None:
        return "nobody's words showed a feeling"
    return f"{mean.value:+.2f}".replace("-", "−") + f" (−1 to +1), from {counted(mean.count, 'mention')}"


def _mean_detail(digest: Digest, mean: Mean, places: int) -> str:
    if mean.value is None:
        return ""
    sign = "+" if places == 2 else ""

    def shown(value: float) -> str:
        return f"{value:{sign}.{places}f}".replace("-", "−")

    parts = [] if mean.last is None else [f"{last_word(digest)} {shown(mean.last)}"]
    parts += [] if mean.usual is None else [f"usual {shown(mean.usual)}"]
    change = said(mean.change, "better", "worse")
    return "; ".join(part for part in (", ".join(parts), change) if part)


def _in_time(answers: Answers) -> str:
    share = answers.in_time
    if not share.whole:
        return "no answer was due"
    return f"{share.part} of {share.whole} ({share.percent:.0f} %), goal {answers.goal} %"


def _in_time_detail(digest: Digest) -> str:
    answers = digest.answers
    parts = []
    if answers.late:
        parts.append(f"late: {_names(answers.late)}")
    if answers.in_time.last:
        part, whole = answers.in_time.last
        parts.append(f"{last_word(digest)} {part} of {whole}")
    if answers.in_time.whole and answers.in_time.change.said:
        parts.append(said(answers.in_time.change, "a larger part", "a smaller part"))
    return "; ".join(parts)


def _first(digest: Digest) -> str:
    answers = digest.answers
    if answers.median is None:
        return "nobody was answered"
    last = "" if answers.last_median is None else f" ({last_word(digest)} {span_text(answers.last_median)})"
    return f"{span_text(answers.median)}{last}"


def _first_detail(answers: Answers) -> str:
    if answers.median is None:
        return ""
    if answers.p90 is None:
        return f"from {counted(answers.answered, 'answer')}, too few for a slowest tenth"
    return f"nine of ten within {span_text(answers.p90)}, from {counted(answers.answered, 'answer')}"


def _open(digest: Digest) -> str:
    if not digest.open:
        return "none"
    oldest = max(digest.open, key=lambda one: one.age)
    return f"{len(digest.open)}, oldest {span_text(oldest.age)}: {oldest.name}"


def _posts_of(digest: Digest, names: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(digest.cases[name] for name in names if name in digest.cases))


def _open_posts(digest: Digest) -> tuple[int, ...]:
    return tuple(one.post.id for one in digest.open if one.post is not None)


def _sources(digest: Digest) -> str:
    if not digest.seen:
        return "there are none"
    fine = sum(one.blind is None for one in digest.seen)
    return f"{fine} of {len(digest.seen)}"


def _blind(one: SourceSeen) -> str:
    if one.blind is None:
        return ""
    if not one.good:
        return f"{one.title} not read at all" + (
            f" ({one.said})" if one.said and one.said != "it was not read" else ""
        )
    return f"{one.title} blind {span_text(one.blind)}"


def _corrections(digest: Digest) -> str:
    found = digest.corrections
    if not found.count:
        return "none"
    return f"{found.count}" + (f" of {counted(found.judged, 'alert')}" if found.judged else "")


def _corrections_detail(digest: Digest) -> str:
    found = digest.corrections
    return "; ".join(
        f"{len(names)} {words}: {_names(names)}"
        for words, names in (
            ("not negative", found.not_negative),
            ("not about us", found.not_us),
            ("more urgent than said", found.more_urgent),
            ("otherwise wrong", found.other),
        )
        if names
    )
