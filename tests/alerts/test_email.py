"""Does mail arrive once, as plain as it was, whatever strangers wrote; and does it take over when Slack is dead?"""

from __future__ import annotations

import email
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from alerting import NOON, Clock, Road, announce, courier
from hypothesis import given, settings
from hypothesis import strategies as st
from mailserver import Post, mail_server

from alerts.blocks import message_for
from alerts.email import EmailNotifier, Mailbox, address_problem, compose
from alerts.notifier import (
    CannotLook,
    ChannelClosed,
    Message,
    NotifyError,
    NotSent,
    RateLimited,
    Receipt,
    Search,
    TokenRefused,
    Uncertain,
    Unchangeable,
    Unrenderable,
)
from storage.records import DeliveryState, Priority
from storage.store import Store


@pytest.fixture
def server() -> Iterator[Post]:
    with mail_server() as post:
        yield post


def road(server: Post, **more: Any) -> EmailNotifier:
    values: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": server.port,
        "sender": "lowstar@example.com",
        "security": "none",
        "timeout": 5.0,
    }
    return EmailNotifier(Mailbox(**{**values, **more}), clock=lambda: NOON)


def message(**more: Any) -> Message:
    values: dict[str, Any] = {
        "channel": "ops@example.com",
        "text": "REP-0001: 1 of 5 &lt;stars&gt;",
        "outbox_id": "ob_1",
    }
    return Message(**{**values, **more})


def parsed(raw: bytes) -> EmailMessage:
    mail = email.message_from_bytes(raw, policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


def test_a_mail_arrives_with_the_outbox_id_as_its_name(server: Post) -> None:
    receipt = road(server).post(message())
    mail = parsed(server.taken[0])
    assert mail["Message-ID"] == "<ob_1@example.com>" == receipt.remote_id
    assert mail["Subject"] == "REP-0001: 1 of 5 <stars>"
    assert mail["To"] == "ops@example.com"
    plain, rich = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert rich is not None
    assert plain.get_content().strip() == "REP-0001: 1 of 5 <stars>"
    assert "&lt;stars&gt;" in rich.get_content()


def test_a_reply_stands_in_the_thread_of_what_it_answers(server: Post) -> None:
    first = road(server).post(message())
    road(server).post(message(outbox_id="ob_2", thread_id=first.remote_id))
    mail = parsed(server.taken[1])
    assert mail["In-Reply-To"] == mail["References"] == "<ob_1@example.com>"


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), st.text(max_size=60), st.text(max_size=2_000))
def test_no_text_becomes_a_header_a_recipient_or_markup(text: str, thread: str, words: str) -> None:
    text = text.encode("utf-8", "ignore").decode()
    blocks = [
        {
            "type": "context",
            "elements": [{"type": "plain_text", "text": words.encode("utf-8", "ignore").decode()}],
        }
    ]
    mail = compose(
        message(text=text + "\r\nBcc: all@example.com", thread_id=thread, blocks=blocks),
        "a@example.com",
        NOON,
    )
    read = parsed(mail.as_bytes())
    assert set(read.keys()) <= {
        "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References",
        "Auto-Submitted", "MIME-Version", "Content-Type",
    }  # fmt: skip
    assert read["To"] == "ops@example.com"
    rich = read.get_body(("html",))
    assert rich is not None
    inside = rich.get_content().partition("<p>")[2].partition("</p>")[0]
    for tag in ("<br>", "</a>"):
        inside = inside.replace(tag, "")
    assert inside.count("<") == inside.count('<a href="http')


def test_an_encoded_word_in_a_title_stays_a_word(server: Post) -> None:
    # The email package decodes it when the header is set, and would write what was in it as a header.
    words = "1 star: “=?utf-8?q?=0D=0ABcc:_all=40example.com=0D=0A?=” =?utf-8?b?DQpCY2M6IHhAeS56?="
    read = parsed(compose(message(text=words), "a@example.com", NOON).as_bytes())
    assert "Bcc" not in read
    assert read["Subject"] == words.replace("=?", "= ?")


