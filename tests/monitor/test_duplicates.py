"""Is this the same text again? Edits, short texts, other scripts, and real posts that must not be merged."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.duplicates import (
    SKETCH,
    Copy,
    campaign,
    common,
    is_cut,
    same_words,
    sketch,
    words_of,
)

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LONG = (
    "we ordered two chairs in march and after six weeks of silence a driver dropped one broken box at our door "
    "nobody at the shop answers the phone and the refund they promised twice has never come so please avoid them"
)
WORDS = tuple(LONG.split())
POSTS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "sentiment" / "train"


def edited(words: list[str], edits: int, rng: random.Random) -> list[str]:
    words = list(words)
    for _ in range(edits):
        at = rng.randrange(len(words))
        match rng.randrange(3):
            case 0:
                words[at] = f"other{rng.randrange(999)}x"
            case 1:
                del words[at]
            case _:
                words.insert(at, f"more{rng.randrange(999)}x")
    return words


@pytest.mark.parametrize(("edits", "found"), [(0, 1.0), (1, 0.99), (3, 0.98), (8, 0.90)])
def test_a_text_of_forty_words_is_found_again_after_edits(edits: int, found: float) -> None:
    rng = random.Random(3)
    hits = 0
    for _ in range(300):
        words = rng.sample(WORDS, 20) + rng.sample(WORDS, 20)
        other = words_of(" ".join(edited(words, edits, rng)))
        hits += len(set(sketch(words)) & set(sketch(other))) >= 2 and same_words(words, other)
    assert hits / 300 >= found


@pytest.mark.parametrize(
    "again",
    [
        LONG.upper(),
        LONG.replace(" ", "  ").capitalize() + "!!!",
        "@acme " + LONG + " https://shop.example/a?b=1",
        LONG.replace("march", "march\u200b").replace(" we ", " we\u00a0"),
    ],
)
def test_case_signs_links_and_names_of_accounts_do_not_count(again: str) -> None:
    assert same_words(words_of(LONG), words_of(again))


def test_the_number_of_an_order_does_not_count() -> None:
    one, two = (
        f"Charged me twice for order {number}, and nobody ever answers the mail" for number in (881, 7)
    )
    assert sketch(words_of(one)) == sketch(words_of(two))


def test_a_review_of_which_a_site_shows_the_beginning_is_the_same_review() -> None:
    beginning = " ".join(WORDS[:22]) + "…"
    assert is_cut(beginning)
    assert same_words(words_of(LONG), words_of(beginning), cut=True)
    assert not same_words(words_of(LONG), words_of(beginning))


@pytest.mark.parametrize(
    "text", ["", "!!!", "Terrible service", "Do not buy here", "1 2 3 4", "😡😡😡😡😡😡"]
)
def test_what_is_too_short_is_a_copy_of_nothing(text: str) -> None:
    assert sketch(words_of(text)) == ()
    assert not same_words(words_of(text), words_of(text))


def test_short_texts_must_be_the_same_word_for_word() -> None:
    one = words_of("The driver never rang the bell")
    assert same_words(one, words_of("the driver NEVER rang the bell."))
    assert not same_words(one, words_of("The driver always rang the bell"))


def test_two_people_who_complain_of_the_same_thing_are_two() -> None:
    one = words_of(
        "I waited three hours for the courier and nobody came, and the hotline hung up on me twice"
    )
    two = words_of(
        "Waited the whole day for their courier, nobody came. I called the hotline and they hung up"
    )
    assert not same_words(one, two)


def test_scripts_without_spaces_are_compared_sign_by_sign() -> None:
    text = "配送が三週間も遅れて連絡も返金もまったくありませんでした"
    assert len(sketch(words_of(text))) == SKETCH
    assert same_words(words_of(text), words_of(text + "。"))


@given(st.lists(st.sampled_from("abcdef"), max_size=30), st.lists(st.sampled_from("abcdef"), max_size=30))
def test_the_words_in_common_are_counted_as_by_the_book(one: list[str], two: list[str]) -> None:
    table = [[0] * (len(two) + 1) for _ in range(len(one) + 1)]
    for i, a in enumerate(one):
        for j, b in enumerate(two):
            table[i + 1][j + 1] = table[i][j] + 1 if a == b else max(table[i][j + 1], table[i + 1][j])
    assert common(one, two) == table[-1][-1]


@given(st.text(max_size=400))
def test_any_text_is_sketched_and_is_like_itself_or_too_short(text: str) -> None:
    words = words_of(text)
    found = sketch(words)
    assert len(found) <= SKETCH
    assert all(0 <= one < 2**32 for one in found)
    assert same_words(words, words) is bool(len(words) >= 5)


def test_a_sketch_is_the_same_in_every_version() -> None:
    """Sketches are kept in the store: another hash would find none of them."""
    assert sketch(words_of("charged me twice and no refund"))[:2] == (617985579, 1060206444)


def test_a_campaign_is_named_from_three_accounts_on() -> None:
    def posts(*names: str) -> list[Copy]:
        return [Copy(name, "forum", NOON + timedelta(minutes=20 * at)) for at, name in enumerate(names)]

    assert campaign(posts("a", "a", "a", "b")) == ""
    assert campaign(posts("a", "", "b")) == ""
    assert campaign(posts("a", "b", "c", "d", "e", "f", "g")) == "same words from 7 accounts in 2 h"
    assert campaign(posts("a", "b", "c")) == "same words from 3 accounts in 40 min"


def test_of_real_posts_hardly_any_is_wrongly_merged() -> None:
    if not POSTS.exists():
        pytest.skip("the labelled posts are not here")
    index: defaultdict[int, list[int]] = defaultdict(list)
    kept: list[tuple[str, ...]] = []
    posts = merged = 0
    for name in ("vader_tweets", "uci_yelp", "uci_amazon", "vader_amazon"):
        with (POSTS / f"{name}.jsonl").open(encoding="utf-8") as lines:
            for line in lines:
                words = words_of(json.loads(line)["text"])
                posts += 1
                near = {other for one in sketch(words) for other in index[one][-50:]}
                if any(words != kept[other] and same_words(words, kept[other]) for other in near):
                    merged += 1
                for one in sketch(words):
                    index[one].append(len(kept))
                kept.append(words)
    assert merged / posts <= 0.001
