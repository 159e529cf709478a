"""How many posts a second can one core listen to? Jetstream's events: decoding, filtering, and all of it.

Run from the checkout: `python benchmarks/streams.py`. Processor time of the listening process only; the server
stands in another. All of Bluesky says some 50 posts a second on a usual day, a few hundred at its peaks; after
36 hours of silence a replay of some millions is waiting.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from monitor.config import Source
from monitor.match import Brand, Matcher
from spiders.addresses import Allowed
from spiders.stream_bluesky import JetstreamLine, event_of, said_in

EVENTS = 20_000
NAMED = 0.001  # share of posts that name a brand
T0 = 1_795_867_200_000_000
SAID = (
    "the a of to and in is it that was for on with as at this my we they not have from just like so what when "
    "coffee parcel morning game music photo cat train rain election football release bug thread paper garden "
    "über schön 今日は 天気 está bien très jolie надо идти"
)
WORDS = SAID.split()
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
SOURCE = Source(name="bluesky", kind="bluesky")


def messages(count: int) -> list[str]:
    """Posts as Jetstream sends them, one in a thousand about us; every tenth event is a deletion or no post."""
    rng = random.Random(7)
    made = []
    for number in range(count):
        event = {
            "did": f"did:plc:{rng.getrandbits(120):024x}",
            "time_us": T0 + number * 1_000,
            "kind": "commit",
        }
        commit = {
            "rev": f"3l{number:x}",
            "operation": "create",
            "collection": "app.bsky.feed.post",
            "rkey": f"3k{number:x}",
        }
        if number % 10 == 0:
            commit["operation"] = "delete"
            made.append(json.dumps({**event, "commit": commit}))
            continue
        words = rng.choices(WORDS, k=rng.randint(4, 45))
        if rng.random() < NAMED:
            words.insert(rng.randrange(len(words)), "Acme0")
        facets = [
            {"index": {"byteStart": 0, "byteEnd": 9}, "features": [{"$type": "app.bsky.richtext.facet#tag"}]}
        ]
        record = {
            "$type": "app.bsky.feed.post",
            "createdAt": "2026-11-28T12:00:00.000Z",
            "langs": ["en"],
            "text": " ".join(words)[:300],
            "facets": facets,
            "reply": {"parent": {"cid": "bafyrei" + "x" * 52, "uri": "at://did:plc:x/app.bsky.feed.post/3l"}},
        }
        made.append(
            json.dumps({**event, "commit": {**commit, "record": record, "cid": "bafyrei" + "y" * 52}})
        )
    return made


def matcher(terms: int) -> Matcher:
    """So many brands of one name each."""
    return Matcher([Brand(name=f"Acme{number}", terms=(f"Acme{number}",)) for number in range(terms)])


def filtered(texts: list[str], words: Matcher) -> tuple[float, int]:
    """Events a processor second, and how many were taken."""
    begin = time.process_time()
    taken = 0
    for text in texts:
        said = said_in(text)
        taken += said is not None and event_of(said, words, SOURCE, NOW) is not None
    return len(texts) / (time.process_time() - begin), taken


def serve(texts: list[str], port: multiprocessing.connection.Connection) -> None:
    """Sends all of them to whoever comes, as fast as they are taken."""
    from websockets.sync.server import serve

    def handle(line: object) -> None:
        for text in texts:
            line.send(text)  # type: ignore[attr-defined]

    with serve(handle, "127.0.0.1", 0, compression=None) as server:
        port.send(server.socket.getsockname()[1])
        server.serve_forever()


class Told:
    """Listens to nothing a line says about itself."""

    stopping = False

    def connected(self) -> None: ...

    def alive(self) -> None: ...

    def garbage(self, words: str) -> None: ...

    def missed(self, words: str) -> None: ...


def heard(texts: list[str], words: Matcher) -> float:
    """Events a processor second over a real WebSocket: the frame, the JSON, the words."""
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(texts, theirs), daemon=True)
    server.start()
    url = f"ws://127.0.0.1:{ours.recv()}/subscribe"
    line = JetstreamLine(url, words, SOURCE, Allowed(["127.0.0.1"]), lambda: NOW)
    begin = time.process_time()
    try:
        for event in line.events(Told(), 0):
            if event.mark >= T0 + (len(texts) - 11) * 1_000:  # the last deletion
                break
    finally:
        took = time.process_time() - begin
        line.cut()
        server.terminate()
        server.join()
    return len(texts) / took


def main() -> None:
    """One line a number of terms."""
    texts = messages(EVENTS)
    size = sum(map(len, texts)) / len(texts)
    begin = time.process_time()
    for text in texts:
        json.loads(text)
    plain = len(texts) / (time.process_time() - begin)
    print(f"{EVENTS:,} events of {size:.0f} characters; json.loads alone: {plain:,.0f} a second")
    for terms in (10, 1_000):
        words = matcher(terms)
        rate, taken = filtered(texts, words)
        print(
            f"{terms:5,} terms: decoded and filtered {rate:,.0f} a second ({taken:,} taken, deletions included)"
        )
    print(f"   10 terms: over a WebSocket {heard(texts, matcher(10)):,.0f} a second")


if __name__ == "__main__":
    main()
