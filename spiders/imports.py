"""What somebody puts into a folder: exports, saved pages, notification e-mails. Each file is read once.

    [[sources]]
    name = "inbox"
    kind = "import"
    path = "inbox/"                # beside lowstar.toml; read files are moved to inbox/done/
    every = "15m"
    about = ["Acme"]
    map = "text=Review,stars=Rating"      # only where the columns' names do not say it

`lowstar import FILE…` reads the same way; `spiders.import_files` does the reading.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from spiders.base import Shelf, SourceSpider
from spiders.import_files import read_file
from spiders.imported import KINDS, Found, Layout, Trouble, Wish, wish_of
from spiders.words import error_words
from storage.records import Mention, Removal

__all__ = ["KINDS", "DropFolderSpider", "Layout", "Trouble", "Wish", "hash_of", "read_file"]

SETTLED = timedelta(seconds=5)  # a file changed more recently is still being written
UNFINISHED = (".part", ".tmp", ".crdownload", ".download", ".swp")
HASHES_KEPT = 2_000
BATCH = 200
TROUBLES_SAID = 5  # of one file


def hash_of(path: Path) -> str:
    """What a file's content is known by."""
    digest = hashlib.blake2b(digest_size=12)
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


class DropFolderSpider(SourceSpider):
    """Reads each file that is put into a folder once, and moves it to `done/` beside it when all is stored."""

    name = "import"
    windowed = True  # most of the time nobody puts anything there
    backfills = False

    async def start(self) -> AsyncIterator[Mention | Removal]:
        """The mentions of every file that is new, oldest file first."""
        self._read: list[tuple[Path, str]] = []
        options = self.source.options
        folder = self._folder()
        try:
            files = await asyncio.to_thread(_waiting, folder, self.fetched_at)
        except OSError as error:
            words = error.strerror or error_words(error)
            self.health.failure(f"the folder {folder} cannot be read: {words}")
            return
        self.health.nothing_new()  # an empty folder is an answer
        wish = wish_of(options)
        done = set((self.cursor("done") or "").split())
        for path in files:
            if self._stops():
                return
            try:
                content = await asyncio.to_thread(hash_of, path)
            except OSError as error:
                self.health.failure(f"{path.name} cannot be read: {error.strerror or error_words(error)}")
                continue
            if content in done:
                self._read.append((path, content))  # stored before, and not moved then
                continue
            good = True
            found = troubles = 0
            things = read_file(path, self.source, self.fetched_at, wish)
            while batch := await asyncio.to_thread(_some, things):
                for thing in batch:
                    if isinstance(thing, (Mention, Removal)):
                        found += 1
                        yield thing
                    elif isinstance(thing, Trouble):
                        troubles += 1
                        good = good and thing.line > 0
                        if troubles <= TROUBLES_SAID:
                            self.health.problem(f"{path.name}: {thing}")
                if self._stops():
                    return
            if troubles > TROUBLES_SAID:
                self.health.problem(f"{path.name}: and {troubles - TROUBLES_SAID:,} more")
            self.health.page(found=found)
            if found or good:
                self._read.append((path, content))
                done.add(content)
            else:
                self.health.problem(f"{path.name} is left in {folder.name}/: mend it or take it away")
        if self._read:
            kept = [*(self.cursor("done") or "").split(), *(content for _, content in self._read)]
            self.set_cursor("done", " ".join(list(dict.fromkeys(kept))[-HASHES_KEPT:]))

    def missing(self, shelf: Shelf) -> list[Removal]:
        """Moves what was read out of the way: all of it is stored by now."""
        for path, _ in getattr(self, "_read", []):
            target = path.parent / "done"
            try:
                target.mkdir(exist_ok=True)
                os.replace(path, _free(target / path.name))  # noqa: PTH105  (one step, on one file system)
            except OSError as error:
                self.health.note(
                    f"{path.name} was read and cannot be moved to done/: {error.strerror or error_words(error)}"
                )
        return []

    def _stops(self) -> bool:
        return self.brake.pulled or self.full

    def _folder(self) -> Path:
        said = Path(str(self.source.options.get("path", "inbox"))).expanduser()
        # Beside lowstar.toml: cron starts somewhere else.
        return said if said.is_absolute() or self.config is None else self.config.path.parent / said


def _some(things: Iterator[Found]) -> list[Found]:
    return list(islice(things, BATCH))


def _waiting(folder: Path, now: datetime) -> list[Path]:
    """The files of a folder that are whole, oldest first. Raises OSError where the folder cannot be read."""
    found: list[tuple[float, Path]] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if name.startswith((".", "~")) or name.lower().endswith(UNFINISHED) or not entry.is_file():
                continue
            changed = entry.stat().st_mtime
            if changed <= (now - SETTLED).timestamp():
                found.append((changed, Path(entry.path)))
    return [path for _, path in sorted(found)]


def _free(path: Path) -> Path:
    """`path`, or with a number where something of that name is there already."""
    number = 1
    free = path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem} ({number}){path.suffix}")
    return free
