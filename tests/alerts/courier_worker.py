"""A process that starts couriers to be killed: it imports once and forks one for every line it reads.

    courier_worker.py STORE_URL BASE_URL    then on stdin: {"seed": 1, "crash": "after_post", "nth": 3}

It answers two lines: the courier's pid, and how it ended.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from alerts.blocks import message_for
from alerts.outbox import deliver_due
from alerts.slack import SlackNotifier
from storage.records import Delivery, Reviewed
from storage.store import open_store

TIMEOUT = 0.3  # seconds; what Slack is given to answer
RECONCILE_AFTER = timedelta(seconds=1.5)  # longer than any request can take here, on a busy machine too


def clock() -> datetime:
    return datetime.now(UTC)


def deliver(store_url: str, base_url: str, crash: str, nth: int) -> int:
    """Deliver everything; die by SIGKILL when `crash` is passed for the nth time. How many are left."""
    passed = 0

    def crash_point(point: str) -> None:
        nonlocal passed
        if point == crash:
            passed += 1
            if passed == nth:
                os.kill(os.getpid(), signal.SIGKILL)

    def render(delivery: Delivery, reviewed: Reviewed | None) -> object:
        return message_for(delivery, reviewed, titles={}, now=clock())

    with open_store(store_url) as store:
        report = deliver_due(
            store,
            {"slack": SlackNotifier("xoxb-demo", base_url=base_url, timeout=TIMEOUT)},
            render=render,  # type: ignore[arg-type]
            clock=clock,
            sleep=time.sleep,
            pace=timedelta(milliseconds=2),
            reconcile_after=RECONCILE_AFTER,
            edit_gap=timedelta(milliseconds=50),
            crash_point=crash_point,
        )
    return report.waiting + report.uncertain + report.parked + report.failed


def main() -> None:
    import logging

    logging.disable(logging.CRITICAL)
    store_url, base_url = sys.argv[1:3]
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            try:
                left = deliver(store_url, base_url, order.get("crash", ""), order.get("nth", 1))
            except BaseException:
                import traceback

                traceback.print_exc()
                os._exit(2)
            os._exit(1 if left else 0)
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
