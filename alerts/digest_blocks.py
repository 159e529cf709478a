"""What does a digest look like in Slack? Block Kit from words and links; pure.

A stranger's words (quotes, names of topics and places) stand only in `rich_text` leaves and `plain_text`. What
stands in mrkdwn is ours: numbers, case names, and addresses in the form a button takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from alerts.blocks import _context, _plain, _rich, _section, button_url
from alerts.limits import MAX_FALLBACK, MAX_FIELD, MAX_FIELDS, MAX_HEADER, MAX_MESSAGE, size
from alerts.text import clip, clip_escaped, escape, one_line

Block = dict[str, Any]

_ROOM = MAX_MESSAGE - 600  # the rest is for a note such as "Meant for #x"
_URL_MAX = 500  # of a link inside a line; a longer one would eat the card


@dataclass(frozen=True, slots=True)
class Link:
    """Words of ours that lead to a post."""

    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class FactLine:
    """One labelled number, and the posts behind it."""

    label: str
    value: str
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class TopicLine:
    """One complaint; its name may be a stranger's words."""

    name: str
    numbers: str
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """Words of a happy author."""

    words: str
    by: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A case that waits."""

    case: str
    url: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestCard:
    """All a digest says in Slack."""

    key: str  # "Acme:2026-W47"
    headline: str
    summary: str
    facts: tuple[FactLine, ...]
    hurts: tuple[TopicLine, ...]
    last_word: str  # "last week"
    loves: tuple[QuoteLine, ...] = ()
    open: tuple[OpenLine, ...] = ()
    open_more: int = 0
    permission: str = ""
    warning: str = ""  # that nothing is known
    footer: str = ""
    report_url: str = ""


@dataclass(frozen=True, slots=True)
class _Room:
    quote: int
    hurts: int
    loves: int
    open: int
    url: int
    fact: int = 300
    footer: int = 600


_ROOMS = (
    _Room(280, 5, 3, 5, _URL_MAX),
    _Room(180, 5, 2, 4, 250),
    _Room(120, 3, 2, 3, 120),
    _Room(80, 3, 1, 2, 0, 120, 200),
    _Room(40, 2, 0, 0, 0, 60, 60),
)


def digest_body(card: DigestCard) -> dict[str, Any]:
    """What the outbox keeps of a digest: `text` that stands alone and `blocks` within Slack's limits.

    Never raises and never grows over what Slack takes, whatever strangers wrote: quotes and links go first,
    numbers last.
    """
    blocks: list[Block] = []
    for room in _ROOMS:
        blocks = _blocks(card, room)
        if size(blocks) <= _ROOM:
            break
    return {"text": clip_escaped(one_line(card.summary), MAX_FALLBACK), "blocks": blocks}


def _blocks(card: DigestCard, room: _Room) -> list[Block]:
    blocks: list[Block] = [{"type": "header", "text": _plain(clip(one_line(card.headline), MAX_HEADER))}]
    if card.warning:
        blocks.append(_context(clip(card.warning, 300)))
    if card.facts:
        blocks.append({"type": "section", "fields": [_fact(fact, room) for fact in card.facts[:MAX_FIELDS]]})
    blocks.append({"type": "divider"})
    if card.hurts:
        items = [_topic(line, room) for line in card.hurts[: room.hurts]]
        blocks.append(_title("What hurts", f"negative posts; in brackets {card.last_word}"))
        blocks.append(_rich({"type": "rich_text_list", "style": "ordered", "elements": items}))
    if card.loves and room.loves:
        blocks.append(_title("What people love", "words for marketing"))
        for quote in card.loves[: room.loves]:
            blocks.append(_love(quote, room))
        if card.permission:
            blocks.append(_context(clip(card.permission, 300)))
    if card.open and room.open:
        blocks.append({"type": "divider"})
        blocks.append(_title("Open now, worst first", ""))
        shown = card.open[: room.open]
        items = [_open(line, room) for line in shown]
        more = card.open_more + len(card.open) - len(shown)
        if more > 0:
            items.append(_section(f"and {more:,} more"))
        blocks.append(_rich({"type": "rich_text_list", "style": "bullet", "elements": items}))
    if footer := one_line(card.footer):  # white space alone is an empty text, which Slack refuses
        blocks.append(_context(clip(footer, room.footer)))
    if url := button_url(card.report_url, 3_000):
        button = {
            "type": "button",
            "action_id": "open_report",
            "text": _plain("Open report"),
            "url": url,
            "accessibility_label": "Open the full report",
        }
        blocks.append({"type": "actions", "block_id": clip(f"digest:{card.key}", 255), "elements": [button]})
    return blocks


def _fact(fact: FactLine, room: _Room) -> Block:
    value = clip_escaped(one_line(fact.value), room.fact)
    links = [
        f"<{escape(url)}|{clip_escaped(link.text, 40)}>"
        for link in fact.links
        if room.url and (url := _link_url(link.url, room))
    ]
    whole = f"*{escape(fact.label)}*\n{value}"
    for at, link in enumerate(links):
        joined = f"{whole}{' – ' if not at else ', '}{link}"
        if len(joined) > min(MAX_FIELD, 1_200):
            break
        whole = joined
    return {"type": "mrkdwn", "text": whole, "verbatim": True}


def _title(words: str, more: str) -> Block:
    return {
        "type": "section",
        "text": {
            "type": "mrkdwn",
            "text": f"*{words}*" + (f" ({escape(more)})" if more else ""),
            "verbatim": True,
        },
    }


def _topic(line: TopicLine, room: _Room) -> Block:
    leaves = [
        {"type": "text", "text": clip(one_line(line.name), 60) or "?", "style": {"bold": True}},
        {"type": "text", "text": f": {clip(line.numbers, 100)}"},
    ]
    return {"type": "rich_text_section", "elements": leaves + _leaves(line.links, room)}


def _leaves(links: tuple[Link, ...], room: _Room) -> list[Block]:
    leaves: list[Block] = []
    for link in links:
        if room.url and (url := _link_url(link.url, room)):
            leaves.append({"type": "text", "text": ", " if leaves else "  "})
            leaves.append({"type": "link", "url": url, "text": clip(link.text, 40)})
    return leaves


def _love(quote: QuoteLine, room: _Room) -> Block:
    words = clip(one_line(quote.words), room.quote) or "…"
    by = clip(one_line(quote.by), 80)
    said: list[Block] = [{"type": "text", "text": f"{by} " if by else " "}]
    if room.url and (url := _link_url(quote.url, room)):
        said.append({"type": "link", "url": url, "text": "Open post"})
    return _rich(
        {"type": "rich_text_quote", "elements": [{"type": "text", "text": words}]},
        {"type": "rich_text_section", "elements": said},
    )


def _open(line: OpenLine, room: _Room) -> Block:
    url = _link_url(line.url, room) if room.url else ""
    name: Block = (
        {"type": "link", "url": url, "text": line.case} if url else {"type": "text", "text": line.case}
    )
    return {
        "type": "rich_text_section",
        "elements": [name, {"type": "text", "text": f" {clip(one_line(line.words), 160)}"}],
    }


def _link_url(url: str, room: _Room) -> str:
    return button_url(url, room.url)
