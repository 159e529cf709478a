"""How have the weeks gone, who is talked about, how did the crawls end? Numbers, and small pictures of them in SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from monitor import view
from monitor.sentiment import NEGATIVE_TO
from monitor.web.dashboard import Ask
from monitor.weeks import Period, week_of
from storage.records import CrawlRun, RunOutcome
from storage.store import Ledger

WEEKS = 12
VOICE_WEEKS = 4
HEIGHT = 96  # of a picture, in its own units
WIDTH = 30  # of a week


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


def of_brands(ask: Ask) -> list[Trend]:
    """The last twelve weeks of each brand; the present one has not ended."""
    zone = ask.dashboard.config.timezone
    now = week_of(ask.now.astimezone(ZoneInfo(zone)).date(), zone)
    periods = [now.before(steps) for steps in range(WEEKS - 1, -1, -1)]
    with ask.dashboard.store.reading() as ledger:
        return [
            _trend(brand.name, [_week(ledger, brand.name, period, ask, period == now) for period in periods])
            for brand in ask.dashboard.config.brands
        ]


def share_of_voice(ask: Ask) -> list[Voice]:
    """Of all that was said in four weeks about the brands we listen for: whose share was how big."""
    config = ask.dashboard.config
    zone = config.timezone
    now = week_of(ask.now.astimezone(ZoneInfo(zone)).date(), zone)
    start = now.before(VOICE_WEEKS - 1).start_at
    rivals = {rival for brand in config.brands for rival in brand.rivals}
    with ask.dashboard.store.reading() as ledger:
        tallies = {
            brand.name: ledger.tally(brand.name, start, now.end_at, NEGATIVE_TO) for brand in config.brands
        }
    counts = {name: sum(one.count for one in found) for name, found in tallies.items()}
    whole = sum(counts.values())
    voices = [
        Voice(
            brand=name,
            count=count,
            percent=100 * count / whole if whole else 0.0,
            negative=100 * sum(one.count for one in tallies[name] if one.tone < 0) / count if count else 0.0,
            rival=name in rivals,
        )
        for name, count in counts.items()
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


def _week(ledger: Ledger, brand: str, period: Period, ask: Ask, running: bool) -> Week:
    tallies = ledger.tally(brand, period.start_at, period.end_at, NEGATIVE_TO)
    starred = [one for one in tallies if one.stars]
    stars = sum(one.count for one in starred)
    return Week(
        name=period.name,
        dates=period.dates,
        count=sum(one.count for one in tallies),
        negative=sum(one.count for one in tallies if one.tone < 0),
        mean=sum(one.stars_sum for one in starred) / stars if stars else None,
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
