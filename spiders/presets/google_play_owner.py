"""What do people say of our own apps on Google Play? Reviews with words that changed in the last week.

Where an author gave a title, it stands before the text, a tab between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from spiders.json_api import ApiSpider, Budget, Call, Preset, by_cursor, reader
from spiders.presets.google_business import GOOGLE_ADVICE, GOOGLE_LOGIN
from storage.records import Kind

# As long as the listing shows what changed. Google does not say that a single review can be asked for later, and
# a 404 for its age alone must not be taken for a removal.
YOUNG = timedelta(days=7)
_APP = re.compile(r"/applications/([^/?]{1,200})/reviews")


def _ask(call: Call) -> Iterable[tuple[str, str]]:
    for app in call.texts("apps"):
        path = f"androidpublisher/v3/applications/{quote(app, safe='')}/reviews"
        yield f"reviews of {app}", call.url(path, maxResults=100)


def _items(body: Any) -> Sequence[Any] | None:
    if "error" in body:
        return None
    found = body.get("reviews")
    if found is None:
        one_alone = [body] if "reviewId" in body else None
        return [] if set(body) <= {"tokenPagination", "pageInfo"} else one_alone and [_flat(body)]
    return [_flat(one) for one in found] if isinstance(found, list) else None


def _flat(review: Any) -> Any:
    """The review with the newest words of its author and of the developer."""
    if not isinstance(review, dict):
        return review
    said: dict[str, Any] = {}
    for comment in review.get("comments") or ():
        if isinstance(comment, dict):
            said |= {name: comment[name] for name in ("userComment", "developerComment") if name in comment}
    user = said.get("userComment")
    # Where a translation was asked for, `text` is that.
    words = user.get("originalText") or user.get("text") if isinstance(user, dict) else None
    title, tab, text = words.partition("\t") if isinstance(words, str) else ("", "", "")
    return {**review, **said, "title": title if tab else "", "words": text if tab else title}


def _context(url: str) -> dict[str, str]:
    found = _APP.search(url)
    return {"app": found[1]} if found else {}


def _again(call: Call, names: Sequence[str]) -> str:
    app, _, name = names[0].partition("/")
    path = f"androidpublisher/v3/applications/{quote(app, safe='')}/reviews/{quote(name, safe='')}"
    return call.url(path) if app and name else ""


PRESET = Preset(
    kind="google_play_owner",
    title="Google Play",
    api_url="https://androidpublisher.googleapis.com",
    ask=_ask,
    items=_items,
    context=_context,
    fields={
        "id": "reviewId",
        "title": "title",
        "text": "words",
        "author": "authorName",
        "entity": "_.app",
        "rating": "userComment.starRating",
        "reach": "[userComment.thumbsUpCount, userComment.thumbsDownCount]",
        "language": "userComment.reviewerLanguage",
        "published": "userComment.lastModified.seconds",
        "reply": "developerComment.text",
        "replied": "developerComment.lastModified.seconds",
    },
    mentions=Kind.REVIEW,
    link="https://play.google.com/store/apps/details?id={_.app}&reviewId={reviewId}",
    paging=by_cursor("tokenPagination.nextPageToken", "token"),
    places="apps",
    again=_again,
    again_size=1,
    again_name="join('/', [_.app, reviewId])",
    again_young=YOUNG,
    gone=lambda status, body: status in (404, 410),
    gone_or_hidden=True,  # a 404 may also come of a changed address: one that is there must have been seen
    auth_headers={"Authorization": "Bearer {token}"},
    login=GOOGLE_LOGIN,
    budget=Budget(200, "hour"),
    advice=GOOGLE_ADVICE,
    terms="Reviews of one's own apps; no limit is set to how long they may be kept.",
)
read_page = reader(PRESET)


class GooglePlayOwnerSpider(ApiSpider):
    """Reads the reviews of one's own apps on Google Play."""

    name = "google_play_owner"
    preset = PRESET
    reader = staticmethod(read_page)
