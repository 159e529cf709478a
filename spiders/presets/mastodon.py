"""Who speaks of us on Mastodon? The timelines of hashtags, as one server knows them.

Ids grow with the time of a post. What other servers send late has an older id: the last two hours are read
again. A server may want a token even for its public timelines.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from spiders.json_api import ApiSpider, Call, Preset, by_link_header, reader

LATE = (2 * 3_600 * 1_000) << 16  # two hours in ids: milliseconds, and 16 bits of a counter


def _ask(call: Call) -> Iterable[tuple[str, str]]:
    for said in call.texts("hashtags"):
        tag = said.removeprefix("#")
        label = f"#{tag}"
        last = call.last(label)
        since = max(0, int(last) - LATE) if last.isdigit() else ""
        url = call.url(f"api/v1/timelines/tag/{quote(tag, safe='')}", limit=40, since_id=since)
        yield label, url


def _items(body: Any) -> Sequence[Any] | None:
    if isinstance(body, list):  # notifications hold the post they are about; a new follower is about none
        told = [one for one in body if isinstance(one, dict) and {"type", "status"} <= set(one)]
        return [one["status"] for one in told if one["status"]] if told else body
    if isinstance(body.get("statuses"), list):  # a search
        return list(body["statuses"])
    if isinstance(body.get("descendants"), list):  # what is around a post
        return [*(body.get("ancestors") or ()), *body["descendants"]]
    return [body] if body.get("id") and "content" in body else None  # one post


PRESET = Preset(
    kind="mastodon",
    title="Mastodon",
    api_url="https://mastodon.social",
    ask=_ask,
    items=_items,
    skip="reblog || !id",  # what was passed on is listed itself; what has no id is an earlier version
    fields={
        "id": "id",
        "title": "spoiler_text",
        "text": "content",
        "author": "account.acct || account.username",
        "followers": "account.followers_count",
        "reach": "[replies_count, reblogs_count, favourites_count]",
        "language": "language",
        "published": "created_at",
        "edited": "edited_at",
        "in_reply_to": "in_reply_to_id",
        "kind": "in_reply_to_id && 'comment' || 'post'",
        "url": "url || uri",
    },
    html=frozenset({"text"}),
    paging=by_link_header,
    newest="id",
    again=lambda call, ids: call.url("api/v1/statuses") + "?" + urlencode([("id[]", one) for one in ids]),
    auth_headers={"Authorization": "Bearer {token}"},
    advice={
        "This method requires an authenticated user": "the server wants a token: set LOWSTAR_MASTODON_TOKEN",
        "The access token is invalid": "the token no longer works: make a new one",
    },
    terms="Public posts; each server has its own rules. What its author deletes is to be deleted.",
)
read_page = reader(PRESET)


class MastodonSpider(ApiSpider):
    """Reads hashtags on Mastodon."""

    name = "mastodon"
    preset = PRESET
    reader = staticmethod(read_page)
