"""Can a person work with the dashboard: with the mouse, the keyboard alone, a telephone, and without script?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="the extra `web` is not installed")
pytest.importorskip("websocket", reason="websocket-client, by which the browser is driven, is not installed")

from axe import axe_file, violations
from browsing import Browser, chromium
from dashboard import TOKENS, Visitor, served, web_config
from shelf import add_case, add_run
from slackdesk import a_workspace, announced, card, deliver

from monitor.config_web import Role
from storage.records import CaseStatus, Priority, RunOutcome
from storage.store import Store

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not chromium(), reason="there is no chromium here: apt-get install chromium"),
]

NOW = datetime.now(UTC)
HOSTILE = "<script>alert(1)</script><img src=//evil.example/x onerror=alert(1)> \" ' </p></main> " + "x" * 300
PAGES = ("/", "/cases/1", "/mentions", "/mentions/1", "/trends", "/sources", "/digests")


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture
def browser(chrome: Browser) -> Browser:
    chrome.do("Network.clearBrowserCookies")
    chrome.do("Emulation.setScriptExecutionDisabled", value=False)
    chrome.size(1280, 900)
    chrome.dark(False)
    chrome.seen.clear()
    return chrome


@pytest.fixture
def site(sqlite_store: Store, tmp_path: Path) -> Iterator[str]:
    add_case(sqlite_store, NOW, "It was late", priority=Priority.NORMAL, stars=3)
    add_case(sqlite_store, NOW, "They lost my parcel", priority=Priority.URGENT, author="Maya")
    add_case(sqlite_store, NOW, "Rude on the phone", stars=2)
    add_run(sqlite_store, NOW - timedelta(minutes=3), RunOutcome.OK)
    with sqlite_store.transaction() as ledger:
        while ledger.index_words():
            pass
    with served(web_config(tmp_path), sqlite_store) as port:
        yield f"http://127.0.0.1:{port}"


def sign_in(browser: Browser, site: str, role: Role = Role.ACT, name: str = "Anna") -> None:
    """By the link the terminal prints: the token stands behind the #."""
    browser.go(f"{site}/sign-in#{TOKENS[role]}")
    assert "#" not in browser.js("location.href")
    browser.js(f"document.querySelector('[name=name]').value = '{name}'")
    with browser.leaving():
        browser.js("document.querySelector('.sign-in button').click()")


def case_of(store: Store, number: int) -> tuple[CaseStatus, str]:
    with store.reading() as ledger:
        case = ledger.case(number)
    assert case is not None
    return case.status, case.owner


def test_the_worst_is_found_opened_claimed_and_answered_and_its_card_follows(
    browser: Browser, site: str, sqlite_store: Store
) -> None:
    sign_in(browser, site)
    assert browser.js("document.querySelector('[data-row] .headline').textContent") == "They lost my parcel"
    with browser.leaving():
        browser.js("document.querySelector('[data-row] .headline').click()")
    assert browser.js("document.querySelector('h1').textContent") == "REP-0002"
    with browser.leaving():
        browser.js("document.querySelector('[data-claim]').click()")
    assert case_of(sqlite_store, 2) == (CaseStatus.CLAIMED, "Anna")
    browser.js("document.querySelector('#respond textarea').value = 'We are sorry'")
    with browser.leaving():
        browser.js("document.querySelector('#respond button').click()")
    assert case_of(sqlite_store, 2)[0] is CaseStatus.ANSWERED
    assert "We are sorry" in browser.js("document.querySelector('.history').innerText")
    with sqlite_store.reading() as ledger:
        card = ledger.delivery("d2")
    assert card is not None
    assert card.wanted_version > card.shown_version
    assert browser.complaints() == []


