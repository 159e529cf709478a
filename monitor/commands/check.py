"""What works, what does not, and what to do about it? Configuration, database, roads to people, sources."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.commands import FAILED, FINE, WRONG_USAGE, App, pass_app, sqlite_path
from monitor.config_apis import missing_key
from monitor.config_kinds import LISTENED
from monitor.config_named import missing_secret

if TYPE_CHECKING:
    from monitor.config import Config, Source
    from storage.learned import Model
    from storage.records import CrawlRun, Mention, Removal, Tally

WORKS, OFF, MIND, WRONG = "works", "off", "mind", "WRONG"
LIVE_DEADLINE = timedelta(seconds=60)  # for one page of one source
# Checks that need to know how pages are read: by name, as the layers below must not know spiders.
OPTION_CHECKS = {"selectors": "spiders.selectors:check_options"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str  # "database", "route #alerts", "source shop"
    state: str
    said: str
    advice: str = ""


@click.command(short_help="Say what works, what does not, and what to do about it.")
@click.option(
    "--live", is_flag=True, help="Ask Slack and read one page of each source; nothing is kept or sent."
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@pass_app
def command(app: App, live: bool, as_json: bool) -> int:
    """Check configuration, database, Slack and each source.

    \b
    Exit codes: 0 all works or is switched off; 1 something is wrong; 2 lowstar.toml is.
    """
    from monitor import view
    from monitor.config import ConfigError

    try:
        config = app.config()
    except ConfigError as error:
        if not as_json:
            raise
        view.print_json({"ok": False, "problems": error.problems, "checks": []})
        return WRONG_USAGE
    now = datetime.now(UTC)
    findings = [*check_configuration(config), *check_database(config), *check_answering(config)]
    findings += check_analyser(config)
    findings += [*check_roads(config, live=live), *check_sources(config, now, live=live)]
    wrong = [one for one in findings if one.state == WRONG]
    if as_json:
        view.print_json(
            {
                "ok": not wrong,
                "problems": [f"{one.what}: {one.said}" for one in wrong],
                "checks": [
                    {"what": one.what, "state": one.state.lower(), "said": one.said, "advice": one.advice}
                    for one in findings
                ],
            }
        )
    else:
        _print(findings, live=live)
    return FAILED if wrong else FINE


def check_configuration(config: Config) -> Iterator[Finding]:
    """What lowstar.toml says; that it is right was settled when it was loaded."""
    counted = ", ".join(
        f"{len(things)} {word}{'s' * (len(things) != 1)}"
        for word, things in (("brand", config.brands), ("source", config.sources), ("route", config.routes))
    )
    yield Finding("configuration", WORKS, f"{config.path}: {counted}")
    for warning in config.warnings:
        yield Finding("configuration", MIND, warning)


def check_database(config: Config) -> Iterator[Finding]:
    """Whether the database opens, can be written and has the tables this version knows. Makes none."""
    from storage.errors import OlderSchema, StoreError
    from storage.migrations import HEAD
    from storage.store import open_store

    path = sqlite_path(config.store_url)
    if path is not None and not path.exists():
        yield _absent(path)
        return
    try:
        with open_store(config.store_url, migrate=False) as store, store.transaction() as ledger:
            model = ledger.model_in_force()
            yield Finding("database", WORKS, f"{store.name}: opens, can be written, revision {HEAD}")
        if model is not None:
            yield _learned(model)
    except OlderSchema as error:
        yield Finding("database", MIND, str(error))
    except StoreError as error:
        yield Finding("database", WRONG, str(error), "without it nothing is kept and nobody is told")


def _learned(model: Model) -> Finding:
    """What was learned from the team and is in use, and whether it still fits this version's networks."""
    from monitor.learning import OUTDATED, outdated

    what = f"version {model.id} is in use"
    if outdated(model.found):
        return Finding("learned from the team", MIND, f"{what}; {OUTDATED}", "lowstar learn --adopt")
    return Finding("learned from the team", WORKS, what)


