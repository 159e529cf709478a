"""Is a brand worse off than usual right now, and does its channel know? One card a spike, edited while it lasts."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from alerts.blocks_spike import EXAMPLES, SpikeShown, spike_body
from alerts.routing import Route
from monitor.match import Brand
from monitor.spikes import BEFORE_LEAST, Heard, Spike, SpikeRules, spikes
from monitor.topics import POSTS_LEAST, Read, Text, TopicReader, count_topics
from storage.records import Delivery, DeliveryKind, Priority
from storage.spikes import BadPost, SpikeCard
from storage.store import Ledger, Store

DAY = timedelta(hours=24)
WEEK = 7 * DAY
WEEKS = 8
WEEKS_LEAST = 3  # with fewer of them the days before are looked at
DAYS = 7
CALM = timedelta(hours=3)  # no more than usual for so long: it is over
REDRAWN = timedelta(minutes=2)
NEW_TOPICS = 3


@dataclass(frozen=True, slots=True)
class Spiked:
    """What looking at the counts did."""

    told: int = 0
    ended: int = 0


def tend_spikes(
    store: Store,
    brands: Sequence[Brand],
    routes: Sequence[Route],
    now: datetime,
    rules: SpikeRules,
    *,
    titles: Mapping[str, str],
    timezone: str = "UTC",
) -> Spiked:
    """Tell of what is more than usual, keep the cards of what goes on up to date, say when it is over."""
    told = ended = 0
    with store.reading() as ledger:
        going_on = ledger.spikes_going_on()
    known = {brand.name for brand in brands}
    for brand in brands:
        mine = [one for one in going_on if one.brand == brand.name]
        route = next((one for one in routes if not one.brands or brand.name in one.brands), None)
        if route is None or not rules.on:
            continue
        with store.reading() as ledger:
            # The gate: nearly every run ends here, after one look into an index.
            few = ledger.bad_count(brand.name, now - 2 * DAY, now) < min(rules.least, POSTS_LEAST)
            scene = None if few and not mine else look(ledger, brand, now, rules)
        if scene is None:
            continue
        with store.transaction() as ledger:
            for one in mine:
                ended += _follow(ledger, one, scene, now, titles, timezone)
            for spike in scene.spikes:
                if not any(_same(one, spike, scene) for one in mine):
                    told += _tell(ledger, brand.name, spike, scene, route, now, titles, timezone)
    for one in going_on:
        if one.brand not in known or not rules.on:
            with store.transaction() as ledger:
                ended += ledger.save_spike(replace(one, ended_at=now))
    return Spiked(told=told, ended=ended)


@dataclass(frozen=True, slots=True)
class Scene:
    """The last 24 hours of a brand."""

    posts: Mapping[int, BadPost]
    spikes: tuple[Spike, ...]
    new_topics: Mapping[str, tuple[int, ...]]  # never heard before: name → posts


def look(ledger: Ledger, brand: Brand, now: datetime, rules: SpikeRules) -> Scene | None:
    """What stands out in the last 24 hours; None while too little is known to tell."""
    ends, young = spans_before(ledger.first_heard(brand.name), now, ledger.first_runs())
    if not ends:
        return None
    today, *earlier = (
        [post for post in ledger.bad_posts_in(brand.name, end - DAY, end) if post.source not in young]
        for end in (now, *ends)
    )
    found = spikes(
        _heard(today, now), [_heard(span, end) for span, end in zip(earlier, ends, strict=True)], rules
    )
    new = _new_topics(ledger, brand, today, earlier, now)
    told = {post for spike in found for post in spike.posts}
    for name, posts in new.items():
        # What is new inside a spike is named on its card; alone it is one as soon as enough speak of it.
        if len(posts) >= rules.least and not set(posts) & told:
            at = {post.id: post.at for post in today}
            hours = max(1, round((now - min(at[one] for one in posts)) / timedelta(hours=1) + 0.5))
            found.append(Spike("new", name, hours, len(posts), 0.0, 0.0, posts))
    return Scene({post.id: post for post in today}, tuple(found), new)


def spans_before(
    first: datetime | None, now: datetime, runs: Mapping[str, datetime] = MappingProxyType({})
) -> tuple[list[datetime], frozenset[str]]:
    """The ends of the earlier spans of 24 hours that today is compared with, the latest first; and the sources
    that are too young to be counted.

    `first`: when the brand's oldest mention was posted; `runs`: when each source was first crawled. A site shows
    its newest posts: of the time before its first crawl nobody knows how many there were.
    """
    if first is None or first >= now:
        return [], frozenset()
    ages = {source: now - began for source, began in runs.items()}
    for step, least, most in ((WEEK, WEEKS_LEAST, WEEKS), (DAY, BEFORE_LEAST, DAYS)):
        old = [age for age in ages.values() if age >= least * step + DAY]
        known = min([now - first, *old]) if old or not ages else timedelta(0)
        many = min(most, (known - DAY) // step)
        if many >= least:
            young = frozenset(source for source, age in ages.items() if age < least * step + DAY)
            return [now - ago * step for ago in range(1, many + 1)], young
    return [], frozenset()


def _heard(posts: Sequence[BadPost], end: datetime) -> list[Heard]:
    hour = timedelta(hours=1)
    return [Heard(one.id, (end - one.at) / hour, one.source, one.place, one.topics) for one in posts]


def _new_topics(
    ledger: Ledger,
    brand: Brand,
    today: Sequence[BadPost],
    earlier: Sequence[Sequence[BadPost]],
    now: datetime,
) -> dict[str, tuple[int, ...]]:
    if len(today) < POSTS_LEAST:
        return {}
    reader = TopicReader(ignored=(brand.name, *brand.terms))
    reads, before = _reads(reader, today), [_reads(reader, span) for span in earlier]
    new: dict[str, tuple[int, ...]] = {}
    for count in count_topics(reads, before, ()):
        if len(count.posts) < POSTS_LEAST or any(count.before) or len(new) >= NEW_TOPICS:
            continue
        if count.kind == "built-in" and ledger.topic_heard(brand.name, count.name, now - DAY):
            continue
        # A few weeks' spans without a word are no proof for a word that is rare anyway: more must speak of it.
        if count.kind == "discovered" and len(count.posts) < POSTS_LEAST + 1:
            continue
        new[count.name] = count.posts
    return new


def _reads(reader: TopicReader, posts: Sequence[BadPost]) -> list[Read]:
    return [reader.read(Text(one.id, _words(one), True, _spans(one.spans))) for one in posts]


def _words(post: BadPost) -> str:
    return post.text if not post.title or post.text.startswith(post.title) else f"{post.title}\n{post.text}"


def _spans(kept: str) -> tuple[tuple[int, int, float], ...]:
    return tuple((int(start), int(end), float(weight)) for start, end, _, weight in json.loads(kept))


# -- the cards --------------------------------------------------------------------------------------------


def _same(card: SpikeCard, spike: Spike, scene: Scene) -> bool:
    """True when a spike is what a card tells of already, seen from another side."""
    if (card.kind, card.subject) == (spike.kind, spike.subject):
        return True
    told = set(card.found.get("posts", ()))
    return len(told & set(spike.posts)) * 2 >= min(len(told) or 1, len(spike.posts))


def _tell(
    ledger: Ledger,
    brand: str,
    spike: Spike,
    scene: Scene,
    route: Route,
    now: datetime,
    titles: Mapping[str, str],
    timezone: str,
) -> bool:
    card = f"ob_{uuid.uuid4().hex}"
    started = _since(spike, now)
    found = _found(spike)
    opened = ledger.open_spike(
        SpikeCard(
            id=0,
            brand=brand,
            kind=spike.kind,
            subject=spike.subject,
            started_at=started,
            last_at=now,
            ended_at=None,
            found=found,
            card=card,
            drawn_at=now,
        )
    )
    if not opened:
        return False
    body = spike_body(_shown(brand, spike, scene, started, now, titles, timezone))
    ledger.enqueue(
        [
            Delivery(
                id=card,
                kind=DeliveryKind.OPS,
                notifier=route.notifier,
                channel=route.channel,
                body=json.dumps(body, ensure_ascii=False),
                priority=Priority.HIGH,
                rank=1.0,
                created_at=now,
                not_before=now,
            )
        ]
    )
    return True


def _follow(
    ledger: Ledger,
    card: SpikeCard,
    scene: Scene,
    now: datetime,
    titles: Mapping[str, str],
    timezone: str,
) -> bool:
    """Keep a card up to date; True when what it tells of is over."""
    going = next((one for one in scene.spikes if _same(card, one, scene)), None)
    if going is None and now - card.last_at < CALM:
        return False
    if going is None:
        ended = replace(card, ended_at=now, drawn_at=now)
        if not ledger.save_spike(ended):
            return False
        last = Spike(card.kind, card.subject, 1, card.found["count"], card.found["usual"], 0.0, ())
        shown = _shown(card.brand, last, scene, card.started_at, now, titles, timezone)
        mostly = tuple((str(name), int(count)) for name, count in card.found["mostly"])
        body = spike_body(replace(shown, over=True, mostly=mostly))
        ledger.set_body(card.card, json.dumps(body, ensure_ascii=False), now)
        return True
    found = _found(going)
    drawn = found["count"] != card.found.get("count") and now - card.drawn_at >= REDRAWN
    changed = replace(card, last_at=now, found=found if drawn else card.found)
    if drawn:
        changed = replace(changed, drawn_at=now)
        mine = replace(going, kind=card.kind, subject=card.subject)
        body = spike_body(_shown(card.brand, mine, scene, card.started_at, now, titles, timezone))
        ledger.set_body(card.card, json.dumps(body, ensure_ascii=False), now)
    ledger.save_spike(changed)
    return False


def _found(spike: Spike) -> dict[str, object]:
    return {
        "count": spike.count,
        "usual": round(spike.usual, 2),
        "posts": list(spike.posts[:500]),
        "mostly": [(subject, count) for _, subject, count in spike.mostly],
    }


def _since(spike: Spike, now: datetime) -> datetime:
    return now - timedelta(hours=spike.hours)


def _shown(
    brand: str,
    spike: Spike,
    scene: Scene,
    started: datetime,
    now: datetime,
    titles: Mapping[str, str],
    timezone: str,
) -> SpikeShown:
    zone = ZoneInfo(timezone)
    local = started.astimezone(zone)
    since = f"{local:%H:%M}" if local.date() == now.astimezone(zone).date() else f"{local:%a %H:%M}"

    def words(kind: str, subject: str) -> str:
        return titles.get(subject, subject) if kind == "source" else subject

    posts = [scene.posts[one] for one in spike.posts if one in scene.posts]
    mine = set(spike.posts)
    return SpikeShown(
        brand=brand,
        kind=spike.kind,
        subject=words(spike.kind, spike.subject),
        since=since,
        count=spike.count,
        usual=spike.usual,
        times=spike.times,
        mostly=[(words(kind, subject), count) for kind, subject, count in spike.mostly],
        new_topics=[
            name
            for name, said in scene.new_topics.items()
            if name != spike.subject and 2 * len(mine & set(said)) >= len(said)
        ],
        examples=[(titles.get(one.source, one.source), _words(one)) for one in posts[:EXAMPLES]],
    )
