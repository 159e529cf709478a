"""How does somebody start? Asks what to listen for and writes a commented lowstar.toml that works."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.commands import App, pass_app

if TYPE_CHECKING:
    from monitor.init_template import Wishes


def _checked(problem: Callable[[str], str]) -> Callable[..., tuple[str, ...]]:
    def callback(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            if found := problem(value.strip()):
                raise click.BadParameter(f"{value!r}; allowed: {found}")
        return tuple(dict.fromkeys(value.strip() for value in values))

    return callback


def _url(value: str) -> str:
    from monitor.config_check import url_problem

    return url_problem(value)


def _channel(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    from monitor.config_sections import channel_problem

    if value and (found := channel_problem(value.strip())):
        raise click.BadParameter(f"{value!r}; allowed: {found}")
    return value.strip()


def _subreddit(value: str) -> str:
    from monitor.config_kinds import subreddit_problem

    return subreddit_problem(value)


def _word(value: str) -> str:
    return "" if value else "a text that is not empty"


@click.command(short_help="Write a commented lowstar.toml.")
@click.option("--brand", metavar="NAME", help="The name to listen for.")
@click.option(
    "--term", "terms", multiple=True, callback=_checked(_word), help="Another spelling of it; repeatable."
)
@click.option(
    "--review-url",
    "review_urls",
    multiple=True,
    metavar="URL",
    callback=_checked(_url),
    help="A page of reviews.",
)
@click.option(
    "--subreddit", "subreddits", multiple=True, callback=_checked(_subreddit), help="A subreddit to read."
)
@click.option(
    "--feed", "feeds", multiple=True, metavar="URL", callback=_checked(_url), help="An RSS or Atom feed."
)
@click.option("--hackernews/--no-hackernews", default=None, help="Search Hacker News too.")
@click.option("--slack-channel", default="", metavar="CHANNEL", callback=_channel, help="Where alerts go.")
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="PATH", help="Default lowstar.toml."
)
@pass_app
def command(
    app: App,
    brand: str | None,
    terms: tuple[str, ...],
    review_urls: tuple[str, ...],
    subreddits: tuple[str, ...],
    feeds: tuple[str, ...],
    hackernews: bool | None,
    slack_channel: str,
    force: bool,
    output: Path | None,
) -> None:
    """Write a commented lowstar.toml. Asks when nothing is said and somebody is there to answer."""
    from monitor.config import config_path, load_config
    from monitor.init_template import Wishes, config_text
    from storage.records import clean_line

    path = output or config_path(app.config_path, os.environ)
    if path.exists() and not force:
        raise click.ClickException(
            f"{path} is there already; --force overwrites it, --output writes elsewhere"
        )
    said = any((terms, review_urls, subreddits, feeds, slack_channel, hackernews is not None))
    if brand is None and not said and _somebody_is_there():
        brand = click.prompt("Which brand shall lowstar listen for?")
        review_urls = _ask("A page of reviews of it (empty to go on)", _url)
        subreddits = _ask("A subreddit to read (empty to go on)", _subreddit)
        hackernews = click.confirm("Search Hacker News too?", default=True)
        slack_channel = click.prompt(
            "Slack channel for alerts (empty: the console)", default="", show_default=False
        )
        slack_channel = _channel(click.get_current_context(), _PARAMETER, slack_channel)
    name = clean_line(brand or "")
    if not name:
        raise click.UsageError('Say what to listen for: lowstar init --brand "Acme"')
    if len(name) > 64:
        raise click.UsageError("A brand's name has at most 64 characters.")
    wishes = Wishes(
        brand=name,
        terms=[word for word in (clean_line(term) for term in terms) if word],
        review_urls=review_urls,
        subreddits=[subreddit.removeprefix("/").removeprefix("r/") for subreddit in subreddits],
        feeds=feeds,
        hackernews=bool(hackernews),
        slack_channel=slack_channel,
    )
    _write(path, config_text(wishes), force=force)
    load_config(path, {})  # what was just written is what will be read
    click.echo(f"Wrote {path}.")
    click.echo(_next_steps(path, wishes))


_PARAMETER = click.Option(["--slack-channel"])


def _somebody_is_there() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _ask(question: str, problem: Callable[[str], str]) -> tuple[str, ...]:
    answers: list[str] = []
    while answer := click.prompt(question, default="", show_default=False).strip():
        if found := problem(answer):
            click.echo(f"  That is not {found}.")
        else:
            answers.append(answer)
    return tuple(dict.fromkeys(answers))


def _write(path: Path, text: str, *, force: bool) -> None:
    """Write the file as a whole or not at all; without `force` never over one that appeared meanwhile."""
    try:
        if not force:
            with path.open("x", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
            return
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except FileExistsError:
        raise click.ClickException(f"{path} is there already; --force overwrites it") from None
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from error


def _next_steps(path: Path, wishes: Wishes) -> str:
    option = "" if str(path) == "lowstar.toml" else f" --config {path}"
    steps = []
    if wishes.slack_channel:
        steps.append("export LOWSTAR_SLACK_TOKEN=xoxb-…   so that alerts reach Slack")
    elif wishes.subreddits:
        steps.append(
            "export LOWSTAR_REDDIT_CLIENT_ID=… LOWSTAR_REDDIT_CLIENT_SECRET=…   so that Reddit is read"
        )
    elif not (wishes.review_urls or wishes.feeds or wishes.hackernews):
        steps.append(f"add a [[sources]] to {path}: there is none yet")
    steps += [
        f"lowstar{option} check   says what works and what does not",
        f"lowstar{option} run     collects, judges, and tells",
        f"lowstar{option} schedule --install   does that from now on",
    ]
    return "Next:\n" + "\n".join(f"  {number}. {step}" for number, step in enumerate(steps[:3], start=1))
