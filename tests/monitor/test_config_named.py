"""Secrets of single sources, and the kinds that need them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from monitor.config import Config, ConfigError, read_config
from monitor.config_named import imap_password, missing_secret

MAILBOX = {"kind": "imap", "host": "imap.example.com", "user": "us", "senders": ["noreply@booking.com"]}


def config(*sources: dict[str, Any], environ: dict[str, str] | None = None, folder: str = ".") -> Config:
    document = {"brands": [{"name": "Acme"}], "sources": list(sources)}
    return read_config(document, Path(folder) / "lowstar.toml", environ or {})


def problems(*sources: dict[str, Any], environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        config(*sources, environ=environ)
    return refused.value.problems


def test_a_mailbox_of_its_own_has_a_password_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("abcd efgh ijkl\n")
    read = config(
        {"name": "bookings", **MAILBOX},
        {"name": "Trust-Pilot", **MAILBOX},
        environ={"LOWSTAR_IMAP_PASSWORD": "all", "LOWSTAR_IMAP_TRUST_PILOT_PASSWORD_FILE": "password"},
        folder=str(tmp_path),
    )
    assert [imap_password(one.name, read.keys) for one in read.sources] == ["all", "abcd efgh ijkl"]
    assert "abcd" not in repr(read)


def test_a_mailbox_without_a_password_is_off_and_says_how_to_switch_it_on() -> None:
    (source,) = config({"name": "bookings", **MAILBOX}).sources
    assert "LOWSTAR_IMAP_BOOKINGS_PASSWORD" in missing_secret(source, {})
    assert missing_secret(source, {"LOWSTAR_IMAP_PASSWORD": "x"}) == ""


def test_a_mailbox_is_encrypted_and_has_its_usual_port() -> None:
    ports = [
        config({"name": "m", **MAILBOX, **more}).sources[0].options["port"]
        for more in ({}, {"security": "starttls"}, {"port": 1993})
    ]
    assert ports == [993, 143, 1993]
    (problem,) = problems({"name": "m", **MAILBOX, "security": "none"})
    assert "never sent over an open line" in problem


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"senders": []}, "senders"),
        ({"senders": ["booking.com"]}, "hosts behind an @"),
        ({"host": "imap.example.com/x"}, "a server such as"),
        ({"password": "hunter2"}, "unknown key"),
    ],
)
def test_what_is_wrong_with_a_mailbox_is_named(change: dict[str, Any], said: str) -> None:
    (problem,) = problems({"name": "m", **MAILBOX, **change})
    assert said in problem
    assert "hunter2" not in problem


def test_without_senders_nothing_is_opened() -> None:
    told = {name: value for name, value in MAILBOX.items() if name != "senders"}
    (problem,) = problems({"name": "m", **told})
    assert "senders: missing" in problem


HOOK = {"name": "tik-tok", "kind": "webhook"}


def test_a_webhook_has_a_token_or_a_secret_of_its_own() -> None:
    (source,) = config(HOOK).sources
    assert "LOWSTAR_HOOK_TIK_TOK_TOKEN" in missing_secret(source, {})
    for name in ("LOWSTAR_HOOK_TIK_TOK_TOKEN", "LOWSTAR_HOOK_TIK_TOK_SECRET"):
        read = config(HOOK, environ={name: "a-token-of-our-own-1"})
        assert missing_secret(source, read.keys) == ""
        assert "a-token-of" not in repr(read)


def test_a_short_token_and_two_names_for_one_variable_are_mistakes() -> None:
    (short,) = problems(HOOK, environ={"LOWSTAR_HOOK_TIK_TOK_TOKEN": "hunter2"})
    assert "at least 16 characters" in short
    assert "hunter2" not in short
    (shared,) = problems(HOOK, {"name": "tik_tok", "kind": "webhook"})
    assert "share LOWSTAR_HOOK_TIK_TOK_TOKEN" in shared


def test_a_path_for_a_field_that_is_none_is_a_mistake() -> None:
    (problem,) = problems({**HOOK, "fields": {"words": "a.b"}})
    assert "unknown field" in problem
    assert "in_reply_to" in problem
    (other,) = problems({**HOOK, "fields": {"text": 7}})
    assert "fields.text" in other
