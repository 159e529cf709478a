"""`lowstar replay NEW.toml`: which alerts of the past would another configuration have added or taken away?"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from monitor.commands import FINE, App, existing_store, pass_app


@click.command(name="replay", short_help="Try a changed lowstar.toml on stored history.")
@click.argument("new", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--back", "age", default="90d", metavar="AGE", help="How far back; default 90d.")
@click.option("--show", default=20, type=click.IntRange(0, 10_000), help="How many of each kind to list.")
@pass_app
def command(app: App, new: Path, age: str, show: int) -> int:
    """Judge the stored mentions of the last AGE as NEW, a changed lowstar.toml, would: thresholds, brands, routes.

    Both the present configuration and NEW judge anew; nothing is kept, sent or changed. Mentions that were
    thrown away because they were about no brand are not there to be found.
    """
    from monitor import teaching, view
    from monitor.config import load_config
    from monitor.config_check import DURATION, duration
    from monitor.replay import replay
    from monitor.runner import desk_for, offset_in_force

    back = duration(age)
    if back is None or not back:
        raise click.UsageError(f"--back: found {age!r}; allowed: {DURATION}")
    now = datetime.now(UTC)
    present, wanted = app.config(), load_config(new, os.environ)
    with existing_store(present) as store:
        offset = offset_in_force(store)
        try:
            history = replay(
                store,
                replace(desk_for(present), offset=offset),
                replace(desk_for(wanted), offset=offset),
                now,
                back=back,
            )
        except OverflowError:
            raise click.UsageError(f"--back: {age} is longer ago than there was anything") from None
    titles = {source.name: source.title or source.name for source in present.sources}
    for line in teaching.replay_lines(history, titles, shown=show):
        click.echo(view.safe(line, 400))
    return FINE
