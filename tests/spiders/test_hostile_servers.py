"""Thirty ways a server can mean harm: each costs at most 250 MB and 20 s, and no other source anything."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import hostile
import pytest

MIB_MAX = 250
SECONDS_MAX = 20
HARMLESS = "It leaks all over the kitchen."


def crawled(*names: str, deadline: float) -> dict[str, Any]:
    """Crawl those behaviours and two good sites in a process of its own."""
    try:
        den = hostile.Den([*names, "good", "good too"])
    except OSError as error:
        pytest.skip(f"this machine has no further loopback addresses: {error}")
    with den:
        asked = json.dumps({"addresses": den.addresses, "deadline": deadline})
        done = subprocess.run(
            [sys.executable, str(Path(hostile.__file__)), asked],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-2_000:]
    assert "Traceback" not in done.stderr, done.stderr[-2_000:]
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def judge(answer: dict[str, Any], names: tuple[str, ...]) -> None:
    runs = answer["runs"]
    assert set(runs) == {*names, "good", "good too"}
    for good in ("good", "good too"):
        assert (runs[good]["outcome"], runs[good]["texts"]) == ("ok", [HARMLESS]), runs[good]
    for name in names:
        run, readable = runs[name], hostile.BEHAVIOURS[name].readable
        assert run["seconds"] <= SECONDS_MAX, (name, run)
        if readable is not None:
            assert bool(run["found"]) is readable, (name, run)
        if not run["found"]:
            assert run["outcome"] == "failed", (name, run)
            assert len(run["reason"]) > 20, (name, run)
        # What is on this machine alone is never read, and no entity was expanded.
        assert not any("root:" in text or "lollol" in text for text in run["texts"]), run
    assert answer["peak_mib"] <= MIB_MAX


def test_all_of_them_in_one_run_cost_no_more_than_their_deadlines() -> None:
    names = tuple(hostile.BEHAVIOURS)
    answer = crawled(*names, deadline=6)
    runs = answer["runs"]
    readable = [name for name in names if runs[name]["found"]]
    # A busy machine may cut one short that is only large: what counts here is that nobody else is cost anything.
    for name in names:
        if name not in readable:
            hostile_words = runs[name]["reason"]
            assert runs[name]["outcome"] == "failed", (name, hostile_words)
            assert len(hostile_words) > 20
    assert len(readable) >= 8
    for good in ("good", "good too"):
        assert runs[good]["texts"] == [HARMLESS]
    assert max(run["seconds"] for run in runs.values()) <= SECONDS_MAX
    assert answer["peak_mib"] <= MIB_MAX


@pytest.mark.slow
@pytest.mark.parametrize("name", hostile.BEHAVIOURS)
def test_alone_each_is_bounded_and_read_where_it_can_be(name: str) -> None:
    judge(crawled(name, deadline=12), (name,))


def test_cookies_are_taken_without_asking_anybody_else_about_their_domain() -> None:
    # Scrapy's own middleware fetches a list of domains from the network for the first cookie of a process.
    answer = crawled("cookie_flood", deadline=12)
    assert answer["runs"]["cookie_flood"]["found"] == 1
    judge(answer, ("cookie_flood",))
