"""Do the digest's charts stand below its card in Slack, with words for who cannot see them, and stop nothing else?"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from shelf import settings
from weekscenes import SCENES

from alerts.slack import SlackNotifier
from monitor.config import Config, load_config
from monitor.digest_send import due_digest
from monitor.runner import deliver
from monitor.standins.slack import SCOPES, TOKEN, SlackStandin
from storage.records import DeliveryState
from storage.store import Store

pytest.importorskip("matplotlib", reason="the extra `charts` is not installed")

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    path = settings(tmp_path, '[digest]\nchannel = "#digest"\n')
    found = load_config(path, {"LOWSTAR_SLACK_TOKEN": TOKEN})
    return replace(found, brands=found.brands[:1])


@pytest.fixture
def kept(sqlite_store: Store) -> Store:
    SCENES[0].fill(sqlite_store)
    return sqlite_store


@pytest.fixture
def slack() -> Iterator[SlackStandin]:
    with SlackStandin(channels=["#digest"]) as standin:
        yield standin


def send(config: Config, store: Store, slack: SlackStandin) -> int:
    clock = [NOW]

    def sleep(seconds: float) -> None:
        clock[0] += timedelta(seconds=seconds)

    return deliver(
        config,
        store,
        {"slack": SlackNotifier(TOKEN, base_url=slack.base_url, timeout=5)},
        clock=lambda: clock[0],
        sleep=sleep,
        stop=threading.Event(),
        deadline=NOW + timedelta(minutes=10),
    ).sent


def test_the_charts_stand_in_the_thread_of_the_card_with_their_findings_as_words(
    config: Config, kept: Store, slack: SlackStandin
) -> None:
    assert due_digest(config, kept, NOW) == 1
    assert send(config, kept, slack) == 2
    card, comment = slack.posted("#digest")
    assert comment.thread_ts == card.ts
    assert comment.text.startswith("In pictures: Of ")
    files = list(slack.files.by_id.values())
    assert [one.name for one in files] == ["stars.png", "days.png", "topics.png"]
    assert all(one.content.startswith(b"\x89PNG") and one.thread_ts == card.ts for one in files)
    assert files[0].alt.startswith("Of ")
    assert files[0].title == "Stars"


def test_they_are_sent_once(config: Config, kept: Store, slack: SlackStandin) -> None:
    due_digest(config, kept, NOW)
    send(config, kept, slack)
    assert due_digest(config, kept, NOW + timedelta(hours=1)) == 0
    assert send(config, kept, slack) == 0


def test_without_the_right_to_files_the_words_come_and_nothing_stops(config: Config, kept: Store) -> None:
    allowed = tuple(scope for scope in SCOPES if scope != "files:write")
    with SlackStandin(channels=["#digest"], scopes=allowed) as slack:
        due_digest(config, kept, NOW)
        assert send(config, kept, slack) == 2
        card, words = slack.posted("#digest")
        assert words.thread_ts == card.ts
        assert words.text.startswith("In pictures: Of ")
        assert slack.files.by_id == {}
    with kept.reading() as ledger:
        assert ledger.parked() == []
        assert ledger.outbox_counts()[DeliveryState.FAILED] == 0


def test_what_strangers_wrote_stays_text_in_the_words_below(
    config: Config, kept: Store, slack: SlackStandin
) -> None:
    from monitor.digest_send import make
    from monitor.digest_shape import Digest

    def hostile(digest: Digest) -> Digest:
        worst = replace(digest.hurts[0], name="<!channel> & co")
        return replace(digest, hurts=(worst, *digest.hurts[1:]))

    from weekstore import WEEK

    from monitor.digest_send import enqueue

    digest = hostile(make(config, kept, config.brands[0], WEEK, NOW))
    enqueue(kept, digest, "slack", "#digest", NOW)
    send(config, kept, slack)
    assert not any("<!" in one.text for one in slack.posted("#digest"))
    assert any("<!channel>" in one.alt for one in slack.files.by_id.values())


@pytest.mark.parametrize("code", ["500", "reset", "file_uploads_disabled", "ratelimited:2"])
def test_an_upload_that_fails_keeps_nobody_from_the_card(
    config: Config, kept: Store, slack: SlackStandin, code: str
) -> None:
    faults = [code]
    slack.faults = lambda method, _: (
        faults.pop() if method == "files.completeUploadExternal" and faults else None
    )
    due_digest(config, kept, NOW)
    assert send(config, kept, slack) == 2
    assert slack.posted("#digest")[0].blocks
