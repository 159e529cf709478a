"""Which kinds of source are there, and what may be said about each? One function a kind, one line in KINDS.

A function reads what only its kind knows and returns the options its spider gets. Whether selectors really
fit a page is no question of configuration: `lowstar check --live` and `lowstar try` answer it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from monitor.config_check import Table, shown

_SUBREDDIT = re.compile(r"[A-Za-z0-9_]{2,21}|u_[A-Za-z0-9_-]{3,20}")
HACKERNEWS_TAGS = ("story", "comment", "ask_hn", "show_hn", "poll")
HACKERNEWS_API = "https://hn.algolia.com/api/v1/"


@dataclass(frozen=True, slots=True)
class SourceKind:
    """A kind of source: whether it reads pages named by `urls`, its key if it needs one, and its options."""

    needs_urls: bool
    options: Callable[[Table], Mapping[str, Any]]
    what: str  # one line for people


def _reviews(_table: Table) -> Mapping[str, Any]:
    return {}


def _feed(_table: Table) -> Mapping[str, Any]:
    return {}


def _selectors(table: Table) -> Mapping[str, Any]:
    # Which of these go together is decided where pages are read; here only that there is something to go by.
    options: dict[str, Any] = {}
    for key in ("site", "item", "state", "next"):
        value = table.raw(key)
        if (isinstance(value, str) and value.strip()) or (isinstance(value, dict) and value):
            options[key] = value
        elif isinstance(value, list) and value and all(isinstance(inner, str) for inner in value):
            options[key] = tuple(value)
        elif value is not None:
            table.found(
                key, value, "a selector in quotes" if key != "site" else "the name of a site in quotes"
            )
    fields = table.raw("fields")
    if isinstance(fields, dict) and fields:
        options["fields"] = dict(fields)
    elif fields is not None:
        table.found("fields", fields, 'a table of selectors: { text = "p.body::text", stars = "…" }')
    if not any(table.given(key) for key in ("site", "item", "state")):
        table.wrong("item", 'missing; allowed: "item" and "fields", or "site" alone, or "state"')
    elif table.given("item") and not table.given("fields"):
        table.wrong(
            "fields", 'missing; allowed: a table of selectors: { text = "p.body::text", stars = "…" }'
        )
    return options


def _hackernews(table: Table) -> Mapping[str, Any]:
    options: dict[str, Any] = {}
    queries = table.texts("queries", allowed='a list of words to look for: ["Acme"]', empty=False)
    if queries:
        options["queries"] = queries
    tags = table.texts(
        "tags",
        allowed='a list: ["story", "comment"]',
        check=lambda tag: (
            "" if tag in HACKERNEWS_TAGS else ", ".join(f'"{word}"' for word in HACKERNEWS_TAGS)
        ),
        empty=False,
    )
    if tags:
        options["tags"] = tags
    if table.given("api_url"):
        options["api_url"] = table.url("api_url", HACKERNEWS_API)
    return options


def _reddit(table: Table) -> Mapping[str, Any]:
    options: dict[str, Any] = {}

    def check(name: str) -> str:
        return (
            ""
            if _SUBREDDIT.fullmatch(name.removeprefix("/").removeprefix("r/"))
            else 'a name such as "AskReddit"'
        )

    subreddits = table.texts("subreddits", allowed='a list of names: ["AskReddit"]', check=check, empty=False)
    if subreddits:
        options["subreddits"] = tuple(name.removeprefix("/").removeprefix("r/") for name in subreddits)
    search = table.texts("search", allowed='a list of words to look for: ["Acme"]', empty=False)
    if search:
        options["search"] = search
    if table.given("limit"):
        options["limit"] = table.whole("limit", 100, 1, 1000)  # Reddit never lists more than 1,000
    if not (table.given("subreddits") or table.given("search")):
        table.wrong("subreddits", 'missing; allowed: "subreddits", "search", or both')
    return options


KINDS: Mapping[str, SourceKind] = {
    "reviews": SourceKind(True, _reviews, "any page that carries schema.org reviews"),
    "selectors": SourceKind(True, _selectors, "any other page, by selectors"),
    "feed": SourceKind(True, _feed, "RSS, Atom, JSON Feed"),
    "hackernews": SourceKind(False, _hackernews, "posts and comments on Hacker News"),
    "reddit": SourceKind(False, _reddit, "posts and comments on Reddit; needs a key"),
}


def read_urls(table: Table, kind: str) -> tuple[str, ...]:
    """The pages of a source, checked by whether its kind reads pages."""
    if not KINDS[kind].needs_urls:
        if table.given("urls"):
            table.raw("urls")
            table.wrong("urls", f"not used by the kind {shown(kind)}; allowed: leave it out")
        return ()
    urls = table.urls("urls")
    if not table.given("urls"):
        table.missing("urls", 'a list of web addresses: ["https://shop.example/reviews"]')
    elif table.raw("urls") == []:
        table.found("urls", [], 'a list of web addresses: ["https://shop.example/reviews"]')
    return urls
