"""Which cookies go back to a site? Those it set in this crawl, a few, and no list of domains is fetched for it.

Scrapy's own middleware asks a public list which domains are nobody's own (co.uk), over the network, while the
event loop waits. Here a jar lives as long as one crawl of one source and its cookies go to that site alone:
there is nobody to keep them from.
"""

from __future__ import annotations

from collections.abc import Iterable
from http.cookiejar import Cookie
from itertools import islice

from scrapy.downloadermiddlewares.cookies import CookiesMiddleware
from scrapy.http import Request
from scrapy.http.cookies import CookieJar
from scrapy.utils.httpobj import urlparse_cached

KEPT = 50  # of one answer; a browser keeps some 180 of a site, and no login is needed here
VALUE_MAX = 4_096  # characters, as browsers have it


class OwnCookies(CookiesMiddleware):
    """Downloader middleware: Scrapy's, without the list and with an end."""

    def _process_cookies(self, cookies: Iterable[Cookie], *, jar: CookieJar, request: Request) -> None:
        host = (urlparse_cached(request).hostname or "").lower()
        for cookie in islice(cookies, KEPT):
            if len(cookie.value or "") > VALUE_MAX or not host:
                continue
            domain = cookie.domain.removeprefix(".")
            if "." not in domain or not f".{host}".endswith(f".{domain}"):
                cookie.domain, cookie.domain_specified = host, False
            jar.set_cookie_if_ok(cookie, request)
