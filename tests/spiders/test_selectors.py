"""Pages written for these tests, in the shapes of the real ones."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from crawling import Gathered, crawled
from hypothesis import given, settings
from hypothesis import strategies as st
from loopback import Site as Web
from scrapy.http import HtmlResponse

from monitor.config import Source
from spiders.page import Page
from spiders.selectors import SelectorsSpider, check_options, read_page
from spiders.sites import Site, layout_from, site_named, sites
from storage.records import Kind

PAGES = Path(__file__).resolve().parents[1] / "pages" / "selectors"
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
FORUM: dict[str, Any] = {
    "item": "article.post",
    "skip": ".advert-mark",
    "next": "a.next",
    "kind": "post",
    "fields": {
        "id": "::attr(data-post-id)",
        "text": [".body", ".content"],
        "author": ".user",
        "rating": {"css": ".stars::attr(class)", "after": "stars-", "best": 5},
        "date": "time::attr(datetime)",
        "reach": ".likes",
        "reply": ".answer",
    },
}


def read(body: str | bytes, url: str = "https://forum.example/t/1", **options: Any) -> Page:
    raw = body.encode() if isinstance(body, str) else body
    response = HtmlResponse(url, body=raw, encoding="utf-8")
    return read_page(response, Source(name="forum", kind="selectors", options=options), NOW)


def saved(name: str) -> str:
    return (PAGES / name).read_text("utf-8")


# --- the shipped sets ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(path.stem for path in PAGES.glob("*.json")))
def test_a_page_of_a_known_site_is_read_with_all_it_says(name: str) -> None:
    answer = json.loads(saved(f"{name}.json"))
    page = read(saved(f"{name}.html"), answer["url"] or "file:///tmp/page.html")
    assert [one.external_id for one in page.mentions] == [one["external_id"] for one in answer["mentions"]]
    for mention, expected in zip(page.mentions, answer["mentions"], strict=True):
        dates = {"published": mention.published_at, "replied": mention.owner_replied_at}
        for field, value in expected.items():
            if field in dates:
                at = dates[field]
                assert at is not None, field
                assert at.date().isoformat() == value, field
            else:
                assert getattr(mention, field) == value, field
    assert page.blind == ""


@pytest.mark.parametrize("name", sorted(path.stem for path in PAGES.glob("*.json")))
def test_a_saved_page_is_known_by_its_signs_where_its_address_is_lost(name: str) -> None:
    answer = json.loads(saved(f"{name}.json"))
    page = read(saved(f"{name}.html"), "https://saved.invalid/page")
    assert len(page.mentions) == len(answer["mentions"])


def test_more_of_the_listing_is_named_and_the_average_kept() -> None:
    page = read(saved("amazon_listing.html"), "https://www.amazon.it/product-reviews/B0BREWMILL")
    assert page.next_urls == ("https://www.amazon.it/Brewmill-300/product-reviews/B0BREWMILL?pageNumber=2",)
    assert [(one.average, one.count) for one in page.snapshots] == [(4.1, 1204)]


def test_a_page_without_reviews_yields_none_and_says_why() -> None:
    page = read(saved("nothing.html"))
    assert page.mentions == ()
    assert "gives no selectors" in page.blind


def test_a_captcha_is_named() -> None:
    page = read("<html><form action='/errors/validateCaptcha'></form></html>", "https://www.amazon.com/dp/B0")
    assert page.blind == "Amazon shows no reviews here: it wants a captcha solved"


def test_a_known_site_that_shows_none_says_so() -> None:
    page = read("<html><p>hello</p></html>", "https://www.trustpilot.com/review/x")
    assert "layouts known of Trustpilot" in page.blind


@pytest.mark.parametrize("site", sites(), ids=lambda site: site.name)
def test_a_shipped_set_holds_together(site: Site) -> None:
    assert site.layouts
    assert site.hosts
    assert site.signs
    assert check_options({"site": site.name}) == []


def test_only_hosts_of_a_site_are_the_site() -> None:
    amazon = site_named("amazon")
    assert amazon is not None
    for url in ("https://www.amazon.co.uk/x", "https://amazon.de/", "https://smile.amazon.com/"):
        assert amazon.lives_at(url)
    for url in ("https://amazon.evil.example.com/", "https://notamazon.com/", "https://[", "file:///amazon"):
        assert not amazon.lives_at(url)


# --- sets of one's own --------------------------------------------------------------------------------


def test_own_selectors_read_text_author_stars_date_reach_and_reply() -> None:
    page = read(saved("forum.html"), **FORUM)
    first, second = page.mentions
    assert (first.external_id, first.author, first.stars, first.kind) == ("p1", "ana", 2.0, Kind.POST)
    assert first.text == "The new release broke sync.\nGoing back."
    assert first.published_at == datetime(2026, 11, 1, 10, tzinfo=UTC)
    assert first.reach == 1204
    assert (second.text, second.owner_reply) == ("All fine here", "Glad to hear!")
    assert page.next_urls == ("https://forum.example/t/1?page=2",)


def test_what_is_marked_as_no_review_is_skipped() -> None:
    assert [one.external_id for one in read(saved("forum.html"), **FORUM).mentions] == ["p1", "p2"]


def test_xpath_works_like_css() -> None:
    options = {
        "item": "//article[@data-post-id]",
        "fields": {"id": "./@data-post-id", "text": ".//div[@class='body' or @class='content']"},
    }
    found = read(saved("forum.html"), **options).mentions
    assert [one.external_id for one in found] == ["p1", "ad", "p2"]


def test_an_xpath_from_the_root_means_inside_the_item() -> None:
    options = {"item": "//p", "fields": {"text": "//b", "title": "(//i)[1]"}}
    found = read("<p><b>one</b><i>x</i></p><p><b>two</b><i>y</i></p>", **options).mentions
    assert [(one.text, one.title) for one in found] == [("one", "x"), ("two", "y")]


def test_a_title_that_is_only_its_stars_is_no_title() -> None:
    body = """<div id="R9" data-hook="review"><a data-hook="review-title"><i data-hook="review-star-rating">
        <span class="a-icon-alt">5.0 out of 5 stars</span></i></a></div>"""
    (one,) = read(body, "https://www.amazon.com/product-reviews/B0").mentions
    assert (one.title, one.text, one.stars) == ("", "", 5.0)


def test_the_kind_of_a_known_sites_mentions_can_be_chosen() -> None:
    url = "https://www.trustpilot.com/review/brewmill.example"
    page = read(saved("trustpilot_state.html"), url, site="trustpilot", kind="comment")
    assert {one.kind for one in page.mentions} == {Kind.COMMENT}
    assert check_options({"site": "trustpilot", "kind": "comment"}) == []


def test_a_selector_that_matches_nothing_is_named_with_the_size_of_the_page() -> None:
    page = read("<html>" + "<p>x</p>" * 40_000 + "</html>", **{**FORUM, "item": "div.review"})
    assert page.blind == "'div.review' matched nothing on a page of 320 KB"


def test_a_field_that_stopped_matching_is_named_while_the_rest_is_read() -> None:
    options = {**FORUM, "fields": {**FORUM["fields"], "author": ".who"}}
    page = read(saved("forum.html"), **options)
    assert len(page.mentions) == 2
    assert page.problems == ("'.who' (author) found nothing in any of 2 items",)


def test_items_without_any_words_are_counted_not_kept() -> None:
    page = read("<p class=r><b>fine</b></p><p class=r></p>", item=".r", fields={"text": "b"})
    assert len(page.mentions) == 1
    assert "1 of 2 items held nothing" in page.problems[0]


def test_without_an_id_the_same_words_keep_their_name() -> None:
    options = {"item": "p", "fields": {"text": "b", "date": "i"}}
    body = "<p><b>broken</b><i>{}</i></p>"
    one, later = (read(body.format(said), **options).mentions[0] for said in ("3 days ago", "5 days ago"))
    assert one.external_id == later.external_id
    assert one.external_id.startswith("fp:")


def test_text_is_cut_at_literal_words() -> None:
    fields = {
        "text": {"css": "b", "after": "said: ", "before": " --", "prefix": '"', "suffix": '"'},
        "title": {"join": ["i", "u"], "separator": " / "},
        "url": {"css": "i", "as": "/r/{}"},
    }
    (one,) = read(
        '<p><b>Ann said: "hello" -- today</b><i>a b/../c</i><u>c</u></p>', item="p", fields=fields
    ).mentions
    assert one.text == "hello"
    assert one.title == "a b/../c / c"
    assert one.url == "https://forum.example/r/a%20b%2F..%2Fc"


def test_all_matches_can_be_joined() -> None:
    fields = {"text": {"css": "span", "all": True}}
    (one,) = read("<p><span>a</span><span>b</span></p>", item="p", fields=fields).mentions
    assert one.text == "a\nb"


def test_a_tree_split_by_a_stray_end_tag_is_read_whole() -> None:
    page = read(
        "<html><body><p class=r>one</p></body></html>\n</html>&lt;\n<html><p class=r>two</p></html>",
        item=".r",
        fields={"text": "p"},
    )
    assert [one.text for one in page.mentions] == ["one", "two"]


def test_state_behind_literal_words_is_searched_with_jmespath() -> None:
    body = """<script>window.__STATE__ = {"a": {"posts": [{"id": 7, "t": "<b>hi</b> there",
        "at": 1700000000000, "by": {"n": "ana"}, "r": 8}, {"id": 8, "t": null}]}};</script>"""
    options = {
        "state_after": "window.__STATE__ =",
        "items": "a.posts",
        "best": 10,
        "fields": {"id": "id", "text": "t", "author": "by.n", "date": "at", "rating": "r"},
    }
    (one,) = read(body, **options).mentions
    assert (one.external_id, one.text, one.author, one.stars) == ("7", "hi there", "ana", 4.0)
    assert one.published_at == datetime.fromtimestamp(1_700_000_000, UTC)


# --- mistakes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"fields": {"text": "p"}}, "item is missing"),
        ({"item": "p"}, "fields.text is missing"),
        ({"item": "p[", "fields": {"text": "p"}}, "item = 'p[' is no CSS selector"),
        ({"item": "//p[", "fields": {"text": "p"}}, "item = '//p[' is no XPath selector"),
        ({"item": "//p[re:test(., 'a+')]", "fields": {"text": "p"}}, "uses a regular expression"),
        (
            {"item": "p", "fields": {"text": "p", "stars": "b"}},
            "fields.stars is not known; allowed: id, text",
        ),
        ({"item": "p", "fields": {"text": {"css": "p", "match": "x"}}}, "fields.text.match is not known"),
        ({"item": "p", "fields": {"text": {"css": "p", "path": "x"}}}, "needs one of css, xpath, path, join"),
        ({"item": "p", "fields": {"text": 7}}, "fields.text = 7; allowed: a selector"),
        ({"item": "p", "fields": {"text": {"css": "p", "as": "none"}}}, "fields.text.as = 'none'"),
        ({"item": 7, "fields": {"text": "p"}}, "item = 7; allowed: a text"),
        ({"item": "p", "kind": "rant", "fields": {"text": "p"}}, "kind = 'rant'; allowed: review"),
        ({"item": "p", "best": "ten", "fields": {"text": "p"}}, "best = 'ten'; allowed"),
        ({"state": "script#s", "fields": {"text": "t"}}, "items is missing"),
        ({"state": "script#s", "items": "a[", "fields": {"text": "t"}}, "items = 'a[' is no JMESPath"),
        ({"state": "script#s", "items": "a", "fields": {"text": "t["}}, "fields.text = 't[' is no JMESPath"),
        ({"site": "amazone"}, "site = 'amazone'; allowed: amazon, "),
        ({"items_": "p"}, "items_ is not known here; allowed: "),
    ],
)
def test_a_mistake_is_named_with_what_is_allowed(options: dict[str, Any], words: str) -> None:
    faults = check_options(options)
    assert any(words in fault for fault in faults), faults


def test_good_options_have_no_faults() -> None:
    assert check_options(FORUM) == []
    assert check_options({"hosts": ["cdn.example"]}) == []


@pytest.mark.parametrize("options", [{"item": "p[", "fields": {"text": "b["}}, {"fields": {"text": "p"}}])
def test_selectors_that_cannot_be_used_are_no_accident_at_run_time(options: dict[str, Any]) -> None:
    page = read("<p>x</p>", **options)
    assert page.mentions == ()
    assert page.blind


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=15,
)


@settings(max_examples=60, deadline=None)
@given(
    raw=st.dictionaries(st.sampled_from(["item", "items", "state", "fields", "kind", "best", "skip"]), _json)
)
def test_no_options_however_odd_make_it_fall_over(raw: dict[str, Any]) -> None:
    layout_from(raw)
    check_options(raw)
    read("<p>x</p>", **raw)


@settings(max_examples=60, deadline=None)
@given(review=_json, where=st.sampled_from(["glassdoor", "trustpilot", "yelp"]))
def test_no_state_however_odd_makes_it_fall_over(review: Any, where: str) -> None:
    keys = (
        "id",
        "reviewId",
        "pros",
        "cons",
        "ratingOverall",
        "rating",
        "consumer",
        "dates",
        "text",
        "encid",
        "createdAt",
    )
    state = json.dumps(
        {"reviews": [dict.fromkeys(keys, review)], "props": {"pageProps": {"reviews": review}}}
    )
    body = f"<script id='__NEXT_DATA__' type='application/json'>{state.replace('<', ' ')}</script>"
    read(body, f"https://www.{where}.com/x")


@settings(max_examples=40, deadline=None)
@given(body=st.binary(max_size=300))
def test_no_page_however_odd_makes_it_fall_over(body: bytes) -> None:
    read(body, **FORUM)
    read(body, "https://www.amazon.com/x")


# --- a crawl -------------------------------------------------------------------------------------------


def test_a_crawl_reads_page_after_page() -> None:
    second = '<article class="post" data-post-id="p9"><div class="body">older</div></article>'
    with Web({"/t": saved("forum.html"), "/t?page=2": second}) as web:
        sink = Gathered()
        source = Source(name="forum", kind="selectors", urls=(web.url("/t"),), options=FORUM)
        (run,) = crawled(source, sink=sink, spider=SelectorsSpider)
    assert sink.ids == ["p1", "p2", "p9"]
    assert run.found == 3
