"""Does the store remember how crawls went and how far each source was read?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from storage.records import CrawlRun, RatingSnapshot, RunOutcome
from storage.store import Ledger, Store

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _ran(ledger: Ledger, hour: int, outcome: RunOutcome, found: int = 0, source: str = "shop") -> CrawlRun:
    run = ledger.begin_run(source, NOW + hour * HOUR)
    run = replace(run, ended_at=run.started_at + HOUR / 2, outcome=outcome, found=found)
    ledger.end_run(run)
    return run


def test_a_run_is_kept_as_it_ended(store: Store) -> None:
    with store.transaction() as ledger:
        run = ledger.begin_run("shop", NOW)
        assert run == CrawlRun(source="shop", started_at=NOW, first=True, id=run.id)
        ended = replace(
            run,
            ended_at=NOW + HOUR,
            outcome=RunOutcome.PARTIAL,
            found=9,
            new=5,
            changed=3,
            failed=1,
            pages=2,
            reason="page 3 answered 503",
        )
        ledger.end_run(ended)
        assert ledger.runs("shop") == [ended]
        assert ledger.last_runs() == {"shop": ended}


@pytest.mark.parametrize(
    ("outcome", "first"),
    [
        (RunOutcome.OK, False),
        (RunOutcome.EMPTY, False),
        (RunOutcome.PARTIAL, False),
        (RunOutcome.FAILED, True),
        (RunOutcome.OFF, True),
    ],
)
def test_a_run_is_the_first_until_one_has_worked(store: Store, outcome: RunOutcome, first: bool) -> None:
    with store.transaction() as ledger:
        _ran(ledger, 0, RunOutcome.OK, source="other")
        _ran(ledger, 0, outcome)
        assert ledger.begin_run("shop", NOW + HOUR).first is first


def test_a_run_that_was_killed_stands_as_failed(store: Store) -> None:
    with store.transaction() as ledger:
        good = _ran(ledger, 0, RunOutcome.OK, 3)
        ledger.begin_run("shop", NOW + HOUR)
    with store.reading() as ledger:
        killed = ledger.last_runs()["shop"]
        assert (killed.ended_at, killed.outcome) == (None, RunOutcome.FAILED)
        assert "killed" in killed.reason
        assert ledger.last_good_runs() == {"shop": good}
        assert ledger.found_before("shop") == [3]


def test_the_last_and_the_last_good_run_of_each_source_are_known(store: Store) -> None:
    with store.transaction() as ledger:
        good = _ran(ledger, 0, RunOutcome.OK, 3)
        bad = _ran(ledger, 1, RunOutcome.FAILED)
        other = _ran(ledger, 0, RunOutcome.EMPTY, source="other")
        assert ledger.last_runs() == {"shop": bad, "other": other}
        assert ledger.last_good_runs() == {"shop": good}
        assert ledger.runs("shop", limit=1) == [bad]
        assert ledger.runs("nobody") == []


def test_what_was_found_before_leaves_failures_out(store: Store) -> None:
    with store.transaction() as ledger:
        _ran(ledger, 0, RunOutcome.OK, 12)
        _ran(ledger, 1, RunOutcome.FAILED, 0)
        _ran(ledger, 2, RunOutcome.EMPTY, 0)
        _ran(ledger, 3, RunOutcome.PARTIAL, 4)
        _ran(ledger, 4, RunOutcome.OFF, 0)
        assert ledger.found_before("shop") == [4, 0, 12]
        assert ledger.found_before("shop", limit=2) == [4, 0]
        assert ledger.found_before("nobody") == []


def test_a_cursor_is_the_last_value_set(store: Store) -> None:
    with store.transaction() as ledger:
        assert ledger.cursor("reddit", "newest") is None
        ledger.set_cursor("reddit", "newest", "t3_a", NOW)
        ledger.set_cursor("reddit", "newest", "t3_b\x00", NOW + HOUR)
        ledger.set_cursor("reddit", "oldest", "t3_0", NOW)
        assert ledger.cursor("reddit", "newest") == "t3_b"
        assert ledger.cursor("forum", "newest") is None


def test_rating_snapshots_are_kept_once_a_time(store: Store) -> None:
    with store.transaction() as ledger:
        ledger.add_snapshots([])
        ledger.add_snapshots([RatingSnapshot("shop", "Acme", NOW, 4.1, 10)])
        ledger.add_snapshots(
            [
                RatingSnapshot("shop", "Acme", NOW, 4.2, 11),
                RatingSnapshot("shop", "Acme", NOW + HOUR, 4.3, 12),
            ]
        )
        assert ledger.snapshots("shop", "Acme") == [
            RatingSnapshot("shop", "Acme", NOW, 4.2, 11),
            RatingSnapshot("shop", "Acme", NOW + HOUR, 4.3, 12),
        ]
