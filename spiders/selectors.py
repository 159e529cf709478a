"""What does a page say whose reviews are found by selectors, given in lowstar.toml or shipped?

    [[sources]]
    name = "our-forum"
    kind = "selectors"
    urls = ["https://forum.example/t/lowstar"]
    item = "article.post"                       # CSS, or XPath; one match is one post
    skip = ".advert"                            # a match inside an item says: this is none
    next = "a.next::attr(href)"
    [sources.fields]
    id = "::attr(data-post-id)"
    text = [".body", ".content"]                # alternatives: the first that finds something
    author = ".user"
    rating = { css = ".stars::attr(class)", after = "stars-", best = 5 }
    date = "time::attr(datetime)"

Without `item`, the shipped set of the page's site is used (`spiders/sites` says which there are and how a set
is written, JSON state included). No regular expression anywhere: text is cut at literal words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urljoin

from parsel import Selector
from scrapy.http import TextResponse

from monitor.config import Source
from spiders import embedded
from spiders.base import PagedSpider
from spiders.page import Page
from spiders.parsing.dates import When, parse_when
from spiders.parsing.ratings import Rating
from spiders.sites import FIELDS, KINDS, Layout, Pick, Site, layout_from, select, site_named, site_of, sites
from spiders.sites.picking import Item, picked, rating_of, whole_number, without
from spiders.walls import wall_on
from storage.records import (
    DatePrecision,
    Kind,
    Mention,
    RatingSnapshot,
    clean_key,
    clean_line,
    clean_url,
    fingerprint,
)

ITEMS_MAX = 1_000  # of one page; the longest real listing seen has 250

_OPTIONAL = ("reply", "reply_date", "reach", "language", "truncated", "average", "count", "entity", "url")
_NEEDED = {"id", "text", "rating", "date"}  # of a shipped set, whose sites leave the others out at times
_OURS = ("site", "hosts", "complete")  # options beside those of a layout; `hosts` is read by PagedSpider


def check_options(options: Mapping[str, Any]) -> list[str]:
    """Every mistake in a source's options, each naming the key, what was found and what is allowed."""
    faults = []
    site = options.get("site")
    names = [known.name for known in sites()]
    if "site" in options and site not in names:
        faults.append(f"site = {site!r}; allowed: {', '.join(names)}")
    raw = _layout_options(options)
    if raw:
        faults += layout_from(raw)[1]
    return faults


def _layout_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """What a source says of a set of its own; nothing where a shipped one is meant."""
    said = {key: value for key, value in options.items() if key not in _OURS}
    return {} if set(said) <= {"kind"} else said


def read_page(response: TextResponse, source: Source, fetched_at: datetime) -> Page:
    """All the mentions a page holds by its selector set. Never raises on what the page says.

    Of a site's layouts the first that finds reviews is read, unless a later one finds far more. A selector
    that found nothing is named in `problems`; a page that shows nothing at all says why in `blind`.
    """
    page = _whole(response)
    raw = _layout_options(source.options)
    site: Site | None = None
    if raw:
        layout, faults = layout_from(raw)
        if layout is None:
            return Page(
                blind="the selectors cannot be used: " + "; ".join(faults[:3]), problems=tuple(faults)
            )
        layouts: tuple[Layout, ...] = (layout,)
    else:
        site = site_named(str(source.options.get("site", ""))) or site_of(response.url, page)
        if site is None:
            known = ", ".join(known.title for known in sites())
            return Page(
                blind="this source gives no selectors, and the page is of none of the sites known by heart "
                f'({known}): write item and fields, or use kind = "reviews"'
            )
        kind = source.options.get("kind")
        layouts = (
            tuple(replace(one, kind=Kind(kind)) for one in site.layouts) if kind in KINDS else site.layouts
        )
    readings = [
        _Reading(page, response, layout, source, fetched_at, given=site is None) for layout in layouts
    ]
    best = readings[0]
    for reading in readings[1:]:
        # The layouts stand in order of trust: a later one must find far more, not a stray block more.
        if reading.whole > 2 * best.whole or (reading.mentions and not best.mentions):
            best = reading
    return Page(
        mentions=tuple(best.mentions),
        next_urls=best.next_urls(),
        problems=tuple(best.problems) if best.mentions else (),
        snapshots=best.snapshots(),
        blind="" if best.mentions else _why_blind(readings, site, page, response),
    )


def _whole(response: TextResponse) -> Selector:
    """The page as one tree, whatever the answer calls itself."""
    page: Selector = response.selector
    if page.type != "html" or not hasattr(page.root, "iter"):
        page = Selector(response.text or "<html></html>", type="html")
    # A stray </html> makes the parser start a second tree beside the first; CSS looks at the first alone.
    if hasattr(page.root, "itersiblings"):
        for other in list(page.root.itersiblings()):
            if isinstance(other.tag, str):
                page.root.append(other)
    return page


