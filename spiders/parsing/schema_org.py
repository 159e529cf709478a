"""Which reviews does a page state in schema.org's words: JSON-LD, microdata, RDFa Lite?

Every data block is read alone, so that a broken one costs only itself. Reviews are found wherever they
stand (`@graph`, `review` lists, references by `@id` within and across blocks), read into `Review`s, and those
a page states twice are merged into one. Nothing here raises on what a stranger wrote, recurses, or reads
without bound.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import urljoin

from lxml import etree
from parsel import Selector

from spiders.parsing import loose_json, microdata
from spiders.parsing.dates import When, parse_when
from spiders.parsing.html import plain
from spiders.parsing.ratings import Rating, parse_rating
from spiders.parsing.stated import Aggregate, Review, lasting_id, merged, named, scaled_alike

REVIEWS_MAX = 2_000  # of one page; the largest real ones print 200
NODES_MAX = 300_000  # objects looked at in the data of one page
BLOCKS_MAX = 500
STATE_MAX = 4_000_000  # characters of the embedded state that is asked for owner replies

_REVIEWS = frozenset(("review", "userreview", "criticreview", "employerreview", "recommendation"))
_AGGREGATES = frozenset(("aggregaterating", "employeraggregaterating"))
_REVIEW_KEYS = frozenset(
    ("review", "reviews", "userreview", "criticreview", "customerreview", "associatedreview")
)
# What surrounds a review without being what it is about.
_FRAMES = frozenset((
    "aggregateoffer", "aggregaterating", "answer", "breadcrumblist", "collectionpage", "faqpage",
    "imageobject", "itemlist", "itempage", "listitem", "offer", "person", "profilepage", "question",
    "rating", "review", "searchaction", "userreview", "webpage", "webpageelement", "website",
))  # fmt: skip
_BUSINESSES = frozenset(
    ["organization", "localbusiness", "corporation", "restaurant", "store", "brand", "hotel", "onlinestore"]
)
# Properties as schema.org, data-vocabulary.org and hasty templates spell them.
_BODY = ("reviewBody", "description", "text", "articleBody", "reviewbody", "ReviewBody")
_TITLE = ("headline", "name", "summary", "title")
_AUTHOR = ("author", "reviewer", "creator", "Author")
_DATE = (
    "datePublished",
    "dateCreated",
    "dtreviewed",
    "dateModified",
    "uploadDate",
    "publishDate",
    "date",
    "datepublished",
)
_RATING = ("reviewRating", "rating", "starRating", "reviewrating", "aggregateRating")
_ABOUT = ("itemReviewed", "itemreviewed", "about")
_REPLIES = (
    "ownerResponse",
    "ownerReply",
    "reply",
    "response",
    "businessResponse",
    "companyReply",
    "merchantReply",
)


@dataclass(frozen=True, slots=True)
class Found:
    """All that a page states."""

    reviews: tuple[Review, ...] = ()
    aggregates: tuple[Aggregate, ...] = ()
    problems: tuple[str, ...] = ()  # what was lost
    notes: tuple[str, ...] = ()  # what was odd, but read
    things: int = 0  # products, places and the like that it names


@dataclass(slots=True)
class _Raw:
    """A review's object with what surrounds it."""

    node: Mapping[str, Any]
    owner: Mapping[str, Any] | None


@dataclass(slots=True)
class _Graph:
    """The objects of a page, each seen once, in the page's order."""

    reviews: list[_Raw] = field(default_factory=list)
    aggregates: list[_Raw] = field(default_factory=list)
    things: list[Mapping[str, Any]] = field(default_factory=list)  # named, and no mere frame
    by_id: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    owners: dict[str, Mapping[str, Any]] = field(default_factory=dict)  # @id of a review → what refers to it
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    cut: int = 0


