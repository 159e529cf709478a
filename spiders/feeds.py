"""What does a feed say? RSS 0.9x, 1.0, 2.0, Atom 0.3 and 1.0, JSON Feed 1 and 1.1.

    [[sources]]
    name = "alerts"
    kind = "feed"
    urls = ["https://www.google.com/alerts/feeds/…"]
    mentions_are = "article"          # or "post", "comment", "review"

Feeds are written by hand and by broken programs: what a person would still recognise as an entry is read. The
text is repaired before parsing (encoding, bare ampersands, entities of HTML) and parsed with entities off, so
that no entity is ever expanded and nothing is fetched or opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from itertools import islice
from typing import Any
from urllib.parse import parse_qs, urlsplit

from scrapy.http import TextResponse

from monitor.config import Source
from spiders.base import PagedSpider
from spiders.page import Page
from spiders.parsing.dates import When, parse_when
from spiders.parsing.feed_documents import Entry, joined, json_feed, text_of, unmarked, xml_feed
from spiders.parsing.ratings import parse_rating
from spiders.walls import wall_in
from storage.records import Kind, Mention, clean_line, clean_url, fingerprint

BYTES_MAX = 10_000_000  # read of one feed; more than this is no feed any more
ENTRIES_MAX = 5_000

_KINDS = ("article", "post", "comment", "review")


def check_options(options: Mapping[str, Any]) -> list[str]:
    """Every mistake in a source's options, each naming the key, what was found and what is allowed."""
    faults = []
    for key, value in options.items():
        if key == "kind":
            if value not in _KINDS:
                faults.append(f"mentions_are = {value!r}; allowed: {', '.join(_KINDS)}")
        elif key not in ("hosts", "complete"):
            faults.append(f"{key} is not known here; allowed: complete, hosts, mentions_are")
    return faults


def read_page(response: TextResponse, source: Source, fetched_at: datetime) -> Page:
    """The entries of a feed as mentions. Never raises on what the feed says.

    An entry cut off at the end of a truncated feed is left for the next time. What is no feed at all is said
    in `blind`, with the feeds a web page names.
    """
    if response.status == 304:
        return Page()
    body = response.body
    problems = []
    if len(body) > BYTES_MAX:
        problems.append(
            f"only the first {BYTES_MAX // 1_000_000} MB of {len(body) // 1_000_000} MB were read"
        )
        body = body[:BYTES_MAX]
    text = text_of(body, (response.headers.get("Content-Type") or b"").decode("latin-1"))
    start = text.lstrip()[:1]
    if not start:
        return Page(blind="the answer is empty")
    if start in "{[":
        entries, words = json_feed(text, response.url)
    elif start == "<" or "<rss" in text or "<feed" in text:
        entries, words = xml_feed(text, response.url)
    else:
        return Page(blind="this is no feed: neither XML nor JSON, but plain text")
    if words:
        wall = wall_in(response)
        return Page(blind=f"{words}: {wall}" if wall else words)
    read = list(islice(entries, ENTRIES_MAX + 1))
    if len(read) > ENTRIES_MAX:
        read.pop()
        problems.append(f"only the first {ENTRIES_MAX} entries were read")
    cut = any("cut" in entry for entry in read)
    shared = _shared_names(read)
    mentions: dict[str, Mention] = {}
    empty = 0
    for entry in read:
        if "cut" in entry:
            continue
        mention = _mention(entry, source, fetched_at, shared)
        if mention is None:
            empty += 1
        else:
            mentions.setdefault(mention.external_id, mention)
    if cut:
        problems.append("the feed was cut short: its last entry is left for the next time")
    if empty:
        problems.append(f"{empty} of {len(mentions) + empty} entries have neither title nor text")
    return Page(mentions=tuple(mentions.values()), problems=tuple(problems))


def _shared_names(entries: Iterable[Entry]) -> set[str]:
    """Ids and links that several different entries carry, and so name none of them."""
    titles: dict[str, str] = {}
    shared = set()
    for entry in entries:
        title = entry.get("title", "")
        for name in {entry.get("id", ""), entry.get("url", "")}:
            if titles.setdefault(name, title) != title:
                shared.add(name)
    return shared


def _mention(entry: Entry, source: Source, fetched_at: datetime, shared: set[str]) -> Mention | None:
    title = clean_line(entry.get("title", ""))
    text = entry.get("content") or entry.get("summary") or entry.get("media") or ""
    if not title and not text:
        return None
    url = clean_url(unwrapped(joined(entry.get("base", ""), entry.get("url", ""))))
    language = entry.get("language", "").replace("_", "-").split("-")[0].lower()
    language = language if 2 <= len(language) <= 3 and language.isalpha() else ""
    published = _when(entry.get("at", ""), fetched_at, entry.get("language", ""))
    edited = _when(entry.get("edited", ""), fetched_at, entry.get("language", ""))
    if published.at is None:
        published, edited = edited, When()
    author = unmarked(entry.get("author", ""))
    name = entry.get("id", "")
    if not name or name in shared:
        name = url if entry.get("url", "") not in shared else ""
    said = source.options.get("kind", "article")  # `mentions_are` in lowstar.toml
    kind = Kind(said) if said in _KINDS else Kind.ARTICLE
    rating = parse_rating(entry["rating"], best=5) if entry.get("rating") else None
    is_edit = edited.at is not None and published.at is not None and edited.at > published.at
    return Mention(
        source=source.name,
        external_id=name or fingerprint("", author, f"{title}\n{text}", published.at),
        kind=kind if rating is None else Kind.REVIEW,
        url=url,
        title=title,
        text="" if text == title else text,
        author=author,
        stars=rating.stars if rating else None,
        rating_raw=rating.raw if rating else "",
        reach=int(entry.get("reach") or 0),
        language=language or source.language,
        published_at=published.at,
        date_precision=published.precision,
        edited_at=edited.at if is_edit else None,
        about=source.about,
    )


def _when(said: str, now: datetime, language: str) -> When:
    return parse_when(said, now=now, language=language) if said else When()


_REDIRECTORS: tuple[tuple[str, Callable[[str], bool], tuple[str, ...]], ...] = (
    ("google.", lambda path: path == "/url", ("url", "q")),
    ("bing.com", lambda path: path.endswith("apiclick.aspx"), ("url",)),
    ("feedproxy.google.com", lambda _: True, ("url",)),
    ("news.yahoo.com", lambda _: True, ("url",)),
)


def unwrapped(url: str) -> str:
    """`url` without the redirect that alert services put around it.

    >>> unwrapped("https://www.google.com/url?rct=j&url=https://news.example/a%3Fb%3D1&ct=ga")
    'https://news.example/a?b=1'
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        for where, path_fits, names in _REDIRECTORS:
            if (host.startswith(where) or f".{where}" in f".{host}") and path_fits(parts.path):
                asked = parse_qs(parts.query, max_num_fields=50)
                for name in names:
                    inner = asked.get(name, [""])[0]
                    if inner.startswith(("http://", "https://")):
                        return inner
    except ValueError:
        return url
    return url


class FeedSpider(PagedSpider):
    """Reads feeds, asking only for what changed."""

    name = "feed"
    reader = staticmethod(read_page)
    conditional = True
    backfills = False  # a feed holds its newest entries and no others
    places = {  # noqa: RUF012  (a ClassVar of the base)
        "item": "item, entry or items",
        "date": "pubDate, published or date_published",
        "author": "author or dc:creator",
        "text": "description, content or summary",
        "stars": "rating",
        "id": "guid or id",
    }
