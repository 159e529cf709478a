"""How soon must someone answer, and why? Stars first, then words, then who speaks and to how many."""

from __future__ import annotations

import math
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from monitor.attribution import Share, share_of
from monitor.examination import Examination, Phrase, examine
from monitor.languages import READ, name_of
from monitor.lexicon import harmless
from monitor.lexicon.cues import Cue, Level
from monitor.lexicon.topics import topics_in
from monitor.match import Hit
from monitor.ranker import Offset, chance
from monitor.sentiment import TELLING, found_of
from storage.records import Label, Mention, Priority, Sentiment, Span, Verdict

REASONS_KEPT = 6
REASON_MAX = 120  # characters of one reason
QUOTE_MAX = 60  # characters of one quote in a reason
QUOTES_KEPT = 3
WORDS_KEPT = 4
SIGNS_NEEDED = 2  # independent signs of a joke, an advert, a giveaway, before anything is lowered
SURE = 0.8  # without a complaint named, words alone need this much to be high
WORDS_NEEDED = 4
LONG = 40  # words; beside so many a grave one alone is no alarm
_FIRST_PERSON = frozenset(["i", "i'm", "im", "i've", "me", "my", "mine", "we", "we're", "our", "us"])
FURIOUS = 0.95  # many stars whose words read as bad as this, with a complaint: high
GRAVE_SHARE = 0.5  # of the flag: beside a grave word (a lawsuit, a fire) an even tone is heard, too


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Where the lines between the priorities run."""

    urgent_stars: float = 1.0  # this many stars or fewer: urgent
    high_stars: float = 2.0
    normal_stars: float = 3.0
    negative: float = 0.32  # probability of a complaint from which words are negative: the model's own flag
    high: float = 0.6  # words alone as probable as this, with a complaint named: high
    viral_reach: int = 1000  # a negative with this reach rises one step


class _Reading(NamedTuple):
    """What is known of a mention's words before they are put in order."""

    seen: Examination
    found: float  # 0…1: how probable a complaint about the brand is; 0.0 where nothing was read
    phrases: tuple[Phrase, ...]  # complaints about the brand that name no brand
    circumstances: tuple[Phrase, ...]
    share: Share
    unread: bool
    borrowed: bool  # only an analyser of somebody else's could read it

    @property
    def worst(self) -> Level:
        return max((p.level for p in self.phrases), default=Level.NONE)


def judge(
    mention: Mention,
    brand: str,
    sentiment: Sentiment,
    thresholds: Thresholds = Thresholds(),
    *,
    hits: Sequence[Hit] = (),
    rivals: Sequence[Hit] = (),
    offset: Offset | None = None,
) -> Verdict:
    """How soon someone must answer `mention` for `brand`, where in the line, why, and what it is about.

    Stars decide first and are never lowered; words raise (safety, fraud, law, health, discrimination and
    data most), or say that many stars are meant badly. Without stars the probability of a complaint decides; who
    speaks (press, a vulnerable customer), that somebody leaves, and a large reach raise it a step. Two signs of a
    job advert, a giveaway or a joke lower words, never stars, never safety. What could not be read and has no
    stars is NORMAL: a person looks.

    `hits` are the places of `judged_text` that name any brand, `rivals` those that name rivals: names are no
    reasons, and what is said of others is not held against `brand`. `offset` is what a deployment learned.
    An analyser of somebody else's may raise what is found here, never lower it. Never raises.

    `rank` is 0…1 over all priorities (each has a quarter), so that verdicts of all brands and sources stand
    in one line, worst highest: stars, probability, reach.
    """
    reading = _read(mention, brand, sentiment, hits, rivals, offset)
    negative = reading.found >= thresholds.negative
    notes: list[str] = []
    if mention.stars is not None:
        priority, note = _by_stars(mention.stars, reading, thresholds)
        stars = f"{mention.stars:.3g} of 5 stars"
        notes.append(f"{stars}, but {note}" if note else stars)
    else:
        priority, raised = _by_words(reading, thresholds)
        notes += raised
    bad = negative or (mention.stars is not None and mention.stars <= thresholds.normal_stars)
    viral = bad and priority > Priority.LOW and mention.reach >= thresholds.viral_reach
    if viral:
        priority = Priority(min(priority + 1, Priority.URGENT))
    return Verdict(
        brand=brand,
        sentiment=sentiment,
        priority=priority,
        rank=(priority + _within(mention, reading)) / len(Priority),
        reasons=_reasons(mention, reading, sentiment, _Names(hits), notes, negative=negative, viral=viral),
        topics=topics_in(reading.seen.folded),
    )


def complaint_chance(
    text: str,
    brand: str = "",
    hits: Sequence[Hit] = (),
    rivals: Sequence[Hit] = (),
    offset: Offset | None = None,
) -> float | None:
    """How probable it is that `text` complains about `brand`, 0…1; None where it could not be read."""
    mention = Mention(source="", external_id="", text=text)
    reading = _read(mention, brand, Sentiment(0.0, Label.UNREAD), hits, rivals, offset)
    return None if reading.unread else reading.found


