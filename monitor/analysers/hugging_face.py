"""How does a Hugging Face model read it? An example of an analyser, for whoever has `transformers` installed.

    pip install transformers torch

    [analyser]
    call = "monitor.analysers.hugging_face:analyser"
    options = { model = "cardiffnlp/twitter-xlm-roberta-base-sentiment" }

The model is any text classifier whose labels say negative (or "1 star" … "5 stars"); a folder works as well as a
name, and nothing is fetched while HF_HUB_OFFLINE=1. lowstar itself needs none of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from monitor.analysers import AnalyserError
from monitor.sentiment import Analyzer
from storage.records import Label, Sentiment

TEXT_MAX = 4_000  # characters; the model cuts at its own length, some 512 pieces of words
NEGATIVE_FROM = 0.5  # probability

_STARS = re.compile(r"([1-5])\s*stars?", re.I)
_NEGATIVE = re.compile(r"\A(?:neg|negative|very negative|label_0)\Z", re.I)
_POSITIVE = re.compile(r"\A(?:pos|positive|very positive)\Z", re.I)


def analyser(model: str, device: int = -1) -> Analyzer:
    """An Analyzer over the text classifier `model`; `device` −1 is the processor. Raises AnalyserError."""
    try:
        from transformers import pipeline
    except ImportError:
        raise AnalyserError(
            "analyser: transformers is not installed: pip install transformers torch, or take [analyser] out"
        ) from None
    classify: Any = pipeline("text-classification", model=model, device=device, top_k=None, truncation=True)

    def analyse(text: str) -> Sentiment:
        said = classify(text[:TEXT_MAX])
        # One text, all labels: a list of labels, in a list of its own in some versions.
        scores = said[0] if said and isinstance(said[0], list) else said
        return sentiment_of(scores)

    return analyse


def sentiment_of(scores: Sequence[Mapping[str, Any]]) -> Sentiment:
    """What a classifier's labels and probabilities come to.

    >>> sentiment_of([{"label": "negative", "score": 0.9}, {"label": "positive", "score": 0.1}])
    Sentiment(compound=-0.8, label=<Label.NEGATIVE: 'negative'>, spans=())

    Raises ValueError where no label says negative: taken for a sentiment it would lower nothing and raise nothing.
    """
    negative = positive = 0.0
    known = False
    for one in scores:
        label, score = str(one["label"]), float(one["score"])
        if not 0.0 <= score <= 1.0:
            raise ValueError(f"its label {label[:40]!r} has the probability {score}")
        stars = _STARS.fullmatch(label)
        if _NEGATIVE.match(label) or (stars and int(stars[1]) <= 2):
            negative += score
            known = True
        elif _POSITIVE.match(label) or (stars and int(stars[1]) >= 4):
            positive += score
    if not known:
        names = ", ".join(str(one["label"])[:40] for one in scores[:6])
        raise ValueError(f"none of its labels says negative: {names}")
    compound = round(max(-1.0, min(1.0, positive - negative)), 4)
    if negative >= NEGATIVE_FROM:
        return Sentiment(min(compound, -0.05), Label.NEGATIVE)
    return Sentiment(max(compound, 0.0), Label.POSITIVE if compound >= 0.05 else Label.NEUTRAL)
