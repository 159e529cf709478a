import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from crawling import Gathered, crawled
from hypothesis import given, settings
from hypothesis import strategies as st
from loopback import Answer, Asked
from loopback import Site as Web
from scrapy.http import TextResponse

from monitor.config import Source
from spiders.hackernews import (
    HackerNewsSpider,
    check_options,
    cursor_name,
    read_page,
    search_url,
)
from spiders.page import Page
from storage.records import Kind, Mention, Removal, RunOutcome
from storage.store import open_store

PAGES = Path(__file__).resolve().parents[1] / "pages" / "hackernews"
REAL = Path(__file__).resolve().parents[2].parent / "shared" / "real" / "api" / "hackernews"
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
UNTIL = int(NOW.timestamp())
ASKED = search_url("brewmill", UNTIL - 86_400, UNTIL)


def read(answer: Any, url: str = ASKED, status: int = 200) -> Page:
    body = answer if isinstance(answer, (str, bytes)) else json.dumps(answer)
    raw = body.encode() if isinstance(body, str) else body
    return read_page(TextResponse(url, body=raw, status=status), Source(name="hn", kind="hackernews"), NOW)


def hit(number: int, at: int = UNTIL - 60, **more: Any) -> dict[str, Any]:
    return {"objectID": str(number), "comment_text": f"says {number}", "created_at_i": at, **more}


def answer(*hits: Any, page: int = 0, pages: int = 1, total: int | None = None) -> dict[str, Any]:
    return {
        "hits": list(hits),
        "page": page,
        "nbPages": pages,
        "nbHits": total or len(hits),
        "hitsPerPage": 100,
    }


def asked_for(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


# --- what is read --------------------------------------------------------------------------------------


def test_comments_and_stories_are_read() -> None:
    comment, story, ask = read((PAGES / "search.json").read_bytes()).mentions
    assert comment.kind is Kind.COMMENT
    assert comment.text.replace("\n\n", "\n") == (
        "I tried Brewmill & it broke.\nSupport never answered: https://brewmill.example/help"
    )
    assert comment.url == "https://news.ycombinator.com/item?id=9001"
    assert (comment.entity, comment.author, comment.in_reply_to) == ("Which grinder?", "ana", "8500")
    assert comment.published_at == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert (story.kind, story.title, story.reach) == (Kind.POST, "Brewmill 2.0 – a review", 165)
    assert story.text == "https://grind.example/2"
    assert story.entity == story.title
    assert ask.text.split() == ["Is", "it", "any", "good?", "Asking."]


@pytest.mark.skipif(not REAL.is_dir(), reason="the folder of real answers is not here")
def test_a_real_answer_is_read() -> None:
    (story,) = read((REAL / "algolia_search_story_2024.json").read_bytes()).mentions
    assert story.external_id == "13133437"
    assert story.author == "anigbrowl"
    assert story.published_at == datetime(2016, 12, 8, 19, 39, 7, tzinfo=UTC)
    assert "I don't know how to harvest" in story.text


def test_missing_and_odd_fields_are_put_up_with() -> None:
    odd = '{"objectID": 5, "title": "t", "points": NaN, "num_comments": 1e999, "created_at_i": "x"}'
    body = f'{{"hits": [{odd}, 7, {{}}]}}'
    page = read(body)
    (one,) = page.mentions
    assert (one.external_id, one.reach, one.published_at) == ("5", 0, None)
    assert page.problems == ("2 of 3 hits have no id or no words",)


def test_an_id_that_is_no_number_never_becomes_an_address() -> None:
    assert read(answer({"objectID": "1&x=<b>", "title": "t"})).mentions == ()


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("<html>Sorry</html>", 200, "a web page instead of JSON (HTTP 200)"),
        ("", 503, "something unreadable instead of JSON (HTTP 503)"),
        ('{"message": "Too many requests", "status": 429}', 429, "(HTTP 429): Too many requests"),
        ("[]", 200, 'without "hits"'),
        ('{"hits": ' + "[" * 100_000, 200, "unreadable"),
    ],
)
def test_what_is_no_answer_is_said_in_words(body: str, status: int, words: str) -> None:
    page = read(body, status=status)
    assert words in page.blind
    assert page.cursors == ()


