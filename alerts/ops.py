"""Which sources are blind, and does the ops channel know? One card a source, edited as it goes on.

A source is blind when nothing was seen on it for longer than it may be: its crawls fail, or read pages and find
nothing where there used to be something. A single hiccup is no news.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median

from alerts.limits import MAX_FALLBACK
from alerts.text import clip_escaped, one_line
from storage.records import (
    CrawlRun,
    Delivery,
    DeliveryKind,
    Outage,
    Priority,
    RunOutcome,
)
from storage.store import Ledger, Store

TRIES_LEAST = 2  # failed in a row; one failed run proves nothing, however long ago the last good one was
REDRAWN = timedelta(hours=1)  # the card of an outage tells hours
RUNS_READ = 500
USUAL_DAYS = 28
USUAL_LEAST = timedelta(days=2)
QUIET = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpsRules:
    """Where the operator is told, and how long a source may be out of sight."""

    channel: str = ""  # "": nowhere
    notifier: str = "slack"
    blind_after: timedelta = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Watched:
    """A source that is listened to."""

    name: str
    title: str
    every: timedelta


@dataclass(frozen=True, slots=True)
class Blindness:
    """Since when a source has not been seen, and what its tries said."""

    since: datetime
    ever: bool  # it has worked before
    tries: int
    reason: str  # of the last one
    alike: int  # so many tries said the same
    last_try: datetime


def saw(run: CrawlRun, usual: float) -> bool:
    """True when a crawl saw its source; `usual` is how many mentions its earlier ones found."""
    match run.outcome:
        case RunOutcome.OK:
            return True
        case RunOutcome.PARTIAL:
            return run.found > 0
        case RunOutcome.EMPTY:
            return usual < 1
    return False


def blindness(runs: Sequence[CrawlRun], now: datetime, rules: OpsRules) -> Blindness | None:
    """How blind a source is by its runs, newest first; None while it is not blind for long enough.

    A run that is still going on, or was switched off, says nothing.
    """
    ended = [run for run in runs if run.ended_at is not None and run.outcome is not RunOutcome.OFF]
    failed: list[CrawlRun] = []
    good: CrawlRun | None = None
    for place, run in enumerate(ended):
        earlier = [one.found for one in ended[place + 1 : place + 21] if one.outcome is not RunOutcome.FAILED]
        if saw(run, median(earlier) if earlier else 0):
            good = run
            break
        failed.append(run)
    if len(failed) < TRIES_LEAST:
        return None
    since = good.started_at if good else failed[-1].started_at
    if now - since < rules.blind_after:
        return None
    reason = failed[0].reason
    return Blindness(
        since=since,
        ever=good is not None,
        tries=len(failed),
        reason=reason,
        alike=sum(run.reason == reason for run in failed),
        last_try=failed[0].started_at,
    )


def missed(per_day: float | None, blind_for: timedelta) -> tuple[int, int] | None:
    """How many posts were probably missed, from … to …; None where nobody can tell.

    Half of all such spans hold so many, if posts come by chance at the usual rate.

    >>> missed(9, timedelta(hours=26))
    (8, 12)
    """
    if per_day is None:
        return None
    mean = per_day * blind_for / timedelta(days=1)
    swing = 0.6745 * mean**0.5
    return max(0, -int(-(mean - swing) // 1)), max(0, round(mean + swing))


# -- the acting part --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What looking after the sources did."""

    noticed: tuple[str, ...] = ()  # sources told of for the first time
    recovered: tuple[str, ...] = ()


def watch(store: Store, sources: Sequence[Watched], now: datetime, rules: OpsRules) -> Seen:
    """Tell the ops channel of sources that went blind, keep their cards up to date, say when they see again."""
    if not rules.channel:
        return Seen()
    known = {one.name: one for one in sources}
    with store.reading() as ledger:
        last = ledger.last_runs()
        going_on = ledger.outages_going_on()
        doubtful = [
            name
            for name in known
            if name in going_on
            or (
                name in last
                and last[name].outcome in (RunOutcome.FAILED, RunOutcome.EMPTY, RunOutcome.PARTIAL)
            )
        ]
        state = {
            name: (runs := ledger.runs(name, RUNS_READ), blindness(runs, now, rules)) for name in doubtful
        }
    noticed, recovered = [], []
    for name, (runs, blind) in state.items():
        outage = going_on.get(name)
        if outage is None and blind is not None and _notice(store, name, blind, now, rules):
            noticed.append(name)
        elif outage is not None and _follow(store, outage, runs, now, rules):
            recovered.append(name)
    for name in set(going_on) - set(known):
        with store.transaction() as ledger:
            _close(ledger, going_on[name], now, rules, caught_up=0, said="is no longer listened to")
    return Seen(noticed=tuple(noticed), recovered=tuple(recovered))


def _notice(store: Store, name: str, blind: Blindness, now: datetime, rules: OpsRules) -> bool:
    card = f"ob_{uuid.uuid4().hex}"
    with store.transaction() as ledger:
        if ledger.is_quiet(name, now):
            return False
        outage = ledger.open_outage(
            Outage(id=0, source=name, began_at=blind.since, noticed_at=now, card=card, drawn_at=now)
        )
        if outage is None:
            return False
        ledger.enqueue([_message(rules, card, DeliveryKind.SOURCE_HEALTH, {"outage": outage.id}, now)])
    return True


