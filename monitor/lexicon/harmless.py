"""Which signs say that a text is no customer's complaint, whatever its words? Adverts, giveaways, jokes, spam.

One sign alone says nothing ("they are hiring clowns"): whoever lowers a verdict asks for two of one kind.
"""

from __future__ import annotations

from typing import NamedTuple

NEWS = "news"

_KINDS: tuple[tuple[str, str], ...] = (
    (
        "a job advert",
        "hiring|apply now|apply by|apply today|apply here|apply at|send us your cv|your cv|send your resume|"
        "job opening|vacancy|we are looking for a|is looking for a|join our team|full time|part time|good pay|"
        "salary|per hour|internship|candidates|recruiting|is your thing|are your thing|shift work",
    ),
    (
        "a giveaway",
        "giveaway|give away|to win|win a|win an|win the|follow and|like and share|like and retweet|follow, like|"
        "retweet to|rt to|rt and|tag a friend|enter now|to enter|winners|winner will|prize|contest|competition",
    ),
    (
        "an advertisement",
        "use my code|use code|discount code|promo code|% off|click here|link in bio|limited offer|limited time|"
        "order now|buy now|shop now|sale ends|free shipping on|dm me to|subscribe to my|check out my|earn money|"
        "work from home|whatsapp me|make money",
    ),
    (
        "a joke",
        "lol|lmao|rofl|haha|hahaha|just kidding|only joking|jk|/s|\U0001f602|\U0001f923|\U0001f61c|joke of the day",
    ),
    (
        NEWS,
        "police say|police said|police are|weather service|forecast for|according to|appears in court|documentary|"
        "was shown on|court heard|the minister|shares fell|shares rose|shares fall|shares rise|shares drop|"
        "shares down|shares up|stock falls|stock fell|stock drops|stock down|stock rises|stock up|analysts|"
        "analyst|quarterly|earnings|revenue|profit warning|antitrust|regulators|sources say|reuters|bloomberg|"
        "court rules|judge rules|sued by|sues|lawsuit against|after lawsuit|settles lawsuit|patent lawsuit|"
        "class action against|investors|acquisition|acquires|merger|breaking news|breaking:|exclusive:|"
        "[video]|via @|layoffs|lays off|ceo says",
    ),
)


class Sign(NamedTuple):
    """A phrase that says what kind of text it stands in."""

    kind: str  # as people are told: "a job advert"
    phrase: str


_SIGNS = tuple(Sign(kind, phrase) for kind, phrases in _KINDS for phrase in phrases.split("|"))


def signs_in(folded: str) -> tuple[Sign, ...]:
    """The signs of the kind that most of them name; () where no kind has any.

    >>> [sign.phrase for sign in signs_in("we are hiring! apply now")]
    ['hiring', 'apply now']
    """
    found = [sign for sign in _SIGNS if sign.phrase in folded and _alone(folded, sign.phrase)]
    if not found:
        return ()
    kinds = [sign.kind for sign in found]
    most = max(dict.fromkeys(kinds), key=kinds.count)
    return tuple(sign for sign in found if sign.kind == most)


def _alone(folded: str, phrase: str) -> bool:
    at = folded.find(phrase)
    end = at + len(phrase)
    return not (at and phrase[0].isalnum() and folded[at - 1].isalnum()) and not (
        phrase[-1].isalnum() and folded[end : end + 1].isalnum()
    )
