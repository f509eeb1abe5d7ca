"""Which lots leave, and for which customer."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import tenant_tables

revision = "shipping_0007"
down_revision = "shipping_0006"


def upgrade() -> None:
    op.create_table(
        "lot_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_lot_copy")),
    )
    op.add_column("shipment", sa.Column("customer_id", sa.Uuid(), nullable=True))
    op.add_column(
        "shipment_line", sa.Column("lots", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False)
    )
    tenant_tables(op, "lot_copy")
