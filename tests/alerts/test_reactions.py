"""Reactions on the cards do, without a daemon, what buttons do with one; each once."""

from __future__ import annotations

from slackdesk import ALICE, BOB, POLICY, a_desk, a_workspace, announced, card, deliver, utc_now

from alerts.actions import act
from alerts.cases import Action, Do
from alerts.reactions import Heard, read_reactions
from monitor.standins.slack import SlackStandin
from storage.records import Case, CaseStatus
from storage.store import Store


def read(store: Store, slack: SlackStandin) -> Heard:
    return read_reactions(store, a_desk(slack), policy=POLICY, clock=utc_now, ourselves="U0BOT")


def the_case(store: Store, number: int = 1) -> Case:
    with store.reading() as ledger:
        found = ledger.case(number)
    assert found is not None
    return found


def test_eyes_take_a_tick_answers(sqlite_store: Store) -> None:
    with a_workspace() as slack:
        (posted,) = announced(sqlite_store, slack, interactive=False)
        assert "👀 mine" in slack.channel_text("#alerts")
        slack.people.react("#alerts", posted.ts, "eyes", ALICE)
        assert read(sqlite_store, slack).done == 1
        assert (the_case(sqlite_store).status, the_case(sqlite_store).owner) == (CaseStatus.CLAIMED, ALICE)
        slack.people.react("#alerts", posted.ts, "white_check_mark::skin-tone-3", ALICE)
        assert read(sqlite_store, slack).done == 1
        assert the_case(sqlite_store).status is CaseStatus.ANSWERED
        deliver(sqlite_store, slack, interactive=False)
        assert "✅ Answered" in card(slack, posted.ts).blocks[0]["text"]["text"]


def test_a_reaction_is_done_once(store: Store) -> None:
    with a_workspace() as slack:
        (posted,) = announced(store, slack, interactive=False)
        slack.people.react("#alerts", posted.ts, "eyes", ALICE)
        read(store, slack)
        act(store, 1, Action(kind=Do.RELEASE, actor=ALICE), utc_now(), POLICY)
        assert read(store, slack) == Heard(cards=1)
        assert the_case(store).status is CaseStatus.OPEN
        # Taken away and given again: a new wish.
        slack.people.react("#alerts", posted.ts, "eyes", ALICE, take_back=True)
        read(store, slack)
        slack.people.react("#alerts", posted.ts, "eyes", ALICE)
        assert read(store, slack).done == 1
        assert the_case(store).owner == ALICE


def test_the_second_pair_of_eyes_is_told_who_has_it(sqlite_store: Store) -> None:
    with a_workspace() as slack:
        (posted,) = announced(sqlite_store, slack, interactive=False)
        for who in (ALICE, BOB):
            slack.people.react("#alerts", posted.ts, "eyes", who)
        heard = read(sqlite_store, slack)
        assert (heard.done, heard.refused) == (1, 1)
        (whisper,) = slack.people.whispers
        assert whisper.user == BOB
        assert whisper.text.startswith("REP-0001: Alice Adams took this")
        assert read(sqlite_store, slack) == Heard(cards=1)


def test_help_and_not_us(sqlite_store: Store) -> None:
    with a_workspace() as slack:
        announced(sqlite_store, slack, 2, interactive=False)
        by_case = {one.text[:8]: one.ts for one in slack.posted("#alerts")}
        slack.people.react("#alerts", by_case["REP-0001"], "sos", ALICE)
        slack.people.react("#alerts", by_case["REP-0002"], "no_entry_sign", ALICE)
        slack.people.react("#alerts", by_case["REP-0002"], "tada", BOB)
        assert read(sqlite_store, slack).done == 2
        assert the_case(sqlite_store, 1).level == 2
        assert the_case(sqlite_store, 2).status is CaseStatus.DISMISSED
        with sqlite_store.reading() as ledger:
            assert [one.wrong for one in ledger.corrections()] == ["not_us"]


def test_the_app_does_not_answer_itself(sqlite_store: Store) -> None:
    with a_workspace() as slack:
        (posted,) = announced(sqlite_store, slack, interactive=False)
        slack.people.react("#alerts", posted.ts, "eyes", "U0BOT")
        assert read(sqlite_store, slack).done == 0


def test_one_call_reads_many_cards(sqlite_store: Store) -> None:
    with a_workspace() as slack:
        cards = announced(sqlite_store, slack, 30, interactive=False)
        for posted in cards:
            slack.people.react("#alerts", posted.ts, "eyes", ALICE)
        slack.calls.clear()
        assert read(sqlite_store, slack).done == 30
        assert [method for method, _ in slack.calls].count("conversations.history") == 1


def test_a_channel_that_cannot_be_read_is_a_problem_not_an_end(sqlite_store: Store) -> None:
    with a_workspace() as slack:
        (posted,) = announced(sqlite_store, slack, interactive=False)
        slack.people.react("#alerts", posted.ts, "eyes", ALICE)
        slack.scopes = ["chat:write"]
        heard = read(sqlite_store, slack)
        assert heard.done == 0
        assert "missing_scope" in heard.problems[0]
        slack.scopes.append("channels:history")
        assert read(sqlite_store, slack).done == 1


def test_closed_cards_are_not_read(sqlite_store: Store) -> None:
    with a_workspace() as slack:
        announced(sqlite_store, slack, interactive=False)
        act(sqlite_store, 1, Action(kind=Do.DISMISS, actor=ALICE), utc_now(), POLICY)
        slack.calls.clear()
        assert read(sqlite_store, slack) == Heard()
        assert not slack.calls
