"""What items does a page describe in its attributes (microdata, RDFa Lite)?

Items come out in the shape of JSON-LD (`@type`, `@id`, and a list of values for each property), so that
one reader serves both. One walk over the tree, no recursion; the text that is copied is bounded for the page
as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice
from typing import Any

from lxml import etree

from spiders.parsing.html import BLOCKS

ITEMS_MAX = 20_000
TEXT_MAX = 3_000_000  # characters copied from one page; nested properties copy the same text again
STEP = 10  # what looking at an element costs, in characters: a deep nest of properties has little text
DEPTH_MAX = 2_000
KEY = "__key__"  # what the markup itself calls the item: data-review-id="…", id="review-…"
LANG = "__lang__"  # the lang attribute of the element that holds the item's words
NESTED = "__nested__"  # it stands inside another review

_URL_PROPS = frozenset(
    ("url", "sameas", "image", "discussionurl", "mainentityofpage", "thumbnailurl", "logo", "photo", "item")
)
_BODY_PROPS = frozenset(("reviewbody", "description", "text"))
_HREF_TAGS = frozenset(("a", "area", "link"))
_SRC_TAGS = frozenset(("img", "audio", "video", "embed", "iframe", "source", "track"))
_SILENT = frozenset(("script", "style", "template", "noscript", "svg", "select", "button", "textarea"))

_OLDER = re.compile(r"previous[-_]?review|review[-_]?history|older[-_]?review", re.I)
_KEY_ATTRIBUTES = (
    "data-review-id",
    "data-reviewid",
    "data-review_id",
    "data-reviewmid",
    "data-reviewId",
    "reviewid",
    "data-comment-id",
    "data-opinion-id",
)
_KEY_ID = re.compile(
    r"(?:li-)?(?:review|reviews?[-_]?item|comment|rating|survey[-_]response|opinion|bewertung"
    r"|testimonial)[-_:]?([A-Za-z0-9_-]{2,80})\Z",
    re.I,
)


def items_in(root: etree._Element, *, rdfa: bool = False) -> list[dict[str, Any]]:
    """The top-level items of a page, and of each review its own, in document order; nested items are values.

    With `rdfa` the attributes are `typeof` and `property`, else `itemscope`, `itemtype` and `itemprop`.
    """
    scope_name, type_name, prop_name = (
        ("typeof", "typeof", "property") if rdfa else ("itemscope", "itemtype", "itemprop")
    )
    top: list[dict[str, Any]] = []
    scopes: list[tuple[etree._Element, dict[str, Any], bool]] = []  # element, item, inside a review
    older: list[etree._Element] = []
    budget = [TEXT_MAX]
    count = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if not isinstance(element.tag, str):
            continue
        if event == "end":
            if scopes and scopes[-1][0] is element:
                scopes.pop()
            if older and older[-1] is element:
                older.pop()
            continue
        attributes = element.attrib
        if older:
            continue
        if scopes and _OLDER.search(attributes.get("class", "")):
            older.append(element)
            continue
        props = attributes.get(prop_name)
        if scope_name in attributes:
            count += 1
            if count > ITEMS_MAX or len(scopes) > DEPTH_MAX:
                break
            types = [t.strip() for t in attributes.get(type_name, "").split()]
            item: dict[str, Any] = {"@type": types}
            identity = attributes.get("itemid") or attributes.get("resource") or attributes.get("about")
            if identity:
                item["@id"] = identity.strip()
            inside = bool(scopes) and scopes[-1][2]
            if is_review(types) or (props and "review" in props.split()):
                key = _key_of(element)
                if key:
                    item[KEY] = key
                if inside:
                    item[NESTED] = True
                inside = True
            if props and scopes:
                for prop in _names(props, rdfa):
                    scopes[-1][1].setdefault(prop, []).append(item)
            else:
                top.append(item)
            scopes.append((element, item, inside))
        elif props and scopes:
            item = scopes[-1][1]
            for prop in _names(props, rdfa):
                value = _value(element, prop.lower(), budget)
                if prop.lower() in _BODY_PROPS and (language := attributes.get("lang")):
                    item.setdefault(LANG, language)
                if len(values := item.setdefault(prop, [])) < 50:
                    values.append(value)
    return top


def is_review(types: list[str]) -> bool:
    """True for the names a review goes by: http://schema.org/Review, schema:Review, v:Review, UserReview."""
    return any(
        re.split(r"[/#:]", t)[-1].lower() in ("review", "userreview", "criticreview", "employerreview")
        for t in types
    )


def _names(props: str, rdfa: bool) -> list[str]:
    return [p.split(":")[-1].split("/")[-1] if rdfa else p.split("/")[-1] for p in props.split()[:5]]


def _key_of(element: etree._Element) -> str:
    """The id the markup gives a review: on its element, or on one that holds nothing else."""
    at: etree._Element | None = element
    for level in range(3):
        if at is None or (level and not _few(at)):
            break
        for name in _KEY_ATTRIBUTES:
            if value := str(at.attrib.get(name, "")).strip():
                return value[:200]
        if hit := _KEY_ID.match(at.attrib.get("id", "").strip()[:120]):
            return "id:" + hit[1]
        at = at.getparent()
    return ""


def _few(element: etree._Element, limit: int = 3) -> bool:
    """True for at most `limit` children; len() would count all of a list's, once for each of its items."""
    return all(index < limit for index, _ in enumerate(islice(element, limit + 1)))


def _value(element: etree._Element, prop: str, budget: list[int]) -> str:
    """The value of a property by the rules of microdata; words, not addresses, where words are meant."""
    attributes: Mapping[str, str] = element.attrib
    tag = element.tag
    if content := attributes.get("content"):
        return content
    if (moment := attributes.get("datetime")) and (tag in ("time", "ins", "del") or not len(element)):
        return moment
    if tag in ("data", "meter", "input") and (stated := attributes.get("value")):
        return stated
    if tag in _HREF_TAGS and (prop in _URL_PROPS or tag == "link"):
        return attributes.get("href", "")
    if tag in _SRC_TAGS:
        return attributes.get("alt" if tag == "img" and prop not in _URL_PROPS else "src", "")
    text = text_of(element, budget)
    if not text and "rating" in prop:
        text = attributes.get("title") or attributes.get("aria-label") or attributes.get("data-rating") or ""
    return text


def text_of(element: etree._Element, budget: list[int] | None = None) -> str:
    """The words of an element as a reader sees them: line breaks where blocks end, no scripts.

    Blocks with an older version of the review are left out.

    `budget` holds how much may still be copied; it goes down by what was.
    """
    budget = [TEXT_MAX] if budget is None else budget
    out: list[str] = []
    skip: etree._Element | None = None
    for event, part in etree.iterwalk(element, events=("start", "end", "comment", "pi")):
        budget[0] -= STEP
        if budget[0] <= 0:
            break
        if event == "start":
            if (
                skip is None
                and part is not element
                and (part.tag in _SILENT or _OLDER.search(part.get("class") or ""))
            ):
                skip = part
            elif skip is None:
                if part.tag in BLOCKS:
                    out.append("\n")
                piece = part.text
                if piece:
                    out.append(" ".join(piece.replace("\n", " ").split(" ")))
                    budget[0] -= len(piece)
            continue
        if event == "end" and skip is part:
            skip = None
        elif event == "end" and skip is None and part.tag in BLOCKS:
            out.append("\n")
        if skip is None and part is not element and part.tail:
            out.append(part.tail.replace("\n", " "))
            budget[0] -= len(part.tail)
    lines = (" ".join(line.split()) for line in "".join(out).split("\n"))
    return "\n".join(line for line in lines if line)
