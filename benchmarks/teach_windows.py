"""What do words say together? Makes monitor/model/windows.npz, which the ranker ships, in half an hour or more.

Run from the checkout: `python benchmarks/teach_windows.py FOLDER MODEL`, both as benchmarks/teach_ranker.py has them;
needs torch and transformers, which lowstar does not. A teacher, tuned on the posts of fit_ranker.py and on
ranker_reviews.txt, reads these posts and some 460,000 pieces of them, in which words were exchanged for others or the
second half was taken from another text that holds the same word; the network of monitor/windows.py learns to say what
the teacher said. Done twice, side by side: with all posts, for the file
that ships, and without the sources that fit_ranker.py leaves out, which says there how far windows are to be believed
(ranker_windows.json: what the second network makes of what neither it nor its teacher saw).

Random numbers and the order of sums are fixed, but processors round differently: elsewhere the bytes will differ.
"""

from __future__ import annotations

import json
import math
import os
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

os.environ["HF_HUB_OFFLINE"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parent))

import fit_ranker
import numpy as np
import teach_ranker
import torch
from safetensors.torch import load_file

from monitor.examination import examine
from monitor.ranker import words_of
from monitor.vader import vader
from monitor.windows import FURTHEST, MODEL_FILE, SUM_POWER, WIDTH

READINGS = fit_ranker.HERE / "ranker_windows.json"
ALSO = ("reviews",)  # written for lowstar, for the teacher alone: words by themselves learn nothing from them
NUMBERS, FINDINGS, HIDDEN = 32, 64, 24  # of a word, of a window, between windows and the logit
WORDS = 16_000
ROUNDS, RATE, BATCH = 4, 3e-3, 64
LABELLED_AT_ONCE, LONGEST, LONGEST_LEARNED = 128, 64, 80  # texts, word pieces, words
MOST_READ = {"goemotions_train": 20_000}  # rows: time
OF_PEOPLE = 2.0  # weight of a text that was written, beside one that was made of it
COPIES = {
    "goemotions_train": 1, "vader_movies": 1.2, "vader_nyt": 0.8, "vader_tweets": 4, "vader_amazon": 5, "uci_imdb": 2,
    "uci_yelp": 8, "uci_amazon": 8, "posts": 12, "chatter": 12, "harmless": 8, "hard": 8, "written": 12, "facts": 12,
    "reviews": 6, "long": 20,
}  # fmt: skip
_WORD = re.compile(r"[a-z][a-z']{2,19}")


class Made(NamedTuple):
    """A text made of a text, and where that stands."""

    text: str
    name: str
    row: int


class Network(torch.nn.Module):
    """monitor.windows.Windows, as it learns."""

    def __init__(self, start: Any) -> None:
        super().__init__()
        self.table = torch.nn.Embedding(len(start), NUMBERS, padding_idx=0)
        with torch.no_grad():
            self.table.weight.copy_(start)
        self.window = torch.nn.Linear(WIDTH * NUMBERS, FINDINGS)
        self.wider = torch.nn.Linear(WIDTH * FINDINGS, FINDINGS)
        self.hidden = torch.nn.Linear(2 * FINDINGS, HIDDEN)
        self.out = torch.nn.Linear(HIDDEN, 1)
        self.straight = torch.nn.Linear(2 * FINDINGS, 1, bias=False)

    def forward(self, ids: Any) -> Any:
        """One logit a text; 0 fills up."""
        there = (ids > 0).float()
        found = torch.relu(self.window(_beside(self.table(ids)))) * there[:, :, None]
        found = found + torch.relu(self.wider(_beside(found))) * there[:, :, None]
        count = there.sum(1, keepdim=True)
        pooled = torch.cat([found.max(1).values, found.sum(1) / (count + 2) ** SUM_POWER], 1)
        return (self.out(torch.relu(self.hidden(pooled))) + self.straight(pooled)).squeeze(1)


def _beside(rows: Any) -> Any:
    """Each row with the one before and the one after; beyond the ends is nothing."""
    wide = torch.nn.functional.pad(rows, (0, 0, 1, 1))
    return torch.cat([wide[:, k : k + rows.shape[1]] for k in range(WIDTH)], 2)


