"""Who speaks of us on Threads? Its keyword search, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from spiders.json_api import ApiSpider, Budget, Call, Preset, by_cursor, reader

OVERLAP = timedelta(hours=1)
FIRST_LOOK = timedelta(days=7)
_FIELDS = "id,text,permalink,timestamp,username,is_reply,is_quote_post,quoted_post,reposted_post,replied_to"
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
                fields=_FIELDS,
            ),
        )


def gone_from_graph(status: int, body: Any) -> bool:
    """True for what Meta's Graph API says of what was deleted (or may no longer be seen, it does not tell which).

    Code 100 with subcode 33, and 803 where several were asked for at once.
    """
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return False
    code, said = error.get("code"), str(error.get("message", ""))
    return code == 803 or (code == 100 and (error.get("error_subcode") == 33 or "do not exist" in said))


def _items(body: Any) -> Sequence[Any] | None:
    found = body.get("data")
    if isinstance(found, list):
        return found
    return [body] if body.get("id") and {"text", "permalink", "timestamp"} & set(body) else None  # one post


PRESET = Preset(
    kind="threads",
    title="Threads",
    api_url="https://graph.threads.net",
    ask=_ask,
    items=_items,
    skip="media_type=='REPOST_FACADE' || reposted_post",  # what was passed on is listed itself
    fields={
        "id": "id",
        "text": "text",
        "author": "username",
        "published": "timestamp",
        "in_reply_to": "replied_to.id",
        "kind": "is_reply && 'comment' || 'post'",
        "url": "permalink",
    },
    paging=by_cursor("paging.next && paging.cursors.after", "after"),
    newest="time",
    auth_query={"access_token": "{token}"},
    again=lambda call, names: call.url(f"v1.0/{quote(names[0], safe='')}", fields=_FIELDS),
    again_size=1,
    gone=gone_from_graph,
    gone_or_hidden=True,
    # Only searches are counted.
    budget=Budget(2_200, "day", "queries", cost=lambda url: 1 if "keyword_search" in url else 0),
    advice=META_ADVICE,
    terms="What its author deletes is to be deleted; no longer than it is needed (Meta platform terms, 3).",
)
read_page = reader(PRESET)


class ThreadsSpider(ApiSpider):
    """Searches Threads for the words of its source."""

    name = "threads"
    preset = PRESET
    reader = staticmethod(read_page)
