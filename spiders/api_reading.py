"""What does one answer of an API hold, and where it is an error, what does it say? Pure; never raises.

What an answer says is untrusted: it becomes text, numbers and dates, and nothing else.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from scrapy.http import Response, TextResponse

from monitor.config import Source
from spiders.api_paging import Answer, scalar, search, with_query
from spiders.api_preset import Preset
from spiders.page import Page, PageReader
from spiders.parsing.dates import When, parse_when
from spiders.parsing.html import html_to_text, markup_to_text
from spiders.parsing.ratings import Rating, parse_rating
from spiders.parsing.reddit_things import plain_text
from spiders.walls import wall_in
from storage.records import Kind, Mention, RatingSnapshot, Removal, clean_line, clean_url, fingerprint

ITEMS_MAX = 5_000  # read of one answer; no API gives more than 1,000
SAID_MAX = 200  # characters of an API's own words that are passed on
GATE_MAX = timedelta(hours=25)  # how long an API's own "not before" is believed
EXPECTED = ("published", "rating", "author")  # fields whose absence from all of a page's items is said
ENOUGH = 3  # items that tell a missing field from an odd one

_HOLE = re.compile(r"\{([^{}]{1,200})\}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}")


def reader(preset: Preset) -> PageReader:
    """The `read_page` of a preset."""

    def read_page(response: TextResponse, source: Source, fetched_at: datetime) -> Page:
        return read_answer(preset, response, source, fetched_at)

    return read_page


def decoded(text: str) -> Any:
    """The JSON value of `text`; NaN and infinity are null. Raises ValueError or RecursionError."""
    return json.loads(text.lstrip("\ufeff"), strict=False, parse_constant=lambda _: None)


def decoded_or_none(response: TextResponse) -> Any:
    """The JSON value of an answer, None where it is none."""
    try:
        return decoded(response.text)
    except (ValueError, RecursionError):
        return None


def read_answer(preset: Preset, response: TextResponse, source: Source, fetched_at: datetime) -> Page:
    """What one answer holds. Never raises on what it says; what is no answer of this API is `blind`."""
    try:
        body = decoded(response.text)
    except (ValueError, RecursionError):
        kind = "a web page" if response.text.lstrip()[:1] == "<" else "something unreadable"
        kind = kind if response.text.strip() else "nothing at all"
        wall = wall_in(response)
        return Page(
            blind=f"{preset.title} answered with {kind} instead of JSON (HTTP {response.status})"
            + (f": {wall}" if wall else "")
        )
    items = items_in(preset, body)
    context = preset.context(response.url)
    snapshots = _snapshots(preset, body, source, fetched_at, response.url)
    url = with_query(response.url, preset.secret_parameters)
    headers = headers_of(response)
    onward = _absolute(_safely(lambda: preset.follow(Answer(url, body, items or (), headers))))
    if items is None:
        if snapshots or onward:
            return Page(snapshots=snapshots, next_urls=onward)
        return Page(blind=_no_answer(preset, body, response.status))
    if not items and isinstance(body, Mapping) and body.get("error"):
        return Page(blind=_no_answer(preset, body, response.status))  # an error in the frame of an answer
    mentions: dict[str, Mention] = {}
    removals: dict[str, Removal] = {}
    named: dict[str, str] = {}
    unread = skipped = 0
    for item in items[:ITEMS_MAX]:
        if not isinstance(item, Mapping):
            unread += 1
            continue
        item = {**item, "_": context}
        if preset.skip and search(preset.skip, item):
            skipped += 1
            continue
        found = _mention(preset, item, source, fetched_at, response.url)
        if isinstance(found, Removal):
            removals.setdefault(found.external_id, found)
        elif found is not None:
            mentions.setdefault(found.external_id, found)
            if preset.again_name and (name := scalar(search(preset.again_name, item))):
                named.setdefault(found.external_id, name)
        else:
            unread += 1
    read = [item for item in items[:ITEMS_MAX] if isinstance(item, Mapping)]
    problems = list(_missing(preset, read)) if mentions else []
    if unread:
        problems.append(f"{preset.title}: {unread} of {len(items)} items have neither words nor stars")
    blind = ""
    if unread and unread + skipped >= len(items):
        paths = ", ".join(f'"{preset.fields[name]}"' for name in ("text", "title") if name in preset.fields)
        blind = (
            f"{preset.title} answered with {unread} items and none could be read: {paths} is missing in all"
        )
        problems = []
    further = _safely(lambda: [preset.paging(Answer(url, body, items, headers))])
    following = _absolute(further)
    if any(further) and not following:
        problems.append(f"{preset.title}: the address of the next page is none that can be asked")
    return Page(
        mentions=tuple(mentions.values()),
        removals=tuple(removals.values()),
        next_urls=(*following, *onward),
        snapshots=snapshots,
        problems=tuple(problems),
        blind=blind,
        named=tuple(named.items()),
    )


def read_item(
    preset: Preset, item: Mapping[str, Any], source: Source, now: datetime, url: str = ""
) -> Mention | Removal | None:
    """One item that came by itself, through a stream or a webhook; None where it is none or says nothing."""
    item = {**item, "_": preset.context(url)}
    if preset.skip and search(preset.skip, item):
        return None
    return _mention(preset, item, source, now, url)


def ids_in(preset: Preset, body: Any, url: str) -> set[str]:
    """The ids of all an answer holds and does not call gone, whether it is a mention or not."""
    context = preset.context(url)
    there = set()
    for item in (items_in(preset, body) or [])[:ITEMS_MAX]:
        if isinstance(item, Mapping):
            whole = {**item, "_": context}
            if not ("gone" in preset.fields and search(preset.fields["gone"], whole)):
                there.add(scalar(search(preset.fields["id"], whole)))
    return there - {""}


def items_in(preset: Preset, body: Any) -> list[Any] | None:
    """The items of an answer, None where it has no place for them; one object stands for a list of one."""
    if isinstance(body, list) and body and all(isinstance(one, Mapping) for one in body):
        # Several answers, or what one holds without its frame, as people save them.
        parts = [_items_of(preset, one) for one in body[:ITEMS_MAX]]
        if all(part is not None for part in parts):
            return [item for part in parts for item in part or ()]
    return _items_of(preset, body)


def _items_of(preset: Preset, body: Any) -> list[Any] | None:
    if callable(preset.items):
        try:
            found: Any = preset.items(body)
        except (TypeError, ValueError, KeyError, AttributeError, RecursionError):  # of another shape
            found = None
        return None if found is None else list(found)
    for path in preset.items:
        found = search(path, body)
        if isinstance(found, Mapping):
            return [found]
        if isinstance(found, list):
            return found
    return None


def _safely(urls: Callable[[], Iterable[str]]) -> list[str]:
    """What a preset makes of an answer; nothing where it is of a shape it did not foresee."""
    try:
        return list(urls())
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, RecursionError):
        return []


def _absolute(urls: Iterable[str]) -> tuple[str, ...]:
    return tuple(url for url in urls if url and clean_url(url))


def _mention(
    preset: Preset, item: Mapping[str, Any], source: Source, now: datetime, url: str
) -> Mention | Removal | None:
    at = preset.fields
    got = {name: search(path, item) for name, path in at.items()}

    def text(name: str) -> str:
        value = got.get(name)
        if isinstance(value, list):
            value = "\n".join(part for part in map(scalar, value) if part)
        said = value if isinstance(value, str) else scalar(value)
        if name in preset.markdown:
            return plain_text(said) if said.strip() else ""
        return markup_to_text(said) if name in preset.html else said

    name = scalar(got.get("id"))
    if got.get("gone") and name:
        return Removal(source.name, name, f"deleted on {preset.title}")
    title, words = clean_line(text("title")), text("text")
    rating = _rating(preset, got.get("rating"))
    if not title and not words.strip() and rating.stars is None:
        return None
    published, edited = (parse_when(got.get(when), now=now) for when in ("published", "edited"))
    if published.at is None:
        published, edited = edited, When()
    entity = _titled(preset, source, text("entity")) or scalar(source.options.get("entity"))
    author = text("author")
    is_edit = edited.at is not None and published.at is not None and edited.at > published.at
    return Mention(
        source=source.name,
        external_id=name
        or fingerprint(entity, author, f"{title}\n{words}", published.at, None if words else rating.stars),
        kind=_kind(preset, got.get("kind")),
        url=clean_url(scalar(got.get("url"))) or _filled_link(preset.link, item, url),
        title=title,
        text="" if words == title else words,
        author=author,
        author_followers=_count(got.get("followers")),
        entity=entity,
        stars=rating.stars,
        rating_raw=rating.raw,
        scale_inferred=rating.scale_inferred and rating.stars is not None,
        reach=_reach(got.get("reach")),
        language=_language(preset, scalar(got.get("language"))) or source.language,
        published_at=published.at,
        date_precision=published.precision,
        edited_at=edited.at if is_edit else None,
        owner_reply=text("reply"),
        owner_replied_at=parse_when(got.get("replied"), now=now).at if got.get("reply") else None,
        text_truncated=got.get("truncated") is True,
        in_reply_to=scalar(got.get("in_reply_to")),
        reference=scalar(got.get("reference")),
        about=source.about,
    )


def _kind(preset: Preset, said: Any) -> Kind:
    try:
        return Kind(said)
    except ValueError:
        return preset.mentions


def _rating(preset: Preset, said: Any) -> Rating:
    if said is None:
        return Rating()
    if "true" in preset.words and said in (0, 1):  # a thumb, as a number
        said = bool(said)
    word = str(said).casefold() if isinstance(said, (str, bool)) else ""
    if word in preset.words:
        stars, printed = preset.words[word]
        return Rating(stars, stars, 5.0, printed)
    return parse_rating(said, best=preset.best)


def _titled(preset: Preset, source: Source, place: str) -> str:
    """What people call a place or an app: its title, else its name where a source has several."""
    if not preset.places:
        return place
    named, titles = source.options.get(preset.places), source.options.get("titles")
    names = [named] if isinstance(named, str) else list(named or ())
    if isinstance(titles, (list, tuple)) and (title := dict(zip(names, titles, strict=False)).get(place)):
        return scalar(title)
    # A number tells nobody anything where there is but one; com.acme.shop does.
    return "" if len(names) == 1 and place.replace("/", "").isalnum() else place


def _count(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return int(value)


def _reach(value: Any) -> int:
    values = value if isinstance(value, list) else [value]
    return sum(max(0, _count(one) or 0) for one in values[:20])


def _language(preset: Preset, said: str) -> str:
    known = preset.languages.get(said.casefold())
    if known is not None:
        return known
    first = re.split(r"[-_]", said, maxsplit=1)[0]
    return first if _LANGUAGE.fullmatch(first) else ""


def _filled_link(link: str, item: Mapping[str, Any], asked_url: str) -> str:
    """`link` with its holes filled, each as one segment of an address; "" where one stays empty.

    {origin} is the server that answered.
    """
    scheme, host = origin(asked_url)
    if link.startswith("{origin}"):
        if not host or host.endswith(".invalid"):  # a saved answer that does not say where it came from
            return ""
        link = f"{scheme}://{host}" + link.removeprefix("{origin}")
    holes: list[str] = []

    def fill(hole: re.Match[str]) -> str:
        holes.append(quote(scalar(search(hole[1], item)), safe="@:"))
        return holes[-1]

    filled = _HOLE.sub(fill, link)
    return clean_url(filled) if all(holes) else ""


def _missing(preset: Preset, items: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    if len(items) < ENOUGH:
        return
    for name in EXPECTED:
        path = preset.fields.get(name)
        if name in preset.lacks or (name == "rating" and preset.mentions is not Kind.REVIEW):
            continue
        if path and all(search(path, item) in (None, "") for item in items):
            yield f'{preset.title}: "{path}" ({name}) is missing in all {len(items)} items'


def _snapshots(
    preset: Preset, body: Any, source: Source, now: datetime, url: str
) -> tuple[RatingSnapshot, ...]:
    if not preset.summary:
        return ()
    average = parse_rating(search(preset.summary["average"], body), best=5)
    count = _count(search(preset.summary["count"], body)) if "count" in preset.summary else 0
    if average.stars is None or average.value == 0:
        return ()
    whole = {**body, "_": preset.context(url)} if isinstance(body, Mapping) else body
    entity = scalar(search(preset.summary["entity"], whole)) if "entity" in preset.summary else ""
    entity = _titled(preset, source, entity)
    return (
        RatingSnapshot(source.name, entity or source.title or source.name, now, average.stars, count or 0),
    )


_MESSAGES = (
    "error.message", "error.description", "error.error_user_msg", "error_description", "error_message", "Message",
    "errors[0].detail", "errors[0].message", "errors[0]", "detail", "message", "reason", "error", "title",
)  # fmt: skip
_CODES = (
    "error.code", "error.status", "status", "error.errors[].reason", "error.details[].reason", "error_name", "error_id",
    "errors[].code", "errors[].title", "error_type", "type", "title", "code", "error",
)  # fmt: skip


def said_in(body: Any) -> str:
    """What an error of an API says, "" where it says nothing in any of the usual places."""
    if isinstance(body, list) and body:
        body = body[0]
    for path in _MESSAGES:
        words = scalar(search(path, body))
        if words:
            return clean_line(html_to_text(words), SAID_MAX)
    return ""


def codes_in(body: Any) -> list[str]:
    """What an error calls itself, in all of the usual places."""
    if isinstance(body, list) and body:
        body = body[0]
    codes: list[str] = []
    for path in _CODES:
        found = search(path, body)
        codes += [code for one in (found if isinstance(found, list) else [found]) if (code := scalar(one))]
    return codes


def advice_on(preset: Preset, body: Any) -> str:
    """What to do about an error, "" where nobody knows."""
    return next((preset.advice[code] for code in codes_in(body) if code in preset.advice), "")


def _no_answer(preset: Preset, body: Any, status: int) -> str:
    said, advice = said_in(body), advice_on(preset, body)
    if said or advice:
        words = "; ".join(filter(None, (said, advice)))
        return f"{preset.title} answered with an error (HTTP {status}): {words}"
    wanted = "" if callable(preset.items) else " or ".join(f'"{one}"' for one in preset.items[:2])
    lacks = f"without {wanted}" if wanted else "in a shape we do not know"
    return f"{preset.title} answered {lacks} (HTTP {status}): has the API changed?"


def not_before(headers: Mapping[str, str], body: Any, now: datetime) -> datetime | None:
    """Until when an API wants to be left alone; None where it does not say."""
    seconds = seconds_in(search("extras.wait_seconds || backoff || parameters.retry_after", body))
    if seconds:
        return now + min(GATE_MAX, timedelta(seconds=seconds))
    for name in ("x-rate-limit-reset", "x-ratelimit-reset", "ratelimit-reset", "ratelimit-resettime"):
        said = headers.get(name, "").strip()
        number = seconds_in(said)
        if number is not None and number < 100_000:
            at: datetime | None = now + timedelta(seconds=number)
        else:
            at = parse_when(said, now=now).at
        if at is not None and at > now:
            return min(at, now + GATE_MAX)
    return None


def seconds_in(value: Any) -> float | None:
    """A number of seconds, as number or text; None for anything else."""
    text = scalar(value)
    if not text or len(text) > 15 or not text.replace(".", "", 1).isdigit() or not text.isascii():
        return None
    return float(text)


def headers_of(response: Response) -> dict[str, str]:
    """The headers of an answer by lower-case name."""
    return {
        name.decode("latin-1").lower(): b", ".join(values).decode("latin-1")
        for name, values in response.headers.items()
    }


def origin(url: str) -> tuple[str, str]:
    """Scheme and host of an address, both "" where it is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    return parts.scheme.lower(), parts.netloc.lower()
