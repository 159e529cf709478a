"""The demo's small web: review pages, a forum, a feed and a search API about Lapwing Coffee, served on loopback.

Brand, people and texts are invented for lowstar; `data/mentions.jsonl` has one line a mention. Dates are offsets
from `today`, ids are stable: the web is always about the last five weeks, and a second crawl finds the same.
"""

from __future__ import annotations

import html
import json
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

BRAND = "Lapwing Coffee"
PER_PAGE = 20
FORUM_PER_PAGE = 10

FORUM_OPTIONS: dict[str, Any] = {
    "item": "article.post",
    "next": "a.next::attr(href)",
    "kind": "post",
    "fields": {
        "id": "::attr(data-post-id)",
        "text": ".body",
        "author": ".author::text",
        "date": "time::attr(datetime), .age::text",
        "url": "a.permalink::attr(href)",
        "reach": ".likes::text",
    },
}

Line = Mapping[str, Any]

# What `later=True` changes: a customer who was called back, and one who took her post down.
_LATER: dict[str, dict[str, Any]] = {
    "g1001": {
        "stars": 4,
        "text": "Update: they called, said sorry and paid me back the same day. Fair enough.",
    },
    "g1036": {"gone": True},
}

_MONTHS_DE = (
    "Januar", "Februar", "März", "April", "Mai", "Juni",
    "Juli", "August", "September", "Oktober", "November", "Dezember",
)  # fmt: skip

_UNITS = {"h": "hours", "d": "days"}

_CSS = """
body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fdfcf9}
article,.bewertung{border:1px solid #ddd;border-radius:8px;padding:.8rem 1rem;margin:1rem 0;background:#fff}
h1{font-size:1.5rem}.meta,.author,.age,time{color:#666;font-size:.9rem}.stars{color:#a35200}nav{margin:2rem 0}
.reply{border-left:3px solid #9bb;padding-left:.8rem;margin:.6rem 0 0}
"""


@cache
def lines() -> tuple[Line, ...]:
    """Every mention of the demo, as written in its data file."""
    text = files("monitor.demo").joinpath("data/mentions.jsonl").read_text("utf-8")
    return tuple(json.loads(line) for line in text.splitlines() if line)


def of_site(site: str, *, later: bool = False) -> list[dict[str, Any]]:
    """The mentions of one site, newest first; with `later`, as they stand some days after."""
    found = []
    for line in lines():
        if line["site"] == site:
            change = _LATER.get(line["id"], {}) if later else {}
            if not change.get("gone"):
                found.append({**line, **change})
    return found


def posted_at(line: Line, today: datetime) -> datetime:
    """When a mention was posted, `today` being the day the demo is shown."""
    day = today - timedelta(days=line["days"])
    time = line.get("time", "")
    if ":" in time:
        hour, minute = (int(part) for part in time.split(":"))
        at = day.replace(hour=hour, minute=minute, second=0, microsecond=0)
        return at if at < today else at - timedelta(days=1)
    if time.endswith(" h"):
        return today - timedelta(hours=int(time[:-2]))
    # Spread what has no time of its own over the day, the same way each time.
    return day.replace(
        hour=8 + len(line["id"] + line["author"]) % 9, minute=(len(line["text"]) * 7) % 60, second=0
    )


def reddit_things(today: datetime) -> list[dict[str, Any]]:
    """What the Reddit stand-in is filled with: posts and comments, oldest first."""
    things = []
    for line in of_site("reddit"):
        at = posted_at(line, today)
        things.append(
            {
                "kind": line["kind"],
                "id": line["id"],
                "subreddit": line["sub"],
                "title": line.get("title", ""),
                "body": line["text"],
                "author": line["author"],
                "created_utc": at.timestamp(),
                "score": line.get("reach", 1),
                "parent": line.get("parent", ""),
            }
        )
    return sorted(things, key=lambda thing: (thing["kind"] != "post", thing["created_utc"]))


# --- pages -----------------------------------------------------------------------------------------------------


def _page(title: str, body: str, head: str = "", lang: str = "en") -> str:
    return (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{_CSS}</style>{head}</head><body><h1>{html.escape(title)}</h1>{body}</body></html>"
    )