def _read(
    mention: Mention,
    brand: str,
    sentiment: Sentiment,
    hits: Sequence[Hit],
    rivals: Sequence[Hit],
    offset: Offset | None,
) -> _Reading:
    text = mention.judged_text
    share = share_of(text, brand, hits, rivals) if hits or rivals else Share(text)
    seen = examine(share.text)
    names = _Names([*hits, *rivals])
    if names and any(names.touch(start, end) for start, end, weight in seen.weighed if weight):
        # "Best Buy" is no praise: read it once more without its name.
        seen = examine(names.blotted(share.text))
    found = chance(seen, share.text, offset)
    unread = found is None
    probability = found or 0.0
    if share.lost:
        probability = max(probability, 0.85)
    elif share.won:
        probability = min(probability, 0.1)
    elif not share.elsewhere:
        # Somebody else's analyser speaks of the whole text: where part of it is about others, ours alone counts.
        probability = max(probability, found_of(sentiment.compound))
    phrases = tuple(p for p in seen.phrases if p.weight < 0 and not names.cover(p.start, p.end))
    circumstances = tuple(p for p in seen.phrases if p.cue in (Cue.JOURNALIST, Cue.PRESS, Cue.VULNERABLE))
    nobody = unread and sentiment.label is Label.UNREAD
    return _Reading(seen, probability, phrases, circumstances, share, nobody, unread and not nobody)


def _by_stars(stars: float, reading: _Reading, thresholds: Thresholds) -> tuple[Priority, str]:
    """What the stars say, raised by what the words say; and what in them contradicts the stars."""
    worst, found = reading.worst, reading.found
    friendly = not reading.unread and found < thresholds.negative / 2 and reading.seen.tone >= 0.5
    if stars <= thresholds.urgent_stars:
        return Priority.URGENT, "the words read friendly" if friendly else ""
    if stars <= thresholds.high_stars:
        severe = worst is Level.SEVERE
        return (Priority.URGENT if severe else Priority.HIGH), "the words read friendly" if friendly else ""
    if stars <= thresholds.normal_stars:
        grave = worst is Level.SEVERE and found >= thresholds.negative
        return (Priority.HIGH if grave else Priority.NORMAL), ""
    if reading.unread or found < thresholds.high or reading.seen.tone > -0.3:
        return Priority.LOW, ""
    grave = worst is Level.SEVERE or (worst is Level.CLEAR and found >= FURIOUS)
    return (Priority.HIGH if grave else Priority.NORMAL), "the words read furious"


def _by_words(reading: _Reading, thresholds: Thresholds) -> tuple[Priority, list[str]]:
    """What the words say, and what raised or lowered it."""
    if reading.unread:
        return Priority.NORMAL, []
    worst, found = reading.worst, reading.found
    asks = next((p for p in reading.circumstances if p.cue is Cue.JOURNALIST), None)
    if asks is not None and worst is not Level.SEVERE:
        # However politely: what is answered, or not, stands in the paper tomorrow.
        return Priority.HIGH, [f"'{_quote(reading, asks)}' ({asks.cue.value})"]
    severe = any(p.cue.level is Level.SEVERE for p in reading.phrases)
    quiet = found < thresholds.negative * (GRAVE_SHARE if severe else 1.0)
    if quiet and not severe:
        return Priority.LOW, []
    signs = harmless.signs_in(reading.seen.folded)
    likeness = (
        f"reads like {signs[0].kind}: " + ", ".join(f"'{s.phrase}'" for s in signs[:3]) if signs else ""
    )
    news = len(signs) >= SIGNS_NEEDED and signs[0].kind == harmless.NEWS and _only_reported(reading)
    if quiet:
        if news:  # a paper's even tone says nothing about the lawsuit it reports
            return Priority.HIGH, [likeness]
        # "my lawyer loves this shop": a grave word in a friendly text is worth a look, not an alarm.
        return (Priority.NORMAL if found >= thresholds.negative / 3 else Priority.LOW), []
    notes = []
    if reading.share.lost:
        start, end = reading.share.lost
        notes.append(f"'{shorten(reading.share.text[start:end], QUOTE_MAX)}' (leaving for a rival)")
    if len(signs) >= SIGNS_NEEDED:
        if worst is not Level.SEVERE:
            return Priority.LOW, [likeness]
        if news:
            return Priority.HIGH, [likeness]
    named = (
        worst >= Level.CLEAR or sum(p.level is Level.MILD for p in reading.phrases) > 1 or reading.share.lost
    )
    priority = Priority.HIGH if found >= thresholds.high and named else Priority.NORMAL
    if worst is Level.SEVERE:
        priority = Priority.URGENT
    elif reading.circumstances and (named or found >= thresholds.high):
        priority = Priority(priority + 1)
        who = reading.circumstances[0]
        notes.append(f"'{_quote(reading, who)}' ({who.cue.value})")
    elif priority is Priority.NORMAL and any(p.cue is Cue.LEAVING for p in reading.phrases):
        priority = Priority.HIGH
    return priority, notes


