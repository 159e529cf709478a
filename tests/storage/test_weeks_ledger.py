"""Is a week read from its index, and does each statement answer what it says?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Select
from sqlalchemy.dialects import sqlite
from weekstore import WEEK, WeekStore, day, week_before

from monitor.day_counts import days_of
from storage.answers import answered, prompt, week_cases
from storage.store import Store
from storage.tallies import tone_of, week_tally
from storage.weeks import in_part, late_count, negative_ids, week_rows

INDEX = "COVERING INDEX ix_verdicts_week (brand=? AND posted_at>? AND posted_at<?)"
DAYS = days_of(WEEK)


def _plan(store: Store, statement: Select[Any]) -> str:
    compiled = statement.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    with store.reading() as ledger:
        rows = ledger._connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}")
        return "\n".join(row[3] for row in rows)


@pytest.mark.parametrize(
    "statement",
    [
        week_tally("Acme", WEEK.start_at, WEEK.end_at, -0.05),
        week_rows("Acme", DAYS, -0.05),
        late_count("Acme", DAYS, WEEK.end_at),
        negative_ids("Acme", DAYS, -0.05, 3),
    ],
    ids=["tally", "rows", "late", "negatives"],
)
def test_a_week_is_counted_from_the_index_alone(sqlite_store: Store, statement: Select[Any]) -> None:
    plan = _plan(sqlite_store, statement)
    assert plan.startswith(f"SEARCH verdicts USING {INDEX}")
    if "GROUP BY" not in str(statement):
        assert plan.count("\n") == 0  # and nothing is sorted: the index has the order


def test_answers_are_counted_from_their_indexes_alone(sqlite_store: Store) -> None:
    start, end = WEEK.start_at, WEEK.end_at
    due = _plan(sqlite_store, prompt("Acme", start, end, end))
    assert due == "SEARCH cases USING COVERING INDEX ix_cases_due (respond_by>? AND respond_by<?)"
    times = _plan(sqlite_store, answered("Acme", start, end, end))
    assert (
        times
        == "SEARCH cases USING COVERING INDEX ix_cases_answered (first_response_at>? AND first_response_at<?)"
    )


def test_the_cases_of_a_week_are_found_without_reading_every_case(sqlite_store: Store) -> None:
    plan = _plan(sqlite_store, week_cases("Acme", WEEK.start_at, WEEK.end_at))
    for index in (
        "ix_cases_closed_at (closed_at>?)",
        "ix_cases_due (respond_by>?)",
        "ix_cases_answered (first",
    ):
        assert index in plan
    # Those that are open, from an index that holds no others.
    scans = [line for line in plan.splitlines() if line.startswith("SCAN cases")]
    assert all("USING" in line and "ix_cases_" in line for line in scans)


def test_what_needs_words_starts_from_the_week_never_from_all_mentions(sqlite_store: Store) -> None:
    seen: list[str] = []
    with sqlite_store.reading() as ledger:
        connection = ledger._connection
        from sqlalchemy import event

        @event.listens_for(connection, "before_cursor_execute")
        def note(_connection, _cursor, statement, parameters, _context, _many):  # type: ignore[no-untyped-def]
            if not statement.startswith("EXPLAIN"):
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                seen.append("\n".join(row[3] for row in rows))

        ledger.texts_of("Acme", [1, 2])
        ledger.other_texts("Acme", WEEK.start_at, -0.05, 10)
        ledger.star_steps("Acme", WEEK.start_at, WEEK.end_at)
        ledger.answered_reviews("Acme", WEEK.start_at, WEEK.end_at, 10)
        ledger.week_posts([1, 2])
        event.remove(connection, "before_cursor_execute", note)
    assert len(seen) == 6
    for plan in seen:
        assert "SCAN mentions" not in plan
        assert "SCAN verdicts" not in plan
    assert "ix_verdicts_week (brand=? AND posted_at" in seen[1]


def test_the_tally_is_the_sum_of_the_rows(store: Store) -> None:
    weeks = WeekStore(store)
    for at, stars in enumerate((1, 2, 2.5, 3, 3.5, 4.5, 5, None, None, None)):
        weeks.mention(day(at % 7), ("late", "", "love")[at % 3], stars, source=("shop", "forum")[at % 2])
    weeks.mention(week_before(1), "late", 1)
    with store.reading() as ledger:
        rows = ledger.week_rows("Acme", DAYS, -0.05)
        tally = ledger.tally("Acme", WEEK.start_at, WEEK.end_at, -0.05)
    assert len(rows) == sum(one.count for one in tally) == 10
    assert list(rows.tones) == [tone_of(*one, -0.05) for one in zip(rows.stars, rows.compounds, strict=True)]
    for tone in (-1, 0, 1):
        assert sum(one.count for one in tally if one.tone == tone) == sum(
            tone_of(stars, compound, -0.05) == tone
            for stars, compound in zip(rows.stars, rows.compounds, strict=True)
        )
    assert sum(one.stars_sum for one in tally) == sum(stars or 0 for stars in rows.stars)
    assert sum(one.worded for one in tally) == sum(compound != 0 for compound in rows.compounds)
    assert sum(one.compound_sum for one in tally) == pytest.approx(sum(rows.compounds))
    assert {one.stars for one in tally} == {0, 1, 2, 3, 4, 5}


def test_negative_ids_and_other_texts_are_all_and_a_part_is_the_same_part_everywhere(store: Store) -> None:
    weeks = WeekStore(store)
    for at in range(40):
        weeks.mention(week_before(1, at % 7), ("late", "", "love")[at % 3], (1, None, 5, None)[at % 4])
    days, end = days_of(WEEK.before()), WEEK.before().end_at
    with store.reading() as ledger:
        negative = ledger.negative_ids("Acme", days, -0.05)
        other = ledger.other_texts("Acme", end, -0.05, 1_000)
        third = ledger.negative_ids("Acme", days, -0.05, every=3)
        assert ledger.other_texts("Acme", end, -0.05, 5) == other[:5]
    assert sorted((*negative, *(one.id for one in other))) == list(range(1, 41))
    assert third == [one for one in negative if in_part(one, 3)]


def test_versions_of_an_edited_mention_come_in_order_and_todays_last(store: Store) -> None:
    weeks = WeekStore(store)
    mine = weeks.mention(week_before(1), "late", 1)
    other = weeks.mention(week_before(1), "late", 2, brand="Kaffa")
    for stars, at in ((3, day(1)), (5, day(2))):
        weeks.restar(mine, stars, at)
    weeks.restar(other, 4, day(2))
    with store.reading() as ledger:
        steps = ledger.star_steps("Acme", WEEK.start_at, WEEK.end_at)
        assert ledger.star_steps("Acme", day(3), WEEK.end_at) == []
    assert [(one.stars, one.replaced_at) for one in steps] == [(1, day(1)), (3, day(2)), (5, None)]


def test_a_crawl_that_failed_is_no_reading(store: Store) -> None:
    from storage.records import RunOutcome

    weeks = WeekStore(store)
    weeks.run(day(1), outcome=RunOutcome.FAILED)
    with store.reading() as ledger:
        assert not ledger.was_reading(WEEK.start_at, WEEK.end_at)
    weeks.run(day(2), outcome=RunOutcome.EMPTY)
    with store.reading() as ledger:
        assert ledger.was_reading(WEEK.start_at, WEEK.end_at)
        assert not ledger.was_reading(WEEK.start_at, day(2) - timedelta(hours=1))
