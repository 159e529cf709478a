"""What does a JSON API say about us? The engine; each API is one small preset in `spiders/presets`.

A new API is one file there, `spiders/presets/forum.py`:

    PRESET = Preset(
        kind="forum", title="The Forum", api_url="https://api.forum.example",
        ask=lambda call: [(f"posts with {word}", call.url("search", q=word)) for word in call.queries()],
        items=("posts",),
        fields={"id": "id", "text": "body", "author": "user.name", "published": "created_at"},
        link="https://forum.example/p/{id}",
        paging=by_page("page", size="limit"),
    )
    read_page = reader(PRESET)

    class ForumSpider(ApiSpider):
        '''Listens to the forum.'''

        name = "forum"
        preset = PRESET
        reader = staticmethod(read_page)

one entry in `monitor/config_apis.py` (its options and keys), one saved answer in tests/pages/presets/forum/,
one line in tests/spiders/test_presets.py, and one card in docs/sources.md. Paths are JMESPath.

Reading is pure: `read_page` asks nothing and never raises on what an answer holds. Keys are put on a request
at one door (`ApiSpider.request`) and only where it goes to the API's own address; the reader takes them out
of every address it hands on.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote, urlencode, urlsplit

from scrapy.http import Request, Response, TextResponse
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from monitor.config import Source
from monitor.config_apis import keys_of, missing_key
from spiders.api_paging import Answer, Paging, scalar, search, with_query
from spiders.base import CrawlEnded, PagedSpider, as_text, failure_words
from spiders.page import Page, PageReader
from spiders.parsing.dates import When, parse_when
from spiders.parsing.html import html_to_text
from spiders.parsing.ratings import Rating, parse_rating
from storage.records import (
    Kind,
    Mention,
    RatingSnapshot,
    Removal,
    clean_line,
    clean_url,
    fingerprint,
)

ITEMS_MAX = 5_000  # read of one answer; no API gives more than 1,000
SAID_MAX = 200  # characters of an API's own words that are passed on
WAIT_MAX = 60.0  # seconds a run waits because an answer asked for it; beyond, it ends
GATE_MAX = timedelta(hours=25)  # how long an API's own "not before" is believed
LISTED_MAX = 90_000  # characters of ids remembered of a full listing; larger ones notice no deletions
OVERLAP = timedelta(hours=1)  # read again of a newest-first listing: posts may come out of turn
FEW = 5  # as many may vanish at once without a second thought
EXPECTED = ("published", "rating", "author")  # fields whose absence from all of a page's items is said
ENOUGH = 3  # items that tell a missing field from an odd one

_FIELDS = frozenset((
    "author", "edited", "entity", "followers", "gone", "id", "in_reply_to", "kind", "language", "published",
    "rating", "reach", "replied", "reply", "text", "title", "truncated", "url",
))  # fmt: skip
_HOLE = re.compile(r"\{([^{}]{1,200})\}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}")


# --- what a preset says --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Call:
    """What the first requests are made from."""

    base: str
    options: Mapping[str, Any]
    terms: tuple[str, ...]  # what all brands are called: searched for where a source names no queries
    now: datetime
    language: str = ""
    last: Callable[[str], str] = lambda label: (
        ""
    )  # how far a listing was read, by its label; "" the first time

    def url(self, path: str, **query: object) -> str:
        """The address of `path` below the API's; parameters that are None or "" are left out."""
        pairs = [(name, str(value)) for name, value in query.items() if value not in (None, "")]
        return f"{self.base}/{path}" + (f"?{urlencode(pairs)}" if pairs else "")

    def texts(self, name: str) -> list[str]:
        """The option `name` as a list of texts."""
        said = self.options.get(name)
        many = [said] if isinstance(said, str) else said if isinstance(said, (list, tuple)) else []
        return [one.strip() for one in many if isinstance(one, str) and one.strip()]

    def queries(self) -> list[str]:
        """What to search for: the option `queries`, else what the brands are called."""
        return list(dict.fromkeys(self.texts("queries") or self.terms))

    def since(self, label: str, overlap: timedelta, first: timedelta) -> datetime:
        """From when a listing is to be read: the last run, less `overlap`; `first` ago the first time."""
        try:
            at = datetime.fromisoformat(self.last(label))
            return min(at.astimezone(UTC), self.now) - overlap
        except (ValueError, OverflowError):
            return self.now - first


