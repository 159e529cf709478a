"""What robots.txt forbids is not asked, however many ask at once; how fast it says, so fast."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from crawling import crawled, page, source_of
from loopback import Answer, Site

from spiders.crawl import spider_for
from storage.records import RunOutcome

FORBIDDEN = "User-agent: *\nDisallow: /private\n"


def robots(text: str) -> Answer:
    return Answer(text, headers={"Content-Type": "text/plain"})


def test_of_sixteen_concurrent_requests_to_a_forbidden_path_none_is_made() -> None:
    with Site({"/robots.txt": Answer(FORBIDDEN, wait=0.2), "/open": page(1)}) as site:
        urls = [site.url(f"/private/{number}") for number in range(16)]
        site.pages |= {f"/private/{number}": page(number) for number in range(16)}
        (run,) = crawled(source_of(*urls, site.url("/open")))
    assert site.paths() == ["/open"]
    assert [asked.path for asked in site.asked].count("/robots.txt") == 1
    assert run.failed == 16
    assert f"robots.txt of {site.host} forbids /private/0" in run.reason


def test_a_source_that_is_forbidden_altogether_failed_and_says_so() -> None:
    with Site({"/robots.txt": robots("User-agent: lowstar\nDisallow: /\n"), "/a": page(1)}) as site:
        (run,) = crawled(source_of(site.url("/a")))
    assert run.outcome is RunOutcome.FAILED
    assert run.reason == f"robots.txt of {site.host} forbids /a"


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_robots_txt_that_is_not_there_forbids_nothing(status: int) -> None:
    with Site({"/robots.txt": Answer(FORBIDDEN, status), "/private": page(1)}) as site:
        (run,) = crawled(source_of(site.url("/private")))
    assert run.outcome is RunOutcome.OK


def test_a_robots_txt_that_is_out_of_order_forbids_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spiders.retry.FIRST_WAIT", 0.01)
    with Site({"/robots.txt": Answer("oops", 503), "/a": page(1)}) as site:
        (run,) = crawled(source_of(site.url("/a")))
    assert site.paths() == []
    assert run.outcome is RunOutcome.FAILED
    assert "its robots.txt answers HTTP 503" in run.reason


def test_it_can_be_told_not_to_obey() -> None:
    with Site({"/robots.txt": robots(FORBIDDEN), "/private": page(1)}) as site:
        (run,) = crawled(source_of(site.url("/private")), robots=False)
    assert run.outcome is RunOutcome.OK


def test_a_redirect_to_a_forbidden_page_is_not_followed() -> None:
    with Site({"/robots.txt": robots(FORBIDDEN), "/a": Answer("", 302, {"Location": "/private"})}) as site:
        (run,) = crawled(source_of(site.url("/a")))
    assert site.paths() == ["/a"]
    assert "forbids /private" in run.reason


def test_a_crawl_delay_is_kept_between_pages() -> None:
    slow = "User-agent: *\nCrawl-delay: 0.4\n"
    with Site(
        {"/robots.txt": robots(slow), "/a": page(1, next=["/b"]), "/b": page(2, next=["/c"]), "/c": page(3)}
    ) as site:
        began = time.monotonic()
        crawled(source_of(site.url("/a")))
    assert len(site.paths()) == 3
    assert time.monotonic() - began >= 0.8


@pytest.mark.parametrize("delay", ["nan", "-5", "soon", "99999999999999999999999", "1e400"])
def test_an_odd_crawl_delay_stops_nothing(delay: str) -> None:
    odd = f"User-agent: *\nCrawl-delay: {delay}\n"
    with Site({"/robots.txt": robots(odd), "/a": page(1)}) as site:
        began = time.monotonic()
        # Huge delays are cut to a minute, and that minute by the deadline; a loaded machine reads a page in less.
        (run,) = crawled(source_of(site.url("/a"), deadline=timedelta(seconds=1.5)))
    assert time.monotonic() - began < 3
    assert run.outcome in (RunOutcome.OK, RunOutcome.FAILED)


def test_the_kinds_that_exist_are_found_by_name_and_others_are_not() -> None:
    assert spider_for("selectors").name == "selectors"
    for kind in ("no_such_kind", "../evil", "crawl"):
        with pytest.raises(LookupError):
            spider_for(kind)
