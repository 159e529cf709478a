"""How do records look in a terminal? Words first, colour only on top; strangers' words stay words.

Colour is left out where NO_COLOR is set or the output is no terminal (rich sees to both); nothing is said by
colour alone. Text from outside is never markup, never an escape sequence, and never turns the line around.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.text import Text

from storage.records import DatePrecision, Mention, Priority, clean_line, clean_text

NARROW = 100  # columns; below it a row becomes two lines
STYLES = {Priority.URGENT: "bold red", Priority.HIGH: "yellow", Priority.NORMAL: "", Priority.LOW: "dim"}
# Zero-width joiners hold emoji and scripts together; every other format character only hides or reorders.
_JOINERS = "\u200c\u200d"


def console() -> Console:
    """A console for stdout that takes every text literally."""
    return Console(markup=False, highlight=False, emoji=False, soft_wrap=True)


def safe(text: str, limit: int = 1_000) -> str:
    r"""`text` on one line as it may stand in a terminal: no escapes, no controls, no hidden characters.

    >>> safe("a\x1b[31mred\x07\u202eb\u200b\nc")
    'a[31mredb c'
    """
    text = clean_line(text, limit + 1)
    text = "".join(c for c in text if c in _JOINERS or unicodedata.category(c) != "Cf")
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def safe_lines(text: str) -> list[str]:
    """`text` line by line, each safe for a terminal."""
    return [safe(line, 10_000) for line in clean_text(text).split("\n")]


def stars(count: float | None) -> str:
    """Stars as people write them.

    >>> stars(1.0), stars(3.5), stars(None)
    ('1★', '3.5★', '')
    """
    return "" if count is None else f"{count:.1f}".removesuffix(".0") + "★"


def length(span: timedelta) -> str:
    """About how long, in the one unit that matters.

    >>> length(timedelta(seconds=40)), length(timedelta(minutes=90)), length(timedelta(days=3))
    ('40 s', '1 h', '3 d')
    """
    seconds = abs(span.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size * (2 if unit == "d" else 1):
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


def ago(at: datetime | None, now: datetime) -> str:
    """How long ago, "never" for None."""
    if at is None:
        return "never"
    return f"{length(now - at)} ago" if at <= now else f"in {length(at - now)}"


def due(by: datetime | None, now: datetime) -> str:
    """When an answer is due, and whether it is late."""
    if by is None:
        return ""
    return f"{length(now - by)} late" if by < now else f"due in {length(by - now)}"


def at(moment: datetime | None, zone: str) -> str:
    """A time of day in the configured zone: `2026-11-23 14:17 CET`."""
    return "" if moment is None else moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M %Z")


def written(mention: Mention, zone: str) -> str:
    """When a mention was written, no more exactly than its source said."""
    moment = mention.published_at
    if moment is None:
        return ""
    # A day has no hour: moved into another zone it could become the day before.
    forms = {DatePrecision.DAY: "%Y-%m-%d", DatePrecision.MONTH: "%Y-%m", DatePrecision.YEAR: "%Y"}
    form = forms.get(mention.date_precision)
    if form:
        return moment.strftime(form)
    return ("about " if mention.date_precision is DatePrecision.RELATIVE else "") + at(moment, zone)


def cut(text: str, width: int) -> str:
    """`text` in at most `width` columns of a terminal (a Chinese character takes two)."""
    shown = Text(text)
    shown.truncate(max(width, 1), overflow="ellipsis")
    return shown.plain


def pad(text: str, width: int) -> str:
    """`text` filled up with spaces to `width` columns."""
    shown = Text(text)
    return text + " " * max(0, width - shown.cell_len)


def indented(text: str, width: int, indent: str) -> list[str]:
    """`text` wrapped to `width` columns, every line behind `indent`; paragraphs stay."""
    room = max(8, width - len(indent))
    page = Console(width=room, color_system=None)
    lines = [part.plain for line in safe_lines(text) for part in Text(line).wrap(page, room) or [Text()]]
    return [f"{indent}{line}".rstrip() for line in lines]


def hanging(first: str, text: str, width: int) -> list[str]:
    """`text` wrapped to `width` columns behind `first`, which stands on the first line only."""
    lines = indented(text, width, " " * len(first))
    return [(first + lines[0][len(first) :]).rstrip(), *lines[1:]]


def as_json(value: Any) -> str:
    """`value` as JSON no terminal or encoding trips over; times in ISO 8601, priorities as words."""

    def plain(other: Any) -> Any:
        if isinstance(other, datetime):
            return other.isoformat()
        if isinstance(other, timedelta):
            return other.total_seconds()
        if isinstance(other, Priority):
            return other.word
        if isinstance(other, Mapping):
            return {str(key): plain(inner) for key, inner in other.items()}
        if isinstance(other, (list, tuple, set)):
            return [plain(inner) for inner in other]
        return other

    return json.dumps(plain(value), indent=2)


def print_json(value: Any) -> None:
    """Print `value` as `as_json` writes it."""
    click.echo(as_json(value))
