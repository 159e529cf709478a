"""How does an event reach a program? A signed POST, as Standard Webhooks has it.

    webhook-id: evt_…            the same however often it is sent: what the receiver knows it again by
    webhook-timestamp: 1764…     seconds; a receiver refuses what is older than some minutes
    webhook-signature: v1,…      HMAC-SHA256 of "id.timestamp.body", base64

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md. A redirect is not
followed: it would carry the content to where nobody said it should go.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

from alerts.headers import header, retry_after
from alerts.notifier import (
    CannotLook,
    Capabilities,
    ChannelClosed,
    Message,
    NotifyError,
    NotSent,
    RateLimited,
    Receipt,
    Search,
    Uncertain,
    Unchangeable,
    Unrenderable,
)
from alerts.subscribers import NOTIFIER, Subscription

ANSWER_MAX = 4_096  # bytes read of an answer nobody looks at
GONE = 410  # "the sender should disable the webhook endpoint", says the specification
REFUSED = (400, 413, 415, 422)
_NEVER_CONNECTED = (ConnectionRefusedError, socket.gaierror, ssl.SSLCertVerificationError)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


class EventNotifier:
    """The road to programs; a channel is the name of a subscription."""

    name = NOTIFIER
    can = Capabilities(edits=False, finds=False, threads=False, paced=False)

    def __init__(
        self,
        subscriptions: Sequence[Subscription],
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        agent: str = "lowstar",
    ) -> None:
        self._by_name = {one.name: one for one in subscriptions}
        self._clock, self._agent = clock, agent
        # No proxy: an address of one's own network is what most of these are.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)

    def post(self, message: Message) -> Receipt:
        """Send an event; nothing is learned but that it was taken."""
        wanted = self._by_name.get(message.channel)
        if wanted is None:
            raise ChannelClosed(f"no subscription is called {message.channel!r} any more")
        body = message.raw.encode("utf-8")
        if not body:
            raise Unrenderable("there is nothing to send")
        headers = {
            "Content-Type": "application/json",
            "User-Agent": self._agent,
            **signed(wanted.secret, message.outbox_id, self._clock(), body),
        }
        request = urllib.request.Request(wanted.url, data=body, headers=headers, method="POST")  # noqa: S310 - http(s), checked when read
        host = urlsplit(wanted.url).hostname
        try:
            answer: HTTPResponse = self._opener.open(request, timeout=wanted.timeout)
        except urllib.error.HTTPError as error:
            with error:
                raise refusal(f"{host}: HTTP {error.code}", error.code, error.headers) from None
        except urllib.error.URLError as error:
            reason = error.reason
            # Before there was a connection nothing can have arrived; what broke later may have.
            kind = NotSent if isinstance(reason, _NEVER_CONNECTED) else Uncertain
            raise kind(f"{host}: {type(reason).__name__}") from None
        except (OSError, HTTPException) as error:
            raise Uncertain(f"{host}: {type(error).__name__}") from None
        # It said that it took it; what else it has to say is not asked.
        with answer, suppress(OSError, HTTPException):
            answer.read(ANSWER_MAX)
        return Receipt("")

    def edit(self, receipt: Receipt, message: Message) -> None:
        """Always raises: what was told was told."""
        raise Unchangeable("an event that was told cannot be changed")

    def find(self, search: Search) -> Receipt | None:
        """Always raises: a receiver is not asked what it has."""
        raise CannotLook("a subscriber cannot be asked what it has")

    def remove(self, receipt: Receipt) -> None:
        """Always raises: what was told was told."""
        raise Unchangeable("an event that was told cannot be taken back")


def signed(secret: str, identity: str, now: datetime, body: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks. `secret` is "whsec_" and base64, or any text."""
    stamp = str(int(now.timestamp()))
    mac = hmac.new(key_of(secret), f"{identity}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": identity,
        "webhook-timestamp": stamp,
        "webhook-signature": "v1," + base64.b64encode(mac).decode("ascii"),
    }


def key_of(secret: str) -> bytes:
    """The bytes that sign.

    >>> key_of("whsec_c2VjcmV0"), key_of("a text of our own")
    (b'secret', b'a text of our own')
    """
    if secret.startswith("whsec_"):
        try:
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except (binascii.Error, ValueError):
            pass
    return secret.encode("utf-8")


def refusal(said: str, status: int, headers: object) -> NotifyError:
    """What an answer other than 2xx means for the event and its subscription."""
    if status in (429, 503) and header(headers, "retry-after"):
        return RateLimited(said, retry_after(headers))
    if status in REFUSED:
        return Unrenderable(f"{said}: the receiver refuses what it says")
    if status == GONE:
        return ChannelClosed(f"{said}: the receiver wants no more; take the subscription out of lowstar.toml")
    if 300 <= status < 500 and status not in (408, 425, 429):
        return ChannelClosed(f"{said}: is the address of the subscription right, and its secret known there?")
    return NotSent(said)
