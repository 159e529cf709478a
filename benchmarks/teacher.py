"""A language model that tells complaints from the rest: lowstar's teacher, which is not shipped.

all-mpnet-base-v2 (Apache-2.0), 110 million weights: its lower eight layers are kept, the upper four are tuned on the
posts of fit_ranker.py. That is done twice, with other posts in another order, and the mean of both is the teacher.
46,000 of the posts, most of them comments that were once marked with emotions, were read
again by a panel (a larger language model, one post after the other) that was asked for nothing but how negative each
is: ranker_labels.json. Needs torch and transformers, which lowstar does not.
"""

from __future__ import annotations

import os
import random
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

os.environ["HF_HUB_OFFLINE"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parent))

import fit_ranker
import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

KEPT_LAYERS = 8
WEIGHTS = dict.fromkeys(fit_ranker.NEWER, 1.0) | {
    "goemotions_train": 0.3, "vader_nyt": 0.5, "vader_movies": 0.7, "uci_imdb": 1.0, "fragments": 1.0, "stars": 1.5,
}  # fmt: skip
OTHERS = 2.0  # weight of all others
HEARD_WEIGHTS = {"goemotions_train": 1.5, "vader_nyt": 1.0}  # once the panel has read them
HEAD_RATE = 2e-3
BATCH, LONGEST_TUNED = 64, 160  # texts, word pieces
AT_ONCE = 32  # texts read side by side: more do not fit the processor's cache
FURTHEST = 6.0  # logits: beyond that a text is no more of a complaint
_LINK = re.compile(r"https?://\S+|www\.\S+")
_ACCOUNT = re.compile(r"@\w+")
Rows = dict[str, list[dict[str, Any]]]  # by source
Batches = list[tuple[list[int], Any, Any]]


class Stage(NamedTuple):
    """Lessons that are heard together: rows of a source where they are told, else shares of it."""

    rounds: int
    rate: float
    rows: dict[str, int]
    older: float  # of the sources that are neither newer nor left out
    left_out: float
    newer: float  # of a quarter of each (NEWER_BETWEEN): they are most of what is written for lowstar
    heard: bool  # the panel's labels count, and of the comments with emotions just those that it read


CHAINS = (
    (
        Stage(2, 8e-5, {"goemotions_train": 6000, "vader_movies": 4000, "vader_nyt": 1000}, 1, 0, 0, False),
        Stage(1, 5e-5, {"goemotions_train": 26_000, "vader_nyt": 2500, "uci_imdb": 996}, 0, 1, 1, True),
    ),
    (
        Stage(1, 8e-5, {"goemotions_train": 0, "vader_movies": 4000, "vader_nyt": 1500}, 1, 1, 1, False),
        Stage(
            1, 5e-5, {"goemotions_train": 32_000, "vader_movies": 1500, "vader_nyt": 3000}, 1 / 3, 1 / 3, 1 / 3, True
        ),
    ),
)  # fmt: skip
NEWER_BETWEEN = (250, 1500)  # rows: a quarter of a newer source is no less and no more than that


class Lesson(NamedTuple):
    """A text, how likely it is a complaint (0…1), and how much that counts."""

    text: str
    target: float
    weight: float


class Teacher(torch.nn.Module):
    """The upper layers, tuned, over the lower, which stay."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        whole = AutoModel.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
        self.tokens = AutoTokenizer.from_pretrained(folder)
        # In a list: they are not among the parameters.
        self.below = [whole.embeddings, whole.encoder, *whole.encoder.layer[:KEPT_LAYERS]]
        self.layers = torch.nn.ModuleList(whole.encoder.layer[KEPT_LAYERS:])
        self.head = torch.nn.Linear(whole.config.hidden_size, 1)

    def batches(self, texts: Sequence[str], size: int, longest: int) -> Batches:
        """(which texts, token ids, mask), texts of one length together."""
        ids = [self.tokens.encode(_plain(text), truncation=True, max_length=longest) for text in texts]
        return [
            (some, padded, (places < torch.tensor([len(ids[i]) for i in some])[:, None]).long())
            for some, padded in together(ids, size, nothing=self.tokens.pad_token_id)
            for places in (torch.arange(padded.shape[1])[None, :],)
        ]

    def lower(self, ids: Any, mask: Any) -> Any:
        """What the kept layers make of a batch."""
        embeddings, _, *layers = self.below
        with torch.no_grad():
            state = embeddings(input_ids=ids)
            return self._through(layers, state, mask)

    def forward(self, state: Any, mask: Any) -> Any:
        """One logit a text."""
        return self.head(self._mean(state, mask)).squeeze(-1)

    def read(self, texts: Sequence[str], longest: int, at_once: int = AT_ONCE) -> tuple[list[float], Any]:
        """The logit of each text, of which `longest` word pieces are read: −6…6; the states behind them, float16."""
        logits = np.zeros(len(texts))
        states = np.zeros((len(texts), self.head.in_features), np.float16)
        with torch.inference_mode():
            for some, ids, mask in self.batches(texts, at_once, longest):
                state = self._mean(self.lower(ids, mask), mask)
                logits[some], states[some] = self.head(state).squeeze(-1).numpy(), state.numpy()
        return np.clip(logits, -FURTHEST, FURTHEST).tolist(), states

    def vectors(self, words: Sequence[str]) -> Any:
        """Of each word the model's own vector, and beside it what the tuned model makes of it: float32, 2 × 768."""
        held = self.below[0].word_embeddings.weight.detach().float()
        unknown = [self.tokens.unk_token_id]
        pieces = [self.tokens.encode(word, add_special_tokens=False) or unknown for word in words]
        own = torch.stack([held[some].mean(0) for some in pieces]).numpy()
        read = np.zeros_like(own)
        with torch.inference_mode():
            for some, ids, mask in self.batches(words, 512, 16):
                read[some] = self._mean(self.lower(ids, mask), mask).numpy()
        return np.hstack([_even(own), _even(read)])

    def tune(self, lessons: list[Lesson], stage: Stage, rng: random.Random) -> None:
        """Some rounds over all lessons, with a rate that rises and falls; in half precision, which reads faster."""
        for part in self.below:
            part.to(torch.bfloat16)
        self.layers.float()  # they are in the encoder, which is among what is below
        _tune(self, lessons, stage, rng)
        self.layers.to(torch.bfloat16)
        self.eval()

    def _mean(self, state: Any, mask: Any) -> Any:
        state = self._through(self.layers, state, mask)
        seen = mask.unsqueeze(-1).float()
        return ((state * seen).sum(1) / seen.sum(1)).float()

    def _through(self, layers: Any, state: Any, mask: Any) -> Any:
        encoder = self.below[1]
        with torch.no_grad():
            near = encoder.compute_position_bias(state[:1])
        bias = ((1.0 - mask[:, None, None, :].float()) * -1e4 + near).to(state.dtype)
        for layer in layers:
            state = layer(state, bias)[0]
        return state


