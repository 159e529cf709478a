"""What does a card look like? Block Kit from records; pure.

A stranger's words stand only in `rich_text` text leaves and in `plain_text` with `emoji: false`, where Slack
reads no mention, no link and no formatting. What stands in mrkdwn is ours alone: dates, case numbers, ids.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from alerts.buttons import REACTIONS_HINT, card_buttons
from alerts.limits import MAX_FALLBACK, MAX_HEADER, MAX_MESSAGE, MAX_URL, size
from alerts.names import Names
from alerts.notifier import Blocks, Message, Picture
from alerts.text import clip, clip_escaped, date_token, escape, one_line, shown, unescape, utc
from storage.records import (
    CaseStatus,
    DatePrecision,
    Delivery,
    DeliveryKind,
    Kind,
    Label,
    Mention,
    Priority,
    Promise,
    Reviewed,
    case_name,
)

Block = dict[str, Any]

_SLACK_USER = re.compile(r"[UW][A-Z0-9]{6,20}")
_ROOM = MAX_MESSAGE - 600  # what a card may take of a message; the rest is for a note such as "Meant for #x"
_OURS = {Kind.REVIEW: "review", Kind.POST: "post", Kind.COMMENT: "comment", Kind.ARTICLE: "article"}
_ICONS = {Priority.URGENT: "🔴", Priority.HIGH: "🟠", Priority.NORMAL: "🟡", Priority.LOW: "⚪"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a card shows beside its case: what was promised, who people are, what can be done from it."""

    promises: Sequence[Promise] = ()
    names: Names | None = None  # None: whatever looks like a Slack id is taken for one
    # True: somebody listens to clicks. False: nobody does, reactions are read instead. None: neither.
    interactive: bool | None = None
    context: Sequence[str] = ()  # what is known around the case, a line each


NOTHING_AROUND = Around()
QUOTE_CLOSED = 120  # characters of a closed case's quote


@dataclass(frozen=True, slots=True)
class _Room:
    """How many characters of a stranger's text a card shows; less when the message would grow too long."""

    quote: int = 500
    name: int = 100
    reasons: int = 300
    url: int = MAX_URL - 1


_ROOMS = (_Room(), _Room(250, 60, 150), _Room(120, 40, 80, 1_500), _Room(40, 20, 40, 500))


def alert_message(
    reviewed: Reviewed,
    delivery: Delivery,
    *,
    site_title: str,
    now: datetime,
    around: Around = NOTHING_AROUND,
) -> Message:
    """The card of a case in its present state: open, edited, taken, answered, closed, recovered or removed.

    `site_title` is how people call the source; `now` tells what is overdue; `around` what can be done from
    it. Never raises, never grows over what Slack takes, whatever a stranger wrote.
    """
    site = clip(one_line(site_title) or reviewed.mention.source, 40)
    blocks: list[Block] = []
    for room in _ROOMS:
        blocks = _card(reviewed, site, room, now, around)
        if size(blocks) <= _ROOM:
            break
    return Message(
        channel=delivery.channel,
        text=_fallback(reviewed, site, around),
        blocks=() if delivery.plain else blocks,
        outbox_id=delivery.id,
        kind=delivery.kind.value,
        number=delivery.number,
        version=delivery.wanted_version,
    )


def message_for(
    delivery: Delivery,
    reviewed: Reviewed | None,
    *,
    titles: Mapping[str, str],
    now: datetime,
    around: Around = NOTHING_AROUND,
) -> Message:
    """The message of any delivery: a case's card, or what its `body` says (`text`, `blocks`, `broadcast`)."""
    if delivery.kind is DeliveryKind.ALERT and reviewed is not None:
        title = titles.get(reviewed.mention.source, "") or reviewed.mention.source
        return alert_message(reviewed, delivery, site_title=title, now=now, around=around)
    try:
        body = json.loads(delivery.body) if delivery.body else {}
    except ValueError:
        body = {}
    if not isinstance(body, dict) or not isinstance(body.get("text"), str) or not body["text"]:
        return bare_message(delivery)
    blocks = body.get("blocks")
    return Message(
        channel=delivery.channel,
        text=clip(body["text"], MAX_FALLBACK),
        blocks=blocks if isinstance(blocks, list) and not delivery.plain else (),
        outbox_id=delivery.id,
        kind=delivery.kind.value,
        number=delivery.number,
        version=delivery.wanted_version,
        broadcast=body.get("broadcast") is True,
        pictures=() if delivery.plain else pictures_in(body.get("pictures")),
        raw=raw if isinstance(raw := body.get("raw"), str) and not delivery.plain else "",
    )


