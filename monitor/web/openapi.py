"""What does the API answer, in the words of OpenAPI 3.1? Made from its table of endpoints, so that none is left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from alerts.deeds import Why, Wrong
from monitor.config_web import Role
from monitor.web.dashboard import Ask
from monitor.web.filters import LABELS
from storage.records import CaseStatus, Priority


@dataclass(frozen=True, slots=True)
class Param:
    """A word of an address: where it stands and what it may be."""

    name: str
    words: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    place: str = "query"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One line of the API."""

    method: str
    path: str
    view: Callable[[Ask], Response]
    answer: str  # the name of its schema
    params: tuple[Param, ...] = ()
    role: Role = Role.READ
    body: str = ""
    refusals: tuple[int, ...] = ()
    security: tuple[str, ...] = ()  # schemes of its own, any of which will do; none: the API's token


def openapi_document(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """The OpenAPI 3.1 document of these endpoints."""
    paths: dict[str, Any] = {}
    for one in endpoints:
        operation: dict[str, Any] = {
            "operationId": one.view.__name__,
            "summary": (one.view.__doc__ or "").strip(),
            "description": "Needs the token or the signature of its source."
            if one.security
            else f"Needs the role `{one.role.word}`.",
            "parameters": [
                {
                    "name": param.name,
                    "in": param.place,
                    "required": param.place == "path",
                    "description": param.words,
                    "schema": dict(param.schema),
                }
                for param in one.params
            ],
            "responses": {
                "200": _answers("What was asked for.", one.answer),
                "401": _answers("No valid token.", "Error"),
                "429": _answers("Too many wrong tokens; Retry-After says how long to wait.", "Anything"),
                "503": _answers("The store is busy.", "Error"),
                **{str(code): _answers(_REFUSALS[code], "Error") for code in one.refusals},
            },
        }
        if one.security:
            operation["security"] = [{scheme: []} for scheme in one.security]
        if one.body:
            operation["requestBody"] = {
                "required": False,
                "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{one.body}"}}},
            }
        paths.setdefault(one.path.replace(":int", ""), {})[one.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "lowstar",
            "version": "1",
            "description": "What is said about a brand, what has to be answered, and who answers it.",
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "hookToken": {"type": "http", "scheme": "bearer"},
                "hookSignature": {"type": "apiKey", "in": "header", "name": "X-Lowstar-Signature"},
            },
            "schemas": _schemas(),
        },
    }


_REFUSALS = {
    400: "Something in the request is not what it should be.",
    403: "The token's role does not allow this.",
    404: "There is no such thing.",
    409: "It cannot be done as the case stands; nothing was changed.",
    413: "More was sent than is taken: 64 KiB, 1 MiB of webhooks.",
    415: "It is no JSON, or compressed.",
    422: "None of the items could be taken; the answer says why.",
}


def _answers(words: str, schema: str) -> dict[str, Any]:
    if schema == "Anything":
        return {"description": words}
    return {
        "description": words,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }


