"""What are the newest reviews of a place on Tripadvisor? Five of each language, by its Content API."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from spiders.json_api import ApiSpider, Budget, Call, Preset, reader
from storage.records import Kind


def _ask(call: Call) -> Iterable[tuple[str, str]]:
    for location in call.texts("locations"):
        path = f"location/{quote(location, safe='')}"
        for language in call.texts("languages") or [call.language or "en"]:
            yield f"reviews of {location} in {language}", call.url(f"{path}/reviews", language=language)


def _items(body: Any) -> Sequence[Any] | None:
    for name in ("data", "reviews"):  # `reviews`: in the answer about a place, in the versions before
        if isinstance(body.get(name), list):
            return list(body[name])
    if "location_id" in body and "rating" in body and ("text" in body or "published_date" in body):
        return [body]
    return [] if "location_id" in body and "name" in body and "error" not in body else None


PRESET = Preset(
    kind="tripadvisor",
    title="Tripadvisor",
    api_url="https://api.content.tripadvisor.com/api/v1",
    ask=_ask,
    items=_items,
    fields={
        "id": "id",
        "title": "title",
        "text": "text",
        "author": "user.username || user.name",
        "rating": "rating",
        "reach": "helpful_votes",
        "language": "lang",
        "published": "published_date",
        "reply": "owner_response.text || management_response.text",
        "replied": "owner_response.published_date || management_response.published_date",
        "url": "url",
        "truncated": "ends_with(text, '...')",
    },
    mentions=Kind.REVIEW,
    auth_query={"key": "{key}"},
    budget=Budget(5_000, "month"),
    advice={
        "User is not authorized to access this resource": "allow this machine's address for the key",
        "Unauthorized": "look at LOWSTAR_TRIPADVISOR_KEY",
    },
    terms="Only ids of places may be kept; no caching, storing or indexing of anything else.",
)
read_page = reader(PRESET)


class TripadvisorSpider(ApiSpider):
    """Reads the newest reviews of places on Tripadvisor."""

    name = "tripadvisor"
    preset = PRESET
    reader = staticmethod(read_page)
