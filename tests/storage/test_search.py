"""Is everything found by its words, and nothing by words that were removed?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shelf import add_case
from sqlalchemy import select
from sqlalchemy.dialects import sqlite

from storage.records import Mention, Removal
from storage.search import _fts_query, _tsquery, matching, question, words_in
from storage.store import Store
from storage.wanted import Wanted

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def fill(store: Store, *texts: str) -> None:
    for text in texts:
        add_case(store, NOW, text)
    index(store)


def index(store: Store) -> None:
    while True:
        with store.transaction() as ledger:
            if not ledger.index_words():
                return


def found(store: Store, asked: str) -> list[str]:
    with store.reading() as ledger:
        rows, _ = ledger.newest_mentions(Wanted(words=question(asked)))
    return [one.mention.text for one in rows]


def test_words_are_found_newest_first(store: Store) -> None:
    fill(store, "They lost my parcel", "Fine", "My parcel came late")
    assert found(store, "parcel") == ["My parcel came late", "They lost my parcel"]


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("REFUND", "No refunds, ever"),
        ("decu", "Très déçu"),
        ("déçu", "TRES DECU"),
        ('"came late"', "the box came late"),
        ("退款", "他们不给退款了"),
        ("환불", "환불 안 해줌"),
        ("strasse", "in der Straße"),
        ("ﬁne", "all fine"),
        ("late -never", "late again"),
        ("5", "gave it 5 minutes"),
    ],
)
def test_what_people_write_is_found_as_people_ask(store: Store, asked: str, text: str) -> None:
    fill(store, "something else", text)
    assert found(store, asked) == [text]


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ('"late came"', "the box came late"),
        ("late -box", "the box came late"),
        ("款退", "他们不给退款了"),
        ("art", "party"),
        ("box parcel", "the box came late"),
        ('"refund"', "refunds"),
    ],
)
def test_what_was_not_asked_for_is_not_found(store: Store, asked: str, text: str) -> None:
    fill(store, text)
    assert found(store, asked) == []


def test_an_edited_mention_is_found_by_its_new_words_only(store: Store) -> None:
    fill(store, "horrible coffee", "other")
    with store.transaction() as ledger:
        ledger.write_mentions([Mention(source="shop", external_id="1", text="good tea")], NOW)
    assert found(store, "horrible") == []
    with store.reading() as ledger:
        assert ledger.mention_count() == 2
    assert found(store, "tea") == ["good tea"]


def test_a_removed_mention_is_not_found_even_before_anybody_indexes(store: Store) -> None:
    fill(store, "horrible coffee")
    with store.transaction() as ledger:
        ledger.remove([Removal("shop", "1")], NOW)
        words, key, condition = matching(ledger._connection, question("horrible"))
        assert ledger._connection.execute(select(key).select_from(words).where(condition)).all() == []
        ledger.tidy_words()


def test_a_mention_changed_before_its_first_indexing_is_not_left_out_or_doubled(store: Store) -> None:
    add_case(store, NOW, "first")
    add_case(store, NOW, "second")
    with store.transaction() as ledger:
        ledger.write_mentions([Mention(source="shop", external_id="2", text="changed")], NOW)
        assert ledger.words_behind() == 2
        assert ledger.index_words(1) == 1
        assert ledger.index_words(5) == 1
        assert ledger.index_words(5) == 0
        assert ledger.words_behind() == 0
    assert found(store, "first") == ["first"]
    assert found(store, "changed") == ["changed"]


@given(st.text(max_size=80))
def test_any_question_is_a_question_the_database_takes(asked: str) -> None:
    wanted = question(asked)
    if wanted:
        assert _fts_query(wanted).count('"') % 2 == 0
        assert "'" in _tsquery(wanted)
    assert all(word == word.strip() and word for phrase in wanted.all_of for word in phrase.words)


@pytest.mark.parametrize(
    "asked",
    [
        '"',
        "''",
        "a OR b",
        "NEAR(a b)",
        "a* b^",
        "-",
        '-"x',
        "words:x",
        "{a b}",
        "\\",
        "x' y",
        "☕",
        "a\x00b",
        "*",
    ],
)
def test_no_question_breaks_the_search(store: Store, asked: str) -> None:
    fill(store, "a box")
    found(store, asked)


def test_words_are_folded_alike_in_texts_and_questions() -> None:
    assert words_in("ＡＢＣ Ünïcode") == ["abc", "unicode"]
    assert words_in("x" * 1_000) == ["x" * 64]
    assert words_in("snake_case_word") == ["snake", "case", "word"]


def test_the_newest_are_read_first_and_nothing_is_sorted(sqlite_store: Store) -> None:
    fill(sqlite_store, "a box")
    with sqlite_store.reading() as ledger:
        words, key, condition = matching(ledger._connection, question("box"))
        statement = select(key).select_from(words).where(condition).order_by(key.desc()).limit(50)
        compiled = statement.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
        plan = [row[3] for row in ledger._connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}")]
    assert len(plan) == 1
    assert "mention_words VIRTUAL TABLE INDEX" in plan[0]


def test_without_full_text_in_sqlite_nothing_breaks(sqlite_store: Store) -> None:
    with sqlite_store.transaction() as ledger:
        ledger._connection.exec_driver_sql("DROP TABLE mention_words")
    add_case(sqlite_store, NOW - timedelta(days=1), "a box")
    with sqlite_store.transaction() as ledger:
        assert not ledger.can_search()
        assert ledger.index_words() == 0
        assert ledger.words_behind() == 0
        ledger.write_mentions([Mention(source="shop", external_id="1", text="changed")], NOW)
        ledger.remove([Removal("shop", "1")], NOW)
