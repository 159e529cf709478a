"""What is said of a rival, quoted, or signed is not held against the brand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.attribution import own_words, share_of
from monitor.match import Brand, Matcher
from monitor.sentiment import analyse
from monitor.triage import judge
from storage.records import Mention, Priority

MATCHER = Matcher([Brand(name="Acme", terms=("Acme",), rivals=("Zenith",))])


def verdict(text, stars=None):
    mention = Mention(source="t", external_id="1", text=text, stars=stars)
    hits, rivals = MATCHER.brands_in(text), MATCHER.rivals_in(text)
    return judge(mention, "Acme", analyse(text), hits=hits, rivals=rivals)


@pytest.mark.parametrize(
    "text",
    [
        "Left Acme for Zenith, so much better.",
        "Switched from Acme to Zenith last month.",
        "Acme has gone downhill. Cancelled. Going to Zenith.",
        "Zenith is so much cheaper than Acme.",
        "Acme lost my parcel, Zenith never did.",
        "Zenith is fine. Acme charged me twice and never answers.",
        "Acme and Zenith both never refunded me.",
    ],
)
def test_who_leaves_us_or_blames_us_complains(text):
    assert verdict(text).priority >= Priority.NORMAL


@pytest.mark.parametrize(
    "text",
    [
        "Zenith charged me double AND lost my parcel. Never again. Acme sorted the same thing in an hour.",
        "Left Zenith for Acme, so much better.",
        "Zenith was a nightmare, but Acme is lovely.",
        "Acme is so much better than Zenith, who never answer the phone.",
        "Switched from Zenith and not looking back. Acme is great.",
    ],
)
def test_what_a_rival_did_is_not_ours(text):
    assert verdict(text).priority is Priority.LOW


def test_leaving_is_quoted_as_the_reason():
    assert (
        verdict("Left Acme for Zenith, so much better.").reasons[0]
        == "'Left Acme for Zenith' (leaving for a rival)"
    )


def test_a_one_star_review_stays_urgent_whoever_is_blamed():
    assert verdict("Zenith was awful. Acme is great.", stars=1).priority is Priority.URGENT


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("> it broke after a day\nworks fine here", "works fine here"),
        ("Thanks!\n-- \nBob\nHate Mail Inc.", "Thanks!"),
        ("All good\nSent from my iPhone", "All good"),
        ("> only a quote", "> only a quote"),
        ("nothing of that kind", "nothing of that kind"),
    ],
)
def test_quotes_and_signatures_are_not_the_authors_words(text, kept):
    assert own_words(text).strip() == kept
    assert len(own_words(text)) == len(text)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["Acme", "Zenith", "left", "for", "better", "than", "but", ",", ".", "\n", "bad", "\x01", ";"]
        ),
        max_size=25,
    ).map(" ".join)
)
def test_every_place_stays_where_it_was(text):
    share = share_of(text, "Acme", MATCHER.brands_in(text), MATCHER.rivals_in(text))
    assert len(share.text) == len(text)
    if share.lost:
        start, end = share.lost
        assert 0 <= start < end <= len(text)
    verdict(text)
