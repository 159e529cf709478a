"""What does a digest say of six kinds of weeks, and is every number the one the raw rows give?"""

from __future__ import annotations

import json
import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from weekscenes import SCENES, Scene
from weekstore import MONDAY, WEEK, WeekStore, day, digest, wanted, week_before

from alerts.digest_blocks import digest_body
from monitor.digest_html import html
from monitor.digest_send import card_of
from monitor.digest_shape import Digest
from monitor.digest_text import markdown, plain_text
from monitor.noise import Change
from monitor.weeks import Span, read_period
from storage.records import DatePrecision, Removal
from storage.store import Store, open_store

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(params=SCENES, ids=lambda scene: scene.name)
def told(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Scene, Digest, Path]]:
    path = tmp_path / "week.db"
    with open_store(f"sqlite:///{path}") as store:
        request.param.fill(store)
        yield request.param, digest(store, request.param.asked), path


def test_the_digest_of_a_fixed_store_is_the_golden_one(told: tuple[Scene, Digest, Path]) -> None:
    scene, found, _ = told
    card = json.dumps(digest_body(card_of(found)), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    roads = (
        (".md", markdown(found)),
        (".txt", plain_text(found)),
        (".html", html(found)),
        (".slack.json", card),
    )
    for ending, text in roads:
        golden = GOLDEN / f"digest_{scene.name}{ending}"
        if os.environ.get("UPDATE_GOLDEN"):
            golden.parent.mkdir(exist_ok=True)
            golden.write_text(text, encoding="utf-8")
        assert text == golden.read_text(encoding="utf-8"), f"UPDATE_GOLDEN=1 rewrites {golden.name}"


# -- the same numbers, by another road -----------------------------------------------------------------------


def _raw(path: Path) -> list[dict[str, Any]]:
    """Every mention of Acme as sqlite3 gives it, with its local day."""
    with sqlite3.connect(path) as database:
        database.row_factory = sqlite3.Row
        rows = database.execute(
            "SELECT m.id, m.source, m.entity, m.stars, m.posted_at, m.date_precision, v.compound"
            " FROM mentions m JOIN verdicts v ON v.mention_id = m.id WHERE v.brand = 'Acme'"
        ).fetchall()
    database.close()
    found = []
    for row in rows:
        at = datetime.fromtimestamp(row["posted_at"] / 1_000_000, UTC)
        zone = UTC if row["date_precision"] == "day" else ZoneInfo("Europe/Berlin")
        found.append({**dict(row), "day": at.astimezone(zone).date()})
    return found


def _in(rows: list[dict[str, Any]], first: date, last: date) -> list[dict[str, Any]]:
    return [row for row in rows if first <= row["day"] <= last]


def _negative(row: dict[str, Any]) -> bool:
    return row["stars"] <= 2 if row["stars"] is not None else row["compound"] <= -0.05


def test_counts_are_those_of_the_raw_rows(told: tuple[Scene, Digest, Path]) -> None:
    scene, found, path = told
    period = scene.asked.period
    rows = _raw(path)
    week = _in(rows, period.first, period.last)
    assert found.mentions.now == len(week)
    assert set(found.mentions.posts) == {row["id"] for row in week}
    assert set(found.negative.posts) == {row["id"] for row in week if _negative(row)}
    assert found.negative.now == len(found.negative.posts) == found.negative_share.part
    earlier = [
        _in(rows, period.first - timedelta(days=7 * n), period.last - timedelta(days=7 * n))
        for n in range(1, 5)
    ]
    known = [one for one in earlier if one]
    assert found.mentions.last == (len(earlier[0]) if earlier[0] else None)
    assert found.mentions.usual == (pytest.approx(sum(map(len, known)) / len(known)) if known else None)
    usual_negative = [sum(map(_negative, one)) for one in known]
    assert found.negative.usual == (pytest.approx(sum(usual_negative) / len(known)) if known else None)


def test_averages_are_those_of_the_raw_rows(told: tuple[Scene, Digest, Path]) -> None:
    scene, found, path = told
    period = scene.asked.period
    rows = _raw(path)

    def mean(values: list[float]) -> Any:
        return pytest.approx(sum(values) / len(values)) if values else None

    def stars(week: list[dict[str, Any]]) -> list[float]:
        return [row["stars"] for row in week if row["stars"] is not None]

    def tone(week: list[dict[str, Any]]) -> list[float]:
        return [row["compound"] for row in week if row["compound"]]

    week = _in(rows, period.first, period.last)
    last = _in(rows, period.first - timedelta(days=7), period.last - timedelta(days=7))
    usual = _in(rows, period.first - timedelta(days=28), period.first - timedelta(days=1))
    for value, take in ((found.stars, stars), (found.tone, tone)):
        assert (value.value, value.last, value.usual) == (
            mean(take(week)),
            mean(take(last)),
            mean(take(usual)),
        )
        assert (value.count, value.last_count, value.usual_count) == (
            len(take(week)),
            len(take(last)),
            len(take(usual)),
        )


def test_parts_are_those_of_the_raw_rows(told: tuple[Scene, Digest, Path]) -> None:
    scene, found, path = told
    week = _in(_raw(path), scene.asked.period.first, scene.asked.period.last)
    assert {bar.stars: bar.count for bar in found.bars if bar.count} == Counter(
        round(row["stars"]) for row in week if row["stars"]
    )
    assert {part.name: part.mentions for part in found.sources if part.mentions} == Counter(
        row["source"] for row in week
    )
    assert {part.name: part.mentions for part in found.places} == Counter(
        row["entity"] for row in week if row["entity"]
    )
    assert {one.day: one.mentions for one in found.days if one.mentions} == Counter(
        row["day"] for row in week
    )
    for part in (*found.sources, *found.places, *found.bars, *found.days):
        count = part.count if hasattr(part, "count") else part.mentions
        assert count == len(part.posts)


def test_answers_are_those_of_the_raw_cases(told: tuple[Scene, Digest, Path]) -> None:
    scene, found, path = told
    with sqlite3.connect(path) as database:
        cases = database.execute(
            "SELECT opened_at, respond_by, first_response_at, status FROM cases"
        ).fetchall()
    database.close()
    start, end = (
        int(at.timestamp() * 1_000_000) for at in (scene.asked.period.start_at, scene.asked.period.end_at)
    )
    due = [
        case for case in cases if start <= case[1] < end and not (case[3] == "dismissed" and case[2] is None)
    ]
    in_time = [case for case in due if case[2] is not None and case[2] <= case[1]]
    assert (found.answers.in_time.part, found.answers.in_time.whole) == (len(in_time), len(due))
    times = sorted(case[2] - case[0] for case in cases if case[2] is not None and start <= case[2] < end)
    middle = (times[(len(times) - 1) // 2] + times[len(times) // 2]) / 2 if times else None
    assert found.answers.median == (None if middle is None else timedelta(microseconds=middle))
    assert found.answers.answered == len(times)


def test_promises_corrections_and_rivals_are_those_of_the_raw_rows(told: tuple[Scene, Digest, Path]) -> None:
    scene, found, path = told
    start, end = (
        int(at.timestamp() * 1_000_000) for at in (scene.asked.period.start_at, scene.asked.period.end_at)
    )
    with sqlite3.connect(path) as database:
        promised = database.execute(
            "SELECT due_by, kept_at FROM promises WHERE due_by >= ? AND due_by < ?", (start, end)
        ).fetchall()
        corrected = database.execute(
            "SELECT number, wrong FROM corrections WHERE at >= ? AND at < ?", (start, end)
        ).fetchall()
        opened = database.execute(
            "SELECT count(*) FROM cases WHERE opened_at >= ? AND opened_at < ?", (start, end)
        ).fetchone()[0]
        spoken = dict(
            database.execute(
                "SELECT brand, count(*) FROM verdicts WHERE posted_at >= ? AND posted_at < ? GROUP BY brand",
                (start, end),
            ).fetchall()
        )
    database.close()
    kept = [one for one in promised if one[1] is not None and one[1] < end]
    in_time = sum(one[1] <= one[0] for one in kept)
    told_of = found.promises
    assert (len(told_of.kept), len(told_of.late), len(told_of.broken)) == (
        in_time,
        len(kept) - in_time,
        len(promised) - len(kept),
    )
    assert sorted(found.corrections.names) == sorted(f"REP-{number:04d}" for number, _ in corrected)
    assert found.corrections.judged == opened
    heard = {voice.name: voice.mentions for voice in found.voices if voice.basis == "listened for"}
    assert all(spoken.get(name, 0) == count for name, count in heard.items())


# -- single facts --------------------------------------------------------------------------------------------


@pytest.fixture
def weeks(sqlite_store: Store) -> WeekStore:
    return WeekStore(sqlite_store)


def test_a_week_of_which_nothing_is_known_is_not_an_empty_week(weeks: WeekStore) -> None:
    found = digest(weeks.store)
    assert not found.known
    assert found.mentions.now is None
    assert found.stars.value is None
    assert "nothing is known" in markdown(found).lower()
    weeks.runs(day(0), day(6))
    assert digest(weeks.store).mentions.now == 0


def test_earlier_weeks_nobody_listened_in_are_not_zero(weeks: WeekStore) -> None:
    for at in range(20):
        weeks.mention(day(at % 7, at), "Late delivery.", 1)
    found = digest(weeks.store)
    assert (found.mentions.last, found.mentions.usual, found.mentions.change) == (None, None, Change.UNKNOWN)
    weeks.runs(week_before(1, 0), week_before(1, 6))
    found = digest(weeks.store)
    assert (found.mentions.last, found.mentions.usual, found.mentions.change) == (0, 0, Change.UP)


def test_a_small_count_is_no_trend(weeks: WeekStore) -> None:
    weeks.runs(week_before(4, 0), day(6), every=24)
    weeks.mention(day(1), "Late delivery.", 1)
    weeks.mention(day(2), "Late parcel.", 1)
    found = digest(weeks.store)
    assert found.mentions.change is Change.FEW
    assert {fact.trend for fact in found.hurts} == {""}


def test_a_new_complaint_of_three_people_is_new_and_one_that_ended_is_gone(weeks: WeekStore) -> None:
    for step in range(1, 5):
        for at in range(6):
            weeks.mention(week_before(step, at), "Rude manager.", 1)
        weeks.mention(week_before(step), "Great shop, love it.", 5)
    for at in range(3):
        weeks.mention(day(at), "My refund was refused.", 1)
    found = digest(weeks.store)
    assert {fact.name: fact.trend for fact in found.hurts}["Refund"] == "new"
    assert "Staff" in [fact.name for fact in found.gone]


def test_a_day_without_a_time_counts_as_that_day_in_every_zone(weeks: WeekStore) -> None:
    for zone in ("America/Los_Angeles", "Asia/Tokyo", "UTC"):
        period = read_period(Span.WEEK, "2026-W47", zone)
        assert period is not None
        monday = datetime(2026, 11, 16, tzinfo=UTC)
        mine = weeks.mention(monday, f"Rude in {zone}.", 1, date_precision=DatePrecision.DAY)
        after = weeks.mention(
            monday + timedelta(days=7), f"Late {zone}.", 1, date_precision=DatePrecision.DAY
        )
        found = digest(weeks.store, wanted(period))
        assert mine in found.mentions.posts
        assert after not in found.mentions.posts
        later = digest(weeks.store, wanted(period.before(-1)))
        assert later.mentions.last == found.mentions.now
        assert after in later.mentions.posts


def test_stars_won_back_need_an_answer_before_the_change(weeks: WeekStore) -> None:
    answered = weeks.mention(week_before(1), "Late delivery.", 1)
    weeks.case(answered, week_before(1), answered=timedelta(hours=1))
    silent = weeks.mention(week_before(1), "Broken lid.", 1)
    weeks.case(silent, week_before(1), answered=timedelta(days=9))
    replied = weeks.mention(
        week_before(1), "Rude staff.", 2, owner_reply="Sorry!", owner_replied_at=week_before(1, 3)
    )
    for one in (answered, silent, replied):
        weeks.restar(one, 4, day(2))
    weeks.restar(answered, 5, day(3))
    found = digest(weeks.store)
    assert {(one.post.id, one.before, one.after) for one in found.stars_won} == {
        (answered, 1, 5),
        (replied, 2, 4),
    }
    assert {one.post.id for one in found.star_changes} == {answered, silent, replied}
    # The week after knows nothing of it, and the recovery rate does.
    after = digest(weeks.store, wanted(WEEK.before(-1)))
    assert after.star_changes == ()
    # The one that was answered late had four stars by then: there was nothing to win back.
    assert (after.recovery.raised, after.recovery.answered) == (1, 1)


def test_a_past_week_is_told_as_it_stood_at_its_end(weeks: WeekStore) -> None:
    mine = weeks.mention(day(6, 20), "Late delivery.", 1)
    weeks.case(mine, day(6, 21), answered=timedelta(hours=5), closed=timedelta(hours=8))
    soon = digest(weeks.store, now=WEEK.end_at)
    late = digest(weeks.store, now=WEEK.end_at + timedelta(days=30))
    assert soon == late
    assert [one.name for one in late.open] == ["REP-0001"]
    assert late.answers.in_time.whole == 0  # due on Monday: next week's number
    assert digest(weeks.store, wanted(WEEK.before(-1))).answers.in_time.whole == 1


def test_a_week_that_is_not_over_says_so_and_is_compared_by_its_days(weeks: WeekStore) -> None:
    for step in range(1, 5):
        for at in range(14):
            weeks.mention(week_before(step, at % 7, at), "Late.", 1)
    for at in range(4):
        weeks.mention(day(at % 2, 10), "Late.", 1)
    found = digest(weeks.store, now=day(2, 0))
    assert not found.whole
    assert found.mentions.change is Change.SAME
    assert [one.day.day for one in found.days] == [16, 17]
    assert "so far" in markdown(found)


def test_what_came_late_and_what_was_removed_is_said(weeks: WeekStore) -> None:
    weeks.mention(day(1), "Late delivery by Acme.", 1, seen_at=WEEK.end_at + timedelta(hours=2))
    weeks.mention(day(2), "Secret words.", 1, external_id="gone")
    with weeks.store.transaction() as ledger:
        ledger.remove([Removal("shop", "gone")], WEEK.end_at)
    found = digest(weeks.store)
    assert found.mentions.now == 2
    assert any("only after the week was over" in note for note in found.notes)
    assert any("removed by their authors" in note for note in found.notes)
    assert "Secret" not in markdown(found)


def test_a_source_that_was_not_read_is_blind_and_one_that_began_in_the_week_is_not(weeks: WeekStore) -> None:
    weeks.runs(MONDAY - timedelta(hours=5), day(3), every=6)  # then nothing
    weeks.runs(day(4), WEEK.end_at, source="forum", every=6)
    every = {"shop": timedelta(hours=6), "forum": timedelta(hours=6), "never": timedelta(hours=1)}
    found = digest(weeks.store, wanted(every=every))
    blind = {one.name: one.blind for one in found.blind}
    assert set(blind) == {"shop", "never"}
    assert blind["shop"] is not None
    assert timedelta(days=3) < blind["shop"] < timedelta(days=4)
    assert blind["never"] == timedelta(days=7)


def test_quotes_to_reuse_hold_no_complaint_and_nothing_private(weeks: WeekStore) -> None:
    weeks.mention(day(0), "Love it. Write to me at jo@mail.example or 0123 4567 890, best shop.", 5)
    weeks.mention(day(1), "Best kettle ever, perfect. But the lid leaks.", 5, title="Great")
    weeks.mention(
        day(2), "Best kettle ever, perfect. But the lid leaks.", 5, author="A bot with the same words"
    )
    weeks.mention(day(3), "<b>Wonderful</b> people, kind & helpful staff.", 5, owner_reply="Thanks")
    found = digest(weeks.store)
    words = [love.words for love in found.loves]
    assert "Best kettle ever, perfect." in words
    assert len(words) == len(set(words)) == 2
    assert not any("@" in one or "leaks" in one for one in words)
    assert found.thank is not None
    assert found.thank.post.author != "Author 4"  # was thanked already


def test_every_form_of_the_digest_keeps_strangers_words_as_words(weeks: WeekStore) -> None:
    nasty = "[a](javascript:x) <script>alert(1)</script> `x` | **b** \x1b[31m late"
    mine = weeks.mention(
        day(0), nasty, 1, entity="| <img src=x onerror=1> |", author="](http://evil.example)"
    )
    weeks.case(mine, day(0), owner="*me*")
    text = markdown(digest(weeks.store))
    assert "<script>" not in text.replace("\\<", "")
    assert "\\<script\\>" in text
    assert "\x1b" not in text + plain_text(digest(weeks.store))
    assert "](javascript" not in text


def test_a_day_and_a_month_can_be_told(weeks: WeekStore) -> None:
    for at in range(6):
        weeks.mention(day(at), "Late.", 1)
    saturday = read_period(Span.DAY, "2026-11-21", "Europe/Berlin")
    november = read_period(Span.MONTH, "2026-11", "Europe/Berlin")
    assert saturday is not None
    assert november is not None
    assert digest(weeks.store, wanted(saturday)).mentions.now == 1
    assert digest(weeks.store, wanted(saturday)).mentions.last == 1
    assert digest(weeks.store, wanted(november)).mentions.now == 6


def test_the_same_store_always_gives_the_same_digest_on_both_databases(store: Store) -> None:
    SCENES[0].fill(store)
    one, two = digest(store, SCENES[0].asked), digest(store, SCENES[0].asked)
    assert one == two
    golden = GOLDEN / "digest_ordinary.md"
    assert markdown(one) == golden.read_text(encoding="utf-8")


def test_json_holds_the_ids_behind_every_number(weeks: WeekStore) -> None:
    from monitor.digest_send import as_plain
    from monitor.view import as_json

    ids = [weeks.mention(day(at), "Late.", 1) for at in range(3)]
    plain = json.loads(as_json(as_plain(digest(weeks.store))))
    assert sorted(plain["mentions"]["posts"]) == ids
    assert plain["period"]["name"] == "2026-W47"
