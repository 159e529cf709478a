"""Is a message still what somebody looked at? Golden files; LOWSTAR_UPDATE_GOLDEN=1 makes them anew."""

from __future__ import annotations

import json
import os
from pathlib import Path

from alerts.limits import problems
from alerts.notifier import Message

FOLDER = Path(__file__).parent / "alerts" / "golden"


def same_as_golden(name: str, message: Message) -> None:
    """Fail unless `message` is the one kept under `name`, and one that Slack takes."""
    assert problems(message.blocks) == []
    drawn = json.dumps({"text": message.text, "blocks": list(message.blocks)}, ensure_ascii=False, indent=1)
    path = FOLDER / f"{name}.json"
    if os.environ.get("LOWSTAR_UPDATE_GOLDEN"):
        path.write_text(drawn + "\n", "utf-8")
    assert json.loads(path.read_text("utf-8")) == json.loads(drawn)
