"""Which addresses does the dashboard answer, and who may ask each of them?

One table of routes; a route names the least role that may use it. GET looks, POST changes.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from monitor.config import Config
from monitor.config_web import Role
from monitor.web import api, digests, feeds, forms, hooks, pages, sign_in
from monitor.web.dashboard import Ask, Dashboard, form_fields, page, static_marks
from monitor.web.security import BODY_MAX, Gate, Guarded, TooMany, Visit, session_key
from storage.errors import Locked, StoreError
from storage.store import Store

View = Callable[[Ask], Response]
Endpoint = Callable[[Request], Awaitable[Response]]

_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
INDEX_EVERY = 5.0  # seconds between two looks for mentions whose words are not indexed yet


def make_app(
    config: Config,
    store: Store,
    clock: Callable[[], datetime],
    *,
    index: bool = True,
    door: hooks.Door | None = None,
    news: Callable[[], None] = lambda: None,
) -> Any:
    """The dashboard as an ASGI application. With `index` it indexes new mentions' words while it runs.

    `door` takes what webhooks send; it is started and stopped with the application. `news` is called whenever a case
    was changed here: its card is to follow.
    """
    gate = Gate(config.web, session_key(store, clock()), clock)
    dashboard = Dashboard(store, config, gate, clock, static_marks(), news=news)

    def read(view: View) -> Endpoint:
        return _endpoint(dashboard, view, Role.READ)

    def act(view: View) -> Endpoint:
        return _endpoint(dashboard, view, Role.ACT)

    def admin(view: View) -> Endpoint:
        return _endpoint(dashboard, view, Role.ADMIN)

    def program(view: View, role: Role = Role.READ) -> Endpoint:
        return _endpoint(dashboard, view, role, program=True)

    def anyone(view: View) -> Endpoint:
        return _endpoint(dashboard, view, None)

    routes = [
        Route("/", read(pages.inbox)),
        Route("/mentions", read(pages.mentions)),
        Route("/mentions/{id:int}", read(pages.mention)),
        Route("/cases/{number:int}", read(pages.case)),
        Route("/cases/{number:int}/{deed}", act(forms.deed), methods=["POST"]),
        Route("/trends", read(pages.trends)),
        Route("/sources", read(pages.sources)),
        Route("/digests", read(digests.archive)),
        Route("/digests/{brand}/{period}", read(digests.one)),
        Route("/live", read(pages.live)),
        Route("/export.csv", admin(pages.export_csv)),
        Route("/saved", act(forms.save_filter), methods=["POST"]),
        Route("/saved/drop", act(forms.drop_filter), methods=["POST"]),
        Route("/feeds/cases.atom", anyone(feeds.cases)),
        Route("/feeds/mentions.atom", anyone(feeds.mentions)),
        Route("/sign-in", anyone(sign_in.show)),
        Route("/sign-in", anyone(sign_in.enter), methods=["POST"]),
        Route("/sign-out", anyone(sign_in.leave), methods=["POST"]),
        Route("/healthz", anyone(lambda ask: PlainTextResponse("ok"))),
        Route("/metrics", program(api.metrics)),
        Route("/static/{name}", anyone(_static)),
        *(Route(one.path, program(one.view, one.role), methods=[one.method]) for one in api.ENDPOINTS),
        *([hooks.route(door)] if door is not None else []),
        Route("/api/{rest:path}", program(api.unknown), methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
    ]

    @contextlib.asynccontextmanager
    async def running(_app: Starlette) -> AsyncIterator[None]:
        stop = threading.Event()
        indexer = threading.Thread(target=_index_words, args=(store, stop), name="index", daemon=True)
        if index:
            indexer.start()
        if door is not None:
            await run_in_threadpool(door.start)
        try:
            yield
        finally:
            stop.set()
            if door is not None:
                await run_in_threadpool(door.stop)
            if index:
                await run_in_threadpool(indexer.join, 10)

    def http_error(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        return _failed(dashboard, request, status, str(getattr(error, "detail", "")))

    app = Starlette(routes=routes, lifespan=running, exception_handlers={HTTPException: http_error})
    return Guarded(app, gate, own=(hooks.PREFIX,) if door is not None else ())


def _endpoint(dashboard: Dashboard, view: View, role: Role | None, *, program: bool = False) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        visit: Visit = request.scope["lowstar"]
        if role is not None and visit.person is None:
            return _unknown(request, visit, program)
        if role is not None and not visit.may(role):
            return _failed(dashboard, request, 403, f"This needs the role “{role.word}”.")
        fields: dict[str, str] = {}
        if request.method not in ("GET", "HEAD"):
            try:
                body = await _body(request)
            except ClientDisconnect:
                return Response(status_code=400)
            if body is None:
                return _failed(dashboard, request, 413, "More than 64 KiB were sent.")
            if program:
                # A browser sends cookies by itself, a program's token never goes anywhere by itself.
                if visit.person is None or not visit.person.bearer:
                    return _failed(dashboard, request, 403, "Changes through the API need a bearer token.")
                request.scope["lowstar_body"] = body
            else:
                fields = form_fields(body)
                if not dashboard.gate.meant(visit, fields.get("csrf", ""), request.headers):
                    return _failed(
                        dashboard,
                        request,
                        403,
                        "This form is too old, or not ours. Go back, reload, try again.",
                    )
        ask = Ask(dashboard, request, visit, dashboard.clock(), fields)
        try:
            return await run_in_threadpool(view, ask)
        except TooMany as waiting:
            answer = _failed(dashboard, request, 429, "Too many attempts. Wait some minutes.")
            answer.headers["retry-after"] = str(waiting.seconds)
            return answer
        except Locked as error:
            return _failed(dashboard, request, 503, f"The store is busy: {error}")
        except StoreError as error:
            return _failed(dashboard, request, 503, str(error))

    return endpoint


async def _body(request: Request) -> bytes | None:
    """What was sent; None where it is more than we take."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > BODY_MAX:
            return None
        parts.append(part)
    return b"".join(parts)


