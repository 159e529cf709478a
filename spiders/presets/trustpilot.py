"""What do customers say of a business on Trustpilot? Its public reviews API, newest first.

Saved webhook events (`service-review-created`, `-updated`, `-deleted`) are read as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from spiders.json_api import ApiSpider, Call, Preset, by_page, reader
from storage.records import Kind

EVENTS = ("service-review-created", "service-review-updated", "service-review-deleted")


def _ask(call: Call) -> Iterable[tuple[str, str]]:
    for unit in call.texts("business_units"):
        path = f"v1/business-units/{quote(unit, safe='')}/reviews"
        yield f"reviews of {unit}", call.url(path, perPage=100, orderBy="createdat.desc", page=1)


def _items(body: Any) -> Sequence[Any] | None:
    if isinstance(body.get("reviews"), list):
        return list(body["reviews"])
    if isinstance(body.get("events"), list):
        return [
            {**event["eventData"], "gone": event["eventName"].endswith("-deleted")}
            for event in body["events"]
            if isinstance(event, dict)
            and event.get("eventName") in EVENTS
            and isinstance(event.get("eventData"), dict)
        ]
    return [body] if body.get("id") and "stars" in body else None


PRESET = Preset(
    kind="trustpilot",
    title="Trustpilot",
    api_url="https://api.trustpilot.com",
    ask=_ask,
    items=_items,
    fields={
        "id": "id",
        "title": "title",
        "text": "text",
        "author": "consumer.displayName || consumer.name",
        "entity": "businessUnit.displayName || businessUnit.identifyingName",
        "rating": "stars",
        "reach": "numberOfLikes",
        "language": "language",
        "published": "createdAt",
        "edited": "updatedAt",
        "reply": "companyReply.text",
        "replied": "companyReply.createdAt",
        "gone": "gone",
    },
    mentions=Kind.REVIEW,
    link="https://www.trustpilot.com/reviews/{id}",
    paging=by_page("page"),
    complete=True,
    auth_headers={"apikey": "{key}"},
    advice={"Unknown API key": "look at LOWSTAR_TRUSTPILOT_KEY"},
    terms="As agreed with Trustpilot; reviews taken down there are to be taken down here.",
)
read_page = reader(PRESET)


class TrustpilotSpider(ApiSpider):
    """Reads the reviews of businesses on Trustpilot."""

    name = "trustpilot"
    preset = PRESET
    reader = staticmethod(read_page)