def _ld(data: Any) -> str:
    # "</script>" inside a string would end the block: what every careful site does.
    return json.dumps(data, ensure_ascii=False).replace("</", "<\\/")


def guide_page(number: int, today: datetime, base: str, *, later: bool = False) -> str | None:
    """A page of the review guide: schema.org JSON-LD, newest first, `rel=next`. None past the end."""
    every = of_site("guide", later=later)
    part = every[(number - 1) * PER_PAGE : number * PER_PAGE]
    if not part:
        return None
    reviews, shown = [], []
    for line in part:
        review: dict[str, Any] = {
            "@type": "Review",
            # The site's own name for it, the same wherever the demo is served from.
            "@id": f"https://guide.example/review/{line['id']}",
            "identifier": line["id"],
            "url": f"{base}/guide/review/{line['id']}",
            "author": {"@type": "Person", "name": line["author"]},
            "datePublished": posted_at(line, today).isoformat(),
            "reviewRating": {"@type": "Rating", "ratingValue": str(line["stars"]), "bestRating": "5"},
            "itemReviewed": {"@type": "LocalBusiness", "name": line["place"]},
        }
        if line["text"]:
            review["reviewBody"] = line["text"]
        if line.get("title"):
            review["name"] = line["title"]
        if line.get("lang"):
            review["inLanguage"] = line["lang"]
        if line.get("reach"):
            review["interactionStatistic"] = {
                "@type": "InteractionCounter",
                "interactionType": "https://schema.org/LikeAction",
                "userInteractionCount": line["reach"],
            }
        reply = ""
        if line.get("reply"):
            replied = today - timedelta(days=line["reply_days"])
            review["comment"] = {
                "@type": "Comment",
                "author": {"@type": "Organization", "name": BRAND},
                "text": line["reply"],
                "dateCreated": replied.isoformat(),
            }
            reply = f'<p class="reply">{html.escape(line["reply"])}</p>'
        reviews.append(review)
        shown.append(
            f'<article id="{line["id"]}"><b>{html.escape(line.get("title", ""))}</b> '
            f'<span class="stars">{"★" * round(line["stars"])}</span>'
            f"<p>{html.escape(line['text'])}</p><p class=meta>{html.escape(line['author'])}, "
            f"{html.escape(line['place'])}</p>{reply}</article>"
        )
    business = {
        "@context": "https://schema.org",
        "@type": "Organization",
        "name": BRAND,
        "aggregateRating": {
            "@type": "AggregateRating",
            "ratingValue": f"{sum(line['stars'] for line in every) / len(every):.1f}",
            "reviewCount": len(every),
        },
        "review": reviews,
    }
    head = f'<script type="application/ld+json">{_ld(business)}</script>'
    if number == 2:  # one broken block among good ones, as on many real pages
        broken = '{"@context": "https://schema.org", "@type": "BreadcrumbList", '
        head += f'<script type="application/ld+json">{broken}</script>'
    follow = ""
    if number * PER_PAGE < len(every):
        head += f'<link rel="next" href="/guide?page={number + 1}">'
        follow = f'<nav><a rel="next" href="/guide?page={number + 1}">Next page</a></nav>'
    return _page(f"{BRAND}: what guests say", "".join(shown) + follow, head)


