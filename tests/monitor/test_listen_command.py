"""`lowstar listen` as a service manager sees it: it works, it stops, it says what it lacks."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from alerting import announce
from click.testing import CliRunner
from loopback import Site
from slackdesk import ALICE, a_workspace, card, until
from streamers import Jetstream, Mastodon, post, status

from monitor.cli import cli
from monitor.standins.slack import TOKEN, SlackStandin
from monitor.standins.slack_people import APP_TOKEN, SIGNING_SECRET
from storage.records import Case, CaseStatus, Priority
from storage.store import Store, open_store

SETTINGS = """\
[store]
url = "sqlite:///lowstar.db"
[[brands]]
name = "Acme"
[slack]
base_url = "{slack}"
channel = "#alerts"
pace = "0s"
[[sources]]
name = "shop"
kind = "reviews"
urls = ["{site}"]
about = ["Acme"]
[crawl]
allow_hosts = ["127.0.0.1"]
delay = "0s"
"""


@pytest.fixture
def slack() -> Iterator[SlackStandin]:
    with a_workspace() as found:
        yield found


def settle(folder: Path, slack: SlackStandin, site: str = "http://127.0.0.1:9/") -> Store:
    (folder / "lowstar.toml").write_text(SETTINGS.format(slack=slack.base_url, site=site), "utf-8")
    return open_store(f"sqlite:///{folder}/lowstar.db")


def start(folder: Path, *words: str, **environment: str) -> subprocess.Popen[str]:
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LOWSTAR", "SLACK")) and not name.lower().endswith("_proxy")
    }
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "monitor", "--config", str(folder / "lowstar.toml"), *words],
        env={**clean, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


KEYS = {"LOWSTAR_SLACK_TOKEN": TOKEN, "LOWSTAR_SLACK_APP_TOKEN": APP_TOKEN}


@contextmanager
def listening(folder: Path, *words: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    process = start(folder, "-v", "listen", *words, **environment)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=10)


def test_it_delivers_answers_presses_and_stops_within_ten_seconds(
    slack: SlackStandin, tmp_path: Path
) -> None:
    with settle(tmp_path, slack) as store:
        announce(store, [Priority.URGENT], now=datetime.now(UTC))
        with listening(tmp_path, **KEYS) as process:
            assert slack.people.socket.wait_connected(30)
            until(lambda: slack.posted("#alerts"), 10)
            (posted,) = slack.posted("#alerts")
            assert slack.people.click("#alerts", posted.ts, "case_claim", ALICE).acked
            until(lambda: card(slack, posted.ts).edits)
            until(lambda: len(slack.posted("#alerts")) == 2, 10)  # the thread follows by itself
            second = subprocess.run(
                [sys.executable, "-m", "monitor", "--config", str(tmp_path / "lowstar.toml"), "listen"],
                env={**os.environ, **KEYS},
                capture_output=True,
                check=False,
                timeout=30,
            )
            assert second.returncode == 75
            process.send_signal(signal.SIGTERM)
            begin = time.monotonic()
            _, err = process.communicate(timeout=15)
            took = time.monotonic() - begin
        assert process.returncode == 0, err
        assert took < 10
        assert "Traceback" not in err
        assert _the_case(store).status is CaseStatus.CLAIMED


def test_a_slack_that_hangs_does_not_keep_it_from_ending(slack: SlackStandin, tmp_path: Path) -> None:
    slack.hang = 25
    slack.faults = lambda method, arguments: "timeout" if method.startswith("chat.") else None
    with settle(tmp_path, slack) as store:
        announce(store, [Priority.URGENT], now=datetime.now(UTC))
        with listening(tmp_path, **KEYS) as process:
            assert slack.people.socket.wait_connected(30)
            until(lambda: any(method == "chat.postMessage" for method, _ in slack.calls), 10)
            process.send_signal(signal.SIGTERM)
            begin = time.monotonic()
            assert process.wait(15) == 0
            assert time.monotonic() - begin < 10


def test_over_http(slack: SlackStandin, tmp_path: Path) -> None:
    with settle(tmp_path, slack) as store:
        announce(store, [Priority.URGENT], now=datetime.now(UTC))
        keys = {"LOWSTAR_SLACK_TOKEN": TOKEN, "LOWSTAR_SLACK_SIGNING_SECRET": SIGNING_SECRET}
        with listening(tmp_path, "--http", "127.0.0.1:0", **keys) as process:
            assert process.stderr is not None
            line = next(line for line in process.stderr if "Listening at" in line)
            slack.people.request_url = line.split()[-1]
            until(lambda: slack.posted("#alerts"), 10)
            (posted,) = slack.posted("#alerts")
            slack.people.click("#alerts", posted.ts, "case_claim", ALICE)
            until(lambda: card(slack, posted.ts).edits)
            process.send_signal(signal.SIGTERM)
            assert process.wait(15) == 0


def test_it_crawls_when_told_to(slack: SlackStandin, tmp_path: Path) -> None:
    with (
        Site({"/": "<p>nothing yet</p>"}) as site,
        settle(tmp_path, slack, site.url("/")),
        listening(tmp_path, "--crawl", **KEYS) as process,
    ):
        until(lambda: "/" in site.paths(), 40)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0


def test_it_says_what_it_lacks(slack: SlackStandin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("LOWSTAR", "SLACK"))]:
        monkeypatch.delenv(name)
    with settle(tmp_path, slack):
        for words, keys, missing in (
            ((), {}, "LOWSTAR_SLACK_TOKEN"),
            ((), {"LOWSTAR_SLACK_TOKEN": TOKEN}, "LOWSTAR_SLACK_APP_TOKEN"),
            (("--http", "127.0.0.1:0"), KEYS, "LOWSTAR_SLACK_SIGNING_SECRET"),
            (("--http", "everywhere"), KEYS, "HOST:PORT"),
        ):
            path = str(tmp_path / "lowstar.toml")
            done = CliRunner(env=dict(keys)).invoke(
                cli, ["--config", path, "listen", *words], standalone_mode=False
            )
            said = done.output + str(done.exception or "")
            assert missing in said
            assert done.return_value == 2 or isinstance(done.exception, click.BadParameter)


def test_a_refused_token_ends_it_at_once(slack: SlackStandin, tmp_path: Path) -> None:
    with settle(tmp_path, slack):
        process = start(tmp_path, "listen", LOWSTAR_SLACK_TOKEN=TOKEN, LOWSTAR_SLACK_APP_TOKEN="xapp-revoked")
        _, err = process.communicate(timeout=30)
        assert process.returncode == 1
        assert "Slack refused the token" in err
        assert "xapp-revoked" not in err


def test_without_a_daemon_each_run_reads_the_reactions(slack: SlackStandin, tmp_path: Path) -> None:
    with settle(tmp_path, slack) as store:
        announce(store, [Priority.URGENT], now=datetime.now(UTC))

        def run() -> None:
            process = start(tmp_path, "run", "--no-crawl", LOWSTAR_SLACK_TOKEN=TOKEN)
            _, err = process.communicate(timeout=60)
            assert process.returncode == 0, err

        run()
        (posted,) = slack.posted("#alerts")
        assert "React to this message" in slack.channel_text("#alerts")
        assert "case_claim" not in str(posted.blocks)
        slack.people.react("#alerts", posted.ts, "eyes", ALICE)
        process = start(tmp_path, "run", "--no-crawl", LOWSTAR_SLACK_TOKEN=TOKEN)
        until(lambda: _the_case(store).status is CaseStatus.CLAIMED, 30)
        process.send_signal(
            signal.SIGTERM
        )  # it would wait until ten seconds have passed since the card was sent
        process.communicate(timeout=30)
        assert _the_case(store).owner == ALICE


def _the_case(store: Store) -> Case:
    with store.reading() as ledger:
        found = ledger.case(1)
    assert found is not None
    return found


def test_what_a_webhook_sends_is_an_alert_within_seconds(slack: SlackStandin, tmp_path: Path) -> None:
    with settle(tmp_path, slack) as store:
        path = tmp_path / "lowstar.toml"
        path.write_text(
            path.read_text("utf-8") + '[[sources]]\nname = "survey"\nkind = "webhook"\nabout = ["Acme"]\n'
        )
        keys = {**KEYS, "LOWSTAR_HOOK_SURVEY_TOKEN": "a-token-of-our-own-1"}
        with listening(tmp_path, "--webhooks", "127.0.0.1:0", **keys) as process:
            assert slack.people.socket.wait_connected(30)
            assert process.stderr is not None
            said = next(line for line in process.stderr if "Webhooks come in at" in line)
            url = said.split()[-1].replace("SOURCE", "survey")
            body = b'{"id": "7", "text": "Still no refund, nobody answers.", "stars": 1}'
            assert _post(url, body, "wrong-wrong-wrong-wrong").status == 401
            begin = time.monotonic()
            answer = _post(url, body, "a-token-of-our-own-1")
            assert answer.status == 200
            assert b'"status": "accepted"' in answer.read()
            until(lambda: slack.posted("#alerts"), 10)
            took = time.monotonic() - begin
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=15)
        assert took < 5
        assert process.returncode == 0
        assert "Traceback" not in err
        with store.reading() as ledger:
            run = ledger.last_runs()["survey"]
        assert run.ended_at is not None
        assert (run.found, run.new) == (1, 1)


def test_webhooks_need_no_slack_but_a_source(slack: SlackStandin, tmp_path: Path) -> None:
    settle(tmp_path, slack).close()
    process = start(tmp_path, "listen", "--webhooks", "127.0.0.1:0")
    _, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert 'no source of lowstar.toml is of the kind "webhook"' in err
    path = tmp_path / "lowstar.toml"
    path.write_text(path.read_text("utf-8") + '[[sources]]\nname = "survey"\nkind = "webhook"\n')
    with listening(tmp_path, "--webhooks", "127.0.0.1:0") as process:
        assert process.stderr is not None
        assert any("Webhooks come in at" in line for line in process.stderr)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0


def test_what_a_stream_tells_is_an_alert_and_a_stop_is_clean(slack: SlackStandin, tmp_path: Path) -> None:
    with settle(tmp_path, slack) as store, Mastodon() as mastodon, Jetstream() as jetstream:
        path = tmp_path / "lowstar.toml"
        more = f'''
[[sources]]
name = "toots"
kind = "mastodon"
hashtags = ["acme"]
api_url = "{mastodon.url}"
stream = true
about = ["Acme"]
[[sources]]
name = "sky"
kind = "bluesky"
stream = true
stream_url = "{jetstream.url}"
'''
        path.write_text(path.read_text("utf-8") + more)
        with listening(tmp_path, **KEYS) as process:
            assert slack.people.socket.wait_connected(30)
            until(lambda: mastodon.listening and jetstream.asked, 20)
            begin = time.monotonic()
            mastodon.say("update", status(1, "charged twice, still no refund", created_at=_iso()))
            until(lambda: slack.posted("#alerts"), 10)
            assert time.monotonic() - begin < 6
            at = int(time.time() * 1_000_000)
            jetstream.say(post(at, "x", "Acme lost my parcel and nobody answers, scam"))
            until(lambda: len({one.thread_ts or one.ts for one in slack.posted("#alerts")}) > 1, 10)
            begin = time.monotonic()
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=15)
            took = time.monotonic() - begin
        assert process.returncode == 0, err
        assert took < 10
        assert "Traceback" not in err
        with store.reading() as ledger:
            last = ledger.last_runs()
        assert all(last[name].ended_at is not None for name in ("toots (stream)", "sky (stream)"))
        assert last["toots (stream)"].new == last["sky (stream)"].new == 1


def _iso() -> str:
    return datetime.now(UTC).isoformat()


def _post(url: str, body: bytes, token: str) -> http.client.HTTPResponse:
    host, path = url.removeprefix("http://").split("/", 1)
    connection = http.client.HTTPConnection(host, timeout=10)
    connection.request(
        "POST", f"/{path}", body, {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    )
    answer = connection.getresponse()
    answer.fp_kept = connection  # type: ignore[attr-defined]  # closed with it
    return answer
