"""What does the thread of a case say? Bodies of messages from news; pure.

All of it is `rich_text`: people and dates are elements of their own, and whatever somebody wrote (an answer,
a promise, a name) stands in a text leaf, where nothing is a mention, a link or formatting.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from alerts.blocks import button_url
from alerts.deeds import LOWSTAR, News, Told, length
from alerts.limits import MAX_FALLBACK
from alerts.names import Names
from alerts.people import People
from alerts.text import clip, clip_escaped, one_line, utc
from storage.records import Case, Promise, case_name

Block = dict[str, Any]

QUOTE_MAX = 600  # characters of an answer or a note that the thread repeats; the history has all of it
PROMISE_MAX = 200
NAME_MAX = 60
PEOPLE_MAX = 8  # rung by one message; a longer list is a mistake in [[escalation]]
NEWS_MAX = 5  # told in full in one message
_WHEN = "{date_short_pretty} {time}"


@dataclass(frozen=True, slots=True)
class Who:
    """A person in a sentence: rung where their Slack id is known, named where not."""

    id: str


@dataclass(frozen=True, slots=True)
class When:
    """A moment in a sentence; every reader sees it in their own time zone."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Strong:
    """Words that carry the sentence."""

    text: str


Part = str | Who | When | Strong
Sentence = list[Part]


@dataclass(slots=True)
class _Said:
    """One piece of news in words."""

    sentences: list[Sentence]  # the first one is what a notification shows
    quote: str = ""
    after: Sentence | None = None  # below the quote
    link: str = ""
    buttons: Block | None = None


def news_body(
    news: Sequence[News],
    case: Case,
    *,
    people: People | Names,
    now: datetime,
    url: str = "",
    buttons: bool = False,
    broadcast: bool = True,
) -> str:
    """The body (JSON) of the one message that tells `news` of `case`: `text`, `blocks`, `broadcast`.

    `url` is the post's address. With `buttons` off nobody listens to clicks, and there are none but the link;
    with `broadcast` off it stays in the thread, whatever it is.
    """
    blocks: list[Block] = []
    said = [_said(one, case, now) for one in news[:NEWS_MAX]]
    for one in said:
        blocks += _blocks(one, people)
    last = next((one.buttons for one in said if one.buttons), None)
    if last and (row := _row(last, buttons=buttons, url=button_url(url))):
        blocks.append(row)
    first = " ".join(_plain(sentence, people) for sentence in said[0].sentences)
    if said[0].quote:
        first += f" “{one_line(clip(said[0].quote, 100))}”"
    if len(news) > 1:
        first += "".join(f" {_plain(one.sentences[0], people)}" for one in said[1:])
    first = first.removeprefix("🔴 ").replace("Late: ", "LATE: ", 1)
    text = first if case.name in first else f"{case.name}: {first}"
    return json.dumps(
        {
            "text": clip_escaped(one_line(text), MAX_FALLBACK),
            "blocks": blocks,
            "broadcast": broadcast and any(one.what.broadcast for one in news),
        },
        ensure_ascii=False,
    )


def _said(news: News, case: Case, now: datetime) -> _Said:
    match news.what:
        case Told.LATE | Told.ESCALATED:
            return _escalation(news, case)
        case Told.PROMISED | Told.PROMISE_DUE | Told.PROMISE_MOVED | Told.PROMISE_KEPT:
            return _promise(news, now)
        case Told.PROMISE_BROKEN | Told.PROMISE_DROPPED:
            return _promise(news, now)
        case Told.ANSWERED:
            return _answer(news)
    return _plain_news(news, case, now)


