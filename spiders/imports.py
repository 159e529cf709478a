"""What does a file hold that somebody saved or exported? Tables, saved pages and answers, notification e-mails.

    [[sources]]
    name = "inbox"
    kind = "import"
    path = "inbox/"                # beside lowstar.toml; read files are moved to inbox/done/
    every = "15m"
    about = ["Acme"]
    map = "text=Review,stars=Rating"      # only where the columns' names do not say it

`lowstar import FILE…` reads the same way. `read_file` is pure but for the file: an iterator of what it holds,
mentions and what could not be read, with line numbers. It never raises for what a file holds, and its memory
does not grow with it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain, islice
from pathlib import Path

from monitor.config import Source
from spiders.base import Shelf, SourceSpider
from spiders.parsing.columns import guess, read_map
from spiders.parsing.dates import parse_when
from spiders.parsing.html import html_to_text
from spiders.parsing.mails import BadMail, is_mail, mails_of
from spiders.parsing.ratings import Rating, parse_rating, parse_rating_text
from spiders.parsing.tables import BadRow, NoTable, Row, rows_of
from spiders.words import error_words
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

SAMPLE = 500  # rows that tell what the columns hold
MARKUP = re.compile(r"</?(?:p|br|div|span|b|i|li|ul|a)\b[^<>]{0,300}>", re.I)
_SERIAL = re.compile(r"[2-6]\d{4}(?:\.\d{1,12})?")  # days since 1899-12-30, as spreadsheets count
_DAY_FIRST = re.compile(r"\s{0,3}(\d{1,2})[/.-](\d{1,2})[/.-]\d{2,4}\b")

TABLES = ("csv", "tsv", "json", "jsonl", "xlsx", "table")
MAILS = ("mail", "mbox", "eml")
# Review exports whose columns say everything already, and what they do not say: out of how many a rating is.
EXPORTS: Mapping[str, float | None] = {
    "google": 5, "google-business": 5, "google-play": 5, "trustpilot": 5, "amazon": 5, "app-store": 5,
    "booking": 10, "generic": None,
}  # fmt: skip
KINDS = (*EXPORTS, *TABLES, *MAILS)
"""What `--kind` may say besides the kinds of pages."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something in a file that could not be read, in words; `line` where it stands, 0 for the whole file."""

    line: int
    words: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.words}" if self.line else self.words


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table was understood: shown before it is trusted."""

    kind: str
    columns: Mapping[str, str]  # field: column
    unused: tuple[str, ...] = ()
    best: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How a file is to be read, as far as somebody said."""

    kind: str = ""
    mapped: str = ""  # "text=Review,stars=Rating"
    best: float | None = None
    day_first: bool | None = None  # what 03/04/2026 means; None: as the other dates of the table tell
    url: str = ""  # where a saved page came from


Found = Mention | Trouble | Layout


def read_file(path: Path, source: Source, now: datetime, wish: Wish | None = None) -> Iterator[Found]:
    """What `path` holds as mentions of `source`: first how it was understood, then mentions and troubles.

    Reading goes on behind what cannot be read. `now` stands for dates like "yesterday".
    """
    wish = wish or Wish()
    try:
        if not path.is_file():
            yield Trouble(0, "there is no such file" if not path.exists() else "this is no file")
            return
        with path.open("rb") as file:
            head = file.read(8_192)
        if not head:
            yield Trouble(0, "it is empty")
        elif wish.kind in MAILS or (not wish.kind and is_mail(head)):
            yield from _mails(path, source, now)
        elif wish.kind in (*TABLES, *EXPORTS) or (not wish.kind and _is_table(path, head)):
            yield from _table(path, source, now, wish)
        else:
            yield from _page(path, source, now, wish)
    except NoTable as refused:
        yield Trouble(0, str(refused))
    except OSError as error:
        yield Trouble(0, f"it cannot be opened: {error.strerror or error_words(error)}")
    except Exception as error:  # the door: whatever a file holds, the other files are read
        yield Trouble(0, f"it cannot be read: {error_words(error)}")


def _is_table(path: Path, head: bytes) -> bool:
    """Whether a file nobody named a kind for is a table: by what it begins with, then by its name."""
    suffix = path.suffix.lower()
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return True
    if suffix in (".html", ".htm", ".xhtml", ".xml", ".rss", ".atom", ".mhtml"):
        return False
    text = head.decode("utf-16" if b"\x00" in head[:200] else "utf-8", "replace").lstrip("\ufeff \t\r\n")
    if text.startswith("<"):
        return False
    if text.startswith("{") and suffix == ".json":
        # A saved answer of an API we know how to ask is read as such; anything else is a table.
        return not any(f'"{mark}"' in text for mark in ("hits", "kind", 'version": "https://jsonfeed'))
    return True


# --- tables --------------------------------------------------------------------------------------------


