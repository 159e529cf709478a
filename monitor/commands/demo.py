"""`lowstar demo`: the whole main job on this machine, no key, no network beyond it."""

from __future__ import annotations

import shutil
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.commands import FAILED, FINE, App, pass_app

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.runner import RunReport
    from monitor.standins.slack import SlackStandin


@click.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("lowstar-demo"),
    show_default=True,
    help="Where the demo keeps its database, its channel and its digest.",
)
@click.option(
    "--later", is_flag=True, help="Some days after: a customer changed 1 to 4 stars, one took a review down."
)
@click.option("--fresh", is_flag=True, help="Begin anew: forget what an earlier demo kept.")
@click.option(
    "--stay", is_flag=True, help="Keep the small web up until Ctrl-C, so that its pages can be opened."
)
@pass_app
def command(app: App, folder: Path, later: bool, fresh: bool, stay: bool) -> int:
    """See all of it work: a small web about an invented brand is served on this machine, crawled with the real
    spiders, judged, and delivered to a stand-in for Slack, worst first.

    Run it a second time: nothing is sent again.
    """
    from monitor.demo.show import ALERTS, stage

    if fresh:
        _forget(folder)
    now = datetime.now(UTC)
    with stage(folder, now, later=later) as (config, slack, web):
        before = len(slack.posted(ALERTS))
        report = _run(config, show=sys.stderr.isatty() and app.verbosity >= 0)
        _write_pages(config, folder, slack, now)
        click.echo(slack.channel_text(ALERTS))
        click.echo()
        _explain(report, folder, sent=len(slack.posted(ALERTS)) - before, later=later)
        if stay:
            _stay(web.url)
    return FAILED if report.failed else FINE


def _run(config: Config, *, show: bool) -> RunReport:
    from monitor.commands.run import once, stop_on_signal
    from storage.store import open_store

    with open_store(config.store_url) as store, store.run_lock("run"), stop_on_signal() as stop:
        names = tuple(source.name for source in config.sources)
        return once(config, store, names, stop=stop, show=show)


def _write_pages(config: Config, folder: Path, slack: SlackStandin, now: datetime) -> None:
    """What people would look at in Slack and in their mail, as pages."""
    from monitor.demo.channel import channel_page
    from monitor.demo.show import ALERTS, DIGEST
    from monitor.digest_html import html
    from monitor.digest_send import make, zone_of
    from monitor.weeks import Span, last_full
    from storage.store import open_store

    (folder / "channel.html").write_text(channel_page(ALERTS, slack.messages(ALERTS)), "utf-8")
    (folder / "digest-channel.html").write_text(channel_page(DIGEST, slack.messages(DIGEST)), "utf-8")
    with open_store(config.store_url) as store:
        week = last_full(Span.WEEK, now, zone_of(config))
        (folder / "digest.html").write_text(html(make(config, store, config.brands[0], week, now)), "utf-8")


def _explain(report: RunReport, folder: Path, *, sent: int, later: bool) -> None:
    from monitor.run_view import run_table

    click.echo(run_table(report))
    click.echo()
    changed = report.delivery.edited
    if changed:
        click.echo(
            f"{changed} card{'s' * (changed != 1)} changed with what customers did; the thread says so."
        )
    elif sent:
        click.echo(f"{sent} alert{'s' * (sent != 1)}, worst first, once.")
    else:
        click.echo("Nothing new to send: everything is known, nothing is sent twice.")
    click.echo(
        f"The channel as a page: {folder / 'channel.html'}   Last week's digest: {folder / 'digest.html'}"
    )
    config = folder / "lowstar.toml"
    click.echo()
    click.echo("What to do next:")
    if not later:
        click.echo("  lowstar demo                    again: nothing is sent twice")
        click.echo(
            "  lowstar demo --later            a customer changed 1 to 4 stars: her card changes with it"
        )
    click.echo(f"  lowstar --config {config} cases list")
    click.echo("  lowstar init                    the same for your brand")


def _forget(folder: Path) -> None:
    # Only what a demo made: a folder somebody else uses is left alone.
    if (folder / "lowstar.toml").exists() and (folder / "slack.json").exists():
        shutil.rmtree(folder)


def _stay(url: str) -> None:
    click.echo(f"\nThe small web is at {url}/ (Ctrl-C ends it)")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        click.echo()
