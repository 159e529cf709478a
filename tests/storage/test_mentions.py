"""Does the store notice what is new, what has changed, and what has to be forgotten?"""

from __future__ import annotations

import threading
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from storage.mentions import Revision
from storage.records import (
    DatePrecision,
    Label,
    Mention,
    Priority,
    Removal,
    Sentiment,
    Span,
    Stored,
    Verdict,
    Written,
)
from storage.store import Store
from storage.tables import verdicts

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
DAY = timedelta(days=1)


def mention(external_id: str = "1", source: str = "shop", text: str = "fine", **fields: object) -> Mention:
    return Mention(source=source, external_id=external_id, text=text, **fields)  # type: ignore[arg-type]


def verdict(brand: str = "Acme", rank: float = 0.5) -> Verdict:
    spans = (Span(0, 3, "bad", -2.5),)
    return Verdict(
        brand, Sentiment(-0.5, Label.NEGATIVE, spans), Priority.HIGH, rank, ("said “bad”",), ("price",)
    )


def test_a_new_mention_is_answered_and_then_known(store: Store) -> None:
    one = mention(stars=2.0, reach=7)
    with store.transaction() as ledger:
        written = ledger.write_mentions([one], NOW)
        assert written == {one.key: Written(written[one.key].id, new=True)}
        assert ledger.known([one.key, ("shop", "other"), ("other", "1")]) == {
            one.key: Stored(written[one.key].id, one.content_hash(), 2.0, 7)
        }


def test_an_unchanged_mention_is_not_in_the_answer(store: Store) -> None:
    with store.transaction() as ledger:
        ledger.write_mentions([mention()], NOW)
    with store.transaction() as ledger:
        assert ledger.write_mentions([mention(reach=99, author="somebody else")], LATER) == {}


def test_a_changed_mention_keeps_what_it_said_before(store: Store) -> None:
    with store.transaction() as ledger:
        identity = ledger.write_mentions([mention(text="great", title="Oh", stars=5)], NOW)["shop", "1"].id
        again = ledger.write_mentions([mention(text="awful", stars=1)], LATER)
        assert again == {("shop", "1"): Written(identity, new=False, stars_before=5.0)}
        assert ledger.revisions(identity) == [Revision("Oh", "great", 5.0, LATER)]
        assert ledger.mention(identity) == mention(text="awful", stars=1)
        ledger.write_mentions([mention(text="so-so", stars=3)], LATER + DAY)
        assert [revision.text for revision in ledger.revisions(identity)] == ["great", "awful"]


def test_of_the_same_mention_twice_in_one_call_the_last_counts(store: Store) -> None:
    with store.transaction() as ledger:
        written = ledger.write_mentions([mention(text="first"), mention("2"), mention(text="last")], NOW)
        assert len(written) == 2
        assert ledger.mention(written["shop", "1"].id) == mention(text="last")
        assert ledger.revisions(written["shop", "1"].id) == []


def test_new_changed_and_unchanged_are_told_apart_in_one_call(store: Store) -> None:
    with store.transaction() as ledger:
        first = ledger.write_mentions([mention(str(i)) for i in range(1200)], NOW)
        second = ledger.write_mentions(
            [mention(str(i), text="edited" if i % 2 else "fine") for i in range(1500)], LATER
        )
        assert {key for key, done in second.items() if done.new} == {
            ("shop", str(i)) for i in range(1200, 1500)
        }
        assert {key: done.id for key, done in second.items() if not done.new} == {
            ("shop", str(i)): first["shop", str(i)].id for i in range(1, 1200, 2)
        }
        assert ledger.mention_count() == 1500


def test_the_same_id_in_two_sources_is_two_mentions(store: Store) -> None:
    with store.transaction() as ledger:
        written = ledger.write_mentions([mention(source="a"), mention(source="b")], NOW)
        assert len({done.id for done in written.values()}) == 2


