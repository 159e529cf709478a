"""`lowstar forget AUTHOR`: a person wants to be out. All they wrote is removed, and is not read again."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from monitor.commands import FAILED, FINE, IMPORTED, App, existing_store, pass_app

if TYPE_CHECKING:
    from monitor.config import Config
    from storage.store import Store

BATCH = 500


@click.command(short_help="Remove all that one person wrote, and read it no more.")
@click.argument("author", metavar="[AUTHOR]", required=False, default="")
@click.option(
    "--mention",
    "identity",
    type=click.IntRange(1, 2**62),
    metavar="NUMBER",
    help="Only this one: the number in its address, /mentions/NUMBER.",
)
@click.option("--source", metavar="NAME", default="", help="Only what stands in this source.")
@click.option("--posts-only", is_flag=True, help="What is kept goes; what this name writes later is read.")
@click.option("--lift", is_flag=True, help="Read from now on what this name writes; posts stay forgotten.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_app
def command(
    app: App, author: str, identity: int | None, source: str, posts_only: bool, lift: bool, yes: bool
) -> int:
    """Remove every word AUTHOR wrote: the texts, their earlier versions, the quotes in the reasons, the index of
    words. That there was a review, when, and with how many stars stays, without name and words, so that the
    numbers of past weeks do not change. The cards in Slack follow with the next `lowstar run`.

    What was removed is not read again, though the site still shows it, nor what AUTHOR writes from now on in the
    sources it was found in. The store keeps only keyed hashes of these names and posts, and a purge leaves them.

    AUTHOR is the name exactly as the source shows it. Where others may have the same name (“Anna”), say
    --posts-only: else their reviews are not heard either.
    """
    from monitor.commands.cases import known_source
    from monitor.ingest import ingest
    from monitor.runner import desk_for
    from storage.records import Removal

    if bool(author) == (identity is not None):
        raise click.UsageError("name an author, or say --mention and its number")
    if identity is not None and (source or posts_only or lift):
        raise click.UsageError("--mention stands alone: it is one post, whoever wrote it")
    config = app.config()
    with existing_store(config) as store:
        if lift:
            return _lift(store, author, [source] if source else _everywhere(config, store))
        with store.reading() as ledger:
            if identity is None:
                removals = ledger.written_by(author, source)
            else:
                one = ledger.mention(identity)
                removals = [Removal(*one.key, "removed on request")] if one is not None else []
        if not removals and (not source or posts_only):
            click.echo(_nothing(author, identity, posts_only), err=True)
            return FAILED
        if not removals:  # whoever asks before a word is kept is heard as well
            with store.reading() as ledger:
                known_source(config, ledger, source)
        places = sorted({one.source for one in removals} or {source})
        _ask(f"{len(removals)} mentions in {', '.join(places)}", yes)
        now = datetime.now(UTC)
        # First the marks, then the words: a crawl that runs meanwhile cannot bring them back in between.
        with store.transaction() as ledger:
            ledger.forget_posts([one.key for one in removals], now)
            if author and not posts_only:
                ledger.forget_author(author, places, now)
        if author:
            with store.transaction() as ledger:
                removals = ledger.written_by(author, source)
                ledger.forget_posts([one.key for one in removals], now)
        desk = desk_for(config)
        gone = 0
        for start in range(0, len(removals), BATCH):
            gone += ingest(removals[start : start + BATCH], store, desk, now).removed
        with store.transaction() as ledger:
            ledger.tidy_words()
    click.echo(f"{gone} mentions emptied, never to be read again. “lowstar run” lets their cards follow.")
    return FINE


def _ask(what: str, yes: bool) -> None:
    """Go on only when somebody says so."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"{what} would be emptied; say --yes")
    click.confirm(f"Empty {what} for good?", abort=True)


def _everywhere(config: Config, store: Store) -> list[str]:
    with store.reading() as ledger:
        return list(dict.fromkeys([*(one.name for one in config.sources), IMPORTED, *ledger.sources()]))


def _lift(store: Store, author: str, sources: Sequence[str]) -> int:
    with store.transaction() as ledger:
        count = ledger.remember_author(author, sources)
    if not count:
        click.echo(f"{author!r} is not forgotten in {', '.join(sources)}.", err=True)
        return FAILED
    click.echo(f"What {author!r} writes is read again; what was emptied stays so.")
    return FINE


def _nothing(author: str, identity: int | None, posts_only: bool) -> str:
    if identity is not None:
        return f"There is no mention {identity}."
    more = "" if posts_only else " With --source, nothing of it will be."
    return f"Nothing of {author!r} is kept.{more}"
