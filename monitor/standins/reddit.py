"""What would Reddit's API answer? A small honest one on loopback, good enough that PRAW itself talks to it.

    with RedditStandin() as reddit:
        post = reddit.add_post("coffee", "Broken on arrival", "Two stars at best.")
        praw.Reddit(client_id=reddit.client_id, client_secret=reddit.client_secret, user_agent="a reader",
                    reddit_url=reddit.url, oauth_url=reddit.url, check_for_updates=False)

It knows app-only tokens, listings (`/r/A+B/new`, `/r/A/comments`, `/search`, `/r/A/search`, `/api/info`,
`/comments/ID`) with `limit`, `after`, `before`, `sort` and `t`, the x-ratelimit headers, and how Reddit
says no.
`fault()` makes it misbehave; `replay()` lets it give the answers of a recorded cassette instead.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

LISTING_END = 1_000  # Reddit shows no more of any listing
PAGE_MAX = 100  # things on one page of a listing
_PERIODS = {"hour": 3_600, "day": 86_400, "week": 604_800, "month": 2_592_000, "year": 31_536_000}
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(slots=True)
class Fault:
    """How to misbehave on requests whose path contains `where`; used up after `times` of them."""

    where: str
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)  # replaces what would be sent; "" leaves one out
    times: int | None = None  # None: for ever
    cut: bool = False  # the connection breaks in the middle of the body
    delay: float = 0.0  # seconds before the first byte
    drip: float = 0.0  # seconds between two bytes of the body
    honest: bool = False  # the true answer, with `headers` changed


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came in."""

    method: str
    path: str
    params: Mapping[str, str]
    user_agent: str


