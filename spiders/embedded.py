"""What state does a page carry in its scripts, and what is found in it?

Many sites print little HTML and a large JSON document that their script turns into the page. That document
has the dates, ids and replies the HTML leaves out. It is read here without running anything: the text is
found by a CSS selector or behind literal words, decoded as JSON, and searched with JMESPath or by the keys an
object must have.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from html import unescape
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from parsel import Selector

NODES_MAX = 2_000_000  # values walked in one state; the largest real one seen has 60,000
STATES_MAX = 200  # blocks of state read from one page; Google Play prints about 30
FAULTS_MAX = 500  # places in one script that look like the start of a state and are none
REPAIRS_MAX = 5  # of these, how many are looked at a second time, with faults put right
REFS_DEEP = 6  # levels of one item in which references are followed; they can form a circle
REFS_MAX = 20_000  # values of one item looked at for them; each may stand for many more

_FUNCTIONS = ("function(){return", "function () {return", "()=>")


def states(page: Selector, css: Sequence[str] = (), after: Sequence[str] = ()) -> list[Any]:
    """Every state a page carries, decoded; what is no JSON is left out.

    `css` selects elements whose whole text is JSON (`script#__NEXT_DATA__`). `after` is a sequence of literal
    words in a script: the JSON value that follows the last of them, each time the sequence occurs
    (`["window.__INITIAL_STATE__ ="]`, `["AF_initDataCallback", "data:"]`).
    """
    found: list[Any] = []
    for text in _texts(page, css):
        value = decode(text)
        if isinstance(value, (dict, list)):
            found.append(value)
        if len(found) >= STATES_MAX:
            return found
    if after:
        for text in page.css("script::text").getall():
            for value in _values_after(text, after):
                found.append(value)
                if len(found) >= STATES_MAX:
                    return found
    return found


def decode(text: str) -> Any:
    """The JSON value `text` starts with, None if there is none. Never raises.

    Comment marks around it, entities in it, `undefined` and `NaN` are put up with: pages carry all of them.

    >>> decode('<!--{"a": [1, NaN]}-->')
    {'a': [1, None]}
    """
    text = text.strip().removeprefix("<!--").lstrip()
    value = _decoded(text)
    if value is None and "&quot;" in text:
        value = _decoded(unescape(text))
    if value is None and ":undefined" in text:
        value = _decoded(text.replace(":undefined", ":null"))
    return value


def _decoded(text: str) -> Any:
    try:
        return _DECODER.raw_decode(text)[0]
    except (ValueError, RecursionError):  # RecursionError: a million brackets in a row
        return None


_DECODER = json.JSONDecoder(strict=False, parse_constant=lambda _: None)


def _texts(page: Selector, css: Sequence[str]) -> Iterator[str]:
    for query in css:
        for element in page.css(query):
            # An element's own text, or the attribute itself where the selector asked for one.
            text = element.xpath("string()").get() if hasattr(element.root, "tag") else element.get()
            if text:
                yield text


def _values_after(text: str, words: Sequence[str]) -> Iterator[Any]:
    at = faults = 0
    while faults < FAULTS_MAX:
        for word in words:
            at = text.find(word, at)
            if at < 0:
                return
            at += len(word)
        value = _value_at(text, at, repair=faults < REPAIRS_MAX)
        if isinstance(value, (dict, list)):
            yield value
        else:
            faults += 1


def _value_at(text: str, at: int, *, repair: bool) -> Any:
    """The JSON value at `at`, past white space, `= `, a wrapping function or JSON.parse("…")."""
    at = _past_blanks(text, at)
    for opening in _FUNCTIONS:
        if text.startswith(opening, at):
            at = _past_blanks(text, at + len(opening))
    if text.startswith("JSON.parse(", at):
        at = _past_blanks(text, at + len("JSON.parse("))
        said = _js_string(text, at)
        return None if said is None else decode(said)
    if at < len(text) and text[at] in "{[":
        try:
            return _DECODER.raw_decode(text, at)[0]
        except (ValueError, RecursionError):
            # `undefined` or entities somewhere inside; looked at again only up to a sane size.
            return decode(text[at : at + 5_000_000]) if repair else None
    return None


def _past_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n=:(":
        at += 1
    return at


_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}


def _js_string(text: str, at: int) -> str | None:
    """The JavaScript string literal at `at` as the text it stands for; None if there is none."""
    if at >= len(text) or text[at] not in "\"'`":
        return None
    quote, at = text[at], at + 1
    parts: list[str] = []
    while at < len(text):
        stop = at
        while stop < len(text) and text[stop] not in (quote, "\\"):
            stop += 1
        parts.append(text[at:stop])
        if stop >= len(text):
            return None
        if text[stop] == quote:
            return "".join(parts)
        mark = text[stop + 1 : stop + 2]
        width = {"x": 2, "u": 4}.get(mark, 0)
        digits = text[stop + 2 : stop + 2 + width]
        if width and len(digits) == width:
            try:
                parts.append(chr(int(digits, 16)))
            except ValueError:
                return None
        else:
            width = 0
            parts.append(_ESCAPES.get(mark, mark))
        at = stop + 2 + width
    return None


def fault_in(expression: str) -> str:
    """What is wrong with a JMESPath expression, "" if nothing.

    >>> fault_in("reviews[].id"), bool(fault_in("reviews[")
    ...     )
    ('', True)
    """
    try:
        jmespath.compile(expression)
    except (JMESPathError, ValueError, RecursionError) as error:
        return " ".join(str(error).split())[:200] or "it cannot be read"
    return ""


@functools.lru_cache(maxsize=512)
def _compiled(expression: str) -> Any:
    return jmespath.compile(expression)


def search(expression: str, value: Any) -> Any:
    """What a JMESPath expression finds, None for nothing or where it does not fit the value. Never raises."""
    try:
        return _compiled(expression).search(value)
    except (JMESPathError, ValueError, TypeError, AttributeError, KeyError, OverflowError, RecursionError):
        return None


def having(state: Any, keys: Sequence[str]) -> list[Mapping[str, Any]]:
    """Every object at any depth that has all of `keys`, in page order; nothing inside a found one."""
    found: list[Mapping[str, Any]] = []
    wanted = frozenset(keys)
    for value in _walk(state, wanted):
        if isinstance(value, dict) and wanted <= value.keys():
            found.append(value)
    return found


def _walk(state: Any, stop_at: frozenset[str] = frozenset()) -> Iterator[Any]:
    """All values, depth first, without recursion: a stranger decides how deep it is."""
    stack = [state]
    left = NODES_MAX
    while stack and left > 0:
        left -= 1
        value = stack.pop()
        yield value
        if isinstance(value, dict):
            if not (stop_at and stop_at <= value.keys()):
                stack.extend(reversed(list(value.values())))
        elif isinstance(value, list):
            stack.extend(reversed(value))


class References:
    """Follows `{"__ref": "Review:17"}` (Apollo's cache) inside items of one state."""

    def __init__(self, state: Any) -> None:
        self._entries: dict[str, Any] = {}
        self._left = 0
        for value in _walk(state):
            if isinstance(value, dict):
                for key, entry in value.items():
                    # A cache is an object whose keys are "Type:id" and whose values are objects.
                    if ":" in key and isinstance(entry, dict):
                        self._entries.setdefault(key, entry)

    def resolved(self, item: Any) -> Any:
        """`item` with its references replaced by what they stand for, `REFS_DEEP` levels down."""
        if not self._entries:
            return item
        self._left = REFS_MAX
        return self._resolved(item, REFS_DEEP)

    def _resolved(self, value: Any, deep: int) -> Any:
        self._left -= 1
        if deep <= 0 or self._left <= 0:
            return value
        if isinstance(value, dict):
            name = value.get("__ref") or (value.get("id") if value.get("type") == "id" else None)
            if isinstance(name, str) and name in self._entries and len(value) <= 4:
                return self._resolved(self._entries[name], deep - 1)
            return {key: self._resolved(entry, deep - 1) for key, entry in value.items()}
        if isinstance(value, list):
            return [self._resolved(entry, deep - 1) for entry in value]
        return value


def items(
    state: Any, expressions: Sequence[str] = (), keys: Sequence[str] = (), *, refs: bool = True
) -> list[Any]:
    """The items in a state: what the first fruitful expression finds, else the objects that have `keys`."""
    found: list[Any] = []
    for expression in expressions:
        value = search(expression, state)
        if isinstance(value, dict):
            value = [value]
        if isinstance(value, list) and value:
            found = [item for item in value if isinstance(item, (dict, list))]
            if found:
                break
    if not found and keys:
        found = list(having(state, keys))
    if found and refs:
        references = References(state)
        found = [references.resolved(item) for item in found]
    return found
