"""What the team taught: fitted beside the shipped ranking, adopted only if better, undone at will."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from alerts.routing import Route
from monitor import teaching
from monitor.as_taught import judge_as_taught
from monitor.cli import cli
from monitor.config import Config, load_config
from monitor.examination import examine
from monitor.ingest import Desk, ingest, verdicts_on
from monitor.learned_rules import Example, Likeness, heaviest, said
from monitor.learning import (
    INTERCEPT,
    Row,
    Weights,
    average_precision,
    examples_of,
    fit,
    hold_out,
    learn,
    learned,
    offset_of,
    row_of,
)
from monitor.match import Brand, Matcher
from monitor.ranker import Offset, features
from monitor.replay import replay
from monitor.runner import offset_in_force
from monitor.sentiment import analyse
from monitor.triage import Thresholds
from storage.errors import StoreError
from storage.learned import Taught
from storage.records import Correction, Kind, Label, Mention, Priority, Sentiment
from storage.store import Store, open_store
from storage.tables import models

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
DESK = Desk(
    matcher=Matcher([Brand(name="Acme", terms=("Acme",))]),
    analyse=analyse,
    thresholds=Thresholds(),
    routes=(Route(channel="#alerts", priority=Priority.HIGH, respond_within=timedelta(hours=2)),),
    max_age=timedelta(days=30),
)
THINGS = ("kettle", "chair", "lamp", "table", "mirror", "carpet", "shelf", "clock", "sofa", "stool")


def lessons(count: int = 80, seed: int = 1) -> list[Example]:
    """A house where "restock" is what hurts, and "killer" is what people call a good deal."""
    rng = random.Random(seed)
    found = []
    for at in range(count):
        thing, place = rng.choice(THINGS), rng.choice(THINGS)
        bad = at % 2 == 0
        text = (
            f"Waiting for Acme to restock the {thing} next to the {place}"
            if bad
            else f"That killer {thing} from Acme stands beside my {place}"
        )
        found.append(Example(text, bad, audit=at % 3 == 0))
    return found


def row(prior: float, bad: bool, *terms: str) -> Row:
    return Row(prior, bad, terms, 3.0 / max(1, len(terms)) ** 0.35)


# -- fitting ----------------------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(
            st.floats(-6, 6), st.booleans(), st.lists(st.sampled_from("abcdefg"), max_size=6, unique=True)
        ),
        min_size=1,
        max_size=25,
    )
)
def test_the_weights_are_those_that_make_the_loss_least(given_rows: list[Any]) -> None:
    rows = [row(prior, bad, *terms) for prior, bad, terms in given_rows if terms]
    weights = fit(rows)

    def wrong(one: Row, intercept: float) -> float:
        sign = 1 if one.bad else -1
        return sign / (1 + math.exp(sign * (learned(one, weights) + intercept)))

    low, high = -30.0, 30.0  # the best intercept for these weights: its own slope only rises
    for _ in range(60):
        intercept = (low + high) / 2
        if intercept / INTERCEPT**2 > sum(wrong(one, intercept) for one in rows):
            high = intercept
        else:
            low = intercept

    def slope(term: str) -> float:
        held = sum(one.scale * wrong(one, intercept) for one in rows if term in one.terms)
        return weights.terms.get(term, 0.0) - held

    assert all(abs(slope(term)) < 0.1 for term in "abcdefg")


def test_how_many_of_the_labels_are_complaints_teaches_no_word() -> None:
    """Two of three are complaints and no word says which: none is a sign of one."""
    rows = [row(-1.0, at % 3 != 0, "the", "order", "came", str(at)) for at in range(60)]
    weights = fit(rows)
    assert all(abs(weights.terms[term]) < 0.3 for term in ("the", "order", "came"))


def test_learning_is_the_same_every_time() -> None:
    rows = [one for example in lessons() if (one := row_of(example)) is not None]
    one, other = fit(rows), fit(rows)
    assert one.terms == other.terms
    assert one.found.tolist() == other.found.tolist()


def test_a_sure_ranking_is_not_moved_by_what_it_knew_already() -> None:
    assert all(
        abs(weight) < 0.01
        for weight in fit([row(9.0, True, "broken"), row(-9.0, False, "fine")]).terms.values()
    )


def test_average_precision_gives_a_tie_no_merit() -> None:
    assert average_precision([1.0, 1.0], [True, False]) == 0.5
    assert average_precision([], []) == 0.0


def test_what_was_held_out_was_not_learned_from() -> None:
    rng = random.Random(4)
    noise = [row(rng.gauss(0, 1), rng.random() < 0.5, f"once{at}") for at in range(60)]
    held = hold_out(noise)
    assert held.precision_after == pytest.approx(held.precision_before, abs=1e-9)
    assert not held.better


# -- lessons ----------------------------------------------------------------------------------------------


def test_a_house_of_its_own_words_is_learned_and_said_as_rules() -> None:
    lesson = learn(lessons())
    assert lesson.held is not None
    assert lesson.held.better
    assert lesson.held.precision_after > lesson.held.precision_before
    assert lesson.why_not == ""
    raised = [rule for rule in lesson.rules if rule.weight > 0]
    assert any("restock" in rule.words for rule in raised)
    assert any("killer" in rule.words for rule in lesson.rules if rule.weight < 0)
    assert "posts with it needed someone" in str(raised[0])


SLOW = (
    "the parcel took two weeks to get here", "delivery was late again this month", "still waiting on my package",
    "my order has not shown up yet", "shipping takes forever with them", "the courier came three days after the date",
    "no sign of the box i ordered", "it arrived long after the birthday",
)  # fmt: skip
RUDE = (
    "the man at the counter shouted at my wife", "your staff laughed at my question", "she hung up on me twice",
    "the guard pushed my son out of the door", "he rolled his eyes and walked off", "they were so rude to my mother",
    "the manager called me a liar", "i was insulted by the lady at the desk",
)  # fmt: skip


def test_what_is_learned_of_some_words_is_learned_of_others_that_read_alike() -> None:
    """A house in which lateness is nobody's concern, and manners are: neither text has a word of its likes."""
    rows = [row_of(Example(text, text in RUDE)) for text in (*SLOW[:7], *RUDE[:7]) for _ in range(3)]
    weights = fit([one for one in rows if one is not None])
    late, rude = (row_of(Example(text, True)) for text in (SLOW[7], RUDE[7]))
    assert late is not None
    assert rude is not None
    findings = Weights({}, weights.found)
    assert learned(late, findings) < late.prior
    assert learned(rude, findings) > rude.prior


