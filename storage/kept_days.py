"""What did days that are over come to, so that nobody has to count them again?

What is kept is `monitor.digest_days`' own; here it is known only when it is void. Whoever writes or deletes a
verdict, or removes a mention, throws the day away in the same transaction (`drop_days`); somebody counts it again
when there is time. So a kept day is always true, and a day that is not kept is only slower.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Column, ColumnElement, Connection, bindparam, delete, insert, select, text

from storage.tables import kept_days, verdicts

_HOUR = timedelta(hours=1)
# Who writes verdicts shares this lock on PostgreSQL; who counts a day has it alone. SQLite has one writer anyway.
_LOCK = int.from_bytes(hashlib.blake2b(b"lowstar kept days", digest_size=8).digest(), signed=True)


@dataclass(frozen=True, slots=True)
class DaysOf:
    """Whose days: a brand's, as a time zone divides them, and in which form they are kept."""

    brand: str
    zone: str
    form: int


class KeptDayLedger:
    """Statements of the table `kept_days`."""

    _connection: Connection

    def kept_numbers(self, of: DaysOf, first: date, last: date) -> dict[date, str]:
        """The numbers of the days that are kept."""
        return self._days_with(kept_days.c.numbers, of, first, last)

    def kept_posts(self, of: DaysOf, first: date, last: date) -> dict[date, str]:
        """All else of the days that are kept."""
        return self._days_with(kept_days.c.posts, of, first, last)

    def _days_with(self, column: Column[str], of: DaysOf, first: date, last: date) -> dict[date, str]:
        day = kept_days.c.day
        found = select(day, column).where(*_between(of, first, last)).order_by(day)
        return {date.fromisoformat(row[0]): row[1] for row in self._connection.execute(found)}

    def alone_with_days(self) -> bool:
        """True when nobody else is writing verdicts, until this transaction ends.

        It is not waited for: days are counted when there is time.
        """
        if self._connection.dialect.name != "postgresql":
            return True
        return bool(self._connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK}))

    def keep_day(
        self, of: DaysOf, day: date, stretch: tuple[datetime, datetime], numbers: str, posts: str
    ) -> None:
        """Keep what a day came to; all its mentions were posted in `stretch`. Ask `alone_with_days` before counting."""
        k = kept_days.c
        name = {"brand": of.brand, "zone": of.zone, "day": day.isoformat()}
        self._connection.execute(
            delete(kept_days).where(k.brand == of.brand, k.zone == of.zone, k.day == day.isoformat())
        )
        row = {**name, "form": of.form, "starts_at": stretch[0], "ends_at": stretch[1]}
        self._connection.execute(insert(kept_days), {**row, "numbers": numbers, "posts": posts})

    def forget_days(self, before: datetime) -> int:
        """Throw away the kept days that ended before; answers how many."""
        return self._connection.execute(delete(kept_days).where(kept_days.c.ends_at < before)).rowcount


def announce_verdicts(connection: Connection) -> None:
    """Say that verdicts will be written, before the first one is: no day is counted until we commit."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": _LOCK})


def drop_days(connection: Connection, touched: Iterable[tuple[str, datetime]]) -> None:
    """Verdicts on these brands about what was posted then have changed: their days are not what they were."""
    # By the hour: a batch has many moments and few hours. In one order everywhere, so that two writers on
    # PostgreSQL wait for each other in one direction.
    hours = sorted(
        {(brand, at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)) for brand, at in touched}
    )
    if hours:
        connection.execute(
            _DROP, [{"of_brand": brand, "since": hour, "until": hour + _HOUR} for brand, hour in hours]
        )


def drop_days_of(connection: Connection, mention_ids: list[int]) -> None:
    """As `drop_days`, of all verdicts on these mentions."""
    v = verdicts.c
    judged = connection.execute(select(v.brand, v.posted_at).where(v.mention_id.in_(mention_ids)))
    drop_days(connection, {(row.brand, row.posted_at) for row in judged})


def _between(of: DaysOf, first: date, last: date) -> tuple[ColumnElement[bool], ...]:
    k = kept_days.c
    return (
        k.brand == of.brand,
        k.zone == of.zone,
        k.day >= first.isoformat(),
        k.day <= last.isoformat(),
        k.form == of.form,
    )


_DROP = delete(kept_days).where(
    kept_days.c.brand == bindparam("of_brand"),
    kept_days.c.ends_at > bindparam("since"),
    kept_days.c.starts_at < bindparam("until"),
)
