"""What does every page of the dashboard have at hand: the store, the settings, the clock, the templates?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from alerts.sla import Policy
from monitor.config import Config
from monitor.config_web import Role
from monitor.runner import policy_for
from monitor.web.security import FORM, FORM_FOR, Gate, Visit, cookie
from storage.figures import Said
from storage.store import Store

FIELDS_MAX = 60


@dataclass(frozen=True)
class Dashboard:
    """What all pages share."""

    store: Store
    config: Config
    gate: Gate
    clock: Callable[[], datetime]
    marks: Mapping[str, str] = field(default_factory=dict)  # of the static files, in their addresses
    weeks: dict[tuple[str, datetime], tuple[datetime, Said]] = field(default_factory=dict)  # see trends
    news: Callable[[], None] = lambda: None  # told when a case was changed here

    @cached_property
    def policy(self) -> Policy:
        """What cases go by, with the customers' table as it was at the start."""
        return policy_for(self.config)

    @cached_property
    def templates(self) -> jinja2.Environment:
        """The templates; whatever is printed is escaped, a name nobody set is an error."""
        made = jinja2.Environment(
            loader=jinja2.PackageLoader("monitor.web"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        made.globals["static"] = lambda name: f"/static/{name}?{self.marks.get(name, '')}"
        made.globals["same"] = lambda words: [(word, word) for word in words]
        return made


@dataclass(frozen=True)
class Ask:
    """One request of somebody who is signed in (or who is about to)."""

    dashboard: Dashboard
    request: Request
    visit: Visit
    now: datetime
    fields: Mapping[str, str] = field(default_factory=dict)  # of a form

    @property
    def query(self) -> dict[str, str]:
        """The words after the ? of the address; of two alike the last."""
        return dict(self.request.query_params)

    @property
    def here(self) -> str:
        """The address asked for, without its host."""
        url = self.request.url
        return url.path + (f"?{url.query}" if url.query else "")

    def may(self, word: str) -> bool:
        """True when the person may do what the role of this name may."""
        return self.visit.may(Role[word.upper()])


def page(ask: Ask, template: str, status: int = 200, **values: Any) -> Response:
    """A page made from a template; gives the visitor the cookie their forms need."""
    import secrets

    form = ask.visit.form or secrets.token_hex(16)
    person = ask.visit.person
    answer = HTMLResponse(
        ask.dashboard.templates.get_template(template).render(
            person=person,
            may_act=ask.may("act"),
            may_export=ask.may("admin"),
            csrf=ask.dashboard.gate.form_value(form, person),
            here=ask.here,
            path=ask.request.url.path,
            **values,
        ),
        status_code=status,
    )
    if form != ask.visit.form:
        answer.headers.append("set-cookie", cookie(FORM, form, secure=ask.visit.secure, within=FORM_FOR))
    return answer


def static_marks() -> dict[str, str]:
    """A short hash of each static file: its address changes when it does, so that it may be kept for ever."""
    folder = files("monitor.web") / "static"
    return {one.name: hashlib.sha256(one.read_bytes()).hexdigest()[:10] for one in folder.iterdir()}


def form_fields(body: bytes) -> dict[str, str]:
    """The fields of a posted form; what is no form has none."""
    try:
        pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError:
        return {}
    return dict(pairs)
