"""Who may open the dashboard, from where, and what may they do there? The [web] table and its tokens."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum
from pathlib import Path

from monitor.config_check import Table, url_problem
from monitor.config_secrets import read_value

WEB_TOKEN = "LOWSTAR_WEB_TOKEN"  # noqa: S105 - the name of a variable, no secret
TOKEN_MIN = 16  # characters; shorter ones are guessed
TOKENS_AS = (
    "a token of at least 16 letters, digits, - or _; or several as ROLE:NAME:TOKEN, one a line or with commas"
    " between (roles: read, act, admin)"
)

_HOST = re.compile(r"[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\]")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,63}")
_TOKEN = re.compile(r"(?:(read|act|admin):([\w.@ -]{1,64}):)?([A-Za-z0-9_-]{16,256})")


class Role(IntEnum):
    """What somebody may do: look; change cases as well; take data out, and people, as well."""

    READ = 1
    ACT = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        """As it stands in lowstar.toml.

        >>> Role.ACT.word
        'act'
        """
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Access:
    """One token: whose it is and what it opens. `name` is "" where whoever signs in says who they are."""

    name: str
    role: Role
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """How the dashboard is served."""

    bind: str = "127.0.0.1"
    port: int = 8765
    hosts: tuple[str, ...] = ()  # names it may be called by, besides this machine's own
    url: str = ""  # the address people open; for links in feeds
    proxy_header: str = ""  # a reverse proxy in front says in it who is signed in
    proxy_role: Role = Role.ACT
    proxy_admins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    session: timedelta = timedelta(days=7)
    tokens: tuple[Access, ...] = field(default=(), repr=False)

    @property
    def loopback(self) -> bool:
        """True where only this machine can reach it."""
        if self.bind == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.bind).is_loopback
        except ValueError:
            return False


def read_web(table: Table, environ: Mapping[str, str], folder: Path, outside: list[str]) -> Web:
    """[web] and LOWSTAR_WEB_TOKEN; mistakes are noted as elsewhere."""
    usual = Web()
    role = table.choice("proxy_role", usual.proxy_role.word, tuple(one.word for one in Role))
    web = Web(
        bind=table.text("bind", usual.bind, check=_bind_problem),
        port=table.whole("port", usual.port, 1, 65_535),
        hosts=tuple(
            host.lower()
            for host in table.texts(
                "hosts", allowed='a list of hosts: ["mood.acme.com"]', check=_host_problem
            )
        ),
        url=table.text("url", check=url_problem).rstrip("/"),
        proxy_header=table.text("proxy_header", check=_header_problem),
        proxy_role=Role[role.upper()],
        proxy_admins=table.texts("proxy_admins", allowed="a list of names"),
        trusted_proxies=table.texts(
            "trusted_proxies", allowed='a list of addresses: ["10.0.0.5"]', check=_network_problem
        )
        or usual.trusted_proxies,
        session=table.duration("session", usual.session, "5m", "90d"),
        tokens=_tokens(read_value(environ, WEB_TOKEN, folder, outside, lines=True), outside),
    )
    table.close()
    return web


def _tokens(value: str, outside: list[str]) -> tuple[Access, ...]:
    found: list[Access] = []
    for entry in re.split(r"[,\r\n]+", value):
        if not entry.strip():
            continue
        match = _TOKEN.fullmatch(entry.strip())
        if match is None:
            outside.append(f"{WEB_TOKEN}: its value is not shown; allowed: {TOKENS_AS}")
            return ()
        found.append(Access(match[2] or "", Role[(match[1] or "admin").upper()], match[3]))
    return tuple(found)


def _bind_problem(address: str) -> str:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return "" if address == "localhost" else 'an address of this machine: "127.0.0.1", "0.0.0.0", "::1"'
    return ""


def _host_problem(host: str) -> str:
    return "" if _HOST.fullmatch(host.lower()) else 'a host without scheme, port or path: "mood.acme.com"'


def _header_problem(name: str) -> str:
    return "" if _HEADER.fullmatch(name) else 'the name of a header: "X-Forwarded-User"'


def _network_problem(address: str) -> str:
    try:
        ipaddress.ip_network(address)
    except ValueError:
        return 'an address or a network: "10.0.0.5", "10.0.0.0/24"'
    return ""
