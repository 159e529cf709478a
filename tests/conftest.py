"""What every test gets: real stores, and no way out of this machine."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from postgres import NoPostgres, Server, running_server

from storage.store import Store, open_store

# A busy machine is no failure: what must be fast is measured in benchmarks, as a ratio.
settings.register_profile("lowstar", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lowstar")


class LeftTheMachine(OSError):
    """A test tried to reach something that is not this machine."""


def _outside(address: Any) -> bool:
    if not isinstance(address, tuple) or not address:
        return False  # a unix socket
    host = str(address[0]).partition("%")[0]
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host not in ("", "localhost")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Connections go to this machine only. A test that swallows the error fails all the same."""
    left: list[str] = []

    def guarded(real: Callable[..., Any]) -> Callable[..., Any]:
        def connect(self: socket.socket, address: Any) -> Any:
            if self.family in (socket.AF_INET, socket.AF_INET6) and _outside(address):
                left.append(str(address))
                raise LeftTheMachine(f"tests talk to 127.0.0.1 only, not to {address}")
            return real(self, address)

        return connect

    monkeypatch.setattr(socket.socket, "connect", guarded(socket.socket.connect))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded(socket.socket.connect_ex))
    yield
    if left:
        pytest.fail(f"this test tried to leave the machine: {', '.join(left)}")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """One PostgreSQL for the whole run (for each worker of it), started when first asked for."""
    try:
        running = running_server()
        server = running.__enter__()
    except NoPostgres as reason:
        pytest.skip(f"PostgreSQL: {reason}")
    try:
        yield server
    finally:
        running.__exit__(None, None, None)


@pytest.fixture(scope="session")
def _postgres_template(postgres_server: Server) -> str:
    """A database with all tables, to be copied."""
    url = postgres_server.database()
    open_store(url).close()
    return url.partition("@/")[2].partition("?")[0]


@pytest.fixture
def postgres_url(postgres_server: Server) -> Iterator[str]:
    """The address of an empty PostgreSQL database."""
    url = postgres_server.database()
    yield url
    postgres_server.drop(url)


@pytest.fixture
def _filled_postgres_url(postgres_server: Server, _postgres_template: str) -> Iterator[str]:
    url = postgres_server.database(_postgres_template)
    yield url
    postgres_server.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a store, for each database we know: for tests that open it in another process too."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'lowstar.db'}"
    return str(request.getfixturevalue("_filled_postgres_url"))


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An open, empty store; the test runs once for each database we know."""
    with open_store(store_url) as opened:
        yield opened


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    """An open, empty store on SQLite, for tests that have nothing to do with databases."""
    with open_store(f"sqlite:///{tmp_path / 'lowstar.db'}") as opened:
        yield opened
