"""What does Yelp let us see of a business's reviews? Three to seven excerpts, by its API.

Each is cut after some 160 characters. A business's own answer gives its average and how many reviews it has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from spiders.json_api import ApiSpider, Budget, Call, Preset, reader
from storage.records import Kind

_BUSINESS = re.compile(r"/businesses/([^/?]{1,200})")


def _ask(call: Call) -> Iterable[tuple[str, str]]:
    for business in call.texts("businesses"):
        path = f"v3/businesses/{quote(business, safe='')}"
        yield f"reviews of {business}", call.url(f"{path}/reviews", sort_by="newest")
        yield f"average of {business}", call.url(path)


def _items(body: Any) -> Sequence[Any] | None:
    if isinstance(body.get("reviews"), list):
        return list(body["reviews"])
    return [] if "alias" in body and "review_count" in body else None


def _context(url: str) -> dict[str, str]:
    found = _BUSINESS.search(url)
    return {"business": found[1]} if found else {}


PRESET = Preset(
    kind="yelp",
    title="Yelp",
    api_url="https://api.yelp.com",
    ask=_ask,
    items=_items,
    context=_context,
    fields={
        "id": "id",
        "text": "text",
        "author": "user.name",
        "entity": "_.business",
        "rating": "rating",
        "published": "time_created",
        "url": "url",
        "truncated": "ends_with(text, '...') || ends_with(text, '…')",
    },
    mentions=Kind.REVIEW,
    summary={"average": "alias && rating", "count": "review_count", "entity": "name"},
    auth_headers={"Authorization": "Bearer {key}"},
    budget=Budget(300, "day"),
    advice={
        "TOKEN_INVALID": "look at LOWSTAR_YELP_KEY",
        "UNAUTHORIZED_ACCESS_TOKEN": "look at LOWSTAR_YELP_KEY and the plan it belongs to",
        "ACCESS_LIMIT_REACHED": "the day's calls are spent; Yelp counts anew at midnight UTC",
        "BUSINESS_NOT_FOUND": "there is no such business: look at `businesses`",
    },
    terms="Content may be kept for 24 hours at most; only the business's id for longer (Yelp API terms).",
)
read_page = reader(PRESET)


class YelpSpider(ApiSpider):
    """Reads the review excerpts of businesses on Yelp."""

    name = "yelp"
    preset = PRESET
    reader = staticmethod(read_page)
