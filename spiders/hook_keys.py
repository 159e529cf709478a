"""Is this sender the one it says, and not too loud? Tokens and signatures of webhooks. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

SIGNATURES = ("x-lowstar-signature", "x-hub-signature-256")
STANDARD = "webhook-signature"  # https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/
FRESH = 300.0  # seconds a signature of that kind is good for


@dataclass(slots=True)
class Bucket:
    """So many at once, so many a second for good."""

    rate: float
    burst: float
    level: float = field(init=False)
    at: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self.level = self.burst

    def take(self, now: float) -> float:
        """0 where one more may come, else the seconds until it may."""
        self.level = min(self.burst, self.level + max(0.0, now - self.at) * self.rate)
        self.at = now
        if self.level < 1.0:
            return (1.0 - self.level) / self.rate
        self.level -= 1.0
        return 0.0


def bearer(headers: Mapping[str, str]) -> str:
    """The token of an Authorization header; of Basic its password, for senders that take user:password@host."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return given.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(given.strip(), validate=True).decode("utf-8").partition(":")[2]
    except (ValueError, binascii.Error):
        return ""


def same(given: str, right: str) -> bool:
    """Compared by their digests: in constant time, whatever their lengths and letters."""
    return hmac.compare_digest(_digest(given), _digest(right))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


def signed(given: str, secret: str, body: bytes) -> bool:
    """HMAC-SHA256 of the body, in hex (with or without "sha256=" before it) or base64."""
    made = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    said = given.strip().removeprefix("sha256=")
    return same(said.lower(), made.hex()) or same(said, base64.b64encode(made).decode())


def signed_as_standard(headers: Mapping[str, str], secret: str, body: bytes, now: datetime) -> bool:
    """A signature as Standard Webhooks has it: of the id, the time and the body, and fresh."""
    identity, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not at.isascii() or not at.isdigit() or len(at) > 12 or abs(int(at) - now.timestamp()) > FRESH:
        return False
    coded = secret.removeprefix("whsec_")
    try:
        key = base64.b64decode(coded, validate=True) if coded != secret else secret.encode()
    except (ValueError, binascii.Error):
        return False
    made = hmac.new(key, f"{identity}.{at}.".encode("utf-8", "replace") + body, hashlib.sha256).digest()
    right = base64.b64encode(made).decode()
    return any(same(one.removeprefix("v1,"), right) for one in headers[STANDARD].split()[:5])
