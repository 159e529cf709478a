"""The door for webhooks: who may send, what becomes of each item, and how its health is told."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.commands.status import source_status
from monitor.config import Config, read_config
from spiders.webhook import BODY_MAX, HookAnswer, Hooks
from storage.records import CrawlRun, RunOutcome
from storage.store import Store, open_store

TOKEN, SECRET = "a-token-of-our-own-1", "a-secret-to-sign-with"
KEYS = {"LOWSTAR_HOOK_SURVEY_TOKEN": TOKEN, "LOWSTAR_HOOK_SURVEY_SECRET": SECRET}
BAD = {"id": "1", "text": "Acme charged me twice and nobody answers.", "stars": 1}


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 28, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def config_of(environ: dict[str, str] | None = None, **options: Any) -> Config:
    document = {
        "brands": [{"name": "Acme"}],
        "sources": [{"name": "survey", "kind": "webhook", **options}],
    }
    return read_config(document, Path("lowstar.toml"), KEYS if environ is None else environ)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/lowstar.db") as opened:
        yield opened


@contextmanager
def opened(store: Store, config: Config | None = None, clock: Clock | None = None) -> Iterator[Hooks]:
    news: list[int] = []
    hooks = Hooks(config or config_of(), store, clock or Clock(), news=lambda: news.append(1))
    hooks.start()
    hooks.told = news  # type: ignore[attr-defined]
    try:
        yield hooks
    finally:
        hooks.stop()


def send(hooks: Hooks, body: Any, *, name: str = "survey", query: str = "", **headers: str) -> HookAnswer:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {
        "authorization": f"Bearer {TOKEN}",
        **{key.replace("_", "-"): value for key, value in headers.items()},
    }
    return hooks.answer("POST", name, query, {key: value for key, value in given.items() if value}, sent)


def states(answer: HookAnswer) -> list[str]:
    assert isinstance(answer.body, dict)
    return [item["status"] for item in answer.body["items"]]


def last_run(store: Store) -> CrawlRun:
    with store.reading() as ledger:
        return ledger.last_runs()["survey"]


def test_a_bad_review_that_is_sent_opens_a_case_and_is_news_at_once(store: Store) -> None:
    with opened(store) as hooks:
        answer = send(hooks, BAD)
        assert (answer.status, states(answer)) == (200, ["accepted"])
        assert hooks.told == [1]  # type: ignore[attr-defined]
    with store.reading() as ledger:
        (case,) = ledger.cases_worst_first(open_only=True, limit=10)
    assert case.mention.text == BAD["text"]


def test_the_same_again_is_unchanged_an_edit_is_changed_and_a_deletion_removes(store: Store) -> None:
    with opened(store) as hooks:
        send(hooks, BAD)
        assert states(send(hooks, BAD)) == ["unchanged"]
        assert states(send(hooks, {**BAD, "stars": 5, "text": "Acme paid me back."})) == ["changed"]
        assert states(send(hooks, {"id": "1", "deleted": True})) == ["removed"]
        assert states(send(hooks, {"id": "2", "deleted": True})) == ["ignored"]


def test_each_item_is_answered_by_itself(store: Store) -> None:
    with opened(store) as hooks:
        answer = send(
            hooks, [BAD, {"author": "x"}, {"text": "Nothing about us"}, {**BAD, "id": "9", "reach": "lots"}]
        )
        assert answer.status == 200
        assert states(answer) == ["accepted", "rejected", "ignored", "accepted"]
        assert isinstance(answer.body, dict)
        assert answer.body["items"][1] | {"reason": ""} == {
            "item": 2,
            "status": "rejected",
            "field": "text",
            "reason": "",
        }
        assert answer.body["items"][3]["warnings"][0]["field"] == "reach"
        assert answer.body["accepted"] == 2
        nothing = send(hooks, {"author": "x"})
        assert nothing.status == 422


def test_what_somebody_wrote_who_was_forgotten_is_not_kept_and_the_sender_is_told(store: Store) -> None:
    with store.transaction() as ledger:
        ledger.forget_author("Ada", ["survey"], Clock().now)
    with opened(store) as hooks:
        answer = send(hooks, {**BAD, "author": "Ada"})
        assert isinstance(answer.body, dict)
        assert answer.body["items"][0]["reason"] == "it or its author was forgotten on request"
        assert states(send(hooks, {**BAD, "author": "Bo"})) == ["accepted"]


def sign(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def test_a_token_or_a_signature_opens_and_nothing_else_does(store: Store) -> None:
    body = json.dumps(BAD).encode()
    basic = base64.b64encode(f"zap:{TOKEN}".encode()).decode()
    coded = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
    good = [
        {"authorization": f"bearer {TOKEN}"},
        {"authorization": f"Basic {basic}"},
        {"authorization": "", "x_lowstar_signature": sign(body)},
        {"authorization": "", "x_hub_signature_256": f"sha256={sign(body)}"},
        {"authorization": "", "x_lowstar_signature": coded},
    ]
    bad = [
        {"authorization": ""},
        {"authorization": "Bearer wrong-wrong-wrong-wrong"},
        {"authorization": "Bearer "},
        {"authorization": "Basic !!!"},
        {"authorization": "", "x_lowstar_signature": sign(body, "other")},
        {"authorization": "", "x_lowstar_signature": sign(b"{}")},
        {"authorization": "", "x_lowstar_signature": "ü" * 64},
        {"authorization": "", "x_other_signature": sign(body)},
    ]
    with opened(store) as hooks:
        assert [send(hooks, body, **headers).status for headers in good] == [200] * len(good)
        assert [send(hooks, body, **headers).status for headers in bad] == [401] * len(bad)
        assert send(hooks, body, name="nobody").status == 401
        assert send(hooks, body, authorization="", query=f"token={TOKEN}").status == 401


def test_a_signature_as_standard_webhooks_has_it_is_good_for_five_minutes(store: Store) -> None:
    body = json.dumps(BAD).encode()
    key = b"twenty-four bytes of key"
    config = config_of({"LOWSTAR_HOOK_SURVEY_SECRET": "whsec_" + base64.b64encode(key).decode()})
    clock = Clock()

    def signed(at: float, sent: bytes = body) -> int:
        made = hmac.new(key, f"msg_1.{int(at)}.".encode() + sent, hashlib.sha256).digest()
        headers = {
            "webhook_id": "msg_1",
            "webhook_timestamp": str(int(at)),
            "webhook_signature": f"v1a,x v1,{base64.b64encode(made).decode()}",
        }
        return send(hooks, body, authorization="", **headers).status

    with opened(store, config, clock) as hooks:
        now = clock.now.timestamp()
        assert signed(now - 60) == 200
        assert signed(now - 600) == 401
        assert signed(now, b"other") == 401
        assert (
            send(hooks, body, authorization="", webhook_signature="v1,x", webhook_timestamp="soon").status
            == 401
        )


def test_a_token_in_the_address_is_taken_only_where_it_is_allowed(store: Store) -> None:
    with opened(store, config_of(token_in_url=True)) as hooks:
        assert send(hooks, BAD, authorization="", query=f"token={TOKEN}").status == 200
        assert send(hooks, BAD, authorization="", query="token=nearly").status == 401


def test_a_source_whose_token_is_not_set_is_off(store: Store) -> None:
    config = config_of({})
    with opened(store, config) as hooks:
        assert hooks.names == []
        assert send(hooks, BAD, authorization="Bearer ").status == 401


def test_facebook_is_told_that_the_address_is_ours_and_nobody_else(store: Store) -> None:
    with opened(store) as hooks:

        def verify(token: str, challenge: str = "1158201444") -> HookAnswer:
            query = f"hub.mode=subscribe&hub.challenge={challenge}&hub.verify_token={token}"
            return hooks.answer("GET", "survey", query, {}, b"")

        right = verify(TOKEN)
        assert (right.status, right.text, right.kind) == (200, "1158201444", "text/plain; charset=utf-8")
        assert verify("wrong").status == 401
        assert verify(TOKEN, "<script>").status == 401
        assert hooks.answer("GET", "survey", "", {}, b"").status == 405


def test_what_is_too_much_is_refused(store: Store) -> None:
    with opened(store) as hooks:
        assert send(hooks, b" " * (BODY_MAX + 1)).status == 413
        assert send(hooks, [{"text": "x"}] * 1_001).status == 400
        assert send(hooks, BAD, content_encoding="gzip").status == 415
        assert send(hooks, BAD, content_type="multipart/form-data; boundary=x").status == 415
        answers = [send(hooks, {"text": "Acme", "id": "7"}) for _ in range(130)]
        assert answers[-1].status == 429
        assert answers[-1].retry_after >= 1


def test_wrong_tokens_do_not_lock_the_right_one_out(store: Store) -> None:
    with opened(store) as hooks:
        wrong = [send(hooks, BAD, authorization="Bearer no").status for _ in range(80)]
        assert wrong[0] == 401
        assert wrong[-1] == 429
        assert send(hooks, BAD).status == 200


def test_a_store_that_is_locked_is_no_loss(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from storage.errors import Locked

    def locked(*_: Any, **__: Any) -> None:
        raise Locked("somebody else writes")

    with opened(store) as hooks:
        monkeypatch.setattr("spiders.webhook.ingest", locked)
        answer = send(hooks, BAD)
        assert (answer.status, answer.retry_after) == (503, 10)
        monkeypatch.undo()
        assert states(send(hooks, BAD)) == ["accepted"]


def test_quiet_and_broken_differ(store: Store) -> None:
    clock = Clock()
    (source,) = config_of(every="10m").sources

    def status() -> tuple[str, bool]:
        run = last_run(store)
        said = source_status(source, run, None, clock.now)
        return said.word, said.wrong

    with opened(store, config_of(every="10m"), clock) as hooks:
        assert status() == ("listening", False)
        clock.now += timedelta(minutes=11)
        hooks._tick()  # quiet: a new stretch, and nothing is wrong
        assert status() == ("listening", False)
        send(hooks, BAD, authorization="Bearer an-old-token-of-ours")
        clock.now += timedelta(seconds=20)
        hooks._tick()
        assert status() == ("failing", True)
        clock.now += timedelta(minutes=11)
        hooks._tick()
        with store.reading() as ledger:
            failed = ledger.runs("survey")[1]
        assert failed.outcome is RunOutcome.FAILED
        assert "wrong token" in failed.reason
        assert "LOWSTAR_HOOK_SURVEY_TOKEN" in failed.reason
        send(hooks, BAD)
        clock.now += timedelta(minutes=11)
        hooks._tick()
    assert last_run(store).outcome is RunOutcome.OK
    assert status() == ("ok", False)
    clock.now += timedelta(hours=1)
    assert status() == ("late", True)  # nobody listens any more


def test_a_process_that_was_killed_is_noticed(store: Store) -> None:
    clock = Clock()
    (source,) = config_of(every="10m").sources
    hooks = Hooks(config_of(every="10m"), store, clock)
    hooks.start()
    hooks._stop.set()  # its threads end; nothing is closed
    hooks._mine.close()
    clock.now += timedelta(minutes=40)
    said = source_status(source, last_run(store), None, clock.now)
    assert (said.word, said.wrong) == ("broken off", True)


def test_a_sender_that_falls_silent_is_noticed_and_an_odd_quiet_hour_is_not(store: Store) -> None:
    clock = Clock()
    with opened(store, config_of(every="10m"), clock) as hooks:
        for stretch in range(30):
            for number in range(20):
                send(hooks, {"id": f"{stretch}-{number}", "text": "Acme is all right"})
            hooks._hooks["survey"].bucket.level = 100.0
            clock.now += timedelta(minutes=10)
            hooks._tick()
        clock.now += timedelta(minutes=10)
        hooks._tick()
        with store.reading() as ledger:
            silent = ledger.runs("survey")[1]
    assert silent.outcome is RunOutcome.FAILED
    assert "does the sender still send?" in silent.reason


def test_two_processes_may_listen_and_a_silent_one_writes_nothing(store: Store) -> None:
    with opened(store) as first, opened(store) as second:
        assert states(send(second, BAD)) == ["accepted"]
        assert states(send(first, BAD)) == ["unchanged"]
    with store.reading() as ledger:
        assert sorted(run.pages for run in ledger.runs("survey")) == [1, 1]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=300),
    st.text(max_size=30),
    st.dictionaries(st.text(max_size=10), st.text(max_size=30), max_size=3),
)
def test_whatever_is_sent_is_answered(store: Store, body: bytes, query: str, headers: dict[str, str]) -> None:
    hooks = Hooks(config_of(), store, Clock())
    hooks.start()
    try:
        for given in (headers, {**headers, "authorization": f"Bearer {TOKEN}"}):
            assert hooks.answer("POST", "survey", query, given, body).status in (200, 400, 401, 413, 415, 422)
    finally:
        hooks.stop()
