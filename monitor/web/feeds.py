"""What is new in a view, for readers of feeds? Atom; each address has a key of its own that opens nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape, quoteattr

from starlette.responses import PlainTextResponse, Response

from monitor import view
from monitor.web import shown
from monitor.web.dashboard import Ask
from monitor.web.filters import Filter, filter_of
from storage.lists import Judged
from storage.records import Reviewed, clean_text

ENTRIES = 50
TEXT_MAX = 2_000


def cases(ask: Ask) -> Response:
    """The newest cases of a view."""
    chosen = filter_of(ask.query)
    if (refused := _refused(ask, "/feeds/cases.atom", chosen)) is not None:
        return refused
    # A feed tells what is new: the newest cases of the view, closed or not unless it asks for a status.
    newest = filter_of(dict(parse_qsl(chosen.but(status=chosen.status or "all"))))
    with ask.dashboard.store.reading() as ledger:
        found = ledger.inbox(newest.wanted, ask.now, limit=ENTRIES)
    entries = [_case_entry(one, ask) for one in sorted(found, key=lambda one: -one.case.number)]
    return _feed(ask, "Cases", chosen, entries, [one.case.opened_at for one in found])


def mentions(ask: Ask) -> Response:
    """The newest mentions of a view; without any filter those that were flagged: high and urgent."""
    chosen = filter_of(ask.query)
    if (refused := _refused(ask, "/feeds/mentions.atom", chosen)) is not None:
        return refused
    with ask.dashboard.store.reading() as ledger:
        if chosen.any:
            found, _ = ledger.newest_mentions(chosen.wanted, limit=ENTRIES)
        else:
            found = ledger.flagged_mentions(limit=ENTRIES)
    return _feed(
        ask,
        "Mentions" if chosen.any else "Flagged mentions",
        chosen,
        [_mention_entry(one, ask) for one in found],
        [one.first_seen_at for one in found],
    )


def _refused(ask: Ask, path: str, chosen: Filter) -> Response | None:
    if ask.may("read") or ask.dashboard.gate.opens_feed(path, chosen.query, ask.query.get("key", "")):
        return None
    return PlainTextResponse("This feed needs its key: take the address from the dashboard.", 403)


def _feed(ask: Ask, title: str, chosen: Filter, entries: Iterable[str], times: list[datetime]) -> Response:
    base = _base(ask)
    said = ", ".join(value for _, value in parse_qsl(chosen.query))
    name = f"{title}: {said}" if said else title
    updated = max(times, default=datetime.fromtimestamp(0, ask.now.tzinfo))
    body = (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<title>{_xml(name)} – lowstar</title><id>{_xml(base + ask.request.url.path + '?' + chosen.query)}</id>"
        f"<updated>{updated.isoformat()}</updated><author><name>lowstar</name></author>"
        f'<link rel="alternate" href={quoteattr(base + "/?" + chosen.query)}/>'
        + "".join(entries)
        + "</feed>\n"
    )
    return Response(body, media_type="application/atom+xml; charset=utf-8")


def _case_entry(one: Reviewed, ask: Ask) -> str:
    row = shown.row_of(one, ask.dashboard.config, ask.now)
    address = f"{_base(ask)}/cases/{one.case.number}"
    title = f"{row.name} {row.priority} {row.stars} {row.headline}"
    head = f"{row.brand}, {row.site}: {row.reason}"
    return _entry(address, title, one.case.opened_at, row.author, head, one.mention.text)


def _mention_entry(one: Judged, ask: Ask) -> str:
    row = shown.row_of_judged(one, ask.dashboard.config, ask.now)
    address = f"{_base(ask)}/mentions/{one.id}"
    reasons = "; ".join(view.safe(reason, 200) for reason in one.verdict.reasons)
    head = f"{row.brand}, {row.site}: {reasons or row.label}"
    title = f"{row.priority} {row.stars} {row.headline}"
    return _entry(address, title, one.first_seen_at, row.author, head, one.mention.text)


def _entry(address: str, title: str, at: datetime, author: str, head: str, text: str) -> str:
    # Always type="text": what a stranger wrote is never taken for markup by a reader.
    content = f"{head}\n\n{text[:TEXT_MAX]}"
    return (
        f"<entry><title>{_xml(' '.join(title.split()))}</title><id>{_xml(address)}</id>"
        f'<updated>{at.isoformat()}</updated><link rel="alternate" href={quoteattr(address)}/>'
        f"<author><name>{_xml(author or 'unknown')}</name></author>"
        f'<content type="text">{_xml(content)}</content></entry>'
    )


def _xml(text: str) -> str:
    return escape(shown.words(clean_text(text)))


def _base(ask: Ask) -> str:
    if ask.dashboard.config.web.url:
        return ask.dashboard.config.web.url
    scheme = "https" if ask.visit.secure else "http"
    return f"{scheme}://{ask.request.headers.get('host', '')}"
