"""What is in a digest? Frozen dataclasses; every number with the ids of the posts or cases behind it.

None where nobody knows: a number that is not known is never 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from monitor.noise import Change
from monitor.weeks import Period


class Posts(tuple[int, ...]):
    """The ids of the posts behind a number. Of many only the first are here; `total` is how many there are.

    >>> Posts([4, 2], 95_000).total, Posts([4, 2]).total, Posts([4, 2])[:1]
    (95000, 2, (4,))
    """

    total: int

    def __new__(cls, ids: Iterable[int] = (), total: int | None = None) -> Posts:
        """`total` None: these are all."""
        made = super().__new__(cls, ids)
        made.total = len(made) if total is None else total
        return made


def total_of(ids: Sequence[int]) -> int:
    """How many posts these are, with those that are not here."""
    return ids.total if isinstance(ids, Posts) else len(ids)


@dataclass(frozen=True, slots=True)
class Post:
    """A mention as a digest shows it."""

    id: int
    source: str
    site: str  # how people call the source
    url: str  # "" where there is none
    quote: str  # what it says, on one line, cut
    author: str
    entity: str
    stars: float | None
    tone: int  # −1, 0, 1
    posted_at: datetime
    case: str = ""  # "REP-0007" where there is one


@dataclass(frozen=True, slots=True)
class Count:
    """How many; `usual` is the mean of the earlier periods that are known."""

    now: int | None
    last: int | None
    usual: float | None
    change: Change  # against the usual
    posts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many."""

    part: int
    whole: int
    last: tuple[int, int] | None = None
    usual: tuple[int, int] | None = None
    change: Change = Change.UNKNOWN
    posts: tuple[int, ...] = ()  # of the part

    @property
    def percent(self) -> float | None:
        """None of none."""
        return 100 * self.part / self.whole if self.whole else None


@dataclass(frozen=True, slots=True)
class Mean:
    """An average of `count` values; None of none."""

    value: float | None
    count: int
    last: float | None = None
    last_count: int = 0
    usual: float | None = None
    usual_count: int = 0
    change: Change = Change.UNKNOWN
    posts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StarBar:
    """How many reviews gave so many stars."""

    stars: int
    count: int
    usual: float | None  # a period
    posts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the period. `tone` is the mean of what words showed a feeling, None where none did."""

    day: date
    mentions: int
    negative: int
    positive: int
    tone: float | None
    posts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """The mentions of one source, or about one place or product."""

    name: str
    title: str
    mentions: int
    last: int | None  # None: not known, or not counted (places)
    negative: int
    stars: float | None
    rated: int
    posts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TopicFact:
    """What people complain about."""

    name: str
    kind: str  # "built-in", "configured", "discovered"
    now: int
    last: int | None
    usual: float | None
    trend: str  # "new", "rising", "falling", "gone", or ""
    mere: int  # posts that only mention it
    worst: Post | None
    posts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of a happy author, and which of them may be reused and how."""

    post: Post
    words: str


