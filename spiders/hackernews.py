"""Who speaks of us on Hacker News? Asks Algolia's search of it, newest first.

    [[sources]]
    name = "hackernews"
    kind = "hackernews"
    queries = ["lowstar", "lowstar.example"]    # words to search for, each as a phrase
    tags = ["story", "comment"]                 # also "poll", "ask_hn", "show_hn", "job"

Without `queries`, the terms of all brands are searched for.

The search (https://hn.algolia.com/api) needs no key. It answers at most 1,000 hits a query, in pages of up
to 1,000, allows 10,000 requests an hour, and indexes a post minutes after it was written. Each query is asked
for a window of time: from what was read before, less an overlap, to now. The end of the window is what is
remembered, and only when its last page has been read: whatever fails in between is asked again.

The search never tells what was deleted. What is kept and young is asked for by its number, a few a run and each in
its turn, of Hacker News' own API (https://github.com/HackerNews/API), which marks it `deleted` or `dead`.
"""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from scrapy.http import Request, Response, TextResponse

from monitor.config import Source
from spiders.base import PagedSpider, as_text
from spiders.page import Page
from spiders.parsing.dates import When, parse_when
from spiders.parsing.html import markup_to_text
from spiders.walls import wall_in
from storage.records import DatePrecision, Kind, Mention, Removal, clean_line, clean_url

API_URL = "https://hn.algolia.com/api/v1"
ITEMS_URL = "https://hacker-news.firebaseio.com/v0"
SITE_URL = "https://news.ycombinator.com/item?id="
HITS_PER_PAGE = 100  # 1,000 is allowed; small pages keep what a failure costs small
# Authors may edit for two hours; votes and answers mostly come within a day but are no news by themselves.
OVERLAP = timedelta(hours=3)
FIRST_LOOK = timedelta(days=30)  # how far the first run looks back

_TAGS = ("story", "comment", "poll", "pollopt", "job", "ask_hn", "show_hn", "front_page")
YOUNG = timedelta(hours=48)  # authors may delete for two hours, moderators mostly act within a day
ITEMS_MAX = 5_000  # of one thread
AGAIN_MOST = 30  # asked for by number in one run; each is a request of its own
_ASKED = "asked again until"  # the cursor that holds the last of them

_KEYS = ("queries", "tags", "api_url", "items_url", "hosts")


def check_options(options: Mapping[str, Any]) -> list[str]:
    """Every mistake in a source's options, each naming the key, what was found and what is allowed."""
    known = ", ".join(_KEYS)
    faults = [f"{key} is not known here; allowed: {known}" for key in options if key not in _KEYS]
    queries = options.get("queries")
    if queries is not None and not _words(queries):
        faults.append(f'queries = {queries!r}; allowed: words to search for, like queries = ["lowstar"]')
    tags = options.get("tags", ["story", "comment"])
    if not isinstance(tags, (list, tuple)) or not tags or any(tag not in _TAGS for tag in tags):
        faults.append(f"tags = {tags!r}; allowed: a list of {', '.join(_TAGS)}")
    for key, usual in (("api_url", API_URL), ("items_url", ITEMS_URL)):
        url = options.get(key, usual)
        if not isinstance(url, str) or not clean_url(url):
            faults.append(f"{key} = {url!r}; allowed: an address like {usual}")
    return faults


def _words(said: Any) -> list[str]:
    many = [said] if isinstance(said, str) else said
    if not isinstance(many, (list, tuple)):
        return []
    return [one.strip() for one in many if isinstance(one, str) and one.strip()]


def search_url(
    query: str, since: int, until: int, *, page: int = 0, options: Mapping[str, Any] | None = None
) -> str:
    """The address that asks for posts with `query` written after `since`, up to `until` (epoch seconds)."""
    options = options or {}
    tags = _words(options.get("tags")) or ["story", "comment"]
    asked = {
        # A phrase, with no typing mistakes forgiven: "Lowstar" is not "Loweststar".
        "query": '"' + query.replace('"', " ").strip() + '"',
        "tags": f"({','.join(tags)})",
        "numericFilters": f"created_at_i>{since},created_at_i<={until}",
        "hitsPerPage": str(HITS_PER_PAGE),
        "page": str(page),
        "typoTolerance": "false",
        "advancedSyntax": "true",
    }
    base = clean_url(str(options.get("api_url", API_URL))) or API_URL
    return f"{base.rstrip('/')}/search_by_date?{urlencode(asked)}"


