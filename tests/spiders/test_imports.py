"""Exports, saved pages and e-mails as mentions; what is broken is named by its line and the rest goes on."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from crawling import Gathered, config_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.config import Source
from spiders.crawl import crawl
from spiders.imports import Layout, Trouble, Wish, read_file
from spiders.parsing.columns import guess
from storage.records import CrawlRun, Kind, Mention, RunOutcome
from storage.store import Store, open_store

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
SOURCE = Source(name="import", kind="import", about=("Acme",))


def read(path: Path, **wish: Any) -> tuple[list[Mention], list[Trouble], Layout | None]:
    things = list(read_file(path, SOURCE, NOW, Wish(**wish)))
    layouts = [one for one in things if isinstance(one, Layout)]
    mentions = [one for one in things if isinstance(one, Mention)]
    return mentions, [one for one in things if isinstance(one, Trouble)], layouts[0] if layouts else None


def table(folder: Path, rows: Sequence[Sequence[str]], *, mark: str = ",", encoding: str = "utf-8") -> Path:
    text = io.StringIO()
    csv.writer(text, delimiter=mark).writerows(rows)
    path = folder / "reviews.csv"
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def workbook(folder: Path, rows: Sequence[Sequence[Any]], **more: str) -> Path:
    """An XLSX as Excel writes it: shared texts, numbers as numbers."""
    texts: dict[str, int] = {}
    lines = []
    for number, row in enumerate(rows, start=1):
        cells = []
        for at, value in enumerate(row):
            place = f"{chr(65 + at)}{number}"
            if isinstance(value, str):
                if value:
                    cells.append(f'<c r="{place}" t="s"><v>{texts.setdefault(value, len(texts))}</v></c>')
            else:
                cells.append(f'<c r="{place}"><v>{value}</v></c>')
        lines.append(f'<row r="{number}">{"".join(cells)}</row>')
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    rel = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    shared = "".join(f"<si><t>{text.replace('&', '&amp;').replace('<', '&lt;')}</t></si>" for text in texts)
    path = folder / "reviews.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr(
            "xl/workbook.xml",
            f'<workbook {main} {rel}><sheets><sheet name="R" r:id="rId1"/></sheets></workbook>',
        )
        book.writestr(
            "xl/_rels/workbook.xml.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            '<Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>',
        )
        book.writestr(
            "xl/worksheets/sheet1.xml",
            f"<worksheet {main}><sheetData>{''.join(lines)}</sheetData></worksheet>",
        )
        book.writestr("xl/sharedStrings.xml", more.get("shared") or f"<sst {main}>{shared}</sst>")
    return path


# --- the exports people have -------------------------------------------------------------------------------

TRUSTPILOT = ["Review Id", "Review Created (UTC)", "Review Username", "Review Title", "Review Content",
              "Review Stars", "Company Reply Text", "Company Reply Date (UTC)", "Review Language"]  # fmt: skip
AMAZON = ["Date", "Rating", "Comments", "Response", "Order ID", "Rater Email"]
BOOKING = ["Review date", "Guest name", "Reservation number", "Review title", "Positive review", "Negative review",
           "Review score", "Property reply"]  # fmt: skip
PLAY = ["Package Name", "App Version Code", "Reviewer Language", "Device", "Review Submit Date and Time",
        "Star Rating", "Review Title", "Review Text", "Developer Reply Text", "Review Link"]  # fmt: skip
APPLE = ["Date", "Nickname", "Rating", "Title", "Review", "Developer Response"]


@pytest.mark.parametrize(
    ("kind", "header", "row", "wanted"),
    [
        ("trustpilot", TRUSTPILOT, ["r1", "2026-11-20 10:00:00", "Ann", "Bad", "It broke", "1", "Sorry",
          "2026-11-21 09:00:00", "de"],
         {"external_id": "r1", "stars": 1, "title": "Bad", "author": "Ann", "owner_reply": "Sorry", "language": "de"}),
        ("amazon", AMAZON, ["11/20/26", "2", "Late", "We are sorry", "123-4", "a@marketplace.example"],
         {"stars": 2, "text": "Late", "owner_reply": "We are sorry", "reference": "123-4"}),
        ("booking", BOOKING, ["2026-11-20 10:00:00", "Ann", "77", "So so", "The pool", "The noise", "4,5", "Thank you"],
         {"stars": 2.25, "text": "Disliked: The noise\nLiked: The pool", "title": "So so", "owner_reply": "Thank you",
          "reference": "77"}),
        ("google-play", PLAY, ["com.acme", "7", "fr", "pixel", "2026-11-20T10:00:00Z", "3", "", "Bof",
          "Merci", "https://play.google.com/x"],
         {"stars": 3, "text": "Bof", "language": "fr", "url": "https://play.google.com/x", "owner_reply": "Merci"}),
        ("app-store", APPLE, ["2026-11-20", "ann", "1", "No", "Crashes", ""],
         {"stars": 1, "text": "Crashes", "title": "No", "author": "ann"}),
        ("", ["Datum", "Sterne", "Kommentar", "Kunde"], ["20.11.2026", "2", "Zu spät", "Ann"],
         {"stars": 2, "text": "Zu spät", "author": "Ann"}),
        ("", ["fecha", "calificación", "reseña", "usuario"], ["20/11/2026", "4", "Bien", "Ann"],
         {"stars": 4, "text": "Bien", "author": "Ann"}),
    ],
)  # fmt: skip
def test_an_export_is_read_by_the_names_of_its_columns(
    kind: str, header: list[str], row: list[str], wanted: dict[str, Any], tmp_path: Path
) -> None:
    mentions, troubles, layout = read(table(tmp_path, [header, row]), kind=kind)
    assert troubles == []
    assert layout is not None
    (mention,) = mentions
    assert {name: getattr(mention, name) for name in wanted} == wanted
    assert mention.published_at is not None
    assert mention.published_at.date().isoformat() == "2026-11-20"
    assert (mention.kind, mention.about) == (Kind.REVIEW, ("Acme",))


def test_googles_export_of_a_business_is_read(tmp_path: Path) -> None:
    review = {
        "reviewer": {"displayName": "Ann"},
        "starRating": "TWO",
        "comment": "Cold soup",
        "createTime": "2026-11-20T10:00:00Z",
        "reviewReply": {"comment": "Sorry", "updateTime": "2026-11-21T10:00:00Z"},
        "name": "accounts/1/locations/2/reviews/3",
    }
    path = tmp_path / "reviews.json"
    path.write_text(json.dumps({"reviews": [review]}))
    (mention,), troubles, _ = read(path, kind="google-business")
    assert troubles == []
    assert (mention.stars, mention.text, mention.author) == (2, "Cold soup", "Ann")
    assert (mention.owner_reply, mention.external_id) == ("Sorry", review["name"])


# --- encodings, quoting, broken rows -----------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_any_encoding_and_delimiter_with_line_breaks_in_cells(
    encoding: str, mark: str, tmp_path: Path
) -> None:
    rows = [
        ["Review", "Rating", "Author"],
        ["Größe; stimmt,\nnicht\tganz", "2", "Jörg"],
        ["Fine", "5", "Ann"],
    ]
    mentions, troubles, _ = read(table(tmp_path, rows, mark=mark, encoding=encoding))
    assert troubles == []
    assert [mention.text for mention in mentions] == ["Größe; stimmt,\nnicht\tganz", "Fine"]
    assert mentions[0].author == "Jörg"


def test_bad_rows_are_named_by_their_lines_and_the_others_go_on(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(
        'Reviews of Acme\n\nreview,stars,date\n"two\nlines",1,2026-11-20\n,,\n,,2026-11-20\nfine,many,soon\n'
        "a,b,c,d,e\nlast,5,2026-11-21\n"
    )
    mentions, troubles, _ = read(path)
    assert [mention.text for mention in mentions] == ["two\nlines", "fine", "last"]
    assert [trouble.line for trouble in troubles] == [7, 8, 8, 9]
    assert "neither words nor stars" in str(troubles[0])
    assert "line 8: 'many' is no rating" in str(troubles[1])
    assert "line 9: it has 5 cells, and the header 3" in str(troubles[3])


def test_formulas_are_words_and_markup_becomes_text(tmp_path: Path) -> None:
    rows = [
        ["review", "stars", "id"],
        ['=HYPERLINK("http://evil.example")', "1", '="00123"'],
        ["'=1+1", "2", "2"],
        ["<p>It <b>leaks</b></p><script>x()</script>", "1", "3"],
    ]
    mentions, troubles, _ = read(table(tmp_path, rows))
    assert troubles == []
    assert [mention.text for mention in mentions] == ['=HYPERLINK("http://evil.example")', "=1+1", "It leaks"]
    assert mentions[0].external_id == "00123"


def test_a_quote_that_is_never_closed_costs_its_row_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('review,stars\nfine,5\n"never closed,1\n' + "x,1\n" * 400_000)
    mentions, troubles, _ = read(path)
    assert mentions[0].text == "fine"
    assert any("quote" in str(trouble) for trouble in troubles)


def test_a_map_overrides_the_guess_and_a_wrong_one_names_the_columns(tmp_path: Path) -> None:
    path = table(tmp_path, [["A", "B, long", "C"], ["words", "2", "Ann"]])
    assert read(path)[1][0].words.startswith("no column is known to hold what people wrote; there are: 'A'")
    (mention,), troubles, _ = read(path, mapped="text=a,stars=B, long,author=C")
    assert (troubles, mention.text, mention.stars, mention.author) == ([], "words", 2, "Ann")
    _, troubles, _ = read(path, mapped="text=Nothing")
    assert "there is no column 'Nothing'; there are: 'A', 'B, long', 'C'" in str(troubles[0])


def test_what_a_column_holds_decides_where_its_name_means_both(tmp_path: Path) -> None:
    rows = [["Bewertung", "Kommentar"], ["2", "zu laut"], ["5", "gut"]]
    mentions, _, layout = read(table(tmp_path, rows))
    assert layout is not None
    assert layout.columns == {"text": "Kommentar", "stars": "Bewertung"} or mentions[0].stars == 2
    rows = [["Date", "Review"], ["2026-11-20", "3"], ["2026-11-20", "4"]]
    assert [mention.stars for mention in read(table(tmp_path, rows))[0]] == [3, 4]


def test_dates_are_read_as_the_others_of_the_table_tell(tmp_path: Path) -> None:
    def first(*dates: str, **wish: Any) -> str:
        rows = [["review", "date"], *([f"r{n}", date] for n, date in enumerate(dates))]
        (mention, *_), _, _ = read(table(tmp_path, rows), **wish)
        assert mention.published_at is not None
        return mention.published_at.date().isoformat()

    assert first("03/04/2026", "10/25/2026") == "2026-03-04"
    assert first("03/04/2026", "25/10/2026") == "2026-04-03"
    assert first("03/04/2026", day_first=False) == "2026-03-04"
    assert first("45980") == "2025-11-19"  # as a spreadsheet counts days


def test_ratings_out_of_ten_are_seen_and_one_slip_is_no_scale(tmp_path: Path) -> None:
    tens = [["review", "score"], *([f"it was so so {n}", str(n)] for n in range(1, 11))]
    assert [mention.stars for mention in read(table(tmp_path, tens))[0]][-1] == 5
    slip = [["review", "score"], *([f"so so {n}", str(1 + n % 5)] for n in range(40)), ["a slip", "55"]]
    mentions, troubles, _ = read(table(tmp_path, slip))
    assert mentions[4].stars == 5
    assert "'55' is no rating" in str(troubles[0])


# --- JSON, XLSX --------------------------------------------------------------------------------------------


def test_json_lines_with_a_broken_line_go_on(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(
        '{"text": "It broke", "stars": 1}\n{"text": broken\n\n[1]\n{"text": "It works", "stars": NaN}\n'
    )
    mentions, troubles, _ = read(path)
    assert [mention.text for mention in mentions] == ["It broke", "It works"]
    assert [trouble.line for trouble in troubles] == [2, 4]


def test_a_list_is_streamed_and_one_cut_short_says_where(tmp_path: Path) -> None:
    entries = [{"text": f"review {n} " + "x" * 500, "rating": 1 + n % 5} for n in range(3_000)]
    path = tmp_path / "x.json"
    path.write_text(json.dumps(entries, indent=1))
    assert len(read(path)[0]) == 3_000
    path.write_text(json.dumps(entries)[:-30_000])
    mentions, troubles, _ = read(path)
    assert 2_900 < len(mentions) < 3_000
    assert "cut short or broken" in str(troubles[0])


def test_a_workbook_is_read(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["Reviews of Acme"],
        ["Date", "Stars", "Review", "Customer"],
        [45980, 2, "Too <late> & cold", "Ann"],
        [45981.5, 5, "Fine", ""],
    ]
    mentions, troubles, _ = read(workbook(tmp_path, rows))
    assert troubles == []
    assert [(mention.text, mention.stars, mention.author) for mention in mentions] == [
        ("Too <late> & cold", 2, "Ann"),
        ("Fine", 5, ""),
    ]
    assert mentions[0].published_at == datetime(2025, 11, 19, tzinfo=UTC)


def test_a_workbook_that_is_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    bomb = "<sst>" + "<si><t>" + " " * 60_000_000 + "</t></si></sst>"
    path = workbook(tmp_path, [["Review"], ["x"]], shared=bomb)
    mentions, troubles, _ = read(path)
    assert mentions == []
    assert "this is a bomb" in str(troubles[0])
    laughs = (
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><sst><si><t>&b;&b;</t></si></sst>'
    )
    assert all(
        "aaaa" not in mention.text
        for mention in read(workbook(tmp_path, [["Review"], ["x"]], shared=laughs))[0]
    )


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.csv", b"", "it is empty"),
        ("x.csv", b"review,stars\n", "no rows below a header"),
        ("x.xls", b"\xd0\xcf\x11\xe0" + b"\x00" * 600, "old Excel file"),
        ("x.xlsx", b"PK\x03\x04broken", "broken zip file"),
        ("x.json", b'{"a": ', "it is no JSON"),
    ],
)
def test_what_is_no_table_says_what_to_do(name: str, content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    mentions, troubles, _ = read(path)
    assert mentions == []
    assert words in " ".join(map(str, troubles))


def test_a_hundred_megabytes_are_streamed(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    row = "word " * 400
    with path.open("w") as file:
        file.write("id,review,stars\n")
        for n in range(10_000):  # 20 MB here; memory is what must not grow
            file.write(f"{n},{row},{1 + n % 5}\n")
    tracemalloc.start()
    try:
        count = sum(isinstance(one, Mention) for one in read_file(path, SOURCE, NOW))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 10_000
    assert peak < 15_000_000


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=300),
    name=st.sampled_from(["x.csv", "x.json", "x.xlsx", "x.mbox", "x.html", "x"]),
)
def test_no_file_makes_reading_fall_over(content: bytes, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    for prefix in (b"", b"PK\x03\x04", b"From a 2026\n", b'[{"a":', b"review,stars\n", b"\xff\xfe"):
        path.write_bytes(prefix + content)
        for thing in read_file(path, SOURCE, NOW):
            assert isinstance(thing, (Mention, Trouble, Layout))


def test_columns_are_guessed_once_each() -> None:
    found = guess(["Name", "Review", "Rating", "Date", "Title"])
    assert found == {"author": "Name", "text": "Review", "stars": "Rating", "date": "Date", "title": "Title"}


# --- e-mails and pages -------------------------------------------------------------------------------------

MAIL = """From: "Reviews" <no-reply@reviews.example>
To: owner@acme.example
Subject: =?utf-8?q?Neue_2-Sterne-Bewertung_f=C3=BCr_Acme?=
Date: Fri, 20 Nov 2026 10:00:00 +0100
Message-ID: <{id}@reviews.example>
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/plain; charset=utf-8

