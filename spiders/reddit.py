"""What is said on Reddit? New submissions and comments of subreddits, and searches, through PRAW.

Without a key of the API, and with LOWSTAR_REDDIT_FEED_URL, through the account's private feeds instead
(`spiders.reddit_feed`). Reddit's anonymous `.json` is never asked for.

PRAW blocks and is not thread-safe: one `praw.Reddit` lives in one thread of its own, and a page of a listing
comes out of it in one hop, already read (`spiders.reddit_door`).

Options in lowstar.toml: `subreddits` (their new submissions and comments), `search` (queries; default: the
brands' terms), `limit` (things read of one listing a crawl, at most 1,000), `user_agent`.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from scrapy.http import Request, Response, TextResponse
from twisted.python.failure import Failure

from monitor import config as settings
from monitor.config import Source
from monitor.match import Brand
from monitor.retention import by_feed
from spiders.base import CrawlEnded, SourceSpider, as_text, failure_words
from spiders.page import Page
from spiders.parsing.reddit_things import Listing, fullname, mention_from
from spiders.parsing.reddit_things import read_page as read_answer
from spiders.reddit_door import SLEEP_MAX, TIMEOUT, Answer, OneThread, RedditDoor, out_of_time
from spiders.reddit_feed import feed_address, names_on, read_feed, token_in
from spiders.settings import VERSION
from storage.records import Mention, Removal, clean_line

__all__ = ["RedditSpider", "mention_from", "read_page"]

LISTING_END = 1_000  # Reddit shows no more of any listing
PAGE = 100  # things on one page, the most it gives
SEEN_KEPT = 100  # names remembered of a listing: one page of overlap
SEEN_MEANT = 5  # where fewer were remembered, all of them may have been deleted since
RECHECK_YOUNGER_THAN = timedelta(hours=48)  # most deletions and edits happen sooner
RECHECK_MAX = 1_000  # names a crawl; ten requests
QUERY_MAX = 400  # characters of one search; Reddit takes 512
FAILURES_MAX = 2  # answers in a row that are Reddit's own trouble: it is down, not a subreddit gone
_SUBREDDITS = re.compile(r"\w{2,24}(?:\+\w{2,24}){0,20}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Stream:
    """One listing that is read newest first."""

    name: str  # of its cursor
    title: str  # as people call it
    path: str
    params: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a listing was read: the newest things seen then."""

    seen: frozenset[str]
    newest_at: float  # Unix seconds

    @classmethod
    def parse(cls, value: str | None) -> Mark | None:
        """The mark a cursor holds; None for none, or for one that cannot be read."""
        try:
            data = json.loads(value or "")
            return cls(frozenset(str(name) for name in data["seen"]), float(data["at"]))
        except (ValueError, TypeError, KeyError):
            return None

    def covers(self, listing: Listing) -> bool:
        """True when the page reaches down to what was read the last time.

        By time as well as by name: the names may all be deleted by now. `before=` is never asked, because it
        can come back empty although newer things exist.
        """
        return (bool(listing.names) and listing.names[-1] in self.seen) or listing.last_at < self.newest_at


def mark_of(names: Sequence[str], newest_at: float) -> str:
    """The cursor's value for a listing whose newest things are `names`."""
    return json.dumps({"seen": list(names[:SEEN_KEPT]), "at": newest_at})


def streams_for(source: Source, brands: Sequence[Brand]) -> tuple[list[Stream], list[str]]:
    """The listings a source asks for, and what is wrong with its options, in words."""
    streams: list[Stream] = []
    problems: list[str] = []
    for name in _strings(source.options.get("subreddits", ())):
        bare = name.strip().removeprefix("/").removeprefix("r/").strip("/")
        if not _SUBREDDITS.fullmatch(bare):
            problems.append(f"{clean_line(name, 60)!r} in `subreddits` is no name of a subreddit")
            continue
        for what, title in (("new", "submissions"), ("comments", "comments")):
            streams.append(Stream(f"{what} {bare.lower()}", f"{title} of r/{bare}", f"r/{bare}/{what}"))
    if "search" in source.options:
        queries = [query for query in _strings(source.options["search"]) if query.strip()]
    else:
        wanted = [brand for brand in brands if not source.about or brand.name in source.about]
        queries = queries_for(wanted)
    for query in queries:
        params = (("q", query[:512]), ("sort", "new"), ("t", "all"), ("type", "link"))
        streams.append(Stream(f"search {query}", f"search for {clean_line(query, 60)}", "search", params))
    if not streams and not problems:
        problems.append("nothing to listen to: name `subreddits` or a `search` in lowstar.toml")
    return streams, problems


