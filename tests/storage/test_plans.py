"""Do the lists people wait for read their index, and nothing else?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Select, func, select
from sqlalchemy.dialects import sqlite

from storage.audits import never_announced
from storage.cases import worst_first
from storage.context import alike
from storage.deliveries import outbox_counts
from storage.figures import alerts_due, alerts_since, said_between, said_by_priority
from storage.store import Store
from storage.tables import crawl_runs, mentions, verdicts

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
WEEK = timedelta(days=7)


def _plan(store: Store, statement: Select[Any]) -> str:
    compiled = statement.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    with store.reading() as ledger:
        rows = ledger._connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}")
        return "\n".join(row[3] for row in rows)


@pytest.mark.parametrize(
    "wanted", [{}, {"brand": "Acme"}, {"source": "shop"}, {"brand": "Acme", "source": "shop"}]
)
def test_the_worst_first_list_is_read_in_order_and_never_sorted(
    sqlite_store: Store, wanted: dict[str, Any]
) -> None:
    plan = _plan(sqlite_store, worst_first(**wanted).limit(50))
    assert plan.startswith("SCAN cases USING INDEX ix_cases_unanswered")
    assert "TEMP B-TREE" not in plan
    assert "SCAN mentions" not in plan


def test_a_week_is_read_from_the_index_alone(sqlite_store: Store) -> None:
    week = select(
        verdicts.c.source,
        func.count(),
        func.avg(verdicts.c.stars),
        func.avg(verdicts.c.compound),
        func.max(verdicts.c.priority),
    ).where(verdicts.c.brand == "Acme", verdicts.c.posted_at >= NOW - WEEK, verdicts.c.posted_at < NOW)
    assert _plan(sqlite_store, week.group_by(verdicts.c.source)).startswith(
        "SEARCH verdicts USING COVERING INDEX ix_verdicts_week (brand=? AND posted_at>? AND posted_at<?)"
    )


def test_a_known_mention_is_found_by_its_key(sqlite_store: Store) -> None:
    wanted = select(mentions.c.content_hash).where(
        mentions.c.source == "shop", mentions.c.external_id.in_(["1", "2"])
    )
    assert "(source=? AND external_id=?)" in _plan(sqlite_store, wanted)


def test_the_runs_of_a_source_are_read_newest_first(sqlite_store: Store) -> None:
    wanted = select(crawl_runs).where(crawl_runs.c.source == "shop")
    plan = _plan(
        sqlite_store, wanted.order_by(crawl_runs.c.started_at.desc(), crawl_runs.c.id.desc()).limit(5)
    )
    assert "ix_crawl_runs_source_started_at" in plan
    assert "TEMP B-TREE" not in plan


def test_the_outbox_is_counted_without_reading_what_its_messages_say(sqlite_store: Store) -> None:
    assert "COVERING INDEX ix_deliveries_counted" in _plan(sqlite_store, outbox_counts())


def test_what_was_never_announced_is_looked_for_by_the_numbers_of_open_cases(sqlite_store: Store) -> None:
    plan = _plan(sqlite_store, never_announced())
    assert plan.startswith("SCAN cases USING INDEX ix_cases_unanswered")
    assert "deliveries USING INDEX ix_deliveries_number (number=?)" in plan


def test_cases_alike_are_looked_for_among_the_worst_and_no_brand_is_sorted(sqlite_store: Store) -> None:
    plan = _plan(sqlite_store, alike("Acme", ["delivery"], 1).limit(5))
    assert "SCAN cases USING INDEX ix_cases_unanswered" in plan
    assert "ix_cases_counted" not in plan


def test_the_figures_of_alerts_read_what_is_new_and_what_waits_and_no_history(sqlite_store: Store) -> None:
    assert "ix_deliveries_fresh (created_at>?)" in _plan(sqlite_store, alerts_since(NOW))
    assert "ix_deliveries_unsent" in _plan(sqlite_store, alerts_due(NOW))
    plan = _plan(sqlite_store, said_between("Acme", NOW - WEEK, NOW, -0.05))
    assert plan == (
        "SEARCH verdicts USING COVERING INDEX ix_verdicts_week (brand=? AND posted_at>? AND posted_at<?)"
    )
    plan = _plan(sqlite_store, said_by_priority("Acme", NOW))
    assert "COVERING INDEX ix_verdicts_week (brand=? AND posted_at>?)" in plan
