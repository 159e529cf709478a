"""What a Slack channel looks like: messages with Block Kit blocks → one self-contained page.

Covers the blocks lowstar sends. Everything is escaped; links are kept only where they are web addresses.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

Block = Mapping[str, Any]

_STYLE = """
:root{color-scheme:light dark;--ink:#1d1c1d;--soft:#616061;--line:#ddd;--page:#fff;--side:#3f0e40}
@media(prefers-color-scheme:dark){:root{--ink:#e8e8e8;--soft:#aaa;--line:#444;--page:#1a1d21}}
*{box-sizing:border-box}
body{margin:0;font:15px/1.46 system-ui,"Segoe UI",Roboto,sans-serif;color:var(--ink);background:var(--page)}
header{background:var(--side);color:#fff;padding:.7rem 1.2rem;font-weight:700}
main{max-width:46rem;padding:.5rem 1.2rem 2rem}
.message{display:grid;grid-template-columns:2.4rem 1fr;gap:.6rem;padding:.7rem 0;border-bottom:1px solid var(--line)}
.face{width:2.3rem;height:2.3rem;border-radius:6px;background:#b5446e;color:#fff;display:grid;place-items:center;
font-weight:700}
.who{font-weight:700}
.app{font-size:.65rem;background:var(--line);color:var(--soft);padding:0 .25rem;border-radius:3px;margin:0 .35rem}
.at{color:var(--soft);font-size:.78rem}
h2{font-size:1.06rem;margin:.15rem 0}
blockquote{border-left:4px solid var(--line);margin:.2rem 0;padding-left:.7rem;white-space:pre-wrap;
overflow-wrap:anywhere}
.fields{display:grid;grid-template-columns:1fr 1fr;gap:.25rem 1rem;margin:.35rem 0}
.field{white-space:pre-wrap;overflow-wrap:anywhere}
.context{color:var(--soft);font-size:.82rem;margin:.25rem 0;overflow-wrap:anywhere}
.actions{margin:.4rem 0 0;display:flex;gap:.4rem;flex-wrap:wrap}
.button{border:1px solid var(--line);border-radius:5px;padding:.2rem .7rem;font-weight:700;font-size:.85rem;
color:inherit;text-decoration:none}
.primary{background:#007a5a;color:#fff;border-color:#007a5a}
.danger{background:#c01343;color:#fff;border-color:#c01343}
.user{color:#1264a3;background:#1264a31a;border-radius:3px;padding:0 .15rem}
.edited{color:var(--soft);font-size:.78rem}
.thread{margin-left:1.2rem;border-left:2px solid var(--line);padding-left:.6rem}
hr{border:0;border-top:1px solid var(--line)}
p{margin:.2rem 0}
ol,ul{margin:.2rem 0;padding-left:1.6rem}
"""


def channel_page(
    name: str, messages: Sequence[Mapping[str, Any]], people: Mapping[str, str] | None = None
) -> str:
    """The channel as HTML, in the order given. A message has text, blocks, ts, and `edited` where it was changed.

    `people`: Slack id → name, for those who are mentioned.
    """
    names = people or {}
    shown = _USER.sub(
        lambda found: f'<span class="user">@{html.escape(names.get(found[1], found[1]))}</span>',
        "".join(_message(message) for message in messages),
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>#{html.escape(name.lstrip('#'))}</title><style>{_STYLE}</style></head>"
        f"<body><header># {html.escape(name.lstrip('#'))}</header><main>{shown}</main></body></html>"
    )


def _message(message: Mapping[str, Any]) -> str:
    at = datetime.fromtimestamp(float(message.get("ts") or 0), UTC)
    plain = {"type": "section", "text": {"type": "plain_text", "text": message.get("text", "")}}
    blocks = message.get("blocks") or [plain]
    edited = '<p class="edited">(edited)</p>' if message.get("edited") else ""
    thread = ' class="thread"' if message.get("thread_ts") not in (None, message.get("ts")) else ""
    return (
        '<article class="message"><div class="face" aria-hidden="true">l</div>'
        f'<div{thread}><p><span class="who">lowstar</span>'
        f'<span class="app">APP</span><span class="at">{at:%H:%M} UTC</span></p>'
        f"{''.join(_block(block) for block in blocks)}{edited}</div></article>"
    )


def _block(block: Block) -> str:
    kind = block.get("type")
    if kind == "header":
        return f"<h2>{_text(block['text'])}</h2>"
    if kind == "section":
        text = f"<p>{_text(block['text'])}</p>" if block.get("text") else ""
        fields = "".join(f'<div class="field">{_text(field)}</div>' for field in block.get("fields", ()))
        return text + (f'<div class="fields">{fields}</div>' if fields else "")
    if kind == "context":
        return "".join(f'<p class="context">{_text(element)}</p>' for element in block.get("elements", ()))
    if kind == "rich_text":
        return "".join(_rich(element) for element in block.get("elements", ()))
    if kind == "actions":
        buttons = "".join(_button(element) for element in block.get("elements", ()))
        return f'<div class="actions">{buttons}</div>'
    if kind == "divider":
        return "<hr>"
    return ""


def _rich(element: Block) -> str:
    if element.get("type") == "rich_text_list":
        tag = "ol" if element.get("style") == "ordered" else "ul"
        items = "".join(f"<li>{_rich(item)}</li>" for item in element.get("elements", ()))
        return f"<{tag}>{items}</{tag}>"
    inner = "".join(_leaf(leaf) for leaf in element.get("elements", ()))
    tag = "blockquote" if element.get("type") == "rich_text_quote" else "p"
    return f"<{tag}>{inner}</{tag}>"


def _leaf(leaf: Block) -> str:
    if leaf.get("type") == "user":
        return _user(str(leaf.get("user_id", "")))
    if leaf.get("type") == "date":
        return html.escape(str(leaf.get("fallback", "")))
    text = html.escape(str(leaf.get("text", "")))
    if leaf.get("type") == "user":
        return html.escape(f"@{leaf.get('user_id', '')}")
    if leaf.get("type") == "date":
        return html.escape(str(leaf.get("fallback", "")))
    if leaf.get("type") == "emoji":
        return html.escape(f":{leaf.get('name', '')}:")
    if leaf.get("type") == "link":
        return _link(str(leaf.get("url", "")), text or html.escape(str(leaf.get("url", ""))))
    style = leaf.get("style") or {}
    for name, tag in (("bold", "b"), ("italic", "i"), ("strike", "s"), ("code", "code")):
        if style.get(name):
            text = f"<{tag}>{text}</{tag}>"
    return text


def _button(element: Block) -> str:
    if element.get("type") == "overflow":
        return '<span class="button" aria-label="More">⋯</span>'
    label = _text(element.get("text") or {})
    look = f"button {element['style']}" if element.get("style") in ("primary", "danger") else "button"
    url = str(element.get("url", ""))
    if url.startswith(("https://", "http://")):
        return f'<a class="{look}" href="{html.escape(url)}" rel="noreferrer">{label}</a>'
    return f'<span class="{look}">{label}</span>'


def _link(url: str, label: str) -> str:
    if not url.startswith(("https://", "http://")):
        return label
    return f'<a href="{html.escape(url)}" rel="noreferrer">{label}</a>'


_TOKEN = re.compile(r"(<[^<>]{1,3000}>)")
_BOLD = re.compile(r"\*([^*\n]{1,300})\*")


def _text(element: Block) -> str:
    """A text object as HTML: plain text escaped, of mrkdwn the few marks lowstar uses.

    >>> _text({"type": "mrkdwn", "text": "*Owner*\\n<@U1>, not &lt;@U2&gt;"})
    '<b>Owner</b>\\n<span class="user">@U1</span>, not &lt;@U2&gt;'
    """
    raw = str(element.get("text", ""))
    if element.get("type") != "mrkdwn":
        return html.escape(raw)
    # In mrkdwn only a token stands between < and >; what is text came with & < > escaped.
    parts = (
        _token(part) if part.startswith("<") else html.escape(html.unescape(part))
        for part in _TOKEN.split(raw)
    )
    return _BOLD.sub(r"<b>\1</b>", "".join(parts))


# Only what is written here itself: a stranger's angle brackets are escaped long before.
_USER = re.compile(r'<span class="user">@([A-Z0-9]{1,40})</span>')


def _user(id_: str) -> str:
    return f'<span class="user">@{html.escape(id_)}</span>'


def _token(token: str) -> str:
    body = html.unescape(token[1:-1])
    target, _, label = body.partition("|")
    if target.startswith("!date^"):
        return html.escape(label)
    if target.startswith("@"):
        return _user(target[1:])
    return _link(target, html.escape(label or target))
