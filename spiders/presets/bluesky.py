"""Who speaks of us on Bluesky? Its search, newest first, with an app password.

The search is asked for what was indexed since the last run began, less an hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from spiders.json_api import ApiSpider, Call, Login, Preset, by_cursor, reader

OVERLAP = timedelta(hours=1)
FIRST_LOOK = timedelta(days=7)
THREAD_MAX = 5_000
_WORDS = ("mention", "reply", "quote")  # notifications that come with words; a like has none


def _ask(call: Call) -> Iterable[tuple[str, str]]:
    for query in call.queries():
        label = f"posts with {query}"
        since = call.since(label, OVERLAP, FIRST_LOOK)
        phrase = '"' + query.replace('"', " ").strip() + '"'
        yield (
            label,
            call.url(
                "xrpc/app.bsky.feed.searchPosts",
                q=phrase,
                sort="latest",
                limit=100,
                since=since.strftime("%Y-%m-%dT%H:%M:%SZ"),
            ),
        )


def _items(body: Any) -> Sequence[Any] | None:
    posts = body.get("posts", body.get("notifications"))
    if isinstance(posts, list) and "notifications" in body:
        posts = [one for one in posts if isinstance(one, dict) and one.get("reason") in _WORDS]
    elif isinstance(body.get("feed"), list):  # what was passed on is listed where it was said
        posts = [one.get("post") for one in body["feed"] if isinstance(one, dict) and not one.get("reason")]
    elif isinstance(body.get("thread"), dict):
        posts = _thread(body["thread"])
    if not isinstance(posts, list):
        return None
    # The page of a post is named by the last part of its at:// address.
    return [
        {**post, "rkey": str(post.get("uri", "")).rpartition("/")[2]} if isinstance(post, dict) else post
        for post in posts
    ]


def _thread(thread: Any) -> list[Any]:
    """A post with what leads to it and all that answers it; blocked and deleted ones have no post."""
    found: list[Any] = []
    waiting: list[Any] = [thread]
    while waiting and len(found) < THREAD_MAX:
        one = waiting.pop(0)
        if not isinstance(one, dict):
            continue
        if isinstance(one.get("post"), dict):
            found.append(one["post"])
        replies = one.get("replies")
        waiting += [one.get("parent"), *(replies if isinstance(replies, list) else ())]
    return found


PRESET = Preset(
    kind="bluesky",
    title="Bluesky",
    api_url="https://bsky.social",
    ask=_ask,
    items=_items,
    fields={
        "id": "uri",
        "text": "record.text",
        "author": "author.handle",
        "reach": "[replyCount, repostCount, likeCount, quoteCount]",
        "language": "record.langs[0]",
        "published": "record.createdAt || indexedAt",
        "in_reply_to": "record.reply.parent.uri",
        "kind": "record.reply && 'comment' || 'post'",
    },
    link="https://bsky.app/profile/{author.did}/post/{rkey}",
    paging=by_cursor("cursor", "cursor"),
    newest="time",
    again=lambda call, ids: (
        call.url("xrpc/app.bsky.feed.getPosts") + "?" + urlencode([("uris", one) for one in ids])
    ),
    auth_headers={"Authorization": "Bearer {session}"},
    login=Login(
        url="/xrpc/com.atproto.server.createSession",
        body={"identifier": "{handle}", "password": "{app_password}"},
        token="accessJwt",  # noqa: S106  (where it is)
        gives="session",
    ),
    advice={
        "AuthenticationRequired": "look at LOWSTAR_BLUESKY_HANDLE and LOWSTAR_BLUESKY_APP_PASSWORD",
        "RateLimitExceeded": "ask less often: raise `every`",
    },
    terms="Public posts; what its author deletes is to be deleted.",
)
read_page = reader(PRESET)


class BlueskySpider(ApiSpider):
    """Searches Bluesky for the words of its source."""

    name = "bluesky"
    preset = PRESET
    reader = staticmethod(read_page)
