"""How fast is a crawl, and how much memory does it take? Against plain Scrapy: same pages, same minute.

    python benchmarks/crawl.py [PAGES] [ROUNDS]

Serves review pages on loopback from a process of its own and crawls them in turn with plain Scrapy (its
defaults, eight requests at a time, ten items a page by CSS) and with lowstar (one at a time, robots.txt,
addresses, the brake, structured data, the pipeline into a sink). Each crawl is a fresh process; the best of
the rounds counts. Prints one JSON line.
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
PAGES, ROUNDS = 300, 3


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


def plain(port: int, pages: int) -> int:
    """Plain Scrapy with its defaults; answers how many items it took."""
    import scrapy
    from scrapy.crawler import AsyncCrawlerProcess

    taken = [0]

    class Plain(scrapy.Spider):
        name = "plain"
        start_urls = [f"http://127.0.0.1:{port}/{number}" for number in range(pages)]  # noqa: RUF012

        def parse(self, response: Any) -> Any:
            for one in response.css("div.review"):
                taken[0] += 1
                yield {"author": one.css("b::text").get(), "text": one.css("p::text").get()}

    process = AsyncCrawlerProcess({"LOG_LEVEL": "ERROR"})
    process.crawl(Plain)
    process.start()
    return taken[0]


def ours(port: int, pages: int) -> int:
    """lowstar's crawl without its delay; answers how many mentions reached the sink."""
    from datetime import UTC, datetime, timedelta

    from monitor.config import Config, Crawl, Source
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
    (run,) = crawl(config, [source], store=None, sink_for=lambda *_: sink, clock=lambda: datetime.now(UTC))
    if run.reason:
        print(run.reason, file=sys.stderr)
    return taken[0]


def one(what: str, port: int, pages: int) -> None:
    """One crawl in this process: prints pages a second, items, and its peak memory."""
    began = time.perf_counter()
    items = {"plain": plain, "ours": ours}[what](port, pages)
    took = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    cpu = resource.getrusage(resource.RUSAGE_SELF)
    used = cpu.ru_utime + cpu.ru_stime
    print(json.dumps({"rate": pages / took, "items": items, "mib": peak, "cpu_ms": 1000 * used / pages}))


def main(pages: int, rounds: int) -> None:
    """The comparison."""
    this = [sys.executable, str(Path(__file__).resolve())]
    site = subprocess.Popen([*this, "serve"], stdout=subprocess.PIPE, text=True)
    try:
        assert site.stdout is not None
        port = site.stdout.readline().strip()
        results: dict[str, list[dict[str, float]]] = {"plain": [], "ours": []}
        for _ in range(rounds):
            for what, found in results.items():
                done = subprocess.run(
                    [*this, what, port, str(pages)], stdout=subprocess.PIPE, text=True, check=True
                )
                found.append(json.loads(done.stdout.splitlines()[-1]))
    finally:
        site.terminate()
        site.wait()
    best = {what: max(found, key=lambda one: one["rate"]) for what, found in results.items()}
    answer = {
        "pages": pages,
        "plain_pages_per_s": round(best["plain"]["rate"], 1),
        "lowstar_pages_per_s": round(best["ours"]["rate"], 1),
        "lowstar_over_plain": round(best["ours"]["rate"] / best["plain"]["rate"], 2),
        "plain_cpu_ms_a_page": round(min(one["cpu_ms"] for one in results["plain"]), 2),
        "lowstar_cpu_ms_a_page": round(min(one["cpu_ms"] for one in results["ours"]), 2),
        "items": [best["plain"]["items"], best["ours"]["items"]],
        "plain_peak_mib": round(best["plain"]["mib"], 1),
        "lowstar_peak_mib": round(max(one["mib"] for one in results["ours"]), 1),
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve()
    elif sys.argv[1:2] in (["plain"], ["ours"]):
        one(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    else:
        numbers = [int(argument) for argument in sys.argv[1:3]]
        main(*(numbers + [PAGES, ROUNDS][len(numbers) :]))
