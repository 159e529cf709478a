"""Who may send us mentions, and what becomes of each? The door for everything that has no spider.

    [[sources]]
    name = "survey"
    kind = "webhook"
    about = ["Acme"]

    curl -H "Authorization: Bearer $TOKEN" -d '{"text": "…", "stars": 2}' https://…/api/v1/hooks/survey

Served by `lowstar serve` and `lowstar listen --webhooks`. What is sent is taken in while the sender waits, by
the same `ingest` as every crawl, and the answer says what became of each item. docs/webhook.md has the schema.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence, Set
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from scrapy.http import TextResponse

from monitor.config import Config, Source
from monitor.config_named import hook_secret, hook_token, hook_variable
from monitor.ingest import Desk, ingest
from monitor.runner import desk_at
from spiders.hook_events import NotOurs
from spiders.hook_items import NotUnderstood, Read, Refused, read_body
from spiders.hook_keys import SIGNATURES, STANDARD, Bucket, bearer, same, signed, signed_as_standard
from spiders.page import Page
from spiders.stretch import Stretch
from spiders.words import error_words
from storage.errors import Busy, StoreError
from storage.records import Mention, Removal, Stored, Tally
from storage.store import Store

log = logging.getLogger(__name__)

BODY_MAX = 1 << 20  # bytes of one request
RATE, BURST = 5.0, 120.0  # requests a second of one source for good, and at once
WRONG_RATE, WRONG_BURST = 1.0, 60.0  # of all senders with a wrong token together
REFRESH = timedelta(minutes=10)  # how often the customers' table and what was learned are read anew
TICK = 2.0  # seconds

_STATES = ("accepted", "changed", "unchanged", "removed", "ignored", "rejected")


@dataclass(frozen=True, slots=True)
class HookAnswer:
    """What is answered to a request."""

    status: int
    body: Mapping[str, Any] | str
    retry_after: int = 0

    @property
    def text(self) -> str:
        """The body as it is sent."""
        return self.body if isinstance(self.body, str) else json.dumps(self.body, ensure_ascii=False)

    @property
    def kind(self) -> str:
        """Its content type."""
        return "text/plain; charset=utf-8" if isinstance(self.body, str) else "application/json"


@dataclass(slots=True)
class _Hook:
    source: Source
    token: str = field(repr=False)
    secret: str = field(repr=False)
    stretch: Stretch
    bucket: Bucket = field(default_factory=lambda: Bucket(RATE, BURST))
    refused: int = 0  # with a wrong token, since something was taken


class Hooks:
    """Takes what webhooks send. `answer` may be called from any thread; `start` and `stop` keep its health."""

    def __init__(
        self,
        config: Config,
        store: Store,
        clock: Callable[[], datetime],
        *,
        news: Callable[[], None] = lambda: None,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config, self._store, self._clock, self._news, self._ticks = config, store, clock, news, ticks
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._mine = ExitStack()
        self._hooks: dict[str, _Hook] = {}
        self._wrong = Bucket(WRONG_RATE, WRONG_BURST)
        self._desk: Desk | None = None
        self._desk_at = clock()

    @property
    def names(self) -> list[str]:
        """The sources that are listened to: of the kind webhook, with a token or a secret."""
        return [source.name for source in self._open_sources()]

    def _open_sources(self) -> list[Source]:
        keys = self._config.keys
        return [
            one
            for one in self._config.sources
            if one.kind == "webhook" and (hook_token(one.name, keys) or hook_secret(one.name, keys))
        ]

    def start(self) -> None:
        """Begin to listen. Of several processes that do, one keeps the silent stretches as well."""
        try:
            self._mine.enter_context(self._store.run_lock("webhooks"))
            first = True
        except Busy:
            first = False
        for source in self._open_sources():
            stretch = Stretch(self._store, source.name, self._clock, source.every, always=first)
            keys = self._config.keys
            self._hooks[source.name] = _Hook(
                source, hook_token(source.name, keys), hook_secret(source.name, keys), stretch
            )
        if self._hooks:
            self._tick()
            self._thread = threading.Thread(target=self._keep, name="webhooks", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End; what was taken is stored already."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(5)
        for hook in self._hooks.values():
            self._say_refused(hook)
            hook.stretch.close()
        self._hooks.clear()
        self._mine.close()

    def _keep(self) -> None:
        while not self._stop.wait(TICK):
            self._tick()

    def _tick(self) -> None:
        for hook in self._hooks.values():
            self._say_refused(hook)
            try:
                hook.stretch.tick()
            except StoreError as error:
                log.warning("webhook %s: %s", hook.source.name, error_words(error))

    # -- a request -------------------------------------------------------------------------------------------

    def answer(
        self, method: str, name: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> HookAnswer:
        """What becomes of one request to /api/v1/hooks/`name`; header names in lower case. Never raises."""
        hook = self._hooks.get(name)
        asked = {key: values[-1] for key, values in _parsed(query).items()}
        if method in ("GET", "HEAD"):
            return self._verified(hook, asked)
        if not self._may(hook, headers, body, asked):
            return self._turned_away(hook, headers, asked)
        assert hook is not None  # noqa: S101  (nobody may without one)
        with self._lock:
            wait = hook.bucket.take(self._ticks())
        if wait:
            return _problem(429, "too many requests", retry_after=int(wait) + 1)
        if problem := _body_problem(headers, body):
            return self._not_taken(hook, problem)
        try:
            return self._taken(hook, body)
        except NotUnderstood as error:
            return self._not_taken(hook, _problem(400, str(error)))
        except StoreError as error:
            with hook.stretch.telling() as health:
                health.failure(f"what was sent could not be stored: {error_words(error)}")
            return _problem(503, "the store is busy; send it again", retry_after=10)
        except Exception as error:  # the door: a sender is answered whatever it sent
            log.exception("webhook %s fell over", name)
            with hook.stretch.telling() as health:
                health.failure(f"what was sent could not be taken: {error_words(error)}", 500)
            return _problem(500, "it could not be taken; the log of lowstar says why")

    def _may(
        self, hook: _Hook | None, headers: Mapping[str, str], body: bytes, asked: Mapping[str, str]
    ) -> bool:
        token, secret = (hook.token, hook.secret) if hook is not None else ("", "")
        given = [bearer(headers)]
        if hook is not None and hook.source.options.get("token_in_url"):
            given.append(asked.get("token", ""))
        right = any(same(one, token) for one in given if one) and bool(token)
        named = hook.source.options.get("signature_header") if hook is not None else None
        names = (str(named).lower(),) if named else SIGNATURES
        signature = next((headers[one] for one in names if headers.get(one)), "")
        if secret and headers.get(STANDARD):
            right = right or signed_as_standard(headers, secret, body, self._clock())
        return right or bool(secret and signature and signed(signature, secret, body))

    def _turned_away(
        self, hook: _Hook | None, headers: Mapping[str, str], asked: Mapping[str, str]
    ) -> HookAnswer:
        tried = bool(headers.get("authorization")) or any(headers.get(one) for one in (*SIGNATURES, STANDARD))
        with self._lock:
            if hook is not None and (tried or asked.get("token")):
                hook.refused += 1
            wait = self._wrong.take(self._ticks())
        if wait:
            return _problem(429, "too many wrong tokens", retry_after=int(wait) + 1)
        # The same for a source that is not there: names are nobody's business.
        return _problem(401, "no valid token for this source: send it as “Authorization: Bearer …”, or sign")

    def _verified(self, hook: _Hook | None, asked: Mapping[str, str]) -> HookAnswer:
        """Facebook's question whether this address is meant: the challenge back, for the right token only."""
        challenge = asked.get("hub.challenge", "")
        right = hook is not None and bool(hook.token) and same(asked.get("hub.verify_token", ""), hook.token)
        if asked.get("hub.mode") == "subscribe" and right and challenge.isalnum() and len(challenge) <= 200:
            return HookAnswer(200, challenge)
        if "hub.mode" in asked:
            return self._turned_away(hook, {}, {"token": asked.get("hub.verify_token", "")})
        return _problem(405, "mentions are sent with POST")

    def _say_refused(self, hook: _Hook) -> None:
        with self._lock:
            refused, hook.refused = hook.refused, 0
        variable = hook_variable(hook.source.name, "TOKEN")
        words = f"a request came with a wrong token: has its sender the one in {variable}?"
        if refused:
            with hook.stretch.telling() as health:
                for _ in range(min(refused, 1_000)):
                    health.failure(words, 401)

    def _not_taken(self, hook: _Hook, problem: HookAnswer) -> HookAnswer:
        said = problem.body["error"] if isinstance(problem.body, Mapping) else ""
        with hook.stretch.telling() as health:
            health.failure(f"a request could not be read: {said}", problem.status)
        return problem

    # -- what it holds ---------------------------------------------------------------------------------------

    def _taken(self, hook: _Hook, body: bytes) -> HookAnswer:
        now = self._clock()
        reads = list(read_body(body, hook.source, now))
        things = [one.thing for one in reads if isinstance(one.thing, (Mention, Removal))]
        keys = [thing.key for thing in things]
        before = self._stored(keys)
        tally = Tally()
        if things:
            # Whoever sends means it as news: the first request is no backlog. `alerts.max_age` still holds.
            tally = ingest(things, self._store, self._desk_now(now), now, announce=True)
            if tally.flagged or tally.changed or tally.removed or tally.recovered:
                self._news()
        after = self._stored(keys)
        absent = [one for one in things if isinstance(one, Mention) and one.key not in after]
        forgotten = self._forgotten(absent)
        told = [
            _told(at, one, before, after, forgotten, self._config) for at, one in enumerate(reads, start=1)
        ]
        counts = {state: sum(one["status"] == state for one in told) for state in _STATES}
        with hook.stretch.telling() as health:
            health.page(
                found=counts["accepted"] + counts["changed"] + counts["unchanged"] + counts["ignored"]
            )
            for one in reads:
                if isinstance(one.thing, Mention):
                    health.saw(one.thing)
            health.stored(tally)
            for line in told:
                if line["status"] == "rejected":
                    health.problem(f"an item was rejected: {line['field'] or 'item'}: {line['reason']}")
            if reads and counts["rejected"] == len(reads):
                health.failed += 1
        status = 422 if reads and counts["rejected"] == len(reads) else 200
        return HookAnswer(status, {**counts, "items": told})

    def _stored(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Stored]:
        if not keys:
            return {}
        with self._store.reading() as ledger:
            return ledger.known(keys)

    def _forgotten(self, mentions: Sequence[Mention]) -> set[tuple[str, str]]:
        if not mentions:
            return set()
        with self._store.reading() as ledger:
            return ledger.forgotten(mentions)

    def _desk_now(self, now: datetime) -> Desk:
        with self._lock:
            if self._desk is None or abs(now - self._desk_at) > REFRESH:
                self._desk, self._desk_at = desk_at(self._config, self._store), now
            return self._desk


