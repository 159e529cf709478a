"""How is a crawl told to end? One brake a spider, looked at by whatever waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from scrapy.exceptions import IgnoreRequest


class Brake:
    """Says "stop" to whatever waits, on the event loop or in a thread of its own.

    Pulled when a deadline has passed or the process is asked to end: what was gathered is still stored.
    """

    def __init__(self) -> None:
        self._pulled = threading.Event()
        self._calls: dict[object, Callable[[], object]] = {}

    @property
    def pulled(self) -> bool:
        """True once waiting is over. May be asked from any thread."""
        return self._pulled.is_set()

    def pull(self) -> None:
        """Wake everyone. Call on the event loop."""
        self._pulled.set()
        for call in list(self._calls.values()):
            call()

    def on_pull(self, call: Callable[[], object]) -> Callable[[], object]:
        """Have `call` called when the brake is pulled; the answer takes that back."""
        key = object()
        self._calls[key] = call
        return lambda: self._calls.pop(key, None)

    async def wait(self, seconds: float) -> bool:
        """Wait on the event loop, at most so long; True means stop."""
        if not self.pulled:
            woken = asyncio.Event()
            release = self.on_pull(woken.set)
            try:
                await asyncio.wait_for(woken.wait(), seconds)
            except TimeoutError:
                pass
            finally:
                release()
        return self.pulled

    def wait_in_thread(self, seconds: float) -> bool:
        """Wait in a worker thread, at most so long; True means stop."""
        return self._pulled.wait(seconds)


class CrawlEnded(IgnoreRequest):
    """The crawl had to end before the answer came: no fault of the page, and no failure."""
