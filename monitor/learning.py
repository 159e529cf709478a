"""What has the team taught, is it better than what was shipped, and what would it have changed?

The shipped model stays what it is: its logit is a fixed offset, and only weights of words are learned on top, held
near zero (λ = 1), without a bias and without weighing classes. Both were measured: to weigh the shipped model anew
from alerted posts alone made it worse than none (average precision .634 → .505), to balance classes spoiled a good
one (.919 → .877). What is learned from is what people said: corrections, cases they answered, and labels of posts
nobody was alerted to (the audit sample), without which only one side of the line would be known.

Pure Python: few labels need no more.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from monitor.examination import examine
from monitor.match import Hit
from monitor.ranker import Offset, chance, features, probability, ranker, scale_of
from monitor.sentiment import NEGATIVE_TO, POSITIVE_FROM, compound_of
from monitor.triage import REASONS_KEPT, Thresholds, judge
from storage.learned import Taught
from storage.records import Label, Mention, Priority, Sentiment, Verdict, case_name

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
RULES_SHOWN = 12  # of each direction
TELLING = 1.0  # logits that learned words must add to be named as a reason
FIRM_STARS = 2.0  # as few as these are never lowered

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
class Row:
    """An example as it is learned from."""

    prior: float  # logit of the shipped model
    bad: bool
    terms: tuple[str, ...]
    scale: float  # what one term counts


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
    seen = examine(example.text)
    if seen.vader is None or not (seen.words or seen.weighed):
        return None
    found = features(seen, example.text)
    return Row(ranker().rank_score(found), example.bad, found.terms, scale_of(found))


def fit(rows: Sequence[Row], shrink: float = SHRINK) -> dict[str, float]:
    """Weights of terms that make Σ log(1 + e^−y(prior + b + w·x)) + ½ shrink |w|² least; the same every time.

    The intercept b is thrown away: it is there so that the share of complaints among the labels, which is that of
    what was looked at and not that of what is said, teaches no word. Dual coordinate descent (Yu, Huang, Lin 2011):
    each step solves one example's part exactly.

    >>> rows = [Row(0.0, True, ("broken",), 1.0), Row(0.0, False, ("lovely",), 1.0)]
    >>> {term: round(weight, 2) for term, weight in sorted(fit(rows).items())}
    {'broken': 0.4, 'lovely': -0.4}
    """
    weights: defaultdict[str, float] = defaultdict(float)
    intercept = 0.0
    pull = [0.0] * len(rows)  # of each example, 0…1: how wrong it would be without itself
    order = [at for at, row in enumerate(rows) if row.terms]
    shuffle = random.Random(16).shuffle  # noqa: S311 - an order, no secret
    for _ in range(ROUNDS):
        shuffle(order)
        moved = 0.0
        for at in order:
            row = rows[at]
            sign = 1.0 if row.bad else -1.0
            margin = sign * (learned(row, weights) + INTERCEPT * intercept)
            length = (row.scale * row.scale * len(row.terms) + INTERCEPT * INTERCEPT) / shrink
            new = _pull(margin, length, pull[at])
            step = (new - pull[at]) * sign / shrink
            moved = max(moved, abs(new - pull[at]))
            pull[at] = new
            intercept += step * INTERCEPT
            for term in row.terms:
                weights[term] += step * row.scale
        if moved < SETTLED:
            break
    return dict(weights)


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


def learned(row: Row, weights: Mapping[str, float]) -> float:
    """The logit of an example with what was learned."""
    return row.prior + row.scale * sum([weights.get(term, 0.0) for term in row.terms])


def hold_out(rows: Sequence[Row], audit: int = 0, folds: int = FOLDS) -> Held:
    """Every example judged by what was learned from the others; the honest number."""
    order = list(range(len(rows)))
    random.Random(16).shuffle(order)  # noqa: S311
    after = [0.0] * len(rows)
    better = counted = 0
    for fold in range(folds):
        mine = order[fold::folds]
        theirs = [rows[at] for at in order if at not in set(mine)]
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

    weights: Mapping[str, float]
    held: Held | None  # None: too few to tell
    rules: tuple[Rule, ...]
    why_not: str = ""  # what keeps it from being adopted, and what to do; "" for nothing

    @property
    def offset(self) -> Offset:
        """What the ranker takes."""
        return Offset(terms=dict(self.weights))


def learn(examples: Sequence[Example], *, least: int = LEAST, audit: float = AUDIT) -> Lesson:
    """What `examples` teach. `audit`: the share of them that must be of posts nobody was alerted to."""
    pairs = [(one, row) for one in examples if (row := row_of(one)) is not None]
    rows = [row for _, row in pairs]
    bad, audited = sum(row.bad for row in rows), sum(one.audit for one, _ in pairs)
    weights = _kept(fit(rows))
    rules = rules_of([one for one, _ in pairs], rows, weights)
    if len(rows) < least or min(bad, len(rows) - bad) < LEAST_EACH:
        why = (
            f"too few to tell: {len(rows)} posts, {bad} of which needed someone; at least {least} are wanted, "
            f"and {LEAST_EACH} of each kind"
        )
        return Lesson(weights, None, rules, why)
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
    return Lesson(weights, held, rules, why)


def _kept(weights: Mapping[str, float]) -> dict[str, float]:
    heaviest = sorted(weights.items(), key=lambda item: (-abs(item[1]), item[0]))[:TERMS_KEPT]
    return {term: round(weight, 4) for term, weight in heaviest if abs(weight) >= WEIGHT_LEAST}


def rules_of(
    examples: Sequence[Example], rows: Sequence[Row], weights: Mapping[str, float]
) -> tuple[Rule, ...]:
    """The heaviest learned terms that stand in at least two examples, what raises first."""
    where: defaultdict[str, list[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        for term in row.terms:
            if term in weights:
                where[term].append(at)
    usual = 3.0 / 20**0.35  # a post of ten words has some twenty terms
    told = _readable({term: places for term, places in where.items() if len(places) >= 2}, weights)
    rules = []
    for raising in (True, False):
        mine = [term for term in told if (weights[term] > 0) == raising]
        for term in sorted(mine, key=lambda term: (-abs(weights[term]), term))[:RULES_SHOWN]:
            places = where[term]
            shown = next((at for at in places if rows[at].bad == raising), places[0])
            rules.append(
                Rule(
                    said(term),
                    weights[term] * usual,
                    sum(rows[at].bad for at in places),
                    len(places),
                    " ".join(examples[shown].text.split())[:80],
                )
            )
    return tuple(rules)


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


# -- in force ---------------------------------------------------------------------------------------------


def as_taught(text: str, sentiment: Sentiment, offset: Offset) -> Sentiment:
    """`sentiment`, which an analyser read in `text`, with what was learned here.

    What another analyser than our own says is left as it is.
    """
    seen = examine(text)
    shipped, taught = chance(seen, text), chance(seen, text, offset)
    if shipped is None or taught is None or taught == shipped:
        return sentiment
    if sentiment.compound != compound_of(shipped, seen.tone):
        return sentiment
    compound = compound_of(taught, seen.tone)
    label = Label.NEUTRAL
    if compound >= POSITIVE_FROM:
        label = Label.POSITIVE
    elif compound <= NEGATIVE_TO:
        label = Label.NEGATIVE
    return Sentiment(compound, label, sentiment.spans)


def judge_as_taught(
    mention: Mention,
    brand: str,
    sentiment: Sentiment,
    thresholds: Thresholds,
    *,
    offset: Offset | None,
    hits: Sequence[Hit] = (),
    rivals: Sequence[Hit] = (),
) -> Verdict:
    """`judge` with what was learned here; one or two stars are never lowered by it."""
    shipped = judge(mention, brand, sentiment, thresholds, hits=hits, rivals=rivals)
    if offset is None:
        return shipped
    taught = as_taught(mention.judged_text, sentiment, offset)
    verdict = judge(mention, brand, taught, thresholds, hits=hits, rivals=rivals, offset=offset)
    firm = mention.stars is not None and mention.stars <= FIRM_STARS
    if firm and verdict.rank < shipped.rank:
        return shipped
    return _named(mention, verdict, thresholds, offset)


def _named(mention: Mention, verdict: Verdict, thresholds: Thresholds, offset: Offset) -> Verdict:
    """What the team's own words make probable is high, as what the shipped lists name is; and the word is told."""
    seen = examine(mention.judged_text)
    shipped, taught = chance(seen, mention.judged_text), chance(seen, mention.judged_text, offset)
    if shipped is None or taught is None or taught <= shipped:
        return verdict
    found = features(seen, mention.judged_text)
    parts = [(offset.terms[term] * scale_of(found), term) for term in found.terms if term in offset.terms]
    if sum([weight for weight, _ in parts]) < TELLING:
        return verdict
    word = min(parts, key=lambda part: (-part[0], len(part[1].split()), -len(part[1]), part[1]))[1]
    reasons = (*verdict.reasons[: REASONS_KEPT - 1], f"'{said(word)}' (learned from your team)")
    named = replace(verdict, reasons=reasons)
    if mention.stars is None and verdict.priority is Priority.NORMAL and taught >= thresholds.high:
        return replace(named, priority=Priority.HIGH, rank=verdict.rank + 1 / len(Priority))
    return named
