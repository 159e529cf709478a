"""Are the figures the ones of the store, in a form Prometheus reads?"""

from __future__ import annotations

import importlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

pytest.importorskip("prometheus_client", reason="the extra `metrics` is not installed")

from shelf import add_case, add_run, settings

from monitor.config import load_config
from monitor.metrics import metrics_text
from storage.records import RunOutcome
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


def test_a_failing_source_is_a_zero(sqlite_store: Store, tmp_path: Path) -> None:
    add_run(sqlite_store, NOW, RunOutcome.FAILED, reason='"}\n evil{x="1"} 7')
    with sqlite_store.reading() as ledger:
        text = metrics_text(ledger, load_config(settings(tmp_path), {}), NOW).decode()
    assert 'lowstar_source_healthy{source="shop"} 0.0' in text
    assert "evil" not in text
