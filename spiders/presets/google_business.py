"""What do customers say of our own places on Google? All their reviews, last changed first, with our replies.

Stars come as words (ONE … FIVE). Google puts a translation into the text itself, behind or before the
author's own words: only these are kept. Several places of one account are asked in one question
(`batchGetReviews`); once a week each by itself, which also gives its average.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from spiders.json_api import ApiSpider, Call, Login, Preset, by_cursor, reader
from storage.records import Kind

BATCH = 50  # places in one question: all of a batch is one page of 50 reviews
STARS = {"one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0}
GOOGLE_LOGIN = Login(
    url="https://oauth2.googleapis.com/token",
    body={
        "grant_type": "refresh_token",
        "client_id": "{client_id}",
        "client_secret": "{client_secret}",
        "refresh_token": "{refresh_token}",
    },
    token="access_token",  # noqa: S106  (where it is)
    gives="token",
    form=True,
)
GOOGLE_ADVICE = {
    "UNAUTHENTICATED": "the token is out of date: an access token lasts an hour; set the refresh token",
    "PERMISSION_DENIED": "the account may not do this: look at its role and at whether the API is enabled",
    "RESOURCE_EXHAUSTED": "the quota is spent: ask less often",
    "NOT_FOUND": "there is no such thing, or not for this account: look at the ids in lowstar.toml",
    "invalid_grant": "the refresh token no longer works: sign in again and set the new one",
}

_PLACE = re.compile(r"accounts/[^/?&#]{1,200}/locations/[^/?&#]{1,200}")
_REVIEW = re.compile(_PLACE.pattern + r"/reviews/[^/?&#]{1,500}")
_BATCHED = ":batchGetReviews"


def _ask(call: Call) -> Iterable[tuple[str, str]]:
    places = call.texts("locations")
    accounts: dict[str, list[str]] = {}
    for place in places:
        accounts.setdefault(place.partition("/locations/")[0], []).append(place)
    for account, own in accounts.items():
        if len(own) == 1 or call.sweep:
            for place in own:
                path = f"v4/{quote(place)}/reviews"
                yield f"reviews of {place}", call.url(path, pageSize=50, orderBy="updateTime desc")
            continue
        for start in range(0, len(own), BATCH):
            some = [("locationNames", place) for place in own[start : start + BATCH]]
            query = urlencode([*some, ("pageSize", "50"), ("orderBy", "updateTime desc")])
            yield (
                f"reviews of {some[0][1]} and others",
                call.url(f"v4/{quote(account)}/locations{_BATCHED}?{query}"),
            )


def _post(url: str) -> Mapping[str, Any] | None:
    parts = urlsplit(url)
    if not parts.path.endswith(_BATCHED):
        return None
    said = parse_qs(parts.query)
    body: dict[str, Any] = {"locationNames": said.get("locationNames", []), "pageSize": 50}
    return body | {name: said[name][0] for name in ("orderBy", "pageToken") if name in said}


def _items(body: Any) -> Sequence[Any] | None:
    if "error" in body:
        return None
    found = body.get("reviews")
    if found is None and isinstance(body.get("locationReviews"), list):  # of several places at once
        found = [
            {"place": one.get("name"), **one["review"]}
            for one in body["locationReviews"]
            if isinstance(one, dict) and isinstance(one.get("review"), dict)
        ]
    if found is None and "starRating" in body and ("reviewId" in body or "name" in body):
        found = [body]
    if found is None:
        # A place without reviews is an empty object, or one with counts alone.
        return [] if set(body) <= {"averageRating", "totalReviewCount", "nextPageToken"} else None
    return [_tidied(one) for one in found if one is not None] if isinstance(found, list) else None


def _tidied(review: Any) -> Any:
    """A review with its author's words alone, its place, and no reply that Google refused to show."""
    if not isinstance(review, dict):
        return review
    comment, name, reply = review.get("comment"), review.get("name"), review.get("reviewReply")
    tidied = dict(review)
    if isinstance(comment, str):
        tidied["words"] = own_words(comment)
    if isinstance(name, str) and (place := _PLACE.match(name)) is not None:
        tidied["place"] = place[0]
    if isinstance(reply, dict) and reply.get("reviewReplyState", reply.get("state")) == "REJECTED":
        tidied["reviewReply"] = None
    return tidied


def own_words(comment: str) -> str:
    r"""What the author wrote, without Google's translation.

    >>> own_words("(Translated by Google) Good\n\n(Original)\nGut")
    'Gut'
    >>> own_words("Gut\n\n(Translated by Google)\nGood")
    'Gut'
    """
    before, mark, after = comment.partition("(Translated by Google)")
    if not mark:
        return comment
    _, original, words = after.partition("(Original)")
    return (words if original else before or after).strip()


def _context(url: str) -> dict[str, str]:
    found = _PLACE.search(url)
    return {"place": found[0]} if found else {}


def _again(call: Call, names: Sequence[str]) -> str:
    # A review can only be asked for by its whole name; one that came without is left to the weekly listing.
    return call.url(f"v4/{quote(names[0])}") if _REVIEW.fullmatch(names[0]) else ""


PRESET = Preset(
    kind="google_business",
    title="Google Business Profile",
    api_url="https://mybusiness.googleapis.com",
    ask=_ask,
    post=_post,
    items=_items,
    context=_context,
    skip="starRating == 'STAR_RATING_UNSPECIFIED' && !comment",
    fields={
        "id": "reviewId || name",
        "text": "words",
        "author": "reviewer.displayName",
        "entity": "place || _.place",
        "rating": "starRating",
        "published": "createTime",
        "edited": "updateTime",
        "reply": "reviewReply.comment",
        "replied": "reviewReply.updateTime",
    },
    places="locations",
    mentions=Kind.REVIEW,
    words={word: (stars, word.upper()) for word, stars in STARS.items()},
    summary={"average": "averageRating", "count": "totalReviewCount", "entity": "_.place"},
    paging=by_cursor("nextPageToken", "pageToken"),
    complete=True,
    again=_again,
    again_size=1,
    again_name="name",
    again_young=timedelta(days=30),
    gone=lambda status, body: status in (404, 410),
    gone_or_hidden=True,  # a 404 may also come of a changed address: one that is there must have been seen
    auth_headers={"Authorization": "Bearer {token}"},
    login=GOOGLE_LOGIN,
    advice=GOOGLE_ADVICE,
    terms="Reviews of one's own places; Google's policies for the Business Profile APIs hold.",
)
read_page = reader(PRESET)


class GoogleBusinessSpider(ApiSpider):
    """Reads the reviews of one's own places on Google."""

    name = "google_business"
    preset = PRESET
    reader = staticmethod(read_page)
