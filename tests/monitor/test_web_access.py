"""Does the dashboard let in whom it should, and nobody else? Nothing changes that nobody meant to change."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest

pytest.importorskip("starlette", reason="the extra `web` is not installed")

from click.testing import CliRunner
from dashboard import TOKENS, Visitor, served, web_config
from shelf import add_case, settings

from monitor.cli import cli
from monitor.commands.serve import exposed
from monitor.config import ConfigError, load_config
from monitor.config_web import Role, Web
from monitor.web.security import Attempts, Gate, TooMany, safe_next, session_key
from storage.records import CaseStatus
from storage.store import Store

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
FORM = {"Content_Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def port(sqlite_store: Store, tmp_path: Path) -> Iterator[int]:
    add_case(sqlite_store, NOW, "They lost my parcel")
    with served(web_config(tmp_path, url="https://mood.example"), sqlite_store, NOW) as port:
        yield port


def test_a_stranger_is_asked_to_sign_in_and_comes_back_to_the_page(port: int) -> None:
    answer = Visitor(port).ask("/cases/1?back=%2F")
    assert answer.status == 303
    assert answer.headers["location"] == "/sign-in?next=/cases/1%3Fback%3D%252F"
    assert b"parcel" not in answer.body


@pytest.mark.parametrize(
    "path",
    ["/", "/cases/1", "/mentions", "/mentions/1", "/trends", "/sources", "/digests", "/live", "/export.csv",
     "/feeds/cases.atom", "/feeds/mentions.atom?key=x", "/api/v1/cases", "/api/v1/openapi.json", "/metrics"],
)  # fmt: skip
def test_without_a_token_no_address_tells_anything(port: int, path: str) -> None:
    answer = Visitor(port).ask(path)
    assert answer.status in (303, 401, 403)
    assert b"parcel" not in answer.body


def test_a_token_signs_in_and_the_cookie_is_a_careful_one(port: int) -> None:
    visitor = Visitor(port)
    answer = visitor.sign_in()
    assert (answer.status, answer.headers["location"]) == (303, "/")
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "SameSite=Strict" in answer.headers["set-cookie"]
    page = visitor.ask("/")
    assert page.status == 200
    assert "They lost my parcel" in page.text


def test_a_session_ends_with_its_token_its_time_and_its_signature(
    sqlite_store: Store, tmp_path: Path
) -> None:
    config = web_config(tmp_path)
    key = session_key(sqlite_store, NOW)
    assert key == session_key(sqlite_store, NOW)
    clock = [NOW]
    gate = Gate(config.web, key, lambda: clock[0])
    cookie = f"lowstar_session={gate.session(config.web.tokens[1], 'Anna')}"

    def person(gate: Gate, cookie: str = cookie) -> object:
        return gate.visit("127.0.0.1", "http", {"cookie": cookie}).person

    found = gate.visit("127.0.0.1", "http", {"cookie": cookie}).person
    assert found is not None
    assert (found.name, found.role) == ("Anna", Role.ACT)
    assert person(gate, cookie[:-2] + "xx") is None
    assert person(gate, "lowstar_session=e30.x") is None
    assert person(Gate(web_config(tmp_path, tokens=()).web, key, lambda: NOW)) is None
    assert person(Gate(config.web, b"another key" * 3, lambda: NOW)) is None
    clock[0] = NOW + config.web.session + timedelta(seconds=1)
    assert person(gate) is None


def test_reading_is_not_acting_and_acting_is_not_taking_everything_out(port: int) -> None:
    reader, actor, admin = Visitor(port), Visitor(port), Visitor(port)
    reader.sign_in(Role.READ)
    actor.sign_in(Role.ACT)
    admin.sign_in(Role.ADMIN)
    assert "claim" not in reader.ask("/cases/1").text.lower().replace("claimed", "")
    assert reader.post("/cases/1/claim").status == 403
    assert reader.ask("/export.csv").status == actor.ask("/export.csv").status == 403
    assert admin.ask("/export.csv").status == 200
    assert actor.post("/cases/1/claim").status == 303


@pytest.mark.parametrize(
    ("fields", "headers"),
    [
        ({}, {}),
        ({"csrf": "x" * 43}, {}),
        ({"csrf": "right"}, {"Origin": "https://evil.example"}),
        ({"csrf": "right"}, {"Origin": "null"}),
        ({"csrf": "right"}, {"Sec_Fetch_Site": "cross-site"}),
        ({"csrf": "right"}, {"Sec_Fetch_Site": "same-site"}),
    ],
)
def test_a_form_that_is_not_ours_changes_nothing(
    port: int, sqlite_store: Store, fields: dict[str, str], headers: dict[str, str]
) -> None:
    visitor = Visitor(port)
    visitor.sign_in()
    if fields.get("csrf") == "right":
        fields = {"csrf": visitor.csrf()}
    answer = visitor.ask("/cases/1/claim", method="POST", body=urlencode(fields), **FORM, **headers)
    assert answer.status == 403
    with sqlite_store.reading() as ledger:
        case = ledger.case(1)
    assert case is not None
    assert case.status is CaseStatus.OPEN


def test_the_form_value_of_one_person_is_worth_nothing_to_another(port: int) -> None:
    anna, bert = Visitor(port), Visitor(port)
    anna.sign_in(name="Anna")
    bert.sign_in(name="Bert")
    answer = bert.ask("/cases/1/claim", method="POST", body=urlencode({"csrf": anna.csrf()}), **FORM)
    assert answer.status == 403


def test_no_get_changes_anything(port: int) -> None:
    visitor = Visitor(port)
    visitor.sign_in(Role.ADMIN)
    for path in ("/cases/1/claim", "/saved", "/saved/drop", "/sign-out", "/api/v1/cases/1/claim"):
        assert visitor.ask(path).status in (404, 405), path
    assert visitor.ask("/").status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "[::1", "localhost.evil", "x:80"]
)
def test_a_host_nobody_named_is_refused(port: int, host: str) -> None:
    answer = Visitor(port, headers={"Host": host}).ask("/sign-in")
    assert answer.status in (400, 421)
    assert b"form" not in answer.body


@pytest.mark.parametrize("host", ["127.0.0.1:9", "localhost", "LOCALHOST:8765", "[::1]:8765"])
def test_this_machine_has_its_usual_names(port: int, host: str) -> None:
    assert Visitor(port, headers={"Host": host}).ask("/sign-in").status == 200


def test_every_answer_carries_the_headers_that_keep_a_page_to_itself(port: int) -> None:
    visitor = Visitor(port)
    for path in ("/", "/sign-in", "/nowhere", "/static/style.css", "/api/v1/cases", "/live"):
        headers = visitor.ask(path).headers
        csp = headers["content-security-policy"]
        assert "default-src 'self'" in csp
        assert "unsafe" not in csp
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "server" not in headers
    assert visitor.ask("/sign-in").headers["cache-control"] == "no-store"


def test_whoever_guesses_waits_and_others_do_not(port: int) -> None:
    visitor = Visitor(port)
    csrf = visitor.csrf("/sign-in")
    statuses = [
        visitor.ask(
            "/sign-in", method="POST", body=urlencode({"csrf": csrf, "token": f"wrong-{at}"}), **FORM
        ).status
        for at in range(12)
    ]
    assert statuses == [401] * 10 + [429] * 2
    late = visitor.ask("/api/v1/cases", Authorization=f"Bearer {TOKENS[Role.READ]}")
    assert late.status == 429
    assert int(late.headers["retry-after"]) > 0
    elsewhere = Visitor(port, headers={"X-Forwarded-For": "192.0.2.7"})  # behind the proxy on this machine
    assert elsewhere.sign_in().status == 303


def test_an_ipv6_network_is_one_guesser() -> None:
    attempts = Attempts()
    for at in range(10):
        attempts.wrong(f"2001:db8::{at:x}", NOW)
    with pytest.raises(TooMany):
        attempts.check("2001:db8::ffff", NOW)
    attempts.check("2001:db8:1::1", NOW)
    attempts.check("2001:db8::1", NOW + timedelta(minutes=6))


def test_a_reverse_proxy_signs_people_in_and_nobody_else_can_claim_to_be_one(
    sqlite_store: Store, tmp_path: Path
) -> None:
    config = web_config(tmp_path, proxy_header="X-Forwarded-User", proxy_admins=("root",), tokens=())
    gate = Gate(config.web, b"k" * 32, lambda: NOW)
    headers = {"x-forwarded-user": "anna", "x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.1"}
    visit = gate.visit("127.0.0.1", "http", headers)
    assert visit.person is not None
    assert (visit.person.name, visit.person.role, visit.secure) == ("anna", Role.ACT, True)
    assert visit.address == "192.0.2.1"
    root = gate.visit("127.0.0.1", "http", {"x-forwarded-user": "root"}).person
    assert root is not None
    assert root.role is Role.ADMIN
    stranger = gate.visit("192.0.2.9", "http", headers)
    assert stranger.person is None
    assert not stranger.secure
    alone = Gate(web_config(tmp_path).web, b"k" * 32, lambda: NOW).visit("127.0.0.1", "http", headers)
    assert (alone.person, alone.address, alone.secure) == (None, "127.0.0.1", False)
    with served(config, sqlite_store, NOW) as port:
        assert Visitor(port, headers={"X-Forwarded-User": "anna"}).ask("/").status == 200
        secure = Visitor(port, headers={"X-Forwarded-User": "anna", "X-Forwarded-Proto": "https"}).ask("/")
        assert "Secure" in secure.headers["set-cookie"]
        assert "strict-transport-security" in secure.headers


@pytest.mark.parametrize(
    "address",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/\n/x", ""],
)
def test_signing_in_never_leads_elsewhere(address: str) -> None:
    assert safe_next(address) == "/"


def test_other_machines_are_let_in_only_behind_a_sign_in(tmp_path: Path) -> None:
    assert exposed(Web()) == ""
    assert exposed(Web(bind="::1")) == ""
    assert "LOWSTAR_WEB_TOKEN" in exposed(Web(bind="0.0.0.0"))
    assert exposed(Web(bind="0.0.0.0", proxy_header="X-User")) == ""
    assert exposed(web_config(tmp_path, bind="0.0.0.0").web) == ""
    done = CliRunner().invoke(cli, ["--config", str(settings(tmp_path)), "serve", "--bind", "0.0.0.0"])
    assert done.exit_code == 2
    assert "nobody would have to sign in" in done.output


def test_the_command_prints_a_link_serves_and_ends_when_told(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "monitor", "--config", str(settings(tmp_path)), "serve", "--port", "0"]
    running = subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert running.stdout is not None
        said = [running.stdout.readline(), running.stdout.readline()]
        link = re.search(r"http://127\.0\.0\.1:(\d+)/sign-in#([\w-]{20,})", said[1])
        assert link, said
        visitor = Visitor(int(link[1]))
        sent = {"csrf": visitor.csrf("/sign-in"), "token": link[2], "name": "Anna"}
        assert visitor.ask("/sign-in", method="POST", body=urlencode(sent), **FORM).status == 303
        assert "Nothing to answer" in visitor.ask("/").text
        assert Visitor(int(link[1])).ask("/healthz").text == "ok"
    finally:
        running.terminate()
        running.communicate(timeout=30)
    assert running.returncode in (0, -15)


def test_tokens_come_from_the_environment_or_a_file_and_are_never_shown(tmp_path: Path) -> None:
    path = settings(tmp_path, '[web]\nport = 9000\nhosts = ["Mood.example"]\n')
    assert load_config(path, {"LOWSTAR_WEB_TOKEN": "0123456789abcdef"}).web.tokens[0].role is Role.ADMIN
    (tmp_path / "tokens").write_text("read:Marketing:0123456789abcdef\nact:Anna:abcdef0123456789\n")
    web = load_config(path, {"LOWSTAR_WEB_TOKEN_FILE": "tokens"}).web
    assert [(one.name, one.role.word) for one in web.tokens] == [("Marketing", "read"), ("Anna", "act")]
    assert web.hosts == ("mood.example",)
    assert "0123456789abcdef" not in repr(web)
    with pytest.raises(ConfigError) as mistake:
        load_config(path, {"LOWSTAR_WEB_TOKEN": "short"})
    assert "short" not in str(mistake.value)
    assert "at least 16" in str(mistake.value)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('bind = "nowhere"', "web.bind"),
        ('hosts = ["https://x.example"]', "web.hosts[1]"),
        ('proxy_header = "X User"', "web.proxy_header"),
        ('trusted_proxies = ["proxy"]', "web.trusted_proxies[1]"),
        ('proxy_role = "boss"', "web.proxy_role"),
        ("ports = 1", "web.ports"),
    ],
)
def test_a_mistake_in_web_names_its_key(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(ConfigError, match=r"web\.") as mistake:
        load_config(settings(tmp_path, f"[web]\n{line}\n"), {})
    assert said in str(mistake.value)


def test_a_large_body_is_refused(port: int) -> None:
    visitor = Visitor(port)
    visitor.sign_in()
    assert visitor.ask("/cases/1/note", method="POST", body="x" * 70_000, **FORM).status == 413
