"""Which days are over, and counted? A digest then adds up days instead of a hundred thousand mentions."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from storage.errors import StoreError
from storage.store import Store

log = logging.getLogger(__name__)

# What a weekly digest compares with, the week it tells, and the days until it is told; older days are counted
# from the index when somebody asks for them.
BACK = timedelta(days=70)
AT_ONCE = 10  # days counted in one transaction: nobody who writes waits long for it


def keep_days_tallied(store: Store, brands: Iterable[str], now: datetime) -> int:
    """Count the days of these brands that are over and not counted yet; answers how many.

    Only speed depends on it, so it gives way to whoever writes, and what goes wrong is said and no more.
    """
    done = 0
    try:
        for brand in brands:
            with store.reading() as ledger:
                days = ledger.untallied_days(brand, now - BACK, now)
            for at in range(0, len(days), AT_ONCE):
                with store.transaction() as ledger:
                    if not ledger.tally_days(brand, days[at : at + AT_ONCE]):
                        return done
                done += len(days[at : at + AT_ONCE])
    except StoreError as error:
        log.warning("days could not be counted ahead (%s); digests take longer and say the same", error)
    return done
