"""What do words say together? A small network over windows of words, its logit one part of the ranker's.

A weight a word cannot tell "the update broke it" from "the update is out, it broke records". Here each word is 32
numbers, each three words in a row are 64 findings, each three of these are 64 more, and of all windows the strongest
and the sum are weighed. What it knows was taught to it by a language model that nobody needs any more
(benchmarks/teach_windows.py, monitor/model/MODEL_CARD.md). The first layer is multiplied out when the file is read: a
window of words is then three look-ups and two sums.
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
        table = held["table"].astype(np.float32) * held["steps"].astype(np.float32)
        first = held["window_weights"].astype(np.float32)  # place in a window × numbers × findings
        first_bias = (0.0, held["window_bias"].astype(np.float32), 0.0)
        # Word × what it adds to the window after it, its own, the window before it.
        self._words = np.hstack([table @ part + bias for part, bias in zip(first, first_bias, strict=True)])
        self._wider = np.hstack(list(held["wider_weights"].astype(np.float32)))
        self._wider_bias = held["wider_bias"].astype(np.float32)
        self._findings_count = len(self._wider_bias)
        straight = held["straight_weights"].astype(np.float32)
        self._last = np.vstack([held["hidden_weights"].astype(np.float32), straight])
        self._last_bias = np.append(held["hidden_bias"], held["out_bias"]).astype(np.float32)
        self._out = held["out_weights"].astype(np.float32)

    def logit(self, words: Sequence[str]) -> float:
        """How much `words`, in their order, read like a complaint: −6…6, 0 even odds; 0.0 for none."""
        if not words:
            return 0.0
        last = self._last @ self._pooled(self._findings(words)) + self._last_bias
        hidden = last[:-1]
        logit = float(self._out @ self._np.maximum(hidden, 0, out=hidden)) + float(last[-1])
        return max(-FURTHEST, min(FURTHEST, logit))

    def parts(self, words: Sequence[str]) -> list[float]:
        """What the window around each word adds to the logit, in logits; the strongest finding is its window's."""
        if not words:
            return []
        np = self._np
        found = self._findings(words)
        pooled = self._pooled(found)
        half = self._findings_count
        awake = (self._last @ pooled + self._last_bias)[:-1] > 0
        slope = self._last[-1] + (self._out * awake) @ self._last[:-1]
        each = found @ (slope[half:] * _share(len(found)))
        np.add.at(each, found.argmax(0), slope[:half] * pooled[:half])
        return [float(part) for part in each]

    def _findings(self, words: Sequence[str]) -> NDArray[Any]:
        """Words × findings, none below 0, of the window around each word; beyond the ends is nothing."""
        np = self._np
        get, unknown = self._index.get, self._unknown
        added = self._words.take([get(word, unknown) for word in words[:TOKENS_READ]], 0)
        found = self._beside(added)
        wider = found @ self._wider
        wider[:, self._findings_count : 2 * self._findings_count] += self._wider_bias
        return np.add(found, self._beside(wider), out=found)

    def _beside(self, added: NDArray[Any]) -> NDArray[Any]:
        """What a place gets of itself, of the one before and of the one after; none below 0."""
        count = self._findings_count
        found = added[:, count : 2 * count]
        found[1:] += added[:-1, :count]
        found[:-1] += added[1:, 2 * count :]
        return self._np.maximum(found, 0)

    def _pooled(self, found: NDArray[Any]) -> NDArray[Any]:
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
