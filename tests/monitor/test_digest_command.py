"""Can a person, cron and `run` get a digest, and does nobody get it twice?"""

from __future__ import annotations

import email
import json
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.policy import default
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from mailserver import Post, mail_server
from shelf import settings
from weekscenes import SCENES
from weekstore import WEEK, WeekStore, day

from alerts.email import Mailbox
from alerts.limits import problems
from monitor.cli import cli
from monitor.commands import digest as command
from monitor.commands.run import once
from monitor.config import Config, ConfigError, load_config
from monitor.day_counts import AT_ONCE
from monitor.digest_days import FORM, SHOWN
from monitor.digest_send import digest_id, due_digest, due_period, keep_days, make, zone_of
from monitor.roads import notifiers_for
from monitor.runner import deliver
from storage.kept_days import DaysOf
from storage.records import DeliveryKind
from storage.store import Store, open_store

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings(tmp_path, '[digest]\nchannel = "#digest"\n')
    with open_store(f"sqlite:///{tmp_path / 'lowstar.db'}") as store:
        SCENES[0].fill(store)
    monkeypatch.setattr(command, "_now", lambda: NOW)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--config", "lowstar.toml", "digest", *arguments])


def test_without_arguments_last_week_is_printed_as_markdown(folder: Path) -> None:
    result = call("--brand", "Acme")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("# Acme: Week 47: 18 mentions, 7 negative")
    assert "Kaffa" in call().stdout


def test_files_are_written_in_the_form_of_their_ending(folder: Path) -> None:
    result = call(
        "--brand", "Acme", "--to", "a.html,a.txt", "--to", "json:a.out", "--to", "a.eml", "--to", "a.md"
    )
    assert result.exit_code == 0, result.output
    assert (folder / "a.html").read_text().startswith("<!doctype html>")
    assert (folder / "a.txt").read_text().startswith("Acme: Week 47")
    assert json.loads((folder / "a.out").read_text())["brand"] == "Acme"
    message = email.message_from_bytes((folder / "a.eml").read_bytes(), policy=default)
    assert message["Subject"].startswith("Acme: Week 47")
    kinds = [part.get_content_type() for part in message.walk()]
    assert kinds[:2] == ["multipart/alternative", "text/plain"]
    assert "text/html" in kinds


def test_two_brands_need_two_files(folder: Path) -> None:
    assert call("--to", "a.html").exit_code == 2
    assert call("--to", "{brand}.html").exit_code == 0
    assert (folder / "Kaffa.html").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--week", "2026-W99"], "allowed: 2026-W47"),
        (["--week", "2027-W01"], "has not begun"),
        (["--day", "2026-11-21", "--month", "2026-11"], "exclude each other"),
        (["--brand", "Acne"], 'did you mean "Acme"'),
        (["--to", "digest.pdf"], "allowed: slack"),
    ],
)
def test_wrong_usage_says_what_is_allowed(folder: Path, arguments: list[str], said: str) -> None:
    result = call(*arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())


def test_a_file_that_cannot_be_written_is_said(folder: Path) -> None:
    result = call("--brand", "Acme", "--to", "nowhere/a.html")
    assert result.exit_code == 1
    assert "cannot be written" in result.output


def test_to_slack_puts_it_into_the_outbox_once(folder: Path) -> None:
    for _ in range(3):
        assert call("--brand", "Acme", "--to", "slack").exit_code == 0
    with open_store(f"sqlite:///{folder / 'lowstar.db'}") as store, store.reading() as ledger:
        kept = ledger.delivery(digest_id("Acme", WEEK, "console", "#digest"))
    assert kept is not None
    assert kept.kind is DeliveryKind.DIGEST
    body = json.loads(kept.body)
    assert problems(body["blocks"]) == []
    assert body["text"].startswith("Acme, Week 47")


# -- what `run` sends by itself ------------------------------------------------------------------------------


@pytest.fixture
def config(folder: Path) -> Config:
    return load_config(folder / "lowstar.toml", {})


