"""The weekly digests, made anew from what is kept: the same week gives the same digest."""

from __future__ import annotations

from datetime import timedelta

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from monitor.web.dashboard import Ask, page

WEEKS = 26
# The digest is a page of its own that also travels by mail: its styles and pictures are inside it, and nothing
# else may be; it runs no script and sends no form.
OWN_PAGE = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'; sandbox allow-popups allow-top-navigation-by-user-activation"
)


def archive(ask: Ask) -> Response:
    """The weeks since anything was kept, newest first."""
    from monitor.digest_send import zone_of
    from monitor.weeks import Span, last_full

    config = ask.dashboard.config
    zone = zone_of(config)
    latest = last_full(Span.WEEK, ask.now, zone)
    with ask.dashboard.store.reading() as ledger:
        oldest = ledger.oldest_mention_at() or ask.now
    weeks = [latest.before(steps) for steps in range(WEEKS)]
    weeks = [week for week in weeks if week.end_at > oldest - timedelta(days=1)] or [latest]
    return page(
        ask,
        "digests.html",
        weeks=[(week.name, week.dates) for week in weeks],
        brands=[brand.name for brand in config.brands],
    )


def one(ask: Ask) -> Response:
    """One digest, as the page that is also sent by mail."""
    from monitor.digest_html import html
    from monitor.digest_send import make, zone_of
    from monitor.weeks import Span, read_period

    config = ask.dashboard.config
    period = read_period(Span.WEEK, ask.request.path_params["period"][:20], zone_of(config))
    brand = next((one for one in config.brands if one.name == ask.request.path_params["brand"]), None)
    if brand is None or period is None or period.start_at > ask.now:
        raise HTTPException(404, "There is no such digest.")
    made = html(make(config, ask.dashboard.store, brand, period, ask.now))
    return HTMLResponse(made, headers={"content-security-policy": OWN_PAGE})
