"""How is each database reached, and what do its errors mean to the person who reads them?"""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from storage.errors import CannotOpen, DiskFull, Locked, StoreError

WRITING = "lowstar_writing"  # the execution option by which a transaction says that it will write


def parsed_url(url: str) -> URL:
    """The address in parts; raises `CannotOpen` without ever quoting it: it may hold a password."""
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


def public_name(url: URL) -> str:
    """The address as anybody may see it: no password, no options."""
    if url.get_backend_name() == "sqlite":
        return url.database or ""
    user = f"{url.username}@" if url.username else ""
    port = f":{url.port}" if url.port else ""
    return f"postgresql://{user}{url.host or ''}{port}/{url.database or ''}"


def _make_private(path: Path) -> None:
    """Make the database file, readable by its owner only; SQLite gives -wal and -shm the same rights."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise CannotOpen(f"cannot make {path}: the folder {path.parent} does not exist") from error
        raise CannotOpen(f"cannot open {path}: {error.strerror}") from error
    try:
        now = os.fstat(descriptor)
        # A store somebody opened to a group stays so; the world never reads customers' words.
        wanted = 0o600 if now.st_size == 0 else stat.S_IMODE(now.st_mode) & ~0o007
        if stat.S_IMODE(now.st_mode) != wanted and now.st_uid == os.geteuid():
            os.fchmod(descriptor, wanted)
    finally:
        os.close(descriptor)


def sqlite_engine(path: Path) -> Engine:
    """An engine for the file at `path`, which is made if need be, for its owner's eyes only."""
    _make_private(path)
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
            "secure_delete=ON",  # what is forgotten is overwritten, not only unlisted
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get(WRITING, False)
        connection.exec_driver_sql(f"PRAGMA query_only={'OFF' if writing else 'ON'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def postgres_engine(url: URL) -> Engine:
    """An engine for a PostgreSQL server; the driver is imported here, and missed here."""
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


# https://www.sqlite.org/rescode.html and https://www.postgresql.org/docs/current/errcodes-appendix.html
_SQLITE_FULL = {sqlite3.SQLITE_FULL}
_SQLITE_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_SQLITE_UNOPENED = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}


def explained(error: DBAPIError, name: str) -> StoreError:
    """What a driver's error means for the person who reads it."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    state = getattr(error.orig, "sqlstate", None)
    if isinstance(code, int):
        code &= 0xFF  # the low byte is the kind, the rest its detail
    said = str(error.orig).strip().partition("\n")[0]
    if state is not None and error.orig is not None:
        # PostgreSQL adds the whole row as DETAIL; what strangers wrote does not belong in a log.
        error.orig.args = (said,)
        error.args = (f"({type(error.orig).__name__}) {said}",)
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
