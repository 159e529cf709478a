"""Where do the ranker's weights come from? Fits monitor/model/ranker.json, byte for byte, in some minutes.

Run from the checkout: `python benchmarks/fit_ranker.py FOLDER [FILE]`, FOLDER holding the labelled posts that the
model card names (JSON lines: text, label, where known score, emotions, group). Needs numpy, which lowstar does
not. Everything is chosen by leaving a source out: a model fitted without any review of that site, or any tweet,
is measured on it. No set of `measure/` is read here.

Two rounds. The first weighs words and signals on natural posts. The second holds the signals and adds what was
written for lowstar (benchmarks/ranker_*.txt): it may teach words, but "I hate how good this is" must not teach
that "hate" counts for nothing.

46,000 posts, most of them comments that were marked with emotions, were read again by a panel: a large language model,
asked for nothing but how negative each is (ranker_labels.json).

What no post holds, a teacher knows: ranker_teacher.json says of words and pairs how a language model, tuned on the
same posts by benchmarks/teacher.py, reads each of them. How far it is believed is one weight for words and
one for pairs, fitted like a signal, and added to the terms in the end.

What words say together is said by monitor/windows.py, which benchmarks/teach_windows.py made. It takes no part in the
fit, for its teacher saw these posts; how much it counts beside the rest is fitted last, with the calibration, on
sources that such a network had not seen (ranker_windows.json). Last of all, what the shipped networks find is weighed
by itself (fit_findings.py).
"""

from __future__ import annotations

import json
import math
import os
import random
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

# Sums in one order, on any x86 with OpenBLAS.
os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OPENBLAS_CORETYPE": "Haswell"}
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import fit_findings
import numpy as np
from numpy.typing import NDArray

from monitor.examination import examine
from monitor.measures import average_precision, roc_auc
from monitor.ranker import MODEL_FILE, SIGNALS, Features, features, scale_of
from monitor.windows import NETWORKS

Array = NDArray[np.float64]
HERE = Path(__file__).resolve().parent
MADE = "2026-11-30"
UNREAD = "."  # in ranker_labels.json, which has a digit a row: what the panel said (CHANCES)
NATURAL_LINES = 553  # of ranker_examples.txt; what follows was written to be hard
TERMS_KEPT = 20_000
AT_ONCE = 2  # fits side by side
SHRINK_TERMS, SHRINK_SIGNALS = 10.0, 0.005
CENTRE, STEEPNESS = (
    -0.35,
    2.5,
)  # of a mean human valence (−4…4): where half the readers would call it negative
CHANCES = (0.02, 0.1, 0.7, 0.97)  # by what the panel said: praise, neither, rather negative, negative
BELIEF, BELIEF_BESIDE_EMOTIONS = 0.5, 0.85  # in the panel, beside those who labelled first
COMPLAINING = frozenset(("anger", "annoyance", "disappointment", "disapproval", "disgust", "sadness"))
NO_WORSE = 0.002  # of F1: the difference between two draws
SHARE = (
    0.25  # of complaints in the feed that probabilities are calibrated for: more than in most, to be heard
)
WEIGHTS = {
    "goemotions_train": 0.5, "uci_yelp": 3.0, "uci_amazon": 3.0, "uci_imdb": 2.0, "vader_amazon": 2.0,
    "vader_movies": 0.5, "vader_nyt": 0.3, "vader_tweets": 2.0, "reviews_amazon": 3.0, "reviews_yelp": 1.0,
    "reviews_uci_amazon": 1.0, "written": 3.0, "hard": 5.0, "fragments": 3.0,
    "chatter": 3.0, "long": 3.0, "posts": 1.0, "facts": 5.0, "harmless": 3.0, "everyday": 2.0, "travel": 2.0,
    "goods": 2.0, "threads": 2.0, "plain": 0.5, "pairs": 0.5, "apps": 0.3, "brands": 0.3, "service": 0.3, "daily": 0.3,
    "media": 0.15, "venues": 0.3, "shops": 0.3, "boards": 0.3, "terse": 0.3, "idioms": 0.3, "faults": 0.3, "mixed": 0.3,
    "mentions": 0.3, "stars": 0.3, "remarks": 0.3, "ratings": 0.3, "lines": 0.3,
}  # fmt: skip
# ranker_*.txt, written for lowstar; NEWER, which are most of it, count less
NEWER = (
    "plain", "pairs", "apps", "brands", "service", "daily", "media", "venues", "shops", "boards", "terse", "idioms",
    "faults", "mixed", "mentions", "stars", "remarks", "ratings", "lines",
)  # fmt: skip
FILES = (
    "chatter", "long", "posts", "facts", "harmless", "everyday", "travel", "goods", "threads", *NEWER,
)  # fmt: skip
SECOND_ROUND = ("hard", "fragments", *FILES)
OURS = ("written", *SECOND_ROUND)
LEFT_OUT = {
    "yelp": ("uci_yelp", "reviews_yelp"),
    "amazon": ("uci_amazon", "vader_amazon", "reviews_amazon", "reviews_uci_amazon"),
    "tweets": ("vader_tweets",),
    "written": ("written",),
    "chatter": ("chatter",),
    "everyday": ("everyday", "travel", "goods", "threads"),
}
ALL_LEFT_OUT = tuple(name for names in LEFT_OUT.values() for name in names)


