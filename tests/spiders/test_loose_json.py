"""What does a broken block of JSON say?"""

from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spiders.parsing.loose_json import CUT, loads


@pytest.mark.parametrize(
    ("block", "value"),
    [
        ('{"a": 1,}', {"a": 1}),
        ("[1, 2,]", [1, 2]),
        ('{"a": NaN}', {"a": None}),
        ('{"a": "line\nbreak\tand tab"}', {"a": "line\nbreak\tand tab"}),
        ('"@type": Product, "x": {"y": "z"}', {"@type": "Product", "x": {"y": "z"}}),
        ('{"a": "he said "great", really", "b": "x"}', {"a": 'he said "great", really', "b": "x"}),
        ('{"a": "5" tall", "b": 1}', {"a": '5" tall', "b": 1}),
        ('{"a": "<p style="left;">Open</p>"}', {"a": '<p style="left;">Open</p>'}),
        ('["x "y" z", "w"]', ['x "y" z', "w"]),
        ('{"a": "x"}{"b": "y"}', [{"a": "x"}, {"b": "y"}]),
        ('{"a": "x"},{"b": 2}', [{"a": "x"}, {"b": 2}]),
        ('{"a": "b"\n"c": "d"}', {"a": "b", "c": "d"}),
        ('<!-- {"a": 1} -->', {"a": 1}),
        ('//<![CDATA[\n{"a": 1,}\n//]]>', {"a": 1}),
        ('/*<![CDATA[*/{"a": 1}/*]]>*/', {"a": 1}),
        ('\ufeff{"a": 1};', {"a": 1}),
        ("{“a”: “b”}", {"a": "b"}),
        ("{a: 'b', c: undefined}", {"a": "b", "c": None}),
        ('{"a": "b", // note\n "d": 1}', {"a": "b", "d": 1}),
        ("{&quot;a&quot;: 1,}", {"a": 1}),
        (r'{"a": "\ud83d\ude00 \'x\'",}', {"a": "😀 'x'"}),
    ],
)
def test_the_usual_faults_are_mended(block: str, value: Any) -> None:
    assert loads(block)[0] == value


def test_sound_json_is_no_problem() -> None:
    assert loads('{"a": 1}') == ({"a": 1}, [])


def test_a_mended_block_says_so() -> None:
    assert "not valid JSON" in loads('{"a": 1,}')[1][0]


def test_what_the_end_cuts_short_is_marked() -> None:
    value, _ = loads('{"review": [{"body": "whole"}, {"body": "cut o')
    assert value["review"][0] == {"body": "whole"}
    assert value["review"][1][CUT] is True


@pytest.mark.parametrize(
    "block",
    [
        "[" * 100_000,
        '{"a":' * 100_000 + "1,",
        '{"a":"' + '"' * 400_000,
        '{"a":"' + '", "' * 200_000,
        "{" + "/*" * 400_000,
        '{"a":"' + '"\n' * 400_000,
        '{"a":"' + "\\" * 800_001,
        "//" * 10_000,
        "{" + " " * 800_000 + "x",
        "{" * 150 + "}]" * 300_000,
    ],
)
def test_traps_are_read_in_bounded_time(block: str) -> None:
    begun = process_time()
    loads(block)
    assert process_time() - begun < 3


@settings(deadline=None)  # the machine may be busy with other things
@given(st.text(alphabet="{}[]\":,\\ua1 \n'“”tnf<!->"))
def test_any_soup_is_read_without_a_fault(soup: str) -> None:
    value, problems = loads(soup)
    assert value is not None or isinstance(problems, list)
