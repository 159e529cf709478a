"""A socket to an address that may be asked, for what Scrapy does not carry: mailboxes and streams.

By the rules of `spiders.addresses`: the address that was checked is the one connected to, so a name cannot
turn into another address in between.
"""

from __future__ import annotations

import contextlib
import socket
import ssl

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
