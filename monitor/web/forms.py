"""What do the forms of the dashboard do? The same actions as Slack's buttons and the command line, through one door."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from alerts.actions import act
from alerts.deeds import Action, Do, Refused, Why, Wrong
from monitor.moments import EXAMPLES, moment
from monitor.web.dashboard import Ask, page
from monitor.web.filters import filter_of_query
from monitor.web.security import safe_next
from storage.inbox import SavedFilter
from storage.records import clean_line, clean_text, clean_url

NUMBER_MAX = 2**31 - 1
WORDS_MAX = 3_000


class Misread(Exception):
    """A field does not say what it should; `str()` is for the person who filled it in."""


def deed(ask: Ask) -> Response:
    """Do something to a case, then show it (or the list it was done from)."""
    number = ask.request.path_params["number"]
    actor = actor_of(ask)
    try:
        action = action_of(ask.request.path_params["deed"], ask.fields, actor, ask)
        if not 0 < number <= NUMBER_MAX:
            raise Refused("There is no such case")
        act(ask.dashboard.store, number, action, ask.now, ask.dashboard.policy)
        ask.dashboard.news()
    except (Refused, Misread) as refused:
        return page(
            ask,
            "message.html",
            409,
            title="Nothing was changed",
            words=str(refused),
            link=f"/cases/{number}",
            link_words="Back to the case",
        )
    back = safe_next(ask.fields.get("back", ""))
    return RedirectResponse(back if back != "/" or ask.fields.get("back") == "/" else f"/cases/{number}", 303)


def actor_of(ask: Ask) -> str:
    """Who does it, by the one name this person has in every case."""
    if ask.visit.person is None:
        raise HTTPException(403)
    return ask.dashboard.config.policy.people.id(ask.visit.person.name)


def action_of(word: str, fields: Mapping[str, Any], actor: str, ask: Ask) -> Action:
    """The action a form or an API call asks for. Raises Misread, or 404 for a word that is none."""
    try:
        kind = Do(word)
    except ValueError:
        raise HTTPException(404, f"There is no action {clean_line(word, 40)!r}.") from None

    def text(name: str, limit: int = WORDS_MAX) -> str:
        value = fields.get(name)
        return clean_text(value, limit).strip() if isinstance(value, str) else ""

    def whole(name: str) -> int | None:
        value = fields.get(name)
        if isinstance(value, str) and value.strip().isdecimal() and len(value) <= 18:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            return None
        return value if 0 <= value < 2**62 else None

    link = text("link", 2_000)
    if link and not clean_url(link):
        raise Misread("The link must be a web address that begins with https://")
    zone = ask.dashboard.config.timezone
    return Action(
        kind=kind,
        actor=actor,
        version=whole("version"),
        text=text("text"),
        link=clean_url(link),
        assignee=ask.dashboard.config.policy.people.id(text("assignee", 200)) if text("assignee") else "",
        until=_moment(text("until", 40), ask.now, zone),
        promised=text("promised"),
        due_by=_moment(text("due_by", 40), ask.now, zone),
        promise=whole("promise") or 0,
        promise_version=whole("promise_version"),
        why=_one_of(Why, text("why", 40), Why.OTHER),
        duplicate_of=_case_number(fields.get("duplicate_of")),
        wrong=_one_of(Wrong, text("wrong", 40), Wrong.MORE_URGENT),
        settle=fields.get("settle") in (True, "1", "on", "true"),
    )


def save_filter(ask: Ask) -> Response:
    """Give the view that is looked at a name."""
    chosen = filter_of_query(ask.fields.get("query", ""))
    name = clean_line(ask.fields.get("name", ""), 64)
    if name and chosen.any:
        with ask.dashboard.store.transaction() as ledger:
            ledger.save_filter(SavedFilter(name, chosen.query, actor_of(ask), ask.now))
    return RedirectResponse("/?" + chosen.query, 303)


def drop_filter(ask: Ask) -> Response:
    """Forget a view by its name."""
    with ask.dashboard.store.transaction() as ledger:
        ledger.drop_filter(ask.fields.get("name", ""))
    return RedirectResponse("/", 303)


def _one_of(kind: Any, word: str, usual: Any) -> Any:
    if not word:
        return usual
    try:
        return kind(word)
    except ValueError:
        allowed = ", ".join(str(one) for one in kind)
        raise Misread(f"{clean_line(word, 40)!r} is none of: {allowed}") from None


def _case_number(value: Any) -> int:
    from monitor.commands.case_actions import case_number

    if isinstance(value, int) and not isinstance(value, bool):
        return value if 0 < value <= NUMBER_MAX else 0
    return (case_number(value) or 0) if isinstance(value, str) else 0


def _moment(text: str, now: datetime, zone: str) -> datetime | None:
    """When a person means, in the zone of the people; None for nothing said."""
    if not text:
        return None
    try:
        found = moment(text, now, zone)
    except (OverflowError, ValueError):  # a year no clock can hold
        found = None
    if found is None:
        raise Misread(f"{clean_line(text, 40)!r} is no time; say {EXAMPLES}")
    return found
