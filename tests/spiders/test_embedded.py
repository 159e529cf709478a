import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parsel import Selector

from spiders import embedded


def states_of(script: str, *after: str) -> list[Any]:
    return embedded.states(Selector(f"<html><script>{script}</script></html>"), after=after)


def test_the_state_of_an_element_is_its_json() -> None:
    page = Selector('<script id="s" type="application/json">{"a": 1}</script><script id="t">no json</script>')
    assert embedded.states(page, css=["script#s", "script#t", "script#none"]) == [{"a": 1}]


@pytest.mark.parametrize(
    "said",
    [
        'window.__S__ = {"a": "x</b>"};more();',
        'window.__S__={"a": "x</b>"}',
        'window.__S__ = ({"a": "x</b>"});',
        r'window.__S__ = JSON.parse("{\"a\": \"x\u003c/b\x3e\"}");',
        r"""window.__S__ = JSON.parse('{"a": "x</b>"}');""",
        'window.__S__ = function(){return {"a": "x</b>"}}',
        'window.__S__ = {"a": "x</b>", "b":undefined}',
    ],
)
def test_json_behind_literal_words_is_found_however_it_is_wrapped(said: str) -> None:
    (state,) = states_of(said, "window.__S__")
    assert state["a"] == "x</b>"


def test_every_call_of_a_callback_is_one_state() -> None:
    script = "AF_initDataCallback({key: 'a', data:[1]}); "
    script += "AF_initDataCallback({key: 'b', data:function(){return [2]\n}});"
    assert states_of(script, "AF_initDataCallback(", "data:") == [[1], [2]]


@pytest.mark.parametrize("said", ["<!--{&quot;a&quot;: 1}-->", ' {"a": 1} trailing', '{"a": 1}'])
def test_comment_marks_and_entities_around_json_are_put_up_with(said: str) -> None:
    assert embedded.decode(said) == {"a": 1}


@pytest.mark.parametrize("said", ["", "{", "[" * 100_000, '{"a":' * 100_000, "NaN", "null", "9" * 5_000])
def test_what_is_no_json_is_nothing(said: str) -> None:
    assert not isinstance(embedded.decode(said), (dict, list))


def test_objects_are_found_by_their_keys_at_any_depth_in_page_order() -> None:
    state = {
        "x": [{"id": 1, "t": "a", "inner": {"id": 9, "t": "z"}}],
        "y": {"deep": {"id": 2, "t": "b"}, "id": 3},
    }
    assert [one["id"] for one in embedded.having(state, ["id", "t"])] == [1, 2]


def test_references_into_a_cache_are_followed_even_in_a_circle() -> None:
    cache: dict[str, Any] = {
        "Review:1": {"t": "hi", "by": {"__ref": "User:2"}},
        "User:2": {"name": "ana", "best": {"__ref": "Review:1"}},
    }
    (item,) = embedded.items({"cache": cache}, keys=["t", "by"])
    assert item["by"]["name"] == "ana"
    assert embedded.search("by.best.by.name", item) == "ana"


def test_references_that_multiply_are_bounded() -> None:
    cache = {f"N:{n}": {"t": 1, "kids": [{"__ref": f"N:{m}"} for m in range(50)]} for n in range(50)}
    began = time.process_time()
    embedded.items({"cache": cache}, keys=["t", "kids"])
    assert time.process_time() - began < 5


def test_an_expression_that_does_not_fit_finds_nothing() -> None:
    assert embedded.search("length(a)", {"a": 5}) is None
    assert embedded.search("a.b[0].c", {"a": "x"}) is None


def test_many_and_deep_states_are_bounded() -> None:
    many = "D={}" * 5_000
    assert len(states_of(many, "D")) == embedded.STATES_MAX
    deep = json.loads("[" * 900 + "]" * 900)
    assert embedded.having(deep, ["a"]) == []


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_no_script_however_odd_makes_it_fall_over(script: str) -> None:
    embedded.decode(script)
    states_of(script.replace("<", ""), "=")
    states_of("x=JSON.parse(" + script.replace("<", ""), "x")
    embedded.fault_in(script)


def test_a_script_full_of_false_starts_ends_soon() -> None:
    began = time.process_time()
    assert states_of("D([" * 500_000, "D(") == []
    assert time.process_time() - began < 3
