"""Does every clock ring once, at its time, however often and however late somebody looks?"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from alerting import NOON, Clock, Road, announce, courier
from alerting import case as a_case
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from alerts.actions import Refused, act
from alerts.cases import Action, Do, Told
from alerts.clocks import Advanced, advance, rung
from alerts.people import People, Person
from alerts.routing import Quiet, Route
from alerts.sla import Calendar, FollowUp, Policy, Step, wake_at
from storage.records import Case, CaseStatus, DeliveryKind, DeliveryState, Priority, Promise, Removal
from storage.store import Store
from storage.tables import deliveries

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
POLICY = Policy(
    people=People([Person(key="alice", name="Alice", slack="U01ALICE")]),
    steps=(Step(people=("Bob",)), Step(people=("Carol",), after=30 * MINUTE)),
    claim_within=2 * HOUR,
)
OPEN = a_case(opened_at=NOON, respond_by=NOON + 4 * HOUR, remind_by=NOON + 3 * HOUR)
CLAIMED = replace(
    OPEN, status=CaseStatus.CLAIMED, owner="alice", claimed_at=NOON, heard_at=NOON, remind_by=None
)


def a_store(store: Store, count: int = 1, policy: Policy = POLICY) -> None:
    """So many cases with cards, their clocks running."""
    announce(store, [Priority.HIGH] * count)
    with store.transaction() as ledger:
        for number in range(1, count + 1):
            case = ledger.case(number)
            assert case is not None
            running = replace(case, version=2, remind_by=NOON + 3 * HOUR)
            ledger.save_case(replace(running, wake_at=wake_at(running, (), policy)), was_version=1)


def told(store: Store) -> list[dict[str, Any]]:
    """The bodies of what waits beside the cards, oldest first."""
    with store.reading() as ledger:
        rows = ledger._connection.execute(
            select(deliveries.c.body, deliveries.c.kind)
            .where(deliveries.c.kind != DeliveryKind.ALERT.value)
            .order_by(deliveries.c.created_at, deliveries.c.number)
        ).all()
    return [{**json.loads(row.body), "kind": row.kind} for row in rows]


def the_case(store: Store, number: int = 1) -> Case:
    with store.reading() as ledger:
        case = ledger.case(number)
    assert case is not None
    return case


def whats(outcome: Any) -> list[Told]:
    return [] if outcome is None else [one.what for one in outcome.news]


# -- what rings, decided from values ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "after", "expected"),
    [
        (OPEN, 2 * HOUR, []),
        (OPEN, 3 * HOUR, [Told.REMINDER]),
        (OPEN, 4 * HOUR, [Told.LATE]),  # the breach says all a reminder would
        (CLAIMED, HOUR, []),
        (CLAIMED, 2 * HOUR, [Told.SILENT]),
        (CLAIMED, 5 * HOUR, [Told.LATE, Told.SILENT]),
        (replace(CLAIMED, snoozed_until=NOON + 9 * HOUR), 5 * HOUR, []),
        (replace(CLAIMED, snoozed_until=NOON + HOUR), HOUR, [Told.WOKEN]),
        (replace(OPEN, status=CaseStatus.ANSWERED), 9 * DAY, []),
        (replace(OPEN, status=CaseStatus.DISMISSED, closed_at=NOON), 9 * DAY, []),
        (replace(OPEN, respond_by=None, remind_by=None), 9 * DAY, []),
    ],
)
def test_each_clock_rings_at_its_time(case: Case, after: timedelta, expected: list[Told]) -> None:
    assert whats(rung(case, NOON + after, POLICY)) == expected


def test_a_promise_rings_before_it_is_due_and_when_it_is_broken_even_in_a_closed_case() -> None:
    promise = Promise(7, "refund", NOON + DAY, "alice", id=3, remind_by=NOON + 12 * HOUR)
    closed = replace(OPEN, status=CaseStatus.RESOLVED, closed_at=NOON)
    due = rung(closed, NOON + 12 * HOUR, POLICY, promises=[promise])
    assert whats(due) == [Told.PROMISE_DUE]
    assert due is not None
    assert due.promises[0].remind_by is None
    assert due.case.wake_at == promise.due_by
    broken = rung(due.case, NOON + DAY, POLICY, promises=due.promises)
    assert whats(broken) == [Told.PROMISE_BROKEN]
    assert broken is not None
    assert broken.news[0].to == ("alice", "Bob")  # its owner, and the supervisor
    assert broken.promises[0].broken_at == NOON + DAY
    assert broken.promises[0].open  # it is still owed
    assert rung(broken.case, NOON + 9 * DAY, POLICY, promises=broken.promises) is None


def test_the_customer_is_asked_after_a_resolution_and_not_when_they_took_it_back() -> None:
    policy = replace(POLICY, follow_up=FollowUp(after=3 * DAY, survey="https://survey.example/1"))
    resolved = replace(OPEN, status=CaseStatus.RESOLVED, closed_at=NOON, owner="alice")
    asked = rung(resolved, NOON + 3 * DAY, policy)
    assert whats(asked) == [Told.FOLLOW_UP]
    assert asked is not None
    assert (asked.news[0].to, asked.news[0].link) == (("alice",), "https://survey.example/1")
    assert rung(asked.case, NOON + 9 * DAY, policy) is None
    assert rung(resolved, NOON + 3 * DAY, policy, removed=True) is None


moments = st.sampled_from([None, *(NOON + at * HOUR for at in (-2, 0, 1, 3, 5, 30))])


@settings(max_examples=300, deadline=None)
@given(
    status=st.sampled_from(CaseStatus),
    owner=st.sampled_from(["", "alice"]),
    level=st.integers(1, 3),
    fields=st.fixed_dictionaries(
        dict.fromkeys(
            (
                "respond_by",
                "again_by",
                "remind_by",
                "claimed_at",
                "heard_at",
                "snoozed_until",
                "escalated_at",
                "followed_up_at",
            ),
            moments,
        )
    ),
    due=st.lists(st.tuples(moments.filter(bool), moments, moments), max_size=3),
    now=st.integers(0, 40),
)
def test_a_clock_that_rang_is_still_and_the_next_one_lies_ahead(
    status: CaseStatus, owner: str, level: int, fields: dict[str, Any], due: list[Any], now: int
) -> None:
    at = NOON + now * HOUR
    policy = replace(POLICY, follow_up=FollowUp(after=HOUR))
    case = a_case(
        status=status, owner=owner, level=level, closed_at=NOON if status.closed else None, **fields
    )
    promises = [
        Promise(7, "x", by, "alice", id=number, remind_by=remind, broken_at=broken)
        for number, (by, remind, broken) in enumerate(due, start=1)
    ]
    outcome = rung(case, at, policy, promises=promises)
    if outcome is None:
        wake = wake_at(case, promises, policy)
        assert wake is None or wake > at
        return
    assert outcome.news
    assert outcome.case.version == case.version + 1
    assert outcome.case.first_response_at == case.first_response_at
    assert (outcome.case.closed_at is not None) == outcome.case.status.closed
    by_id = {one.id: one for one in (*promises, *outcome.promises)}
    assert all(one.open for one in by_id.values())
    assert outcome.case.wake_at is None or outcome.case.wake_at > at
    assert rung(outcome.case, at, policy, promises=list(by_id.values())) is None


# -- in a store ---------------------------------------------------------------------------------------------


def test_a_case_nobody_answers_goes_up_level_by_level(store: Store) -> None:
    a_store(store)
    assert advance(store, NOON + 2 * HOUR, POLICY) == Advanced()
    assert advance(store, NOON + 3 * HOUR, POLICY).reminded == 1
    assert advance(store, NOON + 4 * HOUR, POLICY).late == 1
    assert the_case(store).level == 2
    assert advance(store, NOON + 4 * HOUR + 29 * MINUTE, POLICY) == Advanced()
    assert advance(store, NOON + 4 * HOUR + 30 * MINUTE, POLICY).late == 1
    assert the_case(store).level == 3
    assert advance(store, NOON + 90 * DAY, POLICY) == Advanced()
    said = told(store)
    assert [one["kind"] for one in said] == ["case_update", "escalation", "escalation"]
    assert [one["broadcast"] for one in said] == [False, True, True]
    assert said[0]["text"] == (
        "REP-0001: Nobody has taken this yet: an answer is due in 60 min, at 22 Nov 2026 16:00 UTC."
    )
    assert said[1]["text"].startswith(
        "LATE: REP-0001 has had no answer for 4 h (target 4 h). Bob: you are next on the escalation list"
    )


def test_twice_at_the_same_time_does_nothing_twice(store: Store) -> None:
    a_store(store, 3)
    first = advance(store, NOON + 5 * HOUR, POLICY)
    assert (first.late, first.messages) == (3, 3)
    assert advance(store, NOON + 5 * HOUR, POLICY) == Advanced()
    assert len(told(store)) == 3
    with store.reading() as ledger:
        assert [event.action for event in ledger.events(1)] == ["late"]


def test_a_clock_set_back_does_no_harm(store: Store) -> None:
    a_store(store)
    advance(store, NOON + 5 * HOUR, POLICY)
    before = the_case(store)
    for back in (NOON, NOON - 365 * DAY, NOON + 4 * HOUR):
        assert advance(store, back, POLICY) == Advanced()
    assert the_case(store) == before


def test_after_a_long_outage_each_case_gets_one_message(store: Store) -> None:
    a_store(store, 230)
    for number in (1, 2):
        act(store, number, Action(kind=Do.CLAIM, actor="alice"), NOON, POLICY)
        act(
            store,
            number,
            Action(kind=Do.PROMISE, actor="alice", promised="x", due_by=NOON + 5 * HOUR),
            NOON,
            POLICY,
        )
    before = len(told(store))
    done = advance(store, NOON + 3 * DAY, POLICY)
    assert done.looked == 230
    assert (done.late, done.returned, done.promises_broken) == (230, 2, 2)
    assert done.messages == 230
    said = told(store)[before:]
    assert len(said) == 230
    # The worst of each hundred ring the channel; the others stand in their threads.
    assert sum(one["broadcast"] for one in said) == 30
    assert the_case(store).level == 2  # whoever is next gets their own time
    assert advance(store, NOON + 3 * DAY, POLICY) == Advanced()


def test_what_a_storm_holds_back_is_not_told_case_by_case(store: Store) -> None:
    a_store(store, 3)
    with store.transaction() as ledger:
        held = update(deliveries).where(deliveries.c.number != 1).values(state=DeliveryState.HELD.value)
        ledger._connection.execute(held)
    done = advance(store, NOON + 5 * HOUR, POLICY)
    assert (done.late, done.messages) == (3, 1)
    assert the_case(store, 3).level == 2  # it is late all the same, and its history says so


def test_a_clock_keeps_the_quiet_hours_of_its_channel(sqlite_store: Store) -> None:
    a_store(sqlite_store)
    night = Route(channel="#alerts", quiet=Quiet(16 * 60, 7 * 60))
    advance(sqlite_store, NOON + 5 * HOUR, replace(POLICY, routes=(night,)))
    with sqlite_store.reading() as ledger:
        (at,) = ledger._connection.execute(
            select(deliveries.c.not_before).where(deliveries.c.kind == DeliveryKind.ESCALATION.value)
        ).scalars()
    assert at == datetime.fromisoformat("2026-11-23T07:00:00+00:00")


def test_a_silent_claimer_loses_the_case_and_the_supervisor_hears_of_it(store: Store) -> None:
    a_store(store)
    act(store, 1, Action(kind=Do.CLAIM, actor="alice"), NOON + HOUR, POLICY)
    act(store, 1, Action(kind=Do.NOTE, actor="alice", text="calling"), NOON + 2 * HOUR, POLICY)
    assert advance(store, NOON + 3 * HOUR + MINUTE, POLICY).returned == 0  # heard of an hour ago
    assert advance(store, NOON + 4 * HOUR, POLICY).returned == 1
    case = the_case(store)
    assert (case.status, case.owner) == (CaseStatus.OPEN, "")
    with store.reading() as ledger:
        assert "Alice took it and was not heard of for 2 h" in [one.detail for one in ledger.events(1)]


def test_what_a_person_does_stops_the_clocks(store: Store) -> None:
    a_store(store)
    act(store, 1, Action(kind=Do.ANSWER, actor="alice"), NOON + HOUR, POLICY)
    assert the_case(store).wake_at is None
    assert advance(store, NOON + 9 * DAY, POLICY) == Advanced()


def test_a_snoozed_case_comes_back_with_one_message(store: Store) -> None:
    a_store(store)
    until = NOON + 9 * HOUR
    act(store, 1, Action(kind=Do.SNOOZE, actor="alice", until=until), NOON, POLICY)
    assert advance(store, NOON + 8 * HOUR, POLICY) == Advanced()
    done = advance(store, until, POLICY)
    assert (done.woken, done.late, done.messages) == (0, 1, 1)
    assert the_case(store).snoozed_until is None
    with store.reading() as ledger:
        assert [one.action for one in ledger.events(1)] == ["snoozed", "woken", "late"]


def test_a_promise_outlives_the_post_it_was_made_for(store: Store) -> None:
    a_store(store)
    act(
        store,
        1,
        Action(kind=Do.PROMISE, actor="alice", promised="refund", due_by=NOON + DAY),
        NOON,
        POLICY,
    )
    with store.transaction() as ledger:
        ledger.remove([Removal("shop", "r1")], NOON)
    assert advance(store, NOON + DAY, POLICY).promises_broken == 1


def test_hours_are_those_of_the_brand(store: Store) -> None:
    desk = Calendar(week=(((9 * 60, 18 * 60),),) * 5 + ((), ()))  # NOON is a Sunday
    policy = replace(POLICY, brand_calendars={"Acme": desk})
    a_store(store)
    advance(store, NOON + 4 * HOUR, policy)
    # Half an hour after the breach on a Sunday is half past nine on Monday.
    assert the_case(store).wake_at == datetime.fromisoformat("2026-11-23T09:30:00+00:00")


def test_a_change_at_the_same_moment_goes_first(store: Store) -> None:
    a_store(store)
    with store.reading() as ledger:
        reviewed = ledger.reviewed(1)
    assert reviewed is not None
    act(store, 1, Action(kind=Do.ANSWER, actor="alice"), NOON + 5 * HOUR, POLICY)
    advance(store, NOON + 5 * HOUR, POLICY)
    assert the_case(store).status is CaseStatus.ANSWERED
    with pytest.raises(Refused):
        act(store, 1, Action(kind=Do.REOPEN, actor="alice"), NOON, POLICY)


def test_what_rang_arrives_in_the_thread_of_the_card(sqlite_store: Store) -> None:
    a_store(sqlite_store)
    clock = Clock(NOON)
    road = Road(clock=clock)
    carry = courier(sqlite_store, road, clock)
    carry.run()
    clock.now = NOON + 4 * HOUR
    advance(sqlite_store, clock.now, POLICY)
    carry.run()
    card, late = road.arrived
    assert late.thread_id == "ts1"
    assert late.broadcast
    assert late.text.startswith("LATE: REP-0001")
    assert card.kind == "alert"
    assert road.edits  # and the card says that it is late
