"""Who is asking, may they, and did they mean to? Hosts, sign-in, sessions, forms, and the headers of every answer.

- A request for a host nobody named is refused: another site cannot point its own name at this machine.
- People sign in with a token, or a reverse proxy we trust says who they are; a program sends a bearer token.
- The session cookie is signed with a key kept in the store, HttpOnly, SameSite=Strict; it ends with its token.
- A form carries a value that only our own page knows; a GET never changes anything.
- Whoever guesses tokens waits.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import json
import re
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from monitor.config_web import Access, Role, Web
from storage.records import clean_line
from storage.store import Store

SESSION, FORM = "lowstar_session", "lowstar_form"  # cookies: who is signed in; what our own forms know
FORM_FOR = timedelta(days=30)
BODY_MAX = 65_536  # bytes of a form; an answer has at most 3,000 characters
NAME_MAX = 64
# Wrong tokens of one address. Not of all together: then anybody could lock everybody out.
TRIES, TRIES_WITHIN = 10, timedelta(minutes=5)
ADDRESSES_MAX = 10_000

CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Strangers are not told where a reader came from. Not "no-referrer": our own forms would say "Origin: null".
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?")

Headers = list[tuple[bytes, bytes]]
Scope = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in."""

    name: str
    role: Role
    bearer: bool = False  # a program with a token: no browser sends that by itself, so it needs no form value


@dataclass(frozen=True, slots=True)
class Visit:
    """What we know about one request before anything is answered."""

    person: Person | None
    address: str  # of whoever asks; behind a trusted proxy the one it names
    secure: bool  # came in by https
    form: str  # the value in our own form cookie, "" where there is none yet
    wrong_bearer: bool = False

    def may(self, role: Role) -> bool:
        """True when the person may do what `role` may."""
        return self.person is not None and self.person.role >= role


class TooMany(Exception):
    """Too many wrong tokens: wait `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__("too many attempts")
        self.seconds = seconds


class Attempts:
    """Counts wrong tokens by address; ten in five minutes, and no more are looked at."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: dict[str, tuple[int, datetime]] = {}

    def check(self, address: str, now: datetime) -> None:
        """Raises TooMany when this address has guessed too often."""
        with self._lock:
            count, since = self._of.get(_block(address), (0, now))
        if count >= TRIES and now - since < TRIES_WITHIN:
            raise TooMany(int((since + TRIES_WITHIN - now).total_seconds()) + 1)

    def wrong(self, address: str, now: datetime) -> None:
        """Note a wrong token."""
        with self._lock:
            if len(self._of) > ADDRESSES_MAX:
                kept = {who: it for who, it in self._of.items() if now - it[1] < TRIES_WITHIN}
                self._of = kept if len(kept) <= ADDRESSES_MAX else {}
            count, since = self._of.get(_block(address), (0, now))
            if now - since >= TRIES_WITHIN:
                count, since = 0, now
            self._of[_block(address)] = (count + 1, since)


