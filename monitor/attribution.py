"""Whose trouble is it? What a text says of one brand, where it names others, quotes others, or ends in boilerplate.

Everything here answers with a text as long as the one given, so that places in it stay true: what is not said of
the brand, or not said by the author, is blotted out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from monitor.match import Hit

_QUOTED_LINE = re.compile(r"^[ \t]{0,3}(?:>|&gt;)[^\n]*", re.MULTILINE)
_WROTE = re.compile(r"^[^\n]{0,200}\bwrote:[ \t]*$", re.MULTILINE)
_SIGNATURE = re.compile(r"(?:^|\n)-- ?\n(?s:.*)\Z")
_BOILERPLATE = re.compile(
    r"^[ \t]*(?:sent from my [^\n]{1,40}|sent via [^\n]{1,40}|get outlook for [^\n]{1,20}|"
    r"i am a bot, and[^\n]*|\W{0,3}i am a bot[^\n]{0,200}|this e-?mail and any attachments[^\n]*|"
    r"read more reviews[^\n]*|translated by google[^\n]*|\(translated by google\)[^\n]*|view full review[^\n]*)$",
    re.MULTILINE | re.IGNORECASE,
)
_BREAK = re.compile(
    r"[.!?\u2026]+(?=\s|$)|\n+|;|,?\s+(?:but|whereas|while|although|though|yet|however)\s|\s[\u2013\u2014-]\s",
    re.IGNORECASE,
)
_COMMA = re.compile(r",\s")
_FROM = r"(?:left|leaving|leave|quit|quitting|ditched|ditching|dumped|dumping|dropped|dropping|cancelled|canceled|" \
        r"switched(?: over)? from|switching from|moved from|moving from|changed from|came from|coming from|" \
        r"goodbye|bye)"  # fmt: skip
_LEFT = re.compile(
    rf"\b{_FROM}\s+(?:my\s+|the\s+)?\x01(?:'s)?[^.!?\n]{{0,40}}?"
    r"\b(?:for|to|and (?:went|moved|switched))\s+(?:the\s+)?\x02",
    re.IGNORECASE,
)
_GOING = re.compile(
    r"\b(?:going|went|gone|moved|moving|switched|switching|changed|changing|off|back|defected)\s+(?:over\s+)?to\s+\x02",
    re.IGNORECASE,
)
_WON_OVER = re.compile(
    r"\b(?:switched|switching|moved|moving|changed|came|went)\s+(?:over\s+)?(?:here\s+)?to\s+\x01",
    re.IGNORECASE,
)
_LEFT_RIVAL = re.compile(rf"\b{_FROM}\s+(?:my\s+|the\s+)?\x02", re.IGNORECASE)
_BETTER = r"(?:better|cheaper|faster|quicker|nicer|fresher|superior|more reliable|more helpful)"
_THEY_BETTER = re.compile(
    rf"\x02[^.!?\n\x01]{{0,50}}\b{_BETTER}(?:\s+\w+)?\s+(?:than|to)\s+\x01|"
    r"\x01[^.!?\n\x02]{0,50}\b(?:worse|slower|dearer|pricier)(?:\s+\w+)?\s+than\s+\x02",
    re.IGNORECASE,
)
_WE_BETTER = re.compile(
    rf"\x01[^.!?\n\x02]{{0,50}}\b{_BETTER}(?:\s+\w+)?\s+(?:than|to)\s+\x02|"
    r"\x02[^.!?\n\x01]{0,50}\b(?:worse|slower|dearer|pricier)(?:\s+\w+)?\s+than\s+\x01",
    re.IGNORECASE,
)
NAMES_READ = 400  # of one text: a list of names is about nobody


class Share(NamedTuple):
    """What of a text is about the brand."""

    text: str  # as long as the text, what is said of others blotted out
    lost: tuple[int, int] | None = None  # where it says that the author left for a rival, or found it better
    won: bool = False  # the author came from a rival, or finds the brand better
    elsewhere: bool = False  # something was blotted out


def own_words(text: str) -> str:
    """`text` without what its author only quotes, signs with, or did not write; all of it where nothing else is.

    >>> own_words("> it broke\\nworks for me").strip()
    'works for me'
    """
    if "\n" not in text and ">" not in text and "bot" not in text and "ent " not in text:
        return text
    kept = text
    for pattern in (_QUOTED_LINE, _WROTE, _SIGNATURE, _BOILERPLATE):
        kept = pattern.sub(_blank, kept)
    return kept if kept.strip() else text


def _blank(found: re.Match[str]) -> str:
    return "".join("\n" if char == "\n" else " " for char in found[0])


def share_of(text: str, brand: str, hits: Sequence[Hit], rivals: Sequence[Hit] = ()) -> Share:
    """What of `text` is said of `brand`, clause by clause.

    `hits` are the places that name any brand listened for, `rivals` those that name its rivals. A clause that names
    nobody goes on about whom the clause before it was about; before any name it is about the brand.
    """
    hits = [h for h in hits if 0 <= h.start < h.end <= len(text)]
    rivals = [h for h in rivals if 0 <= h.start < h.end <= len(text)]
    ours = [(h.start, h.end) for h in hits if h.brand == brand]
    others = [(h.start, h.end) for h in hits if h.brand != brand]
    others += [(h.start, h.end) for h in rivals if h.brand == brand]
    others = [o for o in others if not any(a < o[1] and o[0] < b for a, b in ours[:NAMES_READ])]
    if not others or len(others) + len(ours) > NAMES_READ:
        return Share(text)
    marked, back = _marked(text, ours, others)
    lost = _LEFT.search(marked) or _THEY_BETTER.search(marked)
    won = False
    if lost is None:
        won = bool(_WE_BETTER.search(marked) or _LEFT_RIVAL.search(marked) or _WON_OVER.search(marked))
        if not won:
            lost = _GOING.search(marked)
    where = (back[lost.start()], back[lost.end()]) if lost else None
    pieces: list[str] = []
    about_us = True
    elsewhere = False
    for start, end in _clauses(marked):
        piece = marked[start:end]
        names_us, names_them = "\x01" in piece, "\x02" in piece
        if names_us or names_them:
            about_us = names_us or bool(lost and start < lost.end() and lost.start() < end)
        original = text[back[start] : back[end]]
        if about_us:
            pieces.append(original)
        else:
            elsewhere = True
            pieces.append("".join(c if c in "\n.!?" else " " for c in original))
    return Share("".join(pieces), where, won, elsewhere)


def _marked(
    text: str, ours: Sequence[tuple[int, int]], others: Sequence[tuple[int, int]]
) -> tuple[str, list[int]]:
    """`text` with one sign for each name (\\x01 the brand, \\x02 another) and where each sign of it stood."""
    named = sorted([(a, b, "\x01") for a, b in ours] + [(a, b, "\x02") for a, b in others])
    signs: list[str] = []
    back: list[int] = []
    at = 0
    for start, end, sign in named:
        if start < at:
            continue
        signs.append(text[at:start].replace("\x01", " ").replace("\x02", " "))
        back += range(at, start)
        signs.append(sign)
        back.append(start)
        at = end
    signs.append(text[at:].replace("\x01", " ").replace("\x02", " "))
    back += range(at, len(text) + 1)
    return "".join(signs), back


def _clauses(marked: str) -> list[tuple[int, int]]:
    """Sentences and their contrasted parts; at commas too where both sides name somebody."""
    cuts = [found.end() for found in _BREAK.finditer(marked)]
    clauses: list[tuple[int, int]] = []
    at = 0
    for cut in [*cuts, len(marked)]:
        piece = marked[at:cut]
        if "\x01" in piece and "\x02" in piece:
            for comma in _COMMA.finditer(piece):
                here = at + comma.end()
                before, after = marked[clauses[-1][1] if clauses else 0 : here], marked[here:cut]
                if ("\x01" in before or "\x02" in before) and ("\x01" in after or "\x02" in after):
                    start = clauses[-1][1] if clauses else 0
                    clauses.append((start, here))
        start = clauses[-1][1] if clauses else 0
        if cut > start:
            clauses.append((start, cut))
        at = cut
    return clauses
