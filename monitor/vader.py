"""What does VADER say of an English text? vaderSentiment 3.3.2, to the last bit, in linear time.

The original copies and lower-cases the whole word list several times for every word that scores, looks each
negation up in a list, grows the text emoji by emoji, and finds every value of a text with "but" by
`list.index`: 40,000 characters take it seconds. Here each token is looked at once, and only tokens that score
are looked at again. The lexicon, the emoji names and every constant are the installed package's own.
"""

from __future__ import annotations

import math
import re
import string
from functools import cache
from heapq import heappop, heappush
from typing import NamedTuple

from vaderSentiment.vaderSentiment import (
    BOOSTER_DICT,
    C_INCR,
    N_SCALAR,
    NEGATE,
    SPECIAL_CASES,
    SentimentIntensityAnalyzer,
)

CACHED_TOKENS = 30_000  # tokens remembered between texts; about 5 MB
CACHED_LENGTH = 40  # a longer token hardly comes twice
ALPHA = 15  # `normalize`'s constant, the greatest sum its authors expected


class Word(NamedTuple):
    """What the rules ask of a token; alike for all tokens no rule knows."""

    low: str  # lower case, without the punctuation around it; "" where no rule reads it
    known: bool  # stands in the lexicon: then it neither boosts nor negates its neighbours
    valence: float | None  # its own, None where it does not score by itself
    boost: float  # 0.0 unless it makes its neighbours stronger or weaker
    negates: bool
    upper: bool
    anchor: bool  # part of an idiom: "the bomb", "kind of"


_PLAIN = Word("", False, None, 0.0, False, False, False)
_PLAIN_UPPER = _PLAIN._replace(upper=True)
# Words that rules name beside the lexicon, the boosters and the negations.
_NAMED = frozenset(
    ("no", "or", "nor", "so", "this", "never", "without", "doubt", "least", "at", "very", "of", "kind", "but")
)
_ABSENT = _PLAIN


class _Words(dict[str, Word]):
    """Token → Word, worked out when first met and remembered."""

    def __init__(self, lexicon: dict[str, float]) -> None:
        super().__init__()
        self._lexicon = lexicon
        self._negations = frozenset(NEGATE)
        phrases = [phrase.split() for phrase in (*SPECIAL_CASES, *BOOSTER_DICT) if " " in phrase]
        self._in_phrases = frozenset(word for phrase in phrases for word in phrase)
        # Every idiom holds its longest word, so a window without one of these holds no idiom.
        self._anchors = frozenset(max(phrase, key=len) for phrase in phrases)

    def __missing__(self, token: str) -> Word:
        word = self._look_up(token)
        if len(token) <= CACHED_LENGTH:
            if len(self) >= CACHED_TOKENS:
                self.clear()
            self[token] = word
        return word

    def _look_up(self, token: str) -> Word:
        stripped = token.strip(string.punctuation)
        if len(stripped) <= 2:  # likely an emoticon
            stripped = token
        low = stripped.lower()
        upper = stripped.isupper()
        known = low in self._lexicon
        boosts = low in BOOSTER_DICT
        negates = low in self._negations or "n't" in low
        if not (known or boosts or negates or low in _NAMED or low in self._in_phrases):
            return _PLAIN_UPPER if upper else _PLAIN
        valence = self._lexicon[low] if known and not boosts else None
        return Word(low, known, valence, BOOSTER_DICT.get(low, 0.0), negates, upper, low in self._anchors)


class Reading(NamedTuple):
    """What a text holds: the tokens VADER sees and the value of each that scores."""

    text: str  # emoji replaced by their names
    tokens: list[str]
    places: list[int]  # positions in `tokens` of what scores, ascending
    values: list[float]  # its value after boosters, negation and "but"; may be 0
    emphasis: float  # what "!" and "?" add

    @property
    def total(self) -> float:
        """The sum behind the compound, emphasis included; 0.0 where nothing scores."""
        total = float(sum(self.values))
        if total > 0:
            total += self.emphasis
        elif total < 0:
            total -= self.emphasis
        return total