def pictures_in(kept: object) -> tuple[Picture, ...]:
    """The pictures a body keeps; one that is none is left out, its message goes all the same."""
    found = []
    for one in kept if isinstance(kept, list) else ():
        try:
            content = base64.b64decode(one["png"], validate=True)
            found.append(Picture(name=one["name"], title=one["title"], alt=one["alt"], content=content))
        except (TypeError, KeyError, ValueError):
            continue
    return tuple(found)


def bare_message(delivery: Delivery) -> Message:
    """What is sent when nothing better can be drawn: better an ugly alert than none."""
    name = "An alert" if delivery.number is None else case_name(delivery.number)
    return Message(
        channel=delivery.channel,
        text=f"{name} ({delivery.priority.word}) needs someone, but its card could not be drawn. "
        "The command line shows it: lowstar cases",
        outbox_id=delivery.id,
        kind=delivery.kind.value,
        number=delivery.number,
        version=delivery.wanted_version,
    )


def with_note(message: Message, note: str) -> Message:
    """`message` with a line of ours on top, such as whom it was meant for."""
    if not note:
        return message
    note = clip(one_line(note), 120)
    text = f"{escape(note)} {message.text}"
    if len(text) > MAX_FALLBACK:
        text = clip_escaped(unescape(text), MAX_FALLBACK)
    blocks: Blocks = ()
    if message.blocks:
        blocks = [*message.blocks[:1], _context(note), *message.blocks[1:]]
    return replace(message, text=text, blocks=blocks)


def as_text(blocks: Blocks) -> str:
    """What a reader sees of blocks, as plain lines; for terminals, logs and tests."""
    return "\n".join(line for block in blocks for line in _lines(block) if line.strip())


# -- a card -----------------------------------------------------------------------------------------------


def _card(reviewed: Reviewed, site: str, room: _Room, now: datetime, around: Around) -> list[Block]:
    case, mention = reviewed.case, reviewed.mention
    header = {"type": "header", "text": _plain(clip(_headline(reviewed, site), MAX_HEADER))}
    if reviewed.removed:
        words = "Removed by its author. Its words are no longer kept here."
        return [header, _rich(_section(words, italic=True)), _fields([_ours("Case", case.name)])]
    url = button_url(mention.url, room.url)
    blocks = [
        header,
        _words(mention, room, bool(url), case.status.closed),
        _fields(_facts(reviewed, room, around)),
    ]
    if not case.status.closed and reviewed.verdict.reasons:
        why = "; ".join(one_line(reason) for reason in reviewed.verdict.reasons)
        blocks.append(_context(clip(f"Why you see this: {why}", room.reasons)))
    if around.context and not case.status.closed:
        known = " · ".join(one_line(line) for line in around.context)
        blocks.append(_context(clip(known, room.reasons)))
    if story := _story(reviewed, now):
        blocks.append(_context(story))
    if case.status is CaseStatus.CLAIMED and case.claimed_at is not None:
        blocks.append({"type": "context", "elements": [_taken(reviewed, room, around)]})
    elements, more = card_buttons(case, around.promises, now) if around.interactive else ([], None)
    if url:
        elements.append(_open_post(url, mention, site))
    if more:
        elements.append(more)
    if elements:
        blocks.append(
            {"type": "actions", "block_id": f"case:{case.number}:v{case.version}", "elements": elements}
        )
    if around.interactive is False and not case.status.closed:
        blocks.append(_context(REACTIONS_HINT))
    return blocks


def _headline(reviewed: Reviewed, site: str) -> str:
    case = reviewed.case
    what = _what(reviewed, site)
    if reviewed.removed:
        return f"⚪ Removed by its author: {what}"
    if case.recovered:
        return f"🟢 Recovered: {_change(reviewed)}{what}"
    match case.status:
        case CaseStatus.CLAIMED:
            return f"🟡 Taken: {_change(reviewed)}{what}"
        case CaseStatus.ANSWERED:
            return f"✅ {_answered(reviewed)}: {what}"
        case CaseStatus.RESOLVED:
            first = f"{_answered(reviewed)}, resolved" if case.first_response_at else "Resolved"
            return f"✅ {first}: {what}"
        case CaseStatus.DISMISSED:
            return f"⚪ Dismissed: {what}"
    edited = "edited, " if _change(reviewed) else ""
    return f"{_ICONS[case.priority]} {_change(reviewed)}{what}: {edited}needs an answer"


