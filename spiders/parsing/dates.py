"""When was that: "2022-03-01T10:00Z", "17 марта 2015", "vor 3 Tagen"?

ISO first, by hand, in microseconds; then numbers and month names of sixteen languages, then "… ago", and
only what none of these can read goes to dateparser, with its language fixed (1.6 ms; choosing one freely
costs 15 ms and guesses). Nothing longer than 100 characters gets that far.

A date is believed between 1990 and two days after `now` (clocks and zones differ): anything else keeps its
`raw` and has no `at`. Times without a zone are taken as UTC.
"""

from __future__ import annotations

import math
import re
import unicodedata
import warnings
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise

from spiders.parsing.date_words import (
    AGO,
    CJK_DAYS,
    CJK_UNITS,
    DAYS_AGO,
    LAST,
    MONTHS,
    ONE,
    SECONDS,
    UNITS,
    ZONES,
)
from storage.records import DatePrecision

TEXT_MAX = 100  # characters of a date we are ready to read
AHEAD = timedelta(days=2)  # how far in the future a date is still believed
FIRST_YEAR = 1990  # before it nobody reviewed anything on the web; also drops the epoch's own zero


@dataclass(frozen=True, slots=True)
class When:
    """A date as understood, how exactly it was said, and as printed."""

    at: datetime | None = None  # aware UTC; where only a day, month or year was said, its start
    precision: DatePrecision = DatePrecision.NONE
    raw: str = ""


# --- forms ---------------------------------------------------------------------------------------------

_CJK_AGO = re.compile(
    rf"(\d{{1,4}})\s?({'|'.join(sorted(CJK_UNITS, key=len, reverse=True))})(?:間|间)?\s?(?:前|전|以前)"
)
_CJK_DATE = re.compile(r"(\d{4})\s?[年년]\s?(?:(\d{1,2})\s?[月월]\s?(?:(\d{1,2})\s?[日일号號])?)?")
_ISO = re.compile(
    r"(\d{4})-(\d{1,2})(?:-(\d{1,2}))?"
    r"(?:(?:[Tt]|\s{1,3}(?:at\s)?)(\d{1,2}):?(\d{2})(?::?(\d{2})(?:[.,](\d{1,12}))?)?\s?(Z|z|UTC|GMT"
    r"|[+-]\d{2}:?(?:\d{2})?)?)?"
)
_NUMERIC = re.compile(r"(?<!\d)(\d{1,4})([./-])\s?(\d{1,2})\2\s?(\d{2,4})(?!\d)")
_TIME = re.compile(r"(?<!\d)(\d{1,2})[:.h](\d{2})(?:[:.](\d{2}))?(?![\d:.])\s*([ap])?\.?(?:m\b)?", re.I)
_AM_PM = re.compile(r"(?<!\d)(\d{1,2})\s?([ap])\.?m\b", re.I)
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})?(?!\d)")
_TOKEN = re.compile(r"\d+|[^\W\d_]+")
_SCRIPTS = tuple(
    (re.compile(f"[{letters}]", re.I), code)
    for letters, code in (
        ("а-яё", "ru"),
        ("\uac00-\ud7af", "ko"),
        ("\u3040-\u30ff\u4e00-\u9fff", "ja"),
        ("\u0600-\u06ff", "ar"),
        ("α-ω", "el"),
        ("\u0590-\u05ff", "he"),
        ("\u0e00-\u0e7f", "th"),
    )
)
_MONTH_FIRST = frozenset(("en", "en-us", "en_us", "en-ph"))


# --- the question --------------------------------------------------------------------------------------


