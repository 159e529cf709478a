"""Is each case opened once, changed by one person at a time, and shown worst first?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.records import (
    Case,
    CaseEvent,
    CaseStatus,
    Correction,
    Label,
    Mention,
    Priority,
    Promise,
    Removal,
    Sentiment,
    Verdict,
)
from storage.store import Ledger, Store

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _verdict(brand: str = "Acme", priority: Priority = Priority.HIGH, rank: float = 0.5) -> Verdict:
    return Verdict(brand, Sentiment(-0.5, Label.NEGATIVE), priority, rank, ("one star",), ("price",))


def _filed(ledger: Ledger, external_id: str = "1", source: str = "shop", stars: float | None = 1.0) -> int:
    """The id of a mention with a verdict."""
    mention = Mention(source=source, external_id=external_id, text="bad", stars=stars)
    identity = ledger.write_mentions([mention], NOW)[mention.key].id
    ledger.write_verdicts([(identity, mention, _verdict())])
    return identity


def _case(mention_id: int, brand: str = "Acme", **fields: object) -> Case:
    wanted: dict[str, object] = {
        "number": 0,
        "mention_id": mention_id,
        "brand": brand,
        "status": CaseStatus.OPEN,
        "priority": Priority.HIGH,
        "rank": 0.5,
        "opened_at": NOW,
        **fields,
    }
    return Case(**wanted)  # type: ignore[arg-type]


def test_a_case_gets_its_number_from_the_database(store: Store) -> None:
    with store.transaction() as ledger:
        wanted = _case(_filed(ledger), channel="#alerts", respond_by=NOW + HOUR)
        [opened] = ledger.open_cases([wanted])
        assert opened == replace(wanted, number=opened.number)
        assert opened.number > 0
        assert ledger.case(opened.number) == opened
        assert ledger.case(4711) is None


def test_there_is_one_case_a_mention_and_brand(store: Store) -> None:
    with store.transaction() as ledger:
        first, second = _filed(ledger, "1"), _filed(ledger, "2")
        [case] = ledger.open_cases([_case(first), _case(first, rank=0.9)])
        assert case.rank == 0.5
        opened = ledger.open_cases([_case(first), _case(first, "Bolt"), _case(second)])
        assert sorted((one.mention_id, one.brand) for one in opened) == [(first, "Bolt"), (second, "Acme")]
        assert ledger.open_cases([_case(first)]) == []
        assert {one.number for one in ledger.cases_of([first])} == {case.number} | {
            one.number for one in opened if one.mention_id == first
        }
        assert ledger.open_cases([]) == ledger.cases_of([]) == []


def test_refused_cases_use_up_no_numbers(store: Store) -> None:
    with store.transaction() as ledger:
        first = _filed(ledger, "1")
        [case] = ledger.open_cases([_case(first)])
        for _ in range(5):
            ledger.open_cases([_case(first)])
        [following] = ledger.open_cases([_case(_filed(ledger, "2"))])
        assert following.number == case.number + 1


def test_a_number_is_never_given_twice(store: Store) -> None:
    with store.transaction() as ledger:
        [case] = ledger.open_cases([_case(_filed(ledger))])
        ledger._connection.exec_driver_sql("DELETE FROM cases")
        [following] = ledger.open_cases([_case(_filed(ledger, "2"))])
        assert following.number > case.number


def test_of_two_who_act_on_the_same_version_one_wins(store: Store) -> None:
    with store.transaction() as ledger:
        [case] = ledger.open_cases([_case(_filed(ledger))])
    hers = replace(case, owner="ana", status=CaseStatus.CLAIMED, version=2)
    his = replace(case, owner="bo", status=CaseStatus.DISMISSED, version=2, closed_at=NOW)
    with store.transaction() as ledger:
        assert ledger.save_case(hers, was_version=1)
    with store.transaction() as ledger:
        assert not ledger.save_case(his, was_version=1)
        assert ledger.case(case.number) == hers
        assert not ledger.save_case(replace(his, number=4711), was_version=1)


def test_every_field_that_may_change_is_saved(store: Store) -> None:
    with store.transaction() as ledger:
        [case] = ledger.open_cases([_case(_filed(ledger))])
        after = replace(
            case,
            status=CaseStatus.RESOLVED,
            priority=Priority.LOW,
            rank=0.25,
            channel="#other",
            owner="ana",
            level=3,
            version=7,
            respond_by=NOW + HOUR,
            first_response_at=NOW,
            closed_at=NOW + HOUR,
            outcome="refunded",
            recovered=True,
        )
        assert ledger.save_case(after, was_version=1)
        assert ledger.case(case.number) == after


def test_a_history_is_kept_in_order(store: Store) -> None:
    with store.transaction() as ledger:
        first, second = ledger.open_cases([_case(_filed(ledger, "1")), _case(_filed(ledger, "2"))])
        history = [
            CaseEvent(first.number, NOW + HOUR, "ana", "claim"),
            CaseEvent(first.number, NOW, "lowstar", "note", "said late"),
        ]
        ledger.add_events([*history, CaseEvent(second.number, NOW, "bo", "claim")])
        ledger.add_events([])
        assert ledger.events(first.number) == history


def test_a_reviewed_case_has_its_mention_and_its_verdict(store: Store) -> None:
    with store.transaction() as ledger:
        identity = _filed(ledger, stars=5.0)
        [case] = ledger.open_cases([_case(identity)])
        edited = Mention(source="shop", external_id="1", text="awful", stars=1.0)
        ledger.write_mentions([edited], NOW + HOUR)
        reviewed = ledger.reviewed(case.number)
        assert reviewed is not None
        assert (reviewed.case, reviewed.mention, reviewed.verdict) == (case, edited, _verdict())
        assert (reviewed.first_seen_at, reviewed.stars_before, reviewed.removed) == (NOW, 5.0, False)
        assert ledger.reviewed_many([case.number, 4711]) == {case.number: reviewed}
        assert ledger.reviewed(4711) is None
        assert ledger.reviewed_many([]) == {}


def test_an_edit_that_left_the_stars_alone_shows_no_stars_before(store: Store) -> None:
    with store.transaction() as ledger:
        [case] = ledger.open_cases([_case(_filed(ledger, stars=1.0))])
        ledger.write_mentions([Mention(source="shop", external_id="1", text="worse", stars=1.0)], NOW)
        reviewed = ledger.reviewed(case.number)
        assert reviewed is not None
        assert reviewed.stars_before is None


def test_a_case_whose_brand_was_edited_out_can_still_be_shown(store: Store) -> None:
    with store.transaction() as ledger:
        identity = _filed(ledger)
        [case] = ledger.open_cases([_case(identity)])
        ledger.write_verdicts([], of=[identity])
        reviewed = ledger.reviewed(case.number)
        assert reviewed is not None
        assert reviewed.verdict.sentiment.label is Label.UNREAD
        assert (reviewed.verdict.priority, reviewed.verdict.rank) == (case.priority, case.rank)


def test_a_case_of_a_removed_mention_says_so(store: Store) -> None:
    with store.transaction() as ledger:
        [case] = ledger.open_cases([_case(_filed(ledger))])
        ledger.remove([Removal("shop", "1")], NOW)
        reviewed = ledger.reviewed(case.number)
        assert reviewed is not None
        assert reviewed.removed
        assert reviewed.mention.text == ""
        assert reviewed.verdict.reasons == ()


def test_cases_are_listed_by_brand_source_and_state(store: Store) -> None:
    with store.transaction() as ledger:
        one, two = _filed(ledger, "1", "shop"), _filed(ledger, "2", "forum")
        opened = ledger.open_cases([_case(one), _case(one, "Bolt"), _case(two)])
        closed = opened[0]
        done = replace(closed, status=CaseStatus.RESOLVED, closed_at=NOW, version=2)
        assert ledger.save_case(done, was_version=1)
        pairs = {(case.mention_id, case.brand): case.number for case in opened}

        def numbers(**wanted: object) -> set[int]:
            return {one.case.number for one in ledger.cases_worst_first(**wanted)}  # type: ignore[arg-type]

        assert numbers() == set(pairs.values()) - {closed.number}
        assert numbers(open_only=False) == set(pairs.values())
        assert numbers(open_only=False, brand="Acme") == {pairs[one, "Acme"], pairs[two, "Acme"]}
        assert numbers(open_only=False, source="shop") == {pairs[one, "Acme"], pairs[one, "Bolt"]}
        counts = ledger.case_counts()
        assert counts == dict.fromkeys(CaseStatus, 0) | {
            CaseStatus.OPEN: 2,
            CaseStatus.RESOLVED: 1,
        }


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    several=st.lists(
        st.tuples(st.sampled_from(Priority), st.sampled_from([0.0, 0.25, 0.5, 1.0])), max_size=12
    )
)
def test_the_worst_comes_first_page_by_page(
    sqlite_store: Store, several: list[tuple[Priority, float]]
) -> None:
    with sqlite_store.transaction() as ledger:
        ledger._connection.exec_driver_sql("DELETE FROM cases")
        ledger._connection.exec_driver_sql("DELETE FROM mentions")
        cases = [
            _case(_filed(ledger, str(i)), priority=priority, rank=rank)
            for i, (priority, rank) in enumerate(several)
        ]
        opened = ledger.open_cases(cases)
        listed = [one.case for one in ledger.cases_worst_first()]
        assert listed == sorted(opened, key=lambda case: (-case.priority, -case.rank, case.number))
        paged = [
            one.case for start in range(0, 15, 3) for one in ledger.cases_worst_first(limit=3, offset=start)
        ]
        assert paged == listed


def test_a_promise_is_kept_once(store: Store) -> None:
    with store.transaction() as ledger:
        [case] = ledger.open_cases([_case(_filed(ledger))])
        made = ledger.add_promise(Promise(case.number, "a refund", NOW + HOUR, "ana"))
        later = ledger.add_promise(Promise(case.number, "a call", NOW + 3 * HOUR, "bo"))
        assert made.id != later.id
        assert ledger.promises(case.number) == [made, later]
        assert ledger.promises_due(NOW + HOUR) == [made]
        assert ledger.keep_promise(made.id, NOW)
        assert not ledger.keep_promise(made.id, NOW + HOUR)
        assert ledger.promises_due(NOW + HOUR) == []
        assert ledger.promises(case.number)[0].kept_at == NOW


def test_corrections_are_kept_in_order(store: Store) -> None:
    with store.transaction() as ledger:
        [case] = ledger.open_cases([_case(_filed(ledger))])
        said = [
            Correction(case.number, NOW, "ana", "not_us"),
            Correction(case.number, NOW - HOUR, "bo", "more_urgent"),
        ]
        for one in said:
            ledger.add_correction(one)
        assert ledger.corrections() == said


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "x" * 300])
def test_what_a_person_types_can_always_be_stored(store: Store, text: str) -> None:
    with store.transaction() as ledger:
        [case] = ledger.open_cases([_case(_filed(ledger))])
        ledger.add_events([CaseEvent(case.number, NOW, text, "note", text)])
        ledger.add_promise(Promise(case.number, text, NOW, text))
        ledger.add_correction(Correction(case.number, NOW, text, "not_us"))
        assert ledger.save_case(replace(case, owner=text, outcome=text, version=2), was_version=1)
