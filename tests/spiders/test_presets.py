"""Every JSON API: crawled for real against a stand-in, read from saved answers, and documented."""

from __future__ import annotations

import base64
import importlib
import json
import pkgutil
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from api_standin import AT, CASES, PAGES, Case, saved
from hypothesis import given, settings
from hypothesis import strategies as st
from scrapy.http import TextResponse

import spiders.presets
from monitor.config import Source
from monitor.config_apis import APIS
from spiders.api_reading import not_before, said_in
from spiders.crawl import spider_for
from spiders.json_api import ApiSpider, Preset
from spiders.page import Page
from spiders.trial import try_page
from storage.records import Kind

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "real" / "api"
KINDS = [case.kind for case in CASES]
each = pytest.mark.parametrize("case", CASES, ids=KINDS)


def read(kind: str, body: Any, url: str = "https://api.example/x", status: int = 200) -> Page:
    text = body if isinstance(body, str) else json.dumps(body)
    module = importlib.import_module(f"spiders.presets.{kind}")
    response = TextResponse(url, body=text.encode(), status=status)
    page = module.read_page(response, Source(name="ours", kind=kind), AT)
    assert isinstance(page, Page)
    return page


def preset_of(kind: str) -> Preset:
    preset = importlib.import_module(f"spiders.presets.{kind}").PRESET
    assert isinstance(preset, Preset)
    return preset


# --- each has all its parts ----------------------------------------------------------------------------


def test_a_preset_is_a_file_an_entry_in_the_configuration_a_case_here_and_a_card() -> None:
    files = {module.name for module in pkgutil.iter_modules(spiders.presets.__path__)}
    assert files == set(APIS) == set(KINDS)
    cards = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
    for kind in files:
        assert f"(`{kind}`)" in cards, f"{kind} has no card in docs/sources.md"
        assert (PAGES / kind / "page1.json").is_file()


@each
def test_a_spider_is_found_by_the_name_of_its_kind(case: Case) -> None:
    spider = spider_for(case.kind)
    assert issubclass(spider, ApiSpider)
    assert spider.name == spider.preset.kind == case.kind


@each
def test_keys_used_are_keys_that_can_be_given(case: Case) -> None:
    preset = preset_of(case.kind)
    templates = [*preset.auth_headers.values(), *preset.auth_query.values()]
    templates += preset.login.body.values() if preset.login else []
    used = set(re.findall(r"\{(\w+)\}", " ".join(templates)))
    given_by_itself = {preset.login.gives} if preset.login else set()
    assert used - given_by_itself <= set(APIS[case.kind].names)
    assert preset.terms


