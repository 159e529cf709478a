"""Is today worse than usual? Tails against known values, honesty about small numbers, and the card of a spike."""

from __future__ import annotations

import json
import math
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.blocks_spike import SpikeShown, spike_body, spike_headline
from alerts.routing import Route
from monitor.match import Brand
from monitor.spike_watch import spans_before, tend_spikes
from monitor.spikes import Heard, SpikeRules, negative_binomial_tail, poisson_tail, spike_odds, spikes
from storage.records import (
    DatePrecision,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Kind,
    Label,
    Mention,
    Priority,
    Sentiment,
    Verdict,
)
from storage.store import Store

NOW = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
BRANDS = (Brand(name="Acme", terms=("Acme",)),)
ROUTES = (Route(channel="#alerts", priority=Priority.HIGH, respond_within=2 * HOUR),)


@pytest.mark.parametrize(
    ("count", "mean", "tail"),
    [  # 1 − F(k − 1), as tables and scipy.stats have it
        (1, 0.5, 0.3934693402873666),
        (5, 1.0, 0.003659846827343768),
        (10, 3.0, 0.0011024881301154815),
        (20, 20.0, 0.5297427331607607),
        (100, 50.0, 3.200065324585125e-10),  # summed with 60 digits
    ],
)
def test_poisson_tails_are_those_of_the_tables(count: int, mean: float, tail: float) -> None:
    assert poisson_tail(count, mean) == pytest.approx(tail, rel=1e-12)


@pytest.mark.parametrize(
    ("count", "size", "mean", "tail"),
    [  # size 1 is geometric: P(X ≥ k) = (mean / (1 + mean))^k
        (3, 1.0, 1.0, 0.125),
        (10, 1.0, 4.0, 0.8**10),
        # size 2: P(X ≥ 1) = 1 − (2 / (2 + mean))²
        (1, 2.0, 2.0, 0.75),
        # size ½, mean ½: P(0) = √½, P(1) = √½ / 4
        (2, 0.5, 0.5, 1 - math.sqrt(0.5) * 1.25),
    ],
)
def test_negative_binomial_tails_are_those_of_the_book(
    count: int, size: float, mean: float, tail: float
) -> None:
    assert negative_binomial_tail(count, size, mean) == pytest.approx(tail, rel=1e-12)


@given(st.integers(0, 300), st.floats(0.01, 200), st.floats(0.1, 1e6))
def test_a_tail_is_a_probability_and_the_wider_count_has_the_longer_one(
    count: int, mean: float, size: float
) -> None:
    wide, narrow = negative_binomial_tail(count, size, mean), poisson_tail(count, mean)
    assert 0 <= wide <= 1
    assert 0 <= narrow <= 1
    if count > mean + 5 * math.sqrt(mean + mean * mean / size) + 5:
        assert wide >= narrow * 0.999


def test_two_where_there_was_nothing_is_no_alarm() -> None:
    assert not spikes(_posts(2), [[]] * 8)
    assert not spikes(_posts(4), [[]] * 8)
    assert spikes(_posts(7), [[]] * 8)


@pytest.mark.parametrize("known", [0, 1])
def test_nothing_is_claimed_of_the_first_two_days(known: int) -> None:
    assert not spikes(_posts(50), [[]] * known)
    assert spike_odds(50, [1] * known) == 1.0


def test_what_varies_much_anyway_must_rise_higher() -> None:
    assert spike_odds(20, [8, 9, 7, 8, 8, 9]) < spike_odds(20, [1, 19, 3, 2, 17, 6]) / 10


def test_chance_alone_hardly_ever_alarms() -> None:
    rng = random.Random(5)

    def span() -> list[Heard]:
        count = sum(rng.random() < 0.01 for _ in range(1_000))  # about Poisson, ten a day
        return [
            Heard(at, rng.random() * 24, rng.choice("abc"), "", (rng.choice("xyz"),)) for at in range(count)
        ]

    assert sum(bool(spikes(span(), [span() for _ in range(8)])) for _ in range(400)) <= 2


