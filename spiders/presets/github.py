"""Who reports trouble with us on GitHub? A search of all issues, or all issues, comments and discussions of
some repositories, last changed first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from spiders.json_api import ApiSpider, Call, Preset, by_link_header, reader

OVERLAP = timedelta(hours=2)
FIRST_LOOK = timedelta(days=30)
_PLACE = re.compile(
    r"/repos/[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100}/(?:issues(?:/comments)?|discussions)/\d{1,18}$"
)


def _ask(call: Call) -> Iterable[tuple[str, str]]:
    repositories = call.texts("repositories")
    for query in call.texts("queries") if repositories else call.queries():
        label = f"issues with {query}"
        since = call.since(label, OVERLAP, FIRST_LOOK)
        phrase = query.replace('"', " ")
        words = f'"{phrase}" is:issue updated:>={since:%Y-%m-%dT%H:%M:%SZ}'
        yield label, call.url("search/issues", q=words, sort="updated", order="desc", per_page=100)
    for repository in repositories:
        for what in ("issues", "issues/comments", "discussions"):
            label = f"{what} of {repository}"
            since = call.since(label, OVERLAP, FIRST_LOOK)
            yield (
                label,
                call.url(
                    f"repos/{repository}/{what}",
                    state="all" if what == "issues" else "",
                    sort="updated",
                    direction="desc",
                    since="" if what == "discussions" else f"{since:%Y-%m-%dT%H:%M:%SZ}",
                    per_page=100,
                ),
            )


def _items(body: Any) -> Sequence[Any] | None:
    if isinstance(body, list):
        return [_worded(one) for one in body]
    if isinstance(body.get("node_id"), str) and "body" in body:  # one issue, comment or discussion
        return [_worded(body)]
    found = body.get("items", body.get("issues"))  # `issues`: of the search there once was
    return [_worded(one) for one in found] if isinstance(found, list) else None


def _worded(thing: Any) -> Any:
    """An issue or comment with its words alone: the hints of an issue's template stand in comments of HTML."""
    if not isinstance(thing, dict) or not isinstance(body := thing.get("body"), str):
        return thing
    first, *rest = body.split("<!--")
    return {**thing, "words": first + "".join(part.partition("-->")[2] for part in rest)}


def _again(call: Call, names: Sequence[str]) -> str:
    """The thing itself, at its place below the API's address, whatever host was named with it."""
    found = _PLACE.search(names[0])
    return call.url(found[0][1:]) if found else ""


PRESET = Preset(
    kind="github",
    title="GitHub",
    api_url="https://api.github.com",
    ask=_ask,
    items=_items,
    skip="pull_request",
    fields={
        "id": "node_id || html_url || url",
        "title": "title",
        "text": "words",
        "author": "user.login || user",
        "reach": "[comments, reactions.total_count]",
        "published": "created_at",
        "in_reply_to": "issue_url || discussion_url",
        "kind": "(issue_url || discussion_url || discussion_id || contains(url || '', '/comments/'))"
        " && 'comment' || 'post'",
        "url": "html_url",
    },
    markdown=frozenset({"text"}),
    paging=by_link_header,
    newest="time",
    again=_again,
    again_size=1,
    again_most=10,  # of the 60 an hour
    again_name="url",
    gone=lambda status, body: status in (404, 410),
    headers={"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"},
    auth_headers={"Authorization": "Bearer {token}"},
    terms="Public content; may be kept for as long as it is needed (GitHub's acceptable use policies).",
)
read_page = reader(PRESET)


class GithubSpider(ApiSpider):
    """Reads issues and discussions on GitHub."""

    name = "github"
    preset = PRESET
    reader = staticmethod(read_page)