def _schemas() -> dict[str, Any]:
    text = {"type": "string"}
    time = {"type": "string", "format": "date-time"}
    perhaps_time = {"type": ["string", "null"], "format": "date-time"}
    perhaps_number = {"type": ["number", "null"]}
    texts = {"type": "array", "items": text}
    priority = {"type": "string", "enum": [one.word for one in Priority]}
    label = {"type": "string", "enum": list(LABELS)}
    said = {
        "source": text,
        "kind": text,
        "url": text,
        "title": text,
        "text": text,
        "author": text,
        "entity": text,
        "stars": perhaps_number,
        "reach": {"type": "integer"},
        "published_at": perhaps_time,
        "compound": {"type": "number", "minimum": -1, "maximum": 1},
        "label": label,
        "priority": priority,
        "rank": {"type": "number"},
        "reasons": texts,
        "topics": texts,
    }
    a_case = _object(
        {
            **said,
            "case": text,
            "brand": text,
            "status": {"type": "string", "enum": [str(one) for one in CaseStatus]},
            "owner": text,
            "channel": text,
            "level": {"type": "integer"},
            "opened_at": time,
            "respond_by": perhaps_time,
            "first_response_at": perhaps_time,
            "closed_at": perhaps_time,
            "outcome": text,
            "recovered": {"type": "boolean"},
            "removed": {"type": "boolean"},
            "first_seen_at": time,
        }
    )
    a_mention = _object(
        {
            **said,
            "id": {"type": "integer"},
            "brand": text,
            "language": text,
            "posted_at": time,
            "first_seen_at": time,
            "owner_reply": text,
            "case": {"type": ["string", "null"]},
            "case_status": {"type": ["string", "null"]},
            "case_owner": text,
        }
    )
    event = _object({"at": time, "actor": text, "action": text, "detail": text})
    promise = _object(
        {"id": {"type": "integer"}, "text": text, "due_by": time, "owner": text, "kept_at": perhaps_time}
    )
    following = {"type": ["string", "null"], "description": "`after` of the next page, null on the last."}
    action = {
        "version": {
            "type": "integer",
            "minimum": 0,
            "description": "Of the case as it was seen; refused when older.",
        },
        "text": {"type": "string", "maxLength": 3000},
        "link": {"type": "string", "maxLength": 2000, "description": "Of the public answer."},
        "assignee": {"type": "string", "maxLength": 200},
        "until": {"type": "string", "maxLength": 40, "description": "Of a snooze: `4h`, `3d`, or a time."},
        "promised": {"type": "string", "maxLength": 3000},
        "due_by": {"type": "string", "maxLength": 40, "description": "Of a promise: a date or a time."},
        "promise": {"type": "integer", "minimum": 0},
        "promise_version": {"type": "integer", "minimum": 0},
        "why": {"type": "string", "enum": [str(one) for one in Why]},
        "wrong": {"type": "string", "enum": [str(one) for one in Wrong]},
        "duplicate_of": {"type": "integer", "minimum": 0},
        "settle": {"type": "boolean", "description": "What is owed has been kept."},
    }
    source = _object(
        {
            "name": text,
            "status": text,
            "wrong": {"type": "boolean"},
            "last_started_at": perhaps_time,
            "advice": text,
        }
    )
    return {
        "Error": _object({"error": text}),
        **_hook_schemas(),
        "Case": a_case,
        "Cases": _object({"cases": _list("Case"), "next": following}),
        "WholeCase": {
            "allOf": [
                {"$ref": "#/components/schemas/Case"},
                _object(
                    {
                        "version": {"type": "integer"},
                        "events": {"type": "array", "items": event},
                        "promises": {"type": "array", "items": promise},
                    }
                ),
            ]
        },
        "Action": {"type": "object", "properties": action},
        "Mention": a_mention,
        "Mentions": _object({"mentions": _list("Mention"), "next": following}),
        "OneMention": _object({"mentions": _list("Mention")}),
        "Source": source,
        "Sources": _object({"sources": _list("Source")}),
        "Status": _object(
            {
                "ok": {"type": "boolean"},
                "at": time,
                "problems": texts,
                "sources": _list("Source"),
                "outbox": {"type": "object", "additionalProperties": {"type": "integer"}},
                "cases": {"type": "object", "additionalProperties": {"type": "integer"}},
                "mentions": {"type": "integer"},
            }
        ),
    }


def _hook_schemas() -> dict[str, Any]:
    text = {"type": "string"}
    time = {"type": "string", "format": "date-time"}
    item = {
        "id": {
            "type": "string",
            "description": "Makes a second sending an edit; else it is known by its words.",
        },
        "text": text,
        "title": text,
        "author": text,
        "stars": {"type": ["number", "string"], "description": "4, “4/5”, “★★★★☆”; out of `best`."},
        "best": {"type": "number", "default": 5},
        "url": {"type": "string", "format": "uri"},
        "published_at": time,
        "edited_at": time,
        "source": {
            "type": "string",
            "description": "Where it was said; shown as the place where there is no entity.",
        },
        "entity": {"type": "string", "description": "The place or product."},
        "language": {"type": "string", "description": "ISO 639-1."},
        "reach": {"type": "integer", "minimum": 0},
        "in_reply_to": {"type": "string", "description": "The id of what it answers."},
        "owner_reply": text,
        "owner_replied_at": time,
        "deleted": {"type": "boolean", "description": "The mention of this id is gone, and is to go here."},
        "kind": {"type": "string", "enum": ["review", "post", "comment", "article"]},
        "reference": {"type": "string", "description": "Your own number for it, such as the order's."},
    }
    states = ["accepted", "changed", "unchanged", "removed", "ignored", "rejected"]
    complaint = _object({"field": text, "reason": text})
    told = {
        "type": "object",
        "properties": {
            "item": {"type": "integer", "minimum": 1},
            "id": text,
            "status": {"type": "string", "enum": states},
            "field": text,
            "reason": text,
            "warnings": {"type": "array", "items": complaint},
        },
        "required": ["item", "status"],
    }
    counts = {state: {"type": "integer"} for state in states}
    return {
        "HookItem": {
            "type": "object",
            "properties": item,
            "description": "`text` is required unless there are stars.",
        },
        "HookItems": {"oneOf": [{"$ref": "#/components/schemas/HookItem"}, _list("HookItem")]},
        "HookAnswer": _object({**counts, "items": {"type": "array", "items": told}}),
    }


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "required": sorted(properties)}


def _list(schema: str) -> dict[str, Any]:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{schema}"}}
