"""A copy of a store holds all of it, whichever database it is in, and goes on where the first one stands."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alerting import announce
from sqlalchemy import select

from storage.copying import NotEmpty, copy_store
from storage.records import CrawlRun, Priority, RunOutcome
from storage.store import Store, open_store
from storage.tables import metadata

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def fill(store: Store) -> None:
    announce(store, [Priority.URGENT, Priority.HIGH], now=NOW)
    with store.transaction() as ledger:
        run = ledger.begin_run("shop", NOW)
        ledger.end_run(
            CrawlRun(source="shop", started_at=NOW, ended_at=NOW, outcome=RunOutcome.OK, id=run.id)
        )
        ledger.set_cursor("shop", "seen_until", "2026-11-28", NOW)


def all_of(store: Store) -> dict[str, list[Any]]:
    with store.reading() as ledger:
        return {
            table.name: [
                tuple(row)
                for row in ledger._connection.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for table in metadata.sorted_tables
        }


def test_a_copy_holds_everything(store: Store, tmp_path: Path) -> None:
    fill(store)
    with open_store(f"sqlite:///{tmp_path}/copy.db") as copy:
        counts = copy_store(store, copy)
        assert all_of(copy) == all_of(store)
    assert counts["cases"] == 2
    assert counts["cursors"] == 1


def test_a_move_to_postgresql_and_back_changes_nothing(
    sqlite_store: Store, postgres_url: str, tmp_path: Path
) -> None:
    fill(sqlite_store)
    with open_store(postgres_url) as moved, open_store(f"sqlite:///{tmp_path}/back.db") as back:
        copy_store(sqlite_store, moved)
        copy_store(moved, back)
        assert all_of(moved) == all_of(sqlite_store) == all_of(back)


def test_numbers_go_on_and_none_is_given_twice(store: Store, postgres_url: str, tmp_path: Path) -> None:
    fill(store)
    with store.transaction() as ledger:
        newest = max(
            ledger.cases_worst_first(open_only=False, limit=10), key=lambda one: one.case.number
        ).case
        ledger.purge([newest.mention_id])  # its number was said aloud
    for url in (postgres_url, f"sqlite:///{tmp_path}/copy.db"):
        with open_store(url) as copy:
            copy_store(store, copy)
            announce(copy, [Priority.LOW], now=NOW, first=9)
            with copy.transaction() as ledger:
                numbers = [one.case.number for one in ledger.cases_worst_first(open_only=False, limit=10)]
                assert ledger.begin_run("forum", NOW).id > 1
        assert max(numbers) == newest.number + 1


def test_a_store_that_holds_something_is_not_written_over(sqlite_store: Store, tmp_path: Path) -> None:
    fill(sqlite_store)
    with open_store(f"sqlite:///{tmp_path}/copy.db") as copy:
        copy_store(sqlite_store, copy)
        before = all_of(copy)
        with pytest.raises(NotEmpty):
            copy_store(sqlite_store, copy)
        assert all_of(copy) == before
