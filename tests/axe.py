"""axe-core, which finds what keeps a page from people who cannot see or use a mouse.

It is MPL-2.0 and 640 KB, so it is no part of the project: `./run` fetches exactly this one by npm, once, where there
is an npm; elsewhere the tests that need it are skipped, and say so.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from browsing import Browser

VERSION = "4.14.1"
SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
ROOT = Path(__file__).resolve().parents[1]


def axe_file() -> Path | None:
    """Where `./run` has put it; None where it has not. Raises ValueError for another file than the one we know."""
    venv = Path(os.environ.get("LOWSTAR_VENV") or ROOT / ".venv")
    path = venv / f"axe-core-{VERSION}.min.js"
    if not path.exists():
        return None
    if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256:
        raise ValueError(f"{path} is not axe-core {VERSION}; remove it, ./run fetches it again")
    return path


def violations(browser: Browser, axe: Path) -> list[str]:
    """What axe finds on the page that is open: rule, what is wrong, and where."""
    # Through the debugger, so that the page's own policy, which allows no such script, stays as it is.
    browser.js(axe.read_text("utf-8") + "; true")
    found: list[dict[str, Any]] = browser.js(
        "axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map(v => "
        "({id: v.id, help: v.help, where: v.nodes.slice(0, 5).map(n => n.target.join(' ') + ': ' + n.html.slice(0, 120)"
        " + ' ' + (n.any[0]?.message ?? ''))})))"
    )
    return [f"{one['id']}: {one['help']}: {'; '.join(one['where'])}" for one in found]