# --- crawled ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rounds(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """All sources crawled seven times in a process of their own: see `api_standin.main`."""
    done = subprocess.run(
        [sys.executable, "tests/api_standin.py", str(tmp_path_factory.mktemp("apis") / "lowstar.db")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return json.loads(done.stdout)


def ids_in(told: Any) -> set[str]:
    return {mention["external_id"] for mention in told["mentions"]}


@each
def test_all_pages_are_read_through_a_429_a_503_nan_an_unknown_and_a_missing_field(
    rounds: Any, case: Case
) -> None:
    first = rounds["first"][case.kind]
    assert first["outcome"] == "ok", first["reason"]
    assert set(case.ids) <= ids_in(first)
    more = ids_in(first) - set(case.ids)
    assert len(more) == {"lemmy": 47, "facebook": 2}.get(case.kind, 0), more
    assert first["new"] == len(ids_in(first))


@each
def test_what_was_written_is_what_is_read(rounds: Any, case: Case) -> None:
    for mention in rounds["first"][case.kind]["mentions"]:
        # Kaffa One, in some of its words; no markup, no note of the service.
        assert "Kaffa" in mention["title"] + mention["text"]
        assert not re.search(r"[<>]\w|&\w+;|Translated by", mention["title"] + mention["text"])
        review = preset_of(case.kind).mentions is Kind.REVIEW or mention["kind"] == "review"
        assert (mention["stars"] is not None) == review
        assert mention["published_at"] is None or mention["published_at"].startswith("2026-11-")


@each
def test_a_second_crawl_brings_nothing_new(rounds: Any, case: Case) -> None:
    again = rounds["again"][case.kind]
    assert (again["outcome"], again["new"], again["changed"], again["removed"]) == ("ok", 0, 0, [])


@each
def test_an_edit_is_noticed_within_the_hour(rounds: Any, case: Case) -> None:
    later = rounds["later"][case.kind]
    texts = [one["text"] for one in later["mentions"] if one["external_id"] == case.edited]
    assert texts
    assert all("after a week" in text for text in texts)
    assert later["changed"] >= 1
    assert later["new"] == 0


@each
def test_a_deletion_is_noticed_where_the_api_allows_it(rounds: Any, case: Case) -> None:
    removed = {name: set(rounds[name][case.kind]["removed"]) for name in ("later", "sweep")}
    if case.notices == "absence":
        assert removed == {"later": set(), "sweep": {case.gone}}
    elif case.notices:
        assert removed["later"] == {case.gone}
    else:
        assert removed == {"later": set(), "sweep": set()}


@each
@pytest.mark.parametrize(
    ("mood", "words"),
    [
        ("html", "a web page instead of JSON"),
        ("broken", "unreadable instead of JSON"),
        ("denied", "HTTP 403"),
    ],
)
def test_an_api_that_fails_is_blind_and_says_why(rounds: Any, case: Case, mood: str, words: str) -> None:
    told = rounds[mood][case.kind]
    assert told["outcome"] == "failed"
    at_the_door = preset_of(case.kind).login and "token" not in case.keys and mood != "denied"
    assert ("did not let us in" if at_the_door else words) in told["reason"]
    if mood == "denied":
        assert "This key may not do that" in told["reason"]
        first = f"LOWSTAR_{case.kind.upper()}_" if case.keys else "It refuses programs"
        assert first in told["reason"]
        assert ("It refuses programs" in told["reason"]) == (not case.keys)
    assert told["removed"] == []


def test_every_request_carried_its_key(rounds: Any) -> None:
    assert rounds["unauthorised"] == []


def test_no_reason_ever_shows_a_key(rounds: Any) -> None:
    for name, told in rounds.items():
        if name != "unauthorised":
            assert not any("of-a-test" in one["reason"] for one in told.values())


def test_keys_make_robots_txt_no_question_and_without_one_a_forum_is_asked_for_it(rounds: Any) -> None:
    assert rounds["first"]["app_store"]["pages"] == 3  # its robots.txt is the stand-in's 404


def test_a_budget_counts_what_was_spent_and_begins_anew(rounds: Any) -> None:
    first, again, sweep = (rounds[name]["x"]["spent"] for name in ("first", "again", "sweep"))
    assert (first, again, sweep) == ("2026-11 4", "2026-11 8", "2026-12 3")
    # Five answers, of which two had to be asked for again.
    assert rounds["first"]["youtube"]["spent"] == "2026-11-23 5"


def test_since_is_asked_for_where_an_api_knows_it(rounds: Any) -> None:
    asked = {kind: rounds["again"][kind]["asked"] for kind in KINDS}
    assert any("since_id=2124534292804534003" in path for path in asked["x"])
    assert any("since=2026-11-23T08%3A00%3A00Z" in path for path in asked["bluesky"])
    assert any("updated%3A%3E%3D2026-11-23T07" in path for path in asked["github"])
    assert any("since_id=115599" in path for path in asked["mastodon"])


def test_several_places_are_asked_in_one_question_and_each_by_itself_once_a_week(rounds: Any) -> None:
    asked = {name: rounds[name]["google_business"]["asked"] for name in ("first", "again", "later", "sweep")}
    batches = {name: [path for path in paths if ":batchGetReviews" in path] for name, paths in asked.items()}
    assert batches["first"] == batches["sweep"] == []
    assert [path.partition(" ")[0] for path in batches["again"]] == [
        "/google_business/v4/accounts/1/locations:batchGetReviews"
    ]
    names = ["accounts/1/locations/2", "accounts/1/locations/3"]
    said = [json.loads(path.partition(" ")[2]) for path in batches["later"]]
    assert said[0] == {"locationNames": names, "pageSize": 50, "orderBy": "updateTime desc"}
    assert said[1] == {**said[0], "pageToken": "B2"}
    places = {one["external_id"]: one["entity"] for one in rounds["later"]["google_business"]["mentions"]}
    assert (places["gb-b"], places["gb-e"]) == ("Kaffa Bonn", "Kaffa Ulm")
    replies = {
        one["external_id"]: one["owner_reply"] for one in rounds["first"]["google_business"]["mentions"]
    }
    assert (replies["gb-b"], replies["gb-e"]) == ("Please write to us.", "")  # Google rejected the other


def test_the_private_api_tells_the_order_and_when_the_reply_was_changed(rounds: Any) -> None:
    told = {one["external_id"]: one for one in rounds["first"]["trustpilot_private"]["mentions"]}
    assert {name: one["reference"] for name, one in told.items()} == {
        "tp-a": "order-a", "tp-b": "order-b", "tp-c": "order-c", "tp-d": "",
    }  # fmt: skip
    assert told["tp-b"]["owner_reply"] == "Sorry, we call you."
    assert told["tp-b"]["owner_replied_at"] == "2026-11-21T12:00:00+00:00"
    assert "customer.example" not in json.dumps(rounds["first"]["trustpilot_private"])


def test_only_what_no_listing_showed_is_asked_for_by_its_id(rounds: Any) -> None:
    for kind, name in (
        ("trustpilot", "tp-d"),
        ("app_store_connect", "ac-d"),
        ("google_play_owner", "gp%3Ad"),
    ):
        asked = rounds["again"][kind]["asked"]  # its first page was known: the second was not read
        assert len(asked) == 3  # and one that was listed, once: a 404 is believed where something can be seen
        assert sum(name in path for path in asked[1:]) == 1
        assert len(rounds["later"][kind]["asked"]) <= 4


# --- saved answers -----------------------------------------------------------------------------------------


@each
def test_a_saved_answer_can_be_tried(case: Case) -> None:
    path = str(PAGES / case.kind / "page1.json")
    named = try_page(path, now=AT, kind=case.kind)
    guessed = try_page(path, now=AT)
    assert len(named.mentions) >= 2
    # GitHub's issues are a JSON Feed's items as well; the private reviews of Trustpilot are its public ones, too.
    if case.kind not in ("github", "trustpilot_private"):
        assert (guessed.kind, guessed.mentions) == (case.kind, named.mentions)


@each
@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("<html>Sorry</html>", 200, "a web page instead of JSON (HTTP 200)"),
        ("", 503, "nothing at all instead of JSON (HTTP 503)"),
        ("[" * 100_000, 200, "unreadable"),
        ("null", 200, "answered"),
        ('{"surprise": 1}', 200, "has the API changed?"),
        ('{"error": {"message": "Out of coffee"}}', 200, "Out of coffee"),
        ('{"errors": [{"detail": "Out of coffee"}]}', 200, "Out of coffee"),
        ('{"error_id": 502, "error_message": "too many requests"}', 400, "too many requests"),
    ],
)
def test_what_is_no_answer_is_said_in_words(case: Case, body: str, status: int, words: str) -> None:
    page = read(case.kind, body, status=status)
    assert words in page.blind
    assert (page.mentions, page.cursors, page.next_urls) == ((), (), ())


