"""Does the crontab line call lowstar as often as asked, and does installing it twice change nothing?"""

from __future__ import annotations

import os
import stat
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from shelf import settings

from monitor.cli import cli
from monitor.commands import schedule
from monitor.commands.schedule import cron_command, cron_time, crontab_lines, merged

FAKE_CRONTAB = """#!/bin/sh
case "$1" in
  -l) if [ -f "{tab}" ]; then cat "{tab}"; else echo "no crontab for me" >&2; exit 1; fi ;;
  -) cat > "{tab}" ;;
esac
"""


@pytest.fixture
def crontab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `crontab` that keeps its table in a file."""
    tab, folder = tmp_path / "tab", tmp_path / "bin"
    folder.mkdir()
    program = folder / "crontab"
    program.write_text(FAKE_CRONTAB.format(tab=tab))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return tab


@pytest.mark.parametrize(
    ("every", "fields"),
    [
        ([timedelta(minutes=5), timedelta(hours=1)], "*/5 * * * *"),
        ([timedelta(minutes=7)], "*/6 * * * *"),
        ([timedelta(seconds=30)], "* * * * *"),
        ([timedelta(minutes=45)], "*/30 * * * *"),
        ([timedelta(hours=6)], "7 * * * *"),
        ([], "7 * * * *"),
    ],
)
def test_cron_calls_at_least_as_often_as_the_quickest_source_asks(
    every: list[timedelta], fields: str
) -> None:
    assert cron_time(every) == fields


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\n\r"), min_size=1, max_size=30)
)
def test_any_path_reaches_the_program_through_cron_and_sh(word: str) -> None:
    line = cron_command(["printf", "%s", word])
    # cron: an unescaped % ends the command, \\% is a %.
    assert "%" not in line.replace("\\%", "")
    command = line.replace("\\%", "%")
    done = subprocess.run(["sh", "-c", command], capture_output=True, check=True)
    assert done.stdout.decode() == word


def test_the_lines_hold_absolute_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = settings(tmp_path)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["schedule"])
    assert done.exit_code == 0, done.output
    begin, line, end = done.output.splitlines()
    assert begin.startswith(f"# lowstar begin: {path}")
    assert end == f"# lowstar end: {path}"
    assert line.startswith(f"*/15 * * * * cd {tmp_path} && ")
    assert line.endswith(f" --config {path} --quiet run")
    program = line.partition("&& ")[2].split()
    assert Path(next(word for word in program if word.startswith("/"))).exists()


def test_the_line_really_starts_lowstar(tmp_path: Path) -> None:
    path = settings(tmp_path)
    line = crontab_lines(path, [], schedule.program())[1]
    command = line.partition("* * * * ")[2].replace("--quiet run", "--version").replace("\\%", "%")
    done = subprocess.run(
        ["sh", "-c", command], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("lowstar ")


def test_installing_twice_changes_nothing_and_keeps_what_was_there(tmp_path: Path, crontab: Path) -> None:
    path = settings(tmp_path)
    crontab.write_text("MAILTO=me\n0 1 * * * backup\n")
    runner = CliRunner()
    assert runner.invoke(cli, ["--config", str(path), "schedule", "--install"]).exit_code == 0
    first = crontab.read_text()
    assert first.startswith("MAILTO=me\n0 1 * * * backup\n# lowstar begin")
    again = runner.invoke(cli, ["--config", str(path), "schedule", "--install"])
    assert "nothing to change" in again.output
    assert crontab.read_text() == first


def test_a_changed_schedule_takes_the_place_of_the_old_one(tmp_path: Path, crontab: Path) -> None:
    path = settings(tmp_path)
    runner = CliRunner()
    runner.invoke(cli, ["--config", str(path), "schedule", "--install"])
    crontab.write_text(crontab.read_text() + "0 2 * * * after\n")
    path.write_text(path.read_text().replace('"15m"', '"5m"'))
    runner.invoke(cli, ["--config", str(path), "schedule", "--install"])
    text = crontab.read_text()
    assert "*/5 * * * *" in text
    assert "*/15" not in text
    assert text.endswith("0 2 * * * after\n")
    assert text.count("lowstar begin") == 1


def test_two_configurations_have_a_block_each(tmp_path: Path) -> None:
    one = crontab_lines(tmp_path / "a.toml", [], ["lowstar"])
    two = crontab_lines(tmp_path / "b.toml", [], ["lowstar"])
    both = merged(merged("", one), two)
    assert merged(both, one) == both
    assert merged(both, two) == both
    assert both.count("lowstar begin") == 2


def test_a_block_without_its_end_swallows_nothing(tmp_path: Path) -> None:
    lines = crontab_lines(tmp_path / "a.toml", [], ["lowstar"])
    text = merged(f"{lines[0]}\n0 1 * * * backup\n", lines)
    assert "0 1 * * * backup" in text


def test_a_crontab_that_cannot_be_read_is_left_alone(
    tmp_path: Path, crontab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "crontab"
    program.write_text(
        '#!/bin/sh\n[ "$1" = -l ] && { echo "you are not allowed" >&2; exit 1; }\ntouch "$0.written"\n'
    )
    done = CliRunner().invoke(cli, ["--config", str(settings(tmp_path)), "schedule", "--install"])
    assert done.exit_code == 1
    assert "not allowed" in done.output
    assert not (tmp_path / "bin" / "crontab.written").exists()


def test_without_cron_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = CliRunner().invoke(cli, ["--config", str(settings(tmp_path)), "schedule", "--install"])
    assert done.exit_code == 1
    assert 'no "crontab" on this machine' in done.output
