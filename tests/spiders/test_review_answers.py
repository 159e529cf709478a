"""Answers of review services in the shapes people save: older versions, single reviews, frames taken off, errors."""

from __future__ import annotations

import importlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from scrapy.http import TextResponse

from monitor.config import Source
from spiders.api_reading import ids_in
from spiders.import_files import read_file
from spiders.imported import Trouble, Wish
from spiders.page import Page
from spiders.trial import try_page
from storage.records import Mention, Removal

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)


def read(kind: str, body: Any, url: str = "https://api.example/x", status: int = 200, **options: Any) -> Page:
    module = importlib.import_module(f"spiders.presets.{kind}")
    response = TextResponse(url, body=json.dumps(body).encode(), status=status)
    page = module.read_page(response, Source(name="ours", kind=kind, options=options), AT)
    assert isinstance(page, Page)
    return page


def one_of(kind: str, body: Any, url: str = "https://api.example/x", **options: Any) -> Mention:
    (mention,) = read(kind, body, url, **options).mentions
    return mention


TRUSTPILOT = {
    "id": "tp1", "stars": 2, "title": "Late", "text": "It came a week late.", "createdAt": "2026-11-01T10:00:00Z",
    "consumer": {"displayName": "Ana"}, "companyReply": {"text": "Sorry.", "createdAt": "2026-11-02T10:00:00Z"},
}  # fmt: skip
GOOGLE = {
    "name": "accounts/1/locations/2/reviews/r1", "reviewId": "r1", "reviewer": {"displayName": "Ana"},
    "starRating": "TWO", "comment": "It came a week late.", "createTime": "2026-11-01T10:00:00.123456789Z",
    "updateTime": "2026-11-01T10:00:00Z",
}  # fmt: skip
PLAY = {
    "reviewId": "gp:1", "authorName": "Ana",
    "comments": [{"userComment": {"text": "Late\tIt came a week late.", "starRating": "2",
                                  "lastModified": {"seconds": 1793527200}}}],
}  # fmt: skip
APPLE = {
    "type": "customerReviews", "id": "ac1",
    "attributes": {"rating": 2, "title": "Late", "body": "It came a week late.", "reviewerNickname": "Ana",
                   "createdDate": "2026-11-01T03:00:00-07:00", "territory": "USA"},
}  # fmt: skip
STEAM = {
    "recommendationid": "1", "author": {"steamid": 76561198000000101}, "language": "english",
    "review": "It came a week late.", "timestamp_created": 1793527200, "timestamp_updated": 1793527200,
    "voted_up": False, "votes_up": "3", "weighted_vote_score": "0.5",
}  # fmt: skip
YELP = {
    "id": "ye1", "rating": 2, "text": "It came a week late...", "time_created": "2026-11-01 10:00:00",
    "user": {"name": "Ana"}, "url": "https://www.yelp.com/biz/kaffa?hrid=ye1",
}  # fmt: skip
TRIP = {
    "id": 991, "location_id": 5, "rating": "2", "title": "Late", "text": "It came a week late.",
    "published_date": "2026-11-01T10:00:00Z", "user": {"username": "Ana"}, "helpful_votes": "1",
}  # fmt: skip
PLACES = {
    "name": "places/a/reviews/b", "rating": 2, "text": {"text": "It came a week late.", "languageCode": "en"},
    "authorAttribution": {"displayName": "Ana"}, "publishTime": "2026-11-01T10:00:00Z",
}  # fmt: skip
FEED = {
    "id": {"label": "1"}, "im:rating": {"label": "2"}, "title": {"label": "Late"},
    "content": {"label": "It came a week late."}, "author": {"name": {"label": "Ana"}},
    "updated": {"label": "2026-11-01T03:00:00-07:00"},
}  # fmt: skip
SINGLE = {
    "trustpilot": TRUSTPILOT, "trustpilot_private": TRUSTPILOT, "google_business": GOOGLE, "google_play_owner": PLAY,
    "app_store_connect": {"data": APPLE}, "steam": STEAM, "yelp": YELP, "tripadvisor": TRIP,
    "google_places": PLACES, "app_store": {"feed": {"entry": FEED}},
}  # fmt: skip


