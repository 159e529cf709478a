"""What has the team taught, is it better than what was shipped, and what would it have changed?

The shipped model stays what it is: its logit is a fixed offset, and only weights of words, and of what the networks
find in words together, are learned on top, held near zero (λ = 1), without a bias and without weighing classes. A
finding is the same for words that mean the same, so a hundred labels teach what no word was seen often enough for.
Both were measured: to weigh the shipped model anew from alerted posts alone made it worse than none (average
precision .634 → .505), to balance classes spoiled a good one (.919 → .877). What is learned from is what people said:
corrections, cases they answered, and labels of posts nobody was alerted to (the audit sample), without which only one
side of the line would be known.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from monitor.examination import examine
from monitor.learned_rules import Example, Likeness, Rule, rules_of
from monitor.numeric import numpy
from monitor.ranker import Features, Offset, features, probability, ranker, scale_of
from monitor.windows import FOUND, windows
from storage.learned import FoundWeights, Taught
from storage.records import case_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHRINK = 1.0  # λ of ½λ|w|²
INTERCEPT = 3.0  # of every example, where a word's value is some 1: so its weight is shrunk a ninth as much
ROUNDS = 40  # through all examples; it is settled long before
SETTLED = 1e-3
FOLDS = 5
LEAST = 30  # examples
LEAST_EACH = 8  # of each kind
AUDIT = 0.2  # share of labels that must be of posts nobody was alerted to
TERMS_KEPT = 4_000
WEIGHT_LEAST = 0.01  # logits; what weighs less changes no verdict
# What the findings of a text, in spreads around the usual, count together beside its words, which count some 9:
# ½λ|w|² is the same for all. 1 to 10 are as good on emotions, news and films that were learned from for the choice.
FINDINGS_COUNT = 3.0


@dataclass(frozen=True, slots=True)
class Row:
    """An example as it is learned from."""

    prior: float  # logit of the shipped model
    bad: bool
    terms: tuple[str, ...]
    scale: float  # what one term counts
    found: NDArray[Any] | None = (
        None  # findings in spreads around the usual, scaled; None where there is no word
    )


class Weights(NamedTuple):
    """What was learned of words, and of findings."""

    terms: dict[str, float]
    found: NDArray[Any]  # as many as `monitor.windows` finds, in spreads around the usual


@dataclass(frozen=True, slots=True)
class Held:
    """How good the order is on examples that were not learned from, shipped against learned."""

    examples: int
    bad: int
    audit: int
    precision_before: float  # average precision of "find what somebody must see"
    precision_after: float
    loss_before: float  # log loss: 0 is perfect, 0.693 is a coin
    loss_after: float
    folds_better: int
    folds: int

    @property
    def better(self) -> bool:
        """True when it is better in every way that was measured."""
        return (
            self.precision_after > self.precision_before
            and self.loss_after < self.loss_before
            and 2 * self.folds_better > self.folds
        )


def examples_of(taught: Sequence[Taught]) -> list[Example]:
    """What can be learned from; a label counts more than a correction, and that more than an answer.

    "Not about us" is learned as "nobody needs to see it": what it is about shows in its words.
    """
    found: dict[tuple[int, str], Example] = {}
    for one in taught:
        if one.negative is not None:
            bad = one.negative
        elif one.wrong:
            bad = one.wrong == "more_urgent"
        elif one.answered:
            bad = True
        else:
            continue
        if (one.mention_id, one.brand) in found and one.negative is None:
            continue
        text = one.mention.judged_text
        if text:
            name = "" if one.number is None else case_name(one.number)
            found[one.mention_id, one.brand] = Example(text, bad, one.number is None, name)
    return list(found.values())


def row_of(example: Example) -> Row | None:
    """How it is learned from; None where the shipped model does not read its language."""
    seen = _seen(example)
    return None if seen is None else _row(example, seen)


def _seen(example: Example) -> Features | None:
    """What the shipped model sees in it; None where it does not read its language."""
    seen = examine(example.text)
    if seen.vader is None or not (seen.words or seen.weighed):
        return None
    return features(seen, example.text)


def _row(example: Example, seen: Features) -> Row:
    model = ranker()
    findings = windows().findings(seen.words)
    if findings is not None:
        findings = (findings - model.findings.usual) / model.findings.spread * _EACH
    return Row(model.rank_score(seen), example.bad, seen.terms, scale_of(seen), findings)


def fit(rows: Sequence[Row], shrink: float = SHRINK) -> Weights:
    """Weights that make Σ log(1 + e^−y(prior + b + w·x)) + ½ shrink |w|² least; the same every time.

    The intercept b is thrown away: it is there so that the share of complaints among the labels, which is that of
    what was looked at and not that of what is said, teaches no word. Dual coordinate descent (Yu, Huang, Lin 2011):
    each step solves one example's part exactly.

    >>> rows = [Row(0.0, True, ("broken",), 1.0), Row(0.0, False, ("lovely",), 1.0)]
    >>> {term: round(weight, 2) for term, weight in sorted(fit(rows).terms.items())}
    {'broken': 0.4, 'lovely': -0.4}
    """
    terms: defaultdict[str, float] = defaultdict(float)
    found = numpy().zeros(FOUND)
    weights = Weights(terms, found)  # as they are by now
    intercept = 0.0
    pull = [0.0] * len(rows)  # of each example, 0…1: how wrong it would be without itself
    lengths = [_length(row) / shrink for row in rows]
    order = [at for at, row in enumerate(rows) if row.terms]
    shuffle = random.Random(16).shuffle  # noqa: S311 - an order, no secret
    for _ in range(ROUNDS):
        shuffle(order)
        moved = 0.0
        for at in order:
            row = rows[at]
            sign = 1.0 if row.bad else -1.0
            margin = sign * (learned(row, weights) + INTERCEPT * intercept)
            new = _pull(margin, lengths[at], pull[at])
            step = (new - pull[at]) * sign / shrink
            moved = max(moved, abs(new - pull[at]))
            pull[at] = new
            intercept += step * INTERCEPT
            for term in row.terms:
                terms[term] += step * row.scale
            if row.found is not None:
                found += step * row.found
        if moved < SETTLED:
            break
    return Weights(dict(terms), found)


def _length(row: Row) -> float:
    """|x|² of an example and its intercept."""
    found = 0.0 if row.found is None else float(row.found @ row.found)
    return row.scale * row.scale * len(row.terms) + found + INTERCEPT * INTERCEPT


def _pull(margin: float, length: float, was: float) -> float:
    """The α with logit(α) + margin + (α − was)·length = 0: Newton on the logit, kept between two bounds."""
    low, high = -40.0, 40.0
    z = max(low, min(high, -margin if not was else math.log(was / (1.0 - was))))
    last = math.inf
    for _ in range(100):
        alpha = 1.0 / (1.0 + math.exp(-z))
        error = z + margin + (alpha - was) * length
        if error > 0:
            high = z
        else:
            low = z
        step = error / (1.0 + length * alpha * (1.0 - alpha))
        if abs(step) < 1e-6:
            break
        # Newton may jump to and fro across the bend: whenever it gains too little, the bounds are halved instead.
        z = z - step if abs(error) < last / 2 and low < z - step < high else (low + high) / 2
        last = abs(error)
    return max(1e-12, min(1.0 - 1e-12, 1.0 / (1.0 + math.exp(-z))))


def learned(row: Row, weights: Weights) -> float:
    """The logit of an example with what was learned."""
    known = weights.terms
    logit = row.prior + row.scale * sum([known.get(term, 0.0) for term in row.terms])
    return logit if row.found is None else logit + float(row.found @ weights.found)


def hold_out(rows: Sequence[Row], audit: int = 0, folds: int = FOLDS) -> Held:
    """Every example judged by what was learned from the others; the honest number."""
    order = list(range(len(rows)))
    random.Random(16).shuffle(order)  # noqa: S311
    after = [0.0] * len(rows)
    better = counted = 0
    for fold in range(folds):
        mine = order[fold::folds]
        out = set(mine)
        theirs = [rows[at] for at in order if at not in out]
        weights = fit(theirs)
        for at in mine:
            after[at] = learned(rows[at], weights)
        bad = [rows[at].bad for at in mine]
        if any(bad) and not all(bad):
            counted += 1
            better += _loss([after[at] for at in mine], bad) < _loss([rows[at].prior for at in mine], bad)
    before, bad = [row.prior for row in rows], [row.bad for row in rows]
    return Held(
        examples=len(rows),
        bad=sum(bad),
        audit=audit,
        precision_before=average_precision(before, bad),
        precision_after=average_precision(after, bad),
        loss_before=_loss(before, bad),
        loss_after=_loss(after, bad),
        folds_better=better,
        folds=counted,
    )


def average_precision(scores: Sequence[float], bad: Sequence[bool]) -> float:
    """How well the scores put what is bad on top: 1 is perfect, the share of the bad is chance.

    >>> average_precision([3.0, 2.0, 1.0], [True, False, True])
    0.8333333333333333
    """
    hits, total = 0, 0.0
    # Of equal scores the good come first: a tie is no merit.
    for place, at in enumerate(sorted(range(len(scores)), key=lambda at: (-scores[at], bad[at])), 1):
        if bad[at]:
            hits += 1
            total += hits / place
    return total / hits if hits else 0.0


def _loss(scores: Sequence[float], bad: Sequence[bool]) -> float:
    chances = [probability(score if one else -score) for score, one in zip(scores, bad, strict=True)]
    return -sum([math.log(max(chance, 1e-12)) for chance in chances]) / max(1, len(chances))


@dataclass(frozen=True, slots=True)
class Lesson:
    """What was learned from all examples, and whether it may be adopted."""

    terms: dict[str, float]
    found: FoundWeights
    held: Held | None  # None: too few to tell
    rules: tuple[Rule | Likeness, ...]
    why_not: str = ""  # what keeps it from being adopted, and what to do; "" for nothing

    @property
    def offset(self) -> Offset:
        """What the ranker takes."""
        return offset_of(self.terms, self.found)


OUTDATED = (
    "it was learned with other networks than lowstar has now, and of it only words and word pairs count"
)


def outdated(found: FoundWeights | None) -> bool:
    """True for weights of other networks' findings than those that ship."""
    return found is not None and found.networks != windows().name


