"""What do players say of a game on Steam? Valve's published review service, last changed first.

The service (IUserReviewsService/GetAppReviews) took the place of the shop's own /appreviews in October 2026;
saved answers of both are read. An answer may hold fewer than it was asked for: only an empty one is the end.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from spiders.json_api import Answer, ApiSpider, Call, Preset, asked, reader, scalar, search, with_query
from storage.records import Kind

LANGUAGES = {
    "arabic": "ar", "brazilian": "pt", "bulgarian": "bg", "czech": "cs", "danish": "da", "dutch": "nl",
    "english": "en", "finnish": "fi", "french": "fr", "german": "de", "greek": "el", "hungarian": "hu",
    "indonesian": "id", "italian": "it", "japanese": "ja", "koreana": "ko", "latam": "es", "norwegian": "no",
    "polish": "pl", "portuguese": "pt", "romanian": "ro", "russian": "ru", "schinese": "zh", "spanish": "es",
    "swedish": "sv", "tchinese": "zh", "thai": "th", "turkish": "tr", "ukrainian": "uk", "vietnamese": "vi",
}  # fmt: skip


_SHOP = re.compile(r"/appreviews/(\d{1,20})")


def _ask(call: Call) -> Iterable[tuple[str, str]]:
    for app in call.texts("apps"):
        if app.isdigit():
            wanted = {
                "appid": int(app),
                "filter": 2,  # last changed first: edits of old reviews come up, too
                "languages": ["all"],
                "review_type": 0,  # for and against
                "purchase_type": 1,  # bought on Steam or not; 0, the default, is on Steam alone
                "num_per_page": 100,
                "filter_offtopic_activity": False,  # what Steam calls a review bomb is just what matters here
                "cursor": "*",
            }
            url = call.url("IUserReviewsService/GetAppReviews/v1/", input_json=json.dumps(wanted))
            yield f"reviews of {app}", url


def _wanted(url: str) -> dict[str, Any]:
    try:
        wanted = json.loads(asked(url).get("input_json", ""))
    except (ValueError, RecursionError):
        return {}
    return wanted if isinstance(wanted, dict) else {}


def _context(url: str) -> dict[str, str]:
    shop = _SHOP.search(url)  # an answer of the shop's own address
    app = scalar(_wanted(url).get("appid")) or (shop[1] if shop else "")
    return {"app": app} if app else {}


def _items(body: Any) -> Sequence[Any] | None:
    inner = body.get("response", body)
    if "recommendationid" in inner:
        return [inner]
    reviews = inner.get("reviews")
    if isinstance(reviews, dict):  # collected by id
        return list(reviews.values())
    if reviews is None and isinstance(inner.get("query_summary"), dict):
        return []  # the service leaves empty lists out
    return reviews if isinstance(reviews, list) else None


def _paging(answer: Answer) -> str:
    cursor = scalar(search("response.cursor || cursor", answer.body))
    wanted = _wanted(answer.url)
    if not cursor or not wanted or not answer.items or wanted.get("cursor") == cursor:
        return ""
    return with_query(answer.url, {"input_json": json.dumps({**wanted, "cursor": cursor})})


PRESET = Preset(
    kind="steam",
    title="Steam",
    api_url="https://api.steampowered.com",
    ask=_ask,
    items=_items,
    context=_context,
    places="apps",
    fields={
        "id": "recommendationid",
        "text": "review",
        "author": "author.personaname || author.steamid",
        "entity": "_.app",
        "rating": "voted_up",
        "reach": "[votes_up, comment_count]",
        "language": "language",
        "published": "timestamp_created",
        "edited": "timestamp_updated",
        "reply": "developer_response",
        "replied": "timestamp_dev_responded",
    },
    link="https://steamcommunity.com/profiles/{author.steamid}/recommended/{_.app}",
    mentions=Kind.REVIEW,
    words={"true": (5.0, "recommended"), "false": (1.0, "not recommended")},
    languages=LANGUAGES,
    paging=_paging,
    complete=True,
    terms="Public reviews; the Steam Web API terms ask for honest use and to take down what was taken down.",
)
read_page = reader(PRESET)


class SteamSpider(ApiSpider):
    """Reads the reviews of games on Steam."""

    name = "steam"
    preset = PRESET
    reader = staticmethod(read_page)
