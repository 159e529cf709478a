"""What is on its way to whom? The statements of the outbox."""

from __future__ import annotations

from sqlalchemy import Connection


class DeliveryLedger:
    """Statements of the tables `deliveries` and `channels`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
