"""Is today worse than usual, since when, and about what? Counts of negative posts against the same hours before.

Pure: no clock, no store. Today's last hours are compared with the same hours of the same weekday in the weeks before
(where too few weeks are known, of the days before). How many would come by chance is a negative binomial: a Poisson
count whose mean is itself only known from a few counts (Jeffreys' prior), made wider by as much as those counts
spread more than Poisson ones do. With little known the tail is long, and nothing is claimed: 0 → 2 is no alarm, and
neither is anything on the first two days.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, pvariance

WINDOWS = (1, 2, 3, 4, 6, 8, 12, 24)  # hours back from now that are looked at
RARE = 1e-4  # of all that is looked at together: at a run an hour one false alarm a year
MOSTLY = 0.5  # share of the posts that makes it "mostly" about something
OVERLAP = 0.5  # two that share so much of their posts are one
BEFORE_LEAST = 2  # earlier spans; with fewer nobody knows what is usual
PLACES_READ = 200  # subjects of a kind with most posts; the rest is too small to stand out


@dataclass(frozen=True, slots=True)
class Heard:
    """One negative post: how long before the end of its span of 24 hours, and where and what about."""

    id: int
    hours_ago: float
    source: str = ""
    place: str = ""
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeRules:
    """When it is said. Everything else follows from the counts."""

    on: bool = True
    least: int = 5  # posts; fewer are no spike, however rare
    times: float = 2.0  # so many times usual at least: of large counts a small rise is soon no chance


@dataclass(frozen=True, slots=True)
class Spike:
    """More than usual: of the whole brand ("brand"), or of one topic, source or place."""

    kind: str
    subject: str
    hours: int  # back from now, since when
    count: int
    usual: float  # in the same hours
    odds: float  # the chance of so many by themselves
    posts: tuple[int, ...]
    mostly: tuple[tuple[str, str, int], ...] = ()  # (kind, subject, posts) that make up at least half of it

    @property
    def times(self) -> float | None:
        """How many times usual; None where it is usually none at all."""
        return self.count / self.usual if self.usual >= 0.5 else None


def poisson_tail(count: int, mean: float) -> float:
    """P(X ≥ `count`) of a Poisson variable, exact to rounding.

    >>> round(poisson_tail(5, 1.0), 8), poisson_tail(0, 3.0), poisson_tail(2, 0.0)
    (0.00365985, 1.0, 0.0)
    """
    if count <= 0:
        return 1.0
    if mean <= 0:
        return 0.0
    return _upper(count, lambda k: k * math.log(mean) - mean - math.lgamma(k + 1), mean)


def negative_binomial_tail(count: int, size: float, mean: float) -> float:
    """P(X ≥ `count`) of a negative binomial with this mean and variance mean + mean²/size.

    >>> round(negative_binomial_tail(2, 1.0, 1.0), 6), round(negative_binomial_tail(3, 1e12, 1.0), 6)
    (0.25, 0.080301)
    """
    if count <= 0:
        return 1.0
    if mean <= 0:
        return 0.0
    if size > 1e9:  # that is Poisson; the difference of two huge lgamma would be noise
        return poisson_tail(count, mean)
    log_fail, log_hit = -math.log1p(mean / size), math.log(mean) - math.log(size + mean)
    return _upper(
        count,
        lambda k: (
            math.lgamma(k + size) - math.lgamma(size) - math.lgamma(k + 1) + size * log_fail + k * log_hit
        ),
        mean,
    )


def _upper(count: int, log_chance: Callable[[int], float], mean: float) -> float:
    if count <= mean:  # the lower side is the shorter sum, and the answer is no small number
        return max(0.0, 1.0 - math.fsum(math.exp(log_chance(k)) for k in range(count)))
    total, k = 0.0, count
    while True:
        term = math.exp(log_chance(k))
        total += term
        if term <= total * 1e-16:
            return min(1.0, total)
        k += 1


def spike_odds(count: int, before: Sequence[int]) -> float:
    """The chance of at least `count` where the same hours before brought `before`; 1 where too little is known.

    >>> spike_odds(2, [0] * 8) > 0.001, spike_odds(6, [0] * 8) < 1e-5, spike_odds(40, [38, 41, 35]) > 0.1
    (True, True, True)
    >>> spike_odds(9, [3])
    1.0
    """
    spans = len(before)
    if spans < BEFORE_LEAST:
        return 1.0
    mean = fmean(before)
    spread = max(1.0, pvariance(before) * spans / (spans - 1) / mean) if mean else 1.0
    # What spreads more is as if fewer had been counted.
    size = sum(before) / spread + 0.5
    return negative_binomial_tail(count, size, (sum(before) + 0.5 * spread) / spans)


def spikes(
    today: Sequence[Heard],
    before: Sequence[Sequence[Heard]],
    rules: SpikeRules = SpikeRules(),
    *,
    rare: float = RARE,
) -> list[Spike]:
    """What is more than usual in the last 24 hours (`today`), the least likely first; the same posts once only.

    `before` are the spans of 24 hours that end at the same time of day: of the same weekday, the latest first.
    """
    if len(today) < rules.least or len(before) < BEFORE_LEAST:
        return []
    groups = _groups(today)
    earlier = [_groups(span) for span in before]
    # Whoever looks at many things finds something: the more subjects, the rarer it must be.
    limit = rare / max(1, len(groups))
    found = []
    for key, posts in groups.items():
        best = _best(key, posts, [span.get(key, []) for span in earlier], rules)
        if best is not None and best.odds <= limit:
            found.append(best)
    found.sort(key=lambda one: (one.odds, one.kind != "brand", one.kind, one.subject))
    kept: list[Spike] = []
    for one in found:
        mine = set(one.posts)
        if not any(
            len(mine & set(other.posts)) >= OVERLAP * min(len(mine), len(other.posts)) for other in kept
        ):
            kept.append(_with_mostly(one, groups))
    return kept


def _groups(posts: Iterable[Heard]) -> dict[tuple[str, str], list[Heard]]:
    groups: defaultdict[tuple[str, str], list[Heard]] = defaultdict(list)
    for post in posts:
        groups["brand", ""].append(post)
        for topic in dict.fromkeys(post.topics):
            groups["topic", topic].append(post)
        if post.source:
            groups["source", post.source].append(post)
        if post.place:
            groups["place", post.place].append(post)
    most = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return dict(most[:PLACES_READ])


def _best(
    key: tuple[str, str], posts: Sequence[Heard], before: Sequence[Sequence[Heard]], rules: SpikeRules
) -> Spike | None:
    """The window in which it stands out most; None where in none of them."""
    best: Spike | None = None
    for hours in WINDOWS:
        mine = [post.id for post in posts if post.hours_ago <= hours]
        usual = [sum(post.hours_ago <= hours for post in span) for span in before]
        if len(mine) < rules.least or len(mine) < rules.times * fmean(usual):
            continue
        odds = spike_odds(len(mine), usual) * len(WINDOWS)
        if best is None or odds < best.odds:
            best = Spike(key[0], key[1], hours, len(mine), fmean(usual), min(1.0, odds), tuple(mine))
    return best


def _with_mostly(spike: Spike, groups: Mapping[tuple[str, str], Sequence[Heard]]) -> Spike:
    mine = set(spike.posts)
    shares: Counter[tuple[str, str]] = Counter()
    for key, posts in groups.items():
        if key[0] not in ("brand", spike.kind):
            shares[key] = sum(post.id in mine for post in posts)
    told: dict[str, tuple[str, str, int]] = {}
    for (kind, subject), count in sorted(shares.items(), key=lambda item: (-item[1], item[0])):
        if count >= MOSTLY * len(mine):
            told.setdefault(kind, (kind, subject, count))
    order = {"topic": 0, "source": 1, "place": 2}
    return Spike(
        spike.kind, spike.subject, spike.hours, spike.count, spike.usual, spike.odds, spike.posts,
        tuple(sorted(told.values(), key=lambda one: order[one[0]])),
    )  # fmt: skip
