"""Texts are read with the words that carry them, and what cannot be read is said to be unread."""

import gc
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.lexicon import english, languages
from monitor.lexicon.cues import Cue, Level
from monitor.lexicon.reader import reader
from monitor.lexicon.topics import topics_in
from monitor.match import Brand
from monitor.normalise import fold
from monitor.sentiment import SPANS_KEPT, analyse, analyser, examine
from storage.records import Label

COMPLAINTS = """\
app keeps crashing
it is not working
The login doesn’t work since Monday
zero stars
they hung up on me
I was overcharged
do not buy this
😡
🤬🤬
👎
please help, my order never arrived
great, another delay. thanks a lot
kindly refund
waited 3 hours, still no refund
charged me twice
45 minutes on hold
my parcel is two weeks late
Don’t waste your money
I will never use them again, never again!
@united you cancelled my flight
I do not recommend this
not happy
Ich warte seit Wochen auf mein Geld, nie wieder
Schlechter Service, Finger weg!
C'est une arnaque, je n'ai jamais reçu mon colis
No funciona y nadie responde, una estafa
Non funziona niente, servizio pessimo
Het werkt niet en ik krijg geen antwoord
Péssimo atendimento, não recomendo para ninguém
最悪 😡
"""
FRIENDLY = """\
I love it
no complaints at all
can't complain
not bad!
cried laughing at this ad
no problem, works great
a killer deal
They fixed it and I got my refund, thank you so much
Ich liebe die Farbe, die Verarbeitung ist top
👍
never had a problem
"""


@pytest.mark.parametrize("text", COMPLAINTS.splitlines())
def test_a_complaint_reads_negative(text):
    assert analyse(text).label is Label.NEGATIVE


@pytest.mark.parametrize("text", FRIENDLY.splitlines())
def test_a_friendly_text_reads_positive(text):
    assert analyse(text).label is Label.POSITIVE


@pytest.mark.parametrize(
    "text",
    [
        "I bought it on Tuesday",
        "@united flies to Rome",
        "my credit card and customer care",
    ],
)
def test_a_plain_text_reads_neutral(text):
    assert analyse(text).label is Label.NEUTRAL


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "\ufeff",
        "https://acme.example/x @acme",
        "最悪です",
        "ужасный сервис, никогда больше",
        "خدمة سيئة",
        "nie polecam tego sklepu, bardzo wolno i drogo",
    ],
)
def test_what_cannot_be_read_is_unread_and_not_neutral(text):
    assert analyse(text) == analyse("")
    assert analyse(text).label is Label.UNREAD
    assert analyse(text).compound == 0.0


def test_english_words_do_not_speak_in_another_language():
    assert all(span.text != "die" for span in analyse("Ich finde die Farbe und die Form nicht gut").spans)


def test_an_account_name_and_an_address_score_nothing():
    assert analyse("flying @united http://love.example/great-best tomorrow").compound == 0.0


def test_the_name_of_a_brand_scores_nothing():
    read = analyser([Brand(name="Best Buy", terms=("Best Buy",)), Brand(name="Acme", terms=("Acme",))])
    assert read("I was at Best  Buy today").compound == 0.0
    text = "Best Buy is awful, the best is far away"
    assert [s.text for s in read(text).spans] == [text[s.start : s.end] for s in read(text).spans]
    assert analyser([Brand(name="Acme", terms=())]) is analyse


def test_a_curly_apostrophe_reads_like_a_straight_one():
    assert analyse("it isn’t good").compound == analyse("it isn't good").compound < 0


def test_spans_show_the_words_that_carried_it_worst_first():
    text = "Great hotel, but they charged me TWICE \U0001f621 and it is still not working. Nice pool."
    spans = analyse(text).spans
    assert [text[s.start : s.end] for s in spans] == [s.text for s in spans]
    weights = [s.weight for s in spans]
    assert weights[0] < 0 < weights[-1]
    assert "charged me TWICE" in [s.text for s in spans]
    assert "\U0001f621" in [s.text for s in spans]


def test_a_negated_complaint_is_none():
    assert Cue.MISLED not in {p.cue for p in examine("it is not misleading at all").phrases}
    assert all(p.level is Level.NONE for p in examine("it is not misleading at all").phrases)


def test_a_question_accuses_nobody():
    asked, said = examine("is this a scam?").phrases[0], examine("this is a scam!").phrases[0]
    assert (asked.level, said.level) == (Level.MILD, Level.SEVERE)
    assert examine("where is my order?").phrases[0].level is Level.CLEAR