def reviews_in(page: str | Selector, url: str, *, now: datetime, language: str = "") -> Found:
    """All reviews and averages that a page states, in its order, each once; what was broken, in words.

    `page` is markup or a Selector of it, `url` its address (for relative links), `language` that of the page
    (it settles what 03/04/2022 means). At most 2,000 reviews. About 10 ms for a page of 500 KB with its tree.
    """
    selector = Selector(text=page) if isinstance(page, str) else page
    root = selector.root
    if not isinstance(root, etree._Element):
        return Found()
    mend(root)
    graph = _Graph()
    data, attributes = _json_ld(root, graph), _attributes(root)
    _explore(data, graph)
    found = [_review(raw, graph, url, now, language) for raw in graph.reviews]
    marked = _Graph(by_id=graph.by_id, owners=graph.owners)
    _explore(attributes, marked)
    found += [_review(raw, marked, url, now, language) for raw in marked.reviews]
    graph.problems += marked.problems
    graph.notes += marked.notes
    if graph.cut:
        graph.problems.append(f"{graph.cut} review(s) were cut off at the end of a data block and left out")
    subject = _subject(graph) or _subject(marked)
    aggregates = _aggregates(graph, marked, subject)
    reviews = [r for r in found if r is not None]
    reviews = scaled_alike(reviews, aggregates)
    reviews = merged(named(reviews), subject)
    reviews = _with_state(reviews, root, now, language)
    return Found(
        tuple(reviews),
        tuple(aggregates),
        tuple(dict.fromkeys(graph.problems))[:20],
        tuple(graph.notes),
        len(graph.things) + len(marked.things),
    )


def mend(root: etree._Element) -> None:
    """Puts a page into one tree: a stray </html> makes the parser begin a second one."""
    for other in list(root.itersiblings()):
        if isinstance(other.tag, str):
            root.append(other)


# --- gathering -----------------------------------------------------------------------------------------


def _json_ld(root: etree._Element, graph: _Graph) -> list[Any]:
    values: list[Any] = []
    broken = 0
    for index, script in enumerate(
        s for s in root.iter("script") if "ld+json" in (s.get("type") or "").lower()
    ):
        if index >= BLOCKS_MAX:
            graph.problems.append(f"more than {BLOCKS_MAX} data blocks: the rest was left out")
            break
        value, problems = loose_json.loads(script.text or "")
        broken += bool(problems) and value is not None
        graph.problems += problems[1:] if value is not None else problems
        if value is not None:
            values.append(value)
    if broken:
        blocks = "1 data block is" if broken == 1 else f"{broken} data blocks are"
        graph.notes.append(f"{blocks} not valid JSON; what could be read of it was")
    return values


def _attributes(root: etree._Element) -> list[Any]:
    items: list[Any] = []
    if root.xpath("boolean(//@itemprop)"):
        items += microdata.items_in(root)
    if root.xpath("boolean(//@typeof[contains(., 'Review') or contains(., 'Rating')])"):
        items += microdata.items_in(root, rdfa=True)
    return items


def _types(node: Mapping[str, Any]) -> set[str]:
    value = node.get("@type", node.get("type"))
    names = value if isinstance(value, list) else [value]
    return {re.split(r"[/#:]", name)[-1].lower() for name in names[:10] if isinstance(name, str)}


