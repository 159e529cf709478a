"""Is all well? Sources, outbox, channels, cases; and what a person has to do where it is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from monitor.commands import FAILED, FINE, App, existing_store, pass_app
from monitor.config_kinds import LISTENED
from monitor.config_named import STRETCH, stream_name

if TYPE_CHECKING:
    from alerts.audit import Audit
    from monitor.config import Config, Source
    from storage.records import CaseStatus, ChannelState, CrawlRun, Delivery, DeliveryState
    from storage.store import Ledger

UNCERTAIN_FOR = timedelta(minutes=10)  # longer than any search for a message that may have arrived takes
LATE_AFTER = 3  # a source not read for so many times its `every` is late: is cron still calling?
AUDITED = 10_000  # open cases looked at, worst first
GRACE = timedelta(minutes=15)  # one missed round of cron is no news


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How one source is doing."""

    source: Source
    last: CrawlRun | None
    good: CrawlRun | None
    # "ok", "empty", "partial", "failed", "off", "never run", "late", "running", "broken off"; of what is sent to us
    # also "listening", "failing".
    word: str
    wrong: bool
    advice: str = ""

    @property
    def title(self) -> str:
        """How people call it."""
        return self.source.title or self.source.name


@dataclass(frozen=True, slots=True)
class Status:
    """All that `lowstar status` says."""

    at: datetime
    sources: tuple[SourceStatus, ...]
    outbox: Mapping[DeliveryState, int]
    parked: tuple[ChannelState, ...]
    cases: Mapping[CaseStatus, int]
    mentions: int
    stuck: tuple[Delivery, ...] = ()  # uncertain or half sent for too long
    unannounced: tuple[str, ...] = ()  # open cases without a message: there must be none
    problems: tuple[str, ...] = field(default=())  # what is wrong, each with what to do
    audit: Audit | None = None


def source_status(
    source: Source, last: CrawlRun | None, good: CrawlRun | None, now: datetime, failures: int = 0
) -> SourceStatus:
    """How `source` is doing at `now`, judged by its latest run, its latest good one and its failures in a row."""
    from monitor.pauses import pause, pause_words
    from monitor.view import ago, length
    from storage.records import RunOutcome

    def said(word: str, wrong: bool, advice: str = "") -> SourceStatus:
        return SourceStatus(source, last, good, word, wrong, advice)

    if source.kind in LISTENED:
        return said(
            *listening_word(source, last, now, 'start "lowstar serve", or "lowstar listen --webhooks"')
        )
    if last is None:
        return said("never run", True, '"lowstar run" reads it now, "lowstar schedule --install" from now on')
    if last.ended_at is None:
        if now - last.started_at <= source.deadline + GRACE:
            return said("running", False)
        return said(
            "broken off", True, f"its run began {ago(last.started_at, now)} and never ended; run it again"
        )
    if last.outcome is RunOutcome.OFF:
        return said("off", False, last.reason)
    if last.outcome is RunOutcome.FAILED:
        words = last.reason or f'"lowstar -v run {source.name}" shows why'
        rests = pause_words(source, last.started_at, failures, now)
        return said("failed", True, f"{words}; {rests}" if rests else words)
    if now - last.started_at > LATE_AFTER * pause(source, failures) + GRACE:
        return said(
            "late",
            True,
            f"not read for {length(now - last.started_at)}, though it is due every {length(source.every)}; "
            'is cron calling "lowstar run"?',
        )
    return said(str(last.outcome), False, last.reason)


def stream_status(
    source: Source, last: CrawlRun | None, good: CrawlRun | None, now: datetime
) -> SourceStatus:
    """How the stream of `source` is doing, beside its crawl."""
    title = stream_name(source.title or source.name)
    stream = replace(source, name=stream_name(source.name), title=title, every=STRETCH)
    return SourceStatus(stream, last, good, *listening_word(stream, last, now, 'start "lowstar listen"'))


