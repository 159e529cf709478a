"""`lowstar import FILE…`: what a site lets nobody crawl comes in as its owner's export, saved page or e-mail."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.commands import FAILED, FINE, IMPORTED, App, pass_app

if TYPE_CHECKING:
    from monitor.config import Config, Source
    from storage.records import CrawlRun, Mention, Removal, Tally
    from storage.store import Store

BATCH = 500
TROUBLES_SAID = 20  # of one file; the rest is counted
KINDS_WORDS = (
    "google-business, google-play, trustpilot, amazon, app-store, booking, generic; csv, tsv, json, jsonl, xlsx; "
    "mbox, eml; or any kind of page: reviews, selectors, feed, …"
)


@dataclass(slots=True)
class _Count:
    """What became of one file."""

    found: int = 0
    troubles: int = 0
    whole: bool = True  # nothing was wrong with the file itself


@click.command("import", short_help="Take in exports, saved pages and e-mails.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option(
    "--kind", default="", metavar="KIND", help=f"What they are: {KINDS_WORDS}. Default: by the file."
)
@click.option(
    "--source", "name", default="", metavar="NAME", help="Which source they belong to; default: import."
)
@click.option(
    "--map", "mapped", default="", metavar="F=COLUMN,...", help='Such as "text=Review,stars=Rating".'
)
@click.option("--best", type=click.FloatRange(1, 1000), metavar="N", help="Ratings are out of N.")
@click.option(
    "--dates", type=click.Choice(["dmy", "mdy"]), help="What 03/04/2026 means; default: as the rest tells."
)
@click.option("--about", multiple=True, metavar="BRAND", help="All of it is about this brand, named or not.")
@click.option("--url", default="", metavar="URL", help="Where a saved page came from.")
@click.option("--alert", is_flag=True, help="News even where this source has never been read before.")
@click.option("--dry-run", is_flag=True, help="Show what would be taken in, a JSON line each; keep nothing.")
@pass_app
def command(
    app: App,
    files: tuple[Path, ...],
    kind: str,
    name: str,
    mapped: str,
    best: float | None,
    dates: str | None,
    about: tuple[str, ...],
    url: str,
    alert: bool,
    dry_run: bool,
) -> int:
    """Take in files: exports as CSV, TSV, JSON, JSON lines or XLSX, saved pages, .eml and mbox.

    What has been taken in before is known again. A row that cannot be read is named by its line, the rest goes
    on. The columns are guessed from their names, which is shown; --map says otherwise.

    \b
    Exit codes: 0 all was read; 1 something was not, and the lines above say what;
    2 wrong usage or configuration; 75 another run is at it.
    """
    from storage.store import open_store

    config = app.config()
    imports: Any = importlib.import_module("spiders.imports")  # by name: the layers below know no spiders
    _check_kind(kind, imports)
    source = _source(config, name, kind, about)
    wish = imports.Wish(
        kind=kind, mapped=mapped, best=best, day_first=None if dates is None else dates == "dmy", url=url
    )
    now = datetime.now(UTC)
    if dry_run:
        return _show(files, source, wish, now, imports)
    with open_store(config.store_url) as store, store.run_lock("run"):
        return _take_in(
            config, store, source, files, wish, now, imports, alert=alert, quiet=app.verbosity < 0
        )


def _check_kind(kind: str, imports: Any) -> None:
    from monitor.config_kinds import KINDS

    if kind and kind not in imports.KINDS and kind not in KINDS:
        raise click.UsageError(f"--kind: found {kind!r}; allowed: {KINDS_WORDS}")


def _source(config: Config, name: str, kind: str, about: Sequence[str]) -> Source:
    """The source of lowstar.toml, or one made for this; about the only brand where there is only one."""
    from monitor.config import Source

    brands = [brand.name for brand in config.brands]
    for brand in about:
        if brand not in brands:
            raise click.UsageError(f"--about: there is no brand {brand!r}; allowed: {', '.join(brands)}")
    try:
        source = config.source(name) if name else Source(name=IMPORTED, kind="import")
    except KeyError:
        source = Source(name=name, kind=kind or "import", title=name)
    chosen = tuple(about) or source.about or (tuple(brands) if len(brands) == 1 else ())
    return replace(source, about=chosen)


def _show(files: Sequence[Path], source: Source, wish: Any, now: datetime, imports: Any) -> int:
    from monitor.commands.try_ import shown

    whole, found = True, 0
    for path in files:
        count = _Count()
        for thing in _read(path, source, wish, now, imports, count):
            click.echo(json.dumps(shown(thing), ensure_ascii=False))
        found += count.found
        whole = whole and not count.troubles
    click.echo(f"{found:,} mention{'s' * (found != 1)}; nothing was kept", err=True)
    return FINE if whole and found else FAILED


def _take_in(
    config: Config,
    store: Store,
    source: Source,
    files: Sequence[Path],
    wish: Any,
    now: datetime,
    imports: Any,
    *,
    alert: bool,
    quiet: bool,
) -> int:
    from monitor.ingest import ingest
    from monitor.runner import desk_at
    from storage.records import RunOutcome, Tally

    with store.transaction() as ledger:
        run = ledger.begin_run(source.name, now)
    announce = alert or source.backfill == "alert" or not run.first
    desk = desk_at(config, store)
    total, failed, found = Tally(), 0, 0
    reasons: list[str] = []
    for path in files:
        count, tally = _Count(), Tally()
        batch: list[Mention | Removal] = []
        for thing in _read(path, source, wish, now, imports, count):
            batch.append(thing)
            if len(batch) >= BATCH:
                tally += ingest(batch, store, desk, now, announce=announce)
                batch = []
                _progress(path, count.found)
        tally += ingest(batch, store, desk, now, announce=announce)
        total += tally
        found += count.found
        failed += count.troubles
        if count.troubles:
            reasons.append(f"{path.name}: {count.troubles:,} could not be read")
        if not quiet:
            click.echo(f"{path}: {_said(count, tally)}")
    outcome = RunOutcome.OK if not failed else RunOutcome.PARTIAL if found else RunOutcome.FAILED
    ended: CrawlRun = replace(
        run,
        ended_at=datetime.now(UTC),
        outcome=outcome,
        found=found,
        new=total.new,
        changed=total.changed,
        failed=failed,
        pages=len(files),
        reason="; ".join(reasons),
    )
    with store.transaction() as ledger:
        ledger.end_run(ended)
    if total.unmatched:
        brands = ", ".join(brand.name for brand in config.brands)
        click.echo(
            f"{total.unmatched:,} name none of your brands ({brands}) and were not kept: "
            "--about BRAND says that they are about one",
            err=True,
        )
    if run.first and total.new and not announce:
        click.echo("This source is new: all was filed, nothing announced; --alert would have.", err=True)
    elif total.flagged:
        click.echo(f"{total.flagged:,} need an answer: the next `lowstar run` announces them.")
    return FAILED if failed or not found else FINE


def _read(
    path: Path, source: Source, wish: Any, now: datetime, imports: Any, count: _Count
) -> Iterator[Mention | Removal]:
    """The mentions of a file, and what it says is gone; what is wrong with it is said, with its line."""
    from monitor.view import safe

    for thing in imports.read_file(path, source, now, wish):
        if isinstance(thing, imports.Trouble):
            count.troubles += 1
            count.whole = count.whole and thing.line > 0
            if count.troubles <= TROUBLES_SAID:
                click.echo(safe(f"{path}: {thing}", 500), err=True)
        elif isinstance(thing, imports.Layout):
            for line in _understood(thing):
                click.echo(safe(line, 500), err=True)
        else:
            count.found += 1
            yield thing
    if count.troubles > TROUBLES_SAID:
        click.echo(f"{path}: and {count.troubles - TROUBLES_SAID:,} more", err=True)


def _understood(layout: Any) -> Iterator[str]:
    if not layout.columns:
        yield f"read as {layout.kind}"
        return
    columns = ", ".join(f"{name}={column}" for name, column in layout.columns.items())
    unused = f"; not read: {', '.join(layout.unused[:15])}" if layout.unused else ""
    yield f"read as {layout.kind}: {columns}{unused}"
    yield from layout.notes


def _said(count: _Count, tally: Tally) -> str:
    words = [f"{count.found:,} read", f"{tally.new:,} new"]
    for number, word in (
        (tally.changed, "changed"),
        (tally.removed, "removed"),
        (tally.unchanged, "known"),
        (tally.unmatched, "about none of your brands"),
        (tally.flagged, "to be answered"),
        (count.troubles, "with faults"),
    ):
        if number:
            words.append(f"{number:,} {word}")
    return ", ".join(words)


def _progress(path: Path, found: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{path.name}: {found:,}", err=True, nl=False)
