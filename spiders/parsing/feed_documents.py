"""What entries does a feed document hold? RSS, Atom and JSON Feed, as broken as they come."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from html.entities import html5
from typing import Any
from urllib.parse import urljoin

from lxml import etree

from spiders.parsing.html import html_to_text, looks_like_html
from storage.records import clean_url

# --- bytes to text ------------------------------------------------------------------------------------------

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s{0,5}=\s{0,5}[\"']([A-Za-z0-9._-]{2,40})[\"']")
_SEVEN_BIT = ("iso-2022", "hz-gb", "utf-7")
# What XML allows no character reference for either; a single one of them ends a strict parse.
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def text_of(body: bytes, content_type: str = "") -> str:
    """The feed as text: by its byte order mark, else by what it declares, else what it turns out to be."""
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return _UNWANTED.sub("", body[len(mark) :].decode(encoding, "replace"))
    head = body.lstrip()[:2]
    if head in (b"<\x00", b"\x00<"):
        return _UNWANTED.sub("", body.decode("utf-16-le" if head[:1] == b"<" else "utf-16-be", "replace"))
    declared = _DECLARED.search(body[:1_000])
    says = declared[1].decode("ascii") if declared else ""
    named = content_type.lower().partition("charset=")[2].split(";")[0].strip(" \"'")
    # UTF-8 proves itself, whatever the file or the server says; only 7-bit encodings can be taken for it.
    first = (says,) if says.lower().startswith(_SEVEN_BIT) else ()
    for encoding in (*first, "utf-8", says, named, "cp1252"):
        try:
            if encoding:
                return _UNWANTED.sub("", body.decode(encoding))
        except (UnicodeDecodeError, LookupError):
            continue
    # Cut in the middle of a character, or mixed by whoever joined two texts.
    for encoding in (says, "utf-8"):
        try:
            if encoding:
                return _UNWANTED.sub("", body.decode(encoding, "replace"))
        except LookupError:
            continue
    return ""


_AMPERSAND = re.compile(r"&(#[0-9]{1,7};|#[xX][0-9a-fA-F]{1,6};|[A-Za-z][A-Za-z0-9]{1,31};)?")
_XML_OWN = ("amp;", "lt;", "gt;", "quot;", "apos;")


def _repaired(text: str) -> str:
    """`text` with the ampersands XML does not know made harmless; CDATA stays as it is.

    Entities a DTD declares become words like any other: none is ever expanded, so a bomb is just text.
    """
    if "&" not in text:
        return text
    parts = []
    at = 0
    while at < len(text):
        start = text.find("<![CDATA[", at)
        stop = text.find("]]>", start) if start >= 0 else -1
        end = start if start >= 0 else len(text)
        parts.append(_AMPERSAND.sub(_ampersand, text[at:end]))
        if start < 0:
            break
        at = stop + 3 if stop >= 0 else len(text)
        parts.append(text[start:at])
    return "".join(parts)


def _ampersand(hit: re.Match[str]) -> str:
    name = hit[1]
    if name is None:
        return "&amp;"
    if name.startswith("#") or name in _XML_OWN:
        return hit[0]
    known = html5.get(name)
    return "".join(f"&#{ord(character)};" for character in known) if known else f"&amp;{name}"


# --- XML ----------------------------------------------------------------------------------------------------

Entry = dict[str, str]
"""One entry, as text: id, url, title, text, author, at, edited, language, reach, rating."""


def xml_feed(text: str, url: str) -> tuple[Iterator[Entry], str]:
    """The entries of an RSS or Atom feed, or why there are none."""
    nothing: Iterator[Entry] = iter(())
    text = text[text.find("<") :]
    declaration = re.match(r"<\?xml[^>]{0,300}\?>", text)
    if declaration:
        text = text[declaration.end() :]
    head = text[:2_000].lower()
    if "<!doctype html" in head or "<html" in head:
        return nothing, _no_feed_but_html(text, url)
    parser = etree.XMLParser(
        encoding="utf-8",
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,  # its limits are wanted: 256 levels, 10 MB of one text
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(_repaired(text).encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        root = None
    if root is None or not isinstance(root.tag, str):
        return nothing, "this is no feed: it cannot be read as XML"
    if _name(root) in ("html", "body", "head"):
        return nothing, _no_feed_but_html(text, url)
    if _name(root) not in ("rss", "rdf", "feed", "channel", "entry"):
        return nothing, f"this is XML, but no feed: it starts with <{_name(root)[:40]}>"
    base = joined(url, root.get(_XML_BASE) or "") or url
    return _xml_entries(root, base, _was_cut(text)), ""


_XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def _name(element: Any) -> str:
    """The element's name without its name space: feeds use wrong, old and invented ones."""
    tag = element.tag
    return tag.rpartition("}")[2].rpartition(":")[2].lower() if isinstance(tag, str) else ""


