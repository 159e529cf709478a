"""Are the lists of the dashboard complete, in order, and read from their indexes?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from shelf import add_case, add_run
from sqlalchemy import Select, select
from sqlalchemy.dialects import sqlite

from storage import inbox, lists, search
from storage.cases import _REVIEWED as REVIEWED
from storage.inbox import Counted, SavedFilter, open_counts
from storage.inbox import _of_case as of_case
from storage.inbox import _pages as pages
from storage.lists import newest_places, rare_places
from storage.records import (
    Case,
    CaseStatus,
    Kind,
    Label,
    Mention,
    Priority,
    Reviewed,
    RunOutcome,
    Sentiment,
    Verdict,
)
from storage.search import of_holders, question
from storage.store import Store
from storage.tables import cases
from storage.wanted import NOBODY, Place, Wanted

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def all_pages(store: Store, wanted: Wanted, limit: int) -> list[Reviewed]:
    found: list[Reviewed] = []
    after = None
    with store.reading() as ledger:
        while page := ledger.inbox(wanted, NOW, limit=limit, after=after):
            found += page
            case = page[-1].case
            after = Place(case.number, int(case.priority), case.rank, case.closed_at)
    return found


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_pages_are_the_whole_list_whatever_their_size(store: Store, limit: int) -> None:
    for at in range(9):
        add_case(store, NOW, f"case {at}", priority=Priority(1 + at % 3))
    with store.reading() as ledger:
        whole = ledger.cases_worst_first()
    assert [one.case.number for one in all_pages(store, Wanted(), limit)] == [
        one.case.number for one in whole
    ]
    newest = [one.case.number for one in all_pages(store, Wanted(status="all"), limit)]
    assert newest == sorted(newest, reverse=True)
    assert len(newest) == 9


def test_closed_cases_come_latest_closed_first(store: Store) -> None:
    for hours in (3, 1, 2, 1):
        add_case(store, NOW - hours * HOUR, "x", status=CaseStatus.RESOLVED)
    add_case(store, NOW, "open")
    for limit in (1, 50):
        found = all_pages(store, Wanted(status="closed"), limit)
        assert [one.case.number for one in found] == [4, 2, 3, 1]


def test_cases_are_narrowed_by_all_there_is(store: Store) -> None:
    add_case(store, NOW, "They lost my parcel", stars=1.4, language="en")
    add_case(store, NOW, "Rude", brand="Kaffa", stars=2, source="forum", status=CaseStatus.CLAIMED)
    add_case(store, NOW - timedelta(days=2), "late", stars=None)
    with store.transaction() as ledger:
        while ledger.index_words():
            pass

    def numbers(**narrow: Any) -> list[int]:
        with store.reading() as ledger:
            return [one.case.number for one in ledger.inbox(Wanted(**narrow), NOW)]

    assert numbers(brand="Kaffa") == numbers(source="forum") == numbers(status="claimed") == [2]
    assert numbers(stars=1) == numbers(language="en") == numbers(words=question("parcel")) == [1]
    assert numbers(stars=0) == numbers(status="late") == [3]
    assert numbers(owner=NOBODY) == numbers(topic="delivery") == [1, 2, 3]
    assert numbers(topic='deliv"') == numbers(topic="%") == numbers(owner="anna") == []


def test_open_cases_are_counted_and_the_late_ones_apart(store: Store) -> None:
    add_case(store, NOW, "a")
    add_case(store, NOW - timedelta(days=2), "b")
    add_case(store, NOW, "c", status=CaseStatus.RESOLVED)
    with store.reading() as ledger:
        counted = ledger.open_counts(NOW)
    assert counted == [Counted("Acme", CaseStatus.OPEN, Priority.HIGH, "", 2, 1)]


def two_brands(store: Store, count: int) -> None:
    with store.transaction() as ledger:
        for at in range(count):
            mention = Mention(
                source="shop",
                external_id=str(at),
                kind=Kind.REVIEW,
                text=f"box {at}",
                stars=1.0,
                # Many at the same instant: a page must not lose what shares its last moment.
                published_at=NOW - HOUR * (at // 3),
            )
            written = ledger.write_mentions([mention], NOW)[mention.key]
            ledger.write_verdicts(
                [
                    (
                        written.id,
                        mention,
                        Verdict(brand, Sentiment(0.0, Label.NEUTRAL), Priority.LOW, 0.1, ()),
                    )
                    for brand in ("Acme", "Kaffa")
                ]
            )
        while ledger.index_words():
            pass


@pytest.mark.parametrize("limit", [2, 3, 50])
@pytest.mark.parametrize("wanted", [Wanted(), Wanted(brand="Acme"), Wanted(words=question("box"))])
def test_every_mention_stands_on_exactly_one_page(store: Store, wanted: Wanted, limit: int) -> None:
    two_brands(store, 8)
    found: list[tuple[int, str]] = []
    after = None
    with store.reading() as ledger:
        while True:
            page, after = ledger.newest_mentions(wanted, limit=limit, after=after)
            found += [(one.id, one.verdict.brand) for one in page]
            if after is None:
                break
    assert len(found) == len(set(found)) == (8 if wanted.brand else 16)


def test_all_mentions_are_read_in_the_order_they_were_seen(store: Store) -> None:
    two_brands(store, 7)
    with store.reading() as ledger:
        everything = [(one.id, one.verdict.brand) for one in ledger.all_judged(Wanted())]
        some = list(ledger.all_judged(Wanted(since=NOW - HOUR, brand="Kaffa")))
    assert everything == sorted(everything)
    assert len(everything) == 14
    assert len(some) == 6


def test_views_have_one_name_each(store: Store) -> None:
    with store.transaction() as ledger:
        ledger.save_filter(SavedFilter("Worst", "stars=1", "anna", NOW))
        ledger.save_filter(SavedFilter("Worst", "stars=2", "bert", NOW))
        assert [one.query for one in ledger.saved_filters()] == ["stars=2"]
        assert ledger.drop_filter("Worst")
        assert not ledger.drop_filter("Worst")


def test_the_marks_move_with_every_case_and_every_line_of_history(store: Store) -> None:
    with store.reading() as ledger:
        assert ledger.newest_marks() == (0, 0)
    add_case(store, NOW, "x")
    with store.reading() as ledger:
        assert ledger.newest_marks() == (1, 1)


def test_what_a_person_wrote_is_found_by_the_whole_name(store: Store) -> None:
    add_case(store, NOW, "a", author="Maya")
    add_case(store, NOW, "b", author="Maya R.")
    add_case(store, NOW, "c", author="Maya", source="forum")
    with store.reading() as ledger:
        assert len(ledger.written_by("Maya")) == 2
        assert [one.source for one in ledger.written_by(" Maya ", "forum")] == ["forum"]
        assert ledger.written_by("") == []


def test_old_mentions_go_with_all_that_hangs_on_them_unless_somebody_works_on_them(store: Store) -> None:
    add_case(store, NOW - timedelta(days=500), "old and closed", status=CaseStatus.RESOLVED)
    add_case(store, NOW - timedelta(days=500), "old and open")
    add_case(store, NOW, "new")
    add_run(store, NOW - timedelta(days=500), RunOutcome.OK)
    add_run(store, NOW)
    before = NOW - timedelta(days=400)
    with store.transaction() as ledger:
        while ledger.index_words():
            pass
        assert ledger.count_old_mentions(before) == 1
        ids = ledger.old_mentions(before)
        assert ledger.purge(ids) == 1
        assert ledger.purge_runs(before) == 1
        assert ledger.case(1) is None
        assert ledger.events(1) == []
        assert ledger.delivery("d1") is None
        assert ledger.case(2) is not None
        assert ledger.newest_mentions(Wanted(words=question("closed")))[0] == []
        assert ledger.old_mentions(before) == []


# -- plans ---------------------------------------------------------------------------------------------------


def plan(store: Store, statement: Select[Any]) -> str:
    compiled = statement.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    with store.reading() as ledger:
        rows = ledger._connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}")
        return "\n".join(row[3] for row in rows)


OPEN = [
    {"brand": "Acme"},
    {"source": "shop"},
    {"stars": 1},
    {"stars": 0},
    {"topic": "delivery"},
    {"language": "de"},
    {"owner": NOBODY},
    {"status": "open"},
    {"status": "late"},
    {"words": question("box")},
]
FILTERS = [
    {},
    *OPEN,
    *({**one, **other} for one, other in combinations(OPEN, 2) if not set(one) & set(other)),
]


def narrowed(store: Store, wanted: Wanted, after: Place | None, columns: Select[Any]) -> list[str]:
    """The plans of the statements a list of cases is read by, where the words turned out to be rare."""
    with store.reading() as ledger:
        conditions = of_case(wanted, NOW)
        if wanted.words:
            conditions.append(of_holders(ledger._connection, wanted.words, cases.c.mention_id))
    return [
        plan(store, statement.where(*conditions).limit(51)) for statement in pages(columns, wanted, after)
    ]


@pytest.fixture
def many_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no words have few holders."""
    monkeypatch.setattr(search, "_are_few", lambda *_: False)


