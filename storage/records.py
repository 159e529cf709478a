"""The nouns: what a mention, a verdict, a case, a delivery is.

Frozen dataclasses, standard library only; everyone speaks in them. `Mention` is also the one sanitising
boundary: whatever a stranger wrote is made storable and printable when the record is built (no NUL, no lone
surrogates, no NaN, aware UTC times), so nothing behind it has to think of it again.

Timestamps are aware UTC and end in `_at`, deadlines in `_by`, durations in `_within`.
"""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum, IntFlag, StrEnum

TEXT_MAX = 100_000  # characters kept of one text; a longer one is cut and marked `text_truncated`
LINE_MAX = 1_000  # characters kept of a title, an author, a place
URL_MAX = 2_000
KEY_MAX = 255  # characters of a source name or an external id; a longer id is kept by its hash


class Kind(StrEnum):
    """What sort of thing was written."""

    REVIEW = "review"
    POST = "post"
    COMMENT = "comment"
    ARTICLE = "article"


class DatePrecision(StrEnum):
    """How exactly the source said when."""

    SECOND = "second"
    DAY = "day"
    MONTH = "month"
    YEAR = "year"
    RELATIVE = "relative"  # "12 days ago", anchored to the time of the first fetch
    NONE = "none"  # the source gave no date we could read


class Label(StrEnum):
    """How the author feels."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"
    UNREAD = "unread"  # nobody could tell: a person must look


class Mark(IntFlag):
    """What a count must know of a mention without reading it."""

    DAY_ONLY = 1  # its source gave a day, no time
    REMOVED = 2  # its source deleted it since
    UNREAD = 4  # nobody could tell how its author feels


class Priority(IntEnum):
    """How soon someone must answer."""

    LOW = 0
    NORMAL = 1
    HIGH = 2
    URGENT = 3

    @property
    def word(self) -> str:
        """The word people read.

        >>> Priority.URGENT.word
        'urgent'
        """
        return self.name.lower()


class CaseStatus(StrEnum):
    """Where a case stands in its life."""

    OPEN = "open"
    CLAIMED = "claimed"
    ANSWERED = "answered"
    RESOLVED = "resolved"
    DISMISSED = "dismissed"

    @property
    def closed(self) -> bool:
        """True when nobody has to do anything any more."""
        return self in (CaseStatus.RESOLVED, CaseStatus.DISMISSED)


class DeliveryState(StrEnum):
    """Where a message stands on its way; DESIGN's `pending → sending → sent` and what can go wrong."""

    PENDING = "pending"
    SENDING = "sending"  # claimed: a worker is posting it, or died while posting it
    SENT = "sent"
    UNCERTAIN = "uncertain"  # it may or may not have arrived: look before sending again
    FAILED = "failed"  # refused for good, shown in `status`; never dropped silently
    PARKED = "parked"  # its channel or token is out of order; goes on when that is mended
    HELD = "held"  # folded into a storm's card; let go by a person, or when the storm is over
    CANCELLED = "cancelled"  # nothing left to say: the mention was removed before it was announced


class DeliveryKind(StrEnum):
    """What a message is for."""

    ALERT = "alert"  # the card of a case, edited through its life
    CASE_UPDATE = "case_update"  # news in the case's thread
    ESCALATION = "escalation"
    STORM = "storm"
    SOURCE_HEALTH = "source_health"
    OPS = "ops"
    DIGEST = "digest"
    EVENT = "event"  # for a program, not a person


class RunOutcome(StrEnum):
    """How a crawl ended, in the words `status` shows."""

    OK = "ok"
    EMPTY = "empty"  # it worked and found nothing at all
    FAILED = "failed"
    PARTIAL = "partial"  # some of it failed, or a limit or deadline cut it short
    OFF = "off"  # its key is absent: not broken, switched off


_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_SPACES = re.compile(r"\s+")
# Direction overrides reorder what people read on a card; they carry no meaning in a review.
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")


