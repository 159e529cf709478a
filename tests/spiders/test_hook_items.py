"""What a webhook's body says: the documented names, the usual ones, the events of Trustpilot and Meta."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config import Source
from monitor.config_kinds import HOOK_FIELDS
from spiders.hook_events import NotOurs
from spiders.hook_items import NAMES, NotUnderstood, Read, Refused, read_body
from storage.records import DatePrecision, Kind, Mention, Removal

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
SOURCE = Source(name="survey", kind="webhook", about=("Acme",))


def read(body: Any, **options: Any) -> list[Read]:
    source = Source(name="survey", kind="webhook", about=("Acme",), options=options)
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return list(read_body(sent, source, NOW))


def one(item: Any, **options: Any) -> Mention:
    (found,) = read(item, **options)
    assert isinstance(found.thing, Mention), found
    return found.thing


def refused(item: Any) -> Refused:
    (found,) = read(item)
    assert isinstance(found.thing, Refused)
    return found.thing


def test_every_documented_field_is_read() -> None:
    mention = one(
        {
            "id": "r-17",
            "text": "Two weeks, no parcel.",
            "title": "Never again",
            "author": "Ada",
            "stars": 2,
            "best": 10,
            "url": "https://tiktok.example/v/1",
            "published_at": "2026-11-27T09:00:00+01:00",
            "edited_at": "2026-11-27T10:00:00Z",
            "source": "TikTok",
            "language": "en-GB",
            "reach": 1200,
            "in_reply_to": "r-16",
            "owner_reply": "We are sorry.",
            "owner_replied_at": "2026-11-27T11:00:00Z",
            "kind": "comment",
            "reference": "A-1001",
        }
    )
    assert mention.reference == "A-1001"
    assert (mention.source, mention.external_id, mention.author) == ("survey", "r-17", "Ada")
    assert (mention.stars, mention.rating_raw, mention.kind) == (1.0, "2", Kind.COMMENT)
    assert mention.published_at == datetime(2026, 11, 27, 8, tzinfo=UTC)
    assert mention.date_precision is DatePrecision.SECOND
    assert (mention.entity, mention.language, mention.reach) == ("TikTok", "en", 1200)
    assert (mention.in_reply_to, mention.owner_reply) == ("r-16", "We are sorry.")
    assert mention.about == ("Acme",)


def test_the_fields_of_the_configuration_are_the_fields_that_are_read() -> None:
    assert set(HOOK_FIELDS) == set(NAMES)


def test_the_usual_names_of_other_tools_are_understood() -> None:
    mention = one(
        {
            "comment": "Cold food.",
            "rating": "2/5",
            "reviewer": {"displayName": "Bo"},
            "createdAt": 1_764_230_400,
            "permalink": "https://x.example/1",
            "likes": 3,
            "uuid": "u-1",
            "replyTo": "u-0",
        }
    )
    assert (mention.text, mention.stars, mention.author) == ("Cold food.", 2.0, "Bo")
    assert (mention.external_id, mention.reach, mention.in_reply_to) == ("u-1", 3, "u-0")
    assert mention.published_at is not None


def test_a_path_of_ones_own_goes_before_all_names() -> None:
    item = {"text": "form 7", "answers": {"q1": "The desk was rude.", "q2": 1}}
    mention = one(item, fields={"text": "answers.q1", "stars": "answers.q2"}, best=10)
    assert (mention.text, mention.stars) == ("The desk was rude.", 1.0)


@pytest.mark.parametrize(
    ("body", "count"),
    [
        (b'{"text": "a"}', 1),
        (b'[{"text": "a"}, {"text": "b"}]', 2),
        (b'{"text": "a"}\n\n{"text": "b"}\n', 2),
        (b'{"mentions": [{"text": "a"}, {"text": "b"}]}', 2),
        (b'\xef\xbb\xbf{"text": "a"}', 1),
        (b"[]", 0),
    ],
)
def test_one_object_a_list_or_an_object_a_line(body: bytes, count: int) -> None:
    found = read(body)
    assert [type(one.thing) for one in found] == [Mention] * count


@pytest.mark.parametrize("body", [b"", b"  ", b"hello", b"\xff\xfe\x00", b"[" * 100_000, b'{"text":'])
def test_what_is_no_json_is_said(body: bytes) -> None:
    with pytest.raises(NotUnderstood):
        read(body)


def test_a_broken_line_does_not_cost_the_others() -> None:
    found = read(b'{"text": "a"}\n{"text": \n{"text": "c"}')
    assert [type(one.thing).__name__ for one in found] == ["Mention", "Refused", "Mention"]


@pytest.mark.parametrize(
    ("item", "field", "words"),
    [
        ({"author": "Ada"}, "text", "required unless there are stars"),
        ("hello", "", "JSON object"),
        ({"deleted": True}, "id", "names the id"),
        ({"stars": "purple"}, "stars", "no rating"),
        ({"stars": 7, "best": 5}, "stars", "no rating"),
        ({"text": None}, "text", "required"),
        ({"text": ["", 1.5]}, "text", ""),
    ],
)
def test_what_cannot_be_taken_is_refused_with_field_and_reason(item: Any, field: str, words: str) -> None:
    (found,) = read([item])
    if isinstance(found.thing, Mention):  # a list of plain values is text, a line each
        assert found.thing.text == "1.5"
        return
    assert isinstance(found.thing, Refused)
    assert found.thing.field == field
    assert words in found.thing.reason


def test_words_are_taken_even_where_the_rest_makes_no_sense() -> None:
    (found,) = read(
        {
            "text": "bad",
            "stars": 99,
            "best": 5,
            "url": "javascript:alert(1)",
            "published_at": "soon",
            "edited_at": "2031-01-01",
            "reach": "many",
            "kind": "poem",
            "language": "Klingon!",
        }
    )
    assert isinstance(found.thing, Mention)
    assert (found.thing.stars, found.thing.url, found.thing.published_at) == (None, "", None)
    assert [no.field for no in found.passed_over] == [
        "stars",
        "published_at",
        "edited_at",
        "url",
        "kind",
        "reach",
        "language",
    ]


def test_without_an_id_the_same_words_are_the_same_mention() -> None:
    first = one({"text": "Late  again", "author": "Ada", "published_at": "2026-11-27"})
    again = one({"author": "Ada", "text": "late again", "published_at": "2026-11-27T18:00:00Z"})
    other = one({"author": "Bo", "text": "late again", "published_at": "2026-11-27"})
    assert first.external_id == again.external_id != other.external_id


def test_a_deletion_is_a_removal() -> None:
    (found,) = read({"id": "r-17", "deleted": True})
    assert found.thing == Removal("survey", "r-17", "deleted, as its sender says")


def trustpilot(name: str, **data: Any) -> dict[str, Any]:
    review = {
        "id": "62c8",
        "stars": 1,
        "title": "No",
        "text": "No refund.",
        "consumer": {"name": "Al"},
        **data,
    }
    return {"events": [{"eventName": name, "version": "1", "eventData": review}]}


def test_trustpilot_events_are_reviews_edits_and_deletions() -> None:
    created = one(trustpilot("service-review-created"))
    assert (created.external_id, created.stars, created.author) == ("62c8", 1.0, "Al")
    (edited,) = read(trustpilot("service-review-updated", stars=5))
    assert isinstance(edited.thing, Mention)
    assert edited.thing.stars == 5.0
    (gone,) = read(trustpilot("service-review-deleted"))
    assert isinstance(gone.thing, Removal)
    assert one(trustpilot("service-review-created")["events"][0]).external_id == "62c8"  # an event by itself
    (other,) = read(trustpilot("product-review-created"))
    assert isinstance(other.thing, NotOurs)


def facebook(field: str = "feed", **value: Any) -> dict[str, Any]:
    told = {
        "item": "comment",
        "verb": "add",
        "comment_id": "1_2",
        "parent_id": "9_1",
        "from": {"id": "77", "name": "Jo"},
        "message": "Where is my order?",
        "created_time": 1_764_230_400,
        **value,
    }
    return {"object": "page", "entry": [{"id": "9", "time": 1, "changes": [{"field": field, "value": told}]}]}


def test_comments_on_facebook_are_mentions_edits_and_removals() -> None:
    mention = one(facebook())
    assert (mention.external_id, mention.author, mention.kind) == ("1_2", "Jo", Kind.COMMENT)
    assert mention.in_reply_to == "9_1"
    assert one(facebook(verb="edited", message="Found it")).external_id == "1_2"
    (gone,) = read(facebook(verb="remove", message=None))
    assert isinstance(gone.thing, Removal)


def test_what_the_page_itself_writes_and_what_has_no_words_is_left_out() -> None:
    for body in (
        facebook(**{"from": {"id": "9", "name": "us"}}),
        facebook(item="reaction"),
        {"object": "page", "entry": [{"id": "9", "messaging": []}]},
        {"object": "page", "entry": [7]},
    ):
        (found,) = read(body)
        assert isinstance(found.thing, NotOurs)


def test_recommendations_and_comments_on_instagram_are_read() -> None:
    rated = facebook(
        "ratings",
        item="rating",
        review_text="Rude.",
        recommendation_type="NEGATIVE",
        reviewer_name="Mo",
        open_graph_story_id="55",
    )
    mention = one(rated)
    assert (mention.external_id, mention.stars, mention.author) == ("55", 1.0, "Mo")
    value = {"id": "17", "text": "meh", "from": {"id": "2", "username": "sky"}, "media": {"id": "33"}}
    body = {
        "object": "instagram",
        "entry": [{"id": "9", "time": 1_764_230_400, "changes": [{"field": "comments", "value": value}]}],
    }
    mention = one(body)
    assert (mention.external_id, mention.text, mention.author, mention.in_reply_to) == (
        "17",
        "meh",
        "sky",
        "33",
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [*NAMES, "events", "entry", "object", "changes", "value", "eventData", "eventName", "x"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(JSON)
def test_whatever_is_sent_is_read_or_refused(value: Any) -> None:
    try:
        found = read(json.dumps(value).encode())
    except NotUnderstood:
        return
    assert all(isinstance(item, Read) for item in found)
