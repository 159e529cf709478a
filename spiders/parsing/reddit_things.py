"""What does a Reddit thing (t1 comment, t3 submission) say, and is it still there?

Pure: takes JSON as Reddit's API sends it (or the attributes of a PRAW model), gives mentions and removals.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from scrapy.http import TextResponse

from monitor.config import Source
from spiders.page import Page
from storage.records import LINE_MAX, TEXT_MAX, DatePrecision, Kind, Mention, Removal, clean_line

SITE = "https://www.reddit.com"
REACH_MAX = 10_000_000  # more votes and answers than any thing on Reddit ever had
THINGS_MAX = 100_000  # things read from one file; a larger one is no answer of Reddit's
_DEPTH_MAX = 2_000  # levels of a comment tree; Reddit folds far earlier

_NAME = re.compile(r"t[13]_[0-9a-z]{1,20}")
_ID = re.compile(r"[0-9a-z]{1,20}")
# "[deleted]", "[removed]", "[ Removed by Reddit ]", "[ Removed by reddit in response to a … notice. ]"
_GONE = re.compile(r"\[\s*(deleted|removed)\b[^\[\]]{0,200}\]", re.IGNORECASE)
_DELETED_BY_AUTHOR = ("deleted", "author")  # `removed_by_category` where the author did it

# Every piece below excludes what would start it again, and is bounded: reading stays linear in the text.
_LINK = re.compile(
    r"!?\[([^\[\]\n]{1,500})\]"
    r"\([^()\s]{0,2000}(?:\([^()\s]{0,200}\)[^()\s]{0,200}){0,3}(?: \"[^\"\n]{0,200}\")?\)"
)
_EMPHASIS = re.compile(
    r"(?<![\w*~_\\])(\*{1,3}|_{1,3}|~~)(?=[^\s*_~])([^*_~\n]{1,1000})(?<=[^\s\\])\1(?![\w*~_])"
)
_SPOILER = re.compile(r">!([^!\n]{0,1000})!<")
_HEADING = re.compile(r"^ {0,3}#{1,6} *(?=\S)", re.MULTILINE)
_FENCE = re.compile(r"^ {0,3}(?:```|~~~)[^\n]{0,40}$", re.MULTILINE)
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!>~|^])")
_BLANK_LINES = re.compile(r"\n[ \t]*\n[ \t\n]*")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u2060\ufeff"))


def plain_text(markdown: str) -> str:
    r"""What the author wrote, without Reddit's markdown: quotes of others left out, the text of links kept.

    Words that are nothing but a quote stay as they are; marks inside words (`f***ing`) are no emphasis.

    >>> plain_text("> it was fine\n\n**Not** fine, see [the photo](https://example.org/p_(1).jpg) &amp; weep")
    'Not fine, see the photo & weep'
    """
    text = html.unescape(markdown[: TEXT_MAX + 1_000]).translate(_INVISIBLE)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = [line for line in text.split("\n") if not _drawn(line)]
    own = [line for line in lines if not _quoted(line)]
    if any(line.strip() for line in own):
        lines = own
    else:
        lines = [line.lstrip().lstrip(">").lstrip() if _quoted(line) else line for line in lines]
    text = _FENCE.sub("", "\n".join(lines))
    text = _HEADING.sub("", text)
    text = _SPOILER.sub(r"\1", _LINK.sub(r"\1", text))
    for _ in range(2):  # bold around italics
        text = _EMPHASIS.sub(r"\2", text)
    text = _ESCAPED.sub(r"\1", text)
    # Somebody who wrote nothing but marks (">") wrote those.
    return _BLANK_LINES.sub("\n\n", text).strip() or html.unescape(markdown[:LINE_MAX]).strip()


def _drawn(line: str) -> bool:
    """True for a line that only draws: a rule, or the line below a table's head."""
    marks = set(line.split()) and set("".join(line.split()))
    return len(line.strip()) >= 3 and (marks in ({"*"}, {"_"}) or ("--" in line and marks <= set("-|:")))


def _quoted(line: str) -> bool:
    indented = len(line) - len(line.lstrip(" "))
    return indented <= 3 and line.startswith(">", indented) and not line.startswith(">!", indented)


