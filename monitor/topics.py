"""What are negative posts about, and which complaints are rising, new or gone?

Three kinds of topics: the ones every brand has (`monitor.lexicon.topics`), the ones configured for the digest,
and the ones discovered: word pairs, or single words, that stand in negative posts far more often than in the
others. No model, nothing downloaded: counts and one exact test.

A topic *hurts* where the clause that names it carries negative words, or where it carries none and the post as
a whole is negative; a clause with positive words ("delivery was quick, but …") is a mere mention.

A discovered topic is known by the stems of its words ("late deliveries", "delivery was late", "delivered
late": one topic), so it is the same topic next week, whatever people call it. Its name is how it was written
most; a name once given is kept (`names`).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate, compress

from ahocorasick_rs import AhoCorasick, MatchKind

from monitor.lexicon.cues import words
from monitor.lexicon.topics import topics_in
from monitor.match import stands_alone
from monitor.noise import binomial_tail
from monitor.normalise import fold

POSTS_LEAST = 3  # a complaint of one or two people is a post, not a topic
SINGLE_LEAST = 5  # a word alone says less than two together
RARE = 0.005  # by chance alone so many negative posts would hold two words together once in 200 times
RARE_SINGLE = 0.001  # there are more words to try than pairs that stand in three posts
DISCOVERED_KEPT = 8
INSIDE = 0.75  # a single word of which so many posts are another topic's is that topic
ALIKE = 0.6  # two topics that share so much of their posts are one
CLAUSES_READ = 60  # of one text; nobody complains in more

_CLAUSE = re.compile(
    r"[.!?;:\n\u2026\u3002\uff01\uff1f]+|\s(?:but|however|although|though|aber|mais|pero|ma|maar)\s"
)
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_WORDS = re.compile(f"({_WORD.pattern})")
# Words that say nothing about what a post is about; own list. Feelings are left out by their weight in the text.
_EMPTY = words(
    "the a an and or but if then than so as at by for from in into of off on onto out over to up with "
    "without about after again all also always am any anyone anything are around away back be because "
    "been before being both came can cannot can't come could couldn't day days did didn't do does "
    "doesn't doing don't done down each else even ever every everyone everything few first found get "
    "gets getting give given go goes going gone got had has hasn't have haven't having he her here hers "
    "him his hour hours how i i'd i'll i'm i've is isn't it it's its itself just know last later least "
    "less let like lot made make makes many me minute minutes month months more most much must my "
    "myself need never new next no nobody none not nothing now one only other others our ours people "
    "person please put really said same saw say says see seems several she should since some someone "
    "something still such take takes taking tell that that's their them there there's these they "
    "they're thing things think this those three through time times today told too took tried try "
    "trying twice two until us use used using very want wanted was wasn't way we week weeks well went "
    "were weren't what when where which while who why will won't would wouldn't year years yes yet you "
    "your yours yourself star stars review reviews post thanks thank hi hello yesterday tomorrow once "
    "ago der die das und oder aber ich du er sie es wir ihr ist sind war nicht kein keine mit für auf "
    "von zu im den dem des ein eine einen auch noch nur sehr le la les un une et ou je tu il elle nous "
    "vous est pas pour dans sur avec plus très el los las una que y o en con para por muy se mi lo su "
    "fue era "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A topic to be counted: any of its terms names it. Terms are literals, as a brand's are."""

    name: str
    terms: tuple[str, ...]
    brands: tuple[str, ...] = ()  # empty: every brand


@dataclass(frozen=True, slots=True)
class Text:
    """One mention as topics are read from it."""

    id: int
    text: str
    negative: bool  # the post as a whole
    spans: tuple[tuple[int, int, float], ...] = ()  # start, end, weight of the words that carried its feeling


@dataclass(frozen=True, slots=True)
class Read:
    """What one mention says about what: topic key → whether it hurts."""

    id: int
    negative: bool
    topics: Mapping[str, bool]
    grams: Mapping[str, str] = field(default_factory=dict)  # key of a word pair or word → as it was written


@dataclass(frozen=True, slots=True)
class TopicCount:
    """One topic this period against earlier ones. Counts are negative posts unless said otherwise."""

    key: str
    name: str
    kind: str  # "built-in", "configured", "discovered"
    posts: tuple[int, ...]  # ids of the posts it hurts in
    mere: tuple[int, ...]  # ids of the posts that only mention it
    before: tuple[int, ...]  # negative posts in each earlier period, the latest first


