"""Runs the whole main job against the demo's small web, with the real spiders, clients and store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from monitor.config import Config, Reddit, load_config
from monitor.demo.web import FORUM_OPTIONS, DemoWeb, reddit_things
from monitor.standins.reddit import RedditStandin
from monitor.standins.slack import SlackStandin

ALERTS = "#lapwing-alerts"
DIGEST = "#lapwing-digest"
SUBREDDITS = ("Coffee", "espresso", "Leeds", "bristol", "UKFrugal", "Kaffee", "LegalAdviceUK", "UKBirds")
_TOKEN = "xoxb-demo-0000000000"  # noqa: S105 - what the stand-in takes; it opens nothing anywhere else


def toml_for(web_url: str, slack_url: str) -> str:
    """The demo's lowstar.toml: an example of a whole configuration."""
    fields = ", ".join(f"{name} = {json.dumps(value)}" for name, value in FORUM_OPTIONS["fields"].items())
    return f"""\
# Written by `lowstar demo`: everything in it is on this machine.
[store]
url = "sqlite:///lowstar.db"

[[brands]]
name = "Lapwing Coffee"
terms = ["Lapwing"]
# A lapwing is a bird, too: one of these must stand in the same text.
near = ["coffee", "order", "ordered", "bag", "blend", "beans", "barista", "café", "cafe", "grinder", "G2",
    "subscription",
    "app", "support", "customer", "refund", "refunded", "charged", "delivery", "box", "mug", "kit", "discount", "decaf",
    "Northroast", "staff", "price", "prices", "terms", "phone line", "API", "shop", "Leeds", "Bristol", "liefert",
    "Paket", "unsubscribe", "checkout", "menu", "carafe", "payment", "roast curves", "dataset", "tasting",
    "power brick",
    "owners", "happy", "months", "chat bot", "emails", "joke", "😡"]
rivals = ["Northroast"]

[[sources]]
name = "guide"
title = "BrewGuide"
kind = "reviews"
urls = ["{web_url}/guide"]
about = ["Lapwing Coffee"]
backfill = "alert"      # a demo wants to be seen; the default files a first run silently

[[sources]]
name = "shopsterne"
title = "ShopSterne"
kind = "reviews"
urls = ["{web_url}/shop"]
about = ["Lapwing Coffee"]
language = "de"
backfill = "alert"

[[sources]]
name = "board"
title = "Home Barista Board"
kind = "selectors"
urls = ["{web_url}/forum"]
backfill = "alert"
item = {json.dumps(FORUM_OPTIONS["item"])}
next = {json.dumps(FORUM_OPTIONS["next"])}
fields = {{ {fields} }}

[[sources]]
name = "news"
title = "Coffee news"
kind = "feed"
urls = ["{web_url}/feed.atom"]
backfill = "alert"

[[sources]]
name = "hackernews"
title = "Hacker News"
kind = "hackernews"
queries = ["Lapwing"]
api_url = "{web_url}/hn/api/v1"
backfill = "alert"

[[sources]]
name = "reddit"
title = "Reddit"
kind = "reddit"
subreddits = {json.dumps(list(SUBREDDITS))}
backfill = "alert"

[storms]
on = false              # a demo shows every card; in earnest so many at once become one

[slack]
channel = "{ALERTS}"
base_url = "{slack_url}"
pace = "20ms"           # Slack itself wants one message a second; this one is on your machine

[digest]
channel = "{DIGEST}"
day = "monday"          # last week's, from Monday on
hour = 0

[alerts]
max_age = "14d"         # older than this when first seen: filed, not announced

[crawl]
contact = "https://lapwing.example/lowstar"
delay = "50ms"
allow_hosts = ["127.0.0.1"]
"""


@contextmanager
def stage(
    folder: Path, now: datetime, *, later: bool = False
) -> Iterator[tuple[Config, SlackStandin, DemoWeb]]:
    """The demo's web, Reddit and Slack, up for the length of the block, and a Config that knows where they are.

    What stands in the Slack channel is kept in `folder`, as Slack would keep it between two runs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "slack.json"
    with ExitStack() as stack:
        web = stack.enter_context(DemoWeb(now, later=later))
        reddit = stack.enter_context(RedditStandin())
        _fill(reddit, now)
        slack = stack.enter_context(SlackStandin(token=_TOKEN, channels=[ALERTS, DIGEST]))
        if kept.exists():
            slack.restore(json.loads(kept.read_text("utf-8")))
        path = folder / "lowstar.toml"
        path.write_text(toml_for(web.url, slack.base_url), "utf-8")
        # The person's own keys are none of the demo's business: it is given an environment of its own.
        config = load_config(
            path,
            {
                "LOWSTAR_SLACK_TOKEN": _TOKEN,
                "LOWSTAR_REDDIT_CLIENT_ID": reddit.client_id,
                "LOWSTAR_REDDIT_CLIENT_SECRET": reddit.client_secret,
            },
        )
        config = replace(config, reddit=_at(config.reddit, reddit.url))
        try:
            yield config, slack, web
        finally:
            kept.write_text(json.dumps(slack.kept(), ensure_ascii=False), "utf-8")


def _at(settings: Reddit, url: str) -> Reddit:
    return replace(settings, reddit_url=url, oauth_url=url)


def _fill(reddit: RedditStandin, now: datetime) -> None:
    reddit.open(*SUBREDDITS)
    for thing in reddit_things(now):
        more: dict[str, Any] = {"id": thing["id"], "score": thing["score"]}
        if thing["kind"] == "post":
            more["name"] = f"t3_{thing['id']}"
            more["permalink"] = f"/r/{thing['subreddit']}/comments/{thing['id']}/"
            reddit.add_post(
                thing["subreddit"],
                thing["title"],
                thing["body"],
                thing["author"],
                at=thing["created_utc"],
                **more,
            )
        else:
            more["name"] = f"t1_{thing['id']}"
            reddit.add_comment(
                f"t3_{thing['parent']}", thing["body"], thing["author"], at=thing["created_utc"], **more
            )
