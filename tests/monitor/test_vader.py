"""Linear VADER says what vaderSentiment says, to the last bit."""

import gc
import json
import random
import time
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vaderSentiment.vaderSentiment import (
    BOOSTER_DICT,
    NEGATE,
    SENTIMENT_LADEN_IDIOMS,
    SPECIAL_CASES,
    SentimentIntensityAnalyzer,
)

from monitor.vader import CACHED_TOKENS, Vader, polarity_scores, squash, vader

LABELLED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "sentiment" / "train"


@cache
def original():
    return SentimentIntensityAnalyzer()


def assert_same(text):
    # repr, because 0.0 == -0.0 and nan != nan
    assert repr(polarity_scores(text)) == repr(original().polarity_scores(text))


RULE_WORDS = str.split(
    "no or nor so this never without doubt least at very of kind but just enough sort the bomb shit bad ass "
    "bus stop yeah right kiss death to die for beating heart"
)
WORDS = st.sampled_from(
    sorted(original().lexicon)[::40]
    + sorted(BOOSTER_DICT)
    + NEGATE
    + [*SPECIAL_CASES, *SENTIMENT_LADEN_IDIOMS]
    + RULE_WORDS * 4
    + [":)", ":-(", ":D", "<3", "!", "?", "!!!", "???", "a", "plain", "CAPS", "ΑΣ", "Σ'", "İ", "ß", "ﬁ"]
    + sorted(vader().emoji)[::60]
    + sorted(e for e in original().emojis if len(e) > 1)[::120]
)
SHAPES = st.sampled_from(
    [str, str, str, str.upper, str.capitalize, "{}!".format, "{},".format, '"{}"'.format, "{}?".format]
)
WORD = st.builds(lambda shape, word: shape(word), SHAPES, WORDS)
SPACES = st.sampled_from([" ", " ", " ", "  ", "\n", "\t", "\u00a0", "\u3000", "\x1c", ""])
SENTENCE = st.lists(st.tuples(WORD, SPACES), max_size=25).map(lambda pairs: "".join(w + s for w, s in pairs))


@settings(max_examples=400, deadline=None)
@given(SENTENCE)
def test_any_sentence_of_words_that_rules_know_scores_the_same(text):
    assert_same(text)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80))
def test_any_text_scores_the_same(text):
    assert_same(text)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(["good", "bad", "great", "GOOD", "but", "x", "good!", "not"]), max_size=40))
def test_equal_values_around_but_score_the_same(words):
    assert_same(" ".join(words))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n ",
        "but",
        "good but good but good bad bad",
        "VADER is VERY SMART, uber handsome, and FRIGGIN FUNNY!!!",
        "At least it isn't a horrible book.",
        "least good",
        "at least good, the least good",
        "without a doubt an excellent idea, without doubt good",
        "never so good, never this good, never ever so good",
        "this is no good, no bad or good, no such good thing",
        "it is kind of good and a kind act of a kind",
        "that movie is the bomb and the shit, to die for, a real kiss of death",
        "Catch utf-8 emoji such as 💘 and 💋 and 😁😁x😡y ☹️ 👍🏽",
        "aren't isn't NOTN'T good",
        "????? good !!!!!!",
        "\ud800 good \udfff",
        "good" * 50_000,
    ],
)
def test_known_corners_score_the_same(text):
    assert_same(text)


def test_real_posts_and_reviews_score_the_same():
    files = sorted(LABELLED.glob("*.jsonl"))
    if not files:
        pytest.skip("the labelled posts are not on this machine")
    texts = [
        json.loads(line)["text"] for file in files for line in file.read_text("utf-8").split("\n") if line
    ]
    for text in random.Random(7).sample(texts, min(len(texts), 4000)):
        assert_same(text)


def test_reviews_longer_than_any_rule_score_the_same():
    rng = random.Random(11)
    vocabulary = sorted(original().lexicon)[::50] + RULE_WORDS + ["plain"] * 200
    for _ in range(3):
        assert_same(" ".join(rng.choices(vocabulary, k=700)))


def _seconds(text):
    best = float("inf")
    gc.disable()  # it walks all that the other tests left behind, which is no cost of the text
    try:
        for _ in range(5):
            start = time.process_time()
            vader().polarity_scores(text)
            best = min(best, time.process_time() - start)
    finally:
        gc.enable()
    return best


@pytest.mark.parametrize(
    "piece",
    ["😡", "good bad ", "good but bad great but ", "!?", "a", "NOT very GOOD ", "not ", ":) ", "no or good "],
)
def test_four_times_the_text_takes_about_four_times_as_long(piece):
    text = piece * (160_000 // len(piece))
    # The original's ratio is 16 and more; 10 leaves room for a busy machine.
    assert _seconds(text) <= 10 * max(_seconds(text[:40_000]), 1e-4)


def test_what_is_remembered_of_tokens_is_bounded():
    own = Vader()
    for i in range(CACHED_TOKENS // 100 + 5):
        own.polarity_scores(" ".join(f"token{i}x{j}" for j in range(100)))
    own.polarity_scores("x" * 10_000)
    assert len(own._words) <= CACHED_TOKENS
    assert max(map(len, own._words)) < 100


def test_a_squashed_sum_stays_within_one():
    assert squash(1e9) == 1.0
    assert squash(-1e9) == -1.0
