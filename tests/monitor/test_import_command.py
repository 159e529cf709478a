"""`lowstar import` from the command line: what came in, what did not, and where."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor.cli import cli
from storage.records import RunOutcome
from storage.store import open_store

TOML = """\
[store]
url = "sqlite:///lowstar.db"
[[brands]]
name = "Acme"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lowstar.toml").write_text(TOML)
    (tmp_path / "a.csv").write_text(
        "Review,Rating,Author,Date\nIt broke after a day,1,Ann,2026-11-20\nFine,5,Bob,2026-11-21\n,,Cid,\n"
    )
    return tmp_path


def lowstar(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["--config", str(folder / "lowstar.toml"), *words], standalone_mode=False)


def test_a_file_is_taken_in_once_and_bad_rows_are_named(folder: Path) -> None:
    first = lowstar(folder, "import", str(folder / "a.csv"), "--source", "shop")
    assert first.exception is None
    assert first.return_value == 1  # a row could not be read
    assert "2 read, 2 new, 1 with faults" in first.output
    assert "text=Review, author=Author, stars=Rating, date=Date" in first.output
    assert "a.csv: line 4: it has neither words nor stars" in first.output
    again = lowstar(folder, "import", str(folder / "a.csv"), "--source", "shop")
    assert "2 read, 0 new, 2 known, 1 with faults" in again.output
    with open_store(f"sqlite:///{folder / 'lowstar.db'}") as store, store.reading() as ledger:
        assert ledger.mention_count() == 2
        run = ledger.last_runs()["shop"]
    assert (run.outcome, run.found, run.failed) == (RunOutcome.PARTIAL, 2, 1)


def test_what_is_new_to_a_source_is_filed_and_announced_only_where_asked(folder: Path) -> None:
    quiet = lowstar(folder, "import", str(folder / "a.csv"))
    assert "all was filed, nothing announced" in quiet.output
    (folder / "b.csv").write_text("Review,Rating,Date\nIt caught fire and burned my hand,1,2026-11-22\n")
    loud = lowstar(folder, "import", str(folder / "b.csv"), "--source", "other", "--alert")
    assert "1 need an answer" in loud.output or "1 to be answered" in loud.output


def test_a_dry_run_shows_a_line_each_and_keeps_nothing(folder: Path) -> None:
    done = CliRunner().invoke(
        cli,
        ["--config", str(folder / "lowstar.toml"), "import", str(folder / "a.csv"), "--dry-run"],
        standalone_mode=False,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["text"] for line in lines] == ["It broke after a day", "Fine"]
    assert "nothing was kept" in done.stderr
    assert not (folder / "lowstar.db").exists()


def test_one_file_that_cannot_be_read_costs_no_other(folder: Path) -> None:
    done = lowstar(folder, "import", str(folder / "none.csv"), str(folder / "a.csv"))
    assert "none.csv: there is no such file" in done.output
    assert "a.csv: 2 read, 2 new" in done.output
    assert done.return_value == 1


def test_wrong_words_say_what_is_allowed(folder: Path) -> None:
    kind = lowstar(folder, "import", str(folder / "a.csv"), "--kind", "paper")
    assert "--kind: found 'paper'; allowed: google-business" in str(kind.exception)
    brand = lowstar(folder, "import", str(folder / "a.csv"), "--about", "Nobody")
    assert "there is no brand 'Nobody'; allowed: Acme" in str(brand.exception)
    wrong = lowstar(folder, "import", str(folder / "a.csv"), "--map", "text=Nothing")
    assert "there is no column 'Nothing'; there are: 'Review', 'Rating'" in wrong.output
    assert wrong.return_value == 1
