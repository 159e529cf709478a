"""Which mentions hold these words? Full text, newest first; indexed after the commit, off the hot path.

Words are cut here, in one way for both databases: folded to lower case without accents, Chinese, Japanese and
Korean character by character. SQLite keeps them in an FTS5 table, PostgreSQL as tsvectors under a GIN index.

New mentions wait until somebody calls `index_words` (`lowstar serve` does); edited and removed ones follow in
the transaction that changes them, so that nothing removed is ever found.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    and_,
    column,
    delete,
    event,
    false,
    func,
    literal,
    select,
    table,
    text,
)

from storage.tables import mentions, metadata

TEXT_READ = 20_000  # characters of one text that are indexed: nobody searches for what stands after them
BATCH = 1_000
WORDS_MAX = 20  # words of one question
WORD_MAX = 64  # characters of one word: PostgreSQL refuses longer than 2,046 bytes
_POSITION_MAX = 16_383  # of a tsvector, https://www.postgresql.org/docs/current/textsearch-limitations.html
_PREFIX_FROM = 4  # letters from which a word also finds what begins with it: "refund" finds "refunds"
PROBED = 2_000  # mentions that are looked into, in the order of a list, before the index is asked who holds the words
COMMON = 5_000  # holders from which a phrase is common: how many there are is counted no further
HOLDERS_FEW = (
    10_000  # up to so many holders it is quicker to go from each to its case than through the list of cases
)
# Ids that a slower writer may still commit below the highest one (PostgreSQL; on SQLite writers take turns).
_OVERTAKEN = 10_000

# Scripts without spaces between words: each character is a word, a word people write is a phrase.
_CJK = (
    "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_WORD = re.compile(f"[{_CJK}]|[^\\W_{_CJK}]+")
_PIECE = re.compile(r'(-?)(?:"([^"]*)"?|([^\s"]+))')

CREATE_SQLITE = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS mention_words USING"
    " fts5(words, tokenize = 'unicode61 remove_diacritics 0', columnsize = 0)"
)
CREATE_POSTGRES = (
    "CREATE TABLE IF NOT EXISTS mention_words (mention_id BIGINT NOT NULL, words TSVECTOR NOT NULL,"
    " CONSTRAINT pk_mention_words PRIMARY KEY (mention_id))",
    "CREATE INDEX IF NOT EXISTS ix_mention_words_words ON mention_words USING gin (words)",
)

_SQLITE_WORDS, _POSTGRES_WORDS = (
    table("mention_words", column(key), column("words")) for key in ("rowid", "mention_id")
)


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that stand side by side; with `prefix` the last one may go on."""

    words: tuple[str, ...]
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for: all of `all_of`, none of `none_of`."""

    all_of: tuple[Phrase, ...] = ()
    none_of: tuple[Phrase, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.all_of)


ANYTHING = Question()


def words_in(text: str) -> list[str]:
    """The words of `text` as they are indexed and asked for.

    >>> words_in("Très déçu: 2 GLÄSER, 退款!")
    ['tres', 'decu', '2', 'glaser', '退', '款']
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
        text = "".join(c for c in text if not unicodedata.combining(c))
        text = unicodedata.normalize("NFC", text)  # Hangul syllables together again
    return [word[:WORD_MAX] for word in _WORD.findall(text.lower())]


def question(text: str) -> Question:
    """What a person asks for: words, "a phrase", -without; a longer word also finds what begins with it.

    >>> question('refund "no reply" -spam').none_of
    (Phrase(words=('spam',), prefix=True),)
    """
    wanted: list[Phrase] = []
    unwanted: list[Phrase] = []
    left = WORDS_MAX
    for minus, quoted, bare in _PIECE.findall(text[:1_000]):
        words = tuple(words_in(quoted or bare))[:left]
        if not words:
            continue
        left -= len(words)
        last = words[-1]
        prefix = not quoted and (bare.endswith("*") or (len(last) >= _PREFIX_FROM and last.isalpha()))
        (unwanted if minus else wanted).append(Phrase(words, prefix))
    return Question(tuple(wanted), tuple(unwanted))


class SearchLedger:
    """Statements of the index of words."""

    _connection: Connection

    def can_search(self) -> bool:
        """False where this SQLite was built without full text."""
        return _there(self._connection)

    def index_words(self, limit: int = BATCH) -> int:
        """Index up to `limit` mentions that are not yet; answers how many, 0 when all are."""
        connection = self._connection
        if not _there(connection):
            return 0
        c = mentions.c
        highest = connection.scalar(_highest(connection)) or 0
        fresh = select(c.id, c.title, c.text, c.author, c.entity)
        if connection.dialect.name == "postgresql":
            words = _words(connection)
            known = select(words.c.mention_id).where(words.c.mention_id > highest - _OVERTAKEN)
            fresh = fresh.where(c.id > highest - _OVERTAKEN, c.id.not_in(known))
        else:
            fresh = fresh.where(c.id > highest)
        rows = connection.execute(fresh.order_by(c.id).limit(limit)).all()
        _insert(connection, rows)
        return len(rows)

    def words_behind(self) -> int:
        """About how many mentions are not indexed yet."""
        if not _there(self._connection):
            return 0
        newest = self._connection.scalar(select(func.max(mentions.c.id))) or 0
        return max(0, newest - (self._connection.scalar(_highest(self._connection)) or 0))

    def tidy_words(self) -> None:
        """Overwrite what is left of removed words in the index (SQLite; seconds at a million mentions)."""
        if self._connection.dialect.name == "sqlite" and _there(self._connection):
            self._connection.exec_driver_sql("INSERT INTO mention_words (mention_words) VALUES ('optimize')")


