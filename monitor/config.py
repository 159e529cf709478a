"""lowstar.toml and the environment → one frozen Config; a mistake names file, key, found and allowed.

`load_config` reads everything before it complains: ConfigError carries all mistakes, one line each. Lists are
counted from 1 in messages. Secrets come from the environment (`monitor.config_secrets`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monitor import config_cases as answering
from monitor import config_ops as operating
from monitor import config_sections as sections
from monitor.config_analyser import read_analyser
from monitor.config_apis import read_keys
from monitor.config_check import Table, redact_line
from monitor.config_digest import DigestPlan, read_digest
from monitor.config_named import read_named
from monitor.config_secrets import read_secrets, without_secrets
from monitor.config_shape import Alerts, Config, ConfigError, Crawl, Reddit, Slack, Source
from monitor.config_subscriptions import read_subscriptions
from monitor.config_web import read_web
from storage.records import clean_line

__all__ = [
    "Alerts",
    "Config",
    "ConfigError",
    "Crawl",
    "DigestPlan",
    "Reddit",
    "Slack",
    "Source",
    "config_path",
    "load_config",
    "read_config",
]

FILE_MAX = 4 * 1024 * 1024  # bytes; no configuration written by a person comes near it


def config_path(path: Path | None, environ: Mapping[str, str]) -> Path:
    """Which file is read: the one given, else LOWSTAR_CONFIG, else ./lowstar.toml."""
    return path or Path(environ.get("LOWSTAR_CONFIG") or "lowstar.toml")


def load_config(path: Path | None, environ: Mapping[str, str]) -> Config:
    """What lowstar was told, checked. `path` defaults to LOWSTAR_CONFIG, else ./lowstar.toml.

    Raises ConfigError with every mistake, one line each, and never anything else, whatever the file holds.
    """
    path = config_path(path, environ)
    try:
        document = _read_toml(path)
        return read_config(document, path, environ)
    except RecursionError:
        raise ConfigError(
            [f"{path}: nested too deeply; allowed: tables as lowstar init writes them"]
        ) from None


def read_config(document: Mapping[str, Any], path: Path, environ: Mapping[str, str]) -> Config:
    """The Config that `document`, read from `path`, stands for. Raises ConfigError as `load_config` does."""
    in_file: list[str] = []
    outside: list[str] = []  # mistakes of the environment
    warnings: list[str] = []
    folder = path.parent
    secrets = read_secrets(environ, folder, outside)
    keys = read_keys(environ, folder, outside)
    top = Table(without_secrets(document, in_file), "", in_file)

    timezone = sections.read_timezone(top)
    store_url = sections.read_store_url(top.table("store"), secrets, folder, outside)
    brands, brand_names = sections.read_brands(top, warnings)
    sources, source_names = sections.read_sources(top, brand_names, warnings)
    slack = sections.read_slack(top.table("slack"), secrets)
    keys |= read_named(environ, folder, sources, outside)
    brand_check = sections.known(brand_names, "brand")
    people = answering.read_people(top)
    sla = answering.read_sla(top.table("sla"), timezone, brand_check)
    routes = sections.read_routes(top, slack, brand_names, source_names, warnings, sla, timezone)
    steps = answering.read_escalation(top, people, brand_check)
    follow_up = answering.read_follow_up(top, brand_check)
    playbooks = answering.read_playbooks(top, brand_check)
    customers = answering.read_customers_file(top.table("customers"), folder)
    reddit = sections.read_reddit(top.table("reddit"), secrets)
    alerts = sections.read_alerts(top.table("alerts"), slack)
    triage = sections.read_triage(top.table("triage"))
    analyser = read_analyser(top.table("analyser"), environ, folder, outside)
    crawl = sections.read_crawl(top.table("crawl"))
    storms = operating.read_storms(top.table("storms"))
    spikes = operating.read_spikes(top.table("spikes"))
    learning = operating.read_learning(top.table("learning"))
    ops = operating.read_ops(
        top.table("ops"), sections.ROADS, sections.CHANNEL_CHECKS, next(iter(routes), None)
    )
    email = operating.read_email(mail := top.table("email"), environ, folder, outside)
    operating.check_second_roads(mail, routes, email)
    heartbeat = operating.read_heartbeat(top.table("heartbeat"), environ, folder, outside)
    subscriptions = read_subscriptions(top, brand_check, environ, folder, outside)
    web = read_web(top.table("web"), environ, folder, outside)
    digest = read_digest(
        top.table("digest"),
        sections.channel_problem if slack.token else None,
        sections.known(brand_names, "brand"),
    )
    if digest.email and email is None and not mail.given("host"):
        mail.missing("host", "the mail server that the digest's mail goes through")
    top.close()

    problems = [redact_line(clean_line(f"{path}: {line}", 2_000)) for line in in_file]
    problems += [redact_line(clean_line(line, 2_000)) for line in outside]
    if problems:
        raise ConfigError(problems)
    return Config(
        path=path.absolute(),
        brands=brands,
        sources=sources,
        routes=routes,
        store_url=store_url,
        timezone=timezone,
        policy=answering.policy_of(
            sla,
            people,
            steps,
            follow_up,
            routes,
            buttons=bool(slack.token and (slack.app_token or slack.signing_secret)),
        ),
        playbooks=playbooks,
        customers=customers,
        slack=slack,
        reddit=reddit,
        alerts=alerts,
        triage=triage,
        analyser=analyser,
        crawl=crawl,
        web=web,
        digest=digest,
        storms=storms,
        spikes=spikes,
        learning=learning,
        ops=ops,
        email=email,
        heartbeat=heartbeat,
        subscriptions=subscriptions,
        keys=keys,
        warnings=tuple(clean_line(f"{path}: {line}", 2_000) for line in warnings),
    )


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            content = stream.read(FILE_MAX + 1)
    except FileNotFoundError:
        raise ConfigError([f'{path}: there is no such file; "lowstar init" writes one']) from None
    except (OSError, ValueError) as error:
        raise ConfigError([f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}"]) from None
    if len(content) > FILE_MAX:
        raise ConfigError([f"{path}: larger than {FILE_MAX // 1024**2} MiB; is it the right file?"])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError([f"{path}: line {line}: not UTF-8 text; save the file as UTF-8"]) from None
    try:
        return tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, and numbers too long for Python
        raise ConfigError([redact_line(clean_line(f"{path}: {_syntax(str(error), text)}"))]) from None


def _syntax(said: str, text: str) -> str:
    place = re.search(r" \(at (?:line ([0-9]+), column ([0-9]+)|end of document)\)$", said)
    if place is None:
        return f"not TOML: {said}"
    line, column = place[1] or text.count("\n") + 1, place[2] or len(text) - text.rfind("\n")
    return f"line {line}, column {column}: not TOML: {said[: place.start()]}"
