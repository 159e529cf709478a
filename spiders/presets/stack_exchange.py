"""Who asks about us on Stack Overflow and its sister sites? The search for questions, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from spiders.json_api import ApiSpider, Budget, Call, Preset, asked, by_page, reader

OVERLAP = timedelta(days=1)  # young questions are edited most
FIRST_LOOK = timedelta(days=30)
_NUMBERS = frozenset({"question_id", "answer_id", "comment_id"})


def _ask(call: Call) -> Iterable[tuple[str, str]]:
    for site in call.texts("sites") or ["stackoverflow"]:
        for query in call.queries():
            label = f"questions about {query} on {site}"
            since = call.since(label, OVERLAP, FIRST_LOOK)
            yield (
                label,
                call.url(
                    "search/advanced",
                    q=f'"{query}"',
                    site=site,
                    order="desc",
                    sort="creation",
                    pagesize=100,
                    page=1,
                    filter="withbody",
                    fromdate=int(since.timestamp()),
                ),
            )


def _items(body: Any) -> Sequence[Any] | None:
    # The API's first version named its items by their kind.
    found = next((body[name] for name in ("items", "questions", "answers", "comments") if name in body), None)
    if not isinstance(found, list):
        return None
    numbered = any(isinstance(one, dict) and not _NUMBERS.isdisjoint(one) for one in found)
    return found if numbered or not found else None


def _again(call: Call, names: Sequence[str]) -> str:
    """Questions by number, up to 100 of one site; what was deleted is left out of the answer."""
    numbers = [number for name in names if (number := name.partition("/")[2]).isdigit()]
    site = names[0].partition("/")[0]
    return call.url(f"questions/{';'.join(numbers)}", site=site, pagesize=100, filter="withbody")


PRESET = Preset(
    kind="stack_exchange",
    title="Stack Exchange",
    api_url="https://api.stackexchange.com/2.3",
    ask=_ask,
    items=_items,
    context=lambda url: {"site": asked(url).get("site", "stackexchange")},
    fields={
        # Numbers are counted by each site for itself.
        "id": "(comment_id || answer_id || question_id)"
        " && join('/', [_.site, to_string(comment_id || answer_id || question_id)])",
        "title": "title",
        "text": "body",
        "author": "owner.display_name",
        "entity": "_.site",
        "reach": "[score, answer_count]",
        "published": "creation_date",
        "edited": "last_edit_date",
        "kind": "(comment_id || answer_id) && 'comment' || 'post'",
        "url": "link",
    },
    html=frozenset({"title", "text", "author"}),
    paging=by_page("page", more="has_more"),
    newest="time",
    auth_query={"key": "{key}"},
    again=_again,
    again_size=100,
    again_group=lambda name: name.partition("/")[0],
    again_most=2,  # of the 300 a day
    wait="backoff",
    budget=Budget(300, "day"),  # without a key; with one it is 10,000
    advice={
        "throttle_violation": "too much was asked: raise `every`, or set LOWSTAR_STACK_EXCHANGE_KEY",
        "bad_parameter": "look at `sites` and `queries`",
    },
    terms="CC BY-SA: may be kept with the author's name and a link.",
)
read_page = reader(PRESET)


class StackExchangeSpider(ApiSpider):
    """Searches the questions of Stack Exchange sites."""

    name = "stack_exchange"
    preset = PRESET
    reader = staticmethod(read_page)
