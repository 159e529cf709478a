"""How soon must someone answer, and why? Stars first, then words, then reach."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Where the lines between the priorities run."""

    urgent_stars: float = 1.0  # this many stars or fewer: urgent
    high_stars: float = 2.0
    normal_stars: float = 3.0
    negative: float = -0.05  # compound at or below: negative (VADER's own threshold)
    high_compound: float = -0.5  # words alone at or below: high
    viral_reach: int = 1000  # a negative with this reach rises one step