def test_a_spike_says_since_when_and_what_it_is_mostly_about() -> None:
    today = [Heard(at, 0.2 * at, "shop", "Leeds", ("payment",)) for at in range(8)]
    today += [Heard(20 + at, 20.0, "forum") for at in range(4)]
    usual = [[Heard(at, 3.0 * at, "shop") for at in range(6)] for _ in range(8)]
    (spike,) = spikes(today, usual)
    assert spike.hours == 2
    assert spike.count == 8
    assert {subject for _, subject, _ in (*spike.mostly, (spike.kind, spike.subject, 8))} >= {"payment"}


def test_a_large_count_that_rose_a_little_is_no_spike() -> None:
    def span(count: int) -> list[Heard]:
        return [Heard(at, 24 * at / count) for at in range(count)]

    assert not spikes(span(1_300), [span(1_000)] * 8)
    assert spikes(span(1_300), [span(1_000)] * 8, SpikeRules(times=1.1))


def test_the_same_weekday_is_looked_at_where_three_of_them_are_known() -> None:
    ends, young = spans_before(NOW - timedelta(weeks=40), NOW)
    assert ends == [NOW - timedelta(weeks=ago) for ago in range(1, 9)]
    assert not young
    assert spans_before(NOW - timedelta(days=5), NOW)[0][-1] == NOW - timedelta(days=4)
    assert spans_before(NOW - timedelta(days=2), NOW)[0] == []
    assert spans_before(None, NOW)[0] == []


def test_a_source_counts_once_it_was_listened_to_for_long_enough() -> None:
    year = NOW - timedelta(weeks=52)
    runs = {"old": NOW - timedelta(weeks=6), "young": NOW - timedelta(days=10)}
    ends, young = spans_before(year, NOW, runs)
    assert (len(ends), young) == (5, frozenset({"young"}))
    ends, young = spans_before(year, NOW, {"young": NOW - timedelta(days=10), "today": NOW - HOUR})
    assert (ends[-1], young) == (NOW - timedelta(days=7), frozenset({"today"}))
    assert spans_before(year, NOW, {"today": NOW - HOUR})[0] == []


def test_the_headline_says_how_much_since_when_and_about_what() -> None:
    shown = _shown(times=3.0, mostly=[("payment", 8), ("Leeds", 6)])
    assert spike_headline(shown) == "Acme: 3 times usual since 14:00, mostly “payment”, “Leeds”"
    assert spike_headline(_shown(kind="topic", subject="refund", times=4.2)) == (
        "Acme about “refund”: 4 times usual since 14:00"
    )
    assert "12 negative posts, usually none, since 14:00" in spike_headline(_shown())


def test_a_strangers_words_stand_in_text_leaves_alone() -> None:
    nasty = "<!channel> *bold* <https://evil.example|click> " + "x" * 9_000
    body = spike_body(_shown(examples=[("Shop <@U1>", nasty)] * 9, kind="place", subject=nasty))
    assert len(json.dumps(body)) < 8_000
    for leaf in _leaves(body["blocks"]):
        if "<!channel>" in leaf["text"]:
            assert leaf["type"] in ("text", "plain_text")
    assert "&lt;!channel&gt;" in body["text"]


# -- in a store -------------------------------------------------------------------------------------------


def fill(store: Store, *times: datetime, text: str = "Acme is slow", topics: tuple[str, ...] = ()) -> None:
    with store.transaction() as ledger:
        for at in times:
            fill.count += 1  # type: ignore[attr-defined]
            mention = Mention(
                source="shop",
                external_id=str(fill.count),  # type: ignore[attr-defined]
                kind=Kind.REVIEW,
                text=text,
                published_at=at,
                date_precision=DatePrecision.SECOND,
            )
            (done,) = ledger.write_mentions([mention], at).values()
            sentiment = Sentiment(-0.7, Label.NEGATIVE)
            verdict = Verdict("Acme", sentiment, Priority.HIGH, 0.6, ("tone",), topics)
            ledger.write_verdicts([(done.id, mention, verdict)])


fill.count = 0  # type: ignore[attr-defined]


def quiet_weeks(store: Store) -> None:
    fill(store, *(NOW - timedelta(weeks=ago, hours=9 * at) for ago in range(1, 9) for at in range(2)))


