"""Clocks of cases, the life of promises, and what a case's context is looked up by.

Columns are added, no table is made anew: SQLite would do that by dropping the old one, and the histories that
hang on it would go with it.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_TIME = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")  # microseconds since 1970 there


def upgrade() -> None:
    for name in (
        "claimed_at",
        "heard_at",
        "snoozed_until",
        "again_by",
        "remind_by",
        "escalated_at",
        "followed_up_at",
        "wake_at",
    ):
        op.add_column("cases", sa.Column(name, _TIME))
    _index("ix_cases_wake_at", "cases", ["wake_at"], "wake_at IS NOT NULL")
    op.add_column("case_events", sa.Column("version", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("promises", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    for name in ("remind_by", "broken_at", "dropped_at"):
        op.add_column("promises", sa.Column(name, _TIME))
    _index("ix_promises_owed", "promises", ["due_by"], "kept_at IS NULL AND dropped_at IS NULL")
    _index(
        "ix_mentions_author",
        "mentions",
        ["source", sa.text("substr(author, 1, 100)"), "posted_at"],
        "author <> ''",
    )
    _index("ix_mentions_place", "mentions", [sa.text("substr(entity, 1, 100)"), "posted_at"], "entity <> ''")
    # Cases of before have clocks too: the next run looks at each that is not closed, and sets them.
    op.execute(
        "UPDATE cases SET wake_at = opened_at WHERE closed_at IS NULL"
        " OR number IN (SELECT number FROM promises WHERE kept_at IS NULL)"
    )


def _index(name: str, table: str, columns: Sequence[str | sa.TextClause], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