def shop_page(number: int, today: datetime, *, later: bool = False) -> str | None:
    """A page of an older German shop portal: microdata, marks out of ten with decimal commas, written-out dates."""
    every = of_site("shop", later=later)
    part = every[(number - 1) * PER_PAGE : number * PER_PAGE]
    if not part:
        return None
    shown = []
    for line in part:
        day = posted_at(line, today)
        mark = f"{line['stars']:g}".replace(".", ",")
        title = f'<b itemprop="name">{html.escape(line["title"])}</b>' if line.get("title") else ""
        shown.append(
            f'<div class="bewertung" itemprop="review" itemscope itemtype="http://schema.org/Review" id="{line["id"]}">'
            f'<meta itemprop="identifier" content="{line["id"]}">{title}'
            '<span class="stars" itemprop="reviewRating" itemscope itemtype="http://schema.org/Rating">'
            f'<span itemprop="ratingValue">{mark}</span> von <span itemprop="bestRating">10</span></span>'
            f'<p itemprop="reviewBody">{html.escape(line["text"])}</p>'
            f'<p class=meta><span itemprop="author">{html.escape(line["author"])}</span>, '
            f'<span itemprop="datePublished">{day.day}. {_MONTHS_DE[day.month - 1]} {day.year}</span></p></div>'
        )
    follow = (
        f'<nav><a rel="next" href="/shop?seite={number + 1}">Weiter</a></nav>'
        if number * PER_PAGE < len(every)
        else ""
    )
    body = (
        '<div itemscope itemtype="http://schema.org/Store">'
        f'<p>Bewertungen für <span itemprop="name">{BRAND}</span></p>{"".join(shown)}</div>{follow}'
    )
    return _page(f"ShopSterne: {BRAND}", body, lang="de")


def forum_page(number: int, today: datetime, *, later: bool = False) -> str | None:
    """A page of a forum: no structured data, some dates as "3 days ago"; read by `FORUM_OPTIONS`."""
    every = of_site("forum", later=later)
    part = every[(number - 1) * FORUM_PER_PAGE : number * FORUM_PER_PAGE]
    if not part:
        return None
    shown = []
    for line in part:
        age = line.get("time", "")
        if age:
            amount, unit = age.split()
            when = f'<span class="age">{amount} {_UNITS[unit]} ago</span>'
        else:
            at = posted_at(line, today)
            when = f'<time datetime="{at.isoformat()}">{at:%d %b}</time>'
        shown.append(
            f'<article class="post" data-post-id="{line["id"]}">'
            f'<span class="author">{html.escape(line["author"])}</span> '
            f'{when} <a class="permalink" href="/forum/post/{line["id"]}">#</a>'
            f'<div class="body">{html.escape(line["text"])}</div>'
            f'<span class="likes">{line.get("reach", 0)}</span> likes</article>'
        )
    follow = (
        f'<nav><a class="next" href="/forum?page={number + 1}">Older posts</a></nav>'
        if number * FORUM_PER_PAGE < len(every)
        else ""
    )
    return _page("Home Barista Board: everything about Lapwing", "".join(shown) + follow)


def feed(today: datetime, base: str) -> str:
    """The news as an Atom feed."""
    entries = []
    for line in of_site("feed"):
        at = posted_at(line, today).isoformat()
        entries.append(
            f"<entry><id>urn:lowstar-demo:{line['id']}</id><title>{html.escape(line['title'])}</title>"
            f'<link href="{base}/news/{line["id"]}"/><published>{at}</published><updated>{at}</updated>'
            f"<author><name>{html.escape(line['author'])}</name></author>"
            f'<content type="html">{html.escape("<p>" + html.escape(line["text"]) + "</p>")}</content></entry>'
        )
    return (
        '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Coffee news</title>'
        f"<id>urn:lowstar-demo:feed</id><updated>{today.isoformat()}</updated>{''.join(entries)}</feed>"
    )


