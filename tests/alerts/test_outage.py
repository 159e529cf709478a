"""Slack away for six hours: nothing is lost, nothing is doubled, and the worst is read first afterwards."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta

import pytest
from alerting import NOON, SECOND, Clock, Road, announce, courier

from alerts.notifier import Message, NotSent, RateLimited, Receipt, Uncertain
from storage.records import DeliveryState, Priority
from storage.store import Store

AWAY = timedelta(hours=6)
EVERY = timedelta(minutes=5)  # cron


class Outage(Road):
    """Slack, out of order until `NOON + AWAY` in every way it can be."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock=clock)
        self.clock_ = clock
        self.dice = random.Random(6)
        self.in_doubt: set[str] = set()  # posted just before the end: looked for first, which takes a minute

    def post(self, message: Message) -> Receipt:
        if self.clock_() >= NOON + AWAY:
            return super().post(message)
        late = self.clock_() >= NOON + AWAY - timedelta(minutes=10)
        match self.dice.randrange(12):
            case 0:
                self._arrive(message)  # it arrived, and nobody was told
                raise Uncertain("the connection was reset")
            case 1 | 2 | 3:
                if late:
                    self.in_doubt.add(message.outbox_id)
                raise Uncertain("503")
            case 4:
                raise RateLimited("slow down", 30)
            case _:
                raise NotSent("connection refused")


@pytest.mark.slow
def test_six_hours_without_slack_lose_and_double_none_of_six_hundred(store: Store) -> None:
    six_hours_away(store, hourly=100)


def test_six_hours_without_slack_lose_and_double_nothing_and_end_with_the_worst_first(
    sqlite_store: Store,
) -> None:
    six_hours_away(sqlite_store, hourly=15)


def six_hours_away(store: Store, hourly: int) -> None:
    clock = Clock()
    slack = Outage(clock)
    dice = random.Random(1)
    wanted = []
    for hour in range(6):
        priorities = dice.choices([Priority.NORMAL, Priority.HIGH, Priority.URGENT], [5, 3, 2], k=hourly)
        wanted += announce(store, priorities, now=clock(), first=1 + hour * hourly)
        while clock() < NOON + (hour + 1) * timedelta(hours=1):
            next_run = clock() + EVERY
            courier(store, slack, clock).run(deadline=clock() + timedelta(minutes=4))
            clock.now = max(clock(), next_run)
    before = {message.outbox_id for message in slack.arrived}
    for _ in range(100):
        next_run = clock() + EVERY
        courier(store, slack, clock).run(deadline=clock() + timedelta(minutes=4))
        clock.now = max(clock(), next_run)
        with store.reading() as ledger:
            if ledger.outbox_counts().get(DeliveryState.SENT) == len(wanted):
                break

    arrived = Counter(message.outbox_id for message in slack.arrived)
    assert set(arrived) == {one.id for one in wanted}
    assert max(arrived.values()) == 1
    after = [message.outbox_id for message in slack.arrived if message.outbox_id not in before]
    worst = sorted(
        (one for one in wanted if one.id not in before), key=lambda one: (-one.priority, -one.rank)
    )
    waiting_then = [one.id for one in worst if one.id not in slack.in_doubt]
    assert after[:10] == waiting_then[:10]
    assert slack.at[len(before)] < NOON + AWAY + EVERY + 30 * SECOND
