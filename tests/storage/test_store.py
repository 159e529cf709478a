"""Is the store opened safely, used by many at once, and clear when something is wrong?"""

from __future__ import annotations

import stat
import subprocess
import sys
import threading
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from storage.errors import Busy, CannotOpen, Locked, StoreError
from storage.locks import file_lock
from storage.records import Mention
from storage.store import Store, open_store

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def _mention(number: int, **fields: object) -> Mention:
    return Mention(source="shop", external_id=str(number), text=f"text {number}", **fields)  # type: ignore[arg-type]


def test_what_a_transaction_wrote_is_there_afterwards(store: Store) -> None:
    with store.transaction() as ledger:
        ledger.write_mentions([_mention(1)], NOW)
    with store.reading() as ledger:
        assert ledger.mention_count() == 1


def test_a_transaction_that_raises_leaves_nothing(store: Store) -> None:
    def fails() -> None:
        with store.transaction() as ledger:
            ledger.write_mentions([_mention(1)], NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    with store.reading() as ledger:
        assert ledger.mention_count() == 0


def test_reading_cannot_write(store: Store) -> None:
    with pytest.raises(StoreError, match=r"(?i)read.?only|only be read"), store.reading() as ledger:
        ledger.set_cursor("shop", "page", "2", NOW)
    with store.transaction() as ledger:  # and the connection is not spoilt by it
        ledger.set_cursor("shop", "page", "2", NOW)


def test_a_reader_sees_one_unchanging_view(store: Store) -> None:
    with store.reading() as reader:
        assert reader.mention_count() == 0
        with store.transaction() as writer:
            writer.write_mentions([_mention(1)], NOW)
        assert reader.mention_count() == 0
    with store.reading() as reader:
        assert reader.mention_count() == 1


def test_a_transaction_inside_a_transaction_is_refused_at_once(store: Store) -> None:
    with store.transaction() as ledger:
        with pytest.raises(StoreError, match="in a transaction already"), store.transaction():
            pass
        ledger.write_mentions([_mention(1)], NOW)
    with store.reading() as ledger:
        assert ledger.mention_count() == 1


def test_threads_write_without_losing_anything(store: Store) -> None:
    failed: list[BaseException] = []

    def write(first: int) -> None:
        try:
            for number in range(first, first + 10):
                with store.transaction() as ledger:
                    ledger.write_mentions([_mention(number), _mention(999)], NOW)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(start,)) for start in range(0, 60, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failed == []
    with store.reading() as ledger:
        assert ledger.mention_count() == 61


def test_the_database_and_its_journals_are_for_their_owner_only(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path / 'a.db'}") as store, store.transaction() as ledger:
        ledger.set_cursor("shop", "page", "2", NOW)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(("a.db", "a.db-wal", "a.db-shm", "a.db.lock"), 0o600)


def test_a_database_the_world_could_read_is_closed_to_it(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    open_store(f"sqlite:///{path}").close()
    path.chmod(0o664)
    open_store(f"sqlite:///{path}").close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o660


def test_sqlite_runs_with_the_settings_that_were_measured(sqlite_store: Store) -> None:
    with sqlite_store.transaction() as ledger:
        said = {
            name: ledger._connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in (
                "journal_mode",
                "synchronous",
                "foreign_keys",
                "cache_size",
                "mmap_size",
                "busy_timeout",
            )
        }
    assert said == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "cache_size": -262144,
        "mmap_size": 0,
        "busy_timeout": 30_000,
    }


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "no database address"),
        ("lowstar.db", "no database address"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("mysql://root:hunter2@host/db", "SQLite or PostgreSQL"),
        ("sqlite:////no/such/folder/a.db", "folder /no/such/folder does not exist"),
        ("postgresql://me:hunter2@extra@host/db", "%40"),
        ("postgresql://me:hunter2@host:port/db", "no database address"),
        (
            "postgresql://me:hunter2@127.0.0.1:1/db?password=hunter2",
            "cannot reach postgresql://me@127.0.0.1:1/db",
        ),
        ("postgres://me:hunter2@127.0.0.1:1/db", "cannot reach postgresql://me@127.0.0.1:1/db"),
    ],
)
def test_a_wrong_address_is_explained_and_its_password_kept(url: str, said: str) -> None:
    with pytest.raises(CannotOpen, match=said) as caught:
        open_store(url)
    whole: BaseException | None = caught.value
    while whole is not None:
        assert "hunter2" not in f"{whole} {whole!r}"
        whole = whole.__cause__


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Sir or Madam, " * 100)
    with pytest.raises(CannotOpen, match="not a database of ours"):
        open_store(f"sqlite:///{path}")
    assert path.read_text() == "Dear Sir or Madam, " * 100


def test_a_missing_driver_names_the_package_to_install(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from storage.store import open_store, CannotOpen\n"
        "try: open_store('postgresql://me:hunter2@127.0.0.1:1/db')\n"
        "except CannotOpen as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30
    )
    assert "pip install 'lowstar[postgres]'" in done.stdout
    assert "hunter2" not in done.stdout + done.stderr


def test_no_password_in_the_repr_of_a_store(postgres_url: str) -> None:
    with open_store(postgres_url.replace("postgres@", "postgres:hunter2@")) as store:
        assert "hunter2" not in f"{store!r} {store.name} {vars(store)}"


def test_an_error_does_not_quote_what_strangers_wrote(store: Store) -> None:
    written = _mention(1, title="my secret " + "illness".upper())

    def write(seen: Any) -> None:
        with store.transaction() as ledger:
            ledger.write_mentions([written], seen)

    with pytest.raises(StoreError) as caught:
        write(None)
    assert "ILLNESS" not in "".join(traceback.format_exception(caught.value))


def test_a_run_lock_is_held_by_one_only(store: Store, store_url: str) -> None:
    with store.run_lock("run"), open_store(store_url) as other:
        with pytest.raises(Busy, match="'run'"), other.run_lock("run"):
            pass
        with other.run_lock("digest"), store.run_lock("a name: of any/kind ☃"):
            pass
    with store.run_lock("run"):
        pass


def test_a_run_lock_ends_with_its_process_however_that_dies(store: Store, store_url: str) -> None:
    program = (
        "import sys, time; from storage.store import open_store\n"
        f"with open_store({store_url!r}) as store, store.run_lock('run'):\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(Busy), store.run_lock("run"):
            pass
        holder.kill()
        holder.wait(10)
    for _ in range(100):  # PostgreSQL notices a dead client in its own time
        try:
            with store.run_lock("run"):
                return
        except Busy:
            threading.Event().wait(0.02)
    pytest.fail("the lock outlived its process")


def test_a_run_lock_does_not_keep_others_from_writing(store: Store) -> None:
    with store.run_lock("run"), store.transaction() as ledger:
        ledger.write_mentions([_mention(1)], NOW)


def test_a_writer_that_waits_too_long_says_so(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.store.WAIT", 0.05)
    with (
        file_lock(Path(sqlite_store.name + ".lock"), wait=0),
        pytest.raises(Locked, match="another process"),
        sqlite_store.transaction(),
    ):
        pass
    with sqlite_store.transaction():
        pass