def test_what_is_done_in_the_browser_is_seen_on_the_card_in_slack(
    browser: Browser, sqlite_store: Store, tmp_path: Path
) -> None:
    with a_workspace() as slack, served(web_config(tmp_path), sqlite_store) as port:
        (posted,) = announced(sqlite_store, slack)
        assert "Nobody yet" in str(card(slack, posted.ts).blocks)
        sign_in(browser, f"http://127.0.0.1:{port}")
        with browser.leaving():
            browser.js("document.querySelector('[data-row] .headline').click()")
        with browser.leaving():
            browser.js("document.querySelector('[data-claim]').click()")
        deliver(sqlite_store, slack)
        assert "Anna" in str(card(slack, posted.ts).blocks)
        browser.js("document.querySelector('#respond textarea').value = 'We are sorry'")
        with browser.leaving():
            browser.js("document.querySelector('#respond button').click()")
        deliver(sqlite_store, slack)
        assert "nswered" in str(card(slack, posted.ts).blocks)
        assert [one.ts for one in slack.posted("#alerts") if one.thread_ts is None] == [posted.ts]


def test_the_keyboard_alone_is_enough(browser: Browser, site: str, sqlite_store: Store) -> None:
    sign_in(browser, site)
    browser.press("j")
    browser.press("j")
    assert "Rude" in browser.js("document.querySelector('.chosen').innerText")
    browser.press("k")
    with browser.leaving():
        browser.press("c")
    assert case_of(sqlite_store, 2) == (CaseStatus.CLAIMED, "Anna")
    browser.press("j")
    with browser.leaving():
        browser.press("o")
    assert browser.js("location.pathname") == "/cases/2"
    browser.press("r")
    assert browser.js("document.activeElement.name") == "text"
    browser.type("We are sorry. c j o")
    assert browser.js("document.activeElement.value") == "We are sorry. c j o"
    browser.press("Escape")
    with browser.leaving():
        browser.press("u")
    assert browser.js("location.pathname") == "/"
    browser.press("/")
    assert browser.js("document.activeElement.name") == "q"


def test_words_are_searched_for(browser: Browser, site: str) -> None:
    sign_in(browser, site)
    browser.press("/")
    browser.type("parcel")
    with browser.leaving():
        browser.press("Enter")
    assert browser.js("document.querySelectorAll('[data-row]').length") == 1
    assert "lost my parcel" in browser.js("document.querySelector('[data-row]').innerText")


@pytest.mark.parametrize("width", [320, 390])
def test_no_page_is_wider_than_a_telephone(
    browser: Browser, site: str, sqlite_store: Store, width: int
) -> None:
    add_case(sqlite_store, NOW, HOSTILE + "W" * 200, author="w" * 200, title="w" * 100, entity="w" * 200)
    browser.size(width, 700, phone=True)
    sign_in(browser, site, Role.ADMIN, name="W" * 60)
    for path in (*PAGES, "/cases/4", "/mentions/4"):
        browser.go(site + path)
        assert browser.js("document.documentElement.scrollWidth") <= width, path
        assert browser.js(BROKEN) == [], path


# Names of pages and of lists whose one word goes over two lines.
BROKEN = """[...document.querySelectorAll('.top nav a, .tabs a, thead th')].filter((one) =>
  one.clientHeight > 2.5 * parseFloat(getComputedStyle(one).fontSize)
    + parseFloat(getComputedStyle(one).paddingTop) + parseFloat(getComputedStyle(one).paddingBottom)
).map((one) => one.innerText)"""


def test_lists_follow_what_others_do(browser: Browser, site: str) -> None:
    sign_in(browser, site)
    assert browser.js("document.querySelectorAll('[data-claim]').length") == 3
    other = Visitor(int(site.rpartition(":")[2]))
    other.sign_in(name="Bert")
    other.post("/cases/2/claim")
    browser.js("window.dispatchEvent(new Event('focus'))")
    browser.until("document.querySelectorAll('[data-claim]').length === 2")
    assert "Bert" in browser.js("document.querySelector('[data-row]').innerText")


