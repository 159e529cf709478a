"""What do the facts look like? Three small charts, as SVG for pages and as PNG for Slack and mail.

The SVG is written by hand: text, no script, no font, no file to fetch; its `<title>` states the finding, so
that who cannot see the picture misses nothing. Negative and positive differ in position and label, never in
colour alone (vermilion and blue, which every kind of colour-blind eye tells apart). PNG needs the extra `charts`.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

from monitor.digest_say import counted, number
from monitor.digest_shape import Digest
from monitor.triage import shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 340  # units of the view box: at 320 pixels the text is still as large as it was meant
NEGATIVE = "#b8420f"
POSITIVE = "#1f6fb2"
PLAIN = "#6b7280"
TOPICS_SHOWN = 6
_ROW = 24


class ChartsMissing(Exception):
    """Pictures need the extra `charts`: pip install 'lowstar[charts]'. Pages do without it."""

    def __str__(self) -> str:
        return self.__doc__ or ""


def stars_finding(digest: Digest) -> str:
    """What the chart of stars shows, in one sentence."""
    rated = sum(bar.count for bar in digest.bars)
    if not rated:
        return "No reviews with stars."
    five, one = digest.bars[0].count, digest.bars[-1].count
    average = "" if digest.stars.value is None else f", {digest.stars.value:.1f} on average"
    return f"Of {counted(rated, 'review')} {five:,} gave five stars and {one:,} gave one{average}."


def days_finding(digest: Digest) -> str:
    """What the chart of days shows, in one sentence."""
    if not any(day.mentions for day in digest.days):
        return "No mentions on any day." if digest.known else "Nothing is known of these days."
    worst = max(digest.days, key=lambda day: (day.negative, day.mentions))
    if not worst.negative:
        return "No negative mentions on any day."
    return (
        f"Most negative mentions on {_weekday(worst.day.weekday())} {worst.day.day}: {worst.negative:,} of "
        f"{worst.mentions:,}."
    )


def topics_finding(digest: Digest) -> str:
    """What the chart of topics shows, in one sentence."""
    if not digest.hurts:
        return "No complaint was made twice."
    top = digest.hurts[0]
    text = f"Most complaints are about {_name(top.name).lower()}: {top.now}"
    if top.usual is not None:
        text += f", usually {number(top.usual)}"
    news = [_name(fact.name).lower() for fact in digest.hurts if fact.trend in ("new", "rising")]
    return f"{text}." + (f" New or rising: {', '.join(news)}." if news else "")


def stars_svg(digest: Digest) -> str:
    """How many reviews gave how many stars; a tick marks the usual. "" where there are none."""
    if not any(bar.count for bar in digest.bars):
        return ""
    rows = [(f"{bar.stars} ★", bar.count, bar.usual, _star_colour(bar.stars)) for bar in digest.bars]
    return _bars(rows, "stars", stars_finding(digest), label=36)


def topics_svg(digest: Digest) -> str:
    """Negative posts about each topic; a tick marks the usual. "" where there are none."""
    rows = [
        (_name(fact.name), fact.now, fact.usual, f"var(--negative, {NEGATIVE})")
        for fact in digest.hurts[:TOPICS_SHOWN]
    ]
    return _bars(rows, "topics", topics_finding(digest), label=120) if rows else ""


def days_svg(digest: Digest) -> str:
    """Positive mentions of each day above the line, negative ones below. "" where there are none."""
    days = digest.days
    most = max((max(day.negative, day.positive) for day in days), default=0)
    if not most:
        return ""
    height, middle, reach = 200, 98, 62
    step = (WIDTH - 20) / len(days)
    wide = min(30.0, step * 0.7)
    parts = [
        f'<line x1="10" x2="{WIDTH - 10}" y1="{middle}" y2="{middle}" stroke="currentColor" opacity=".5"/>'
    ]
    for at, day in enumerate(days):
        x = 10 + step * at + (step - wide) / 2
        centre = _round(x + wide / 2)
        for count, sign, colour in ((day.positive, -1, "positive"), (day.negative, 1, "negative")):
            tall = reach * count / most
            top = middle - tall if sign < 0 else middle
            fill = POSITIVE if colour == "positive" else NEGATIVE
            if count:
                parts.append(
                    f'<rect x="{_round(x)}" y="{_round(top)}" width="{_round(wide)}" height="{_round(tall)}" '
                    f'rx="2" fill="var(--{colour}, {fill})"/>'
                )
            if count and len(days) <= 10:
                y = middle - tall - 4 if sign < 0 else middle + tall + 13
                parts.append(_text(centre, _round(y), f"{count}", "middle", 11))
        if len(days) <= 10:
            parts.append(_text(centre, height - 14, _weekday(day.day.weekday()), "middle", 11))
            parts.append(_text(centre, height - 2, str(day.day.day), "middle", 10, 0.7))
        elif day.day.day % 5 == 1:
            parts.append(_text(centre, height - 2, str(day.day.day), "middle", 10, 0.7))
    parts.append(_text(10, 11, "positive above the line, negative below", "start", 10, 0.7))
    return _svg("days", days_finding(digest), height, "".join(parts))


def png(digest: Digest, chart: str) -> bytes:
    """The chart "stars", "days" or "topics" as PNG, 1,200 × 675; b"" where there is nothing to draw.

    Raises ChartsMissing where matplotlib is not installed. No display, no global state: safe in threads.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ChartsMissing from error
    draw, finding = _PICTURES[chart]
    # Small in inches, so that its words are still read at the width of a phone.
    figure = Figure(figsize=(6, 3.375), dpi=200, layout="constrained")
    axes = figure.add_subplot()
    if not draw(axes, digest):
        return b""
    axes.set_title(_plain(shorten(finding(digest), 72)), loc="left", fontsize=11)
    # Half a mention is none.
    axes.locator_params(axis="y" if chart == "days" else "x", integer=True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    held = io.BytesIO()
    figure.savefig(held, format="png", metadata={"Description": finding(digest)})
    return held.getvalue()


# -- SVG --------------------------------------------------------------------------------------------------


def _bars(rows: list[tuple[str, int, float | None, str]], name: str, finding: str, *, label: int) -> str:
    most = max(max(count, usual or 0.0) for _, count, usual, _ in rows) or 1
    room = WIDTH - label - 46
    ticks = any(usual is not None for _, _, usual, _ in rows)
    parts = []
    for at, (words, count, usual, colour) in enumerate(rows):
        y = at * _ROW
        long = room * count / most
        parts.append(_text(label - 8, y + 16, words, "end", 12))
        if count:
            parts.append(
                f'<rect x="{label}" y="{y + 4}" width="{_round(long)}" height="16" rx="2" fill="{colour}"/>'
            )
        beyond = max(long, room * (usual or 0.0) / most)
        parts.append(_text(_round(label + beyond + 6), y + 16, f"{count:,}", "start", 12))
        if usual is not None:
            x = _round(label + room * usual / most)
            parts.append(
                f'<line x1="{x}" x2="{x}" y1="{y + 1}" y2="{y + 23}" stroke="currentColor" stroke-width="2.5"/>'
            )
    height = len(rows) * _ROW + 2
    if ticks:
        parts.append(_text(label, height + 11, "the line marks the usual", "start", 10, 0.7))
        height += 16
    return _svg(name, finding, height, "".join(parts))


def _svg(name: str, finding: str, height: int, inner: str) -> str:
    said = escape(finding)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{said}" font-family="system-ui, sans-serif"><title>{said}</title>'
        f'<g aria-hidden="true" data-chart="{name}">{inner}</g></svg>'
    )


