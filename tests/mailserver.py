"""A mail server on loopback that answers as it is told and keeps what it takes."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Post:
    """A mail server on this machine: what it answers to each command, and what it took."""

    answers: dict[str, str] = field(default_factory=dict)  # a command's first word, or "." → the answer
    taken: list[bytes] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    port: int = 0


class _Talk(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        post: Post = self.server.post  # type: ignore[attr-defined]
        self._say(post.answers.get("hello", "220 mail.test"))
        while line := self.rfile.readline():
            words = line.decode("utf-8", "replace").strip()
            post.said.append(words)
            word = words.split(" ")[0].upper()
            if word == "DATA" and "DATA" not in post.answers:
                self._say("354 go on")
                body = b""
                while (part := self.rfile.readline()) not in (b".\r\n", b""):
                    body += part[1:] if part.startswith(b"..") else part  # RFC 5321, 4.5.2
                if post.answers.get(".") == "hang up":
                    post.taken.append(body)
                    return
                if "." not in post.answers:
                    post.taken.append(body)
                self._say(post.answers.get(".", "250 taken"))
            elif word == "QUIT":
                self._say("221 bye")
                return
            else:
                usual = "250-mail.test\r\n250 AUTH PLAIN" if word == "EHLO" else "250 fine"
                self._say(post.answers.get(word, "235 in" if word == "AUTH" else usual))

    def _say(self, words: str) -> None:
        self.wfile.write(words.encode() + b"\r\n")


@contextmanager
def mail_server() -> Iterator[Post]:
    post = Post()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Talk) as tcp:
        tcp.daemon_threads = True
        tcp.post = post  # type: ignore[attr-defined]
        post.port = tcp.server_address[1]
        thread = threading.Thread(target=tcp.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield post
        tcp.shutdown()
        thread.join()
