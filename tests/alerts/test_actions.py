"""Does one of two people win, is all of it written or nothing, and does the thread hear of it?"""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from alerting import NOON, announce, mention, open_cases, verdict
from sqlalchemy import select

from alerts.actions import Acted, Refused, act, act_on_promise
from alerts.cases import Action, Do, Judged, Told, Why
from alerts.intake import take_in
from alerts.people import People, Person
from alerts.sla import Policy, Step
from storage.records import CaseStatus, Delivery, DeliveryKind, DeliveryState, Priority
from storage.store import Store
from storage.tables import deliveries

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
POLICY = Policy(
    people=People([Person(key="alice", name="Alice", slack="U01ALICE"), Person(key="bob", name="Bob")]),
    steps=(Step(people=("Bob",)),),
    buttons=True,
)


def card_of(store: Store, number: int) -> Delivery:
    with store.reading() as ledger:
        return ledger.cards_of([number])[0]


def messages(store: Store, numbers: range) -> list[Delivery]:
    """What waits in the outbox beside the cards, oldest first."""
    with store.reading() as ledger:
        ids = ledger._connection.execute(
            select(deliveries.c.id)
            .where(deliveries.c.kind != DeliveryKind.ALERT.value, deliveries.c.number.in_(list(numbers)))
            .order_by(deliveries.c.created_at, deliveries.c.number)
        ).scalars()
        return [one for id_ in list(ids) if (one := ledger.delivery(id_)) is not None]


def test_an_action_changes_the_case_its_history_its_card_and_its_thread(store: Store) -> None:
    announce(store, [Priority.HIGH])
    card = card_of(store, 1)
    act(store, 1, Action(kind=Do.CLAIM, actor="alice", version=1), NOON, POLICY)
    with store.reading() as ledger:
        case = ledger.case(1)
        (event,) = ledger.events(1)
    assert case is not None
    assert (case.owner, case.status, case.version) == ("U01ALICE", CaseStatus.CLAIMED, 2)
    assert case.claimed_at == case.heard_at == NOON
    assert (event.action, event.actor, event.version) == ("claimed", "U01ALICE", 2)
    assert card_of(store, 1).wanted_version == card.wanted_version + 1
    (told,) = messages(store, range(1, 2))
    assert (told.kind, told.parent, told.channel) == (DeliveryKind.CASE_UPDATE, card.id, "#alerts")
    body = json.loads(told.body)
    assert body["text"] == (
        "REP-0001: Alice took the case, 0 s after it came in. Answer due 22 Nov 2026 16:00 UTC."
    )
    assert body["broadcast"] is False


def test_a_refused_action_writes_nothing(store: Store) -> None:
    announce(store, [Priority.HIGH])
    with pytest.raises(Refused, match="REP-0001 is open, not closed"):
        act(store, 1, Action(kind=Do.REOPEN, actor="alice"), NOON, POLICY)
    with store.reading() as ledger:
        assert ledger.events(1) == []
        case = ledger.case(1)
        assert case is not None
        assert case.version == 1
    assert messages(store, range(1, 2)) == []


def test_a_case_that_is_not_there_is_named(store: Store) -> None:
    with pytest.raises(Refused, match="There is no case REP-0099"):
        act(store, 99, Action(kind=Do.CLAIM, actor="alice"), NOON, POLICY)
    with pytest.raises(Refused, match="no such promise"):
        act_on_promise(store, 5, Action(kind=Do.KEEP_PROMISE, actor="alice"), NOON, POLICY)


@pytest.mark.parametrize("version", [1, None])
def test_of_many_people_at_once_exactly_one_wins_and_the_others_are_told(
    store: Store, version: int | None
) -> None:
    announce(store, [Priority.HIGH])
    people = 6
    gate = threading.Barrier(people)

    def claim(at: int) -> Acted | str:
        gate.wait(10)
        try:
            return act(store, 1, Action(kind=Do.CLAIM, actor=f"p{at}", version=version), NOON, POLICY)
        except Refused as refused:
            return str(refused)

    with ThreadPoolExecutor(people) as threads:
        done = list(threads.map(claim, range(people)))
    (winner,) = [one for one in done if isinstance(one, Acted)]
    assert {one for one in done if isinstance(one, str)} == {f"{winner.case.owner} took this just now"}
    with store.reading() as ledger:
        assert len(ledger.events(1)) == 1
    assert len(messages(store, range(1, 2))) == 1


def test_different_actions_at_once_are_all_done_one_after_the_other(store: Store) -> None:
    announce(store, [Priority.HIGH])
    gate = threading.Barrier(5)

    def note(at: int) -> None:
        gate.wait(10)
        act(store, 1, Action(kind=Do.NOTE, actor=f"p{at}", text="hm"), NOON, POLICY)

    with ThreadPoolExecutor(5) as threads:
        list(threads.map(note, range(5)))
    with store.reading() as ledger:
        events = ledger.events(1)
        case = ledger.case(1)
    assert [event.version for event in events] == [2, 3, 4, 5, 6]
    assert case is not None
    assert case.version == 6


