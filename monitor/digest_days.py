"""What does one day of a brand come to, and several days together?

A day is counted from its rows once; when it is over the result is kept (`monitor.kept_days`), and a week is
seven days put together. Kept or counted this very moment: it is the same function that counted, so both say the
same. Of the posts behind a number the worst are kept, as many as a page ever shows, and how many there are.
"""

from __future__ import annotations

import json
import sys
from array import array
from base64 import b64decode, b64encode
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import neg
from typing import Any

from monitor.digest_shape import Posts
from storage.records import Mark
from storage.tallies import Tally, added_up
from storage.weeks import WeekRows

SHOWN = 440  # posts behind one number: forty are listed, four hundred more by their numbers
FORM = 1  # of a kept day; one that was kept in another form is counted anew

ALL, NEGATIVE = "all", "negative"
# A flag is slow to look at a hundred thousand times.
_REMOVED, _UNREAD = int(Mark.REMOVED), int(Mark.UNREAD)


@dataclass(frozen=True, slots=True)
class Listing:
    """The worst posts behind a number, the worst first, and how many posts there are."""

    total: int = 0
    ids: Sequence[int] = ()
    ranks: Sequence[float] = ()
    tones: Sequence[int] = ()

    @property
    def posts(self) -> Posts:
        """Their ids."""
        return Posts(self.ids, self.total)


@dataclass(frozen=True, slots=True)
class Place:
    """The mentions about one place or product, counted."""

    mentions: int
    negative: int
    rated: int
    stars_sum: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a day, or several, come to."""

    tallies: Sequence[Tally]
    places: Mapping[str, Place]
    removed: int
    worst: Mapping[str, Listing]  # by "all", "negative", "stars 5", "source …", "place …"
    # What follows is in the order it was posted in.
    rated: Posts
    worded: Posts  # whose words show a feeling
    unread: Posts
    negatives: Sequence[int]  # all that have words still
    others: Sequence[int]

    @property
    def count(self) -> int:
        """All mentions."""
        return sum(one.count for one in self.tallies)

    def listing(self, key: str) -> Listing:
        """The worst posts of one of `worst`."""
        return self.worst.get(key, _NONE)


_NONE = Listing()


def facts_of(rows: WeekRows, names: Mapping[int, str], shown: int | None = SHOWN) -> Facts:
    """What these mentions come to; `names` has those of their places, `shown` None keeps every post."""
    worst = rows.worst_first()
    places = [names.get(number, "") for number in worst.places]
    keys: list[tuple[str, Iterable[Any]]] = [
        ("stars", [0 if given is None else rounded(given) for given in worst.stars]),
        ("source", worst.sources),
        ("place", places),
    ]
    at_by: dict[str, list[int]] = {
        ALL: list(range(len(worst))),
        NEGATIVE: [at for at, tone in enumerate(worst.tones) if tone < 0],
    }
    for kind, values in keys:
        found: dict[Any, list[int]] = defaultdict(list)
        for at, value in enumerate(values):
            found[value].append(at)
        at_by |= {f"{kind} {value}": several for value, several in found.items() if value}
    marked = list(zip(rows.ids, rows.tones, rows.marks, strict=True))
    return Facts(
        tallies=_tallies(rows),
        places=_places(places, worst),
        removed=sum([bool(marks & _REMOVED) for marks in rows.marks]),
        worst={key: _listing(worst, several, shown) for key, several in at_by.items() if several},
        rated=_first(
            [one for one, stars in zip(rows.ids, rows.stars, strict=True) if stars is not None], shown
        ),
        worded=_first([one for one, felt in zip(rows.ids, rows.compounds, strict=True) if felt], shown),
        unread=_first([one for one, _, marks in marked if marks & _UNREAD], shown),
        negatives=[one for one, tone, marks in marked if tone < 0 and not marks & _REMOVED],
        others=[one for one, tone, marks in marked if tone >= 0 and not marks & _REMOVED],
    )


def together(several: Sequence[Facts], shown: int | None = SHOWN) -> Facts:
    """What these days come to, in their order."""
    keys = dict.fromkeys(key for one in several for key in one.worst)
    return Facts(
        tallies=added_up(tally for one in several for tally in one.tallies),
        places={
            name: _sum([one.places[name] for one in several if name in one.places])
            for name in sorted({name for one in several for name in one.places})
        },
        removed=sum(one.removed for one in several),
        worst={key: _merged([one.worst[key] for one in several if key in one.worst], shown) for key in keys},
        rated=_joined([one.rated for one in several], shown),
        worded=_joined([one.worded for one in several], shown),
        unread=_joined([one.unread for one in several], shown),
        negatives=[post for one in several for post in one.negatives],
        others=[post for one in several for post in one.others],
    )


def rounded(stars: float) -> int:
    """As a bar shows them.

    >>> [rounded(stars) for stars in (1.0, 2.4, 2.5, 4.5)]
    [1, 2, 3, 5]
    """
    return min(5, max(1, int(stars + 0.5)))


@dataclass(frozen=True, slots=True)
class Numbers:
    """What earlier periods are compared by."""

    tallies: Sequence[Tally]
    negatives: Sequence[int]  # as of `Facts`


def kept_numbers(facts: Facts) -> str:
    """The numbers of a day as they are kept: apart, for of earlier periods nothing else is read."""
    return _json(
        {"tallies": [_values(one) for one in facts.tallies], "negatives": _packed("q", facts.negatives)}
    )


def read_numbers(kept: str) -> Numbers:
    """The numbers that `kept_numbers` wrote."""
    read = json.loads(kept)
    return Numbers([Tally(*one) for one in read["tallies"]], _unpacked("q", read["negatives"]))


def kept_posts(facts: Facts) -> str:
    """All else of a day as it is kept."""
    return _json(
        {
            "places": {
                name: [one.mentions, one.negative, one.rated, one.stars_sum]
                for name, one in facts.places.items()
            },
            "removed": facts.removed,
            "worst": {
                key: [one.total, _packed("q", one.ids), _packed("d", one.ranks), _packed("b", one.tones)]
                for key, one in facts.worst.items()
            },
            "first": [[one.total, _packed("q", one)] for one in (facts.rated, facts.worded, facts.unread)],
            "others": _packed("q", facts.others),
        }
    )


def read_facts(numbers: Numbers, posts: str) -> Facts:
    """The day that `kept_numbers` and `kept_posts` wrote."""
    kept = json.loads(posts)
    rated, worded, unread = (Posts(_unpacked("q", ids), total) for total, ids in kept["first"])
    return Facts(
        tallies=numbers.tallies,
        places={name: Place(*one) for name, one in kept["places"].items()},
        removed=kept["removed"],
        worst={
            key: Listing(total, _unpacked("q", ids), _unpacked("d", ranks), _unpacked("b", tones))
            for key, (total, ids, ranks, tones) in kept["worst"].items()
        },
        rated=rated,
        worded=worded,
        unread=unread,
        negatives=numbers.negatives,
        others=_unpacked("q", kept["others"]),
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _packed(kind: str, values: Sequence[float]) -> str:
    """Many numbers in few signs: read ten times as fast as JSON's own."""
    packed = array(kind, values)
    if sys.byteorder == "big":
        packed.byteswap()  # a copy of the store is read anywhere
    return b64encode(packed.tobytes()).decode("ascii")


