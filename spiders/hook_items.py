"""What does a webhook's body say? Items as JSON from anybody, and why one cannot be taken. Pure.

One object, a list, JSON lines, or the events of Trustpilot, Facebook and Instagram. The documented names of
fields are read first (docs/webhook.md), then the usual names that exports give the same things.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from monitor.config import Source
from spiders.api_reading import decoded, read_item
from spiders.hook_events import NotOurs, facebook_events, trustpilot_events
from spiders.import_rows import plain_words
from spiders.parsing.columns import FIELDS, guess
from spiders.parsing.dates import parse_when
from spiders.parsing.ratings import Rating, parse_rating
from spiders.parsing.tables import BadRow, Row, json_row
from storage.records import (
    DatePrecision,
    Kind,
    Mention,
    Removal,
    clean_key,
    clean_line,
    clean_url,
    fingerprint,
)

ITEMS_MAX = 1_000  # of one request

# The documented names, as docs/webhook.md has them, and what they are called inside.
NAMES: Mapping[str, str] = {
    "id": "id", "text": "text", "title": "title", "author": "author", "stars": "stars", "best": "best",
    "url": "url", "published_at": "date", "edited_at": "edited", "source": "source", "entity": "entity",
    "language": "language", "reach": "reach", "in_reply_to": "parent", "owner_reply": "reply",
    "owner_replied_at": "replied", "deleted": "deleted", "kind": "kind", "reference": "reference",
}  # fmt: skip
# What exports do not have, and so `guess` does not know.
_MORE: Mapping[str, tuple[str, ...]] = {
    "best": (
        "max_stars",
        "maxStars",
        "bestRating",
        "best_rating",
        "max_rating",
        "maxRating",
        "scale",
        "out_of",
    ),
    "source": ("platform", "channel", "network", "site"),
    "parent": ("inReplyTo", "reply_to", "replyTo", "parent_id", "parentId"),
    "reference": (
        "referenceId",
        "reference_id",
        "order",
        "orderId",
        "order_id",
        "orderNumber",
        "order_number",
    ),
    "deleted": ("is_deleted", "isDeleted", "removed", "is_removed"),
}
_TRUE = frozenset({"true", "yes", "1", "deleted", "removed"})


class NotUnderstood(ValueError):
    """The body holds no items; `str()` says why and what is taken."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why an item, or one of its fields, was not taken."""

    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Read:
    """One item as it was read: what it says, or why it says nothing; and what of it was passed over."""

    thing: Mention | Removal | Refused | NotOurs
    passed_over: tuple[Refused, ...] = ()


