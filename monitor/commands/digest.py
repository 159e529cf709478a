"""What was the week like? Numbers against the usual, what hurts, what people love; to a terminal, a file, Slack."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.commands import App, existing_store, pass_app

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.digest_shape import Digest
    from monitor.match import Brand
    from monitor.weeks import Period
    from storage.store import Store

FORMS = ("html", "md", "txt", "json", "eml")
_ENDINGS = {".html": "html", ".htm": "html", ".md": "md", ".txt": "txt", ".json": "json", ".eml": "eml"}


def _now() -> datetime:
    return datetime.now(UTC)


@click.command(short_help="Say what the week was like: numbers, complaints, praise.")
@click.option("--week", metavar="2026-W47", help="An ISO week; default: the last one that is over.")
@click.option("--day", metavar="2026-11-21", help="A day instead of a week.")
@click.option("--month", metavar="2026-11", help="A month instead of a week.")
@click.option("--brand", metavar="NAME", help="Only this brand; default: every brand.")
@click.option(
    "--to",
    "roads",
    multiple=True,
    metavar="WHERE",
    help="slack, slack:#channel, email, email:ADDRESS, - (the terminal), or a file: digest.html, html:FILE, "
    "md:FILE, txt:FILE, json:FILE, eml:FILE. May be given more than once, or separated by commas.",
)
@pass_app
def command(
    app: App, week: str | None, day: str | None, month: str | None, brand: str | None, roads: tuple[str, ...]
) -> None:
    """Say what the week was like, in facts: every number leads to the posts behind it.

    Without --to it is printed as Markdown. A digest for Slack is put into the outbox, once for each week and
    channel however often this is called; `lowstar run` delivers it.
    """
    config = app.config()
    now = _now()
    period = _period(config, week, day, month, now)
    brands = _brands(config, brand)
    wanted = [road for given in roads for road in given.split(",") if road.strip()] or ["-"]
    targets = [_target(road.strip()) for road in wanted]
    files = [name for form, name in targets if form in FORMS and name != "-"]
    if len(brands) > 1 and any("{brand}" not in name for name in files):
        raise click.UsageError(
            'There is more than one brand: write "{brand}" into the file\'s name, or choose one with --brand.'
        )
    with existing_store(config) as store:
        for one in brands:
            from monitor.digest_send import make

            # The JSON form alone names every post.
            every_post = any(form == "json" for form, _ in targets)
            digest = make(config, store, one, period, now, every_post=every_post)
            for form, name in targets:
                _deliver(config, store, digest, form, name, now)


def _period(config: Config, week: str | None, day: str | None, month: str | None, now: datetime) -> Period:
    from monitor.digest_send import zone_of
    from monitor.weeks import Span, last_full, read_period

    given = [(span, text) for span, text in ((Span.WEEK, week), (Span.DAY, day), (Span.MONTH, month)) if text]
    if len(given) > 1:
        raise click.UsageError("--week, --day and --month exclude each other.")
    zone = zone_of(config)
    if not given:
        return last_full(Span.WEEK, now, zone)
    span, text = given[0]
    period = read_period(span, text, zone)
    if period is None:
        example = {Span.WEEK: "2026-W47", Span.DAY: "2026-11-21", Span.MONTH: "2026-11"}[span]
        raise click.UsageError(f"{text!r} is no {span.value}; allowed: {example}")
    if period.start_at > now:
        raise click.UsageError(f"{period.name} has not begun yet.")
    return period


def _brands(config: Config, name: str | None) -> Sequence[Brand]:
    if name is None:
        return config.brands
    found = [one for one in config.brands if one.name == name]
    if not found:
        from monitor.config_check import did_you_mean

        names = [one.name for one in config.brands]
        near = did_you_mean(name, names)
        hint = f'did you mean "{near}"?' if near else "allowed: " + ", ".join(names)
        raise click.UsageError(f"There is no brand {name!r}; {hint}")
    return found


def _target(road: str) -> tuple[str, str]:
    """What form goes where: ("slack", channel or ""), or a form and a file's name, "-" for the terminal."""
    if road == "-":
        return "md", "-"
    form, colon, name = road.partition(":")
    if form in ("slack", "email"):
        return form, name
    if colon and form in FORMS and name:
        return form, name
    ending = _ENDINGS.get(Path(road).suffix.lower())
    if ending is None:
        raise click.UsageError(
            f"--to {road!r}; allowed: slack, slack:#channel, email, email:ADDRESS, -, or a file that ends in "
            + ", ".join(sorted(_ENDINGS))
        )
    return ending, road


def _deliver(config: Config, store: Store, digest: Digest, form: str, name: str, now: datetime) -> None:
    if form in ("slack", "email"):
        from monitor.digest_send import enqueue

        for notifier, channel in _roads(config, form, name):
            if enqueue(store, digest, notifier, channel, now, web=config.web.url):
                click.echo(
                    f'{digest.period.name} for {channel} is in the outbox; "lowstar run" delivers it.',
                    err=True,
                )
            else:
                click.echo(f"{digest.period.name} was sent to {channel} before; nothing done.", err=True)
        return
    content = written(digest, form, web=config.web.url)
    if name == "-":
        click.echo(content, nl=False)
        return
    # A brand's name may hold anything; a file's name may not.
    slug = "".join(c if c.isalnum() or c in "-_" else "-" for c in digest.brand)[:60] or "brand"
    path = Path(name.replace("{brand}", slug))
    try:
        path.write_text(content, encoding="utf-8", newline="")
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror or error}") from error
    click.echo(f"{path} written.", err=True)


def _roads(config: Config, form: str, name: str) -> list[tuple[str, str]]:
    """Notifier and channel of each place that `--to slack` or `--to email` means."""
    from alerts.email import address_problem
    from monitor.digest_send import road

    if form == "slack":
        return [road(config, name)]
    if config.email is None:
        raise click.UsageError("--to email needs the mail server: set host and from under [email]")
    addresses = [name] if name else list(config.digest.email)
    if not addresses:
        raise click.UsageError("--to email needs addresses: --to email:ADDRESS, or email under [digest]")
    for address in addresses:
        if problem := address_problem(address):
            raise click.UsageError(f"--to email:{address}; allowed: {problem}")
    return [("email", address) for address in addresses]


def written(digest: Digest, form: str, *, web: str = "") -> str:
    """The digest in one of `FORMS`; `web` is where the dashboard is."""
    match form:
        case "html":
            from monitor.digest_html import html

            return html(digest, web=web)
        case "txt":
            from monitor.digest_text import plain_text

            return plain_text(digest)
        case "json":
            from monitor.digest_send import as_plain
            from monitor.view import as_json

            return as_json(as_plain(digest)) + "\n"
        case "eml":
            from monitor.digest_mail import mail

            return mail(digest, web=web).as_string()
    from monitor.digest_text import markdown

    return markdown(digest)