def _absent(path: Path) -> Finding:
    folder = path.parent
    if not folder.is_dir():
        return Finding("database", WRONG, f"{path}: the folder {folder} does not exist", f"mkdir -p {folder}")
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding(
            "database", WRONG, f"{path}: {folder} cannot be written", "mend its rights, or move it"
        )
    return Finding("database", WORKS, f"{path}: not there yet; the first run makes it")


def check_analyser(config: Config) -> Iterator[Finding]:
    """Can the second analyser be made, and does it read? One sentence of our own is asked of it."""
    if not config.analyser.call:
        return
    from monitor.analysers import AnalyserError, load

    what = f"analyser {config.analyser.call}"
    advice = "lowstar's own reading stands meanwhile; docs/learning.md says what an analyser is"
    try:
        said = load(config.analyser)("I have waited three weeks for my refund and nobody answers.")
        yield Finding(
            what, WORKS, f"asked about what is {config.analyser.ask}; reads a complaint as {said.label}"
        )
    except AnalyserError as error:
        yield Finding(what, WRONG, str(error), advice)
    except Exception as error:  # anybody's code
        yield Finding(what, WRONG, f"it fell over: {type(error).__name__}: {error}", advice)


def check_answering(config: Config) -> Iterator[Finding]:
    """Whether playbooks and the customers' table say what they are meant to."""
    from alerts.customers import read_customers
    from alerts.playbooks import lint, uncovered

    if config.customers is not None:
        read = read_customers(config.customers)
        for problem in read.problems:
            yield Finding("customers", MIND, problem, "the other rows are used")
        if len(read.customers) or not read.problems:
            yield Finding("customers", WORKS, f"{config.customers}: {len(read.customers)} customers")
    if not config.playbooks:
        return
    from monitor.lexicon.topics import TOPICS

    known = [*TOPICS, *(topic.name for topic in config.digest.topics)]
    faults = list(lint(config.playbooks, known))
    for fault in faults:
        yield Finding("playbooks", MIND, fault)
    missing = uncovered(config.playbooks, _recent_topics(config))
    if missing and all(one.topics for one in config.playbooks):
        said = ", ".join(f"{topic} ({brand}, {count} cases)" for brand, topic, count in missing[:5])
        advice = "add them, or one playbook without topics for all the rest"
        yield Finding("playbooks", MIND, f"there is none for what people complain of: {said}", advice)
    if not faults:
        count = len(config.playbooks)
        yield Finding("playbooks", WORKS, f"{count} playbook{'s' * (count != 1)}")


def _recent_topics(config: Config) -> list[tuple[str, tuple[str, ...]]]:
    """What recent cases were about; nothing where the database cannot say, which has been reported."""
    from storage.errors import StoreError
    from storage.store import open_store

    path = sqlite_path(config.store_url)
    if path is not None and not path.exists():
        return []
    try:
        with open_store(config.store_url, migrate=False) as store, store.reading() as ledger:
            return ledger.recent_topics()
    except StoreError:
        return []


def check_roads(config: Config, *, live: bool) -> Iterator[Finding]:
    """Whether alerts reach the channels of the routes."""
    used = {route.notifier for route in config.routes}
    if config.slack.channel and not (config.slack.token or config.slack.webhook_url):
        yield Finding(
            "Slack", OFF, "no key is set: alerts go to the console", "set LOWSTAR_SLACK_TOKEN to a bot token"
        )
    closed: dict[str, str] = {}
    if config.slack.token:
        if live:
            identity, closed = _ask_slack(config)
            yield identity
        else:
            yield Finding("Slack", WORKS, "a token is set; --live asks Slack about it")
    if "webhook" in used:
        yield Finding("Slack", WORKS, "a webhook is set: cards cannot change later, a message may come twice")
    if not config.routes:
        yield Finding("routes", MIND, "there are none: nobody is told of anything", "remove `routes = []`")
    for route in config.routes:
        said = f"{route.priority.word} and worse, by {route.notifier}"
        problem = closed.get(route.channel, "") if route.notifier == "slack" else ""
        state = WRONG if problem else WORKS
        yield Finding(f"route {route.channel}", state, f"{said}: {problem}" if problem else said)


