"""Which JSON APIs are there, what may be said about each, and which keys does it need? One entry a kind.

How an API is asked and read is its preset's (`spiders/presets/KIND.py`); here stands what configuration must
know without loading a spider. Keys come from the environment: LOWSTAR_<KIND>_<NAME>, or …_FILE.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from monitor.config_check import Table, url_problem
from monitor.config_secrets import read_value, safe_url_problem

_ID = re.compile(r"[A-Za-z0-9._~%:@-]{1,200}")  # what may stand as one segment of an address's path
_COUNTRY = re.compile(r"[a-z]{2}")
_REPOSITORY = re.compile(r"[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100}")
_LOCATION = re.compile(r"accounts/[A-Za-z0-9_-]{1,100}/locations/[A-Za-z0-9_-]{1,100}")


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a kind: a list of texts that `fits`, or one text where `single`."""

    example: str  # what is allowed, as it is written in lowstar.toml
    fits: Callable[[str], bool] = lambda text: True
    required: bool = False
    single: bool = False

    def problem(self, text: str) -> str:
        """What is allowed instead of `text`, "" where it fits."""
        return "" if self.fits(text) else self.example


@dataclass(frozen=True, slots=True)
class Api:
    """What configuration knows of an API."""

    what: str  # one line for people
    options: Mapping[str, Option]
    # Sets of keys, each of which will do; none: no key is needed.
    needs: tuple[tuple[str, ...], ...] = ()
    uses: tuple[str, ...] = ()  # keys that help and may be missing
    where: str = ""  # where a key is to be had, as a person would say it
    one_of: tuple[str, ...] = ()  # at least one of these options must be given
    stream: str = ""  # how the address of its stream begins, where it has one: "https", "wss"
    flags: tuple[str, ...] = ()  # options that are true or false, and false unless given
    budget: bool = False  # has a budget of requests or reads that can be changed
    keep: timedelta | None = None  # for how long its terms let us keep what was read; None: they set no limit

    @property
    def names(self) -> tuple[str, ...]:
        """Every key it may be given, in the order they are named to people."""
        return tuple(dict.fromkeys([name for group in self.needs for name in group] + list(self.uses)))


def variable(kind: str, name: str) -> str:
    """The environment's name of a key.

    >>> variable("app_store_connect", "key_id")
    'LOWSTAR_APP_STORE_CONNECT_KEY_ID'
    """
    return f"LOWSTAR_{kind.upper()}_{name.upper()}"


def _id(text: str) -> bool:
    return _ID.fullmatch(text) is not None and text not in (".", "..")


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20


def _ids(example: str, *, required: bool = True) -> Option:
    return Option(f'a list of ids: ["{example}"]', _id, required)


_TITLES = Option('what people call them, in the same order: ["Acme, Leeds store"]')
_QUERIES = Option('a list of words to look for: ["Acme"]')
_INSTANCE = Option('the address of the server: "https://forum.example"', lambda text: not url_problem(text))
_TOKEN_URL = Option(
    "an address that begins with https://", lambda text: not safe_url_problem(text), single=True
)
_GOOGLE_OAUTH = (("token",), ("client_id", "client_secret", "refresh_token"))

