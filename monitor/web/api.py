"""What can programs ask, and do? The JSON API: one table of endpoints, from which its OpenAPI document is made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from alerts.actions import act
from alerts.deeds import Do, Refused
from monitor.config_web import Role
from monitor.export import plain_mention
from monitor.web import hooks
from monitor.web.dashboard import Ask
from monitor.web.filters import LABELS, STATUSES, filter_of, place_of, place_text
from monitor.web.forms import Misread, action_of, actor_of
from monitor.web.openapi import Endpoint, Param, openapi_document
from storage.records import CaseStatus, Priority
from storage.wanted import Place

LIMIT, LIMIT_MAX = 50, 200
NUMBER_MAX = 2**31 - 1


def cases(ask: Ask) -> Response:
    """List cases: open ones worst first."""
    from monitor.commands.cases import as_plain

    limit, after = _paging(ask)
    with ask.dashboard.store.reading() as ledger:
        found = ledger.inbox(filter_of(ask.query).wanted, ask.now, limit=limit + 1, after=after)
    more = len(found) > limit
    found = found[:limit]
    last = found[-1].case if found else None
    place = Place(last.number, int(last.priority), last.rank, last.closed_at) if last and more else None
    return _json({"cases": [as_plain(one) for one in found], "next": place_text(place) if place else None})


def case(ask: Ask) -> Response:
    """One case with its history and promises."""
    return _json(_whole_case(ask, _number(ask)))


def do(ask: Ask) -> Response:
    """Do something to a case; answers the case as it is then, 409 where it cannot be done."""
    number = _number(ask)
    try:
        fields = json.loads(ask.request.scope.get("lowstar_body") or b"{}")
    except (ValueError, RecursionError):
        raise HTTPException(400, "The body is no JSON.") from None
    if not isinstance(fields, dict):
        raise HTTPException(400, "The body must be a JSON object.")
    try:
        action = action_of(ask.request.path_params["action"], fields, actor_of(ask), ask)
        act(ask.dashboard.store, number, action, ask.now, ask.dashboard.config.policy)
        ask.dashboard.news()
    except Misread as mistake:
        raise HTTPException(400, str(mistake)) from None
    except Refused as refused:
        _whole_case(ask, number)  # 404 where there is none
        raise HTTPException(409, str(refused)) from None
    return _json(_whole_case(ask, number))


def mentions(ask: Ask) -> Response:
    """List mentions, newest first, a row a brand."""
    limit, after = _paging(ask)
    with ask.dashboard.store.reading() as ledger:
        found, place = ledger.newest_mentions(filter_of(ask.query).wanted, limit=limit, after=after)
    return _json(
        {"mentions": [plain_mention(one) for one in found], "next": place_text(place) if place else None}
    )


def mention(ask: Ask) -> Response:
    """One mention, as it was judged for each brand."""
    identity = ask.request.path_params["id"]
    with ask.dashboard.store.reading() as ledger:
        found = ledger.judged(identity) if identity < 2**62 else []
    if not found:
        raise HTTPException(404, "There is no such mention.")
    return _json({"mentions": [plain_mention(one) for one in found]})


def sources(ask: Ask) -> Response:
    """How each source is doing."""
    return _json({"sources": _status(ask)["sources"]})


def status(ask: Ask) -> Response:
    """All that `lowstar status` says."""
    return _json(_status(ask))


def metrics(ask: Ask) -> Response:
    """The figures a Prometheus collects."""
    from monitor.metrics import CONTENT_TYPE, NoMetrics, metrics_text

    try:
        with ask.dashboard.store.reading() as ledger:
            return Response(
                metrics_text(ledger, ask.dashboard.config, ask.now), headers={"content-type": CONTENT_TYPE}
            )
    except NoMetrics as missing:
        return Response(str(missing), 501, media_type="text/plain")


def unknown(ask: Ask) -> Response:
    """Whatever else is asked below /api/."""
    raise HTTPException(404, "There is no such endpoint; /api/v1/openapi.json lists them.")


def openapi(ask: Ask) -> Response:
    """This document."""
    sent_to = any(source.kind == "webhook" for source in ask.dashboard.config.sources)
    return _json(openapi_document((*ENDPOINTS, hooks.ENDPOINT) if sent_to else ENDPOINTS))


_TEXT = {"type": "string", "maxLength": 200}
_NARROW = (
    Param("brand", "Only of this brand.", _TEXT),
    Param("source", "Only from this source.", _TEXT),
    Param("stars", "Only with so many stars, rounded; 0: without.", {"type": "string", "pattern": "^[0-5]$"}),
    Param("topic", "Only about this topic.", _TEXT),
    Param("language", "Only in this language.", {"type": "string", "maxLength": 16}),
    Param("q", 'Words, "a phrase", -without.', {"type": "string", "maxLength": 200}),
)
_PAGING = (
    Param(
        "limit", "At most so many.", {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT}
    ),
    Param("after", "The `next` of the page before.", {"type": "string", "maxLength": 100}),
)
_OF_CASES = (
    Param(
        "status",
        "Which cases; without it all that are not closed.",
        {"type": "string", "enum": sorted({*(word for word in STATUSES if word), *map(str, CaseStatus)})},
    ),
    Param("owner", "Only of this owner; - for those nobody has.", _TEXT),
)
_OF_MENTIONS = (
    Param("label", "Only of this tone.", {"type": "string", "enum": list(LABELS)}),
    Param("since", "Posted on this day (UTC) or later.", {"type": "string", "format": "date"}),
    Param("until", "Posted on this day (UTC) or before.", {"type": "string", "format": "date"}),
)
_NUMBER = Param(
    "number", "Of the case.", {"type": "integer", "minimum": 1, "maximum": NUMBER_MAX}, place="path"
)
_ID = Param("id", "Of the mention.", {"type": "integer", "minimum": 1}, place="path")
_ACTION = Param("action", "What to do.", {"type": "string", "enum": [str(one) for one in Do]}, place="path")

ENDPOINTS = (
    Endpoint("GET", "/api/v1/cases", cases, "Cases", (*_NARROW, *_OF_CASES, *_PAGING), refusals=(400,)),
    Endpoint("GET", "/api/v1/cases/{number:int}", case, "WholeCase", (_NUMBER,), refusals=(404,)),
    Endpoint(
        "POST",
        "/api/v1/cases/{number:int}/{action}",
        do,
        "WholeCase",
        (_NUMBER, _ACTION),
        role=Role.ACT,
        body="Action",
        refusals=(400, 403, 404, 409, 413),
    ),
    Endpoint(
        "GET", "/api/v1/mentions", mentions, "Mentions", (*_NARROW, *_OF_MENTIONS, *_PAGING), refusals=(400,)
    ),
    Endpoint("GET", "/api/v1/mentions/{id:int}", mention, "OneMention", (_ID,), refusals=(404,)),
    Endpoint("GET", "/api/v1/sources", sources, "Sources"),
    Endpoint("GET", "/api/v1/status", status, "Status"),
    Endpoint("GET", "/api/v1/openapi.json", openapi, "Anything"),
)


def _whole_case(ask: Ask, number: int) -> dict[str, Any]:
    from monitor.commands.cases import as_plain

    with ask.dashboard.store.reading() as ledger:
        one = ledger.reviewed(number)
        events = ledger.events(number) if one else []
        promises = ledger.promises(number) if one else []
    if one is None:
        raise HTTPException(404, "There is no such case.")
    return {
        **as_plain(one, events),
        "version": one.case.version,
        "promises": [
            {
                "id": promise.id,
                "text": promise.text,
                "due_by": promise.due_by,
                "owner": promise.owner,
                "kept_at": promise.kept_at,
            }
            for promise in promises
        ],
    }


def _status(ask: Ask) -> dict[str, Any]:
    from monitor.commands.status import as_plain, gather

    with ask.dashboard.store.reading() as ledger:
        return as_plain(gather(ledger, ask.dashboard.config, ask.now))


def _number(ask: Ask) -> int:
    number = ask.request.path_params["number"]
    if not 0 < number <= NUMBER_MAX:
        raise HTTPException(404, "There is no such case.")
    return int(number)


def _paging(ask: Ask) -> tuple[int, Place | None]:
    limit = ask.query.get("limit", str(LIMIT))
    if not limit.isascii() or not limit.isdecimal() or len(limit) > 6 or not 1 <= int(limit) <= LIMIT_MAX:
        raise HTTPException(400, f"limit: a number from 1 to {LIMIT_MAX}")
    after = ask.query.get("after", "")
    place = place_of(after) if after else None
    if after and place is None:
        raise HTTPException(400, "after: the `next` of the page before")
    return int(limit), place


def _json(value: Any, status: int = 200) -> Response:
    def plain(other: Any) -> Any:
        if isinstance(other, Priority):
            return other.word
        if isinstance(other, datetime):
            return other.isoformat()
        if isinstance(other, Mapping):
            return {str(key): plain(inner) for key, inner in other.items()}
        if isinstance(other, (list, tuple, set)):
            return [plain(inner) for inner in other]
        return other

    return JSONResponse(plain(value), status)
