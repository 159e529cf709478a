"""The dashboard on loopback, in a thread of this process, and a visitor who speaks HTTP to it."""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import uvicorn
from shelf import settings

from monitor.commands.serve import listen
from monitor.config import Config, load_config
from monitor.config_web import Access, Role
from monitor.web.app import make_app
from storage.store import Store

TOKENS = {
    Role.READ: "read-token-0123456789",
    Role.ACT: "act-token-01234567890",
    Role.ADMIN: "admin-token-012345678",
}


@dataclass
class Answered:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    cookies: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Visitor:
    """A browser without a screen: keeps cookies, follows nothing."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def ask(
        self, path: str, *, method: str = "GET", body: bytes | str | None = None, **headers: str
    ) -> Answered:
        """One request; a header's underscores are hyphens."""
        said = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if self.cookies:
            said["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, said)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        given = {}
        for line in answer.headers.get_all("set-cookie") or []:
            name, _, value = line.partition(";")[0].partition("=")
            given[name] = value
        self.cookies.update(given)
        return Answered(
            answer.status, {name.lower(): value for name, value in answer.getheaders()}, given, content
        )

    def csrf(self, path: str = "/") -> str:
        """The value the forms of a page carry."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.ask(path).text)
        assert found, f"{path} has no form"
        return found[1]

    def post(self, path: str, fields: Mapping[str, str] | None = None, **headers: str) -> Answered:
        """Send a form as our pages do."""
        sent = {"csrf": self.csrf(), **(fields or {})}
        headers = {"Content_Type": "application/x-www-form-urlencoded", **headers}
        return self.ask(path, method="POST", body=urlencode(sent), **headers)

    def sign_in(self, role: Role = Role.ACT, name: str = "Anna") -> Answered:
        """Sign in with the token of a role."""
        sent = {"csrf": self.csrf("/sign-in"), "token": TOKENS[role], "name": name, "next": "/"}
        return self.ask(
            "/sign-in",
            method="POST",
            body=urlencode(sent),
            Content_Type="application/x-www-form-urlencoded",
        )


def web_config(folder: Path, more: str = "", **changes: Any) -> Config:
    """A Config with a token for each role."""
    config = load_config(settings(folder, more), {})
    tokens = tuple(Access("", role, token) for role, token in TOKENS.items())
    return replace(config, web=replace(config.web, **{"tokens": tokens, **changes}))


@contextmanager
def served(
    config: Config,
    store: Store,
    now: datetime | None = None,
    *,
    index: bool = True,
    door: Any = None,
    news: Callable[[], None] = lambda: None,
) -> Iterator[int]:
    """The dashboard on a free port of 127.0.0.1; answers the port."""
    from datetime import UTC

    app = make_app(config, store, lambda: now or datetime.now(UTC), index=index, door=door, news=news)
    with listen("127.0.0.1", 0) as listening:
        server = uvicorn.Server(
            uvicorn.Config(
                app, log_config=None, proxy_headers=False, server_header=False, timeout_graceful_shutdown=2
            )
        )
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 20
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        assert server.started
        try:
            yield int(listening.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()
