"""Who did what to which case, from any road: button, reaction, command line? Into the ledger, on to people.

    act(store, 7, Action(kind=Do.CLAIM, actor="U01ALICE", version=3), now, policy)

One transaction: the case (if nobody was faster), its history, its promises, its card's next edit, the message
in its thread.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from alerts.blocks_cases import news_body
from alerts.cases import Action, Outcome, Refused, apply
from alerts.deeds import News
from alerts.names import Names, names_in
from alerts.sla import Policy
from storage.records import (
    Case,
    CaseEvent,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Priority,
    Promise,
    Reviewed,
    case_name,
)
from storage.store import Ledger, Store

__all__ = ["Acted", "Lost", "Refused", "act", "act_in", "act_on_promise", "keep", "news_for"]

TRIES = 5  # of one action, when others are faster; each time it is judged anew by what they did


class Lost(Exception):
    """The case was changed by somebody else in this very moment: judge it again in a new transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """What became of it."""

    case: Case  # as it is now
    before: Case
    events: tuple[CaseEvent, ...]
    promises: tuple[Promise, ...]  # those made or changed, with their ids
    news: tuple[News, ...]


def act(store: Store, number: int, action: Action, now: datetime, policy: Policy) -> Acted:
    """Do `action` to case `number` in one transaction: case, history, promises, its card's edit, thread news.

    Raises Refused with words for the person (no such case, closed, somebody was faster). Of two people at
    once exactly one wins, and the other is told who it was.
    """
    return _again(lambda ledger: act_in(ledger, number, action, now, policy), store, number)


def act_on_promise(store: Store, promise: int, action: Action, now: datetime, policy: Policy) -> Acted:
    """As `act`, for a button that knows only the promise; `action` is keep, extend or drop."""

    def do(ledger: Ledger) -> Acted:
        known = ledger.promise(promise)
        if known is None:
            raise Refused("There is no such promise any more")
        return act_in(ledger, known.number, replace(action, promise=promise), now, policy)

    return _again(do, store, 0)


def _again(do: Callable[[Ledger], Acted], store: Store, number: int) -> Acted:
    for _ in range(TRIES):
        try:
            with store.transaction() as ledger:
                return do(ledger)
        except Lost:
            continue
    raise Refused(
        f"{case_name(number) if number else 'It'} is being changed by others all the time: try again"
    )


def act_in(ledger: Ledger, number: int, action: Action, now: datetime, policy: Policy) -> Acted:
    """As `act`, inside a transaction that is open already.

    Raises Lost when the case changed under it; the whole transaction must then be begun anew.
    """
    reviewed = ledger.reviewed(number)
    if reviewed is None:
        raise Refused(f"There is no case {case_name(number)}")
    outcome = apply(
        reviewed.case,
        action,
        now,
        policy,
        promises=ledger.promises(number),
        history=ledger.events(number),
    )
    kept = keep(ledger, reviewed, outcome)
    if kept is None:
        raise Lost(reviewed.case.name)
    ledger.want_edit([number], now)
    ledger.enqueue(news_for(ledger, [(reviewed, kept)], now, policy))
    return Acted(
        case=kept.case,
        before=reviewed.case,
        events=kept.events,
        promises=kept.promises,
        news=kept.news,
    )


def keep(ledger: Ledger, before: Reviewed, outcome: Outcome) -> Outcome | None:
    """Write what an action or a clock decided; None when somebody changed the case in between.

    Answers the outcome with the ids the database gave to new promises. Raises Lost when a promise changed
    without its case: then nothing of the transaction may stand.
    """
    if not ledger.save_case(outcome.case, was_version=before.case.version):
        return None
    promises: list[Promise] = []
    for promise in outcome.promises:
        if promise.id and not ledger.save_promise(promise):
            raise Lost(outcome.case.name)
        promises.append(promise if promise.id else ledger.add_promise(promise))
    ledger.add_events(outcome.events)
    for correction in outcome.corrections:
        ledger.add_correction(correction)
    named = {(one.text, one.due_by): one for one in promises}
    news = tuple(
        replace(one, promise=named.get((one.promise.text, one.promise.due_by), one.promise))
        if one.promise is not None and not one.promise.id
        else one
        for one in outcome.news
    )
    return replace(outcome, promises=tuple(promises), news=news)


def news_for(
    ledger: Ledger,
    several: Sequence[tuple[Reviewed, Outcome]],
    now: datetime,
    policy: Policy,
    *,
    loud: int | None = None,
) -> list[Delivery]:
    """The messages that tell what became of these cases: one a case, in its card's thread.

    With `loud` they come from clocks: the worst so many of a channel are broadcast, the others told in their
    threads alone, and a case whose card a storm holds back not at all; the storm's card stands for it.
    """
    telling = [(reviewed, outcome) for reviewed, outcome in several if outcome.news]
    telling.sort(key=lambda one: (-one[1].case.priority, -one[1].case.rank, one[1].case.number))
    cards = _cards(ledger, [outcome.case for _, outcome in telling])
    broadcast: Counter[str] = Counter()
    names = names_in(ledger, policy.people)  # only whom Slack or [people] gave us an id of is rung
    wanted = []
    for reviewed, outcome in telling:
        card = cards.get(outcome.case.number)
        important = any(one.what.broadcast for one in outcome.news)
        if card is None and not important:
            continue  # no thread to say it in; the history has it
        if loud is not None and card is not None and card.state is DeliveryState.HELD:
            continue
        message = _message(reviewed, outcome, card, now, policy, important, names)
        broadcast[message.channel] += important
        if important and card is not None and loud is not None and broadcast[message.channel] > loud:
            message = _message(reviewed, outcome, card, now, policy, False, names)
        if (
            loud is not None
        ):  # what a person does is said at once, what a clock has to say can wait until morning
            at = policy.quiet_until(message.channel, outcome.case.priority, now)
            message = replace(message, not_before=at or now)
        wanted.append(message)
    return wanted


def _cards(ledger: Ledger, cases: Sequence[Case]) -> Mapping[int, Delivery]:
    """The card each case is lived through on: the one in its own channel, where there are several."""
    out = (DeliveryState.CANCELLED, DeliveryState.FAILED)
    home = {case.number: case.channel for case in cases}
    found: dict[int, Delivery] = {}
    for card in ledger.cards_of(list(home)) if home else ():
        if card.number is None or card.state in out:
            continue
        if card.number not in found or card.channel == home[card.number]:
            found[card.number] = card
    return found


def _message(
    reviewed: Reviewed,
    outcome: Outcome,
    card: Delivery | None,
    now: datetime,
    policy: Policy,
    loud: bool,
    names: Names,
) -> Delivery:
    case = outcome.case
    body = news_body(
        outcome.news,
        case,
        people=names,
        now=now,
        url="" if reviewed.removed else reviewed.mention.url,
        buttons=policy.buttons,
        broadcast=loud,
    )
    channel = card.channel if card else case.channel
    return Delivery(
        id=f"ob_{uuid.uuid4().hex}",
        kind=DeliveryKind.ESCALATION if loud else DeliveryKind.CASE_UPDATE,
        notifier=card.notifier if card else policy.roads.get(channel, "slack"),
        channel=channel,
        number=case.number,
        parent=card.id if card else None,
        body=body,
        # What somebody is rung for goes before the cards of a storm.
        priority=Priority.URGENT if loud else case.priority,
        rank=case.rank,
        created_at=now,
        not_before=now,
        wanted_version=case.version,
    )
