"""Do the lists show what must be answered first, whatever strangers wrote into it?"""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from shelf import add_case, settings

from monitor.cli import cli
from monitor.view import safe, written
from storage.records import CaseStatus, DatePrecision, Mention, Priority
from storage.store import Store, open_store

NOW = datetime.now(UTC)
NASTY = (
    "Never again\x1b[31m red\x07\n\x9b2J second line \u202egnirts\u2066 "
    "[bold]not bold[/bold] :boom: \u200bend"
)


@pytest.fixture
def shop(tmp_path: Path) -> Store:
    """A store beside a lowstar.toml."""
    settings(tmp_path)
    return open_store(f"sqlite:///{tmp_path}/lowstar.db")


def lowstar(folder: Path, *words: str, columns: int = 80) -> Result:
    return CliRunner(env={"COLUMNS": str(columns)}).invoke(
        cli, ["--config", str(folder / "lowstar.toml"), *words]
    )


def test_the_worst_case_comes_first(shop: Store, tmp_path: Path) -> None:
    add_case(shop, NOW, "It was late", priority=Priority.NORMAL, stars=3)
    add_case(shop, NOW, "They lost my parcel", priority=Priority.URGENT)
    add_case(shop, NOW, "Rude on the phone", priority=Priority.HIGH, stars=2)
    done = lowstar(tmp_path, "cases", "list")
    assert done.exit_code == 0, done.output
    names = [line.split()[:2] for line in done.output.splitlines() if line.startswith("REP-")]
    assert names == [["REP-0002", "urgent"], ["REP-0003", "high"], ["REP-0001", "normal"]]
    assert "due in 1 h" in done.output
    assert "The Shop" in done.output


@pytest.mark.parametrize("columns", [40, 80, 99, 100, 160, 250])
def test_every_line_fits_the_terminal(shop: Store, tmp_path: Path, columns: int) -> None:
    add_case(shop, NOW, NASTY * 20, brand="Kaffa")
    add_case(shop, NOW, "非常糟糕的服务" * 40, source="no-longer-there", author="x" * 200)
    for words in (["cases", "list"], ["cases", "show", "1"], ["cases", "show", "2"]):
        done = lowstar(tmp_path, *words, columns=columns)
        assert done.exit_code == 0, done.output
        long = [line for line in done.output.splitlines() if cell_len(line) > columns]
        assert not [line for line in long if "https://" not in line], long


def test_a_wide_terminal_gets_one_line_a_case(shop: Store, tmp_path: Path) -> None:
    add_case(shop, NOW, "They lost my parcel")
    add_case(shop, NOW, "Rude on the phone")
    assert len(lowstar(tmp_path, "cases", "list", columns=120).output.splitlines()) == 2
    assert len(lowstar(tmp_path, "cases", "list", columns=80).output.splitlines()) == 4


def test_strangers_words_stay_words(shop: Store, tmp_path: Path) -> None:
    add_case(shop, NOW, NASTY, author=NASTY, title=NASTY)
    for words in (["cases", "list"], ["cases", "show", "REP-0001"]):
        said = lowstar(tmp_path, *words).output
        odd = [c for c in said if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs")]
        assert odd == []
    assert "[bold]not bold[/bold] :boom: end" in " ".join(said.split())


@given(st.text())
def test_safe_text_is_one_line_of_visible_characters(text: str) -> None:
    shown = safe(text)
    assert all(
        c in "\u200c\u200d" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in shown
    )


def test_closed_cases_are_shown_on_demand(shop: Store, tmp_path: Path) -> None:
    add_case(shop, NOW, "Old story", status=CaseStatus.RESOLVED)
    assert "no open case" in lowstar(tmp_path, "cases", "list").output
    assert "resolved" in lowstar(tmp_path, "cases", "list", "--all").output


def test_lists_can_be_narrowed(shop: Store, tmp_path: Path) -> None:
    add_case(shop, NOW, "About Acme")
    add_case(shop, NOW, "About Kaffa", brand="Kaffa")
    add_case(shop, NOW, "More of Acme")
    said = lowstar(tmp_path, "cases", "list", "--brand", "Kaffa", "--source", "shop").output
    assert said.count("REP-") == 1
    assert "REP-0002" in said
    assert "--limit 4 shows them" in lowstar(tmp_path, "cases", "list", "--limit", "2").output
    wrong = lowstar(tmp_path, "cases", "list", "--brand", "Kafa")
    assert wrong.exit_code == 2
    assert 'did you mean "Kaffa"?' in wrong.output


def test_json_is_for_machines(shop: Store, tmp_path: Path) -> None:
    add_case(shop, NOW, NASTY)
    (one,) = json.loads(lowstar(tmp_path, "cases", "list", "--json").output)
    assert (one["case"], one["priority"], one["stars"], one["status"]) == ("REP-0001", "high", 1.0, "open")
    assert one["reasons"] == ["1 of 5 stars", "says “never”"]
    assert datetime.fromisoformat(one["respond_by"]) == NOW + timedelta(hours=2)
    shown = json.loads(lowstar(tmp_path, "cases", "show", "rep-1", "--json").output)
    assert shown["events"][0]["action"] == "opened"
    assert shown["text"] == one["text"]


def test_show_says_all_there_is(shop: Store, tmp_path: Path) -> None:
    add_case(shop, NOW, "First paragraph.\n\nSecond paragraph.", entity="The blue one")
    said = lowstar(tmp_path, "cases", "show", "#1").output
    for words in (
        "REP-0001",
        "high",
        "1★",
        "The blue one",
        "https://shop.example/r/1",
        "1 of 5 stars",
        "delivery",
    ):
        assert words in said
    assert "  First paragraph.\n\n  Second paragraph.\n" in said
    assert "lowstar opened 1 of 5 stars" in said


@pytest.mark.parametrize(("number", "code"), [("REP-0099", 1), ("999999999", 1), ("seven", 2), ("-1", 2)])
def test_a_case_that_is_not_there_is_said(shop: Store, tmp_path: Path, number: str, code: int) -> None:
    done = lowstar(tmp_path, "cases", "show", number)
    assert done.exit_code == code
    assert "Traceback" not in done.output


def test_looking_never_makes_a_database(tmp_path: Path) -> None:
    settings(tmp_path)
    done = lowstar(tmp_path, "cases", "list")
    assert done.exit_code == 1
    assert 'Start with "lowstar run"' in done.output
    assert not (tmp_path / "lowstar.db").exists()


@pytest.mark.parametrize(
    ("precision", "shown"),
    [
        (DatePrecision.SECOND, "2026-03-01 19:30 EST"),
        (DatePrecision.DAY, "2026-03-02"),
        (DatePrecision.MONTH, "2026-03"),
        (DatePrecision.RELATIVE, "about 2026-03-01 19:30 EST"),
    ],
)
def test_a_date_is_never_shown_more_exactly_than_it_is_known(precision: DatePrecision, shown: str) -> None:
    at = datetime(2026, 3, 2, 0, 30, tzinfo=UTC)
    mention = Mention(source="s", external_id="1", published_at=at, date_precision=precision)
    assert written(mention, "America/New_York") == shown
