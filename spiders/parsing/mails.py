"""What do notification e-mails say? A message, or those of an .eml file or an mbox, read only, one at a time."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage, Message
from email.utils import parseaddr, parsedate_to_datetime
from pathlib import Path
from typing import NamedTuple

MAIL_MAX = 20 << 20  # bytes of one message
_FROM = re.compile(rb"From [^\n]{1,300}\d{4}")  # the line an mbox begins each message with


class Mail(NamedTuple):
    """One message."""

    line: int  # where it begins
    id: str
    subject: str
    author: str
    at: datetime | None
    text: str  # its plain part, "" where it has none
    html: str


class BadMail(NamedTuple):
    """A message that could not be read."""

    line: int
    words: str


def is_mail(head: bytes) -> bool:
    """Whether a file that begins with `head` is a message or a box of them."""
    if _FROM.match(head):
        return True
    first = head[:4_000].split(b"\n\n", 1)[0].split(b"\r\n\r\n", 1)[0]
    names = {line.split(b":", 1)[0].strip().lower() for line in first.splitlines() if b":" in line[:80]}
    return (
        len(names & {b"from", b"to", b"subject", b"date", b"received", b"message-id", b"mime-version"}) >= 3
    )


def mails_of(path: Path) -> Iterator[Mail | BadMail]:
    """The messages of a file, in its order. Raises OSError where it cannot be read."""
    with path.open("rb") as file:
        box = _FROM.match(file.readline(400)) is not None
        file.seek(0)
        lines: list[bytes] = []
        size, number, begun, blank, dropped = 0, 0, 1, True, False
        while line := file.readline(1 << 20):
            number += 1
            if box and blank and _FROM.match(line):
                if lines or dropped:
                    yield _mail(begun, lines, dropped)
                lines, size, begun, dropped = [], 0, number, False
                continue
            blank = line in (b"\n", b"\r\n")
            size += len(line)
            if size > MAIL_MAX:
                lines, dropped = [], True
            else:
                lines.append(line[1:] if box and line.startswith(b">From ") else line)
        if lines or dropped:
            yield _mail(begun, lines, dropped)


def _mail(line: int, lines: list[bytes], dropped: bool) -> Mail | BadMail:
    if dropped:
        return BadMail(line, "the message is larger than 20 MB")
    return mail_of(b"".join(lines), line)


def mail_of(content: bytes, line: int = 0) -> Mail | BadMail:
    """One message from its bytes. Never raises; `line` says where it stood in its file, 0 where in none."""
    try:
        message = email.message_from_bytes(content, policy=email.policy.default)
        sender = _header(message, "Reply-To") or _header(message, "From")
        name, address = parseaddr(sender)
        return Mail(
            line,
            _header(message, "Message-ID").strip("<> "),
            _header(message, "Subject"),
            name or address,
            _date(message),
            _part(message, "plain"),
            _part(message, "html"),
        )
    except Exception as error:  # the parser of headers raises whatever it likes
        return BadMail(line, f"the message cannot be read ({type(error).__name__})")


def _header(message: Message, name: str) -> str:
    try:
        return " ".join(str(message.get(name, "") or "").split())
    except Exception:  # a header that is none
        return ""


def _date(message: Message) -> datetime | None:
    try:
        at = parsedate_to_datetime(_header(message, "Date"))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    try:
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def _part(message: EmailMessage | Message, kind: str) -> str:
    """The first part that is text of this kind, no attachment."""
    for part in message.walk():
        if part.get_content_type() != f"text/{kind}" or part.get_content_disposition() == "attachment":
            continue
        body = part.get_payload(decode=True)
        if not isinstance(body, bytes):
            continue
        charset = part.get_content_charset() or "utf-8"
        try:
            return body.decode(charset, "replace")
        except LookupError:
            return body.decode("utf-8", "replace")
    return ""
