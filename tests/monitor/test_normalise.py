"""Folding takes typography out of a text and remembers where everything stood."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.normalise import Folded, fold

ODD = st.text(
    alphabet=st.one_of(
        st.sampled_from(
            "aB \n&;’‘“”—‑\u00ad\u200b\u200d\ufe0f\ufeffß\u0130ﬁé\u0301ｱﾞ한글\u1112\u1161😀&amp;´¨`½㍿"
        ),
        st.characters(),
    ),
    max_size=40,
)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Don\u2019t", "don't"),
        ("H&amp;M H&M", "h&m h&m"),
        ("AT&#38;T&nbsp;Inc", "at&t inc"),
        ("Coca\u2011Cola", "coca-cola"),
        ("Ac\u200bme Ac\u00adme", "acme acme"),
        ("Ｆｕｌｌ", "full"),
        ("cafe\u0301", "café"),
        ("STRASSE straße", "strasse strasse"),
        ("  a \n\n b\t", "a b"),
        ("&amp;amp; &bogus; &", "&amp; &bogus; &"),
        ("", ""),
    ],
)
def test_typography_is_folded(text, folded):
    assert fold(text) == folded


@settings(max_examples=500, deadline=None)
@given(ODD)
def test_folding_never_raises_and_leaves_one_space_at_a_time(text):
    folded = fold(text)
    assert folded == " ".join(folded.split())


@settings(max_examples=500, deadline=None)
@given(ODD, st.data())
def test_a_span_lies_within_the_text_and_is_never_empty(text, data):
    folded = Folded(text)
    if not folded.folded:
        return
    start = data.draw(st.integers(0, len(folded.folded) - 1))
    end = data.draw(st.integers(start + 1, len(folded.folded)))
    left, right = folded.span(start, end)
    assert 0 <= left < right <= len(text)


@settings(max_examples=300, deadline=None)
@given(ODD, ODD)
def test_a_word_is_found_where_it_stands(before, after):
    text = f"{before} needle {after}"
    folded = Folded(text)
    at = folded.folded.find("needle")
    left, right = folded.span(at, at + 6)
    if (left, right) != (0, len(text)):  # where folding mixed letters beyond telling, the whole text is right
        assert fold(text[left:right]).startswith("needle")


@pytest.mark.parametrize(
    ("text", "piece"),
    [
        ("I\u2019m  at the \u201cAcme\u201d  shop", "Acme"),
        ("H&amp;M and Acme", "Acme"),
        ("\ufb03 \u200b Acme\u200b!", "Acme"),
        ("ẞ straße Acme's", "Acme"),
        ("cafe\u0301 Acme", "Acme"),
    ],
)
def test_the_span_of_a_name_is_exact(text, piece):
    folded = Folded(text)
    at = folded.folded.index(piece.lower())
    left, right = folded.span(at, at + len(piece))
    assert text[left:right].rstrip("\u200b") == piece


def test_decomposed_text_equals_composed_text():
    assert fold(unicodedata.normalize("NFD", "Crème Brûlée")) == fold("crème brûlée")
