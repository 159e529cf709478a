"""What does the daemon do? Presses, deliveries, clocks, and on request crawls; each in a thread of its own.

Any of them may be missing for a while: what a press changed stands in the store, what is to be said stands in
the outbox, and `lowstar run` beside it does the same work by the same rules.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from alerts.buttons import plain
from alerts.clicks import Clicks, Others
from alerts.interactions import Intent
from alerts.listen import Desk, SocketRoad
from alerts.notifier import Notifier
from alerts.others import others_for
from alerts.outbox import DeliveryReport
from alerts.playbooks import playbook_for, values_for
from alerts.playbooks import render as filled_in
from alerts.reactions import Heard, read_reactions
from alerts.redact import redact
from alerts.slack_desk import SlackDesk
from alerts.text import clip, one_line
from monitor.cards import render_for, titles_of
from monitor.config import Config
from storage.errors import StoreError
from storage.records import Reviewed
from storage.store import Store

log = logging.getLogger(__name__)

TICK = 5.0  # seconds between two looks at the clocks
CRAWL_TICK = timedelta(minutes=1)
DELIVERY_ROUND = timedelta(minutes=10)
REFRESH = timedelta(minutes=10)  # how often the customers' table is read anew
STOP_WITHIN = 6.0  # seconds; whoever stops services waits ten

Now = Callable[[], datetime]


def utc_now() -> datetime:
    """The clock on the wall."""
    return datetime.now(UTC)


def with_customers(config: Config) -> Config:
    """`config` with the customers' table read, so that it is not read again for each message."""
    from monitor.runner import policy_for

    return replace(config, policy=policy_for(config), customers=None)


def hear_reactions(config: Config, store: Store, clock: Now = utc_now) -> Heard:
    """Read the reactions on the open cards, where nobody listens to buttons."""
    slack = config.slack
    used = any(route.notifier == "slack" for route in config.routes)
    if not slack.token or config.policy.buttons or not used:
        return Heard()
    desk = SlackDesk(slack.token, base_url=slack.base_url, timeout=slack.timeout)
    return read_reactions(store, desk, policy=config.policy, clock=clock)


def clicks_for(
    config: Config,
    store: Store,
    *,
    clock: Now = utc_now,
    sleep: Callable[[float], None] = time.sleep,
    changed: Callable[[], None] = lambda: None,
    others: Others | None = None,
) -> Clicks:
    """What carries out presses, by what was configured."""
    titles = titles_of(config)
    return Clicks(
        store=store,
        policy=config.policy,
        render=render_for(config, store, clock),
        clock=clock,
        sleep=sleep,
        title_of=lambda source: titles.get(source, source),
        others=others or others_for(store, config.policy),
        history_extra=lambda reviewed: playbook_blocks(config, store, reviewed, clock()),
        changed=changed,
    )


def playbook_blocks(
    config: Config, store: Store, reviewed: Reviewed, now: datetime
) -> Sequence[Mapping[str, Any]]:
    """What is known around a case and how the team answers such a one, for the history window."""
    from alerts.context import context_for

    policy = config.policy
    with store.reading() as ledger:
        context = context_for(ledger, reviewed, now, policy.customers)
    lines: list[str] = list(context.lines)
    playbook = playbook_for(reviewed.verdict, reviewed.mention, config.playbooks)
    replies: list[str] = []
    if playbook is not None:
        named = (
            ("Playbook", playbook.name),
            ("You may decide", playbook.may_decide),
            ("Next step", playbook.next_step),
            ("Team", playbook.owner_team),
        )
        lines += [f"{label}: {value}" for label, value in named if value]
        title = titles_of(config).get(reviewed.mention.source, reviewed.mention.source)
        values = values_for(
            reviewed, playbook, people=policy.people, customer=context.customer, site_title=title
        )
        replies = [filled_in(reply, values) for reply in playbook.replies[:3]]
    blocks: list[Mapping[str, Any]] = [
        {"type": "context", "elements": [plain(clip(one_line(line), 500))]}
        for line in lines[:10]
        if line.strip()
    ]
    for reply in replies:
        if reply.strip():
            words = {"type": "text", "text": clip(reply.strip(), 1_500)}
            blocks.append(
                {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [words]}]}
            )
    return blocks