@pytest.mark.parametrize(
    "address", ["", "ops", "a@b@c", "a b@example.com", "x@example.com\r\nRCPT TO:<y@z>", "é@example.com"]
)
def test_what_is_no_address_is_never_mailed_to(server: Post, address: str) -> None:
    assert address_problem(address)
    with pytest.raises(ChannelClosed):
        road(server).post(message(channel=address))
    assert server.said == []


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({"hello": "554 go away"}, NotSent),
        ({"AUTH": "535 wrong"}, TokenRefused),
        ({"AUTH": "454 later"}, NotSent),
        ({"MAIL": "550 not you"}, TokenRefused),
        ({"MAIL": "451 later"}, RateLimited),
        ({"RCPT": "550 no such user"}, ChannelClosed),
        ({"RCPT": "450 greylisted"}, RateLimited),
        ({"DATA": "554 no"}, Unrenderable),
        ({".": "554 spam"}, Unrenderable),
        ({".": "452 full"}, RateLimited),
        ({".": "hang up"}, Uncertain),
    ],
)
def test_each_refusal_means_what_comes_next(
    server: Post, answers: dict[str, str], error: type[NotifyError]
) -> None:
    server.answers = answers
    with pytest.raises(error) as caught:
        road(server, user="lowstar", password="hunter22").post(message())
    assert type(caught.value) is error
    assert "hunter22" not in str(caught.value)


def test_a_closed_door_is_surely_not_sent_and_no_password_goes_over_an_open_line(server: Post) -> None:
    with pytest.raises(NotSent):
        road(server, port=1).post(message())
    with pytest.raises(TokenRefused, match="STARTTLS"):
        road(server, security="starttls", user="u", password="p").post(message())
    with pytest.raises(TokenRefused, match="open line"):
        road(server, host="mail.example.com", user="u", password="p").post(message())
    assert not any(line.startswith("AUTH") for line in server.said)


def test_mail_can_neither_be_changed_nor_looked_up() -> None:
    one = EmailNotifier(Mailbox(host="127.0.0.1", sender="a@example.com"))
    with pytest.raises(Unchangeable):
        one.edit(Receipt("x"), message())
    with pytest.raises(Unchangeable):
        one.remove(Receipt("x"))
    with pytest.raises(CannotLook):
        one.find(Search(channel="x", outbox_id="x", since=NOON, until=NOON))


# -- the second road --------------------------------------------------------------------------------------


def test_when_slacks_token_dies_all_that_waits_goes_by_mail_once(store: Store, server: Post) -> None:
    announce(store, [Priority.HIGH, Priority.URGENT, Priority.NORMAL])
    clock, slack = Clock(), Road([TokenRefused("token_revoked")])
    one = courier(
        store,
        slack,
        clock,
        notifiers={"slack": slack, "email": road(server)},
        render=lambda wanted, about: message_for(wanted, about, titles={}, now=clock()),
        fallbacks={("slack", "#alerts"): "email:ops@example.com"},
    )
    one.run(deadline=NOON + timedelta(seconds=30))
    assert slack.arrived == []
    subjects = [parsed(raw)["Subject"] for raw in server.taken]
    assert len(subjects) == 3
    assert "Meant for #alerts" in subjects[0]
    assert "REP-0002" in subjects[0]  # the urgent one first
    with store.reading() as ledger:
        assert ledger.outbox_counts()[DeliveryState.SENT] == 3


def test_a_dead_token_leaves_channels_without_a_second_road_alone(store: Store, server: Post) -> None:
    announce(store, [Priority.HIGH], channel="#other")
    clock, slack = Clock(), Road([TokenRefused("token_revoked")])
    courier(
        store,
        slack,
        clock,
        notifiers={"slack": slack, "email": road(server)},
        fallbacks={("slack", "#alerts"): "email:ops@example.com", ("slack", "#other"): "#spare"},
    ).run(deadline=NOON + timedelta(seconds=30))
    assert server.taken == []
    with store.reading() as ledger:
        assert ledger.outbox_counts()[DeliveryState.PARKED] == 1