def _explore(values: list[Any], graph: _Graph) -> None:
    """Fills the graph: a walk in document order over a stack of its own."""
    stack: list[tuple[Any, str, Mapping[str, Any] | None]] = [(v, "", None) for v in reversed(values)]
    seen = 0
    while stack:
        value, key, owner = stack.pop()
        seen += 1
        if seen > NODES_MAX:
            graph.problems.append(
                f"more than {NODES_MAX:,} objects in the page's data: the rest was left out"
            )
            break
        if isinstance(value, list):
            stack.extend((v, key, owner) for v in reversed(value) if isinstance(v, (dict, list)))
            continue
        if not isinstance(value, dict):
            continue
        identity = value.get("@id")
        if isinstance(identity, str):
            if len(value) == 1:
                if key in _REVIEW_KEYS and owner is not None:
                    graph.owners.setdefault(identity, owner)
                continue
            if len(value) > len(graph.by_id.get(identity, ())):
                graph.by_id[identity] = value
        types = _types(value)
        review = bool(types & _REVIEWS) or (
            key.lower() in _REVIEW_KEYS and not types - {""} and _says_something(value)
        )
        if review:
            if microdata.NESTED in value:
                continue
            if loose_json.CUT in value:
                graph.cut += 1
            elif len(graph.reviews) < REVIEWS_MAX:
                graph.reviews.append(_Raw(value, owner))
            elif len(graph.reviews) == REVIEWS_MAX:
                graph.problems.append(f"more than {REVIEWS_MAX:,} reviews on one page: the rest was left out")
        elif types & _AGGREGATES or key == "aggregateRating":
            if len(graph.aggregates) < 200:
                graph.aggregates.append(_Raw(value, owner))
            continue
        elif not types & _FRAMES and value.get("name"):
            owner = value
            if types and len(graph.things) < 1_000:
                graph.things.append(value)
        # What a review holds is about it; only what it reviews may hold more reviews.
        keys = [k for k in (_ABOUT if review else value) if k in value]
        children = [(k, value[k]) for k in keys]
        stack.extend(
            (v, k, owner) for k, v in reversed(children) if isinstance(v, (dict, list)) and isinstance(k, str)
        )


def _says_something(node: Mapping[str, Any]) -> bool:
    return any(k in node for k in ("reviewBody", "reviewRating", "ratingValue", "headline", "description"))