def parse_when(value: object, *, now: datetime, language: str = "") -> When:
    """`value` as an aware UTC time and how exactly it was said. Never raises, never hangs, warns of nothing.

    Read are ISO 8601 (week dates too), RFC 2822, JavaScript's `Date.toString()`, epoch seconds, milliseconds
    and microseconds, long forms ("Reviewed in Italy on 16 July 2022", "17 марта 2015", "2022年3月1日"), and
    relative forms ("12 days ago", "vor 3 Tagen", "3h", "yesterday"), which are counted back from `now`
    (RELATIVE). A date without a time is that day's midnight UTC (DAY), a month its first day (MONTH), a year
    its first (YEAR). A day without a year is the latest such day that has been.

    `language` (BCP 47) settles what 03/04/2022 means: month first for "en", "en-US" and "en-PH", day "
    "first for
    every other ("en-GB" too) and for none; a reading that is no date, or is in the future, yields to "
    "the other.
    It also fixes dateparser's language where our own tables do not know the words.

    >>> now = datetime(2024, 5, 10, 12, tzinfo=UTC)
    >>> parse_when("17 марта 2015", now=now).at.date().isoformat()
    '2015-03-17'
    >>> parse_when("vor 3 Tagen", now=now).precision
    <DatePrecision.RELATIVE: 'relative'>
    """
    if isinstance(value, dict):
        value = value.get("@value", value.get("value"))
    if isinstance(value, (list, tuple)):
        value = value[0] if value else None
    if value is None or isinstance(value, bool):
        return When()
    try:
        if isinstance(value, datetime):
            return _believed(value, DatePrecision.SECOND, str(value), now)
        if isinstance(value, date):
            return _believed(
                datetime(value.year, value.month, value.day, tzinfo=UTC), DatePrecision.DAY, str(value), now
            )
        if isinstance(value, (int, float)):
            return _epoch(value, now)
        if not isinstance(value, str):
            return When()
        return _text(value, now, language.strip().casefold().replace("_", "-"))
    except (ValueError, OverflowError, TypeError):
        return When(raw=str(value)[:TEXT_MAX] if isinstance(value, str) else "")


def _text(value: str, now: datetime, language: str) -> When:
    text = " ".join(value[: TEXT_MAX * 4].split())
    if not text or len(text) > TEXT_MAX:
        return When(raw=text[:TEXT_MAX])
    iso = _iso(text, now)
    if iso is not None:
        return iso
    plain = _folded(text)
    for read in (_digits, _numeric, _long, _relative):
        found = read(plain, text, now, language)
        if found is not None:
            return found
    return _dateparser(text, now, language)


def _believed(at: datetime, precision: DatePrecision, raw: str, now: datetime) -> When:
    """The date, unless nobody could have written anything then."""
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    if at.year < FIRST_YEAR or at > now + AHEAD:
        return When(raw=raw)
    return When(at, precision, raw)


# --- forms ---------------------------------------------------------------------------------------------


def _epoch(number: float, now: datetime, raw: str = "") -> When:
    raw = raw or str(number)[:40]
    if isinstance(number, float) and not math.isfinite(number):
        return When()
    if FIRST_YEAR <= number <= now.year + 1 and number == int(number):
        return _believed(datetime(int(number), 1, 1, tzinfo=UTC), DatePrecision.YEAR, raw, now)
    for scale, low, high in ((1, 10**8, 10**11), (1_000, 10**11, 10**14), (1_000_000, 10**14, 10**17)):
        if low <= number < high:
            return _believed(datetime.fromtimestamp(number / scale, UTC), DatePrecision.SECOND, raw, now)
    return When(raw=raw)


def _iso(text: str, now: datetime) -> When | None:
    hit = _ISO.match(text)
    if hit is None:
        if text[4:6] in ("-W", "W0", "W1", "W2", "W3", "W4", "W5") and text[:4].isdigit():
            try:
                return _believed(datetime.fromisoformat(text), DatePrecision.DAY, text, now)
            except ValueError:
                return None
        return None
    if hit.end() != len(text):
        # "… 10:00:00 Europe/Berlin", "… (CET)": what follows the date must not be part of it.
        if hit.end() < len(text) and (text[hit.end()].isalnum() or text[hit.end()] in ":.-/"):
            return None
        if any(c.isdigit() for c in text[hit.end() :]):
            return None
    year, month, day, hour, minute, second, fraction, zone = hit.groups()
    if day is None:
        return _believed(datetime(int(year), int(month), 1, tzinfo=UTC), DatePrecision.MONTH, text, now)
    if hour is None:
        return _believed(datetime(int(year), int(month), int(day), tzinfo=UTC), DatePrecision.DAY, text, now)
    at = datetime(
        int(year),
        int(month),
        int(day),
        0 if hour == "24" else int(hour),
        int(minute),
        min(int(second or 0), 59),  # a leap second
        int((fraction or "0")[:6].ljust(6, "0")),
        tzinfo=_zone_of(zone),
    )
    if hour == "24":
        at += timedelta(days=1)
    return _believed(at, DatePrecision.SECOND, text, now)


