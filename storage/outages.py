"""Which sources are blind, since when, and who mends them?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from storage.records import Outage, clean_line
from storage.tables import crawl_runs, inserting, outages


class OutageLedger:
    """Statements of the table `outages`."""

    _connection: Connection

    def open_outage(self, outage: Outage) -> Outage | None:
        """Note that a source is blind; None where that is known already."""
        row = {name: value for name, value in _row(outage).items() if name != "id"}
        made = self._connection.execute(
            inserting(self._connection, outages)
            .values(row)
            .on_conflict_do_nothing(index_elements=["source"], index_where=outages.c.ended_at.is_(None))
            .returning(outages.c.id)
        ).scalar_one_or_none()
        return None if made is None else self.outage(made)

    def outage(self, identity: int) -> Outage | None:
        """The outage with this id."""
        row = self._connection.execute(select(outages).where(outages.c.id == identity)).mappings().first()
        return None if row is None else Outage(**row)

    def outages_going_on(self) -> dict[str, Outage]:
        """The blind sources, by name."""
        found = self._connection.execute(select(outages).where(outages.c.ended_at.is_(None))).mappings()
        return {row["source"]: Outage(**row) for row in found}

    def save_outage(self, outage: Outage, was_version: int) -> bool:
        """Write what became of an outage; False when somebody was faster."""
        o = outages.c
        done = self._connection.execute(
            update(outages)
            .where(o.id == outage.id, o.version == was_version, o.ended_at.is_(None))
            .values(_row(outage))
        )
        return done.rowcount == 1

    def is_quiet(self, source: str, now: datetime) -> bool:
        """True when somebody wanted to hear nothing of this source for now."""
        o = outages.c
        return (
            self._connection.scalar(select(o.id).where(o.source == source, o.quiet_until > now).limit(1))
            is not None
        )

    def news_of(self, source: str, start: datetime, end: datetime) -> tuple[int, datetime | None]:
        """How many new mentions the crawls of this span brought, and when the first of them was.

        A source's very first crawl is not counted: it brings years at once.
        """
        r = crawl_runs.c
        row = self._connection.execute(
            select(func.coalesce(func.sum(r.new), 0), func.min(r.started_at, type_=r.started_at.type)).where(
                r.source == source, r.started_at >= start, r.started_at <= end, r.first.is_(False)
            )
        ).one()
        return int(row[0]), row[1]


def _row(outage: Outage) -> dict[str, Any]:
    return {
        "id": outage.id,
        "source": outage.source,
        "began_at": outage.began_at,
        "noticed_at": outage.noticed_at,
        "ended_at": outage.ended_at,
        "owner": clean_line(outage.owner, 255),
        "quiet_until": outage.quiet_until,
        "version": outage.version,
        "card": outage.card,
        "drawn_at": outage.drawn_at,
        "caught_up": outage.caught_up,
    }
