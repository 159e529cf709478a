"""How does a press reach us at a public address? An HTTP endpoint that believes signed requests only.

For those who would rather have Slack call them than keep a connection open. Put a server that speaks TLS in
front of it; it listens on loopback unless told otherwise.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from slack_sdk.signature import Clock, SignatureVerifier

from alerts.listen import Desk, Once

log = logging.getLogger(__name__)

BODY_MAX = 1 << 20  # bytes; a payload that carries the largest card and window is a tenth of it
READ_WITHIN = 10.0  # seconds a client may take to send its request
PATHS = ("/", "/slack", "/slack/", "/slack/interactions", "/slack/commands", "/slack/events")


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered to a request."""

    status: int
    body: str = ""
    kind: str = "text/plain"
    retry_after: int = 0  # seconds; 0: nothing is said of it


More = Callable[[str, str, Mapping[str, str], bytes], Answer | None]
"""Answers what is not Slack's, by method, path with query, headers and body; None where it is not its own."""


class Endpoint:
    """Decides about one request; no sockets."""

    def __init__(self, signing_secret: str, desk: Desk, *, clock: Callable[[], float] = time.time) -> None:
        self._verifier = SignatureVerifier(signing_secret, _Clock(clock))
        self._desk = desk
        self._once = Once()

    def answer(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer a request; what it asks for is queued. 401 for what is not signed, or older than 5 minutes."""
        signature = self._signature(headers, body)
        if not signature:
            return Answer(401, "not signed by Slack")
        if len(body) > BODY_MAX:
            return Answer(413, "too large")
        payload = payload_of(body)
        if payload is None:
            return Answer(400, "not understood")
        if payload.get("type") == "url_verification":
            return Answer(200, str(payload.get("challenge", ""))[:500])
        if payload.get("ssl_check") or not self._once.first(signature):
            # The very same request again: a proxy's second try, or somebody who listened in. Not done twice.
            return Answer(200)
        acks: list[dict[str, Any] | None] = []
        self._desk.take(payload, "", acks.append)
        ack = acks[0] if acks else None
        return Answer(200) if ack is None else Answer(200, json.dumps(ack), "application/json")

    def _signature(self, headers: Mapping[str, str], body: bytes) -> str:
        """The signature, if it is right and fresh; "" for everything else, whatever the headers hold."""
        try:
            if self._verifier.is_valid_request(body, dict(headers)):
                return {name.lower(): value for name, value in headers.items()}["x-slack-signature"]
        except Exception as error:
            # The SDK raises on a timestamp that is no number and on signatures that are not ASCII.
            log.info("a request with odd headers: %s", type(error).__name__)
        return ""


def payload_of(body: bytes) -> dict[str, Any] | None:
    """What a request carries: `payload=` of a form, a form (slash commands), or JSON; None for anything else."""
    try:
        text = body.decode("utf-8")
        if text.lstrip().startswith("{"):
            found = json.loads(text)
        else:
            form = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=200))
            found = json.loads(form["payload"]) if "payload" in form else form
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found else None


class InteractionServer:
    """The endpoint on a socket, in threads of its own; a context manager."""

    def __init__(
        self, endpoint: Endpoint | None, host: str = "127.0.0.1", port: int = 0, *, more: More | None = None
    ) -> None:
        self._server = _Server((host, port), _Handler)
        self._server.endpoint, self._server.more = endpoint, more
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="interactions", daemon=True
        )

    @property
    def url(self) -> str:
        """Where Slack's requests go."""
        return f"{self.base}/slack/interactions"

    @property
    def base(self) -> str:
        """Where it listens."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering; requests in hand are finished or given up by their clients."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(5)
        self._server.server_close()

    def __enter__(self) -> InteractionServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Clock(Clock):
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    endpoint: Endpoint | None
    more: More | None

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.debug("a client of the endpoint went away")


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = READ_WITHIN
    server_version, sys_version = "lowstar", ""
    wbufsize = 65_536  # an answer leaves in one piece: a second would wait for the first to be acknowledged

    def do_GET(self) -> None:
        """For whatever watches over it."""
        if self.path == "/health":
            self._send(Answer(200, "ok"))
        else:
            self._send(self._other(b"") or Answer(404, "not here"))

    def do_POST(self) -> None:
        """Slack's requests."""
        slack = self.server.endpoint if self.path.partition("?")[0] in PATHS else None
        if slack is None and self.server.more is None:
            self._send(Answer(404, "not here"))
            return
        length = self.headers.get("Content-Length") or ""
        if not length.isascii() or not length.isdigit():
            self._send(Answer(411, "how long is it?"))
            return
        if len(length) > 9 or int(length) > BODY_MAX:
            self.close_connection = True
            self._send(Answer(413, "too large"))
            return
        body = self.rfile.read(int(length))
        if slack is not None:
            self._send(slack.answer(dict(self.headers.items()), body))
        else:
            self._send(self._other(body) or Answer(404, "not here"))

    def _other(self, body: bytes) -> Answer | None:
        if self.server.more is None:
            return None
        headers = {name.lower(): value for name, value in self.headers.items()}
        return self.server.more(self.command, self.path, headers, body)

    def _send(self, answer: Answer) -> None:
        content = answer.body.encode("utf-8", "replace")
        self.send_response(answer.status)
        kind = answer.kind if "charset" in answer.kind else f"{answer.kind}; charset=utf-8"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Content-Type-Options", "nosniff")
        if answer.retry_after:
            self.send_header("Retry-After", str(answer.retry_after))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what is worth a line is logged where it is decided."""
