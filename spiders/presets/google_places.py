"""What does Google Maps show of a place? At most five reviews, which Google chooses (Places API, New)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from spiders.json_api import ApiSpider, Budget, Call, Preset, reader, search
from storage.records import Kind


def _ask(call: Call) -> Iterable[tuple[str, str]]:
    for place in call.texts("places"):
        yield f"reviews of {place}", call.url(f"places/{quote(place, safe='')}", languageCode=call.language)


def _items(body: Any) -> Sequence[Any] | None:
    if "error" in body or "error_message" in body:
        return None
    many = body.get("places", body.get("results"))  # what a search found
    if isinstance(many, list):
        found = [_of_place(one) if isinstance(one, dict) else None for one in many]
        return [review for some in found for review in some or ()]
    place = body.get("result", body)  # `result`: the older API's
    if "authorAttribution" in place or "author_name" in place:
        return [place]  # a review by itself
    return _of_place(place)


def _of_place(place: Any) -> list[Any] | None:
    reviews = place.get("reviews")
    if reviews is None and any(name in place for name in ("id", "place_id", "displayName", "rating")):
        return []
    name = search("displayName.text || name", place)
    if not isinstance(reviews, list):
        return None
    return [{**one, "place": name} if isinstance(one, dict) else one for one in reviews]


PRESET = Preset(
    kind="google_places",
    title="Google Places",
    api_url="https://places.googleapis.com/v1",
    ask=_ask,
    items=_items,
    fields={
        "id": "name",
        "text": "originalText.text || text.text || text",
        "author": "authorAttribution.displayName || author_name",
        "entity": "place",
        "rating": "rating",
        "language": "originalText.languageCode || text.languageCode || original_language || language",
        "published": "publishTime || time",
        "url": "googleMapsUri",
    },
    mentions=Kind.REVIEW,
    summary={
        "average": "rating || result.rating",
        "count": "userRatingCount || result.user_ratings_total",
        "entity": "displayName.text || result.name || id",
    },
    headers={"X-Goog-FieldMask": "id,displayName,rating,userRatingCount,reviews,googleMapsUri"},
    auth_headers={"X-Goog-Api-Key": "{key}"},
    budget=Budget(1_000, "month"),  # so many are free of charge where reviews are asked for
    advice={
        "PERMISSION_DENIED": "look at LOWSTAR_GOOGLE_PLACES_KEY and what it is allowed to do",
        "RESOURCE_EXHAUSTED": "the quota is spent: look at the Google Cloud console",
        "NOT_FOUND": "the place's id is out of date: look it up again",
        "API_KEY_INVALID": "look at LOWSTAR_GOOGLE_PLACES_KEY",
        "REQUEST_DENIED": "look at LOWSTAR_GOOGLE_PLACES_KEY",
        "OVER_QUERY_LIMIT": "the quota is spent: look at the Google Cloud console",
    },
    terms="Nothing but the place's id may be kept (Google Maps Platform, service specific terms).",
)
read_page = reader(PRESET)


class GooglePlacesSpider(ApiSpider):
    """Reads the reviews Google Maps shows."""

    name = "google_places"
    preset = PRESET
    reader = staticmethod(read_page)
