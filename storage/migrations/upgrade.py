"""How does an older store become one of today? Alembic, run by hand; the only module that imports it."""

from __future__ import annotations

from importlib.resources import files

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from storage.migrations import HEAD


def scripts() -> ScriptDirectory:
    """The revisions beside this file, wherever the package is installed; no alembic.ini is needed."""
    return ScriptDirectory(str(files("storage.migrations")))


def upgrade(connection: Connection, to: str = HEAD) -> None:
    """Run every revision from the store's own up to `to`, in the transaction of `connection`.

    Nothing is committed here: the whole way is one transaction, so no store is left between two versions.
    """
    directory = scripts()
    context = MigrationContext.configure(
        connection, opts={"fn": lambda found, _context: directory._upgrade_revs(to, found)}
    )
    with Operations.context(context):
        context.run_migrations()