EMPTY = {
    "steam": {"response": {"query_summary": {"num_reviews": 0}}},
    "app_store": {"feed": {"author": {}}},
    "mastodon": [],
    "bluesky": {"posts": []},
    "youtube": {"items": []},
    "trustpilot": {"reviews": []},
    "trustpilot_private": {"reviews": []},
    "google_places": {"id": "x"},
    "google_business": {},
    "yelp": {"reviews": [], "total": 0},
    "stack_exchange": {"items": [], "has_more": False},
    "discourse": {"latest_posts": []},
    "lemmy": {"comments": [], "posts": []},
    "github": {"total_count": 0, "items": []},
    "google_play_owner": {},
    "app_store_connect": {"data": [], "links": {}},
    "x": {"meta": {"result_count": 0}},
    "threads": {"data": []},
    "facebook": {"data": []},
    "instagram": {"data": []},
    "tripadvisor": {"data": []},
}


@each
def test_nothing_new_is_no_alarm(case: Case) -> None:
    assert read(case.kind, EMPTY[case.kind]) == Page()


@each
def test_a_field_that_is_gone_from_all_items_is_named(case: Case) -> None:
    renamed = {
        "text": "body2",
        "review": "r2",
        "content": "c2",
        "cooked": "k2",
        "comment": "m2",
        "body": "b2",
    }
    body = json.dumps(saved(case.kind, "page1"))
    for old, new in renamed.items():
        body = body.replace(f'"{old}":', f'"{new}":')
    for old in (
        "words",
        "message",
        "originalText",
        "textOriginal",
        "textDisplay",
        "title",
        "note_tweet",
        "userComment",
    ):
        body = body.replace(f'"{old}":', f'"{old}2":')
    page = read(case.kind, body)
    if not page.mentions:
        assert page.blind
        assert "missing" in page.blind or "has the API changed?" in page.blind


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    data=st.data(),
    odd=_json,
    url=st.sampled_from(["https://api.example/posts.json?page=2", "https://api.example/search?x", "data:,"]),
)
def test_no_answer_however_odd_makes_a_reader_fall_over(kind: str, data: Any, odd: Any, url: str) -> None:
    body = saved(kind, "page1")
    spots: list[tuple[Any, Any]] = []

    def walk(value: Any) -> None:
        pairs = (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        )
        for key, inner in pairs:
            spots.append((value, key))
            walk(inner)

    walk(body)
    for _ in range(3):
        holder, key = data.draw(st.sampled_from(spots))
        if key in (holder if isinstance(holder, dict) else range(len(holder))):
            holder[key] = odd
    page = read(kind, body, url)
    for mention in page.mentions:
        assert mention.external_id
    read(kind, odd if odd is not None else {}, url)


