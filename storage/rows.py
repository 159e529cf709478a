"""How does a record become a row, and a row a record again?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    RowMapping,
    Table,
    Text,
    bindparam,
    cast,
    column,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql

from storage.records import DatePrecision, Kind, Label, Mark, Mention, Priority, Sentiment, Span, Verdict
from storage.tables import cases, mentions, verdicts

# The columns that are the fields of a `Mention`, as they are: no conversion, no second name.
_PLAIN = (
    "source",
    "external_id",
    "url",
    "title",
    "text",
    "author",
    "author_followers",
    "entity",
    "stars",
    "rating_raw",
    "scale_inferred",
    "reach",
    "language",
    "published_at",
    "edited_at",
    "owner_reply",
    "owner_replied_at",
    "text_truncated",
    "in_reply_to",
    "reference",
)


def recordset_insert(table: Table, *, leave_out: Collection[str] = ()) -> postgresql.Insert:
    """PostgreSQL only: an INSERT of all the rows in the one parameter `rows`, see `as_recordset`.

    Three times the speed of one row a statement, and it can answer which rows went in.
    """
    arriving = [one for one in table.c if one.name not in leave_out]
    arrived = (
        func.json_to_recordset(cast(bindparam("rows", type_=Text), JSON))
        .table_valued(*(column(one.name, one.type) for one in arriving), name="arrived")
        .render_derived(with_types=True)
    )
    return postgresql.insert(table).from_select([one.name for one in arriving], select(*arrived.c))


def as_recordset(rows: list[dict[str, Any]]) -> dict[str, str]:
    """The parameter of `recordset_insert`."""
    return {"rows": json.dumps(rows, default=datetime.isoformat)}


def narrow_cases(connection: Connection, mention_ids: Sequence[int]) -> None:
    """Copy what lists are narrowed by into the cases of these mentions: most have none, and cost a look."""
    of_some = cases.c.mention_id.in_(mention_ids)
    standing = list(connection.scalars(select(cases.c.number).where(of_some)))
    if standing:
        connection.execute(update(cases).where(cases.c.number.in_(standing)).values(**_NARROWED))


def _of_mention(column: Column[Any]) -> Any:
    return select(column).where(mentions.c.id == cases.c.mention_id).scalar_subquery()


_NARROWED: dict[str, Any] = {
    "source": _of_mention(mentions.c.source),
    "stars": _of_mention(mentions.c.stars),
    "language": _of_mention(mentions.c.language),
    "topics": func.coalesce(
        select(verdicts.c.topics)
        .where(verdicts.c.mention_id == cases.c.mention_id, verdicts.c.brand == cases.c.brand)
        .scalar_subquery(),
        "[]",
    ),
}

_INSERT_VERDICTS = recordset_insert(verdicts)


def insert_verdicts(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Insert rows of `verdicts`, each database in its fastest way."""
    if connection.dialect.name == "postgresql":
        connection.execute(_INSERT_VERDICTS, as_recordset(rows))
    else:
        connection.execute(insert(verdicts), rows)


def mention_from(row: RowMapping) -> Mention:
    """The mention in a row of the table, exactly as it was when it was written.

    Its fields were cleaned when it was built; cleaning them again would cost as much and could not be undone.
    """
    c = mentions.c
    mention = object.__new__(Mention)
    put = object.__setattr__
    for name in _PLAIN:
        put(mention, name, row[c[name]])
    put(mention, "kind", Kind(row[c.kind]))
    put(mention, "date_precision", DatePrecision(row[c.date_precision]))
    put(mention, "about", tuple(json.loads(row[c.about])))
    return mention


def verdict_from(row: RowMapping) -> Verdict:
    """The verdict in a row of the table."""
    c = verdicts.c
    spans = tuple(Span(*span) for span in json.loads(row[c.spans]))
    return Verdict(
        brand=row[c.brand],
        sentiment=Sentiment(row[c.compound], Label(row[c.label]), spans),
        priority=Priority(row[c.priority]),
        rank=row[c.rank],
        reasons=tuple(json.loads(row[c.reasons])),
        topics=tuple(json.loads(row[c.topics])),
    )


def mention_row(mention: Mention) -> dict[str, Any]:
    """The columns of `mentions` that are fields of a `Mention`."""
    return {
        **{name: getattr(mention, name) for name in _PLAIN},
        "kind": mention.kind.value,
        "date_precision": mention.date_precision.value,
        "about": json.dumps(mention.about) if mention.about else "[]",
    }


@dataclass(frozen=True, slots=True)
class Facts:
    """What of a kept mention its verdicts repeat, as it lies in the store."""

    posted_at: datetime
    first_seen_at: datetime
    entity: str
    day_only: bool
    removed: bool


def place_number(entity: str) -> int:
    """By which number a place or product is counted; 0 for none.

    Eight bytes of a hash: two places of one brand share a number less often than a disk errs.

    >>> place_number(""), place_number("Acme Toaster") == place_number("Acme Toaster ")
    (0, False)
    """
    if not entity:
        return 0
    digest = hashlib.blake2b(entity.encode("utf-8"), digest_size=8).digest()
    return int.from_bytes(digest, signed=True) or 1


def verdict_row(identity: int, mention: Mention, verdict: Verdict, facts: Facts) -> dict[str, Any]:
    """The row of `verdicts` for one brand; what the digest asks by is copied from the mention."""
    sentiment = verdict.sentiment
    unread = sentiment.label is Label.UNREAD
    return {
        "mention_id": identity,
        "brand": verdict.brand,
        "compound": sentiment.compound,
        "label": sentiment.label.value,
        "priority": int(verdict.priority),
        "rank": verdict.rank,
        "reasons": json.dumps(verdict.reasons),
        "topics": json.dumps(verdict.topics),
        "spans": json.dumps([[span.start, span.end, span.text, span.weight] for span in sentiment.spans]),
        "source": mention.source,
        "stars": mention.stars,
        "posted_at": facts.posted_at,
        "first_seen_at": facts.first_seen_at,
        "place": place_number(facts.entity),
        "marks": facts.day_only * Mark.DAY_ONLY + facts.removed * Mark.REMOVED + unread * Mark.UNREAD,
    }