class Vader:
    """vaderSentiment's rules over its own lexicon. Building one reads the package's two files (20 ms)."""

    def __init__(self) -> None:
        original = SentimentIntensityAnalyzer()
        self.lexicon: dict[str, float] = original.lexicon
        # The original walks the text character by character, so names of longer emoji are never found.
        self.emoji: dict[str, str] = {e: name for e, name in original.emojis.items() if len(e) == 1}
        self._emoji_set = frozenset(self.emoji)
        # A class of characters beyond U+FFFF would be searched one by one: a range there, then a look-up.
        near = "".join(re.escape(e) for e in self.emoji if e <= "\uffff")
        far = [e for e in self.emoji if e > "\uffff"]
        self._maybe_emoji = re.compile(f"[{near}{min(far)}-{max(far)}]")
        self._words = _Words(self.lexicon)

    def spell_emoji(self, text: str) -> str:
        """`text` with the name of every emoji in its place, a space before each.

        The original leaves the space out after another space; no rule sees the difference.
        """
        if text.isascii() or self._emoji_set.isdisjoint(text):
            return text
        emoji = self.emoji

        def name(found: re.Match[str]) -> str:
            char = found[0]
            return " " + emoji[char] if char in emoji else char

        return self._maybe_emoji.sub(name, text)

    def read(self, text: str) -> Reading:
        """All of `text` that scores. Never raises; time is linear in its length."""
        text = self.spell_emoji(text)
        tokens = text.split()
        words = list(map(self._words.__getitem__, tokens))
        places = [i for i, word in enumerate(words) if word[2] is not None]
        if not places:
            return Reading(text, tokens, places, [], _emphasis(text))
        uppers: int | None = None
        values: list[float] = []
        last = len(words) - 1
        for i in places:
            word = words[i]
            if word[0] == "kind" and i < last and words[i + 1][0] == "of":
                values.append(0.0)
                continue
            if uppers is None and (
                word[5]
                or (i > 0 and words[i - 1][5])
                or (i > 1 and words[i - 2][5])
                or (i > 2 and words[i - 3][5])
            ):
                uppers = sum([w[5] for w in words])
            values.append(_valence(words, i, uppers is not None and uppers <= last))
        if "but" in text.lower():
            for i, word in enumerate(words):
                if word[0] == "but":
                    _weigh_by_but(places, values, i)
                    break
        return Reading(text, tokens, places, values, _emphasis(text))

    def polarity_scores(self, text: str) -> dict[str, float]:
        """`neg`, `neu`, `pos` (shares, 0…1) and `compound` (−1…1), as the original's method of that name."""
        reading = self.read(text)
        if not reading.tokens:
            return {"neg": 0.0, "neu": 0.0, "pos": 0.0, "compound": 0.0}
        if not reading.places:
            return {"neg": 0.0, "neu": 1.0, "pos": 0.0, "compound": 0.0}
        pos_sum = 0.0
        neg_sum = 0.0
        scoring = 0
        for value in reading.values:
            if value > 0:
                pos_sum += float(value) + 1  # a neutral word counts as 1
                scoring += 1
            elif value < 0:
                neg_sum += float(value) - 1
                scoring += 1
        neutral = len(reading.tokens) - scoring
        if pos_sum > math.fabs(neg_sum):
            pos_sum += reading.emphasis
        elif pos_sum < math.fabs(neg_sum):
            neg_sum -= reading.emphasis
        total = pos_sum + math.fabs(neg_sum) + neutral
        return {
            "neg": round(math.fabs(neg_sum / total), 3) if neg_sum else 0.0,
            "neu": round(math.fabs(neutral / total), 3),
            "pos": round(math.fabs(pos_sum / total), 3) if pos_sum else 0.0,
            "compound": round(squash(reading.total), 4),
        }


def squash(total: float, alpha: float = ALPHA) -> float:
    """A sum of valences as a number in −1…1.

    >>> squash(0.0), round(squash(-4.0), 3)
    (0.0, -0.718)
    """
    share = total / math.sqrt(total * total + alpha)
    return -1.0 if share < -1.0 else 1.0 if share > 1.0 else share


def _emphasis(text: str) -> float:
    """What up to four "!" and a row of "?" add to the sum."""
    questions = text.count("?")
    asked = 0.0 if questions <= 1 else questions * 0.18 if questions <= 3 else 0.96
    shouted = text.count("!")
    return (shouted if shouted < 4 else 4) * 0.292 + asked


def _boost(word: Word, valence: float, shouting: bool) -> float:
    """What a booster or dampener near a word adds to its valence."""
    scalar = word.boost
    if valence < 0:
        scalar *= -1
    if word.upper and shouting:
        scalar = scalar + C_INCR if valence > 0 else scalar - C_INCR
    return scalar


