"""Texts made of texts, for a teacher to read: what its pupil should hear beside what people wrote.

A network learns what a language model makes of words from many more texts than there are. So words are exchanged for
others or left out, a text goes on as another that holds the same word, and short texts are put one after the other
as a longer review. What comes out need not make sense: it is labelled by reading it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import fit_ranker

from monitor.vader import vader

COPIES = {
    "goemotions_train": 1.6, "vader_movies": 2, "vader_nyt": 1.6, "vader_tweets": 8, "vader_amazon": 6, "uci_imdb": 6,
    "uci_yelp": 12, "uci_amazon": 12, "posts": 6, "chatter": 8, "harmless": 6, "hard": 6, "written": 8, "facts": 8,
    "reviews": 3, "long": 10, "everyday": 6, "travel": 6, "goods": 6, "threads": 6,
    "plain": 12, "pairs": 4, "apps": 1.5, "brands": 1.5, "service": 1.5, "daily": 1.2, "media": 1.5, "venues": 2,
    "shops": 1.2, "boards": 1.5, "terse": 2.5, "idioms": 2.5, "faults": 2, "mixed": 1.5, "mentions": 2, "stars": 3,
    "ratings": 2.5, "remarks": 1.2, "lines": 2,
}  # fmt: skip
JOINED = {
    "posts": 1500, "reviews": 2000, "uci_imdb": 800, "vader_movies": 800, "vader_amazon": 1000, "uci_yelp": 1000,
    "uci_amazon": 1000, "everyday": 800, "goods": 800, "shops": 1500, "ratings": 800,
}  # fmt: skip
SHORTENED = {"stars": 2, "long": 6, "boards": 0.5, "mixed": 0.5, "venues": 1, "reviews": 0.5}  # copies
ADDRESSED = {
    "goemotions_train": 0.1, "vader_tweets": 0.6, "posts": 0.6, "chatter": 0.6, "harmless": 0.6, "hard": 0.6,
    "written": 0.6, "facts": 1, "reviews": 0.4, "everyday": 0.5, "travel": 0.5, "goods": 0.5, "threads": 0.5,
    "plain": 1, "pairs": 1, "apps": 0.2, "brands": 0.5, "service": 0.5, "daily": 0.3, "shops": 0.2, "boards": 0.3,
    "terse": 0.4, "idioms": 0.5, "faults": 0.4, "mentions": 0.4, "ratings": 0.2, "remarks": 0.4, "lines": 0.2,
}  # fmt: skip
_WORD = re.compile(r"[a-z][a-z']{2,19}")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
Texts = Mapping[str, list[str]]  # by source


class Pieces(NamedTuple):
    """What one teaches with, by how much of it is worth reading."""

    written: list[str]  # by people, or for lowstar
    made: list[str]  # a few words each
    joined: list[str]  # as long as reviews
    addressed: list[str]  # to a brand's account, or with a link


def pieces(rows: dict[str, list[dict[str, Any]]], every: Texts, pool: Sequence[str]) -> Pieces:
    """The texts of `rows`, and what is made of them with words of `pool` and of any text of `every`."""
    texts = {name: [row["text"] for row in found] for name, found in rows.items()}
    return Pieces(
        [text for name, found in texts.items() if name != "fragments" for text in found],
        [*_exchanged(texts, pool), *_crossed(texts, every)],
        [*_joined(rows), *_shortened(texts)],
        _addressed(texts),
    )


def pool_of(sets: fit_ranker.Sets, vocabulary: Sequence[str]) -> list[str]:
    """Words to exchange others for: of all posts, of the teacher, of VADER."""
    posts = (term for found in sets.values() for post in found for term in post.seen.terms)
    return sorted({word for word in (*posts, *vocabulary, *vader().lexicon) if _WORD.fullmatch(word)})


def _exchanged(texts: Texts, pool: Sequence[str]) -> list[str]:
    """Some whole, most of 3 to 18 words; words exchanged for any others, or left out."""
    rng = random.Random(5)
    found = []
    for words in _drawn(texts, rng, COPIES):
        if len(words) > 4 and rng.random() < 0.8:
            length = rng.randint(3, min(18, len(words)))
            start = rng.randint(0, len(words) - length)
            words = words[start : start + length]
        words = words[:24]
        way = rng.random()
        if way < 0.75 and words:
            for _ in range(rng.choice((1, 1, 2, 3))):
                words[rng.randrange(len(words))] = rng.choice(pool)
        if way > 0.5 and len(words) > 4:
            words = [word for word in words if rng.random() > 0.12] or words
        if rng.random() < 0.1:
            words = ["@brand", *words]
        found.append(" ".join(words))
    return found


def _crossed(texts: Texts, every: Texts) -> list[str]:
    """Some words of a text, and from a word on what follows it in another: as it might have been said."""
    rng = random.Random(7)
    places: dict[str, list[tuple[list[str], int]]] = {}
    for name in COPIES:
        for text in every.get(name, []):
            words = text.split()
            for at, word in enumerate(words):
                places.setdefault(word.lower(), []).append((words, at))
    found = []
    for words in _drawn(texts, rng, COPIES):
        if len(words) < 3:
            continue
        start = rng.randint(0, max(0, len(words) - 4))
        at = min(len(words) - 1, start + rng.randint(1, 9))
        while at > start and len(places[words[at].lower()]) == 1:
            at -= 1
        other, there = rng.choice(places[words[at].lower()])
        found.append(" ".join(words[start:at] + other[there : there + rng.randint(2, 12)]))
    return found


def _joined(rows: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Two to six texts of one source, seven of ten of one opinion."""
    rng = random.Random(11)
    found = []
    for name, count in JOINED.items():
        if name not in rows:
            continue
        by_label: dict[str, list[str]] = {"neg": [], "neu": [], "pos": []}
        for row in rows[name]:
            by_label[row["label"]].append(row["text"])
        for _ in range(count):
            own = by_label[rng.choice(("neg", "pos", "pos", "neg", "neu"))]
            if not own:
                continue
            some = []
            for _ in range(rng.randint(2, 6)):
                other = own if rng.random() < 0.7 else by_label[rng.choice(("neg", "pos", "neu"))]
                some.append(rng.choice(other or own))
            found.append(" ".join(some))
    return found


