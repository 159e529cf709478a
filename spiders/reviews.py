"""Which reviews does any page hold that states them in schema.org's words?

    [[sources]]
    name = "shop-reviews"
    kind = "reviews"
    urls = ["https://shop.example/p/mixer"]
    about = ["Mixer"]

Shops, recipe sites, restaurant guides and review sites state their reviews so that search engines can show
stars: as JSON-LD or in attributes. What they state is read as it is, with no knowledge of the site.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from urllib.parse import SplitResult, urljoin, urlsplit

from lxml import etree
from parsel import Selector
from scrapy.http import TextResponse

from monitor.config import Source
from spiders.base import PagedSpider
from spiders.page import Page
from spiders.parsing.schema_org import Found, mend, reviews_in
from spiders.parsing.stated import Review
from spiders.walls import wall_on
from storage.records import DatePrecision, Kind, Mention, RatingSnapshot, fingerprint

NEXT_MAX = 3  # pages that one page may name as its next
ANCHORS_MAX = 20_000
LINKS_MAX = 200  # of those that call themselves the next page; a pager has two


def read_page(response: TextResponse, source: Source, fetched_at: datetime) -> Page:
    """All reviews and averages that a page states, and where its listing goes on. Never raises on content.

    A review's `external_id` is the id the site gives it, where it gives one that lasts; else a fingerprint of
    what is reviewed, author, words and day. A page without reviews says in `blind` why, as far as can be
    told: a captcha, a login or consent wall, a page that only scripts fill, or one that states no reviews.
    """
    page = _tree(response)
    root = page.root
    spoken = (
        source.language or root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang") or ""
    )
    found = reviews_in(page, response.url, now=fetched_at, language=spoken)
    mentions: dict[str, Mention] = {}
    for review in found.reviews:
        mention = _mention(review, response, source, spoken)
        mentions.setdefault(mention.external_id, mention)
    return Page(
        mentions=tuple(mentions.values()),
        next_urls=next_urls(response, root),
        problems=found.problems,
        notes=found.notes,
        snapshots=_snapshots(found, response, source, fetched_at),
        blind="" if mentions else _blind(response, root, found),
    )


def _tree(response: TextResponse) -> Selector:
    """The page as one tree of HTML, whatever the answer calls itself."""
    page: Selector = response.selector
    if page.type != "html" or not isinstance(page.root, etree._Element):
        page = Selector(text=response.text or "<html></html>", type="html")
    mend(page.root)
    return page


# --- mentions ------------------------------------------------------------------------------------------


def _mention(review: Review, response: TextResponse, source: Source, spoken: str) -> Mention:
    text, truncated = _whole_text(review.text)
    reply, _ = _whole_text(review.owner_reply)
    rating = review.rating
    return Mention(
        source=source.name,
        external_id=review.id or _fingerprint(review, text, response.url),
        kind=Kind.REVIEW,
        url=review.url or response.url,
        title=review.title,
        text=text,
        author=review.author,
        entity=review.entity,
        stars=rating.stars,
        rating_raw=_printed(review),
        scale_inferred=rating.scale_inferred and rating.stars is not None,
        reach=review.reach,
        language=re.split(r"[-_]", review.language or spoken)[0],
        published_at=review.published.at,
        date_precision=review.published.precision,
        edited_at=review.edited.at,
        owner_reply=reply,
        owner_replied_at=review.owner_replied.at,
        text_truncated=truncated,
    )


def _fingerprint(review: Review, text: str, url: str) -> str:
    exact = review.published.precision in (DatePrecision.SECOND, DatePrecision.DAY)
    place = urlsplit(url)
    return fingerprint(
        review.entity or f"{place.hostname or ''}{place.path}",
        review.author,
        f"{review.title}\n{text}",
        review.published.at if exact else None,
        # The stars of a review with words may change while it stays the same review.
        None if text else review.rating.stars,
    )


def _printed(review: Review) -> str:
    """The rating as a person would write it down: "8.4/10" where the page says what it is out of."""
    rating = review.rating
    if (
        rating.best is None
        or not rating.raw
        or "/" in rating.raw
        or not rating.raw[-1].isdigit()
        or " " in rating.raw
    ):
        return rating.raw
    return f"{rating.raw}/{rating.best:g}"


_MORE = (
    r"(?:\(?(?:read|see|show|view)\s+(?:more|full\s+review|the\s+full\s+review)\)?|more"
    r"|mehr(?:\s+(?:lesen|anzeigen|erfahren))?"
    r"|weiterlesen|vollständige\s+(?:rezension|bewertung)\s+lesen|lire\s+(?:la\s+suite|plus)"
    r"|voir\s+plus|en\s+savoir\s+plus|leer\s+más|ver\s+más"
    r"|leggi\s+(?:tutto|di\s+più|altro)|mostra\s+altro|altro|lees\s+(?:meer|verder)|meer(?:\s+lezen)?"
    r"|ler\s+mais|ver\s+mais|mais"
    r"|читать\s+(?:далее|дальше|полностью)|ещ[её]|czytaj\s+(?:więcej|dalej)|więcej|läs\s+mer|læs\s+mere"
    r"|les\s+mer|続きを読む|もっと見る|展开|더보기)"
)
_TAIL = re.compile(rf"(?P<dots>…|\.\.\.|\[…\]|\[\.\.\.\])\s{{0,5}}(?:{_MORE})?[\s.…»›>]{{0,5}}\Z", re.I)
_READ_MORE = re.compile(
    r"[\s\n]\(?(?:read\s+more|see\s+more|show\s+more|weiterlesen|mehr\s+lesen|mehr\s+anzeigen"
    r"|lire\s+la\s+suite|voir\s+plus|leer\s+más"
    r"|ver\s+más|leggi\s+tutto|leggi\s+di\s+più|lees\s+meer|ler\s+mais|читать\s+далее|czytaj\s+więcej"
    r"|läs\s+mer|læs\s+mere)\)?\s{0,5}\Z",
    re.I,
)


def _whole_text(text: str) -> tuple[str, bool]:
    """(text without its "Read more", whether it was cut).

    Three dots end a long text that was cut, and a short one whose author just let it trail off.
    """
    tail = text[-80:]
    if hit := _TAIL.search(tail):
        bare = hit["dots"] == "..." and tail[hit.end("dots") :].strip() == ""
        if not (bare and len(text) < 100):
            return text[: len(text) - len(tail) + hit.end("dots")], True
    elif hit := _READ_MORE.search(tail):
        return text[: len(text) - len(tail) + hit.start()].rstrip(), True
    return text, False


def _snapshots(
    found: Found, response: TextResponse, source: Source, at: datetime
) -> tuple[RatingSnapshot, ...]:
    return tuple(
        RatingSnapshot(source.name, a.entity or source.title or response.url, at, a.rating.stars, a.count)
        for a in found.aggregates
        if a.rating.stars is not None
    )


# --- where the listing goes on -------------------------------------------------------------------------

_NEXT_WORDS = frozenset((
    ">", ">>", "avanti", "dalej", "další", "go to next page", "következő", "more reviews", "następna",
    "następna strona", "następny", "neste", "neste side", "next", "next page", "next reviews", "nächste",
    "nächste seite", "nästa", "nästa sida", "næste", "næste side", "older reviews", "page suivante",
    "pagina successiva", "prossima", "próxima", "próxima página", "próximo", "página seguinte",
    "página siguiente", "seguinte", "seuraava", "seuraava sivu", "siguiente", "siguientes", "sonraki",
    "successiva", "successivo", "suivant", "suivante", "suivants", "următoarea", "volgende",
    "volgende pagina", "weiter", "zur nächsten seite", "»", "înainte", "ďalšie", "επόμενη", "вперед",
    "вперёд", "далее", "следующая", "следующая страница", "›", "→", "下一頁", "下一页", "次",
    "次のページ", "次へ", "다음", "다음 페이지",
))  # fmt: skip
_NEXT_CLASS = re.compile(r"(?:\A|[\s_-])next(?:\Z|[\s_-])|pag\w{0,10}[-_]?next|next[-_]?pag", re.I)
_NOT_NEXT = re.compile(r"slick|swiper|carousel|slide|gallery|prev|disabled|owl-|photo|image", re.I)
_LINK_NEXT = re.compile(
    r"<([^<>]{1,2000})>\s{0,5};[^,<]{0,200}?\brel\s{0,3}=\s{0,3}\"?[^\",;]{0,50}\bnext\b", re.I
)


_RELATED = etree.XPath("(//link[@rel and @href] | //a[@rel and @href])[position() <= 2000]")


def next_urls(response: TextResponse, root: etree._Element) -> tuple[str, ...]:
    """The pages that continue this one: rel="next" in its head, header or links, else its "next page" link.

    Always on the same host, never this page itself.
    """
    stated: list[str] = []
    for header in response.headers.getlist("Link")[:10]:
        stated += _LINK_NEXT.findall(header.decode("latin-1")[:8_000])
    # Selected by the parser itself: a menu of four hundred links costs nothing here.
    for element in _RELATED(root):
        if "next" in element.get("rel").lower().split():
            stated.append(element.get("href"))
            if len(stated) >= LINKS_MAX:
                break
    base = (
        urljoin(response.url, next(iter(root.xpath("//base/@href")), ""))
        if root.xpath("//base[@href]")
        else response.url
    )
    here = urlsplit(response.url)
    kept: dict[str, None] = {}
    for link in dict.fromkeys(stated[:LINKS_MAX]):
        if len(kept) < NEXT_MAX and (url := _further(link, base, here)):
            kept[url] = None
    if not kept:
        for link in _next_anchors(root):
            url = _further(link, base, here)
            if url and _same_listing(urlsplit(url), here):
                kept[url] = None
                break
    return tuple(kept)


def _next_anchors(root: etree._Element) -> Iterator[str]:
    """Links that call themselves "next": by label or text first, by class where none does."""
    by_class: list[str] = []
    says_next: dict[str | None, bool] = {None: False, "": False}  # a menu says the same four hundred times
    for anchor in islice(root.iter("a"), ANCHORS_MAX):
        get = anchor.get
        href = get("href")
        if not href:
            continue
        text = _short_text(anchor) if len(anchor) else anchor.text
        called = False
        for label in (text, get("aria-label"), get("title")):
            if label not in says_next:
                says_next[label] = _says_next(label)
            called = called or says_next[label]
        classes = get("class")
        if not called and not (classes and "next" in classes.lower()):
            id_, name = get("id"), get("name")
            if not (id_ and "next" in id_.lower()) and not (name and "next" in name.lower()):
                continue
        names = " ".join(filter(None, (classes, get("id"), get("name"))))
        if href.startswith(("#", "javascript:", "mailto:")) or _NOT_NEXT.search(names):
            continue
        if called and not _is_arrow(text, get("aria-label"), get("title")):
            yield href
        elif called or _NEXT_CLASS.search(names):
            by_class.append(href)
    yield from by_class


_ARROWS = frozenset(("›", "»", "→", ">", ">>"))


def _says_next(label: str | None) -> bool:
    """True where a label is one of the words or arrows for "next"."""
    if not label or len(label) > 120:
        return False
    words = " ".join(label.split())
    return words in _ARROWS or words.casefold().strip(" .›»→") in _NEXT_WORDS


def _is_arrow(*labels: str | None) -> bool:
    """True where nothing but an arrow says it: better than nothing, worse than a word."""
    said = [" ".join(label.split()) for label in labels if label and len(label) <= 120]
    return not any(words.casefold().strip(" .›»→") in _NEXT_WORDS for words in said)


def _short_text(anchor: etree._Element) -> str:
    if len(anchor) > 6:
        return ""
    text = ""
    for piece in anchor.itertext():
        text += piece
        if len(text) > 120:
            return ""
    return " ".join(text.split())


def _further(link: str | None, base: str, here: SplitResult) -> str:
    """`link` as an absolute address without its fragment, "" if it leads to this page or another host."""
    try:
        url = urljoin(base, (link or "").strip())
        there = urlsplit(url)
        host = there.hostname
    except ValueError:
        return ""
    if there.scheme not in ("http", "https") or not host or len(url) > 2_000:
        return ""
    if _bare_host(host) != _bare_host(here.hostname or ""):
        return ""
    if (there.path or "/", there.query) == (here.path or "/", here.query):
        return ""
    return there._replace(fragment="").geturl()


def _bare_host(host: str) -> str:
    return host.lower().removeprefix("www.")


def _same_listing(there: SplitResult, here: SplitResult) -> bool:
    """True when a link that looks like "next" stays below the same folder: the next product is none."""
    if there.path == here.path:
        return True
    folder = here.path.rsplit("/", 1)[0]
    numbered = any(c.isdigit() for c in there.path[len(folder) :] + there.query)
    return (
        numbered and there.path.startswith(folder) and (len(folder) > 1 or "page" in there.geturl().lower())
    )


# --- why there is nothing ------------------------------------------------------------------------------


def _blind(response: TextResponse, root: etree._Element, found: Found) -> str:
    """Why a page shows no reviews, in words a person can act on; "" where that may simply be so."""
    if words := wall_on(response, root, holds_something=bool(found.things or found.aggregates)):
        return words
    if _follows_another(response):
        return ""
    size = (
        f"{len(response.body) // 1_000} KB" if len(response.body) >= 2_000 else f"{len(response.body)} bytes"
    )
    if found.aggregates:
        count = max(a.count for a in found.aggregates)
        return (
            f"the page shows an average of {count:,} ratings but states none of its reviews: "
            'read them with kind = "selectors"'
        )
    if not found.things:
        return f'no review is stated in schema.org\'s words on this page of {size}: try kind = "selectors"'
    return ""


def _follows_another(response: TextResponse) -> bool:
    """True for a page further down a listing: its end may well be empty."""
    try:
        listing = response.meta.get("listing")
    except AttributeError:  # a response without a request
        return False
    return isinstance(listing, str) and listing != response.url


class ReviewsSpider(PagedSpider):
    """Reads the reviews of any page that states them in schema.org's words."""

    name = "reviews"
    reader = staticmethod(read_page)
    places = {  # noqa: RUF012  (a ClassVar of the base)
        "item": "schema.org Review",
        "stars": "reviewRating",
        "date": "datePublished",
        "author": "author",
        "text": "reviewBody",
        "id": "@id",
    }
