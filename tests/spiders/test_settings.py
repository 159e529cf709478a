"""What a running crawler really does: polite, safe, bounded."""

from __future__ import annotations

import gzip
import ssl
import subprocess
import sys
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import brotli
import pytest
from crawling import ListingSpider, crawled, page, source_of
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from loopback import Answer, Site

from monitor.config import Crawl
from spiders.settings import settings_for, user_agent
from storage.records import RunOutcome

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def effective() -> dict[str, Any]:
    """The settings, and the parts at work, of a crawler that ran."""
    seen: dict[str, Any] = {}

    class Nosy(ListingSpider):
        def closed(self, reason: str) -> None:
            seen.update(self.crawler.settings.copy_to_dict())
            downloader = self.crawler.engine.downloader
            seen["handlers"] = {
                name: downloader.handlers._get_handler(name)
                for name in ("http", "https", "file", "ftp", "s3", "data")
            }
            seen["middlewares"] = [type(one).__name__ for one in downloader.middleware.middlewares]
            seen["extensions"] = [type(one).__name__ for one in self.crawler.extensions.middlewares]

    with Site({"/a": page(1)}) as site:
        crawled(source_of(site.url("/a")), spider=Nosy, delay=0.01)
    return seen


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ROBOTSTXT_OBEY", True),
        ("DOWNLOAD_VERIFY_CERTIFICATES", True),
        ("TELNETCONSOLE_ENABLED", False),
        ("REMOTE_CONTROL_ENABLED", False),
        ("DOWNLOAD_MAXSIZE", 5 * 1024 * 1024),
        ("CONCURRENT_REQUESTS_PER_DOMAIN", 1),
        ("DOWNLOAD_DELAY", 0.01),
        ("DOWNLOAD_TIMEOUT", 30.0),
        ("REDIRECT_MAX_TIMES", 5),
        ("METAREFRESH_ENABLED", False),
        ("HTTPPROXY_ENABLED", False),
        ("STATS_DUMP", False),
        ("LOG_LEVEL", "WARNING"),
        ("TWISTED_DNS_RESOLVER", "spiders.addresses.PublicNamesOnly"),
    ],
)
def test_a_running_crawler_has_the_safe_value(effective: dict[str, Any], name: str, value: object) -> None:
    assert effective[name] == value


def test_only_http_and_https_are_downloaded(effective: dict[str, Any]) -> None:
    assert {name for name, handler in effective["handlers"].items() if handler is not None} == {
        "http",
        "https",
    }


def test_our_own_robots_and_retry_stand_where_scrapys_did(effective: dict[str, Any]) -> None:
    middlewares = effective["middlewares"]
    assert middlewares[0] == "PublicAddressesOnly"
    assert middlewares.count("RetryMiddleware") == 1
    assert "RobotsMiddleware" in middlewares
    assert not {"RobotsTxtMiddleware", "HttpProxyMiddleware", "MetaRefreshMiddleware"} & set(middlewares)


def test_no_port_is_opened(effective: dict[str, Any]) -> None:
    assert not {"TelnetConsole", "RemoteControl", "LogCount"} & set(effective["extensions"])


def test_we_say_who_we_are() -> None:
    with Site({"/a": page(1)}) as site:
        crawled(source_of(site.url("/a")))
    assert all(asked.headers["user-agent"].startswith("lowstar/") for asked in site.asked)
    assert user_agent("https://shop.example/bot").endswith(" (+https://shop.example/bot)")


def test_a_contact_cannot_break_out_of_its_header() -> None:
    assert "\r" not in user_agent("x\r\nEvil: 1)")
    assert user_agent("(x)").count("(") == 1


def test_what_lowstar_toml_says_about_manners_is_what_counts() -> None:
    said = settings_for(
        Crawl(
            contact="me@shop.example", delay=timedelta(seconds=3), allow_hosts=("intra",), obey_robots=False
        )
    )
    assert said["DOWNLOAD_DELAY"] == 3.0
    assert said["LOWSTAR_ALLOW_HOSTS"] == ["intra"]
    assert said["ROBOTSTXT_OBEY"] is False
    assert "me@shop.example" in said["USER_AGENT"]


ZEROS = bytes(64 * 1024 * 1024)
BOMBS = {
    "gzip": lambda: gzip.compress(ZEROS),
    "deflate": lambda: zlib.compress(ZEROS),
    "br": lambda: brotli.compress(ZEROS, quality=1),
    "zstd": lambda: zstd.compress(ZEROS),
    "br, br": lambda: brotli.compress(brotli.compress(ZEROS, quality=1), quality=1),
}