def test_what_reads_alike_is_among_the_rules_in_words() -> None:
    rules = [rule for rule in learn(lessons()).rules if isinstance(rule, Likeness)]
    assert {rule.weight > 0 for rule in rules} == {True, False}
    assert all(rule.words in " ".join(rule.example.lower().split()) for rule in rules)
    assert str(Likeness("restock the lamp", 0.4, "Waiting …")).startswith(
        "what reads like 'restock the lamp' raises (+0.40)"
    )


def test_few_labels_are_said_to_be_few() -> None:
    lesson = learn(lessons(12))
    assert lesson.held is None
    assert "too few to tell: 12 posts" in lesson.why_not


def test_alerted_posts_alone_are_never_enough() -> None:
    lesson = learn([replace(one, audit=False) for one in lessons()])
    assert "lowstar learn --audit 20" in lesson.why_not
    assert lesson.held is not None


def test_labels_without_a_pattern_are_not_adopted() -> None:
    rng = random.Random(2)
    texts = [one.text for one in lessons(60)]
    lesson = learn([Example(text, rng.random() < 0.5, audit=True) for text in texts])
    assert lesson.why_not


def test_what_is_not_read_teaches_nothing() -> None:
    assert row_of(Example("非常に遅い配送でした", True)) is None
    assert row_of(Example("", True)) is None