def made_of(texts: dict[str, list[str]], pool: Sequence[str]) -> list[Made]:
    """Pieces of the texts: some whole, most of 3 to 18 words; words exchanged for any others, or left out."""
    rng = random.Random(5)
    found = []
    for name, row, words in _drawn(texts, rng):
        if len(words) > 4 and rng.random() < 0.8:
            length = rng.randint(3, min(18, len(words)))
            start = rng.randint(0, len(words) - length)
            words = words[start : start + length]
        words = words[:24]
        way = rng.random()
        if way < 0.75 and words:
            for _ in range(rng.choice((1, 1, 2, 3))):
                words[rng.randrange(len(words))] = rng.choice(pool)
        if way > 0.5 and len(words) > 4:
            words = [word for word in words if rng.random() > 0.12] or words
        if rng.random() < 0.1:
            words = ["@brand", *words]
        found.append(Made(" ".join(words), name, row))
    return found


def crossed(texts: dict[str, list[str]]) -> list[Made]:
    """Some words of a text, and from a word on what follows it in another: as it might have been said."""
    rng = random.Random(7)
    places: dict[str, list[tuple[list[str], int]]] = {}
    for name in COPIES:
        for text in texts.get(name, []):
            words = text.split()
            for at, word in enumerate(words):
                places.setdefault(word.lower(), []).append((words, at))
    found = []
    for name, row, words in _drawn(texts, rng):
        if len(words) < 3:
            continue
        start = rng.randint(0, max(0, len(words) - 4))
        at = min(len(words) - 1, start + rng.randint(1, 9))
        while at > start and len(places[words[at].lower()]) == 1:
            at -= 1
        other, there = rng.choice(places[words[at].lower()])
        found.append(Made(" ".join(words[start:at] + other[there : there + rng.randint(2, 12)]), name, row))
    return found


def _drawn(texts: dict[str, list[str]], rng: random.Random) -> Iterator[tuple[str, int, list[str]]]:
    """Each text as often as COPIES has it, in words."""
    for name, copies in COPIES.items():
        for row, text in enumerate(texts.get(name, [])):
            for _ in range(int(copies) + (rng.random() < copies % 1)):
                yield name, row, text.split()


def pool_of(sets: fit_ranker.Sets, vocabulary: Sequence[str]) -> list[str]:
    """Words to exchange others for: of all posts, of the teacher, of VADER."""
    posts = (term for found in sets.values() for post in found for term in post.seen.terms)
    return sorted({word for word in (*posts, *vocabulary, *vader().lexicon) if _WORD.fullmatch(word)})


def batches(
    ids: list[list[int]], size: int, rng: random.Random | None = None
) -> Iterator[tuple[list[int], Any]]:
    """(which texts, their words), texts of one length together."""
    order = sorted(range(len(ids)), key=lambda i: (len(ids[i]), i))
    groups = [order[at : at + size] for at in range(0, len(order), size)]
    if rng is not None:
        rng.shuffle(groups)
    for group in groups:
        width = max(1, max(len(ids[i]) for i in group))
        yield group, torch.tensor([ids[i] + [0] * (width - len(ids[i])) for i in group])


def read_by(teacher: teach_ranker.Teacher, texts: list[str]) -> list[float]:
    """The teacher's logit of each text."""
    logits = np.zeros(len(texts))
    with torch.inference_mode():
        for some, ids, mask in teacher.batches(texts, LABELLED_AT_ONCE, LONGEST):
            logits[some] = teacher(teacher.lower(ids, mask), mask).float().numpy()
    return np.clip(logits, -FURTHEST, FURTHEST).tolist()


def first_table(teacher: teach_ranker.Teacher, model: str, words: list[str]) -> Any:
    """Where words start: the model's own vectors of their pieces, along the directions in which they differ most."""
    held = load_file(Path(model) / "model.safetensors")
    vectors = next(held[name] for name in sorted(held) if "word_embeddings" in name).float().numpy()
    ids = [teacher.tokens.encode(word, add_special_tokens=False) or [100] for word in words]
    own = np.stack([vectors[some].mean(0) for some in ids])
    own -= own.mean(0)
    _, _, directions = np.linalg.svd(own.T @ own)
    places = own @ directions[:NUMBERS].T
    places *= 0.3 / places.std(0)
    nothing = np.zeros((1, NUMBERS))
    return torch.tensor(np.vstack([nothing, places, nothing]), dtype=torch.float32)


def learn(network: Network, ids: list[list[int]], targets: list[float], weights: list[float]) -> None:
    """Some rounds over all texts, with a rate that rises and falls."""
    rng = random.Random(1)
    target, weight = torch.tensor(targets), torch.tensor(weights)
    steps = ROUNDS * math.ceil(len(ids) / BATCH)
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE)
    rate = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / 200) * max(0.02, 1 - step / steps)
    )
    for turn in range(ROUNDS):
        total = 0.0
        for some, words in batches(ids, BATCH, rng):
            each = torch.nn.functional.smooth_l1_loss(network(words), target[some], reduction="none")
            loss = (weight[some] * each).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            rate.step()
            total += loss.item() * len(some)
        print(f"round {turn + 1}: loss {total / len(ids):.3f}", flush=True)


