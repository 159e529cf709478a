"""A store with cases in it, for tests of what shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from storage.records import (
    Case,
    CaseEvent,
    CaseStatus,
    CrawlRun,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Kind,
    Label,
    Mention,
    Priority,
    RunOutcome,
    Sentiment,
    Verdict,
)
from storage.store import Store

BASE = """\
timezone = "Europe/Berlin"
[store]
url = "sqlite:///lowstar.db"
[[brands]]
name = "Acme"
[[brands]]
name = "Kaffa"
[[sources]]
name = "shop"
kind = "reviews"
urls = ["http://127.0.0.1:9/reviews"]
title = "The Shop"
every = "15m"
"""


def settings(folder: Path, more: str = "") -> Path:
    """A lowstar.toml in `folder`, with a database beside it."""
    path = folder / "lowstar.toml"
    path.write_text(BASE + more, encoding="utf-8")
    return path


def add_case(
    store: Store,
    now: datetime,
    text: str,
    *,
    priority: Priority = Priority.HIGH,
    stars: float | None = 1.0,
    brand: str = "Acme",
    source: str = "shop",
    status: CaseStatus = CaseStatus.OPEN,
    card: DeliveryState | None = DeliveryState.SENT,
    claimed_at: datetime | None = None,
    **mention: Any,
) -> Case:
    """One case, its mention, its verdict, its history and its card."""
    with store.transaction() as ledger:
        number = ledger.mention_count() + 1
        about = Mention(
            source=source,
            external_id=str(number),
            kind=Kind.REVIEW,
            text=text,
            stars=stars,
            url="https://shop.example/r/1",
            published_at=now - timedelta(days=1),
            **mention,
        )
        written = ledger.write_mentions([about], now - timedelta(hours=2))[about.key]
        feeling = Sentiment(-0.8, Label.NEGATIVE)
        verdict = Verdict(
            brand, feeling, priority, 0.9 - number / 1000, ("1 of 5 stars", "says “never”"), ("delivery",)
        )
        ledger.write_verdicts([(written.id, about, verdict)])
        (case,) = ledger.open_cases(
            [
                Case(
                    number=0,
                    mention_id=written.id,
                    brand=brand,
                    status=status,
                    priority=priority,
                    rank=verdict.rank,
                    opened_at=now - timedelta(hours=2),
                    channel="#alerts",
                    respond_by=now + timedelta(hours=2),
                    closed_at=now if status.closed else None,
                )
            ]
        )
        ledger.add_events([CaseEvent(case.number, now, "lowstar", "opened", "1 of 5 stars")])
        if card is not None:
            ledger.enqueue(
                [
                    Delivery(
                        id=f"d{case.number}",
                        kind=DeliveryKind.ALERT,
                        notifier="console",
                        channel="#alerts",
                        state=card,
                        number=case.number,
                        created_at=now - timedelta(hours=2),
                        not_before=now - timedelta(hours=2),
                        claimed_at=claimed_at,
                    )
                ]
            )
    return case


def add_run(
    store: Store,
    started_at: datetime,
    outcome: RunOutcome = RunOutcome.OK,
    *,
    source: str = "shop",
    ended: bool = True,
    reason: str = "",
    counts: Mapping[str, Any] | None = None,
) -> None:
    """One crawl run of `source`."""
    with store.transaction() as ledger:
        run = ledger.begin_run(source, started_at)
        if ended:
            ledger.end_run(
                CrawlRun(
                    id=run.id,
                    source=source,
                    started_at=started_at,
                    ended_at=started_at + timedelta(seconds=5),
                    outcome=outcome,
                    reason=reason,
                    **(counts or {"found": 12, "new": 3}),
                )
            )
