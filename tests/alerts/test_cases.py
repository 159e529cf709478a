"""Does a case live by its table, whoever does what to it, in whatever order?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from alerting import case as a_case
from alerting import mention, verdict
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.cases import (
    LOWSTAR,
    Action,
    Do,
    Judged,
    Outcome,
    Refused,
    Told,
    Why,
    Wrong,
    apply,
    edited,
    opened,
    withdrawn,
)
from alerts.customers import Customer, Customers
from alerts.people import People, Person
from alerts.routing import Route
from alerts.sla import STANDARD, Calendar, Policy, Step
from storage.records import Case, CaseEvent, CaseStatus, Priority, Promise

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
S = CaseStatus
PEOPLE = People(
    [
        Person(key="alice", name="Alice Adams", slack="U01ALICE", email="alice@acme.example"),
        Person(key="bob", name="Bob Brown", slack="U02BOB7"),
        Person(key="carol"),
    ]
)
POLICY = Policy(
    people=PEOPLE,
    steps=(Step(people=("U02BOB7",)), Step(people=("carol",), after=30 * MINUTE)),
)
ALICE, BOB = "U01ALICE", "U02BOB7"


def standing(status: CaseStatus, **more: object) -> Case:
    """A case as it stands in this status, Alice's where it is somebody's."""
    values: dict[str, object] = {
        "status": status,
        "opened_at": NOW - HOUR,
        "respond_by": NOW + 3 * HOUR,
        "version": 5,
    }
    if status is not S.OPEN:
        values |= {"owner": ALICE, "claimed_at": NOW - 30 * MINUTE, "heard_at": NOW - 30 * MINUTE}
    if status is S.ANSWERED or status is S.RESOLVED:
        values |= {"first_response_at": NOW - 20 * MINUTE}
    if status.closed:
        values |= {"closed_at": NOW - 10 * MINUTE}
    return a_case(7, **{**values, **more})


def doing(kind: Do, actor: str = "alice", **more: object) -> Action:
    """An action with all it needs."""
    values: dict[str, object] = {
        "kind": kind,
        "actor": actor,
        "text": "because",
        "until": NOW + DAY,
        "promised": "a refund",
        "due_by": NOW + 2 * DAY,
        "assignee": "bob",
    }
    if kind is Do.ANSWER:
        values |= {"promised": "", "due_by": None}
    return Action(**{**values, **more})  # type: ignore[arg-type]


def do(case: Case, action: Action, policy: Policy = POLICY, **more: object) -> Outcome:
    return apply(case, action, NOW, policy, **more)  # type: ignore[arg-type]


OWED = Promise(7, "a refund", NOW + DAY, ALICE, id=3)

# What each action makes of a case of each status: the status after it, or what is said instead.
# Columns: open, claimed by Alice, answered by Alice, resolved, dismissed.
CLOSED = "REP-0007 is closed: reopen it first"
TABLE: dict[Do, tuple[tuple[str, dict[str, object]], list[CaseStatus | str]]] = {
    Do.CLAIM: (
        ("bob", {}),
        [S.CLAIMED, "Alice Adams took this 30 min ago", "Alice Adams took", CLOSED, CLOSED],
    ),
    Do.ASSIGN: (("alice", {}), [S.CLAIMED, S.CLAIMED, S.ANSWERED, CLOSED, CLOSED]),
    Do.RELEASE: (("alice", {}), ["Nobody has REP-0007", S.OPEN, S.ANSWERED, CLOSED, CLOSED]),
    Do.ANSWER: (("alice", {}), [S.ANSWERED, S.ANSWERED, S.ANSWERED, CLOSED, CLOSED]),
    Do.PROMISE: (("alice", {}), [S.OPEN, S.CLAIMED, S.ANSWERED, CLOSED, CLOSED]),
    Do.KEEP_PROMISE: (("alice", {}), [S.OPEN, S.CLAIMED, S.ANSWERED, S.RESOLVED, S.DISMISSED]),
    Do.EXTEND_PROMISE: (("alice", {}), [S.OPEN, S.CLAIMED, S.ANSWERED, S.RESOLVED, S.DISMISSED]),
    Do.DROP_PROMISE: (("alice", {}), [S.OPEN, S.CLAIMED, S.ANSWERED, S.RESOLVED, S.DISMISSED]),
    Do.ESCALATE: (("alice", {}), [S.OPEN, S.CLAIMED, S.ANSWERED, CLOSED, CLOSED]),
    Do.SNOOZE: (("alice", {}), [S.OPEN, S.CLAIMED, S.ANSWERED, CLOSED, CLOSED]),
    Do.UNSNOOZE: (("alice", {}), ["is not snoozed", "is not snoozed", "is not snoozed", CLOSED, CLOSED]),
    Do.RESOLVE: (("alice", {"settle": True}), [S.RESOLVED, S.RESOLVED, S.RESOLVED, CLOSED, CLOSED]),
    Do.DISMISS: (("alice", {"settle": True}), [S.DISMISSED, S.DISMISSED, S.DISMISSED, CLOSED, CLOSED]),
    Do.REOPEN: (("alice", {}), ["is open, not", "is claimed, not", "is answered, not", S.OPEN, S.OPEN]),
    Do.CORRECT: (
        ("alice", {"wrong": Wrong.NOT_US}),
        [S.OPEN, S.CLAIMED, S.ANSWERED, S.RESOLVED, S.DISMISSED],
    ),
    Do.NOTE: (("alice", {}), [S.OPEN, S.CLAIMED, S.ANSWERED, S.RESOLVED, S.DISMISSED]),
}
CELLS = [
    (kind, status, wanted)
    for kind, (_, row) in TABLE.items()
    for status, wanted in zip(CaseStatus, row, strict=True)
]


def test_the_table_knows_every_action_and_every_status() -> None:
    assert set(TABLE) == set(Do)
    assert [status.value for status in CaseStatus] == ["open", "claimed", "answered", "resolved", "dismissed"]


@pytest.mark.parametrize(("kind", "status", "wanted"), CELLS, ids=lambda one: getattr(one, "value", ""))
def test_every_action_does_to_every_status_what_the_table_says(
    kind: Do, status: CaseStatus, wanted: CaseStatus | str
) -> None:
    (actor, more), _ = TABLE[kind]
    before = standing(status)
    action = doing(kind, actor, **more)
    if not isinstance(wanted, CaseStatus):
        with pytest.raises(Refused, match=wanted) as refused:
            do(before, action, promises=[OWED])
        assert refused.value.case == before
        return
    done = do(before, action, promises=[OWED])
    assert done.case.status is wanted
    assert done.case.version == before.version + 1
    assert done.events
    assert {event.version for event in done.events} == {done.case.version}
    assert {event.actor for event in done.events} == {PEOPLE.id(actor)}
    assert (done.case.closed_at is not None) == wanted.closed


def test_a_snooze_is_ended_by_whoever_does_something() -> None:
    snoozed = standing(S.CLAIMED, snoozed_until=NOW + DAY)
    for kind in (Do.UNSNOOZE, Do.ANSWER, Do.ASSIGN, Do.RELEASE, Do.ESCALATE, Do.RESOLVE, Do.DISMISS):
        assert do(snoozed, doing(kind)).case.snoozed_until is None, kind
    for kind in (Do.NOTE, Do.PROMISE):
        assert do(snoozed, doing(kind)).case.snoozed_until == NOW + DAY


# -- who was faster -----------------------------------------------------------------------------------------


def test_a_stale_button_is_told_who_did_what_and_when() -> None:
    history = [
        CaseEvent(7, NOW - HOUR, LOWSTAR, "opened", "", 1),
        CaseEvent(7, NOW - 2 * MINUTE, ALICE, Told.DISMISSED, "spam", 5),
    ]
    with pytest.raises(Refused, match=r"^Alice Adams dismissed this 2 min ago$"):
        do(standing(S.OPEN), doing(Do.SNOOZE, "bob", version=4), history=history)


def test_a_stale_claim_names_the_one_who_took_it() -> None:
    history = [CaseEvent(7, NOW - 2 * MINUTE, ALICE, Told.CLAIMED, "", 5)]
    taken = standing(S.CLAIMED, claimed_at=NOW - 2 * MINUTE)
    with pytest.raises(Refused, match=r"^Alice Adams took this 2 min ago$"):
        do(taken, doing(Do.CLAIM, "bob", version=4), history=history)


def test_what_a_clock_noted_meanwhile_refuses_nobody() -> None:
    history = [CaseEvent(7, NOW, LOWSTAR, Told.LATE, "level 2 of 3", 5)]
    assert do(standing(S.OPEN), doing(Do.CLAIM, "bob", version=4), history=history).case.owner == BOB


def test_what_its_author_changed_meanwhile_refuses() -> None:
    history = [CaseEvent(7, NOW - MINUTE, LOWSTAR, "recovered", "1 → 5", 5)]
    with pytest.raises(Refused, match=r"Its author changed the stars 60 s ago|1 min ago"):
        do(standing(S.OPEN), doing(Do.CLAIM, "bob", version=4), history=history)


def test_what_one_did_oneself_is_no_reason_and_is_not_done_twice() -> None:
    history = [CaseEvent(7, NOW - MINUTE, ALICE, Told.CLAIMED, "", 5)]
    claimed = standing(S.CLAIMED)
    assert do(claimed, doing(Do.ANSWER, version=4), history=history).case.status is S.ANSWERED
    with pytest.raises(Refused, match="You have REP-0007 already"):
        do(claimed, doing(Do.CLAIM, version=4), history=history)
    again = [*history, CaseEvent(7, NOW, ALICE, Told.NOTED, "x", 6)]
    with pytest.raises(Refused, match="You did that already, just now"):
        do(replace(claimed, version=6), doing(Do.NOTE, version=5), history=again)


@pytest.mark.parametrize("seen", [1, 4, 6, 99, -1])
def test_a_version_nobody_can_explain_is_refused(seen: int) -> None:
    with pytest.raises(Refused, match="has changed since you saw it"):
        do(standing(S.OPEN), doing(Do.CLAIM, version=seen))


def test_a_person_is_one_owner_whatever_they_are_called() -> None:
    for word in ("alice", "@Alice", "U01ALICE", "Alice Adams", "ALICE@acme.example"):
        assert do(standing(S.OPEN), doing(Do.CLAIM, word)).case.owner == ALICE
    assert do(standing(S.OPEN), doing(Do.CLAIM, "stranger")).case.owner == "stranger"


def test_nobody_cannot_act() -> None:
    with pytest.raises(Refused, match="Nobody knows who you are"):
        do(standing(S.OPEN), doing(Do.CLAIM, "  "))


def test_a_case_is_not_given_to_somebody_nobody_knows() -> None:
    with pytest.raises(Refused, match=r"no 'alcie' in \[people\]: alice, bob, carol"):
        do(standing(S.OPEN), doing(Do.ASSIGN, assignee="alcie"))
    assert do(standing(S.OPEN), doing(Do.ASSIGN, assignee="U099NEW9")).case.owner == "U099NEW9"


def test_whoever_wants_to_take_over_assigns_it_to_themselves() -> None:
    done = do(standing(S.CLAIMED), doing(Do.ASSIGN, "bob", assignee="bob"))
    assert done.case.owner == BOB
    assert done.news[0].to == ()  # nobody is rung for what they did themselves


# -- answers and promises -----------------------------------------------------------------------------------


def test_the_first_answer_is_measured_once() -> None:
    first = do(standing(S.CLAIMED), doing(Do.ANSWER)).case
    assert first.first_response_at == NOW
    later = apply(first, doing(Do.ANSWER, version=None), NOW + HOUR, POLICY).case
    assert later.first_response_at == NOW


def test_an_answer_with_a_promise_keeps_both() -> None:
    done = do(standing(S.OPEN), doing(Do.ANSWER, promised="the refund", due_by=NOW + 3 * DAY, link=""))
    assert [one.text for one in done.promises] == ["the refund"]
    assert done.promises[0].remind_by == NOW + 2 * DAY
    assert done.news[0].promise == done.promises[0]
    assert done.case.wake_at == NOW + 2 * DAY
    assert [event.action for event in done.events] == ["answered", "promised"]


def test_a_promise_without_words_is_a_promise_to_be_back() -> None:
    done = do(standing(S.CLAIMED), doing(Do.ANSWER, due_by=NOW + 2 * HOUR))
    assert done.promises[0].text == "to be back"
    assert done.promises[0].remind_by == NOW + HOUR


@pytest.mark.parametrize("due", [None, NOW, NOW - HOUR, NOW + 500 * DAY])
def test_a_promise_has_a_date_that_can_be(due: datetime | None) -> None:
    with pytest.raises(Refused, match=r"has a date|is past|more than a year"):
        do(standing(S.CLAIMED), doing(Do.PROMISE, due_by=due))


@pytest.mark.parametrize("link", ["javascript:alert(1)", "shop.example", "https://a b"])
def test_an_answer_links_to_the_web_or_nowhere(link: str) -> None:
    with pytest.raises(Refused, match="no web address"):
        do(standing(S.CLAIMED), doing(Do.ANSWER, link=link))


@pytest.mark.parametrize("kind", [Do.RESOLVE, Do.DISMISS])
def test_no_case_is_closed_over_a_promise(kind: Do) -> None:
    with pytest.raises(
        Refused, match=r"“a refund” is promised by 2026-11-24 12:00 UTC: say that it was kept"
    ):
        do(standing(S.ANSWERED), doing(kind), promises=[OWED])
    done = do(standing(S.ANSWERED), doing(kind, settle=True), promises=[OWED])
    assert [one.kept_at for one in done.promises] == [NOW]
    assert Told.PROMISE_KEPT in [event.action for event in done.events]


def test_of_several_promises_one_says_which() -> None:
    two = [OWED, replace(OWED, id=4, text="a call")]
    with pytest.raises(Refused, match=r"2 promises are owed, say which: 3 \(a refund\), 4 \(a call\)"):
        do(standing(S.ANSWERED), doing(Do.KEEP_PROMISE), promises=two)
    assert do(standing(S.ANSWERED), doing(Do.KEEP_PROMISE, promise=4), promises=two).promises[0].id == 4


def test_a_button_of_a_promise_that_was_moved_or_kept_is_refused() -> None:
    moved = replace(OWED, version=2)
    with pytest.raises(Refused, match="Its date was moved"):
        do(standing(S.ANSWERED), doing(Do.KEEP_PROMISE, promise=3, promise_version=1), promises=[moved])
    kept = replace(OWED, kept_at=NOW - MINUTE)
    with pytest.raises(Refused, match=r"kept already, 60 s ago|kept already, 1 min ago"):
        do(standing(S.ANSWERED), doing(Do.KEEP_PROMISE, promise=3), promises=[kept])


def test_a_promise_that_is_moved_is_reminded_of_anew() -> None:
    broken = replace(OWED, due_by=NOW - HOUR, broken_at=NOW - HOUR)
    done = do(standing(S.ANSWERED), doing(Do.EXTEND_PROMISE, due_by=NOW + 4 * DAY), promises=[broken])
    assert done.promises[0].broken_at is None
    assert done.promises[0].remind_by == NOW + 3 * DAY
    assert done.promises[0].version == 2


# -- up, down, closed, open again ---------------------------------------------------------------------------


def test_escalation_goes_up_the_list_and_no_further() -> None:
    second = do(standing(S.OPEN), doing(Do.ESCALATE))
    assert second.case.level == 2
    assert second.news[0].to == (BOB,)
    assert second.news[0].what.broadcast
    third = do(second.case, doing(Do.ESCALATE))
    assert third.news[0].to == ("carol",)
    with pytest.raises(Refused, match="level 3 of 3 already"):
        do(third.case, doing(Do.ESCALATE))


def test_without_a_list_the_channel_is_told_once() -> None:
    done = do(standing(S.OPEN), doing(Do.ESCALATE), STANDARD)
    assert done.case.level == 2
    assert done.news[0].to == ()


@pytest.mark.parametrize("why", list(Why))
def test_a_dismissal_says_why_and_the_judge_learns_from_two_of_them(why: Why) -> None:
    done = do(standing(S.OPEN), doing(Do.DISMISS, why=why, duplicate_of=3, text=""))
    assert done.case.outcome.startswith(why.words)
    wrong = [one.wrong for one in done.corrections]
    assert wrong == ([why.value] if why in (Why.NOT_US, Why.NOT_NEGATIVE) else [])


@pytest.mark.parametrize("of", [0, 7, -1])
def test_a_duplicate_is_one_of_another_case(of: int) -> None:
    with pytest.raises(Refused, match="of which other case"):
        do(standing(S.OPEN), doing(Do.DISMISS, why=Why.DUPLICATE, duplicate_of=of))


def test_more_urgent_raises_one_step_and_is_remembered() -> None:
    done = do(standing(S.OPEN, priority=Priority.HIGH), doing(Do.CORRECT, wrong=Wrong.MORE_URGENT))
    assert done.case.priority is Priority.URGENT
    assert done.corrections[0].wrong == "more_urgent"
    with pytest.raises(Refused, match="urgent already"):
        do(done.case, doing(Do.CORRECT, wrong=Wrong.MORE_URGENT))


def test_a_reopened_case_gets_its_time_again_and_its_first_answer_stays() -> None:
    resolved = standing(S.RESOLVED, level=3, escalated_at=NOW - DAY, outcome="refunded")
    done = do(resolved, doing(Do.REOPEN))
    assert done.case.status is S.OPEN
    assert done.case.owner == ""
    assert done.case.level == 1
    assert done.case.escalated_at is None
    assert done.case.first_response_at == resolved.first_response_at
    assert done.case.respond_by == resolved.respond_by
    assert done.case.answer_by == NOW + 4 * HOUR
    assert done.case.remind_by == NOW + 3 * HOUR
    assert done.news[0].what.broadcast
    answered = do(done.case, doing(Do.ANSWER)).case
    assert answered.again_by is None


# -- any order ----------------------------------------------------------------------------------------------


def _actions() -> st.SearchStrategy[Action]:
    return st.builds(
        Action,
        kind=st.sampled_from(Do),
        actor=st.sampled_from(["alice", "bob", "carol", "stranger"]),
        text=st.sampled_from(["", "words"]),
        assignee=st.sampled_from(["alice", "bob", ""]),
        until=st.sampled_from([None, NOW + 10 * DAY]),
        promised=st.sampled_from(["", "a call"]),
        due_by=st.sampled_from([None, NOW + 10 * DAY, NOW + 11 * DAY]),
        promise=st.sampled_from([0, 1, 2]),
        why=st.sampled_from(Why),
        duplicate_of=st.sampled_from([0, 3]),
        wrong=st.sampled_from(Wrong),
        settle=st.booleans(),
    )


@settings(max_examples=300, deadline=None)
@given(st.lists(_actions(), max_size=25))
def test_whatever_happens_no_case_loses_its_history_its_answer_or_a_promise(several: list[Action]) -> None:
    case, promises, history = standing(S.OPEN), {}, list[CaseEvent]()  # type: ignore[var-annotated]
    said: list[tuple[str, bool]] = []
    now = NOW
    for action in several:
        now += MINUTE
        before = dict(promises)
        try:
            done = apply(case, action, now, POLICY, promises=list(promises.values()), history=history)
        except Refused as refused:
            said.append((str(refused), refused.case == case))
            continue
        assert done.case.version == case.version + 1
        assert len(done.events) >= 1
        assert (done.case.closed_at is not None) == done.case.status.closed
        if case.first_response_at is not None:
            assert done.case.first_response_at == case.first_response_at
        assert done.case.status is not S.CLAIMED or done.case.owner
        assert done.case.number == case.number
        for promise in done.promises:
            promises[promise.id or len(promises) + 1] = (
                promise if promise.id else replace(promise, id=len(promises) + 1)
            )
        for key, was in before.items():
            # Owed, or ended by a word in the history: never gone.
            assert promises[key].open or not was.open or done.events
        if done.case.status.closed and not case.status.closed:
            assert not any(one.open for one in promises.values())
        case = done.case
        history += done.events
    assert all(words and same for words, same in said)
    assert [event.at for event in history] == sorted(event.at for event in history)


# -- what its source does -----------------------------------------------------------------------------------


def judged(stars: float = 1.0, before: float | None = None, *, new: bool = True, **more: object) -> Judged:
    return Judged(1, mention(1, stars=stars, **more), verdict(), new, before)


def test_a_case_is_due_in_the_hours_of_its_brand() -> None:
    desk = Calendar(week=(((9 * 60, 18 * 60),),) * 5 + ((), ()))
    friday = datetime(2026, 11, 27, 17, 0, tzinfo=UTC)
    policy = Policy(brand_calendars={"Acme": desk})
    case = opened(judged(), Route(channel="#a", respond_within=2 * HOUR), friday, policy)
    assert case.respond_by == datetime(2026, 11, 30, 10, 0, tzinfo=UTC)
    assert case.remind_by == datetime(2026, 11, 30, 9, 30, tzinfo=UTC)
    assert case.wake_at == case.remind_by


def test_a_priority_may_have_its_own_time() -> None:
    route = Route(channel="#a", respond_sooner=((Priority.URGENT, 30 * MINUTE),))
    assert opened(judged(), route, NOW).respond_by == NOW + 30 * MINUTE


def test_a_customer_ranks_higher_and_never_past_the_priority() -> None:
    policy = Policy(customers=Customers([Customer(handle="J. Doe", source="shop", value=900)]))
    route = Route(channel="#a")
    assert opened(judged(), route, NOW).rank == 0.5
    assert 0.5 < opened(judged(), route, NOW, policy).rank < 1


def test_a_closed_case_opens_again_when_its_stars_fall() -> None:
    case, events = edited(standing(S.RESOLVED), judged(1, 4, new=False), NOW, POLICY)
    assert case.status is S.OPEN
    assert case.answer_by == NOW + 4 * HOUR
    assert [event.action for event in events] == ["reopened"]
    case, events = edited(standing(S.RESOLVED), judged(5, 1, new=False), NOW, POLICY)
    assert case.recovered
    assert case.status is S.RESOLVED


def test_a_deleted_mention_closes_its_case_and_keeps_the_clock_of_its_promises() -> None:
    case, _ = withdrawn(standing(S.CLAIMED, snoozed_until=NOW + DAY), "deleted by its author", NOW)
    assert case.status is S.DISMISSED
    assert case.closed_at == NOW
    assert case.snoozed_until is None
    assert case.wake_at == NOW