def offset_of(terms: Mapping[str, float], found: FoundWeights | None) -> Offset:
    """What the ranker takes; without the findings' weights where they are those of other networks than these."""
    if found is None or outdated(found):
        return Offset(terms=terms)
    return Offset(found.bias, terms, numpy().array(found.weights, "float32"))


def learn(examples: Sequence[Example], *, least: int = LEAST, audit: float = AUDIT) -> Lesson:
    """What `examples` teach. `audit`: the share of them that must be of posts nobody was alerted to."""
    pairs = [(one, seen) for one in examples if (seen := _seen(one)) is not None]
    rows = [_row(one, seen) for one, seen in pairs]
    bad, audited = sum(row.bad for row in rows), sum(one.audit for one, _ in pairs)
    weights = fit(rows)
    lesson = Lesson(_kept(weights.terms), _found(weights.found), None, ())
    lesson = replace(lesson, rules=rules_of(pairs, lesson.offset))
    if len(rows) < least or min(bad, len(rows) - bad) < LEAST_EACH:
        why = (
            f"too few to tell: {len(rows)} posts, {bad} of which needed someone; at least {least} are wanted, "
            f"and {LEAST_EACH} of each kind"
        )
        return replace(lesson, why_not=why)
    held = hold_out(rows, audited)
    why = ""
    if audited < audit * len(rows):
        missing = math.ceil((audit * len(rows) - audited) / (1 - audit)) if audit < 1 else len(rows)
        why = (
            f"only {audited} of {len(rows)} labels are of posts nobody was alerted to; alerted ones alone teach to "
            f"look away. Label {missing} more: lowstar learn --audit {missing}"
        )
    elif not held.better:
        why = "it is not better on posts it was not taught: the shipped ranking stays"
    return replace(lesson, held=held, why_not=why)


def _kept(weights: dict[str, float]) -> dict[str, float]:
    heaviest = sorted(weights.items(), key=lambda item: (-abs(item[1]), item[0]))[:TERMS_KEPT]
    return {term: round(weight, 4) for term, weight in heaviest if abs(weight) >= WEIGHT_LEAST}


def _found(weights: NDArray[Any]) -> FoundWeights:
    """Weights of findings as they are, not in spreads: they hold as long as the networks are these."""
    shipped = ranker().findings
    each = weights * _EACH / shipped.spread
    bias = -float(shipped.usual @ each)
    return FoundWeights(windows().name, round(bias, 5), tuple(round(weight, 5) for weight in each.tolist()))


_EACH = math.sqrt(FINDINGS_COUNT / FOUND)