@dataclass(slots=True, kw_only=True)
class Daemon:
    """Everything that runs while `lowstar listen` does."""

    config: Config
    store: Store
    notifiers: Callable[[], Mapping[str, Notifier]]  # made anew by the thread that delivers
    stop: threading.Event
    clock: Now = utc_now
    others: Others | None = None
    crawl: Sequence[str] = ()  # the command line of a crawl; empty: cron does it
    tick: float = TICK
    desk: Desk = field(init=False)
    road: SocketRoad | None = field(default=None, init=False)
    _told: Config = field(init=False)  # the configuration, the customers' table not read
    _news: threading.Event = field(default_factory=threading.Event, init=False)
    _threads: list[threading.Thread] = field(default_factory=list, init=False)
    _crawling: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._told = self.config
        self.config = with_customers(self.config)
        slack = self.config.slack
        clicks = clicks_for(
            self.config,
            self.store,
            clock=self.clock,
            changed=self._news.set,
            others=self.others,
        )

        def new_worker() -> Callable[[Intent], None]:
            desk = SlackDesk(slack.token, base_url=slack.base_url, timeout=slack.timeout)
            return lambda intent: clicks.do(intent, desk)

        self.desk = Desk(new_worker, clock=self.clock)

    def start(self, *, socket: bool) -> None:
        """Begin. With `socket` a connection to Slack is made; raises TokenRefused when it takes no token."""
        self.desk.start()
        for work in (self._deliver, self._tend, *([self._crawl] if self.crawl else [])):
            thread = threading.Thread(target=self._safely, args=(work,), name=work.__name__, daemon=True)
            self._threads.append(thread)
            thread.start()
        slack = self.config.slack
        if socket:  # last: without a network it waits here, and the rest goes on
            self.road = SocketRoad(slack.app_token, self.desk, base_url=slack.base_url, timeout=slack.timeout)
            self.road.open(self.stop)

    def close(self, within: float = STOP_WITHIN) -> None:
        """End all of it; what is in hand is finished, if it takes no longer than `within` seconds."""
        self.stop.set()
        self._news.set()
        until = time.monotonic() + within
        crawling = self._crawling
        if crawling is not None and crawling.poll() is None:
            crawling.terminate()  # a run finishes the page and the message in hand
        if self.road is not None:
            self.road.close(min(3.0, within))
        self.desk.stop(max(0.1, min(3.0, until - time.monotonic())))
        for thread in self._threads:
            thread.join(max(0.1, until - time.monotonic()))
        if crawling is not None:
            try:
                crawling.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                crawling.kill()
                crawling.wait(2)

    def tell(self) -> None:
        """There is something to deliver; may be called from any thread."""
        self._news.set()

    # -- the threads ----------------------------------------------------------------------------------------

    def _safely(self, work: Callable[[], None]) -> None:
        """Do `work` again and again; what goes wrong is said, and tried again a little later."""
        while not self.stop.is_set():
            try:
                work()
            except StoreError as error:
                log.error("the store: %s", redact(str(error)))  # noqa: TRY400 - the sentence says it all
                self.stop.wait(TICK)
            except Exception:
                log.exception("%s failed, goes on", work.__name__)
                self.stop.wait(TICK)

    def _deliver(self) -> None:
        from monitor.runner import deliver

        roads = self.notifiers()
        while not self.stop.is_set():
            self._news.clear()
            report: DeliveryReport = deliver(
                self.config,
                self.store,
                roads,
                clock=self.clock,
                sleep=self._nap,
                stop=self.stop,
                deadline=self.clock() + DELIVERY_ROUND,
            )
            if report.failed:
                log.debug("%d messages were refused for good", report.failed)
            self._news.wait(1.0)

    def _nap(self, seconds: float) -> None:
        """Sleep, unless there is news."""
        if self._news.wait(seconds):
            self._news.clear()

    def _tend(self) -> None:
        from monitor.runner import tend

        read_at = self.clock()
        while not self.stop.is_set():
            if abs(self.clock() - read_at) > REFRESH:
                self.config, read_at = with_customers(self._told), self.clock()
            if tend(self.config, self.store, self.clock()).messages:
                self._news.set()
            self.stop.wait(self.tick)

    def _crawl(self) -> None:
        """Start a run whenever something may be due; it decides itself, and two never overlap."""
        while not self.stop.is_set():
            self._crawling = subprocess.Popen(  # noqa: S603 - our own command line
                list(self.crawl), stdin=subprocess.DEVNULL
            )
            while self._crawling.poll() is None and not self.stop.wait(0.2):
                pass
            self._news.set()
            self.stop.wait(CRAWL_TICK.total_seconds())


def crawl_command(config_path: object, verbosity: int = 0) -> list[str]:
    """The command line of a run that collects and leaves the delivery to this process."""
    loudness = ["-v"] * max(0, verbosity) + ["-q"] * max(0, -verbosity)
    return [sys.executable, "-m", "monitor", "--config", str(config_path), *loudness, "run", "--no-deliver"]
