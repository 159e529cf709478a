"""What does a storm's card look like, and what does its thread say? Block Kit from records; pure.

A stranger's words stand in text leaves and in `plain_text` alone. The names of sources and people are our own
configuration, and are escaped all the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from alerts.blocks import button_url
from alerts.buttons import button, confirm, danger, plain
from alerts.deeds import length
from alerts.limits import MAX_FALLBACK, MAX_HEADER, MAX_MESSAGE, size
from alerts.names import Names
from alerts.notifier import Message
from alerts.people import SLACK_USER
from alerts.text import clip, clip_escaped, date_token, escape, one_line, utc
from storage.records import Delivery, Kind, Label, Reviewed, Storm

if TYPE_CHECKING:
    from alerts.storms import StormView
    from storage.storms import StormCounts

Block = dict[str, Any]

SOURCES_SHOWN = 3
QUOTE_MAX = 90  # characters of one post among the worst
LABEL_MAX = 80
NAME_MAX = 60
_HOUR = timedelta(hours=1)
_OURS = {Kind.REVIEW: "review", Kind.POST: "post", Kind.COMMENT: "comment", Kind.ARTICLE: "article"}


def storm_message(
    view: StormView,
    worst: Sequence[Reviewed],
    delivery: Delivery,
    *,
    titles: Mapping[str, str],
    now: datetime,
    interactive: bool = False,
    names: Names | None = None,
    refresh: timedelta = timedelta(seconds=60),
) -> Message:
    """The card of a storm as it is now. `titles` maps sources to what people call them.

    With `interactive` off nobody listens to clicks, and its links are all there is to press.
    """
    blocks: list[Block] = []
    for quote in (QUOTE_MAX, 40, 0):
        blocks = _card(view, worst, titles, now, interactive, names, quote, refresh)
        if size(blocks) <= MAX_MESSAGE - 600:
            break
    return Message(
        channel=delivery.channel,
        text=_fallback(view, worst, titles, now, names),
        blocks=() if delivery.plain else blocks,
        outbox_id=delivery.id,
        kind=delivery.kind.value,
        version=delivery.wanted_version,
    )


def _card(
    view: StormView,
    worst: Sequence[Reviewed],
    titles: Mapping[str, str],
    now: datetime,
    interactive: bool,
    names: Names | None,
    quote: int,
    refresh: timedelta,
) -> list[Block]:
    storm, counts = view.storm, view.counts
    blocks: list[Block] = [
        {"type": "header", "text": plain(clip(_headline(view, now), MAX_HEADER))},
        {"type": "section", "fields": _facts(view, titles, now, names)},
    ]
    if worst:
        blocks.append({"type": "section", "text": _mrkdwn(f"*Worst {_number(len(worst))}*")})
        blocks += [_post(one, titles, quote) for one in worst]
    blocks.append({"type": "context", "elements": [plain(_note(storm, counts, interactive, refresh))]})
    if interactive and storm.ended_at is None:
        blocks.append(_buttons(storm, counts))
    return blocks


def _headline(view: StormView, now: datetime) -> str:
    storm = view.storm
    about = _about(storm)
    span = _lasted(storm, now)
    if storm.ended_at is not None:
        return f"✅ Storm over: {view.counts.total:,} negative posts in {span} {about}"
    if storm.key == "backlog":
        return f"🔴 Storm: {view.counts.total:,} alerts at once {about}"
    return f"🔴 Storm: {view.counts.total:,} negative posts in {span} {about}"


def _about(storm: Storm) -> str:
    if storm.label:
        return f"about “{clip(one_line(storm.label), LABEL_MAX)}”"
    return f"about {clip(one_line(storm.brand), LABEL_MAX)}"


def _lasted(storm: Storm, now: datetime) -> str:
    # The quiet half hour at its end, which proves that it is over, is no part of it.
    end = now if storm.ended_at is None else max(storm.over_at, storm.started_at)
    return length(max(end - storm.started_at, timedelta(minutes=1)))


def _facts(view: StormView, titles: Mapping[str, str], now: datetime, names: Names | None) -> list[Block]:
    storm, counts = view.storm, view.counts
    facts = [
        _ours("Usual for this hour", escape(view.usual.words)),
        _ours("Now", _now(view, now)),
        _ours("Started", date_token(storm.started_at)),
        _ours("Where", escape(_where(counts, titles))),
    ]
    if storm.ended_at is None:
        held = f"{counts.held:,}, worst first" if counts.held else "Nothing is held"
        facts.append(_ours("Waiting to be shown one by one", held))
    else:
        facts.append(_ours("Ended", date_token(storm.ended_at)))
        facts.append(_ours("Still open", f"{counts.open:,}"))
    facts.append(_owner(storm, names))
    facts.append(plain(f"Brand\n{clip(one_line(storm.brand), NAME_MAX)}"))
    return facts


def _now(view: StormView, now: datetime) -> str:
    storm, counts = view.storm, view.counts
    if storm.ended_at is not None:
        return f"{counts.total:,} in all"
    long = now - storm.started_at > _HOUR
    count = counts.since if long else counts.total
    said = f"{count:,} in the last hour" if long else f"{count:,}"
    usual = view.usual.per_hour
    if usual is None or usual < 0.95 or count < 2 * usual:
        return said
    return f"{said} ({count / usual:,.0f} times usual)"


def _where(counts: StormCounts, titles: Mapping[str, str]) -> str:
    shown = counts.sources[:SOURCES_SHOWN]
    said = [f"{clip(one_line(titles.get(source, '') or source), 30)} {count:,}" for source, count in shown]
    rest = sum(count for _, count in counts.sources[SOURCES_SHOWN:])
    return ", ".join([*said, *([f"other {rest:,}"] if rest else [])]) or "nowhere any more"


def _owner(storm: Storm, names: Names | None) -> Block:
    if not storm.owner:
        return _ours("Owner", "Nobody yet")
    if id_ := _slack_id(storm.owner, names):
        return _ours("Owner", f"<@{id_}>")
    return plain(f"Owner\n{_called(storm.owner, names)}")


def _slack_id(word: str, names: Names | None) -> str:
    if names is not None:
        return names.slack_id(word)
    return word if SLACK_USER.fullmatch(word) else ""


def _called(word: str, names: Names | None) -> str:
    return clip(one_line(word if names is None else names.name(word)), NAME_MAX) or "someone"


def _post(reviewed: Reviewed, titles: Mapping[str, str], quote: int) -> Block:
    """One line: the case, a link to the post, and how it begins."""
    case, url = reviewed.case, button_url(reviewed.mention.url, 500)
    name: Block = {"type": "text", "text": case.name}
    if url:
        name = {"type": "link", "url": url, "text": case.name}
    said = one_line(reviewed.mention.judged_text)
    words = f": {clip(said, quote)}" if said and quote else ""
    leaf = {"type": "text", "text": f"  {_what(reviewed, titles)}{words}"}
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [name, leaf]}]}


def _what(reviewed: Reviewed, titles: Mapping[str, str]) -> str:
    mention = reviewed.mention
    site = clip(one_line(titles.get(mention.source, "") or mention.source), 30)
    if mention.stars is not None:
        return f"{mention.stars:.3g} of 5, {site}"
    tone = "negative " if reviewed.verdict.sentiment.label is Label.NEGATIVE else ""
    return f"{tone}{_OURS[mention.kind]}, {site}"


def _note(storm: Storm, counts: StormCounts, interactive: bool, refresh: timedelta) -> str:
    if storm.ended_at is not None:
        return (
            "It is calm again. What is still open follows here one by one, worst first; nothing was dropped."
        )
    held = "Single alerts for this topic are held; nothing is dropped. "
    if storm.key == "backlog":
        held = "More waited here than anybody can read one by one: the rest is held; nothing is dropped. "
    if not storm.holding:
        held = "Nothing is held any more: every post is shown on its own. "
    where = "Each post has its own case in the queue. "
    if not interactive and counts.held:
        where = "Each post has its own case: “lowstar cases list” shows them all. "
    return f"{held}{where}Updated every {_every(refresh)} while the storm lasts."


def _buttons(storm: Storm, counts: StormCounts) -> Block:
    seen, name = f"{storm.id}:{storm.version}", f"storm {storm.id}"
    elements = []
    if not storm.owner:
        elements.append(
            button("storm_claim", "I'll lead this", seen, f"Lead {name}", style="primary"),
        )
    if storm.escalated_at is None:
        sure = confirm(
            "Escalate the storm?", "Tells the supervisor now, also outside working hours.", "Escalate"
        )
        elements.append(
            danger("storm_escalate", "Escalate now", seen, f"Escalate {name} to the supervisor", sure)
        )
    if counts.held:
        elements.append(
            button("storm_more", "Show next 20", seen, f"Show the next 20 cases of {name}"),
        )
    if storm.holding:
        elements.append(
            button("storm_unhold", "Stop holding", seen, f"Show every case of {name} one by one"),
        )
    if not elements:
        return {"type": "context", "elements": [plain("The storm is being led, and nothing is held.")]}
    return {"type": "actions", "block_id": f"storm:{storm.id}:v{storm.version}", "elements": elements}


def _fallback(
    view: StormView,
    worst: Sequence[Reviewed],
    titles: Mapping[str, str],
    now: datetime,
    names: Names | None,
) -> str:
    storm, counts = view.storm, view.counts
    label = one_line(storm.label or storm.brand)
    what = f"{counts.total:,} negative posts in {_lasted(storm, now)} about {clip(label, LABEL_MAX)}"
    if storm.ended_at is not None:
        return clip_escaped(f"Storm over: {what}. {counts.open:,} still open.", MAX_FALLBACK)
    first = ""
    if worst:
        first = f" Worst: {worst[0].case.name} {_what(worst[0], titles)}."
    held = f" {counts.held:,} held, worst first." if counts.held else ""
    owner = f" Led by {_said_owner(storm.owner, names)}." if storm.owner else " No owner yet."
    return clip_escaped(f"Storm: {what} (usual: {view.usual.words}).{first}{held}{owner}", MAX_FALLBACK)


def _said_owner(owner: str, names: Names | None) -> str:
    # A mention in a notification would ring somebody's phone.
    name = _called(owner, names)
    return "someone" if SLACK_USER.fullmatch(name) else name


# -- the thread -------------------------------------------------------------------------------------------


def over_body(storm: Storm, counts: StormCounts, let_go: int, now: datetime) -> str:
    """What the thread says when a storm is over (a delivery's body)."""
    label = clip(one_line(storm.label or storm.brand), LABEL_MAX)
    follow = (
        f" {let_go:,} still open follow one by one, worst first." if let_go else " Nothing is left to show."
    )
    text = f"The storm about {label} is over: {counts.total:,} posts in {_lasted(storm, now)}.{follow}"
    return _body(text, [{"type": "text", "text": text}], broadcast=False)


def escalation_body(
    storm: Storm,
    counts: StormCounts,
    actor: str,
    tell: Sequence[str],
    now: datetime,
    names: Names | None = None,
) -> str:
    """The broadcast that calls the supervisors to a storm (a delivery's body)."""
    leaves: list[Block] = []
    for person in tell[:8]:
        leaves += [_person(person, names), {"type": "text", "text": " "}]
    label = clip(one_line(storm.label or storm.brand), LABEL_MAX)
    who = "nobody leads it" if not storm.owner else f"led by {_said_owner(storm.owner, names)}"
    by = _called(actor, names) if not SLACK_USER.fullmatch(_called(actor, names)) else "someone"
    text = (
        f"The storm about {label} was escalated by {by}: {counts.total:,} posts since "
        f"{utc(storm.started_at)}, {counts.held:,} held, {who}."
    )
    leaves.append({"type": "text", "text": text})
    called = ", ".join(_said_owner(person, names) for person in tell[:8])
    return _body(f"{called}: {text}" if called else text, leaves, broadcast=True)


def _person(word: str, names: Names | None) -> Block:
    if id_ := _slack_id(word, names):
        return {"type": "user", "user_id": id_}
    return {"type": "text", "text": _called(word, names)}


def _body(text: str, leaves: Sequence[Block], *, broadcast: bool) -> str:
    block = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(leaves)}]}
    said = clip_escaped(one_line(text), MAX_FALLBACK)
    return json.dumps({"text": said, "blocks": [block], "broadcast": broadcast}, ensure_ascii=False)


# -- the smallest parts -----------------------------------------------------------------------------------


def _mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _ours(label: str, value: str) -> Block:
    return _mrkdwn(f"*{label}*\n{value}")


def _every(span: timedelta) -> str:
    return f"{span.total_seconds():.0f} s" if span <= timedelta(minutes=2) else length(span)


def _number(count: int) -> str:
    return {1: "one", 2: "two", 3: "three", 4: "four", 5: "five"}.get(count, str(count))