def test_a_promise_is_made_moved_and_kept(store: Store) -> None:
    announce(store, [Priority.HIGH])
    made = act(
        store,
        1,
        Action(kind=Do.ANSWER, actor="alice", text="Sorry!", promised="refund", due_by=NOON + 3 * DAY),
        NOON,
        POLICY,
    )
    (promise,) = made.promises
    assert promise.id > 0
    assert made.news[0].promise == promise
    moved = act_on_promise(
        store,
        promise.id,
        Action(kind=Do.EXTEND_PROMISE, actor="alice", due_by=NOON + 4 * DAY, promise_version=1),
        NOON + HOUR,
        POLICY,
    )
    assert moved.promises[0].version == 2
    with pytest.raises(Refused, match="Its date was moved"):
        act_on_promise(
            store,
            promise.id,
            Action(kind=Do.KEEP_PROMISE, actor="bob", promise_version=1),
            NOON + 2 * HOUR,
            POLICY,
        )
    act_on_promise(store, promise.id, Action(kind=Do.KEEP_PROMISE, actor="bob"), NOON + 2 * HOUR, POLICY)
    with store.reading() as ledger:
        (kept,) = ledger.promises(1)
        assert ledger.promises_due(NOON + 30 * DAY) == []
        assert [event.action for event in ledger.events(1)] == [
            "answered",
            "promised",
            "promise moved",
            "promise kept",
        ]
    assert kept.kept_at == NOON + 2 * HOUR
    assert kept.due_by == NOON + 4 * DAY


def test_a_dismissal_teaches(store: Store) -> None:
    announce(store, [Priority.HIGH])
    act(store, 1, Action(kind=Do.DISMISS, actor="alice", why=Why.NOT_US), NOON, POLICY)
    with store.reading() as ledger:
        (correction,) = ledger.corrections()
    assert (correction.number, correction.wrong) == (1, "not_us")


def test_an_escalation_is_broadcast_before_all_that_waits(store: Store) -> None:
    announce(store, [Priority.NORMAL])
    act(store, 1, Action(kind=Do.ESCALATE, actor="alice", text="legal threat"), NOON, POLICY)
    (told,) = messages(store, range(1, 2))
    assert (told.kind, told.priority) == (DeliveryKind.ESCALATION, Priority.URGENT)
    body = json.loads(told.body)
    assert body["broadcast"] is True
    assert body["text"].startswith("REP-0001 was escalated by Alice. Bob: you are next")
    assert [one["action_id"] for one in body["blocks"][-1]["elements"]] == [
        "esc_ack",
        "case_answered",
        "open_post",
    ]


def test_without_a_card_only_what_the_channel_must_see_is_said(store: Store) -> None:
    open_cases(store, [Priority.HIGH])
    act(store, 1, Action(kind=Do.NOTE, actor="alice", text="hm"), NOON, POLICY)
    assert messages(store, range(1, 2)) == []
    act(store, 1, Action(kind=Do.ESCALATE, actor="alice"), NOON, POLICY)
    (told,) = messages(store, range(1, 2))
    assert (told.parent, told.channel, told.state) == (None, "#alerts", DeliveryState.PENDING)


def test_news_of_many_things_is_counted_by_case(store: Store) -> None:
    announce(store, [Priority.HIGH, Priority.HIGH])
    for number in (1, 2):
        done = act(store, number, Action(kind=Do.RESOLVE, actor="alice", text="sorted"), NOON, POLICY)
        assert [one.what for one in done.news] == [Told.RESOLVED]
    assert [one.number for one in messages(store, range(1, 3))] == [1, 2]


def _edited(store: Store, stars: float, before: float) -> None:
    """The author of case 1 changes the stars."""
    with store.transaction() as ledger:
        case = ledger.case(1)
        assert case is not None
        about = mention(1, stars=stars)
        judged = Judged(case.mention_id, about, verdict(Priority.HIGH, 0.5), False, before)
        take_in(ledger, [judged], {}, (), NOON, announce=True, max_age=30 * DAY, policy=POLICY)


def test_a_closed_case_whose_stars_fall_is_open_again_and_the_channel_hears_of_it(store: Store) -> None:
    announce(store, [Priority.HIGH])
    act(store, 1, Action(kind=Do.RESOLVE, actor="alice"), NOON, POLICY)
    _edited(store, 1, 4)
    told = messages(store, range(1, 2))[-1]
    assert told.kind is DeliveryKind.ESCALATION
    assert json.loads(told.body)["text"].startswith("REP-0001 is open again. Bob")
    with store.reading() as ledger:
        case = ledger.case(1)
    assert case is not None
    assert case.status is CaseStatus.OPEN


def test_stars_that_rise_are_told_in_the_thread(store: Store) -> None:
    announce(store, [Priority.HIGH])
    _edited(store, 4, 1)
    (told,) = messages(store, range(1, 2))
    assert told.kind is DeliveryKind.CASE_UPDATE
    assert "1 → 4 of 5 stars" in told.body
