"""Is somebody told when a run went well, and nobody when it did not?"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from alerting import announce, open_cases

from monitor.commands.run import once
from monitor.commands.status import gather
from monitor.config import Config, read_config
from monitor.heartbeat import ping
from monitor.run_view import run_problems
from storage.records import DeliveryKind, Priority
from storage.store import Store


class Beats(ThreadingHTTPServer):
    paths: list[str]
    status = 200


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Beats)
        self.server.paths.append(self.path)
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def beats() -> Iterator[Beats]:
    with Beats(("127.0.0.1", 0), _Handler) as server:
        server.paths = []
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def config(beats: Beats, store: Store, tmp_path: Path) -> Config:
    url = f"http://127.0.0.1:{beats.server_address[1]}/secret-path"
    return read_config(
        {"brands": [{"name": "Acme"}], "heartbeat": {"url": url}}, tmp_path / "lowstar.toml", {}
    )


def test_a_green_run_is_told_of(beats: Beats, sqlite_store: Store, tmp_path: Path) -> None:
    now = datetime.now(UTC) - timedelta(minutes=1)
    announce(sqlite_store, [Priority.HIGH], now=now, channel="console", notifier="console")
    with (tmp_path / "out").open("w") as out:
        report = once(
            config(beats, sqlite_store, tmp_path), sqlite_store, (), stop=threading.Event(), stream=out
        )
    assert report.audit is not None
    assert report.audit.words.startswith("1 flagged = 1 delivered")
    assert beats.paths == ["/secret-path"]


def test_a_run_whose_audit_is_red_is_not_told_of_fails_and_tells_the_operator(
    beats: Beats, sqlite_store: Store, tmp_path: Path
) -> None:
    open_cases(sqlite_store, [Priority.HIGH], now=datetime.now(UTC), channel="console")
    told = config(beats, sqlite_store, tmp_path)
    with (tmp_path / "out").open("w") as out:
        report = once(told, sqlite_store, (), stop=threading.Event(), stream=out)
    assert run_problems(report) == ["audit: 1 flagged posts have no alert at all: REP-0001"]
    assert beats.paths == []
    assert "Audit: 1 flagged posts have no alert at all" in (tmp_path / "out").read_text()
    with sqlite_store.reading() as ledger:
        status = gather(ledger, told, datetime.now(UTC))
    assert status.audit is not None
    assert not status.audit.ok
    assert any("REP-0001" in problem for problem in status.problems)
    assert DeliveryKind.OPS.value == "ops"


@pytest.mark.parametrize("status", [404, 500])
def test_a_refused_heartbeat_is_said_without_its_address(beats: Beats, status: int) -> None:
    beats.status = status
    said = ping(f"http://127.0.0.1:{beats.server_address[1]}/secret-path")
    assert said == f"heartbeat at 127.0.0.1: HTTP {status}"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/secret-path", "file:///etc/passwd", "http://[", "", "http://127.0.0.1:x/"]
)
def test_a_heartbeat_never_raises_and_never_shows_its_address(url: str) -> None:
    said = ping(url, timeout=1.0)
    assert said.startswith("heartbeat")
    assert "secret-path" not in said
    assert "passwd" not in said