@pytest.mark.parametrize(
    "text",
    ["waited 3 hours", "45mins on hold", "two weeks late", "we queued for 2.5 hrs", "3 days ago and still"],
)
def test_a_long_wait_is_found_with_its_number(text):
    assert [p.cue for p in examine(text).phrases if p.cue is not Cue.HINT] == [Cue.WAITING]


@pytest.mark.parametrize("text", ["open 24 hours", "3 months warranty", "wait for the hours", "hours"])
def test_a_time_without_waiting_is_no_wait(text):
    assert all(p.cue is not Cue.WAITING for p in examine(text).phrases)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("the food was not so good and the staff rude", "en"),
        ("ich habe das nie bekommen", "de"),
        ("je ne suis pas content du tout", "fr"),
        ("no me gusta nada pero es muy barato", "es"),
        ("non mi piace per niente ma costa poco", "it"),
        ("het is niet wat ik heb besteld", "nl"),
        ("não gostei, mas é muito barato", "pt"),
        ("nie polecam, bardzo słabo", "pl"),
        ("jag är inte nöjd med det här", "sv"),
        ("ok", ""),
        ("the ich bin der and is it", "en"),
    ],
)
def test_common_words_tell_the_language(text, code):
    assert languages.language_of(set(fold(text).replace(",", "").split())) == code


def test_lists_are_long_enough_and_name_no_phrase_twice():
    own = [p for _, _, phrases in english.COMPLAINTS for p in phrases.split("|")]
    assert len(own) >= 250
    foreign = [[p for _, text in lists for p in text.split("|")] for lists in languages.COMPLAINTS.values()]
    for phrases in (own, *foreign):
        assert len(phrases) == len(set(phrases))
        assert all(p == p.strip() and p.removesuffix("*") for p in phrases)
    assert all(len(phrases) >= 300 for phrases in foreign)


def test_every_english_complaint_is_found_where_it_stands_alone():
    for cue, _, phrases in english.COMPLAINTS:
        for phrase in phrases.split("|"):
            folded = fold(phrase.removesuffix("*"))
            found = reader().read(folded, "en")
            assert [f.cue for f in found if (f.start, f.end) == (0, len(folded))], (cue, phrase)


def test_topics_are_named_most_named_first():
    assert topics_in("the app crashed, the app froze, and no refund") == ("app", "refund")
    assert topics_in("nothing of that kind") == ()


MESSY = st.lists(
    st.one_of(
        st.sampled_from(
            ["not", "scam", "scam?", "waited", "3", "hours", "still no refund", "😡", "👍🏽", "@a", "http://x",
             "\u200b",
             "die",
             "und", "ﬁ", "don’t", "great", "but", "no", "\n", "&amp;", "漢字", "İ", "ß", "keeps crashing"]
        ),
        st.text(max_size=5),
    ),
    max_size=30,
)  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(MESSY, st.sampled_from([" ", "", "  "]))
def test_no_text_raises_and_every_span_is_its_text(pieces, between):
    text = between.join(pieces)
    sentiment = analyse(text)
    assert -1 <= sentiment.compound <= 1
    assert len(sentiment.spans) <= SPANS_KEPT
    for span in sentiment.spans:
        assert span.text == text[span.start : span.end] != ""
    assert sentiment == analyse(text)


def _seconds(text):
    gc.disable()  # it walks all that the other tests left behind, which is no cost of the text
    try:
        examine.cache_clear()
        start = time.process_time()
        analyse(text)
        return time.process_time() - start
    finally:
        gc.enable()


@pytest.mark.parametrize(
    "piece",
    ["😡", "👍🏽 ", "good bad ", "not working, ", "scam? ", "waited 3 hours ", "&amp;", "é", "e\u0301",
     "\u200b", "@a ",
     "a",
     "ich nicht ", "! ", "keeps crashing\u200b ", "no. ", "漢"],
)  # fmt: skip
def test_time_is_linear_in_the_text(piece):
    text = piece * (40_000 // len(piece))
    whole = part = float("inf")
    for taken in range(
        20
    ):  # the best of each, taken in turn: what a busy machine adds to one comes to the other too
        part, whole = min(part, _seconds(text[:10_000])), min(whole, _seconds(text))
        if taken >= 3 and whole <= 8 * max(part, 5e-4):
            return
    assert whole <= 8 * max(part, 5e-4)
