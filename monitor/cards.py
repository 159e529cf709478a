"""How is each message drawn? The records of the store and what was configured → what a notifier sends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from alerts.blocks import Around, message_for
from alerts.blocks_ops import source_message
from alerts.blocks_storm import storm_message
from alerts.context import context_for
from alerts.names import names_in
from alerts.notifier import Message
from alerts.ops import look_at_source
from alerts.outbox import Render
from alerts.storms import look_at
from monitor.clusters import more_like
from monitor.config import Config
from storage.channels import read_body
from storage.records import Delivery, DeliveryKind, Reviewed
from storage.store import Store

CONTEXT_LINES = 3  # of what is known around a case that a card shows; the history window has all


def titles_of(config: Config) -> dict[str, str]:
    """How people call each source."""
    return {source.name: source.title or source.name for source in config.sources}


def render_for(config: Config, store: Store, clock: Callable[[], datetime]) -> Render:
    """The function that draws a delivery at the moment it is sent, from the case as it is then.

    A card in Slack shows buttons where somebody listens to them, else a line that explains the reactions.
    """
    from monitor.runner import policy_for, watched  # the runner draws by this module

    titles, policy = titles_of(config), policy_for(config)

    def around(delivery: Delivery, reviewed: Reviewed) -> Around:
        case, now = reviewed.case, clock()
        with store.reading() as ledger:
            lines: tuple[str, ...] = ()
            if not case.status.closed and not reviewed.removed:
                lines = context_for(ledger, reviewed, now, policy.customers).lines[:CONTEXT_LINES]
                if more := more_like(ledger, case):
                    lines = (more, *lines)
            return Around(
                promises=tuple(ledger.promises(case.number)),
                names=names_in(ledger, policy.people),
                interactive=policy.buttons if delivery.notifier == "slack" else None,
                context=lines,
            )

    def folded(delivery: Delivery) -> Message:
        """The card of a storm or of a blind source."""
        now, body = clock(), read_body(delivery.body)
        clicks = policy.buttons and delivery.notifier == "slack"
        with store.reading() as ledger:
            names = names_in(ledger, policy.people)
            if delivery.kind is DeliveryKind.STORM:
                storm = look_at(ledger, int(body["storm"]), now)
                assert storm is not None  # noqa: S101 - its card is written with it, and it is never removed
                worst = ledger.reviewed_many(storm.worst)
                return storm_message(
                    storm,
                    [worst[number] for number in storm.worst if number in worst],
                    delivery,
                    titles=titles,
                    now=now,
                    interactive=clicks,
                    names=names,
                    refresh=config.storms.refresh,
                )
            source = look_at_source(ledger, int(body["outage"]), watched(config), now)
            assert source is not None  # noqa: S101 - the same
            return source_message(source, delivery, now=now, interactive=clicks, names=names)

    def render(delivery: Delivery, reviewed: Reviewed | None) -> Message:
        if delivery.kind in (DeliveryKind.STORM, DeliveryKind.SOURCE_HEALTH):
            return folded(delivery)
        if delivery.kind is DeliveryKind.EVENT:
            return event_message(store, delivery)
        if delivery.kind is not DeliveryKind.ALERT or reviewed is None:
            return message_for(delivery, reviewed, titles=titles, now=clock())
        beside = around(delivery, reviewed)
        return message_for(delivery, reviewed, titles=titles, now=clock(), around=beside)

    return render


def event_message(store: Store, delivery: Delivery) -> Message:
    """What a subscriber is told: the event, and the case or mention as it is by now. A removed one has no words."""
    from monitor.view import as_json

    body = read_body(delivery.body)
    event = body.get("event") or {}
    about = _mention_told_of(store, event) if "mention" in event else _case_told_of(store, event)
    said = {
        "type": event.get("type", ""),
        "timestamp": event.get("at", ""),
        "data": {"event": {name: event.get(name, "") for name in ("actor", "action", "detail")}, **about},
    }
    return Message(
        channel=delivery.channel,
        text=str(body.get("text", "")),
        outbox_id=delivery.id,
        kind=delivery.kind.value,
        raw=as_json(said),
    )


# The same fields as the API and `lowstar cases show --json`.
def _case_told_of(store: Store, event: Mapping[str, Any]) -> dict[str, Any]:
    from monitor.commands.cases import as_plain

    number = int(event.get("number", 0))
    with store.reading() as ledger:
        reviewed = ledger.reviewed(number)
    return {"number": number, "case": None if reviewed is None else as_plain(reviewed)}


def _mention_told_of(store: Store, event: Mapping[str, Any]) -> dict[str, Any]:
    from monitor.export import plain_mention

    identity, brand = int(event["mention"]), event.get("brand")
    with store.reading() as ledger:
        judged = [one for one in ledger.judged(identity) if one.verdict.brand == brand]
    return {"id": identity, "brand": brand, "mention": plain_mention(judged[0]) if judged else None}
