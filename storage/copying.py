"""How does a whole store get into another one? A backup, or the move from SQLite to PostgreSQL and back.

One unchanging view of the one, one transaction into the other: others may write meanwhile, and a copy that
breaks off leaves nothing. Both have the schema of this version. What is indexed for the search is indexed anew.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, Table, func, insert, select, text

from storage.errors import StoreError
from storage.store import Store
from storage.tables import cases, metadata

BATCH = 1_000  # rows


class NotEmpty(StoreError):
    """The store that should be written holds something already."""


def copy_store(
    source: Store, target: Store, progress: Callable[[str, int], None] = lambda table, rows: None
) -> dict[str, int]:
    """Copy everything from `source` into `target`, which must be empty; answers how many rows, by table.

    `progress` hears the name of a table and how many of its rows have been written. Raises NotEmpty, and
    whatever StoreError either store has; then nothing was written.
    """
    counts: dict[str, int] = {}
    with source.reading() as read, target.transaction() as write:
        old, new = read._connection, write._connection
        for table in metadata.sorted_tables:
            # What a store writes down by itself when it is first opened (none today) would be no reason to stop.
            if new.execute(select(table).limit(1)).first() is not None:
                raise NotEmpty(
                    f"{target.name} is not empty: its table {table.name} has rows; copy into a new one"
                )
        for table in metadata.sorted_tables:
            counts[table.name] = _copied(table, old, new, progress)
            _numbers_go_on(table, old, new)
    return counts


def _copied(table: Table, old: Connection, new: Connection, progress: Callable[[str, int], None]) -> int:
    rows = old.execution_options(yield_per=BATCH).execute(select(table).order_by(*table.primary_key.columns))
    done = 0
    for part in rows.partitions(BATCH):
        new.execute(insert(table), [dict(row._mapping) for row in part])
        done += len(part)
        progress(table.name, done)
    return done


def _numbers_go_on(table: Table, old: Connection, new: Connection) -> None:
    """The next row gets the next number; that of a case is said aloud, and never given twice."""
    key = table.autoincrement_column
    if key is None:
        return
    highest = new.scalar(select(func.max(key))) or 0
    if table is cases:
        highest = max(highest, _given(table, old))
    if new.dialect.name == "postgresql":
        if highest:
            sequence = {"table": table.name, "column": key.name, "highest": highest}
            new.execute(text("SELECT setval(pg_get_serial_sequence(:table, :column), :highest)"), sequence)
    elif table is cases and highest:
        new.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
        new.execute(
            text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)"),
            {"name": table.name, "seq": highest},
        )


def _given(table: Table, old: Connection) -> int:
    """The highest number that was ever given, also where its row is gone."""
    key = table.autoincrement_column
    assert key is not None  # noqa: S101  (asked for by the caller)
    if old.dialect.name == "postgresql":
        name = old.scalar(
            text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": table.name, "column": key.name}
        )
        called = old.execute(text(f"SELECT last_value, is_called FROM {name}")).one()  # noqa: S608 - its own name
        return int(called.last_value) if called.is_called else 0
    return int(
        old.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table.name}) or 0
    )
