"""Are young posts still there, and still the same? An API is asked for them again by id, a bounded few a run.

The posts wait in a queue that is kept with the source's cursors: that which was not looked at for longest is
asked for first, so that every one has its turn however few requests a run may make. What an API leaves out of
its answer, or says in an error to be gone, is removed at the end of the run, unless so much is missing at once
that something else must be wrong, or no listing of the run was read without a fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from scrapy.http import Request, Response

from spiders.api_preset import Call, Preset
from spiders.api_reading import decoded_or_none, ids_in
from spiders.base import PagedSpider, Shelf, as_text
from storage.records import Mention, Removal

YOUNG_MAX = 500  # posts of one source that are asked for again
FEW = 5  # as many may vanish at once without a second thought
SEEN_BY_ID = "seen by id"  # the cursor that says since when something could be
MOVED = [301, 302, 307, 308]  # it is elsewhere now, and no longer ours to follow
GONE = [400, 403, 404, 410]  # with which an API says that what was asked for by id is gone


class SecondLook(PagedSpider):
    """What `ApiSpider` asks again; see the module."""

    preset: ClassVar[Preset]
    _met: set[str]
    _open: int
    _cut: bool

    def __init__(self, name: str | None = None, **arguments: Any) -> None:
        super().__init__(name, **arguments)
        self._young: dict[str, tuple[int, str]] | None = (
            None  # when it was written, by what name it is asked for
        )
        self._named: dict[str, str] = {}  # by what other name a post is asked for
        self._asked_again: set[str] = set()
        self._gone: set[str] = set()  # of those, what an answer left out
        self._said_gone: set[str] = set()  # and what an error said to be gone
        self._removed: set[str] = set()  # what answers themselves mark as deleted
        self._seen_well = False  # a listing was read without a fault: what is missing elsewhere is missing

    def _call(self) -> Call:
        raise NotImplementedError

    def _afford(self, url: str) -> bool:
        raise NotImplementedError

    def _settle(self, asked: Response | Request, found: int) -> None:
        raise NotImplementedError

    def _refused(self, response: Response, words: str) -> None:
        raise NotImplementedError

    def _known_young(self) -> dict[str, tuple[int, str]]:
        """Posts young enough to change."""
        if self._young is None:
            self._young = dict(filter(None, map(_young_line, (self.cursor("young") or "").split("\n"))))
        since = (self.fetched_at - self.preset.again_young).timestamp()
        kept = {name: said for name, said in self._young.items() if said[0] >= since}
        newest = sorted(kept, key=lambda name: -kept[name][0])[:YOUNG_MAX]
        return {name: kept[name] for name in kept if name in set(newest)} if len(kept) > YOUNG_MAX else kept

    def _keep_young(self, mentions: Iterable[Mention]) -> None:
        if not self._asks_again():
            return
        young = self._known_young()
        for one in mentions:
            # A fingerprint is our own name: nobody can be asked for it.
            if self.preset.again_name and one.external_id not in self._named:
                continue  # nobody can be asked for it
            if one.published_at is None or set(one.external_id) & {"\n", "\t", ","}:
                continue
            young.pop(one.external_id, None)  # it was seen a moment ago: the others come first
            at = int(one.published_at.timestamp())
            young[one.external_id] = (at, self._named.get(one.external_id, ""))
        self._young = young
        lines = (f"{name}\t{at}\t{said}" for name, (at, said) in self._known_young().items())
        self.set_cursor("young", "\n".join(lines))

    def _asks_again(self) -> bool:
        preset = self.preset
        return preset.again is not None and (
            not preset.again_if or bool(self.source.options.get(preset.again_if))
        )

    def _look_again(self) -> Iterable[Request]:
        """Requests for the young posts that no listing of this run has shown: those were just read."""
        if self._asked_again or not self._asks_again():
            return
        names = [name for name in self._known_young() if name not in self._met]
        if names and self.preset.gone_or_hidden and not self.cursor(SEEN_BY_ID):
            names = [name for name in self._known_young() if name in self._met][:1] + names
        yield from self._ask_again(self._call(), names)

    def _ask_again(self, call: Call, names: Sequence[str], most: int | None = None) -> Iterable[Request]:
        """Requests for posts by id, a group and a size at a time."""
        again = self.preset.again
        if again is None:
            return
        young, groups = self._known_young(), dict[str, list[str]]()
        for name in names:
            groups.setdefault(self.preset.again_group(name), []).append(name)
        size = self.preset.again_size
        batches = [ids[at : at + size] for ids in groups.values() for at in range(0, len(ids), size)]
        for ids in batches[: self.preset.again_most if most is None else most]:
            url = again(call, [young[one][1] or one for one in ids])
            if url and self._afford(url):
                self._open += 1
                self._asked_again.update(ids)
                yield self.request(url, meta={"again": ids, "handle_httpstatus_list": GONE + MOVED})

    def _look_at_again(self, response: Response, ids: Sequence[str]) -> None:
        """What was asked for by id and did not come back is gone; what came back need not be a mention."""
        text = as_text(response)
        there = ids_in(self.preset, decoded_or_none(text), response.url) if text is not None else set()
        gone = {one for one in ids if one not in there}
        self._gone |= gone
        if len(gone) < len(ids):
            self.set_cursor(SEEN_BY_ID, self.fetched_at.isoformat())
        young = self._known_young()
        for one in ids:
            if one in young:
                young[one] = young.pop(one)
        self._young = young

    def _refused_again(self, response: Response) -> Iterable[Request]:
        """An error for posts asked for by id: one of them is gone, or something else is wrong."""
        self._open -= 1
        ids = response.meta.get("again") or []
        text = as_text(response)
        body = decoded_or_none(text) if text is not None else None
        if ids and response.status in MOVED:
            self._young = {name: said for name, said in self._known_young().items() if name not in ids}
            self._keep_young(())
            self._settle(response, 0)
            self.health.nothing_new()
            return
        if not ids or not self.preset.gone(response.status, body):
            self._broken = self._cut = True
            self._settle(response, 0)
            self._refused(response, f"HTTP {response.status}")
            return
        self._settle(response, 0)
        self.health.nothing_new()
        if len(ids) == 1:
            self._said_gone.update(ids)
            return
        middle = len(ids) // 2  # which of them it is, nobody says: both halves are asked for
        for half in (ids[:middle], ids[middle:]):
            yield from self._ask_again(self._call(), half, most=1)

    def missing(self, shelf: Shelf) -> list[Removal]:
        """Besides what the base finds: posts that were asked for by id and did not come back."""
        gone, asked = self._gone - self._removed, self._asked_again
        if not self.preset.gone_or_hidden or self.cursor(SEEN_BY_ID):
            gone |= self._said_gone - self._removed
        more = super().missing(shelf)
        if not gone or not self._seen_well:
            return more
        if len(gone) > FEW and len(gone) * 2 > len(asked):
            self.health.problem(self._too_many(len(gone), len(asked)))
            return more
        self._young = {name: said for name, said in self._known_young().items() if name not in gone}
        self._keep_young(())
        return [
            *more,
            *(Removal(self.source.name, one, f"no longer on {self.preset.title}") for one in sorted(gone)),
        ]

    def _too_many(self, gone: int, of: int) -> str:
        return f"{self.preset.title}: {gone} of {of} known ones are missing at once; nothing was removed"


def _young_line(line: str) -> tuple[str, tuple[int, str]] | None:
    name, at, said = (line.split("\t") if "\t" in line else (*line.rpartition(" ")[::2], ""))[:3]
    return (name, (int(at), said)) if name and at.isdigit() else None
