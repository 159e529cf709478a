"""Brands are found by their terms, as literals, where they stand as words."""

import gc
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.match import Brand, Hit, Matcher, stands_alone
from monitor.normalise import fold


def brand(*terms, name="Acme", **more):
    return Brand(name=name, terms=terms or (name,), **more)


def found(text, *terms, **more):
    return [text[h.start : h.end] for h in Matcher([brand(*terms, **more)]).brands_in(text)]


@pytest.mark.parametrize(
    ("term", "text", "pieces"),
    [
        ("Acme", "ACME, acme's and Acme.", ["ACME", "acme", "Acme"]),
        ("Acme", "Acmes notacme acme2 _acme", []),
        ("Acme", "Acme\u2019s", ["Acme"]),
        ("Acme", "@acme #acme acme.example acme-shop", ["acme"] * 4),
        ("Acme", "Ac\u200bme", ["Ac\u200bme"]),
        ("Acme Corp", "Acme\n  Corp", ["Acme\n  Corp"]),
        ("@acme", "ask @Acme now", ["@Acme"]),
        ("@acme", "mail bob@acme.example", []),
        ("@acme", "@acmesupport", []),
        ("#fail", "#fail #failure", ["#fail"]),
        ("acme.com", "www.acme.com/x acme.community", ["acme.com"]),
        ("Yahoo!", "Yahoo! and Yahoo!Mail, not Yahoo", ["Yahoo!", "Yahoo!"]),
        ("C++", "C++, C, c++17", ["C++", "c++"]),
        (".NET", "we use .NET; see planet.net", [".NET"]),
        ("H&M", "H&amp;M shop, h&m", ["H&amp;M", "h&m"]),
        ("a(b", "a(b ab a(bc", ["a(b"]),
        (".*", "anything .* goes", [".*"]),
        ("[a-z]+", "abc", []),
        ("O'Reilly", "O\u2019Reilly", ["O\u2019Reilly"]),
        ("Coca-Cola", "Coca\u2011Cola", ["Coca\u2011Cola"]),
        ("Ümlaut", "U\u0308mlaut", ["U\u0308mlaut"]),
        ("Acme", "Acme\u0301", []),
        ("アクメ", "株式会社アクメの件", ["アクメ"]),
        ("Acme", "我喜欢Acme的产品", ["Acme"]),
        ("애크미", "애크미는 최악", ["애크미"]),
        ("Акме", "акме! акмея", ["акме"]),
        ("7-Eleven", "7-eleven 17-eleven", ["7-eleven"]),
    ],
)
def test_a_term_is_found_as_a_word(term, text, pieces):
    assert found(text, term) == pieces


def test_a_hit_inside_a_phrase_that_is_not_meant_is_no_hit():
    text = "Apple pie, apple; an Apple Pie chart of apple"
    assert found(text, "apple", not_terms=("apple pie",)) == ["apple", "apple"]
    assert found("acme acme", "acme", not_terms=("acme",)) == []


def test_an_ambiguous_name_needs_a_word_near_it():
    target = brand(name="Target", near=("store", "checkout"))
    matcher = Matcher([target])
    assert matcher.brands("we hit the target") == ()
    assert matcher.brands("the Target checkout is slow") == ("Target",)
    assert matcher.brands("the target restores") == ()


def test_of_overlapping_terms_of_one_brand_the_longest_counts():
    assert found("Acme Corp and Corp", "Acme", "Acme Corp", "Corp") == ["Acme Corp", "Corp"]


def test_brands_may_overlap_and_come_in_the_order_configured():
    matcher = Matcher([brand(name="Bank"), brand(name="Acme Bank"), brand(name="Other")])
    assert matcher.brands("at acme bank") == ("Bank", "Acme Bank")
    assert matcher.brands_in("at acme bank") == (
        Hit("Acme Bank", "Acme Bank", 3, 12),
        Hit("Bank", "Bank", 8, 12),
    )


def test_rivals_are_found_beside_the_brand():
    matcher = Matcher([brand(rivals=("Globex", "Initech"))])
    assert [(h.brand, h.term) for h in matcher.rivals_in("globex beats Acme")] == [("Acme", "Globex")]
    assert matcher.brands("globex only") == ()


def test_a_term_of_nothing_matches_nothing():
    assert found("any text", " ", "\u200b") == []
    assert Matcher([]).brands("any text") == ()


def test_a_brand_without_terms_is_found_by_its_name():
    assert Matcher([Brand(name="Acme", terms=())]).brands("acme!") == ("Acme",)


LETTERS = st.text(alphabet="ab +.@#!'ß\u0301漢\u200b&", min_size=1, max_size=5)


def naive(folded, term):
    """Every place of a term, tried one by one."""
    return [
        (at, at + len(term))
        for at in range(len(folded))
        if folded.startswith(term, at) and stands_alone(folded, at, at + len(term))
    ]


@settings(max_examples=400, deadline=None)
@given(
    st.lists(LETTERS, min_size=1, max_size=4), st.text(alphabet="ab +.@#!'ß\u0301漢\u200b&\n", max_size=30)
)
def test_what_is_found_is_what_trying_every_place_finds(terms, text):
    folded = fold(text)
    expected = {i for i, term in enumerate(terms) if fold(term) and naive(folded, fold(term))}
    matcher = Matcher([brand(term, name=str(i)) for i, term in enumerate(terms)])
    assert matcher.brands(text) == tuple(str(i) for i in sorted(expected))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.text(max_size=6), max_size=4),
    st.lists(st.text(max_size=6), max_size=2),
    st.text(max_size=60),
)
def test_no_term_and_no_text_raises(terms, not_terms, text):
    matcher = Matcher([brand(*terms, not_terms=tuple(not_terms), rivals=tuple(terms))])
    for hit in (*matcher.brands_in(text), *matcher.rivals_in(text)):
        assert 0 <= hit.start < hit.end <= len(text)


def test_time_is_linear_in_the_text():
    matcher = Matcher([brand("a a", "a", not_terms=("a a a",), near=("b",))])

    def seconds(n):
        text = "a " * n + "b\u200b"
        gc.disable()  # it walks all that the other tests left behind, which is no cost of the text
        start = time.process_time()
        matcher.brands_in(text)
        took = time.process_time() - start
        gc.enable()
        return took

    assert min(seconds(40_000) for _ in range(3)) <= 10 * min(seconds(10_000) for _ in range(3))
