"""Does a file hold everything, and run nothing?"""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from shelf import add_case, settings

from monitor.cli import cli
from monitor.export import COLUMNS, FORMULA, defused, write
from storage.records import CaseStatus
from storage.store import Store, open_store
from storage.wanted import Wanted

NOW = datetime.now(UTC)
DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =cmd|' /C calc'!A0", "＝1"]


@pytest.fixture
def shop(tmp_path: Path) -> Store:
    settings(tmp_path)
    return open_store(f"sqlite:///{tmp_path}/lowstar.db")


def lowstar(folder: Path, *words: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["--config", str(folder / "lowstar.toml"), *words], input=typed)


def test_a_row_a_mention_with_names_above(shop: Store, tmp_path: Path) -> None:
    add_case(shop, NOW, 'They "lost", my\nparcel', author="Maya", stars=1.5)
    done = lowstar(tmp_path, "export")
    assert done.exit_code == 0, done.output
    assert done.stdout_bytes.startswith(b"\xef\xbb\xbfmention_id,")
    (row,) = csv.DictReader(io.StringIO(done.stdout_bytes.decode("utf-8-sig"), newline=""))
    assert tuple(row) == COLUMNS
    assert row["text"] == 'They "lost", my\nparcel'
    assert (row["stars"], row["case"], row["priority"]) == ("1.5", "REP-0001", "high")
    assert float(row["compound"]) == -0.8


@pytest.mark.parametrize("text", DANGEROUS)
def test_no_cell_of_a_table_runs(shop: Store, tmp_path: Path, text: str) -> None:
    add_case(shop, NOW, text, author=text, title=text, entity=text)
    done = lowstar(tmp_path, "export", "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(done.stdout_bytes.decode("utf-8-sig"), newline=""))
    for value in row.values():
        number = value.replace(".", "", 1).lstrip("-").isdigit()
        assert number or not value.lstrip().startswith(FORMULA), value
    assert row["text"].startswith("'")


def test_what_was_imported_is_exported_by_the_source_it_was_given(shop: Store, tmp_path: Path) -> None:
    add_case(shop, NOW, "from a file", source="import")
    add_case(shop, NOW, "from a source that is no longer configured", source="old-forum")
    add_case(shop, NOW, "from the shop")
    for source, text in (
        ("import", "from a file"),
        ("old-forum", "from a source that is no longer configured"),
    ):
        done = lowstar(tmp_path, "export", "--source", source, "--format", "jsonl")
        assert [json.loads(line)["text"] for line in done.stdout.splitlines()] == [text]
        listed = lowstar(tmp_path, "cases", "list", "--source", source, "--json")
        assert [one["text"] for one in json.loads(listed.stdout)] == [text], listed.output


def test_a_source_nothing_is_kept_of_is_still_a_slip(shop: Store, tmp_path: Path) -> None:
    done = lowstar(tmp_path, "export", "--source", "shpo")
    assert done.exit_code == 2
    assert 'did you mean "shop"?' in done.output
    assert lowstar(tmp_path, "export", "--source", "import").exit_code == 0  # though nothing was imported yet


@given(st.text(max_size=30))
def test_a_text_is_defused_or_as_it_was(text: str) -> None:
    made = defused(text)
    assert made in (text, "'" + text)
    assert not made.startswith(FORMULA)


@given(st.one_of(st.integers(), st.floats(allow_nan=False), st.booleans()))
def test_numbers_stay_numbers(number: float) -> None:
    assert defused(number) is number


def test_json_lines_hold_every_value_as_it_is(shop: Store, tmp_path: Path) -> None:
    add_case(shop, NOW, "=1+1 ☕", author="Maya")
    add_case(shop, NOW, "b", brand="Kaffa")
    path = tmp_path / "out.jsonl"
    done = lowstar(tmp_path, "export", "--to", str(path))
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [row["text"] for row in rows] == ["=1+1 ☕", "b"]
    assert rows[0]["topics"] == ["delivery"]
    assert path.stat().st_mode & 0o077 == 0
    assert list(tmp_path.glob("*.part")) == []


def test_days_brands_and_sources_narrow_it(shop: Store, tmp_path: Path) -> None:
    add_case(shop, NOW, "new")
    add_case(shop, NOW - timedelta(days=30), "old", brand="Kaffa")
    yesterday = (NOW - timedelta(days=1)).date().isoformat()

    def texts(*words: str) -> list[str]:
        done = lowstar(tmp_path, "export", "--format", "jsonl", *words)
        return [json.loads(line)["text"] for line in done.stdout.splitlines()]

    assert texts("--since", yesterday) == ["new"]
    assert texts("--until", yesterday) == ["new", "old"]
    assert texts("--brand", "Kaffa") == ["old"]
    assert "did you mean" in lowstar(tmp_path, "export", "--brand", "Kafa").output


def test_a_workbook_holds_texts_as_texts_and_numbers_as_numbers(shop: Store) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="the extra `xlsx` is not installed")
    add_case(shop, NOW, "=HYPERLINK(1)" + "x" * 40_000, author="#REF!")
    out = io.BytesIO()
    with shop.reading() as ledger:
        assert write(ledger.all_judged(Wanted()), out, "xlsx") == 1
    sheet = openpyxl.load_workbook(io.BytesIO(out.getvalue()))["mentions"]
    head, row = list(sheet.iter_rows())
    cells = {name.value: cell for name, cell in zip(head, row, strict=True)}
    assert cells["text"].data_type == cells["author"].data_type == "s"
    assert cells["text"].value.startswith("'=HYPERLINK")
    assert cells["stars"].data_type == "n"


