"""What is said below videos on YouTube? The comments of videos, of channels, or of videos found by words.

Each request costs a unit of 10,000 a day, a search 100. A thread shows at most five of its replies: of a
thread with more, all are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from spiders.json_api import Answer, ApiSpider, Budget, Call, Preset, asked, by_cursor, reader, with_query
from spiders.parsing.html import html_to_text
from storage.records import Kind

SHOWN = 5  # replies a thread shows
THREADS = 10  # of one page whose further replies are asked for
FIRST_LOOK = timedelta(days=30)


def _ask(call: Call) -> Iterable[tuple[str, str]]:
    usual = {"part": "snippet,replies", "maxResults": 100, "order": "time", "textFormat": "plainText"}
    for video in call.texts("videos"):
        yield f"comments on {video}", call.url("commentThreads", videoId=video, **usual)
    for channel in call.texts("channels"):
        url = call.url("commentThreads", allThreadsRelatedToChannelId=channel, **usual)
        yield f"comments on channel {channel}", url
    for query in call.texts("queries"):
        since = call.since(f"videos about {query}", timedelta(days=7), FIRST_LOOK)
        yield (
            f"videos about {query}",
            call.url(
                "search",
                part="snippet",
                type="video",
                order="date",
                maxResults=25,
                q=f'"{query}"',
                publishedAfter=since.strftime("%Y-%m-%dT%H:%M:%SZ"),
            ),
        )


def _items(body: Any) -> Sequence[Any] | None:
    found = body.get("items")
    if not isinstance(found, list):
        return None
    if body.get("kind") == "youtube#searchListResponse":
        return []
    comments: list[Any] = []
    for item in found:
        snippet = item.get("snippet") if isinstance(item, dict) else None
        if not isinstance(snippet, dict):
            comments.append(item)
            continue
        top = snippet.get("topLevelComment")
        if not isinstance(top, dict):
            comments.append(_worded(item))
            continue
        comments.append(_worded({**top, "replies": snippet.get("totalReplyCount")}))
        replies = item.get("replies")
        inner = replies.get("comments") if isinstance(replies, dict) else None
        comments += (
            [_worded(one) for one in inner if isinstance(one, dict)] if isinstance(inner, list) else []
        )
    return comments


def _worded(comment: dict[str, Any]) -> dict[str, Any]:
    """`comment` with its words as plain text, which are markup in the one field that is always there."""
    snippet = comment.get("snippet")
    if not isinstance(snippet, dict):
        return comment
    original, display = snippet.get("textOriginal"), snippet.get("textDisplay")
    words = original if isinstance(original, str) and original else html_to_text(str(display or ""))
    return {**comment, "words": words}


def _follow(answer: Answer) -> Iterable[str]:
    here = asked(answer.url)
    body = answer.body if isinstance(answer.body, dict) else {}
    found = [item for item in body.get("items") or () if isinstance(item, dict)]
    if body.get("kind") == "youtube#searchListResponse":
        base = answer.url.partition("?")[0].removesuffix("search")
        for item in found:
            video = item.get("id", {}).get("videoId") if isinstance(item.get("id"), dict) else None
            if isinstance(video, str):
                usual = {"part": "snippet,replies", "maxResults": "100", "order": "time"}
                yield with_query(
                    f"{base}commentThreads", {"videoId": video, "textFormat": "plainText", **usual}
                )
    elif "videoId" in here or "allThreadsRelatedToChannelId" in here:
        base = answer.url.partition("?")[0].removesuffix("commentThreads")
        long = [item for item in found if _replies(item) > SHOWN]
        for item in long[:THREADS]:
            query = {"part": "snippet", "parentId": str(item.get("id", "")), "maxResults": "100"}
            yield with_query(f"{base}comments", {**query, "textFormat": "plainText"})


def _replies(item: dict[str, Any]) -> int:
    snippet = item.get("snippet")
    count = snippet.get("totalReplyCount") if isinstance(snippet, dict) else 0
    return count if isinstance(count, int) else 0


PRESET = Preset(
    kind="youtube",
    title="YouTube",
    api_url="https://www.googleapis.com/youtube/v3",
    ask=_ask,
    items=_items,
    fields={
        "id": "id",
        "text": "words",
        "author": "snippet.authorDisplayName",
        "reach": "[snippet.likeCount, replies]",
        "published": "snippet.publishedAt",
        "edited": "snippet.updatedAt",
        "in_reply_to": "snippet.parentId",
    },
    mentions=Kind.COMMENT,
    link="https://www.youtube.com/watch?v={snippet.videoId}&lc={id}",
    paging=by_cursor("nextPageToken", "pageToken"),
    follow=_follow,
    newest="time",
    newest_first=True,
    again=lambda call, ids: call.url("comments", part="snippet", id=",".join(ids), textFormat="plainText"),
    again_size=50,
    auth_headers={"X-Goog-Api-Key": "{key}"},
    budget=Budget(10_000, "day", "quota units", cost=lambda url: 100 if "/search?" in url else 1),
    advice={
        "quotaExceeded": "the day's quota is spent; Google fills it up at midnight in California",
        "commentsDisabled": "comments are switched off for this video: take it out of `videos`",
        "videoNotFound": "there is no such video: look at `videos`",
        "API_KEY_INVALID": "look at LOWSTAR_YOUTUBE_KEY",
        "keyInvalid": "look at LOWSTAR_YOUTUBE_KEY",
    },
    terms="Data that is not refreshed is to be deleted after 30 days (YouTube API Services, III.E.4).",
)
read_page = reader(PRESET)


class YoutubeSpider(ApiSpider):
    """Reads comments on YouTube."""

    name = "youtube"
    preset = PRESET
    reader = staticmethod(read_page)
