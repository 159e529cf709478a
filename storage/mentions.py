"""What has been said, what did it say before, and how was it judged?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import (
    Connection,
    Select,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    update,
)

from storage.forgotten import forgotten_keys
from storage.kept_days import announce_verdicts, drop_days, drop_days_of
from storage.records import (
    DatePrecision,
    Mark,
    Mention,
    Removal,
    Stored,
    Verdict,
    Written,
)
from storage.rows import (
    Facts,
    as_recordset,
    insert_verdicts,
    mention_from,
    mention_row,
    narrow_cases,
    recordset_insert,
    verdict_from,
    verdict_row,
)
from storage.search import drop_words, refresh_words
from storage.tables import COARSE, UtcTime, mentions, revisions, sketches, verdicts

Key = tuple[str, str]
_T = TypeVar("_T")

# Keys asked for in one statement: well below SQLite's 32,766 variables, and one shape of statement to plan.
CHUNK = 500
# A date later than this from now is a misread or a lie; such a mention is counted in the week it was seen.
_AHEAD = timedelta(days=1)
_EXACTNESS = {
    DatePrecision.SECOND: 5,
    DatePrecision.DAY: 4,
    DatePrecision.MONTH: 3,
    DatePrecision.YEAR: 2,
    DatePrecision.RELATIVE: 1,
    DatePrecision.NONE: 0,
}
# What a removal leaves of a mention: that there was one, from where, when, and how many stars it gave.
_EMPTIED: Mapping[str, Any] = {
    "url": "",
    "title": "",
    "text": "",
    "author": "",
    "author_followers": None,
    "entity": "",
    "rating_raw": "",
    "owner_reply": "",
    "in_reply_to": "",
    "reference": "",
    "content_hash": "",  # no text has this hash: if the mention comes back, it is written again
}


@dataclass(frozen=True, slots=True)
class Revision:
    """What an edited mention said before, and until when."""

    title: str
    text: str
    stars: float | None
    replaced_at: datetime


@dataclass(frozen=True, slots=True)
class _Kept:
    id: int
    content_hash: str
    stars: float | None
    published_at: datetime | None
    date_precision: DatePrecision
    first_seen_at: datetime
    removed: bool


class MentionLedger:
    """Statements of the tables `mentions`, `revisions` and `verdicts`."""

    _connection: Connection

    def known(self, keys: Iterable[Key]) -> dict[Key, Stored]:
        """What the store has under `keys`; a key it does not know is not in the answer.

        A removed mention is known by a hash that no content has.
        """
        c = mentions.c
        wanted = select(c.source, c.external_id, c.id, c.content_hash, c.stars, c.reach).where(
            c.source == bindparam("of_source"), c.external_id.in_(bindparam("ids", expanding=True))
        )
        return {
            (row.source, row.external_id): Stored(row.id, row.content_hash, row.stars, row.reach)
            for source, ids in _by_source(keys)
            for row in self._connection.execute(wanted, {"of_source": source, "ids": ids})
        }

    def write_mentions(self, several: Sequence[Mention], now: datetime) -> dict[Key, Written]:
        """Keep each mention; answers only those that are new or have really changed.

        What a changed one said before becomes a revision. Of the same key twice in one call the last counts.
        A kept date is not replaced by a less exact one. Unchanged mentions cost one look-up and no write.
        What was forgotten is not written, whoever brings it: this is the one door to the words.
        """
        latest = {mention.key: mention for mention in several}
        for key in forgotten_keys(self._connection, list(latest.values())):
            del latest[key]
        if not latest:
            return {}
        # In one order everywhere, so that two writers on PostgreSQL wait for each other in one direction.
        hashes = {key: latest[key].content_hash() for key in sorted(latest)}
        kept = self._kept(hashes)
        fresh = [key for key in hashes if key not in kept]
        written = {
            key: Written(identity, new=True)
            for key, identity in self._insert_new(
                [self._new_row(latest[key], hashes[key], now) for key in fresh]
            ).items()
        }
        # Whoever wrote the same mention in this very moment was first: ours changes theirs, or does nothing.
        kept |= self._kept([key for key in fresh if key not in written])
        changed = [
            key for key in hashes if (was := kept.get(key)) is not None and was.content_hash != hashes[key]
        ]
        if not changed:
            return written
        self._keep_revisions([kept[key].id for key in changed if not kept[key].removed], now)
        self._connection.execute(
            update(mentions).where(mentions.c.id == bindparam("of_id")),
            [self._changed_row(latest[key], hashes[key], kept[key], now) for key in changed],
        )
        refresh_words(self._connection, [kept[key].id for key in changed])
        return written | {
            key: Written(kept[key].id, new=False, stars_before=kept[key].stars, back=kept[key].removed)
            for key in changed
        }

    def write_reach(self, reach: Mapping[Key, int]) -> None:
        """Set the votes, comments, shares of mentions; unknown and unchanged ones are passed over."""
        if not reach:
            return
        self._connection.execute(
            update(mentions)
            .where(
                mentions.c.source == bindparam("of_source"),
                mentions.c.external_id == bindparam("of_external_id"),
                mentions.c.reach != bindparam("new_reach"),
            )
            .values(reach=bindparam("new_reach")),
            [
                {"of_source": source, "of_external_id": external_id, "new_reach": reach[source, external_id]}
                for source, external_id in sorted(reach)
            ],
        )

    def write_verdicts(self, rows: Sequence[tuple[int, Mention, Verdict]], *, of: Iterable[int] = ()) -> None:
        """Replace every verdict of these mentions by the ones given.

        A brand that is no longer matched loses its verdict; `of` names mentions for which no brand is left.
        """
        announce_verdicts(self._connection)
        ids = sorted({identity for identity, _, _ in rows}.union(of))
        touched: set[tuple[str, datetime]] = set()
        for some in _chunks(ids):
            done = delete(verdicts).where(verdicts.c.mention_id.in_(some))
            was = self._connection.execute(done.returning(verdicts.c.brand, verdicts.c.posted_at))
            touched.update((row.brand, row.posted_at) for row in was)
        facts = self._facts(ids)
        latest = {(identity, verdict.brand): (mention, verdict) for identity, mention, verdict in rows}
        if latest:
            insert_verdicts(
                self._connection,
                [
                    verdict_row(identity, mention, verdict, facts[identity])
                    for (identity, _), (mention, verdict) in latest.items()
                ],
            )
        for some in _chunks(ids):
            narrow_cases(self._connection, some)
        drop_days(self._connection, touched.union((brand, facts[one].posted_at) for one, brand in latest))

    def mention(self, identity: int) -> Mention | None:
        """The mention with this id; None when there is none. A removed one has no words left."""
        row = self._connection.execute(select(mentions).where(mentions.c.id == identity)).mappings().first()
        return None if row is None else mention_from(row)

    def verdicts(self, mention_id: int) -> list[Verdict]:
        """How a mention was judged, one verdict a brand, in the order of their names."""
        found = select(verdicts).where(verdicts.c.mention_id == mention_id).order_by(verdicts.c.brand)
        return [verdict_from(row) for row in self._connection.execute(found).mappings()]

    def revisions(self, mention_id: int) -> list[Revision]:
        """What a mention said before, oldest first."""
        c = revisions.c
        found = (
            select(c.title, c.text, c.stars, c.replaced_at).where(c.mention_id == mention_id).order_by(c.id)
        )
        return [Revision(*row) for row in self._connection.execute(found)]

    def remove(self, removals: Sequence[Removal], now: datetime) -> list[int]:
        """Forget every word a stranger wrote in these mentions; answers the ids that were removed just now.

        Their revisions go, and of their verdicts the spans and the reasons, which quote the text.
        """
        removed: list[int] = []
        for source, ids in _by_source(removal.key for removal in removals):
            removed += self._connection.scalars(
                update(mentions)
                .where(
                    mentions.c.source == source,
                    mentions.c.external_id.in_(ids),
                    mentions.c.removed_at.is_(None),
                )
                .values(**_EMPTIED, removed_at=now)
                .returning(mentions.c.id)
            )
        if removed:
            announce_verdicts(self._connection)
        for some in _chunks(removed):
            drop_days_of(self._connection, some)
            self._connection.execute(delete(revisions).where(revisions.c.mention_id.in_(some)))
            self._connection.execute(delete(sketches).where(sketches.c.mention_id.in_(some)))
            v = verdicts.c
            marks = v.marks.bitwise_or(int(Mark.REMOVED))
            emptied = {"spans": "[]", "reasons": "[]", "place": 0, "marks": marks}
            self._connection.execute(update(verdicts).where(v.mention_id.in_(some)).values(emptied))
        drop_words(self._connection, removed)
        return sorted(removed)

    def recent_keys(self, source: str, since: datetime) -> list[Key]:
        """The names of what `source` said since, newest first: to be looked at again. None removed."""
        c = mentions.c
        found = (
            select(c.source, c.external_id)
            .where(c.source == source, c.posted_at >= since, c.removed_at.is_(None))
            .order_by(c.posted_at.desc(), c.id.desc())
        )
        return [(row.source, row.external_id) for row in self._connection.execute(found)]

    def kept_keys(self, source: str) -> set[str]:
        """Every external id kept of `source`, removed ones left out."""
        c = mentions.c
        return set(
            self._connection.scalars(select(c.external_id).where(c.source == source, c.removed_at.is_(None)))
        )

    def sources(self) -> list[str]:
        """Every source something is kept of, by name: those of lowstar.toml, and what was imported or taken out."""
        found: list[str] = []
        # From name to name through the key: a DISTINCT would read all of it.
        while (name := self._connection.scalar(_next_source(found[-1] if found else ""))) is not None:
            found.append(name)
        return found

    def purge_source(self, source: str, before: datetime, now: datetime | None = None) -> int:
        """Forget the words of all that `source` said and that was last written before; answers how many.

        What is left is that there was one, from where, when and how many stars: the same as of a removal.
        """
        c = mentions.c
        old = self._connection.scalars(
            select(c.external_id).where(c.source == source, c.changed_at < before, c.removed_at.is_(None))
        )
        return len(self.remove([Removal(source, external_id) for external_id in old], now or before))

    def mention_count(self) -> int:
        """How many mentions are kept, removed ones not counted."""
        gone = select(func.count()).select_from(mentions).where(mentions.c.removed_at.is_not(None))
        whole = select(func.count() - gone.scalar_subquery()).select_from(mentions)
        return self._connection.scalar(whole) or 0

    def mention_estimate(self) -> int:
        """About how many mentions are kept, at once however many there are."""
        if self._connection.dialect.name == "sqlite":
            # Ids are given in order, and few rows are ever deleted.
            return self._connection.scalar(select(func.max(mentions.c.id))) or 0
        planned = text("SELECT reltuples::bigint FROM pg_class WHERE oid = 'mentions'::regclass")
        estimate = self._connection.scalar(planned)
        # The planner knows nothing of a table it has not looked at yet; such a table is small.
        return int(estimate) if estimate and estimate > 0 else self.mention_count()

    def _facts(self, ids: Sequence[int]) -> dict[int, Facts]:
        """What the verdicts of these mentions repeat: of the row, which may know a better date than the caller."""
        c = mentions.c
        wanted = select(
            c.id,
            c.posted_at,
            c.first_seen_at,
            c.entity,
            c.date_precision.in_(COARSE),
            c.removed_at.is_not(None),
        )
        return {
            row[0]: Facts(row[1], row[2], row[3], day_only=row[4], removed=row[5])
            for some in _chunks(ids)
            for row in self._connection.execute(wanted.where(c.id.in_(some)))
        }

    def _kept(self, keys: Iterable[Key]) -> dict[Key, _Kept]:
        c = mentions.c
        wanted = (
            select(
                c.source,
                c.external_id,
                c.id,
                c.content_hash,
                c.stars,
                c.published_at,
                c.date_precision,
                c.first_seen_at,
                c.removed_at,
            )
            .where(c.source == bindparam("of_source"), c.external_id.in_(bindparam("ids", expanding=True)))
            .with_for_update()  # SQLite, where the whole transaction is the lock, leaves it out
        )
        return {
            (row.source, row.external_id): _Kept(
                row.id,
                row.content_hash,
                row.stars,
                row.published_at,
                DatePrecision(row.date_precision),
                row.first_seen_at,
                row.removed_at is not None,
            )
            for source, ids in _by_source(keys)
            for row in self._connection.execute(wanted, {"of_source": source, "ids": ids})
        }

    def _insert_new(self, rows: list[dict[str, Any]]) -> dict[Key, int]:
        """Insert what nobody has inserted meanwhile; answers the ids of what was."""
        if not rows:
            return {}
        c = mentions.c
        # Never many VALUES in one INSERT, which is what RETURNING for many rows would make of it: on both
        # databases the driver then spends its time on the statement's text.
        if self._connection.dialect.name == "postgresql":
            done = self._connection.execute(_INSERT_NEW, as_recordset(rows))
        else:
            # Here nobody else writes before we are done: the new ids are the highest.
            highest = self._connection.scalar(select(func.max(c.id))) or 0
            self._connection.execute(insert(mentions), rows)
            done = self._connection.execute(select(c.id, c.source, c.external_id).where(c.id > highest))
        return {(row.source, row.external_id): row.id for row in done}

    def _keep_revisions(self, ids: Sequence[int], now: datetime) -> None:
        c = mentions.c
        for some in _chunks(ids):
            before = select(c.id, c.title, c.text, c.stars, literal(now, UtcTime)).where(c.id.in_(some))
            self._connection.execute(
                insert(revisions).from_select(["mention_id", "title", "text", "stars", "replaced_at"], before)
            )

    def _new_row(self, mention: Mention, content_hash: str, now: datetime) -> dict[str, Any]:
        return {
            **mention_row(mention),
            "content_hash": content_hash,
            "first_seen_at": now,
            "changed_at": now,
            "posted_at": _posted_at(mention.published_at, now, now),
        }

    def _changed_row(self, mention: Mention, content_hash: str, was: _Kept, now: datetime) -> dict[str, Any]:
        row = mention_row(mention)
        if not _more_exact(mention, was):
            row |= {"published_at": was.published_at, "date_precision": was.date_precision.value}
        return {
            **row,
            "of_id": was.id,
            "content_hash": content_hash,
            "changed_at": now,
            "posted_at": _posted_at(row["published_at"], was.first_seen_at, now),
            "removed_at": None,
        }


def _next_source(last: str) -> Select[Any]:
    return select(func.min(mentions.c.source)).where(mentions.c.source > last)


_INSERT_NEW = (
    recordset_insert(mentions, leave_out=["id"])
    .on_conflict_do_nothing(index_elements=["source", "external_id"])
    .returning(mentions.c.id, mentions.c.source, mentions.c.external_id)
)


def _posted_at(published_at: datetime | None, first_seen_at: datetime, now: datetime) -> datetime:
    if published_at is None or published_at > now + _AHEAD:
        return first_seen_at
    return published_at


def _more_exact(mention: Mention, was: _Kept) -> bool:
    """True when the date of `mention` should replace the kept one."""
    if mention.published_at is None:
        return was.published_at is None
    if was.published_at is None:
        return True
    # "12 days ago" read again is no news: the first reading was the nearest to the day.
    if mention.date_precision in (DatePrecision.RELATIVE, DatePrecision.NONE):
        return _EXACTNESS[mention.date_precision] > _EXACTNESS[was.date_precision]
    return _EXACTNESS[mention.date_precision] >= _EXACTNESS[was.date_precision]


def _by_source(keys: Iterable[Key]) -> Iterator[tuple[str, list[str]]]:
    """Keys as (source, ids) in pieces that fit one statement, in one order."""
    sources: defaultdict[str, set[str]] = defaultdict(set)
    for source, external_id in keys:
        sources[source].add(external_id)
    for source in sorted(sources):
        for some in _chunks(sorted(sources[source])):
            yield source, some


def _chunks(values: Collection[_T]) -> Iterator[list[_T]]:
    whole = list(values)
    for start in range(0, len(whole), CHUNK):
        yield whole[start : start + CHUNK]
