"""What does every command share? One module a command, each with a click object named `command`.

Imported for `lowstar --help` too: nothing heavy here. Configuration is read when a command asks for it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from monitor.config import Config
    from storage.store import Store

IMPORTED = "import"  # the source of what is imported without naming one
FINE, FAILED, WRONG_USAGE, BUSY, INTERRUPTED = 0, 1, 2, 75, 130
"""Exit codes: fine; something failed and was said; wrong usage or configuration; another run is at it."""


@dataclass(frozen=True, slots=True)
class App:
    """What was said before the command's name: `lowstar --config X -v run`."""

    config_path: Path | None = None
    verbosity: int = 0  # -q lowers it, -v raises it
    debug: bool = False

    def config(self) -> Config:
        """lowstar.toml and the environment, checked; ConfigError (exit 2) names every mistake."""
        from monitor.config import load_config

        return load_config(self.config_path, os.environ)


pass_app = click.make_pass_decorator(App, ensure=True)
"""Hands the `App` to a command; a default one where the command is called on its own, as in a test."""


def sqlite_path(store_url: str) -> Path | None:
    """Where the SQLite file of a checked `store_url` is; None on PostgreSQL."""
    if not store_url.startswith("sqlite:///"):
        return None
    return Path(store_url.removeprefix("sqlite:///").partition("?")[0])


def existing_store(config: Config) -> Store:
    """The store, for commands that only look: they never make a database where there is none.

    Raises ClickException when nothing has been collected yet, StoreError when it cannot be opened.
    """
    from storage.store import open_store

    path = sqlite_path(config.store_url)
    if path is not None and not path.exists():
        raise click.ClickException(
            f'Nothing has been collected yet ({path} is not there). Start with "lowstar run".'
        )
    return open_store(config.store_url)
