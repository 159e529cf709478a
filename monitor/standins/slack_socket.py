"""What would Slack's Socket Mode have sent? A small WebSocket server (RFC 6455) on this machine.

It greets, sends envelopes, reads acknowledgements, answers pings, asks for a fresh connection, breaks the line,
loses acknowledgements and delivers again, as the real one does. Only what a Socket Mode client needs.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import secrets
import socket
import struct
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # of RFC 6455
_TEXT, _CLOSE, _PING, _PONG = 0x1, 0x8, 0x9, 0xA
_FRAME_MAX = 1_000_000
ACK_WITHIN = 3.0  # seconds; after that Slack tells the person that it did not work


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of an envelope."""

    envelope_id: str
    acked: bool
    payload: dict[str, Any] | None  # what came with the acknowledgement
    seconds: float  # from sending to acknowledgement


class SocketDoor:
    """Socket Mode of one app, on 127.0.0.1."""

    def __init__(self) -> None:
        self.acks: list[str] = []  # envelope ids in the order they were acknowledged, losses included
        self.greeted = 0  # connections that were ever made
        self.lose_acks = 0  # so many acknowledgements are not heard
        self.down = False  # no new connection is taken
        self.patience = ACK_WITHIN
        self._tickets: set[str] = set()
        self._connections: list[_Connection] = []
        self._unacked: dict[str, dict[str, Any]] = {}
        self._answers: dict[str, dict[str, Any] | None] = {}
        self._changed = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.1)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._accept, name="slack-socket", daemon=True)
        self._thread.start()

    def address(self) -> str:
        """A new address to connect to, good for one connection."""
        ticket = secrets.token_hex(12)
        with self._changed:
            self._tickets.add(ticket)
        return f"ws://127.0.0.1:{self._listener.getsockname()[1]}/link/?ticket={ticket}&app_id=A0DEMO"

    @property
    def connected(self) -> int:
        """How many clients are connected."""
        with self._changed:
            return len(self._connections)

    def wait_connected(self, within: float = 10.0, *, greeted: int = 1) -> bool:
        """Wait until somebody is connected, the `greeted`th connection or a later one."""
        with self._changed:
            return self._changed.wait_for(lambda: bool(self._connections) and self.greeted >= greeted, within)

    def deliver(self, kind: str, payload: Mapping[str, Any], *, envelope_id: str = "") -> Delivered:
        """Send an envelope over the newest connection and wait for its acknowledgement."""
        envelope_id = envelope_id or secrets.token_hex(16)
        envelope = {
            "envelope_id": envelope_id,
            "type": kind,
            "accepts_response_payload": True,
            "payload": dict(payload),
        }
        begin = time.perf_counter()
        with self._changed:
            self._unacked[envelope_id] = envelope
            connection = self._connections[-1] if self._connections else None
        if connection is not None:
            connection.send(json.dumps(envelope))
        with self._changed:
            acked = self._changed.wait_for(lambda: envelope_id in self._answers, self.patience)
            answer = self._answers.get(envelope_id)
        return Delivered(envelope_id, acked, answer, time.perf_counter() - begin)

    def deliver_again(self, delivered: Delivered, kind: str, payload: Mapping[str, Any]) -> Delivered:
        """The same envelope once more, as when its acknowledgement was lost."""
        with self._changed:
            self._answers.pop(delivered.envelope_id, None)
        return self.deliver(kind, payload, envelope_id=delivered.envelope_id)

    def refresh(self, reason: str = "refresh_requested") -> None:
        """Ask every client for a new connection; the old one is closed a moment later."""
        with self._changed:
            old = list(self._connections)
        for connection in old:
            connection.send(
                json.dumps({"type": "disconnect", "reason": reason, "debug_info": {"host": "demo"}})
            )

    def drop(self) -> None:
        """Break every connection without a word."""
        with self._changed:
            old = list(self._connections)
        for connection in old:
            connection.break_off()

    def close(self) -> None:
        """Stop."""
        self._closing.set()
        self._thread.join(5)
        self._listener.close()
        with self._changed:
            old = list(self._connections)
        for connection in old:
            connection.break_off()
        for connection in old:
            connection.thread.join(5)

    # -- what connections call ------------------------------------------------------------------------------

    def admitted(self, path: str) -> bool:
        ticket = parse_qs(urlsplit(path).query).get("ticket", [""])[0]
        with self._changed:
            if self.down or ticket not in self._tickets:
                return False
            self._tickets.discard(ticket)
            return True

    def joined(self, connection: _Connection) -> None:
        with self._changed:
            self._connections.append(connection)
            self.greeted += 1
            number, waiting = len(self._connections), list(self._unacked.values())
        hello = {
            "type": "hello",
            "num_connections": number,
            "debug_info": {"host": "demo", "build_number": 1, "approximate_connection_time": 18060},
            "connection_info": {"app_id": "A0DEMO"},
        }
        connection.send(json.dumps(hello))
        for envelope in waiting:  # what nobody acknowledged is delivered again
            connection.send(json.dumps(envelope))
        with self._changed:
            self._changed.notify_all()

    def left(self, connection: _Connection) -> None:
        with self._changed:
            if connection in self._connections:
                self._connections.remove(connection)
            self._changed.notify_all()

    def heard(self, text: str) -> None:
        try:
            message = json.loads(text)
        except ValueError:
            return
        if not isinstance(message, dict) or not isinstance(message.get("envelope_id"), str):
            return
        envelope_id, payload = message["envelope_id"], message.get("payload")
        with self._changed:
            self.acks.append(envelope_id)
            if self.lose_acks > 0:
                self.lose_acks -= 1
                return
            self._unacked.pop(envelope_id, None)
            self._answers[envelope_id] = payload if isinstance(payload, dict) else None
            self._changed.notify_all()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:  # nobody came in a tenth of a second
                continue
            _Connection(client, self).thread.start()


