"""How far had a mention spread before? What tells a post that goes viral from one that grows slowly."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from storage.records import DeliveryKind, DeliveryState
from storage.tables import deliveries, inserting, mentions, reach_marks

CHUNK = 500
_State = DeliveryState


class ReachLedger:
    """Statements of the table `reach_marks`, and what a jump does to what still waits to be sent."""

    _connection: Connection

    def reach_before(self, mention_ids: Collection[int]) -> dict[int, tuple[int | None, datetime]]:
        """What a later reach of these mentions is compared with: the reach marked, and when it was.

        Where nothing was marked yet: None, and when the mention was first seen.
        """
        m, r = mentions.c, reach_marks.c
        ids = sorted(set(mention_ids))
        joined = mentions.outerjoin(reach_marks, r.mention_id == m.id)
        return {
            row[0]: (row[1], row[2])
            for start in range(0, len(ids), CHUNK)
            for row in self._connection.execute(
                select(m.id, r.reach, func.coalesce(r.marked_at, m.first_seen_at, type_=r.marked_at.type))
                .select_from(joined)
                .where(m.id.in_(ids[start : start + CHUNK]))
            )
        }

    def mark_reach(self, reach: Mapping[int, int], now: datetime) -> None:
        """Later reach is compared with this."""
        if not reach:
            return
        new = inserting(self._connection, reach_marks)
        self._connection.execute(
            new.on_conflict_do_update(
                index_elements=["mention_id"],
                set_={"reach": new.excluded.reach, "marked_at": new.excluded.marked_at},
            ),
            [
                {"mention_id": identity, "reach": reach[identity], "marked_at": now}
                for identity in sorted(reach)
            ],
        )

    def raise_waiting(self, number: int, priority: int, rank: float, *, at_once: datetime | None) -> int:
        """What waits to be said of a case takes its place anew; `at_once`: quiet hours no longer hold it."""
        d = deliveries.c
        values: dict[str, Any] = {"priority": priority, "rank": rank}
        if at_once is not None:
            values["not_before"] = at_once
        return self._connection.execute(
            update(deliveries)
            .where(
                d.number == number,
                d.kind == DeliveryKind.ALERT,
                d.state.in_((_State.PENDING, _State.PARKED, _State.HELD)),
            )
            .values(**values)
        ).rowcount