class TopicReader:
    """Reads topics out of texts; built once for a brand."""

    def __init__(self, configured: Sequence[Topic] = (), ignored: Iterable[str] = ()) -> None:
        """`ignored`: words that are no topic, such as the brand's own names."""
        self._configured = tuple(configured)
        terms: dict[str, list[str]] = defaultdict(list)
        for topic in self._configured:
            for term in topic.terms:
                if folded := fold(term):
                    terms[folded].append(topic.name)
        self._owners = list(terms.values())
        self._automaton = AhoCorasick(list(terms), MatchKind.Standard) if terms else None
        self._roots = lru_cache(maxsize=50_000)(self._root_of)
        self._ignored = {stem(word) for name in ignored for word in _WORD.findall(fold(name))}

    def read(self, text: Text, *, grams: bool = True) -> Read:
        """What a mention is about, and where that hurts. Time linear in the text; never raises."""
        topics: dict[str, bool] = {}
        found: dict[str, str] = {}
        spans = sorted(text.spans)
        starts = [span[0] for span in spans]
        for start, end in _clauses(text.text):
            clause = fold(text.text[start:end])
            if not clause:
                continue
            inside = spans[bisect_left(starts, start) : bisect_left(starts, end)]
            weight = sum(span[2] for span in inside)
            hurts = weight < 0 or (weight == 0 and text.negative)
            for key in self._named(clause):
                topics[key] = topics.get(key, False) or hurts
            # Of a friendly post every word is background; of a negative one only what it complains about counts.
            if grams and (hurts or not text.negative):
                felt = {word for one in inside for word in _WORD.findall(fold(text.text[one[0] : one[1]]))}
                self._grams(clause, felt, found)
        return Read(text.id, text.negative, topics, found)

    def _named(self, clause: str) -> set[str]:
        keys = {f"built-in:{name}" for name in topics_in(clause)}
        if self._automaton is not None:
            for owner, start, end in self._automaton.find_matches_as_indexes(clause, overlapping=True):
                if stands_alone(clause, start, end):
                    keys.update(f"configured:{name}" for name in self._owners[owner])
        return keys

    def _grams(self, clause: str, felt: set[str], found: dict[str, str]) -> None:
        """Add to `found` pairs of neighbouring words that mean something, and such words alone.

        Empty words are stepped over. The first way a word or pair was written is kept.
        """
        words, starts = _words_of(clause)
        roots = list(map(self._roots, words))
        before: tuple[tuple[str, ...], int, int, bool] | None = None
        # Two thirds of the words say nothing, so each must cost little.
        for named, word, start in compress(zip(roots, words, starts, strict=False), roots):
            end = start + len(word)
            feeling = word in felt
            if not feeling and end - start > 3 and named[0] not in found:
                found[named[0]] = word
            if before is not None:
                other, since, until, felt_other = before
                if other[1] != named[1] and not (felt_other and feeling) and start - until <= 12:
                    one, two = (other, named) if other[1] < named[1] else (named, other)
                    pair = one[0] + " " + two[1]
                    if pair not in found:
                        found[pair] = clause[since:end]
            before = (named, start, end, feeling)

    def _root_of(self, word: str) -> tuple[str, ...]:
        """The key of a word alone, and its root; () for one that says nothing."""
        root = _root(word)
        return (f"discovered:{root}", root) if root and root not in self._ignored else ()


def count_topics(
    reads: Sequence[Read],
    earlier: Sequence[Sequence[Read]],
    others: Sequence[Read],
    *,
    names: Mapping[str, str] | None = None,
) -> list[TopicCount]:
    """Topics that hurt in `reads` (this period), or did in one of the `earlier` ones, the latest first.

    `others` are older posts that are not negative: the background a discovered topic must stand out from.
    Most negative posts first, then by name, so that the same posts always give the same list.
    """
    hurting = _posts(reads, hurts=True)
    mere = _posts(reads, hurts=False)
    before = [_posts(period, hurts=True) for period in earlier]
    counts = [
        TopicCount(
            key=key,
            name=key.partition(":")[2],
            kind=key.partition(":")[0],
            posts=tuple(hurting.get(key, ())),
            mere=tuple(mere.get(key, ())),
            before=tuple(len(period.get(key, ())) for period in before),
        )
        for key in {*hurting, *(key for period in before for key in period)}
    ]
    counts += _discovered(reads, earlier, others, [set(one.posts) for one in counts], names or {})
    return sorted(counts, key=lambda one: (-len(one.posts), one.kind != "configured", one.name, one.key))


def is_new(count: TopicCount) -> bool:
    """True for a complaint of at least three people that nobody had in the earlier periods.

    One-sided, at one in a hundred: three after four weeks of nothing is 0.008.
    """
    now = len(count.posts)
    return (
        bool(count.before)
        and not any(count.before)
        and now >= POSTS_LEAST
        and binomial_tail(now, now, 1 / (1 + len(count.before))) < 0.01
    )


def is_gone(count: TopicCount) -> bool:
    """True for a complaint usual before, of which nobody spoke now, too seldom by chance (one in a hundred)."""
    total = sum(count.before)
    return (
        not count.posts
        and total >= POSTS_LEAST
        and binomial_tail(total, total, len(count.before) / (1 + len(count.before))) < 0.01
    )


