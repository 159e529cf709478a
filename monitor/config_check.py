"""Is this value what the setting allows? Typed reading of a TOML table that collects every mistake.

A reader never stops at the first mistake and never raises: it notes one line and goes on with the default, so
that a person mends the whole file in one go. No line ever repeats a secret.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

from storage.records import clean_line

T = TypeVar("T")

DURATION = 'a duration such as "15m", "2h", "1d"'
SHOWN_MAX = 60  # characters of a wrong value that are repeated to the person who wrote it

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"([0-9]{1,7}(?:\.[0-9]{1,3})?)\s?(ms|[smhdw])")
_SECRET = re.compile(r"\bxox[a-z]-[\w.-]+|\bxapp-[\w.-]+|https?://hooks\.slack\.com[^\s\"']*", re.IGNORECASE)
_PASSWORD_IN_URL = re.compile(r"(?<=://)[^\s/@]{1,200}:[^\s/@]{0,200}@")


class _Reported:
    """Stands where a secret was found in the file: already reported, and never shown."""

    def __repr__(self) -> str:
        return "(a secret)"


REPORTED = _Reported()


def duration(text: str) -> timedelta | None:
    """How long `text` says, None where it says no duration. Seconds, minutes, hours, days, weeks.

    >>> duration("15m"), duration("1w"), duration("soon")
    (datetime.timedelta(seconds=900), datetime.timedelta(days=7), None)
    """
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None:
        return None
    return timedelta(seconds=float(match[1]) * _UNITS[match[2]])


def duration_text(length: timedelta) -> str:
    """A duration as it is written in lowstar.toml.

    >>> duration_text(timedelta(hours=36)), duration_text(timedelta(days=7)), duration_text(timedelta(0))
    ('36h', '1w', '0s')
    """
    seconds = length.total_seconds()
    for unit in ("w", "d", "h", "m"):
        if seconds and seconds % _UNITS[unit] == 0:
            return f"{int(seconds // _UNITS[unit])}{unit}"
    return f"{seconds:g}s"


def redact_line(text: str) -> str:
    """`text` without Slack's tokens, webhook addresses and the passwords of database addresses.

    >>> redact_line("postgresql://u:hunter2@db/x refused xoxb-1-2-abc")
    'postgresql://…@db/x refused …'
    """
    return _PASSWORD_IN_URL.sub("…@", _SECRET.sub("…", text))


def looks_secret(text: str) -> bool:
    """True when `text` holds a Slack token or webhook address."""
    return _SECRET.search(text) is not None


def shown(value: object) -> str:
    """A wrong value as a person wrote it, on one line, short, without secrets.

    >>> shown("soon"), shown(7), shown(["a"]), shown({"a": 1})
    ('"soon"', '7', 'a list', 'a table')
    """
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            text = redact_line(clean_line(value, SHOWN_MAX * 4))
            return json.dumps(text[:SHOWN_MAX] + "…" if len(text) > SHOWN_MAX else text, ensure_ascii=False)
        case float():
            return f"{value:g}"
        case int():
            return str(value) if abs(value) < 10**18 else "a very large number"
        case Mapping():
            return "a table"
        case list() | tuple():
            return "a list" if value else "an empty list"
        case _Reported():
            return repr(value)
        case _:
            return f"a {type(value).__name__}"  # TOML's dates and times


def did_you_mean(word: str, known: Collection[str]) -> str:
    """The known name nearest to `word`, "" where none is near.

    >>> did_you_mean("evry", ["every", "urls"])
    'every'
    """
    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold()[:100], folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else ""


def url_problem(url: str) -> str:
    """What keeps `url` from being a web address to fetch, "" where nothing does."""
    if any(c.isspace() or not c.isprintable() for c in url):
        return "an address without spaces"
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "a web address such as https://shop.example/reviews"
    if parts.scheme.lower() not in ("http", "https") or not host:
        return "a web address that begins with https:// or http://"
    if parts.username is not None or parts.password is not None:
        return "an address without a user name or password in it"
    return ""


class Table:
    """One table of lowstar.toml being read: typed getters, a line a mistake, `close()` for unknown keys."""

    def __init__(self, values: Mapping[str, Any], where: str, problems: list[str], who: str = "") -> None:
        self.values = values
        self.where = where  # "sources[2]"
        self.who = who  # 'source "shop"': added to each line, as people know it by that name
        self.problems = problems
        self._asked: dict[str, None] = {}  # in the order of asking: what an unknown key might have meant

    def wrong(self, key: str, said: str) -> None:
        """Note a mistake at `key`: one line."""
        self.wrong_at(_path(self.where, key) if key else self.where, said)

    def wrong_at(self, where: str, said: str) -> None:
        who = f" ({self.who})" if self.who else ""
        self.problems.append(f"{where}: {said}{who}")

    def found(self, key: str, value: object, allowed: str) -> None:
        """Note that `value` at `key` is not what is allowed."""
        self.wrong(key, f"found {shown(value)}; allowed: {allowed}")

    def given(self, key: str) -> bool:
        """True when the file says something for `key`."""
        return key in self.values

    def raw(self, key: str) -> Any:
        """The value as written, None where there is none or where it was a secret reported before."""
        self._asked[key] = None
        value = self.values.get(key)
        return None if value is REPORTED else value

    def _typed(self, key: str, kinds: tuple[type, ...], allowed: str) -> Any:
        value = self.raw(key)
        if value is None:
            return None
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            self.found(key, value, allowed)
            return None
        return value

    def missing(self, key: str, allowed: str) -> None:
        """Note that `key` must be there, unless it was a secret reported before."""
        if self.values.get(key) is not REPORTED:
            self.wrong(key, f"missing; allowed: {allowed}")

    def text(
        self,
        key: str,
        default: str = "",
        *,
        allowed: str = "a text in quotes",
        required: bool = False,
        check: Callable[[str], str] | None = None,
    ) -> str:
        """A text on one line. `check` answers what is allowed instead, "" where the text is fine."""
        if required and not self.given(key):
            self.raw(key)
            self.missing(key, allowed)
            return default
        value = self._typed(key, (str,), allowed)
        if value is None:
            return default
        problem = allowed if required and not value.strip() else check(value) if check else ""
        if not problem and value and clean_line(value, 10_000) != value.strip():
            problem = "a text on one line, without control characters"
        if problem:
            self.found(key, value, problem)
            return default
        return str(value).strip()

    def choice(self, key: str, default: str, allowed: Sequence[str], *, required: bool = False) -> str:
        """One of a few words."""
        words = ", ".join(f'"{word}"' for word in allowed)

        def check(word: str) -> str:
            if word in allowed:
                return ""
            near = did_you_mean(word, allowed)
            return f'{words}; did you mean "{near}"?' if near else words

        return self.text(key, default, allowed=words, required=required, check=check)

    def texts(
        self,
        key: str,
        *,
        allowed: str = "a list of texts",
        check: Callable[[str], str] | None = None,
        empty: bool = True,
    ) -> tuple[str, ...]:
        """A list of texts, each on one line; doubles are dropped, order kept."""
        values = self._typed(key, (list,), allowed)
        if values is None:
            return ()
        if not values and not empty:
            self.found(key, values, allowed)
        kept: dict[str, None] = {}
        for at, value in enumerate(values, start=1):
            if value is REPORTED:
                continue
            problem = ""
            if not isinstance(value, str) or not value.strip():
                problem = "a text in quotes"
            elif clean_line(value, 10_000) != value.strip():
                problem = "a text on one line, without control characters"
            elif check:
                problem = check(value.strip())
            if problem:
                self.wrong(f"{key}[{at}]", f"found {shown(value)}; allowed: {problem}")
            else:
                kept[value.strip()] = None
        return tuple(kept)

    def flag(self, key: str, default: bool) -> bool:
        value = self._typed(key, (bool,), "true or false")
        return default if value is None else bool(value)

    def number(self, key: str, default: float, least: float, most: float) -> float:
        """A number from `least` to `most`."""
        allowed = f"a number from {least:g} to {most:g}"
        value = self._typed(key, (int, float), allowed)
        if value is None:
            return default
        if not (math.isfinite(value) if isinstance(value, float) else True) or not least <= value <= most:
            self.found(key, value, allowed)
            return default
        return float(value)

    def whole(self, key: str, default: int, least: int, most: int) -> int:
        """A whole number from `least` to `most`."""
        allowed = f"a whole number from {least} to {most}"
        value = self._typed(key, (int,), allowed)
        if value is None:
            return default
        if not least <= value <= most:
            self.found(key, value, allowed)
            return default
        return int(value)

    def duration(self, key: str, default: timedelta, least: str = "1s", most: str = "52w") -> timedelta:
        """A duration from `least` to `most`, both as written in the file."""
        value = self._typed(key, (str,), DURATION)
        if value is None:
            return default
        length, shortest, longest = duration(value), duration(least), duration(most)
        if length is None:
            self.found(key, value, DURATION)
            return default
        if (shortest is not None and length < shortest) or (longest is not None and length > longest):
            self.found(key, value, f'a duration from "{least}" to "{most}"')
            return default
        return length

    def url(self, key: str, default: str) -> str:
        """A web address."""
        return self.text(key, default, allowed="a web address", check=url_problem)

    def urls(self, key: str) -> tuple[str, ...]:
        """A list of web addresses."""
        return self.texts(
            key, allowed='a list of web addresses: ["https://shop.example/reviews"]', check=url_problem
        )

    def table(self, key: str) -> Table:
        """A table inside this one; an empty one where there is none."""
        value = self._typed(key, (dict,), f"a table: [{_path(self.where, key)}]")
        return Table(value or {}, _path(self.where, key), self.problems)

    def tables(self, key: str) -> Iterator[Table]:
        """The tables of a list of tables, counted from 1 in messages."""
        allowed = f"tables that begin with [[{key}]]"
        values = self._typed(key, (list,), allowed)
        for at, value in enumerate(values or [], start=1):
            if isinstance(value, dict):
                yield Table(value, f"{_path(self.where, key)}[{at}]", self.problems)
            elif value is not REPORTED:
                self.wrong(f"{key}[{at}]", f"found {shown(value)}; allowed: {allowed}")

    def close(self) -> None:
        """Note every key nobody asked for: a word misspelt would be silently without effect."""
        for key, value in self.values.items():
            if key in self._asked or value is REPORTED:
                continue
            near = did_you_mean(key, self._asked)
            hint = f'did you mean "{near}"?' if near else "allowed: " + ", ".join(self._asked)
            self.wrong(key, f"unknown key; {hint}")


def _path(where: str, key: str) -> str:
    # A key with odd characters is shown quoted, as TOML wants it written.
    plain = re.fullmatch(r"[A-Za-z0-9_-]+(\[[0-9]+\])?", key)
    shown_key = key if plain else shown(key)
    return f"{where}.{shown_key}" if where else shown_key
