"""Would Slack take this view? The documented limits of modals, checked before Slack does.

As `alerts.limits` for messages, whose sentences it uses. Source of the numbers: the reference of views and of
Block Kit (November 2026).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from alerts.limits import _BLOCKS, _bad, _string, _text

MAX_BLOCKS = 100
MAX_TITLE = 24  # of title, submit and close
MAX_METADATA = 3_000
MAX_LABEL = 2_000
MAX_INPUT = 3_000
MAX_OPTIONS = 100
MAX_RADIOS = 10
MAX_VIEW = 250_000  # characters of the view as JSON

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}")
_INPUTS = frozenset(
    {
        "plain_text_input",
        "url_text_input",
        "datepicker",
        "timepicker",
        "users_select",
        "radio_buttons",
        "static_select",
        "number_input",
        "checkboxes",
    }
)


def view_problems(view: Any) -> list[str]:
    """Why Slack would refuse this view, one line a reason; empty when it would take it.

    >>> view_problems({"type": "modal", "blocks": []})
    ['[ERROR] missing required field: title [json-pointer:/view]']
    """
    try:
        return list(_view(view))
    except (TypeError, AttributeError, KeyError, ValueError, RecursionError) as error:
        return [f"[ERROR] invalid view: {type(error).__name__} [json-pointer:/view]"]


def _view(view: Any) -> Iterator[str]:
    if not isinstance(view, Mapping):
        yield _bad("must be an object", "/view")
        return
    if view.get("type") != "modal":
        yield _bad("unsupported type", "/view/type")
    if "title" not in view:
        yield _bad("missing required field: title", "/view")
    for name in ("title", "submit", "close"):
        if name in view:
            yield from _text(view[name], f"/view/{name}", MAX_TITLE, ("plain_text",))
    yield from _string(view.get("private_metadata", ""), "/view/private_metadata", MAX_METADATA, least=0)
    yield from _string(view.get("callback_id", ""), "/view/callback_id", 255, least=0)
    blocks = view.get("blocks")
    if not isinstance(blocks, list | tuple):
        yield _bad("must be an array", "/view/blocks")
        return
    if len(blocks) > MAX_BLOCKS:
        yield _bad(f"no more than {MAX_BLOCKS} items allowed", "/view/blocks")
    inputs = [block for block in blocks if isinstance(block, Mapping) and block.get("type") == "input"]
    if inputs and "submit" not in view:
        yield _bad("missing required field: submit", "/view")
    seen: set[str] = set()
    for number, block in enumerate(blocks):
        where = f"/view/blocks/{number}"
        check = _input if block.get("type") == "input" else _BLOCKS.get(block.get("type", ""))
        if check is None:
            yield _bad(f"unsupported type: {block.get('type')}", where)
            continue
        id_ = block.get("block_id", "")
        if id_ and id_ in seen:
            yield _bad("`block_id` must be unique", f"{where}/block_id")
        seen.add(id_)
        yield from check(block, where)
    if len(json.dumps(view)) > MAX_VIEW:
        yield _bad("the view is too large", "/view")


def _input(block: Mapping[str, Any], where: str) -> Iterator[str]:
    yield from _text(block.get("label"), f"{where}/label", MAX_LABEL, ("plain_text",))
    if "hint" in block:
        yield from _text(block["hint"], f"{where}/hint", MAX_LABEL, ("plain_text",))
    element, at = block.get("element"), f"{where}/element"
    if not isinstance(element, Mapping) or element.get("type") not in _INPUTS:
        yield _bad("unsupported element", at)
        return
    yield from _string(element.get("action_id", ""), f"{at}/action_id", 255, least=0)
    if "placeholder" in element:
        yield from _text(element["placeholder"], f"{at}/placeholder", 150, ("plain_text",))
    if not 1 <= element.get("max_length", 1) <= MAX_INPUT:
        yield _bad(f"must be between 1 and {MAX_INPUT}", f"{at}/max_length")
    initial = element.get("initial_value", "")
    yield from _string(initial, f"{at}/initial_value", element.get("max_length", MAX_INPUT), least=0)
    if "initial_date" in element and not _DATE.fullmatch(element["initial_date"]):
        yield _bad("must be a date in the form YYYY-MM-DD", f"{at}/initial_date")
    if "initial_time" in element and not _TIME.fullmatch(element["initial_time"]):
        yield _bad("must be a time in the form HH:mm", f"{at}/initial_time")
    if element["type"] in ("radio_buttons", "static_select", "checkboxes"):
        options = element.get("options") or ()
        most = MAX_OPTIONS if element["type"] == "static_select" else MAX_RADIOS
        if not 1 <= len(options) <= most:
            yield _bad(f"no more than {most} items allowed", f"{at}/options")
        for number, one in enumerate(options):
            yield from _text(one.get("text"), f"{at}/options/{number}/text", 75)
            yield from _string(one.get("value"), f"{at}/options/{number}/value", 150)
        if "initial_option" in element and element["initial_option"] not in list(options):
            yield _bad("must be one of the options", f"{at}/initial_option")
