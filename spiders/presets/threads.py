"""Who speaks of us on Threads? Its keyword search, newest first."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from spiders.json_api import ApiSpider, Budget, Call, Preset, by_cursor, reader

OVERLAP = timedelta(hours=1)
FIRST_LOOK = timedelta(days=7)
META_ADVICE = {
    "190": "the token is out of date or was revoked: make a new one",
    "102": "the token is out of date: make a new one",
    "10": "the app lacks a permission: look at its review status",
    "100": "the app lacks a permission or a feature, or an id is none: look at both",
    "200": "the app lacks a permission: look at its review status",
    "4": "the app has asked too much: it may ask again within the hour",
    "17": "the account has asked too much: it may ask again within the hour",
    "32": "the page has been asked too much: it may be asked again within the hour",
    "613": "too much was asked: raise `every`",
}


def _ask(call: Call) -> Iterable[tuple[str, str]]:
    for query in call.queries():
        label = f"posts with {query}"
        since = call.since(label, OVERLAP, FIRST_LOOK)
        yield (
            label,
            call.url(
                "v1.0/keyword_search",
                q=query,
                search_type="RECENT",
                since=int(since.timestamp()),
                limit=100,
                fields="id,text,permalink,timestamp,username,is_reply",
            ),
        )


PRESET = Preset(
    kind="threads",
    title="Threads",
    api_url="https://graph.threads.net",
    ask=_ask,
    items=("data",),
    fields={
        "id": "id",
        "text": "text",
        "author": "username",
        "published": "timestamp",
        "kind": "is_reply && 'comment' || 'post'",
        "url": "permalink",
    },
    paging=by_cursor("paging.next && paging.cursors.after", "after"),
    newest="time",
    auth_query={"access_token": "{token}"},
    budget=Budget(2_200, "day", "queries"),
    advice=META_ADVICE,
    terms="What its author deletes is to be deleted; no longer than it is needed (Meta platform terms, 3).",
)
read_page = reader(PRESET)


class ThreadsSpider(ApiSpider):
    """Searches Threads for the words of its source."""

    name = "threads"
    preset = PRESET
    reader = staticmethod(read_page)
