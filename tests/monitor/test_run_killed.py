"""kill -9 at any moment of a whole `lowstar run`: crawl, judge, store, deliver. Nothing lost, nothing doubled."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from loopback import Site

from monitor.standins.slack import SlackStandin, random_faults
from storage.records import DeliveryState
from storage.store import open_store

REVIEWS = 60
TOKEN = "xoxb-kill-0000"
FAULTS = ("accepted_reset", "accepted_500", "accepted_cut", "accepted_html", "reset", "503", "ratelimited:1")

SETTINGS = """\
[store]
url = "sqlite:///lowstar.db"
[[brands]]
name = "Acme"
[[sources]]
name = "shop"
kind = "reviews"
urls = ["{site}"]
about = ["Acme"]
backfill = "alert"
every = "1m"
[slack]
channel = "#alerts"
base_url = "{slack}"
pace = "5ms"
timeout = 1
[alerts]
reconcile_after = "2s"
[storms]
on = false  # sixty at once would become one card: here each has to arrive by itself
[crawl]
allow_hosts = ["127.0.0.1"]
delay = "0s"
"""


def reviews_page() -> str:
    reviews = [
        {
            "@type": "Review",
            "identifier": f"kill-{number}",
            "author": f"Customer {number}",
            "reviewBody": f"Parcel {number} never arrived and nobody answers.",
            "reviewRating": {"@type": "Rating", "ratingValue": 1 + number % 2, "bestRating": 5},
        }
        for number in range(REVIEWS)
    ]
    shop = {"@context": "https://schema.org", "@type": "Store", "name": "Acme", "review": reviews}
    return f'<html><body><script type="application/ld+json">{json.dumps(shop)}</script></body></html>'


def run(config: Path, *, kill_after: float | None) -> int:
    """One `lowstar run`; its exit code, -9 where it was killed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "monitor", "--config", str(config), "--quiet", "run", "shop"],
        env={**os.environ, "LOWSTAR_SLACK_TOKEN": TOKEN},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        return process.wait(timeout=kill_after if kill_after is not None else 90)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait(timeout=10)


def killed(folder: Path, kills: int, seed: int) -> int:
    """Kill runs at random moments over as many stores as it takes; how many were killed."""
    dice = random.Random(seed)
    done = 0
    with Site({"/": reviews_page()}) as site:
        while done < kills:
            seed += 1
            home = folder / str(seed)
            home.mkdir()
            with SlackStandin(token=TOKEN, faults=random_faults(seed, 0.1, FAULTS), hang=1.5) as slack:
                config = home / "lowstar.toml"
                config.write_text(SETTINGS.format(site=site.url("/"), slack=slack.base_url), "utf-8")
                for _ in range(12):
                    # Most of a run is starting up and delivering: the dice cover all of it.
                    done += run(config, kill_after=dice.uniform(0.3, 3.0)) == -9
                    if done >= kills:
                        break
                deadline = time.monotonic() + 120
                while run(config, kill_after=None) != 0 or unsent(home):
                    assert time.monotonic() < deadline, "it does not come to an end"
                prove(home, slack)
    return done


def unsent(home: Path) -> int:
    with open_store(f"sqlite:///{home / 'lowstar.db'}") as store, store.reading() as ledger:
        counts = ledger.outbox_counts()
        return sum(count for state, count in counts.items() if state is not DeliveryState.SENT)


def prove(home: Path, slack: SlackStandin) -> None:
    arrived = Counter(message.outbox_id for message in slack.posted("#alerts"))
    assert max(arrived.values()) == 1, "doubled"
    assert len(arrived) == REVIEWS, "lost"
    with open_store(f"sqlite:///{home / 'lowstar.db'}") as store, store.reading() as ledger:
        assert ledger.mention_count() == REVIEWS
        assert sum(ledger.case_counts().values()) == REVIEWS


def test_a_run_killed_a_few_times_over_loses_and_doubles_nothing(tmp_path: Path) -> None:
    assert killed(tmp_path, kills=4, seed=7) >= 4


@pytest.mark.slow
def test_three_hundred_killed_runs_lose_and_double_nothing(tmp_path: Path) -> None:
    assert killed(tmp_path, kills=300, seed=4000) >= 300