def test_a_label_counts_more_than_a_correction_and_that_more_than_an_answer() -> None:
    def taught(
        identity: int, wrong: str = "", answered: bool = False, negative: bool | None = None
    ) -> Taught:
        mention = Mention(source="x", external_id=str(identity), text=f"text {identity}")
        return Taught(
            identity, "Acme", mention, None if negative is not None else identity, wrong, answered, negative
        )

    found = examples_of(
        [
            taught(1, negative=False),
            taught(1, answered=True),
            taught(2, "not_negative", answered=True),
            taught(3, "more_urgent"),
            taught(4, "not_us"),
            taught(5, answered=True),
            taught(6),
        ]
    )
    assert [(one.text, one.bad) for one in found] == [
        ("text 1", False),
        ("text 2", False),
        ("text 3", True),
        ("text 4", False),
        ("text 5", True),
    ]


def test_terms_are_shown_as_people_write_them() -> None:
    assert said("~work") == "work (negated)"


# -- in force ---------------------------------------------------------------------------------------------


OFFSET = Offset(terms={"refused": -9.0, "restock": 6.0})


def judged(text: str, stars: float | None, offset: Offset | None) -> Any:
    mention = Mention(source="x", external_id="1", text=text, stars=stars)
    return judge_as_taught(mention, "Acme", analyse(text), Thresholds(), offset=offset)


@pytest.mark.parametrize("stars", [1.0, 1.5, 2.0])
def test_few_stars_are_never_lowered(stars: float) -> None:
    shipped, taught = (judged("They refused my refund", stars, one) for one in (None, OFFSET))
    assert taught.rank >= shipped.rank
    assert taught.priority >= shipped.priority


def test_words_without_stars_are_raised_and_lowered() -> None:
    assert (
        judged("They refused my refund", None, OFFSET).rank
        < judged("They refused my refund", None, None).rank
    )
    assert (
        judged("When will you restock", None, OFFSET).rank > judged("When will you restock", None, None).rank
    )


def test_what_the_team_taught_alerts_and_says_so() -> None:
    offset = learn(lessons()).offset
    text = "Waiting for Acme to restock the lamp next to the sofa"
    shipped, taught = judged(text, None, None), judged(text, None, offset)
    assert shipped.priority < Priority.HIGH
    assert taught.priority is Priority.HIGH
    assert 0.5 <= taught.rank < 0.75
    assert any("learned from your team" in reason for reason in taught.reasons)


def test_somebody_elses_analyser_keeps_its_word() -> None:
    mention = Mention(source="x", external_id="1", text="They refused my refund")
    theirs = Sentiment(-0.9876, Label.NEGATIVE)
    verdict = judge_as_taught(mention, "Acme", theirs, Thresholds(), offset=OFFSET)
    assert verdict.sentiment == theirs


def test_the_words_that_were_learned_from_together_are_the_reason() -> None:
    found = learn(lessons()).found
    offset = offset_of(
        {}, found._replace(weights=tuple(9 * one for one in found.weights), bias=9 * found.bias)
    )
    taught = judged("Waiting for Acme to restock the lamp next to the sofa", None, offset)
    (reason,) = [reason for reason in taught.reasons if "learned from your team" in reason]
    assert 1 <= len(reason.split("'")[1].split()) <= 3


def test_what_only_signs_were_learned_of_is_raised_without_a_word_to_name() -> None:
    found = learn(lessons()).found
    raising = offset_of({}, found._replace(weights=(0.0,) * len(found.weights), bias=9.0))
    taught = judged("The parcel came on Monday", None, raising)
    assert taught.priority is Priority.HIGH
    assert "learned from your team" in taught.reasons


def test_a_word_that_lowers_is_no_reason_for_raising() -> None:
    found = learn(lessons()).found
    lowering = tuple(-9 * one for one in found.weights)
    offset = offset_of({"sofa": -0.4}, found._replace(weights=lowering, bias=30.0))
    for text in ("Waiting for Acme to restock the lamp", "The sofa came on Monday", "@a @b @c ! , ."):
        words = features(examine(text), text).words
        named = dict(heaviest(words, offset))
        for reason in judged(text, None, offset).reasons:
            assert not reason.startswith("'sofa'")
            assert named.get(reason.split("'")[1] if reason.startswith("'") else "", 1.0) > 0


