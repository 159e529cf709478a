"""Where in the dashboard is what a digest speaks of? Addresses below `web.url`; "" where no dashboard is open."""

from __future__ import annotations

from urllib.parse import quote

from monitor.weeks import Period, Span


def report_url(web: str, brand: str, period: Period) -> str:
    """The digest itself; only weeks are kept in the archive.

    >>> from monitor.weeks import read_period
    >>> report_url("https://low.example", "A/B", read_period(Span.WEEK, "2026-W47", "UTC"))
    'https://low.example/digests/A%2FB/2026-W47'
    """
    if not web or period.span is not Span.WEEK:
        return ""
    return f"{web}/digests/{quote(brand, safe='')}/{period.name}"


def mention_url(web: str, identity: int) -> str:
    """A mention with its verdict.

    >>> mention_url("https://low.example", 7), mention_url("", 7)
    ('https://low.example/mentions/7', '')
    """
    return f"{web}/mentions/{identity}" if web else ""


def case_url(web: str, name: str) -> str:
    """A case with its history.

    >>> case_url("https://low.example", "REP-0007"), case_url("https://low.example", "what?")
    ('https://low.example/cases/7', '')
    """
    number = name.rpartition("-")[2]
    return f"{web}/cases/{int(number)}" if web and number.isdecimal() else ""
