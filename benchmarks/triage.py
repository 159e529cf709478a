"""Does the triage find the negatives? On labelled posts, beside VADER, stars hidden.

Run from the checkout: `python benchmarks/triage.py FOLDER`, a folder of JSON lines with `text` and `label`
(neg, neu, pos). Measure on posts that nothing was fitted on: `monitor/model/MODEL_CARD.md` names those that
were. Sarcasm and talk that is about no brand gain nothing.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from monitor.commands.evaluate import Labelled, Measured, compare, read_labelled

FEED_SHARE = 0.12  # of complaints in what a monitor hears all day
FIELDS = (
    "average_precision",
    "order_precision",
    "roc_auc",
    "f1",
    "precision",
    "recall",
    "recall_at_top",
    "calibration_error",
)
HEADS = ("AP", "AP as listed", "AUC", "F1", "precision", "recall", "recall@10%", "calibration")


def line(name: str, count: int, own: list[float | None], plain: list[float | None]) -> str:
    """One row: lowstar's figure, VADER's in brackets."""
    cells = []
    for ours, theirs in zip(own, plain, strict=True):
        cells.append(f"{ours or 0.0:.3f} ({'  –  ' if theirs is None else f'{theirs:.3f}'})")
    return f"{name:20} {count:7,}  " + "  ".join(f"{cell:14}" for cell in cells)


def values(found: Measured) -> list[float | None]:
    """The figures of FIELDS."""
    return [getattr(found, field) for field in FIELDS]


def mean(rows: list[list[float | None]]) -> list[float | None]:
    """The macro average; None where a figure is missing."""
    return [
        None if any(v is None for v in column) else sum(v or 0.0 for v in column) / len(column)
        for column in zip(*rows, strict=True)
    ]


def feed(sets: list[list[Labelled]]) -> list[Labelled]:
    """All sets together, with so many complaints left out that one in eight is one. The same draw each time."""
    rng = random.Random(12)
    complaints = [row for rows in sets for row in rows if row.negative]
    others = [row for rows in sets for row in rows if not row.negative]
    wanted = min(len(complaints), round(len(others) * FEED_SHARE / (1 - FEED_SHARE)))
    return others + rng.sample(complaints, wanted)


def main() -> None:
    """One line a file, the means, and a mixed feed."""
    if len(sys.argv) != 2 or not (files := sorted(Path(sys.argv[1]).glob("*.jsonl"))):
        sys.exit("usage: python benchmarks/triage.py FOLDER   (a folder of JSON lines with text and label)")
    print("complaints against the rest, stars hidden: lowstar (VADER)")
    print(f"{'':20} {'texts':>7}  " + "  ".join(f"{head:14}" for head in HEADS))
    sets = [read_labelled(file) for file in files]
    own, plain = [], []
    for file, rows in zip(files, sets, strict=True):
        found = compare(rows)
        own.append(values(found["lowstar"]))
        plain.append(values(found["VADER"]))
        print(line(file.stem, len(rows), own[-1], plain[-1]), flush=True)
    print(line("mean", sum(map(len, sets)), mean(own), mean(plain)))
    mixed = feed(sets)
    found = compare(mixed)
    print(line("mixed feed of 12 %", len(mixed), values(found["lowstar"]), values(found["VADER"])))
    top = [found[name].precision_at_top for name in ("lowstar", "VADER")]
    print(f"  precision in its first tenth {top[0]:.3f} ({top[1]:.3f})")


if __name__ == "__main__":
    main()
