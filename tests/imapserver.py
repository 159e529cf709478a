"""A mailbox on loopback that speaks IMAP4rev1 (RFC 3501) as far as a reader needs, and counts what it was asked."""

from __future__ import annotations

import base64
import re
import socketserver
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

PASSWORD = "abcd efgh ijkl mnop"


def a_mail(
    number: int,
    words: str = "",
    *,
    sender: str = "Booking <noreply@booking.com>",
    subject: str = "New 2-star review",
    at: datetime | None = None,
) -> bytes:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = "reviews@acme.example"
    message["Subject"] = subject
    message["Message-ID"] = f"<{number}@mail.example>"
    message["Date"] = at or datetime(2026, 11, 20, 8, tzinfo=UTC)
    message.set_content(words or f"Acme room {number} was dirty and nobody cared.")
    return message.as_bytes()


@dataclass
class Mailbox:
    """Use as `with Mailbox({1: a_mail(1)}) as box`; `box.asked` are the lines that came in."""

    mails: dict[int, bytes] = field(default_factory=dict)
    validity: int = 7
    folder: str = "INBOX"
    password: str = PASSWORD
    context: ssl.SSLContext | None = None
    starttls: bool = False  # begins in the open
    cut_before: str = ""  # the connection breaks off where a line holds this
    announce: int = 0  # bytes a literal claims to have, whatever it has
    flood: bool = False  # answers a search without an end
    hang: bool = False  # says nothing any more after the login
    asked: list[str] = field(default_factory=list)

    def __enter__(self) -> Mailbox:
        box = self
        self.released = threading.Event()

        class Handler(socketserver.StreamRequestHandler):
            def setup(self) -> None:
                if box.context is not None and not box.starttls:
                    self.request = box.context.wrap_socket(self.request, server_side=True)
                super().setup()

            def handle(self) -> None:
                self._say(b"* OK ready")
                while line := self.rfile.readline(65_536):
                    said = line.decode().rstrip("\r\n")
                    if not _answered(box, said, self._say):
                        return
                    if said.upper().endswith(" STARTTLS") and box.context is not None:
                        self.request = box.context.wrap_socket(self.request, server_side=True)
                        super().setup()

            def finish(self) -> None:
                super().finish()
                self.request.close()  # the server closes only what it accepted, not what TLS made of it

            def _say(self, line: bytes) -> None:
                self.wfile.write(line + b"\r\n")
                self.wfile.flush()

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, *_: Any) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def commands(self) -> list[str]:
        """The first words of what was asked, in order."""
        return [" ".join(line.split()[1:3]).upper() for line in self.asked]


def _answered(box: Mailbox, line: str, say: Callable[[bytes], None]) -> bool:
    box.asked.append(line)
    if box.cut_before and box.cut_before in line:
        return False
    tag, _, rest = line.partition(" ")
    verb = rest.split(" ", 1)[0].upper()
    done = f"{tag} OK done".encode()
    if verb == "CAPABILITY":
        say(b"* CAPABILITY IMAP4rev1" + b" STARTTLS" * box.starttls)
    elif verb == "STARTTLS":
        pass
    elif verb == "LOGIN":
        if f'"{box.password}"' not in rest:
            say(f"{tag} NO [AUTHENTICATIONFAILED] Invalid credentials for {rest}".encode())
            return True
        if box.hang:
            box.released.wait(60)
            return False
    elif verb in ("EXAMINE", "SELECT"):
        if f'"{box.folder}"' not in rest:
            say(f"{tag} NO [NONEXISTENT] Unknown Mailbox".encode())
            return True
        say(f"* {len(box.mails)} EXISTS".encode())
        say(f"* OK [UIDVALIDITY {box.validity}] UIDs valid".encode())
        done = f"{tag} OK [READ-ONLY] done".encode()
    elif verb == "UID" and " SEARCH " in f" {rest.upper()} ":
        while box.flood:
            say(b"* SEARCH" + b" 7" * 100_000)
        say(b"* SEARCH " + " ".join(map(str, _searched(box, rest))).encode())
    elif verb == "UID":
        for answer in _fetched(box, rest):
            say(answer)
    elif verb == "LOGOUT":
        say(b"* BYE")
        say(done)
        return False
    else:
        say(f"{tag} BAD what".encode())
        return True
    say(done)
    return True


def _searched(box: Mailbox, rest: str) -> list[int]:
    if after := re.search(r"UID SEARCH UID (\d+):\*", rest):
        found = [uid for uid in box.mails if uid >= int(after[1])]
        return found or [max(box.mails, default=0)] * bool(box.mails)  # "n:*" holds the last, whatever n is
    since = re.search(r"SINCE (\d+)-(\w{3})-(\d{4})", rest)
    assert since
    day = datetime.strptime(" ".join(since.groups()), "%d %b %Y").replace(tzinfo=UTC)
    return [uid for uid, mail in box.mails.items() if _at(mail) >= day]


def _at(mail: bytes) -> datetime:
    said = re.search(rb"^Date: (.+)$", mail, re.M)
    return parsedate_to_datetime(said[1].decode().strip()) if said else datetime(2026, 11, 20, tzinfo=UTC)


def _fetched(box: Mailbox, rest: str) -> list[bytes]:
    wanted = {int(uid) for uid in rest.split()[2].split(",")}
    lines = []
    for number, (uid, mail) in enumerate(sorted(box.mails.items()), start=1):
        if uid not in wanted:
            continue
        if "HEADER.FIELDS" in rest:
            head = mail.split(b"\n\n", 1)[0].split(b"\r\n\r\n", 1)[0].splitlines()
            said = b"\r\n".join(one for one in head if one[:5] in (b"From:", b"Subje")) + b"\r\n\r\n"
            name = f"RFC822.SIZE {len(mail)} BODY[HEADER.FIELDS (FROM SUBJECT)]"
        else:
            assert "BODY.PEEK[]" in rest  # anything else would mark it as read
            said, name = mail, "BODY[]<0>"
        size = box.announce if box.announce and "BODY.PEEK[]" in rest else len(said)
        lines.append(f"* {number} FETCH (UID {uid} {name} {{{size}}}".encode() + b"\r\n" + said + b")")
    return lines


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS context for `localhost`, and the file that makes a client trust it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "server.pem", folder / "server.key"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context, public


def shifted(name: str) -> str:
    """A name in modified UTF-7, as a server knows it."""
    return re.sub(
        "[^\x20-\x7e]+",
        lambda m: f"&{base64.b64encode(m[0].encode('utf-16-be')).decode().rstrip('=').replace('/', ',')}-",
        name.replace("&", "&-"),
    )
