"""Where is everything kept, and who may change it now?

    with open_store("sqlite:///lowstar.db") as store, store.transaction() as ledger:
        ledger.write_mentions(mentions, now)

A `Ledger` is one transaction: all of it happens, or nothing.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from storage.audits import AuditLedger
from storage.cases import CaseLedger
from storage.context import ContextLedger
from storage.crawls import CrawlLedger
from storage.deliveries import DeliveryLedger
from storage.engines import WRITING, explained, parsed_url, postgres_engine, public_name, sqlite_engine
from storage.errors import Busy, CannotOpen, DiskFull, Locked, NewerSchema, OlderSchema, StoreError
from storage.figures import FigureLedger
from storage.forgotten import ForgottenLedger
from storage.heard import HeardLedger
from storage.inbox import InboxLedger
from storage.learned import LearnedLedger
from storage.lists import ListLedger
from storage.locks import file_lock
from storage.mentions import MentionLedger
from storage.migrations import HEAD, REVISIONS
from storage.outages import OutageLedger
from storage.reach import ReachLedger
from storage.search import SearchLedger
from storage.sketches import SketchLedger
from storage.spikes import SpikeLedger
from storage.storms import StormLedger
from storage.tables import metadata
from storage.weeks import WeekLedger

__all__ = [
    "Busy",
    "CannotOpen",
    "DiskFull",
    "Ledger",
    "Locked",
    "NewerSchema",
    "OlderSchema",
    "Store",
    "StoreError",
    "open_store",
]

WAIT = 60.0  # seconds a writer waits for its turn; a batch takes milliseconds, a migration seconds


class Ledger(
    MentionLedger,
    CaseLedger,
    DeliveryLedger,
    CrawlLedger,
    WeekLedger,
    SearchLedger,
    InboxLedger,
    ListLedger,
    ContextLedger,
    StormLedger,
    OutageLedger,
    ReachLedger,
    AuditLedger,
    SketchLedger,
    LearnedLedger,
    SpikeLedger,
    ForgottenLedger,
    FigureLedger,
    HeardLedger,
):
    """All statements, inside one transaction; of no use after its `with` block."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection


class Store:
    """An open store. Safe for use from several threads and processes; after a fork, open your own."""

    def __init__(self, name: str, engine: Engine, path: Path | None) -> None:
        self._name = name
        self._engine = engine
        self._path = path  # of the SQLite file; None on PostgreSQL
        self._mine = threading.local()

    def __repr__(self) -> str:
        return f"Store({self._name!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def name(self) -> str:
        """The address as it may be shown to anybody: without password and options."""
        return self._name

    @contextmanager
    def transaction(self) -> Iterator[Ledger]:
        """A transaction that writes: committed when the block ends, undone as a whole when it raises.

        On SQLite writers take turns; one that waits longer than a minute gets `Locked`.
        """
        with self._writing() as connection:
            yield Ledger(connection)

    @contextmanager
    def reading(self) -> Iterator[Ledger]:
        """One unchanging view of the store. Takes no lock, waits for nobody, and any write in it fails."""
        with self._explaining(), self._engine.connect() as connection:
            if self._path is None:
                connection = connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            with connection.begin():
                yield Ledger(connection)

    @contextmanager
    def run_lock(self, name: str) -> Iterator[None]:
        """Be the only process that does `name`; raises `Busy` at once when another is at it.

        It is given back by the kernel or the server when this process ends, however it dies.
        """
        with self._file_run_lock(name) if self._path is not None else self._server_run_lock(name):
            yield

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        if getattr(self._mine, "writing", False):
            raise StoreError("this thread is in a transaction already: use its ledger, do not open another")
        self._mine.writing = True
        try:
            with (
                self._explaining(),
                self._turn(),
                self._engine.connect() as connection,
                connection.execution_options(**{WRITING: True}).begin(),
            ):
                yield connection
        finally:
            self._mine.writing = False

    @contextmanager
    def _turn(self) -> Iterator[None]:
        # SQLite before 3.51.3 can damage a WAL that two processes reset at once; its own waiting is unfair.
        if self._path is None:
            yield
            return
        lock = file_lock(_beside(self._path, ".lock"), wait=WAIT)
        with self._held(lock, Locked(f"another process has been writing to {self._name} for {WAIT:.0f} s")):
            yield

    @contextmanager
    def _file_run_lock(self, name: str) -> Iterator[None]:
        assert self._path is not None  # noqa: S101 - told to mypy; run_lock chose this way for it
        slug = name if re.fullmatch(r"[a-z0-9_-]{1,64}", name) else _digest(name).hex()
        lock = file_lock(_beside(self._path, f".{slug}.lock"), wait=0)
        with self._held(lock, Busy(f"another process is doing {name!r}")):
            yield

    @contextmanager
    def _held(self, lock: AbstractContextManager[None], taken: StoreError) -> Iterator[None]:
        # Entered by hand: a Busy or OSError of the block itself is not the lock's.
        try:
            lock.__enter__()
        except Busy as error:
            raise taken from error
        except OSError as error:
            raise CannotOpen(f"cannot lock {self._name}: {error.strerror}") from error
        try:
            yield
        finally:
            lock.__exit__(None, None, None)

    @contextmanager
    def _server_run_lock(self, name: str) -> Iterator[None]:
        key = int.from_bytes(_digest(f"lowstar run {name}"), signed=True)
        with self._explaining(), self._engine.connect() as connection:
            # A connection of its own that never goes back to the pool: the lock lives exactly as long as it.
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.detach()
            if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}):
                raise Busy(f"another process is doing {name!r}")
            yield

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise explained(error, self._name) from error
        except PoolTimeout as error:
            raise Locked(f"all connections to {self._name} are in use; close what you open") from error

    def _bring_up_to_date(self, migrate: bool) -> None:
        with self.reading() as ledger:
            found = _revision(ledger._connection)
        if found == HEAD:
            return
        if found is not None and found not in REVISIONS:
            raise NewerSchema(
                f"{self._name} was written by a newer version of this program "
                f"(its schema is {found}, this one knows up to {HEAD}); update the program"
            )
        if not migrate:
            state = "is empty" if found is None else f"has schema {found}, this program needs {HEAD}"
            raise OlderSchema(f"{self._name} {state}; `lowstar run` brings it up to date")
        with self._writing() as connection:
            if self._path is None:
                # Two programs that start at once: the second waits here and then finds the work done.
                key = int.from_bytes(_digest("lowstar migrate"), signed=True)
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
            found = _revision(connection)
            if found is None:
                _create(connection)
            elif found != HEAD:
                from storage.migrations.upgrade import upgrade  # Alembic takes a second to import

                upgrade(connection)


def open_store(url: str, *, migrate: bool = True) -> Store:
    """The store at `url`, created or migrated if need be (`migrate=False`: `OlderSchema` instead).

    `sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://user:password@host/name`. Raises
    `CannotOpen` or `NewerSchema`, and says what to do.
    """
    parsed = parsed_url(url)
    if parsed.get_backend_name() == "sqlite":
        path = Path(parsed.database or "").absolute()
        store = Store(public_name(parsed), sqlite_engine(path), path)
    else:
        store = Store(public_name(parsed), postgres_engine(parsed), None)
    try:
        store._bring_up_to_date(migrate)
    except BaseException:
        store.close()
        raise
    return store


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _digest(name: str) -> bytes:
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _revision(connection: Connection) -> str | None:
    """The revision of the schema, None where there is none yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return None if found is None else str(found)


def _create(connection: Connection) -> None:
    # What a new store gets at once is what all migrations together make: a test compares the two.
    metadata.create_all(connection, checkfirst=False)
    connection.execute(
        text(
            "CREATE TABLE alembic_version ("
            "version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
    )
    connection.execute(text("INSERT INTO alembic_version (version_num) VALUES (:head)"), {"head": HEAD})
