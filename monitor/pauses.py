"""When is a source that keeps failing tried again? Later each time, up to a day; then once, and on as usual.

A circuit breaker that needs no state of its own: how often a source failed in a row stands in its runs. The
next try after a pause is an ordinary run; the first that does not fail ends the pauses.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from monitor.config import Source

PATIENCE = 3  # failed runs before the first pause: a site may be out of order for an hour or two
LONGEST = timedelta(days=1)


def pause(source: Source, failures: int) -> timedelta:
    """How long after a run's start the next one may start, after so many failures in a row.

    >>> hourly = Source(name="shop", kind="reviews")
    >>> [str(pause(hourly, failures)) for failures in (0, 2, 3, 4, 5, 9)]
    ['1:00:00', '1:00:00', '2:00:00', '4:00:00', '8:00:00', '1 day, 0:00:00']
    """
    if failures < PATIENCE:
        return source.every
    longer: timedelta = source.every * 2.0 ** min(failures - PATIENCE + 1, 20)
    return max(source.every, min(longer, LONGEST))


def next_by(source: Source, last_at: datetime, failures: int) -> datetime:
    """When `source` is due again, last begun at `last_at`."""
    return last_at + pause(source, failures)


def pause_words(source: Source, last_at: datetime, failures: int, now: datetime) -> str:
    """What to say of a source that is being left alone, "" where it is not."""
    at = next_by(source, last_at, failures)
    if failures < PATIENCE or at <= now:
        return ""
    return (
        f"it failed {failures} times in a row, so it is left alone until {at:%Y-%m-%d %H:%M} UTC; "
        f'"lowstar run {source.name}" tries it now'
    )
