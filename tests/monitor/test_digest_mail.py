"""Do strangers' words stay words in the digest that is mailed, on the whole road to the mail server?"""

from __future__ import annotations

import email
import re
import threading
import unicodedata
from dataclasses import dataclass, replace
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from mailserver import mail_server
from shelf import settings
from skeleton import NASTY, Page
from weekstore import WEEK, WeekStore, day

from alerts.email import Mailbox
from monitor.config import load_config
from monitor.digest_send import enqueue, make
from monitor.digest_shape import Digest
from monitor.roads import notifiers_for
from monitor.runner import deliver
from storage.store import open_store

SMUGGLED = "\r\nBcc: evil@example.com\r\n\r\n<script>alert(1)</script>\r\n.\r\nRCPT TO:<evil@example.com>\r\n"
REMOTE = (
    "![x](https://evil.example/p.png) <link rel=stylesheet href=//evil.example/a.css> url(https://evil.example/b)"
    ' "><svg aria-label="x" data-chart="stars"></svg><img src="cid:stars@lowstar" srcset=https://evil.example/c>'
)
HOSTILE = f"{NASTY}{REMOTE}{SMUGGLED}=?utf-8?q?=0ABcc:_evil=40example.com?= =0D=0ABcc: evil@example.com"


@dataclass(frozen=True)
class Mailed:
    """A digest as it arrived, and what its server was told."""

    raw: bytes
    said: tuple[str, ...]

    @property
    def message(self) -> EmailMessage:
        message = email.message_from_bytes(self.raw, policy=default)
        assert isinstance(message, EmailMessage)
        return message

    def part(self, kind: str) -> str:
        body = self.message.get_body((kind,))
        assert body is not None
        text: str = body.get_content()
        return text

    @property
    def page(self) -> Page:
        return Page(self.part("html"))


def mailed(folder: Path, words: str, name: str = "") -> Mailed:
    """A week in which every stranger says `words`, under a brand and a topic called `name` where one is given."""
    folder.mkdir()
    settings(
        folder, '[digest]\nemail = ["marketing@example.com"]\n[email]\nhost = "x"\nfrom = "l@example.com"\n'
    )
    config = load_config(folder / "lowstar.toml", {})
    with open_store(config.store_url) as store, mail_server() as server:
        weeks = WeekStore(store)
        for at in range(3):
            mine = weeks.mention(
                day(at), f"{words} delivery late", 1, author=words, entity=words, title=words, source="shop"
            )
            weeks.mention(day(at, 15), f"{words}. Best wonderful shop, I love it", 5, author=f"{words}{at}")
            weeks.case(mine, day(at), owner=words)
        digest = make(config, store, config.brands[0], WEEK, day(8))
        enqueue(store, named(digest, name), "email", "marketing@example.com", day(8))
        box = Mailbox(host="127.0.0.1", port=server.port, sender="lowstar@example.com", security="none")
        report = deliver(
            replace(config, email=box),
            store,
            notifiers_for(replace(config, email=box)),
            clock=lambda: day(8),
            sleep=lambda seconds: None,
            stop=threading.Event(),
        )
        assert report.sent == 1
        (raw,) = server.taken
        return Mailed(raw, tuple(server.said))


def named(digest: Digest, name: str) -> Digest:
    if not name:
        return digest
    assert digest.hurts
    hurts = tuple(replace(one, name=name) for one in digest.hurts)
    return replace(digest, brand=name, hurts=hurts)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Mailed, Mailed]:
    """The same week in harmless words and in hostile ones."""
    folder = tmp_path_factory.mktemp("mail")
    return mailed(folder / "a", "harmless", "Harmless"), mailed(folder / "b", HOSTILE, HOSTILE)


def test_the_page_in_the_mail_has_the_skeleton_of_one_with_harmless_words(
    both: tuple[Mailed, Mailed],
) -> None:
    harmless, hostile = both
    assert hostile.page.skeleton == harmless.page.skeleton
    assert "&lt;script&gt;" in hostile.part("html")  # the words are there, as words


def test_nothing_in_the_mail_is_fetched_from_anywhere(both: tuple[Mailed, Mailed]) -> None:
    for one in both:
        inside = {
            f"cid:{part['Content-ID'].strip('<>')}" for part in one.message.walk() if part["Content-ID"]
        }
        assert set(one.page.loaded) == inside
        assert one.page.links == both[0].page.links  # none that a stranger's words made
        page = re.sub(r"&[#\w]+;", " ", one.part("html"))
        style = "".join(re.findall(r"<style>(.*?)</style>", page, re.DOTALL))
        assert style
        assert "url(" not in style
        assert "@import" not in style


def test_words_add_no_header_and_no_recipient(both: tuple[Mailed, Mailed]) -> None:
    harmless, hostile = both
    assert sorted(hostile.message.keys()) == sorted(harmless.message.keys())
    assert [part.keys() for part in hostile.message.walk()] == [
        part.keys() for part in harmless.message.walk()
    ]
    assert hostile.message["To"] == "marketing@example.com"
    heads = hostile.raw.split(b"\r\n\r\n", 1)[0]
    assert not re.search(rb"^bcc:", heads, re.IGNORECASE | re.MULTILINE)
    told = [[word for word in one.said if word.upper().startswith(("MAIL", "RCPT"))] for one in both]
    assert told[0] == told[1]
    assert not any("evil" in word for word in hostile.said)


def test_the_subject_is_one_line_of_visible_words(both: tuple[Mailed, Mailed]) -> None:
    subject = both[1].message["Subject"]
    assert "\r" not in subject
    assert "\n" not in subject
    assert subject.endswith("Week 47: 6 mentions, 3 negative, rating 3.0")
    assert not [char for char in subject if unicodedata.category(char) in ("Cc", "Zl", "Zp")]


def test_the_plain_text_says_it_all_as_text(both: tuple[Mailed, Mailed]) -> None:
    harmless, hostile = both
    text = hostile.part("plain")
    assert hostile.message.get_body(("plain",))["Content-Type"].content_type == "text/plain"  # type: ignore[index]
    assert "<script>alert(1)</script>" in text
    # No control characters, and nothing that turns the reading direction of what stands behind it.
    assert not {c for c in text if unicodedata.category(c) == "Cc"} - {"\r", "\n"}
    assert not set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069") & set(text)
    for heading in re.findall(r"^[A-Z ]{6,}$", harmless.part("plain"), re.MULTILINE):
        assert text.count(f"\n{heading}\n") == harmless.part("plain").count(f"\n{heading}\n")


def test_pictures_are_described_in_words_that_stay_inside_their_quotes(both: tuple[Mailed, Mailed]) -> None:
    pytest.importorskip("matplotlib")
    harmless, hostile = both
    for one in both:
        assert len(re.findall(r"<img [^>]*>", one.part("html"))) == len(harmless.page.loaded) > 0
    shown = re.findall(
        r'<img src="cid:[a-z]+@lowstar" alt="[^"<>]*" width="560" [^>]*>', hostile.part("html")
    )
    assert len(shown) == len(hostile.page.loaded)
