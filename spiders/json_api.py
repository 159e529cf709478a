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
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from scrapy.http import Request, Response
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from monitor.config_apis import keys_of, missing_key, variable
from spiders.api_again import FEW, SecondLook
from spiders.api_paging import (
    Answer,
    asked,
    by_body_link,
    by_cursor,
    by_link_header,
    by_offset,
    by_page,
    scalar,
    search,
    with_query,
)
from spiders.api_preset import Budget, Call, Login, Preset
from spiders.api_reading import (
    GATE_MAX,
    advice_on,
    decoded,
    decoded_or_none,
    headers_of,
    not_before,
    origin,
    reader,
    said_in,
    seconds_in,
)
from spiders.base import CrawlEnded, PagedSpider, as_text, failure_words
from spiders.page import Page
from storage.records import Mention, Removal, clean_url

__all__ = [
    "Answer",
    "ApiSpider",
    "Budget",
    "Call",
    "Login",
    "Preset",
    "asked",
    "by_body_link",
    "by_cursor",
    "by_link_header",
    "by_offset",
    "by_page",
    "reader",
    "scalar",
    "search",
    "with_query",
]

WAIT_MAX = 60.0  # seconds a run waits because an answer asked for it; beyond, it ends
OVERLAP = timedelta(hours=1)  # read again of a newest-first listing: posts may come out of turn
LISTED_MAX = 90_000  # characters of ids remembered of a full listing; larger ones notice no deletions

_HOLE = re.compile(r"\{([a-z_]{1,50})\}")


