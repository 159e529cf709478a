"""What does a block of JSON say that no strict parser would take?

Shops write JSON-LD by template: trailing commas, quotes and line breaks inside strings, bare words, comments,
several objects in a row, outer braces forgotten, the end cut off. `loads` tries the strict parser first, then
reads what is there, in one pass, without recursion; it never raises. An object that the end of the block cut
short carries the key `CUT`, so that half a review is never taken for a whole one.
"""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

BLOCK_MAX = 8_000_000  # characters of one block; 5 MB is the largest page that is fetched at all
LOOSE_MAX = 3_000_000  # characters read by the tolerant parser, which is 30 times slower than the strict one
DEPTH_MAX = 200
CUT = "__cut__"

_WRAP = re.compile(
    r"\A[\s\ufeff;]*(?:(?://|/\*)?\s*<!\[CDATA\[(?:\s*\*/)?|<!--|//[^\n{}\[\]\"]{0,100}\n"
    r"|/\*[^*]{0,500}\*/)+\s*"
)
_UNWRAP = re.compile(r"(?:(?://|/\*)?\s{0,20}\]\]>(?:\s{0,20}\*/)?|(?://\s{0,20})?-->|;)\s{0,100}\Z")
_SPACE = re.compile(r"(?:\s|//[^\n]*\n|/\*[^*]{0,2000}\*/)+")
_STOP = re.compile(r'["\\\n“”]')
_WORD = re.compile(r"[^\s,:\[\]{}\"]+")
_NUMBER = re.compile(r"-?\d{1,300}(?:\.\d{1,300})?(?:[eE][+-]?\d{1,4})?\Z")
_HEX = re.compile(r"[0-9a-fA-F]{4}")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
# What may stand behind the quote that really ends a string.
_KEY_AHEAD = r'(?:["“][^"“”\n]{0,200}["”]|[@\w$-]{1,100})\s{0,200}:'
_ENDS_KEY = re.compile(r"\s{0,1000}:")
_ENDS_MEMBER = re.compile(
    rf"\s{{0,1000}}(?:,\s{{0,1000}}(?:{_KEY_AHEAD}|[}}\]]|//|/\*|\Z)|}}\s{{0,1000}}(?:[,}}\]{{<;/]|\Z)"
    rf"|]\s{{0,1000}}[,}}\]]|\Z|\n\s{{0,1000}}{_KEY_AHEAD}|\s{{1,9}}\"[@\w-]{{1,60}}\"\s{{0,9}}:)"
)
_ENDS_ITEM = re.compile(r"\s{0,1000}(?:,\s{0,1000}(?:[\"“{\[\]\d-]|true\b|false\b|null\b|\Z)|[\]}]|\Z)")


def loads(block: str) -> tuple[Any, list[str]]:
    """The value of a JSON block and what had to be mended, in words; (None, …) if nothing can be read.

    Several values in a row come back as a list. NaN and Infinity are None.

    >>> loads('"a": 1, "b": "he said "no", twice", "c": Product,')[0]
    {'a': 1, 'b': 'he said "no", twice', 'c': 'Product'}
    """
    if len(block) > BLOCK_MAX:
        return None, [f"a data block of {len(block):,} characters was not read: the limit is {BLOCK_MAX:,}"]
    text = _unwrapped(block)
    if not text:
        return None, []
    try:
        return json.loads(text, strict=False, parse_constant=lambda _: None), []
    except RecursionError:
        return None, ["a data block is nested too deeply to be read"]
    except ValueError:  # also: a number with more digits than Python will read
        pass
    if '"' not in text and ("&quot;" in text or "&#34;" in text):
        text = unescape(text)
    if len(text) > LOOSE_MAX:
        return None, [
            f"a broken data block of {len(text):,} characters was not mended: the limit is {LOOSE_MAX:,}"
        ]
    return _Loose(text).read()


def _unwrapped(block: str) -> str:
    """The block without what hides it from old browsers: comments, CDATA, a trailing semicolon."""
    block = block.lstrip("\ufeff\u200b; \t\r\n")
    text = _WRAP.sub("", block[:2_000]) + block[2_000:]
    for _ in range(3):
        tail = text[-200:].rstrip()
        text = text[:-200] + tail if len(text) > 200 else tail
        hit = _UNWRAP.search(text, max(0, len(text) - 200))
        if hit is None:
            break
        text = text[: hit.start()]
    return text.strip()


