"""What do the reactions on the cards say? For installs without a daemon: read by each run, each done once.

👀 mine, ✅ answered, 🆘 escalate, 🚫 not about us. What was done about is written down with the case in one
transaction; taking a reaction away and giving it again is a new wish.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from alerts.actions import Lost, act_in
from alerts.cases import Action, Do, Refused
from alerts.deeds import Why
from alerts.names import remember
from alerts.notifier import NotifyError
from alerts.redact import redact
from alerts.sla import Policy
from alerts.slack_desk import Reacted, SlackDesk
from storage.records import Delivery, DeliveryState, case_name
from storage.store import Ledger, Store

log = logging.getLogger(__name__)

READ_MOST = 500  # open cards looked at in one run, the worst first
TRIES = 5
_SOURCE = "slack reactions"  # the cursors under which is kept what was done

# In the order they are done when several are new: taken first, closed last.
MEANING: dict[str, Action] = {
    "eyes": Action(kind=Do.CLAIM, actor=""),
    "sos": Action(kind=Do.ESCALATE, actor=""),
    "white_check_mark": Action(kind=Do.ANSWER, actor=""),
    "no_entry_sign": Action(kind=Do.DISMISS, actor="", why=Why.NOT_US),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What reading the reactions did."""

    cards: int = 0  # open cards looked at
    done: int = 0
    refused: int = 0
    problems: tuple[str, ...] = ()  # channels that could not be read, and why


def read_reactions(
    store: Store, desk: SlackDesk, *, policy: Policy, clock: Callable[[], datetime], ourselves: str = ""
) -> Heard:
    """Do what the reactions on the open cards ask for. `ourselves`: the app's own user, which is left out.

    A channel that cannot be read is a problem in the answer; the next run reads it again.
    """
    cards = _open_cards(store, desk.name)
    done = refused = 0
    problems: list[str] = []
    for channel in sorted({card.remote_channel or card.channel for card in cards}):
        here = {card.remote_id: card for card in cards if (card.remote_channel or card.channel) == channel}
        try:
            found = list(desk.reactions(channel, [ts for ts in here if ts]))
        except NotifyError as error:
            problems.append(f"reactions in {channel} cannot be read: {redact(str(error))[:200]}")
            continue
        for reacted in found:
            one = _one_card(store, desk, here[reacted.ts], reacted, policy, clock, ourselves)
            done, refused = done + one.done, refused + one.refused
    return Heard(cards=len(cards), done=done, refused=refused, problems=tuple(problems))


def _open_cards(store: Store, notifier: str) -> list[Delivery]:
    with store.reading() as ledger:
        numbers = [one.case.number for one in ledger.cases_worst_first(limit=READ_MOST)]
        cards = ledger.cards_of(numbers)
    return [
        card
        for card in cards
        if card.notifier == notifier and card.state is DeliveryState.SENT and card.remote_id
    ]


def _one_card(
    store: Store,
    desk: SlackDesk,
    card: Delivery,
    reacted: Reacted,
    policy: Policy,
    clock: Callable[[], datetime],
    ourselves: str,
) -> Heard:
    given = [
        (name, user)
        for meaning in MEANING
        for name, user in reacted.reactions
        if name == meaning and user != ourselves
    ]
    done = refused = 0
    name = f"{card.remote_channel}:{card.remote_id}"
    with store.reading() as ledger:
        before = _kept(ledger, name)
    # Those taken away are forgotten first: given again, they are a new wish.
    if before - set(given):
        with store.transaction() as ledger:
            _keep(ledger, name, before & set(given), clock())
    for wish in given:
        if wish in before:
            continue
        said = _grant(store, card, name, wish, policy, clock)
        if said is None:
            done += 1
            continue
        refused += 1
        try:
            desk.whisper(
                card.remote_channel or card.channel, wish[1], f"{case_name(card.number or 0)}: {said}"
            )
        except NotifyError as error:
            log.info("whispering: %s", redact(str(error)))
    return Heard(done=done, refused=refused)


def _grant(
    store: Store,
    card: Delivery,
    name: str,
    wish: tuple[str, str],
    policy: Policy,
    clock: Callable[[], datetime],
) -> str | None:
    """Do what one reaction asks for and write down that it is done; why not, where it cannot be done."""
    meaning, user = MEANING[wish[0]], wish[1]
    action = Action(kind=meaning.kind, actor=user, why=meaning.why)
    number = card.number or 0
    for _ in range(TRIES):
        now = clock()
        try:
            with store.transaction() as ledger:
                remember(ledger, user, "", "", now)
                _keep(ledger, name, _kept(ledger, name) | {wish}, now)
                act_in(ledger, number, action, now, policy)
            return None
        except Lost:
            continue
        except Refused as refused:
            with store.transaction() as ledger:
                _keep(ledger, name, _kept(ledger, name) | {wish}, now)
            return f"{str(refused).rstrip('.')}."
    return "It is being changed by others all the time: the next run tries again."


def _kept(ledger: Ledger, name: str) -> set[tuple[str, str]]:
    try:
        return {(str(emoji), str(user)) for emoji, user in json.loads(ledger.cursor(_SOURCE, name) or "[]")}
    except (ValueError, TypeError):
        return set()


def _keep(ledger: Ledger, name: str, wishes: set[tuple[str, str]], now: datetime) -> None:
    rows: Sequence[tuple[str, str]] = sorted(wishes)
    ledger.set_cursor(_SOURCE, name, json.dumps(rows), now)
