"""Do the charts show the facts, say their finding in words, and keep strangers' words as words?"""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from weekscenes import SCENES, Scene
from weekstore import WeekStore, digest, wanted

from monitor import charts
from monitor.digest_shape import Digest
from storage.store import Store

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(params=SCENES, ids=lambda scene: scene.name)
def found(request: pytest.FixtureRequest, sqlite_store: Store) -> Digest:
    scene: Scene = request.param
    scene.fill(sqlite_store)
    return digest(sqlite_store, scene.asked)


def _drawings(found: Digest) -> dict[str, str]:
    every = {
        "stars": charts.stars_svg(found),
        "days": charts.days_svg(found),
        "topics": charts.topics_svg(found),
    }
    return {name: svg for name, svg in every.items() if svg}


def test_every_chart_is_well_formed_and_says_its_finding(found: Digest) -> None:
    for svg in _drawings(found).values():
        root = ET.fromstring(svg)
        assert root.get("role") == "img"
        said = root.get("aria-label")
        assert said
        assert root.findtext(f"{SVG}title") == said
        assert said.endswith(".")


def test_nothing_is_drawn_outside_its_frame(found: Digest) -> None:
    for svg in _drawings(found).values():
        root = ET.fromstring(svg)
        wide, high = map(float, (root.get("viewBox") or "").split()[2:])
        for shape in root.iter(f"{SVG}rect"):
            x, y = float(shape.get("x", 0)), float(shape.get("y", 0))
            assert x >= 0
            assert y >= 0
            assert x + float(shape.get("width", 0)) <= wide
            assert y + float(shape.get("height", 0)) <= high
        for words in root.iter(f"{SVG}text"):
            assert 0 <= float(words.get("x", 0)) <= wide - 4
            assert 0 < float(words.get("y", 0)) <= high


def test_the_numbers_in_a_chart_are_those_of_the_digest(found: Digest) -> None:
    drawn = _drawings(found)
    if "stars" in drawn:
        words = re.findall(r">([\d,]+)</text>", drawn["stars"])
        assert [int(word.replace(",", "")) for word in words] == [bar.count for bar in found.bars]
    if "topics" in drawn:
        words = re.findall(r">([\d,]+)</text>", drawn["topics"])
        assert [int(word) for word in words] == [fact.now for fact in found.hurts[: charts.TOPICS_SHOWN]]


def test_an_empty_week_draws_nothing(sqlite_store: Store) -> None:
    assert _drawings(digest(sqlite_store)) == {}
    assert charts.png(digest(sqlite_store), "stars") == b""


def test_a_topic_with_markup_in_its_name_stays_text(sqlite_store: Store) -> None:
    weeks = WeekStore(sqlite_store)
    weeks.mention(wanted().period.start_at, "Late delivery.", 1)
    plain = digest(sqlite_store)
    nasty = replace(plain, hurts=(replace(plain.hurts[0], name='<b>&"x" $a^b_c$'),))
    root = ET.fromstring(charts.topics_svg(nasty))
    assert root.find(f".//{SVG}b") is None
    pytest.importorskip("matplotlib")
    assert charts.png(nasty, "topics").startswith(b"\x89PNG")


def test_pictures_are_png_of_the_stated_size(found: Digest) -> None:
    pytest.importorskip("matplotlib")
    for name in _drawings(found):
        picture = charts.png(found, name)
        assert picture.startswith(b"\x89PNG")
        assert (int.from_bytes(picture[16:20]), int.from_bytes(picture[20:24])) == (1200, 675)
        assert len(picture) < 120_000


def test_without_matplotlib_it_is_said_what_to_install(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(charts.ChartsMissing, match=r"pip install 'lowstar\[charts\]'"):
        charts.png(digest(sqlite_store), "stars")


def test_pages_need_no_matplotlib() -> None:
    source = Path(charts.__file__).read_text(encoding="utf-8")
    assert not re.search(r"^(import|from) matplotlib", source, re.MULTILINE)
