"""Who speaks of us on Lemmy? The search of one server for posts and comments, newest first (API v3).

Single posts and comments as servers pass them on (ActivityPub) are read as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from spiders.json_api import ApiSpider, Call, Preset, by_page, reader
from spiders.parsing.html import html_to_text

_GONE = ("couldnt_find_post", "couldnt_find_comment", "couldnt_find_object", "not_found", "deleted")


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
    mixed = next(
        (body[name] for name in ("search", "items", "results") if isinstance(body.get(name), list)), None
    )
    if mixed is not None:  # the search of version 4 of the API
        views = [one for one in mixed if isinstance(one, dict)]
        return [
            _comment(one) if "comment" in one else _post(one)
            for one in views
            if "comment" in one or "post" in one
        ]
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
        "asked": f"comment {number}" if isinstance(number := comment.get("id"), int) else None,
        "text": comment.get("content"),
        "author": _part(view, "creator").get("name"),
        "community": _part(view, "community").get("name"),
        "published": comment.get("published", comment.get("published_at")),
        "updated": comment.get("updated", comment.get("updated_at")),
        "reach": [
            counts.get("score", comment.get("score")),
            counts.get("child_count", comment.get("child_count")),
        ],
        "gone": bool(comment.get("deleted") or comment.get("removed")),
        "parent": path[-2] if len(path) > 2 else post.get("ap_id"),
        "kind": "comment",
    }


def _post(view: Any) -> dict[str, Any]:
    post, counts = _part(view, "post"), _part(view, "counts")
    text = "\n".join(str(post[name]) for name in ("body", "url") if post.get(name))
    return {
        "id": post.get("ap_id"),
        "asked": f"post {number}" if isinstance(number := post.get("id"), int) else None,
        "title": post.get("name"),
        "text": text,
        "author": _part(view, "creator").get("name"),
        "community": _part(view, "community").get("name"),
        "published": post.get("published", post.get("published_at")),
        "updated": post.get("updated", post.get("updated_at")),
        "reach": [counts.get("score", post.get("score")), counts.get("comments", post.get("comments"))],
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


def _again(call: Call, names: Sequence[str]) -> str:
    what, _, number = names[0].partition(" ")
    return call.url(f"api/v3/{what}", id=number) if what in ("post", "comment") and number.isdigit() else ""


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
    markdown=frozenset({"text"}),
    paging=by_page("page", size="limit"),
    newest="time",
    newest_first=True,
    again=_again,
    again_size=1,
    again_name="asked",
    gone=lambda status, body: isinstance(body, dict) and body.get("error") in _GONE,
    advice={"rate_limit_error": "ask less often: raise `every`"},
    terms="Public posts; each server has its own rules. What its author deletes is to be deleted.",
)
read_page = reader(PRESET)


class LemmySpider(ApiSpider):
    """Searches a Lemmy server for the words of its source."""

    name = "lemmy"
    preset = PRESET
    reader = staticmethod(read_page)