@pytest.mark.parametrize("kind", SINGLE)
def test_a_review_by_itself_is_read_and_so_is_a_list_without_its_frame(kind: str) -> None:
    mention = one_of(kind, SINGLE[kind])
    assert "It came a week late" in mention.text
    assert mention.stars == (1 if kind == "steam" else 2)
    assert mention.published_at == datetime(2026, 11, 1, 10, tzinfo=UTC).replace(
        microsecond=123456 if kind == "google_business" else 0
    )
    assert read(kind, [SINGLE[kind]]).mentions == (mention,)
    module = importlib.import_module(f"spiders.presets.{kind}")
    assert ids_in(module.PRESET, SINGLE[kind], "https://api.example/x") == {mention.external_id}


@pytest.mark.parametrize("kind", SINGLE)
@pytest.mark.parametrize(
    "body",
    [
        {"data": [], "error": {"message": "Out of coffee", "type": "X", "code": 1}},
        {"reviews": [], "error": {"description": "Out of coffee"}},
        [{"error": "Out of coffee"}],
    ],
)
def test_an_error_in_the_frame_of_an_answer_is_no_quiet_day(kind: str, body: Any) -> None:
    page = read(kind, body)
    assert page.blind
    assert page.mentions == ()


# --- Trustpilot ----------------------------------------------------------------------------------------------

EVENTS = {
    "events": [
        {
            "eventName": "service-review-created",
            "version": "1",
            "eventData": {**TRUSTPILOT, "referenceId": "A-7"},
        },
        {
            "eventName": "service-review-updated",
            "version": "1",
            "eventData": {**TRUSTPILOT, "id": "tp2", "stars": 5},
        },
        {"eventName": "service-review-deleted", "version": "1", "eventData": {"id": "tp3"}},
        {"eventName": "product-review-created", "version": "1", "eventData": {"id": "tp4"}},
    ]
}


@pytest.mark.parametrize("name", ["events.json", "events"])
@pytest.mark.parametrize("wish", [Wish(kind="trustpilot"), Wish()])
def test_webhook_events_are_taken_in_from_a_file(tmp_path: Path, name: str, wish: Wish) -> None:
    if not wish.kind and name != "events.json":
        pytest.skip("a file without a name for what it is is a table")
    path = tmp_path / name
    path.write_text(json.dumps(EVENTS), encoding="utf-8")
    found = list(read_file(path, Source(name="tp", kind="import", about=("Kaffa",)), AT, wish))
    mentions = {one.external_id: one for one in found if isinstance(one, Mention)}
    assert {name: one.stars for name, one in mentions.items()} == {"tp1": 2, "tp2": 5}
    assert (mentions["tp1"].reference, mentions["tp1"].source, mentions["tp1"].about) == (
        "A-7",
        "tp",
        ("Kaffa",),
    )
    removed = [one for one in found if isinstance(one, Removal)]
    assert [(one.source, one.external_id) for one in removed] == [("tp", "tp3")]
    assert not [one for one in found if isinstance(one, Trouble)]