def refresh_words(connection: Connection, ids: Sequence[int]) -> None:
    """Index these mentions anew, those that are indexed: the others' turn comes."""
    if not ids or not _there(connection):
        return
    words = _words(connection)
    known = _key(words)
    indexed = [
        identity
        for some in _chunks(ids)
        for identity in connection.scalars(select(known).where(known.in_(some)))
    ]
    drop_words(connection, indexed)
    c = mentions.c
    for some in _chunks(indexed):
        _insert(
            connection,
            connection.execute(select(c.id, c.title, c.text, c.author, c.entity).where(c.id.in_(some))).all(),
        )


def drop_words(connection: Connection, ids: Sequence[int]) -> None:
    """Take these mentions out of the index."""
    if not ids or not _there(connection):
        return
    words = _words(connection)
    for some in _chunks(ids):
        connection.execute(delete(words).where(_key(words).in_(some)))


def matching(
    connection: Connection, wanted: Question
) -> tuple[FromClause, ColumnElement[int], ColumnElement[bool]]:
    """Where to look for `wanted`: the table of words, its column of mention ids, the condition."""
    words = _words(connection)
    if connection.dialect.name == "postgresql":
        condition = text("mention_words.words @@ CAST(:asked AS tsquery)").bindparams(asked=_tsquery(wanted))
    else:
        condition = text("mention_words MATCH :asked").bindparams(asked=_fts_query(wanted))
    return words, _key(words), condition  # type: ignore[return-value]


def holders(connection: Connection, wanted: Question, among: Collection[int]) -> set[int]:
    """Which of these mentions hold what is looked for; each is looked into, five microseconds one."""
    if not among or not _there(connection):
        return set()
    words = _words(connection)
    key = _key(words)
    return set(connection.scalars(select(key).where(key.in_(among), _holding(connection, wanted))))


def far_from_filling(found: int, looked_into: int, limit: int) -> bool:
    """At this rate, will all that may be looked into yield not even a quarter of a page?

    >>> far_from_filling(0, 500, 50), far_from_filling(5, 500, 50)
    (True, False)
    """
    return 4 * PROBED * (found + 1) < limit * looked_into


def few_holding(connection: Connection, wanted: Question, most: int) -> list[int] | None:
    """All mentions that hold what is looked for, the newest first; None where they may be more than `most`."""
    if not _there(connection):
        return []
    words, sought = _sought(connection, wanted)
    if sought is None:
        return None
    key = _key(words)
    if connection.dialect.name == "postgresql" and _planned(connection, wanted) > 4 * most:
        return None
    found = select(key).select_from(words).where(sought).order_by(key.desc()).limit(most + 1)
    ids = list(connection.scalars(found))
    return ids if len(ids) <= most else None


def of_holders(connection: Connection, wanted: Question, of: ColumnElement[int]) -> ColumnElement[bool]:
    """The condition that a column of mention ids is of one that holds what is looked for; all holders are taken.

    Where they are few, SQLite is left to go from each to its row and to sort these; else it goes through the list.
    """
    if not _there(connection):
        return false()
    words, sought = _sought(connection, wanted)
    few = sought is not None and _are_few(connection, words, sought)
    if sought is None:
        words, _, sought = matching(connection, wanted)
    taken = select(_key(words)).select_from(words).where(sought)
    # Compared behind a call, the ids tell SQLite nothing about where to begin.
    return of.in_(taken) if few else func.coalesce(of, 0).in_(taken)


def _are_few(connection: Connection, words: Any, sought: ColumnElement[bool]) -> bool:
    if connection.dialect.name == "postgresql":
        return True  # it knows by itself where to begin
    found = select(_key(words)).select_from(words).where(sought).offset(HOLDERS_FEW).limit(1)
    return connection.scalar(found) is None


def _sought(connection: Connection, wanted: Question) -> tuple[Any, ColumnElement[bool] | None]:
    """How the index is asked: for the phrases that are not common, whose holders are then looked into for the others.

    FTS5 puts together all that begins with a word before it answers, and so pays for the most common one. None in
    place of the condition: all are common.
    """
    words = _words(connection)
    if connection.dialect.name == "postgresql":
        return words, matching(connection, wanted)[2]
    rare = tuple(one for one in wanted.all_of if not _is_common(connection, one))
    if not rare:
        return words, None
    _, _, found = matching(connection, Question(rare))
    return words, found if rare == wanted.all_of and not wanted.none_of else and_(
        found, _holding(connection, wanted)
    )


