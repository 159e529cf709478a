"""Who speaks of us on Mastodon right now? The streaming API's hashtags, as server-sent events.

`GET /api/v1/streaming/hashtag?tag=`: events `update`, `status.update` (an edit), `delete` (an id), heartbeats as
comments every 15 s. Since Mastodon 4.2 it wants a user's token. The stream cannot be asked for what was missed;
the crawl of the same source reads it. https://docs.joinmastodon.org/methods/streaming/, read in November 2026.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from datetime import datetime
from http.client import HTTPException
from urllib.parse import quote, urlsplit

from monitor.config import Config, Source
from monitor.config_apis import keys_of
from spiders.addresses import Allowed
from spiders.api_reading import decoded, read_item
from spiders.presets.mastodon import PRESET
from spiders.settings import user_agent
from spiders.sockets import Answer, NoSocket, ask, cut
from spiders.stream_line import Event, StreamBroken, Told
from spiders.streams import Listener
from storage.records import Removal, clean_line
from storage.store import Store

LINES_MAX = 20  # hashtags of one source that are listened to, a connection each; the crawl reads all
SILENT = 90.0  # seconds without a heartbeat, which comes every 15
EVENT_MAX = 1 << 20  # bytes of one event; a post is a hundredth of it
KEY_WAIT = 600.0  # seconds before a token that was refused is tried again


def mastodon_listener(
    source: Source, config: Config, store: Store, clock: Callable[[], datetime], news: Callable[[], None]
) -> Listener:
    """Listens to the hashtags of a source."""
    said = source.options.get("hashtags", ())
    tags = list(dict.fromkeys(str(tag).removeprefix("#") for tag in said))[:LINES_MAX]
    base = str(source.options.get("stream_url") or source.options.get("api_url") or PRESET.api_url)
    token = keys_of("mastodon", config.keys).get("token", "")
    allowed = Allowed(config.crawl.allow_hosts)
    lines = [
        HashtagLine(
            base.rstrip("/"),
            tag,
            token,
            source,
            allowed,
            clock,
            agent=user_agent(config.crawl.contact),
            discover="stream_url" not in source.options,
        )
        for tag in tags
    ]
    return Listener(source, config, store, clock, lines, news=news)


class HashtagLine:
    """One hashtag."""

    def __init__(
        self,
        base: str,
        tag: str,
        token: str,
        source: Source,
        allowed: Allowed,
        clock: Callable[[], datetime],
        *,
        agent: str = "lowstar",
        discover: bool = True,
    ) -> None:
        self.name = f"#{tag}"
        self._base, self._tag, self._token = base, tag, token
        self._source, self._allowed, self._clock = source, allowed, clock
        self._agent, self._discover = agent, discover
        self._socket: socket.socket | None = None

    def cut(self) -> None:
        """End the connection."""
        cut(self._socket)

    def events(self, told: Told, mark: int) -> Iterator[Event]:
        """Posts, edits and deletions as they come."""
        answer = self._opened()
        try:
            told.connected()
            for name, data in server_sent(pieces(answer, told), told):
                event = self._event(name, data, told)
                if event is not None:
                    yield event
        finally:
            answer.close()

    def _opened(self) -> Answer:
        if self._discover:
            self._base, self._discover = self._streaming_host(), False
        url = f"{self._base}/api/v1/streaming/hashtag?tag={quote(self._tag, safe='')}"
        answer = self._asked(url)
        if answer.status != 200:
            status, wait = answer.status, answer.retry_after
            answer.close()
            raise StreamBroken(
                _refused(status, bool(self._token)), KEY_WAIT if status in (401, 403) else wait
            )
        if "text/event-stream" not in answer.header("content-type"):
            kind = clean_line(answer.header("content-type"), 60) or "nothing known"
            answer.close()
            raise StreamBroken(
                f"the server answers with {kind} instead of a stream; is stream_url right?", 60.0
            )
        return answer

    def _asked(self, url: str) -> Answer:
        headers = {"Accept": "text/event-stream", "User-Agent": self._agent}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"

        def opened(connection: socket.socket) -> None:
            self._socket = connection

        try:
            return ask(url, headers, self._allowed, SILENT, opened)
        except NoSocket as error:
            raise StreamBroken(str(error)) from error
        except (OSError, HTTPException, ValueError) as error:
            raise StreamBroken(f"no answer from {urlsplit(url).hostname}: {type(error).__name__}") from error

    def _streaming_host(self) -> str:
        """Where the server streams: it redirects to another host, or has no such page where it is the same."""
        answer = self._asked(f"{self._base}/api/v1/streaming")
        place = answer.header("location") if answer.status in (301, 302, 303, 307, 308) else ""
        answer.close()
        if not place:
            return self._base
        ours, theirs = urlsplit(self._base), urlsplit(place)
        host = theirs.hostname or ours.hostname or ""
        # The token goes there: only to the server that was named, or to a host below it.
        if host != ours.hostname and not host.endswith(f".{ours.hostname}"):
            raise StreamBroken(
                f"the server streams from {clean_line(host, 80)}: if that is right, set stream_url to it",
                KEY_WAIT,
            )
        port = f":{theirs.port}" if theirs.port else ""
        return f"{ours.scheme}://{host}{port}"

    def _event(self, name: str, data: str, told: Told) -> Event | None:
        source = self._source
        if name == "delete":
            key = data.strip()
            return (
                Event(Removal(source.name, key, "deleted on Mastodon"), only_known=True)
                if key.isdigit()
                else None
            )
        if name not in ("update", "status.update"):
            return None
        try:
            item = decoded(data)
        except (ValueError, RecursionError):
            told.garbage("an event was no JSON")
            return None
        if not isinstance(item, dict):
            told.garbage("an event was no post")
            return None
        thing = read_item(PRESET, item, source, self._clock(), self._base)
        return None if thing is None else Event(thing)


def pieces(answer: Answer, told: Told) -> Iterator[bytes]:
    """What arrives, piece by piece; each is a sign of life."""
    while True:
        try:
            piece = answer.read_some()
        except TimeoutError:
            raise StreamBroken(f"nothing came for {SILENT:.0f} s, not even a heartbeat") from None
        except (OSError, HTTPException, ValueError) as error:
            raise StreamBroken(f"the connection broke off ({type(error).__name__})") from error
        if not piece or told.stopping:
            return
        told.alive()
        yield piece


def server_sent(parts: Iterator[bytes], told: Told) -> Iterator[tuple[str, str]]:
    """The events of a stream (WHATWG HTML, 9.2): name and data; comments are left out, memory is bounded.

    >>> class Quiet:
    ...     garbage = print
    >>> list(server_sent(iter([b":thump\\nevent: delete\\nda", b"ta: 1\\r\\n\\r\\n"]), Quiet()))
    [('delete', '1')]
    """
    name, size, tail, too_large = "", 0, b"", False
    data: list[str] = []
    for part in parts:
        *lines, tail = (tail + part.replace(b"\r\n", b"\n")).split(b"\n")
        if len(tail) > EVENT_MAX:
            tail, too_large = b"", True
        for line in lines:
            line = line.rstrip(b"\r")
            if not line:
                if too_large:
                    told.garbage("an event was larger than 1 MiB")
                elif data:
                    yield name or "message", "\n".join(data)
                name, data, size, too_large = "", [], 0, False
                continue
            field, _, value = line.partition(b":")
            size += len(line)
            if size > EVENT_MAX:
                data, too_large = [], True
            elif field == b"data":
                data.append(value.removeprefix(b" ").decode("utf-8", "replace"))
            elif field == b"event":
                name = value.strip().decode("utf-8", "replace")[:100]


def _refused(status: int, has_token: bool) -> str:
    if status in (401, 403):
        if has_token:
            return (
                f"the server refuses the token (HTTP {status}): LOWSTAR_MASTODON_TOKEN must be a user's token of "
                "this very server, with read:statuses"
            )
        return "the server wants a user's token for its streams: set LOWSTAR_MASTODON_TOKEN"
    if status == 404:
        return "the server has no streams there (HTTP 404): is api_url right? stream_url names another host"
    if status == 429:
        return "the server wants fewer connections (HTTP 429)"
    return f"the server answers HTTP {status}"
