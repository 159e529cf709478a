"""How probable is it that a text is a complaint? A linear model over words, signals and `monitor.windows`.

VADER and the lists of `monitor.lexicon` say what they found; the model, fitted by `benchmarks/fit_ranker.py` on
freely licensed posts (monitor/model/MODEL_CARD.md), says how much each of it counts, and how much the words no list
holds, and what words say together. A deployment may put an `Offset` of its own on top: the shipped weights stay what
they are.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from operator import mul
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from monitor.examination import Examination
from monitor.lexicon.cues import Cue, Level
from monitor.lexicon.reader import NEGATIONS
from monitor.numeric import numpy
from monitor.windows import windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

MODEL_FILE = Path(__file__).parent / "model" / "ranker.json"
FINDINGS_UNITS = {"usual": 1e3, "spread": 1e3, "weights": 1e4}  # parts of one, as the file has them
POWER = 0.35  # a term of n counts n^−0.35: neither the sum, which long texts win, nor the mean
TOKENS_READ = 1500  # of one text; what follows changes no verdict
NEGATED_WORDS = 3  # that a negation reaches
_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[!?.;:,@\u2026]")
_NAME = re.compile(",{2,}")  # an account or a link: as many commas as it had letters (Examination.folded)
_LONG = re.compile(r"(\w)\1\1+")
_NUMBER = re.compile(r"\d+")
_SENTENCE = re.compile("[.!?\u2026]+(?=\\s|$)|\n")
_SENTENCE_END = frozenset(".!?\u2026")
_CLAUSE_END = frozenset(".!?\u2026;:,@")
_PERSONS = {
    **dict.fromkeys(("i", "i'm", "im", "i've", "ive", "me", "my", "we", "our", "us", "mine"), 0),
    **dict.fromkeys(("you", "your", "you're", "youre", "u", "ur", "yours"), 1),
    **dict.fromkeys(("they", "their", "them", "they're", "he", "she", "his", "her"), 2),
    **dict.fromkeys(
        ("was", "were", "had", "did", "told", "said", "asked", "called", "went", "got", "took", "came"), 3
    ),
    **dict.fromkeys(
        (
            "what",
            "when",
            "where",
            "who",
            "how",
            "which",
            "anyone",
            "anybody",
            "can",
            "could",
            "does",
            "is",
            "are",
        ),
        4,
    ),
    **dict.fromkeys(("but", "however", "although", "though", "except"), 5),
    **dict.fromkeys(("please", "pls", "plz", "kindly"), 6),
    **dict.fromkeys(("thanks", "thank", "thx", "ty", "cheers", "appreciate"), 7),
    **dict.fromkeys(NEGATIONS, 8),
}
_CIRCUMSTANCES = (Cue.JOURNALIST, Cue.PRESS, Cue.VULNERABLE)  # say who speaks, not what happened
_CUES = {cue: i for i, cue in enumerate(c for c in Cue if c not in _CIRCUMSTANCES)}
SIGNALS = (
    "tone", "vader", "positive", "negative", "positive_share", "negative_share",
    "worst_sentence", "best_sentence", "last_sentence", "first_sentence", "mean_sentence",
    "emoji_positive", "emoji_negative", "scoring", "capitals", "exclaims", "asks", "ends_asking", "dots",
    "length", "long", "sentences", "link", "account", "tag", "number", "quote", "retweet",
    "first_person", "second_person", "third_person", "past", "question_words", "but", "please", "thanks", "negations",
    "severe", "clear", "mild", "only_praise", "mixed",
    *(f"cue:{cue.name.lower()}" for cue in _CUES),
)  # fmt: skip


class Features(NamedTuple):
    """What the model sees of a text."""

    signals: tuple[float, ...]  # as SIGNALS names them
    terms: tuple[str, ...]  # words, pairs ("^" begins a sentence), words after a negation ("~"); each once
    words: tuple[str, ...]  # words and punctuation as they stand, for `monitor.windows`


@dataclass(frozen=True, slots=True, eq=False)
class Offset:
    """What one deployment adds to the shipped model: learned from its team, kept apart, undone by leaving it out."""

    bias: float = 0.0  # of a text with words; with findings' weights: what is usual adds nothing
    terms: Mapping[str, float] = field(default_factory=dict)  # in logits, before `scale_of`
    findings: NDArray[Any] | None = None  # in logits a unit of `monitor.windows.Windows.findings`

    def of_findings(self, words: Sequence[str]) -> float:
        """What the bias and the findings add, in logits."""
        if self.findings is None:
            return self.bias
        found = windows().findings(words)
        return 0.0 if found is None else self.bias + float(found @ self.findings)


def words_of(seen: Examination) -> list[str]:
    """The words and the punctuation of a text, in order: digits as 0, names as @, no letter thrice in a row."""
    return _TOKEN.findall(_LONG.sub(r"\1\1", _NUMBER.sub("0", _NAME.sub("@", seen.folded))))[:TOKENS_READ]


def features(seen: Examination, text: str) -> Features:
    """What the model sees in `text`, which `seen` is the examination of. Linear in its length."""
    count = 0
    terms: list[str] = []
    before = "^"
    negated = 0
    persons = [0.0] * 9
    words = words_of(seen)
    for word in words:
        if word in _CLAUSE_END:
            if word in ("!", "?"):
                terms.append(word)
            if word in _SENTENCE_END:
                before = "^"
            negated = 0
            continue
        count += 1
        terms.append(word)
        terms.append(before + " " + word)
        if negated:
            terms.append("~" + word)
            negated -= 1
        group = _PERSONS.get(word)
        if group is not None:
            persons[group] += 1.0
            if group == 8:
                negated = NEGATED_WORDS
        before = word
    return Features(_signals(seen, text, count, persons), tuple(dict.fromkeys(terms)), tuple(words))


def _squash(total: float) -> float:
    return total / math.sqrt(total * total + 15.0)


def _signals(seen: Examination, text: str, count: int, persons: list[float]) -> tuple[float, ...]:
    weighed = seen.weighed
    positive = negative = 0.0
    for _, _, weight in weighed:
        if weight > 0:
            positive += weight
        else:
            negative += weight
    ends = [found.end() for found in _SENTENCE.finditer(seen.clean)]
    if not ends or ends[-1] < len(seen.clean.rstrip()):
        ends.append(len(seen.clean))
    sums = [0.0] * len(ends)
    at = 0
    for start, _, weight in weighed:
        while at < len(ends) - 1 and start >= ends[at]:
            at += 1
        sums[at] += weight
    tones = [_squash(s) for s in sums]
    read = seen.vader
    total = read.total if read is not None else 0.0
    many = max(1, count)
    cues = [0.0] * len(_CUES)
    levels = [0, 0, 0, 0]
    for phrase in seen.phrases:
        kind = _CUES.get(phrase.cue)
        if kind is not None:
            cues[kind] += 1.0
        if phrase.weight < 0:
            levels[phrase.level] += 1
    complaints = levels[1] + levels[2] + levels[3]
    praise = cues[_CUES[Cue.PRAISE]]
    capitals = sum([w.isupper() and len(w) > 2 for w in text[:4000].split()])
    faces_good = sum([p.weight for p in seen.emoji if p.weight > 0])
    faces_bad = sum([p.weight for p in seen.emoji if p.weight < 0])
    exclaims, asks = text.count("!"), text.count("?")
    length = math.log1p(many) - 2.7  # a tweet has some 15 words
    root = math.sqrt(max(1.0, many / 15))
    return (
        seen.tone,
        _squash(total),
        _squash(positive),
        _squash(negative),
        positive / (many + 5),
        negative / (many + 5),
        min(tones),
        max(tones),
        tones[-1],
        tones[0],
        sum(tones) / len(tones),
        _squash(faces_good),
        _squash(faces_bad),
        len(weighed) / (many + 3),
        min(1.0, capitals / many) if capitals > 1 else 0.0,
        math.log1p(min(exclaims, 10)) / root,
        math.log1p(min(asks, 10)) / root,
        1.0 if text.rstrip().endswith("?") else 0.0,
        1.0 if ".." in text or "\u2026" in text else 0.0,
        length,
        max(0.0, length - 1.0),
        math.log1p(len(ends)),
        1.0 if "://" in text or "www." in text else 0.0,
        1.0 if "@" in text else 0.0,
        1.0 if "#" in text else 0.0,
        1.0 if _NUMBER.search(seen.clean) else 0.0,
        1.0 if '"' in text or "\u201c" in text else 0.0,
        1.0 if text[:3] == "RT " or " RT " in text else 0.0,
        *[p / root / 2 if p > 1 else p / 2 for p in persons],
        1.0 if levels[3] else 0.0,
        math.log1p(levels[2]) / root,
        math.log1p(levels[1]) / root,
        1.0 if praise and not complaints else 0.0,
        1.0 if praise and complaints else 0.0,
        *[math.log1p(c) / root if c else 0.0 for c in cues],
    )


def scale_of(features: Features) -> float:
    """What one term counts beside the others."""
    return 3.0 / math.pow(max(1, len(features.terms)), POWER)


class Findings(NamedTuple):
    """What findings of `monitor.windows` count by themselves: FOUND numbers each, and one bias for all."""

    usual: NDArray[Any]  # in what people write
    spread: NDArray[Any]
    weights: NDArray[Any]  # in logits a unit
    bias: float  # what is usual adds nothing

    @classmethod
    def packed(cls, held: Mapping[str, str]) -> Findings:
        """As the file has them: whole numbers in FINDINGS_UNITS, the weights a spread."""
        np = numpy()
        usual, spread, weights = (
            np.array(held[name].split(), np.float32) / unit for name, unit in FINDINGS_UNITS.items()
        )
        weights = weights / spread
        return cls(usual, spread, weights, -float(usual @ weights))

    def logit(self, found: NDArray[Any]) -> float:
        """What all of them add, in logits."""
        return self.bias + float(found @ self.weights)


class Ranker:
    """The shipped model. Building one reads its file (some 15 ms); `ranker()` keeps one a process."""

    def __init__(self, path: Path = MODEL_FILE) -> None:
        model = json.loads(path.read_text("utf-8"))
        if tuple(model["signals"]) != SIGNALS:
            raise ValueError(f"{path}: fitted for other signals; run benchmarks/fit_ranker.py")
        self.made = str(model["made"])
        self.bias = float(model["bias"])
        self.flag = float(model["flag"])  # the probability from which F1 was best, across held-out sets
        self.windows = float(model["windows"])  # what a logit of `monitor.windows` counts
        self.findings = Findings.packed(model["findings"])
        self.weights = _terms(model["terms"])
        self.signal_weights: tuple[float, ...] = tuple(float(w) for w in model["signals"].values())

    def rank_score(self, features: Features, offset: Offset | None = None) -> float:
        """The logit of "a complaint": 0 is even odds. Any finite number."""
        get = self.weights.get
        words: float = sum([get(term, 0.0) for term in features.terms])
        score = self.bias + float(sum(map(mul, self.signal_weights, features.signals)))
        if offset is not None:
            more = offset.terms
            words += sum([more[term] for term in features.terms if term in more])
        return score + words * scale_of(features) + self.together(features.words, offset)

    def together(self, words: Sequence[str], offset: Offset | None = None) -> float:
        """What words say together, in logits: by the networks, and by their findings as people's labels weigh them.

        With an `offset` as the team's labels weigh them, too.
        """
        more = 0.0 if offset is None else offset.of_findings(words)
        read = windows()
        found = read.findings(words)
        return more if found is None else more + self.windows * read.logit(words) + self.findings.logit(found)

    def carried(self, features: Features, offset: Offset | None = None) -> list[tuple[str, float]]:
        """What the score is made of, the heaviest first: (term or "[signal]", logits); without the bias."""
        scale = scale_of(features)
        more = offset.terms if offset is not None else {}
        parts = [(t, (self.weights.get(t, 0.0) + more.get(t, 0.0)) * scale) for t in features.terms]
        parts += [
            (f"[{name}]", w * s)
            for name, w, s in zip(SIGNALS, self.signal_weights, features.signals, strict=True)
        ]
        parts.append(("[words_together]", self.together(features.words, offset)))
        return sorted((p for p in parts if p[1]), key=lambda p: (-abs(p[1]), p[0]))


def telling(features: Features, least: float) -> list[tuple[str, float]]:
    """What adds `least` logits or more, terms and three words in a row, and how many it adds; the heaviest first."""
    model, scale = ranker(), scale_of(features)
    get = model.weights.get
    found = [(w, t) for t in features.terms if (w := get(t, 0.0) * scale) >= least]
    words = features.words
    read = windows()
    taught, labelled = read.parts(words), read.shares(words, model.findings.weights)
    for at, (one, other) in enumerate(zip(taught, labelled, strict=True)):
        if (weight := one * model.windows + other) >= least:
            found.append((weight, near(words, at)))
    return [(term, weight) for weight, term in sorted(found, key=lambda pair: (-pair[0], pair[1]))]


def near(words: Sequence[str], at: int) -> str:
    """The word there with its neighbours."""
    return " ".join([word for word in words[max(0, at - 1) : at + 2] if word[0].isalnum()])


def _terms(packed: Mapping[str, str]) -> dict[str, float]:
    """Terms by weight, as the file has them: "-37": "a|b c|~d"."""
    return {term: int(weight) / 100 for weight, terms in packed.items() for term in terms.split("|")}


def probability(logit: float) -> float:
    """0…1 for a logit.

    >>> probability(0.0), round(probability(-800.0), 3), round(probability(2.2), 2)
    (0.5, 0.0, 0.9)
    """
    return 1.0 / (1.0 + math.exp(-max(-35.0, min(35.0, logit))))


def logit(chance: float) -> float:
    """Of a probability; of 0 and 1 that of what is next to them.

    >>> round(logit(0.9), 2), round(logit(0.0))
    (2.2, -35)
    """
    bounded = max(6e-16, min(1.0 - 6e-16, chance))
    return math.log(bounded / (1.0 - bounded))


# "Great, another delay": the corpora hold too few to learn from, so this one is set by hand, in logits.
SARCASTIC = 1.5
_COMPLAINTS = frozenset(c for c in Cue if c.level >= Level.MILD and c is not Cue.SARCASM)
FOREIGN_SLOPE = 5.0  # of a tone read from a short list: its word counts, its shades do not


def chance(seen: Examination, text: str, offset: Offset | None = None) -> float | None:
    """How probable it is that `text` complains, 0…1; None where nothing in it could be read.

    The model knows English. Of another language the short list and the emoji decide: what they find is a complaint
    or praise, at the flag where they are undecided.
    """
    global _scored
    if not seen.weighed and not (seen.words and seen.vader is not None):
        return None
    model = ranker()
    if seen.vader is None:
        return probability(logit(model.flag) - FOREIGN_SLOPE * (seen.tone + 0.05))
    seen_before = _scored
    if offset is None and seen_before is not None and seen_before[0] is seen:
        return seen_before[1]  # who judges asks what who analyses has asked
    score = model.rank_score(features_once(seen, text), offset)
    if any(p.cue is Cue.SARCASM for p in seen.phrases) and any(p.cue in _COMPLAINTS for p in seen.phrases):
        score += SARCASTIC
    found = probability(score)
    if offset is None:
        _scored = (seen, found)
    return found


def features_once(seen: Examination, text: str) -> Features:
    """`features`, remembered for the last text: it is asked for by who analyses and by who judges."""
    global _last
    last = _last
    if last is None or last[0] is not seen:
        last = _last = (seen, features(seen, text))
    return last[1]


_last: tuple[Examination, Features] | None = None
_scored: tuple[Examination, float] | None = None


@cache
def ranker() -> Ranker:
    """The one Ranker of this process."""
    return Ranker()
