"""Which kinds of source are there, and what may be said about each? One function a kind, one line in KINDS.

A function reads what only its kind knows and returns the options its spider gets. Whether selectors really
fit a page is no question of configuration: `lowstar check --live` and `lowstar try` answer it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from monitor.config_apis import APIS, read_options
from monitor.config_check import Table, shown

_SUBREDDIT = re.compile(r"\w{2,24}(?:\+\w{2,24}){0,20}", re.ASCII)  # "one+two" reads both in one go
HACKERNEWS_TAGS = ("story", "comment", "poll", "pollopt", "job", "ask_hn", "show_hn", "front_page")
_FIELDS = 'a table of selectors: { text = "p.body", rating = ".stars" }'
HACKERNEWS_ITEMS = "https://hacker-news.firebaseio.com/v0"
HACKERNEWS_API = "https://hn.algolia.com/api/v1/"


@dataclass(frozen=True, slots=True)
class SourceKind:
    """A kind of source: whether it reads pages named by `urls`, its key if it needs one, and its options."""

    needs_urls: bool
    options: Callable[[Table], Mapping[str, Any]]
    what: str  # one line for people


def _pages(table: Table) -> dict[str, Any]:
    """What every kind that follows links knows: further hosts it may follow them to."""
    hosts = table.texts("hosts", allowed='a list of hosts: ["cdn.shop.example"]', empty=False)
    options: dict[str, Any] = {"hosts": hosts} if hosts else {}
    # Its pages show all there is: what is on none of them any more was deleted.
    if table.flag("complete", False):
        options["complete"] = True
    return options


def _own_kind(table: Table) -> dict[str, Any]:
    """What its mentions are, for kinds that cannot tell; the key `kind` itself is taken."""
    kind = table.choice("mentions_are", "", ("review", "post", "comment", "article"))
    return _pages(table) | ({"kind": kind} if kind else {})


def _selectors(table: Table) -> dict[str, Any]:
    # Which of these go together, and whether they are selectors at all, is decided where pages are read.
    options = _own_kind(table)
    site = table.text("site", allowed="the name of a site known by heart")
    if site:
        options["site"] = site
    for key in ("item", "skip", "next", "drop", "items", "having", "state", "state_after"):
        value = table.raw(key)
        if value is None:
            continue
        several = value if isinstance(value, list) else [value]
        if several and all(isinstance(one, str) and one.strip() for one in several):
            options[key] = value
        else:
            table.found(key, value, "a text in quotes, or a list of them")
    if table.given("best"):
        options["best"] = table.number("best", 5, 1, 1_000)
    fields = table.raw("fields")
    if isinstance(fields, dict) and fields:
        options["fields"] = fields
    elif fields is not None:
        table.found("fields", fields, _FIELDS)
    if table.given("item") and not table.given("fields"):
        table.raw("fields")
        table.missing("fields", _FIELDS)
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
    if table.given("items_url"):
        options["items_url"] = table.url("items_url", HACKERNEWS_ITEMS)
    return options


def _reddit(table: Table) -> Mapping[str, Any]:
    options: dict[str, Any] = {}

    def check(name: str) -> str:
        return (
            ""
            if _SUBREDDIT.fullmatch(name.removeprefix("/").removeprefix("r/"))
            else 'a name such as "AskReddit"'
        )

    subreddits = table.texts(
        "subreddits", allowed='a list of names: ["AskReddit"]', check=subreddit_problem, empty=False
    )
    if subreddits:
        options["subreddits"] = tuple(name.removeprefix("/").removeprefix("r/") for name in subreddits)
    search = table.texts("search", allowed='a list of words to look for: ["Acme"]')
    if table.given("search"):
        options["search"] = search  # an empty list: look for nothing beyond the subreddits
    if table.given("limit"):
        options["limit"] = table.whole("limit", 100, 1, 1000)  # Reddit never lists more than 1,000
    if table.raw("search") == [] and not table.given("subreddits"):
        table.missing(
            "subreddits", 'a list of names: ["AskReddit"]; without "search" it looks for the brands'
        )
    return options


def reddit_problem(url: str) -> str:
    """Why an address of Reddit's cannot be read as it stands, "" where it can, or is none of Reddit's.

    Says nothing of what the address asks: its token is a secret.
    """
    try:
        parts = urlsplit(url)
        host, asked = (parts.hostname or "").rstrip("."), parse_qs(parts.query, max_num_fields=50)
    except ValueError:
        return ""
    if host != "reddit.com" and not host.endswith(".reddit.com"):
        return ""
    if "feed" in asked:
        return (
            "a private feed's address is a secret and does not belong into this file; allowed: "
            'kind = "reddit", with the address in LOWSTAR_REDDIT_FEED_URL or a file named by '
            "LOWSTAR_REDDIT_FEED_URL_FILE"
        )
    if parts.path.rstrip("/").endswith(".json"):
        return (
            "Reddit gives its .json to nobody without a key; allowed: "
            'kind = "reddit", with a key of its API (LOWSTAR_REDDIT_CLIENT_ID, LOWSTAR_REDDIT_CLIENT_SECRET) or '
            "the address of your private feed (LOWSTAR_REDDIT_FEED_URL)"
        )
    return ""


def subreddit_problem(name: str) -> str:
    """What keeps `name` from being a subreddit, "" where nothing does."""
    return (
        ""
        if _SUBREDDIT.fullmatch(name.removeprefix("/").removeprefix("r/"))
        else 'a name such as "AskReddit"'
    )


def _import(table: Table) -> Mapping[str, Any]:
    options: dict[str, Any] = {
        "path": table.text("path", required=True, allowed='a folder to be watched: "inbox/"')
    }
    for key in ("format", "map"):
        if table.given(key):
            options[key] = table.text(key)
    if table.given("best"):
        options["best"] = table.number("best", 5, 1, 1_000)
    kind = table.choice("mentions_are", "", ("review", "post", "comment", "article"))
    return options | ({"mentions_are": kind} if kind else {})


_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_MAIL_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}|[0-9a-f:]{2,45}")
_SENDER = re.compile(r"[^\s@]{0,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+")
_SENDERS = 'a list of addresses, or hosts behind an @: ["noreply@booking.com", "@trustpilot.com"]'


def _imap(table: Table) -> Mapping[str, Any]:
    def host_problem(name: str) -> str:
        return "" if _MAIL_HOST.fullmatch(name) else 'a server such as "imap.example.com"'

    options: dict[str, Any] = {
        "host": table.text(
            "host", required=True, allowed='a server such as "imap.example.com"', check=host_problem
        ),
        "user": table.text("user", required=True, allowed="who logs in, mostly the mail address"),
        "folder": table.text("folder", "INBOX", allowed='the name of a folder: "INBOX"'),
        "security": table.choice("security", "tls", ("tls", "starttls", "none")),
    }
    options["port"] = table.whole("port", 993 if options["security"] == "tls" else 143, 1, 65_535)
    senders = table.texts(
        "senders",
        allowed=_SENDERS,
        check=lambda one: "" if _SENDER.fullmatch(one) else _SENDERS,
        empty=False,
    )
    if not table.given("senders"):
        # A mailbox holds more than reviews: what nobody named is not opened.
        table.missing("senders", _SENDERS)
    if options["security"] == "none" and options["host"] not in _LOOPBACK:
        table.found("security", "none", '"tls" or "starttls": a password is never sent over an open line')
    return options | {"senders": senders}


# As docs/webhook.md has them; a test holds them and `spiders.hook_items` together.
HOOK_FIELDS = (
    "id", "text", "title", "author", "stars", "best", "url", "published_at", "edited_at", "source", "entity",
    "language", "reach", "in_reply_to", "owner_reply", "owner_replied_at", "deleted", "kind",
    "reference",
)  # fmt: skip
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,63}")


def _webhook(table: Table) -> Mapping[str, Any]:
    options: dict[str, Any] = {}
    if table.given("best"):
        options["best"] = table.number("best", 5, 1, 1_000)
    if kind := table.choice("mentions_are", "", ("review", "post", "comment", "article")):
        options["mentions_are"] = kind
    if table.flag("token_in_url", False):
        options["token_in_url"] = True
    header = table.text(
        "signature_header",
        check=lambda name: "" if _HEADER.fullmatch(name) else 'the name of a header: "X-Signature"',
    )
    if header:
        options["signature_header"] = header
    fields = table.raw("fields")
    example = 'a table of paths into an item: { text = "answers.comment" }'
    if isinstance(fields, dict):
        for name, place in fields.items():
            if name not in HOOK_FIELDS:
                table.wrong("fields", f"unknown field {shown(name)}; allowed: {', '.join(HOOK_FIELDS)}")
            elif not isinstance(place, str) or not place.strip():
                table.found(f"fields.{name}", place, example)
        options["fields"] = fields
    elif fields is not None:
        table.found("fields", fields, example)
    return options


# Kinds nobody asks: what they hold is sent to us, see `spiders.webhook`.
LISTENED = frozenset({"webhook"})

KINDS: Mapping[str, SourceKind] = {
    "reviews": SourceKind(True, _pages, "any page that carries schema.org reviews"),
    "selectors": SourceKind(True, _selectors, "any other page, by selectors"),
    "feed": SourceKind(True, _own_kind, "RSS, Atom, JSON Feed"),
    "hackernews": SourceKind(False, _hackernews, "posts and comments on Hacker News"),
    "reddit": SourceKind(False, _reddit, "posts and comments on Reddit; needs a key"),
    "import": SourceKind(False, _import, "files put into a folder: exports, saved pages, e-mails"),
    "webhook": SourceKind(False, _webhook, "whatever is sent to us as JSON"),
    "imap": SourceKind(False, _imap, "notification e-mails in a mailbox, read only"),
    **{kind: SourceKind(False, partial(read_options, kind), api.what) for kind, api in APIS.items()},
}


def read_urls(table: Table, kind: str) -> tuple[str, ...]:
    """The pages of a source, checked by whether its kind reads pages."""
    if not KINDS[kind].needs_urls:
        if table.given("urls"):
            table.raw("urls")
            table.wrong("urls", f"not used by the kind {shown(kind)}; allowed: leave it out")
        return ()
    urls = table.urls("urls")
    for url in urls:
        if problem := reddit_problem(url):
            table.wrong("urls", problem)
    if not table.given("urls"):
        table.missing("urls", 'a list of web addresses: ["https://shop.example/reviews"]')
    elif table.raw("urls") == []:
        table.found("urls", [], 'a list of web addresses: ["https://shop.example/reviews"]')
    return urls
