"""What a run looks like to the person who started it: progress while it works, a table at the end."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from monitor.runner import RunReport
from storage.records import CrawlRun, RunOutcome, Tally

_LOOK = {
    RunOutcome.OK: ("ok", "green"),
    RunOutcome.EMPTY: ("nothing there", "yellow"),
    RunOutcome.PARTIAL: ("partly", "yellow"),
    RunOutcome.FAILED: ("FAILED", "red"),
    RunOutcome.OFF: ("off", "dim"),
}


class CrawlProgress:
    """A line a source while the crawl runs, on the terminal's error stream; nothing at all with `show` off.

    Called by the crawl with events that have `source`, `pages`, `found` and, once it ended, `run`.
    """

    def __init__(self, names: Sequence[str], *, show: bool) -> None:
        self._bars: Any = None
        self._tasks: dict[str, Any] = {}
        if show and names:
            from rich.console import Console
            from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            self._bars = Progress(
                SpinnerColumn(finished_text="✓"),
                TextColumn("{task.description}", markup=False),
                TextColumn("{task.fields[note]}", markup=False),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._tasks = {name: self._bars.add_task(name, total=1, note="waiting") for name in names}

    def __call__(self, event: Any) -> None:
        if self._bars is None or event.source not in self._tasks:
            return
        note = f"{event.pages} page{'s' * (event.pages != 1)}, {event.found} found"
        self._bars.update(self._tasks[event.source], note=note, completed=int(event.run is not None))

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()


def run_problems(report: RunReport) -> list[str]:
    """What went wrong, a line each; empty when all is well. These lines decide the exit code."""
    lines = [f"{run.source}: {run.reason or 'could not be read'}" for run in report.crawls if _bad(run)]
    delivery = report.delivery
    if delivery.failed:
        lines.append(f"{delivery.failed} messages were refused for good; `lowstar status` shows them")
    if delivery.parked:
        lines.append(
            f"{delivery.parked} messages wait: their channel or token is out of order; see `lowstar status`"
        )
    if report.audit is not None:
        lines += [f"audit: {problem}" for problem in report.audit.problems]
    return [*lines, *report.troubles]


def run_table(report: RunReport, *, width: int | None = None) -> str:
    """The report as people read it on a terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=None) if width else _terminal(out)
    if report.crawls:
        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column("source")
        table.add_column("")
        for name in ("found", "new", "changed", "flagged"):
            table.add_column(name, justify="right")
        table.add_column("what happened", overflow="fold")
        for run in report.crawls:
            word, style = _LOOK[run.outcome]
            tally = report.tallies.get(run.source, Tally())
            table.add_row(
                Text(run.source),
                Text(word, style=style),
                str(run.found),
                str(run.new),
                str(run.changed),
                str(tally.flagged),
                Text(_story(run, tally)),
            )
        console.print(table)
    else:
        console.print("No source is due.")
    console.print(Text(_delivery_words(report)))
    return out.getvalue().rstrip("\n")


def run_as_json(report: RunReport) -> str:
    """The report for machines: one JSON object."""
    return json.dumps(
        {
            "sources": [
                _plain(run) | {"flagged": report.tallies.get(run.source, Tally()).flagged}
                for run in report.crawls
            ],
            "delivery": _plain(report.delivery),
            "audit": None
            if report.audit is None
            else {"ok": report.audit.ok, "flagged": report.audit.flagged, **report.audit.sums},
            "problems": run_problems(report),
        },
        ensure_ascii=False,
    )


def _plain(record: Any) -> dict[str, Any]:
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in dataclasses.asdict(record).items()
    }


def _bad(run: CrawlRun) -> bool:
    # Nothing there is no fault: what should not be empty has been found out to be blind, and failed.
    return run.outcome in (RunOutcome.FAILED, RunOutcome.PARTIAL)


def _story(run: CrawlRun, tally: Tally) -> str:
    if run.reason:
        return run.reason
    if run.first and run.new and not tally.flagged:
        return "first run: filed, not announced"
    if run.first:
        return "first run"
    return "nothing new" if run.outcome is RunOutcome.OK and not run.new and not run.changed else ""


def _delivery_words(report: RunReport) -> str:
    delivery = report.delivery
    parts = [f"{delivery.sent} sent"]
    for count, words in (
        (delivery.edited, "cards changed"),
        (delivery.uncertain, "to be looked for"),
        (delivery.parked, "parked"),
        (delivery.failed, "refused"),
        (delivery.waiting, "waiting"),
        (delivery.held, "held by storms"),
    ):
        if count:
            parts.append(f"{count} {words}")
    return "Alerts: " + ", ".join(parts) + "."


def _terminal(out: io.StringIO) -> Any:
    import shutil
    import sys

    from rich.console import Console

    return Console(
        file=out,
        width=shutil.get_terminal_size((100, 24)).columns,
        force_terminal=sys.stdout.isatty(),
        highlight=False,
    )
