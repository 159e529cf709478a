"""A source that keeps failing is asked less and less, and at once when somebody says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitor.commands.status import source_status
from monitor.config import Config, Source
from monitor.pauses import LONGEST, PATIENCE, pause, pause_words
from monitor.runner import due
from storage.records import CrawlRun, RunOutcome
from storage.store import open_store

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
SHOP = Source(name="shop", kind="reviews", urls=("https://shop.example/",))
CONFIG = Config(path=Path("x"), brands=(), sources=(SHOP,), routes=())


def begun(ago: timedelta) -> Mapping[str, CrawlRun]:
    ended = NOW - ago
    return {"shop": CrawlRun(source="shop", started_at=ended, ended_at=ended, outcome=RunOutcome.FAILED)}


def test_pauses_grow_to_a_day_and_never_below_what_is_usual() -> None:
    pauses = [pause(SHOP, failures) for failures in range(60)]
    assert pauses == sorted(pauses)
    assert pauses[PATIENCE - 1] == SHOP.every
    assert pauses[-1] == LONGEST
    weekly = replace(SHOP, every=timedelta(weeks=1))
    assert {pause(weekly, failures) for failures in range(20)} == {weekly.every}


def test_a_resting_source_is_not_due_until_its_pause_is_over_and_a_name_ignores_it() -> None:
    an_hour_ago = begun(timedelta(hours=1))
    assert due(CONFIG, (), an_hour_ago, NOW) == [SHOP]
    assert due(CONFIG, (), an_hour_ago, NOW, {"shop": PATIENCE - 1}) == [SHOP]
    assert due(CONFIG, (), an_hour_ago, NOW, {"shop": PATIENCE}) == []
    assert due(CONFIG, (), begun(timedelta(hours=2)), NOW, {"shop": PATIENCE}) == [SHOP]
    assert due(CONFIG, ("shop",), an_hour_ago, NOW, {"shop": 12}) == [SHOP]


def test_status_says_until_when_and_how_to_try_at_once() -> None:
    last = begun(timedelta(hours=1))["shop"]
    said = source_status(SHOP, replace(last, reason="HTTP 403"), None, NOW, PATIENCE)
    assert said.word == "failed"
    assert said.advice == (
        "HTTP 403; it failed 3 times in a row, so it is left alone until 2026-11-23 09:00 UTC; "
        '"lowstar run shop" tries it now'
    )
    assert pause_words(SHOP, last.started_at, PATIENCE - 1, NOW) == ""
    # A pause is no lateness of cron.
    rested = replace(last, outcome=RunOutcome.PARTIAL, started_at=NOW - timedelta(hours=2))
    assert source_status(SHOP, rested, None, NOW, PATIENCE).word == "partial"


def test_failures_are_counted_since_the_last_run_that_did_not_fail(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path / 'x.db'}") as store, store.transaction() as ledger:

        def ran(outcome: RunOutcome, *, killed: bool = False) -> None:
            run = ledger.begin_run("shop", NOW)
            if not killed:
                ledger.end_run(replace(run, ended_at=NOW, outcome=outcome))

        assert ledger.failures_in_row() == {}
        ran(RunOutcome.FAILED)
        ran(RunOutcome.OK)
        assert ledger.failures_in_row() == {}
        ran(RunOutcome.FAILED)
        ran(RunOutcome.FAILED, killed=True)
        ran(RunOutcome.FAILED)
        assert ledger.failures_in_row() == {"shop": 2}
        ran(RunOutcome.PARTIAL)  # the half-open try that worked
        assert ledger.failures_in_row() == {}