def _ask_slack(config: Config) -> tuple[Finding, dict[str, str]]:
    """What Slack says of the token, and of each channel that is closed to it."""
    from alerts.notifier import NotifyError, TokenRefused
    from alerts.slack import SlackNotifier

    slack = config.slack
    notifier = SlackNotifier(slack.token, base_url=slack.base_url, timeout=slack.timeout)
    closed: dict[str, str] = {}
    try:
        identity = notifier.check()
        if identity.missing:
            missing = ", ".join(identity.missing)
            advice = "add them under OAuth & Permissions and install the app again"
            return Finding("Slack", WRONG, f"the token lacks the scopes {missing}", advice), closed
        if "channels:read" in identity.scopes:
            for route in config.routes:
                for channel in filter(None, (route.channel, route.fallback)):
                    if route.notifier == "slack" and channel not in closed:
                        closed[channel] = notifier.check_channel(channel)
    except TokenRefused as error:
        return Finding(
            "Slack", WRONG, f"the token does not work: {error}", "make a new one, or mend its app"
        ), closed
    except NotifyError as error:
        return Finding(
            "Slack", WRONG, f"it cannot be asked: {error}", "look at the network, try again"
        ), closed
    return Finding("Slack", WORKS, f"{identity.user or 'a bot'} of {identity.team or 'a team'}"), closed


def check_sources(config: Config, now: datetime, *, live: bool) -> Iterator[Finding]:
    """Whether each source can be read, and when it is due."""
    last = _last_runs(config)
    findings: dict[str, Finding] = {}
    ready: list[Source] = []
    for source in config.sources:
        finding = _source_finding(config, source, last.get(source.name), now)
        findings[source.name] = finding
        asked = source.kind not in LISTENED and not missing_key(source.kind, config.keys)
        if asked and finding.state in (WORKS, MIND):
            ready.append(source)
    if live and ready:
        for source, run in zip(ready, _read_once(config, ready), strict=False):
            findings[source.name] = _live_finding(findings[source.name], run)
    yield from findings.values()


def _source_finding(config: Config, source: Source, last: CrawlRun | None, now: datetime) -> Finding:
    from monitor.view import ago, length

    what = f"source {source.name}"
    keyed = config.reddit.client_id and config.reddit.client_secret
    if source.kind == "reddit" and not keyed and not config.reddit.feed_url:
        advice = (
            "register a script app at https://www.reddit.com/prefs/apps and set LOWSTAR_REDDIT_CLIENT_ID and "
            "LOWSTAR_REDDIT_CLIENT_SECRET; or set LOWSTAR_REDDIT_FEED_URL to your private feed's address, from "
            "https://www.reddit.com/prefs/feeds"
        )
        return Finding(what, OFF, "reddit, switched off: its key is not set", advice)
    missing = missing_key(source.kind, config.keys) or missing_secret(source, config.keys)
    if missing and source.options.get("stream"):
        said = f"{source.kind}: only its stream is heard, by lowstar listen; its crawl has no key"
        return _with_stream(Finding(what, MIND, said, missing), source)
    if missing:
        return Finding(what, OFF, f"{source.kind}, switched off: its key is not set", missing)
    faults = _option_faults(source)
    if faults:
        advice = f"lowstar try {source.urls[0]} shows what they find" if source.urls else ""
        return Finding(what, WRONG, f"{source.kind}: " + "; ".join(faults), advice)
    if source.kind in LISTENED:
        where = f"POST /api/v1/hooks/{source.name}, by lowstar serve or lowstar listen --webhooks"
        return Finding(what, WORKS, f"{source.kind}: {where}")
    due = "due now, never read" if last is None else _due(last.started_at + source.every, now)
    said = f"{source.kind}, every {length(source.every)}, {due}"
    if source.options.get("stream"):
        said += "; its stream is heard by lowstar listen"
    if last is not None and last.outcome == "failed":
        said += f"; its run {ago(last.started_at, now)} failed: {last.reason}"
        return _with_stream(Finding(what, MIND, said), source)
    return _with_stream(Finding(what, WORKS, said), source)