def test_parquet_keeps_kinds(shop: Store) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra `parquet` is not installed")
    add_case(shop, NOW, "=1", stars=None)
    out = io.BytesIO()
    with shop.reading() as ledger:
        write(ledger.all_judged(Wanted()), out, "parquet")
    (row,) = parquet.read_table(io.BytesIO(out.getvalue())).to_pylist()
    assert row["text"] == "=1"
    assert row["stars"] is None
    assert row["reasons"] == ["1 of 5 stars", "says “never”"]
    assert row["posted_at"] == NOW - timedelta(days=1)


def test_a_person_is_forgotten_everywhere(shop: Store, tmp_path: Path) -> None:
    case = add_case(shop, NOW, "They lost my parcel", author="Maya")
    add_case(shop, NOW, "other", author="Bert")
    assert lowstar(tmp_path, "forget", "Maya").exit_code == 2  # nobody is there to be asked
    done = lowstar(tmp_path, "forget", "Maya", "--yes")
    assert done.exit_code == 0, done.output
    with shop.reading() as ledger:
        gone = ledger.reviewed(case.number)
        assert gone is not None
        assert gone.removed
        assert gone.mention.author == gone.mention.text == ""
        assert len(list(ledger.all_judged(Wanted()))) == 1
    assert "Nothing of" in lowstar(tmp_path, "forget", "Maya", "--yes").output


def test_what_is_older_than_wanted_is_deleted(shop: Store, tmp_path: Path) -> None:
    add_case(shop, NOW - timedelta(days=500), "old", status=CaseStatus.RESOLVED)
    add_case(shop, NOW, "new")
    assert "1 mentions" in lowstar(tmp_path, "purge", "--older-than", "400d", "--dry-run").output
    for wrong in ("1d", "soon", "99999999w"):
        assert lowstar(tmp_path, "purge", "--older-than", wrong, "--yes").exit_code == 2
    assert lowstar(tmp_path, "purge", "--older-than", "400d").exit_code == 2
    done = lowstar(tmp_path, "purge", "--older-than", "400d", "--yes")
    assert done.exit_code == 0, done.output
    with shop.reading() as ledger:
        assert ledger.mention_count() == 1
