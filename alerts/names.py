"""What is somebody called, and may a card ring them? From [people], and from what Slack told us of its ids.

A word that merely looks like a Slack id ("WILLIAMS") is a word: only an id that Slack or the configuration
gave us becomes a mention.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from alerts.people import NO_PEOPLE, SLACK_USER, People
from storage.records import clean_line

if TYPE_CHECKING:
    from storage.store import Ledger  # cards are drawn without a database

_SOURCE, _NAME = "slack", "people"  # the cursor under which Slack's names are kept
MOST = 2_000  # people kept; a workspace has fewer who answer reviews
NAME_MAX = 80


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody as Slack knows them."""

    name: str
    zone: str = ""  # their time zone, an IANA name


@dataclass(frozen=True, slots=True)
class Names:
    """Names and ids of people; pure, made anew when somebody is added."""

    people: People = NO_PEOPLE
    told: Mapping[str, Known] = field(default_factory=dict)  # Slack id → who that is

    def slack_id(self, word: str) -> str:
        """The Slack id of whoever is called so; "" where neither Slack nor [people] gave us one."""
        found = self.people.find(word)
        if found is not None:
            return found.slack if SLACK_USER.fullmatch(found.slack) else ""
        return word if word in self.told and SLACK_USER.fullmatch(word) else ""

    def name(self, word: str) -> str:
        """What people call them; "someone" for an id nobody told us the name of."""
        found = self.people.find(word)
        if found is not None and found.name:
            return clean_line(found.name, NAME_MAX)
        told = self.told.get(word)
        if told is not None and told.name:
            return told.name
        if found is not None and not SLACK_USER.fullmatch(found.key):
            return clean_line(found.key, NAME_MAX)
        return "someone" if told is not None else clean_line(word, NAME_MAX)

    def zone(self, word: str) -> str:
        """The time zone of a Slack user, "" where Slack did not say."""
        told = self.told.get(word)
        return told.zone if told else ""


def names_in(ledger: Ledger, people: People = NO_PEOPLE) -> Names:
    """The names as the store has them."""
    return Names(people, _told(ledger))


def remember(ledger: Ledger, user: str, name: str, zone: str, now: datetime) -> None:
    """Keep what Slack told of one of its ids; an id known already with a name keeps it when `name` is ""."""
    if not SLACK_USER.fullmatch(user):
        return
    told = _told(ledger)
    before = told.get(user)
    known = Known(
        clean_line(name, NAME_MAX) or (before.name if before else ""),
        clean_line(zone, 64) or (before.zone if before else ""),
    )
    if known == before:
        return
    told.pop(user, None)
    told[user] = known
    kept = dict(list(told.items())[-MOST:])
    value = json.dumps({id_: [one.name, one.zone] for id_, one in kept.items()}, ensure_ascii=False)
    ledger.set_cursor(_SOURCE, _NAME, value, now)


def _told(ledger: Ledger) -> dict[str, Known]:
    try:
        found = json.loads(ledger.cursor(_SOURCE, _NAME) or "{}")
        return {str(id_): Known(str(name), str(zone)) for id_, (name, zone) in found.items()}
    except (ValueError, TypeError, AttributeError):
        return {}
