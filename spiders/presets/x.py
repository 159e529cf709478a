"""Who speaks of us on X? The search of the last seven days, newest first (API v2).

Every post that comes back counts against a monthly cap: what a run may still read is set aside before asking,
and beyond the cap nothing is asked. An edited post has a new id; it is known by its first one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from spiders.json_api import ApiSpider, Budget, Call, Preset, by_cursor, reader

PAGE = 100
REACHES_BACK = timedelta(days=6, hours=12)  # an id older than seven days is refused
_EPOCH = 1_288_834_974_657  # milliseconds; ids count from there


_FIELDS = {
    "expansions": "author_id",
    "tweet.fields": "created_at,lang,public_metrics,referenced_tweets,note_tweet,edit_history_tweet_ids",
    "user.fields": "username,public_metrics",
}


def _ask(call: Call) -> Iterable[tuple[str, str]]:
    for query in call.queries():
        label = f"posts with {query}"
        last = call.last(label)
        young = last.isdigit() and _written_at(int(last)) > call.now - REACHES_BACK
        phrase = query.replace('"', " ").strip()
        yield (
            label,
            call.url(
                "2/tweets/search/recent",
                query=f'"{phrase}" -is:retweet',
                max_results=PAGE,
                since_id=last if young else "",
                **_FIELDS,
            ),
        )


def _written_at(number: int) -> datetime:
    return datetime.fromtimestamp(min((number >> 22) + _EPOCH, 10**13) / 1_000, UTC)


def _items(body: Any) -> Sequence[Any] | None:
    found = body.get("data")
    older = body.get("statuses", body if "id_str" in body else None)
    if found is None and older is not None:  # version 1.1 of the API
        return [_first_version(one) for one in (older if isinstance(older, list) else [older])]
    if found is None:
        meta = body.get("meta")
        none = isinstance(meta, dict) and meta.get("result_count") == 0
        return [] if none or _all_gone(body.get("errors")) else None
    found = [found] if isinstance(found, dict) else found
    if not isinstance(found, list):
        return None
    includes = body.get("includes")
    users = includes.get("users") if isinstance(includes, dict) else None
    named = {user.get("id"): user for user in users or () if isinstance(user, dict)}
    return [_with_user(post, named) if isinstance(post, dict) else post for post in found]


def _all_gone(errors: Any) -> bool:
    """True where all that was asked for by id is deleted, or no longer to be seen by anybody."""
    kinds = (
        [str(one.get("type", "")) for one in errors if isinstance(one, dict)]
        if isinstance(errors, list)
        else []
    )
    return bool(kinds) and all(
        kind.endswith(("/resource-not-found", "/not-authorized-for-resource")) for kind in kinds
    )


def _first_version(post: Any) -> Any:
    """A post of version 1.1 of the API in the words of version 2."""
    if not isinstance(post, dict):
        return post
    said = post.get("user")
    user: dict[str, Any] = said if isinstance(said, dict) else {}
    extended = post.get("extended_tweet")
    text = extended.get("full_text") if isinstance(extended, dict) else None
    above = post.get("in_reply_to_status_id_str")
    referenced = [{"type": "replied_to", "id": above}] if above else []
    return {
        "id": post.get("id_str") or str(post.get("id", "")),
        "text": text or post.get("full_text") or post.get("text"),
        "created_at": post.get("created_at"),
        "lang": post.get("lang"),
        "public_metrics": {
            "retweet_count": post.get("retweet_count"),
            "like_count": post.get("favorite_count"),
        },
        "referenced_tweets": referenced + ([{"type": "retweeted"}] if post.get("retweeted_status") else []),
        "user": {
            "username": user.get("screen_name"),
            "public_metrics": {"followers_count": user.get("followers_count")},
        },
    }


def _with_user(post: dict[str, Any], users: Mapping[Any, Any]) -> dict[str, Any]:
    number = str(post.get("id", ""))
    # An id says when it was given, too.
    dated = number.isascii() and number.isdigit() and 15 < len(number) < 20
    at = {"created_at": _written_at(int(number)).isoformat()} if dated else {}
    history = post.get("edit_history_tweet_ids")
    # Who asks for the first version of an edited post gets that, and not how it reads now.
    older = isinstance(history, list) and bool(history) and history[-1] != post.get("id")
    return {**at, **post, "user": users.get(post.get("author_id")), "older": older}


PRESET = Preset(
    kind="x",
    title="X",
    api_url="https://api.x.com",
    ask=_ask,
    items=_items,
    fields={
        "id": "edit_history_tweet_ids[0] || id",
        "text": "note_tweet.text || text",
        "author": "user.username",
        "followers": "user.public_metrics.followers_count",
        "reach": "public_metrics.[retweet_count, reply_count, like_count, quote_count]",
        "language": "lang",
        "published": "created_at",
        "in_reply_to": "referenced_tweets[?type=='replied_to'].id | [0]",
        "kind": "referenced_tweets[?type=='replied_to'] && 'comment' || 'post'",
    },
    skip="older || referenced_tweets[?type=='retweeted']",  # what was passed on is no word of theirs
    html=frozenset({"text"}),  # `&amp;` for &
    languages=dict.fromkeys(("und", "zxx", "qam", "qct", "qht", "qme", "qst", "art"), ""),
    link="https://x.com/i/status/{id}",
    paging=by_cursor("meta.next_token", "next_token"),
    newest="id",
    again=lambda call, names: call.url("2/tweets", ids=",".join(names), **_FIELDS),
    again_size=PAGE,
    again_most=2,
    again_if="recheck",  # each costs a read
    auth_headers={"Authorization": "Bearer {token}"},
    budget=Budget(500, "month", "posts read", items=PAGE),
    advice={
        "UsageCapExceeded": "the month's cap of posts is reached: X counts anew on the day of the plan",
        "Unauthorized": "look at LOWSTAR_X_TOKEN",
        "Forbidden": "the plan behind LOWSTAR_X_TOKEN does not include the search",
        "CreditsDepleted": "the account has no credits left: look at https://developer.x.com",
        "client-not-enrolled": "the app behind LOWSTAR_X_TOKEN belongs to no project",
    },
    terms="What is deleted or made private on X is to be deleted within 24 hours (X developer policy).",
)
read_page = reader(PRESET)


class XSpider(ApiSpider):
    """Searches X for the words of its source."""

    name = "x"
    preset = PRESET
    reader = staticmethod(read_page)
