"""Where does an API's listing go on? One small function a style of paging; a preset names the one it needs.

Each answers the address of the next page, "" at the end, from one decoded `Answer`. What an API says about
its next page is never followed as it stands: only its query is taken, and asked of the address that has just
answered. So no answer can send a key anywhere else.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jmespath
from jmespath.exceptions import JMESPathError

_LINK_NEXT = re.compile(r"<([^<>]{1,2000})>([^<]{0,200})")
_REL_NEXT = re.compile(r"""\brel\s{0,3}=\s{0,3}"?[^",;]{0,50}\bnext\b""", re.I)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of an API, decoded."""

    url: str
    body: Any
    items: Sequence[Any] = ()
    headers: Mapping[str, str] = field(default_factory=dict)  # by lower-case name


Paging = Callable[[Answer], str]


@functools.cache
def compiled(path: str) -> Any:
    """The JMESPath expression `path`; raises JMESPathError where it is none."""
    return jmespath.compile(path)


def search(path: str, value: Any) -> Any:
    """What `path` finds in `value`; None where nothing is found or what is there is of another type."""
    try:
        return compiled(path).search(value)
    except (JMESPathError, TypeError, ValueError, AttributeError, RecursionError, OverflowError):
        return None


def scalar(value: Any) -> str:
    """A text or number as text, "" for anything else.

    >>> scalar(7), scalar(" a "), scalar(True), scalar([1])
    ('7', 'a', '', '')
    """
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return ""
    try:
        return str(int(value)) if value == int(value) else str(value)
    except (ValueError, OverflowError):
        return ""


def asked(url: str) -> dict[str, str]:
    """The query of an address; the last of each name.

    >>> asked("https://api.example/a?page=2&q=b%20c")
    {'page': '2', 'q': 'b c'}
    """
    try:
        return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True, max_num_fields=200))
    except ValueError:
        return {}


def with_query(url: str, changes: Mapping[str, str | None]) -> str:
    """`url` with these parameters set; None takes one out.

    >>> with_query("https://api.example/a?page=1&key=k", {"page": "2", "key": None})
    'https://api.example/a?page=2'
    """
    try:
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=200)
    except ValueError:
        return url
    kept = [(name, value) for name, value in pairs if name not in changes]
    kept += [(name, value) for name, value in changes.items() if value is not None]
    return parts._replace(query=urlencode(kept), fragment="").geturl()


def _further(answer: Answer, changes: Mapping[str, str | None]) -> str:
    url = with_query(answer.url, changes)
    return url if url != with_query(answer.url, {}) else ""


def by_cursor(path: str, param: str, *, empty_ends: bool = True) -> Paging:
    """The answer holds a token at `path` that is asked for as `param`; an empty page is the end (usually)."""

    def paging(answer: Answer) -> str:
        token = scalar(search(path, answer.body))
        ended = empty_ends and not answer.items
        if not token or ended or asked(answer.url).get(param) == token:
            return ""
        return _further(answer, {param: token})

    return paging


def by_page(param: str = "page", *, more: str = "", size: str = "", first: int = 1) -> Paging:
    """Pages are numbered. There are more where `more` in the answer says so, or after a full one (`size`).

    With neither, pages are asked for until one is empty: some are short in the middle of a listing.
    """

    def paging(answer: Answer) -> str:
        query = asked(answer.url)
        if more:
            goes_on = search(more, answer.body) is True
        else:
            goes_on = len(answer.items) >= (_number(query.get(size, ""), 1) if size else 1)
        if not goes_on:
            return ""
        return _further(answer, {param: str(_number(query.get(param, ""), first) + 1)})

    return paging


def by_offset(param: str, size: str) -> Paging:
    """So many items were passed over; `size` is the parameter that says how many fit a page."""

    def paging(answer: Answer) -> str:
        query = asked(answer.url)
        full = _number(query.get(size, ""), 0)
        if not 0 < full <= len(answer.items):
            return ""
        return _further(answer, {param: str(_number(query.get(param, ""), 0) + len(answer.items))})

    return paging


def by_link_header(answer: Answer) -> str:
    """The header `Link: <…>; rel="next"`."""
    header = answer.headers.get("link", "")[:8_000]
    for url, rest in _LINK_NEXT.findall(header):
        if _REL_NEXT.search(rest):
            return rebased(answer, url)
    return ""


def by_body_link(path: str) -> Paging:
    """The answer holds the address of the next page at `path`."""

    def paging(answer: Answer) -> str:
        link = scalar(search(path, answer.body))
        return rebased(answer, link) if link else ""

    return paging


def by_last_item(path: str, param: str) -> Paging:
    """What follows is asked for by the last item's value at `path` ("older than this one")."""

    def paging(answer: Answer) -> str:
        last = scalar(search(path, answer.items[-1])) if answer.items else ""
        return _further(answer, {param: last}) if last and asked(answer.url).get(param) != last else ""

    return paging


def rebased(answer: Answer, link: str) -> str:
    """The query of `link` asked of the address that has just answered, on top of what was asked of it."""
    query = asked(link)
    return _further(answer, query) if query else ""


def _number(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else otherwise
