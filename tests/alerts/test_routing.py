"""Which channels hear of a verdict, and when?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from alerting import NOON, mention, verdict
from hypothesis import given
from hypothesis import strategies as st
from stormy import bad, post, take

from alerts.routing import Quiet, Route, quiet_until, route_for, routes_for
from storage.records import DeliveryState, Priority
from storage.store import Store

NIGHT = Quiet(22 * 60, 7 * 60, "Europe/Berlin")


@pytest.mark.parametrize(
    ("route", "taken"),
    [
        (Route(channel="#a", topics=("payment",)), True),
        (Route(channel="#a", topics=("staff",)), False),
        (Route(channel="#a", languages=("de",)), True),
        (Route(channel="#a", languages=("d",)), False),
        (Route(channel="#a", languages=("en", "de-at")), True),
        (Route(channel="#a", places=("leeds",)), True),
        (Route(channel="#a", places=("York", "Hull")), False),
        (Route(channel="#a", brands=("Zest",)), False),
        (Route(channel="#a", sources=("shop",), places=("Leeds",), topics=("payment", "app")), True),
    ],
)
def test_every_condition_of_a_route_must_hold(route: Route, taken: bool) -> None:
    about = mention(1, language="de-AT", entity="Acme Leeds")
    assert (route_for(verdict(topics=("payment",)), about, [route]) is not None) is taken


def test_what_has_no_language_and_no_place_goes_to_the_route_for_all() -> None:
    routes = [
        Route(channel="#de", languages=("de",)),
        Route(channel="#leeds", places=("Leeds",)),
        Route(channel="#all"),
    ]
    found = route_for(verdict(), mention(1), routes)
    assert found is not None
    assert found.channel == "#all"


def test_also_lets_later_routes_on_and_each_channel_is_told_once() -> None:
    routes = [
        Route(channel="#first", also=True),
        Route(channel="#first", also=True, priority=Priority.LOW),
        Route(channel="#second", also=True),
        Route(channel="#third"),
        Route(channel="#never"),
    ]
    assert [one.channel for one in routes_for(verdict(), mention(1), routes)] == [
        "#first",
        "#second",
        "#third",
    ]


def test_one_case_with_two_channels_has_two_alerts_and_belongs_to_the_first(store: Store) -> None:
    routes = [Route(channel="#first", also=True), Route(channel="#second")]
    assert take(store, [(post(1, NOON), bad())], NOON, routes=routes) == 1
    with store.reading() as ledger:
        (case,) = [one.case for one in ledger.cases_worst_first()]
        assert case.channel == "#first"
        assert sorted(one.channel for one in ledger.cards_of([case.number])) == ["#first", "#second"]


def test_quiet_hours_hold_an_alert_until_morning_and_urgent_goes_through(store: Store) -> None:
    late = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)  # half past midnight in Berlin
    routes = [Route(channel="#alerts", quiet=NIGHT)]
    take(
        store,
        [(post(1, late), bad(priority=Priority.HIGH)), (post(2, late), bad(priority=Priority.URGENT))],
        late,
        routes=routes,
    )
    with store.transaction() as ledger:
        first = ledger.claim_post("slack", "#alerts", late, pace=timedelta(0))
        assert first is not None
        assert first.priority is Priority.URGENT
        assert ledger.claim_post("slack", "#alerts", late, pace=timedelta(0)) is None
        morning = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
        second = ledger.claim_post("slack", "#alerts", morning, pace=timedelta(0))
        assert second is not None
        assert second.state is DeliveryState.SENDING


def test_without_the_override_urgent_waits_too() -> None:
    late = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    route = Route(channel="#a", quiet=NIGHT, urgent_override=False)
    assert quiet_until(route, Priority.URGENT, late) == datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


def test_quiet_hours_by_day_end_the_same_day() -> None:
    route = Route(channel="#a", quiet=Quiet(12 * 60, 13 * 60))
    assert quiet_until(route, Priority.HIGH, NOON) == NOON + timedelta(hours=1)
    assert quiet_until(route, Priority.HIGH, NOON + timedelta(hours=1)) is None


@given(
    st.integers(0, 6 * 365 * 24 * 60),
    st.integers(0, 1439),
    st.integers(0, 1439),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Auckland"]),
)
def test_a_quiet_hour_always_ends_within_a_day_and_is_over_then(
    minute: int, start: int, end: int, zone: str
) -> None:
    now = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    route = Route(channel="#a", quiet=Quiet(start, end, zone))
    until = quiet_until(route, Priority.HIGH, now)
    if until is not None:
        assert now < until <= now + timedelta(hours=25)
        again = quiet_until(route, Priority.HIGH, until)
        assert again is None or again - until <= timedelta(hours=1)  # an hour shown twice
