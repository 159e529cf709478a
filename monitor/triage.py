"""How soon must someone answer, and why? Stars first, then words, then reach."""

from __future__ import annotations

import math
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from monitor.lexicon import languages
from monitor.lexicon.cues import Level
from monitor.lexicon.topics import topics_in
from monitor.match import Hit
from monitor.sentiment import Examination, Phrase, examine
from storage.records import Label, Mention, Priority, Sentiment, Verdict

REASONS_KEPT = 6
REASON_MAX = 120  # characters of one reason
QUOTE_MAX = 60  # characters of one quote in a reason
QUOTES_KEPT = 3
WORDS_KEPT = 4
TELLING = -1.0  # a word that weighs less is no reason of its own ("not", "again")
FURIOUS_COMPOUND = -0.7  # four and five stars whose words read as bad as this, with a complaint: high

# Of the scripts no list covers, by the language a source names.
_OTHER_NAMES = {
    "ar": "Arabic",
    "bg": "Bulgarian",
    "el": "Greek",
    "fa": "Persian",
    "he": "Hebrew",
    "hi": "Hindi",
    "ja": "Japanese",
    "ko": "Korean",
    "no": "Norwegian",
    "ru": "Russian",
    "th": "Thai",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "zh": "Chinese",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Where the lines between the priorities run."""

    urgent_stars: float = 1.0  # this many stars or fewer: urgent
    high_stars: float = 2.0
    normal_stars: float = 3.0
    negative: float = -0.05  # compound at or below: negative (VADER's own threshold)
    high_compound: float = -0.5  # words alone at or below: high
    viral_reach: int = 1000  # a negative with this reach rises one step


def judge(
    mention: Mention,
    brand: str,
    sentiment: Sentiment,
    thresholds: Thresholds = Thresholds(),
    *,
    hits: Sequence[Hit] = (),
) -> Verdict:
    """How soon someone must answer `mention` for `brand`, where in the line, why, and what it is about.

    Stars decide first and are never lowered; words raise (safety, fraud, law, health, discrimination and
    data most), or say that many stars are meant badly; a negative seen by many rises one step. What could
    not be read and has no stars is NORMAL: a person looks. `hits` are the places of `judged_text` that name
    the brand, in their order: a name is no reason. Never raises.

    `rank` is 0…1 over all priorities (each has a quarter), so that verdicts of all brands and sources stand
    in one line, worst highest: stars, tone, strength of complaint, reach.
    """
    seen = examine(mention.judged_text)
    names = _Names(hits)
    phrases = [p for p in seen.phrases if p.weight < 0 and not names.cover(p.start, p.end)]
    negative = sentiment.compound <= thresholds.negative
    furious = False
    if mention.stars is not None:
        priority, furious = _by_stars(mention.stars, phrases, sentiment, thresholds)
    else:
        priority = _by_words(phrases, sentiment, thresholds)
    bad = negative or (mention.stars is not None and mention.stars <= thresholds.normal_stars)
    viral = bad and mention.reach >= thresholds.viral_reach
    if viral:
        priority = Priority(min(priority + 1, Priority.URGENT))
    return Verdict(
        brand=brand,
        sentiment=sentiment,
        priority=priority,
        rank=(priority + _within(mention, phrases, sentiment)) / len(Priority),
        reasons=_reasons(mention, seen, phrases, sentiment, names, furious=furious, viral=viral),
        topics=topics_in(seen.folded),
    )


def _by_stars(
    stars: float, phrases: Sequence[Phrase], sentiment: Sentiment, thresholds: Thresholds
) -> tuple[Priority, bool]:
    """What the stars say, raised by what the words say; True with many stars and furious words."""
    worst = _worst(phrases)
    if stars <= thresholds.urgent_stars:
        return Priority.URGENT, False
    if stars <= thresholds.high_stars:
        return (Priority.URGENT if worst is Level.SEVERE else Priority.HIGH), False
    if stars <= thresholds.normal_stars:
        grave = worst is Level.SEVERE and sentiment.compound <= thresholds.negative
        return (Priority.HIGH if grave else Priority.NORMAL), False
    if sentiment.label is Label.UNREAD or sentiment.compound > thresholds.high_compound:
        return Priority.LOW, False
    grave = worst is Level.SEVERE or (worst is Level.CLEAR and sentiment.compound <= FURIOUS_COMPOUND)
    return (Priority.HIGH if grave else Priority.NORMAL), True


def _by_words(phrases: Sequence[Phrase], sentiment: Sentiment, thresholds: Thresholds) -> Priority:
    worst = _worst(phrases)
    unread = sentiment.label is Label.UNREAD
    if unread or sentiment.compound <= thresholds.negative:
        if worst is Level.SEVERE:
            return Priority.URGENT
        if worst is Level.CLEAR or sentiment.compound <= thresholds.high_compound:
            return Priority.HIGH
        return Priority.NORMAL
    # "my lawyer loves this shop": a grave word in a friendly text is worth a look, not an alarm.
    return Priority.NORMAL if worst >= Level.CLEAR else Priority.LOW


def _worst(phrases: Sequence[Phrase]) -> Level:
    return max((p.level for p in phrases), default=Level.NONE)


def _within(mention: Mention, phrases: Sequence[Phrase], sentiment: Sentiment) -> float:
    """Where in the line of its priority: 0…1, below 1."""
    tone = (1 - max(-1.0, min(1.0, sentiment.compound))) / 2
    complaint = 1 - math.exp(sum([p.weight for p in phrases]) / 8)
    reach = min(1.0, math.log10(1 + max(0, mention.reach)) / 9)
    if mention.stars is None:
        share = 0.75 * tone + 0.2 * complaint + 0.05 * reach
    else:
        share = 0.6 * (5 - mention.stars) / 4 + 0.2 * tone + 0.15 * complaint + 0.05 * reach
    return min(share, 0.999_999)


def _reasons(
    mention: Mention,
    seen: Examination,
    phrases: Sequence[Phrase],
    sentiment: Sentiment,
    names: _Names,
    *,
    furious: bool,
    viral: bool,
) -> tuple[str, ...]:
    reasons: list[str] = []
    if mention.stars is not None:
        but = ", but the words read furious" if furious else ""
        reasons.append(f"{mention.stars:.3g} of 5 stars{but}")
    if sentiment.label is Label.UNREAD and (mention.stars is None or mention.judged_text):
        reasons.append(_why_unread(mention, seen))
    text = mention.judged_text
    told = sorted((p for p in phrases if p.level >= Level.CLEAR), key=lambda p: (-p.level, p.weight, p.start))
    quoted: dict[str, str] = {}
    for phrase in told:
        if len(quoted) >= QUOTES_KEPT:
            break
        quote = shorten(text[phrase.start : phrase.end], QUOTE_MAX)
        quoted.setdefault(quote.casefold(), f"'{quote}' ({phrase.cue.value})")
    reasons += quoted.values()
    negative = sentiment.label is Label.NEGATIVE
    if negative:
        words: dict[str, str] = {}
        for span in sentiment.spans:
            word = shorten(span.text, 24)
            if (
                span.weight <= TELLING
                and word
                and word.casefold() not in quoted
                and not names.cover(span.start, span.end)
                and len(words) < WORDS_KEPT
            ):
                words.setdefault(word.casefold(), word)
        if words:
            reasons.append(shorten("words: " + ", ".join(words.values()), REASON_MAX))
    if viral:
        reasons.append(f"seen by {mention.reach:,} people")
    if sentiment.label is not Label.UNREAD and (negative or not reasons):
        sign = "\u2212" if sentiment.compound < 0 else "+" if sentiment.compound > 0 else ""
        reasons.append(f"tone {sign}{abs(sentiment.compound):.2f}")
    return tuple(reasons[:REASONS_KEPT])


def _why_unread(mention: Mention, seen: Examination) -> str:
    if not mention.judged_text:
        return "not read (no text)"
    names = languages.NAMES | _OTHER_NAMES
    name = names.get(mention.language.partition("-")[0], "")
    if not seen.words:
        return "not read (no words in it)"
    if seen.latin and seen.language in ("", "en"):
        return "not read (it could not be scored)"
    if seen.latin:
        name = name if mention.language and name else names.get(seen.language, "")
    return f"not read ({name})" if name else "not read (text is not in a language lowstar reads)"


class _Names:
    """The places that name the brand. A post may hold thousands: looked up, not searched."""

    def __init__(self, hits: Sequence[Hit]) -> None:
        ordered = sorted((hit.start, hit.end) for hit in hits)
        self._starts = [start for start, _ in ordered]
        self._ends = list(accumulate((end for _, end in ordered), max))

    def cover(self, start: int, end: int) -> bool:
        """True for a piece inside a place that names the brand."""
        at = bisect_right(self._starts, start)
        return at > 0 and self._ends[at - 1] >= end


def shorten(text: str, limit: int) -> str:
    """`text` on one line, at most `limit` characters with its "…", never cut inside what is seen as one sign.

    >>> shorten("still no refund", 9), shorten("fine\u2026", 9)
    ('still no…', 'fine…')
    """
    # Nothing beyond the limit is shown, so a stranger's long text is not even split.
    text = " ".join(text[: limit * 8].split())
    if len(text) <= limit:
        return text
    at = limit - 1
    while at > 0 and (_modifies(text[at]) or text[at - 1] == "\u200d" or _between_flags(text, at)):
        at -= 1
    return text[:at].rstrip() + "\u2026"


def _modifies(char: str) -> bool:
    """True for what is drawn onto the sign before it: marks, joiners, variations, skin tones."""
    return (
        char in "\u200d\ufe0e\ufe0f"
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or "\U000e0020" <= char <= "\U000e007f"
        or unicodedata.category(char)[0] == "M"
    )


def _between_flags(text: str, at: int) -> bool:
    """True when a cut at `at` would divide the two letters of a flag."""
    run = 0
    while run < at and "\U0001f1e6" <= text[at - 1 - run] <= "\U0001f1ff":
        run += 1
    return run % 2 == 1 and "\U0001f1e6" <= text[at] <= "\U0001f1ff"
