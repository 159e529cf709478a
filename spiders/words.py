"""Why did a request fail, in words a person can act on, and without what could be a secret?"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from scrapy.spidermiddlewares.httperror import HttpError

from storage.records import clean_key


def failure_words(failure: Any) -> tuple[str, int | None]:
    """Why a request failed, in words a person can act on, and the HTTP status if there was one."""
    error: BaseException = failure.value
    request = getattr(failure, "request", None)
    if isinstance(error, HttpError):
        url, status = error.response.url, error.response.status
        return f"{shown(url)} answered HTTP {status}{_STATUS_WORDS.get(status, '')}", status
    where = shown(request.url) if request is not None else "a page"
    words = getattr(error, "words", "")  # our own refusals say it themselves
    if not words:
        said = error_words(error)
        plain = _ERROR_WORDS.get(type(error).__name__, "")
        words = f"{where} could not be fetched: {f'{plain} ({said})' if plain else said}"
    return words, None


# What the usual errors mean to somebody who does not read Python.
_ERROR_WORDS = {
    "CannotResolveHostError": "its name is not known: is the address right, is this machine online?",
    "DownloadCancelledError": "it is larger than 5 MiB, or has no end",
    "DownloadConnectionRefusedError": "nobody answers at its address",
    "DownloadFailedError": "the connection broke off",
    "DownloadTimeoutError": "it took too long to answer",
    "ResponseDataLossError": "the answer broke off midway",
    "ZstdError": "it cannot be unpacked",
}


_STATUS_WORDS = {
    401: ": it wants a login",
    403: ": it shuts us out",
    404: ": there is no such page; has it moved?",
    407: ": the proxy wants a login",
    410: ": the page is gone for good",
    429: ": it wants fewer requests",
    451: ": it may not be shown here",
    503: ": it is out of service, or shuts us out",
}


def error_words(error: BaseException) -> str:
    """An error on one line: its class where the message alone would not say."""
    said = str(error).strip()
    return clean_key(f"{type(error).__name__}: {said}" if said else type(error).__name__)


def shown(url: str) -> str:
    """`url` as it may stand in a message: without what could be a secret or fill the screen.

    >>> shown("https://user:pass@shop.example:8080/a?token=1")
    'https://shop.example:8080/a?…'
    """
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "an address that is none"
    return f"{parts.scheme}://{host}{parts.path[:120]}{'?…' if parts.query else ''}"


def host_of(url: str) -> str:
    """The host a web address names, "" for anything else."""
    try:
        parts = urlsplit(url)
        return (parts.hostname or "").rstrip(".") if parts.scheme in ("http", "https") else ""
    except ValueError:
        return ""