def _only_reported(reading: _Reading) -> bool:
    """True for "Acme shares fall after lawsuit": a court or a fraud is told of, by nobody it happened to."""
    grave = {p.cue for p in reading.phrases if p.level is Level.SEVERE}
    return grave <= {Cue.LEGAL, Cue.FRAUD} and _FIRST_PERSON.isdisjoint(reading.seen.folded.split())


def _length(seen: Examination) -> int:
    return seen.folded.count(" ") + 1


def _quote(reading: _Reading, phrase: Phrase) -> str:
    return shorten(reading.seen.fold.text[phrase.start : phrase.end], QUOTE_MAX)


def _within(mention: Mention, reading: _Reading) -> float:
    """Where in the line of its priority: 0…1, below 1."""
    found = 0.5 if reading.unread else reading.found
    reach = min(1.0, math.log10(1 + max(0, mention.reach)) / 9)
    # A fire, a lawyer, leaked data: of two that are equally urgent the one that can hurt somebody is read first.
    grave = 0.2 if reading.worst is Level.SEVERE else 0.0
    if mention.stars is None:
        # Below what stands beside stars: people who gave stars have said it twice.
        share = 0.4 * found + 0.03 * reach + grave
    else:
        share = 0.5 * (5 - mention.stars) / 4 + 0.25 * found + 0.05 * reach + grave
    return min(share, 0.999_999)


def _reasons(
    mention: Mention,
    reading: _Reading,
    sentiment: Sentiment,
    names: _Names,
    notes: list[str],
    *,
    negative: bool,
    viral: bool,
) -> tuple[str, ...]:
    reasons = list(notes)
    seen = reading.seen
    if sentiment.label is Label.UNREAD and (mention.stars is None or mention.judged_text):
        reasons.append(_why_unread(mention, seen))
    told = sorted(
        (p for p in reading.phrases if p.level >= Level.CLEAR), key=lambda p: (-p.level, p.weight, p.start)
    )
    quoted: dict[str, str] = {}
    for phrase in told:
        if len(quoted) >= QUOTES_KEPT:
            break
        quote = _quote(reading, phrase)
        quoted.setdefault(quote.casefold(), f"'{quote}' ({phrase.cue.value})")
    reasons += quoted.values()
    if negative:
        words = _words(sentiment.spans, quoted, reading, names)
        if words:
            reasons.append(shorten("words: " + ", ".join(words), REASON_MAX))
    if reading.borrowed:
        name = name_of(seen.language)
        reasons.append(
            f"read by the second analyser alone ({name})" if name else "read by the second analyser alone"
        )
    elif not (negative or reading.unread) and seen.words and seen.language and seen.language not in READ:
        reasons.append(
            f"beyond that not read ({name_of(seen.language) or 'text is not in a language lowstar reads'})"
        )
    if reading.share.elsewhere:
        reasons.append("part of it is about another company")
    if viral:
        reasons.append(f"seen by {mention.reach:,} people")
    if not reading.unread and (negative or not reasons):
        reasons.append(f"complaint: {likely(reading.found)}")
    return tuple(reasons[:REASONS_KEPT])


def _words(spans: Sequence[Span], quoted: dict[str, str], reading: _Reading, names: _Names) -> list[str]:
    """The words that told, outside what is quoted, outside names and outside what is about others."""
    words: dict[str, str] = {}
    for span in sorted(spans, key=lambda s: s.weight):
        word = shorten(span.text, 24)
        telling = span.weight <= (TELLING if quoted or words else 0.0)
        if (
            telling
            and word
            and word.casefold() not in quoted
            and not names.cover(span.start, span.end)
            and reading.share.text[span.start : span.end].strip()
            and len(words) < WORDS_KEPT
        ):
            words.setdefault(word.casefold(), word)
    return list(words.values())


def likely(found: float) -> str:
    """A probability in words, 1 to 99 %: no text is certain to be a complaint, and none certain not to be."""
    return f"{min(99, max(1, round(found * 100)))} % likely"


def _why_unread(mention: Mention, seen: Examination) -> str:
    if not mention.judged_text:
        return "not read (no text)"
    if not seen.words:
        return "not read (no words in it)"
    if seen.latin and seen.language in ("", "en"):
        return "not read (it could not be scored)"
    name = name_of(mention.language) or name_of(seen.language)
    return f"not read ({name})" if name else "not read (text is not in a language lowstar reads)"


class _Names:
    """The places that name the brand. A post may hold thousands: looked up, not searched."""

    def __init__(self, hits: Sequence[Hit]) -> None:
        ordered = sorted((hit.start, hit.end) for hit in hits)
        self._starts = [start for start, _ in ordered]
        self._ends = list(accumulate((end for _, end in ordered), max))

    def __bool__(self) -> bool:
        return bool(self._starts)

    def touch(self, start: int, end: int) -> bool:
        """True for a piece that shares a character with a name."""
        at = bisect_right(self._starts, end - 1)
        return at > 0 and self._ends[at - 1] > start

    def blotted(self, text: str) -> str:
        """`text` with commas for names."""
        pieces: list[str] = []
        at = 0
        for start, end in zip(self._starts, self._ends, strict=True):
            pieces += (text[at : max(at, start)], "," * (end - max(at, start)))
            at = max(at, end)
        return "".join([*pieces, text[at:]])

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
