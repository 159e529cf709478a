"""Is a source blind, or is it just quiet? Today's run against its own history.

Pure: no clock, no store. What is rare is decided by what the source itself has shown: a place that was never
empty and is, a field that was always there and is not. Small numbers prove little, and nothing is claimed of
them: a hashtag that is named twice a week may well be silent on a Sunday.

Runs that were blind themselves are no history (`RunStats.worked`), so an alarm stays until the source sees
again; after as many runs as are kept, what it shows then has become what is usual.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import fmean, median, pvariance

from storage.records import Finding, RunStats

RARE = 1e-4  # a silence less probable than this is none; at a run an hour that is one false alarm a year
FIELD_RARE = 1e-3
ENOUGH = 3  # mentions that tell a missing field from an odd one
ENOUGH_BEFORE = 5  # mentions that had the field before
SURE = 10  # mentions a run, from where one earlier run is enough to know a listing is not empty
SHUT = frozenset({401, 402, 403, 407, 429, 451})  # and 5xx
FIELD_WORDS: Mapping[str, str] = {
    "stars": "stars",
    "date": "date",
    "author": "author",
    "text": "text",
    "id": "id of its own",
}


def judge_run(
    stats: RunStats,
    history: Sequence[RunStats],
    now: datetime,
    *,
    blind: str = "",
    problems: Sequence[str] = (),
    gap: str = "",
    place_of: Callable[[str], str] = lambda field: "",
) -> Finding | None:
    """What kept this run from seeing, None where it saw all there was; the gravest first.

    `blind` are the reader's own words about a page that shows nothing, `problems` what else went wrong, `gap`
    says that something lies between this run and what was read before. `place_of` answers by which selector
    or path a field ("item" for the mentions themselves) is looked for, "" where nobody can say.
    """
    usual = [run for run in history if run.worked and run.at < stats.at]
    if shut := _shut_out(stats, problems):
        return shut
    if blind and not stats.found:
        return Finding("wall", blind, place=place_of("item"))
    if stats.failed and not stats.found and not stats.unchanged:
        return Finding("unreadable", _first(problems) or "its answers could not be read")
    if nothing := _nothing(stats, usual, now, place_of("item")):
        return nothing
    if gap:
        return Finding("gap", gap)
    return _field_gone(stats, usual, problems, place_of)


# --- shut out ------------------------------------------------------------------------------------------


def _shut_out(stats: RunStats, problems: Sequence[str]) -> Finding | None:
    """Refused where it counts: nothing at all was read, or at least half of what was asked."""
    refused = {code: times for code, times in stats.statuses.items() if code in SHUT or code >= 500}
    read = stats.pages + stats.unchanged
    times = sum(refused.values())
    said = _first(problems)
    if not read and stats.failed and not stats.found:
        code = max(refused, key=lambda code: refused[code]) if refused else 0
        return Finding("shut out", _with_advice(said or "nothing could be asked", code))
    if times > read or (times >= ENOUGH and times == read):
        code = max(refused, key=lambda code: refused[code])
        asked = times + read
        words = f"{times} of {asked} pages were refused with HTTP {code}: {said}"
        return Finding("shut out", _with_advice(words, code))
    return None


def _with_advice(words: str, code: int) -> str:
    # Words that name a key have said what to do.
    return words if not code or "LOWSTAR_" in words else f"{words.rstrip('.')}. {_advice(code)}"


def _advice(code: int) -> str:
    if code in (401, 407):
        return "Its key or login is missing or no longer right: make a new one and set it"
    if code == 402:
        return "Its plan does not pay for this: look at the account"
    if code == 429:
        return "It wants to be asked less often: raise `every` of this source"
    if code >= 500:
        return "The site itself is out of order: it is tried again by itself"
    return (
        "It refuses programs: open the page in a browser; if it shows there, use the site's API or "
        "`lowstar import` instead"
    )


def _first(problems: Sequence[str]) -> str:
    return problems[0] if problems else ""


# --- nothing where there is always something -----------------------------------------------------------


def _nothing(stats: RunStats, usual: Sequence[RunStats], now: datetime, place: str) -> Finding | None:
    if stats.found or stats.failed or stats.limited:
        return None
    if stats.windowed:
        return _silence(stats, usual, now)
    if not stats.pages or stats.unchanged:
        return None  # "not changed since" (304) is an answer
    before = [run.found for run in usual if run.pages]
    if not before or _zeros_are_usual(before):
        return None
    mean = fmean(before)
    if not (mean >= SURE or (mean >= ENOUGH and len(before) >= ENOUGH)):
        return None
    looked = f": {place!r} finds nothing any more" if place else ""
    return Finding(
        "nothing",
        f"it shows nothing, and used to show about {median(before):.0f} a run in each of its last "
        f"{len(before)} runs{looked}. The page has changed, or it shows us another one than you see: "
        "compare it with your browser; `lowstar try` shows what is read from it",
        place=place,
    )


def _zeros_are_usual(before: Sequence[int]) -> bool:
    zeros = sum(count == 0 for count in before)
    return zeros > 0 and (len(before) < 50 or zeros / len(before) > 0.02)


def _silence(stats: RunStats, usual: Sequence[RunStats], now: datetime) -> Finding | None:
    """A window of time in which nobody spoke: believed unless it is as good as impossible."""
    runs, share = _comparable(usual, now)
    before = [run.found for run in runs]
    if not before or _zeros_are_usual(before):
        return None
    share *= _part_of_a_window(usual, now)
    if silence_odds(before, share) > RARE:
        return None
    return Finding(
        "nothing",
        f"nothing was found, where runs at this time of the week find about {fmean(before):.0f}: "
        "its search answers with nothing. Look for the same words on the site itself; if they are found "
        "there, it has changed or it is out of order",
    )


def silence_odds(before: Sequence[int], share: float = 1.0) -> float:
    """The chance that a run finds nothing by itself, after earlier ones that found `before`.

    Poisson with its mean unknown (Jeffreys' prior), made wider as far as the counts spread more than Poisson
    ones do: people talk in threads. `share` of the usual is expected.

    >>> silence_odds([0, 1, 0, 2]) > 0.1, silence_odds([40, 42, 38, 41]) < 1e-6
    (True, True)
    """
    runs = len(before)
    mean = fmean(before)
    spread = pvariance(before) / mean if mean else 1.0
    # Few runs cannot show how much they spread: then they are taken to spread more than they did.
    spread = max(1.0 + 4.0 / runs, spread)
    return math.exp((sum(before) * share / spread + 0.5) * math.log(runs / (runs + 1)))


def _comparable(usual: Sequence[RunStats], now: datetime) -> tuple[list[RunStats], float]:
    """Earlier runs at this time of the week, and what share of their finds may be expected now.

    Where there are too few of them: those of the same sort of day and time, then all, of which a small share
    is expected. A shop nobody writes about at weekends is not blind on its first Saturday.
    """

    def near(run: RunStats) -> bool:
        apart = abs((now - run.at).total_seconds()) % (24 * 3600)
        return min(apart, 24 * 3600 - apart) <= 3 * 3600

    at_this_hour = [run for run in usual if near(run)]
    same_day = [run for run in at_this_hour if run.at.weekday() == now.weekday()]
    if len(same_day) >= 4:
        return same_day, 1.0
    same_sort = [run for run in at_this_hour if (run.at.weekday() >= 5) == (now.weekday() >= 5)]
    if len(same_sort) >= ENOUGH:
        return same_sort, 1.0
    sort = [run for run in usual if (run.at.weekday() >= 5) == (now.weekday() >= 5)]
    if len(sort) >= ENOUGH:
        return sort, 0.3
    return list(usual), 0.1 if usual and not sort else 0.3


def _part_of_a_window(usual: Sequence[RunStats], now: datetime) -> float:
    """How long this run's window is beside the usual ones, at most 1: two runs in a minute find little."""
    times = sorted((run.at for run in usual), reverse=True)
    gaps = [(later - earlier) / timedelta(seconds=1) for later, earlier in pairwise(times)]
    if not gaps or (typical := median(gaps)) <= 0:
        return 1.0
    return max(0.0, min(1.0, (now - times[0]) / timedelta(seconds=1) / typical))


# --- a field that is gone ------------------------------------------------------------------------------


def _field_gone(
    stats: RunStats, usual: Sequence[RunStats], problems: Sequence[str], place_of: Callable[[str], str]
) -> Finding | None:
    if stats.mentions < ENOUGH:
        return None
    for name, word in FIELD_WORDS.items():
        had = stats.filled.get(name, 0)
        runs = [run for run in usual if run.mentions]
        before = sum(run.filled.get(name, 0) for run in runs)
        of = sum(run.mentions for run in runs)
        if before < ENOUGH_BEFORE:
            continue
        share = had / stats.mentions
        lowest = min(
            (run.filled.get(name, 0) / run.mentions for run in runs if run.mentions >= ENOUGH), default=1.0
        )
        least = _at_least(before, of)
        if share >= min(lowest, least / 4) or fewer_odds(had, stats.mentions, least) > FIELD_RARE:
            continue
        place = place_of(name)
        looked = f": {place!r} finds nothing any more" if place and not had else ""
        told = next((words for words in problems if f"({name})" in words), "") if not place else ""
        how_many = f"none of {stats.mentions}" if not had else f"only {had} of {stats.mentions}"
        what = "mentions has" if not had else "mentions have"
        article = "an" if word[0] in "aeiou" else "a" if word != "stars" and word != "text" else "any"
        return Finding(
            "field",
            f"{how_many} {what} {article} {word}, and {before / of:.0%} used to{looked}"
            f"{f' ({told})' if told else ''}. The site has changed how it shows that: "
            "`lowstar try` shows what is read; until it is mended, what came is judged without it",
            field=name,
            place=place,
        )
    return None


def _at_least(had: int, of: int) -> float:
    """The share that is surely reached where `had` of `of` did (Wilson's interval, two standard errors)."""
    share, z2 = had / of, 4.0
    middle = share + z2 / (2 * of)
    margin = 2.0 * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return max(0.0, (middle - margin) / (1 + z2 / of))


def fewer_odds(had: int, of: int, share: float) -> float:
    """The chance that at most `had` of `of` mentions have what `share` of all have (binomial).

    >>> round(fewer_odds(0, 3, 0.5), 3), fewer_odds(3, 3, 0.5)
    (0.125, 1.0)
    """
    if share >= 1.0:
        return 0.0 if had < of else 1.0
    if share <= 0.0:
        return 1.0
    log_share, log_rest = math.log(share), math.log1p(-share)
    # With logarithms: a run may hold ten thousand mentions.
    chance = sum(
        math.exp(
            math.lgamma(of + 1) - math.lgamma(k + 1) - math.lgamma(of - k + 1)
            + k * log_share + (of - k) * log_rest
        )
        for k in range(had + 1)
    )  # fmt: skip
    return min(1.0, chance)
