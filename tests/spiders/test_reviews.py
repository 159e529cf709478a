"""What does a crawl of any page with stated reviews bring home?"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scrapy.http import HtmlResponse, Request, TextResponse

from monitor.config import Source
from spiders.page import Page
from spiders.reviews import ReviewsSpider, read_page
from storage.records import DatePrecision, Kind

PAGES = Path(__file__).resolve().parents[1] / "pages" / "reviews"
NOW = datetime(2026, 11, 23, tzinfo=UTC)
URL = "https://shop.example/p/kettle"
SOURCE = Source(name="shop", kind="reviews", title="The shop", urls=(URL,))


def _read(page: str, url: str = URL, *, source: Source = SOURCE, **headers: str) -> Page:
    response = HtmlResponse(url, body=page.encode("utf-8", "replace"), encoding="utf-8", headers=headers)
    return read_page(response, source, NOW)


def _page(name: str, url: str = URL) -> Page:
    return _read((PAGES / name).read_text(encoding="utf-8"), url)


def _stated(*reviews: dict[str, Any], html: str = "<html>") -> str:
    values = [{"@type": "Review", **review} for review in reviews]
    return f'{html}<script type="application/ld+json">{json.dumps(values)}</script>'


# --- mentions ----------------------------------------------------------------------------------


def test_reviews_become_mentions() -> None:
    worst, other = _page("shop.html").mentions
    assert worst.key == ("shop", "6456378afe4e676d706281c4")
    assert (worst.kind, worst.title, worst.author, worst.entity) == (
        Kind.REVIEW,
        "It leaks",
        "Ann B.",
        "Lowell Kettle",
    )
    assert (worst.stars, worst.rating_raw, worst.scale_inferred) == (1.0, "1/5", False)
    assert (worst.language, other.language) == ("en", "de")
    assert worst.published_at == datetime(2024, 3, 1, 9, tzinfo=UTC)
    assert worst.date_precision is DatePrecision.SECOND
    assert worst.owner_reply == "We are sorry."
    assert worst.url == URL


def test_averages_become_snapshots() -> None:
    (snapshot,) = _page("shop.html").snapshots
    assert (snapshot.source, snapshot.entity, snapshot.average, snapshot.count) == (
        "shop",
        "Lowell Kettle",
        3.4,
        1204,
    )
    assert snapshot.at == NOW


def test_a_review_without_an_id_keeps_its_name_over_crawls() -> None:
    review = {"author": "Ann", "reviewBody": "Some words.", "datePublished": "2024-01-02", "reviewRating": 5}
    first = _read(_stated(review)).mentions[0]
    changed = _read(_stated({**review, "reviewRating": 1})).mentions[0]
    assert first.external_id.startswith("fp:")
    assert first.external_id == changed.external_id  # other stars are a revision, not another review
    assert first.content_hash() != changed.content_hash()


def test_a_relative_date_makes_no_new_name_each_day() -> None:
    names = {
        _read(_stated({"author": "Ann", "reviewBody": "Words.", "datePublished": when}))
        .mentions[0]
        .external_id
        for when in ("2 days ago", "3 days ago")
    }
    assert len(names) == 1


def test_the_same_words_by_the_same_author_are_one_mention() -> None:
    review = {"author": "Ann", "reviewBody": "Some words.", "reviewRating": 5}
    assert len(_read(_stated(review, review)).mentions) == 1


@pytest.mark.parametrize(
    ("text", "kept", "cut"),
    [
        ("It broke after… Read more", "It broke after…", True),
        ("Ging nach zwei Tagen… mehr", "Ging nach zwei Tagen…", True),
        ("C'était froid… Lire la suite", "C'était froid…", True),
        ("Не работает… Читать далее", "Не работает…", True),
        ("It broke after a week\nRead more", "It broke after a week", True),
        ("It broke after…", "It broke after…", True),
        ("x" * 200 + " and then...", "x" * 200 + " and then...", True),
        ("Well, no comment...", "Well, no comment...", False),
        ("I read more than most", "I read more than most", False),
        ("Nie mehr", "Nie mehr", False),
    ],
)
def test_a_text_that_was_cut_is_marked(text: str, kept: str, cut: bool) -> None:
    (mention,) = _read(_stated({"reviewBody": text})).mentions
    assert (mention.text, mention.text_truncated) == (kept, cut)


def test_the_language_of_the_page_settles_dates_and_languages() -> None:
    page = _stated({"reviewBody": "x", "datePublished": "03/04/2022"}, html='<html lang="en-US">')
    (mention,) = _read(page).mentions
    assert (mention.language, mention.published_at) == ("en", datetime(2022, 3, 4, tzinfo=UTC))
    british = Source(name="shop", kind="reviews", language="en-GB")
    assert _read(page, source=british).mentions[0].published_at == datetime(2022, 4, 3, tzinfo=UTC)


def test_what_was_broken_is_said() -> None:
    page = _page("broken.html")
    assert len(page.mentions) == 2
    assert page.problems
    assert page.blind == ""


def test_a_stray_end_of_page_hides_nothing() -> None:
    page = "<html><body>x</body></html>" + _stated({"reviewBody": "below"})
    assert [m.text for m in _read(page).mentions] == ["below"]


def test_an_answer_that_calls_itself_something_else_is_read_all_the_same() -> None:
    body = _stated({"reviewBody": "x"}).encode()
    response = TextResponse(URL, body=body, encoding="utf-8", headers={"Content-Type": "application/json"})
    assert len(read_page(response, SOURCE, NOW).mentions) == 1
    assert read_page(TextResponse(URL, body=b"[]", encoding="utf-8"), SOURCE, NOW).mentions == ()


# --- where it goes on --------------------------------------------------------------------------


def test_the_stated_next_page_is_followed() -> None:
    assert _page("shop.html").next_urls == ("https://shop.example/p/kettle?page=2",)


def test_a_header_may_state_it() -> None:
    page = _read("<p>x</p>", Link='<https://shop.example/p/kettle?page=3>; rel="next"')
    assert page.next_urls == ("https://shop.example/p/kettle?page=3",)


def test_a_link_that_calls_itself_next_is_found_in_many_languages() -> None:
    assert _page("microdata.html", "https://eat.example/de-linde").next_urls == (
        "https://eat.example/de-linde?page=2",
    )
    for words in ("Next", "Weiter", "Page suivante", "Siguiente", "Volgende", "Далее", "次へ", "Next ›"):
        page = _read(f'<a href="?page=9">9</a><a href="?page=2"><span>{words}</span></a>')
        assert page.next_urls == ("https://shop.example/p/kettle?page=2",), words


@pytest.mark.parametrize(
    "link",
    [
        '<a rel="next" href="#2">2</a>',
        '<a rel="next" href="https://shop.example/p/kettle">again</a>',
        '<a rel="next" href="https://elsewhere.example/p/kettle?page=2">elsewhere</a>',
        '<a rel="next" href="javascript:next()">next</a>',
        '<a rel="next" href="file:///etc/passwd">next</a>',
        '<a rel="next" href="http://[::1">next</a>',
        '<a class="slick-next" href="/p/kettle?slide=2">Next</a>',
        '<a class="next" href="/blog/the-next-story">Next</a>',
        '<a href="?page=2">Next generation kettles</a>',
    ],
)
def test_this_page_another_host_and_other_things_are_no_next_page(link: str) -> None:
    assert _read(link).next_urls == ()


# --- why there is nothing ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "url", "words"),
    [
        ("<title>Just a moment...</title><p>Enable JavaScript and cookies to continue</p>", URL, "captcha"),
        ("<title>shop</title><script src='https://geo.captcha-delivery.com/c.js'></script>", URL, "captcha"),
        ("<title>Log in</title><form><input type='password'></form>", URL, "login"),
        ("<title>x</title><p>" + "words " * 500, "https://shop.example/login?next=/p", "login"),
        (
            "<title>Before you continue</title><p>We use cookies</p>",
            "https://consent.google.com/m?continue=x",
            "consent",
        ),
        ("<title>Bevor Sie fortfahren</title><button>Alle akzeptieren</button>", URL, "consent"),
        ("<title>App</title><div id='root'></div><script src='/app.js'></script>", URL, "script"),
        ("<title>Article</title><p>" + "words " * 500, URL, "selectors"),
    ],
)
def test_a_page_that_shows_nothing_says_why(page: str, url: str, words: str) -> None:
    assert words in _read(page, url).blind


def test_an_average_without_reviews_says_how_many_are_missing() -> None:
    data = {"@type": "Product", "name": "P", "aggregateRating": {"ratingValue": 3.9, "ratingCount": 1261}}
    page = _read(f'<script type="application/ld+json">{json.dumps(data)}</script><p>' + "words " * 300)
    assert "1,261" in page.blind
    assert len(page.snapshots) == 1


def test_a_product_nobody_reviewed_yet_and_the_end_of_a_listing_are_not_blind() -> None:
    data = {"@type": "Product", "name": "P"}
    assert (
        _read(f'<script type="application/ld+json">{json.dumps(data)}</script><p>' + "words " * 300).blind
        == ""
    )
    body = ("<p>" + "words " * 300).encode()
    request = Request(URL + "?page=9", meta={"listing": URL})
    response = HtmlResponse(request.url, body=body, encoding="utf-8", request=request)
    assert read_page(response, SOURCE, NOW).blind == ""


def test_a_page_with_reviews_is_never_blind() -> None:
    assert (
        _read(_stated({"reviewBody": "x"}, html="<title>Captcha, log in, accept all cookies</title>")).blind
        == ""
    )


@settings(deadline=None)  # the machine may be busy with other things
@given(st.text(alphabet="<>/=\"'abhref nxt#?:.pag"))
def test_any_soup_is_read_without_a_fault(soup: str) -> None:
    assert _read(soup).mentions == ()


def test_the_spider_reads_with_it() -> None:
    assert ReviewsSpider.name == "reviews"
    assert ReviewsSpider.reader is read_page
