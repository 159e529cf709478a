"""Are complaints found, told from mere mentions, and known again next week?"""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from weekstore import WORDS

from monitor.topics import Read, Text, Topic, TopicCount, TopicReader, count_topics, is_gone, is_new, stem

READER = TopicReader([Topic(name="bots", terms=("chat bot", "robot"))], ["Acme"])


def text(words: str, *, negative: bool = True, id_: int = 1) -> Text:
    spans = []
    for word, weight in WORDS.items():
        at = words.lower().find(word)
        while at >= 0:
            spans.append((at, at + len(word), weight))
            at = words.lower().find(word, at + 1)
    return Text(id_, words, negative, tuple(spans))


def reads(several: list[str], *, negative: bool = True, first: int = 1) -> list[Read]:
    return [READER.read(text(words, negative=negative, id_=first + at)) for at, words in enumerate(several)]


@pytest.mark.parametrize(
    ("words", "negative", "hurts"),
    [
        ("The delivery was late.", True, True),
        ("Delivery took three weeks.", True, True),  # no word of feeling: the post as a whole decides
        ("Great delivery, but the lid is broken.", True, False),
        ("The delivery was great! The lid is broken.", True, False),
        ("Love it. Delivery was late though.", False, True),
        ("Delivery on Monday.", False, False),
    ],
)
def test_a_complaint_is_told_from_a_mere_mention(words: str, negative: bool, hurts: bool) -> None:
    assert READER.read(text(words, negative=negative)).topics["built-in:delivery"] is hurts


def test_configured_topics_are_found_as_whole_words() -> None:
    assert "configured:bots" in READER.read(text("The CHAT\u2011BOT? No: a chat bot.")).topics
    assert "configured:bots" not in READER.read(text("robotics")).topics


def test_forms_of_one_complaint_are_one_topic() -> None:
    same = ["Late delivery", "The delivery was late", "Deliveries were late", "delivered late"]
    for words in same:
        assert "discovered:deliver late" in READER.read(text(words)).grams, words


OLD = [f"Lovely kettle number {at}, great colour, quick checkout" for at in range(40)]
USUAL = ["Rude cashier.", "Broken handle.", "Refund refused."]


def test_a_complaint_that_stands_out_is_discovered_once() -> None:
    now = [
        "Steam wand exploded, terrible",
        "terrible: the steam wand again",
        "Steam wands are the worst",
        *USUAL,
    ]
    found = count_topics(
        reads(now), [reads(USUAL, first=100 * n) for n in range(1, 5)], reads(OLD, negative=False, first=1000)
    )
    discovered = [one for one in found if one.kind == "discovered"]
    assert [one.name for one in discovered] == ["steam wand"]
    assert discovered[0].posts == (1, 2, 3)
    assert is_new(discovered[0])


def test_what_people_always_say_is_not_discovered() -> None:
    now = ["The kettle is broken", "Kettle broken again", "My kettle: broken", "broken kettle"]
    old = [f"The kettle, number {at}" for at in range(40)]
    found = count_topics(reads(now), [reads(now, first=50)] * 4, reads(old, negative=False, first=1000))
    assert not any(is_new(one) for one in found)
    assert "kettle" not in [one.name for one in found]


def test_without_a_background_nothing_is_discovered() -> None:
    found = count_topics(reads(["Steam wand exploded"] * 5), [], [])
    assert [one for one in found if one.kind == "discovered"] == []


def test_a_name_once_given_is_kept() -> None:
    now = ["Steam wand exploded, terrible", "terrible: the steam wand again", "Steam wands are the worst"]
    found = count_topics(
        reads(now),
        [reads(USUAL, first=100)],
        reads(OLD, negative=False, first=1000),
        names={"discovered:steam wand": "Hot wands"},
    )
    assert "Hot wands" in [one.name for one in found]


@pytest.mark.parametrize(
    ("posts", "before", "new", "gone"),
    [
        (3, (0, 0, 0, 0), True, False),
        (2, (0, 0, 0, 0), False, False),
        (9, (1, 0, 0, 0), False, False),
        (3, (), False, False),
        (0, (6, 6, 6, 6), False, True),
        (0, (1, 1, 1, 0), False, False),
        (1, (9, 9, 9, 9), False, False),
    ],
)
def test_new_and_gone_need_more_than_chance(
    posts: int, before: tuple[int, ...], new: bool, gone: bool
) -> None:
    count = TopicCount("k", "k", "built-in", tuple(range(posts)), (), before)
    assert (is_new(count), is_gone(count)) == (new, gone)


@given(st.text(max_size=300))
def test_any_text_can_be_read(words: str) -> None:
    READER.read(Text(1, words, True, ((0, 1, -1.0), (5, 2, 3.0))))


@given(st.text(max_size=30))
def test_a_stem_is_never_longer_than_its_word(word: str) -> None:
    assert len(stem(word)) <= len(word) + 1


@pytest.mark.parametrize(
    "words", ["a" * 40_000, "late " * 8_000, "." * 40_000, "but " * 10_000, "l'a'" * 10_000]
)
def test_a_long_text_is_read_in_linear_time(words: str) -> None:
    started = time.process_time()
    READER.read(Text(1, words, True))
    assert time.process_time() - started < 1.0