def _shortened(texts: Texts) -> list[str]:
    """Two sentences or more of a long review, as they follow each other; the last is kept more often than not."""
    rng = random.Random(29)
    found = []
    for words in _drawn(texts, rng, SHORTENED):
        sentences = _SENTENCE.split(" ".join(words))
        if len(sentences) < 4:
            continue
        length = rng.randint(2, len(sentences) - 1)
        end = len(sentences) if rng.random() < 0.5 else rng.randint(length, len(sentences))
        found.append(" ".join(sentences[end - length : end]))
    return found


def _addressed(texts: Texts) -> list[str]:
    """Texts, whole and in part, as they would be said to an account: that alone makes no complaint."""
    rng = random.Random(13)
    found = []
    for name, share in ADDRESSED.items():
        for text in texts.get(name, []):
            words = text.split()
            if rng.random() > share or "@" in text or "http" in text or not 2 <= len(words) <= 40:
                continue
            start = rng.randint(0, max(0, len(words) - 3))
            for some in (words, words[start : start + rng.randint(2, 9)]):
                said, way = " ".join(some), rng.random()
                found.append(
                    f"@brand {said}"
                    if way < 0.6
                    else f"{said} http://t.co/x"
                    if way < 0.85
                    else f"{said} @brand"
                )
    return found


def _drawn(texts: Texts, rng: random.Random, copies: Mapping[str, float]) -> Iterator[list[str]]:
    """Each text as often as `copies` has it, in words."""
    for name, count in copies.items():
        for text in texts.get(name, []):
            for _ in range(int(count) + (rng.random() < count % 1)):
                yield text.split()