def mention_from(thing: Mapping[str, Any], source: Source) -> Mention | Removal | None:
    """The mention a thing is, the removal it calls for, or None where it is neither.

    `thing` is `{"kind": "t1", "data": {…}}`, or its data alone, or `vars()` of a PRAW Comment or Submission
    (asking the model itself would fetch what is missing). A thing is gone when its words are; an author who
    left Reddit and whose words still stand is an author without a name. AutoModerator's official notes are no
    mention. None also for what carries no name, such as a `more` or a subreddit.
    """
    data = _data(thing)
    name = fullname(thing)
    if not name:
        return None
    comment = name.startswith("t1_")
    words = _text(data.get("body" if comment else "selftext"))
    title = "" if comment else _text(data.get("title"))
    if reason := _gone(data, words, title):
        return Removal(source.name, name, reason)
    author = _name_of(data.get("author"))
    if author == "AutoModerator" and data.get("distinguished"):
        return None
    subreddit = _name_of(data.get("subreddit"))
    published_at = _time(data.get("created_utc"))
    above = data.get("parent_id") if comment else data.get("crosspost_parent")
    reach = _count(data.get("score")) + (0 if comment else _count(data.get("num_comments")))
    return Mention(
        source=source.name,
        external_id=name,
        kind=Kind.COMMENT if comment else Kind.POST,
        url=_address(data, name, subreddit),
        title=html.unescape(title),
        text=plain_text(words),
        author="" if author == "[deleted]" else author,
        entity=f"r/{subreddit}" if subreddit else "",
        reach=min(reach, REACH_MAX),  # a comment's num_comments is its whole thread's
        language=source.language,
        published_at=published_at,
        date_precision=DatePrecision.SECOND if published_at else DatePrecision.NONE,
        edited_at=_time(data.get("edited")),
        text_truncated=len(words) > TEXT_MAX,
        in_reply_to=above if isinstance(above, str) else "",
    )


def fullname(thing: Mapping[str, Any]) -> str:
    """Reddit's name for a comment or submission (`t1_…`, `t3_…`), "" for anything else.

    >>> fullname({"kind": "t3", "data": {"id": "1abc"}}), fullname({"kind": "more", "data": {"name": "t1_x"}})
    ('t3_1abc', '')
    """
    data = _data(thing)
    kind = thing.get("kind")
    if kind is not None and kind not in ("t1", "t3") and data is not thing:
        return ""
    name = data.get("name")
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    id_ = data.get("id")
    if data is not thing and isinstance(id_, str) and _ID.fullmatch(id_):
        return f"{kind}_{id_}"
    return ""