def queries_for(brands: Iterable[Brand]) -> list[str]:
    """Searches for the terms of brands, as few as fit.

    >>> queries_for([Brand(name="Kaffa", terms=("Kaffa", "Kaffa One"))])
    ['"Kaffa" OR "Kaffa One"']
    """
    queries: list[str] = []
    for term in dict.fromkeys(term for brand in brands for term in brand.terms or (brand.name,)):
        words = " ".join(term.replace('"', " ").split())
        if not words:
            continue
        quoted = f'"{words[: QUERY_MAX - 2]}"'
        if queries and len(queries[-1]) + len(quoted) + 4 <= QUERY_MAX:
            queries[-1] += f" OR {quoted}"
        else:
            queries.append(quoted)
    return queries


def off_words(config: settings.Config | None) -> str:
    """Why Reddit is switched off, "" where it is not."""
    if config is None or not (
        config.reddit.feed_url or (config.reddit.client_id and config.reddit.client_secret)
    ):
        return (
            "Reddit is off: it needs a key. Register a script app at https://www.reddit.com/prefs/apps and "
            "set LOWSTAR_REDDIT_CLIENT_ID and LOWSTAR_REDDIT_CLIENT_SECRET; or, without a key, set "
            "LOWSTAR_REDDIT_FEED_URL to the address of your private feed, from https://www.reddit.com/prefs/feeds"
        )
    return ""


def read_page(response: TextResponse, source: Source, fetched_at: datetime) -> Page:
    """A saved answer of Reddit's API, or one of its feeds."""
    if re.match(r"\s*(?:<\?xml[^>]{0,200}>\s*)?<(?:feed|rss)\b", response.text.lstrip("\ufeff")):
        return read_feed(response, source, fetched_at)
    return read_answer(response, source, fetched_at)


