"""What failed in passing is asked again: when the site says, not at once, not for ever."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from crawling import AT, crawled, page, source_of
from hypothesis import given
from hypothesis import strategies as st
from loopback import Answer, Asked, Site

from spiders.retry import RETRIES, WAIT_MAX, backoff, retry_after
from storage.records import RunOutcome


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spiders.retry.FIRST_WAIT", 0.02)


def failing(times: int, answer: Answer) -> object:
    """A page that answers so a few times and then is well."""
    left = iter([answer] * times)

    def one(asked: Asked) -> Answer | str:
        return next(left, page(1))

    return one


def test_retry_after_is_read_in_seconds_and_as_a_date() -> None:
    assert retry_after(b"7", AT) == 7.0
    assert retry_after(format_datetime(AT + timedelta(seconds=90), usegmt=True).encode(), AT) == 90.0
    assert retry_after(format_datetime(AT - timedelta(days=1), usegmt=True).encode(), AT) == 0.0


@pytest.mark.parametrize("header", [None, b"", b"soon", b"-5", b"1.5", "٣".encode(), b"Sun, 99 Foo 2026"])
def test_a_retry_after_that_says_nothing_is_none(header: bytes | None) -> None:
    assert retry_after(header, AT) is None


@given(st.binary(max_size=60))
def test_no_retry_after_raises_or_is_negative(header: bytes) -> None:
    seconds = retry_after(header, AT)
    assert seconds is None or 0 <= seconds < 10**12


@given(st.integers(1, 50), st.floats(0, 1))
def test_a_wait_is_never_longer_than_the_most(tried: int, jitter: float) -> None:
    assert 0 < backoff(tried, jitter) <= WAIT_MAX


def test_a_page_that_fails_in_passing_is_asked_again() -> None:
    with Site({"/a": failing(2, Answer("busy", 503))}) as site:  # type: ignore[dict-item]
        (run,) = crawled(source_of(site.url("/a")))
    assert run.outcome is RunOutcome.OK
    assert len(site.paths()) == 3


def test_a_page_that_goes_on_failing_is_given_up_and_named() -> None:
    with Site({"/a": Answer("busy", 503)}) as site:
        (run,) = crawled(source_of(site.url("/a")))
    assert len(site.paths()) == 1 + RETRIES
    assert run.outcome is RunOutcome.FAILED
    assert "answered HTTP 503" in run.reason


def test_a_refusal_is_not_asked_again() -> None:
    with Site({"/a": Answer("no", 403)}) as site:
        (run,) = crawled(source_of(site.url("/a")))
    assert site.paths() == ["/a"]
    assert run.reason.startswith(f"{site.url('/a')} answered HTTP 403: it shuts us out. It refuses programs")


def test_the_site_is_left_alone_as_long_as_it_asks() -> None:
    with Site({"/a": failing(1, Answer("slow down", 429, {"Retry-After": "1"}))}) as site:  # type: ignore[dict-item]
        began = time.monotonic()
        (run,) = crawled(source_of(site.url("/a")))
    assert run.outcome is RunOutcome.OK
    assert time.monotonic() - began >= 1.0


def test_all_requests_to_a_host_wait_when_one_was_refused() -> None:
    times: list[float] = []

    def noted(asked: Asked) -> str:
        times.append(time.monotonic())
        return page(2)

    with Site({"/a": failing(1, Answer("slow down", 429, {"Retry-After": "1"})), "/b": noted}) as site:  # type: ignore[dict-item]
        began = time.monotonic()
        crawled(source_of(site.url("/a"), site.url("/b"), site.url("/b?2")))
    assert len(times) == 2
    # One may already have been on its way; the last has waited.
    assert times[-1] - began >= 1.0


def test_a_site_that_wants_an_hour_is_left_for_the_next_run_with_the_time_to_come_back() -> None:
    with Site({"/a": Answer("later", 429, {"Retry-After": "3600"}), "/b": page(1)}) as site:
        began = time.monotonic()
        (run,) = crawled(source_of(site.url("/a"), site.url("/b"), site.url("/b?2"), site.url("/b?3")))
    assert time.monotonic() - began < 5
    assert site.paths()[0] == "/a"
    assert len(site.paths()) <= 2
    assert f"{site.host} answered HTTP 429: not before " in run.reason
    assert f"{datetime.now(UTC):%Y-%m-}" in run.reason


def test_a_connection_nobody_answers_is_tried_again_and_then_named() -> None:
    with Site() as site:
        url = site.url("/a")
    (run,) = crawled(source_of(url), robots=False)
    assert run.outcome is RunOutcome.FAILED
    assert "could not be fetched: nobody answers at its address (DownloadConnectionRefused" in run.reason


def test_a_waiting_host_holds_up_no_other() -> None:
    slow = Answer("slow down", 429, {"Retry-After": "2"})
    with Site({"/a": failing(1, slow)}) as one, Site({"/b": page(1)}) as other:  # type: ignore[dict-item]
        done: dict[str, float] = {}
        began = time.monotonic()

        def note(progress: object) -> None:
            run = getattr(progress, "run", None)
            if run is not None:
                done[run.source] = time.monotonic() - began

        crawled(
            source_of(one.url("/a"), name="slow"),
            source_of(other.url("/b").replace("127.0.0.1", "localhost"), name="fast"),
            progress=note,
            allow=("127.0.0.1", "localhost"),
        )
    assert done["slow"] >= 2.0
    assert done["fast"] < 1.5