# --- errors in words -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        ("facebook", saved("facebook", "error"), "Session has expired on Friday.; the token is out of date"),
        ("tripadvisor", saved("tripadvisor", "error"), "not authorized to access"),
        (
            "youtube",
            {"error": {"code": 403, "message": "Quota!", "errors": [{"reason": "quotaExceeded"}]}},
            "Quota!; the day's quota is spent",
        ),
        ("yelp", {"error": {"code": "TOKEN_INVALID", "description": "Invalid"}}, "look at LOWSTAR_YELP_KEY"),
        (
            "stack_exchange",
            {"error_name": "throttle_violation", "error_message": "too many"},
            "raise `every`",
        ),
        ("discourse", {"errors": ["Slow down"], "error_type": "rate_limit"}, "Slow down; ask less often"),
        ("bluesky", {"error": "AuthenticationRequired", "message": "Invalid"}, "LOWSTAR_BLUESKY_HANDLE"),
        (
            "x",
            {"title": "UsageCapExceeded", "detail": "Usage cap exceeded: Monthly product cap", "status": 429},
            "the month's cap of posts is reached",
        ),
        (
            "google_business",
            {"error": {"code": 401, "status": "UNAUTHENTICATED", "message": "no"}},
            "refresh token",
        ),
        ("app_store_connect", {"errors": [{"code": "NOT_AUTHORIZED", "detail": "no"}]}, "…_ISSUER_ID"),
    ],
)
def test_an_error_says_what_to_do(kind: str, body: Any, words: str) -> None:
    page = read(kind, body, status=403)
    assert words in page.blind
    assert said_in(body)


