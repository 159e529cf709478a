"""Has every flagged post been announced, or does somebody know why not?

    flagged = delivered + queued + folded + held (+ called off, when there was nothing left to say)

Counted over all cases that are open or were opened in the last weeks, by where the alert of each stands.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from storage.records import case_name
from storage.store import Ledger

LOOKED_BACK = timedelta(days=35)
NAMED = 5  # cases named of each kind that is wrong

HELD = ("quiet", "parked", "uncertain", "refused")
WRONG: Mapping[str, str] = {
    "missing": "have no alert at all",
    "lost": "are open, but their alert was called off",
    "stranded": "are held by a storm that is over",
    "no road": "wait for a notifier that is not set up (any more)",
}


@dataclass(frozen=True, slots=True)
class Audit:
    """Where the alerts of all flagged posts stand."""

    flagged: int
    sums: Mapping[str, int] = field(default_factory=dict)  # by `storage.audits.STANDS`
    named: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # cases of each kind that is wrong

    def count(self, *stands: str) -> int:
        """How many alerts stand so."""
        return sum(self.sums.get(one, 0) for one in stands)

    @property
    def accounted(self) -> int:
        """How many are delivered, on their way, held by somebody's will, or had nothing left to say."""
        return self.count("delivered", "queued", "folded", *HELD, "ended")

    @property
    def problems(self) -> tuple[str, ...]:
        """What does not add up, a line each, with what it concerns; empty when all is proved."""
        lines = []
        for stands, words in WRONG.items():
            if count := self.count(stands):
                some = ", ".join(case_name(number) for number in self.named.get(stands, ()))
                lines.append(f"{count} flagged posts {words}" + (f": {some}" if some else ""))
        if (adrift := self.flagged - self.accounted - self.count(*WRONG)) != 0:
            lines.append(
                f"{abs(adrift)} flagged posts are {'missing in' if adrift > 0 else 'too many in'} the count"
            )
        return tuple(lines)

    @property
    def ok(self) -> bool:
        """True when every flagged post is accounted for."""
        return not self.problems

    @property
    def words(self) -> str:
        """The sum, as `lowstar status` prints it.

        >>> Audit(7, {"delivered": 4, "folded": 2, "quiet": 1}).words
        '7 flagged = 4 delivered + 0 queued + 2 folded + 1 held (1 quiet)'
        """
        held = [f"{self.sums[one]} {one}" for one in HELD if self.sums.get(one)]
        said = (
            f"{self.flagged} flagged = {self.count('delivered')} delivered + {self.count('queued')} queued"
            f" + {self.count('folded')} folded + {self.count(*HELD)} held"
        )
        said += f" ({', '.join(held)})" if held else ""
        ended, wrong = self.count("ended"), self.count(*WRONG)
        said += f" + {ended} called off" if ended else ""
        return said + (f" + {wrong} UNACCOUNTED" if wrong else "")


def audit(ledger: Ledger, now: datetime, roads: Collection[str]) -> Audit:
    """Count where the alert of every flagged post stands. `roads` names the notifiers that are set up."""
    since = now - LOOKED_BACK
    sums = ledger.audit_sums(now, since, roads)
    named = {
        stands: tuple(ledger.audit_names(stands, now, since, roads, NAMED))
        for stands in WRONG
        if sums.get(stands)
    }
    return Audit(ledger.flagged_count(since), sums, named)