def _space(element: Any) -> str:
    tag = str(element.tag)
    if tag.startswith("{"):
        return tag[1:].partition("}")[0]
    return tag.partition(":")[0] if ":" in tag else ""  # a prefix nobody declared


def _was_cut(text: str) -> bool:
    """True when the text ends inside an entry."""
    low = text[-2_000_000:].lower()
    return any(
        low.rfind(f"<{name}", 0) > low.rfind(f"</{name}>")
        and low.rfind(f"<{name}>") + low.rfind(f"<{name} ") > -2
        and f"</{parent}" not in low
        for name, parent in (("item", "rss"), ("item", "rdf"), ("entry", "feed"))
        if f"<{parent}" in text[:2_000].lower()
    )


def _xml_entries(root: Any, base: str, cut: bool) -> Iterator[Entry]:
    language = root.get(_XML_LANG) or ""
    author = ""
    elements = [one for one in root.iter() if _name(one) in ("item", "entry")]
    for element in root.iter():
        name = _name(element)
        if name in ("item", "entry"):
            break
        if name == "language" and not language:
            language = _words(element)
        elif name == "author" and not author and _name(root) == "feed":
            author = _author(element)  # Atom: an entry without author has the feed's
    for element in elements:
        entry = _xml_entry(element, base)
        entry["language"] = entry.get("language") or language
        entry["author"] = entry.get("author") or author
        if cut and element is elements[-1]:
            entry["cut"] = "yes"
        yield entry


_CONTENT = ("content", "encoded", "content_encoded", "body", "xhtml:body")
_SUMMARY = ("description", "summary", "abstract", "tagline", "subtitle")
_PUBLISHED = ("published", "pubdate", "issued", "date", "created")
_EDITED = ("updated", "modified")


def _xml_entry(element: Any, base: str) -> Entry:
    entry: Entry = {"base": joined(base, element.get(_XML_BASE) or "") or base}
    links: dict[str, str] = {}
    guid = element.get("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about") or ""
    for child in element:
        name, space = _name(child), _space(child)
        if not name:
            continue
        media = "mrss" in space or space == "media"
        if name in ("guid", "id"):
            said = _words(child)
            guid = said or guid
            if name == "guid" and (child.get("isPermaLink") or "true").lower() != "false":
                links.setdefault("permalink", said)
        elif name == "link":
            rel = (child.get("rel") or "alternate").lower()
            links.setdefault(rel, child.get("href") or _words(child))
        elif name == "origlink":
            links["original"] = _words(child)
        elif name == "title" and not media:
            entry.setdefault("title", _plain(child))
        elif name in _CONTENT and not media:
            entry["content"] = entry.get("content") or _plain(child)
        elif name in _SUMMARY:
            key = "media" if media else "summary"
            entry[key] = entry.get(key) or _plain(child)
        elif name == "group" and media:
            for inner in child:
                if _name(inner) == "description":
                    entry["media"] = _plain(inner)
        elif name in ("creator", "author"):
            entry["author"] = entry.get("author") or _author(child)
        elif name in _PUBLISHED:
            entry["at"] = entry.get("at") or _words(child)
        elif name in _EDITED:
            entry["edited"] = entry.get("edited") or _words(child)
        elif name == "language":
            entry["language"] = _words(child)
        elif name in ("comments", "total") and _words(child).isdigit():
            entry["reach"] = _words(child)[:9]
        elif name == "rating" and ("itunes" in space or space == "im"):
            entry["rating"] = _words(child)
    entry["language"] = entry.get("language") or element.get(_XML_LANG) or ""
    entry["id"] = guid
    for rel in ("original", "alternate", "permalink", "related", "self"):
        if links.get(rel):
            entry["url"] = links[rel]
            break
    return entry


