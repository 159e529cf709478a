"""Does lowstar.toml become a Config, and does every mistake in it get its one line?"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor import config_check
from monitor.config import Config, ConfigError, load_config, read_config
from monitor.init_template import toml_text
from storage.records import Priority

GOOD: dict[str, Any] = {
    "timezone": "Europe/Berlin",
    "store": {"url": "sqlite:///here.db"},
    "brands": [
        {
            "name": "Acme",
            "terms": ["Acme", "acme.com"],
            "not": ["acme of"],
            "near": ["shop"],
            "rivals": ["Globex"],
        },
        {"name": "Kaffa"},
    ],
    "sources": [
        {
            "name": "shop",
            "kind": "reviews",
            "urls": ["https://shop.example/r"],
            "every": "15m",
            "about": ["Acme"],
        },
        {
            "name": "forum",
            "kind": "selectors",
            "urls": ["https://forum.example/"],
            "item": "article",
            "fields": {"text": ".body"},
            "mentions_are": "post",
        },
        {"name": "news", "kind": "feed", "urls": ["https://news.example/rss"]},
        {"name": "hn", "kind": "hackernews", "queries": ["Acme"], "tags": ["story"]},
        {"name": "red", "kind": "reddit", "subreddits": ["r/AskReddit"], "limit": 50},
    ],
    "routes": [{"channel": "#urgent", "priority": "urgent", "brands": ["Acme"], "sources": ["shop"]}],
    "slack": {"channel": "#alerts", "timeout": "20s", "pace": "1s"},
    "reddit": {"user_agent": "linux:lowstar:0.1"},
    "alerts": {"max_age": "30d", "reconcile_after": "60s"},
    "triage": {"urgent_stars": 1, "viral_reach": 500},
    "crawl": {"delay": "1s", "allow_hosts": ["Shop.internal"], "obey_robots": True},
    "digest": {
        "channel": "#digest",
        "day": "friday",
        "topics": [{"name": "chat bot", "terms": ["bot", "robot"], "brands": ["Acme"]}],
    },
}


def as_toml(value: Any, *, top: bool = True) -> str:
    """Any document as TOML text, tables inline."""
    match value:
        case dict():
            if top:
                return "".join(
                    f"{toml_text(key)} = {as_toml(inner, top=False)}\n" for key, inner in value.items()
                )
            return (
                "{" + ", ".join(f"{toml_text(k)} = {as_toml(v, top=False)}" for k, v in value.items()) + "}"
            )
        case list():
            return "[" + ", ".join(as_toml(inner, top=False) for inner in value) + "]"
        case bool():
            return "true" if value else "false"
        case str():
            return toml_text(value)
        case float():
            return {"inf": "inf", "-inf": "-inf", "nan": "nan"}.get(str(value), repr(value))
        case _:
            return str(value)


def load(tmp_path: Path, document: Any, environ: dict[str, str] | None = None) -> Config:
    path = tmp_path / "lowstar.toml"
    path.write_text(document if isinstance(document, str) else as_toml(document), encoding="utf-8")
    return load_config(path, environ or {})


def problems(tmp_path: Path, document: Any, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, document, environ)
    assert str(caught.value).splitlines() == caught.value.problems
    return [line.removeprefix(f"{tmp_path}/") for line in caught.value.problems]


def with_(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(GOOD), **changes}


def source(**changes: Any) -> dict[str, Any]:
    return with_(sources=[{**GOOD["sources"][0], **changes}], routes=[])


def test_a_full_file_becomes_a_config(tmp_path: Path) -> None:
    config = load(tmp_path, GOOD)
    assert [brand.terms for brand in config.brands] == [("Acme", "acme.com"), ("Kaffa",)]
    assert config.brands[0].not_terms == ("acme of",)
    shop = config.source("shop")
    assert (shop.every, shop.about, shop.title) == (timedelta(minutes=15), ("Acme",), "Shop")
    forum = config.source("forum").options
    assert forum == {"item": "article", "fields": {"text": ".body"}, "kind": "post"}
    assert config.source("red").options == {"subreddits": ("AskReddit",), "limit": 50}
    assert config.routes[0].priority is Priority.URGENT
    assert config.slack.timeout == 20
    assert config.crawl.allow_hosts == ("shop.internal",)
    assert config.warnings == ()


def test_paths_count_from_the_folder_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(tmp_path, GOOD)
    monkeypatch.chdir(tmp_path)
    config = load_config(None, {})
    assert config.path == tmp_path / "lowstar.toml"
    assert config.store_url == f"sqlite:///{tmp_path}/here.db"
    assert load_config(None, {"LOWSTAR_CONFIG": str(tmp_path / "lowstar.toml")}).path == config.path


def test_a_wrong_value_names_file_key_what_was_found_and_what_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = with_()
    document["sources"][1]["every"] = "soon"
    (tmp_path / "lowstar.toml").write_text(as_toml(document))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as caught:
        load_config(None, {})
    assert str(caught.value) == (
        'lowstar.toml: sources[2].every: found "soon"; '
        'allowed: a duration such as "15m", "2h", "1d" (source "forum")'
    )


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (source(evry="1h"), 'sources[1].evry: unknown key; did you mean "every"?'),
        (with_(zzz=1), "zzz: unknown key; allowed: timezone, store, brands"),
        (with_(brands=[]), "brands: missing; allowed: at least one [[brands]] with a name"),
        (
            source(kind="review"),
            'found "review"; allowed: "reviews", "selectors", "feed", "hackernews", "reddit"',
        ),
        (source(kind="review"), 'did you mean "reviews"?'),
        (source(about=["Acne"]), 'sources[1].about[1]: found "Acne"'),
        (source(about=["Acne"]), 'did you mean "Acme"?'),
        (source(urls=["file:///etc/passwd"]), "begins with https:// or http://"),
        (source(urls=["https://shop.example:99999/"]), "sources[1].urls[1]"),
        (source(urls=[]), "sources[1].urls: found an empty list"),
        (source(urls="https://shop.example/"), "allowed: a list of web addresses"),
        (source(max_pages=True), "sources[1].max_pages: found true; allowed: a whole number from 1"),
        (source(every=900), "sources[1].every: found 900; allowed: a duration"),
        (source(every="0s"), 'allowed: a duration from "1s" to "4w"'),
        (source(backfill="loud"), '"silent", "alert"'),
        (source(language="english please"), "a language code"),
        (source(name="  "), "sources[1].name"),
        (source(item="a"), "sources[1].item: unknown key"),
        (with_(sources=[GOOD["sources"][0]] * 2, routes=[]), 'found "shop"; allowed: each name once'),
        (
            with_(brands=[{"name": "Acme"}, {"name": "Acme"}]),
            'brands[2].name: found "Acme"; allowed: each name once',
        ),
        (with_(brands=[{"name": "Acme", "terms": []}]), "brands[1].terms: found an empty list"),
        (with_(timezone="Europe/Berln"), 'did you mean "Europe/Berlin"?'),
        (with_(timezone="../../etc/passwd"), "timezone: found"),
        (with_(store={"url": "mysql://x/y"}), 'allowed: "sqlite:///lowstar.db" or "postgresql://HOST/NAME"'),
        (with_(store={"url": "sqlite://"}), "store.url"),
        (with_(slack={"channel": "alerts"}), 'did you mean "#alerts"?'),
        (with_(slack={"base_url": "http://slack.example/api/"}), "https://, as a secret is sent there"),
        (with_(routes=[{"channel": "#a", "brands": ["Acmee"]}]), 'did you mean "Acme"?'),
        (with_(routes=[{"channel": "#a", "sources": ["shopp"]}]), 'did you mean "shop"?'),
        (with_(routes=[{"channel": "#a", "notifier": "slack"}]), '"console", or set LOWSTAR_SLACK_TOKEN'),
        (with_(routes=[{"channel": "#a", "priority": "hgh"}]), 'did you mean "high"?'),
        (with_(alerts={"reconcile_after": "20s"}), 'longer than slack.timeout ("20s")'),
        (with_(triage={"urgent_stars": 4}), "urgent_stars at most high_stars"),
        (with_(triage={"negative": float("nan")}), "triage.negative"),
        (with_(crawl={"allow_hosts": ["http://a/"]}), "crawl.allow_hosts[1]"),
        (with_(brands="Acme"), 'brands: found "Acme"; allowed: tables that begin with [[brands]]'),
    ],
)
def test_a_mistake_says_what_is_allowed(tmp_path: Path, document: dict[str, Any], said: str) -> None:
    found = problems(tmp_path, document)
    assert any(said in line for line in found), found
    assert len(found) == 1, found


def test_syntax_errors_name_line_and_column(tmp_path: Path) -> None:
    assert problems(tmp_path, 'timezone = "UTC"\n[[brands]\n') == [
        "lowstar.toml: line 2, column 9: not TOML: Expected ']]' at the end of an array declaration"
    ]
    assert problems(tmp_path, 'a = "')[0].startswith("lowstar.toml: line 1, column 6: not TOML")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a = " + b"9" * 5000, b"a = " + b"[" * 5000, b"\x00"])
def test_odd_files_are_mistakes_and_no_traceback(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "lowstar.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_config(path, {})
    assert len(caught.value.problems) == 1


def test_a_missing_file_says_what_writes_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='there is no such file; "lowstar init" writes one'):
        load_config(tmp_path / "lowstar.toml", {})
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path, {})


# -- secrets ------------------------------------------------------------------------------------------------

TOKEN = "xoxb-1234-secret"


def test_secrets_come_from_the_environment_and_are_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("reddit-secret\n")
    environ = {
        "LOWSTAR_SLACK_TOKEN": TOKEN,
        "LOWSTAR_SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T0/B0/hidden",
        "LOWSTAR_REDDIT_CLIENT_ID": "reddit-id",
        "LOWSTAR_REDDIT_CLIENT_SECRET_FILE": str(file),
        "LOWSTAR_STORE_URL": "postgresql://me:hunter2@db/x",
    }
    config = load(tmp_path, GOOD, environ)
    assert config.slack.token == TOKEN
    assert config.reddit.client_secret == "reddit-secret"
    assert config.store_url == "postgresql://me:hunter2@db/x"
    for secret in (TOKEN, "hidden", "reddit-id", "reddit-secret", "hunter2"):
        assert secret not in repr(config)
        assert secret not in str(config)


def test_the_usual_name_of_slacks_token_is_read_too(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD, {"SLACK_BOT_TOKEN": TOKEN}).slack.token == TOKEN
    both = {"SLACK_BOT_TOKEN": "xoxb-other", "LOWSTAR_SLACK_TOKEN": TOKEN}
    assert load(tmp_path, GOOD, both).slack.token == TOKEN


def test_a_secret_given_twice_or_in_an_unreadable_file_is_a_mistake(tmp_path: Path) -> None:
    environ = {
        "LOWSTAR_SLACK_TOKEN": TOKEN,
        "LOWSTAR_SLACK_TOKEN_FILE": "x",
        "LOWSTAR_REDDIT_CLIENT_ID_FILE": "/nowhere/at/all",
        "LOWSTAR_SLACK_APP_TOKEN": "nonsense",
    }
    assert problems(tmp_path, GOOD, environ) == [
        "LOWSTAR_SLACK_TOKEN: set together with LOWSTAR_SLACK_TOKEN_FILE; allowed: one of the two",
        "LOWSTAR_SLACK_APP_TOKEN: its value is not shown; "
        "allowed: an app-level token, which begins with xapp-",
        "LOWSTAR_REDDIT_CLIENT_ID_FILE: '/nowhere/at/all' cannot be read: No such file or directory",
    ]


@pytest.mark.parametrize(
    ("document", "variable"),
    [
        (with_(slack={"token": TOKEN}), "LOWSTAR_SLACK_TOKEN"),
        (with_(slack={"channel": TOKEN}), "LOWSTAR_SLACK_TOKEN"),
        (with_(slack={"app_token": "xapp-secret"}), "LOWSTAR_SLACK_APP_TOKEN"),
        (
            source(urls=["https://shop.example/", "https://hooks.slack.com/services/T/B/secret"]),
            "WEBHOOK_URL",
        ),
        (with_(reddit={"client_secret": "secret"}), "LOWSTAR_REDDIT_CLIENT_SECRET"),
        (with_(store={"url": "postgresql://u:secret@h/x"}), "LOWSTAR_STORE_URL"),
    ],
)
def test_a_secret_in_the_file_is_a_mistake_that_does_not_repeat_it(
    tmp_path: Path, document: dict[str, Any], variable: str
) -> None:
    found = problems(tmp_path, document)
    assert len(found) == 1
    assert variable in found[0]
    assert "secret@" not in found[0]
    assert "-secret" not in found[0]
    assert TOKEN not in found[0]


def test_a_field_of_a_page_may_be_called_token(tmp_path: Path) -> None:
    document = with_()
    document["sources"][1]["fields"]["token"] = ".x"
    assert load(tmp_path, document).source("forum").options["fields"]["token"] == ".x"


# -- routes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "notifier"),
    [
        ({"LOWSTAR_SLACK_TOKEN": TOKEN}, "slack"),
        ({"LOWSTAR_SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/x"}, "webhook"),
        ({}, "console"),
    ],
)
def test_the_road_is_decided_by_the_secrets_there_are(
    tmp_path: Path, environ: dict[str, str], notifier: str
) -> None:
    config = load(
        tmp_path, with_(routes=[{"channel": "#a"}, {"channel": "b", "notifier": "console"}]), environ
    )
    assert [route.notifier for route in config.routes] == [notifier, "console"]
    without = {key: value for key, value in GOOD.items() if key != "routes"}
    (route,) = load(tmp_path, without, environ).routes
    assert (route.channel, route.notifier, route.priority) == ("#alerts", notifier, Priority.HIGH)


def test_without_slack_and_routes_alerts_go_to_the_console(tmp_path: Path) -> None:
    (route,) = load(tmp_path, {"brands": [{"name": "Acme"}]}).routes
    assert (route.channel, route.notifier) == ("console", "console")
    config = load(tmp_path, {"brands": [{"name": "Acme"}]}, {"SLACK_BOT_TOKEN": TOKEN})
    assert config.routes[0].notifier == "console"
    assert "slack.channel: missing" in config.warnings[1]


def test_what_is_likely_not_meant_is_a_warning(tmp_path: Path) -> None:
    config = load(tmp_path, {"brands": [{"name": "Acme", "terms": ["AC", "茶"]}]})
    assert len(config.warnings) == 2
    assert '"AC" is short' in config.warnings[0]
    assert "nothing is collected" in config.warnings[1]


# -- whatever the file holds --------------------------------------------------------------------------------

_WORDS = """
    name kind urls every about terms not near item fields token channel priority timeout url limit search
    timezone brands sources routes slack store alerts triage crawl reddit max_age delay zzz
