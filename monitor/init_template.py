"""What does a new lowstar.toml look like? Every setting with its default and a reason; no secret."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a person said when asked."""

    brand: str
    terms: Sequence[str] = ()
    review_urls: Sequence[str] = ()
    subreddits: Sequence[str] = ()
    feeds: Sequence[str] = ()
    hackernews: bool = False
    slack_channel: str = ""


def toml_text(text: str) -> str:
    r"""`text` as a TOML string on one line, whatever is in it.

    >>> toml_text('say "hi"'), toml_text("a\\b\nc\x7f")
    ('"say \\"hi\\""', '"a\\\\b\\nc\\u007F"')
    """
    named = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
    parts = []
    for c in text:
        if c in named:
            parts.append(named[c])
        elif ord(c) < 0x20 or 0x7F <= ord(c) <= 0x9F:
            parts.append(f"\\u{ord(c):04X}")
        else:
            parts.append("\ufffd" if 0xD800 <= ord(c) <= 0xDFFF else c)  # TOML has no lone surrogates
    return '"' + "".join(parts) + '"'


def toml_list(texts: Iterable[str]) -> str:
    """Texts as a TOML list on one line."""
    return "[" + ", ".join(toml_text(text) for text in texts) + "]"


def config_text(wishes: Wishes) -> str:
    """A commented lowstar.toml for `wishes`, one `load_config` takes."""
    parts = [_HEAD, _brand(wishes)]
    names: set[str] = set()
    for url in wishes.review_urls:
        parts.append(_source(_name_of(url, names), "reviews", urls=[url], about=wishes.brand))
    for url in wishes.feeds:
        parts.append(_source(_name_of(url, names), "feed", urls=[url]))
    if wishes.subreddits:
        parts.append(_REDDIT.format(name=_unique("reddit", names), subreddits=toml_list(wishes.subreddits)))
    if wishes.hackernews:
        parts.append(
            _HACKERNEWS.format(
                name=_unique("hackernews", names), queries=toml_list([wishes.brand, *wishes.terms][:5])
            )
        )
    parts.append(_MORE_SOURCES)
    parts.append(_ROUTES)
    channel = (
        f"channel = {toml_text(wishes.slack_channel)}"
        if wishes.slack_channel
        else '# channel = "#reputation"'
    )
    parts.append(_SLACK.format(channel=channel))
    parts.append(_REST)
    return "\n".join(parts)


def _brand(wishes: Wishes) -> str:
    terms = (
        f"terms = {toml_list([wishes.brand, *wishes.terms])}"
        if wishes.terms
        else "# terms = [" + '"Acme", "acme.com"]'
    )
    return _BRAND.format(name=toml_text(wishes.brand), terms=terms)


def _source(name: str, kind: str, *, urls: Sequence[str], about: str = "") -> str:
    lines = ["[[sources]]", f"name = {toml_text(name)}", f'kind = "{kind}"', f"urls = {toml_list(urls)}"]
    if about:
        lines.append(f"about = {toml_list([about])}  # all on this page is about it, named or not")
    lines.append('every = "1h"')
    return "\n".join(lines) + "\n"


def _name_of(url: str, taken: set[str]) -> str:
    try:
        host = urlsplit(url).hostname or "site"
    except ValueError:
        host = "site"
    labels = host.removeprefix("www.").split(".")
    word = labels[-2] if len(labels) > 1 and not labels[-1].isdigit() else labels[0]
    return _unique("".join(c for c in word if c.isalnum() or c in "-_")[:50] or "site", taken)


def _unique(name: str, taken: set[str]) -> str:
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name}-{number}"
    taken.add(found)
    return found


_HEAD = """\
# What lowstar listens for, where, and who hears of it. docs/configuration.md explains every setting.
# "lowstar check" says what is wrong with this file. Secrets never stand here; they come from the environment:
# LOWSTAR_SLACK_TOKEN, LOWSTAR_REDDIT_CLIENT_ID, LOWSTAR_REDDIT_CLIENT_SECRET, or the same name with _FILE
# and the path of a file that holds it.

timezone = "UTC"  # the zone times are shown in

[store]
url = "sqlite:///lowstar.db"  # beside this file; PostgreSQL with a password: LOWSTAR_STORE_URL
"""