def _is_common(connection: Connection, phrase: Phrase) -> bool:
    """May it have many holders? Each of its words has: how often they stand side by side takes reading them all."""
    for word in phrase.words:
        words, key, found = matching(connection, Question((Phrase((word,)),)))
        if connection.scalar(select(key).select_from(words).where(found).offset(COMMON).limit(1)) is None:
            return False
    return True


def _holding(connection: Connection, wanted: Question) -> ColumnElement[bool]:
    """The condition on a row of the index that it holds what is looked for, read from its words."""
    if connection.dialect.name == "postgresql":
        return matching(connection, wanted)[2]
    words = literal(" ").concat(_words(connection).c.words).concat(" ")

    def held(one: Phrase) -> ColumnElement[int]:
        return func.instr(words, f" {' '.join(one.words)}" + ("" if one.prefix else " "))

    return and_(*(held(one) > 0 for one in wanted.all_of), *(held(one) == 0 for one in wanted.none_of))


def _planned(connection: Connection, wanted: Question) -> int:
    """How many holders PostgreSQL expects: its index counts no further than asked, but reads all of them."""
    asked = {"asked": _tsquery(wanted)}
    plan = connection.scalar(
        text(
            "EXPLAIN (FORMAT JSON) SELECT 1 FROM mention_words WHERE mention_words.words @@ CAST(:asked AS tsquery)"
        ),
        asked,
    )
    return int(plan[0]["Plan"]["Plan Rows"])


def _words(connection: Connection) -> Any:
    return _POSTGRES_WORDS if connection.dialect.name == "postgresql" else _SQLITE_WORDS


def _key(words: Any) -> Any:
    return words.c.mention_id if "mention_id" in words.c else words.c.rowid


def _highest(connection: Connection) -> Any:
    # Not max(): FTS5 reads backwards from the end, but knows no aggregate.
    key = _key(_words(connection))
    return select(key).order_by(key.desc()).limit(1)


def _insert(connection: Connection, rows: Sequence[Any]) -> None:
    if not rows:
        return
    cut = [
        (row.id, words_in(f"{row.title}\n{row.text[:TEXT_READ]}\n{row.author}\n{row.entity}")) for row in rows
    ]
    if connection.dialect.name == "postgresql":
        connection.execute(
            text(
                "INSERT INTO mention_words (mention_id, words) VALUES (:id, CAST(:words AS tsvector))"
                " ON CONFLICT (mention_id) DO UPDATE SET words = excluded.words"
            ),
            [{"id": identity, "words": _tsvector(words)} for identity, words in cut],
        )
    else:
        connection.execute(
            text("INSERT INTO mention_words (rowid, words) VALUES (:id, :words)"),
            [{"id": identity, "words": " ".join(words)} for identity, words in cut],
        )


def _tsvector(words: Iterable[str]) -> str:
    places: dict[str, list[int]] = {}
    for at, word in enumerate(words, start=1):
        found = places.setdefault(word, [])
        if len(found) < 255:
            found.append(min(at, _POSITION_MAX))
    # Words are letters and digits (`_WORD`): nothing in them could end the quotes.
    return " ".join(f"'{word}':{','.join(map(str, at))}" for word, at in places.items())


def _tsquery(wanted: Question) -> str:
    def phrase(one: Phrase) -> str:
        words = [f"'{word}'" for word in one.words]
        if one.prefix:
            words[-1] += ":*"
        return "(" + " <-> ".join(words) + ")"

    return " & ".join([*map(phrase, wanted.all_of), *("!" + phrase(one) for one in wanted.none_of)])


def _fts_query(wanted: Question) -> str:
    def phrase(one: Phrase) -> str:
        return f'"{" ".join(one.words)}"' + (" *" if one.prefix else "")

    asked = "(" + " AND ".join(map(phrase, wanted.all_of)) + ")"
    return asked + "".join(f" NOT {phrase(one)}" for one in wanted.none_of)


def _there(connection: Connection) -> bool:
    if connection.dialect.name == "postgresql":
        return True  # made with the other tables
    found = connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'mention_words'")
    return found.first() is not None


def _chunks(values: Sequence[int], size: int = 500) -> Iterable[Sequence[int]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def create_words(connection: Connection) -> None:
    """Make the table of words; on an SQLite without full text nothing: there a search reads the texts."""
    if connection.dialect.name == "postgresql":
        for statement in CREATE_POSTGRES:
            connection.execute(text(statement))
    elif connection.exec_driver_sql("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").first():
        connection.exec_driver_sql(CREATE_SQLITE)


@event.listens_for(metadata, "after_create")
def _with_words(_target: Any, connection: Connection, **_: Any) -> None:
    create_words(connection)
