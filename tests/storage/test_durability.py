"""Does the store survive what happens to machines: two writers, a killed one, a full disk?"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from storage.errors import DiskFull
from storage.records import Mention
from storage.store import Store, open_store

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)

# Writes batches of ten mentions, each batch with a cursor that counts them, until it is stopped or done.
WRITER = """
import sys
from datetime import UTC, datetime
from storage.records import Mention
from storage.store import open_store
url, name, batches = sys.argv[1], sys.argv[2], int(sys.argv[3])
now = datetime(2026, 11, 23, 12, tzinfo=UTC)
with open_store(url) as store:
    print("ready", flush=True)
    for batch in range(1, batches + 1):
        with store.transaction() as ledger:
            mentions = [Mention(source=name, external_id=f"{batch}-{i}", text="x" * 500) for i in range(10)]
            ledger.write_mentions(mentions, now)
            shared = [Mention(source="shared", external_id=str(i), text=f"{name} {batch}") for i in range(3)]
            ledger.write_mentions(shared, now)
            ledger.set_cursor(name, "batch", str(batch), now)
"""


def _writer(url: str, name: str, batches: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, url, name, str(batches)], cwd=ROOT, stdout=subprocess.PIPE
    )


def test_two_processes_write_at_once_and_nothing_is_lost(store: Store, store_url: str) -> None:
    writers = [_writer(store_url, name, 30) for name in ("one", "two")]
    for writer in writers:
        writer.communicate(timeout=60)
    assert [writer.returncode for writer in writers] == [0, 0]
    with store.reading() as ledger:
        assert ledger.mention_count() == 2 * 300 + 3
        assert len(ledger.known([("one", f"{b}-{i}") for b in range(1, 31) for i in range(10)])) == 300


def test_a_killed_writer_leaves_whole_batches_only(store: Store, store_url: str) -> None:
    chance = random.Random(7)
    for round_ in range(3):
        name = f"killed-{round_}"
        with _writer(store_url, name, 100_000) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(0.05 + chance.random() / 10)
            writer.kill()
        with store.transaction() as ledger:  # nobody waits for the dead
            done = int(ledger.cursor(name, "batch") or 0)
            connection = ledger._connection
            counted = connection.scalar(
                text("SELECT count(*) FROM mentions WHERE source = :name"), {"name": name}
            )
            assert counted == done * 10
            if connection.dialect.name == "sqlite":
                assert connection.scalar(text("PRAGMA integrity_check")) == "ok"


def test_a_full_disk_is_said_and_nothing_is_half_written(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path / 'a.db'}") as store:
        with store.transaction() as ledger:
            ledger.write_mentions([Mention(source="s", external_id="kept", text="kept")], NOW)
            pages = ledger._connection.scalar(text("PRAGMA page_count"))

        def fill_the_disk() -> None:
            with store.transaction() as ledger:
                ledger._connection.execute(text(f"PRAGMA max_page_count={pages + 20}"))
                ledger.set_cursor("s", "page", "2", NOW)
                for number in range(50):
                    huge = Mention(source="s", external_id=str(number), text="x" * 50_000)
                    ledger.write_mentions([huge], NOW)

        with pytest.raises(DiskFull, match="no room left"):
            fill_the_disk()
        with store.reading() as ledger:
            assert ledger.mention_count() == 1
            assert ledger.cursor("s", "page") is None
            assert ledger._connection.scalar(text("PRAGMA integrity_check")) == "ok"