def _words(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())[:4_000]


def _plain(element: Any) -> str:
    """What an element says, as plain text; markup may be its children, or escaped in its text."""
    if len(element):
        markup = etree.tostring(element, encoding="unicode", with_tail=False)
        return html_to_text(markup[markup.find(">") + 1 :])
    text = element.text or ""
    kind = (element.get("type") or "").lower()
    if kind in ("html", "text/html") or looks_like_html(text):
        return html_to_text(text)
    return text.strip()


def _author(element: Any) -> str:
    for child in element:
        if _name(child) == "name" and _words(child):
            return _words(child)
    return _name_in(_words(element))


def _name_in(said: str) -> str:
    """The person in RSS's `mail@shop.example (Jane Roe)` or `Jane Roe <mail@shop.example>`."""
    mail, found, rest = said.partition("(")
    if found and "@" in mail and rest.rstrip().endswith(")"):
        return rest.rstrip()[:-1].strip()
    name, found, mail = said.partition("<")
    if found and "@" in mail and name.strip():
        return name.strip(' "')
    return said


# --- JSON ---------------------------------------------------------------------------------------------------


def json_feed(text: str, url: str) -> tuple[Iterator[Entry], str]:
    """The entries of a JSON Feed, or why there are none."""
    nothing: Iterator[Entry] = iter(())
    try:
        feed = json.loads(text, strict=False, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return nothing, "this looks like a JSON Feed, but cannot be read as JSON"
    items = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(items, list):
        return nothing, 'this is JSON, but no JSON Feed: it has no list "items"'
    entries = (_json_entry(item, feed, url) for item in items if isinstance(item, dict))
    return entries, ""


def _json_entry(item: Mapping[str, Any], feed: Mapping[str, Any], base: str) -> Entry:
    content = _said(item.get("content_html"))
    return {
        "base": base,
        "id": _said(item.get("id")),
        "url": _said(item.get("url")) or _said(item.get("external_url")),
        "title": unmarked(_said(item.get("title"))),
        "content": html_to_text(content) if content else _said(item.get("content_text")),
        "summary": unmarked(_said(item.get("summary"))),
        "author": _json_author(item) or _json_author(feed),
        "at": _said(item.get("date_published")),
        "edited": _said(item.get("date_modified")),
        "language": _said(item.get("language")) or _said(feed.get("language")),
    }


def _json_author(holder: Mapping[str, Any]) -> str:
    authors = holder.get("authors")
    people = list(authors) if isinstance(authors, list) else []
    names = [_said(one.get("name")) for one in [*people, holder.get("author")] if isinstance(one, dict)]
    return ", ".join(dict.fromkeys(name for name in names[:5] if name))


def _said(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    return str(value).strip()


def unmarked(text: str) -> str:
    return html_to_text(text) if looks_like_html(text) else text


def joined(base: str, url: str) -> str:
    url = url.strip()
    try:
        return urljoin(base, url) if url else ""
    except ValueError:
        return ""


def _no_feed_but_html(text: str, url: str) -> str:
    """Why a web page is no feed, and which feeds it names."""
    try:
        page = etree.fromstring(
            text[:2_000_000].encode("utf-8", "replace"), etree.HTMLParser(encoding="utf-8", recover=True)
        )
        links = page.iter("link") if page is not None else ()
        found = [
            clean_url(joined(url, link.get("href") or ""))
            for link in links
            if "alternate" in (link.get("rel") or "").lower()
            and any(kind in (link.get("type") or "").lower() for kind in ("rss", "atom", "feed+json", "rdf"))
        ]
    except (etree.XMLSyntaxError, ValueError):
        found = []
    found = list(dict.fromkeys(one for one in found if one))[:3]
    if not found:
        return "this is a web page, not a feed, and it names none"
    return f"this is a web page, not a feed; put the feed it names into urls: {' or '.join(found)}"