Plain words
--b
Content-Type: text/html; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

<p>Ann schrieb:</p><p>Die K=FCche war kalt.</p><script>x()</script>
--b--
"""


def test_a_notification_e_mail_is_a_mention_with_its_stars(tmp_path: Path) -> None:
    path = tmp_path / "one.eml"
    path.write_text(MAIL.format(id="m1"))
    (mention,), troubles, _ = read(path)
    assert troubles == []
    assert (mention.title, mention.author, mention.stars) == (
        "Neue 2-Sterne-Bewertung für Acme",
        "Reviews",
        2,
    )
    assert mention.text == "Ann schrieb:\n\nDie Küche war kalt." or "Die Küche war kalt." in mention.text
    assert mention.external_id == "m1@reviews.example"
    assert mention.published_at == datetime(2026, 11, 20, 9, tzinfo=UTC)


def test_an_mbox_is_read_message_by_message_and_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "box.mbox"
    path.write_text(
        "".join(f"From x@y Fri Nov 20 10:00:00 2026\n{MAIL.format(id=f'm{n}')}\n" for n in range(5))
    )
    before = path.read_bytes()
    mentions, troubles, _ = read(path)
    assert ([mention.external_id[:2] for mention in mentions], troubles) == (
        ["m0", "m1", "m2", "m3", "m4"],
        [],
    )
    assert path.read_bytes() == before


def test_a_saved_page_is_read_as_try_reads_it(tmp_path: Path) -> None:
    review = (
        '{"@type": "Review", "author": "Ann", "reviewBody": "It leaks.", "reviewRating": {"ratingValue": 1}}'
    )
    path = tmp_path / "saved.html"
    path.write_text(f"<html><script type='application/ld+json'>{review}</script><p>{'x ' * 999}</p></html>")
    (mention,), troubles, layout = read(path)
    assert (troubles, mention.text, mention.source) == ([], "It leaks.", "import")
    assert layout is not None
    assert layout.kind == "reviews"


# --- the drop folder ---------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with open_store(f"sqlite:///{tmp_path / 'lowstar.db'}") as made:
        yield made


def dropped(folder: Path, store: Store, *, at: datetime) -> tuple[CrawlRun, Gathered]:
    source = Source(name="drop", kind="import", options={"path": str(folder)})
    sink = Gathered()
    (run,) = crawl(config_of(source), [source], store=store, sink_for=lambda *_: sink, clock=lambda: at)
    return run, sink


def test_a_file_in_the_folder_is_read_once_and_moved(tmp_path: Path, store: Store) -> None:
    folder = tmp_path / "inbox"
    folder.mkdir()
    later = datetime.now(UTC) + timedelta(minutes=1)
    table(folder, [["review", "stars"], ["bad", "1"], ["good", "5"]])
    (folder / "half.csv.part").write_text("review\nx\n")
    run, sink = dropped(folder, store, at=later)
    assert (run.outcome, len(sink.items)) == (RunOutcome.OK, 2)
    assert sorted(path.name for path in folder.iterdir()) == ["done", "half.csv.part"]
    table(folder, [["review", "stars"], ["bad", "1"], ["good", "5"]])  # the same content again
    run, sink = dropped(folder, store, at=later + timedelta(minutes=15))
    assert sink.items == []
    assert sorted(path.name for path in (folder / "done").iterdir()) == ["reviews (2).csv", "reviews.csv"]
    run, sink = dropped(folder, store, at=later + timedelta(minutes=30))
    assert (run.outcome, run.reason) == (RunOutcome.OK, "")


def test_a_broken_file_is_named_and_left_and_the_others_are_read(tmp_path: Path, store: Store) -> None:
    folder = tmp_path / "inbox"
    folder.mkdir()
    (folder / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0" + b"\x00" * 600)
    table(folder, [["review", "stars"], ["bad", "1"]])
    run, sink = dropped(folder, store, at=datetime.now(UTC) + timedelta(minutes=1))
    assert len(sink.items) == 1
    assert run.outcome is RunOutcome.PARTIAL
    assert "old.xls: it is an old Excel file (.xls): save it as CSV or XLSX" in run.reason
    assert (folder / "old.xls").exists()


def test_a_folder_that_is_not_there_says_so(tmp_path: Path, store: Store) -> None:
    run, _ = dropped(tmp_path / "nowhere", store, at=NOW)
    assert run.outcome is RunOutcome.FAILED
    assert "nowhere cannot be read: No such file or directory" in run.reason
