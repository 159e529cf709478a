"""How does somebody sign in and out? With a token, once; a name where the token belongs to nobody in particular."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from monitor.web.dashboard import Ask, page
from monitor.web.security import SESSION, cookie, safe_next


def show(ask: Ask) -> Response:
    """The form."""
    following = safe_next(ask.query.get("next", "/"))
    if ask.visit.person is not None:
        return RedirectResponse(following, 303)
    return page(ask, "sign_in.html", next=following, wrong="", name="")


def enter(ask: Ask) -> Response:
    """The form was sent. Wrong tokens are counted (TooMany)."""
    fields = ask.fields
    following = safe_next(fields.get("next", "/"))
    access = ask.dashboard.gate.access(fields.get("token", "").strip(), ask.visit.address)
    if access is None:
        return page(
            ask,
            "sign_in.html",
            401,
            next=following,
            wrong="This token opens nothing.",
            name=fields.get("name", "")[:64],
        )
    answer = RedirectResponse(following, 303)
    session = ask.dashboard.gate.session(access, fields.get("name", ""))
    answer.headers.append(
        "set-cookie",
        cookie(SESSION, session, secure=ask.visit.secure, within=ask.dashboard.config.web.session),
    )
    return answer


def leave(ask: Ask) -> Response:
    """Sign out: the cookie is forgotten."""
    answer = RedirectResponse("/sign-in", 303)
    answer.headers.append(
        "set-cookie", cookie(SESSION, "", secure=ask.visit.secure, within=ask.dashboard.config.web.session)
    )
    return answer
