"""Which words stand in a digest: what hurts, with its worst quote; what people love, ready to be reused?"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from monitor.digest_rows import Rows, Wanted
from monitor.digest_shape import Post, Quote, TopicFact
from monitor.match import Matcher
from monitor.noise import Change, count_change
from monitor.topics import Read, Text, TopicCount, TopicReader, count_topics, is_gone, is_new
from monitor.triage import shorten
from monitor.weeks import Span
from storage.records import Priority
from storage.tallies import tone_of
from storage.weeks import WeekPost, WeekText

QUOTE_MAX = 280  # characters of a quote
LOVES_KEPT = 3
HURTS_KEPT = 8
WORDS_LEAST = 25  # characters; "Great!" is no quote
PAPERCUTS_LEAST = 5  # small complaints of this and the usual periods together

# Between sentences there is a space, between CJK ones there is none.
_BREAK = re.compile(r"(?<=[.!?])\s+|\n\s*|(?<=[\u3002\uff01\uff1f])")
# What must not be printed in an advertisement: ways to reach a person, order numbers, addresses of pages.
_PRIVATE = re.compile(r"@|https?:|www\.|\d{5,}|\b\d{2,4}[ -]\d{3,4}[ -]\d{3,4}\b", re.IGNORECASE)


class Words:
    """The posts of a digest, read when they are first asked for."""

    def __init__(
        self,
        look: Callable[[Iterable[int]], Mapping[int, WeekPost]],
        wanted: Wanted,
        cases: Mapping[int, str],
        tones: Mapping[int, int],
    ) -> None:
        self._look = look
        self._wanted = wanted
        self._cases = cases
        self._tones = tones
        self.known: dict[int, WeekPost] = {}

    def read(self, ids: Iterable[int]) -> None:
        """Read the words of these posts, in one go."""
        if missing := set(ids) - self.known.keys():
            self.known.update(self._look(missing))

    def raw(self, identity: int) -> WeekPost | None:
        """The post as it lies in the store."""
        self.read([identity])
        return self.known.get(identity)

    def post(self, identity: int) -> Post | None:
        """The post as a digest shows it, None when it is not kept any more."""
        raw = self.raw(identity)
        if raw is None:
            return None
        tone = self._tones.get(identity)
        if tone is None:
            tone = tone_of(raw.stars, 0.0, self._wanted.negative)
        return post_of(
            raw, self._wanted.titles.get(raw.source, raw.source), tone, self._cases.get(identity, "")
        )


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """What the topics of a period are."""

    hurts: tuple[TopicFact, ...]
    gone: tuple[TopicFact, ...]
    papercuts: tuple[TopicFact, ...]
    names: Mapping[str, str]
    notes: tuple[str, ...]


def post_of(raw: WeekPost, site: str, tone: int, case: str = "") -> Post:
    """A kept mention as a digest shows it."""
    quote = "(removed by its author)" if raw.removed else shorten(_shown(raw), QUOTE_MAX)
    return Post(
        id=raw.id,
        source=raw.source,
        site=site,
        url=raw.url,
        quote=quote or "(no words)",
        author=raw.author,
        entity=raw.entity,
        stars=raw.stars,
        tone=tone,
        posted_at=raw.posted_at,
        case=case,
    )


def judged(title: str, text: str) -> str:
    """Title and text as they were judged together; see `Mention.judged_text`."""
    if not title or text.startswith(title):
        return text
    return f"{title}\n{text}" if text else title


def _shown(raw: WeekPost) -> str:
    if not raw.title or not raw.text or raw.text.startswith(raw.title):
        return judged(raw.title, raw.text)
    return f"{raw.title}{'' if raw.title[-1] in '.!?…:' else ':'} {raw.text}"


def topics_of(rows: Rows, words: Words) -> TopicFacts:
    """What people complain about, against the usual periods."""
    wanted = rows.wanted
    brand = wanted.brand
    rank = {text.id: text.rank for text in (*rows.negatives, *rows.others)}
    configured = [one for one in wanted.topics if not one.brands or brand.name in one.brands]
    places = sorted(rows.week.places)[:200]
    reader = TopicReader(configured, [brand.name, *brand.terms, *brand.rivals, *places])
    known = [number for number, one in enumerate(rows.usual) if one.known]
    reads = [reader.read(text_of(text, negative=True)) for text in rows.negatives]
    mild = [reader.read(text_of(text, negative=False)) for text in rows.others]
    earlier = [
        [reader.read(text_of(text, negative=True)) for text in rows.negatives_before[number]]
        for number in known
    ]
    older = [reader.read(text_of(text, negative=False)) for text in rows.others_before]
    counts = count_topics([*reads, *mild], earlier, older, names=rows.names)

    with_last = wanted.period.span is not Span.DAY and rows.last.known
    hurting = [one for one in counts if one.posts]
    several = [one for one in hurting if len(one.posts) > 1] or hurting[:3]
    quoted: set[int] = set()
    facts = [_fact(one, words, rank, quoted, with_last=with_last) for one in several]
    # What is new or rising is news; what is said most often comes first all the same.
    hurts = facts[:HURTS_KEPT] + [one for one in facts[HURTS_KEPT:] if one.trend in ("new", "rising")][:4]
    gone = [
        _fact(one, words, rank, quoted, with_last=with_last, trend="gone") for one in counts if is_gone(one)
    ]
    notes = []
    if rows.every_negative > 1:
        notes.append(
            f"Topics are counted in every {_nth(rows.every_negative)} negative post, "
            "of this and of the earlier periods."
        )
    if rows.negatives and not older and not mild:
        notes.append("No topics were discovered: there are no other posts yet to compare the words with.")
    return TopicFacts(
        hurts=tuple(hurts),
        gone=tuple(gone),
        papercuts=_papercuts(mild, older, rows, words, rank, quoted),
        names={one.key: one.name for one in several if one.kind == "discovered" and len(one.key) <= 255},
        notes=tuple(notes),
    )


def text_of(text: WeekText, *, negative: bool) -> Text:
    """A kept text as topics are read from it."""
    try:
        spans = tuple((int(one[0]), int(one[1]), float(one[3])) for one in json.loads(text.spans))
    except (ValueError, TypeError, IndexError):
        spans = ()
    return Text(text.id, judged(text.title, text.text), negative, spans)


def loves_of(rows: Rows, words: Words) -> tuple[tuple[Quote, ...], Quote | None]:
    """Words to reuse, the warmest first, and somebody to thank: a happy author nobody has answered."""
    ranked: list[tuple[float, int, str]] = []
    seen: set[str] = set()
    rivals = Matcher([rows.wanted.brand])
    for text in sorted(rows.others, key=lambda one: one.id):
        tone = tone_of(text.stars, text.compound, rows.wanted.negative)
        if tone <= 0 or rivals.rivals_in(judged(text.title, text.text)):
            continue  # who praises a rival in the same breath is no voice of ours
        quote, warmth = best_words(text)
        folded = " ".join(quote.casefold().split())
        if quote and folded not in seen:  # one text under many names is an advertisement already
            seen.add(folded)
            ranked.append((warmth, text.id, quote))
    ranked.sort(key=lambda one: (-one[0], one[1]))
    words.read(one[1] for one in ranked[:40])
    quotes: list[Quote] = []
    sites: dict[str, int] = {}
    authors: set[str] = set()
    for _, identity, quote in ranked[:40]:
        post = words.post(identity)
        # A second quote of a site only where others have none as warm; nobody is quoted twice.
        if post is None or (post.author and post.author in authors) or sites.get(post.source, 0) >= 2:
            continue
        quotes.append(Quote(post, quote))
        authors.add(post.author)
        sites[post.source] = sites.get(post.source, 0) + 1
        if len(quotes) == LOVES_KEPT:
            break
    quoted = {quote.post.id for quote in quotes}
    thank = None
    for _, identity, quote in sorted(ranked[:40], key=lambda one: one[1] in quoted):
        raw, post = words.raw(identity), words.post(identity)
        if raw is not None and post is not None and post.author and not raw.owner_reply and not post.case:
            thank = Quote(post, quote)
            break
    return tuple(quotes), thank


def best_words(text: WeekText) -> tuple[str, float]:
    """The warmest sentences of a text that may be printed, as they were written, and how warm they are.

    ("", 0) where there are none: too short, complaining, or with what tells who or where somebody is.
    """
    whole = judged(text.title, text.text)
    spans = text_of(text, negative=False).spans
    body_at = len(whole) - len(text.text) if text.text else 0
    best, warmest = "", 0.0
    parts = _sentences(whole)[:40]
    for first in range(len(parts)):
        if not any(parts[first][0] <= at < parts[first][1] for at, _, _ in spans):
            continue
        for last in range(first, min(first + 3, len(parts))):
            start, end = parts[first][0], parts[last][1]
            if start < body_at < end:
                continue  # a title and a text are no sentence together
            words = " ".join(whole[start:end].split())
            if len(words) > QUOTE_MAX:
                break
            weights = [weight for at, until, weight in spans if start <= at and until <= end]
            if any(weight < 0 for weight in weights) or not any(
                parts[last][0] <= at < end for at, _, _ in spans
            ):
                break  # a complaint, or a sentence without warmth that would only make it longer
            if len(words) < WORDS_LEAST or _PRIVATE.search(words):
                continue
            warmth = sum(weights) / (1 + abs(len(words) - 110) / 220)
            if warmth > warmest:
                best, warmest = words, warmth
    return best, warmest + (0.5 if best and text.stars == 5 else 0.0)


def _sentences(text: str) -> list[tuple[int, int]]:
    """Where the sentences of a text begin and end."""
    edges = [0]
    for found in _BREAK.finditer(text):
        edges += [found.start(), found.end()]
    edges.append(len(text))
    return [
        (start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if text[start:end].strip()
    ]


def _fact(
    count: TopicCount,
    words: Words,
    rank: Mapping[int, float],
    quoted: set[int],
    *,
    with_last: bool,
    trend: str = "",
) -> TopicFact:
    ordered = tuple(sorted(count.posts, key=lambda one: (-rank.get(one, 0.0), one)))
    if not trend and is_new(count):
        trend = "new"
    elif not trend:
        change = count_change(len(ordered), count.before)
        trend = {Change.UP: "rising", Change.DOWN: "falling"}.get(change, "")
    return TopicFact(
        name=count.name[:1].upper() + count.name[1:],
        kind=count.kind,
        now=len(ordered),
        last=count.before[0] if with_last and count.before else None,
        usual=sum(count.before) / len(count.before) if count.before else None,
        trend=trend,
        mere=len(count.mere),
        worst=_worst(ordered, words, quoted),
        posts=ordered,
    )


def _worst(ordered: Sequence[int], words: Words, quoted: set[int]) -> Post | None:
    """The worst post that still has words; one that was quoted already only where there is no other near it."""
    words.read(ordered[:5])
    readable = []
    for identity in ordered[:5]:
        raw = words.raw(identity)
        if raw is not None and not raw.removed and (raw.text or raw.title):
            readable.append(identity)
    if not readable:
        return None
    chosen = next((one for one in readable if one not in quoted), readable[0])
    quoted.add(chosen)
    return words.post(chosen)


def _papercuts(
    mild: Sequence[Read],
    older: Sequence[Read],
    rows: Rows,
    words: Words,
    rank: Mapping[int, float],
    quoted: set[int],
) -> tuple[TopicFact, ...]:
    """Complaints inside posts that are not negative as a whole: too small for an alert, and they add up."""
    since = min((one.period.start_at for one in rows.usual if one.known), default=rows.wanted.period.start_at)
    alerts = {case.mention_id for case in rows.cases}
    small = {
        text.id
        for text in (*rows.others, *rows.others_before)
        if text.priority < Priority.HIGH and text.posted_at >= since and text.id not in alerts
    }
    counts: dict[str, list[int]] = {}
    before: dict[str, int] = {}
    for read in mild:
        for key, hurts in read.topics.items():
            if hurts and read.id in small:
                counts.setdefault(key, []).append(read.id)
    for read in older:
        for key, hurts in read.topics.items():
            if hurts and read.id in small:
                before[key] = before.get(key, 0) + 1
    facts = []
    for key, ids in counts.items():
        ordered = tuple(sorted(ids, key=lambda one: (-rank.get(one, 0.0), one)))
        if len(ids) + before.get(key, 0) < PAPERCUTS_LEAST:
            continue
        name = key.partition(":")[2]
        facts.append(
            TopicFact(
                name=name[:1].upper() + name[1:],
                kind=key.partition(":")[0],
                now=len(ids),
                last=None,
                usual=float(before.get(key, 0)),  # of all usual periods together
                trend="",
                mere=0,
                worst=_worst(ordered, words, quoted),
                posts=ordered,
            )
        )
    return tuple(sorted(facts, key=lambda fact: (-(fact.now + (fact.usual or 0)), fact.name))[:3])


def _nth(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
