"""Do the clocks and promises of a store survive its getting new columns, and is each change of them one?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from storage.engines import WRITING, parsed_url, postgres_engine, sqlite_engine
from storage.migrations.upgrade import upgrade
from storage.records import Case, CaseEvent, CaseStatus, Mention, Priority, Promise
from storage.store import Store, open_store

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(params=["sqlite", "postgresql"])
def old_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'old.db'}"
    return str(request.getfixturevalue("postgres_url"))


def test_a_store_of_before_keeps_its_history_and_its_open_cases_get_clocks(old_url: str) -> None:
    url = parsed_url(old_url)
    engine = sqlite_engine(Path(url.database or "")) if "sqlite" in old_url else postgres_engine(url)
    with engine.execution_options(**{WRITING: True}).connect() as connection, connection.begin():
        upgrade(connection, "0001")
        at = "0" if "sqlite" in old_url else "'1970-01-01T00:00:00Z'"
        connection.execute(
            text(
                "INSERT INTO mentions (id, source, external_id, kind, url, title, text, author, entity, rating_raw,"
                " scale_inferred, reach, language, date_precision, owner_reply, text_truncated, in_reply_to, about,"
                " content_hash, first_seen_at, changed_at, posted_at) VALUES (1, 's', '1', 'post', '', '', 'x', 'a',"
                f" '', '', false, 0, '', 'none', '', false, '', '[]', '', {at}, {at}, {at})"
            )
        )
        for number, closed in ((1, "NULL"), (2, at), (3, at)):
            connection.execute(
                text(
                    "INSERT INTO cases (number, mention_id, brand, status, priority, rank, channel, owner, level,"
                    f" version, opened_at, closed_at, outcome, recovered) VALUES ({number}, 1, 'b{number}',"
                    f" 'open', 1, 0.5, '', '', 1, 1, {at}, {closed}, '', false)"
                )
            )
            connection.execute(
                text(
                    "INSERT INTO case_events (number, at, actor, action, detail)"
                    f" VALUES ({number}, {at}, 'lowstar', 'opened', '')"
                )
            )
        connection.execute(
            text(f"INSERT INTO promises (number, text, due_by, owner) VALUES (3, 'refund', {at}, 'alice')")
        )
    engine.dispose()
    with open_store(old_url) as store, store.reading() as ledger:
        assert [case.number for case in ledger.cases_to_wake(NOW)] == [1, 3]  # open, or with a promise owed
        assert [event.version for event in ledger.events(1)] == [0]
        (promise,) = ledger.promises(3)
        assert (promise.version, promise.open) == (1, True)


@pytest.fixture
def case(store: Store) -> Case:
    mention = Mention(source="s", external_id="1", text="x")
    with store.transaction() as ledger:
        identity = ledger.write_mentions([mention], NOW)[mention.key].id
        [opened] = ledger.open_cases(
            [
                Case(
                    number=0,
                    mention_id=identity,
                    brand="Acme",
                    status=CaseStatus.OPEN,
                    priority=Priority.HIGH,
                    rank=0.5,
                    opened_at=NOW,
                    wake_at=NOW + HOUR,
                )
            ]
        )
    return opened


def test_every_clock_of_a_case_is_kept(store: Store, case: Case) -> None:
    names = ("claimed_at", "heard_at", "snoozed_until", "again_by", "remind_by", "escalated_at", "wake_at")
    full = replace(case, version=2, **{name: NOW + at * HOUR for at, name in enumerate(names)})
    full = replace(full, followed_up_at=NOW)
    with store.transaction() as ledger:
        assert ledger.save_case(full, was_version=1)
        assert ledger.case(case.number) == full


def test_a_case_is_looked_at_when_its_time_has_come_and_only_by_who_knows_its_version(
    store: Store, case: Case
) -> None:
    with store.transaction() as ledger:
        assert ledger.cases_to_wake(NOW) == []
        assert [one.number for one in ledger.cases_to_wake(NOW + HOUR)] == [case.number]
        assert not ledger.set_wake(replace(case, version=9), None)
        assert ledger.set_wake(case, None)
        assert ledger.cases_to_wake(NOW + 99 * HOUR) == []


def test_a_promise_is_changed_by_one_at_a_time_and_owed_until_kept_or_called_off(
    store: Store, case: Case
) -> None:
    with store.transaction() as ledger:
        made = ledger.add_promise(Promise(case.number, "refund", NOW, "alice", remind_by=NOW - HOUR))
        assert ledger.promise(made.id) == made
        assert ledger.promises_of([case.number, 99]) == {case.number: [made]}
        moved = replace(made, due_by=NOW + HOUR, broken_at=NOW, version=2)
        assert ledger.save_promise(moved)
        assert not ledger.save_promise(replace(made, version=2))
        assert ledger.promises_due(NOW) == []
        assert ledger.promises_due(NOW + HOUR) == [moved]
        assert ledger.save_promise(replace(moved, dropped_at=NOW, version=3))
        assert ledger.promises_due(NOW + HOUR) == []
        assert ledger.promise(99) is None


def test_a_line_of_history_says_which_version_it_made(store: Store, case: Case) -> None:
    with store.transaction() as ledger:
        ledger.add_events([CaseEvent(case.number, NOW, "alice", "claimed", "", 2)])
        assert ledger.events(case.number)[0].version == 2
