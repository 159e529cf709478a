"""Does `status` say what is wrong, and nothing where nothing is?"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from shelf import add_case, add_run, settings

from monitor.cli import cli
from monitor.commands.status import source_status
from monitor.config import Source
from storage.records import CrawlRun, DeliveryState, RunOutcome
from storage.store import Store, open_store

NOW = datetime.now(UTC)
JUST_NOW = NOW - timedelta(minutes=2)


@pytest.fixture
def shop(tmp_path: Path) -> Store:
    """A store beside a lowstar.toml with one source, every 15 minutes."""
    settings(tmp_path)
    return open_store(f"sqlite:///{tmp_path}/lowstar.db")


def status(folder: Path, *words: str) -> Result:
    return CliRunner(env={"COLUMNS": "80"}).invoke(
        cli, ["--config", str(folder / "lowstar.toml"), "status", *words], standalone_mode=False
    )


def told(folder: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(status(folder, "--json").output)
    return value


def test_all_is_well(shop: Store, tmp_path: Path) -> None:
    add_run(shop, JUST_NOW)
    add_case(shop, NOW, "They lost my parcel")
    done = status(tmp_path)
    assert done.return_value == 0, done.output
    assert "All is well." in done.output
    assert re.search(r"shop  ok          read \d min ago, 12 found, 3 new", done.output)
    assert "Outbox    1 sent" in done.output
    assert "every open case announced" in done.output
    assert told(tmp_path)["ok"] is True


def test_a_failed_source_is_wrong_and_says_why(shop: Store, tmp_path: Path) -> None:
    add_run(shop, NOW - timedelta(hours=3))
    add_run(
        shop, JUST_NOW, RunOutcome.FAILED, reason="the site asks for a captcha; read it with its API instead"
    )
    done = status(tmp_path)
    assert done.return_value == 1
    assert "failed" in done.output
    assert "last good: 3 h ago" in done.output
    assert "captcha" in done.output
    assert told(tmp_path)["problems"][0].startswith("source shop: failed.")


@pytest.mark.parametrize(
    ("last", "word", "wrong"),
    [
        (None, "never run", True),
        (CrawlRun(source="shop", started_at=NOW, ended_at=NOW), "ok", False),
        (CrawlRun(source="shop", started_at=NOW), "running", False),
        (CrawlRun(source="shop", started_at=NOW - timedelta(hours=1)), "broken off", True),
        (CrawlRun(source="shop", started_at=NOW, ended_at=NOW, outcome=RunOutcome.OFF), "off", False),
        (CrawlRun(source="shop", started_at=NOW, ended_at=NOW, outcome=RunOutcome.EMPTY), "empty", False),
        (CrawlRun(source="shop", started_at=NOW, ended_at=NOW, outcome=RunOutcome.PARTIAL), "partial", False),
        (CrawlRun(source="shop", started_at=NOW, ended_at=NOW, outcome=RunOutcome.FAILED), "failed", True),
        (CrawlRun(source="shop", started_at=NOW - timedelta(days=2), ended_at=NOW), "late", True),
    ],
)
def test_a_source_is_judged_by_its_latest_run(last: CrawlRun | None, word: str, wrong: bool) -> None:
    source = Source(name="shop", kind="reviews", every=timedelta(minutes=15))
    found = source_status(source, last, None, NOW)
    assert (found.word, found.wrong) == (word, wrong)
    assert found.advice or not wrong


def test_a_parked_channel_is_wrong(shop: Store, tmp_path: Path) -> None:
    add_run(shop, JUST_NOW)
    with shop.transaction() as ledger:
        ledger.park("slack", "#alerts", "is_archived", NOW - timedelta(hours=2))
    done = status(tmp_path)
    assert done.return_value == 1
    assert "channel #alerts: parked 2 h ago: is_archived" in done.output


@pytest.mark.parametrize(
    ("card", "age", "wrong"),
    [
        (DeliveryState.FAILED, 1, True),
        (DeliveryState.UNCERTAIN, 5, False),
        (DeliveryState.UNCERTAIN, 15, True),
        (DeliveryState.SENDING, 15, True),
        (DeliveryState.PENDING, 600, False),
        (None, 1, True),
    ],
)
def test_messages_that_did_not_arrive_are_wrong(
    shop: Store, tmp_path: Path, card: DeliveryState | None, age: int, wrong: bool
) -> None:
    now = datetime.now(UTC)  # not NOW: a long suite on a slow machine is minutes past its own beginning
    add_run(shop, now - timedelta(minutes=2))
    add_case(shop, now, "They lost my parcel", card=card, claimed_at=now - timedelta(minutes=age))
    done = status(tmp_path)
    assert done.return_value == int(wrong), done.output
    assert told(tmp_path)["ok"] is not wrong


def test_before_the_first_run_it_says_how_to_begin(tmp_path: Path) -> None:
    settings(tmp_path)
    done = CliRunner().invoke(cli, ["--config", str(tmp_path / "lowstar.toml"), "status"])
    assert done.exit_code == 1
    assert 'Start with "lowstar run"' in done.output
