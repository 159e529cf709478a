"""What do the headers of an answer say, and when may one come back?"""

from __future__ import annotations

import math

DEFAULT_RETRY_AFTER = 30.0  # seconds; Slack's own default where the header is missing or unreadable
MAX_RETRY_AFTER = 3_600.0


def header(headers: object, name: str) -> str:
    """The header of that (lower-case) name, whatever case it came in; "" where there is none.

    >>> header({"X-OAuth-Scopes": ["chat:write"]}, "x-oauth-scopes"), header(None, "date")
    ('chat:write', '')
    """
    items = getattr(headers, "items", None)
    for key, value in items() if callable(items) else ():
        if str(key).lower() == name:
            return str(value[0] if isinstance(value, list | tuple) and value else value)
    return ""


def retry_after(headers: object) -> float:
    """Seconds to wait as a `Retry-After` header says; 30 where it says nothing usable, an hour at most.

    >>> retry_after({"Retry-After": "7"}), retry_after({}), retry_after({"retry-after": "soon"})
    (7.0, 30.0, 30.0)
    """
    try:
        seconds = float(header(headers, "retry-after"))
    except ValueError:
        return DEFAULT_RETRY_AFTER
    if not math.isfinite(seconds) or seconds < 0:
        return DEFAULT_RETRY_AFTER
    return min(max(seconds, 1.0), MAX_RETRY_AFTER)
