"""What rows does a table hold? CSV, TSV, JSON, JSON lines and XLSX as rows with their line numbers, streamed.

Exports are written by many programs: any encoding, any delimiter, a heading of a few lines above the header,
quoted line breaks, cells that a spreadsheet would run as formulas. A row that cannot be read is a `BadRow`, the
rest goes on. Memory does not grow with the file.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CELL_MAX = 1_000_000  # characters of one cell; what is longer is a quote that was never closed
LINE_MAX = 8_000_000  # characters of one line of JSON
WHOLE_MAX = 32 * 1024 * 1024  # bytes of JSON that is no list at its top, and so cannot be streamed
COLUMNS_MAX = 500
HEADER_WITHIN = 20  # lines; some exports say above the header what they are
DEPTH_MAX = 6  # of objects inside a row
_PIECE = 1 << 18


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its cells by column name, and where it begins (a line, or the number of an entry)."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that could not be read, and why."""

    line: int
    words: str


class NoTable(Exception):
    """The file is none of the tables that are read; its words say what it is instead, and what to do."""


def encoding_of(path: Path) -> str:
    """The encoding of a text: by its mark, UTF-16 by its zeros, UTF-8 where it is that throughout, else cp1252."""
    with path.open("rb") as file:
        head = file.read(4_096)
        if head.startswith(codecs.BOM_UTF8):
            return "utf-8-sig"
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        zeros = (head[0::2].count(0), head[1::2].count(0))
        if max(zeros) * 4 > len(head) > 1:
            return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
        decoder = codecs.getincrementaldecoder("utf-8")()
        piece = head
        try:
            while piece:
                decoder.decode(piece)
                piece = file.read(1 << 20)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


def text_of(path: Path) -> io.TextIOWrapper:
    """The file as text, in its own encoding; what cannot be decoded becomes a replacement character."""
    return path.open("r", encoding=encoding_of(path), errors="replace", newline="")


def rows_of(path: Path) -> Iterator[Row | BadRow]:
    """The rows of a table. Raises NoTable, and OSError where the file cannot be read, before the first."""
    with path.open("rb") as file:
        head = file.read(8)
    if head.startswith(b"PK\x03\x04"):
        from spiders.parsing.workbooks import workbook_rows  # only where there is one

        return workbook_rows(path)
    if head.startswith((b"\xd0\xcf\x11\xe0", b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"\x1f\x8b")):
        what = "an old Excel file (.xls)" if head.startswith(b"\xd0\xcf") else "no table"
        raise NoTable(f"it is {what}: save it as CSV or XLSX")
    with text_of(path) as text:
        first = text.read(2_000).lstrip("\ufeff \t\r\n")
    if not first:
        raise NoTable("it is empty")
    if first[0] in "[{":
        return json_rows(path)
    return _csv_rows(path)


# --- CSV -----------------------------------------------------------------------------------------------


def _csv_rows(path: Path) -> Iterator[Row | BadRow]:
    csv.field_size_limit(CELL_MAX)
    with text_of(path) as text:
        reader = csv.reader(_without_nul(text), delimiter=_delimiter(text), strict=False)
        header: list[str] = []
        waiting: list[tuple[int, list[str]]] = []
        begun = 1
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                yield BadRow(begun, f"it cannot be read ({error}): is a quote not closed?")
                begun = reader.line_num + 1
                continue
            line, begun = begun, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if not header:
                waiting.append((line, cells))
                if len(waiting) < HEADER_WITHIN and len(cells) < 2:
                    continue  # "Reviews of Acme, exported on …" above the header
                widest = max(len(one) for _, one in waiting)
                at = next(n for n, (_, one) in enumerate(waiting) if len(one) == widest)
                header = _named(waiting[at][1])
                for number, row in waiting[at + 1 :]:
                    yield _csv_row(number, row, header)
                waiting = []
                continue
            yield _csv_row(line, cells, header)
        if waiting and not header:  # one column, a word a row
            header = _named(waiting[0][1])
            for number, row in waiting[1:]:
                yield _csv_row(number, row, header)