class RedditSpider(SourceSpider):
    """Listens to Reddit."""

    name = "reddit"
    places = {  # noqa: RUF012  (a ClassVar of the base)
        "item": "data.children",
        "date": "data.children[].data.created_utc",
        "author": "data.children[].data.author",
        "text": "data.children[].data.body or selftext",
        "id": "data.children[].data.name",
    }

    _door: RedditDoor
    _thread: OneThread
    _deadline: float  # on time.monotonic's clock

    async def start(self) -> AsyncIterator[Any]:
        """Every listing newest first, down to what was read before; then a second look at young mentions."""
        config = self.config
        off = off_words(config)
        if off or config is None:
            self.health.switched_off(off)
            return
        streams, problems = streams_for(self.source, config.brands)
        for words in problems:
            self.health.problem(words)
        self._met: set[str] = set()
        if by_feed(config.reddit):
            for request in self._feeds(streams, config.reddit, self._user_agent(config)):
                yield request
            return
        self._failures = 0
        self._stopped = False
        deadline = time.monotonic() + self.source.deadline.total_seconds()
        agent = self._user_agent(config)
        door = RedditDoor(config.reddit, agent, deadline, self.source, lambda: self.brake.pulled)
        thread = OneThread(f"reddit {self.source.name}")
        self._door, self._thread, self._deadline = door, thread, deadline
        try:
            for stream in streams:
                if self._stopped:
                    break
                async for item in self._read(stream):
                    yield item
            if not self._stopped:
                for item in await self.recheck(await self._recent()):
                    yield item
        finally:
            thread.end(door.close)

    def _feeds(self, streams: Sequence[Stream], account: settings.Reddit, agent: str) -> Iterable[Request]:
        token = token_in(account.feed_url)
        if self.since is not None:
            self.health.note("Reddit's feeds show their newest 100 entries only: --since changes nothing")
        for stream in streams:
            params = {name: value for name, value in stream.params if name in ("q", "sort", "t", "type")}
            yield self.request(
                feed_address(account.reddit_url, stream.path, params, token),
                headers={"Accept": "application/atom+xml", "User-Agent": agent},
                # The token says that Reddit knows who reads; and it must never follow a redirect.
                meta={"stream": stream, "dont_redirect": True, "dont_obey_robotstxt": True},
                dont_filter=True,
            )

    async def parse(self, response: Response, **_: Any) -> AsyncIterator[Mention | Removal]:
        """One private feed: what is new in it, and whether it reaches down to what was read before."""
        stream: Stream = response.meta["stream"]
        text = as_text(response)
        page = (
            read_feed(text, self.source, self.fetched_at) if text is not None else Page(blind="it is no text")
        )
        if page.blind:
            self.health.page(status=response.status)
            self.health.saw_nothing(f"{stream.title}: {page.blind}")
            return
        fresh = [mention for mention in page.mentions if mention.external_id not in self._met]
        self.health.page(status=response.status, found=len(fresh))
        for words in page.problems:
            self.health.problem(f"{stream.title}: {words}")
        for mention in fresh:
            yield mention
        for removal in page.removals:
            yield removal
        names = dict(names_on(page))
        self._met.update(names)
        if not names:
            return
        mark = Mark.parse(await asyncio.to_thread(self.cursor, stream.name))
        if (
            mark is not None
            and len(names) >= SEEN_MEANT
            and not mark.seen & set(names)
            and min(names.values()) > mark.newest_at
        ):
            self.health.missed(
                f"{stream.title}: all {len(names)} entries its feed shows are new: some may be missed; run this "
                "source more often, or read Reddit with a key"
            )
        newest_at = max([*names.values(), mark.newest_at if mark else 0.0])
        self.set_cursor(stream.name, mark_of(list(names), newest_at))

    async def failed(self, failure: Failure) -> None:
        """As any failure, and without the token, wherever it may have been repeated."""
        if isinstance(failure.value, CrawlEnded):
            return
        words, status = failure_words(failure)
        for secret in token_in(self.config.reddit.feed_url).values() if self.config is not None else ():
            words = words.replace(secret, "…")
        if status in (401, 403):
            words += (
                "; is LOWSTAR_REDDIT_FEED_URL still the address https://www.reddit.com/prefs/feeds shows?"
            )
        self.health.failure(words, status)

    async def recheck(self, fullnames: Sequence[str]) -> list[Mention | Removal]:
        """Things asked for by name: as they are now, or their removal.

        What Reddit leaves out of its answer is left alone: it is also silent about places it will not show.
        """
        found: list[Mention | Removal] = []
        names = [name for name in dict.fromkeys(fullnames) if fullname({"name": name})][:RECHECK_MAX]
        for at in range(0, len(names), PAGE):
            asked = {"id": ",".join(names[at : at + PAGE])}
            answer = await self._answer("api/info", asked, "a second look at young mentions")
            if answer.listing is None:
                break
            self.health.page(status=answer.status or 200)
            found += [*answer.listing.page.mentions, *answer.listing.page.removals]
        return found

    async def _read(self, stream: Stream) -> AsyncIterator[Mention | Removal]:
        mark = Mark.parse(await asyncio.to_thread(self.cursor, stream.name))
        limit = self._limit()
        names: list[str] = []
        read, newest_at, after = 0, 0.0, ""
        for _ in range(max(1, self.source.max_pages)):
            params = dict(stream.params) | {"limit": str(min(PAGE, limit - read))}
            if after:
                params["after"] = after
            answer = await self._answer(stream.path, params, stream.title)
            listing = answer.listing
            if listing is None:
                return  # the mark stays: what lies between is asked for again
            fresh = [m for m in listing.page.mentions if m.external_id not in self._met]
            self.health.page(status=answer.status or 200, found=len(fresh))
            for words in listing.page.problems:
                self.health.problem(f"{stream.title}: {words}")
            for mention in fresh:
                yield mention
            for removal in listing.page.removals:
                yield removal
            self._met.update(listing.names)
            names += listing.names
            read += len(listing.names)
            newest_at = max(newest_at, listing.newest_at)
            if self.since is not None:
                if listing.last_at < self.since.timestamp():
                    break
            elif mark is not None and mark.covers(listing):
                break
            if not listing.after or listing.after == after or read >= limit:
                # A few names that are all gone were taken down; many are a hole, or a listing cut short.
                if (
                    mark is not None
                    and self.since is None
                    and (len(mark.seen) >= SEEN_MEANT or read >= limit)
                ):
                    self._gap(stream, read, limit)
                break
            after = listing.after
        else:
            self.health.limit(f"{stream.title}: stopped after {self.source.max_pages} pages: raise max_pages")
        if names:
            older = sorted(mark.seen if mark else (), key=lambda name: (len(name), name), reverse=True)
            kept = dict.fromkeys([*names[:SEEN_KEPT], *older])
            newest_at = max(newest_at, mark.newest_at if mark else 0.0)
            self.set_cursor(stream.name, mark_of(list(kept), newest_at))

    def _gap(self, stream: Stream, read: int, limit: int) -> None:
        """The listing ended and nothing in it had been seen before."""
        if not read:
            self.health.missed(f"{stream.title}: nothing is shown, although there was something before")
        elif read >= limit and limit < LISTING_END:
            self.health.missed(
                f"{stream.title}: {read} new things, and the limit was reached before anything seen earlier: "
                "some may be missed; raise `limit` or run this source more often"
            )
        else:
            self.health.missed(
                f"{stream.title}: the listing ended after {read:,} things without one seen before: some were "
                "missed; run this source more often"
            )

    async def _answer(self, path: str, params: Mapping[str, str], what: str) -> Answer:
        """One hop into the thread and back; what it says about failing is told to `health` here."""
        answer = await self._hop(path, params, what)
        wait = answer.retry_after
        if wait is not None and wait <= min(SLEEP_MAX, self._deadline - time.monotonic() - 1):
            await self.brake.wait(wait)  # once: who says "not yet" twice means it
            answer = await self._hop(path, params, what)
        self._failures = self._failures + 1 if answer.trouble else 0
        if answer.listing is not None:
            return answer
        if self.brake.pulled:
            pass  # who pulled it says why
        elif answer.limit and answer.status is None:
            self.health.limit(answer.words)
        else:
            self.health.failure(answer.words, answer.status)
        self._stopped = answer.stops or self._failures >= FAILURES_MAX
        return answer

    async def _hop(self, path: str, params: Mapping[str, str], what: str) -> Answer:
        if self.brake.pulled:
            return out_of_time(self.source)
        hop = self._thread.run(lambda: self._door.get(path, params, what))
        # The door keeps the deadline itself; here is for the day it does not (a head that drips in).
        patience = max(0.0, self._deadline - time.monotonic()) + TIMEOUT
        braked = asyncio.ensure_future(self.brake.wait(patience))
        either: list[asyncio.Future[Any]] = [hop, braked]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            braked.cancel()
        return hop.result() if hop.done() else out_of_time(self.source)

    async def _recent(self) -> list[str]:
        """Names of stored mentions young enough to change, without those this crawl has met."""
        if self.store is None:
            return []
        since = self.fetched_at - RECHECK_YOUNGER_THAN
        seen = {
            name
            for key in self._cursors
            if (mark := Mark.parse(self._cursors[key])) is not None and mark.newest_at >= since.timestamp()
            for name in mark.seen
        }
        recent = await asyncio.to_thread(_recent_names, self.store, self.source.name, since, seen)
        return sorted(set(recent) - self._met, reverse=True)

    def _limit(self) -> int:
        limit = self.source.options.get("limit", LISTING_END)
        return max(1, min(LISTING_END, limit)) if isinstance(limit, int) else LISTING_END

    def _user_agent(self, config: settings.Config) -> str:
        """What Reddit asks for: who it is and how to reach them."""
        said = self.source.options.get("user_agent") or config.reddit.user_agent
        if not said:
            contact = config.crawl.contact
            said = f"python:lowstar:{VERSION} ({f'contact: {contact}' if contact else 'reputation monitor'})"
        plain = clean_line(str(said), 200).encode("ascii", "ignore").decode().strip()
        return plain if len(plain) >= 7 else f"python:lowstar:{VERSION} {plain}".strip()


def _recent_names(store: Any, source: str, since: datetime, seen: set[str]) -> list[str]:
    """Names of mentions of `source` that are stored and not older than `since`, as far as the store can tell.

    A store without `recent_keys` is asked which of the names remembered from the last crawl it kept.
    """
    if (recent_keys := getattr(store, "recent_keys", None)) is not None:
        return [key[1] if isinstance(key, tuple) else str(key) for key in recent_keys(source, since)]
    return [key[1] for key in store.stored([(source, name) for name in sorted(seen)])] if seen else []


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, (list, tuple)) else []
