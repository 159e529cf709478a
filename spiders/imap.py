"""What do the notification e-mails in a mailbox say? A folder over IMAP, read only, new messages only.

    [[sources]]
    name = "bookings"
    kind = "imap"
    host = "imap.example.com"
    user = "reviews@acme.example"
    senders = ["noreply@booking.com", "@trustpilot.com"]
    about = ["Acme"]

The password (an app password) is LOWSTAR_IMAP_PASSWORD, or LOWSTAR_IMAP_BOOKINGS_PASSWORD for this one alone.
The folder is opened with EXAMINE and messages are fetched with BODY.PEEK (RFC 9051): nothing is marked as read,
moved or deleted. Read up to is UIDVALIDITY and the last UID; where the server gives its messages new UIDs, all
are read anew and known again by their Message-ID. The parser is the one of imported mails.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import imaplib
import re
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from email import message_from_bytes, policy
from email.utils import parseaddr
from functools import partial
from itertools import islice
from typing import Any

from monitor.config_named import imap_password
from spiders.addresses import Allowed
from spiders.base import SourceSpider, error_words
from spiders.import_mails import mentions_of
from spiders.imported import Trouble
from spiders.parsing.mails import BadMail, Mail, mail_of
from spiders.sockets import NoSocket, cut, open_socket, with_tls
from storage.records import Mention, Removal, clean_line

TIMEOUT = 30.0  # seconds one step of the server may take
MAIL_MAX = 10 << 20  # bytes of a message; notifications are a hundredth of it
ANSWER_MAX = 4 << 20  # bytes of an answer beside the message in it: lists of numbers, headers
FIRST_LOOK = timedelta(days=30)  # how far back a folder is read the first time
MESSAGES_MAX = 2_000  # looked at in one run; the rest in the next
TRIED = 20  # messages looked at where nothing is kept
HEADERS_AT_ONCE = 50
TROUBLES_SAID = 5
BATCH = 20

_UID = re.compile(rb"\bUID (\d{1,10})\b")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d{1,12})\b")
# RFC 9051, date-month: English whatever the locale, which strftime follows.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class _Box(imaplib.IMAP4):
    """A connection to an address that was checked, and that takes no more than it should."""

    def __init__(self, host: str, port: int, security: str, allowed: Allowed, opened: _Line) -> None:
        self._security, self._allowed, self._opened = security, allowed, opened
        self._taken = 0  # bytes of the answer to one command
        super().__init__(host, port, TIMEOUT)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        made = open_socket(self.host, self.port, self._allowed, timeout or TIMEOUT)
        if self._security == "tls":
            made = with_tls(made, self.host)
        self._opened.socket = made
        return made

    def uid(self, command: str, *arguments: str) -> tuple[str, list[Any]]:
        """One command; its answer is gathered by imaplib, so it must not be endless."""
        self._taken = 0
        return super().uid(command, *arguments)

    def read(self, size: int) -> bytes:
        """As announced by the server, which may announce anything."""
        self._count(size)
        return super().read(size)

    def readline(self) -> bytes:
        """A line; imaplib bounds its length."""
        line = super().readline()
        self._count(len(line))
        return line

    def _count(self, size: int) -> None:
        self._taken += size
        if self._taken > MAIL_MAX + ANSWER_MAX:
            raise self.abort(f"the server sends more than anybody asked for ({self._taken:,} bytes)")


@dataclass(slots=True)
class _Line:
    """The socket of a box, to be cut from the event loop."""

    socket: socket.socket | None = None


Tell = Callable[[], None]
"""Tells `health` something, on the event loop."""


@dataclass(frozen=True, slots=True)
class _Done:
    """All up to here has been looked at."""

    cursor: str


class ImapSpider(SourceSpider):
    """Reads the new notifications in a folder of a mailbox."""

    name = "imap"
    windowed = True

    async def start(self) -> AsyncIterator[Mention | Removal]:
        """The mentions of every new message of the senders named, oldest first."""
        password = imap_password(self.source.name, self.config.keys if self.config is not None else {})
        if not password:
            self.health.switched_off(
                "the mailbox is off, it needs a password: make an app password there and set LOWSTAR_IMAP_PASSWORD"
            )
            return
        line = _Line()
        release = self.brake.on_pull(lambda: cut(line.socket))
        found = self._messages(password, line)
        try:
            while things := await asyncio.to_thread(lambda: list(islice(found, BATCH))):
                for thing in things:
                    if isinstance(thing, Mention):
                        yield thing
                    elif isinstance(thing, _Done):
                        self.set_cursor("read", thing.cursor)
                    else:
                        thing()
        finally:
            release()

    def _messages(self, password: str, line: _Line) -> Iterator[Mention | _Done | Tell]:
        """Runs in a thread: what new messages say, and what `health` is to be told; never raises."""
        options = self.source.options
        host, security = str(options["host"]), str(options.get("security", "tls"))
        port = int(options.get("port", 993 if security == "tls" else 143))
        crawl = self.config.crawl if self.config is not None else None
        allowed = Allowed(crawl.allow_hosts if crawl is not None else ())
        box: _Box | None = None
        try:
            box = _Box(host, port, security, allowed, line)
            if security == "starttls":
                box.starttls(ssl.create_default_context())
                line.socket = box.sock
            try:
                box.login(str(options["user"]), password)
            except imaplib.IMAP4.error as error:
                if isinstance(error, imaplib.IMAP4.abort):
                    raise
                said = clean_line(_said(error).replace(password, "…"), 120)
                yield partial(
                    self.health.failure,
                    f"{host} refuses {options['user']}: {said or 'no reason given'}. Make a new app password and "
                    "set LOWSTAR_IMAP_PASSWORD",
                )
                return
            yield from self._folder(box, host)
        except NoSocket as error:
            yield partial(self.health.failure, str(error))
        except ssl.SSLCertVerificationError as error:
            yield partial(
                self.health.failure, f"the certificate of {host} is not trusted: {error.verify_message}"
            )
        except (imaplib.IMAP4.error, OSError, ValueError) as error:
            if self.brake.pulled:
                return
            said = "it took too long" if isinstance(error, TimeoutError) else _said(error)
            yield partial(
                self.health.failure,
                f"the mailbox at {host} broke off: {clean_line(said.replace(password, '…'), 120)}",
            )
        finally:
            if box is not None:
                with contextlib.suppress(imaplib.IMAP4.error, OSError, ValueError):
                    box.logout()
                with contextlib.suppress(OSError):
                    box.shutdown()  # a logout that is not answered leaves the connection open

    def _folder(self, box: _Box, host: str) -> Iterator[Mention | _Done | Tell]:
        folder = str(self.source.options.get("folder", "INBOX"))
        status, answer = box.select(quoted(folder), readonly=True)
        if status != "OK":
            why = clean_line(_text(answer), 120)
            yield partial(
                self.health.failure, f"{host} has no folder {folder!r} for us: {why}; `folder` names another"
            )
            return
        validity = _text(box.response("UIDVALIDITY")[1]) or "0"
        uids, whole = self._new_uids(box, validity)
        if not uids:
            yield self.health.nothing_new
            return
        senders = tuple(str(one).lower() for one in self.source.options.get("senders", ()))
        troubles = left = found = 0
        for start in range(0, len(uids), HEADERS_AT_ONCE):
            some = uids[start : start + HEADERS_AT_ONCE]
            for uid, size, header in _heads(box, some):
                if self.brake.pulled or self.full:
                    return
                sender, subject = _sender(header)
                if not from_one_of(senders, sender):
                    left += 1
                    continue
                which = f"message {uid} ({clean_line(subject, 60) or 'no subject'})"
                mail = (
                    BadMail(0, f"it is larger than {MAIL_MAX >> 20} MB")
                    if size > MAIL_MAX
                    else _fetched(box, uid)
                )
                for thing in mentions_of(mail, self.source, self.fetched_at):
                    if isinstance(thing, Trouble):
                        troubles += 1
                        if troubles <= TROUBLES_SAID:
                            yield partial(self.health.problem, f"{which}: {thing.words}")
                    else:
                        found += 1
                        yield thing
                yield _Done(f"{validity}:{uid}")
            # Messages of others are behind us as well: their headers are not fetched again.
            yield _Done(f"{validity}:{some[-1]}")
        yield partial(self.health.page, found=found)
        if troubles > TROUBLES_SAID:
            yield partial(
                self.health.problem, f"and {troubles - TROUBLES_SAID:,} more messages could not be read"
            )
        if not whole:
            yield partial(
                self.health.limit, f"{MESSAGES_MAX:,} messages were looked at; the rest follows next time"
            )
        if left:
            yield partial(self.health.note, f"{left:,} messages of other senders were left alone")

    def _new_uids(self, box: _Box, validity: str) -> tuple[list[int], bool]:
        """The UIDs to look at, oldest first, and whether those are all there are."""
        before, _, last = (self.cursor("read") or "").partition(":")
        last_uid = int(last) if before == validity and last.isdigit() else 0
        if last_uid and self.since is None:
            status, answer = box.uid("SEARCH", f"UID {last_uid + 1}:*")
        else:
            day = (self.since or self.fetched_at - FIRST_LOOK).date()
            last_uid = 0
            status, answer = box.uid("SEARCH", f"SINCE {_imap_day(day)}")
        if status != "OK":
            raise imaplib.IMAP4.error(f"the search was refused: {_text(answer)}")
        # "n:*" always holds the last message, whatever n is.
        uids = sorted({int(one) for one in _text(answer).split() if one.isdigit() and int(one) > last_uid})
        if self.store is None:  # somebody tries it: the newest will do
            return uids[-TRIED:], True
        return uids[:MESSAGES_MAX], len(uids) <= MESSAGES_MAX


def _heads(box: _Box, uids: Sequence[int]) -> Iterator[tuple[int, int, bytes]]:
    """Number, size and header of each message, in the order of `uids`; one that is gone by now is left out."""
    wanted = ",".join(map(str, uids))
    status, answer = box.uid("FETCH", wanted, "(RFC822.SIZE BODY.PEEK[HEADER.FIELDS (FROM SUBJECT)])")
    if status != "OK":
        raise imaplib.IMAP4.error(f"the server gives no headers: {_text(answer)}")
    heads: dict[int, tuple[int, bytes]] = {}
    for part in answer:
        if isinstance(part, tuple) and len(part) == 2 and (number := _UID.search(part[0])):
            size = _SIZE.search(part[0])
            heads[int(number[1])] = (int(size[1]) if size else 0, part[1])
    for uid in uids:
        if uid in heads:
            yield (uid, *heads[uid])


def _fetched(box: _Box, uid: int) -> Mail | BadMail:
    # In pieces a server that lies about the size gives no more than it was asked for.
    status, answer = box.uid("FETCH", str(uid), f"(BODY.PEEK[]<0.{MAIL_MAX}>)")
    for part in answer if status == "OK" else ():
        if isinstance(part, tuple) and len(part) == 2:
            return mail_of(part[1])
    return BadMail(0, "the server does not give it")


def _sender(header: bytes) -> tuple[str, str]:
    try:
        read = message_from_bytes(header, policy=policy.default)
        return parseaddr(str(read.get("From", "")))[1].lower(), str(read.get("Subject", ""))
    except Exception:  # the parser of headers raises whatever it likes
        return "", ""


def from_one_of(senders: Sequence[str], address: str) -> bool:
    """Whether `address` is one of `senders`: addresses, or "@host" for all of a host and of those below it.

    >>> from_one_of(["noreply@booking.com", "@yelp.com"], "no-reply@mail.yelp.com")
    True
    >>> from_one_of(["@yelp.com"], "me@notyelp.com"), from_one_of(["@yelp.com"], "")
    (False, False)
    """
    host = address.rpartition("@")[2]
    return bool(host) and any(
        address == one or (one.startswith("@") and (host == one[1:] or host.endswith(f".{one[1:]}")))
        for one in senders
    )


def quoted(folder: str) -> str:
    """A folder's name as IMAP wants it: modified UTF-7 (RFC 3501, 5.1.3) in quotes.

    >>> print(quoted('Bewertungen/\\u00dcber uns'), quoted('R&D "x"'))
    "Bewertungen/&ANw-ber uns" "R&-D \\"x\\""
    """

    def shifted(match: re.Match[str]) -> str:
        coded = base64.b64encode(match[0].encode("utf-16-be", "replace")).decode().rstrip("=")
        return f"&{coded.replace('/', ',')}-"

    coded = re.sub("[^\\x20-\\x7e]+", shifted, folder.replace("&", "&-"))
    return '"' + coded.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _imap_day(day: date) -> str:
    return f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}"


def _text(answer: object) -> str:
    parts = answer if isinstance(answer, (list, tuple)) else [answer]
    return " ".join(one.decode("utf-8", "replace") for one in parts if isinstance(one, bytes))


def _said(error: BaseException) -> str:
    first = error.args[0] if error.args else ""
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first) or error_words(error)
