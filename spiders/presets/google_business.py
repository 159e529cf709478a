"""What do customers say of our own places on Google? All their reviews, last changed first, with our replies.

Stars come as words (ONE … FIVE). Google puts a translation into the text itself, behind or before the
author's own words: only these are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from spiders.json_api import ApiSpider, Call, Login, Preset, by_cursor, reader
from storage.records import Kind

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


def _ask(call: Call) -> Iterable[tuple[str, str]]:
    for location in call.texts("locations"):
        path = f"v4/{quote(location)}/reviews"
        yield f"reviews of {location}", call.url(path, pageSize=50, orderBy="updateTime desc")


def _items(body: Any) -> Sequence[Any] | None:
    if "error" in body:
        return None
    found = body.get("reviews")
    if found is None and isinstance(body.get("locationReviews"), list):  # of several places at once
        found = [one.get("review") for one in body["locationReviews"] if isinstance(one, dict)]
    if found is None:
        # A place without reviews is an empty object, or one with counts alone.
        return [] if set(body) <= {"averageRating", "totalReviewCount", "nextPageToken"} else None
    if not isinstance(found, list):
        return None
    return [
        {**one, "words": own_words(one["comment"])}
        if isinstance(one, dict) and isinstance(one.get("comment"), str)
        else one
        for one in found
    ]


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


PRESET = Preset(
    kind="google_business",
    title="Google Business Profile",
    api_url="https://mybusiness.googleapis.com",
    ask=_ask,
    items=_items,
    fields={
        "id": "reviewId || name",
        "text": "words",
        "author": "reviewer.displayName",
        "rating": "starRating",
        "published": "createTime",
        "edited": "updateTime",
        "reply": "reviewReply.comment",
        "replied": "reviewReply.updateTime",
    },
    mentions=Kind.REVIEW,
    words={word: (stars, word.upper()) for word, stars in STARS.items()},
    summary={"average": "averageRating", "count": "totalReviewCount"},
    paging=by_cursor("nextPageToken", "pageToken"),
    complete=True,
    auth_headers={"Authorization": "Bearer {token}"},
    login=GOOGLE_LOGIN,
    advice=GOOGLE_ADVICE,
    terms="One's own places; content may be kept for 30 days (Business Profile APIs policies).",
)
read_page = reader(PRESET)


class GoogleBusinessSpider(ApiSpider):
    """Reads the reviews of one's own places on Google."""

    name = "google_business"
    preset = PRESET
    reader = staticmethod(read_page)