@dataclass(frozen=True, slots=True)
class Budget:
    """How much may be asked in a time; refused beyond."""

    most: int
    per: str  # "hour", "day", "month", counted in UTC
    unit: str = "requests"
    items: int = 0  # where posts that come back are counted: how many one answer may hold
    cost: Callable[[str], int] = lambda url: 1  # units of one request

    def period(self, now: datetime) -> str:
        """The name of the period `now` is in."""
        return now.strftime({"hour": "%Y-%m-%dT%H", "day": "%Y-%m-%d"}.get(self.per, "%Y-%m"))


@dataclass(frozen=True, slots=True)
class Login:
    """A request that turns long-lived keys into the one all others carry."""

    url: str  # below the API's address, or a whole one (which the option `token_url` replaces)
    body: Mapping[str, str]  # {holes} are filled with keys
    token: str  # where the answer holds it
    gives: str  # the name under which it is used
    form: bool = False  # sent as a form instead of JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """How one API is asked and read."""

    kind: str
    title: str  # what people call it
    api_url: str
    ask: Callable[[Call], Iterable[tuple[str, str]]]  # (label, address) of each listing's first page
    # Where the items are: the first of these that finds anything but null. A function reshapes an answer
    # whose items lie in several places; it answers None for what is no answer of this API.
    items: Sequence[str] | Callable[[Any], Sequence[Any] | None]
    fields: Mapping[str, str]  # where an item holds what: any of `_FIELDS`
    mentions: Kind = Kind.POST
    link: str = ""  # the item's page where no field holds it; {holes} are paths into the item
    html: frozenset[str] = frozenset()  # fields that hold markup
    skip: str = ""  # true for an item that is no mention
    context: Callable[[str], Mapping[str, str]] = lambda url: {}  # of the asked address; `_.NAME` in paths
    languages: Mapping[str, str] = field(default_factory=dict)  # the API's own names of languages
    best: float | None = 5
    words: Mapping[str, tuple[float, str]] = field(default_factory=dict)  # a rating's word: stars, as printed
    summary: Mapping[str, str] = field(default_factory=dict)  # "average", "count", "entity" in the answer
    paging: Paging = lambda answer: ""
    follow: Callable[[Answer], Iterable[str]] = lambda answer: ()  # further listings an answer leads to
    # What is remembered at the end of a listing, see `Call.last`: "id", the newest of its items; "time", when
    # it was begun. Where the API cannot be asked for what came since, its newest-first listing is read down
    # to there (`newest_first`).
    newest: str = ""
    newest_first: bool = False
    complete: bool = (
        False  # a listing read to its end holds every review there is: what is missing is deleted
    )
    headers: Mapping[str, str] = field(default_factory=dict)
    auth_headers: Mapping[str, str] = field(
        default_factory=dict
    )  # {holes} are keys; left out where one is missing
    auth_query: Mapping[str, str] = field(default_factory=dict)
    login: Login | None = None
    derive: Callable[[Mapping[str, str], datetime], Mapping[str, str]] = (
        lambda keys, now: {}
    )  # keys made of keys
    robots: bool = False  # a web site as well: without a key, its robots.txt says what may be read
    wait: str = ""  # seconds an answer asks to wait before the next
    budget: Budget | None = None
    advice: Mapping[str, str] = field(default_factory=dict)  # what to do, by the code of an error
    terms: str = ""  # what the API's terms allow to be kept, in one line
    keep: timedelta | None = None  # for how long; None where they set no limit

    def __post_init__(self) -> None:
        if unknown := set(self.fields) - _FIELDS:
            raise ValueError(f"{self.kind} maps fields no mention has: {', '.join(sorted(unknown))}")

    @property
    def secret_parameters(self) -> dict[str, str | None]:
        """What is taken out of an address before it is handed on."""
        return dict.fromkeys(self.auth_query)


