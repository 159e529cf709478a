"""Does somebody outside notice when lowstar stops? A web address called after each run that went well."""

from __future__ import annotations

import urllib.error
import urllib.request
from http.client import HTTPException
from urllib.parse import urlsplit

TIMEOUT = 10.0  # seconds


def ping(url: str, timeout: float = TIMEOUT) -> str:
    """Call `url`; "" when it answered with 2xx, else what went wrong, without the address itself.

    Never raises: the run it tells of is over, and went well.
    """
    where = "heartbeat"
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return "heartbeat: its address is no web address"
        # Whoever has the whole address can say in our name that all is well: only the host is ever shown.
        where = f"heartbeat at {parts.hostname}"
        request = urllib.request.Request(url, headers={"User-Agent": "lowstar"})  # noqa: S310 - http(s), above
        with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310
            answer.read(1_024)
    except urllib.error.HTTPError as error:
        error.close()
        return f"{where}: HTTP {error.code}"
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        return f"{where}: {type(reason).__name__}"
    return ""
