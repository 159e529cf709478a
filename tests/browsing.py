"""A real headless Chromium, driven over its own protocol: opens pages, presses keys, tells what it asked for."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
)
STARTED_WITHIN, ANSWERED_WITHIN = 60.0, 30.0  # seconds; a busy machine starts a browser slowly


def chromium() -> str:
    """The path of a Chromium, "" where there is none."""
    return next((found for name in NAMES if (found := shutil.which(name))), "")


class Browser:
    """One page of one browser."""

    def __init__(self, folder: Path) -> None:
        import websocket

        self.seen: list[dict[str, Any]] = []  # what the browser told by itself
        self._number = 0
        self._process = subprocess.Popen(
            [chromium(), *FLAGS, f"--user-data-dir={folder}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            port = self._port(folder / "DevToolsActivePort")
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=ANSWERED_WITHIN) as answer:
                page = next(one for one in json.load(answer) if one["type"] == "page")
            self._socket = websocket.create_connection(page["webSocketDebuggerUrl"], timeout=ANSWERED_WITHIN)
            for domain in ("Page", "Runtime", "Network", "Log", "Accessibility"):
                self.do(f"{domain}.enable")
        except BaseException:
            self._end()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
        self._end()

    def do(self, method: str, **params: Any) -> dict[str, Any]:
        """One command of the DevTools protocol and its result."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            said = json.loads(self._socket.recv())
            if said.get("id") == self._number:
                assert "error" not in said, said
                return dict(said["result"])
            self.seen.append(said)

    def js(self, expression: str) -> Any:
        """The value of an expression on the page."""
        done = self.do("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def until(self, expression: str) -> Any:
        """Wait until an expression on the page is true; it fails after half a minute."""
        deadline = time.monotonic() + ANSWERED_WITHIN
        while time.monotonic() < deadline:
            try:
                if value := self.js(expression):
                    return value
            except AssertionError:  # between two pages there is nothing to ask
                pass
            time.sleep(0.03)
        raise AssertionError(f"never true: {expression}")

    @contextmanager
    def leaving(self) -> Iterator[None]:
        """Wait for the page that what happens inside leads to."""
        self.js("window.stillHere = true")
        yield
        self.until("!window.stillHere && document.readyState === 'complete'")

    def go(self, url: str) -> None:
        with self.leaving():
            self.do("Page.navigate", url=url)

    def press(self, key: str) -> None:
        """One key, as a keyboard gives it."""
        special = {"Enter": 13, "Tab": 9, "Escape": 27}
        code = special.get(key, ord(key[0].upper()))
        text = {"text": "\r"} if key == "Enter" else {} if key in special else {"text": key}
        for kind in ("keyDown", "keyUp"):
            self.do("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **text)

    def type(self, words: str) -> None:
        """Write into what has the focus."""
        self.do("Input.insertText", text=words)

    def size(self, width: int, height: int, *, phone: bool = False) -> None:
        self.do(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=phone,
        )

    def dark(self, on: bool = True) -> None:
        value = "dark" if on else "light"
        self.do("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": value}])

    def picture(self, path: Path) -> None:
        """A PNG of what is seen."""
        path.write_bytes(base64.b64decode(self.do("Page.captureScreenshot", format="png")["data"]))

    def asked(self) -> list[str]:
        """The addresses of every request so far."""
        return [
            one["params"]["request"]["url"]
            for one in self.seen
            if one.get("method") == "Network.requestWillBeSent"
        ]

    def complaints(self) -> list[str]:
        """What a page did wrong: exceptions, refused by its own policy, errors of the log."""
        return [
            json.dumps(one["params"])
            for one in self.seen
            if one.get("method") == "Runtime.exceptionThrown"
            or (one.get("method") == "Log.entryAdded" and one["params"]["entry"]["level"] == "error")
        ]

    def nameless(self) -> list[str]:
        """What can be pressed or filled in and says to a screen reader not what it is."""
        roles = {"button", "link", "textbox", "searchbox", "combobox", "checkbox", "img", "svg root"}
        tree = self.do("Accessibility.getFullAXTree")["nodes"]
        return [
            json.dumps(node.get("role"))
            for node in tree
            if not node.get("ignored")
            and node.get("role", {}).get("value") in roles
            and not str(node.get("name", {}).get("value", "")).strip()
        ]

    def _port(self, told: Path) -> int:
        deadline = time.monotonic() + STARTED_WITHIN
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise AssertionError(f"the browser ended with {self._process.returncode}")
            if told.exists() and "\n" in (said := told.read_text()):
                return int(said.split()[0])
            time.sleep(0.05)
        raise AssertionError("the browser did not start")

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
