"""The main path: what becomes of what a spider found, on a real store of each kind."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.routing import Route
from monitor.ingest import Desk, about, ingest
from monitor.match import Brand, Matcher
from monitor.sentiment import analyse
from monitor.triage import Thresholds
from storage.records import (
    CaseStatus,
    DeliveryKind,
    DeliveryState,
    Kind,
    Label,
    Mention,
    Priority,
    Removal,
    Sentiment,
    Tally,
)
from storage.store import Store

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
ROUTES = (Route(channel="#alerts", priority=Priority.HIGH, respond_within=timedelta(hours=2)),)


def desk(**changes: Any) -> Desk:
    made = Desk(
        matcher=Matcher([Brand(name="Acme", terms=("Acme",)), Brand(name="Zenith", terms=("Zenith",))]),
        analyse=analyse,
        thresholds=Thresholds(),
        routes=ROUTES,
        max_age=timedelta(days=30),
    )
    return replace(made, **changes)


def review(
    identity: str = "1", stars: float | None = 1.0, text: str = "Acme never refunded me.", **more: Any
) -> Mention:
    told = {
        "source": "shop",
        "external_id": identity,
        "kind": Kind.REVIEW,
        "published_at": NOW - timedelta(hours=3),
    }
    return Mention(**{**told, "stars": stars, "text": text, **more})


def cases_in(store: Store) -> list[Any]:
    with store.reading() as ledger:
        return ledger.cases_worst_first(open_only=False)


def test_a_low_star_review_is_stored_judged_and_announced_in_one_go(store: Store) -> None:
    tally = ingest([review()], store, desk(), NOW)
    assert tally == Tally(found=1, new=1, flagged=1)
    (shown,) = cases_in(store)
    assert shown.mention.text == "Acme never refunded me."
    assert shown.case.priority is Priority.URGENT
    assert shown.case.respond_by == NOW + timedelta(hours=2)
    with store.reading() as ledger:
        (card,) = ledger.cards_of([shown.case.number])
        (opened,) = ledger.events(shown.case.number)
    assert (card.kind, card.state, card.channel) == (DeliveryKind.ALERT, DeliveryState.PENDING, "#alerts")
    assert (opened.action, opened.detail) == ("opened", "1 of 5 stars")


def test_what_is_known_and_unchanged_is_not_scored_again(store: Store) -> None:
    read: list[str] = []

    def counting(text: str) -> Sentiment:
        read.append(text)
        return analyse(text)

    ingest([review()], store, desk(analyse=counting), NOW)
    tally = ingest([review()], store, desk(analyse=counting), NOW + timedelta(days=1))
    assert tally == Tally(found=1, unchanged=1)
    assert len(read) == 1
    assert len(cases_in(store)) == 1


def test_the_same_mention_twice_in_a_batch_is_one(store: Store) -> None:
    assert ingest([review(), review()], store, desk(), NOW).new == 1


def test_a_mention_about_nobody_is_not_kept(store: Store) -> None:
    tally = ingest([review(text="My own fault, nobody's brand.")], store, desk(), NOW)
    assert tally == Tally(found=1, unmatched=1)
    with store.reading() as ledger:
        assert ledger.mention_count() == 0


def test_a_brands_own_page_needs_no_name_in_the_text(store: Store) -> None:
    found = about([review(text="Never again.")], ("Acme",))
    assert ingest(found, store, desk(), NOW).flagged == 1


def test_a_mention_of_two_brands_gets_a_verdict_and_a_case_for_each(store: Store) -> None:
    ingest([review(text="Acme and Zenith both lied to me.")], store, desk(), NOW)
    assert sorted(shown.case.brand for shown in cases_in(store)) == ["Acme", "Zenith"]


def test_praise_opens_no_case(store: Store) -> None:
    tally = ingest([review(stars=5.0, text="Acme is lovely, thank you!")], store, desk(), NOW)
    assert (tally.new, tally.flagged) == (1, 0)


def test_a_star_only_review_still_alerts(store: Store) -> None:
    assert ingest(about([review(text="")], ("Acme",)), store, desk(), NOW).flagged == 1


def test_a_first_run_files_without_alerts_and_a_later_run_stays_quiet_about_them(store: Store) -> None:
    assert ingest([review()], store, desk(), NOW, announce=False) == Tally(found=1, new=1)
    assert ingest([review()], store, desk(), NOW) == Tally(found=1, unchanged=1)
    assert cases_in(store) == []


def test_an_old_review_found_today_is_filed_not_announced(store: Store) -> None:
    old = review(published_at=NOW - timedelta(days=31))
    assert ingest([old], store, desk(), NOW).flagged == 0


def test_a_review_without_a_date_is_news(store: Store) -> None:
    assert ingest([review(published_at=None)], store, desk(), NOW).flagged == 1


def test_five_stars_edited_to_one_opens_a_case_however_old(store: Store) -> None:
    kind = review(stars=5.0, text="Acme is fine.", published_at=NOW - timedelta(days=400))
    ingest([kind], store, desk(), NOW, announce=False)
    tally = ingest(
        [replace(kind, stars=1.0, text="Acme broke, no answer.")], store, desk(), NOW + timedelta(days=1)
    )
    assert (tally.changed, tally.flagged) == (1, 1)
    (shown,) = cases_in(store)
    assert shown.stars_before == 5.0
    with store.reading() as ledger:
        assert ledger.events(shown.case.number)[0].detail == "5 → 1 of 5 stars"


def test_one_star_edited_to_four_is_recovered_and_the_same_card_is_to_change(store: Store) -> None:
    ingest([review()], store, desk(), NOW)
    tally = ingest([review(stars=4.0, text="Acme paid me back.")], store, desk(), NOW + timedelta(days=1))
    assert (tally.changed, tally.flagged, tally.recovered) == (1, 0, 1)
    (shown,) = cases_in(store)
    assert shown.case.recovered
    assert shown.case.version == 2
    with store.reading() as ledger:
        (card,) = ledger.cards_of([shown.case.number])
        assert card.wanted_version > 1
        assert [event.action for event in ledger.events(shown.case.number)] == ["opened", "recovered"]


def test_an_owners_reply_on_the_site_answers_the_case(store: Store) -> None:
    ingest([review()], store, desk(), NOW)
    replied = review(owner_reply="So sorry, please call us.", owner_replied_at=NOW + timedelta(minutes=30))
    ingest([replied], store, desk(), NOW + timedelta(hours=1))
    (shown,) = cases_in(store)
    assert shown.case.status is CaseStatus.ANSWERED
    assert shown.case.first_response_at == NOW + timedelta(minutes=30)


def test_the_owners_reply_is_not_judged(store: Store) -> None:
    polite = review(
        stars=None,
        kind=Kind.POST,
        text="Acme opens at nine.",
        owner_reply="This is a terrible scam, never again!",
    )
    assert ingest([polite], store, desk(), NOW).flagged == 0


def test_a_deleted_mention_leaves_the_store_and_its_case_is_closed(store: Store) -> None:
    ingest([review()], store, desk(), NOW)
    tally = ingest([Removal("shop", "1")], store, desk(), NOW + timedelta(hours=1))
    assert tally.removed == 1
    (shown,) = cases_in(store)
    assert shown.removed
    assert shown.mention.text == ""
    assert (shown.case.status, shown.case.outcome) == (CaseStatus.DISMISSED, "deleted by its author")


def hidden_and_shown_again(store: Store, **back: Any) -> None:
    ingest([Removal("shop", "1")], store, desk(), NOW + timedelta(hours=1))
    ingest([review(**back)], store, desk(), NOW + timedelta(hours=3))


def outbox(store: Store) -> list[tuple[str, str]]:
    with store.reading() as ledger:
        found = ledger._connection.exec_driver_sql("SELECT kind, state FROM deliveries ORDER BY kind")
        return [(row[0], row[1]) for row in found]


def sent(store: Store) -> None:
    with store.transaction() as ledger:
        ledger._connection.exec_driver_sql("UPDATE deliveries SET state = 'sent', shown_version = 1")


def test_a_review_that_its_site_hid_and_shows_again_stands_as_before_with_a_word_in_its_thread_and_no_second_card(
    store: Store,
) -> None:
    ingest([review()], store, desk(), NOW)
    sent(store)
    hidden_and_shown_again(store)
    (shown,) = cases_in(store)
    assert (shown.case.status, shown.case.outcome, shown.removed) == (CaseStatus.OPEN, "", False)
    assert shown.case.answer_by == NOW + timedelta(hours=5)  # as much time as at first
    with store.reading() as ledger:
        actions = [event.action for event in ledger.events(shown.case.number)]
        (card,) = ledger.cards_of([shown.case.number])
    assert actions == ["opened", "removed", "shown again"]
    assert card.wanted_version > card.shown_version  # the card it has follows
    assert outbox(store) == [("alert", "sent"), ("case_update", "pending")]


def test_whoever_had_the_case_has_it_again(store: Store) -> None:
    ingest([review()], store, desk(), NOW)
    with store.transaction() as ledger:
        (case,) = ledger.cases_of([1])
        mine = replace(case, status=CaseStatus.CLAIMED, owner="anna", claimed_at=NOW, version=2)
        ledger.save_case(mine, was_version=case.version)
    hidden_and_shown_again(store)
    (shown,) = cases_in(store)
    assert (shown.case.status, shown.case.owner) == (CaseStatus.CLAIMED, "anna")


def test_what_a_person_closed_stays_closed_when_it_is_shown_again(store: Store) -> None:
    ingest([review()], store, desk(), NOW)
    with store.transaction() as ledger:
        (case,) = ledger.cases_of([1])
        done = replace(case, status=CaseStatus.RESOLVED, closed_at=NOW + timedelta(minutes=9), version=2)
        ledger.save_case(done, was_version=case.version)
    hidden_and_shown_again(store)
    assert cases_in(store)[0].case.status is CaseStatus.RESOLVED


def test_a_case_called_off_before_it_was_announced_is_announced_when_its_review_is_back(store: Store) -> None:
    ingest([review()], store, desk(), NOW)
    with store.transaction() as ledger:
        ledger.cancel_unsent([1])
    hidden_and_shown_again(store)
    with store.transaction() as ledger:
        assert ledger.announce_again(NOW + timedelta(hours=3)) == 1  # as each run does
    assert ("alert", "pending") in outbox(store)
    assert ("alert", "cancelled") not in outbox(store)


def test_what_was_filed_silently_and_comes_back_is_no_news_unless_it_is_worse(store: Store) -> None:
    ingest([review(stars=3.0)], store, desk(), NOW, announce=False)
    hidden_and_shown_again(store, stars=3.0)
    assert cases_in(store) == []
    hidden_and_shown_again(store, stars=1.0)
    assert len(cases_in(store)) == 1


def test_words_that_were_let_go_and_are_read_again_are_no_edit_and_nothing_to_tell(store: Store) -> None:
    ingest([review()], store, desk(), NOW)
    sent(store)
    with store.transaction() as ledger:
        ledger.purge_source("shop", NOW + timedelta(hours=1))
    ingest([review()], store, desk(), NOW + timedelta(hours=2))
    with store.reading() as ledger:
        assert [event.action for event in ledger.events(1)] == ["opened", "read again"]
    assert outbox(store) == [("alert", "sent")]


def test_a_removal_of_what_was_never_seen_is_nothing(store: Store) -> None:
    assert ingest([Removal("shop", "unknown")], store, desk(), NOW) == Tally()


def test_growing_reach_is_noted_without_judging_anew(store: Store) -> None:
    ingest([review(reach=1)], store, desk(), NOW)
    tally = ingest([review(reach=900)], store, desk(), NOW)
    assert (tally.unchanged, tally.changed) == (1, 0)
    assert cases_in(store)[0].mention.reach == 900


def test_an_edit_that_drops_the_brand_keeps_the_case_and_loses_the_verdict(store: Store) -> None:
    ingest([review()], store, desk(), NOW)
    ingest([review(text="Sorry, wrong company.")], store, desk(), NOW)
    with store.reading() as ledger:
        assert ledger.verdicts(1) == []
    assert len(cases_in(store)) == 1


def test_a_text_that_cannot_be_scored_is_shown_to_a_person(store: Store) -> None:
    def broken(text: str) -> Sentiment:
        raise RuntimeError("no")

    everything = (Route(channel="#alerts", priority=Priority.NORMAL),)
    post = review(stars=None, kind=Kind.POST)
    tally = ingest([post], store, desk(analyse=broken, routes=everything), NOW)
    assert tally.flagged == 1
    assert cases_in(store)[0].verdict.sentiment.label is Label.UNREAD


def test_a_batch_that_cannot_be_stored_leaves_nothing_behind(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from storage.store import Ledger

    def full(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Ledger, "enqueue", full)
    with pytest.raises(OSError, match="disk full"):
        ingest([review()], store, desk(), NOW)
    assert cases_in(store) == []
    with store.reading() as ledger:
        assert ledger.mention_count() == 0


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(max_size=300),
    title=st.text(max_size=60),
    author=st.text(max_size=40),
    stars=st.one_of(st.none(), st.floats()),
    reach=st.integers(),
)
def test_whatever_a_stranger_writes_is_taken_in(
    sqlite_store: Store, text: str, title: str, author: str, stars: float | None, reach: int
) -> None:
    hostile = Mention(
        source="shop",
        external_id=repr(text)[:50],
        text=text,
        title=title,
        author=author,
        stars=stars,
        reach=reach,
    )
    tally = ingest(about([hostile], ("Acme",)), sqlite_store, desk(), NOW)
    assert tally.found == 1