def _why_blind(readings: list[_Reading], site: Site | None, page: Selector, response: TextResponse) -> str:
    if site is not None:
        for sign, words in site.walls.items():
            if list(select(page, sign)):
                return f"{site.title} shows no reviews here: {words}"
    size = _size(len(response.body))
    matched = any(reading.found for reading in readings)
    if not matched and hasattr(page.root, "iter") and (words := wall_on(response, page.root)):
        # Which selector found nothing is said as well: a wall may be no more than a page that changed.
        return f"{words}; {readings[0].layout.looked_for!r} matched nothing" if site is None else words
    if site is None:
        reading = readings[0]
        if not reading.found:
            return f"{reading.layout.looked_for!r} matched nothing on a page of {size}"
        return f"{reading.found} items matched, but none of them could be read: " + "; ".join(
            reading.problems[:3]
        )
    return (
        f"no review was found on a page of {size} by the {len(readings)} layouts known of {site.title}: "
        "it shows none, or its layout has changed"
    )


def _size(size: int) -> str:
    return f"{size} bytes" if size < 2_000 else f"{size // 1_000} KB"


class _Reading:
    """One page read by one layout."""

    def __init__(
        self,
        page: Selector,
        response: TextResponse,
        layout: Layout,
        source: Source,
        fetched_at: datetime,
        *,
        given: bool,
    ) -> None:
        self.page, self.layout, self.source, self.fetched_at = page, layout, source, fetched_at
        self.base = _base(page, response.url)
        self._given = given  # by the source, not shipped
        self.problems: list[str] = []
        self.found = 0
        self._empty = 0
        self._whole_page = Item(page, None, page)
        self._of_page = self._on_page("language")
        self._language = self._page_language()
        self._entity = self._on_page("entity")
        self._unseen = {name for name in layout.fields if name not in _OPTIONAL}
        self.mentions = list(self._read())
        self.whole = sum(1 for one in self.mentions if one.text and (one.stars or one.published_at))
        if self.mentions or given:
            self._name_dead_selectors()
        if self.mentions and self._empty:
            self.problems.append(
                f"{self._empty} of {self.found} items held nothing: the page loads them later, "
                "or they are no reviews"
            )

    def _read(self) -> Iterator[Mention]:
        seen: set[str] = set()
        for item in self._items():
            self.found += 1
            if self.found > ITEMS_MAX:
                self.problems.append(f"only the first {ITEMS_MAX} items were read")
                return
            mention = self._mention(item)
            if mention is None:
                self._empty += 1
            elif mention.external_id not in seen:
                seen.add(mention.external_id)
                yield mention

    def _items(self) -> Iterator[Item]:
        layout = self.layout
        if layout.in_state:
            for state in embedded.states(self.page, layout.state, layout.state_after):
                for value in embedded.items(state, layout.items, layout.having):
                    yield Item(None, value, self.page)
            return
        inside: set[Any] = set()
        for element in select(self.page, layout.item):
            if not hasattr(element.root, "iter"):
                continue  # "div::text" selects words, not reviews
            if layout.kind is Kind.REVIEW:
                # A box inside a box is the same review; posts and comments do hold others.
                if not inside.isdisjoint(element.root.iterancestors()):
                    continue
                inside.add(element.root)
            if any(list(select(element, query)) for query in layout.skip):
                continue
            item = Item(element, None, self.page)
            if layout.drop:
                item.plain = without(element, layout.drop)
            yield item

    def _mention(self, item: Item) -> Mention | None:
        text = self._text(item, "text")
        title = clean_line(self._text(item, "title"))
        rating = self._rating(item)
        if not text and rating.stars is None and (not title or self.layout.kind is Kind.REVIEW):
            return None
        when = self._when(item, "date")
        author = self._text(item, "author")
        entity = clean_line(self._text(item, "entity")) or self._entity
        external_id = self._string(item, "id")
        if not external_id:
            # A date the site printed relative to today would make a new id every month.
            day = when.at if when.precision in (DatePrecision.SECOND, DatePrecision.DAY) else None
            external_id = fingerprint(entity, author, f"{title}\n{text}", day, rating.stars)
        url = self._string(item, "url")
        replied = self._when(item, "reply_date")
        return Mention(
            source=self.source.name,
            external_id=clean_key(external_id),
            kind=self.layout.kind,
            url=_joined(self.base, url) if url else clean_url(self.base),
            title=title,
            text=text,
            author=author,
            entity=entity,
            stars=rating.stars,
            rating_raw=rating.raw,
            scale_inferred=rating.scale_inferred,
            reach=self._reach(item),
            language=self._spoken(item),
            published_at=when.at,
            date_precision=when.precision,
            owner_reply=self._text(item, "reply"),
            owner_replied_at=replied.at,
            text_truncated=bool(self._string(item, "truncated")),
            about=self.source.about,
        )

    def _values(self, item: Item, name: str) -> Iterator[tuple[Any, Pick]]:
        """What each alternative of a field finds, best first; strings trimmed and never empty."""
        for pick in self.layout.fields.get(name, ()):
            plain = name in ("text", "title", "author")
            for value in picked(item, pick, long=name in ("text", "reply"), plain=plain):
                self._unseen.discard(name)
                yield value, pick

    def _text(self, item: Item, name: str) -> str:
        for value, _ in self._values(item, name):
            return str(value)
        return ""

    def _string(self, item: Item, name: str) -> str:
        return clean_line(self._text(item, name))

    def _rating(self, item: Item) -> Rating:
        raw = Rating()
        for value, pick in self._values(item, "rating"):
            best = pick.best or self.layout.best
            rating = rating_of(value, best)
            if rating.stars is not None:
                return rating
            raw = raw if raw.raw else rating
        return raw

    def _when(self, item: Item, name: str) -> When:
        said = When()
        for value, _ in self._values(item, name):
            when = parse_when(value, now=self.fetched_at, language=self.source.language or self._language)
            if when.at is not None:
                return when
            said = said if said.raw else when
        return said

    def _spoken(self, item: Item) -> str:
        said = self._string(item, "language") or self._of_page
        code = said.replace("_", "-").split("-")[0].lower()
        known = 2 <= len(code) <= 3 and code.isalpha()
        return code if known else self.layout.language or self.source.language

    def _reach(self, item: Item) -> int:
        for value, _ in self._values(item, "reach"):
            count = whole_number(value)
            if count is not None:
                return count
        return 0

    def _on_page(self, name: str) -> str:
        picks = [pick for pick in self.layout.fields.get(name, ()) if pick.how != "path"]
        for pick in picks:
            for value in picked(self._whole_page, pick):
                return clean_line(str(value))
        return ""

    def _page_language(self) -> str:
        said = self.page.xpath("/html/@lang | /html/@xml:lang").get() or self._of_page
        code = said.strip().replace("_", "-").lower()
        return code if len(code.split("-")[0]) == 2 and code[:2].isalpha() else ""

    def _name_dead_selectors(self) -> None:
        missed = self._unseen if self._given else self._unseen & _NEEDED
        for name in sorted(missed, key=FIELDS.index) if self.found else ():
            queries = " | ".join(_said(pick) for pick in self.layout.fields[name])
            items = "the only item" if self.found == 1 else f"any of {self.found} items"
            self.problems.append(f"{queries!r} ({name}) found nothing in {items}")

    def next_urls(self) -> tuple[str, ...]:
        """More of the same listing, absolute."""
        for query in self.layout.next:
            for found in select(self.page, query):
                # `a.next` means its address, not its words.
                said = found.attrib.get("href", "") if hasattr(found.root, "iter") else str(found.get())
                if said and not said.startswith("#") and (url := _joined(self.base, said)):
                    return (url,)
        return ()

    def snapshots(self) -> tuple[RatingSnapshot, ...]:
        """The average the page shows, where its layout says where."""
        average, count = self._on_page("average"), whole_number(self._on_page("count"))
        if not average or count is None or not self.mentions:
            return ()
        rating = rating_of(average, self.layout.best or 5)
        if rating.stars is None:
            return ()
        return (RatingSnapshot(self.source.name, self._entity, self.fetched_at, rating.stars, count),)


