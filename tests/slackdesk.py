"""What tests of buttons share: a team in a stand-in of Slack, announced cases, a desk that listens."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from alerting import announce

from alerts.blocks import Around, message_for
from alerts.clicks import Clicks
from alerts.interactions import Intent
from alerts.listen import Desk, SocketRoad
from alerts.names import names_in
from alerts.notifier import Message
from alerts.outbox import Courier, Render
from alerts.people import People, Person
from alerts.sla import Policy, Step
from alerts.slack_desk import SlackDesk
from monitor.standins.slack import TOKEN, Posted, SlackStandin
from monitor.standins.slack_people import APP_TOKEN
from storage.records import Delivery, DeliveryKind, Priority, Reviewed
from storage.store import Store

ALICE, BOB, CAROL = "U01ALICE", "U02BOBBY", "U03CAROL"
TEAM = People(
    (
        Person(key="alice", name="Alice Adams", slack=ALICE),
        Person(key="bob", name="Bob Brown", slack=BOB),
        Person(key="carol", name="Carol Clark", slack=CAROL),
    )
)
POLICY = Policy(
    people=TEAM,
    buttons=True,
    steps=(Step(people=(BOB,)), Step(people=(CAROL,), after=timedelta(minutes=30))),
)


def utc_now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def a_workspace(channels: Sequence[str] = ("#alerts",), **more: Any) -> Iterator[SlackStandin]:
    """A Slack with three colleagues."""
    with SlackStandin(channels=channels, hang=0.2, **more) as slack:
        slack.people.add(ALICE, "alice", "Alice Adams", email="alice@shop.example", tz="Europe/Berlin")
        slack.people.add(BOB, "bob", "Bob Brown")
        slack.people.add(CAROL, "carol", "Carol Clark")
        yield slack


def renderer(
    store: Store, *, policy: Policy = POLICY, now: Callable[[], datetime] = utc_now, interactive: bool = True
) -> Render:
    def render(delivery: Delivery, reviewed: Reviewed | None) -> Message:
        around = Around()
        if delivery.kind is DeliveryKind.ALERT and reviewed is not None:
            with store.reading() as ledger:
                around = Around(
                    promises=tuple(ledger.promises(reviewed.case.number)),
                    names=names_in(ledger, policy.people),
                    interactive=interactive,
                )
        return message_for(delivery, reviewed, titles={"shop": "Shop"}, now=now(), around=around)

    return render


def a_desk(slack: SlackStandin) -> SlackDesk:
    return SlackDesk(TOKEN, base_url=slack.base_url, timeout=5)


def deliver(
    store: Store,
    slack: SlackStandin,
    *,
    policy: Policy = POLICY,
    interactive: bool = True,
    now: Callable[[], datetime] = utc_now,
) -> None:
    """Send what waits."""
    desk = a_desk(slack)
    Courier(
        store=store,
        notifiers={"slack": desk},
        render=renderer(store, policy=policy, interactive=interactive),
        clock=utc_now,
        sleep=time.sleep,
        pace=timedelta(0),
        edit_gap=timedelta(0),
    ).run(deadline=utc_now() + timedelta(seconds=10))


def announced(store: Store, slack: SlackStandin, count: int = 1, *, interactive: bool = True) -> list[Posted]:
    """So many cases, their cards in #alerts."""
    announce(store, [Priority.URGENT] * count, now=utc_now())
    deliver(store, slack, interactive=interactive)
    return [one for one in slack.posted("#alerts") if one.thread_ts is None]


def card(slack: SlackStandin, ts: str) -> Posted:
    return next(one for one in slack.posted("#alerts") if one.ts == ts)


def until(true: Callable[[], object], within: float = 5.0) -> None:
    """Wait until it is true."""
    end = time.monotonic() + within
    while not true():
        if time.monotonic() > end:
            raise TimeoutError("it did not become true")
        time.sleep(0.002)


@contextmanager
def a_listener(
    store: Store, slack: SlackStandin, *, policy: Policy = POLICY, socket: bool = True, **more: Any
) -> Iterator[tuple[Desk, SocketRoad | None]]:
    """A desk that carries presses out, connected to `slack`."""
    clicks = Clicks(
        store=store,
        policy=policy,
        render=renderer(store, policy=policy),
        clock=utc_now,
        sleep=time.sleep,
        title_of=str.capitalize,
        **more,
    )

    def new_worker() -> Callable[[Intent], None]:
        desk = a_desk(slack)
        return lambda intent: clicks.do(intent, desk)

    desk = Desk(new_worker, clock=utc_now)
    desk.start()
    road = None
    try:
        if socket:
            road = SocketRoad(APP_TOKEN, desk, base_url=slack.base_url, timeout=5, ping_interval=0.5)
            assert road.open(threading.Event())
            assert slack.people.socket.wait_connected()
        yield desk, road
    finally:
        if road is not None:
            road.close()
        assert desk.stop()
