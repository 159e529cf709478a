"""What was learned from the team, as people read it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.ranker import Features, Offset, near, ranker
from monitor.windows import windows

RULES_SHOWN = 12  # of each direction
LIKENESSES_SHOWN = 4  # of each direction
LIKENESS_LEAST = 0.05  # logits
LIKE = "what reads like"  # begins the rules that are of no single word

_SMALL = frozenset(
    (
        "from", "have", "that", "their", "them", "then", "there", "they", "this", "were", "what", "when", "where",
        "which", "will", "with", "your",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Example:
    """One text and what it should have been."""

    text: str
    bad: bool  # somebody must see it
    audit: bool = False  # of a post nobody was alerted to
    name: str = ""  # of its case, for people


@dataclass(frozen=True, slots=True)
class Rule:
    """One learned term, as a person reads it."""

    words: str
    weight: float  # logits in a post of ten words: +0.7 doubles the odds
    bad: int  # examples with it that somebody had to see
    of: int
    example: str

    def __str__(self) -> str:
        way = "raises" if self.weight > 0 else "lowers"
        said = f"{self.bad} of {self.of} labelled posts with it needed someone"
        return f"{self.words!r} {way} ({self.weight:+.2f}): {said}, e.g. {self.example!r}"


@dataclass(frozen=True, slots=True)
class Likeness:
    """Words in a row by which much was learned, of them and of what reads like them."""

    words: str
    weight: float  # logits that they add in their text
    example: str

    def __str__(self) -> str:
        way = "raises" if self.weight > 0 else "lowers"
        return f"{LIKE} {self.words!r} {way} ({self.weight:+.2f}), e.g. {self.example!r}"


def rules_of(examples: Sequence[tuple[Example, Features]], offset: Offset) -> tuple[Rule | Likeness, ...]:
    """The heaviest learned terms that stand in at least two examples, what raises first.

    Then the words of examples that most was learned from together.
    """
    weights = offset.terms
    where: defaultdict[str, list[int]] = defaultdict(list)
    for at, (_, seen) in enumerate(examples):
        for term in seen.terms:
            if term in weights:
                where[term].append(at)
    usual = 3.0 / 20**0.35  # a post of ten words has some twenty terms
    told = _readable({term: places for term, places in where.items() if len(places) >= 2}, weights)
    rules: list[Rule | Likeness] = []
    for raising in (True, False):
        mine = [term for term in told if (weights[term] > 0) == raising]
        for term in sorted(mine, key=lambda term: (-abs(weights[term]), term))[:RULES_SHOWN]:
            places = where[term]
            shown = next((at for at in places if examples[at][0].bad == raising), places[0])
            rules.append(
                Rule(
                    said(term),
                    weights[term] * usual,
                    sum(examples[at][0].bad for at in places),
                    len(places),
                    _shown(examples[shown][0].text),
                )
            )
    return (*rules, *_likenesses(examples, offset))


def _readable(where: Mapping[str, Sequence[int]], weights: Mapping[str, float]) -> list[str]:
    """Of terms that stand in the same examples the one that says most; none that say nothing."""
    best: dict[tuple[int, ...], str] = {}
    for term in sorted(where, key=lambda term: (-abs(weights[term]), " " in term, -len(term), term)):
        if all(len(word) < 4 or word in _SMALL for word in term.strip("~^ ").split()):
            continue
        best.setdefault(tuple(where[term]), term)
    return list(best.values())


def said(term: str) -> str:
    """A term of the ranker in words.

    >>> said("~work"), said("^ still"), said("no refund"), said("!")
    ('work (negated)', 'still (first word)', 'no refund', '!')
    """
    if term.startswith("~"):
        return f"{term[1:]} (negated)"
    if term.startswith("^ "):
        return f"{term[2:]} (first word)"
    return term


def _likenesses(examples: Sequence[tuple[Example, Features]], offset: Offset) -> list[Likeness]:
    """Of each direction the words that weigh most in examples which were labelled so, once each."""
    best: dict[str, Likeness] = {}
    for one, seen in examples:
        for words, weight in heaviest(seen.words, offset):
            if (weight > 0) is one.bad and abs(weight) > max(LIKENESS_LEAST, _size(best.get(words))):
                best[words] = Likeness(words, weight, _shown(one.text))
    order = sorted(best.values(), key=lambda like: (-_size(like), like.words))
    raising, lowering = ([like for like in order if (like.weight > 0) is way] for way in (True, False))
    return [*raising[:LIKENESSES_SHOWN], *lowering[:LIKENESSES_SHOWN]]


def _size(like: Likeness | None) -> float:
    return 0.0 if like is None else abs(like.weight)


def heaviest(words: Sequence[str], offset: Offset) -> list[tuple[str, float]]:
    """Where in `words` what was learned of findings adds most and where it takes most: three words in a row, logits.

    By what is found there more than usual: what is missing has no place. None where it adds or takes nothing.
    """
    if offset.findings is None:
        return []
    shares = windows().shares(words, offset.findings, ranker().findings.usual)
    places = [(share, near(words, at)) for at, share in enumerate(shares)]
    named = [(share, there) for share, there in places if share and there]
    ends = {max(named), min(named)} if named else set()
    return [(there, share) for share, there in sorted(ends, reverse=True)]


def _shown(text: str) -> str:
    return " ".join(text.split())[:80]
