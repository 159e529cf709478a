"""What do people say of an app in Apple's App Store, in each country? The shop's public feed of reviews.

Fifty reviews a page, ten pages: the newest 500 of a country, without the developer's replies. With one review
`entry` is an object instead of a list, with none it is missing; the first entry may be the app itself. A review
that is changed keeps its id and moves to the top. What is older than the newest 500 leaves the feed as well as
what is deleted: absence proves nothing here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from parsel import Selector
from scrapy.http import TextResponse

from monitor.config import Source
from spiders.json_api import Answer, ApiSpider, Call, Preset, reader
from spiders.page import Page
from storage.records import Kind

PAGES = 10  # Apple answers no more of a country
_XML = re.compile(r"\ufeff?\s{0,99}(?:<\?xml|<feed\b)")
_PAGE = re.compile(r"/page=(\d{1,2})/")
_APP = re.compile(r"/([a-z]{2})/rss/customerreviews/(?:page=\d{1,2}/)?id=(\d{1,20})/")


def _ask(call: Call) -> Iterable[tuple[str, str]]:
    for app in call.texts("apps"):
        for country in call.texts("countries") or ["us"]:
            if app.isdigit() and country.isalpha():
                path = f"{country}/rss/customerreviews/page=1/id={app}/sortby=mostrecent/json"
                yield f"reviews of {app} in {country}", call.url(path)


def _paging(answer: Answer) -> str:
    page = _PAGE.search(answer.url)
    if page is None or not answer.items or int(page[1]) >= PAGES:
        return ""
    return _PAGE.sub(f"/page={int(page[1]) + 1}/", answer.url)


def _context(url: str) -> dict[str, str]:
    found = _APP.search(url)
    return {"country": found[1], "app": found[2]} if found else {}


PRESET = Preset(
    kind="app_store",
    title="the App Store",
    api_url="https://itunes.apple.com",
    ask=_ask,
    items=("feed.entry", "feed && `[]`"),
    skip='!"im:rating"',
    places="apps",
    context=_context,
    fields={
        "id": "id.label",
        "title": "title.label",
        "text": "content.label",
        "author": "author.name.label",
        "entity": "_.app",
        "rating": '"im:rating".label',
        "reach": '"im:voteCount".label',
        "published": "updated.label",
        "url": "link.attributes.href",
    },
    mentions=Kind.REVIEW,
    paging=_paging,
    robots=True,
    terms="A public feed for personal, non-commercial use; nothing is said of how long it may be kept.",
)
_read_answer = reader(PRESET)


def read_page(response: TextResponse, source: Source, fetched_at: datetime) -> Page:
    """The reviews of an answer; also of the feed's older form, in XML, as people have saved it."""
    if _XML.match(response.text):
        body = json.dumps(_from_xml(response.text)).encode()
        response = TextResponse(response.url, status=response.status, body=body, encoding="utf-8")
    return _read_answer(response, source, fetched_at)


def _from_xml(text: str) -> dict[str, Any]:
    feed = Selector(text=text, type="xml")
    feed.remove_namespaces()
    if not feed.xpath("/feed"):
        return {}

    def label(entry: Selector, path: str) -> dict[str, str]:
        return {"label": (entry.xpath(f"string({path})").get() or "").strip()}

    return {
        "feed": {
            "entry": [
                {
                    "id": label(entry, "id"),
                    "title": label(entry, "title"),
                    "content": label(entry, "content[@type='text' or not(@type)]"),
                    "author": {"name": label(entry, "author/name")},
                    "im:rating": label(entry, "rating"),
                    "im:voteCount": label(entry, "voteCount"),
                    "updated": label(entry, "updated"),
                }
                for entry in feed.xpath("/feed/entry[rating]")
            ]
        }
    }


class AppStoreSpider(ApiSpider):
    """Reads the reviews of apps in Apple's App Store."""

    name = "app_store"
    preset = PRESET
    reader = staticmethod(read_page)
