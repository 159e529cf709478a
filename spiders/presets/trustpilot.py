"""What do customers say of a business on Trustpilot? Its public reviews API, newest first.

Saved webhook events (`service-review-created`, `-updated`, `-deleted`) are read as well, and reviews of
products, which call their words `content`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from spiders.json_api import ApiSpider, Call, Preset, by_page, reader
from storage.records import Kind

EVENTS = ("service-review-created", "service-review-updated", "service-review-deleted")
YOUNG = timedelta(days=30)  # reviews are changed and taken back later than posts are
FIELDS: Mapping[str, str] = {
    "id": "id",
    "title": "title",
    "text": "text || content",
    "author": "consumer.displayName || consumer.name",
    "entity": (
        "location.name || product.title || product.name || businessUnit.displayName || "
        "businessUnit.identifyingName"
    ),
    "rating": "stars || rating",
    "reach": "numberOfLikes",
    "language": "language",
    "published": "createdAt || publishedDate || dates.publishedDate",  # the latter two: its pages' own state
    "edited": "updatedAt",
    "reply": "companyReply.text || firstCompanyComment.comment",
    "replied": "companyReply.[updatedAt, createdAt] | [?@] | [0] || firstCompanyComment.createdAt",
    "gone": "gone",
    "reference": "referenceId",  # said by the private API and by webhook events
}
ADVICE: Mapping[str, str] = {
    "Unknown API key": "look at LOWSTAR_TRUSTPILOT_KEY",
    "Invalid ApiKey": "look at LOWSTAR_TRUSTPILOT_KEY",
    "Unauthorized": "look at the key and the secret, and at whether this application may read the business",
}


def _ask(call: Call) -> Iterable[tuple[str, str]]:
    for unit in call.texts("business_units"):
        path = f"v1/business-units/{quote(unit, safe='')}/reviews"
        yield f"reviews of {unit}", call.url(path, perPage=100, orderBy="createdat.desc", page=1)


def items_of(body: Any) -> Sequence[Any] | None:
    """The reviews of an answer, a single one, or those of webhook events."""
    for name in ("reviews", "productReviews"):
        if isinstance(body.get(name), list):
            return list(body[name])
    if isinstance(body.get("events"), list):
        return [found for event in body["events"] if (found := _of_event(event)) is not None]
    if "eventName" in body:  # an event by itself
        found = _of_event(body)
        return [] if found is None else [found]
    if "stars" in body or {"rating", "consumer"} <= set(body):
        return [body] if body.get("id") else None
    return None


def _of_event(event: Any) -> Mapping[str, Any] | None:
    if not isinstance(event, dict) or event.get("eventName") not in EVENTS:
        return None
    data = event.get("eventData")
    return {**data, "gone": event["eventName"].endswith("-deleted")} if isinstance(data, dict) else None


PRESET = Preset(
    kind="trustpilot",
    title="Trustpilot",
    api_url="https://api.trustpilot.com",
    ask=_ask,
    items=items_of,
    fields=FIELDS,
    mentions=Kind.REVIEW,
    link="https://www.trustpilot.com/reviews/{id}",
    paging=by_page("page"),
    complete=True,
    again=lambda call, names: call.url(f"v1/reviews/{quote(names[0], safe='')}"),
    again_size=1,
    again_most=5,  # every call counts against a year's allowance
    again_young=YOUNG,
    gone=lambda status, body: status in (404, 410),
    gone_or_hidden=True,  # a 404 may also come of a changed address: one that is there must have been seen
    auth_headers={"apikey": "{key}"},
    advice=ADVICE,
    terms="As agreed with Trustpilot; reviews taken down there are to be taken down here.",
)
read_page = reader(PRESET)


class TrustpilotSpider(ApiSpider):
    """Reads the reviews of businesses on Trustpilot."""

    name = "trustpilot"
    preset = PRESET
    reader = staticmethod(read_page)