def _csv_row(line: int, cells: Sequence[str], header: Sequence[str]) -> Row | BadRow:
    if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
        return BadRow(line, f"it has {len(cells)} cells, and the header {len(header)}: a quote is missing")
    return Row(line, {name: plain(cell) for name, cell in zip(header, cells, strict=False) if cell.strip()})


def _without_nul(lines: Iterator[str] | io.TextIOWrapper) -> Iterator[str]:
    for line in lines:
        yield line.replace("\x00", "") if "\x00" in line else line


def _delimiter(text: io.TextIOWrapper) -> str:
    """What stands between the cells: of the usual ones the one that cuts the first lines most evenly."""
    sample = text.read(64_000)
    text.seek(0)
    counts: dict[str, int] = {}
    for mark in (",", ";", "\t", "|"):
        try:
            rows = list(csv.reader(io.StringIO(sample.replace("\x00", "")), delimiter=mark))[:HEADER_WITHIN]
        except csv.Error:
            continue
        widths = [len(row) for row in rows if len(row) > 1]
        # As many columns as possible, on as many lines as possible.
        counts[mark] = max((widths.count(width) * (width - 1) for width in set(widths)), default=0)
    return max(counts, key=lambda mark: counts[mark]) if counts and max(counts.values()) else ","


def _named(cells: Sequence[str]) -> list[str]:
    """Column names, each once: empty ones by their number, doubles with one."""
    names: list[str] = []
    for number, cell in enumerate(cells[:COLUMNS_MAX], start=1):
        name = " ".join(cell.strip().lstrip("\ufeff").split())[:200] or f"column {number}"
        names.append(name if name not in names else f"{name} {number}")
    return names


_QUOTED_FORMULA = re.compile(r'="([^"]{0,500})"')


def plain(cell: str) -> str:
    """A cell as its author meant it: without what keeps a spreadsheet from running or rounding it.

    >>> plain('="00123"'), plain("'=1+1"), plain("=2+2")
    ('00123', '=1+1', '=2+2')
    """
    cell = cell.strip()
    if cell.startswith("="):
        quoted = _QUOTED_FORMULA.fullmatch(cell)
        return quoted[1] if quoted else cell
    if len(cell) > 1 and cell[0] == "'" and cell[1] in "=+-@\t":
        return cell[1:]
    return cell


# --- JSON ----------------------------------------------------------------------------------------------


def json_rows(path: Path) -> Iterator[Row | BadRow]:
    with text_of(path) as text:
        first = text.read(_PIECE).lstrip("\ufeff \t\r\n")
    if first.startswith("{") and _is_lines(first):
        return _json_lines(path)
    if first.startswith("["):
        return _json_list(path)
    return _json_whole(path)


def _is_lines(text: str) -> bool:
    """True when the first line is a whole object of its own."""
    line, newline, rest = text.partition("\n")
    if not newline or not rest.lstrip():
        return False
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _json_lines(path: Path) -> Iterator[Row | BadRow]:
    with text_of(path) as text:
        number = 0
        while line := text.readline(LINE_MAX):
            number += 1
            if not line.strip().lstrip("\ufeff"):
                continue
            if len(line) >= LINE_MAX and not line.endswith("\n"):
                while (rest := text.readline(LINE_MAX)) and not rest.endswith("\n"):
                    pass
                yield BadRow(number, "the line is longer than 8 MB")
                continue
            try:
                yield json_row(number, json.loads(line.lstrip("\ufeff"), parse_constant=lambda _: None))
            except (ValueError, RecursionError) as error:
                yield BadRow(number, f"it is no JSON ({_short(error)})")


