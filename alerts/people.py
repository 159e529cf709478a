"""Who is who: one person is a Slack id, a name, an e-mail address and a login, and must be one owner."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from storage.records import clean_line

SLACK_USER = re.compile(r"[UW][A-Z0-9]{6,20}")
ACTOR_MAX = 100  # characters of a name nobody told us of


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who answers. `key` is what [people] calls them; most often their login."""

    key: str
    name: str = ""
    slack: str = ""
    email: str = ""

    @property
    def id(self) -> str:
        """What stands in a case as its owner: the Slack id where there is one, so that a card rings them."""
        return self.slack or self.name or self.key


class People:
    """The people of [people], found by whatever they are called."""

    __slots__ = ("_by_word", "everybody")

    def __init__(self, everybody: Iterable[Person] = ()) -> None:
        self.everybody = tuple(everybody)
        self._by_word: dict[str, Person] = {}
        for person in self.everybody:
            for word in (person.key, person.name, person.slack, person.email):
                if word:
                    self._by_word.setdefault(word.casefold(), person)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, People) and self.everybody == other.everybody

    def __hash__(self) -> int:
        return hash(self.everybody)

    def __repr__(self) -> str:
        return f"People({', '.join(person.key for person in self.everybody)})"

    def find(self, word: str) -> Person | None:
        """The person called so: by key, name, Slack id or e-mail address; None where nobody is."""
        return self._by_word.get(clean_line(word, ACTOR_MAX).lstrip("@").casefold())

    def id(self, word: str) -> str:
        """The one word a case keeps for whoever is called so; the word itself where [people] knows nobody.

        >>> People([Person(key="alice", slack="U01ALICE")]).id("@Alice")
        'U01ALICE'
        """
        found = self.find(word)
        return found.id if found else clean_line(word, ACTOR_MAX).lstrip("@")

    def name(self, word: str) -> str:
        """What people call them.

        >>> People([Person(key="alice", name="Alice Adams", slack="U01ALICE")]).name("U01ALICE")
        'Alice Adams'
        """
        found = self.find(word)
        return (found.name or found.key) if found else clean_line(word, ACTOR_MAX)

    def slack_id(self, word: str) -> str:
        """Their Slack id, "" where nobody told us."""
        found = self.find(word)
        if found:
            return found.slack
        return word if SLACK_USER.fullmatch(word) else ""


NO_PEOPLE = People()
