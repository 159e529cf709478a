"""What does each table of lowstar.toml say? One function a table; mistakes are noted, defaults go on."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from alerts.email import address_problem
from alerts.routing import Route
from monitor.config_cases import Sla, calendar_problem, read_respond_within, zone_problem
from monitor.config_check import Table, did_you_mean, duration_text, shown
from monitor.config_kinds import KINDS, read_urls
from monitor.config_ops import EMAIL, email_problem, quiet_of, quiet_problem
from monitor.config_secrets import SLACK_TOKEN, SLACK_WEBHOOK_URL, STORE_URL, Secrets, safe_url_problem
from monitor.config_shape import Alerts, Crawl, Reddit, Slack, Source
from monitor.match import Brand
from monitor.triage import Thresholds
from storage.records import Priority

NAME_MAX = 64  # characters of a brand's or source's name: it stands in lists, cards and keys
STORE_ALLOWED = '"sqlite:///lowstar.db" or "postgresql://HOST/NAME"'

_SOURCE = Source(name="", kind="")  # for its defaults
_CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{6,20}")
_HOST = re.compile(r"[a-z0-9._-]{1,253}(:[0-9]{1,5})?|\[?[0-9a-f:]{2,45}\]?(:[0-9]{1,5})?")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?")


def read_timezone(top: Table) -> str:
    return top.text("timezone", "UTC", allowed='a zone such as "Europe/Berlin"', check=zone_problem)


def read_store_url(table: Table, secrets: Secrets, folder: Path, outside: list[str]) -> str:
    url = table.text("url", "sqlite:///lowstar.db", allowed=STORE_ALLOWED, check=_store_problem)
    try:
        password = urlsplit(url).password if not url.startswith("sqlite:") else None
    except ValueError:
        password = None
    if password:
        table.wrong(
            "url", f"a password does not belong into this file; put the whole address into {STORE_URL}"
        )
    table.close()
    if secrets.store_url:
        problem = _store_problem(secrets.store_url)
        if problem:
            outside.append(f"{STORE_URL}: its value is not shown; allowed: {problem}")
        url = secrets.store_url
    return _absolute(url, folder)


def _store_problem(url: str) -> str:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return STORE_ALLOWED
    if parts.scheme == "sqlite":
        return (
            "" if url.startswith("sqlite:///") and len(url) > 10 and ":memory:" not in url else STORE_ALLOWED
        )
    if parts.scheme in ("postgresql", "postgresql+psycopg"):
        return "" if len(parts.path) > 1 else STORE_ALLOWED
    return STORE_ALLOWED


def _absolute(url: str, folder: Path) -> str:
    # Cron starts in the home folder: a relative database would silently be another one there.
    if not url.startswith("sqlite:///"):
        return url
    path = Path(url.removeprefix("sqlite:///"))
    return f"sqlite:///{path if path.is_absolute() else folder.absolute() / path}"


def _language_problem(code: str) -> str:
    return "" if _LANGUAGE.fullmatch(code) else 'a language code such as "en" or "de"'


def _name_problem(name: str) -> str:
    return "" if len(name) <= NAME_MAX else f"a name of at most {NAME_MAX} characters"


def read_brands(top: Table, warnings: list[str]) -> tuple[tuple[Brand, ...], set[str] | None]:
    """The brands, and the names that may be referred to; None where a name could not be read."""
    brands: list[Brand] = []
    names: set[str] = set()
    all_read = top.raw("brands") is not None
    if not top.values.get("brands"):
        top.missing("brands", "at least one [[brands]] with a name")
        return (), None
    for table in top.tables("brands"):
        name = table.text("name", required=True, allowed="the brand's name", check=_name_problem)
        table.who = f"brand {shown(name)}" if name else ""
        if name and name in names:
            table.found("name", name, "each name once")
        all_read = all_read and bool(name)
        names.add(name)
        terms = table.texts("terms", allowed='a list of spellings: ["Acme", "acme.com"]', empty=False)
        brand = Brand(
            name=name,
            terms=terms or (name,),
            not_terms=table.texts("not", allowed='a list of phrases: ["acme of perfection"]'),
            near=table.texts("near", allowed='a list of words: ["shop", "order"]'),
            rivals=table.texts("rivals", allowed="a list of names"),
        )
        table.close()
        for term in brand.terms:
            if not brand.near and len(term) < 3 and term.isascii() and term:
                warnings.append(
                    f"{table.where}.terms: {shown(term)} is short and stands in texts about other things: "
                    'say in "near" which words must stand in the same text'
                )
        brands.append(brand)
    if not isinstance(top.values["brands"], list):
        all_read = False
    return tuple(brands), names if all_read else None


def known(names: set[str] | None, what: str) -> Any:
    """A check that a name is one of `names`; none where they could not all be read, as it might be right."""

    def check(name: str) -> str:
        if names is None or name in names:
            return ""
        near = did_you_mean(name, names)
        words = ", ".join(shown(one) for one in sorted(names)) or "none"
        return f"the name of a {what}: {words}" + (f"; did you mean {shown(near)}?" if near else "")

    return check


def read_sources(
    top: Table, brands: set[str] | None, warnings: list[str]
) -> tuple[tuple[Source, ...], set[str] | None]:
    sources: list[Source] = []
    names: set[str] = set()
    all_read = isinstance(top.values.get("sources", []), list)
    for table in top.tables("sources"):
        name = table.text("name", required=True, allowed="a name of its own", check=_name_problem)
        table.who = f"source {shown(name)}" if name else ""
        if name and name in names:
            table.found("name", name, "each name once")
        all_read = all_read and bool(name)
        names.add(name)
        kind = table.choice("kind", "", tuple(KINDS), required=True)
        fields: dict[str, Any] = {
            "title": table.text("title", _title(name)),
            "every": table.duration("every", _SOURCE.every, "1s", "4w"),
            "about": table.texts("about", allowed="a list of brands' names", check=known(brands, "brand")),
            "backfill": table.choice("backfill", "silent", ("silent", "alert")),
            "max_pages": table.whole("max_pages", _SOURCE.max_pages, 1, 100_000),
            "max_items": table.whole("max_items", _SOURCE.max_items, 0, 1_000_000),
            "retention": table.duration("retention", timedelta(0), "1h", "520w") or None,
            "deadline": table.duration("deadline", _SOURCE.deadline, "1s", "1d"),
            "language": table.text(
                "language",
                check=_language_problem,
            ),
        }
        if kind:  # without it nobody knows which further keys are right
            fields["urls"] = read_urls(table, kind)
            fields["options"] = KINDS[kind].options(table)
            table.close()
        sources.append(Source(name=name, kind=kind, **fields))
    if not sources and all_read:
        warnings.append("sources: there are none, so nothing is collected; add a [[sources]]")
    return tuple(sources), names if all_read else None


def _title(name: str) -> str:
    words = name.replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def read_slack(table: Table, secrets: Secrets) -> Slack:
    usual = Slack()
    timeout = usual.timeout
    if isinstance(table.raw("timeout"), str):
        timeout = table.duration("timeout", timedelta(seconds=timeout), "1s", "5m").total_seconds()
    else:
        timeout = table.number("timeout", timeout, 1, 300)  # seconds, as timeouts are often written
    base_url = table.text("base_url", usual.base_url, check=safe_url_problem)
    slack = Slack(
        token=secrets.slack_token,
        app_token=secrets.slack_app_token,
        webhook_url=secrets.slack_webhook_url,
        signing_secret=secrets.slack_signing_secret,
        channel=table.text("channel", check=channel_problem),
        base_url=base_url if base_url.endswith("/") else base_url + "/",
        timeout=timeout,
        pace=table.duration("pace", usual.pace, "0s", "1h"),
    )
    table.close()
    return slack


def channel_problem(channel: str) -> str:
    """What keeps `channel` from being a Slack channel, "" where nothing does.

    >>> channel_problem("#alerts"), channel_problem("C024BE91L")
    ('', '')
    >>> channel_problem("alerts")
    'a channel such as "#alerts", or its id; did you mean "#alerts"?'
    """
    if _CHANNEL_ID.fullmatch(channel):
        return ""
    name = channel.removeprefix("#")
    # Slack: lower case, at most 80 characters, letters of any script, no spaces, no punctuation but - and _.
    fits = 0 < len(name) <= 80 and all(c.isalnum() or c in "-_" for c in name) and name == name.lower()
    if fits and channel.startswith("#"):
        return ""
    allowed = 'a channel such as "#alerts", or its id'
    return f'{allowed}; did you mean "#{name}"?' if fits else allowed


ROADS = ("slack", "webhook", "console", "email")
CHANNEL_CHECKS: Mapping[str, Callable[[str], str]] = {
    "slack": channel_problem,
    "webhook": _name_problem,
    "console": _name_problem,
    "email": address_problem,
}


def read_routes(
    top: Table,
    slack: Slack,
    brands: set[str] | None,
    sources: set[str] | None,
    warnings: list[str],
    sla: Sla = Sla(),  # noqa: B008 - frozen
    zone: str = "UTC",
) -> tuple[Route, ...]:
    usual = "slack" if slack.token else "webhook" if slack.webhook_url else "console"
    routes: list[Route] = []
    for table in top.tables("routes"):
        notifier = table.choice("notifier", usual, ROADS)
        if notifier == "slack" and not slack.token:
            table.found("notifier", notifier, f'"console", or set {SLACK_TOKEN}')
        if notifier == "webhook" and not slack.webhook_url:
            table.found("notifier", notifier, f'"console", or set {SLACK_WEBHOOK_URL}')
        check = CHANNEL_CHECKS[notifier]
        channel = table.text("channel", allowed='a channel such as "#alerts"', check=check)
        if not channel and not table.given("channel"):
            channel = slack.channel or ("console" if notifier == "console" else "")
            if not channel:
                table.missing("channel", 'a channel such as "#alerts", here or as slack.channel')
        priority = table.choice("priority", "high", tuple(one.word for one in Priority))
        within, sooner = read_respond_within(table, sla.respond_within, sla.respond_sooner)
        routes.append(
            Route(
                channel=channel,
                notifier=notifier,
                priority=Priority[priority.upper()],
                brands=table.texts("brands", allowed="a list of brands' names", check=known(brands, "brand")),
                sources=table.texts(
                    "sources", allowed="a list of sources' names", check=known(sources, "source")
                ),
                topics=table.texts("topics", allowed='a list of topics: ["payment", "delivery"]'),
                languages=tuple(
                    code.lower()
                    for code in table.texts(
                        "languages", allowed='a list: ["en", "de"]', check=_language_problem
                    )
                ),
                places=table.texts("places", allowed='a list of places or products: ["Leeds"]'),
                also=table.flag("also", False),
                quiet=quiet_of(table.text("quiet", check=quiet_problem), zone),
                urgent_override=table.flag("urgent_override", True),
                respond_within=within,
                respond_sooner=sooner,
                calendar=table.text("calendar", check=calendar_problem(sla.calendars)),
                fallback=table.text("fallback", check=partial(_fallback_problem, check)),
            )
        )
        table.close()
    if routes or top.given("routes"):
        return tuple(routes)
    if slack.token and not slack.channel:
        warnings.append(
            "slack.channel: missing, though a Slack token is set; until then alerts go to the console"
        )
        usual = "console"
    return (
        Route(
            channel=slack.channel or "console",
            notifier=usual,
            priority=Priority.HIGH,
            respond_within=sla.respond_within,
            respond_sooner=sla.respond_sooner,
        ),
    )


def _fallback_problem(check: Callable[[str], str], fallback: str) -> str:
    return email_problem(fallback) if fallback.startswith(EMAIL) else check(fallback)


def read_reddit(table: Table, secrets: Secrets) -> Reddit:
    usual = Reddit()
    reddit = Reddit(
        client_id=secrets.reddit_client_id,
        client_secret=secrets.reddit_client_secret,
        feed_url=secrets.reddit_feed_url,
        user_agent=table.text("user_agent"),
        reddit_url=table.text("reddit_url", usual.reddit_url, check=safe_url_problem),
        oauth_url=table.text("oauth_url", usual.oauth_url, check=safe_url_problem),
    )
    table.close()
    return reddit


def read_alerts(table: Table, slack: Slack) -> Alerts:
    usual = Alerts()
    alerts = Alerts(
        max_age=table.duration("max_age", usual.max_age, "1h", "520w"),
        reconcile_after=table.duration("reconcile_after", usual.reconcile_after, "1s", "1d"),
    )
    table.close()
    if alerts.reconcile_after.total_seconds() <= slack.timeout:
        # A message still on its way would be looked for, not found, and sent again.
        waits, found = duration_text(timedelta(seconds=slack.timeout)), duration_text(alerts.reconcile_after)
        table.wrong(
            "reconcile_after",
            f'found "{found}"; allowed: longer than slack.timeout ("{waits}")',
        )
    return alerts


def read_triage(table: Table) -> Thresholds:
    usual = Thresholds()
    before = len(table.problems)
    lines = Thresholds(
        urgent_stars=table.number("urgent_stars", usual.urgent_stars, 0, 5),
        high_stars=table.number("high_stars", usual.high_stars, 0, 5),
        normal_stars=table.number("normal_stars", usual.normal_stars, 0, 5),
        negative=table.number("negative", usual.negative, 0, 1),
        high=table.number("high", usual.high, 0, 1),
        viral_reach=table.whole("viral_reach", usual.viral_reach, 1, 10**12),
    )
    table.close()
    if len(table.problems) == before:  # one mistake is one line: no second one for what follows from it
        if not lines.urgent_stars <= lines.high_stars <= lines.normal_stars:
            table.wrong(
                "urgent_stars", "allowed: urgent_stars at most high_stars, high_stars at most normal_stars"
            )
        if lines.high < lines.negative:
            table.found("high", lines.high, f"at least negative ({lines.negative:g})")
    return lines


def read_crawl(table: Table) -> Crawl:
    def host_problem(host: str) -> str:
        return "" if _HOST.fullmatch(host.lower()) else 'a host without scheme or path: "shop.internal"'

    def contact_problem(contact: str) -> str:
        return "" if len(contact) <= 200 and contact.isascii() else "a web page or e-mail address"

    crawl = Crawl(
        contact=table.text("contact", check=contact_problem),
        delay=table.duration("delay", Crawl().delay, "0s", "10m"),
        allow_hosts=tuple(
            host.lower() for host in table.texts("allow_hosts", allowed="a list of hosts", check=host_problem)
        ),
        obey_robots=table.flag("obey_robots", True),
    )
    table.close()
    return crawl
