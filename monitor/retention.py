"""How long may a source's words be kept? As its terms say, unless lowstar.toml says otherwise.

Only the sources whose terms set a limit stand here; what an author deletes is removed from every source.
What is emptied leaves its place, its day and its stars: a digest still counts it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from monitor.config import Reddit, Source
from monitor.config_apis import APIS
from storage.store import Store

# Who sets the limits of `monitor.config_apis`; a test holds them together. Of review sources also why there is none.
REASONS: Mapping[str, str] = {
    "app_store": "no limit: Apple publishes the feed without terms of keeping; set `retention` if you want one",
    "app_store_connect": "no limit: reviews of one's own apps, which Apple hands over to be answered",
    "google_business": "no limit: reviews of one's own places; set `retention` where your agreement has one",
    "google_play_owner": "no limit: reviews of one's own apps, which Google hands over to be answered",
    "steam": "no limit: public reviews; what is deleted on Steam is removed here",
    "trustpilot": "no limit: as agreed with Trustpilot; what is deleted there is removed here",
    "trustpilot_private": "no limit: as agreed with Trustpilot; what is deleted there is removed here",
    "google_places": "Google Maps Platform's service specific terms: nothing but the place's id may be kept",
    "tripadvisor": "Tripadvisor's Content API terms: only the ids of places may be kept",
    "x": "X's developer policy asks to delete what was deleted there, which its search stops telling after a week",
    "yelp": "Yelp's API terms: content may be kept for 24 hours",
    "youtube": "YouTube's API Services policies, III.E.4: what is not refreshed is to go after 30 days",
}


def by_feed(reddit: Reddit) -> bool:
    """True where Reddit is read through the account's private feed, as there is no key of its API."""
    return bool(reddit.feed_url) and not (reddit.client_id and reddit.client_secret)


# Reddit asks to delete within 48 hours what was deleted there. By its API that is looked for; a feed never tells.
REDDIT_FEED = (
    timedelta(hours=48),
    "Reddit's Data API terms: what is deleted there goes within 48 hours, and a feed never tells",
)


def kept_for(source: Source, reddit: Reddit | None = None) -> tuple[timedelta | None, str]:
    """How long the words of `source` are kept, None for good; and why.

    `reddit` tells how Reddit is read.
    """
    if source.retention is not None:
        return source.retention, "retention in lowstar.toml"
    if source.kind == "reddit" and reddit is not None and by_feed(reddit):
        return REDDIT_FEED
    api = APIS.get(source.kind)
    return (api.keep, REASONS.get(source.kind, "")) if api is not None else (None, "")


def forget_what_is_due(
    store: Store, sources: Iterable[Source], now: datetime, reddit: Reddit | None = None
) -> dict[str, int]:
    """Empty what each source's terms do not let us keep any longer; answers how many, by source.

    Call it when what was found has been delivered: whoever has to answer has seen it by then.
    """
    emptied: dict[str, int] = {}
    for source in sources:
        keep, _ = kept_for(source, reddit)
        if keep is None:
            continue
        with store.transaction() as ledger:
            if count := ledger.purge_source(source.name, now - keep, now):
                emptied[source.name] = count
    return emptied
