"""`lowstar purge --older-than 400d`: what is older than you want to keep is deleted, for good."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import click

from monitor.commands import FINE, App, existing_store, pass_app

BATCH = 500
LEAST = timedelta(days=7)  # a digest needs the weeks before it; a day's slip of the keyboard empties nothing


@click.command(short_help="Delete what is older than you want to keep.")
@click.option(
    "--older-than",
    "age",
    required=True,
    metavar="AGE",
    help="For example 400d or 52w; by the date of the post.",
)
@click.option("--dry-run", is_flag=True, help="Only say how much it would be.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_app
def command(app: App, age: str, dry_run: bool, yes: bool) -> int:
    """Delete mentions posted longer ago than AGE, with their verdicts, cases and histories, and the crawl runs of
    then. A mention whose case is not closed stays until it is.

    Weeks of then have no digest any more. A page that still shows a deleted review is read again as a new one,
    but opens no case: it is older than `alerts.max_age`.
    """
    from monitor.config_check import DURATION, duration

    length = duration(age)
    if length is None or length < LEAST:
        raise click.UsageError(f"--older-than: found {age!r}; allowed: {DURATION}, at least 7d")
    now = datetime.now(UTC)
    try:
        before = now - length
    except OverflowError:
        raise click.UsageError(f"--older-than: {age} is longer ago than there was anything") from None
    config = app.config()
    with existing_store(config) as store:
        with store.reading() as ledger:
            count = ledger.count_old_mentions(before)
        if dry_run or not count:
            click.echo(f"{count:,} mentions were posted before {before:%Y-%m-%d}.")
            return FINE
        if not yes:
            if not sys.stdin.isatty():
                raise click.UsageError(f"{count:,} mentions would be deleted; say --yes")
            click.confirm(f"Delete {count:,} mentions posted before {before:%Y-%m-%d} for good?", abort=True)
        gone = 0
        while True:
            # In small steps: a run that wants to write meanwhile waits for one of them, not for all.
            with store.transaction() as ledger:
                ids = ledger.old_mentions(before, BATCH)
                if not ids:
                    break
                gone += ledger.purge(ids)
        with store.transaction() as ledger:
            runs = ledger.purge_runs(before)
            ledger.tidy_words()
    click.echo(f"{gone:,} mentions and {runs:,} crawl runs deleted.")
    return FINE
