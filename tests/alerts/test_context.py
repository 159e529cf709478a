"""Is what a partner would know found, in a handful of statements that read an index?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from alerting import NOON, mention, verdict
from alerting import case as a_case
from sqlalchemy import Select, event
from sqlalchemy.dialects import sqlite

from alerts.context import context_for
from alerts.customers import Customer, Customers
from storage.cases import to_wake
from storage.context import alike, earlier, week_of
from storage.records import Case, CaseStatus, Mention, Priority, Reviewed
from storage.store import Ledger, Store

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def write(
    ledger: Ledger,
    one: Mention,
    *,
    topics: tuple[str, ...] = ("refund",),
    brand: str = "Acme",
    opened: bool = True,
    status: CaseStatus = CaseStatus.OPEN,
) -> Case | None:
    done = ledger.write_mentions([one], NOON)[one.key]
    judged = verdict(Priority.HIGH, 0.5, topics=topics, brand=brand)
    ledger.write_verdicts([(done.id, one, judged)])
    if not opened:
        return None
    wanted = a_case(
        0, mention_id=done.id, brand=brand, status=status, closed_at=NOON if status.closed else None
    )
    return ledger.open_cases([wanted])[0]


@pytest.fixture
def around(store: Store) -> Reviewed:
    """A case, and much that has to do with it or only looks so."""
    here = {"entity": "Shop Mitte", "author": "J. Doe", "source": "shop"}
    with store.transaction() as ledger:
        case = write(ledger, mention(1, **here))
        write(ledger, mention(2, **here, stars=5.0, published_at=NOON - 40 * DAY), opened=False)
        write(
            ledger,
            mention(3, **here, published_at=NOON - 20 * DAY),
            status=CaseStatus.RESOLVED,
            topics=("staff",),
        )
        write(ledger, mention(4, source="forum", author="J. Doe", entity=""), opened=False)
        write(ledger, mention(5, author="Max", entity="Shop Mitte", stars=4.0), topics=("refund", "app"))
        write(
            ledger,
            mention(6, author="Ann", entity="Shop Mitte", published_at=NOON - 9 * DAY, stars=5.0),
            opened=False,
        )
        write(ledger, mention(7, author="Kim", entity="Shop Nord"), topics=("refunds",))
        write(ledger, mention(8, author="Zoe", entity="Shop Mitte"), brand="Kaffa")
        assert case is not None
        reviewed = ledger.reviewed(case.number)
    assert reviewed is not None
    return reviewed


def test_what_a_partner_would_know(store: Store, around: Reviewed) -> None:
    customers = Customers([Customer(handle="j. doe", name="Jane", value=1200, tier="gold")])
    with store.reading() as ledger:
        context = context_for(ledger, around, NOON, customers)
    assert context.lines == (
        "Customer: Jane, gold, value 1,200",
        "Has written here before: 2 times; earlier cases: REP-0002 (resolved)",
        "This place, last 7 days: 3 mentions, 2 negative, 2.0 of 5 stars (week before: 5.0)",
        "Open cases like this one: 1: REP-0003",
    )
    assert context.customer_line == "Customer: Jane, gold, value 1,200"


def test_where_nothing_is_known_nothing_is_said(sqlite_store: Store) -> None:
    with sqlite_store.transaction() as ledger:
        case = write(ledger, mention(1, author="", entity=""), topics=())
        assert case is not None
        reviewed = ledger.reviewed(case.number)
        assert reviewed is not None
        assert context_for(ledger, reviewed, NOON).lines == ()


def test_a_handful_of_statements_is_asked(store: Store, around: Reviewed) -> None:
    asked: list[str] = []
    with store.reading() as ledger:
        connection = ledger._connection

        def note(*words: object) -> None:
            asked.append(str(words[2]))

        event.listen(connection, "before_cursor_execute", note)
        context_for(ledger, around, NOON)
    assert len(asked) == 3


def test_names_as_long_as_strangers_like_and_with_any_sign_are_told_apart(store: Store) -> None:
    long = "n" * 990
    with store.transaction() as ledger:
        case = write(ledger, mention(1, author=long + "1", entity="%_\"'" + long))
        write(ledger, mention(2, author=long + "2", entity="%_\"'" + long), topics=("50%_",))
        write(ledger, mention(3, author=long + "1", entity="😀" * 900), topics=("50x_",))
        assert case is not None
        reviewed = ledger.reviewed(case.number)
        assert reviewed is not None
        odd = replace(reviewed, verdict=replace(reviewed.verdict, topics=("50%_",)))
        context = context_for(ledger, odd, NOON)
    assert len(context.earlier) == 1
    assert context.place.count == 2
    assert [one.number for one in context.similar] == [2]


def _plan(store: Store, statement: Select[tuple[object, ...]]) -> str:
    compiled = statement.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    with store.reading() as ledger:
        rows = ledger._connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}")
        return "\n".join(row[3] for row in rows)


def test_an_author_is_found_by_an_index_in_order(sqlite_store: Store) -> None:
    plan = _plan(sqlite_store, earlier("shop", "J. Doe", "Acme", 1).limit(20))
    assert "SEARCH mentions USING INDEX ix_mentions_author (source=? AND <expr>=?)" in plan
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan


def test_the_week_of_a_place_is_read_from_its_index(sqlite_store: Store) -> None:
    plan = _plan(sqlite_store, week_of("Shop Mitte", "Acme", NOON))
    assert "ix_mentions_place (<expr>=? AND posted_at>? AND posted_at<?)" in plan
    assert "SCAN" not in plan


def test_cases_alike_are_looked_for_among_the_worst_open_ones(sqlite_store: Store) -> None:
    plan = _plan(sqlite_store, alike("Acme", ("refund",), 1).limit(5))
    assert "SCAN cases USING INDEX ix_cases_unanswered" in plan or "ix_cases_counted" in plan
    assert "SCAN verdicts" not in plan


def test_the_clocks_read_only_what_is_due(sqlite_store: Store) -> None:
    plan = _plan(sqlite_store, to_wake(NOON).limit(100))
    assert plan == "SEARCH cases USING INDEX ix_cases_wake_at (wake_at<?)"
