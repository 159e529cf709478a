"""Six fixed stores, each with one kind of week in it; nothing random, so that a digest of them can be golden."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from weekstore import BRAND, GLOBEX, WEEK, WeekStore, day, wanted, week_before

from monitor.digest_rows import Wanted
from monitor.match import Brand
from monitor.topics import Topic
from monitor.weeks import Span, read_period
from storage.records import DatePrecision, Label, RunOutcome
from storage.store import Store

PRAISE = (
    "Priya at the Leeds store stayed after closing to fix my order. Wonderful, kind people.",
    "Best return I have ever had. Two clicks, money back the next day.",
    "Love the new kettle, perfect for a small kitchen.",
    "Great shop, I loved the helpful advice about filters.",
    "The best coffee grinder I have owned, and a kind hand written card.",
)
PLAIN = ("Ordered from Acme again.", "Acme has a shop in Leeds now.", "Anyone tried the Acme kettle?")
LATE = (
    "The delivery was two weeks late.",
    "Late delivery again, and nobody told me.",
    "My parcel came late. Acme never answered.",
)
OTHER_PAIN = (
    "Refund refused although the box was broken.",
    "The kettle leaks and the shop refused to help.",
    "Rude staff at the counter.",
)
BOT = (
    "Stuck in a chat bot loop, terrible.",
    "The chat bot loop is the worst.",
    "Chat bot loop for an hour, terrible service.",
    "Terrible: a chat bot loop and no human.",
)


@dataclass(frozen=True, slots=True)
class Scene:
    """A kind of week: how its store is filled and which digest is asked for."""

    name: str
    fill: Callable[[Store], None]
    asked: Wanted


def _background(weeks: WeekStore, steps: range = range(4, 0, -1)) -> None:
    """Earlier weeks: five friendly reviews, three posts, four complaints each."""
    for step in steps:
        weeks.runs(week_before(step, 0, 1), week_before(step - 1, 0, 0), every=24)
        for at, text in enumerate(PRAISE):
            weeks.mention(week_before(step, at), text, 5 - at % 2, entity="Leeds" if at % 2 else "Kettle")
        for at, text in enumerate(PLAIN):
            weeks.mention(week_before(step, at + 1, 9), text, source="forum", compound=0.0)
        weeks.mention(week_before(step, 3, 8), LATE[step % 3], 2, entity="Kettle")
        weeks.mention(week_before(step, 4, 8), OTHER_PAIN[0], 1, entity="Kettle")
        weeks.mention(week_before(step, 5, 8), OTHER_PAIN[step % 3], 2, entity="Leeds")
        mine = weeks.mention(week_before(step, 6, 8), OTHER_PAIN[2], 1, entity="Leeds")
        weeks.case(mine, week_before(step, 6, 9), answered=timedelta(minutes=40), closed=timedelta(hours=3))


def ordinary(store: Store) -> None:
    weeks = WeekStore(store)
    _background(weeks)
    weeks.runs(day(0, 1), day(6, 23), every=6)
    weeks.runs(day(0, 2), day(4, 23), source="forum", every=6)  # blind from Saturday on
    for at, text in enumerate(PRAISE):
        weeks.mention(day(at), text, 5 - at % 2, entity="Leeds" if at % 2 else "Kettle")
    weeks.mention(day(5), "Good, but the lid leaks. Delivery was late.", 4, entity="Kettle")
    for at, text in enumerate(PLAIN):
        weeks.mention(day(at + 1, 9), text, source="forum", compound=0.0)
    weeks.mention(day(2, 10), "Ξέρει κανείς;", source="forum", compound=0.0, label=Label.UNREAD)
    late = [weeks.mention(day(at, 8), text, 2, entity="Kettle") for at, text in enumerate(LATE)]
    bots = [weeks.mention(day(at, 15), text, 1, entity="Leeds") for at, text in enumerate(BOT)]
    weeks.mention(day(4, 8), OTHER_PAIN[0], 1, entity="Kettle")
    numbers = [
        weeks.case(one, day(at, 9), answered=timedelta(minutes=20 + at)) for at, one in enumerate(late)
    ]
    slow = weeks.case(bots[0], day(1), answered=timedelta(hours=6), owner="bob")
    still = weeks.case(bots[1], day(3), owner="alice")
    weeks.restar(late[0], 4, day(3))
    weeks.restar(late[1], 1, day(4))
    weeks.promise(numbers[0], day(4), day(3))
    weeks.promise(numbers[1], day(2), day(3))
    weeks.promise(still, day(5))
    weeks.correction(slow, day(5), "more_urgent")
    weeks.correction(numbers[2], day(5), "not_negative")


def empty(store: Store) -> None:
    """Sources were read all week, and nobody said anything."""
    weeks = WeekStore(store)
    _background(weeks)
    weeks.runs(day(0, 1), day(6, 23), every=6)


def first(store: Store) -> None:
    """The very first week: nothing is known of any earlier one."""
    weeks = WeekStore(store)
    weeks.runs(day(2, 10), day(6, 23), every=6)
    for at, text in enumerate((*PRAISE[:3], LATE[0], OTHER_PAIN[1])):
        weeks.mention(day(at, 11), text, (5, 5, 4, 2, 1)[at])


def storm(store: Store) -> None:
    """Sixty people are charged twice on one evening."""
    weeks = WeekStore(store)
    _background(weeks)
    weeks.runs(day(0, 1), day(6, 23), every=6)
    for at in range(60):
        text = f"Card charged twice by Acme, terrible. Bank statement shows it, case {at}."
        mine = weeks.mention(
            day(3, 18) + timedelta(minutes=2 * at), text, 1 if at % 3 else None, source="forum"
        )
        if at % 2:
            within = timedelta(hours=1 + at % 7)
            weeks.case(mine, day(3, 19) + timedelta(minutes=2 * at), answered=within)
    for at, text in enumerate(PRAISE[:3]):
        weeks.mention(day(at), text, 5)


DST_WEEK = read_period(Span.WEEK, "2026-W43", "Europe/Berlin")  # the clocks go back on its Sunday
assert DST_WEEK is not None


def clocks(store: Store) -> None:
    """The week of 169 hours: a mention in its last hour, one just after it, one in each of the two hours after 2."""
    weeks = WeekStore(store)
    start, end = DST_WEEK.start_at, DST_WEEK.end_at
    weeks.runs(start, end, every=6)
    hour = timedelta(hours=1)
    weeks.mention(start, "First second of Monday, great.", 5)
    weeks.mention(start - timedelta(seconds=1), "Last second of Sunday before, late.", 2)
    weeks.mention(end - 22 * hour - timedelta(minutes=30), "Half past two, the first time. Broken.", 1)
    weeks.mention(end - 21 * hour - timedelta(minutes=30), "Half past two, the second time. Broken.", 1)
    weeks.mention(end - timedelta(minutes=30), "Last half hour of Sunday, love it.", 5)
    weeks.mention(end, "First second of the week after, rude.", 1)
    weeks.mention(end + timedelta(minutes=59), "Sunday by its own words, late.", 2)
    sunday = (end - hour).replace(hour=0, minute=0)
    weeks.mention(sunday, "On Sunday, no time given. Perfect.", 4, date_precision=DatePrecision.DAY)
    monday = sunday + timedelta(days=1)
    weeks.mention(monday, "On Monday, no time given. Rude.", 2, date_precision=DatePrecision.DAY)


def rivals(store: Store) -> None:
    """Everybody speaks of Globex; Initech is not listened for and named in three posts."""
    weeks = WeekStore(store)
    _background(weeks)
    weeks.runs(day(0, 1), day(6, 23), every=6)
    weeks.run(day(2, 3), "forum", RunOutcome.FAILED, "403 from the site")
    for at in range(12):
        weeks.mention(day(at % 7), f"Globex is great, number {at}.", 5 if at % 2 else None, brand="Globex")
    for at in range(4):
        weeks.mention(week_before(1, at), "Globex again, late.", 2, brand="Globex")
    weeks.mention(day(1), "Acme is late, Initech was not.", 2)
    weeks.mention(day(2), "Left Acme for Initech: great.", source="forum")
    weeks.mention(day(3), "Initech or Acme? Love both.", source="forum")
    for at, text in enumerate(PRAISE[:2]):
        weeks.mention(day(at), text, 5)


TOPICS = (
    Topic(name="lids", terms=("lid", "lids")),
    Topic(name="not ours", terms=("delivery",), brands=("Globex",)),
)
SOURCES = {"shop": timedelta(hours=6), "forum": timedelta(hours=6)}
SCENES = (
    Scene("ordinary", ordinary, wanted(every=SOURCES, topics=TOPICS)),
    Scene("empty", empty, wanted()),
    Scene("first", first, wanted(brand=Brand(name="Acme", terms=("Acme",)))),
    Scene("storm", storm, wanted()),
    Scene("clocks", clocks, wanted(DST_WEEK, Brand(name="Acme", terms=("Acme",)))),
    Scene("rivals", rivals, wanted(brands=(BRAND, GLOBEX), every=SOURCES)),
)

__all__ = ["DST_WEEK", "SCENES", "WEEK", "Scene"]