class _Loose:
    """One tolerant pass over a text: a stack of open containers, no recursion."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.cut = False
        self.roots: list[Any] = []
        self.stack: list[dict[str, Any] | list[Any]] = []
        self.keys: list[str | None] = []  # the key each open object waits to give a value
        self.problems = ["a data block is not valid JSON; what could be read of it was"]

    def read(self) -> tuple[Any, list[str]]:
        text, end = self.text, len(self.text)
        # Outer braces forgotten: the block begins with `"key":`.
        if text[0] in '"“' and _ENDS_KEY.match(text, self._peek_string_end()):
            self._open({})
        while self.at < end:
            space = _SPACE.match(text, self.at)
            if space:
                self.at = space.end()
                continue
            char = text[self.at]
            if char in "{[":
                self.at += 1
                if len(self.stack) >= DEPTH_MAX:
                    return self._done("it is nested too deeply")
                self._open({} if char == "{" else [])
            elif char in "}]":
                self.at += 1
                self._close(char)
            elif char in ",:;":
                self.at += 1
            elif self._wants_key():
                self._key(char)
            else:
                self._value(char)
        return self._done()

    def _peek_string_end(self) -> int:
        close = self.text.find('"' if self.text[0] == '"' else "”", 1, 200)
        return close + 1 if close > 0 else len(self.text)

    def _wants_key(self) -> bool:
        return bool(self.stack) and isinstance(self.stack[-1], dict) and self.keys[-1] is None

    def _open(self, container: dict[str, Any] | list[Any]) -> None:
        self._put(container)
        self.stack.append(container)
        self.keys.append(None)

    def _put(self, value: Any) -> None:
        if not self.stack:
            self.roots.append(value)
            return
        top = self.stack[-1]
        if isinstance(top, list):
            top.append(value)
        elif (key := self.keys[-1]) is not None:
            top[key] = value
            self.keys[-1] = None
        elif isinstance(
            value, dict
        ):  # an object where a key should be: the comma-separated ones of a lost list
            self.roots.append(value)

    def _close(self, char: str) -> None:
        """Closes the innermost container of that kind; those left open inside it close with it."""
        kind = dict if char == "}" else list
        for depth in range(len(self.stack) - 1, max(-1, len(self.stack) - 9), -1):
            if isinstance(self.stack[depth], kind):
                del self.stack[depth:], self.keys[depth:]
                return

    def _key(self, char: str) -> None:
        if char in '"“”':
            self.keys[-1] = self._string(_ENDS_KEY)
        elif char == "'":
            self.keys[-1] = self._quoted()
        else:
            self.keys[-1] = self._bare()

    def _value(self, char: str) -> None:
        if char in '"“”':
            self._put(
                self._string(_ENDS_MEMBER if self.stack and isinstance(self.stack[-1], dict) else _ENDS_ITEM)
            )
        elif char == "'":
            self._put(self._quoted())
        else:
            word = self._bare()
            if word in ("true", "false"):
                self._put(word == "true")
            elif word in ("null", "undefined", "NaN", "Infinity", "-Infinity", ""):
                self._put(None)
            elif _NUMBER.match(word):
                number = float(word)
                self._put(int(word) if word.lstrip("-").isdigit() and len(word) < 20 else number)
            else:
                self._put(word)

    def _bare(self) -> str:
        hit = _WORD.match(self.text, self.at)
        if hit is None:
            self.at += 1
            return ""
        self.at = hit.end()
        return hit[0]

    def _quoted(self) -> str:
        """A string in single quotes, as JavaScript would take it."""
        close = self.text.find("'", self.at + 1)
        if close < 0:
            self.cut, self.at = True, len(self.text)
            return ""
        found = self.text[self.at + 1 : close]
        self.at = close + 1
        return found

    def _string(self, ends: re.Pattern[str]) -> str:
        """A string, up to the first quote behind which something stands that can follow a string."""
        text, out = self.text, []
        curly = text[self.at] != '"'
        at = self.at + 1
        while True:
            hit = _STOP.search(text, at)
            if hit is None:
                self.cut, self.at = True, len(text)
                return ""
            out.append(text[at : hit.start()])
            char, at = hit[0], hit.end()
            if char == "\\":
                at = self._escape(at, out)
            elif char == "\n" or (char != '"' and not curly):
                out.append(char)
            elif ends.match(text, at):
                self.at = at
                return "".join(out)
            else:
                out.append(char)

    def _escape(self, at: int, out: list[str]) -> int:
        char = self.text[at : at + 1]
        if char == "u" and _HEX.match(self.text, at + 1):
            code = int(self.text[at + 1 : at + 5], 16)
            if (
                0xD800 <= code < 0xDC00
                and self.text[at + 5 : at + 7] == "\\u"
                and _HEX.match(self.text, at + 7)
            ):
                low = int(self.text[at + 7 : at + 11], 16)
                if 0xDC00 <= low < 0xE000:
                    out.append(chr(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)))
                    return at + 11
            out.append(chr(code))
            return at + 5
        out.append(_ESCAPES.get(char, char))
        return at + 1

    def _done(self, why: str = "") -> tuple[Any, list[str]]:
        if why:
            self.problems.append(f"a data block was read in part: {why}")
        if self.cut or why or any(key is not None for key in self.keys[-1:]):
            for container in self.stack:
                if isinstance(container, dict):
                    container[CUT] = True
        roots = [r for r in self.roots if r not in ("", None)]
        if not roots:
            return None, ["a data block could not be read at all"]
        return (roots[0] if len(roots) == 1 else roots), self.problems
