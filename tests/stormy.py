"""What tests of storms share: floods of judged mentions taken in as `ingest` would, on a clock that is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from alerting import NOON, Clock, Road, courier, mention, verdict

from alerts.blocks import message_for
from alerts.blocks_storm import storm_message
from alerts.cases import Judged
from alerts.intake import take_in
from alerts.notifier import Message
from alerts.outbox import Courier
from alerts.routing import Route
from alerts.storms import StormRules, look_at
from storage.channels import read_body
from storage.records import Delivery, DeliveryKind, DeliveryState, Mention, Priority, Reviewed, Verdict
from storage.store import Store

RULES = StormRules(cases=10, backlog=20)
ROUTE = Route(channel="#alerts", priority=Priority.NORMAL)
TITLES = {"shop": "Shop", "forum": "Forum"}


def words(number: int) -> str:
    """A text of its own: no two are alike."""
    letters = "".join(chr(97 + int(digit)) for digit in str(number))
    return f"They charged item {letters} wrong and nobody {letters}{letters} answered me."


def post(number: int, at: datetime, **more: object) -> Mention:
    return mention(number, **{"published_at": at, "text": words(number), **more})


def bad(brand: str = "Acme", topics: tuple[str, ...] = ("payment",), **more: object) -> Verdict:
    return verdict(**{"brand": brand, "topics": topics, **more})  # type: ignore[arg-type]


def take(
    store: Store,
    several: Iterable[tuple[Mention, Verdict]],
    now: datetime,
    *,
    rules: StormRules = RULES,
    routes: Sequence[Route] = (ROUTE,),
) -> int:
    """Take judged mentions in, as one batch; how many cases were opened."""
    pairs = list(several)
    with store.transaction() as ledger:
        written = ledger.write_mentions([one for one, _ in pairs], now)
        judged = [Judged(written[one.key].id, one, said, True) for one, said in pairs]
        ledger.write_verdicts([(one.mention_id, one.mention, one.verdict) for one in judged])
        return take_in(
            ledger, judged, {}, routes, now, announce=True, max_age=timedelta(days=30), storms=rules
        ).flagged


def flood(
    store: Store,
    count: int,
    now: datetime = NOON,
    *,
    first: int = 1,
    brand: str = "Acme",
    topics: tuple[str, ...] = ("payment",),
    priority: Callable[[int], Priority] = lambda number: Priority.HIGH,
    rules: StormRules = RULES,
    **more: object,
) -> int:
    """So many bad posts of one brand and topic at once; later ones are the worse."""
    return take(
        store,
        [
            (
                post(number, now, **more),
                bad(brand, topics, priority=priority(number), rank=number / 100_000),
            )
            for number in range(first, first + count)
        ],
        now,
        rules=rules,
    )


def render_with(store: Store, clock: Clock, *, interactive: bool = False) -> Callable[..., Message]:
    def render(delivery: Delivery, reviewed: Reviewed | None) -> Message:
        if delivery.kind is not DeliveryKind.STORM:
            return message_for(delivery, reviewed, titles=TITLES, now=clock())
        with store.reading() as ledger:
            view = look_at(ledger, int(read_body(delivery.body)["storm"]), clock())
            assert view is not None
            worst = ledger.reviewed_many(view.worst)
        several = [worst[number] for number in view.worst]
        return storm_message(view, several, delivery, titles=TITLES, now=clock(), interactive=interactive)

    return render


def stormy_courier(store: Store, road: Road, clock: Clock, **more: object) -> Courier:
    return courier(store, road, clock, **{"render": render_with(store, clock), **more})


def states(store: Store) -> dict[DeliveryState, int]:
    with store.reading() as ledger:
        return {state: count for state, count in ledger.outbox_counts().items() if count}
