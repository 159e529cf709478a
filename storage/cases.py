"""What has to be answered, by whom, and what has happened to it so far?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, func, insert, select, update

from storage.records import (
    Case,
    CaseEvent,
    CaseStatus,
    Correction,
    Label,
    Priority,
    Promise,
    Reviewed,
    Sentiment,
    Verdict,
    clean_text,
)
from storage.rows import mention_from, narrow_cases, verdict_from
from storage.tables import case_events, cases, corrections, inserting, mentions, promises, revisions, verdicts

CHUNK = 500
_CLOCKS = (
    "claimed_at",
    "heard_at",
    "snoozed_until",
    "again_by",
    "remind_by",
    "escalated_at",
    "followed_up_at",
    "wake_at",
)


class CaseLedger:
    """Statements of the tables `cases`, `case_events`, `promises` and `corrections`."""

    _connection: Connection

    def open_cases(self, several: Sequence[Case]) -> list[Case]:
        """Open these cases; answers those really opened, with the numbers the database gave them.

        One case a mention and brand: where there is one already, open or closed, nothing happens.
        """
        wanted = {(case.mention_id, case.brand): case for case in reversed(several)}
        # Asked first, so that PostgreSQL does not use up a number for each case it then refuses.
        taken = {(case.mention_id, case.brand) for case in self.cases_of({pair[0] for pair in wanted})}
        rows = [_row(case) for pair, case in reversed(wanted.items()) if pair not in taken]
        if not rows:
            return []
        opened = self._connection.execute(
            inserting(self._connection, cases)
            .on_conflict_do_nothing(index_elements=["mention_id", "brand"])
            .returning(*cases.c, sort_by_parameter_order=False),
            rows,
        )
        opened_now = [_case(row) for row in opened.mappings()]
        for start in range(0, len(opened_now), CHUNK):
            narrow_cases(self._connection, [case.mention_id for case in opened_now[start : start + CHUNK]])
        return sorted(opened_now, key=lambda case: case.number)

    def cases_of(self, mention_ids: Iterable[int]) -> list[Case]:
        """The cases of these mentions, open or closed, by number."""
        ids = sorted(set(mention_ids))
        found = [
            _case(row)
            for start in range(0, len(ids), CHUNK)
            for row in self._connection.execute(
                select(cases).where(cases.c.mention_id.in_(ids[start : start + CHUNK]))
            ).mappings()
        ]
        return sorted(found, key=lambda case: case.number)

    def case(self, number: int) -> Case | None:
        """The case with this number, None when there is none."""
        row = self._connection.execute(select(cases).where(cases.c.number == number)).mappings().first()
        return None if row is None else _case(row)

    def save_case(self, case: Case, was_version: int) -> bool:
        """Write what became of a case; True when this call won, False when somebody acted in between."""
        row = _row(case)
        for name in ("mention_id", "brand", "opened_at"):  # what a case is about never changes
            del row[name]
        done = self._connection.execute(
            update(cases).where(cases.c.number == case.number, cases.c.version == was_version).values(**row)
        )
        return done.rowcount == 1

    def add_events(self, events: Iterable[CaseEvent]) -> None:
        """Append to the histories of cases."""
        rows = [
            {
                "number": one.number,
                "at": one.at,
                "actor": clean_text(one.actor, 255),
                "action": clean_text(one.action, 64),
                "detail": clean_text(one.detail),
                "version": one.version,
            }
            for one in events
        ]
        if rows:
            self._connection.execute(insert(case_events), rows)

    def events(self, number: int) -> list[CaseEvent]:
        """The history of a case, oldest first."""
        c = case_events.c
        found = (
            select(c.number, c.at, c.actor, c.action, c.detail, c.version)
            .where(c.number == number)
            .order_by(c.id)
        )
        return [CaseEvent(*row) for row in self._connection.execute(found)]

    def last_event(self) -> int:
        """The number of the latest event of all cases, 0 where there is none."""
        return self._connection.scalar(select(func.max(case_events.c.id))) or 0

    def events_after(self, identity: int, limit: int) -> list[tuple[int, CaseEvent]]:
        """The events of all cases that come after one, each with its number, oldest first."""
        return self._numbered(case_events.c.id > identity, limit)

    def events_between(self, first: int, last: int, *, since: datetime) -> list[tuple[int, CaseEvent]]:
        """The events with numbers above `first`, up to `last`, of what happened since; oldest first."""
        c = case_events.c
        return self._numbered(and_(c.id > first, c.id <= last, c.at >= since), last - first)

    def _numbered(self, where: ColumnElement[bool], limit: int) -> list[tuple[int, CaseEvent]]:
        c = case_events.c
        found = (
            select(c.id, c.number, c.at, c.actor, c.action, c.detail, c.version)
            .where(where)
            .order_by(c.id)
            .limit(limit)
        )
        return [(row[0], CaseEvent(*row[1:])) for row in self._connection.execute(found)]

    def brands_of(self, numbers: Iterable[int]) -> dict[int, str]:
        """The brand of each of these cases."""
        several = sorted(set(numbers))
        return {
            row[0]: row[1]
            for start in range(0, len(several), CHUNK)
            for row in self._connection.execute(
                select(cases.c.number, cases.c.brand).where(
                    cases.c.number.in_(several[start : start + CHUNK])
                )
            )
        }

    def cases_to_wake(self, now: datetime, limit: int = CHUNK) -> list[Case]:
        """The cases whose clocks must be looked at by `now`, those that wait longest first."""
        found = to_wake(now).limit(limit)
        return [_case(row) for row in self._connection.execute(found).mappings()]

    def set_wake(self, case: Case, wake_at: datetime | None) -> bool:
        """Look at the clocks of `case` again at `wake_at`; False when somebody acted on it in between."""
        done = self._connection.execute(
            update(cases)
            .where(cases.c.number == case.number, cases.c.version == case.version)
            .values(wake_at=wake_at)
        )
        return done.rowcount == 1

    def reviewed(self, number: int) -> Reviewed | None:
        """The case with its mention and verdict, None when there is no such case."""
        return self.reviewed_many([number]).get(number)

    def reviewed_many(self, numbers: Iterable[int]) -> dict[int, Reviewed]:
        """These cases with their mentions and verdicts; a number that is no case is not in the answer."""
        wanted = sorted(set(numbers))
        return {
            one.case.number: one
            for start in range(0, len(wanted), CHUNK)
            for one in self._reviewed(_REVIEWED.where(cases.c.number.in_(wanted[start : start + CHUNK])))
        }

    def cases_worst_first(
        self,
        *,
        open_only: bool = True,
        brand: str | None = None,
        source: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> list[Reviewed]:
        """Cases by priority, then rank, worst first; of two alike the older one."""
        return self._reviewed(
            worst_first(open_only=open_only, brand=brand, source=source).limit(limit).offset(offset)
        )

    def case_counts(self) -> dict[CaseStatus, int]:
        """How many cases stand where; every status is in the answer."""
        counted = select(cases.c.status, func.count()).group_by(cases.c.status)
        found = {row[0]: row[1] for row in self._connection.execute(counted)}
        return {status: found.get(status.value, 0) for status in CaseStatus}

    def add_promise(self, promise: Promise) -> Promise:
        """Keep what was promised; answers it with its id."""
        promise = replace(promise, text=clean_text(promise.text), owner=clean_text(promise.owner, 255))
        row = {column.name: getattr(promise, column.name) for column in promises.c if column.name != "id"}
        identity = self._connection.scalar(insert(promises).returning(promises.c.id), row)
        return replace(promise, id=identity or 0)

    def promises(self, number: int) -> list[Promise]:
        """What was promised in a case, in the order it was promised."""
        return self._promises(_PROMISES.where(promises.c.number == number).order_by(promises.c.id))

    def promises_of(self, numbers: Iterable[int]) -> dict[int, list[Promise]]:
        """What was promised in each of these cases; one where nothing was is not in the answer."""
        wanted = sorted(set(numbers))
        found: dict[int, list[Promise]] = {}
        for start in range(0, len(wanted), CHUNK):
            of_some = promises.c.number.in_(wanted[start : start + CHUNK])
            for one in self._promises(_PROMISES.where(of_some).order_by(promises.c.id)):
                found.setdefault(one.number, []).append(one)
        return found

    def promise(self, identity: int) -> Promise | None:
        """The promise with this id, None where there is none."""
        found = self._promises(_PROMISES.where(promises.c.id == identity))
        return found[0] if found else None

    def save_promise(self, promise: Promise) -> bool:
        """Write what became of a promise; True when nobody changed it in between."""
        done = self._connection.execute(
            update(promises)
            .where(promises.c.id == promise.id, promises.c.version == promise.version - 1)
            .values(
                due_by=promise.due_by,
                kept_at=promise.kept_at,
                version=promise.version,
                remind_by=promise.remind_by,
                broken_at=promise.broken_at,
                dropped_at=promise.dropped_at,
            )
        )
        return done.rowcount == 1

    def promises_due(self, by: datetime) -> list[Promise]:
        """The promises owed that are due at `by` or before, the oldest due first."""
        owed = (promises.c.kept_at.is_(None), promises.c.dropped_at.is_(None), promises.c.due_by <= by)
        return self._promises(_PROMISES.where(*owed).order_by(promises.c.due_by, promises.c.id))

    def keep_promise(self, identity: int, now: datetime) -> bool:
        """Mark a promise as kept; True when it was not before."""
        done = self._connection.execute(
            update(promises)
            .where(promises.c.id == identity, promises.c.kept_at.is_(None))
            .values(kept_at=now, remind_by=None, version=promises.c.version + 1)
        )
        return done.rowcount == 1

    def add_correction(self, correction: Correction) -> None:
        """Keep what a person said was wrong about a verdict."""
        self._connection.execute(
            insert(corrections),
            {
                "number": correction.number,
                "at": correction.at,
                "actor": clean_text(correction.actor, 255),
                "wrong": clean_text(correction.wrong, 64),
            },
        )

    def corrections(self) -> list[Correction]:
        """All that people said was wrong, oldest first."""
        c = corrections.c
        found = select(c.number, c.at, c.actor, c.wrong).order_by(c.id)
        return [Correction(*row) for row in self._connection.execute(found)]

    def _reviewed(self, statement: Select[Any]) -> list[Reviewed]:
        return [_reviewed(row) for row in self._connection.execute(statement).mappings()]

    def _promises(self, statement: Select[Any]) -> list[Promise]:
        return [Promise(*row) for row in self._connection.execute(statement)]


_PROMISES = select(
    promises.c.number,
    promises.c.text,
    promises.c.due_by,
    promises.c.owner,
    promises.c.kept_at,
    promises.c.id,
    promises.c.version,
    promises.c.remind_by,
    promises.c.broken_at,
    promises.c.dropped_at,
)

_STARS_BEFORE = (
    select(revisions.c.stars)
    .where(revisions.c.mention_id == cases.c.mention_id)
    .order_by(revisions.c.id.desc())
    .limit(1)
    .scalar_subquery()
    .label("stars_before")
)

_REVIEWED: Select[Any] = select(cases, mentions, verdicts, _STARS_BEFORE).select_from(
    cases.join(mentions, mentions.c.id == cases.c.mention_id).outerjoin(
        # An edit can take the brand out of the text: the case stands, its verdict is gone.
        verdicts,
        and_(verdicts.c.mention_id == cases.c.mention_id, verdicts.c.brand == cases.c.brand),
    )
)


def to_wake(now: datetime) -> Select[Any]:
    """The statement behind `cases_to_wake`; apart, so that its plan can be looked at."""
    return select(cases).where(cases.c.wake_at <= now).order_by(cases.c.wake_at)


def worst_first(
    *, open_only: bool = True, brand: str | None = None, source: str | None = None
) -> Select[Any]:
    """The statement behind `cases_worst_first`; apart, so that its plan can be looked at."""
    statement = _REVIEWED.order_by(cases.c.priority.desc(), cases.c.rank.desc(), cases.c.number)
    if open_only:
        statement = statement.where(cases.c.closed_at.is_(None))
    if brand is not None:
        statement = statement.where(func.coalesce(cases.c.brand, "") == brand)  # see ix_cases_counted
    if source is not None:
        statement = statement.where(cases.c.source == source)
    return statement


def _row(case: Case) -> dict[str, Any]:
    return {
        "mention_id": case.mention_id,
        "brand": case.brand,
        "status": case.status.value,
        "priority": int(case.priority),
        "rank": case.rank,
        "channel": case.channel,
        "owner": clean_text(case.owner, 255),
        "level": case.level,
        "version": case.version,
        "opened_at": case.opened_at,
        "respond_by": case.respond_by,
        "first_response_at": case.first_response_at,
        "closed_at": case.closed_at,
        "outcome": clean_text(case.outcome),
        "recovered": case.recovered,
        **{name: getattr(case, name) for name in _CLOCKS},
    }


def _case(row: RowMapping) -> Case:
    c = cases.c
    return Case(
        number=row[c.number],
        mention_id=row[c.mention_id],
        brand=row[c.brand],
        status=CaseStatus(row[c.status]),
        priority=Priority(row[c.priority]),
        rank=row[c.rank],
        opened_at=row[c.opened_at],
        channel=row[c.channel],
        owner=row[c.owner],
        level=row[c.level],
        version=row[c.version],
        respond_by=row[c.respond_by],
        first_response_at=row[c.first_response_at],
        closed_at=row[c.closed_at],
        outcome=row[c.outcome],
        recovered=row[c.recovered],
        **{name: row[c[name]] for name in _CLOCKS},
    )


def _reviewed(row: RowMapping) -> Reviewed:
    case = _case(row)
    mention = mention_from(row)
    unread = Verdict(case.brand, Sentiment(0.0, Label.UNREAD), case.priority, case.rank, ())
    before = row["stars_before"]
    return Reviewed(
        case=case,
        mention=mention,
        verdict=unread if row[verdicts.c.mention_id] is None else verdict_from(row),
        first_seen_at=row[mentions.c.first_seen_at],
        stars_before=None if before == mention.stars else before,
        removed=row[mentions.c.removed_at] is not None,
    )
