"""How fast is a crawl, and how much memory does it take? Against plain Scrapy: same pages, same minute.

    python benchmarks/crawl.py [PAGES] [ROUNDS]

Serves review pages on loopback from a process of its own and crawls them in turn with plain Scrapy (eight
requests at a time, its default, and one, as lowstar does; ten items a page by CSS) and with lowstar (robots.txt,
addresses, the brake, structured data, the pipeline into a sink). Each crawl is a fresh process, modules loaded
first; the best of the rounds counts. Pages a second depend on what else the machine does; the processor time of a
page more does not. Prints one JSON line, with what reading one page costs by kind.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
PAGES, ROUNDS = 200, 3


def page(number: int) -> bytes:
    """A page of ten reviews, marked up as shops do, of some 40 KB."""
    reviews = [
        {
            "@type": "Review",
            "@id": f"#r{number}-{n}",
            "author": {"@type": "Person", "name": f"Author {number} {n}"},
            "datePublished": "2026-11-20",
            "reviewBody": f"Review {n} of page {number}: " + "the kettle leaks and nobody answers. " * 8,
            "reviewRating": {"@type": "Rating", "ratingValue": 1 + n % 5, "bestRating": 5},
        }
        for n in range(10)
    ]
    data = {"@context": "https://schema.org", "@type": "Product", "name": "Kettle", "review": reviews}
    items = "".join(
        f'<div class="review"><b>{one["author"]["name"]}</b><p>{one["reviewBody"]}</p></div>'
        for one in reviews
    )
    filler = "<ul>" + "<li><a href='/about'>About this shop and its many kettles</a></li>" * 400 + "</ul>"
    head = f'<script type="application/ld+json">{json.dumps(data)}</script>'
    return f"<html><head>{head}</head><body>{items}{filler}</body></html>".encode()


def serve() -> None:
    """The site; prints its port and runs until it is ended."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # An answer leaves in one piece: a second would wait 40 ms for the first to be acknowledged.
        wbufsize = 1 << 20

        def do_GET(self) -> None:
            number = self.path.rpartition("/")[2]
            body = page(int(number)) if number.isdigit() else b""
            self.send_response(200 if number.isdigit() else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


def plain(port: int, pages: int, at_once: int = 8) -> tuple[int, float]:
    """Plain Scrapy with its defaults, or one request at a time; how many items it took in how many seconds."""
    import scrapy
    from scrapy.core.downloader.handlers import http11  # noqa: F401  (loaded before the clock runs)
    from scrapy.crawler import AsyncCrawlerProcess

    taken = [0]

    class Plain(scrapy.Spider):
        name = "plain"
        start_urls = [f"http://127.0.0.1:{port}/{number}" for number in range(pages)]  # noqa: RUF012

        def parse(self, response: Any) -> Any:
            for one in response.css("div.review"):
                taken[0] += 1
                yield {"author": one.css("b::text").get(), "text": one.css("p::text").get()}

    process = AsyncCrawlerProcess({"LOG_LEVEL": "ERROR", "CONCURRENT_REQUESTS_PER_DOMAIN": at_once})
    began = time.perf_counter()
    process.crawl(Plain)
    process.start()
    return taken[0], time.perf_counter() - began


def ours(port: int, pages: int) -> tuple[int, float]:
    """lowstar's crawl without its delay; how many mentions reached the sink in how many seconds."""
    from datetime import UTC, datetime, timedelta

    from monitor.config import Config, Crawl, Source
    from spiders import download, retry, reviews, robots  # noqa: F401  (loaded before the clock runs)
    from spiders.crawl import crawl
    from storage.records import Mention, Removal, Tally

    taken = [0]

    def sink(items: Sequence[Mention | Removal]) -> Tally:
        taken[0] += len(items)
        return Tally(found=len(items), new=len(items))

    urls = tuple(f"http://127.0.0.1:{port}/{number}" for number in range(pages))
    source = Source(name="shop", kind="reviews", urls=urls)
    manners = Crawl(delay=timedelta(0), allow_hosts=("127.0.0.1",))
    config = Config(path=Path("lowstar.toml"), brands=(), sources=(source,), routes=(), crawl=manners)
    began = time.perf_counter()
    (run,) = crawl(config, [source], store=None, sink_for=lambda *_: sink, clock=lambda: datetime.now(UTC))
    took = time.perf_counter() - began
    if run.reason:
        print(run.reason, file=sys.stderr)
    return taken[0], took


WAYS = {"plain": plain, "plain1": lambda port, pages: plain(port, pages, 1), "ours": ours}


def one(what: str, port: int, pages: int) -> None:
    """One crawl in this process: prints pages a second, items, and its peak memory."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    items, took = WAYS[what](port, pages)
    after = resource.getrusage(resource.RUSAGE_SELF)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    mib = after.ru_maxrss / 1024
    print(json.dumps({"rate": pages / took, "items": items, "mib": mib, "cpu_ms": 1000 * used / pages}))


def reading_costs() -> dict[str, float]:
    """Milliseconds of reading one page, by kind: forty kilobytes of HTML, a feed of thirty, an answer of 100."""
    from datetime import UTC, datetime

    from scrapy.http import HtmlResponse, TextResponse

    from monitor.config import Source
    from spiders import feeds, hackernews, reviews, selectors

    now = datetime(2026, 11, 23, tzinfo=UTC)
    html = page(1)
    fields = {"text": "p", "author": "b"}
    item = "<item><title>A kettle {0}</title><guid>{0}</guid><description>It leaks {0}.</description></item>"
    rss = f"<rss version='2.0'><channel>{''.join(item.format(n) for n in range(30))}</channel></rss>".encode()
    hits = [
        {"objectID": str(n), "comment_text": "<p>It leaks.", "author": "a", "created_at_i": 1_790_000_000 + n}
        for n in range(100)
    ]
    made = {
        "reviews": (reviews, html, Source(name="x", kind="reviews")),
        "selectors": (
            selectors,
            html,
            Source(name="x", kind="selectors", options={"item": "div.review", "fields": fields}),
        ),
        "feed": (feeds, rss, Source(name="x", kind="feed")),
        "hackernews": (hackernews, json.dumps({"hits": hits}).encode(), Source(name="x", kind="hackernews")),
    }
    costs = {}
    for kind, (module, body, source) in made.items():
        make = HtmlResponse if module in (reviews, selectors) else TextResponse
        best = 9.0
        for _ in range(12):
            response = make("http://shop.example/a", body=body, encoding="utf-8")
            began = time.perf_counter()
            read = module.read_page(response, source, now)
            best = min(best, time.perf_counter() - began)
            assert read.mentions, kind
        costs[kind] = round(1000 * best, 2)
    return costs


def main(pages: int, rounds: int) -> None:
    """The comparison."""
    this = [sys.executable, str(Path(__file__).resolve())]
    site = subprocess.Popen([*this, "serve"], stdout=subprocess.PIPE, text=True)
    results: dict[tuple[str, int], list[dict[str, float]]] = {}
    try:
        assert site.stdout is not None
        port = site.stdout.readline().strip()
        for _ in range(rounds):
            for what in WAYS:
                for count in (pages, 3 * pages):
                    done = subprocess.run(
                        [*this, what, port, str(count)], stdout=subprocess.PIPE, text=True, check=True
                    )
                    results.setdefault((what, count), []).append(json.loads(done.stdout.splitlines()[-1]))
    finally:
        site.terminate()
        site.wait()

    def cpu(what: str, count: int) -> float:
        return count * min(one["cpu_ms"] for one in results[what, count])

    # What starting costs (loading modules) is in both counts; a page more costs their difference.
    page_more = {what: (cpu(what, 3 * pages) - cpu(what, pages)) / (2 * pages) for what in WAYS}
    best = {what: max(results[what, 3 * pages], key=lambda one: one["rate"]) for what in WAYS}
    rate = {what: one["rate"] for what, one in best.items()}
    answer = {
        "pages": 3 * pages,
        "pages_per_s": {what: round(one, 1) for what, one in rate.items()},
        "lowstar_over_plain": round(rate["ours"] / rate["plain"], 2),
        "cpu_ms_of_a_page_more": {what: round(one, 2) for what, one in page_more.items()},
        "lowstar_over_plain_by_cpu": round(page_more["plain"] / page_more["ours"], 2),
        "lowstar_over_plain_by_cpu_one_at_a_time": round(page_more["plain1"] / page_more["ours"], 2),
        "items": [one["items"] for one in best.values()],
        "plain_peak_mib": round(best["plain"]["mib"], 1),
        "lowstar_peak_mib": round(max(one["mib"] for one in results["ours", 3 * pages]), 1),
        "reading_ms_a_page": reading_costs(),
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve()
    elif sys.argv[1:2] in [[name] for name in WAYS]:
        one(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    else:
        numbers = [int(argument) for argument in sys.argv[1:3]]
        main(*(numbers + [PAGES, ROUNDS][len(numbers) :]))
