import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from crawling import Gathered, crawled
from hypothesis import given, settings
from hypothesis import strategies as st
from loopback import Answer, Asked
from loopback import Site as Web
from scrapy.http import TextResponse

from monitor.config import Source
from spiders.feeds import FeedSpider, check_options, read_page, unwrapped
from spiders.page import Page
from storage.records import Kind
from storage.store import open_store

PAGES = Path(__file__).resolve().parents[1] / "pages" / "feeds"
REAL = Path(__file__).resolve().parents[2].parent / "shared" / "real" / "api" / "feeds"
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
ITEM = "<item><title>One</title><link>/1</link><description>said</description></item>"
RSS = '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>{}</channel></rss>'


def read(body: str | bytes, *, status: int = 200, content_type: str = "", **options: Any) -> Page:
    raw = body.encode() if isinstance(body, str) else body
    headers = {"Content-Type": content_type} if content_type else {}
    response = TextResponse("https://kitchen.example/feed", body=raw, status=status, headers=headers)
    return read_page(response, Source(name="news", kind="feed", options=options), NOW)


def saved(name: str) -> bytes:
    return (PAGES / name).read_bytes()


# --- the formats ---------------------------------------------------------------------------------------


def test_rss_2_is_read_with_full_text_author_date_and_id() -> None:
    first, second = read(saved("news.rss")).mentions
    assert (first.external_id, first.title) == ("kn-17", "Brewmill & friends – a test")
    assert first.text.split() == ["The", "grinder", "is", "loud.", "Really."]
    assert (first.author, first.language, first.reach, first.kind) == ("Ina Roe", "en", 12, Kind.ARTICLE)
    assert first.published_at == datetime(2021, 9, 5, 22, 1, tzinfo=UTC)
    assert (second.author, second.text) == ("Bo Lee", "Plain & simple")
    assert second.external_id == second.url == "https://kitchen.example/second"


def test_an_entry_that_stands_twice_in_a_feed_is_one() -> None:
    assert [one.text for one in read(saved("news.rss")).mentions][1:] == ["Plain & simple"]


def test_entries_that_share_an_id_or_a_link_are_told_apart() -> None:
    same = "<link>https://x.example/all</link>"
    body = RSS.format(f"<item><title>a</title>{same}</item><item><title>b</title>{same}</item>")
    assert len(read(body).mentions) == 2
    guid = "<guid isPermaLink='false'>same</guid>"
    items = "".join(f"<item><title>{n}</title>{guid}<link>/{n}</link></item>" for n in range(3))
    assert [one.external_id[-2:] for one in read(RSS.format(items)).mentions] == ["/0", "/1", "/2"]


def test_atom_is_read_with_unwrapped_links_and_the_feeds_author() -> None:
    alert, talk = read(saved("alerts.atom")).mentions
    assert (alert.title, alert.text) == ("Brewmill recalls grinders", "It overheats …")
    assert alert.url == "https://news.example/recall?id=9"
    assert alert.author == "Alerts"
    assert alert.published_at == datetime(2026, 11, 19, 8, tzinfo=UTC)
    assert alert.edited_at == datetime(2026, 11, 20, 8, tzinfo=UTC)
    assert (talk.url, talk.author, talk.external_id) == ("https://x.example/6", "Udo", "urn:6")
    assert talk.text.split("\n\n") == ["One", "Two & three"]
    assert talk.edited_at is None


def test_rss_1_in_latin_1_is_read() -> None:
    (one,) = read(saved("old.rdf")).mentions
    assert (one.external_id, one.title, one.language) == ("https://old.example/1", "Mühle", "de")
    assert str(one.published_at)[:10] == "2005-01-02"


def test_json_feed_is_read() -> None:
    page = read(saved("feed.json"))
    seven, eight = page.mentions
    assert (seven.external_id, seven.text, seven.author, seven.language) == ("7", "Hi & bye", "Kai", "en")
    assert seven.published_at == datetime(2026, 11, 1, 14, tzinfo=UTC)
    assert (eight.url, eight.text, eight.author) == ("https://else.example/", "a < b", "Lee")
    assert page.problems == ("1 of 3 entries have neither title nor text",)


def test_the_kind_of_mention_can_be_chosen() -> None:
    assert read(RSS.format(ITEM), kind="post").mentions[0].kind is Kind.POST


def test_stars_in_a_feed_make_a_review() -> None:
    entry = (
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:im="http://itunes.apple.com/rss"><entry><id>9</id>'
        "<title>Bad</title><content>crashes</content><im:rating>1</im:rating></entry></feed>"
    )
    (one,) = read(entry).mentions
    assert (one.kind, one.stars) == (Kind.REVIEW, 1.0)


# --- broken ones ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        RSS.format("<item><title>Füße & Käse &nbsp;&eacute;&bogus;</title></item>").encode(),
        RSS.format("<item><title>Füße &amp; Käse &nbsp;&eacute;&bogus;</title></item>").encode("cp1252"),
        b"\n\n \t" + RSS.format("<item><title>Füße & Käse &nbsp;&eacute;&bogus;</title></item>").encode(),
        RSS.format("<item><title>Füße & Käse \u00a0é&bogus;</title></item>").encode("utf-8-sig"),
        RSS.replace("utf-8", "utf-16")
        .format("<item><title>Füße & Käse &nbsp;é&bogus;</title></item>")
        .encode("utf-16"),
        RSS.replace("utf-8", "ascii")
        .format("<item><title>Füße & Käse &nbsp;é&bogus;</title></item>")
        .encode(),
        RSS.replace("utf-8", "no-such")
        .format("<item><title>Füße & Käse &nbsp;é&bogus;</title></item>")
        .encode(),
        RSS.format("<item><title>F\x00üße & \x0bKäse &nbsp;é&bogus;</title></item>").encode(),
    ],
)
def test_wrong_encodings_bare_ampersands_and_stray_bytes_are_put_up_with(body: bytes) -> None:
    (one,) = read(body).mentions
    assert one.title == "Füße & Käse é&bogus;"


