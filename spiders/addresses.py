"""May this address be asked at all? Public hosts only, over http(s); one's own are named in `allow_hosts`.

Pages are written by strangers, and a link or a redirect in one must never make us read what only this machine
or its network can reach. Two doors:

- `PublicNamesOnly`, installed as the reactor's name resolver, filters the addresses a connection is made to.
  Every connection passes it, on every hop, and the address checked is the one connected to: no rebinding in
  between.
- `PublicAddressesOnly`, a downloader middleware, refuses before anything is asked: other schemes, a user name
  in the address, literal addresses in all their spellings. Its words end up in the run's reason.

A proxy would resolve names itself, behind both doors. So proxies from the environment are not used
(HTTPPROXY_ENABLED is off); whoever must go through one turns it on and lets the proxy do the refusing.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Request
from twisted.internet.address import IPv4Address as TwistedIPv4
from twisted.internet.address import IPv6Address as TwistedIPv6
from twisted.internet.interfaces import IHostnameResolver, IHostResolution
from zope.interface import implementer  # type: ignore[import-untyped]

from spiders.words import shown

# IANA's special-purpose registries (RFC 6890 and its updates), written out: `ipaddress.is_private` leaves out
# carrier-grade NAT, NAT64, 6to4 and Teredo, through which private IPv4 addresses can be reached.
_NOT_PUBLIC_4 = [
    ip_network(network)
    for network in (
        "0.0.0.0/8",  # this network; Linux connects 0.0.0.0 to itself
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; cloud metadata at 100.100.100.200
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local; cloud metadata at 169.254.169.254
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
]
_PUBLIC_6 = ip_network("2000::/3")  # the only unicast space given out: everything else is refused as a whole
_NOT_PUBLIC_6 = [
    ip_network(network)
    for network in (
        "::/96",  # unspecified, loopback, IPv4-compatible
        "::ffff:0:0/96",  # IPv4-mapped
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",  # Teredo 2001::/32 and other protocol assignments
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
]

DNS_TIMEOUT = 15.0  # seconds one name may take


def is_public(address: str | IPv4Address | IPv6Address) -> bool:
    """Whether an address is one anybody on the internet would reach; False for what is no address.

    >>> is_public("93.184.215.14"), is_public("100.64.0.1"), is_public("::ffff:10.0.0.1")
    (True, False, False)
    """
    try:
        parsed = ip_address(address.partition("%")[0] if isinstance(address, str) else address)
    except ValueError:
        return False
    if isinstance(parsed, IPv4Address):
        return not any(parsed in network for network in _NOT_PUBLIC_4)
    return parsed in _PUBLIC_6 and not any(parsed in network for network in _NOT_PUBLIC_6)


def literal_address(host: str) -> IPv4Address | IPv6Address | None:
    """The address a host literally is, in any spelling a resolver takes; None if it is a name.

    >>> str(literal_address("0x7f.1")), str(literal_address("2130706433")), literal_address("shop.example")
    ('127.0.0.1', '127.0.0.1', None)
    """
    host = host.strip("[]").rstrip(".").partition("%")[0]
    try:
        return ip_address(host)
    except ValueError:
        pass
    if host and host[0].isdigit() and all(character in "0123456789abcdefxABCDEFX." for character in host):
        try:
            return IPv4Address(
                socket.inet_aton(host)
            )  # decimal, octal, hexadecimal, shortened: as libc reads it
        except (OSError, ValueError):
            return None
    return None


class Allowed:
    """One's own hosts: exact names or addresses, each with or without a port."""

    def __init__(self, hosts: Iterable[str] = ()) -> None:
        self._hosts = frozenset(_plain(host) for host in hosts if host.strip())

    def __contains__(self, place: tuple[str, int]) -> bool:
        host, port = place
        host = _plain(host)
        return bool(self._hosts) and (host in self._hosts or f"{host}:{port}" in self._hosts)


def _plain(host: str) -> str:
    """A host as it is compared: lower case, no brackets around an address, no dot at the end."""
    host = host.strip().lower()
    if host.startswith("["):
        inner, _, port = host[1:].partition("]")
        return inner + port
    name, colon, port = host.rpartition(":")
    if colon and port.isdigit() and ":" not in name:
        return f"{name.rstrip('.')}:{port}"
    return host.rstrip(".")