def listening_word(
    source: Source, last: CrawlRun | None, now: datetime, advice: str
) -> tuple[str, bool, str]:
    """The same of a source that is sent to us: the word, whether that is wrong, and what to do."""
    from monitor.view import ago
    from storage.records import RunOutcome

    if last is None:
        return "never run", True, f"nobody listens to it yet: {advice}"
    if last.outcome is RunOutcome.OFF:
        return "off", False, last.reason
    if last.ended_at is None:
        if now - last.started_at > source.every + GRACE:
            words = f"the process that began to listen {ago(last.started_at, now)} ended without a word"
            return "broken off", True, f"{words}: {advice}"
        # What has come so far may say that all is wrong: that is not put off until the stretch ends.
        failing = last.failed > 0 and not last.pages
        return ("failing" if failing else "listening"), failing, last.reason if failing else ""
    if last.outcome is RunOutcome.FAILED:
        return "failed", True, last.reason
    if now - last.ended_at > GRACE:
        return "late", True, f"it was last listened to {ago(last.ended_at, now)}: {advice}"
    return str(last.outcome), False, last.reason


def source_statuses(
    config: Config,
    last: Mapping[str, CrawlRun],
    good: Mapping[str, CrawlRun],
    now: datetime,
    failures: Mapping[str, int],
) -> tuple[SourceStatus, ...]:
    """How every source is doing, and every stream, by their latest and latest good runs and failures in a row."""
    crawls = [
        source_status(one, last.get(one.name), good.get(one.name), now, failures.get(one.name, 0))
        for one in config.sources
    ]
    streams = [
        stream_status(one, last.get(stream_name(one.name)), good.get(stream_name(one.name)), now)
        for one in config.sources
        if one.options.get("stream")
    ]
    return (*crawls, *streams)


def gather(ledger: Ledger, config: Config, now: datetime) -> Status:
    """Everything `status` says, from the store."""
    from alerts.audit import audit
    from monitor.roads import road_names

    last, good = ledger.last_runs(), ledger.last_good_runs()
    failures = ledger.failures_in_row()
    sources = source_statuses(config, last, good, now, failures)
    outbox = ledger.outbox_counts()
    stuck, unannounced = _audit(ledger, now)
    parked = tuple(ledger.parked())
    sums = audit(ledger, now, road_names(config))
    return Status(
        at=now,
        sources=sources,
        outbox=outbox,
        parked=parked,
        cases=ledger.case_counts(),
        mentions=ledger.mention_count(),
        stuck=stuck,
        unannounced=unannounced,
        problems=(
            *_problems(sources, outbox, parked, stuck, unannounced, now),
            # Cases without any alert are named above already.
            *(f"audit: {line}" for line in sums.problems if not (unannounced and "no alert at all" in line)),
        ),
        audit=sums,
    )


def _audit(ledger: Ledger, now: datetime) -> tuple[tuple[Delivery, ...], tuple[str, ...]]:
    """Cards that have been uncertain or half sent for too long, and open cases that have no card at all."""
    from storage.records import case_name

    stuck = tuple(
        card
        for card in ledger.cards_in_flight()
        if now - (card.claimed_at or card.created_at) > UNCERTAIN_FOR
    )
    return stuck, tuple(case_name(number) for number in ledger.never_announced(AUDITED))


def _problems(
    sources: Sequence[SourceStatus],
    outbox: Mapping[DeliveryState, int],
    parked: Sequence[ChannelState],
    stuck: Sequence[Delivery],
    unannounced: Sequence[str],
    now: datetime,
) -> list[str]:
    from monitor.view import ago, safe
    from storage.records import DeliveryState

    problems = [f"source {one.source.name}: {one.word}. {safe(one.advice)}" for one in sources if one.wrong]
    for state in parked:
        who = f"channel {safe(state.channel)}" if state.channel else f"everything to {state.notifier}"
        problems.append(
            f"{who}: parked {ago(state.parked_at, now)}: {safe(state.parked_reason)}. "
            "What waits for it is kept and sent when that is mended"
        )
    if failed := outbox.get(DeliveryState.FAILED, 0):
        problems.append(f'outbox: {failed} refused for good; "lowstar cases list" shows what they announced')
    if stuck:
        oldest = min(card.claimed_at or card.created_at for card in stuck)
        problems.append(
            f"outbox: {len(stuck)} uncertain, the oldest sent {ago(oldest, now)}: "
            'nobody knows whether they arrived; "lowstar run" looks for them'
        )
    if unannounced:
        problems.append(
            f"audit: {len(unannounced)} open cases were never announced: {', '.join(unannounced[:5])}; "
            '"lowstar cases list" shows them'
        )
    return problems


