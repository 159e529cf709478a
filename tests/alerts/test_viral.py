"""Does a post that spreads fast rise, with the reason on its card, and one that grows slowly not?"""

from __future__ import annotations

from datetime import timedelta

from alerting import NOON, mention
from hypothesis import given
from hypothesis import strategies as st
from stormy import bad, post, take

from alerts.routing import Quiet, Route
from alerts.viral import jumped, jumps, spread
from storage.records import DeliveryKind, Priority
from storage.store import Store

HOUR = timedelta(hours=1)
ROUTE = Route(channel="#alerts", priority=Priority.NORMAL)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.floats(0, 1_000))
def test_more_reach_never_unmakes_a_jump_and_more_time_never_makes_one(
    before: int, after: int, hours: float
) -> None:
    if jumped(before, after, hours):
        assert jumped(before, after + 1, hours)
        assert jumped(before, after, hours / 2)
        assert after > before


def test_friends_and_slow_growth_are_no_jump() -> None:
    assert not jumped(1, 60, 1)
    assert not jumped(1_000, 1_900, 1)
    assert not jumped(0, 500, 24 * 7)
    assert jumped(0, 500, 12)


def grown(
    store: Store, before: int, after: int, later: timedelta, *, routes: tuple[Route, ...] = (ROUTE,)
) -> int:
    with store.transaction() as ledger:
        found = jumps(ledger, {1: (before, after)}, NOON + later)
        return spread(ledger, found, routes, NOON + later)


def one_case(store: Store, priority: Priority = Priority.HIGH, routes: tuple[Route, ...] = (ROUTE,)) -> None:
    take(store, [(post(1, NOON, reach=40), bad(priority=priority))], NOON, routes=routes)


def test_a_jump_raises_the_case_one_step_and_says_so(store: Store) -> None:
    one_case(store)
    assert grown(store, 40, 1_240, 3 * HOUR) == 1
    with store.reading() as ledger:
        reviewed = ledger.reviewed(1)
        assert reviewed is not None
        assert reviewed.case.priority is Priority.URGENT
        assert reviewed.verdict.reasons[0] == "reach 40 → 1,240 in 3 h"
        assert ("priority raised", "reach 40 → 1,240 in 3 h") in [
            (event.action, event.detail) for event in ledger.events(1)
        ]
        (card,) = ledger.cards_of([1])
        assert (card.priority, card.wanted_version) == (Priority.URGENT, 2)
        assert sum(ledger.outbox_counts().values()) == 2  # the word in its thread


def test_the_same_reach_is_a_jump_once(store: Store) -> None:
    one_case(store, Priority.NORMAL)
    assert grown(store, 40, 1_240, HOUR) == 1
    assert grown(store, 1_240, 1_300, 2 * HOUR) == 0
    assert grown(store, 1_300, 9_000, 3 * HOUR) == 1
    with store.reading() as ledger:
        reviewed = ledger.reviewed(1)
        assert reviewed is not None
        assert reviewed.case.priority is Priority.URGENT
        assert [reason for reason in reviewed.verdict.reasons if "→" in reason] == [
            "reach 1,240 → 9,000 in 2 h"
        ]


def test_steps_of_a_fast_growth_add_up_and_those_of_a_slow_one_do_not(store: Store) -> None:
    one_case(store)
    steps = [130, 200, 290, 400]
    raised = [
        grown(store, a, b, n * HOUR) for n, (a, b) in enumerate(zip([40, *steps], steps, strict=False), 1)
    ]
    assert sum(raised) == 1
    slow = [grown(store, a, a + 150, (30 + 30 * n) * HOUR) for n, a in enumerate(range(450, 2_000, 150), 1)]
    assert sum(slow) == 0


def test_a_closed_case_stays_as_it_is(store: Store) -> None:
    from alerts.actions import act
    from alerts.cases import Action, Do
    from alerts.sla import STANDARD

    one_case(store)
    act(store, 1, Action(kind=Do.DISMISS, actor="alice"), NOON, STANDARD)
    assert grown(store, 40, 1_240, HOUR) == 0


def test_what_became_urgent_does_not_wait_for_the_morning(store: Store) -> None:
    routes = (Route(channel="#alerts", quiet=Quiet(11 * 60, 20 * 60)),)
    one_case(store, routes=routes)
    grown(store, 40, 1_240, HOUR, routes=routes)
    with store.transaction() as ledger:
        taken = ledger.claim_post("slack", "#alerts", NOON + HOUR, pace=timedelta(0))
    assert taken is not None
    assert taken.kind is DeliveryKind.ALERT


def test_a_mild_post_that_spreads_becomes_a_case(store: Store) -> None:
    from monitor.ingest import Desk, ingest
    from monitor.match import Brand, Matcher
    from monitor.triage import Thresholds
    from storage.records import Kind, Label, Sentiment

    desk = Desk(
        matcher=Matcher([Brand(name="Acme", terms=("Acme",))]),
        analyse=lambda text: Sentiment(-0.2, Label.NEGATIVE),
        thresholds=Thresholds(),
        routes=(Route(channel="#alerts", priority=Priority.HIGH),),
        max_age=timedelta(days=30),
    )

    def seen(reach: int) -> list[object]:
        return [
            mention(1, kind=Kind.POST, stars=None, text="Acme was not what I had hoped for.", reach=reach)
        ]

    assert ingest(seen(10), store, desk, NOON).flagged == 0  # type: ignore[arg-type]
    assert ingest(seen(30), store, desk, NOON + HOUR).flagged == 0  # type: ignore[arg-type]
    assert ingest(seen(700), store, desk, NOON + 2 * HOUR).flagged == 1  # type: ignore[arg-type]
    with store.reading() as ledger:
        (reviewed,) = ledger.cases_worst_first()
    assert reviewed.verdict.reasons[0].startswith("reach 30 → 700")
