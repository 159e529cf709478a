"""Does the rank find the negatives? Average precision on labelled posts beside VADER's, stars hidden.

Run from the checkout: `python benchmarks/triage.py FOLDER`, a folder of JSON lines with `text` and `label`
(neg, neu, pos). Measure on posts that `monitor/lexicon/english.py` does not name: its hints were chosen by
looking at those. Sarcasm and talk that is about no brand gain nothing; long reviews gain least.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from monitor.sentiment import analyse
from monitor.triage import judge
from monitor.vader import polarity_scores
from storage.records import Label, Mention, Priority


def average_precision(scores: Sequence[float], wanted: Sequence[bool]) -> float:
    """Mean precision at each wanted item, highest score first; equal scores share their precision."""
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    hits = total = at = 0
    area = 0.0
    while at < len(order):
        group = at
        while group < len(order) and scores[order[group]] == scores[order[at]]:
            total += wanted[order[group]]
            group += 1
        area += (total - hits) * total / group
        hits, at = total, group
    return area / total if total else 0.0


def f1(flagged: Sequence[bool], wanted: Sequence[bool]) -> float:
    """The harmonic mean of precision and recall."""
    both = sum(a and b for a, b in zip(flagged, wanted, strict=True))
    return 2 * both / max(1, sum(flagged) + sum(wanted))


def measure(file: Path) -> list[float]:
    """Print one line about a file; (AP of VADER, AP of the rank)."""
    rows = [json.loads(line) for line in file.read_text("utf-8").split("\n") if line]
    wanted = [row["label"] == "neg" for row in rows]
    baseline = [-polarity_scores(row["text"])["compound"] for row in rows]
    verdicts = []
    for i, row in enumerate(rows):
        mention = Mention(source="bench", external_id=str(i), text=row["text"])
        verdicts.append(judge(mention, "", analyse(mention.judged_text)))
    found = [average_precision(baseline, wanted), average_precision([v.rank for v in verdicts], wanted)]
    worst = sorted(range(len(rows)), key=lambda i: -verdicts[i].rank)[: max(1, len(rows) // 10)]
    print(
        f"{file.stem:20} {len(rows):6,}  AP {found[0]:.3f} → {found[1]:.3f}"
        f"  F1 {f1([b >= 0.05 for b in baseline], wanted):.3f} →"
        f" {f1([v.sentiment.label is Label.NEGATIVE for v in verdicts], wanted):.3f}"
        f"  worst 10 %: {sum(wanted[i] for i in worst) / len(worst):.2f} negative"
        f"  high or urgent {sum(v.priority >= Priority.HIGH for v in verdicts) / len(rows):.2f}"
        f"  unread {sum(v.sentiment.label is Label.UNREAD for v in verdicts) / len(rows):.3f}"
    )
    return found


def main() -> None:
    """One line a file, then the means."""
    if len(sys.argv) != 2 or not (files := sorted(Path(sys.argv[1]).glob("*.jsonl"))):
        sys.exit("usage: python benchmarks/triage.py FOLDER   (a folder of JSON lines with text and label)")
    print("negatives against the rest; VADER's compound → lowstar's rank or label")
    found = [measure(file) for file in files]
    vader, own = (sum(column) / len(found) for column in zip(*found, strict=True))
    print(f"{'mean':20}         AP {vader:.3f} → {own:.3f}")


if __name__ == "__main__":
    main()
