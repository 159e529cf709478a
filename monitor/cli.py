"""Which commands are there, and how does a run end? One table of commands, one door for errors.

A command's module is imported when it is called, never for `--help` or completion: the heavy packages below
(scrapy, praw, sqlalchemy) take most of a second each to import.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import click
from click.shell_completion import CompletionItem

from monitor.commands import BUSY, FAILED, FINE, INTERRUPTED, WRONG_USAGE, App

BROKEN_PIPE = 141  # what a shell shows for a program that SIGPIPE ended: `lowstar cases list | head -1`

# The help stands here, so that listing the commands imports none of them. In the order they are first needed.
COMMANDS = {
    "demo": ("monitor.commands.demo:command", "See all of it work on this machine, without a key."),
    "init": ("monitor.commands.init:command", "Write a commented lowstar.toml."),
    "check": ("monitor.commands.check:command", "Say what works, what does not, and what to do about it."),
    "run": ("monitor.commands.run:command", "Collect what is due, judge, deliver, exit: what cron calls."),
    "listen": ("monitor.commands.listen:command", "Listen to buttons, streams, webhooks; deliver meanwhile."),
    "try": ("monitor.commands.try_:command", "Show what would be collected from a page; keep nothing."),
    "import": ("monitor.commands.import_:command", "Take in exports, saved pages and e-mails."),
    "score": ("monitor.commands.score:command", "Judge JSON lines: texts in, verdicts out."),
    "evaluate": (
        "monitor.commands.evaluate:command",
        "Measure the triage on labelled texts, beside plain VADER.",
    ),
    "cases": ("monitor.commands.cases:command", "Show what somebody has to answer, worst first."),
    "learn": ("monitor.commands.learn:command", "Learn from corrections; show what would change."),
    "replay": ("monitor.commands.replay:command", "Try a changed lowstar.toml on stored history."),
    "status": ("monitor.commands.status:command", "Say whether all is well; exit 1 when it is not."),
    "digest": ("monitor.commands.digest:command", "Say what the week was like: numbers, complaints, praise."),
    "serve": ("monitor.commands.serve:command", "Serve the dashboard, its API and its feeds."),
    "export": ("monitor.commands.export:command", "Write the mentions as CSV, JSON lines or XLSX."),
    "forget": ("monitor.commands.forget:command", "Remove all that one person wrote."),
    "purge": ("monitor.commands.purge:command", "Delete what is older than you want to keep."),
    "copy": ("monitor.commands.copy:command", "Copy all that is kept: a backup, or a move to PostgreSQL."),
    "schedule": ("monitor.commands.schedule:command", "Print or install the crontab lines."),
    "completion": ("monitor.commands.completion:command", "Print the completion script of a shell."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when one of them is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *(name for name in super().list_commands(ctx) if name not in COMMANDS)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module_name, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module_name), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{COMMANDS[cmd_name][0]} is not a click command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f' Did you mean "{near[0]}"?' if near else ' "lowstar --help" lists the commands.'
            ctx.fail(f"There is no command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        names = [
            CompletionItem(name, help=text)
            for name, (_, text) in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]


def _version(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    from importlib import metadata

    try:
        number = metadata.version("lowstar")
    except metadata.PackageNotFoundError:
        number = "from a checkout"
    click.echo(f"lowstar {number}")
    ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PATH",
    help="The lowstar.toml to use; default LOWSTAR_CONFIG, else ./lowstar.toml.",
)
@click.option("-v", "--verbose", count=True, help="Say more; twice for everything.")
@click.option("-q", "--quiet", count=True, help="Say less.")
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected error.")
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version."
)
@click.pass_context
def cli(ctx: click.Context, config_path: Path | None, verbose: int, quiet: int, debug: bool) -> None:
    """Hear what is said about a brand, read the worst first, keep at it until someone has answered."""
    from alerts.redact import install_redaction  # here: `--help` never comes this far

    ctx.obj = App(config_path, verbose - quiet, debug)
    _log_to_stderr(verbose - quiet)
    install_redaction()  # slack_sdk logs the webhook's address, which is a secret, at DEBUG


def _log_to_stderr(verbosity: int) -> None:
    level = {-1: logging.ERROR, 0: logging.WARNING, 1: logging.INFO}.get(
        verbosity, logging.DEBUG if verbosity > 1 else logging.CRITICAL
    )
    logging.basicConfig(
        level=level, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr, force=True
    )


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """The `lowstar` command; always ends the process, with the exit codes of `monitor.commands`."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(outcome(arguments))


def outcome(arguments: list[str]) -> int:
    """Run the command line `arguments` and return its exit code; every error ends here, said in one way."""
    try:
        if "_LOWSTAR_COMPLETE" in os.environ:
            cli.main(arguments, prog_name="lowstar")  # a shell asks for completions; click answers and exits
        # Not click's `main`: it would end a broken pipe with 1, which here says that something was reported.
        with cli.make_context("lowstar", list(arguments)) as context:
            code = cli.invoke(context)
        sys.stdout.flush()  # a reader that has gone away must be noticed here, not at shutdown
        return code if isinstance(code, int) else FINE
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.ClickException as mistake:
        mistake.show()
        return mistake.exit_code
    except (click.Abort, KeyboardInterrupt, EOFError):
        _say("\nStopped.")
        return INTERRUPTED
    except BrokenPipeError:
        # Python would flush stdout once more at shutdown and complain: give it somewhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return BROKEN_PIPE
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else FAILED if ended.code else FINE
    except Exception as error:
        return _explain(error, debug="--debug" in arguments)


def _explain(error: Exception, *, debug: bool) -> int:
    if _is(error, "monitor.config", "ConfigError"):
        _say(_redact(str(error)))
        return WRONG_USAGE
    line = " ".join(str(error).split()) or type(error).__name__
    if _is(error, "storage.errors", "StoreError"):
        _say(_redact(f"lowstar: {line}"))
        return BUSY if _is(error, "storage.errors", "Busy") else FAILED
    if debug:
        _say(_redact("".join(traceback.format_exception(error))))
    else:
        _say(_redact(f"lowstar: {type(error).__name__}: {line}"))
        _say('This is a fault in lowstar. "lowstar --debug …" shows where it happened.')
    return FAILED


def _is(error: Exception, module: str, name: str) -> bool:
    """True when `error` is that class or below it; a class never imported cannot have been raised."""
    kind: Any = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(error, kind)


def _redact(text: str) -> str:
    """`text` without secrets; the rules are loaded only now, when something went wrong."""
    from alerts.redact import redact

    return redact(text)


def _say(text: str) -> None:
    with contextlib.suppress(OSError):  # nobody listens on stderr: there is no one left to tell
        click.echo(text, err=True)
