"""Shipments say which order they are of."""

import sqlalchemy as sa
from alembic import op

revision = "notifications_0003"
down_revision = "notifications_0002"


def upgrade() -> None:
    op.add_column("document_copy", sa.Column("order_id", sa.Uuid(), nullable=True))
