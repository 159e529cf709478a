"""Learning as people use it: fit, show what would change, adopt, undo, and labels of what nobody was alerted to."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from monitor.config import Config
from monitor.learned_rules import Likeness, Rule
from monitor.learning import Lesson, examples_of, learn
from monitor.replay import Move, Replay, replay
from monitor.runner import desk_for, offset_in_force
from storage.learned import Model
from storage.records import Mention
from storage.store import Store

LABELS = {
    "negative": True,
    "neg": True,
    "yes": True,
    "not negative": False,
    "pos": False,
    "neu": False,
    "no": False,
}


@dataclass(frozen=True, slots=True)
class Taught:
    """A lesson and what it would have changed."""

    lesson: Lesson
    history: Replay
    version: int | None  # under which it is kept; None: it was not worth keeping


def teach(store: Store, config: Config, now: datetime, *, keep: bool = True) -> Taught:
    """Learn from all the team has said, judge history anew, and keep the version (not in force yet)."""
    with store.reading() as ledger:
        taught = [*ledger.taught_by_labels(), *ledger.taught_by_cases()]
    lesson = learn(examples_of(taught), least=config.learning.least, audit=config.learning.audit)
    desk = desk_for(config)
    standing = replace(desk, offset=offset_in_force(store))
    history = replay(store, standing, replace(desk, offset=lesson.offset), now, back=config.learning.back)
    version = None
    if keep and lesson.held is not None:
        with store.transaction() as ledger:
            version = ledger.save_model(lesson.terms, lesson.found, report_of(lesson, history), now)
    return Taught(lesson, history, version)


def report_of(lesson: Lesson, history: Replay) -> dict[str, Any]:
    """What is kept beside a version, so that it can be read later what it was and why it was adopted."""
    held = lesson.held
    return {
        "held": None
        if held is None
        else {
            "examples": held.examples,
            "bad": held.bad,
            "audit": held.audit,
            "precision": [round(held.precision_before, 4), round(held.precision_after, 4)],
            "loss": [round(held.loss_before, 4), round(held.loss_after, 4)],
            "folds": [held.folds_better, held.folds],
        },
        "history": {
            "looked_at": history.looked_at,
            "added": len(history.added),
            "removed": len(history.removed),
            "up": len(history.up),
            "down": len(history.down),
        },
        "why_not": lesson.why_not,
        "rules": [str(rule) for rule in lesson.rules],
    }


def adopt(store: Store, version: int, now: datetime) -> bool:
    """Put a version into force: what is read from now on is judged with it."""
    with store.transaction() as ledger:
        return ledger.adopt_model(version, now)


def undo(store: Store, now: datetime) -> tuple[Model, Model | None] | None:
    """Take what is in force out of force; answers it and what is in force now. None: nothing was."""
    with store.transaction() as ledger:
        undone = ledger.undo_model(now)
        return None if undone is None else (undone, ledger.model_in_force())


# -- the audit sample -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sample:
    """A mention nobody was alerted to, to be labelled."""

    mention_id: int
    brand: str
    mention: Mention


def audit_sample(store: Store, since: datetime, count: int, seed: int = 16) -> list[Sample]:
    """Mentions nobody was alerted to, drawn evenly from all of them: what was missed shows only there."""
    with store.reading() as ledger:
        pool = ledger.not_alerted(since)
        drawn = random.Random(seed + len(pool)).sample(pool, min(count, len(pool)))  # noqa: S311 - no secret
        return [
            Sample(identity, brand, mention)
            for identity, brand in drawn
            if (mention := ledger.mention(identity)) is not None
        ]


def read_labels(lines: Iterable[str]) -> tuple[list[tuple[int, str, bool]], list[str]]:
    """Labels from JSON lines with "id", "brand" and "negative" (true, false, or a word); and what was wrong."""
    rows: list[tuple[int, str, bool]] = []
    problems: list[str] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
            identity, brand, said = int(fields["id"]), str(fields["brand"]), fields["negative"]
            if said is None:
                continue  # a sample nobody filled in
            negative = said if isinstance(said, bool) else LABELS[str(said).strip().lower()]
        except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
            problems.append(f'line {number}: allowed: {{"id": 7, "brand": "…", "negative": true or false}}')
            continue
        if not 0 < identity < 2**63:
            problems.append(f"line {number}: there is no mention {identity}")
            continue
        rows.append((identity, brand, negative))
    return rows, problems


# -- in words ---------------------------------------------------------------------------------------------


def lesson_lines(lesson: Lesson) -> list[str]:
    """What was measured, a line each."""
    held = lesson.held
    if held is None:
        return [f"Learned nothing that counts: {lesson.why_not}."]
    audited = f"{held.audit} of them of posts nobody was alerted to"
    return [
        f"Learned from {held.examples} posts, {held.bad} of which needed someone ({audited}).",
        f"On posts it was not taught (each fifth in turn): average precision {held.precision_before:.3f} → "
        f"{held.precision_after:.3f}, log loss {held.loss_before:.3f} → {held.loss_after:.3f}; "
        f"better in {held.folds_better} of {held.folds} parts.",
        *([f"Not to be adopted: {lesson.why_not}."] if lesson.why_not else []),
    ]


def rule_lines(rules: Sequence[Rule | Likeness | str]) -> list[str]:
    """The rules, a line each."""
    return [f"  {rule}" for rule in rules]


def replay_lines(history: Replay, titles: Mapping[str, str], *, shown: int = 20) -> list[str]:
    """What would be otherwise, counted and listed, the gravest first."""
    up, down = len(history.added) + len(history.up), len(history.removed) + len(history.down)
    lines = [
        f"Of {history.looked_at:,} stored posts it would have moved {up} up and {down} down: "
        f"{len(history.added)} alerts more, {len(history.removed)} fewer"
        + (f", {len(history.moved)} in another channel" if history.moved else "")
        + ("." if not up + down else "; here they are:")
    ]
    for name, moves in (
        ("new alert", history.added),
        ("no alert", history.removed),
        ("other channel", history.moved),
        ("higher", history.up),
        ("lower", history.down),
    ):
        lines += [f"  {name:<13} {_move(move, titles)}" for move in moves[:shown]]
        if len(moves) > shown:
            lines.append(f"  {name:<13} … and {len(moves) - shown} more")
    return lines


def _move(move: Move, titles: Mapping[str, str]) -> str:
    words = [one.priority.word if one is not None else "not about it" for one in (move.before, move.after)]
    where = titles.get(move.mention.source, move.mention.source)
    stars = f" {move.mention.stars:.0f}★" if move.mention.stars is not None else ""
    text = " ".join(move.mention.judged_text.split())[:90]
    return f"{words[0]} → {words[1]}  {where}{stars}  {text}"