def together(
    ids: list[list[int]], size: int, rng: random.Random | None = None, nothing: int = 0
) -> Iterator[tuple[list[int], Any]]:
    """(which texts, their numbers, filled up with `nothing`), texts of one length together; shuffled with an `rng`."""
    order = sorted(range(len(ids)), key=lambda i: (len(ids[i]), i))
    groups = [order[at : at + size] for at in range(0, len(order), size)]
    if rng is not None:
        rng.shuffle(groups)
    for group in groups:
        width = max(1, max(len(ids[i]) for i in group))
        yield group, torch.tensor([ids[i] + [nothing] * (width - len(ids[i])) for i in group])


def taught(folder: str, rows: Rows) -> Teacher:
    """The language model in `folder`, tuned in two chains, and their mean. Fifty minutes on two cores."""
    ends = []
    for number, chain in enumerate(CHAINS, 1):
        torch.manual_seed(number)
        teacher = Teacher(folder)
        for at, stage in enumerate(chain):
            lessons = lessons_of(rows, stage, random.Random(10 * number + at))
            teacher.tune(lessons, stage, random.Random(number))
        ends.append({name: held.float().clone() for name, held in teacher.state_dict().items()})
    teacher.load_state_dict({name: (held + ends[1][name]) / 2 for name, held in ends[0].items()})
    return teacher


def lessons_of(rows: Rows, stage: Stage, rng: random.Random) -> list[Lesson]:
    """What is heard in a stage, shuffled."""
    found = []
    for name, held in rows.items():
        if name.startswith("reviews_"):
            continue  # whole reviews are put together from sentences that are here
        weight = (HEARD_WEIGHTS if stage.heard else {}).get(name, WEIGHTS.get(name, OTHERS))
        every = [
            Lesson(row["text"], fit_ranker.target_of(row, heard=stage.heard), weight)
            for row in held
            if "panel" in row or name != "goemotions_train" or not stage.heard
        ]
        found += rng.sample(every, min(len(every), _count(name, len(every), stage)))
    rng.shuffle(found)
    return found


def _count(name: str, count: int, stage: Stage) -> int:
    """How many rows of a source are heard."""
    if name in stage.rows:
        return stage.rows[name]
    if name in fit_ranker.NEWER:
        least, most = NEWER_BETWEEN
        return round(stage.newer * max(least, min(count / 4, most)))
    return round(count * (stage.left_out if name in fit_ranker.ALL_LEFT_OUT else stage.older))


def _even(rows: Any) -> Any:
    """Around their mean, of length 1 in the mean square."""
    rows = rows - rows.mean(0)
    return rows / np.sqrt((rows**2).sum(1).mean())


def _tune(teacher: Teacher, lessons: list[Lesson], stage: Stage, rng: random.Random) -> None:
    texts = [one.text for one in lessons]
    target = torch.tensor([one.target for one in lessons])
    weight = torch.tensor([one.weight for one in lessons])
    kept = [
        (some, teacher.lower(ids, mask), mask)
        for some, ids, mask in teacher.batches(texts, BATCH, LONGEST_TUNED)
    ]
    steps = stage.rounds * len(kept)
    print(f"{len(texts):,} texts, {steps:,} steps", flush=True)
    optimiser = torch.optim.AdamW(
        [
            {"params": teacher.layers.parameters(), "lr": stage.rate},
            {"params": teacher.head.parameters(), "lr": HEAD_RATE},
        ],
        weight_decay=0.01,
        fused=True,
    )
    rate = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / (steps * 0.06)) * max(0.0, 1 - step / steps)
    )
    teacher.train()
    for at in range(steps):
        if at % len(kept) == 0:
            rng.shuffle(kept)
        some, state, mask = kept[at % len(kept)]
        # Without the cache: it would keep the weights of the first step.
        with torch.autocast("cpu", dtype=torch.bfloat16, cache_enabled=False):
            logits = teacher(state.float(), mask).float()
        each = torch.nn.functional.binary_cross_entropy_with_logits(logits, target[some], reduction="none")
        loss = (each * weight[some]).sum() / weight[some].sum()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(teacher.parameters(), 1.0)
        optimiser.step()
        rate.step()
        if at % 200 == 0:
            print(f"step {at}: loss {loss.item():.3f}", flush=True)


def _plain(text: str) -> str:
    return _ACCOUNT.sub("@account", _LINK.sub("link", text))