def _what(reviewed: Reviewed, site: str) -> str:
    mention = reviewed.mention
    if mention.stars is not None:
        return f"{_stars(mention.stars)} on {site}"
    kind = _OURS[mention.kind]
    match reviewed.verdict.sentiment.label:
        case Label.NEGATIVE:
            return f"Negative {kind} on {site}"
        case Label.UNREAD:
            return f"A {kind} nobody could judge on {site}"
    return f"{kind.capitalize()} on {site}"


def _stars(stars: float) -> str:
    return f"{stars:.3g} of 5 stars"


def _change(reviewed: Reviewed) -> str:
    before, after = reviewed.stars_before, reviewed.mention.stars
    if before is None or after is None or before == after:
        return ""
    return f"changed from {before:.3g} to "


def _answered(reviewed: Reviewed) -> str:
    first = reviewed.case.first_response_at
    if first is None:
        return "Answered"
    return f"Answered in {_span(first - reviewed.case.opened_at)}"


def _span(span: timedelta) -> str:
    minutes = max(0, int(span.total_seconds() // 60))
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"


def _words(mention: Mention, room: _Room, linked: bool, closed: bool) -> Block:
    """The quote, and how much of it is left out; of a closed case only the beginning: nobody has to read it."""
    text = mention.judged_text
    if not text.strip():
        stars = "" if mention.stars is None else f", {_stars(mention.stars)}"
        return _rich(_section(f"No words{stars}.", italic=True))
    cut = clip(text, min(room.quote, QUOTE_CLOSED) if closed else room.quote)
    parts = [{"type": "rich_text_quote", "elements": [{"type": "text", "text": cut}]}]
    where = " Full text: Open post." if linked else ""
    if cut != text and not closed:
        kept = len(cut) - 1
        parts.append(_section(f"Shortened: {kept:,} of {len(text):,} characters.{where}", italic=True))
    elif mention.text_truncated and not closed:
        parts.append(_section(f"The source shows only this much of it.{where}", italic=True))
    return _rich(*parts)


def _facts(reviewed: Reviewed, room: _Room, around: Around) -> list[Block]:
    case, mention = reviewed.case, reviewed.mention
    facts = [_ours("Case", case.name)]
    if case.status is CaseStatus.OPEN or case.status is CaseStatus.CLAIMED:
        if case.answer_by is not None:
            facts.append(_ours("Answer by", date_token(case.answer_by)))
        owner = _owner("Owner", case.owner, room, around) if case.owner else _ours("Owner", "Nobody yet")
        facts.append(owner)
    else:
        if case.owner:
            label = "Answered by" if case.first_response_at else "Owner"
            facts.append(_owner(label, case.owner, room, around))
        if case.first_response_at is not None:
            took = _span(case.first_response_at - case.opened_at)
            target = "" if case.respond_by is None else f" (target {_span(case.respond_by - case.opened_at)})"
            facts.append(_ours("First answer", took + target))
        if case.closed_at is not None:
            facts.append(_ours("Closed", date_token(case.closed_at)))
    if around.promises:
        facts.append(_plain(f"Promise\n{_promised(around.promises, room)}"))
    if mention.published_at is not None:
        facts.append(_ours("Posted", _posted(mention)))
    else:
        facts.append(_ours("First seen", date_token(reviewed.first_seen_at)))
    author = clip(mention.author, room.name) or "unknown"
    if mention.author_followers:
        author += f", {mention.author_followers:,} followers"
    facts.append(_plain(f"Author\n{author}"))
    named = clip(mention.entity, room.name)
    # "Acme, Leeds store", but not "Acme, Acme Leeds": a place that carries the brand's name says it all.
    parts = (
        (named,)
        if named.casefold().startswith(case.brand.casefold())
        else (clip(case.brand, room.name), named)
    )
    place = ", ".join(part for part in parts if part)
    facts.append(_plain(f"Brand / place\n{place}"))
    if mention.reference:
        facts.append(_plain(f"Order\n{clip(mention.reference, room.name)}"))
    if case.outcome:
        facts.append(_plain(f"Outcome\n{clip(one_line(case.outcome), room.name * 2)}"))
    return facts


def _posted(mention: Mention) -> str:
    assert mention.published_at is not None  # noqa: S101 - the caller asked; told to mypy
    if mention.date_precision in (DatePrecision.SECOND, DatePrecision.NONE):
        return date_token(mention.published_at)
    # A time of day the source never gave would be a lie in every time zone.
    day = utc(mention.published_at).rsplit(" ", 2)[0]
    match mention.date_precision:
        case DatePrecision.MONTH:
            return day.split(" ", 1)[1]
        case DatePrecision.YEAR:
            return day.rsplit(" ", 1)[1]
        case DatePrecision.RELATIVE:
            return f"about {day}"
    return day


def _owner(label: str, owner: str, room: _Room, around: Around) -> Block:
    if id_ := _slack_id(owner, around):
        return _ours(label, f"<@{id_}>")
    return _plain(f"{label}\n{_called(owner, room.name, around)}")


def _slack_id(word: str, around: Around) -> str:
    if around.names is not None:
        return around.names.slack_id(word)
    return word if _SLACK_USER.fullmatch(word) else ""


def _called(word: str, limit: int, around: Around) -> str:
    name = word if around.names is None else around.names.name(word)
    return clip(one_line(name), limit) or "someone"


def _taken(reviewed: Reviewed, room: _Room, around: Around) -> Block:
    """Who took it, when, and how long after it was said."""
    case, mention = reviewed.case, reviewed.mention
    assert case.claimed_at is not None  # noqa: S101 - the caller asked; told to mypy
    exact = mention.published_at is not None and mention.date_precision is DatePrecision.SECOND
    since, what = (mention.published_at, "the post") if exact else (case.opened_at, "it came in")
    assert since is not None  # noqa: S101 - told to mypy
    after = f"{_span(case.claimed_at - since)} after {what}"
    if id_ := _slack_id(case.owner, around):
        moment = (
            f"<!date^{int(case.claimed_at.timestamp())}^{{time}}|{case.claimed_at.astimezone(UTC):%H:%M} UTC>"
        )
        return {"type": "mrkdwn", "text": f"Taken by <@{id_}> {moment}, {after}", "verbatim": True}
    return _plain(f"Taken by {_called(case.owner, room.name, around)} {utc(case.claimed_at)}, {after}")


def _promised(promises: Sequence[Promise], room: _Room) -> str:
    """The promise that matters most now: the one owed that is due first, else the last one."""
    owed = [one for one in promises if one.open]
    one = min(owed, key=lambda owed_one: owed_one.due_by) if owed else promises[-1]
    text = f"{clip(one_line(one.text), room.name)}, by {_day(one.due_by)}"
    if one.kept_at is not None:
        text += f": kept {_day(one.kept_at)}"
    elif one.dropped_at is not None:
        text += ": called off"
    elif one.broken_at is not None:
        text += ": late"
    return text + (f" (and {len(owed) - 1} more)" if len(owed) > 1 else "")


def _day(at: datetime) -> str:
    return utc(at).rsplit(" ", 3)[0]


def _story(reviewed: Reviewed, now: datetime) -> str:
    """One line about time that the state alone does not tell."""
    case = reviewed.case
    if case.waiting and case.answer_by is not None and case.answer_by < now:
        return f"Overdue by {_span(now - case.answer_by)} when this card was drawn."
    if case.waiting and case.snoozed_until is not None and case.snoozed_until > now:
        return f"Snoozed until {utc(case.snoozed_until)}."
    if reviewed.mention.owner_reply and case.first_response_at is None:
        return "The source shows a reply by the business already."
    return ""


def _open_post(url: str, mention: Mention, site: str) -> Block:
    return {
        "type": "button",
        "action_id": "open_post",
        "text": _plain("Open post"),
        "url": url,
        "accessibility_label": clip(f"Open the {_OURS[mention.kind]} on {site}", 75),
    }


def button_url(url: str, limit: int = MAX_URL - 1) -> str:
    """`url` in the ASCII form Slack takes for a button; "" when there is none or it is too long."""
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode("ascii")
        port = f":{parts.port}" if parts.port else ""
    except (ValueError, UnicodeError):
        return ""
    if not host or parts.username is not None or parts.password is not None:
        return ""  # user names in an address serve only to make it look like another
    rest = quote(parts.path or "/", safe="/:@!$&'()*+,;=~%-._")
    rest += f"?{quote(parts.query, safe='/?:@!$&()*+,;=~%-._')}" if parts.query else ""
    rest += f"#{quote(parts.fragment, safe='/?:@!$&()*+,;=~%-._')}" if parts.fragment else ""
    whole = f"{parts.scheme.lower()}://{f'[{host}]' if ':' in host else host}{port}{rest}"
    return whole if len(whole) <= limit else ""


def _fallback(reviewed: Reviewed, site: str, around: Around) -> str:
    """What a notification, a screen reader and a plain terminal get: stands alone, at most 300 characters."""
    case, mention = reviewed.case, reviewed.mention
    what = f"{_change(reviewed)}{_what(reviewed, site)} for {clip(case.brand, 60)}"
    if reviewed.removed:
        return clip_escaped(f"{case.name}: removed by its author. {what}.", MAX_FALLBACK)
    match case.status:
        case CaseStatus.OPEN | CaseStatus.CLAIMED:
            by = "" if case.answer_by is None else f", answer by {utc(case.answer_by)}"
            owner = f"taken by {_shown_owner(case.owner, around)}" if case.owner else "no owner yet"
            state = f"{what}{by}, {owner}"
        case CaseStatus.ANSWERED:
            state = f"{_answered(reviewed).lower()}. {what}"
        case CaseStatus.RESOLVED if case.first_response_at is not None:
            by = f" by {_shown_owner(case.owner, around)}" if case.owner else ""
            took = _span(case.first_response_at - case.opened_at)
            state = f"resolved, answered{by} in {took}. {what}"
        case _:
            state = f"{case.status.value}. {what}"
    if case.recovered:
        state = f"recovered. {state}"
    head = f"{case.name}: {state}."
    url = button_url(mention.url, 150)
    link = f" {url}" if url else ""
    room = MAX_FALLBACK - len(escape(head)) - len(escape(link)) - 4
    words = one_line(mention.judged_text)
    said = f" “{clip_escaped(words, room)}”" if words and room > 20 else ""
    return clip_escaped(head, MAX_FALLBACK - len(escape(link))) + said + escape(link)


def _shown_owner(owner: str, around: Around) -> str:
    # An id means nothing outside the card, and a mention in a notification would ring somebody's phone.
    name = _called(owner, 40, around)
    return "someone" if _SLACK_USER.fullmatch(name) else name


# -- the smallest parts -----------------------------------------------------------------------------------


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}


def _ours(label: str, value: str) -> Block:
    """A labelled fact as mrkdwn. For values we made ourselves, never for a stranger's."""
    return {"type": "mrkdwn", "text": f"*{label}*\n{value}", "verbatim": True}


def _fields(facts: list[Block]) -> Block:
    return {"type": "section", "fields": facts[:10]}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [_plain(text)]}


