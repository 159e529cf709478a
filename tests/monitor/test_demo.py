"""`lowstar demo` as the person sees it who runs it first."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.demo import web
from monitor.demo.channel import channel_page

TODAY = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def demo(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "monitor", "demo", "--folder", str(folder), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The demo run three times over in one folder: at first, again, and some days later."""
    folder = tmp_path_factory.mktemp("demo") / "lowstar-demo"
    runs = [demo(folder), demo(folder), demo(folder, "--later")]
    return {"runs": runs, "folder": folder, "slack": json.loads((folder / "slack.json").read_text("utf-8"))}


def alerts(shown: dict[str, Any]) -> list[dict[str, Any]]:
    return next(c["messages"] for c in shown["slack"]["channels"] if c["name"] == "lapwing-alerts")


def test_it_ends_well_and_says_what_to_do_next(shown: dict[str, Any]) -> None:
    first = shown["runs"][0]
    assert first.returncode == 0, first.stderr
    assert first.stderr == ""
    assert "What to do next:" in first.stdout
    assert "lowstar init" in first.stdout


def test_the_channel_reads_worst_first(shown: dict[str, Any]) -> None:
    heads = [line for line in shown["runs"][0].stdout.splitlines() if line.startswith(("🔴", "🟠", "🟡"))]
    assert len(heads) >= 20
    marks = [head[0] for head in heads]
    assert marks == sorted(marks, key="🔴🟠🟡".index)
    assert "1 of 5 stars" in heads[0]


def test_a_second_run_sends_nothing_again(shown: dict[str, Any]) -> None:
    second = shown["runs"][1]
    assert second.returncode == 0, second.stderr
    assert "Nothing new to send" in second.stdout
    ids = Counter(message["metadata"]["event_payload"]["outbox_id"] for message in alerts(shown))
    assert max(ids.values()) == 1


def test_a_customer_who_was_called_back_changes_the_same_card(shown: dict[str, Any]) -> None:
    later = shown["runs"][2]
    assert later.returncode == 0, later.stderr
    changed = [
        message for message in alerts(shown) if "paid me back the same day" in json.dumps(message["blocks"])
    ]
    assert len(changed) == 1
    assert "Recovered" in changed[0]["blocks"][0]["text"]["text"]


def test_the_harmless_stay_out_of_the_channel(shown: dict[str, Any]) -> None:
    everything = json.dumps(alerts(shown), ensure_ascii=False)
    for harmless in (
        "fourteen lapwing",
        "nest in the middle of the car park",
        "no complaints whatsoever",
        "killer prize",
    ):
        assert harmless not in everything


def test_what_the_demo_writes_is_one_page_that_asks_nobody_for_anything(shown: dict[str, Any]) -> None:
    page = (shown["folder"] / "channel.html").read_text("utf-8")
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert page.count("<article") == len(alerts(shown))


def test_its_keys_are_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOWSTAR_SLACK_TOKEN", "xoxb-somebodys-real-one")
    monkeypatch.setenv("LOWSTAR_STORE_URL", f"sqlite:///{tmp_path}/real.db")
    done = demo(tmp_path / "lowstar-demo")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "real.db").exists()


def test_its_mentions_are_stable_from_day_to_day() -> None:
    tomorrow = TODAY + timedelta(days=1)
    names = [
        [hit["objectID"] for hit in web.hn_answer({}, day)["hits"]]
        + [thing["id"] for thing in web.reddit_things(day)]
        for day in (TODAY, tomorrow)
    ]
    assert sorted(names[0]) == sorted(names[1])


def test_its_mentions_lie_within_five_weeks_and_are_many() -> None:
    ages = [TODAY - web.posted_at(line, TODAY) for line in web.lines()]
    assert len(ages) >= 150
    assert timedelta(0) <= min(ages)
    assert max(ages) <= timedelta(days=36)
    texts = [line["text"] for line in web.lines() if line["text"]]
    assert len(texts) == len(set(texts))
    assert len({line.get("lang", "en") for line in web.lines()}) >= 6


def test_a_strangers_markup_stays_text_on_the_channels_page() -> None:
    hostile = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    message = {
        "ts": "1.0",
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": hostile}},
            {"type": "section", "text": {"type": "mrkdwn", "text": f"{hostile} <javascript:alert(1)|x>"}},
            {
                "type": "rich_text",
                "elements": [{"type": "rich_text_quote", "elements": [{"type": "text", "text": hostile}]}],
            },
            {
                "type": "actions",
                "elements": [
                    {
                        "type": "button",
                        "text": {"type": "plain_text", "text": hostile},
                        "url": "javascript:alert(1)",
                    }
                ],
            },
        ],
    }
    page = channel_page("#a", [message])
    assert "<script" not in page
    assert "<img" not in page
    assert "href" not in page
