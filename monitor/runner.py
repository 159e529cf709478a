"""One run: collect what is due, judge it, deliver what it calls for. What cron calls, and what `demo` shows."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from alerts.audit import Audit
from alerts.clocks import Advanced, advance
from alerts.copies import tend_copies
from alerts.customers import read_customers
from alerts.notifier import Notifier
from alerts.ops import Watched, watch
from alerts.outbox import DeliveryReport, deliver_due
from alerts.sla import Policy
from alerts.storms import tend_storms
from alerts.subscribers import tell_subscribers
from monitor.analysers import second
from monitor.config import Config, Source
from monitor.config_kinds import LISTENED
from monitor.config_named import STRETCH, stream_name
from monitor.ingest import Desk, about, ingest
from monitor.learning import offset_of
from monitor.match import Matcher
from monitor.pauses import next_by
from monitor.ranker import Offset
from monitor.sentiment import analyser
from monitor.spike_watch import tend_spikes
from storage.records import CrawlRun, Mention, Removal, RunOutcome, Tally
from storage.store import Store

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run did: one CrawlRun a source, and what was delivered."""

    crawls: tuple[CrawlRun, ...]
    delivery: DeliveryReport
    tallies: Mapping[str, Tally]
    audit: Audit | None = None  # None: the run delivered nothing, so there is nothing to prove yet
    troubles: tuple[str, ...] = ()  # what fell over beside the crawl and the delivery, in words

    @property
    def failed(self) -> tuple[CrawlRun, ...]:
        """The sources that could not be read."""
        return tuple(run for run in self.crawls if run.outcome is RunOutcome.FAILED)


def desk_for(config: Config) -> Desk:
    """What `ingest` needs, from what lowstar was told."""
    own = analyser(config.brands)
    other = second(config.analyser)
    return Desk(
        matcher=Matcher(config.brands),
        analyse=own if other is None else other.beside(own),
        thresholds=config.triage,
        routes=config.routes,
        max_age=config.alerts.max_age,
        policy=policy_for(config),
        storms=config.storms,
    )


def desk_at(config: Config, store: Store) -> Desk:
    """What `ingest` needs, with what was learned from the team and adopted."""
    return replace(desk_for(config), offset=offset_in_force(store))


def offset_in_force(store: Store) -> Offset | None:
    """What was learned from the team and adopted; None where nothing was."""
    with store.reading() as ledger:
        model = ledger.model_in_force()
    return None if model is None else offset_of(model.terms, model.found)


def policy_for(config: Config) -> Policy:
    """What cases go by, with the customers' table as it is now; its bad rows are told by `check`."""
    if config.customers is None:
        return config.policy
    return replace(config.policy, customers=read_customers(config.customers).customers)


def tend(config: Config, store: Store, now: datetime) -> Advanced:
    """Do what time alone calls for; what there is to say goes out with the next delivery.

    The clocks of cases and promises ring, storms are looked after, blind sources are told of, and what was called
    off and is open again is announced again.
    """
    rung = advance(store, now, config.policy)
    stormy = tend_storms(store, now, config.storms)
    passed = tend_copies(store, now, config.policy)
    seen = watch(store, watched(config), now, config.ops)
    spiked = tend_spikes(
        store,
        config.brands,
        config.routes,
        now,
        config.spikes,
        titles={source.name: source.title or source.name for source in config.sources},
        timezone=config.timezone,
    )
    with store.transaction() as ledger:
        again = ledger.announce_again(now)
    tell_subscribers(store, config.subscriptions, now)
    more = stormy.let_go + stormy.ended + len(seen.noticed) + len(seen.recovered) + again
    more += passed.announced + spiked.told + spiked.ended
    return replace(rung, messages=rung.messages + more)


def watched(config: Config) -> list[Watched]:
    """The sources as the operator's messages know them."""
    listened = [Watched(source.name, source.title or source.name, source.every) for source in config.sources]
    streams = [source for source in config.sources if source.options.get("stream")]
    return listened + [
        Watched(stream_name(one.name), stream_name(one.title or one.name), STRETCH) for one in streams
    ]


def due(
    config: Config,
    names: Sequence[str],
    last: Mapping[str, CrawlRun],
    now: datetime,
    failures: Mapping[str, int] | None = None,
) -> list[Source]:
    """The sources to read now: those named, or all whose `every` has passed since they were last started.

    One that keeps failing (`failures` in a row, by source) is left alone for longer; naming it tries it now.
    A minute's grace: cron starts at :00 and a run that began at :02 must not push a source to every second run.
    """
    if names:
        return [source for name in names if (source := config.source(name)).kind not in LISTENED]
    grace = timedelta(minutes=1)
    failed = failures or {}
    asked = [source for source in config.sources if source.kind not in LISTENED]
    return [
        source
        for source in asked
        if source.name not in last
        or next_by(source, last[source.name].started_at, failed.get(source.name, 0)) <= now + grace
    ]


def collect(
    config: Config,
    store: Store,
    sources: Sequence[Source],
    *,
    clock: Clock,
    stop: threading.Event,
    progress: Callable[[Any], None] | None = None,
    since: datetime | None = None,
) -> tuple[list[CrawlRun], dict[str, Tally]]:
    """Crawl `sources` and take in what they hold; with `since` all that was said from then on."""
    if not sources:
        return [], {}
    # Spiders are started by name: the layers below must not know them.
    crawl = importlib.import_module("spiders.crawl").crawl
    desk = desk_at(config, store)
    tallies: dict[str, Tally] = {}

    def sink_for(source: Source, run: CrawlRun) -> Callable[[Sequence[Mention | Removal]], Tally]:
        announce = source.backfill == "alert" or not run.first

        def sink(items: Sequence[Mention | Removal]) -> Tally:
            tally = ingest(about(items, source.about), store, desk, clock(), announce=announce)
            tallies[source.name] = tallies.get(source.name, Tally()) + tally
            return tally

        return sink

    runs = crawl(
        config,
        sources,
        store=store,
        sink_for=sink_for,
        clock=clock,
        progress=progress,
        stop=stop,
        since=since,
    )
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
        fallbacks=second_roads(config),
        deadline=deadline,
    )


def second_roads(config: Config) -> dict[tuple[str, str], str]:
    """What is used while a channel is out of order: of two routes to it the first one's word counts."""
    roads: dict[tuple[str, str], str] = {}
    for route in config.routes:
        if route.fallback:
            roads.setdefault((route.notifier, route.channel), route.fallback)
    return roads


def unknown_sources(config: Config, names: Iterable[str]) -> list[str]:
    """The names no source has."""
    known = {source.name for source in config.sources}
    return [name for name in names if name not in known]
