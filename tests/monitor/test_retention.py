"""Words are kept as long as their source's terms say, unless lowstar.toml says otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitor.config import Source
from monitor.config_apis import APIS
from monitor.retention import REASONS, forget_what_is_due, kept_for
from storage.records import Mention
from storage.store import open_store

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
YELP = Source(name="yelp", kind="yelp")


def test_every_limit_has_its_reason_and_review_sources_say_why_they_have_none() -> None:
    assert {kind for kind, api in APIS.items() if api.keep is not None} <= set(REASONS) <= set(APIS)
    for kind, reason in REASONS.items():
        assert reason.startswith("no limit: ") == (APIS[kind].keep is None)
    assert kept_for(Source(name="ours", kind="steam")) == (None, REASONS["steam"])


def test_lowstar_toml_overrides_and_most_sources_keep_for_good() -> None:
    assert kept_for(YELP)[0] == timedelta(hours=24)
    assert kept_for(replace(YELP, retention=timedelta(days=3)))[0] == timedelta(days=3)
    assert kept_for(Source(name="shop", kind="reviews")) == (None, "")


def test_what_is_due_is_emptied_and_counted_and_the_rest_stays(tmp_path: Path) -> None:
    def mention(source: str, number: int) -> Mention:
        return Mention(source=source, external_id=str(number), text=f"words {number}", stars=2)

    with open_store(f"sqlite:///{tmp_path / 'x.db'}") as store:
        with store.transaction() as ledger:
            ledger.write_mentions([mention("yelp", 1), mention("shop", 1)], NOW - timedelta(days=2))
            ledger.write_mentions([mention("yelp", 2)], NOW - timedelta(hours=1))
        sources = (YELP, Source(name="shop", kind="reviews"))
        assert forget_what_is_due(store, sources, NOW) == {"yelp": 1}
        assert forget_what_is_due(store, sources, NOW) == {}
        with store.reading() as ledger:
            assert ledger.kept_keys("yelp") == {"2"}
            assert ledger.recent_keys("yelp", NOW - timedelta(hours=2)) == [("yelp", "2")]
            assert ledger.recent_keys("shop", NOW - timedelta(hours=2)) == []
            emptied = ledger.mention(ledger.known([("yelp", "1")])["yelp", "1"].id)
        assert emptied is not None
        assert emptied.text == ""
        assert emptied.stars in (2, None)
