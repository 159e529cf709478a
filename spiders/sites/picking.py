"""What does one pick of a selector set find in one item?"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from parsel import Selector

from spiders import embedded
from spiders.parsing.html import html_to_text, looks_like_html
from spiders.parsing.ratings import Rating, parse_rating, parse_rating_text
from spiders.sites import Pick, select, within


@dataclass(slots=True)
class Item:
    """One item, as HTML (an element) or as JSON (a value)."""

    element: Selector | None
    value: Any
    page: Selector
    plain: Selector | None = None  # the element without what its layout drops


def without(element: Selector, drop: Iterable[str]) -> Selector:
    if not any(len(list(select(element, query))) for query in drop):
        return element
    clone = Selector(root=copy.deepcopy(element.root), type="html")
    for query in drop:
        for one in select(clone, query):
            if hasattr(one.root, "getparent") and one.root.getparent() is not None:
                one.drop()
    return clone


def picked(item: Item, pick: Pick, *, long: bool = False, plain: bool = False) -> Iterator[Any]:
    """What a pick finds in an item, cut and templated; nothing where it found nothing.

    `long`: several pieces of text are one value. `plain`: what the layout drops is left out.
    """
    if pick.how == "join":
        parts = [next(picked(item, part, long=long, plain=plain), "") for part in pick.parts]
        joined = pick.separator.join(str(part) for part in parts if part != "")
        found: list[Any] = [joined] if joined else []
    elif pick.how == "path":
        found = _from_state(item.value, pick)
    else:
        found = _from_html(item, pick, long=long, plain=plain)
    for value in found:
        if isinstance(value, str):
            value = _cut(value, pick)
            if not value:
                continue
        if pick.template:
            # In an address the value is one piece of it, whatever it holds.
            piece = quote(str(value), safe="") if "/" in pick.template else str(value)
            value = pick.template.replace("{}", piece)
        yield value


def _from_state(value: Any, pick: Pick) -> list[Any]:
    said = embedded.search(pick.query, value)
    found: list[Any] = []
    for one in said if isinstance(said, list) else [said]:
        if isinstance(one, bool):
            found.extend(["yes"] if one else [])
        elif isinstance(one, str):
            found.append(html_to_text(one) if looks_like_html(one) else one.strip())
        elif isinstance(one, (int, float)) and math.isfinite(one):
            found.append(one)
    if pick.all and found:
        return [pick.separator.join(str(one) for one in found)]
    return found


def _from_html(item: Item, pick: Pick, *, long: bool, plain: bool) -> list[Any]:
    # Not `or`: a selector is true by what it prints, and printing an element costs more than searching it.
    root = item.page if item.element is None else item.element
    if plain and item.plain is not None:
        root = item.plain
    found = _strings(root, pick)
    words_only = "::text" in pick.query or pick.query.endswith("text()")
    if len(found) > 1 and (pick.all or (long and words_only)):
        return [pick.separator.join(found)]
    return list(found)


def _strings(root: Selector, pick: Pick) -> list[str]:
    try:
        matches = root.xpath(within(pick.query)) if pick.how == "xpath" else root.css(pick.query)
    except Exception:  # a wrong selector; check_options has named it
        return []
    found = []
    for match in matches:
        said = match.get()
        if said is None:
            continue
        text = html_to_text(said) if hasattr(match.root, "iter") else said.strip()
        if text:
            found.append(text)
    return found


def _cut(value: str, pick: Pick) -> str:
    for word in pick.after:
        head, found, tail = value.rpartition(word)
        if found and tail.strip():
            value = tail
            break
    for word in pick.before:
        head, found, _ = value.partition(word)
        if found and head.strip():
            value = head
            break
    value = value.strip()
    for word in pick.prefix:
        value = value.removeprefix(word).lstrip()
    for word in pick.suffix:
        value = value.removesuffix(word).rstrip()
    return value.strip()


def rating_of(value: Any, best: float | None) -> Rating:
    if isinstance(value, str) and not _is_number(value):
        rating = parse_rating_text(value) if best is None else parse_rating(value, best)
        return rating if rating.stars is not None else parse_rating(value, best)
    return parse_rating(value, best)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text.replace(",", ".")))
    except ValueError:
        return False


_NUMBER_WORDS = {"one", "a", "eine", "un", "una", "une", "een", "uma", "um", "en", "jedna"}


def whole_number(value: Any) -> int | None:
    """The first count in a text ("1,234 people found this helpful"), None where there is none.

    >>> whole_number("1,234 people found this helpful"), whole_number("One person found this helpful")
    (1234, 1)
    """
    if isinstance(value, (int, float)):
        return int(value) if math.isfinite(value) else None
    digits = ""
    for character in str(value)[:1_000]:
        if character.isdecimal():
            digits += character
        elif digits and character not in ",.\u00a0\u202f'’":
            break
    if digits:
        return int(digits[:15])
    first = str(value)[:50].split()[:1]
    return 1 if first and first[0].lower() in _NUMBER_WORDS else None
