"""Does the walk-through of CONTRIBUTING.md work as it stands?"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^(Into )?`([\w./]+)`:\n\n```\w+\n(.*?)^```$", re.M | re.S)
_COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.M | re.S)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the walk-through followed to the letter."""
    folder = tmp_path_factory.mktemp("checkout")
    no_caches = shutil.ignore_patterns("__pycache__")
    for package in ("spiders", "monitor", "alerts", "storage"):
        shutil.copytree(ROOT / package, folder / package, ignore=no_caches)
    for name in ("pyproject.toml", "docs/sources.md"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    for into, name, block in _BLOCK.findall(TEXT):
        if name == "APIS":
            path = folder / "monitor" / "config_apis.py"
            opening = "APIS: Mapping[str, Api] = {\n"
            before = path.read_text(encoding="utf-8")
            assert opening in before
            path.write_text(before.replace(opening, opening + block), encoding="utf-8")
        elif into:
            with (folder / name).open("a", encoding="utf-8") as file:
                file.write("\n" + block)
        else:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(block, encoding="utf-8")
    return folder


def ran(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=checkout,
        env={"PATH": os.environ["PATH"], "HOME": str(checkout), "PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_it_writes_one_file_one_answer_one_test_and_one_card() -> None:
    assert [name for _, name, _ in _BLOCK.findall(TEXT)] == [
        "spiders/presets/teapots.py",
        "APIS",
        "tests/pages/presets/teapots/page1.json",
        "tests/spiders/test_teapots.py",
        "docs/sources.md",
    ]


def test_its_test_passes(checkout: Path) -> None:
    done = ran(checkout, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/spiders/test_teapots.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_its_command_shows_what_would_be_collected(checkout: Path) -> None:
    commands = [line for block in _COMMANDS.findall(TEXT) for line in block.splitlines()]
    assert commands
    for command in commands:
        program, *words = command.split()
        assert program == "lowstar"
        done = ran(checkout, "-m", "monitor", *words)
        assert done.returncode == 0, done.stderr
        assert [json.loads(line)["external_id"] for line in done.stdout.splitlines()] == ["7", "8"]


def test_the_new_kind_can_be_configured_and_found(checkout: Path) -> None:
    toml = '[[brands]]\nname = "Acme"\n[[sources]]\nname = "pots"\nkind = "teapots"\nqueries = ["Acme"]\n'
    (checkout / "lowstar.toml").write_text(toml)
    done = ran(checkout, "-m", "monitor", "check")
    assert "source pots: teapots, every 1 h" in done.stdout, done.stdout + done.stderr


def test_every_file_it_points_to_is_there() -> None:
    told = set(re.findall(r"`((?:spiders|tests|docs|monitor)/[\w./]+)`", TEXT))
    new = {name for _, name, _ in _BLOCK.findall(TEXT)}
    for name in told - new:
        assert (ROOT / name).exists(), name
