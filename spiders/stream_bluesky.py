"""Who speaks of us on Bluesky right now? Jetstream: every post there is, as JSON over a WebSocket, without a key.

It tells everything; what names none of our words is dropped at once. `cursor` (microseconds since 1970) asks for
what was said since, less some seconds, as two servers are never quite alike; 36 hours are kept. `account` events
with active=false take all posts of an author away. Read is the older form (`/subscribe`, which has been frozen
and is served on), and the newer (`/xrpc/network.bsky.jetstream.subscribeEvents`) where `stream_url` says so.
https://bsky.network/docs/jetstream and https://github.com/bluesky-social/jetstream, read in November 2026.
"""

from __future__ import annotations

import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode, urlsplit

from monitor.config import Config, Source
from monitor.match import Brand, Matcher
from spiders.addresses import Allowed
from spiders.api_reading import decoded, read_item
from spiders.presets.bluesky import PRESET
from spiders.settings import user_agent
from spiders.sockets import NoSocket, ask, cut, open_socket, with_tls
from spiders.stream_line import Event, StreamBroken, Told
from spiders.streams import MARK_EVERY, Listener
from storage.records import Mention, Removal, clean_line
from storage.store import Store

STREAM_URL = "wss://jetstream.us-east.bsky.network/subscribe"
POSTS = "app.bsky.feed.post"
REWIND = 5_000_000  # microseconds told again after a break: known posts are known
LATE = 120_000_000  # microseconds the first event may lie behind the mark before something was missed
MESSAGE_MAX = 1 << 20  # bytes; posts are at most a few thousand
SILENT = 60.0  # seconds without any event: the network says a hundred a second
PROFILES_URL = "https://public.api.bsky.app/xrpc/app.bsky.actor.getProfiles"
PROFILES_AT_ONCE = 25
PROFILES_KEPT = 5_000
PROFILES_TIMEOUT = 5.0


def bluesky_listener(
    source: Source, config: Config, store: Store, clock: Callable[[], datetime], news: Callable[[], None]
) -> Listener:
    """Listens to all of Bluesky for the words of a source: its `queries`, else what its brands are called."""
    allowed = Allowed(config.crawl.allow_hosts)
    url = str(source.options.get("stream_url") or STREAM_URL)
    agent = user_agent(config.crawl.contact)
    line = JetstreamLine(url, words_of(source, config), source, allowed, clock, agent)
    return Listener(
        source,
        config,
        store,
        clock,
        [line],
        cursor="jetstream",
        finish=Names(allowed, agent=agent).named,
        news=news,
    )


def words_of(source: Source, config: Config) -> Matcher:
    """What a post must name: as the crawl of the same source searches."""
    said = source.options.get("queries")
    if said:
        return Matcher([Brand(name="queries", terms=tuple(said))])
    return Matcher([brand for brand in config.brands if not source.about or brand.name in source.about])


@dataclass(frozen=True, slots=True)
class Said:
    """An event of Jetstream, in whichever form it came."""

    at: int  # microseconds since 1970; 0 where it says none
    kind: str  # "commit", "account", "info", "error"; "" for others
    did: str
    body: Mapping[str, Any]


def said_in(message: str | bytes) -> Said | None:
    """The event of a message; None for what is none. Raises ValueError and RecursionError."""
    event = decoded(message if isinstance(message, str) else message.decode("utf-8", "replace"))
    if not isinstance(event, dict):
        return None
    kind = event.get("kind")
    if isinstance(kind, str):
        at, body = event.get("time_us"), event.get(kind)
        return Said(
            at if isinstance(at, int) else 0,
            kind,
            str(event.get("did", "")),
            body if isinstance(body, dict) else {},
        )
    if event.get("$type") == "error":
        return Said(0, "error", "", event)
    payload = event.get("payload")
    if not isinstance(payload, dict):
        return None
    kind = str(payload.get("$type", "")).rpartition("#")[2]
    inner = payload.get("account") if kind == "account" else payload
    return Said(
        _micros(payload.get("time")),
        kind,
        str(payload.get("did", "")),
        inner if isinstance(inner, dict) else {},
    )


def _micros(said: object) -> int:
    try:
        at = datetime.fromisoformat(str(said))
    except ValueError:
        return 0
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1_000_000)


