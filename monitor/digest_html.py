"""What does a digest look like as one HTML file? Self-contained: no script, no font, nothing to fetch.

Every number links to the posts behind it, listed further down. Strangers' words are escaped and isolated
(`<bdi>`), so that they can neither become markup nor turn the line around; a policy in the page's head forbids
whatever might slip through.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from monitor import charts
from monitor import digest_say as say
from monitor.digest import LISTED
from monitor.digest_links import case_url, mention_url, report_url
from monitor.digest_shape import Digest, Part, Post, Quote, TopicFact, total_of
from monitor.triage import shorten
from monitor.weeks import day_text

IDS_SHOWN = 400  # of the posts that are not listed, so many numbers; the JSON form has all
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


_CASE = re.compile(r"\bREP-\d+\b")


def html(digest: Digest, *, web: str = "") -> str:
    """The digest as a page of its own; `web` is where the dashboard is, "" where there is none."""
    title = f"{digest.brand}: {say.headline(digest)}"
    page = _Page(digest, web)
    body = "\n".join(part for part in page.parts() if part)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


class _Page:
    def __init__(self, digest: Digest, web: str) -> None:
        self.digest = digest
        self.web = web
        self.behind: dict[str, tuple[str, tuple[int, ...]]] = {}  # anchor → title, posts; in order of mention

    def parts(self) -> Iterable[str]:
        digest = self.digest
        yield (
            f"<header><p class=brand>{_own(digest.brand)}</p><h1>{escape(say.headline(digest))}</h1>"
            f"<p class=dates>{escape(say.dates(digest))}</p>{self.report()}</header>\n<main>"
        )
        if not digest.known:
            yield f"<p class=warn>{escape(say.NOTHING_KNOWN.format(span=digest.period.span.value))}</p>"
        yield self.facts()
        yield self.pictures()
        yield self.topics("hurts", "What hurts", digest.hurts)
        if digest.gone:
            names = ", ".join(f"{_own(one.name)} (usual {say.number(one.usual)})" for one in digest.gone)
            yield f"<p>Gone: {names}</p>"
        yield self.papercuts()
        yield self.loves()
        yield self.voices()
        yield self.changes()
        yield self.open()
        yield self.table("sources", "By source", digest.sources, last=digest.mentions.last is not None)
        yield self.table("places", "By place and product", digest.places, last=False)
        yield self.sources()
        yield self.evidence()
        yield self.notes()
        yield "</main>"

    def report(self) -> str:
        url = report_url(self.web, self.digest.brand, self.digest.period)
        return f'<p class=report><a href="{escape(url)}">This digest in the dashboard</a></p>' if url else ""

    def facts(self) -> str:
        cells = []
        for fact in say.facts(self.digest):
            value = self.linked(fact.key, fact.label, escape(fact.value), fact.posts)
            cells.append(
                f"<div><dt>{escape(fact.label)}</dt><dd>{value}"
                f"{f'<small>{self.with_cases(fact.detail)}</small>' if fact.detail else ''}</dd></div>"
            )
        return f"<section aria-label=Numbers><dl class=facts>{''.join(cells)}</dl></section>"

    def pictures(self) -> str:
        digest = self.digest
        shown = [
            ("Stars", charts.stars_svg(digest), charts.stars_finding(digest)),
            ("Day by day", charts.days_svg(digest), charts.days_finding(digest)),
            ("What hurts, in numbers", charts.topics_svg(digest), charts.topics_finding(digest)),
        ]
        figures = [
            f"<figure><h2>{escape(title)}</h2>{svg}<figcaption>{escape(finding)}</figcaption></figure>"
            for title, svg, finding in shown
            if svg
        ]
        links = [
            self.linked(
                f"stars-{bar.stars}", f"{bar.stars} of 5 stars", f"{bar.stars}★ {bar.count:,}", bar.posts
            )
            for bar in digest.bars
            if bar.count
        ]
        links += [
            self.linked(
                f"day-{day.day.isoformat()}",
                day_text(day.day),
                f"{day.day.day}: {day.mentions:,}",
                day.posts,
            )
            for day in digest.days
            if day.mentions and len(digest.days) <= 10
        ]
        more = f"<p class=links>Posts by stars and by day: {' · '.join(links)}</p>" if links else ""
        return (
            f"<section class=charts aria-label=Charts>{''.join(figures)}</section>{more}" if figures else ""
        )

    def topics(self, key: str, title: str, facts: Sequence[TopicFact]) -> str:
        if not facts:
            words = "Nothing was complained about twice." if self.digest.known else "Not known."
            return f"<section><h2>{title}</h2><p>{words}</p></section>"
        items = []
        for at, fact in enumerate(facts):
            line = escape(say.topic_line(fact, names_last=say.last_word(self.digest), trend=False))
            mere = f" <small>{fact.mere:,} more only mention it</small>" if fact.mere else ""
            number = self.linked(f"{key}-{at}", f"{title}: {fact.name}", line, fact.posts)
            trend = f" <b class=tag>{escape(fact.trend)}</b>" if fact.trend else ""
            items.append(f"<li><b>{_own(fact.name)}</b> {number}{trend}{mere}{self.quote(fact.worst)}</li>")
        return f"<section><h2>{title} <small>negative posts</small></h2><ol>{''.join(items)}</ol></section>"

    def papercuts(self) -> str:
        items = []
        for at, fact in enumerate(self.digest.papercuts):
            number = self.linked(
                f"papercuts-{at}", f"Papercut: {fact.name}", escape(say.papercut_line(fact)), fact.posts
            )
            items.append(f"<li><b>{_own(fact.name)}</b> {number}{self.quote(fact.worst)}</li>")
        title = "Papercuts <small>small annoyances that add up</small>"
        return f"<section><h2>{title}</h2><ul>{''.join(items)}</ul></section>" if items else ""

    def loves(self) -> str:
        digest = self.digest
        if digest.loves:
            quotes = "".join(self.love(love) for love in digest.loves)
            body = f"{quotes}<p class=note>{escape(say.PERMISSION)}</p>"
        else:
            body = "<p>No words worth repeating were found.</p>"
        thank = ""
        if digest.thank is not None:
            thank = f"<section><h2>Someone to thank</h2>{self.love(digest.thank)}</section>"
        return f"<section><h2>What people love</h2>{body}</section>{thank}"

    def love(self, quote: Quote) -> str:
        post = quote.post
        stars = "" if post.stars is None else f", {post.stars:g} of 5"
        return (
            f"<figure class=love><blockquote>{_own(quote.words)}</blockquote><figcaption>"
            f"{_own(post.author) or 'somebody'}{stars}, {_link(post, _own(post.site))}</figcaption></figure>"
        )

    def voices(self) -> str:
        if not self.digest.voices:
            return ""
        rows = []
        for at, voice in enumerate(self.digest.voices):
            share = say.voice_share(voice, self.digest.voices)
            count = f"{voice.mentions:,}"
            if voice.own:
                count = self.linked("mentions", "Mentions", count, voice.posts)
            else:
                count = self.linked(f"voice-{at}", f"Mentions of {voice.name}", count, voice.posts)
            cells = [
                count,
                "" if share is None else f"{share:.0f} %",
                "" if voice.last is None else f"{voice.last:,}",
                f"{voice.negative:,}",
                "" if voice.stars is None else f"{voice.stars:.1f}",
                "" if voice.tone is None else f"{voice.tone:+.2f}".replace("-", "−"),
                escape(voice.basis),
            ]
            rows.append(_row(_own(voice.name), cells))
        head = ["mentions", "share", say.last_word(self.digest), "negative", "stars", "tone", "counted"]
        return f"<section id=voices><h2>Share of voice</h2>{_table(head, rows)}</section>"

    def changes(self) -> str:
        changes = self.digest.star_changes
        if not changes:
            return ""
        items = "".join(
            f"<li><b>{escape(say.star_change(one))}</b> {'after our answer' if one.answered else 'without an answer'}: "
            f"{self.post(one.post)}</li>"
            for one in changes[:LISTED]
        )
        rate = escape(say.sentence(say.recovery(self.digest)))
        return f"<section><h2>Stars changed</h2><ul>{items}</ul><p>{rate}</p></section>"

    def open(self) -> str:
        if not self.digest.open:
            return ""
        items = []
        for one in self.digest.open[:20]:
            late = f", <b>{escape(say.span_text(one.late))} late</b>" if one.late is not None else ""
            owner = f", owner {_own(one.owner)}" if one.owner else ", no owner"
            post = f": {self.post(one.post, named=False)}" if one.post is not None else ""
            items.append(
                f"<li><b>{self.case(one.name)}</b>, open {escape(say.span_text(one.age))}{late}{owner}{post}</li>"
            )
        more = len(self.digest.open) - 20
        rest = f"<p>and {more:,} more</p>" if more > 0 else ""
        return f"<section><h2>Open, worst first</h2><ol>{''.join(items)}</ol>{rest}</section>"

    def table(self, key: str, title: str, parts: Sequence[Part], *, last: bool) -> str:
        if not parts:
            return ""
        rows = []
        for at, part in enumerate(parts):
            cells = [
                self.linked(f"{key}-{at}", f"{title}: {part.title}", f"{part.mentions:,}", part.posts),
                f"{part.negative:,}",
                f"{part.rated:,}" if part.rated else "",
                "" if part.stars is None else f"{part.stars:.1f}",
            ]
            cells += [say.number(part.last)] if last else []
            rows.append(_row(_own(part.title), cells))
        head = ["mentions", "negative", "reviews", "average", *([say.last_word(self.digest)] if last else [])]
        return f"<section><h2>{title}</h2>{_table(head, rows)}</section>"

    def sources(self) -> str:
        blind = [one for one in self.digest.seen if one.blind is not None or one.said]
        if not blind:
            return ""
        items = "".join(
            f"<li><b>{_own(one.title)}</b>, "
            f"{f'blind {escape(say.span_text(one.blind))}' if one.blind is not None else 'read'}, "
            f"{one.good:,} of {one.runs:,} runs worked{f': {_own(one.said)}' if one.said else ''}</li>"
            for one in blind
        )
        return f"<section><h2>Sources that could not be read</h2><ul>{items}</ul></section>"

    def evidence(self) -> str:
        if not self.behind:
            return ""
        sections = []
        for anchor, (title, ids) in self.behind.items():
            posts = [self.digest.posts[one] for one in ids[:LISTED] if one in self.digest.posts]
            items = "".join(f"<li>{self.post(post, 140)}</li>" for post in posts)
            rest = total_of(ids) - len(posts)
            more = ""
            if rest:
                numbers = " ".join(map(self.number, ids[len(posts) :][:IDS_SHOWN])) + (
                    " …" if rest > IDS_SHOWN else ""
                )
                more = f"<p class=ids>and {rest:,} more, by number: {numbers}</p>"
            sections.append(
                f"<details><summary>{escape(shorten(title, 80))}: {say.counted(total_of(ids), 'post')}</summary>"
                f'<div id="posts-{anchor}"><ul>{items}</ul>{more}</div></details>'
            )
        return f"<section class=evidence><h2>The posts behind the numbers</h2>{''.join(sections)}</section>"

    def notes(self) -> str:
        if not self.digest.notes:
            return ""
        items = "".join(f"<li>{escape(note)}</li>" for note in self.digest.notes)
        return f"<section class=note><h2>How this was counted</h2><ul>{items}</ul></section>"

    # -- the smallest parts

    def linked(self, key: str, title: str, shown: str, posts: tuple[int, ...]) -> str:
        """`shown` as a link to the posts behind it, plain where there are none."""
        if not posts:
            return f"<span class=number>{shown}</span>"
        self.behind.setdefault(key, (title, posts))
        return f'<a class=number href="#posts-{key}">{shown}</a>'

    def post(self, post: Post, limit: int = 300, *, named: bool = True) -> str:
        stars = "" if post.stars is None else f"{post.stars:g} of 5, "
        # Without a dashboard a case leads to its post, whose own link follows at once.
        name = self.case(post.case) if self.web else escape(post.case)
        case = f"{name}, " if post.case and named else ""
        return f"{case}{stars}{_link(post, _own(post.site))}: <q>{_own(shorten(post.quote, limit))}</q>"

    def case(self, name: str) -> str:
        """A case's name, as a link to its history in the dashboard; where there is none, to its post."""
        mine = self.digest.cases.get(name)
        post = None if mine is None else self.digest.posts.get(mine)
        if url := case_url(self.web, name):
            return f'<a href="{escape(url)}">{escape(name)}</a>'
        return escape(name) if post is None else _link(post, escape(name))

    def with_cases(self, words: str) -> str:
        """Our own words, the names of cases in them as links."""
        return _CASE.sub(lambda found: self.case(found[0]), escape(words))

    def number(self, identity: int) -> str:
        url = mention_url(self.web, identity)
        return f'<a href="{escape(url)}">{identity}</a>' if url else str(identity)

    def quote(self, post: Post | None) -> str:
        return "" if post is None else f"<blockquote>{self.post(post)}</blockquote>"


