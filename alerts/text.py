"""How does a stranger's text get onto a card without becoming anything but text?

Cut first, on whole graphemes, then escaped: the other way round a cut could fall into an entity.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime

_JOINED_MAX = 64  # code points of one grapheme looked back over; a longer one is a prank and is cut hard
_TOKEN = re.compile(r"<([^<>|]{1,500})(?:\|([^<>|]{0,500}))?>")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def clip(text: str, limit: int) -> str:
    """`text` in at most `limit` code points, cut between graphemes and ended with "…" where it was cut.

    >>> clip("refused my refund", 8), clip("fine", 8)
    ('refused…', 'fine')
    """
    if len(text) <= limit:
        return text
    if limit < 1:
        return ""
    return text[: _whole(text, limit - 1)].rstrip() + "…"


def escape(text: str) -> str:
    """`text` as Slack's mrkdwn shows it literally: the three characters that could begin anything.

    >>> escape("<!channel> & co")
    '&lt;!channel&gt; &amp; co'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    """The reverse of `escape`."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def clip_escaped(text: str, limit: int) -> str:
    """`text` cut so that its escaped form has at most `limit` characters; escaped.

    >>> clip_escaped("a<b<c", 8)
    'a&lt;b…'
    """
    escaped = escape(text)
    if len(escaped) <= limit:
        return escaped
    room = limit - 1
    end = 0
    for end, character in enumerate(text):  # noqa: B007 - `end` is the answer
        room -= {"&": 5, "<": 4, ">": 4}.get(character, 1)
        if room < 0:
            break
    return escape(text[: _whole(text, end)].rstrip()) + "…" if limit > 0 else ""


def one_line(text: str) -> str:
    """`text` with every run of white space as one space."""
    return " ".join(text.split())


def for_terminal(text: str) -> str:
    r"""`text` without what a terminal would obey; line ends stay.

    >>> for_terminal("\x1b[31mred\x07\n")
    '[31mred\n'
    """
    return _CONTROLS.sub("", text)


def utc(at: datetime) -> str:
    """A time as people read it, the same under every locale.

    >>> utc(datetime(2026, 11, 22, 2, 5, tzinfo=UTC))
    '22 Nov 2026 02:05 UTC'
    """
    at = at.astimezone(UTC)
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year} {at:%H:%M} UTC"


def date_token(at: datetime) -> str:
    """Slack's date token: every reader sees their own time zone; who cannot, sees UTC.

    >>> date_token(datetime(2026, 11, 22, 2, 30, tzinfo=UTC))
    '<!date^1795314600^{date_short_pretty} {time}|22 Nov 2026 02:30 UTC>'
    """
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{utc(at)}>"


def shown(mrkdwn: str) -> str:
    """What a reader sees of mrkdwn we wrote: tokens by their words, entities as characters, no asterisks.

    >>> shown("*Answer by*\\n<!date^1^{time}|22 Nov 2026 02:30 UTC> &amp; <@U01ALICE>")
    'Answer by\\n22 Nov 2026 02:30 UTC & @U01ALICE'
    """
    return unescape(_TOKEN.sub(lambda found: found[2] or found[1], mrkdwn.replace("*", "")))


def _whole(text: str, end: int) -> int:
    """The last grapheme boundary at or before `end`; `end` itself when the grapheme there is absurd."""
    at = end
    while at > 0 and _joins(text, at):
        at -= 1
        if end - at > _JOINED_MAX:
            return end
    return at


def _joins(text: str, at: int) -> bool:
    """True when the characters before and after `at` may be one grapheme. Errs towards not cutting."""
    if at >= len(text):
        return False
    before, after = text[at - 1], text[at]
    if before.isascii() and after.isascii():
        return before == "\r" and after == "\n"
    if after in "\u200d\u200c" or before == "\u200d" or unicodedata.category(after) in ("Mn", "Mc", "Me"):
        return True
    point, last = ord(after), ord(before)
    if 0x1F3FB <= point <= 0x1F3FF or 0xE0020 <= point <= 0xE007F or 0xFF9E <= point <= 0xFF9F:
        return True  # skin tones, flag tags, halfwidth voicing marks
    if _flag(point) and _flag(last):  # two letters are one flag: they pair from the first one on
        start = at
        while start > 0 and _flag(ord(text[start - 1])) and at - start < _JOINED_MAX:
            start -= 1
        return (at - start) % 2 == 1
    if 0x1100 <= last <= 0xD7FB and (0x1160 <= point <= 0x11FF or 0xD7B0 <= point <= 0xD7FB):
        return True  # Hangul vowels and finals join the syllable before them
    if 0x1100 <= last <= 0x115F or 0xA960 <= last <= 0xA97C:
        return True  # a Hangul initial joins what follows
    # Signs that prefix a number (Arabic, Kaithi), and viramas that join two Indic consonants.
    return (unicodedata.category(before) == "Cf" and last not in (0x200B, 0xFEFF)) or unicodedata.combining(
        before
    ) == 9


def _flag(point: int) -> bool:
    return 0x1F1E6 <= point <= 0x1F1FF