def tend(store: Store, now: datetime = NOW, **more: Any) -> tuple[int, int]:
    rules = more.pop("rules", SpikeRules())
    done = tend_spikes(store, BRANDS, ROUTES, now, rules, titles={"shop": "The Shop"}, **more)
    return done.told, done.ended


def cards(store: Store) -> list[Delivery]:
    with store.reading() as ledger:
        found = [ledger.delivery(spike.card) for spike in ledger.spikes_going_on()]
    return [one for one in found if one is not None]


def test_a_spike_is_one_card_that_follows_while_it_lasts_and_then_ends(store: Store) -> None:
    quiet_weeks(store)
    fill(
        store,
        *(NOW - timedelta(minutes=9 * at) for at in range(1, 9)),
        text="Acme charged me twice",
        topics=("payment",),
    )
    assert tend(store) == (1, 0)
    assert tend(store) == (0, 0)
    (card,) = cards(store)
    assert (card.kind, card.channel, card.state) == (DeliveryKind.OPS, "#alerts", DeliveryState.PENDING)
    text = json.loads(card.body)["text"]
    assert "since 14:00" in text
    assert "payment" in text
    assert "The Shop" in card.body

    later = NOW + HOUR
    fill(
        store,
        *(NOW + timedelta(minutes=5 * at) for at in range(1, 7)),
        text="Acme charged me twice",
        topics=("payment",),
    )
    assert tend(store, later) == (0, 0)
    (again,) = cards(store)
    assert again.id == card.id
    assert again.wanted_version == card.wanted_version + 1
    assert "14" in json.loads(again.body)["blocks"][1]["fields"][0]["text"]

    assert tend(store, NOW + 30 * HOUR) == (0, 1)
    with store.reading() as ledger:
        assert ledger.spikes_going_on() == []
        over = ledger.delivery(card.id)
    assert over is not None
    assert "Over" in json.loads(over.body)["text"]


def test_a_quiet_day_says_nothing(store: Store) -> None:
    quiet_weeks(store)
    fill(store, NOW - HOUR, NOW - 2 * HOUR)
    assert tend(store) == (0, 0)
    assert cards(store) == []


def test_the_first_crawl_of_a_new_source_is_no_spike(store: Store) -> None:
    quiet_weeks(store)
    fill(store, *(NOW - timedelta(minutes=9 * at) for at in range(1, 9)))
    with store.transaction() as ledger:
        ledger.begin_run("elsewhere", NOW - timedelta(weeks=30))
        ledger.begin_run("shop", NOW - HOUR)
    assert tend(store) == (0, 0)


def test_a_topic_nobody_ever_had_is_named(store: Store) -> None:
    quiet_weeks(store)
    fill(
        store,
        *(NOW - timedelta(minutes=20 * at) for at in range(1, 8)),
        text="Acme sold me a kettle that caught fire",
        topics=("safety",),
    )
    assert tend(store) == (1, 0)
    (card,) = cards(store)
    assert "Never heard before" in card.body or "something new" in card.body
    assert "safety" in card.body


def test_switched_off_it_says_nothing_and_ends_what_goes_on(store: Store) -> None:
    quiet_weeks(store)
    fill(store, *(NOW - timedelta(minutes=9 * at) for at in range(1, 9)))
    assert tend(store) == (1, 0)
    assert tend(store, rules=SpikeRules(on=False)) == (0, 1)


def test_times_are_those_of_the_team(store: Store) -> None:
    quiet_weeks(store)
    fill(store, *(NOW - timedelta(minutes=9 * at) for at in range(1, 9)))
    tend(store, timezone="Europe/Berlin")
    (card,) = cards(store)
    assert "since 15:00" in card.body


def _posts(count: int) -> list[Heard]:
    return [Heard(at, 0.1 * at) for at in range(count)]


def _shown(**more: Any) -> SpikeShown:
    told: dict[str, Any] = {
        "brand": "Acme",
        "kind": "brand",
        "subject": "",
        "since": "14:00",
        "count": 12,
        "usual": 0.2,
        "times": None,
    }
    return SpikeShown(**{**told, **more})


def _leaves(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        here = [value] if isinstance(value.get("text"), str) else []
        return here + [leaf for one in value.values() for leaf in _leaves(one)]
    return [leaf for one in value for leaf in _leaves(one)] if isinstance(value, list) else []
