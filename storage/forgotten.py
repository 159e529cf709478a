"""Whose words, and which posts, are never to be kept again?

Only keyed hashes are kept, so that the list of those who asked to be forgotten does not name them. The key is random
and lies in the same store: the hashes say nothing to whoever sees only them, and a name can still be tried by whoever
has the whole store.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, text

from storage.records import Mention, clean_key, clean_line
from storage.tables import cursors, forgotten, inserting

Key = tuple[str, str]

_SHELF, _NAME = "lowstar", "key of the forgotten"
_DIGEST = 24  # bytes of a hash that are kept: far more than chance could hit twice
_CHUNK = 500


class ForgottenLedger:
    """Statements of the table `forgotten`."""

    _connection: Connection

    def forget_author(self, author: str, sources: Iterable[str], now: datetime) -> None:
        """From now on nothing that `author` writes in one of `sources` is kept.

        Waits for batches being written at this moment, so that none slips past.
        """
        self._forget([("author", clean_key(source), clean_line(author)) for source in sources], now)

    def forget_posts(self, keys: Iterable[Key], now: datetime) -> None:
        """From now on these posts are not kept, under whatever name they stand."""
        self._forget([("post", source, external_id) for source, external_id in keys], now)

    def remember_author(self, author: str, sources: Iterable[str]) -> int:
        """Take `forget_author` back; answers in how many of `sources` it had been said. Posts stay forgotten."""
        key = _key(self._connection)
        if not key:
            return 0
        marks = [_mark(key, "author", clean_key(source), clean_line(author)) for source in sources]
        return self._connection.execute(delete(forgotten).where(forgotten.c.mark.in_(marks))).rowcount

    def forgotten(self, several: Sequence[Mention]) -> set[Key]:
        """Which of these mentions are not to be kept."""
        return forgotten_keys(self._connection, several)

    def forgotten_count(self) -> int:
        """How many authors (once a source) and posts are not to be kept."""
        return self._connection.scalar(select(func.count()).select_from(forgotten)) or 0

    def _forget(self, names: Sequence[tuple[str, str, str]], now: datetime) -> None:
        if not names:
            return
        if self._connection.dialect.name == "postgresql":
            # Whoever has read the list writes by it until commit; after this lock there is nobody of that kind.
            self._connection.execute(text("LOCK TABLE forgotten IN ACCESS EXCLUSIVE MODE"))
        key = _key(self._connection) or _new_key(self._connection, now)
        self._connection.execute(
            inserting(self._connection, forgotten).on_conflict_do_nothing(index_elements=["mark"]),
            [{"mark": _mark(key, *name), "at": now} for name in sorted(set(names))],
        )


def forgotten_keys(connection: Connection, several: Sequence[Mention]) -> set[Key]:
    """Which of these mentions are not to be kept; where nobody was ever forgotten, one look at an empty table."""
    if not several or connection.scalar(select(forgotten.c.mark).limit(1)) is None:
        return set()
    key = _key(connection)
    marks: dict[str, list[Key]] = {}
    for mention in several:
        marks.setdefault(_mark(key, "post", *mention.key), []).append(mention.key)
        if mention.author:
            marks.setdefault(_mark(key, "author", mention.source, mention.author), []).append(mention.key)
    asked = sorted(marks)
    return {
        one
        for start in range(0, len(asked), _CHUNK)
        for mark in connection.scalars(
            select(forgotten.c.mark).where(forgotten.c.mark.in_(asked[start : start + _CHUNK]))
        )
        for one in marks[mark]
    }


def _mark(key: bytes, *name: str) -> str:
    made = hmac.new(key, "\0".join(name).encode("utf-8"), hashlib.sha256).digest()
    return made[:_DIGEST].hex()


def _key(connection: Connection) -> bytes:
    kept = connection.scalar(
        select(cursors.c.value).where(cursors.c.source == _SHELF, cursors.c.name == _NAME)
    )
    return bytes.fromhex(kept) if kept else b""


def _new_key(connection: Connection, now: datetime) -> bytes:
    row = {"source": _SHELF, "name": _NAME, "value": secrets.token_hex(32), "updated_at": now}
    connection.execute(
        inserting(connection, cursors).on_conflict_do_nothing(index_elements=["source", "name"]), row
    )
    return _key(connection)