def _valence(words: list[Word], i: int, shouting: bool) -> float:
    """The valence of the scoring word at `i` between its neighbours.

    The order of every sum and product is the original's: floats are not associative. `shouting` says that
    some words of the text, but not all, stand in capitals.
    """
    word = words[i]
    own = word.valence or 0.0
    valence = own
    one = words[i - 1] if i > 0 else _ABSENT
    two = words[i - 2] if i > 1 else _ABSENT
    three = words[i - 3] if i > 2 else _ABSENT
    if word.low == "no" and i < len(words) - 1 and words[i + 1].known:
        valence = 0.0  # not a word of its own here, but the negation of the next
    if one.low == "no" or two.low == "no" or (three.low == "no" and one.low in ("or", "nor")):
        valence = own * N_SCALAR
    if word.upper and shouting:
        valence = valence + C_INCR if valence > 0 else valence - C_INCR
    if not one.known:
        if one.boost:
            valence = valence + _boost(one, valence, shouting)
        if one.negates:
            valence = valence * N_SCALAR
    if not two.known and i > 1:
        if two.boost:
            valence = valence + _boost(two, valence, shouting) * 0.95
        if two.low == "never" and one.low in ("so", "this"):
            valence = valence * 1.25
        elif two.negates and not (two.low == "without" and one.low == "doubt"):
            valence = valence * N_SCALAR
    if not three.known and i > 2:
        if three.boost:
            valence = valence + _boost(three, valence, shouting) * 0.9
        if (three.low == "never" and two.low in ("so", "this")) or one.low in ("so", "this"):
            valence = valence * 1.25
        elif three.negates and not (three.low == "without" and "doubt" in (two.low, one.low)):
            valence = valence * N_SCALAR
        if (
            word.anchor
            or one.anchor
            or two.anchor
            or three.anchor
            or any(after.anchor for after in words[i + 1 : i + 3])
        ):
            valence = _idiom(words, i, valence)
    if one.low == "least" and not one.known and (i == 1 or two.low not in ("at", "very")):
        valence = valence * N_SCALAR
    return valence


def _idiom(words: list[Word], i: int, valence: float) -> float:
    """The valence of an idiom around the word at `i` (three words stand before it), else as it was."""
    low = [word.low for word in words[i - 3 : i + 3]]
    two_one = f"{low[1]} {low[2]}"
    three_two = f"{low[0]} {low[1]}"
    three_two_one = f"{low[0]} {low[1]} {low[2]}"
    for phrase in (
        f"{low[2]} {low[3]}",
        f"{low[1]} {low[2]} {low[3]}",
        two_one,
        three_two_one,
        three_two,
    ):
        if phrase in SPECIAL_CASES:
            valence = SPECIAL_CASES[phrase]
            break
    if len(low) > 4:
        valence = SPECIAL_CASES.get(f"{low[3]} {low[4]}", valence)
    if len(low) > 5:
        valence = SPECIAL_CASES.get(f"{low[3]} {low[4]} {low[5]}", valence)
    for phrase in (three_two_one, three_two, two_one):
        if phrase in BOOSTER_DICT:
            valence = valence + BOOSTER_DICT[phrase]
    return valence


def _weigh_by_but(places: list[int], values: list[float], but: int) -> None:
    """Halve what stands before "but", raise what stands after it by half: in place, as the original does it.

    The original looks every value up by `list.index`, so of equal values the *first* is changed, again and
    again. Here a heap of positions for each value finds that first one; what is 0 stays 0 and is left out.
    """
    first: dict[float, list[int]] = {}
    for j, value in enumerate(values):
        if value == 0:
            continue
        holders = first.setdefault(value, [])
        heappush(holders, j)
        k = heappop(holders)
        changed = value * (0.5 if places[k] < but else 1.5)
        values[k] = changed
        heappush(first.setdefault(changed, []), k)


@cache
def vader() -> Vader:
    """The one Vader of this process."""
    return Vader()


def polarity_scores(text: str) -> dict[str, float]:
    """`Vader.polarity_scores` of the one Vader of this process.

    >>> polarity_scores("The plot was good, but the dialog is not great.")["compound"]
    -0.5409
    """
    return vader().polarity_scores(text)
