"""Which answers does a recording of HTTP traffic hold? Cassettes of VCR and its kin, HAR, replay logs, JSON lines.

Client libraries save what a service really answered in such files. Shapes read: VCR (Ruby, R, Python) and betamax
as YAML or JSON; go-vcr; nock; WireMock; HAR, as browsers and Polly write it; the line-wise log of PyGithub; a raw HTTP
answer; one JSON value a line. Pure: nothing is fetched, and what is no recording is answered with None.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

ANSWERS_MAX = 2_000  # of one file
BODY_MAX = 20 * 2**20  # bytes of one answer once unpacked: a packed one may be a bomb
YAML_MAX = 10 * 2**20  # characters; a larger file is not read as YAML, which is slow

_BODIES = ("body", "jsonBody", "json", "data")  # what those who save an answer by hand call it
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]{16,}={0,2}\s*")
_LOOKS_TAPED = re.compile(r"^(?:- )?(?:http_)?interactions:|^--- ?\n(?:http_)?interactions:", re.MULTILINE)
_REPLAYED = re.compile(r"^https?\n(?:GET|POST|PUT|PATCH|DELETE)\n", re.MULTILINE)
_RAW = re.compile(r"HTTP/\d(?:\.\d)? (\d{3})[^\n]{0,200}\n")


@dataclass(frozen=True, slots=True)
class Recorded:
    """One answer of a recording."""

    body: str
    url: str = ""  # what was asked; "" where the recording does not say
    status: int = 200


def recorded(text: str) -> list[Recorded] | None:
    """The answers of a recording, in order; None for what is none.

    Answers that are no text are left out. Never raises on content.
    """
    start = text.lstrip("\ufeff \t\r\n")[:1]
    found: Iterator[Recorded] | None = None
    if start and start in "{[":
        value = _json(text)
        if value is not None:
            found = _taped(value)
        elif lines := _lines(text):
            return lines
    elif _REPLAYED.match(text):
        found = _replayed(text)
    elif _RAW.match(text.replace("\r\n", "\n")):
        found = _raw(text.replace("\r\n", "\n"))
    elif len(text) <= YAML_MAX and _LOOKS_TAPED.search(text[:2_000]):
        found = _taped(_yaml(text))
    if found is None:
        return None
    answers: list[Recorded] = []
    for answer in found:
        if len(answers) >= ANSWERS_MAX:
            break
        answers.append(answer)
    return answers


def _json(text: str) -> Any:
    try:
        return json.loads(text.lstrip("\ufeff"), strict=False, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None


def _yaml(text: str) -> Any:
    # The base loader makes texts, lists and mappings of anything, and nothing else: no tag is ever acted on.
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        return yaml.load(text, Loader=loader)  # noqa: S506
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def _lines(text: str) -> list[Recorded] | None:
    """One JSON object a line, as streams are saved."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < 2 or not all(line.lstrip()[:1] in ("{", "[") for line in lines[:ANSWERS_MAX]):
        return None
    return [Recorded(line) for line in lines[:ANSWERS_MAX]] if _json(lines[0]) is not None else None


def _taped(value: Any) -> Iterator[Recorded] | None:
    if isinstance(value, Mapping):
        log = value.get("log")
        if isinstance(log, Mapping) and isinstance(log.get("entries"), list):
            return _har(log["entries"])
        tape = value.get("interactions", value.get("http_interactions"))
        if isinstance(tape, list):
            return _vcr(tape)
        if isinstance(value.get("response"), Mapping) and "request" in value:  # one by itself: WireMock, Pact
            return _vcr([value])
        stubs = value.get("mappings")
        if isinstance(stubs, list):
            return _vcr(stubs)
        if isinstance(value.get("statusCode", value.get("status")), int) and set(_BODIES) & set(value):
            return _vcr([{"response": value}])
    if isinstance(value, list) and value:
        first = value[0]
        if isinstance(first, Mapping) and {"scope", "path", "response"} <= set(first):
            return _nock(value)
        if isinstance(first, Mapping) and isinstance(first.get("request"), Mapping) and "response" in first:
            return _vcr(value)
    return None


def _vcr(tape: list[Any]) -> Iterator[Recorded]:
    for taped in tape:
        request, response = (_mapping(taped, name) for name in ("request", "response"))
        body = next((response[name] for name in _BODIES if name in response), None)
        if isinstance(body, Mapping) and {"string", "base64_string"} & set(body):
            said = body.get("string", body.get("base64_string"))
            packed = "base64_string" in body and "string" not in body
        else:
            said, packed = body, False
        text = _text(said, packed)
        if text is not None:
            url = request.get("uri", request.get("url"))
            yield Recorded(text, url if isinstance(url, str) else "", _status(response))


def _har(entries: list[Any]) -> Iterator[Recorded]:
    for entry in entries:
        request, response = (_mapping(entry, name) for name in ("request", "response"))
        content = _mapping(response, "content")
        text = _text(content.get("text"), content.get("encoding") == "base64")
        if text is not None:
            url = request.get("url")
            yield Recorded(text, url if isinstance(url, str) else "", _status(response))


def _nock(tape: list[Any]) -> Iterator[Recorded]:
    for taped in tape:
        if not isinstance(taped, Mapping):
            continue
        body = taped.get("response")
        text = body if isinstance(body, str) else json.dumps(body)
        yield Recorded(text, f"{taped.get('scope', '')}{taped.get('path', '')}", _status(taped))


def _replayed(text: str) -> Iterator[Recorded]:
    """PyGithub's log: scheme, method, host, port, path, headers, body asked, status, headers, body, a blank line."""
    lines = text.split("\n")
    at = 0
    while at + 9 < len(lines):
        if lines[at] not in ("http", "https"):
            at += 1
            continue
        scheme, _, host, _, path, _, _, status, _, body = lines[at : at + 10]
        yield Recorded(body, f"{scheme}://{host}{path}", int(status) if status.isdigit() else 200)
        at += 10


def _raw(text: str) -> Iterator[Recorded]:
    head, _, body = text.partition("\n\n")
    found = _RAW.match(head + "\n")
    yield Recorded(body, "", int(found[1]) if found else 200)


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    part = value.get(name) if isinstance(value, Mapping) else None
    return part if isinstance(part, Mapping) else {}


def _status(response: Mapping[str, Any]) -> int:
    said = response.get("status", response.get("statusCode", response.get("code", 200)))
    if isinstance(said, Mapping):
        said = said.get("code", 200)
    try:
        number = int(str(said).split()[0])
    except (ValueError, IndexError):
        return 200
    return number if 100 <= number <= 599 else 200


def _text(said: Any, packed: bool) -> str | None:
    """What an answer's body says; unpacked where it was packed for the tape, or for the wire."""
    if isinstance(said, (dict, list)):
        return json.dumps(said)
    if not isinstance(said, str) or not said.strip():
        return None
    if not packed and (said.lstrip()[:1] in '{["<' or not _BASE64.fullmatch(said[:BODY_MAX])):
        return said
    try:
        data = base64.b64decode("".join(said.split()), validate=True)
    except (binascii.Error, ValueError):
        return said
    if data[:2] == b"\x1f\x8b" or data[:1] == b"\x78":
        try:
            data = zlib.decompressobj(47).decompress(data, BODY_MAX)
        except zlib.error:
            return None
    return data.decode("utf-8", "replace")
