"""Do many alerts become one card, are the rest held and let go worst first, and is nothing lost?"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from alerting import NOON, Clock, Road, mention, reviewed
from goldens import same_as_golden
from hypothesis import given
from hypothesis import strategies as st
from stormy import RULES, bad, flood, post, render_with, states, stormy_courier, take

from alerts.actions import act
from alerts.audit import audit
from alerts.blocks_storm import storm_message
from alerts.cases import Action, Do
from alerts.limits import problems
from alerts.notifier import Message
from alerts.sla import STANDARD
from alerts.storms import (
    OFF,
    StormDo,
    StormRefused,
    StormView,
    Usual,
    act_on_storm,
    alike,
    crowding,
    floods,
    is_over,
    look_at,
    most_within,
    tend_storms,
    to_hold,
    usual_rate,
    written_at,
)
from storage.records import CaseStatus, DatePrecision, Delivery, DeliveryKind, DeliveryState, Priority, Storm
from storage.store import Store
from storage.storms import Folded, Fresh, StormCounts

MINUTE = timedelta(minutes=1)
HALF = timedelta(minutes=31)
S = DeliveryState


def fresh(number: int, **more: object) -> Fresh:
    values: dict[str, object] = {
        "id": f"ob_{number}",
        "number": number,
        "brand": "Acme",
        "topics": ("payment",),
        "title": "",
        "text": f"the text of {'abcdefghij'[number % 10] * (number + 1)} alone",
        "published_at": NOON,
        "precision": DatePrecision.SECOND,
        "seen_at": NOON,
        "waits": True,
        "priority": Priority.HIGH,
        "rank": 0.5,
    }
    return Fresh(**{**values, **more})  # type: ignore[arg-type]


# -- deciding ---------------------------------------------------------------------------------------------


def test_ten_are_no_flood_and_eleven_are() -> None:
    assert floods([fresh(number) for number in range(10)], RULES) == []
    (flood_,) = floods([fresh(number) for number in range(11)], RULES)
    assert (flood_.brand, flood_.key, len(flood_.alerts)) == ("Acme", "topic:payment", 11)


def test_what_was_written_over_days_and_found_at_once_is_no_flood() -> None:
    slow = [fresh(number, published_at=NOON - number * timedelta(hours=2)) for number in range(40)]
    assert floods(slow, RULES) == []


def test_brands_and_topics_are_counted_apart() -> None:
    several = [
        fresh(number, brand=("Acme", "Zest")[number % 2], topics=(("payment", "staff")[number // 10],))
        for number in range(20)
    ]
    assert floods(several, RULES) == []


def test_copies_of_one_text_are_a_flood_whatever_they_are_about() -> None:
    copies = [
        fresh(number, topics=(f"topic {number}",), text=f"Charged twice, order {number}! No answer.")
        for number in range(11)
    ]
    (flood_,) = floods(copies, RULES)
    assert flood_.key.startswith("alike:")


def test_an_alert_with_two_topics_is_folded_once() -> None:
    several = [fresh(number, topics=("payment", "support")) for number in range(12)]
    found = floods(several, RULES)
    assert [len(one.alerts) for one in found] == [12]


@pytest.mark.parametrize("text", ["", "bad", "very bad shop", "😡😡😡😡 !!!! 1234"])
def test_what_is_too_short_is_a_copy_of_nothing(text: str) -> None:
    assert alike("", text) == ""


def test_a_day_without_a_time_counts_as_now_when_it_is_today() -> None:
    day = {"precision": DatePrecision.DAY, "seen_at": NOON}
    assert written_at(fresh(1, published_at=NOON.replace(hour=0), **day)) == NOON
    last_week = NOON - timedelta(days=7)
    assert written_at(fresh(1, published_at=last_week, **day)) == last_week
    assert written_at(fresh(1, published_at=None)) == NOON
    assert written_at(fresh(1, published_at=NOON + timedelta(days=400))) == NOON


@given(st.lists(st.integers(0, 10_000), max_size=60), st.integers(1, 5_000))
def test_the_densest_span_is_the_one_a_slow_count_finds(seconds: list[int], span: int) -> None:
    times = [NOON + timedelta(seconds=one) for one in seconds]
    slow = max((sum(0 <= other - one <= span for other in seconds) for one in seconds), default=0)
    assert most_within(times, timedelta(seconds=span)) == slow


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 60)))
def test_a_crowded_channel_folds_no_more_brands_than_it_needs(waiting: dict[str, int]) -> None:
    found = crowding(waiting, RULES)
    assert all(waiting[brand] > RULES.shown for brand in found)
    if sum(waiting.values()) <= RULES.backlog:
        assert found == []
    left = sum(count for brand, count in waiting.items() if brand not in found)
    assert left <= RULES.backlog or all(waiting[b] <= RULES.shown for b in set(waiting) - set(found))


@given(
    st.lists(st.tuples(st.sampled_from(list(Priority)), st.floats(0, 1)), max_size=30),
    st.integers(0, 20),
    st.integers(0, 30),
)
def test_what_stays_on_its_way_is_the_worst(
    ranks: list[tuple[Priority, float]], shown: int, allowance: int
) -> None:
    waiting = [Folded(str(n), n, priority, rank) for n, (priority, rank) in enumerate(ranks)]
    held = set(to_hold(waiting, shown, allowance))
    stays = [one for one in waiting if one.id not in held]
    assert len(stays) == min(len(waiting), max(0, allowance - shown))
    if held and stays:
        mildest = min((one.priority, one.rank) for one in stays)
        assert all((one.priority, one.rank) <= mildest for one in waiting if one.id in held)


def storm(**more: object) -> Storm:
    values: dict[str, object] = {
        "id": 77,
        "notifier": "slack",
        "channel": "#alerts",
        "brand": "Acme",
        "key": "topic:payment",
        "label": "payment",
        "started_at": NOON,
        "over_at": NOON,
        "card": "ob_s",
        "drawn_at": NOON,
    }
    return Storm(**{**values, **more})  # type: ignore[arg-type]


def test_a_storm_is_over_after_half_an_hour_of_calm_and_never_by_a_clock_set_back() -> None:
    assert not is_over(storm(), NOON + timedelta(minutes=29), RULES)
    assert is_over(storm(), NOON + timedelta(minutes=30), RULES)
    assert not is_over(storm(), NOON - timedelta(days=3), RULES)


# -- folding ----------------------------------------------------------------------------------------------


def test_a_flood_becomes_one_card_and_every_post_keeps_its_case(store: Store) -> None:
    assert flood(store, 400) == 400
    assert states(store) == {S.PENDING: 11, S.HELD: 390}  # the card, and the ten worst
    with store.reading() as ledger:
        (going_on,) = ledger.storms_going_on()
        assert ledger.case_counts()[CaseStatus.OPEN] == 400
        assert [one.number for one in ledger.unsent_of(going_on.id)] == list(range(400, 390, -1))
        assert audit(ledger, NOON, ["slack"]).ok


def test_the_card_comes_first_and_the_ten_worst_after_it(store: Store) -> None:
    flood(store, 400)
    clock, road = Clock(), Road()
    road.clock = clock
    stormy_courier(store, road, clock).run()
    assert road.arrived[0].kind == "storm"
    assert "400 negative posts" in road.arrived[0].text
    assert "REP-0400" in road.arrived[0].text
    assert [one.number for one in road.arrived[1:]] == list(range(400, 390, -1))
    assert road.at[0] - NOON <= timedelta(seconds=5)


def test_what_comes_later_is_folded_into_the_same_storm_the_worst_of_all_shown(store: Store) -> None:
    flood(store, 50)
    flood(store, 50, NOON + MINUTE, first=51)
    with store.reading() as ledger:
        (going_on,) = ledger.storms_going_on()
        assert [one.number for one in ledger.unsent_of(going_on.id)] == list(range(100, 90, -1))
    assert states(store) == {S.PENDING: 11, S.HELD: 90}


def test_after_ten_were_shown_one_by_one_the_rest_is_held(store: Store) -> None:
    flood(store, 50)
    clock, road = Clock(), Road()
    stormy_courier(store, road, clock).run()
    flood(store, 50, clock.now, first=51)
    stormy_courier(store, road, clock).run()
    assert len(road.arrived) == 11
    assert states(store) == {S.SENT: 11, S.HELD: 90}


def test_alerts_of_another_brand_or_topic_go_out_beside_a_storm(store: Store) -> None:
    flood(store, 50)
    flood(store, 2, NOON + MINUTE, first=51, brand="Zest")
    flood(store, 2, NOON + MINUTE, first=61, topics=("staff",))
    assert states(store)[S.PENDING] == 11 + 4


def test_a_storm_can_be_switched_off(store: Store) -> None:
    flood(store, 50, rules=OFF)
    assert states(store) == {S.PENDING: 50}


def test_a_storm_in_progress_ends_when_storms_are_switched_off(store: Store) -> None:
    flood(store, 50)
    assert tend_storms(store, NOON + MINUTE, OFF).let_go == 40
    assert states(store) == {S.PENDING: 50 + 1 + 1}  # the card, and the word in its thread


def test_a_backlog_of_one_brand_is_folded_and_the_others_are_left_alone(store: Store) -> None:
    written = NOON - timedelta(days=2)
    several = [
        (post(n, written - n * MINUTE * 30), bad(topics=(f"t{n}",), priority=Priority.HIGH, rank=n / 100))
        for n in range(1, 31)
    ]
    others = [(post(n, written), bad("Zest", priority=Priority.HIGH)) for n in range(41, 44)]
    take(store, [*several, *others], NOON)
    with store.reading() as ledger:
        (going_on,) = ledger.storms_going_on()
    assert (going_on.brand, going_on.key) == ("Acme", "backlog")
    assert states(store) == {S.HELD: 20, S.PENDING: 10 + 3 + 1}


def test_a_backlog_that_grew_while_slack_was_away_is_folded_by_the_next_run(store: Store) -> None:
    for minute in range(0, 300, 10):
        take(
            store,
            [(post(minute, NOON), bad(topics=(f"t{minute}",), rank=minute / 1000))],
            NOON + minute * MINUTE,
            rules=OFF,
        )
    assert states(store) == {S.PENDING: 30}
    assert tend_storms(store, NOON + timedelta(hours=6), RULES).folded == 30
    assert states(store) == {S.HELD: 20, S.PENDING: 11}


def test_two_processes_that_see_the_same_flood_open_one_storm(store: Store) -> None:
    with store.transaction() as ledger:
        first = ledger.open_storm(storm(id=0))
        assert first is not None
        assert ledger.open_storm(storm(id=0)) is None


# -- following --------------------------------------------------------------------------------------------


def test_the_card_is_edited_at_most_once_a_minute(store: Store) -> None:
    flood(store, 30, priority=lambda number: Priority.URGENT)
    clock, road = Clock(), Road()
    stormy_courier(store, road, clock).run()
    start = clock.now
    for step in range(1, 61):
        clock.now = start + step * timedelta(seconds=5)
        flood(store, 3, clock.now, first=100 + 3 * step)  # none of them among the five worst
        tend_storms(store, clock.now, RULES)
        stormy_courier(store, road, clock).run(deadline=clock.now + timedelta(seconds=1))
    assert 4 <= len(road.edits) <= 5
    assert "negative posts in 4 min" in road.edits[-1][1].text


def test_a_new_one_among_the_five_worst_is_on_the_card_within_seconds(store: Store) -> None:
    flood(store, 30)
    clock, road = Clock(), Road()
    stormy_courier(store, road, clock).run()
    clock.now += timedelta(seconds=15)
    flood(store, 1, clock.now, first=5_000, priority=lambda number: Priority.URGENT)
    stormy_courier(store, road, clock).run()
    assert "REP-0031" in road.edits[-1][1].text


def test_the_card_never_changes_while_nothing_happens(store: Store) -> None:
    flood(store, 30)
    clock, road = Clock(), Road()
    stormy_courier(store, road, clock).run()
    tend_storms(store, clock.now, RULES)
    stormy_courier(store, road, clock).run()
    edits = len(road.edits)
    for minute in range(1, 20):
        tend_storms(store, NOON + minute * MINUTE, RULES)
        clock.now = NOON + minute * MINUTE
        stormy_courier(store, road, clock).run()
    assert len(road.edits) == edits


def test_when_it_is_over_the_card_says_so_and_what_is_open_follows_worst_first(store: Store) -> None:
    flood(store, 60)
    clock, road = Clock(), Road()
    stormy_courier(store, road, clock).run()
    act(store, 50, Action(kind=Do.RESOLVE, actor="alice", text="done"), clock.now, STANDARD)
    clock.now = NOON + timedelta(minutes=31)
    done = tend_storms(store, clock.now, RULES)
    assert (done.ended, done.let_go) == (1, 49)
    stormy_courier(store, road, clock).run()
    shown = [one.number for one in road.arrived if one.kind == "alert"]
    assert shown == [*range(60, 50, -1), *range(49, 0, -1)]
    assert "Storm over" in road.edits[-1][1].text
    (news,) = [one for one in road.arrived if one.kind == "case_update" and one.number is None]
    assert "49 still open follow" in news.text
    assert news.thread_id
    with store.reading() as ledger:
        assert ledger.storms_going_on() == []
        assert audit(ledger, clock.now, ["slack"]).ok


def test_a_closed_one_that_is_opened_again_after_the_storm_is_announced_after_all(store: Store) -> None:
    flood(store, 60)
    act(store, 5, Action(kind=Do.DISMISS, actor="alice"), NOON, STANDARD)
    later = NOON + timedelta(minutes=31)
    tend_storms(store, later, RULES)
    act(store, 5, Action(kind=Do.REOPEN, actor="alice"), later, STANDARD)
    with store.transaction() as ledger:
        assert audit(ledger, later, ["slack"]).problems
        assert ledger.announce_again(later) == 1
        assert audit(ledger, later, ["slack"]).ok


def test_a_storm_goes_on_while_half_the_threshold_keeps_coming(store: Store) -> None:
    flood(store, 30)
    for step in range(1, 8):
        flood(store, 5, NOON + step * 9 * MINUTE, first=100 + 10 * step)
        assert tend_storms(store, NOON + step * 9 * MINUTE, RULES).ended == 0
    quiet = NOON + (7 * 9 + 30) * MINUTE
    assert tend_storms(store, quiet, RULES).ended == 1


def test_what_was_let_go_is_no_new_storm(store: Store) -> None:
    flood(store, 200)
    over = NOON + timedelta(minutes=31)
    tend_storms(store, over, RULES)
    tend_storms(store, over + MINUTE, RULES)
    with store.reading() as ledger:
        assert ledger.storms_going_on() == []
    assert S.HELD not in states(store)


def test_hours_in_a_storm_do_not_age_an_alert_past_what_is_urgent(store: Store) -> None:
    flood(store, 40)
    later = NOON + timedelta(hours=9)
    tend_storms(store, later, RULES)
    clock, road = Clock(later), Road()
    take(store, [(post(900, later), bad("Zest", priority=Priority.URGENT, rank=0.1))], later)
    stormy_courier(store, road, clock).run()
    alerts = [one.number for one in road.arrived if one.kind == "alert"]
    # The ten that were never held have waited nine hours; of the rest the urgent one comes first.
    assert alerts.index(41) <= 10 + 2


def test_other_brands_keep_one_slot_of_three(store: Store) -> None:
    flood(store, 60, priority=lambda number: Priority.URGENT)
    with store.transaction() as ledger:
        (going_on,) = ledger.storms_going_on()
        act_on_storm(ledger, going_on.id, StormDo.UNHOLD, "alice", NOON)
    take(
        store,
        [(post(n, NOON), bad("Zest", topics=(), priority=Priority.NORMAL)) for n in range(900, 905)],
        NOON,
    )
    clock, road = Clock(), Road()
    stormy_courier(store, road, clock).run(deadline=NOON + timedelta(seconds=30))
    alerts = [one.number or 0 for one in road.arrived if one.kind == "alert"]
    for start in range(0, 15, 3):
        assert sum(number > 60 for number in alerts[start : start + 3]) == 1


# -- people -----------------------------------------------------------------------------------------------


def stormed(store: Store, count: int = 60) -> Storm:
    flood(store, count)
    with store.reading() as ledger:
        return ledger.storms_going_on()[0]


def test_somebody_leads_it_once(store: Store) -> None:
    going_on = stormed(store)
    with store.transaction() as ledger:
        acted = act_on_storm(ledger, going_on.id, StormDo.LEAD, "U01ALICE", NOON, version=1)
    assert (acted.storm.owner, acted.storm.version) == ("U01ALICE", 2)
    with store.transaction() as ledger, pytest.raises(StormRefused, match="leads this storm already"):
        act_on_storm(ledger, going_on.id, StormDo.LEAD, "U02BOB", NOON, version=1)
    with store.transaction() as ledger, pytest.raises(StormRefused, match="You lead"):
        act_on_storm(ledger, going_on.id, StormDo.LEAD, "U01ALICE", NOON)


def test_show_next_20_shows_the_20_worst_that_are_held(store: Store) -> None:
    going_on = stormed(store)
    with store.transaction() as ledger:
        acted = act_on_storm(ledger, going_on.id, StormDo.MORE, "alice", NOON, version=1)
    assert acted.shown == 20
    clock, road = Clock(), Road()
    stormy_courier(store, road, clock).run()
    assert [one.number for one in road.arrived if one.kind == "alert"] == list(range(60, 30, -1))


def test_stop_holding_lets_all_go_and_holds_nothing_new(store: Store) -> None:
    going_on = stormed(store)
    with store.transaction() as ledger:
        assert act_on_storm(ledger, going_on.id, StormDo.UNHOLD, "alice", NOON).shown == 50
    flood(store, 30, NOON + MINUTE, first=100)
    assert S.HELD not in states(store)
    with store.transaction() as ledger, pytest.raises(StormRefused, match="Nothing is held"):
        act_on_storm(ledger, going_on.id, StormDo.UNHOLD, "bob", NOON, version=1)


def test_an_escalation_is_told_to_the_channel_with_the_supervisor_rung(store: Store) -> None:
    going_on = stormed(store)
    with store.transaction() as ledger:
        act_on_storm(ledger, going_on.id, StormDo.ESCALATE, "U01ALICE", NOON, tell=["U09BOSS"])
    with store.transaction() as ledger, pytest.raises(StormRefused, match="already"):
        act_on_storm(ledger, going_on.id, StormDo.ESCALATE, "U02BOB", NOON)
    clock, road = Clock(), Road()
    stormy_courier(store, road, clock).run()
    (told,) = [one for one in road.arrived if one.kind == "escalation"]
    assert told.broadcast
    assert {"type": "user", "user_id": "U09BOSS"} in told.blocks[0]["elements"][0]["elements"]


def test_nothing_can_be_done_to_a_storm_that_is_over(store: Store) -> None:
    going_on = stormed(store)
    tend_storms(store, NOON + timedelta(hours=1), RULES)
    for do in StormDo:
        with store.transaction() as ledger, pytest.raises(StormRefused, match="over"):
            act_on_storm(ledger, going_on.id, do, "alice", NOON)
    with store.transaction() as ledger, pytest.raises(StormRefused, match="no such"):
        act_on_storm(ledger, 999, StormDo.LEAD, "alice", NOON)


# -- what is usual ----------------------------------------------------------------------------------------


def history(store: Store, times: list[datetime]) -> None:
    take(store, [(post(10_000 + n, at), bad()) for n, at in enumerate(times)], NOON, rules=OFF)


def usual(store: Store) -> Usual:
    with store.reading() as ledger:
        return usual_rate(ledger, "Acme", "payment", NOON)


def test_the_usual_rate_is_that_of_this_hour_of_the_week(store: Store) -> None:
    weeks = [NOON - timedelta(weeks=week) for week in range(1, 9)]
    history(store, [week + n * MINUTE for week in weeks for n in range(3)] + [weeks[-1] - timedelta(days=1)])
    assert (usual(store).words, usual(store).weeks) == ("3", 8)


def test_with_some_days_of_history_it_is_their_average_and_says_so(store: Store) -> None:
    history(store, [NOON - timedelta(hours=hour / 4) for hour in range(1, 24 * 5 * 4 + 8)])
    assert usual(store).words == "about 4 (any hour; 5 days known)"


def test_without_history_nobody_pretends_to_know(store: Store) -> None:
    assert usual(store).words == "not known yet"
    history(store, [NOON - timedelta(hours=3)])
    assert usual(store).words == "not known yet"


# -- a whole storm ----------------------------------------------------------------------------------------


def storm_of(store: Store, total: int, minutes: int, *, batch: int) -> None:
    """`total` negatives within `minutes`, delivered as they come: few calls, worst first, nothing lost."""
    clock, road = Clock(), Road()
    road.clock = clock
    one = stormy_courier(store, road, clock)
    steps = total // batch
    began = None
    for step in range(steps):
        clock.now = max(clock.now, NOON + step * timedelta(minutes=minutes) / steps)
        # Neither rising nor falling: a stride through all ranks.
        numbers = [(step * batch + n) * 7919 % total + 1 for n in range(batch)]
        take(
            store,
            [(post(n, clock.now), bad(priority=Priority.HIGH, rank=n / (total + 1))) for n in numbers],
            clock.now,
        )
        tend_storms(store, clock.now, RULES)
        one.run(deadline=clock.now + timedelta(seconds=1))
        with store.reading() as ledger:
            if began is None and ledger.storms_going_on():
                began = NOON + step * timedelta(minutes=minutes) / steps
    card = next(at for at, message in enumerate(road.arrived) if message.kind == "storm")
    assert began is not None
    assert road.at[card] - began <= timedelta(seconds=5)
    print("calls:", len(road.arrived) + len(road.edits))
    assert len(road.arrived) + len(road.edits) <= 100
    with store.reading() as ledger:
        (going_on,) = ledger.storms_going_on()
        assert ledger.case_counts()[CaseStatus.OPEN] == total
        view = look_at(ledger, going_on.id, clock.now)
        worst = ledger.reviewed_many(view.worst) if view else {}
        assert audit(ledger, clock.now, ["slack"]).ok
    assert sorted(one.mention.external_id for one in worst.values()) == sorted(
        f"r{n}" for n in range(total - 4, total + 1)
    )
    clock.now += timedelta(minutes=31)
    assert tend_storms(store, clock.now, RULES).ended == 1
    # Ten thousand at a message a second are hours, and minutes of this machine: their beginning is looked at.
    one.run(deadline=clock.now + timedelta(seconds=400))
    told = [message.number for message in road.arrived if message.kind == "alert"]
    assert len(told) == len(set(told)) >= min(total, 350)
    with store.reading() as ledger:
        done = audit(ledger, clock.now, ["slack"])
        assert (done.ok, done.count("delivered", "queued"), done.count("folded")) == (True, total, 0)
        assert done.count("delivered") == len(told)


def test_a_storm_from_its_first_post_to_its_last_card(store: Store) -> None:
    storm_of(store, 240, 10, batch=6)


@pytest.mark.slow
def test_ten_thousand_negatives_in_ten_minutes(sqlite_store: Store) -> None:
    storm_of(sqlite_store, 10_000, 10, batch=50)


# -- its card ---------------------------------------------------------------------------------------------


def drawn(store: Store, at: datetime, *, interactive: bool) -> Message:
    with store.reading() as ledger:
        going_on = ledger.storm(1)
        assert going_on is not None
        delivery = ledger.delivery(going_on.card)
    assert delivery is not None
    return render_with(store, Clock(at), interactive=interactive)(delivery, None)


def a_storm(store: Store) -> None:
    history(store, [NOON - timedelta(weeks=week) + n * MINUTE for week in range(1, 9) for n in range(3)])
    several = [
        (
            post(n, NOON + timedelta(seconds=n), source=("shop", "forum")[n % 3 == 0], stars=1.0 + n % 2),
            bad(priority=Priority.HIGH, rank=n / 1_000),
        )
        for n in range(1, 413)
    ]
    take(store, several, NOON + 40 * MINUTE)


def test_the_cards_are_as_they_were_looked_at(sqlite_store: Store) -> None:
    a_storm(sqlite_store)
    at = NOON + 40 * MINUTE
    same_as_golden("storm_buttons", drawn(sqlite_store, at, interactive=True))
    same_as_golden("storm_links", drawn(sqlite_store, at, interactive=False))
    with sqlite_store.transaction() as ledger:
        act_on_storm(ledger, 1, StormDo.LEAD, "U01ALICE", at)
    same_as_golden("storm_led", drawn(sqlite_store, at + HALF, interactive=True))
    tend_storms(sqlite_store, at + HALF, RULES)
    same_as_golden("storm_over", drawn(sqlite_store, at + HALF, interactive=True))


@given(st.text(max_size=3_000), st.text(max_size=300), st.text(max_size=300), st.text(max_size=300))
def test_whatever_strangers_write_the_card_stays_a_card(
    text: str, label: str, brand: str, owner: str
) -> None:
    one = reviewed(about=mention(1, text=text, url=f"https://shop.example/{label}"))
    view = StormView(
        storm(label=label, brand=brand, owner=owner),
        StormCounts(412, 352, 400, 412, (("shop", 201), (label, 120), ("c", 61), ("d", 30))),
        Usual(3.0, weeks=8),
        (1,) * 5,
    )
    card = Delivery(
        id="ob_s", kind=DeliveryKind.STORM, notifier="slack", channel="#a", created_at=NOON, not_before=NOON
    )
    message = storm_message(view, [one] * 5, card, titles={}, now=NOON + MINUTE, interactive=True)
    assert problems(message.blocks) == []
    assert len(message.text) <= 300
    assert "<" not in message.text
    for block in message.blocks:
        for field in block.get("fields", ()):
            if field["type"] == "mrkdwn":
                outside = field["text"].replace("<!date^", "").replace(f"<@{owner}>", "")
                assert "<" not in outside
