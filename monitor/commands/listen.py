"""`lowstar listen`: the daemon. Slack's buttons, windows and commands; deliveries and clocks meanwhile."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from monitor.commands import BUSY, FAILED, FINE, WRONG_USAGE, App, pass_app

if TYPE_CHECKING:
    from monitor.config import Config

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
    "--crawl/--no-crawl", default=False, help="Start due crawls too; default: cron does it (lowstar run)."
)
@pass_app
def command(app: App, http: tuple[str, int] | None, crawl: bool) -> int:
    """Listen to Slack: buttons, windows, /rep. Deliver and let the clocks ring meanwhile.

    Connects to Slack by Socket Mode: no public address is needed. Needs LOWSTAR_SLACK_TOKEN and
    LOWSTAR_SLACK_APP_TOKEN; with --http LOWSTAR_SLACK_SIGNING_SECRET instead of the latter. Ends cleanly
    within ten seconds on SIGTERM or Ctrl-C.

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
    if problem := _missing(config, http):
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
                server = None
                try:
                    if http is not None:
                        server = _server(config, daemon.desk, http)
                        server.start()
                        _say(app, f"Listening at {server.url}")
                    daemon.start(socket=http is None)
                    if http is None and not stop.is_set():
                        _say(app, "Connected to Slack, listening.")
                    while not stop.wait(STATUS_EVERY):
                        pass
                except TokenRefused as error:
                    click.echo(f"Slack refused the token: {redact(str(error))}", err=True)
                    return FAILED
                finally:
                    if server is not None:
                        server.stop()
                    daemon.close()
        except Busy:
            click.echo("Another process listens already; nothing done.", err=True)
            return BUSY
    _say(app, "Stopped.")
    return FINE


def _missing(config: Config, http: tuple[str, int] | None) -> str:
    slack = config.slack
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


def _server(config: Config, desk: object, http: tuple[str, int]) -> InteractionServer:
    from alerts.http_interactions import Endpoint, InteractionServer
    from alerts.listen import Desk

    assert isinstance(desk, Desk)  # noqa: S101 - told to mypy
    try:
        return InteractionServer(Endpoint(config.slack.signing_secret, desk), *http)
    except OSError as error:
        raise click.ClickException(f"cannot listen at {http[0]}:{http[1]}: {error.strerror}") from error


def _say(app: App, words: str) -> None:
    if app.verbosity > 0 or (app.verbosity == 0 and sys.stderr.isatty()):
        click.echo(words, err=True)


if TYPE_CHECKING:
    from alerts.http_interactions import InteractionServer
