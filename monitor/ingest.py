"""The main path, on one page: mentions in, verdicts, cases and alerts out, one transaction a batch.

    mentions | known? | match | analyse | judge | store | case | outbox

Already seen and unchanged is settled before anything is scored. A case that exists will be announced, because the
mention, its verdicts, its case and its outbox row are written together or not at all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from alerts import viral
from alerts.cases import Judged
from alerts.intake import take_in
from alerts.routing import Route
from alerts.sla import STANDARD, Policy
from alerts.storms import OFF, StormRules
from alerts.viral import Jump
from monitor.as_taught import judge_as_taught
from monitor.clusters import find_copies
from monitor.match import Matcher
from monitor.ranker import Offset
from monitor.triage import Thresholds
from storage.records import Label, Mention, Priority, Removal, Sentiment, Stored, Tally, Verdict
from storage.store import Ledger, Store

log = logging.getLogger(__name__)

Analyzer = Callable[[str], Sentiment]


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything `ingest` needs to judge and to tell: built once from the Config, at the edge."""

    matcher: Matcher
    analyse: Analyzer
    thresholds: Thresholds
    routes: tuple[Route, ...]
    max_age: timedelta
    policy: Policy = STANDARD
    storms: StormRules = OFF
    offset: Offset | None = None  # what was learned from the team; see `monitor.learning`


def ingest(
    items: Sequence[Mention | Removal], store: Store, desk: Desk, now: datetime, *, announce: bool = True
) -> Tally:
    """Take a batch of what a spider found into the store; answers what became of it.

    With `announce` off (the first run of a source) mentions are judged and filed, but open no case.
    Raises StoreError when the store cannot take it; then nothing of the batch was written.
    """
    mentions = list({m.key: m for m in items if isinstance(m, Mention)}.values())
    removals = [r for r in items if isinstance(r, Removal)]

    with store.reading() as ledger:
        known = ledger.known([item.key for item in items])
        fresh = [m for m in mentions if m.key not in known or known[m.key].content_hash != m.content_hash()]
        # Not only when it is written: what nobody may keep is not judged, copied or told of either.
        forgotten = ledger.forgotten(fresh)
    if forgotten:
        log.info("%d of %d mentions are of the forgotten: passed over", len(forgotten), len(mentions))
        mentions = [m for m in mentions if m.key not in forgotten]
        fresh = [m for m in fresh if m.key not in forgotten]
    reach = _grown(mentions, known)

    verdicts = {m.key: verdicts_on(m, desk) for m in fresh}
    kept = [m for m in fresh if verdicts[m.key] or m.key in known]

    read = len(mentions) + len(forgotten)  # a source that says only what is passed over is not blind
    tally = Tally(
        found=read,
        unchanged=read - len(fresh),
        unmatched=len(fresh) - len(kept),
    )
    if not kept and not removals and not reach:
        return tally

    with store.transaction() as ledger:
        written = ledger.write_mentions(kept, now)
        before = {
            (done.id, was.brand): was.priority
            for done in written.values()
            if done.back
            for was in ledger.verdicts(done.id)
        }
        judged = [
            Judged(
                done.id,
                m,
                verdict,
                done.new,
                done.stars_before,
                done.back,
                before.get((done.id, verdict.brand)),
            )
            for m in kept
            if (done := written.get(m.key)) is not None
            for verdict in verdicts[m.key]
        ]
        judged, copies = find_copies(ledger, judged)
        ledger.write_verdicts(
            [(j.mention_id, j.mention, j.verdict) for j in judged], of=[done.id for done in written.values()]
        )
        if reach:
            ledger.write_reach(reach)
            grown = {known[key].id: (known[key].reach, now_at) for key, now_at in reach.items()}
            found = viral.jumps(ledger, grown, now)
            viral.spread(ledger, found, desk.routes, now, desk.policy)
            judged += _gone_viral(
                ledger, found, {known[m.key].id: m for m in mentions if m.key in known}, desk, now
            )
        gone = set(ledger.remove(removals, now))
        withdrawn = {
            known[r.key].id: r.reason for r in removals if r.key in known and known[r.key].id in gone
        }
        intake = take_in(
            ledger,
            judged,
            withdrawn,
            desk.routes,
            now,
            announce=announce,
            max_age=desk.max_age,
            policy=desk.policy,
            storms=desk.storms,
            copies=copies,
        )

    new = sum(done.new for done in written.values())
    return tally + Tally(
        new=new,
        changed=len(written) - new,
        removed=len(gone),
        flagged=intake.flagged,
        recovered=intake.recovered,
    )


def verdicts_on(mention: Mention, desk: Desk) -> tuple[Verdict, ...]:
    """One verdict for each brand the mention is about; none when it is about nobody we listen for."""
    hits = desk.matcher.brands_in(mention.judged_text)
    brands = mention.about or tuple(dict.fromkeys(hit.brand for hit in hits))
    brands = brands or desk.matcher.brands(f"{mention.judged_text}\n{mention.entity}")
    if not brands:
        return ()
    sentiment = _read(mention, desk.analyse)
    rivals = desk.matcher.rivals_in(mention.judged_text)
    return tuple(
        judge_as_taught(
            mention, brand, sentiment, desk.thresholds, offset=desk.offset, hits=hits, rivals=rivals
        )
        for brand in brands
    )


def _read(mention: Mention, analyse: Analyzer) -> Sentiment:
    """How its author feels; what cannot be scored is shown to a person, never dropped."""
    try:
        return analyse(mention.judged_text)
    except Exception:  # an analyser may be anybody's, a text anything: the door that turns both into "unread"
        log.exception("could not score %s %s", mention.source, mention.external_id)
        return Sentiment(0.0, Label.UNREAD)


def _gone_viral(
    ledger: Ledger, found: Mapping[int, Jump], mentions: Mapping[int, Mention], desk: Desk, now: datetime
) -> list[Judged]:
    """Negative mentions without a case whose reach has jumped: judged anew, one step higher, and news again."""
    judged = [
        Judged(identity, mentions[identity], viral.raised(verdict, found[identity], now), new=True)
        for identity in sorted(viral.without_case(ledger, found))
        for verdict in verdicts_on(mentions[identity], desk)
        if verdict.sentiment.label is Label.NEGATIVE or verdict.priority >= Priority.NORMAL
    ]
    ledger.write_verdicts([(one.mention_id, one.mention, one.verdict) for one in judged])
    return judged


def _grown(mentions: Sequence[Mention], known: dict[tuple[str, str], Stored]) -> dict[tuple[str, str], int]:
    """The reach of known mentions where it is another than the store has."""
    return {m.key: m.reach for m in mentions if m.key in known and known[m.key].reach != m.reach}


def about(items: Sequence[Mention | Removal], brands: tuple[str, ...]) -> list[Mention | Removal]:
    """Mentions found on a brand's own pages are about it, whether or not they name it."""
    if not brands:
        return list(items)
    return [replace(i, about=brands) if isinstance(i, Mention) and not i.about else i for i in items]
