"""Which reviews does a page state in schema.org's words?"""

import json
from datetime import UTC, datetime
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spiders.parsing.schema_org import REVIEWS_MAX, Found, reviews_in
from spiders.parsing.stated import Review, lasting_id

PAGES = Path(__file__).resolve().parents[1] / "pages" / "reviews"
NOW = datetime(2026, 11, 23, tzinfo=UTC)
URL = "https://shop.example/p/kettle"


def _read(page: str, language: str = "") -> Found:
    return reviews_in(page, URL, now=NOW, language=language)


def _page(name: str) -> Found:
    return _read((PAGES / name).read_text(encoding="utf-8"))


def _json_ld(*values: Any) -> str:
    return "".join(f'<script type="application/ld+json">{json.dumps(value)}</script>' for value in values)


def _stated(**properties: Any) -> Review:
    (review,) = _read(_json_ld({"@type": "Review", "reviewBody": "Some words.", **properties})).reviews
    return review


def _item(inside: str, attributes: str = "") -> str:
    return f'<div itemprop="review" itemscope itemtype="http://schema.org/Review" {attributes}>{inside}</div>'


# --- JSON-LD -----------------------------------------------------------------------------------------


def test_a_review_is_put_together_across_blocks_and_references() -> None:
    worst, other = _page("shop.html").reviews
    assert worst.id == "6456378afe4e676d706281c4"
    assert worst.title == "It leaks"
    assert worst.text == "Leaks from the first day & nobody answers.\nDon't buy."
    assert (worst.author, worst.entity) == ("Ann B.", "Lowell Kettle")
    assert (worst.rating.stars, worst.reach) == (1.0, 12)
    assert worst.published.at == datetime(2024, 3, 1, 9, tzinfo=UTC)
    assert (other.author, other.rating.stars, other.language) == ("Carl", 4.0, "de")
    assert other.entity == "Lowell Kettle"  # only the list that refers to it says so


def test_only_the_business_answers_for_the_business() -> None:
    worst, _ = _page("shop.html").reviews
    assert worst.owner_reply == "We are sorry."
    assert worst.owner_replied.at == datetime(2024, 3, 3, tzinfo=UTC)
    assert "sorry" not in worst.text


def test_the_average_is_read_with_its_count() -> None:
    (average,) = _page("shop.html").aggregates
    assert (average.entity, average.rating.stars, average.count) == ("Lowell Kettle", 3.4, 1204)


def test_a_broken_block_costs_only_itself() -> None:
    found = _page("broken.html")
    assert [(r.author, r.rating.stars) for r in found.reviews] == [("Dee", 2.0), ("Eve", 4.0)]
    assert found.reviews[0].text == 'They call it "juicy", it is dry.\nNever again.'
    assert found.reviews[0].entity == "Oak Burgers"
    assert len(found.aggregates) == 1
    assert any("cut off" in words for words in found.problems)
    assert any("not valid JSON" in words for words in found.notes)


@pytest.mark.parametrize(
    "kind", ["Review", "schema:Review", "http://schema.org/Review", ["Review", "X"], "UserReview"]
)
def test_reviews_go_by_many_names(kind: Any) -> None:
    assert len(_read(_json_ld({"@type": kind, "reviewBody": "x"})).reviews) == 1


@pytest.mark.parametrize("kind", ["ClaimReview", "Product", "Comment", "Question", "AggregateRating"])
def test_other_things_are_no_reviews(kind: str) -> None:
    assert _read(_json_ld({"@type": kind, "reviewBody": "x", "name": "y"})).reviews == ()


def test_reviews_are_found_wherever_they_stand() -> None:
    review = {"reviewBody": "deep down", "reviewRating": 2}
    listed = {
        "@type": "ItemList",
        "itemListElement": [{"@type": "ListItem", "item": {"@type": "Hotel", "name": "H", "review": review}}],
    }
    (found,) = _read(_json_ld({"@graph": [{"@type": "WebPage", "name": "W", "mainEntity": listed}]})).reviews
    assert (found.entity, found.rating.stars) == ("H", 2.0)


