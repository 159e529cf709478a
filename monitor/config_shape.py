"""What can lowstar be told? The frozen dataclasses of lowstar.toml, with their defaults.

Import them from `monitor.config`; they stand here so that reading and checking can be files of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from alerts.email import Mailbox
from alerts.ops import OpsRules
from alerts.playbooks import Playbook
from alerts.routing import Route
from alerts.sla import STANDARD, Policy
from alerts.storms import StormRules
from alerts.subscribers import Subscription
from monitor.config_analyser import AnalyserPlan
from monitor.config_digest import DigestPlan
from monitor.config_ops import Heartbeat, LearningRules
from monitor.config_web import Web
from monitor.match import Brand
from monitor.spikes import SpikeRules
from monitor.triage import Thresholds


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One place to listen to. `options` holds what only its kind knows, already checked by kind."""

    name: str
    kind: str  # "reviews", "selectors", "feed", "hackernews", "reddit"
    title: str = ""  # how people call the site; default made from the name
    urls: tuple[str, ...] = ()
    every: timedelta = timedelta(hours=1)
    about: tuple[str, ...] = ()  # brands its pages are about, so that no term has to match
    backfill: str = "silent"  # first run: "silent" files without alerts, "alert" treats all as news
    max_pages: int = 50
    max_items: int = 0  # mentions taken of one run, as a sample; 0: all
    retention: timedelta | None = None  # how long its words are kept; None: as its terms say, else for good
    deadline: timedelta = timedelta(minutes=10)
    language: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slack:
    """How Slack is reached; secrets come from the environment or a file, never from lowstar.toml."""

    token: str = field(default="", repr=False)
    app_token: str = field(default="", repr=False)
    webhook_url: str = field(default="", repr=False)
    signing_secret: str = field(default="", repr=False)  # of Slack's requests, for `listen --http`
    channel: str = ""  # where alerts go unless a route says otherwise
    base_url: str = "https://slack.com/api/"
    timeout: float = 30.0
    pace: timedelta = timedelta(seconds=1)  # least time between two messages to one channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerts:
    """What becomes news."""

    max_age: timedelta = timedelta(
        days=30
    )  # posted longer ago than this when first seen: filed, not announced
    reconcile_after: timedelta = timedelta(seconds=60)  # must be longer than slack.timeout


@dataclass(frozen=True, slots=True, kw_only=True)
class Reddit:
    """Reddit's API credentials, from the environment or files."""

    client_id: str = field(default="", repr=False)
    client_secret: str = field(default="", repr=False)
    feed_url: str = field(default="", repr=False)  # one of the account's private feeds: its token is a secret
    user_agent: str = ""
    reddit_url: str = "https://www.reddit.com"
    oauth_url: str = "https://oauth.reddit.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Crawl:
    """Manners."""

    contact: str = ""  # a web page or address put into the User-Agent, so that a site can reach us
    delay: timedelta = timedelta(seconds=1)  # between two requests to one host
    allow_hosts: tuple[str, ...] = ()  # hosts of one's own that may have private addresses
    obey_robots: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All that lowstar was told, checked."""

    path: Path
    brands: tuple[Brand, ...]
    sources: tuple[Source, ...]
    routes: tuple[Route, ...]
    store_url: str = field(default="sqlite:///lowstar.db", repr=False)  # may hold a password
    timezone: str = "UTC"  # the zone times are shown in
    slack: Slack = Slack()
    reddit: Reddit = Reddit()
    alerts: Alerts = Alerts()
    triage: Thresholds = field(default_factory=Thresholds)
    analyser: AnalyserPlan = field(default_factory=AnalyserPlan)  # beside lowstar's own
    crawl: Crawl = Crawl()
    web: Web = field(default_factory=Web)
    policy: Policy = STANDARD  # hours, people, escalation; `monitor.runner.policy_for` adds the customers
    playbooks: tuple[Playbook, ...] = ()
    customers: Path | None = None  # the exported table of customers
    digest: DigestPlan = field(default_factory=DigestPlan)
    storms: StormRules = field(default_factory=StormRules)
    spikes: SpikeRules = field(default_factory=SpikeRules)
    learning: LearningRules = field(default_factory=LearningRules)
    ops: OpsRules = field(default_factory=OpsRules)
    email: Mailbox | None = None
    heartbeat: Heartbeat = field(default_factory=Heartbeat)
    subscriptions: tuple[Subscription, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)  # of JSON APIs, by variable
    warnings: tuple[str, ...] = ()  # what is allowed and yet most likely not meant, one line each

    def source(self, name: str) -> Source:
        """The source of that name; KeyError if there is none."""
        for source in self.sources:
            if source.name == name:
                return source
        raise KeyError(name)


class ConfigError(Exception):
    """One or more mistakes in lowstar.toml; `str()` is one line a mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
