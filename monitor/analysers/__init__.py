"""Who else is asked how an author feels? An analyser named in lowstar.toml, beside lowstar's own.

    [analyser]
    call = "monitor.analysers.llm:analyser"

`call` names a function that is given the options of the table and answers an `Analyzer`: text in, Sentiment out.
What lowstar reads itself it may raise, never lower: of two readings the worse one counts, and stars count before
both, so a post that tells a model what to answer gains nothing. What lowstar cannot read is as the other reads
it. One that fails, is slow, or is not there, costs nobody anything but its own opinion: lowstar's reading stands,
and the run says so.
"""

from __future__ import annotations

import importlib
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from monitor.config_analyser import AnalyserPlan
from monitor.ranker import ranker
from monitor.sentiment import Analyzer, found_of
from storage.records import Label, Sentiment

log = logging.getLogger(__name__)

FAILURES_IN_ROW = 3  # then it is left alone for PAUSE: a dead endpoint must not hold up every mention
PAUSE = 300.0  # seconds
SPENT_MAX = (
    150.0  # seconds of PAUSE spent on asking: what is slower is asked about the rest later, or not at all
)
DOUBT = 0.5  # of the flag's probability: from here up to SURE lowstar's own reading is in doubt
SURE = 0.75  # probability of a complaint that needs no second opinion


class AnalyserError(Exception):
    """An analyser cannot be used; the words say why and what to do."""


def load(plan: AnalyserPlan) -> Analyzer:
    """The analyser that `plan` names, made with its options. Raises AnalyserError in words for a person."""
    module, _, name = plan.call.partition(":")
    try:
        make: Any = getattr(importlib.import_module(module), name)
    except ImportError as error:
        raise AnalyserError(f"analyser.call: {module} cannot be imported: {error}") from error
    except AttributeError:
        raise AnalyserError(f"analyser.call: {module} has no {name}") from None
    options: dict[str, Any] = dict(plan.options)
    if plan.key:
        options["key"] = plan.key
    try:
        made: Analyzer = make(**options)
    except AnalyserError:
        raise
    except TypeError as error:
        raise AnalyserError(f"analyser.options: {plan.call} does not take them: {error}") from error
    except Exception as error:
        raise AnalyserError(
            f"analyser: {plan.call} could not be made: {type(error).__name__}: {error}"
        ) from error
    if not callable(made):
        raise AnalyserError(
            f"analyser.call: {plan.call} answers {type(made).__name__}, no function of a text"
        )
    return made


class Second:
    """An analyser of somebody else's, asked where lowstar's own is in doubt; kept out while it fails."""

    def __init__(self, plan: AnalyserPlan, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.plan, self._clock = plan, clock
        self.trouble = ""  # why it was not heard the last time, "" while it works
        self._lock = threading.Lock()  # sources are ingested in threads of their own
        self._failed = 0
        self._again_at = 0.0
        self._window = self._spent = 0.0
        self._analyse: Analyzer | None = None
        with suppress(AnalyserError):
            self._ready()

    def beside(self, own: Analyzer) -> Analyzer:
        """`own`, and this one where it is to be asked; of two readings the worse."""

        def analyse(text: str) -> Sentiment:
            first = own(text)
            if not text.strip() or not is_asked(self.plan.ask, first):
                return first
            second = self.ask(text)
            return first if second is None else worse(first, second)

        return analyse

    def ask(self, text: str) -> Sentiment | None:
        """Its reading; None while it is not to be had."""
        began = self._clock()
        with self._lock:
            if began < self._again_at or not self._has_time(began):
                return None
        try:
            said = self._ready()(text)
            if not isinstance(said, Sentiment):
                raise TypeError(f"it answers {type(said).__name__}, no Sentiment")
        except Exception as error:  # anybody's code, any text: the door that turns both into "not heard"
            self._note(
                f"{type(error).__name__}: {error}" if not isinstance(error, AnalyserError) else str(error)
            )
            return None
        finally:
            with self._lock:
                self._spent += self._clock() - began
        with self._lock:
            self._failed, self.trouble = 0, ""
        return said

    def _has_time(self, now: float) -> bool:
        if now - self._window >= PAUSE:
            self._window, self._spent = now, 0.0
        if self._spent < SPENT_MAX:
            return True
        self.trouble = (
            f"it is too slow: {self._spent:.0f} seconds of the last {PAUSE:.0f} went into asking it"
        )
        return False

    def _ready(self) -> Analyzer:
        if self._analyse is None:
            try:
                self._analyse = load(self.plan)
            except AnalyserError as error:
                self._failed = FAILURES_IN_ROW  # what is not installed will not be there a moment later
                self._note(str(error))
                raise
        return self._analyse

    def _note(self, words: str) -> None:
        with self._lock:
            self._failed += 1
            if not self.trouble:
                log.warning("the second analyser is not heard, lowstar's own reading stands: %s", words)
            self.trouble = words
            if self._failed >= FAILURES_IN_ROW:
                self._again_at = self._clock() + PAUSE


_second: Second | None = None


def second(plan: AnalyserPlan) -> Second | None:
    """The one Second of this process for `plan`; None where none is named. A model is loaded once, not each run."""
    global _second
    if not plan.call:
        return None
    if _second is None or _second.plan != plan:
        _second = Second(plan)
    return _second


def is_asked(ask: str, first: Sentiment) -> bool:
    """Is a second opinion wanted on what `first` says?

    >>> is_asked("unread", Sentiment(0.0, Label.UNREAD)), is_asked("unsure", Sentiment(-0.99, Label.NEGATIVE))
    (True, False)
    """
    if ask == "all" or first.label is Label.UNREAD:
        return True
    # A plain "neutral" is in doubt as well: it is what a missed complaint looks like.
    return ask == "unsure" and (
        first.label is Label.NEUTRAL or DOUBT * ranker().flag < found_of(first.compound) < SURE
    )


def worse(first: Sentiment, second: Sentiment) -> Sentiment:
    """The more negative of two readings; what one could not read the other may."""
    if second.label is Label.UNREAD:
        return first
    if first.label is Label.UNREAD:
        return second
    return second if second.compound < first.compound and second.label is Label.NEGATIVE else first
