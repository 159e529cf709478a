"""The index of words, what the inbox counts and sorts by, and views of it that were given a name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_TIME = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")  # microseconds since 1970 there


def upgrade() -> None:
    op.create_table(
        "saved_filters",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("made_by", sa.String(255), nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_saved_filters"),
    )
    _index(
        "ix_cases_counted",
        ["respond_by", "again_by", "brand", "status", "priority", "owner", "closed_at"],
        "closed_at IS NULL",
    )
    _index("ix_cases_closed_at", ["closed_at", "number"], "closed_at IS NOT NULL")
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        op.execute(
            "CREATE TABLE IF NOT EXISTS mention_words (mention_id BIGINT NOT NULL, words TSVECTOR NOT NULL,"
            " CONSTRAINT pk_mention_words PRIMARY KEY (mention_id))"
        )
        op.execute("CREATE INDEX IF NOT EXISTS ix_mention_words_words ON mention_words USING gin (words)")
    elif connection.exec_driver_sql("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").first():
        # Only the empty table: a million texts are not read again while somebody waits for a migration.
        op.execute(
            "CREATE VIRTUAL TABLE IF NOT EXISTS mention_words USING"
            " fts5(words, tokenize = 'unicode61 remove_diacritics 0', columnsize = 0)"
        )


def _index(name: str, columns: list[str], where: str) -> None:
    op.create_index(name, "cases", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