def _plain_news(news: News, case: Case, now: datetime) -> _Said:
    actor, owner = Who(news.actor), Who(news.owner)
    ring = _ring(news.to)
    match news.what:
        case Told.CLAIMED:
            after = f", {length(news.since)} after it came in" if news.since is not None else ""
            return _Said([[actor, f" took the case{after}."], _due("Answer due ", news.by)])
        case Told.ASSIGNED:
            give: Sentence = [actor, " took the case over."]
            if news.actor != news.owner:
                give = [actor, " gave the case to ", owner, "."]
            return _Said([give, _due("Answer due ", news.by)])
        case Told.RELEASED:
            back: Sentence = [actor, " handed the case back. Nobody has it now."]
            asked: Sentence = [*ring, ": who can take it?"] if ring else []
            return _Said([back, asked, _due("Answer due ", news.by)], quote=news.words)
        case Told.SILENT:
            silent = length(news.since) if news.since is not None else "some time"
            gone: Sentence = [owner, f" took {case.name} and was not heard of for {silent}."]
            open_: Sentence = (
                [*ring, ": it is open again, who can take it?"] if ring else ["It is open again."]
            )
            return _Said(
                [gone, open_, _due("Answer due ", news.by)], buttons=_escalation_row(case, news.level)
            )
        case Told.REMINDER:
            left = "" if news.by is None else f" in {length(news.by - now)}"
            who: Sentence = [*ring, ": an"] if ring else ["Nobody has taken this yet: an"]
            return _Said([[*who, f" answer is due{left}, "], _due("at ", news.by)])
        case Told.SNOOZED:
            return _Said([[actor, " snoozed the case until ", *_when(news.by), "."]], quote=news.words)
        case Told.WOKEN:
            woken: Sentence = ["The snooze is over."]
            if news.actor != LOWSTAR:
                woken = [actor, " ended the snooze."]
            return _Said([[*woken, " "], [*ring, ": it waits for you."] if ring else []])
        case Told.RESOLVED:
            return _Said([[actor, " resolved the case."]], quote=news.words)
        case Told.DISMISSED:
            return _Said([[actor, " dismissed the case."]], quote=news.words)
        case Told.REOPENED:
            again: Sentence = [actor, f" reopened {case.name}."]
            if news.actor == LOWSTAR:
                again = [f"{case.name} is open again."]
            return _Said([again, ring, _due("Answer due ", news.by)], quote=news.words)
        case Told.RAISED:
            return _Said([[actor, f" made the case more urgent: {news.words}."]])
        case Told.NOTED:
            return _Said([[actor, " noted:"]], quote=news.words)
        case Told.FOLLOW_UP:
            ask: Sentence = ["Resolved ", length(news.since) if news.since else "a while", " ago."]
            return _Said(
                [ask, [*ring, ": ask the customer"] if ring else ["Ask the customer:"]],
                quote=news.words,
                link=news.link,
            )
        case Told.SHOWN_AGAIN:
            stands: Sentence = [] if case.status.closed else [f"{case.name} is {case.status} again."]
            return _Said(
                [["Its site had hidden it and shows it again."], stands, _due("Answer due ", news.by)],
                quote=news.words,
            )
        case Told.EDITED:
            return _Said([["The customer changed what they wrote."]], quote=news.words)
    return _Said([[actor, f": {news.what.value}"]], quote=news.words)


def _answer(news: News) -> _Said:
    took = f" after {length(news.since)}" if news.since is not None else ""
    target = f" (target {length(news.target)})" if news.target is not None else ""
    promise = news.promise
    after = None if promise is None else _promise_terms(promise)
    return _Said(
        [[Who(news.actor), f" answered the customer{took}{target}."]],
        quote=news.words,
        link=news.link,
        after=after,
    )


def _promise_terms(promise: Promise) -> Sentence:
    terms: Sentence = ["Promise: ", Strong(clip(one_line(promise.text), PROMISE_MAX)), ", due "]
    terms += [When(promise.due_by), ", owner ", Who(promise.owner), "."]
    if promise.remind_by is not None:
        terms += [" I will remind here ", When(promise.remind_by), "."]
    return terms


def _promise(news: News, now: datetime) -> _Said:
    promise = news.promise
    if promise is None:
        return _Said([[Who(news.actor), f": {news.what.value}"]])
    words = Strong(clip(one_line(promise.text), PROMISE_MAX))
    actor = Who(news.actor)
    ring = _ring(news.to)
    match news.what:
        case Told.PROMISED:
            return _Said([[actor, " made a promise to the customer."]], after=_promise_terms(promise))
        case Told.PROMISE_KEPT:
            late = now - promise.due_by
            words_late = f", {length(late)} late" if late > timedelta(0) else ""
            return _Said([[actor, " kept the promise: ", words, words_late or "", "."]])
        case Told.PROMISE_MOVED:
            return _Said(
                [[actor, " moved the promise: ", words, ". It is due ", When(promise.due_by), " now."]]
            )
        case Told.PROMISE_DROPPED:
            return _Said([[actor, " called the promise off: ", words, "."]], quote=news.words)
        case Told.PROMISE_BROKEN:
            broken: Sentence = [
                "The promise was not kept: ",
                words,
                ". It was due ",
                When(promise.due_by),
                ".",
            ]
            return _Said([broken, ring], buttons=_promise_row(promise))
    due: Sentence = [
        *(ring or [Who(promise.owner)]),
        ": a promise is due ",
        When(promise.due_by),
        ": ",
        words,
    ]
    return _Said([due], buttons=_promise_row(promise))


def _escalation(news: News, case: Case) -> _Said:
    if news.what is Told.LATE:
        since = length(news.since) if news.since is not None else "too long"
        target = f" (target {length(news.target)})" if news.target is not None else ""
        head: Sentence = [f"🔴 Late: {case.name} has had no answer for {since}{target}."]
        if case.again_by is not None:
            head = [f"🔴 Late: {case.name}, open again, should have been answered ", When(case.again_by), "."]
    else:
        head = [f"🔴 {case.name} was escalated by ", Who(news.actor), "."]
    level = f"level {news.level} of {news.top}"
    told: Sentence = [f"Nobody is on the escalation list ({level}): whoever can, takes it."]
    if news.to:
        told = [*_ring(news.to), f": you are next on the escalation list ({level})."]
    owner: Sentence = ["Owner: nobody yet."]
    if news.owner:
        owner = ["Owner: ", Who(news.owner), "."]
    after: Sentence | None = None
    if news.next_at is not None:
        whom = [" (", *_ring(news.next_to), ")"] if news.next_to else []
        after = [f"Level {news.level + 1}", *whom, " is told at ", When(news.next_at)]
        after += [" unless someone answers or takes it."]
    return _Said(
        [head, told, owner], quote=news.words, after=after, buttons=_escalation_row(case, news.level)
    )


