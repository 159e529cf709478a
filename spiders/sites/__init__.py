"""What is a selector set, and which shipped set knows a page?

A set says in data where the reviews of a page are. The sites we know are the `*.toml` files beside this one:

    title = "Shop"
    hosts = ["shop.example", "bigshop.*"]     # of the page's address; ".*" stands for any country's ending
    signs = ["div[data-shop-review]"]         # CSS; tells a saved page whose address is not known
    [walls]                                   # CSS = why the page shows nothing, in words
    "form#captcha" = "it wants a captcha solved"
    [[layout]]                                # the site's looks over the years, most trusted first
    item = "div.review"
    [layout.fields]
    text = [".body", ".text"]                 # the first that finds something

A layout has `item` (CSS, or XPath where it starts with "/", "./" or "("), or a state in the page's scripts:
`state` (CSS of the element) or `state_after` (literal words before the JSON), with `items` (JMESPath) or
`having` (keys that tell an item). `skip` selects what says that an item is none, `drop` what is no part of
its text, `next` the link to more; `best` is the best possible rating. A field is a selector (JMESPath in a
state), a list of alternatives, or a table:

    { css = "i::attr(class)", after = "stars-", before = " ", best = 50 }  # cut at literal words
    { join = [".pros", ".cons"] }             # all that find something, one a line
    { css = ".body p", all = true }           # all matches instead of the first
    { path = "id", as = "/reviews/{}" }       # put into a template
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from parsel import Selector

from spiders import embedded
from storage.records import Kind

FIELDS = [
    "id",
    "text",
    "title",
    "author",
    "rating",
    "date",
    "url",
    "entity",
    "reply",
    "reply_date",
    "reach",
    "language",
    "truncated",
    "average",
    "count",
]
KINDS = ("review", "post", "comment", "article")
_LAYOUT_KEYS = [
    "item",
    "items",
    "having",
    "state",
    "state_after",
    "skip",
    "drop",
    "fields",
    "kind",
    "next",
    "best",
    "language",
]
_PICK_KEYS = [
    "css",
    "xpath",
    "path",
    "join",
    "after",
    "before",
    "prefix",
    "suffix",
    "as",
    "best",
    "all",
    "separator",
]


@dataclass(frozen=True, slots=True)
class Pick:
    """One way to read one value."""

    how: str  # "css", "xpath", "path" (JMESPath) or "join"
    query: str = ""
    parts: tuple[Pick, ...] = ()  # of a join
    after: tuple[str, ...] = ()  # keep what follows the last of these words
    before: tuple[str, ...] = ()  # keep what stands before the first of these words
    prefix: tuple[str, ...] = ()
    suffix: tuple[str, ...] = ()
    template: str = ""  # "{}" is replaced by the value
    best: float | None = None  # the best possible rating
    all: bool = False
    separator: str = "\n"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the reviews of a page are: one selector set."""

    item: str = ""
    items: tuple[str, ...] = ()
    having: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    state_after: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    fields: Mapping[str, tuple[Pick, ...]] = field(default_factory=dict)
    kind: Kind = Kind.REVIEW
    next: tuple[str, ...] = ()
    best: float | None = None
    language: str = ""

    @property
    def in_state(self) -> bool:
        """True when the items are in the page's scripts, not in its HTML."""
        return bool(self.state or self.state_after)

    @property
    def looked_for(self) -> str:
        """What marks an item, as a person wrote it."""
        if not self.in_state:
            return self.item
        where = ", ".join(self.state) or " … ".join(self.state_after)
        return f"{where}: {' | '.join(self.items) or ', '.join(self.having)}"


@dataclass(frozen=True, slots=True)
class Site:
    """A site whose pages we know."""

    name: str
    title: str
    hosts: tuple[str, ...]
    signs: tuple[str, ...]
    walls: Mapping[str, str]
    layouts: tuple[Layout, ...]

    def lives_at(self, url: str) -> bool:
        """True when `url` is an address of this site."""
        try:
            host = (urlsplit(url).hostname or "").lower()
        except ValueError:
            return False
        return any(_is_host(host, pattern) for pattern in self.hosts)

    def shows(self, page: Selector) -> bool:
        """True when `page` carries a sign of this site."""
        return any(list(page.css(sign)) for sign in self.signs)


def _is_host(host: str, pattern: str) -> bool:
    if pattern.endswith(".*"):
        labels = host.split(".")
        return pattern[:-2] in labels[-3:-1]  # bigshop.de, www.bigshop.co.uk
    return host == pattern or host.endswith("." + pattern)


