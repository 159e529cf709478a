"""Which verdicts open a case, which change one, and who is told? Runs inside the transaction that stores them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from alerts import cases
from alerts.actions import news_for
from alerts.cases import Judged, News, Outcome, Told
from alerts.copies import fold_copies
from alerts.routing import Route, quiet_until, routes_for
from alerts.sla import STANDARD, Policy
from alerts.storms import OFF, StormRules, fold_in
from storage.records import Case, CaseEvent, Delivery, DeliveryKind
from storage.store import Ledger


@dataclass(frozen=True, slots=True)
class Intake:
    """What taking a batch in did."""

    flagged: int = 0
    recovered: int = 0


def take_in(
    ledger: Ledger,
    judged: Sequence[Judged],
    withdrawn: Mapping[int, str],
    routes: Sequence[Route],
    now: datetime,
    *,
    announce: bool,
    max_age: timedelta,
    policy: Policy = STANDARD,
    storms: StormRules = OFF,
    copies: Mapping[int, int] = MappingProxyType({}),
) -> Intake:
    """Open the cases these verdicts call for and write their alerts into the outbox; change those that exist.

    `withdrawn` maps the ids of mentions that are gone to the reason. With `announce` off (a source's first run)
    nothing new is opened; what changed in a case that exists is still shown on its card. By `storms` many alike
    become one card; by `copies` (mention → the one that said the same first) copies are folded behind the first.
    """
    touched = [j.mention_id for j in judged if not j.new] + list(withdrawn)
    standing: dict[tuple[int, str], Case] = {}
    if touched:
        standing = {(case.mention_id, case.brand): case for case in ledger.cases_of(touched)}
    recovered = _change(ledger, judged, withdrawn, standing, now, policy)
    flagged = 0
    if announce:
        flagged = _open(ledger, judged, standing, routes, now, max_age, policy, storms, copies)
    return Intake(flagged=flagged, recovered=recovered)


def _change(
    ledger: Ledger,
    judged: Sequence[Judged],
    withdrawn: Mapping[int, str],
    standing: Mapping[tuple[int, str], Case],
    now: datetime,
    policy: Policy,
) -> int:
    """Move the cases of edited and deleted mentions on, and let their cards follow. Answers how many recovered."""
    news = {(j.mention_id, j.verdict.brand): j for j in judged if not j.new}
    recovered = 0
    changed: list[int] = []
    history: list[CaseEvent] = []
    telling: list[tuple[Case, News]] = []
    for key, case in standing.items():
        if case.mention_id in withdrawn:
            after, events = cases.withdrawn(case, withdrawn[case.mention_id], now)
        elif key in news and news[key].back:
            history_of = ledger.events(case.number)
            after, events = cases.shown_again(case, news[key], history_of, now, policy)
        elif key in news:
            after, events = cases.edited(case, news[key], now, policy)
        else:
            continue
        if not ledger.save_case(after, was_version=case.version):
            continue  # somebody acted on it this very moment; the next crawl sees the newer version
        recovered += after.recovered and not case.recovered
        changed.append(case.number)
        history.extend(events)
        if told := _told(after, events, policy):
            telling.append((after, told))
    if changed:
        ledger.add_events(history)
        ledger.want_edit(changed, now)
    if telling:
        several = ledger.reviewed_many(case.number for case, _ in telling)
        outcomes = [
            (several[case.number], Outcome(case=case, events=(), news=(told,))) for case, told in telling
        ]
        ledger.enqueue(news_for(ledger, outcomes, now, policy))
    return recovered


def _told(case: Case, events: Sequence[CaseEvent], policy: Policy) -> News | None:
    """What the thread hears when the author changed the stars, or the site shows again what it had hidden; a
    changed text is seen on the card."""
    if events and events[0].action == Told.SHOWN_AGAIN and Told.REOPENED not in {e.action for e in events}:
        words = "; ".join(event.detail for event in events[1:])
        by = case.answer_by if case.waiting else None
        return News(what=Told.SHOWN_AGAIN, words=words, owner=case.owner, by=by)
    for event in events:
        if event.action == Told.REOPENED:
            to = policy.told_at(case.brand, 2)
            return News(what=Told.REOPENED, words=event.detail, to=to, by=case.answer_by)
        if event.action in ("recovered", "stars changed"):
            return News(what=Told.EDITED, words=event.detail, owner=case.owner)
    return None


def _open(
    ledger: Ledger,
    judged: Sequence[Judged],
    standing: Mapping[tuple[int, str], Case],
    routes: Sequence[Route],
    now: datetime,
    max_age: timedelta,
    policy: Policy,
    storms: StormRules,
    copies: Mapping[int, int],
) -> int:
    """Open a case for each verdict a route takes, with the outbox rows that announce it. Answers how many."""
    wanted: dict[tuple[int, str], tuple[Judged, tuple[Route, ...]]] = {}
    for each in judged:
        key = (each.mention_id, each.verdict.brand)
        if key in standing or not cases.is_news(each, now, max_age):
            continue
        if taken_by := routes_for(each.verdict, each.mention, routes):
            wanted[key] = (each, taken_by)
    if not wanted:
        return 0
    fresh = ledger.open_cases(
        [cases.opened(each, taken_by[0], now, policy) for each, taken_by in wanted.values()]
    )
    history: list[CaseEvent] = []
    outbox: list[Delivery] = []
    for case in fresh:
        each, taken_by = wanted[(case.mention_id, case.brand)]
        history.append(cases.opening_event(case, each, now))
        outbox += [alert_for(case, route, now) for route in taken_by]
    ledger.add_events(history)
    ledger.enqueue(outbox)
    fold_copies(ledger, fresh, outbox, copies, now)
    fold_in(ledger, {(one.notifier, one.channel) for one in outbox}, now, storms)
    return len(fresh)


def alert_for(case: Case, route: Route, now: datetime) -> Delivery:
    """The outbox row that announces a case on a route; in its quiet hours for later."""
    return Delivery(
        id=f"ob_{uuid.uuid4().hex}",
        kind=DeliveryKind.ALERT,
        notifier=route.notifier,
        channel=route.channel,
        number=case.number,
        priority=case.priority,
        rank=case.rank,
        created_at=now,
        not_before=quiet_until(route, case.priority, now) or now,
        wanted_version=case.version,
    )
