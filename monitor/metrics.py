"""How is lowstar doing, in numbers a Prometheus collects? Read from the store when asked, nothing kept."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from monitor.commands.status import source_statuses
from monitor.config import Config
from storage.records import Priority
from storage.store import Ledger

DELAYS_OF = timedelta(hours=1)
QUANTILES: Mapping[str, float] = {"0.5": 0.5, "0.9": 0.9, "0.99": 0.99, "1": 1.0}
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class NoMetrics(Exception):
    """prometheus-client is not installed; `str()` says how to get it."""


def metrics_text(ledger: Ledger, config: Config, now: datetime) -> bytes:
    """All figures in Prometheus' text format. Raises NoMetrics without its package."""
    try:
        from prometheus_client import CollectorRegistry, generate_latest
    except ImportError:
        raise NoMetrics("metrics need one more package: pip install 'lowstar[metrics]'") from None

    class Collector:
        def collect(self) -> Iterator[Any]:
            return families(ledger, config, now)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collector())
    return bytes(generate_latest(registry))


def families(ledger: Ledger, config: Config, now: datetime) -> Iterator[Any]:
    """The figures, one family each."""
    from prometheus_client.core import GaugeMetricFamily

    yield GaugeMetricFamily(
        "lowstar_mentions", "Mentions kept, about.", value=float(ledger.mention_estimate())
    )
    said = GaugeMetricFamily(
        "lowstar_mentions_last_day", "Mentions posted in the last 24 hours.", labels=["brand", "priority"]
    )
    for brand in config.brands:
        counts = ledger.said_since(brand.name, now - timedelta(days=1))
        for priority in Priority:  # a zero says more than a line that is missing
            said.add_metric([brand.name, priority.word], float(counts.get(priority, 0)))
    yield said
    yield from _alerts(ledger, now)
    counted = ledger.open_counts(now)
    waiting = GaugeMetricFamily(
        "lowstar_open_cases", "Cases that are not closed.", labels=["brand", "status", "priority"]
    )
    late = GaugeMetricFamily(
        "lowstar_late_cases", "Cases not answered though their deadline has passed.", labels=["brand"]
    )
    sums: dict[tuple[str, str, str], int] = {}
    lates: dict[str, int] = {brand.name: 0 for brand in config.brands}
    for one in counted:
        key = (one.brand, str(one.status), one.priority.word)
        sums[key] = sums.get(key, 0) + one.count
        lates[one.brand] = lates.get(one.brand, 0) + one.late
    for key, count in sums.items():
        waiting.add_metric(list(key), float(count))
    for name, count in lates.items():
        late.add_metric([name], float(count))
    yield waiting
    yield late

    outbox = GaugeMetricFamily("lowstar_outbox_messages", "Messages of the outbox.", labels=["state"])
    for state, count in ledger.outbox_counts().items():
        outbox.add_metric([str(state)], float(count))
    yield outbox
    parked = GaugeMetricFamily(
        "lowstar_channel_parked", "1 for a channel that takes no message.", labels=["notifier", "channel"]
    )
    for channel in ledger.parked():
        parked.add_metric([channel.notifier, channel.channel], 1.0)
    yield parked

    last, good = ledger.last_runs(), ledger.last_good_runs()
    healthy = GaugeMetricFamily(
        "lowstar_source_healthy", "1 where a source is read as it should be, else 0.", labels=["source"]
    )
    read = GaugeMetricFamily(
        "lowstar_source_last_good_timestamp_seconds", "When a source was last read well.", labels=["source"]
    )
    found = GaugeMetricFamily("lowstar_source_found", "Mentions its latest run found.", labels=["source"])
    for status in source_statuses(config, last, good, now, {}):
        source = status.source
        healthy.add_metric([source.name], 0.0 if status.wrong else 1.0)
        if status.good is not None:
            read.add_metric([source.name], status.good.started_at.timestamp())
        if status.last is not None:
            found.add_metric([source.name], float(status.last.found))
    yield healthy
    yield read
    yield found
    yield GaugeMetricFamily(
        "lowstar_words_behind", "Mentions not indexed for the search yet.", value=float(ledger.words_behind())
    )


def _alerts(ledger: Ledger, now: datetime) -> Iterator[Any]:
    from prometheus_client.core import GaugeMetricFamily

    waiting = GaugeMetricFamily(
        "lowstar_alerts_waiting",
        "Alerts that may be sent and are not; parked and uncertain ones too.",
        labels=["notifier", "channel"],
    )
    oldest = GaugeMetricFamily(
        "lowstar_alerts_waiting_seconds",
        "How long the oldest of them has been waiting.",
        labels=["notifier", "channel"],
    )
    for one in ledger.alerts_waiting(now):
        waiting.add_metric([one.notifier, one.channel], float(one.count))
        oldest.add_metric([one.notifier, one.channel], one.oldest.total_seconds())
    yield waiting
    yield oldest
    delays = ledger.alert_delays(now - DELAYS_OF)
    yield GaugeMetricFamily(
        "lowstar_alerts_delivered_last_hour",
        "Alerts written in the last hour and delivered.",
        value=float(len(delays)),
    )
    taken = GaugeMetricFamily(
        "lowstar_alert_delivery_seconds",
        "From an alert written (or its quiet hours over) to its delivery, over the last hour.",
        labels=["quantile"],
    )
    if delays:  # none delivered is no delay of zero
        for name, share in QUANTILES.items():
            # Nearest rank: a time that was really taken.
            taken.add_metric([name], delays[max(math.ceil(share * len(delays)), 1) - 1].total_seconds())
    yield taken
