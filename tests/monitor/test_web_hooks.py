"""Webhooks as the dashboard serves them: beside it, with tokens of their own, delivered from the same process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from dashboard import TOKENS, Visitor, served, web_config
from slackdesk import a_workspace, until

from monitor.commands.serve import webhooks
from monitor.config import Config
from monitor.config_web import Role
from monitor.standins.slack import TOKEN as SLACK_TOKEN
from monitor.standins.slack import SlackStandin
from spiders.webhook import Hooks
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
    with webhooks(config, store) as door:
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
        with webhooks(config, store) as door, served(config, store, door=door) as port:
            Visitor(port).ask(URL, method="POST", body=BAD, Authorization=f"Bearer {TOKEN}")
            until(lambda: slack.posted("#alerts"), 10)
        (posted,) = slack.posted("#alerts")
    assert "Still no refund" in json.dumps(posted.blocks)


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