def test_what_was_learned_of_other_networks_findings_is_left_out() -> None:
    found = learn(lessons()).found
    assert offset_of({"restock": 1.0}, found).findings is not None
    other = offset_of({"restock": 1.0}, found._replace(networks="of another version"))
    assert (other.findings, other.bias, other.terms) == (None, 0.0, {"restock": 1.0})
    assert offset_of({"restock": 1.0}, None).findings is None


# -- in a store -------------------------------------------------------------------------------------------


def taught_store(store: Store) -> None:
    """Eighty posts: what was alerted is corrected or answered, what was not is labelled."""
    posts = [
        Mention(
            source="forum",
            external_id=str(at),
            kind=Kind.POST,
            text=one.text,
            published_at=NOW - timedelta(hours=at),
        )
        for at, one in enumerate(lessons())
    ]
    ingest(posts, store, DESK, NOW)
    with store.transaction() as ledger:
        ids = {post.external_id: ledger.known([post.key])[post.key].id for post in posts}
        rows = [(ids[str(at)], "Acme", one.bad) for at, one in enumerate(lessons())]
        assert ledger.write_labels([*rows, (9_999, "Acme", True)], "ann", NOW) == 80


def config(folder: Path, url: str = "sqlite:///lowstar.db", more: str = "") -> Config:
    path = folder / "lowstar.toml"
    path.write_text(f'[store]\nurl = "{url}"\n[[brands]]\nname = "Acme"\n{more}', encoding="utf-8")
    return load_config(path, {})


def test_a_version_is_kept_adopted_used_and_undone(store: Store, tmp_path: Path) -> None:
    taught_store(store)
    settings = config(tmp_path)
    taught = teaching.teach(store, settings, NOW)
    assert taught.version is not None
    with store.reading() as ledger:
        assert ledger.model_in_force() is None
    assert taught.history.looked_at == 80

    assert teaching.adopt(store, taught.version, NOW)
    assert not teaching.adopt(store, taught.version, NOW)
    second = teaching.teach(store, settings, NOW)
    assert second.history.changes == 0
    assert second.version is not None
    teaching.adopt(store, second.version, NOW + timedelta(hours=1))

    undone = teaching.undo(store, NOW)
    assert undone is not None
    was, left = undone
    assert (was.id, left.id if left else None) == (second.version, taught.version)
    teaching.undo(store, NOW)
    assert teaching.undo(store, NOW) is None
    with store.reading() as ledger:
        assert len(ledger.models()) == 2
        assert ledger.models()[0].report["rules"]


def test_a_version_is_read_as_it_was_kept(store: Store) -> None:
    lesson = learn(lessons())
    with store.transaction() as ledger:
        version = ledger.save_model(lesson.terms, lesson.found, {}, NOW)
        ledger.adopt_model(version, NOW)
    with store.reading() as ledger:
        model = ledger.model_in_force()
    assert model is not None
    assert (model.terms, model.found) == (lesson.terms, lesson.found)
    offset = offset_in_force(store)
    assert offset is not None
    assert offset.findings is not None


def test_a_version_of_before_there_were_findings_is_still_read(store: Store) -> None:
    with store.transaction() as ledger:
        ledger.adopt_model(ledger.save_model({}, None, {}, NOW), NOW)
        ledger._connection.execute(update(models).values(weights='{"found": 0.4, "restock": 1.5}'))
    with store.reading() as ledger:
        model = ledger.model_in_force()
    assert model is not None
    assert (model.terms, model.found) == ({"found": 0.4, "restock": 1.5}, None)


@pytest.mark.parametrize("weights", ["", "[]", "7", '{"": 3}', '{"": {"bias": 0}}'])
def test_a_version_that_cannot_be_read_is_named(store: Store, weights: str) -> None:
    with store.transaction() as ledger:
        ledger.adopt_model(ledger.save_model({}, None, {}, NOW), NOW)
        ledger._connection.execute(update(models).values(weights=weights))
    with store.reading() as ledger, pytest.raises(StoreError, match="models: version 1 cannot be read"):
        ledger.model_in_force()


