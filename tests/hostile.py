"""Servers that mean harm, on addresses of this machine's own; run as a program it crawls them and reports.

    python tests/hostile.py CRAWL_AS_JSON        prints one JSON line: the runs, and the peak of memory

Each behaviour has an address of its own (127.0.1.1, 127.0.1.2, …), for two sources that share a host wait for
each other.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import random
import resource
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REVIEW = (
    '<script type="application/ld+json">{"@context": "https://schema.org", "@type": "Product", "name": "Kettle",'
    ' "review": [{"@type": "Review", "author": "Ann", "datePublished": "2026-11-01",'
    ' "reviewBody": "It leaks all over the kitchen.", "reviewRating": {"@type": "Rating", "ratingValue": 1}}]}'
    "</script>"
)
PAGE = (
    f"<html><head><title>Kettle</title>{REVIEW}</head><body>{'<p>A kettle of steel.</p>' * 100}</body></html>"
)
CHUNK = 1 << 16


class Talk:
    """One connection: what was asked, and bytes to answer with."""

    def __init__(self, connection: socket.socket, host: str, over: threading.Event) -> None:
        self.connection, self.host, self.over = connection, host, over
        self.path = ""

    def hear(self) -> bool:
        """The next request; False when there is none."""
        got = b""
        while b"\r\n\r\n" not in got:
            piece = self.connection.recv(CHUNK)
            if not piece or len(got) > 100_000:
                return False
            got += piece
        self.path = got.split(b" ", 2)[1].decode("latin-1")
        return True

    def say(self, data: bytes) -> None:
        self.connection.sendall(data)

    def head(self, *lines: str, status: str = "200 OK") -> None:
        self.say(("\r\n".join([f"HTTP/1.1 {status}", *lines]) + "\r\n\r\n").encode("latin-1"))

    def page(self, body: bytes | str, *lines: str, kind: str = "text/html; charset=utf-8") -> None:
        data = body.encode() if isinstance(body, str) else body
        self.head(f"Content-Type: {kind}", f"Content-Length: {len(data)}", *lines)
        self.say(data)

    def for_ever(self, piece: bytes, wait: float = 0.0) -> None:
        while not self.over.is_set():
            self.say(piece)
            if wait:
                self.over.wait(wait)

    def reset(self) -> None:
        """End as a broken line does, not as a polite server."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


