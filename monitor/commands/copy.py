"""`lowstar copy --to TARGET`: all that is kept, into another database. A backup, or the move to PostgreSQL."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from monitor.commands import FAILED, FINE, App, existing_store, pass_app


@click.command(short_help="Copy all that is kept: a backup, or the move to PostgreSQL.")
@click.option(
    "--to",
    "target",
    required=True,
    metavar="TARGET",
    help="A new file, sqlite:///FILE or postgresql://USER@HOST/NAME; a password comes from PGPASSWORD or ~/.pgpass.",
)
@pass_app
def command(app: App, target: str) -> int:
    """Copy everything the database of lowstar.toml holds into another, which must be empty.

    Nothing has to be stopped for a backup: what is copied is the state of one moment. Before a move stop cron,
    listen and serve, and start them with the new `[store] url` afterwards. A copy that breaks off leaves nothing.

    \b
    Exit codes: 0 all was copied; 1 it was not, and the line above says why; 2 wrong usage or configuration.
    """
    from storage.copying import copy_store
    from storage.errors import StoreError
    from storage.store import open_store

    url = target if "://" in target else f"sqlite:///{Path(target).expanduser().absolute()}"
    file = Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None
    if file is not None and file.exists():
        raise click.UsageError(f"--to: {file} is there already; name a new file")
    if file is not None and not file.parent.is_dir():
        raise click.UsageError(f"--to: there is no folder {file.parent}")

    def progress(table: str, rows: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{table}: {rows:,}\x1b[K", err=True, nl=False)

    with existing_store(app.config()) as source:
        try:
            with open_store(url) as copy:
                counts = copy_store(source, copy, progress)
                name = copy.name
        except StoreError as error:
            if file is not None:
                for ending in ("", "-wal", "-shm"):  # what was just made, and holds nothing
                    file.with_name(file.name + ending).unlink(missing_ok=True)
            click.echo(str(error), err=True)
            return FAILED
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", err=True, nl=False)
    if app.verbosity >= 0:
        mentions, cases = counts["mentions"], counts["cases"]
        rows = sum(counts.values())
        click.echo(
            f"{rows:,} rows copied to {name}: {mentions:,} mentions, {cases:,} cases and all that belongs to them."
        )
    return FINE
