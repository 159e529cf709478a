"""Is the page self-contained, does every number lead to its posts, and do strangers' words stay words?"""

from __future__ import annotations

import json

import pytest
from skeleton import NASTY, Page
from weekscenes import SCENES, Scene
from weekstore import WeekStore, day, digest

from alerts.digest_blocks import digest_body
from monitor.digest_html import html
from monitor.digest_mail import mail
from monitor.digest_send import card_of
from storage.store import Store


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_the_page_is_whole_and_loads_nothing(scene: Scene, sqlite_store: Store) -> None:
    scene.fill(sqlite_store)
    page = Page(html(digest(sqlite_store, scene.asked)))
    assert page.loaded == []
    assert len(page.ids) == len(set(page.ids))
    inner = {link.removeprefix("#") for link in page.links if link.startswith("#")}
    assert inner <= set(page.ids)
    assert all(link.startswith(("#", "https://")) for link in page.links)


def test_every_mention_can_be_reached_from_its_number(sqlite_store: Store) -> None:
    SCENES[0].fill(sqlite_store)
    found = digest(sqlite_store, SCENES[0].asked)
    page = Page(html(found))
    for identity in found.mentions.posts:
        assert found.posts[identity].url in page.links
    assert {"#posts-mentions", "#posts-negative", "#posts-rating", "#posts-in-time"} <= set(page.links)


def test_numbers_with_more_posts_than_are_listed_name_them_all(sqlite_store: Store) -> None:
    SCENES[3].fill(sqlite_store)
    found = digest(sqlite_store, SCENES[3].asked)
    text = html(found)
    listed, named = 40, found.negative.posts[40:]
    assert f"and {len(found.negative.posts) - listed} more, by number: {' '.join(map(str, named))}" in text


def test_hostile_words_leave_the_skeleton_as_it_is(tmp_path_factory: pytest.TempPathFactory) -> None:
    from storage.store import open_store

    skeletons = []
    for words in ("harmless", NASTY):
        folder = tmp_path_factory.mktemp("page")
        with open_store(f"sqlite:///{folder / 'a.db'}") as store:
            weeks = WeekStore(store)
            for at in range(3):
                mine = weeks.mention(
                    day(at),
                    f"{words} delivery late",
                    1,
                    author=words,
                    entity=words,
                    title=words,
                    source="shop",
                )
                weeks.mention(
                    day(at, 15), f"{words}. Best wonderful shop, I love it", 5, author=f"{words}{at}"
                )
                weeks.case(mine, day(at), owner=words)
            skeletons.append(Page(html(digest(store))).skeleton)
    assert skeletons[0] == skeletons[1]


def test_a_mail_has_words_first_and_its_pictures_inside(sqlite_store: Store) -> None:
    SCENES[0].fill(sqlite_store)
    message = mail(digest(sqlite_store, SCENES[0].asked))
    plain, rich = message.iter_parts()
    assert plain.get_content_type() == "text/plain"
    assert "18 mentions" in plain.get_content()
    pytest.importorskip("matplotlib")
    parts = {part.get_content_type() for part in rich.walk()}
    assert {"text/html", "image/png"} <= parts
    text = next(part for part in rich.walk() if part.get_content_type() == "text/html").get_content()
    assert "<svg" not in text
    assert 'src="cid:stars@lowstar"' in text
    assert 'alt="Of 14 reviews' in text


def test_where_the_dashboard_is_known_cases_and_posts_lead_there(sqlite_store: Store) -> None:
    SCENES[0].fill(sqlite_store)
    found = digest(sqlite_store, SCENES[0].asked)
    web = "https://low.example"
    page = Page(html(found, web=web))
    open_case = f"{web}/cases/{int(found.open[0].name.removeprefix('REP-'))}"
    card = json.dumps(digest_body(card_of(found, web=web)))
    for address in (f"{web}/digests/Acme/2026-W47", open_case):
        assert address in page.links
        assert address in card
    assert page.loaded == []
    without = html(found) + json.dumps(digest_body(card_of(found)))
    assert "low.example" not in without
    assert "Open report" not in without


def test_posts_that_are_not_listed_lead_to_the_dashboard(sqlite_store: Store) -> None:
    SCENES[3].fill(sqlite_store)
    found = digest(sqlite_store, SCENES[3].asked)
    page = Page(html(found, web="https://low.example"))
    assert {f"https://low.example/mentions/{one}" for one in found.negative.posts[40:]} <= set(page.links)
