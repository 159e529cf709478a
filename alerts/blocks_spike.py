"""What does the card of a spike look like? Block Kit from plain values; pure.

A stranger's words stand in text leaves alone, names of topics and places in `plain_text`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from alerts.buttons import plain
from alerts.limits import MAX_FALLBACK, MAX_HEADER
from alerts.text import clip, clip_escaped, one_line

Block = dict[str, Any]

EXAMPLES = 3
QUOTE_MAX = 160  # characters of one example
NAME_MAX = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeShown:
    """All that the card says."""

    brand: str
    kind: str  # "brand", "topic", "source", "place", "new"
    subject: str  # in words: a source's title
    since: str  # "14:00", or "Mon 14:00" where that was yesterday
    count: int
    usual: float
    times: float | None
    mostly: Sequence[tuple[str, int]] = ()  # what of, how many
    new_topics: Sequence[str] = ()  # never heard before
    examples: Sequence[tuple[str, str]] = ()  # where, words
    over: bool = False


def spike_headline(shown: SpikeShown) -> str:
    """The one line people read first.

    >>> spike_headline(SpikeShown(brand="Acme", kind="brand", subject="", since="14:00", count=12, usual=4.0,
    ...                           times=3.0, mostly=[("payment", 8)]))
    'Acme: 3 times usual since 14:00, mostly “payment”'
    """
    brand, subject = _name(shown.brand), _name(shown.subject)
    if shown.kind == "new":
        return f"{brand}: {shown.count} posts about something new: “{subject}”, since {shown.since}"
    where = {"topic": f" about “{subject}”", "source": f" on {subject}", "place": f" about {subject}"}
    many = f"{shown.times:.0f} times usual" if shown.times else f"{shown.count} negative posts, usually none,"
    line = f"{brand}{where.get(shown.kind, '')}: {many} since {shown.since}"
    if shown.mostly:
        line += ", mostly " + ", ".join(f"“{_name(name)}”" for name, _ in shown.mostly[:2])
    return line


def spike_body(shown: SpikeShown) -> dict[str, Any]:
    """The body of its message: `text` and `blocks`."""
    headline = spike_headline(shown)
    mark = "✅ Over: " if shown.over else "📈 "
    facts = [
        plain(f"Negative posts\n{shown.count:,}"),
        plain(
            f"Usual in these hours\n{shown.usual:.0f}"
            if shown.usual >= 0.95
            else "Usual in these hours\nless than 1"
        ),
    ]
    facts += [plain(f"{_name(name)}\n{count:,} of {shown.count:,}") for name, count in shown.mostly[:4]]
    blocks: list[Block] = [
        {"type": "header", "text": plain(clip(mark + headline, MAX_HEADER))},
        {"type": "section", "fields": facts},
    ]
    if shown.new_topics:
        names = ", ".join(f"“{_name(name)}”" for name in shown.new_topics[:3])
        blocks.append({"type": "context", "elements": [plain(f"Never heard before: {names}")]})
    if shown.examples:
        quotes: list[Block] = []
        for where, words in shown.examples[:EXAMPLES]:
            quotes.append(
                {
                    "type": "rich_text_quote",
                    "elements": [
                        {"type": "text", "text": f"{_name(where)}: ", "style": {"bold": True}},
                        {"type": "text", "text": clip(one_line(words), QUOTE_MAX) or "(no words)"},
                    ],
                }
            )
        blocks.append({"type": "rich_text", "elements": quotes})
    if not shown.over:
        blocks.append({"type": "context", "elements": [plain("This card follows while it lasts.")]})
    return {"text": clip_escaped(mark + headline, MAX_FALLBACK), "blocks": blocks}


def _name(words: str) -> str:
    return clip(one_line(words), NAME_MAX)