class _Connection:
    """One client."""

    def __init__(self, client: socket.socket, door: SocketDoor) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.settimeout(60)
        self._client = client
        self._door = door
        self._buffer = b""
        self._sending = threading.Lock()
        self.thread = threading.Thread(target=self._run, name="slack-socket-client", daemon=True)

    def send(self, text: str) -> None:
        """Send a text; a client that has gone is noticed by the reading side."""
        with contextlib.suppress(OSError):
            self._frame(_TEXT, text.encode())

    def break_off(self) -> None:
        """End it as a network does."""
        with contextlib.suppress(OSError):
            self._client.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        try:
            with self._client:
                if not self._handshake():
                    return
                self._door.joined(self)
                try:
                    self._read()
                finally:
                    self._door.left(self)
        except (OSError, ValueError, EOFError):
            return

    def _handshake(self) -> bool:
        head = self._until(b"\r\n\r\n").decode("latin-1")
        request, *lines = head.split("\r\n")
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
        }
        key = headers.get("sec-websocket-key", "")
        parts = request.split(" ")
        if len(parts) != 3 or not key or not self._door.admitted(parts[1]):
            self._client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return False
        accept = base64.b64encode(hashlib.sha1(f"{key}{_GUID}".encode()).digest()).decode()  # noqa: S324 - RFC 6455 says so
        self._client.sendall(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )
        return True

    def _read(self) -> None:
        while True:
            first, second = self._exactly(2)
            length = second & 0x7F
            if length == 126:
                (length,) = struct.unpack("!H", self._exactly(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", self._exactly(8))
            if length > _FRAME_MAX or not second & 0x80:
                raise ValueError("a client's frames are masked, and not endless")
            mask = self._exactly(4)
            data = bytes(byte ^ mask[at % 4] for at, byte in enumerate(self._exactly(length)))
            match first & 0x0F:
                case 0x1:
                    self._door.heard(data.decode("utf-8", "replace"))
                case 0x8:
                    self._frame(_CLOSE, data)
                    return
                case 0x9:
                    self._frame(_PONG, data)

    def _frame(self, opcode: int, data: bytes) -> None:
        length = len(data)
        head = bytes([0x80 | opcode])
        if length < 126:
            head += bytes([length])
        elif length < 65_536:
            head += struct.pack("!BH", 126, length)
        else:
            head += struct.pack("!BQ", 127, length)
        with self._sending:
            self._client.sendall(head + data)

    def _exactly(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._more()
        found, self._buffer = self._buffer[:count], self._buffer[count:]
        return found

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._buffer:
            if len(self._buffer) > 16_384:
                raise ValueError("a head without an end")
            self._more()
        found, _, self._buffer = self._buffer.partition(mark)
        return found

    def _more(self) -> None:
        data = self._client.recv(65_536)
        if not data:
            raise EOFError
        self._buffer += data