def _table(path: Path, source: Source, now: datetime, wish: Wish) -> Iterator[Found]:
    rows = rows_of(path)
    sample = list(islice(rows, SAMPLE))
    good = [row for row in sample if isinstance(row, Row)]
    columns = list(dict.fromkeys(name for row in good for name in row.cells))
    if not columns:
        yield from (Trouble(row.line, row.words) for row in sample if isinstance(row, BadRow))
        yield Trouble(0, "it holds no rows below a header")
        return
    layout, faults = understand(good, columns, wish)
    yield layout
    if faults:
        yield from (Trouble(0, words) for words in faults)
        return
    reader = _RowReader(layout, source, now, month_first=_month_first(good, layout, wish))
    for row in chain(sample, rows):
        if isinstance(row, BadRow):
            yield Trouble(row.line, row.words)
        else:
            yield from reader.read(row)


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


def _month_first(rows: Sequence[Row], layout: Layout, wish: Wish) -> bool:
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
class _RowReader:
    layout: Layout
    source: Source
    now: datetime
    month_first: bool = False

    def read(self, row: Row) -> Iterator[Found]:
        """The mention of a row, and what of it could not be read."""
        has = {name: row.cells.get(column, "").strip() for name, column in self.layout.columns.items()}
        text = _words(has.get("text", ""))
        parts = [
            f"{word}: {said}" if not text else said
            for name, word in (("disliked", "Disliked"), ("liked", "Liked"))
            if (said := _words(has.get(name, "")))
        ]
        text = "\n".join(filter(None, [text, *parts]))
        title = clean_line(_words(has.get("title", "")))
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
            stars=rating.stars,
            rating_raw=rating.raw,
            scale_inferred=rating.scale_inferred and rating.stars is not None,
            reach=_count(has.get("reach", "")),
            language=_language(has.get("language", "")) or self.source.language,
            published_at=at,
            date_precision=precision,
            edited_at=edited if edited is not None and at is not None and edited > at else None,
            owner_reply=_words(has.get("reply", "")),
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


def _words(said: str) -> str:
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


# --- e-mails -------------------------------------------------------------------------------------------

_SUBJECT_STARS = re.compile(
    r"\b([1-5](?:[.,]\d)?)\s{0,3}-?\s{0,3}(?:stars?\b|sterne?\b|étoiles?|estrellas|stelle|★|⭐)", re.I
)
_DRAWN = re.compile("[★⭐]{1,5}[☆✩]{0,4}")


def _mails(path: Path, source: Source, now: datetime) -> Iterator[Found]:
    yield Layout(
        "mail", {"title": "Subject", "author": "From", "date": "Date", "text": "body", "id": "Message-ID"}
    )
    for mail in mails_of(path):
        if isinstance(mail, BadMail):
            yield Trouble(mail.line, mail.words)
            continue
        stated = _stated(mail.html, source, now)
        if stated:
            yield from stated
            continue
        text = html_to_text(mail.html).strip() if mail.html else mail.text.strip()
        text = text or mail.text.strip()
        if not text and not mail.subject:
            yield Trouble(mail.line, "the message is empty")
            continue
        rating = _mail_rating(mail.subject, text)
        yield Mention(
            source=source.name,
            external_id=clean_key(mail.id)
            or fingerprint("", mail.author, f"{mail.subject}\n{text}", mail.at),
            kind=Kind.REVIEW if rating.stars is not None else Kind.POST,
            title=mail.subject,
            text=text,
            author=mail.author,
            stars=rating.stars,
            rating_raw=rating.raw,
            language=source.language,
            published_at=mail.at,
            date_precision=DatePrecision.SECOND if mail.at is not None else DatePrecision.NONE,
            about=source.about,
        )


def _stated(markup: str, source: Source, now: datetime) -> tuple[Mention, ...]:
    """The reviews a message states in schema.org's words, as pages do; most do not."""
    if "schema.org" not in markup or "eview" not in markup:
        return ()
    from scrapy.http import HtmlResponse

    from spiders.reviews import read_page

    page = HtmlResponse("https://mail.invalid/", body=markup.encode("utf-8", "replace"), encoding="utf-8")
    read = read_page(page, source, now).mentions
    return tuple(
        replace(one, url="" if "mail.invalid" in one.url else one.url, about=source.about) for one in read
    )


def _mail_rating(subject: str, text: str) -> Rating:
    """The stars a notification speaks of: "New 2-star review", "★★☆☆☆"; none where it speaks of several."""
    for place in (subject[:300], text[:600]):
        said = _SUBJECT_STARS.search(place)
        if said is not None:
            return parse_rating(said[1].replace(",", "."), best=5)
        drawn = _DRAWN.search(place)
        if drawn is not None and len(drawn[0]) == 5:
            return parse_rating_text(drawn[0])
    return Rating()


# --- pages ---------------------------------------------------------------------------------------------


