"""Are the reviews that real pages state all found, each once, as a person reads them?

The pages hold other people's words and stay outside the project; without them these tests are skipped.
"""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from time import process_time

import pytest
from scrapy.http import HtmlResponse

from monitor.config import Source
from spiders.page import Page
from spiders.reviews import read_page

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "real" / "pages"
NOW = datetime(2026, 11, 23, tzinfo=UTC)

pytestmark = pytest.mark.skipif(not REAL.exists(), reason="the real pages are not on this machine")


def _read(name: str, url: str = "https://site.example/page") -> Page:
    response = HtmlResponse(url, body=(REAL / name).read_bytes(), encoding="utf-8")
    return read_page(response, Source(name="site", kind="reviews"), NOW)


def _stars(page: Page) -> Counter[float | None]:
    return Counter(mention.stars for mention in page.mentions)


def test_trustpilot_in_english() -> None:
    page = _read(
        "trustpilot/bt_com_2023-05.html", "https://www.trustpilot.com/review/bt.com?date=last6months"
    )
    assert _stars(page) == {1.0: 17, 2.0: 1, 3.0: 1, 5.0: 1}
    assert sum(bool(m.owner_reply) and m.owner_replied_at is not None for m in page.mentions) == 12
    assert all(
        len(m.external_id) == 24 and m.author and m.published_at and m.entity == "BT" for m in page.mentions
    )
    assert page.next_urls == ("https://www.trustpilot.com/review/bt.com?date=last6months&page=2",)
    assert [(s.average, s.count) for s in page.snapshots] == [(1.5, 13582)]
    assert page.problems == ()


def test_trustpilot_in_german() -> None:
    page = _read("trustpilot/eventnet_de_a.html")
    assert _stars(page) == {5.0: 20}
    assert {m.language for m in page.mentions} == {"de"}


def test_yelp_gives_a_review_the_same_name_in_each_capture() -> None:
    names: dict[tuple[str, str], set[str]] = {}
    totals = []
    for capture in sorted((REAL / "yelp").glob("*.html")):
        page = _read(
            f"yelp/{capture.name}", "http://www.yelp.com/biz/mobile-iphone-ipad-screen-repair-san-diego-26"
        )
        assert len(page.mentions) == 20
        assert page.next_urls == (
            "http://www.yelp.com/biz/mobile-iphone-ipad-screen-repair-san-diego-26?start=20",
        )
        totals += [snapshot.count for snapshot in page.snapshots]
        for mention in page.mentions:
            assert mention.stars is not None
            assert mention.published_at is not None
            assert not mention.external_id.startswith("fp:")
            names.setdefault((mention.author, mention.text[:60]), set()).add(mention.external_id)
    assert totals == [359, 359, 362, 362, 364, 363]
    assert all(len(ids) == 1 for ids in names.values())
    assert len(names) < 40  # 120 read, most of them again and again


def test_g2() -> None:
    page = _read("g2/opusclip_reviews.html", "https://www.g2.com/products/opusclip/reviews")
    assert [m.stars for m in page.mentions] == [4.5, 2, 5, 5, 5, 3, 5, 4.5, 4.5, 5]
    assert all(m.external_id.isdigit() and m.entity == "OpusClip" and m.published_at for m in page.mentions)


def test_sainsburys_out_of_ten_broken_blocks() -> None:
    page = _read("supermarkets/sainsburys_burgers.html")
    assert _stars(page) == {5.0: 8, 2.0: 2}
    assert all(m.author and m.title and m.text and m.published_at for m in page.mentions)
    assert page.notes


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("misc/iens_nl_rhodos.html", 10),
        ("misc/chefkoch.de.mandarinen.html", 5),
        ("glassdoor/tcs_reviews.html", 10),
        ("misc/snapdeal.html", 0),
        ("google_play/igtv.html", 0),
        ("none/glassdoor_interviews.html", 0),
        ("none/healthgrades_search.html", 0),
    ],
)
def test_other_sites(name: str, count: int) -> None:
    page = _read(name)
    assert len(page.mentions) == count
    assert bool(page.blind) == (count == 0)
    assert all(m.text and m.author for m in page.mentions)


def test_a_critics_review_out_of_a_hundred() -> None:
    (review,) = _read("misc/pcgamer.com.darkest.html").mentions
    assert (review.stars, review.rating_raw, review.author) == (4.35, "87/100", "Luke Kemp")


def test_a_rating_out_of_ten_in_dutch() -> None:
    page = _read("misc/iens_nl_rhodos.html")
    assert [(s.average, s.count) for s in page.snapshots] == [(4.2, 5)]
    assert page.mentions[0].rating_raw == "8/10"


def test_an_average_alone_is_a_snapshot() -> None:
    assert [(s.average, s.count) for s in _read("misc/snapdeal.html").snapshots] == [(3.9, 1261)]


def test_a_page_of_half_a_megabyte_costs_a_few_dozen_milliseconds() -> None:
    pages = [(page.relative_to(REAL).as_posix(), page.stat().st_size) for page in REAL.glob("*/*.html")]
    _read(pages[0][0])
    begun = process_time()
    for name, _ in pages:
        _read(name)
    spent = process_time() - begun
    per_page = spent / sum(size for _, size in pages) * 500_000
    print(f"{per_page * 1000:.0f} ms a page of 500 KB")
    assert per_page < 0.1