def test_a_truncated_feed_gives_its_whole_entries_and_says_so() -> None:
    two = ITEM + ITEM.replace("/1", "/2").replace("One", "Two")
    page = read(RSS.format(two)[: -len("aid</description></item></channel></rss>")])
    assert [one.title for one in page.mentions] == ["One"]
    assert page.problems == ("the feed was cut short: its last entry is left for the next time",)


def test_no_entity_is_expanded_and_no_file_opened() -> None:
    lol = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<!DOCTYPE r [<!ENTITY l0 "lol">{lol}<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    began = time.process_time()
    (one,) = read(bomb + "<rss><channel><item><title>x &l11; &f;</title></item></channel></rss>").mentions
    assert one.title == "x &l11; &f;"
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "body",
    [
        RSS.format("<item><title>One</title><description>" + "x" * 20_000_000 + "</description></item>"),
        RSS.format("<item><title>One</title></item>" + "<a>" * 300_000),
        RSS.format(ITEM * 30_000),
        "<rss>" + "&" * 9_000_000,
        "<rss>" + "<![CDATA[" * 900_000,
        '{"items": ' + "[" * 200_000,
    ],
    ids=["20 MB", "deep", "many", "ampersands", "cdata", "deep json"],
)
def test_huge_deep_and_nasty_feeds_end_soon(body: str) -> None:
    began = time.process_time()
    page = read(body)
    assert time.process_time() - began < 10
    assert all(one.title == "One" for one in page.mentions)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "the answer is empty"),
        ("hello", "neither XML nor JSON"),
        ("<urlset><url/></urlset>", "XML, but no feed: it starts with <urlset>"),
        ('{"a": 1}', 'it has no list "items"'),
        ('{"items": [', "cannot be read as JSON"),
        ("<!doctype html><p>hi", "a web page, not a feed, and it names none"),
        (
            "<html><head><link rel='alternate' type='application/rss+xml' href='/rss.xml'></head></html>",
            "put the feed it names into urls: https://kitchen.example/rss.xml",
        ),
    ],
)
def test_what_is_no_feed_is_named_with_what_to_do(body: str, words: str) -> None:
    page = read(body)
    assert page.mentions == ()
    assert words in page.blind


def test_an_empty_feed_is_no_failure() -> None:
    assert read(RSS.format("<title>Quiet</title>")) == Page()


def test_not_modified_is_nothing_new_and_no_failure() -> None:
    assert read(b"", status=304) == Page()


@settings(max_examples=80, deadline=None)
@given(
    st.binary(max_size=200), st.sampled_from([b"", b"<rss><channel><item>", b"<feed><entry>", b'{"items":[{'])
)
def test_no_feed_however_odd_makes_it_fall_over(body: bytes, head: bytes) -> None:
    read(head + body)


@pytest.mark.parametrize(
    ("url", "inner"),
    [
        ("https://www.google.com/url?q=https://a.example/&sa=U", "https://a.example/"),
        (
            "http://www.bing.com/news/apiclick.aspx?ref=x&url=https%3a%2f%2fb.example%2fc",
            "https://b.example/c",
        ),
        (
            "https://www.google.com/url?url=javascript:alert(1)",
            "https://www.google.com/url?url=javascript:alert(1)",
        ),
        (
            "https://shop.example/url?url=https://evil.example",
            "https://shop.example/url?url=https://evil.example",
        ),
        ("https://[bad", "https://[bad"),
    ],
)
def test_only_known_redirects_are_unwrapped(url: str, inner: str) -> None:
    assert unwrapped(url) == inner


def test_a_mistake_in_the_options_is_named() -> None:
    assert check_options({"kind": "article", "hosts": ["x"]}) == []
    assert "allowed: article" in check_options({"kind": "rant"})[0]
    assert "limit is not known here" in check_options({"limit": 3})[0]


# --- real ones -----------------------------------------------------------------------------------------


@pytest.mark.skipif(not REAL.is_dir(), reason="the folder of real feeds is not here")
@pytest.mark.parametrize(
    ("name", "entries"),
    [
        ("feed.json", 25),
        ("feed1.atom", 2),
        ("feed2.rss", 1),
        ("issue_305_bare_ampersand.xml", 0),
        ("atom03_feed_entry_issued.xml", 0),  # its only entry is a date without a word
    ],
)
def test_feeds_of_other_peoples_tests_are_read(name: str, entries: int) -> None:
    page = read((REAL / name).read_bytes())
    assert len(page.mentions) == entries
    assert page.blind == ""
    for mention in page.mentions:
        assert mention.title
        assert mention.url
        assert mention.published_at is not None


# --- a crawl -------------------------------------------------------------------------------------------


def test_a_crawl_asks_again_only_for_what_changed(tmp_path: Path) -> None:
    def feed(asked: Asked) -> Answer:
        if asked.headers.get("if-none-match") == '"v1"':
            return Answer(status=304)
        return Answer(RSS.format(ITEM), headers={"ETag": '"v1"', "Content-Type": "application/rss+xml"})

    with Web({"/feed": feed}) as web, open_store(f"sqlite:///{tmp_path / 'l.db'}") as store:
        sink = Gathered()
        source = Source(name="news", kind="feed", urls=(web.url("/feed"),))
        first = crawled(source, sink=sink, spider=FeedSpider, store=store)[0]
        again = crawled(source, sink=sink, spider=FeedSpider, store=store)[0]
    assert (first.found, again.found) == (1, 0)
    assert again.failed == 0
    assert len(sink.items) == 1
