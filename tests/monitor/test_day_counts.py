"""Does a digest made of kept days say what one says that reads every mention, whatever happened in between?"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from weekstore import BRAND, GLOBEX, WEEK, WeekStore, day, verdict, wanted, week_before

from monitor.day_counts import AT_ONCE, KEPT_FOR, keep_days
from monitor.digest import digest_of
from monitor.digest_days import (
    FORM,
    SHOWN,
    Listing,
    facts_of,
    kept_numbers,
    kept_posts,
    read_facts,
    read_numbers,
)
from monitor.digest_days import _merged as merged
from monitor.digest_html import html
from monitor.digest_rows import Wanted, gather
from monitor.digest_shape import Digest
from monitor.digest_text import markdown, plain_text
from monitor.weeks import Span, read_period
from storage.kept_days import DaysOf
from storage.records import DatePrecision, Label, Mention, Removal
from storage.store import Store, open_store
from storage.weeks import WeekRows

NOW = WEEK.end_at + timedelta(hours=9)
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Auckland", "UTC")


def _made(store: Store, asked: Wanted, shown: int | None, now: datetime = NOW) -> Digest:
    with store.reading() as ledger:
        return digest_of(gather(ledger, asked, now, shown=shown), ledger.week_posts)


def _keep(store: Store, zone: str, now: datetime = NOW) -> int:
    whole = 0
    while done := keep_days(store, ["Acme", "Globex"], zone, now):
        whole += done
    return whole


def _kept(store: Store, zone: str = WEEK.zone, brand: str = "Acme") -> set[str]:
    with store.reading() as ledger:
        found = ledger.kept_numbers(DaysOf(brand, zone, FORM), WEEK.first, WEEK.last)
    return {str(one) for one in found}


# -- whatever happens ----------------------------------------------------------------------------------------


class _Life:
    """A store to which things happen at random; the same ones for the same seed."""

    def __init__(self, store: Store, seed: int) -> None:
        self.dice = random.Random(seed)
        self.weeks = WeekStore(store)
        self.store = store
        self.ids: dict[int, tuple[str, str]] = {}  # of those that are still there, with brand and key

    def adds(self) -> None:
        dice = self.dice
        precision = dice.choice((DatePrecision.SECOND, DatePrecision.SECOND, DatePrecision.DAY))
        # The days around the edges of the weeks are the ones that can go wrong.
        at = WEEK.start_at + timedelta(
            hours=dice.choice((dice.uniform(-800, 190), dice.uniform(-15, 15), 167))
        )
        if precision is DatePrecision.DAY:
            at = datetime(at.year, at.month, at.day, tzinfo=UTC)
        brand, source = dice.choice(("Acme", "Acme", "Globex")), dice.choice(("shop", "forum", "mail"))
        identity = self.weeks.mention(
            at,
            dice.choice(("the parcel came late", "love the lid", "Initech is kind", "", "broken and rude")),
            dice.choice((None, None, 1.0, 2.0, 2.5, 3.0, 3.5, 4.5, 5.0)),
            brand=brand,
            source=source,
            # Sums of these are exact, in whatever order they are added.
            compound=dice.randrange(-16, 17) / 16,
            label=dice.choice((None, None, None, Label.UNREAD)),
            seen_at=at + timedelta(hours=dice.choice((1, 1, 200))),
            entity=dice.choice(("", "Berlin", "Paris", "Kathmandu")),
            date_precision=precision,
        )
        self.ids[identity] = brand, source

    def edits(self) -> None:
        """Another number of stars, another place: the mention is written and judged again."""
        self._judges_again(stars=self.dice.choice((None, 1.0, 5.0)), entity=self.dice.choice(("", "Rome")))

    def judges_again(self) -> None:
        self._judges_again()

    def loses_its_brand(self) -> None:
        with self.store.transaction() as ledger:
            ledger.write_verdicts([], of=[self._one()])

    def removes(self) -> None:
        identity = self._one()
        with self.store.transaction() as ledger:
            mention = ledger.mention(identity)
            assert mention is not None
            ledger.remove([Removal(*mention.key)], NOW)

    def purges(self) -> None:
        identity = self._one()
        with self.store.transaction() as ledger:
            assert ledger.purge([identity]) == 1
        del self.ids[identity]

    def dates_better(self) -> None:
        """A day becomes a moment: it may be another day."""
        identity = self._one()
        with self.store.transaction() as ledger:
            mention = ledger.mention(identity)
            assert mention is not None
            at = (mention.published_at or NOW) + timedelta(hours=self.dice.uniform(-30, 30))
            exact = replace(
                mention, published_at=at, date_precision=DatePrecision.SECOND, title=str(self.dice.random())
            )
            ledger.write_mentions([exact], NOW)
            brand = self.ids[identity][0]
            ledger.write_verdicts([(identity, exact, verdict(exact, brand, self.dice.randrange(-8, 9) / 16))])

    def _one(self) -> int:
        return self.dice.choice(sorted(self.ids))

    def _judges_again(self, **changes: object) -> None:
        identity = self._one()
        with self.store.transaction() as ledger:
            mention = ledger.mention(identity)
            assert mention is not None
            changed: Mention = replace(mention, **changes)  # type: ignore[arg-type]
            ledger.write_mentions([changed], NOW)
            brand = self.dice.choice(("Acme", "Globex"))
            compound = self.dice.randrange(-16, 17) / 16
            ledger.write_verdicts([(identity, changed, verdict(changed, brand, compound))])

    def goes_on(self) -> None:
        happens: tuple[Callable[[], None], ...] = (
            self.adds, self.adds, self.edits, self.judges_again, self.loses_its_brand, self.removes, self.purges,
            self.dates_better,
        )  # fmt: skip
        self.dice.choice(happens)()


@pytest.mark.parametrize("seed", range(10))
def test_a_digest_of_kept_days_says_what_one_of_every_mention_says(store: Store, seed: int) -> None:
    life = _Life(store, seed)
    zone = ZONES[seed % len(ZONES)]
    period = read_period(Span.WEEK, "2026-W47", zone)
    assert period is not None
    asked = wanted(period, replace(BRAND, rivals=("Globex", "Initech")), brands=(BRAND, GLOBEX))
    for _ in range(40):
        life.adds()
    for _ in range(4):
        # Sometimes all days are kept, sometimes those that nothing happened to since, sometimes none.
        if life.dice.random() < 0.7:
            _keep(store, zone)
        for _ in range(life.dice.randrange(6)):
            life.goes_on()
        now = NOW if life.dice.random() < 0.7 else WEEK.start_at + timedelta(hours=life.dice.uniform(1, 167))
        assert _made(store, asked, SHOWN, now) == _made(store, asked, None, now)


@pytest.mark.parametrize("week", ["2026-W13", "2026-W43"])  # Berlin: the clocks change on Sunday
def test_so_it_does_in_a_week_in_which_the_clocks_change(sqlite_store: Store, week: str) -> None:
    period = read_period(Span.WEEK, week, "Europe/Berlin")
    assert period is not None
    weeks = WeekStore(sqlite_store)
    at = period.start_at - timedelta(days=8)
    while at < period.end_at + timedelta(hours=3):
        weeks.mention(at, "late", 1.0 if at.hour % 2 else 5.0, compound=0.5)
        at += timedelta(minutes=55)
    now = period.end_at + timedelta(days=1)
    assert _keep(sqlite_store, period.zone, now) > 40
    asked = wanted(period)
    made = _made(sqlite_store, asked, SHOWN, now)
    assert made == _made(sqlite_store, asked, None, now)
    hours = 167 if week == "2026-W13" else 169
    assert made.mentions.now == pytest.approx(hours * 60 / 55, abs=1)


def test_of_many_posts_the_worst_are_shown_and_all_are_counted(sqlite_store: Store) -> None:
    weeks = WeekStore(sqlite_store)
    for number in range(SHOWN + 30):
        weeks.mention(
            day(number % 7, number % 20), "late" if number % 3 else "love", compound=number % 16 / 16 - 0.5
        )
    _keep(sqlite_store, WEEK.zone)
    some, whole = _made(sqlite_store, wanted(), SHOWN), _made(sqlite_store, wanted(), None)
    assert (len(some.mentions.posts), some.mentions.now, len(whole.mentions.posts)) == (
        SHOWN,
        SHOWN + 30,
        SHOWN + 30,
    )
    assert some.mentions.posts == whole.mentions.posts[:SHOWN]
    assert html(some) == html(whole)
    assert markdown(some) == markdown(whole)
    assert plain_text(some) == plain_text(whole)


# -- when a day is kept, and when it is kept no more ---------------------------------------------------------


@pytest.fixture
def kept(store: Store) -> WeekStore:
    """A week with a mention a day, each with both brands and with an earlier version, all days kept."""
    weeks = WeekStore(store)
    for number in range(7):
        weeks.mention(day(number), "late", 1.0)
    _keep(store, WEEK.zone)
    assert len(_kept(store)) == 7
    return weeks


@pytest.mark.parametrize("hour", [1, 12, 22])
def test_a_new_mention_throws_its_day_away_and_no_other(kept: WeekStore, hour: int) -> None:
    kept.mention(day(3, hour), "late", 2.0)
    assert {"2026-11-19"} == {str(one) for one in WEEK.days} - _kept(kept.store)


def test_a_mention_of_another_brand_throws_nothing_away(kept: WeekStore) -> None:
    kept.mention(day(3), "late", 2.0, brand="Globex")
    assert len(_kept(kept.store)) == 7
    assert len(_kept(kept.store, brand="Globex")) == 6


def test_so_does_whatever_changes_a_number(kept: WeekStore) -> None:
    store = kept.store
    kept.restar(1, 5.0, NOW)
    with store.transaction() as ledger:
        mention = ledger.mention(2)
        assert mention is not None
        ledger.remove([Removal(*mention.key)], NOW)
        ledger.purge([3])
        ledger.write_verdicts([], of=[4])
    assert _kept(store) == {"2026-11-20", "2026-11-21", "2026-11-22"}


def test_what_is_undone_throws_nothing_away(kept: WeekStore) -> None:
    def fails() -> None:
        with kept.store.transaction() as ledger:
            ledger.purge([1])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert len(_kept(kept.store)) == 7


def test_today_is_not_kept_nor_a_day_that_is_not_over_at_greenwich(sqlite_store: Store) -> None:
    keep_days(
        sqlite_store, ["Acme"], "Asia/Tokyo", WEEK.end_at
    )  # 8 o'clock on Monday in Tokyo, 23 on Sunday in UTC
    kept = _kept(sqlite_store, "Asia/Tokyo")
    assert "2026-11-21" in kept
    assert "2026-11-22" not in kept


def test_a_run_counts_a_few_days_the_latest_first(sqlite_store: Store) -> None:
    assert keep_days(sqlite_store, ["Acme", "Globex"], WEEK.zone, NOW) == 2 * AT_ONCE
    assert len(_kept(sqlite_store)) == 7


def test_days_are_forgotten_in_the_end(sqlite_store: Store) -> None:
    _keep(sqlite_store, WEEK.zone)
    keep_days(sqlite_store, [], WEEK.zone, NOW + KEPT_FOR)
    assert _kept(sqlite_store) == set()


def test_nobody_counts_a_day_while_somebody_writes(postgres_url: str) -> None:
    with open_store(postgres_url) as store, open_store(postgres_url) as other:
        weeks = WeekStore(store)
        weeks.mention(day(3), "late", 1.0)
        with other.transaction() as ledger:
            mention = ledger.mention(1)
            assert mention is not None
            ledger.write_verdicts([(1, mention, verdict(mention, "Acme", 0.5))])
            assert keep_days(store, ["Acme"], WEEK.zone, NOW) == 0
        assert keep_days(store, ["Acme"], WEEK.zone, NOW) == AT_ONCE
        assert _made(store, wanted(), SHOWN) == _made(store, wanted(), None)


def test_days_of_another_form_or_border_are_counted_anew(sqlite_store: Store) -> None:
    weeks = WeekStore(sqlite_store)
    weeks.mention(day(3), "fine", compound=-0.1)
    _keep(sqlite_store, WEEK.zone)
    assert _made(sqlite_store, wanted(), SHOWN).negative.now == 1
    assert _made(sqlite_store, wanted(negative=-0.2), SHOWN).negative.now == 0
    with sqlite_store.reading() as ledger:
        assert ledger.kept_numbers(DaysOf("Acme", WEEK.zone, FORM + 1), WEEK.first, WEEK.last) == {}


# -- the parts -----------------------------------------------------------------------------------------------


def test_a_day_is_read_as_it_was_written() -> None:
    rows = WeekRows(
        (7, 9, 8), (0, 0, 0), ("shop", "forum \u2028", "shop"), (1.0, None, 4.5), (-1, 0, 1), (-0.5, 0.0, 0.1),
        (0.9, 0.1, 0.1), (5, 0, 6), (2, 4, 1),
    )  # fmt: skip
    facts = facts_of(rows, {5: 'a "place"', 6: "Zürich"})
    read = read_facts(read_numbers(kept_numbers(facts)), kept_posts(facts))
    assert read == facts
    assert read.listing("all").ids == [7, 8, 9]
    assert (read.removed, read.unread, read.negatives, read.others) == (1, (9,), [], [9, 8])
    assert read.rated.total == 2


@pytest.mark.parametrize("seed", range(30))
def test_the_worst_of_several_days_are_the_worst_of_all(seed: int) -> None:
    dice = random.Random(seed)
    days = []
    for start in range(0, 7_000, 1_000):
        several = [
            (-dice.choice((dice.random(), 0.5)), start + number) for number in range(dice.randrange(1, 40))
        ]
        several.sort()
        days.append(
            Listing(
                len(several), [one[1] for one in several], [-one[0] for one in several], [0] * len(several)
            )
        )
    whole = merged(days, None)
    for shown in (1, 6, 7, 8, 20, 100, 1_000):
        some = merged(
            [Listing(d.total, d.ids[:shown], d.ranks[:shown], d.tones[:shown]) for d in days], shown
        )
        assert some == Listing(whole.total, whole.ids[:shown], whole.ranks[:shown], whole.tones[:shown])


def test_what_is_kept_is_not_read_again(sqlite_store: Store) -> None:
    weeks = WeekStore(sqlite_store)
    weeks.mention(day(2), "late", 1.0)
    for steps in range(1, 5):
        weeks.mention(week_before(steps), "late", 1.0)
    _keep(sqlite_store, WEEK.zone)
    with sqlite_store.transaction() as ledger:  # behind the ledger's back, so that no day is thrown away
        ledger._connection.exec_driver_sql("DELETE FROM verdicts")
    made = _made(sqlite_store, wanted(), SHOWN)
    assert (made.mentions.now, made.negative.posts, made.negative.usual) == (1, (1,), 1.0)
    assert _made(sqlite_store, wanted(), None).mentions.now is None