def refusal(url: str, allowed: Allowed) -> str:
    """Why `url` must not be asked, in words; "" if it may be (a name is checked again once resolved)."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "is no address that can be asked"
    if parts.scheme not in ("http", "https"):
        return f"is not asked: only http and https are, not {parts.scheme[:20]!r}"
    if parts.username is not None or parts.password is not None:
        return "is not asked: it carries a user name"
    if not host:
        return "is not asked: it names no host"
    place = (host, port or (443 if parts.scheme == "https" else 80))
    if place in allowed:
        return ""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return _NOT_PUBLIC_WORDS
    literal = literal_address(host)
    if literal is not None and not is_public(literal):
        return _NOT_PUBLIC_WORDS
    return ""


_NOT_PUBLIC_WORDS = (
    "is not asked: its address is not public; if the host is yours, name it in allow_hosts under [crawl]"
)


class AddressRefused(IgnoreRequest):
    """An address that must not be asked; `words` say why."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class PublicAddressesOnly:
    """Downloader middleware: refuses what must not be asked, redirects included, and says why."""

    def __init__(self, crawler: Crawler) -> None:
        self.allowed = Allowed(crawler.settings.getlist("LOWSTAR_ALLOW_HOSTS"))

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> PublicAddressesOnly:
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        words = refusal(request.url, self.allowed)
        if words:
            raise AddressRefused(f"{shown(request.url)} {words}")

    def process_exception(self, request: Request, exception: Exception) -> None:
        """A name with no public address fails like one that does not exist: say which it was."""
        refused = name_was_refused(urlsplit(request.url).hostname or "")
        if refused and not isinstance(exception, IgnoreRequest):
            raise AddressRefused(f"{shown(request.url)} {_NOT_PUBLIC_WORDS}") from exception


_refused_names: dict[str, None] = {}  # names whose every address was refused, for the words of the failure
_REFUSED_NAMES_KEPT = 1_000


def name_was_refused(host: str) -> bool:
    """Whether the last try to resolve this name found only addresses that are not public."""
    return host.rstrip(".").lower() in _refused_names


@implementer(IHostResolution)
class _Resolution:
    def __init__(self, name: str) -> None:
        self.name = name

    def cancel(self) -> None:
        """Nothing to cancel: an answer that comes too late is not listened to."""


class _PublicOnly:
    """Passes on the addresses that may be connected to; the end of the answer once, in time."""

    def __init__(self, receiver: Any, name: str, own: bool) -> None:
        self.receiver, self.name, self.own = receiver, name.rstrip(".").lower(), own
        self.kept = self.refused = 0

    def resolutionBegan(self, resolution: Any) -> None:
        """Said by us already."""

    def addressResolved(self, address: Any) -> None:
        """One address of the name."""
        if self.own or is_public(str(getattr(address, "host", ""))):
            self.kept += 1
            self.receiver.addressResolved(address)
        else:
            self.refused += 1

    def resolutionComplete(self) -> None:
        """No more addresses."""
        if self.refused and not self.kept and len(_refused_names) < _REFUSED_NAMES_KEPT:
            _refused_names[self.name] = None
        else:
            _refused_names.pop(self.name, None)
        self.receiver.resolutionComplete()


@implementer(IHostnameResolver)
class PublicNamesOnly:
    """The reactor's name resolver: passes on a name's public addresses, and all of one's own hosts.

    No cache: a name is resolved once a connection, and connections are kept.
    """

    def __init__(self, reactor: Any, allowed: Allowed, timeout: float = DNS_TIMEOUT) -> None:
        self.reactor = reactor
        self._asking: set[asyncio.Future[None]] = set()
        self.allowed = allowed
        self.timeout = timeout

    @classmethod
    def from_crawler(cls, crawler: Any, reactor: Any) -> PublicNamesOnly:
        """For Scrapy's TWISTED_DNS_RESOLVER; `crawler` is anything with settings."""
        settings = crawler.settings
        return cls(
            reactor, Allowed(settings.getlist("LOWSTAR_ALLOW_HOSTS")), settings.getfloat("DNS_TIMEOUT")
        )

    def install_on_reactor(self) -> None:
        """Make it the resolver every connection of this process goes through."""
        self.reactor.installNameResolver(self)

    def resolveHostName(
        self,
        resolutionReceiver: Any,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Any = None,
        transportSemantics: str = "TCP",
    ) -> Any:
        """Twisted's interface: answers through the receiver, with no address where all were refused."""
        resolution = _Resolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)
        door = _PublicOnly(resolutionReceiver, hostName, (hostName, portNumber) in self.allowed)
        asking = asyncio.ensure_future(self._ask(door, hostName, portNumber, addressTypes))
        self._asking.add(asking)  # the loop itself keeps no hold of its tasks
        asking.add_done_callback(self._asking.discard)
        return resolution

    async def _ask(self, door: _PublicOnly, name: str, port: int, kinds: Any) -> None:
        """The system's resolver, in a worker thread: it knows /etc/hosts and the machine's own DNS."""
        families = {TwistedIPv4: socket.AF_INET, TwistedIPv6: socket.AF_INET6}
        family = (
            next((families[kind] for kind in kinds if kind in families), 0)
            if kinds and len(kinds) == 1
            else 0
        )
        try:
            found = await asyncio.wait_for(
                asyncio.get_running_loop().getaddrinfo(name, port, family=family, type=socket.SOCK_STREAM),
                self.timeout,
            )
        except (OSError, UnicodeError, TimeoutError):
            found = []
        for kind, _, _, _, address in found:
            make = {socket.AF_INET: TwistedIPv4, socket.AF_INET6: TwistedIPv6}.get(kind)
            if make is not None:
                door.addressResolved(make("TCP", *address))
        door.resolutionComplete()
