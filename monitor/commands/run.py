"""`lowstar run`: collect what is due, judge it, deliver what it calls for, exit. What cron calls.

Silent under cron unless something is wrong; on a terminal it shows what it is doing and ends with a table.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from monitor.commands import BUSY, FAILED, FINE, WRONG_USAGE, App, pass_app

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.runner import RunReport
    from storage.store import Store

log = logging.getLogger(__name__)

DELIVERY_WITHIN = timedelta(minutes=20)  # what is left then waits for the next run, which cron starts soon
LAST_DELIVERIES_WITHIN = timedelta(seconds=4)  # after SIGTERM: the message in hand, then out within 10 s


def _now() -> datetime:
    return datetime.now(UTC)


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--no-crawl", is_flag=True, help="Only deliver what waits in the outbox.")
@click.option("--no-deliver", is_flag=True, help="Only collect and judge; the next run delivers.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@pass_app
def command(app: App, sources: tuple[str, ...], no_crawl: bool, no_deliver: bool, as_json: bool) -> int:
    """Collect what is due (or the SOURCEs named), judge it, deliver the alerts, exit.

    Safe to call as often as you like: two runs never overlap (the second exits 75 and does nothing), what is
    known is not scored or sent again, and a source read more recently than its `every` is left alone.

    \b
    Exit codes: 0 fine; 1 a source or a delivery failed, and the report says which;
    2 wrong usage or configuration; 75 another run is at it.
    """
    from monitor.runner import unknown_sources
    from storage.errors import Busy
    from storage.store import open_store

    config = app.config()
    if unknown := unknown_sources(config, sources):
        known = ", ".join(source.name for source in config.sources) or "none"
        click.echo(f"There is no source {unknown[0]!r} in {config.path.name}; allowed: {known}", err=True)
        return WRONG_USAGE
    with open_store(config.store_url) as store:
        try:
            with store.run_lock("run"), stop_on_signal() as stop:
                report = once(
                    config,
                    store,
                    sources,
                    stop=stop,
                    crawl=not no_crawl,
                    deliver_too=not no_deliver,
                    show=_wants_progress(app, as_json),
                )
        except Busy:
            if sys.stderr.isatty() or app.verbosity > 0:
                click.echo("Another run is at it; nothing done.", err=True)
            return BUSY
    return _tell(
        report, as_json=as_json, loud=sys.stdout.isatty() or app.verbosity > 0, quiet=app.verbosity < 0
    )


def once(
    config: Config,
    store: Store,
    names: tuple[str, ...],
    *,
    stop: threading.Event,
    crawl: bool = True,
    deliver_too: bool = True,
    show: bool = False,
    stream: Any = None,
) -> RunReport:
    """One run from the edge: the real clock, the real signals, the real roads."""
    from alerts.outbox import DeliveryReport
    from monitor.roads import notifiers_for
    from monitor.run_view import CrawlProgress
    from monitor.runner import RunReport, collect, deliver, due, tend

    with store.reading() as ledger:
        last = ledger.last_runs()
    chosen = due(config, names, last, _now()) if crawl else []
    with CrawlProgress([source.name for source in chosen], show=show) as progress:
        runs, tallies = collect(config, store, chosen, clock=_now, stop=stop, progress=progress)
    if deliver_too and not stop.is_set() and config.slack.token and not config.policy.buttons:
        from monitor.listening import hear_reactions  # the Slack client takes its time to import

        for problem in hear_reactions(config, store).problems:
            log.warning("%s", problem)
    tend(config, store, _now())
    delivery = DeliveryReport()
    if deliver_too:
        within = LAST_DELIVERIES_WITHIN if stop.is_set() else DELIVERY_WITHIN
        delivery = deliver(
            config,
            store,
            notifiers_for(config, stream),
            clock=_now,
            sleep=time.sleep,
            stop=stop,
            deadline=_now() + within,
        )
    return RunReport(tuple(runs), delivery, tallies)


@contextmanager
def stop_on_signal() -> Iterator[threading.Event]:
    """An event that SIGTERM or Ctrl-C sets: finish the page and the message in hand, lose nothing, end.

    A second signal ends at once; even then nothing is lost, the next run picks it up.
    """
    stop = threading.Event()

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wants_progress(app: App, as_json: bool) -> bool:
    return sys.stderr.isatty() and app.verbosity >= 0 and not as_json


def _tell(report: RunReport, *, as_json: bool, loud: bool, quiet: bool) -> int:
    from monitor.run_view import run_as_json, run_problems, run_table

    problems = run_problems(report)
    if as_json:
        click.echo(run_as_json(report))
    elif loud and not quiet:
        click.echo(run_table(report))
    if problems and not as_json and not (loud and not quiet):
        for line in problems:
            click.echo(line, err=True)
    return FAILED if problems else FINE