_BRAND = """\
# What to listen for. One [[brands]] for each name.
[[brands]]
name = {name}
{terms}  # spellings that mean the brand; without it, its name
# not = ["acme of perfection"]   # a hit inside one of these phrases is none
# near = ["shop", "order"]       # for a name that is also a word: one of these must stand in the same text
# rivals = ["Globex"]            # names to compare with
"""

_REDDIT = """\
[[sources]]
name = "{name}"
kind = "reddit"  # needs LOWSTAR_REDDIT_CLIENT_ID and LOWSTAR_REDDIT_CLIENT_SECRET; off without them
subreddits = {subreddits}
every = "15m"
"""

_HACKERNEWS = """\
[[sources]]
name = "{name}"
kind = "hackernews"
queries = {queries}
every = "30m"
"""

_MORE_SOURCES = """\
# Where to listen. One [[sources]] for each place; kinds: reviews, selectors, feed, hackernews, reddit,
# import, imap, webhook, and the APIs of docs/sources.md.
# [[sources]]
# name = "shop"                  # yours to choose; keep it, as what was found is known by it
# kind = "reviews"               # any page that carries schema.org reviews
# urls = ["https://shop.example/product/reviews"]
# title = "The Shop"             # how people call it
# about = ["Acme"]               # all on these pages is about this brand, named or not
# every = "1h"                   # how often it is read
# backfill = "silent"            # first time: file what is there; "alert" treats all of it as news
# max_pages = 50                 # of one run
# deadline = "10m"               # for one run
# language = "en"
#
# [[sources]]
# name = "forum"
# kind = "selectors"             # a page without schema.org reviews: say where they are
# urls = ["https://forum.example/t/acme"]
# item = "article.post"
# mentions_are = "post"
# fields = { id = "::attr(id)", text = ".body", author = ".user", date = "time::attr(datetime)" }
#
# [[sources]]
# name = "toots"
# kind = "mastodon"
# hashtags = ["acme"]
# stream = true                  # heard as it is said, where lowstar listen runs
#
# [[sources]]
# name = "survey"
# kind = "webhook"               # sent to us, with the token in LOWSTAR_HOOK_SURVEY_TOKEN: docs/webhook.md
# about = ["Acme"]
"""

_ROUTES = """\
# Who hears of what. The first that matches wins. Without any: all of high and urgent goes to slack.channel,
# or to the console.
# [[routes]]
# channel = "#reputation-urgent"
# priority = "urgent"            # this and worse: low, normal, high, urgent
# brands = ["Acme"]              # default: every brand
# sources = ["shop"]             # default: every source
# respond_within = "1h"
# fallback = "#reputation"       # used while the channel is out of order
# notifier = "console"           # default: Slack where its key is set
"""

_SLACK = """\
[slack]
{channel}
# pace = "1s"                    # least time between two messages to one channel
# timeout = "30s"
"""

_REST = """\
# [reddit]
# user_agent = "linux:lowstar:0.1 (by /u/yourname)"

# [alerts]
# max_age = "30d"                # posted longer ago when first seen: filed, not announced
# reconcile_after = "60s"        # a message that may have arrived is looked for after this

# [triage]
# urgent_stars = 1.0             # this many stars or fewer
# high_stars = 2.0
# normal_stars = 3.0
# negative = 0.32                # probability of a complaint, 0…1, from which words are negative
# high = 0.6                     # from here words that name what went wrong are high
# viral_reach = 1000             # a negative with this reach rises one step

# [digest]
# channel = "#reputation-digest"   # where the digest of last week goes by itself; without it: nowhere
# day = "monday"
# hour = 9
# goal = 90                      # percent of cases that should be answered in time
# topics = [{ name = "chat bot", terms = ["chat bot", "robot"] }]   # beside those lowstar finds by itself

# [crawl]
# contact = "https://acme.example/contact"   # tells sites whom to write to
# delay = "1s"                   # between two requests to one host
# allow_hosts = ["reviews.internal"]         # hosts of your own that may have private addresses
# obey_robots = true
"""
