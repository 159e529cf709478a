"""What does a page say whose reviews are found by selectors, written in lowstar.toml or shipped in spiders/sites?

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

Without `item`, the shipped set of the page's site is used (`spiders/sites` says which there are and how a set is
written, JSON state included). No regular expression anywhere: text is cut at literal words.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urljoin

from parsel import Selector
from scrapy.http import TextResponse

from monitor.config import Source
from spiders import embedded
from spiders.base import PagedSpider
from spiders.page import Page
from spiders.parsing.dates import When, parse_when
from spiders.parsing.html import html_to_text, looks_like_html
from spiders.parsing.ratings import Rating, parse_rating, parse_rating_text
from spiders.sites import FIELDS, Layout, Pick, Site, layout_from, select, site_named, site_of, sites
from storage.records import (
    DatePrecision,
    Mention,
    RatingSnapshot,
    clean_key,
    clean_line,
    clean_url,
    fingerprint,
)

ITEMS_MAX = 2_000  # of one page; the longest real listing seen has 250

_OPTIONAL = ("reply", "reply_date", "reach", "language", "truncated", "average", "count", "entity", "url")
_OURS = ("site", "hosts")  # options beside those of a layout; `hosts` is read by PagedSpider


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
    return {key: value for key, value in options.items() if key not in _OURS}


def read_page(response: TextResponse, source: Source, fetched_at: datetime) -> Page:
    """All the mentions a page holds by its selector set. Never raises on what the page says.

    Of a site's several layouts the one that finds most is read. A selector that found nothing is named in
    `problems`; a page that shows nothing at all says why in `blind`.
    """
    page = response.selector
    if page.type != "html" or not hasattr(page.root, "iter"):
        page = Selector(response.text or "<html></html>", type="html")
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
        layouts = site.layouts
    readings = [
        _Reading(page, response, layout, source, fetched_at, given=site is None) for layout in layouts
    ]
    best = readings[0]
    for reading in readings:
        if len(reading.mentions) > len(best.mentions):
            best = reading
    return Page(
        mentions=tuple(best.mentions),
        next_urls=best.next_urls(),
        problems=tuple(best.problems) if best.mentions else (),
        snapshots=best.snapshots(),
        blind="" if best.mentions else _why_blind(readings, site, page, response),
    )


def _why_blind(readings: list[_Reading], site: Site | None, page: Selector, response: TextResponse) -> str:
    if site is not None:
        for sign, words in site.walls.items():
            if select(page, sign):
                return f"{site.title} shows no reviews here: {words}"
    size = _size(len(response.body))
    if site is None:
        reading = readings[0]
        if not reading.found:
            return f"{reading.layout.looked_for!r} matched nothing on a page of {size}"
        return f"{reading.found} items matched, but none of them could be read: " + "; ".join(
            reading.problems[:3]
        )
    return (
        f"no review was found on a page of {size} by any of the {len(readings)} layouts known of {site.title}: "
        "it shows none, or its layout has changed"
    )


def _size(size: int) -> str:
    return f"{size} bytes" if size < 2_000 else f"{size // 1_000} KB"


@dataclass(slots=True)
class _Item:
    """One item, as HTML (an element) or as JSON (a value)."""

    element: Selector | None
    value: Any
    page: Selector
    plain: Selector | None = None  # the element without what its layout drops


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
        self.problems: list[str] = []
        self.found = 0
        self._whole_page = _Item(page, None, page)
        self._language = self._page_language()
        self._entity = self._on_page("entity")
        self._unseen = {name for name in layout.fields if name not in _OPTIONAL}
        self.mentions = list(self._read())
        if self.mentions or given:
            self._name_dead_selectors()

    def _read(self) -> Iterator[Mention]:
        seen: set[str] = set()
        for item in self._items():
            self.found += 1
            if self.found > ITEMS_MAX:
                self.problems.append(f"only the first {ITEMS_MAX} items were read")
                return
            mention = self._mention(item)
            if mention is not None and mention.external_id not in seen:
                seen.add(mention.external_id)
                yield mention

    def _items(self) -> Iterator[_Item]:
        layout = self.layout
        if layout.in_state:
            for state in embedded.states(self.page, layout.state, layout.state_after):
                for value in embedded.items(state, layout.items, layout.having):
                    yield _Item(None, value, self.page)
            return
        for element in select(self.page, layout.item):
            if not hasattr(element.root, "iter"):
                continue  # "div::text" selects words, not reviews
            if any(select(element, query) for query in layout.skip):
                continue
            item = _Item(element, None, self.page)
            if layout.drop:
                item.plain = _without(element, layout.drop)
            yield item

    def _mention(self, item: _Item) -> Mention | None:
        text = self._text(item, "text")
        title = clean_line(self._text(item, "title"))
        rating = self._rating(item)
        if not text and not title and rating.stars is None:
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
            language=self._string(item, "language")[:5] or self.layout.language or self.source.language,
            published_at=when.at,
            date_precision=when.precision,
            owner_reply=self._text(item, "reply"),
            owner_replied_at=replied.at,
            text_truncated=bool(self._string(item, "truncated")),
            about=self.source.about,
        )

    def _values(self, item: _Item, name: str) -> Iterator[tuple[Any, Pick]]:
        """What each alternative of a field finds, best first; strings trimmed and never empty."""
        for pick in self.layout.fields.get(name, ()):
            for value in _picked(item, pick, long=name in ("text", "reply")):
                self._unseen.discard(name)
                yield value, pick

    def _text(self, item: _Item, name: str) -> str:
        for value, _ in self._values(item, name):
            return str(value)
        return ""

    def _string(self, item: _Item, name: str) -> str:
        return clean_line(self._text(item, name))

    def _rating(self, item: _Item) -> Rating:
        raw = Rating()
        for value, pick in self._values(item, "rating"):
            best = pick.best or self.layout.best
            rating = _rating(value, best)
            if rating.stars is not None:
                return rating
            raw = raw if raw.raw else rating
        return raw

    def _when(self, item: _Item, name: str) -> When:
        said = When()
        for value, _ in self._values(item, name):
            when = _when(value, self.fetched_at, self.source.language or self._language)
            if when.at is not None:
                return when
            said = said if said.raw else when
        return said

    def _reach(self, item: _Item) -> int:
        for value, _ in self._values(item, "reach"):
            count = whole_number(value)
            if count is not None:
                return count
        return 0

    def _on_page(self, name: str) -> str:
        picks = [pick for pick in self.layout.fields.get(name, ()) if pick.how != "path"]
        for pick in picks:
            for value in _picked(self._whole_page, pick):
                return clean_line(str(value))
        return ""

    def _page_language(self) -> str:
        said = self.page.xpath("/html/@lang | /html/@xml:lang").get() or self._on_page("language")
        code = said.strip().replace("_", "-").split("-")[0].lower()
        return code if len(code) == 2 and code.isalpha() else ""

    def _name_dead_selectors(self) -> None:
        for name in sorted(self._unseen, key=FIELDS.index) if self.found else ():
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
        rating = _rating(average, self.layout.best or 5)
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


def _without(element: Selector, drop: Iterable[str]) -> Selector:
    found = [one for query in drop for one in select(element, query)]
    if not found:
        return element
    clone = Selector(root=copy.deepcopy(element.root), type="html")
    for query in drop:
        for one in select(clone, query):
            if hasattr(one.root, "getparent") and one.root.getparent() is not None:
                one.drop()
    return clone


_WORDY = frozenset(("text", "title", "author", "reply"))


def _picked(item: _Item, pick: Pick, *, long: bool = False) -> Iterator[Any]:
    """What a pick finds in an item, cut and templated; nothing where it found nothing."""
    if pick.how == "join":
        parts = [next(_picked(item, part, long=long), "") for part in pick.parts]
        value: Any = pick.separator.join(str(part) for part in parts if part != "")
        found = [value] if value else []
    elif pick.how == "path":
        found = _from_state(item.value, pick)
    else:
        found = _from_html(item, pick, long=long)
    for value in found:
        if isinstance(value, str):
            value = _cut(value, pick)
            if not value:
                continue
        if pick.template:
            value = pick.template.replace(
                "{}", quote(str(value), safe="") if "/" in pick.template else str(value)
            )
        yield value


def _from_state(value: Any, pick: Pick) -> list[Any]:
    said = embedded.search(pick.query, value)
    many = said if isinstance(said, list) else [said]
    found = []
    for one in many:
        if isinstance(one, bool):
            found.extend(["yes"] if one else [])
        elif isinstance(one, str):
            found.append(html_to_text(one) if looks_like_html(one) else one.strip())
        elif isinstance(one, (int, float)) and math.isfinite(one):
            found.append(one)
    if pick.all and found:
        return [pick.separator.join(str(one) for one in found)]
    return found


def _from_html(item: _Item, pick: Pick, *, long: bool) -> list[Any]:
    root = item.plain or item.element or item.page
    found = _strings(root, pick)
    if not found and item.plain is not None and item.element is not None and item.plain is not item.element:
        found = _strings(item.element, pick)  # a rating may live in what is dropped from the text
    words_only = "::text" in pick.query or pick.query.endswith("text()")
    if len(found) > 1 and (pick.all or (long and words_only)):
        return [pick.separator.join(found)]
    return list(found)


def _strings(root: Selector, pick: Pick) -> list[str]:
    try:
        matches = root.xpath(pick.query) if pick.how == "xpath" else root.css(pick.query)
    except Exception:  # a wrong selector; check_options has named it
        return []
    found = []
    for match in matches:
        said = match.get()
        if said is None:
            continue
        text = html_to_text(said) if hasattr(match.root, "iter") else said.strip()
        if text:
            found.append(text)
    return found


def _cut(value: str, pick: Pick) -> str:
    for word in pick.after:
        head, found, tail = value.rpartition(word)
        if found and tail.strip():
            value = tail
            break
    for word in pick.before:
        head, found, _ = value.partition(word)
        if found and head.strip():
            value = head
            break
    value = value.strip()
    for word in pick.prefix:
        value = value.removeprefix(word).lstrip()
    for word in pick.suffix:
        value = value.removesuffix(word).rstrip()
    return value.strip()


def _rating(value: Any, best: float | None) -> Rating:
    if isinstance(value, str) and not _is_number(value):
        text = parse_rating_text(value) if best is None else parse_rating(value, best)
        return text if text.stars is not None else parse_rating(value, best)
    return parse_rating(value, best)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text.replace(",", ".")))
    except ValueError:
        return False


def _when(value: Any, now: datetime, language: str) -> When:
    if isinstance(value, (int, float)):
        # Seconds since 1970, or milliseconds: the year 5138 is far enough for the border.
        seconds = value / 1_000 if abs(value) > 1e11 else value
        try:
            return When(datetime.fromtimestamp(seconds, UTC), DatePrecision.SECOND, str(value))
        except (OverflowError, OSError, ValueError):
            return When(raw=str(value)[:100])
    return parse_when(value, now=now, language=language)


_NUMBER_WORDS = {"one", "a", "eine", "un", "una", "une", "een", "uma", "um", "en", "jedna"}


def whole_number(value: Any) -> int | None:
    """The first count in a text ("1,234 people found this helpful"), None where there is none.

    >>> whole_number("1,234 people found this helpful"), whole_number("One person found this helpful")
    (1234, 1)
    """
    if isinstance(value, (int, float)):
        return int(value) if math.isfinite(value) else None
    digits = ""
    for character in str(value)[:1_000]:
        if character.isdecimal():
            digits += character
        elif digits and character not in ",.\u00a0\u202f'’":
            break
    if digits:
        return int(digits[:15])
    first = str(value)[:50].split()[:1]
    return 1 if first and first[0].lower() in _NUMBER_WORDS else None


class SelectorsSpider(PagedSpider):
    """Reads pages by selectors: the source's own, or the shipped set of their site."""

    name = "selectors"
    reader = staticmethod(read_page)
