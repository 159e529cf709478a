"""What does a piece of markup say, as plain text?

Review bodies arrive as fragments of pages, as JSON strings with markup in them, or escaped twice. Everything
here is one pass over bounded text: no tree is built and no pattern can backtrack.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape

FRAGMENT_MAX = 400_000  # characters looked at; four times what a Mention keeps

_NAME = re.compile(r"/?([a-zA-Z][a-zA-Z0-9:_-]{0,30})")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,10}\d{0,2});")
BLOCKS = frozenset((
    "address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "figcaption", "figure",
    "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p",
    "pre", "section", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
))  # fmt: skip
_INLINE = frozenset((
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "button", "center", "cite", "code", "data", "del",
    "dfn", "em", "fieldset", "font", "i", "iframe", "img", "input", "ins", "kbd", "label", "legend",
    "mark", "meta", "noscript", "path", "picture", "q", "s", "samp", "select", "small", "source", "span",
    "strike", "strong", "sub", "summary", "sup", "svg", "time", "tt", "u", "var", "video", "wbr",
))  # fmt: skip
_DROPPED = frozenset(("script", "style", "template", "svg", "noscript", "head", "iframe", "select"))
_CLOSERS = {name: re.compile(rf"</{name}\b", re.I) for name in _DROPPED}
_KNOWN = BLOCKS | _INLINE | _DROPPED | {"html", "body"}
_BLANKS = re.compile(r"[^\S\n]+")
_MARK = "\x00"  # stands for a line break the markup asked for, while raw line breaks are still spaces


def strip_tags(fragment: str, *, block: str = "\n", inline: str = "", known_only: bool = False) -> str:
    """`fragment` without its tags: `block` in place of <p>, <br>, …; `inline` in place of the others.

    Scripts, styles, drawings and comments go with their content. Entities stay. With `known_only` only what
    has the name of an HTML tag is one, so that "I give it <five>" keeps its words.

    >>> strip_tags("a<br>b<script>c</script> <b>d</b> <3")
    'a\\nb d <3'
    """
    out: list[str] = []
    at, end = 0, len(fragment)
    while at < end:
        start = fragment.find("<", at)
        if start < 0:
            out.append(fragment[at:])
            break
        out.append(fragment[at:start])
        if fragment.startswith("<!--", start):
            close = fragment.find("-->", start + 4)
            if close < 0:
                break
            at = close + 3
            continue
        name = _NAME.match(fragment, start + 1)
        if name is None and not fragment.startswith(("<!", "<?", "</"), start):
            out.append("<")  # "I <3 it", "5 < 6"
            at = start + 1
            continue
        word = name[1].lower() if name else ""
        if known_only and word not in _KNOWN:
            out.append("<")
            at = start + 1
            continue
        close = _tag_end(fragment, start)
        if close < 0:
            out.append(fragment[start:])
            break
        at = close + 1
        if word in _DROPPED and fragment[start + 1] != "/" and fragment[close - 1] != "/":
            closer = _CLOSERS[word].search(fragment, at)
            if closer is None:
                break  # unclosed: a browser would show nothing of the rest either
            close = fragment.find(">", closer.end())
            at = end if close < 0 else close + 1
            out.append(inline)
            continue
        out.append(block if word in BLOCKS else inline)
    return "".join(out)


def _tag_end(fragment: str, start: int) -> int:
    """Where the tag that begins at `start` ends; a ">" inside a quoted attribute is none. -1: nowhere."""
    close = fragment.find(">", start)
    if close > 0 and fragment.count('"', start, close) % 2:
        quote = fragment.find('"', close, close + 4_000)
        if quote > 0:
            after = fragment.find(">", quote, quote + 4_000)
            close = after if after > 0 else close
    return close


def looks_like_html(text: str) -> bool:
    """True when `text` carries tags that a browser would read as such, or entities.

    >>> looks_like_html("a<br/>b"), looks_like_html("fish &amp; chips"), looks_like_html("1 < 2 > 0, <five>")
    (True, True, False)
    """
    if "&" in text and _ENTITY.search(text):
        return True
    return _has_tags(text)


def _has_tags(text: str) -> bool:
    at = text.find("<")
    if at < 0 or ">" not in text:
        return False
    for _ in range(200):
        name = _NAME.match(text, at + 1)
        if name and name[1].lower() in _KNOWN:
            return True
        at = text.find("<", at + 1)
        if at < 0:
            break
    return False


def html_to_text(fragment: str) -> str:
    """`fragment` as plain text: tags gone, entities resolved (twice-escaped ones too), spaces folded.

    Line breaks come from the markup (<br>, <p>, <li>, …) where there is any, else from the text itself; never
    more than one blank line in a row. Linear in the fragment, of which at most 400,000 characters are read.

    >>> html_to_text("<p>It&amp;#39;s <b>ok</b>,<br> really</p><script>x()</script>")
    "It's ok,\\nreally"
    """
    return _text(fragment[:FRAGMENT_MAX], known_only=False)


def markup_to_text(fragment: str) -> str:
    """As `html_to_text`, of markup that is known to be right: a tag that is escaped in it is what somebody wrote.

    >>> markup_to_text("<p>Use <code>&lt;b&gt;</code> &amp; see</p>"), html_to_text("Use &lt;b&gt;")
    ('Use <b> & see', 'Use')
    """
    text = fragment[:FRAGMENT_MAX]
    if "<" in text:
        text = strip_tags(text, block=_MARK)
        if _MARK in text:
            text = text.replace("\r", " ").replace("\n", " ").replace(_MARK, "\n")
    return _fold(unescape(text))


def _text(text: str, *, known_only: bool) -> str:
    if "<" not in text and "&" not in text:
        return _fold(text)
    tagged = _has_tags(text) if known_only else "<" in text
    if tagged:
        text = strip_tags(text, block=_MARK, known_only=known_only)
        if _MARK in text:
            text = text.replace("\r", " ").replace("\n", " ").replace(_MARK, "\n")
    for _ in range(2):
        if "&" not in text or not _ENTITY.search(text):
            break
        text = unescape(text)
        if "<" in text and _has_tags(text):  # the markup itself was escaped
            text = strip_tags(text, known_only=True)
    return _fold(text)


def _fold(text: str) -> str:
    """Spaces folded, lines trimmed, at most one blank line in a row."""
    if "\n" not in text and "\r" not in text:
        return " ".join(text.split())
    lines: list[str] = []
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        line = _BLANKS.sub(" ", line).strip()
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines).strip()


def plain(value: object) -> str:
    """A JSON value as plain text: a string (markup and entities resolved), a number, the first of a list that
    says something, a dict by its "@value", "name" or "text". Everything else is "".

    >>> plain([{"@value": "fish &amp; chips", "@language": "en"}, "x"]), plain(4.0), plain(None), plain(True)
    ('fish & chips', '4', '', '')
    """
    for _ in range(8):  # a value in a list in a dict …: bounded, whatever nests
        if isinstance(value, str):
            return _text(value[:FRAGMENT_MAX], known_only=True)
        if isinstance(value, bool) or value is None:
            return ""
        if isinstance(value, (int, float)):
            return _number(value)
        if isinstance(value, Mapping):
            value = next((value[k] for k in ("@value", "name", "text") if value.get(k)), None)
        elif isinstance(value, (list, tuple)):
            value = next((v for v in value[:20] if v), None)
        else:
            return ""
    return ""


def _number(value: float) -> str:
    try:
        return str(int(value)) if value == int(value) else str(value)
    except (ValueError, OverflowError):  # NaN, infinity, or more digits than Python will print
        return ""