def event_of(said: Said, words: Matcher, source: Source, now: datetime) -> Event | None:
    """What an event means to us; None where it means nothing. Never raises on what it holds."""
    if said.kind == "account":
        return (
            Event(gone_author=said.did, mark=said.at)
            if said.body.get("active") is False and said.did
            else None
        )
    if said.kind != "commit":
        return None
    body = said.body
    rkey, operation = body.get("rkey"), body.get("operation")
    if body.get("collection") != POSTS or not isinstance(rkey, str) or not said.did:
        return None
    uri = f"at://{said.did}/{POSTS}/{rkey}"
    if operation == "delete":
        return Event(Removal(source.name, uri, "deleted on Bluesky"), only_known=True, mark=said.at)
    record = body.get("record")
    if operation not in ("create", "update") or not isinstance(record, dict):
        return None
    text = record.get("text")
    named = isinstance(text, str) and bool(words.brands(text))
    if not named and operation == "create":
        return None
    at = datetime.fromtimestamp(min(said.at, 4_000_000_000_000_000) / 1_000_000, UTC) if said.at else now
    item = {
        "uri": uri,
        "rkey": rkey,
        "author": {"did": said.did, "handle": said.did},
        "record": record,
        "indexedAt": at.isoformat(),
    }
    thing = read_item(PRESET, item, source, now)
    if isinstance(thing, Mention) and operation == "update":
        thing = replace(thing, edited_at=at)
    # An edit that names us no more is an edit all the same, of what we have.
    return None if thing is None else Event(thing, only_known=not named, mark=said.at)


class JetstreamLine:
    """The connection."""

    def __init__(
        self,
        url: str,
        words: Matcher,
        source: Source,
        allowed: Allowed,
        clock: Callable[[], datetime],
        agent: str = "lowstar",
    ) -> None:
        self.name = ""
        self._url, self._words, self._source = url, words, source
        self._allowed, self._clock, self._agent = allowed, clock, agent
        self._socket: socket.socket | None = None
        self._too_large = 0  # tries in a row that ended at a message too large to be read …
        self._stuck_at = 0  # … and the last event before it

    def cut(self) -> None:
        """End the connection."""
        cut(self._socket)

    def address(self, mark: int) -> str:
        """What is asked for, from `mark` on."""
        newer = "subscribeEvents" in self._url
        query: list[tuple[str, str]] = [("collections" if newer else "wantedCollections", POSTS)]
        if newer:
            query += [("kinds", "commit"), ("kinds", "account")]
        query.append(("maxMessageSizeBytes", str(MESSAGE_MAX)))
        if mark:
            query.append(("cursor", str(max(1, mark - REWIND))))
        return f"{self._url}{'&' if '?' in self._url else '?'}{urlencode(query)}"

    def events(self, told: Told, mark: int) -> Iterator[Event]:
        """Posts that name our words, and deletions, from `mark` on."""
        try:
            from websockets.exceptions import (
                ConnectionClosed,
                InvalidHandshake,
                InvalidStatus,
                WebSocketException,
            )
            from websockets.sync.client import connect
        except ImportError:
            raise StreamBroken(
                "Jetstream needs one more package: pip install 'lowstar[streams]'", 600.0
            ) from None

        # A message too large for us would end every try at the same place: it is passed over.
        begin = 0 if self._too_large > 1 else mark
        if self._too_large > 1:
            told.missed("a message was too large to be read: what was said around it was not heard")
        raw = self._opened()
        with ExitStack() as opened:
            try:
                line = opened.enter_context(
                    connect(
                        self.address(begin),
                        sock=raw,
                        compression=None,  # a bomb costs nothing to send, a hundred posts a second little to carry
                        proxy=None,
                        max_size=MESSAGE_MAX,
                        open_timeout=20.0,
                        close_timeout=2.0,
                        user_agent_header=self._agent,
                    )
                )
            except InvalidStatus as error:
                words = f"Jetstream answers HTTP {error.response.status_code}: is stream_url right?"
                raise StreamBroken(words, _retry_after(error)) from error
            except (InvalidHandshake, WebSocketException, OSError, ValueError) as error:
                raise StreamBroken(f"Jetstream answers no WebSocket: {type(error).__name__}") from error
            told.connected()
            try:
                yield from self._heard(line, told, begin)
            except ConnectionClosed as error:
                sent = error.sent.code if error.sent is not None else 0
                self._too_large += sent == 1009
                code = error.rcvd.code if error.rcvd is not None else sent
                raise StreamBroken(f"Jetstream closed the connection ({code or 'without a word'})") from error

    def _heard(self, line: Any, told: Told, begin: int) -> Iterator[Event]:
        heard_at = marked_at = time.monotonic()
        first, latest = bool(begin), begin
        if not begin:  # from here on nothing is to be lost, not even before the first event
            latest = int(self._clock().timestamp() * 1_000_000)
            yield Event(mark=latest)
        while not told.stopping:
            try:
                message = line.recv(timeout=1.0)
            except TimeoutError:
                if time.monotonic() - heard_at > SILENT:
                    raise StreamBroken(f"nothing came for {SILENT:.0f} s") from None
                continue
            heard_at = time.monotonic()
            try:
                said = said_in(message)
            except (ValueError, RecursionError):
                told.garbage("a message was no JSON")
                continue
            if said is None:
                told.garbage("a message was no event")
                continue
            if said.kind == "error":
                words = clean_line(str(said.body.get("error") or said.body.get("message") or ""), 100)
                raise StreamBroken(f"Jetstream ended it: {words}")
            if first and (said.kind == "info" or said.at):
                first = False
                self._look_for_a_gap(said, begin, told)
            # A clock that runs ahead must not make us skip what is said until then.
            if said.at > latest and said.at < (self._clock().timestamp() + 600) * 1_000_000:
                latest = said.at
                if self._too_large < 1 or latest > self._stuck_at + REWIND:
                    self._too_large, self._stuck_at = 0, latest
            event = event_of(said, self._words, self._source, self._clock())
            if event is not None:
                yield replace(event, mark=latest)
            elif heard_at - marked_at > MARK_EVERY:
                yield Event(mark=latest)
            else:
                continue
            marked_at = heard_at

    def _look_for_a_gap(self, said: Said, begin: int, told: Told) -> None:
        if said.kind != "info" and said.at - begin <= LATE:
            return
        since = datetime.fromtimestamp(begin / 1_000_000, UTC)
        until = (
            datetime.fromtimestamp(said.at / 1_000_000, UTC)
            if said.at
            else self._clock() - timedelta(hours=36)
        )
        told.missed(
            f"what was said from {since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC is no longer streamed: the next "
            "lowstar run searches for it, if LOWSTAR_BLUESKY_HANDLE and LOWSTAR_BLUESKY_APP_PASSWORD are set"
        )

    def _opened(self) -> socket.socket:
        parts = urlsplit(self._url)
        host, secure = parts.hostname or "", parts.scheme == "wss"
        try:
            self._socket = open_socket(host, parts.port or (443 if secure else 80), self._allowed, 20.0)
            if secure:
                self._socket = with_tls(self._socket, host)
        except NoSocket as error:
            raise StreamBroken(str(error)) from error
        return self._socket


