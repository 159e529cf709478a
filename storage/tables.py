"""How the nouns lie in the database: SQLAlchemy Core tables, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeDecorator, TypeEngine

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def _from_microseconds(value: int | None) -> datetime | None:
    return None if value is None else _EPOCH + timedelta(0, 0, value)


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC time: `timestamptz` on PostgreSQL, microseconds since 1970 on SQLite.

    SQLite's own type would drop the zone in silence; an integer sorts, indexes and compares as it should.
    """

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(BigInteger())
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive time cannot be stored: {value!r}")
        if dialect.name == "sqlite":
            return (value - _EPOCH) // _MICROSECOND
        return value.astimezone(UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        # Not the decorator's own way, three calls for each of a digest's thousands of times.
        if dialect.name == "sqlite":
            return _from_microseconds
        return super().result_processor(dialect, coltype)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if dialect.name == "sqlite":
            return _from_microseconds(value)
        return value.astimezone(UTC) if isinstance(value, datetime) else None


def inserting(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT into `table` that knows ON CONFLICT, in the words of the database at hand."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


# SQLite gives a rowid alias only to INTEGER PRIMARY KEY, PostgreSQL wants 64 bits.
_Id = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

mentions = Table(
    "mentions",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("source", String(255), nullable=False),
    Column("external_id", String(255), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("url", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("author_followers", BigInteger),
    Column("entity", Text, nullable=False),
    Column("stars", Float),
    Column("rating_raw", Text, nullable=False),
    Column("scale_inferred", Boolean, nullable=False),
    Column("reach", BigInteger, nullable=False),
    Column("language", String(32), nullable=False),  # 16 characters, and a lower-case İ is two
    Column("published_at", UtcTime),
    Column("date_precision", String(16), nullable=False),
    Column("edited_at", UtcTime),
    Column("owner_reply", Text, nullable=False),
    Column("owner_replied_at", UtcTime),
    Column("text_truncated", Boolean, nullable=False),
    Column("in_reply_to", String(255), nullable=False),
    Column("reference", String(255), nullable=False, server_default=""),
    Column("about", Text, nullable=False),  # JSON list of brand names
    Column("content_hash", String(32), nullable=False),
    Column("first_seen_at", UtcTime, nullable=False),
    Column("changed_at", UtcTime, nullable=False),
    Column(
        "posted_at", UtcTime, nullable=False
    ),  # published_at, else first_seen_at: what weeks are counted by
    Column(
        "removed_at", UtcTime
    ),  # set when the source deleted it; its words are emptied in the same statement
    UniqueConstraint("source", "external_id"),
    Index("ix_mentions_posted_at", "posted_at"),
    Index(
        "ix_mentions_removed_at",
        "removed_at",
        sqlite_where=text("removed_at IS NOT NULL"),
        postgresql_where=text("removed_at IS NOT NULL"),
    ),
)

# Dates without a time: the day counts, not the instant.
COARSE = ("day", "month", "year")  # of `DatePrecision`

# What else an author wrote, and what else was said of a place. Only the beginning stands in the index: a name
# of a thousand characters is longer than PostgreSQL takes; whoever asks compares the whole name as well.
AUTHOR_KEY = "substr(author, 1, 100)"
PLACE_KEY = "substr(entity, 1, 100)"
Index(
    "ix_mentions_author",
    mentions.c.source,
    text(AUTHOR_KEY),
    mentions.c.posted_at,
    sqlite_where=text("author <> ''"),
    postgresql_where=text("author <> ''"),
)
Index(
    "ix_mentions_place",
    text(PLACE_KEY),
    mentions.c.posted_at,
    sqlite_where=text("entity <> ''"),
    postgresql_where=text("entity <> ''"),
)

revisions = Table(  # what an edited mention said before
    "revisions",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("mention_id", ForeignKey("mentions.id", ondelete="CASCADE"), nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("stars", Float),
    Column("replaced_at", UtcTime, nullable=False),
    Index("ix_revisions_mention_id", "mention_id"),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("mention_id", ForeignKey("mentions.id", ondelete="CASCADE"), primary_key=True),
    Column("brand", String(255), primary_key=True),
    Column("compound", Float, nullable=False),
    Column("label", String(16), nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("rank", Float, nullable=False),
    Column("reasons", Text, nullable=False),  # JSON list
    Column("topics", Text, nullable=False),  # JSON list
    Column("spans", Text, nullable=False),  # JSON list of [start, end, text, weight]
    # Copied from the mention, so that one index answers a brand's week without touching the texts.
    Column("source", String(255), nullable=False),
    Column("stars", Float),
    Column("posted_at", UtcTime, nullable=False),
    Column("first_seen_at", UtcTime),
    # Not its name, of which PostgreSQL's index could not take a long one: see `storage.rows.place_number`.
    Column("place", BigInteger, nullable=False, server_default="0"),
    Column("marks", SmallInteger, nullable=False, server_default="0"),  # of `storage.records.Mark`
    Index(
        "ix_verdicts_week",
        "brand",
        "posted_at",
        "mention_id",
        "source",
        "stars",
        "compound",
        "priority",
        "rank",
        "place",
        "marks",
        "first_seen_at",
    ),
)

kept_days = Table(  # what days that are over came to; see `storage.kept_days`
    "kept_days",
    metadata,
    Column("brand", String(255), primary_key=True),
    Column("zone", String(64), primary_key=True),
    Column("day", String(10), primary_key=True),  # 2026-11-21
    Column("form", SmallInteger, nullable=False),
    Column("starts_at", UtcTime, nullable=False),
    Column("ends_at", UtcTime, nullable=False),
    Column("numbers", Text, nullable=False),  # JSON
    Column("posts", Text, nullable=False),  # JSON
    Index("ix_kept_days_stretch", "brand", "ends_at", "starts_at"),
)

# Newest first, of every brand, with what a list of mentions is narrowed by; see `ix_cases_unanswered`.
_NEWEST = (verdicts.c.posted_at, verdicts.c.mention_id)
Index(
    "ix_verdicts_newest",
    *_NEWEST,
    verdicts.c.brand,
    verdicts.c.source,
    verdicts.c.stars,
    verdicts.c.label,
    verdicts.c.topics,
).ddl_if(dialect="sqlite")
Index("ix_verdicts_newest", *_NEWEST).ddl_if(dialect="postgresql")

cases = Table(
    "cases",
    metadata,
    Column("number", _Id, primary_key=True),
    Column("mention_id", ForeignKey("mentions.id"), nullable=False),
    Column("brand", String(255), nullable=False),
    Column("status", String(16), nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("rank", Float, nullable=False),
    Column("channel", String(255), nullable=False),
    Column("owner", String(255), nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("respond_by", UtcTime),
    Column("first_response_at", UtcTime),
    Column("closed_at", UtcTime),
    Column("outcome", Text, nullable=False),
    Column("recovered", Boolean, nullable=False),
    Column("claimed_at", UtcTime),
    Column("heard_at", UtcTime),
    Column("snoozed_until", UtcTime),
    Column("again_by", UtcTime),
    Column("remind_by", UtcTime),
    Column("escalated_at", UtcTime),
    Column("followed_up_at", UtcTime),
    Column("wake_at", UtcTime),
    # Copied from the mention and its verdict, so that a narrowed list is read from one index.
    Column("source", String(255), nullable=False, server_default=""),
    Column("stars", Float),
    Column("language", String(32), nullable=False, server_default=""),
    Column("topics", Text, nullable=False, server_default="[]"),  # JSON list
    UniqueConstraint("mention_id", "brand"),
    Index(
        "ix_cases_wake_at",
        "wake_at",
        sqlite_where=text("wake_at IS NOT NULL"),
        postgresql_where=text("wake_at IS NOT NULL"),
    ),
    sqlite_autoincrement=True,  # a case number is said aloud: it is never given twice, not even after a purge
)

# Worst first, exactly in the order the list is shown: no sorting, however many cases are open. On SQLite the index
# holds all that a list is narrowed by as well, so that no row is fetched to be left out; PostgreSQL takes no entry of
# such a length, and fetches fast.
_NARROWED_BY = (
    cases.c.brand,
    cases.c.status,
    cases.c.owner,
    cases.c.source,
    cases.c.stars,
    cases.c.language,
    cases.c.topics,
    cases.c.respond_by,
    cases.c.again_by,
    cases.c.mention_id,
)
_WORST_FIRST = (cases.c.priority.desc(), cases.c.rank.desc(), cases.c.number)
_LATEST_CLOSED = (cases.c.closed_at, cases.c.number)
Index(
    "ix_cases_unanswered",
    *_WORST_FIRST,
    *_NARROWED_BY,
    cases.c.closed_at,  # always empty here, and yet read: without it SQLite fetches each row to look
    sqlite_where=text("closed_at IS NULL"),
).ddl_if(dialect="sqlite")
Index(
    "ix_cases_unanswered",
    *_WORST_FIRST,
    postgresql_where=text("closed_at IS NULL"),
).ddl_if(dialect="postgresql")

# What the inbox counts: how many cases wait, by brand, status, priority and owner, and how many are late. In the order
# they are grouped by, so that nothing is sorted. A list of open cases compares the brand behind a call: it would be
# read from here, and sorted.
Index(
    "ix_cases_counted",
    cases.c.brand,
    cases.c.status,
    cases.c.priority,
    cases.c.owner,
    cases.c.respond_by,
    cases.c.again_by,
    cases.c.closed_at,  # always empty here, and yet read: without it SQLite fetches each row to look
    sqlite_where=text("closed_at IS NULL"),
    postgresql_where=text("closed_at IS NULL"),
)
Index(
    "ix_cases_closed_at",
    *_LATEST_CLOSED,
    *_NARROWED_BY,
    sqlite_where=text("closed_at IS NOT NULL"),
).ddl_if(dialect="sqlite")
Index(
    "ix_cases_closed_at",
    *_LATEST_CLOSED,
    postgresql_where=text("closed_at IS NOT NULL"),
).ddl_if(dialect="postgresql")
Index("ix_cases_narrowed", cases.c.number, *_NARROWED_BY).ddl_if(dialect="sqlite")  # for the list of all

# What a digest counts of answers, from the index alone: in time or not, and how long they took.
Index(
    "ix_cases_due",
    cases.c.respond_by,  # first, as above
    cases.c.brand,
    cases.c.opened_at,
    cases.c.first_response_at,
    cases.c.closed_at,
    cases.c.status,
)
Index(
    "ix_cases_answered",
    cases.c.first_response_at,
    cases.c.brand,
    cases.c.opened_at,
    sqlite_where=text("first_response_at IS NOT NULL"),
    postgresql_where=text("first_response_at IS NOT NULL"),
)

saved_filters = Table(  # a view of the inbox somebody gave a name
    "saved_filters",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("query", Text, nullable=False),  # as it stands in the address
    Column("made_by", String(255), nullable=False),
    Column("made_at", UtcTime, nullable=False),
)

case_events = Table(
    "case_events",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("number", ForeignKey("cases.number", ondelete="CASCADE"), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("actor", String(255), nullable=False),
    Column("action", String(64), nullable=False),
    Column("detail", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default="0"),
    Index("ix_case_events_number", "number"),
)

promises = Table(
    "promises",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("number", ForeignKey("cases.number", ondelete="CASCADE"), nullable=False),
    Column("text", Text, nullable=False),
    Column("due_by", UtcTime, nullable=False),
    Column("owner", String(255), nullable=False),
    Column("kept_at", UtcTime),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("remind_by", UtcTime),
    Column("broken_at", UtcTime),
    Column("dropped_at", UtcTime),
    Index("ix_promises_number", "number"),
    Index(
        "ix_promises_owed",
        "due_by",
        sqlite_where=text("kept_at IS NULL AND dropped_at IS NULL"),
        postgresql_where=text("kept_at IS NULL AND dropped_at IS NULL"),
    ),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("notifier", String(64), nullable=False),
    Column("channel", String(255), nullable=False),
    Column("state", String(16), nullable=False),
    Column("number", ForeignKey("cases.number", ondelete="CASCADE")),
    Column("parent", String(64)),
    Column("body", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("rank", Float, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("not_before", UtcTime, nullable=False),
    Column("claimed_at", UtcTime),
    Column("attempts", Integer, nullable=False),
    Column("sent_at", UtcTime),
    Column("remote_id", String(255)),
    Column("remote_channel", String(255)),
    Column("wanted_version", Integer, nullable=False),
    Column("shown_version", Integer, nullable=False),
    Column("edited_at", UtcTime),
    Column("error", Text, nullable=False),
    Column("plain", Boolean, nullable=False),
    Column("storm", BigInteger),
    Index("ix_deliveries_number", "number"),
    # How many stand in each state; their bodies are long. It begins with what nothing is asked by: an index that
    # began with the state would be taken for what waits, and for the cards that are out of date.
    Index("ix_deliveries_counted", "plain", "state"),
    Index(
        "ix_deliveries_unsent",
        "notifier",
        "channel",
        "state",
        "priority",
        "rank",
        sqlite_where=text("state NOT IN ('sent', 'cancelled')"),
        postgresql_where=text("state NOT IN ('sent', 'cancelled')"),
    ),
    Index(
        "ix_deliveries_stale_card",
        "notifier",
        "channel",
        sqlite_where=text("state = 'sent' AND shown_version < wanted_version"),
        postgresql_where=text("state = 'sent' AND shown_version < wanted_version"),
    ),
)

# What a storm has folded, in the order its cases came; and what a new storm would be made of.
Index(
    "ix_deliveries_storm",
    deliveries.c.storm,
    deliveries.c.state,
    deliveries.c.number,
    sqlite_where=text("storm IS NOT NULL"),
    postgresql_where=text("storm IS NOT NULL"),
)
Index(
    "ix_deliveries_fresh",
    deliveries.c.created_at,
    sqlite_where=text("storm IS NULL AND kind = 'alert'"),
    postgresql_where=text("storm IS NULL AND kind = 'alert'"),
)

storms = Table(
    "storms",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("notifier", String(64), nullable=False),
    Column("channel", String(255), nullable=False),
    Column("brand", String(255), nullable=False),
    Column("key", String(255), nullable=False),
    Column("label", Text, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("over_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("holding", Boolean, nullable=False),
    Column("allowance", Integer, nullable=False),
    Column("owner", String(255), nullable=False),
    Column("escalated_at", UtcTime),
    Column("version", Integer, nullable=False),
    Column("card", String(64), nullable=False),
    Column("drawn_at", UtcTime, nullable=False),
    Column("worst", Text, nullable=False),  # JSON list of case numbers
    Index(  # of two that see the same flood at once, one opens the storm
        "ix_storms_going_on",
        "notifier",
        "channel",
        "brand",
        "key",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)

outages = Table(
    "outages",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("source", String(255), nullable=False),
    Column("began_at", UtcTime, nullable=False),
    Column("noticed_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("owner", String(255), nullable=False),
    Column("quiet_until", UtcTime),
    Column("version", Integer, nullable=False),
    Column("card", String(64), nullable=False),
    Column("drawn_at", UtcTime, nullable=False),
    Column("caught_up", Integer, nullable=False),
    Index(
        "ix_outages_going_on",
        "source",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)

reach_marks = Table(  # the reach a later one is compared with
    "reach_marks",
    metadata,
    Column("mention_id", ForeignKey("mentions.id", ondelete="CASCADE"), primary_key=True),
    Column("reach", BigInteger, nullable=False),
    Column("marked_at", UtcTime, nullable=False),
)

channels = Table(  # what stands between us and a channel; channel "" is the whole notifier (its token)
    "channels",
    metadata,
    Column("notifier", String(64), primary_key=True),
    Column("channel", String(255), primary_key=True),
    Column("gated_until", UtcTime),
    Column("parked_at", UtcTime),
    Column("parked_reason", Text, nullable=False),
    Column("last_sent_at", UtcTime),
)

corrections = Table(
    "corrections",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("number", ForeignKey("cases.number", ondelete="CASCADE"), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("actor", String(255), nullable=False),
    Column("wrong", String(64), nullable=False),
    Index("ix_corrections_number", "number"),
)

crawl_runs = Table(
    "crawl_runs",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("source", String(255), nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("outcome", String(16), nullable=False),
    Column("found", Integer, nullable=False),
    Column("new", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("first", Boolean, nullable=False),
    Index("ix_crawl_runs_source_started_at", "source", "started_at"),
)

crawl_stats = Table(  # what a run met: what a later one is compared with
    "crawl_stats",
    metadata,
    Column("run_id", ForeignKey("crawl_runs.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("source", String(255), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("stats", Text, nullable=False),  # JSON
    Column("blind", String(32), nullable=False),  # the kind of blindness, "" where it saw
    Column("words", Text, nullable=False),
    Index("ix_crawl_stats_source_at", "source", "at"),
)

rating_snapshots = Table(
    "rating_snapshots",
    metadata,
    Column("source", String(255), primary_key=True),
    Column("entity", String(255), primary_key=True),
    Column("at", UtcTime, primary_key=True),
    Column("average", Float, nullable=False),
    Column("count", Integer, nullable=False),
)

cursors = Table(
    "cursors",
    metadata,
    Column("source", String(255), primary_key=True),
    Column("name", String(255), primary_key=True),
    Column("value", Text, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
)

sketches = Table(  # by which of its hashes a text is found again; see `monitor.duplicates`
    "sketches",
    metadata,
    Column("hash", BigInteger, primary_key=True, autoincrement=False),
    Column("mention_id", ForeignKey("mentions.id", ondelete="CASCADE"), primary_key=True),
    Index("ix_sketches_mention_id", "mention_id"),
    sqlite_with_rowid=False,  # the key is all there is: kept once, in its own order
)

copies = Table(  # which mention says again, in nearly the same words, what which other said first
    "copies",
    metadata,
    Column("mention_id", ForeignKey("mentions.id", ondelete="CASCADE"), primary_key=True),
    Column("first_id", _Id, nullable=False),  # stays when the first one is purged: the others are alike still
    Index("ix_copies_first_id", "first_id"),
)

labels = Table(  # what a person said of a mention nobody was alerted to
    "labels",
    metadata,
    Column("mention_id", ForeignKey("mentions.id", ondelete="CASCADE"), primary_key=True),
    Column("brand", String(255), primary_key=True),
    Column("negative", Boolean, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("actor", String(255), nullable=False),
)

models = Table(  # what was learned here, version by version
    "models",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("made_at", UtcTime, nullable=False),
    Column("adopted_at", UtcTime),
    Column("undone_at", UtcTime),
    Column("weights", Text, nullable=False),  # JSON: term → weight; "": storage.learned.FoundWeights
    Column("report", Text, nullable=False),  # JSON: what it was measured to change
)

spikes = Table(  # more negative posts than usual, and the card that says so
    "spikes",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("brand", String(255), nullable=False),
    Column("kind", String(16), nullable=False),  # "brand", "topic", "source", "place", "new"
    Column("subject", String(255), nullable=False),  # which topic, source or place
    Column("started_at", UtcTime, nullable=False),
    Column("last_at", UtcTime, nullable=False),  # when it was last more than usual
    Column("ended_at", UtcTime),
    Column("found", Text, nullable=False),  # JSON: what its card says
    Column("card", String(64), nullable=False),
    Column("drawn_at", UtcTime, nullable=False),
    Index(  # of two runs that see the same at once, one opens it
        "ix_spikes_going_on",
        "brand",
        "kind",
        "subject",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)

forgotten = (
    Table(  # a keyed hash of an author or a post that is not to be kept again; see `storage.forgotten`
        "forgotten",
        metadata,
        Column("mark", String(64), primary_key=True),
        Column("at", UtcTime, nullable=False),
    )
)