@pytest.mark.usefixtures("many_hold")
@pytest.mark.parametrize("after", [None, Place(7, 2, 0.5)])
def test_whatever_the_inbox_is_narrowed_by_it_is_read_in_order_from_one_index_and_never_sorted(
    sqlite_store: Store, after: Place | None
) -> None:
    keys = select(cases.c.number, cases.c.mention_id)
    for filters in FILTERS:
        for said in narrowed(sqlite_store, Wanted(**filters), after, REVIEWED):
            assert "cases USING INDEX ix_cases_unanswered" in said.splitlines()[0], filters
            assert after is None or said.startswith("SEARCH"), filters
            assert "TEMP B-TREE" not in said, filters
            assert "SCAN mentions" not in said, filters
            assert "SCAN verdicts" not in said, filters
        # What decides whether a case is left out stands in the index: no row of it is fetched for that.
        for said in narrowed(sqlite_store, Wanted(**filters), after, keys):
            assert "cases USING COVERING INDEX ix_cases_unanswered" in said.splitlines()[0], filters


@pytest.mark.usefixtures("many_hold")
@pytest.mark.parametrize(
    ("status", "index"), [("closed", "ix_cases_closed_at"), ("all", "ix_cases_narrowed")]
)
@pytest.mark.parametrize("after", [None, Place(7, at=NOW)])
def test_the_other_lists_of_cases_are_read_from_their_indexes_too(
    sqlite_store: Store, status: str, index: str, after: Place | None
) -> None:
    keys = select(cases.c.number, cases.c.mention_id)
    for filters in FILTERS:
        wanted = Wanted(**{**filters, "status": status})
        for said in narrowed(sqlite_store, wanted, after, keys):
            assert f"cases USING COVERING INDEX {index}" in said.splitlines()[0] or "PRIMARY KEY" in said
            assert "TEMP B-TREE" not in said, said


