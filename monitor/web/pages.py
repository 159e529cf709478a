"""The pages people look at: inbox, case, mentions, trends, sources. They only look; forms are in `forms`."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response, StreamingResponse

from alerts.context import context_for
from monitor import view
from monitor.web import shown
from monitor.web import trends as trending
from monitor.web.dashboard import Ask, page
from monitor.web.filters import LABELS, STATUSES, Filter, filter_of, place_of, place_text
from storage.inbox import Counted
from storage.records import CaseStatus, Priority, Reviewed
from storage.wanted import NOBODY, Place

PAGE = 50  # rows of a list
RUNS = 30  # of a source, drawn as its health
NUMBER_MAX = 2**31 - 1  # of a case


def inbox(ask: Ask) -> Response:
    """The cases, worst first."""
    chosen = filter_of(ask.query)
    config = ask.dashboard.config
    with ask.dashboard.store.reading() as ledger:
        after = place_of(ask.query.get("after", ""))
        found = ledger.inbox(chosen.wanted, ask.now, limit=PAGE + 1, after=after)
        counted = ledger.open_counts(ask.now)
        saved = ledger.saved_filters()
        marks = ledger.newest_marks()
        searchable = ledger.can_search()
        kept = ledger.sources()
        behind = ledger.words_behind() if chosen.q else 0
    more = len(found) > PAGE
    rows = [shown.row_of(one, config, ask.now) for one in found[:PAGE]]
    return page(
        ask,
        "inbox.html",
        chosen=chosen,
        rows=rows,
        older=_next_page(chosen, _place_of_case(found[PAGE - 1])) if more else "",
        counts=_counts(counted, chosen),
        statuses=STATUSES,
        owners=_owners(ask, counted),
        brands=_brands(ask),
        source_names=_sources(ask, kept),
        saved=saved,
        mark=_mark(marks),
        feed=_feed(ask, "/feeds/cases.atom", chosen),
        searchable=searchable,
        behind=behind,
        nobody=NOBODY,
    )


def case(ask: Ask) -> Response:
    """One case with its full history."""
    number = ask.request.path_params["number"]
    config = ask.dashboard.config
    with ask.dashboard.store.reading() as ledger:
        one = ledger.reviewed(number) if number <= NUMBER_MAX else None
        if one is None:
            raise HTTPException(404, f"There is no case {number}.")
        events = ledger.events(number)
        promises = ledger.promises(number)
        revisions = ledger.revisions(one.case.mention_id)
        context = context_for(ledger, one, ask.now, ask.dashboard.policy.customers)
        marks = ledger.newest_marks()
    people = config.policy.people
    title, body = shown.pieces(one.mention, one.verdict)
    return page(
        ask,
        "case.html",
        row=shown.row_of(one, config, ask.now),
        case=one.case,
        mention=one.mention,
        verdict=one.verdict,
        removed=one.removed,
        title=title,
        body=body,
        reasons=[view.safe(reason, 300) for reason in one.verdict.reasons],
        topics=[view.safe(topic, 60) for topic in one.verdict.topics],
        facts=_facts(one, ask),
        context=[view.safe(line, 500) for line in context.lines],
        reply=shown.words(one.mention.owner_reply),
        revisions=[
            {
                "title": shown.words(old.title),
                "text": shown.words(old.text),
                "stars": view.stars(old.stars),
                "until": view.at(old.replaced_at, config.timezone),
            }
            for old in reversed(revisions)
        ],
        promises=[
            {
                "id": promise.id,
                "version": promise.version,
                "text": shown.words(promise.text),
                "owner": shown.person(people, promise.owner),
                "due": view.at(promise.due_by, config.timezone),
                "open": promise.open,
                "late": promise.open and promise.due_by < ask.now,
                "state": _promise_state(promise, ask),
            }
            for promise in promises
        ],
        events=[shown.event_line(event, people, config.timezone) for event in reversed(events)],
        mine=ask.visit.person is not None and one.case.owner in _my_names(ask),
        everybody=[(one.id, people.name(one.id)) for one in people.everybody],
        back=_back(ask),
        mark=_mark(marks),
    )


def mentions(ask: Ask) -> Response:
    """All that was said, newest first."""
    chosen = filter_of(ask.query)
    with ask.dashboard.store.reading() as ledger:
        after = place_of(ask.query.get("after", ""))
        found, following = ledger.newest_mentions(chosen.wanted, limit=PAGE, after=after)
        about = ledger.mention_estimate()
        searchable = ledger.can_search()
        kept = ledger.sources()
        behind = ledger.words_behind() if chosen.q else 0
    older = _next_page(chosen, following) if following else ""
    # Where the next page does not begin behind the last row of this one: the look ended, not the list.
    ended = following.at if following and (not found or following.number != found[-1].id) else None
    return page(
        ask,
        "mentions.html",
        looked_to=view.at(ended, ask.dashboard.config.timezone),
        chosen=chosen,
        rows=[shown.row_of_judged(one, ask.dashboard.config, ask.now) for one in found],
        older=older,
        about=about,
        labels=LABELS,
        brands=_brands(ask),
        source_names=_sources(ask, kept),
        feed=_feed(ask, "/feeds/mentions.atom", chosen),
        searchable=searchable,
        behind=behind,
    )


def mention(ask: Ask) -> Response:
    """One mention that may be no case: what was written and how it was judged."""
    identity = ask.request.path_params["id"]
    with ask.dashboard.store.reading() as ledger:
        found = ledger.judged(identity) if identity < 2**62 else []
        revisions = ledger.revisions(identity) if found else []
    if not found:
        raise HTTPException(404, f"There is no mention {identity}.")
    config = ask.dashboard.config
    verdicts = []
    for one in found:
        title, body = shown.pieces(one.mention, one.verdict)
        verdicts.append(
            {
                "row": shown.row_of_judged(one, config, ask.now),
                "title": title,
                "body": body,
                "reasons": [view.safe(reason, 300) for reason in one.verdict.reasons],
                "compound": f"{one.verdict.sentiment.compound:+.2f}".replace("-", "−"),
            }
        )
    return page(
        ask,
        "mention.html",
        identity=identity,
        mention=found[0].mention,
        removed=found[0].removed,
        verdicts=verdicts,
        reply=shown.words(found[0].mention.owner_reply),
        revisions=[
            {
                "title": shown.words(old.title),
                "text": shown.words(old.text),
                "stars": view.stars(old.stars),
                "until": view.at(old.replaced_at, config.timezone),
            }
            for old in reversed(revisions)
        ],
    )


def trends(ask: Ask) -> Response:
    """Twelve weeks of every brand, and who is talked about."""
    counts = trending.counted(ask)
    rivals = {rival for brand in ask.dashboard.config.brands for rival in brand.rivals}
    voices = trending.share_of_voice(counts, rivals)
    return page(ask, "trends.html", brands=trending.of_brands(counts), voices=voices)


def sources(ask: Ask) -> Response:
    """How the sources, the outbox and the channels are doing."""
    from monitor.commands.status import source_statuses

    config = ask.dashboard.config
    with ask.dashboard.store.reading() as ledger:
        last, good = ledger.last_runs(), ledger.last_good_runs()
        statuses = source_statuses(config, last, good, ask.now, {})
        runs = {one.source.name: ledger.runs(one.source.name, RUNS) for one in statuses}
        outbox = ledger.outbox_counts()
        parked = ledger.parked()
        behind = ledger.words_behind()
    lines = []
    for status in statuses:
        source = status.source
        lines.append(
            {
                "name": source.name,
                "title": status.title,
                "kind": source.kind,
                "word": status.word,
                "wrong": status.wrong,
                "advice": view.safe(status.advice, 400),
                "read": view.ago(status.last.started_at if status.last else None, ask.now),
                "good": view.ago(status.good.started_at if status.good else None, ask.now),
                "every": view.length(source.every),
                "found": status.last.found if status.last else 0,
                "new": status.last.new if status.last else 0,
                "bars": trending.run_bars(list(reversed(runs[source.name])), config.timezone),
            }
        )
    return page(
        ask,
        "sources.html",
        sources=sorted(lines, key=lambda line: not line["wrong"]),
        outbox={str(state): count for state, count in outbox.items() if count},
        parked=[
            {
                "who": f"channel {view.safe(one.channel)}" if one.channel else f"all of {one.notifier}",
                "since": view.ago(one.parked_at, ask.now),
                "reason": view.safe(one.parked_reason),
            }
            for one in parked
        ],
        behind=behind,
    )


def live(ask: Ask) -> Response:
    """Whether anything has changed since the mark a page was made with: a few bytes, asked every few seconds."""
    with ask.dashboard.store.reading() as ledger:
        marks = ledger.newest_marks()
    return JSONResponse({"mark": _mark(marks)})


def export_csv(ask: Ask) -> Response:
    """The mentions of a filter as a file for a spreadsheet."""
    from monitor.export import COLUMNS, row_of

    wanted = filter_of(ask.query).wanted
    store = ask.dashboard.store

    def lines() -> Iterator[bytes]:
        yield "\ufeff".encode() + _csv_line(COLUMNS)  # the mark by which spreadsheets know UTF-8
        with store.reading() as ledger:
            for one in ledger.all_judged(wanted):
                yield _csv_line(row_of(one).values())

    name = f"mentions-{ask.now:%Y-%m-%d}.csv"
    return StreamingResponse(
        lines(),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def _csv_line(values: Iterable[Any]) -> bytes:
    from monitor.export import defused

    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([defused(value) for value in values])
    return out.getvalue().encode()


def _facts(one: Reviewed, ask: Ask) -> list[tuple[str, str]]:
    config = ask.dashboard.config
    case, mention = one.case, one.mention
    sentiment = f"{one.verdict.sentiment.label}, {one.verdict.sentiment.compound:+.2f}".replace("-", "−")
    facts = [
        ("Brand", view.safe(case.brand)),
        ("Source", shown.site(config, mention.source)),
        ("About", view.safe(mention.entity, 200)),
        ("Order", view.safe(mention.reference, 200)),
        ("Author", view.safe(mention.author, 200)),
        ("Written", view.written(mention, config.timezone)),
        ("Reach", f"{mention.reach:,}" if mention.reach else ""),
        ("Tone", sentiment),
        ("Language", view.safe(mention.language)),
        ("Channel", view.safe(case.channel)),
        ("Level", str(case.level) if case.level > 1 else ""),
        ("Opened", view.at(case.opened_at, config.timezone)),
        ("Answer by", view.at(case.answer_by, config.timezone)),
        ("Answered", view.at(case.first_response_at, config.timezone)),
        ("Snoozed until", view.at(case.snoozed_until, config.timezone)),
        ("Closed", view.at(case.closed_at, config.timezone)),
        ("Outcome", view.safe(case.outcome, 500)),
    ]
    return [(name, value) for name, value in facts if value]


def _promise_state(promise: Any, ask: Ask) -> str:
    zone = ask.dashboard.config.timezone
    if promise.kept_at is not None:
        return f"kept {view.at(promise.kept_at, zone)}"
    if promise.dropped_at is not None:
        return f"called off {view.at(promise.dropped_at, zone)}"
    return view.due(promise.due_by, ask.now)


def _my_names(ask: Ask) -> set[str]:
    name = ask.visit.person.name if ask.visit.person else ""
    return {name, ask.dashboard.config.policy.people.id(name)} - {""}


def _back(ask: Ask) -> str:
    from monitor.web.security import safe_next

    back = safe_next(ask.query.get("back", "/"))
    return back if back == "/" or back.startswith("/?") else "/"


def _counts(counted: list[Counted], chosen: Filter) -> dict[str, Any]:
    mine = [one for one in counted if not chosen.brand or one.brand == chosen.brand]
    of_status: Counter[str] = Counter()
    of_priority: Counter[str] = Counter()
    for one in mine:
        of_status[str(one.status)] += one.count
        if one.status in (CaseStatus.OPEN, CaseStatus.CLAIMED):
            of_priority[one.priority.word] += one.count
    return {
        "open": sum(one.count for one in mine),
        "late": sum(one.late for one in mine),
        "status": {
            "": sum(one.count for one in mine),
            "late": sum(one.late for one in mine),
            **{word: of_status[word] for word in ("open", "claimed", "answered")},
        },
        "priority": [(one.word, of_priority[one.word]) for one in sorted(Priority, reverse=True)],
    }


def _owners(ask: Ask, counted: list[Counted]) -> list[tuple[str, str]]:
    people = ask.dashboard.config.policy.people
    owners = {one.owner for one in counted if one.owner}
    return sorted(
        ((owner, shown.person(people, owner)) for owner in owners), key=lambda one: one[1].casefold()
    )


def _brands(ask: Ask) -> list[str]:
    return [brand.name for brand in ask.dashboard.config.brands]


def _sources(ask: Ask, kept: Iterable[str]) -> Mapping[str, str]:
    """How people call each source: those of lowstar.toml, then the others something is kept of."""
    named = {source.name: source.title or source.name for source in ask.dashboard.config.sources}
    return named | {name: view.safe(name, 64) for name in kept if name not in named}


def _feed(ask: Ask, path: str, chosen: Filter) -> str:
    key = ask.dashboard.gate.feed_key(path, chosen.query)
    return f"{path}?{urlencode([('key', key)])}" + (f"&{chosen.query}" if chosen.query else "")


def _mark(marks: tuple[int, int]) -> str:
    return f"{marks[0]}-{marks[1]}"


def _next_page(chosen: Filter, place: Place) -> str:
    return "?" + "&".join(filter(None, [chosen.query, urlencode({"after": place_text(place)})]))


def _place_of_case(one: Reviewed) -> Place:
    return Place(one.case.number, int(one.case.priority), one.case.rank, one.case.closed_at)