def _unknown(request: Request, visit: Visit, program: bool) -> Response:
    if program or visit.wrong_bearer:
        return JSONResponse(
            {"error": "no valid token: send it as “Authorization: Bearer …”"},
            401,
            headers={"www-authenticate": "Bearer"},
        )
    if request.url.path == "/live" or request.method != "GET":
        return PlainTextResponse("Sign in first.", 401)
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse("/sign-in" + (f"?next={quote(here)}" if here != "/" else ""), 303)


def _failed(dashboard: Dashboard, request: Request, status: int, words: str) -> Response:
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": words or "not found"}, status)
    visit = request.scope.get("lowstar")
    if visit is None:
        return PlainTextResponse(words, status)
    titles = {404: "There is no such page", 403: "Not allowed", 405: "Not this way", 503: "Try again"}
    ask = Ask(dashboard, request, visit, dashboard.clock())
    return page(ask, "message.html", status, title=titles.get(status, "It did not work"), words=words)


def _static(ask: Ask) -> Response:
    name = ask.request.path_params["name"]
    if name not in ask.dashboard.marks:  # only what was there at the start; no path leads out of the folder
        raise HTTPException(404)
    content = (files("monitor.web") / "static" / name).read_bytes()
    kept = ask.request.url.query == ask.dashboard.marks[name]
    return Response(
        content,
        media_type=_TYPES.get(name.rpartition(".")[2], "application/octet-stream"),
        headers={"cache-control": "public, max-age=31536000, immutable" if kept else "no-cache"},
    )


def _index_words(store: Store, stop: threading.Event) -> None:
    while not stop.is_set():
        done = 0
        # A busy or failing store is no reason to stop the pages: the next look tries again.
        with contextlib.suppress(StoreError), store.transaction() as ledger:
            done = ledger.index_words()
        stop.wait(0.05 if done else INDEX_EVERY)