def _unpacked(kind: str, text: str) -> list[Any]:
    values = array(kind)
    values.frombytes(b64decode(text))
    if sys.byteorder == "big":
        values.byteswap()
    return values.tolist()


def _values(one: Tally) -> list[Any]:
    return [
        one.source,
        one.stars,
        one.tone,
        one.count,
        one.stars_sum,
        one.stars_squares,
        one.worded,
        one.compound_sum,
        one.compound_squares,
    ]


def _tallies(rows: WeekRows) -> list[Tally]:
    counts: dict[tuple[str, int, int], list[float]] = {}
    for source, stars, tone, compound in zip(
        rows.sources, rows.stars, rows.tones, rows.compounds, strict=True
    ):
        key = (source, 0 if stars is None else rounded(stars), tone)
        sums = counts.get(key)
        if sums is None:
            sums = counts[key] = [0, 0.0, 0.0, 0, 0.0, 0.0]
        sums[0] += 1
        if stars is not None:
            sums[1] += stars
            sums[2] += stars * stars
        if compound:
            sums[3] += 1
            sums[4] += compound
            sums[5] += compound * compound
    return [
        Tally(*key, int(sums[0]), sums[1], sums[2], int(sums[3]), sums[4], sums[5])
        for key, sums in counts.items()
    ]


def _places(names: Sequence[str], rows: WeekRows) -> dict[str, Place]:
    tones = Counter(zip(names, rows.tones, strict=True))
    rated: dict[str, list[float]] = defaultdict(list)
    for name, stars in zip(names, rows.stars, strict=True):
        if stars is not None:
            rated[name].append(stars)
    return {
        name: Place(count, tones[name, -1], len(rated[name]), sum(rated[name]))
        for name, count in sorted(Counter(names).items())
        if name
    }


def _sum(several: Sequence[Place]) -> Place:
    return Place(
        sum(one.mentions for one in several),
        sum(one.negative for one in several),
        sum(one.rated for one in several),
        sum(one.stars_sum for one in several),
    )


def _listing(worst: WeekRows, several: Sequence[int], shown: int | None) -> Listing:
    some = several[:shown]
    return Listing(
        len(several),
        [worst.ids[at] for at in some],
        [worst.ranks[at] for at in some],
        [worst.tones[at] for at in some],
    )


def _merged(several: Sequence[Listing], shown: int | None) -> Listing:
    if len(several) == 1:
        return several[0]
    entries: list[tuple[float, int, int]] = []
    for part in _pruned(several, shown):
        entries += zip([-rank for rank in part.ranks], part.ids, part.tones, strict=True)
    entries.sort()
    some = entries[:shown]
    return Listing(
        sum(part.total for part in several),
        [one for _, one, _ in some],
        [-rank for rank, _, _ in some],
        [tone for _, _, tone in some],
    )


def _pruned(several: Sequence[Listing], shown: int | None) -> Sequence[Listing]:
    """The same without most of what cannot be among the first `shown`."""
    if shown is None:
        return several
    each = -(-shown // len(several)) - 1
    if any(len(part.ids) <= each for part in several):
        return several
    # So many of each are `shown` in all, none of them with a lower rank than this: nor is what comes before them.
    least = -min(part.ranks[each] for part in several)
    pruned = []
    for part in several:
        until = bisect_right(part.ranks, least, key=neg)
        pruned.append(Listing(part.total, part.ids[:until], part.ranks[:until], part.tones[:until]))
    return pruned


def _first(ids: Sequence[int], shown: int | None) -> Posts:
    return Posts(ids[:shown], len(ids))


def _joined(several: Sequence[Posts], shown: int | None) -> Posts:
    return Posts([one for posts in several for one in posts][:shown], sum(posts.total for posts in several))
