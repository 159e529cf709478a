"""Which brands is a mention about?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """A name to listen for. Terms are literals with Unicode word boundaries, never patterns."""

    name: str
    terms: tuple[str, ...]  # default: the name itself
    not_terms: tuple[str, ...] = ()  # a hit inside one of these phrases is no hit
    near: tuple[str, ...] = ()  # for ambiguous names: one of these must stand in the same text
    rivals: tuple[str, ...] = ()  # other names to compare with