# --- reading -------------------------------------------------------------------------------------------


def reader(preset: Preset) -> PageReader:
    """The `read_page` of a preset."""

    def read_page(response: TextResponse, source: Source, fetched_at: datetime) -> Page:
        return read_answer(preset, response, source, fetched_at)

    return read_page


def decoded(text: str) -> Any:
    """The JSON value of `text`; NaN and infinity are null. Raises ValueError or RecursionError."""
    return json.loads(text.lstrip("\ufeff"), strict=False, parse_constant=lambda _: None)


def read_answer(preset: Preset, response: TextResponse, source: Source, fetched_at: datetime) -> Page:
    """What one answer holds. Never raises on what it says; what is no answer of this API is `blind`."""
    try:
        body = decoded(response.text)
    except (ValueError, RecursionError):
        kind = "a web page" if response.text.lstrip()[:1] == "<" else "something unreadable"
        kind = kind if response.text.strip() else "nothing at all"
        return Page(blind=f"{preset.title} answered with {kind} instead of JSON (HTTP {response.status})")
    items = items_in(preset, body)
    context = preset.context(response.url)
    snapshots = _snapshots(preset, body, source, fetched_at)
    url = with_query(response.url, preset.secret_parameters)
    headers = {
        name.decode("latin-1").lower(): b", ".join(values).decode("latin-1")
        for name, values in response.headers.items()
    }
    onward = _absolute(preset.follow(Answer(url, body, items or (), headers)))
    if items is None:
        if snapshots or onward:
            return Page(snapshots=snapshots, next_urls=onward)
        return Page(blind=_no_answer(preset, body, response.status))
    mentions: dict[str, Mention] = {}
    removals: dict[str, Removal] = {}
    unread = skipped = 0
    for item in items[:ITEMS_MAX]:
        if not isinstance(item, Mapping):
            unread += 1
            continue
        item = {**item, "_": context}
        if preset.skip and search(preset.skip, item):
            skipped += 1
            continue
        found = _mention(preset, item, source, fetched_at, response.url)
        if isinstance(found, Removal):
            removals.setdefault(found.external_id, found)
        elif found is not None:
            mentions.setdefault(found.external_id, found)
        else:
            unread += 1
    read = [item for item in items[:ITEMS_MAX] if isinstance(item, Mapping)]
    problems = list(_missing(preset, read)) if mentions else []
    if unread:
        problems.append(f"{preset.title}: {unread} of {len(items)} items have neither words nor stars")
    blind = ""
    if unread and unread + skipped >= len(items):
        paths = ", ".join(f'"{preset.fields[name]}"' for name in ("text", "title") if name in preset.fields)
        blind = (
            f"{preset.title} answered with {unread} items and none could be read: {paths} is missing in all"
        )
        problems = []
    following = _absolute([further := preset.paging(Answer(url, body, items, headers))])
    if further and not following:
        problems.append(f"{preset.title}: the address of the next page is none that can be asked")
    return Page(
        mentions=tuple(mentions.values()),
        removals=tuple(removals.values()),
        next_urls=(*following, *onward),
        snapshots=snapshots,
        problems=tuple(problems),
        blind=blind,
    )


def items_in(preset: Preset, body: Any) -> list[Any] | None:
    """The items of an answer, None where it has no place for them; one object stands for a list of one."""
    if callable(preset.items):
        try:
            found: Any = preset.items(body)
        except (TypeError, ValueError, KeyError, AttributeError, RecursionError):  # of another shape
            found = None
        return None if found is None else list(found)
    for path in preset.items:
        found = search(path, body)
        if isinstance(found, Mapping):
            return [found]
        if isinstance(found, list):
            return found
    return None


def _absolute(urls: Iterable[str]) -> tuple[str, ...]:
    return tuple(url for url in urls if url and clean_url(url))


