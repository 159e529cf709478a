"""The Reddit stand-in is honest: PRAW itself finds in it what Reddit would show."""

from __future__ import annotations

from collections.abc import Iterator

import praw
import prawcore
import pytest
import requests

from monitor.config import Reddit
from monitor.standins.reddit import RedditStandin
from spiders.reddit_door import Heard, open_reddit


@pytest.fixture
def standin() -> Iterator[RedditStandin]:
    with RedditStandin() as running:
        yield running


@pytest.fixture
def reddit(standin: RedditStandin) -> Iterator[praw.Reddit]:
    heard = Heard()
    account = Reddit(
        client_id=standin.client_id,
        client_secret=standin.client_secret,
        reddit_url=standin.url,
        oauth_url=standin.url,
    )
    yield open_reddit(account, "a reader of stand-ins", heard, lambda: 60.0)
    if heard.close is not None:
        heard.close()


def test_a_listing_is_newest_first_and_pages_to_its_end(standin: RedditStandin, reddit: praw.Reddit) -> None:
    made = [standin.add_post("tea", f"post {n}", at=1_700_000_000 + n) for n in range(230)]
    got = [post.name for post in reddit.subreddit("tea").new(limit=None)]
    assert got == made[::-1]
    assert [len(a.params.get("after", "")) > 0 for a in standin.asked if a.path == "/r/tea/new"] == [
        False,
        True,
        True,
    ]


def test_a_listing_ends_after_a_thousand(standin: RedditStandin, reddit: praw.Reddit) -> None:
    for n in range(1_050):
        standin.add_post("tea", f"post {n}", at=1_700_000_000 + n)
    assert len(list(reddit.subreddit("tea").new(limit=None))) == 1_000


def test_before_gives_what_is_newer_unless_it_is_blind(standin: RedditStandin, reddit: praw.Reddit) -> None:
    names = [standin.add_post("tea", f"post {n}", at=1_700_000_000 + n) for n in range(5)]
    newer = reddit.subreddit("tea").new(params={"before": names[2]})
    assert [post.name for post in newer] == [names[4], names[3]]
    standin.before_is_blind = True
    assert list(reddit.subreddit("tea").new(params={"before": names[2]})) == []


def test_comments_of_several_subreddits_come_in_one_listing(
    standin: RedditStandin, reddit: praw.Reddit
) -> None:
    for subreddit in ("tea", "coffee", "milk"):
        standin.add_comment(standin.add_post(subreddit, "a post"), f"about {subreddit}")
    bodies = {comment.body for comment in reddit.subreddit("tea+coffee").comments()}
    assert bodies == {"about tea", "about coffee"}


def test_search_finds_words_in_titles_and_texts(standin: RedditStandin, reddit: praw.Reddit) -> None:
    standin.add_post("tea", "My kettle", "it leaks")
    standin.add_post("milk", "Leaks everywhere")
    standin.add_post("tea", "Nothing here", at=1_000_000_000)
    everywhere = {post.title for post in reddit.subreddit("all").search('"leaks"', sort="new")}
    assert everywhere == {"My kettle", "Leaks everywhere"}
    assert [
        p.title for p in reddit.subreddit("tea").search("leaks OR nothing", sort="new", time_filter="day")
    ] == ["My kettle"]


def test_a_thread_has_its_answers_nested_and_the_rest_folded(
    standin: RedditStandin, reddit: praw.Reddit
) -> None:
    post = standin.add_post("tea", "a post")
    first = standin.add_comment(post, "first")
    second = standin.add_comment(first, "second")
    for n in range(5):
        standin.add_comment(post, f"more {n}")
    submission = reddit.submission(post.removeprefix("t3_"))
    assert submission.comments[0].replies[0].name == second
    assert submission.num_comments == 7
    folded = requests.get(
        f"{standin.url}/comments/{post[3:]}?limit=3",
        headers={"Authorization": "bearer standin-token"},
        timeout=5,
    ).json()[1]["data"]["children"]
    assert folded[-1]["kind"] == "more"
    assert folded[-1]["data"]["count"] == 4


def test_info_shows_deleted_and_removed_things_without_their_words(
    standin: RedditStandin, reddit: praw.Reddit
) -> None:
    post, other = standin.add_post("tea", "a post", "long text"), standin.add_post("tea", "other", "text")
    comment = standin.add_comment(post, "words")
    standin.delete(comment)
    standin.remove(post)
    standin.edit(other, "another text", at=1_700_000_000)
    told = {thing.name: thing for thing in reddit.info(fullnames=[post, comment, other, "t3_nothere"])}
    assert set(told) == {post, comment, other}
    assert told[comment].author is None
    assert told[comment].body == "[deleted]"
    assert told[post].selftext == "[removed]"
    assert told[post].removed_by_category == "moderator"
    assert told[other].selftext == "another text"
    assert told[other].edited == 1_700_000_000
    assert post not in {thing.name for thing in reddit.subreddit("tea").new()}


def test_it_says_no_as_reddit_does(standin: RedditStandin, reddit: praw.Reddit) -> None:
    standin.open("hidden", "odd")
    standin.private.add("hidden")
    standin.quarantined.add("odd")
    for name, error in (
        ("hidden", prawcore.Forbidden),
        ("odd", prawcore.Forbidden),
        ("nowhere", prawcore.Redirect),
    ):
        with pytest.raises(error):
            list(reddit.subreddit(name).new())


def test_a_wrong_secret_gets_no_token(standin: RedditStandin) -> None:
    heard = Heard()
    account = Reddit(client_id="x", client_secret="y", reddit_url=standin.url, oauth_url=standin.url)
    reddit = open_reddit(account, "a reader of stand-ins", heard, lambda: 60.0)
    with pytest.raises(prawcore.ResponseException, match="401"):
        list(reddit.subreddit("tea").new())
    assert heard.close is not None
    heard.close()


def test_the_rate_limit_headers_count_down(standin: RedditStandin, reddit: praw.Reddit) -> None:
    standin.open("tea")
    list(reddit.subreddit("tea").new())
    list(reddit.subreddit("tea").new())
    assert reddit.auth.limits["used"] == 2
    assert reddit.auth.limits["remaining"] == 998


def test_words_are_escaped_unless_raw_json_is_asked(standin: RedditStandin) -> None:
    standin.add_post("tea", "a < b & c")
    head = {"Authorization": "bearer standin-token"}
    plain = requests.get(f"{standin.url}/r/tea/new", headers=head, timeout=5).json()
    raw = requests.get(f"{standin.url}/r/tea/new?raw_json=1", headers=head, timeout=5).json()
    assert plain["data"]["children"][0]["data"]["title"] == "a &lt; b &amp; c"
    assert raw["data"]["children"][0]["data"]["title"] == "a < b & c"


def test_a_fault_is_used_up_after_its_times(standin: RedditStandin) -> None:
    standin.open("tea")
    standin.fault("/r/tea", status=418, times=1)
    head = {"Authorization": "bearer standin-token"}
    got = [requests.get(f"{standin.url}/r/tea/new", headers=head, timeout=5).status_code for _ in range(2)]
    assert got == [418, 200]
