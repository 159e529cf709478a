"""Trying a page shows what a crawl would collect from it, whatever the page is, and keeps nothing."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from crawling import AT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loopback import Answer, Site

from monitor.commands.try_ import command
from monitor.config import Crawl, Source
from spiders.trial import NOWHERE, try_page

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "real" / "pages"
OWN = Crawl(allow_hosts=("127.0.0.1",))


def has(kind: str) -> bool:
    try:
        return hasattr(importlib.import_module(kind), "read_page")
    except ImportError:
        return False


needs_reviews = pytest.mark.skipif(not has("spiders.reviews"), reason="there is no reader for reviews")
needs_feeds = pytest.mark.skipif(not has("spiders.feeds"), reason="there is no reader for feeds")

REVIEW = {
    "@type": "Review",
    "author": {"name": "Ann"},
    "reviewBody": "It leaks – café.",
    "datePublished": "2026-11-20",
}
PRODUCT = {"@context": "https://schema.org", "@type": "Product", "name": "Kettle"}
RATED = {**REVIEW, "reviewRating": {"@type": "Rating", "ratingValue": 1, "bestRating": 5}}


def shop(head: str = "", charset: str = "utf-8") -> bytes:
    data = json.dumps({**PRODUCT, "review": [RATED]}, ensure_ascii=False)
    script = f'<script type="application/ld+json">{data}</script>'
    html = f'<html><head><meta charset="{charset}">{head}</head><body>{script}</body></html>'
    return html.encode(charset, "replace")


def saved(folder: Path, body: bytes, name: str = "page.html") -> str:
    path = folder / name
    path.write_bytes(body)
    return str(path)


@needs_reviews
def test_a_saved_page_shows_its_reviews(tmp_path: Path) -> None:
    result = try_page(saved(tmp_path, shop()), url="https://shop.example/kettle", now=AT)
    assert result.kind == "reviews"
    assert [(one.text, one.stars, one.author) for one in result.mentions] == [
        ("It leaks – café.", 1.0, "Ann")
    ]
    assert result.mentions[0].source == "shop.example"


@needs_reviews
def test_a_page_is_read_in_its_own_encoding(tmp_path: Path) -> None:
    result = try_page(saved(tmp_path, shop(charset="windows-1252")), now=AT)
    assert result.mentions[0].text == "It leaks – café."


@pytest.mark.parametrize(
    ("head", "url"),
    [
        ('<link rel="canonical" href="https://shop.example/kettle">', "https://shop.example/kettle"),
        ('<meta property="og:url" content="https://shop.example/og">', "https://shop.example/og"),
        ("<!-- saved from url=(0027)https://shop.example/saved -->", "https://shop.example/saved"),
        ('<link rel="canonical" href="javascript:alert(1)">', NOWHERE + "page.html"),
        ('<link rel="canonical" href="http://[::1">', NOWHERE + "page.html"),
        ("", NOWHERE + "page.html"),
    ],
)
def test_a_page_says_itself_where_it_came_from(tmp_path: Path, head: str, url: str) -> None:
    assert try_page(saved(tmp_path, shop(head)), now=AT).url == url


def test_the_address_given_is_believed_before_the_page(tmp_path: Path) -> None:
    page = saved(tmp_path, shop('<link rel="canonical" href="https://shop.example/kettle">'))
    assert try_page(page, url="https://other.example/", now=AT).url == "https://other.example/"


@needs_feeds
def test_a_feed_is_recognised_by_what_it_is(tmp_path: Path) -> None:
    rss = b"""<?xml version="1.0"?>
    <rss version="2.0"><channel><title>Blog</title><link>https://b.example/</link>
    <item><guid>1</guid><title>Acme again</title><description>It leaks.</description></item>
    </channel></rss>"""
    result = try_page(saved(tmp_path, rss, "feed.xml"), now=AT)
    assert result.kind == "feed"
    commented = b"<!-- made by hand -->\n" + rss
    assert try_page(saved(tmp_path, commented, "feed.xml"), now=AT).kind == "feed"
    assert result.mentions[0].title == "Acme again"


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("a.bin", b"\x00\x01\x02", "is no text"),
        ("empty.html", b"", ""),
        ("none.html", b"<p>nothing here</p>", ""),
        ("odd.json", b'{"a": NaN}', ""),
        ("deep.json", b"[" * 50_000, ""),
    ],
)
def test_a_page_without_mentions_says_why(tmp_path: Path, name: str, body: bytes, words: str) -> None:
    result = try_page(saved(tmp_path, body, name), now=AT)
    assert result.mentions == ()
    assert result.problems
    assert words in " ".join(result.problems)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    result = try_page(str(tmp_path / "nope.html"), now=AT)
    assert result.problems == (f"{tmp_path / 'nope.html'} cannot be opened: No such file or directory",)


def test_a_kind_that_does_not_exist_is_named(tmp_path: Path) -> None:
    result = try_page(saved(tmp_path, shop()), kind="../evil", now=AT)
    assert result.problems == ("nothing reads pages of the kind '../evil'",)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300), st.sampled_from(["a.html", "a.json", "a.xml", "a"]))
def test_no_page_makes_it_raise(tmp_path: Path, body: bytes, name: str) -> None:
    try_page(saved(tmp_path, body, name), now=AT)


@needs_reviews
def test_an_address_is_fetched_as_a_crawl_would(tmp_path: Path) -> None:
    with Site({"/a": Answer(shop()), "/robots.txt": Answer("User-agent: *\nDisallow: /private")}) as site:
        result = try_page(site.url("/a"), crawl=OWN, now=AT)
        refused = try_page(site.url("/private"), crawl=OWN, now=AT)
        unsafe = try_page(site.url("/a"), now=AT)
    assert [one.text for one in result.mentions] == ["It leaks – café."]
    assert refused.problems == (f"robots.txt of {site.host} forbids /private",)
    assert "its address is not public" in unsafe.problems[0]
    assert site.paths() == ["/a"]


@needs_reviews
def test_the_command_prints_a_json_line_a_mention(tmp_path: Path) -> None:
    page = saved(tmp_path, shop('<link rel="canonical" href="https://shop.example/kettle">'))
    done = CliRunner().invoke(command, [page])
    assert done.exit_code == 0, done.output
    (line,) = done.stdout.splitlines()
    shown = json.loads(line)
    assert shown["kind"] == "review"
    assert shown["stars"] == 1.0
    assert shown["published_at"].startswith("2026-11-20")
    assert "owner_reply" not in shown
    assert "1 mention, read as reviews" in done.stderr


def test_the_command_exits_with_one_and_the_reason(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, [saved(tmp_path, b"<p>nothing</p>")])
    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr.strip()


@pytest.mark.skipif(not REAL.is_dir(), reason="the saved real pages are not there")
@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("trustpilot/bt_com_2023-05.html", 20),
        ("g2/opusclip_reviews.html", 10),
        ("amazon/samsung_cf390_reviews.html", 10),
        ("misc/snapdeal.html", 0),
    ],
)
def test_real_pages_show_what_a_person_counted(name: str, count: int) -> None:
    page = next(iter(sorted(REAL.glob(name))), None)
    if page is None:
        pytest.skip(f"{name} is not there")
    assert len(try_page(str(page), now=AT).mentions) == count


@pytest.mark.skipif(not REAL.is_dir(), reason="the saved real pages are not there")
def test_pages_without_mentions_show_none() -> None:
    for page in sorted((REAL / "none").glob("*.html")):
        assert try_page(str(page), now=AT).mentions == (), page.name


def test_what_is_imported_can_be_tried_by_its_ending_and_by_the_kind_of_its_source(tmp_path: Path) -> None:
    table = tmp_path / "reviews.csv"
    table.write_text("text,stars\nThe pot leaks,1\n,\nFine,9\n", "utf-8")
    letter = tmp_path / "one.eml"
    letter.write_text(
        "From: a@shop.example\nSubject: A 2-star review\nDate: Mon, 23 Nov 2026 10:00:00 +0000\n\nThe pot leaks.\n",
        "utf-8",
    )
    found = try_page(str(table), now=AT)
    assert (found.kind, [one.text for one in found.mentions]) == ("import", ["The pot leaks", "Fine"])
    for kind in ("", "imap", "mail"):
        assert [one.stars for one in try_page(str(letter), now=AT, kind=kind).mentions] == [2.0]
    folder = Source(name="inbox", kind="import", options={"map": "text=stars", "best": 10})
    assert try_page(str(table), now=AT, source=folder).mentions[0].text == "1"


def test_an_export_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    broken = tmp_path / "book.xlsx"
    broken.write_bytes(b"PK\x03\x04 no workbook")
    result = try_page(str(broken), now=AT)
    assert result.mentions == ()
    assert result.problems
