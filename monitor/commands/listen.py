"""`lowstar listen`: the daemon. Slack's buttons, windows and commands; deliveries and clocks meanwhile."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import click

from monitor.commands import BUSY, FAILED, FINE, WRONG_USAGE, App, pass_app

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.listening import Daemon
    from monitor.web.hooks import Door
    from storage.store import Store

HOOKS = "/api/v1/hooks/"  # as under `lowstar serve`
STATUS_EVERY = 0.5  # seconds between two looks at whether to stop


def _address(_ctx: click.Context, _param: click.Parameter, given: str | None) -> tuple[str, int] | None:
    if given is None:
        return None
    host, _, port = given.rpartition(":")
    if not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise click.BadParameter("allowed: HOST:PORT, for example 127.0.0.1:3000")
    return (host.strip("[]") or "127.0.0.1", int(port))


@click.command()
@click.option(
    "--http",
    callback=_address,
    metavar="HOST:PORT",
    help="Be called by Slack there instead of connecting to it; needs the signing secret.",
)
@click.option(
    "--webhooks",
    callback=_address,
    metavar="HOST:PORT",
    help="Take in what webhooks send there (docs/webhook.md); --http does so too.",
)
@click.option(
    "--crawl/--no-crawl", default=False, help="Start due crawls too; default: cron does it (lowstar run)."
)
@pass_app
def command(app: App, http: tuple[str, int] | None, webhooks: tuple[str, int] | None, crawl: bool) -> int:
    """Listen to Slack (buttons, windows, /rep), to streams and webhooks. Deliver and let the clocks ring meanwhile.

    Connects to Slack by Socket Mode: no public address is needed. Needs LOWSTAR_SLACK_TOKEN and
    LOWSTAR_SLACK_APP_TOKEN; with --http LOWSTAR_SLACK_SIGNING_SECRET instead of the latter; neither where there
    are streams, --webhooks or --crawl. Ends cleanly within ten seconds on SIGTERM or Ctrl-C.

    \b
    Exit codes: 0 ended as asked; 1 Slack refused the token; 2 wrong usage or configuration;
    75 another one listens already.
    """
    from alerts.notifier import TokenRefused
    from alerts.redact import redact
    from monitor.commands.run import stop_on_signal
    from monitor.listening import Daemon, crawl_command
    from monitor.roads import notifiers_for
    from storage.errors import Busy
    from storage.store import open_store

    config = app.config()
    buttons = http is not None or _talks(config)
    if problem := _missing(config, http, webhooks is not None, crawl):
        click.echo(problem, err=True)
        return WRONG_USAGE
    with open_store(config.store_url) as store:
        try:
            with store.run_lock("listen"), stop_on_signal() as stop:
                daemon = Daemon(
                    config=config,
                    store=store,
                    notifiers=lambda: notifiers_for(config),
                    stop=stop,
                    crawl=crawl_command(config.path, app.verbosity) if crawl else (),
                )
                door = _door(config, store, daemon) if http or webhooks else None
                streams = _streams(config, store, daemon)
                servers: list[InteractionServer] = []
                try:
                    if http is not None:
                        servers.append(_server(config, daemon.desk, http, door))
                        _say(app, f"Listening at {servers[-1].url}")
                    if webhooks is not None and webhooks != http:
                        servers.append(_server(config, None, webhooks, door))
                        _say(app, f"Webhooks come in at {servers[-1].base}{HOOKS}SOURCE")
                    if any(address and not _is_here(address[0]) for address in (http, webhooks)):
                        _say(app, "It is served without TLS: put a reverse proxy with https in front.")
                    if door is not None:
                        door.start()
                    for server in servers:
                        server.start()
                    if streams is not None:
                        streams.start()
                    daemon.start(socket=http is None and buttons)
                    if http is None and buttons and not stop.is_set():
                        _say(app, "Connected to Slack, listening.")
                    while not stop.wait(STATUS_EVERY):
                        pass
                except TokenRefused as error:
                    click.echo(f"Slack refused the token: {redact(str(error))}", err=True)
                    return FAILED
                finally:
                    for server in servers:
                        server.stop()
                    if door is not None:
                        door.stop()
                    if streams is not None:
                        streams.stop(3.0)
                    daemon.close()
        except Busy:
            click.echo("Another process listens already; nothing done.", err=True)
            return BUSY
    _say(app, "Stopped.")
    return FINE


def _is_here(host: str) -> bool:
    """True where only this machine can reach it."""
    return host == "localhost" or host.startswith("127.") or host == "::1"


def _talks(config: Config) -> bool:
    return bool(config.slack.token and config.slack.app_token)


def _missing(config: Config, http: tuple[str, int] | None, webhooks: bool, crawl: bool) -> str:
    """What keeps it from listening, with what to do; "" where nothing does."""
    slack = config.slack
    if webhooks and not any(source.kind == "webhook" for source in config.sources):
        return '--webhooks: no source of lowstar.toml is of the kind "webhook"'
    streams = any(source.options.get("stream") for source in config.sources)
    if (webhooks or streams or crawl) and http is None and not (slack.token and slack.app_token):
        return ""  # there is something to do without Slack
    if not slack.token:
        return "Nobody to listen to: set LOWSTAR_SLACK_TOKEN to the app's bot token (docs/slack.md)"
    if http is not None and not slack.signing_secret:
        return "--http needs LOWSTAR_SLACK_SIGNING_SECRET: the app's page, Basic Information, Signing Secret"
    if http is None and not slack.app_token:
        return (
            "Set LOWSTAR_SLACK_APP_TOKEN to an app-level token with connections:write (docs/slack.md), "
            "or use reactions on the cards, which need no daemon"
        )
    return ""


def _door(config: Config, store: Store, daemon: Daemon) -> Door | None:
    """What takes in webhooks; None where no source of lowstar.toml is one."""
    if not any(source.kind == "webhook" for source in config.sources):
        return None
    # Spiders are started by name: the layers below must not know them.
    hooks: Any = importlib.import_module("spiders.webhook")
    door: Door = hooks.Hooks(config, store, daemon.clock, news=daemon.tell)
    return door


def _streams(config: Config, store: Store, daemon: Daemon) -> Any:
    """What listens to streams; None where no source of lowstar.toml has one."""
    if not any(source.options.get("stream") for source in config.sources):
        return None
    return importlib.import_module("spiders.streams").Streams(config, store, daemon.clock, daemon.tell)


def _server(config: Config, desk: object, address: tuple[str, int], door: Door | None) -> InteractionServer:
    from alerts.http_interactions import Answer, Endpoint, InteractionServer
    from alerts.listen import Desk

    assert desk is None or isinstance(desk, Desk)  # noqa: S101 - told to mypy

    def more(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer | None:
        path, _, query = path.partition("?")
        if door is None or not path.startswith(HOOKS):
            return None
        said = door.answer(method, unquote(path.removeprefix(HOOKS)), query, headers, body)
        return Answer(said.status, said.text, said.kind, said.retry_after)

    try:
        slack = Endpoint(config.slack.signing_secret, desk) if desk is not None else None
        return InteractionServer(slack, *address, more=more if door is not None else None)
    except OSError as error:
        raise click.ClickException(f"cannot listen at {address[0]}:{address[1]}: {error.strerror}") from error


def _say(app: App, words: str) -> None:
    if app.verbosity > 0 or (app.verbosity == 0 and sys.stderr.isatty()):
        click.echo(words, err=True)


if TYPE_CHECKING:
    from alerts.http_interactions import InteractionServer
