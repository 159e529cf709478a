"""How fast are texts judged, beside plain vaderSentiment? Prints ratios; the posts are made here.

Run from the checkout: `python benchmarks/score.py [POSTS]`. Read the ratios: they hold on a busy machine, the
seconds do not. CPU time of this process, best of three rounds, every stage over the same posts.
"""

from __future__ import annotations

import io
import json
import random
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from monitor.commands.score import score_stream
from monitor.match import Brand, Matcher
from monitor.sentiment import analyse, examine
from monitor.triage import judge
from monitor.vader import vader
from storage.records import Mention

ROUNDS = 3
OPENINGS = [
    "I",
    "We",
    "My order",
    "The app",
    "Their staff",
    "Honestly the hotel",
    "@acme your service",
    "So the update",
    "This phone",
]
MIDDLES = [
    "was",
    "is still",
    "has been",
    "never got",
    "really loved",
    "hated",
    "waited for",
    "paid for",
    "keeps",
    "could not get",
    "arrived with",
    "asked for",
    "didn’t work with",
    "told me about",
    "refused",
]
ENDINGS = [
    "a refund",
    "the delivery",
    "great and very friendly",
    "not good at all",
    "crashing every day",
    "the best pizza in town",
    "two weeks late",
    "an absolute joke",
    "fine I guess",
    "awful, rude and slow",
    "worth every penny",
    "broken on arrival",
    "the front desk for 45 minutes",
    "so happy with it",
    "the blue one",
    "charged twice",
    "what I expected",
    "a bit noisy but ok",
]
TAILS = (
    "",
    "",
    ".",
    "!",
    "!!!",
    " 😡",
    " 👍🏽",
    " ❤️",
    " 😂😂",
    "?",
    " https://t.example/x9",
    " #fail",
    " lol",
    "…",
)


def sentence(rng: random.Random) -> str:
    """One of some 50,000 sentences, a few of them in capitals."""
    words = f"{rng.choice(OPENINGS)} {rng.choice(MIDDLES)} {rng.choice(ENDINGS)}{rng.choice(TAILS)}"
    return words.upper() if rng.random() < 0.04 else words


def tweets(count: int, rng: random.Random) -> list[str]:
    """Posts of one to three sentences, some 15 words."""
    return [" ".join(sentence(rng) for _ in range(rng.choice((1, 2, 2, 3)))) for _ in range(count)]


def reviews(count: int, rng: random.Random) -> list[str]:
    """Reviews of twelve sentences, some 100 words."""
    return [" ".join(sentence(rng) for _ in range(12)) for _ in range(count)]


def seconds(work: Callable[[], Any], rounds: int = ROUNDS) -> float:
    """The best CPU time of some rounds."""
    best = float("inf")
    for _ in range(rounds):
        examine.cache_clear()
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def stages(texts: list[str]) -> dict[str, Callable[[], Any]]:
    """What is compared, by name; the first is the baseline."""
    original = SentimentIntensityAnalyzer()
    own = vader()
    names = [
        "Acme",
        "Globex",
        "Initech",
        "Hooli",
        "Umbrella",
        "Stark",
        "Wayne",
        "Wonka",
        "Cyberdyne",
        "@acme",
    ]
    matcher = Matcher([Brand(name=name, terms=(name,)) for name in names])
    mentions = [Mention(source="bench", external_id=str(i), text=text) for i, text in enumerate(texts)]
    lines = "\n".join(json.dumps({"id": i, "text": text}) for i, text in enumerate(texts)).encode()
    return {
        "vaderSentiment": lambda: [original.polarity_scores(text) for text in texts],
        "linear VADER": lambda: [own.polarity_scores(text) for text in texts],
        "match, 10 terms": lambda: [matcher.brands(text) for text in texts],
        "analyse": lambda: [analyse(text) for text in texts],
        "match + analyse + judge": lambda: [
            (matcher.brands(m.judged_text), judge(m, "Acme", analyse(m.judged_text))) for m in mentions
        ],
        "lowstar score (JSON in, JSON out)": lambda: score_stream(io.BytesIO(lines), io.BytesIO()),
    }


def report(title: str, texts: list[str]) -> None:
    """One table: microseconds a text, texts a second, times as fast as the baseline."""
    words = sum(len(text.split()) for text in texts) / len(texts)
    print(f"\n{title}: {len(texts):,} texts of {words:.0f} words")
    baseline = 0.0
    for name, work in stages(texts).items():
        took = seconds(work)
        baseline = baseline or took
        each = took / len(texts)
        print(f"  {name:34} {each * 1e6:8.1f} µs  {1 / each:9,.0f}/s  {baseline / took:6.1f} × as fast")


def worst_cases() -> None:
    """What a stranger can do with one post; the original is given a twentieth of it."""
    print("\nOne post: milliseconds, and how much longer 40,000 characters take than 10,000 (linear: 4)")
    original = SentimentIntensityAnalyzer()
    for name, piece in {
        "emoji": "😡",
        "words that score": "good bad ",
        "words with but": "good but bad great but ",
        "complaints": "still no refund, not working, scam? ",
        "punctuation": "!?",
        "one word": "a",
        "not typography": "é\u200b“",
    }.items():
        text = piece * (100_000 // len(piece))
        own = {n: seconds(partial(judge_one, text[:n])) for n in (10_000, 40_000, 100_000)}
        linear = seconds(partial(vader().polarity_scores, text[:40_000]))
        theirs = seconds(partial(original.polarity_scores, text[:2_000]), 1)
        print(
            f"  {name:18} whole triage 40k {own[40_000] * 1e3:6.1f}  100k {own[100_000] * 1e3:6.1f}  "
            f"growth {own[40_000] / own[10_000]:4.1f}  linear VADER 40k {linear * 1e3:6.1f}  "
            f"vaderSentiment 2k {theirs * 1e3:7.1f}"
        )


def judge_one(text: str) -> None:
    """The whole of triage on one text."""
    mention = Mention(source="bench", external_id="1", text=text)
    judge(mention, "Acme", analyse(mention.judged_text))


def main() -> None:
    """Print all tables."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    rng = random.Random(20261123)  # one fixed set of posts, so that two runs can be compared
    short, long = tweets(count // 2, rng), reviews(count - count // 2, rng)
    report("Tweets", short)
    report("Reviews", long)
    report("Mixed", short + long)
    worst_cases()


if __name__ == "__main__":
    main()
