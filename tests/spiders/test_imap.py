"""Notification e-mails in a mailbox: new ones only, of the senders named, and nothing there is touched."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from crawling import Gathered, config_of
from imapserver import PASSWORD, Mailbox, a_mail, certificate, shifted

from monitor.config import Config, Source
from monitor.config_named import IMAP_PASSWORD
from spiders.crawl import crawl
from storage.records import CrawlRun, Kind, RunOutcome
from storage.store import Store, open_store

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/lowstar.db") as opened:
        yield opened


def source_of(box: Mailbox, **options: Any) -> Source:
    told = {
        "host": "127.0.0.1",
        "port": box.port,
        "user": "reviews@acme.example",
        "folder": "INBOX",
        "security": "none",
        "senders": ("noreply@booking.com", "@trustpilot.com"),
        **options,
    }
    return Source(name="mail", kind="imap", about=("Acme",), options=told, deadline=timedelta(seconds=20))


def config_for(source: Source, password: str = PASSWORD) -> Config:
    return replace(config_of(source), keys={IMAP_PASSWORD: password} if password else {})


def polled(
    box: Mailbox, store: Store | None = None, password: str = PASSWORD, **options: Any
) -> tuple[CrawlRun, Gathered]:
    source, sink = source_of(box, **options), Gathered()
    (run,) = crawl(
        config_for(source, password), [source], store=store, sink_for=lambda *_: sink, clock=lambda: NOW
    )
    return run, sink


def test_a_notification_is_a_mention_and_nothing_in_the_mailbox_is_touched() -> None:
    with Mailbox({3: a_mail(3, "★★☆☆☆ The room at Acme was dirty.", subject="New review")}) as box:
        run, sink = polled(box)
    (mention,) = sink.items
    assert (mention.external_id, mention.stars, mention.kind) == ("3@mail.example", 2.0, Kind.REVIEW)  # type: ignore[union-attr]
    assert run.outcome is RunOutcome.OK
    assert box.commands[:3] == ["CAPABILITY", "LOGIN REVIEWS@ACME.EXAMPLE", 'EXAMINE "INBOX"']
    assert not any(word in line.upper() for line in box.asked for word in ("STORE", "EXPUNGE", "SELECT "))
    assert all("PEEK" in line for line in box.asked if "FETCH" in line)


def test_only_new_messages_are_fetched_the_second_time(store: Store) -> None:
    with Mailbox({1: a_mail(1), 2: a_mail(2)}) as box:
        _, first = polled(box, store)
        quiet, none = polled(box, store)
        box.mails[9] = a_mail(9)
        asked = len(box.asked)
        _, second = polled(box, store)
        later = box.asked[asked:]
    assert first.ids == ["1@mail.example", "2@mail.example"]
    assert (none.ids, quiet.outcome) == ([], RunOutcome.OK)
    assert second.ids == ["9@mail.example"]
    assert any("SEARCH UID 3:*" in line for line in later)


def test_new_numbers_for_all_messages_mean_that_all_are_read_again(store: Store) -> None:
    with Mailbox({1: a_mail(1)}) as box:
        polled(box, store)
        box.validity, box.mails = 8, {1: a_mail(5), 2: a_mail(1)}
        _, again = polled(box, store)
    assert again.ids == ["1@mail.example", "5@mail.example"]


def test_other_senders_are_left_alone() -> None:
    with Mailbox(
        {
            1: a_mail(1, sender="A friend <friend@example.com>"),
            2: a_mail(2, sender='"noreply@booking.com" <evil@example.com>'),
            3: a_mail(3, sender="Reviews <no-reply@mail.trustpilot.com>"),
            4: a_mail(4, sender="x <a@nottrustpilot.com>"),
        }
    ) as box:
        run, sink = polled(box)
    assert sink.ids == ["3@mail.example"]
    assert "3 messages of other senders were left alone" in run.reason
    assert sum("BODY.PEEK[]" in line for line in box.asked) == 1


def test_a_message_that_is_too_large_or_broken_is_named_and_the_rest_goes_on(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spiders.imap.MAIL_MAX", 10_000)
    head = b"From: noreply@booking.com\r\nSubject: empty\r\n\r\n"
    with Mailbox({1: a_mail(1, "dirty " * 5_000), 2: head.replace(b"empty", b""), 3: a_mail(3)}) as box:
        run, sink = polled(box, store)
        again, none = polled(box, store)
    assert sink.ids == ["3@mail.example"]
    assert run.outcome is RunOutcome.PARTIAL
    assert "message 1 (New 2-star review): it is larger than" in run.reason
    assert "message 2 (no subject): the message is empty" in run.reason
    assert (none.ids, again.outcome) == ([], RunOutcome.OK)  # told once


def test_a_server_that_announces_more_than_anybody_has_is_hung_up_on(store: Store) -> None:
    with Mailbox({1: a_mail(1)}, announce=9_000_000_000) as box:
        run, sink = polled(box, store)
    assert (run.outcome, sink.ids) == (RunOutcome.FAILED, [])
    assert "more than anybody asked for" in run.reason


def test_a_server_that_does_not_stop_talking_is_hung_up_on(store: Store) -> None:
    with Mailbox({1: a_mail(1)}, flood=True) as box:
        begin = time.monotonic()
        run, sink = polled(box, store)
    assert (run.outcome, sink.ids) == (RunOutcome.FAILED, [])
    assert "more than anybody asked for" in run.reason
    assert time.monotonic() - begin < 15


def test_a_wrong_password_is_said_and_never_shown() -> None:
    with Mailbox({1: a_mail(1)}) as box:
        run, _ = polled(box, password="wrong horse battery")
    assert run.outcome is RunOutcome.FAILED
    assert "127.0.0.1 refuses reviews@acme.example" in run.reason
    assert "set LOWSTAR_IMAP_PASSWORD" in run.reason
    assert "horse" not in run.reason


def test_without_a_password_it_is_off_and_not_broken() -> None:
    with Mailbox() as box:
        run, _ = polled(box, password="")
    assert run.outcome is RunOutcome.OFF
    assert "set LOWSTAR_IMAP_PASSWORD" in run.reason
    assert box.asked == []


def test_a_folder_may_have_any_name_and_one_that_is_not_there_is_named() -> None:
    with Mailbox({1: a_mail(1)}, folder=shifted("Ünsere & Reviews")) as box:
        _, sink = polled(box, folder="Ünsere & Reviews")
        missing, _ = polled(box, folder="Nowhere")
    assert sink.ids == ["1@mail.example"]
    assert missing.outcome is RunOutcome.FAILED
    assert "no folder 'Nowhere'" in missing.reason


def test_a_connection_that_breaks_off_loses_nothing(store: Store) -> None:
    with Mailbox({1: a_mail(1), 2: a_mail(2)}, cut_before="FETCH 2 (BODY") as box:
        broken, some = polled(box, store)
        box.cut_before = ""
        _, rest = polled(box, store)
    assert broken.outcome is RunOutcome.PARTIAL
    assert "broke off" in broken.reason
    assert (some.ids, rest.ids) == (["1@mail.example"], ["2@mail.example"])


def test_a_first_look_goes_back_a_month(store: Store) -> None:
    old = a_mail(1, at=NOW - timedelta(days=45))
    with Mailbox({1: old, 2: a_mail(2)}) as box:
        _, sink = polled(box, store)
    assert sink.ids == ["2@mail.example"]


def test_a_server_that_says_nothing_does_not_keep_a_stop_waiting(store: Store) -> None:
    with Mailbox({1: a_mail(1)}, hang=True) as box:
        source, stop = source_of(box), threading.Event()
        threading.Timer(0.8, stop.set).start()
        begin = time.monotonic()
        crawl(
            config_for(source),
            [source],
            store=store,
            sink_for=lambda *_: Gathered(),
            clock=lambda: NOW,
            stop=stop,
        )
    assert time.monotonic() - begin < 5


def test_a_server_inside_our_network_is_not_asked_unless_it_is_allowed() -> None:
    with Mailbox({1: a_mail(1)}) as box:
        source = source_of(box)
        config = replace(config_of(source, allow=()), keys={IMAP_PASSWORD: PASSWORD})
        (run,) = crawl(config, [source], store=None, sink_for=lambda *_: Gathered(), clock=lambda: NOW)
    assert run.outcome is RunOutcome.FAILED
    assert "allow_hosts" in run.reason
    assert box.asked == []


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_tls_is_verified_before_the_password_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    context, trusted = certificate(tmp_path)
    with Mailbox({1: a_mail(1)}, context=context, starttls=security == "starttls") as box:
        source = source_of(box, host="localhost", security=security)

        def poll() -> tuple[CrawlRun, Gathered]:
            sink = Gathered()
            config = replace(config_of(source, allow=("localhost",)), keys={IMAP_PASSWORD: PASSWORD})
            (run,) = crawl(config, [source], store=None, sink_for=lambda *_: sink, clock=lambda: NOW)
            return run, sink

        strange, nothing = poll()
        assert not [line for line in box.asked if "LOGIN" in line]
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        good, sink = poll()
    assert "the certificate of localhost is not trusted" in strange.reason
    assert (nothing.ids, sink.ids, good.outcome) == ([], ["1@mail.example"], RunOutcome.OK)
