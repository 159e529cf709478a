"""What would another configuration, or what was learned, have changed in what was said before?

Both sides judge the same stored mentions anew with what is shipped today, so that nothing else differs between them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.routing import Route, routes_for
from monitor.ingest import Desk, verdicts_on
from storage.records import Mention, Verdict
from storage.store import Store

BACK = timedelta(days=90)
MOST = 20_000  # mentions looked at


@dataclass(frozen=True, slots=True)
class Move:
    """One mention that would be treated otherwise."""

    mention_id: int
    mention: Mention
    brand: str
    before: Verdict | None  # None: it was about no brand
    after: Verdict | None
    told_before: tuple[str, ...]  # the channels it was told in
    told_after: tuple[str, ...]

    @property
    def step(self) -> int:
        """How many priorities it rises (falls)."""
        return _level(self.after) - _level(self.before)


@dataclass(frozen=True, slots=True)
class Replay:
    """All that would be otherwise, the gravest first."""

    looked_at: int
    added: tuple[Move, ...]  # alerts there were none of
    removed: tuple[Move, ...]
    moved: tuple[Move, ...]  # to other channels
    up: tuple[Move, ...]  # alerts before and after, with a higher (lower) priority
    down: tuple[Move, ...]

    @property
    def changes(self) -> int:
        """How many alerts are concerned."""
        return len(self.added) + len(self.removed) + len(self.moved) + len(self.up) + len(self.down)


def replay(
    store: Store, before: Desk, after: Desk, now: datetime, *, back: timedelta = BACK, most: int = MOST
) -> Replay:
    """What `after` would have made of the newest `most` mentions posted within `back`, against `before`."""
    with store.reading() as ledger:
        history = ledger.judged_since(now - back, most)
    moves = [move for identity, mention, _ in history for move in moves_of(identity, mention, before, after)]
    moves.sort(key=lambda move: -max(_rank(move.before), _rank(move.after)))
    both = [move for move in moves if move.told_before and move.told_after]
    same = [move for move in both if move.told_before == move.told_after]
    return Replay(
        looked_at=len(history),
        added=_where(moves, lambda move: bool(move.told_after) and not move.told_before),
        removed=_where(moves, lambda move: bool(move.told_before) and not move.told_after),
        moved=_where(both, lambda move: move.told_before != move.told_after),
        up=_where(same, lambda move: move.step > 0),
        down=_where(same, lambda move: move.step < 0),
    )


def moves_of(identity: int, mention: Mention, before: Desk, after: Desk) -> list[Move]:
    """What would be otherwise for one mention, a `Move` a brand."""
    was = {one.brand: one for one in verdicts_on(mention, before)}
    now = {one.brand: one for one in verdicts_on(mention, after)}
    found = []
    for brand in dict.fromkeys((*was, *now)):
        told_before = told(mention, was.get(brand), before.routes)
        told_after = told(mention, now.get(brand), after.routes)
        move = Move(identity, mention, brand, was.get(brand), now.get(brand), told_before, told_after)
        if told_before != told_after or (told_after and move.step):
            found.append(move)
    return found


def told(mention: Mention, verdict: Verdict | None, routes: Sequence[Route]) -> tuple[str, ...]:
    """The channels a verdict is told in."""
    if verdict is None:
        return ()
    return tuple(sorted({route.channel for route in routes_for(verdict, mention, routes)}))


def _where(moves: Iterable[Move], wanted: Callable[[Move], bool]) -> tuple[Move, ...]:
    return tuple(move for move in moves if wanted(move))


def _level(verdict: Verdict | None) -> int:
    return -1 if verdict is None else int(verdict.priority)


def _rank(verdict: Verdict | None) -> float:
    return -1.0 if verdict is None else verdict.rank
