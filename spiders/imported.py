"""What is said of a file that somebody exported or saved: how it was understood, what could not be read, its kinds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from storage.records import Mention, Removal

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


def wish_of(options: Mapping[str, object], *, kind: str = "", url: str = "") -> Wish:
    """How a source's table in lowstar.toml wants its files read; `kind` goes before what it says."""
    best = options.get("best")
    return Wish(
        kind=kind or str(options.get("format", "")),
        mapped=str(options.get("map", "")),
        best=float(best) if isinstance(best, int | float) else None,
        url=url,
    )


# Exports whose service has an API of its own, the answers and webhook events of which people save as well.
ANSWERS: Mapping[str, str] = {
    "google-business": "google_business", "google-play": "google_play_owner", "trustpilot": "trustpilot",
    "app-store": "app_store",
}  # fmt: skip

Found = Mention | Removal | Trouble | Layout