def test_where_few_hold_the_words_each_leads_to_its_case(sqlite_store: Store) -> None:
    few = {"words": question("box")}
    for filters in (few, {**few, "brand": "Acme", "topic": "delivery"}, {**few, "status": "all"}):
        for said in narrowed(sqlite_store, Wanted(**filters), None, select(cases.c.number)):
            assert said.startswith("SEARCH cases")
            assert "INDEX sqlite_autoindex_cases_1 (mention_id=?)" in said.splitlines()[0], said


def test_open_cases_are_counted_from_an_index_alone(sqlite_store: Store) -> None:
    said = plan(sqlite_store, open_counts(NOW))
    assert "USING COVERING INDEX ix_cases_counted" in said


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (Wanted(), "COVERING INDEX ix_verdicts_newest"),
        (Wanted(source="shop", stars=1), "COVERING INDEX ix_verdicts_newest"),
        (Wanted(topic="delivery"), "COVERING INDEX ix_verdicts_newest"),
        (Wanted(label="unread", topic="delivery"), "COVERING INDEX ix_verdicts_newest"),
        (Wanted(brand="Acme", topic="delivery"), "COVERING INDEX ix_verdicts_newest"),
        (Wanted(language="fi"), "COVERING INDEX ix_verdicts_newest"),
        (Wanted(brand="Acme", stars=1), "COVERING INDEX ix_verdicts_newest"),
        (Wanted(brand="Acme"), "ix_verdicts_week"),
    ],
)
@pytest.mark.parametrize("after", [None, Place(7, at=NOW)])
@pytest.mark.parametrize("end", [None, Place(3, at=NOW - HOUR)])
def test_mentions_are_read_newest_first_and_never_sorted_as_a_whole(
    sqlite_store: Store, wanted: Wanted, index: str, after: Place | None, end: Place | None
) -> None:
    said = plan(sqlite_store, newest_places(wanted, after, end).limit(51))
    assert said.startswith("SEARCH verdicts")
    assert index in said.splitlines()[0]
    assert "TEMP B-TREE FOR ORDER BY" not in said
    assert "SCAN mentions" not in said


def test_holders_of_rare_words_are_looked_up_one_by_one(sqlite_store: Store) -> None:
    said = plan(sqlite_store, rare_places(Wanted(topic="delivery"), None, [1, 2, 3]).limit(51))
    assert said.startswith("SEARCH")
    assert "SCAN" not in said


# -- words, rare and common ------------------------------------------------------------------------------------