@functools.lru_cache(maxsize=1)
def sites() -> tuple[Site, ...]:
    """Every shipped set, by name. Raises ValueError if one is wrong: that is our fault, not a user's."""
    found = []
    for entry in sorted(resources.files(__name__).iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".toml"):
            found.append(_site(entry.name.removesuffix(".toml"), tomllib.loads(entry.read_text("utf-8"))))
    return tuple(found)


def _site(name: str, said: Mapping[str, Any]) -> Site:
    layouts = []
    for number, raw in enumerate(said.get("layout", ()), 1):
        layout, faults = layout_from(raw)
        if layout is None or faults:
            raise ValueError(f"spiders/sites/{name}.toml, layout {number}: " + "; ".join(faults))
        layouts.append(layout)
    return Site(
        name,
        str(said.get("title", name)),
        tuple(said.get("hosts", ())),
        tuple(said.get("signs", ())),
        dict(said.get("walls", {})),
        tuple(layouts),
    )


def site_named(name: str) -> Site | None:
    """The shipped set of that name."""
    return next((site for site in sites() if site.name == name), None)


def site_of(url: str, page: Selector) -> Site | None:
    """Whose page this is: by its address, else by a sign on it."""
    for site in sites():
        if site.lives_at(url):
            return site
    return next((site for site in sites() if site.shows(page)), None)


def layout_from(raw: Mapping[str, Any], where: str = "") -> tuple[Layout | None, list[str]]:
    """The selector set written as `raw`, and every fault in it in words; None where it is of no use."""
    faults: list[str] = []
    for key in raw:
        if key not in _LAYOUT_KEYS:
            faults.append(f"{where}{key} is not known here; allowed: {', '.join(sorted(_LAYOUT_KEYS))}")

    def words(key: str) -> tuple[str, ...]:
        value = raw.get(key, ())
        found = (value,) if isinstance(value, str) else value
        if not isinstance(found, (list, tuple)) or not all(isinstance(one, str) and one for one in found):
            faults.append(f"{where}{key} = {value!r}; allowed: a text, or a list of texts")
            return ()
        return tuple(found)

    item = "".join(words("item")[:1])
    state, state_after = words("state"), words("state_after")
    expressions, keys = words("items"), words("having")
    if state or state_after:
        if not (expressions or keys):
            faults.append(
                f"{where}items is missing; it says where in the JSON of state the reviews are "
                '(JMESPath, like "props.reviews[]"), or having = ["id", "text"] names the keys each has'
            )
    elif not item:
        faults.append(f'{where}item is missing; it selects one review, like item = "div.review"')
    for key, queries in (("item", (item,)), ("skip", words("skip")), ("next", words("next"))):
        faults.extend(_selector_faults(f"{where}{key}", queries))
    for key in ("state", "drop"):
        faults.extend(_selector_faults(f"{where}{key}", words(key), "css"))
    for expression in expressions:
        if wrong := embedded.fault_in(expression):
            faults.append(f"{where}items = {expression!r} is no JMESPath: {wrong}")
    kind = raw.get("kind", "review")
    if kind not in KINDS:
        faults.append(f"{where}kind = {kind!r}; allowed: {', '.join(KINDS)}")
        kind = "review"
    fields = raw.get("fields", {})
    if not isinstance(fields, Mapping):
        faults.append(f"{where}fields = {fields!r}; allowed: a table of selectors")
        fields = {}
    picks: dict[str, tuple[Pick, ...]] = {}
    for name, said in fields.items():
        if name not in FIELDS:
            faults.append(f"{where}fields.{name} is not known; allowed: {', '.join(FIELDS)}")
        else:
            # The average of a page is printed on it, wherever its reviews are.
            in_state = bool(state or state_after) and name not in ("average", "count")
            picks[name] = _picks(said, in_state, f"{where}fields.{name}", faults)
    if not ("text" in picks or "title" in picks):
        faults.append(f'{where}fields.text is missing; it selects what the author wrote, like text = ".body"')
    language = raw.get("language", "")
    layout = Layout(
        item=item,
        items=expressions,
        having=keys,
        state=state,
        state_after=state_after,
        skip=words("skip"),
        drop=words("drop"),
        fields=picks,
        kind=Kind(kind),
        next=words("next"),
        best=_best(raw.get("best"), where, faults),
        language=language if isinstance(language, str) else "",
    )
    usable = bool(picks) and (bool(expressions or keys) if layout.in_state else bool(item))
    return (layout if usable else None), list(dict.fromkeys(faults))


def _best(value: Any, where: str, faults: list[str]) -> float | None:
    if value is None:
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= 1_000:
        return float(value)
    faults.append(f"{where}best = {value!r}; allowed: the best possible rating, a number like 5, 10 or 100")
    return None