@pytest.mark.parametrize(
    ("headers", "body", "minutes"),
    [
        ({"x-rate-limit-reset": str(int(AT.timestamp()) + 600)}, None, 10),
        ({"x-ratelimit-reset": "2026-11-23T09:05:00.290188Z"}, None, 5),
        ({"ratelimit-reset": "120"}, None, 2),
        ({}, {"errors": ["slow"], "extras": {"wait_seconds": 60}}, 1),
        ({"x-rate-limit-reset": "99999999999999"}, None, None),
        ({"x-rate-limit-reset": "soon"}, {"backoff": True}, None),
    ],
)
def test_until_when_to_leave_an_api_alone(headers: dict[str, str], body: Any, minutes: float | None) -> None:
    at = not_before(headers, body, AT)
    assert (None if at is None else round((at - AT).total_seconds() / 60)) == minutes


# --- the odd ones --------------------------------------------------------------------------------------------


def test_trustpilots_webhook_events_are_reviews_and_removals() -> None:
    page = read("trustpilot", saved("trustpilot", "events"))
    assert [mention.external_id for mention in page.mentions] == ["tp-a"]
    assert [removal.external_id for removal in page.removals] == ["tp-c"]


def test_a_search_in_a_forum_names_its_topics() -> None:
    (post,) = read(
        "discourse", saved("discourse", "search"), "https://forum.example/search.json?q=x"
    ).mentions
    assert (post.title, post.url) == ("Kaffa One", "https://forum.example/t/kaffa-one/57/1")


def test_averages_are_kept() -> None:
    (yelp,) = read("yelp", saved("yelp", "business")).snapshots
    (places,) = read("google_places", saved("google_places", "page1")).snapshots
    (business,) = read("google_business", saved("google_business", "page1")).snapshots
    assert (yelp.entity, yelp.average, yelp.count) == ("Kaffa", 3.5, 218)
    assert (places.entity, places.average, places.count) == ("Kaffa Bonn", 4.1, 218)
    assert (business.average, business.count) == (3.2, 4)


def test_the_older_places_api_is_read_too() -> None:
    review = {"author_name": "Ana", "rating": 2, "text": "Meh", "time": 1795000000, "original_language": "en"}
    (mention,) = read("google_places", {"result": {"name": "Kaffa", "reviews": [review]}}).mentions
    assert (mention.author, mention.stars, mention.text, mention.entity) == ("Ana", 2, "Meh", "Kaffa")


def test_videos_found_by_words_lead_to_their_comments() -> None:
    found = {"kind": "youtube#searchListResponse", "items": [{"id": {"videoId": "abc"}}, {"id": {}}, 7]}
    page = read("youtube", found, "https://www.googleapis.com/youtube/v3/search?q=x")
    (url,) = page.next_urls
    assert url.startswith("https://www.googleapis.com/youtube/v3/commentThreads?videoId=abc&")
    assert not page.blind


# --- shapes that client libraries have recorded ---------------------------------------------------------------

