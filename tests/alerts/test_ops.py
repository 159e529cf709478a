"""Is the operator told of a blind source once, kept up to date, and told when it sees again?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from alerting import NOON, Clock, Road, courier
from goldens import same_as_golden
from hypothesis import given
from hypothesis import strategies as st

from alerts.blocks import message_for
from alerts.blocks_ops import source_message
from alerts.limits import problems
from alerts.notifier import Message
from alerts.ops import (
    Blindness,
    OpsRules,
    SourceDo,
    SourceRefused,
    SourceView,
    Watched,
    act_on_source,
    blindness,
    look_at_source,
    missed,
    tell_ops,
    watch,
)
from storage.channels import read_body
from storage.records import CrawlRun, Delivery, DeliveryKind, Outage, Reviewed, RunOutcome
from storage.store import Store

HOUR = timedelta(hours=1)
RULES = OpsRules(channel="#ops")
YELP = Watched("yelp", "Yelp", 2 * HOUR)
SOURCES = [YELP, Watched("shop", "Shop", HOUR)]
GOLDEN = Path(__file__).parent / "golden"


def run(hours_ago: float, outcome: RunOutcome = RunOutcome.FAILED, **more: object) -> CrawlRun:
    at = NOON - hours_ago * HOUR
    values: dict[str, object] = {
        "source": "yelp",
        "started_at": at,
        "ended_at": at + timedelta(minutes=1),
        "outcome": outcome,
        "reason": "HTTP 403" if outcome is RunOutcome.FAILED else "",
        "found": 9 if outcome is RunOutcome.OK else 0,
    }
    return CrawlRun(**{**values, **more})  # type: ignore[arg-type]


OK = RunOutcome.OK


def test_one_failed_run_is_no_news_however_long_ago_the_last_good_one_was() -> None:
    assert blindness([run(0), run(48, OK)], NOON, RULES) is None


def test_a_source_that_fails_for_six_hours_is_blind() -> None:
    runs = [run(0), run(2), run(4), run(6, OK)]
    assert blindness(runs, NOON, RULES) == Blindness(NOON - 6 * HOUR, True, 3, "HTTP 403", 3, NOON)
    assert blindness(runs, NOON - timedelta(minutes=1), RULES) is None


def test_pages_that_suddenly_hold_nothing_are_blind_and_those_that_never_did_are_not() -> None:
    empty = [run(hours, RunOutcome.EMPTY) for hours in (0, 2, 4)]
    assert blindness([*empty, run(7, OK), run(9, OK)], NOON, RULES) is not None
    quiet = [run(hours, RunOutcome.EMPTY) for hours in range(0, 20, 2)]
    assert blindness(quiet, NOON, RULES) is None


def test_a_source_that_never_worked_is_blind_since_its_first_try() -> None:
    found = blindness([run(0), run(5), run(10)], NOON, RULES)
    assert found is not None
    assert (found.ever, found.since) == (False, NOON - 10 * HOUR)


@given(st.floats(0, 10_000), st.floats(0, 10_000))
def test_the_estimate_is_a_span_around_the_usual(per_day: float, hours: float) -> None:
    low, high = missed(per_day, hours * HOUR) or (0, 0)
    assert 0 <= low <= high + 1
    assert low - 1 <= per_day * hours / 24 <= high + 1
    assert missed(None, HOUR) is None


# -- with a store -----------------------------------------------------------------------------------------


def crawled(store: Store, *runs: CrawlRun, new: int = 0) -> None:
    with store.transaction() as ledger:
        for one in runs:
            begun = ledger.begin_run(one.source, one.started_at)
            from dataclasses import replace

            ledger.end_run(replace(one, id=begun.id, new=one.new or new))


def history(store: Store) -> None:
    """A month of a crawl every other hour with nine posts a day, then thirteen tries that failed."""
    good = [run(26 + 2 * n, OK, new=int(n % 12 < 9)) for n in range(1, 28 * 12)]
    crawled(store, *reversed(good), run(26, OK), *[run(26 - 2 * n) for n in range(1, 14)])


def render_with(store: Store, clock: Clock) -> Callable[[Delivery, Reviewed | None], Message]:
    def render(delivery: Delivery, reviewed: Reviewed | None) -> Message:
        if delivery.kind is not DeliveryKind.SOURCE_HEALTH:
            return message_for(delivery, reviewed, titles={}, now=clock())
        with store.reading() as ledger:
            view = look_at_source(ledger, int(read_body(delivery.body)["outage"]), SOURCES, clock())
        assert view is not None
        return source_message(view, delivery, now=clock())

    return render


def deliver(store: Store, road: Road, clock: Clock) -> None:
    courier(store, road, clock, render=render_with(store, clock)).run()


def test_a_blind_source_has_one_card_that_is_edited_until_it_works_again(store: Store) -> None:
    history(store)
    clock, road = Clock(), Road()
    assert watch(store, SOURCES, NOON, RULES).noticed == ("yelp",)
    assert watch(store, SOURCES, NOON, RULES).noticed == ()
    deliver(store, road, clock)
    (card,) = road.arrived
    assert card.channel == "#ops"
    assert card.text == (
        "Blind spot: Yelp has given no data for 26 h (usual: 9 posts a day). Last error: HTTP 403. "
        "Silence there does not mean all is well."
    )
    clock.now = NOON + 3 * HOUR
    watch(store, SOURCES, clock.now, RULES)
    deliver(store, road, clock)
    assert "29 h" in road.edits[-1][1].text
    crawled(store, run(-4, OK, new=11))
    clock.now = NOON + 4 * HOUR
    assert watch(store, SOURCES, clock.now, RULES).recovered == ("yelp",)
    deliver(store, road, clock)
    assert road.edits[-1][1].text == "Yelp works again after 30 h; caught up on 11 posts."
    assert road.arrived[-1].thread_id == "ts1"
    assert "works again" in road.arrived[-1].text
    assert watch(store, SOURCES, clock.now + HOUR, RULES) == watch(store, SOURCES, clock.now, RULES)


def test_without_a_channel_nobody_is_told(store: Store) -> None:
    history(store)
    assert watch(store, SOURCES, NOON, OpsRules()).noticed == ()


def test_a_source_that_is_taken_out_closes_its_card(store: Store) -> None:
    history(store)
    watch(store, SOURCES, NOON, RULES)
    watch(store, SOURCES[1:], NOON + HOUR, RULES)
    with store.reading() as ledger:
        assert ledger.outages_going_on() == {}


def test_somebody_takes_it_once_and_quiet_keeps_the_next_outage_quiet(store: Store) -> None:
    history(store)
    watch(store, SOURCES, NOON, RULES)
    with store.transaction() as ledger:
        assert act_on_source(ledger, "yelp", SourceDo.CLAIM, "U01ALICE", NOON, version=1).owner == "U01ALICE"
    with store.transaction() as ledger, pytest.raises(SourceRefused, match="Somebody is on it"):
        act_on_source(ledger, "yelp", SourceDo.CLAIM, "U02BOB", NOON, version=2)
    with store.transaction() as ledger, pytest.raises(SourceRefused, match="changed"):
        act_on_source(ledger, "yelp", SourceDo.SNOOZE, "U02BOB", NOON, version=1)
    with store.transaction() as ledger:
        act_on_source(ledger, "yelp", SourceDo.SNOOZE, "U02BOB", NOON, version=2)
    crawled(store, run(-1, OK))
    watch(store, SOURCES, NOON + HOUR, RULES)
    crawled(store, *[run(-2 - 2 * n) for n in range(5)])
    assert watch(store, SOURCES, NOON + 12 * HOUR, RULES).noticed == ()
    crawled(store, run(-30))
    assert watch(store, SOURCES, NOON + 30 * HOUR, RULES).noticed == ("yelp",)


def test_the_same_word_is_said_once_a_day(store: Store) -> None:
    assert tell_ops(store, "Audit: 2 missing", NOON, RULES, about="a")
    assert not tell_ops(store, "Audit: 2 missing", NOON + HOUR, RULES, about="a")
    assert tell_ops(store, "Audit: 2 missing", NOON + 24 * HOUR, RULES, about="a")
    assert not tell_ops(store, "x", NOON, OpsRules(), about="b")


# -- the card ---------------------------------------------------------------------------------------------

VIEW = SourceView(
    outage=Outage(
        id=1,
        source="yelp",
        began_at=NOON - 26 * HOUR,
        noticed_at=NOON,
        card="ob_01H",
        drawn_at=NOON,
        version=3,
    ),
    title="Yelp",
    blind=Blindness(NOON - 26 * HOUR, True, 13, "HTTP 403", 13, NOON),
    per_day=9.0,
    next_try=NOON + 2 * HOUR,
    others=6,
    others_blind=0,
)
CARD = Delivery(
    id="ob_01H",
    kind=DeliveryKind.SOURCE_HEALTH,
    notifier="slack",
    channel="#ops",
    created_at=NOON,
    not_before=NOON,
    wanted_version=3,
)


def test_the_cards_are_as_they_were_looked_at() -> None:
    from dataclasses import replace

    blind = source_message(VIEW, CARD, now=NOON, interactive=True)
    same_as_golden("source_health_blind", blind)
    over = replace(VIEW, outage=replace(VIEW.outage, ended_at=NOON + HOUR, caught_up=11), blind=None)
    same_as_golden("source_health_again", source_message(over, CARD, now=NOON + HOUR))


@given(st.text(max_size=2_000), st.text(min_size=1, max_size=300))
def test_whatever_a_site_answers_the_card_stays_a_card(reason: str, title: str) -> None:
    from dataclasses import replace

    assert VIEW.blind is not None
    view = replace(VIEW, title=title, blind=replace(VIEW.blind, reason=reason))
    message = source_message(view, CARD, now=NOON, interactive=True)
    assert problems(message.blocks) == []
    assert len(message.text) <= 300
    first = message.blocks[0]["text"]["text"]
    assert "<" not in first.replace("&lt;", "")