@pytest.mark.parametrize(
    ("author", "name"),
    [
        ("Ann", "Ann"),
        ({"name": "Ann"}, "Ann"),
        ({"@type": "Person", "name": {"@value": "Ann"}}, "Ann"),
        ([{"name": "Ann"}, "Bob"], "Ann, Bob"),
        ({"givenName": "Ann", "familyName": "B."}, "Ann B."),
        ({"@id": "#nobody"}, ""),
        ("https://x.example/ann", ""),
        (7, "7"),
        (None, ""),
    ],
)
def test_authors_are_named_in_many_ways(author: Any, name: str) -> None:
    assert _stated(author=author).author == name


@pytest.mark.parametrize(
    ("rating", "stars"),
    [
        ({"ratingValue": "4"}, 4.0),
        ({"ratingValue": "40", "bestRating": "50"}, 4.0),
        ([{"ratingValue": 5, "reviewAspect": "Service"}, {"ratingValue": 2}], 2.0),
        ("3", 3.0),
        (2, 2.0),
        ({"@id": "#r"}, None),
        (None, None),
    ],
)
def test_ratings_are_given_in_many_ways(rating: Any, stars: float | None) -> None:
    assert _stated(reviewRating=rating).rating.stars == stars


def test_a_rating_may_stand_on_the_review_itself_or_behind_a_reference() -> None:
    assert _stated(ratingValue="3", bestRating="5").rating.stars == 3.0
    page = _json_ld(
        [
            {"@id": "#r", "@type": "Rating", "ratingValue": 4},
            {"@type": "Review", "reviewBody": "x", "reviewRating": {"@id": "#r"}},
        ]
    )
    assert _read(page).reviews[0].rating.stars == 4.0


def test_stars_without_words_are_a_review_and_nothing_at_all_is_none() -> None:
    page = _json_ld(
        [{"@type": "Review", "author": "A", "reviewRating": 1}, {"@type": "Review", "author": "B"}]
    )
    assert [r.author for r in _read(page).reviews] == ["A"]


def test_one_review_beyond_five_says_that_all_are_out_of_ten() -> None:
    page = _json_ld([{"@type": "Review", "reviewBody": f"text {n}", "reviewRating": n} for n in (4, 9)])
    assert [r.rating.stars for r in _read(page).reviews] == [2.0, 4.5]


def test_the_scale_of_the_average_is_that_of_its_reviews() -> None:
    page = _json_ld(
        {
            "@type": "Hotel",
            "name": "H",
            "aggregateRating": {"ratingValue": 8, "bestRating": 10, "reviewCount": 3},
            "review": [{"@type": "Review", "reviewBody": "x", "reviewRating": 4}],
        }
    )
    (review,) = _read(page).reviews
    assert (review.rating.stars, review.rating.scale_inferred) == (2.0, False)


def test_stars_beside_an_average_in_per_cent_are_still_stars() -> None:
    page = _json_ld(
        {
            "@type": "Product",
            "name": "P",
            "aggregateRating": {"ratingValue": 93, "bestRating": 100, "ratingCount": 3},
            "review": [{"@type": "Review", "reviewBody": "x", "reviewRating": 5}],
        }
    )
    assert _read(page).reviews[0].rating.stars == 5.0


def test_a_title_that_is_the_products_name_is_no_title() -> None:
    assert _stated(name="Kettle", itemReviewed={"name": "Kettle"}).title == ""
    assert _stated(name="“Great”").title == "Great"


def test_a_later_change_is_an_edit() -> None:
    review = _stated(datePublished="2024-01-01", dateModified="2024-02-01")
    assert review.edited.at == datetime(2024, 2, 1, tzinfo=UTC)
    assert _stated(datePublished="2024-01-01", dateModified="2024-01-01").edited.at is None


# --- names ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("https://t.example/#/schema/Review/bt.com/6456378afe4e676d706281c4", "6456378afe4e676d706281c4"),
        ("https://g.example/reviews/clip-review-11033491", "11033491"),
        ("https://y.example/biz/x?hrid=0XOLb2z73QKkKUyvZE1QRQ", "0XOLb2z73QKkKUyvZE1QRQ"),
        ("urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e", "0f8fad5b-d9cb-469f-a165-70867728950e"),
        ("#review-3", ""),
        ("_:b0", ""),
        ("/p/great-mixer-review", ""),
        ("/reviews/2024-03-01", ""),
        ("review-20240301", ""),
        ("", ""),
    ],
)
def test_only_what_lasts_is_a_name(text: str, name: str) -> None:
    assert lasting_id(text) == name


