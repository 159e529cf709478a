"""A card that somebody pressed changes at once; what Slack forbids for a while it still forbids."""

from __future__ import annotations

from datetime import timedelta

from alerting import Clock, Road, announce, courier

from alerts.notifier import RateLimited
from storage.records import DeliveryState, Priority
from storage.store import Store


def sent(store: Store, count: int = 1) -> tuple[Road, Clock]:
    road, clock = Road(), Clock()
    announce(store, [Priority.URGENT] * count, now=clock())
    courier(store, road, clock).run()
    clock.slept.clear()
    return road, clock


def want(store: Store, clock: Clock, number: int = 1) -> None:
    with store.transaction() as ledger:
        ledger.want_edit([number], clock())


def test_neither_the_gap_between_edits_nor_the_pace_delays_a_press(store: Store) -> None:
    road, clock = sent(store)
    for presses in (1, 2, 3):
        want(store, clock)
        assert courier(store, road, clock).show_now(1) == 1
        assert len(road.edits) == presses
    assert not clock.slept
    assert courier(store, road, clock).show_now(1) == 0


def test_only_the_card_that_was_pressed_changes(store: Store) -> None:
    road, clock = sent(store, 2)
    want(store, clock, 1)
    want(store, clock, 2)
    courier(store, road, clock).show_now(2)
    assert [message.number for _, message in road.edits] == [2]


def test_a_gate_holds_and_the_card_follows_when_it_opens(store: Store) -> None:
    road, clock = sent(store)
    want(store, clock)
    road.edit_script.append(RateLimited("ratelimited", 7))
    desk = courier(store, road, clock)
    assert desk.show_now(1) == 0
    assert desk.show_now(1) == 0
    assert not road.edits
    report = courier(store, road, clock).run()
    assert report.edited == 1
    assert sum(clock.slept) >= 7


def test_a_card_somebody_else_is_drawing_is_drawn_after_that(store: Store) -> None:
    road, clock = sent(store)
    clock.now += timedelta(seconds=20)
    want(store, clock)
    other = courier(store, road, clock)
    with store.transaction() as ledger:
        taken = ledger.claim_edit("slack", "#alerts", clock(), pace=timedelta(0))
    assert taken is not None
    want(store, clock)  # pressed while the other one draws

    def nap(seconds: float) -> None:
        clock.sleep(seconds)
        with store.transaction() as ledger:
            ledger.settle_edit(taken, taken.wanted_version, clock())

    other.sleep = nap
    assert other.show_now(1) == 1
    with store.reading() as ledger:
        (card,) = ledger.cards_of([1])
    assert card.shown_version == card.wanted_version


def test_a_card_that_is_being_sent_is_waited_for_but_not_for_ever(store: Store) -> None:
    road, clock = Road(), Clock()
    announce(store, [Priority.URGENT], now=clock())
    with store.transaction() as ledger:
        assert ledger.claim_post("slack", "#alerts", clock(), pace=timedelta(0)) is not None
    want(store, clock)
    assert courier(store, road, clock).show_now(1) == 0
    assert 1 <= sum(clock.slept) <= 3
    with store.reading() as ledger:
        assert ledger.cards_of([1])[0].state is DeliveryState.SENDING
