"""Blind is not quiet, and small numbers prove little."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.baseline import RARE, fewer_odds, judge_run, silence_odds
from storage.records import RunStats

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)  # a Monday
FULL = {"stars": 20, "date": 20, "author": 20, "text": 20, "id": 20}


def run(found: int = 20, *, ago: timedelta = timedelta(0), **more: object) -> RunStats:
    made = RunStats(at=NOW - ago, pages=1, found=found, mentions=found, filled={}, statuses={200: 1})
    return replace(made, **more)  # type: ignore[arg-type]


def hourly(*found: int, windowed: bool = False) -> list[RunStats]:
    return [run(n, ago=timedelta(hours=at + 1), windowed=windowed) for at, n in enumerate(found)]


def daily(found: Sequence[int]) -> list[RunStats]:
    return [run(n, ago=timedelta(days=at + 1), windowed=True) for at, n in enumerate(found)]


def test_a_run_like_the_others_is_no_finding() -> None:
    assert judge_run(run(), hourly(20, 20, 19), NOW) is None
    assert judge_run(run(), (), NOW) is None
    assert judge_run(run(0), (), NOW) is None  # the first run of all: nobody knows what is usual


def test_an_empty_listing_is_blind_where_it_was_never_empty() -> None:
    found = judge_run(run(0), hourly(20, 20, 19), NOW, place_of=lambda field: "article.post")
    assert found is not None
    assert (found.kind, found.place) == ("nothing", "article.post")
    assert "used to show about 20 a run" in found.words
    assert "'article.post' finds nothing any more" in found.words
    assert judge_run(run(0), hourly(20), NOW) is not None  # one run of twenty is enough
    assert judge_run(run(0), hourly(1, 1, 1, 1), NOW) is None  # the only review was taken back
    assert judge_run(run(0), hourly(20, 0, 20, 20), NOW) is None  # it has been empty before
    assert judge_run(run(0, pages=0, unchanged=1), hourly(20, 20, 20), NOW) is None  # "not changed since"
    assert judge_run(run(0, limited=True), hourly(20, 20, 20), NOW) is None  # it was cut short


def test_runs_that_were_blind_are_no_history() -> None:
    blind = [replace(one, worked=False, found=0) for one in hourly(0, 0, 0)]
    seeing = [run(20, ago=timedelta(hours=9 + n)) for n in range(5)]
    assert judge_run(run(0), [*blind, *seeing], NOW) is not None


def test_silence_is_believed_unless_it_is_as_good_as_impossible() -> None:
    quiet = run(0, pages=0, unchanged=1, windowed=True)
    assert judge_run(quiet, daily([2, 1, 3, 2, 4, 2, 1]), NOW) is None
    assert judge_run(quiet, daily([9, 11, 8, 10]), NOW) is None
    assert judge_run(quiet, daily([60, 55, 71, 64, 58, 61]), NOW) is not None
    # Threads come in heaps: counts that spread say less than their mean.
    assert judge_run(quiet, daily([1, 90, 2, 70, 1, 60]), NOW) is None


def test_the_weekday_is_respected() -> None:
    sunday = NOW - timedelta(days=1)
    quiet = run(0, pages=0, unchanged=1, windowed=True, at=sunday)
    weekdays = [
        run(40, windowed=True, at=sunday - timedelta(days=days))
        for days in range(2, 30)
        if days % 7 not in (0, 1)
    ]
    assert judge_run(quiet, weekdays, sunday) is None  # it has never been read on a Sunday
    sundays = [run(0, windowed=True, at=sunday - timedelta(weeks=weeks)) for weeks in range(1, 5)]
    assert judge_run(quiet, [*weekdays, *sundays], sunday) is None
    loud = [run(40, windowed=True, at=sunday - timedelta(weeks=weeks)) for weeks in range(1, 5)]
    assert judge_run(quiet, [*weekdays, *loud], sunday) is not None


def test_a_second_run_a_minute_later_may_find_nothing() -> None:
    quiet = run(0, pages=0, unchanged=1, windowed=True)
    history = [
        replace(one, at=one.at + timedelta(minutes=59)) for one in hourly(60, 60, 60, 60, 60, windowed=True)
    ]
    assert judge_run(quiet, history, NOW) is None
    assert judge_run(quiet, hourly(60, 60, 60, 60, 60, windowed=True), NOW) is not None


@pytest.mark.parametrize("name", ["stars", "date", "author", "text", "id"])
def test_a_field_that_is_gone_is_named_with_where_it_was_looked_for(name: str) -> None:
    history = [replace(one, filled=FULL) for one in hourly(20, 20, 20)]
    now = run(filled={**FULL, name: 0})
    found = judge_run(now, history, NOW, place_of=lambda field: f".{field}")
    assert found is not None
    assert (found.kind, found.field, found.place) == ("field", name, f".{name}")
    assert "none of 20 mentions has" in found.words
    assert f"'.{name}' finds nothing any more" in found.words
    assert judge_run(run(2, filled={}, mentions=2), history, NOW) is None  # two are too few to tell


def test_a_field_that_few_ever_had_is_no_finding() -> None:
    some = {**FULL, "stars": 3}
    history = [replace(one, filled=some) for one in hourly(20, 20, 20, 20)]
    assert judge_run(run(filled={**FULL, "stars": 0}), history, NOW) is None
    never = [replace(one, filled={**FULL, "stars": 0}) for one in hourly(20, 20, 20, 20)]
    assert judge_run(run(filled={**FULL, "stars": 0}), never, NOW) is None


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (401, "make a new one"),
        (403, "It refuses programs"),
        (429, "raise `every`"),
        (503, "tried again by itself"),
    ],
)
def test_being_shut_out_says_what_to_do(code: int, advice: str) -> None:
    shut = run(0, pages=0, failed=1, statuses={code: 1})
    found = judge_run(shut, (), NOW, problems=(f"shop.example answered HTTP {code}",))
    assert found is not None
    assert found.kind == "shut out"
    assert advice in found.words


def test_one_missing_page_among_many_is_no_blindness() -> None:
    assert judge_run(run(failed=1, statuses={200: 40, 404: 1}), hourly(20, 20), NOW) is None
    assert judge_run(run(failed=1, pages=40, statuses={200: 40, 403: 1}), hourly(20, 20), NOW) is None
    found = judge_run(run(failed=30, pages=10, statuses={200: 10, 403: 30}), hourly(20, 20), NOW)
    assert found is not None
    assert "30 of 40 pages were refused with HTTP 403" in found.words


@given(st.lists(st.integers(0, 1_000), min_size=1, max_size=60), st.floats(0, 1))
def test_odds_are_odds(before: list[int], share: float) -> None:
    assert 0.0 <= silence_odds(before, share) <= 1.0
    assert silence_odds(before, share) >= silence_odds(before, 1.0)


@given(st.integers(0, 3_000), st.integers(1, 3_000), st.floats(0, 1))
def test_fewer_odds_are_odds_too(had: int, of: int, share: float) -> None:
    assert 0.0 <= fewer_odds(min(had, of), of, share) <= 1.0 + 1e-9


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40))
def test_where_little_is_said_silence_is_never_alarming(before: list[int]) -> None:
    quiet = run(0, pages=0, unchanged=1, windowed=True)
    finding = judge_run(quiet, daily(before), NOW)
    assert finding is None or silence_odds(before) <= RARE
