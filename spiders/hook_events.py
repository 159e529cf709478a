"""Which items do the events of Trustpilot, Facebook and Instagram carry? In the words of their presets.

Trustpilot: https://support.trustpilot.com/hc/en-us/community/posts/10109980750738. Facebook and Instagram:
https://developers.facebook.com/docs/graph-api/webhooks/reference/page and …/instagram, read in November 2026.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spiders.api_preset import Preset
from spiders.presets.facebook import PRESET as FACEBOOK
from spiders.presets.trustpilot import EVENTS
from spiders.presets.trustpilot import PRESET as TRUSTPILOT
from storage.records import clean_line

_GONE = ("remove", "delete", "hide")


@dataclass(frozen=True, slots=True)
class NotOurs:
    """An event that is right and says nothing to us."""

    reason: str


Event = tuple[Preset, Mapping[str, Any] | NotOurs]


def trustpilot_events(body: Mapping[str, Any]) -> Iterator[Event]:
    """The reviews of a Trustpilot notification; a deleted one is `gone`."""
    for event in body["events"]:
        event = event if isinstance(event, dict) else {}
        name, data = event.get("eventName"), event.get("eventData")
        if name not in EVENTS:
            yield (
                TRUSTPILOT,
                NotOurs(f"the event {clean_line(str(name), 40)!r}; taken are {', '.join(EVENTS)}"),
            )
        elif not isinstance(data, dict):
            yield TRUSTPILOT, NotOurs("the event carries no review")
        else:
            yield TRUSTPILOT, {**data, "gone": str(name).endswith("-deleted")}


def facebook_events(body: Mapping[str, Any]) -> Iterator[Event]:
    """The comments, posts and recommendations of a notification by Meta; its own page's are left out."""
    for entry in body["entry"]:
        entry = entry if isinstance(entry, dict) else {}
        changes = entry.get("changes")
        if not isinstance(changes, list) or not changes:
            yield FACEBOOK, NotOurs("no change to a feed, a comment or a rating")
            continue
        for change in changes:
            change = change if isinstance(change, dict) else {}
            value = change.get("value")
            yield (
                FACEBOOK,
                _facebook(str(change.get("field", "")), value, entry)
                if isinstance(value, dict)
                else NotOurs("the change carries nothing"),
            )


def _facebook(field: str, value: Mapping[str, Any], entry: Mapping[str, Any]) -> Mapping[str, Any] | NotOurs:
    said = value.get("from")
    author: Mapping[str, Any] = said if isinstance(said, dict) else {}
    if author.get("id") and author.get("id") == entry.get("id"):
        return NotOurs("written by the page itself")
    if field == "comments":  # Instagram
        return {
            "id": value.get("id"),
            "message": value.get("text"),
            "from": {"name": author.get("username")},
            "parent": {"id": value.get("parent_id") or _inner(value, "media", "id")},
            "created_time": entry.get("time"),
        }
    item, verb = str(value.get("item", "")), str(value.get("verb", ""))
    if field == "ratings" and item in ("rating", "recommendation", ""):
        return {
            "id": value.get("open_graph_story_id"),
            "review_text": value.get("review_text"),
            "recommendation_type": str(value.get("recommendation_type", "")).casefold() or None,
            "rating": value.get("rating"),
            "reviewer": {"name": value.get("reviewer_name")},
            "created_time": value.get("created_time"),
            "gone": verb in _GONE,
        }
    if field == "feed" and item in ("comment", "post", "status", "photo", "video"):
        return {
            "id": value.get("comment_id") or value.get("post_id"),
            "message": value.get("message"),
            "from": author,
            "parent": {"id": value.get("parent_id")} if item == "comment" else {},
            "created_time": value.get("created_time"),
            "permalink_url": value.get("permalink_url") or _inner(value, "post", "permalink_url"),
            "gone": verb in _GONE,
        }
    what = " ".join(filter(None, (field, item, verb)))
    return NotOurs(f"{clean_line(what, 60) or 'it'} carries no words")


def _inner(value: Mapping[str, Any], outer: str, name: str) -> Any:
    inner = value.get(outer)
    return inner.get(name) if isinstance(inner, dict) else None
