"""A socket to an address that may be asked, for what Scrapy does not carry: mailboxes and streams.

By the rules of `spiders.addresses`: the address that was checked is the one connected to, so a name cannot
turn into another address in between.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlsplit

from spiders.addresses import Allowed, is_public


class NoSocket(OSError):
    """No connection was made; `str()` says why, in words for the operator."""


def open_socket(host: str, port: int, allowed: Allowed, timeout: float) -> socket.socket:
    """A TCP connection to `host`, to a public address unless the host is allowed. Raises NoSocket.

    `timeout` is seconds for each address tried, and stays the socket's own.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NoSocket(f"the name {host} is not known: is it right, is this machine online?") from None
    own = (host, port) in allowed
    usable = [one for one in found if own or is_public(str(one[4][0]))]
    if not usable:
        raise NoSocket(
            f"{host} is not asked: its address is not public; if it is yours, name it in allow_hosts under [crawl]"
        )
    last: OSError | None = None
    for family, kind, protocol, _, address in usable[:4]:
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(timeout)
            connection.connect(address)
        except OSError as error:
            connection.close()
            last = error
        else:
            return connection
    why = "it took too long" if isinstance(last, TimeoutError) else getattr(last, "strerror", None) or last
    raise NoSocket(f"nobody answers at {host}:{port}: {why}") from last


def with_tls(connection: socket.socket, host: str) -> ssl.SSLSocket:
    """The same connection, encrypted, its certificate verified for `host`. Raises NoSocket and closes it."""
    try:
        return ssl.create_default_context().wrap_socket(connection, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        connection.close()
        raise NoSocket(f"the certificate of {host} is not trusted: {error.verify_message}") from error
    except (OSError, ValueError) as error:
        connection.close()
        raise NoSocket(f"no encrypted connection to {host}: {type(error).__name__}") from error


def cut(connection: socket.socket | None) -> None:
    """End a connection from another thread: whoever waits on it wakes up at once."""
    if connection is None:
        return
    with contextlib.suppress(OSError):
        # Of the plain socket below: an SSL one must not be written to by two threads.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


class Answer:
    """An answer to a GET, as far as it has come; to be closed."""

    def __init__(self, connection: HTTPConnection, response: HTTPResponse) -> None:
        self._connection, self._response = connection, response
        self.status = response.status

    def header(self, name: str) -> str:
        """A header, "" where it is not there."""
        return self._response.getheader(name) or ""

    @property
    def retry_after(self) -> float:
        """Seconds to wait, as the server says; 0 where it does not."""
        said = self.header("Retry-After").strip()
        return float(said) if said.isascii() and said.isdigit() and len(said) < 6 else 0.0

    def read_some(self) -> bytes:
        """What has come; waits for the first byte, b"" at the end."""
        return self._response.read1(65_536)

    def read_all(self, most: int) -> bytes:
        """All of it. Raises ValueError for more than `most` bytes."""
        body = self._response.read(most + 1)
        if len(body) > most:
            raise ValueError("the answer is too large")
        return body

    def close(self) -> None:
        """Let go of the connection."""
        self._response.close()
        self._connection.close()


def ask(
    url: str,
    headers: Mapping[str, str],
    allowed: Allowed,
    timeout: float,
    opened: Callable[[socket.socket], None] = lambda connection: None,
) -> Answer:
    """GET `url`; redirects are not followed. Raises NoSocket, OSError, HTTPException or ValueError.

    `opened` gets the socket as soon as there is one, so that another thread can `cut` it.
    """
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    if parts.scheme not in ("http", "https") or not host:
        raise NoSocket(f"{url[:80]!r} is no web address")
    port = parts.port or (443 if secure else 80)
    line = open_socket(host, port, allowed, timeout)
    if secure:
        line = with_tls(line, host)
    opened(line)
    connection = HTTPConnection(host, port, timeout=timeout)
    connection.sock = line  # checked already: it makes none of its own
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", path, headers=dict(headers))
        return Answer(connection, connection.getresponse())
    except BaseException:
        connection.close()
        raise