def _first(node: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    for name in names:
        value = node.get(name)
        if value not in (None, "", [], {}):
            return value
    return None


def _resolved(value: Any, graph: _Graph) -> Any:
    """`value`, or what its `@id` refers to; cycles end after a few steps."""
    for _ in range(5):
        if isinstance(value, list):
            value = next((v for v in value[:20] if v), None)
        elif (
            isinstance(value, dict)
            and len(value) <= 2
            and isinstance(value.get("@id"), str)
            and not value.get("name")
        ):
            target = graph.by_id.get(value["@id"])
            if target is None or target is value:
                break
            value = target
        else:
            break
    return value


# --- one review ----------------------------------------------------------------------------------------


def _review(raw: _Raw, graph: _Graph, url: str, now: datetime, language: str) -> Review | None:
    node = raw.node
    body, title = _words(node, _BODY), plain(_first(node, _TITLE))
    about = _resolved(_first(node, _ABOUT), graph)
    owner = graph.owners.get(node["@id"]) if isinstance(node.get("@id"), str) else None
    entity = plain(about) or plain((owner or raw.owner or {}).get("name"))
    rating = _rating(node, graph)
    author = _people(_first(node, _AUTHOR), graph)
    if not body and title and title != entity:
        body, title = title, ""
    if not body and rating.stars is None:
        return None
    if len(title) > 2 and title[0] + title[-1] in ('""', "“”", "„“", "«»"):
        title = title[1:-1].strip()
    if title in (entity, author):  # "name" is often the product's or the author's
        title = ""
    own = node.get("inLanguage") or node.get(microdata.LANG)
    spoken = plain(own.get("alternateName") or own.get("name") if isinstance(own, dict) else own)[:16]
    published = parse_when(_first(node, _DATE), now=now, language=language)
    modified = parse_when(node.get("dateModified"), now=now, language=language)
    edited = modified if modified.at and published.at and modified.at > published.at else When()
    reply, replied = _reply(node, graph, entity, now, language)
    link = node.get("url")
    link = link[0] if isinstance(link, list) and link else link
    return Review(
        id=_id_of(node, url),
        url=_absolute(link, url),
        title=title,
        text=body,
        author=author,
        entity=entity,
        rating=rating,
        published=published,
        edited=edited,
        language=spoken if re.fullmatch(r"[A-Za-z]{2,3}([-_]\w{2,8}){0,2}", spoken) else "",
        reach=_reach(node),
        owner_reply=reply,
        owner_replied=replied,
    )


def _words(node: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """The first property that says something; one given in parts (pros, cons) is put together."""
    for name in names:
        value = node.get(name)
        parts = value if isinstance(value, list) else [value]
        texts = list(dict.fromkeys(text for part in parts[:10] if (text := plain(part))))
        if texts:
            return "\n".join(texts)
    return ""


def _people(value: Any, graph: _Graph, limit: int = 5) -> str:
    """Names of persons or organisations: "Ann", {"name": "Ann"}, [{"givenName": …}], {"@id": …}."""
    names: list[str] = []
    for person in (value if isinstance(value, list) else [value])[:limit]:
        person = _resolved(person, graph)
        name = plain(person)
        if not name and isinstance(person, dict):
            parts = (plain(person.get("givenName")), plain(person.get("familyName")))
            name = " ".join(filter(None, parts)) or plain(person.get("alternateName"))
        if name and name not in names and not name.startswith(("http://", "https://")):
            names.append(name)
    return ", ".join(names)[:300]


def _rating(node: Mapping[str, Any], graph: _Graph) -> Rating:
    value = _first(node, _RATING)
    if isinstance(value, list):  # several: the one that rates the whole, not an aspect
        parts = [_resolved(v, graph) for v in value[:20]]
        value = (
            next(
                (p for p in parts if not (isinstance(p, dict) and _first(p, ("reviewAspect", "name")))), None
            )
            or parts[0]
        )
    value = _resolved(value, graph)
    if value is None and node.get("ratingValue") is not None:
        value = node
    if isinstance(value, dict):
        return parse_rating(
            value.get("ratingValue", value.get("value")), value.get("bestRating"), value.get("worstRating")
        )
    return parse_rating(value)


def _reach(node: Mapping[str, Any]) -> int:
    """How many people said that they agree."""
    total = 0
    counters = node.get("interactionStatistic")
    for counter in (counters if isinstance(counters, list) else [counters])[:20]:
        if isinstance(counter, dict):
            total += _whole(counter.get("userInteractionCount"))
    return total + sum(_whole(node.get(name)) for name in ("upvoteCount", "likeCount", "helpfulCount"))


def _whole(value: Any) -> int:
    digits = re.sub(r"[.,\s\u00a0]", "", plain(value)[:20])
    return int(digits) if digits.isdigit() and digits.isascii() else 0


def _reply(
    node: Mapping[str, Any], graph: _Graph, entity: str, now: datetime, language: str
) -> tuple[str, When]:
    """What the business answered; a comment by anyone else is not its answer."""
    comments = node.get("comment")
    candidates = [(c, False) for c in (comments if isinstance(comments, list) else [comments])[:50]]
    candidates += [(node[name], True) for name in _REPLIES if node.get(name)]
    for comment, certain in candidates:
        comment = _resolved(comment, graph)
        if certain and isinstance(comment, str):
            return plain(comment), When()
        if not isinstance(comment, dict):
            continue
        author = _resolved(comment.get("author"), graph)
        name = _people(author, graph).casefold()
        business = isinstance(author, dict) and bool(_types(author) & _BUSINESSES)
        if (
            certain
            or business
            or (name and entity and (name in entity.casefold() or entity.casefold() in name))
        ):
            text = _words(comment, ("text", "message", "description", "comment", "body", "content", "name"))
            if text:
                at = _first(comment, ("datePublished", "dateCreated", "publishedDate", "createdAt", "date"))
                return text, parse_when(at, now=now, language=language)
    return "", When()


def _absolute(link: Any, base: str) -> str:
    if not isinstance(link, str) or not link.strip() or len(link) > 2_000:
        return ""
    try:
        joined = urljoin(base, link.strip())
    except ValueError:
        return ""
    return joined if joined.startswith(("https://", "http://")) else ""


# --- its name for good ---------------------------------------------------------------------------------


def _id_of(node: Mapping[str, Any], url: str) -> str:
    key = node.get(microdata.KEY)
    if isinstance(key, str) and key:
        # An id="review-7" may be a position; data-review-id="7" says what it is.
        return key if not key.startswith("id:") else (lasting_id("-" + key[3:]) or lasting_id(key[3:]))
    identifier = node.get("identifier")
    if isinstance(identifier, (dict, list)):
        inner = identifier[0] if isinstance(identifier, list) and identifier else identifier
        identifier = inner.get("value", inner.get("@value")) if isinstance(inner, dict) else inner
    told = plain(identifier)[:200]
    if (told and not told.isdigit()) or len(told) >= 3:
        return lasting_id(told) or told
    for name in ("@id", "url"):
        value = node.get(name)
        value = value[0] if isinstance(value, list) and value else value
        if isinstance(value, str) and (found := lasting_id(value)) and found not in url:
            return found
    return ""


# --- the page as a whole -------------------------------------------------------------------------------


def _subject(graph: _Graph) -> str:
    """What the page is about, where it says so: the one thing it rates, or the only one it names."""
    rated = {plain(raw.owner.get("name")) for raw in graph.aggregates if raw.owner}
    if len(rated) == 1:
        return rated.pop()
    names = {
        plain(t.get("name"))
        for t in graph.things
        if not _types(t) & (_FRAMES | {"brand", "organization", "place"})
    }
    return names.pop() if len(names) == 1 else ""


def _aggregates(graph: _Graph, marked: _Graph, subject: str) -> list[Aggregate]:
    best: dict[str, Aggregate] = {}
    for source in (graph, marked):
        for raw in source.aggregates:
            value = raw.node.get("ratingValue", raw.node.get("value"))
            rating = parse_rating(value, raw.node.get("bestRating"), raw.node.get("worstRating"))
            counts = [_whole(raw.node.get(name)) for name in ("ratingCount", "reviewCount")]
            count = counts[0] or counts[1]
            if rating.stars is None or rating.value is None or not count:
                continue
            about = _resolved(_first(raw.node, _ABOUT), source)
            entity = plain(about) or plain((raw.owner or {}).get("name")) or subject
            if entity not in best or best[entity].count < count:
                best[entity] = Aggregate(entity, rating, count)
    return list(best.values())[:100]


_STATE_IDS = ("id", "reviewId", "review_id", "encid", "uuid")


def _with_state(reviews: list[Review], root: etree._Element, now: datetime, language: str) -> list[Review]:
    """Adds what only the page's embedded state knows of its reviews: owner replies, votes, languages."""
    places = {r.id: i for i, r in enumerate(reviews) if r.id and not r.owner_reply}
    if not places:
        return reviews
    for script in root.iter("script"):
        if script.get("id") != "__NEXT_DATA__" and (script.get("type") or "").lower() != "application/json":
            continue
        text = script.text or ""
        if len(text) > STATE_MAX or not any(i in text for i in list(places)[:3]):
            continue
        try:
            state = json.loads(text, parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            continue
        for node in _objects(state):
            name = next(
                (n for k in _STATE_IDS if isinstance(n := node.get(k), (str, int)) and str(n) in places), None
            )
            if name is not None:
                place = places[str(name)]
                reviews[place] = _enriched(reviews[place], node, now, language)
    return reviews


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    stack, seen = [value], 0
    while stack and seen < NODES_MAX:
        node = stack.pop()
        seen += 1
        if isinstance(node, dict):
            yield node
            stack.extend(v for v in node.values() if isinstance(v, (dict, list)))
        elif isinstance(node, list):
            stack.extend(v for v in reversed(node) if isinstance(v, (dict, list)))


def _enriched(review: Review, node: Mapping[str, Any], now: datetime, language: str) -> Review:
    reply, replied = _reply({k: v for k, v in node.items() if k in _REPLIES}, _Graph(), "", now, language)
    dates = node.get("dates") if isinstance(node.get("dates"), dict) else node
    updated = parse_when(dates.get("updatedDate") if dates else None, now=now, language=language)
    later = updated.at is not None and review.published.at is not None and updated.at > review.published.at
    spoken = node.get("language")
    return replace(
        review,
        owner_reply=review.owner_reply or reply,
        owner_replied=review.owner_replied if review.owner_reply else replied,
        reach=max(review.reach, _whole(_first(node, ("likes", "helpfulVotes", "upvotes", "helpfulCount")))),
        edited=updated if later and not review.edited.at else review.edited,
        language=review.language or (spoken if isinstance(spoken, str) and len(spoken) <= 8 else ""),
    )
