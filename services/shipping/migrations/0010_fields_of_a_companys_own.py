"""Fields of a company's own on shipments."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "shipping_0010"
down_revision = "shipping_0009"


def upgrade() -> None:
    op.add_column(
        "shipment", sa.Column("custom_fields", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False)
    )
