"""Is a week read from its index, and does each statement answer what it says?"""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.dialects import sqlite
from weekstore import WEEK, WeekStore, day, week_before

from storage.store import Store
from storage.tallies import tone_of, week_tally
from storage.weeks import in_part


def test_a_week_is_counted_from_the_index_alone(sqlite_store: Store) -> None:
    statement = week_tally("Acme", WEEK.start_at, WEEK.end_at, -0.05)
    compiled = statement.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    with sqlite_store.reading() as ledger:
        plan = "\n".join(
            row[3] for row in ledger._connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}")
        )
    assert plan.startswith(
        "SEARCH verdicts USING COVERING INDEX ix_verdicts_week (brand=? AND posted_at>? AND posted_at<?)"
    )


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

        ledger.week_rows("Acme", WEEK.start_at, WEEK.end_at)
        ledger.coarse_rows("Acme", WEEK.start_at, WEEK.end_at)
        ledger.negative_texts("Acme", WEEK.start_at, WEEK.end_at, -0.05, every=3)
        ledger.other_texts("Acme", WEEK.start_at, -0.05, 10)
        ledger.star_steps("Acme", WEEK.start_at, WEEK.end_at)
        ledger.answered_reviews("Acme", WEEK.start_at, WEEK.end_at, 10)
        ledger.week_posts([1, 2])
        event.remove(connection, "before_cursor_execute", note)
    assert len(seen) == 8
    for plan in seen:
        assert "SCAN mentions" not in plan
        assert "SCAN verdicts" not in plan
    for plan in seen[:4]:
        assert "ix_verdicts_week (brand=? AND posted_at" in plan


def test_the_tally_is_the_sum_of_the_rows(store: Store) -> None:
    weeks = WeekStore(store)
    for at, stars in enumerate((1, 2, 2.5, 3, 3.5, 4.5, 5, None, None, None)):
        weeks.mention(day(at % 7), ("late", "", "love")[at % 3], stars, source=("shop", "forum")[at % 2])
    weeks.mention(week_before(1), "late", 1)
    with store.reading() as ledger:
        rows = ledger.week_rows("Acme", WEEK.start_at, WEEK.end_at)
        tally = ledger.tally("Acme", WEEK.start_at, WEEK.end_at, -0.05)
    assert len(rows) == sum(one.count for one in tally) == 10
    for tone in (-1, 0, 1):
        assert sum(one.count for one in tally if one.tone == tone) == sum(
            tone_of(row.stars, row.compound, -0.05) == tone for row in rows
        )
    assert sum(one.stars_sum for one in tally) == sum(row.stars or 0 for row in rows)
    assert sum(one.worded for one in tally) == sum(row.compound != 0 for row in rows)
    assert sum(one.compound_sum for one in tally) == pytest.approx(sum(row.compound for row in rows))
    assert {one.stars for one in tally} == {0, 1, 2, 3, 4, 5}


def test_negative_texts_and_others_are_all_texts_and_a_part_is_the_same_part_everywhere(store: Store) -> None:
    weeks = WeekStore(store)
    for at in range(40):
        weeks.mention(week_before(1, at % 7), ("late", "", "love")[at % 3], (1, None, 5, None)[at % 4])
    start, end = WEEK.before().start_at, WEEK.before().end_at
    with store.reading() as ledger:
        negative = ledger.negative_texts("Acme", start, end, -0.05)
        other = ledger.other_texts("Acme", end, -0.05, 1_000)
        third = ledger.negative_texts("Acme", start, end, -0.05, every=3)
        assert ledger.other_texts("Acme", end, -0.05, 5) == other[:5]
    assert sorted(one.id for one in (*negative, *other)) == list(range(1, 41))
    assert {one.id for one in third} == {one.id for one in negative if in_part(one.id, 3)}


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
