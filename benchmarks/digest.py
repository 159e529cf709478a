"""How long does the digest of a week take beside so many mentions?

    python benchmarks/digest.py [MENTIONS] [--brands N] [--keep FILE]

MENTIONS (default 1,000,000) are spread over a year and N brands (default 1: the worst case, a fifty-second of
them is in the week). Prints seconds, and as a ratio to the least anybody could do: one COUNT over the index.
Digests are made of all brands.
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

from monitor.day_counts import keep_days
from monitor.digest import digest_of
from monitor.digest_days import SHOWN
from monitor.digest_html import html
from monitor.digest_rows import Wanted, gather
from monitor.match import Brand
from monitor.weeks import Span, read_period
from storage.rows import place_number
from storage.store import Store, open_store

WORDS = (
    *("the", "parcel", "came", "late", "and", "nobody", "answered", "my", "mail", "about", "broken", "lid"),
    *("of", "this", "kettle", "while", "shop", "was", "kind", "enough", "to", "send", "another", "box"),
    *("love", "perfect", "great", "service", "refund", "twice", "chat", "bot", "loop", "steam", "wand"),
)
END = datetime(2026, 11, 23, tzinfo=UTC)
ZONE = "Europe/Berlin"


def fill(path: Path, count: int, brands: int) -> None:
    """Mentions of some 400 characters, an eighth of them negative, cases for half of those."""
    chance = random.Random(1)
    step = timedelta(days=365) / count
    places = [place_number(f"place {number}") for number in range(40)]
    texts = [" ".join(chance.choices(WORDS, k=75)) for _ in range(5_000)]
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA synchronous=OFF")
        database.execute("PRAGMA cache_size=-524288")  # five million rows are filled in minutes, not an hour
        for first in range(1, count + 1, 20_000):
            mentions, verdicts, cases = [], [], []
            for number in range(first, min(first + 20_000, count + 1)):
                at = int((END - step * (count - number + 1)).timestamp() * 1_000_000)
                stars = None if number % 3 == 0 else float(1 if number % 8 == 0 else 2 + number % 4)
                compound = round(chance.uniform(-0.9, 0.9), 4)
                text = chance.choice(texts)
                brand, source = f"Acme {number % brands}", f"source {number % 9}"
                mentions.append((number, source, str(number), text, f"place {number % 40}", stars, at))
                spans = '[[0, 3, "the", -1.5]]' if compound < 0 else '[[0, 3, "the", 1.5]]'
                rank = chance.random()
                verdicts.append(
                    (number, brand, compound, stars, source, at, rank, spans, places[number % 40])
                )
                if number % 16 == 0:
                    cases.append((number, number, brand, rank, at, at + 14_400_000_000, at + 3_600_000_000))
            database.executemany(
                "INSERT INTO mentions (id,source,external_id,kind,url,title,text,author,entity,stars,rating_raw,"
                "scale_inferred,reach,language,published_at,date_precision,owner_reply,text_truncated,in_reply_to,"
                "about,content_hash,first_seen_at,changed_at,posted_at)"
                " SELECT ?,?,?,'review','https://x.example/1','',?,'somebody',?,?,'',0,1,"
                "'en',posted,'second','',0,'','[]','x',posted,posted,posted FROM (SELECT ? AS posted)",
                mentions,
            )
            database.executemany(
                "INSERT INTO verdicts (mention_id,brand,compound,stars,source,posted_at,rank,spans,place,label,"
                "priority,reasons,topics,marks,first_seen_at)"
                " VALUES (?,?,?,?,?,?,?,?,?,'neutral',1,'[]','[]',0,?6)",
                verdicts,
            )
            database.executemany(
                "INSERT INTO cases (number,mention_id,brand,rank,opened_at,respond_by,first_response_at,status,"
                "priority,channel,owner,level,version,closed_at,outcome,recovered)"
                " VALUES (?,?,?,?,?,?,?,'resolved',2,'','',1,1,?7,'',0)",
                cases,
            )
            database.commit()
    database.close()


def measure(store: Store, names: list[str], shown: int | None) -> None:
    """Make the digest of each brand, and say what it cost."""
    week = read_period(Span.WEEK, "2026-W47", ZONE)
    assert week is not None
    read = told = drawn = worked = 0.0
    mentions = characters = 0
    for name in names:
        brand = Brand(name=name, terms=(name,))
        wanted = Wanted(brand=brand, period=week, brands=(brand,), titles={}, every={})
        started, before = time.perf_counter(), time.process_time()
        with store.reading() as ledger:
            rows = gather(ledger, wanted, END, shown=shown)
            read_at = time.perf_counter()
            digest = digest_of(rows, ledger.week_posts)
        told_at, worked = time.perf_counter(), worked + time.process_time() - before
        page = html(digest)
        read, told, drawn = (
            read + read_at - started,
            told + told_at - read_at,
            drawn + time.perf_counter() - told_at,
        )
        mentions, characters = mentions + (digest.mentions.now or 0), characters + len(page)
    with store.reading() as ledger:
        least = time.perf_counter()
        for name in names:
            ledger.tally(name, week.start_at, week.end_at, -0.05)
        least = time.perf_counter() - least
    print(
        f"{mentions:,} mentions in the week: read {read:.2f} s, told {told:.2f} s, page {drawn:.2f} s "
        f"({characters:,} characters); in all {read + told:.2f} s ({worked:.2f} s of a processor), "
        f"{(read + told) / least:.0f} × one count ({least * 1000:.0f} ms)"
    )


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("mentions", type=int, nargs="?", default=1_000_000)
    asked.add_argument("--brands", type=int, default=1)
    asked.add_argument("--keep", type=Path)
    options = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = options.keep or Path(folder) / "week.db"
        fresh = not path.exists()
        with open_store(f"sqlite:///{path.absolute()}") as store:
            if fresh:
                fill(path, options.mentions, options.brands)
            names = [f"Acme {number}" for number in range(options.brands)]
            days, counted = 0, time.process_time()
            while done := keep_days(store, names, ZONE, END):
                days += done
            counted = time.process_time() - counted
            print(f"{days} days counted ahead, as `lowstar run` does: {counted:.2f} s of a processor")
            for _ in range(3):
                measure(store, names, SHOWN)
            if len(names) > 1:
                print("one of the brands:")
                measure(store, names[:1], SHOWN)
            print("every mention read, as for --to week.json:")
            measure(store, names, None)


if __name__ == "__main__":
    main()