def _own(text: str) -> str:
    """A stranger's words, isolated. An empty text stays empty."""
    return f"<bdi>{escape(text)}</bdi>" if text else ""


def _link(post: Post, shown: str) -> str:
    if not post.url.startswith(("https://", "http://")):
        return shown
    return f'<a href="{escape(post.url)}" rel="noopener noreferrer nofollow">{shown}</a>'


def _row(name: str, cells: Sequence[str]) -> str:
    return f"<tr><th scope=row>{name}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _table(head: Sequence[str], rows: Sequence[str]) -> str:
    names = "".join(f"<th scope=col>{escape(name)}</th>" for name in head)
    return (
        f'<div class=wide tabindex=0 role=group aria-label="A table that may be wider than the page">'
        f"<table><thead><tr><td></td>{names}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


_STYLE = """
:root{color-scheme:light dark;--ink:#1c2024;--soft:#566069;--line:#d8dde2;--page:#fff;--card:#f5f7f9;
--link:#0b57a4;--negative:#b8420f;--positive:#1f6fb2;--plain:#6b7280;--warn:#8a4b00}
@media(prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#a5adb5;--line:#3a4147;--page:#15181b;--card:#1e2226;
--link:#8ab8f0;--negative:#f0844f;--positive:#6db3ee;--plain:#9aa3ab;--warn:#f5bf6b}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:54rem;padding:1rem;background:var(--page);color:var(--ink);
font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.55rem;line-height:1.2;margin:.1rem 0}h2{font-size:1.12rem;margin:1.6rem 0 .5rem}
small,.dates,.report,.note,.ids,.links,figcaption{color:var(--soft);font-size:.86rem;font-weight:400}
.note h2{font-size:1rem}.brand{margin:0;font-weight:600;color:var(--soft)}.dates,.report{margin:0}
.warn{color:var(--warn);font-weight:600}
a{color:var(--link)}
.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:.6rem;margin:1rem 0}
.facts>div{background:var(--card);border-radius:.5rem;padding:.6rem .75rem}
dt{font-weight:600;font-size:.86rem;color:var(--soft)}dd{margin:0}dd .number{font-size:1.08rem;font-weight:600}
dd small{display:block}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(18rem,100%),1fr));gap:1rem}
.charts figure{margin:0}.charts h2{margin:.4rem 0}svg.chart{width:100%;max-width:28rem;height:auto;display:block}
ol,ul{padding-left:1.3rem;margin:.4rem 0}li{margin:.35rem 0}
blockquote{margin:.3rem 0;padding:.1rem 0 .1rem .75rem;border-left:3px solid var(--line)}
li blockquote{font-size:.93rem;color:var(--soft)}
.love{margin:.7rem 0}.love blockquote{font-size:1.05rem;border-color:var(--positive);color:var(--ink)}
.tag{font-size:.78rem;border:1px solid currentColor;border-radius:.6rem;padding:0 .45rem;color:var(--negative)}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.93rem;width:100%}
th,td{padding:.3rem .6rem .3rem 0;text-align:right;border-bottom:1px solid var(--line);vertical-align:top}
th[scope=row]{font-weight:400;text-align:left;overflow-wrap:break-word;min-width:7rem}
#voices td:last-child,#voices th:last-child{text-align:left}
thead th{font-weight:600;color:var(--soft);font-size:.82rem;white-space:nowrap}
details{border-bottom:1px solid var(--line);padding:.3rem 0}summary{cursor:pointer}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
@media(max-width:30rem){body{padding:.7rem}h1{font-size:1.3rem}.facts{grid-template-columns:1fr}}
@media print{@page{margin:15mm}:root{color-scheme:light;--ink:#000;--soft:#333;--line:#bbb;--page:#fff;--card:#fff;
--link:#000;--negative:#b8420f;--positive:#1f6fb2;--plain:#6b7280;--warn:#8a4b00}
body{max-width:none;font-size:9.5pt;padding:0}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
.facts{grid-template-columns:repeat(4,1fr);gap:.4rem}.facts>div{border:1px solid var(--line);padding:.4rem .5rem}
dd .number{font-size:1rem}.charts{grid-template-columns:repeat(3,1fr)}h2{margin:1rem 0 .3rem}
.evidence,.links{display:none}figure,li,tr,.facts>div,.love{break-inside:avoid}h2{break-after:avoid}
.note,thead{break-inside:avoid}p{orphans:3;widows:3}.wide{overflow:visible}a{text-decoration:none}
.report a::after{content:": all posts behind these numbers are there: " attr(href)}
blockquote a[href^=http]::after{content:" (" attr(href) ")";font-size:.8em;overflow-wrap:anywhere}
blockquote a[href*="/cases/"]::after{content:""}}
""".strip()