APIS: Mapping[str, Api] = {
    "steam": Api(
        "reviews of games on Steam",
        {"apps": Option('a list of app ids: ["329070"]', _number, required=True), "titles": _TITLES},
    ),
    "app_store": Api(
        "reviews of any app in Apple's App Store",
        {
            "apps": Option('a list of app ids: ["383298204"]', _number, required=True),
            "countries": Option(
                'a list of countries: ["us", "de"]', lambda text: _COUNTRY.fullmatch(text) is not None
            ),
            "titles": _TITLES,
        },
    ),
    "mastodon": Api(
        "posts with a hashtag on a Mastodon server",
        {"hashtags": Option('a list of hashtags: ["acme"]', lambda text: _tag(text), required=True)},
        stream="https",
        uses=("token",),
        where="make an application under Preferences > Development of your Mastodon account",
    ),
    "bluesky": Api(
        "posts on Bluesky",
        {"queries": _QUERIES},
        stream="wss",
        needs=(("handle", "app_password"),),
        where="make an app password at https://bsky.app/settings/app-passwords",
    ),
    "youtube": Api(
        "comments on YouTube",
        {
            "videos": _ids("F1UP7wRCPH8", required=False),
            "channels": _ids("UC_x5XG1OV2P6uZZ5FSM9Ttw", required=False),
            "queries": _QUERIES,
        },
        needs=(("key",),),
        where="make an API key for the YouTube Data API at https://console.cloud.google.com/apis/credentials",
        one_of=("videos", "channels", "queries"),
        budget=True,
        keep=timedelta(days=30),  # what is not refreshed by then is to be deleted (policies, III.E.4)
    ),
    "trustpilot": Api(
        "reviews of businesses on Trustpilot, by its API",
        {"business_units": _ids("46d6a890ffa235a75b00021d")},
        needs=(("key",),),
        where="make an application at https://businessapp.b2b.trustpilot.com under Integrations > APIs",
    ),
    "trustpilot_private": Api(
        "reviews of your own business on Trustpilot, with your order numbers, by its private API",
        {"business_units": _ids("46d6a890ffa235a75b00021d")},
        needs=(("key", "secret"),),
        where="make an application at https://businessapp.b2b.trustpilot.com under Integrations > APIs",
    ),
    "google_places": Api(
        "the five reviews Google Maps shows of a place",
        {"places": _ids("ChIJt-AOOKmhwUcRyyG6Wo81sho")},
        needs=(("key",),),
        where="make an API key for the Places API (New) at https://console.cloud.google.com/apis/credentials",
        budget=True,
        keep=timedelta(0),  # nothing but the id of a place
    ),
    "google_business": Api(
        "all reviews of your own places on Google",
        {
            "locations": Option(
                'a list of locations: ["accounts/1/locations/2"]',
                lambda text: _LOCATION.fullmatch(text) is not None,
                required=True,
            ),
            "titles": _TITLES,
            "token_url": _TOKEN_URL,
        },
        needs=_GOOGLE_OAUTH,
        where="ask for access at https://developers.google.com/my-business/content/prereqs",
    ),
    "yelp": Api(
        "the few review excerpts Yelp's API gives of a business",
        {"businesses": _ids("yelp-san-francisco")},
        needs=(("key",),),
        where="make an app at https://www.yelp.com/developers/v3/manage_app",
        budget=True,
        keep=timedelta(hours=24),  # nothing but the id of a business for longer
    ),
    "stack_exchange": Api(
        "questions on Stack Overflow and its sister sites",
        {"sites": Option('a list of sites: ["stackoverflow"]', _id), "queries": _QUERIES},
        uses=("key",),
        where="register an application at https://stackapps.com/apps/oauth/register",
        budget=True,
    ),
    "discourse": Api(
        "posts of a Discourse forum",
        {
            "api_url": Option(_INSTANCE.example, _INSTANCE.fits, required=True, single=True),
            "queries": _QUERIES,
        },
        uses=("api_key", "api_username"),
        where="the forum's administrator makes one under Admin > API",
    ),
    "lemmy": Api("posts and comments on a Lemmy server", {"queries": _QUERIES}),
    "github": Api(
        "issues and discussions on GitHub",
        {
            "queries": _QUERIES,
            "repositories": Option(
                'a list of repositories: ["acme/shop"]',
                lambda text: _REPOSITORY.fullmatch(text) is not None and ".." not in text,
            ),
        },
        uses=("token",),
        where="make a fine-grained token without any permission at https://github.com/settings/tokens",
    ),
    "google_play_owner": Api(
        "reviews of your own apps on Google Play, of the last week",
        {"apps": _ids("com.acme.shop"), "titles": _TITLES, "token_url": _TOKEN_URL},
        needs=_GOOGLE_OAUTH,
        where="see https://developers.google.com/android-publisher/getting_started",
        budget=True,
    ),
    "app_store_connect": Api(
        "all reviews of your own apps in Apple's App Store",
        {"apps": _ids("383298204"), "titles": _TITLES},
        needs=(("key_id", "issuer_id", "private_key"), ("token",)),
        where="make a key at https://appstoreconnect.apple.com/access/integrations/api",
    ),
    "x": Api(
        "posts on X of the last seven days",
        {"queries": _QUERIES},
        needs=(("token",),),
        where="make a project with a bearer token at https://developer.x.com",
        budget=True,
        flags=("recheck",),
        keep=timedelta(days=30),  # deletions are looked for where it is asked to: it costs reads
    ),
    "threads": Api(
        "posts on Threads",
        {"queries": _QUERIES},
        needs=(("token",),),
        where="make an app with threads_keyword_search at https://developers.facebook.com/apps",
        budget=True,
    ),
    "facebook": Api(
        "recommendations of your own pages and comments on their posts",
        {"pages": _ids("19292868552")},
        needs=(("token",),),
        where="make a page token with pages_read_user_content at https://developers.facebook.com/tools/explorer",
    ),
    "instagram": Api(
        "comments on your own Instagram posts, and posts that tag you",
        {
            "accounts": Option('a list of account ids: ["17841405309211844"]', _number, required=True),
            "mentioned_media": Option('a list of ids from a webhook: ["17846368219941692"]', _number),
            "mentioned_comments": Option('a list of ids from a webhook: ["17967008497439572"]', _number),
        },
        needs=(("token",),),
        where="make a token with instagram_manage_comments at https://developers.facebook.com/tools/explorer",
    ),
    "tripadvisor": Api(
        "the five newest reviews of a place on Tripadvisor",
        {
            "locations": _ids("89575"),
            "languages": Option('a list of languages: ["en"]', lambda text: text.isalpha() and len(text) < 4),
        },
        needs=(("key",),),
        where="make a key at https://www.tripadvisor.com/developers and allow this machine's address",
        budget=True,
        keep=timedelta(0),  # nothing but the id of a place
    ),
}


