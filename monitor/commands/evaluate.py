"""`lowstar evaluate`: how well does the triage find the complaints in texts somebody has labelled?"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click

from monitor.measures import average_precision, calibration_error, f1, precision_at, recall_at, roc_auc
from monitor.sentiment import analyse
from monitor.triage import Thresholds, complaint_chance, judge
from monitor.vader import polarity_scores
from storage.records import Mention, Priority

_NEGATIVE = frozenset(("neg", "negative", "-1", "bad", "complaint"))
_OTHER = frozenset(("neu", "neutral", "pos", "positive", "0", "1", "good", "other", "praise"))
TOP = 0.1
LOW_STARS = 2.0  # where only stars are known: this many or fewer is a complaint


class Labelled(NamedTuple):
    """A text and whether somebody calls it a complaint."""

    text: str
    negative: bool


class Measured(NamedTuple):
    """What one way of scoring is worth: every figure 0…1."""

    average_precision: float
    roc_auc: float
    recall_at_top: float  # of all complaints, how many stand in the first tenth
    precision_at_top: float  # of the first tenth, how many are complaints
    f1: float
    precision: float
    recall: float
    flagged: float
    calibration_error: float | None  # None for a score that is no probability
    order_precision: float | None  # average precision as listed, the urgent first; None where nothing is


def read_labelled(path: Path) -> list[Labelled]:
    """The rows of a JSON-lines or CSV file: `text`, and `label` (neg, neu, pos) or `stars` (2 or fewer: negative).

    Raises ClickException, naming the line, where a row has neither or the file cannot be read.
    """
    try:
        content = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{path}: {error}") from error
    rows = _csv_rows(content) if path.suffix.casefold() in (".csv", ".tsv") else _json_rows(content, path)
    found = []
    for number, row in rows:
        negative = _negative(row)
        if negative is None or not isinstance(row.get("text"), str):
            raise click.ClickException(
                f'{path}, line {number}: needs "text" and "label" (neg, neu, pos) or "stars" (1–5)'
            )
        found.append(Labelled(row["text"], negative))
    if not found:
        raise click.ClickException(f"{path}: no rows")
    return found


def _csv_rows(content: str) -> Iterator[tuple[int, dict[str, Any]]]:
    dialect = "excel-tab" if "\t" in content.split("\n", 1)[0] else "excel"
    reader = csv.DictReader(io.StringIO(content, newline=""), dialect=dialect)
    for row in reader:
        yield reader.line_num, {str(k).strip().casefold(): v for k, v in row.items()}


def _json_rows(content: str, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(content.split("\n"), 1):
        if line.strip():
            try:
                row = json.loads(line)
            except ValueError as error:
                raise click.ClickException(f"{path}, line {number}: not JSON: {error}") from error
            if not isinstance(row, dict):
                raise click.ClickException(f"{path}, line {number}: not a JSON object")
            yield number, row


def _negative(row: dict[str, Any]) -> bool | None:
    label = str(row.get("label") if row.get("label") is not None else "").strip().casefold()
    if label in _NEGATIVE:
        return True
    if label in _OTHER:
        return False
    try:
        stars = float(row.get("stars") or "")
    except (TypeError, ValueError):
        return None
    return stars <= LOW_STARS if 0 < stars <= 5 else None


def measured(
    scores: list[float],
    flagged: list[bool],
    wanted: list[bool],
    probabilities: list[float] | None = None,
    order: list[float] | None = None,
) -> Measured:
    """All figures of one way of scoring."""
    both = sum(a and b for a, b in zip(flagged, wanted, strict=True))
    return Measured(
        average_precision(scores, wanted),
        roc_auc(scores, wanted),
        recall_at(TOP, scores, wanted),
        precision_at(TOP, scores, wanted),
        f1(flagged, wanted),
        both / max(1, sum(flagged)),
        both / max(1, sum(wanted)),
        sum(flagged) / len(flagged),
        calibration_error(probabilities, wanted) if probabilities is not None else None,
        average_precision(order, wanted) if order is not None else None,
    )


def compare(rows: list[Labelled], thresholds: Thresholds | None = None) -> dict[str, Measured]:
    """What lowstar's triage and plain VADER are worth on `rows`, stars hidden.

    Whether a text complains is its probability's to say; a text that could not be read stands at the flag. The rank
    says more, how urgent it is, so the order by rank is a figure of its own.
    """
    used = thresholds or Thresholds()
    wanted = [row.negative for row in rows]
    plain = [-float(polarity_scores(row.text)["compound"]) for row in rows]
    ranks, flags, chances = [], [], []
    for number, row in enumerate(rows):
        mention = Mention(source="evaluate", external_id=str(number), text=row.text)
        verdict = judge(mention, "", analyse(mention.judged_text), used)
        ranks.append(verdict.rank)
        flags.append(verdict.priority >= Priority.NORMAL)
        chances.append(complaint_chance(mention.judged_text))
    scores = [used.negative if chance is None else chance for chance in chances]
    return {
        "lowstar": measured(scores, flags, wanted, scores, ranks),
        "VADER": measured(plain, [score >= 0.05 for score in plain], wanted),
    }


_HEADS = (
    ("average_precision", "average precision"),
    ("order_precision", "  as listed, urgent first"),
    ("roc_auc", "ROC AUC"),
    ("recall_at_top", "recall in the top 10 %"),
    ("precision_at_top", "precision in the top 10 %"),
    ("f1", "F1 of what is flagged"),
    ("precision", "  precision"),
    ("recall", "  recall"),
    ("flagged", "  share flagged"),
    ("calibration_error", "calibration error"),
)


@click.command(name="evaluate")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def command(file: Path, as_json: bool) -> None:
    """Measure the triage on labelled texts, beside plain VADER.

    FILE is JSON lines or CSV with "text" and "label" (neg, neu, pos) or "stars" (2 or fewer count as negative).
    Stars are only used as labels: what is measured is how well the words alone find the complaints, by their
    probability. "As listed" is the order of alerts, which puts what is urgent first.
    """
    rows = read_labelled(file)
    found = compare(rows)
    bad = sum(row.negative for row in rows)
    if as_json:
        click.echo(
            json.dumps(
                {"file": str(file), "texts": len(rows), "negative": bad}
                | {name: values._asdict() for name, values in found.items()}
            )
        )
        return
    click.echo(f"{file.name}: {len(rows):,} texts, {bad:,} of them negative ({bad / len(rows):.0%})\n")
    click.echo(f"{'':28}{'lowstar':>10}{'VADER':>10}")
    for field, head in _HEADS:
        values = [getattr(values, field) for values in found.values()]
        click.echo(f"{head:28}" + "".join(f"{'–':>10}" if v is None else f"{v:>10.3f}" for v in values))
    if not 0 < bad < len(rows):
        click.echo("\nAll of one kind: only the share flagged says something.")