@dataclass(slots=True)
class _Answer:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class RedditStandin:
    """Reddit on 127.0.0.1, for as long as the `with` block runs; what it serves may change at any time."""

    def __init__(self, *, client_id: str = "standin-app", client_secret: str = "standin-secret") -> None:  # noqa: S107 - opens nothing
        self.client_id = client_id
        self.client_secret = client_secret
        self.things: dict[str, dict[str, Any]] = {}  # by fullname, oldest first
        self.private: set[str] = set()
        self.quarantined: set[str] = set()
        self.faults: list[Fault] = []
        self.asked: list[Asked] = []
        self.before_is_blind = False  # `before=` comes back empty although newer things exist
        self.used = 0
        self.allowance = 1_000  # requests in one window of ten minutes
        self.resets_in = 240  # seconds; PRAW spreads what is left over them, so early in a window it waits
        self.rate_headers = True
        self._subreddits: set[str] = set()
        self._number = 36**5  # ids are base 36, and grow
        self._recorded: dict[str, list[_Answer]] = {}
        self._lock = threading.RLock()
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    # -- the server

    def __enter__(self) -> RedditStandin:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(self._respond))
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="reddit-standin", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()

    @property
    def url(self) -> str:
        """Its address: both `reddit_url` and `oauth_url`."""
        if self._server is None:
            raise RuntimeError("the stand-in is not running: use it in a `with` block")
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    # -- what is said there

    def open(self, *subreddits: str) -> None:
        """Make subreddits that hold nothing yet."""
        self._subreddits.update(name.casefold() for name in subreddits)

    def add_post(
        self,
        subreddit: str,
        title: str,
        text: str = "",
        author: str | None = "someone",
        *,
        at: float | None = None,
        **more: Any,
    ) -> str:
        """A new submission; its fullname. `at` is Unix seconds (default: now); `more` sets any field."""
        with self._lock:
            self.open(subreddit)
            made = self._base("t3", subreddit, author, at)
            made |= {
                "title": title,
                "selftext": text,
                "is_self": bool(text),
                "num_comments": 0,
                "permalink": f"/r/{subreddit}/comments/{made['id']}/{_slug(title)}/",
                "url": f"https://www.reddit.com/r/{subreddit}/comments/{made['id']}/{_slug(title)}/",
                "removed_by_category": None,
                "over_18": False,
            }
            return self._keep(made | more)

    def add_comment(
        self, parent: str, text: str, author: str | None = "someone", *, at: float | None = None, **more: Any
    ) -> str:
        """A new answer to the thing named `parent`; its fullname."""
        with self._lock:
            above = self.things[parent]
            root = above["name"] if parent.startswith("t3_") else above["link_id"]
            made = self._base("t1", above["subreddit"], author, at)
            made |= {
                "body": text,
                "parent_id": parent,
                "link_id": root,
                "link_title": self.things[root].get("title", ""),
                "permalink": f"{self.things[root]['permalink']}{made['id']}/",
                "num_comments": self.things[root]["num_comments"] + 1,  # of the whole thread, as Reddit does
                "replies": "",
                "collapsed_reason_code": None,
            }
            self.things[root]["num_comments"] += 1
            return self._keep(made | more)

    def delete(self, name: str) -> None:
        """Its author took it back: the thing stays, its words and its author do not."""
        with self._lock:
            thing = self.things[name]
            thing |= {"author": "[deleted]", "body" if name.startswith("t1_") else "selftext": "[deleted]"}
            if name.startswith("t3_"):
                thing |= {"title": "[deleted by user]", "removed_by_category": "deleted"}

    def remove(self, name: str, by: str = "moderator") -> None:
        """A moderator, a filter or Reddit itself took it down."""
        with self._lock:
            thing = self.things[name]
            if name.startswith("t1_"):
                thing |= {"author": "[deleted]", "body": "[removed]", "collapsed_reason_code": "DELETED"}
            else:
                thing |= {"selftext": "[removed]", "removed_by_category": by, "is_robot_indexable": False}

    def edit(self, name: str, text: str, *, at: float | None = None) -> None:
        """Its author changed the words."""
        with self._lock:
            field_name = "body" if name.startswith("t1_") else "selftext"
            self.things[name] |= {field_name: text, "edited": float(int(time.time() if at is None else at))}

    # -- how it misbehaves

    def fault(self, where: str = "", **how: Any) -> Fault:
        """Misbehave where the path contains `where`, from now on; see `Fault` for how."""
        made = Fault(where, **how)
        with self._lock:
            self.faults.append(made)
        return made

    def behave(self) -> None:
        """No faults any more."""
        with self._lock:
            self.faults.clear()

    def replay(self, cassette: Mapping[str, Any]) -> None:
        """Give the answers of a recorded cassette (betamax or VCR) to the requests it recorded."""
        for taped in cassette.get("interactions") or cassette.get("http_interactions") or ():
            request, response = taped["request"], taped["response"]
            body = response.get("body") or {}
            if "base64_string" in body:
                data = base64.b64decode(body["base64_string"])
            else:
                data = str(body.get("string", "")).encode()
            said = request.get("body") or ""
            asked = said if isinstance(said, str) else str(said.get("string") or "")
            status = (
                response["status"]["code"] if isinstance(response["status"], dict) else response["status"]
            )
            headers = {
                name.lower(): values[0] if isinstance(values, list) else values
                for name, values in response["headers"].items()
                if name.lower().startswith(("content-type", "x-ratelimit", "retry-after"))
            }
            parts = urlsplit(request["uri"])
            key = _tape_key(request["method"], unquote(parts.path), parts.query, asked)
            self._recorded.setdefault(key, []).append(_Answer(status, data, headers))

    # -- answering

    def _respond(
        self, method: str, target: str, headers: Mapping[str, str], said: str
    ) -> tuple[_Answer, Fault | None]:
        parts = urlsplit(target)
        path = "/" + unquote(parts.path).strip("/")
        params = dict(parse_qsl(parts.query, keep_blank_values=True))
        with self._lock:
            self.asked.append(Asked(method, path, params, headers.get("user-agent", "")))
            fault = next(
                (f for f in self.faults if f.where in path and (f.times is None or f.times > 0)), None
            )
            if fault is not None and fault.times is not None:
                fault.times -= 1
            if fault is not None and not fault.honest:
                answer = _Answer(
                    fault.status, fault.body, {"content-type": "application/json; charset=UTF-8"}
                )
            elif path == "/api/v1/access_token" and not self._recorded:
                answer = self._token(headers, said)
            elif self._recorded:
                answer = self._from_tape(_tape_key(method, unquote(parts.path), parts.query, said))
            else:
                answer = self._listing_answer(path, params, headers)
            if self.rate_headers and path != "/api/v1/access_token" and not self._recorded:
                self.used += 1
                answer.headers |= {
                    "x-ratelimit-used": str(self.used),
                    "x-ratelimit-remaining": f"{max(0, self.allowance - self.used):.1f}",
                    "x-ratelimit-reset": str(self.resets_in),
                }
            if fault is not None:
                answer.headers |= fault.headers
                answer.headers = {name: value for name, value in answer.headers.items() if value}
            return answer, fault

    def _token(self, headers: Mapping[str, str], said: str) -> _Answer:
        wanted = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        if headers.get("authorization") != f"Basic {wanted}":
            return _error(401, "Unauthorized")
        if dict(parse_qsl(said)).get("grant_type") != "client_credentials":
            return _json({"error": "unsupported_grant_type"})
        return _json(
            {"access_token": "standin-token", "token_type": "bearer", "expires_in": 86400, "scope": "*"}
        )

    def _from_tape(self, key: str) -> _Answer:
        waiting = self._recorded.get(key)
        if not waiting:
            return _error(404, f"not on the tape: {key}")
        kept = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return _Answer(kept.status, kept.body, dict(kept.headers))

    def _listing_answer(self, path: str, params: Mapping[str, str], headers: Mapping[str, str]) -> _Answer:
        if headers.get("authorization", "").lower() != "bearer standin-token":
            answer = _error(401, "Unauthorized")
            answer.headers["www-authenticate"] = 'Bearer realm="reddit", error="invalid_token"'
            return answer
        raw = params.get("raw_json") == "1"
        match path.strip("/").split("/"):
            case ["r", names, ("new" | "comments" | "search") as what]:
                subreddits = {name.casefold() for name in names.split("+")}
                if refusal := self._refusal(subreddits):
                    return refusal
                inside = None if subreddits & {"all"} else subreddits
                if what == "search" and params.get("restrict_sr", "").lower() not in ("1", "true", "on"):
                    inside = None
                return self._page(self._chosen(what, inside, params), params, raw)
            case ["search"]:
                return self._page(self._chosen("search", None, params), params, raw)
            case ["api", "info"]:
                asked = params.get("id", "").split(",")[:PAGE_MAX]
                found = [self.things[name] for name in asked if name in self.things]
                return _json(_listing([_wrapped(thing, raw) for thing in found], None, None))
            case ["comments", id_, *_]:
                post = self.things.get(f"t3_{id_}")
                if post is None:
                    return _error(404, "Not Found")
                if refusal := self._refusal({post["subreddit"].casefold()}):
                    return refusal
                room = [int(params["limit"]) if params.get("limit", "").isdigit() else 200]
                tree = self._tree(post["name"], raw, room)
                head = _listing([_wrapped(post, raw)], None, None)
                return _json([head, _listing(tree, None, None)])
        return _error(404, "Not Found")

    def _refusal(self, subreddits: set[str]) -> _Answer | None:
        """How Reddit says no to a subreddit; a private one among several is left out in silence, as there."""
        if len(subreddits) > 1 or subreddits == {"all"}:
            return None
        (name,) = subreddits
        if name in self.private:
            return _error(403, "Forbidden", reason="private")
        if name in self.quarantined:
            return _error(403, "Forbidden", reason="quarantined")
        if name not in self._subreddits:
            where = f"https://oauth.reddit.com/subreddits/search.json?q={name}"
            return _Answer(302, b"", {"location": where, "content-type": "text/html"})
        return None

    def _chosen(self, what: str, inside: set[str] | None, params: Mapping[str, str]) -> list[dict[str, Any]]:
        """The things of one listing, newest first."""
        kind = "t1_" if what == "comments" else "t3_"
        hidden = self.private | self.quarantined
        chosen: Iterable[dict[str, Any]] = (
            thing
            for thing in self.things.values()
            if thing["name"].startswith(kind)
            and thing["subreddit"].casefold() not in hidden
            and (inside is None or thing["subreddit"].casefold() in inside)
            # What is deleted or removed is no longer listed; it can still be asked for by name.
            and thing.get("body", thing.get("selftext")) not in ("[deleted]", "[removed]")
        )
        if what == "search":
            since = time.time() - _PERIODS.get(params.get("t", "all"), 10**12)
            wanted = [
                part.strip().strip('"').casefold()
                for part in params.get("q", "").split(" OR ")
                if part.strip()
            ]
            chosen = (
                thing
                for thing in chosen
                if thing["created_utc"] >= since
                and any(words in f"{thing['title']}\n{thing['selftext']}".casefold() for words in wanted)
            )
        return sorted(chosen, key=lambda thing: (thing["created_utc"], thing["name"]), reverse=True)

    def _page(self, things: list[dict[str, Any]], params: Mapping[str, str], raw: bool) -> _Answer:
        size = int(params["limit"]) if params.get("limit", "").isdigit() else 25
        size = max(1, min(PAGE_MAX, size))
        things = things[:LISTING_END]
        names = [thing["name"] for thing in things]
        before = params.get("before")
        if before:
            newer = [] if self.before_is_blind or before not in names else things[: names.index(before)]
            page = newer[-size:]
            return _json(_listing([_wrapped(thing, raw) for thing in page], None, None))
        start = names.index(params["after"]) + 1 if params.get("after") in names else 0
        page = things[start : start + size]
        after = page[-1]["name"] if page and start + size < len(things) else None
        return _json(_listing([_wrapped(thing, raw) for thing in page], after, None))

    def _tree(self, parent: str, raw: bool, room: list[int]) -> list[dict[str, Any]]:
        """The answers below `parent`, with theirs; what has no room left is folded into a `more`."""
        here = [t for t in self.things.values() if t.get("parent_id") == parent]
        told: list[dict[str, Any]] = []
        for at, thing in enumerate(here):
            if room[0] <= 0:
                rest = [t["id"] for t in here[at:]]
                more = {"count": len(rest), "name": f"t1_{rest[0]}", "id": rest[0], "parent_id": parent}
                told.append({"kind": "more", "data": more | {"depth": 0, "children": rest}})
                break
            room[0] -= 1
            below = self._tree(thing["name"], raw, room)
            wrapped = _wrapped(thing, raw)
            wrapped["data"]["replies"] = _listing(below, None, None) if below else ""
            told.append(wrapped)
        return told

    # -- making things

    def _base(self, kind: str, subreddit: str, author: str | None, at: float | None) -> dict[str, Any]:
        self._number += 1
        id_ = _base36(self._number)
        created = float(int(time.time() if at is None else at))
        return {
            "name": f"{kind}_{id_}",
            "id": id_,
            "subreddit": subreddit,
            "subreddit_name_prefixed": f"r/{subreddit}",
            "author": author,
            "score": 1,
            "created": created,
            "created_utc": created,
            "edited": False,
            "distinguished": None,
            "stickied": False,
        }

    def _keep(self, thing: dict[str, Any]) -> str:
        name = str(thing["name"])
        self.things[name] = thing
        return name