def _mention(
    preset: Preset, item: Mapping[str, Any], source: Source, now: datetime, url: str
) -> Mention | Removal | None:
    at = preset.fields
    got = {name: search(path, item) for name, path in at.items()}

    def text(name: str) -> str:
        value = got.get(name)
        if isinstance(value, list):
            value = "\n".join(part for part in map(scalar, value) if part)
        said = value if isinstance(value, str) else scalar(value)
        return html_to_text(said) if name in preset.html else said

    name = scalar(got.get("id"))
    if got.get("gone") and name:
        return Removal(source.name, name, f"deleted on {preset.title}")
    title, words = clean_line(text("title")), text("text")
    rating = _rating(preset, got.get("rating"))
    if not title and not words.strip() and rating.stars is None:
        return None
    published, edited = (parse_when(got.get(when), now=now) for when in ("published", "edited"))
    if published.at is None:
        published, edited = edited, When()
    entity = text("entity") or scalar(source.options.get("entity"))
    author = text("author")
    is_edit = edited.at is not None and published.at is not None and edited.at > published.at
    return Mention(
        source=source.name,
        external_id=name
        or fingerprint(entity, author, f"{title}\n{words}", published.at, None if words else rating.stars),
        kind=_kind(preset, got.get("kind")),
        url=clean_url(scalar(got.get("url"))) or _filled_link(preset.link, item, url),
        title=title,
        text="" if words == title else words,
        author=author,
        author_followers=_count(got.get("followers")),
        entity=entity,
        stars=rating.stars,
        rating_raw=rating.raw,
        scale_inferred=rating.scale_inferred and rating.stars is not None,
        reach=_reach(got.get("reach")),
        language=_language(preset, scalar(got.get("language"))) or source.language,
        published_at=published.at,
        date_precision=published.precision,
        edited_at=edited.at if is_edit else None,
        owner_reply=text("reply"),
        owner_replied_at=parse_when(got.get("replied"), now=now).at if got.get("reply") else None,
        text_truncated=got.get("truncated") is True,
        in_reply_to=scalar(got.get("in_reply_to")),
        about=source.about,
    )


def _kind(preset: Preset, said: Any) -> Kind:
    try:
        return Kind(said)
    except ValueError:
        return preset.mentions


def _rating(preset: Preset, said: Any) -> Rating:
    if said is None:
        return Rating()
    word = str(said).casefold() if isinstance(said, (str, bool)) else ""
    if word in preset.words:
        stars, printed = preset.words[word]
        return Rating(stars, stars, 5.0, printed)
    return parse_rating(said, best=preset.best)


