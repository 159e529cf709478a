"""What does a text hold that tells how its author feels? Phrases, words, emoji, language: read once.

VADER's rules over cleaned text, phrases of our own lists in place of the words they cover, emoji by their
own weights. VADER reads English only ("die" is a word of its lexicon): another language is read by its own
short list and its emoji.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from monitor.attribution import own_words
from monitor.languages import language_of
from monitor.lexicon import emoji as own_emoji
from monitor.lexicon.cues import Cue, Level
from monitor.lexicon.reader import reader
from monitor.normalise import Folded
from monitor.vader import Reading, squash, vader
from storage.records import TEXT_MAX

EMOJI_COUNTED = 3  # of one kind: forty angry faces are one angry person
PRAISE_BESIDE_COMPLAINT = 0.5  # a text that says what went wrong is not saved by "great" and "please"
ALPHA_PER_SIGNAL = 1.0  # long texts hold more of everything; see `_tone`

# Addresses and names of accounts score in VADER ("@united" +.42); a comma is no word and bounds one.
_NAMES = re.compile(r"https?://\S+|www\.\S+|(?<![\w@])@\w+")
_CURLY = re.compile("[\u2018\u2019\u02bc\u00b4\u0060\u2032]")
# A character for a character, so that positions stay true: joiners, variations and skin tones go too.
_EMOJI_JOINERS = "\u200d\ufe0f\U0001f3fb-\U0001f3ff"
_NOT_LATIN = re.compile(r"[^\W\d_\x00-\u024f\u1e00-\u1eff\u2c60-\u2c7f\ua720-\ua7ff\uff21-\uff5a]")
_LETTER = re.compile(r"[^\W\d_]")


class Phrase(NamedTuple):
    """A phrase of our lists, where it stands in the text as given."""

    start: int
    end: int
    cue: Cue
    weight: float
    level: Level


class Examination(NamedTuple):
    """All that reading a text brought to light; `analyse` and triage share it."""

    language: str  # ISO 639-1; "" where nothing tells
    latin: bool  # False where most letters are of another script
    words: bool  # False where nothing but names, links, numbers and signs stands there
    phrases: tuple[Phrase, ...]  # in the order of the text, what voids others included
    emoji: tuple[Phrase, ...]
    vader: Reading | None  # None where it is not believed
    clean: str  # as long as the text: links, names and emoji blotted out
    folded: str  # `clean`, normalised
    weighed: tuple[tuple[int, int, float], ...]  # (start, end, weight) of all that scores, by start
    tone: float  # what they come to: −1…1
    fold: Folded  # `folded`, knowing where its pieces stand in the text


@cache
def _emoji_weights() -> dict[str, float]:
    weights = {char: sum(vader().read(name).values) for char, name in vader().emoji.items()}
    return {**weights, **own_emoji.WEIGHTS}


@cache
def _emoji_pattern() -> re.Pattern[str]:
    near = "".join(sorted(re.escape(e) for e in _emoji_weights() if "\x7f" < e <= "\uffff"))
    return re.compile(f"[{near}\U0001f000-\U0001faff{_EMOJI_JOINERS}]")


@lru_cache(maxsize=2)  # `analyse` and `judge` ask one after the other
def examine(text: str) -> Examination:
    """Read `text` once; at most TEXT_MAX characters of it. Never raises; linear in its length."""
    text = text[:TEXT_MAX]
    clean = own_words(text)
    if "@" in clean or "://" in clean or "www." in clean:
        clean = _NAMES.sub(_blot, clean)
    faces: list[Phrase] = []
    latin = True
    if not clean.isascii():
        clean = _CURLY.sub("'", clean)
        clean = _read_emoji(clean, faces)
        if not clean.isascii():
            foreign = len(_NOT_LATIN.findall(clean))
            latin = foreign == 0 or foreign * 2 < len(_LETTER.findall(clean))
    folded = Folded(clean)
    bag = {word.strip(".,!?;:()\"'*") for word in folded.folded.split()}
    bag.discard("")
    language = language_of(clean, bag, latin=latin) if bag else ""
    phrases: tuple[Phrase, ...] = ()
    if bag:
        phrases = tuple(
            Phrase(*folded.span(start, end), cue, weight, level)
            for start, end, cue, weight, level in reader().read(folded.folded, language)
        )
    read = vader().read(clean) if latin and language in ("en", "") else None
    weighed = _weighed(phrases, faces, read)
    return Examination(
        language,
        latin,
        _LETTER.search(clean) is not None,
        phrases,
        tuple(faces),
        read,
        clean,
        folded.folded,
        tuple(weighed),
        _tone(phrases, read, weighed),
        folded,
    )


def _blot(found: re.Match[str]) -> str:
    return "," * len(found[0])


def _read_emoji(text: str, faces: list[Phrase]) -> str:
    """`text` with commas for emoji, which go to `faces` with their weights."""
    weights = _emoji_weights()
    seen: Counter[str] = Counter()
    pieces: list[str] = []
    at = 0
    for found in _emoji_pattern().finditer(text):
        char, start = found[0], found.start()
        pieces += (text[at:start], ",")
        at = start + 1
        weight = weights.get(char, 0.0)
        if weight:
            seen[char] += 1
            if seen[char] <= EMOJI_COUNTED:
                weight /= seen[char]
                faces.append(Phrase(start, at, Cue.HINT, weight, Level.NONE))
    return "".join([*pieces, text[at:]]) if pieces else text


def _weighed(
    phrases: Sequence[Phrase], faces: Sequence[Phrase], read: Reading | None
) -> list[tuple[int, int, float]]:
    """What scores, in the order of the text: phrases in place of the words they cover, other words, emoji."""
    weighed: list[tuple[int, int, float]] = [(p.start, p.end, p.weight) for p in faces]
    covers = [[p.start, p.end, p.weight, 0.0] for p in phrases]
    if read is not None:
        at = 0
        cover = 0
        place = 0
        text, tokens = read.text, read.tokens
        for i, value in zip(read.places, read.values, strict=True):
            for token in tokens[place : i + 1]:
                start = text.index(token, at)
                at = start + len(token)
            place = i + 1
            while cover < len(covers) and covers[cover][1] <= start:
                cover += 1
            if cover < len(covers) and covers[cover][0] < at:
                covers[cover][3] += value
            elif value:
                token = tokens[i]
                word = token.strip("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") or token
                start += token.index(word)
                weighed.append((start, start + len(word), value))
    for phrase, (_, _, weight, value) in zip(phrases, covers, strict=True):
        # A single word, boosted, may weigh more to VADER; unless a question made it less than its kind.
        if phrase.level is phrase.cue.level and (value < weight < 0 or value > weight > 0):
            weight = value
        weighed.append((phrase.start, phrase.end, weight))
    weighed.sort()
    return weighed


def _tone(phrases: Sequence[Phrase], read: Reading | None, weighed: list[tuple[int, int, float]]) -> float:
    """−1…1, as VADER squashes its sum, with the constant growing with the number of signals.

    VADER's constant fits a tweet: of a page of text nearly every sum ends at ±1. Praise counts half beside a
    clear complaint.
    """
    positive = sum([w for _, _, w in weighed if w > 0])
    negative = sum([w for _, _, w in weighed if w < 0])
    if any(p.level >= Level.CLEAR or p.cue is Cue.FURIOUS for p in phrases):
        positive *= PRAISE_BESIDE_COMPLAINT
    total = positive + negative
    emphasis = read.emphasis if read is not None else 0.0
    if total:
        total += emphasis if total > 0 else -emphasis
    signals = max(0, len(weighed) - 4)
    return round(squash(total, 15 + ALPHA_PER_SIGNAL * signals * 4), 4)
