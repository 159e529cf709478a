"""A store with weeks in it, said in a few words; for tests of the digest.

Verdicts are written as given, not judged: what a digest counts must not depend on how well texts are read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.digest import digest_of
from monitor.digest_rows import Wanted, gather
from monitor.digest_shape import Digest
from monitor.match import Brand
from monitor.weeks import Period, Span, read_period
from storage.records import (
    Case,
    CaseStatus,
    Correction,
    CrawlRun,
    DatePrecision,
    Kind,
    Label,
    Mention,
    Priority,
    Promise,
    RunOutcome,
    Sentiment,
    Verdict,
)
from storage.records import (
    Span as WordSpan,
)
from storage.store import Store

ZONE = "Europe/Berlin"
WEEK = read_period(Span.WEEK, "2026-W47", ZONE)
assert WEEK is not None
MONDAY = WEEK.start_at
BRAND = Brand(name="Acme", terms=("Acme",), rivals=("Globex", "Initech"))
GLOBEX = Brand(name="Globex", terms=("Globex",))
WORDS: Mapping[str, float] = {
    "late": -1.5,
    "broken": -2.0,
    "rude": -2.2,
    "refused": -1.8,
    "terrible": -2.5,
    "worst": -3.0,
    "leaks": -1.2,
    "love": 3.0,
    "loved": 3.0,
    "kind": 2.2,
    "best": 3.0,
    "perfect": 2.7,
    "wonderful": 2.8,
    "great": 2.5,
}
_WORD = re.compile(r"[a-z]+", re.IGNORECASE)


class WeekStore:
    """Adds mentions, cases, runs to a store, one call each; ids and addresses follow from the order of calls."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.count = 0

    def mention(
        self,
        at: datetime,
        text: str,
        stars: float | None = None,
        *,
        brand: str = "Acme",
        source: str = "shop",
        seen_at: datetime | None = None,
        compound: float | None = None,
        label: Label | None = None,
        **fields: Any,
    ) -> int:
        """A mention posted at `at`; answers its id."""
        self.count += 1
        fields.setdefault("kind", Kind.POST if stars is None else Kind.REVIEW)
        fields.setdefault("date_precision", DatePrecision.SECOND)
        fields.setdefault("url", f"https://{source}.example/{self.count}")
        fields.setdefault("author", f"Author {self.count}")
        fields.setdefault("external_id", str(self.count))
        about = Mention(source=source, text=text, stars=stars, published_at=at, **fields)
        with self.store.transaction() as ledger:
            written = ledger.write_mentions([about], seen_at or at + timedelta(minutes=10))[about.key]
            ledger.write_verdicts([(written.id, about, verdict(about, brand, compound, label))])
        return written.id

    def case(
        self,
        mention_id: int,
        opened_at: datetime,
        *,
        answered: timedelta | None = None,
        within: timedelta = timedelta(hours=4),
        closed: timedelta | None = None,
        owner: str = "",
        brand: str = "Acme",
        status: CaseStatus | None = None,
    ) -> int:
        """A case about a mention; answers its number."""
        if status is None:
            status = CaseStatus.RESOLVED if closed else CaseStatus.ANSWERED if answered else CaseStatus.OPEN
        with self.store.transaction() as ledger:
            (case,) = ledger.open_cases(
                [
                    Case(
                        number=0,
                        mention_id=mention_id,
                        brand=brand,
                        status=status,
                        priority=Priority.URGENT,
                        rank=0.9,
                        opened_at=opened_at,
                        owner=owner,
                        respond_by=opened_at + within,
                        first_response_at=None if answered is None else opened_at + answered,
                        closed_at=None if closed is None else opened_at + closed,
                    )
                ]
            )
        return case.number

    def restar(self, mention_id: int, stars: float, at: datetime) -> None:
        """The author of a mention changes its stars at `at`."""
        with self.store.transaction() as ledger:
            mention = ledger.mention(mention_id)
            assert mention is not None
            (old,) = ledger.verdicts(mention_id)
            mention = replace(mention, stars=stars)
            ledger.write_mentions([mention], at)
            ledger.write_verdicts([(mention_id, mention, old)])

    def promise(self, number: int, due_by: datetime, kept_at: datetime | None = None) -> None:
        with self.store.transaction() as ledger:
            ledger.add_promise(Promise(number, "we call back", due_by, kept_at=kept_at))

    def correction(self, number: int, at: datetime, wrong: str) -> None:
        with self.store.transaction() as ledger:
            ledger.add_correction(Correction(number, at, "alice", wrong))

    def run(
        self, at: datetime, source: str = "shop", outcome: RunOutcome = RunOutcome.OK, reason: str = ""
    ) -> None:
        with self.store.transaction() as ledger:
            run = ledger.begin_run(source, at)
            ledger.end_run(
                CrawlRun(
                    id=run.id,
                    source=source,
                    started_at=at,
                    ended_at=at + timedelta(seconds=5),
                    outcome=outcome,
                    found=3 if outcome is RunOutcome.OK else 0,
                    reason=reason,
                )
            )

    def runs(self, first: datetime, last: datetime, source: str = "shop", every: int = 6) -> None:
        """Runs that worked, one every so many hours."""
        at = first
        while at < last:
            self.run(at, source)
            at += timedelta(hours=every)


def verdict(about: Mention, brand: str, compound: float | None = None, label: Label | None = None) -> Verdict:
    """A verdict by a short list of words: what the tests count with must not change with the lexicon."""
    spans = tuple(
        WordSpan(found.start(), found.end(), found[0], WORDS[found[0].lower()])
        for found in _WORD.finditer(about.judged_text)
        if found[0].lower() in WORDS
    )
    weight = sum(span.weight for span in spans)
    value = round(weight / (weight * weight + 15) ** 0.5, 4) if compound is None else compound
    if label is None:
        label = Label.NEGATIVE if value <= -0.05 else Label.POSITIVE if value >= 0.05 else Label.NEUTRAL
    badness = (5 - about.stars) / 4 if about.stars is not None else (1 - value) / 2
    priority = Priority(min(3, int(badness * 4)))
    return Verdict(brand, Sentiment(value, label, spans), priority, round(badness, 4) * 0.999, ("because",))


def wanted(period: Period | None = None, brand: Brand = BRAND, **fields: Any) -> Wanted:
    """A digest of Acme's week 47, unless said otherwise."""
    fields.setdefault("brands", (BRAND,))
    fields.setdefault("titles", {"shop": "The Shop", "forum": "Forum"})
    fields.setdefault("every", {"shop": timedelta(hours=6)})
    return Wanted(brand=brand, period=period or WEEK, **fields)


def digest(store: Store, asked: Wanted | None = None, now: datetime | None = None) -> Digest:
    """The digest of a store, read an hour after the period ended unless said otherwise."""
    asked = asked or wanted()
    with store.reading() as ledger:
        rows = gather(ledger, asked, now or asked.period.end_at + timedelta(hours=1))
        return digest_of(rows, ledger.week_posts)


def day(number: int, hour: int = 12) -> datetime:
    """A moment of week 47: Monday is 0."""
    return MONDAY + timedelta(days=number, hours=hour)


def week_before(steps: int, number: int = 2, hour: int = 12) -> datetime:
    """A moment of an earlier week."""
    return day(number, hour) - timedelta(days=7 * steps)


__all__ = ["BRAND", "GLOBEX", "MONDAY", "UTC", "WEEK", "WeekStore", "day", "digest", "wanted", "week_before"]
