"""Is what was stored what comes back, whatever a stranger wrote?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.records import (
    DatePrecision,
    Kind,
    Label,
    Mention,
    Priority,
    RatingSnapshot,
    Sentiment,
    Span,
    Verdict,
)
from storage.store import Store, open_store

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)

# Surrogates, NUL, astral characters: everything Python can hold in a str.
anything = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)
any_time = st.none() | st.datetimes(
    timezones=st.none()
    | st.sampled_from([UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))])
)
any_number = st.integers() | st.floats()
# `about` alone is no stranger's: it holds brand names of lowstar.toml, which TOML keeps free of surrogates.
mentions = st.builds(
    Mention,
    source=anything,
    external_id=anything | st.text(min_size=250, max_size=300),
    kind=st.sampled_from(Kind),
    url=anything | st.just("https://shop.example/a?b=c#d"),
    title=anything | st.text("a ", min_size=990, max_size=1010),
    text=anything,
    author=anything,
    author_followers=st.none() | any_number,
    entity=anything,
    stars=st.none() | st.floats() | st.integers(-(10**30), 10**30),
    rating_raw=anything,
    scale_inferred=st.booleans(),
    reach=any_number,
    language=anything | st.just("İ" * 16),
    published_at=any_time,
    date_precision=st.sampled_from(DatePrecision),
    edited_at=any_time,
    owner_reply=anything,
    owner_replied_at=any_time,
    text_truncated=st.booleans(),
    in_reply_to=anything,
    reference=anything,
    about=st.lists(st.text(max_size=20), max_size=3).map(tuple),
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def lasting_store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """One store for all examples."""
    if request.param == "sqlite":
        folder: Path = tmp_path_factory.mktemp("boundary")
        url = f"sqlite:///{folder / 'a.db'}"
    else:
        url = request.getfixturevalue("postgres_server").database()
    with open_store(url) as store:
        yield store


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mention=mentions)
def test_any_mention_comes_back_as_it_was(lasting_store: Store, mention: Mention) -> None:
    with lasting_store.transaction() as ledger:
        ledger._connection.exec_driver_sql("DELETE FROM mentions")
        written = ledger.write_mentions([mention], NOW)
        read = ledger.mention(written[mention.key].id)
        known = ledger.known([mention.key])
        again = ledger.write_mentions([mention], NOW)
    assert read == mention
    assert read is not None
    assert read.content_hash() == known[mention.key].content_hash
    assert again == {}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(anything, max_size=4), weight=st.floats(-4, 4))
def test_any_verdict_comes_back_as_it_was(lasting_store: Store, words: list[str], weight: float) -> None:
    mention = Mention(source="s", external_id="1", text="bad")
    spans = tuple(Span(0, len(word), word, weight) for word in words)
    sentiment = Sentiment(weight / 4, Label.NEGATIVE, spans)
    verdict = Verdict("Acme", sentiment, Priority.HIGH, 0.5, tuple(words), tuple(words))
    with lasting_store.transaction() as ledger:
        ledger._connection.exec_driver_sql("DELETE FROM mentions")
        identity = ledger.write_mentions([mention], NOW)[mention.key].id
        ledger.write_verdicts([(identity, mention, verdict)])
        assert ledger.verdicts(identity) == [verdict]


@pytest.mark.parametrize(
    "at",
    [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 10, 25, 2, 30, 0, 1, tzinfo=timezone(timedelta(hours=2))),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ],
)
def test_times_come_back_in_utc_to_the_microsecond(store: Store, at: datetime) -> None:
    mention = Mention(source="s", external_id="1", published_at=at, edited_at=at)
    with store.transaction() as ledger:
        read = ledger.mention(ledger.write_mentions([mention], NOW)[mention.key].id)
    assert read is not None
    assert read.published_at == at
    assert read.published_at is not None
    assert read.published_at.tzinfo is UTC


@pytest.mark.parametrize("average", [float("nan"), float("inf"), 4.2])
@pytest.mark.parametrize("count", [-1, 10**30, 7])
def test_any_rating_snapshot_can_be_kept(store: Store, average: float, count: int) -> None:
    snapshot: Any = RatingSnapshot("s", "a\x00" * 400, NOW, average, count)
    with store.transaction() as ledger:
        ledger.add_snapshots([snapshot, snapshot])
        ledger.add_snapshots([snapshot])