def test_an_export_of_trustpilot_as_json_is_still_a_table(tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_text(json.dumps([{"Review ID": "1", "Review Content": "Late", "Rating": 2}]), encoding="utf-8")
    found = list(read_file(path, Source(name="tp", kind="import"), AT, Wish(kind="trustpilot")))
    assert [(one.text, one.stars) for one in found if isinstance(one, Mention)] == [("Late", 2)]


def test_one_event_by_itself_can_be_tried(tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    path.write_text(json.dumps(EVENTS["events"][2]), encoding="utf-8")
    tried = try_page(str(path), now=AT, kind="trustpilot")
    assert [one.external_id for one in tried.removals] == ["tp3"]
    assert tried.problems == ()


def test_reviews_of_products_are_read() -> None:
    body = {
        "productReviews": [{"id": "p", "stars": 1, "content": "Broke.", "product": {"title": "Kaffa One"}}]
    }
    mention = one_of("trustpilot", body)
    assert (mention.text, mention.entity, mention.stars) == ("Broke.", "Kaffa One", 1)


# --- Google --------------------------------------------------------------------------------------------------


def test_a_star_that_google_does_not_name_is_none_and_a_hole_in_a_list_is_passed_over() -> None:
    unrated = {"reviewId": "r2", "starRating": "STAR_RATING_UNSPECIFIED", "reviewReply": None}
    page = read(
        "google_business", {"reviews": [GOOGLE, unrated, None], "averageRating": 4.8, "totalReviewCount": 7}
    )
    assert [one.external_id for one in page.mentions] == ["r1"]
    assert (page.blind, page.problems) == ("", ())


def test_averages_of_several_places_are_kept_apart() -> None:
    body = {"reviews": [], "averageRating": 4, "totalReviewCount": 7}
    url = "https://mybusiness.googleapis.com/v4/accounts/1/locations/{}/reviews"
    places = ["accounts/1/locations/2", "accounts/1/locations/3"]
    known = {"locations": places, "titles": ["Kaffa Bonn"]}
    names = [
        read("google_business", body, url.format(number), **known).snapshots[0].entity for number in (2, 3)
    ]
    assert names == ["Kaffa Bonn", "accounts/1/locations/3"]


def test_a_search_for_places_and_the_older_one_are_read() -> None:
    new = {"places": [{"displayName": {"text": "Kaffa"}, "reviews": [PLACES]}, {"id": "x"}]}
    assert one_of("google_places", new).entity == "Kaffa"
    denied = {"error_message": "The key is invalid.", "results": [], "status": "REQUEST_DENIED"}
    assert "The key is invalid.; look at LOWSTAR_GOOGLE_PLACES_KEY" in read("google_places", denied).blind


def test_a_translated_review_of_an_app_is_read_in_its_authors_words() -> None:
    comment = {
        "text": "Good",
        "originalText": "Gut",
        "starRating": 5,
        "lastModified": {"seconds": "1793527200"},
    }
    url = (
        "https://androidpublisher.googleapis.com/androidpublisher/v3/applications/com.kaffa.shop/reviews/gp:2"
    )
    mention = one_of("google_play_owner", {"reviewId": "gp:2", "comments": [{"userComment": comment}]}, url)
    assert (mention.text, mention.entity) == ("Gut", "com.kaffa.shop")


# --- Apple, Steam, Yelp, Tripadvisor -------------------------------------------------------------------------


def test_a_response_that_names_its_review_and_not_the_other_way_round_is_found() -> None:
    said = {"responseBody": "We look at it.", "lastModifiedDate": "2026-11-02T10:00:00Z"}
    link = {"review": {"data": {"type": "customerReviews", "id": "ac1"}}}
    body = {
        "data": [APPLE],
        "included": [
            {"type": "customerReviewResponses", "id": "x", "attributes": said, "relationships": link}
        ],
    }
    assert one_of("app_store_connect", body).owner_reply == "We look at it."


@pytest.mark.parametrize(("thumb", "stars"), [(1, 5), (0, 1), ("true", 5), (False, 1)])
def test_a_thumb_may_be_a_number(thumb: Any, stars: float) -> None:
    assert one_of("steam", {"reviews": [{**STEAM, "voted_up": thumb}], "query_summary": {}}).stars == stars


def test_an_app_by_its_number_alone_is_no_name_for_people() -> None:
    url = "https://store.steampowered.com/appreviews/329070?json=1"
    body = {"success": 1, "reviews": [STEAM]}
    assert one_of("steam", body, url, apps=["329070"]).entity == ""
    assert one_of("steam", body, url, apps=["329070", "10"]).entity == "329070"
    assert one_of("steam", body, url, apps=["329070"], titles=["Kaffa Tycoon"]).entity == "Kaffa Tycoon"


@pytest.mark.parametrize(
    "body",
    [
        {"name": "Kaffa", "review_count": 3, "id": "kaffa", "reviews": [
            {"id": "ye1", "rating": 2, "excerpt": "It came a week late...", "time_created": 1793527200,
             "user": {"name": "Ana"}}]},
        {"businesses": [{"name": "Kaffa", "reviews": [
            {"id": "ye1", "rating": 2, "text_excerpt": "It came a week late...", "date": "2026-11-01",
             "user_name": "Ana"}]}], "message": {"text": "OK", "code": 0}},
        {"data": {"business": {"name": "Kaffa", "reviews": [YELP]}}},
    ],
    ids=["version 2", "version 1", "GraphQL"],
)  # fmt: skip
def test_yelps_older_answers_and_its_graphql_are_read(body: Any) -> None:
    mention = one_of("yelp", body)
    assert (mention.entity, mention.author, mention.stars, mention.text_truncated) == (
        "Kaffa",
        "Ana",
        2,
        True,
    )
    assert mention.published_at
    assert mention.published_at.date().isoformat() == "2026-11-01"


def test_whole_words_are_not_called_cut() -> None:
    assert not one_of("yelp", {"reviews": [{**YELP, "text": "It came late."}]}).text_truncated


def test_a_place_on_tripadvisor_with_its_reviews_is_read_and_one_without_is_quiet() -> None:
    reply = {"text": "Sorry.", "published_date": "2026-11-02T10:00:00Z"}
    place = {
        "location_id": "5",
        "name": "Kaffa",
        "rating": "4.5",
        "reviews": [{**TRIP, "owner_response": reply}],
    }
    assert one_of("tripadvisor", place).owner_reply == "Sorry."
    del place["reviews"]
    assert read("tripadvisor", place) == Page()


def test_apples_feed_in_xml_is_read() -> None:
    from spiders.presets.app_store import read_page

    xml = """<?xml version="1.0" encoding="utf-8"?>
    <feed xmlns="http://www.w3.org/2005/Atom" xmlns:im="http://itunes.apple.com/rss" xml:lang="en">
      <id>https://itunes.apple.com/us/rss/customerreviews/id=1/xml</id><title>Customer Reviews</title>
      <entry><id>1</id><title>Kaffa</title><im:name>Kaffa</im:name></entry>
      <entry><updated>2026-11-01T03:00:00-07:00</updated><id>77</id><title>Late &amp; cold</title>
        <content type="text">It came a week late.</content><im:rating>2</im:rating>
        <author><name>Ana</name></author><content type="html">&lt;b&gt;no&lt;/b&gt;</content></entry>
    </feed>"""
    response = TextResponse("https://itunes.apple.com/us/rss/x", body=xml.encode(), encoding="utf-8")
    (mention,) = read_page(response, Source(name="ours", kind="app_store"), AT).mentions
    assert (mention.external_id, mention.title, mention.text) == ("77", "Late & cold", "It came a week late.")
    assert (mention.stars, mention.author) == (2, "Ana")
    other = TextResponse("https://x.example/", body=b"<?xml version='1.0'?><rss><channel/></rss>")
    assert read_page(other, Source(name="ours", kind="app_store"), AT).blind


def test_what_no_api_knows_is_said_once_and_in_its_own_words(tmp_path: Path) -> None:
    path = tmp_path / "answer.json"
    path.write_text('{"error": {"code": "X", "description": "Out of coffee"}}', encoding="utf-8")
    problems = try_page(str(path), now=AT).problems
    assert problems[-1] == "no API that lowstar knows answers like this; it says: Out of coffee"
    assert not [words for words in problems if "Tripadvisor answered" in words]
