"""`lowstar evaluate`: labelled texts in, honest figures out, beside plain VADER."""

import json

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from monitor.commands.evaluate import command
from monitor.measures import average_precision, calibration_error, f1, recall_at, roc_auc

ROWS = [
    {"text": "still no refund, nobody answers", "label": "neg"},
    {"text": "the app keeps crashing", "label": "negative"},
    {"text": "love it", "label": "pos"},
    {"text": "what time do you open", "label": "neutral"},
    {"text": "hung up on me", "stars": 1},
    {"text": "great place", "stars": 5, "label": None},
]


def run(path, *more):
    return CliRunner().invoke(command, [str(path), *more])


def written(tmp_path, rows, name="rows.jsonl"):
    path = tmp_path / name
    path.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    return path


def test_a_table_compares_the_triage_with_vader(tmp_path):
    result = run(written(tmp_path, ROWS))
    assert result.exit_code == 0, result.output
    assert "6 texts, 3 of them negative" in result.output
    assert "average precision" in result.output
    assert "VADER" in result.output


def test_the_same_as_json(tmp_path):
    found = json.loads(run(written(tmp_path, ROWS), "--json").output)
    assert (found["texts"], found["negative"]) == (6, 3)
    assert found["lowstar"]["average_precision"] == 1.0
    assert found["lowstar"]["f1"] == 1.0
    assert found["VADER"]["calibration_error"] is None
    assert found["VADER"]["average_precision"] < 1.0


def test_finding_complaints_and_listing_the_urgent_first_are_two_figures(tmp_path):
    polite_but_urgent = {
        "text": "I am a journalist at the Herald, would you comment on the new shop?",
        "label": "neu",
    }
    mild = {"text": "the scone was dry", "label": "neg"}
    found = json.loads(run(written(tmp_path, [polite_but_urgent, mild]), "--json").output)
    assert found["lowstar"]["average_precision"] == 1.0
    assert found["lowstar"]["order_precision"] == 0.5  # the journalist first: she is answered soonest
    assert found["VADER"]["order_precision"] is None


def test_csv_is_read_too(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text('Text,Label\n"no refund, again",neg\nlovely,pos\n', "utf-8")
    assert json.loads(run(path, "--json").output)["texts"] == 2


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '{"text": "x"}',
        '{"label": "neg"}',
        '{"text": "x", "label": "maybe"}',
        '{"text": "x", "stars": 9}',
    ],
)
def test_a_row_that_cannot_be_used_is_named(tmp_path, line):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "ok", "label": "pos"}\n' + line, "utf-8")
    result = run(path)
    assert result.exit_code == 1
    assert "line 2" in result.output


def test_an_empty_file_and_one_kind_only_are_said_so(tmp_path):
    assert "no rows" in run(written(tmp_path, [])).output
    assert "All of one kind" in run(written(tmp_path, ROWS[:2])).output


SCORED = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=30)


@given(SCORED)
def test_measures_stay_between_nothing_and_all(rows):
    scores, wanted = [float(s) for s, _ in rows], [w for _, w in rows]
    for value in (
        average_precision(scores, wanted),
        roc_auc(scores, wanted),
        recall_at(0.1, scores, wanted),
        f1([s > 2 for s in scores], wanted),
        calibration_error([s / 5 for s in scores], wanted),
    ):
        assert 0 <= value <= 1


@given(SCORED)
def test_a_perfect_order_has_all_of_it_and_its_reverse_the_least(rows):
    wanted = [w for _, w in rows]
    if any(wanted) and not all(wanted):
        assert average_precision([float(w) for w in wanted], wanted) == 1.0
        assert roc_auc([float(w) for w in wanted], wanted) == 1.0
        assert roc_auc([-float(w) for w in wanted], wanted) == 0.0
