"""How an alert looks on a terminal and in a file."""

from __future__ import annotations

import io

import pytest
from alerting import NOON, case, delivery, mention, reviewed

from alerts.blocks import alert_message
from alerts.console import ConsoleNotifier
from alerts.notifier import CannotLook, NotSent, Receipt, Search


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def card(text: str = "They refused my refund."):  # type: ignore[no-untyped-def]
    of = reviewed(case(7), mention(7, text=text))
    return alert_message(of, delivery(number=7), site_title="Shop", now=NOON)


def test_a_file_gets_plain_lines() -> None:
    stream = io.StringIO()
    assert ConsoleNotifier(stream).post(card()) == Receipt("ob_1", "#alerts")
    lines = stream.getvalue().split("\n")
    assert lines[:3] == [
        "#alerts",
        "  🔴 1 of 5 stars on Shop: needs an answer",
        "  > They refused my refund.",
    ]
    assert "\x1b" not in stream.getvalue()


def test_a_change_says_what_it_is() -> None:
    stream = io.StringIO()
    ConsoleNotifier(stream).edit(Receipt("ob_1"), card())
    assert stream.getvalue().startswith("#alerts  REP-0007 changed\n")


def test_a_terminal_gets_a_frame_unless_it_wants_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    framed = Terminal()
    ConsoleNotifier(framed).post(card("[bold]not markup[/bold] [/oops]"))
    assert "╭" in framed.getvalue()
    assert "[bold]not markup[/bold] [/oops]" in framed.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Terminal()
    ConsoleNotifier(plain).post(card())
    assert "\x1b" not in plain.getvalue()
    assert "╭" not in plain.getvalue()


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_a_strangers_escape_codes_do_nothing(stream: io.StringIO) -> None:
    message = card()
    hostile = [{"type": "rich_text", "elements": [{"type": "rich_text_quote", "elements": [
        {"type": "text", "text": "a\x1b]0;owned\x07\x1b[2J\x9b31mb"}]}]}]  # fmt: skip
    from dataclasses import replace

    ConsoleNotifier(stream).post(replace(message, blocks=hostile))
    for code in ("\x1b]0", "\x07", "\x1b[2J", "\x9b"):
        assert code not in stream.getvalue()


def test_a_narrow_encoding_loses_characters_not_alerts() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    ConsoleNotifier(stream).post(card())
    assert b"needs an answer" in raw.getvalue()


def test_a_closed_pipe_is_not_sent() -> None:
    stream = io.StringIO()
    stream.close()
    notifier = ConsoleNotifier.__new__(ConsoleNotifier)
    notifier._stream, notifier._framed = stream, False
    with pytest.raises(NotSent):
        notifier.post(card())


def test_nothing_printed_can_be_looked_up() -> None:
    assert not ConsoleNotifier(io.StringIO()).can.finds
    with pytest.raises(CannotLook):
        ConsoleNotifier(io.StringIO()).find(Search("#alerts", "ob_1", NOON, NOON))
