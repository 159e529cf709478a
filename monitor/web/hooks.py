"""Where do mentions come in that nobody crawls? `POST /api/v1/hooks/SOURCE`; see docs/webhook.md.

The work is done by `spiders.webhook`, handed over by whoever serves: the layers below know no spiders.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from monitor.web.openapi import Endpoint, Param

PREFIX = "/api/v1/hooks/"
BODY_MAX = 1 << 20  # bytes of one request; one more is read, so that the door sees that it is too much


class Said(Protocol):
    """What is answered."""

    status: int
    retry_after: int

    @property
    def text(self) -> str: ...

    @property
    def kind(self) -> str: ...


class Door(Protocol):
    """Takes what webhooks send."""

    def answer(self, method: str, name: str, query: str, headers: Mapping[str, str], body: bytes) -> Said: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...


def hook(request: Request) -> Response:
    """Take mentions from anything that can send JSON; answers what became of each."""
    raise NotImplementedError  # stands in the document of the API; `route` answers


ENDPOINT = Endpoint(
    "POST",
    PREFIX + "{source}",
    hook,  # type: ignore[arg-type]
    "HookAnswer",
    (Param("source", "A source of the kind `webhook`.", {"type": "string", "maxLength": 64}, place="path"),),
    body="HookItems",
    refusals=(400, 413, 415, 422),
    security=("hookToken", "hookSignature"),
)


def route(door: Door) -> Route:
    """The route of all webhooks."""

    async def endpoint(request: Request) -> Response:
        parts: list[bytes] = []
        size = 0
        try:
            async for part in request.stream():
                size += len(part)
                parts.append(part[: max(0, BODY_MAX + 1 - size + len(part))])
                if size > BODY_MAX:
                    break
        except ClientDisconnect:
            return Response(status_code=400)
        headers = {name.lower(): value for name, value in request.headers.items()}
        said = await run_in_threadpool(
            door.answer,
            request.method,
            request.path_params["source"],
            request.url.query,
            headers,
            b"".join(parts),
        )
        made = Response(said.text, said.status, media_type=said.kind)
        if said.retry_after:
            made.headers["retry-after"] = str(said.retry_after)
        if said.status == 401:
            made.headers["www-authenticate"] = "Bearer"
        return made

    return Route(PREFIX + "{source}", endpoint, methods=["GET", "POST"])
