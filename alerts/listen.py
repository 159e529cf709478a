"""How does a press reach us without a public address? Socket Mode: Slack's own client, and what it leaves open.

Every envelope is acknowledged first, then queued, then carried out; one that comes again (a connection that
broke before the acknowledgement arrived) is acknowledged again and carried out once. The client of slack_sdk
connects anew by itself, when Slack asks for it (`disconnect`) and when the line breaks.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from alerts.interactions import Ignored, Intent, identity, read
from alerts.notifier import NotifyError, TokenRefused
from alerts.redact import redact
from alerts.slack import classify, no_proxy_to_loopback

log = logging.getLogger(__name__)

SEEN_MAX = 10_000  # envelopes and presses remembered; Slack delivers again within minutes
WORKERS = 3  # presses carried out at once: one slow answer of Slack must not expire another's window
CHUNK = 65_536  # bytes read at once: the client recurses once a chunk, and payloads carry whole cards
RETRY_FIRST, RETRY_MOST = 1.0, 60.0  # seconds between attempts to connect for the first time
WATCH_EVERY, RECONNECT_EVERY = 0.5, 5.0  # seconds between two looks at the line, and after a failure
CLOSE_WITHIN = 4.0  # seconds for the client to close its threads, and as much for the workers

Do = Callable[[Intent], None]


class Once:
    """Says of each name whether it is new; remembers the last 10,000. For several threads."""

    def __init__(self, most: int = SEEN_MAX) -> None:
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._most = most
        self._lock = threading.Lock()

    def first(self, *names: str) -> bool:
        """True when none of these names (empty ones do not count) was seen before; all are from now on."""
        known = [name for name in names if name]
        with self._lock:
            new = not any(name in self._seen for name in known)
            for name in known:
                self._seen[name] = None
                self._seen.move_to_end(name)
            while len(self._seen) > self._most:
                self._seen.popitem(last=False)
        return new


class Desk:
    """Takes intents from any road and has them carried out, in the order they came, by a few workers."""

    def __init__(
        self,
        new_worker: Callable[[], Do],
        *,
        clock: Callable[[], datetime],
        workers: int = WORKERS,
    ) -> None:
        self.clock = clock
        self._once = Once()
        self._queue: queue.SimpleQueue[Intent | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, args=(new_worker,), name=f"desk-{n}", daemon=True)
            for n in range(workers)
        ]

    def start(self) -> None:
        """Begin to work."""
        for thread in self._threads:
            thread.start()

    def stop(self, within: float = CLOSE_WITHIN) -> bool:
        """Finish what was taken, but for no longer than `within` seconds; True when all was finished.

        What a worker is in the middle of is safe in any case: it stands in the store, or it does not.
        """
        for _ in self._threads:
            self._queue.put(None)
        until = time.monotonic() + within
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def take(
        self, payload: object, envelope_id: str, answer: Callable[[dict[str, Any] | None], None]
    ) -> bool:
        """Acknowledge a payload through `answer`, then queue it, unless it came before; True when it is new."""
        reading = read(payload, self.clock())
        try:
            answer(reading.ack)
        except Exception as error:
            # Slack will deliver it again, and then it is known: it is done once, and now.
            log.warning("a press could not be acknowledged: %s", redact(str(error)))
        if isinstance(reading.intent, Ignored):
            log.debug("nothing to do: %s", reading.intent.why)
            return False
        if not self._once.first(envelope_id and f"envelope:{envelope_id}", identity(payload)):
            log.info("delivered again, done once")
            return False
        self._queue.put(reading.intent)
        return True

    def _work(self, new_worker: Callable[[], Do]) -> None:
        do = new_worker()  # here: the clients of slack_sdk belong to one thread
        while (intent := self._queue.get()) is not None:
            try:
                do(intent)
            except Exception:
                log.exception("a press could not be carried out")


class SocketRoad:
    """The connection to Slack over which presses come; runs in threads of its own."""

    def __init__(
        self,
        app_token: str,
        desk: Desk,
        *,
        base_url: str = "https://slack.com/api/",
        timeout: float = 30.0,
        ping_interval: float = 5.0,
    ) -> None:
        web = WebClient(base_url=base_url, timeout=int(timeout), retry_handlers=[])
        no_proxy_to_loopback(web, base_url)
        self._desk = desk
        self._client = SocketModeClient(
            app_token,
            web_client=web,
            ping_interval=ping_interval,
            receive_buffer_size=CHUNK,
            concurrency=4,
        )
        no_proxy_to_loopback(self._client, base_url)
        self._client.on_message_listeners.append(self._on_text)
        self._client.message_listeners.append(_log_message)
        self._client.socket_mode_request_listeners.append(self._on_request)
        self._closed = threading.Event()
        self._watch = threading.Thread(target=self._watch_line, name="socket-watch", daemon=True)

    @property
    def connected(self) -> bool:
        """True while there is a connection."""
        return bool(self._client.is_connected())

    def open(self, stop: threading.Event) -> bool:
        """Connect, trying again while the network is down; False when `stop` came first.

        Raises TokenRefused when Slack does not take the token: trying again would not help.
        """
        wait = RETRY_FIRST
        while not stop.is_set():
            try:
                if not self._client.current_app_monitor_started:  # once it watches, it connects by itself
                    self._client.wss_uri = None  # an address is good for one attempt
                    self._client.connect()
            except Exception as error:
                found = error if isinstance(error, NotifyError) else classify("apps.connections.open", error)
                if isinstance(found, TokenRefused):
                    raise found from error
                log.warning("no connection to Slack: %s", redact(str(found)))
                if isinstance(error, SlackApiError):
                    wait = max(wait, 5.0)
            if self.connected:
                self._watch.start()
                return True
            stop.wait(wait)
            wait = min(wait * 2, RETRY_MOST)
        return False

    def close(self, within: float = CLOSE_WITHIN) -> None:
        """Close the connection; Slack delivers to another listener, or again to us, what is not acknowledged."""
        if self._closed.is_set():
            return
        self._closed.set()
        client, session = self._client, self._client.current_session
        client.closed, client.auto_reconnect_enabled = True, False
        client.current_session_state.terminated = True
        if session is not None and session.sock is not None:
            _end(session.sock)  # else its reader would hold the line until three seconds of silence
        client.message_queue.put("")  # and the thread that waits for a message would wait for one
        # Its threads may be waiting for Slack: they are daemons, and nobody waits for them for ever.
        closing = threading.Thread(target=self._client.close, name="socket-close", daemon=True)
        closing.start()
        closing.join(within)

    def drop(self) -> None:
        """Break the connection, as a network would; it comes back by itself. For tests and drills."""
        self._client.disconnect()

    def _watch_line(self) -> None:
        """Connect anew as soon as the other side has hung up.

        The client reads "nothing" from such a line in a loop without a pause, and notices after five failed
        pings, 25 seconds later: so long would every button be dead, and a processor busy.
        """
        wait = WATCH_EVERY
        while not self._closed.wait(wait):
            wait = WATCH_EVERY
            session = self._client.current_session
            line = session.sock if session is not None else None
            if session is None or (line is not None and not hung_up(line)):
                continue
            try:
                log.info("the connection to Slack is gone, connecting anew")
                session.disconnect()
                self._client.connect_to_new_endpoint()
            except Exception as error:
                log.warning("no connection to Slack: %s", redact(str(error)))
            if not self.connected:
                wait = RECONNECT_EVERY

    def _on_text(self, text: str) -> None:
        """A new connection is made quick; when Slack wants a fresh one, this one is made ready to be left.

        The client closes the old line only when its reader lets go of it, after up to three seconds of
        silence, and acknowledges nothing meanwhile. This runs in that reader.
        """
        session = self._client.current_session
        line = session.sock if session is not None else None
        kind = text[:200].replace(" ", "")
        with contextlib.suppress(OSError):
            if line is not None and '"type":"hello"' in kind:
                # An acknowledgement must not wait until the other side has confirmed a ping: 40 ms.
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            elif line is not None and '"type":"disconnect"' in kind:
                line.settimeout(0.05)

    def _on_request(self, client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        envelope = str(request.envelope_id)

        def answer(ack: dict[str, Any] | None) -> None:
            client.send_socket_mode_response(SocketModeResponse(envelope, ack))

        self._desk.take(request.payload, envelope, answer)


def _end(line: socket.socket) -> None:
    """End a TCP connection for its reader too."""
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(line.fileno())) as raw:
        raw.shutdown(socket.SHUT_RDWR)


def hung_up(line: socket.socket) -> bool:
    """True when the other side of a TCP connection is gone and nothing is left to read."""
    try:
        # A copy of the descriptor: a TLS socket does not let anybody look without reading.
        with socket.socket(fileno=os.dup(line.fileno())) as raw:
            return raw.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _log_message(client: BaseSocketModeClient, message: Mapping[str, Any], raw: str | None = None) -> None:
    if message.get("type") == "hello":
        log.info("connected to Slack, %s connections in all", message.get("num_connections", "?"))
