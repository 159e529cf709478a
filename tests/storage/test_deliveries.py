"""The statements of the outbox, on every database: who goes next, and who may take it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from alerting import NOON, SECOND, announce, delivery
from sqlalchemy import event, text

from storage.channels import PROBE_EVERY
from storage.records import Delivery, DeliveryKind, DeliveryState, Priority
from storage.store import Store

URGENT, HIGH, NORMAL, LOW = Priority.URGENT, Priority.HIGH, Priority.NORMAL, Priority.LOW
State = DeliveryState
HOUR = timedelta(hours=1)
ZERO = timedelta(0)


def put(store: Store, *wanted: Delivery) -> None:
    with store.transaction() as ledger:
        ledger.enqueue(wanted)


def claim(store: Store, now: object = NOON, pace: timedelta = ZERO) -> str | None:
    with store.transaction() as ledger:
        taken = ledger.claim_post("slack", "#alerts", now, pace=pace)  # type: ignore[arg-type]
        return taken.id if taken else None


def test_what_goes_in_comes_out_the_same(store: Store) -> None:
    wanted = replace(
        delivery("ob_1", priority=URGENT, rank=0.25, body='{"text": "é"}'),
        parent="ob_0",
        wanted_version=3,
        claimed_at=NOON,
        error="why",
    )
    put(store, wanted)
    with store.reading() as ledger:
        assert ledger.delivery("ob_1") == wanted
        assert ledger.delivery("ob_9") is None


def test_the_same_id_is_put_in_once(store: Store) -> None:
    with store.transaction() as ledger:
        assert ledger.enqueue([delivery("a"), delivery("b")]) == 2
        assert ledger.enqueue([delivery("b", channel="#other"), delivery("c")]) == 1
        assert ledger.enqueue([]) == 0
    with store.reading() as ledger:
        found = ledger.delivery("b")
        assert found
        assert found.channel == "#alerts"


def test_a_claim_is_taken_once(store: Store) -> None:
    put(store, delivery("a"))
    assert claim(store) == "a"
    assert claim(store, NOON + HOUR) is None
    with store.reading() as ledger:
        taken = ledger.delivery("a")
    assert taken
    assert (taken.state, taken.claimed_at, taken.attempts) == (State.SENDING, NOON, 1)


def test_the_worst_is_claimed_first(store: Store) -> None:
    put(
        store,
        delivery("low", priority=LOW, rank=0.9),
        delivery("high", priority=HIGH, rank=0.1),
        delivery("urgent", priority=URGENT, rank=0.1),
        delivery("worse", priority=URGENT, rank=0.2),
    )
    assert [claim(store) for _ in range(5)] == ["worse", "urgent", "high", "low", None]


def test_each_hour_of_waiting_raises_one_step_and_never_above_the_urgent(store: Store) -> None:
    put(
        store,
        delivery("urgent", priority=URGENT, created_at=NOON, rank=0.1),
        delivery("low3", priority=LOW, created_at=NOON - 3 * HOUR, rank=0.2),
        delivery("low4", priority=LOW, created_at=NOON - 4 * HOUR),
        delivery("high1", priority=HIGH, created_at=NOON - timedelta(minutes=59)),
    )
    assert [claim(store) for _ in range(4)] == ["urgent", "low3", "low4", "high1"]


def test_nothing_starves_under_a_stream_of_urgent_news(sqlite_store: Store) -> None:
    put(sqlite_store, delivery("low", priority=LOW))
    now = NOON
    for number in range(300):
        now += timedelta(minutes=5)
        put(sqlite_store, delivery(f"u{number}", priority=URGENT, rank=0.9, created_at=now, not_before=now))
        if claim(sqlite_store, now) == "low":
            break
    assert now - NOON <= timedelta(hours=24, minutes=5)


def test_roots_go_before_replies_of_the_same_priority(store: Store) -> None:
    put(store, delivery("reply", parent="sent-long-ago", rank=0.9), delivery("root", rank=0.1))
    assert [claim(store), claim(store)] == ["root", "reply"]


@pytest.mark.parametrize("state", [State.PENDING, State.SENDING, State.UNCERTAIN, State.PARKED])
def test_a_reply_waits_while_its_parent_is_not_there(store: Store, state: State) -> None:
    parent = delivery("parent", channel="#other", state=state, claimed_at=NOON)
    put(store, parent, delivery("reply", parent="parent"))
    assert claim(store) is None


@pytest.mark.parametrize("state", [State.SENT, State.FAILED, State.CANCELLED])
def test_a_reply_goes_when_nothing_more_comes_of_its_parent(store: Store, state: State) -> None:
    put(store, delivery("parent", state=state), delivery("reply", parent="parent"))
    assert claim(store) == "reply"


def test_nothing_goes_before_its_time(store: Store) -> None:
    put(store, delivery("later", not_before=NOON + HOUR))
    assert claim(store) is None
    assert claim(store, NOON + HOUR) == "later"


def test_the_pace_of_a_channel_is_kept_by_the_claim(store: Store) -> None:
    put(store, delivery("a"), delivery("b"), delivery("c", channel="#other"))
    assert claim(store, NOON, SECOND) == "a"
    assert claim(store, NOON + 0.99 * SECOND, SECOND) is None
    assert claim(store, NOON + SECOND, SECOND) == "b"


def test_a_gate_opens_to_the_second(store: Store) -> None:
    put(store, delivery("a"))
    with store.transaction() as ledger:
        ledger.gate("slack", "#alerts", NOON + 30 * SECOND)
    assert claim(store, NOON + 29 * SECOND) is None
    with store.reading() as ledger:
        (due,) = ledger.due(NOON, pace=SECOND)
    assert due.at == NOON + 30 * SECOND
    assert claim(store, NOON + 30 * SECOND) == "a"


def test_a_late_settle_changes_nothing(store: Store) -> None:
    put(store, delivery("a"))
    with store.transaction() as ledger:
        first = ledger.claim_post("slack", "#alerts", NOON, pace=ZERO)
        assert first
        assert ledger.suspect_stale(NOON + timedelta(minutes=2)) == 1
        assert ledger.settle(first, State.PENDING, error="not there")
        second = ledger.claim_post("slack", "#alerts", NOON + timedelta(minutes=2), pace=ZERO)
        assert second
        assert not ledger.settle(first, State.PENDING)
        assert not ledger.settle_sent(first, "1", "C1", 1, NOON)
        assert ledger.settle_sent(second, "2", "C1", 1, NOON)
        found = ledger.delivery("a")
    assert found
    assert (found.remote_id, found.attempts, found.error) == ("2", 2, "")


def test_a_claim_is_stale_only_after_its_lease(store: Store) -> None:
    put(store, delivery("a"))
    assert claim(store) == "a"
    with store.transaction() as ledger:
        assert ledger.suspect_stale(NOON + 59 * SECOND) == 0
        assert ledger.suspect_stale(NOON + 60 * SECOND) == 1
        assert ledger.outbox_counts()[State.UNCERTAIN] == 1


def test_an_attempt_that_says_nothing_is_taken_back(store: Store) -> None:
    put(store, delivery("a"))
    with store.transaction() as ledger:
        taken = ledger.claim_post("slack", "#alerts", NOON, pace=ZERO)
        assert taken
        ledger.settle(taken, State.PENDING, counted=False, plain=True)
        found = ledger.delivery("a")
    assert found
    assert (found.attempts, found.plain) == (0, True)


def test_cards_of_cases_are_edited_whatever_their_state_but_dead_ones(store: Store) -> None:
    wanted = announce(store, [URGENT] * 4)
    numbers = [one.number or 0 for one in wanted]
    with store.transaction() as ledger:
        ledger._connection.execute(
            text("UPDATE deliveries SET state = 'cancelled' WHERE id = :id"), {"id": wanted[3].id}
        )
        assert ledger.want_edit(numbers, NOON) == 3
        assert [card.wanted_version for card in ledger.cards_of(numbers[:3])] == [2, 2, 2]
        assert ledger.want_edit([], NOON) == 0


def test_only_what_has_not_left_is_cancelled(store: Store) -> None:
    wanted = announce(store, [HIGH, URGENT])
    assert claim(store) == wanted[1].id
    with store.transaction() as ledger:
        assert ledger.cancel_unsent([one.number or 0 for one in wanted]) == 1
        counts = ledger.outbox_counts()
    assert (counts[State.CANCELLED], counts[State.SENDING]) == (1, 1)


def test_a_card_is_claimed_for_one_edit_at_a_time(store: Store) -> None:
    (wanted,) = announce(store, [URGENT])
    with store.transaction() as ledger:
        taken = ledger.claim_post("slack", "#alerts", NOON, pace=ZERO)
        assert taken
        ledger.settle_sent(taken, "1.1", "C1", 1, NOON)
        assert ledger.claim_edit("slack", "#alerts", NOON + HOUR, pace=ZERO) is None
        ledger.want_edit([wanted.number or 0], NOON)
        assert ledger.claim_edit("slack", "#alerts", NOON + 9 * SECOND, pace=ZERO) is None
        edit = ledger.claim_edit("slack", "#alerts", NOON + 10 * SECOND, pace=ZERO)
        assert edit
        assert (edit.wanted_version, edit.remote_id) == (2, "1.1")
        assert ledger.claim_edit("slack", "#alerts", NOON + 30 * SECOND, pace=ZERO) is None
        ledger.want_edit([wanted.number or 0], NOON + 30 * SECOND)
        assert ledger.settle_edit(edit, 2, NOON + 31 * SECOND)
        assert ledger.claim_edit("slack", "#alerts", NOON + 40 * SECOND, pace=ZERO) is None
        again = ledger.claim_edit("slack", "#alerts", NOON + 41 * SECOND, pace=ZERO)
        assert again
        assert again.wanted_version == 3


def test_parking_a_channel_stops_it_and_shows_why(store: Store) -> None:
    put(store, delivery("a"), delivery("b", channel="#other"))
    with store.transaction() as ledger:
        ledger.park("slack", "#alerts", "is_archived", NOON)
        assert ledger.outbox_counts()[State.PARKED] == 1
        (parked,) = ledger.parked()
    assert (parked.channel, parked.parked_reason) == ("#alerts", "is_archived")
    assert claim(store, NOON + PROBE_EVERY - SECOND) is None
    assert claim(store, NOON + PROBE_EVERY) == "a"


def test_parking_the_token_stops_every_channel_of_it(store: Store) -> None:
    put(store, delivery("a"), delivery("b", channel="#other"), delivery("c", notifier="console"))
    with store.transaction() as ledger:
        ledger.park("slack", "", "token_revoked", NOON)
        assert ledger.outbox_counts()[State.PARKED] == 2
        # A channel that is parked as well stays so when the token works again.
        ledger.park("slack", "#other", "is_archived", NOON)
        assert ledger.unpark("slack", "") == 1
        assert ledger.outbox_counts()[State.PARKED] == 1


def test_a_redirect_keeps_what_the_message_says(store: Store) -> None:
    put(store, delivery("a", body='{"text": "hi"}'), delivery("b", body="not JSON"))
    with store.transaction() as ledger:
        assert ledger.redirect("slack", "#alerts", "#ops") == 2
        assert ledger.redirect("slack", "#ops", "#third") == 0
        found = ledger.delivery("a")
    assert found
    assert (found.channel, found.body) == ("#ops", '{"text": "hi", "meant_for": "#alerts"}')


def test_the_remote_name_of_a_channel_is_remembered(store: Store) -> None:
    put(store, delivery("a"))
    with store.transaction() as ledger:
        assert ledger.remote_channel_of("slack", "#alerts") == ""
        taken = ledger.claim_post("slack", "#alerts", NOON, pace=ZERO)
        assert taken
        ledger.settle_sent(taken, "1.1", "C1", 1, NOON)
        assert ledger.remote_channel_of("slack", "#alerts") == "C1"


def test_only_alerts_are_cards(store: Store) -> None:
    (wanted,) = announce(store, [URGENT])
    put(store, delivery("news", kind=DeliveryKind.CASE_UPDATE, number=wanted.number))
    with store.reading() as ledger:
        assert [card.id for card in ledger.cards_of([wanted.number or 0])] == [wanted.id]


def test_what_was_sent_long_ago_costs_nothing(sqlite_store: Store) -> None:
    """Every statement of a turn finds its rows by an index, not by reading the history."""
    put(sqlite_store, delivery("a"))
    seen: list[tuple[str, Any]] = []
    with sqlite_store.transaction() as ledger:
        connection = ledger._connection
        event.listen(connection, "before_cursor_execute", lambda *call: seen.append((call[2], call[3])))
        ledger.suspect_stale(NOON)
        ledger.mark_parked()
        ledger.due(NOON, pace=SECOND, editing=("slack",))
        ledger.claim_post("slack", "#alerts", NOON, pace=ZERO)
        ledger.claim_look("slack", "#alerts", NOON, pace=ZERO)
        ledger.claim_edit("slack", "#alerts", NOON, pace=ZERO)
        for statement, values in list(seen):
            if "deliveries" in statement:
                plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).fetchall())
                assert "SCAN candidate'" not in plan
                assert "SCAN deliveries'" not in plan
                assert "ix_deliveries" in plan