def taught(
    folder: str, model: str, left_out: tuple[str, ...]
) -> tuple[list[str], dict[str, Any], dict[str, list[float]]]:
    """A network's words and weights, and its logits of the sources left out, by a teacher that saw neither."""
    torch.manual_seed(1)
    random.seed(1)
    torch.set_num_threads(1)
    fit_ranker.FILES = (*fit_ranker.FILES, *ALSO)
    rows = fit_ranker.rows_of(Path(folder))
    sets = {name: [fit_ranker.post(row) for row in found] for name, found in rows.items()}
    texts = {name: [row["text"] for row in found] for name, found in rows.items()}
    teacher = teach_ranker.Teacher(model)
    # Without the cache: it would keep the weights of the first step.
    with torch.autocast("cpu", dtype=torch.bfloat16, cache_enabled=False):
        teach_ranker.tune(teacher, *teach_ranker.lessons(rows, sets, left_out))
    for part in (*teacher.below, teacher.layers):
        part.to(torch.bfloat16)  # reads twice as fast, and says the same
    known_texts = {name: found for name, found in texts.items() if name not in left_out}
    made = made_of(known_texts, pool_of(sets, list(teacher.tokens.get_vocab()))) + crossed(known_texts)
    seen = {
        name: found[: MOST_READ.get(name, len(found))]
        for name, found in known_texts.items()
        if name != "fragments"
    }
    lines = [text for found in seen.values() for text in found]
    targets = read_by(teacher, lines + [one.text for one in made])
    weights = [OF_PEOPLE] * len(lines) + [1.0] * len(made)
    spoken = [words_of(examine(text))[:LONGEST_LEARNED] for text in lines + [one.text for one in made]]
    counts = Counter(word for words in spoken for word in dict.fromkeys(words))
    known = [word for word, _ in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:WORDS]]
    index = {word: i + 1 for i, word in enumerate(known)}
    unknown = len(known) + 1

    def ids_of(found: list[list[str]]) -> list[list[int]]:
        return [[index.get(word, unknown) for word in words] for words in found]

    network = Network(first_table(teacher, model, known))
    learn(network, ids_of(spoken), targets, weights)
    readings = {}
    with torch.inference_mode():
        for name in left_out:
            logits = np.zeros(len(texts[name]))
            for some, words in batches(ids_of([words_of(examine(text)) for text in texts[name]]), 256):
                logits[some] = network(words).clamp(-FURTHEST, FURTHEST).numpy()
            readings[name] = logits.tolist()
    return known, {name: held.numpy() for name, held in network.state_dict().items()}, readings


def written(path: Path, known: list[str], held: dict[str, Any]) -> None:
    """The file that ships: a byte for each number of a word, in steps of its own; all else in half precision."""
    table = held["table.weight"]
    steps = np.maximum(np.abs(table).max(1, keepdims=True), 1e-6) / 127
    parts = held["window.weight"].reshape(FINDINGS, WIDTH, NUMBERS).transpose(1, 2, 0)
    wider = held["wider.weight"].reshape(FINDINGS, WIDTH, FINDINGS).transpose(1, 2, 0)
    arrays = {
        "words": np.frombuffer("\n".join(known).encode(), np.uint8),
        "table": np.round(table / steps).astype(np.int8),
        "steps": steps.astype(np.float16),
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
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)
    print(f"{path}: {len(known):,} words, {path.stat().st_size:,} bytes")


def main() -> None:
    """Teach twice, side by side; write the network and what the one without sources makes of them."""
    if len(sys.argv) != 3:
        sys.exit("usage: python benchmarks/teach_windows.py FOLDER MODEL")
    left_out = tuple(name for names in fit_ranker.LEFT_OUT.values() for name in names)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        whole = pool.submit(taught, sys.argv[1], sys.argv[2], ())
        partly = pool.submit(taught, sys.argv[1], sys.argv[2], left_out)
        readings = partly.result()[2]
        packed = {name: " ".join(str(round(100 * z)) for z in found) for name, found in readings.items()}
        READINGS.write_text(json.dumps(packed, indent=0) + "\n", "utf-8")
        known, held, _ = whole.result()
    written(MODEL_FILE, known, held)


if __name__ == "__main__":
    main()