@pytest.fixture
def kept(folder: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{folder / 'lowstar.db'}") as store:
        yield store


def test_a_digest_is_due_from_its_hour_on_and_sent_once_a_brand(config: Config, kept: Store) -> None:
    monday = WEEK.end_at
    assert due_digest(config, kept, monday + timedelta(hours=8, minutes=59)) == 0
    assert due_digest(config, kept, monday + timedelta(hours=9)) == 2
    assert due_digest(config, kept, monday + timedelta(hours=9)) == 0
    assert due_digest(config, kept, monday + timedelta(days=6)) == 0
    assert due_digest(config, kept, monday + timedelta(days=7, hours=9)) == 2


def test_without_a_channel_nothing_is_sent_by_itself(config: Config, kept: Store) -> None:
    silent = replace(config, digest=replace(config.digest, channel=""))
    assert due_digest(silent, kept, NOW) == 0


def test_the_hour_is_the_one_of_the_digests_own_zone(config: Config) -> None:
    plan = replace(config, digest=replace(config.digest, timezone="America/New_York", day="tuesday", hour=7))
    tuesday = datetime(2026, 11, 24, 12, tzinfo=UTC)  # seven in the morning there
    assert due_period(plan, tuesday - timedelta(minutes=1)) is None
    period = due_period(plan, tuesday)
    assert period is not None
    assert (period.name, period.zone) == ("2026-W47", "America/New_York")


def test_a_sent_digest_is_delivered_as_it_was_made(config: Config, kept: Store) -> None:
    import io

    from alerts.console import ConsoleNotifier

    due_digest(config, kept, NOW)
    WeekStore(kept).mention(day(1), "One more, late.", 1, external_id="later")
    out = io.StringIO()
    report = deliver(
        config,
        kept,
        {"console": ConsoleNotifier(out)},
        clock=lambda: NOW,
        sleep=lambda seconds: None,
        stop=threading.Event(),
    )
    assert report.sent >= 1
    assert "18 mentions" in out.getvalue()


def test_names_of_topics_are_kept_from_week_to_week(config: Config, kept: Store) -> None:
    due_digest(config, kept, NOW)
    with kept.reading() as ledger:
        names = ledger.topic_names("Acme")
    assert names == {"discovered:bot chat": "chat bot"}
    with kept.transaction() as ledger:
        ledger.set_cursor("topics:Acme", "discovered:bot chat", "robot loop", NOW)
    found = make(config, kept, config.brands[0], WEEK, NOW)
    assert "Robot loop" in [fact.name for fact in found.hurts]


# -- by mail -------------------------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[Post]:
    with mail_server() as post:
        yield post


def mailing(config: Config, server: Post, *addresses: str) -> Config:
    mailbox = Mailbox(host="127.0.0.1", port=server.port, sender="lowstar@example.com", security="none")
    return replace(config, email=mailbox, digest=replace(config.digest, channel="", email=addresses))


def sent(config: Config, kept: Store) -> int:
    report = deliver(
        config,
        kept,
        notifiers_for(config),
        clock=lambda: NOW,
        sleep=lambda seconds: None,
        stop=threading.Event(),
    )
    return report.sent


def test_run_mails_each_brands_digest_to_everybody_named_and_never_twice(
    config: Config, kept: Store, server: Post
) -> None:
    mailed = mailing(config, server, "marketing@example.com", "boss@example.com")
    assert due_digest(mailed, kept, NOW) == 4
    assert sent(mailed, kept) == 4
    assert due_digest(mailed, kept, NOW + timedelta(days=3)) == 0
    assert sent(mailed, kept) == 0
    to = [email.message_from_bytes(raw, policy=default)["To"] for raw in server.taken]
    assert sorted(to) == ["boss@example.com"] * 2 + ["marketing@example.com"] * 2


def test_the_mail_reads_as_text_and_as_a_page_with_its_pictures_inside(
    config: Config, kept: Store, server: Post
) -> None:
    mailed = mailing(config, server, "marketing@example.com")
    due_digest(mailed, kept, NOW)
    sent(mailed, kept)
    raw = next(raw for raw in server.taken if b"Subject: Acme" in raw)
    assert max(map(len, raw.split(b"\r\n"))) <= 998  # RFC 5321, 4.5.3.1.6
    message = email.message_from_bytes(raw, policy=default)
    assert message["Subject"].startswith("Acme: Week 47: 18 mentions")
    assert (message["From"], message["Auto-Submitted"]) == ("lowstar <lowstar@example.com>", "auto-generated")
    text, page = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert page is not None
    assert text.get_content().startswith("Acme: Week 47")
    html = page.get_content()
    shown = set(re.findall(r'src="cid:([a-z]+@lowstar)"', html))
    inside = {part["Content-ID"].strip("<>") for part in message.walk() if part["Content-ID"]}
    assert shown == inside
    assert shown
    assert not re.findall(r'(?:src|href)="(?!cid:|https?://|#|mailto:)', html)
    assert "prefers-color-scheme:dark" in html
    pictures = [part.get_content() for part in message.walk() if part.get_content_type() == "image/png"]
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)


