"""What a page is made of, apart from its words; and words that try to change that."""

from __future__ import annotations

from html.parser import HTMLParser

NASTY = "</bdi></q><script>alert(1)</script><img src=x onerror=alert(1)>\" ' & <!-- ]]> {{7*7}} \u202e\u2067 "
VOID = {"meta", "line", "rect", "br", "img"}


class Page(HTMLParser):
    """The skeleton of a page: which elements, in which order, with which attributes; are they all closed?"""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.skeleton: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.skeleton.append(f"{tag} {' '.join(sorted(name for name, _ in attrs))}")
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name == "href":
                self.links.append(value or "")
            elif name in ("src", "srcset", "data", "action", "background", "poster") or name.startswith("on"):
                self.loaded.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
