"""Who sends what was done in the dashboard, or what a webhook brought? A thread that delivers whenever there is news.

Beside `lowstar listen` or a run it does no harm: a delivery is claimed before it is sent, so it goes out once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from alerts.redact import redact
from monitor.config import Config
from storage.errors import StoreError
from storage.store import Store

log = logging.getLogger(__name__)

ROUND = timedelta(minutes=2)  # what is left then goes out with the next news, or the next run


class Courier:
    """Delivers in a thread of its own."""

    def __init__(self, config: Config, store: Store, clock: Callable[[], datetime]) -> None:
        self._config, self._store, self._clock = config, store, clock
        self._news = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="courier", daemon=True)

    def news(self) -> None:
        """There is something to deliver; may be called from any thread."""
        self._news.set()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, within: float = 6.0) -> None:
        """End; the message in hand is finished, what waits is kept for the next run."""
        self._stop.set()
        self._news.set()
        if self._thread.is_alive():
            self._thread.join(within)

    def _nap(self, seconds: float) -> None:
        self._stop.wait(seconds)

    def _work(self) -> None:
        from alerts.subscribers import tell_subscribers
        from monitor.roads import notifiers_for
        from monitor.runner import deliver

        roads = None
        while not self._stop.is_set():
            self._news.wait()
            self._news.clear()
            if self._stop.is_set():
                return
            roads = roads or notifiers_for(self._config)
            try:
                tell_subscribers(self._store, self._config.subscriptions, self._clock())
                deliver(
                    self._config,
                    self._store,
                    roads,
                    clock=self._clock,
                    sleep=self._nap,
                    stop=self._stop,
                    deadline=self._clock() + ROUND,
                )
            except StoreError as error:
                log.error("the store: %s", redact(str(error)))  # noqa: TRY400 - the sentence says it all
            except Exception:
                log.exception("the delivery failed; the next news tries again")
