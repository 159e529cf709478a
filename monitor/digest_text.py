"""What does a digest look like as Markdown, and as plain text for a mail or a terminal?

Strangers' words are escaped for Markdown and stripped of what a terminal would obey.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence

from monitor import digest_say as say
from monitor.digest_shape import Digest, Part, Post, Quote, TopicFact, total_of
from monitor.view import safe

LINKED = 3  # posts linked behind a number; the HTML file lists more
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&$])")
_STARTS = re.compile(r"^(\s*\d*)([-=.)])", re.MULTILINE)


def markdown(digest: Digest) -> str:
    """The digest as Markdown (CommonMark with tables); ends with a line end."""
    return _Markdown(digest).text()


def plain_text(digest: Digest) -> str:
    """The digest as plain text of at most 78 columns but for addresses; ends with a line end."""
    return _Plain(digest).text()


def md(text: str) -> str:
    r"""A stranger's words as Markdown that shows exactly them.

    >>> md("[x](javascript:1) <b> *hi*")
    '\\[x\\]\\(javascript:1\\) \\<b\\> \\*hi\\*'
    """
    return _STARTS.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", safe(text, 4_000)))


class _Writer:
    """What both forms share: the order of things."""

    def __init__(self, digest: Digest) -> None:
        self.digest = digest
        self.lines: list[str] = []

    def text(self) -> str:
        digest = self.digest
        self.title(f"{digest.brand}: {say.headline(digest)}")
        self.paragraph(say.dates(digest))
        if not digest.known:
            self.paragraph(say.NOTHING_KNOWN.format(span=digest.period.span.value))
        self.facts(say.facts(digest))
        if any(bar.count for bar in digest.bars):
            self.stars()
        self.topics("What hurts", digest.hurts)
        if digest.gone:
            names = ", ".join(
                self.words(f"{one.name} (usual {say.number(one.usual)})") for one in digest.gone
            )
            self.paragraph(f"Gone: {names}")
        if digest.papercuts:
            self.heading("Papercuts (small annoyances that add up)")
            for fact in digest.papercuts:
                self.item(f"{self.words(fact.name)}: {say.papercut_line(fact)}{self.links(fact.posts)}")
                self.quote(fact.worst)
        self.heading("What people love")
        if digest.loves:
            for love in digest.loves:
                self.love(love)
            self.paragraph(say.PERMISSION)
        else:
            self.paragraph("No words worth repeating were found.")
        if digest.thank is not None:
            self.heading("Someone to thank")
            self.love(digest.thank)
        if digest.voices:
            self.heading("Share of voice")
            self.voices()
        if digest.stars_won or digest.stars_lost:
            self.heading("Stars changed after our answer")
            for change in (*digest.stars_won, *digest.stars_lost):
                case = f"{change.post.case}, " if change.post.case else ""
                self.item(f"{say.star_change(change)}: {case}{self.post(change.post)}")
        if digest.open:
            self.heading("Open, worst first")
            for one in digest.open[:10]:
                late = f", {say.span_text(one.late)} late" if one.late is not None else ""
                owner = f", owner {self.words(one.owner)}" if one.owner else ", no owner"
                post = f": {self.post(one.post)}" if one.post is not None else ""
                self.item(f"{one.name}, open {say.span_text(one.age)}{late}{owner}{post}")
            if len(digest.open) > 10:
                self.item(f"and {len(digest.open) - 10} more")
        self.parts("By source", digest.sources, last=digest.mentions.last is not None)
        self.parts("By place and product, most negative first", digest.places, last=False)
        blind = [one for one in digest.seen if one.blind is not None or one.said]
        if blind:
            self.heading("Sources that could not be read")
            for seen in blind:
                gap = f"blind {say.span_text(seen.blind)}" if seen.blind is not None else "read"
                why = f": {self.words(seen.said)}" if seen.said else ""
                self.item(f"{self.words(seen.title)}, {gap}, {seen.good} of {seen.runs} runs worked{why}")
        if digest.notes:
            self.heading("How this was counted")
            for note in digest.notes:
                self.item(self.words(note))
        return "\n".join(self.lines).strip("\n") + "\n"

    def topics(self, title: str, facts: Sequence[TopicFact]) -> None:
        self.heading(f"{title} (negative posts)")
        if not facts:
            self.paragraph("Nothing was complained about twice." if self.digest.known else "Not known.")
        for fact in facts:
            line = say.topic_line(fact, names_last=say.last_word(self.digest))
            mere = f"; {fact.mere} more only mention it" if fact.mere else ""
            self.item(f"{self.words(fact.name)}: {line}{mere}{self.links(fact.posts)}")
            self.quote(fact.worst)

    def parts(self, title: str, parts: Sequence[Part], *, last: bool) -> None:
        if not parts:
            return
        self.heading(title)
        rows = []
        for part in parts:
            stars = "" if part.stars is None else f"{part.stars:.1f}"
            rated = f"{part.rated:,}" if part.rated else ""
            row = [self.words(part.title), f"{part.mentions:,}", f"{part.negative:,}", rated, stars]
            rows.append([*row, *([say.number(part.last)] if last else [])])
        head = [
            "",
            "mentions",
            "negative",
            "reviews",
            "average",
            *([say.last_word(self.digest)] if last else []),
        ]
        self.table(head, rows)

    def voices(self) -> None:
        rows = []
        for voice in self.digest.voices:
            share = say.voice_share(voice, self.digest.voices)
            rows.append(
                [
                    self.words(voice.name),
                    f"{voice.mentions:,}",
                    "" if share is None else f"{share:.0f} %",
                    f"{voice.negative:,}",
                    "" if voice.stars is None else f"{voice.stars:.1f}",
                    "" if voice.tone is None else f"{voice.tone:+.2f}".replace("-", "−"),
                    self.words(voice.basis),
                ]
            )
        self.table(["", "mentions", "share", "negative", "stars", "tone", ""], rows)

    def stars(self) -> None:
        self.heading("Stars")
        most = max(bar.count for bar in self.digest.bars)
        self.block(
            f"{bar.stars}★ {'█' * round(24 * bar.count / most):<24} {bar.count:>6,}"
            + (f"   usual {say.number(bar.usual)}" if bar.usual is not None else "")
            for bar in self.digest.bars
        )

    def posts(self, ids: Iterable[int]) -> list[Post]:
        shown = (self.digest.posts.get(one) for one in ids)
        return [post for post in shown if post is not None and post.url][:LINKED]

    # what differs

    def words(self, text: str) -> str:
        raise NotImplementedError

    def title(self, text: str) -> None:
        raise NotImplementedError

    def heading(self, text: str) -> None:
        raise NotImplementedError

    def paragraph(self, text: str) -> None:
        raise NotImplementedError

    def item(self, text: str) -> None:
        raise NotImplementedError

    def facts(self, facts: Sequence[say.Fact]) -> None:
        raise NotImplementedError

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        raise NotImplementedError

    def block(self, lines: Iterable[str]) -> None:
        raise NotImplementedError

    def links(self, ids: Sequence[int]) -> str:
        raise NotImplementedError

    def post(self, post: Post) -> str:
        raise NotImplementedError

    def quote(self, post: Post | None) -> None:
        raise NotImplementedError

    def love(self, quote: Quote) -> None:
        raise NotImplementedError


class _Markdown(_Writer):
    def words(self, text: str) -> str:
        return md(text)

    def title(self, text: str) -> None:
        self.lines += [f"# {md(text)}", ""]

    def heading(self, text: str) -> None:
        self._gap()
        self.lines += [f"## {text}", ""]

    def paragraph(self, text: str) -> None:
        self._gap()
        self.lines += [text, ""]

    def item(self, text: str) -> None:
        self.lines.append(f"- {text}")

    def facts(self, facts: Sequence[say.Fact]) -> None:
        self.table(
            ["", "", "compared, and what is behind it"],
            [
                [f"**{one.label}**", md(one.value), (md(one.detail) + self.links(one.posts)).strip()]
                for one in facts
            ],
        )

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self._gap()
        self.lines += [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
        self.lines += [f"| {' | '.join(row)} |" for row in rows]
        self.lines.append("")

    def block(self, lines: Iterable[str]) -> None:
        self.lines += ["```", *lines, "```", ""]

    def links(self, ids: Sequence[int]) -> str:
        posts = self.posts(ids)
        shown = ", ".join(f"[{number}](<{post.url}>)" for number, post in enumerate(posts, start=1))
        more = total_of(ids) - len(posts)
        return f" (posts {shown}{f' and {more:,} more' if more > 0 else ''})" if posts else ""

    def post(self, post: Post) -> str:
        stars = "" if post.stars is None else f"{post.stars:g} of 5, "
        where = f"[{md(post.site)}](<{post.url}>)" if post.url else md(post.site)
        return f"{stars}{where}: “{md(post.quote)}”"

    def quote(self, post: Post | None) -> None:
        if post is not None:
            self.lines += [f"  > {self.post(post)}"]

    def love(self, quote: Quote) -> None:
        self._gap()
        self.lines += [f"> {md(quote.words)}", ">", f"> {self._by(quote)}", ""]

    def _by(self, quote: Quote) -> str:
        post = quote.post
        stars = "" if post.stars is None else f", {post.stars:g} of 5"
        where = f"[{md(post.site)}](<{post.url}>)" if post.url else md(post.site)
        return f"{md(post.author) or 'somebody'}{stars}, {where}"

    def _gap(self) -> None:
        if self.lines and self.lines[-1]:
            self.lines.append("")


class _Plain(_Writer):
    def words(self, text: str) -> str:
        return safe(text, 4_000)

    def title(self, text: str) -> None:
        self._wrap(safe(text), "", "")
        self.lines += ["=" * min(78, len(safe(text)))]

    def heading(self, text: str) -> None:
        self.lines += ["", text.upper()]

    def paragraph(self, text: str) -> None:
        self._wrap(safe(text, 4_000), "", "")

    def item(self, text: str) -> None:
        self._wrap(text, "- ", "  ")

    def facts(self, facts: Sequence[say.Fact]) -> None:
        self.lines.append("")
        wide = max(len(one.label) for one in facts)
        for one in facts:
            text = safe(f"{one.value}; {one.detail}" if one.detail else one.value, 2_000)
            self._wrap(text, f"{one.label:<{wide}}  ", " " * (wide + 2))

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        for row in rows:
            told = [f"{value} {name}".strip() for name, value in zip(head[1:], row[1:], strict=True) if value]
            self._wrap(f"{row[0]}: {', '.join(told)}", "- ", "  ")

    def block(self, lines: Iterable[str]) -> None:
        self.lines += [f"  {line}" for line in lines]

    def links(self, ids: Sequence[int]) -> str:
        return ""

    def post(self, post: Post) -> str:
        stars = "" if post.stars is None else f"{post.stars:g} of 5, "
        return f"{stars}{safe(post.site)}: “{safe(post.quote)}”" + (f" {post.url}" if post.url else "")

    def quote(self, post: Post | None) -> None:
        if post is not None:
            self._wrap(self.post(post), "    ", "    ")

    def love(self, quote: Quote) -> None:
        post = quote.post
        stars = "" if post.stars is None else f", {post.stars:g} of 5"
        self._wrap(f"“{safe(quote.words)}”", "- ", "  ")
        self._wrap(
            f"{safe(post.author) or 'somebody'}{stars}, {safe(post.site)} {post.url}".strip(), "  ", "  "
        )

    def _wrap(self, text: str, first: str, rest: str) -> None:
        self.lines += textwrap.wrap(
            text,
            78,
            initial_indent=first,
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [first.rstrip()]