"""
_KEYS = st.sampled_from(_WORDS.split()) | st.text(max_size=8)
_LEAVES = (
    st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.sampled_from(
        ["1h", "soon", "#a", "reviews", "selectors", "reddit", "https://a.example/", TOKEN, "Acme"]
    )
)
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)
_DOCUMENTS = st.dictionaries(_KEYS, _VALUES, max_size=6) | st.builds(
    lambda changes: {**GOOD, **changes}, st.dictionaries(st.sampled_from(list(GOOD)), _VALUES, max_size=4)
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=_DOCUMENTS)
def test_any_toml_gives_a_config_or_mistakes_of_one_line_each(
    tmp_path: Path, document: dict[str, Any]
) -> None:
    try:
        config = load(tmp_path, document)
    except ConfigError as error:
        lines = error.problems
    else:
        assert isinstance(config, Config)
        return
    assert lines
    assert all(line and "\n" not in line and TOKEN not in line for line in lines)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_gives_a_config_or_mistakes(tmp_path: Path, content: str) -> None:
    with pytest.raises(ConfigError):
        load(tmp_path, content)


Plant = Callable[[dict[str, Any]], None]
PLANTS: dict[str, Plant] = {
    "timezone": lambda d: d.update(timezone="Mars/Olympus"),
    "unknown top key": lambda d: d.update(stoer={}),
    "store": lambda d: d.update(store={"url": "ftp://x"}),
    "brand terms": lambda d: d["brands"][0].update(terms="Acme"),
    "brand key": lambda d: d["brands"][1].update(trems=["x"]),
    "every": lambda d: d["sources"][0].update(every="soon"),
    "url": lambda d: d["sources"][0].update(urls=["ftp://x"]),
    "about": lambda d: d["sources"][0].update(about=["Nobody"]),
    "kind": lambda d: d["sources"][2].update(kind="feeed"),
    "name": lambda d: d["sources"][3].update(name="shop"),
    "tags": lambda d: d["sources"][3].update(tags=["stories"]),
    "limit": lambda d: d["sources"][4].update(limit=0),
    "fields": lambda d: d["sources"][1].pop("fields"),
    "route brand": lambda d: d["routes"][0].update(brands=["Nobody"]),
    "priority": lambda d: d["routes"][0].update(priority="worst"),
    "slack token": lambda d: d["slack"].update(token=TOKEN),
    "timeout": lambda d: d["slack"].update(timeout="forever"),
    "max age": lambda d: d["alerts"].update(max_age=30),
    "triage": lambda d: d["triage"].update(urgent_stars=9),
    "crawl": lambda d: d["crawl"].update(obey_robots="no"),
    "reddit": lambda d: d["reddit"].update(oauth_url="oauth"),
    "digest day": lambda d: d["digest"].update(day="mon"),
    "digest topic": lambda d: d["digest"]["topics"][0].update(brands=["Nobody"]),
}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chosen=st.sets(st.sampled_from(sorted(PLANTS)), min_size=1))
def test_every_planted_mistake_has_exactly_one_line(tmp_path: Path, chosen: set[str]) -> None:
    document = copy.deepcopy(GOOD)
    for plant in chosen:
        PLANTS[plant](document)
    found = problems(tmp_path, document)
    assert len(found) == len(chosen), found


# -- the documentation --------------------------------------------------------------------------------------


def test_every_setting_stands_in_the_documentation(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, set[str]] = {}
    closing = config_check.Table.close

    def close(self: config_check.Table) -> None:
        section = re.sub(r"\[[0-9]+\]", "", self.where)
        asked.setdefault(section, set()).update(self._asked)
        closing(self)

    monkeypatch.setattr(config_check.Table, "close", close)
    read_config(GOOD, Path("lowstar.toml"), {})
    text = (Path(__file__).resolve().parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
    sections = {
        re.sub(r"[\[\]]", "", part.partition("\n")[0]).strip(): part for part in text.split("\n## ")[1:]
    }
    for section, keys in asked.items():
        part = sections[section or "Top level"]
        for key in keys:
            assert f"\n| `{key}` |" in part, f"{section}.{key} is not documented"
    from monitor.config_secrets import VARIABLES

    for variable in VARIABLES:
        assert f"`{variable}`" in sections["Secrets"]