def test_to_email_puts_it_into_the_outbox_once(
    folder: Path, config: Config, kept: Store, server: Post
) -> None:
    assert call("--to", "email").exit_code == 2
    settings(
        folder, '[digest]\nemail = ["a@example.com"]\n[email]\nhost = "127.0.0.1"\nfrom = "l@example.com"\n'
    )
    assert call("--brand", "Acme", "--to", "email").exit_code == 0
    assert "was sent to a@example.com before" in call("--brand", "Acme", "--to", "email").output
    assert call("--brand", "Acme", "--to", "email:b@example.com").exit_code == 0
    assert call("--brand", "Acme", "--to", "email:nobody").exit_code == 2
    with kept.reading() as ledger:
        for address in ("a@example.com", "b@example.com"):
            assert ledger.delivery(digest_id("Acme", WEEK, "email", address)) is not None


def test_addresses_without_a_mail_server_are_a_mistake(folder: Path) -> None:
    settings(folder, '[digest]\nemail = ["marketing@example.com", "nobody"]\n')
    with pytest.raises(ConfigError) as caught:
        load_config(folder / "lowstar.toml", {})
    assert "email.host: missing" in str(caught.value)
    assert "digest.email" in str(caught.value)


# -- days counted ahead --------------------------------------------------------------------------------------


def test_a_run_keeps_the_days_that_are_over_and_the_digest_says_the_same(config: Config, kept: Store) -> None:
    before = [make(config, kept, brand, WEEK, NOW) for brand in config.brands]
    with Path(os.devnull).open("w") as nowhere:
        once(config, kept, (), stop=threading.Event(), crawl=False, deliver_too=False, stream=nowhere)
    with kept.reading() as ledger:
        days = [
            ledger.kept_numbers(DaysOf(brand.name, zone_of(config), FORM), date.min, date.max)
            for brand in config.brands
        ]
    assert [len(one) for one in days] == [AT_ONCE] * len(config.brands)
    assert keep_days(config, kept, NOW) > 0  # and those of the week the digest is about
    assert [make(config, kept, brand, WEEK, NOW) for brand in config.brands] == before


def test_the_json_form_names_every_post(folder: Path) -> None:
    with open_store(f"sqlite:///{folder / 'lowstar.db'}") as store:
        weeks = WeekStore(store)
        weeks.count = 1_000
        for number in range(SHOWN):
            weeks.mention(day(2, number % 20), "late", 1.0)
        keep_days(load_config(folder / "lowstar.toml", {}), store, NOW)
    call("--brand", "Acme", "--to", "a.json,a.html")
    found = json.loads((folder / "a.json").read_text())
    assert len(found["mentions"]["posts"]) == found["mentions"]["now"] == SHOWN + 18
    assert f"{SHOWN + 18} posts" in (folder / "a.html").read_text()
