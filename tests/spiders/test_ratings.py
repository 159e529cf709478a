"""How many stars is a rating?"""

import math
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spiders.parsing.ratings import Rating, parse_rating, parse_rating_text


@pytest.mark.parametrize(
    ("text", "stars", "best"),
    [
        ("8/10", 4.0, 10),
        ("8,4/10", 4.2, 10),
        ("10/10", 5.0, 10),
        ("80/100", 4.0, 100),
        ("92%", 4.6, 100),
        ("92 %", 4.6, 100),
        ("6/6", 5.0, 6),
        ("16 out of 20", 4.0, 20),
        ("4.5 out of 5 stars", 4.5, 5),
        ("Rated 4 stars out of 5", 4.0, 5),
        ("5.0 von 5 Sternen", 5.0, 5),
        ("4,1 su 5", 4.1, 5),
        ("noté 3.5 sur 5", 3.5, 5),
        ("4 de 5", 4.0, 5),
        ("4 av 5 stjärnor", 4.0, 5),
        ("4,5 z 5 gwiazdek", 4.5, 5),
        ("2 из 5", 2.0, 5),
        ("5つ星のうち4.5", 4.5, 5),
        ("5점 만점에 4점", 4.0, 5),
        ("5 yıldız üzerinden 4,5", 4.5, 5),
        ("★★★☆☆", 3.0, 5),
        ("⭐⭐⭐", 3.0, 5),
        ("⭐️⭐️⭐️⭐️", 4.0, 5),
        ("★★★★½", 4.5, 5),
        ("★★★★☆ 12", 4.0, 5),
        ("4.7 (out of 5)", 4.7, 5),
        ("4.9 out of 5 Customer Rating", 4.9, 5),
        ("👍", 5.0, 5),
        ("thumbs down", 1.0, 5),
        ("ONE", 1.0, 5),
        ("FIVE", 5.0, 5),
        ("Terrible", 1.0, 5),
        ("Very good", 4.0, 5),
    ],
)
def test_a_rating_that_says_its_scale_is_put_on_ours(text: str, stars: float, best: float) -> None:
    found = parse_rating(text)
    assert (found.stars, found.best, found.scale_inferred) == (stars, best, False)


@pytest.mark.parametrize(
    ("value", "stars"),
    [
        (4, 4.0),
        ("4½", 4.5),
        ("4,5", 4.5),
        ("٤٫٥", 4.5),
        ("４.５", 4.5),
        (7, 3.5),
        ("9.5 Superb", 4.75),
        (80, 4.0),
        ("Rating: 3", 3.0),
        ("4.5 ★ 1,234 ratings", 4.5),
        ("3,9 (2.345)", 3.9),
        ("5 Average 1 Review", 5.0),
        ("★★★★★ 4", 4.0),
        ("5 out of 3 reviews", 5.0),
        ("a-icon a-star-4-5", 4.5),
        ("ui_bubble_rating bubble_45", 4.5),
    ],
)
def test_a_rating_without_a_scale_gets_the_likeliest_and_says_so(value: object, stars: float) -> None:
    found = parse_rating(value)
    assert (found.stars, found.best, found.scale_inferred) == (stars, None, True)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        " ",
        "B+",
        "nan",
        "inf",
        "-3",
        "-4/5",
        "3-5",
        "1e9",
        "1,234 reviews",
        "12 Bewertungen",
        "(12)",
        "1 rating",
        "2/5/2020",
        "10/10/2020",
        "No reviews",
        "4.3k reviews",
        "5 stars 4 stars 3 stars 2 stars 1 star",
        "☆☆☆☆☆",
        "★★★★★ ★★★★★",
        "lovely",
        math.nan,
        math.inf,
        -math.inf,
        -1,
        101,
        10**400,
        True,
        False,
        [],
        {},
        object(),
        b"4",
    ],
)
def test_what_is_no_rating_has_no_stars(value: object) -> None:
    assert parse_rating(value).stars is None


@pytest.mark.parametrize(
    ("value", "best", "worst", "stars"),
    [
        ("10", "10", None, 5.0),
        ("4", "10", "1", 2.0),
        ("3", "4", None, 3.75),
        ("87", "100", None, 4.35),
        ("4,5", "5", None, 4.5),
        (0, 10, None, 1.0),
        (0, 5, 0, 1.0),
        (1, 1, 0, 5.0),
        (0, 1, 0, 1.0),
        (-1, 1, -1, 1.0),
        (0, 1, -1, 3.0),
        ("8/10", 5, None, 4.0),
        ("4.5 stars", {"@value": "5"}, None, 4.5),
    ],
)
def test_the_ends_of_the_scale_are_heeded(value: object, best: object, worst: object, stars: float) -> None:
    found = parse_rating(value, best, worst)
    assert (found.stars, found.scale_inferred) == (stars, False)


def test_a_zero_on_a_scale_of_stars_means_not_rated() -> None:
    assert parse_rating(0, best=5) == Rating(None, 0.0, 5.0, "0", False)


def test_a_best_below_the_value_cannot_be_one() -> None:
    assert parse_rating(8, best=5) == Rating(4.0, 8.0, None, "8", True)


def test_schema_org_objects_and_lists_are_read() -> None:
    assert parse_rating({"@type": "Rating", "ratingValue": "8", "bestRating": "10"}).stars == 4.0
    assert parse_rating([None, {"ratingValue": {"@value": 3}}]).stars == 3.0


def test_the_printed_rating_is_kept() -> None:
    assert parse_rating("  8,4/10 ").raw == "8,4/10"


def test_markup_around_a_rating_is_read_through() -> None:
    assert parse_rating_text("<span>4</span><span>12 reviews</span>").value == 4
    assert parse_rating_text("<b>4</b><small>.5</small>").value == 4.5
    assert parse_rating_text('<i style="x" title="4.0 star rating"></i>').value == 4
    assert parse_rating_text('<i class="icon bubble_35"></i>').value == 3.5


def test_what_stands_around_the_snippet_tells_its_scale() -> None:
    around = "<div><span>4.8</span> <span>out of 6</span></div>"
    assert parse_rating_text("<span>4.8</span>", around).best == 6
    prop = '<div><span itemprop="ratingValue">4.5</span><meta itemprop="bestRating" content="10"></div>'
    assert parse_rating_text('<span itemprop="ratingValue">4.5</span>', prop).stars == 2.25


@settings(deadline=None)  # the machine may be busy with other things
@given(st.one_of(st.text(), st.floats(), st.integers(), st.dictionaries(st.text(), st.text())))
def test_stars_are_between_one_and_five_or_none_whatever_is_given(value: object) -> None:
    stars = parse_rating(value).stars
    assert stars is None or 1 <= stars <= 5


@pytest.mark.parametrize(
    "unit", ["1", "1.", "1/", "4 out of ", "★", "1-", "5% ", '<i class="', "itemprop=bestRating "]
)
def test_long_traps_are_read_in_no_time(unit: str) -> None:
    trap = unit * 20_000
    begun = process_time()
    parse_rating(trap)
    parse_rating_text("<i>4</i>", trap)
    assert process_time() - begun < 1
