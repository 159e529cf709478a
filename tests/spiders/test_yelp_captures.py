"""Six captures of one business over three weeks, taken in one after another: each review once, no alert twice."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from scrapy.http import HtmlResponse

from alerts.routing import Route
from monitor.config import Source
from monitor.ingest import Desk, about, ingest
from monitor.match import Brand, Matcher
from monitor.sentiment import analyse
from monitor.triage import Thresholds
from spiders.reviews import read_page
from storage.records import Priority
from storage.store import Store

CAPTURES = Path(__file__).resolve().parents[2].parent / "shared" / "real" / "pages" / "yelp"
URL = "https://www.yelp.com/biz/mobile-iphone-ipad-screen-repair-san-diego-26"
FIRST = datetime(2016, 5, 15, 21, 3, tzinfo=UTC)


def test_six_captures_of_one_business_give_each_review_once(store: Store) -> None:
    pages = sorted(CAPTURES.glob("*.html")) if CAPTURES.is_dir() else []
    if not pages:
        pytest.skip("the saved captures are not beside this checkout")
    source = Source(name="yelp", kind="reviews", urls=(URL,), about=("Repair",))
    desk = Desk(
        matcher=Matcher([Brand(name="Repair", terms=("Repair",))]),
        analyse=analyse,
        thresholds=Thresholds(),
        routes=(
            Route(channel="#alerts", priority=Priority.LOW),
        ),  # every review is announced: the hardest case
        max_age=timedelta(days=10_000),
    )
    seen: set[str] = set()
    announced = 0
    for number, path in enumerate(pages):
        now = FIRST + timedelta(days=4 * number)
        page = read_page(HtmlResponse(URL, body=path.read_bytes(), encoding="utf-8"), source, now)
        assert len(page.mentions) == 20
        fresh = {m.external_id for m in page.mentions} - seen
        seen |= fresh
        tally = ingest(about(page.mentions, source.about), store, desk, now)
        assert tally.new == len(fresh)
        assert tally.changed == 0
        announced += tally.flagged
    assert announced == len(seen)
    with store.reading() as ledger:
        assert ledger.mention_count() == len(seen)
        texts = Counter(shown.mention.text for shown in ledger.cases_worst_first(open_only=False, limit=500))
    assert max(texts.values()) == 1
