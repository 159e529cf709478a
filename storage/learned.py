"""What has the team said about verdicts, and what was learned of it?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, Select, and_, func, insert, select, update

from storage.errors import StoreError
from storage.records import CaseStatus, Mention, clean_text
from storage.rows import mention_from
from storage.tables import cases, corrections, inserting, labels, mentions, models, verdicts

CHUNK = 500
SAMPLED_FROM = 50_000  # the newest mentions nobody was alerted to; an older one nobody remembers


@dataclass(frozen=True, slots=True)
class Taught:
    """One mention and what a person said of it: by a correction, by answering it, or by a label."""

    mention_id: int
    brand: str
    mention: Mention
    number: int | None  # of its case
    wrong: str  # the newest correction; "" where there is none
    answered: bool  # somebody answered its case: it was right to show it
    negative: bool | None  # the label of a mention nobody was alerted to


class FoundWeights(NamedTuple):
    """What was learned of the findings of certain networks (`monitor.windows`)."""

    networks: str  # their name
    bias: float  # logits
    weights: tuple[float, ...]  # logits a unit


@dataclass(frozen=True, slots=True)
class Model:
    """One version of what was learned here."""

    id: int
    made_at: datetime
    adopted_at: datetime | None
    undone_at: datetime | None
    terms: Mapping[str, float]
    found: FoundWeights | None  # None in a version of before there were any
    report: Mapping[str, Any]

    @property
    def in_force(self) -> bool:
        """True for one that was adopted and not undone; of several the newest counts."""
        return self.adopted_at is not None and self.undone_at is None


class LearnedLedger:
    """Statements of the tables `labels` and `models`, and of corrections with what they are about."""

    _connection: Connection

    def taught_by_cases(self) -> list[Taught]:
        """Each case somebody corrected or answered, with its mention, by number. None of a removed mention."""
        c = cases.c
        newest = (
            select(corrections.c.number, func.max(corrections.c.id).label("id"))
            .group_by(corrections.c.number)
            .subquery("newest")
        )
        found = (
            select(*mentions.c, c.number, c.brand, c.status, c.first_response_at, corrections.c.wrong)
            .select_from(
                cases.join(mentions, mentions.c.id == c.mention_id)
                .outerjoin(newest, newest.c.number == c.number)
                .outerjoin(corrections, corrections.c.id == newest.c.id)
            )
            .where(
                mentions.c.removed_at.is_(None),
                corrections.c.wrong.is_not(None) | c.first_response_at.is_not(None),
            )
            .order_by(c.number)
        )
        return [
            Taught(
                row[mentions.c.id],
                row[c.brand],
                mention_from(row),
                row[c.number],
                row[corrections.c.wrong] or "",
                row[c.first_response_at] is not None and row[c.status] != CaseStatus.DISMISSED.value,
                None,
            )
            for row in self._connection.execute(found).mappings()
        ]

    def taught_by_labels(self) -> list[Taught]:
        """Each labelled mention, by id. None that was removed."""
        found = (
            select(*mentions.c, labels.c.brand, labels.c.negative)
            .join_from(labels, mentions, mentions.c.id == labels.c.mention_id)
            .where(mentions.c.removed_at.is_(None))
            .order_by(mentions.c.id, labels.c.brand)
        )
        return [
            Taught(
                row[mentions.c.id], row[labels.c.brand], mention_from(row), None, "", False, row["negative"]
            )
            for row in self._connection.execute(found).mappings()
        ]

    def not_alerted(self, since: datetime) -> list[tuple[int, str]]:
        """Mentions posted since that opened no case and carry no label yet, as (id, brand), newest first."""
        v, c, one = verdicts.c, cases.c, labels.c
        found = (
            select(v.mention_id, v.brand)
            .select_from(
                verdicts.join(mentions, mentions.c.id == v.mention_id)
                .outerjoin(cases, and_(c.mention_id == v.mention_id, c.brand == v.brand))
                .outerjoin(labels, and_(one.mention_id == v.mention_id, one.brand == v.brand))
            )
            .where(
                v.posted_at >= since,
                c.number.is_(None),
                one.mention_id.is_(None),
                mentions.c.removed_at.is_(None),
                (mentions.c.text != "") | (mentions.c.title != ""),
            )
            .order_by(v.mention_id.desc(), v.brand)
            .limit(SAMPLED_FROM)
        )
        return [(row.mention_id, row.brand) for row in self._connection.execute(found)]

    def write_labels(self, rows: Iterable[tuple[int, str, bool]], actor: str, now: datetime) -> int:
        """Keep what a person said of mentions (id, brand, negative), in place of what was said before.

        Answers how many; what is no kept mention is passed over.
        """
        wanted = {(identity, brand): negative for identity, brand, negative in rows}
        ids = sorted({identity for identity, _ in wanted})
        known = {
            (row.mention_id, row.brand)
            for some in (ids[at : at + CHUNK] for at in range(0, len(ids), CHUNK))
            for row in self._connection.execute(
                select(verdicts.c.mention_id, verdicts.c.brand).where(verdicts.c.mention_id.in_(some))
            )
        }
        values = [
            {
                "mention_id": identity,
                "brand": brand,
                "negative": negative,
                "at": now,
                "actor": clean_text(actor, 255),
            }
            for (identity, brand), negative in sorted(wanted.items())
            if (identity, brand) in known
        ]
        if values:
            new = inserting(self._connection, labels)
            self._connection.execute(
                new.on_conflict_do_update(
                    index_elements=["mention_id", "brand"],
                    set_={name: new.excluded[name] for name in ("negative", "at", "actor")},
                ),
                values,
            )
        return len(values)

    # -- versions -------------------------------------------------------------------------------------------

    def save_model(
        self, terms: Mapping[str, float], found: FoundWeights | None, report: Mapping[str, Any], now: datetime
    ) -> int:
        """Keep a version; it is not in force before it is adopted. Answers its id."""
        return int(
            self._connection.execute(
                insert(models)
                .values(
                    made_at=now,
                    weights=json.dumps(
                        {**terms, **({} if found is None else {_FOUND: found._asdict()})}, ensure_ascii=False
                    ),
                    report=json.dumps(report, ensure_ascii=False),
                )
                .returning(models.c.id)
            ).scalar_one()
        )

    def adopt_model(self, identity: int, now: datetime) -> bool:
        """Put a version into force; False where there is none with this id, or it was adopted before."""
        m = models.c
        done = self._connection.execute(
            update(models).where(m.id == identity, m.adopted_at.is_(None)).values(adopted_at=now)
        )
        return done.rowcount == 1

    def undo_model(self, now: datetime) -> Model | None:
        """Take the version in force out of it; the one adopted before it is in force again. None: there is none."""
        model = self.model_in_force()
        if model is None:
            return None
        self._connection.execute(update(models).where(models.c.id == model.id).values(undone_at=now))
        return model

    def model_in_force(self) -> Model | None:
        """The version that judges now; None where nothing was adopted, or all was undone."""
        m = models.c
        in_force = select(models).where(m.adopted_at.is_not(None), m.undone_at.is_(None))
        return self._one(in_force.order_by(m.adopted_at.desc(), m.id.desc()).limit(1))

    def models(self) -> list[Model]:
        """Every version, oldest first."""
        rows = self._connection.execute(select(models).order_by(models.c.id)).mappings()
        return [_model(row) for row in rows]

    def _one(self, statement: Select[Any]) -> Model | None:
        row = self._connection.execute(statement).mappings().first()
        return None if row is None else _model(row)

    # -- history --------------------------------------------------------------------------------------------

    def judged_since(self, since: datetime, limit: int) -> list[tuple[int, Mention, bool]]:
        """What was said since, newest first: (id, mention, whether it has a case). None removed."""
        m = mentions.c
        has_case = select(cases.c.number).where(cases.c.mention_id == m.id).exists()
        found = (
            select(mentions, has_case.label("has_case"))
            .where(m.posted_at >= since, m.removed_at.is_(None))
            .order_by(m.posted_at.desc(), m.id.desc())
            .limit(limit)
        )
        return [
            (row[m.id], mention_from(row), bool(row["has_case"]))
            for row in self._connection.execute(found).mappings()
        ]


# Beside term → weight: no term is empty, so a lowstar that knows of words only never looks it up.
_FOUND = ""


def _model(row: RowMapping) -> Model:
    try:
        terms = json.loads(row["weights"])
        found = terms.pop(_FOUND, None)
        if found is not None:
            found = FoundWeights(str(found["networks"]), float(found["bias"]), tuple(found["weights"]))
        report = json.loads(row["report"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"models: version {row['id']} cannot be read ({type(error).__name__})") from error
    return Model(row["id"], row["made_at"], row["adopted_at"], row["undone_at"], terms, found, report)
