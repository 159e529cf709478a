"""Webhooks as the dashboard serves them: beside it, with tokens of their own, delivered from the same process."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from dashboard import TOKENS, Visitor, served, web_config
from shelf import add_case
from slackdesk import a_workspace, until

from monitor.commands.serve import at_hand
from monitor.config import Config
from monitor.config_web import Role
from monitor.roads import notifiers_for
from monitor.runner import deliver
from monitor.standins.slack import TOKEN as SLACK_TOKEN
from monitor.standins.slack import SlackStandin
from spiders.webhook import Hooks
from storage.records import Delivery, DeliveryKind
from storage.store import Store, open_store

TOKEN = "a-token-of-our-own-1"
HOOK = '[[sources]]\nname = "survey"\nkind = "webhook"\nabout = ["Acme"]\n'
URL = "/api/v1/hooks/survey"
BAD = json.dumps({"id": "7", "text": "Still no refund, nobody answers.", "stars": 1})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/lowstar.db") as opened:
        yield opened


def hook_config(folder: Path, more: str = "") -> Config:
    return replace(web_config(folder, more + HOOK), keys={"LOWSTAR_HOOK_SURVEY_TOKEN": TOKEN})


def a_door(config: Config, store: Store) -> Hooks:
    return Hooks(config, store, lambda: datetime.now(UTC))


def test_a_webhook_has_a_token_of_its_own(tmp_path: Path, store: Store) -> None:
    config = hook_config(tmp_path)
    with served(config, store, door=a_door(config, store)) as port:
        visitor = Visitor(port)

        def sent(token: str, body: str = BAD) -> Any:
            return visitor.ask(URL, method="POST", body=body, Authorization=f"Bearer {token}")

        answer = sent(TOKEN)
        assert (answer.status, answer.json["items"][0]["status"]) == (200, "accepted")
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-store"
        # The dashboard's tokens open the dashboard, and the webhook's open nothing there.
        assert sent(TOKENS[Role.ADMIN]).status == 401
        assert visitor.ask("/api/v1/cases", Authorization=f"Bearer {TOKEN}").status == 401
        # And no number of wrong ones locks anybody out of the dashboard.
        assert {sent("nothing-like-a-token").status for _ in range(15)} == {401}
        assert visitor.ask("/api/v1/cases", Authorization=f"Bearer {TOKENS[Role.READ]}").status == 200


def test_what_is_wrong_with_a_request_is_said(tmp_path: Path, store: Store) -> None:
    config = hook_config(tmp_path)
    with served(config, store, door=a_door(config, store)) as port:
        visitor = Visitor(port, headers={"Authorization": f"Bearer {TOKEN}"})
        assert (
            visitor.ask(URL, method="POST", body="not json").json["error"].startswith("the body is no JSON")
        )
        assert visitor.ask(URL, method="POST", body=b" " * (1 << 20) + b"  ").status == 413
        nothing = visitor.ask(URL, method="POST", body='{"who": "knows"}')
        assert (nothing.status, nothing.json["items"][0]["field"]) == (422, "text")
        assert visitor.ask(URL).status == 405
        assert visitor.ask(URL, Host="evil.example").status == 421
        assert visitor.ask("/api/v1/hooks/", method="POST", body=BAD).status == 401


def test_without_a_webhook_in_the_configuration_there_is_no_such_address(
    tmp_path: Path, store: Store
) -> None:
    config = web_config(tmp_path)
    with at_hand(config, store) as (door, _):
        assert door is None
    with served(config, store) as port:
        assert Visitor(port).ask(URL, method="POST", body=BAD).status == 401


def test_what_comes_in_is_delivered_by_the_process_that_took_it(tmp_path: Path, store: Store) -> None:
    with a_workspace() as slack:
        assert isinstance(slack, SlackStandin)
        more = f'[slack]\nchannel = "#alerts"\nbase_url = "{slack.base_url}"\npace = "0s"\n'
        base = hook_config(tmp_path, more)
        config = replace(base, slack=replace(base.slack, token=SLACK_TOKEN))
        config = replace(
            config, routes=tuple(replace(one, notifier="slack", channel="#alerts") for one in config.routes)
        )
        with at_hand(config, store) as (door, _), served(config, store, door=door) as port:
            Visitor(port).ask(URL, method="POST", body=BAD, Authorization=f"Bearer {TOKEN}")
            until(lambda: slack.posted("#alerts"), 10)
        (posted,) = slack.posted("#alerts")
    assert "Still no refund" in json.dumps(posted.blocks)


@pytest.mark.parametrize("by", ["form", "api"])
def test_what_is_done_in_the_dashboard_is_seen_on_the_card_within_seconds(
    tmp_path: Path, store: Store, by: str
) -> None:
    with a_workspace() as slack:
        more = f'[slack]\nchannel = "#alerts"\nbase_url = "{slack.base_url}"\npace = "0s"\n'
        config = web_config(tmp_path, more)
        config = replace(config, slack=replace(config.slack, token=SLACK_TOKEN))
        announced(config, store)
        (card,) = slack.posted("#alerts")
        with at_hand(config, store) as (door, news), served(config, store, door=door, news=news) as port:
            if by == "form":
                anna = Visitor(port)
                anna.sign_in()
                anna.post("/cases/1/claim")
            else:
                token = f"Bearer {TOKENS[Role.ACT]}"
                api = Visitor(port)
                api.ask("/api/v1/cases/1/claim", method="POST", body="{}", Authorization=token)
            until(lambda: "Taken by " in json.dumps(slack.posted("#alerts")[0].blocks), 20)
        assert [one.ts for one in slack.posted("#alerts") if one.thread_ts is None] == [card.ts]


def announced(config: Config, store: Store) -> None:
    """One case, told in Slack a while ago."""
    long_ago = datetime.now(UTC) - timedelta(minutes=5)
    add_case(store, long_ago, "Still no refund", card=None)
    row = Delivery(
        id="d1",
        kind=DeliveryKind.ALERT,
        notifier="slack",
        channel="#alerts",
        number=1,
        created_at=long_ago,
        not_before=long_ago,
    )
    with store.transaction() as ledger:
        ledger.enqueue([row])
    deliver(
        config,
        store,
        notifiers_for(config),
        clock=lambda: datetime.now(UTC) - timedelta(minutes=1),
        sleep=lambda seconds: None,
        stop=threading.Event(),
        deadline=datetime.now(UTC),
    )


def test_without_a_road_from_here_there_is_no_courier(tmp_path: Path, store: Store) -> None:
    before = threading.active_count()
    with at_hand(web_config(tmp_path), store) as (door, news):
        news()
        assert door is None
        assert threading.active_count() == before


def test_the_document_of_the_api_describes_it(tmp_path: Path, store: Store) -> None:
    config = hook_config(tmp_path)
    with served(config, store, door=a_door(config, store)) as port:
        read = f"Bearer {TOKENS[Role.READ]}"
        document = Visitor(port).ask("/api/v1/openapi.json", Authorization=read).json
    operation = document["paths"]["/api/v1/hooks/{source}"]["post"]
    assert operation["security"] == [{"hookToken": []}, {"hookSignature": []}]
    assert set(operation["responses"]) >= {"200", "400", "401", "413", "415", "422", "429", "503"}
    answer = document["components"]["schemas"]["HookAnswer"]
    assert {"accepted", "unchanged", "rejected", "items"} <= set(answer["properties"])
