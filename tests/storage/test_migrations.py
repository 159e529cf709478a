"""Do the migrations make exactly the tables the program believes in?"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text
from weekstore import WeekStore, day

from storage.engines import WRITING, parsed_url, postgres_engine, sqlite_engine
from storage.errors import NewerSchema, OlderSchema
from storage.migrations import HEAD, REVISIONS
from storage.migrations.upgrade import scripts, upgrade
from storage.records import DatePrecision, Label, Removal
from storage.store import open_store
from storage.tables import metadata

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def engine(empty_url: str) -> Iterator[Engine]:
    url = parsed_url(empty_url)
    made = sqlite_engine(Path(url.database or "")) if "sqlite" in empty_url else postgres_engine(url)
    made = made.execution_options(**{WRITING: True})
    yield made
    made.dispose()


def _schema(connection: Connection) -> set[tuple[str, ...]]:
    """All that the database itself says about its tables, in its own words."""
    if connection.dialect.name == "sqlite":
        found = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'alembic%'"))
        # The order of columns and constraints inside a table means nothing: a new column comes last.
        return {
            (name, *sorted(_parts(sql or "")))
            for name, sql in found
            if not name.startswith("sqlite_autoindex_alembic")
        }
    facts = set()
    for question in (
        "SELECT table_name, column_name, data_type, is_nullable, coalesce(column_default, ''),"
        " coalesce(character_maximum_length, 0) FROM information_schema.columns"
        " WHERE table_schema = 'public'",
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace",
    ):
        facts |= {tuple(str(value) for value in row) for row in connection.execute(text(question))}
    return {fact for fact in facts if "alembic" not in " ".join(fact)}


def _parts(sql: str) -> list[str]:
    """What a CREATE statement says before and inside its outer brackets, and behind them."""
    parts, depth = [""], 0
    for sign in " ".join(sql.split()):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        opens = sign == "(" and depth == 1
        if opens or (sign == "," and depth == 1) or (sign == ")" and depth == 0):
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts]


def test_migrations_make_the_same_tables_as_create_all(engine: Engine) -> None:
    with engine.connect() as connection:
        with connection.begin() as undone:
            metadata.create_all(connection)
            created = _schema(connection)
            undone.rollback()
        with connection.begin():
            upgrade(connection)
            migrated = _schema(connection)
    assert len(created) > 20
    assert migrated == created


def test_every_partial_index_keeps_its_condition(engine: Engine) -> None:
    with engine.connect() as connection, connection.begin():
        upgrade(connection)
        said = " ".join(" ".join(fact) for fact in _schema(connection))
    assert "closed_at IS NULL" in said
    assert "removed_at IS NOT NULL" in said
    assert "shown_version < wanted_version" in said


@pytest.mark.parametrize("start", ["base", *REVISIONS])
def test_a_store_of_any_age_is_brought_up_to_date(start: str, empty_url: str, engine: Engine) -> None:
    if start != "base":
        with engine.connect() as connection, connection.begin():
            upgrade(connection, start)
    with open_store(empty_url) as store, store.transaction() as ledger:
        assert ledger.mention_count() == 0
    with engine.connect() as connection, connection.begin():
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == HEAD
        migrated = _schema(connection)
    with engine.connect() as connection, connection.begin():
        for name in metadata.tables:
            connection.execute(text(f"DROP TABLE {name}" + _cascade(connection)))
        metadata.create_all(connection)
        assert _schema(connection) == migrated


def _cascade(connection: Connection) -> str:
    return " CASCADE" if connection.dialect.name == "postgresql" else ""


def test_the_list_of_revisions_is_the_list_of_files() -> None:
    assert tuple(script.revision for script in reversed(list(scripts().walk_revisions()))) == REVISIONS


def test_a_store_of_a_newer_program_is_left_alone(empty_url: str, engine: Engine) -> None:
    open_store(empty_url).close()
    with engine.connect() as connection, connection.begin():
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerSchema, match=r"newer version of this program .*9999.*update"):
        open_store(empty_url)


def test_without_leave_to_migrate_an_empty_store_is_refused_and_stays_empty(
    empty_url: str, engine: Engine
) -> None:
    with pytest.raises(OlderSchema, match="lowstar run"):
        open_store(empty_url, migrate=False)
    with engine.connect() as connection:
        assert _schema(connection) == set()
    open_store(empty_url).close()
    open_store(empty_url, migrate=False).close()


def test_many_may_open_a_new_store_at_once(empty_url: str) -> None:
    def count(_: int) -> int:
        with open_store(empty_url) as store, store.reading() as ledger:
            return ledger.mention_count()

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(count, range(8))) == [0] * 8


def test_processes_may_open_a_new_store_at_once(empty_url: str) -> None:
    program = f"from storage.store import open_store; open_store({empty_url!r}).close()"
    running = [subprocess.Popen([sys.executable, "-c", program], cwd=ROOT) for _ in range(3)]
    assert [process.wait(30) for process in running] == [0, 0, 0]


def test_opening_a_store_does_not_import_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    program = (
        "import sys; from storage.store import open_store\n"
        f"for _ in range(2): open_store({url!r}).close()\n"
        "assert not {'alembic', 'psycopg'} & set(sys.modules), 'imported'"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=30)


def test_a_failed_migration_leaves_the_store_as_it_was(engine: Engine) -> None:
    def fails_halfway() -> None:
        with engine.connect() as connection, connection.begin():
            upgrade(connection)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails_halfway()
    with engine.connect() as connection:
        assert _schema(connection) == set()


def test_an_older_store_is_filled_with_what_a_writer_writes_today(empty_url: str, engine: Engine) -> None:
    asked = "SELECT mention_id, brand, first_seen_at, place, marks FROM verdicts ORDER BY mention_id, brand"
    with open_store(empty_url) as store:
        weeks = WeekStore(store)
        weeks.mention(day(1), "late", 1.0, entity="Acme Toaster")
        weeks.mention(day(1), "late", entity="Zürich " * 100, date_precision=DatePrecision.DAY)
        weeks.mention(day(2), "love", label=Label.UNREAD, date_precision=DatePrecision.MONTH)
        weeks.mention(day(3), "love", entity="Acme Toaster")
        with store.transaction() as ledger:
            ledger.remove([Removal("shop", "4")], day(5))
    with engine.connect() as connection, connection.begin():
        written = connection.execute(text(asked)).all()
        for statement in (
            "DROP INDEX ix_verdicts_week",
            "ALTER TABLE verdicts DROP COLUMN first_seen_at",
            "ALTER TABLE verdicts DROP COLUMN place",
            "ALTER TABLE verdicts DROP COLUMN marks",
            "CREATE INDEX ix_verdicts_week ON verdicts (brand, posted_at)",
            "DROP INDEX ix_cases_due",
            "DROP INDEX ix_cases_answered",
            "DROP TABLE kept_days",
            "UPDATE alembic_version SET version_num = '0009'",
        ):
            connection.execute(text(statement))
    open_store(empty_url).close()
    with engine.connect() as connection, connection.begin():
        assert connection.execute(text(asked)).all() == written
    assert [row.marks for row in written] == [0, 1, 5, 2]
    assert len({row.place for row in written}) == 3
    assert written[3].place == 0  # whatever told of a removed one is gone