def _with_stream(finding: Finding, source: Source) -> Finding:
    """What its stream lacks, where that can be seen from here."""
    if not source.options.get("stream") or source.kind != "bluesky" or find_spec("websockets") is not None:
        return finding
    said = f"{finding.said}; its stream needs one more package"
    return Finding(finding.what, WRONG, said, "pip install 'lowstar[streams]'")


def _due(by: datetime, now: datetime) -> str:
    from monitor.view import length

    return "due now" if by <= now else f"due in {length(by - now)}"


def _option_faults(source: Source) -> Sequence[str]:
    if source.kind not in OPTION_CHECKS or not source.options:
        return ()
    module, _, name = OPTION_CHECKS[source.kind].partition(":")
    try:
        check = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        return (f"the module that reads it is not installed ({error.name})",)
    return [str(fault) for fault in check(source.options)]


def _last_runs(config: Config) -> dict[str, CrawlRun]:
    """The latest run of each source; none where the database cannot say, which has been reported."""
    from storage.errors import StoreError
    from storage.store import open_store

    path = sqlite_path(config.store_url)
    if path is not None and not path.exists():
        return {}
    try:
        with open_store(config.store_url, migrate=False) as store, store.reading() as ledger:
            return dict(ledger.last_runs())
    except StoreError:
        return {}


def _read_once(config: Config, sources: Sequence[Source]) -> list[CrawlRun]:
    """One page of each source, read by the real spiders; nothing is kept."""
    from storage.records import Tally

    crawl = importlib.import_module("spiders.crawl").crawl

    def sink_for(_source: Source, _run: CrawlRun) -> Any:
        def sink(items: Sequence[Mention | Removal]) -> Tally:
            return Tally(found=len(items))

        return sink

    once = [replace(source, max_pages=1, deadline=min(source.deadline, LIVE_DEADLINE)) for source in sources]
    runs: list[CrawlRun] = crawl(
        config, once, store=None, sink_for=sink_for, clock=lambda: datetime.now(UTC), progress=None
    )
    return runs


def _live_finding(before: Finding, run: CrawlRun) -> Finding:
    outcome = str(run.outcome)
    if outcome == "failed":
        return replace(before, state=WRONG, said=f"{before.said}; it cannot be read: {run.reason}")
    if outcome == "off":
        return replace(before, state=OFF, said=run.reason or before.said)
    if run.found == 0:
        reason = run.reason or "the page was read and holds no mention"
        return replace(before, state=MIND, said=f"{before.said}; nothing found: {reason}")
    return replace(before, said=f"{before.said}; {run.found} mentions on its first page")


def _print(findings: Sequence[Finding], *, live: bool) -> None:
    from rich.text import Text

    from monitor import view

    console = view.console()
    styles = {WORKS: "green", OFF: "dim", MIND: "yellow", WRONG: "bold red"}
    for one in findings:
        said = view.hanging(f"{one.state:<6} ", f"{view.safe(one.what, 80)}: {one.said}", console.width)
        for at, words in enumerate(said):
            line = Text(words)
            if at == 0:
                line.stylize(styles[one.state], 0, 6)
            console.print(line)
        if one.advice:
            for text in view.hanging("       → ", one.advice, console.width):
                console.print(Text(text))
    wrong = sum(one.state == WRONG for one in findings)
    console.print()
    if wrong:
        console.print(Text(f"{wrong} of {len(findings)} wrong.", style="bold red"))
    else:
        console.print(Text("Nothing is wrong." + ("" if live else " --live tries Slack and each source.")))