def test_without_script_everything_still_works(browser: Browser, site: str, sqlite_store: Store) -> None:
    browser.do("Emulation.setScriptExecutionDisabled", value=True)
    browser.go(f"{site}/sign-in")
    browser.js(f"document.querySelector('[name=token]').value = '{TOKENS[Role.ACT]}'")
    browser.js("document.querySelector('[name=name]').value = 'Anna'")
    with browser.leaving():
        browser.js("document.querySelector('.sign-in button').click()")
    with browser.leaving():
        browser.js("document.querySelector('[data-claim]').click()")
    assert case_of(sqlite_store, 2) == (CaseStatus.CLAIMED, "Anna")


def test_nothing_is_asked_of_anybody_else_and_nothing_strange_runs(
    browser: Browser, site: str, sqlite_store: Store
) -> None:
    add_case(sqlite_store, NOW, HOSTILE, author=HOSTILE, title=HOSTILE, entity=HOSTILE, owner_reply=HOSTILE)
    add_run(sqlite_store, NOW, RunOutcome.FAILED, reason=HOSTILE)
    sign_in(browser, site, Role.ADMIN)
    for path in (*PAGES, "/cases/4", "/mentions/4"):
        browser.go(site + path)
        assert browser.js("document.images.length === 1")
    assert {url for url in browser.asked() if not url.startswith((site, "data:", "about:"))} == set()
    assert browser.complaints() == []
    assert not any(one.get("method") == "Page.javascriptDialogOpening" for one in browser.seen)


@pytest.mark.parametrize("dark", [False, True])
def test_words_stand_out_from_their_ground_and_every_control_has_a_name(
    browser: Browser, site: str, dark: bool
) -> None:
    browser.dark(dark)
    sign_in(browser, site)
    for path in PAGES:
        browser.go(site + path)
        assert browser.nameless() == [], path
        assert browser.js("document.querySelectorAll('h1').length") == 1, path
        assert browser.js(FAINT) == [], path


# WCAG 2.2, 1.4.3: text stands out by 4.5 to 1 from the nearest ground painted behind it.
FAINT = """(() => {
  const parse = (text) => (text.match(/[0-9.]+/g) || []).map(Number);
  const light = ([r, g, b]) => {
    const part = (v) => ((v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const ground = (one) => {
    for (; one; one = one.parentElement) {
      const found = parse(getComputedStyle(one).backgroundColor);
      if (found.length === 3 || found[3] > 0.99) return found;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const one of document.querySelectorAll("main *, header *")) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !one.getClientRects().length || one.closest("svg")) continue;
    const a = light(parse(getComputedStyle(one).color)), b = light(ground(one));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faint.push(`${one.tagName}.${one.className} ${ratio.toFixed(2)} ${one.textContent.slice(0, 30)}`);
  }
  return faint;
})()"""


@pytest.mark.skipif(
    axe_file() is None, reason="axe-core is not here: ./run test fetches it where there is an npm"
)
@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_axe_finds_nothing_that_keeps_people_out(
    browser: Browser, site: str, sqlite_store: Store, tmp_path: Path, look: str
) -> None:
    axe = axe_file()
    assert axe is not None
    add_case(sqlite_store, NOW, HOSTILE, author="w" * 60, title="A title", owner_reply="We are sorry")
    browser.dark(look == "dark")
    if look == "phone":
        browser.size(390, 800, phone=True)
    browser.go(f"{site}/sign-in")
    assert violations(browser, axe) == []
    browser.go("about:blank")  # from a page to the same page with a # nothing is loaded
    sign_in(browser, site, Role.ADMIN)
    for path in (*PAGES, "/cases/4", "/?q=parcel", "/?status=closed"):
        browser.go(site + path)
        assert violations(browser, axe) == [], path
    # A digest is served so that no script runs in it, not even axe's: it is looked at as a file.
    page = tmp_path / "digest.html"
    page.write_text(browser.js("fetch('/digests/Acme/2026-W47').then(answer => answer.text())"), "utf-8")
    browser.go(page.as_uri())
    assert browser.js("document.querySelector('h1').innerText").startswith("Week 47")
    assert violations(browser, axe) == []
