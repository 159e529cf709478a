"""One run: collect what is due, judge it, deliver what it calls for. What cron calls, and what `demo` shows."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from alerts.clocks import Advanced, advance
from alerts.customers import read_customers
from alerts.notifier import Notifier
from alerts.outbox import DeliveryReport, deliver_due
from alerts.sla import Policy
from monitor.config import Config, Source
from monitor.ingest import Desk, about, ingest
from monitor.match import Matcher
from monitor.sentiment import analyser
from storage.records import CrawlRun, Mention, Removal, RunOutcome, Tally
from storage.store import Store

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run did: one CrawlRun a source, and what was delivered."""

    crawls: tuple[CrawlRun, ...]
    delivery: DeliveryReport
    tallies: Mapping[str, Tally]

    @property
    def failed(self) -> tuple[CrawlRun, ...]:
        """The sources that could not be read."""
        return tuple(run for run in self.crawls if run.outcome is RunOutcome.FAILED)


def desk_for(config: Config) -> Desk:
    """What `ingest` needs, from what lowstar was told."""
    return Desk(
        matcher=Matcher(config.brands),
        analyse=analyser(config.brands),
        thresholds=config.triage,
        routes=config.routes,
        max_age=config.alerts.max_age,
        policy=policy_for(config),
    )


def policy_for(config: Config) -> Policy:
    """What cases go by, with the customers' table as it is now; its bad rows are told by `check`."""
    if config.customers is None:
        return config.policy
    return replace(config.policy, customers=read_customers(config.customers).customers)


def tend(config: Config, store: Store, now: datetime) -> Advanced:
    """Let the clocks of cases and promises ring that are due; what they say goes out with the next delivery."""
    return advance(store, now, config.policy)


def due(config: Config, names: Sequence[str], last: Mapping[str, CrawlRun], now: datetime) -> list[Source]:
    """The sources to read now: those named, or all whose `every` has passed since they were last started.

    A minute's grace: cron starts at :00 and a run that began at :02 must not push a source to every second run.
    """
    if names:
        return [config.source(name) for name in names]
    grace = timedelta(minutes=1)
    return [
        source
        for source in config.sources
        if source.name not in last or last[source.name].started_at + source.every <= now + grace
    ]


def collect(
    config: Config,
    store: Store,
    sources: Sequence[Source],
    *,
    clock: Clock,
    stop: threading.Event,
    progress: Callable[[Any], None] | None = None,
) -> tuple[list[CrawlRun], dict[str, Tally]]:
    """Crawl `sources` and take in what they hold."""
    if not sources:
        return [], {}
    # Spiders are started by name: the layers below must not know them.
    crawl = importlib.import_module("spiders.crawl").crawl
    desk = desk_for(config)
    tallies: dict[str, Tally] = {}

    def sink_for(source: Source, run: CrawlRun) -> Callable[[Sequence[Mention | Removal]], Tally]:
        announce = source.backfill == "alert" or not run.first

        def sink(items: Sequence[Mention | Removal]) -> Tally:
            tally = ingest(about(items, source.about), store, desk, clock(), announce=announce)
            tallies[source.name] = tallies.get(source.name, Tally()) + tally
            return tally

        return sink

    runs = crawl(config, sources, store=store, sink_for=sink_for, clock=clock, progress=progress, stop=stop)
    return list(runs), tallies


def deliver(
    config: Config,
    store: Store,
    notifiers: Mapping[str, Notifier],
    *,
    clock: Clock,
    sleep: Callable[[float], None],
    stop: threading.Event,
    deadline: datetime | None = None,
) -> DeliveryReport:
    """Send what waits in the outbox, worst first."""
    from monitor.cards import render_for

    return deliver_due(
        store,
        notifiers,
        clock=clock,
        sleep=sleep,
        stop=stop,
        pace=config.slack.pace,
        reconcile_after=config.alerts.reconcile_after,
        render=render_for(config, store, clock),
        fallbacks={
            (route.notifier, route.channel): route.fallback for route in config.routes if route.fallback
        },
        deadline=deadline,
    )


def unknown_sources(config: Config, names: Iterable[str]) -> list[str]:
    """The names no source has."""
    known = {source.name for source in config.sources}
    return [name for name in names if name not in known]
