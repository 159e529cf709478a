"""Streams: what is said is taken in as it is said, edits and deletions are honoured, and a break is told."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loopback import Site, as_json
from scrapy.http import TextResponse
from streamers import Jetstream, Mastodon, account, post, status, until

from monitor.commands.status import gather
from monitor.config import Config, read_config
from monitor.config_named import stream_name
from monitor.ingest import ingest
from monitor.match import Brand, Matcher
from monitor.runner import desk_at
from spiders import stream_bluesky, stream_line, stream_mastodon, streams
from spiders.presets.bluesky import BlueskySpider as BLUESKY
from spiders.presets.mastodon import MastodonSpider as MASTODON
from spiders.stream_bluesky import Said, event_of, said_in
from spiders.stream_line import Pause
from spiders.stream_mastodon import server_sent
from spiders.streams import Streams
from storage.errors import Locked
from storage.records import CrawlRun, Mention, RunOutcome
from storage.store import Store, open_store

T0 = int(datetime(2026, 11, 28, 12, 5, tzinfo=UTC).timestamp() * 1_000_000)
BAD = "Acme charged me twice, still no refund, worst service ever"


def now() -> datetime:
    return datetime(2026, 11, 28, 12, 5, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/lowstar.db") as opened:
        yield opened


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_line, "PAUSE_LEAST", 0.05)
    monkeypatch.setattr(streams, "TICK", 0.05)
    monkeypatch.setattr(streams, "LATER_WAIT", 0.3)
    monkeypatch.setattr(stream_bluesky, "PROFILES_URL", "http://127.0.0.1:9/xrpc/app.bsky.actor.getProfiles")


def config_of(source: dict[str, Any], environ: dict[str, str] | None = None, allow: bool = True) -> Config:
    document = {
        "brands": [{"name": "Acme"}],
        "sources": [{"name": "live", "stream": True, **source}],
        "crawl": {"allow_hosts": ["127.0.0.1"] if allow else []},
    }
    return read_config(document, Path("lowstar.toml"), environ or {})


def mastodon_config(server: Mastodon, token: str = "t0ken", **more: Any) -> Config:
    source = {"kind": "mastodon", "hashtags": ["#acme"], "api_url": server.url, **more}
    return config_of(source, {"LOWSTAR_MASTODON_TOKEN": token} if token else {})


def bluesky_config(server: Jetstream, **more: Any) -> Config:
    return config_of({"kind": "bluesky", "stream_url": server.url, **more})


@contextmanager
def listening(config: Config, store: Store, clock: Callable[[], datetime] = now) -> Iterator[list[int]]:
    news: list[int] = []
    running = Streams(config, store, clock, news=lambda: news.append(1))
    running.start()
    try:
        yield news
    finally:
        begin = time.monotonic()
        running.stop()
        assert time.monotonic() - begin < 5
        assert not any(thread.is_alive() for one in running.listeners for thread in one._threads)


def kept(store: Store) -> set[str]:
    with store.reading() as ledger:
        return ledger.kept_keys("live")


def texts(store: Store) -> dict[str, str]:
    with store.reading() as ledger:
        keys = [("live", key) for key in ledger.kept_keys("live")]
        found = [ledger.mention(known.id) for known in ledger.known(keys).values()]
    return {one.external_id: one.text for one in found if one is not None}


def runs(store: Store) -> list[CrawlRun]:
    with store.reading() as ledger:
        return ledger.runs(stream_name("live"))


# -- Mastodon ------------------------------------------------------------------------------------------------


def test_a_post_is_an_alert_an_edit_a_revision_and_a_deletion_a_removal(store: Store) -> None:
    with Mastodon() as server, listening(mastodon_config(server), store) as news:
        until(lambda: server.listening)
        begin = time.monotonic()
        server.say("update", status(1, BAD))
        until(lambda: news)
        assert time.monotonic() - begin < 3
        assert texts(store) == {"1": BAD}
        server.say("status.update", status(1, "Acme paid me back", edited_at="2026-11-28T12:01:00.000Z"))
        until(lambda: texts(store) == {"1": "Acme paid me back"})
        server.say("delete", "1")
        server.say("delete", "777")
        until(lambda: not kept(store))
        path, headers = server.asked[-1]
    assert path == "/api/v1/streaming/hashtag?tag=acme"
    assert headers["authorization"] == "Bearer t0ken"
    assert headers["user-agent"].startswith("lowstar")
    (run,) = runs(store)
    assert run.outcome is RunOutcome.OK
    assert (run.new, run.found) == (1, 2)


def test_a_connection_that_is_cut_is_made_again_and_the_gap_is_told(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "BRIEF", 0.0)
    clock = [now()]
    with Mastodon() as server:
        running = Streams(mastodon_config(server), store, lambda: clock[0])
        running.start()
        until(lambda: server.listening)
        server.say("update", status(1, BAD))
        until(lambda: kept(store))
        clock[0] += timedelta(seconds=40)
        server.cut()
        until(lambda: len(server.asked) > 2 and server.listening)
        server.say("update", status(2, BAD))
        until(lambda: kept(store) == {"1", "2"})
        running.stop()
    (run,) = runs(store)
    assert run.outcome is RunOutcome.OK  # networks break off now and then
    assert "#acme: the connection broke off" in run.reason
    assert "nothing was heard for 40 s: the next lowstar run reads what was said" in run.reason


def test_garbage_costs_only_itself(store: Store) -> None:
    with Mastodon() as server, listening(mastodon_config(server), store):
        until(lambda: server.listening)
        server.raw(b"event: update\ndata: {broken\n\n")
        server.raw(b"event: update\ndata: [1]\n\nevent: filters_changed\ndata: undefined\n\n:thump\n")
        server.raw(b"event: update\ndata: " + b"[" * 50_000 + b"\n\n")
        server.raw(b"data: " + b"x" * (2 << 20) + b"\n\n")
        server.raw(b"\xff\xfe\x00garbage\r\n\r\n")
        server.say("update", status(3, BAD, content=None))
        said = json.dumps(status(2, BAD)).encode()
        for at in range(0, len(said), 50):  # in pieces, as networks do
            server.raw((b"event: update\ndata: " if not at else b"") + said[at : at + 50])
        server.raw(b"\n\n")
        until(lambda: kept(store) == {"2"})
    (run,) = runs(store)
    assert "an event was no JSON" in run.reason
    assert "an event was larger than 1 MiB" in run.reason


def test_a_line_that_breaks_off_at_once_again_and_again_is_a_failure(store: Store) -> None:
    with Mastodon() as server, listening(mastodon_config(server), store):
        for _ in range(3):
            until(lambda: server.listening)
            server.cut()
            until(lambda: not server.listening)
        until(lambda: server.listening)
    (run,) = runs(store)
    assert run.outcome is RunOutcome.PARTIAL
    assert run.failed == 3


@pytest.mark.parametrize(
    ("code", "token", "words"),
    [
        (401, "", "set LOWSTAR_MASTODON_TOKEN"),
        (401, "t0ken", "refuses the token"),
        (404, "t0ken", "stream_url names another host"),
        (503, "t0ken", "HTTP 503"),
    ],
)
def test_a_server_that_refuses_is_named_with_what_to_do(
    store: Store, code: int, token: str, words: str
) -> None:
    with Mastodon() as server:
        server.status = code
        with listening(mastodon_config(server, token), store):
            until(lambda: len(server.asked) > 1)
            time.sleep(0.1)
    (run,) = runs(store)
    assert run.outcome is RunOutcome.FAILED
    assert words in run.reason
    assert "t0ken" not in run.reason


def test_a_page_that_is_no_stream_is_no_stream(store: Store) -> None:
    with Mastodon() as server:
        server.kind = "text/html"
        with listening(mastodon_config(server), store):
            until(lambda: len(server.asked) > 1)
            time.sleep(0.1)
    assert "answers with text/html instead of a stream" in runs(store)[0].reason


def test_a_token_follows_no_redirect_to_another_host(store: Store) -> None:
    with Mastodon() as server, Site() as elsewhere:
        server.redirect = f"http://localhost:{elsewhere.server.server_address[1]}/api/v1/streaming"
        with listening(mastodon_config(server), store):
            until(lambda: server.asked)
            time.sleep(0.2)
        assert elsewhere.asked == []
    assert "the server streams from localhost: if that is right, set stream_url" in runs(store)[0].reason


def test_a_host_inside_our_network_is_not_connected_to(store: Store) -> None:
    with Mastodon() as server, Jetstream() as jetstream:
        for source in (
            {"kind": "mastodon", "hashtags": ["acme"], "api_url": server.url},
            {"kind": "bluesky", "stream_url": jetstream.url},
        ):
            with listening(config_of(source, allow=False), store):
                time.sleep(0.3)
        assert server.asked == []
        assert jetstream.asked == []
    assert all("allow_hosts" in run.reason for run in runs(store))


def test_a_line_without_a_heartbeat_is_dead(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_mastodon, "SILENT", 0.3)
    with Mastodon() as server, listening(mastodon_config(server), store):
        until(lambda: len(server.asked) > 3)
    assert "not even a heartbeat" in runs(store)[0].reason


# -- Bluesky -------------------------------------------------------------------------------------------------


def test_of_all_that_is_said_only_what_names_us_is_taken(store: Store) -> None:
    with Jetstream() as server, listening(bluesky_config(server), store) as news:
        until(lambda: server.asked)
        server.say(*(post(T0 + n, f"n{n}", "nothing about you") for n in range(300)))
        server.say(post(T0 + 400, "bad", BAD))
        until(lambda: news)
        assert kept(store) == {"at://did:plc:ada/app.bsky.feed.post/bad"}
    assert server.asked[0]["wantedCollections"] == ["app.bsky.feed.post"]
    assert "cursor" not in server.asked[0]
    assert runs(store)[0].found == 1


def test_edits_deletions_and_accounts_that_go_are_honoured(store: Store) -> None:
    with Jetstream() as server, listening(bluesky_config(server), store):
        until(lambda: server.asked)
        server.say(
            post(T0, "a", BAD), post(T0 + 1, "b", BAD + "!"), post(T0 + 2, "c", BAD + "?", did="did:plc:bo")
        )
        until(lambda: len(kept(store)) == 3)
        server.say(
            post(T0 + 3, "a", "never mind", operation="update"), post(T0 + 4, "z", "who?", operation="update")
        )
        until(lambda: "never mind" in texts(store).values())
        server.say(post(T0 + 5, "b", "", operation="delete"), post(T0 + 6, "y", "", operation="delete"))
        until(lambda: len(kept(store)) == 2)
        server.say(account(T0 + 7, "did:plc:bo", True), account(T0 + 8, "did:plc:zed", False))
        server.say(account(T0 + 9, "did:plc:bo", False))
        until(lambda: kept(store) == {"at://did:plc:ada/app.bsky.feed.post/a"})


def test_a_post_and_its_deletion_in_one_breath_leave_nothing(store: Store) -> None:
    with Jetstream() as server, listening(bluesky_config(server), store):
        until(lambda: server.asked)
        server.say(post(T0, "a", BAD), post(T0 + 1, "a", "", operation="delete"), post(T0 + 2, "b", BAD))
        until(lambda: kept(store) == {"at://did:plc:ada/app.bsky.feed.post/b"})
    with store.reading() as ledger:  # nobody is alerted to what is gone
        assert len(ledger.cases_worst_first(open_only=False, limit=10)) == 1


def test_what_was_said_while_the_line_was_down_is_heard_afterwards_once(store: Store) -> None:
    with Jetstream() as server, listening(bluesky_config(server), store) as news:
        until(lambda: server.asked)
        server.say(post(T0 + 10_000_000, "a", BAD))
        until(lambda: news)
        server.cut()
        server.say(post(T0 + 11_000_000, "b", BAD + " again"))
        until(lambda: len(kept(store)) == 2)
        assert int(server.asked[-1]["cursor"][0]) <= T0 + 10_000_000
    (run,) = runs(store)
    assert (run.new, run.outcome) == (2, RunOutcome.PARTIAL)


def test_the_mark_is_kept_over_a_restart(store: Store) -> None:
    with Jetstream() as server:
        with listening(bluesky_config(server), store):
            until(lambda: server.asked)
            server.say(post(T0 + 10_000_000, "a", BAD))
            until(lambda: kept(store))
        server.say(post(T0 + 20_000_000, "b", BAD + " again"))
        with listening(bluesky_config(server), store):
            until(lambda: len(kept(store)) == 2)
        assert server.asked[-1]["cursor"] == [str(T0 + 5_000_000)]
    assert runs(store)[0].reason == ""


def test_a_gap_that_cannot_be_heard_any_more_is_told(store: Store) -> None:
    with Jetstream() as server:
        with listening(bluesky_config(server), store, lambda: now() - timedelta(hours=2)):
            until(lambda: server.asked)
            server.say(post(T0 - 7_200_000_000, "a", BAD))
            until(lambda: kept(store))
        server.keeps_from = T0
        server.say(post(T0, "b", BAD + " again"))
        with listening(bluesky_config(server), store):
            until(lambda: len(kept(store)) == 2)
    last = runs(store)[0]
    assert last.outcome is RunOutcome.PARTIAL
    assert "from 2026-11-28 10:05 to 2026-11-28 12:05 UTC is no longer streamed" in last.reason


def test_garbage_frames_cost_only_themselves(store: Store) -> None:
    with Jetstream() as server, listening(bluesky_config(server), store):
        until(lambda: server.asked)
        server.say(
            "{", b"\x00\xff", "[]", "null", '{"kind": 7}', "[" * 40_000, '{"did": NaN, "kind": "commit"}'
        )
        server.say(post(10**18, "future", "from the far future"), post(T0, "a", BAD))
        until(lambda: kept(store) == {"at://did:plc:ada/app.bsky.feed.post/a"})
        assert len(server.asked) == 1
    assert "a message was no JSON" in runs(store)[0].reason
    with store.reading() as ledger:
        assert ledger.cursor("live", "jetstream") == str(T0)


def test_a_message_too_large_is_passed_over(store: Store) -> None:
    with Jetstream() as server, listening(bluesky_config(server), store):
        until(lambda: server.asked)
        server.say(post(T0, "a", BAD))
        until(lambda: kept(store))
        server.say(
            *(post(T0 + n, f"n{n}", "of others") for n in range(1, 50)), post(T0 + 50, "big", "x" * (2 << 20))
        )
        until(lambda: len(server.asked) >= 3 and "cursor" not in server.asked[-1])
        server.say(post(T0 + 60, "b", BAD + " again"))
        until(lambda: len(kept(store)) == 2)
    assert "a message was too large" in runs(store)[0].reason


def test_a_store_that_is_locked_for_a_while_loses_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tries = streams.ingest, []

    def sometimes(*arguments: Any, **named: Any) -> Any:
        tries.append(1)
        if len(tries) < 4:
            raise Locked("somebody else writes")
        return real(*arguments, **named)

    monkeypatch.setattr(streams, "ingest", sometimes)
    with Jetstream() as server, listening(bluesky_config(server), store):
        until(lambda: server.asked)
        server.say(post(T0, "a", BAD))
        until(lambda: kept(store))
    assert "could not be stored yet" in runs(store)[0].reason


def test_names_and_followers_are_looked_up_where_they_can_be(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    profiles = {
        "profiles": [{"did": "did:plc:ada", "handle": "ada.example", "followersCount": 1234}, {"did": "x"}, 7]
    }
    with Jetstream() as server, Site({"/xrpc/app.bsky.actor.getProfiles": as_json(profiles)}) as site:
        monkeypatch.setattr(stream_bluesky, "PROFILES_URL", site.url("/xrpc/app.bsky.actor.getProfiles"))
        with listening(bluesky_config(server), store):
            until(lambda: server.asked)
            server.say(post(T0, "a", BAD))
            until(lambda: kept(store))
            server.say(post(T0 + 1, "b", BAD + "!"))
            until(lambda: len(kept(store)) == 2)
        assert len(site.asked) == 1
    with store.reading() as ledger:
        found = [
            ledger.mention(one.id) for one in ledger.known([("live", key) for key in kept(store)]).values()
        ]
    assert {(one.author, one.author_followers) for one in found if one} == {("ada.example", 1234)}


def test_without_the_package_the_stream_says_which_one(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "websockets.sync.client", None)
    with Jetstream() as server, listening(bluesky_config(server), store):
        time.sleep(0.3)
    assert "pip install 'lowstar[streams]'" in runs(store)[0].reason


def test_the_newer_form_of_jetstream_is_read_as_well() -> None:
    message = {
        "$type": "message",
        "payload": {
            "$type": "network.bsky.jetstream.subscribeEvents#commit",
            "seq": 24708718469,
            "time": "2026-11-28T12:05:00.000001Z",
            "did": "did:plc:ada",
            "operation": "create",
            "collection": "app.bsky.feed.post",
            "rkey": "3k",
            "record": {"text": BAD, "createdAt": "2026-11-28T12:00:00Z"},
        },
    }
    said = said_in(json.dumps(message))
    assert said is not None
    assert said.at == T0 + 1
    event = event_of(said, WORDS, SOURCE, now())
    assert event is not None
    assert isinstance(event.thing, Mention)
    assert event.thing.external_id == "at://did:plc:ada/app.bsky.feed.post/3k"
    gone = {
        "$type": "message",
        "payload": {
            "$type": "x#account",
            "did": "did:plc:bo",
            "time": "2026-11-28T12:05:00Z",
            "account": {"active": False},
        },
    }
    said = said_in(json.dumps(gone))
    assert said is not None
    assert event_of(said, WORDS, SOURCE, now()) == stream_line.Event(gone_author="did:plc:bo", mark=T0)


WORDS = Matcher([Brand(name="Acme", terms=("Acme",))])
SOURCE = config_of({"kind": "bluesky"}).sources[0]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.just("Acme"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["text", "langs", "reply", "createdAt", "rkey", "operation", "record", "collection", "x"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(
    JSON,
    st.sampled_from(["commit", "account", "info", ""]),
    st.sampled_from(["create", "update", "delete", None]),
)
def test_whatever_jetstream_says_nothing_falls_over(value: Any, kind: str, operation: Any) -> None:
    body = value if isinstance(value, dict) else {"record": value}
    body |= {"operation": operation, "collection": "app.bsky.feed.post", "rkey": "3k"}
    event_of(Said(T0, kind, "did:plc:ada", body), WORDS, SOURCE, now())


def test_the_crawl_knows_what_the_stream_has_heard(store: Store) -> None:
    """Both find the same posts under the same ids, so that each is an alert once."""
    listed = json.dumps([status(1, BAD), status(2, BAD + " again")])
    rest = TextResponse(
        "https://social.example/api/v1/timelines/tag/acme", body=listed.encode(), encoding="utf-8"
    )
    with Mastodon() as server:
        config = mastodon_config(server)
        with listening(config, store):
            until(lambda: server.listening)
            server.say("update", status(1, BAD))
            until(lambda: kept(store))
        page = MASTODON.reader(rest, config.sources[0], now())
    tally = ingest(page.mentions, store, desk_at(config, store), now())
    assert (tally.unchanged, tally.new) == (1, 1)
    record = post(T0, "a", BAD)["commit"]["record"]
    uri = "at://did:plc:ada/app.bsky.feed.post/a"
    search = {
        "posts": [{"uri": uri, "author": {"did": "did:plc:ada", "handle": "ada.example"}, "record": record}]
    }
    body = TextResponse("https://bsky.social/xrpc/x", body=json.dumps(search).encode(), encoding="utf-8")
    (searched,) = BLUESKY.reader(body, SOURCE, now()).mentions
    said = said_in(json.dumps(post(T0, "a", BAD)))
    assert said is not None
    event = event_of(said, WORDS, SOURCE, now())
    assert event is not None
    assert isinstance(event.thing, Mention)
    assert event.thing.key == searched.key
    assert event.thing.content_hash() == searched.content_hash()


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "event: update\ndata: a\n\n",
                "data: b\r\ndata: c\r\n\r\n",
                ":thump\n",
                "\n",
                "x\n",
                "data\n\n",
                "é: ü\n",
            ]
        ),
        max_size=8,
    ),
    st.lists(st.integers(0, 120), max_size=6),
)
def test_events_are_the_same_however_the_network_cuts_them(said: list[str], cuts: list[int]) -> None:
    whole = "".join(said).encode()
    ends = sorted({min(cut, len(whole)) for cut in cuts} | {0, len(whole)})
    parts = [whole[begin:end] for begin, end in pairwise(ends)]
    told = type("Quiet", (), {"garbage": print})()
    assert list(server_sent(iter(parts), told)) == list(server_sent(iter([whole]), told))


# -- both ----------------------------------------------------------------------------------------------------


def test_pauses_grow_and_do_not_come_in_step() -> None:
    pause = Pause()
    waits = [pause.next() for _ in range(20)]
    assert waits[0] <= stream_line.PAUSE_LEAST
    longest = min(stream_line.PAUSE_MOST, stream_line.PAUSE_LEAST * 2**12)
    assert longest / 2 <= waits[-1] <= longest
    assert len({round(wait, 6) for wait in waits[-5:]}) == 5
    assert Pause().next(90.0) == 90.0


def test_status_shows_the_stream_beside_its_crawl(store: Store) -> None:
    with Mastodon() as server:
        config = mastodon_config(server)

        def word() -> tuple[str, bool]:
            with store.reading() as ledger:
                (_, stream) = gather(ledger, replace(config, path=Path("lowstar.toml")), now()).sources
            assert stream.source.name == "live (stream)"
            return stream.word, stream.wrong

        assert word() == ("never run", True)
        with listening(config, store):
            until(lambda: runs(store))
            assert word() == ("listening", False)
        assert word() == ("ok", False)