def test_nothing_to_write_is_nothing(store: Store) -> None:
    with store.transaction() as ledger:
        assert ledger.write_mentions([], NOW) == {}
        assert ledger.known([]) == {}
        assert ledger.remove([], NOW) == []
        ledger.write_reach({})
        ledger.write_verdicts([])


EXACT = datetime(2026, 11, 1, 8, 30, tzinfo=UTC)
ROUGH = datetime(2026, 11, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("was", "now", "kept"),
    [
        ((EXACT, DatePrecision.SECOND), (ROUGH, DatePrecision.RELATIVE), "was"),
        ((EXACT, DatePrecision.SECOND), (None, DatePrecision.NONE), "was"),
        ((EXACT, DatePrecision.DAY), (ROUGH, DatePrecision.MONTH), "was"),
        ((EXACT, DatePrecision.RELATIVE), (ROUGH, DatePrecision.RELATIVE), "was"),
        ((ROUGH, DatePrecision.RELATIVE), (EXACT, DatePrecision.DAY), "now"),
        ((ROUGH, DatePrecision.SECOND), (EXACT, DatePrecision.SECOND), "now"),
        ((None, DatePrecision.NONE), (ROUGH, DatePrecision.RELATIVE), "now"),
        ((None, DatePrecision.NONE), (None, DatePrecision.NONE), "now"),
    ],
)
def test_a_date_is_replaced_by_one_at_least_as_exact(
    store: Store,
    was: tuple[datetime | None, DatePrecision],
    now: tuple[datetime | None, DatePrecision],
    kept: str,
) -> None:
    with store.transaction() as ledger:
        old = mention(published_at=was[0], date_precision=was[1])
        identity = ledger.write_mentions([old], NOW)["shop", "1"].id
        ledger.write_mentions([mention(text="edited", published_at=now[0], date_precision=now[1])], LATER)
        read = ledger.mention(identity)
    assert read is not None
    assert (read.published_at, read.date_precision) == (was if kept == "was" else now)


@pytest.mark.parametrize(
    ("published_at", "posted_at"),
    [(EXACT, EXACT), (None, NOW), (NOW + DAY / 2, NOW + DAY / 2), (NOW + 2 * DAY, NOW)],
)
def test_a_verdict_is_counted_when_it_was_posted_or_else_first_seen(
    store: Store, published_at: datetime | None, posted_at: datetime
) -> None:
    one = mention(published_at=published_at, date_precision=DatePrecision.SECOND)
    with store.transaction() as ledger:
        identity = ledger.write_mentions([one], NOW)[one.key].id
        edited = replace(one, text="edited")
        ledger.write_mentions([edited], NOW + timedelta(hours=1))
        ledger.write_verdicts([(identity, edited, verdict())])
        assert ledger._connection.scalar(select(verdicts.c.posted_at)) == posted_at


def test_reach_grows_without_making_a_revision(store: Store) -> None:
    with store.transaction() as ledger:
        identity = ledger.write_mentions([mention()], NOW)["shop", "1"].id
        ledger.write_reach({("shop", "1"): 500, ("shop", "unknown"): 3})
        assert ledger.mention(identity) == mention(reach=500)
        assert ledger.revisions(identity) == []


def test_new_verdicts_replace_the_old_ones_of_these_mentions_only(store: Store) -> None:
    with store.transaction() as ledger:
        written = ledger.write_mentions([mention("1"), mention("2"), mention("3")], NOW)
        one, two, three = (written["shop", key].id for key in "123")
        ledger.write_verdicts(
            [
                (one, mention(), verdict("Acme")),
                (one, mention(), verdict("Bolt")),
                (two, mention(), verdict()),
            ]
        )
        ledger.write_verdicts([(three, mention(), verdict())])
        better = verdict("Acme", rank=0.1)
        ledger.write_verdicts([(one, mention(), verdict()), (one, mention(), better)])
        assert ledger.verdicts(one) == [better]
        assert ledger.verdicts(two) == ledger.verdicts(three) == [verdict()]
        ledger.write_verdicts([], of=[two])
        assert ledger.verdicts(two) == []


