"""Are ratings read as people read them? 135 snippets of real shops, with what a person saw."""

import json
from pathlib import Path

import pytest

from spiders.parsing.ratings import parse_rating_text

SNIPPETS = Path(__file__).resolve().parents[2].parent / "shared" / "real" / "numbers" / "rating_snippets.json"


@pytest.mark.skipif(not SNIPPETS.exists(), reason="the real snippets are not on this machine")
def test_real_snippets_are_read_as_a_person_reads_them() -> None:
    snippets = json.loads(SNIPPETS.read_text(encoding="utf-8"))
    wrong = []
    for snippet in snippets:
        found = parse_rating_text(snippet["html"], snippet["parent_html"])
        best = snippet["bestRating"]
        if found.value != snippet["ratingValue"] or (best and found.best != best):
            wrong.append((snippet["html"], found))
    # Of two the person saw a scale on the page that is not in the snippet.
    assert len(wrong) <= 0.02 * len(snippets), wrong
    assert sum(parse_rating_text(s["html"]).value == s["ratingValue"] for s in snippets) >= 0.98 * len(
        snippets
    )
