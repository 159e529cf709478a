"""Where does the alert of each case stand? The sums that prove that nothing was lost."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, case, exists, func, literal_column, or_, select, update

from storage.records import DeliveryState
from storage.tables import cases, deliveries, mentions, storms

CHUNK = 500
_State = DeliveryState

# From the best a case can have to the worst: of several alerts of one case the first counts.
STANDS = (
    "delivered",
    "queued",
    "folded",
    "quiet",
    "parked",
    "uncertain",
    "ended",
    "refused",
    "no road",
    "stranded",
    "lost",
    "missing",
)


class AuditLedger:
    """Statements of the audit."""

    _connection: Connection

    def audit_sums(self, now: datetime, since: datetime, roads: Collection[str]) -> dict[str, int]:
        """Of all cases that are open or were opened after `since`: how many alerts stand where.

        A case with several alerts counts where the furthest of them stands. `roads` are the notifiers there
        are; what waits for another one waits for ever.
        """
        per_case = self._standing(now, since, roads).subquery()
        counted = select(per_case.c.stands, func.count()).group_by(per_case.c.stands)
        return {STANDS[row[0]]: row[1] for row in self._connection.execute(counted)}

    def flagged_count(self, since: datetime) -> int:
        """How many cases are open or were opened after `since`: what the sums must add up to."""
        c = cases.c
        counted = select(func.count()).where(or_(c.closed_at.is_(None), c.opened_at >= since))
        return self._connection.scalar(counted) or 0

    def audit_names(
        self, stands: str, now: datetime, since: datetime, roads: Collection[str], limit: int = 5
    ) -> list[int]:
        """The numbers of cases whose alert stands so, oldest first."""
        per_case = self._standing(now, since, roads).subquery()
        found = select(per_case.c.number).where(per_case.c.stands == STANDS.index(stands))
        return list(self._connection.scalars(found.order_by(per_case.c.number).limit(limit)))

    def _standing(self, now: datetime, since: datetime, roads: Collection[str]) -> Any:
        c, d = cases.c, deliveries.c
        number: dict[str, Any] = {name: literal_column(str(place)) for place, name in enumerate(STANDS)}
        waits = d.state.in_((_State.PENDING, _State.SENDING))
        going_on = (
            select(storms.c.id)
            .where(storms.c.id == d.storm, storms.c.ended_at.is_(None), storms.c.holding)
            .exists()
        )
        stands = case(
            (d.id.is_(None), number["missing"]),
            (d.state == _State.SENT, number["delivered"]),
            (
                d.state == _State.CANCELLED,
                case((c.closed_at.is_(None), number["lost"]), else_=number["ended"]),
            ),
            (d.state == _State.FAILED, number["refused"]),
            (d.state == _State.UNCERTAIN, number["uncertain"]),
            (d.state == _State.HELD, case((going_on, number["folded"]), else_=number["stranded"])),
            (d.notifier.not_in(tuple(roads)), number["no road"]),
            (d.state == _State.PARKED, number["parked"]),
            (waits & (d.not_before > now) & (d.attempts == 0), number["quiet"]),
            else_=number["queued"],
        )
        return (
            select(c.number, func.min(stands).label("stands"))
            .select_from(
                cases.outerjoin(deliveries, (d.number == c.number) & (d.kind == literal_column("'alert'")))
            )
            .where(or_(c.closed_at.is_(None), c.opened_at >= since))
            .group_by(c.number)
        )

    def never_announced(self, limit: int) -> list[int]:
        """The open cases that no alert was ever written for though they have a channel, worst first."""
        return list(self._connection.scalars(never_announced().limit(limit)))

    def announce_again(self, now: datetime) -> int:
        """Alerts that were called off and whose case is open again go on their way; how many.

        A case closed while a storm held its alert, and reopened later, is such a one.
        """
        c, d = cases.c, deliveries.c
        open_again = (
            select(d.id)
            .select_from(
                cases.join(deliveries, d.number == c.number).join(mentions, mentions.c.id == c.mention_id)
            )
            .where(
                c.closed_at.is_(None),
                mentions.c.removed_at.is_(None),
                d.kind == literal_column("'alert'"),
                d.state == _State.CANCELLED,
            )
        )
        ids = list(self._connection.scalars(open_again))
        for start in range(0, len(ids), CHUNK):
            self._connection.execute(
                update(deliveries)
                .where(d.id.in_(ids[start : start + CHUNK]), d.state == _State.CANCELLED)
                .values(state=_State.PENDING.value, created_at=now, not_before=now)
            )
        return len(ids)


def never_announced() -> Select[Any]:
    """The statement behind `AuditLedger.never_announced`; apart, so that its plan can be looked at."""
    c, d = cases.c, deliveries.c
    told = exists().where(d.number == c.number, d.kind == literal_column("'alert'"))
    return (
        select(c.number)
        .where(c.closed_at.is_(None), c.channel != "", ~told)
        .order_by(c.priority.desc(), c.rank.desc(), c.number)
    )
