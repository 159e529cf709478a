"""How surely are copies found, how often is a text wrongly taken for one, and how long does a look-up take?

    python benchmarks/duplicates.py [FOLDER]

FOLDER holds JSON lines with "text" (default: ../shared/data/sentiment/train); posts of it are the stored ones.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

from monitor.duplicates import WORDS_LEAST, same_words, sketch, words_of
from storage.records import Mention
from storage.store import open_store

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "sentiment" / "train"
STORED = 100_000
TRIED = 1_000


def posts(folder: Path) -> list[str]:
    """The texts of all files, each once."""
    found: dict[str, None] = {}
    for path in sorted(folder.glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                found[json.loads(line)["text"]] = None
    return list(found)


def edited(words: list[str], edits: int, vocabulary: list[str], rng: random.Random) -> list[str]:
    """`words` with so many of them replaced, left out, or added."""
    words = list(words)
    for _ in range(edits):
        at = rng.randrange(len(words))
        match rng.randrange(3):
            case 0:
                words[at] = rng.choice(vocabulary)
            case 1:
                del words[at]
            case _:
                words.insert(at, rng.choice(vocabulary))
    return words


def recall(pool: list[list[str]], edits: int, vocabulary: list[str], rng: random.Random) -> float:
    """The share of texts of 40 words that are found again after so many edits."""
    found = 0
    for words in pool:
        other = words_of(" ".join(edited(words, edits, vocabulary, rng)))
        shares = set(sketch(words)) & set(sketch(other))
        found += len(shares) >= 2 and same_words(words, other)
    return found / len(pool)


def false_merges(texts: list[str]) -> tuple[int, int, list[tuple[str, str]]]:
    """(posts, posts merged with one whose words are others, examples) when all are compared as they come."""
    index: defaultdict[int, list[int]] = defaultdict(list)
    kept: list[tuple[str, ...]] = []
    merged, examples = 0, []
    for text in texts:
        words = words_of(text)
        hashes = sketch(words)
        shares: defaultdict[int, int] = defaultdict(int)
        for one in hashes:
            for other in index[one][-50:]:
                shares[other] += 1
        for other, count in sorted(shares.items(), key=lambda item: -item[1])[:5]:
            if count >= min(2, len(hashes)) and same_words(words, kept[other]):
                if kept[other] != words:  # the same words again are a copy indeed
                    merged += 1
                    examples.append((" ".join(words)[:110], " ".join(kept[other])[:110]))
                break
        else:
            for one in hashes:
                index[one].append(len(kept))
            kept.append(words)
    return len(texts), merged, examples


def look_ups(texts: list[str]) -> tuple[float, float, float]:
    """Milliseconds (median, 99th percentile) of one look-up in a store of 100,000, and to sign and keep one."""
    rng = random.Random(7)
    with tempfile.TemporaryDirectory() as folder, open_store(f"sqlite:///{folder}/bench.db") as store:
        now = datetime(2026, 11, 22, tzinfo=UTC)
        number, kept = 0, 0.0
        while number < STORED:
            batch = []
            for _ in range(2_000):
                half, other = rng.choice(texts), rng.choice(texts)
                batch.append(Mention(source="x", external_id=str(number), text=f"{half} {other}"))
                number += 1
            with store.transaction() as ledger:
                written = ledger.write_mentions(batch, now)
                begun = time.process_time()
                ledger.write_sketches(
                    {written[m.key].id: sketch(words_of(m.text)) for m in batch if m.key in written}
                )
                kept += time.process_time() - begun
        times = []
        with store.reading() as ledger:
            for _ in range(TRIED):
                hashes = sketch(words_of(f"{rng.choice(texts)} {rng.choice(texts)}"))
                begun = time.process_time()  # of a busy machine the clock on the wall says little
                ledger.alike(hashes, before=1 << 40)
                times.append((time.process_time() - begun) * 1e3)
    times.sort()
    return times[len(times) // 2], times[int(len(times) * 0.99)], kept / STORED * 1e3


def main(folder: Path) -> None:
    texts = posts(folder)
    rng = random.Random(16)
    vocabulary = sorted({word for text in texts[:5_000] for word in words_of(text)})
    stream = [word for text in texts for word in words_of(text)]
    pool = [stream[at * 41 : at * 41 + 40] for at in range(TRIED)]
    for edits in (1, 3, 8):
        print(f"found at {edits} edits in 40 words: {recall(pool, edits, vocabulary, rng):.1%}")
    count, merged, examples = false_merges(texts)
    print(f"false merges: {merged} of {count:,} real posts ({merged / count:.3%})")
    for one, two in examples[:: max(1, len(examples) // 12)]:
        print(f"   {one}\n = {two}")
    begun = time.process_time()
    for text in texts[:5_000]:
        sketch(words_of(text))
    print(f"to sign: {(time.process_time() - begun) / 5_000 * 1e6:.0f} µs a post")
    middle, late, kept = look_ups([text for text in texts if len(text.split()) >= WORDS_LEAST])
    print(
        f"look-up among {STORED:,}: {middle:.2f} ms, 99 of 100 within {late:.2f} ms; to keep one {kept:.2f} ms"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
