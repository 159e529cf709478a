"""Can a case be lived through from a terminal, and is what cannot be done said in words?"""

from __future__ import annotations

import getpass
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from shelf import add_case, settings

from monitor.cli import cli
from storage.records import Case, CaseStatus, Priority
from storage.store import Store, open_store

NOW = datetime.now(UTC)
MORE = """\
[people.alice]
name = "Alice Adams"
slack = "U01ALICE7"
[people.bob]
[[escalation]]
people = ["bob"]
[[playbooks]]
name = "late parcels"
topics = ["delivery"]
replies = ["Dear {author}, {brand} is sorry. Your {colour} case: {case}."]
may_decide = "a voucher of 10 without asking"
next_step = "ask the courier"
owner_team = "logistics"
[customers]
file = "customers.csv"
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store with three cases, beside a lowstar.toml with people in it."""
    monkeypatch.delenv("LOWSTAR_ACTOR", raising=False)
    settings(tmp_path, MORE)
    (tmp_path / "customers.csv").write_text("handle,name,value\nj.doe,Jane,900\n,broken,\n", encoding="utf-8")
    store = open_store(f"sqlite:///{tmp_path}/lowstar.db")
    for text in ("They lost my parcel", "It never came", "Broken on arrival"):
        add_case(store, NOW, text, author="J.Doe")
    return store


def lowstar(folder: Path, *words: str, actor: str | None = "alice") -> Result:
    env = {"COLUMNS": "100", "LOWSTAR_ACTOR": actor}
    return CliRunner(env=env).invoke(cli, ["--config", str(folder / "lowstar.toml"), *words])


def cases(folder: Path, *words: str, actor: str | None = "alice") -> str:
    done = lowstar(folder, "cases", *words, actor=actor)
    assert done.exit_code == 0, done.output
    return done.output


def refused(folder: Path, *words: str, actor: str | None = "alice") -> str:
    done = lowstar(folder, "cases", *words, actor=actor)
    assert done.exit_code == 1, done.output
    return done.output


def case(store: Store, number: int = 1) -> Case:
    with store.reading() as ledger:
        found = ledger.case(number)
    assert found is not None
    return found


def test_a_case_is_lived_through_from_a_terminal(shop: Store, tmp_path: Path) -> None:
    said = cases(tmp_path, "claim", "REP-1")
    assert said.startswith("REP-0001 claimed. Now: claimed, owner Alice Adams, due in 1 h (")
    assert case(shop).owner == "U01ALICE7"
    assert "Alice Adams took this" in refused(tmp_path, "claim", "1", "--as", "bob")
    said = cases(
        tmp_path, "answer", "1", "Sorry!", "--link", "https://shop.example/r/1#a", "--promise", "a new one",
        "--by", "2d",
    )  # fmt: skip
    assert "answered Sorry! (https://shop.example/r/1#a); promised a new one, by" in said
    assert "Now: answered, owner Alice Adams." in said
    assert "“a new one” is promised by" in refused(tmp_path, "resolve", "1")
    assert "promise moved" in cases(tmp_path, "extend", "1", "--by", "3d")
    assert "promise kept a new one" in cases(tmp_path, "keep", "1")
    assert "Now: resolved" in cases(tmp_path, "resolve", "1", "sent", "a", "new", "one")
    assert "REP-0001 is closed: reopen it first." in refused(tmp_path, "claim", "1")
    assert "Now: open, due in 4 h" in cases(tmp_path, "reopen", "1", "broken", "again", actor="bob")
    assert case(shop).outcome == ""


def test_every_other_action_has_its_word(shop: Store, tmp_path: Path) -> None:
    assert "level 2 of 2" in cases(tmp_path, "escalate", "1", "legal threat")
    assert "Now: open, snoozed until" in cases(tmp_path, "snooze", "1", "--until", "tomorrow")
    assert "Now: open, due in" in cases(tmp_path, "unsnooze", "1")
    assert "owner bob" in cases(tmp_path, "assign", "1", "bob")
    assert "it was bob's" in cases(tmp_path, "release", "1")
    assert "promised call back, by" in cases(
        tmp_path, "promise", "1", "call", "back", "--by", "tuesday 10:00"
    )
    assert "promise dropped call back: not needed" in cases(tmp_path, "drop", "1", "not", "needed")
    assert "noted hm" in cases(tmp_path, "note", "1", "hm")
    assert "more urgent: high to urgent" in cases(tmp_path, "correct", "1", "more-urgent")
    assert case(shop).priority is Priority.URGENT
    assert "a duplicate of REP-0001" in cases(tmp_path, "dismiss", "2", "--why", "duplicate", "--of", "1")
    assert "not about us" in cases(tmp_path, "dismiss", "3", "--why", "not-us")
    assert case(shop, 3).status is CaseStatus.DISMISSED
    with shop.reading() as ledger:
        assert [one.wrong for one in ledger.corrections()] == ["more_urgent", "not_us"]


