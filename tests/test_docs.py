"""What can rot is tested: links lead somewhere, commands and kinds are documented, examples run."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.cli import COMMANDS
from monitor.config_kinds import KINDS

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    for target in _LINK.findall(page.read_text("utf-8")):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_readme_shows_every_command() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for command in COMMANDS:
        assert re.search(rf"`(lowstar )?{command}\b", readme), f"README.md does not show `lowstar {command}`"


def test_every_kind_of_source_is_in_the_readme_and_in_the_configuration() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    settings = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    for kind in KINDS:
        assert f"`{kind}`" in readme, f"README.md does not name the kind {kind}"
        assert kind in settings, f"docs/configuration.md does not name the kind {kind}"


def test_what_the_readme_pipes_into_score_gives_a_verdict() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    found = re.search(r"^\$ echo '(\{.*\})' \| lowstar score$", readme, re.M)
    assert found
    done = subprocess.run(
        [sys.executable, "-m", "monitor", "score"],
        input=found[1] + "\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert '"priority": "high"' in done.stdout


def test_every_command_of_the_runbook_exists_with_its_options() -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text("utf-8")
    said = re.findall(
        r"(?:^|[`$&|/ ])lowstar ((?:-[\w-]+ (?:[\w.]+ )?)?[a-z]+(?: [^`&|#\n]*)?)", runbook, re.M
    )
    found = 0
    for line in said:
        words = line.split()
        command = next((word for word in words if word in COMMANDS), None)
        if command is None:
            continue
        found += 1
        module, _, name = COMMANDS[command][0].partition(":")
        known = {"-v", "-q", "--quiet", "--config", "--help"}
        for parameter in getattr(importlib.import_module(module), name).params:
            known |= {*parameter.opts, *parameter.secondary_opts}
        for option in re.findall(r"(?<!\S)--?[a-z][\w-]*", line):
            assert option in known, f"docs/runbook.md: lowstar {line!r} has no option {option}"
    assert found > 30


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_worth_reading(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "monitor", command, "--help"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"Usage: lowstar {command}")
    assert len(done.stdout.splitlines()) >= 6
