"""What comes back of a tracked item is known by its lots, and pieces by their serial numbers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "shipping_0011"
down_revision = "shipping_0010"


def upgrade() -> None:
    op.add_column("lot_copy", sa.Column("serial", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column(
        "return_shipment_line",
        sa.Column("lots", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
    )
    op.create_index(
        op.f("ix_return_shipment_line_tenant_id_shipment_id_line_id"),
        "return_shipment_line",
        ["tenant_id", "shipment_id", "line_id"],
    )
