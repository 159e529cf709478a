"""Each style of paging finds the next page, ends at the end, and never leaves the address that answered."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spiders.api_paging import (
    Answer,
    Paging,
    asked,
    by_body_link,
    by_cursor,
    by_last_item,
    by_link_header,
    by_offset,
    by_page,
    search,
)

URL = "https://api.example/v1/things?limit=2&q=a%20b"


def after(
    paging: Paging, body: Any = None, *, items: int = 2, url: str = URL, **headers: str
) -> dict[str, str]:
    """What the next request asks for; nothing at the end."""
    things = [{"id": 10 - number} for number in range(items)]
    further = paging(Answer(url, body or {}, things, headers))
    assert not further or further.startswith("https://api.example/v1/things?")
    return asked(further)


BOTH = {"limit": "2", "q": "a b"}


@pytest.mark.parametrize(
    ("paging", "body", "more"),
    [
        (by_cursor("next.token", "token"), {"next": {"token": "AoJ4+x="}}, {"token": "AoJ4+x="}),
        (by_page("page", more="has_more"), {"has_more": True}, {"page": "2"}),
        (by_page("page", size="limit"), {}, {"page": "2"}),
        (by_page("page"), {}, {"page": "2"}),
        (by_page("page", size="limit", first=0), {}, {"page": "1"}),
        (by_offset("offset", "limit"), {}, {"offset": "2"}),
        (
            by_body_link("links.next"),
            {"links": {"next": "https://evil.example/z?cursor=c2"}},
            {"cursor": "c2"},
        ),
        (by_last_item("id", "max_id"), {}, {"max_id": "9"}),
    ],
)
def test_the_next_page_is_asked_for_on_top_of_what_was_asked(
    paging: Paging, body: Any, more: dict[str, str]
) -> None:
    assert after(paging, body) == BOTH | more


@pytest.mark.parametrize(
    ("paging", "body", "items"),
    [
        (by_cursor("next", "token"), {"next": ""}, 2),
        (by_cursor("next", "token"), {"next": "x"}, 0),
        (by_page("page", more="has_more"), {"has_more": False}, 2),
        (by_page("page", size="limit"), {}, 1),
        (by_page("page"), {}, 0),
        (by_offset("offset", "limit"), {}, 1),
        (by_body_link("links.next"), {"links": {}}, 2),
        (by_body_link("links.next"), {"links": {"next": "no query"}}, 2),
        (by_last_item("id", "max_id"), {}, 0),
    ],
)
def test_a_listing_ends(paging: Paging, body: Any, items: int) -> None:
    assert after(paging, body, items=items) == {}


def test_a_token_that_does_not_change_is_the_end() -> None:
    assert after(by_cursor("next", "token"), {"next": "same"}, url=f"{URL}&token=same") == {}
    assert after(by_last_item("id", "max_id"), url=f"{URL}&max_id=9") == {}


def test_an_empty_page_may_go_on_where_that_is_known() -> None:
    assert after(by_cursor("next", "token", empty_ends=False), {"next": "x"}, items=0)["token"] == "x"


def test_the_link_header_is_read() -> None:
    link = '<https://x.example/?max_id=1&limit=2>; rel="next", <https://x.example/?min_id=9>; rel="prev"'
    assert after(by_link_header, link=link) == BOTH | {"max_id": "1"}
    assert after(by_link_header, link='<https://x.example/?min_id=9>; rel="prev"') == {}
    assert after(by_link_header) == {}


@given(
    st.text(max_size=60),
    st.recursive(st.none() | st.text(max_size=5), lambda inner: st.lists(inner), max_leaves=4),
)
def test_no_header_and_no_value_makes_paging_fall_over(header: str, value: Any) -> None:
    after(by_link_header, link=header)
    after(by_cursor("next", "token"), {"next": value})
    after(by_body_link("next"), {"next": header})
    search("[0].a || b", value)
