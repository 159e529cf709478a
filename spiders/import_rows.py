"""What do the rows of a table say? Columns by their names and what stands in them; a row as a mention."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.config import Source
from spiders.imported import EXPORTS, Found, Layout, Trouble, Wish
from spiders.parsing.columns import guess, read_map
from spiders.parsing.dates import parse_when
from spiders.parsing.html import html_to_text
from spiders.parsing.ratings import Rating, parse_rating
from spiders.parsing.tables import Row
from storage.records import (
    DatePrecision,
    Kind,
    Mention,
    clean_key,
    clean_line,
    clean_url,
    fingerprint,
)

MARKUP = re.compile(r"</?(?:p|br|div|span|b|i|li|ul|a)\b[^<>]{0,300}>", re.I)
_SERIAL = re.compile(r"[2-6]\d{4}(?:\.\d{1,12})?")  # days since 1899-12-30, as spreadsheets count
_DAY_FIRST = re.compile(r"\s{0,3}(\d{1,2})[/.-](\d{1,2})[/.-]\d{2,4}\b")


def understand(rows: Sequence[Row], columns: Sequence[str], wish: Wish) -> tuple[Layout, list[str]]:
    """What the columns of a table hold, from their names, a sample of rows and what was wished; and mistakes."""
    said, faults = read_map(wish.mapped, columns)
    found = {name: column for name, column in guess(columns).items() if column not in said.values()} | said

    def values(column: str) -> list[str]:
        return [row.cells[column] for row in rows if row.cells.get(column, "").strip()]

    def rates(column: str, share: float = 0.9) -> bool:
        """True when so many of a column are ratings."""
        some = values(column)[:100]
        # "5", "4/5", "★★★", "FIVE"; but not "so so 1".
        bare = [
            one for one in some if len(one) <= 20 and (one[0].isdigit() or one[0] in "★⭐" or one.isalpha())
        ]
        good = sum(parse_rating(one).stars is not None for one in bare)
        return bool(some) and good >= share * len(some)

    text = found.get("text", "")
    if text and "text" not in said and rates(text):  # "Bewertung" and "Review" are names of both
        del found["text"]
        found.setdefault("stars", text)
    stars = found.get("stars", "")
    if stars and "stars" not in said and values(stars) and not rates(stars, 0.3):
        del found["stars"]
        found.setdefault("text", stars)
    if not {"text", "liked", "disliked", "title", "stars"} & set(found) and not faults:
        names = ", ".join(repr(column) for column in columns[:20])
        faults.append(
            f"no column is known to hold what people wrote; there are: {names}. Say which: --map text=COLUMN"
        )
    best = wish.best if wish.best is not None else EXPORTS.get(wish.kind)
    notes: list[str] = []
    if best is None and "stars" in found:
        best = _best(values(found["stars"]), booking="liked" in found or "disliked" in found)
        if best is not None and best != 5:
            notes.append(f"ratings are read as out of {best:g}; --best says otherwise")
    used = set(found.values())
    return Layout(
        wish.kind or "table", found, tuple(one for one in columns if one not in used), best, tuple(notes)
    ), faults


def _best(values: Sequence[str], *, booking: bool) -> float | None:
    """Out of how many the ratings of a column are, None where it says so itself or nobody can tell.

    One odd value among many is a slip of a hand and no larger scale.
    """
    found = [parse_rating(one).value for one in values if "/" not in one]
    numbers = [number for number in found if number is not None]
    if not numbers:
        return None
    few = 0.05 * len(numbers)
    if sum(number > 10 for number in numbers) > few:
        return 100
    return 10 if booking or sum(number > 5 for number in numbers) > max(few, len(numbers) > 2) else 5


def month_first(rows: Sequence[Row], layout: Layout, wish: Wish) -> bool:
    """What 03/04/2026 means: as the table's unambiguous dates tell, else the day first."""
    if wish.day_first is not None:
        return not wish.day_first
    column = layout.columns.get("date", "")
    pairs = [
        (int(match[1]), int(match[2]))
        for row in rows
        if (match := _DAY_FIRST.match(row.cells.get(column, ""))) is not None
    ]
    return not any(first > 12 for first, _ in pairs) and any(second > 12 for _, second in pairs)


