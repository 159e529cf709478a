"""Which brands is a mention about?"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from ahocorasick_rs import AhoCorasick, MatchKind

from monitor.normalise import Folded, fold


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """A name to listen for. Terms are literals with Unicode word boundaries, never patterns."""

    name: str
    terms: tuple[str, ...]  # default: the name itself
    not_terms: tuple[str, ...] = ()  # a hit inside one of these phrases is no hit
    near: tuple[str, ...] = ()  # for ambiguous names: one of these must stand in the same text
    rivals: tuple[str, ...] = ()  # other names to compare with


@dataclass(frozen=True, slots=True)
class Hit:
    """A term found in a text."""

    brand: str
    term: str  # as written in the configuration
    start: int  # in the text as given
    end: int


class _Role(IntEnum):
    TERM = 0
    NOT = 1
    NEAR = 2
    RIVAL = 3


# (start, end, brand index, role, term as written): a phrase found in folded text, boundaries checked.
_Found = tuple[int, int, int, _Role, str]

# Scripts written without spaces, or with particles joined to the name (Hangul): there is no word boundary to
# ask for. Thai, Lao, Myanmar, Khmer; kana, Bopomofo; Han and its extensions; Hangul syllables.
_UNSPACED = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x2E80, 0x2FDF),
    (0x3005, 0x3007),
    (0x3040, 0x31FF),
    (0x3400, 0x9FFF),
    (0xAC00, 0xD7A3),
    (0xF900, 0xFAFF),
    (0x1AFF0, 0x1B16F),
    (0x20000, 0x3FFFF),
)


def is_unspaced(char: str) -> bool:
    """True for a character of a script that does not put spaces around its words.

    >>> [is_unspaced(c) for c in "a\u0431\u30a2\u6f22\uc560"]
    [False, False, True, True, True]
    """
    code = ord(char)
    return code >= 0x0E00 and any(low <= code <= high for low, high in _UNSPACED)


def is_word_char(char: str) -> bool:
    """True for what may stand inside a word: letters, digits, marks, the underscore."""
    return char.isalnum() or char == "_" or (char > "\x7f" and unicodedata.category(char)[0] == "M")


def stands_alone(text: str, start: int, end: int) -> bool:
    """True when `text[start:end]` (not empty) is no piece of a longer word.

    A boundary is asked for only where the piece ends in a word character; a name that begins with "@", "#"
    or "." must not follow one (`@acme` is not in `bob@acme.example`). Between two characters of which one
    belongs to a script without spaces, there is none.

    >>> stands_alone("acme's", 0, 4), stands_alone("acmes", 0, 4), stands_alone("\u6211acme\u7684", 1, 5)
    (True, False, True)
    """
    first = text[start]
    if start and (first in "@#." or is_word_char(first)):
        before = text[start - 1]
        if is_word_char(before) and not (is_unspaced(before) or is_unspaced(first)):
            return False
    if end < len(text):
        last = text[end - 1]
        after = text[end]
        if is_word_char(last) and is_word_char(after) and not (is_unspaced(after) or is_unspaced(last)):
            return False
    return True


class Matcher:
    """Finds brands in texts: one pass however many terms; time linear in the text."""

    def __init__(self, brands: Sequence[Brand]) -> None:
        self.brands_known = tuple(brands)
        owners: dict[str, list[tuple[int, _Role, str]]] = {}
        for index, brand in enumerate(self.brands_known):
            for role, terms in (
                (_Role.TERM, brand.terms or (brand.name,)),
                (_Role.NOT, brand.not_terms),
                (_Role.NEAR, brand.near),
                (_Role.RIVAL, brand.rivals),
            ):
                for term in terms:
                    if folded := fold(term):  # nothing is left of a term of spaces: it matches nothing
                        owners.setdefault(folded, []).append((index, role, term))
        self._owners = list(owners.values())
        self._automaton = AhoCorasick(list(owners), MatchKind.Standard) if owners else None

    def brands_in(self, text: str) -> tuple[Hit, ...]:
        """Every place where a brand is named, in the order of the text.

        Of overlapping terms of one brand the first, then the longest counts; brands may overlap each other.
        """
        return self._hits(text, _Role.TERM)

    def brands(self, text: str) -> tuple[str, ...]:
        """The names of the brands `text` is about, in the order they were configured.

        >>> Matcher([Brand(name="Acme", terms=("Acme", "@acme_help"))]).brands("Hey @Acme_Help, \u2026")
        ('Acme',)
        """
        found = self._find(text)[1]
        if not found:
            return ()
        named = {brand for _, _, brand, _, _ in self._counted(found, _Role.TERM)}
        return tuple(dict.fromkeys(self.brands_known[index].name for index in sorted(named)))

    def rivals_in(self, text: str) -> tuple[Hit, ...]:
        """Every place where a rival is named: `brand` is whose rival it is, `term` its name."""
        return self._hits(text, _Role.RIVAL)

    def _hits(self, text: str, role: _Role) -> tuple[Hit, ...]:
        folded, found = self._find(text)
        if not found:
            return ()
        hits: list[Hit] = []
        until: dict[int, int] = {}
        for start, end, brand, _, term in self._counted(found, role):
            if start < until.get(brand, 0):
                continue
            until[brand] = end
            hits.append(Hit(self.brands_known[brand].name, term, *folded.span(start, end)))
        return tuple(hits)

    def _find(self, text: str) -> tuple[Folded, list[_Found]]:
        """Every phrase of every role that stands alone, by start, the longest first."""
        folded = Folded(text)
        if self._automaton is None:
            return folded, []
        inner = folded.folded
        found = [
            (start, end, brand, role, term)
            for pattern, start, end in self._automaton.find_matches_as_indexes(inner, overlapping=True)
            if stands_alone(inner, start, end)
            for brand, role, term in self._owners[pattern]
        ]
        if len(found) > 1:
            found.sort(key=lambda f: (f[0], -f[1], f[2], f[3], f[4]))
        return folded, found

    def _counted(self, found: list[_Found], role: _Role) -> list[_Found]:
        """What of `found` counts in that role: outside `not_terms`, with a `near` word if asked for."""
        near = {f[2] for f in found if f[3] is _Role.NEAR}
        forbidden_until: dict[int, int] = {}
        counted = []
        # By start, so the furthest end of the phrases met so far tells whether one of them covers a hit; of
        # pieces that begin together the phrase must come first to count, hence the second key.
        for item in sorted(found, key=lambda f: (f[0], f[3] is not _Role.NOT)):
            _, end, brand, kind, _ = item
            if kind is _Role.NOT:
                forbidden_until[brand] = max(end, forbidden_until.get(brand, 0))
            elif (
                kind is role
                and end > forbidden_until.get(brand, 0)
                and (role is not _Role.TERM or brand in near or not self.brands_known[brand].near)
            ):
                counted.append(item)
        return counted