class Post(NamedTuple):
    """A labelled text as the model sees it."""

    negative: bool
    target: float  # 0…1
    seen: Features


Sets = dict[str, list[Post]]


def post(row: dict[str, Any]) -> Post:
    """A row of a data set."""
    return Post(row["label"] == "neg", target_of(row), features(examine(row["text"]), row["text"]))


def target_of(row: dict[str, Any], *, heard: bool = True) -> float:
    """How likely a row is a complaint, 0…1, by its label, by people's mean valence or by emotions; and by the panel.

    The panel is `heard` where it read this row.
    """
    target = float(row["label"] == "neg")
    if isinstance(row.get("score"), (int, float)):
        target = 1 / (1 + math.exp(max(-30.0, min(30.0, (row["score"] - CENTRE) * STEEPNESS))))
    elif row.get("emotions"):  # fear, grief and remorse are seldom about a shop
        target = sum(emotion in COMPLAINING for emotion in row["emotions"]) / len(row["emotions"])
    if heard and "panel" in row:
        belief = BELIEF_BESIDE_EMOTIONS if "emotions" in row else BELIEF
        target = belief * CHANCES[row["panel"]] + (1 - belief) * target
    return target


def read(folder: Path) -> Sets:
    """All that is fitted on, as the model sees it."""
    return {name: [post(row) for row in found] for name, found in rows_of(folder).items()}


