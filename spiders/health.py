"""How did a crawl go, and why? One `Health` a crawl, told by everything that touches a page.

Quiet and broken never look the same: a crawl that was shut out, read nothing it understood or lost its
store ends as failed with the reason; one that worked and found nothing ends as empty, and says what it used
to find.
Told on the event loop only (it has no lock); a worker thread hands its results back first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from statistics import median

from storage.records import CrawlRun, DatePrecision, Mention, RunOutcome, RunStats, Tally, clean_line

PROBLEMS_KEPT = 20  # different ones; the rest is only counted
NOTES_KEPT = 3
WORDS_KEPT = 300  # characters of one
REASON_KEPT = 1_000  # characters of a run's reason: what one section of a card still shows in full


class Health:
    """Collects what happened in one crawl of one source; `outcome()` says what it amounts to."""

    def __init__(self) -> None:
        self.pages = 0  # answers that were read
        self.unchanged = 0  # answers that said "nothing new since" (304): no failure, nothing to read
        self.failed = 0  # pages or answers that could not be had or read
        self.found = 0  # mentions its pages held
        self.blind_pages = 0
        self.blind = ""  # why pages show nothing although they should; the first one's words
        self.statuses: dict[int, int] = {}
        self.gap = ""  # what says that something was missed between this run and the last
        self.mentions = 0  # that were handed on, once for each time a page showed them
        self.filled: Counter[str] = Counter()  # by field: how many of them had it
        self.tally = Tally()  # what the store did with what was found
        self.limits: list[str] = []  # what cut it short, in words
        self.notes: dict[str, None] = {}  # in order, each once
        self.fatal = ""  # what ended it: nothing it says about itself can be trusted but this
        self._off = ""
        self._problems: dict[str, int] = {}
        self._more_problems = 0

    def page(self, *, status: int = 200, found: int = 0) -> None:
        """An answer was read and held so many mentions."""
        self.pages += 1
        self.found += found
        self.status(status)

    def nothing_new(self) -> None:
        """An answer said that nothing changed since the last time."""
        self.unchanged += 1
        self.status(304)

    def status(self, code: int) -> None:
        """An answer came with this HTTP status."""
        self.statuses[code] = self.statuses.get(code, 0) + 1

    def failure(self, words: str, status: int | None = None) -> None:
        """A page or answer could not be had or read; `words` say which, why, and what to do."""
        self.failed += 1
        if status is not None:
            self.status(status)
        self.problem(words)

    def problem(self, words: str) -> None:
        """Part of a page could not be read, or something else went wrong that a person can act on."""
        words = clean_line(words, WORDS_KEPT)
        if not words:
            return
        if words in self._problems or len(self._problems) < PROBLEMS_KEPT:
            self._problems[words] = self._problems.get(words, 0) + 1
        else:
            self._more_problems += 1

    def note(self, words: str) -> None:
        """What was odd but could be read: shown beside the outcome, which stays what it is."""
        if len(self.notes) < NOTES_KEPT:
            self.notes.setdefault(clean_line(words, WORDS_KEPT), None)

    def saw_nothing(self, words: str) -> None:
        """A page shows nothing although it should: a login wall, a captcha, a changed layout."""
        self.blind_pages += 1
        self.blind = self.blind or clean_line(words, WORDS_KEPT)

    def missed(self, words: str) -> None:
        """Something lies between what this run read and what the last one did; `words` say what to do."""
        self.gap = self.gap or clean_line(words, WORDS_KEPT)
        self.problem(words)

    def saw(self, mention: Mention) -> None:
        """A mention was read: which of its fields it has is counted."""
        self.mentions += 1
        has = self.filled
        has["text"] += bool(mention.text or mention.title)
        has["stars"] += mention.stars is not None
        has["author"] += bool(mention.author)
        has["date"] += mention.date_precision is not DatePrecision.NONE
        has["id"] += not mention.external_id.startswith("fp:")

    def limit(self, words: str) -> None:
        """A limit or a deadline cut the crawl short; said once however often it is met."""
        words = clean_line(words, WORDS_KEPT)
        if words not in self.limits:
            self.limits.append(words)

    def broke(self, words: str) -> None:
        """What ends a crawl for good: its store refused, its spider fell over. The first one is kept."""
        self.fatal = self.fatal or clean_line(words, WORDS_KEPT)

    def stored(self, tally: Tally) -> None:
        """The store took a batch."""
        for words in tally.problems:
            self.problem(words)
        self.tally = self.tally + Tally(
            found=tally.found,
            new=tally.new,
            changed=tally.changed,
            unchanged=tally.unchanged,
            unmatched=tally.unmatched,
            removed=tally.removed,
            flagged=tally.flagged,
            recovered=tally.recovered,
        )

    def switched_off(self, words: str) -> None:
        """Its key is absent: it is not broken, it was never switched on. `words` say how to."""
        self._off = clean_line(words, WORDS_KEPT)

    @property
    def problems(self) -> tuple[str, ...]:
        """Every different problem in words, commonest first, with how often it came."""
        ranked = sorted(self._problems.items(), key=lambda pair: -pair[1])
        said = [words if times == 1 else f"{words} ({times} times)" for words, times in ranked]
        if self._more_problems:
            said.append(f"and {self._more_problems} more")
        return tuple(said)

    def stats(self, at: datetime, outcome: RunOutcome, *, windowed: bool) -> RunStats:
        """What this run met, for later ones to be compared with."""
        return RunStats(
            at=at,
            worked=outcome not in (RunOutcome.FAILED, RunOutcome.OFF),
            pages=self.pages,
            unchanged=self.unchanged,
            failed=self.failed,
            found=max(self.found, self.tally.found),
            new=self.tally.new,
            mentions=self.mentions,
            filled=dict(self.filled),
            statuses=dict(self.statuses),
            windowed=windowed,
            limited=bool(self.limits),
        )

    def outcome(self, history: Sequence[CrawlRun] = ()) -> tuple[RunOutcome, str]:
        """What the crawl amounts to, and the reason in words; `history` are earlier runs of the same source.

        Pure: asks nothing but what it was told.
        """
        problems = self.problems
        if self.fatal:
            return RunOutcome.FAILED, _joined([self.fatal, *problems])
        if self.blind and not self.found:
            return RunOutcome.FAILED, _joined([self.blind, *problems])
        if self._off:
            return RunOutcome.OFF, self._off
        if not self.pages and not self.unchanged and not self.found:
            return RunOutcome.FAILED, _joined([*problems, *self.limits]) or "not one page was read"
        if not self.found and self.pages and problems and self.failed == 0:
            return RunOutcome.FAILED, _joined([*problems, *self.limits])
        if self.failed or self.blind or self.limits or problems:
            return RunOutcome.PARTIAL, _joined(
                [*([self.blind] if self.blind else []), *self.limits, *problems]
            )
        if not self.found and not self.unchanged:
            return RunOutcome.EMPTY, self._empty(history)
        return RunOutcome.OK, _joined(list(self.notes))

    def _empty(self, history: Sequence[CrawlRun]) -> str:
        pages = "1 page" if self.pages == 1 else f"{self.pages} pages"
        # A run that failed says nothing about what there was to find.
        read = (RunOutcome.OK, RunOutcome.PARTIAL, RunOutcome.EMPTY)
        usual = [run.found for run in history if run.outcome in read]
        if usual and median(usual) >= 1:
            return (
                f"read {pages} and found nothing; it used to find about {median(usual):.0f} a run, "
                "which is too little to tell silence from blindness"
            )
        return f"read {pages} and found nothing"


def _joined(words: Sequence[str]) -> str:
    kept = dict.fromkeys(word for word in words if word)
    return clean_line("; ".join(kept), REASON_KEPT)