class ApiSpider(SecondLook, PagedSpider):
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
            self.windowed = True

    def place_of(self, field: str) -> str:
        """The path of a field in the preset."""
        if field == "item":
            return "" if callable(self.preset.items) else " or ".join(self.preset.items[:2])
        named = {"stars": "rating", "date": "published", "author": "author", "text": "text", "id": "id"}
        return self.preset.fields.get(named.get(field, ""), "")

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
            headers={
                "Content-Type": kind,
                "Accept": "application/json",
                **_filled(login.headers, self.keys),
            },
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
            words = self._unkeyed(said_in(body)) or "the answer holds no token"
            self.health.failure(f"{self.preset.title} did not let us in: {words}", response.status)
            return
        self.keys = {**self.keys, login.gives: token}
        async for request in super().start():
            yield request

    def first_requests(self) -> Iterable[Request]:
        """Every listing's first page."""
        call = self._call()
        asked = 0
        for label, url in self.preset.ask(call):
            asked += 1
            if not self._afford(url):
                continue
            request = self.request(url)
            self._labels[request.meta.get("listing", request.url)] = label
            self._open += 1
            yield request
        if not asked:
            self.health.failure(f"{self.preset.title} has nothing to look for: name it in lowstar.toml")

    def _call(self) -> Call:
        terms = [term for brand in self._brands() for term in brand.terms or (brand.name,)]
        return Call(
            base=self.base,
            options=self.source.options,
            terms=tuple(dict.fromkeys(terms)),
            now=self.fetched_at,
            language=self.source.language,
            sweep=self.sweep,
            last=self._read_until,
        )

    def _read_until(self, label: str) -> str:
        """How far a listing was read, in its preset's way of saying; with `since` back to there."""
        if self.since is not None:
            return self.since.isoformat() if self.preset.newest == "time" else ""
        return self.cursor(f"read {label}") or ""

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
        body = self.preset.post(url)
        if body is not None:
            meta = {"listing": url, **meta, "asked": url}
            headers["Content-Type"] = "application/json"
            arguments |= {"method": "POST", "body": json.dumps(body)}
            url = url.partition("?")[0]
        if origin(url) == origin(self.base):
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

    def read(self, response: Response) -> Page | None:
        """The page through its reader; an error that repeats a key is not passed on as it stands."""
        if asked := response.meta.get("asked"):
            response = response.replace(url=asked)  # what was posted belongs to the question
        page = super().read(response)
        self._named |= dict(page.named) if page is not None else {}
        return replace(page, blind=self._unkeyed(page.blind)) if page is not None and page.blind else page

    def _unkeyed(self, words: str) -> str:
        for key in self.keys.values():
            if len(key) > 5:
                words = words.replace(key, "…").replace(quote(key, safe=""), "…")
        return words

    async def parse(self, response: Response, **_: Any) -> AsyncIterator[Any]:
        """Reads one answer; at the end of a listing remembers how far it was read."""
        if response.status >= 300 and response.status != 304:
            for request in self._refused_again(response):
                yield request
            return
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
            if isinstance(thing, Removal):
                self._removed.add(thing.external_id)
            if isinstance(thing, Mention):
                found.append(thing)
                self._met.add(thing.external_id)
            yield thing
        self._settle(response, len(found))
        now_said = (len(self.health.limits), self.health.blind_pages, len(self.health.problems))
        self._keep_young(found)
        failed_here = self._broken or now_said[1] > said[1]
        self._broken = failed_here or broken
        self._cut = self._cut or failed_here or now_said != said or (not self.sweep and not more)
        if (ids := response.meta.get("again")) is not None:
            if now_said == said and not failed_here:
                self._look_at_again(response, ids)
            return
        self._seen_well = self._seen_well or now_said == said
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
        if self._open == 0 and not self.brake.pulled:
            for request in self._look_again():
                yield request

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
        headers = headers_of(response)
        if self.preset.wait and text is not None:
            seconds = seconds_in(search(self.preset.wait, decoded_or_none(text)))
            if seconds is not None and seconds > 0:
                if seconds > WAIT_MAX:
                    return self._close_gate(self.fetched_at + min(GATE_MAX, timedelta(seconds=seconds)))
                if await self.brake.wait(seconds):
                    return False
        if "0" in _left(headers) and (at := not_before(headers, None, self.fetched_at)) is not None:
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
        words, status = failure_words(failure)
        if not isinstance(error, HttpError):
            self.health.failure(self._unkeyed(words), status)
            return
        self._refused(error.response, words)

    def _refused(self, response: Response, words: str) -> None:
        text = as_text(response)
        body = decoded_or_none(text) if text is not None else None
        advice = advice_on(self.preset, body)
        if response.status in (401, 403) and "LOWSTAR_" not in advice:
            advice = "; ".join(filter(None, (advice, self._key_advice())))
        more = dict.fromkeys(filter(None, (said_in(body), advice)))
        self.health.failure(self._unkeyed("; ".join((words, *more))), response.status)
        headers = headers_of(response)
        left = _left(headers)
        # A 429 with something left is about haste alone: the reset of the whole is none of its business.
        spent = "0" in left or (response.status == 429 and not left)
        if spent and (at := not_before(headers, body, self.fetched_at)) is not None:
            self._close_gate(at)

    def _key_advice(self) -> str:
        """Which keys to look at where an API refuses what was asked; "" where none was given."""
        given = keys_of(self.preset.kind, self.config.keys) if self.config is not None else {}
        names = " and ".join(variable(self.preset.kind, name) for name in given)
        return f"look at {names} and at what may be done with it" if names else ""

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
            self.health.problem(self._too_many(len(gone), len(before)))
            return
        for one in gone:
            yield Removal(self.source.name, one, f"no longer on {self.preset.title}")


def _left(headers: Mapping[str, str]) -> list[str]:
    """How much may still be asked, as an API says it; usually one number."""
    names = ("x-rate-limit-remaining", "x-ratelimit-remaining", "ratelimit-remaining")
    return [headers[name].strip() for name in names if headers.get(name, "").strip()]


def _listed(ids: Iterable[str]) -> str:
    text = "\n".join(sorted(one for one in ids if "\n" not in one))
    return text if len(text) <= LISTED_MAX else ""


def _ids(mentions: Iterable[Mention]) -> list[str]:
    return [one.external_id for one in mentions if one.external_id.isdigit()]


def _as_number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 30 else -1


def _moment(said: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(said).astimezone(UTC) if said else None
    except (ValueError, OverflowError):
        return None


def _with_keys(template: str, keys: Mapping[str, str]) -> str | None:
    """`template` with its {holes} filled with keys; None where one is missing."""
    names = _HOLE.findall(template)
    if any(not keys.get(name) for name in names):
        return None
    return _HOLE.sub(lambda hole: keys[hole[1]], template)


def _filled(templates: Mapping[str, str], keys: Mapping[str, str]) -> dict[str, str]:
    filled = {name: _with_keys(value, keys) for name, value in templates.items()}
    return {name: value for name, value in filled.items() if value is not None}
