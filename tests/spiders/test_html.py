"""What does markup say, as plain text?"""

from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spiders.parsing.html import html_to_text, looks_like_html, plain, strip_tags


@pytest.mark.parametrize(
    ("fragment", "text"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("One<br>Two<br/>Three", "One\nTwo\nThree"),
        ("<p>a\n   b</p>", "a b"),
        ("a &amp; b", "a & b"),
        ("It&amp;#39;s", "It's"),
        ("&lt;br /&gt;x", "x"),
        ("a<script>var x = '<p>';</script>b<style>p{}</style>c", "abc"),
        ("a<!-- <p>hidden</p> -->b", "ab"),
        ('<a title="a>b" href="x">link</a>', "link"),
        ("I <3 it, 5 < 6 > 4", "I <3 it, 5 < 6 > 4"),
        ("<SCRIPT>x</ScRiPt>y", "y"),
        ("x<script>never closed", "x"),
        ("Straße &uuml;ber&nbsp;all", "Straße über all"),
        ("", ""),
        ("one\n\n\n\ntwo", "one\n\ntwo"),
    ],
)
def test_markup_becomes_what_a_person_reads(fragment: str, text: str) -> None:
    assert html_to_text(fragment) == text


def test_json_text_keeps_words_that_only_look_like_tags() -> None:
    assert plain("I give it <five> of <10>") == "I give it <five> of <10>"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a<br>b", "a\nb"),
        (["", "x"], "x"),
        ({"@value": "v", "@language": "en"}, "v"),
        ({"name": ["n"]}, "n"),
        (4.0, "4"),
        (4.5, "4.5"),
        (float("nan"), ""),
        (True, ""),
        (None, ""),
        (object(), ""),
    ],
)
def test_json_values_become_text(value: object, text: str) -> None:
    assert plain(value) == text


def test_values_nested_without_end_are_no_text() -> None:
    loop: list[object] = []
    loop.append(loop)
    assert plain(loop) == ""


def test_tags_and_entities_make_html() -> None:
    assert looks_like_html("a<br>b")
    assert looks_like_html("fish &amp; chips")
    assert not looks_like_html("1 < 2 > 0 & so on <five>")


@settings(deadline=None)  # the machine may be busy with other things
@given(st.text(alphabet="<>/!-&;ab\"'= \n#12scripty"))
def test_any_soup_is_read_without_a_fault(soup: str) -> None:
    for read in (html_to_text, plain, strip_tags):
        assert isinstance(read(soup), str)


@pytest.mark.parametrize(
    "unit", ["<", "<a", '<a "', "<script>", "<!--", "&#", "&amp;", '<a ">', "<b>", "<zz>"]
)
def test_long_traps_cost_linear_time(unit: str) -> None:
    trap = unit * (400_000 // len(unit))
    begun = process_time()
    html_to_text(trap)
    plain(trap)
    assert process_time() - begun < 2
