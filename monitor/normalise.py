"""What does a text say once typography is taken out of it, and where in the text did it say that?

Phones write curly apostrophes, pages write `&amp;`, copy and paste leaves zero-width characters: terms and
phrases are looked for in folded text, and what is found is pointed at in the text as it was written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_ENTITIES = {
    "&amp;": "&",
    "&#38;": "&",
    "&apos;": "'",
    "&#39;": "'",
    "&#x27;": "'",
    "&rsquo;": "'",
    "&lsquo;": "'",
    "&quot;": '"',
    "&#34;": '"',
    "&nbsp;": " ",
    "&#160;": " ",
    "&lt;": "<",
    "&gt;": ">",
}
_ENTITY = re.compile("&(?:#(?:38|39|34|160|x27)|amp|apos|[rl]squo|quot|nbsp|lt|gt);", re.IGNORECASE)
_APOSTROPHES = "\u2018\u2019\u201a\u201b\u02bc\u02b9\u00b4\u0060\u2032\u2035\u055a\ua78c"
_QUOTES = "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\u2036"
_HYPHENS = "\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u02d7"
# Invisible: zero-width, soft hyphen, direction marks, variation selectors. They divide no word.
_INVISIBLE = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff"
_SIGNS = dict.fromkeys(_APOSTROPHES, "'") | dict.fromkeys(_QUOTES, '"') | dict.fromkeys(_HYPHENS, "-")
_WORD = re.compile(r"\S+")
_SIGN = re.compile(f"[{_APOSTROPHES}{_QUOTES}{_HYPHENS}{_INVISIBLE}]")
# Pieces that fold alone: a run of plain characters, an entity, one space, one letter with what modifies it.
_PIECE = re.compile(r"&[#\w]{1,6};|\s|[^\s\w]|[a-zA-Z0-9_]+|\w", re.ASCII)


def fold(text: str) -> str:
    """`text` as terms are compared: NFKC, case folded, one quote, one hyphen, one space, nothing invisible.

    Folding is idempotent but for what a second round of entities would make (`&amp;amp;`). Never raises.

    >>> fold("  Don\u2019t  use H&amp;M\u200b\u2011Pay ")
    "don't use h&m-pay"
    """
    if "&" in text:
        text = _ENTITY.sub(_entity, text)
    if text.isascii():
        folded = text.lower()
        if "`" in folded:
            folded = folded.replace("`", "'")
    else:
        folded = _fold_signs(text)
    return " ".join(folded.split())


def _entity(found: re.Match[str]) -> str:
    return _ENTITIES[found[0].lower()]


def _sign(found: re.Match[str]) -> str:
    return _SIGNS.get(found[0], "")


def _fold_signs(text: str) -> str:
    # Signs first: NFKC would make a space and a mark of some of them (U+00B4), and again after it.
    text = _SIGN.sub(_sign, text)
    if not unicodedata.is_normalized("NFKC", text):
        text = _SIGN.sub(_sign, unicodedata.normalize("NFKC", text))
    text = text.casefold()
    # Case folding can undo the normal form (U+0390, U+1E9E beside a mark).
    return text if unicodedata.is_normalized("NFKC", text) else unicodedata.normalize("NFKC", text)


class Folded:
    """A text and its folded form; knows where a piece of the folded form stands in the text."""

    __slots__ = ("_starts", "folded", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.folded = fold(text)
        self._starts: Sequence[int] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where `folded[start:end]` stands in the text; never outside it, never empty for a non-empty piece.

        Exact to a letter with its marks. Where folding mixed letters beyond telling, the whole text.

        >>> f = Folded("a\u200bb  \u2014 \ufb03x")
        >>> f.folded, f.span(5, 8), f.text[slice(*f.span(5, 8))]
        ('ab - ffix', (7, 8), 'ﬃ')
        """
        starts = self._starts
        if starts is None:
            starts = self._starts = self._align()
        if not starts:
            return 0, len(self.text)
        if isinstance(starts, range):
            return starts[start], starts[end]
        first = starts[start]
        last = starts[end - 1] if end > start else first
        # The end is where the next piece begins.
        after = end
        while after < len(self.folded) and starts[after] == last:
            after += 1
        stop = starts[after] if after < len(starts) else len(self.text)
        while stop > last + 1 and self.text[stop - 1].isspace():
            stop -= 1
        return first, max(stop, last + 1)

    def _align(self) -> Sequence[int]:
        text, folded = self.text, self.folded
        lead = len(text) - len(text.lstrip())
        if len(text.strip()) == len(folded) and (
            text.isascii() or (len(text.casefold()) == len(text) and unicodedata.is_normalized("NFKC", text))
        ):
            # Folding only ever shortened, case folding and NFKC aside, which did nothing here: nothing moved.
            return range(lead, lead + len(folded) + 1)
        return self._by_words() or self._by_pieces(0, text, folded)

    def _by_words(self) -> Sequence[int]:
        """Word by word, and by pieces only where a word is not plain; () where they do not come to the folded text."""
        starts: list[int] = []
        parts: list[str] = []
        if "&" in self.text and _ENTITY.search(self.text):
            return ()  # one of them may be white space
        for found in _WORD.finditer(self.text):
            word, start = found[0], found.start()
            if word.isascii() and "`" not in word:
                part = word.lower()
                starts += range(start, found.end())
            else:
                part = fold(word)
                inner = self._by_pieces(start, word, part)
                if len(inner) != len(part):
                    return ()
                starts += inner
            if part:
                parts.append(part)
                starts.append(found.end())
        return starts[:-1] if " ".join(parts) == self.folded else ()

    @staticmethod
    def _by_pieces(first: int, text: str, folded: str) -> Sequence[int]:
        starts: list[int] = []
        parts: list[str] = []
        for at, piece in _pieces(text):
            start = first + at
            part = fold(piece) or (" " if piece.isspace() or piece.lower() in ("&nbsp;", "&#160;") else "")
            if part == " " and (not parts or parts[-1] == " "):
                continue
            if part:
                parts.append(part)
                starts += range(start, start + len(part)) if len(part) == len(piece) else [start] * len(part)
        if parts and parts[-1] == " ":
            parts.pop()
            starts.pop()
        return starts if "".join(parts) == folded else ()


def _pieces(text: str) -> list[tuple[int, str]]:
    """`text` cut where folding one side cannot change the other."""
    pieces: list[tuple[int, str]] = []
    for found in _PIECE.finditer(text):
        start, piece = found.start(), found[0]
        if pieces and not piece.isascii() and _joins(piece):
            before, so_far = pieces[-1]
            if so_far.isascii() and len(so_far) > 1 and not so_far.startswith("&"):
                pieces[-1] = (before, so_far[:-1])
                pieces.append((start - 1, so_far[-1] + piece))
            else:
                pieces[-1] = (before, so_far + piece)
        else:
            pieces.append((start, piece))
    return pieces


def _joins(char: str) -> bool:
    """True for a character that may melt into the one before it: marks, vowel signs, Hangul letters."""
    return (
        unicodedata.category(char)[0] == "M"
        or "\u1160" <= char <= "\u11ff"
        or char in "\uff9e\uff9f"
        or (char not in _SIGNS and _SIGN.match(char) is not None)
    )
