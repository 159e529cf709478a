"""What are the secrets? From the environment or from files it names, and never from lowstar.toml.

Each variable `X` may instead be given as `X_FILE`, the path of a file that holds it.
Docker and systemd hand secrets over that way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from monitor.config_check import REPORTED, looks_secret, url_problem

SLACK_TOKEN = "LOWSTAR_SLACK_TOKEN"  # noqa: S105 - names of variables, no secrets
SLACK_TOKEN_ALIAS = "SLACK_BOT_TOKEN"  # noqa: S105
SLACK_APP_TOKEN = "LOWSTAR_SLACK_APP_TOKEN"  # noqa: S105
SLACK_WEBHOOK_URL = "LOWSTAR_SLACK_WEBHOOK_URL"
SLACK_SIGNING_SECRET = "LOWSTAR_SLACK_SIGNING_SECRET"  # noqa: S105
REDDIT_CLIENT_ID = "LOWSTAR_REDDIT_CLIENT_ID"
REDDIT_CLIENT_SECRET = "LOWSTAR_REDDIT_CLIENT_SECRET"  # noqa: S105
REDDIT_FEED_URL = "LOWSTAR_REDDIT_FEED_URL"
STORE_URL = "LOWSTAR_STORE_URL"

VARIABLES = (
    SLACK_TOKEN,
    SLACK_TOKEN_ALIAS,
    SLACK_APP_TOKEN,
    SLACK_WEBHOOK_URL,
    SLACK_SIGNING_SECRET,
    REDDIT_CLIENT_ID,
    REDDIT_CLIENT_SECRET,
    REDDIT_FEED_URL,
    STORE_URL,
)

FILE_MAX = 65_536  # characters; a larger file is not a secret

_KEYS = {  # a key of one of these names is a secret wherever it stands in lowstar.toml
    "token": SLACK_TOKEN,
    "bot_token": SLACK_TOKEN,
    "slack_token": SLACK_TOKEN,
    "slack_bot_token": SLACK_TOKEN,
    "app_token": SLACK_APP_TOKEN,
    "slack_app_token": SLACK_APP_TOKEN,
    "webhook": SLACK_WEBHOOK_URL,
    "webhook_url": SLACK_WEBHOOK_URL,
    "slack_webhook_url": SLACK_WEBHOOK_URL,
    "signing_secret": SLACK_SIGNING_SECRET,
    "slack_signing_secret": SLACK_SIGNING_SECRET,
    "client_id": REDDIT_CLIENT_ID,
    "reddit_client_id": REDDIT_CLIENT_ID,
    "client_secret": REDDIT_CLIENT_SECRET,
    "reddit_client_secret": REDDIT_CLIENT_SECRET,
}


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secrets, "" where one is not set."""

    slack_token: str = field(default="", repr=False)
    slack_app_token: str = field(default="", repr=False)
    slack_webhook_url: str = field(default="", repr=False)
    slack_signing_secret: str = field(default="", repr=False)
    reddit_client_id: str = field(default="", repr=False)
    reddit_client_secret: str = field(default="", repr=False)
    reddit_feed_url: str = field(default="", repr=False)
    store_url: str = field(default="", repr=False)


def read_secrets(environ: Mapping[str, str], folder: Path, problems: list[str]) -> Secrets:
    """The secrets of this environment; paths in `…_FILE` count from `folder`. Mistakes go to `problems`."""

    def read(name: str, check: Callable[[str], str] = lambda _: "") -> str:
        value = read_value(environ, name, folder, problems)
        problem = value and check(value)
        if problem:
            problems.append(f"{name}: its value is not shown; allowed: {problem}")
        return "" if problem else value

    token = read(SLACK_TOKEN, _bot_token)
    if not (environ.get(SLACK_TOKEN) or environ.get(f"{SLACK_TOKEN}_FILE")):
        token = read(SLACK_TOKEN_ALIAS, _bot_token)
    return Secrets(
        slack_token=token,
        slack_app_token=read(SLACK_APP_TOKEN, _app_token),
        slack_webhook_url=read(SLACK_WEBHOOK_URL, safe_url_problem),
        slack_signing_secret=read(SLACK_SIGNING_SECRET),
        reddit_client_id=read(REDDIT_CLIENT_ID),
        reddit_client_secret=read(REDDIT_CLIENT_SECRET),
        reddit_feed_url=read(REDDIT_FEED_URL, _private_feed),
        store_url=read(STORE_URL),
    )


