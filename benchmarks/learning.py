"""How much do a few labels of one's own improve the shipped ranking? The learning curve, set by set.

    python benchmarks/learning.py [FOLDER]

FOLDER holds JSON lines with "text" and "label" (default: ../shared/data/sentiment/measure). For each set so many
posts are drawn evenly and learned from; average precision of "find the negatives" is measured on all the others,
shipped and learned, and the difference is averaged over several draws.
"""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path
from statistics import fmean

from monitor.learned_rules import Example
from monitor.learning import Row, average_precision, fit, learned, row_of

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "sentiment" / "measure"
LABELS = (50, 100, 200, 500, 1_000)
DRAWS = 8
GOALS = {50: 0.006, 200: 0.016, 500: 0.037}
WORST = -0.0005


def rows_of(path: Path) -> list[Row]:
    """The posts of a set as they are learned from; those the model cannot read are left out."""
    with path.open(encoding="utf-8") as lines:
        posts = [json.loads(line) for line in lines]
    rows = (row_of(Example(post["text"], post["label"] == "neg")) for post in posts)
    return [row for row in rows if row is not None]


def gain(rows: list[Row], labels: int, draws: int = DRAWS) -> tuple[float, float]:
    """(average precision as shipped, how much it is better when so many are learned from)."""
    before, after = [], []
    for draw in range(draws):
        order = list(range(len(rows)))
        random.Random(draw).shuffle(order)
        weights = fit([rows[at] for at in order[:labels]])
        rest = [rows[at] for at in order[labels:]]
        bad = [row.bad for row in rest]
        before.append(average_precision([row.prior for row in rest], bad))
        after.append(average_precision([learned(row, weights) for row in rest], bad))
    return fmean(before), fmean(after) - fmean(before)


def main(folder: Path) -> None:
    print(f"{'set':<18}{'shipped':>8}" + "".join(f"{labels:>9}" for labels in LABELS))
    gains: dict[int, list[float]] = {labels: [] for labels in LABELS}
    shipped = []
    for path in sorted(folder.glob("*.jsonl")):
        rows = rows_of(path)
        shipped.append(average_precision([row.prior for row in rows], [row.bad for row in rows]))
        line = f"{path.stem:<18}{shipped[-1]:>8.3f}"
        for labels in LABELS:
            if labels > len(rows) / 2:
                line += f"{'':>9}"
                continue
            _, more = gain(rows, labels)
            gains[labels].append(more)
            line += f"{more:>+9.4f}"
        print(line)
    print(
        f"{'mean':<18}{fmean(shipped):>8.3f}"
        + "".join(f"{fmean(gains[n]):>+9.4f}" for n in LABELS if gains[n])
    )
    print(f"{'worst':<26}" + "".join(f"{min(gains[n]):>+9.4f}" for n in LABELS if gains[n]))
    for labels, goal in GOALS.items():
        reached = "reached" if fmean(gains[labels]) >= goal else "MISSED"
        print(f"at {labels} labels wanted {goal:+.3f}: {fmean(gains[labels]):+.4f} {reached}")
    print(
        f"no set worse than {WORST}: {'reached' if min(min(g) for g in gains.values() if g) >= WORST else 'MISSED'}"
    )
    begun = time.process_time()
    fit(rows[:500])
    print(f"to learn from 500 labels: {time.process_time() - begun:.2f} s")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
