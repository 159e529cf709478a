"""The shipped selector sets against pages as their sites served them."""

from collections import Counter
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from scrapy.http import HtmlResponse

from monitor.config import Source
from spiders.page import Page
from spiders.selectors import read_page
from storage.records import DatePrecision

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "real" / "pages"
pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="the folder of real pages is not here")
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
YELP = sorted(path.name for path in (REAL / "yelp").glob("*.html")) if REAL.is_dir() else []


@cache
def read(name: str) -> Page:
    response = HtmlResponse("file:///saved.html", body=(REAL / name).read_bytes())
    return read_page(response, Source(name="site", kind="selectors"), NOW)


@pytest.mark.parametrize(
    ("name", "reviews"),
    [
        ("amazon/samsung_cf390_reviews.html", 10),
        ("amazon/sg_one_star_page_1.html", 10),
        ("amazon/bose_qc35_product.html", 4),  # "1-8 of 3,411", but the saved file ends after the fourth
        ("tripadvisor/le_restaurant_amsterdam_ru.html", 4),  # ten boxes; six are empty, filled by a script
        ("glassdoor/tcs_reviews.html", 10),
        ("google_play/igtv.html", 40),
        ("g2/opusclip_reviews.html", 10),
        ("trustpilot/bt_com_2023-05.html", 20),
        ("trustpilot/eventnet_de_a.html", 20),
        ("misc/snapdeal.html", 0),
        ("none/glassdoor_interviews.html", 0),
        ("none/healthgrades_search.html", 0),
        *((f"yelp/{name}", 20) for name in YELP),
    ],
)
def test_every_review_of_a_page_is_found_and_nothing_else(name: str, reviews: int) -> None:
    page = read(name)
    assert len(page.mentions) == reviews
    assert bool(page.blind) == (reviews == 0)
    for mention in page.mentions:
        assert mention.text
        assert mention.stars is not None
        assert mention.author or "glassdoor" in name  # there they stay unnamed
        assert mention.entity
        assert mention.published_at is not None
        assert mention.date_precision in (DatePrecision.SECOND, DatePrecision.DAY)
        assert not mention.external_id.startswith("fp:")


def test_no_title_repeats_its_stars_and_no_text_its_buttons() -> None:
    for name in ("samsung_cf390_reviews", "sg_one_star_page_1", "bose_qc35_product"):
        for mention in read(f"amazon/{name}.html").mentions:
            assert "out of 5" not in mention.title
            assert "Read more" not in mention.text
            assert "Helpful" not in mention.text


def test_dates_are_read_from_the_sentence_around_them() -> None:
    first = read("amazon/samsung_cf390_reviews.html").mentions[0]
    assert str(first.published_at) == "2024-01-06 00:00:00+00:00"
    russian = read("tripadvisor/le_restaurant_amsterdam_ru.html").mentions
    assert [str(one.published_at)[:10] for one in russian] == [
        "2015-03-17",
        "2015-03-04",
        "2015-01-02",
        "2014-06-27",
    ]


def test_stars_are_as_printed() -> None:
    bt = Counter(one.stars for one in read("trustpilot/bt_com_2023-05.html").mentions)
    assert bt == {1.0: 17, 2.0: 1, 3.0: 1, 5.0: 1}
    g2 = [one.stars for one in read("g2/opusclip_reviews.html").mentions]
    assert g2 == [4.5, 2, 5, 5, 5, 3, 5, 4.5, 4.5, 5]
    assert {one.stars for one in read("amazon/sg_one_star_page_1.html").mentions} == {1.0}


def test_owner_replies_come_from_the_state() -> None:
    replied = [one for one in read("trustpilot/bt_com_2023-05.html").mentions if one.owner_reply]
    assert len(replied) == 12
    assert all(one.owner_replied_at for one in replied)


def test_glassdoors_headline_stands_apart_from_its_text() -> None:
    for mention in read("glassdoor/tcs_reviews.html").mentions:
        assert mention.title
        assert mention.text.startswith("Pros: ")
        assert "\nCons: " in mention.text


def test_a_review_keeps_its_name_and_words_over_captures() -> None:
    captures = [{one.external_id: one for one in read(f"yelp/{name}").mentions} for name in YELP]
    everything: dict[str, set[str]] = {}
    for capture in captures:
        for key, mention in capture.items():
            everything.setdefault(key, set()).add(mention.content_hash())
    assert len(everything) == 30
    assert all(len(hashes) == 1 for hashes in everything.values())


def test_six_boxes_that_a_script_fills_are_said_to_be_empty() -> None:
    assert (
        read("tripadvisor/le_restaurant_amsterdam_ru.html")
        .problems[0]
        .startswith("6 of 10 items held nothing")
    )


def test_the_next_page_of_a_listing_is_named() -> None:
    assert "pageNumber=2" in read("amazon/sg_one_star_page_1.html").next_urls[0]
    assert read("trustpilot/bt_com_2023-05.html").next_urls == (
        "https://www.trustpilot.com/review/bt.com?date=last6months&page=2",
    )
    # A link to a login is no next page.
    assert read("amazon/samsung_cf390_reviews.html").next_urls == ()
