"""What does lowstar.toml say of an analyser beside lowstar's own?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from monitor.config_check import Table
from monitor.config_secrets import read_value

ANALYSER_KEY = "LOWSTAR_ANALYSER_KEY"
ASK = ("unsure", "unread", "all")

_CALL = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)
_OPTION = "a text in quotes, a number, true or false"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyserPlan:
    """Who else is asked how an author feels, and about which texts."""

    call: str = ""  # "package.module:function"; "": nobody
    ask: str = "unsure"  # "unread": only what lowstar cannot read; "unsure": that and what it doubts; "all"
    options: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    key: str = field(default="", repr=False)


def read_analyser(table: Table, environ: Mapping[str, str], folder: Path, outside: list[str]) -> AnalyserPlan:
    """The table [analyser]."""
    plan = AnalyserPlan(
        call=table.text("call", check=_call_problem),
        ask=table.choice("ask", "unsure", ASK),
        options=_options(table.table("options")),
        key=read_value(environ, ANALYSER_KEY, folder, outside),
    )
    table.close()
    return plan


def _call_problem(call: str) -> str:
    return "" if _CALL.fullmatch(call) else 'a function such as "monitor.analysers.llm:analyser"'


def _options(table: Table) -> dict[str, str | int | float | bool]:
    options: dict[str, str | int | float | bool] = {}
    for name in table.values:
        value = table.raw(name)
        if isinstance(value, str | int | float):  # a bool is an int
            options[name] = value
        elif value is not None:
            table.found(name, value, _OPTION)
    return options