def _data(thing: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = thing.get("data")
    return inner if isinstance(inner, Mapping) else thing


def _gone(data: Mapping[str, Any], words: str, title: str) -> str:
    """Why a thing is no longer there, "" while it is."""
    by = data.get("removed_by_category")
    if isinstance(by, str) and by:
        return "deleted by its author" if by in _DELETED_BY_AUTHOR else "removed from Reddit"
    return gone_words(words, title)


def gone_words(words: str, title: str) -> str:
    """Why a thing is no longer there, by what stands in place of its words; "" while it is."""
    said = _GONE.fullmatch(words.strip()) or (_GONE.fullmatch(title.strip()) if not words.strip() else None)
    if said is None:
        return ""
    return "deleted by its author" if said[1].lower() == "deleted" else "removed from Reddit"


def _address(data: Mapping[str, Any], name: str, subreddit: str) -> str:
    path = data.get("permalink")
    if isinstance(path, str) and path.startswith("/") and not path.startswith("//"):
        return SITE + path
    inside = f"/r/{subreddit}" if re.fullmatch(r"\w{1,50}", subreddit, re.ASCII) else ""
    if name.startswith("t3_"):
        return f"{SITE}{inside}/comments/{name[3:]}/"
    post = data.get("link_id")
    if isinstance(post, str) and _NAME.fullmatch(post):
        return f"{SITE}{inside}/comments/{post[3:]}/_/{name[3:]}/"
    return ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _name_of(value: object) -> str:
    """A name as JSON has it (a string), or a PRAW model (whose str() is its name, already there)."""
    if value is None or isinstance(value, (Mapping, list, bool, int, float)):
        return ""
    return str(value)


def _number(value: object) -> int | float | None:
    """A number; NaN, infinities and true are none. (`isfinite` would raise on an integer of 400 digits.)"""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _count(value: object) -> int:
    return int(max(0, min(_number(value) or 0, REACH_MAX)))


def _time(value: object) -> datetime | None:
    """Unix seconds; `edited` is false where it was not, true for edits so old that nobody kept when."""
    seconds = _number(value)
    if seconds is None or not 1_000_000_000 <= seconds <= 32_503_680_000:  # before Reddit was; the year 3000
        return None
    return datetime.fromtimestamp(seconds, UTC)


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a listing: what it held, and where the next one begins."""

    page: Page
    names: tuple[str, ...] = ()  # everything on it, also what is no mention
    after: str = ""  # "" at the listing's end
    last_at: float = math.inf  # Unix seconds of the last thing: how far down the page reaches
    newest_at: float = 0.0


def listing_from(answer: object, source: Source) -> Listing:
    """Everything an answer holds: a listing, a thread with its tree of answers, `info`, or several of them.

    Never raises on content; what is no Reddit answer at all is said in the page's problems.
    """
    mentions: dict[str, Mention] = {}
    removals: dict[str, Removal] = {}
    names: dict[str, None] = {}
    problems: list[str] = []
    folded: set[str] = set()
    unnamed = 0
    last_at, newest_at = math.inf, 0.0
    seen_any = False
    for thing in _things(answer):
        seen_any = True
        kind, data = thing["kind"], thing["data"]
        if kind == "more":
            if isinstance(children := data.get("children"), list):
                folded.update(f"t1_{id_}" for id_ in children if isinstance(id_, str))
            continue
        if kind not in ("t1", "t3"):
            continue
        name = fullname(thing)
        if not name:
            unnamed += 1
            continue
        if name not in names:
            names[name] = None
            created = data.get("created_utc")
            if _time(created) is not None:
                last_at, newest_at = float(created), max(newest_at, float(created))
        match mention_from(thing, source):
            case Mention() as mention:
                mentions.setdefault(name, mention)
            case Removal() as removal:
                removals.setdefault(name, removal)
    if not seen_any and (said := _no_answer(answer)):
        problems.append(said)
    if missing := len(folded - names.keys()):
        problems.append(f"{missing} more answers are folded away and not part of this one")
    if unnamed:
        problems.append(f"{unnamed} things carry no name and were left out")
    page = Page(
        mentions=tuple(mentions.values()),
        # Told twice, alive counts: an older copy in the same file may be of another moment.
        removals=tuple(removal for name, removal in removals.items() if name not in mentions),
        problems=tuple(problems),
    )
    return Listing(page, tuple(names), _after(answer), last_at, newest_at)


def _things(answer: object) -> Iterator[dict[str, Any]]:
    """Every `{"kind", "data"}` in document order, without recursion: a tree may be as deep as it likes."""
    stack: list[tuple[object, int]] = [(answer, 0)]
    told = 0
    while stack and told < THINGS_MAX:
        value, depth = stack.pop()
        if depth > _DEPTH_MAX:
            continue
        if isinstance(value, list):
            stack.extend((item, depth + 1) for item in reversed(value))
        elif isinstance(value, dict):
            kind, data = value.get("kind"), value.get("data")
            if isinstance(kind, str) and isinstance(data, dict):
                if kind == "Listing":
                    stack.append((data.get("children"), depth + 1))
                    continue
                told += 1
                yield value
                stack.append((data.get("replies"), depth + 1))
            elif isinstance(value.get("json"), dict):  # /api/morechildren
                inner = value["json"].get("data")
                stack.append((inner.get("things") if isinstance(inner, dict) else None, depth + 1))


def _after(answer: object) -> str:
    data = answer.get("data") if isinstance(answer, dict) else None
    after = data.get("after") if isinstance(data, dict) else None
    return after if isinstance(after, str) and _NAME.fullmatch(after) else ""


def _no_answer(answer: object) -> str:
    """Why an answer holds nothing, "" where it is an honest empty listing."""
    parts = answer if isinstance(answer, list) else [answer]
    for part in parts:
        if not isinstance(part, dict):
            continue
        if part.get("kind") == "Listing" and isinstance(part.get("data"), dict):
            return ""
        if isinstance(part.get("json"), dict) or "access_token" in part:
            return ""
        if "error" in part or "message" in part:
            what = " ".join(str(part[key]) for key in ("error", "message", "reason") if key in part)
            return clean_line(f"Reddit refused: {what}", 200)
    return "this is no listing, thread or info answer of Reddit"


def read_page(response: TextResponse, source: Source, fetched_at: datetime) -> Page:
    """A saved answer of the API: a listing, a thread `[post, answers]`, `info`; or a cassette of them."""
    text = response.text
    if text.lstrip()[:1] == "<":
        return Page(
            blind="this is a web page, not an answer of Reddit's API: save the address with .json at its end"
        )
    try:
        answer = json.loads(text, parse_constant=lambda _: None)
    except RecursionError:
        return Page(problems=("the JSON is nested too deeply",))
    except ValueError as error:
        return Page(problems=(clean_line(f"this is no JSON: {error}", 200),))
    taped = _tape(answer)
    return listing_from(answer if taped is None else taped, source).page


def _tape(answer: object) -> list[object] | None:
    """The answers inside a betamax or VCR cassette, None if it is none."""
    if not isinstance(answer, dict):
        return None
    tape = answer.get("interactions", answer.get("http_interactions"))
    if not isinstance(tape, list):
        return None
    answers: list[object] = []
    for taped in tape:
        response = taped.get("response") if isinstance(taped, dict) else None
        body = response.get("body") if isinstance(response, dict) else None
        said = body.get("string") if isinstance(body, dict) else None
        try:
            if isinstance(body, dict) and isinstance(body.get("base64_string"), str):
                said = base64.b64decode(body["base64_string"]).decode("utf-8", "replace")
            if isinstance(said, str):
                answers.append(json.loads(said, parse_constant=lambda _: None))
        except (ValueError, RecursionError, binascii.Error):
            continue
    return answers
