"""How probable is it that a text is a complaint? A linear model over words and signals, in plain Python.

VADER and the lists of `monitor.lexicon` say what they found; the model, fitted by `benchmarks/fit_ranker.py` on
freely licensed posts (monitor/model/MODEL_CARD.md), says how much each of it counts, and how much the words no list
holds. A deployment may put an `Offset` of its own on top: the shipped weights stay what they are.
"""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_right
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from monitor.lexicon.cues import Cue, Level
from monitor.lexicon.reader import NEGATIONS
from monitor.sentiment import Examination, compound_of, weighed

MODEL_FILE = Path(__file__).parent / "model" / "ranker.json"
TOKENS_READ = 1500  # of one text; what follows changes no verdict
NEGATED_WORDS = 3  # that a negation reaches
GRAMS = (3, 4, 5)  # letters
CACHED_WORDS = 20_000
_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[!?.;:,\u2026]|#")
_LONG = re.compile(r"(\w)\1\1+")
_DIGIT = re.compile(r"\d")
_SENTENCE_END = frozenset(".!?\u2026")
_CLAUSE_END = frozenset(".!?\u2026;:,")
_FIRST = frozenset(("i", "i'm", "im", "i've", "ive", "me", "my", "we", "our", "us", "mine"))
_SECOND = frozenset(("you", "your", "you're", "youre", "u", "ur", "yours"))
_THIRD = frozenset(("they", "their", "them", "they're", "he", "she", "his", "her"))
_ASK = frozenset(("what", "when", "where", "who", "how", "which", "anyone", "anybody", "can", "could", "do", "does", "is", "are"))
_PAST = frozenset(("was", "were", "had", "did", "told", "said", "asked", "called", "went", "got", "took", "came"))
_CUES = tuple(cue for cue in Cue)
SIGNALS = (
    "compound", "vader", "pos", "neg", "pos_share", "neg_share", "worst_sentence", "best_sentence", "last_sentence",
    "first_sentence", "signals", "unscored",
    "emoji_pos", "emoji_neg", "caps", "exclaims", "asks", "asks_last", "dots", "length", "long", "sentences", "link", "account", "tag",
    "number", "first_person", "second_person", "third_person", "negations", "past", "question_word", "but", "retweet", "quote", "please", "thanks",
    "severe", "clear", "mild", "praise_only", "complaint_and_praise",
    *(f"cue:{cue.name.lower()}" for cue in _CUES),
)  # fmt: skip


class Features(NamedTuple):
    """What the model sees of a text."""

    signals: tuple[float, ...]  # as SIGNALS names them
    terms: tuple[str, ...]  # words, pairs, negated words; each once
    words: tuple[str, ...]  # the words alone, for their letters
    scale: float  # what a term counts: less in a long text


def features(seen: Examination, text: str) -> Features:
    """What the model sees in `text`, which `seen` is the examination of. Linear in its length."""
    tokens = _TOKEN.findall(seen.folded)[:TOKENS_READ]
    words: list[str] = []
    terms: list[str] = []
    before = "^"
    negated = 0
    sentences = 0
    first = second = third = negations = past = asking = 0
    for token in tokens:
        if token in _CLAUSE_END:
            if token in "!?":
                terms.append(token)
            if token in _SENTENCE_END and before != "^":
                sentences += 1
                before = "^"
            negated = 0
            continue
        if len(token) > 3:
            if token[0] in "0123456789" or not token.isalpha():
                token = _DIGIT.sub("0", token)
            token = _LONG.sub(r"\1\1", token)
        elif token.isdecimal():
            token = "0"
        words.append(token)
        terms.append(token)
        terms.append(before + " " + token)
        if negated:
            terms.append("~" + token)
            negated -= 1
        if token in NEGATIONS:
            negations += 1
            negated = NEGATED_WORDS
        if token in _FIRST:
            first += 1
        elif token in _SECOND:
            second += 1
        elif token in _THIRD:
            third += 1
        elif token in _PAST:
            past += 1
        elif token in _ASK:
            asking += 1
        before = token
    if before != "^":
        sentences += 1
    count = len(words)
    unique = tuple(dict.fromkeys(terms))
    return Features(
        _signals(seen, text, count, sentences, (first, second, third, negations, past, asking), frozenset(words)),
        unique,
        tuple(words),
        0.0,
    )
