"""What does somebody do to a case from a terminal? Take it, answer it, promise, hand on, close, reopen."""

from __future__ import annotations

import getpass
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from monitor.commands import App, existing_store, pass_app

if TYPE_CHECKING:
    from alerts.actions import Acted
    from alerts.cases import Action
    from alerts.people import People
    from monitor.config import Config

F = TypeVar("F", bound=Callable[..., Any])

NUMBER_MAX = 2**31 - 1
_NUMBER = re.compile(r"(?:REP-|#)?0*([0-9]{1,9})", re.IGNORECASE)


def case_number(text: str) -> int | None:
    """The number of a case as people write it, None where it is none.

    >>> case_number("REP-0007"), case_number("#12"), case_number("7"), case_number("seven")
    (7, 12, 7, None)
    """
    match = _NUMBER.fullmatch(text.strip())
    return int(match[1]) if match else None


class CaseNumber(click.ParamType[int]):
    """REP-0007, or 7."""

    name = "case"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        number = value if isinstance(value, int) else case_number(str(value))
        if number is None or not 0 < number <= NUMBER_MAX:
            self.fail(f"{value!r} is no case number; allowed: REP-0007, or 7", param, ctx)
        return number


CASE = CaseNumber()
_case = click.argument("number", metavar="REP-0007", type=CASE)
_who = click.option(
    "--as", "actor", metavar="WHO", help="Who you are; default LOWSTAR_ACTOR, else your login."
)
_kept = click.option("--kept", is_flag=True, help="What was promised has been kept.")
_which = click.option("--promise", "promise", type=int, default=0, metavar="ID", help="Which, of several.")


def _words(name: str, **more: Any) -> Callable[[F], F]:
    return click.argument(name, nargs=-1, metavar=f"[{name.upper()}]...", **more)


def _when(flag: str, name: str, *, required: bool = True) -> Callable[[F], F]:
    words = 'When, in your time zone: "2026-12-01 10:00", "tuesday 10:00", "tomorrow", "2h".'
    return click.option(flag, name, metavar="WHEN", required=required, help=words)


def actor_name(given: str | None) -> str:
    """Who acts: `--as`, else LOWSTAR_ACTOR, else the login."""
    if given or os.environ.get("LOWSTAR_ACTOR"):
        return given or os.environ["LOWSTAR_ACTOR"]
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without a user
        return ""


def _moment(text: str | None, config: Config, now: datetime) -> datetime | None:
    from monitor.moments import EXAMPLES, moment

    if text is None:
        return None
    found = moment(text, now, config.timezone)
    if found is None:
        raise click.UsageError(f"{text!r} is no time; allowed: {EXAMPLES}")
    return found


def _do(app: App, number: int, actor: str | None, make: Callable[[Config, datetime], dict[str, Any]]) -> None:
    """Do it and say so in one line; exit 1 with the reason where it is refused."""
    from alerts.actions import Refused, act
    from alerts.cases import Action

    config = app.config()
    now = datetime.now(UTC)
    action: Action = Action(actor=actor_name(actor), **make(config, now))
    with existing_store(config) as store:
        try:
            acted = act(store, number, action, now, config.policy)
        except Refused as reason:
            raise click.ClickException(f"{reason}.") from reason
    click.echo(confirmation(acted, config, now))


def confirmation(acted: Acted, config: Config, now: datetime) -> str:
    """What was done, and how the case stands now, on one line."""
    from monitor import view

    case, people = acted.case, config.policy.people
    done = "; ".join(view.safe(f"{event.action} {event.detail}".strip(), 160) for event in acted.events)
    state = [str(case.status)]
    if case.owner:
        state.append(f"owner {shown_name(case.owner, people)}")
    if case.snoozed_until is not None:
        state.append(f"snoozed until {view.at(case.snoozed_until, config.timezone)}")
    elif case.waiting and case.answer_by is not None:
        state.append(f"{view.due(case.answer_by, now)} ({view.at(case.answer_by, config.timezone)})")
    return f"{case.name} {done}. Now: {', '.join(state)}."


