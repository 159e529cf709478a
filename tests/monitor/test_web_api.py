"""Does the API answer what its own document says, and do what it is told by those who may?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the extra `web` is not installed")

from dashboard import TOKENS, Visitor, served, web_config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shelf import add_case, add_run

from monitor.config_web import Role
from monitor.web.api import ENDPOINTS
from monitor.web.openapi import openapi_document
from storage.records import CaseStatus
from storage.store import Store

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def program(port: int, role: Role = Role.ACT) -> Visitor:
    return Visitor(port, headers={"Authorization": f"Bearer {TOKENS[role]}"})


@pytest.fixture
def port(sqlite_store: Store, tmp_path: Path) -> Iterator[int]:
    add_case(sqlite_store, NOW, "They lost my parcel", author="Maya")
    add_case(sqlite_store, NOW, "Rude", brand="Kaffa")
    add_run(sqlite_store, NOW)
    with served(web_config(tmp_path), sqlite_store, NOW) as port:
        yield port


def fits(value: Any, schema: dict[str, Any], document: dict[str, Any], where: str = "") -> None:
    """Fails where `value` is not what `schema` says: as much of JSON Schema as the document uses."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for part in schema.get("allOf", ()):
        fits(value, part, document, where)
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    python = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "null": type(None)}
    python |= {"array": list, "object": dict}
    if kinds:
        assert any(isinstance(value, python[kind]) for kind in kinds), f"{where}: {value!r} is no {kinds}"
    if "enum" in schema:
        assert value in schema["enum"], where
    if isinstance(value, dict):
        for name in schema.get("required", ()):
            assert name in value, f"{where}.{name} is missing"
        for name, inner in schema.get("properties", {}).items():
            if name in value:
                fits(value[name], inner, document, f"{where}.{name}")
    if isinstance(value, list):
        for at, one in enumerate(value):
            fits(one, schema.get("items", {}), document, f"{where}[{at}]")


def test_every_answer_is_what_the_document_says(port: int) -> None:
    document = program(port).ask("/api/v1/openapi.json").json
    assert document["openapi"].startswith("3.1")
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            address = path.replace("{number}", "1").replace("{id}", "1").replace("{action}", "claim")
            answer = program(port).ask(
                address, method=method.upper(), body="{}" if method == "post" else None
            )
            assert answer.status == 200, (path, answer.text)
            content = operation["responses"]["200"].get("content")
            if content:
                fits(answer.json, content["application/json"]["schema"], document, path)


def test_the_document_names_every_parameter_of_every_path() -> None:
    document = openapi_document(ENDPOINTS)
    assert len({one.view.__name__ for one in ENDPOINTS}) == len(ENDPOINTS)
    for path, operations in document["paths"].items():
        for operation in operations.values():
            named = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
            assert named == set(re.findall(r"\{(\w+)\}", path))
    for reference in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)):
        assert reference in document["components"]["schemas"]


def test_cases_come_worst_first_a_page_at_a_time(port: int) -> None:
    first = program(port).ask("/api/v1/cases?limit=1").json
    assert [one["case"] for one in first["cases"]] == ["REP-0001"]
    second = program(port).ask(f"/api/v1/cases?limit=1&after={first['next']}").json
    assert [one["case"] for one in second["cases"]] == ["REP-0002"]
    assert second["next"] is None
    assert program(port).ask("/api/v1/cases?brand=Kaffa").json["cases"][0]["brand"] == "Kaffa"
    mentions = program(port).ask("/api/v1/mentions?limit=1").json
    rest = program(port).ask(f"/api/v1/mentions?limit=5&after={mentions['next']}").json
    assert len(mentions["mentions"]) == len(rest["mentions"]) == 1


def test_a_program_acts_in_the_name_of_its_token(port: int, sqlite_store: Store) -> None:
    done = program(port).ask("/api/v1/cases/1/answer", method="POST", body='{"text": "Sorry", "version": 1}')
    assert done.status == 200
    assert done.json["status"] == "answered"
    again = program(port).ask("/api/v1/cases/1/claim", method="POST", body='{"version": 1}')
    assert again.status == 409
    assert again.json["error"]
    with sqlite_store.reading() as ledger:
        case = ledger.case(1)
    assert case is not None
    assert case.status is CaseStatus.ANSWERED


def test_who_may_not_act_is_told_so_and_a_cookie_is_no_token(port: int, sqlite_store: Store) -> None:
    assert program(port, Role.READ).ask("/api/v1/cases/1/claim", method="POST", body="{}").status == 403
    person = Visitor(port)
    person.sign_in(Role.ADMIN)
    assert person.ask("/api/v1/cases").status == 200
    assert person.ask("/api/v1/cases/1/claim", method="POST", body="{}").status == 403
    wrong = Visitor(port, headers={"Authorization": "Bearer nonsense-nonsense"}).ask("/api/v1/cases")
    assert wrong.status == 401
    assert wrong.headers["www-authenticate"] == "Bearer"
    with sqlite_store.reading() as ledger:
        case = ledger.case(1)
    assert case is not None
    assert case.status is CaseStatus.OPEN


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/v1/cases/1/explode", "{}", 404),
        ("/api/v1/cases/77/claim", "{}", 404),
        ("/api/v1/cases/99999999999999/claim", "{}", 404),
        ("/api/v1/cases/1/claim", "no json", 400),
        ("/api/v1/cases/1/claim", "[]", 400),
        ("/api/v1/cases/1/claim", "[" * 60_000, 400),
        ("/api/v1/cases/1/snooze", '{"until": "later"}', 400),
        ("/api/v1/cases/1/note", '{"text": "' + "x" * 70_000 + '"}', 413),
        ("/api/v1/nothing", "{}", 404),
    ],
)
def test_a_wrong_call_is_told_why(port: int, path: str, body: str, status: int) -> None:
    answer = program(port).ask(path, method="POST", body=body)
    assert answer.status == status
    assert answer.json["error"]


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "limit=²", "after=x"])
def test_a_wrong_page_is_refused(port: int, query: str) -> None:
    from urllib.parse import quote

    assert program(port).ask(f"/api/v1/cases?{quote(query, safe='=')}").status == 400


_values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=20), st.lists(st.integers(), max_size=2)
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    action=st.sampled_from(["claim", "release", "assign", "answer", "promise", "keep", "extend", "drop", "escalate",
                            "snooze", "unsnooze", "resolve", "reopen", "dismiss", "correct", "note"]),
    fields=st.dictionaries(
        st.sampled_from(["version", "text", "link", "assignee", "until", "promised", "due_by", "promise",
                         "promise_version", "why", "wrong", "duplicate_of", "settle"]),
        _values,
        max_size=5,
    ),
)  # fmt: skip
def test_no_call_of_any_action_is_a_fault_of_ours(port: int, action: str, fields: dict[str, Any]) -> None:
    answer = program(port).ask(f"/api/v1/cases/1/{action}", method="POST", body=json.dumps(fields))
    assert answer.status in (200, 400, 409), answer.text
