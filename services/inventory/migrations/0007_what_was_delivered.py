"""What suppliers delivered, and what was put away of it."""

import sqlalchemy as sa
from alembic import op

from tailrace.db.row_security import tenant_tables

revision = "inventory_0007"
down_revision = "inventory_0006"


def upgrade() -> None:
    op.create_table(
        "delivery_line",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("asn_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("gtin", sa.Text(), nullable=True),
        sa.Column("lot", sa.Text(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("received", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_delivery_line")),
    )
    op.create_index(op.f("ix_delivery_line_tenant_id_asn_id"), "delivery_line", ["tenant_id", "asn_id"])
    op.create_index(
        op.f("ix_delivery_line_tenant_id_received_at_id"), "delivery_line", ["tenant_id", "received_at", "id"]
    )
    op.create_index(op.f("ix_delivery_line_tenant_id_sku_id"), "delivery_line", ["tenant_id", "sku", "id"])
    tenant_tables(op, "delivery_line")
    op.add_column("movement", sa.Column("delivery_line_id", sa.Uuid(), nullable=True))
    op.add_column("movement", sa.Column("delivered", sa.Numeric(precision=18, scale=6), nullable=True))
    op.create_index(
        op.f("ix_movement_tenant_id_delivery_line_id"),
        "movement",
        ["tenant_id", "delivery_line_id"],
        postgresql_where=sa.text("delivery_line_id IS NOT NULL"),
    )