def _count(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return int(value)


def _reach(value: Any) -> int:
    values = value if isinstance(value, list) else [value]
    return sum(max(0, _count(one) or 0) for one in values[:20])


def _language(preset: Preset, said: str) -> str:
    known = preset.languages.get(said.casefold())
    if known is not None:
        return known
    first = re.split(r"[-_]", said, maxsplit=1)[0]
    return first if _LANGUAGE.fullmatch(first) else ""


def _filled_link(link: str, item: Mapping[str, Any], asked_url: str) -> str:
    """`link` with its holes filled, each as one segment of an address; "" where one stays empty.

    {origin} is the server that answered.
    """
    scheme, host = _origin(asked_url)
    if link.startswith("{origin}"):
        if not host or host.endswith(".invalid"):  # a saved answer that does not say where it came from
            return ""
        link = f"{scheme}://{host}" + link.removeprefix("{origin}")
    holes: list[str] = []

    def fill(hole: re.Match[str]) -> str:
        holes.append(quote(scalar(search(hole[1], item)), safe="@:"))
        return holes[-1]

    filled = _HOLE.sub(fill, link)
    return clean_url(filled) if all(holes) else ""


def _missing(preset: Preset, items: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    if len(items) < ENOUGH:
        return
    for name in EXPECTED:
        path = preset.fields.get(name)
        if path and all(search(path, item) in (None, "") for item in items):
            yield f'{preset.title}: "{path}" ({name}) is missing in all {len(items)} items'


def _snapshots(preset: Preset, body: Any, source: Source, now: datetime) -> tuple[RatingSnapshot, ...]:
    if not preset.summary:
        return ()
    average = parse_rating(search(preset.summary["average"], body), best=5)
    count = _count(search(preset.summary["count"], body)) if "count" in preset.summary else 0
    if average.stars is None or average.value == 0:
        return ()
    entity = scalar(search(preset.summary["entity"], body)) if "entity" in preset.summary else ""
    return (
        RatingSnapshot(source.name, entity or source.title or source.name, now, average.stars, count or 0),
    )


# --- errors in words -----------------------------------------------------------------------------------

_MESSAGES = (
    "error.message", "error.description", "error.error_user_msg", "error_description", "error_message",
    "errors[0].detail", "errors[0].message", "errors[0]", "detail", "message", "reason", "error", "title",
)  # fmt: skip
_CODES = (
    "error.code", "error.status", "error.errors[].reason", "error.details[].reason", "error_name", "error_id",
    "errors[].code", "errors[].title", "error_type", "type", "title", "code", "error",
)  # fmt: skip


def said_in(body: Any) -> str:
    """What an error of an API says, "" where it says nothing in any of the usual places."""
    if isinstance(body, list) and body:
        body = body[0]
    for path in _MESSAGES:
        words = scalar(search(path, body))
        if words:
            return clean_line(html_to_text(words), SAID_MAX)
    return ""


def codes_in(body: Any) -> list[str]:
    """What an error calls itself, in all of the usual places."""
    if isinstance(body, list) and body:
        body = body[0]
    codes: list[str] = []
    for path in _CODES:
        found = search(path, body)
        codes += [code for one in (found if isinstance(found, list) else [found]) if (code := scalar(one))]
    return codes


def advice_on(preset: Preset, body: Any) -> str:
    """What to do about an error, "" where nobody knows."""
    return next((preset.advice[code] for code in codes_in(body) if code in preset.advice), "")


def _no_answer(preset: Preset, body: Any, status: int) -> str:
    said, advice = said_in(body), advice_on(preset, body)
    if said or advice:
        words = "; ".join(filter(None, (said, advice)))
        return f"{preset.title} answered with an error (HTTP {status}): {words}"
    wanted = (
        "" if callable(preset.items) else " without " + " or ".join(f'"{one}"' for one in preset.items[:2])
    )
    return f"{preset.title} answered{wanted or ' in a shape we do not know'} (HTTP {status}): has the API changed?"


def not_before(headers: Mapping[str, str], body: Any, now: datetime) -> datetime | None:
    """Until when an API wants to be left alone; None where it does not say."""
    seconds = _seconds(search("extras.wait_seconds || backoff || parameters.retry_after", body))
    if seconds:
        return now + min(GATE_MAX, timedelta(seconds=seconds))
    for name in ("x-rate-limit-reset", "x-ratelimit-reset", "ratelimit-reset", "ratelimit-resettime"):
        said = headers.get(name, "").strip()
        number = _seconds(said)
        if number is not None and number < 100_000:
            at: datetime | None = now + timedelta(seconds=number)
        else:
            at = parse_when(said, now=now).at
        if at is not None and at > now:
            return min(at, now + GATE_MAX)
    return None


def _seconds(value: Any) -> float | None:
    text = scalar(value)
    if not text or len(text) > 15 or not text.replace(".", "", 1).isdigit() or not text.isascii():
        return None
    return float(text)


# --- asking --------------------------------------------------------------------------------------------


class ApiSpider(PagedSpider):
    """Asks the API its preset describes; see the module."""

    preset: ClassVar[Preset]

    def __init__(self, name: str | None = None, **arguments: Any) -> None:
        super().__init__(name, **arguments)
        said = self.source.options.get("api_url")
        self.base = (clean_url(said) if isinstance(said, str) else "") or self.preset.api_url
        self.base = self.base.rstrip("/")
        self.keys = keys_of(self.preset.kind, self.config.keys) if self.config is not None else {}
        self._labels: dict[str, str] = {}  # of listings, by their first address
        self._newest: dict[str, str] = {}  # by label
        self._met: set[str] = set()  # ids
        self._cut = False  # some listing was not read to its end
        self._open = 0  # requests that were not answered yet
        if self.preset.newest and not self.preset.newest_first:
            # What is asked for ends by itself where the last run began. Stopping at the first page that is
            # known would leave behind what a failed run did not reach.
            self.sweep = True

    # What is asked

    async def start(self) -> AsyncIterator[Any]:
        """The login where there is one, then every listing's first page."""
        off = missing_key(self.preset.kind, self.config.keys if self.config is not None else {})
        if off:
            self.health.switched_off(f"{self.preset.title} is off, it needs a key: {off}")
            return
        gate = _moment(self.cursor("not before"))
        if gate is not None and self.fetched_at < gate <= self.fetched_at + GATE_MAX:
            self._cut = True
            until = f"{gate:%Y-%m-%d %H:%M} UTC"
            self.health.limit(f"{self.preset.title} asked to be left alone until {until}: nothing was asked")
            return
        try:
            self.keys |= self.preset.derive(self.keys, self.fetched_at)
        except Exception as error:  # a key that is none, in whatever way
            self._broken = self._cut = True
            self.health.failure(f"the key for {self.preset.title} cannot be used: {type(error).__name__}")
            return
        login = self.preset.login
        if login is not None and login.gives not in self.keys:
            yield self._login_request(login)
            return
        async for request in super().start():
            yield request

    def _login_request(self, login: Login) -> Request:
        body = {name: _with_keys(value, self.keys) or "" for name, value in login.body.items()}
        whole = login.url.startswith("https://")
        said = self.source.options.get("token_url") if whole else None
        url = (clean_url(said) if isinstance(said, str) else "") or (
            login.url if whole else self.base + login.url
        )
        kind = "application/x-www-form-urlencoded" if login.form else "application/json"
        return Request(
            url,
            method="POST",
            body=urlencode(body) if login.form else json.dumps(body),
            headers={"Content-Type": kind, "Accept": "application/json"},
            meta={"dont_redirect": True, "dont_obey_robotstxt": True},
            callback=self.logged_in,
            errback=self.failed,
            dont_filter=True,
        )

    async def logged_in(self, response: Response, **_: Any) -> AsyncIterator[Any]:
        """Takes the key the login gave and begins."""
        login = self.preset.login
        text = as_text(response)
        body: Any = None
        if text is not None:
            try:
                body = decoded(text.text)
            except (ValueError, RecursionError):
                body = None
        token = scalar(search(login.token, body)) if login is not None else ""
        if login is None or not token or not token.isprintable():
            self._broken = self._cut = True
            words = said_in(body) or "the answer holds no token"
            self.health.failure(f"{self.preset.title} did not let us in: {words}", response.status)
            return
        self.keys = {**self.keys, login.gives: token}
        async for request in super().start():
            yield request

    def first_requests(self) -> Iterable[Request]:
        """Every listing's first page."""
        terms = [term for brand in self._brands() for term in brand.terms or (brand.name,)]
        call = Call(
            base=self.base,
            options=self.source.options,
            terms=tuple(dict.fromkeys(terms)),
            now=self.fetched_at,
            language=self.source.language,
            last=lambda label: self.cursor(f"read {label}") or "",
        )
        asked = 0
        for label, url in self.preset.ask(call):
            asked += 1
            if not self._afford(url):
                continue
            request = self.request(url)
            self._labels[request.url] = label
            self._open += 1
            yield request
        if not asked:
            self.health.failure(f"{self.preset.title} has nothing to look for: name it in lowstar.toml")

    def _brands(self) -> Sequence[Any]:
        if self.config is None:
            return ()
        return [b for b in self.config.brands if not self.source.about or b.name in self.source.about]

    def request(self, url: str, **arguments: Any) -> Request:
        """A request with the preset's headers and, to the API's own address, its keys."""
        headers = {
            "Accept": "application/json",
            **self.preset.headers,
            **(arguments.pop("headers", None) or {}),
        }
        meta = dict(arguments.pop("meta", None) or {})
        if _origin(url) == _origin(self.base):
            query = _filled(self.preset.auth_query, self.keys)
            named = _filled(self.preset.auth_headers, self.keys)
            headers |= named
            url = with_query(url, query) if query else url
            if not self.preset.robots:
                meta["dont_obey_robotstxt"] = True  # an API that is published for programs
            if query or named:
                # Who was given a key has agreed to terms: they say what may be asked. And a key must never
                # follow a redirect.
                meta |= {"dont_redirect": True, "dont_obey_robotstxt": True}
        return super().request(url, headers=headers, meta=meta, **arguments)

    # What comes back

    async def parse(self, response: Response, **_: Any) -> AsyncIterator[Any]:
        """Reads one answer; at the end of a listing remembers how far it was read."""
        listing = response.meta.get("listing", response.url)
        label = self._labels.get(listing, listing)
        said = (len(self.health.limits), self.health.blind_pages, len(self.health.problems))
        broken, self._broken = self._broken, False
        found: list[Mention] = []
        more: list[Request] = []
        self._open -= 1
        async for thing in super().parse(response):
            if isinstance(thing, Request):
                more.append(thing)
                continue
            if isinstance(thing, Mention):
                found.append(thing)
                self._met.add(thing.external_id)
            yield thing
        self._settle(response, len(found))
        now_said = (len(self.health.limits), self.health.blind_pages, len(self.health.problems))
        failed_here = self._broken or now_said[1] > said[1]
        self._broken = failed_here or broken
        self._cut = self._cut or failed_here or now_said != said or (not self.sweep and not more)
        if self.preset.newest == "id":
            self._newest[label] = max([self._newest.get(label, ""), *_ids(found)], key=_as_number)
        if more and self._is_read(label, found):
            more = []
        if more and not self.brake.pulled and await self._may_go_on(response):
            for request in more:
                if self._afford(request.url):
                    self._open += 1
                    yield request
        elif more:
            self._cut = True
        elif not failed_here:
            # Also where max_pages cut it: the same pages again would never get further down.
            self._remember(label)
        for removal in self._vanished():
            yield removal

    def _is_read(self, label: str, found: Sequence[Mention]) -> bool:
        """True when a newest-first listing has reached what the last run began with."""
        if not self.preset.newest_first or self.sweep:
            return False
        mark = _moment(self.cursor(f"read {label}"))
        dates = [mention.published_at for mention in found if mention.published_at is not None]
        return mark is not None and bool(dates) and max(dates) < mark - OVERLAP

    def _remember(self, label: str) -> None:
        if self.preset.newest == "time":
            self.set_cursor(f"read {label}", self.fetched_at.isoformat())
        elif self.preset.newest == "id":
            newest = max(self._newest.get(label, ""), self.cursor(f"read {label}") or "", key=_as_number)
            if newest:
                self.set_cursor(f"read {label}", newest)

    async def _may_go_on(self, response: Response) -> bool:
        """False where the API has said that it has had enough; waits as long as it asks to."""
        text = as_text(response)
        headers = _headers(response)
        if self.preset.wait and text is not None:
            seconds = _seconds(search(self.preset.wait, _decoded_or_none(text)))
            if seconds is not None and seconds > 0:
                if seconds > WAIT_MAX:
                    return self._close_gate(self.fetched_at + min(GATE_MAX, timedelta(seconds=seconds)))
                if await self.brake.wait(seconds):
                    return False
        left = (headers.get(name) for name in ("x-rate-limit-remaining", "x-ratelimit-remaining"))
        if "0" in left and (at := not_before(headers, None, self.fetched_at)) is not None:
            return self._close_gate(at)
        return True

    def _close_gate(self, at: datetime) -> bool:
        self.set_cursor("not before", at.isoformat())
        self.health.limit(f"{self.preset.title} asks to be left alone until {at:%Y-%m-%d %H:%M} UTC")
        return False

    async def failed(self, failure: Failure) -> None:
        """Records why, in the API's own words where it has some, and until when to leave it alone."""
        self._broken = self._cut = True
        self._open -= 1
        if isinstance(failure.value, CrawlEnded):
            return
        error = failure.value
        request = getattr(failure, "request", None)
        if request is not None:
            self._settle(request, 0)
        if not isinstance(error, HttpError):
            await super().failed(failure)
            return
        words, status = failure_words(failure)
        response = error.response
        text = as_text(response)
        body = _decoded_or_none(text) if text is not None else None
        more = dict.fromkeys(filter(None, (said_in(body), advice_on(self.preset, body))))
        self.health.failure("; ".join((words, *more)), status)
        headers = _headers(response)
        spent = status == 429 or "0" in (
            headers.get("x-ratelimit-remaining"),
            headers.get("x-rate-limit-remaining"),
        )
        if spent and (at := not_before(headers, body, self.fetched_at)) is not None:
            self._close_gate(at)

    # What it costs

    def _afford(self, url: str) -> bool:
        budget = self.preset.budget
        if budget is None:
            return True
        said = self.source.options.get("budget")
        most = said if isinstance(said, int) and said > 0 else budget.most
        cost = budget.items or budget.cost(url)
        spent = self._spent(budget)
        if spent + cost <= most:
            self._spend(budget, spent + cost)
            return True
        self._cut = True
        self.health.limit(
            f"{self.preset.title}: this {budget.per}'s {most:,} {budget.unit} are spent, "
            "so the rest is not asked; `budget` in lowstar.toml sets another limit"
        )
        return False

    def _settle(self, asked: Response | Request, found: int) -> None:
        """Counts what an answer really held, and the times it took to get it."""
        budget = self.preset.budget
        if budget is None:
            return
        meta = asked.meta if isinstance(asked, Request) else asked.request.meta if asked.request else {}
        again = meta.get("retry_times", 0)
        extra = found - budget.items if budget.items else budget.cost(asked.url) * again
        if extra:
            self._spend(budget, max(0, self._spent(budget) + extra))

    def _spent(self, budget: Budget) -> int:
        period, _, said = (self.cursor("spent") or "").partition(" ")
        return int(said) if period == budget.period(self.fetched_at) and said.isdigit() else 0

    def _spend(self, budget: Budget, spent: int) -> None:
        self.set_cursor("spent", f"{budget.period(self.fetched_at)} {spent}")

    # What is gone

    def _vanished(self) -> Iterable[Removal]:
        """What the last full listing held and this one, read to its end, does not."""
        if not self.preset.complete or self._open > 0 or self._cut or not self.sweep:
            return
        before = [one for one in (self.cursor("listed") or "").split("\n") if one]
        self.set_cursor("listed", _listed(self._met))
        gone = [one for one in before if one not in self._met]
        if len(gone) > FEW and len(gone) * 2 > len(before):
            self.health.problem(
                f"{self.preset.title}: {len(gone)} of {len(before)} known reviews are missing at once; "
                "nothing was removed"
            )
            return
        for one in gone:
            yield Removal(self.source.name, one, f"no longer on {self.preset.title}")


def _listed(ids: Iterable[str]) -> str:
    text = "\n".join(sorted(one for one in ids if "\n" not in one))
    return text if len(text) <= LISTED_MAX else ""


def _headers(response: Response) -> dict[str, str]:
    return {
        name.decode("latin-1").lower(): b", ".join(values).decode("latin-1")
        for name, values in response.headers.items()
    }


def _decoded_or_none(response: TextResponse) -> Any:
    try:
        return decoded(response.text)
    except (ValueError, RecursionError):
        return None


def _ids(mentions: Iterable[Mention]) -> list[str]:
    return [one.external_id for one in mentions if one.external_id.isdigit()]


def _as_number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 30 else -1


def _moment(said: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(said).astimezone(UTC) if said else None
    except (ValueError, OverflowError):
        return None


def _origin(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    return parts.scheme.lower(), parts.netloc.lower()


def _with_keys(template: str, keys: Mapping[str, str]) -> str | None:
    """`template` with its {holes} filled with keys; None where one is missing."""
    names = _HOLE.findall(template)
    if any(not keys.get(name) for name in names):
        return None
    return _HOLE.sub(lambda hole: keys[hole[1]], template)


def _filled(templates: Mapping[str, str], keys: Mapping[str, str]) -> dict[str, str]:
    filled = {name: _with_keys(value, keys) for name, value in templates.items()}
    return {name: value for name, value in filled.items() if value is not None}
