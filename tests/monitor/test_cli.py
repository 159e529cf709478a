"""Is the command line quick, and does every run end as it should?"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from monitor import cli
from monitor.commands import App, pass_app
from monitor.config import ConfigError
from storage.errors import Busy, CannotOpen

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"scrapy", "praw", "sqlalchemy", "slack_sdk", "rich", "alembic", "twisted"}


def lowstar(*words: str, cwd: Path = ROOT, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "monitor", *words],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(cwd), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _spent() -> float:
    """Processor seconds of ended children: what a run costs, however busy the machine is."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_help_imports_nothing_heavy_and_is_quick() -> None:
    code = (
        "import sys\nfrom monitor.cli import outcome\nassert outcome(['--help']) == 0\n"
        "print(sorted({name.split('.')[0] for name in sys.modules}))"
    )
    best = 9.0
    for _ in range(3):
        before = _spent()
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        )
        best = min(best, _spent() - before)
    loaded = set(done.stdout.rpartition("[")[2].replace("'", "").rstrip("]\n").split(", "))
    assert not loaded & HEAVY
    assert best < 0.3


def test_help_lists_every_command_in_the_order_they_are_needed() -> None:
    done = lowstar("--help")
    assert done.returncode == 0
    listed = [line.split()[0] for line in done.stdout.partition("Commands:\n")[2].splitlines()]
    assert listed == list(cli.COMMANDS)


def test_completing_a_command_imports_none_of_them() -> None:
    names = [item.value for item in cli.cli.shell_complete(click.Context(cli.cli), "s")]
    assert names == ["score", "status", "serve", "schedule"]


def test_the_version_is_told() -> None:
    done = lowstar("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("lowstar ")


def test_an_unknown_command_is_wrong_usage_and_gets_a_hint() -> None:
    done = lowstar("stauts")
    assert done.returncode == 2
    assert 'Did you mean "status"?' in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_configuration_ends_with_2_and_its_lines(tmp_path: Path) -> None:
    (tmp_path / "lowstar.toml").write_text('[[brands]]\nname = ""\n[slack]\ntoken = "xoxb-1-secret"\n')
    done = lowstar("schedule", cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 2
    assert done.stderr.startswith("lowstar.toml: slack.token: a secret does not belong into this file")
    assert "secret\n" not in done.stdout + done.stderr
    assert done.stdout == ""


def test_a_missing_configuration_says_what_makes_one(tmp_path: Path) -> None:
    done = lowstar("check", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == 'lowstar.toml: there is no such file; "lowstar init" writes one\n'


def test_a_reader_that_goes_away_is_no_error_worth_words(tmp_path: Path) -> None:
    words = f"{sys.executable} -m monitor completion bash | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", words], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    assert done.returncode == cli.BROKEN_PIPE


class Boom(Exception):
    """Nobody expected this."""


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (
            ConfigError(["lowstar.toml: a: b", "lowstar.toml: c: d"]),
            2,
            "lowstar.toml: a: b\nlowstar.toml: c: d\n",
        ),
        (CannotOpen("cannot open\nx"), 1, "lowstar: cannot open x\n"),
        (Busy("another process is doing 'run'"), 75, "lowstar: another process is doing 'run'\n"),
        (KeyboardInterrupt(), 130, "\nStopped.\n"),
        (BrokenPipeError(), 141, ""),
        (click.UsageError("no"), 2, "Error: no\n"),
        (click.ClickException("no"), 1, "Error: no\n"),
        (Boom("token xoxb-1-secretword"), 1, 'This is a fault in lowstar. "lowstar --debug …" shows where'),
    ],
)
def test_every_end_has_its_code_and_its_words(
    error: BaseException,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(cli.cli, "invoke", fail)
    if isinstance(error, BrokenPipeError):
        monkeypatch.setattr(os, "dup2", lambda *_: None)
    assert cli.outcome(["x"]) == code
    told = capfd.readouterr().err
    assert said in told
    assert "secretword" not in told
    assert "Traceback" not in told


def test_debug_shows_the_traceback_without_secrets(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise Boom("token xoxb-1-secretword")

    monkeypatch.setattr(cli.cli, "invoke", fail)
    assert cli.outcome(["--debug", "run"]) == 1
    told = capfd.readouterr().err
    assert "Traceback" in told
    assert "Boom" in told
    assert "secretword" not in told


def test_what_is_said_before_the_command_reaches_it(tmp_path: Path) -> None:
    seen: list[App] = []

    @click.command()
    @pass_app
    def command(app: App) -> None:
        seen.append(app)

    cli.cli.add_command(command, "test-only")
    try:
        words = ["--config", str(tmp_path / "x.toml"), "-vv", "--debug", "test-only"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cli.LazyGroup, "resolve_command", click.Group.resolve_command)
            assert CliRunner().invoke(cli.cli, words).exit_code == 0
    finally:
        cli.cli.commands.pop("test-only")
    assert seen == [App(tmp_path / "x.toml", 2, True)]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_and_how_to_install_it(shell: str) -> None:
    from monitor.commands.completion import command

    done = CliRunner().invoke(command, [shell])
    assert done.exit_code == 0
    assert done.output.startswith("# To install: ")
    assert "_LOWSTAR_COMPLETE" in done.output
