"""What becomes of a message whose delivery failed? Pure: an error and a time in, a decision out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from alerts.notifier import (
    CannotLook,
    ChannelClosed,
    NotSent,
    RateLimited,
    Receipt,
    TokenRefused,
    Unchangeable,
    Unrenderable,
)
from alerts.redact import redact
from storage.records import Delivery, DeliveryState

PACE = timedelta(seconds=1)  # Slack takes about one message a second and channel
LONGEST_BACKOFF = timedelta(minutes=5)


class Park(StrEnum):
    """What is out of order."""

    NOTHING = ""
    CHANNEL = "channel"
    NOTIFIER = "notifier"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What becomes of a delivery, and of its channel, after a failure."""

    state: DeliveryState
    error: str
    not_before: datetime | None = None
    gate_until: datetime | None = None  # nothing goes to this channel before
    park: Park = Park.NOTHING
    plain: bool = False  # from now on without blocks
    counted: bool = True  # an attempt; False for what says nothing about the message


def after_error(error: Exception, delivery: Delivery, now: datetime, pace: timedelta = PACE) -> Decision:
    """What becomes of a delivery whose posting failed. Nothing is dropped; what is unknown is uncertain."""
    said = redact(str(error))[:500] or type(error).__name__
    again = now + backoff(delivery.attempts, pace)
    match error:
        case RateLimited():
            until = now + timedelta(seconds=error.retry_after)
            return Decision(state=DeliveryState.PENDING, error=said, gate_until=until, counted=False)
        case NotSent():
            # What keeps us from connecting keeps the whole channel: no use trying the next one at once.
            return Decision(state=DeliveryState.PENDING, error=said, not_before=again, gate_until=again)
        case Unrenderable() if not delivery.plain:
            return Decision(state=DeliveryState.PENDING, error=said, plain=True)
        case Unrenderable():
            return Decision(state=DeliveryState.FAILED, error=said)
        case ChannelClosed():
            return Decision(state=DeliveryState.PARKED, error=said, park=Park.CHANNEL, counted=False)
        case TokenRefused():
            return Decision(state=DeliveryState.PARKED, error=said, park=Park.NOTIFIER, counted=False)
    return Decision(state=DeliveryState.UNCERTAIN, error=said, gate_until=again)


def after_edit_error(error: Exception, delivery: Delivery, now: datetime, pace: timedelta = PACE) -> Decision:
    """What to do with a card that could not be changed. Edits can be repeated, so nothing is uncertain.

    PENDING: try again at `not_before`; FAILED: it stays as it is.
    """
    decided = after_error(error, delivery, now, pace)
    if isinstance(error, Unchangeable) or decided.state is DeliveryState.FAILED:
        return Decision(state=DeliveryState.FAILED, error=decided.error)
    again = now if decided.plain else now + backoff(1, pace)
    return replace(decided, state=DeliveryState.PENDING, not_before=again)


def after_look(
    found: Receipt | Exception | None, delivery: Delivery, now: datetime, pace: timedelta = PACE
) -> Decision:
    """What an uncertain delivery is after looking for it."""
    match found:
        case Receipt():
            return Decision(state=DeliveryState.SENT, error="")
        case None:
            # It was looked for after a long wait: the first repetition goes at once, later ones slow down.
            wait = backoff(delivery.attempts - 1, pace) if delivery.attempts > 1 else timedelta(0)
            return Decision(
                state=DeliveryState.PENDING, error="had not arrived, sent again", not_before=now + wait
            )
        case CannotLook():
            said = f"may have arrived twice, could not be looked up: {redact(str(found))[:300]}"
            again = now + backoff(delivery.attempts, pace)
            return Decision(state=DeliveryState.PENDING, error=said, not_before=again)
    decided = after_error(found, delivery, now, pace)
    # Whatever went wrong with looking says nothing about the message: it stays uncertain.
    again = now + backoff(max(1, delivery.attempts), pace)
    return replace(decided, state=DeliveryState.UNCERTAIN, not_before=again, plain=False)


def backoff(attempts: int, pace: timedelta) -> timedelta:
    """How long to wait after so many attempts: 2, 4, 8 … times the pace, five minutes at most.

    >>> backoff(1, timedelta(seconds=1)).seconds, backoff(5, timedelta(seconds=1)).seconds
    (2, 32)
    """
    times: int = 2 ** max(0, min(attempts, 10))
    return min(pace * times, LONGEST_BACKOFF)
