"""How well do scores find what was wanted? The usual measures, in plain Python.

`scores` are higher for what is more likely wanted; `wanted` says what was. Where nothing, or everything, is wanted
a measure that has no meaning answers 0.0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby


def _groups(scores: Sequence[float], wanted: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """(how many, how many of them wanted) for each score, highest first."""
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    for _, group in groupby(order, key=lambda i: scores[i]):
        items = list(group)
        yield len(items), sum(bool(wanted[i]) for i in items)


def average_precision(scores: Sequence[float], wanted: Sequence[bool]) -> float:
    """Mean precision at each wanted item, highest score first; equal scores share their precision.

    >>> average_precision([3, 2, 1], [True, False, True]), average_precision([1, 1], [True, False])
    (0.8333333333333333, 0.5)
    """
    hits = seen = 0
    area = 0.0
    for count, found in _groups(scores, wanted):
        hits += found
        seen += count
        area += found * hits / seen
    return area / hits if hits else 0.0


def roc_auc(scores: Sequence[float], wanted: Sequence[bool]) -> float:
    """The chance that a wanted item scores above another; half where they are equal.

    >>> roc_auc([3, 2, 1], [True, False, True]), roc_auc([1, 1], [True, False])
    (0.5, 0.5)
    """
    above = 0
    area = 0.0
    for count, found in _groups(scores, wanted):
        area += (count - found) * (above + found / 2)
        above += found
    others = len(scores) - above
    return area / (above * others) if above and others else 0.0


def recall_at(share: float, scores: Sequence[float], wanted: Sequence[bool]) -> float:
    """Of what was wanted, how much stands in the top `share` of the line (0…1); ties in the order given.

    >>> recall_at(0.5, [3, 2, 1, 0], [True, False, True, False])
    0.5
    """
    return _in_top(share, scores, wanted)[0] / max(1, sum(map(bool, wanted)))


def precision_at(share: float, scores: Sequence[float], wanted: Sequence[bool]) -> float:
    """Of the top `share` of the line, how much was wanted.

    >>> precision_at(0.25, [3, 2, 1, 0], [True, False, True, False])
    1.0
    """
    hits, size = _in_top(share, scores, wanted)
    return hits / max(1, size)


def _in_top(share: float, scores: Sequence[float], wanted: Sequence[bool]) -> tuple[int, int]:
    size = min(len(scores), max(1, round(len(scores) * share)))
    top = sorted(range(len(scores)), key=lambda i: -scores[i])[:size]
    return sum(bool(wanted[i]) for i in top), size


def f1(flagged: Sequence[bool], wanted: Sequence[bool]) -> float:
    """The harmonic mean of precision and recall.

    >>> f1([True, True, False], [True, False, False])
    0.6666666666666666
    """
    both = sum(a and b for a, b in zip(flagged, wanted, strict=True))
    return 2 * both / max(1, sum(map(bool, flagged)) + sum(map(bool, wanted)))


def calibration_error(probabilities: Sequence[float], wanted: Sequence[bool], bins: int = 10) -> float:
    """How far probabilities are from what happened: the mean gap over equal bins, weighed by their size.

    >>> round(calibration_error([0.9, 0.9, 0.1, 0.1], [True, True, False, False]), 2)
    0.1
    """
    sums = [[0.0, 0.0] for _ in range(bins)]
    for p, hit in zip(probabilities, wanted, strict=True):
        into = sums[min(bins - 1, max(0, int(p * bins)))]
        into[0] += p
        into[1] += bool(hit)
    return sum(abs(expected - happened) for expected, happened in sums) / max(1, len(probabilities))