def _zeros_brotli(size: int) -> bytes:
    """A brotli stream of `size` zeros (a multiple of 16 MiB): the same few bytes again and again."""
    import brotli  # type: ignore[import-untyped]

    piece = b"\x00" * (1 << 24)
    maker = brotli.Compressor(quality=5, lgwin=24)
    parts = [maker.process(piece) + maker.flush() for _ in range(4)]
    if parts[2] != parts[3]:
        raise RuntimeError("this brotli writes every piece in another way")
    return bytes(b"".join(parts[:3]) + parts[2] * (size // len(piece) - 3) + maker.finish())


_MADE: dict[str, bytes] = {}
_MAKING = threading.Lock()


def _made(name: str, make: Callable[[], bytes]) -> bytes:
    with _MAKING:
        if name not in _MADE:
            _MADE[name] = make()
        return _MADE[name]


def gzip_bomb(talk: Talk) -> None:
    body = _made("gzip", lambda: gzip.compress(b"\x00" * (256 << 20), 6))
    talk.page(body, "Content-Encoding: gzip")


def brotli_bomb(talk: Talk) -> None:
    talk.page(_made("brotli", lambda: _zeros_brotli(4 << 30)), "Content-Encoding: br")


def zstd_bomb(talk: Talk) -> None:
    # A frame of 4 GiB of zeros in run-length blocks of 128 KiB: four bytes a block.
    block = struct.pack("<I", (1 << 1) | (131_072 << 3))[:3] + b"\x00"
    head = b"\x28\xb5\x2f\xfd" + bytes([0b11100000]) + struct.pack("<Q", 4 << 30)
    talk.page(head + block * 32_767 + struct.pack("<I", 1 | (1 << 1) | (131_072 << 3))[:3] + b"\x00",
              "Content-Encoding: zstd")  # fmt: skip


def bomb_in_a_bomb(talk: Talk) -> None:
    body = _made("twice", lambda: gzip.compress(gzip.compress(b"\x00" * (256 << 20), 6)))
    talk.page(body, "Content-Encoding: gzip, gzip")


def slow_drip(talk: Talk) -> None:
    talk.head("Content-Type: text/html", "Content-Length: 1000000")
    talk.for_ever(b"<", 0.5)


def slow_head(talk: Talk) -> None:
    talk.say(b"HTTP/1.1 200 OK\r\n")
    talk.for_ever(b"X-Slow: 1\r\n", 0.5)


def endless_paging(talk: Talk) -> None:
    number = int("".join(filter(str.isdigit, talk.path)) or 0)
    author = f'"author": "Ann {number}"'
    page = PAGE.replace('"author": "Ann"', author)
    talk.page(page.replace("<title>", f'<link rel="next" href="/p/{number + 1}"><title>'))


def redirect_loop(talk: Talk) -> None:
    talk.head(f"Location: /{random.random()}", "Content-Length: 0", status="302 Found")


def redirect_to_private(talk: Talk) -> None:
    where = {"/1": "http://169.254.169.254/latest/meta-data/", "/2": "file:///etc/passwd"}
    talk.head(
        f"Location: {where.get(talk.path, 'http://10.0.0.1/')}", "Content-Length: 0", status="302 Found"
    )


def wrong_charset(talk: Talk) -> None:
    page = PAGE.replace("It leaks", "Sie läuft über, Ärger: it leaks").encode("cp1252")
    talk.page(page, kind="text/html; charset=utf-16-klingon")


def truncated_gzip(talk: Talk) -> None:
    body = gzip.compress(PAGE.encode() * 50)
    talk.page(body[: len(body) // 2], "Content-Encoding: gzip")


def huge_headers(talk: Talk) -> None:
    talk.say(b"HTTP/1.1 200 OK\r\n")
    for _ in range(2_000):
        talk.say(b"X-Header: " + b"a" * 10_000 + b"\r\n")
    talk.say(b"Content-Length: 0\r\n\r\n")


def one_huge_header(talk: Talk) -> None:
    talk.say(b"HTTP/1.1 200 OK\r\nX-Header: ")
    talk.for_ever(b"a" * CHUNK)


def never_ending_body(talk: Talk) -> None:
    talk.head("Content-Type: text/html", "Connection: close")
    talk.for_ever(b"<p>and on</p>" * 5_000)


def length_lies(talk: Talk) -> None:
    talk.head("Content-Type: text/html", "Content-Length: 999999999999")
    talk.say(PAGE.encode())
    talk.connection.close()


def length_too_short(talk: Talk) -> None:
    talk.head("Content-Type: text/html", "Content-Length: 100")
    talk.say(PAGE.encode())
    talk.connection.close()


def reset_midway(talk: Talk) -> None:
    talk.head("Content-Type: text/html", "Content-Length: 100000")
    talk.say(PAGE.encode()[:500])
    talk.reset()


def many_links(talk: Talk) -> None:
    body = _made("links", lambda: b"".join(b'<a href="/l/%d" rel=next>next</a>' % n for n in range(100_000)))
    talk.page(PAGE.encode() + body)


def deep_nesting(talk: Talk) -> None:
    talk.page(PAGE.encode() + b"<div>" * 200_000)


def deep_json(talk: Talk) -> None:
    nested = '{"@graph":[' * 100_000
    talk.page(f'<script type="application/ld+json">{nested}</script>{PAGE}')


def long_line(talk: Talk) -> None:
    talk.page(PAGE.encode() + b"x" * 10_000_000)


def long_line_within(talk: Talk) -> None:
    talk.page(PAGE.encode() + b'"\\u0041<' * 600_000)


def xml_bomb(talk: Talk) -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    talk.page(
        f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY l0 "lol">{laughs}'
        '<!ENTITY f SYSTEM "file:///etc/passwd">]>'
        "<rss version='2.0'><channel><item><title>&l11;&f;</title><guid>1</guid></item></channel></rss>",
        kind="application/rss+xml",
    )


def infinite_robots(talk: Talk) -> None:
    if talk.path == "/robots.txt":
        talk.head("Content-Type: text/plain")
        talk.for_ever(b"User-agent: *\nDisallow: /a*b*c*d$\n" * 1_000)
    talk.page(PAGE)


def hard_robots(talk: Talk) -> None:
    if talk.path == "/robots.txt":
        rules = "User-agent: *\n" + "".join(f"Disallow: /{'*a' * 50}{n}$\n" for n in range(5_000))
        talk.page(rules, kind="text/plain")
    else:
        talk.page(PAGE)


def cookie_flood(talk: Talk) -> None:
    talk.page(PAGE, *(f"Set-Cookie: c{n}={'v' * 400}" for n in range(2_000)))


def nul_bytes(talk: Talk) -> None:
    talk.page(PAGE.replace("It leaks", "It\x00 leaks\x00").encode() + b"\x00" * 100_000)


def mixed_encodings(talk: Talk) -> None:
    mixed = "Ärger 漢字".encode() + "Ärger".encode("latin-1") + "漢字".encode("shift-jis") + b"\xff\xfe\xfa"
    talk.page(PAGE.encode().replace(b"It leaks", mixed + b" It leaks"))


def informational_flood(talk: Talk) -> None:
    talk.for_ever(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


def nonsense(talk: Talk) -> None:
    talk.say(bytes(random.Random(7).randrange(256) for _ in range(20_000)))
    talk.connection.close()


@dataclass(frozen=True)
class Behaviour:
    """How a server behaves, and which kind of source reads it."""

    talk: Callable[[Talk], None]
    kind: str = "reviews"
    # Whether its reviews can be read all the same; None: either way is right.
    readable: bool | None = False


BEHAVIOURS = {
    one.talk.__name__: one
    for one in (
        Behaviour(gzip_bomb),
        Behaviour(brotli_bomb),
        Behaviour(zstd_bomb),
        Behaviour(bomb_in_a_bomb),
        Behaviour(slow_drip),
        Behaviour(slow_head),
        Behaviour(endless_paging, readable=True),
        Behaviour(redirect_loop),
        Behaviour(redirect_to_private),
        Behaviour(wrong_charset, readable=True),
        Behaviour(truncated_gzip, readable=None),
        Behaviour(huge_headers),
        Behaviour(one_huge_header),
        Behaviour(never_ending_body),
        Behaviour(length_lies),
        Behaviour(length_too_short),
        Behaviour(reset_midway),
        Behaviour(many_links, readable=True),
        Behaviour(deep_nesting, readable=True),
        Behaviour(deep_json, readable=True),
        Behaviour(long_line),
        Behaviour(long_line_within, readable=True),
        Behaviour(xml_bomb, kind="feed", readable=None),
        Behaviour(infinite_robots),
        Behaviour(hard_robots, readable=None),
        Behaviour(cookie_flood, readable=None),
        Behaviour(nul_bytes, readable=True),
        Behaviour(mixed_encodings, readable=True),
        Behaviour(informational_flood),
        Behaviour(nonsense),
    )
}


def good(talk: Talk) -> None:
    talk.page(PAGE)


class Den:
    """All of them, listening; `addresses` by name."""

    def __init__(self, names: list[str]) -> None:
        self.over = threading.Event()
        self.addresses: dict[str, str] = {}
        self._listening: list[socket.socket] = []
        for number, name in enumerate(names, start=1):
            talk = good if name.startswith("good") else BEHAVIOURS[name].talk
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((f"127.0.1.{number}", 0))
            listener.listen(64)
            host, port = listener.getsockname()
            self.addresses[name] = f"http://{host}:{port}/"
            self._listening.append(listener)
            threading.Thread(target=self._serve, args=(listener, talk, f"{host}:{port}"), daemon=True).start()

    def _serve(self, listener: socket.socket, talk: Callable[[Talk], None], host: str) -> None:
        while not self.over.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection, talk, host), daemon=True).start()

    def _answer(self, connection: socket.socket, talk: Callable[[Talk], None], host: str) -> None:
        connection.settimeout(60)
        one = Talk(connection, host, self.over)
        own_robots = talk in (infinite_robots, hard_robots)
        with contextlib.suppress(OSError), connection:
            while one.hear():
                if one.path == "/robots.txt" and not own_robots:
                    one.head("Content-Length: 0", status="404 Not Found")
                else:
                    talk(one)

    def __enter__(self) -> Den:
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for listener in self._listening:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()


def peak_mib() -> float:
    """The most memory this process has had. `ru_maxrss` would count what its parent had when it was started."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def crawl_them(addresses: dict[str, str], deadline: float) -> dict[str, Any]:
    """Crawl them all in this process, in one run; how each went, and the peak of memory in MiB."""
    from datetime import UTC, datetime, timedelta

    from monitor.config import Config, Crawl, Source
    from spiders.crawl import crawl
    from storage.records import Mention, Tally

    before = peak_mib()
    texts: dict[str, list[str]] = {name: [] for name in addresses}

    def sink_for(source: Source, _: Any) -> Any:
        def sink(items: Any) -> Tally:
            texts[source.name] += [one.text for one in items if isinstance(one, Mention)]
            return Tally(found=len(items), new=len(items))

        return sink

    sources = tuple(
        Source(
            name=name,
            kind="reviews" if name.startswith("good") else BEHAVIOURS[name].kind,
            urls=(url, url + "1", url + "2") if name == "redirect_to_private" else (url,),
            deadline=timedelta(seconds=deadline),
            max_pages=20,
        )
        for name, url in addresses.items()
    )
    manners = Crawl(
        delay=timedelta(0), allow_hosts=tuple(url.split("/")[2].split(":")[0] for url in addresses.values())
    )
    config = Config(path=Path("x"), brands=(), sources=sources, routes=(), crawl=manners)
    began = time.monotonic()
    runs = crawl(config, sources, store=None, sink_for=sink_for, clock=lambda: datetime.now(UTC))
    return {
        "seconds": time.monotonic() - began,
        "before_mib": before,
        "peak_mib": peak_mib(),
        "runs": {
            run.source: {
                "outcome": str(run.outcome),
                "reason": run.reason,
                "found": run.found,
                "seconds": (run.ended_at - run.started_at).total_seconds() if run.ended_at else None,
                "texts": [text[:80] for text in texts[run.source]],
            }
            for run in runs
        },
    }


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    asked = json.loads(sys.argv[1])
    print(json.dumps(crawl_them(asked["addresses"], asked["deadline"])))