# -- pieces -----------------------------------------------------------------------------------------------


def _due(before: str, by: datetime | None) -> Sentence:
    return [] if by is None else [before, When(by), "."]


def _when(at: datetime | None) -> Sentence:
    return ["later"] if at is None else [When(at)]


def _ring(people: Sequence[str]) -> Sentence:
    parts: Sentence = []
    for person in people[:PEOPLE_MAX]:
        if parts:
            parts.append(", ")
        parts.append(Who(person))
    return parts


def _button(action: str, words: str, value: str, label: str, style: str = "") -> Block:
    button: Block = {
        "type": "button",
        "action_id": action,
        "text": {"type": "plain_text", "text": words, "emoji": False},
        "value": value,
        "accessibility_label": clip(label, 75),
    }
    if style:
        button["style"] = style
    return button


def _promise_row(promise: Promise) -> Block:
    value = f"{promise.id}:{promise.version}"
    name = case_name(promise.number)
    return {
        "type": "actions",
        "block_id": f"promise:{promise.id}:v{promise.version}",
        "elements": [
            _button("promise_kept", "Done, kept", value, f"Promise kept for {name}", "primary"),
            _button("promise_extend", "Need more time", value, f"Move the promise date for {name}"),
        ],
    }


def _escalation_row(case: Case, level: int) -> Block:
    return {
        "type": "actions",
        "block_id": f"esc:{case.number}:l{level}",
        "elements": [
            _button(
                "esc_ack",
                "I'm on it",
                f"{case.number}:l{level}",
                f"Take over escalated case {case.name}",
                "primary",
            ),
            _button(
                "case_answered",
                "Mark answered",
                f"{case.number}:{case.version}",
                f"Mark {case.name} as answered",
            ),
        ],
    }


def _row(row: Block, *, buttons: bool, url: str) -> Block | None:
    elements = list(row["elements"]) if buttons else []
    if url:
        elements.append(
            {
                "type": "button",
                "action_id": "open_post",
                "text": {"type": "plain_text", "text": "Open post", "emoji": False},
                "url": url,
                "accessibility_label": "Open the post",
            }
        )
    return {**row, "elements": elements} if elements else None


def _blocks(said: _Said, people: People | Names) -> list[Block]:
    leaves = _leaves(_joined(said.sentences), people)
    parts: list[Block] = []
    if leaves:
        parts.append({"type": "rich_text_section", "elements": leaves})
    if said.quote.strip():
        quote = {"type": "text", "text": clip(said.quote.strip(), QUOTE_MAX)}
        parts.append({"type": "rich_text_quote", "elements": [quote]})
    below: list[Block] = []
    if said.after:
        below += _leaves(said.after, people)
    if link := button_url(said.link):
        below += ([{"type": "text", "text": " "}] if below else []) + [{"type": "link", "url": link}]
    if below:
        parts.append({"type": "rich_text_section", "elements": below})
    return [{"type": "rich_text", "elements": parts}] if parts else []


def _joined(sentences: Sequence[Sentence]) -> Sentence:
    whole: Sentence = []
    for sentence in sentences:
        if sentence and whole and not (isinstance(whole[-1], str) and whole[-1].endswith(" ")):
            whole.append(" ")
        whole += sentence
    return whole


def _leaves(sentence: Sentence, people: People | Names) -> list[Block]:
    leaves: list[Block] = []
    for part in sentence:
        match part:
            case Who(id=person):
                slack = people.slack_id(person)
                leaves.append(
                    {"type": "user", "user_id": slack} if slack else _text(_name(person, people), bold=True)
                )
            case When(at=at):
                leaves.append(
                    {
                        "type": "date",
                        "timestamp": int(at.timestamp()),
                        "format": _WHEN,
                        "fallback": utc(at),
                    }
                )
            case Strong(text=text):
                leaves.append(_text(text, bold=True))
            case str():
                if part:  # an empty leaf is refused with the whole message
                    leaves.append(_text(part))
    return leaves


def _text(text: str, *, bold: bool = False) -> Block:
    leaf: Block = {"type": "text", "text": text or "someone"}
    return {**leaf, "style": {"bold": True}} if bold else leaf


def _name(person: str, people: People | Names) -> str:
    if person == LOWSTAR:
        return "lowstar"
    return clip(one_line(people.name(person)), NAME_MAX) or "someone"


def _plain(sentence: Sentence, people: People | Names) -> str:
    words = ""
    for part in sentence:
        match part:
            case Who(id=person):
                # An id means nothing outside Slack; a name nobody told us stays a word.
                words += (
                    "someone" if people.name(person) == people.slack_id(person) else _name(person, people)
                )
            case When(at=at):
                words += utc(at)
            case Strong(text=text) | str(text):
                words += text
    return words.strip()