def test_who_acts_is_said_or_known(shop: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "carla")
    cases(tmp_path, "claim", "1", actor=None)
    cases(tmp_path, "claim", "2", actor="bob")
    cases(tmp_path, "claim", "3", "--as", "alice", actor="bob")
    assert [case(shop, number).owner for number in (1, 2, 3)] == ["carla", "bob", "U01ALICE7"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["claim", "seven"], "is no case number"),
        (["claim", "0"], "is no case number"),
        (["promise", "1", "x", "--by", "soon"], "'soon' is no time; allowed: \"2026-12-01 10:00\""),
        (["answer", "1", "--promise", "x"], "A promise has a date: --by"),
        (["dismiss", "1"], "Missing option '--why'"),
        (["snooze", "1"], "Missing option '--until'"),
    ],
)
def test_wrong_usage_is_said_and_nothing_is_done(
    shop: Store, tmp_path: Path, words: list[str], said: str
) -> None:
    done = lowstar(tmp_path, "cases", *words)
    assert done.exit_code == 2
    assert said in done.output
    assert case(shop).version == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["claim", "99"], "There is no case REP-0099."),
        (["keep", "1"], "No promise is owed in REP-0001."),
        (["release", "1"], "Nobody has REP-0001."),
        (["assign", "1", "bbo"], "There is no 'bbo' in [people]: alice, bob."),
        (["snooze", "1", "--until", "2020-01-01"], "is past: a snooze is for later."),
        (["answer", "1", "--link", "shop.example"], "The link is no web address"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_done(
    shop: Store, tmp_path: Path, words: list[str], said: str
) -> None:
    assert said in refused(tmp_path, *words)
    assert case(shop).version == 1


def test_show_tells_all_there_is_to_know(shop: Store, tmp_path: Path) -> None:
    cases(tmp_path, "claim", "1")
    cases(tmp_path, "promise", "1", "a", "new", "one", "--by", "2d")
    shown = " ".join(cases(tmp_path, "show", "REP-0001").split())
    for words in (
        "claimed, by Alice Adams, due in 1 h",
        ", due in 1 h brand",
        "known Customer: Jane, value 900",
        "Has written here before: 2 times; earlier cases: REP-0003 (open), REP-0002 (open)",
        "Open cases like this one: 2: REP-0002, REP-0003",
        "promised 1: a new one, by",
        "Alice Adams: due in 47 h",
        "Playbook: late parcels",
        "you may a voucher of 10 without asking",
        "next ask the courier",
        "team logistics",
        "Dear J.Doe, Acme is sorry. Your [colour?] case: REP-0001.",
        "Alice Adams claimed",
    ):
        assert words in shown, words
    plain = json.loads(cases(tmp_path, "show", "1", "--json"))
    assert plain["promises"][0]["text"] == "a new one"
    assert plain["context"][0] == "Customer: Jane, value 900"
    assert plain["version"] == 3


def test_what_is_late_says_so(shop: Store, tmp_path: Path) -> None:
    add_case(shop, NOW - timedelta(hours=3), "Still waiting")
    assert "1 h late" in cases(tmp_path, "show", "4")


def test_check_tells_what_is_wrong_with_playbooks_and_customers(shop: Store, tmp_path: Path) -> None:
    said = " ".join(lowstar(tmp_path, "check").output.split())
    assert "{colour} is no placeholder" in said
    assert "customers.csv: line 3: no handle" in said
    assert "customers.csv: 1 customers" in said or "customers.csv: 1 customer" in said


def test_each_run_lets_the_clocks_ring(shop: Store, tmp_path: Path) -> None:
    with shop.transaction() as ledger:
        running = ledger.case(1)
        assert running is not None
        ledger.save_case(replace(running, respond_by=NOW - timedelta(hours=1), wake_at=NOW, version=2), 1)
    done = lowstar(tmp_path, "run", "--no-crawl")
    assert done.exit_code == 0, done.output
    assert "Late: REP-0001 has had no answer for 2 h" in done.output
    assert case(shop).level == 2
    again = lowstar(tmp_path, "run", "--no-crawl")
    assert "Late" not in again.output