def _zone_of(zone: str | None) -> timezone:
    if not zone or zone[0] not in "+-":
        return UTC
    hours, minutes = int(zone[1:3]), int(zone[-2:]) if len(zone) > 3 else 0
    if hours > 15 or minutes > 59:
        return UTC
    return timezone((-1 if zone[0] == "-" else 1) * timedelta(hours=hours, minutes=minutes))


def _digits(plain: str, text: str, now: datetime, language: str) -> When | None:
    """Only digits: a year, a compact date, an epoch."""
    body = plain[:-2] if plain.endswith(".0") else plain
    if not body.isdigit() or not body.isascii():
        return None
    if len(body) in (8, 14) and FIRST_YEAR <= int(body[:4]) <= now.year + 1:
        body = body.ljust(14, "0")
        clock = (int(body[8:10]), int(body[10:12]), int(body[12:]))
        stamp = datetime(int(body[:4]), int(body[4:6]), int(body[6:8]), *clock, tzinfo=UTC)
        return _believed(stamp, DatePrecision.DAY if len(plain) == 8 else DatePrecision.SECOND, text, now)
    return _epoch(int(body), now, text) if len(body) <= 17 else When(raw=text)


def _numeric(plain: str, text: str, now: datetime, language: str) -> When | None:
    """03/04/2022, 3.4.22, 2022/04/03, with or without a time."""
    hit = _NUMERIC.search(plain)
    if hit is None:
        return None
    first, separator, second, third = int(hit[1]), hit[2], int(hit[3]), int(hit[4])
    if len(hit[1]) == 4:
        orders = [(first, second, third)]
    elif len(hit[1]) > 2 or len(hit[4]) == 3:
        return None
    else:
        year = third if len(hit[4]) == 4 else 2000 + third
        orders = [(year, second, first), (year, first, second)]
        if separator == "/" and language in _MONTH_FIRST:
            orders.reverse()
    clock = _clock(plain[: hit.start()] + " " + plain[hit.end() :])
    for year, month, day in orders:
        try:
            found = _at(year, month, day, clock, text, now)
        except ValueError:
            continue
        if found.at is not None:
            return found
    return When(raw=text)


def _long(plain: str, text: str, now: datetime, language: str) -> When | None:
    """A month by its name, with the day and year beside it; 2022年3月1日."""
    hit = _CJK_DATE.search(plain)
    if hit:
        clock = _clock(plain[hit.end() :])
        if hit[3]:
            return _at(int(hit[1]), int(hit[2]), int(hit[3]), clock, text, now)
        precision = DatePrecision.MONTH if hit[2] else DatePrecision.YEAR
        return _believed(datetime(int(hit[1]), int(hit[2] or 1), 1, tzinfo=UTC), precision, text, now)
    clock = _clock(plain)
    body = plain if clock is None else plain[: clock[3]] + " " + plain[clock[4] :]
    tokens = _TOKEN.findall(body)[:40]
    best: When | None = None
    for index, token in enumerate(tokens):
        month = MONTHS.get(token)
        if month is None:
            continue
        day, year = _day_and_year(tokens, index, "'" in body or "’" in body)
        if year is None and day is None and len(tokens) > 1:
            continue  # "may", "mar", "set" and "ago" are words too
        found = _month_named(year, month, day, clock, text, now)
        if day is not None and year is not None:
            return found
        best = best or found
    if best is not None:
        return best
    years = [t for t in tokens if len(t) == 4 and t.isdigit() and FIRST_YEAR <= int(t) <= now.year]
    if len(years) == 1 and len(tokens) <= 3 and sum(t.isdigit() for t in tokens) == 1:
        return _believed(datetime(int(years[0]), 1, 1, tzinfo=UTC), DatePrecision.YEAR, text, now)
    return None


_BETWEEN = frozenset(["de", "of", "del", "di", "den", "der", "the", "st", "nd", "rd", "th", "er", "do", "г"])


