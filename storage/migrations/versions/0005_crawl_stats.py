"""What each crawl met: status codes, filled fields; and whether that was blindness."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_TIME = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")  # microseconds since 1970 there
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "crawl_stats",
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("source", sa.String(255), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("stats", sa.Text(), nullable=False),
        sa.Column("blind", sa.String(32), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="pk_crawl_stats"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["crawl_runs.id"], name="fk_crawl_stats_run_id_crawl_runs", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_crawl_stats_source_at", "crawl_stats", ["source", "at"])
