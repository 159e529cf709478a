"""How is each message drawn? The records of the store and what was configured → what a notifier sends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from alerts.blocks import Around, message_for
from alerts.context import context_for
from alerts.names import names_in
from alerts.notifier import Message
from alerts.outbox import Render
from monitor.config import Config
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
    from monitor.runner import policy_for  # the runner draws by this module

    titles, policy = titles_of(config), policy_for(config)

    def around(delivery: Delivery, reviewed: Reviewed) -> Around:
        case, now = reviewed.case, clock()
        with store.reading() as ledger:
            lines: tuple[str, ...] = ()
            if not case.status.closed and not reviewed.removed:
                lines = context_for(ledger, reviewed, now, policy.customers).lines[:CONTEXT_LINES]
            return Around(
                promises=tuple(ledger.promises(case.number)),
                names=names_in(ledger, policy.people),
                interactive=policy.buttons if delivery.notifier == "slack" else None,
                context=lines,
            )

    def render(delivery: Delivery, reviewed: Reviewed | None) -> Message:
        if delivery.kind is not DeliveryKind.ALERT or reviewed is None:
            return message_for(delivery, reviewed, titles=titles, now=clock())
        beside = around(delivery, reviewed)
        return message_for(delivery, reviewed, titles=titles, now=clock(), around=beside)

    return render