def _tag(text: str) -> bool:
    word = text.removeprefix("#")
    return bool(word) and word.replace("_", "").isalnum()


def read_options(kind: str, table: Table) -> dict[str, Any]:
    """The options of a source of `kind`; mistakes are noted in `table`."""
    api = APIS[kind]
    options: dict[str, Any] = {}
    for name, option in api.options.items():
        allowed = option.example
        if not table.given(name):
            table.raw(name)
            if option.required:
                table.missing(name, allowed)
        elif option.single:
            options[name] = table.text(name, allowed=allowed, check=option.problem)
        else:
            texts = table.texts(
                name,
                allowed=allowed,
                check=option.problem,
                empty=False,
            )
            if texts:
                options[name] = texts
    for name in api.flags:
        options[name] = table.flag(name, False)
    if api.one_of and not any(table.given(name) for name in api.one_of):
        table.missing(
            api.one_of[0], " or ".join(f"{name} = {api.options[name].example}" for name in api.one_of)
        )
    if "api_url" not in api.options and table.given("api_url"):
        # Where a key is sent, nobody may listen on the way.
        check = safe_url_problem if api.names else url_problem
        options["api_url"] = table.text("api_url", check=check)
    if api.stream:
        if table.flag("stream", False):
            options["stream"] = True
        options["stream_url"] = table.text(
            "stream_url", check=lambda url: _stream_problem(url, api.stream)
        ).rstrip("/")
    if api.budget and table.given("budget"):
        options["budget"] = table.whole("budget", 1, 1, 1_000_000_000)
    for name in ("api_url", "budget") if api.budget else ("api_url",):
        table.raw(name)  # known, also where it is not given
    return {name: value for name, value in options.items() if value}


def _stream_problem(url: str, scheme: str) -> str:
    """As `safe_url_problem`: a key is sent there, too."""
    plain = scheme.removesuffix("s")
    if not url.lower().startswith((f"{scheme}://", f"{plain}://")):
        return f"an address that begins with {scheme}://"
    problem = safe_url_problem("http" + url[len(plain) :])
    return problem.replace("https://", f"{scheme}://")


def read_keys(environ: Mapping[str, str], folder: Path, problems: list[str]) -> dict[str, str]:
    """The keys that are set, by the name of their variable; mistakes go to `problems`."""
    keys: dict[str, str] = {}
    for kind, api in APIS.items():
        for name in api.names:
            key = variable(kind, name)
            value = read_value(environ, key, folder, problems, lines=name == "private_key")
            if value:
                keys[key] = value
    return keys


def missing_key(kind: str, keys: Mapping[str, str]) -> str:
    """What to do to switch `kind` on, "" where its keys are there or it needs none."""
    api = APIS.get(kind)
    if api is None or not api.needs:
        return ""
    if any(all(keys.get(variable(kind, name)) for name in group) for group in api.needs):
        return ""
    ways = " or ".join(" and ".join(variable(kind, name) for name in group) for group in api.needs)
    return f"{api.where}, and set {ways}"


def keys_of(kind: str, keys: Mapping[str, str]) -> dict[str, str]:
    """The keys of one kind by their short names."""
    api = APIS.get(kind)
    if api is None:
        return {}
    return {name: keys[variable(kind, name)] for name in api.names if keys.get(variable(kind, name))}
