"""`lowstar copy` as an operator uses it: a backup while all runs, a move, and clear words where it cannot be."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alerting import announce
from click.testing import CliRunner, Result
from shelf import settings

from monitor.cli import cli
from storage.records import Priority
from storage.store import open_store

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = settings(tmp_path)
    monkeypatch.chdir(tmp_path)
    with open_store(f"sqlite:///{tmp_path}/lowstar.db") as store:
        announce(store, [Priority.URGENT, Priority.HIGH], now=NOW)
    return path


def copy(config: Path, target: str) -> Result:
    return CliRunner().invoke(cli, ["--config", str(config), "copy", "--to", target], standalone_mode=False)


def test_a_backup_is_a_whole_store_for_its_owner_alone(configured: Path, tmp_path: Path) -> None:
    done = copy(configured, "backup.db")
    assert done.exit_code == 0, done.output
    assert "2 cases and all that belongs to them" in done.output
    backup = tmp_path / "backup.db"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert not (tmp_path / "backup.db-wal").exists()  # one file, that may be copied on
    with open_store(f"sqlite:///{backup}") as store, store.reading() as ledger:
        assert len(ledger.cases_worst_first(open_only=True, limit=10)) == 2


def test_a_copy_goes_to_postgresql(configured: Path, postgres_url: str) -> None:
    done = copy(configured, postgres_url)
    assert done.exit_code == 0, done.output
    again = copy(configured, postgres_url)
    assert again.return_value == 1
    assert "is not empty" in again.output


def test_what_cannot_be_written_is_said(configured: Path, tmp_path: Path) -> None:
    (tmp_path / "there.db").write_bytes(b"")
    assert "is there already" in str(copy(configured, "there.db").exception)
    assert "there is no folder" in str(copy(configured, "nowhere/backup.db").exception)
    assert "is there already" in str(copy(configured, "lowstar.db").exception)  # never onto itself
    refused = copy(configured, "postgresql://lowstar:hunter2@127.0.0.1:9/lowstar")
    assert refused.return_value == 1
    assert "cannot reach" in refused.output
    assert "hunter2" not in refused.output