def read_page(response: TextResponse, source: Source, fetched_at: datetime) -> Page:
    """The posts of one answer. Never raises on what it says; what is no answer of this API is `blind`."""
    try:
        answer = json.loads(response.text, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        kind = "a web page" if response.text.lstrip()[:1] == "<" else "something unreadable"
        wall = wall_in(response)
        return Page(
            blind=f"Hacker News search answered with {kind} instead of JSON (HTTP {response.status})"
            + (f": {wall}" if wall else "")
        )
    if items := _items_in(answer):
        answer = {"hits": items}
    if not isinstance(answer, dict) or not isinstance(answer.get("hits"), list):
        said = answer.get("message", answer.get("error", "")) if isinstance(answer, dict) else ""
        words = f": {clean_line(str(said), 200)}" if said else ""
        return Page(blind=f'Hacker News search answered without "hits" (HTTP {response.status}){words}')
    mentions: dict[str, Mention] = {}
    unread = 0
    oldest: int | None = None
    for hit in answer["hits"]:
        mention = _mention(hit, source, fetched_at) if isinstance(hit, dict) else None
        if mention is None:
            unread += 1
            continue
        mentions.setdefault(mention.external_id, mention)
        if mention.published_at is not None:
            at = int(mention.published_at.timestamp())
            oldest = at if oldest is None else min(oldest, at)
    problems = [f"{unread} of {len(answer['hits'])} hits have no id or no words"] if unread else []
    return Page(
        mentions=tuple(mentions.values()),
        problems=tuple(problems),
        quiet=not answer["hits"],
        **_onward(response.url, answer, oldest),
    )


def _items_in(answer: Any) -> list[Any]:
    """The items of answers that are asked for by number, Algolia's tree of a thread or Hacker News' own, as hits."""
    found: list[Any] = []
    waiting = [answer] if isinstance(answer, dict) else list(answer) if isinstance(answer, list) else []
    while waiting and len(found) < ITEMS_MAX:
        item = waiting.pop(0)
        if not isinstance(item, dict) or "id" not in item or not {"type", "children"} & set(item):
            continue
        if not item.get("deleted") and not item.get("dead"):
            words = {"comment_text": item.get("text")} if item.get("type") == "comment" else {}
            named = {
                "author": item.get("author", item.get("by")),
                "points": item.get("points", item.get("score")),
            }
            at = {"created_at_i": item.get("created_at_i", item.get("time"))}
            above = {"parent_id": item.get("parent_id", item.get("parent"))}
            found.append({**item, **words, **named, **at, **above, "num_comments": item.get("descendants")})
        children = item.get("children")
        waiting += children if isinstance(children, list) else []
    return [one for one in found if one.get("title") or one.get("text")]


def _onward(url: str, answer: Mapping[str, Any], oldest: int | None) -> dict[str, Any]:
    """The next page of the same window, or the cursor where this was its last."""
    try:
        parts = urlsplit(url)
        asked = {name: values[0] for name, values in parse_qs(parts.query, max_num_fields=50).items()}
    except ValueError:
        return {}
    since, bounds = _window(asked.get("numericFilters", ""))
    if not bounds:
        return {}  # not asked by us, like a saved answer: nothing to go on from
    page = _number(answer.get("page")) or 0
    pages = _number(answer.get("nbPages")) or 0
    here = f"{parts.scheme}://{parts.netloc}{parts.path}?"
    if page + 1 < pages:
        return {"next_urls": (here + urlencode({**asked, "page": str(page + 1)}),)}
    until = max(bounds)
    total = _number(answer.get("nbHits")) or 0
    per_page = _number(answer.get("hitsPerPage")) or HITS_PER_PAGE
    if total > pages * per_page and oldest is not None and oldest < min(bounds) and answer["hits"]:
        # More hits than Algolia shows at all: the rest is asked for as a window of its own, up to the oldest
        # seen. The first bound stays in the address, to be remembered at the very end.
        filters = f"created_at_i>{since},created_at_i<={until},created_at_i<={oldest}"
        return {"next_urls": (here + urlencode({**asked, "page": "0", "numericFilters": filters}),)}
    return {"cursors": ((cursor_name(asked.get("query", "")), str(until)),)}


def _window(filters: str) -> tuple[int, list[int]]:
    since, bounds = 0, []
    for one in filters.split(","):
        if one.startswith("created_at_i>") and one[13:].isdigit():
            since = int(one[13:])
        elif one.startswith("created_at_i<=") and one[14:].isdigit():
            bounds.append(int(one[14:]))
    return since, bounds


def cursor_name(query: str) -> str:
    """The name under which the end of a query's last window is kept."""
    return f"read until: {query.strip(chr(34)).casefold()}"


def _number(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return int(value)


def _text(value: Any) -> str:
    return markup_to_text(value) if isinstance(value, str) else ""


def _mention(hit: Mapping[str, Any], source: Source, fetched_at: datetime) -> Mention | None:
    said = hit.get("objectID", hit.get("id"))
    number = said.strip() if isinstance(said, str) else str(_number(said) or "")
    if not (number.isascii() and number.isdigit()):
        return None
    tags = hit.get("_tags")
    is_comment = isinstance(hit.get("comment_text"), str) or (isinstance(tags, list) and "comment" in tags)
    title = clean_line(_text(hit.get("title")))
    text = _text(hit.get("comment_text")) if is_comment else _text(hit.get("story_text") or hit.get("text"))
    if not title and not text:
        return None
    link = clean_url(hit["url"]) if isinstance(hit.get("url"), str) else ""
    if not is_comment and link and link not in text:
        text = f"{text}\n{link}" if text else link  # the search finds a brand in the address, too
    when = _when(hit, fetched_at)
    story = _text(hit.get("story_title")) if is_comment else title
    parent = _number(hit.get("parent_id"))
    return Mention(
        source=source.name,
        external_id=number,
        kind=Kind.COMMENT if is_comment else Kind.POST,
        url=SITE_URL + quote(number),
        title="" if is_comment else title,
        text=text,
        author=hit["author"] if isinstance(hit.get("author"), str) else "",
        entity=story,
        reach=max(0, _number(hit.get("points")) or 0) + max(0, _number(hit.get("num_comments")) or 0),
        language=source.language or "en",
        published_at=when.at,
        date_precision=when.precision,
        in_reply_to=str(parent) if is_comment and parent else "",
        about=source.about,
    )


def _when(hit: Mapping[str, Any], now: datetime) -> When:
    seconds = _number(hit.get("created_at_i"))
    if seconds is not None and 0 < seconds < 10**11:
        return When(datetime.fromtimestamp(seconds, UTC), DatePrecision.SECOND, str(seconds))
    return parse_when(hit.get("created_at"), now=now, language="en")


def _gone(response: TextResponse, source: str) -> Removal | None:
    """The removal an item of Hacker News' own API calls for, None while it stands.

    `null` is said of what is not there yet, too: it proves nothing.
    """
    try:
        item = json.loads(response.text, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    if not isinstance(item, dict) or not isinstance(number := item.get("id"), int):
        return None
    if item.get("deleted") is True:
        return Removal(source, str(number), "deleted by its author")
    return Removal(source, str(number), "taken down on Hacker News") if item.get("dead") is True else None


class HackerNewsSpider(PagedSpider):
    """Searches Hacker News for the words of its source."""

    name = "hackernews"
    reader = staticmethod(read_page)
    windowed = True
    places = {  # noqa: RUF012  (a ClassVar of the base)
        "item": "hits",
        "date": "hits[].created_at_i",
        "author": "hits[].author",
        "text": "hits[].comment_text or hits[].title",
        "id": "hits[].objectID",
    }

    def __init__(self, name: str | None = None, **arguments: Any) -> None:
        super().__init__(name, **arguments)
        # A window of time ends by itself. Stopping at the first page that is known would leave behind what a
        # failed run did not reach.
        self.sweep = True

    def first_requests(self) -> Iterable[Request]:
        """For each query the window from what was read before to now."""
        options = self.source.options
        until = int(self.fetched_at.timestamp())
        queries = _words(options.get("queries"))
        if not queries and self.config is not None:
            queries = [term for brand in self.config.brands for term in brand.terms or (brand.name,)]
        if not queries:
            self.health.failure('it has nothing to search for: give it queries = ["…"]')
        for query in dict.fromkeys(queries):
            read_until = self.cursor(cursor_name(query)) or ""
            if self.since is not None:
                since = int(self.since.timestamp())
            elif read_until.isdigit():
                since = min(int(read_until), until) - int(OVERLAP.total_seconds())
            else:
                since = until - int(FIRST_LOOK.total_seconds())
            yield self.request(search_url(query, since, until, options=options))
        yield from self._young_ones()

    def _young_ones(self) -> Iterable[Request]:
        """Posts kept and young enough to be deleted, each in its turn."""
        recent_keys = getattr(self.store, "recent_keys", None)
        options = self.source.options
        elsewhere = str(options.get("api_url", API_URL)).rstrip("/") != API_URL and "items_url" not in options
        if recent_keys is None or elsewhere:  # who names another search has no say about that other API
            return
        names = [key[1] for key in recent_keys(self.source.name, self.fetched_at - YOUNG)]
        numbers = sorted(
            {int(name) for name in names if name.isascii() and name.isdigit() and len(name) < 16}
        )
        last = self.cursor(_ASKED) or ""
        at = int(last) if last.isdigit() else 0
        due = [*(one for one in numbers if one > at), *(one for one in numbers if one <= at)][:AGAIN_MOST]
        base = (clean_url(str(self.source.options.get("items_url", ITEMS_URL))) or ITEMS_URL).rstrip("/")
        for number in due:
            meta = {
                "dont_obey_robotstxt": True,
                "dont_redirect": True,
            }  # an API that is published for programs
            yield self.request(f"{base}/item/{number}.json", callback=self.looked_again, meta=meta)
        if due:
            self.set_cursor(_ASKED, str(due[-1]))

    async def looked_again(self, response: Response, **_: Any) -> AsyncIterator[Removal]:
        """One post by its number: still there, or gone."""
        self.health.nothing_new()
        text = as_text(response)
        found = _gone(text, self.source.name) if text is not None else None
        if found is not None:
            yield found
