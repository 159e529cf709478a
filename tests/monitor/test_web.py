"""Does the dashboard show what must be answered first, and do its forms what they say?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the extra `web` is not installed")

from dashboard import TOKENS, Visitor, served, web_config
from lxml import etree, html
from shelf import add_case, add_run

from monitor.config_web import Role
from monitor.web.filters import Filter, filter_of, filter_of_query, place_of, place_text
from storage.records import CaseStatus, Mention, Priority, RunOutcome
from storage.store import Store
from storage.wanted import Place

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOSTILE = (
    "</p></main><script>alert(1)</script><img src=x onerror=alert(1)> {{ 7*7 }} {% raw %} &lt;b&gt; ' \" ` "
    "<!-- --> ]]> \u202egnp.exe\u202c \x00\x1b[31m <svg/onload=alert(1)> javascript:alert(1) &amp;#60;"
)


@pytest.fixture
def visitor(sqlite_store: Store, tmp_path: Path) -> Iterator[Visitor]:
    with served(web_config(tmp_path), sqlite_store, NOW) as port:
        visitor = Visitor(port)
        visitor.sign_in(Role.ADMIN)
        yield visitor


def names(answer: Any) -> list[str]:
    return re.findall(r'<span class="case">(REP-\d+)</span>', answer.text)


def index(store: Store) -> None:
    with store.transaction() as ledger:
        while ledger.index_words():
            pass


def test_the_worst_case_comes_first(visitor: Visitor, sqlite_store: Store) -> None:
    add_case(sqlite_store, NOW, "It was late", priority=Priority.NORMAL, stars=3)
    add_case(sqlite_store, NOW, "They lost my parcel", priority=Priority.URGENT)
    add_case(sqlite_store, NOW, "Rude on the phone", stars=2)
    assert names(visitor.ask("/")) == ["REP-0002", "REP-0003", "REP-0001"]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("brand=Kaffa", ["REP-0002"]),
        ("source=forum", ["REP-0003"]),
        ("stars=2", ["REP-0002"]),
        ("stars=0", ["REP-0003"]),
        ("topic=delivery", ["REP-0001", "REP-0002", "REP-0003"]),
        ("topic=deliver", []),
        ("language=de", ["REP-0003"]),
        ("status=closed", ["REP-0004"]),
        ("status=all", ["REP-0004", "REP-0003", "REP-0002", "REP-0001"]),
        ("status=dismissed", ["REP-0004"]),
        ("status=late", []),
        ("owner=-", ["REP-0001", "REP-0002", "REP-0003"]),
        ("owner=anna", []),
        ("q=parcel", ["REP-0001"]),
        ("q=parcel&status=all", ["REP-0004", "REP-0001"]),
        ("q=%22%27--&stars=9&status=nonsense&after=1.2.3", ["REP-0001", "REP-0002", "REP-0003"]),
    ],
)
def test_the_list_is_narrowed_by_its_address(
    visitor: Visitor, sqlite_store: Store, query: str, shown: list[str]
) -> None:
    add_case(sqlite_store, NOW, "They lost my parcel")
    add_case(sqlite_store, NOW, "Rude", brand="Kaffa", stars=2)
    add_case(sqlite_store, NOW, "Schlecht", source="forum", stars=None, language="de")
    add_case(sqlite_store, NOW, "parcel again", status=CaseStatus.DISMISSED)
    index(sqlite_store)
    assert names(visitor.ask(f"/?{query}")) == shown


def test_pages_follow_one_another_without_a_gap_or_a_double(visitor: Visitor, sqlite_store: Store) -> None:
    for at in range(115):
        add_case(sqlite_store, NOW, f"case {at}", priority=Priority(1 + at % 3))
    for status in ("", "all"):
        found: list[str] = []
        page = visitor.ask(f"/?status={status}")
        while True:
            found += names(page)
            following = re.search(r'rel="next" href="([^"]+)"', page.text)
            if following is None:
                break
            page = visitor.ask(following[1].replace("&amp;", "&"))
        assert len(found) == len(set(found)) == 115


def test_a_case_is_shown_with_all_there_is_to_know(visitor: Visitor, sqlite_store: Store) -> None:
    case = add_case(sqlite_store, NOW, "They lost my parcel", author="Maya", owner_reply="We are sorry")
    page = visitor.ask(f"/cases/{case.number}").text
    for words in (
        "REP-0001",
        "They lost my parcel",
        "Maya",
        "We are sorry",
        "1 of 5 stars",
        "opened",
        "The Shop",
    ):
        assert words in page
    assert 'href="https://shop.example/r/1"' in page
    assert 'rel="noopener noreferrer nofollow"' in page
    assert "shop.example</span>" in page
    assert visitor.ask("/cases/999").status == visitor.ask("/cases/99999999999999999999").status == 404


def test_what_an_edited_mention_said_before_is_shown(visitor: Visitor, sqlite_store: Store) -> None:
    add_case(sqlite_store, NOW, "horrible")
    with sqlite_store.transaction() as ledger:
        ledger.write_mentions([Mention(source="shop", external_id="1", text="all good now", stars=4)], NOW)
    page = visitor.ask("/cases/1").text
    assert "What it said before (1)" in page
    assert "horrible" in page
    assert "1★ → 4★" in page


def test_a_claim_is_the_persons_and_the_second_one_is_told_who_was_faster(
    visitor: Visitor, sqlite_store: Store
) -> None:
    add_case(sqlite_store, NOW, "They lost my parcel")
    bert = Visitor(visitor.port)
    bert.sign_in(Role.ACT, "Bert")
    assert (
        visitor.post("/cases/1/claim", {"version": "1", "back": "/?stars=1"}).headers["location"]
        == "/?stars=1"
    )
    refused = bert.post("/cases/1/claim", {"version": "1"})
    assert refused.status == 409
    assert "Anna" in refused.text
    page = bert.ask("/cases/1").text
    assert "claimed" in page
    assert "Take over" in page


def test_a_case_goes_its_whole_way_through_the_forms(visitor: Visitor, sqlite_store: Store) -> None:
    add_case(sqlite_store, NOW, "They lost my parcel")
    steps = [
        ("claim", {}, CaseStatus.CLAIMED),
        ("note", {"text": "called them"}, CaseStatus.CLAIMED),
        ("snooze", {"until": "4h"}, CaseStatus.CLAIMED),
        ("unsnooze", {}, CaseStatus.CLAIMED),
        (
            "answer",
            {
                "text": "Sorry!",
                "link": "https://shop.example/a",
                "promised": "a new one",
                "due_by": "2026-11-25",
            },
            CaseStatus.ANSWERED,
        ),
        ("keep", {}, CaseStatus.ANSWERED),
        ("resolve", {"text": "sent a new one"}, CaseStatus.RESOLVED),
        ("reopen", {}, CaseStatus.OPEN),
        ("dismiss", {"why": "spam"}, CaseStatus.DISMISSED),
        ("correct", {"wrong": "not_negative"}, CaseStatus.DISMISSED),
    ]
    for deed, fields, status in steps:
        answer = visitor.post(f"/cases/1/{deed}", fields)
        assert answer.status == 303, (deed, answer.text)
        with sqlite_store.reading() as ledger:
            case = ledger.case(1)
        assert case is not None
        assert case.status is status, deed
    page = visitor.ask("/cases/1").text
    for words in ("called them", "Sorry!", "a new one", "sent a new one"):
        assert words in page


@pytest.mark.parametrize(
    ("deed", "fields", "said"),
    [
        ("answer", {"link": "javascript:alert(1)"}, "https://"),
        ("snooze", {"until": "one day"}, "no time"),
        ("snooze", {"until": "99999999w"}, "no time"),
        ("dismiss", {"why": "boring"}, "none of"),
        ("resolve", {"version": "0"}, ""),
        ("reopen", {}, ""),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    visitor: Visitor, sqlite_store: Store, deed: str, fields: dict[str, str], said: str
) -> None:
    add_case(sqlite_store, NOW, "They lost my parcel")
    answer = visitor.post(f"/cases/1/{deed}", fields)
    assert answer.status == 409
    assert said in answer.text
    with sqlite_store.reading() as ledger:
        case = ledger.case(1)
    assert case is not None
    assert case.status is CaseStatus.OPEN


def test_an_action_nobody_knows_is_not_there(visitor: Visitor, sqlite_store: Store) -> None:
    add_case(sqlite_store, NOW, "x")
    assert visitor.post("/cases/1/explode").status == 404
    assert visitor.post("/cases/7/claim").status == 409


def test_views_are_kept_under_a_name(visitor: Visitor) -> None:
    assert visitor.post("/saved", {"name": "Worst <b>", "query": "stars=1&evil=1"}).status == 303
    page = visitor.ask("/").text
    assert '<a href="/?stars=1">Worst &lt;b&gt;</a>' in page
    visitor.post("/saved/drop", {"name": "Worst <b>"})
    assert "Worst" not in visitor.ask("/").text


# -- what strangers write ------------------------------------------------------------------------------------


def skeleton(page: bytes) -> list[tuple[str, tuple[str, ...]]]:
    """The elements of a page in order, with the names of their attributes: what text must never change."""
    root = html.fromstring(page)
    return [(one.tag, tuple(sorted(one.attrib))) for one in root.iter() if isinstance(one.tag, str)]


def fill(store: Store, text: str) -> None:
    short = text[:60]
    add_case(store, NOW, text, title=short, author=short, entity=short, owner_reply=text, rating_raw=short)
    with store.transaction() as ledger:
        ledger.write_mentions(
            [
                Mention(
                    source="shop", external_id="1", text=f"2 {text}", title=short, author=short, entity=short
                )
            ],
            NOW,
        )
    add_run(store, NOW - timedelta(hours=1), RunOutcome.FAILED, reason=text)
    with store.transaction() as ledger:
        while ledger.index_words():
            pass


PAGES = ("/", "/?q=2", "/cases/1", "/mentions", "/mentions/1", "/sources", "/trends", "/?status=all")


def test_no_text_of_a_stranger_changes_the_skeleton_of_a_page(tmp_path: Path) -> None:
    from storage.store import open_store

    made = []
    for name, text in (("plain", "x" * len(HOSTILE)), ("hostile", HOSTILE)):
        folder = tmp_path / name
        folder.mkdir()
        config = web_config(folder)
        with open_store(config.store_url) as store:
            fill(store, text)
            with served(config, store, NOW) as port:
                visitor = Visitor(port)
                visitor.sign_in(Role.ADMIN)
                answers = [visitor.ask(path) for path in PAGES]
                assert [answer.status for answer in answers] == [200] * len(PAGES)
                made.append([skeleton(answer.body) for answer in answers])
                for answer in answers:
                    root = html.fromstring(answer.body)
                    assert all(
                        str(link).startswith(("/", "#", "https://shop.example"))
                        for link in root.xpath("//@href | //@src | //@action")
                    )
                    assert "\u202e" not in answer.text
                    assert "\x1b" not in answer.text
                    assert not root.xpath("//@style | //style | //script[not(@src)]")
    for path, plain, hostile in zip(PAGES, *made, strict=True):
        assert hostile == plain, path


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", 'https://x.example/"onclick=1'])
def test_no_page_links_to_what_is_no_web_address(visitor: Visitor, sqlite_store: Store, url: str) -> None:
    with sqlite_store.transaction() as ledger:
        ledger.write_mentions([Mention(source="shop", external_id="9", url=url, text="x")], NOW)
    add_case(sqlite_store, NOW, "y")
    assert "alert(1)" not in visitor.ask("/mentions").text
    assert "onclick" not in visitor.ask("/mentions").text


@pytest.mark.parametrize(
    "query",
    ["q=%00", "q=" + "%22" * 100, "after=%ff", "brand=" + "x" * 3000, "since=0000-00-00", "since=9999-12-31",
     "until=9999-12-31", "stars=%C2%B2", "status=all&after=999999999999999999999.1.1.1",
     "after=1.1.99999999999999999999.1"],
)  # fmt: skip
def test_no_address_breaks_a_page(visitor: Visitor, sqlite_store: Store, query: str) -> None:
    add_case(sqlite_store, NOW, "y")
    for path in ("/", "/mentions", "/feeds/cases.atom", "/feeds/mentions.atom"):
        assert visitor.ask(f"{path}?{query}").status in (200, 403), path
    assert visitor.ask(f"/api/v1/cases?{query}").status in (200, 400)


# -- feeds, trends, sources, digests -------------------------------------------------------------------------


def test_a_feed_opens_with_its_key_alone_and_only_itself(visitor: Visitor, sqlite_store: Store) -> None:
    add_case(sqlite_store, NOW, HOSTILE, stars=1)
    add_case(sqlite_store, NOW, "fine", stars=4)
    address = re.search(r'<a href="(/feeds/cases.atom[^"]+)">', visitor.ask("/?stars=1").text)
    assert address
    feed = address[1].replace("&amp;", "&")
    reader = Visitor(visitor.port)
    answer = reader.ask(feed)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("application/atom+xml")
    root = etree.fromstring(answer.body)
    space = {"a": "http://www.w3.org/2005/Atom"}
    assert len(root.xpath("//a:entry", namespaces=space)) == 1
    assert {one.get("type") for one in root.xpath("//a:content", namespaces=space)} == {"text"}
    assert "<script>" in root.xpath("//a:content", namespaces=space)[0].text
    assert reader.ask(feed.replace("stars=1", "stars=4")).status == 403
    assert reader.ask("/feeds/mentions.atom?" + feed.partition("?")[2]).status == 403
    assert reader.ask("/").status == 303


def test_a_list_that_was_looked_for_among_the_newest_says_so_and_goes_on(
    visitor: Visitor, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.lists.LOOKED", 2)
    for at in range(3):
        add_case(sqlite_store, NOW - timedelta(days=at), f"said {at}", stars=5.0 if at == 2 else 1.0)
    page = visitor.ask("/mentions?stars=5").text
    assert "Nothing here so far." in page
    assert "Looked for among what was posted since 2026-11-" in page
    further = re.search(r'<a rel="next" href="([^"]+)">Look further back</a>', page)
    assert further
    last = visitor.ask(further[1].replace("&amp;", "&")).text
    assert "said 2" in last
    assert "Looked for" not in last
    assert 'rel="next"' not in last
    answer = visitor.ask("/api/v1/mentions?stars=5", Authorization=f"Bearer {TOKENS[Role.READ]}").json
    assert (answer["mentions"], answer["next"] is None) == ([], False)


def test_settled_weeks_are_remembered_and_the_running_one_is_counted_anew(
    visitor: Visitor, sqlite_store: Store
) -> None:
    assert "2 mentions" not in visitor.ask("/trends").text
    add_case(sqlite_store, NOW, "now")
    add_case(sqlite_store, NOW, "now, too")
    assert "2 mentions" in visitor.ask("/trends").text


def test_the_feed_of_flagged_mentions_holds_those_with_a_case(visitor: Visitor, sqlite_store: Store) -> None:
    add_case(sqlite_store, NOW, "They lost my parcel")
    assert "They lost my parcel" in visitor.ask("/feeds/mentions.atom").text


def test_trends_count_the_weeks_and_the_voices(visitor: Visitor, sqlite_store: Store) -> None:
    add_case(sqlite_store, NOW, "They lost my parcel")
    add_case(sqlite_store, NOW - timedelta(weeks=1), "Rude", brand="Kaffa")
    page = visitor.ask("/trends").text
    assert "1 mentions, 100 % negative, 1.00 stars" in page
    assert "50 %" in page


def test_a_failing_source_comes_first_with_what_to_do(visitor: Visitor, sqlite_store: Store) -> None:
    assert "never run" in visitor.ask("/sources").text
    add_run(sqlite_store, NOW - timedelta(minutes=5), RunOutcome.FAILED, reason="it answers 403")
    page = visitor.ask("/sources").text
    assert "it answers 403" in page
    assert 'class="wrong"' in page


def test_a_digest_is_a_page_that_runs_nothing(visitor: Visitor, sqlite_store: Store) -> None:
    add_case(sqlite_store, NOW - timedelta(weeks=1), "They lost my parcel")
    assert "/digests/Acme/2026-W47" in visitor.ask("/digests").text
    answer = visitor.ask("/digests/Acme/2026-W47")
    assert answer.status == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert visitor.ask("/digests/Acme/2099-W01").status == visitor.ask("/digests/No/2026-W47").status == 404


def test_the_mark_moves_when_something_happens(visitor: Visitor, sqlite_store: Store) -> None:
    add_case(sqlite_store, NOW, "x")
    before = visitor.ask("/live").json["mark"]
    assert visitor.ask("/live").json["mark"] == before
    visitor.post("/cases/1/claim")
    assert visitor.ask("/live").json["mark"] != before


def test_everything_a_first_visit_loads_is_small(visitor: Visitor, sqlite_store: Store) -> None:
    for at in range(60):
        add_case(sqlite_store, NOW, f"{at} " + "They lost my parcel and nobody answers. " * 20)
    page = visitor.ask("/")
    size = len(page.body)
    for address in set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)):
        answer = visitor.ask(address)
        assert "immutable" in answer.headers["cache-control"]
        size += len(answer.body)
    assert size < 100_000


# -- the address of a list -----------------------------------------------------------------------------------


def test_a_filter_is_its_address_and_back() -> None:
    chosen = filter_of({"brand": "A&B", "stars": "1", "q": 'a "b"', "evil": "x", "status": "late"})
    assert filter_of_query(chosen.query) == chosen
    assert chosen.but(stars="") == "brand=A%26B&status=late&q=a+%22b%22"
    assert not Filter().any


@pytest.mark.parametrize(
    "place",
    [Place(7, 3, 0.1234567890123), Place(1, at=NOW), Place(2**40, 0, 0.0, NOW + timedelta(microseconds=1))],
)
def test_a_place_is_its_address_and_back(place: Place) -> None:
    assert place_of(place_text(place)) == place


@pytest.mark.parametrize(
    "text", ["", "x", "1.2.3", "1.9..0.5", "-1.1..0.5", "1.1..nan", "1.1..inf", "1.1.x.0"]
)
def test_what_is_no_place_is_none(text: str) -> None:
    assert place_of(text) is None


def test_the_tokens_stand_on_no_page(visitor: Visitor) -> None:
    for path in ("/", "/sign-in", "/sources"):
        assert not any(token in visitor.ask(path).text for token in TOKENS.values())
