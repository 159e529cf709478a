"""Does `check` say what works, what does not, and what to do about it?"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner, Result
from shelf import settings

from monitor.cli import cli
from storage.migrations import HEAD
from storage.records import CrawlRun, RunOutcome
from storage.store import open_store

TOKEN = "xoxb-1-check"
SELECTORS = """
[[sources]]
name = "forum"
kind = "selectors"
urls = ["https://forum.example/"]
item = "div[["
fields = { text = ".body" }
"""
REDDIT = """
[[sources]]
name = "red"
kind = "reddit"
"""


def check(folder: Path, *words: str, **environ: str) -> Result:
    runner = CliRunner(env={"COLUMNS": "80", "SLACK_BOT_TOKEN": None, "LOWSTAR_SLACK_TOKEN": None, **environ})
    return runner.invoke(
        cli, ["--config", str(folder / "lowstar.toml"), "check", *words], standalone_mode=False
    )


def found(folder: Path, *words: str, **environ: str) -> dict[str, tuple[str, str]]:
    said = json.loads(check(folder, "--json", *words, **environ).output)
    return {one["what"]: (one["state"], one["said"]) for one in said["checks"]}


def test_a_new_configuration_is_fine_and_nothing_is_made(tmp_path: Path) -> None:
    settings(tmp_path, REDDIT)
    done = check(tmp_path)
    assert done.return_value == 0, done.output
    assert "Nothing is wrong." in done.output
    assert "not there yet; the first run makes it" in " ".join(done.output.split())
    assert "off    source red: reddit, switched off" in done.output
    assert "LOWSTAR_REDDIT_CLIENT_ID" in done.output
    assert not (tmp_path / "lowstar.db").exists()


def test_a_database_that_is_there_is_opened_and_written(tmp_path: Path) -> None:
    settings(tmp_path)
    open_store(f"sqlite:///{tmp_path}/lowstar.db").close()
    state, said = found(tmp_path)["database"]
    assert state == "works"
    assert f"revision {HEAD}" in said


def test_a_database_that_is_none_is_wrong(tmp_path: Path) -> None:
    settings(tmp_path)
    (tmp_path / "lowstar.db").write_bytes(b"this is no database at all" * 100)
    done = check(tmp_path)
    assert done.return_value == 1
    assert "WRONG  database" in done.output
    assert "1 of " in done.output


def test_a_folder_that_is_not_there_is_wrong(tmp_path: Path) -> None:
    path = settings(tmp_path)
    path.write_text(path.read_text().replace("lowstar.db", "nowhere/lowstar.db"))
    assert found(tmp_path)["database"][0] == "wrong"


def test_selectors_that_are_none_are_wrong(tmp_path: Path) -> None:
    pytest.importorskip("spiders.selectors")
    settings(tmp_path, SELECTORS)
    state, said = found(tmp_path)["source forum"]
    assert state == "wrong"
    assert "item" in said


def test_what_is_listened_to_says_where_and_what_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings(
        tmp_path,
        '[[sources]]\nname = "survey"\nkind = "webhook"\n'
        '[[sources]]\nname = "sky"\nkind = "bluesky"\nstream = true\n'
        '[[sources]]\nname = "toots"\nkind = "mastodon"\nhashtags = ["acme"]\nstream = true\n',
    )
    said = found(tmp_path)
    assert said["source survey"][0] == "off"
    assert said["source sky"][0] == "mind"
    assert "only its stream is heard, by lowstar listen" in said["source sky"][1]
    assert "its stream is heard by lowstar listen" in said["source toots"][1]
    monkeypatch.setenv("LOWSTAR_HOOK_SURVEY_TOKEN", "a-token-of-our-own-1")
    monkeypatch.setattr("monitor.commands.check.find_spec", lambda name: None)
    said = found(tmp_path)
    assert said["source survey"] == (
        "works",
        "webhook: POST /api/v1/hooks/survey, by lowstar serve or lowstar listen --webhooks",
    )
    assert said["source sky"][0] == "wrong"
    assert "one more package" in said["source sky"][1]


def test_a_wrong_configuration_ends_with_2_for_machines_too(tmp_path: Path) -> None:
    settings(tmp_path, "every = 'never'\nzzz = 1\n")
    done = check(tmp_path, "--json")
    assert done.return_value == 2
    said = json.loads(done.output)
    assert said["ok"] is False
    assert len(said["problems"]) >= 1


class FakeSlack(BaseHTTPRequestHandler):
    """Answers auth.test and conversations.info."""

    scopes = "chat:write,channels:read,channels:history,groups:history,chat:write.public"
    valid = True

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer: dict[str, Any] = {
            "ok": True,
            "team": "Team",
            "user": "lowstar",
            "user_id": "U1",
            "bot_id": "B1",
        }
        if self.path.endswith("conversations.info"):
            answer = {"ok": True, "channel": {"id": "C0000001", "is_archived": True, "is_member": True}}
        if not self.valid:
            answer = {"ok": False, "error": "invalid_auth"}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-OAuth-Scopes", self.scopes)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a Slack on this machine."""
    pytest.importorskip("alerts.slack")
    server = ThreadingHTTPServer(("127.0.0.1", 0), FakeSlack)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/api/"
    server.shutdown()
    server.server_close()
    thread.join()


