"""`lowstar run` as cron sees it: exit codes, silence, overlap, an early end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from loopback import Answer, Site

from storage.store import open_store

SETTINGS = """\
[store]
url = "sqlite:///lowstar.db"
[[brands]]
name = "Acme"
[[sources]]
name = "shop"
kind = "reviews"
urls = ["{site}"]
about = ["Acme"]
[crawl]
allow_hosts = ["127.0.0.1"]
delay = "0s"
{more}
"""


def page(*stars: int) -> str:
    reviews = [
        {
            "@type": "Review",
            "identifier": f"run-{number}",
            "author": f"Customer {number}",
            "reviewBody": f"Parcel {number} was what it was.",
            "reviewRating": {"@type": "Rating", "ratingValue": mark, "bestRating": 5},
        }
        for number, mark in enumerate(stars)
    ]
    shop = {"@context": "https://schema.org", "@type": "Store", "name": "Acme", "review": reviews}
    return f'<html><body><script type="application/ld+json">{json.dumps(shop)}</script></body></html>'


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("LOWSTAR", "SLACK"))
    }
    return subprocess.Popen(
        [sys.executable, "-m", "monitor", "--config", str(folder / "lowstar.toml"), *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(folder: Path, *arguments: str) -> tuple[int, str, str]:
    process = start(folder, *arguments)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def settle(folder: Path, site: Site, more: str = "") -> None:
    (folder / "lowstar.toml").write_text(SETTINGS.format(site=site.url("/"), more=more), "utf-8")


def test_the_first_run_files_silently_and_the_next_announces_what_is_new(tmp_path: Path) -> None:
    with Site({"/": page(1, 5)}) as site:
        settle(tmp_path, site)
        assert run(tmp_path, "run", "shop") == (0, "", "")
        site.pages["/"] = page(1, 5, 1)
        code, out, err = run(tmp_path, "run", "shop")
    assert (code, err) == (0, "")
    assert out.count("needs an answer") == 1  # on the console, where there is no Slack
    assert "Parcel 2" in out


def test_a_run_soon_after_another_leaves_the_source_alone(tmp_path: Path) -> None:
    with Site({"/": page(5)}) as site:
        settle(tmp_path, site)
        assert run(tmp_path, "run")[0] == 0
        asked = len(site.asked)
        assert run(tmp_path, "run") == (0, "", "")
        assert len(site.asked) == asked


def test_a_source_that_fails_is_one_line_and_exit_one(tmp_path: Path) -> None:
    with Site({"/": Answer("no", status=403)}) as site:
        settle(tmp_path, site)
        code, out, err = run(tmp_path, "run")
    assert (code, out) == (1, "")
    assert err.startswith("shop: ")
    assert "403" in err
    assert "Traceback" not in err


def test_a_second_run_beside_the_first_does_nothing_and_exits_75(tmp_path: Path) -> None:
    with Site({"/": page(1)}) as site:
        settle(tmp_path, site)
        with open_store(f"sqlite:///{tmp_path / 'lowstar.db'}") as store, store.run_lock("run"):
            assert run(tmp_path, "run") == (75, "", "")
        assert site.asked == []


def test_a_source_nobody_has_is_wrong_usage(tmp_path: Path) -> None:
    with Site({"/": page(1)}) as site:
        settle(tmp_path, site)
        code, _, err = run(tmp_path, "run", "shpo")
    assert code == 2
    assert "shpo" in err
    assert "shop" in err


def test_sigterm_ends_a_run_within_ten_seconds_and_keeps_what_was_read(tmp_path: Path) -> None:
    with Site(
        {
            "/": page(1, 2).replace("<body>", '<body><link rel="next" href="/2">'),
            "/2": Answer(page(3), wait=30),
        }
    ) as site:
        settle(tmp_path, site)
        process = start(tmp_path, "run")
        deadline = time.monotonic() + 30
        while "/2" not in site.paths() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.8)  # the first batch is handed over
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert time.monotonic() - begun < 10
    with open_store(f"sqlite:///{tmp_path / 'lowstar.db'}") as store, store.reading() as ledger:
        assert ledger.mention_count() == 2


@pytest.mark.parametrize("flag", ["--json"])
def test_the_report_for_machines_is_json(tmp_path: Path, flag: str) -> None:
    with Site({"/": page(1)}) as site:
        settle(tmp_path, site)
        code, out, _ = run(tmp_path, "run", flag)
    told = json.loads(out.splitlines()[-1])
    assert code == 0
    assert told["sources"][0]["source"] == "shop"
    assert told["sources"][0]["new"] == 1
    assert told["problems"] == []


def test_a_fault_beside_the_delivery_keeps_no_alert_from_its_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading
    from io import StringIO

    from monitor import digest_send
    from monitor.commands.run import once
    from monitor.config import load_config
    from monitor.run_view import run_problems

    def falls_over(*_: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(digest_send, "due_digest", falls_over)
    with Site({"/": page(1)}) as site:
        settle(tmp_path, site, more="")
        text = (
            (tmp_path / "lowstar.toml").read_text("utf-8").replace("about =", 'backfill = "alert"\nabout =')
        )
        (tmp_path / "lowstar.toml").write_text(text, "utf-8")
        config = load_config(tmp_path / "lowstar.toml", {})
        console = StringIO()
        with open_store(config.store_url) as store:
            report = once(config, store, ("shop",), stop=threading.Event(), stream=console)
    assert report.delivery.sent == 1
    assert "needs an answer" in console.getvalue()
    assert run_problems(report) == [
        "the digest could not be looked after: ZeroDivisionError; the log has more"
    ]