@dataclass(frozen=True, slots=True)
class Voice:
    """How often a name is said, and how those feel who say it."""

    name: str
    own: bool
    mentions: int
    last: int | None
    negative: int
    tone: float | None
    stars: float | None
    basis: str  # what was counted
    posts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """How fast people were answered."""

    in_time: Share  # of the cases whose answer was due in the period
    late: tuple[str, ...]  # their names
    median: timedelta | None  # of first answers given in the period
    p90: timedelta | None
    answered: int
    answered_posts: tuple[int, ...]
    last_median: timedelta | None
    goal: int  # percent
    links: Mapping[str, str]  # case name → address of its post
    posts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Promises:
    """What was promised and came due in the period; case names."""

    kept: tuple[str, ...]
    late: tuple[str, ...]  # kept after it was due
    broken: tuple[str, ...]  # not kept by the end of what is known

    @property
    def due(self) -> int:
        """How many came due."""
        return len(self.kept) + len(self.late) + len(self.broken)


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A case nobody has answered at the end of the period."""

    name: str
    post: Post | None
    owner: str
    age: timedelta
    late: timedelta | None  # how long its answer has been due; None when it is not


@dataclass(frozen=True, slots=True)
class StarChange:
    """An author changed the stars of a review."""

    post: Post
    before: float
    after: float
    answered: bool  # somebody had answered before
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Recovery:
    """Of the reviews answered in the 90 days before the end, how many got more stars after the answer."""

    answered: int
    raised: int
    response_raised: timedelta | None  # median first response time of those; None below five
    response_stayed: timedelta | None


@dataclass(frozen=True, slots=True)
class CustomerValue:
    """What the customers are worth who complained; each of them once, by the imported table, in its own money."""

    at_risk: float  # of those a case of whom nobody had answered when the period ended
    at_risk_customers: int
    at_risk_cases: tuple[str, ...]  # the most valuable customer's first
    kept: (
        float  # of those who were answered, or whose case was resolved, in the period, with nothing left open
    )
    kept_customers: int
    kept_cases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SourceSeen:
    """Whether a source could be read, so that silence is not taken for peace."""

    name: str
    title: str
    runs: int
    good: int
    blind: timedelta | None  # longest time without a run that worked; None when it never was too long
    said: str  # why, in words


@dataclass(frozen=True, slots=True)
class Corrections:
    """What people said the triage got wrong."""

    not_negative: tuple[str, ...] = ()
    not_us: tuple[str, ...] = ()
    more_urgent: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    judged: int = 0  # cases opened in the period

    @property
    def names(self) -> tuple[str, ...]:
        """The cases of all of them, the gravest mistakes first."""
        return (*self.more_urgent, *self.not_negative, *self.not_us, *self.other)

    @property
    def count(self) -> int:
        """All of them."""
        return len(self.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A brand's day, week or month in facts."""

    brand: str
    period: Period
    as_of: datetime  # what happened later is not in it; the end of the period, or now before that
    whole: bool  # the period was over
    known: bool  # anything is known of the period at all
    mentions: Count
    negative: Count
    negative_share: Share
    unread: tuple[int, ...]  # nobody could tell how their authors feel
    stars: Mean
    tone: Mean
    bars: tuple[StarBar, ...]
    days: tuple[Day, ...]
    sources: tuple[Part, ...]
    places: tuple[Part, ...]
    hurts: tuple[TopicFact, ...]
    gone: tuple[TopicFact, ...]
    papercuts: tuple[TopicFact, ...]
    loves: tuple[Quote, ...]
    thank: Quote | None
    voices: tuple[Voice, ...]
    answers: Answers
    promises: Promises
    reopened: tuple[str, ...]
    open: tuple[OpenCase, ...]
    star_changes: tuple[StarChange, ...]
    recovery: Recovery
    value: CustomerValue | None  # None: no table of customers was imported
    seen: tuple[SourceSeen, ...]
    corrections: Corrections
    notes: tuple[str, ...]  # what is missing and what it was counted from
    cases: Mapping[str, int]  # of every case named in it, the mention it is about
    names: Mapping[str, str]  # of discovered topics, to be kept: key → name
    posts: Mapping[int, Post]  # the posts that are shown; of long lists the worst

    @property
    def blind(self) -> tuple[SourceSeen, ...]:
        """The sources that could not be read for too long."""
        return tuple(one for one in self.seen if one.blind is not None)

    @property
    def stars_won(self) -> tuple[StarChange, ...]:
        """More stars after an answer."""
        return tuple(one for one in self.star_changes if one.answered and one.after > one.before)

    @property
    def stars_lost(self) -> tuple[StarChange, ...]:
        """Fewer stars after an answer."""
        return tuple(one for one in self.star_changes if one.answered and one.after < one.before)
