"""JSON APIs in lowstar.toml: every option checked, every key kept out of sight."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from monitor.config import Config, ConfigError, read_config
from monitor.config_apis import APIS, keys_of, missing_key, variable

SECRET = "do-not-show-this-key"


def config(environ: dict[str, str] | None = None, **source: Any) -> Config:
    document = {"brands": [{"name": "Acme"}], "sources": [{"name": "ours", **source}]}
    return read_config(document, Path("lowstar.toml"), environ or {})


def problems(**source: Any) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        config(**source)
    return refused.value.problems


GOOD: dict[str, dict[str, Any]] = {
    "steam": {"apps": ["329070"]},
    "app_store": {"apps": ["383298204"], "countries": ["us", "de"]},
    "mastodon": {"hashtags": ["#acme", "kaffee_ähm"], "api_url": "https://social.example"},
    "bluesky": {"queries": ["Acme"]},
    "youtube": {"channels": ["UC_x5XG1OV2P6uZZ5FSM9Ttw"], "budget": 5000},
    "trustpilot": {"business_units": ["46d6a890ffa235a75b00021d"]},
    "google_places": {"places": ["ChIJt-AOOKmhwUcRyyG6Wo81sho"]},
    "trustpilot_private": {"business_units": ["46d6a890ffa235a75b00021d"]},
    "google_business": {"locations": ["accounts/1/locations/2"], "titles": ["Acme, Leeds store"]},
    "yelp": {"businesses": ["yelp-san-francisco"]},
    "stack_exchange": {"sites": ["stackoverflow", "coffee.stackexchange.com"]},
    "discourse": {"api_url": "https://forum.example"},
    "lemmy": {},
    "github": {"repositories": ["acme/shop"]},
    "google_play_owner": {"apps": ["com.acme.shop"], "token_url": "https://oauth.example/token"},
    "app_store_connect": {"apps": ["383298204"]},
    "x": {"queries": ["Acme"], "budget": 10_000},
    "threads": {},
    "facebook": {"pages": ["19292868552"]},
    "instagram": {"accounts": ["17841405309211844"]},
    "tripadvisor": {"locations": ["89575"], "languages": ["de"]},
}


@pytest.mark.parametrize("kind", sorted(APIS))
def test_what_a_kind_needs_is_enough(kind: str) -> None:
    (source,) = config(kind=kind, **GOOD[kind]).sources
    assert source.kind == kind
    for name, value in GOOD[kind].items():
        assert source.options[name] == (tuple(value) if isinstance(value, list) else value)


@pytest.mark.parametrize("kind", sorted(APIS))
def test_a_key_that_is_not_known_is_named(kind: str) -> None:
    (problem,) = problems(kind=kind, **GOOD[kind], apss=["1"])
    assert "sources[1].apss: unknown key" in problem


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"kind": "steam"}, "apps: missing; allowed: a list of app ids"),
        ({"kind": "steam", "apps": ["Hades"]}, 'apps[1]: found "Hades"'),
        ({"kind": "steam", "apps": "329070"}, 'apps: found "329070"; allowed: a list of app ids'),
        ({"kind": "app_store", "apps": ["1"], "countries": ["USA"]}, 'countries[1]: found "USA"'),
        ({"kind": "yelp", "businesses": ["../../v3/me"]}, "businesses[1]: found"),
        ({"kind": "github", "repositories": ["acme"]}, "repositories[1]: found"),
        ({"kind": "google_business", "locations": ["2"]}, "accounts/1/locations/2"),
        ({"kind": "discourse"}, "api_url: missing"),
        ({"kind": "discourse", "api_url": "forum.example"}, "api_url: found"),
        ({"kind": "youtube"}, "videos: missing; allowed: videos = "),
        ({"kind": "x", "api_url": "http://x.example"}, "https://, as a secret is sent there"),
        ({"kind": "x", "budget": 0}, "budget: found 0; allowed: a whole number from 1"),
        ({"kind": "lemmy", "budget": 5}, "budget: unknown key"),
        ({"kind": "threads", "queries": []}, "queries: found an empty list"),
        ({"kind": "bluesky", "urls": ["https://bsky.app"]}, "urls: not used by the kind"),
    ],
)
def test_a_mistake_has_one_line_that_says_what_is_allowed(source: dict[str, Any], words: str) -> None:
    (problem,) = problems(**source)
    assert words in problem
    assert '(source "ours")' in problem


def test_a_stand_in_on_this_machine_needs_no_https() -> None:
    (source,) = config(kind="x", api_url="http://127.0.0.1:8080/x").sources
    assert source.options["api_url"] == "http://127.0.0.1:8080/x"


def test_keys_come_from_the_environment_or_a_file_and_are_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(SECRET + "\n", encoding="utf-8")
    environ = {"LOWSTAR_X_TOKEN": SECRET, "LOWSTAR_YELP_KEY_FILE": str(file)}
    read = config(environ, kind="lemmy")
    assert keys_of("x", read.keys) == {"token": SECRET}
    assert keys_of("yelp", read.keys) == {"key": SECRET}
    assert SECRET not in repr(read)


def test_a_private_key_may_have_several_lines(tmp_path: Path) -> None:
    pem = "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----"
    (tmp_path / "key.p8").write_text(pem + "\n", encoding="utf-8")
    environ = {"LOWSTAR_APP_STORE_CONNECT_PRIVATE_KEY_FILE": str(tmp_path / "key.p8")}
    read = config(environ, kind="lemmy")
    assert keys_of("app_store_connect", read.keys) == {"private_key": pem}


def test_both_a_key_and_its_file_are_a_mistake() -> None:
    with pytest.raises(ConfigError, match="LOWSTAR_X_TOKEN: set together with LOWSTAR_X_TOKEN_FILE"):
        config({"LOWSTAR_X_TOKEN": SECRET, "LOWSTAR_X_TOKEN_FILE": "x"}, kind="lemmy")


def test_what_switches_a_kind_on() -> None:
    assert missing_key("lemmy", {}) == missing_key("reviews", {}) == missing_key("mastodon", {}) == ""
    assert missing_key("x", {}).endswith("and set LOWSTAR_X_TOKEN")
    assert missing_key("x", {"LOWSTAR_X_TOKEN": SECRET}) == ""
    half = {"LOWSTAR_BLUESKY_HANDLE": "acme.bsky.social"}
    assert "LOWSTAR_BLUESKY_HANDLE and LOWSTAR_BLUESKY_APP_PASSWORD" in missing_key("bluesky", half)
    assert " or LOWSTAR_APP_STORE_CONNECT_TOKEN" in missing_key("app_store_connect", {})
    assert missing_key("app_store_connect", {variable("app_store_connect", "token"): SECRET}) == ""


def test_every_kind_and_key_stands_in_the_documentation() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
    lines = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}
    cards = (Path(__file__).resolve().parents[2] / "docs" / "sources.md").read_text(encoding="utf-8")
    for kind, api in APIS.items():
        for option in (*api.options, *(["budget"] if api.budget else [])):
            assert f"`{option}`" in lines[kind], (kind, option)
        assert not api.needs or f"`{variable(kind, '')}" in cards, kind


def test_an_option_that_is_on_or_off_takes_nothing_else() -> None:
    assert config(kind="x", **GOOD["x"], recheck=True).sources[0].options["recheck"] is True
    (problem,) = problems(kind="x", **GOOD["x"], recheck="often")
    assert "recheck" in problem
