"""When does cron call lowstar? Prints the crontab lines of this configuration, or installs them."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import click

from monitor.commands import App, pass_app

BEGIN = "# lowstar begin: {path} (written by `lowstar schedule --install`; edits here are lost)"
END = "# lowstar end: {path}"
DIVISORS = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)  # minutes that cron repeats evenly in every hour


def cron_time(every: Iterable[timedelta]) -> str:
    """The five time fields of cron for the most frequent of these: never later than asked, evenly spaced.

    A run looks itself for what is due, so more often does no harm. At least hourly, so that nothing waits in
    the outbox for a day.

    >>> cron_time([timedelta(minutes=17), timedelta(hours=2)]), cron_time([timedelta(days=1)])
    ('*/15 * * * *', '7 * * * *')
    """
    minutes = int(min(every, default=timedelta(hours=1)).total_seconds() // 60)
    if minutes >= 60:
        return "7 * * * *"  # not on the hour, when everybody else's jobs start
    step = max((one for one in DIVISORS if one <= minutes), default=1)
    return f"*/{step} * * * *" if step > 1 else "* * * * *"


def cron_command(words: Iterable[str]) -> str:
    """A command as it may stand in a crontab: quoted for sh, and `%` escaped, which cron takes for a newline.

    >>> cron_command(["/opt/my tools/lowstar", "--config", "/a%b.toml"])
    "'/opt/my tools/lowstar' --config /a\\\\%b.toml"
    """
    return " ".join(shlex.quote(word) for word in words).replace("%", "\\%")


def crontab_lines(config_path: Path, every: Iterable[timedelta], program: Iterable[str]) -> list[str]:
    """The lines of a crontab, markers included, for the lowstar.toml at `config_path`."""
    cd = cron_command(["cd", str(config_path.parent)])
    run = cron_command([*program, "--config", str(config_path), "--quiet", "run"])
    name = str(config_path)
    return [BEGIN.format(path=name), f"{cron_time(every)} {cd} && {run}", END.format(path=name)]


def merged(crontab: str, lines: list[str]) -> str:
    """`crontab` with `lines` in place of the block between the same markers, or behind everything else."""
    kept: list[str] = []
    inside = False
    placed = False
    present = crontab.splitlines()
    whole = lines[0] in present and lines[-1] in present[present.index(lines[0]) :]
    for line in present:
        if whole and not placed and line == lines[0]:
            inside = True
        elif inside:
            if line == lines[-1]:
                inside, placed = False, True
                kept += lines
        else:
            kept.append(line)
    if not placed:
        kept += lines
    return "\n".join(kept) + "\n"


def program() -> list[str]:
    """How this lowstar is started, by absolute paths: cron's PATH holds next to nothing."""
    script = Path(sys.argv[0])
    if script.name == "lowstar" and script.is_file() and os.access(script, os.X_OK):
        return [str(script.absolute())]
    beside = Path(sys.executable).with_name("lowstar")
    if beside.is_file():
        return [str(beside)]
    root = Path(__file__).parents[2]  # not installed: python must be told where the packages are
    return ["env", f"PYTHONPATH={root}", sys.executable, "-m", "monitor"]


@click.command(short_help="Print or install the crontab lines.")
@click.option("--install", is_flag=True, help="Put them into your crontab; a second time changes nothing.")
@pass_app
def command(app: App, install: bool) -> None:
    """Print the crontab lines for this lowstar.toml, or install them.

    Keys must reach cron too: name files in LOWSTAR_SLACK_TOKEN_FILE and the like at the top of the crontab.
    """
    config = app.config()
    if any(not c.isprintable() for c in str(config.path)):
        raise click.ClickException("the path of lowstar.toml holds a line break; cron cannot take it")
    lines = crontab_lines(config.path, [source.every for source in config.sources], program())
    if not install:
        click.echo("\n".join(lines))
        return
    crontab = shutil.which("crontab")
    if crontab is None:
        raise click.ClickException(
            'there is no "crontab" on this machine. Print the line with "lowstar schedule" and give it to '
            "whatever starts jobs here (a systemd timer, a container's scheduler)."
        )
    before = _present(crontab)
    after = merged(before, lines)
    if after == before:
        click.echo("Already installed; nothing to change.")
        return
    done = subprocess.run([crontab, "-"], input=after, text=True, capture_output=True, check=False)  # noqa: S603
    if done.returncode:
        raise click.ClickException(f"crontab refused: {' '.join(done.stderr.split()) or 'without a word'}")
    click.echo("Installed:\n" + "\n".join(lines))
    click.echo('"lowstar status" says whether it works; "crontab -e" takes it out again.')


def _present(crontab: str) -> str:
    done = subprocess.run([crontab, "-l"], text=True, capture_output=True, check=False)  # noqa: S603
    if done.returncode == 0:
        return done.stdout
    # Every cron says it in these words. Anything else must not be taken for an empty crontab.
    if "no crontab for" in done.stderr:
        return ""
    raise click.ClickException(
        f"the crontab cannot be read: {' '.join(done.stderr.split()) or done.returncode}"
    )