@dataclass
class RowReader:
    layout: Layout
    source: Source
    now: datetime
    month_first: bool = False

    def read(self, row: Row) -> Iterator[Found]:
        """The mention of a row, and what of it could not be read."""
        has = {name: row.cells.get(column, "").strip() for name, column in self.layout.columns.items()}
        text = plain_words(has.get("text", ""))
        parts = [
            f"{word}: {said}" if not text else said
            for name, word in (("disliked", "Disliked"), ("liked", "Liked"))
            if (said := plain_words(has.get(name, "")))
        ]
        text = "\n".join(filter(None, [text, *parts]))
        title = clean_line(plain_words(has.get("title", "")))
        rating = parse_rating(has["stars"], best=self.layout.best) if has.get("stars") else Rating()
        if self.layout.best and rating.value is not None and rating.value > (rating.best or self.layout.best):
            rating = Rating()
        elif self.layout.best and rating.value is not None and rating.value > self.layout.best:
            rating = rating if "/" in rating.raw or "%" in rating.raw else Rating()
        if not text and not title and rating.stars is None:
            if any(has.values()):
                yield Trouble(row.line, "it has neither words nor stars")
            return
        if has.get("stars") and rating.stars is None:
            yield Trouble(row.line, f"{has['stars'][:40]!r} is no rating; it is read without stars")
        at, precision = self._when(has.get("date", ""))
        if has.get("date") and at is None:
            yield Trouble(row.line, f"{has['date'][:40]!r} is no date; it is read without one")
        if at is not None and at > self.now + timedelta(days=2):
            yield Trouble(row.line, f"{has['date'][:40]!r} is in the future")
        edited, _ = self._when(has.get("edited", ""))
        entity = clean_line(has.get("entity", ""))
        name = has.get("id", "")
        day = at if precision in (DatePrecision.SECOND, DatePrecision.DAY) else None
        mention = Mention(
            source=self.source.name,
            external_id=clean_key(name)
            or fingerprint(
                entity, has.get("author", ""), f"{title}\n{text}", day, None if text else rating.stars
            ),
            kind=Kind.REVIEW
            if rating.stars is not None or self.layout.kind in EXPORTS
            else _kind(self.source),
            url=clean_url(has.get("url", "")),
            title="" if title == text else title,
            text=text,
            author=has.get("author", ""),
            entity=entity,
            reference=has.get("reference", ""),
            stars=rating.stars,
            rating_raw=rating.raw,
            scale_inferred=rating.scale_inferred and rating.stars is not None,
            reach=_count(has.get("reach", "")),
            language=_language(has.get("language", "")) or self.source.language,
            published_at=at,
            date_precision=precision,
            edited_at=edited if edited is not None and at is not None and edited > at else None,
            owner_reply=plain_words(has.get("reply", "")),
            owner_replied_at=self._when(has.get("replied", ""))[0] if has.get("reply") else None,
            about=self.source.about,
        )
        yield mention

    def _when(self, said: str) -> tuple[datetime | None, DatePrecision]:
        if not said:
            return None, DatePrecision.NONE
        if _SERIAL.fullmatch(said):
            at = datetime(1899, 12, 30, tzinfo=self.now.tzinfo) + timedelta(days=float(said))
            return at.replace(microsecond=0), DatePrecision.SECOND if "." in said else DatePrecision.DAY
        when = parse_when(said, now=self.now, language="en-US" if self.month_first else self.source.language)
        return when.at, when.precision


def _kind(source: Source) -> Kind:
    said = source.options.get("mentions_are", "")
    return Kind(said) if said in {kind.value for kind in Kind} else Kind.REVIEW


def plain_words(said: str) -> str:
    """A cell as text: exports of web shops leave the markup in."""
    if "<" in said and MARKUP.search(said[:20_000]):
        return html_to_text(said)
    return said.strip() if said.strip().casefold() not in ("null", "none", "n/a", "nan", "-") else ""


def _count(said: str) -> int:
    digits = said.replace(",", "").replace(".0", "").strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 12 else 0


def _language(said: str) -> str:
    code = re.split(r"[-_]", said.strip(), maxsplit=1)[0].lower()
    return code if 2 <= len(code) <= 3 and code.isascii() and code.isalpha() else ""