def test_a_name_shared_by_different_reviews_is_none() -> None:
    page = _json_ld(
        [{"@type": "Review", "@id": "#1234567", "author": a, "reviewBody": f"{a} says so"} for a in "AB"]
    )
    assert [r.id for r in _read(page).reviews] == ["", ""]


def test_the_pages_own_number_names_no_review() -> None:
    page = _json_ld({"@type": "Review", "url": "https://shop.example/p/8144329", "reviewBody": "x"})
    assert reviews_in(page, "https://shop.example/p/8144329", now=NOW).reviews[0].id == ""


def test_a_count_down_the_page_names_no_review() -> None:
    page = "".join(_item(f"<p itemprop=reviewBody>text {n}</p>", f'data-review-id="{n}"') for n in (1, 2, 3))
    assert [r.id for r in _read(page).reviews] == ["", "", ""]


def test_what_calls_itself_a_review_id_is_one() -> None:
    page = _item("<p itemprop=reviewBody>x</p>", 'data-review-id="Qx81"') + _item(
        "<p itemprop=reviewBody>y</p>", 'id="survey-response-11033491"'
    )
    assert [r.id for r in _read(page).reviews] == ["Qx81", "11033491"]


# --- microdata ----------------------------------------------------------------------------------


def test_microdata_is_read() -> None:
    cold, warm = _page("microdata.html").reviews
    assert (cold.id, cold.author, cold.entity) == ("Qx81-aa", "Loes", "De Linde")
    assert cold.text == "Lang gewacht,\nkoud eten."
    assert cold.rating.stars == 2.0
    assert cold.published.at == datetime(2015, 9, 26, tzinfo=UTC)
    # its id counts; its scale is the average's
    assert (warm.id, warm.author, warm.rating.stars, warm.language) == ("", "Piet", 4.5, "nl")


def test_an_older_version_inside_a_review_is_no_review_and_no_text() -> None:
    older = _item('<p itemprop="reviewBody">old words</p>')
    page = _item(f'<p itemprop="reviewBody">new words</p><div>{older}</div>')
    assert [r.text for r in _read(page).reviews] == ["new words"]


def test_old_vocabularies_are_read() -> None:
    page = """<div itemscope itemtype="http://data-vocabulary.org/Review">
      <span itemprop="itemreviewed">Cafe</span>
      <span itemprop="reviewer">Ann</span><time itemprop="dtreviewed" datetime="2012-01-02">x</time>
      <span itemprop="summary">Nice</span><span itemprop="description">Good tea.</span>
      <span itemprop="rating">4.5</span></div>"""
    (review,) = _read(page).reviews
    assert (review.entity, review.author, review.title, review.text) == ("Cafe", "Ann", "Nice", "Good tea.")
    assert review.rating.stars == 4.5


def test_rdfa_lite_is_read() -> None:
    page = """<div vocab="https://schema.org/" typeof="Product"><span property="name">Mixer</span>
      <div property="review" typeof="Review">
      <span property="author">Ann</span><p property="reviewBody">Loud.</p>
      <span property="reviewRating" typeof="Rating"><span property="ratingValue">2</span></span>
      </div></div>"""
    (review,) = _read(page).reviews
    assert (review.entity, review.author, review.text, review.rating.stars) == ("Mixer", "Ann", "Loud.", 2.0)


# --- each once ----------------------------------------------------------------------------------


def test_a_review_stated_twice_is_one_and_the_richer() -> None:
    words = "A long enough text that nobody else would write in quite the same words, " * 2
    page = _json_ld(
        {"@type": "Review", "author": "Ann", "reviewBody": words[:70] + "…", "reviewRating": 2}
    ) + _item(
        f'<span itemprop="author">Ann</span><p itemprop="reviewBody">{words}</p>'
        '<meta itemprop="datePublished" content="2024-01-02">',
        'data-review-id="r77"',
    )
    (review,) = _read(page).reviews
    assert (review.id, review.text, review.rating.stars) == ("r77", words.strip(), 2.0)
    assert review.published.at


def test_two_people_may_say_the_same() -> None:
    page = _json_ld(
        [{"@type": "Review", "author": a, "reviewBody": "Great!", "reviewRating": 5} for a in ("A", "B")]
    )
    assert len(_read(page).reviews) == 2


