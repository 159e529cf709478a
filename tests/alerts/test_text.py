"""Cutting on whole graphemes, escaping after cutting."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.text import clip, clip_escaped, date_token, escape, for_terminal, shown, unescape

regex = pytest.importorskip("regex", reason="the reference for grapheme boundaries")

FAMILY = "👩‍👩‍👧‍👦"
clusters = st.lists(
    st.sampled_from([FAMILY, "🇩🇪", "👍🏽", "é", "e\u0301",
    "क्षि", "각", "\u1100\u1161\u11a8", "a", " ", "☺️", "ﾊﾟ", "<", "1️⃣"]),
    max_size=30,
).map("".join)  # fmt: skip


@given(clusters | st.text(max_size=80), st.integers(1, 60))
def test_a_cut_falls_between_graphemes(text: str, limit: int) -> None:
    cut = clip(text, limit)
    assert len(cut) <= limit
    if cut == text:
        return
    kept = cut[:-1]
    assert cut.endswith("…")
    assert text.startswith(kept)
    longest = max((len(one) for one in regex.findall(r"\X", text)), default=0)
    boundaries = {0}
    for one in regex.finditer(r"\X", text):
        boundaries.add(one.end())
    ends = {len(text[:end].rstrip()) for end in boundaries}
    if longest <= 60:
        assert len(kept) in ends


def test_a_prank_of_a_thousand_accents_is_cut_hard() -> None:
    assert len(clip("e" + "\u0301" * 1_000, 100)) == 100
    assert unicodedata.combining(clip("e" + "\u0301" * 1_000, 100)[50])


@given(st.text(max_size=200), st.integers(1, 120))
def test_an_escaped_text_is_as_short_as_asked_and_can_be_read_back(text: str, limit: int) -> None:
    cut = clip_escaped(text, limit)
    assert len(cut) <= limit
    assert "<" not in cut
    assert ">" not in cut
    back = unescape(cut)
    assert back == text or text.startswith(back[:-1])


@given(st.text())
def test_escaping_loses_nothing(text: str) -> None:
    assert unescape(escape(text)) == text


@given(st.text())
def test_a_terminal_gets_nothing_to_obey(text: str) -> None:
    assert not any(unicodedata.category(c) == "Cc" and c not in "\n\t" for c in for_terminal(text))


def test_what_we_write_as_mrkdwn_is_readable_as_plain_text() -> None:
    from datetime import UTC, datetime

    token = date_token(datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
    assert shown(f"*Posted*\n{token}") == "Posted\n2 Jan 2026 03:04 UTC"
