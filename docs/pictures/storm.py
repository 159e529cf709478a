"""Draws docs/pictures/storm.png: the cards of a storm and of a blind source, from their golden files.

python docs/pictures/storm.py [CHROMIUM]
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from monitor.demo.channel import channel_page  # noqa: E402 - found through the line above

CARDS = ("storm_buttons", "storm_over", "source_health_blind", "source_health_again")
GOLDEN = ROOT / "tests" / "alerts" / "golden"


def main() -> None:
    """Draw it."""
    chromium = sys.argv[1] if len(sys.argv) > 1 else shutil.which("chromium") or "chromium"
    at = 1795312800
    messages = [
        {"ts": f"{at}.0001", **json.loads((GOLDEN / f"{name}.json").read_text("utf-8"))} for name in CARDS
    ]
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text(channel_page("#reputation-alerts", messages), "utf-8")
        quiet = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync"
        subprocess.run(  # noqa: S603 - a browser of this machine, a page of ours
            [
                chromium, *quiet.split(), f"--user-data-dir={folder}/profile", "--hide-scrollbars",
                "--window-size=780,1620", f"--screenshot={ROOT / 'docs' / 'pictures' / 'storm.png'}", page.as_uri(),
            ],
            check=True,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip


if __name__ == "__main__":
    main()
