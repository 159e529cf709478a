"""What does a press on a card do that is about no single case: a storm's, a blind source's?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from alerts.interactions import Pressed
from alerts.names import names_in
from alerts.ops import SourceDo, SourceRefused, act_on_source
from alerts.sla import Policy
from alerts.storms import StormDo, StormRefused, act_on_storm
from storage.store import Store

_STORM = frozenset(StormDo)
_SOURCE = frozenset(SourceDo)


def others_for(store: Store, policy: Policy) -> Callable[[Pressed, datetime], str | None]:
    """The function that carries such presses out and answers what to whisper; None for a button of nobody's."""

    def press(pressed: Pressed, now: datetime) -> str | None:
        subject, _, seen = pressed.value.rpartition(":")
        version = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else None
        try:
            if pressed.action_id in _STORM:
                return _storm(store, policy, pressed, subject, version, now)
            if pressed.action_id in _SOURCE:
                return _source(store, pressed, subject, version, now)
        except (StormRefused, SourceRefused) as refused:
            return f"{refused}."
        return None

    return press


def _storm(
    store: Store, policy: Policy, pressed: Pressed, subject: str, version: int | None, now: datetime
) -> str:
    if not (subject.isascii() and subject.isdigit() and len(subject) < 18):
        raise StormRefused("There is no such storm")
    with store.transaction() as ledger:
        storm = ledger.storm(int(subject))
        brand = storm.brand if storm else ""
        acted = act_on_storm(
            ledger,
            int(subject),
            StormDo(pressed.action_id),
            pressed.by.user,
            now,
            version=version,
            tell=policy.told_at(brand, 2),
            names=names_in(ledger, policy.people),
        )
    return f"{acted.said}: {acted.shown} let go." if acted.shown else f"{acted.said}."


def _source(store: Store, pressed: Pressed, subject: str, version: int | None, now: datetime) -> str:
    do = SourceDo(pressed.action_id)
    with store.transaction() as ledger:
        act_on_source(ledger, subject, do, pressed.by.user, now, version=version)
    return "It is yours." if do is SourceDo.CLAIM else "No word about it for 24 h, but that it works again."
