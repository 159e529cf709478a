"""When do many alerts become one card, what does that card follow, and when are the held ones let go?

A storm is a flood (more than so many cases of one brand and topic, or of nearly the same words, written within
some minutes) or a backlog (too many waiting in one channel). Its worst few are still shown one by one; the rest is
held behind one card and let go, worst first, when the storm is over or a person says so. Nothing is dropped: every
post keeps its case, and every alert stays in the outbox.

The upper half decides and touches nothing; the lower half writes what was decided, inside the caller's transaction.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from alerts.blocks_storm import escalation_body, over_body
from alerts.names import Names
from storage.records import DatePrecision, Delivery, DeliveryKind, Priority, Storm
from storage.sketches import COPY
from storage.store import Ledger, Store
from storage.storms import Folded, Fresh, StormCounts

HOUR = timedelta(hours=1)
SOONER = timedelta(
    seconds=10
)  # a new one among the five worst is on the card after this; Slack's edits need it
WORST = 5
MORE = 20  # shown by one press of "Show next 20"
TODAY = timedelta(hours=36)  # a date without a time that lies no further back may be of this very hour
WEEKS = 8  # looked back for the usual rate
WEEKS_LEAST = 3  # with fewer, the hour of the week says nothing yet
DAYS_LEAST = 2
ALIKE_WORDS = 40  # of a text, compared to see whether two are alike
ALIKE_LEAST = 4  # words; "very bad" is no copy of "very bad"
_WORD = re.compile(r"[^\W\d_]+")
_ADDRESS = re.compile(r"https?://\S{1,2000}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StormRules:
    """When many become one card. Durations are clock time."""

    on: bool = True
    cases: int = 20  # more than so many of one brand and topic …
    within: timedelta = timedelta(minutes=10)  # … written within this
    backlog: int = 60  # more than so many waiting in one channel: a minute of it at the pace Slack asks for
    shown: int = 10  # the worst of a storm that are still shown one by one
    calm: timedelta = timedelta(minutes=30)  # under half of `cases` for so long: it is over
    refresh: timedelta = timedelta(seconds=60)  # least time between two changes of its card


OFF = StormRules(on=False)


# -- what is a storm --------------------------------------------------------------------------------------


def alike(title: str, text: str) -> str:
    """A name that posts with nearly the same words share: case, digits, signs and links do not count.

    "" for what is too short to be a copy of anything.

    >>> alike("", "Charged me TWICE, order 881!") == alike("", "charged me twice; order 7")
    True
    """
    folded = unicodedata.normalize("NFKC", _ADDRESS.sub(" ", f"{title} {text}")).casefold()
    words = _WORD.findall(folded)[:ALIKE_WORDS]
    if len(words) < ALIKE_LEAST:
        return ""
    return hashlib.blake2b(" ".join(words).encode("utf-8", "replace"), digest_size=8).hexdigest()


def keys_of(alert: Fresh) -> list[str]:
    """The storms an alert could belong to, the narrowest first."""
    same = alike(alert.title, alert.text)
    topics = [f"topic:{topic}"[:255] for topic in alert.topics] or ["topic:"]
    return [*([f"alike:{same}"] if same else []), *topics]


def written_at(alert: Fresh) -> datetime:
    """When a post counts as written: to the second where its site says so.

    A crawl that catches up brings many at once that were written over days: that is no flood. Where a site
    gives the day only, what is of today counts as written when it was seen.
    """
    posted = alert.published_at
    if posted is None or posted > alert.seen_at:
        return alert.seen_at
    if alert.precision is DatePrecision.SECOND:
        return posted
    return alert.seen_at if alert.seen_at - posted <= TODAY else posted


def most_within(times: Iterable[datetime], span: timedelta) -> int:
    """The most of these moments that lie within one span.

    >>> noon = datetime(2026, 11, 22, 12)
    >>> most_within([noon, noon + timedelta(minutes=9), noon + timedelta(minutes=11)], timedelta(minutes=10))
    2
    """
    ordered = sorted(times)
    most = start = 0
    for end, moment in enumerate(ordered):
        while moment - ordered[start] > span:
            start += 1
        most = max(most, end - start + 1)
    return most


@dataclass(frozen=True, slots=True)
class Flood:
    """More alerts of one kind than a channel should see one by one."""

    brand: str
    key: str
    alerts: tuple[Fresh, ...]


def floods(alerts: Sequence[Fresh], rules: StormRules) -> list[Flood]:
    """The floods among these alerts, the largest first; each alert is in one of them at most."""
    groups: defaultdict[tuple[str, str], list[Fresh]] = defaultdict(list)
    for alert in alerts:
        for key in keys_of(alert):
            groups[alert.brand, key].append(alert)
    found: list[Flood] = []
    taken: set[str] = set()
    # Of two that are equally large the narrower: copies of one text rather than all about its topic.
    for (brand, key), group in sorted(
        groups.items(), key=lambda item: (-len(item[1]), not item[0][1].startswith("alike:"), item[0])
    ):
        if len(group) <= rules.cases:
            break
        left = [alert for alert in group if alert.id not in taken]
        if most_within((written_at(alert) for alert in left), rules.within) > rules.cases:
            found.append(Flood(brand, key, tuple(left)))
            taken.update(alert.id for alert in left)
    return found


def crowding(waiting: Mapping[str, int], rules: StormRules) -> list[str]:
    """The brands whose waiting alerts crowd a channel: the largest, until the rest is no backlog.

    A brand with no more waiting than a storm would show anyway is left alone.
    """
    left = sum(waiting.values())
    found = []
    for brand, count in sorted(waiting.items(), key=lambda item: (-item[1], item[0])):
        if left <= rules.backlog or count <= rules.shown:
            break
        found.append(brand)
        left -= count
    return found


def half(rules: StormRules) -> int:
    """So many within the span mean that a storm goes on: half the threshold, rounded up."""
    return max(1, (rules.cases + 1) // 2)


def is_over(storm: Storm, now: datetime, rules: StormRules) -> bool:
    """True when its rate has been under half the threshold for long enough. A clock set back ends nothing."""
    return now - storm.over_at >= rules.calm


def to_hold(waiting: Sequence[Folded], shown: int, allowance: int) -> list[str]:
    """Which of a storm's unsent alerts are held, so that with those `shown` before only `allowance` are seen.

    The worst stay on their way.
    """
    worst = sorted(waiting, key=lambda one: (-one.priority, -one.rank, one.number))
    return [one.id for one in worst[max(0, allowance - shown) :]]


# -- what is usual ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Usual:
    """How many bad posts an hour are usual, and how well that is known."""

    per_hour: float | None  # None: nobody can tell yet
    weeks: int = 0  # of which this hour was looked at; 0: the average of `days`
    days: int = 0

    @property
    def words(self) -> str:
        """As a card says it.

        >>> Usual(3.2, weeks=8).words, Usual(0.2, weeks=4).words, Usual(3.0, days=5).words, Usual(None).words
        ('3', 'less than 1', 'about 3 (any hour; 5 days known)', 'not known yet')
        """
        if self.per_hour is None:
            return "not known yet"
        rate = f"{self.per_hour:.0f}" if self.per_hour >= 0.95 else "less than 1"
        if self.weeks:
            return rate
        rate = f"about {rate}" if self.per_hour >= 0.95 else rate
        return f"{rate} (any hour; {self.days} days known)"


def usual_rate(ledger: Ledger, brand: str, topic: str, before: datetime) -> Usual:
    """The usual number of bad posts in this hour of the week, by the weeks before; honest about little data."""
    first = ledger.first_heard(brand)
    known = before - first if first is not None and first < before else timedelta(0)
    weeks = min(WEEKS, known // timedelta(days=7))
    if weeks >= WEEKS_LEAST:
        start = before.replace(minute=0, second=0, microsecond=0)
        starts = [start - timedelta(weeks=ago) for ago in range(1, weeks + 1)]
        counts = ledger.bad_posts(brand, topic, [(one, one + HOUR) for one in starts])
        return Usual(sum(counts) / weeks, weeks=weeks)
    if known.days >= DAYS_LEAST:
        count = ledger.bad_posts(brand, topic, [(before - timedelta(days=known.days), before)])[0]
        return Usual(count / (24 * known.days), days=known.days)
    return Usual(None)


# -- the acting part --------------------------------------------------------------------------------------


def fold_in(ledger: Ledger, channels: Collection[tuple[str, str]], now: datetime, rules: StormRules) -> int:
    """Fold what was just written into the outbox of these channels into storms, old or new; how many alerts.

    Called in the transaction that opens the cases, so that no courier sends what a storm holds.
    """
    if not rules.on:
        return 0
    return sum(_fold_channel(ledger, *channel, now, rules) for channel in sorted(set(channels)))


def _fold_channel(ledger: Ledger, notifier: str, channel: str, now: datetime, rules: StormRules) -> int:
    fresh = ledger.fresh_alerts(notifier, channel, now - rules.within)
    waiting = ledger.backlog(notifier, channel, now)
    going_on = {(one.brand, one.key): one for one in ledger.storms_going_on(notifier, channel)}
    if not going_on and len(fresh) <= rules.cases and sum(waiting.values()) <= rules.backlog:
        return 0
    folded: defaultdict[int, list[Fresh]] = defaultdict(list)
    left = []
    for alert in fresh:
        # What was sent before a storm began, or beside it, is no part of it any more.
        names = [(alert.brand, key) for key in (*keys_of(alert), "backlog")]
        storm = next((going_on[name] for name in names if name in going_on), None)
        if storm is not None and alert.waits:
            folded[storm.id].append(alert)
        else:
            left.append(alert)
    storms = {storm.id: storm for storm in going_on.values()}
    for flood in floods(left, rules):
        if (flood.brand, flood.key) in going_on:
            continue
        opened = _open(ledger, notifier, channel, flood.brand, flood.key, flood.alerts, now, rules)
        if opened is not None:
            storms[opened.id] = opened
            folded[opened.id].extend(flood.alerts)
    total = sum(ledger.fold(identity, [alert.id for alert in group]) for identity, group in folded.items())
    for brand in crowding(ledger.backlog(notifier, channel, now), rules):
        if (brand, "backlog") in going_on:
            continue
        opened = _open(ledger, notifier, channel, brand, "backlog", (), now, rules)
        if opened is not None:
            storms[opened.id] = opened
            total += ledger.fold(opened.id, ledger.backlog_of(notifier, channel, brand, now))
            folded[opened.id] = []
    for identity, group in folded.items():
        _hold_rest(ledger, storms[identity])
        _follow(ledger, storms[identity], group, now, rules)
    return total


def _open(
    ledger: Ledger,
    notifier: str,
    channel: str,
    brand: str,
    key: str,
    alerts: Sequence[Fresh],
    now: datetime,
    rules: StormRules,
) -> Storm | None:
    """A new storm with its card in the outbox; None when another process has just opened the same one."""
    card = f"ob_{uuid.uuid4().hex}"
    storm = ledger.open_storm(
        Storm(
            id=0,
            notifier=notifier,
            channel=channel,
            brand=brand,
            key=key,
            label=label_of(key, alerts),
            started_at=min((written_at(alert) for alert in alerts), default=now),
            over_at=now,
            allowance=rules.shown,
            card=card,
            drawn_at=now,
        )
    )
    if storm is not None:
        ledger.enqueue([_card(storm, now)])
    return storm


def label_of(key: str, alerts: Sequence[Fresh]) -> str:
    """What a storm is about, in words: its topic, or how its posts begin. "" where only the brand is known."""
    kind, _, rest = key.partition(":")
    if kind == "alike" and alerts:
        words = f"{alerts[0].title} {alerts[0].text}".split()
        return " ".join(words[:8]) + ("…" if len(words) > 8 else "")
    return rest if kind == "topic" else ""


def _card(storm: Storm, now: datetime) -> Delivery:
    return Delivery(
        id=storm.card,
        kind=DeliveryKind.STORM,
        notifier=storm.notifier,
        channel=storm.channel,
        body=f'{{"storm": {storm.id}}}',
        priority=Priority.URGENT,
        rank=1.0,
        created_at=now,
        not_before=now,
    )


def _hold_rest(ledger: Ledger, storm: Storm) -> None:
    if storm.holding:
        ledger.hold(to_hold(ledger.unsent_of(storm.id), ledger.shown_of(storm.id), storm.allowance))


def _follow(ledger: Ledger, storm: Storm, news: Sequence[Fresh], now: datetime, rules: StormRules) -> None:
    """Keep a storm's clock and card up to what just came in."""
    latest = ledger.nth_latest(storm.id, half(rules))
    if latest is not None and now - latest < rules.within:
        ledger.storm_over(storm.id, now)
    age = now - storm.drawn_at
    if age >= rules.refresh:
        ledger.redraw_storm(storm, ledger.worst_of(storm.id, WORST), now)
    elif age >= SOONER and news:
        worst = ledger.worst_of(storm.id, WORST)
        if set(worst) & {alert.number for alert in news}:
            ledger.redraw_storm(storm, worst, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tended:
    """What looking after the storms did."""

    folded: int = 0
    ended: int = 0
    let_go: int = 0


def tend_storms(store: Store, now: datetime, rules: StormRules) -> Tended:
    """Fold backlogs, refresh the cards of storms, end those that are over. Called by every run and the daemon.

    With storms switched off those that go on end at once, and let go of what they hold.
    """
    with store.reading() as ledger:
        # A fold of copies is looked after by `alerts.copies`: no clock ends it.
        going_on = [one for one in ledger.storms_going_on() if not one.key.startswith(COPY)]
        channels = ledger.waiting_channels() if rules.on else []
        stranded = ledger.stranded()
    folded = ended = let_go = 0
    if stranded:
        with store.transaction() as ledger:
            let_go += ledger.free_stranded(now)
    if channels:
        with store.transaction() as ledger:
            folded = fold_in(ledger, channels, now, rules)
    for seen in going_on:
        with store.transaction() as ledger:
            storm = ledger.storm(seen.id)
            if storm is None or storm.ended_at is not None:
                continue
            if not rules.on or is_over(storm, now, rules):
                gone = _end(ledger, storm, now)
                if gone is not None:
                    ended, let_go = ended + 1, let_go + gone
                continue
            age = now - storm.drawn_at
            worst = ledger.worst_of(storm.id, WORST)
            latest = ledger.nth_latest(storm.id, 1)
            grown = latest is not None and latest > storm.drawn_at
            if (age >= SOONER and set(worst) != set(storm.worst)) or (age >= rules.refresh and grown):
                ledger.redraw_storm(storm, worst, now)
    return Tended(folded=folded, ended=ended, let_go=let_go)


def _end(ledger: Ledger, storm: Storm, now: datetime) -> int | None:
    """The storm is over: its card says so, and what is still open goes out. None when somebody was faster."""
    ended = replace(storm, ended_at=now, version=storm.version + 1)
    if not ledger.save_storm(ended, was_version=storm.version):
        return None
    let_go = ledger.let_go(storm.id, now)
    counts = ledger.storm_counts(storm.id, now)
    ledger.redraw_storm(ended, ledger.worst_of(storm.id, WORST), now)
    ledger.enqueue([_news(ended, over_body(ended, counts, let_go, now), DeliveryKind.CASE_UPDATE, now)])
    return let_go


# -- what people do to a storm ----------------------------------------------------------------------------


class StormDo(StrEnum):
    """What can be done to a storm; the values are the buttons' action ids."""

    LEAD = "storm_claim"
    ESCALATE = "storm_escalate"
    MORE = "storm_more"  # show the next 20
    UNHOLD = "storm_unhold"  # show every one


class StormRefused(Exception):
    """It cannot be done; `str()` is for the person who tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StormActed:
    """What an action on a storm did."""

    storm: Storm
    shown: int = 0  # alerts let go
    said: str  # for the person who acted


def act_on_storm(
    ledger: Ledger,
    identity: int,
    do: StormDo,
    actor: str,
    now: datetime,
    *,
    version: int | None = None,
    tell: Sequence[str] = (),
    names: Names | None = None,
    more: int = MORE,
) -> StormActed:
    """Do `do` to a storm for `actor`, in the caller's transaction; its card is drawn anew.

    `version` is the one the person saw (None: as it is now). `tell` are the people an escalation rings: Slack ids
    or names; `names` says what people are called. Raises StormRefused with words for the person.
    """
    storm = ledger.storm(identity)
    if storm is None:
        raise StormRefused("There is no such storm")
    if storm.ended_at is not None:
        raise StormRefused("This storm is over; every case of it is shown on its own")
    if version is not None and version != storm.version and do is not StormDo.MORE:
        # Showing more twice is what two people wanted; the rest is done once.
        raise StormRefused(_what_happened(storm, actor, do, names))
    shown = 0
    match do:
        case StormDo.LEAD:
            if storm.owner:
                raise StormRefused(_what_happened(storm, actor, do, names))
            changed, said = replace(storm, owner=actor), "You lead this storm"
        case StormDo.ESCALATE:
            if storm.escalated_at is not None:
                raise StormRefused("It has been escalated already")
            changed, said = replace(storm, escalated_at=now), "Escalated"
        case StormDo.MORE:
            changed = replace(storm, allowance=storm.allowance + more)
            said = "The next ones follow, worst first"
        case StormDo.UNHOLD:
            if not storm.holding:
                raise StormRefused("Nothing is held any more")
            changed, said = replace(storm, holding=False), "Every case is shown on its own now"
    changed = replace(changed, version=storm.version + 1)
    if not ledger.save_storm(changed, was_version=storm.version):
        raise StormRefused("Somebody else acted on this storm this very moment: look at it again")
    if do is StormDo.MORE:
        shown = ledger.let_go(identity, now, limit=more)
        said = said if shown else "There are none left to show"
    elif do is StormDo.UNHOLD:
        shown = ledger.let_go(identity, now)
    ledger.redraw_storm(changed, ledger.worst_of(identity, WORST), now)
    if do is StormDo.ESCALATE:
        counts = ledger.storm_counts(identity, now - HOUR)
        body = escalation_body(changed, counts, actor, tell, now, names)
        ledger.enqueue([_news(changed, body, DeliveryKind.ESCALATION, now)])
    return StormActed(storm=changed, shown=shown, said=said)


def _what_happened(storm: Storm, actor: str, do: StormDo, names: Names | None) -> str:
    if storm.owner == actor and do is StormDo.LEAD:
        return "You lead this storm already"
    if storm.owner and do is StormDo.LEAD:
        leader = "Somebody else" if names is None else names.name(storm.owner)
        return f"{leader} leads this storm already"
    if not storm.holding and do is StormDo.UNHOLD:
        return "Nothing is held any more"
    return "This storm has changed since you saw it: look at its card again"


def _news(storm: Storm, body: str, kind: DeliveryKind, now: datetime) -> Delivery:
    return Delivery(
        id=f"ob_{uuid.uuid4().hex}",
        kind=kind,
        notifier=storm.notifier,
        channel=storm.channel,
        parent=storm.card,
        body=body,
        priority=Priority.URGENT,
        rank=1.0,
        created_at=now,
        not_before=now,
    )


# -- what its card shows ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StormView:
    """All a storm's card needs, read at one moment."""

    storm: Storm
    counts: StormCounts
    usual: Usual
    worst: tuple[int, ...]


def look_at(ledger: Ledger, identity: int, now: datetime) -> StormView | None:
    """A storm as it is now; None when there is none with this id."""
    storm = ledger.storm(identity)
    if storm is None:
        return None
    kind, _, topic = storm.key.partition(":")
    usual = usual_rate(ledger, storm.brand, topic if kind == "topic" else "", storm.started_at)
    return StormView(
        storm, ledger.storm_counts(identity, now - HOUR), usual, tuple(ledger.worst_of(identity, WORST))
    )
