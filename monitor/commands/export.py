"""`lowstar export`: the mentions as a file, for spreadsheets, scripts and warehouses."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import click

from monitor.commands import FINE, App, existing_store, pass_app


@click.command(short_help="Write the mentions as CSV, JSON lines, XLSX or Parquet.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "jsonl", "xlsx", "parquet"]),
    help="Default: by the name of the file, else CSV.",
)
@click.option(
    "--to", "path", type=click.Path(path_type=Path, dir_okay=False), help="The file; default stdout."
)
@click.option("--brand", metavar="NAME", default="", help="Only of this brand.")
@click.option("--source", metavar="NAME", default="", help="Only from this source.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Posted on this day (UTC) or later.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Posted on this day (UTC) or before.")
@pass_app
def command(
    app: App,
    form: str | None,
    path: Path | None,
    brand: str,
    source: str,
    since: datetime | None,
    until: datetime | None,
) -> int:
    """Write the mentions and how they were judged: a row a mention and brand, in the order they were first seen.

    Texts that a spreadsheet would run as a formula get an apostrophe in front (CSV, XLSX); numbers stay
    numbers. JSON lines and Parquet hold everything as it is.
    """
    from monitor.commands.cases import _known, known_source
    from monitor.export import FORMATS, NoWriter, write
    from storage.wanted import Wanted

    config = app.config()
    _known("brand", brand or None, [one.name for one in config.brands])
    ending = path.suffix.lower().lstrip(".") if path else ""
    chosen = form or (ending if ending in FORMATS else "csv")
    if path is None and chosen in ("xlsx", "parquet") and sys.stdout.isatty():
        raise click.UsageError(f"{chosen} is nothing for a terminal; name a file with --to")
    wanted = Wanted(
        brand=brand,
        source=source,
        since=since and since.replace(tzinfo=UTC),
        until=until and until.replace(tzinfo=UTC) + timedelta(days=1),
    )
    try:
        with existing_store(config) as store, store.reading() as ledger:
            known_source(config, ledger, source)
            with _open(path) as stream:
                count = write(ledger.all_judged(wanted), stream, chosen)
    except NoWriter as missing:
        raise click.ClickException(str(missing)) from None
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise click.ClickException(f"cannot write {path or 'to stdout'}: {error.strerror or error}") from None
    if path is not None and app.verbosity >= 0:
        click.echo(f"{count:,} rows in {path}", err=True)
    return FINE


@contextlib.contextmanager
def _open(path: Path | None) -> Iterator[IO[bytes]]:
    """The file, for its owner's eyes only, in place of an older one when it is whole; or stdout."""
    if path is None:
        yield sys.stdout.buffer
        return
    half = path.with_name(path.name + ".part")
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        stream: IO[bytes]
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
        half.replace(path)
    except BaseException:
        half.unlink(missing_ok=True)
        raise