@pytest.mark.parametrize("encoding", BOMBS)
def test_a_small_answer_that_unpacks_to_a_huge_one_is_cut_and_named(encoding: str) -> None:
    bomb = BOMBS[encoding]()
    assert len(bomb) < 300_000
    with Site({"/a": Answer(bomb, headers={"Content-Encoding": encoding}), "/b": page(1)}) as site:
        (run,) = crawled(source_of(site.url("/a"), site.url("/b")))
    assert run.outcome is RunOutcome.PARTIAL
    assert run.found == 1
    assert "exceeded DOWNLOAD_MAXSIZE" in run.reason


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_an_ordinary_packed_page_is_read(encoding: str) -> None:
    pack = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress, "zstd": zstd.compress}
    body = pack[encoding](page(1, 2).encode())
    with Site({"/a": Answer(body, headers={"Content-Encoding": encoding})}) as site:
        (run,) = crawled(source_of(site.url("/a")))
    assert (run.outcome, run.found) == (RunOutcome.OK, 2)


def test_a_page_that_is_too_large_is_cut_and_named() -> None:
    with Site({"/a": Answer(b"x" * (5 * 1024 * 1024 + 1))}) as site:
        (run,) = crawled(source_of(site.url("/a")))
    assert run.outcome is RunOutcome.FAILED
    assert "larger than download max size" in run.reason


def test_a_circle_of_redirects_ends() -> None:
    with Site({"/a": Answer("", 302, {"Location": "/b"}), "/b": Answer("", 302, {"Location": "/a"})}) as site:
        (run,) = crawled(source_of(site.url("/a")))
    assert len(site.paths()) <= 7
    assert run.outcome is RunOutcome.FAILED


@pytest.mark.parametrize(
    "target",
    [
        "http://10.0.0.1/",
        "file:///etc/passwd",
        "http://2130706433/",
        "http://localhost:1/",
        "ftp://x.example/",
    ],
)
def test_a_redirect_to_where_only_we_can_reach_is_not_followed(target: str) -> None:
    with Site({"/a": Answer("", 302, {"Location": target}), "/b": page(1)}) as site:
        (run,) = crawled(source_of(site.url("/a"), site.url("/b")))
    assert run.found == 1
    assert run.failed == 1


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")
    with Site({"/a": page(1)}) as site:
        (run,) = crawled(source_of(site.url("/a")))
    assert run.outcome is RunOutcome.OK


def test_a_certificate_nobody_vouches_for_is_not_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spiders.retry.FIRST_WAIT", 0.01)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(datetime(2020, 1, 1, tzinfo=UTC)).not_valid_after(
        datetime(2090, 1, 1, tzinfo=UTC)
    )
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "both.pem").write_bytes(secret + made.sign(key, hashes.SHA256()).public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    with Site({"/a": page(1)}) as site:
        site.server.socket = context.wrap_socket(site.server.socket, server_side=True)
        url = site.url("/a").replace("http://127.0.0.1", "https://localhost")
        (run,) = crawled(source_of(url), allow=("localhost",), robots=False)
    assert site.asked == []
    assert run.outcome is RunOutcome.FAILED
    assert "certificate verify failed" in run.reason


def test_scrapy_lists_the_spiders() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scrapy", "list"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "selectors" in done.stdout.split()


def test_scrapy_crawl_works_with_nothing_but_an_address(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    review = '{"@type": "Review", "author": {"name": "Ann"}, "reviewBody": "It leaks.", "reviewRating": 1}'
    product = '{"@context": "https://schema.org", "@type": "Product", "name": "Kettle", "review": [REVIEW]}'
    html = f'<script type="application/ld+json">{product.replace("REVIEW", review)}</script>'
    spiders = subprocess.run(
        [sys.executable, "-m", "scrapy", "list"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    ).stdout.split()
    if "reviews" not in spiders:
        pytest.skip("there is no spider for reviews")
    with Site({"/a": html}) as site:
        crawl = [sys.executable, "-m", "scrapy", "crawl", "reviews", "-a", f"url={site.url('/a')}"]
        done = subprocess.run(
            [*crawl, "-s", "LOWSTAR_ALLOW_HOSTS=127.0.0.1", "-s", "DOWNLOAD_DELAY=0", "-O", f"{out}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert "It leaks." in out.read_text(encoding="utf-8"), done.stderr
