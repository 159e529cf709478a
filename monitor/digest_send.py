"""Whose digest is due, and how does it get into the outbox, once and never twice?

The name of a digest in the outbox is made of brand, period and channel: whoever asks again, in whatever
process, finds it there.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from alerts.customers import read_customers
from alerts.digest_blocks import DigestCard, FactLine, Link, OpenLine, QuoteLine, TopicLine, digest_body
from alerts.limits import MAX_FALLBACK
from alerts.text import clip_escaped, one_line
from monitor import charts, day_counts
from monitor import digest_say as say
from monitor.config import Config
from monitor.config_digest import DAYS
from monitor.digest import digest_of
from monitor.digest_days import SHOWN
from monitor.digest_links import case_url, report_url
from monitor.digest_mail import mail
from monitor.digest_rows import Wanted, gather
from monitor.digest_shape import Digest, Post
from monitor.match import Brand
from monitor.sentiment import NEGATIVE_TO
from monitor.weeks import Period, Span, last_full
from storage.records import Delivery, DeliveryKind, Priority
from storage.store import Store
from storage.weeks import topic_shelf

LINKED = 3  # posts linked behind a number


def keep_days(config: Config, store: Store, now: datetime) -> int:
    """Count and keep the days that are over, of every brand; how many. See `monitor.day_counts`."""
    return day_counts.keep_days(store, [brand.name for brand in config.brands], zone_of(config), now)


def due_digest(config: Config, store: Store, now: datetime) -> int:
    """Put the digest of last week of every brand into the outbox once its hour has come; how many are new.

    Called by every `lowstar run`; does nothing, at the cost of one look into the outbox, for the rest of the
    week. Only where `digest.channel` or `digest.email` is set. A week of which nothing is known is sent all the
    same, and says so.
    """
    period = due_period(config, now)
    if period is None:
        return 0
    wanted = [(brand, *one) for brand in config.brands for one in roads(config)]
    with store.reading() as ledger:
        missing = [
            (brand, notifier, channel)
            for brand, notifier, channel in wanted
            if ledger.delivery(digest_id(brand.name, period, notifier, channel)) is None
        ]
    made: dict[str, Digest] = {}
    new = 0
    for brand, notifier, channel in missing:
        if brand.name not in made:
            made[brand.name] = make(config, store, brand, period, now)
        new += enqueue(store, made[brand.name], notifier, channel, now, web=config.web.url)
    return new


def due_period(config: Config, now: datetime) -> Period | None:
    """The week whose digest should have been sent at `now`: the last one, from `digest.day` at `digest.hour`.

    None before that, and where neither a channel nor an address is set.
    """
    plan = config.digest
    if not plan.channel and not plan.email:
        return None
    zone = zone_of(config)
    local = now.astimezone(ZoneInfo(zone))
    if (local.weekday(), local.hour) < (DAYS.index(plan.day), plan.hour):
        return None
    return last_full(Span.WEEK, now, zone)


def zone_of(config: Config) -> str:
    """The zone a week is counted in."""
    return config.digest.timezone or config.timezone


def road(config: Config, channel: str = "") -> tuple[str, str]:
    """Notifier and channel of digests; the channel given, the one of `[digest]`, or the one of `[slack]`."""
    notifier = "slack" if config.slack.token else "webhook" if config.slack.webhook_url else "console"
    return notifier, channel or config.digest.channel or config.slack.channel or "console"


def roads(config: Config) -> list[tuple[str, str]]:
    """Where `lowstar run` sends digests by itself: notifier and channel of each."""
    own = [road(config)] if config.digest.channel else []
    return own + [("email", address) for address in config.digest.email]


def digest_id(brand: str, period: Period, notifier: str, channel: str) -> str:
    """The outbox id of a digest: the same for the same brand, period, zone and channel, for ever."""
    named = "\x1f".join((brand, period.name, period.zone, notifier, channel))
    return "digest_" + hashlib.blake2b(named.encode(), digest_size=16).hexdigest()


def make(
    config: Config, store: Store, brand: Brand, period: Period, now: datetime, *, every_post: bool = False
) -> Digest:
    """The digest of one brand, from one view of the store; with `every_post` behind each number, see `gather`."""
    wanted = Wanted(
        brand=brand,
        period=period,
        brands=config.brands,
        titles={source.name: source.title or source.name for source in config.sources},
        every={source.name: source.every for source in config.sources},
        negative=NEGATIVE_TO,
        goal=config.digest.goal,
        topics=config.digest.topics,
        customers=read_customers(config.customers).customers if config.customers is not None else None,
    )
    with store.reading() as ledger:
        rows = gather(ledger, wanted, now, shown=None if every_post else SHOWN)
        return digest_of(rows, ledger.week_posts)


def enqueue(
    store: Store, digest: Digest, notifier: str, channel: str, now: datetime, *, web: str = ""
) -> bool:
    """Put a digest into the outbox and keep the names of its topics; True when it was not there yet.

    `web` is where the dashboard is: the card's button and the mail's links lead there.
    """
    body = digest_body(card_of(digest, web=web))
    if notifier == "email":
        # Kept as it was made: what is sent after a server's outage is the digest of its hour, pictures and all.
        body["raw"] = mail(digest, web=web).as_string()
    delivery = Delivery(
        id=digest_id(digest.brand, digest.period, notifier, channel),
        kind=DeliveryKind.DIGEST,
        notifier=notifier,
        channel=channel,
        body=json.dumps(body),
        priority=Priority.LOW,  # an alert that waits goes first
        created_at=now,
        not_before=now,
    )
    below = [pictures] if notifier == "slack" and (pictures := _pictures(digest, delivery)) else []
    with store.transaction() as ledger:
        new = ledger.enqueue([delivery]) == 1
        if new:
            ledger.enqueue(below)
            for key, name in digest.names.items():
                ledger.set_cursor(topic_shelf(digest.brand), key, name, now)
    return new


def _pictures(digest: Digest, card: Delivery) -> Delivery | None:
    """The charts, for the thread below the card; None where there is nothing to draw, or nothing to draw with."""
    try:
        drawn = [(name, charts.png(digest, name)) for name in charts.NAMES]
    except charts.ChartsMissing:
        return None
    kept = [
        {
            "name": f"{name}.png",
            "title": charts.TITLES[name],
            "alt": charts.finding(digest, name),
            "png": base64.b64encode(content).decode("ascii"),
        }
        for name, content in drawn
        if content
    ]
    if not kept:
        return None
    said = " ".join(one["alt"] for one in kept)
    return replace(
        card,
        id=f"{card.id}_charts",
        parent=card.id,
        body=json.dumps(
            {"text": clip_escaped(one_line(f"In pictures: {said}"), MAX_FALLBACK), "pictures": kept}
        ),
    )


def card_of(digest: Digest, *, web: str = "") -> DigestCard:
    """What a digest says in Slack."""
    facts = [
        FactLine(fact.label, _short(fact), _links(digest, fact, web))
        for fact in say.facts(digest)
        if fact.key not in ("mentions", "corrections", "reopened") or fact.posts or fact.cases
    ]
    notes = ["Numbers: a post counts once per source.", *digest.notes]
    return DigestCard(
        key=f"{digest.brand}:{digest.period.name}",
        headline=f"{digest.brand}, {say.headline(digest)}",
        summary=say.summary(digest),
        facts=tuple(facts[:10]),
        hurts=tuple(
            TopicLine(
                fact.name,
                say.topic_line(fact),
                tuple(
                    Link(words, post.url)
                    for words, post in zip(
                        ("worst", "next", "next"), _posts(digest, fact.posts), strict=False
                    )
                ),
            )
            for fact in digest.hurts
        ),
        last_word=say.last_word(digest),
        loves=tuple(QuoteLine(love.words, _by(love.post), love.post.url) for love in digest.loves),
        open=tuple(
            OpenLine(
                one.name,
                case_url(web, one.name) or (one.post.url if one.post else ""),
                _open_words(digest, one.name),
            )
            for one in digest.open[:5]
        ),
        open_more=max(0, len(digest.open) - 5),
        permission=say.PERMISSION if digest.loves else "",
        warning="" if digest.known else say.NOTHING_KNOWN.format(span=digest.period.span.value),
        footer=f"{say.dates(digest)}. {' '.join(notes)}",
        report_url=report_url(web, digest.brand, digest.period),
    )


def as_plain(digest: Digest) -> dict[str, Any]:
    """A digest as plain values, for JSON: every number with the ids of all posts behind it."""
    plain = asdict(digest)
    plain["period"] = {
        "name": digest.period.name,
        "first": digest.period.first.isoformat(),
        "last": digest.period.last.isoformat(),
        "zone": digest.period.zone,
        "start_at": digest.period.start_at,
        "end_at": digest.period.end_at,
    }
    for day in plain["days"]:
        day["day"] = day["day"].isoformat()
    return plain


def _short(fact: say.Fact) -> str:
    return f"{fact.value}; {fact.detail}" if fact.detail else fact.value


def _links(digest: Digest, fact: say.Fact, web: str) -> tuple[Link, ...]:
    by_case = {name: digest.posts[one] for name, one in digest.cases.items() if one in digest.posts}
    named = [
        Link(
            case,
            case_url(web, case)
            or (by_case[case].url if case in by_case else digest.answers.links.get(case, "")),
        )
        for case in fact.cases[:LINKED]
    ]
    if named:
        return tuple(named)
    return tuple(Link(f"post {at}", post.url) for at, post in enumerate(_posts(digest, fact.posts), start=1))


def _posts(digest: Digest, ids: Sequence[int]) -> list[Post]:
    shown = (digest.posts.get(one) for one in ids)
    return [post for post in shown if post is not None and post.url][:LINKED]


def _by(post: Post) -> str:
    stars = "" if post.stars is None else f", {post.stars:g} of 5"
    return f"{post.author or 'somebody'}{stars}, {post.site}."


def _open_words(digest: Digest, name: str) -> str:
    one = next(case for case in digest.open if case.name == name)
    stars = "" if one.post is None or one.post.stars is None else f"{one.post.stars:g} of 5, "
    site = "" if one.post is None else f"{one.post.site}, "
    late = f", {say.span_text(one.late)} late" if one.late is not None and one.late > timedelta(0) else ""
    owner = f"owner {one.owner}" if one.owner else "no owner"
    return f"{stars}{site}open {say.span_text(one.age)}{late}, {owner}"
