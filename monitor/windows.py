"""What do words say together? A small network over windows of words, its logit one part of the ranker's.

A weight a word cannot tell "the update broke it" from "the update is out, it broke records". Here each word is 32
numbers, each three words in a row are 64 findings, each three of these are 64 more, and of all windows the strongest
and the sum are weighed. What it knows was taught to it by a language model that nobody needs any more
(benchmarks/teach_windows.py, monitor/model/MODEL_CARD.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.numeric import numpy

if TYPE_CHECKING:
    from numpy.typing import NDArray

MODEL_FILE = Path(__file__).parent / "model" / "windows.npz"
WIDTH = 3  # words of a window
TOKENS_READ = 400  # of one text
SUM_POWER = 0.65  # the sum over n windows is divided by (n + 2)^0.65
FURTHEST = 6.0  # logits it was taught between


class Windows:
    """The shipped network. Building one reads its file and needs numpy (together some 150 ms, once a process)."""

    def __init__(self, path: Path = MODEL_FILE) -> None:
        self._np = np = numpy()  # here: who only lists cases or prints help needs none
        with np.load(path, allow_pickle=False) as file:
            held = {name: file[name] for name in file.files}
        words = held["words"].tobytes().decode().split("\n")
        self._index = {word: i + 1 for i, word in enumerate(words)}
        self._unknown = len(words) + 1
        # A product a text costs less than rows multiplied out beforehand: those would not fit the processor's cache.
        self._words = held["table"].astype(np.float32) * held["steps"].astype(np.float32)
        self._first = np.vstack(list(held["window_weights"].astype(np.float32)))
        self._first_bias = held["window_bias"].astype(np.float32)
        self._wider = np.vstack(list(held["wider_weights"].astype(np.float32)))
        self._wider_bias = held["wider_bias"].astype(np.float32)
        self._findings_count = len(self._wider_bias)
        straight = held["straight_weights"].astype(np.float32)
        self._last = np.vstack([held["hidden_weights"].astype(np.float32), straight])
        self._last_bias = np.append(held["hidden_bias"], held["out_bias"]).astype(np.float32)
        self._out = held["out_weights"].astype(np.float32)
        self._last_read: tuple[tuple[str, ...], tuple[Any, Any]] | None = None

    def logit(self, words: Sequence[str]) -> float:
        """How much `words`, in their order, read like a complaint: −6…6, 0 even odds; 0.0 for none."""
        if not words:
            return 0.0
        last = self._last @ self._read_once(words)[1] + self._last_bias
        hidden = last[:-1]
        logit = float(self._out @ self._np.maximum(hidden, 0, out=hidden)) + float(last[-1])
        return max(-FURTHEST, min(FURTHEST, logit))

    def parts(self, words: Sequence[str]) -> list[float]:
        """What the window around each word adds to the logit, in logits; the strongest finding is its window's."""
        if not words:
            return []
        np = self._np
        found, pooled = self._read_once(words)
        half = self._findings_count
        awake = (self._last @ pooled + self._last_bias)[:-1] > 0
        slope = self._last[-1] + (self._out * awake) @ self._last[:-1]
        each = found @ (slope[half:] * _share(len(found)))
        each += np.bincount(found.argmax(0), slope[:half] * pooled[:half], len(each))
        return list(each.tolist())

    def _read_once(self, words: Sequence[str]) -> tuple[Any, Any]:
        """Findings and what they come to, remembered for the last text: who is told the logit may ask for its parts."""
        last = self._last_read
        if last is not None and last[0] is words:
            return last[1]
        found = self._findings(words)
        read = (found, self._pooled(found))
        if isinstance(words, tuple):  # a list may be another one by the next time
            self._last_read = (words, read)
        return read

    def _findings(self, words: Sequence[str]) -> Any:
        """Words × findings, none below 0, of the window around each word; beyond the ends is nothing."""
        np, get, unknown = self._np, self._index.get, self._unknown
        words = words[:TOKENS_READ]
        room = np.zeros((len(words) + 2, self._words.shape[1]), np.float32)
        self._words.take([get(word, unknown) for word in words], 0, room[1:-1], "clip")
        near = self._windows(room) @ self._first
        near += self._first_bias
        room = np.zeros((len(words) + 2, self._findings_count), np.float32)
        found = np.maximum(near, 0, out=room[1:-1])
        wider = self._windows(room) @ self._wider
        wider += self._wider_bias
        np.maximum(wider, 0, out=wider)
        wider += found
        return wider

    def _windows(self, room: NDArray[Any]) -> Any:
        """Each row beside the one before it and the one after it; the first and the last row are the edges."""
        rows, width = room.shape
        step = room.itemsize
        # They overlap in memory, so they are the same bytes seen with other strides, and then a copy.
        shape, strides = (rows - WIDTH + 1, WIDTH * width), (width * step, step)
        return self._np.ndarray(shape, room.dtype, room, 0, strides).copy()

    def _pooled(self, found: NDArray[Any]) -> Any:
        """The strongest of each finding, and their sum over the text."""
        np = self._np
        return np.concatenate((np.maximum.reduce(found), np.add.reduce(found) * _share(len(found))))


def _share(count: int) -> float:
    """What one of so many windows counts in the sum."""
    return float((count + 2) ** -SUM_POWER)


@cache
def windows() -> Windows:
    """The one Windows of this process."""
    return Windows()
