"""Everything the first version keeps.

A revision stands on its own: it says what the tables were on its day and imports nothing that may change.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_TIME = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")  # microseconds since 1970 there
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "channels",
        sa.Column("notifier", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(255), nullable=False),
        sa.Column("gated_until", _TIME),
        sa.Column("parked_at", _TIME),
        sa.Column("parked_reason", sa.Text(), nullable=False),
        sa.Column("last_sent_at", _TIME),
        sa.PrimaryKeyConstraint("notifier", "channel", name="pk_channels"),
    )
    op.create_table(
        "crawl_runs",
        sa.Column("id", _ID, nullable=False),
        sa.Column("source", sa.String(255), nullable=False),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("first", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_crawl_runs"),
    )
    op.create_index("ix_crawl_runs_source_started_at", "crawl_runs", ["source", "started_at"])
    op.create_table(
        "cursors",
        sa.Column("source", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("source", "name", name="pk_cursors"),
    )
    op.create_table(
        "mentions",
        sa.Column("id", _ID, nullable=False),
        sa.Column("source", sa.String(255), nullable=False),
        sa.Column("external_id", sa.String(255), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("author_followers", sa.BigInteger()),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("stars", sa.Float()),
        sa.Column("rating_raw", sa.Text(), nullable=False),
        sa.Column("scale_inferred", sa.Boolean(), nullable=False),
        sa.Column("reach", sa.BigInteger(), nullable=False),
        sa.Column("language", sa.String(32), nullable=False),
        sa.Column("published_at", _TIME),
        sa.Column("date_precision", sa.String(16), nullable=False),
        sa.Column("edited_at", _TIME),
        sa.Column("owner_reply", sa.Text(), nullable=False),
        sa.Column("owner_replied_at", _TIME),
        sa.Column("text_truncated", sa.Boolean(), nullable=False),
        sa.Column("in_reply_to", sa.String(255), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(32), nullable=False),
        sa.Column("first_seen_at", _TIME, nullable=False),
        sa.Column("changed_at", _TIME, nullable=False),
        sa.Column("posted_at", _TIME, nullable=False),
        sa.Column("removed_at", _TIME),
        sa.PrimaryKeyConstraint("id", name="pk_mentions"),
        sa.UniqueConstraint("source", "external_id", name="uq_mentions_source_external_id"),
    )
    op.create_index("ix_mentions_posted_at", "mentions", ["posted_at"])
    op.create_index(
        "ix_mentions_removed_at",
        "mentions",
        ["removed_at"],
        sqlite_where=sa.text("removed_at IS NOT NULL"),
        postgresql_where=sa.text("removed_at IS NOT NULL"),
    )
    op.create_table(
        "rating_snapshots",
        sa.Column("source", sa.String(255), nullable=False),
        sa.Column("entity", sa.String(255), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("average", sa.Float(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source", "entity", "at", name="pk_rating_snapshots"),
    )
    op.create_table(
        "cases",
        sa.Column("number", _ID, nullable=False),
        sa.Column("mention_id", _ID, nullable=False),
        sa.Column("brand", sa.String(255), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("rank", sa.Float(), nullable=False),
        sa.Column("channel", sa.String(255), nullable=False),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("opened_at", _TIME, nullable=False),
        sa.Column("respond_by", _TIME),
        sa.Column("first_response_at", _TIME),
        sa.Column("closed_at", _TIME),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("recovered", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_cases"),
        sa.ForeignKeyConstraint(["mention_id"], ["mentions.id"], name="fk_cases_mention_id_mentions"),
        sa.UniqueConstraint("mention_id", "brand", name="uq_cases_mention_id_brand"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_cases_unanswered",
        "cases",
        [sa.text("priority DESC"), sa.text("rank DESC"), "number"],
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "revisions",
        sa.Column("id", _ID, nullable=False),
        sa.Column("mention_id", _ID, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("stars", sa.Float()),
        sa.Column("replaced_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_revisions"),
        sa.ForeignKeyConstraint(
            ["mention_id"], ["mentions.id"], name="fk_revisions_mention_id_mentions", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_revisions_mention_id", "revisions", ["mention_id"])
    op.create_table(
        "verdicts",
        sa.Column("mention_id", _ID, nullable=False),
        sa.Column("brand", sa.String(255), nullable=False),
        sa.Column("compound", sa.Float(), nullable=False),
        sa.Column("label", sa.String(16), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("rank", sa.Float(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("topics", sa.Text(), nullable=False),
        sa.Column("spans", sa.Text(), nullable=False),
        sa.Column("source", sa.String(255), nullable=False),
        sa.Column("stars", sa.Float()),
        sa.Column("posted_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("mention_id", "brand", name="pk_verdicts"),
        sa.ForeignKeyConstraint(
            ["mention_id"], ["mentions.id"], name="fk_verdicts_mention_id_mentions", ondelete="CASCADE"
        ),
    )
    op.create_index(
        "ix_verdicts_week", "verdicts", ["brand", "posted_at", "source", "stars", "compound", "priority"]
    )
    op.create_table(
        "case_events",
        sa.Column("id", _ID, nullable=False),
        sa.Column("number", _ID, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("actor", sa.String(255), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_case_events"),
        sa.ForeignKeyConstraint(
            ["number"], ["cases.number"], name="fk_case_events_number_cases", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_case_events_number", "case_events", ["number"])
    op.create_table(
        "corrections",
        sa.Column("id", _ID, nullable=False),
        sa.Column("number", _ID, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("actor", sa.String(255), nullable=False),
        sa.Column("wrong", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_corrections"),
        sa.ForeignKeyConstraint(
            ["number"], ["cases.number"], name="fk_corrections_number_cases", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_corrections_number", "corrections", ["number"])
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("notifier", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(255), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("number", _ID),
        sa.Column("parent", sa.String(64)),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("rank", sa.Float(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("not_before", _TIME, nullable=False),
        sa.Column("claimed_at", _TIME),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", _TIME),
        sa.Column("remote_id", sa.String(255)),
        sa.Column("remote_channel", sa.String(255)),
        sa.Column("wanted_version", sa.Integer(), nullable=False),
        sa.Column("shown_version", sa.Integer(), nullable=False),
        sa.Column("edited_at", _TIME),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("plain", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.ForeignKeyConstraint(
            ["number"], ["cases.number"], name="fk_deliveries_number_cases", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_deliveries_number", "deliveries", ["number"])
    op.create_index(
        "ix_deliveries_stale_card",
        "deliveries",
        ["notifier", "channel"],
        sqlite_where=sa.text("state = 'sent' AND shown_version < wanted_version"),
        postgresql_where=sa.text("state = 'sent' AND shown_version < wanted_version"),
    )
    op.create_index(
        "ix_deliveries_unsent",
        "deliveries",
        ["notifier", "channel", "state", "priority", "rank"],
        sqlite_where=sa.text("state NOT IN ('sent', 'cancelled')"),
        postgresql_where=sa.text("state NOT IN ('sent', 'cancelled')"),
    )
    op.create_table(
        "promises",
        sa.Column("id", _ID, nullable=False),
        sa.Column("number", _ID, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("due_by", _TIME, nullable=False),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("kept_at", _TIME),
        sa.PrimaryKeyConstraint("id", name="pk_promises"),
        sa.ForeignKeyConstraint(
            ["number"], ["cases.number"], name="fk_promises_number_cases", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_promises_number", "promises", ["number"])
