"""What has to be answered, and what is one case about? Lists and shows cases, worst first.

What is done to them stands in `monitor.commands.case_actions`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from monitor.commands import IMPORTED, App, existing_store, pass_app
from monitor.commands.case_actions import CASE, COMMANDS, shown_name

if TYPE_CHECKING:
    from alerts.context import Context
    from alerts.people import People
    from monitor.config import Config
    from storage.records import CaseEvent, Promise, Reviewed
    from storage.store import Ledger


@click.group(short_help="Show what somebody has to answer, worst first; take it, answer it.")
def command() -> None:
    """Show what somebody has to answer, worst first; take it, answer it, close it."""


for _action in COMMANDS:
    command.add_command(_action)


@command.command("list", short_help="List the open cases.")
@click.option("--all", "everything", is_flag=True, help="The closed ones too.")
@click.option("--brand", metavar="NAME", help="Only of this brand.")
@click.option("--source", metavar="NAME", help="Only from this source.")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="At most so many."
)
@click.option("--json", "as_json", is_flag=True, help="For machines: a list of cases.")
@pass_app
def list_cases(
    app: App, everything: bool, brand: str | None, source: str | None, limit: int, as_json: bool
) -> None:
    """List the open cases, worst first."""
    from monitor import view

    config = app.config()
    _known("brand", brand, [one.name for one in config.brands])
    with existing_store(config) as store, store.reading() as ledger:
        known_source(config, ledger, source)
        found = ledger.cases_worst_first(
            open_only=not everything, brand=brand, source=source, limit=limit + 1, offset=0
        )
    more, found = len(found) > limit, found[:limit]
    if as_json:
        view.print_json([as_plain(one) for one in found])
        return
    if not found:
        click.echo("No cases." if everything else "Nothing to answer: no open case.")
        return
    _print_list(found, config, datetime.now(UTC))
    if more:
        click.echo(f"… and more: --limit {limit * 2} shows them.")


@command.command("show", short_help="Show one case with its history.")
@click.argument("number", metavar="REP-0007", type=CASE)
@click.option("--json", "as_json", is_flag=True, help="For machines: one case.")
@pass_app
def show_case(app: App, number: int, as_json: bool) -> None:
    """Show one case: what was written, why it was flagged, what has happened since, what to say."""
    from alerts.context import context_for
    from monitor import view
    from monitor.runner import policy_for
    from storage.records import case_name

    config, now = app.config(), datetime.now(UTC)
    with existing_store(config) as store, store.reading() as ledger:
        found = ledger.reviewed(number)
        if found is None:
            raise click.ClickException(
                f'There is no case {case_name(number)}. "lowstar cases list --all" lists them.'
            )
        events, promises = ledger.events(number), ledger.promises(number)
        context = context_for(ledger, found, now, policy_for(config).customers)
    if as_json:
        plain = as_plain(found, events)
        plain["promises"] = [_plain_promise(one) for one in promises]
        plain["context"] = context.lines
        view.print_json(plain)
    else:
        _print_case(found, events, promises, context, config, now)


def _plain_promise(one: Promise) -> dict[str, Any]:
    return {
        "id": one.id,
        "text": one.text,
        "owner": one.owner,
        "due_by": one.due_by,
        "kept_at": one.kept_at,
        "broken_at": one.broken_at,
        "dropped_at": one.dropped_at,
    }


def as_plain(one: Reviewed, events: list[CaseEvent] | None = None) -> dict[str, Any]:
    """A case as plain values, for JSON."""
    case, mention, verdict = one.case, one.mention, one.verdict
    plain: dict[str, Any] = {
        "case": case.name,
        "brand": case.brand,
        "status": str(case.status),
        "priority": case.priority,
        "rank": case.rank,
        "owner": case.owner,
        "channel": case.channel,
        "level": case.level,
        "version": case.version,
        "claimed_at": case.claimed_at,
        "snoozed_until": case.snoozed_until,
        "answer_by": case.answer_by,
        "opened_at": case.opened_at,
        "respond_by": case.respond_by,
        "first_response_at": case.first_response_at,
        "closed_at": case.closed_at,
        "outcome": case.outcome,
        "recovered": case.recovered,
        "source": mention.source,
        "kind": str(mention.kind),
        "url": mention.url,
        "title": mention.title,
        "text": mention.text,
        "author": mention.author,
        "entity": mention.entity,
        "stars": mention.stars,
        "stars_before": one.stars_before,
        "reach": mention.reach,
        "published_at": mention.published_at,
        "first_seen_at": one.first_seen_at,
        "removed": one.removed,
        "compound": verdict.sentiment.compound,
        "label": str(verdict.sentiment.label),
        "reasons": verdict.reasons,
        "topics": verdict.topics,
    }
    if events is not None:
        plain["events"] = [
            {"at": event.at, "actor": event.actor, "action": event.action, "detail": event.detail}
            for event in events
        ]
    return plain


def _known(what: str, name: str | None, names: list[str]) -> None:
    if name is None or name in names:
        return
    from monitor.config_check import did_you_mean

    near = did_you_mean(name, names)
    hint = f'did you mean "{near}"?' if near else "allowed: " + ", ".join(names)
    raise click.UsageError(f"There is no {what} {name!r}; {hint}")


def known_source(config: Config, ledger: Ledger, name: str | None) -> None:
    """Raise unless it is a source of lowstar.toml, the one imports belong to, or one something is kept of."""
    if name and name not in (names := [one.name for one in config.sources]):
        _known("source", name, list(dict.fromkeys([*names, IMPORTED, *ledger.sources()])))


def _title(config: Config, source: str) -> str:
    try:
        return config.source(source).title or source
    except KeyError:
        return source  # it was taken out of lowstar.toml; its cases stay


def _headline(one: Reviewed) -> str:
    from monitor import view

    if one.removed:
        return "(removed by its source)"
    title, text = view.safe(one.mention.title), view.safe(one.mention.text)
    if title and not text.startswith(title):
        return f"{title} – {text}" if text else title
    return text or "(without words)"


def _state(one: Reviewed, people: People, now: datetime) -> str:
    """Who has it, and when an answer is due."""
    from monitor import view

    case = one.case
    words = [str(case.status)]
    if case.owner:
        words.append(f"by {shown_name(case.owner, people)}")
    if case.snoozed_until is not None and case.snoozed_until > now:
        words.append(f"snoozed for {view.length(case.snoozed_until - now)}")
    elif case.waiting and case.answer_by is not None:
        words.append(view.due(case.answer_by, now))
    return ", ".join(words)


def _stars(one: Reviewed) -> str:
    from monitor import view

    if one.stars_before is not None and one.stars_before != one.mention.stars:
        return f"{view.stars(one.stars_before)} → {view.stars(one.mention.stars) or 'none'}"
    return view.stars(one.mention.stars)


def _print_list(found: list[Reviewed], config: Config, now: datetime) -> None:
    from rich.text import Text

    from monitor import view

    console = view.console()
    wide = console.width >= view.NARROW
    sites = [view.cut(view.safe(_title(config, one.mention.source)), 16) for one in found]
    marks = [f"{one.case.name}  {one.case.priority.word:<6}  {_stars(one):<4}" for one in found]
    states = [view.cut(_state(one, config.policy.people, now), 34) for one in found]
    width = max(map(len, states))
    brands = len({one.case.brand for one in found}) > 1
    for one, mark, site, state in zip(found, marks, sites, states, strict=True):
        brand = f"  {view.cut(view.safe(one.case.brand), 16)}" if brands else ""
        headline = _headline(one)
        line = Text(mark, style=view.STYLES[one.case.priority])
        if wide:
            line.append(
                f"  {view.pad(site, 16)}{view.pad(brand, 18) if brands else ''}  {state:<{width}}  ", style=""
            )
            line.append(view.cut(headline, console.width - line.cell_len), style="default")
            console.print(line)
        else:
            line.append(f"  {site}{brand}  {state}", style="default")
            line.truncate(console.width, overflow="ellipsis")
            console.print(line)
            console.print(Text("    " + view.cut(headline, console.width - 4)))


def _print_case(
    one: Reviewed,
    events: list[CaseEvent],
    promises: list[Promise],
    context: Context,
    config: Config,
    now: datetime,
) -> None:
    from rich.text import Text

    from monitor import view

    console = view.console()
    case, mention, verdict = one.case, one.mention, one.verdict
    width = min(console.width, 100)

    def fact(name: str, value: str) -> None:
        for line in view.hanging(f"  {name:<10} ", value, width) if value else ():
            console.print(Text(line))

    head = Text(
        f"{case.name}  {case.priority.word}  {_stars(one)}".rstrip(), style=view.STYLES[case.priority]
    )
    head.append(f"  {_state(one, config.policy.people, now)}", style="default")
    console.print(head)
    fact("brand", view.safe(case.brand))
    fact("source", view.safe(_title(config, mention.source)))
    fact("about", view.safe(mention.entity))
    fact("author", view.safe(mention.author))
    fact("written", view.written(mention, config.timezone))
    fact("opened", view.at(case.opened_at, config.timezone))
    late = f", {view.due(case.answer_by, now)}" if case.waiting and case.answer_by else ""
    fact("answer by", view.at(case.answer_by, config.timezone) + late)
    fact("answered", view.at(case.first_response_at, config.timezone))
    fact("outcome", view.safe(case.outcome))
    fact("channel", view.safe(case.channel))
    fact("address", view.safe(mention.url, 2_000))
    for at, reason in enumerate(verdict.reasons):
        fact("why" if at == 0 else "", view.safe(reason))
    fact("topics", ", ".join(view.safe(topic) for topic in verdict.topics))
    if case.level > 1:
        fact("level", f"{case.level} of {config.policy.top_level(case.brand)}")
    for at, line in enumerate(context.lines):
        fact("known" if at == 0 else "", view.safe(line))
    for at, promise in enumerate(promises):
        fact("promised" if at == 0 else "", _promise_line(promise, config, now))
    console.print()
    if one.removed:
        console.print(Text("  (removed by its source)"))
    for text in (mention.title, mention.text):
        for line in view.indented(text, width, "  ") if text else ():
            console.print(Text(line))
    if mention.owner_reply:
        console.print(Text("\n  Reply of the owner:"))
        for line in view.indented(mention.owner_reply, width, "    "):
            console.print(Text(line))
    for line in _playbook_lines(one, context, config, width):
        console.print(Text(line))
    if events:
        console.print(Text("\n  History:"))
    for event in events:
        words = (
            f"{shown_name(event.actor, config.policy.people)} {view.safe(event.action, 60)} "
            f"{view.safe(event.detail)}".rstrip()
        )
        for line in view.hanging(f"  {view.at(event.at, config.timezone)}  ", words, width):
            console.print(Text(line))


def _promise_line(promise: Promise, config: Config, now: datetime) -> str:
    from monitor import view

    if promise.kept_at is not None:
        state = f"kept {view.ago(promise.kept_at, now)}"
        if promise.kept_at > promise.due_by:
            state += f", {view.length(promise.kept_at - promise.due_by)} late"
    elif promise.dropped_at is not None:
        state = f"called off {view.ago(promise.dropped_at, now)}"
    else:
        state = view.due(promise.due_by, now)
    owner = f", {shown_name(promise.owner, config.policy.people)}" if promise.owner else ""
    by = view.at(promise.due_by, config.timezone)
    return f"{promise.id}: {view.safe(promise.text)}, by {by}{owner}: {state}"


def _playbook_lines(one: Reviewed, context: Context, config: Config, width: int) -> list[str]:
    """What the team agreed to say and do, with the blanks filled in."""
    from alerts.playbooks import playbook_for, render, values_for
    from monitor import view

    playbook = playbook_for(one.verdict, one.mention, config.playbooks)
    if playbook is None or one.removed:
        return []
    lines = [f"\n  Playbook: {view.safe(playbook.name)}"]
    for name, value in (
        ("you may", playbook.may_decide),
        ("next", playbook.next_step),
        ("team", playbook.owner_team),
    ):
        lines += view.hanging(f"    {name:<8} ", view.safe(value), width) if value else []
    values = values_for(
        one,
        playbook,
        people=config.policy.people,
        customer=context.customer,
        site_title=_title(config, one.mention.source),
    )
    for reply in playbook.replies:
        lines += ["", *view.indented(render(reply, values), width, "    ")]
    return lines
