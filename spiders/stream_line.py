"""One connection of a stream: what it hears, what it tells about itself, how long it waits before the next try."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from storage.records import Mention, Removal

PAUSE_LEAST, PAUSE_MOST = 1.0, 300.0  # seconds between two tries of a line


class StreamBroken(Exception):
    """A line is over; `str()` says why, and what to do where there is something. `wait` seconds, if it said so."""

    def __init__(self, words: str, wait: float = 0.0) -> None:
        super().__init__(words)
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Event:
    """Something a line heard."""

    thing: Mention | Removal | None = None
    only_known: bool = False  # of interest only where we have the mention already
    gone_author: str = ""  # all that is kept of ids that begin so is to go
    mark: int = 0  # all up to here has been heard; 0: the stream has no marks


class Line(Protocol):
    """One connection of a stream."""

    name: str  # "#acme", for people

    def events(self, told: Told, mark: int) -> Iterator[Event]:
        """What is heard from now on, or from `mark` on; raises StreamBroken. An ending says nothing is wrong."""

    def cut(self) -> None:
        """End it from another thread: whoever waits wakes up at once."""


class Told(Protocol):
    """What a line tells about itself."""

    def connected(self) -> None:
        """It stands."""

    def alive(self) -> None:
        """A sign of life."""

    def garbage(self, words: str) -> None:
        """Something came that cannot be read; it goes on."""

    def missed(self, words: str) -> None:
        """Something was said that was not heard, and cannot be heard any more."""

    @property
    def stopping(self) -> bool:
        """True when it is to end."""


@dataclass(slots=True)
class Pause:
    """How long to wait before the next try: longer each time, uneven so that not all come back at once."""

    tries: int = 0

    def next(self, asked: float = 0.0) -> float:
        """Seconds; what a server asked for counts, up to the longest pause."""
        self.tries += 1
        most = min(PAUSE_MOST, PAUSE_LEAST * 2.0 ** min(self.tries - 1, 12))
        return max(min(asked, PAUSE_MOST * 2), most * random.uniform(0.5, 1.0))  # noqa: S311 - a pause
