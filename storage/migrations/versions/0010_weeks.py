"""A week read from one index, and days that are over, which are counted once."""

from __future__ import annotations

import hashlib
import sqlite3

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_TIME = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")  # microseconds since 1970 there
# What is kept by now: 1 where the source gave a day and no time, 2 where it deleted the post, 4 where nobody
# could tell how its author feels.
_MARKS = """
    CASE WHEN mentions.date_precision IN ('day', 'month', 'year') THEN 1 ELSE 0 END
    + CASE WHEN mentions.removed_at IS NOT NULL THEN 2 ELSE 0 END
    + CASE WHEN verdicts.label = 'unread' THEN 4 ELSE 0 END
"""


def upgrade() -> None:
    op.drop_index("ix_verdicts_week", "verdicts")
    op.add_column("verdicts", sa.Column("first_seen_at", _TIME))
    op.add_column("verdicts", sa.Column("place", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("verdicts", sa.Column("marks", sa.SmallInteger(), nullable=False, server_default="0"))
    _fill()
    op.create_index(
        "ix_verdicts_week",
        "verdicts",
        [
            *("brand", "posted_at", "mention_id", "source", "stars", "compound", "priority", "rank", "place"),
            *("marks", "first_seen_at"),
        ],
    )
    op.create_index(
        "ix_cases_due",
        "cases",
        ["respond_by", "brand", "opened_at", "first_response_at", "closed_at", "status"],
    )
    answered = sa.text("first_response_at IS NOT NULL")
    op.create_index(
        "ix_cases_answered",
        "cases",
        ["first_response_at", "brand", "opened_at"],
        sqlite_where=answered,
        postgresql_where=answered,
    )
    op.create_table(
        "kept_days",
        sa.Column("brand", sa.String(255), nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("form", sa.SmallInteger(), nullable=False),
        sa.Column("starts_at", _TIME, nullable=False),
        sa.Column("ends_at", _TIME, nullable=False),
        sa.Column("numbers", sa.Text(), nullable=False),
        sa.Column("posts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("brand", "zone", "day", name="pk_kept_days"),
    )
    op.create_index("ix_kept_days_stretch", "kept_days", ["brand", "ends_at", "starts_at"])


def _fill() -> None:
    """Copy from the mentions what the index answers from now on."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)  # noqa: S101 - told to mypy
        raw.create_function("place_number", 1, _place_number, deterministic=True)
        number = "place_number(mentions.entity)"
    else:
        connection.execute(
            sa.text("CREATE TEMPORARY TABLE numbered (entity text, number bigint) ON COMMIT DROP")
        )
        entities = connection.scalars(sa.text("SELECT DISTINCT entity FROM mentions WHERE entity <> ''"))
        rows = [{"entity": entity, "number": _place_number(entity)} for entity in entities]
        if rows:
            connection.execute(sa.text("INSERT INTO numbered VALUES (:entity, :number)"), rows)
        connection.execute(sa.text("ANALYZE numbered"))
        number = "coalesce(numbered.number, 0)"
    joined = "" if connection.dialect.name == "sqlite" else " LEFT JOIN numbered USING (entity)"
    connection.execute(
        sa.text(
            f"UPDATE verdicts SET first_seen_at = mentions.first_seen_at, place = {number}, marks = {_MARKS}"  # noqa: S608 - our own words
            f" FROM mentions{joined} WHERE mentions.id = verdicts.mention_id"
        )
    )


def _place_number(entity: str) -> int:
    """As `storage.rows.place_number` is today, whatever it becomes."""
    if not entity:
        return 0
    return int.from_bytes(hashlib.blake2b(entity.encode("utf-8"), digest_size=8).digest(), signed=True) or 1