def rows_of(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """All that is fitted on: the folder's sets, whole reviews made of their sentences, and our own lines."""
    rows = {
        file.stem: [json.loads(line) for line in file.read_text("utf-8").split("\n") if line]
        for file in sorted(folder.glob("*.jsonl"))
    }
    missing = set(WEIGHTS) - set(rows) - set(OURS) - {n for n in WEIGHTS if n.startswith("reviews_")}
    if missing:
        sys.exit(f"{folder}: no {', '.join(sorted(missing))}")
    rows = {name: rows[name] for name in sorted(rows) if name in WEIGHTS}
    for name, digits in json.loads((HERE / "ranker_labels.json").read_text("utf-8")).items():
        for row, digit in zip(rows[name], digits, strict=True):
            if digit != UNREAD:
                row["panel"] = int(digit)
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows["vader_amazon"]:
        groups.setdefault(row["group"], []).append(row)
    rows["reviews_amazon"] = [_joined(group) for group in groups.values()]
    rows["reviews_yelp"] = _mixed(rows["uci_yelp"], 400, seed=1)
    rows["reviews_uci_amazon"] = _mixed(rows["uci_amazon"], 300, seed=2)
    examples = _own("ranker_examples.txt")
    rows["written"], rows["hard"] = examples[:NATURAL_LINES], examples[NATURAL_LINES:]
    rows["fragments"] = [
        {"text": text, "label": row["label"]}
        for row in _own("ranker_fragments.txt")
        for text in row["text"].split("|")
    ]
    for name in FILES:
        rows[name] = _own(f"ranker_{name}.txt")
    return rows


def taught() -> dict[str, float]:
    """What the teacher thinks of a word or a pair: −1 praise … 1 a complaint."""
    packed = json.loads((HERE / "ranker_teacher.json").read_text("utf-8"))["terms"]
    return {term: int(found) / 100 for found, terms in packed.items() for term in terms.split("|")}


def together() -> dict[str, Array]:
    """Logits of windows on the sources left out, by networks that never saw them: one as the first, one as the rest."""
    packed = json.loads((HERE / "ranker_windows.json").read_text("utf-8"))
    shares = (1 / NETWORKS, 1 - 1 / NETWORKS)
    found = {}
    for name, both in packed.items():
        first, other = (
            share * np.array(text.split(), np.float64) / 100 for share, text in zip(shares, both, strict=True)
        )
        found[name] = first + other
    return found


def _own(name: str) -> list[dict[str, Any]]:
    labels = {"-": "neg", "=": "neu", "+": "pos"}
    lines = (HERE / name).read_text("utf-8").split("\n")
    return [{"text": line[2:], "label": labels[line[0]]} for line in lines if line[:1] in labels and line]


def _joined(group: list[dict[str, Any]]) -> dict[str, Any]:
    score = sum(row["score"] for row in group) / len(group)
    label = "neg" if score < -0.25 else "pos" if score > 0.25 else "neu"
    return {"text": ". ".join(row["text"].rstrip(".") for row in group), "label": label, "score": score}


def _mixed(rows: list[dict[str, Any]], count: int, seed: int) -> list[dict[str, Any]]:
    """Reviews of 2 to 12 sentences, four of five of the review's own opinion."""
    rng = random.Random(seed)
    by = {label: [row["text"] for row in rows if row["label"] == label] for label in ("neg", "pos")}
    made = []
    for _ in range(count):
        label, other = rng.choice((("neg", "pos"), ("pos", "neg")))
        sentences = [
            rng.choice(by[label if rng.random() < 0.8 else other])
            for _ in range(rng.choice((2, 3, 4, 6, 8, 12)))
        ]
        made.append({"text": " ".join(sentences), "label": label})
    return made


class Terms:
    """Posts × terms, mostly zero."""

    def __init__(self, posts: list[Post], vocabulary: dict[str, int]) -> None:
        index: list[int] = []
        values: list[float] = []
        row: list[int] = []
        for i, one in enumerate(posts):
            known = [vocabulary[term] for term in one.seen.terms if term in vocabulary]
            index += known
            values += [scale_of(one.seen)] * len(known)
            row += [i] * len(known)
        self.rows, self.columns = len(posts), len(vocabulary)
        self.index, self.values = np.array(index, np.int32), np.array(values, np.float64)
        self.row = np.array(row, np.int32)

    def dot(self, weights: Array) -> Array:
        """One number a post."""
        return np.bincount(self.row, weights[self.index] * self.values, self.rows).astype(np.float64)

    def back(self, gradient: Array) -> Array:
        """One number a term."""
        return np.bincount(self.index, gradient[self.row] * self.values, self.columns).astype(np.float64)


def minimise(function: Any, start: Array, rounds: int) -> Array:
    """L-BFGS with halving steps; deterministic."""
    at = start
    value, slope = function(at)
    steps: list[tuple[Array, Array]] = []
    for _ in range(rounds):
        way = slope.copy()
        parts = []
        for step, change in reversed(steps):
            part = float(step @ way) / float(change @ step)
            parts.append(part)
            way -= part * change
        if steps:
            step, change = steps[-1]
            way *= float(step @ change) / float(change @ change)
        else:
            way /= max(1.0, float(np.abs(way).max()))
        for (step, change), part in zip(steps, reversed(parts), strict=True):
            way += (part - float(change @ way) / float(change @ step)) * step
        length = 1.0
        while True:
            new = at - length * way
            new_value, new_slope = function(new)
            if new_value <= value - 1e-4 * length * float(slope @ way) or length < 1e-8:
                break
            length /= 2
        if float((new - at) @ (new_slope - slope)) > 1e-14:
            steps = [*steps, (new - at, new_slope - slope)][-10:]
        done = abs(value - new_value) < 1e-10 * abs(value)
        at, value, slope = new, new_value, new_slope
        if done:
            break
    return at


class Fit(NamedTuple):
    """Weights of terms (as they are) and of signals (as they are), and their mean, which is taken off."""

    terms: dict[str, float]
    signals: Array
    offset: float

    def scores(self, posts: list[Post]) -> Array:
        """Logits, but for the calibration."""
        vocabulary = {term: i for i, term in enumerate(self.terms)}
        words = Terms(posts, vocabulary).dot(np.array(list(self.terms.values())))
        return words + np.array([p.seen.signals for p in posts]) @ self.signals - self.offset


def fit(sets: Sets, readings: dict[str, float], rounds: int = 80) -> Fit:
    """The two rounds; each source has an intercept of its own, so that its share of complaints teaches no word.

    `readings` is the teacher's word on terms; two more signals are made of it while fitting: of words, of pairs.
    """
    names = list(sets)
    posts = [p for name in names for p in sets[name]]
    source = np.concatenate([np.full(len(sets[name]), i) for i, name in enumerate(names)])
    weight = np.array([WEIGHTS[name] for name in names])[source]
    natural = ~np.isin(source, [i for i, name in enumerate(names) if name in SECOND_ROUND])
    target = np.array([p.target for p in posts])
    plain = np.array([p.seen.signals for p in posts])

    counts: Counter[str] = Counter()
    for name in names:
        if not name.startswith("reviews_"):
            for p in sets[name]:
                counts.update(dict.fromkeys(p.seen.terms, 3) if name in OURS else p.seen.terms)
    by_kind = [{t: r for t, r in readings.items() if (" " in t) is pair} for pair in (False, True)]

    def both_rounds(vocabulary: dict[str, int]) -> tuple[dict[str, float], Array, float]:
        """Weights of terms, of signals, and what the mean text comes to."""
        terms = Terms(posts, vocabulary)
        read = [
            Terms(posts, {t: i for i, t in enumerate(kind)}).dot(np.array(list(kind.values())))
            for kind in by_kind
        ]
        signals = np.column_stack([plain, *read])
        mean = signals[natural].mean(0)
        spread = np.maximum(signals[natural].std(0), 0.02)
        signals = (signals - mean) / spread
        n_terms, n_sources = len(vocabulary), len(names)

        def solve(weight: Array, start: Array, held: Array | None) -> Array:
            fixed = signals @ held if held is not None else 0.0
            shrink = SHRINK_SIGNALS * float(weight.sum()) / float(weight[weight > 0].mean())

            def loss(at: Array) -> tuple[float, Array]:
                w, a, b = np.split(at, [n_terms, n_terms + n_sources])
                z = terms.dot(w) + a[source] + (fixed if held is not None else signals @ b)
                p = 1 / (1 + np.exp(-np.clip(z, -35, 35)))
                value = float(np.sum(weight * (np.logaddexp(0, z) - target * z)))
                value += 0.5 * SHRINK_TERMS * float(w @ w) + 1e-3 * float(a @ a)
                g = weight * (p - target)
                slopes = [
                    terms.back(g) + SHRINK_TERMS * w, np.bincount(source, g, n_sources) + 2e-3 * a
                ]  # fmt: skip
                if held is None:
                    value += 0.5 * shrink * float(b @ b)
                    slopes.append(signals.T @ g + shrink * b)
                return value / len(posts), np.concatenate(slopes) / len(posts)

            return minimise(loss, start, rounds)

        first = solve(weight * natural, np.zeros(n_terms + n_sources + len(mean)), None)
        held = first[n_terms + n_sources :]
        second = solve(weight, first[: n_terms + n_sources], held)
        raw = held / spread
        words = dict(zip(vocabulary, second[:n_terms].tolist(), strict=True))
        for kind, belief in zip(by_kind, raw[len(SIGNALS) :].tolist(), strict=True):
            for term, reading in kind.items():
                words[term] = words.get(term, 0.0) + belief * reading
        # The readings are in the terms now; their share of the mean stays in the offset.
        return words, raw[: len(SIGNALS)], float(raw @ mean)

    words, _, _ = both_rounds({t: i for i, t in enumerate(sorted(t for t, n in counts.items() if n >= 4))})
    # What moves most posts furthest is kept, and fitted again without the rest.
    order = sorted(words, key=lambda t: (-abs(words[t]) * math.sqrt(max(1, counts[t])), t))[:TERMS_KEPT]
    kept = set(order)
    by_kind = [{t: r for t, r in kind.items() if t in kept} for kind in by_kind]
    words, raw, offset = both_rounds({t: i for i, t in enumerate(sorted(t for t in kept if counts[t] >= 4))})
    return Fit(words, raw, offset)


class HeldOut(NamedTuple):
    """A source by models that never saw it."""

    name: str
    scores: Array  # of words and signals
    windows: Array
    wanted: NDArray[np.bool_]
    findings: Array  # logits, by weights that were fitted without it


class Calibration(NamedTuple):
    """From scores and windows to logits."""

    slope: float
    windows: float
    bias: float

    def of(self, scores: Array, windows: Array) -> Array:
        """Logits, but for the findings' weights."""
        return self.slope * scores + self.windows * windows + self.bias

    def all_of(self, one: HeldOut) -> Array:
        """Logits."""
        return self.of(one.scores, one.windows) + one.findings


def calibrate(held_out: list[HeldOut]) -> Calibration:
    """Platt's fit on held-out sets, each weighed to the same share of complaints."""
    seen = np.concatenate(
        [np.column_stack([one.scores, one.windows, np.ones_like(one.scores)]) for one in held_out]
    )
    y = np.concatenate([one.wanted for one in held_out]).astype(np.float64)
    weight = np.concatenate([_even(one.wanted) / len(one.wanted) for one in held_out])

    def loss(at: Array) -> tuple[float, Array]:
        q = seen @ at
        g = weight * (1 / (1 + np.exp(-np.clip(q, -35, 35))) - y)
        return float(np.sum(weight * (np.logaddexp(0, q) - y * q))), seen.T @ g

    return Calibration(*(float(part) for part in minimise(loss, np.array([1.0, 0.0, 0.0]), 200)))


def flag_of(held_out: list[HeldOut], found: Calibration) -> float:
    """The probability with the best mean F1 over held-out sets.

    Of those as good but for NO_WORSE the highest, which raises the fewest false alarms.
    """
    by_flag = []
    for step in range(20, 71):
        flag = step / 100
        scores = []
        for one in held_out:
            w = _even(one.wanted)
            flagged = 1 / (1 + np.exp(-found.all_of(one))) >= flag
            hits = 2 * float(w[flagged & one.wanted].sum())
            scores.append(hits / float(w[flagged].sum() + w[one.wanted].sum()))
        by_flag.append((sum(scores) / len(scores), flag))
    best, _ = max(by_flag)
    chosen, f1 = max((flag, score) for score, flag in by_flag if score >= best - NO_WORSE)
    print(
        f"slope {found.slope:.3f}, windows {found.windows:.3f}, bias {found.bias:.3f},"
        f" flag {chosen:.2f} (mean F1 held out {f1:.3f}, of {best:.3f} at best)"
    )
    return chosen


def weigh_findings(
    sets: Sets, model: Fit, found: Calibration, held_out: list[HeldOut]
) -> tuple[dict[str, str], list[HeldOut]]:
    """The findings' weights as the file has them; the sources left out with what those weights add that missed them."""
    read = {name: fit_findings.found_in([p.seen.words for p in posts]) for name, posts in sets.items()}
    people = {
        name: fit_findings.Source(
            read[name][0],
            found.of(model.scores(posts), read[name][1]),
            np.array([p.target for p in posts]),
            WEIGHTS[name],
        )
        for name, posts in sets.items()
        if name not in OURS
    }
    usual = fit_findings.standing(list(people.values()))
    weights = fit_findings.weigh(list(people.values()), usual)
    more = []
    for left_out in LEFT_OUT.values():
        rest = [one for name, one in people.items() if name not in left_out]
        missed = weights if len(rest) == len(people) else fit_findings.weigh(rest, usual)
        more += [
            one._replace(findings=usual.of(read[one.name][0]) @ missed)
            for one in held_out
            if one.name in left_out
        ]
    return fit_findings.packed(usual, weights), more


def _even(wanted: NDArray[np.bool_]) -> Array:
    share = float(wanted.mean())
    weights: Array = np.where(wanted, SHARE / share, (1 - SHARE) / (1 - share))
    return weights


def leave_one_out(sets: Sets, fits: dict[str, Fit]) -> list[HeldOut]:
    """Each source by models that never saw it."""
    windows = together()
    return [
        HeldOut(
            name,
            fits[key].scores(sets[name]),
            windows[name],
            np.array([p.negative for p in sets[name]]),
            np.zeros(len(sets[name])),
        )
        for key, left_out in LEFT_OUT.items()
        for name in left_out
    ]


def show(sets: Sets, held_out: list[HeldOut], found: Calibration) -> None:
    """What each is worth on what it never saw: words and signals, windows, both, findings weighed, and VADER."""
    tone = SIGNALS.index("vader")
    for one in held_out:
        wanted = list(one.wanted)
        plain = [-p.seen.signals[tone] for p in sets[one.name]]
        both, every = found.of(one.scores, one.windows), found.all_of(one)
        words, windows, both_ap, ap, vader = (
            average_precision(list(scores), wanted)
            for scores in (one.scores, one.windows, both, every, plain)
        )
        print(
            f"without it: {one.name:20} AP {ap:.3f} (words {words:.3f}, windows {windows:.3f}, both {both_ap:.3f},"
            f" VADER {vader:.3f})  AUC {roc_auc(list(every), wanted):.3f}",
            flush=True,
        )


def all_fits(sets: Sets, readings: dict[str, float]) -> dict[str, Fit]:
    """The fit of everything ("") and those without one source, side by side: none sees another."""
    jobs = {"": (), **LEFT_OUT}
    with ProcessPoolExecutor(
        AT_ONCE, mp_context=get_context("fork"), initializer=_share, initargs=(sets, readings)
    ) as pool:
        return dict(zip(jobs, pool.map(_fit_without, jobs.values()), strict=True))


def _share(sets: Sets, readings: dict[str, float]) -> None:
    global _given
    _given = (sets, readings)


_given: tuple[Sets, dict[str, float]] = ({}, {})


def _fit_without(left_out: tuple[str, ...]) -> Fit:
    sets, readings = _given
    return fit(
        {n: posts for n, posts in sets.items() if n not in left_out}, readings, 50 if left_out else 200
    )


def written(model: Fit, found: Calibration, flag: float, findings: dict[str, str]) -> str:
    """The file's text: weights in hundredths, terms of one weight together."""
    by_weight: dict[int, list[str]] = {}
    for term, weight in sorted(model.terms.items()):
        hundredths = round(weight * found.slope * 100)
        if hundredths:
            by_weight.setdefault(hundredths, []).append(term)
    content = {
        "made": MADE,
        "bias": round(found.bias - found.slope * model.offset, 4),
        "flag": flag,
        "windows": round(found.windows, 4),
        "signals": {n: round(float(w) * found.slope, 4) for n, w in zip(SIGNALS, model.signals, strict=True)},
        "findings": findings,
        "terms": {str(weight): "|".join(by_weight[weight]) for weight in sorted(by_weight)},
    }
    return json.dumps(content, ensure_ascii=False, indent=0) + "\n"


def main() -> None:
    """Fit, calibrate on what was left out, write the file."""
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: python benchmarks/fit_ranker.py FOLDER [FILE]")
    sets = read(Path(sys.argv[1]))
    readings = taught()
    fits = all_fits(sets, readings)
    held_out = leave_one_out(sets, fits)
    found = calibrate(held_out)
    findings, held_out = weigh_findings(sets, fits[""], found, held_out)
    show(sets, held_out, found)
    text = written(fits[""], found, flag_of(held_out, found), findings)
    path = Path(sys.argv[2]) if len(sys.argv) == 3 else MODEL_FILE
    path.write_text(text, "utf-8")
    print(f"{path}: {len(text.encode()):,} bytes")


if __name__ == "__main__":
    main()
