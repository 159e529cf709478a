"""What the business itself calls what is reviewed: the number of the order."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("mentions", sa.Column("reference", sa.String(255), nullable=False, server_default=""))
