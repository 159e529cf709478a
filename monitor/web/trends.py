"""How have the weeks gone, who is talked about, how did the crawls end? Numbers, and small pictures of them in SVG."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from monitor import view
from monitor.sentiment import NEGATIVE_TO
from monitor.web.dashboard import Ask
from monitor.weeks import Period, week_of
from storage.figures import Said
from storage.records import CrawlRun, RunOutcome
from storage.store import Ledger

WEEKS = 12
VOICE_WEEKS = 4
HEIGHT = 96  # of a picture, in its own units
WIDTH = 30  # of a week
SETTLED = timedelta(days=7)  # after which a week is counted only now and then
REMEMBERED = timedelta(minutes=10)

Counts = Mapping[str, Sequence[tuple[Period, Said]]]  # of each brand, week by week, oldest first


@dataclass(frozen=True, slots=True)
class Week:
    """One week of one brand, and where it stands in the picture."""

    name: str  # "2026-W47"
    dates: str
    count: int
    negative: int
    mean: float | None  # stars
    running: bool  # it has not ended yet
    x: int = 0
    height: float = 0.0
    bad: float = 0.0

    @property
    def words(self) -> str:
        """What the bar says."""
        share = f", {round(100 * self.negative / self.count)} % negative" if self.count else ""
        stars = f", {self.mean:.2f} stars" if self.mean is not None else ""
        return f"{self.dates}: {self.count:,} mentions{share}{stars}" + (" so far" if self.running else "")


@dataclass(frozen=True, slots=True)
class Trend:
    """The weeks of one brand, oldest first."""

    brand: str
    weeks: tuple[Week, ...]
    line: str  # of the mean stars, as the points of an SVG polyline
    finding: str


@dataclass(frozen=True, slots=True)
class Voice:
    """How much of the talk was about a brand."""

    brand: str
    count: int
    percent: float
    negative: float  # percent of its own
    rival: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """A crawl of a source, as a bar."""

    x: int
    height: float
    kind: str
    words: str


def counted(ask: Ask) -> Counts:
    """What was said of each brand in each of the last twelve weeks."""
    zone = ask.dashboard.config.timezone
    now = week_of(ask.now.astimezone(ZoneInfo(zone)).date(), zone)
    periods = [now.before(steps) for steps in range(WEEKS - 1, -1, -1)]
    with ask.dashboard.store.reading() as ledger:
        return {
            brand.name: [(period, _said(ledger, brand.name, period, ask)) for period in periods]
            for brand in ask.dashboard.config.brands
        }


def _said(ledger: Ledger, brand: str, period: Period, ask: Ask) -> Said:
    """What was said in a week: remembered for a while where it ended a week ago, since which hardly any came."""
    key = (brand, period.start_at)
    known = ask.dashboard.weeks.get(key)
    if known is not None and timedelta(0) <= ask.now - known[0] < REMEMBERED:
        return known[1]
    said = ledger.said_between(brand, period.start_at, period.end_at, NEGATIVE_TO)
    if ask.now - period.end_at > SETTLED:
        ask.dashboard.weeks[key] = (ask.now, said)
    return said


def of_brands(counts: Counts) -> list[Trend]:
    """The last twelve weeks of each brand; the present one has not ended."""
    return [
        _trend(brand, [_week(period, said, period == weeks[-1][0]) for period, said in weeks])
        for brand, weeks in counts.items()
    ]


def share_of_voice(counts: Counts, rivals: Collection[str]) -> list[Voice]:
    """Of all that was said in four weeks about the brands we listen for: whose share was how big."""
    latest = {brand: [said for _, said in weeks[-VOICE_WEEKS:]] for brand, weeks in counts.items()}
    of = {brand: sum(one.count for one in several) for brand, several in latest.items()}
    whole = sum(of.values())
    voices = [
        Voice(
            brand=brand,
            count=count,
            percent=100 * count / whole if whole else 0.0,
            negative=100 * sum(one.negative for one in latest[brand]) / count if count else 0.0,
            rival=brand in rivals,
        )
        for brand, count in of.items()
    ]
    return sorted(voices, key=lambda one: (-one.count, one.brand))


def run_bars(runs: Sequence[CrawlRun], zone: str) -> list[Bar]:
    """The runs of a source, oldest first: how much each found, and whether it worked."""
    most = max([run.found for run in runs] or [0]) or 1
    bars = []
    for at, run in enumerate(runs):
        wrong = run.outcome in (RunOutcome.FAILED, RunOutcome.PARTIAL) or run.ended_at is None
        reason = f": {view.safe(run.reason, 200)}" if run.reason else ""
        bars.append(
            Bar(
                x=at * 8,
                height=round(3 + 21 * min(1.0, run.found / most), 1),
                kind="bad" if run.outcome is RunOutcome.FAILED else "partly" if wrong else "good",
                words=f"{view.at(run.started_at, zone)}: {run.outcome}, {run.found} found, {run.new} new{reason}",
            )
        )
    return bars


def _week(period: Period, said: Said, running: bool) -> Week:
    return Week(
        name=period.name,
        dates=period.dates,
        count=said.count,
        negative=said.negative,
        mean=said.stars_sum / said.starred if said.starred else None,
        running=running,
    )


def _trend(brand: str, weeks: Sequence[Week]) -> Trend:
    from dataclasses import replace

    most = max([week.count for week in weeks] or [0]) or 1
    drawn = tuple(
        replace(
            week,
            x=at * WIDTH,
            height=round(HEIGHT * week.count / most, 1),
            bad=round(HEIGHT * week.negative / most, 1),
        )
        for at, week in enumerate(weeks)
    )
    points = [
        f"{week.x + WIDTH / 2:.0f},{HEIGHT - HEIGHT * (week.mean - 1) / 4:.1f}"
        for week in drawn
        if week.mean is not None
    ]
    ended = [week for week in drawn if not week.running and week.count]
    finding = "Nothing was said yet."
    if ended:
        last = ended[-1]
        finding = (
            f"{last.count:,} mentions in {last.name}, {round(100 * last.negative / last.count)} % negative"
        )
        if last.mean is not None:
            finding += f", {last.mean:.2f} stars"
        finding += "."
    return Trend(brand, drawn, " ".join(points), finding)
