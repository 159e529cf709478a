"""Without a key Reddit is read through the account's own private feed, whose token is never shown anywhere."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from crawling import AT, Gathered, config_of
from hypothesis import given
from hypothesis import strategies as st
from loopback import Answer, Site
from scrapy.http import TextResponse

from alerts.redact import redact
from monitor.config import Config, ConfigError, Reddit, Source, read_config
from monitor.retention import kept_for
from spiders.crawl import crawl
from spiders.reddit import RedditSpider, read_page
from spiders.reddit_feed import read_feed
from spiders.trial import try_page
from storage.records import CrawlRun, Kind, Mention, Removal, RunOutcome
from storage.store import Store, open_store

TOKEN = "c1a70a1382687474ecbf15f259157d399152d868"
HEAD = '<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>newest</title>'


def entry(
    name: str, title: str, html: str, *, author: str = "/u/ana", at: str = "2026-11-22T08:00:00+00:00"
) -> str:
    escaped = html.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return (
        f"<entry><author><name>{author}</name><uri>https://www.reddit.com/user/ana</uri></author>"
        f'<category term="coffee" label="r/coffee"/><content type="html">{escaped}</content><id>{name}</id>'
        f'<link href="https://www.reddit.com/r/coffee/comments/1abc/kaffa/"/><updated>{at}</updated>'
        f"<published>{at}</published><title>{title}</title></entry>"
    )


SUBMITTED = (
    ' &#32; submitted by &#32; <a href="https://www.reddit.com/user/ana"> /u/ana </a> &#32; to &#32; '
    '<a href="https://www.reddit.com/r/coffee/"> r/coffee </a> <br/> <span><a href="https://x.example/">[link]</a>'
    '</span> &#32; <span><a href="https://www.reddit.com/r/coffee/comments/1abc/">[comments]</a></span>'
)
MD = '<!-- SC_OFF --><div class="md"><p>{}</p></div><!-- SC_ON -->'


def feed(*entries: str) -> str:
    return HEAD + "".join(entries) + "</feed>"


def read(text: str) -> Any:
    response = TextResponse("https://www.reddit.com/r/coffee/new/.rss", body=text.encode())
    return read_feed(response, Source(name="red", kind="reddit"), AT)


POST = entry("t3_1abc", "Kaffa One broke", MD.format("After a day. Nobody answers &amp; I wait.") + SUBMITTED)
COMMENT = entry("t1_9xyz", "/u/bob on Kaffa One broke", MD.format("Mine too."), author="/u/bob")


def test_a_submission_and_a_comment_have_reddits_own_names_and_their_words_alone() -> None:
    post, comment = read(feed(POST, COMMENT)).mentions
    assert (post.external_id, post.kind, post.title) == ("t3_1abc", Kind.POST, "Kaffa One broke")
    assert post.text == "After a day. Nobody answers & I wait."
    assert (post.author, post.entity) == ("ana", "r/coffee")
    assert post.url == "https://www.reddit.com/r/coffee/comments/1abc/kaffa/"
    assert (comment.external_id, comment.kind, comment.title) == ("t1_9xyz", Kind.COMMENT, "")
    assert (comment.text, comment.author) == ("Mine too.", "bob")


def test_a_link_alone_has_no_words_and_one_may_write_submitted_by() -> None:
    link, said = read(
        feed(
            entry("t3_1", "Kaffa", SUBMITTED),
            entry("t3_2", "Kaffa", MD.format("It was submitted by a friend.")),
        )
    ).mentions
    assert (link.text, said.text) == ("", "It was submitted by a friend.")


@pytest.mark.parametrize("words", ["[deleted]", "[removed]", "[ Removed by Reddit ]"])
def test_what_is_marked_as_gone_is_removed(words: str) -> None:
    page = read(feed(entry("t1_9", "/u/[deleted] on x", MD.format(words), author="/u/[deleted]")))
    assert [removal.external_id for removal in page.removals] == ["t1_9"]
    assert page.mentions == ()


def test_a_page_that_is_no_feed_is_blind_and_an_empty_feed_is_honest() -> None:
    assert "no feed" in read("<html><title>Blocked</title>whoa there, pardner!</html>").blind
    assert read("").blind
    assert read(feed()).blind == ""


@given(st.text(max_size=100))
def test_no_feed_makes_reading_fall_over(text: str) -> None:
    read(text)
    read(feed(entry("t3_1", "x", text)))


def test_a_saved_feed_is_tried_as_reddit(tmp_path: Path) -> None:
    path = tmp_path / "new.rss"
    path.write_text(feed(POST, COMMENT))
    assert len(try_page(str(path), now=AT, kind="reddit").mentions) == 2
    page = read_page(TextResponse("https://x.example", body=b"<html>"), Source(name="r", kind="reddit"), AT)
    assert "web page" in page.blind


# --- crawled ------------------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'lowstar.db'}") as made:
        yield made


def crawled(site: Site, store: Store | None = None, hours: int = 0) -> tuple[CrawlRun, Gathered]:
    seen = Gathered()
    source = Source(
        name="red",
        kind="reddit",
        options={"subreddits": ("coffee",), "search": ()},
        deadline=timedelta(seconds=20),
    )
    account = Reddit(
        feed_url=f"https://www.reddit.com/.rss?feed={TOKEN}&user=ana-of-a-test",
        reddit_url=site.url("").rstrip("/"),
    )
    config: Config = replace(config_of(source), reddit=account)
    (run,) = crawl(
        config, [source], store=store, sink_for=lambda *_: seen, clock=lambda: AT + timedelta(hours=hours),
        spiders=lambda kind: RedditSpider,
    )  # fmt: skip
    return run, seen


CLOSED = "User-agent: *\nDisallow: /"


def test_new_submissions_and_comments_are_read_with_the_token_and_nothing_else_is_asked() -> None:
    pages = {
        "/robots.txt": CLOSED,
        "/r/coffee/new/.rss": feed(POST),
        "/r/coffee/comments/.rss": feed(COMMENT),
    }
    with Site(pages) as site:
        run, seen = crawled(site)
        asked = [path for path in site.paths() if path != "/robots.txt"]
    assert run.outcome is RunOutcome.OK, run.reason
    assert sorted(seen.ids) == ["t1_9xyz", "t3_1abc"]
    assert all(f"feed={TOKEN}&user=ana-of-a-test" in path and "limit=100" in path for path in asked)
    assert not any(".json" in path for path in asked)


def test_a_deletion_the_feed_marks_is_passed_on_and_a_feed_that_is_all_new_is_a_gap(store: Store) -> None:
    gone = entry("t1_9xyz", "/u/[deleted] on x", MD.format("[deleted]"), author="/u/[deleted]")
    first = {"/r/coffee/new/.rss": feed(POST), "/r/coffee/comments/.rss": feed(COMMENT)}
    with Site(first) as site:
        crawled(site, store)
        site.pages["/r/coffee/comments/.rss"] = feed(gone)
        run, seen = crawled(site, store, 1)
        assert [one.external_id for one in seen.items if isinstance(one, Removal)] == ["t1_9xyz"]
        assert run.outcome is RunOutcome.OK
        many = [entry(f"t3_2{n}", "Kaffa", MD.format("x"), at="2026-11-22T09:00:00+00:00") for n in range(6)]
        site.pages["/r/coffee/new/.rss"] = feed(*many)
        run, _ = crawled(site, store, 2)
    assert "all 6 entries its feed shows are new" in run.reason


@pytest.mark.parametrize(
    "answer",
    [
        Answer(f"<html>feed={TOKEN}</html>", 403),
        Answer(f"<html><title>feed={TOKEN}</title></html>", 200),
        Answer("", 302, {"Location": f"https://elsewhere.example/?feed={TOKEN}"}),
        Answer("x", headers={"Content-Length": "9"}),
        Answer("no", 500),
    ],
    ids=["403", "no feed", "a redirect", "cut off", "500"],
)
def test_the_token_stands_in_no_reason_no_log_and_no_cursor(
    answer: Answer,
    store: Store,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("spiders.retry.RETRIES", 0)
    caplog.set_level(logging.DEBUG)
    with Site({"/r/coffee/new/.rss": answer, "/r/coffee/comments/.rss": feed(COMMENT)}) as site:
        run, seen = crawled(site, store)
    assert run.outcome is not RunOutcome.OK
    assert TOKEN not in run.reason
    assert "ana-of-a-test" not in run.reason
    assert not any(TOKEN in redact(record.getMessage()) for record in caplog.records)
    for mention in seen.items:
        assert not isinstance(mention, Mention) or TOKEN not in repr(mention)
    assert list(tmp_path.glob("lowstar.db*"))
    for file in tmp_path.glob("lowstar.db*"):
        assert TOKEN.encode() not in file.read_bytes()


def test_what_is_logged_and_shown_of_the_configuration_hides_the_token() -> None:
    assert TOKEN not in redact(
        f"Crawled (200) <GET https://www.reddit.com/r/a/new/.rss?limit=100&feed={TOKEN}&user=ana>"
    )
    assert TOKEN not in repr(Reddit(feed_url=f"https://www.reddit.com/.rss?feed={TOKEN}&user=a"))


# --- configuration and keeping -------------------------------------------------------------------------------


def settings(environ: dict[str, str] | None = None, **source: Any) -> Config:
    document = {"brands": [{"name": "Kaffa"}], "sources": [{"name": "red", **source}]}
    return read_config(document, Path("lowstar.toml"), environ or {})


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://www.reddit.com/r/coffee/new.json", "Reddit gives its .json to nobody without a key"),
        ("https://old.reddit.com/r/coffee/.json?limit=3", "Reddit gives its .json to nobody without a key"),
        (f"https://www.reddit.com/.rss?feed={TOKEN}&user=ana", "LOWSTAR_REDDIT_FEED_URL"),
    ],
)
def test_an_address_of_reddits_that_cannot_work_is_refused_with_the_way_that_does(
    url: str, words: str
) -> None:
    for kind in ("feed", "reviews", "selectors"):
        with pytest.raises(ConfigError) as refused:
            settings(kind=kind, urls=[url])
        said = "\n".join(refused.value.problems)
        assert words in said
        assert 'kind = "reddit"' in said
        assert TOKEN not in said
    result = try_page(url, now=AT)
    assert words in result.problems[0]
    assert TOKEN not in str(result)


def test_other_addresses_are_none_of_this() -> None:
    assert settings(kind="feed", urls=["https://notreddit.com/a.json", "https://shop.example/?feed=rss2"])


def test_the_private_feed_comes_from_the_environment_and_is_checked() -> None:
    good = f"https://www.reddit.com/.rss?feed={TOKEN}&user=ana"
    config = settings({"LOWSTAR_REDDIT_FEED_URL": good}, kind="reddit", subreddits=["coffee"])
    assert config.reddit.feed_url == good
    with pytest.raises(ConfigError) as refused:
        settings({"LOWSTAR_REDDIT_FEED_URL": f"https://www.reddit.com/.rss?feed={TOKEN}"}, kind="reddit")
    said = "\n".join(refused.value.problems)
    assert "prefs/feeds" in said
    assert TOKEN not in said


def test_by_feed_words_are_kept_for_48_hours_and_by_key_as_long_as_they_stand() -> None:
    source = Source(name="red", kind="reddit")
    by_feed = Reddit(feed_url="https://www.reddit.com/.rss?feed=f&user=u")
    assert kept_for(source, by_feed)[0] == timedelta(hours=48)
    assert "a feed never tells" in kept_for(source, by_feed)[1]
    assert kept_for(source, replace(by_feed, client_id="a", client_secret="b"))[0] is None
    assert kept_for(replace(source, retention=timedelta(days=2)), by_feed)[0] == timedelta(days=2)
