"""What is a list of cases or mentions narrowed to, and where does its next page begin?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement

from storage.search import ANYTHING, Question

NOBODY = "-"  # as an owner: nobody has it


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a list of cases or mentions is narrowed to; what is left at its default narrows nothing."""

    brand: str = ""
    source: str = ""
    stars: int | None = None  # rounded; 0: those without stars
    topic: str = ""
    language: str = ""
    status: str = ""  # of cases: "" not closed, "late", "closed", "all", or a CaseStatus
    owner: str = ""  # of cases; NOBODY: those nobody has
    label: str = ""  # of mentions
    words: Question = ANYTHING
    since: datetime | None = None  # of mentions: posted then or later
    until: datetime | None = None  # and before then

    @property
    def open_only(self) -> bool:
        """True where the list is of cases that are not closed, worst first."""
        return self.status not in ("closed", "all", "resolved", "dismissed")


@dataclass(frozen=True, slots=True)
class Place:
    """The last row of a page: the next page begins behind it."""

    number: int  # of the case, or the mention's id
    priority: int = 0
    rank: float = 0.0
    at: datetime | None = None


def of_stars(column: Any, stars: int | None) -> list[ColumnElement[bool]]:
    """The condition that a column of stars is `stars` when rounded; 0: there are none."""
    if stars is None:
        return []
    if stars == 0:
        return [column.is_(None)]
    return [column >= stars - 0.5, column < stars + 0.5]


def of_topic(column: Any, topic: str) -> list[ColumnElement[bool]]:
    """The condition that a column of topics holds `topic`."""
    # Topics are kept as a JSON list: a name is found as it is written there, quotes and all.
    return [column.contains(json.dumps(topic), autoescape=True)] if topic else []
