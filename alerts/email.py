"""How does a message get to a mailbox? The second road, for when Slack's token is dead.

SMTP of the standard library. The outbox id is the Message-ID, so that a mail sent twice after an unclear failure
is shown once by most clients, and replies stand in the thread of what they answer. Mail cannot be changed or
looked up: at least once is promised, no more.
"""

from __future__ import annotations

import html
import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_string
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from alerts.blocks import as_text
from alerts.notifier import (
    CannotLook,
    Capabilities,
    ChannelClosed,
    Message,
    NotifyError,
    NotSent,
    RateLimited,
    Receipt,
    Search,
    TokenRefused,
    Uncertain,
    Unchangeable,
    Unrenderable,
)
from alerts.redact import redact
from alerts.text import clip, one_line, unescape

SUBJECT_MAX = 150
BODY_MAX = 20_000
LATER = 300.0  # seconds after a server that is too busy (421, 450–452) is tried again
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){0,10}")
_LINK = re.compile(r"https?://[^\s<>\"']{1,2000}")
_LOCAL = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """The server that takes our mail. `security` is "starttls", "tls" or "none" (this machine only)."""

    host: str
    port: int = 587
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    security: str = "starttls"
    timeout: float = 30.0


def address_problem(address: str) -> str:
    """What keeps `address` from being a mail address, "" where nothing does.

    >>> address_problem("ops@example.com"), address_problem("ops@example.com\\nBcc: all@example.com") == ""
    ('', False)
    """
    return "" if _ADDRESS.fullmatch(address) else "a mail address such as ops@example.com"


class EmailNotifier:
    """The road through an SMTP server; a channel is a mail address."""

    name = "email"
    can = Capabilities(edits=False, finds=False, threads=True, paced=False)

    def __init__(
        self,
        mailbox: Mailbox,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._mailbox = mailbox
        self._clock = clock
        self._context = context  # None: the system's authorities, made when first needed

    def check(self) -> None:
        """Connect and log in, sending nothing; raises the NotifyError that sending would raise."""
        with self._server():
            pass

    def post(self, message: Message) -> Receipt:
        """Send a mail; its receipt holds the Message-ID."""
        if problem := address_problem(message.channel):
            raise ChannelClosed(f"{message.channel[:80]!r} is not {problem}")
        mail = compose(message, self._mailbox.sender, self._clock())
        raw = mail.as_bytes(policy=SMTP)
        with self._server() as server:
            self._envelope(server, message.channel)
            try:
                code, said = server.data(raw)
            except smtplib.SMTPDataError as error:
                raise _refused("DATA", error.smtp_code, error.smtp_error, Unrenderable) from error
            except (OSError, smtplib.SMTPException) as error:
                # The mail was on its way when the line broke: it may have been taken.
                raise Uncertain(f"DATA: {type(error).__name__}: {redact(str(error))[:200]}") from error
            if code != 250:
                raise _refused("DATA", code, said, Unrenderable)
        return Receipt(str(mail["Message-ID"]), message.channel)

    def edit(self, receipt: Receipt, message: Message) -> None:
        """A mail cannot be changed."""
        raise Unchangeable("a mail cannot be changed")

    def find(self, search: Search) -> Receipt | None:
        """Nobody can look into somebody's mailbox."""
        raise CannotLook("mail cannot be looked up")

    def remove(self, receipt: Receipt) -> None:
        """A mail cannot be taken back."""
        raise Unchangeable("a mail cannot be taken back")

    @contextmanager
    def _server(self) -> Iterator[smtplib.SMTP]:
        box = self._mailbox
        try:
            server = self._connected()
        except NotifyError:
            raise
        except ssl.SSLCertVerificationError as error:
            raise NotSent(f"{box.host}: its certificate is not trusted ({error.verify_message})") from error
        except (OSError, smtplib.SMTPException) as error:
            # Nothing was sent before there was a session.
            raise NotSent(f"{box.host}:{box.port}: {_words(error)}") from error
        try:
            yield server
        finally:
            try:
                server.quit()
            except (OSError, smtplib.SMTPException):
                server.close()  # what was sent stands; how politely we part does not matter

    def _connected(self) -> smtplib.SMTP:
        box = self._mailbox
        if box.security == "none" and box.host not in _LOCAL and box.password:
            raise TokenRefused("a password is never sent over an open line: set email.security")
        if box.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                box.host, box.port, timeout=box.timeout, context=self._tls()
            )
        else:
            server = smtplib.SMTP(box.host, box.port, timeout=box.timeout)
        try:
            server.ehlo_or_helo_if_needed()
            if box.security == "starttls":
                if not server.has_extn("starttls"):
                    raise TokenRefused(f"{box.host} offers no STARTTLS: set email.security")
                server.starttls(context=self._tls())
                server.ehlo()
            if box.user:
                try:
                    server.login(box.user, box.password)
                except smtplib.SMTPAuthenticationError as error:
                    if error.smtp_code < 500:
                        raise NotSent(f"login: {error.smtp_code}") from error
                    raise TokenRefused(f"login refused: {error.smtp_code}") from error
                except smtplib.SMTPNotSupportedError as error:
                    raise TokenRefused(f"{box.host} takes no login") from error
        except BaseException:
            server.close()
            raise
        return server

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = ssl.create_default_context()
        return self._context

    def _envelope(self, server: smtplib.SMTP, recipient: str) -> None:
        try:
            code, said = server.mail(self._mailbox.sender)
            if code != 250:
                raise _refused("MAIL FROM", code, said, TokenRefused)
            code, said = server.rcpt(recipient)
            if code not in (250, 251):
                raise _refused("RCPT TO", code, said, ChannelClosed)
        except (OSError, smtplib.SMTPException) as error:
            raise NotSent(f"{self._mailbox.host}: {_words(error)}") from error


