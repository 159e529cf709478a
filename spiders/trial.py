"""What would be collected from this page? A saved file or an address; nothing is kept."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from scrapy.http import HtmlResponse, Response, TextResponse
from scrapy.responsetypes import responsetypes

from monitor.config import Config, Crawl, Source
from monitor.config_apis import APIS
from monitor.config_kinds import reddit_problem
from spiders.api_reading import decoded_or_none, said_in
from spiders.base import PagedSpider, as_text
from spiders.imported import MAILS, TABLES, Trouble, wish_of
from spiders.page import Page, PageReader
from spiders.parsing.recordings import Recorded, recorded
from spiders.words import error_words, shown
from storage.records import Mention, RatingSnapshot, Removal, clean_url

READERS = {  # in the order that decides where two read a page equally well
    "reviews": "spiders.reviews",
    "selectors": "spiders.selectors",
    "feed": "spiders.feeds",
    "hackernews": "spiders.hackernews",
    "reddit": "spiders.reddit",
}
_LEADING_COMMENTS = re.compile(r"\A(?:<!--.{0,1000}?-->\s{0,99}){1,5}", re.DOTALL)
IMPORTED = ("import", "imap")  # kinds that read files and mails, no pages
EXPORT_ENDINGS = (".csv", ".tsv", ".xlsx", ".eml", ".mbox")
SHOWN_OF_FILE = 1_000  # mentions; an export may hold a million
FILE_MAX = 20 * 1024 * 1024  # bytes of a saved page; a browser saves more than a site sends
_SAVED_FROM = re.compile(rb"<!--\s{0,9}saved from url=\(\d{1,6}\)(https?://[^\s<>]{1,2000})\s")
NOWHERE = "https://page.invalid/"  # where a page lies that does not say where it came from


@dataclass(frozen=True, slots=True)
class TrialResult:
    """What a page held, as the kind that reads it best sees it."""

    mentions: tuple[Mention, ...] = ()
    problems: tuple[str, ...] = ()
    kind: str = ""  # "" when no kind could read it
    url: str = ""
    snapshots: tuple[RatingSnapshot, ...] = ()
    next_urls: tuple[str, ...] = ()
    removals: tuple[Removal, ...] = ()  # what a saved webhook or stream says is gone


def try_page(
    page: str,
    *,
    now: datetime,
    url: str = "",
    kind: str = "",
    options: Mapping[str, Any] | None = None,
    source: Source | None = None,
    crawl: Crawl | None = None,
) -> TrialResult:
    """What a crawl would collect from `page`, a saved file or an address (which is asked, robots.txt obeyed).

    `url` says where a saved page came from; by default the page itself does. `kind` and `options`, or a whole
    `source`, say how to read it; by default every kind that could is tried. Never raises for what one holds.
    """
    if re.match(r"https?://", page, re.IGNORECASE):
        if problem := reddit_problem(page):
            return TrialResult(problems=(problem,), url=shown(page))
        response, problems = _fetched(page, crawl or Crawl(), now)
    elif _is_export(Path(page), kind or (source.kind if source is not None else "")):
        return _as_import(Path(page), kind, source, now, url)
    else:
        response, problems = _opened(Path(page), url)
    if response is None:
        return TrialResult(problems=problems, url=url or page)
    if source is None:
        host = urlsplit(response.url).hostname or "page"
        source = Source(name=host, kind=kind, urls=(response.url,), options=dict(options or {}))
    kinds = [kind or source.kind] if kind or source.kind else _likely(response)
    return _best(response, source, kinds, now)


def _is_export(path: Path, kind: str) -> bool:
    """True for what `lowstar import` reads and no crawl: tables, mails."""
    return kind in (*IMPORTED, *TABLES, *MAILS) or (not kind and path.suffix.lower() in EXPORT_ENDINGS)


def _as_import(path: Path, kind: str, source: Source | None, now: datetime, url: str) -> TrialResult:
    """What `lowstar import`, a watched folder or a mailbox would take from a file."""
    from spiders.import_files import read_file  # its tables and workbooks take their time to load

    source = source or Source(name=path.stem or "file", kind="import")
    said = "mail" if "imap" in (kind, source.kind) else "" if kind in IMPORTED else kind
    wish = wish_of(source.options, kind=said, url=url)
    mentions: list[Mention] = []
    removals: list[Removal] = []
    problems: list[str] = []
    for thing in read_file(path, source, now, wish):
        match thing:
            case Mention():
                mentions.append(thing)
            case Removal():
                removals.append(thing)
            case Trouble():
                problems.append(str(thing))
        if len(mentions) + len(removals) >= SHOWN_OF_FILE:
            problems.append(f"only the first {SHOWN_OF_FILE:,} are shown")
            break
    return TrialResult(tuple(mentions), tuple(problems), "import", url or str(path), removals=tuple(removals))


def _best(response: TextResponse, source: Source, kinds: list[str], now: datetime) -> TrialResult:
    tried: list[TrialResult] = []
    for kind in kinds:
        reader = _reader(kind)
        if reader is None:
            tried.append(
                TrialResult(problems=(f"nothing reads pages of the kind {kind!r}",), url=response.url)
            )
            continue
        page = _read(reader, response, replace(source, kind=kind), now)
        problems = (*([page.blind] if page.blind else []), *page.problems, *page.notes)
        tried.append(
            TrialResult(
                page.mentions,
                problems,
                kind,
                response.url,
                page.snapshots,
                page.next_urls,
                page.removals,
            )
        )
    best = max(tried, key=_worth)  # the first of equals
    if best.mentions or best.removals or len(tried) == 1:
        return best
    # Each API would say the same of it in its own name.
    said = [words for result in tried if result.kind not in APIS for words in result.problems]
    if any(result.kind in APIS for result in tried):
        words = said_in(decoded_or_none(response))
        said.append("no API that lowstar knows answers like this" + (f"; it says: {words}" if words else ""))
    problems = tuple(dict.fromkeys(said))
    names = ", ".join(kinds)
    return replace(best, kind="", problems=problems or (f"no mention was found; read as {names}",))


def _read(reader: PageReader, response: TextResponse, source: Source, now: datetime) -> Page:
    """What one kind makes of an answer, or of all answers of a recording of several."""
    page = _read_one(reader, response, source, now)
    if (
        page.mentions
        or page.removals
        or isinstance(response, HtmlResponse)
        or (taped := recorded(response.text)) is None
    ):
        return page
    pages = [_read_one(reader, _played(response, answer), source, now) for answer in taped]
    if len(pages) == 1:
        return pages[0]
    # A recording holds answers to other questions, too: what those lack is no news where others were read.
    read = [page for page in pages if page.mentions or page.removals or page.snapshots] or pages
    mentions: dict[str, Mention] = {}
    for page in read:
        for mention in page.mentions:
            mentions[mention.external_id] = mention  # the last is how it ended
    for page in read:
        for removal in page.removals:
            mentions.pop(removal.external_id, None)
    said = [words for page in read for words in (page.blind, *page.problems, *page.notes) if words]
    return Page(
        mentions=tuple(mentions.values()),
        removals=tuple(removal for page in read for removal in page.removals),
        problems=tuple(dict.fromkeys(said)) or (() if pages else ("the recording holds no answer",)),
        snapshots=tuple(one for page in read for one in page.snapshots),
        next_urls=tuple(dict.fromkeys(url for page in read for url in page.next_urls)),
    )


def _read_one(reader: PageReader, response: TextResponse, source: Source, now: datetime) -> Page:
    try:
        return reader(response, source, now)
    except Exception as error:  # the same door as in a crawl
        return Page(problems=(f"it could not be read as {source.kind}: {error_words(error)}",))


def _played(response: TextResponse, answer: Recorded) -> TextResponse:
    """One answer of a recording, as it was received."""
    return TextResponse(
        _address(answer.url) or response.url,
        status=answer.status,
        body=answer.body.encode("utf-8", "replace"),
        encoding="utf-8",
    )


def _worth(result: TrialResult) -> tuple[int, int, int]:
    """More mentions are better, then fuller ones: some layouts carry replies or dates in one place only."""
    details = ("text", "stars", "author", "published_at", "title", "owner_reply", "url", "entity")
    filled = sum(getattr(mention, name) not in ("", None) for mention in result.mentions for name in details)
    return len(result.mentions), filled, len(result.removals)


def _reader(kind: str) -> PageReader | None:
    named = (f"spiders.{kind}", f"spiders.presets.{kind}") if kind.isidentifier() else ()
    for module in (READERS[kind],) if kind in READERS else named:
        try:
            reader: PageReader | None = getattr(importlib.import_module(module), "read_page", None)
        except ModuleNotFoundError as missing:
            if missing.name != module:
                raise
            continue
        if reader is not None:
            return reader
    return None


def _likely(response: TextResponse) -> list[str]:
    """The kinds that could read this answer, from what it is."""
    text = response.text.lstrip("\ufeff \t\r\n")[:2_000]
    if text.startswith(("{", "[")) or (not text.startswith("<") and recorded(response.text)):
        return ["feed", "hackernews", "reddit", "reviews", "selectors", *APIS]
    begins = _LEADING_COMMENTS.sub("", text)
    if re.match(r"<\?xml|<rss|<feed|<rdf", begins, re.IGNORECASE) and "<html" not in text.lower():
        return ["feed"]
    return ["reviews", "selectors"]


def _opened(path: Path, url: str) -> tuple[TextResponse | None, tuple[str, ...]]:
    try:
        with path.open("rb") as file:
            body = file.read(FILE_MAX + 1)
    except OSError as error:
        return None, (f"{path} cannot be opened: {error.strerror or error_words(error)}",)
    if len(body) > FILE_MAX:
        return None, (f"{path} is larger than {FILE_MAX // 1024 // 1024} MiB: no page is",)
    where = _address(url) or NOWHERE + quote(path.name)
    made: type[Response] = responsetypes.from_args(filename=path.name, body=body)
    response = as_text(made(where, body=body))
    if response is None:
        return None, (f"{path} is no text",)
    return (response if _address(url) else response.replace(url=_own_url(response, body) or where)), ()


def _address(said: str) -> str:
    """A web address with a host, as it may stand in a mention; "" for anything else."""
    url = clean_url(said)
    try:
        return url if url and urlsplit(url).hostname else ""
    except ValueError:
        return ""


def _own_url(response: TextResponse, body: bytes) -> str:
    """Where a page says it lives, "" if it does not."""
    saved = _SAVED_FROM.search(body[:10_000])
    if saved:
        return _address(saved[1].decode("latin-1"))
    if response.text.lstrip("\ufeff \t\r\n")[:1] in ("{", "["):
        return ""
    places = ("//link[@rel='canonical']/@href", "//meta[@property='og:url']/@content")
    for place in places:
        try:
            for said in response.xpath(place).getall():
                if url := _address(said):
                    return url
        except ValueError:
            return ""
    return ""


def _fetched(url: str, crawl: Crawl, now: datetime) -> tuple[TextResponse | None, tuple[str, ...]]:
    """The page as a crawl would get it: the same manners, the same refusals."""
    from spiders.crawl import crawl as run_crawl

    got: list[TextResponse] = []

    def keep(response: TextResponse, source: Source, fetched_at: datetime) -> Page:
        got.append(response)
        return Page()

    class Fetch(PagedSpider):
        name = "try"
        reader = staticmethod(keep)

    source = Source(name="try", kind="try", urls=(url,), max_pages=1, deadline=timedelta(minutes=2))
    config = Config(path=Path(), brands=(), sources=(source,), routes=(), crawl=crawl)
    clock: Callable[[], datetime] = lambda: now  # noqa: E731
    runs = run_crawl(
        config, [source], store=None, sink_for=lambda *_: None, clock=clock, spiders=lambda kind: Fetch
    )
    if got:
        return got[0], ()
    return None, tuple(run.reason for run in runs) or ("it was asked to stop",)
