"""Streams on loopback that speak the protocol: Mastodon's server-sent events, Jetstream's WebSocket."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

CUT = object()  # put among what is sent: the connection breaks off there


def until(check: Callable[[], Any], within: float = 8.0) -> Any:
    """Wait until `check` answers something true; fails after `within` seconds."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        if found := check():
            return found
        time.sleep(0.01)
    raise AssertionError("it did not happen in time")


def status(number: int, text: str, **more: Any) -> dict[str, Any]:
    """A post as Mastodon sends it."""
    return {
        "id": str(number),
        "created_at": "2026-11-28T12:00:00.000Z",
        "in_reply_to_id": None,
        "spoiler_text": "",
        "language": "en",
        "url": f"https://social.example/@ada/{number}",
        "replies_count": 0,
        "reblogs_count": 0,
        "favourites_count": 0,
        "edited_at": None,
        "content": f"<p>{text}</p>",
        "reblog": None,
        "account": {"acct": "ada", "username": "ada", "followers_count": 7},
        **more,
    }


class Mastodon:
    """`with Mastodon() as server`: `server.say(event, data)` reaches everybody who listens."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.status = 200
        self.kind = "text/event-stream"
        self.redirect = ""  # of /api/v1/streaming
        self.headers: dict[str, str] = {}
        self._lines: list[queue.Queue[Any]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path = urlsplit(self.path).path
                server.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
                if path == "/api/v1/streaming":
                    self.send_response(301 if server.redirect else 404)
                    if server.redirect:
                        self.send_header("Location", server.redirect)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(server.status)
                self.send_header("Content-Type", server.kind)
                for name, value in server.headers.items():
                    self.send_header(name, value)
                if server.status != 200:
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                mine: queue.Queue[Any] = queue.Queue()
                server._lines.append(mine)
                self.close_connection = True
                try:
                    self._chunk(b":)\n")
                    while (piece := mine.get()) is not CUT:
                        self._chunk(piece)
                except OSError:
                    pass
                finally:
                    server._lines.remove(mine)

            def _chunk(self, piece: bytes) -> None:
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                self.wfile.flush()

            def log_message(self, *_: Any) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                pass

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Mastodon:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def listening(self) -> int:
        """How many are connected."""
        return len(self._lines)

    def raw(self, piece: bytes) -> None:
        """Send bytes as they are."""
        for line in list(self._lines):
            line.put(piece)

    def say(self, event: str, data: Any) -> None:
        """Send an event."""
        said = data if isinstance(data, str) else json.dumps(data)
        self.raw(f"event: {event}\ndata: {said}\n\n".encode())

    def cut(self) -> None:
        """Break every connection off."""
        for line in list(self._lines):
            line.put(CUT)


def post(
    at: int, rkey: str, text: str, *, did: str = "did:plc:ada", operation: str = "create"
) -> dict[str, Any]:
    """A commit as Jetstream sends it, `at` microseconds since 1970."""
    commit: dict[str, Any] = {
        "rev": "3l",
        "operation": operation,
        "collection": "app.bsky.feed.post",
        "rkey": rkey,
    }
    if operation != "delete":
        commit["record"] = {
            "$type": "app.bsky.feed.post",
            "text": text,
            "createdAt": "2026-11-28T12:00:00.000Z",
            "langs": ["en"],
        }
        commit["cid"] = "bafy"
    return {"did": did, "time_us": at, "kind": "commit", "commit": commit}


def account(at: int, did: str, active: bool) -> dict[str, Any]:
    return {"did": did, "time_us": at, "kind": "account", "account": {"active": active, "did": did, "seq": 1}}


class Jetstream:
    """`with Jetstream() as server`: what was said is told again from `cursor` on, as the real one does."""

    def __init__(self, said: list[Any] | None = None) -> None:
        self.said: list[Any] = list(said or [])
        self.asked: list[dict[str, list[str]]] = []
        self.keeps_from = 0  # what was said before is kept no longer
        self._changed = threading.Condition()
        self._cuts = 0
        self._server: Server | None = None

    def __enter__(self) -> Jetstream:
        self._server = serve(self._handle, "127.0.0.1", 0, compression=None, close_timeout=0.5)
        self.port = self._server.socket.getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}/subscribe"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        assert self._server is not None
        self._server.shutdown()
        self._thread.join(5)

    def say(self, *events: Any) -> None:
        """Tell everybody who listens, and keep it for those who come back."""
        with self._changed:
            self.said.extend(events)
            self._changed.notify_all()

    def cut(self) -> None:
        """Break every connection off, without a word."""
        with self._changed:
            self._cuts += 1
            self._changed.notify_all()

    def _handle(self, line: ServerConnection) -> None:
        assert line.request is not None
        query = parse_qs(urlsplit(line.request.path).query)
        with self._changed:
            cuts, told = self._cuts, len(self.said)
            if "cursor" in query:
                since = max(int(query["cursor"][0]), self.keeps_from)
                later = (n for n, e in enumerate(self.said) if isinstance(e, dict) and e["time_us"] >= since)
                told = next(later, told)
            self.asked.append(query)
        try:
            while True:
                with self._changed:
                    if len(self.said) <= told and self._cuts == cuts:
                        self._changed.wait(0.2)
                    if self._cuts > cuts:
                        line.socket.close()
                        return
                    news, told = self.said[told:], len(self.said)
                for event in news:
                    line.send(event if isinstance(event, (str, bytes)) else json.dumps(event))
        except (ConnectionClosed, OSError):
            return
