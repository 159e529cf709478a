"""How do records look on a page? Plain values the templates print; strangers' words stay words (autoescape)."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from alerts.people import People
from monitor import view
from monitor.config import Config
from storage.lists import Judged
from storage.records import Case, CaseEvent, CaseStatus, Mention, Reviewed, Verdict, clean_url

HEADLINE_MAX = 120
SNIPPET_MAX = 220
TAIL = 40  # characters that are not worth a line of their own


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a list: a case, or a mention that is none."""

    mention_id: int
    number: int  # 0: no case
    name: str
    priority: str
    label: str
    stars: str
    brand: str
    site: str
    headline: str
    snippet: str
    author: str
    entity: str
    posted: str  # "3 h ago"
    posted_at: str  # for the machine and the tooltip
    status: str
    owner: str
    due: str
    late: bool
    waiting: bool
    closed: bool
    reason: str
    topics: tuple[str, ...]
    url: str
    host: str
    version: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a text; `tone` is "bad" or "good" for the words that carried the sentiment."""

    text: str
    tone: str = ""


def words(text: str) -> str:
    """`text` without characters that only hide or turn around what people read; lines stay."""
    if text.isascii():
        return text
    return "".join(c for c in text if c in "\u200c\u200d" or unicodedata.category(c) != "Cf")


def row_of(one: Reviewed, config: Config, now: datetime) -> Row:
    """A case as a line of the inbox."""
    case, mention = one.case, one.mention
    headline, snippet = _headline(mention, one.removed)
    late = case.waiting and case.answer_by is not None and case.answer_by < now
    stars = view.stars(mention.stars)
    if one.stars_before is not None and one.stars_before != mention.stars:
        stars = f"{view.stars(one.stars_before)} → {stars or 'none'}"
    at = mention.published_at or one.first_seen_at
    return Row(
        mention_id=case.mention_id,
        number=case.number,
        name=case.name,
        priority=case.priority.word,
        label=str(one.verdict.sentiment.label),
        stars=stars,
        brand=case.brand,
        site=site(config, mention.source),
        headline=headline,
        snippet=snippet,
        author=view.safe(mention.author, 80),
        entity=view.safe(mention.entity, 80),
        posted=view.ago(at, now),
        posted_at=view.written(mention, config.timezone) or view.at(at, config.timezone),
        status=status_words(case, now),
        owner=person(config.policy.people, case.owner),
        due=view.due(case.answer_by, now) if case.waiting else "",
        late=late,
        waiting=case.waiting,
        closed=case.status.closed,
        reason=view.safe(one.verdict.reasons[0], 120) if one.verdict.reasons else "",
        topics=tuple(view.safe(topic, 40) for topic in one.verdict.topics[:3]),
        url=clean_url(mention.url),
        host=host(mention.url),
        version=case.version,
    )


def row_of_judged(one: Judged, config: Config, now: datetime) -> Row:
    """A mention as a line of the list of mentions."""
    mention, verdict = one.mention, one.verdict
    headline, snippet = _headline(mention, one.removed)
    return Row(
        mention_id=one.id,
        number=one.case_number or 0,
        name=f"REP-{one.case_number:04d}" if one.case_number else "",
        priority=verdict.priority.word,
        label=str(verdict.sentiment.label),
        stars=view.stars(mention.stars),
        brand=verdict.brand,
        site=site(config, mention.source),
        headline=headline,
        snippet=snippet,
        author=view.safe(mention.author, 80),
        entity=view.safe(mention.entity, 80),
        posted=view.ago(one.posted_at, now),
        posted_at=view.written(mention, config.timezone) or view.at(one.posted_at, config.timezone),
        status=str(one.case_status) if one.case_status else "",
        owner=person(config.policy.people, one.case_owner),
        due="",
        late=False,
        waiting=False,
        closed=one.case_status.closed if one.case_status else False,
        reason="",
        topics=tuple(view.safe(topic, 40) for topic in verdict.topics[:3]),
        url=clean_url(mention.url),
        host=host(mention.url),
        version=0,
    )


def status_words(case: Case, now: datetime) -> str:
    """Where a case stands, in words."""
    if case.snoozed_until is not None and case.snoozed_until > now and not case.status.closed:
        return "snoozed"
    if case.recovered and case.status is not CaseStatus.DISMISSED:
        return f"{case.status}, recovered"
    return str(case.status)


def person(people: People, owner: str) -> str:
    """The name of an owner; "" where there is none."""
    return view.safe(people.name(owner), 60) if owner else ""


def site(config: Config, source: str) -> str:
    """How people call a source."""
    try:
        return config.source(source).title or source
    except KeyError:
        return view.safe(source, 64)  # it was taken out of lowstar.toml; its mentions stay


def host(url: str) -> str:
    """The host an address leads to, shown beside a link so that nobody is led elsewhere unseen."""
    try:
        return view.safe((urlsplit(clean_url(url)).hostname or "").removeprefix("www."), 80)
    except ValueError:
        return ""


def pieces(mention: Mention, verdict: Verdict) -> tuple[list[Piece], list[Piece]]:
    """Title and text cut where words carried the sentiment; spans that do not fit the text are left out."""
    judged = mention.judged_text
    text_from = len(judged) - len(mention.text)
    cuts: list[tuple[int, int, str]] = []
    end = 0
    for span in sorted(verdict.sentiment.spans, key=lambda one: one.start):
        fits = end <= span.start < span.end <= len(judged) and judged[span.start : span.end] == span.text
        if fits:
            cuts.append((span.start, span.end, "bad" if span.weight < 0 else "good"))
            end = span.end
    body = _cut(judged, text_from, len(judged), cuts)
    if text_from > 0:
        return _cut(judged, 0, max(0, text_from - 1), cuts), body
    return ([Piece(words(mention.title))] if mention.title else []), body


def _cut(text: str, start: int, end: int, cuts: Sequence[tuple[int, int, str]]) -> list[Piece]:
    found: list[Piece] = []
    at = start
    for first, last, tone in cuts:
        if first < at or last > end:
            continue
        if first > at:
            found.append(Piece(words(text[at:first])))
        found.append(Piece(words(text[first:last]), tone))
        at = last
    if at < end:
        found.append(Piece(words(text[at:end])))
    return found


def _headline(mention: Mention, removed: bool) -> tuple[str, str]:
    if removed:
        return "(removed by its source)", ""
    title, text = view.safe(mention.title, HEADLINE_MAX), view.safe(mention.text, HEADLINE_MAX + SNIPPET_MAX)
    if title and not text.startswith(title.rstrip("…")):
        return title, _short(text, SNIPPET_MAX)
    if len(text) <= HEADLINE_MAX + TAIL:
        return text or "(without words)", ""
    # A whole sentence reads best; else whole words.
    sentence = max(text.rfind(end, 30, HEADLINE_MAX) for end in (". ", "! ", "? "))
    if sentence > 0:
        return text[: sentence + 1], _short(text[sentence + 2 :].strip(), SNIPPET_MAX)
    cut = text.rfind(" ", 60, HEADLINE_MAX)
    cut = cut if cut > 0 else HEADLINE_MAX
    return text[:cut] + " …", _short("… " + text[cut:].strip(), SNIPPET_MAX)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def event_line(event: CaseEvent, people: People, zone: str) -> dict[str, str]:
    """A line of a case's history."""
    return {
        "at": view.at(event.at, zone),
        "iso": event.at.isoformat(),
        "actor": person(people, event.actor),
        "action": view.safe(event.action, 80),
        "detail": words(event.detail)[:3_000],
    }