def _page(path: Path, source: Source, now: datetime, wish: Wish) -> Iterator[Found]:
    from spiders.trial import try_page

    kind = wish.kind or (source.kind if source.kind not in ("", "import") else "")
    known = replace(source, kind=kind) if kind else None
    result = try_page(str(path), now=now, url=wish.url, kind=kind, source=known)
    yield Layout(result.kind or "page", {})
    for mention in result.mentions:
        yield replace(mention, source=source.name, about=mention.about or source.about)
    for words in result.problems:
        yield Trouble(0, words)
    if not result.mentions and not result.problems:
        yield Trouble(0, f"no mention was found (read as {result.kind or 'nothing'})")


# --- the drop folder -----------------------------------------------------------------------------------

SETTLED = timedelta(seconds=5)  # a file changed more recently is still being written
UNFINISHED = (".part", ".tmp", ".crdownload", ".download", ".swp")
HASHES_KEPT = 2_000
BATCH = 200
TROUBLES_SAID = 5  # of one file


def hash_of(path: Path) -> str:
    """What a file's content is known by."""
    digest = hashlib.blake2b(digest_size=12)
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


class DropFolderSpider(SourceSpider):
    """Reads each file that is put into a folder once, and moves it to `done/` beside it when all is stored."""

    name = "import"
    windowed = True  # most of the time nobody puts anything there
    backfills = False

    async def start(self) -> AsyncIterator[Mention | Removal]:
        """The mentions of every file that is new, oldest file first."""
        self._read: list[tuple[Path, str]] = []
        options = self.source.options
        folder = self._folder()
        try:
            files = await asyncio.to_thread(_waiting, folder, self.fetched_at)
        except OSError as error:
            words = error.strerror or error_words(error)
            self.health.failure(f"the folder {folder} cannot be read: {words}")
            return
        self.health.nothing_new()  # an empty folder is an answer
        best = options.get("best")
        wish = Wish(
            kind=str(options.get("format", "")),
            mapped=str(options.get("map", "")),
            best=float(best) if isinstance(best, (int, float)) else None,
        )
        done = set((self.cursor("done") or "").split())
        for path in files:
            if self._stops():
                return
            try:
                content = await asyncio.to_thread(hash_of, path)
            except OSError as error:
                self.health.failure(f"{path.name} cannot be read: {error.strerror or error_words(error)}")
                continue
            if content in done:
                self._read.append((path, content))  # stored before, and not moved then
                continue
            good = True
            found = troubles = 0
            things = read_file(path, self.source, self.fetched_at, wish)
            while batch := await asyncio.to_thread(_some, things):
                for thing in batch:
                    if isinstance(thing, Mention):
                        found += 1
                        yield thing
                    elif isinstance(thing, Trouble):
                        troubles += 1
                        good = good and thing.line > 0
                        if troubles <= TROUBLES_SAID:
                            self.health.problem(f"{path.name}: {thing}")
                if self._stops():
                    return
            if troubles > TROUBLES_SAID:
                self.health.problem(f"{path.name}: and {troubles - TROUBLES_SAID:,} more")
            self.health.page(found=found)
            if found or good:
                self._read.append((path, content))
                done.add(content)
            else:
                self.health.problem(f"{path.name} is left in {folder.name}/: mend it or take it away")
        if self._read:
            kept = [*(self.cursor("done") or "").split(), *(content for _, content in self._read)]
            self.set_cursor("done", " ".join(list(dict.fromkeys(kept))[-HASHES_KEPT:]))

    def missing(self, shelf: Shelf) -> list[Removal]:
        """Moves what was read out of the way: all of it is stored by now."""
        for path, _ in getattr(self, "_read", []):
            target = path.parent / "done"
            try:
                target.mkdir(exist_ok=True)
                os.replace(path, _free(target / path.name))  # noqa: PTH105  (one step, on one file system)
            except OSError as error:
                self.health.note(
                    f"{path.name} was read and cannot be moved to done/: {error.strerror or error_words(error)}"
                )
        return []

    def _stops(self) -> bool:
        return self.brake.pulled or self.full

    def _folder(self) -> Path:
        said = Path(str(self.source.options.get("path", "inbox"))).expanduser()
        # Beside lowstar.toml: cron starts somewhere else.
        return said if said.is_absolute() or self.config is None else self.config.path.parent / said


def _some(things: Iterator[Found]) -> list[Found]:
    return list(islice(things, BATCH))


def _waiting(folder: Path, now: datetime) -> list[Path]:
    """The files of a folder that are whole, oldest first. Raises OSError where the folder cannot be read."""
    found: list[tuple[float, Path]] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if name.startswith((".", "~")) or name.lower().endswith(UNFINISHED) or not entry.is_file():
                continue
            changed = entry.stat().st_mtime
            if changed <= (now - SETTLED).timestamp():
                found.append((changed, Path(entry.path)))
    return [path for _, path in sorted(found)]


def _free(path: Path) -> Path:
    """`path`, or with a number where something of that name is there already."""
    number = 1
    free = path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem} ({number}){path.suffix}")
    return free