def hn_answer(query: Mapping[str, list[str]], today: datetime) -> dict[str, Any]:
    """An answer in the shape of Hacker News' Algolia search, newest first."""
    words = query.get("query", [""])[0].strip('"').casefold()
    since = 0.0
    for part in query.get("numericFilters", [""])[0].split(","):
        name, sign, value = part.partition(">")
        if sign and name == "created_at_i":
            since = float(value.lstrip("="))
    tags = query.get("tags", [""])[0]
    page = int(query.get("page", ["0"])[0])
    size = int(query.get("hitsPerPage", ["20"])[0])
    hits = []
    every = sorted(of_site("hn"), key=lambda line: posted_at(line, today), reverse=True)
    for line in every:
        at = posted_at(line, today)
        kind = "story" if line.get("story") else "comment"
        if at.timestamp() <= since or words not in (line.get("title", "") + " " + line["text"]).casefold():
            continue
        if tags and kind not in tags:
            continue
        text = "<p>".join(html.escape(part) for part in line["text"].split("\n"))
        hit: dict[str, Any] = {
            "objectID": line["id"],
            "author": line["author"],
            "created_at": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "created_at_i": int(at.timestamp()),
            "_tags": [kind, f"author_{line['author']}", f"story_{line.get('parent', line['id'])}"],
            "_highlightResult": {},
            "updated_at": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        if kind == "story":
            hit |= {
                "title": line["title"],
                "story_text": text,
                "points": line.get("reach", 1),
                "num_comments": 2,
            }
            hit["story_id"] = int(line["id"])
        else:
            hit |= {"comment_text": text, "points": None, "parent_id": int(line.get("parent", "41000000"))}
            hit |= {"story_id": int(line.get("parent", "41000000")), "story_title": "Lapwing Coffee"}
        hits.append(hit)
    shown = hits[page * size : (page + 1) * size]
    return {
        "hits": shown,
        "nbHits": len(hits),
        "page": page,
        "nbPages": -(-len(hits) // size),
        "hitsPerPage": size,
    }


ROBOTS = "User-agent: *\nDisallow: /private\nAllow: /\n"


class DemoWeb:
    """The small web, on a free port of this machine; use it as a context manager.

    `later=True` shows it some days after: one customer has changed 1 to 4 stars, one has taken her review down.
    """

    def __init__(self, today: datetime, *, later: bool = False, port: int = 0) -> None:
        self.today = today
        self.later = later
        self.hits: list[str] = []
        self._hiccups = {"/forum?page=2"}  # answers 503 once: sites do
        web = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                web.answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing: the demo prints what matters."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one GET."""
        self.hits.append(request.path)
        if request.path in self._hiccups:
            self._hiccups.discard(request.path)
            self._send(request, 503, "text/plain", "One moment, please.", {"Retry-After": "1"})
            return
        parts = urlsplit(request.path)
        query = parse_qs(parts.query)
        etag = f'"{self.today:%Y%m%d}{"b" if self.later else "a"}"'
        if parts.path == "/feed.atom" and request.headers.get("If-None-Match") == etag:
            self._send(request, 304, "application/atom+xml", "", {"ETag": etag})
            return
        found = self._find(parts.path, query)
        if found is None:
            self._send(request, 404, "text/plain", "There is no such page.")
        else:
            self._send(request, 200, *found, {"ETag": etag} if parts.path == "/feed.atom" else {})

    def _find(self, path: str, query: Mapping[str, list[str]]) -> tuple[str, str] | None:
        try:
            number = int(query.get("page", query.get("seite", ["1"]))[0])
        except ValueError:
            return None
        page = None
        if path == "/guide" or path.startswith("/guide/review/"):
            page = guide_page(number, self.today, self.url, later=self.later)
        elif path == "/shop":
            page = shop_page(number, self.today, later=self.later)
        elif path == "/forum" or path.startswith("/forum/post/"):
            page = forum_page(number, self.today, later=self.later)
        elif path == "/":
            links = "".join(
                f'<li><a href="{to}">{to}</a></li>' for to in ("/guide", "/shop", "/forum", "/feed.atom")
            )
            page = _page("The demo's small web", f"<ul>{links}</ul>")
        if page is not None:
            return "text/html; charset=utf-8", page
        if path == "/feed.atom":
            return "application/atom+xml; charset=utf-8", feed(self.today, self.url)
        if path in ("/hn/api/v1/search_by_date", "/hn/api/v1/search"):
            return "application/json", json.dumps(hn_answer(query, self.today))
        if path == "/robots.txt":
            return "text/plain", ROBOTS
        return None

    @staticmethod
    def _send(
        request: BaseHTTPRequestHandler,
        status: int,
        kind: str,
        text: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        body = text.encode("utf-8", "replace")
        request.send_response(status)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)


def _main() -> None:
    """Serve the small web until Ctrl-C: `python -m monitor.demo.web`."""
    with DemoWeb(datetime.now(UTC)) as web:
        print(f"The demo's small web is at {web.url}/ (Ctrl-C ends it)")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    _main()
