"""Is this the same text again? Sketches that find what may be a copy, and the exact comparison that decides.

A repost, a review that stands on three sites, a campaign of pasted words: nearly the same words in the same order.
A sketch is the sixteen smallest hashes of a text's word pairs; copies share many of them, so an index by hash finds
candidates without reading texts. Only the comparison of the words themselves (`same_words`) says yes.

Translations are no copies, and neither are short texts: thousands write "terrible service" on their own.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from monitor.normalise import fold

SKETCH = 16  # hashes kept of a text; with fewer, one of 8 edits in 40 words is missed now and then
WORDS_LEAST = 5  # a text with fewer is a copy of nothing
WORDS_READ = 400  # of one text
EXACT_BELOW = 10  # words; under it every word must be the same
ALIKE_LONG = 0.75  # share of words in common, in their order, from `LONG` words on: 8 edits in 40 leave 0.8
ALIKE_SHORT = 0.88  # at `EXACT_BELOW` words; between the two the line is straight
LONG = 24
CUT_LEAST = 20  # words; a text that ends in "…" is a copy of the longer one it begins like
ACCOUNTS = 3  # from so many different accounts on, the same words are named as a campaign

_ADDRESS = re.compile(r"https?://\S{1,2000}|www\.\S{1,2000}|(?<!\w)@\w{1,100}")
# One sign of a script without spaces is a word of its own.
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0e7f]|[^\W_\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0e7f]+"
)
_NUMBER = re.compile(r"\d+")
_MIX = 0x9E3779B1  # 2^32 by the golden ratio: spreads what a checksum leaves near each other


def words_of(text: str) -> tuple[str, ...]:
    """The words that are compared: case, signs, links, names of accounts and what numbers say do not count.

    >>> words_of("Charged me TWICE, order 881! https://shop.example/x @acme")
    ('charged', 'me', 'twice', 'order', '0')
    """
    folded = _ADDRESS.sub(" ", fold(text[: WORDS_READ * 40]))
    if not folded.isalpha():
        folded = _NUMBER.sub("0", folded).replace("'", "")
    return tuple(_WORD.findall(folded)[:WORDS_READ])


def sketch(words: Sequence[str]) -> tuple[int, ...]:
    """The smallest hashes of the pairs of `words`, at most `SKETCH` of them, each below 2^32; () if too short.

    The same on every machine and in every version: sketches are kept.

    >>> len(sketch(words_of("we waited three hours and nobody came")))
    6
    >>> sketch(words_of("terrible service"))
    ()
    """
    if len(words) < WORDS_LEAST:
        return ()
    hashes = {_hash(f"{one} {two}") for one, two in pairwise(words)}
    return tuple(sorted(hashes)[:SKETCH])


def _hash(pair: str) -> int:
    mixed = zlib.crc32(pair.encode("utf-8", "replace")) * _MIX & 0xFFFFFFFF
    return (mixed ^ mixed >> 15) * _MIX & 0xFFFFFFFF


def common(one: Sequence[str], two: Sequence[str]) -> int:
    """How many words two texts share in the same order (their longest common subsequence).

    Bit-parallel (Hyyrö 2004): one big-integer step a word.

    >>> common("a b c d e".split(), "a x c d".split())
    3
    """
    if len(one) < len(two):
        one, two = two, one
    places: dict[str, int] = {}
    for at, word in enumerate(one):
        places[word] = places.get(word, 0) | 1 << at
    full = (1 << len(one)) - 1
    free = full
    for word in two:
        hit = free & places.get(word, 0)
        free = ((free + hit) | (free - hit)) & full
    return len(one) - free.bit_count()


def same_words(one: Sequence[str], two: Sequence[str], *, cut: bool = False) -> bool:
    """True when two texts say the same in nearly the same words. The shorter they are, the stricter.

    With `cut` one of them ended in "…": it is compared with the beginning of the longer one.
    """
    least = min(len(one), len(two))
    if least < WORDS_LEAST:
        return False
    if cut and least >= CUT_LEAST:
        one, two = one[:least], two[:least]
    if least < EXACT_BELOW:
        return tuple(one) == tuple(two)
    share = min(1.0, (least - EXACT_BELOW) / (LONG - EXACT_BELOW))
    wanted = ALIKE_SHORT + (ALIKE_LONG - ALIKE_SHORT) * share
    both = len(one) + len(two)
    if 2 * least < wanted * both:  # of so different length that nothing need be compared
        return False
    return 2 * common(one, two) >= wanted * both


def same_numbers(one: str, two: str) -> bool:
    """True unless two short texts name different numbers: another parcel, another order, another customer.

    In a text of more than `LONG` words a number is a word like any other.

    >>> same_numbers("parcel 7 never came, nobody answers", "parcel 8 never came, nobody answers")
    False
    """
    if min(len(words_of(one)), len(words_of(two))) >= LONG:
        return True
    return _NUMBER.findall(_ADDRESS.sub(" ", one)) == _NUMBER.findall(_ADDRESS.sub(" ", two))


def is_cut(text: str) -> bool:
    """True for a text its site shows only the beginning of."""
    return text.rstrip().endswith(("…", "...", "[...]", "[…]"))


class Copy(NamedTuple):
    """One of several posts with the same words."""

    author: str
    source: str
    posted_at: datetime


def campaign(copies: Sequence[Copy]) -> str:
    """The reason a person reads where many accounts write the same words; "" for fewer than three.

    >>> noon = datetime(2026, 11, 22, 12)
    >>> campaign([Copy(name, "forum", noon + timedelta(minutes=40 * at)) for at, name in enumerate("abcd")])
    'same words from 4 accounts in 2 h'
    """
    accounts = {(one.source, one.author) for one in copies if one.author}
    if len(accounts) < ACCOUNTS:
        return ""
    times = [one.posted_at for one in copies]
    return f"same words from {len(accounts)} accounts in {_span(max(times) - min(times))}"


def _span(span: timedelta) -> str:
    minutes = span / timedelta(minutes=1)
    if minutes < 90:
        return f"{max(1, round(minutes))} min"
    return f"{round(minutes / 60)} h" if minutes < 48 * 60 else f"{round(minutes / 1440)} days"