POST_ON_BLUESKY = {
    "uri": "at://did:plc:a/app.bsky.feed.post/1",
    "author": {"did": "did:plc:a", "handle": "ana.example"},
    "record": {"text": "Kaffa", "createdAt": "2026-11-20T00:00:00Z"},
    "replyCount": "3",
}
TOOT = {
    "id": "9",
    "content": "<p>Kaffa</p>",
    "created_at": "2026-11-20T00:00:00Z",
    "account": {"acct": "ana"},
}
COMMENT = {"id": "5", "text": "Kaffa", "timestamp": "2026-11-20T00:00:00+0000"}


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        (
            "bluesky",
            {
                "feed": [
                    {"post": POST_ON_BLUESKY},
                    {"post": {**POST_ON_BLUESKY, "uri": "x"}, "reason": {"by": 1}},
                ]
            },
            ["Kaffa"],
        ),
        (
            "bluesky",
            {"thread": {"post": POST_ON_BLUESKY, "replies": [{"notFound": True, "uri": "y"}]}},
            ["Kaffa"],
        ),
        (
            "bluesky",
            {"notifications": [{**POST_ON_BLUESKY, "reason": "mention"}, {"reason": "like", "uri": "z"}]},
            ["Kaffa"],
        ),
        (
            "mastodon",
            [{"id": "1", "type": "mention", "status": TOOT}, {"id": "2", "type": "follow"}],
            ["Kaffa"],
        ),
        ("mastodon", {"ancestors": [], "descendants": [TOOT]}, ["Kaffa"]),
        ("mastodon", [{**TOOT, "content": "", "reblog": TOOT}], []),
        (
            "x",
            [
                {
                    "id_str": "1050118621198921728",
                    "full_text": "Kaffa &amp; co",
                    "user": {"screen_name": "ana"},
                }
            ],
            ["Kaffa & co"],
        ),
        ("x", {"statuses": [{"id_str": "7", "text": "RT", "retweeted_status": {"id_str": "6"}}]}, []),
        ("x", {"data": [{"id": "2", "text": "older", "edit_history_tweet_ids": ["2", "3"]}]}, []),
        ("threads", {"id": "3", "text": "Kaffa", "timestamp": "2026-11-20T00:00:00+0000"}, ["Kaffa"]),
        (
            "threads",
            {"data": [{"id": "3", "media_type": "REPOST_FACADE", "timestamp": "2026-11-20T00:00:00+0000"}]},
            [],
        ),
        ("instagram", {"5": COMMENT, "6": {**COMMENT, "id": "6"}}, ["Kaffa", "Kaffa"]),
        ("instagram", {"mentioned_comment": COMMENT, "id": "1"}, ["Kaffa"]),
        (
            "instagram",
            {"data": [{"id": "7", "permalink": "https://www.instagram.com/p/x/", "media_type": "IMAGE"}]},
            [],
        ),
        (
            "facebook",
            {"1_2": {"id": "1_2", "message": "Kaffa", "created_time": "2026-11-20T00:00:00+0000"}},
            ["Kaffa"],
        ),
        ("stack_exchange", {"questions": [{"question_id": 1, "title": "Kaffa?", "owner": None}]}, ["Kaffa?"]),
        (
            "github",
            [
                {
                    "url": "https://api.github.com/repos/a/b/issues/comments/1",
                    "body": "> Mine is fine\n\nKaffa <!-- hint -->broke",
                    "user": None,
                }
            ],
            ["Kaffa broke"],
        ),
        (
            "lemmy",
            {
                "comments": [
                    {
                        "comment": {
                            "ap_id": "https://l.example/comment/1",
                            "content": "> It is fine\n\n**Kaffa** broke",
                        }
                    }
                ]
            },
            ["Kaffa broke"],
        ),
        (
            "lemmy",
            {
                "search": [
                    {
                        "type_": "Post",
                        "post": {
                            "ap_id": "https://l.example/post/1",
                            "name": "Kaffa",
                            "published_at": "2026-11-20T00:00:00Z",
                        },
                    }
                ]
            },
            ["Kaffa"],
        ),
        (
            "discourse",
            {
                "id": 5,
                "topic_id": 9,
                "cooked": '<aside class="quote"><blockquote>It is fine</blockquote></aside><p>Kaffa broke</p>',
            },
            ["Kaffa broke"],
        ),
    ],
)
def test_what_client_libraries_recorded_is_read(kind: str, body: Any, said: list[str]) -> None:
    page = read(kind, body)
    assert [mention.text or mention.title for mention in page.mentions] == said
    assert not page.blind


def test_a_tag_somebody_wrote_about_is_a_word() -> None:
    asked = {
        "items": [
            {"question_id": 1, "title": "&lt;b&gt;?", "body": "<p>No <code>&lt;script&gt;</code> runs</p>"}
        ]
    }
    (question,) = read("stack_exchange", asked).mentions
    assert (question.title, question.text) == ("<b>?", "No <script> runs")


def test_none_of_what_was_asked_for_by_id_is_there() -> None:
    gone = {"errors": [{"type": "https://api.twitter.com/2/problems/resource-not-found", "value": "1"}]}
    assert read("x", gone) == Page()
    assert read("facebook", []) == Page()
    removed = {"comment": {"id": 5, "ap_id": "https://l.example/comment/5", "removed": True, "content": ""}}
    assert [one.external_id for one in read("lemmy", {"comment_view": removed}).removals] == [
        "https://l.example/comment/5"
    ]


