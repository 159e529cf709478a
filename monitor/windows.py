"""What do words say together? A small network over windows of words, its logit one part of the ranker's.

A weight a word cannot tell "the update broke it" from "the update is out, it broke records". Here each word is 32
numbers, each three words in a row are 64 findings, each three of these are 64 more, and of all windows the strongest
and the sum are weighed. There are three such networks, which learned from other texts or in another order and err
elsewhere: the logit is their mean. What they know was taught to them by a language model that nobody needs any more
(benchmarks/teach_windows.py, monitor/model/MODEL_CARD.md). What they find may be weighed by itself as well
(`monitor.ranker`, `monitor.learning`): what people call a complaint is not in every shade what a model calls one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from hashlib import sha256
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
NETWORKS = 3
FINDINGS = 64  # of a window
FOUND = NETWORKS * FINDINGS  # the strongest of each in a text, by networks
ARRAYS = (
    "table", "steps", "window_weights", "window_bias", "wider_weights", "wider_bias",
    "hidden_weights", "hidden_bias", "out_weights", "straight_weights", "out_bias",
)  # fmt: skip


class Windows:
    """The shipped networks. Building one reads its file and needs numpy (together some 150 ms, once a process)."""

    def __init__(self, path: Path = MODEL_FILE) -> None:
        np = numpy()  # here: who only lists cases or prints help needs none
        with np.load(path, allow_pickle=False) as file:
            held = {name: file[name] for name in file.files}
        self._path = path
        words = held["words"].tobytes().decode().split("\n")
        self._index = {word: i + 1 for i, word in enumerate(words)}
        self._unknown = len(words) + 1
        self._networks = _Networks(held)
        self._last_read: tuple[tuple[str, ...], tuple[Any, Any]] | None = None

    @cached_property
    def name(self) -> str:
        """Of these networks: what was learned of their findings holds for no others."""
        return sha256(self._path.read_bytes()).hexdigest()[:16]

    def logit(self, words: Sequence[str]) -> float:
        """How much `words`, in their order, read like a complaint: −6…6, 0 even odds; 0.0 where there is no word."""
        if not _any_word(words):
            return 0.0
        _, pooled = self._read_once(words)
        return self._networks.logit(pooled)

    def parts(self, words: Sequence[str]) -> list[float]:
        """What the window around each word adds to the logit, in logits; the strongest finding is its window's."""
        if not _any_word(words):
            return [0.0] * len(words)
        return list(self._networks.parts(*self._read_once(words)).tolist())

    def findings(self, words: Sequence[str]) -> NDArray[Any] | None:
        """The strongest of each finding in `words`: FOUND numbers, none below 0; None where there is no word."""
        return self._networks.strongest(self._read_once(words)[1]) if _any_word(words) else None

    def shares(
        self, words: Sequence[str], weights: NDArray[Any], usual: NDArray[Any] | float = 0.0
    ) -> list[float]:
        """What the window around each word that is read adds to the sum of `findings` above `usual` times `weights`."""
        if not _any_word(words):
            return [0.0] * len(words)
        found, pooled = self._read_once(words)
        each = numpy().maximum(self._networks.strongest(pooled) - usual, 0) * weights
        return list(self._networks.shares(found, each).tolist())

    def _read_once(self, words: Sequence[str]) -> tuple[Any, Any]:
        """Findings and what they come to, remembered for the last text: who is told the logit may ask for its parts."""
        last = self._last_read
        if last is not None and last[0] is words:
            return last[1]
        get, unknown = self._index.get, self._unknown
        read = self._networks.read([get(word, unknown) for word in words[:TOKENS_READ]])
        if isinstance(words, tuple):  # a list may be another one by the next time
            self._last_read = (words, read)
        return read


def _any_word(tokens: Sequence[str]) -> bool:
    """Is one of them more than a sign? Of an emoji there is left but a comma, which would read as praise."""
    return any(token[:1].isalnum() for token in tokens)


