"""What every spider shares: its source, its memory of the last run, and a safe door for reading pages.

A new source is one file. Where one answer is read at a time (nearly always), write a reader and ten lines:

    def read_page(response: TextResponse, source: Source, fetched_at: datetime) -> Page:
        ...                                    # pure: no request, no clock, never raises on content

    class ForumSpider(PagedSpider):
        '''Listens to forums.'''

        name = "forum"                         # equals the `kind` in lowstar.toml
        reader = staticmethod(read_page)

        def first_requests(self) -> Iterable[Request]:      # only where source.urls are not what to ask
            yield self.request(f"https://api.forum.example/search?q={quote(self.source.options['query'])}")

`PagedSpider` does the rest: asks, reads in a safe door, counts into `health`, yields mentions and removals,
follows `Page.next_urls` until a whole page is known, remembers `Page.cursors`. `conditional = True` adds
If-None-Match/If-Modified-Since to the first requests; a 304 is "nothing new", no error.

Where a library does the asking (PRAW), subclass `SourceSpider` and write `async def start(self)` that yields
`Mention`s and `Removal`s (Scrapy requests may be mixed in), telling `self.health` what happened:

    class ThingSpider(SourceSpider):
        name = "thing"

        async def start(self) -> AsyncIterator[Mention | Removal]:
            async for answer in hops_of_a_thread(...):       # blocking calls in a thread of their own
                mentions = read(answer)
                self.health.page(found=len(mentions))
                for mention in mentions:
                    yield mention
            self.set_cursor("seen_until", ...)
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Protocol

import scrapy
from scrapy.http import Request, Response, TextResponse
from twisted.python.failure import Failure

from monitor.config import Config, Source
from spiders.brake import Brake, CrawlEnded
from spiders.health import Health
from spiders.page import Page
from spiders.words import error_words, failure_words, host_of, shown
from storage.records import DatePrecision, Mention, RatingSnapshot, Removal, Stored, Tally, clean_key

__all__ = [  # with what a spider says and waits with, so that one import is enough
    "Brake",
    "CrawlEnded",
    "Memory",
    "PagedSpider",
    "Sink",
    "SourceSpider",
    "as_text",
    "error_words",
    "failure_words",
    "host_of",
    "shown",
]

SWEEP_EVERY = timedelta(days=7)  # edits and late reviews on deeper pages are noticed within a week
SNAPSHOTS_KEPT = 1_000  # a crawl; more averages than this are a broken reader
MARKS_KEPT = 200  # listings of a source whose newest date is remembered, to notice a gap
GAP_MENTIONS = 5  # fewer, all of them new, are a page that was filled a moment ago
FEW_GONE = 5  # as many may vanish at once without a second thought
ABSENT_MAX = 90_000  # characters of ids remembered between two full sweeps

Sink = Callable[[Sequence[Mention | Removal]], Tally]
"""Takes a batch for good, in one transaction; raises if it could not. Called in a worker thread, in order."""


class Memory(Protocol):
    """What a spider may ask of the store. Both answer from any thread."""

    def cursor(self, source: str, name: str) -> str | None:
        """How far the source has been read, as remembered under `name`; None if it never was."""

    def stored(self, keys: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Stored]:
        """What is known of these mentions, by key; a mention never seen is absent."""


class Shelf(Protocol):
    """What noticing a deletion needs besides."""

    def kept_keys(self, source: str) -> set[str]:
        """The external ids of all that is kept of `source`, removed ones left out."""


class SourceSpider(scrapy.Spider):
    """Listens to one `Source`.

    `spiders.crawl` builds it with everything given. `scrapy crawl reviews -a url=https://…` and
    `scrapy crawl reviews -a source=NAME_IN_TOML` work too: the source is then made from the address, or read
    from the lowstar.toml that LOWSTAR_CONFIG names, and nothing is remembered.
    """

    name = ""
    kind: ClassVar[str] = ""  # where it differs from `name`
    windowed: bool = False  # asks only for what was said since the last time: finding nothing is natural
    backfills: ClassVar[bool] = True  # False: its source shows only the newest, whatever one asks
    # By which path each field is found, for kinds that look in one place; see `place_of`.
    places: ClassVar[Mapping[str, str]] = {}

    source: Source
    fetched_at: datetime
    health: Health
    first: bool
    sink: Sink | None
    snapshots: list[RatingSnapshot]
    brake: Brake  # pulled when the crawl must end: threads and waits of one's own look at it

    def __init__(
        self,
        name: str | None = None,
        *,
        source: Source | str | None = None,
        store: Memory | None = None,
        fetched_at: datetime | None = None,
        first: bool = False,
        health: Health | None = None,
        sink: Sink | None = None,
        config: Config | None = None,
        since: datetime | None = None,
        url: str = "",
        **options: Any,
    ) -> None:
        super().__init__(name)
        if not isinstance(source, Source):
            kind = self.kind or self.name
            source, config = _source_from_arguments(source or "", url, kind, options, config)
        self.source = source
        self.config = config  # None unless read or given: credentials of kinds that need some
        self.store = store
        # The edge: a spider that Scrapy itself starts has nobody to give it the time.
        self.fetched_at = fetched_at or datetime.now(UTC)
        self.first = first
        self.since = since  # read back to there, whatever was read before; None: go on from the last time
        self.health = health or Health()
        self.sink = sink
        self.brake = Brake()
        self.snapshots = []
        self._cursors: dict[str, str | None] = {}  # as they were, once asked for
        self._new_cursors: dict[str, str] = {}

    def cursor(self, name: str) -> str | None:
        """How far this source has been read, as remembered under `name`; None the first time."""
        name = clean_key(name)
        if name in self._new_cursors:
            return self._new_cursors[name]
        if name not in self._cursors:
            self._cursors[name] = (
                self.store.cursor(self.source.name, name) if self.store is not None else None
            )
        return self._cursors[name]

    def set_cursor(self, name: str, value: str) -> None:
        """Remember `value`; written only after everything yielded before has been stored."""
        self._new_cursors[clean_key(name)] = value

    @property
    def new_cursors(self) -> Mapping[str, str]:
        """What to write once the items are stored; cursors that did not change are left out."""
        return {name: value for name, value in self._new_cursors.items() if self._cursors.get(name) != value}

    async def known(self, mentions: Iterable[Mention]) -> set[tuple[str, str]]:
        """The keys of those mentions that are stored with the same content; empty without a store.

        Asked in a worker thread: a busy database never holds up the other sources.
        """
        if self.store is None:
            return set()
        # The store has them as `ingest` files them: what a brand's own pages hold is about that brand.
        brands = self.source.about
        hashes = {
            mention.key: (
                replace(mention, about=brands) if brands and not mention.about else mention
            ).content_hash()
            for mention in mentions
        }
        if not hashes:
            return set()
        stored = await asyncio.to_thread(self.store.stored, list(hashes))
        return {key for key, known in stored.items() if hashes.get(key) == known.content_hash}

    def remember(self, snapshots: Iterable[RatingSnapshot]) -> None:
        """Keep the averages a page showed, to be stored at the end of the crawl."""
        for snapshot in snapshots:
            if len(self.snapshots) < SNAPSHOTS_KEPT:
                self.snapshots.append(snapshot)

    def place_of(self, field: str) -> str:
        """By which selector or path `field` is looked for, "" where that is in no one place.

        `field` is "item" for the mentions themselves, else a name of `monitor.baseline.FIELD_WORDS`.
        """
        return self.places.get(field, "")

    @property
    def full(self) -> bool:
        """True when the sample the source is read for (`max_items`) has been taken."""
        return 0 < self.source.max_items <= self.health.mentions

    def missing(self, shelf: Shelf) -> list[Removal]:
        """What is kept and has turned out to be gone; asked in a thread once all else has been stored."""
        return []

    def request(self, url: str, **arguments: Any) -> Request:
        """A request whose answer comes to `parse` and whose failure is recorded in words."""
        arguments.setdefault("callback", self.parse)
        arguments.setdefault("errback", self.failed)
        return Request(url, **arguments)

    async def failed(self, failure: Failure) -> None:
        """Records why a request got no answer that can be read. The crawl goes on."""
        if isinstance(failure.value, CrawlEnded):
            return
        words, status = failure_words(failure)
        self.health.failure(words, status)

    def parse(self, response: Response, **_: Any) -> Any:
        """Overridden by spiders that make requests."""
        raise NotImplementedError(f"{type(self).__name__} makes requests and has no parse()")


class PagedSpider(SourceSpider):
    """Reads pages one by one with `reader`, following a listing until a whole page is already known.

    Once a week (`SWEEP_EVERY`) all pages are read, so that edits and late reviews deep down are noticed.
    `source.max_pages` bounds each listing, that is each first request and what follows from it.
    """

    reader: ClassVar[staticmethod[[TextResponse, Source, datetime], Page]]  # a PageReader
    conditional: ClassVar[bool] = False  # ask "only if changed since" where a listing is one page (a feed)
    handle_httpstatus_list: ClassVar[list[int]] = [304]

    def __init__(self, name: str | None = None, **arguments: Any) -> None:
        super().__init__(name, **arguments)
        self.sweep = self.since is not None or self._sweep_is_due()
        self._seen: set[str] = set()  # ids
        self._dates: dict[str, tuple[int, datetime, datetime]] = {}  # by listing: how many, oldest, newest
        self._pages_asked: dict[str, int] = {}  # by listing
        self._heads: set[str] = set()  # the first requests' addresses
        self._hosts = {host for url in self.source.urls if (host := host_of(url))}
        extra = self.source.options.get("hosts", ())
        if isinstance(extra, (list, tuple)):
            self._hosts.update(str(host).lower() for host in extra)
        self._broken = False  # a page failed: this was no full sweep
        self._finished = False

    def first_requests(self) -> Iterable[Request]:
        """What to ask first; by default every address of the source."""
        for url in self.source.urls:
            yield self.request(url)

    async def start(self) -> AsyncIterator[Any]:
        """The first requests, each the head of a listing of its own."""
        try:
            for request in self.first_requests():
                self._hosts.add(host_of(request.url))
                self._heads.add(request.url)
                listing = request.meta.setdefault("listing", request.url)
                self._pages_asked[listing] = self._pages_asked.get(listing, 0) + 1
                if self.conditional:
                    request.meta["listing_head"] = request.url
                    if not self.sweep:
                        self._ask_only_if_changed(request)
                # Two addresses in lowstar.toml that differ only in what a filter folds are both meant.
                request.dont_filter = True
                yield request
        except Exception as error:  # a source's options may be odd in ways its kind did not foresee
            self._broken = True
            self.health.failure(f"nothing could be asked: {error_words(error)}")

    async def parse(self, response: Response, **_: Any) -> AsyncIterator[Any]:
        """Reads one answer: its mentions, removals, and the requests for more of the same listing."""
        if response.status == 304:
            self.health.nothing_new()
            return
        page = self.read(response)
        if page is None:
            self._broken = True
            why = f": {self._reading_problem}" if self._reading_problem else ""
            self.health.failure(f"{shown(response.url)} could not be read{why}", response.status)
            return
        if page.quiet and not page.mentions and not page.problems:
            self.health.nothing_new()
        else:
            self.health.page(status=response.status, found=len(page.mentions))
        for words in page.problems:
            self.health.problem(words)
        for words in page.notes:
            self.health.note(words)
        if page.blind:
            self.health.saw_nothing(page.blind)
        self.remember(page.snapshots)
        listing = response.meta.get("listing", response.url)
        self._measure(listing, page)
        known = await self.known(page.mentions) if page.next_urls and not self.sweep else set()
        for mention in page.mentions:
            yield mention
        for removal in page.removals:
            yield removal
        for name, value in page.cursors:
            self.set_cursor(name, value)
        if self.conditional and response.meta.get("listing_head") is not None and not page.blind:
            self._remember_validators(response)
        keys = {mention.key for mention in page.mentions}
        if keys and not page.removals and keys <= known:
            return  # all of it is known: what follows is older still
        goes_on = False
        for request in self._more(response, page):
            goes_on = True
            yield request
        if not goes_on and not page.blind:
            self._look_for_a_gap(listing)

    def read(self, response: Response) -> Page | None:
        """The page through its reader; None (and why, noted) if it was no text or the reader fell over.

        The safe door: whatever a stranger wrote, the crawl goes on.
        """
        self._reading_problem = ""
        text = as_text(response)
        if text is None:
            self._reading_problem = "it is no text but " + (
                clean_key((response.headers.get("Content-Type") or b"unnamed bytes").decode("latin-1"))
            )
            return None
        try:
            return type(self).reader(text, self.source, self.fetched_at)
        except RecursionError:
            self._reading_problem = "it is nested too deeply"
        except Exception as error:
            self._reading_problem = error_words(error)
            self.logger.debug("reading %s failed", response.url, exc_info=True)
        finally:
            # A page of 5 MiB may be a tree of 100 MiB, and Scrapy keeps answers for a while.
            text._cached_selector = None
        return None

    async def failed(self, failure: Failure) -> None:
        self._broken = True
        await super().failed(failure)

    def closed(self, reason: str) -> None:
        """Remembers a full sweep, if this was one to the end."""
        self._finished = reason == "finished" and not self._broken
        if self.sweep and self.since is None and self._finished and self.health.pages:
            self.set_cursor("swept_at", self.fetched_at.isoformat())

    def missing(self, shelf: Shelf) -> list[Removal]:
        """What is kept and was on none of the pages of two full sweeps in a row.

        Only where lowstar.toml says that the source's pages show all there is (`complete = true`), and never
        after a sweep that failed anywhere: absence proves something only where everything was seen.
        """
        health = self.health
        whole = self._finished and not (health.failed or health.limits or health.blind_pages or health.gap)
        if self.source.options.get("complete") is not True or not self.sweep or self.since or not whole:
            return []
        if not self._seen or self.full or health.problems:
            return []
        kept = shelf.kept_keys(self.source.name)
        absent = kept - self._seen
        if len(absent) > FEW_GONE and len(absent) * 2 > len(kept):
            health.problem(
                f"{len(absent)} of {len(kept)} known mentions are on none of its pages: nothing was removed. "
                "Does it really show all of them? If not, take `complete` out of its table"
            )
            return []
        before = set(filter(None, (self.cursor("absent") or "").split("\n")))
        gone = sorted(absent & before)
        text = "\n".join(sorted(absent - before))
        self.set_cursor("absent", text if len(text) <= ABSENT_MAX else "")
        return [Removal(self.source.name, one, "no longer on its page") for one in gone]

    def _measure(self, listing: str, page: Page) -> None:
        """How far down in time a listing was read."""
        if self.source.options.get("complete") is True:
            self._seen.update(mention.external_id for mention in page.mentions)
        exact = (DatePrecision.SECOND, DatePrecision.DAY)
        dates = [m.published_at for m in page.mentions if m.published_at and m.date_precision in exact]
        if dates:
            count, oldest, newest = self._dates.get(listing, (0, dates[0], dates[0]))
            self._dates[listing] = (count + len(dates), min(oldest, *dates), max(newest, *dates))

    def _look_for_a_gap(self, listing: str) -> None:
        """At the end of a listing: does it reach down to the newest of the last time?

        If all it shows is younger, something may have come and gone, or been pushed out, in between.
        """
        if self.windowed or listing not in self._dates or self.since is not None:
            return
        count, oldest, newest = self._dates[listing]
        name = f"newest {listing}"
        try:
            mark = datetime.fromisoformat(self.cursor(name) or "")
        except ValueError:
            mark = None
        if mark is not None and count >= GAP_MENTIONS and oldest > mark:
            self.health.missed(
                f"{shown(listing)}: all {count} mentions it shows are newer than the newest of the last run: "
                "some in between may be missed; read this source more often, or raise its max_pages"
            )
        if len(self._dates) <= MARKS_KEPT and newest <= self.fetched_at + timedelta(days=1):
            self.set_cursor(name, newest.isoformat())

    def _sweep_is_due(self) -> bool:
        if self.cursor("absent"):
            return True  # what was missed in the last sweep is looked for once more
        swept_at = self.cursor("swept_at")
        if swept_at is None:
            return True
        try:
            return self.fetched_at - datetime.fromisoformat(swept_at) >= SWEEP_EVERY
        except (ValueError, TypeError, OverflowError):
            return True

    def _more(self, response: Response, page: Page) -> Iterable[Request]:
        listing = response.meta.get("listing", response.url)
        here = host_of(response.url)
        if 0 < self.source.max_items <= self.health.found or self._is_older(page):
            return
        for url in dict.fromkeys(page.next_urls):
            host = host_of(url)
            if url in self._heads:
                continue  # "page 1" in a pager
            if not host or (host != here and host not in self._hosts):
                continue  # more of the same listing lies with the same site
            if self._pages_asked.get(listing, 0) >= self.source.max_pages:
                pages = f"{self.source.max_pages} pages of {shown(listing)}"
                self.health.limit(f"stopped after {pages}: raise max_pages to read more")
                if self.windowed and not self.first:
                    self.health.missed(f"there was more since the last run than the {pages} that were read")
                return
            self._pages_asked[listing] = self._pages_asked.get(listing, 0) + 1
            try:
                yield self.request(url, meta={"listing": listing})
            except ValueError as error:
                self.health.problem(f"{shown(url)} cannot be asked: {error_words(error)}")

    def _is_older(self, page: Page) -> bool:
        """True when all of a page is older than the day one wants to go back to."""
        dates = [mention.published_at for mention in page.mentions if mention.published_at is not None]
        return self.since is not None and bool(dates) and max(dates) < self.since

    def _ask_only_if_changed(self, request: Request) -> None:
        etag = self.cursor(f"etag {request.url}")
        modified = self.cursor(f"modified {request.url}")
        if etag:
            request.headers.setdefault("If-None-Match", etag)
        if modified:
            request.headers.setdefault("If-Modified-Since", modified)

    def _remember_validators(self, response: Response) -> None:
        asked = response.meta["listing_head"]
        for name, header in (("etag", b"ETag"), ("modified", b"Last-Modified")):
            value = (response.headers.get(header) or b"").decode("latin-1")
            if len(value) <= 1_000 and value.isprintable():  # it goes back into a header
                self.set_cursor(f"{name} {asked}", value)


def as_text(response: Response) -> TextResponse | None:
    """The answer as text, also where its Content-Type is missing or wrong; None if it is none."""
    if isinstance(response, TextResponse):
        return response
    if not response.body or b"\x00" in response.body[:1_000]:
        return None
    kinds = (b"%PDF", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"PK\x03\x04", b"\x1f\x8b")
    if response.body.startswith(kinds):
        return None
    return TextResponse(
        response.url,
        status=response.status,
        headers=response.headers,
        body=response.body,
        request=response.request,
    )


def _source_from_arguments(
    name: str, url: str, kind: str, options: Mapping[str, Any], config: Config | None
) -> tuple[Source, Config | None]:
    if name:
        from monitor.config import load_config  # lazily: reading lowstar.toml is for this path only

        config = config or load_config(None, os.environ)
        try:
            return config.source(name), config
        except KeyError:
            names = ", ".join(source.name for source in config.sources) or "none"
            raise ValueError(f"{config.path} has no source {name!r}; it has: {names}") from None
    urls = tuple(part for part in url.split() if part)
    known = {"max_pages": int, "language": str}
    fields: dict[str, Any] = {key: make(options[key]) for key, make in known.items() if key in options}
    rest = {key: value for key, value in options.items() if key not in known}
    host = host_of(urls[0]) if urls else ""
    return Source(name=host or kind, kind=kind, title=host or kind, urls=urls, options=rest, **fields), config
