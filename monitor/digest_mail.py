"""What does a digest look like as an e-mail? Plain text first, the page beside it, pictures inside."""

from __future__ import annotations

import re
from email.message import EmailMessage
from email.policy import SMTP

from alerts.email import subject_line
from monitor import charts
from monitor import digest_say as say
from monitor.digest_html import html
from monitor.digest_shape import Digest
from monitor.digest_text import plain_text

_SVG = re.compile(r'<svg [^>]*aria-label="([^"]*)"[^>]*>.*?data-chart="([a-z]+)".*?</svg>', re.DOTALL)


def mail(digest: Digest, *, web: str = "") -> EmailMessage:
    """The digest as a message without sender and recipient: who sends it writes those.

    Mail programs draw no SVG: the charts are PNG pictures inside the message where the extra `charts` is
    installed, and their findings as words where it is not. Nothing is fetched when it is opened.
    """
    message = EmailMessage(policy=SMTP)
    message["Subject"] = subject_line(f"{digest.brand}: {say.headline(digest)}")
    message.set_content(plain_text(digest))
    pictures: dict[str, bytes] = {}

    def picture(found: re.Match[str]) -> str:
        said, name = found[1], found[2]
        try:
            content = charts.png(digest, name)
        except charts.ChartsMissing:
            return ""
        pictures[name] = content
        return f'<img src="cid:{name}@lowstar" alt="{said}" width="560" style="max-width:100%;height:auto">'

    page = _SVG.sub(picture, html(digest, web=web)).replace(
        "default-src 'none';", "default-src 'none'; img-src cid:;", 1
    )
    message.add_alternative(page, subtype="html")
    payload = message.get_payload()
    related = payload[-1] if isinstance(payload, list) else None
    for name, content in pictures.items():
        if isinstance(related, EmailMessage):
            related.add_related(
                content, maintype="image", subtype="png", cid=f"<{name}@lowstar>", filename=f"{name}.png"
            )
    return message
