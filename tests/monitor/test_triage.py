"""Stars decide first, words second, reach third; the worst stands highest, and the reasons say why."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.match import Brand, Matcher
from monitor.sentiment import analyse
from monitor.triage import REASON_MAX, REASONS_KEPT, Thresholds, judge, shorten
from storage.records import Label, Mention, Priority, Sentiment

LOW, NORMAL, HIGH, URGENT = Priority


def mention(text="", stars=None, reach=0, **more):
    return Mention(source="shop", external_id="1", text=text, stars=stars, reach=reach, **more)


def verdict(text="", stars=None, reach=0, **more):
    about = mention(text, stars, reach, **more)
    return judge(about, "Acme", analyse(about.judged_text))


@pytest.mark.parametrize(
    ("stars", "priority"),
    [(1, URGENT), (1.5, HIGH), (2, HIGH), (2.5, NORMAL), (3, NORMAL), (3.5, LOW), (4, LOW), (5, LOW)],
)
def test_stars_decide_and_need_no_words(stars, priority):
    judged = verdict(stars=stars)
    assert judged.priority is priority
    assert judged.reasons == (f"{stars:g} of 5 stars",)


def test_one_star_is_never_lowered_by_kind_words():
    assert verdict("I love it, the best, thank you so much!", stars=1).priority is URGENT


def test_grave_words_raise_two_and_three_stars():
    assert verdict("The heater caught fire", stars=2).priority is URGENT
    assert verdict("The heater caught fire", stars=3).priority is HIGH
    assert verdict("A bit slow", stars=3).priority is NORMAL


def test_many_stars_with_furious_words_are_a_class_of_their_own():
    mild = verdict("Awful, horrible, disgusting place", stars=5)
    grave = verdict("Total scam, they stole my money, never again!", stars=5)
    assert mild.priority is NORMAL
    assert grave.priority is HIGH
    assert mild.reasons[0] == grave.reasons[0] == "5 of 5 stars, but the words read furious"
    assert verdict("Great, no complaints", stars=5).priority is LOW
    assert verdict("Not cheap, a bit loud, lovely", stars=4).priority is LOW


@pytest.mark.parametrize(
    ("text", "priority"),
    [
        ("My phone caught fire, this is unsafe", URGENT),
        ("Your waiter was racist to us", URGENT),
        ("They leaked my data!", URGENT),
        ("It's a scam, they stole my money", URGENT),
        ("I had an allergic reaction and ended up in hospital", URGENT),
        ("I am calling my lawyer about this fraud", URGENT),
        ("still no refund", HIGH),
        ("You charged me twice", HIGH),
        ("the app keeps crashing", HIGH),
        ("no one answers the phone", HIGH),
        ("you cancelled my order", HIGH),
        ("misleading offer", HIGH),
        ("worst ever, horrible, disgusting", HIGH),
        ("zero stars", HIGH),
        ("a bit disappointed", NORMAL),
        ("is this a scam?", NORMAL),
        ("I bought it on Tuesday", LOW),
        ("love it", LOW),
        ("killer deal", LOW),
        ("cried laughing", LOW),
    ],
)
def test_without_stars_the_words_decide(text, priority):
    assert verdict(text).priority is priority


def test_reach_raises_a_negative_one_step_and_nothing_else():
    assert verdict("still no refund", reach=999).priority is HIGH
    raised = verdict("still no refund", reach=1240)
    assert raised.priority is URGENT
    assert "seen by 1,240 people" in raised.reasons
    assert verdict("love it", reach=10**9).priority is LOW
    assert verdict("", stars=3, reach=5000).priority is HIGH
    assert verdict("", stars=1, reach=10**18).priority is URGENT


@pytest.mark.parametrize(
    ("text", "language", "reason"),
    [
        ("", "", "not read (no text)"),
        ("https://acme.example", "", "not read (no words in it)"),
        ("nie polecam tego sklepu, bardzo wolno", "", "not read (Polish)"),
        ("最悪です", "ja", "not read (Japanese)"),
        ("最悪です", "", "not read (Japanese)"),
        ("Ich habe das gestern bei euch gekauft", "", "not read (German)"),
    ],
)
def test_what_could_not_be_read_is_shown_to_a_person(text, language, reason):
    judged = verdict(text, language=language)
    assert judged.priority is NORMAL
    assert judged.sentiment.label is Label.UNREAD
    assert judged.reasons == (reason,)


def test_what_an_analyser_failed_on_is_still_judged_by_its_words():
    judged = judge(mention("still no refund"), "Acme", Sentiment(0.0, Label.UNREAD))
    assert judged.priority is HIGH
    assert "not read (it could not be scored)" in judged.reasons


def test_stars_decide_where_the_words_cannot_be_read():
    assert verdict("最悪です", stars=5).priority is LOW
    assert verdict("最悪です", stars=1).priority is URGENT


def test_reasons_are_plain_words_strongest_first():
    text = "They REFUSED to refund me. Waited 3 weeks, still no refund. Never again, a horrible shop."
    judged = verdict(text, stars=1, reach=1240)
    assert judged.reasons[0] == "1 of 5 stars"
    assert any(r.startswith("'still no refund' (money)") for r in judged.reasons)
    assert judged.reasons[-1] == "seen by 1,240 people"
    reason, likely = verdict("still no refund").reasons
    assert reason == "'still no refund' (money)"
    assert re.fullmatch("complaint: 9\\d % likely", likely)
    assert judged.topics[0] == "refund"


def test_the_name_of_the_brand_is_no_reason():
    brand = Brand(name="Scam Likely", terms=("Scam Likely",))
    about = mention("Scam Likely called")
    hits = Matcher([brand]).brands_in(about.text)
    judged = judge(about, brand.name, analyse(about.text), hits=hits)
    assert judged.priority < URGENT
    assert not any("scam" in reason.casefold() for reason in judged.reasons)


def test_a_lone_bad_word_is_negative_and_no_alarm():
    assert verdict("bad").priority is NORMAL
    assert verdict("awful!").priority is NORMAL


@pytest.mark.parametrize(
    "text",
    [
        "We are hiring a complaints handler! Problems, refunds and angry emails are your thing? Apply now.",
        "GIVEAWAY: follow and share to win, you would be crazy to miss this awful lot of prizes",
        "no refund for my lost weekend lol haha \U0001f602",
    ],
)
def test_two_signs_of_an_advert_a_giveaway_or_a_joke_lower_words(text):
    assert verdict(text).priority is LOW


def test_one_sign_lowers_nothing_and_safety_is_never_lowered():
    assert verdict("still no refund lol").priority is HIGH
    assert verdict("lol haha the plug caught fire, this is unsafe and terrible").priority is URGENT
    assert verdict("lol haha worst prank ever", stars=1).priority is URGENT


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("My grandmother is 91 and you left her without heating, nobody answers", "vulnerable customer"),
        ("You never refunded me, nobody answers, I have told the local paper", "press or large reach"),
    ],
)
def test_who_speaks_raises_a_complaint_a_step_and_is_named(text, reason):
    judged = verdict(text)
    assert judged.priority is URGENT
    assert any(reason in r for r in judged.reasons)


def test_stars_and_words_that_contradict_each_other_are_named_both_ways():
    assert verdict("I love it, the best, thank you so much!", stars=1).reasons[0] == (
        "1 of 5 stars, but the words read friendly"
    )


def test_another_analyser_may_raise_and_never_lower():
    calm, furious = Sentiment(0.9, Label.POSITIVE), Sentiment(-0.95, Label.NEGATIVE)
    assert judge(mention("still no refund"), "Acme", calm).priority is HIGH
    assert judge(mention("I bought it on Tuesday"), "Acme", furious).priority >= NORMAL
    assert judge(mention("fine", stars=1), "Acme", calm).priority is URGENT


def test_thresholds_are_the_users():
    strict = Thresholds(urgent_stars=2, high_stars=3, normal_stars=4, viral_reach=10)
    assert judge(mention(stars=2), "Acme", analyse(""), strict).priority is URGENT
    assert judge(mention(stars=4, reach=10), "Acme", analyse(""), strict).priority is HIGH


def test_ranks_stand_in_the_order_of_priorities_whatever_the_source():
    line = [
        verdict("fire, scam, lawyer, never again", stars=1, reach=10**6),
        verdict("", stars=1),
        verdict("awful, never again", stars=2),
        verdict("still no refund"),
        verdict("", stars=3),
        verdict("fine", stars=4),
        verdict("love it", stars=5),
    ]
    ranks = [v.rank for v in line]
    assert ranks == sorted(ranks, reverse=True)
    assert len(set(ranks)) == len(ranks)


def test_more_signal_breaks_a_tie():
    assert verdict("awful", stars=1).rank > verdict("", stars=1).rank
    assert verdict("", stars=1, reach=50).rank > verdict("", stars=1).rank
    assert verdict("", stars=1).rank > verdict("", stars=1.4).rank


TEXTS = st.lists(
    st.one_of(
        st.sampled_from(["scam", "not", "love", "still no refund", "😡", "👨‍👩‍👧‍👦", "🇩🇪🇩🇪", "e\u0301",
             "die", "?",
             "terrible" * 30]),
        st.text(max_size=8),
    ),
    max_size=20,
).map(" ".join)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(
    TEXTS,
    st.none() | st.floats(1, 5),
    st.integers(-5, 2**63),
    st.sampled_from(["", "de", "zh-cn", "xx"]),
)
def test_no_mention_raises_and_its_verdict_is_in_bounds(text, stars, reach, language):
    judged = verdict(text, stars, reach, language=language)
    assert judged.priority / 4 <= judged.rank < (judged.priority + 1) / 4
    assert 1 <= len(judged.reasons) <= REASONS_KEPT
    assert all(0 < len(r) <= REASON_MAX and "\n" not in r for r in judged.reasons)
    assert judged == verdict(text, stars, reach, language=language)


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.floats(1, 5), st.floats(1, 5))
def test_fewer_stars_never_stand_lower(text, one, other):
    fewer, more = sorted((one, other))
    if more <= Thresholds().normal_stars:  # beyond, furious words are another class
        assert verdict(text, fewer).rank >= verdict(text, more).rank


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("still no refund", 20, "still no refund"),
        ("a  b\nc", 10, "a b c"),
        ("ab👨‍👩‍👧‍👦cd", 6, "ab…"),
        ("ab👍🏽cd", 4, "ab…"),
        ("🇩🇪🇫🇷x", 4, "🇩🇪…"),
        ("abe\u0301fgh", 4, "ab…"),
        ("\u0301" * 30, 5, "…"),
    ],
)
def test_a_quote_is_cut_between_what_is_seen_as_signs(text, limit, short):
    assert shorten(text, limit) == short


@pytest.mark.parametrize(
    "text",
    [
        "I write for the Evening Post and am looking into Acme's refund policy",
        "Hi Acme, request for comment on the recall, could you call me?",
    ],
)
def test_a_journalist_is_answered_however_politely_he_asks(text):
    judged = verdict(text)
    assert judged.priority is HIGH
    assert "(a journalist asks)" in judged.reasons[0]


def test_great_age_makes_a_customer_vulnerable_and_raises_a_complaint_but_no_praise():
    complaint = verdict("I'm 82 and have been without heating since Friday, nobody comes")
    assert complaint.priority is URGENT
    assert "'I'm 82' (vulnerable customer)" in complaint.reasons
    assert verdict("My 91-year-old mother loves your chairs").priority is LOW


def test_a_fire_told_in_an_even_tone_is_urgent():
    fire = mention("Breaking news: Acme heater caught fire, analysts say")
    even = Thresholds(negative=0.7)  # by its tone it is not flagged
    told = judge(fire, "Acme", analyse(fire.judged_text), thresholds=even)
    assert told.reasons == ("'caught fire' (safety)",)
    assert told.priority is URGENT
    assert verdict("Breaking news: Acme heater sold out, analysts say").priority is LOW


def test_news_of_a_lawsuit_is_high_and_the_word_of_a_customer_who_sues_is_urgent():
    news = verdict("Acme stock falls 5% after lawsuit, analysts say")
    assert news.priority is HIGH
    assert news.reasons[0].startswith("reads like news: ")
    assert verdict("Lawsuit it is then. Analysts say shares fell? My lawyer says more.").priority is URGENT
    assert verdict("Breaking news: Acme heater caught fire, analysts say").priority is URGENT


def test_discrimination_is_urgent():
    assert verdict("Acme refused to serve us because she wears a headscarf").priority is URGENT