def _text(x: float, y: float, words: str, anchor: str, size: int, opacity: float = 1.0) -> str:
    faint = "" if opacity == 1.0 else f' opacity="{opacity:g}"'
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-size="{size}" fill="currentColor"{faint}>'
        f"{escape(words)}</text>"
    )


def _round(value: float) -> float:
    return round(value, 1)


def _star_colour(stars: int) -> str:
    if stars == 3:
        return f"var(--plain, {PLAIN})"
    return f"var(--negative, {NEGATIVE})" if stars < 3 else f"var(--positive, {POSITIVE})"


def _name(name: str) -> str:
    return shorten(name, 17)


def _weekday(number: int) -> str:
    return ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[number]


# -- PNG --------------------------------------------------------------------------------------------------


def _draw_stars(axes: Axes, digest: Digest) -> bool:
    if not any(bar.count for bar in digest.bars):
        return False
    bars = list(reversed(digest.bars))
    colours = [NEGATIVE if bar.stars < 3 else PLAIN if bar.stars == 3 else POSITIVE for bar in bars]
    drawn = axes.barh([f"{bar.stars} stars" for bar in bars], [bar.count for bar in bars], color=colours)
    axes.bar_label(drawn, padding=3)
    _ticks(axes, [bar.usual for bar in bars])
    return True


def _draw_topics(axes: Axes, digest: Digest) -> bool:
    facts = list(reversed(digest.hurts[:TOPICS_SHOWN]))
    if not facts:
        return False
    # A stranger's dollar sign would begin a formula.
    names = [_plain(_name(fact.name)) for fact in facts]
    drawn = axes.barh(range(len(facts)), [fact.now for fact in facts], color=NEGATIVE)
    axes.set_yticks(range(len(facts)), names)
    axes.bar_label(drawn, padding=3)
    _ticks(axes, [fact.usual for fact in facts])
    return True


def _draw_days(axes: Axes, digest: Digest) -> bool:
    if not any(day.negative or day.positive for day in digest.days):
        return False
    at = range(len(digest.days))
    axes.bar(at, [day.positive for day in digest.days], color=POSITIVE, label="positive")
    axes.bar(at, [-day.negative for day in digest.days], color=NEGATIVE, label="negative", hatch="//")
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set_xticks(at, [f"{_weekday(day.day.weekday())} {day.day.day}" for day in digest.days])
    if len(digest.days) > 10:
        axes.set_xticks(list(at)[::5], [str(day.day.day) for day in digest.days[::5]])
    axes.yaxis.set_major_formatter(lambda value, _position: f"{abs(value):g}")
    axes.legend(frameon=False, loc="upper right", bbox_to_anchor=(1, -0.06), ncols=2)
    return True


def _ticks(axes: Axes, usual: list[float | None]) -> None:
    marked = [(value, at) for at, value in enumerate(usual) if value is not None]
    if marked:
        axes.scatter(
            [value for value, _ in marked],
            [at for _, at in marked],
            marker="|",
            s=400,
            color="black",
            label="usual",
            zorder=3,
        )
        # Below the frame: inside it, it would stand on the longest bar.
        axes.legend(frameon=False, loc="upper right", bbox_to_anchor=(1, -0.06))


def _plain(text: str) -> str:
    return text.replace("$", r"\$")


_Draw = Callable[[Any, Digest], bool]
_PICTURES: dict[str, tuple[_Draw, Callable[[Digest], str]]] = {
    "stars": (_draw_stars, stars_finding),
    "days": (_draw_days, days_finding),
    "topics": (_draw_topics, topics_finding),
}
NAMES = tuple(_PICTURES)
TITLES = {"stars": "Stars", "days": "Day by day", "topics": "What hurts, in numbers"}


def finding(digest: Digest, chart: str) -> str:
    """What a chart shows, in a sentence: its alt text."""
    return _PICTURES[chart][1](digest)
