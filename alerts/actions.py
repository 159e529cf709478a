"""Who did what to which case, from any road (button, reaction, command line)? Into the ledger, on to people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from alerts.cases import Action, News, Refused
from alerts.sla import Policy
from storage.records import Case, CaseEvent, Promise
from storage.store import Ledger, Store

__all__ = ["Acted", "Refused", "act", "act_in"]


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
    once exactly one wins.
    """
    raise NotImplementedError


def act_in(ledger: Ledger, number: int, action: Action, now: datetime, policy: Policy) -> Acted:
    """As `act`, inside a transaction that is open already; raises Lost when the case changed under it."""
    raise NotImplementedError
