"""What lists are narrowed by stands in the cases and in the indexes that lists are read from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_NARROWED_BY = (
    "brand",
    "status",
    "owner",
    "source",
    "stars",
    "language",
    "topics",
    "respond_by",
    "again_by",
    "mention_id",
)
_WORST_FIRST = (sa.text("priority DESC"), sa.text("rank DESC"), "number")


def upgrade() -> None:
    op.add_column("cases", sa.Column("source", sa.String(255), nullable=False, server_default=""))
    op.add_column("cases", sa.Column("stars", sa.Float()))
    op.add_column("cases", sa.Column("language", sa.String(32), nullable=False, server_default=""))
    op.add_column("cases", sa.Column("topics", sa.Text(), nullable=False, server_default="[]"))
    op.execute(
        "UPDATE cases SET"
        " source = (SELECT m.source FROM mentions m WHERE m.id = cases.mention_id),"
        " stars = (SELECT m.stars FROM mentions m WHERE m.id = cases.mention_id),"
        " language = (SELECT m.language FROM mentions m WHERE m.id = cases.mention_id),"
        " topics = coalesce((SELECT v.topics FROM verdicts v"
        " WHERE v.mention_id = cases.mention_id AND v.brand = cases.brand), '[]')"
    )
    op.create_index("ix_deliveries_counted", "deliveries", ["plain", "state"])
    op.drop_index("ix_cases_counted", "cases")
    counted = ["brand", "status", "priority", "owner", "respond_by", "again_by", "closed_at"]
    open_ = sa.text("closed_at IS NULL")
    op.create_index("ix_cases_counted", "cases", counted, sqlite_where=open_, postgresql_where=open_)
    if op.get_bind().dialect.name == "postgresql":  # which takes no entry as long as these
        op.create_index("ix_verdicts_newest", "verdicts", ["posted_at", "mention_id"])
        return
    op.drop_index("ix_cases_unanswered", "cases")
    op.drop_index("ix_cases_closed_at", "cases")
    _on_cases("ix_cases_unanswered", [*_WORST_FIRST, *_NARROWED_BY, "closed_at"], "closed_at IS NULL")
    _on_cases("ix_cases_closed_at", ["closed_at", "number", *_NARROWED_BY], "closed_at IS NOT NULL")
    op.create_index("ix_cases_narrowed", "cases", ["number", *_NARROWED_BY])
    newest = ["posted_at", "mention_id", "brand", "source", "stars", "label", "topics"]
    op.create_index("ix_verdicts_newest", "verdicts", newest)


def _on_cases(name: str, columns: list[str | sa.TextClause], where: str) -> None:
    op.create_index(name, "cases", columns, sqlite_where=sa.text(where))
