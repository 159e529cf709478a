"""Which posts say the same, what people labelled, what was learned of it, and what was more than usual."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_TIME = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")  # microseconds since 1970 there
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "sketches",
        sa.Column("hash", sa.BigInteger(), nullable=False),
        sa.Column("mention_id", _ID, nullable=False),
        sa.PrimaryKeyConstraint("hash", "mention_id", name="pk_sketches"),
        _mention("sketches"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_sketches_mention_id", "sketches", ["mention_id"])
    op.create_table(
        "copies",
        sa.Column("mention_id", _ID, nullable=False),
        sa.Column("first_id", _ID, nullable=False),
        sa.PrimaryKeyConstraint("mention_id", name="pk_copies"),
        _mention("copies"),
    )
    op.create_index("ix_copies_first_id", "copies", ["first_id"])
    op.create_table(
        "labels",
        sa.Column("mention_id", _ID, nullable=False),
        sa.Column("brand", sa.String(255), nullable=False),
        sa.Column("negative", sa.Boolean(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("actor", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("mention_id", "brand", name="pk_labels"),
        _mention("labels"),
    )
    op.create_table(
        "models",
        sa.Column("id", _ID, nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.Column("adopted_at", _TIME),
        sa.Column("undone_at", _TIME),
        sa.Column("weights", sa.Text(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_models"),
    )
    op.create_table(
        "spikes",
        sa.Column("id", _ID, nullable=False),
        sa.Column("brand", sa.String(255), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("last_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME),
        sa.Column("found", sa.Text(), nullable=False),
        sa.Column("card", sa.String(64), nullable=False),
        sa.Column("drawn_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_spikes"),
    )
    going_on = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_spikes_going_on",
        "spikes",
        ["brand", "kind", "subject"],
        unique=True,
        sqlite_where=going_on,
        postgresql_where=going_on,
    )


def _mention(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["mention_id"], ["mentions.id"], name=f"fk_{table}_mention_id_mentions", ondelete="CASCADE"
    )