# --- how it goes on ------------------------------------------------------------------------------------


def test_the_end_of_the_window_is_remembered_after_its_last_page() -> None:
    first = read(answer(hit(1), page=0, pages=2))
    assert first.cursors == ()
    (second,) = first.next_urls
    assert asked_for(second)["page"] == "1"
    last = read(answer(hit(2), page=1, pages=2), second)
    assert last.next_urls == ()
    assert last.cursors == ((cursor_name("brewmill"), str(UNTIL)),)


def test_beyond_a_thousand_hits_the_rest_is_a_window_of_its_own() -> None:
    oldest = UNTIL - 4_000
    full = read(answer(hit(1), hit(2, oldest), page=9, pages=10, total=5_000))
    (onward,) = full.next_urls
    assert asked_for(onward)["page"] == "0"
    assert asked_for(onward)["numericFilters"].endswith(f"created_at_i<={UNTIL},created_at_i<={oldest}")
    end = read(answer(hit(3, oldest - 10)), onward)
    assert end.cursors == ((cursor_name("brewmill"), str(UNTIL)),)


def test_a_window_that_cannot_get_smaller_ends() -> None:
    stuck = read(answer(hit(1, UNTIL), page=9, pages=10, total=5_000))
    assert stuck.next_urls == ()


def test_a_saved_answer_leads_nowhere() -> None:
    page = read(answer(hit(1), page=0, pages=5), "file:///tmp/answer.json")
    assert (len(page.mentions), page.next_urls, page.cursors) == (1, (), ())


def test_words_are_searched_as_a_phrase() -> None:
    asked = asked_for(search_url('our "brand" & co', 1, 2, options={"tags": ["comment"]}))
    assert asked["query"] == '"our  brand  & co"'
    assert asked["tags"] == "(comment)"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"queries": []}, "queries = []"),
        ({"queries": ["a"], "tags": ["tweets"]}, "tags = ['tweets']; allowed: a list of story"),
        ({"queries": ["a"], "api_url": "ftp://x"}, "api_url = 'ftp://x'"),
        ({"query": "a"}, "query is not known here"),
    ],
)
def test_a_mistake_in_the_options_is_named(options: dict[str, Any], words: str) -> None:
    assert any(words in fault for fault in check_options(options))


def test_good_options_have_no_faults() -> None:
    assert (
        check_options({"queries": ["brewmill"], "tags": ["story"], "api_url": "http://127.0.0.1:1/api"}) == []
    )


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = [
    "objectID",
    "title",
    "url",
    "comment_text",
    "story_text",
    "author",
    "points",
    "num_comments",
    "created_at",
    "created_at_i",
]


@settings(max_examples=100, deadline=None)
@given(
    hits=st.lists(st.dictionaries(st.sampled_from([*_FIELDS, "_tags", "parent_id"]), _json), max_size=3),
    rest=_json,
)
def test_no_answer_however_odd_makes_it_fall_over(hits: list[Any], rest: Any) -> None:
    read(json.dumps({"hits": hits, "page": rest, "nbPages": rest, "nbHits": rest, "hitsPerPage": rest}))
    read(json.dumps(rest))


# --- a crawl -------------------------------------------------------------------------------------------


def test_a_crawl_reads_all_pages_and_the_next_one_only_what_is_newer(tmp_path: Path) -> None:
    asked: list[dict[str, str]] = []

    def search(request: Asked) -> Answer:
        said = asked_for(request.path)
        asked.append(said)
        page = int(said["page"])
        return Answer(json.dumps(answer(hit(page + 1), page=page, pages=2)))

    later = NOW + timedelta(hours=1)
    with (
        Web({"/api/v1/search_by_date": search}) as web,
        open_store(f"sqlite:///{tmp_path / 'l.db'}") as store,
    ):
        options = {"queries": ["brewmill"], "api_url": web.url("/api/v1")}
        source = Source(name="hn", kind="hackernews", options=options)
        sink = Gathered()
        (run,) = crawled(source, sink=sink, spider=HackerNewsSpider, store=store, at=NOW)
        crawled(source, spider=HackerNewsSpider, store=store, at=later)
    assert sink.ids == ["1", "2"]
    assert run.found == 2
    since = UNTIL - 3 * 3_600  # what was read before, less an overlap
    assert asked[2]["numericFilters"] == f"created_at_i>{since},created_at_i<={int(later.timestamp())}"