def _rich(*elements: Block) -> Block:
    return {"type": "rich_text", "elements": list(elements)}


def _section(text: str, *, italic: bool = False) -> Block:
    leaf: Block = {"type": "text", "text": text}
    if italic:
        leaf["style"] = {"italic": True}
    return {"type": "rich_text_section", "elements": [leaf]}


def _lines(block: Mapping[str, Any]) -> list[str]:
    match block.get("type"):
        case "header" | "section" if "text" in block:
            return [_seen(block["text"])]
        case "section":
            return [_seen(field).replace("\n", ": ", 1) for field in block.get("fields", ())]
        case "context":
            return [_seen(element) for element in block.get("elements", ())]
        case "rich_text":
            return [_rich_line(element) for element in block.get("elements", ())]
        case "actions":
            return [
                f"{_seen(element.get('text', {}))}: {element['url']}"
                for element in block.get("elements", ())
                if element.get("url")
            ]
    return []


def _seen(text: Mapping[str, Any]) -> str:
    written = str(text.get("text", ""))
    return shown(written) if text.get("type") == "mrkdwn" else written


def _rich_line(element: Mapping[str, Any]) -> str:
    words = "".join(
        _leaf(leaf) if "elements" not in leaf else "- " + _rich_line(leaf) + "\n"
        for leaf in element.get("elements", ())
    )
    if element.get("type") == "rich_text_quote":
        return "\n".join(f"> {line}" for line in words.split("\n"))
    return words


def _leaf(leaf: Mapping[str, Any]) -> str:
    match leaf.get("type"):
        case "user":
            return f"@{leaf.get('user_id', '')}"
        case "date":
            return str(leaf.get("fallback", ""))
    return str(leaf.get("text") or leaf.get("url") or "")
