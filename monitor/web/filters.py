"""Which cases does an address ask for? The words after the ? of a page, both ways: that is what makes views links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode

from storage.records import CaseStatus, Label, clean_line
from storage.search import question
from storage.wanted import Place, Wanted

STATUSES = {
    "": "to do",
    "late": "late",
    "open": "nobody's",
    "claimed": "claimed",
    "answered": "answered",
    "closed": "closed",
    "all": "all",
}
LABELS = tuple(str(label) for label in Label)
_KEYS = ("brand", "source", "stars", "topic", "language", "status", "owner", "label", "since", "until", "q")
_QUERY_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Filter:
    """What the address of a list says, cleaned: unknown keys and odd values are left out, never an error."""

    brand: str = ""
    source: str = ""
    stars: str = ""  # "1" to "5", "0": without stars
    topic: str = ""
    language: str = ""
    status: str = ""
    owner: str = ""
    label: str = ""
    since: str = ""  # days, as 2026-11-23
    until: str = ""
    q: str = ""

    @property
    def query(self) -> str:
        """As it stands in an address, always in the same order."""
        return urlencode([(key, value) for key in _KEYS if (value := getattr(self, key))])

    @property
    def any(self) -> bool:
        """True when it narrows anything."""
        return bool(self.query)

    def but(self, **changes: str) -> str:
        """The query of this filter with something changed."""
        return replace(self, **changes).query

    @property
    def wanted(self) -> Wanted:
        """What the store is asked for."""
        return Wanted(
            brand=self.brand,
            source=self.source,
            stars=int(self.stars) if self.stars else None,
            topic=self.topic,
            language=self.language,
            status=self.status,
            owner=self.owner,
            label=self.label,
            words=question(self.q),
            since=_day(self.since),
            until=_day(self.until, timedelta(days=1)),
        )


def filter_of(values: Mapping[str, str]) -> Filter:
    """The filter that an address's words stand for."""
    said = {key: clean_line(values.get(key, ""), 200) for key in _KEYS}
    if said["stars"] not in ("0", "1", "2", "3", "4", "5"):
        said["stars"] = ""
    if said["status"] not in STATUSES and said["status"] not in tuple(CaseStatus):
        said["status"] = ""
    if said["label"] not in LABELS:
        said["label"] = ""
    for key in ("since", "until"):
        if _day(said[key]) is None:
            said[key] = ""
    return Filter(**said)


def filter_of_query(query: str) -> Filter:
    """The filter in a query as it stands in an address."""
    return filter_of(dict(parse_qsl(query[:_QUERY_MAX])))


def place_text(place: Place) -> str:
    """The last row of a page as it stands in an address."""
    at = "" if place.at is None else str(int((place.at - _EPOCH) / _MICROSECOND))
    return f"{place.number}.{place.priority}.{at}.{place.rank!r}"


def place_of(text: str) -> Place | None:
    """The place an address names, None where it names none."""
    parts = text[:100].split(".", 3)
    if len(parts) != 4:
        return None
    try:
        number, priority = int(parts[0]), int(parts[1])
        at = _EPOCH + int(parts[2]) * _MICROSECOND if parts[2] else None
        rank = float(parts[3])
    except (ValueError, OverflowError):
        return None
    if not (0 <= number < 2**62 and 0 <= priority <= 3 and -1 <= rank <= 2):
        return None
    return Place(number, priority, rank, at)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def _day(text: str, plus: timedelta = timedelta(0)) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC) + plus
    except (ValueError, OverflowError):
        return None
