"""What do people say on our own Facebook pages? Recommendations, comments on posts, and posts that tag a page.

A recommendation is for or against, without stars, and often without its author. Comments of the
page itself are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from spiders.json_api import ApiSpider, Call, Preset, by_cursor, reader
from spiders.presets.threads import META_ADVICE, gone_from_graph

VERSION = "v25.0"
_COMMENT = "id,message,created_time,from,like_count,comment_count,permalink_url,parent"
_TAGGED = "id,message,created_time,tagged_time,from,permalink_url"
_RATING = "created_time,recommendation_type,rating,review_text,reviewer,open_graph_story"
_PAGE = re.compile(r"/v\d{1,3}\.\d{1,2}/([^/?]{1,200})/")


def _ask(call: Call) -> Iterable[tuple[str, str]]:
    for page in call.texts("pages"):
        path = f"{VERSION}/{quote(page, safe='')}"
        yield f"recommendations of {page}", call.url(f"{path}/ratings", fields=_RATING, limit=100)
        wanted = f"id,comments.limit(100).filter(stream).order(reverse_chronological){{{_COMMENT}}}"
        yield f"posts that tag {page}", call.url(f"{path}/tagged", fields=_TAGGED, limit=50)
        yield f"comments on {page}", call.url(f"{path}/published_posts", fields=wanted, limit=25)


def _items(body: Any) -> Sequence[Any] | None:
    if body == []:  # none of the ids that were asked for
        return []
    found = body.get("data")
    if not isinstance(found, list):
        return by_id(body)
    items: list[Any] = []
    for item in found:
        comments = item.get("comments") if isinstance(item, dict) else None
        if isinstance(comments, dict):
            inner = comments.get("data")
            items += map(asked_for, inner) if isinstance(inner, list) else []
        elif not isinstance(item, dict) or set(item) != {"id"}:  # a post nobody has commented on is its id
            items.append(item)
    return items


def by_id(body: Mapping[str, Any]) -> list[Any] | None:
    """The things of an answer to `?ids=`, which holds each by its id; or the one that was asked for."""
    held = [one for name, one in body.items() if isinstance(one, dict) and one.get("id") == name]
    if held and len(held) == len(body):
        return [asked_for(one) for one in held]
    alone = isinstance(body.get("id"), str) and {"message", "text", "created_time", "timestamp"} & set(body)
    return [asked_for(dict(body))] if alone else None


def asked_for(comment: Any) -> Any:
    """A comment with the name it can be asked for by."""
    return {**comment, "asked": comment.get("id")} if isinstance(comment, dict) else comment


def _context(url: str) -> dict[str, str]:
    found = _PAGE.search(url)
    return {"page": found[1]} if found else {}


PRESET = Preset(
    kind="facebook",
    title="Facebook",
    api_url="https://graph.facebook.com",
    ask=_ask,
    items=_items,
    context=_context,
    skip="(_.page && from.id == _.page) || (tagged_time && !message)",  # a picture without a word
    fields={
        "id": "id || open_graph_story.id || permalink_url",
        "text": "review_text || message",
        "author": "reviewer.name || from.name",
        "rating": "recommendation_type || rating",
        "reach": "[like_count, comment_count]",
        "published": "created_time",
        "in_reply_to": "parent.id",
        "kind": "(recommendation_type || rating) && 'review' || tagged_time && 'post' || 'comment'",
        "url": "permalink_url",
        "gone": "gone",  # said by its webhook events only
    },
    words={"positive": (5.0, "recommends"), "negative": (1.0, "does not recommend")},
    # Pages of posts may hold no comment at all and yet go on.
    paging=by_cursor("paging.next && paging.cursors.after", "after", empty_ends=False),
    again=lambda call, names: call.url(f"{VERSION}/", ids=",".join(names), fields=_COMMENT),
    again_size=50,
    again_most=4,
    again_name="asked",
    gone=gone_from_graph,
    gone_or_hidden=True,
    lacks=frozenset({"author"}),  # shown only to apps that were reviewed for it
    auth_query={"access_token": "{token}"},
    advice=META_ADVICE,
    terms="One's own pages; what its author deletes is to be deleted (Meta platform terms, 3).",
)
read_page = reader(PRESET)


class FacebookSpider(ApiSpider):
    """Reads what is said on one's own Facebook pages."""

    name = "facebook"
    preset = PRESET
    reader = staticmethod(read_page)
