"""`lowstar forget AUTHOR`: a person wants to be out. All they wrote is removed, and the cards about it follow."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click

from monitor.commands import FAILED, FINE, App, existing_store, pass_app

BATCH = 500


@click.command(short_help="Remove all that one person wrote.")
@click.argument("author", metavar="AUTHOR")
@click.option("--source", metavar="NAME", default="", help="Only what stands in this source.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_app
def command(app: App, author: str, source: str, yes: bool) -> int:
    """Remove every word AUTHOR wrote: the texts, their earlier versions, the quotes in the reasons, the index of
    words. That there was a review, when, and with how many stars stays, without name and words, so that the
    numbers of past weeks do not change. The cards in Slack follow with the next `lowstar run`.

    AUTHOR is the name exactly as the source shows it. Where a site still shows what they wrote, the next crawl
    reads it again: ask the site, or take the page out of lowstar.toml.
    """
    from monitor.ingest import ingest
    from monitor.runner import desk_for

    config = app.config()
    with existing_store(config) as store:
        with store.reading() as ledger:
            removals = ledger.written_by(author, source)
        if not removals:
            click.echo(f"Nothing of {author!r} is kept.", err=True)
            return FAILED
        places = ", ".join(sorted({one.source for one in removals}))
        if not yes:
            if not sys.stdin.isatty():
                raise click.UsageError(f"{len(removals)} mentions in {places} would be emptied; say --yes")
            click.confirm(f"Empty {len(removals)} mentions in {places} for good?", abort=True)
        now = datetime.now(UTC)
        desk = desk_for(config)
        gone = 0
        for start in range(0, len(removals), BATCH):
            gone += ingest(removals[start : start + BATCH], store, desk, now).removed
        with store.transaction() as ledger:
            ledger.tidy_words()
    click.echo(f"{gone} mentions emptied. “lowstar run” lets their cards follow.")
    return FINE