def read_page(response: TextResponse, source: Source, fetched_at: datetime) -> Page:
    """What a saved body would bring; for `lowstar try BODY.json --kind webhook`."""
    try:
        reads = list(read_body(response.body, source, fetched_at))
    except NotUnderstood as error:
        return Page(blind=str(error))
    refused = [
        f"{no.field or 'item'}: {no.reason}"
        for one in reads
        for no in ([one.thing] if isinstance(one.thing, Refused) else one.passed_over)
    ]
    return Page(
        mentions=tuple(one.thing for one in reads if isinstance(one.thing, Mention)),
        removals=tuple(one.thing for one in reads if isinstance(one.thing, Removal)),
        problems=tuple(refused),
        notes=tuple(one.thing.reason for one in reads if isinstance(one.thing, NotOurs)),
    )


def _told(
    at: int,
    read: Read,
    before: Mapping[tuple[str, str], Stored],
    after: Mapping[tuple[str, str], Stored],
    forgotten: Set[tuple[str, str]],
    config: Config,
) -> dict[str, Any]:
    thing = read.thing
    line: dict[str, Any] = {"item": at}
    if isinstance(thing, Refused):
        return {**line, "status": "rejected", "field": thing.field, "reason": thing.reason}
    if isinstance(thing, NotOurs):
        return {**line, "status": "ignored", "reason": thing.reason}
    line["id"] = thing.external_id
    was, is_now = before.get(thing.key), after.get(thing.key)
    if isinstance(thing, Removal):
        if was is None:
            return {**line, "status": "ignored", "reason": "there is no mention of this id"}
        return {**line, "status": "removed"}
    if thing.key in forgotten:
        return {**line, "status": "ignored", "reason": "it or its author was forgotten on request"}
    if is_now is None:
        brands = ", ".join(brand.name for brand in config.brands)
        reason = f"it names none of the brands ({brands}); `about` of its source says that all of it does"
        return {**line, "status": "ignored", "reason": reason}
    changed = was is not None and was.content_hash != is_now.content_hash
    line["status"] = "accepted" if was is None else "changed" if changed else "unchanged"
    if read.passed_over:
        line["warnings"] = [{"field": no.field, "reason": no.reason} for no in read.passed_over]
    return line


def _problem(status: int, words: str, *, retry_after: int = 0) -> HookAnswer:
    return HookAnswer(status, {"error": words}, retry_after)


def _body_problem(headers: Mapping[str, str], body: bytes) -> HookAnswer | None:
    if len(body) > BODY_MAX:
        return _problem(413, f"more than {BODY_MAX >> 20} MiB were sent")
    if headers.get("content-encoding", "identity").lower() not in ("", "identity"):
        return _problem(415, "send it uncompressed")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.startswith("multipart/"):
        return _problem(415, "send JSON (application/json), or one object a line (application/x-ndjson)")
    return None


def _parsed(query: str) -> dict[str, list[str]]:
    try:
        return parse_qs(query, max_num_fields=20)
    except ValueError:
        return {}
