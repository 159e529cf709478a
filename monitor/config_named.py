"""Which secrets belong to one source alone? Variables that carry its name: LOWSTAR_HOOK_<SOURCE>_TOKEN and so on.

As all secrets they come from the environment, or from the file that `…_FILE` names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path

from monitor.config_secrets import read_value
from monitor.config_shape import Source

TOKEN_MIN = 16  # characters; shorter ones are guessed
IMAP_PASSWORD = "LOWSTAR_IMAP_PASSWORD"  # noqa: S105 - the name of a variable, no secret


STRETCH = timedelta(minutes=15)  # of a stream's time, told as a crawl run


def stream_name(source: str) -> str:
    """Under which name the runs of a source's stream stand, beside those of its crawl.

    >>> stream_name("bluesky")
    'bluesky (stream)'
    """
    return f"{source} (stream)"


def word_of(source: str) -> str:
    """A source's name as it stands in a variable.

    >>> word_of("tik-tok 2")
    'TIK_TOK_2'
    """
    return re.sub(r"\W+", "_", source, flags=re.ASCII).strip("_").upper() or "_"


def imap_variable(source: str) -> str:
    """The password of this mailbox alone."""
    return f"LOWSTAR_IMAP_{word_of(source)}_PASSWORD"


def imap_password(source: str, keys: Mapping[str, str]) -> str:
    """The password of a mailbox: its own, else the one for all; "" where none is set."""
    return keys.get(imap_variable(source)) or keys.get(IMAP_PASSWORD, "")


def hook_variable(source: str, what: str) -> str:
    """Where the token ("TOKEN") or the signing secret ("SECRET") of a webhook stands.

    >>> hook_variable("survey", "TOKEN")
    'LOWSTAR_HOOK_SURVEY_TOKEN'
    """
    return f"LOWSTAR_HOOK_{word_of(source)}_{what}"


def hook_token(source: str, keys: Mapping[str, str]) -> str:
    """What a sender shows; "" where none is set."""
    return keys.get(hook_variable(source, "TOKEN"), "")


def hook_secret(source: str, keys: Mapping[str, str]) -> str:
    """What a sender signs with; "" where none is set."""
    return keys.get(hook_variable(source, "SECRET"), "")


def read_named(
    environ: Mapping[str, str], folder: Path, sources: Iterable[Source], problems: list[str]
) -> dict[str, str]:
    """The secrets of single sources that are set, by variable; mistakes go to `problems`."""
    keys: dict[str, str] = {}
    owners: dict[str, str] = {}  # of the word in their variables
    for source in sources:
        if source.kind in ("imap", "webhook"):
            other = owners.setdefault(word_of(source.name), source.name)
            if other != source.name and source.kind == "webhook":
                problems.append(
                    f"sources {other!r} and {source.name!r} share {hook_variable(source.name, 'TOKEN')}; "
                    "allowed: names that differ in letters or digits"
                )
        if source.kind == "webhook":
            for what in ("TOKEN", "SECRET"):
                name = hook_variable(source.name, what)
                value = read_value(environ, name, folder, problems)
                if value and len(value) < TOKEN_MIN:
                    problems.append(
                        f"{name}: its value is not shown; allowed: at least {TOKEN_MIN} characters"
                    )
                elif value:
                    keys[name] = value
        if source.kind == "imap":
            for name in (IMAP_PASSWORD, imap_variable(source.name)):
                # App passwords are shown in groups: the spaces are part of how people copy them.
                value = read_value(environ, name, folder, problems, lines=True)
                if value and name not in keys:
                    keys[name] = value
    return keys


def missing_secret(source: Source, keys: Mapping[str, str]) -> str:
    """What to do to switch `source` on, "" where it needs no secret of its own or has it."""
    if source.kind == "imap" and not imap_password(source.name, keys):
        return (
            f"make an app password in the mailbox's account and set {IMAP_PASSWORD}, "
            f"or {imap_variable(source.name)} for this mailbox alone"
        )
    if source.kind == "webhook" and not (hook_token(source.name, keys) or hook_secret(source.name, keys)):
        return (
            f"make a token of at least {TOKEN_MIN} characters, set {hook_variable(source.name, 'TOKEN')} and give it "
            "to the sender"
        )
    return ""