def _day_and_year(tokens: list[str], index: int, apostrophe: bool) -> tuple[int | None, int | None]:
    """The day and the year that stand beside the month `tokens[index]`, over "de", "of", "th"."""
    before = index - 1
    while before >= 0 and tokens[before] in _BETWEEN:
        before -= 1
    day = year = None
    used = -1
    if before >= 0 and tokens[before].isdigit():
        if len(tokens[before]) <= 2 and 1 <= int(tokens[before]) <= 31:
            day = int(tokens[before])
        elif len(tokens[before]) == 4:
            year = int(tokens[before])
        used = before
    after, seen = index + 1, 0
    while after < len(tokens) and seen < 2:
        token = tokens[after]
        if token.isdigit():
            seen += 1
            if len(token) == 4 and year is None:
                year = int(token)
            elif len(token) <= 2 and day is None and not (apostrophe and seen == 1):
                day = int(token) if 1 <= int(token) <= 31 else None
            elif len(token) == 2 and year is None and (day is not None or apostrophe):
                year = 2000 + int(token)
        elif token not in _BETWEEN:
            break
        after += 1
    # JavaScript's "Tue Mar 01 2022" and C's "Tue Mar  1 10:00:00 2022" are both read by now.
    if year is None and used < 0 and before >= 0 and tokens[before].isdigit():
        year = int(tokens[before])
    return day, year


def _month_named(
    year: int | None, month: int, day: int | None, clock: _Clock | None, text: str, now: datetime
) -> When:
    if year is None:
        for back in range(5):  # 29 February needs up to four
            try:
                at = datetime(now.year - back, month, day or 1, tzinfo=UTC)
            except ValueError:
                continue
            if at <= now + timedelta(days=1):
                precision = DatePrecision.DAY if day else DatePrecision.MONTH
                return _believed(at, precision, text, now)
        return When(raw=text)
    if day is None:
        return _believed(datetime(year, month, 1, tzinfo=UTC), DatePrecision.MONTH, text, now)
    return _at(year, month, day, clock, text, now)


_Clock = tuple[int, int, int, int, int, timezone]  # hour, minute, second, where it begins and ends, zone


def _clock(text: str) -> _Clock | None:
    """The time of day in a text, and its zone."""
    hit = _TIME.search(text)
    if hit and int(hit[1]) <= 24 and int(hit[2]) <= 59:
        hour, minute, second = int(hit[1]) % 24, int(hit[2]), min(int(hit[3] or 0), 59)
        half = hit[4]
    else:
        hit = _AM_PM.search(text)
        if hit is None or not 1 <= int(hit[1]) <= 12:
            return None
        hour, minute, second, half = int(hit[1]), 0, 0, hit[2]
    if half and hour <= 12:
        hour = hour % 12 + (12 if half.casefold() == "p" else 0)
    rest = text[hit.end() : hit.end() + 20]
    end = hit.end()
    zone = UTC
    offset = _OFFSET.search(rest)
    if offset and not any(c.isdigit() for c in rest[: offset.start()]):
        zone, end = _zone_of(offset[1] + offset[2] + (offset[3] or "")), hit.end() + offset.end()
    else:
        word = _TOKEN.search(rest)
        if word and word[0].casefold() in ZONES:
            zone, end = timezone(timedelta(minutes=ZONES[word[0].casefold()])), hit.end() + word.end()
    return hour, minute, second, hit.start(), end, zone


def _at(year: int, month: int, day: int, clock: _Clock | None, text: str, now: datetime) -> When:
    if clock is None:
        return _believed(datetime(year, month, day, tzinfo=UTC), DatePrecision.DAY, text, now)
    at = datetime(year, month, day, *clock[:3], tzinfo=clock[5])
    return _believed(at, DatePrecision.SECOND, text, now)


