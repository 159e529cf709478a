"""Storms, blind sources, and the reach a later one is compared with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_TIME = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")  # microseconds since 1970 there
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("storm", sa.BigInteger()))
    _index("ix_deliveries_storm", "deliveries", ["storm", "state", "number"], "storm IS NOT NULL")
    _index("ix_deliveries_fresh", "deliveries", ["created_at"], "storm IS NULL AND kind = 'alert'")
    op.create_table(
        "storms",
        sa.Column("id", _ID, nullable=False),
        sa.Column("notifier", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(255), nullable=False),
        sa.Column("brand", sa.String(255), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("over_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME),
        sa.Column("holding", sa.Boolean(), nullable=False),
        sa.Column("allowance", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("escalated_at", _TIME),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("card", sa.String(64), nullable=False),
        sa.Column("drawn_at", _TIME, nullable=False),
        sa.Column("worst", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_storms"),
    )
    _index("ix_storms_going_on", "storms", ["notifier", "channel", "brand", "key"], "ended_at IS NULL", True)
    op.create_table(
        "outages",
        sa.Column("id", _ID, nullable=False),
        sa.Column("source", sa.String(255), nullable=False),
        sa.Column("began_at", _TIME, nullable=False),
        sa.Column("noticed_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("quiet_until", _TIME),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("card", sa.String(64), nullable=False),
        sa.Column("drawn_at", _TIME, nullable=False),
        sa.Column("caught_up", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outages"),
    )
    _index("ix_outages_going_on", "outages", ["source"], "ended_at IS NULL", True)
    op.create_table(
        "reach_marks",
        sa.Column("mention_id", _ID, nullable=False),
        sa.Column("reach", sa.BigInteger(), nullable=False),
        sa.Column("marked_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("mention_id", name="pk_reach_marks"),
        sa.ForeignKeyConstraint(
            ["mention_id"], ["mentions.id"], name="fk_reach_marks_mention_id_mentions", ondelete="CASCADE"
        ),
    )


def _index(name: str, table: str, columns: list[str], where: str, unique: bool = False) -> None:
    op.create_index(
        name, table, columns, unique=unique, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
    )