def _said(pick: Pick) -> str:
    return pick.query or " + ".join(_said(part) for part in pick.parts)


def _base(page: Selector, url: str) -> str:
    if url.startswith(("http://", "https://")):
        return url
    # A saved page says where it came from.
    said = page.xpath("//link[@rel='canonical']/@href | //meta[@property='og:url']/@content").get()
    return clean_url(said or "")


def _joined(base: str, url: str) -> str:
    try:
        return clean_url(urljoin(base, url.strip()))
    except ValueError:
        return ""


class SelectorsSpider(PagedSpider):
    """Reads pages by selectors: the source's own, or the shipped set of their site."""

    name = "selectors"
    reader = staticmethod(read_page)

    def place_of(self, field: str) -> str:
        """The selectors of a field, as they stand in lowstar.toml or in the shipped set."""
        named = {"stars": "rating", "date": "date", "author": "author", "text": "text", "id": "id"}
        raw = _layout_options(self.source.options)
        layouts: tuple[Layout, ...] = ()
        if raw:
            layout, _ = layout_from(raw)
            layouts = (layout,) if layout is not None else ()
        elif (site := site_named(str(self.source.options.get("site", "")))) is not None:
            layouts = site.layouts
        for layout in layouts:
            if field == "item":
                return layout.looked_for
            if picks := layout.fields.get(named.get(field, "")):
                return " | ".join(_said(pick) for pick in picks)
        return ""
