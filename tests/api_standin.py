"""One stand-in for all JSON APIs: it serves the saved answers of tests/pages/presets, and its moods.

`CASES` is the list of sources: a new one is one entry here. Run as a program it crawls every source several
times against itself and prints what came of it:

    python tests/api_standin.py lowstar.db
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

PAGES = Path(__file__).resolve().parent / "pages" / "presets"
AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
GONE = "Gone soon"  # in the words of what is deleted later
EDIT = ("after a day", "after a week")  # what the author of another changes later


@dataclass(frozen=True)
class Case:
    """One source: what it is told, what it should find, and which answer belongs to which request."""

    kind: str
    options: Mapping[str, Any]
    # (words of the request's address, saved answer): the first that fits is served
    answers: Sequence[tuple[str, str]]
    ids: Sequence[str]  # of everything it should find, in any order
    keys: Mapping[str, str] = field(default_factory=dict)
    auth: str = ""  # "header: value" or "name=value": what every request must carry
    notices: str = ""  # how a deletion is noticed: "absence", "flag", "again"; "" not at all
    link: Mapping[str, str] = field(default_factory=dict)  # answer → query of its `Link: rel="next"`
    pad: int = 0  # a full page has so many items
    # What is asked for by id: the ids an address names, and the frame their items come in. What has been
    # deleted is left out, or answered with `lost` where that is how the API says it.
    again: Callable[[str], list[str]] = lambda asked: []
    frame: Callable[[list[Any]], Any] = lambda items: items[0]
    lost: tuple[int, Any] | None = None
    edited: str = ""  # id of what is edited
    gone: str = ""  # id of what is deleted
    # One review by its id: what in the request's address comes before it, the listing's items, their key; its frame.
    single: tuple[str, str, str, str] = ("", "", "", "")
    login: str = ""  # what the request for a token must carry


def in_path(pattern: str, between: str = "") -> Callable[[str], list[str]]:
    """The ids an address names."""

    def ids(asked: str) -> list[str]:
        found = re.search(pattern, asked)
        return [] if found is None else found[1].split(between) if between else [found[1]]

    return ids


BEARER = "authorization: Bearer token-of-a-test"
X = 2124534292804534000
M = 115600000000000000
BSKY = "at://did:plc:aaaaaaaaaaaaaaaaaaaaaaaa/app.bsky.feed.post/"
CASES = (
    Case(
        "steam",
        {"apps": ["329070"]},
        [("AoJ4+last", "end"), ("AoJ4+next", "page2"), ("GetAppReviews", "page1")],
        ["101", "102", "103", "104"],
        notices="absence",
        edited="102",
        gone="103",
    ),
    Case(
        "app_store",
        {"apps": ["383298204"], "countries": ["de"]},
        [("/page=1/", "page1"), ("/page=2/", "page2"), ("/page=", "end")],
        ["201", "202", "203", "204"],
        edited="202",
    ),
    Case(
        "mastodon",
        {"hashtags": ["#kaffa"]},
        [("statuses?", "again"), ("max_id=", "page2"), ("/tag/kaffa", "page1")],
        [str(M + 3), str(M + 2), str(M + 1), str(M)],
        keys={"token": "token-of-a-test"},
        auth=BEARER,
        notices="again",
        link={"page1": f"limit=40&max_id={M + 1}"},
        edited=str(M + 2),
        gone=str(M + 1),
    ),
    Case(
        "bluesky",
        {"queries": ["Kaffa"]},
        [
            ("createSession", "session"),
            ("getPosts", "again"),
            ("cursor=100", "page2"),
            ("searchPosts", "page1"),
        ],
        [BSKY + "3a", BSKY + "3b", BSKY + "3c", BSKY + "3d"],
        keys={"handle": "kaffa.bsky.example", "app_password": "secret-of-a-test"},
        auth="authorization: Bearer session-of-a-test",
        notices="again",
        edited=BSKY + "3b",
        gone=BSKY + "3c",
    ),
    Case(
        "youtube",
        {"videos": ["F1UP7wRCPH8"]},
        [
            ("parentId=UgA", "replies"),
            ("id=Ug", "again"),
            ("pageToken=P2", "page2"),
            ("commentThreads", "page1"),
        ],
        ["UgA", "UgA.1", "UgA.2", "UgB", "UgD"],
        keys={"key": "key-of-a-test"},
        auth="x-goog-api-key: key-of-a-test",
        notices="again",
        edited="UgB",
        gone="UgA.1",
    ),
    Case(
        "trustpilot",
        {"business_units": ["46d6a890ffa235a75b00021d"]},
        [("&page=2", "page2"), ("&page=3", "end"), ("/reviews", "page1")],
        ["tp-a", "tp-b", "tp-c", "tp-d"],
        keys={"key": "key-of-a-test"},
        auth="apikey: key-of-a-test",
        notices="again",
        edited="tp-b",
        gone="tp-c",
        single=("v1/reviews/", "reviews", "id", ""),
    ),
    Case(
        "trustpilot_private",
        {"business_units": ["46d6a890ffa235a75b00021d"]},
        [
            ("accesstoken", "token"),
            ("&page=2", "page2"),
            ("&page=3", "end"),
            ("private/business-units", "page1"),
        ],
        ["tp-a", "tp-b", "tp-c", "tp-d"],
        keys={"key": "key-of-a-test", "secret": "secret-of-a-test"},
        auth="authorization: Bearer access-of-a-test",
        login="authorization: Basic a2V5LW9mLWEtdGVzdDpzZWNyZXQtb2YtYS10ZXN0",
        notices="again",
        edited="tp-b",
        gone="tp-c",
        single=("v1/reviews/", "reviews", "id", ""),
    ),
    Case(
        "google_places",
        {"places": ["ChIJkaffa"]},
        [("places/ChIJkaffa", "page1")],
        [f"places/ChIJkaffa/reviews/{one}" for one in "abc"],
        keys={"key": "key-of-a-test"},
        auth="x-goog-api-key: key-of-a-test",
        edited="places/ChIJkaffa/reviews/b",
    ),
    Case(
        "google_business",
        {
            "locations": ["accounts/1/locations/2", "accounts/1/locations/3"],
            "titles": ["Kaffa Bonn", "Kaffa Ulm"],
        },
        [
            ("oauth/token", "token"),
            ('"pageToken": "B2"', "batch2"),
            (":batchGetReviews", "batch"),
            ("pageToken=P2", "page2"),
            ("locations/3/reviews", "place3"),
            ("/reviews", "page1"),
        ],
        ["gb-a", "gb-b", "gb-c", "gb-d", "gb-e"],
        keys={"client_id": "client", "client_secret": "secret", "refresh_token": "refresh"},
        auth="authorization: Bearer access-of-a-test",
        notices="again",
        edited="gb-b",
        gone="gb-c",
        single=("/reviews/", "reviews", "reviewId", ""),
    ),
    Case(
        "yelp",
        {"businesses": ["kaffa-bonn"]},
        [("/reviews", "page1"), ("kaffa-bonn", "business")],
        ["ye-a", "ye-b", "ye-c"],
        keys={"key": "token-of-a-test"},
        auth=BEARER,
        edited="ye-b",
    ),
    Case(
        "stack_exchange",
        {"queries": ["Kaffa"]},
        [("page=2", "page2"), ("search/advanced", "page1")],
        [f"stackoverflow/{one}" for one in (501, 502, 503, 504)],
        again=in_path(r"/questions/([\d;]+)", ";"),
        frame=lambda items: {"items": items, "has_more": False},
        notices="again",
        edited="stackoverflow/502",
        gone="stackoverflow/503",
    ),
    Case(
        "discourse",
        {},
        [("before=600", "page2"), ("before=", "end"), ("posts.json", "page1")],
        ["603", "602", "601", "500"],
        keys={"api_key": "key-of-a-test", "api_username": "kaffa"},
        auth="api-key: key-of-a-test",
        again=in_path(r"/posts/(\d+)\.json"),
        lost=(404, {"errors": ["The requested URL could not be found."], "error_type": "not_found"}),
        notices="flag",
        edited="602",
        gone="601",
    ),
    Case(
        "lemmy",
        {"queries": ["Kaffa"]},
        [("type_=Posts", "page2"), ("page=2", "end"), ("type_=Comments", "page1")],
        [
            *(f"https://lemmy.example/comment/{one}" for one in (701, 702, 703)),
            "https://lemmy.example/post/9",
        ],
        again=in_path(r"/(?:post|comment)\?id=(\d+)"),
        frame=lambda items: {"comment_view" if "comment" in items[0] else "post_view": items[0]},
        lost=(404, {"error": "couldnt_find_comment"}),
        notices="flag",
        pad=50,
        edited="https://lemmy.example/comment/702",
        gone="https://lemmy.example/comment/703",
    ),
    Case(
        "github",
        {"queries": ["Kaffa One"], "repositories": ["acme/shop"]},
        [
            ("page=2", "page2"),
            ("search/issues", "page1"),
            ("discussions", "discussions"),
            ("issues/comments", "comments"),
            ("repos/acme/shop/issues", "discussions"),
        ],
        ["I_801", "I_802", "I_803", "I_804", "D_1", "IC_7"],
        keys={"token": "token-of-a-test"},
        auth=BEARER,
        link={"page1": "per_page=100&page=2"},
        again=in_path(r"/(?:issues|discussions|comments)/(\d+)$"),
        lost=(410, {"message": "This issue was deleted", "status": "410"}),
        notices="again",
        edited="I_802",
        gone="I_803",
    ),
    Case(
        "google_play_owner",
        {"apps": ["com.kaffa.shop"]},
        [("token=P2", "page2"), ("/reviews", "page1")],
        ["gp:a", "gp:b", "gp:c", "gp:d"],
        keys={"token": "token-of-a-test"},
        auth=BEARER,
        notices="again",
        edited="gp:b",
        gone="gp:c",
        single=("/reviews/", "reviews", "reviewId", ""),
    ),
    Case(
        "app_store_connect",
        {"apps": ["383298204"]},
        [("cursor=P2", "page2"), ("customerReviews", "page1")],
        ["ac-a", "ac-b", "ac-c", "ac-d"],
        keys={"token": "token-of-a-test"},
        auth=BEARER,
        notices="again",
        edited="ac-b",
        gone="ac-c",
        single=("v1/customerReviews/", "data", "id", "data"),
    ),
    Case(
        "x",
        {"queries": ["Kaffa"], "budget": 10_000, "recheck": True},
        [("next_token=P2", "page2"), ("search/recent", "page1")],
        [str(X + 3), str(X + 2), str(X + 1), str(X)],
        keys={"token": "token-of-a-test"},
        auth=BEARER,
        again=in_path(r"[?&]ids=([\d,]+)", ","),
        frame=lambda items: {
            "data": items,
            "includes": saved("x", "page1")["includes"],
            "errors": [{"type": "https://api.x.com/2/problems/resource-not-found"}],
        },
        notices="again",
        edited=str(X + 2),
        gone=str(X + 1),
    ),
    Case(
        "threads",
        {"queries": ["Kaffa"]},
        [("after=P2", "page2"), ("keyword_search", "page1")],
        ["901", "902", "903", "904"],
        keys={"token": "token-of-a-test"},
        auth="access_token=token-of-a-test",
        again=in_path(r"/v1\.0/(\d+)\?"),
        lost=(400, {"error": {"message": "No such object.", "code": 100, "error_subcode": 33}}),
        notices="again",
        edited="902",
        gone="903",
    ),
    Case(
        "facebook",
        {"pages": ["19292868552"]},
        [("ratings", "ratings"), ("tagged", "tagged"), ("after=P2", "page2"), ("published_posts", "page1")],
        ["19292868552_b", "19292868552_c", "19292868552_d", "88_e"],  # and two recommendations without an id
        keys={"token": "token-of-a-test"},
        auth="access_token=token-of-a-test",
        again=in_path(r"[?&]ids=([\w,]+)", ","),
        frame=lambda items: {item["id"]: item for item in items},
        lost=(400, {"error": {"message": "(#803) Some of the aliases do not exist", "code": 803}}),
        notices="again",
        edited="19292868552_b",
        gone="19292868552_c",
    ),
    Case(
        "instagram",
        {"accounts": ["178400"], "mentioned_media": ["1787"], "mentioned_comments": ["1788"]},
        [
            ("mentioned_media", "media"),
            ("mentioned_comment", "comment"),
            ("/tags", "tags"),
            ("after=P2", "page2"),
            ("/media", "page1"),
        ],
        ["1781", "1782", "1783", "1784", "1785", "1786", "1787", "1788"],
        keys={"token": "token-of-a-test"},
        auth="access_token=token-of-a-test",
        again=in_path(r"[?&]ids=([\d,]+)", ","),
        frame=lambda items: {item["id"]: {**item, "replies": {"data": []}} for item in items},
        lost=(400, {"error": {"message": "Unsupported get request.", "code": 100, "error_subcode": 33}}),
        notices="again",
        edited="1782",
        gone="1783",
    ),
    Case(
        "tripadvisor",
        {"locations": ["89575"]},
        [("/reviews", "page1")],
        ["991", "992", "993"],
        keys={"key": "key-of-a-test"},
        auth="key=key-of-a-test",
        edited="992",
    ),
)


def saved(kind: str, name: str) -> Any:
    """A saved answer, decoded; it may hold NaN, as answers do."""
    return json.loads((PAGES / kind / f"{name}.json").read_text(encoding="utf-8"))


def without(value: Any, words: str) -> Any:
    """`value` without the list items that hold `words`, the innermost ones."""
    if isinstance(value, list):
        kept = [without(one, words) for one in value]
        # What is said in turns is one item with all of them.
        turns = any(isinstance(one, dict) and "userComment" in one for one in value)
        return [one for one in kept if turns or words not in json.dumps(one, ensure_ascii=False)]
    if isinstance(value, dict):
        return {name: without(one, words) for name, one in value.items()}
    return value


def flagged(value: Any, words: str) -> Any:
    """`value` with the items that hold `words` marked as deleted by their author."""
    if isinstance(value, list):
        return [flagged(one, words) for one in value]
    if isinstance(value, dict):
        mark = {"deleted": True, "deleted_at": "2026-11-23T00:00:00Z"}
        own = words in json.dumps([one for one in value.values() if isinstance(one, str)], ensure_ascii=False)
        return {name: flagged(one, words) for name, one in value.items()} | (mark if own else {})
    return value


def padded(value: Any, size: int) -> Any:
    """`value` whose comments are filled up to `size` with copies of the first."""
    items = value["comments"]
    text = json.dumps(items[0])
    copies = [
        json.loads(text.replace("comment/701", f"comment/701{n}").replace('"id": 701', f'"id": 701{n}'))
        for n in range(size - len(items))
    ]
    return {**value, "comments": [*items, *copies]}


class ApiStandin:
    """Serves /KIND/… as the API of that kind. `mood` is "well", "later", "html", "broken" or "denied"."""

    def __init__(self) -> None:
        self.mood = "well"
        self.stumbles: dict[str, list[int]] = {}  # by kind: what it answers before it answers well
        self.asked: list[tuple[str, str]] = []
        self.unauthorised: list[str] = []
        standin = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                standin.answer(self)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                standin.answer(self, body.decode())

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

        self.server = Server(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    def url(self, path: str = "") -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/{path}"

    def __enter__(self) -> ApiStandin:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def answer(self, request: BaseHTTPRequestHandler, said: str = "") -> None:
        kind = urlsplit(request.path).path.strip("/").partition("/")[0]
        self.asked.append((kind, f"{request.path} {said}".rstrip()))
        status, body, headers = self._answer(kind, request, said)
        data = body.encode()
        request.send_response(status)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Content-Length": str(len(data)),
            **headers,
        }
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(data)

    def _answer(
        self, kind: str, request: BaseHTTPRequestHandler, said: str
    ) -> tuple[int, str, dict[str, str]]:
        case = next((one for one in CASES if one.kind == kind), None)
        if case is None:
            return 404, "not here", {}
        asked = unquote(request.path.replace("+", " ").replace("%2B", "+")) + said
        is_login = request.command == "POST" and not said.startswith('{"locationNames"')
        if is_login and case.login and not _carries(case.login, request):
            self.unauthorised.append(request.path)
            return 401, json.dumps({"error": "invalid_client"}), {}
        if case.auth and not is_login and not _carries(case.auth, request):
            self.unauthorised.append(request.path)
            return 401, json.dumps({"error": {"message": "no key"}}), {}
        if self.mood == "html":
            return 200, "<!doctype html><title>Down for maintenance</title>", {"Content-Type": "text/html"}
        if self.mood == "broken":
            return 200, '{"reviews": [{"id": 1, "text": "cut off', {}
        if self.mood == "denied" and not is_login:
            body = {"error": {"code": 403, "message": "This key may not do that.", "status": "NO_SUCH_CODE"}}
            return 403, json.dumps(body), {}
        stumbles = self.stumbles.get(kind)
        if stumbles and not is_login:
            return stumbles.pop(0), json.dumps({"error": "not now"}), {"Retry-After": "0"}
        before, among, key, frame = case.single
        if before and (one := asked.partition(before)[2].partition("?")[0]):
            return self._one(case, one, among, key, frame)

        if ids := case.again(asked):
            items = [item for one in ids for item in self._held(kind, one, case)]
            if case.pad and not items:
                copies = padded(saved(kind, "page1"), case.pad)["comments"]
                items = [one for one in copies if str(one["comment"]["id"]) in ids]
            if len(items) < len(ids) and case.lost is not None:
                return case.lost[0], json.dumps(case.lost[1]), {}
            return 200, json.dumps(case.frame(items)), {}
        name = next((name for words, name in case.answers if words in asked), "")
        if not name:
            return 404, json.dumps({"error": {"message": "no such thing"}}), {}
        body = saved(kind, name)
        if case.pad and name == "page1":
            body = padded(body, case.pad)
        if self.mood == "later":
            body = flagged(body, GONE) if case.notices == "flag" else without(body, GONE)
            body = json.loads(json.dumps(body).replace(*EDIT))
        link = {"Link": f'<https://api.example/x?{case.link[name]}>; rel="next"'} if name in case.link else {}
        return 200, json.dumps(body, ensure_ascii=False), link

    def _one(self, case: Case, one: str, among: str, key: str, frame: str) -> tuple[int, str, dict[str, str]]:
        """A review by its id, out of whatever listing it is in."""
        for path in sorted((PAGES / case.kind).glob("*.json")):
            listing = saved(case.kind, path.stem)
            for item in listing.get(among, ()):
                if item.get(key) != one or (self.mood == "later" and GONE in json.dumps(item)):
                    continue
                whole = {**listing, frame: item} if frame else item
                text = json.dumps(whole, ensure_ascii=False)
                return 200, text.replace(*EDIT) if self.mood == "later" else text, {}
        return (
            404,
            json.dumps({"error": {"code": 404, "status": "NOT_FOUND", "message": "no such review"}}),
            {},
        )

    def _held(self, kind: str, wanted: str, case: Case) -> list[Any]:
        """What the saved answers of a kind hold by this id, in the mood of the moment."""
        for path in sorted((PAGES / kind).glob("*.json")):
            body = saved(kind, path.stem)
            if self.mood == "later":
                body = flagged(body, GONE) if case.notices == "flag" else without(body, GONE)
                body = json.loads(json.dumps(body).replace(*EDIT))
            if (found := held(body, wanted)) is not None:
                return [found]
        return []


def held(value: Any, wanted: str) -> Any:
    """The item with this id, or this number, wherever it is in `value`."""
    if isinstance(value, list):
        return next((one for inner in value if (one := held(inner, wanted)) is not None), None)
    if not isinstance(value, dict):
        return None
    inside = [value.get(part) for part in ("post", "comment") if isinstance(value.get(part), dict)]
    for one in [value, *inside[-1:]]:
        if wanted in (str(one.get("id")), str(one.get("number")), str(one.get("question_id"))):
            return value
    return held(list(value.values()), wanted)


def _carries(auth: str, request: BaseHTTPRequestHandler) -> bool:
    name, colon, value = auth.partition(": ")
    return request.headers.get(name) == value if colon else auth in request.path


def main(database: str) -> None:
    """Crawl all sources in five moods and print what came of it, as JSON."""
    from monitor.config import Config, Crawl, Source
    from monitor.config_apis import variable
    from monitor.ingest import about, ingest
    from monitor.match import Brand
    from monitor.runner import desk_for
    from spiders.crawl import crawl
    from storage.records import Mention, Removal
    from storage.store import open_store

    rounds: dict[str, Any] = {}
    with ApiStandin() as standin, open_store(f"sqlite:///{database}") as store:
        sources = tuple(
            Source(
                name=f"our {case.kind}",
                kind=case.kind,
                about=("Kaffa",),
                deadline=timedelta(seconds=40),
                options={
                    **case.options,
                    "api_url": standin.url(case.kind),
                    "token_url": standin.url(f"{case.kind}/oauth/token"),
                },
            )
            for case in CASES
        )
        keys = {variable(case.kind, name): value for case in CASES for name, value in case.keys.items()}
        config = Config(
            path=Path("lowstar.toml"),
            brands=(Brand(name="Kaffa", terms=("Kaffa",)),),
            sources=sources,
            routes=(),
            crawl=Crawl(delay=timedelta(0), allow_hosts=("127.0.0.1",)),
            keys=keys,
        )
        desk = desk_for(config)
        plan = [
            ("first", "well", AT),
            ("again", "well", AT + timedelta(minutes=30)),
            ("later", "later", AT + timedelta(hours=1)),
            ("sweep", "later", AT + timedelta(days=8)),
            ("html", "html", AT + timedelta(days=9)),
            ("broken", "broken", AT + timedelta(days=10)),
            ("denied", "denied", AT + timedelta(days=11)),
        ]
        standin.stumbles = {case.kind: [429, 503] for case in CASES}
        for name, mood, at in plan:
            standin.mood = mood
            standin.asked.clear()
            found: dict[str, list[Mention | Removal]] = {case.kind: [] for case in CASES}

            def sink_for(source: Source, run: Any, found: Any = found, at: Any = at) -> Any:
                def sink(items: Sequence[Mention | Removal]) -> Any:
                    found[source.kind] += items
                    return ingest(about(items, source.about), store, desk, at)

                return sink

            runs = crawl(config, sources, store=store, sink_for=sink_for, clock=lambda at=at: at)
            with store.reading() as ledger:
                spent = {source.kind: ledger.cursor(source.name, "spent") for source in sources}
            rounds[name] = {
                case.kind: {
                    "outcome": run.outcome.value,
                    "reason": run.reason,
                    "found": run.found,
                    "new": run.new,
                    "changed": run.changed,
                    "pages": run.pages,
                    "spent": spent[case.kind],
                    "asked": [path for kind, path in standin.asked if kind == case.kind],
                    "mentions": [_told(one) for one in found[case.kind] if isinstance(one, Mention)],
                    "removed": [one.external_id for one in found[case.kind] if isinstance(one, Removal)],
                }
                for case, run in zip(CASES, runs, strict=True)
            }
        rounds["unauthorised"] = standin.unauthorised
    json.dump(rounds, sys.stdout)


def _told(mention: Any) -> dict[str, Any]:
    names = (
        "external_id", "kind", "url", "title", "text", "author", "author_followers", "entity", "stars",
        "rating_raw", "reach", "language", "published_at", "edited_at", "owner_reply", "owner_replied_at",
        "text_truncated", "in_reply_to", "reference",
    )  # fmt: skip
    return {
        name: value.isoformat() if isinstance(value := getattr(mention, name), datetime) else value
        for name in names
    }


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    main(sys.argv[1])
