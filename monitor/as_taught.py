"""How does what was learned from the team judge, once it was adopted?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from monitor.examination import examine
from monitor.learned_rules import heaviest, said
from monitor.match import Hit
from monitor.ranker import Offset, chance, features_once, logit, scale_of
from monitor.sentiment import NEGATIVE_TO, POSITIVE_FROM, compound_of
from monitor.triage import REASONS_KEPT, Thresholds, judge
from storage.records import Label, Mention, Priority, Sentiment, Verdict

TELLING = 1.0  # logits that what was learned must add to be named as a reason
FIRM_STARS = 2.0  # as few as these are never lowered


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
    if logit(taught) - logit(shipped) < TELLING:
        return verdict
    found = features_once(seen, mention.judged_text)
    scale = scale_of(found)
    parts = [(offset.terms[term] * scale, said(term)) for term in found.terms if term in offset.terms]
    parts += [(weight, words) for words, weight in heaviest(found.words, offset)]
    parts = [part for part in parts if part[0] > 0]
    reason = "learned from your team"
    if parts:  # of signs alone there is nothing to name
        word = min(parts, key=lambda part: (-part[0], len(part[1].split()), -len(part[1]), part[1]))[1]
        reason = f"'{word}' (learned from your team)"
    reasons = (*verdict.reasons[: REASONS_KEPT - 1], reason)
    named = replace(verdict, reasons=reasons)
    if mention.stars is None and verdict.priority is Priority.NORMAL and taught >= thresholds.high:
        return replace(named, priority=Priority.HIGH, rank=verdict.rank + 1 / len(Priority))
    return named
