"""A run ends with a table a person can read, however many sources failed, and exits non-zero only for faults."""

from __future__ import annotations

from datetime import UTC, datetime

from alerts.outbox import DeliveryReport
from monitor.run_view import run_problems, run_table
from monitor.runner import RunReport
from storage.records import CrawlRun, RunOutcome, Tally

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


def ran(source: str, outcome: RunOutcome, reason: str = "", *, found: int = 0, new: int = 0) -> CrawlRun:
    return CrawlRun(
        source=source, started_at=NOW, ended_at=NOW, outcome=outcome, reason=reason, found=found, new=new
    )


REPORT = RunReport(
    crawls=(
        ran("shop", RunOutcome.OK, found=20, new=2),
        ran("forum", RunOutcome.FAILED, "the site wants a login before it shows its reviews (Log in); " * 3),
        ran("news", RunOutcome.EMPTY, "read 1 page and found nothing"),
        ran("steam", RunOutcome.PARTIAL, "Steam: 1 of 30 items have neither words nor stars", found=29),
        ran("reddit", RunOutcome.OFF, "Reddit is off: it needs a key"),
        ran("maps", RunOutcome.FAILED, "https://maps.example/ answered HTTP 403: it shuts us out"),
    ),
    delivery=DeliveryReport(sent=1),
    tallies={"shop": Tally(flagged=1)},
)


def test_every_source_has_its_line_and_its_reason_at_any_width() -> None:
    for width in (60, 80, 200):
        table = run_table(REPORT, width=width)
        assert all(len(line) <= width for line in table.splitlines())
        words = " ".join(table.split())
        for one in REPORT.crawls:
            assert one.source in words
        assert words.count("FAILED") == 2
        assert "Alerts: 1 sent." in words
        flat = "".join(table.split())
        assert "shutsusout" in flat or "shuts" in flat


def test_what_failed_is_a_problem_and_silence_and_a_missing_key_are_none() -> None:
    problems = run_problems(REPORT)
    assert [line.partition(":")[0] for line in problems] == ["forum", "steam", "maps"]
