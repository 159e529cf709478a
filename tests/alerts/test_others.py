"""Does a press on a storm's card, or a blind source's, do what its button says?"""

from __future__ import annotations

import pytest
from alerting import NOON
from stormy import flood

from alerts.interactions import By, Pressed
from alerts.others import others_for
from alerts.sla import STANDARD, Policy, Step
from storage.records import DeliveryState, Outage
from storage.store import Store

ALICE = By(user="U01ALICE")


def press(store: Store, action: str, value: str, policy: Policy = STANDARD) -> str | None:
    return others_for(store, policy)(Pressed(ALICE, action, value), NOON)


def test_the_buttons_of_a_storm(store: Store) -> None:
    flood(store, 60)
    assert press(store, "storm_claim", "1:1") == "You lead this storm."
    assert press(store, "storm_claim", "1:1") == "You lead this storm already."
    assert press(store, "storm_more", "1:1") == "The next ones follow, worst first: 20 let go."
    assert press(store, "storm_escalate", "1:3", Policy(steps=(Step(people=("U09BOSS",)),))) == "Escalated."
    assert press(store, "storm_unhold", "1:4") == "Every case is shown on its own now: 30 let go."
    with store.reading() as ledger:
        assert ledger.outbox_counts()[DeliveryState.HELD] == 0


@pytest.mark.parametrize("value", ["", ":", "x:1", "9:1", "1" * 40 + ":1", "١:1", "1; DROP:1"])
def test_a_value_nobody_drew_is_refused_in_words(store: Store, value: str) -> None:
    assert press(store, "storm_claim", value) == "There is no such storm."


def test_the_buttons_of_a_blind_source(store: Store) -> None:
    with store.transaction() as ledger:
        ledger.open_outage(
            Outage(id=0, source="a:b", began_at=NOON, noticed_at=NOON, card="ob_x", drawn_at=NOON)
        )
    assert press(store, "source_claim", "a:b:1") == "It is yours."
    assert "24 h" in (press(store, "source_snooze", "a:b:2") or "")
    assert press(store, "source_claim", "gone:1") == "gone works again."


def test_a_button_of_nobodys_is_nobodys(store: Store) -> None:
    assert press(store, "digest_open", "1:1") is None
