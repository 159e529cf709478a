"""`lowstar run`: collect what is due, judge it, deliver what it calls for, exit. What cron calls.

Silent under cron unless something is wrong; on a terminal it shows what it is doing and ends with a table.
"""

from __future__ import annotations

import importlib
import logging
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from monitor.commands import BUSY, FAILED, FINE, WRONG_USAGE, App, pass_app
from monitor.config_kinds import LISTENED

if TYPE_CHECKING:
    from alerts.audit import Audit
    from monitor.config import Config
    from monitor.runner import RunReport
    from storage.store import Store

log = logging.getLogger(__name__)

DELIVERY_WITHIN = timedelta(minutes=20)  # what is left then waits for the next run, which cron starts soon
TELL_WITHIN = timedelta(seconds=30)  # for the word to the operator that something is missing
LAST_DELIVERIES_WITHIN = timedelta(seconds=4)  # after SIGTERM: the message in hand, then out within 10 s


def _now() -> datetime:
    return datetime.now(UTC)


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--no-crawl", is_flag=True, help="Only deliver what waits in the outbox.")
@click.option("--no-deliver", is_flag=True, help="Only collect and judge; the next run delivers.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="Read back to this day (UTC), whatever was read before; name the SOURCEs.",
)
@pass_app
def command(
    app: App,
    sources: tuple[str, ...],
    no_crawl: bool,
    no_deliver: bool,
    as_json: bool,
    since: datetime | None,
) -> int:
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
    if sent := [name for name in sources if config.source(name).kind in LISTENED]:
        click.echo(
            f"{sent[0]} is sent to us, there is nothing to collect: see docs/webhook.md and lowstar status",
            err=True,
        )
        return WRONG_USAGE
    if since is not None:
        since = since.replace(tzinfo=UTC)
        if not sources:
            raise click.UsageError("--since reads a lot: name the SOURCEs it is meant for")
        if since > _now():
            raise click.UsageError("--since lies in the future")
        for words in cannot_go_back(config, sources):
            click.echo(words, err=True)
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
                    since=since,
                )
        except Busy:
            if sys.stderr.isatty() or app.verbosity > 0:
                click.echo("Another run is at it; nothing done.", err=True)
            return BUSY
    return _tell(
        report, as_json=as_json, loud=sys.stdout.isatty() or app.verbosity > 0, quiet=app.verbosity < 0
    )


def cannot_go_back(config: Config, names: Sequence[str]) -> Iterator[str]:
    """A line for each source that shows only its newest, however far back one asks."""
    spider_for = importlib.import_module("spiders.crawl").spider_for
    for name in names:
        source = config.source(name)
        try:
            goes_back = spider_for(source.kind).backfills
        except LookupError:
            continue  # its run says so
        if not goes_back:
            yield f"{name}: a source of the kind {source.kind} shows only its newest; --since changes nothing"


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
    since: datetime | None = None,
) -> RunReport:
    """One run from the edge: the real clock, the real signals, the real roads."""
    from alerts.outbox import DeliveryReport
    from monitor.analysers import second
    from monitor.digest_send import keep_days
    from monitor.retention import forget_what_is_due
    from monitor.roads import notifiers_for
    from monitor.run_view import CrawlProgress
    from monitor.runner import RunReport, collect, deliver, due

    with store.reading() as ledger:
        last, failures = ledger.last_runs(), ledger.failures_in_row()
    chosen = due(config, names, last, _now(), failures) if crawl else []
    with CrawlProgress([source.name for source in chosen], show=show) as progress:
        runs, tallies = collect(config, store, chosen, clock=_now, stop=stop, progress=progress, since=since)
    if deliver_too and not stop.is_set() and config.slack.token and not config.policy.buttons:
        from monitor.listening import hear_reactions  # the Slack client takes its time to import

        for problem in hear_reactions(config, store).problems:
            log.warning("%s", problem)
    troubles = _chores(config, store)
    if (other := second(config.analyser)) is not None and other.trouble:
        troubles.append(f"the second analyser was not heard, lowstar's own reading stands: {other.trouble}")
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
    forget_what_is_due(store, config.sources, _now(), config.reddit)
    keep_days(config, store, _now())  # last: no alert waits for it
    audit = _audited(config, store) if deliver_too else None
    report = RunReport(tuple(runs), delivery, tallies, audit, tuple(troubles))
    return _proved(config, store, report, stop, stream) if deliver_too else report


def _chores(config: Config, store: Store) -> list[str]:
    """Do what time calls for; what fell over, in words. An alert that waits must not wait for a digest's fault."""
    from monitor.digest_send import due_digest
    from monitor.runner import tend
    from storage.errors import StoreError

    troubles = []
    for what, chore in (("deadlines and storms", tend), ("the digest", due_digest)):
        try:
            chore(config, store, _now())
        except StoreError:
            raise  # nothing else would work either, and its words say what to do
        except Exception as error:
            log.exception("%s could not be looked after", what)
            troubles.append(f"{what} could not be looked after: {type(error).__name__}; the log has more")
    return troubles


def _audited(config: Config, store: Store) -> Audit:
    from alerts.audit import audit
    from monitor.roads import road_names

    with store.reading() as ledger:
        return audit(ledger, _now(), road_names(config))


def _proved(config: Config, store: Store, report: RunReport, stop: threading.Event, stream: Any) -> RunReport:
    """Tell the operator when something flagged is unaccounted for; tell the heartbeat when all went well."""
    from alerts.ops import tell_ops
    from monitor.heartbeat import ping
    from monitor.roads import notifiers_for
    from monitor.run_view import run_problems
    from monitor.runner import deliver

    if report.audit is not None and not report.audit.ok:
        said = f"Audit: {'; '.join(report.audit.problems)}. “lowstar status” says more."
        if tell_ops(store, said, _now(), config.ops, about="audit " + said) and not stop.is_set():
            roads = notifiers_for(config, stream)
            within = _now() + TELL_WITHIN
            deliver(config, store, roads, clock=_now, sleep=time.sleep, stop=stop, deadline=within)
    green = report.audit is not None and report.audit.ok and not run_problems(report) and not stop.is_set()
    if green and config.heartbeat.url and (problem := ping(config.heartbeat.url)):
        log.warning("%s", problem)
    return report


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
