"""What does a notification e-mail say? Its words, sender and stars as a mention."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from monitor.config import Source
from spiders.imported import Trouble
from spiders.parsing.html import html_to_text
from spiders.parsing.mails import BadMail, Mail
from spiders.parsing.ratings import Rating, parse_rating, parse_rating_text
from storage.records import DatePrecision, Kind, Mention, clean_key, fingerprint

_SUBJECT_STARS = re.compile(
    r"\b([1-5](?:[.,]\d)?)\s{0,3}-?\s{0,3}(?:stars?\b|sterne?\b|étoiles?|estrellas|stelle|★|⭐)", re.I
)
_DRAWN = re.compile("[★⭐]{1,5}[☆✩]{0,4}")


def mentions_of(mail: Mail | BadMail, source: Source, now: datetime) -> Iterator[Mention | Trouble]:
    """What a message says of `source`: one mention, those it states in schema.org's words, or why it has none."""
    if isinstance(mail, BadMail):
        yield Trouble(mail.line, mail.words)
        return
    stated = _stated(mail.html, source, now)
    if stated:
        yield from stated
        return
    text = html_to_text(mail.html).strip() if mail.html else mail.text.strip()
    text = text or mail.text.strip()
    if not text and not mail.subject:
        yield Trouble(mail.line, "the message is empty")
        return
    rating = _mail_rating(mail.subject, text)
    yield Mention(
        source=source.name,
        external_id=clean_key(mail.id) or fingerprint("", mail.author, f"{mail.subject}\n{text}", mail.at),
        kind=Kind.REVIEW if rating.stars is not None else Kind.POST,
        title=mail.subject,
        text=text,
        author=mail.author,
        stars=rating.stars,
        rating_raw=rating.raw,
        language=source.language,
        published_at=mail.at,
        date_precision=DatePrecision.SECOND if mail.at is not None else DatePrecision.NONE,
        about=source.about,
    )


def _stated(markup: str, source: Source, now: datetime) -> tuple[Mention, ...]:
    """The reviews a message states in schema.org's words, as pages do; most do not."""
    if "schema.org" not in markup or "eview" not in markup:
        return ()
    from scrapy.http import HtmlResponse

    from spiders.reviews import read_page

    page = HtmlResponse("https://mail.invalid/", body=markup.encode("utf-8", "replace"), encoding="utf-8")
    read = read_page(page, source, now).mentions
    return tuple(
        replace(one, url="" if "mail.invalid" in one.url else one.url, about=source.about) for one in read
    )


def _mail_rating(subject: str, text: str) -> Rating:
    """The stars a notification speaks of: "New 2-star review", "★★☆☆☆"; none where it speaks of several."""
    for place in (subject[:300], text[:600]):
        said = _SUBJECT_STARS.search(place)
        if said is not None:
            return parse_rating(said[1].replace(",", "."), best=5)
        drawn = _DRAWN.search(place)
        if drawn is not None and len(drawn[0]) == 5:
            return parse_rating_text(drawn[0])
    return Rating()
