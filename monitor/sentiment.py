"""How does the author feel, and which words say so?

What `monitor.examination` found, weighed by `monitor.ranker`: a text is negative from the probability where the
model is best at telling. Where nothing can be read it is UNREAD, which is shown to a person, never dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from monitor.examination import Examination, examine
from monitor.match import Brand, Matcher
from monitor.ranker import chance, features_once, ranker, telling
from monitor.vader import vader
from storage.records import Label, Sentiment, Span

Analyzer = Callable[[str], Sentiment]
"""Reads a text; any function of this shape can take the place of `analyse`."""

POSITIVE_FROM, NEGATIVE_TO = 0.05, -0.05  # VADER's own thresholds
SPANS_KEPT = 12
TELLING = -1.0  # a word that weighs less explains nothing ("not", "again")
CARRIED = 0.35  # logits; a term of the model that adds less explains nothing
CARRIED_KEPT = 3


def analyse(text: str) -> Sentiment:
    """How the author of `text` feels: compound −1…1, its label, the spans that carried it, worst first.

    From −0.05 down it is the ranker's probability, from 0.05 up the tone of the words. UNREAD with compound 0.0
    where nothing readable stands there: no words and no emoji, or a script or language lowstar has no list for
    and no emoji that tells. Never raises.

    >>> analyse("Charged me twice, and still no refund!").label.value
    'negative'
    >>> analyse("").label.value
    'unread'
    """
    seen = examine(text)
    found = chance(seen, text)
    if found is None:
        return Sentiment(0.0, Label.UNREAD)
    compound = compound_of(found, seen.tone)
    label = (
        Label.POSITIVE
        if compound >= POSITIVE_FROM
        else Label.NEGATIVE
        if compound <= NEGATIVE_TO
        else Label.NEUTRAL
    )
    weighed = [w for w in seen.weighed if w[2]]
    if label is Label.NEGATIVE and sum(w[2] <= TELLING for w in weighed) < CARRIED_KEPT:
        weighed += _carried(seen, text, weighed)
    spans = sorted(weighed, key=lambda w: (w[2] > 0, -abs(w[2]), w[0]))[:SPANS_KEPT]
    return Sentiment(
        compound,
        label,
        tuple(Span(start, end, text[start:end], round(weight, 3)) for start, end, weight in spans),
    )


def compound_of(found: float, tone: float) -> float:
    """−1…1: a probability of complaint from the flag up is −0.05…−1, below it the tone decides, never negative.

    >>> compound_of(1.0, 0.5), compound_of(0.1, 0.5), compound_of(0.1, -0.5)
    (-1.0, 0.5, -0.04)
    """
    flag = ranker().flag
    if found >= flag:
        return round(NEGATIVE_TO - (1 + NEGATIVE_TO) * (found - flag) / (1 - flag), 4)
    return max(tone, -0.04)


def found_of(compound: float) -> float:
    """The probability behind a negative compound; 0.0 for one that is not negative."""
    if compound > NEGATIVE_TO:
        return 0.0
    flag = ranker().flag
    return min(1.0, flag + (NEGATIVE_TO - compound) / (1 + NEGATIVE_TO) * (1 - flag))


def _carried(
    seen: Examination, text: str, known: Sequence[tuple[int, int, float]]
) -> list[tuple[int, int, float]]:
    """Where the words stand that told the model most, outside what is known to tell."""
    found: list[tuple[int, int, float]] = []
    told = features_once(seen, text)
    for term, weight in telling(told, CARRIED):
        if len(found) >= CARRIED_KEPT:
            break
        words = term.removeprefix("~").removeprefix("^ ")
        if len(words) < 4:
            continue
        at = seen.folded.find(words)
        end = at + len(words)
        inside = (at > 0 and seen.folded[at - 1].isalnum()) or seen.folded[end : end + 1].isalnum()
        if at < 0 or inside:
            continue
        left, right = seen.fold.span(at, end)
        if all(b <= left or right <= a for a, b, _ in [*known, *found]):
            found.append((left, right, -min(4.0, weight)))
    return found


def analyser(brands: Sequence[Brand]) -> Analyzer:
    """`analyse` that takes no brand's name for a feeling: "United", "Best Buy", "Hope" are words of praise.

    Where no name says anything, it is `analyse` itself.

    >>> read = analyser([Brand(name="United", terms=("United", "United Airlines"))])
    >>> read("We fly United to Rome").compound, read("United is awful").label.value
    (0.0, 'negative')
    """
    telling = [
        Brand(name=brand.name, terms=terms, not_terms=brand.not_terms)
        for brand in brands
        if (
            terms := tuple(
                t for t in brand.terms or (brand.name,) if analyse(t).spans or vader().read(t).places
            )
        )
    ]
    if not telling:
        return analyse
    matcher = Matcher(telling)

    def analyse_around_names(text: str) -> Sentiment:
        pieces: list[str] = []
        at = 0
        for hit in matcher.brands_in(text):
            if hit.start >= at:
                pieces += (text[at : hit.start], "," * (hit.end - hit.start))
                at = hit.end
        return analyse("".join([*pieces, text[at:]])) if pieces else analyse(text)

    return analyse_around_names