@lru_cache(maxsize=50_000)
def _root(word: str) -> str:
    """The stem of a folded word that may say what a post is about, "" for one that says nothing."""
    return "" if len(word) < 2 or word in _EMPTY or word.isdigit() else stem(word)


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """The part of a word that its forms share; English endings only, and no more than are needed to count.

    >>> [stem(w) for w in ("delivery", "deliveries", "delivered", "charging", "charged", "charges", "staff")]
    ['deliver', 'deliver', 'deliver', 'charg', 'charg', 'charg', 'staff']
    """
    word = word.removesuffix("'s")
    if not word.isascii() or len(word) < 4:
        return word
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
                word = word[:-1]
            break
    if len(word) > 4 and word[-1] in "ey":
        word = word[:-1]
    return word


def _words_of(clause: str) -> tuple[list[str], list[int]]:
    """The words of a folded clause, and where each begins.

    >>> _words_of("the wand leaks"), _words_of("it's  late")
    ((['the', 'wand', 'leaks'], [0, 4, 9]), (["it's", 'late'], [0, 6]))
    """
    words = clause.split(" ")
    # Most clauses are plain words with one space between them: a third of the time of a regex.
    if clause.isascii() and all(words) and "".join(words).isalnum():
        return words, list(accumulate((len(word) + 1 for word in words), initial=0))[:-1]
    # What is between the words, and the words: a part before a word ends where the word begins.
    parts = _WORDS.split(clause)
    return parts[1::2], list(accumulate(map(len, parts)))[:-1:2]


def _clauses(text: str) -> Iterable[tuple[int, int]]:
    start = 0
    for at, found in enumerate(_CLAUSE.finditer(text)):
        if at >= CLAUSES_READ:
            return
        yield start, found.start()
        start = found.end()
    yield start, len(text)


def _posts(reads: Sequence[Read], *, hurts: bool) -> dict[str, list[int]]:
    posts: dict[str, list[int]] = defaultdict(list)
    for read in reads:
        for key, hurting in read.topics.items():
            # A complaint inside a friendly post is neither: it is a papercut, counted apart.
            if (hurting and read.negative) if hurts else not hurting:
                posts[key].append(read.id)
    return posts


def _discovered(
    reads: Sequence[Read],
    earlier: Sequence[Sequence[Read]],
    others: Sequence[Read],
    taken: list[set[int]],
    names: Mapping[str, str],
) -> list[TopicCount]:
    now: dict[str, list[int]] = defaultdict(list)
    written: dict[str, Counter[str]] = defaultdict(Counter)
    for read in reads:
        if read.negative:
            for key, words in read.grams.items():
                now[key].append(read.id)
                written[key][words] += 1
    candidates = {key for key, ids in now.items() if len(ids) >= _least(key)}
    background = [read for read in (*reads, *others) if not read.negative]
    usual = [Counter(key for read in period if read.negative for key in read.grams) for period in earlier]
    for period in earlier:
        for read in period:
            for key, words in read.grams.items():
                if key in candidates and read.negative:
                    written[key][words] += 1
    # Word pairs of the background are counted whether they hurt there or not: they were read with `grams` on.
    elsewhere = Counter(key for read in background for key in read.grams)
    negatives = sum(read.negative for read in reads)
    older = sum(read.negative for period in earlier for read in period)
    found = []
    for key in candidates:
        ids = now[key]
        before = sum(period[key] for period in usual)
        typical = _rarity(len(ids), elsewhere[key], negatives, len(background))
        risen = _rarity(len(ids), before, negatives, older)
        rarity = min(typical, risen)
        if rarity < (RARE if " " in key else RARE_SINGLE):
            found.append((rarity, key, ids))
    # What says most first: two words before one, then what is least likely by chance.
    found.sort(key=lambda one: (" " not in one[1], one[0], -len(one[2]), one[1]))
    kept: list[TopicCount] = []
    for _, key, ids in found:
        mine = set(ids)
        if any(_alike(mine, other) for other in taken):
            continue
        # Two words say more than the wider topic they are part of ("late delivery"); one word does not.
        if " " not in key and any(len(mine & other) >= INSIDE * len(mine) for other in taken):
            continue
        taken.append(mine)
        kept.append(
            TopicCount(
                key=key,
                name=names.get(key) or _name(written[key]),
                kind="discovered",
                posts=tuple(ids),
                mere=tuple(read.id for read in reads if not read.negative and key in read.grams),
                before=tuple(period[key] for period in usual),
            )
        )
        if len(kept) == DISCOVERED_KEPT:
            break
    return kept


def _least(key: str) -> int:
    return POSTS_LEAST if " " in key else SINGLE_LEAST


def _rarity(here: int, there: int, all_here: int, all_there: int) -> float:
    """How often chance alone would put so many of the posts with a word here. 1 without a background."""
    if not all_there:
        return 1.0
    return binomial_tail(here, here + there, all_here / (all_here + all_there))


def _alike(one: set[int], other: set[int]) -> bool:
    return bool(one) and len(one & other) >= ALIKE * len(one | other)


def _name(written: Counter[str]) -> str:
    """How a topic was written most; of two alike the shorter, then the first in the alphabet."""
    return min(written, key=lambda words: (-written[words], len(words), words))[:60]
