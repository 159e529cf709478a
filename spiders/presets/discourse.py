"""What is said in a Discourse forum? Its latest posts, or the posts its search finds.

Without `queries` all latest posts are read (50 ids at a time, newest first), and those about no brand are not
kept. Its search is usually closed to programs by robots.txt and needs a key then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from parsel import Selector
from parsel.selector import CannotDropElementWithoutParent, CannotRemoveElementWithoutRoot

from spiders.json_api import Answer, ApiSpider, Call, Preset, asked, by_page, reader, with_query
from spiders.parsing.html import html_to_text, markup_to_text

MARKUP_MAX = 200_000  # characters of one post

_search_paging = by_page("page", more="grouped_search_result.more_full_page_results")


def _ask(call: Call) -> Iterable[tuple[str, str]]:
    queries = call.texts("queries")
    if not queries:
        yield "latest posts", call.url("posts.json")
    for query in queries:
        phrase = query.replace('"', " ")
        yield f"posts with {query}", call.url("search.json", q=f'"{phrase}" order:latest', page=1)


def _items(body: Any) -> Sequence[Any] | None:
    if isinstance(body, list):  # groups of an older search
        groups = [group for group in body if isinstance(group, dict) and "results" in group]
        found = [
            one for group in groups for one in group["results"] if group.get("type") in ("topic", "post")
        ]
        return [_topic(one) for one in found] if groups else None
    stream = body.get("post_stream")
    topics = body.get("topic_list")
    if isinstance(stream, dict):
        named = {"topic_title": body.get("title"), "topic_slug": body.get("slug")}
        return [_post({**named, **one}) for one in stream.get("posts", ()) if isinstance(one, dict)]
    if isinstance(topics, dict):
        return [_topic(one) for one in topics.get("topics", ())]
    if "cooked" in body and "topic_id" in body:  # one post
        return [_post(body)]
    posts = body.get("latest_posts", body.get("posts"))
    if not isinstance(posts, list):
        return None
    titles = {one.get("id"): one for one in body.get("topics") or () if isinstance(one, dict)}
    return [_post(one, titles) for one in posts]


def _post(post: Any, topics: Mapping[Any, Any] | None = None) -> Any:
    if not isinstance(post, dict):
        return post
    topic = (topics or {}).get(post.get("topic_id"), {})
    markup = post.get("cooked") or post.get("blurb")
    raw = post.get("raw")
    return {
        "topic_title": topic.get("title"),
        "topic_slug": topic.get("slug"),
        **post,
        "words": _own_words(markup) if isinstance(markup, str) else raw if isinstance(raw, str) else "",
    }


def _own_words(markup: str) -> str:
    """What a post says itself: what it quotes of others, and the boxes that show what a link leads to, are not its."""
    if "<aside" in markup:
        try:
            root = Selector(text=markup[:MARKUP_MAX], type="html")
            for aside in root.css("aside.quote, aside.onebox"):
                aside.drop()
            own = markup_to_text(root.get())
        except (ValueError, CannotDropElementWithoutParent, CannotRemoveElementWithoutRoot):
            own = ""
        if own.strip():
            return own
    return markup_to_text(markup)


def _topic(topic: Any) -> Any:
    if not isinstance(topic, dict):
        return topic
    return {
        "id": f"topic/{topic.get('id')}",
        "topic_id": topic.get("id"),
        "topic_slug": topic.get("slug") or "topic",
        "post_number": 1,
        "topic_title": topic.get("title"),
        "words": html_to_text(str(topic.get("excerpt") or "")),
        "username": "",
        "created_at": topic.get("created_at"),
        "reply_count": topic.get("reply_count"),
        "like_count": topic.get("like_count"),
    }


def _paging(answer: Answer) -> str:
    if "/search.json" in answer.url:
        return _search_paging(answer)
    if "/posts.json" not in answer.url:
        return ""
    ids = [one["id"] for one in answer.items if isinstance(one, dict) and isinstance(one.get("id"), int)]
    before = min(ids, default=0) - 1  # "up to and with", as the forum counts
    if before < 1 or asked(answer.url).get("before") == str(before):
        return ""
    return with_query(answer.url, {"before": str(before)})


PRESET = Preset(
    kind="discourse",
    title="the forum",
    api_url="https://forum.invalid",  # every source names its own
    ask=_ask,
    items=_items,
    fields={
        "id": "id",
        "title": "topic_title",
        "text": "words",
        "author": "username",
        "reach": "[reply_count, like_count, actions_summary[?id==`2`].count | [0]]",
        "published": "created_at",
        "edited": "version > `1` && updated_at",
        "kind": "post_number > `1` && 'comment' || 'post'",
        "gone": "deleted_at || user_deleted || hidden",
    },
    html=frozenset({"title"}),
    link="{origin}/t/{topic_slug}/{topic_id}/{post_number}",
    paging=_paging,
    newest="time",
    newest_first=True,
    again=lambda call, names: call.url(f"posts/{names[0]}.json") if names[0].isdigit() else "",
    again_size=1,
    again_most=10,  # of the 60 a minute
    gone=lambda status, body: status in (404, 410) and isinstance(body, dict),
    robots=True,
    auth_headers={"Api-Key": "{api_key}", "Api-Username": "{api_username}"},
    advice={
        "rate_limit": "ask less often: raise `every`",
        "not_logged_in": "the forum is for members: ask its administrator for a key",
        "invalid_access": "the forum does not let us read this: ask its administrator for a key",
    },
    terms="As the forum's own terms say.",
)
read_page = reader(PRESET)


class DiscourseSpider(ApiSpider):
    """Reads a Discourse forum."""

    name = "discourse"
    preset = PRESET
    reader = staticmethod(read_page)
