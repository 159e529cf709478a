"""Who hears of a post that says again what another said? Its alert is folded behind the first one.

The copy has its case, its deadline and its history; its alert is written and held, and the card of the first case
says how many more there are. When the first case is closed the next one takes its place: it is announced then, and
the rest is held behind it. If the first was dismissed for what it says (not negative, not about us, spam), its
copies say the same and are dismissed with it. A copy that is graver than the first is an alert of its own.

A fold is kept as a storm that has no card of its own: `card` is the first case's alert.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from alerts.actions import act
from alerts.deeds import LOWSTAR, Action, Do, Refused, Why
from alerts.sla import Policy
from storage.records import Case, CaseEvent, CaseStatus, Delivery, Storm, case_name
from storage.sketches import COPY, Head
from storage.store import Ledger, Store

SAID_AGAIN = "said again"  # the event in the history of the first case
_OF_ITS_WORDS = tuple(why.words for why in (Why.NOT_NEGATIVE, Why.NOT_US, Why.SPAM))
NAMED = 3  # cases named on a card


def is_fold(storm: Storm) -> bool:
    """True for the fold of copies, which no clock ends and which has no card of its own."""
    return storm.key.startswith(COPY)


def fold_copies(
    ledger: Ledger,
    fresh: Sequence[Case],
    outbox: Sequence[Delivery],
    firsts: Mapping[int, int],
    now: datetime,
) -> int:
    """Hold the alerts of cases just opened whose mention says what another said first; how many alerts.

    `firsts` maps such mentions to the one that said it first. Called in the transaction that opens the cases.
    """
    folded = 0
    for case in sorted(fresh, key=lambda one: one.number):
        first = firsts.get(case.mention_id)
        if first is None:
            continue
        told = {(one.notifier, one.channel): one.id for one in outbox if one.number == case.number}
        heads = [
            head
            for head in ledger.heads_of(first, case.brand, case.number)
            if (head.notifier, head.channel) in told and case.priority <= head.priority
        ]
        for head in heads:
            if ledger.hold_copies(
                _fold_of(ledger, head, case.brand, now).id, [told[head.notifier, head.channel]]
            ):
                folded += 1
        for number in {head.number for head in heads}:
            ledger.add_events([CaseEvent(number, now, LOWSTAR, SAID_AGAIN, case.name)])
            ledger.want_edit([number], now)
    return folded


def _fold_of(ledger: Ledger, head: Head, brand: str, now: datetime) -> Storm:
    key = f"{COPY}{head.number}"
    opened = ledger.open_storm(
        Storm(
            id=0,
            notifier=head.notifier,
            channel=head.channel,
            brand=brand,
            key=key,
            started_at=now,
            over_at=now,
            card=head.card,
            drawn_at=now,
        )
    )
    if opened is not None:
        return opened
    going_on = ledger.storms_going_on(head.notifier, head.channel)
    return next(one for one in going_on if one.key == key and one.brand == brand)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """What looking after the folds did."""

    announced: int = 0  # copies that took the place of a closed first case
    dismissed: int = 0  # with the first one


def tend_copies(store: Store, now: datetime, policy: Policy) -> Passed:
    """Where the first case has been closed, let the next copy take its place or dismiss them all with it."""
    with store.reading() as ledger:
        folds = ledger.copies_held()
        stands = ledger.statuses_of(_number(fold) for fold in folds)
    announced = dismissed = 0
    for fold in folds:
        status, outcome = stands.get(_number(fold), (CaseStatus.DISMISSED, ""))
        if not status.closed:
            continue
        if status is CaseStatus.DISMISSED and outcome.startswith(_OF_ITS_WORDS):
            dismissed += _dismiss(store, _number(fold), now, policy)
        with store.transaction() as ledger:
            successor = ledger.next_copy(fold.id)
            if successor is not None:
                ledger.pass_on(fold, successor, now)
                announced += 1
            elif ledger.save_storm(
                replace(fold, ended_at=now, version=fold.version + 1), was_version=fold.version
            ):
                ledger.let_go(fold.id, now)
    return Passed(announced=announced, dismissed=dismissed)


def _dismiss(store: Store, number: int, now: datetime, policy: Policy) -> int:
    with store.reading() as ledger:
        copies = ledger.held_under(number)
    done = 0
    for copy in copies:
        action = Action(kind=Do.DISMISS, actor=LOWSTAR, why=Why.DUPLICATE, duplicate_of=number)
        try:
            act(store, copy, action, now, policy)
        except Refused:  # a promise is owed in it: it stays open, and takes the first one's place
            continue
        done += 1
    return done


def _number(fold: Storm) -> int:
    return int(fold.key.removeprefix(COPY))


def copies_line(numbers: Sequence[int], campaign: str = "") -> str:
    """What the first case's card says of those folded behind it; "" where there are none.

    >>> copies_line([12, 13], "same words from 3 accounts in 2 h")
    '+2 more like this (REP-0012, REP-0013): same words from 3 accounts in 2 h'
    """
    if not numbers:
        return ""
    named = ", ".join(case_name(number) for number in numbers[:NAMED])
    rest = " …" if len(numbers) > NAMED else ""
    return f"+{len(numbers)} more like this ({named}{rest})" + (f": {campaign}" if campaign else "")
