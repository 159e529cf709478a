"""What rows does the first sheet of an XLSX workbook hold? Streamed, bounded, no formula run, no link followed.

XLSX is a zip of XML. Both can be bombs: what unpacks to more than is allowed is refused, entities are off.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from lxml import etree

from spiders.parsing.tables import COLUMNS_MAX, BadRow, NoTable, Row, plain

SHEET_MAX = 1 << 30  # bytes a sheet may unpack to; it is streamed
STRINGS_MAX = 200 << 20  # bytes the shared texts may unpack to; they are kept in memory
STRINGS_KEPT = 80_000_000  # characters of them
RATIO_MAX = 500  # unpacked to packed; real sheets reach 50
_NS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
_REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def workbook_rows(path: Path) -> Iterator[Row | BadRow]:
    """The rows of the first sheet, its first filled one taken as the header. Raises NoTable."""
    try:
        book = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
        raise NoTable(f"it is a broken zip file: {error}") from None
    try:
        if "xl/workbook.xml" not in book.namelist():
            raise NoTable("it is a zip file and no XLSX workbook: unpack it first")
        sheet = _first_sheet(book)
        texts = _shared_texts(book)
    except NoTable:
        book.close()
        raise
    except (zipfile.BadZipFile, etree.Error, KeyError, OSError, RuntimeError, NotImplementedError) as error:
        book.close()
        raise NoTable(f"the workbook cannot be read: {error}") from None
    return _rows(book, sheet, texts)


def _rows(book: zipfile.ZipFile, sheet: str, texts: list[str]) -> Iterator[Row | BadRow]:
    header: dict[int, str] = {}
    line = 0
    with book:
        try:
            with _opened(book, sheet, SHEET_MAX) as file:
                for row in _elements(file, "row"):
                    said = row.get("r", "")
                    line = int(said) if said.isdigit() and len(said) < 9 else line + 1
                    cells = dict(_cells(row, texts))
                    if not any(cells.values()):
                        continue
                    if not header:
                        if len(cells) < 2 and line < 20:
                            continue  # a title above the header
                        for at, name in cells.items():
                            taken = name in header.values()
                            header[at] = f"{name} {at + 1}" if taken else name or f"column {at + 1}"
                        continue
                    named = {header.get(at, f"column {at + 1}"): cell for at, cell in cells.items() if cell}
                    yield Row(line, named)
        except (zipfile.BadZipFile, etree.Error, OSError, EOFError, RuntimeError, ValueError) as error:
            yield BadRow(line + 1, f"the sheet is broken from here on: {' '.join(str(error).split())[:150]}")


def _cells(row: Any, texts: list[str]) -> Iterator[tuple[int, str]]:
    column = -1
    for cell in row:
        said = cell.get("r", "")
        column = _column(said) if said else column + 1
        if not 0 <= column < COLUMNS_MAX:
            continue
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            text = "".join(cell.itertext())
        else:
            value = next((one.text or "" for one in cell if etree.QName(one).localname == "v"), "")
            if kind == "s":
                text = texts[int(value)] if value.isdigit() and int(value) < len(texts) else ""
            elif kind == "b":
                text = "true" if value == "1" else "false"
            elif kind == "e":
                text = ""  # an error of a formula: #REF!
            else:
                text = value.removesuffix(".0")
        yield column, plain(text)


def _column(reference: str) -> int:
    """The number of the column `reference` is in, from 0; −1 for none.

    >>> _column("A1"), _column("AB12"), _column("7")
    (0, 27, -1)
    """
    number = 0
    for letter in reference[:4]:
        if not ("A" <= letter <= "Z"):
            break
        number = number * 26 + ord(letter) - 64
    return number - 1


def _first_sheet(book: zipfile.ZipFile) -> str:
    with _opened(book, "xl/workbook.xml", 10 << 20) as file:
        ids = [
            sheet.get(_REL, "") for sheet in _elements(file, "sheet") if sheet.get("state", "") != "hidden"
        ]
    links: dict[str, str] = {}
    with _opened(book, "xl/_rels/workbook.xml.rels", 10 << 20) as file:
        for link in _elements(file, "Relationship"):
            links[link.get("Id", "")] = link.get("Target", "")
    names = set(book.namelist())
    for one in ids:
        target = links.get(one, "").lstrip("/")
        for name in (target, f"xl/{target}"):
            if name in names:
                return name
    if "xl/worksheets/sheet1.xml" in names:
        return "xl/worksheets/sheet1.xml"
    raise NoTable("the workbook has no sheet")


def _shared_texts(book: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in book.namelist():
        return []
    texts: list[str] = []
    size = 0
    with _opened(book, "xl/sharedStrings.xml", STRINGS_MAX) as file:
        for item in _elements(file, "si"):
            # Of a text with its reading beside it (rPh) only the text.
            text = "".join(
                part.text or ""
                for part in item.iter(f"{_NS}t", f"{_STRICT}t")
                if etree.QName(part.getparent()).localname != "rPh"
            )
            size += len(text)
            if size > STRINGS_KEPT:
                raise NoTable("its texts are too many for a workbook: save it as CSV")
            texts.append(text)
    return texts


def _opened(book: zipfile.ZipFile, name: str, most: int) -> IO[bytes]:
    info = book.getinfo(name)
    # The size stated is the size delivered: zipfile stops there.
    if info.file_size > most or info.file_size > RATIO_MAX * max(info.compress_size, 10_000):
        raise NoTable(f"{name} unpacks to {info.file_size // 1_000_000} MB: this is a bomb and no workbook")
    if info.flag_bits & 1:
        raise NoTable("the workbook has a password: save it without")
    return book.open(info)


def _elements(file: IO[bytes], name: str) -> Iterator[Any]:
    """Each element of that name, whole, and forgotten afterwards."""
    for _, element in etree.iterparse(
        file,
        tag=(f"{_NS}{name}", f"{_STRICT}{name}", "{*}" + name),
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
    ):
        yield element
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]