def clean_text(text: str, limit: int = TEXT_MAX) -> str:
    r"""`text` made storable: no control characters, no surrogates, no direction overrides, at most `limit`.

    >>> clean_text("a\x00b\ud800c\nd")
    'abc\nd'
    """
    if text.isascii() and text.isprintable():
        return text[:limit] if len(text) > limit else text
    if _UNSTORABLE.search(text):
        # A surrogate *pair* is one real character that was decoded carelessly: put it back together first.
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
        text = _UNSTORABLE.sub("", text)
    text = _BIDI.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    if len(text) > limit:
        text = text[:limit]
        # Never cut between a base character and what modifies it.
        while text and (unicodedata.combining(text[-1]) or text[-1] in "\u200d\ufe0f"):
            text = text[:-1]
    return text


def clean_line(text: str, limit: int = LINE_MAX) -> str:
    """`text` on one line, spaces folded.

    >>> clean_line("  two \\n lines ")
    'two lines'
    """
    if not text:  # as most fields of most mentions are
        return ""
    return _SPACES.sub(" ", clean_text(text, limit * 4)).strip()[:limit].strip()


def clean_url(url: str) -> str:
    """`url` if it is a plain web address, else "": everything else could be opened as something worse.

    >>> clean_url("javascript:alert(1)"), clean_url(" https://shop.example/a ")
    ('', 'https://shop.example/a')
    """
    url = clean_text(url, URL_MAX * 2).strip()
    if len(url) > URL_MAX or not url.lower().startswith(("https://", "http://")):
        return ""
    if any(c.isspace() or c in '<>"`{}|\\^' for c in url):
        return ""
    return url


def clean_key(key: str) -> str:
    """`key` as it may stand in an index: one line, at most 255 characters, a longer one as its hash."""
    key = clean_line(key, URL_MAX)
    if len(key) > KEY_MAX:
        return "sha256:" + hashlib.sha256(key.encode()).hexdigest()
    return key


