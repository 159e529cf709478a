"""Draws docs/pictures/cards.png: the life of a case as its channel shows it, from real records.

    python docs/pictures/cards.py [CHROMIUM]

Needs a headless Chromium (`apt-get install chromium`). The page is made by the stand-in's own view of a channel.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from alerts.blocks import Around, alert_message
from alerts.blocks_cases import news_body
from alerts.cases import Action, Do, Outcome, apply
from alerts.clocks import rung
from alerts.names import Names
from alerts.people import People, Person
from alerts.sla import Policy, Step
from monitor.demo.channel import channel_page
from storage.records import (
    Case,
    CaseEvent,
    CaseStatus,
    DatePrecision,
    Delivery,
    DeliveryKind,
    Kind,
    Label,
    Mention,
    Priority,
    Promise,
    Reviewed,
    Sentiment,
    Verdict,
)

START = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TEAM = People(
    (
        Person(key="alice", name="Alice Adams", slack="U01ALICE"),
        Person(key="bob", name="Bob Brown", slack="U02BOBBY"),
        Person(key="carol", name="Carol Clark", slack="U03CAROL"),
    )
)
POLICY = Policy(
    people=TEAM,
    buttons=True,
    steps=(Step(people=("U02BOBBY",)), Step(people=("U03CAROL",), after=30 * MINUTE)),
)
LONG = "First the chat bot, then the form, then the phone that nobody picks up. " * 12
MENTION = Mention(
    source="trustpilot",
    external_id="65f0c0ffee",
    kind=Kind.REVIEW,
    url="https://www.trustpilot.com/reviews/65f0c0ffee",
    text='They REFUSED my refund & told me to "read the terms". <!channel> <@U01ALICE> *never again* `rm -rf` '
    "<https://evil.example|click here>. I waited 3 weeks; nobody called back. The parcel came back to you on the "
    "3rd, your own tracking says so, and still every answer is a link to the same page. " + LONG,
    author="J. Doe <b>",
    entity="Acme Leeds store",
    stars=1.0,
    published_at=START,
    date_precision=DatePrecision.SECOND,
)
VERDICT = Verdict(
    "Acme",
    Sentiment(-0.82, Label.NEGATIVE),
    Priority.URGENT,
    0.93,
    ("1 of 5 stars", "tone -0.82", "words: refund, refused, never again"),
    ("refund",),
)


class Story:
    """One case, moved on by the same decisions as in the store."""

    def __init__(self) -> None:
        self.case = Case(
            number=1042,
            mention_id=1,
            brand="Acme",
            status=CaseStatus.OPEN,
            priority=Priority.URGENT,
            rank=0.93,
            opened_at=START,
            channel="#reputation-alerts",
            respond_by=START + 30 * MINUTE,
        )
        self.mention = MENTION
        self.promises: list[Promise] = []
        self.history: list[CaseEvent] = []
        self.messages: list[dict[str, Any]] = []

    def card(self, now: datetime, *, interactive: bool = True, edited: bool = False) -> None:
        before = 1.0 if self.mention.stars != 1.0 else None
        of = Reviewed(self.case, self.mention, VERDICT, START, stars_before=before)
        drawn = Delivery(
            id="ob", kind=DeliveryKind.ALERT, notifier="slack", channel="#a", created_at=now, not_before=now,
            number=1042,
        )  # fmt: skip
        around = Around(promises=self.promises, names=Names(TEAM), interactive=interactive)
        message = alert_message(of, drawn, site_title="Trustpilot", now=now, around=around)
        self.messages.append({**_message(message.blocks, now), "edited": edited})

    def act(self, action: Action, now: datetime) -> None:
        self.take(apply(self.case, action, now, POLICY, promises=self.promises, history=self.history), now)

    def wait(self, now: datetime) -> None:
        outcome = rung(self.case, now, POLICY, promises=self.promises)
        if outcome is not None:
            self.take(outcome, now)

    def take(self, outcome: Outcome, now: datetime) -> None:
        self.case = outcome.case
        self.history += outcome.events
        for one in outcome.promises:
            self.promises = [kept for kept in self.promises if kept.id != one.id]
            self.promises.append(replace(one, id=one.id or 9))
        named = [
            replace(one, promise=replace(one.promise, id=one.promise.id or 9)) if one.promise else one
            for one in outcome.news
        ]
        body = json.loads(
            news_body(named, self.case, people=TEAM, now=now, url=self.mention.url, buttons=True)
        )
        self.messages.append({**_message(body["blocks"], now), "thread_ts": "1"})


def _message(blocks: Any, now: datetime) -> dict[str, Any]:
    return {"text": "", "blocks": blocks, "ts": f"{now.timestamp():.6f}"}


def story() -> list[Mapping[str, Any]]:
    """The messages, in the order they are read."""
    it = Story()
    it.card(START + MINUTE)
    it.act(Action(kind=Do.CLAIM, actor="U01ALICE", version=1), START + 12 * MINUTE)
    it.card(START + 12 * MINUTE, edited=True)
    it.wait(START + 45 * MINUTE)
    refund = Action(
        kind=Do.ANSWER,
        actor="U01ALICE",
        text="Sorry, this was our mistake. You will have the refund by Wednesday.",
        promised="the refund is on your card",
        due_by=START + timedelta(days=3),
    )
    it.act(refund, START + 52 * MINUTE)
    it.card(START + 52 * MINUTE, edited=True)
    it.wait(START + timedelta(days=2, minutes=1))
    it.act(Action(kind=Do.KEEP_PROMISE, actor="U01ALICE"), START + timedelta(days=2, hours=5))
    it.mention = replace(MENTION, text="Update: they called and paid me back. Fair enough.", stars=4.0)
    it.act(
        Action(kind=Do.RESOLVE, actor="U01ALICE", text="Customer changed 1 to 4 stars"),
        START + timedelta(days=2, hours=6),
    )
    it.card(START + timedelta(days=2, hours=6), edited=True)
    quiet = Story()
    quiet.card(START + MINUTE, interactive=False)
    return [*it.messages, *quiet.messages]


def shoot(page: Path, picture: Path, chromium: str, *, width: int = 780, height: int = 3_400) -> None:
    """Photograph a page."""
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(  # noqa: S603 - a browser of this machine, a page of ours
            [
                chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--hide-scrollbars", f"--user-data-dir={profile}", f"--window-size={width},{height}",
                f"--screenshot={picture}", page.as_uri(),
            ],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip


def fewer_colours(picture: Path) -> None:
    """A third of the size, where Pillow is at hand (matplotlib brings it)."""
    try:
        from PIL import Image, ImageChops
    except ImportError:
        return
    with Image.open(picture) as opened:
        image = opened.convert("RGB")
    blank = Image.new("RGB", image.size, image.getpixel((image.width - 1, image.height - 1)))
    box = ImageChops.difference(image, blank).getbbox()
    if box:
        image = image.crop((0, 0, image.width, min(image.height, box[3] + 20)))
    image.quantize(160, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
        picture, optimize=True
    )


def main() -> int:
    chromium = (
        sys.argv[1] if len(sys.argv) > 1 else shutil.which("chromium") or shutil.which("chromium-browser")
    )
    if not chromium:
        print("no Chromium here: apt-get install chromium")
        return 1
    picture = Path(__file__).with_name("cards.png")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "cards.html"
        names = {person.slack: person.name for person in TEAM.everybody}
        page.write_text(channel_page("#reputation-alerts", story(), names), "utf-8")
        shoot(page, picture, chromium)
    fewer_colours(picture)
    print(f"{picture} ({picture.stat().st_size // 1000} KB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