# --- real answers ----------------------------------------------------------------------------------------------

# Counted in the files by eye.
COUNTS = {
    "app_store/in_1592550875_mostrecent_2026-09.json": 2,
    "app_store/single_entry_2014_no_updated.json": 1,
    "app_store_connect/customer_reviews_2026.json": 1,
    "bluesky/f_search.yml": 25,
    "discourse/latest.json": 1,  # three topics, all with the id 1
    "discourse/posts_before.json": 3,
    "discourse/search.json": 3,
    "discourse/topic_posts.json": 1,
    "facebook/error.json": 0,
    "facebook/facebook__comments__comments_p1.json": 10,
    "facebook/facebook__comments__comments_p2.json": 5,
    "facebook/page_ratings_2023.json": 2,
    "github/Repository.testSearchIssues.txt": 1,
    "google_places/place_details_reviews_le_brazier.json": 5,
    "google_play_owner/reviews_list_2018.json": 1,
    "lemmy/comment.json": 1,
    "lemmy/page.json": 1,
    "mastodon/get_timeline_hashtag_anonymous.yml": 5,
    "mastodon/test_status_edit.yaml": 1,
    "steam/appreviews_329070.json": 1342,
    "trustpilot/trustpilot-review-events.json": 1,  # the other event is no review
    "x/test_client_search_recent_tweets.yaml": 10,
    "x/timeline__timeline_mentions.json": 5,
    "x/tweet__tweets_resp.json": 2,
    "yelp/business_lookup_sacre_coeur_paris.json": 0,
    "yelp/business_lookup_yelp_san_francisco.json": 0,
    "youtube/comment_threads__comment_threads_by_video_paged_1.json": 5,
    "youtube/comment_threads__comment_threads_by_video_paged_2.json": 5,
    "youtube/comment_threads__comment_threads_with_search.json": 1,
}


@pytest.mark.skipif(not REAL.is_dir(), reason="the folder of real answers is not here")
@pytest.mark.parametrize("name", COUNTS)
def test_real_answers_are_read(name: str) -> None:
    result = try_page(str(REAL / name), now=AT, kind=name.partition("/")[0])
    assert len({mention.external_id for mention in result.mentions}) == COUNTS[name]
    if name == "facebook/error.json":
        assert "the app lacks a permission" in result.problems[0]
    for mention in result.mentions:
        assert mention.text or mention.title or mention.stars
        assert mention.published_at or name.startswith(("app_store/single", "discourse/search"))


@pytest.mark.skipif(not REAL.is_dir(), reason="the folder of real answers is not here")
def test_no_real_service_is_left_out() -> None:
    mine = {path.relative_to(REAL).as_posix() for kind in KINDS for path in (REAL / kind).glob("*")}
    assert mine == set(COUNTS)


# --- the token App Store Connect wants -----------------------------------------------------------------------


def test_app_store_connects_key_signs_a_token_apple_can_check() -> None:
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    from spiders.presets.app_store_connect import token_for

    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    keys = {"key_id": "K1", "issuer_id": "I1", "private_key": pem}
    token = token_for(keys, AT)["token"]
    head, said, signature = (base64.urlsafe_b64decode(part + "==") for part in token.split("."))
    assert json.loads(head) == {"alg": "ES256", "kid": "K1", "typ": "JWT"}
    claims = json.loads(said)
    assert (claims["iss"], claims["aud"]) == ("I1", "appstoreconnect-v1")
    assert claims["exp"] - claims["iat"] == 19 * 60
    signed = token.rpartition(".")[0].encode()
    whole = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    key.public_key().verify(whole, signed, ec.ECDSA(hashes.SHA256()))
    # On one line, as an environment variable holds it.
    assert token_for({**keys, "private_key": pem.replace("\n", "\\n")}, AT)
    assert token_for({**keys, "token": "made elsewhere"}, AT) == {}
