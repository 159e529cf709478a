"""Who among the authors is a customer we know, and what are they worth? A table the team exports as CSV.

    handle,source,name,value,tier,owner
    @jdoe,mastodon,Jane Doe,12000,gold,alice
    J. Doe,,Jane Doe,12000,gold,alice

`source` empty means every source. It is read, never stored: whoever is taken out of the file is forgotten.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from storage.records import clean_line

COLUMNS = ("handle", "source", "name", "value", "tier", "owner")
_HEADER = f"the first line names the columns: {', '.join(COLUMNS)}"
FILE_MAX = 64 * 1024 * 1024  # bytes; a million customers
ROW_MAX = 10_000  # characters of one field; more is no table but a mistake
PROBLEMS_MAX = 50  # as many bad rows are told one by one
_RAISE = 0.5  # the most valuable customer goes half the way from their rank to the top of the priority


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """One line of the table."""

    handle: str
    source: str = ""
    name: str = ""
    value: float = 0.0
    tier: str = ""
    owner: str = ""  # who of us looks after them

    @property
    def line(self) -> str:
        """One line for a card.

        >>> Customer(handle="@j", name="Jane", value=12000, tier="gold", owner="alice").line
        'Customer: Jane, gold, value 12,000, looked after by alice'
        """
        parts = [self.name or self.handle]
        if self.tier:
            parts.append(self.tier)
        if self.value > 0:
            parts.append(f"value {self.value:,.0f}")
        if self.owner:
            parts.append(f"looked after by {self.owner}")
        return "Customer: " + ", ".join(parts)


class Customers:
    """The table, found by handle."""

    __slots__ = ("_by_handle", "_most")

    def __init__(self, several: Iterable[Customer] = ()) -> None:
        self._by_handle: dict[tuple[str, str], Customer] = {}
        for one in several:
            self._by_handle.setdefault((one.source.casefold(), _folded(one.handle)), one)
        self._most = max((one.value for one in self._by_handle.values()), default=0.0)

    def __len__(self) -> int:
        return len(self._by_handle)

    def __repr__(self) -> str:
        return f"Customers({len(self)})"  # never the names

    def find(self, source: str, handle: str) -> Customer | None:
        """The customer who writes as `handle` there, None where nobody we know does.

        >>> Customers([Customer(handle="@JDoe", source="mastodon", value=5)]).find("Mastodon", "jdoe").value
        5
        """
        if not self._by_handle or not handle.strip():
            return None
        key = _folded(handle)
        return self._by_handle.get((source.casefold(), key)) or self._by_handle.get(("", key))

    def raised(self, rank: float, source: str, handle: str) -> float:
        """The rank of what this author wrote: higher for a customer, by value, never past its priority's end.

        >>> Customers([Customer(handle="j", value=9)]).raised(0.5, "shop", "j")
        0.75
        """
        found = self.find(source, handle)
        if found is None or found.value <= 0 or self._most <= 0:
            return rank
        # By the order of magnitude: 1,000 and 2,000 are nearly alike, 100 and 10,000 are not.
        share = math.log1p(found.value) / math.log1p(self._most)
        return rank + (1.0 - rank) * _RAISE * min(share, 1.0)


NOBODY = Customers()


@dataclass(frozen=True, slots=True)
class Read:
    """What reading the table gave: its good rows, and a line for each bad one."""

    customers: Customers
    problems: tuple[str, ...] = ()


def read_customers(path: Path) -> Read:
    """The table at `path`. Bad rows are left out and told with their line; never raises."""
    try:
        with path.open("rb") as stream:
            content = stream.read(FILE_MAX + 1)
    except (OSError, ValueError) as error:
        return Read(NOBODY, (f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}",))
    if len(content) > FILE_MAX:
        return Read(NOBODY, (f"{path}: larger than {FILE_MAX // 1024**2} MiB; is it the right file?",))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return Read(NOBODY, (f"{path}: line {line}: not UTF-8 text; save the file as UTF-8",))
    kept, problems = read_rows(text)
    return Read(Customers(kept), tuple(f"{path}: {problem}" for problem in problems))


def read_rows(text: str) -> tuple[list[Customer], list[str]]:
    """The customers in `text`, and one line for each row that is none."""
    kept: list[Customer] = []
    problems: list[str] = []
    seen: dict[tuple[str, str], int] = {}
    left_out = 0
    # NUL stands in no table; older csv readers raise at it.
    lines = csv.reader(io.StringIO(text.replace("\0", "")), delimiter=_delimiter(text))
    header: list[str] | None = None
    while True:
        try:
            row = next(lines)
        except StopIteration:
            break
        except csv.Error as error:
            problems.append(f"line {lines.line_num}: {error}")
            continue
        at = lines.line_num
        if not any(cell.strip() for cell in row):
            continue
        if header is None:
            header = [cell.strip().casefold() for cell in row]
            if "handle" not in header:
                return [], [
                    f'line {at}: no column "handle"; the first line names the columns: {", ".join(COLUMNS)}'
                ]
            continue
        customer, problem = _customer(dict(zip(header, row, strict=False)))
        if len(row) > len(header):
            customer, problem = None, f"{len(row)} fields where the first line names {len(header)}"
        if customer is not None:
            key = (customer.source.casefold(), _folded(customer.handle))
            if key in seen:
                problem = f"the same handle as in line {seen[key]}, which counts"
            else:
                seen[key] = at
                kept.append(customer)
        if problem and len(problems) < PROBLEMS_MAX:
            problems.append(f"line {at}: {problem}")
        elif problem:
            left_out += 1
    if header is None:
        problems.append(f"it is empty; {_HEADER}")
    if left_out:
        problems.append(f"and {left_out} more")
    return kept, problems


def _customer(row: Mapping[str, str]) -> tuple[Customer | None, str]:
    fields = {name: clean_line(row.get(name, "")[:ROW_MAX]) for name in COLUMNS}
    if not _folded(fields["handle"]):
        return None, "no handle"
    value, problem = _value(fields["value"])
    if problem:
        return None, problem
    return Customer(
        handle=fields["handle"],
        source=fields["source"],
        name=fields["name"],
        value=value,
        tier=fields["tier"],
        owner=fields["owner"],
    ), ""


def _value(text: str) -> tuple[float, str]:
    if not text:
        return 0.0, ""
    # 12,000.50 and 12 000 are numbers people export; 12,5 could be either, and is not guessed.
    plain = text.replace(" ", "").replace("_", "").lstrip("€$£")
    groups = plain.partition(".")[0].split(",")
    if len(groups) > 1 and 1 <= len(groups[0]) <= 3 and all(len(group) == 3 for group in groups[1:]):
        plain = plain.replace(",", "")
    try:
        value = float(plain) if plain.isascii() else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < 0:
        return 0.0, f"value {text[:40]!r} is no number of 0 or more; write 12000 or 12000.50"
    return value, ""


def _folded(handle: str) -> str:
    return handle.strip().removeprefix("@").casefold()


def _delimiter(text: str) -> str:
    """Comma, semicolon or tab: what spreadsheets write, by the first line."""
    first = text.lstrip().partition("\n")[0]
    return max(",;\t", key=first.count)