def test_an_older_lowstar_finds_only_words_where_it_looks(store: Store) -> None:
    lesson = learn(lessons())
    with store.transaction() as ledger:
        ledger.save_model(lesson.terms, lesson.found, {}, NOW)
        held = json.loads(ledger._connection.execute(select(models.c.weights)).scalar_one())
    assert {term: weight for term, weight in held.items() if term} == lesson.terms


def test_corrections_and_answers_are_what_is_learned_from(store: Store) -> None:
    posts = [
        Mention(source="shop", external_id=str(at), kind=Kind.REVIEW, stars=1.0, text=text, published_at=NOW)
        for at, text in enumerate(
            ("Acme refused my refund", "Acme broke my sofa", "Acme never called me back")
        )
    ]
    ingest(posts, store, DESK, NOW)
    with store.transaction() as ledger:
        first, second, third = sorted(one.case.number for one in ledger.cases_worst_first())
        ledger.add_correction(Correction(first, NOW, "ann", "more_urgent"))
        ledger.add_correction(Correction(first, NOW, "bob", "not_negative"))
        case = ledger.case(second)
        assert case is not None
        assert ledger.save_case(replace(case, first_response_at=NOW, version=2), was_version=1)
        found = ledger.taught_by_cases()
        assert [(one.number, one.wrong, one.answered) for one in found] == [
            (first, "not_negative", False),
            (second, "", True),
        ]
        assert ledger.not_alerted(NOW - timedelta(days=1)) == []
        assert third


def test_the_audit_sample_is_of_what_nobody_was_alerted_to(store: Store) -> None:
    posts = [
        Mention(
            source="shop",
            external_id=str(at),
            kind=Kind.REVIEW,
            stars=stars,
            text=f"Acme {at}",
            published_at=NOW,
        )
        for at, stars in enumerate((1.0, 5.0, 5.0, 4.0, 5.0))
    ]
    ingest(posts, store, DESK, NOW)
    sample = teaching.audit_sample(store, NOW - timedelta(days=1), 3)
    assert len(sample) == 3
    assert all((one.mention.stars or 0) >= 4 for one in sample)
    with store.transaction() as ledger:
        ledger.write_labels([(one.mention_id, one.brand, False) for one in sample], "ann", NOW)
    assert len(teaching.audit_sample(store, NOW - timedelta(days=1), 9)) == 1


def test_labels_are_read_line_by_line_and_mistakes_are_named() -> None:
    rows, problems = teaching.read_labels(
        [
            '{"id": 1, "brand": "Acme", "negative": true}',
            "",
            '{"id": 2, "brand": "Acme", "negative": "no"}',
            '{"id": 3, "brand": "Acme", "negative": null}',
            '{"id": "x"}',
            "[" * 100_000,
            '{"id": -4, "brand": "Acme", "negative": true}',
        ]
    )
    assert rows == [(1, "Acme", True), (2, "Acme", False)]
    assert [problem.partition(":")[0] for problem in problems] == ["line 5", "line 6", "line 7"]


# -- another configuration --------------------------------------------------------------------------------


def test_a_changed_configuration_is_tried_on_history(store: Store) -> None:
    posts = [
        Mention(
            source="shop",
            external_id=str(at),
            kind=Kind.REVIEW,
            stars=stars,
            text="Acme it was",
            published_at=NOW,
        )
        for at, stars in enumerate((1.0, 2.0, 3.0, 5.0))
    ]
    ingest(posts, store, DESK, NOW)
    (route,) = DESK.routes
    stricter = replace(DESK, routes=(replace(route, priority=Priority.URGENT),))
    history = replay(store, DESK, stricter, NOW)
    assert [move.mention.stars for move in history.removed] == [2.0]
    assert not history.added
    back = replay(store, stricter, DESK, NOW)
    assert [move.mention.stars for move in back.added] == [2.0]
    elsewhere = replace(DESK, routes=(replace(route, channel="#other"),))
    assert len(replay(store, DESK, elsewhere, NOW).moved) == 2
    nobody = replace(DESK, matcher=Matcher([Brand(name="Zenith", terms=("Zenith",))]))
    assert len(replay(store, DESK, nobody, NOW).removed) == 2
    lines = teaching.replay_lines(history, {"shop": "The Shop"})
    assert lines[0].startswith("Of 4 stored posts it would have moved 0 up and 1 down")
    assert "The Shop 2★" in lines[1]
    assert verdicts_on(posts[0], DESK)


