"""Real recordings of Reddit, served to PRAW by the stand-in: nothing alive is lost, nothing gone is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import praw
import pytest
from scrapy.http import TextResponse

from monitor.config import Reddit, Source
from monitor.standins.reddit import RedditStandin
from spiders.parsing.reddit_things import listing_from, mention_from
from spiders.reddit import read_page
from spiders.reddit_door import Heard, open_reddit
from storage.records import Kind, Mention, Removal

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "real" / "api" / "reddit"
FOREST = "TestCommentForest.test_replace__all"
OVERVIEW = "TestRedditorListings.test_overview__new"
STREAM = "TestSubredditStreams.test_comments__with_continue_after_id"
SOURCE = Source(name="reddit", kind="reddit")
AT = datetime(2026, 11, 1, tzinfo=UTC)

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason=f"the real recordings are not here ({REAL})")


def cassette(name: str) -> Any:
    return json.loads((REAL / f"{name}.json").read_text("utf-8"))


@contextmanager
def praw_on(name: str) -> Iterator[praw.Reddit]:
    with RedditStandin() as standin:
        standin.replay(cassette(name))
        heard = Heard()
        account = Reddit(
            client_id="id", client_secret="secret", reddit_url=standin.url, oauth_url=standin.url
        )
        try:
            yield open_reddit(account, "a reader of tapes", heard, lambda: 60.0)
        finally:
            assert heard.close is not None
            heard.close()


def things_in(value: Any) -> Iterator[dict[str, Any]]:
    """Every comment of a tape, found without any code of ours."""
    if isinstance(value, dict):
        if value.get("kind") == "t1":
            yield value["data"]
        for inner in value.values():
            yield from things_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from things_in(inner)


def comments_on(name: str) -> list[dict[str, Any]]:
    tape = cassette(name)["interactions"]
    return [one for taped in tape for one in things_in(json.loads(taped["response"]["body"]["string"]))]


def is_gone(comment: dict[str, Any]) -> bool:
    return comment["body"] in ("[deleted]", "[removed]")


def test_the_forest_is_what_it_was_counted_to_be() -> None:
    told = comments_on(FOREST)
    assert len(told) == 547
    assert sum(one["author"] == "[deleted]" for one in told) == 17
    assert sum(is_gone(one) for one in told) == 7
    assert sum(bool(one["edited"]) for one in told) == 13
    # Six comments are told twice, where a thread is continued; one of them is gone.
    assert len({one["name"] for one in told}) == 541


def test_every_live_comment_of_a_forest_read_by_praw_becomes_a_mention_and_no_other() -> None:
    with praw_on(FOREST) as reddit:
        submission = reddit.submission("3hahrw")
        assert submission.comments.replace_more(limit=None, threshold=0) == []
        read = [mention_from(vars(comment), SOURCE) for comment in submission.comments.list()]
    live = {one["name"] for one in comments_on(FOREST) if not is_gone(one)}
    mentions = [one for one in read if isinstance(one, Mention)]
    removals = [one for one in read if isinstance(one, Removal)]
    assert len(mentions) == 535
    assert {one.external_id for one in mentions} == live
    assert len({one.external_id for one in removals}) == len(removals) == 6
    assert sum(one.author == "" for one in mentions) == 10  # the author left, the words still stand
    assert sum(one.edited_at is not None for one in mentions) == 13
    assert all(one.text and one.url and one.published_at for one in mentions)
    assert {one.entity for one in mentions} == {"r/funny"}
    assert {one.kind for one in mentions} == {Kind.COMMENT}


def test_a_saved_forest_reads_the_same_from_its_file() -> None:
    response = TextResponse(
        "file:///answer.json", body=(REAL / f"{FOREST}.json").read_bytes(), encoding="utf-8"
    )
    page = read_page(response, SOURCE, AT)
    assert len([one for one in page.mentions if one.kind is Kind.COMMENT]) == 535
    assert [one.title for one in page.mentions if one.kind is Kind.POST] == ["Ba Dum Tsss"]
    assert len(page.removals) == 6


def test_an_overview_of_posts_and_comments_read_by_praw_is_complete() -> None:
    with praw_on(OVERVIEW) as reddit:
        read = [
            mention_from(vars(thing), SOURCE) for thing in reddit.redditor("spez").overview.new(limit=100)
        ]
    mentions = [one for one in read if isinstance(one, Mention)]
    assert len(mentions) == len(read) == 100
    assert sum(one.kind is Kind.POST for one in mentions) == 10
    assert sum(one.edited_at is not None for one in mentions) == 2
    assert {one.author for one in mentions} == {"spez"}
    assert all(one.url.startswith("https://www.reddit.com/r/") for one in mentions)


def test_a_stream_read_by_praw_gives_both_pages() -> None:
    with praw_on(STREAM) as reddit:
        path = "r/<TEST_SUBREDDIT>/comments/"
        first = listing_from(reddit.request(method="GET", path=path, params={"limit": 100}), SOURCE)
        asked: dict[str, str | int] = {"limit": 100, "before": "t1_k3v0jp3"}
        second = listing_from(reddit.request(method="GET", path=path, params=asked), SOURCE)
    assert len(first.page.mentions) == 100
    assert first.after == "t1_k3uzsxu"
    assert len(second.page.mentions) == 95
    assert second.after == ""
    assert {one.external_id for one in first.page.mentions} & {
        one.external_id for one in second.page.mentions
    }
