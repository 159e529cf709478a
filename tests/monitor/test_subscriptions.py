"""Is a program told what happens, signed, in order, at least once, whatever its server does, and nothing else?"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from shelf import add_case, settings
from sqlalchemy.dialects import sqlite

from alerts.event_hooks import EventNotifier, key_of, refusal, signed
from alerts.notifier import ChannelClosed, NotSent, RateLimited, Uncertain, Unrenderable
from alerts.subscribers import TYPES, Subscription, tell_subscribers
from monitor.cli import cli
from monitor.config import Config, ConfigError, load_config
from monitor.roads import notifiers_for, road_names
from monitor.runner import deliver
from storage.heard import gone_since
from storage.records import CaseEvent, Label, Mention, Priority, Removal, Sentiment, Verdict
from storage.store import Store

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(b"a secret of 24 bytes, ok").decode()


@dataclass
class Receiver:
    """A program on this machine: what it answers, and what it was told."""

    answers: list[Any] = field(
        default_factory=list
    )  # a status, (status, headers), "hang up", "slow"; then 204
    told: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.told]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.told.append(({name.lower(): value for name, value in self.headers.items()}, body))
            answer = kept.answers.pop(0) if kept.answers else 204
            if answer == "hang up":
                self.close_connection = True
                return
            if answer == "slow":
                time.sleep(1.5)
                answer = 204
            status, headers = answer if isinstance(answer, tuple) else (answer, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    kept.url = f"http://127.0.0.1:{server.server_address[1]}/lowstar?key=hidden-in-the-address"
    yield kept
    server.shutdown()
    server.server_close()
    thread.join()


def subscription(receiver: Receiver, **more: Any) -> Subscription:
    return Subscription(**{"name": "crm", "url": receiver.url, "secret": SECRET, "timeout": 1.0, **more})


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load_config(settings(tmp_path), {})


def subscribed(config: Config, *several: Subscription) -> Config:
    return replace(config, subscriptions=several)


def happen(store: Store, number: int, action: str, detail: str = "", at: datetime = NOW) -> None:
    with store.transaction() as ledger:
        ledger.add_events([CaseEvent(number, at, "ann", action, detail)])


def send(config: Config, store: Store, now: datetime = NOW) -> int:
    """Deliver what is due, on a clock that jumps over every wait."""
    clock = [now]

    def sleep(seconds: float) -> None:
        clock[0] += timedelta(seconds=seconds)

    report = deliver(
        config,
        store,
        notifiers_for(config),
        clock=lambda: clock[0],
        sleep=sleep,
        stop=threading.Event(),
        deadline=now + timedelta(minutes=30),
    )
    return report.sent


@pytest.fixture
def began(store: Store) -> Store:
    """A store somebody has subscribed to already."""
    tell_subscribers(store, [Subscription(name="x", url="http://127.0.0.1:9/", secret="x" * 16)], NOW)
    return store


def test_what_happens_to_a_case_is_told_with_the_case_as_it_is(
    began: Store, config: Config, receiver: Receiver
) -> None:
    told = subscribed(config, subscription(receiver))
    number = add_case(began, NOW, "Still no refund").number
    happen(began, number, "resolved", "refund sent")
    assert tell_subscribers(began, told.subscriptions, NOW) == 2
    assert send(told, began) == 2
    first, second = receiver.events
    assert (first["type"], second["type"]) == ("case.opened", "case.closed")
    assert second["data"]["event"] == {"actor": "ann", "action": "resolved", "detail": "refund sent"}
    assert second["data"]["case"]["text"] == "Still no refund"
    assert second["data"]["number"] == number


def test_it_is_signed_as_standard_webhooks_says(began: Store, config: Config, receiver: Receiver) -> None:
    told = subscribed(config, subscription(receiver))
    add_case(began, NOW, "Still no refund")
    tell_subscribers(began, told.subscriptions, NOW)
    send(told, began)
    ((headers, body),) = receiver.told
    sent = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mac = base64.b64encode(hmac.new(b"a secret of 24 bytes, ok", sent, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{mac}"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    assert headers["content-type"] == "application/json"


def test_the_example_of_the_specification_gives_its_signature() -> None:
    # standard-webhooks/spec: the example every library of it is tested with.
    headers = signed(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC),
        b'{"test": 2432232314}',
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert key_of("whsec_not base64!") == b"whsec_not base64!"


def test_each_event_is_told_once_however_often_it_is_looked_for(
    began: Store, config: Config, receiver: Receiver
) -> None:
    told = subscribed(config, subscription(receiver), subscription(receiver, name="bi"))
    number = add_case(began, NOW, "late").number
    for _ in range(3):
        happen(began, number, "noted")
        tell_subscribers(began, told.subscriptions, NOW)
        tell_subscribers(began, told.subscriptions, NOW)
    assert send(told, began) == 8
    assert len({headers["webhook-id"] for headers, _ in receiver.told}) == 8


def test_the_past_is_no_news(store: Store, config: Config, receiver: Receiver) -> None:
    add_case(store, NOW, "old")
    wanted = (subscription(receiver),)
    assert tell_subscribers(store, wanted, NOW) == 0
    assert tell_subscribers(store, wanted, NOW) == 0
    add_case(store, NOW, "new")
    assert tell_subscribers(store, wanted, NOW) == 1


def test_a_long_history_is_told_in_bounded_steps(began: Store, config: Config, receiver: Receiver) -> None:
    number = add_case(began, NOW, "late").number
    with began.transaction() as ledger:
        ledger.add_events(CaseEvent(number, NOW, "ann", "noted", str(n)) for n in range(1_200))
    assert tell_subscribers(began, [subscription(receiver)], NOW) == 1_201
    assert tell_subscribers(began, [subscription(receiver)], NOW) == 0


def test_only_what_is_asked_for_is_told(began: Store, config: Config, receiver: Receiver) -> None:
    wanted = [
        subscription(receiver, name="closed", events=("case.closed",)),
        subscription(receiver, name="other", brands=("Kaffa",)),
    ]
    number = add_case(began, NOW, "late").number
    for action in ("noted", "dismissed", "reopened", "removed"):
        happen(began, number, action)
    assert tell_subscribers(began, wanted, NOW) == 1


def test_a_receiver_that_fails_is_told_again_and_later_ones_are_not_lost(
    began: Store, config: Config, receiver: Receiver
) -> None:
    told = subscribed(config, subscription(receiver))
    receiver.answers += [500, (429, {"Retry-After": "7"}), "hang up", "slow"]
    number = add_case(began, NOW, "late").number
    for action in ("noted", "resolved"):
        happen(began, number, action)
    tell_subscribers(began, told.subscriptions, NOW)
    assert send(told, began) == 3
    taken = [headers["webhook-id"] for headers, _ in receiver.told]
    assert len(set(taken)) == 3
    assert len(taken) == 7  # four of them again, by the same id


@pytest.mark.parametrize("status", [301, 307, 401, 404, 410])
def test_an_address_that_is_wrong_is_parked_and_a_redirect_is_not_followed(
    began: Store, config: Config, receiver: Receiver, status: int
) -> None:
    told = subscribed(config, subscription(receiver))
    receiver.answers.append((status, {"Location": receiver.url}))
    add_case(began, NOW, "late")
    tell_subscribers(began, told.subscriptions, NOW)
    clock = [NOW]
    deliver(
        told, began, notifiers_for(told), clock=lambda: clock[0], sleep=lambda s: None, stop=threading.Event()
    )
    assert len(receiver.told) == 1
    with began.reading() as ledger:
        (parked,) = ledger.parked()
    assert parked.channel == "crm"


@pytest.mark.parametrize(
    ("status", "headers", "kind"),
    [
        (429, {"Retry-After": "3"}, RateLimited),
        (503, {"retry-after": "3"}, RateLimited),
        (503, {}, NotSent),
        (500, {}, NotSent),
        (408, {}, NotSent),
        (400, {}, Unrenderable),
        (422, {}, Unrenderable),
        (403, {}, ChannelClosed),
        (410, {}, ChannelClosed),
        (302, {}, ChannelClosed),
    ],
)
def test_what_an_answer_means(status: int, headers: dict[str, str], kind: type[Exception]) -> None:
    assert type(refusal("x", status, headers)) is kind


def test_neither_secret_nor_address_stand_in_an_error(
    began: Store, config: Config, receiver: Receiver
) -> None:
    wanted = subscription(receiver)
    road = EventNotifier([wanted])
    receiver.answers += [500, "hang up"]
    from alerts.notifier import Message

    for kind in (NotSent, Uncertain):
        with pytest.raises(kind) as caught:
            road.post(Message(channel="crm", text="x", outbox_id="evt_1", raw="{}"))
        assert "hidden" not in str(caught.value)
    nobody = EventNotifier([replace(wanted, url="http://127.0.0.1:9/?key=hidden")])
    with pytest.raises(NotSent) as caught:
        nobody.post(Message(channel="crm", text="x", outbox_id="evt_1", raw="{}"))
    assert "hidden" not in str(caught.value)
    assert "hidden" not in repr(wanted)
    assert SECRET not in repr(wanted)


# In lowstar.toml

TABLE = '[[subscriptions]]\nname = "crm"\nurl = "https://crm.example/in"\n'
KEY = {"LOWSTAR_SUBSCRIPTION_CRM_SECRET": SECRET}


def test_the_configuration_names_it_and_the_environment_its_secret(tmp_path: Path) -> None:
    (one,) = load_config(settings(tmp_path, TABLE), KEY).subscriptions
    assert (one.name, one.events, one.secret) == ("crm", TYPES, SECRET)
    assert "subscriber" in road_names(load_config(settings(tmp_path, TABLE), KEY))


@pytest.mark.parametrize(
    ("more", "environ", "words"),
    [
        ("", {}, "LOWSTAR_SUBSCRIPTION_CRM_SECRET: not set"),
        ("", {"LOWSTAR_SUBSCRIPTION_CRM_SECRET": "short"}, "at least 16 characters"),
        ('events = ["case.eaten"]\n', KEY, "allowed: some of case.opened"),
        ('brands = ["Acne"]\n', KEY, 'did you mean "Acme"'),
        ('color = "red"\n', KEY, "subscriptions[1].color"),
    ],
)
def test_mistakes_say_what_is_allowed(tmp_path: Path, more: str, environ: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(settings(tmp_path, TABLE + more), environ)
    assert words in str(caught.value)


def test_an_open_line_is_only_for_this_machine(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="https://"):
        load_config(settings(tmp_path, TABLE.replace("https", "http")), KEY)


def test_run_tells_what_happened_since_the_run_before(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = f'[[subscriptions]]\nname = "crm"\nurl = "{receiver.url}"\n'
    settings(tmp_path, table)
    monkeypatch.chdir(tmp_path)
    for name, value in KEY.items():
        monkeypatch.setenv(name, value)

    def run() -> None:
        done = CliRunner().invoke(cli, ["--config", "lowstar.toml", "run", "--no-crawl"])
        assert done.exit_code == 0, done.output

    run()
    from storage.store import open_store

    with open_store(f"sqlite:///{tmp_path / 'lowstar.db'}") as kept:
        add_case(kept, datetime.now(UTC), "late")
    run()
    run()
    assert [event["type"] for event in receiver.events] == ["case.opened"]


# -- mentions, case or no case ---------------------------------------------------------------------------------


def hear(store: Store, identity: str, label: Label = Label.POSITIVE, at: datetime = NOW, **more: Any) -> None:
    about = Mention(**{"source": "shop", "external_id": identity, "text": f"said {identity}", **more})
    with store.transaction() as ledger:
        written = ledger.write_mentions([about], at)[about.key]
        verdict = Verdict("Acme", Sentiment(0.0, label), Priority.LOW, 0.1, ("why",), ("delivery",))
        ledger.write_verdicts([(written.id, about, verdict)])


def told(store: Store, config: Config, now: datetime = NOW) -> int:
    return tell_subscribers(store, config.subscriptions, now)


def test_new_mentions_are_told_only_to_whoever_asks_for_them_by_name(
    store: Store, config: Config, receiver: Receiver
) -> None:
    everything_else = subscribed(config, subscription(receiver))
    told(store, everything_else)
    hear(store, "1")
    assert told(store, everything_else) == 0


def test_each_new_mention_is_told_once_from_the_first_question_on_whether_or_not_it_became_a_case(
    store: Store, config: Config, receiver: Receiver
) -> None:
    config = subscribed(config, subscription(receiver, events=("mention.new",)))
    hear(store, "before")
    assert told(store, config) == 0
    hear(store, "1")
    add_case(store, NOW, "Never again")
    assert told(store, config) == 2
    assert told(store, config) == 0  # nor when another process follows
    send(config, store)
    first, second = sorted(receiver.events, key=lambda event: int(event["data"]["id"]))
    assert (first["type"], first["data"]["event"]["action"]) == ("mention.new", "heard")
    assert first["data"]["mention"]["text"] == "said 1"
    assert first["data"]["mention"]["topics"] == ["delivery"]
    assert (first["data"]["mention"]["case"], second["data"]["mention"]["case"]) == (None, "REP-0001")
    headers, body = receiver.told[0]
    mac = hmac.new(
        key_of(SECRET),
        f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body,
        hashlib.sha256,
    )
    assert headers["webhook-signature"] == "v1," + base64.b64encode(mac.digest()).decode()


def test_negative_ones_alone_may_be_asked_for_and_of_a_brand(
    store: Store, config: Config, receiver: Receiver
) -> None:
    negative = subscription(receiver, events=("mention.negative",))
    other = subscription(receiver, name="other", events=("mention.new",), brands=("Kaffa",))
    config = subscribed(config, negative, other)
    told(store, config)
    hear(store, "1")
    hear(store, "2", Label.NEGATIVE)
    assert told(store, config) == 1
    send(config, store)
    (event,) = receiver.events
    assert (event["type"], event["data"]["mention"]["text"]) == ("mention.negative", "said 2")


def test_what_was_told_of_a_mention_is_taken_back_when_it_is_removed(
    store: Store, config: Config, receiver: Receiver
) -> None:
    both = subscription(receiver, events=("mention.new", "mention.removed"))
    config = subscribed(config, both, subscription(receiver, name="deaf", events=("mention.new",)))
    hear(store, "before")
    told(store, config)
    hear(store, "1")
    told(store, config)
    send(config, store)
    with store.transaction() as ledger:
        ledger.remove([Removal("shop", "1"), Removal("shop", "before")], NOW + timedelta(minutes=1))
    assert told(store, config, NOW + timedelta(minutes=2)) == 1
    assert told(store, config, NOW + timedelta(minutes=3)) == 0
    send(config, store, NOW + timedelta(minutes=4))
    last = receiver.events[-1]
    assert (last["type"], last["data"]["id"]) == ("mention.removed", 2)
    assert last["data"]["mention"]["text"] == ""


def test_whoever_stops_and_asks_again_is_told_from_then_on(
    store: Store, config: Config, receiver: Receiver
) -> None:
    asking = subscribed(config, subscription(receiver, events=("mention.new",)))
    silent = subscribed(config, subscription(receiver))
    told(store, asking)
    told(store, silent)
    hear(store, "in between")
    assert told(store, silent) == told(store, asking) == 0
    hear(store, "1")
    assert told(store, asking) == 1


def test_more_new_mentions_than_a_transaction_takes_are_all_told(
    store: Store, config: Config, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alerts.subscribers.BATCH", 3)
    config = subscribed(config, subscription(receiver, events=("mention.new",)))
    told(store, config)
    for identity in range(8):
        hear(store, str(identity))
    assert told(store, config) == 8


def test_the_mentions_that_are_gone_are_read_from_their_index(sqlite_store: Store) -> None:
    statement = gone_since(NOW, after=0).compile(
        dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}
    )
    with sqlite_store.reading() as ledger:
        plan = ledger._connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all()
    assert "ix_mentions_removed_at" in plan[0][3]
