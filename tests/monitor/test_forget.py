"""A person who asked to be forgotten: is every word gone, and is none read again?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click import UsageError
from click.testing import CliRunner, Result
from shelf import settings
from slackdesk import a_workspace, announced, card, deliver

from monitor.cli import cli
from monitor.config import load_config
from monitor.ingest import ingest
from monitor.runner import desk_for
from storage.records import Mention, Tally
from storage.search import question
from storage.store import Store, open_store
from storage.wanted import Wanted

NOW = datetime.now(UTC)
ROUTE = '[[routes]]\nchannel = "#alerts"\nnotifier = "console"\n'


def said(number: int, author: str = "Maya", text: str = "Acme lost my parcel, awful, never again") -> Mention:
    return Mention(
        source="shop",
        external_id=str(number),
        text=f"{text} xylophone{number}",
        author=author,
        stars=1,
        published_at=NOW - timedelta(hours=number),
        about=("Acme",),
    )


class Desk:
    """A folder with a store, crawled and commanded as cron and a person would."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.config = folder, load_config(settings(folder, ROUTE), {})
        self.store: Store = open_store(self.config.store_url)

    def crawl(self, several: Sequence[Mention]) -> Tally:
        return ingest(several, self.store, desk_for(self.config), NOW)

    def lowstar(self, *words: str) -> Result:
        return CliRunner().invoke(
            cli, ["--config", str(self.folder / "lowstar.toml"), *words], standalone_mode=False
        )

    def everything(self) -> bytes:
        """All bytes of the database and what belongs to it."""
        return b"".join(one.read_bytes() for one in sorted(self.folder.glob("lowstar.db*")))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_the_next_crawl_reads_none_of_it_again(desk: Desk) -> None:
    assert desk.crawl([said(1), said(2), said(3, "Bert")]).flagged == 3
    done = desk.lowstar("forget", "Maya", "--yes")
    assert done.return_value == 0, done.output
    assert "2 mentions emptied" in done.output
    # The site still shows it: once more as it was, edited, under a new name, and something new by the same person.
    again = [said(1), said(2, "M.", "Acme is awful and worse"), said(3, "Bert"), said(4)]
    tally = desk.crawl(again)
    assert (tally.found, tally.new, tally.changed, tally.flagged) == (4, 0, 0, 0)
    with desk.store.reading() as ledger:
        assert [one.mention.author for one in ledger.all_judged(Wanted())] == ["Bert"]
        texts = [found.text for at in (1, 2, 3) if (found := ledger.mention(at))]
    assert [bool(text) for text in texts] == [False, False, True]


def test_the_card_in_slack_loses_the_words(desk: Desk) -> None:
    with a_workspace() as slack:
        posted = announced(desk.store, slack, 2)
        assert all("they refused my refund" in json.dumps(one.blocks) for one in posted)
        assert desk.lowstar("forget", "--mention", "1", "--yes").return_value == 0
        deliver(desk.store, slack)
        shown = [json.dumps(card(slack, one.ts).blocks) + card(slack, one.ts).text for one in posted]
    assert sum("Review 1: they refused" in one for one in shown) == 0
    assert sum("Review 2: they refused" in one for one in shown) == 1


def test_it_is_gone_from_search_export_and_case(desk: Desk) -> None:
    desk.crawl([said(1), said(2, "Bert")])
    with desk.store.transaction() as ledger:
        while ledger.index_words():
            pass
    assert "xylophone1" in desk.lowstar("export", "--format", "jsonl").output
    assert desk.lowstar("forget", "Maya", "--yes").return_value == 0
    desk.crawl([said(1), said(2, "Bert")])
    with desk.store.transaction() as ledger:
        while ledger.index_words():
            pass
        found = [
            one.mention.author
            for word in ("xylophone1", "xylophone2")
            for one in ledger.newest_mentions(Wanted(words=question(word)), limit=9)[0]
        ]
        assert found == ["Bert"]
        case = ledger.reviewed(1)
    assert case is not None
    assert case.removed
    assert case.mention.text == case.mention.author == ""
    exported = desk.lowstar("export", "--format", "jsonl").output
    assert "xylophone1" not in exported
    assert "Maya" not in exported
    assert "xylophone2" in exported


def test_a_purge_leaves_the_marks(desk: Desk) -> None:
    desk.crawl([said(1)])
    desk.lowstar("forget", "Maya", "--yes")
    with desk.store.transaction() as ledger:
        assert ledger.purge([1]) == 1
        assert ledger.mention(1) is None
    assert desk.crawl([said(1)]).new == 0


def test_only_the_posts_go_where_a_name_may_be_anybodys(desk: Desk) -> None:
    desk.crawl([said(1)])
    assert desk.lowstar("forget", "Maya", "--posts-only", "--yes").return_value == 0
    tally = desk.crawl([said(1), said(2)])
    assert (tally.new, tally.flagged) == (1, 1)


def test_one_mention_goes_by_its_number(desk: Desk) -> None:
    desk.crawl([said(1), said(2)])
    assert desk.lowstar("forget", "--mention", "1", "--yes").return_value == 0
    assert desk.crawl([said(1), said(2)]).changed == 0
    with desk.store.reading() as ledger:
        kept = [ledger.mention(at) for at in (1, 2)]
    assert [bool(one and one.text) for one in kept] == [False, True]
    assert "no mention 77" in desk.lowstar("forget", "--mention", "77", "--yes").output


def test_who_asks_before_a_word_is_kept_is_heard_and_can_come_back(desk: Desk) -> None:
    assert desk.lowstar("forget", "Maya", "--yes").return_value == 1
    assert desk.lowstar("forget", "Maya", "--source", "shop", "--yes").return_value == 0
    assert desk.crawl([said(1)]).new == 0
    assert desk.lowstar("forget", "Maya", "--lift").return_value == 0
    assert desk.crawl([said(1)]).new == 1
    assert desk.lowstar("forget", "Maya", "--lift").return_value == 1


@pytest.mark.parametrize(
    "words",
    [(), ("Maya", "--mention", "1"), ("--mention", "1", "--source", "shop"), ("Maya", "--source", "shup")],
)
def test_a_mistake_changes_nothing(desk: Desk, words: tuple[str, ...]) -> None:
    desk.crawl([said(1)])
    assert isinstance(desk.lowstar("forget", *words, "--yes").exception, UsageError)
    with desk.store.reading() as ledger:
        assert ledger.forgotten_count() == 0


def test_no_byte_of_the_name_or_the_words_stays_in_the_database(desk: Desk) -> None:
    desk.crawl([said(1, "Zaphod Beeblebrox"), said(2, "Bert")])
    desk.store.close()
    assert b"Beeblebrox" in desk.everything()
    assert desk.lowstar("forget", "Zaphod Beeblebrox", "--yes").return_value == 0
    with open_store(desk.config.store_url) as store, store.reading() as ledger:
        assert ledger.forgotten_count() == 2
    left = desk.everything()
    assert b"Beeblebrox" not in left
    assert b"xylophone1" not in left
