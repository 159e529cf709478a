"""How does a shell complete lowstar's commands? Prints click's script and says how to install it."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

INSTALL = {
    "bash": 'eval "$(lowstar completion bash)"   in ~/.bashrc',
    "zsh": 'eval "$(lowstar completion zsh)"   in ~/.zshrc, after compinit',
    "fish": "lowstar completion fish > ~/.config/fish/completions/lowstar.fish",
}


@click.command(short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(sorted(INSTALL)))
def command(shell: str) -> None:
    """Print the script that makes SHELL complete lowstar's commands and options.

    \b
    bash: eval "$(lowstar completion bash)"   in ~/.bashrc
    zsh:  eval "$(lowstar completion zsh)"   in ~/.zshrc, after compinit
    fish: lowstar completion fish > ~/.config/fish/completions/lowstar.fish
    """
    from monitor.cli import cli

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"click knows no completion for {shell}")
    # Not click's own way through `_LOWSTAR_COMPLETE=bash_source`: that runs bash to ask for its version.
    completer = kind(cli, {}, "lowstar", "_LOWSTAR_COMPLETE")
    click.echo(f"# To install: {INSTALL[shell]}")
    click.echo(completer.source_template % completer.source_vars())
