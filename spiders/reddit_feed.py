"""What does Reddit say to one's own feed reader? The way in for who has an account and no key of the API.

Every account has private feeds (https://www.reddit.com/prefs/feeds): Atom, behind a token that says who reads.
With LOWSTAR_REDDIT_FEED_URL set to one of them, subreddits and searches are read with that token. A feed shows
its newest 100 entries, and never says that one was deleted: what was read is kept for 48 hours only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from scrapy.http import TextResponse

from monitor.config import Source
from spiders.page import Page
from spiders.parsing.dates import parse_when
from spiders.parsing.feed_documents import Entry, text_of, xml_feed
from spiders.parsing.reddit_things import gone_words
from spiders.walls import wall_in
from storage.records import Kind, Mention, Removal, clean_line, clean_url

ENTRIES = 100  # the most a feed shows
_NAME = re.compile(r"t[13]_[0-9a-z]{1,20}")
_SUBREDDIT = re.compile(r"/r/(\w{2,24})/", re.ASCII)
# What Reddit puts below the words of a submission.
_SUBMITTED = re.compile(
    r"\s{0,50}submitted by\s{1,50}/u/[\w\[\]-]{1,40}(?:\s{1,50}to\s{1,50}r/\w{1,40})?[\s\S]{0,100}\Z"
)


def token_in(feed_url: str) -> dict[str, str]:
    """What a private feed's address says about who reads: `feed` and `user`; empty where it says nothing.

    >>> token_in("https://www.reddit.com/.rss?feed=abc&user=ana")
    {'feed': 'abc', 'user': 'ana'}
    """
    try:
        asked = parse_qs(urlsplit(feed_url).query, max_num_fields=20)
    except ValueError:
        return {}
    said = {name: asked.get(name, [""])[0] for name in ("feed", "user")}
    return said if all(said.values()) else {}


def feed_address(base: str, path: str, params: Mapping[str, str], token: Mapping[str, str]) -> str:
    """The address of a listing as a feed.

    >>> feed_address("https://www.reddit.com", "r/coffee/new", {}, {"feed": "f", "user": "u"})
    'https://www.reddit.com/r/coffee/new/.rss?limit=100&feed=f&user=u'
    """
    dotted = f"{path}.rss" if path == "search" else f"{path}/.rss"
    return f"{base.rstrip('/')}/{dotted}?{urlencode({**params, 'limit': str(ENTRIES), **token})}"


def read_feed(response: TextResponse, source: Source, now: datetime) -> Page:
    """The submissions and comments of one of Reddit's feeds. Never raises on what it says."""
    text = text_of(response.body, (response.headers.get("Content-Type") or b"").decode("latin-1"))
    if not text.strip():
        return Page(blind="Reddit's feed is empty, without even a frame")
    entries, words = xml_feed(text, "https://www.reddit.com/")
    if words:
        wall = wall_in(response)
        return Page(blind=f"Reddit answered with no feed: {words}" + (f": {wall}" if wall else ""))
    mentions: dict[str, Mention] = {}
    removals: dict[str, Removal] = {}
    odd = 0
    for entry in islice(entries, ENTRIES * 5):
        name = entry.get("id", "")
        if not _NAME.fullmatch(name):
            odd += "cut" not in entry
            continue
        found = _thing(entry, name, source, now)
        if isinstance(found, Removal):
            removals.setdefault(name, found)
        else:
            mentions.setdefault(name, found)
    problems = (f"{odd} entries carry no name of Reddit's and were left out",) if odd else ()
    return Page(mentions=tuple(mentions.values()), removals=tuple(removals.values()), problems=problems)


def _thing(entry: Entry, name: str, source: Source, now: datetime) -> Mention | Removal:
    comment = name.startswith("t1_")
    title = clean_line(entry.get("title", ""))
    words = _SUBMITTED.sub("", entry.get("content") or entry.get("summary") or "").strip()
    if reason := gone_words(words, "" if comment else title):
        return Removal(source.name, name, reason)
    url = clean_url(entry.get("url", ""))
    author = entry.get("author", "").strip().removeprefix("/u/").removeprefix("u/")
    subreddit = _SUBREDDIT.search(url)
    published = parse_when(entry.get("at") or entry.get("edited") or "", now=now)
    return Mention(
        source=source.name,
        external_id=name,
        kind=Kind.COMMENT if comment else Kind.POST,
        url=url,
        title="" if comment else title,
        text=words,
        author="" if author == "[deleted]" else author,
        entity=f"r/{subreddit[1]}" if subreddit else "",
        language=source.language,
        published_at=published.at,
        date_precision=published.precision,
        about=source.about,
    )


def names_on(page: Page) -> Iterator[tuple[str, float]]:
    """The names a page shows, with when each was written (Unix seconds, 0 where it does not say), newest first."""
    dated: list[tuple[str, Any]] = [(one.external_id, one.published_at) for one in page.mentions]
    yield from ((name, at.timestamp() if at is not None else 0.0) for name, at in dated)
