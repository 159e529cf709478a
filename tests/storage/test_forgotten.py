"""Is nothing kept of whoever asked to be forgotten, and nothing told about them?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from storage.records import Mention
from storage.store import Store

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def said(number: int, author: str = "Maya", source: str = "shop") -> Mention:
    return Mention(source=source, external_id=str(number), text=f"words {number}", author=author)


def test_an_author_is_not_kept_in_the_sources_named_and_others_are(store: Store) -> None:
    with store.transaction() as ledger:
        ledger.forget_author(" Maya ", ["shop"], NOW)
        ledger.forget_author("Maya", ["shop"], NOW)
        several = [said(1), said(2, "Bert"), said(3, source="forum"), said(4, "maya"), said(5, "")]
        assert ledger.forgotten(several) == {("shop", "1")}
        assert set(ledger.write_mentions(several, NOW)) == {one.key for one in several[1:]}
        assert ledger.forgotten_count() == 1


def test_a_post_is_not_kept_whatever_name_it_bears(store: Store) -> None:
    with store.transaction() as ledger:
        written = ledger.write_mentions([said(1)], NOW)
        ledger.forget_posts([said(1).key], NOW)
        ledger.remove([], NOW)
        assert ledger.write_mentions([replace(said(1), author="M.", text="again")], NOW) == {}
        kept = ledger.mention(written[said(1).key].id)
    assert kept is not None
    assert kept.text == "words 1"  # emptying is `remove`'s; here nothing new came in


def test_a_mark_names_nobody_and_is_another_in_every_store(store: Store) -> None:
    from sqlalchemy import text

    with store.transaction() as ledger:
        ledger.forget_author("Maya", ["shop"], NOW)
        ledger.forget_posts([("shop", "1")], NOW)
        marks = list(ledger._connection.scalars(text("SELECT mark FROM forgotten")))
    assert len(marks) == 2
    assert all(len(mark) == 48 and int(mark, 16) for mark in marks)
    with store.transaction() as ledger:
        ledger._connection.execute(text("DELETE FROM cursors"))
        ledger.forget_author("Maya", ["shop"], NOW)
        assert ledger.forgotten_count() == 3


def test_an_author_can_be_heard_again(store: Store) -> None:
    with store.transaction() as ledger:
        assert ledger.remember_author("Maya", ["shop"]) == 0
        ledger.forget_author("Maya", ["shop", "forum"], NOW)
        assert ledger.remember_author("Maya", ["shop"]) == 1
        assert ledger.forgotten([said(1), said(1, source="forum")]) == {("forum", "1")}


def test_thousands_are_looked_up_at_once(store: Store) -> None:
    several = [said(number, author=f"a{number}") for number in range(1_500)]
    with store.transaction() as ledger:
        ledger.forget_posts([one.key for one in several[::3]], NOW)
        ledger.forget_author("a1", ["shop"], NOW)
        assert len(ledger.forgotten(several)) == 501