def _json_list(path: Path) -> Iterator[Row | BadRow]:
    """The entries of a list, decoded one by one from a window over the file."""
    decoder = json.JSONDecoder(strict=False, parse_constant=lambda _: None)
    with text_of(path) as text:
        window = text.read(_PIECE).lstrip("\ufeff \t\r\n")[1:]
        number, line = 0, 1
        while True:
            bare = window.lstrip(" \t\r\n,")
            line += window.count("\n", 0, len(window) - len(bare))
            window = bare
            if window[:1] == "]":
                return
            try:
                value, end = decoder.raw_decode(window) if window else (None, 0)
            except RecursionError:
                yield BadRow(number + 1, "it is nested too deeply; what follows cannot be read")
                return
            except ValueError as error:
                value, end = error, 0
            # A number at the end of the window may go on, anything else is whole.
            if not end or end == len(window):
                piece = text.read(_PIECE)
                if piece and len(window) < LINE_MAX:
                    window += piece
                    continue
                if not end:
                    if window.strip():
                        what = "it is longer than 8 MB" if piece else "the list is cut short or broken here"
                        yield BadRow(number + 1, f"{what}: line {line}; what follows cannot be read")
                    return
            number += 1
            line += window.count("\n", 0, end)
            window = window[end:]
            yield json_row(number, value)


def _json_whole(path: Path) -> Iterator[Row | BadRow]:
    if path.stat().st_size > WHOLE_MAX:
        raise NoTable("it is JSON larger than 32 MB and no list: save it as one object a line (JSON lines)")
    with text_of(path) as text:
        try:
            whole = json.loads(text.read().lstrip("\ufeff"), strict=False, parse_constant=lambda _: None)
        except (ValueError, RecursionError) as error:
            raise NoTable(f"it is no JSON: {_short(error)}") from None
    entries = _longest_list(whole)
    if entries is None:
        entries = [whole]
    return (json_row(number, entry) for number, entry in enumerate(entries, start=1))


def _longest_list(value: Any, depth: int = 0) -> list[Any] | None:
    """The longest list of objects in an answer: `{"reviews": [{…}, …]}`."""
    if isinstance(value, list):
        return value if value and all(isinstance(one, dict) for one in value[:5]) else None
    if not isinstance(value, dict) or depth > DEPTH_MAX:
        return None
    found = [inner for one in value.values() if (inner := _longest_list(one, depth + 1))]
    return max(found, key=len, default=None)


def json_row(number: int, value: Any) -> Row | BadRow:
    """An object of JSON as a row; what lies inside it is a column by its path."""
    if not isinstance(value, dict):
        return BadRow(number, f"it is no object but {_short(value)}")
    cells: dict[str, str] = {}
    _flatten(value, "", cells, 0)
    return Row(number, cells)


def _flatten(value: Mapping[str, Any], before: str, cells: dict[str, str], depth: int) -> None:
    """Inner objects by their path: `reviewer.displayName`. Of a list its plain entries, a line each."""
    for key, inner in value.items():
        if len(cells) >= COLUMNS_MAX:
            return
        name = f"{before}{key}"[:200]
        if isinstance(inner, dict):
            if depth < DEPTH_MAX:
                _flatten(inner, f"{name}.", cells, depth + 1)
        elif isinstance(inner, list):
            if inner and isinstance(inner[0], dict) and depth < DEPTH_MAX:
                _flatten(inner[0], f"{name}.", cells, depth + 1)
            elif inner:
                cells[name] = "\n".join(str(one) for one in inner[:100] if isinstance(one, (str, int, float)))
        elif isinstance(inner, bool):
            cells[name] = "true" if inner else "false"
        elif inner is not None and inner != "":
            try:
                cells[name] = str(inner)[:CELL_MAX]
            except ValueError:  # a number with more digits than Python prints
                continue


def _short(value: object) -> str:
    said = " ".join(str(value).split())
    return said[:80] + ("…" if len(said) > 80 else "")
