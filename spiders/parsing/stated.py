"""What is one stated review, what names it for good, and when are two statements of one?

Pure functions on what `schema_org` has read: names that last, statements merged, scales agreed on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise

from spiders.parsing.dates import When
from spiders.parsing.ratings import Rating, parse_rating

UNRATED, UNDATED = Rating(), When()


@dataclass(frozen=True, slots=True)
class Review:
    """One review as its page states it."""

    id: str = ""  # the site's own name for it; "" where it gives none that lasts
    url: str = ""
    title: str = ""
    text: str = ""
    author: str = ""
    entity: str = ""  # what is reviewed
    rating: Rating = UNRATED
    published: When = UNDATED
    edited: When = UNDATED
    language: str = ""
    reach: int = 0
    owner_reply: str = ""
    owner_replied: When = UNDATED

    @property
    def weight(self) -> int:
        """How much it says; of two statements of one review the heavier is the base."""
        told = (self.id, self.url, self.title, self.author, self.entity, self.owner_reply)
        return (
            len(self.text)
            + 50 * sum(map(bool, told))
            + 80 * (self.rating.stars is not None)
            + 50 * bool(self.published.at)
        )


@dataclass(frozen=True, slots=True)
class Aggregate:
    """The average a page shows for an entity, in stars, and over how many ratings."""

    entity: str
    rating: Rating
    count: int


# --- its name for good -----------------------------------------------------------------------------------

_PARTS = re.compile(r"[/#?&=:]+")
_NUMBERED = re.compile(r"(?:\A|[-_.~])r?(\d{5,24})\Z")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_OPAQUE = re.compile(r"[A-Za-z0-9_-]{12,80}\Z")
_DAY = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\Z")
_ID_QUERY = re.compile(r"[?&#](?:hrid|review_?id|rid|comment_?id|opinion_?id)=([A-Za-z0-9_.-]{3,100})", re.I)


def lasting_id(text: str) -> str:
    """The part of an `@id` or address that names a review for good; "" for positions ("#review-1") and words.

    >>> lasting_id("https://t.example/#/schema/Review/bt.com/6456378afe4e676d706281c4")
    '6456378afe4e676d706281c4'
    >>> lasting_id("https://g.example/reviews/clip-review-11033491"), lasting_id("#review-3")
    ('11033491', '')
    """
    text = text.strip()[:2_000]
    if hit := _ID_QUERY.search(text):
        return hit[1]
    token = next((part for part in reversed(_PARTS.split(text)) if part), "")
    if hit := _NUMBERED.search(token):
        return "" if _DAY.match(hit[1]) else hit[1]
    if _UUID.match(token):
        return token.lower()
    if _OPAQUE.match(token):
        digits = sum(c.isdigit() for c in token)
        hexed = all(c in "0123456789abcdefABCDEF-" for c in token)
        words = token.count("-") + token.count("_")
        if digits >= 2 and (hexed or (words <= 2 and (digits >= 4 or any(c.isupper() for c in token[1:])))):
            return token
    return ""


def named(reviews: list[Review]) -> list[Review]:
    """Takes away ids that cannot be names: one that different reviews share, or a count down the page."""
    holders: dict[str, list[Review]] = {}
    for review in reviews:
        if review.id:
            holders.setdefault(review.id, []).append(review)
    unfit = {i for i, held in holders.items() if any(not _same(held[0], other) for other in held[1:])}
    numbers = [int(i) for i in holders if i.isdigit() and len(i) < 5]
    if len(numbers) >= 2 and all(b - a == 1 for a, b in pairwise(numbers)):
        unfit |= {str(n) for n in numbers}
    return [replace(r, id="") if r.id in unfit else r for r in reviews]


# --- each once -----------------------------------------------------------------------------------------


_NO_LETTER = re.compile(r"[\W_]+")


def _fold(text: str, length: int = 60) -> str:
    """The beginning of a text, comparable: letters and digits only."""
    return _NO_LETTER.sub("", text[: length * 4].casefold())[:length]


def _same(a: Review, b: Review) -> bool:
    """True when two statements can be of one review."""
    one, two = _fold(a.text), _fold(b.text)
    if one and two:
        size = min(len(one), len(two))
        if one[:size] != two[:size] or (size < 20 and len(one) != len(two)):
            return False
    elif a.rating.stars != b.rating.stars:
        return False
    return not (a.author and b.author) or _fold(a.author) == _fold(b.author)


def merged(reviews: list[Review], subject: str) -> list[Review]:
    """Each review once, in the order of its first statement; the richer statement is the base."""
    kept: list[Review] = []
    places: dict[str, int] = {}
    for review in reviews:
        if not review.entity and subject:
            review = replace(review, entity=subject)
        keys = [f"id {review.id}"] if review.id else []
        words = _fold(review.text, 40)  # one statement may be cut short
        if words:
            keys += [f"text {words} {_fold(review.author)}"]
            if len(words) >= 40:
                keys += [f"long {words}"]
        else:
            keys += (
                [f"star {review.author} {review.rating.stars} {review.published.at}"] if review.author else []
            )
        place = next((places[k] for k in keys if k in places and _joinable(kept[places[k]], review)), None)
        if place is None:
            place = len(kept)
            kept.append(review)
        else:
            kept[place] = _joined(kept[place], review)
        for key in keys:
            places.setdefault(key, place)
    return kept


def _joinable(a: Review, b: Review) -> bool:
    if a.id and b.id and a.id != b.id:
        return False
    if a.id and a.id == b.id:
        return True
    if (
        a.rating.stars is not None
        and b.rating.stars is not None
        and abs(a.rating.stars - b.rating.stars) > 0.01
    ):
        return False
    days = [w.at.date() for w in (a.published, b.published) if w.at]
    return _same(a, b) and (len(days) < 2 or abs((days[0] - days[1]).days) <= 1)


def _joined(a: Review, b: Review) -> Review:
    base, other = (a, b) if a.weight >= b.weight else (b, a)
    exact = base.rating.stars is not None and not (
        base.rating.scale_inferred and other.rating.stars is not None
    )
    return replace(
        base,
        id=base.id or other.id,
        url=base.url or other.url,
        title=base.title or other.title,
        text=base.text if len(base.text) >= len(other.text) else other.text,
        author=base.author or other.author,
        entity=base.entity or other.entity,
        rating=base.rating if exact else other.rating,
        published=base.published if base.published.at else other.published,
        edited=base.edited if base.edited.at else other.edited,
        language=base.language or other.language,
        reach=max(base.reach, other.reach),
        owner_reply=base.owner_reply or other.owner_reply,
        owner_replied=base.owner_replied if base.owner_reply else other.owner_replied,
    )


# --- its scale -------------------------------------------------------------------------------------------


def scaled_alike(reviews: list[Review], aggregates: list[Aggregate]) -> list[Review]:
    """Where some reviews of a page go beyond 5 and the scale is not stated, all are out of 10 (or 100).

    The average's scale is theirs too, except that stars beside an average in per cent are still stars.
    """
    guessed = [r for r in reviews if r.rating.scale_inferred and r.rating.value is not None]
    if not guessed:
        return reviews
    stated = {a.rating.best for a in aggregates if a.rating.best}
    top = max(r.rating.value or 0 for r in guessed)
    best = stated.pop() if len(stated) == 1 else 10.0 if 5 < top <= 10 else 100.0 if top > 10 else 5.0
    if best is None or best < top or (best == 5.0 and not aggregates) or (best >= 20 and top <= 5):
        return reviews
    known = any(a.rating.best == best for a in aggregates)  # then it is on the page after all
    fixed = []
    for review in reviews:
        rating = review.rating
        if rating.scale_inferred and rating.value is not None:
            again = parse_rating(rating.value, best)
            rating = replace(
                again, best=again.best if known else None, raw=rating.raw, scale_inferred=not known
            )
        fixed.append(replace(review, rating=rating))
    return fixed