class _Networks:
    """The networks of the file, side by side: their number is the first dimension of all that is computed.

    So each step is asked for once, not once a network: for a short text the asking takes longer than the sums.
    """

    def __init__(self, held: Mapping[str, NDArray[Any]]) -> None:
        self._np = np = numpy()

        def all_of(name: str) -> Any:
            return np.stack([held[f"{name}_{number}"] for number in range(NETWORKS)]).astype(np.float32)

        # A product a text costs less than rows multiplied out beforehand: those would not fit the processor's cache.
        self._words = np.stack(
            [unpacked(held[f"table_{number}"], held[f"steps_{number}"]) for number in range(NETWORKS)], 1
        )
        # The places of a window and the numbers of a word are one dimension to a product.
        self._first = all_of("window_weights").reshape(NETWORKS, -1, FINDINGS)
        self._first_bias = all_of("window_bias")[:, None]
        self._wider = all_of("wider_weights").reshape(NETWORKS, -1, FINDINGS)
        self._wider_bias = all_of("wider_bias")[:, None]
        self._last = np.concatenate([all_of("hidden_weights"), all_of("straight_weights")[:, None]], 1)
        self._last_bias = np.concatenate([all_of("hidden_bias"), all_of("out_bias")[:, None]], 1)
        self._out = all_of("out_weights")

    def read(self, places: list[int]) -> tuple[Any, Any]:
        """Findings of each window and what they come to, of words by their places in the table."""
        found = self._findings(places)
        return found, self._pooled(found)

    def logit(self, pooled: NDArray[Any]) -> float:
        """The mean of the networks: −6…6."""
        last = self._last_of(pooled)
        hidden = self._np.maximum(last[:, :-1], 0)
        each = ((self._out * hidden).sum(1) + last[:, -1]).tolist()
        return float(sum([max(-FURTHEST, min(FURTHEST, logit)) for logit in each])) / NETWORKS

    def strongest(self, pooled: NDArray[Any]) -> Any:
        """FOUND numbers: of each network the first half of what its findings come to."""
        return pooled[:, :FINDINGS].reshape(-1)

    def parts(self, found: NDArray[Any], pooled: NDArray[Any]) -> Any:
        """What each window adds to the logit."""
        np = self._np
        half, count = FINDINGS, found.shape[1]
        awake = self._last_of(pooled)[:, :-1] > 0
        slope = self._last[:, -1] + np.matmul((self._out * awake)[:, None], self._last[:, :-1])[:, 0]
        each = np.matmul(found, (slope[:, half:] * _share(count))[:, :, None]).sum((0, 2))
        return (each + self.shares(found, (slope[:, :half] * pooled[:, :half]).ravel())) / NETWORKS

    def shares(self, found: NDArray[Any], each: NDArray[Any]) -> Any:
        """What each of FOUND strongest findings comes to, at the window where it was found."""
        return self._np.bincount(found.argmax(1).ravel(), each, found.shape[1])

    def _last_of(self, pooled: NDArray[Any]) -> Any:
        """Networks × (what is hidden …, the straight way)."""
        return self._np.matmul(self._last, pooled[:, :, None])[:, :, 0] + self._last_bias

    def _findings(self, places: list[int]) -> Any:
        """Networks × words × findings, none below 0, of the window around each word; beyond the ends is nothing."""
        np = self._np
        room = np.zeros((NETWORKS, len(places) + 2, self._words.shape[2]), np.float32)
        room[:, 1:-1] = self._words.take(places, 0, mode="clip").transpose(1, 0, 2)
        near = np.matmul(self._windows(room), self._first)
        near += self._first_bias
        room = np.zeros((NETWORKS, len(places) + 2, FINDINGS), np.float32)
        found = np.maximum(near, 0, out=room[:, 1:-1])
        wider = np.matmul(self._windows(room), self._wider)
        wider += self._wider_bias
        np.maximum(wider, 0, out=wider)
        wider += found
        return wider

    def _windows(self, room: NDArray[Any]) -> Any:
        """Each row beside the one before it and the one after it; the first and the last row are the edges."""
        networks, rows, width = room.shape
        step = room.itemsize
        # They overlap in memory, so they are the same bytes seen with other strides, and then a copy.
        shape = (networks, rows - WIDTH + 1, WIDTH * width)
        strides = (rows * width * step, width * step, step)
        return self._np.ndarray(shape, room.dtype, room, 0, strides).copy()

    def _pooled(self, found: NDArray[Any]) -> Any:
        """Networks × (the strongest of each finding …, their sum over the text …)."""
        np = self._np
        return np.concatenate(
            (np.maximum.reduce(found, 1), np.add.reduce(found, 1) * _share(found.shape[1])), 1
        )


def unpacked(table: NDArray[Any], steps: NDArray[Any]) -> NDArray[Any]:
    """Words × numbers of a network in the file: there two numbers a byte, each −7…7 in steps of the word's own."""
    np = numpy()
    halves = np.stack([table >> 4, table & 15], 2).reshape(len(table), -1)
    numbers: NDArray[Any] = (halves.astype(np.float32) - 8) * steps.astype(np.float32)
    return numbers


def _share(count: int) -> float:
    """What one of so many windows counts in the sum."""
    return float((count + 2) ** -SUM_POWER)


@cache
def windows() -> Windows:
    """The one Windows of this process."""
    return Windows()
