"""What does Yelp let us see of a business's reviews? Three to seven excerpts, by its API.

Each is cut after some 160 characters. A business's own answer gives its average and how many reviews it has.
Saved answers of the versions before (v2: `excerpt`; v1: `text_excerpt`) and of its GraphQL are read, too.
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
    if "error" in body:
        return None
    data = body.get("data")
    if isinstance(data, dict):  # GraphQL
        inner = data["business"] if "business" in data else data["reviews"]
        return _of_business({**inner, "reviews": inner.get("reviews", inner.get("review"))})
    many = body.get("businesses")
    if isinstance(many, list):  # what a search found
        return [review for one in many if isinstance(one, dict) for review in _of_business(one) or ()]
    if "time_created" in body and "rating" in body:
        return [body]
    return _of_business(body)


def _of_business(business: Any) -> list[Any] | None:
    reviews = business.get("reviews")
    if isinstance(reviews, list):
        name = business.get("name")
        return [{**one, "business": name} if isinstance(one, dict) else one for one in reviews]
    return [] if "review_count" in business and ("alias" in business or "id" in business) else None


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
        "text": "text || excerpt || text_excerpt",
        "author": "user.name || user_name",
        "entity": "business || _.business",
        "rating": "rating",
        "published": "time_created || date",
        "url": "url",
        "truncated": "(text || excerpt || text_excerpt).[ends_with(@, '...'), ends_with(@, '…')] | contains(@, `true`)",
    },
    mentions=Kind.REVIEW,
    summary={"average": "alias && rating", "count": "review_count", "entity": "name"},
    auth_headers={"Authorization": "Bearer {key}"},
    budget=Budget(300, "day"),
    advice={
        "TOKEN_INVALID": "look at LOWSTAR_YELP_KEY",
        "INVALID_TOKEN": "look at LOWSTAR_YELP_KEY",
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
