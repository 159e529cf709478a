"""What do findings count by themselves? The last step of fit_ranker.py.

The networks of monitor/windows.py learned to say what a language model said. What they find on the way may be weighed
by what people and the panel said instead: each of the findings gets a weight on top of all the rest, held near zero.
Only posts by people teach it, and it counts by the strongest of each finding: in the mean of twelve sources left out
one by one that was worth .003 of average precision; with what was written for lowstar as well .001, with ten times the
penalty .001, too. With the findings' sums over the text it was .004, but whole reviews lost by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor.ranker import FINDINGS_UNITS as UNITS
from monitor.windows import FOUND, windows

Array = NDArray[np.float64]
SHRINK = 1e4  # of ½ SHRINK |w|², w in logits a spread
SPREAD_LEAST = 0.05  # of the usual one: what is hardly ever found may not count without end
STEPS = 12  # of Newton's; six are enough


class Source(NamedTuple):
    """Posts by people, as the findings' weights are fitted on them."""

    found: Array  # posts × FOUND
    before: Array  # their logits without the findings' weights
    target: Array  # 0…1
    weight: float


class Standing(NamedTuple):
    """How much of each finding is usual, and how much it varies, in the mean of sources."""

    usual: Array
    spread: Array

    def of(self, found: Array) -> Array:
        """Findings in spreads around what is usual; 0 for a text without a word, in which nothing was looked for."""
        return np.where(found.any(1, keepdims=True), (found - self.usual) / self.spread, 0.0)


def found_in(words: Sequence[tuple[str, ...]]) -> tuple[Array, Array]:
    """(findings of each text, logits of the networks)."""
    read = windows()
    found = np.zeros((len(words), FOUND))
    logits = np.zeros(len(words))
    for at, some in enumerate(words):
        if (findings := read.findings(some)) is not None:
            found[at], logits[at] = findings, read.logit(some)
    return found, logits


def standing(sources: Sequence[Source]) -> Standing:
    """By sources of posts that people wrote, rounded as the file has it."""
    usual = np.mean([one.found.mean(0) for one in sources], 0)
    spread = np.mean([one.found.std(0) for one in sources], 0)
    spread = np.maximum(spread, SPREAD_LEAST * np.median(spread))
    return Standing(
        np.round(usual * UNITS["usual"]) / UNITS["usual"],
        np.round(spread * UNITS["spread"]) / UNITS["spread"],
    )


def weigh(sources: Sequence[Source], usual: Standing) -> Array:
    """Weights in logits a spread; each source has an intercept of its own. Newton's steps, the same every time."""
    seen = np.vstack([usual.of(one.found) for one in sources])
    source = np.concatenate([np.full(len(one.target), at) for at, one in enumerate(sources)])
    seen = np.hstack([seen, source[:, None] == np.arange(len(sources))])
    before, target = (np.concatenate([one[at] for one in sources]) for at in (1, 2))
    weight = np.array([one.weight for one in sources])[source]
    shrink = np.concatenate([np.full(FOUND, SHRINK), np.full(len(sources), 1e-3)])
    at = np.zeros(seen.shape[1])
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-np.clip(before + seen @ at, -35, 35)))
        slope = seen.T @ (weight * (chance - target)) + shrink * at
        bend = (seen * (weight * chance * (1 - chance))[:, None]).T @ seen + np.diag(shrink)
        step = np.linalg.solve(bend, slope)
        at -= step
        if np.abs(step).max() < 1e-7:
            break
    return at[:FOUND]


def packed(usual: Standing, weights: Array) -> dict[str, str]:
    """As the file has them: whole numbers in UNITS."""
    all_three = {"usual": usual.usual, "spread": usual.spread, "weights": weights}
    return {
        name: " ".join(str(round(float(number) * UNITS[name])) for number in numbers)
        for name, numbers in all_three.items()
    }