# -- the command ------------------------------------------------------------------------------------------


@pytest.fixture
def house(tmp_path: Path) -> list[str]:
    config(tmp_path)
    with open_store(f"sqlite:///{tmp_path / 'lowstar.db'}") as store:
        taught_store(store)
    return ["--config", str(tmp_path / "lowstar.toml")]


def test_learn_shows_then_adopts_then_undoes(house: list[str]) -> None:
    run = CliRunner().invoke
    shown = run(cli, [*house, "learn"])
    assert shown.exit_code == 0, shown.output
    assert "Learned from 80 posts, 40 of which needed someone" in shown.output
    assert "it would have moved" in shown.output
    assert "restock" in shown.output
    assert "learn --adopt" in shown.output
    assert "Nothing learned is in use" in run(cli, [*house, "learn", "--rules"]).output
    assert "Version 1 is in use" in run(cli, [*house, "learn", "--adopt"]).output
    assert "restock" in run(cli, [*house, "learn", "--rules"]).output
    assert "Version 1 is no longer in use" in run(cli, [*house, "learn", "--undo"]).output


def test_check_says_when_a_version_was_learned_with_other_networks(house: list[str], tmp_path: Path) -> None:
    run = CliRunner().invoke
    assert "learned from the team" not in run(cli, [*house, "check"]).output
    run(cli, [*house, "learn", "--adopt"])
    fits = run(cli, [*house, "check"]).output
    assert "version 1" in fits
    assert "learn --adopt" not in fits
    assert "what reads like" in run(cli, [*house, "learn", "--rules"]).output
    with open_store(f"sqlite:///{tmp_path / 'lowstar.db'}") as store, store.transaction() as ledger:
        held = json.loads(ledger._connection.execute(select(models.c.weights)).scalar_one())
        held[""]["networks"] = "of another version"
        ledger._connection.execute(update(models).values(weights=json.dumps(held)))
    said = run(cli, [*house, "check"]).output
    assert "learn --adopt" in said
    rules = run(cli, [*house, "learn", "--rules"]).output
    assert "learn --adopt" in rules
    assert "restock" in rules
    assert "what reads like" not in rules


def test_the_audit_sample_goes_out_as_lines_and_comes_back_as_labels(
    house: list[str], tmp_path: Path
) -> None:
    with open_store(f"sqlite:///{tmp_path / 'lowstar.db'}") as store:
        post = Mention(
            source="forum",
            external_id="x",
            text="Acme opened a shop in Leeds",
            published_at=datetime.now(UTC),
        )
        ingest([post], store, DESK, datetime.now(UTC))
    out = CliRunner().invoke(cli, [*house, "learn", "--audit", "5"]).output
    (line,) = out.splitlines()
    (tmp_path / "labels.jsonl").write_text(
        json.dumps({**json.loads(line), "negative": False}), encoding="utf-8"
    )
    kept = CliRunner().invoke(cli, [*house, "learn", "--import", str(tmp_path / "labels.jsonl")])
    assert (kept.exit_code, kept.output) == (0, "1 labels kept.\n")


def test_replay_lists_what_another_file_would_change(house: list[str], tmp_path: Path) -> None:
    new = tmp_path / "new.toml"
    new.write_text('[store]\nurl = "sqlite:///other.db"\n[[brands]]\nname = "Zenith"\n', encoding="utf-8")
    done = CliRunner().invoke(cli, [*house, "replay", str(new), "--back", "52w"])
    assert done.exit_code == 0, done.output
    assert "Of 80 stored posts" in done.output
    assert not (tmp_path / "other.db").exists()
