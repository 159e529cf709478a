"""Sketches, copies and folds in a real store of each kind."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from alerts.copies import SAID_AGAIN, copies_line, tend_copies
from alerts.routing import Route
from alerts.sla import STANDARD
from monitor.cards import render_for
from monitor.clusters import more_like
from monitor.config import load_config
from monitor.duplicates import sketch, words_of
from monitor.ingest import Desk, ingest
from monitor.match import Brand, Matcher
from monitor.triage import Thresholds
from storage.records import (
    CaseStatus,
    DatePrecision,
    DeliveryState,
    Kind,
    Label,
    Mention,
    Priority,
    Removal,
    Sentiment,
)
from storage.store import Store

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
WORDS = "Acme charged my card twice and nobody answers the phone, the refund they promised never came at all"
DESK = Desk(
    matcher=Matcher([Brand(name="Acme", terms=("Acme",))]),
    analyse=lambda text: Sentiment(-0.8, Label.NEGATIVE),
    thresholds=Thresholds(),
    routes=(Route(channel="#alerts", priority=Priority.HIGH, respond_within=timedelta(hours=2)),),
    max_age=timedelta(days=30),
)


def said(number: int, text: str = WORDS, **more: Any) -> Mention:
    told = {
        "source": "forum",
        "external_id": str(number),
        "kind": Kind.REVIEW,
        "stars": 1.0,
        "author": f"user{number}",
        "published_at": NOW - timedelta(hours=3) + timedelta(minutes=number),
        "date_precision": DatePrecision.SECOND,
    }
    return Mention(**{**told, "text": text, **more})


def states(store: Store) -> dict[int, DeliveryState]:
    with store.reading() as ledger:
        numbers = [one.case.number for one in ledger.cases_worst_first(open_only=False)]
        return {number: card.state for number in numbers for card in ledger.cards_of([number])}


def test_the_same_text_again_has_its_case_and_no_second_alert(store: Store) -> None:
    ingest([said(1)], store, DESK, NOW)
    ingest([said(2, source="reviews"), said(3, "Acme: " + WORDS.upper())], store, DESK, NOW)
    ingest([said(4, "Acme lost my parcel and the driver was rude to my neighbour")], store, DESK, NOW)
    first, second, third, other = sorted(states(store))
    assert states(store) == {
        first: DeliveryState.PENDING,
        second: DeliveryState.HELD,
        third: DeliveryState.HELD,
        other: DeliveryState.PENDING,
    }
    with store.reading() as ledger:
        case = ledger.case(first)
        assert case is not None
        assert more_like(ledger, case) == (
            f"+2 more like this (REP-{second:04d}, REP-{third:04d}): same words from 3 accounts in 2 min"
        )
        assert [one.detail for one in ledger.events(first) if one.action == SAID_AGAIN] == [
            f"REP-{second:04d}",
            f"REP-{third:04d}",
        ]
        assert ledger.audit_sums(NOW, NOW - timedelta(days=1), ["slack", "console"])["folded"] == 2
        assert not ledger.stranded()


def test_copies_within_one_batch_are_found_and_a_campaign_is_a_reason(store: Store) -> None:
    ingest([said(number) for number in range(1, 7)], store, DESK, NOW)
    assert sorted(states(store).values()) == [DeliveryState.HELD] * 5 + [DeliveryState.PENDING]
    with store.reading() as ledger:
        (last,) = ledger.cases_worst_first(open_only=False)[-1:]
        reasons = [one.verdict.reasons for one in ledger.cases_worst_first(open_only=False)]
    assert last.case.status is CaseStatus.OPEN
    assert any("same words from 6 accounts in 5 min" in several for several in reasons)


def test_a_graver_copy_is_an_alert_of_its_own(store: Store) -> None:
    ingest([said(1, stars=2.0)], store, DESK, NOW)
    ingest([said(2, stars=1.0)], store, DESK, NOW)
    assert set(states(store).values()) == {DeliveryState.PENDING}


def test_when_the_first_is_closed_the_next_takes_its_place(store: Store) -> None:
    ingest([said(number) for number in (1, 2, 3)], store, DESK, NOW)
    first, second, third = sorted(states(store))
    _close(store, first, CaseStatus.RESOLVED, "")
    passed = tend_copies(store, NOW, STANDARD)
    assert (passed.announced, passed.dismissed) == (1, 0)
    assert states(store)[second] is DeliveryState.PENDING
    assert states(store)[third] is DeliveryState.HELD
    with store.reading() as ledger:
        assert ledger.held_under(second) == [third]
    assert tend_copies(store, NOW, STANDARD).announced == 0
    _close(store, second, CaseStatus.RESOLVED, "")
    _close(store, third, CaseStatus.RESOLVED, "")
    tend_copies(store, NOW, STANDARD)
    with store.reading() as ledger:
        assert ledger.copies_held() == []
    assert states(store)[third] is DeliveryState.CANCELLED


@pytest.mark.parametrize("outcome", ["spam", "not negative", "not about us: a namesake"])
def test_what_is_dismissed_for_its_words_takes_its_copies_along(store: Store, outcome: str) -> None:
    ingest([said(number) for number in (1, 2, 3)], store, DESK, NOW)
    first, *rest = sorted(states(store))
    _close(store, first, CaseStatus.DISMISSED, outcome)
    passed = tend_copies(store, NOW, STANDARD)
    assert (passed.announced, passed.dismissed) == (0, 2)
    with store.reading() as ledger:
        for number in rest:
            case = ledger.case(number)
            assert case is not None
            assert case.status is CaseStatus.DISMISSED
            assert case.outcome == f"a duplicate of REP-{first:04d}"


def test_a_copy_of_what_is_closed_is_announced(store: Store) -> None:
    ingest([said(1)], store, DESK, NOW)
    (first,) = states(store)
    _close(store, first, CaseStatus.RESOLVED, "")
    ingest([said(2)], store, DESK, NOW)
    assert states(store)[max(states(store))] is DeliveryState.PENDING


def test_a_removed_text_is_compared_with_nothing(store: Store) -> None:
    ingest([said(1)], store, DESK, NOW)
    ingest([Removal("forum", "1")], store, DESK, NOW)
    ingest([said(2)], store, DESK, NOW)
    with store.reading() as ledger:
        assert ledger.known([("forum", "2")])
        assert ledger.first_of(ledger.known([("forum", "2")])["forum", "2"].id) > 1


def test_an_edited_text_is_found_by_what_it_says_now(store: Store) -> None:
    ingest([said(1)], store, DESK, NOW)
    edited = "Acme delivered a mouldy cake to my daughter's birthday party and laughed about it"
    ingest([said(1, edited)], store, DESK, NOW)
    with store.reading() as ledger:
        assert ledger.alike(sketch(words_of(WORDS)), before=99) == []
        (twin,) = ledger.alike(sketch(words_of(edited)), before=99)
        assert twin.text == edited
    ingest([said(2)], store, DESK, NOW)
    assert DeliveryState.HELD not in states(store).values()


def test_a_pair_of_words_that_everybody_writes_hides_no_copy(store: Store) -> None:
    crowd = [
        said(n, f"Acme and the phone and the card and word{n}a word{n}b word{n}c") for n in range(10, 80)
    ]
    ingest([said(1), *crowd], store, replace(DESK, routes=()), NOW)
    with store.reading() as ledger:
        best = ledger.alike(sketch(words_of(WORDS)), before=10_000)
    assert best[0].text == WORDS
    assert len(best) <= 5


def test_purging_a_mention_takes_its_sketch_along(store: Store) -> None:
    ingest([said(1), said(2)], store, replace(DESK, routes=()), NOW)
    with store.transaction() as ledger:
        first, second = sorted(one.id for one in ledger.known([("forum", "1"), ("forum", "2")]).values())
        ledger.purge([first])
        assert [twin.mention_id for twin in ledger.alike(sketch(words_of(WORDS)), before=99)] == [second]
        assert ledger.first_of(second) == first


def test_the_card_counts_what_is_folded() -> None:
    assert copies_line([]) == ""
    assert copies_line([7]) == "+1 more like this (REP-0007)"
    assert copies_line([7, 8, 9, 10]) == "+4 more like this (REP-0007, REP-0008, REP-0009 …)"


def _close(store: Store, number: int, status: CaseStatus, outcome: str) -> None:
    with store.transaction() as ledger:
        case = ledger.case(number)
        assert case is not None
        changed = replace(case, status=status, outcome=outcome, closed_at=NOW, version=case.version + 1)
        assert ledger.save_case(changed, was_version=case.version)


def test_the_card_of_the_first_says_how_many_more_there_are(store: Store, tmp_path: Path) -> None:
    ingest([said(number) for number in (1, 2, 3)], store, DESK, NOW)
    path = tmp_path / "lowstar.toml"
    path.write_text('[[brands]]\nname = "Acme"\n', encoding="utf-8")
    first = min(states(store))
    with store.reading() as ledger:
        (card,) = ledger.cards_of([first])
        reviewed = ledger.reviewed(first)
    message = render_for(load_config(path, {}), store, lambda: NOW)(card, reviewed)
    assert "+2 more like this" in json.dumps(list(message.blocks))
    assert card.wanted_version > 1
