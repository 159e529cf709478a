"""Are the figures the ones of the store, in a form Prometheus reads?"""

from __future__ import annotations

import importlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("prometheus_client", reason="the extra `metrics` is not installed")

from shelf import add_case, add_run, settings

from monitor.config import load_config
from monitor.metrics import metrics_text
from storage.records import Delivery, DeliveryKind, DeliveryState, RunOutcome
from storage.store import Store

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_the_figures_are_those_of_the_store(sqlite_store: Store, tmp_path: Path) -> None:
    add_case(sqlite_store, NOW, "a")
    add_case(sqlite_store, NOW - timedelta(days=2), "b", brand="Kaffa")
    add_run(sqlite_store, NOW - timedelta(minutes=1))
    config = load_config(settings(tmp_path), {})
    with sqlite_store.reading() as ledger:
        text = metrics_text(ledger, config, NOW).decode()
    parser = importlib.import_module("prometheus_client.parser")
    found = {
        (
            one.name,
            *(
                one.labels[name]
                for name in ("brand", "status", "priority", "state", "source")
                if name in one.labels
            ),
        ): one.value
        for family in parser.text_string_to_metric_families(text)
        for one in family.samples
    }
    assert found["lowstar_mentions",] == 2
    assert found["lowstar_open_cases", "Acme", "open", "high"] == 1
    assert found["lowstar_late_cases", "Kaffa"] == 1
    assert found["lowstar_late_cases", "Acme"] == 0
    assert found["lowstar_outbox_messages", "sent"] == 2
    assert found["lowstar_source_healthy", "shop"] == 1
    assert found["lowstar_source_found", "shop"] == 12
    assert found["lowstar_words_behind",] == 2


def figures(store: Store, folder: Path, now: datetime) -> list[str]:
    with store.reading() as ledger:
        return metrics_text(ledger, load_config(settings(folder), {}), now).decode().splitlines()


def test_how_long_alerts_take_and_wait_is_told(sqlite_store: Store, tmp_path: Path) -> None:
    def alert(number: int, made: float, **more: Any) -> Delivery:
        at = NOW - timedelta(seconds=made)
        values: dict[str, Any] = {"channel": "#alerts", "created_at": at, "not_before": at}
        return Delivery(id=f"a{number}", kind=DeliveryKind.ALERT, notifier="slack", **{**values, **more})

    sent = [
        alert(at, 1_000, state=DeliveryState.SENT, sent_at=NOW - timedelta(seconds=1_000 - at))
        for at in range(1, 11)
    ]
    quiet = alert(
        20,
        3_000,
        state=DeliveryState.SENT,
        not_before=NOW - timedelta(seconds=105),
        sent_at=NOW - timedelta(seconds=100),
    )
    old = alert(21, 9_000, state=DeliveryState.SENT, sent_at=NOW)
    waits = [alert(30, 700), alert(31, 60, state=DeliveryState.PARKED)]
    later = alert(32, 60, not_before=NOW + timedelta(hours=8))
    with sqlite_store.transaction() as ledger:
        ledger.enqueue([*sent, quiet, old, *waits, later])
    lines = figures(sqlite_store, tmp_path, NOW)
    for line in (
        'lowstar_alert_delivery_seconds{quantile="0.5"} 5.0',  # 1 … 10 and 5 after the quiet hours
        'lowstar_alert_delivery_seconds{quantile="0.9"} 9.0',
        'lowstar_alert_delivery_seconds{quantile="1"} 10.0',
        "lowstar_alerts_delivered_last_hour 11.0",
        'lowstar_alerts_waiting{channel="#alerts",notifier="slack"} 2.0',
        'lowstar_alerts_waiting_seconds{channel="#alerts",notifier="slack"} 700.0',
    ):
        assert line in lines, line


def test_no_delivery_is_no_delay_of_zero(sqlite_store: Store, tmp_path: Path) -> None:
    lines = figures(sqlite_store, tmp_path, NOW)
    assert "lowstar_alerts_delivered_last_hour 0.0" in lines
    assert not any(line.startswith("lowstar_alert_delivery_seconds{") for line in lines)


def test_what_was_said_in_a_day_is_counted_by_brand_and_priority(sqlite_store: Store, tmp_path: Path) -> None:
    add_case(sqlite_store, NOW, "a")
    add_case(sqlite_store, NOW - timedelta(days=1), "b")
    lines = figures(sqlite_store, tmp_path, NOW)
    assert 'lowstar_mentions_last_day{brand="Acme",priority="high"} 1.0' in lines
    assert 'lowstar_mentions_last_day{brand="Kaffa",priority="urgent"} 0.0' in lines


def test_every_figure_is_documented(sqlite_store: Store, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "dashboard.md").read_text("utf-8")
    named = {line.split()[2] for line in figures(sqlite_store, tmp_path, NOW) if line.startswith("# TYPE ")}
    assert len(named) >= 14
    assert [name for name in sorted(named) if f"`{name}" not in page] == []


def test_a_failing_source_is_a_zero(sqlite_store: Store, tmp_path: Path) -> None:
    add_run(sqlite_store, NOW, RunOutcome.FAILED, reason='"}\n evil{x="1"} 7')
    with sqlite_store.reading() as ledger:
        text = metrics_text(ledger, load_config(settings(tmp_path), {}), NOW).decode()
    assert 'lowstar_source_healthy{source="shop"} 0.0' in text
    assert "evil" not in text
