"""`lowstar serve`: the dashboard, its API, its feeds and its metrics, on this machine unless it is told otherwise."""

from __future__ import annotations

import importlib
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from monitor.commands import FAILED, FINE, App, pass_app

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.web.hooks import Door
    from storage.store import Store

GRACE = 5  # seconds open requests get when it ends


@click.command(short_help="Serve the dashboard, its API and its feeds.")
@click.option(
    "--bind", metavar="ADDRESS", help="Listen on this address; default [web] bind, this machine only."
)
@click.option("--port", type=click.IntRange(0, 65_535), help="Listen on this port; 0: any that is free.")
@pass_app
def command(app: App, bind: str | None, port: int | None) -> int:
    """Serve the dashboard: what has to be answered, worst first, for everybody without Slack.

    Without LOWSTAR_WEB_TOKEN a token is made for this time and printed as a link. Any address but this
    machine's own needs a token or a reverse proxy ([web] proxy_header). Ctrl-C ends it.
    """
    from dataclasses import replace

    from monitor.config_web import Access, Role

    try:
        import jinja2  # noqa: F401 - asked for here, so that a missing package is said and not raised
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError:
        raise click.ClickException(
            "The dashboard needs some more packages: pip install 'lowstar[web]'"
        ) from None

    config = app.config()
    web = replace(config.web, bind=bind or config.web.bind, port=config.web.port if port is None else port)
    if problem := exposed(web):
        raise click.UsageError(problem)
    made = ""
    if not web.tokens and not web.proxy_header:
        made = secrets.token_urlsafe(24)
        web = replace(web, tokens=(Access("", Role.ADMIN, made),))
    return serve(replace(config, web=web), made, quiet=app.verbosity < 0, chatty=app.verbosity > 0)


def exposed(web: Any) -> str:
    """Why this must not be served like that; "" where it may."""
    if web.loopback or web.tokens or web.proxy_header:
        return ""
    return (
        f"{web.bind} can be reached from other machines, and nobody would have to sign in. Set LOWSTAR_WEB_TOKEN"
        " (or LOWSTAR_WEB_TOKEN_FILE), or [web] proxy_header where a reverse proxy signs people in"
    )


def serve(config: Config, token: str, *, quiet: bool = False, chatty: bool = False) -> int:
    """Serve until somebody ends it; `token` is the one made for this time, "" where none was."""
    import uvicorn

    from monitor.web.app import make_app
    from storage.store import open_store

    web = config.web
    try:
        listening = listen(web.bind, web.port)
    except OSError as error:
        raise click.ClickException(
            f"cannot listen on {web.bind} port {web.port}: {error.strerror or error};"
            " --port chooses another, 0 any that is free"
        ) from None
    with listening, open_store(config.store_url) as store, at_hand(config, store) as (door, news):
        application = make_app(config, store, _now, door=door, news=news)
        if not quiet:
            address = f"http://{_host(web.bind)}:{listening.getsockname()[1]}/"
            click.echo(f"The dashboard is at {web.url or address}")
            if door is not None:
                click.echo(f"Webhooks come in at {web.url or address.rstrip('/')}/api/v1/hooks/SOURCE")
            if token:
                # Behind the #: it never leaves the browser as part of an address, and stands in no log.
                click.echo(f"Sign in for this time: {address}sign-in#{token}")
            if not web.loopback and not web.url.startswith("https:"):
                click.echo("It is served without TLS: put a reverse proxy with https in front.", err=True)
        server = uvicorn.Server(
            uvicorn.Config(
                application,
                log_config=None,  # lowstar's own log, with its redaction
                # An address with a token in it must not stand in a log.
                access_log=chatty and not any(one.options.get("token_in_url") for one in config.sources),
                server_header=False,
                proxy_headers=False,  # monitor.web.security decides whom to believe
                limit_concurrency=200,
                timeout_keep_alive=15,
                timeout_graceful_shutdown=GRACE,
                h11_max_incomplete_event_size=65_536,
            )
        )
        server.run(sockets=[listening])
        return FINE if server.started else FAILED


@contextmanager
def at_hand(config: Config, store: Store) -> Iterator[tuple[Door | None, Callable[[], None]]]:
    """What takes in webhooks (None where no source of lowstar.toml is one), and whom to tell that there is something to
    deliver: a courier, where there is a road from here."""
    sent_to = any(source.kind == "webhook" for source in config.sources)
    if not sent_to and not may_deliver(config):
        yield None, lambda: None
        return
    from monitor.courier import Courier

    courier = Courier(config, store, _now)
    courier.start()
    try:
        if not sent_to:
            yield None, courier.news
            return
        # Spiders are started by name: the layers below must not know them.
        hooks: Any = importlib.import_module("spiders.webhook")
        yield hooks.Hooks(config, store, _now, news=courier.news), courier.news
    finally:
        courier.stop()


def may_deliver(config: Config) -> bool:
    """Does a road lead from here to people or programs? The terminal of a server is none."""
    from monitor.roads import road_names

    return any(name != "console" for name in road_names(config))


def _now() -> datetime:
    return datetime.now(UTC)


def listen(bind: str, port: int) -> socket.socket:
    """A listening socket; bound here, so that the real port is known before anything is said."""
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    # Named, not left at 0: only then does asyncio send without waiting for the other side to acknowledge (40 ms).
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((bind, port))
        made.listen(128)  # from here on a click waits for the first page instead of failing
        made.set_inheritable(False)
    except OSError:
        made.close()
        raise
    return made


def _host(bind: str) -> str:
    if bind in ("0.0.0.0", "::"):  # noqa: S104 - shown, not listened on
        return "127.0.0.1"
    return f"[{bind}]" if ":" in bind else bind