def aware_utc(at: datetime | None) -> datetime | None:
    """`at` in UTC; a naive time is taken as UTC. None stays None, and so becomes what no clock can hold."""
    if at is None:
        return None
    if at.tzinfo is None:
        return at.replace(tzinfo=UTC)
    try:
        return at.astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def _whole(number: float | None) -> int | None:
    """A count that fits every database's 64-bit integer, None for what is no count."""
    if number is None or (isinstance(number, float) and not math.isfinite(number)):
        return None
    return max(-(2**62), min(2**62, int(number)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A post or review as its source showed it. Building one cleans every field; it never raises on content."""

    source: str  # which source it came from; with external_id its name for good
    external_id: str
    kind: Kind = Kind.POST
    url: str = ""
    title: str = ""
    text: str = ""  # what its author wrote, as plain text; no owner reply, no earlier version
    author: str = ""
    author_followers: int | None = None
    entity: str = ""  # the place or product reviewed
    stars: float | None = None  # 1–5, scaled; None where there are none
    rating_raw: str = ""  # the rating as printed, e.g. "8,4/10"
    scale_inferred: bool = False  # the best value was not on the page
    reach: int = 0  # votes, comments, shares
    language: str = ""  # ISO 639-1 where known
    published_at: datetime | None = None
    date_precision: DatePrecision = DatePrecision.NONE
    edited_at: datetime | None = None
    owner_reply: str = ""
    owner_replied_at: datetime | None = None
    text_truncated: bool = False
    in_reply_to: str = ""  # external_id of what it answers
    reference: str = ""  # the business's own number for it, such as the order's, where the source tells
    about: tuple[str, ...] = ()  # brands this is about by where it was found (a brand's own review page)

    def __post_init__(self) -> None:
        put = object.__setattr__
        if len(self.text) > TEXT_MAX:
            put(self, "text_truncated", True)
        put(self, "source", clean_key(self.source))
        put(self, "external_id", clean_key(self.external_id))
        put(self, "url", clean_url(self.url))
        put(self, "text", clean_text(self.text).strip())
        put(self, "owner_reply", clean_text(self.owner_reply).strip())
        for name in ("title", "author", "entity", "rating_raw"):
            put(self, name, clean_line(getattr(self, name)))
        put(self, "about", tuple(clean_key(brand) for brand in self.about))
        put(self, "language", clean_line(self.language, 16).lower())
        put(self, "in_reply_to", clean_key(self.in_reply_to))
        put(self, "reference", clean_key(self.reference))
        put(self, "author_followers", _whole(self.author_followers))
        put(self, "reach", _whole(self.reach) or 0)
        stars = self.stars
        if stars is not None and not (math.isfinite(stars) and 0 <= stars <= 5):
            put(self, "stars", None)
        elif stars is not None:
            put(self, "stars", max(1.0, float(stars)))
        for name in ("published_at", "edited_at", "owner_replied_at"):
            put(self, name, aware_utc(getattr(self, name)))

    @property
    def key(self) -> tuple[str, str]:
        """Its name for good."""
        return (self.source, self.external_id)

    @property
    def judged_text(self) -> str:
        """What is read to judge it: the title, unless the text repeats it, and the text."""
        if not self.title or self.text.startswith(self.title):
            return self.text
        return f"{self.title}\n{self.text}" if self.text else self.title

    def content_hash(self) -> str:
        """Changes exactly when something a person would judge differently changed.

        Dates are left out (a site that prints "12 days ago" would change daily) and so is reach (it grows
        all the time; it is written by its own path).
        """
        parts = (
            self.title,
            self.text,
            "" if self.stars is None else f"{self.stars:.2f}",
            self.owner_reply,
            self.entity,
            ",".join(self.about),
        )
        return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()


def fingerprint(entity: str, author: str, text: str, day: datetime | None, stars: float | None = None) -> str:
    """The external id of a mention whose site gives none: entity, author, normalised text and day.

    `day` only where the site printed a real date; a relative one would make a new id each month. `stars` tells
    star-only reviews of one author apart.
    """
    normal = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    date = "" if day is None else day.astimezone(UTC).date().isoformat()
    parts = (
        entity.casefold().strip(),
        author.casefold().strip(),
        normal,
        date,
        "" if stars is None else str(stars),
    )
    return "fp:" + hashlib.blake2b("\x1f".join(parts).encode("utf-8", "replace"), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Removal:
    """A source says that a mention is gone: it is removed everywhere, its card included."""

    source: str
    external_id: str
    reason: str = "deleted by its author"

    @property
    def key(self) -> tuple[str, str]:
        """The name of the mention that is gone."""
        return (self.source, self.external_id)


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of the judged text that carried the sentiment."""

    start: int
    end: int
    text: str
    weight: float  # −4…4 in VADER's scale, after boosters and negation


@dataclass(frozen=True, slots=True)
class Sentiment:
    """How the author feels: compound −1…1, its label, and the words that carried it, strongest first."""

    compound: float
    label: Label
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """How soon someone must answer a mention of `brand`, and why."""

    brand: str
    sentiment: Sentiment
    priority: Priority
    rank: float  # 0…1; total order inside a priority, worst highest
    reasons: tuple[str, ...]  # plain words, strongest first
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One mention of one brand that somebody has to answer."""

    number: int
    mention_id: int
    brand: str
    status: CaseStatus
    priority: Priority
    rank: float
    opened_at: datetime
    channel: str = ""
    owner: str = ""
    level: int = 1
    version: int = 1  # goes up with every action; an action made on an older version is refused
    respond_by: datetime | None = None
    first_response_at: datetime | None = None
    closed_at: datetime | None = None
    outcome: str = ""
    recovered: bool = False  # its stars went up after it was opened
    # The clocks: what they have done already, so that none of them rings twice.
    claimed_at: datetime | None = None  # when its present owner took it or was given it
    heard_at: datetime | None = None  # the owner's last sign of life; a silent claimer loses the case
    snoozed_until: datetime | None = None  # nobody is rung before; its deadlines stay what they are
    again_by: datetime | None = None  # of a reopened case: when it must be answered again
    remind_by: datetime | None = None  # of the deadline that counts; None: done, or none wanted
    escalated_at: datetime | None = None  # when the present level was told; None: it is not late
    followed_up_at: datetime | None = None
    wake_at: datetime | None = None  # when its clocks must be looked at next

    @property
    def name(self) -> str:
        """What people call it.

        >>> case_name(7)
        'REP-0007'
        """
        return case_name(self.number)

    @property
    def waiting(self) -> bool:
        """True while the customer has no answer: new, taken, or reopened."""
        return self.status in (CaseStatus.OPEN, CaseStatus.CLAIMED)

    @property
    def answer_by(self) -> datetime | None:
        """The deadline that counts now; `respond_by` stays the one the first answer is measured by."""
        return self.again_by or self.respond_by


def case_name(number: int) -> str:
    """A case number as people read it: `REP-1042`."""
    return f"REP-{number:04d}"


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One line of a case's history; never changed, never removed."""

    number: int
    at: datetime
    actor: str  # a person, or "lowstar"
    action: str
    detail: str = ""
    version: int = 0  # of the case after it; 0 where it was not kept


@dataclass(frozen=True, slots=True)
class Promise:
    """What was promised to a customer, by when, and whether it was kept."""

    number: int
    text: str
    due_by: datetime
    owner: str = ""
    kept_at: datetime | None = None
    id: int = 0
    version: int = 1  # goes up with every change of it; a button drawn before is refused
    remind_by: datetime | None = None  # when its reminder is due; None: done
    broken_at: datetime | None = None  # when its date passed; it may still be kept, late
    dropped_at: datetime | None = None  # called off by a person, with the reason in the history

    @property
    def open(self) -> bool:
        """True while somebody still waits for it."""
        return self.kept_at is None and self.dropped_at is None


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A case with what it is about: all a card, a list or a page needs to show it."""

    case: Case
    mention: Mention
    verdict: Verdict
    first_seen_at: datetime
    stars_before: float | None = None  # of the revision before, where its stars changed
    removed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A row of the outbox: one message, from wish to proof."""

    id: str  # the outbox_id carried in the message's metadata
    kind: DeliveryKind
    notifier: str  # "slack", "webhook", "console", …
    channel: str
    state: DeliveryState = DeliveryState.PENDING
    number: int | None = None  # the case it announces
    parent: str | None = None  # outbox id of the message whose thread it belongs to
    body: str = ""  # JSON, for messages that are not rendered from a case
    priority: Priority = Priority.NORMAL
    rank: float = 0.0
    created_at: datetime
    not_before: datetime
    claimed_at: datetime | None = None
    attempts: int = 0
    sent_at: datetime | None = None
    remote_id: str | None = None  # Slack's ts
    remote_channel: str | None = None  # the channel id Slack answered with; edits need it
    wanted_version: int = 1  # what the card should show
    shown_version: int = 0  # what it shows
    edited_at: datetime | None = None
    error: str = ""
    plain: bool = False  # its blocks were refused once: sent as plain text
    storm: int | None = None  # the storm it was folded into; stays when it is let go


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """Many alerts of one brand about one thing in one channel, shown as one card."""

    id: int
    notifier: str
    channel: str
    brand: str
    key: str  # "topic:payment", "topic:" (of none), "alike:…" (nearly the same words), "backlog"
    label: str = ""  # what it is about, in words
    started_at: datetime
    over_at: datetime  # when its rate was last at half the threshold or above
    ended_at: datetime | None = None
    holding: bool = True  # off: somebody wants to see every alert one by one
    allowance: int = 0  # so many of its alerts are shown one by one, the worst ones
    owner: str = ""  # who leads it
    escalated_at: datetime | None = None
    version: int = 1  # goes up with every action of a person
    card: str = ""  # outbox id of its card
    drawn_at: datetime  # when its card was last asked to show the newest state
    worst: tuple[int, ...] = ()  # the case numbers it was asked to show then


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A source that has not been seen for longer than it may be, and its card."""

    id: int
    source: str
    began_at: datetime  # its last good crawl; of one that never worked, its first try
    noticed_at: datetime
    ended_at: datetime | None = None
    owner: str = ""  # who mends it
    quiet_until: datetime | None = None
    version: int = 1  # goes up with every action of a person
    card: str = ""  # outbox id of its card
    drawn_at: datetime
    caught_up: int = 0  # mentions the first good crawl after it brought


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelState:
    """What stands between us and a channel: a gate (429), a parking (error), the pace."""

    notifier: str
    channel: str  # "" stands for the whole notifier (its token)
    gated_until: datetime | None = None
    parked_at: datetime | None = None
    parked_reason: str = ""
    last_sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """A person said the verdict was wrong."""

    number: int
    at: datetime
    actor: str
    wrong: str  # "not_negative", "not_us", "more_urgent"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlRun:
    """One crawl of one source: what it found and why it ended."""

    source: str
    started_at: datetime
    ended_at: datetime | None = None
    outcome: RunOutcome = RunOutcome.OK
    found: int = 0  # mentions its pages held
    new: int = 0
    changed: int = 0
    failed: int = 0  # pages or answers that could not be read
    pages: int = 0
    reason: str = ""  # in words a person can act on
    first: bool = False  # the first of its source: filed without alerts unless configured
    id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStats:
    """What one crawl met, as later ones are compared with it."""

    at: datetime  # when it began
    worked: bool = True  # it read its pages: what it found says what there was to find
    pages: int = 0  # answers that were read
    unchanged: int = 0  # answers that said "nothing new since"
    failed: int = 0
    found: int = 0
    new: int = 0
    mentions: int = 0  # of which the fields were counted
    filled: Mapping[str, int] = field(default_factory=dict)  # by field: how many mentions had it
    statuses: Mapping[int, int] = field(default_factory=dict)  # HTTP status codes
    windowed: bool = False  # asked only for what was said since the last time: silence is natural
    limited: bool = False  # a limit or a deadline cut it short


@dataclass(frozen=True, slots=True)
class Finding:
    """A source cannot see what it should: what kind of blindness, and what to do, in plain words."""

    kind: str  # "shut out", "wall", "unreadable", "nothing", "field", "gap"
    words: str
    field: str = ""  # which one is missing, where that is what is wrong
    place: str = ""  # the selector or path that finds nothing any more


@dataclass(frozen=True, slots=True)
class RatingSnapshot:
    """The average a site shows for an entity, at a time."""

    source: str
    entity: str
    at: datetime
    average: float
    count: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a source has been read."""

    source: str
    name: str
    value: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Stored:
    """What the store already knows of a mention."""

    id: int
    content_hash: str
    stars: float | None
    reach: int = 0


@dataclass(frozen=True, slots=True)
class Written:
    """What writing a mention did."""

    id: int
    new: bool
    stars_before: float | None = None
    back: bool = False  # it had been removed, and its source shows it again


@dataclass(frozen=True, slots=True)
class Tally:
    """What `ingest` did with a batch."""

    found: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    unmatched: int = 0  # about none of the brands: not kept
    removed: int = 0
    flagged: int = 0  # cases opened
    recovered: int = 0
    problems: tuple[str, ...] = field(default=())

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.found + other.found,
            self.new + other.new,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.unmatched + other.unmatched,
            self.removed + other.removed,
            self.flagged + other.flagged,
            self.recovered + other.recovered,
            self.problems + other.problems,
        )
