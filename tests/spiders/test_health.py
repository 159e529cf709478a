"""Quiet and broken never look the same."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spiders.health import PROBLEMS_KEPT, REASON_KEPT, Health
from storage.records import CrawlRun, RunOutcome, Tally

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)


def before(*found: int, outcome: RunOutcome = RunOutcome.OK) -> list[CrawlRun]:
    return [CrawlRun(source="shop", started_at=AT, ended_at=AT, found=n, outcome=outcome) for n in found]


def test_pages_with_mentions_and_nothing_odd_are_ok() -> None:
    health = Health()
    health.page(found=3)
    assert health.outcome() == (RunOutcome.OK, "")


def test_nothing_changed_since_is_ok() -> None:
    health = Health()
    health.nothing_new()
    assert health.outcome() == (RunOutcome.OK, "")


def test_a_crawl_that_was_shut_out_of_every_page_failed_and_says_why() -> None:
    health = Health()
    health.failure("shop.example answered HTTP 403: it shuts us out", 403)
    health.failure("shop.example answered HTTP 403: it shuts us out", 403)
    outcome, reason = health.outcome()
    assert outcome is RunOutcome.FAILED
    assert reason == "shop.example answered HTTP 403: it shuts us out (2 times)"
    assert health.statuses == {403: 2}


def test_a_login_wall_with_status_200_failed() -> None:
    health = Health()
    health.page(found=0)
    health.saw_nothing("the page asks for a login")
    assert health.outcome() == (RunOutcome.FAILED, "the page asks for a login")


def test_one_blind_page_among_good_ones_is_partial() -> None:
    health = Health()
    health.page(found=10)
    health.page(found=0)
    health.saw_nothing("a captcha")
    assert health.outcome() == (RunOutcome.PARTIAL, "a captcha")


def test_nothing_found_where_there_used_to_be_something_says_what_was_usual() -> None:
    health = Health()
    health.page(found=0)
    outcome, reason = health.outcome(before(20, 22, 18))
    assert outcome is RunOutcome.EMPTY
    assert "used to find about 20 a run" in reason


def test_nothing_found_where_there_never_was_anything_is_just_empty() -> None:
    health = Health()
    health.page(found=0)
    assert health.outcome(before(0, 0)) == (RunOutcome.EMPTY, "read 1 page and found nothing")


def test_failed_runs_say_nothing_about_what_is_usual() -> None:
    health = Health()
    health.page(found=0)
    assert "used to" not in health.outcome(before(0, 0, 0, outcome=RunOutcome.FAILED))[1]


def test_a_page_that_could_not_be_understood_at_all_failed() -> None:
    health = Health()
    health.page(found=0)
    health.problem("the reviews are not where they were")
    assert health.outcome() == (RunOutcome.FAILED, "the reviews are not where they were")


def test_a_deadline_makes_it_partial() -> None:
    health = Health()
    health.page(found=3)
    health.limit("its deadline has passed")
    health.limit("its deadline has passed")
    assert health.outcome() == (RunOutcome.PARTIAL, "its deadline has passed")


def test_a_deadline_before_the_first_page_failed() -> None:
    health = Health()
    health.limit("its deadline has passed")
    assert health.outcome()[0] is RunOutcome.FAILED


def test_nothing_asked_at_all_failed() -> None:
    assert Health().outcome() == (RunOutcome.FAILED, "not one page was read")


def test_a_store_that_refused_is_the_first_thing_said() -> None:
    health = Health()
    health.page(found=3)
    health.problem("something small")
    health.broke("the store is full")
    health.broke("a later one")
    assert health.outcome() == (RunOutcome.FAILED, "the store is full; something small")


def test_a_source_without_its_key_is_off() -> None:
    health = Health()
    health.switched_off("set LOWSTAR_REDDIT_CLIENT_ID")
    assert health.outcome() == (RunOutcome.OFF, "set LOWSTAR_REDDIT_CLIENT_ID")


def test_tallies_add_up_and_bring_their_problems() -> None:
    health = Health()
    health.stored(Tally(found=2, new=1, problems=("odd",)))
    health.stored(Tally(found=3, new=2, changed=1))
    assert (health.tally.found, health.tally.new, health.tally.changed) == (5, 3, 1)
    assert health.problems == ("odd",)


def test_problems_are_counted_and_bounded() -> None:
    health = Health()
    for number in range(PROBLEMS_KEPT + 5):
        health.problem(f"problem {number}\x00" + "x" * 5_000)
    health.problem("")
    assert len(health.problems) == PROBLEMS_KEPT + 1
    assert health.problems[-1] == "and 5 more"
    assert all(len(words) <= 320 for words in health.problems)


told = st.one_of(
    st.tuples(st.just("page"), st.integers(0, 5)),
    st.tuples(
        st.sampled_from(["failure", "problem", "saw_nothing", "limit", "broke"]), st.text(max_size=400)
    ),
    st.tuples(st.just("nothing_new"), st.none()),
)


@given(st.lists(told, max_size=12), st.lists(st.integers(0, 50), max_size=5))
def test_whatever_happened_only_a_good_crawl_has_no_reason(
    events: list[tuple[str, object]], found: list[int]
) -> None:
    health = Health()
    for name, value in events:
        if name == "page":
            health.page(found=int(str(value)))
        elif name == "nothing_new":
            health.nothing_new()
        else:
            getattr(health, name)(value)
    outcome, reason = health.outcome(before(*found))
    assert len(reason) <= REASON_KEPT
    if outcome is RunOutcome.OK:
        assert reason == ""
        assert health.found or health.unchanged
    if outcome is RunOutcome.EMPTY:
        assert reason
        assert not health.failed


@pytest.mark.parametrize("many", [3])
def test_the_commonest_problem_comes_first(many: int) -> None:
    health = Health()
    health.problem("rare")
    for _ in range(many):
        health.problem("common")
    assert health.problems == ("common (3 times)", "rare")


def test_what_was_odd_but_read_is_said_without_an_alarm() -> None:
    health = Health()
    health.page(found=3)
    for _ in range(9):
        health.note("1 data block is not valid JSON; what could be read of it was")
    assert health.outcome() == (RunOutcome.OK, "1 data block is not valid JSON; what could be read of it was")
