"""Who may write now? A lock on a file, given back by the kernel when its holder dies."""

from __future__ import annotations

import fcntl
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.errors import Busy


@contextmanager
def file_lock(path: Path, *, wait: float) -> Iterator[None]:
    """Hold the exclusive lock on `path` for the block; wait up to `wait` seconds, then raise `Busy`.

    Every call opens the file anew, so threads of one process exclude each other as processes do. The file is
    never deleted: a lock on a deleted file would exclude nobody.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _acquire(descriptor, path, wait)
        try:
            yield
        finally:
            # Unlocked by name, not only closed: a forked child may still have this descriptor open.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, wait: float) -> None:
    give_up = time.monotonic() + wait
    pause = 0.001
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= give_up:
                raise Busy(f"another process holds {path}") from error
            # Waiting for a signal has no timeout, so we ask again; uneven pauses keep waiters out of step.
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - no secret, a pause
            pause = min(pause * 1.5, 0.02)
        else:
            return
