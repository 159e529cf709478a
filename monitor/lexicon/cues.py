"""What kinds of trouble are told apart, what do people call them, and how bad is each?"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Level(IntEnum):
    """How much a phrase alone says about how soon someone must answer."""

    NONE = 0
    MILD = 1
    CLEAR = 2  # something went wrong that somebody can put right
    SEVERE = 3  # safety, health, law, fraud, discrimination, personal data


class Cue(StrEnum):
    """A kind of trouble; its value is what people read beside the quote."""

    SAFETY = "safety"
    HEALTH = "health"
    FRAUD = "says fraud"
    LEGAL = "legal"
    DISCRIMINATION = "discrimination"
    DATA = "personal data"
    MONEY = "money"
    WAITING = "waiting"
    SILENCE = "no help"
    BROKEN = "does not work"
    CANCELLED = "cancelled"
    MISLED = "misled"
    LEAVING = "leaving"
    WARNING = "warns others"
    STAFF = "how they were treated"
    FURIOUS = "furious"
    ANNOYED = "annoyed"
    SARCASM = "sarcasm"
    JOURNALIST = "a journalist asks"
    PRESS = "press or large reach"
    VULNERABLE = "vulnerable customer"
    HINT = "hint"  # says little alone
    COMPLAINT = "complains"  # of a language whose list does not tell kinds apart
    PRAISE = "praise"
    HARMLESS = "harmless"  # sounds like a complaint and is none: voids what it covers

    @property
    def level(self) -> Level:
        """How bad it is."""
        return _LEVELS.get(self, Level.CLEAR)


_LEVELS = {
    Cue.SAFETY: Level.SEVERE,
    Cue.HEALTH: Level.SEVERE,
    Cue.FRAUD: Level.SEVERE,
    Cue.LEGAL: Level.SEVERE,
    Cue.DISCRIMINATION: Level.SEVERE,
    Cue.DATA: Level.SEVERE,
    Cue.FURIOUS: Level.MILD,  # how it is said, not what happened: the tone decides
    Cue.ANNOYED: Level.MILD,
    Cue.SARCASM: Level.MILD,
    Cue.JOURNALIST: Level.NONE,
    Cue.PRESS: Level.NONE,  # who is speaking: raises a complaint, is none
    Cue.VULNERABLE: Level.NONE,
    Cue.HINT: Level.NONE,
    Cue.PRAISE: Level.NONE,
    Cue.HARMLESS: Level.NONE,
}


def words(text: str) -> frozenset[str]:
    """The words of a list written as one string.

    >>> sorted(words("not no"))
    ['no', 'not']
    """
    return frozenset(text.split())
