"""What does the stand-in do with files? The two calls and the upload between them, as Slack has them since 2025."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

ALT_MAX = 1_000  # characters: "alt_txt_too_large" beyond


@dataclass(slots=True)
class Kept:
    """A file and where it was shared."""

    id: str
    name: str
    length: int
    alt: str
    content: bytes = b""
    title: str = ""
    channel: str = ""
    thread_ts: str = ""


@dataclass(slots=True)
class Files:
    """Every file somebody began to upload."""

    by_id: dict[str, Kept] = field(default_factory=dict)

    def begin(self, arguments: Mapping[str, Any], base: str) -> dict[str, Any]:
        """`files.getUploadURLExternal`: where to send the bytes."""
        name, length = str(arguments.get("filename") or ""), str(arguments.get("length") or "")
        if not name or not length.isdigit() or int(length) < 1:
            return {"ok": False, "error": "invalid_arguments"}
        if len(alt := str(arguments.get("alt_txt") or "")) > ALT_MAX:
            return {"ok": False, "error": "alt_txt_too_large"}
        one = Kept(f"F0DEMO{len(self.by_id) + 1:03d}", name, int(length), alt)
        self.by_id[one.id] = one
        return {"ok": True, "file_id": one.id, "upload_url": f"{base}upload/{one.id}"}

    def take(self, path: str, body: bytes) -> int:
        """The bytes themselves; the HTTP status."""
        one = self.by_id.get(path.rpartition("/")[2])
        if one is None or len(body) != one.length:
            return 400
        one.content = body
        return 200

    def share(self, arguments: Mapping[str, Any], post: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
        """`files.completeUploadExternal`: `post` puts the comment into the channel; takes ids only, no names."""
        files = arguments.get("files")
        try:
            wanted = json.loads(files) if isinstance(files, str) else list(files or ())
        except (ValueError, TypeError):
            return {"ok": False, "error": "invalid_arguments"}
        several = [self.by_id.get(str(one.get("id"))) for one in wanted]
        if not several or any(one is None or not one.content for one in several):
            return {"ok": False, "error": "file_not_found"}
        posted = post(str(arguments.get("initial_comment") or ""))
        if not posted.get("ok"):
            return posted
        for one, given in zip(several, wanted, strict=True):
            assert one is not None  # noqa: S101 - looked at above; told to mypy
            one.title = str(given.get("title") or "")
            one.channel = str(arguments.get("channel_id") or "")
            one.thread_ts = str(arguments.get("thread_ts") or "")
        return {"ok": True, "files": [{"id": one.id, "title": one.title} for one in several if one]}
