"""Does the audit prove what is well, and name what is not?"""

from __future__ import annotations

from datetime import timedelta

import pytest
from alerting import NOON, Clock, Road, announce, open_cases
from stormy import RULES, flood, stormy_courier

from alerts.audit import Audit, audit
from alerts.notifier import ChannelClosed, Uncertain
from alerts.storms import tend_storms
from storage.records import DeliveryState, Priority
from storage.store import Store

SLACK = ["slack", "console"]


def proved(store: Store, roads: list[str] = SLACK) -> Audit:
    with store.reading() as ledger:
        return audit(ledger, NOON, roads)


def test_nothing_flagged_is_nothing_missing(store: Store) -> None:
    assert proved(store).ok
    assert proved(store).words == "0 flagged = 0 delivered + 0 queued + 0 folded + 0 held"


def test_every_flagged_post_stands_somewhere(store: Store) -> None:
    flood(store, 30)
    announce(store, [Priority.URGENT], first=100)
    clock, road = Clock(), Road()
    stormy_courier(store, road, clock).run(deadline=NOON + timedelta(seconds=4))
    done = proved(store)
    assert done.ok
    assert done.flagged == 31 == done.accounted
    assert done.count("folded") == 20


def test_what_waits_by_somebodys_will_is_held_and_named(store: Store) -> None:
    announce(store, [Priority.HIGH], first=1, channel="#closed")
    announce(store, [Priority.HIGH], first=2, channel="#unsure")
    clock = Clock()
    stormy_courier(store, Road([ChannelClosed("x"), Uncertain("y")]), clock).run(
        deadline=NOON + timedelta(seconds=3)
    )
    done = proved(store)
    assert done.ok
    assert done.words.endswith("2 held (1 parked, 1 uncertain)")


def test_a_case_without_an_alert_is_missing_and_named(store: Store) -> None:
    open_cases(store, [Priority.HIGH, Priority.HIGH])
    (line,) = proved(store).problems
    assert line == "2 flagged posts have no alert at all: REP-0001, REP-0002"
    assert "UNACCOUNTED" in proved(store).words


def test_an_alert_called_off_though_its_case_is_open_is_missing(store: Store) -> None:
    (one,) = announce(store, [Priority.HIGH])
    with store.transaction() as ledger:
        ledger.cancel_unsent([one.number or 0])
    assert "called off: REP-0001" in proved(store).problems[0]


def test_what_waits_for_a_road_that_is_gone_is_missing(store: Store) -> None:
    announce(store, [Priority.HIGH])
    assert proved(store).ok
    assert "not set up" in proved(store, ["console"]).problems[0]


def test_what_an_ended_storm_still_holds_is_missing_until_it_is_let_go(store: Store) -> None:
    flood(store, 30)
    with store.transaction() as ledger:
        (storm,) = ledger.storms_going_on()
        from dataclasses import replace

        # As if another process had ended it while this one still folded.
        assert ledger.save_storm(replace(storm, ended_at=NOON), was_version=storm.version)
    assert "20 flagged posts are held by a storm that is over" in proved(store).problems[0]
    tend_storms(store, NOON, RULES)
    assert proved(store).ok


@pytest.mark.parametrize("count", [1, 3])
def test_a_sum_that_does_not_add_up_is_red(count: int) -> None:
    assert Audit(4 + count, {"delivered": 4}).problems == (f"{count} flagged posts are missing in the count",)


def test_a_case_with_two_alerts_is_counted_once(store: Store) -> None:
    (one,) = announce(store, [Priority.HIGH])
    from dataclasses import replace

    with store.transaction() as ledger:
        ledger.enqueue([replace(one, id="ob_second", channel="#second", state=DeliveryState.FAILED)])
    done = proved(store)
    assert (done.flagged, done.count("queued"), done.count("refused")) == (1, 1, 0)
