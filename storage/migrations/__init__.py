"""Which versions has the store had? Written by hand; Alembic is imported only when there is work for it."""

from __future__ import annotations

# Oldest first. Plain words, so that opening an up-to-date store need not import Alembic (a second).
REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010")
HEAD = REVISIONS[-1]
