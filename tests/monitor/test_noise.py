"""Is a change said when it is one, and kept quiet when chance makes it?"""

from __future__ import annotations

import math
import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.noise import Change, _hypergeometric_tail, binomial_tail, count_change, mean_change, share_change


@given(trials=st.integers(0, 60), successes=st.integers(0, 61), tenth=st.integers(1, 9))
def test_the_binomial_tail_is_exact(trials: int, successes: int, tenth: int) -> None:
    chance = Fraction(tenth, 10)
    exact = sum(
        math.comb(trials, k) * chance**k * (1 - chance) ** (trials - k) for k in range(successes, trials + 1)
    )
    assert binomial_tail(successes, trials, tenth / 10) == pytest.approx(float(exact), rel=1e-9, abs=1e-12)


def test_huge_counts_are_quick_and_no_less_right() -> None:
    assert binomial_tail(1_000_500, 2_000_000, 0.5) == pytest.approx(0.2399, abs=1e-3)


def test_equal_weeks_make_news_in_one_of_a_hundred() -> None:
    chance = random.Random(7)

    def poisson(mean: float) -> int:
        count, product, limit = 0, chance.random(), math.exp(-mean)
        while product > limit:
            count += 1
            product *= chance.random()
        return count

    for mean in (3, 12, 60):
        said = sum(count_change(poisson(mean), [poisson(mean) for _ in range(4)]).said for _ in range(1_500))
        assert said <= 1_500 * 0.017


def test_a_source_that_always_swings_makes_no_news_by_swinging() -> None:
    assert count_change(60, [20, 62, 35, 11]) is Change.SAME
    assert count_change(60, [30, 33, 31, 34]) is Change.UP


@pytest.mark.parametrize(
    ("now", "before", "days", "change"),
    [
        (4, [14, 14, 14, 14], 2.0, Change.SAME),  # two days of a week
        (14, [14, 14, 14, 14], 2.0, Change.UP),
        (0, [9, 8, 11, 9], 7.0, Change.DOWN),
        (2, [0, 0, 0, 0], 7.0, Change.FEW),
        (50, [], 7.0, Change.UNKNOWN),
    ],
)
def test_counts_are_compared_by_days(now: int, before: list[int], days: float, change: Change) -> None:
    assert count_change(now, before, days, [7.0] * len(before)) is change


@given(
    part=st.integers(0, 40),
    rest=st.integers(0, 40),
    part_before=st.integers(0, 90),
    rest_before=st.integers(0, 90),
)
def test_shares_are_compared_by_the_exact_test(
    part: int, rest: int, part_before: int, rest_before: int
) -> None:
    whole, whole_before = part + rest, part_before + rest_before
    change = share_change(part, whole, part_before, whole_before)
    if not change.said:
        return
    good, total = part + part_before, whole + whole_before
    ways = math.comb(total, whole)

    def tail(least: int, most: int) -> Fraction:
        several = (math.comb(good, k) * math.comb(total - good, whole - k) for k in range(least, most + 1))
        return Fraction(sum(several), ways)

    if change is Change.UP:
        assert tail(part, min(whole, good)) < Fraction(1, 200)
        assert part / whole > part_before / whole_before
    else:
        assert tail(max(0, whole - total + good), part) < Fraction(1, 200)


def test_means_need_ten_on_each_side_and_a_step_that_matters() -> None:
    def sums(values: list[float]) -> tuple[int, float, float]:
        return len(values), sum(values), sum(value * value for value in values)

    five, four = sums([5.0, 4.0] * 30), sums([4.0, 3.0] * 30)
    assert mean_change(five, four) is Change.UP
    assert mean_change(four, five) is Change.DOWN
    assert mean_change(sums([5.0] * 9), four) is Change.FEW
    assert mean_change(sums([4.51] * 9_000), sums([4.5, 4.5] * 9_000), least_step=0.1) is Change.SAME
    assert mean_change(sums([5.0, 1.0] * 6), sums([4.0, 3.0] * 6)) is Change.SAME
    assert mean_change(five, (0, 0.0, 0.0)) is Change.UNKNOWN


@pytest.mark.parametrize(
    ("draws", "good", "whole"), [(10, 7, 30), (30, 15, 40), (12, 30, 31), (200, 90, 1_000), (400, 700, 1_500)]
)
def test_the_hypergeometric_tail_is_exact(draws: int, good: int, whole: int) -> None:
    ways = [
        math.comb(good, k) * math.comb(whole - good, draws - k) if draws - k <= whole - good else 0
        for k in range(draws + 1)
    ]
    for successes in range(draws + 2):
        exact = Fraction(sum(ways[successes:]), math.comb(whole, draws))
        found = _hypergeometric_tail(successes, draws, good, whole)
        assert found == pytest.approx(float(exact), rel=1e-9, abs=1e-12)


def test_a_share_of_millions_takes_no_longer() -> None:
    # The bell curve, within a thousandth, where it is known to be right.
    assert _hypergeometric_tail(500_400, 1_000_000, 2_000_000, 4_000_000) == pytest.approx(0.1782, abs=1e-3)
    assert share_change(120_000, 960_000, 480_000, 3_840_000) is Change.SAME
    assert share_change(123_000, 960_000, 480_000, 3_840_000) is Change.UP
