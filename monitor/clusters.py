"""Who said this before? Copies found and noted while a batch is taken in, and campaigns named.

Only what may be alerted is looked at: the negative, and what a person must see. See `monitor.duplicates`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from alerts.cases import Judged
from alerts.copies import copies_line
from monitor.duplicates import Copy, campaign, is_cut, same_numbers, same_words, sketch, words_of
from monitor.triage import REASONS_KEPT
from storage.records import Case, Label, Priority
from storage.sketches import Said
from storage.store import Ledger


def find_copies(ledger: Ledger, judged: Sequence[Judged]) -> tuple[list[Judged], dict[int, int]]:
    """The batch with campaigns among its reasons, and which of its mentions says what which other said first."""
    texts = {one.mention_id: one.mention.judged_text for one in judged if _worth(one)}
    words = {identity: words_of(text) for identity, text in texts.items()}
    sketches = {identity: sketch(several) for identity, several in words.items()}
    # An edited mention may have been something once, and be no complaint any more.
    gone = {one.mention_id: () for one in judged if not one.new and one.mention_id not in sketches}
    new = {one.mention_id for one in judged if one.new}
    ledger.write_sketches({**gone, **sketches}, new)
    firsts: dict[int, int] = {}
    for identity in sorted(sketches):
        for twin in ledger.alike(sketches[identity], before=identity):
            cut = is_cut(texts[identity]) or is_cut(twin.text)
            if same_words(words[identity], words_of(twin.text), cut=cut) and same_numbers(
                texts[identity], twin.text
            ):
                firsts[identity] = firsts.get(twin.mention_id, twin.first_id)
                break
    ledger.note_copies({identity: firsts.get(identity) for identity in {**gone, **sketches}}, new)
    if not firsts:
        return list(judged), {}
    said = ledger.said_alike(firsts.values())
    named = {identity: _campaign(said.get(first, [])) for identity, first in firsts.items()}
    return [_with_reason(one, named.get(one.mention_id, "")) for one in judged], firsts


def _worth(one: Judged) -> bool:
    return one.verdict.priority >= Priority.NORMAL or one.verdict.sentiment.label is Label.NEGATIVE


def _with_reason(one: Judged, reason: str) -> Judged:
    if not reason:
        return one
    kept = (*one.verdict.reasons[: REASONS_KEPT - 1], reason)
    return replace(one, verdict=replace(one.verdict, reasons=kept))


def _campaign(several: Sequence[Said]) -> str:
    return campaign([Copy(one.author, one.source, one.posted_at) for one in several if not one.removed])


def more_like(ledger: Ledger, case: Case) -> str:
    """What the card of `case` says of the copies folded behind it; "" where there are none."""
    numbers = ledger.held_under(case.number)
    if not numbers:
        return ""
    first = ledger.first_of(case.mention_id)
    return copies_line(numbers, _campaign(ledger.said_alike([first]).get(first, [])))
