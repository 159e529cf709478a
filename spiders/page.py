"""What one page or answer held: the hand-over between reading a page and crawling a site."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from scrapy.http import TextResponse

from monitor.config import Source
from storage.records import Mention, RatingSnapshot, Removal


@dataclass(frozen=True, slots=True)
class Page:
    """All that was read from one page. Reading never raises on what a stranger wrote: it lands in `problems`."""

    mentions: tuple[Mention, ...] = ()
    next_urls: tuple[str, ...] = ()  # absolute; more of the same listing
    problems: tuple[str, ...] = ()  # what could not be read, in words a person can act on
    notes: tuple[str, ...] = ()  # what was odd but could be read: worth a word, no alarm
    removals: tuple[Removal, ...] = ()
    snapshots: tuple[RatingSnapshot, ...] = ()  # averages the page shows
    blind: str = (
        ""  # why this page shows nothing although it should: a login wall, a captcha, a changed layout
    )
    quiet: bool = False  # an answer that may well be empty: a window of time in which nobody spoke
    named: tuple[tuple[str, str], ...] = ()  # (external id, what its API is asked by) where the two differ
    cursors: tuple[tuple[str, str], ...] = ()  # (name, value) to remember once these mentions are stored


PageReader = Callable[[TextResponse, Source, datetime], Page]
"""Reads one answer: (response, source, fetched_at) → Page. Pure; each kind module has one named `read_page`."""
