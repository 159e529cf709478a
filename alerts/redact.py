"""What must never stand in a log? Tokens, webhook addresses, passwords: replaced before anybody reads them.

`slack_sdk` writes its webhook URL, which is a secret, at DEBUG, and quotes whole answers in errors. A filter
on the root logger would not see what other loggers pass up, so records are cleaned where they are made.
"""

from __future__ import annotations

import logging
import re
import threading
import traceback
from typing import Any

HIDDEN = "[hidden]"

# Each pattern is bounded and has no nested repetition: log lines can hold whatever a stranger wrote.
_SECRETS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b(xox[a-z]{1,2}|xapp|xwfp)(?:[.-][A-Za-z0-9.-]{1,400})"), rf"\1-{HIDDEN}"),
    (re.compile(r"(hooks\.slack(?:-gov)?\.com)/[A-Za-z]{1,20}/[^\s\"'<>]{1,400}"), rf"\1/{HIDDEN}"),
    (
        re.compile(r"/services/T[A-Za-z0-9_]{1,40}/B[A-Za-z0-9_]{1,40}/[A-Za-z0-9_]{1,100}"),
        f"/services/{HIDDEN}",
    ),
    (
        re.compile(
            r"(?i)(authorization[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?:bearer|basic)\s{1,4})[^\s\"']{1,2000}"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(?i)\b(bearer\s{1,4})[A-Za-z0-9._~+/=:-]{12,2000}"), rf"\1{HIDDEN}"),
    (
        re.compile(
            r"(?i)(client_secret|signing_secret|access_token|refresh_token|api_?key|password|passwd|secret|token)"
            r"([\"']?\s{0,4}[=:]\s{0,4}[\"']?)(?!None\b|null\b|True\b|False\b)[^\s\"'&,;<>)}\]]{3,2000}"
        ),
        rf"\1\2{HIDDEN}",
    ),
    (re.compile(r"(?i)([?&]feed=)[A-Za-z0-9]{16,400}"), rf"\1{HIDDEN}"),  # Reddit's private feeds
    (re.compile(r"(://[^\s/:@\"']{0,200}:)[^\s@\"']{1,200}(?=@)"), rf"\1{HIDDEN}"),
)


def redact(text: str) -> str:
    """`text` with every secret it seems to hold replaced; rather one word too many than one too few.

    >>> redact("posting to https://hooks.slack.com/services/T0/B0/abcdef as xoxb-12-ab")
    'posting to https://hooks.slack.com/[hidden] as xoxb-[hidden]'
    """
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def redact_record(record: logging.LogRecord) -> None:
    """Clean one log record in place: message, arguments, traceback."""
    try:
        message = record.getMessage()
    except Exception:  # a wrong format string must not hide the record, nor what it carries
        message = f"{record.msg} {record.args}"
        record.msg, record.args = redact(message), None
        message = record.msg
    clean = redact(message)
    if clean != message:
        record.msg, record.args = clean, None
    if record.exc_info and record.exc_info[1] is not None and not record.exc_text:
        # Formatters print `exc_text` where there is one instead of formatting the exception again.
        shown = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
        record.exc_text = redact(shown)
    elif record.exc_text:
        record.exc_text = redact(record.exc_text)
    if record.stack_info:
        record.stack_info = redact(record.stack_info)


class Redacting(logging.Filter):
    """A filter that lets every record through, cleaned."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true."""
        redact_record(record)
        return True


_installing = threading.Lock()


def install_redaction() -> None:
    """From now on no log record of this process carries a secret, whichever logger or handler it passes.

    Cleans records where they are made, and once more in the filters of the root logger and its handlers (for
    records built elsewhere, such as those of a queue). Calling it again changes nothing.
    """
    with _installing:
        root = logging.getLogger()
        for place in (root, *root.handlers):
            if not any(isinstance(known, Redacting) for known in place.filters):
                place.addFilter(Redacting())
        make = logging.getLogRecordFactory()
        if getattr(make, "redacting", False):
            return

        def made(*args: Any, **kwargs: Any) -> logging.LogRecord:
            record: logging.LogRecord = make(*args, **kwargs)
            redact_record(record)
            return record

        made.redacting = True  # type: ignore[attr-defined]
        made.before = make  # type: ignore[attr-defined]
        logging.setLogRecordFactory(made)


def uninstall_redaction() -> None:
    """Undo `install_redaction`; for tests."""
    with _installing:
        make = logging.getLogRecordFactory()
        if getattr(make, "redacting", False):
            logging.setLogRecordFactory(make.before)  # type: ignore[attr-defined]
        root = logging.getLogger()
        for place in (root, *root.handlers):
            for known in list(place.filters):
                if isinstance(known, Redacting):
                    place.removeFilter(known)
