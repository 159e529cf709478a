"""The ranker: what it sees is linear in the text, what it says is a probability, what it ships is small."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.examination import examine
from monitor.lexicon.cues import Level
from monitor.ranker import MODEL_FILE, SIGNALS, Offset, Ranker, chance, features, logit, probability, ranker
from monitor.sentiment import analyse, compound_of, found_of
from monitor.triage import Thresholds, judge
from monitor.vader import polarity_scores
from monitor.windows import FOUND, windows
from storage.records import Mention, Priority

ROOT = Path(__file__).resolve().parents[2]
POSTS = [
    json.loads(line) for line in Path(__file__).with_name("complaints.jsonl").read_text("utf-8").splitlines()
]


def chance_of(text, offset=None):
    return chance(examine(text), text, offset)


def judged(text):
    return judge(Mention(source="t", external_id="1", text=text), "", analyse(text))


def test_of_a_hundred_complaints_that_vader_misses_most_are_flagged_with_reasons():
    complaints = [post["text"] for post in POSTS if post["bad"]]
    assert len(complaints) == 100
    assert all(polarity_scores(text)["compound"] > -0.05 for text in complaints)
    flagged = [verdict for text in complaints if (verdict := judged(text)).priority >= Priority.NORMAL]
    assert len(flagged) >= 85
    assert all(verdict.reasons for verdict in flagged)


def test_of_a_hundred_harmless_texts_with_bad_words_few_are_flagged():
    harmless = [post["text"] for post in POSTS if not post["bad"]]
    assert len(harmless) == 100
    flagged = [text for text in harmless if judged(text).priority >= Priority.NORMAL]
    assert len(flagged) <= 10, flagged
    assert not any(judged(text).priority >= Priority.HIGH for text in harmless)


def test_worse_words_are_more_probable_complaints():
    line = ["I love it, thank you", "It opens at nine", "a bit slow", "still no refund, never again"]
    chances = [chance_of(text) for text in line]
    assert chances == sorted(chances)
    assert chances[0] < 0.1
    assert chances[-1] > 0.9


def test_a_deployments_offset_moves_the_score_and_its_absence_undoes_it():
    text = "the parcel came on tuesday"
    plain = chance_of(text)
    assert chance_of(text, Offset(bias=1.0)) > plain
    assert (
        chance_of(text, Offset(terms={"parcel": 2.0}))
        > plain
        > chance_of(text, Offset(terms={"parcel": -2.0}))
    )
    assert chance_of(text, Offset(terms={"elsewhere": 9.0})) == plain == chance_of(text)


def test_what_carried_the_score_adds_up_to_it():
    text = "Still waiting for my refund, nobody answers"
    seen = features(examine(text), text)
    parts = sum(weight for _, weight in ranker().carried(seen))
    assert math.isclose(parts + ranker().bias, ranker().rank_score(seen), abs_tol=1e-9)


def test_the_default_flag_is_the_models():
    assert Thresholds().negative == pytest.approx(ranker().flag)


@given(st.floats(0, 1))
def test_a_negative_compound_and_its_probability_say_the_same(found):
    compound = compound_of(found, 0.0)
    assert -1 <= compound <= 1
    if found >= ranker().flag:
        assert found_of(compound) == pytest.approx(found, abs=1e-3)
    else:
        assert found_of(compound) == 0.0


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=80)
    | st.lists(st.sampled_from(["not", "!", "bad", "ok", "\n", "@a", "#b", "😡"])).map(" ".join)
)
def test_any_text_has_finite_signals_and_a_probability_or_none(text):
    seen = features(examine(text), text)
    assert len(seen.signals) == len(SIGNALS)
    assert all(math.isfinite(signal) for signal in seen.signals)
    found = chance_of(text)
    assert found is None or 0 <= found <= 1


def test_another_language_is_read_by_its_own_list_and_not_by_the_english_model():
    assert chance_of("Ich warte seit Wochen auf mein Geld, nie wieder") > 0.8
    assert chance_of("Ich liebe die Farbe, die Verarbeitung ist top") < 0.2
    assert chance_of("nie polecam tego sklepu, bardzo wolno") is None


def test_the_model_is_small_and_loads_at_once():
    assert MODEL_FILE.stat().st_size < 1_000_000
    script = (
        "import time; a = time.process_time(); from monitor.ranker import ranker; ranker(); "
        "print(time.process_time() - a)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 1.0  # 0.1 s on a quiet machine


def test_a_model_of_other_signals_is_refused(tmp_path):
    other = tmp_path / "ranker.json"
    other.write_text(
        json.dumps({"made": "", "bias": 0, "flag": 0.5, "signals": {"x": 1}, "terms": {}}), "utf-8"
    )
    with pytest.raises(ValueError, match="fit_ranker"):
        Ranker(other)


def test_a_probability_is_bounded():
    assert 0 < probability(-1e9) < probability(0.0) < probability(1e9) <= 1


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("the plug melted and there was a burning smell", Level.SEVERE),
        ("I found wire in my coffee", Level.SEVERE),
        ("you sent my address to other people's accounts", Level.SEVERE),
        ("nobody picks up", Level.CLEAR),
    ],
)
def test_severity_is_named_beside_tone(text, level):
    assert max(phrase.level for phrase in examine(text).phrases) is level


def test_findings_are_weighed_around_what_is_usual():
    findings = ranker().findings
    assert findings.logit(findings.usual) == pytest.approx(0.0, abs=1e-4)
    assert findings.spread.min() > 0
    raised = findings.usual + findings.spread * (findings.weights > 0)
    assert findings.logit(raised) > 0.1


def test_what_words_say_together_is_the_networks_and_their_findings():
    words = features(examine("they never called me back"), "they never called me back").words
    model, read = ranker(), windows()
    apart = model.windows * read.logit(words) + model.findings.logit(read.findings(words))
    assert model.together(words) == pytest.approx(apart)
    assert model.together((",", "!")) == 0.0


def test_the_file_holds_findings_in_whole_numbers_as_many_as_there_are():
    held = json.loads(MODEL_FILE.read_text("utf-8"))["findings"]
    assert {name: len([int(number) for number in held[name].split()]) for name in held} == dict.fromkeys(
        ("usual", "spread", "weights"), FOUND
    )


@given(st.floats(-30, 30))
def test_a_logit_is_that_of_its_probability(value):
    assert logit(probability(value)) == pytest.approx(value, abs=1e-2)
