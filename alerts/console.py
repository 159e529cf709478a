"""How does an alert look on a terminal, or in a file that catches the output?

Whoever reads the output is the channel; nothing can be looked up in it, so at least once is promised.
"""

from __future__ import annotations

import os
import sys
from typing import TextIO

from alerts.blocks import as_text
from alerts.notifier import CannotLook, Capabilities, Message, NotSent, Receipt, Search
from alerts.text import for_terminal, unescape
from storage.records import case_name


class ConsoleNotifier:
    """Prints a card for each message; framed on a terminal, plain lines elsewhere and with NO_COLOR."""

    name = "console"
    can = Capabilities(edits=True, finds=False, threads=False, paced=False)

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stdout
        self._framed = self._stream.isatty() and not os.environ.get("NO_COLOR")

    def post(self, message: Message) -> Receipt:
        """Print the card. Its receipt is the outbox id: nothing else names it."""
        self._print(message.channel, message)
        return Receipt(message.outbox_id, message.channel)

    def edit(self, receipt: Receipt, message: Message) -> None:
        """Print what changed; what was printed stays printed."""
        name = "A message" if message.number is None else case_name(message.number)
        self._print(f"{message.channel}  {name} changed", message)

    def find(self, search: Search) -> Receipt | None:
        """Always raises: what was printed cannot be looked up."""
        raise CannotLook("what was printed cannot be looked up")

    def remove(self, receipt: Receipt) -> None:
        """Nothing: what was printed stays printed."""

    def _print(self, title: str, message: Message) -> None:
        words = for_terminal(as_text(message.blocks) or unescape(message.text))
        title = for_terminal(title)
        try:
            if self._framed:
                self._frame(title, words)
            else:
                self._write(f"{title}\n" + "".join(f"  {line}\n" for line in words.split("\n")) + "\n")
            self._stream.flush()
        except (OSError, ValueError) as error:  # a closed pipe, a closed file
            raise NotSent(f"console: {error}") from error

    def _write(self, text: str) -> None:
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        self._stream.write(text.encode(encoding, "replace").decode(encoding, "replace"))

    def _frame(self, title: str, words: str) -> None:
        from rich.console import Console  # 60 ms to import, and only a terminal wants it
        from rich.panel import Panel
        from rich.text import Text

        first, _, rest = words.partition("\n")
        body = Text(first, style="bold")
        body.append(f"\n{rest}" if rest else "", style="not bold")
        Console(file=self._stream).print(Panel(body, title=Text(title), title_align="left"))
