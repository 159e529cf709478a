"""What does a file hold that somebody saved or exported? Tables, saved pages and answers, notification e-mails.

`read_file` is pure but for the file: an iterator of what it holds, mentions and what could not be read, with
line numbers. It never raises for what a file holds, and its memory does not grow with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import chain, islice
from pathlib import Path

from monitor.config import Source
from spiders.import_mails import mentions_of
from spiders.import_rows import RowReader, month_first, understand
from spiders.imported import ANSWERS, EXPORTS, MAILS, TABLES, Found, Layout, Trouble, Wish
from spiders.parsing.mails import is_mail, mails_of
from spiders.parsing.tables import BadRow, NoTable, Row, rows_of
from spiders.words import error_words
from storage.records import Mention, Removal

SAMPLE = 500  # rows that tell what the columns hold


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
        elif wish.kind in ANSWERS and (found := _answer(path, source, now, wish, head)):
            yield from found
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
        marks = ("hits", "kind", "eventName", 'version": "https://jsonfeed')
        return not any(f'"{mark}"' in text for mark in marks)
    return True


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
    reader = RowReader(layout, source, now, month_first=month_first(good, layout, wish))
    for row in chain(sample, rows):
        if isinstance(row, BadRow):
            yield Trouble(row.line, row.words)
        else:
            yield from reader.read(row)


def _mails(path: Path, source: Source, now: datetime) -> Iterator[Found]:
    yield Layout(
        "mail", {"title": "Subject", "author": "From", "date": "Date", "text": "body", "id": "Message-ID"}
    )
    for mail in mails_of(path):
        yield from mentions_of(mail, source, now)


def _answer(path: Path, source: Source, now: datetime, wish: Wish, head: bytes) -> list[Found]:
    """What a saved answer or webhook of an export's own service holds; nothing where it is neither."""
    if not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
        return []
    found = list(_page(path, source, now, replace(wish, kind=ANSWERS[wish.kind])))
    return found if any(isinstance(one, (Mention, Removal)) for one in found) else []


def _page(path: Path, source: Source, now: datetime, wish: Wish) -> Iterator[Found]:
    from spiders.trial import try_page

    kind = wish.kind or (source.kind if source.kind not in ("", "import") else "")
    known = replace(source, kind=kind) if kind else None
    result = try_page(str(path), now=now, url=wish.url, kind=kind, source=known)
    yield Layout(result.kind or "page", {})
    for mention in result.mentions:
        yield replace(mention, source=source.name, about=mention.about or source.about)
    for removal in result.removals:
        yield replace(removal, source=source.name)
    for words in result.problems:
        yield Trouble(0, words)
    if not result.mentions and not result.removals and not result.problems:
        yield Trouble(0, f"no mention was found (read as {result.kind or 'nothing'})")