def shown_name(person: str, people: People) -> str:
    """A person as a terminal shows them."""
    from monitor import view

    return view.safe(people.name(person), 40)


@click.command(short_help="Take a case.")
@_case
@_who
@pass_app
def claim(app: App, number: int, actor: str | None) -> None:
    """Take a case: it is yours to answer."""
    _do(app, number, actor, lambda _config, _now: {"kind": _kind("claim")})


@click.command(short_help="Hand a case back.")
@_case
@_words("why")
@_who
@pass_app
def release(app: App, number: int, why: tuple[str, ...], actor: str | None) -> None:
    """Hand a case back: nobody has it then, and the supervisor hears of it."""
    _do(app, number, actor, lambda _config, _now: {"kind": _kind("release"), "text": " ".join(why)})


@click.command(short_help="Give a case to somebody, or take it over.")
@_case
@click.argument("whom", metavar="WHOM")
@_who
@pass_app
def assign(app: App, number: int, whom: str, actor: str | None) -> None:
    """Give a case to WHOM; to yourself: take it over from whoever has it."""
    _do(app, number, actor, lambda _config, _now: {"kind": _kind("assign"), "assignee": whom})


@click.command(short_help="Say that a case was answered.")
@_case
@_words("text")
@click.option("--link", metavar="URL", default="", help="Where the public answer stands.")
@click.option("--promise", "promised", metavar="TEXT", default="", help="What you promised the customer.")
@_when("--by", "by", required=False)
@_who
@pass_app
def answer(
    app: App, number: int, text: tuple[str, ...], link: str, promised: str, by: str | None, actor: str | None
) -> None:
    """Say that a case was answered, with the words of the answer, and what was promised by when."""
    if promised and by is None:
        raise click.UsageError("A promise has a date: --by")
    _do(
        app,
        number,
        actor,
        lambda config, now: {
            "kind": _kind("answer"),
            "text": " ".join(text),
            "link": link,
            "promised": promised,
            "due_by": _moment(by, config, now),
        },
    )


@click.command(short_help="Write down what was promised.")
@_case
@click.argument("text", nargs=-1, required=True, metavar="TEXT...")
@_when("--by", "by")
@_who
@pass_app
def promise(app: App, number: int, text: tuple[str, ...], by: str, actor: str | None) -> None:
    """Write down what the customer was promised: you are reminded before, and it is never forgotten."""
    _do(
        app,
        number,
        actor,
        lambda config, now: {
            "kind": _kind("promise"),
            "promised": " ".join(text),
            "due_by": _moment(by, config, now),
        },
    )


@click.command(short_help="Say that a promise was kept.")
@_case
@_which
@_who
@pass_app
def keep(app: App, number: int, promise: int, actor: str | None) -> None:
    """Say that a promise was kept."""
    _do(app, number, actor, lambda _config, _now: {"kind": _kind("keep"), "promise": promise})


@click.command(short_help="Move the date of a promise.")
@_case
@_when("--by", "by")
@_which
@_who
@pass_app
def extend(app: App, number: int, by: str, promise: int, actor: str | None) -> None:
    """Move the date of a promise; the customer should know."""
    _do(
        app,
        number,
        actor,
        lambda config, now: {
            "kind": _kind("extend"),
            "promise": promise,
            "due_by": _moment(by, config, now),
        },
    )


@click.command(short_help="Call a promise off.")
@_case
@click.argument("why", nargs=-1, required=True, metavar="WHY...")
@_which
@_who
@pass_app
def drop(app: App, number: int, why: tuple[str, ...], promise: int, actor: str | None) -> None:
    """Call a promise off, and say WHY."""
    _do(
        app,
        number,
        actor,
        lambda _config, _now: {"kind": _kind("drop"), "promise": promise, "text": " ".join(why)},
    )


@click.command(short_help="Tell the next level.")
@_case
@_words("why")
@_who
@pass_app
def escalate(app: App, number: int, why: tuple[str, ...], actor: str | None) -> None:
    """Tell the next level of the escalation list."""
    _do(app, number, actor, lambda _config, _now: {"kind": _kind("escalate"), "text": " ".join(why)})