def test_the_embedded_state_adds_the_owners_reply() -> None:
    name = "6456378afe4e676d706281c4"
    state = {
        "props": {
            "reviews": [
                {
                    "id": name,
                    "likes": 3,
                    "language": "de",
                    "reply": {"message": "Sorry.", "publishedDate": "2024-01-03"},
                }
            ]
        }
    }
    page = _json_ld(
        {"@type": "Review", "@id": f"#/Review/{name}", "reviewBody": "x", "datePublished": "2024-01-02"}
    )
    page += f'<script id="__NEXT_DATA__" type="application/json">{json.dumps(state)}</script>'
    (review,) = _read(page).reviews
    assert (review.owner_reply, review.reach, review.language) == ("Sorry.", 3, "de")
    assert review.owner_replied.at == datetime(2024, 1, 3, tzinfo=UTC)


# --- strangers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        {
            "@graph": [
                {
                    "@id": "a",
                    "@type": "Review",
                    "reviewBody": "x",
                    "author": {"@id": "a"},
                    "itemReviewed": {"@id": "b"},
                },
                {"@id": "b", "itemReviewed": {"@id": "a"}, "review": {"@id": "b"}},
            ]
        },
        {
            "@id": "a",
            "@type": "Review",
            "reviewBody": "x",
            "author": {"@id": "a"},
            "reviewRating": {"@id": "a"},
        },
        {
            "@type": "Review",
            "reviewBody": "a\x00b\ud800",
            "reviewRating": {"ratingValue": float("nan"), "bestRating": float("inf")},
        },
        {
            "@type": ["Review", 7, None],
            "reviewBody": ["x", {"@value": "y"}, 3],
            "author": [[[]]],
            "datePublished": {},
            "url": 7,
        },
    ],
)
def test_circles_and_nonsense_are_survived(value: Any) -> None:
    assert len(_read(_json_ld(value)).reviews) == 1


_BLOCK = '<script type="application/ld+json">%s</script>'
_TRAPS = {
    "deep lists": _BLOCK % ("[" * 100_000),
    "deep objects": _BLOCK % ('{"review":' * 50_000 + "1" + "}" * 50_000),
    "a block of 5 MB": _BLOCK % json.dumps({"@type": "Review", "reviewBody": "x " * 2_500_000}),
    "a broken block of 5 MB": _BLOCK % ('{"@type":"Review","reviewBody":"' + 'x "' * 1_600_000),
    "many blocks": _BLOCK % '{"@type":"Review","reviewBody":"x",}' * 20_000,
    "many items": _item("<p itemprop=reviewBody>x</p>") * 30_000,
    "many properties": _item("<p itemprop=description>a</p>" * 50_000),
    "nested properties": _item("<div itemprop=description>a" * 30_000),
    "nested items": '<div itemprop=reviewBody itemscope itemtype="http://schema.org/Review">' * 30_000,
    "a huge number": _BLOCK % ('{"@type":"Review","reviewRating":' + "9" * 100_000 + "}"),
}


@pytest.mark.parametrize("name", _TRAPS)
def test_traps_are_read_in_bounded_time(name: str) -> None:
    begun = process_time()
    _read(_TRAPS[name])
    assert process_time() - begun < 4


def test_a_page_gives_a_bounded_number_of_reviews() -> None:
    found = _read(_json_ld([{"@type": "Review", "reviewBody": f"text {n}"} for n in range(100_000)]))
    assert len(found.reviews) == REVIEWS_MAX
    assert any("the rest was left out" in words for words in found.problems)


_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "@type",
                    "@id",
                    "review",
                    "reviewBody",
                    "author",
                    "reviewRating",
                    "ratingValue",
                    "bestRating",
                    "itemReviewed",
                    "comment",
                    "datePublished",
                    "aggregateRating",
                    "ratingCount",
                    "name",
                    "url",
                    "identifier",
                    "inLanguage",
                ]
            ),
            inner | st.sampled_from(["Review", "Product", "AggregateRating", "4"]),
            max_size=5,
        )
    ),
    max_leaves=20,
)


@settings(deadline=None)  # the machine may be busy with other things
@given(_values)
def test_any_object_is_read_without_a_fault(value: Any) -> None:
    for review in _read(_json_ld(value)).reviews:
        assert review.text or review.rating.stars is not None


@settings(deadline=None)  # the machine may be busy with other things
@given(st.text(alphabet="<>/=\"'abdiprt itemscopevw"))
def test_any_markup_is_read_without_a_fault(markup: str) -> None:
    assert _read(markup).reviews == ()
