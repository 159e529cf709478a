"""Six sources broken in six ways are all named as blind in the same run; thirty quiet runs raise nothing."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import prawcore
import pytest
from loopback import Answer, Asked, Site, as_json

from monitor.config import Config, Crawl, Reddit, Source
from monitor.match import Brand
from monitor.runner import collect
from monitor.standins.reddit import RedditStandin
from storage.records import CrawlRun, RunOutcome
from storage.store import open_store

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)  # a Monday
BRANDS = (Brand(name="Acme", terms=("Acme",)),)
LOGIN = "<html><head><title>Log in</title></head><body><form><input type=password></form></body></html>"
CAPTCHA = (
    "<html><head><title>Just a moment...</title></head><body><div class='g-recaptcha'></div></body></html>"
)
CONSENT = "<html><head><title>Before you continue</title></head><body>Before you continue</body></html>"
SHELL = "<html><head><title>Acme</title></head><body><div id='root'></div><script src='/app.js'></script></body></html>"


def said(n: int) -> str:
    return f"Acme kettle number {n} leaks all over the kitchen and nobody answers me."


# --- the six sources, each as it answers: number of the run, how it is broken ------------------------------


def schema_page(run: int, broken: str = "") -> Answer | str:
    reviews = [
        {
            "@type": "Review",
            "author": {"@type": "Person", "name": f"Ann {n}"},
            "datePublished": f"2026-11-{1 + n % 20:02}",
            "reviewBody": said(n),
            **({} if broken == "field" else {"reviewRating": {"@type": "Rating", "ratingValue": 1 + n % 5}}),
        }
        for n in range(run, run + 12)
    ]
    product = {"@context": "https://schema.org", "@type": "Product", "name": "Kettle", "review": reviews}
    if broken == "empty":
        product["review"] = []
    marked = f"<script type='application/ld+json'>{json.dumps(product)}</script>"
    text = "<p>" + "A kettle of steel, with a lid. " * 80 + "</p>"
    return f"<html><head>{marked}<title>Kettle</title></head><body>{text}</body></html>"


def forum_page(run: int, broken: str = "") -> Answer | str:
    author = "nick" if broken == "field" else "user"
    posts = "".join(
        f"<article class=post data-id={n}><b class={author}>ann{n}</b><time datetime='2026-11-{1 + n % 20:02}'>"
        f"</time><p class=body>{said(n)}</p></article>"
        for n in range(run, run + 12)
    )
    return f"<html><body><h1>Kettles</h1>{'' if broken == 'empty' else posts}<p>{'words ' * 400}</p></body></html>"


def feed(run: int, broken: str = "") -> Answer | str:
    name = "published" if broken == "field" else "pubDate"
    entries = "".join(
        f"<item><title>Acme {n}</title><guid>g{n}</guid><link>https://n.example/{n}</link>"
        f"<description>{said(n)}</description>"
        + (
            f"<{name}></{name}>"
            if broken == "field"
            else f"<{name}>{1 + n % 20:02} Nov 2026 08:00:00 GMT</{name}>"
        )
        + "</item>"
        for n in range(run, run + 12)
    )
    body = f"<rss version='2.0'><channel><title>News</title>{'' if broken == 'empty' else entries}</channel></rss>"
    return Answer(body, headers={"Content-Type": "application/rss+xml"})


def hackernews(run: int, broken: str = "") -> Answer | str:
    at = int(NOW.timestamp()) - 86_400 * 8 + run * 86_400
    hits = [
        {
            "objectID": str(1_000 + run * 100 + n),
            "comment_text": said(n),
            "created_at_i": at - n,
            "parent_id": 1,
            "_tags": ["comment"],
            **({} if broken == "field" else {"author": f"ann{n}"}),
        }
        for n in range(40)
    ]
    hits = [] if broken == "empty" else hits
    return as_json({"hits": hits, "nbHits": len(hits), "nbPages": 1, "page": 0, "hitsPerPage": 100})


def steam(run: int, broken: str = "") -> Answer | str:
    reviews = [
        {
            "recommendationid": str(run + n),
            "author": {"steamid": str(n)},
            "review": said(n),
            "timestamp_created": int(NOW.timestamp()) - 86_400 * 30 + n,
            **({} if broken == "field" else {"voted_up": n % 2 == 0}),
        }
        for n in range(30)
    ]
    reviews = [] if broken == "empty" else reviews
    return as_json(
        {"response": {"success": 1, "query_summary": {"num_reviews": len(reviews)}, "reviews": reviews}}
    )


# What answers instead, by source and by way of being broken; "field" and "empty" are asked of the source itself.
BREAKS: dict[str, dict[str, Answer | str]] = {
    "schema": {
        "403": Answer("no", 403),
        "wall": CAPTCHA,
        "layout": SHELL,
        "wrong": as_json({"reviews": [1, 2, 3]}),
    },
    "forum": {
        "403": Answer("no", 403),
        "wall": LOGIN,
        "layout": str(forum_page(0)).replace("class=post", "class=entry"),
        "wrong": Answer("%PDF-1.7 \x00", headers={"Content-Type": "application/pdf"}),
    },
    "feed": {
        "403": Answer("no", 403),
        "wall": LOGIN,
        "layout": "<rss version='2.0'><channel><title>News</title><entry2>gone</entry2></channel></rss>",
        "wrong": "<html><head><title>Our feed has moved</title></head><body>See the blog.</body></html>",
    },
    "hn": {
        "403": Answer("no", 403),
        "wall": CONSENT,
        "layout": as_json({"results": [{"id": 1}], "total": 1}),
        "wrong": "<html><body>Bad gateway</body></html>",
    },
    "steam": {
        "403": Answer("no", 403),
        "wall": CAPTCHA,
        "layout": as_json({"data": {"comments": [{"id": 1}]}}),
        "wrong": "<html><body>Steam is down for maintenance</body></html>",
    },
}
WAYS = ("403", "wall", "layout", "wrong", "field", "empty")
PAGES = {"schema": schema_page, "forum": forum_page, "feed": feed, "hn": hackernews, "steam": steam}
# What must be named where one field is gone: its word and where it was looked for.
GONE = {
    "schema": ("stars", "reviewRating"),
    "forum": ("author", ".user"),
    "feed": ("date", "pubDate"),
    "hn": ("author", "hits[].author"),
    "steam": ("stars", "voted_up"),
    "reddit": ("author", "author"),
}


class Web:
    """The six sources on loopback, and a store that remembers what they showed before."""

    def __init__(self, folder: Path, site: Site, reddit: RedditStandin) -> None:
        self.site, self.reddit = site, reddit
        self.run_number = 0
        self.broken: dict[str, str] = {}
        for name in PAGES:
            site.pages[f"/{name}"] = self._answer(name)
        site.pages["/hn/search_by_date"] = self._answer("hn")
        site.pages["/steam/IUserReviewsService/GetAppReviews/v1/"] = self._answer("steam")
        self.store = open_store(f"sqlite:///{folder / 'lowstar.db'}")
        hour = timedelta(minutes=2)
        self.sources = (
            Source(name="schema", kind="reviews", urls=(site.url("/schema"),), deadline=hour),
            Source(
                name="forum",
                kind="selectors",
                urls=(site.url("/forum"),),
                deadline=hour,
                options={
                    "kind": "post",
                    "item": "article.post",
                    "fields": {
                        "id": "::attr(data-id)",
                        "text": ".body",
                        "author": ".user",
                        "date": "time::attr(datetime)",
                    },
                },
            ),
            Source(name="feed", kind="feed", urls=(site.url("/feed"),), deadline=hour),
            Source(name="hn", kind="hackernews", options={"api_url": site.url("/hn"), "queries": ("Acme",)}),
            Source(name="steam", kind="steam", options={"api_url": site.url("/steam"), "apps": ("1",)}),
            Source(name="reddit", kind="reddit", options={"subreddits": ("coffee",), "search": ()}),
        )
        account = Reddit(
            client_id=reddit.client_id,
            client_secret=reddit.client_secret,
            reddit_url=reddit.url,
            oauth_url=reddit.url,
        )
        self.config = Config(
            path=Path("x"),
            brands=BRANDS,
            sources=self.sources,
            routes=(),
            reddit=account,
            crawl=Crawl(delay=timedelta(0), allow_hosts=("127.0.0.1",)),
        )
        for _ in range(5):
            self.say_on_reddit()
            self.crawl(healthy=True)

    def _answer(self, name: str) -> Any:
        def answer(asked: Asked) -> Answer | str:
            way = self.broken.get(name, "")
            if asked.path.startswith("/robots"):
                return Answer("", 404)
            return BREAKS[name][way] if way in BREAKS[name] else PAGES[name](self.run_number, way)

        return answer

    def say_on_reddit(self, author: str | None = "ann") -> None:
        at = self.now.timestamp()
        post = self.reddit.add_post("coffee", "Acme kettles", said(0), author=author, at=at)
        for n in range(8):
            self.reddit.add_comment(post, said(n), author=author, at=at + n)

    @property
    def now(self) -> datetime:
        return NOW + timedelta(days=self.run_number - 6)

    def crawl(self, *, healthy: bool = False) -> dict[str, CrawlRun]:
        runs, _ = collect(
            self.config, self.store, self.sources, clock=lambda: self.now, stop=threading.Event()
        )
        if healthy:
            bad = [run for run in runs if run.outcome is not RunOutcome.OK]
            assert not bad, bad
            assert not self._findings(runs)
        self.run_number += 1
        return {run.source: run for run in runs}

    def _findings(self, runs: list[CrawlRun]) -> dict[str, Any]:
        with self.store.reading() as ledger:
            return ledger.findings()


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    patch = pytest.MonkeyPatch()
    # PRAW waits up to four seconds before it asks a third time.
    patch.setattr(prawcore.sessions.FiniteRetryStrategy, "_sleep_seconds", lambda _: 0.001)
    patch.setattr("spiders.retry.FIRST_WAIT", 0.01)
    with Site() as site, RedditStandin() as reddit:
        reddit.open("coffee")
        made = Web(tmp_path_factory.mktemp("blind"), site, reddit)
        yield made
        made.store.close()
    patch.undo()


def break_reddit(reddit: RedditStandin, way: str) -> None:
    html = {"content-type": "text/html"}
    empty = {"kind": "Listing", "data": {"children": [], "after": None, "before": None}}
    match way:
        case "403":
            reddit.fault("/r/coffee", status=403, body=b'{"message": "Forbidden", "error": 403}')
        case "wall":
            reddit.fault("/r/coffee", body=LOGIN.encode(), headers=html)
        case "layout":
            reddit.fault("/r/coffee", body=json.dumps({"things": [1, 2]}).encode())
        case "wrong":
            reddit.fault("/r/coffee", body=b"<html>You broke reddit</html>", headers=html)
        case "field":
            for thing in reddit.things.values():
                thing["author"] = None
        case "empty":
            reddit.fault("/r/coffee", body=json.dumps(empty).encode())


def test_six_sources_broken_six_ways_are_named_in_the_same_run(web: Web) -> None:
    named: dict[tuple[str, str], str] = {}
    for way in WAYS:
        web.broken = dict.fromkeys(PAGES, way)
        web.say_on_reddit()
        break_reddit(web.reddit, way)
        runs = web.crawl()
        with web.store.reading() as ledger:
            findings = ledger.findings()
        for name in (*PAGES, "reddit"):
            run = runs[name]
            if name in findings and run.outcome in (RunOutcome.FAILED, RunOutcome.PARTIAL):
                assert run.reason.startswith(findings[name].words[:200]), run
                named[name, way] = run.reason
        # Mended: the next run is well again, and nothing is remembered against it.
        web.broken = {}
        web.reddit.behave()
        for thing in web.reddit.things.values():
            thing["author"] = thing["author"] or "ann"
        web.say_on_reddit()
        mended = web.crawl()
        assert {name: run.reason for name, run in mended.items() if run.outcome is not RunOutcome.OK} == {}, (
            way
        )
    wanted = {(name, way) for name in (*PAGES, "reddit") for way in WAYS}
    assert wanted - set(named) == set()
    for name, (word, place) in GONE.items():
        assert f" {word}" in named[name, "field"], named[name, "field"]
        assert place in named[name, "field"]
    assert "captcha" in named["schema", "wall"]
    assert "login" in named["forum", "wall"]
    assert "article.post" in named["forum", "layout"]
    for reason in named.values():
        assert "Traceback" not in reason
        assert len(reason) > 30, reason


def quiet_histories() -> Iterator[tuple[str, list[int]]]:
    """Thirty sources in which nobody may well say anything now, as counts of their earlier runs."""
    for seed in range(30):
        chance = random.Random(seed)
        mean = chance.choice([0.2, 0.5, 1.0, 2.0, 3.0])
        yield f"quiet{seed}", [sum(chance.random() < mean / 20 for _ in range(20)) for _ in range(8)]


def test_thirty_quiet_runs_raise_nothing(tmp_path: Path) -> None:
    shown: dict[str, list[dict[str, Any]]] = {}

    def answer(asked: Asked) -> Answer | str:
        hits = shown[asked.path.split("/")[1]]
        return as_json({"hits": hits, "nbHits": len(hits), "nbPages": 1, "page": 0, "hitsPerPage": 100})

    histories = dict(quiet_histories())
    with Site() as site, open_store(f"sqlite:///{tmp_path / 'quiet.db'}") as store:
        for name in histories:
            site.pages[f"/{name}/search_by_date"] = answer
        sources = tuple(
            Source(
                name=name, kind="hackernews", options={"api_url": site.url(f"/{name}"), "queries": ("Acme",)}
            )
            for name in histories
        )
        config = Config(
            path=Path("x"),
            brands=BRANDS,
            sources=sources,
            routes=(),
            crawl=Crawl(delay=timedelta(0), allow_hosts=("127.0.0.1",)),
        )

        def run(at: datetime, counts: dict[str, int]) -> list[CrawlRun]:
            for name, count in counts.items():
                shown[name] = [
                    {
                        "objectID": str(int(at.timestamp()) * 100 + n),
                        "comment_text": said(n),
                        "author": "ann",
                        "created_at_i": int(at.timestamp()) - n,
                    }
                    for n in range(count)
                ]
            runs, _ = collect(config, store, sources, clock=lambda: at, stop=threading.Event())
            return runs

        for day in range(8):
            run(NOW - timedelta(days=9 - day), {name: counts[day] for name, counts in histories.items()})
        runs = run(NOW, dict.fromkeys(histories, 0))
        with store.reading() as ledger:
            findings = ledger.findings()
    assert len(runs) == 30
    assert findings == {}
    assert {run.outcome for run in runs} <= {RunOutcome.OK, RunOutcome.EMPTY}


def test_a_store_is_not_needed_to_name_a_wall() -> None:
    from crawling import crawled, source_of

    from spiders.reviews import ReviewsSpider

    with Site({"/a": CAPTCHA}) as site:
        (run,) = crawled(replace(source_of(site.url("/a")), kind="reviews"), spider=ReviewsSpider)
    assert run.outcome is RunOutcome.FAILED
    assert "captcha" in run.reason
