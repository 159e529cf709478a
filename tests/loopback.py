"""A web server on loopback for tests: answers what the test says, remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One request as it came in."""

    path: str  # with its query
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """What to answer; `wait` seconds before it."""

    body: bytes | str = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    wait: float = 0.0


Page = Answer | str | Callable[[Asked], "Answer | str"]


class Site:
    """Use as `with Site({"/a": "<p>…"}) as site:`; `site.url("/a")` is its address."""

    def __init__(self, pages: Mapping[str, Page] | None = None) -> None:
        self.pages: dict[str, Page] = dict(pages or {})
        self.asked: list[Asked] = []
        self.released = threading.Event()  # set at the end: no answer outlives its test
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # An answer leaves in one piece: a second would wait 40 ms for the first to be acknowledged.
            wbufsize = 1 << 20

            def do_GET(self) -> None:
                asked = Asked(self.path, {name.lower(): value for name, value in self.headers.items()})
                site.asked.append(asked)
                page = site.pages.get(self.path) or site.pages.get(self.path.partition("?")[0])
                if page is None:
                    page = Answer("not here", 404)
                if callable(page):
                    page = page(asked)
                answer = page if isinstance(page, Answer) else Answer(page)
                body = answer.body.encode() if isinstance(answer.body, str) else answer.body
                if answer.wait and site.released.wait(answer.wait):
                    self.close_connection = True
                    return
                try:
                    self.send_response(answer.status)
                    names = {name.lower() for name in answer.headers}
                    if "content-type" not in names:
                        self.send_header("Content-Type", "text/html; charset=utf-8")
                    self.send_header("Content-Length", str(len(body)))
                    for name, value in answer.headers.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:  # the one who asked has gone
                    self.close_connection = True

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_: Any) -> None:
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    def url(self, path: str = "/") -> str:
        return f"http://{self.host}{path}"

    def paths(self) -> list[str]:
        """What was asked for, robots.txt left out."""
        return [asked.path for asked in self.asked if asked.path != "/robots.txt"]

    def __enter__(self) -> Site:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def as_json(value: Any) -> Answer:
    """An answer of an API."""
    return Answer(json.dumps(value), headers={"Content-Type": "application/json"})