def _picks(said: Any, in_state: bool, where: str, faults: list[str]) -> tuple[Pick, ...]:
    alternatives = said if isinstance(said, list) else [said]
    found = []
    for one in alternatives:
        pick = _pick(one, in_state, where, faults)
        if pick is not None:
            found.append(pick)
    return tuple(found)


def _pick(said: Any, in_state: bool, where: str, faults: list[str]) -> Pick | None:
    if isinstance(said, str) and said.strip():
        how = "path" if in_state else "xpath" if is_xpath(said) else "css"
        faults.extend(_pick_faults(how, said, where))
        return Pick(how, said)
    if not isinstance(said, Mapping):
        faults.append(
            f"{where} = {said!r}; allowed: a selector, a list of selectors, or a table with css = …"
        )
        return None
    for key in said:
        if key not in _PICK_KEYS:
            faults.append(f"{where}.{key} is not known; allowed: {', '.join(_PICK_KEYS)}")
    ways = [key for key in ("css", "xpath", "path", "join") if key in said]
    if len(ways) != 1:
        faults.append(f"{where} needs one of css, xpath, path, join; found: {', '.join(ways) or 'none'}")
        return None
    how = ways[0]
    parts: tuple[Pick, ...] = ()
    query = said[how]
    if how == "join":
        parts = _picks(query, in_state, where, faults)
        query = ""
    elif not isinstance(query, str):
        faults.append(f"{where}.{how} = {query!r}; allowed: a text")
        return None
    else:
        faults.extend(_pick_faults(how, query, where))

    def cuts(key: str) -> tuple[str, ...]:
        value = said.get(key, ())
        cut = [value] if isinstance(value, str) else value
        if not isinstance(cut, (list, tuple)) or not all(isinstance(one, str) and one for one in cut):
            faults.append(f"{where}.{key} = {value!r}; allowed: literal words, or a list of them")
            return ()
        return tuple(cut)

    template = said.get("as", "")
    if not isinstance(template, str) or (template and template.count("{}") != 1):
        faults.append(f"{where}.as = {template!r}; allowed: a text with one {{}} in it")
        template = ""
    return Pick(
        how,
        query,
        parts,
        cuts("after"),
        cuts("before"),
        cuts("prefix"),
        cuts("suffix"),
        template,
        _best(said.get("best"), f"{where}.", faults),
        said.get("all") is True,
        str(said.get("separator", "\n")),
    )


def _pick_faults(how: str, query: str, where: str) -> list[str]:
    if how == "path":
        wrong = embedded.fault_in(query)
        return [f"{where} = {query!r} is no JMESPath: {wrong}"] if wrong else []
    return _selector_faults(where, (query,), how)


_NOTHING = Selector("<html></html>")


def is_xpath(query: str) -> bool:
    """True when a selector is meant as XPath: CSS never starts this way."""
    return query.lstrip().startswith(("/", "./", "../", "("))


def within(query: str) -> str:
    """An XPath as its writer meant it: `//p` is looked for inside the item, not in the whole page.

    >>> within("//p"), within("(//p)[1]"), within("/html/@lang")
    ('.//p', '(.//p)[1]', '/html/@lang')
    """
    query = query.strip()
    if query.startswith("//"):
        return "." + query
    return "(." + query[1:] if query.startswith("(//") else query


def select(root: Selector, query: str) -> Iterable[Selector]:
    """What a CSS or XPath selector finds below `root`; nothing where the selector itself is wrong."""
    try:
        return root.xpath(within(query)) if is_xpath(query) else root.css(query)
    except Exception:  # cssselect and lxml raise many kinds; check_options has said it before
        return ()


_REGEX_CALLS = ("re:test", "re:match", "re:replace")


def _selector_faults(where: str, queries: Iterable[str], how: str = "") -> list[str]:
    faults = []
    for query in queries:
        if not query:
            continue
        xpath = how == "xpath" or (not how and is_xpath(query))
        if xpath and any(call in query for call in _REGEX_CALLS):
            # EXSLT's regular expressions are Python's: a careless one hangs the crawl.
            faults.append(f"{where} = {query!r} uses a regular expression; use contains() or starts-with()")
            continue
        try:
            if xpath:
                _NOTHING.xpath(query)
            else:
                _NOTHING.css(query)
        except Exception as error:
            why = " ".join(str(error).split())[:200] or type(error).__name__
            faults.append(f"{where} = {query!r} is no {'XPath' if xpath else 'CSS'} selector: {why}")
    return faults
