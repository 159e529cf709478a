"""Where is everything kept, and who may change it now?

    with open_store("sqlite:///lowstar.db") as store, store.transaction() as ledger:
        ledger.write_mentions(mentions, now)

A `Ledger` is one transaction: all of it happens, or nothing.
"""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from storage.cases import CaseLedger
from storage.crawls import CrawlLedger
from storage.deliveries import DeliveryLedger
from storage.errors import Busy, CannotOpen, DiskFull, Locked, NewerSchema, OlderSchema, StoreError
from storage.locks import file_lock
from storage.mentions import MentionLedger
from storage.migrations import HEAD, REVISIONS
from storage.tables import metadata

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

WAIT = (
    60.0  # seconds a writer waits for the writer before it; a batch takes milliseconds, a migration seconds
)
_WRITING = "lowstar_writing"


class Ledger(MentionLedger, CaseLedger, DeliveryLedger, CrawlLedger):
    """All statements, inside one transaction; of no use after its `with` block."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection


class Store:
    """An open store. Safe for use from several threads and processes; after a fork, open your own."""

    def __init__(self, url: URL, engine: Engine, path: Path | None) -> None:
        self._name = _public_name(url)
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
            with self._explaining(), self._turn(), self._engine.connect() as connection:
                with connection.execution_options(**{_WRITING: True}).begin():
                    yield connection
        finally:
            self._mine.writing = False

    @contextmanager
    def _turn(self) -> Iterator[None]:
        # SQLite before 3.51.3 can damage a WAL that two processes reset at once, and its own waiting is unfair.
        if self._path is None:
            yield
            return
        lock = file_lock(_beside(self._path, ".lock"), wait=WAIT)
        try:
            lock.__enter__()
        except Busy as error:
            raise Locked(f"another process has been writing to {self._name} for {WAIT:.0f} s") from error
        except OSError as error:
            raise CannotOpen(f"cannot lock {self._name}: {error.strerror}") from error
        try:
            yield
        finally:
            lock.__exit__(None, None, None)

    @contextmanager
    def _file_run_lock(self, name: str) -> Iterator[None]:
        assert self._path is not None  # noqa: S101 - told to mypy; run_lock chose this way for it
        slug = name if re.fullmatch(r"[a-z0-9_-]{1,64}", name) else _digest(name).hex()
        lock = file_lock(_beside(self._path, f".{slug}.run.lock"), wait=0)
        try:
            lock.__enter__()
        except Busy as error:
            raise Busy(f"another process is doing {name!r}") from error
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
            connection.detach()
            connection.execution_options(isolation_level="AUTOCOMMIT")
            if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}):
                raise Busy(f"another process is doing {name!r}")
            yield

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise _explained(error, self._name) from error
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
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite":
        path = Path(parsed.database or "").absolute()
        _make_private(path, parsed)
        store = Store(parsed, _sqlite_engine(path), path)
    else:
        store = Store(parsed, _postgres_engine(parsed), None)
    try:
        store._bring_up_to_date(migrate)
    except BaseException:
        store.close()
        raise
    return store


def _parsed(url: str) -> URL:
    wanted = "write sqlite:///lowstar.db or postgresql://user:password@host/name"
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        # Not chained: the cause quotes the address, password and all.
        raise CannotOpen(f"this is no database address ({type(error).__name__}); {wanted}") from None
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        if not parsed.database or parsed.database == ":memory:" or parsed.database.startswith("file:"):
            raise CannotOpen(f"the store needs a file, not a database in memory; {wanted}")
        return parsed.set(drivername="sqlite")
    if backend not in ("postgresql", "postgres"):
        raise CannotOpen(f"lowstar keeps its data in SQLite or PostgreSQL, not in {backend!r}; {wanted}")
    if "@" in (parsed.host or ""):
        raise CannotOpen("an @ in the password of the database address must be written as %40")
    return parsed.set(drivername="postgresql+psycopg")


def _public_name(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return url.database or ""
    user = f"{url.username}@" if url.username else ""
    port = f":{url.port}" if url.port else ""
    return f"postgresql://{user}{url.host or ''}{port}/{url.database or ''}"


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _digest(name: str) -> bytes:
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _make_private(path: Path, url: URL) -> None:
    """Make the database file, readable by its owner only; SQLite gives -wal and -shm the same rights."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        where = _public_name(url)
        if isinstance(error, FileNotFoundError):
            raise CannotOpen(f"cannot make {where}: the folder {path.parent} does not exist") from error
        raise CannotOpen(f"cannot open {where}: {error.strerror}") from error
    try:
        now = os.fstat(descriptor)
        # A store somebody opened to a group stays so; the world never reads customers' words.
        wanted = 0o600 if now.st_size == 0 else stat.S_IMODE(now.st_mode) & ~0o007
        if stat.S_IMODE(now.st_mode) != wanted and now.st_uid == os.geteuid():
            os.fchmod(descriptor, wanted)
    finally:
        os.close(descriptor)


