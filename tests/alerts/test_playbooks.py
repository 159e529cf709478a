"""Does everybody say the same to the same complaint, and is a playbook's mistake found before a customer reads it?"""

from __future__ import annotations

import pytest
from alerting import case as a_case
from alerting import mention, reviewed, verdict
from hypothesis import given
from hypothesis import strategies as st

from alerts.customers import Customer
from alerts.people import People, Person
from alerts.playbooks import PLACEHOLDERS, Playbook, lint, playbook_for, render, uncovered, values_for

REFUND = Playbook(name="refunds", topics=("refund", "payment"), replies=("Dear {author}, sorry.",))
ACME = Playbook(name="acme refunds", brands=("Acme",), topics=("refund",), may_decide="up to 50")
REST = Playbook(name="rest", next_step="ask for the order number")


@pytest.mark.parametrize(
    ("topics", "brand", "expected"),
    [
        (("refund",), "Acme", ACME),
        (("refund",), "Kaffa", REFUND),
        (("payment", "refund"), "Acme", REFUND),  # the first topic decides
        (("staff",), "Acme", REST),
        ((), "Acme", REST),
    ],
)
def test_the_first_topic_decides_and_the_brands_own_goes_first(
    topics: tuple[str, ...], brand: str, expected: Playbook
) -> None:
    about = verdict(brand=brand, topics=topics)
    assert playbook_for(about, mention(1), (REFUND, REST, ACME)) is expected


def test_where_there_is_none_there_is_none() -> None:
    assert playbook_for(verdict(topics=("staff",)), mention(1), (REFUND, ACME)) is None
    assert playbook_for(verdict(brand="Kaffa", topics=("refund",)), mention(1), (ACME,)) is None


def test_every_placeholder_is_filled_in_from_a_case() -> None:
    one = reviewed(
        a_case(owner="U01ALICE"),
        mention(7, entity="Shop Mitte", source="trustpilot"),
        verdict=verdict(topics=("price", "refund")),
    )
    values = values_for(
        one,
        Playbook(name="x", topics=("refund",), owner_team="Care"),
        people=People([Person(key="alice", name="Alice", slack="U01ALICE")]),
        customer=Customer(handle="j", name="Jane Doe"),
        site_title="Trustpilot",
    )
    assert set(values) == set(PLACEHOLDERS)
    line = "{author}/{customer}/{brand}/{place}/{stars}/{source}/{topic}/{case}/{owner}/{team}"
    assert render(line, values) == ("J. Doe/Jane Doe/Acme/Shop Mitte/1/Trustpilot/refund/REP-0007/Alice/Care")


def test_what_is_not_known_is_asked_for() -> None:
    assert render("Dear {customer}, {colour}!", {"customer": ""}) == "Dear [customer?], [colour?]!"


@given(st.text(), st.dictionaries(st.text(), st.text()))
def test_a_template_never_fails(template: str, values: dict[str, str]) -> None:
    render(template, values)


def test_a_strangers_name_is_never_filled_in_twice() -> None:
    assert render("Dear {author}", {"author": "{brand}", "brand": "Acme"}) == "Dear {brand}"


def test_mistakes_are_found_before_a_customer_reads_them() -> None:
    bad = Playbook(name="bad", topics=("refnd",), replies=("Dear {auther},", "Dear {author", "Fine {case}"))
    found = list(lint([bad, REFUND, Playbook(name="mute")], ["refund", "payment"]))
    assert found == [
        'playbook bad, reply 1: {auther} is no placeholder; did you mean "author"?',
        "playbook bad, reply 2: a brace without its partner",
        "playbook bad: nothing is ever about 'refnd'; did you mean \"refund\"?",
        "playbook mute: it says nothing; give it replies, may_decide or next_step",
    ]


def test_topics_that_occur_without_a_playbook_are_counted() -> None:
    seen = [("Acme", ("staff", "refund")), ("Acme", ("staff",)), ("Kaffa", ("refund",))]
    assert uncovered([ACME], seen) == [("Acme", "staff", 2), ("Kaffa", "refund", 1)]
    assert uncovered([REFUND], seen) == [("Acme", "staff", 2)]