def test_a_removed_mention_keeps_no_word_of_a_stranger(store: Store, store_url: str) -> None:
    secret = "unmistakable"
    worst = mention(
        text=secret,
        title=secret,
        author=secret,
        entity=secret,
        url=f"https://shop.example/{secret}",
        owner_reply=secret,
        rating_raw=secret,
        in_reply_to=secret,
        reference=secret,
        author_followers=77_777,
        stars=1,
    )
    quoting = replace(
        verdict(), reasons=(secret,), sentiment=Sentiment(-1, Label.NEGATIVE, (Span(0, 1, secret, -1),))
    )
    with store.transaction() as ledger:
        identity = ledger.write_mentions([worst], NOW)[worst.key].id
        ledger.write_mentions([replace(worst, text=f"{secret} again")], NOW)
        ledger.write_verdicts([(identity, worst, quoting)])
    with store.transaction() as ledger:
        assert ledger.remove([Removal("shop", "1"), Removal("shop", "1"), Removal("x", "1")], LATER) == [
            identity
        ]
        assert ledger.remove([Removal("shop", "1")], LATER) == []
        left = ledger.mention(identity)
        assert left == Mention(source="shop", external_id="1", stars=1)
        assert ledger.revisions(identity) == []
        assert ledger.verdicts(identity)[0].reasons == ()
        assert ledger.verdicts(identity)[0].priority is Priority.HIGH
        assert ledger.mention_count() == 0
        for name in ("mentions", "revisions", "verdicts"):
            rows = ledger._connection.exec_driver_sql(f"SELECT * FROM {name}").all()
            assert secret not in repr(rows)
    if "sqlite" in store_url:
        store.close()
        # Emptied for good: neither the file nor its journal holds the words in a freed corner.
        for path in Path(store.name).parent.iterdir():
            assert secret.encode() not in path.read_bytes(), path.name


def test_a_removed_mention_that_comes_back_is_written_again(store: Store) -> None:
    with store.transaction() as ledger:
        identity = ledger.write_mentions([mention(stars=1)], NOW)["shop", "1"].id
        ledger.remove([Removal("shop", "1")], NOW)
        assert ledger.known([("shop", "1")])["shop", "1"].content_hash == ""
        back = ledger.write_mentions([mention(stars=1)], LATER)
        assert back == {("shop", "1"): Written(identity, new=False, stars_before=1.0, back=True)}
        assert ledger.mention(identity) == mention(stars=1)
        assert ledger.revisions(identity) == []
        assert ledger.mention_count() == 1
        assert ledger.remove([Removal("shop", "1")], LATER) == [identity]


def test_every_field_of_a_mention_has_its_column(store: Store) -> None:
    from storage.tables import mentions

    assert {field.name for field in fields(Mention)} <= set(mentions.c.keys())


def test_an_unknown_mention_is_none(store: Store) -> None:
    with store.reading() as ledger:
        assert ledger.mention(4711) is None


def test_the_estimate_of_a_small_store_is_right(store: Store) -> None:
    with store.transaction() as ledger:
        ledger.write_mentions([mention(str(i)) for i in range(5)], NOW)
    with store.reading() as ledger:
        assert ledger.mention_estimate() == 5


def test_two_writers_of_the_same_new_mention_agree(store: Store) -> None:
    """Both find it unknown; one inserts it, the other's text becomes a change with a revision."""
    ready = threading.Barrier(2, timeout=20)
    answers: list[dict[tuple[str, str], Written]] = []

    def write(text: str) -> None:
        ready.wait()
        with store.transaction() as ledger:
            answers.append(ledger.write_mentions([mention(text=text), mention("2")], NOW))

    threads = [threading.Thread(target=write, args=(text,)) for text in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted((key[1], done.new) for answer in answers for key, done in answer.items()) == [
        ("1", False),
        ("1", True),
        ("2", True),
    ]
    with store.reading() as ledger:
        assert ledger.mention_count() == 2
        assert len(ledger.revisions(answers[0]["shop", "1"].id)) == 1