def _sqlite_engine(path: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        # We say BEGIN ourselves (below): the driver would begin too late for one unchanging view.
        connect_args={"isolation_level": None, "timeout": 30.0},
        hide_parameters=True,
        pool_size=8,
        max_overflow=24,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",  # a committed alert survives a power cut
            "foreign_keys=ON",
            "cache_size=-262144",  # up to 256 MiB, taken as needed: index pages of a big store stay warm
            "temp_store=MEMORY",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get(_WRITING, False)
        connection.exec_driver_sql(f"PRAGMA query_only={'OFF' if writing else 'ON'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _postgres_engine(url: URL) -> Engine:
    try:
        engine = create_engine(url, hide_parameters=True, pool_pre_ping=True, pool_size=8, max_overflow=24)
    except ImportError as error:
        raise CannotOpen("PostgreSQL needs one more package: pip install 'lowstar[postgres]'") from error

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # Python's clock ends where a session's zone can push a time past it; in UTC it cannot.
        before, connection.autocommit = connection.autocommit, True
        connection.execute("SET TIME ZONE 'UTC'")
        connection.autocommit = before

    return engine


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


# https://www.sqlite.org/rescode.html and https://www.postgresql.org/docs/current/errcodes-appendix.html
_SQLITE_FULL = {sqlite3.SQLITE_FULL}
_SQLITE_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_SQLITE_UNOPENED = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}


def _explained(error: DBAPIError, name: str) -> StoreError:
    """What a driver's error means for the person who reads it."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    state = getattr(error.orig, "sqlstate", None)
    if isinstance(code, int):
        code &= 0xFF  # the low byte is the kind, the rest its detail
    said = str(error.orig).strip().partition("\n")[0]
    if code in _SQLITE_FULL or state == "53100":
        return DiskFull(f"no room left for {name}: nothing of this was written; make room and run it again")
    if code in _SQLITE_LOCKED or state in ("55P03", "40P01", "40001"):
        return Locked(f"another program keeps {name} locked ({said}); run it again")
    if code == sqlite3.SQLITE_NOTADB:
        return CannotOpen(f"{name} is not a database of ours; move it away or choose another name")
    if code == sqlite3.SQLITE_CORRUPT:
        return StoreError(f"{name} is damaged ({said}); restore the last backup")
    if code == sqlite3.SQLITE_READONLY:
        return StoreError(f"{name} can only be read here ({said})")
    if code in _SQLITE_UNOPENED or (state or "").startswith(("28", "3D")):
        return CannotOpen(f"cannot open {name}: {said}")
    if error.connection_invalidated or (
        code is None and state is None and type(error.orig).__name__ == "OperationalError"
    ):
        return CannotOpen(f"cannot reach {name}: {said}")
    return StoreError(f"{name} refused: {said}")