def worded(store: Store) -> None:
    """Sixty cases: "box" stands in most, "refund" in one of seven, "mould" in two; one in three is of Kaffa."""
    for at in range(60):
        text = "box " * (at % 10 != 0) + "refunds " * (at % 7 == 0) + "mould" * (at in (3, 57))
        add_case(
            store,
            NOW,
            text or "x",
            brand="Kaffa" if at % 3 == 0 else "Acme",
            priority=Priority(1 + at % 3),
            language="en" if at % 4 else "de",
        )
    with store.transaction() as ledger:
        while ledger.index_words():
            pass


ASKED = ["box", "refund", "mould", "box refund", "box -refund", '"box refunds"', "no"]


@pytest.mark.parametrize(("probed", "common"), [(1, 1), (1, 5_000), (7, 5_000), (2_000, 5_000)])
def test_a_search_finds_every_case_in_order_whichever_way_is_taken(
    store: Store, monkeypatch: pytest.MonkeyPatch, probed: int, common: int
) -> None:
    worded(store)
    monkeypatch.setattr(inbox, "PROBED", probed)
    monkeypatch.setattr(search, "COMMON", common)
    monkeypatch.setattr(search, "HOLDERS_FEW", common)
    for filters in ({}, {"brand": "Kaffa"}, {"status": "all"}, {"stars": 1, "topic": "delivery"}):
        whole = all_pages(store, Wanted(**filters), 50)
        for asked in ASKED:
            found = all_pages(store, Wanted(words=question(asked), **filters), 5)
            assert [one.case.number for one in found] == [
                one.case.number for one in whole if as_asked(one.mention.text, asked)
            ], (filters, asked)


def as_asked(text: str, asked: str) -> bool:
    return {
        "box": "box" in text,
        "refund": "refund" in text,
        "mould": "mould" in text,
        "box refund": "box" in text and "refund" in text,
        "box -refund": "box" in text and "refund" not in text,
        '"box refunds"': "box refunds" in text,
        "no": False,
    }[asked]


@pytest.mark.parametrize(("looked", "probed", "few"), [(3, 2, 1), (3, 2, 5_000), (100_000, 2_000, 1)])
def test_pages_of_mentions_go_on_behind_what_was_looked_at_until_all_is_found(
    store: Store, monkeypatch: pytest.MonkeyPatch, looked: int, probed: int, few: int
) -> None:
    worded(store)
    for name, value in {"LOOKED": looked, "LOOKED_UP": looked, "PROBED": probed, "FEW": few}.items():
        monkeypatch.setattr(lists, name, value)
    for filters in ({}, {"brand": "Kaffa"}, {"stars": 1, "topic": "delivery"}, {"language": "en"}):
        for asked in ["", *ASKED]:
            wanted = Wanted(words=question(asked), **filters)
            found: list[int] = []
            after = None
            with store.reading() as ledger:
                whole = list(ledger.all_judged(Wanted(**filters)))
                for _ in range(70):
                    page, after = ledger.newest_mentions(wanted, limit=4, after=after)
                    found += [one.id for one in page]
                    if after is None:
                        break
            kept = [one.id for one in whole if not asked or as_asked(one.mention.text, asked)]
            assert after is None
            # Of one moment, the one seen last comes first.
            assert found == sorted(kept, reverse=True), (filters, asked)


def test_what_a_case_is_narrowed_by_follows_its_mention(store: Store) -> None:
    add_case(store, NOW, "They lost it", stars=1.0, language="en")
    changed = Mention(
        source="shop", external_id="1", kind=Kind.REVIEW, text="Es fehlt", stars=4.0, language="de"
    )
    with store.transaction() as ledger:
        written = ledger.write_mentions([changed], NOW)[changed.key]
        verdict = Verdict("Acme", Sentiment(0.0, Label.NEUTRAL), Priority.LOW, 0.1, (), ("refund",))
        ledger.write_verdicts([(written.id, changed, verdict)])
    with store.reading() as ledger:
        for narrow in ({"stars": 4}, {"language": "de"}, {"topic": "refund"}):
            assert len(ledger.inbox(Wanted(**narrow), NOW)) == 1
        for narrow in ({"stars": 1}, {"language": "en"}, {"topic": "delivery"}):
            assert ledger.inbox(Wanted(**narrow), NOW) == []


def test_a_case_is_what_it_was(store: Store) -> None:
    case = add_case(store, NOW, "x")
    with store.reading() as ledger:
        (found,) = ledger.inbox(Wanted(), NOW)
    assert isinstance(found.case, Case)
    assert found.case == case