def _relative(plain: str, text: str, now: datetime, language: str) -> When | None:
    """ "12 days ago", "il y a 2 ans", "yesterday", "3h", "3日前"."""
    hit = _CJK_AGO.search(plain)
    if hit:
        return _back(now, int(hit[1]), CJK_UNITS[hit[2]], text)
    for word, days in CJK_DAYS.items():
        if word in plain:
            return _back(now, days, "day", text)
    tokens = _TOKEN.findall(plain.replace("'", "").replace("i gar", "igar").replace("i dag", "idag"))[:16]
    ago = any(t in AGO for t in tokens)
    ahead = bool(tokens) and tokens[0] in ("in", "dans", "через", "om", "tra", "fra")
    for before, token in pairwise(tokens):
        if (
            token in UNITS
            and before.isdigit()
            and len(before) <= 4
            and (ago or (len(tokens) <= 3 and not ahead))
        ):
            return _back(now, int(before), UNITS[token], text)
    for index, word in enumerate(tokens):
        since = DAYS_AGO.get(word)
        if since is not None and len(tokens) <= 6:
            return _back(now, since, "day", text)
        unit = UNITS.get(word)
        before = tokens[index - 1] if index else ""
        after = tokens[index + 1] if index + 1 < len(tokens) else ""
        if unit is None or len(word) == 1 or (word == "an" and before not in ONE):
            continue  # "il y a", "an hour ago"
        if before in LAST or after in LAST or (ago and (index == 0 or before in ONE or before in AGO)):
            return _back(now, 1, unit, text)
    if plain in (
        "just now",
        "gerade eben",
        "a l'instant",
        "только что",
        "ahora mismo",
        "zojuist",
        "たった今",
    ):
        return _back(now, 0, "day", text)
    return None


def _back(now: datetime, count: int, unit: str, text: str) -> When:
    """`now` less `count` units; months and years by the calendar."""
    if unit in SECONDS:
        at = now - timedelta(seconds=count * SECONDS[unit])
    else:
        months = now.year * 12 + now.month - 1 - count * (12 if unit == "year" else 1)
        year, month = divmod(months, 12)
        at = now
        for day in (now.day, 30, 29, 28):
            try:
                at = now.replace(year=year, month=month + 1, day=min(day, now.day))
                break
            except ValueError:
                if not 1 <= year <= 9999:
                    raise
    return _believed(at, DatePrecision.RELATIVE, text, now)


def _folded(text: str) -> str:
    """Lower case, accents off, digits of every script as ASCII; Cyrillic й and ё stay what they are."""
    text = text.casefold()
    if text.isascii():
        return text
    out = []
    for char in unicodedata.normalize("NFKC", text):
        if char > "\x7f" and char.isdecimal():
            char = str(unicodedata.decimal(char))
        elif "\x80" < char < "\u0250":
            char = unicodedata.normalize("NFD", char)[0]
        out.append({"ł": "l", "ø": "o", "ı": "i", "’": "'"}.get(char, char))
    return "".join(out)


def _dateparser(text: str, now: datetime, language: str) -> When:
    """What our tables cannot read, in one language that its letters or the page name."""
    if not any(c.isdigit() for c in text) and len(text) > 30:
        return When(raw=text)
    for pattern, code in _SCRIPTS:
        if pattern.search(text):
            languages = [code]
            break
    else:
        languages = ["en"]
    own = language.split("-")[0]
    if own and own not in languages:
        languages.insert(0, own)
    import dateparser  # 100 ms to import, and most pages never need it

    settings = {"RELATIVE_BASE": now.replace(tzinfo=None), "PREFER_DATES_FROM": "past", "TIMEZONE": "UTC",
                "RETURN_AS_TIMEZONE_AWARE": True, "REQUIRE_PARTS": ["month", "year"]}  # fmt: skip
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                at = dateparser.parse(text, languages=languages, settings=settings)
            except ValueError:  # a language it does not know
                at = dateparser.parse(text, languages=["en"], settings=settings)
    except Exception:
        return When(raw=text)
    if at is None:
        return When(raw=text)
    midnight = at.hour == at.minute == at.second == at.microsecond == 0
    anchored = (
        abs(at.replace(tzinfo=None) - now.replace(tzinfo=None)) % timedelta(days=1) == timedelta(0)
        and not midnight
    )
    precision = (
        DatePrecision.DAY if midnight else DatePrecision.RELATIVE if anchored else DatePrecision.SECOND
    )
    return _believed(at, precision, text, now)
