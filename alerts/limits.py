"""Would Slack take this message? The documented limits of Block Kit, checked before Slack does.

The answers read like Slack's own `response_metadata.messages`. Source of the numbers: Slack's Block Kit
reference (November 2026).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

MAX_BLOCKS = 50
MAX_HEADER = 150
MAX_SECTION = 3_000
MAX_FIELDS = 10
MAX_FIELD = 2_000
MAX_CONTEXT = 10
MAX_ACTIONS = 25
MAX_BUTTON = 75
MAX_VALUE = 2_000
MAX_URL = 3_000
MAX_ID = 255
MAX_MESSAGE = 10_000  # characters of the blocks as JSON; above it Slack has answered msg_blocks_too_long
MAX_TEXT = 40_000  # chat.postMessage truncates beyond
MAX_UPDATE_TEXT = 4_000  # chat.update refuses beyond (msg_too_long)
MAX_FALLBACK = 300  # ours: what a phone shows of a notification

_RICH = ("rich_text_section", "rich_text_quote", "rich_text_preformatted", "rich_text_list")
_LEAVES = ("text", "link", "emoji", "user", "channel", "usergroup", "broadcast", "date", "color")


def size(blocks: Sequence[Mapping[str, Any]]) -> int:
    """Characters of the blocks as they go over the wire (slack_sdk writes ASCII JSON)."""
    return len(json.dumps(list(blocks)))


def problems(blocks: Any) -> list[str]:
    """Why Slack would refuse these blocks, one line a reason; empty when it would take them.

    >>> problems([{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}])
    ['[ERROR] must be less than 151 characters [json-pointer:/blocks/0/text/text]']
    """
    try:
        return list(_message(blocks))
    except (TypeError, AttributeError, KeyError, ValueError, RecursionError) as error:
        return [f"[ERROR] invalid blocks: {type(error).__name__} [json-pointer:/blocks]"]


def _bad(message: str, where: str) -> str:
    return f"[ERROR] {message} [json-pointer:{where}]"


def _message(blocks: Any) -> Iterator[str]:
    if not isinstance(blocks, list | tuple):
        yield _bad("must be an array", "/blocks")
        return
    if len(blocks) > MAX_BLOCKS:
        yield _bad(f"no more than {MAX_BLOCKS} items allowed", "/blocks")
    ids: set[str] = set()
    for number, block in enumerate(blocks):
        where = f"/blocks/{number}"
        if not isinstance(block, Mapping):
            yield _bad("must be an object", where)
            continue
        check = _BLOCKS.get(block.get("type", ""))
        if check is None:
            yield _bad(f"unsupported type: {block.get('type')}", where)
            continue
        id_ = block.get("block_id", "")
        yield from _string(id_, f"{where}/block_id", MAX_ID, least=0)
        if id_ and id_ in ids:
            yield _bad("`block_id` must be unique", f"{where}/block_id")
        ids.add(id_)
        yield from check(block, where)
    if size(blocks) > MAX_MESSAGE:
        yield _bad(f"must be less than {MAX_MESSAGE + 1} characters in all", "/blocks")


def _string(value: Any, where: str, most: int, least: int = 1) -> Iterator[str]:
    if not isinstance(value, str):
        yield _bad("must be a string", where)
    elif len(value) > most:
        yield _bad(f"must be less than {most + 1} characters", where)
    elif len(value) < least:
        yield _bad(f"must be more than {least - 1} characters", where)


def _text(
    value: Any, where: str, most: int, kinds: Sequence[str] = ("plain_text", "mrkdwn")
) -> Iterator[str]:
    if not isinstance(value, Mapping) or value.get("type") not in kinds:
        yield _bad(f"must be a text object of type {' or '.join(kinds)}", where)
        return
    yield from _string(value.get("text"), f"{where}/text", most)
    known = {"type", "text", "emoji"} if value["type"] == "plain_text" else {"type", "text", "verbatim"}
    for extra in sorted(set(value) - known):
        yield _bad(f"no more items than allowed: additional property: {extra}", where)


def _header(block: Mapping[str, Any], where: str) -> Iterator[str]:
    yield from _text(block.get("text"), f"{where}/text", MAX_HEADER, ("plain_text",))


def _section(block: Mapping[str, Any], where: str) -> Iterator[str]:
    fields = block.get("fields")
    if "text" in block:
        yield from _text(block["text"], f"{where}/text", MAX_SECTION)
    elif not fields:
        yield _bad("missing required field: text or fields", where)
    if fields is not None:
        if not 1 <= len(fields) <= MAX_FIELDS:
            yield _bad(f"no more than {MAX_FIELDS} items allowed", f"{where}/fields")
        for number, one in enumerate(fields):
            yield from _text(one, f"{where}/fields/{number}", MAX_FIELD)


def _context(block: Mapping[str, Any], where: str) -> Iterator[str]:
    elements = block.get("elements") or ()
    if not 1 <= len(elements) <= MAX_CONTEXT:
        yield _bad(f"no more than {MAX_CONTEXT} items allowed", f"{where}/elements")
    for number, element in enumerate(elements):
        if element.get("type") != "image":
            yield from _text(element, f"{where}/elements/{number}", MAX_SECTION)


def _actions(block: Mapping[str, Any], where: str) -> Iterator[str]:
    elements = block.get("elements") or ()
    if not 1 <= len(elements) <= MAX_ACTIONS:
        yield _bad(f"no more than {MAX_ACTIONS} items allowed", f"{where}/elements")
    seen: set[str] = set()
    for number, element in enumerate(elements):
        at = f"{where}/elements/{number}"
        yield from _string(element.get("action_id", ""), f"{at}/action_id", MAX_ID, least=0)
        if element.get("action_id") and element["action_id"] in seen:
            yield _bad("`action_id` must be unique", f"{at}/action_id")
        seen.add(element.get("action_id", ""))
        if element.get("type") == "button":
            yield from _button(element, at)
        elif element.get("type") == "overflow":
            if not 1 <= len(element.get("options") or ()) <= 5:
                yield _bad("no more than 5 items allowed", f"{at}/options")
            for index, option in enumerate(element.get("options") or ()):
                yield from _text(option.get("text"), f"{at}/options/{index}/text", MAX_BUTTON)
                yield from _string(option.get("value"), f"{at}/options/{index}/value", 150)
        else:
            yield _bad(f"unsupported type: {element.get('type')}", at)


def _button(button: Mapping[str, Any], where: str) -> Iterator[str]:
    yield from _text(button.get("text"), f"{where}/text", MAX_BUTTON, ("plain_text",))
    if "value" in button:
        yield from _string(button["value"], f"{where}/value", MAX_VALUE, least=0)
    if "url" in button:
        yield from _string(button["url"], f"{where}/url", MAX_URL)
        if not str(button["url"]).startswith(("http://", "https://")):
            yield _bad("must be a valid URL", f"{where}/url")
    if "accessibility_label" in button:
        yield from _string(button["accessibility_label"], f"{where}/accessibility_label", MAX_BUTTON)
    if button.get("style", "primary") not in ("primary", "danger"):
        yield _bad("must be one of primary, danger", f"{where}/style")
    if "confirm" in button:
        yield from _confirm(button["confirm"], f"{where}/confirm")


def _confirm(question: Any, where: str) -> Iterator[str]:
    for name, most in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)):
        yield from _text(question.get(name), f"{where}/{name}", most)


def _rich_text(block: Mapping[str, Any], where: str) -> Iterator[str]:
    elements = block.get("elements")
    if not elements:
        yield _bad("no fewer than 1 items allowed", f"{where}/elements")
        return
    for number, element in enumerate(elements):
        at = f"{where}/elements/{number}"
        if element.get("type") not in _RICH:
            yield _bad(f"unsupported type: {element.get('type')}", at)
            continue
        for index, leaf in enumerate(element.get("elements") or ()):
            kind = leaf.get("type")
            if kind not in (_RICH if element["type"] == "rich_text_list" else _LEAVES):
                yield _bad(f"unsupported type: {kind}", f"{at}/elements/{index}")
            elif kind == "text":
                # An empty leaf is refused as a whole (invalid_blocks), one of the easiest cards to get wrong.
                yield from _string(leaf.get("text"), f"{at}/elements/{index}/text", MAX_MESSAGE)
            elif kind == "link":
                yield from _string(leaf.get("url"), f"{at}/elements/{index}/url", MAX_URL)


def _nothing(block: Mapping[str, Any], where: str) -> Iterator[str]:
    return iter(())


_BLOCKS: dict[str, Callable[[Mapping[str, Any], str], Iterator[str]]] = {
    "header": _header,
    "section": _section,
    "context": _context,
    "actions": _actions,
    "rich_text": _rich_text,
    "divider": _nothing,
}
