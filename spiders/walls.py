"""What stands in front of a page? A captcha, a consent page, a login, an empty shell: in words to act on."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from lxml import etree
from parsel import Selector
from scrapy.http import TextResponse

THIN = 1_500  # a page with fewer visible characters than this may be a wall rather than a page
EMPTY = 250  # with fewer, nothing at all is shown

_CAPTCHA_MARKS = (
    "captcha-delivery.com", "cf-chl-", "cf_chl_", "challenge-platform/h/", "px-captcha",
    "/errors/validatecaptcha", "g-recaptcha",
    "h-captcha", "hcaptcha.com", "_incapsula_resource", "geo.captcha", "awswafcaptcha", "perimeterx",
    "kasada", "datadome",
)  # fmt: skip
_CAPTCHA_WORDS = (
    "are you a robot", "not a robot", "unusual traffic", "verify you are human", "verifying you are human",
    "just a moment", "pardon our interruption",
    "access denied", "access to this page has been denied", "attention required", "bot detection",
    "type the characters you see",
    "kein roboter", "ich bin kein roboter", "zugriff verweigert", "pas un robot", "no eres un robot",
    "no soy un robot", "non sei un robot",
    "geen robot", "não é um robô", "не робот", "security check", "captcha", "request blocked",
    "enable javascript and cookies to continue",
)  # fmt: skip
_LOGIN_PATH = re.compile(
    r"/(?:log-?in|sign-?in|signin|auth|sso|account/login|users/sign_in|anmelden|connexion"
    r"|accounts/login)(?:[/?.]|\Z)",
    re.I,
)
_LOGIN_WORDS = (
    "log in", "login", "sign in", "sign up", "anmelden", "einloggen", "se connecter", "connexion",
    "iniciar sesión", "accedi", "inloggen",
    "войти", "zaloguj", "logga in", "fazer login", "entrar",
)  # fmt: skip
_CONSENT_HOSTS = ("consent.google.", "consent.youtube.", "consent.yahoo.", "consent.")
_CONSENT_WORDS = (
    "before you continue", "bevor sie fortfahren", "bevor sie zu", "avant d'accéder", "avant de continuer",
    "antes de continuar", "prima di continuare",
    "voordat je verdergaat", "we value your privacy", "wir schätzen ihre privatsphäre", "consent",
    "cookies akzeptieren", "accept all cookies", "we use cookies",
    "alle akzeptieren", "tout accepter", "aceptar todo", "accetta tutto", "alles accepteren",
)  # fmt: skip


def wall_on(response: TextResponse, root: etree._Element, *, holds_something: bool = False) -> str:
    """What a page shows instead of what it should, in words a person can act on; "" where it is no wall.

    `holds_something`: it states things of its own, so that words alone make it no wall.
    """
    shown = visible(root)
    low = shown.casefold()
    title = " ".join("".join(root.xpath("//title[1]//text()")).split())[:200]
    head = f"{title} {low[:THIN]}".casefold()
    thin = len(shown) < THIN
    address = urlsplit(response.url)
    markup = response.text[:200_000].lower() if thin else ""
    named = title or "no title"
    if (
        thin
        and not holds_something
        and (any(mark in markup for mark in _CAPTCHA_MARKS) or any(words in head for words in _CAPTCHA_WORDS))
    ):
        return (
            f"the site asked for a captcha instead of showing the page ({named}): "
            "it takes us for a robot; crawl it less often"
        )
    if (address.hostname or "").startswith(_CONSENT_HOSTS) or (
        thin and any(words in head for words in _CONSENT_WORDS) and not holds_something
    ):
        return f"the site showed a consent page instead of its reviews ({named})"
    password = bool(root.xpath("boolean(//input[@type='password'])"))
    if _LOGIN_PATH.search(address.path) or (
        thin and (password or any(words in title.casefold() for words in _LOGIN_WORDS))
    ):
        return f"the site wants a login before it shows its reviews ({named})"
    scripts = len(root.xpath("//script"))
    if len(shown) < EMPTY and scripts and not holds_something:
        return (
            f"the page is an empty shell that its {scripts} script(s) fill in a browser: "
            "there is nothing to read in it"
        )
    return ""


def wall_in(response: TextResponse) -> str:
    """The same of an answer that should have been none of HTML; "" where it is no web page."""
    text = response.text[:200_000]
    if text.lstrip("\ufeff \t\r\n")[:1] != "<":
        return ""
    try:
        return wall_on(response, Selector(text=text, type="html").root)
    except (ValueError, etree.Error):
        return ""


def visible(root: etree._Element, enough: int = 20_000) -> str:
    """The beginning of what a person would see."""
    pieces: list[str] = []
    size = 0
    hidden = " or ".join(f"ancestor::{tag}" for tag in ("script", "style", "template", "svg", "head"))
    for text in root.xpath(f".//text()[normalize-space()][not({hidden})]")[:5_000]:
        piece = " ".join(str(text).split())
        if piece:
            pieces.append(piece)
            size += len(piece)
            if size > enough:
                break
    return " ".join(pieces)
