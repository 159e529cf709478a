"""Who speaks of us on Lemmy? The search of one server for posts and comments, newest first (API v3).

Single posts and comments as servers pass them on (ActivityPub) are read as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from spiders.json_api import ApiSpider, Call, Preset, by_page, reader
from spiders.parsing.html import html_to_text


def _ask(call: Call) -> Iterable[tuple[str, str]]:
    for query in call.queries():
        for what in ("Posts", "Comments"):
            url = call.url(
                "api/v3/search", q=query, type_=what, listing_type="All", sort="New", limit=50, page=1
            )
            yield f"{what.lower()} with {query}", url


def _items(body: Any) -> Sequence[Any] | None:
    if "attributedTo" in body:
        return [_activity(body)]
    if isinstance(body.get("comment_view"), dict):
        return [_comment(body["comment_view"])]
    if isinstance(body.get("post_view"), dict):
        return [_post(body["post_view"])]
    comments, posts = body.get("comments"), body.get("posts")
    if not isinstance(comments, list) and not isinstance(posts, list):
        return None
    return [_comment(one) for one in comments or ()] + [_post(one) for one in posts or ()]


def _part(view: Any, name: str) -> Mapping[str, Any]:
    part = view.get(name) if isinstance(view, dict) else None
    return part if isinstance(part, dict) else {}


def _comment(view: Any) -> dict[str, Any]:
    comment, counts, post = _part(view, "comment"), _part(view, "counts"), _part(view, "post")
    path = str(comment.get("path", "")).split(".")
    return {
        "id": comment.get("ap_id"),
        "text": comment.get("content"),
        "author": _part(view, "creator").get("name"),
        "community": _part(view, "community").get("name"),
        "published": comment.get("published"),
        "updated": comment.get("updated"),
        "reach": [counts.get("score"), counts.get("child_count")],
        "gone": bool(comment.get("deleted") or comment.get("removed")),
        "parent": path[-2] if len(path) > 2 else post.get("ap_id"),
        "kind": "comment",
    }


def _post(view: Any) -> dict[str, Any]:
    post, counts = _part(view, "post"), _part(view, "counts")
    text = "\n".join(str(post[name]) for name in ("body", "url") if post.get(name))
    return {
        "id": post.get("ap_id"),
        "title": post.get("name"),
        "text": text,
        "author": _part(view, "creator").get("name"),
        "community": _part(view, "community").get("name"),
        "published": post.get("published"),
        "updated": post.get("updated"),
        "reach": [counts.get("score"), counts.get("comments")],
        "gone": bool(post.get("deleted") or post.get("removed")),
        "kind": "post",
    }


def _activity(thing: Mapping[str, Any]) -> dict[str, Any]:
    source = thing.get("source")
    own = source.get("content") if isinstance(source, dict) else None
    return {
        "id": thing.get("id"),
        "title": thing.get("name"),
        "text": own or html_to_text(str(thing.get("content") or "")),
        "author": str(thing.get("attributedTo", "")).rpartition("/")[2],
        "community": str(thing.get("audience", "")).rpartition("/")[2],
        "language": thing["language"].get("identifier") if isinstance(thing.get("language"), dict) else "",
        "published": thing.get("published"),
        "updated": thing.get("updated"),
        "gone": thing.get("type") == "Tombstone",
        "parent": thing.get("inReplyTo"),
        "kind": "comment" if thing.get("inReplyTo") else "post",
    }


PRESET = Preset(
    kind="lemmy",
    title="Lemmy",
    api_url="https://lemmy.world",
    ask=_ask,
    items=_items,
    fields={
        "id": "id",
        "title": "title",
        "text": "text",
        "author": "author",
        "entity": "community",
        "reach": "reach",
        "language": "language",
        "published": "published",
        "edited": "updated",
        "in_reply_to": "parent",
        "kind": "kind",
        "gone": "gone",
        "url": "id",
    },
    paging=by_page("page", size="limit"),
    newest="time",
    newest_first=True,
    advice={"rate_limit_error": "ask less often: raise `every`"},
    terms="Public posts; each server has its own rules. What its author deletes is to be deleted.",
)
read_page = reader(PRESET)


class LemmySpider(ApiSpider):
    """Searches a Lemmy server for the words of its source."""

    name = "lemmy"
    preset = PRESET
    reader = staticmethod(read_page)
