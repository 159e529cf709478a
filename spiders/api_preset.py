"""How is one API asked and read? The words a preset says it in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from spiders.api_paging import Answer, Paging
from storage.records import Kind

_FIELDS = frozenset((
    "author", "edited", "entity", "followers", "gone", "id", "in_reply_to", "kind", "language", "published",
    "rating", "reach", "reference", "replied", "reply", "text", "title", "truncated", "url",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Call:
    """What the first requests are made from."""

    base: str
    options: Mapping[str, Any]
    terms: tuple[str, ...]  # what all brands are called: searched for where a source names no queries
    now: datetime
    language: str = ""
    sweep: bool = False  # all there is is to be read, as once a week
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
    headers: Mapping[str, str] = field(default_factory=dict)  # {holes} are filled with keys


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
    markdown: frozenset[str] = frozenset()  # fields that hold Markdown: what they quote of others is left out
    skip: str = ""  # true for an item that is no mention
    context: Callable[[str], Mapping[str, str]] = lambda url: {}  # of the asked address; `_.NAME` in paths
    languages: Mapping[str, str] = field(default_factory=dict)  # the API's own names of languages
    # The option whose values `entity` finds (places, apps); the option `titles` names them, in the same order.
    places: str = ""
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
    # The address that asks again for posts by id, so that edits and deletions are noticed: so many at once, of
    # one group where an address cannot ask across several, in so many requests a run.
    again: Callable[[Call, Sequence[str]], str] | None = None
    again_size: int = 20
    again_group: Callable[[str], str] = lambda name: ""
    again_most: int = 25
    again_if: str = ""  # an option that must be set, where asking again costs something
    again_name: str = ""  # the path of what an item is asked for by, where that is not its id
    again_young: timedelta = timedelta(days=7)  # how old a post is asked for again: most change sooner
    # Its error for what is gone is that for what may not be seen: believed once something could be seen by id.
    gone_or_hidden: bool = False
    # True where an error (its status, its body) says that what was asked for by id is gone, or a part of it.
    gone: Callable[[int, Any], bool] = lambda status, body: False
    lacks: frozenset[str] = frozenset()  # fields that may well be missing everywhere
    headers: Mapping[str, str] = field(default_factory=dict)
    # What an address must be posted with, None where it is simply asked. Paging works on the address with its
    # query; what is sent is the address without it and this, as JSON.
    post: Callable[[str], Mapping[str, Any] | None] = lambda url: None
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
    terms: str = ""  # what the API's terms allow to be kept, in one line; for how long: `monitor.config_apis`

    def __post_init__(self) -> None:
        if unknown := set(self.fields) - _FIELDS:
            raise ValueError(f"{self.kind} maps fields no mention has: {', '.join(sorted(unknown))}")

    @property
    def secret_parameters(self) -> dict[str, str | None]:
        """What is taken out of an address before it is handed on."""
        return dict.fromkeys(self.auth_query)
