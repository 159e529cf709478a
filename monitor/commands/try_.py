"""`lowstar try PAGE`: what would be collected from this page? One JSON line a mention; nothing is kept."""

from __future__ import annotations

import importlib
import json
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import click

from monitor.commands import FAILED, App, pass_app
from storage.records import Mention, Removal


@click.command("try")
@click.argument("page")
@click.option("--url", default="", metavar="URL", help="Where a saved page came from; default: what it says.")
@click.option("--kind", default="", metavar="KIND", help="Read it as this kind of source; default: the best.")
@click.option("--source", "name", default="", metavar="NAME", help="Read it as this source of lowstar.toml.")
@pass_app
def command(app: App, page: str, url: str, kind: str, name: str) -> None:
    """Show what would be collected from PAGE, a saved file or an address. Keeps nothing.

    Prints one JSON line for each mention; exit 1 and the reason if there is none.
    """
    source = crawl = None
    if name:
        config = app.config()
        crawl = config.crawl
        try:
            source = config.source(name)
        except KeyError:
            names = ", ".join(one.name for one in config.sources)
            raise click.UsageError(f"There is no source {name!r}. There are: {names}.") from None
    elif page.lower().startswith(("http://", "https://")):
        crawl = _manners(app)
    # Spiders are started by name: the layers below must not know them.
    try_page = importlib.import_module("spiders.trial").try_page
    result = try_page(page, now=datetime.now(UTC), url=url, kind=kind, source=source, crawl=crawl)
    for thing in (*result.mentions, *result.removals):
        click.echo(json.dumps(shown(thing), ensure_ascii=False))
    for words in result.problems:
        click.echo(words, err=True)
    if not result.mentions and not result.removals:
        if not result.problems:
            click.echo(f"no mention was found (read as {result.kind or 'nothing'})", err=True)
        raise click.exceptions.Exit(FAILED)
    count = len(result.mentions)
    said = f"{count} mention{'s' if count > 1 else ''}, read as {result.kind} from {result.url}"
    click.echo(said, err=True)


def shown(mention: Mention | Removal) -> dict[str, Any]:
    """The fields of a mention that say something, as JSON takes them; dates in ISO 8601."""
    if isinstance(mention, Removal):
        return {"source": mention.source, "external_id": mention.external_id, "removed": mention.reason}
    line: dict[str, Any] = {}
    for field in fields(mention):
        value = getattr(mention, field.name)
        if value is None or value is False or value == "" or value == () or value == 0:
            continue
        line[field.name] = value.isoformat() if isinstance(value, datetime) else value
    return line


def _manners(app: App) -> Any:
    """[crawl] of lowstar.toml where there is one: a page can be tried before anything is configured."""
    from monitor.config import ConfigError

    try:
        return app.config().crawl
    except ConfigError:
        return None