def with_slack(folder: Path, address: str) -> None:
    settings(folder, f'[slack]\nchannel = "C0000001"\nbase_url = "{address}"\n')
    path = folder / "lowstar.toml"
    before, _, after = path.read_text().partition("[[sources]]")
    path.write_text(before + "[slack]" + after.partition("[slack]")[2])


def test_slack_is_asked_only_when_told_to(tmp_path: Path, slack: str) -> None:
    with_slack(tmp_path, slack)
    assert found(tmp_path)["Slack"][0] == "off"
    assert found(tmp_path, LOWSTAR_SLACK_TOKEN=TOKEN)["Slack"] == (
        "works",
        "a token is set; --live asks Slack about it",
    )
    assert TOKEN not in check(tmp_path, LOWSTAR_SLACK_TOKEN=TOKEN).output


def test_live_names_a_channel_that_is_closed(tmp_path: Path, slack: str) -> None:
    with_slack(tmp_path, slack)
    live = found(tmp_path, "--live", LOWSTAR_SLACK_TOKEN=TOKEN)
    assert live["Slack"] == ("works", "lowstar of Team")
    state, said = live["route C0000001"]
    assert state == "wrong"
    assert "archived" in said


def test_live_names_missing_scopes(tmp_path: Path, slack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with_slack(tmp_path, slack)
    monkeypatch.setattr(FakeSlack, "scopes", "channels:history")
    state, said = found(tmp_path, "--live", LOWSTAR_SLACK_TOKEN=TOKEN)["Slack"]
    assert state == "wrong"
    assert "chat:write" in said


def test_live_says_that_a_token_is_refused(
    tmp_path: Path, slack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_slack(tmp_path, slack)
    monkeypatch.setattr(FakeSlack, "valid", False)
    done = check(tmp_path, "--live", LOWSTAR_SLACK_TOKEN=TOKEN)
    assert done.return_value == 1
    assert "the token does not work" in done.output
    assert TOKEN not in done.output


def _crawl(outcomes: dict[str, CrawlRun], asked: list[Any]) -> Any:
    def crawl(_config: Any, sources: Any, **_: Any) -> list[CrawlRun]:
        asked.extend(sources)
        return [outcomes[source.name] for source in sources]

    return crawl


@pytest.mark.parametrize(
    ("outcome", "seen", "state", "code"),
    [
        (RunOutcome.OK, 12, "works", 0),
        (RunOutcome.EMPTY, 0, "mind", 0),
        (RunOutcome.FAILED, 0, "wrong", 1),
        (RunOutcome.OFF, 0, "off", 0),
    ],
)
def test_live_reads_one_page_of_each_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outcome: RunOutcome, seen: int, state: str, code: int
) -> None:
    from datetime import UTC, datetime

    settings(tmp_path)
    asked: list[Any] = []
    run = CrawlRun(source="shop", started_at=datetime.now(UTC), outcome=outcome, found=seen, reason="because")
    stand_in = ModuleType("spiders.crawl")
    stand_in.crawl = _crawl({"shop": run}, asked)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "spiders.crawl", stand_in)
    assert found(tmp_path, "--live")["source shop"][0] == state
    assert check(tmp_path, "--live").return_value == code
    assert [source.max_pages for source in asked] == [1, 1]
