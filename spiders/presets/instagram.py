"""What do people say to us on Instagram? Comments on one's own posts, posts that tag one, and mentions.

By the Graph API with Facebook login, for professional accounts. Who mentions an account in a caption or a
comment is told by a webhook only: with the ids it names, the words can be asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from spiders.json_api import ApiSpider, Call, Preset, by_cursor, reader
from spiders.presets.facebook import VERSION, asked_for, by_id
from spiders.presets.threads import META_ADVICE, gone_from_graph

_REPLY = "id,text,timestamp,username,like_count,from,parent_id,hidden"
_COMMENT = f"{_REPLY},replies.limit(50){{{_REPLY}}}"
_POST = "id,caption,permalink,timestamp,username,like_count,comments_count"
_OWN = {"id", "permalink", "timestamp", "comments_count", "comments"}  # what is asked of one's own posts
_ACCOUNT = re.compile(r"/v\d{1,3}\.\d{1,2}/(\d{1,25})(?:/|\?)")


def _ask(call: Call) -> Iterable[tuple[str, str]]:
    for account in call.texts("accounts"):
        path = f"{VERSION}/{account}"
        wanted = f"id,permalink,timestamp,comments_count,comments.limit(50){{{_COMMENT}}}"
        yield f"comments on {account}", call.url(f"{path}/media", fields=wanted, limit=25)
        yield f"posts that tag {account}", call.url(f"{path}/tags", fields=_POST, limit=50)
        for media in call.texts("mentioned_media"):
            yield f"mention {media}", call.url(path, fields=f"mentioned_media.media_id({media}){{{_POST}}}")
        for comment in call.texts("mentioned_comments"):
            wanted = (
                f"mentioned_comment.comment_id({comment}){{id,text,timestamp,like_count,media{{permalink}}}}"
            )
            yield f"mention {comment}", call.url(path, fields=wanted)


def _items(body: Any) -> Sequence[Any] | None:
    mentioned = body.get("mentioned_media"), body.get("mentioned_comment")
    if any(isinstance(one, dict) for one in mentioned):
        return [one for one in mentioned if isinstance(one, dict)]
    found = body.get("data")
    found = by_id(body) if not isinstance(found, list) else found
    if found is None:
        return None
    items: list[Any] = []
    for item in found:
        if not isinstance(item, dict):
            items.append(item)
            continue
        if not set(item) <= _OWN:
            items += _with_replies(item, item) if "text" in item else [item]
        for comment in _inner(item, "comments"):
            items += _with_replies(comment, item)
    return items


def _with_replies(comment: Any, media: Mapping[str, Any]) -> list[Any]:
    """A comment and its replies; each knows the page of its post."""
    said = [comment, *_inner(comment, "replies")]
    return [{**asked_for(one), "page": media.get("permalink")} for one in said if isinstance(one, dict)]


def _inner(item: Any, edge: str) -> list[Any]:
    held = item.get(edge) if isinstance(item, dict) else None
    data = held.get("data") if isinstance(held, dict) else None
    return data if isinstance(data, list) else []


def _context(url: str) -> Mapping[str, str]:
    found = _ACCOUNT.search(url)
    return {"account": found[1]} if found else {}


PRESET = Preset(
    kind="instagram",
    title="Instagram",
    api_url="https://graph.facebook.com",
    ask=_ask,
    items=_items,
    context=_context,
    # What the account itself answered, and pictures without a word.
    skip="(_.account && (from.id == _.account || user.id == _.account)) || (permalink && !text && !caption)",
    fields={
        "id": "id",
        "text": "text || caption",
        "author": "username || from.username",
        "reach": "[like_count, comments_count]",
        "published": "timestamp",
        "in_reply_to": "parent_id",
        "kind": "text && 'comment' || 'post'",
        "url": "permalink || media.permalink || page",
    },
    paging=by_cursor("paging.next && paging.cursors.after", "after", empty_ends=False),
    again=lambda call, names: call.url(
        f"{VERSION}/", ids=",".join(names), fields=f"{_REPLY},media{{permalink}}"
    ),
    again_size=50,
    again_most=4,
    again_name="asked",  # posts of others cannot be asked for by id
    gone=gone_from_graph,
    gone_or_hidden=True,
    lacks=frozenset({"author"}),  # not told of comments in which one is mentioned
    auth_query={"access_token": "{token}"},
    advice=META_ADVICE,
    terms="One's own account; what its author deletes is to be deleted (Meta platform terms, 3).",
)
read_page = reader(PRESET)


class InstagramSpider(ApiSpider):
    """Reads what is said to one's own Instagram accounts."""

    name = "instagram"
    preset = PRESET
    reader = staticmethod(read_page)
