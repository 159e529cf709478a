"""What would a partner who knows the customer and the shop add to this case?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from alerts.customers import NOBODY, Customer, Customers
from storage.context import QUIET, Earlier, PlaceWeek, Similar
from storage.records import CaseStatus, Reviewed, case_name
from storage.store import Ledger

EARLIER = 20  # of an author's mentions counted
SIMILAR = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What is known around a case. `lines` says it in words."""

    customer: Customer | None = None
    earlier: tuple[Earlier, ...] = ()  # of the same author on the same source, newest first
    similar: tuple[Similar, ...] = ()  # open cases of the same brand and topic, worst first
    place: PlaceWeek = QUIET

    @property
    def customer_line(self) -> str:
        """The one line a card shows of a customer, "" where nobody knows them."""
        return self.customer.line if self.customer else ""

    @property
    def lines(self) -> tuple[str, ...]:
        """What is worth knowing, a line each, the most telling first; none where nothing is."""
        said = (self.customer_line, _author(self.earlier), _place(self.place), _similar(self.similar))
        return tuple(line for line in said if line)


def context_for(ledger: Ledger, reviewed: Reviewed, now: datetime, customers: Customers = NOBODY) -> Context:
    """What is known around a case: three indexed statements, and a look into the customers' table."""
    case, mention = reviewed.case, reviewed.mention
    topics = reviewed.verdict.topics
    return Context(
        customer=customers.find(mention.source, mention.author),
        earlier=tuple(
            ledger.earlier_of(mention.source, mention.author, case.brand, but=case.mention_id, limit=EARLIER)
        ),
        similar=tuple(ledger.similar_open(case.brand, topics, but=case.number, limit=SIMILAR)),
        place=ledger.place_week(mention.entity, case.brand, now),
    )


def _author(earlier: tuple[Earlier, ...]) -> str:
    if not earlier:
        return ""
    count = f"{len(earlier)} or more" if len(earlier) >= EARLIER else str(len(earlier))
    cases = [one for one in earlier if one.number is not None]
    said = f"Has written here before: {count} {'time' if count == '1' else 'times'}"
    if cases:
        shown = ", ".join(
            f"{case_name(one.number or 0)} ({one.status.value if one.status else ''})" for one in cases[:3]
        )
        said += f"; earlier cases: {shown}" + (f" and {len(cases) - 3} more" if len(cases) > 3 else "")
    else:
        stars = [one.stars for one in earlier if one.stars is not None]
        if stars:
            said += f", {sum(stars) / len(stars):.1f} of 5 stars on average"
    return said


def _place(place: PlaceWeek) -> str:
    if place.count < 2:  # this one alone says nothing of the place
        return ""
    said = f"This place, last 7 days: {place.count} mentions, {place.negative} negative"
    if place.stars is not None:
        said += f", {place.stars:.1f} of 5 stars"
        if place.stars_before is not None:
            said += f" (week before: {place.stars_before:.1f})"
    return said


def _similar(similar: tuple[Similar, ...]) -> str:
    if not similar:
        return ""
    count = f"{len(similar)} or more" if len(similar) >= SIMILAR else str(len(similar))
    names = ", ".join(
        case_name(one.number) + (" (taken)" if one.status is not CaseStatus.OPEN else "")
        for one in similar[:3]
    )
    return f"Open cases like this one: {count}: {names}" + (" …" if len(similar) > 3 else "")
