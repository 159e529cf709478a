"""Is a difference more than chance? Exact tails of small counts, in the standard library.

The rule of the digest, stated once: a difference is *said* only when chance alone would make one as large less
often than once in a hundred (`SURE`, two-sided); numbers are always *shown*. A digest makes some ten
comparisons a week, so one in twenty would cry wolf every second week. Where too little was counted to tell
(`LEAST` on both sides together), the answer is "too few", which is not the same as "no change".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum

SURE = 0.01
LEAST = 8  # below it not even all on one side against four earlier weeks would be a finding


class Change(StrEnum):
    """What may be said about a difference."""

    UP = "up"
    DOWN = "down"
    SAME = "within the usual swing"
    FEW = "too few to tell"
    UNKNOWN = "nothing to compare with"

    @property
    def said(self) -> bool:
        """True when it is a finding."""
        return self in (Change.UP, Change.DOWN)


def binomial_tail(successes: int, trials: int, chance: float) -> float:
    """P(X ≥ `successes`) of `trials`, exact to rounding.

    >>> round(binomial_tail(3, 3, 0.5), 6), binomial_tail(0, 9, 0.2)
    (0.125, 1.0)
    """
    if successes <= 0:
        return 1.0
    if successes > trials or chance <= 0:
        return 0.0
    if chance >= 1:
        return 1.0
    log_yes, log_no = math.log(chance), math.log1p(-chance)
    whole = math.lgamma(trials + 1)
    if trials > 100_000:  # the sum would take long and the bell curve is exact enough there
        mean, spread = trials * chance, math.sqrt(trials * chance * (1 - chance))
        return 0.5 * math.erfc((successes - 0.5 - mean) / spread / math.sqrt(2))
    if successes < trials * chance:  # the other side is the shorter sum
        return max(0.0, 1.0 - binomial_tail(trials - successes + 1, trials, 1 - chance))
    left = trials - successes
    term = math.exp(
        whole - math.lgamma(successes + 1) - math.lgamma(left + 1) + successes * log_yes + left * log_no
    )
    total, odds = 0.0, chance / (1 - chance)
    for k in range(successes, trials + 1):
        total += term
        term *= (trials - k) / (k + 1) * odds
        if term < total * 1e-17:  # beyond the mean they only get smaller
            break
    return min(1.0, total)


def count_change(
    now: int, before: Sequence[int], days: float = 1.0, days_before: Sequence[float] = ()
) -> Change:
    """Is the count of this period another than that of the earlier ones?

    Given what all of them sum to, this one's share is binomial if nothing changed (the exact test of two
    Poisson rates). Counts that swing more than Poisson's from week to week are first divided by how much more
    (the index of dispersion, at least 1), so that a lively source does not make news every week.

    >>> count_change(23, [9, 8, 11, 9]), count_change(12, [9, 8, 11, 9]), count_change(1, [0, 0, 0, 0])
    (<Change.UP: 'up'>, <Change.SAME: 'within the usual swing'>, <Change.FEW: 'too few to tell'>)
    """
    if not before:
        return Change.UNKNOWN
    total = now + sum(before)
    if total < LEAST or days <= 0:
        return Change.FEW
    lengths = list(days_before) or [days] * len(before)
    share = days / (days + sum(lengths))
    swing = _dispersion(before)
    ours, all_ = round(now / swing), round(total / swing)
    return _two_sided(
        binomial_tail(ours, all_, share),
        binomial_tail(all_ - ours, all_, 1 - share),
        now / days,
        before,
        lengths,
    )


def share_change(part: int, whole: int, part_before: int, whole_before: int) -> Change:
    """Is a share another than before? Fisher's exact test on the two pairs of counts.

    >>> share_change(30, 100, 40, 400), share_change(3, 20, 4, 30), share_change(1, 2, 0, 3)
    (<Change.UP: 'up'>, <Change.SAME: 'within the usual swing'>, <Change.FEW: 'too few to tell'>)
    """
    if not whole_before:
        return Change.UNKNOWN
    if whole + whole_before < LEAST or min(whole, whole_before) < 2:
        return Change.FEW
    both = part + part_before
    if both in (0, whole + whole_before):
        return Change.SAME
    more = _hypergeometric_tail(part, whole, both, whole + whole_before)
    less = _hypergeometric_tail(whole - part, whole, whole + whole_before - both, whole + whole_before)
    up = part / whole >= part_before / whole_before
    return _verdict(more, less, up=up)


def mean_change(
    now: tuple[int, float, float], before: tuple[int, float, float], *, least_step: float = 0.0
) -> Change:
    """Is a mean another than before? `now` and `before` are count, sum and sum of squares; Welch's test.

    Ten on each side at least. A step smaller than `least_step` is never said: with ten thousand reviews a
    hundredth of a star is certain and still of no interest to anybody.
    """
    if not before[0]:
        return Change.UNKNOWN
    if min(now[0], before[0]) < 10:
        return Change.FEW
    mean, mean_before = now[1] / now[0], before[1] / before[0]
    spread = math.sqrt(_variance(now) / now[0] + _variance(before) / before[0])
    if abs(mean - mean_before) < max(least_step, 1e-12):
        return Change.SAME
    score = abs(mean - mean_before) / spread if spread > 0 else math.inf
    # Student's tail at ten is wider than the bell's: 3.25 instead of 2.58 for one in a hundred.
    needed = 2.5758 * (1 + 1.2 / (min(now[0], before[0]) - 1) * 2)
    if score < needed:
        return Change.SAME
    return Change.UP if mean > mean_before else Change.DOWN


def _variance(sums: tuple[int, float, float]) -> float:
    count, whole, squares = sums
    return max(0.0, (squares - whole * whole / count) / (count - 1)) if count > 1 else 0.0


def _dispersion(counts: Sequence[int]) -> float:
    """How much more than Poisson's the counts swing; 1 for fewer than three of them."""
    if len(counts) < 3 or not sum(counts):
        return 1.0
    mean = sum(counts) / len(counts)
    return max(1.0, sum((count - mean) ** 2 for count in counts) / (len(counts) - 1) / mean)


def _two_sided(
    more: float, less: float, rate: float, before: Sequence[int], lengths: Sequence[float]
) -> Change:
    return _verdict(more, less, up=rate >= sum(before) / sum(lengths))


def _verdict(more: float, less: float, *, up: bool) -> Change:
    if 2 * min(more, less) >= SURE:
        return Change.SAME
    return Change.UP if up else Change.DOWN


def _hypergeometric_tail(successes: int, draws: int, good: int, whole: int) -> float:
    """P(X ≥ `successes`) when `draws` are taken out of `whole`, of which `good` count."""

    def log_choose(n: int, k: int) -> float:
        return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)

    bad = whole - good
    if successes <= max(0, draws - bad):
        return 1.0
    if successes > min(draws, good):
        return 0.0
    if successes < draws * good / whole:  # the other side is the shorter sum
        return max(0.0, 1.0 - _hypergeometric_tail(draws - successes + 1, draws, bad, whole))
    term = math.exp(
        log_choose(good, successes) + log_choose(bad, draws - successes) - log_choose(whole, draws)
    )
    total = 0.0
    for k in range(successes, min(draws, good) + 1):
        total += term
        term *= (good - k) * (draws - k) / ((k + 1) * (bad - draws + k + 1))
        if term < total * 1e-17:  # beyond the mean they only get smaller
            break
    return min(1.0, total)
