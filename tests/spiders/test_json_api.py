"""The engine for JSON APIs: keys, budgets, gates, windows of time, what is gone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from crawling import AT, Gathered, config_of
from loopback import Answer, Asked, Site, as_json

from monitor.config import Config, Source
from spiders.crawl import crawl
from spiders.json_api import ApiSpider, Budget, Call, Login, Preset, asked, by_cursor, by_page, reader
from storage.records import CrawlRun, Mention, Removal, RunOutcome
from storage.store import Store, open_store

PRESET = Preset(
    kind="x",  # one that has a key
    title="The Forum",
    api_url="https://forum.invalid",
    ask=lambda call: [(f"posts with {word}", call.url("posts", q=word)) for word in call.queries()],
    items=("posts",),
    fields={"id": "id", "text": "text", "published": "at", "gone": "deleted"},
    link="{origin}/p/{id}",
    paging=by_cursor("next", "cursor"),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'lowstar.db'}") as opened:
        yield opened


def spider_of(preset: Preset) -> type[ApiSpider]:
    spider = type("ForumSpider", (ApiSpider,), {"name": preset.kind, "preset": preset})
    spider.reader = staticmethod(reader(preset))  # type: ignore[attr-defined]
    return spider


def post(number: int, at: datetime = AT, **more: Any) -> dict[str, Any]:
    return {"id": number, "text": f"says {number}", "at": at.isoformat(), **more}


def asked_of(
    site: Site,
    preset: Preset = PRESET,
    *,
    store: Store | None = None,
    at: datetime = AT,
    sink: Gathered | None = None,
    keys: dict[str, str] | None = None,
    **options: Any,
) -> CrawlRun:
    """One crawl of the forum."""
    told = {"queries": ["kaffa"], "api_url": site.url(""), **options}
    source = Source(name="forum", kind=preset.kind, options=told, deadline=timedelta(seconds=20), max_pages=3)
    keys = {"LOWSTAR_X_TOKEN": "token-of-a-test"} if keys is None else keys
    config: Config = replace(config_of(source), keys=keys)
    taken = sink or Gathered()
    (run,) = crawl(
        config,
        [source],
        store=store,
        sink_for=lambda *_: taken,
        clock=lambda: at,
        spiders=lambda kind: spider_of(preset),
    )
    return run


# --- keys ----------------------------------------------------------------------------------------------


def test_without_its_key_a_source_is_off_and_nothing_is_asked() -> None:
    with Site({"/posts": as_json({"posts": []})}) as site:
        run = asked_of(site, keys={})
        assert site.asked == []
    assert run.outcome is RunOutcome.OFF
    assert "set LOWSTAR_X_TOKEN" in run.reason
    assert "developer.x.com" in run.reason


def test_a_key_goes_into_a_header_or_into_the_query_and_never_further() -> None:
    elsewhere = {"posts": [post(1)], "next": "2"}
    preset = replace(
        PRESET, auth_headers={"Authorization": "Bearer {token}"}, auth_query={"access_token": "{token}"}
    )
    with Site() as other, Site({"/posts": as_json(elsewhere)}) as site:
        preset = replace(preset, follow=lambda answer: [other.url("/steal?a=1")])
        asked_of(site, preset, hosts=[other.host.partition(":")[0]])
        assert [request.headers.get("authorization") for request in site.asked][
            -1
        ] == "Bearer token-of-a-test"
        assert all("access_token=token-of-a-test" in path for path in site.paths())
        assert all("authorization" not in request.headers for request in other.asked)
        assert not any("token-of-a-test" in path for path in other.paths())


def test_a_redirect_is_not_followed_with_a_key() -> None:
    preset = replace(PRESET, auth_headers={"Authorization": "Bearer {token}"})
    with Site() as other:
        moved = Answer("", 302, {"Location": other.url("/posts")})
        with Site({"/posts": moved}) as site:
            run = asked_of(site, preset)
        assert other.asked == []
    assert run.outcome is RunOutcome.FAILED
    assert "HTTP 302" in run.reason


def test_a_key_is_taken_out_of_the_next_pages_address() -> None:
    preset = replace(PRESET, auth_query={"access_token": "{token}"})
    from scrapy.http import TextResponse

    answer = TextResponse(
        "https://a.example/posts?access_token=secret&q=x",
        body=json.dumps({"posts": [post(1)], "next": "2"}).encode(),
    )
    page = reader(preset)(answer, Source(name="forum", kind="x"), AT)
    assert asked(page.next_urls[0]) == {"q": "x", "cursor": "2"}


def test_robots_txt_speaks_for_a_web_site_and_not_for_an_api_made_for_programs() -> None:
    closed = {"/robots.txt": "User-agent: *\nDisallow: /", "/posts": as_json({"posts": [post(1)]})}
    with Site(closed) as site:
        assert asked_of(site).found == 1
        run = asked_of(site, replace(PRESET, robots=True))
        assert run.outcome is RunOutcome.FAILED
        assert "robots.txt" in run.reason
        keyed = replace(PRESET, robots=True, auth_headers={"Authorization": "Bearer {token}"})
        assert asked_of(site, keyed).found == 1


def test_a_login_gives_the_key_all_others_use() -> None:
    preset = replace(
        PRESET,
        login=Login(url="/login", body={"password": "{token}"}, token="jwt", gives="session"),
        auth_headers={"Authorization": "Bearer {session}"},
    )
    with Site({"/posts": as_json({"posts": [post(1)]})}) as site:
        run = asked_of(site, preset)  # the stand-in knows no POST
    assert run.outcome is RunOutcome.FAILED
    assert "token-of-a-test" not in run.reason


@pytest.mark.parametrize(
    "answer",
    [
        as_json({"error": {"message": "Malformed access token token-of-a-test"}}),
        Answer('{"error": {"message": "Malformed access token token-of-a-test"}}', 400),
        Answer("{}", headers={"Content-Length": "9"}),  # cut off: an error that names the address
    ],
    ids=["in an answer", "in an error", "in a failure"],
)
def test_a_key_that_is_repeated_is_not_passed_on(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spiders.retry.RETRIES", 0)
    with Site({"/posts": answer}) as site:
        run = asked_of(site, replace(PRESET, auth_query={"access_token": "{token}"}))
    assert run.outcome is RunOutcome.FAILED
    assert run.reason
    assert "token-of-a-test" not in run.reason


def test_a_private_key_that_is_none_is_said_without_showing_it() -> None:
    def derive(keys: Any, now: datetime) -> dict[str, str]:
        raise ValueError(f"cannot read {keys}")

    with Site() as site:
        run = asked_of(site, replace(PRESET, derive=derive))
    assert run.reason == "the key for The Forum cannot be used: ValueError"


# --- budgets -------------------------------------------------------------------------------------------


def endless(request: Asked) -> Answer:
    page = int(asked(request.path).get("cursor", "0"))
    return as_json({"posts": [post(10 * page + n) for n in range(10)], "next": str(page + 1)})


def test_beyond_its_budget_nothing_is_asked_until_the_next_period(store: Store) -> None:
    preset = replace(PRESET, budget=Budget(4, "day"))
    with Site({"/posts": endless}) as site:
        first = asked_of(site, preset, store=store)
        assert len(site.paths()) == 3  # max_pages
        second = asked_of(site, preset, store=store, at=AT + timedelta(hours=2))
        assert len(site.paths()) == 4
        assert "this day's 4 requests are spent" in second.reason
        third = asked_of(site, preset, store=store, at=AT + timedelta(hours=3))
        assert len(site.paths()) == 4
        assert third.outcome is RunOutcome.FAILED
        assert "`budget` in lowstar.toml" in third.reason
        asked_of(site, preset, store=store, at=AT + timedelta(days=1))
        assert len(site.paths()) == 7
    assert first.found == 30


def test_where_posts_are_counted_a_whole_page_is_set_aside_first(store: Store) -> None:
    preset = replace(PRESET, budget=Budget(25, "month", "posts read", items=10))
    with Site({"/posts": endless}) as site:
        run = asked_of(site, preset, store=store)
    assert run.found == 20  # a third page could have gone beyond 25
    with store.reading() as ledger:
        assert ledger.cursor("forum", "spent") == "2026-11 20"


def test_the_source_may_set_another_budget() -> None:
    with Site({"/posts": endless}) as site:
        run = asked_of(site, replace(PRESET, budget=Budget(1_000, "day")), budget=1)
    assert run.found == 10


# --- gates ---------------------------------------------------------------------------------------------


def test_a_429_that_says_until_when_is_heeded_by_the_next_run(store: Store) -> None:
    reset = str(int((AT + timedelta(minutes=15)).timestamp()))
    busy = Answer('{"title": "Too Many Requests"}', 429, {"x-rate-limit-reset": reset, "Retry-After": "0"})
    with Site({"/posts": busy}) as site:
        first = asked_of(site, store=store)
        count = len(site.paths())
        second = asked_of(site, store=store, at=AT + timedelta(minutes=5))
        assert len(site.paths()) == count
        site.pages["/posts"] = as_json({"posts": [post(1)]})
        third = asked_of(site, store=store, at=AT + timedelta(minutes=16))
    assert "Too Many Requests" in first.reason
    assert "until 2026-11-23 08:15 UTC" in second.reason
    assert third.found == 1


def test_an_answer_that_says_nothing_is_left_ends_the_run(store: Store) -> None:
    reset = str(int((AT + timedelta(minutes=15)).timestamp()))
    last = Answer(
        json.dumps({"posts": [post(1)], "next": "1"}),
        headers={"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset},
    )
    with Site({"/posts": last}) as site:
        run = asked_of(site, store=store)
        assert len(site.paths()) == 1
    assert (run.found, run.outcome) == (1, RunOutcome.PARTIAL)
    assert "left alone until 2026-11-23 08:15 UTC" in run.reason


def test_a_wait_longer_than_a_run_ends_it() -> None:
    with Site({"/posts": as_json({"posts": [post(1)], "next": "1", "backoff": 3_600})}) as site:
        run = asked_of(site, replace(PRESET, wait="backoff"))
        assert len(site.paths()) == 1
    assert "left alone until 2026-11-23 09:00 UTC" in run.reason


# --- how far it was read -------------------------------------------------------------------------------


def test_a_window_begins_where_the_last_one_did_and_a_failed_one_is_asked_again(store: Store) -> None:
    def ask(call: Call) -> list[tuple[str, str]]:
        since = call.since("posts", timedelta(hours=1), timedelta(days=30))
        return [("posts", call.url("posts", since=since.isoformat()))]

    preset = replace(PRESET, ask=ask, newest="time")
    broken = {"now": False}

    def answer(request: Asked) -> Answer:
        return Answer("no", 404) if broken["now"] else as_json({"posts": [post(1)]})

    with Site({"/posts": answer}) as site:
        for hours in (0, 2):
            asked_of(site, preset, store=store, at=AT + timedelta(hours=hours))
        broken["now"] = True
        asked_of(site, preset, store=store, at=AT + timedelta(hours=4))
        broken["now"] = False
        asked_of(site, preset, store=store, at=AT + timedelta(hours=6))
        since = [datetime.fromisoformat(asked(path)["since"]) - AT for path in site.paths()]
    hour = timedelta(hours=1)
    assert since == [timedelta(days=-30), -hour, hour, hour]


def test_the_newest_id_is_remembered_as_a_number(store: Store) -> None:
    preset = replace(
        PRESET, newest="id", ask=lambda call: [("posts", call.url("posts", since_id=call.last("posts")))]
    )
    with Site({"/posts": as_json({"posts": [post(9), post(10), post(8)]})}) as site:
        for hours in (0, 1):
            asked_of(site, preset, store=store, at=AT + timedelta(hours=hours))
        assert "since_id" not in asked(site.paths()[0])
        assert asked(site.paths()[1])["since_id"] == "10"


def test_a_newest_first_listing_is_read_down_to_the_last_run(store: Store) -> None:
    preset = replace(PRESET, newest="time", newest_first=True)

    def answer(request: Asked) -> Answer:
        page = int(asked(request.path).get("cursor", "0"))
        return as_json({"posts": [post(100 - page, AT - timedelta(hours=page))], "next": str(page + 1)})

    with Site({"/posts": answer}) as site:
        asked_of(site, preset, store=store, at=AT - timedelta(minutes=30))
        first = len(site.paths())
        asked_of(site, preset, store=store, at=AT)
        assert (first, len(site.paths()) - first) == (3, 3)  # the stand-in's posts are an hour apart


# --- what is gone --------------------------------------------------------------------------------------


def removals(sink: Gathered) -> list[str]:
    return sorted(item.external_id for item in sink.items if isinstance(item, Removal))


def listing(*numbers: int) -> Answer:
    return as_json({"posts": [post(number) for number in numbers]})


@pytest.mark.parametrize(
    ("first", "then", "gone"),
    [
        (range(10), range(9), ["9"]),
        (range(4), [], ["0", "1", "2", "3"]),  # so few may all be gone
        (range(20), range(5), []),  # so many never are: something is wrong
        (range(10), range(20), []),
    ],
)
def test_what_a_full_listing_lacks_is_removed(store: Store, first: Any, then: Any, gone: list[str]) -> None:
    preset = replace(PRESET, complete=True)
    sink = Gathered()
    with Site({"/posts": listing(*first)}) as site:
        asked_of(site, preset, store=store)
        site.pages["/posts"] = listing(*then)
        asked_of(site, preset, store=store, at=AT + timedelta(days=8), sink=sink)
    assert removals(sink) == gone


@pytest.mark.parametrize(
    "broken",
    [
        Answer("<html>", 200),
        Answer("no", 404),
        as_json({"posts": [post(1), {"id": 2}]}),  # one that could not be read
        Answer(json.dumps({"posts": [post(1)], "next": "1"})),  # cut by max_pages
    ],
    ids=["no JSON", "an error", "an odd item", "too many pages"],
)
def test_nothing_is_removed_when_a_listing_was_not_read_to_its_end(store: Store, broken: Answer) -> None:
    preset = replace(
        PRESET, complete=True, paging=by_page("page") if "next" in str(broken.body) else PRESET.paging
    )
    sink = Gathered()
    with Site({"/posts": listing(1, 2, 3)}) as site:
        asked_of(site, replace(PRESET, complete=True), store=store)
        site.pages["/posts"] = broken
        asked_of(site, preset, store=store, at=AT + timedelta(days=8), sink=sink)
    assert removals(sink) == []


def test_young_posts_are_asked_for_again_by_id_and_old_ones_are_not(store: Store) -> None:
    preset = replace(PRESET, again=lambda call, ids: call.url("again", ids=",".join(ids)))
    old = AT - timedelta(days=9)
    sink = Gathered()
    with Site({"/posts": as_json({"posts": [post(1), post(2), post(3, old)]})}) as site:
        asked_of(site, preset, store=store)
        site.pages["/posts"] = listing()
        site.pages["/again"] = as_json({"posts": [post(1, text="says something else")]})
        asked_of(site, preset, store=store, at=AT + timedelta(hours=1), sink=sink)
        again = [asked(path)["ids"] for path in site.paths() if path.startswith("/again")]
        asked_of(site, preset, store=store, at=AT + timedelta(hours=2))
        later = [asked(path)["ids"] for path in site.paths() if path.startswith("/again")][1:]
    assert again == ["1,2"]
    assert later == ["1"]
    assert removals(sink) == ["2"]
    assert [item.text for item in sink.items if isinstance(item, Mention)] == ["says something else"]


def said_gone(status: int, body: Any) -> bool:
    return status == 404 and isinstance(body, dict) and body.get("error") == "gone"


def test_an_error_that_says_one_is_gone_is_halved_until_it_is_known_which(store: Store) -> None:
    preset = replace(PRESET, again=lambda call, ids: call.url("again", ids=",".join(ids)), gone=said_gone)
    held = {"1", "2", "4", "5"}

    def again(request: Asked) -> Answer:
        ids = asked(request.path)["ids"].split(",")
        if not held.issuperset(ids):
            return Answer('{"error": "gone"}', 404)
        return as_json({"posts": [post(int(one)) for one in ids]})

    sink = Gathered()
    with Site({"/posts": listing(1, 2, 3, 4, 5), "/again": again}) as site:
        asked_of(site, preset, store=store)
        site.pages["/posts"] = listing()
        run = asked_of(site, preset, store=store, at=AT + timedelta(hours=1), sink=sink)
        count = sum(path.startswith("/again") for path in site.paths())
    assert removals(sink) == ["3"]
    assert run.outcome is RunOutcome.OK
    assert count == 5  # all; 1,2; 3,4,5; 3; 4,5


def test_an_error_that_says_something_else_removes_nothing_and_is_told(store: Store) -> None:
    preset = replace(PRESET, again=lambda call, ids: call.url("again"), gone=said_gone)
    sink = Gathered()
    with Site({"/posts": listing(1), "/again": Answer('{"error": "no permission"}', 403)}) as site:
        asked_of(site, preset, store=store)
        site.pages["/posts"] = listing()
        run = asked_of(site, preset, store=store, at=AT + timedelta(hours=1), sink=sink)
    assert removals(sink) == []
    assert "no permission" in run.reason


def test_what_a_listing_has_just_shown_is_not_asked_for_by_id_as_well(store: Store) -> None:
    preset = replace(PRESET, again=lambda call, ids: call.url("again", ids=",".join(ids)))
    with Site({"/posts": listing(1, 2), "/again": as_json({"posts": [post(1)]})}) as site:
        asked_of(site, preset, store=store)
        site.pages["/posts"] = listing(2, 3)
        asked_of(site, preset, store=store, at=AT + timedelta(hours=1))
        again = [asked(path)["ids"] for path in site.paths() if path.startswith("/again")]
    assert again == ["1"]


def test_nothing_is_gone_where_no_listing_could_be_read(store: Store) -> None:
    preset = replace(PRESET, again=lambda call, ids: call.url("again"), gone=said_gone)
    sink = Gathered()
    with Site({"/posts": listing(1), "/again": Answer('{"error": "gone"}', 404)}) as site:
        asked_of(site, preset, store=store)
        site.pages["/posts"] = Answer("no", 404)
        asked_of(site, preset, store=store, at=AT + timedelta(hours=1), sink=sink)
    assert removals(sink) == []


def test_a_few_are_asked_for_a_run_and_each_has_its_turn_by_the_name_the_api_knows(store: Store) -> None:
    preset = replace(
        PRESET, again=lambda call, ids: call.url("again", ids=",".join(ids)), again_size=1, again_most=2,
        again_name="where", again_group=lambda name: name,
    )  # fmt: skip

    def again(request: Asked) -> Answer:
        number = int(asked(request.path)["ids"].removeprefix("at/"))
        return as_json({"posts": [post(number, where=f"at/{number}")]})

    first = as_json({"posts": [post(number, where=f"at/{number}") for number in range(1, 6)]})
    with Site({"/posts": first, "/again": again}) as site:
        asked_of(site, preset, store=store)
        site.pages["/posts"] = listing()
        for hour in (1, 2, 3):
            asked_of(site, preset, store=store, at=AT + timedelta(hours=hour))
        ids = [asked(path)["ids"] for path in site.paths() if path.startswith("/again")]
    assert (set(ids[:2]), set(ids[2:4])) == ({"at/1", "at/2"}, {"at/3", "at/4"})
    assert "at/5" in ids[4:]
    assert len(ids) == 6


def test_what_comes_back_and_is_no_mention_is_still_there(store: Store) -> None:
    preset = replace(PRESET, again=lambda call, ids: call.url("again"), skip="old")
    sink = Gathered()
    with Site({"/posts": listing(1), "/again": as_json({"posts": [post(1, old=True)]})}) as site:
        asked_of(site, preset, store=store)
        asked_of(site, preset, store=store, at=AT + timedelta(hours=1), sink=sink)
    assert removals(sink) == []


def test_an_item_that_says_it_was_deleted_is_removed() -> None:
    sink = Gathered()
    with Site({"/posts": as_json({"posts": [post(1), post(2, deleted=True)]})}) as site:
        asked_of(site, sink=sink)
    assert (sink.ids, removals(sink)) == (["1"], ["2"])


# --- small things --------------------------------------------------------------------------------------


def test_nothing_to_look_for_is_said() -> None:
    with Site() as site:
        run = asked_of(site, queries=[])
    assert "nothing to look for" in run.reason


def test_a_link_never_carries_what_a_stranger_wrote_as_more_than_one_segment() -> None:
    from scrapy.http import TextResponse

    body = json.dumps({"posts": [{"id": "../../login?next=//evil.example", "text": "x"}]}).encode()
    answer = TextResponse("https://a.example/posts", body=body)
    (mention,) = reader(PRESET)(answer, Source(name="forum", kind="x"), AT).mentions
    assert mention.url == "https://a.example/p/..%2F..%2Flogin%3Fnext%3D%2F%2Fevil.example"


def test_a_preset_with_a_field_no_mention_has_is_refused() -> None:
    with pytest.raises(ValueError, match="maps fields no mention has: starz"):
        replace(PRESET, fields={"starz": "x"})


def test_the_first_look_and_a_cursor_that_is_none() -> None:
    call = Call("https://a.example", {}, (), AT, last=lambda label: "no time")
    assert call.since("x", timedelta(hours=1), timedelta(days=2)) == AT - timedelta(days=2)
    future = Call("https://a.example", {}, (), AT, last=lambda label: "2030-01-01T00:00:00+00:00")
    assert future.since("x", timedelta(hours=1), timedelta(days=2)) == AT - timedelta(hours=1)
    assert AT.tzinfo is UTC