def compose(message: Message, sender: str, now: datetime) -> EmailMessage:
    """The mail of a message: its own, or plain text and the same as simple HTML. Strangers' words stay text."""
    own = bool(message.raw)
    mail = message_from_string(message.raw, EmailMessage, policy=SMTP) if own else EmailMessage(policy=SMTP)
    for name in ("From", "To", "Cc", "Bcc", "Reply-To", "Sender", "Date", "Message-ID"):
        del mail[name]  # who sends it writes those
    mail["From"] = Address("lowstar", addr_spec=sender)
    mail["To"] = Address(addr_spec=message.channel)
    if not mail["Subject"]:
        mail["Subject"] = subject_line(clip(one_line(unescape(message.text)), SUBJECT_MAX)) or "lowstar"
    mail["Date"] = format_datetime(now.astimezone(UTC))
    domain = sender.rpartition("@")[2]
    mail["Message-ID"] = f"<{re.sub('[^A-Za-z0-9_-]', '', message.outbox_id)[:64]}@{domain}>"
    if message.thread_id and re.fullmatch(r"<[\x21-\x3b\x3d\x3f-\x7e]{1,400}>", message.thread_id):
        mail["In-Reply-To"] = message.thread_id
        mail["References"] = message.thread_id
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office replies to us
    if own:
        return mail
    text = clip(as_text(message.blocks) or unescape(message.text), BODY_MAX)
    mail.set_content(text + "\n")
    mail.add_alternative(as_html(text), subtype="html")
    return mail


def subject_line(text: str) -> str:
    """`text` as it may stand in a Subject: one line, and nothing in it that looks like an encoded word (RFC 2047).

    The email package decodes such a word when the header is set and writes down what was in it, line ends and all:
    a review's title could have added a Bcc.

    >>> subject_line("1 star: =?utf-8?q?=0D=0ABcc:_all=40example.com?=")
    '1 star: = ?utf-8?q?=0D=0ABcc:_all=40example.com?='
    """
    return one_line(text).replace("=?", "= ?")


def as_html(text: str) -> str:
    """Plain lines as simple HTML, everything escaped, web addresses as links.

    >>> as_html("<b>hi</b>\\nOpen post: https://shop.example/?a=1&b=2").count("<b>")
    0
    """
    lines = []
    for line in text.split("\n"):
        parts, at = [], 0
        for link in _LINK.finditer(line):
            address = html.escape(link[0])
            parts += [html.escape(line[at : link.start()]), f'<a href="{address}">{address}</a>']
            at = link.end()
        lines.append("".join([*parts, html.escape(line[at:])]) or "&nbsp;")
    body = "<br>\n".join(lines)
    return f'<!doctype html><html><head><meta charset="utf-8"></head><body><p>{body}</p></body></html>'


def _refused(step: str, code: int, said: bytes | str, kind: type[NotifyError]) -> NotifyError:
    """What a server's answer means: 4xx is "later", 5xx is for good."""
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    text = f"{step}: {code} {redact(one_line(words))[:200]}"
    if code in (421, 450, 451, 452):
        return RateLimited(text, LATER)
    return kind(text) if code >= 500 else NotSent(text)


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError | socket.timeout):
        return "no answer in time"
    return f"{type(error).__name__}: {redact(str(error))[:200]}"