class Names:
    """Puts names to ids: Jetstream tells who wrote a post by an id only. Best effort, and bounded."""

    def __init__(self, allowed: Allowed, url: str = "", agent: str = "lowstar") -> None:
        self._allowed, self._url, self._agent = allowed, url, agent
        self._known: OrderedDict[str, tuple[str, int | None]] = OrderedDict()
        self._lock = threading.Lock()

    def named(self, mentions: Sequence[Mention]) -> list[Mention]:
        """The same mentions with their authors' handles and followers, as far as Bluesky tells them now."""
        with self._lock:
            missing = list(dict.fromkeys(m.author for m in mentions if m.author.startswith("did:")))
            missing = [did for did in missing if did not in self._known]
            for start in range(0, len(missing), PROFILES_AT_ONCE):
                self._ask(missing[start : start + PROFILES_AT_ONCE])
            while len(self._known) > PROFILES_KEPT:
                self._known.popitem(last=False)
            found = self._known
            return [
                replace(m, author=found[m.author][0], author_followers=found[m.author][1])
                if m.author in found
                else m
                for m in mentions
            ]

    def _ask(self, dids: Sequence[str]) -> None:
        url = f"{self._url or PROFILES_URL}?{urlencode([('actors', did) for did in dids])}"
        try:
            answer = ask(
                url,
                {"Accept": "application/json", "User-Agent": self._agent},
                self._allowed,
                PROFILES_TIMEOUT,
            )
            try:
                body = (
                    decoded(answer.read_all(MESSAGE_MAX).decode("utf-8", "replace"))
                    if answer.status == 200
                    else {}
                )
            finally:
                answer.close()
        except (NoSocket, OSError, HTTPException, ValueError, RecursionError):
            return  # the post itself is what matters; a later one of the same author asks again
        profiles = body.get("profiles") if isinstance(body, dict) else None
        for profile in profiles if isinstance(profiles, list) else ():
            if isinstance(profile, dict) and profile.get("did") in dids:
                handle, followers = profile.get("handle"), profile.get("followersCount")
                if isinstance(handle, str) and handle:
                    self._known[str(profile["did"])] = (
                        handle,
                        followers if isinstance(followers, int) else None,
                    )


def _retry_after(error: Any) -> float:
    said = str(error.response.headers.get("Retry-After", ""))
    return float(said) if said.isascii() and said.isdigit() and len(said) < 6 else 0.0
