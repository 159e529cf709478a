"""How a message reaches people: one small protocol, and errors that carry what to do next.

NotifyError
├── RateLimited      gate the channel until `retry_after`; no attempt is counted
├── Uncertain        it may have arrived: look for it before sending again
├── NotSent          it surely did not arrive (refused connection, DNS): try again later
├── Unrenderable     its blocks were refused: degrade to plain text once
├── ChannelClosed    park the channel (archived, not a member, not found)
├── TokenRefused     park the notifier (revoked, missing scope, account inactive)
├── CannotLook       a search is not possible here: send again rather than wait for ever
└── Unchangeable     an earlier message cannot be changed any more: leave it as it is
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

Blocks = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture that goes with a message; `alt` says in words what it shows."""

    name: str  # "stars.png"
    title: str
    alt: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is sent: a fallback text that stands alone, blocks, and the outbox_id that proves it arrived."""

    channel: str
    text: str  # at most 300 characters, plain, safe everywhere
    blocks: Blocks = ()
    outbox_id: str
    kind: str = "alert"
    number: int | None = None
    version: int = 1
    thread_id: str | None = None  # remote id of the message whose thread this goes to
    broadcast: bool = False
    pictures: tuple[
        Picture, ...
    ] = ()  # sent with it where the road takes files; `text` stands for them elsewhere
    raw: str = ""  # what a road without cards sends as it stands: a whole mail (RFC 5322), a JSON document


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that a message stands in its channel."""

    remote_id: str  # Slack's ts; "" where the road gives none (webhook)
    remote_channel: str = ""


class NotifyError(Exception):
    """A message could not be delivered; the class says what to do next."""


class RateLimited(NotifyError):
    """Too fast: wait `retry_after` seconds. No attempt is counted."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Uncertain(NotifyError):
    """Nobody knows whether it arrived: timeout, reset, cut body, 5xx, HTML, unknown code."""


class NotSent(NotifyError):
    """It surely did not arrive: the connection was never made."""


class Unrenderable(NotifyError):
    """The blocks were refused: send it as plain text once."""


class ChannelClosed(NotifyError):
    """This channel takes no message from us until somebody mends it."""


class TokenRefused(NotifyError):
    """No channel takes a message from us until the token is mended."""


class CannotLook(NotifyError):
    """Whether a message arrived cannot be found out here: no right to read the channel, no name for it."""


class Unchangeable(NotifyError):
    """An earlier message cannot be changed any more: it was deleted, or the workspace forbids edits."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a road can do; the outbox keeps its promises by it."""

    edits: bool  # a message can be changed later
    finds: bool  # a message can be looked up by its outbox_id: nothing lost, nothing doubled
    threads: bool
    paced: bool = True  # too many messages a second would be refused


@dataclass(frozen=True, slots=True)
class Search:
    """Where to look for a message that may have arrived."""

    channel: str
    outbox_id: str
    since: datetime
    until: datetime
    thread_id: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


class Notifier(Protocol):
    """A road to people: Slack, a webhook, the console, e-mail. Any method may raise a NotifyError."""

    name: str
    can: Capabilities

    def post(self, message: Message) -> Receipt:
        """Send a new message."""

    def edit(self, receipt: Receipt, message: Message) -> None:
        """Make an earlier message look like `message`; idempotent."""

    def find(self, search: Search) -> Receipt | None:
        """The message with this outbox_id, if it stands in the channel."""

    def remove(self, receipt: Receipt) -> None:
        """Take the message out of the channel; a message already gone is fine."""