class Gate:
    """Decides who somebody is; holds the key, the tokens and the count of wrong ones."""

    def __init__(self, web: Web, key: bytes, clock: Callable[[], datetime]) -> None:
        self.web = web
        self._key = key
        self._clock = clock
        self._attempts = Attempts()
        self._hosts = {"127.0.0.1", "localhost", "[::1]", *web.hosts}
        if web.url:
            self._hosts.add((urlsplit(web.url).hostname or "").lower())
        # Headers of a proxy are believed only where somebody said that there is one.
        behind = web.trusted_proxies if web.proxy_header or web.url else ()
        self._proxies = [ipaddress.ip_network(one) for one in behind]

    # -- who is it? ------------------------------------------------------------------------------------------

    def knows_host(self, host: str) -> bool:
        """True for a Host header we answer to."""
        found = _HOST.fullmatch(host.lower())
        name = found[1] if found else ""
        return bool(name) and name in self._hosts

    def visit(self, peer: str, scheme: str, headers: Mapping[str, str]) -> Visit:
        """Who asks, by everything the request carries. Raises TooMany."""
        trusted = self._trusts(peer)
        address, secure = peer, scheme == "https"
        if trusted:
            forwarded = headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
            address = clean_line(forwarded, 64) or peer
            secure = secure or headers.get("x-forwarded-proto", "").lower() == "https"
        cookies = _cookies(headers.get("cookie", ""))
        form = cookies.get(FORM, "")
        form = form if 16 <= len(form) <= 64 and form.isalnum() else ""
        person, wrong = self._person(trusted, headers, cookies, address)
        return Visit(person, address, secure, form, wrong_bearer=wrong)

    def _person(
        self, trusted: bool, headers: Mapping[str, str], cookies: Mapping[str, str], address: str
    ) -> tuple[Person | None, bool]:
        authorization = headers.get("authorization", "")
        if authorization[:7].lower() == "bearer ":
            access = self.access(authorization[7:].strip(), address)
            if access is None:
                return None, True
            return Person(access.name or "API", access.role, bearer=True), False
        if self.web.proxy_header and trusted:
            name = clean_line(headers.get(self.web.proxy_header.lower(), ""), NAME_MAX)
            if name:
                role = Role.ADMIN if name in self.web.proxy_admins else self.web.proxy_role
                return Person(name, role), False
        return self._signed_in(cookies.get(SESSION, "")), False

    def access(self, token: str, address: str) -> Access | None:
        """What `token` opens, None where it opens nothing. Raises TooMany."""
        now = self._clock()
        self._attempts.check(address, now)
        given = _digest(token)
        found = None
        for access in self.web.tokens:  # all of them, always: the time tells nothing about which was near
            if hmac.compare_digest(given, _digest(access.token)):
                found = access
        if found is None:
            self._attempts.wrong(address, now)
        return found

    def _trusts(self, peer: str) -> bool:
        try:
            address = ipaddress.ip_address(peer.partition("%")[0])
        except ValueError:
            return False
        return any(address in network for network in self._proxies)

    # -- sessions --------------------------------------------------------------------------------------------

    def session(self, access: Access, name: str) -> str:
        """The value of the session cookie for somebody who showed `access`."""
        until = self._clock() + self.web.session
        body = {
            "n": access.name or clean_line(name, NAME_MAX) or access.role.word,
            "t": _digest(access.token).hex()[:16],
            "u": int(until.timestamp()),
        }
        packed = base64.urlsafe_b64encode(json.dumps(body).encode()).decode().rstrip("=")
        return f"{packed}.{self._sign('session', packed)}"

    def _signed_in(self, cookie: str) -> Person | None:
        packed, _, signature = cookie.partition(".")
        if not signature or not hmac.compare_digest(
            signature.encode(), self._sign("session", packed).encode()
        ):
            return None
        try:
            body = json.loads(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
            name, token, until = str(body["n"]), str(body["t"]), int(body["u"])
        except (ValueError, KeyError, TypeError, binascii.Error):
            return None
        if until < self._clock().timestamp():
            return None
        for access in self.web.tokens:  # a token that was taken away takes its sessions along
            if _digest(access.token).hex()[:16] == token:
                return Person(name, access.role)
        return None

    # -- forms and feeds -------------------------------------------------------------------------------------

    def form_value(self, form: str, person: Person | None) -> str:
        """What a form of ours carries: known only to a page that was made for this cookie and this person."""
        return self._sign("form", f"{form}|{person.name if person else ''}")

    def meant(self, visit: Visit, value: str, headers: Mapping[str, str]) -> bool:
        """True when a request that changes something came from a form of ours, or from a program."""
        if visit.person is not None and visit.person.bearer:
            return True
        site = headers.get("sec-fetch-site", "same-origin")
        origin = headers.get("origin", "")
        if site not in ("same-origin", "none") or (
            origin and urlsplit(origin).netloc != headers.get("host", "")
        ):
            return False
        expected = self.form_value(visit.form, visit.person)
        return bool(visit.form) and hmac.compare_digest(value.encode(), expected.encode())

    def feed_key(self, path: str, query: str) -> str:
        """What opens one feed and nothing else: readers of feeds send no cookies. It ends with the tokens."""
        tokens = ",".join(sorted(_digest(one.token).hex() for one in self.web.tokens))
        return self._sign("feed", f"{path}?{query}|{tokens}")[:43]

    def opens_feed(self, path: str, query: str, key: str) -> bool:
        """True when `key` is the one of that feed."""
        return hmac.compare_digest(key.encode(), self.feed_key(path, query).encode())

    def _sign(self, what: str, value: str) -> str:
        made = hmac.new(self._key, f"{what}|{value}".encode("utf-8", "replace"), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(made).decode().rstrip("=")


def session_key(store: Store, now: datetime) -> bytes:
    """The key of this store's sessions; made at random and kept when first asked for."""
    shelf, name = "lowstar", "web session key"
    with store.reading() as ledger:
        kept = ledger.cursor(shelf, name)
    if kept:
        return bytes.fromhex(kept)
    with store.transaction() as ledger:
        kept = ledger.cursor(shelf, name)  # another may have been first
        if not kept:
            kept = secrets.token_hex(32)
            ledger.set_cursor(shelf, name, kept, now)
    return bytes.fromhex(kept)


def cookie(name: str, value: str, *, secure: bool, within: timedelta) -> str:
    """A Set-Cookie header; an empty value forgets the cookie."""
    parts = [f"{name}={value}", "Path=/", "HttpOnly", "SameSite=Strict"]
    parts.append(f"Max-Age={int(within.total_seconds()) if value else 0}")
    return "; ".join([*parts, "Secure"] if secure else parts)


def safe_next(address: str) -> str:
    """Where to go after a form: a path of ours, "/" for anything that could lead elsewhere.

    >>> safe_next("/cases/7?a=b"), safe_next("//evil.example"), safe_next("https://evil.example")
    ('/cases/7?a=b', '/', '/')
    """
    plain = address.isascii() and address.isprintable() and len(address) <= 2_000
    if plain and address.startswith("/") and not address.startswith("//") and "\\" not in address:
        return address
    return "/"


class Guarded:
    """The outermost layer: refuses strange hosts, notes who asks, puts the headers on every answer."""

    def __init__(self, app: Any, gate: Gate, own: tuple[str, ...] = ()) -> None:
        """Below the paths `own` tokens of other kinds are shown, which are no wrong ones of ours."""
        self._app = app
        self._gate = gate
        self._own = own

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        secure = False

        async def sending(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _with_headers(message.get("headers", []), secure)
            await send(message)

        if not self._gate.knows_host(headers.get("host", "")):
            await _refuse(sending, 421, "This address is not one of ours; [web] hosts lists them.")
            return
        client = scope.get("client")
        if self._own and scope["path"].startswith(self._own):
            headers = {
                name: value for name, value in headers.items() if name not in ("authorization", "cookie")
            }
        try:
            visit = self._gate.visit(client[0] if client else "", scope.get("scheme", "http"), headers)
        except TooMany as waiting:
            await _refuse(sending, 429, "Too many attempts.", waiting.seconds)
            return
        secure = visit.secure
        scope["lowstar"] = visit
        await self._app(scope, receive, sending)


async def _refuse(send: Any, status: int, words: str, retry_after: int = 0) -> None:
    body = words.encode()
    headers: Headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
    ]
    if retry_after:
        headers.append((b"retry-after", str(retry_after).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _with_headers(headers: Sequence[tuple[bytes, bytes]], secure: bool) -> Headers:
    given = {name.lower() for name, _ in headers}
    more = dict(HEADERS)
    more["cache-control"] = "no-store"  # customers' words stay in no cache; static files say otherwise
    if secure:
        more["strict-transport-security"] = "max-age=31536000"
    return [
        *headers,
        *((name.encode(), value.encode()) for name, value in more.items() if name.encode() not in given),
    ]


def _block(address: str) -> str:
    """Who guesses: an IPv4 address, or the network an IPv6 address may be changed in at will."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    return str(ipaddress.ip_network(f"{parsed}/64", strict=False)) if parsed.version == 6 else str(parsed)


def _cookies(header: str) -> dict[str, str]:
    try:
        jar: SimpleCookie = SimpleCookie(header[:8_192])
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in jar.items()}


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
