"""What tests of delivery share: cases in a store, a clock that only moves when told, roads that remember."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

from alerts.blocks import message_for
from alerts.notifier import Capabilities, Message, Receipt, Search
from alerts.outbox import Courier, deliveries_for
from alerts.routing import Route
from storage.records import (
    Case,
    CaseStatus,
    DatePrecision,
    Delivery,
    DeliveryKind,
    Kind,
    Label,
    Mention,
    Priority,
    Reviewed,
    Sentiment,
    Verdict,
)
from storage.store import Store

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Clock:
    """Time that passes only while something sleeps."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def timestamp(self) -> float:
        return self.now.timestamp()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


def mention(number: int, **more: object) -> Mention:
    values: dict[str, object] = {
        "source": "shop",
        "external_id": f"r{number}",
        "kind": Kind.REVIEW,
        "url": f"https://shop.example/reviews/{number}",
        "text": f"Review {number}: they refused my refund.",
        "author": "J. Doe",
        "stars": 1.0,
        "published_at": NOON - timedelta(hours=1),
        "date_precision": DatePrecision.SECOND,
    }
    return Mention(**{**values, **more})  # type: ignore[arg-type]


def verdict(priority: Priority = Priority.URGENT, rank: float = 0.5, **more: object) -> Verdict:
    values: dict[str, object] = {
        "brand": "Acme",
        "sentiment": Sentiment(-0.8, Label.NEGATIVE),
        "priority": priority,
        "rank": rank,
        "reasons": ("1 of 5 stars", "tone -0.80"),
    }
    return Verdict(**{**values, **more})  # type: ignore[arg-type]


def case(number: int = 7, **more: object) -> Case:
    values: dict[str, object] = {
        "number": number,
        "mention_id": number,
        "brand": "Acme",
        "status": CaseStatus.OPEN,
        "priority": Priority.URGENT,
        "rank": 0.5,
        "opened_at": NOON,
        "channel": "#alerts",
        "respond_by": NOON + timedelta(hours=4),
    }
    return Case(**{**values, **more})  # type: ignore[arg-type]


def reviewed(of: Case | None = None, about: Mention | None = None, **more: object) -> Reviewed:
    of = of or case()
    values: dict[str, object] = {
        "case": of,
        "mention": about or mention(of.number),
        "verdict": verdict(of.priority, of.rank),
        "first_seen_at": NOON,
    }
    return Reviewed(**{**values, **more})  # type: ignore[arg-type]


def delivery(id_: str = "ob_1", **more: object) -> Delivery:
    values: dict[str, object] = {
        "id": id_,
        "kind": DeliveryKind.ALERT,
        "notifier": "slack",
        "channel": "#alerts",
        "created_at": NOON,
        "not_before": NOON,
    }
    return Delivery(**{**values, **more})  # type: ignore[arg-type]


def open_cases(
    store: Store,
    priorities: Sequence[Priority],
    *,
    now: datetime = NOON,
    first: int = 1,
    channel: str = "#alerts",
) -> list[Case]:
    """One mention, verdict and case for each priority; later ones have the higher rank."""
    mentions = [mention(first + offset) for offset in range(len(priorities))]
    with store.transaction() as ledger:
        written = ledger.write_mentions(mentions, now)
        wanted = []
        rows = []
        for offset, (one, priority) in enumerate(zip(mentions, priorities, strict=True)):
            id_, rank = written[one.key].id, offset / (len(priorities) + 1)
            rows.append((id_, one, verdict(priority, rank)))
            wanted.append(
                case(0, mention_id=id_, priority=priority, rank=rank, opened_at=now, channel=channel)
            )
        ledger.write_verdicts(rows)
        return ledger.open_cases(wanted)


def announce(
    store: Store,
    priorities: Sequence[Priority],
    *,
    now: datetime = NOON,
    first: int = 1,
    channel: str = "#alerts",
    notifier: str = "slack",
) -> list[Delivery]:
    """Cases as `open_cases` makes them, and their alerts in the outbox, in the same order."""
    cases = open_cases(store, priorities, now=now, first=first, channel=channel)
    wanted = deliveries_for(cases, lambda _: Route(channel=channel, notifier=notifier), now)
    with store.transaction() as ledger:
        ledger.enqueue(wanted)
    return wanted


class Road:
    """A notifier in memory: it does what the script says, then works."""

    def __init__(
        self,
        script: Iterable[Exception | str] = (),
        *,
        name: str = "slack",
        can: Capabilities | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self.name = name
        self.can = can or Capabilities(edits=True, finds=True, threads=True)
        self.script = list(script)  # an error to raise; "accepted" before one: it arrived all the same
        self.edit_script: list[Exception] = []
        self.find_script: list[Exception] = []
        self.clock = clock
        self.arrived: list[Message] = []
        self.at: list[datetime] = []
        self.edits: list[tuple[Receipt, Message]] = []
        self.looks: list[Search] = []
        self.removed: list[Receipt] = []

    def post(self, message: Message) -> Receipt:
        step: Exception | str | None = self.script.pop(0) if self.script else None
        if step == "accepted":
            self._arrive(message)
            step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        return self._arrive(message)

    def _arrive(self, message: Message) -> Receipt:
        self.arrived.append(message)
        if self.clock:
            self.at.append(self.clock())
        return Receipt(f"ts{len(self.arrived)}", f"id-of-{message.channel}")

    def edit(self, receipt: Receipt, message: Message) -> None:
        if self.edit_script:
            raise self.edit_script.pop(0)
        self.edits.append((receipt, message))
        if self.clock:
            self.at.append(self.clock())

    def find(self, search: Search) -> Receipt | None:
        self.looks.append(search)
        if self.find_script:
            raise self.find_script.pop(0)
        for place, message in enumerate(self.arrived, 1):
            if message.outbox_id == search.outbox_id:
                return Receipt(f"ts{place}", f"id-of-{message.channel}")
        return None

    def remove(self, receipt: Receipt) -> None:
        self.removed.append(receipt)


def courier(store: Store, road: Road, clock: Clock, **more: object) -> Courier:
    """A courier on a fake clock."""
    values: dict[str, object] = {
        "store": store,
        "notifiers": {road.name: road},
        "render": lambda one, about: message_for(one, about, titles={"shop": "Shop"}, now=clock()),
        "clock": clock,
        "sleep": clock.sleep,
    }
    return Courier(**{**values, **more})  # type: ignore[arg-type]
