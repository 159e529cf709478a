"""kill -9 at any moment: nothing is lost, nothing is doubled.

A real courier process delivers alerts to the Slack stand-in, which breaks connections, answers half or
not at all; the courier is killed at random moments and at each named point of the protocol, and started anew.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import pytest
from alerting import announce

from monitor.standins.slack import SlackStandin, random_faults
from storage.records import DeliveryState, Priority
from storage.store import open_store

WORKER = Path(__file__).with_name("courier_worker.py")
POINTS = (
    "before_claim", "after_claim", "before_post", "after_post", "before_settle", "after_settle",
    "after_failure", "after_look", "after_edit_claim", "after_edit",
)  # fmt: skip
FAULTS = (
    "accepted_timeout", "accepted_reset", "accepted_500", "accepted_cut", "accepted_html",
    "reset", "503", "ratelimited:1",
)  # fmt: skip


class Couriers:
    """Starts couriers on one store and kills them."""

    def __init__(self, store_url: str, base_url: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(WORKER), store_url, base_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def _ends(self) -> tuple[IO[str], IO[str]]:
        assert self._process.stdin
        assert self._process.stdout
        return self._process.stdin, self._process.stdout

    def run(self, *, kill_after: float | None = None, crash: str = "", nth: int = 1) -> int:
        """One courier; its exit code (0: nothing left to deliver), -9 if it was killed."""
        to, back = self._ends()
        to.write(json.dumps({"crash": crash, "nth": nth}) + "\n")
        to.flush()
        pid = int(back.readline())
        if kill_after is not None:
            time.sleep(kill_after)
            # It may have ended by itself; the worker keeps its pid until it has read the status.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return int(back.readline())

    def close(self) -> None:
        for end in self._ends():
            end.close()
        self._process.wait(timeout=30)


@contextlib.contextmanager
def stage(
    folder: Path, seed: int, rate: float, alerts: int
) -> Iterator[tuple[Couriers, SlackStandin, set[str], str]]:
    url = f"sqlite:///{folder / f'kill{seed}.db'}"
    faults = random_faults(seed, rate, FAULTS)
    with SlackStandin(faults=faults, hang=2.0) as slack:
        with open_store(url) as store:
            wanted = announce(store, [random.Random(seed).choice(list(Priority)) for _ in range(alerts)])
        couriers = Couriers(url, slack.base_url)
        try:
            yield couriers, slack, {one.id for one in wanted}, url
        finally:
            couriers.close()


def prove(slack: SlackStandin, wanted: set[str], url: str) -> None:
    arrived = Counter(message.outbox_id for message in slack.posted("#alerts"))
    assert set(arrived) == wanted, f"lost: {wanted - set(arrived)}"
    doubled = {id_: count for id_, count in arrived.items() if count > 1}
    assert not doubled
    with open_store(url) as store, store.reading() as ledger:
        counts = ledger.outbox_counts()
        assert counts[DeliveryState.SENT] == len(wanted)
        for message in slack.posted("#alerts"):
            kept = ledger.delivery(message.outbox_id)
            assert kept is not None
            assert kept.remote_id == message.ts


def killed_at_random(folder: Path, kills: int, seed: int, alerts: int) -> int:
    """Kill couriers until the last alert has arrived, on as many stores as it takes; how many were killed."""
    dice = random.Random(seed)
    done = 0
    while done < kills:
        seed += 1
        with stage(folder, seed, 0.15, alerts) as (couriers, slack, wanted, url):
            code = -9
            while code == -9 and done < kills:
                code = couriers.run(kill_after=dice.uniform(0.0, 0.4))
                done += code == -9
                assert code in (-9, 0, 1)
            while code != 0:  # what waits for a look or a gate
                code = couriers.run()
                assert code in (0, 1)
            prove(slack, wanted, url)
    return done


def killed_at_point(folder: Path, point: str, kills: int, seed: int) -> int:
    """Kill couriers where `point` is passed, early and late in a run; how many were killed."""
    dice = random.Random(seed)
    done = 0
    while done < kills:
        seed += 1
        with stage(folder, seed, 0.2 if point in ("after_failure", "after_look") else 0.05, 25) as (
            couriers, slack, wanted, url,
        ):  # fmt: skip
            code = -9
            if "edit" in point:
                while couriers.run() != 0:
                    pass
                with open_store(url) as store, store.transaction() as ledger:
                    assert ledger.want_edit(range(1, 26), datetime.now(UTC)) == 25
            while code == -9 and done < kills:
                code = couriers.run(crash=point, nth=dice.randint(1, 4))
                done += code == -9
                assert code in (-9, 0, 1)
            while code != 0:
                code = couriers.run()
                assert code in (0, 1)
            prove(slack, wanted, url)
            if "edit" in point:
                assert all(message.edits for message in slack.posted("#alerts"))
    return done


def test_a_courier_killed_at_random_loses_and_doubles_nothing(tmp_path: Path) -> None:
    assert killed_at_random(tmp_path, kills=12, seed=1, alerts=30) >= 12


def test_a_courier_killed_at_its_weakest_points_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with stage(tmp_path, 100, 0.1, 25) as (couriers, slack, wanted, url):
        for nth in (1, 2):
            for point in ("after_claim", "after_post", "before_settle", "after_settle"):
                assert couriers.run(crash=point, nth=nth) == -9
        assert couriers.run(crash="after_look") == -9
        while couriers.run() != 0:
            pass
        prove(slack, wanted, url)


@pytest.mark.slow
def test_three_hundred_kills_at_random_moments(tmp_path: Path) -> None:
    assert killed_at_random(tmp_path, kills=300, seed=1000, alerts=60) >= 300


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_fifty_kills_at_each_point(tmp_path: Path, point: str) -> None:
    assert killed_at_point(tmp_path, point, kills=50, seed=2000) >= 50
