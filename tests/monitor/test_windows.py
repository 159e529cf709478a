"""Windows: what words say together. Its look-ups say what its network says; order counts; any words are read."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.examination import examine
from monitor.ranker import features, ranker, telling, words_of
from monitor.windows import FOUND, FURTHEST, MODEL_FILE, NETWORKS, SUM_POWER, TOKENS_READ, windows


def logit_of(text):
    return windows().logit(words_of(examine(text)))


def logit_by_the_book(words):
    """The mean of the networks."""
    return sum(one_by_the_book(words, number) for number in range(NETWORKS)) / NETWORKS


def one_by_the_book(words, number):
    """A network as it is defined, window by window."""
    with np.load(MODEL_FILE) as file:
        known = file["words"].tobytes().decode().split("\n")
        mine = [name for name in file.files if name.endswith(f"_{number}")]
        held = {name.removesuffix(f"_{number}"): file[name].astype(np.float64) for name in mine}
    table = np.zeros((len(known) + 2, 2 * held["table"].shape[1]))
    table[:, 0::2], table[:, 1::2] = held["table"] // 16 - 8, held["table"] % 16 - 8
    table *= held["steps"]
    index = {word: i + 1 for i, word in enumerate(known)}

    def around(rows, weights, bias):
        edge = np.zeros((1, rows.shape[1]))
        wide = np.vstack([edge, rows, edge])
        return np.array(
            [
                np.maximum(sum(wide[at + k] @ weights[k] for k in range(3)) + bias, 0)
                for at in range(len(rows))
            ]
        )

    found = around(
        table[[index.get(word, len(known) + 1) for word in words]],
        held["window_weights"],
        held["window_bias"],
    )
    found = found + around(found, held["wider_weights"], held["wider_bias"])
    pooled = np.concatenate([found.max(0), found.sum(0) / (len(words) + 2) ** SUM_POWER])
    hidden = np.maximum(held["hidden_weights"] @ pooled + held["hidden_bias"], 0)
    logit = held["out_weights"] @ hidden + held["straight_weights"] @ pooled + held["out_bias"]
    return float(np.clip(logit, -FURTHEST, FURTHEST))


@pytest.mark.parametrize(
    "text",
    [
        "Charged me twice, and still no refund!",
        "love it",
        "no",
        "The app crashes every time I open the camera. I paid 30 dollars for this? Never again.",
        "zxqv blorp wibble",
    ],
)
def test_the_look_ups_say_what_the_network_says(text):
    words = words_of(examine(text))
    assert windows().logit(words) == pytest.approx(logit_by_the_book(words), abs=1e-3)


def test_the_order_of_words_counts():
    words = ["not", "good", ",", "really", "bad"]
    assert len({round(windows().logit(order), 6) for order in (words, words[::-1], sorted(words))}) == 3


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        ("they never called me back", "they called me back at once"),
        ("the new update broke my phone", "the new update broke all records"),
        ("i asked for a refund and got nothing", "i got my refund the next day"),
    ],
)
def test_what_goes_wrong_reads_worse_than_what_goes_well(worse, better):
    assert logit_of(worse) > logit_of(better) + 1


def test_without_words_it_has_no_opinion():
    assert windows().logit([]) == 0.0
    assert windows().parts([]) == []


def test_signs_alone_are_no_words_to_have_an_opinion_on():
    assert windows().logit([",", "@", "!"]) == 0.0
    assert windows().parts([",", "@", "!"]) == [0.0, 0.0, 0.0]
    assert windows().logit(["awful", ",", "!"]) != 0.0


def test_the_worst_window_is_where_the_complaint_is():
    words = words_of(examine("we sat by the window and the waiter spilled soup on my coat and laughed"))
    parts = windows().parts(words)
    assert len(parts) == len(words)
    assert max(range(len(parts)), key=parts.__getitem__) >= words.index("waiter")


SOME_WORDS = ("never", "ever", "called", "back", ",", ".", "good", "and", "the", "bad", "staff", "zxqv")


@given(st.lists(st.sampled_from(SOME_WORDS), max_size=30))
@settings(max_examples=50, deadline=None)
def test_what_findings_come_to_by_any_weights_is_told_window_by_window(words):
    weights = np.cos(np.arange(FOUND, dtype=np.float32))
    found, shares = windows().findings(words), windows().shares(words, weights)
    assert len(shares) == len(words)
    assert sum(shares) == pytest.approx(0.0 if found is None else float(found @ weights), abs=1e-3)
    if found is not None:
        around = windows().shares(words, weights, found)
        assert around == pytest.approx([0.0] * len(words))


def test_findings_are_as_many_as_are_weighed_and_none_is_below_zero():
    found = windows().findings(words_of(examine("they never called me back")))
    assert found.shape == (FOUND,) == ranker().findings.weights.shape
    assert found.min() >= 0.0
    assert windows().findings([",", "!"]) is None


def test_what_adds_most_is_named_with_its_words():
    text = "the parcel never arrived and nobody answers"
    seen = features(examine(text), text)
    named = telling(seen, 0.2)
    assert named == sorted(named, key=lambda pair: -pair[1])
    assert any(len(term.split()) == 3 and term in text for term, _ in named)
    assert telling(seen, 100.0) == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=12), max_size=60))
def test_any_words_are_read_within_bounds(words):
    assert -FURTHEST <= windows().logit(words) <= FURTHEST
    assert len(windows().parts(words)) == len(words)


def test_of_a_very_long_text_the_beginning_is_read():
    words = ["fine"] * TOKENS_READ
    assert windows().logit(words) == windows().logit([*words, "awful", "terrible"])
    assert len(windows().parts([*words, "awful"])) == TOKENS_READ


def test_numpy_is_loaded_only_when_a_text_is_read():
    probe = (
        "import sys; import monitor.sentiment, monitor.cli; assert 'numpy' not in sys.modules;"
        " monitor.sentiment.analyse('it broke again'); assert 'numpy' in sys.modules"
    )
    subprocess.run(
        [sys.executable, "-c", probe], check=True, cwd=Path(__file__).resolve().parents[2], timeout=60
    )


def test_the_model_is_under_a_megabyte():
    files = [file for file in MODEL_FILE.parent.iterdir() if file.suffix in (".json", ".npz")]
    assert {file.name for file in files} == {"ranker.json", "windows.npz"}
    assert sum(file.stat().st_size for file in files) < 1_000_000
    assert ranker().windows > 0
