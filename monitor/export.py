"""How do the mentions leave lowstar as a file? CSV, JSON lines, XLSX or Parquet; one row a mention and brand.

A spreadsheet runs what begins with =, +, - or @. In CSV and XLSX such a text gets an apostrophe in front;
numbers stay numbers.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import IO, Any

from storage.lists import Judged
from storage.records import case_name

FORMATS = ("csv", "jsonl", "xlsx", "parquet")
# What makes a spreadsheet take a text for a formula; tab and return are skipped before it looks.
# https://owasp.org/www-community/attacks/CSV_Injection
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
CELL_MAX = 32_767  # characters of a cell of XLSX
ROWS_MAX = 1_048_576  # of a sheet of XLSX
GROUP = 5_000  # rows written to Parquet at once

COLUMNS = (
    "mention_id",
    "brand",
    "source",
    "kind",
    "url",
    "title",
    "text",
    "author",
    "entity",
    "reference",
    "stars",
    "reach",
    "language",
    "published_at",
    "posted_at",
    "first_seen_at",
    "compound",
    "label",
    "priority",
    "rank",
    "reasons",
    "topics",
    "owner_reply",
    "owner_replied_at",
    "case",
    "case_status",
    "case_owner",
)


class NoWriter(Exception):
    """A format needs a package that is not installed; `str()` says which."""


def row_of(one: Judged) -> dict[str, Any]:
    """A mention as judged for one brand, as plain values in the order of COLUMNS; times stay times."""
    mention, verdict = one.mention, one.verdict
    return {
        "mention_id": one.id,
        "brand": verdict.brand,
        "source": mention.source,
        "kind": str(mention.kind),
        "url": mention.url,
        "title": mention.title,
        "text": mention.text,
        "author": mention.author,
        "entity": mention.entity,
        "reference": mention.reference,
        "stars": mention.stars,
        "reach": mention.reach,
        "language": mention.language,
        "published_at": mention.published_at,
        "posted_at": one.posted_at,
        "first_seen_at": one.first_seen_at,
        "compound": verdict.sentiment.compound,
        "label": str(verdict.sentiment.label),
        "priority": verdict.priority.word,
        "rank": verdict.rank,
        "reasons": list(verdict.reasons),
        "topics": list(verdict.topics),
        "owner_reply": mention.owner_reply,
        "owner_replied_at": mention.owner_replied_at,
        "case": case_name(one.case_number) if one.case_number else "",
        "case_status": str(one.case_status) if one.case_status else "",
        "case_owner": one.case_owner,
    }


def plain_mention(one: Judged) -> dict[str, Any]:
    """The same for programs, as the API and webhooks say it."""
    row = row_of(one)
    row["id"] = row.pop("mention_id")
    row["case"] = row["case"] or None
    row["case_status"] = row["case_status"] or None
    return row


def defused(value: Any) -> Any:
    """A value as it may stand in a cell of a spreadsheet: a text that would run gets an apostrophe in front.

    >>> defused("=1+1"), defused(-3.5), defused("fine"), defused(None), defused(["a", "=b"])
    ("'=1+1", -3.5, 'fine', '', 'a; =b')
    """
    match value:
        case None:
            return ""
        case bool() | int() | float():
            return value
        case datetime():
            return value.isoformat()
        case list() | tuple():
            return defused("; ".join(str(one) for one in value))
    text = str(value)
    # What stands behind spaces runs as well in some programs.
    return (
        "'" + text if text.startswith(FORMULA) or text.lstrip(" \u00a0\u3000").startswith(FORMULA) else text
    )


def write_csv(rows: Iterable[Judged], stream: IO[str]) -> int:
    """Write `rows` as CSV with a line of names; how many they were."""
    out = csv.writer(stream, lineterminator="\r\n")
    out.writerow(COLUMNS)
    count = 0
    for one in rows:
        out.writerow([defused(value) for value in row_of(one).values()])
        count += 1
    return count


def write_jsonl(rows: Iterable[Judged], stream: IO[str]) -> int:
    """Write `rows` as JSON lines, every value as it is; how many they were."""
    count = 0
    for one in rows:
        stream.write(json.dumps(row_of(one), ensure_ascii=False, default=datetime.isoformat) + "\n")
        count += 1
    return count


def write_xlsx(rows: Iterable[Judged], stream: IO[bytes]) -> int:
    """Write `rows` as a workbook; how many they were. Raises NoWriter without openpyxl."""
    try:
        from openpyxl import Workbook
        from openpyxl.cell import WriteOnlyCell
    except ImportError:
        raise NoWriter("XLSX needs one more package: pip install 'lowstar[xlsx]'") from None
    book = Workbook(write_only=True)
    sheet = book.create_sheet("mentions")
    sheet.append(COLUMNS)
    count = 0
    for one in rows:
        if count >= ROWS_MAX - 1:
            raise NoWriter(f"a sheet holds {ROWS_MAX:,} rows; choose --format csv, or fewer days")
        cells = []
        for value in row_of(one).values():
            plain = defused(value)
            cell = WriteOnlyCell(sheet)
            cell.value = _cell_text(plain) if isinstance(plain, str) else plain
            if isinstance(plain, str):
                cell.data_type = "s"  # whatever it looks like
            cells.append(cell)
        sheet.append(cells)
        count += 1
    book.save(stream)
    return count


def write_parquet(rows: Iterable[Judged], stream: IO[bytes]) -> int:
    """Write `rows` as Parquet; how many they were. Raises NoWriter without pyarrow."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as parquet
    except ImportError:
        raise NoWriter("Parquet needs one more package: pip install 'lowstar[parquet]'") from None
    time, texts = pa.timestamp("us", tz="UTC"), pa.list_(pa.string())
    kinds = {
        "mention_id": pa.int64(),
        "reach": pa.int64(),
        "stars": pa.float64(),
        "compound": pa.float64(),
        "rank": pa.float64(),
        "reasons": texts,
        "topics": texts,
        **dict.fromkeys(("published_at", "posted_at", "first_seen_at", "owner_replied_at"), time),
    }
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])
    count = 0
    with parquet.ParquetWriter(stream, schema, compression="zstd") as writer:
        for group in _groups(rows, GROUP):
            writer.write_table(pa.Table.from_pylist([row_of(one) for one in group], schema))
            count += len(group)
    return count


def write(rows: Iterable[Judged], stream: IO[bytes], form: str) -> int:
    """Write `rows` into a stream of bytes in one of FORMATS; how many they were."""
    if form == "xlsx":
        return write_xlsx(rows, stream)
    if form == "parquet":
        return write_parquet(rows, stream)
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=True)
    if form == "csv":
        text.write("\ufeff")  # the mark by which spreadsheets know UTF-8
    count = write_csv(rows, text) if form == "csv" else write_jsonl(rows, text)
    text.flush()
    text.detach()
    return count


def _cell_text(text: str) -> str:
    # XML knows no escape for what a Mention may still hold: it was cleaned of controls, not of these.
    return text.replace("\ufffe", "").replace("\uffff", "")[:CELL_MAX]


def _groups(rows: Iterable[Judged], size: int) -> Iterator[Sequence[Judged]]:
    group: list[Judged] = []
    for one in rows:
        group.append(one)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group