def _handler_for(
    respond: Callable[[str, str, Mapping[str, str], str], tuple[_Answer, Fault | None]],
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """One connection a request: nothing lingers when a test ends."""

        timeout = 30

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

        def do_GET(self) -> None:
            length = self.headers.get("Content-Length", "0")
            said = self.rfile.read(int(length) if length.isdigit() else 0).decode("utf-8", "replace")
            answer, fault = respond(
                self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, said
            )
            if fault is not None and fault.delay:
                time.sleep(fault.delay)
            cut = fault is not None and fault.cut
            try:
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body) + (1_000 if cut else 0)))
                self.end_headers()
                if fault is not None and fault.drip:
                    for byte in answer.body:
                        self.wfile.write(bytes((byte,)))
                        time.sleep(fault.drip)
                else:
                    self.wfile.write(answer.body)
            except OSError:
                pass  # the reader gave up first
            self.close_connection = True

        do_POST = do_GET

    return Handler


def _tape_key(method: str, path: str, query: str, said: str) -> str:
    """A request without the order of its parameters."""
    asked = sorted(parse_qsl(query, keep_blank_values=True))
    return f"{method} /{path.strip('/')} {asked} {sorted(parse_qsl(said, keep_blank_values=True))}"


def _wrapped(thing: Mapping[str, Any], raw: bool) -> dict[str, Any]:
    """A thing as Reddit sends it: its words escaped, unless raw_json=1 was asked."""
    data = dict(thing)
    if not raw:
        for name in ("body", "selftext", "title"):
            if isinstance(data.get(name), str):
                data[name] = data[name].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"kind": thing["name"][:2], "data": data}


def _listing(children: list[dict[str, Any]], after: str | None, before: str | None) -> dict[str, Any]:
    data = {"after": after, "before": before, "dist": len(children), "modhash": "", "children": children}
    return {"kind": "Listing", "data": data}


def _json(value: object, status: int = 200) -> _Answer:
    return _Answer(status, json.dumps(value).encode(), {"content-type": "application/json; charset=UTF-8"})


def _error(status: int, message: str, **more: str) -> _Answer:
    return _json({"message": message, "error": status} | more, status)


def _slug(title: str) -> str:
    return (
        "_".join("".join(c if c.isascii() and c.isalnum() else " " for c in title).lower().split())[:50]
        or "_"
    )


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
    return digits or "0"