def items_of(body: bytes) -> list[Any]:
    """The items of a body, in their order. Raises NotUnderstood."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotUnderstood("the body is not UTF-8 text") from None
    if not text.strip():
        raise NotUnderstood("the body is empty; taken are a JSON object, a list of them, or one a line")
    try:
        found = decoded(text)
    except RecursionError:
        raise NotUnderstood("the body is nested too deeply") from None
    except ValueError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2 or not lines[0].lstrip().startswith("{"):
            where = f": {error}" if type(error).__name__ == "JSONDecodeError" else ""
            raise NotUnderstood(f"the body is no JSON{clean_line(where, 100)}") from None
        found = [_line(line) for line in lines[: ITEMS_MAX + 1]]
    items = found if isinstance(found, list) else [found]
    # {"mentions": […]} and the like: many tools wrap what they send.
    if isinstance(found, dict) and len(found) <= 3:
        wrapped = [
            one
            for name in ("mentions", "items", "data", "records")
            if isinstance(one := found.get(name), list)
        ]
        items = wrapped[0] if len(wrapped) == 1 else items
    if len(items) > ITEMS_MAX:
        raise NotUnderstood(f"more than {ITEMS_MAX:,} items; send them in several requests")
    return items


def _line(line: str) -> Any:
    try:
        return decoded(line)
    except (ValueError, RecursionError):
        return line  # no object: refused as an item, and the other lines are taken


def read_body(body: bytes, source: Source, now: datetime) -> Iterator[Read]:
    """Every item of a body of `source`. Raises NotUnderstood before the first."""
    items = items_of(body)
    return _read(items, source, now)


def _read(items: list[Any], source: Source, now: datetime) -> Iterator[Read]:
    for item in items:
        if isinstance(item, dict) and isinstance(item.get("events"), list):
            yield from _events(trustpilot_events(item), source, now)
        elif isinstance(item, dict) and isinstance(item.get("eventData"), dict) and "eventName" in item:
            yield from _events(trustpilot_events({"events": [item]}), source, now)
        elif isinstance(item, dict) and isinstance(item.get("entry"), list) and "object" in item:
            yield from _events(facebook_events(item), source, now)
        else:
            yield _one(item, source, now)


def _events(events: Iterator[Any], source: Source, now: datetime) -> Iterator[Read]:
    for preset, item in events:
        if isinstance(item, NotOurs):
            yield Read(item)
            continue
        thing = read_item(preset, item, source, now)
        yield Read(thing if thing is not None else Refused("text", "it has neither words nor stars"))


def _one(item: Any, source: Source, now: datetime) -> Read:
    row = json_row(0, item)
    if isinstance(row, BadRow):
        return Read(Refused("", "an item is a JSON object"))
    has = _fields(row, source)
    passed: list[Refused] = []
    name = clean_key(has.get("id", ""))
    if has.get("deleted", "").casefold() in _TRUE:
        if not name:
            return Read(Refused("id", "a deletion names the id its mention was sent with"))
        return Read(Removal(source.name, name, "deleted, as its sender says"))
    text, title = _text(has), clean_line(plain_words(has.get("title", "")))
    rating = _rating(has, source, passed)
    if not text and not title and rating.stars is None:
        if passed:
            return Read(passed[0])
        known = clean_line(", ".join(list(row.cells)[:10]) or "none", 200)
        return Read(Refused("text", f"required unless there are stars; the item's fields are: {known}"))
    at, precision = _when(has, "date", "published_at", source, now, passed)
    edited, _ = _when(has, "edited", "edited_at", source, now, passed)
    replied, _ = _when(has, "replied", "owner_replied_at", source, now, passed)
    url = clean_url(has.get("url", ""))
    if has.get("url") and not url:
        passed.append(Refused("url", "no web address (http or https); it is left out"))
    entity = clean_line(has.get("entity", "") or has.get("source", ""))
    author = has.get("author", "")
    day = at if precision in (DatePrecision.SECOND, DatePrecision.DAY) else None
    reply = plain_words(has.get("reply", ""))
    return Read(
        Mention(
            source=source.name,
            external_id=name
            or fingerprint(entity, author, f"{title}\n{text}", day, None if text else rating.stars),
            kind=_kind(has, source, rating, passed),
            url=url,
            title="" if title == text else title,
            text=text,
            author=author,
            entity=entity,
            stars=rating.stars,
            rating_raw=rating.raw,
            scale_inferred=rating.scale_inferred and rating.stars is not None,
            reach=_reach(has, passed),
            language=_language(has, passed) or source.language,
            published_at=at,
            date_precision=precision,
            edited_at=edited if edited is not None and at is not None and edited > at else None,
            owner_reply=reply,
            owner_replied_at=replied if reply else None,
            in_reply_to=has.get("parent", ""),
            reference=has.get("reference", ""),
            about=source.about,
        ),
        tuple(passed),
    )


def _fields(row: Row, source: Source) -> dict[str, str]:
    """The values of an item by what they are: as configured, by the documented name, by a usual one."""
    said = source.options.get("fields")
    mapped = dict(said) if isinstance(said, Mapping) else {}
    places = {NAMES[name]: place for name, place in mapped.items() if name in NAMES and place in row.cells}
    for name, inside in NAMES.items():
        if name in row.cells:
            places.setdefault(inside, name)
    for inside, names in _MORE.items():
        if there := next((name for name in names if name in row.cells), None):
            places.setdefault(inside, there)
    taken = set(places.values())
    for inside, column in guess([name for name in row.cells if name not in taken]).items():
        if inside in FIELDS:
            places.setdefault(inside, column)
    return {inside: row.cells[place].strip() for inside, place in places.items()}


def _text(has: Mapping[str, str]) -> str:
    text = plain_words(has.get("text", ""))
    parts = [
        said if text else f"{word}: {said}"
        for name, word in (("disliked", "Disliked"), ("liked", "Liked"))
        if (said := plain_words(has.get(name, "")))
    ]
    return "\n".join(filter(None, [text, *parts]))


def _rating(has: Mapping[str, str], source: Source, passed: list[Refused]) -> Rating:
    said = has.get("stars", "")
    if not said:
        return Rating()
    best = _number(has.get("best") or source.options.get("best"))
    rating = parse_rating(said, best=best)
    beyond = best is not None and rating.value is not None and rating.value > best
    if rating.stars is None or (beyond and "/" not in said and "%" not in said):
        passed.append(Refused("stars", f"{clean_line(said, 40)!r} is no rating; it is read without stars"))
        return Rating()
    return rating


def _number(said: object) -> float | None:
    try:
        number = float(str(said))
    except ValueError:
        return None
    return number if 1 <= number <= 1_000 else None


def _when(
    has: Mapping[str, str], inside: str, name: str, source: Source, now: datetime, passed: list[Refused]
) -> tuple[datetime | None, DatePrecision]:
    said = has.get(inside, "")
    if not said:
        return None, DatePrecision.NONE
    when = parse_when(said, now=now, language=source.language)
    if when.at is None:
        passed.append(
            Refused(name, f"{clean_line(said, 40)!r} is no date (ISO 8601); it is read without one")
        )
        return None, DatePrecision.NONE
    if when.at > now + timedelta(days=2):
        passed.append(Refused(name, f"{clean_line(said, 40)!r} is in the future; it is read without one"))
        return None, DatePrecision.NONE
    return when.at, when.precision


def _kind(has: Mapping[str, str], source: Source, rating: Rating, passed: list[Refused]) -> Kind:
    said = has.get("kind", "").casefold() or str(source.options.get("mentions_are", ""))
    usual = Kind.REVIEW if rating.stars is not None else Kind.POST
    if not said:
        return usual
    try:
        return Kind(said)
    except ValueError:
        allowed = ", ".join(kind.value for kind in Kind)
        passed.append(Refused("kind", f"{clean_line(said, 40)!r}; allowed: {allowed}"))
        return usual


def _reach(has: Mapping[str, str], passed: list[Refused]) -> int:
    said = has.get("reach", "")
    digits = said.replace(",", "").removesuffix(".0")
    if not said:
        return 0
    if digits.isascii() and digits.isdigit() and len(digits) < 12:
        return int(digits)
    passed.append(Refused("reach", f"{clean_line(said, 40)!r} is no whole number; it is read as 0"))
    return 0


def _language(has: Mapping[str, str], passed: list[Refused]) -> str:
    said = has.get("language", "").strip()
    code = said.replace("_", "-").partition("-")[0].lower()
    if not said or (2 <= len(code) <= 3 and code.isascii() and code.isalpha()):
        return code
    passed.append(Refused("language", f"{clean_line(said, 40)!r} is no ISO 639-1 code; it is left out"))
    return ""
