"""What does the card of a blind source look like? Block Kit from records; pure.

What a site answered stands in `plain_text`; titles of sources are our own configuration, and are escaped.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from alerts.buttons import button, plain
from alerts.deeds import length
from alerts.limits import MAX_FALLBACK
from alerts.names import Names
from alerts.notifier import Message
from alerts.people import SLACK_USER
from alerts.text import clip, clip_escaped, date_token, escape, one_line
from storage.records import Delivery

if TYPE_CHECKING:
    from alerts.ops import Blindness, SourceView

Block = dict[str, Any]

ERROR_MAX = 300
TITLE_MAX = 60


def source_message(
    view: SourceView,
    delivery: Delivery,
    *,
    now: datetime,
    interactive: bool = False,
    names: Names | None = None,
) -> Message:
    """The card of a blind source as it is now, or of one that works again."""
    title = clip(one_line(view.title), TITLE_MAX)
    over = view.outage.ended_at is not None
    blocks = _again(view, title) if over else _blind(view, title, now, interactive, names)
    return Message(
        channel=delivery.channel,
        text=_fallback(view, title, now),
        blocks=() if delivery.plain else blocks,
        outbox_id=delivery.id,
        kind=delivery.kind.value,
        version=delivery.wanted_version,
    )


def _blind(
    view: SourceView, title: str, now: datetime, interactive: bool, names: Names | None
) -> list[Block]:
    outage, blind = view.outage, view.blind
    safe, span = escape(title), length(now - outage.began_at)
    head = (
        f"🟠 *Blind on {safe} for {span}.* No news from {safe} now means *not looked*, not *no complaints*."
    )
    good = _ours("Last good crawl", date_token(outage.began_at))
    if blind is not None and not blind.ever:
        good = _ours("Last good crawl", f"Never; first tried {date_token(outage.began_at)}")
    fields = [
        good,
        _ours("Usual", _per_day(view.per_day)),
        plain(f"Error\n{_error(blind)}"),
        _ours("Missed so far (estimate)", _missed(view, now - outage.began_at)),
    ]
    if outage.owner:
        fields.append(_owner(outage.owner, names))
    blocks: list[Block] = [
        {"type": "section", "text": _mrkdwn(head)},
        {"type": "section", "fields": fields},
        {"type": "context", "elements": [plain(_outlook(view, now))]},
    ]
    if interactive:
        blocks.append(_buttons(view, title))
    return blocks


def _again(view: SourceView, title: str) -> list[Block]:
    outage = view.outage
    assert outage.ended_at is not None  # noqa: S101 - the caller asked; told to mypy
    span = length(outage.ended_at - outage.began_at)
    caught = _posts(outage.caught_up)
    head = f"🟢 *{escape(title)} works again*, caught up on {caught}. It was blind for {span}."
    fields = [
        _ours("Blind from", date_token(outage.began_at)),
        _ours("Until", date_token(outage.ended_at)),
        _ours("Usual", _per_day(view.per_day)),
        _ours("Caught up on", caught),
    ]
    return [{"type": "section", "text": _mrkdwn(head)}, {"type": "section", "fields": fields}]


def _error(blind: Blindness | None) -> str:
    if blind is None:
        return "The last try went well."
    reason = clip(one_line(blind.reason), ERROR_MAX) or "no reason was given"
    return f"{reason.rstrip('.')} on {blind.alike} of {blind.tries} tries"


def _per_day(per_day: float | None) -> str:
    if per_day is None:
        return "Not known yet"
    if per_day >= 0.95:
        return f"{_posts(round(per_day))} a day"
    return f"{_posts(round(per_day * 7))} a week" if per_day * 7 >= 0.95 else "Less than one post a week"


def _missed(view: SourceView, blind_for: timedelta) -> str:
    from alerts.ops import missed

    span = missed(view.per_day, blind_for)
    if span is None:
        return "Not known: too little was seen before"
    low, high = span
    return _posts(high) if low == high else f"{low:,} to {_posts(high)}"


def _posts(count: int) -> str:
    return f"{count:,} post{'s' * (count != 1)}"


def _outlook(view: SourceView, now: datetime) -> str:
    said = []
    if view.next_try is not None:
        wait = view.next_try - now
        said.append(
            f"Next try in {length(wait)}." if wait > timedelta(minutes=1) else "Next try with the next run."
        )
    if view.others and not view.others_blind:
        said.append("The other source is fine." if view.others == 1 else f"Other {view.others} sources fine.")
    elif view.others:
        said.append(f"Of {view.others} other sources {view.others_blind} cannot be seen either.")
    said.append("I will say here when it works again and catch up on the gap.")
    return " ".join(said)


def _owner(owner: str, names: Names | None) -> Block:
    id_ = names.slack_id(owner) if names is not None else owner if SLACK_USER.fullmatch(owner) else ""
    if id_:
        return _ours("Fixing it", f"<@{id_}>")
    called = owner if names is None else names.name(owner)
    return plain(f"Fixing it\n{clip(one_line(called), TITLE_MAX)}")


def _buttons(view: SourceView, title: str) -> Block:
    outage = view.outage
    seen = f"{outage.source}:{outage.version}"
    elements = []
    if not outage.owner:
        elements.append(
            button(
                "source_claim",
                "I'm fixing it",
                seen,
                clip(f"Take the {title} source problem", 75),
                style="primary",
            )
        )
    elements.append(
        button("source_snooze", "Quiet for 24 h", seen, clip(f"Silence {title} warnings for 24 hours", 75))
    )
    return {
        "type": "actions",
        "block_id": f"source:{outage.source}:v{outage.version}"[:255],
        "elements": elements,
    }


def _fallback(view: SourceView, title: str, now: datetime) -> str:
    outage = view.outage
    if outage.ended_at is not None:
        span = length(outage.ended_at - outage.began_at)
        return clip_escaped(
            f"{title} works again after {span}; caught up on {_posts(outage.caught_up)}.", MAX_FALLBACK
        )
    usual = "" if view.per_day is None else f" (usual: {_per_day(view.per_day)})"
    reason = clip(one_line(view.blind.reason), 80).rstrip(".") if view.blind else ""
    error = f" Last error: {reason}." if reason else ""
    return clip_escaped(
        f"Blind spot: {title} has given no data for {length(now - outage.began_at)}{usual}.{error} "
        "Silence there does not mean all is well.",
        MAX_FALLBACK,
    )


def _mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _ours(label: str, value: str) -> Block:
    return _mrkdwn(f"*{label}*\n{value}")