def without_secrets(document: Mapping[str, Any], problems: list[str]) -> dict[str, Any]:
    """`document` with each secret replaced by `REPORTED`, and a line that says which variable to use."""

    def clean(value: Any, path: str) -> Any:
        if isinstance(value, dict):
            return {
                key: clean_entry(key, inner, f"{path}.{key}" if path else key) for key, inner in value.items()
            }
        if isinstance(value, list):
            return [clean(inner, f"{path}[{at}]") for at, inner in enumerate(value, start=1)]
        if isinstance(value, str) and looks_secret(value):
            return report(path, _variable_of(value))
        return value

    def clean_entry(key: str, value: Any, path: str) -> Any:
        # A source may well have a field of its page called "token"; there only the value tells.
        if key.lower() in _KEYS and ".fields." not in path:
            return report(path, _KEYS[key.lower()])
        return clean(value, path)

    def report(path: str, variable: str) -> object:
        problems.append(
            f"{path}: a secret does not belong into this file; put it into {variable} "
            f"or a file named by {variable}_FILE, and make a new one if others could read it"
        )
        return REPORTED

    return {key: clean_entry(key, value, key) for key, value in document.items()}


def safe_url_problem(url: str) -> str:
    """What keeps `url` from carrying a secret: it must be https, unless it is on this machine."""
    problem = url_problem(url)
    if problem:
        return problem
    parts = urlsplit(url)
    if parts.scheme.lower() == "https" or parts.hostname in ("127.0.0.1", "localhost", "::1"):
        return ""
    return "an address that begins with https://, as a secret is sent there"


def read_value(
    environ: Mapping[str, str], name: str, folder: Path, problems: list[str], *, lines: bool = False
) -> str:
    """One secret, "" where it is not set or cannot be used; `lines` where it may have several (a PEM key)."""
    value, file = environ.get(name, "").strip(), environ.get(f"{name}_FILE", "")
    if value and file:
        problems.append(f"{name}: set together with {name}_FILE; allowed: one of the two")
        return ""
    if file:
        try:
            with (folder / file).open(encoding="utf-8") as stream:
                value = stream.read(FILE_MAX + 1).rstrip("\r\n")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it does not hold plain text"
            problems.append(f"{name}_FILE: {file!r} cannot be read: {reason}")
            return ""
        if not value:
            problems.append(f"{name}_FILE: {file!r} is empty; allowed: a file that holds the secret")
            return ""
    if lines and len(value) <= FILE_MAX and value.replace("\n", "").replace("\r", "").isprintable():
        return value
    if not value.isprintable() or " " in value or len(value) > FILE_MAX:
        problems.append(f"{name}: its value is not shown; allowed: one word on one line")
        return ""
    return value


def _private_feed(value: str) -> str:
    asked = parse_qs(urlsplit(value).query) if not safe_url_problem(value) else {}
    return (
        ""
        if {"feed", "user"} <= set(asked)
        else "an address of https://www.reddit.com/prefs/feeds, with feed= and user="
    )


def _variable_of(value: str) -> str:
    if "hooks.slack.com" in value.lower():
        return SLACK_WEBHOOK_URL
    return SLACK_APP_TOKEN if "xapp-" in value.lower() else SLACK_TOKEN


def _bot_token(value: str) -> str:
    return "" if value.startswith(("xoxb-", "xoxp-", "xoxe.")) else "a bot token, which begins with xoxb-"


def _app_token(value: str) -> str:
    return "" if value.startswith("xapp-") else "an app-level token, which begins with xapp-"
