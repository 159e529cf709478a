"""What are the customers worth who complained: at risk, or kept?"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from weekstore import WEEK, WeekStore, day, digest, wanted, week_before

from alerts.customers import Customer, Customers
from monitor import digest_say as say
from monitor.digest_send import card_of, make
from monitor.digest_shape import Digest
from monitor.digest_text import markdown
from storage.records import CaseStatus
from storage.store import Store

TABLE = Customers(
    [
        Customer(handle="@ann", source="shop", name="Ann", value=9_000),
        Customer(handle="ann_k", source="forum", name="Ann", value=9_000),
        Customer(handle="bob", name="Bob", value=2_500),
        Customer(handle="cyd", name="Cyd", value=400),
        Customer(handle="dee", name="Dee", value=70),
    ]
)


@pytest.fixture
def told(sqlite_store: Store) -> Digest:
    week = WeekStore(sqlite_store)
    # Ann waits on the forum although the shop answered her: she is at risk, once.
    week.case(week.mention(day(1), "refused", 1, author="ann"), day(1), answered=timedelta(hours=1))
    week.case(week.mention(day(2), "still refused", author="Ann_K", source="forum"), day(2))
    week.case(week.mention(day(3), "late", 1, author="@Bob"), day(3), answered=timedelta(hours=2))
    # Cyd was answered the week before, Dee's case was none of ours, and nobody knows Eve.
    week.case(
        week.mention(week_before(1), "late", 1, author="cyd"), week_before(1), answered=timedelta(hours=2)
    )
    week.case(
        week.mention(day(4), "rude", 1, author="dee"),
        day(4),
        closed=timedelta(hours=1),
        status=CaseStatus.DISMISSED,
    )
    week.case(week.mention(day(4), "rude", 1, author="Eve"), day(4))
    return digest(sqlite_store, wanted(customers=TABLE))


def test_each_customer_counts_once_and_who_still_waits_is_at_risk(told: Digest) -> None:
    value = told.value
    assert value is not None
    assert (value.at_risk, value.at_risk_customers, value.at_risk_cases) == (9_000, 1, ("REP-0002",))
    assert (value.kept, value.kept_customers, value.kept_cases) == (2_500, 1, ("REP-0003",))


def test_every_road_says_it_and_leads_to_the_cases(told: Digest) -> None:
    (fact,) = (one for one in say.facts(told) if one.key == "value")
    assert fact.value == "9,000 at risk, 2,500 kept"
    assert fact.detail == "1 customer without an answer: REP-0002; 1 answered"
    assert fact.cases == ("REP-0002",)
    assert "9,000 at risk, 2,500 kept" in markdown(told)
    assert any(line.label == "Customer value" for line in card_of(told).facts)


def test_names_of_customers_stand_in_no_digest(told: Digest) -> None:
    assert "Bob'" not in repr(told.value)
    assert "Customer(" not in repr(told)


def test_without_a_table_nothing_is_said_of_value(sqlite_store: Store) -> None:
    found = digest(sqlite_store)
    assert found.value is None
    assert all(fact.key != "value" for fact in say.facts(found))


def test_a_week_without_a_known_customer_says_so(sqlite_store: Store) -> None:
    week = WeekStore(sqlite_store)
    week.case(week.mention(day(1), "late", 1, author="Eve"), day(1))
    (fact,) = (one for one in say.facts(digest(sqlite_store, wanted(customers=TABLE))) if one.key == "value")
    assert fact.value == "no known customer complained"


def test_the_table_of_the_configuration_is_read_for_the_digest(sqlite_store: Store, tmp_path: Path) -> None:
    from shelf import settings

    from monitor.config import load_config

    (tmp_path / "customers.csv").write_text("handle,value\nbob,2500\n", "utf-8")
    config = load_config(settings(tmp_path, '[customers]\nfile = "customers.csv"\n'), {})
    week = WeekStore(sqlite_store)
    week.case(week.mention(day(3), "late", 1, author="bob"), day(3))
    found = make(config, sqlite_store, config.brands[0], WEEK, WEEK.end_at)
    assert found.value is not None
    assert found.value.at_risk == 2_500
