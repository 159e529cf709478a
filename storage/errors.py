"""What can go wrong with the store, and what to do about it.

    StoreError
    ├── CannotOpen      wrong address, no rights, server not reachable, not a database
    ├── NewerSchema     a newer lowstar has written here
    ├── OlderSchema     it must be migrated first, and this caller did not want to
    ├── DiskFull        nothing was written; make room and run again
    ├── Locked          another program kept the database locked for too long
    └── Busy            another process holds the run lock: it is doing this very work

The cause is always chained. No message holds a password or what strangers wrote.
"""

from __future__ import annotations


class StoreError(Exception):
    """The store could not do what was asked; the message says what to do."""


class CannotOpen(StoreError):
    """The address is wrong, or nothing that answers there is a database of ours."""


class NewerSchema(StoreError):
    """A newer version of this program wrote the store: update the program, never the store."""


class OlderSchema(StoreError):
    """The store waits for a migration, and this caller asked not to migrate."""


class DiskFull(StoreError):
    """There is no room left; the transaction was undone as a whole."""


class Locked(StoreError):
    """Another program kept the store locked longer than anybody should wait."""


class Busy(StoreError):
    """Another process holds this run lock; it ends with that process, however that dies."""
