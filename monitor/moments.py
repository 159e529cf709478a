"""When do people mean? "2026-12-01 10:00", "tuesday 10:00", "tomorrow", "2h"; in their own time zone."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from monitor.config_check import duration

EXAMPLES = '"2026-12-01 10:00", "tuesday 10:00", "tomorrow", "17:30", "2h", "3d"'
END_OF_DAY = time(18, 0)  # "by Tuesday" is while people are still at work

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TIME = re.compile(r"([0-9]{1,2})[:.]([0-9]{2})")


def moment(text: str, now: datetime, zone: str) -> datetime | None:
    """The moment `text` means for somebody in `zone` at `now`, UTC; None where it means none. May be past.

    >>> noon = datetime(2026, 11, 23, 12, tzinfo=UTC)  # a Monday
    >>> str(moment("tuesday 10:00", noon, "Europe/Berlin")), str(moment("2h", noon, "UTC"))
    ('2026-11-24 09:00:00+00:00', '2026-11-23 14:00:00+00:00')
    """
    words = text.strip().lower()
    if not words:
        return None
    if span := duration(words.removeprefix("in ")):
        return now.astimezone(UTC) + span
    there = ZoneInfo(zone)
    local = now.astimezone(there)
    try:
        exact = datetime.fromisoformat(words.replace(" ", "t", 1).upper() if len(words) > 10 else words)
    except ValueError:
        exact = None
    if exact is not None:
        if len(words) <= 10:
            exact = datetime.combine(exact, END_OF_DAY)
        return _utc(exact if exact.tzinfo else exact.replace(tzinfo=there))
    day_word, _, time_word = words.rpartition(" ")
    found = _TIME.fullmatch(time_word)
    if found is None:
        day_word, at = words, END_OF_DAY
    elif int(found[1]) > 23 or int(found[2]) > 59:
        return None
    else:
        at = time(int(found[1]), int(found[2]))
    day_word = day_word.removeprefix("on ").removeprefix("next ").removesuffix(" at").strip()
    day = _day(day_word, local.date()) if day_word else local.date()
    if day is None:
        return None
    meant = datetime.combine(day, at, tzinfo=there)
    if meant <= local:
        # "10:00" said at noon is tomorrow's, "monday 9:00" said on a Monday noon is next week's.
        if not day_word:
            meant = datetime.combine(day + timedelta(days=1), at, tzinfo=there)
        elif _weekday(day_word) is not None:
            meant = datetime.combine(day + timedelta(days=7), at, tzinfo=there)
    return _utc(meant)


def _utc(at: datetime) -> datetime | None:
    try:
        return at.astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def _day(word: str, today: date) -> date | None:
    if word == "today":
        return today
    if word == "tomorrow":
        return today + timedelta(days=1)
    weekday = _weekday(word)
    return None if weekday is None else today + timedelta(days=(weekday - today.weekday()) % 7)


def _weekday(word: str) -> int | None:
    for at, name in enumerate(_DAYS):
        if len(word) >= 3 and name.startswith(word):
            return at
    return None