@click.command(short_help="Be left alone with a case until a time.")
@_case
@_words("why")
@_when("--until", "until")
@_who
@pass_app
def snooze(app: App, number: int, why: tuple[str, ...], until: str, actor: str | None) -> None:
    """Nobody is rung about a case until then; its deadlines stay what they are."""
    _do(
        app,
        number,
        actor,
        lambda config, now: {
            "kind": _kind("snooze"),
            "text": " ".join(why),
            "until": _moment(until, config, now),
        },
    )


@click.command(short_help="End a snooze.")
@_case
@_who
@pass_app
def unsnooze(app: App, number: int, actor: str | None) -> None:
    """End a snooze before its time."""
    _do(app, number, actor, lambda _config, _now: {"kind": _kind("unsnooze")})


@click.command(short_help="Say that a case is done.")
@_case
@_words("outcome")
@_kept
@_who
@pass_app
def resolve(app: App, number: int, outcome: tuple[str, ...], kept: bool, actor: str | None) -> None:
    """Say that a case is done, and how it ended. While a promise is owed it is not."""
    _do(
        app,
        number,
        actor,
        lambda _config, _now: {"kind": _kind("resolve"), "text": " ".join(outcome), "settle": kept},
    )


@click.command(short_help="Open a closed case again.")
@_case
@_words("why")
@_who
@pass_app
def reopen(app: App, number: int, why: tuple[str, ...], actor: str | None) -> None:
    """Open a closed case again; its clock starts anew."""
    _do(app, number, actor, lambda _config, _now: {"kind": _kind("reopen"), "text": " ".join(why)})


@click.command(short_help="Say that nobody has to answer.")
@_case
@_words("note")
@click.option(
    "--why",
    type=click.Choice(["not-us", "not-negative", "duplicate", "spam", "other"]),
    required=True,
    help="Why nobody has to answer; the first two teach the judge.",
)
@click.option("--of", "of", type=CASE, default=None, metavar="REP-0003", help="Of which case a duplicate.")
@_kept
@_who
@pass_app
def dismiss(
    app: App, number: int, note: tuple[str, ...], why: str, of: int | None, kept: bool, actor: str | None
) -> None:
    """Close a case nobody has to answer, and say why."""
    from alerts.cases import Why

    _do(
        app,
        number,
        actor,
        lambda _config, _now: {
            "kind": _kind("dismiss"),
            "why": Why(why.replace("-", "_")),
            "duplicate_of": of or 0,
            "text": " ".join(note),
            "settle": kept,
        },
    )


@click.command(short_help="Say that the verdict was wrong.")
@_case
@click.argument("wrong", type=click.Choice(["not-negative", "not-us", "more-urgent"]))
@_who
@pass_app
def correct(app: App, number: int, wrong: str, actor: str | None) -> None:
    """Say what was WRONG about a verdict: lowstar learns from it. "more-urgent" raises the case one step."""
    from alerts.cases import Wrong

    _do(
        app,
        number,
        actor,
        lambda _config, _now: {"kind": _kind("correct"), "wrong": Wrong(wrong.replace("-", "_"))},
    )


@click.command(short_help="Write something into the history.")
@_case
@click.argument("text", nargs=-1, required=True, metavar="TEXT...")
@_who
@pass_app
def note(app: App, number: int, text: tuple[str, ...], actor: str | None) -> None:
    """Write something into the history of a case; a sign of life, too."""
    _do(app, number, actor, lambda _config, _now: {"kind": _kind("note"), "text": " ".join(text)})


def _kind(word: str) -> Any:
    from alerts.cases import Do  # here: `lowstar --help` loads this module, not the machine behind it

    return Do(word)


COMMANDS = (
    claim,
    answer,
    promise,
    keep,
    extend,
    drop,
    escalate,
    snooze,
    unsnooze,
    assign,
    release,
    resolve,
    reopen,
    dismiss,
    correct,
    note,
)
