"""`lowstar score`: JSON lines in, JSON lines out, whatever stands in them."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.commands.score import LINE_LIMIT, command, score_stream

ROOT = Path(__file__).resolve().parents[2]


def run(*lines, args=()):
    data = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    result = CliRunner().invoke(command, list(args), input=data)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result, [json.loads(line) for line in result.stdout.splitlines()]


def test_fields_are_kept_and_the_verdict_stands_beside_them():
    result, (scored,) = run({"id": 7, "text": "Still no refund", "stars": 1, "extra": {"a": [None]}})
    assert result.exit_code == 0
    assert {k: scored[k] for k in ("id", "text", "stars", "extra")} == {
        "id": 7,
        "text": "Still no refund",
        "stars": 1,
        "extra": {"a": [None]},
    }
    assert scored["label"] == "negative"
    assert scored["priority"] == "urgent"
    assert 0.75 <= scored["rank"] < 1
    assert scored["reasons"][0] == "1 of 5 stars"
    assert scored["topics"] == ["refund"]
    assert -1 <= scored["compound"] < 0


def test_lines_come_out_in_the_order_given():
    _, scored = run(*({"n": n, "text": "bad" if n % 3 else "good"} for n in range(2000)))
    assert [s["n"] for s in scored] == list(range(2000))


def test_a_malformed_line_is_named_and_has_its_place():
    result, scored = run(
        {"text": "good"}, b"{nope", b"", {"text": "bad"}, b"[1]", b'{"text": ["x"]}', b"\xff"
    )
    assert result.exit_code == 1
    assert [("error" in s) for s in scored] == [False, True, False, True, True, True]
    assert [s["line"] for s in scored if "error" in s] == [2, 5, 6, 7]
    assert [line.partition(":")[0] for line in result.stderr.splitlines()] == [
        "line 2",
        "line 5",
        "line 6",
        "line 7",
    ]


@pytest.mark.parametrize(
    "line",
    [
        b'{"text": "bad", "stars": NaN, "reach": Infinity, "x": -Infinity}',
        b'{"text": "bad", "stars": 1e999, "reach": 1e999}',
        b'{"text": "bad", "stars": ' + b"9" * 6000 + b', "reach": ' + b"9" * 400 + b"}",
        b'{"text": "bad", "stars": "many", "reach": "1e5"}',
        b'{"text": "bad", "stars": true, "reach": [1]}',
        b'{"text": "bad", "stars": -3, "reach": -1.5}',
        b'{"text": "bad", "title": null, "language": 5, "kind": "?"}',
        b'\xef\xbb\xbf{"text": "bad"}',
        b'{"text": "\\ud800 bad", "note": "\\udc00"}',
        b'{"text": "bad", "text": "bad"}',
    ],
)
def test_odd_values_are_no_reason_to_stop(line):
    result, (scored,) = run(line)
    assert result.exit_code == 0
    assert scored["label"] == "negative"
    assert scored["priority"] in ("low", "normal", "high", "urgent")


def test_a_number_where_a_text_should_be_is_read_as_one():
    _, scored = run({"text": 5}, {"text": None, "stars": 1}, {"title": "bad"}, {})
    assert [s["priority"] for s in scored] == ["normal", "urgent", "normal", "normal"]


def test_stars_may_be_written_as_text():
    _, (scored,) = run({"text": "fine", "stars": "1.0"})
    assert scored["priority"] == "urgent"


def test_a_brand_is_named_and_its_name_is_no_reason():
    _, (scored,) = run({"text": "Scam Likely called"}, args=["--brand", "Scam Likely"])
    assert scored["brand"] == "Scam Likely"
    assert scored["priority"] != "urgent"


def test_explaining_names_what_carried_the_verdict():
    data = json.dumps({"text": "Still no refund, nobody answers\x1b[31m", "stars": 2}).encode() + b"\n{nope"
    result = CliRunner().invoke(command, ["--explain"], input=data)
    assert result.exit_code == 1
    assert result.stdout.startswith("HIGH  Still no refund")
    for part in (
        "2 of 5 stars",
        "'Still no refund' (money)",
        "9 % likely a complaint",
        "weighed by the model",
    ):
        assert part in result.stdout
    assert "\x1b" not in result.stdout
    assert "line 2" in result.stderr


def test_a_probability_stands_beside_the_rank_and_is_null_where_nothing_was_read():
    _, scored = run({"text": "still no refund"}, {"text": "love it"}, {"text": "最悪です"})
    assert [s["complaint"] is None for s in scored] == [False, False, True]
    assert scored[0]["complaint"] > 0.9 > 0.2 > scored[1]["complaint"]


def test_a_line_nested_too_deeply_is_an_error_and_not_the_end():
    result, scored = run(b'{"text":' + b"[" * 200_000 + b"]" * 200_000 + b"}", {"text": "bad"})
    assert result.exit_code == 1
    assert "error" in scored[0]
    assert scored[1]["label"] == "negative"


def test_a_line_without_end_is_refused_in_bounded_memory():
    class Endless(io.RawIOBase):
        left = LINE_LIMIT * 2

        def read1(self, size):
            self.left -= size
            return b"x" * size if self.left > 0 else b""

    out = io.BytesIO()
    assert score_stream(Endless(), out) == 1
    assert "longer than" in json.loads(out.getvalue())["error"]


def test_each_line_is_answered_before_the_next_is_asked_for(tmp_path):
    script = "from monitor.commands.score import command; command()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        cwd=tmp_path,
    ) as process:
        for text in ("good", "bad"):
            process.stdin.write(json.dumps({"text": text}).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["text"] == text
        process.stdin.close()
        assert process.wait(10) == 0


def test_a_file_is_read_too(tmp_path):
    posts = tmp_path / "posts.jsonl"
    posts.write_text('{"text": "bad"}\n{"text": "good"}', "utf-8")
    _, scored = run(args=[str(posts)])
    assert [s["label"] for s in scored] == ["negative", "positive"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=20),
            st.fixed_dictionaries(
                {}, optional=dict.fromkeys(("text", "title", "stars", "reach", "language", "x"), JSON)
            ).map(lambda fields: json.dumps(fields).encode()),
        ),
        max_size=5,
    )
)
def test_any_input_gives_a_line_for_every_line(lines):
    data = b"\n".join(lines)
    out = io.BytesIO()
    malformed = score_stream(io.BytesIO(data), out)
    scored = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(scored) == sum(bool(line.strip()) for line in data.split(b"\n"))
    assert sum("error" in s and "rank" not in s for s in scored) == malformed