def _follow(store: Store, outage: Outage, runs: Sequence[CrawlRun], now: datetime, rules: OpsRules) -> bool:
    """Keep an outage's card up to date; True when the source sees again."""
    ended = [run for run in runs if run.ended_at is not None]
    if not ended:
        return False
    if ended[0].outcome is RunOutcome.OFF:
        with store.transaction() as ledger:
            _close(ledger, outage, now, rules, caught_up=0, said="was switched off")
        return False
    still = blindness(runs, now, replace(rules, blind_after=timedelta(0)))
    first = ended[0]
    usual = [run.found for run in ended[1:21] if run.outcome is not RunOutcome.FAILED]
    if still is None and saw(first, median(usual) if usual else 0):
        since = [
            run for run in ended if run.started_at > outage.began_at and run.outcome is not RunOutcome.FAILED
        ]
        caught_up = sum(run.new for run in since)
        with store.transaction() as ledger:
            return _close(ledger, outage, now, rules, caught_up=caught_up, said="")
    if now - outage.drawn_at >= REDRAWN and (outage.quiet_until is None or outage.quiet_until <= now):
        with store.transaction() as ledger:
            if ledger.save_outage(replace(outage, drawn_at=now), was_version=outage.version):
                ledger.redraw(outage.card, now)
    return False


def _close(
    ledger: Ledger, outage: Outage, now: datetime, rules: OpsRules, *, caught_up: int, said: str
) -> bool:
    ended = replace(outage, ended_at=now, caught_up=caught_up, drawn_at=now, version=outage.version + 1)
    if not ledger.save_outage(ended, was_version=outage.version):
        return False
    ledger.redraw(outage.card, now)
    text = f"{outage.source} {said}." if said else f"{outage.source} works again; caught up on {caught_up:,}."
    body = {"text": clip_escaped(one_line(text), MAX_FALLBACK)}
    ledger.enqueue(
        [replace(_message(rules, f"ob_{uuid.uuid4().hex}", DeliveryKind.OPS, body, now), parent=outage.card)]
    )
    return True


def _message(
    rules: OpsRules, id_: str, kind: DeliveryKind, body: Mapping[str, object], now: datetime
) -> Delivery:
    return Delivery(
        id=id_,
        kind=kind,
        notifier=rules.notifier,
        channel=rules.channel,
        body=json.dumps(body, ensure_ascii=False),
        priority=Priority.HIGH,
        rank=0.5,
        created_at=now,
        not_before=now,
    )


def tell_ops(store: Store, text: str, now: datetime, rules: OpsRules, *, about: str) -> bool:
    """Say `text` in the ops channel, once a day for what is named by `about`; False when it was said already."""
    if not rules.channel:
        return False
    named = hashlib.blake2b(f"{now.date()} {about}".encode(), digest_size=12).hexdigest()
    body = {"text": clip_escaped(one_line(text), MAX_FALLBACK)}
    with store.transaction() as ledger:
        return ledger.enqueue([_message(rules, f"ob_ops_{named}", DeliveryKind.OPS, body, now)]) == 1


# -- what people do to a card -----------------------------------------------------------------------------


class SourceDo(StrEnum):
    """What can be done to the card of a blind source; the values are the buttons' action ids."""

    CLAIM = "source_claim"
    SNOOZE = "source_snooze"


class SourceRefused(Exception):
    """It cannot be done; `str()` is for the person who tried."""


def act_on_source(
    ledger: Ledger, source: str, do: SourceDo, actor: str, now: datetime, *, version: int | None = None
) -> Outage:
    """Do `do` to the outage of `source` for `actor`, in the caller's transaction; its card is drawn anew.

    Raises SourceRefused with words for the person.
    """
    outage = ledger.outages_going_on().get(source)
    if outage is None:
        raise SourceRefused(f"{source} works again")
    if do is SourceDo.CLAIM and outage.owner:
        raise SourceRefused("You have it already" if outage.owner == actor else "Somebody is on it already")
    if version is not None and version != outage.version:
        raise SourceRefused("This card has changed since you saw it: look at it again")
    changed = replace(outage, version=outage.version + 1, drawn_at=now)
    changed = (
        replace(changed, owner=actor) if do is SourceDo.CLAIM else replace(changed, quiet_until=now + QUIET)
    )
    if not ledger.save_outage(changed, was_version=outage.version):
        raise SourceRefused("Somebody else acted on it this very moment: look at it again")
    ledger.redraw(outage.card, now)
    return changed


# -- what its card shows ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceView:
    """All that the card of a blind source needs, read at one moment."""

    outage: Outage
    title: str
    blind: Blindness | None  # None once it works again
    per_day: float | None  # posts; None: not known yet
    next_try: datetime | None
    others: int  # other sources
    others_blind: int


def look_at_source(
    ledger: Ledger, identity: int, sources: Sequence[Watched], now: datetime
) -> SourceView | None:
    """An outage as it is now; None when there is none with this id."""
    outage = ledger.outage(identity)
    if outage is None:
        return None
    known = {one.name: one for one in sources}
    watched = known.get(outage.source)
    blind = None
    if outage.ended_at is None:
        runs = ledger.runs(outage.source, RUNS_READ)
        blind = blindness(runs, now, OpsRules(blind_after=timedelta(0)))
    new, since = ledger.news_of(outage.source, outage.began_at - timedelta(days=USUAL_DAYS), outage.began_at)
    span = outage.began_at - since if since is not None else timedelta(0)
    going_on = set(ledger.outages_going_on()) - {outage.source}
    return SourceView(
        outage=outage,
        title=watched.title if watched else outage.source,
        blind=blind,
        per_day=new / (span / timedelta(days=1)) if span >= USUAL_LEAST else None,
        next_try=blind.last_try + watched.every if blind and watched else None,
        others=len(known) - (outage.source in known),
        others_blind=len(going_on & set(known)),
    )