@click.command(short_help="Say whether all is well; exit 1 when it is not.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@pass_app
def command(app: App, as_json: bool) -> int:
    """Say how sources, outbox, channels and cases are doing; exit 1 when something is wrong."""
    from monitor import view

    config = app.config()
    with existing_store(config) as store, store.reading() as ledger:
        status = gather(ledger, config, datetime.now(UTC))
    if as_json:
        view.print_json(as_plain(status))
    else:
        _print(status)
    return FAILED if status.problems else FINE


def as_plain(status: Status) -> dict[str, Any]:
    """The status as plain values, for JSON."""
    return {
        "ok": not status.problems,
        "at": status.at,
        "problems": status.problems,
        "sources": [
            {
                "name": one.source.name,
                "status": one.word,
                "wrong": one.wrong,
                "last_started_at": one.last and one.last.started_at,
                "last_good_at": one.good and one.good.started_at,
                "found": one.last and one.last.found,
                "new": one.last and one.last.new,
                "changed": one.last and one.last.changed,
                "failed": one.last and one.last.failed,
                "reason": one.last.reason if one.last else "",
                "advice": one.advice,
            }
            for one in status.sources
        ],
        "outbox": {str(state): count for state, count in status.outbox.items()},
        "uncertain_too_long": len(status.stuck),
        "unannounced": status.unannounced,
        "audit": status.audit
        and {"ok": status.audit.ok, "flagged": status.audit.flagged, **status.audit.sums},
        "parked": [
            {
                "notifier": one.notifier,
                "channel": one.channel,
                "since": one.parked_at,
                "reason": one.parked_reason,
            }
            for one in status.parked
        ],
        "cases": {str(state): count for state, count in status.cases.items()},
        "mentions": status.mentions,
    }


def _print(status: Status) -> None:
    from rich.text import Text

    from monitor import view

    console = view.console()
    names = max([len(view.safe(one.source.name, 24)) for one in status.sources] or [0])
    console.print(Text("Sources"))
    for one in status.sources:
        line = Text(f"  {view.pad(view.safe(one.source.name, 24), names)}  ")
        line.append(f"{one.word:<10}", style="bold red" if one.wrong else "")
        if one.last is not None and one.last.outcome != "off":
            line.append(f"  read {view.ago(one.last.started_at, status.at)}")
            line.append(f", {one.last.found} found, {one.last.new} new")
        if one.wrong or one.word != "ok":
            good = view.ago(one.good.started_at if one.good else None, status.at)
            line.append(f"; last good: {good}" if one.word != "off" else "")
        line.truncate(console.width, overflow="ellipsis")
        console.print(line)
        if one.advice and not one.wrong:
            for text in view.indented(one.advice, console.width, "    "):
                console.print(Text(text))
    console.print(Text("Outbox    " + _counts(status.outbox)))
    console.print(Text("Cases     " + _counts(status.cases)))
    lost = f"{len(status.unannounced)} never announced" if status.unannounced else "every open case announced"
    unsure = f"{len(status.stuck)} stuck" if status.stuck else "no message stuck"
    console.print(Text(f"Audit     {status.mentions} mentions kept; {lost}, {unsure}"))
    if status.audit is not None:
        style = "" if status.audit.ok else "bold red"
        for text in view.hanging("          ", status.audit.words, console.width):
            console.print(Text(text, style=style))
    if not status.problems:
        console.print(Text("All is well.", style="green"))
        return
    console.print(Text("Wrong", style="bold red"))
    for problem in status.problems:
        for text in view.hanging("  - ", problem, console.width):
            console.print(Text(text))


def _counts(counts: Mapping[Any, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "empty"
