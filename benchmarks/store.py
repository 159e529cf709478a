"""How fast are mentions stored? Rows a second, and as a ratio to plain sqlite3 in the same process.

    python benchmarks/store.py [STORED] [--url URL]

STORED mentions are there before anything is measured (default: none). The baseline is the least a program
could do: `sqlite3.executemany` of ten columns into one table with the same key, in one WAL file, durable.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from storage.records import DatePrecision, Kind, Label, Mention, Priority, Sentiment, Verdict
from storage.store import Store, open_store

BATCH = 500
WORDS = ("the", "box", "came", "late", "broken", "and", "nobody", "answered", "my", "mail", "sad", "great")
START = datetime(2026, 1, 1, tzinfo=UTC)


def mentions(first: int, count: int) -> list[Mention]:
    """Reviews of about 400 characters."""
    chance = random.Random(first)
    return [
        Mention(
            source="shop",
            external_id=f"review-{number}",
            kind=Kind.REVIEW,
            url=f"https://shop.example/reviews/{number}",
            title="Never again",
            text=" ".join(chance.choices(WORDS, k=75)),
            author=f"author {number % 1000}",
            entity="Acme Toaster",
            stars=float(number % 5 + 1),
            published_at=START + timedelta(minutes=number),
            date_precision=DatePrecision.SECOND,
        )
        for number in range(first, first + count)
    ]


def batches(several: list[Mention]) -> list[list[Mention]]:
    """In the sizes the pipeline writes them."""
    return [several[start : start + BATCH] for start in range(0, len(several), BATCH)]


def write(store: Store, several: list[Mention]) -> float:
    """Rows a second; one transaction a batch."""
    started = time.perf_counter()
    for batch in batches(several):
        with store.transaction() as ledger:
            ledger.write_mentions(batch, START)
    return len(several) / (time.perf_counter() - started)


def write_judged(store: Store, several: list[Mention]) -> float:
    """Rows a second with a verdict each, as `ingest` writes them."""
    sentiment = Sentiment(-0.4, Label.NEGATIVE)
    verdict = Verdict("Acme", sentiment, Priority.NORMAL, 0.3, ("two stars",), ("delivery",))
    started = time.perf_counter()
    for batch in batches(several):
        with store.transaction() as ledger:
            written = ledger.write_mentions(batch, START)
            ledger.write_verdicts([(written[one.key].id, one, verdict) for one in batch])
    return len(several) / (time.perf_counter() - started)


def know(store: Store, several: list[Mention]) -> float:
    """Rows a second of the question `ingest` asks first."""
    started = time.perf_counter()
    for batch in batches(several):
        with store.reading() as ledger:
            ledger.known([one.key for one in batch])
    return len(several) / (time.perf_counter() - started)


def baseline(folder: Path, several: list[Mention]) -> float:
    """Rows a second of plain sqlite3."""
    connection = sqlite3.connect(folder / "baseline.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(
        "CREATE TABLE mentions (id INTEGER PRIMARY KEY, source TEXT, external_id TEXT, kind TEXT, url TEXT,"
        " title TEXT, text TEXT, author TEXT, entity TEXT, stars REAL, posted_at INTEGER,"
        " UNIQUE (source, external_id))"
    )
    connection.execute("CREATE INDEX ix_posted_at ON mentions (posted_at)")
    rows = [
        (m.source, m.external_id, "review", m.url, m.title, m.text, m.author, m.entity, m.stars, number)
        for number, m in enumerate(several)
    ]
    started = time.perf_counter()
    for start in range(0, len(rows), BATCH):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT INTO mentions (source, external_id, kind, url, title, text, author, entity, stars,"
            " posted_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows[start : start + BATCH],
        )
        connection.execute("COMMIT")
    rate = len(rows) / (time.perf_counter() - started)
    connection.close()
    return rate


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("stored", nargs="?", type=int, default=0, help="mentions there before (default 0)")
    parser.add_argument("--rows", type=int, default=20_000, help="mentions measured (default 20000)")
    parser.add_argument("--url", default="", help="the store to measure (default: a new SQLite file)")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        plain = baseline(folder, mentions(0, wanted.rows))
        with open_store(wanted.url or f"sqlite:///{folder / 'store.db'}") as store:
            for start in range(0, wanted.stored, 50_000):
                write(store, mentions(start, min(50_000, wanted.stored - start)))
            fresh = mentions(wanted.stored, wanted.rows)
            judged = mentions(wanted.stored + wanted.rows, wanted.rows)
            rates = {
                "new": write(store, fresh),
                "unchanged": write(store, fresh),
                "known?": know(store, fresh),
                "new, judged": write_judged(store, judged),
            }
            print(f"{wanted.stored:,} stored, {wanted.rows:,} measured, batches of {BATCH}, {store.name}")
    print(f"{'plain sqlite3, new':20} {plain:10,.0f} rows/s   1.00")
    for name, rate in rates.items():
        print(f"{name:20} {rate:10,.0f} rows/s   {rate / plain:.2f}")


if __name__ == "__main__":
    main()
