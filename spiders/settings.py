"""How every crawl behaves: polite and safe by default.

Scrapy's own defaults do not verify TLS, ignore robots.txt, open a telnet and a remote-control port and take
pages of 1 GiB. What is set here is checked on a running crawler by tests/spiders/test_settings.py.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from monitor.config import Crawl

try:
    VERSION = version("lowstar")
except PackageNotFoundError:  # run from a checkout that is not installed
    VERSION = "0"


def user_agent(contact: str = "") -> str:
    """Who we say we are: a site that minds can tell us apart and, with a contact, write to us.

    >>> user_agent("https://shop.example/bot").endswith(" (+https://shop.example/bot)")
    True
    """
    contact = "".join(c for c in contact if c.isascii() and c.isprintable() and c not in "()")[:200].strip()
    return f"lowstar/{VERSION}" + (f" (+{contact})" if contact else "")


def settings_for(crawl: Crawl) -> dict[str, Any]:
    """What lowstar.toml's [crawl] changes of the settings below."""
    return {
        "USER_AGENT": user_agent(crawl.contact),
        "DOWNLOAD_DELAY": crawl.delay.total_seconds(),
        "LOWSTAR_ALLOW_HOSTS": list(crawl.allow_hosts),
        "ROBOTSTXT_OBEY": crawl.obey_robots,
    }


BOT_NAME = "lowstar"
SPIDER_MODULES = ["spiders"]
SPIDER_LOADER_WARN_ONLY = True  # a source that does not load never takes the others along

# Manners
USER_AGENT = user_agent()
ROBOTSTXT_OBEY = True
ROBOTSTXT_USER_AGENT = "lowstar"  # the name a robots.txt calls us by, without the version
CONCURRENT_REQUESTS = 8
CONCURRENT_REQUESTS_PER_DOMAIN = 1
CONCURRENT_ITEMS = 8  # Scrapy starts so many tasks a page, needed or not; an item here only joins a queue
DOWNLOAD_DELAY = 1.0  # seconds between two requests to one host
DOWNLOAD_DELAY_JITTER = 0.2
REFERRER_POLICY = "same-origin"
COOKIES_ENABLED = True  # of one crawl, in memory: some sites redirect in circles without
DEFAULT_REQUEST_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/json,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en;q=0.9,*;q=0.5",
}

# Safety
LOWSTAR_ALLOW_HOSTS: list[str] = []
TWISTED_DNS_RESOLVER = "spiders.addresses.PublicNamesOnly"
DNS_TIMEOUT = 15.0
DOWNLOAD_VERIFY_CERTIFICATES = True
DOWNLOAD_MAXSIZE = 5 * 1024 * 1024  # bytes, of the answer and of what it unpacks to
DOWNLOAD_WARNSIZE = 0
DOWNLOAD_TIMEOUT = 30.0  # seconds for a whole answer
DOWNLOAD_HANDLERS = {
    "http": "spiders.download.DownloadHandler",
    "https": "spiders.download.DownloadHandler",
    "file": None,
    "ftp": None,
    "s3": None,
    "data": None,
}
HTTPPROXY_ENABLED = False  # why: spiders/addresses.py
REDIRECT_MAX_TIMES = 5
METAREFRESH_ENABLED = False
URLLENGTH_LIMIT = 2_000
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False
DOWNLOADER_MIDDLEWARES = {
    "spiders.addresses.PublicAddressesOnly": 10,
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "spiders.robots.RobotsMiddleware": 100,
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
    "spiders.retry.RetryMiddleware": 550,
    "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware": None,
    "scrapy.downloadermiddlewares.cookies.CookiesMiddleware": None,
    "spiders.cookies.OwnCookies": 700,
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
    "scrapy.downloadermiddlewares.httpcache.HttpCacheMiddleware": None,
}

# The one door into the monitor
ITEM_PIPELINES = {"spiders.pipelines.IngestPipeline": 500}

# Quiet, and no work nobody looks at
LOG_LEVEL = "WARNING"
LOG_VERSIONS: list[str] = []
STATS_DUMP = False
LOGSTATS_INTERVAL = 0
MEMUSAGE_ENABLED = False
EXTENSIONS = {
    "scrapy.extensions.logcount.LogCount": None,  # counts the whole process, so says nothing of one crawl
    "scrapy.extensions.telnet.TelnetConsole": None,
    "scrapy.extensions.remote_control.RemoteControl": None,
}
