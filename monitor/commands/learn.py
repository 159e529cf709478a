"""`lowstar learn`: what has the team taught, is it better, and what would it change? Nothing changes before --adopt."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

import click

from monitor.commands import FAILED, FINE, App, existing_store, pass_app

if TYPE_CHECKING:
    from monitor.config import Config
    from storage.store import Store

AUDIT_USUAL = 20  # posts of one sitting


@click.command(name="learn", short_help="Learn from corrections; show what would change.")
@click.option("--adopt", is_flag=True, help="Use what was learned from now on, if it is better.")
@click.option("--undo", is_flag=True, help="Take what was adopted last out of use.")
@click.option("--rules", is_flag=True, help="Show what is in use, as rules.")
@click.option(
    "--audit",
    type=click.IntRange(1, 1_000),
    is_flag=False,
    flag_value=AUDIT_USUAL,
    metavar="[N]",
    help="Label N posts nobody was alerted to; without a terminal they are written as JSON lines.",
)
@click.option(
    "--import", "labels", type=click.File("r", encoding="utf-8-sig"), help="Read labels from JSON lines."
)
@click.option("--as", "actor", default="", help="Who labels; default: your login.")
@pass_app
def command(
    app: App, adopt: bool, undo: bool, rules: bool, audit: int | None, labels: TextIO | None, actor: str
) -> int:
    """Learn from what the team said of verdicts: corrections, cases they answered, labels.

    Without an option it learns, says how much better it would be on posts it was not taught, and lists which
    alerts of the past it would have moved. The shipped ranking stays underneath; one and two stars are never
    lowered. What is adopted holds for what is read from then on, and --undo takes it back.
    """
    if sum((adopt, undo, rules, audit is not None, labels is not None)) > 1:
        raise click.UsageError("one of --adopt, --undo, --rules, --audit, --import at a time")
    config = app.config()
    now = datetime.now(UTC)
    with existing_store(config) as store:
        if undo:
            return _undo(store, now)
        if rules:
            return _rules(store)
        if labels is not None:
            return _import(store, labels, _login(actor), now)
        if audit is not None:
            return _audit(store, config, audit, _login(actor), now)
        return _learn(store, config, now, adopt=adopt)


def _learn(store: Store, config: Config, now: datetime, *, adopt: bool) -> int:
    from monitor import teaching, view

    taught = teaching.teach(store, config, now, keep=adopt)
    lesson = taught.lesson
    for line in teaching.lesson_lines(lesson):
        click.echo(view.safe(line, 2_000))
    if lesson.held is None:
        return FAILED if adopt else FINE
    titles = {source.name: source.title or source.name for source in config.sources}
    for line in ["", *teaching.replay_lines(taught.history, titles), "", "What it learned:"]:
        click.echo(view.safe(line, 400))
    for line in teaching.rule_lines(lesson.rules):
        click.echo(view.safe(line, 400))
    if not adopt:
        if not lesson.why_not:
            click.echo('\nNothing is changed yet: "lowstar learn --adopt" uses it from now on.')
        return FINE
    if lesson.why_not or taught.version is None:
        click.echo("\nNot adopted.", err=True)
        return FAILED
    teaching.adopt(store, taught.version, now)
    click.echo(f'\nVersion {taught.version} is in use from now on; "lowstar learn --undo" takes it back.')
    return FINE


def _undo(store: Store, now: datetime) -> int:
    from monitor import teaching

    undone = teaching.undo(store, now)
    if undone is None:
        click.echo("Nothing learned is in use.")
        return FINE
    was, left = undone
    stands = f"version {left.id} is in use again" if left else "the shipped ranking is in use, as it came"
    click.echo(f"Version {was.id} is no longer in use; {stands}.")
    return FINE


def _rules(store: Store) -> int:
    from monitor import teaching, view
    from monitor.learned_rules import LIKE
    from monitor.learning import OUTDATED, outdated

    with store.reading() as ledger:
        model = ledger.model_in_force()
    if model is None:
        click.echo("Nothing learned is in use.")
        return FINE
    rules = model.report.get("rules", ())
    if outdated(model.found):
        click.echo(f"Learn again (lowstar learn --adopt): {OUTDATED}.")
        rules = [rule for rule in rules if not str(rule).startswith(LIKE)]
    click.echo(f"Version {model.id}, adopted {model.adopted_at:%Y-%m-%d %H:%M} UTC:")
    for line in teaching.rule_lines(rules):
        click.echo(view.safe(line, 400))
    return FINE


def _import(store: Store, labels: TextIO, actor: str, now: datetime) -> int:
    from monitor import teaching

    try:
        rows, problems = teaching.read_labels(labels)
    except UnicodeDecodeError as error:
        raise click.UsageError(f"--import: not UTF-8 at byte {error.start}") from error
    with store.transaction() as ledger:
        kept = ledger.write_labels(rows, actor, now)
    for problem in problems[:20]:
        click.echo(problem, err=True)
    if kept < len(rows):
        click.echo(f"{len(rows) - kept} are of no mention that is kept", err=True)
    click.echo(f"{kept} labels kept.")
    return FAILED if problems or kept < len(rows) else FINE


def _audit(store: Store, config: Config, count: int, actor: str, now: datetime) -> int:
    from monitor import teaching, view

    sample = teaching.audit_sample(store, now - config.learning.back, count)
    if not sample:
        click.echo("There is no post without an alert and without a label.", err=True)
        return FINE
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        for one in sample:
            fields = {
                "id": one.mention_id,
                "brand": one.brand,
                "source": one.mention.source,
                "stars": one.mention.stars,
                "text": one.mention.judged_text,
                "negative": None,
            }
            click.echo(json.dumps(fields, ensure_ascii=False))
        return FINE
    click.echo("Should somebody have seen this? y yes, n no, s skip, q quit\n")
    done = 0
    for place, one in enumerate(sample, 1):
        stars = f", {one.mention.stars:.0f} of 5 stars" if one.mention.stars is not None else ""
        click.echo(view.safe(f"{place}/{len(sample)}  {one.brand}, {one.mention.source}{stars}", 200))
        for line in view.indented(one.mention.judged_text[:1_500], 90, "    "):
            click.echo(line)
        answer = click.prompt("  ", type=click.Choice(["y", "n", "s", "q"]), show_choices=False)
        if answer == "q":
            break
        if answer in "yn":
            with store.transaction() as ledger:  # one at a time: who stops halfway has not worked in vain
                done += ledger.write_labels([(one.mention_id, one.brand, answer == "y")], actor, now)
    click.echo(f"{done} labels kept.")
    return FINE


def _login(actor: str) -> str:
    import getpass

    if actor:
        return actor
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"
