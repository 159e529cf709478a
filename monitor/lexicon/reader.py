"""Which phrases stand in a folded text? One Aho-Corasick pass, then boundaries, negation, questions."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick, MatchKind

from monitor.lexicon import english, languages
from monitor.lexicon.cues import Cue, Level, words
from monitor.normalise import fold

NEGATIONS = words(
    "not no never isn't isnt wasn't wasnt aren't arent weren't werent don't dont doesn't doesnt didn't "
    "didnt won't wont can't cant cannot couldn't couldnt wouldn't wouldnt hasn't hasnt haven't havent "
    "hadn't hadnt without nothing hardly barely neither nor ain't aint far"
)
# "is this a scam?" asks; "where is my order?" does not.
_ASKING = words("is are was were does do did can could would has have had if whether anyone anybody any")
_NUMBERS = words(
    "two three four five six seven eight nine ten twelve twenty thirty forty several many few multiple couple"
)
_UNITS = (
    "hour",
    "hours",
    "hr",
    "hrs",
    "minutes",
    "mins",
    "min",
    "day",
    "days",
    "week",
    "weeks",
    "month",
    "months",
)
_WAITS = (
    "wait",
    "waited",
    "waiting",
    "hold",
    "queue",
    "queued",
    "queuing",
    "late",
    "delay",
    "delayed",
    "overdue",
    "still",
    "stuck",
    "ago",
    "without",
)
_NEAR = 28  # characters between a wait and the time it took: "waited in the terminal for 3 hours"
LONG_WAIT_WEIGHT = -2.0
_NEGATIONS = {"en": NEGATIONS, **languages.NEGATIONS}
_CLAUSE_END = re.compile("[.!?;,\u2026]")
PRAISE_WEIGHT, COMPLAINT_WEIGHT, SEVERE_WEIGHT = 2.2, -2.3, -3.0  # of the lists of other languages
ANY = "*"  # the language of what is understood everywhere
UNKNOWN = "und"  # what `monitor.languages` says of words of no language it knows
_FOREIGN = frozenset(languages.COMPLAINTS)
_LISTED = frozenset(("en", "", *_FOREIGN))
_OWN = frozenset((ANY, "#unit", "#wait"))  # not read as if nothing told the language


def _foreign_weight(cue: Cue) -> float:
    return SEVERE_WEIGHT if cue.level is Level.SEVERE else COMPLAINT_WEIGHT


def _ages() -> Iterator[str]:
    """How people say that somebody is of great age: "i'm 82", "my 91-year-old mother"."""
    for years in range(75, 100):
        yield from (f"{years} years old", f"{years} year old", f"{years}-year-old", f"{years} yrs old")
        yield from (
            f"i'm {years}",
            f"i am {years}",
            f"she's {years}",
            f"he's {years}",
            f"aged {years}",
            f"who is {years}",
        )


class Found(NamedTuple):
    """A phrase in the folded text."""

    start: int
    end: int
    cue: Cue
    weight: float  # after negation and questions
    level: Level


class _Entry(NamedTuple):
    language: str
    cue: Cue
    weight: float
    open_end: bool  # any ending may follow
    anywhere: bool  # read too where nothing tells the language
    negative: bool  # begins with a negation of its own, so one before it does not turn it round


class PhraseReader:
    """The lists as one automaton. Building it takes some 20 ms; `reader()` keeps one a process."""

    def __init__(self) -> None:
        entries: dict[str, list[_Entry]] = {}

        def add(language: str, cue: Cue, weight: float, phrases: str) -> None:
            for phrase in phrases.split("|"):
                open_end = phrase.endswith("*")
                folded = fold(phrase.removesuffix("*"))
                negative = not (_NEGATIONS.get(language, NEGATIONS) | {"nobody"}).isdisjoint(folded.split())
                anywhere = language == "en" or folded not in languages.ALSO_ENGLISH
                entry = _Entry(language, cue, weight, open_end, anywhere, negative)
                for form in {folded, folded.replace("'", "")}:
                    known = entries.setdefault(form, [])
                    # The first list that names a phrase decides, so lists go from severe to mild.
                    if not any(e.language == language for e in known):
                        known.append(entry)

        for weight, phrases in english.HARMLESS:
            add("en", Cue.HARMLESS, weight, phrases)
        boosted = (f"{b} {w}" for b in english.BOOSTS.split("|") for w in english.BOOSTED.split("|"))
        add("en", Cue.HARMLESS, english.BOOSTED_WEIGHT, "|".join(boosted))
        for cue, weight, phrases in english.COMPLAINTS:
            add("en", cue, weight, phrases)
        for cue, phrases in english.CIRCUMSTANCES:
            add("en", cue, 0.0, phrases)
        add("en", Cue.VULNERABLE, 0.0, "|".join(_ages()))
        for weight, phrases in english.PRAISE:
            add("en", Cue.PRAISE, weight, phrases)
        for weight, phrases in english.HINTS:
            add("en", Cue.HINT, weight, phrases)
        for language, lists in languages.COMPLAINTS.items():
            for cue, phrases in lists:
                add(language, cue, _foreign_weight(cue), phrases)
        for language, phrases in languages.PRAISE.items():
            add(language, Cue.PRAISE, PRAISE_WEIGHT, phrases)
        for cue, phrases in languages.COGNATE_COMPLAINTS:
            add(ANY, cue, _foreign_weight(cue), phrases)
        add(ANY, Cue.PRAISE, PRAISE_WEIGHT, languages.COGNATE_PRAISE)
        for unit in _UNITS:
            add("#unit", Cue.WAITING, 0.0, unit)
        for wait in _WAITS:
            add("#wait", Cue.WAITING, 0.0, wait)
        self._entries = [tuple(found) for found in entries.values()]
        self._lengths = [len(form) for form in entries]
        self._automaton = AhoCorasick(list(entries), MatchKind.Standard)

    def read(self, folded: str, language: str) -> list[Found]:
        """The phrases of a language in folded text, in their order, none inside or across another.

        `language` "" (nothing tells) takes English and, as no English word stands against it, all others; one
        without a list takes what is understood everywhere, UNKNOWN all but English.
        Time is linear in the text.
        """
        unknown = language == UNKNOWN
        if language not in _LISTED:
            language = ANY
        units: list[tuple[int, int]] = []
        waits: list[tuple[int, int]] = []
        candidates: list[tuple[int, int, _Entry]] = []
        entries = self._entries
        last = len(folded)
        for pattern, start, end in self._automaton.find_matches_as_indexes(folded, overlapping=True):
            before = folded[start - 1] if start and folded[start].isalnum() else " "
            glued = before.isalnum() or before == "_"
            if glued and not before.isdecimal():
                continue
            inside = end < last and folded[end].isalnum() and folded[end - 1].isalnum()
            for entry in entries[pattern]:
                if inside and not entry.open_end:
                    continue
                if glued and entry.language != "#unit":  # "45mins" is written so; "4scam" is another word
                    continue
                if entry.language == language or (
                    entry.anywhere
                    and (
                        (not language and entry.language not in _OWN)
                        or (unknown and entry.language in _FOREIGN)
                    )
                ):
                    candidates.append((start, end, entry))
                elif entry.language == "#unit":
                    units.append((start, end))
                elif entry.language == "#wait":
                    waits.append((start, end))
        if len(candidates) > 1:
            candidates.sort(key=_first_longest)
        found: list[Found] = []
        until = -1
        for start, end, entry in candidates:
            if start < until:
                continue
            if entry.open_end:
                end = _word_end(folded, end)
            until = end
            found.append(_weighed(folded, start, end, entry))
        if units and waits and language in ("en", ""):
            return _with_long_waits(folded, units, waits, found)
        return found


def _first_longest(candidate: tuple[int, int, _Entry]) -> tuple[int, int, bool]:
    start, end, entry = candidate
    return (start, -end, entry.cue is not Cue.HARMLESS)


def _word_end(folded: str, end: int) -> int:
    limit = min(len(folded), end + 30)
    while end < limit and folded[end].isalnum():
        end += 1
    return end


def _weighed(folded: str, start: int, end: int, entry: _Entry) -> Found:
    """The phrase, turned round by a negation up to three words before it, weakened by a question."""
    cue, weight, level = entry.cue, entry.weight, entry.cue.level
    if (
        not weight or cue is Cue.HARMLESS or (cue is Cue.HINT and weight > -0.6)
    ):  # what has nothing to turn round
        return Found(start, end, cue, weight, Level.NONE)
    if not entry.negative:
        before = folded[max(0, start - 32) : start]
        # Only within the same clause: "no. it crashed" denies nothing.
        last = _CLAUSE_END.split(before)[-1].split()[-3:] if before else ()
        if not _NEGATIONS[entry.language].isdisjoint(last):
            if cue is Cue.PRAISE:
                return Found(start, end, Cue.ANNOYED, -0.75 * weight, Level.MILD)
            return Found(start, end, Cue.HARMLESS, -0.25 * weight, Level.NONE)
    if level is Level.SEVERE and _asks(folded, start, end):
        return Found(start, end, cue, weight * 0.4, Level.MILD)
    return Found(start, end, cue, weight, level)


def _asks(folded: str, start: int, end: int) -> bool:
    """True when the phrase stands in a sentence like "is this a scam?"."""
    after = folded[end : end + 60]
    stop = min((at for mark in ".!?;" if (at := after.find(mark)) >= 0), default=-1)
    if stop < 0 or after[stop] != "?":
        return False
    before = folded[max(0, start - 60) : start]
    for mark in ".!?;:,":
        before = before.rpartition(mark)[2]
    return not _ASKING.isdisjoint(before.split()[:3])


def _with_long_waits(
    folded: str, units: list[tuple[int, int]], waits: list[tuple[int, int]], found: list[Found]
) -> list[Found]:
    """What was found, with "waited 3 hours", "45 minutes on hold", "2 weeks late" in place of mere hints."""
    waits.sort()
    starts = [start for start, _ in waits]
    told = [f for f in found if f.cue is not Cue.HINT]
    told_starts = [f.start for f in told]
    long_waits: list[Found] = []
    until = -1
    for start, end in sorted(units):
        number = _number_before(folded, start)
        if number is None or number < until:
            continue
        at = bisect_right(starts, start)
        for wait_start, wait_end in waits[max(0, at - 1) : at + 1]:
            if not (number - _NEAR <= wait_end <= number or end <= wait_start <= end + _NEAR):
                continue
            left, right = min(number, wait_start), max(end, wait_end)
            if left < until:
                continue
            before = bisect_right(told_starts, right - 1) - 1
            if before < 0 or told[before].end <= left:
                until = right
                long_waits.append(Found(left, right, Cue.WAITING, LONG_WAIT_WEIGHT, Cue.WAITING.level))
            break
    if not long_waits:
        return found
    left_out = [f.start for f in long_waits]
    kept = [
        f for f in found if (at := bisect_right(left_out, f.end - 1) - 1) < 0 or long_waits[at].end <= f.start
    ]
    return sorted([*kept, *long_waits])


def _number_before(folded: str, unit: int) -> int | None:
    """Where the number before a unit of time begins: "3 hours", "2.5+ hrs", "three weeks", "45mins"."""
    at = unit - 1
    while at >= 0 and unit - at < 4 and folded[at] in " -+":
        at -= 1
    end = at + 1
    while at >= 0 and end - at < 12 and (folded[at].isalnum() or folded[at] in ".,/"):
        at -= 1
    word = folded[at + 1 : end]
    return at + 1 if word in _NUMBERS or (word and (word[0].isdecimal() or word[-1].isdecimal())) else None


@cache
def reader() -> PhraseReader:
    """The one reader of this process."""
    return PhraseReader()
