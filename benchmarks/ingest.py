"""What does a mention cost? Scored, stored, case opened: mentions/s into an empty store and into a full one.

    ./run bench ingest                 empty store, then with 100,000 mentions stored
    ./run bench ingest 1000000         the same with a million
    ./run bench ingest 0 --url postgresql://…

The baseline, in the same process and minute: vaderSentiment alone on the same texts, storing nothing.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from alerts.routing import Route
from monitor.ingest import Desk, ingest
from monitor.match import Brand, Matcher
from monitor.sentiment import analyse
from monitor.triage import Thresholds
from storage.records import Kind, Mention, Priority
from storage.store import Store, open_store

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
BATCH = 200  # what the item pipeline hands over at once

_BAD = [
    "charged me twice", "never arrived", "stopped working after a day", "nobody answers the phone",
    "still waiting for my refund", "rude and useless support", "the worst I have bought", "keeps crashing",
]  # fmt: skip
_GOOD = [
    "arrived on time", "works like a charm", "friendly people", "great value", "would buy again",
    "lovely packaging", "quick answer on Sunday", "exactly as described",
]  # fmt: skip
_FILL = [
    "I", "ordered", "this", "in", "spring", "for", "my", "sister", "and", "used", "it", "every", "day", "since",
    "then", "at", "home", "on", "the", "road", "with", "small", "bag", "that", "came", "box", "while", "weather",
    "was", "changing", "shop", "moved", "to", "other", "street",
]  # fmt: skip


def mentions(count: int, start: int = 0, *, bad_share: float = 0.3) -> Iterator[Mention]:
    """Reviews and posts of 15 to 80 words; the same ones each time."""
    for number in range(start, start + count):
        dice = random.Random(number)
        bad = dice.random() < bad_share
        words = dice.choices(_FILL, k=dice.randint(12, 75))
        words.insert(dice.randrange(len(words)), dice.choice(_BAD if bad else _GOOD))
        text = f"Acme {' '.join(words)}. {dice.choice(_BAD if bad else _GOOD).capitalize()}!"
        review = dice.random() < 0.6
        yield Mention(
            source="bench",
            external_id=f"m{number}",
            kind=Kind.REVIEW if review else Kind.POST,
            url=f"https://reviews.example/{number}",
            text=text,
            author=f"author{number % 5000}",
            stars=float(dice.choice((1, 1, 2, 3)) if bad else dice.choice((4, 5))) if review else None,
            published_at=NOW - timedelta(minutes=number % 40_000),
        )


def desk() -> Desk:
    """What `run` builds from a configuration."""
    return Desk(
        matcher=Matcher([Brand(name="Acme", terms=("Acme",)), Brand(name="Zenith", terms=("Zenith",))]),
        analyse=analyse,
        thresholds=Thresholds(),
        routes=(Route(channel="#alerts", priority=Priority.HIGH),),
        max_age=timedelta(days=30),
    )


class Rate(NamedTuple):
    """How fast it went: by the clock on the wall, and by processor time, which a busy machine does not change."""

    wall: float
    cpu: float


def timed(store: Store, batch: list[Mention], judge: Desk) -> tuple[Rate, int]:
    """Mentions a second through the main path, and how many cases they opened."""
    flagged = 0
    begun = time.perf_counter(), time.process_time()
    for at in range(0, len(batch), BATCH):
        flagged += ingest(batch[at : at + BATCH], store, judge, NOW).flagged
    return rate_since(begun, len(batch)), flagged


def rate_since(begun: tuple[float, float], count: int) -> Rate:
    """The rate at which `count` was done since `begun` (wall, processor)."""
    return Rate(count / (time.perf_counter() - begun[0]), count / (time.process_time() - begun[1]))


def line(what: str, rate: Rate, baseline: Rate) -> str:
    """One row of the table; the ratio is of processor time."""
    return f"{what:50} {rate.wall:10.0f} {rate.cpu:10.0f}  {rate.cpu / baseline.cpu:5.2f}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("stored", nargs="?", type=int, default=100_000, help="mentions in the full store")
    parser.add_argument("--url", default="", help="measure this store instead of a SQLite file")
    parser.add_argument("--count", type=int, default=10_000, help="mentions measured")
    arguments = parser.parse_args()

    judge = desk()
    ingest_warm = list(mentions(400, 10**9))
    measured = list(mentions(arguments.count))
    reader = SentimentIntensityAnalyzer()
    begun = time.perf_counter(), time.process_time()
    for mention in measured:
        reader.polarity_scores(mention.text)
    plain = rate_since(begun, len(measured))
    print(f"{'':50} {'mentions/s':>10} {'per CPU-s':>10}  ratio")
    print(line("vaderSentiment alone, nothing stored", plain, plain))

    with tempfile.TemporaryDirectory() as folder:
        url = arguments.url or f"sqlite:///{Path(folder) / 'bench.db'}"
        with open_store(url) as store:
            timed(store, ingest_warm, judge)
            empty, flagged = timed(store, measured, judge)
            print(line("scored, stored, case opened; empty store", empty, plain), f"  {flagged} cases")
            again, _ = timed(store, measured, judge)
            print(line("seen again unchanged", again, plain))
            if arguments.stored:
                fill(store, arguments.stored, judge)
                full, _ = timed(store, list(mentions(arguments.count, 2 * 10**8)), judge)
                what = f"scored, stored, case opened; {arguments.stored:,} stored"
                print(line(what, full, plain), f"  {full.cpu / empty.cpu:.2f} of the empty store")


def fill(store: Store, count: int, judge: Desk) -> None:
    """Put `count` mentions into the store, each with a verdict: judged once a thousand, then repeated."""
    from dataclasses import replace

    from monitor.ingest import verdicts_on

    models = list(mentions(1000, 5 * 10**8))
    verdicts = [verdicts_on(model, judge) for model in models]
    for start in range(0, count, 5_000):
        some = []
        judged = []
        for number in range(start, min(count, start + 5_000)):
            mention = replace(models[number % 1000], external_id=f"f{number}")
            some.append(mention)
            judged.append((mention, verdicts[number % 1000]))
        with store.transaction() as ledger:
            written = ledger.write_mentions(some, NOW)
            ledger.write_verdicts(
                [(written[m.key].id, m, v) for m, several in judged if m.key in written for v in several]
            )


if __name__ == "__main__":
    main()
