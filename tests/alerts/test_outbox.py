"""Nothing lost, nothing doubled, worst first: the courier, step by step on a fake clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from alerting import NOON, SECOND, Clock, Road, announce, courier, delivery, open_cases

from alerts.notifier import (
    CannotLook,
    Capabilities,
    ChannelClosed,
    NotifyError,
    NotSent,
    RateLimited,
    Receipt,
    TokenRefused,
    Uncertain,
    Unchangeable,
    Unrenderable,
)
from alerts.outbox import (
    Decision,
    Park,
    after_edit_error,
    after_error,
    after_look,
    deliver_due,
    deliveries_for,
)
from alerts.routing import Route
from storage.records import Delivery, DeliveryKind, DeliveryState, Priority, Removal
from storage.store import Store

URGENT, HIGH, NORMAL, LOW = Priority.URGENT, Priority.HIGH, Priority.NORMAL, Priority.LOW
State = DeliveryState
LATER = NOON + 8 * SECOND  # a third attempt waits eight times the pace


def state_of(store: Store, id_: str) -> Delivery:
    with store.reading() as ledger:
        found = ledger.delivery(id_)
    assert found is not None
    return found


# -- decisions --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RateLimited("!", 8), Decision(state=State.PENDING, error="!", gate_until=LATER, counted=False)),
        (NotSent("dns"), Decision(state=State.PENDING, error="dns", not_before=LATER, gate_until=LATER)),
        (Unrenderable("bad"), Decision(state=State.PENDING, error="bad", plain=True)),
        (ChannelClosed("gone"), Decision(state=State.PARKED, error="gone", park=Park.CHANNEL, counted=False)),
        (TokenRefused("no"), Decision(state=State.PARKED, error="no", park=Park.NOTIFIER, counted=False)),
        (Uncertain("?"), Decision(state=State.UNCERTAIN, error="?", gate_until=LATER)),
        (NotifyError("new"), Decision(state=State.UNCERTAIN, error="new", gate_until=LATER)),
        (KeyError("bug"), Decision(state=State.UNCERTAIN, error="'bug'", gate_until=LATER)),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_each_failure_has_its_own_consequence(error: Exception, expected: Decision) -> None:
    assert after_error(error, delivery(attempts=3), NOON, SECOND) == expected


def test_blocks_refused_a_second_time_are_a_failure_that_is_shown() -> None:
    assert after_error(Unrenderable("bad"), delivery(plain=True), NOON).state is State.FAILED


def test_an_error_is_kept_without_the_secret_it_quotes() -> None:
    said = after_error(Uncertain("https://hooks.slack.com/services/T0/B0/s3cr3t"), delivery(), NOON).error
    assert "s3cr3t" not in said


@pytest.mark.parametrize(
    ("error", "state", "not_before"),
    [
        (Uncertain("?"), State.PENDING, NOON + 2 * SECOND),
        (RateLimited("slow", 30), State.PENDING, NOON + 2 * SECOND),
        (Unrenderable("bad"), State.PENDING, NOON),
        (Unchangeable("deleted"), State.FAILED, None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_edit_that_failed_is_tried_again_unless_it_never_can_be(
    error: Exception, state: State, not_before: object
) -> None:
    decided = after_edit_error(error, delivery(), NOON, SECOND)
    assert (decided.state, decided.not_before) == (state, not_before)


def test_looking_settles_what_is_found_and_repeats_what_is_not() -> None:
    assert after_look(Receipt("1.2"), delivery(attempts=1), NOON).state is State.SENT
    missing = after_look(None, delivery(attempts=1), NOON)
    assert (missing.state, missing.not_before) == (State.PENDING, NOON)
    assert after_look(None, delivery(attempts=3), NOON, SECOND).not_before == NOON + 4 * SECOND
    assert after_look(CannotLook("webhook"), delivery(attempts=1), NOON).state is State.PENDING


@pytest.mark.parametrize(
    "error", [RateLimited("slow", 9), TokenRefused("no"), ChannelClosed("no"), Uncertain("?")]
)
def test_a_look_that_failed_leaves_the_message_uncertain(error: Exception) -> None:
    decided = after_look(error, delivery(attempts=1), NOON)
    assert decided.state is State.UNCERTAIN
    assert decided.not_before is not None
    assert decided.not_before > NOON


def test_a_case_no_route_takes_is_not_announced(sqlite_store: Store) -> None:
    one, two = open_cases(sqlite_store, [HIGH, LOW])
    wanted = deliveries_for([one, two], lambda of: Route(channel="#a") if of.priority is HIGH else None, NOON)
    assert [(d.number, d.channel, d.priority) for d in wanted] == [(one.number, "#alerts", HIGH)]


# -- the courier ------------------------------------------------------------------------------------------


def test_the_worst_goes_first_one_a_second(store: Store) -> None:
    clock = Clock()
    road = Road(clock=clock)
    announce(store, [LOW, URGENT, NORMAL, URGENT, HIGH])
    report = courier(store, road, clock).run()
    assert [message.text.split(":")[0] for message in road.arrived] == [
        "REP-0004", "REP-0002", "REP-0005", "REP-0003", "REP-0001",
    ]  # fmt: skip
    gaps = [(b - a).total_seconds() for a, b in zip(road.at, road.at[1:], strict=False)]
    assert min(gaps) >= 1.0
    assert max(gaps) < 1.2
    assert (report.sent, report.waiting) == (5, 0)


def test_a_storm_of_sixty_takes_a_minute(sqlite_store: Store) -> None:
    clock = Clock()
    road = Road(clock=clock)
    announce(sqlite_store, [HIGH] * 60)
    assert courier(sqlite_store, road, clock).run().sent == 60
    assert clock.now - NOON <= timedelta(seconds=61)
    assert len({message.outbox_id for message in road.arrived}) == 60


def test_a_road_that_needs_no_pace_gets_all_at_once(sqlite_store: Store) -> None:
    clock = Clock()
    can = Capabilities(edits=True, finds=False, threads=False, paced=False)
    road = Road(name="console", can=can, clock=clock)
    announce(sqlite_store, [HIGH] * 20, notifier="console")
    assert courier(sqlite_store, road, clock).run().sent == 20
    assert clock.now == NOON


def test_what_arrived_before_the_connection_broke_is_found_and_not_sent_again(store: Store) -> None:
    clock = Clock()
    road = Road(["accepted", Uncertain("timeout")], clock=clock)
    (wanted,) = announce(store, [URGENT])
    report = courier(store, road, clock).run()
    assert len(road.arrived) == 1
    assert (report.sent, report.uncertain) == (1, 0)
    settled = state_of(store, wanted.id)
    assert (settled.state, settled.remote_id, settled.remote_channel) == (State.SENT, "ts1", "id-of-#alerts")
    # Looked for only after a request must have ended, from before the claim on.
    assert clock.now >= NOON + timedelta(seconds=60)
    assert road.looks[0].since <= NOON


def test_what_did_not_arrive_is_sent_again_after_looking(store: Store) -> None:
    clock = Clock()
    road = Road([Uncertain("reset")], clock=clock)
    (wanted,) = announce(store, [URGENT])
    report = courier(store, road, clock).run()
    assert len(road.looks) == 1
    assert [message.outbox_id for message in road.arrived] == [wanted.id]
    assert report.sent == 1


def test_a_claim_left_by_a_dead_courier_is_looked_for_first(store: Store) -> None:
    clock = Clock()
    road = Road(clock=clock)
    (wanted,) = announce(store, [URGENT])
    with store.transaction() as ledger:
        assert ledger.claim_post("slack", "#alerts", NOON, pace=SECOND)
    assert courier(store, road, clock).run().sent == 1
    assert [look.outbox_id for look in road.looks] == [wanted.id]
    assert len(road.arrived) == 1


def test_a_road_that_cannot_look_sends_again_and_says_so(store: Store) -> None:
    clock = Clock()
    can = Capabilities(edits=False, finds=False, threads=False)
    road = Road(["accepted", Uncertain("timeout")], name="webhook", can=can, clock=clock)
    announce(store, [URGENT], notifier="webhook")
    report = courier(store, road, clock).run()
    assert len(road.arrived) == 2
    assert (report.sent, report.repeated) == (1, 1)


def test_a_rate_limit_holds_the_channel_to_the_second_and_counts_no_attempt(store: Store) -> None:
    clock = Clock()
    road = Road([RateLimited("slow", 7)], clock=clock)
    first, second = announce(store, [HIGH, URGENT])
    courier(store, road, clock).run()
    assert NOON + 7 * SECOND <= road.at[0] < NOON + 8 * SECOND
    assert state_of(store, second.id).attempts == 1
    assert [message.outbox_id for message in road.arrived] == [second.id, first.id]


def test_a_gate_holds_one_channel_only(sqlite_store: Store) -> None:
    clock = Clock()
    road = Road([RateLimited("slow", 30)], clock=clock)
    announce(sqlite_store, [HIGH], channel="#a")
    announce(sqlite_store, [HIGH], channel="#b", first=5)
    courier(sqlite_store, road, clock).run()
    assert [message.channel for message in road.arrived] == ["#b", "#a"]


def test_a_refused_connection_waits_longer_each_time(sqlite_store: Store) -> None:
    clock = Clock()
    road = Road([NotSent("refused")] * 4, clock=clock)
    announce(sqlite_store, [URGENT])
    assert courier(sqlite_store, road, clock).run().sent == 1
    assert timedelta(seconds=2 + 4 + 8 + 16) <= clock.now - NOON < timedelta(seconds=40)


def test_refused_blocks_become_plain_text_once(store: Store) -> None:
    clock = Clock()
    road = Road([Unrenderable("invalid_blocks")], clock=clock)
    (wanted,) = announce(store, [URGENT])
    assert courier(store, road, clock).run().sent == 1
    assert not road.arrived[0].blocks
    assert "REP-0001" in road.arrived[0].text
    assert state_of(store, wanted.id).plain


def test_what_is_refused_as_plain_text_too_fails_visibly_and_holds_nobody_up(store: Store) -> None:
    clock = Clock()
    road = Road([Unrenderable("bad"), Unrenderable("bad")], clock=clock)
    announce(store, [HIGH, URGENT])
    report = courier(store, road, clock).run()
    assert (report.failed, report.sent) == (1, 1)


def test_a_refused_token_parks_everything_until_a_probe_passes(store: Store) -> None:
    clock = Clock()
    road = Road([TokenRefused("token_revoked")], clock=clock)
    announce(store, [HIGH, URGENT], channel="#a")
    announce(store, [LOW], channel="#b", first=5)
    report = courier(store, road, clock).run()
    assert (report.sent, report.parked) == (0, 3)
    with store.reading() as ledger:
        (parked,) = ledger.parked()
    assert (parked.channel, parked.parked_reason, parked.parked_at) == ("", "token_revoked", NOON)
    clock.now += timedelta(minutes=14)
    assert courier(store, road, clock).run().sent == 0
    assert not road.arrived
    clock.now += timedelta(minutes=2)
    report = courier(store, road, clock).run()
    assert (report.sent, report.parked) == (3, 0)
    with store.reading() as ledger:
        assert not ledger.parked()


def test_a_probe_that_fails_keeps_the_first_date_and_tries_once(store: Store) -> None:
    clock = Clock()
    road = Road([TokenRefused("revoked"), TokenRefused("still revoked")], clock=clock)
    announce(store, [HIGH, URGENT])
    courier(store, road, clock).run()
    clock.now += timedelta(minutes=16)
    assert courier(store, road, clock).run().parked == 2
    assert not road.script
    with store.reading() as ledger:
        (parked,) = ledger.parked()
    assert (parked.parked_at, parked.parked_reason) == (NOON, "still revoked")


def test_unparking_by_hand_lets_everything_go(store: Store) -> None:
    clock = Clock()
    road = Road([ChannelClosed("is_archived")], clock=clock)
    announce(store, [HIGH, URGENT])
    assert courier(store, road, clock).run().parked == 2
    with store.transaction() as ledger:
        assert ledger.unpark("slack", "#alerts") == 2
    assert courier(store, road, clock).run().sent == 2


def test_a_closed_channel_sends_to_its_fallback_and_says_for_whom(store: Store) -> None:
    clock = Clock()
    road = Road([ChannelClosed("is_archived")], clock=clock)
    announce(store, [HIGH, URGENT])
    fallbacks = {("slack", "#alerts"): "#ops"}
    assert courier(store, road, clock, fallbacks=fallbacks).run().sent == 2
    assert [message.channel for message in road.arrived] == ["#ops", "#ops"]
    assert all("Meant for #alerts" in message.text for message in road.arrived)
    assert "Meant for #alerts" in str(road.arrived[0].blocks)


def test_news_for_a_parked_channel_goes_to_the_fallback_until_a_probe_passes(store: Store) -> None:
    clock = Clock()
    road = Road([ChannelClosed("is_archived")], clock=clock)
    fallbacks = {("slack", "#alerts"): "#ops"}
    announce(store, [URGENT])
    courier(store, road, clock, fallbacks=fallbacks).run()
    announce(store, [URGENT], first=2, now=clock.now)
    courier(store, road, clock, fallbacks=fallbacks).run()
    clock.now += timedelta(minutes=20)
    announce(store, [URGENT, URGENT], first=3, now=clock.now)
    courier(store, road, clock, fallbacks=fallbacks).run()
    assert [message.channel for message in road.arrived] == ["#ops", "#ops", "#alerts", "#alerts"]


def test_a_fallback_that_is_closed_too_keeps_what_it_got(store: Store) -> None:
    clock = Clock()
    road = Road([ChannelClosed("archived"), ChannelClosed("archived")], clock=clock)
    announce(store, [URGENT])
    fallbacks = {("slack", "#alerts"): "#ops", ("slack", "#ops"): "#alerts"}
    assert courier(store, road, clock, fallbacks=fallbacks).run().parked == 1


def test_a_removed_mention_that_was_not_announced_never_is(store: Store) -> None:
    clock = Clock()
    road = Road(clock=clock)
    announce(store, [URGENT, HIGH])
    with store.transaction() as ledger:
        ledger.remove([Removal("shop", "r1")], NOON)
    report = courier(store, road, clock).run()
    assert (report.sent, report.cancelled) == (1, 1)
    assert "REP-0002" in road.arrived[0].text


def test_a_removed_mention_is_taken_off_its_card(store: Store) -> None:
    clock = Clock()
    road = Road(clock=clock)
    (wanted,) = announce(store, [URGENT])
    courier(store, road, clock).run()
    with store.transaction() as ledger:
        ledger.remove([Removal("shop", "r1")], clock.now)
        assert ledger.want_edit([wanted.number or 0], clock.now) == 1
    assert courier(store, road, clock).run().edited == 1
    receipt, message = road.edits[0]
    assert receipt == Receipt("ts1", "id-of-#alerts")
    assert "emoved by its author" in message.text
    assert "refund" not in f"{message.text}{message.blocks}"


def test_a_removed_mention_whose_card_cannot_change_is_deleted(store: Store) -> None:
    clock = Clock()
    road = Road(clock=clock)
    (wanted,) = announce(store, [URGENT])
    courier(store, road, clock).run()
    with store.transaction() as ledger:
        ledger.remove([Removal("shop", "r1")], clock.now)
        ledger.want_edit([wanted.number or 0], clock.now)
    road.edit_script = [Unchangeable("edit_window_closed")]
    courier(store, road, clock).run()
    assert road.removed == [Receipt("ts1", "id-of-#alerts")]
    assert state_of(store, wanted.id).error == "edit_window_closed"


def test_edits_wait_ten_seconds_and_only_the_newest_is_shown(store: Store) -> None:
    clock = Clock()
    road = Road(clock=clock)
    (wanted,) = announce(store, [URGENT])
    courier(store, road, clock).run()
    for _ in range(5):
        with store.transaction() as ledger:
            ledger.want_edit([wanted.number or 0], clock.now)
    courier(store, road, clock).run()
    assert [message.version for _, message in road.edits] == [6]
    assert road.at[1] >= road.at[0] + timedelta(seconds=10)
    with store.transaction() as ledger:
        ledger.want_edit([wanted.number or 0], clock.now)
    courier(store, road, clock).run()
    assert road.at[2] >= road.at[1] + timedelta(seconds=10)


def test_a_card_that_changes_while_it_is_sent_is_changed_afterwards(store: Store) -> None:
    clock = Clock()

    class Slow(Road):
        def post(self, message):  # type: ignore[no-untyped-def]
            with store.transaction() as ledger:
                ledger.want_edit([message.number], clock.now)
            return super().post(message)

    road = Slow(clock=clock)
    announce(store, [URGENT])
    report = courier(store, road, clock).run()
    assert (report.sent, report.edited) == (1, 1)


def test_an_uncertain_edit_is_simply_made_again(store: Store) -> None:
    clock = Clock()
    road = Road(clock=clock)
    (wanted,) = announce(store, [URGENT])
    courier(store, road, clock).run()
    with store.transaction() as ledger:
        ledger.want_edit([wanted.number or 0], clock.now)
    road.edit_script = [Uncertain("timeout"), NotSent("refused")]
    assert courier(store, road, clock).run().edited == 1
    assert len(road.edits) == 1


def test_a_storm_does_not_freeze_the_cards(sqlite_store: Store) -> None:
    clock = Clock()
    road = Road(clock=clock)
    (card,) = announce(sqlite_store, [LOW])
    courier(sqlite_store, road, clock).run()
    clock.now += timedelta(seconds=20)
    announce(sqlite_store, [URGENT] * 20, first=10, now=clock.now)
    with sqlite_store.transaction() as ledger:
        ledger.want_edit([card.number or 0], clock.now)
    edited_after: list[int] = []
    real = road.edit
    road.edit = lambda r, m: (edited_after.append(len(road.arrived)), real(r, m))[1]  # type: ignore[method-assign]
    courier(sqlite_store, road, clock).run()
    assert edited_after[0] <= 6


def test_an_uncertain_alert_is_not_left_waiting_for_a_storm_to_end(sqlite_store: Store) -> None:
    clock = Clock()
    road = Road([Uncertain("503")], clock=clock)
    announce(sqlite_store, [URGENT] + [LOW] * 100)
    courier(sqlite_store, road, clock).run()
    assert [message.text[:8] for message in road.arrived].index("REP-0001") < 65


def test_a_reply_waits_for_its_root_and_goes_into_its_thread(store: Store) -> None:
    clock = Clock()
    road = Road([NotSent("refused")], clock=clock)
    (root,) = announce(store, [LOW])
    reply = delivery(
        "ob_reply", kind=DeliveryKind.CASE_UPDATE, parent=root.id, priority=URGENT, number=root.number,
        body='{"text": "Overdue."}',
    )  # fmt: skip
    with store.transaction() as ledger:
        ledger.enqueue([reply])
    courier(store, road, clock).run()
    assert [(m.outbox_id, m.thread_id) for m in road.arrived] == [(root.id, None), ("ob_reply", "ts1")]


def test_a_reply_whose_root_failed_goes_into_the_channel(store: Store) -> None:
    clock = Clock()
    road = Road([Unrenderable("bad"), Unrenderable("bad")], clock=clock)
    (root,) = announce(store, [LOW])
    reply = delivery("ob_reply", kind=DeliveryKind.CASE_UPDATE, parent=root.id, body='{"text": "Overdue."}')
    with store.transaction() as ledger:
        ledger.enqueue([reply])
    courier(store, road, clock).run()
    assert [(m.outbox_id, m.thread_id) for m in road.arrived] == [("ob_reply", None)]


def test_a_card_that_cannot_be_drawn_is_announced_all_the_same(sqlite_store: Store) -> None:
    clock = Clock()
    road = Road(clock=clock)
    announce(sqlite_store, [URGENT])

    def broken(*_: object) -> object:
        raise ZeroDivisionError

    assert courier(sqlite_store, road, clock, render=broken).run().sent == 1
    assert road.arrived[0].text.startswith("REP-0001 (urgent)")


def test_an_error_nobody_thought_of_is_looked_into(sqlite_store: Store) -> None:
    clock = Clock()
    road = Road(["accepted", ValueError("surprise")], clock=clock)
    announce(sqlite_store, [URGENT])
    assert courier(sqlite_store, road, clock).run().sent == 1
    assert len(road.arrived) == 1


@pytest.mark.parametrize("back", [timedelta(hours=1), timedelta(days=400)])
def test_a_clock_set_back_silences_nobody(store: Store, back: timedelta) -> None:
    clock = Clock()
    road = Road(["accepted", Uncertain("timeout")], clock=clock)
    announce(store, [HIGH, URGENT])
    worker = courier(store, road, clock)
    worker._turn("slack", "#alerts")
    with store.transaction() as ledger:
        ledger.gate("slack", "#alerts", NOON + 20 * SECOND)
    clock.now -= back
    started = clock.now
    report = worker.run()
    assert (report.sent, len(road.arrived)) == (2, 2)
    assert clock.now - started < timedelta(minutes=3)


def test_a_courier_that_slept_after_its_claim_does_not_send(sqlite_store: Store) -> None:
    clock = Clock()
    road = Road(clock=clock)
    (wanted,) = announce(sqlite_store, [URGENT])

    def suspended(point: str) -> None:
        if point == "after_claim" and not road.looks:
            clock.now += timedelta(minutes=10)

    courier(sqlite_store, road, clock, crash_point=suspended)._turn("slack", "#alerts")
    assert not road.arrived
    assert state_of(sqlite_store, wanted.id).state is State.PENDING


def test_it_ends_when_nothing_more_can_be_done_in_time(sqlite_store: Store) -> None:
    clock = Clock()
    road = Road([RateLimited("slow", 1800)], clock=clock)
    announce(sqlite_store, [URGENT])
    report = courier(sqlite_store, road, clock).run(deadline=NOON + timedelta(minutes=1))
    assert report.waiting == 1
    assert clock.now < NOON + timedelta(minutes=1)


def test_deliveries_of_an_unknown_road_wait(sqlite_store: Store) -> None:
    clock = Clock()
    announce(sqlite_store, [URGENT], notifier="pigeon")
    assert courier(sqlite_store, Road(), clock).run().waiting == 1


def test_the_daemon_runs_until_it_is_told_to_stop(sqlite_store: Store) -> None:
    clock = Clock()
    road = Road(clock=clock)
    announce(sqlite_store, [URGENT, HIGH])
    report = deliver_due(
        sqlite_store,
        {"slack": road},
        render=lambda d, r: replace(courier(sqlite_store, road, clock)._draw(d, r)),
        clock=clock,
        sleep=clock.sleep,
        stop=lambda: len(road.arrived) == 2,
        until_idle=False,
    )
    assert report.sent == 2


def test_two_couriers_share_the_work_and_double_nothing(store: Store) -> None:
    import threading
    import time
    from datetime import UTC, datetime

    announce(store, [HIGH] * 30)
    road = Road()
    lock = threading.Lock()
    real = road.post

    def post(message):  # type: ignore[no-untyped-def]
        with lock:
            return real(message)

    road.post = post  # type: ignore[method-assign]
    reports = []

    def work() -> None:
        one: Callable[[], datetime] = lambda: datetime.now(UTC)  # noqa: E731
        reports.append(
            deliver_due(
                store,
                {"slack": road},
                render=lambda d, r: courier(store, road, Clock())._draw(d, r),
                clock=one,
                sleep=time.sleep,
                pace=timedelta(milliseconds=2),
            )
        )

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    ids = [message.outbox_id for message in road.arrived]
    assert len(ids) == len(set(ids)) == 30
    assert sum(report.sent for report in reports) == 30