def test_what_was_deleted_or_taken_down_is_asked_for_by_number_each_in_its_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spiders.hackernews.AGAIN_MOST", 2)
    items: dict[str, Any] = {
        "1": {"id": 1, "type": "comment", "by": "ana", "text": "says 1"},
        "2": {"id": 2, "type": "comment", "deleted": True, "time": 1},
        "3": {"id": 3, "type": "comment", "dead": True},
        "4": None,
    }

    def item(request: Asked) -> Answer:
        number = request.path.rpartition("/")[2].removesuffix(".json")
        return Answer(json.dumps(items[number]))

    pages: dict[str, Any] = {f"/v0/item/{number}.json": item for number in items}
    pages["/api/v1/search_by_date"] = json.dumps(answer(*(hit(int(number)) for number in items)))
    with Web(pages) as web, open_store(f"sqlite:///{tmp_path / 'l.db'}") as store:
        options = {"queries": ["brewmill"], "api_url": web.url("/api/v1"), "items_url": web.url("/v0")}
        source = Source(name="hn", kind="hackernews", options=options)
        gone: list[list[str]] = []
        for hour in range(3):
            at = NOW + timedelta(hours=hour)
            sink = Gathered()

            def keep(found: Any, at: datetime = at, sink: Gathered = sink) -> Any:
                with store.transaction() as ledger:
                    ledger.write_mentions([one for one in found if isinstance(one, Mention)], at)
                    ledger.remove([one for one in found if isinstance(one, Removal)], at)
                return sink(found)

            (run,) = crawled(source, sink=keep, spider=HackerNewsSpider, store=store, at=at)
            assert run.outcome is not RunOutcome.FAILED, run.reason
            gone.append([one.external_id for one in sink.items if isinstance(one, Removal)])
            web.pages["/api/v1/search_by_date"] = json.dumps(answer())
        numbers = [path.rpartition("/")[2] for path in web.paths() if "/v0/" in path]
    assert gone == [[], ["2"], ["3"]]
    assert numbers == ["1.json", "2.json", "3.json", "4.json"]


def test_another_search_alone_never_leads_to_hacker_news_own_api(tmp_path: Path) -> None:
    page = {"/api/v1/search_by_date": json.dumps(answer(hit(1)))}
    with Web(page) as web, open_store(f"sqlite:///{tmp_path / 'l.db'}") as store:
        with store.transaction() as ledger:
            ledger.write_mentions([Mention(source="hn", external_id="1", text="x", published_at=NOW)], NOW)
        options = {"queries": ["brewmill"], "api_url": web.url("/api/v1")}
        source = Source(name="hn", kind="hackernews", options=options)
        (run,) = crawled(source, spider=HackerNewsSpider, store=store, at=NOW)
    assert run.outcome is RunOutcome.OK, run.reason


def test_items_by_number_are_read_too() -> None:
    own = {
        "id": 8863,
        "type": "story",
        "by": "dhouston",
        "title": "My YC app",
        "score": 111,
        "time": 1175714200,
        "kids": [1],
    }
    reply = {
        "id": 2,
        "type": "comment",
        "author": "bob",
        "text": "<p>Nice",
        "created_at_i": 1175714300,
        "parent_id": 8863,
    }
    tree = {
        "id": 8863,
        "type": "story",
        "author": "dhouston",
        "title": "My YC app",
        "children": [{**reply, "children": []}],
    }
    (story,) = read(own).mentions
    assert (story.external_id, story.author, story.reach, story.title) == (
        "8863",
        "dhouston",
        111,
        "My YC app",
    )
    assert [mention.external_id for mention in read(tree).mentions] == ["8863", "2"]
    assert read(tree).mentions[1].text == "Nice"
    assert read({"id": 1, "type": "comment", "deleted": True}).mentions == ()
